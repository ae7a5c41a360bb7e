"""The look of the pictures: colours that the colour-blind tell apart, light and dark."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import dates as untyped_dates
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

from hubframe.plots import wording

# Okabe and Ito, https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8A8F98"
# Two families of hue that stay apart for every kind of colour vision, readable on white and black.
BLUES = ("#08589e", "#2b8cbe", "#62b0d9", "#9ccfe8")
ORANGES = ("#b34a00", "#e0701a", "#f29a4a", "#f8c285")
_SHEETS = Path(__file__).parent
# matplotlib has one set of settings for all threads: two contexts at once would put back each
# other's, in whatever order they end. A lock for each process, since a forked child would wait
# for ever for a thread that only its parent has.
_LOCKS: dict[int, Any] = {}
_dates: Any = untyped_dates


@contextmanager
def style(*, dark: bool = False) -> Iterator[None]:
    """Draw in hubframe's style: a context manager.

    Make the figure and draw inside; the settings of ``matplotlib.rcParams`` that the style has are
    as before afterwards. They belong to the whole process, so one thread at a time is inside, and
    others that want to be wait; what a thread draws outside of it meanwhile has this style too.

    Parameters
    ----------
    dark
        Whether the background is dark.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> with style(dark=True):
    ...     ax = Figure().subplots()
    """
    rc: dict[Any, Any] = {}
    for name in ("light", "dark")[: 1 + dark]:
        rc |= mpl.rc_params_from_file(_SHEETS / f"{name}.mplstyle", use_default_template=False)
    with _LOCKS.setdefault(os.getpid(), RLock()):
        # Not `rc_context`, which puts back all settings: where pyplot is first used inside, that
        # would undo what a notebook's backend sets to show pictures.
        before = {name: mpl.rcParams[name] for name in rc}
        try:
            mpl.rcParams.update(rc)
            yield
        finally:
            mpl.rcParams.update(before)


class _SizeLocator(MaxNLocator):
    """Ticks as many as sizes have room for, when they are drawn."""

    def __call__(self) -> Any:
        self.set_params(nbins=_ticks(self.axis, 0.55))
        return super().__call__()


class _DateLocator(_dates.AutoDateLocator):  # type: ignore[misc]
    """Ticks as many as dates have room for, when they are drawn."""

    def get_locator(self, dmin: Any, dmax: Any) -> Any:
        self.maxticks: dict[int, int] = dict.fromkeys(self.maxticks, _ticks(self.axis, 0.8))
        return super().get_locator(dmin, dmax)


def _ticks(axis: Any, part: float) -> int:
    """Return a part of how many ticks an axis has room for if they are three letters long."""
    return int(np.clip(part * axis.get_tick_space(), 2, 8))


def byte_axis(axis: Axis) -> None:
    """Let an axis count bytes, in steps of 1000: B, kB, MB, GB.

    Parameters
    ----------
    axis
        ``ax.xaxis`` or ``ax.yaxis``, on a linear scale.
    """
    axis.set_major_locator(_SizeLocator(steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(lambda value, _: wording.size(value))


def signed_byte_axis(axis: Axis) -> None:
    """Let an axis show how many bytes more or fewer there are."""
    byte_axis(axis)
    axis.set_major_formatter(lambda value, _: wording.more(value))


def count_axis(axis: Axis) -> None:
    """Let an axis count in short words: 950, 12 k, 3 M, 1 bn.

    Parameters
    ----------
    axis
        ``ax.xaxis`` or ``ax.yaxis``, on any scale.
    """
    axis.set_major_formatter(lambda value, _: wording.large(value))


def whole_axis(axis: Axis) -> None:
    """Let an axis count things of which there are often few, without halves."""
    count_axis(axis)
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def share_axis(axis: Axis) -> None:
    """Let an axis show shares in per cent."""
    axis.set_major_formatter(lambda share, _: wording.percent(share))


def date_axis(axis: Axis) -> None:
    """Let an axis show UTC dates in as few characters as they need.

    Parameters
    ----------
    axis
        ``ax.xaxis`` or ``ax.yaxis``.
    """
    axis.axis_date(tz="UTC")
    locator = _DateLocator(tz="UTC", minticks=3)
    axis.set_major_locator(locator)
    axis.set_major_formatter(_dates.ConciseDateFormatter(locator, tz="UTC"))
    # The other end is the axis label's.
    axis.get_offset_text().set(x=0, horizontalalignment="left")


def day_numbers(dates: pd.Series) -> npt.NDArray[np.float64]:
    """Return UTC dates as the numbers of days that an axis of dates counts in."""
    return np.asarray(_dates.date2num(dates.dt.tz_localize(None)), dtype="float64")
