"""Which repositories are pulled most."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, name_rows, say_nothing, write_beside, write_right
from hubframe.plots.style import count_axis
from hubframe.tables import REPOS

MOST = 60


def plot_pulls(
    repos: pd.DataFrame, *, log: bool = False, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Rank repositories by their pulls.

    Parameters
    ----------
    repos
        The `tables.REPOS` frame, or `tables.SEARCH`. Repositories without a pull count are left
        out; of more than 60 the most pulled are shown, and the title says so.
    log
        Whether the axis is logarithmic; then pulls are dots, since a bar's length would say
        nothing on an axis without a zero.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`, or to ``scatter`` where there are dots.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar or a dot per repository, the most pulled on top, and the pulls in words.
    """
    REPOS.require(repos, ("repo", "pull_count"))
    known = repos.dropna(subset="pull_count")
    ranked = known.sort_values("pull_count", ascending=False, kind="stable").head(MOST)
    ax = canvas(ax, len(ranked))
    ax.set_title(_title(len(ranked), len(repos)))
    if ranked.empty:
        return say_nothing(ax, "no repository tells its pulls")
    pulls = ranked["pull_count"].tolist()
    words = [wording.large(count) for count in pulls]
    name_rows(ax, ranked["repo"].tolist())
    if log:
        _dots(ax, pulls, artist)
        write_right(ax, words)
    else:
        ax.barh(range(len(pulls)), pulls, **artist)
        write_beside(ax, pulls, words)
    count_axis(ax.xaxis)
    axis = "pulls since the repository exists"
    ax.set_xlabel(f"{axis} (logarithmic axis)" if log else axis)
    return ax


def _title(shown: int, count: int) -> str:
    return "Pulls" if shown == count else f"Pulls: {shown:,} of {count:,} repositories"


def _dots(ax: Axes, pulls: list[int], artist: dict[str, Any]) -> None:
    # There is no 0 on a logarithmic axis.
    known = [max(count, 1) for count in pulls]
    ax.set_xscale("log")
    ax.scatter(known, range(len(known)), **{"s": 36} | artist)
    ax.xaxis.set_minor_formatter("")
