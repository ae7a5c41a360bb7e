"""How many requests a host gets at once, and when: as many as it bears, found by trying.

There is no fixed rate. The window of requests in flight begins at 64 and is threefold after each
round of answers while these come as quickly as at first, up to ``Settings.workers``; then it grows
by one a round. It is halved when the host refuses (429, 503), does not answer, or answers more and
more slowly: additive increase, multiplicative decrease, as TCP does it. Where the host's headers
say that no request is left, all wait for the next minute. Answers from the cache never come here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING

from hubframe.wire import cancellation
from hubframe.wire.limits import resets_in, whole

if TYPE_CHECKING:
    from requests import Response

# The longest wait that is waited; longer ones are an error for the caller to decide about. [s]
LONGEST_WAIT = 75.0
# How long a refused pull speaks for the pulls after it, where the refusal does not say. [s]
_REFUSED_FOR = 60.0
# How often a waiting request looks whether it is still wanted. [s]
_GLANCE = 0.2
# Two ends of a minute that are one. [s]
_ALIKE = 2
# How many requests are in flight at first: with 16, 500 tags 100 ms away take a quarter longer, and
# the pages of 5,000 tags of the Hub come in three rounds, not one.
START = 64
# Slowness alone never makes it fewer than these.
_FEWEST_SLOW = 16
# How much an answer adds to them at the start: with 1 a host 100 ms away is read 9 % slower.
_START_STEP = 2.0
# How much longer than at best a quick answer may take before the host has too much to do.
_SLOWER = 2.0


class RateLimiter:
    """The requests of one host, shared by all threads: so many (`most`) in flight at most."""

    def __init__(self, host: str, most: int) -> None:
        self._host = host
        self._most = most
        self._changed = threading.Condition()
        self._in_flight = 0
        self._window = float(min(START, most))
        self._is_starting = True
        # What the answers of this round took, and what those of the best round did. [seconds]
        self._round: list[float] = []
        self._best = float("inf")
        self._not_before = 0.0
        self._said = 0.0
        # What is left of the minute that the host tells of, and when that ends.
        self._left: int | None = None
        self._minute_ends = 0.0
        self._refusal: tuple[Response, float] | None = None
        # Whether the last that was seen of it is that it cannot be reached; and when it answered.
        self.is_down = False
        self.heard = 0.0

    @property
    def window(self) -> int:
        """How many requests may be in flight now."""
        return max(1, int(self._window))

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Wait until a request may be sent, and count it until it is answered.

        `CancelledError` ends the wait where nobody wants the outcome any more.
        """
        waited = 0.0
        while True:
            with self._changed:
                while self._in_flight >= self.window:
                    self._changed.wait(_GLANCE)
                    cancellation.check()
                until, why = self._due()
                wait = until - time.monotonic()
                # What was waited for once is over, whatever the clock says.
                if wait <= 0 or until <= waited:
                    self._in_flight += 1
                    self._left = None if self._left is None else self._left - 1
                    break
                is_news, self._said = until > self._said, max(until, self._said)
            cancellation.wait(wait, why if is_news else "")
            waited = until
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def learn(self, headers: Mapping[str, str], seconds: float, *, is_refusal: bool) -> None:
        """Take note of an answer: it tells what is left, and how much the host bears."""
        reported = whole(headers.get("X-RateLimit-Remaining"))
        wait = None if reported is None else resets_in(headers)
        with self._changed:
            self.is_down = False
            self.heard = time.monotonic()
            if reported is not None and wait is not None:
                self._count(reported, time.monotonic() + min(wait, LONGEST_WAIT))
            if not is_refusal:
                self._grow(seconds)

    def slow_down(self, wait: float) -> None:
        """Let everybody wait, and half as many go at once from then on."""
        with self._changed:
            is_news = time.monotonic() >= self._not_before
            self._not_before = max(self._not_before, time.monotonic() + wait)
            # Of the many that are refused together, one speaks for all.
            if is_news:
                self._halve()

    def back_off(self) -> None:
        """Let half as many go at once: the host did not answer, or said that it is in trouble."""
        with self._changed:
            # The others of the same round say the same.
            if not self._is_starting and len(self._round) < self._in_flight:
                return
            self._halve()

    def _halve(self) -> None:
        self._window = max(1.0, min(self._window, self._in_flight or self._window) / 2)
        self._is_starting, self._round = False, []

    def _grow(self, seconds: float) -> None:
        """Grow the window by an answer, and look at the end of each round how long they took."""
        self._round.append(seconds)
        is_full = self._in_flight >= self.window
        if len(self._round) >= self.window:
            # New connections take longer, so the quicker ones tell.
            quick = sorted(self._round)[len(self._round) // 4]
            self._best = min(self._best, quick)
            self._round = []
            if quick > _SLOWER * self._best and self._window > _FEWEST_SLOW:
                self._window = max(_FEWEST_SLOW, self._window / 2)
                self._is_starting = False
                return
        if is_full:
            step = _START_STEP if self._is_starting else 1 / self._window
            self._window = min(self._most, self._window + step)

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

    def _due(self) -> tuple[float, str]:
        """Return when the next request may go, and why not before."""
        now = time.monotonic()
        if self._left is not None and now >= self._minute_ends:
            self._left = None
        if self._not_before > now:
            return self._not_before, f"{self._host} asks to slow down"
        if self._left is not None and self._left <= 0:
            return self._minute_ends, f"{self._host} allows no more requests this minute"
        return 0.0, ""

    def _count(self, reported: int, ends: float) -> None:
        """Within a window answers overtake one another: the least that was reported is true."""
        is_same = self._left is not None and abs(ends - self._minute_ends) < _ALIKE
        left = reported - (self._in_flight - 1)
        self._left = min(self._left, reported) if is_same and self._left is not None else left
        self._minute_ends = ends
