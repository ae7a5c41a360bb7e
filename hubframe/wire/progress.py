"""The bar that long work shows to whoever looks."""

import sys
from typing import Any, Self

# Work that takes longer than this shows a bar. [seconds]
_AFTER = 2.0


class Bar:
    """What stands for tqdm's bar where nobody looks; the part of it that is used."""

    n = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self) -> None:
        """Count one more."""
        self.n += 1

    def set_postfix_str(self, text: str) -> None:
        """Show a few words."""


def bar(total: int, title: str, *, progress: bool | None) -> Any:
    """Return a bar that waits two seconds before it shows.

    Parameters
    ----------
    total, title
        How much there is to do, and what it is.
    progress
        Whether to show it; None for where somebody looks: at a terminal, or at a notebook.
    """
    if not (progress if progress is not None else _is_watched()):
        return Bar()
    from tqdm.auto import tqdm  # noqa: PLC0415 - slow to import, and not always needed

    return tqdm(total=total, desc=title, delay=_AFTER, leave=False)


def _is_watched() -> bool:
    in_notebook = "ipykernel" in sys.modules and "IPython" in sys.modules
    return in_notebook or (sys.stderr is not None and sys.stderr.isatty())
