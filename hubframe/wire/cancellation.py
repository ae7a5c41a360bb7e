"""Cancellation: work that nobody wants any more ends, also where it waits.

Threads cannot be interrupted from outside, so waiting threads look whether they are cancelled.
A context variable carries that into the threads of a call.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self

logger = logging.getLogger(__name__)

# Shorter waits are nobody's business. [seconds]
_WORTH_SAYING = 1.5
# How often a parent is looked at. [seconds]
_GLANCE = 0.2


class CancelledError(Exception):
    """The work was cancelled: nobody waits for its outcome any more."""


class Cancellation:
    """Whether work goes on, and where to say that it waits.

    It ends with any of its parents, and `tell` shows a few words where the progress is shown.
    """

    def __init__(self, *parents: Self | None) -> None:
        self._parents = parents
        self.event = threading.Event()
        self.tell: Callable[[str], object] = lambda _: None

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants the outcome any more."""
        return self.event.is_set() or any(one and one.is_cancelled for one in self._parents)

    def cancel(self) -> None:
        """End the work."""
        self.event.set()


_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


@contextmanager
def having(cancellation: Cancellation) -> Iterator[None]:
    """Go on only while it is not cancelled, inside."""
    token = _current.set(cancellation)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Cancellation | None:
    """Return what ends the work of this thread."""
    return _current.get()


def check() -> None:
    """Go on only if somebody wants the outcome, or raise `CancelledError`."""
    cancellation = _current.get()
    if cancellation is not None and cancellation.is_cancelled:
        raise CancelledError


def wait(seconds: float, why: str = "") -> None:
    """Wait, and say why where it takes more than a moment.

    `CancelledError` ends the wait at once where nobody wants the outcome any more.
    """
    cancellation = _current.get() or Cancellation()
    is_said = bool(why) and seconds >= _WORTH_SAYING
    if is_said:
        logger.warning("%s; waiting %.0f s", why, seconds)
        cancellation.tell(f"waiting {seconds:.0f} s")
    pause(seconds, cancellation)
    if is_said:
        cancellation.tell("")
    check()


def pause(seconds: float, cancellation: Cancellation) -> None:
    """Let time pass until it is cancelled; an interrupt in the main thread ends it, too."""
    ends = time.monotonic() + seconds
    while not cancellation.is_cancelled and (left := ends - time.monotonic()) > 0:
        cancellation.event.wait(min(left, _GLANCE))
