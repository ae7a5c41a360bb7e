"""Who asks: user names and secrets, and where they are found. Nothing secret is ever shown.

A login is looked for in what was given, in the environment, and in the files of Docker and podman
with the credential helpers that they name. No function that raises holds a secret in a variable:
some tracebacks show variables.
"""

import base64
import hashlib
import json
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from hubframe.errors import ASK_ANONYMOUSLY, GIVE_LOGIN, CredentialsError, CredentialsWarning
from hubframe.oci.reference import DOCKER_HUB, canonical_host, parse_scope
from hubframe.wire import credential_helpers
from hubframe.wire.credential_helpers import is_text

Pair = tuple[str, str]
Given = Pair | Mapping[str, Pair | Literal[False]] | Literal[False] | None

GIVEN = "Client(credentials=…)"
VARIABLES = "DOCKER_USERNAME and DOCKER_PASSWORD"
AUTH_VARIABLE = "DOCKER_AUTH_CONFIG"
# The name under which Docker files its Hub's logins.
HUB_KEY = "https://index.docker.io/v1/"
# A failure serves all threads of a call, and is forgotten before somebody who has put it right
# tries again. [seconds]
FAILURE_LIFE = 10.0
# For so many repositories is remembered what was found. It is found again fast.
_MOST_FOUND = 1000
# Docker keeps these beside the Hub's login: they log in to an application, not to a registry.
_OTHER_LOGINS = ("/access-token", "/refresh-token")
# Bytes of a variable that are no UTF-8 are sent as they were.
_AS_READ = ("utf-8", "surrogateescape")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
# What can stand in a header.
_BEARER = re.compile("[!-~]*")
# The user name by which a helper says that the secret is an identity token.
_IDENTITY_USER = "<token>"


@dataclass(frozen=True)
class Credential:
    """What one registry is told about who asks, and the place that it comes from.

    User name and secret (a password or access token) are empty where a login has none. The identity
    token is what a registry's token server takes in place of a password; the registry token is a
    bearer token, used as it is.
    """

    username: str
    secret: str = field(repr=False)
    source: str
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)
    _identity: str = field(default="", init=False, repr=False, compare=False)

    @property
    def identity(self) -> str:
        """What tells this login's cached answers from another's.

        It depends on the secret too, so that a wrong password is never served a right one's
        answers; a slow hash keeps the cache's keys from helping anybody to guess it.
        """
        if not self._identity:
            # It takes a while, and an interrupt may show all variables: none holds a secret.
            found = hashlib.scrypt(
                json.dumps([self.secret, self.identity_token, self.registry_token]).encode(),
                salt=f"hubframe:{self.username}".encode(*_AS_READ),
                n=2**14,
                r=8,
                p=1,
                dklen=16,
            )
            object.__setattr__(self, "_identity", found.hex())
        return self._identity

    @property
    def is_pair(self) -> bool:
        """Whether it can be typed into a login: a user name and a secret."""
        return bool(self.username and self.secret)

    @property
    def basic(self) -> str | None:
        """The value of a Basic ``Authorization``; an identity token serves as a password."""
        secret = self.secret or self.identity_token
        pair = base64.b64encode(f"{self.username}:{secret}".encode(*_AS_READ)).decode()
        return f"Basic {pair}" if secret else None


