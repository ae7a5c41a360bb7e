"""The bar that long work shows to whoever looks."""

import sys
from typing import Any, Self

from hubframe.wire import watching
from hubframe.wire.watching import Tell

# Work that takes longer than this shows a bar. [seconds]
_AFTER = 2.0


class Bar:
    """What stands for tqdm's bar where nobody looks, or somebody from another thread.

    Parameters
    ----------
    total, title
        How much there is to do, and what it is.
    tell
        Told each step; None for nobody.
    """

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

    Parameters
    ----------
    total, title
        How much there is to do, and what it is.
    progress
        Whether to show it; None for where somebody looks: at a terminal, or at a notebook.
    """
    if (watch := watching.current()) is not None:
        return Bar(total, title, watch.tell)
    if not (progress if progress is not None else _is_watched()):
        return Bar(total, title)
    from tqdm.auto import tqdm  # noqa: PLC0415 - slow to import, and not always needed

    return tqdm(total=total, desc=title, delay=_AFTER, leave=False)


def _is_watched() -> bool:
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    # A kernel has a shell that knows it; a program that merely imports IPython has none.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
