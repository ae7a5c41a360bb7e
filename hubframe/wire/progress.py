"""How far long work is: the bar that it shows, and looking on from another thread.

A terminal interrupts its program; a window with a button needs another way to cancel its calls.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

from hubframe.wire import cancellation
from hubframe.wire.cancellation import Cancellation

Tell = Callable[[str, int, int, str], object]
# Work that takes longer than this shows a bar. [seconds]
_AFTER = 2.0


class Watch:
    """Calls that are made inside ``with watch.on():`` tell it how far they are, and can be ended.

    At each step the thread of the calls tells a title, how much is done, how much there is, and a
    note such as ``waiting 30 s``.
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


class Bar:
    """What stands for tqdm's bar where nobody looks, or somebody from another thread."""

    def __init__(self, total: int, title: str, tell: Tell | None = None) -> None:
        self.n, self.total, self.title = 0, total, title
        self._tell = tell
        self.set_postfix_str("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, count: int = 1) -> None:
        """Count more."""
        self.n += count
        self.set_postfix_str("")

    def set_postfix_str(self, text: str, **_: bool) -> None:
        """Show a few words; as tqdm's."""
        if self._tell is not None:
            self._tell(self.title, self.n, self.total, text)


def bar(total: int, title: str, *, progress: bool | None) -> Any:
    """Return a bar that waits two seconds before it shows.

    Where `progress` is None, it shows where somebody looks: at a terminal, or at a notebook.
    """
    if (watch := _watch.get()) is not None:
        return Bar(total, title, watch.tell)
    if not (_is_watched() if progress is None else progress):
        return Bar(total, title)
    from tqdm.auto import tqdm  # noqa: PLC0415 - slow to import, and not always needed

    return tqdm(total=total, desc=title, delay=_AFTER, leave=False)


def _is_watched() -> bool:
    # A kernel has a shell that knows it; a program that merely imports IPython has none.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    in_notebook = getattr(shell, "kernel", None) is not None
    return in_notebook or (sys.stderr is not None and sys.stderr.isatty())
