"""Looking on from another thread at what calls do, and cancelling them.

A terminal interrupts its program; a window with a button needs another way to say so.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self

from hubframe.wire import cancellation
from hubframe.wire.cancellation import Cancellation, CancelledError

__all__ = ["CancelledError", "Tell", "Watch", "current"]

Tell = Callable[[str, int, int, str], object]


class Watch:
    """Calls that are made inside ``with watch.on():`` tell it how far they are, and can be ended.

    Parameters
    ----------
    tell
        Called by the thread of the calls, at each step, with a title, how much is done, how much
        there is, and a note such as ``waiting 30 s``.
    """

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self._cancellation = Cancellation()

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants the outcome any more."""
        return self._cancellation.is_cancelled

    def cancel(self) -> None:
        """End the calls: they raise `CancelledError` at once; what was fetched is kept."""
        self._cancellation.cancel()

    @contextmanager
    def on(self) -> Iterator[Self]:
        """Watch the calls of this thread."""
        token = _watch.set(self)
        try:
            with cancellation.having(self._cancellation):
                yield self
        finally:
            _watch.reset(token)


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def current() -> Watch | None:
    """Return who looks at the calls of this thread."""
    return _watch.get()
