"""Cancellation: work that nobody wants any more ends, also where it waits.

Threads cannot be interrupted from outside, so whoever waits looks whether the work was called
off. A context variable carries that into the threads of a call.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

# Shorter waits are nobody's business. [seconds]
_WORTH_SAYING = 1.5


class CancelledError(Exception):
    """The work was cancelled: nobody waits for its outcome any more."""


@dataclass
class Cancellation:
    """Whether work goes on, and whom to tell that it waits.

    Attributes
    ----------
    cancelled
        Set once nobody wants the outcome any more.
    tell
        Shows a few words where the progress is shown.
    """

    cancelled: threading.Event = field(default_factory=threading.Event)
    tell: Callable[[str], object] = lambda _: None


_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


@contextmanager
def having(cancellation: Cancellation) -> Iterator[None]:
    """Wait as said, inside."""
    token = _current.set(cancellation)
    try:
        yield
    finally:
        _current.reset(token)


def is_cancelled() -> bool:
    """Tell whether nobody wants the outcome any more."""
    cancellation = _current.get()
    return cancellation is not None and cancellation.cancelled.is_set()


def check() -> None:
    """Go on only if somebody wants the outcome.

    Raises
    ------
    CancelledError
        Nobody does.
    """
    if is_cancelled():
        raise CancelledError


def wait(seconds: float, why: str = "") -> None:
    """Wait, and say so where it takes more than a moment.

    Raises
    ------
    CancelledError
        Nobody wants the outcome any more; the wait ends at once.
    """
    cancellation = _current.get() or Cancellation()
    is_said = bool(why) and seconds >= _WORTH_SAYING
    if is_said:
        logger.warning("%s; waiting %.0f s", why, seconds)
        cancellation.tell(f"waiting {seconds:.0f} s")
    pause(seconds, cancellation.cancelled)
    if is_said:
        cancellation.tell("")
    check()


def pause(seconds: float, until: threading.Event) -> None:
    """Let time pass; an interrupt in the main thread ends it, too."""
    until.wait(seconds)
