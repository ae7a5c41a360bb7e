"""The search for a login: what was given, then the environment, then files and their helpers."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from threading import Lock
from typing import Any, Literal

from hubframe.errors import CredentialsError, InvalidReferenceError
from hubframe.oci.reference import DOCKER_HUB, ImageReference, parse_registry
from hubframe.wire.credentials.credential import Credential, Sealed, is_text
from hubframe.wire.credentials.files import HUB_KEY, AuthFile, keys, places
from hubframe.wire.credentials.helpers import Helper

Pair = tuple[str, str]
Given = Pair | Mapping[str, Pair | Literal[False]] | Literal[False] | None

GIVEN = "Client(credentials=…)"
VARIABLES = "DOCKER_USERNAME and DOCKER_PASSWORD"
# A failure serves all threads of a call, and is forgotten before somebody who has put it right
# tries again. [seconds]
FAILURE_LIFE = 10.0


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
        self._found: dict[tuple[str, str], Credential | None] = {}
        self._helped: dict[tuple[str, str], Credential | None] = {}
        self._failures: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, Lock] = {}

    def __repr__(self) -> str:
        return f"<Credentials for {', '.join(self._given) or 'no registry'}>"

    def find(self, registry: str, path: str = "") -> Credential | None:
        """Return the login for a repository, or for a registry as a whole; None for anonymous.

        Raises
        ------
        CredentialsError
            A file or helper on the way to it failed.
        """
        if (registry, path) in self._found:
            return self._found[registry, path]
        with self._locks.setdefault(registry, Lock()):
            if (registry, path) not in self._found:
                self._found[registry, path] = self._searched(registry, path)
            return self._found[registry, path]

    def for_hub_api(self) -> Credential | None:
        """Return the login for the Docker Hub API, which takes no identity tokens."""
        login = self.find(DOCKER_HUB)
        return login if login and login.is_pair else None

    def _searched(self, registry: str, path: str) -> Credential | None:
        message, until = self._failures.get(registry, ("", 0.0))
        if message and time.monotonic() < until:
            raise CredentialsError(message)
        try:
            return self._search(registry, path)
        except CredentialsError as error:
            self._failures[registry] = (str(error), time.monotonic() + FAILURE_LIFE)
            raise

    def _search(self, registry: str, path: str) -> Credential | None:
        if self._is_anonymous:
            return None
        for key in keys(registry, path):
            if key in self._given:
                return self._given[key]
        found = self._from_variables() if registry == DOCKER_HUB else None
        return found or next(self._from_files(registry, path), None)

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

    def _from_files(self, registry: str, path: str) -> Iterator[Credential]:
        """Yield what files hold, those first that win; in each its helper goes before it."""
        for load in self._places:
            file = load()
            for login in (self._from_helper(file, registry), file.find(registry, path)):
                if login:
                    yield login

    def _from_helper(self, file: AuthFile, registry: str) -> Credential | None:
        name = file.helper(registry)
        if not name:
            return None
        server = HUB_KEY if registry == DOCKER_HUB else registry
        if (name, server) not in self._helped:
            self._helped[name, server] = Helper(name, file.source).get(server)
        return self._helped[name, server]

    @cached_property
    def _places(self) -> list[Callable[[], AuthFile]]:
        """What reads each place, once."""
        found = places(self._environment) if self._has_files else []
        return [cache(place.load) for place in found]


def _by_key(given: Sealed) -> dict[str, Credential | None]:
    """Check what was given, and name it as it is looked up."""
    if given.value is None or given.value is False:
        return {}
    pairs = given.value if isinstance(given.value, Mapping) else {DOCKER_HUB: given.value}
    sealed = {name: Sealed(pair) for name, pair in pairs.items()}
    del pairs
    return {_key(name): _credential(pair) for name, pair in sealed.items()}


def _key(name: str) -> str:
    host, slash, path = str(name).partition("/")
    registry = parse_registry(host)
    if slash and ImageReference.parse(name).tag is not None:
        raise InvalidReferenceError(f"{name!r}: logins are for registries and what lies in them")
    return f"{registry.lower()}{slash}{path}"


def _credential(pair: Sealed) -> Credential | None:
    """Check without showing: a wrong value may hold the secret."""
    if pair.value is False:
        return None
    if not _is_pair(pair.value):
        raise CredentialsError(f"{GIVEN}: expected a pair of user name and secret, both not empty")
    return Credential(pair.value[0], pair.value[1], GIVEN)


def _is_pair(value: Any) -> bool:
    is_two = isinstance(value, tuple | list) and len(value) == 2  # noqa: PLR2004
    return is_two and all(is_text(part) and part for part in value)
