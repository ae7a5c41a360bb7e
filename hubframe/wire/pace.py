"""How fast a host is asked: as fast as it lets us, and no faster.

There is no fixed rate. Requests go out as they come while the host's headers leave room; where
none is left they wait for the next window, and after a 429 all of them wait together, then fewer
go at once, and more again with every answer. Answers from the cache never come here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING

from hubframe.wire import patience
from hubframe.wire.limits import resets_in

if TYPE_CHECKING:
    from requests import Response

# The longest wait that is waited; longer ones are an error for the caller to decide about. [s]
LONGEST_WAIT = 75.0
# How long a refused pull speaks for the pulls after it, where the refusal does not say. [s]
_REFUSED_FOR = 60.0
# How often whoever waits for its turn looks whether it is still wanted. [s]
_GLANCE = 0.2


class Pace:
    """The pace of one host, shared by all threads.

    Parameters
    ----------
    host
        Its name, for messages.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._turns = threading.Condition()
        self._under_way = 0
        # How many may be under way; None for as many as come.
        self._most: float | None = None
        self._not_before = 0.0
        self._said = 0.0
        # What is left of the window that the host tells of, and when that ends.
        self._left: int | None = None
        self._window_ends = 0.0
        self._refusal: tuple[Response, float] | None = None
        # Whether the last that was seen of it is that it cannot be reached; and when it answered.
        self.is_down = False
        self.heard = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it.

        Raises
        ------
        CalledOffError
            Nobody wants the outcome any more.
        """
        self._take()
        try:
            yield
        finally:
            with self._turns:
                self._under_way -= 1
                self._turns.notify()

    def learn(self, headers: Mapping[str, str], *, is_refusal: bool) -> None:
        """Take note of an answer: it tells what is left, and leaves room for more."""
        told = _number(headers.get("X-RateLimit-Remaining"))
        wait = None if told is None else resets_in(headers)
        with self._turns:
            self.is_down = False
            self.heard = time.monotonic()
            if told is not None and wait is not None:
                self._count(told, time.monotonic() + min(wait, LONGEST_WAIT))
            if self._most is not None and not is_refusal:
                # One more for each round of answers, until nobody waits any more.
                self._most += 1 / self._most
                self._most = self._most if self._most <= 2 * self._under_way else None

    def slow_down(self, wait: float) -> None:
        """Let everybody wait, and half as many go at once from then on."""
        with self._turns:
            is_news = time.monotonic() >= self._not_before
            self._not_before = max(self._not_before, time.monotonic() + wait)
            if is_news:
                # Of the many that are refused together, one speaks for all.
                at_once = self._under_way if self._most is None else self._most
                self._most = max(1.0, at_once / 2)

    def refuse_pulls(self, refusal: Response, wait: float | None) -> None:
        """Remember that no pull is left: asking for each of a thousand more is abuse."""
        ends = time.monotonic() + (_REFUSED_FOR if wait is None else wait)
        self._refusal = (refusal, ends)

    def allow_pulls(self) -> None:
        """Forget it: the host was heard to say that there are some."""
        self._refusal = None

    @property
    def refusal(self) -> Response | None:
        """What the last pull was refused with, while that holds."""
        if self._refusal is None or time.monotonic() >= self._refusal[1]:
            return None
        return copy(self._refusal[0])

    def _take(self) -> None:
        """Wait until there is room, for the host's patience and for its window."""
        waited = 0.0
        while True:
            with self._turns:
                self._wait_for_room()
                until, why = self._due()
                wait = until - time.monotonic()
                # What was waited for once is over, whatever the clock says.
                if wait <= 0 or until <= waited:
                    self._under_way += 1
                    self._left = None if self._left is None else self._left - 1
                    return
                is_news, self._said = until > self._said, max(until, self._said)
            patience.wait(wait, why if is_news else "")
            waited = until

    def _wait_for_room(self) -> None:
        while self._most is not None and self._under_way >= max(1.0, self._most):
            self._turns.wait(_GLANCE)
            patience.check()

    def _due(self) -> tuple[float, str]:
        """Return when the next request may go, and why not before."""
        now = time.monotonic()
        if self._left is not None and now >= self._window_ends:
            self._left = None
        if self._not_before > now:
            return self._not_before, f"{self._host} asks to slow down"
        if self._left is not None and self._left <= 0:
            return self._window_ends, f"{self._host} allows no more requests this minute"
        return 0.0, ""

    def _count(self, told: int, ends: float) -> None:
        """Within a window answers overtake one another: the least that was told is true."""
        is_same = self._left is not None and abs(ends - self._window_ends) < 2  # noqa: PLR2004
        left = told - (self._under_way - 1)
        self._left = min(self._left, told) if is_same and self._left is not None else left
        self._window_ends = ends


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004
