"""What the Hub and the registries have in common: routes, refusals, bearer tokens, counts."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import ClassVar

from hubframe.testing.message import Reply, Request
from hubframe.testing.world import World

Clock = Callable[[], float]
Handler = Callable[..., Reply]


class HttpError(Exception):
    """An answer that ends the work on a request."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"status {reply.status}")
        self.reply = reply


class Routes(list[tuple[str, tuple[str, ...], Handler]]):
    """Which method of a service answers which path; of those that match, the first.

    Paths are regular expressions over all of a path; their named groups become arguments.
    """

    def add(self, path: str, *methods: str) -> Callable[[Handler], Handler]:
        """Add a route; without methods, for GET and HEAD."""

        def decorate(handler: Handler) -> Handler:
            self.append((path, methods or ("GET", "HEAD"), handler))
            return handler

        return decorate


@dataclass(frozen=True)
class Grant:
    """What a token stands for."""

    account: str | None
    scopes: frozenset[str]
    expires_at: float


@dataclass
class Service:
    """Answers for one host, with tokens that mean nothing to another."""

    world: World
    clock: Clock  # the time, in seconds since 1970
    # What each token that was issued stands for.
    tokens: dict[str, Grant] = field(default_factory=dict, init=False)

    routes: ClassVar[Routes]
    unrouted: ClassVar[Reply]
    token_life: ClassVar[int]

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        for path, methods, handler in self.routes:
            match = re.fullmatch(path, request.path)
            if match and request.method in methods:
                try:
                    return handler(self, request, **match.groupdict())
                except HttpError as error:
                    return error.reply
        return self.unrouted

    def issue(self, account: str | None, scopes: frozenset[str] = frozenset()) -> str:
        """Return a new token: three parts, in the form of a JWT."""
        token = f"eyJhbGciOiJub25lIn0.{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(24)}"
        self.tokens[token] = Grant(account, scopes, self.clock() + self.token_life)
        return token

    def grant(self, request: Request) -> Grant | None:
        """Return what a request's token stands for; None: none, unknown, or expired."""
        scheme, _, token = request.headers.value("Authorization").partition(" ")
        found = self.tokens.get(token) if scheme.lower() in {"bearer", "jwt"} else None
        return found if found and self.clock() < found.expires_at else None


@dataclass
class Counter:
    """Counts each caller's requests in windows of time that begin with the first of them."""

    clock: Clock
    window: int
    _counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, caller: str = "", more: int = 1) -> tuple[int, int]:
        """Add requests; return how many the window has, and when it ends."""
        with self._lock:
            now = self.clock()
            count, ends_at = self._counts.get(caller, (0, 0))
            if now >= ends_at:
                count, ends_at = 0, int(now) + self.window
            self._counts[caller] = count + more, ends_at
            return self._counts[caller]
