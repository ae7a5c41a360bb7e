"""Which repositories are pulled most."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, name_rows, row_font, say_nothing
from hubframe.plots.style import count_axis
from hubframe.tables import REPOS

MOST = 60


def plot_pulls(repos: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Rank repositories by their pulls, as bars on a logarithmic axis.

    Parameters
    ----------
    repos
        The `tables.REPOS` frame, or `tables.SEARCH`. Repositories without a pull count are left
        out; of more than 60 the most pulled are shown, and the title says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per repository, the most pulled on top.
    """
    REPOS.require(repos, ("repo", "pull_count"))
    known = repos.dropna(subset="pull_count")
    ranked = known.sort_values("pull_count", ascending=False, kind="stable").head(MOST)
    ax = canvas(ax, len(ranked))
    ax.set_title(_title(len(ranked), len(repos)))
    if ranked.empty:
        return say_nothing(ax, "no repository tells its pulls")
    pulls = ranked["pull_count"].tolist()
    lowest = _decade_below(pulls[-1])
    ax.set_xscale("log")
    ax.barh(range(len(pulls)), pulls, **artist)
    ax.set_xlim(lowest, max(pulls[0], 1) * (max(pulls[0], 1) / lowest) ** 0.12)
    count_axis(ax.xaxis)
    ax.xaxis.set_minor_formatter("")
    ax.set_xlabel("pulls since the repository exists (logarithmic axis)")
    name_rows(ax, ranked["repo"].tolist())
    _write_counts(ax, pulls, lowest)
    return ax


def _title(shown: int, count: int) -> str:
    return "Pulls" if shown == count else f"Pulls: {shown:,} of {count:,} repositories"


def _decade_below(least: int) -> float:
    """Return where the axis starts: below the least pulled, since there is no zero on it."""
    return 10.0 ** math.floor(math.log10(max(least, 1) / 2))


def _write_counts(ax: Axes, pulls: list[int], lowest: float) -> None:
    for row, count in enumerate(pulls):
        ax.annotate(
            wording.large(count),
            (max(count, lowest), row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=0.9 * row_font(ax, len(pulls)),
        )
