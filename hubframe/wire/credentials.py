"""Who asks: user names and secrets, and where they were found. Nothing here is ever printed."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hubframe.errors import CredentialsError
from hubframe.reference import DOCKER_HUB, parse_registry

Pair = tuple[str, str]
Given = Pair | Mapping[str, Pair] | None


@dataclass(frozen=True)
class Credential:
    """A user name with its password or token, and the place that they come from."""

    username: str
    secret: str = field(repr=False)
    source: str

    @cached_property
    def identity(self) -> str:
        """What tells this login's cached answers from another's.

        It depends on the secret too, so that a wrong password is never served a right one's
        answers; a slow hash keeps the cache's keys from helping anybody to guess it.
        """
        salt = f"hubframe:{self.username}".encode()
        return hashlib.scrypt(self.secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16).hex()


class Credentials:
    """The credentials at hand, by registry: those given first, then the environment's.

    Parameters
    ----------
    given
        A pair of user name and secret for Docker Hub, or such pairs by registry.
    environment
        Where ``DOCKER_USERNAME`` and ``DOCKER_PASSWORD`` are looked for.
    """

    def __init__(self, given: Given = None, environment: Mapping[str, str] | None = None) -> None:
        self._given = {
            parse_registry(registry): _credential(pair, "Client(credentials=…)")
            for registry, pair in _by_registry(given).items()
        }
        self._environment = os.environ if environment is None else environment

    def find(self, registry: str) -> Credential | None:
        """Return the credential for a registry, or None to ask anonymously."""
        return self._given.get(registry) or self._from_environment(registry)

    def __repr__(self) -> str:
        return f"<Credentials for {', '.join(self._given) or 'no registry'}>"

    def _from_environment(self, registry: str) -> Credential | None:
        if registry != DOCKER_HUB:
            return None
        username = self._environment.get("DOCKER_USERNAME", "")
        secret = self._environment.get("DOCKER_PASSWORD", "")
        if bool(username) != bool(secret):
            missing = "DOCKER_PASSWORD" if username else "DOCKER_USERNAME"
            raise CredentialsError(f"{missing} is not set, though its partner is: set both or none")
        return (
            Credential(username, secret, "DOCKER_USERNAME and DOCKER_PASSWORD")
            if username
            else None
        )


def _by_registry(given: Given) -> Mapping[str, Pair]:
    if given is None:
        return {}
    return given if isinstance(given, Mapping) else {DOCKER_HUB: given}


def _credential(pair: Pair, source: str) -> Credential:
    """Check without showing: a wrong value may hold the secret."""
    if (
        not isinstance(pair, tuple | list)
        or len(pair) != 2  # noqa: PLR2004
        or not all(isinstance(part, str) and part for part in pair)
    ):
        raise CredentialsError(f"{source}: expected a pair of user name and secret, both not empty")
    return Credential(pair[0], pair[1], source)
