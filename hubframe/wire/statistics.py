"""What one call did: requests sent, answers from the cache, and how it may use the network.

A context variable carries it into the threads of the call; nothing else needs to pass it on.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

# Here: what is fresh in the cache, and nothing else.
Mode = Literal["usual", "offline", "refresh", "here"]


@dataclass
class Statistics:
    """Counts of one call; all threads of the call add to it."""

    requests: int = 0
    from_cache: int = 0
    stale: int = 0
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(
        self,
        *,
        requests: int = 0,
        from_cache: int = 0,
        stale: int = 0,
        fetched_at: datetime | None = None,
    ) -> None:
        """Count, and remember when the oldest answer was fetched."""
        with self._lock:
            self.requests += requests
            self.from_cache += from_cache
            self.stale += stale
            self.fetched_at = min(self.fetched_at, fetched_at or self.fetched_at)


_current: ContextVar[Statistics | None] = ContextVar("statistics", default=None)
_mode: ContextVar[Mode] = ContextVar("mode", default="usual")


@contextmanager
def counting() -> Iterator[Statistics]:
    """Count what happens inside."""
    statistics = Statistics()
    token = _current.set(statistics)
    try:
        yield statistics
    finally:
        _current.reset(token)


@contextmanager
def using(mode: Mode) -> Iterator[None]:
    """Use the network as said, inside."""
    token = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(token)


def mode() -> Mode:
    """Return how the network may be used."""
    return _mode.get()


def current() -> Statistics | None:
    """Return the counts of the call that this is done for."""
    return _current.get()


def count_request() -> None:
    """Count a request that leaves this machine."""
    if statistics := _current.get():
        statistics.add(requests=1)


def count_cached(count: int = 1, *, fetched_at: datetime | None = None, stale: int = 0) -> None:
    """Count answers from the cache, and those of them that are no longer fresh."""
    if statistics := _current.get():
        statistics.add(from_cache=count, stale=stale, fetched_at=fetched_at)
