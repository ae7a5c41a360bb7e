"""Which repositories are pulled most."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.style import count_axis
from hubframe.tables import REPOS

_MOST = 60


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
    ranked = known.sort_values("pull_count", ascending=False, kind="stable").head(_MOST)
    some = wording.some(len(ranked), len(repos), "repository")
    title = "Pulls" if len(ranked) == len(repos) else f"Pulls: {some}"
    ax = canvas.axes(ax, len(ranked), title)
    if ranked.empty:
        return canvas.say_nothing(ax, "no repository tells its pulls")
    pulls = ranked["pull_count"].tolist()
    words = [wording.large(count) for count in pulls]
    canvas.name_rows(ax, ranked["repo"])
    if log:
        ax.set_xscale("log")
        # There is no 0 on a logarithmic axis.
        dots = [max(count, 1) for count in pulls]
        ax.scatter(dots, range(len(dots)), **{"s": 36} | artist)
        ax.xaxis.set_minor_formatter("")
        canvas.write_right(ax, words)
    else:
        ax.barh(range(len(pulls)), pulls, **artist)
        canvas.write_beside(ax, pulls, words)
    count_axis(ax.xaxis)
    ax.set_xlabel(f"pulls since the repository exists{' (logarithmic axis)' * log}")
    return ax
