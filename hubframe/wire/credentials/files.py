"""The files in which Docker and podman keep logins: where they are, and what their entries mean.

No function that raises holds a file's content in a variable: some tracebacks show variables.
"""

import base64
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubframe.errors import CredentialsError
from hubframe.oci.reference import DOCKER_HUB, HUB_ALIASES
from hubframe.wire.credentials.credential import Credential, is_text, is_token

VARIABLE = "DOCKER_AUTH_CONFIG"
# The name under which Docker files its Hub's logins.
HUB_KEY = "https://index.docker.io/v1/"
# Docker keeps these beside the Hub's login: they log in to an application, not to a registry.
_OTHER_LOGINS = ("/access-token", "/refresh-token")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A place that may hold logins.

    Attributes
    ----------
    source
        Its name, for messages.
    path
        The file; None for the variable.
    text
        The variable's text.
    is_flat
        Whether it is a ``.dockercfg``, which holds entries and nothing else.
    """

    source: str
    path: Path | None = None
    text: str = field(default="", repr=False)
    is_flat: bool = False

    def load(self) -> "AuthFile":
        """Read the place; where there is no file there is no login.

        Raises
        ------
        CredentialsError
            It cannot be read, or does not hold what it should.
        """
        content = _Content(self.text if self.path is None else _read(self.path, self.source))
        problem = content.problem(is_flat=self.is_flat)
        if problem:
            raise CredentialsError(f"{self.source} {problem}; {_ADVICE}")
        return content.understood(self.source, is_flat=self.is_flat)


_ADVICE = "repair it, or ask anonymously with Client(credentials=False)"


@dataclass(frozen=True)
class AuthFile:
    """What a place holds: logins by registry or namespace, and the names of helpers.

    Attributes
    ----------
    source
        The place's name, for messages.
    logins
        Logins by ``host`` or ``host/namespace``.
    helpers
        Names of credential helpers by host.
    store
        The helper for hosts that have none of their own; empty for none.
    """

    source: str
    logins: Mapping[str, Credential]
    helpers: Mapping[str, str]
    store: str

    def helper(self, registry: str) -> str:
        """Return the name of the helper that keeps a registry's login; empty for none."""
        return self.helpers.get(registry.lower()) or self.store

    def find(self, registry: str, path: str) -> Credential | None:
        """Return the login for a repository: of the longest name that has one."""
        found = (self.logins.get(key) for key in keys(registry, path))
        return next((login for login in found if login), None)


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


def places(environment: Mapping[str, str]) -> list[Place]:
    """List the places that may hold logins, those first that win."""
    variable = environment.get(VARIABLE, "")
    found = [Place(VARIABLE, text=variable)] if variable.strip() else []
    found += [Place(_shown(path), path) for path in _paths(environment)]
    home = _home()
    legacy = [Place("~/.dockercfg", home / ".dockercfg", is_flat=True)] if home else []
    return found + legacy


def _paths(environment: Mapping[str, str]) -> Iterable[Path]:
    home = _home()
    chosen = environment.get("REGISTRY_AUTH_FILE")
    config = environment.get("XDG_CONFIG_HOME") or (home and home / ".config")
    docker = environment.get("DOCKER_CONFIG") or (home and home / ".docker")
    paths = [
        chosen and Path(chosen),
        _runtime(environment, home),
        config and Path(config) / "containers" / "auth.json",
        docker and Path(docker) / "config.json",
    ]
    return dict.fromkeys(path for path in paths if path)


def _runtime(environment: Mapping[str, str], home: Path | None) -> Path | None:
    """Return where podman keeps logins until the machine is switched off; on Linux only."""
    if not sys.platform.startswith("linux"):
        return home and home / ".config" / "containers" / "auth.json"
    folder = environment.get("XDG_RUNTIME_DIR")
    base = Path(folder, "containers") if folder else Path("/run/containers", str(os.getuid()))
    return base / "auth.json"


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _shown(path: Path) -> str:
    home = _home()
    if home and path.is_relative_to(home):
        return f"~/{path.relative_to(home).as_posix()}"
    return str(path)


