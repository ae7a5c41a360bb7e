"""Waiting that people are told of and can cut short.

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


class CalledOffError(Exception):
    """The work was called off: nobody waits for its outcome any more."""


@dataclass
class Patience:
    """Whether work goes on, and whom to tell that it waits.

    Attributes
    ----------
    called_off
        Set once nobody wants the outcome any more.
    tell
        Shows a few words where the progress is shown.
    """

    called_off: threading.Event = field(default_factory=threading.Event)
    tell: Callable[[str], object] = lambda _: None


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def having(patience: Patience) -> Iterator[None]:
    """Wait as said, inside."""
    token = _patience.set(patience)
    try:
        yield
    finally:
        _patience.reset(token)


def is_called_off() -> bool:
    """Tell whether nobody wants the outcome any more."""
    patience = _patience.get()
    return patience is not None and patience.called_off.is_set()


def check() -> None:
    """Go on only if somebody wants the outcome.

    Raises
    ------
    CalledOffError
        Nobody does.
    """
    if is_called_off():
        raise CalledOffError


def wait(seconds: float, why: str = "") -> None:
    """Wait, and say so where it takes more than a moment.

    Raises
    ------
    CalledOffError
        Nobody wants the outcome any more; the wait ends at once.
    """
    patience = _patience.get() or Patience()
    is_said = bool(why) and seconds >= _WORTH_SAYING
    if is_said:
        logger.warning("%s; waiting %.0f s", why, seconds)
        patience.tell(f"waiting {seconds:.0f} s")
    pause(seconds, patience.called_off)
    if is_said:
        patience.tell("")
    check()


def pause(seconds: float, until: threading.Event) -> None:
    """Let time pass; an interrupt in the main thread ends it, too."""
    until.wait(seconds)