class Sealed:
    """A value on its way through functions that may raise: no traceback shows what it holds."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Credentials:
    """The logins at hand, each looked up when it is first needed, and once.

    Parameters
    ----------
    given
        A pair of user name and secret for Docker Hub, or such pairs by registry or namespace
        (``quay.io/org``); False in place of a pair asks there anonymously, and in place of
        everything does so everywhere. Sealed by whoever may raise before this is done.
    environment
        Where variables are looked for.
    files
        Whether the files of Docker and podman count, and the helpers that they name.
    """

    def __init__(
        self,
        given: Given | Sealed = None,
        environment: Mapping[str, str] | None = None,
        *,
        files: bool = True,
    ) -> None:
        sealed = given if isinstance(given, Sealed) else Sealed(given)
        del given
        self._is_anonymous = sealed.value is False
        self._given: dict[str, Credential | None] = {}
        self._given |= _by_key(sealed)
        self._environment = os.environ if environment is None else environment
        self._has_files = files
        # What reads each place, once.
        self._places: list[Callable[[], AuthFile]] | None = None
        self._found: dict[tuple[str, str], Credential | None] = {}
        self._helped: dict[tuple[str, str], credential_helpers.Answer] = {}
        self._warned: set[tuple[str, str]] = set()
        self._failures: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, Lock] = {}

    def __repr__(self) -> str:
        return f"<Credentials for {', '.join(self._given) or 'no registry'}>"

    def find(self, registry: str, path: str = "") -> Credential | None:
        """Return the login for a repository, or for a registry as a whole; None for anonymous.

        It raises `CredentialsError` where a file or helper on the way to it failed.
        """
        wanted = (registry, path)
        with self._locks.setdefault(registry, Lock()):
            found = self._found
            if wanted not in found:
                message, until = self._failures.get(registry, ("", 0.0))
                if time.monotonic() < until:
                    raise CredentialsError(message)
                if len(found) >= _MOST_FOUND:
                    found = self._found = {}
                try:
                    found[wanted] = self._search(registry, path)
                except CredentialsError as error:
                    self._failures[registry] = (str(error), time.monotonic() + FAILURE_LIFE)
                    raise
            return found[wanted]

    def for_hub_api(self) -> Credential | None:
        """Return the login for the Docker Hub API, which takes no identity tokens."""
        login = self.find(DOCKER_HUB)
        return login if login and login.is_pair else None

    def _search(self, registry: str, path: str) -> Credential | None:
        if self._is_anonymous:
            return None
        for key in keys(registry, path):
            if key in self._given:
                return self._given[key]
        found = self._from_variables() if registry == DOCKER_HUB else None
        return found or self._from_files(registry, path)

    def _from_variables(self) -> Credential | None:
        names = ("DOCKER_USERNAME", "DOCKER_PASSWORD")
        missing = [name for name in names if not self._environment.get(name)]
        if len(missing) == 1:
            raise CredentialsError(
                f"{missing[0]} is not set, though its partner is: set both or none"
            )
        if missing:
            return None
        return Credential(self._environment[names[0]], self._environment[names[1]], VARIABLES)

    def _from_files(self, registry: str, path: str) -> Credential | None:
        """Return the login of the first file that has one; a helper wins over entries."""
        if self._places is None:
            # Before Python 3.12 a `cached_property` has a lock for all, held in a fork for ever.
            found = places(self._environment) if self._has_files else []
            self._places = [cache(place.load) for place in found]
        for load in self._places:
            file = load()
            login = self._from_helper(file, registry) or self._from_entries(file, registry, path)
            if login:
                return login
        return None

    def _from_entries(self, file: "AuthFile", registry: str, path: str) -> Credential | None:
        """Return the login whose key is the longest; say once which ones cannot be read."""
        for key in keys(registry, path):
            entry = file.logins.get(key)
            if isinstance(entry, Credential):
                return entry
            if entry and (file.source, key) not in self._warned:
                self._warned.add((file.source, key))
                warnings.warn(
                    f"{file.source}: the login for {key} cannot be read and is skipped: "
                    f"{entry}. To log in again, {log_in(registry)}",
                    CredentialsWarning,
                    stacklevel=2,
                )
        return None

    def _from_helper(self, file: "AuthFile", registry: str) -> Credential | None:
        name = file.helpers.get(registry.lower()) or file.store
        if not name:
            return None
        server = HUB_KEY if registry == DOCKER_HUB else registry
        if (name, server) not in self._helped:
            self._helped[name, server] = credential_helpers.get(name, server, file.source)
        answer, source = self._helped[name, server], f"docker-credential-{name} ({file.source})"
        if answer.username == _IDENTITY_USER:
            return Credential("", "", source, identity_token=answer.secret)
        return Credential(answer.username, answer.secret, source) if answer.secret else None


def log_in(registry: str) -> str:
    """Say how to log in to a registry."""
    return f"run docker login {canonical_host(registry)}, or {GIVE_LOGIN}"


def keys(registry: str, path: str) -> Iterator[str]:
    """Name what may hold a repository's login: itself, what it lies in, and the registry.

    Examples
    --------
    >>> list(keys("quay.io", "a/b"))
    ['quay.io/a/b', 'quay.io/a', 'quay.io']
    """
    name = f"{registry.lower()}/{path}" if path else registry.lower()
    while name:
        yield name
        name = name.rpartition("/")[0]


def _by_key(given: Sealed) -> dict[str, Credential | None]:
    """Check what was given, and name it as it is looked up."""
    if given.value is None or given.value is False:
        return {}
    pairs = given.value if isinstance(given.value, Mapping) else {DOCKER_HUB: given.value}
    sealed = {name: Sealed(pair) for name, pair in pairs.items()}
    del pairs
    return {parse_scope(str(name)): _credential(pair) for name, pair in sealed.items()}


def _credential(pair: Sealed) -> Credential | None:
    """Check without showing: a wrong value may hold the secret."""
    if pair.value is False:
        return None
    is_two = isinstance(pair.value, tuple | list) and len(pair.value) == 2  # noqa: PLR2004
    if not is_two or not all(is_text(part) and part for part in pair.value):
        raise CredentialsError(f"{GIVEN}: expected a pair of user name and secret, both not empty")
    return Credential(pair.value[0], pair.value[1], GIVEN)


@dataclass(frozen=True)
class AuthFile:
    """What a place holds: logins by ``host`` or ``host/namespace``, and names of helpers by host.

    In place of a login that cannot be read stands what is wrong with it. ``store`` is the helper
    for hosts that have none of their own; empty for none.
    """

    source: str
    logins: Mapping[str, Credential | str]
    helpers: Mapping[str | None, str]
    store: str


@dataclass(frozen=True)
class Place:
    """A file, or a variable's text, that may hold logins.

    A flat one is a ``.dockercfg``, which holds entries and nothing else.
    """

    source: str
    path: Path | None = None
    text: str = field(default="", repr=False)
    is_flat: bool = False

    def load(self) -> AuthFile:
        """Read the place, or raise `CredentialsError`; where there is no file there is no login."""
        file = self._read()
        if isinstance(file, str):
            raise CredentialsError(f"{self.source} {file}; repair it, or {ASK_ANONYMOUSLY}")
        return file

    def _read(self) -> AuthFile | str:
        """Return what the place holds, or what is wrong with it."""
        try:
            text = self.path.read_bytes().decode("utf-8-sig") if self.path else self.text
            # Nothing at all is an empty object: Docker takes it so.
            document = json.loads(text) if text.strip() else {}
        except (FileNotFoundError, NotADirectoryError):
            document = {}
        except OSError as error:
            return f"cannot be read: {error.strerror or type(error).__name__}"
        except (ValueError, RecursionError):
            return "is not JSON"
        if not isinstance(document, dict):
            return "does not hold a JSON object"
        document = {"auths": document} if self.is_flat else document
        auths, named = (document.get(name) or {} for name in ("auths", "credHelpers"))
        for name, section in (("auths", auths), ("credHelpers", named)):
            if not isinstance(section, dict):
                return f"holds {name} that are no JSON object"
        store = document.get("credsStore") or ""
        helpers = {_canonical(key): name or "" for key, name in named.items()}
        if not all(isinstance(name, str) for name in (store, *helpers.values())):
            return "names a credential helper that is no text"
        return AuthFile(self.source, self._logins(auths), helpers, store)

    def _logins(self, auths: Mapping[str, Any]) -> dict[str, Credential | str]:
        """Read the entries; of two for one registry the one that names it plainly wins."""
        found: dict[str, Credential | str] = {}
        for key in sorted(auths, key=lambda key: key not in (HUB_KEY, _canonical(key))):
            name = _canonical(key, is_address=self.is_flat)
            login = _login(auths[key], f"{self.source} ({name})")
            if name and login and not isinstance(found.get(name), Credential):
                found[name] = login
        return found


def places(environment: Mapping[str, str]) -> list[Place]:
    """List the places that may hold logins, those first that win."""
    try:
        home = Path.home()
    except RuntimeError:
        home = None

    def folder(variable: str, name: str) -> Path | None:
        chosen = environment.get(variable)
        return Path(chosen) if chosen else home and home / name

    chosen = environment.get("REGISTRY_AUTH_FILE")
    config, docker = folder("XDG_CONFIG_HOME", ".config"), folder("DOCKER_CONFIG", ".docker")
    paths = [
        Path(chosen) if chosen else None,
        _runtime(environment, home),
        config and config / "containers" / "auth.json",
        docker and docker / "config.json",
    ]
    variable = environment.get(AUTH_VARIABLE, "")
    found = [Place(AUTH_VARIABLE, text=variable)] if variable.strip() else []
    for path in dict.fromkeys(filter(None, paths)):
        is_below = home and path.is_relative_to(home)
        shown = f"~/{path.relative_to(home).as_posix()}" if home and is_below else str(path)
        found.append(Place(shown, path))
    return found + ([Place("~/.dockercfg", home / ".dockercfg", is_flat=True)] if home else [])


def _runtime(environment: Mapping[str, str], home: Path | None) -> Path | None:
    """Return where podman keeps logins until the machine is switched off; on Linux only."""
    if not sys.platform.startswith("linux"):
        return home and home / ".config" / "containers" / "auth.json"
    folder = environment.get("XDG_RUNTIME_DIR")
    base = Path(folder, "containers") if folder else Path("/run/containers", str(os.getuid()))
    return base / "auth.json"


def _canonical(key: str, *, is_address: bool = False) -> str | None:
    """Return the registry or namespace that a key means; None where it is no registry's.

    Old versions of Docker wrote addresses; of these only the host counts.
    """
    if key.endswith(_OTHER_LOGINS):
        return None
    name = _SCHEME.sub("", key, count=1)
    is_address = is_address or name != key or name.endswith("/")
    host, _, path = name.partition("/")
    host = canonical_host(host.lower())
    return f"{host}/{path}" if path and not is_address else host


def _login(entry: Any, source: str) -> Credential | str | None:
    """Read an entry, or say what is wrong with it; helpers leave empty ones behind."""
    if not isinstance(entry, dict | None):
        return "it is no JSON object"
    entry = entry or {}
    names = ("username", "password", "identitytoken", "registrytoken")
    username, secret, identity, bearer = (entry.get(name) or "" for name in names)
    if entry.get("auth"):
        pair = _decoded(entry["auth"])
        if pair is None:
            return "its auth is no user name and password in base64"
        username, secret = pair
    if not all(is_text(part) for part in (username, secret, identity, bearer)):
        return "it holds what is no text"
    if not _BEARER.fullmatch(bearer):
        return "its registrytoken is none that can be sent"
    if (username and secret) or identity or bearer:
        return Credential(username, secret, source, identity, bearer)
    return "it lacks a user name or a password" if username or secret else None


def _decoded(encoded: Any) -> tuple[str, str] | None:
    """Return user name and secret, from either alphabet, in lines or without its padding."""
    if not isinstance(encoded, str):
        return None
    try:
        letters = "".join(encoded.split()).rstrip("=").translate(_STANDARD_ALPHABET)
        pair = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True).decode()
    except ValueError:
        return None
    username, colon, secret = pair.partition(":")
    # Old versions of Docker filled the text up with NULs.
    return (username, secret.rstrip("\0")) if colon else None