def _read(path: Path, source: str) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise CredentialsError(f"{source} cannot be read: {reason}; {_ADVICE}")


class _Content:
    """What a place holds, read as JSON; it shows nothing of it."""

    def __init__(self, content: str | bytes) -> None:
        try:
            text = content if isinstance(content, str) else content.decode("utf-8-sig")
            # Nothing at all is an empty object: Docker takes it so.
            self._document: Any = json.loads(text) if text.strip() else {}
            self._is_json = True
        except (ValueError, RecursionError):
            self._is_json = False

    def problem(self, *, is_flat: bool) -> str:
        """Say what is wrong with the shape, of the parts that matter here; empty for nothing."""
        if not self._is_json:
            return "is not JSON"
        if not isinstance(self._document, dict):
            return "does not hold a JSON object"
        names = () if is_flat else ("auths", "credHelpers")
        bad = [name for name in names if not isinstance(self._section(name), dict)]
        return f"holds {bad[0]} that are no JSON object" if bad else ""

    def understood(self, source: str, *, is_flat: bool) -> AuthFile:
        """Return the logins and helpers."""
        if is_flat:
            return AuthFile(source, _logins(self._document, source, is_flat=True), {}, "")
        store = self._document.get("credsStore")
        return AuthFile(
            source,
            _logins(self._section("auths"), source),
            _helpers(self._section("credHelpers")),
            store if isinstance(store, str) else "",
        )

    def _section(self, name: str) -> Any:
        return self._document.get(name) or {}


def _helpers(section: Mapping[str, Any]) -> dict[str, str]:
    names = ((_canonical(key), name) for key, name in section.items())
    return {key: name for key, name in names if key and isinstance(name, str) and name}


def _logins(
    auths: Mapping[str, Any], source: str, *, is_flat: bool = False
) -> dict[str, Credential]:
    """Read the entries; where two mean the same registry, the one that names it plainly wins."""
    found: dict[str, Credential] = {}
    for key in sorted(auths, key=lambda key: key not in (HUB_KEY, _canonical(key))):
        name = _canonical(key, is_flat=is_flat)
        login = _login(auths[key], f"{source} ({name})") if name else None
        if name and login:
            found.setdefault(name, login)
    return found


def _canonical(key: str, *, is_flat: bool = False) -> str | None:
    """Return the registry or namespace that a key means; None where it is no registry's.

    Old versions of Docker wrote addresses; of these only the host counts.
    """
    if key.endswith(_OTHER_LOGINS):
        return None
    name = _SCHEME.sub("", key, count=1)
    is_address = is_flat or name != key or name.endswith("/")
    host, _, path = name.partition("/")
    host = DOCKER_HUB if host.lower() in HUB_ALIASES else host.lower()
    return f"{host}/{path}" if path and not is_address else host


def _login(entry: Any, source: str) -> Credential | None:
    """Read an entry; a bad one is none, and helpers leave empty ones behind."""
    if not isinstance(entry, dict):
        return None
    pair = _pair(entry)
    identity, bearer = (entry.get(name) or "" for name in ("identitytoken", "registrytoken"))
    if pair is None or not is_text(identity) or not (bearer == "" or is_token(bearer)):
        return None
    username, secret = pair
    is_whole = bool(username and secret) or identity or bearer
    return Credential(username, secret, source, identity, bearer) if is_whole else None


def _pair(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return user name and secret; None where they are spoilt. ``auth`` wins over the two."""
    encoded = entry.get("auth")
    if encoded:
        return _decoded(encoded)
    username, secret = (entry.get(name) or "" for name in ("username", "password"))
    return (username, secret) if is_text(username) and is_text(secret) else None


def _decoded(encoded: Any) -> tuple[str, str] | None:
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (TypeError, ValueError):
        return None
    username, colon, secret = pair.partition(":")
    # Old versions of Docker filled the text up with NULs.
    return (username, secret.rstrip("\0")) if colon else None
