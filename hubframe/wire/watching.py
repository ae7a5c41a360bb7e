"""Looking on from another thread at what calls do, and calling them off.

A terminal interrupts its program; a window with a button needs another way to say so.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self

from hubframe.wire import cancellation
from hubframe.wire.cancellation import Cancellation, CancelledError
from hubframe.wire.pool import Pool
from hubframe.wire.progress import Bar

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
        self._tell = tell
        self._cancellation = Cancellation()
        self._pools: dict[Pool, None] = {}

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants the outcome any more."""
        return self._cancellation.cancelled.is_set()

    def cancel(self) -> None:
        """End the calls: they raise `CancelledError` at once; what was fetched is kept."""
        self._cancellation.cancelled.set()
        for pool in tuple(self._pools):
            pool.interrupt(CancelledError())

    @contextmanager
    def on(self) -> Iterator[Self]:
        """Watch the calls of this thread."""
        token = _watch.set(self)
        try:
            with cancellation.having(self._cancellation):
                yield self
        finally:
            _watch.reset(token)

    @contextmanager
    def bar(self, pool: Pool, total: int, title: str) -> Iterator[Bar]:
        """Return the bar that shows the work of a pool, which is ended where the calls are."""
        self._pools[pool] = None
        try:
            cancellation.check()
            yield _Watched(lambda count, note: self._tell(title, count, total, note))
        finally:
            del self._pools[pool]


class _Watched(Bar):
    """A bar that somebody looks at from another thread."""

    def __init__(self, tell: Callable[[int, str], object]) -> None:
        self._tell = tell
        tell(0, "")

    def update(self) -> None:
        cancellation.check()
        super().update()
        self._tell(self.n, "")

    def set_postfix_str(self, text: str) -> None:
        self._tell(self.n, text)


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def current() -> Watch | None:
    """Return who looks at the calls of this thread."""
    return _watch.get()
