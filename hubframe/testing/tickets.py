"""Bearer tokens that a service hands out and knows again until they expire."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hubframe.testing import gojson


@dataclass(frozen=True)
class Ticket:
    """What a token stands for."""

    account: str | None
    scopes: frozenset[str]
    expires_at: float


class Tickets:
    """The tokens of one service; another service's tokens mean nothing to it."""

    def __init__(self, clock: Callable[[], float], life: int) -> None:
        self.clock = clock
        self.life = life
        self._known: dict[str, Ticket] = {}

    def issue(
        self,
        account: str | None,
        scopes: frozenset[str] = frozenset(),
        claims: dict[str, Any] | None = None,
    ) -> str:
        """Return a new token: three parts, like a JWT, with claims that can be read."""
        now = self.clock()
        stamps = {"iat": int(now), "exp": int(now) + self.life}
        parts = (
            gojson.encode({"alg": "none", "typ": "JWT"}),
            gojson.encode({**(claims or {}), **stamps}),
            secrets.token_bytes(24),
        )
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        self._known[token] = Ticket(account, scopes, now + self.life)
        return token

    def find(self, token: str) -> Ticket | None:
        """Return what the token stands for, or None where it is unknown or has expired."""
        ticket = self._known.get(token)
        return ticket if ticket and self.clock() < ticket.expires_at else None
