"""How pulls a day, stars, storage and numbers of tags moved over time."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, say_nothing
from hubframe.plots.style import GREY, byte_axis, count_axis, date_axis, day_numbers
from hubframe.tables.measured import PULLS_OVER_TIME, REPOS_OVER_TIME

# As many as there are colours that the colour-blind tell apart.
MOST = 6
_ROWS = 12
# From this ratio of the most to the least on, a linear axis would show one repository alone.
_WIDE = 50
_USUAL: dict[str, Any] = {"linestyle": "-"}
_GAP: dict[str, Any] = {"linestyle": (0, (1, 1.5))}
_LOOKS: dict[str, tuple[str, Callable[[Axis], None]]] = {
    "star_count": ("stars", count_axis),
    "storage_size": ("storage on the Hub", byte_axis),
    "tag_count": ("tags", count_axis),
}


def plot_pulls_over_time(pulls: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Draw pulls a day from one observation to the next, as steps.

    Parameters
    ----------
    pulls
        The table `pulls_over_time`, as `hubframe.pulls_over_time_df` makes it. Of more than six
        repositories those with most pulls a day are drawn, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.plot`.

    Returns
    -------
    matplotlib.axes.Axes
        With a line per repository: dotted where observations are missing, interrupted by a cross
        where the Hub counted less than before. The axis is logarithmic where the repositories are
        far apart.
    """
    PULLS_OVER_TIME.require(pulls)
    ax = canvas(ax, _ROWS)
    ax.set_title("Pulls per day")
    rates = pulls.groupby("repo")["pulls_per_day"].mean().astype("float64").dropna()
    if rates.empty:
        return say_nothing(ax, "no repository was observed twice with its pulls")
    shown = rates.sort_values(ascending=False, kind="stable").index[:MOST]
    date_axis(ax.xaxis)
    handles = [
        _steps(ax, pulls[pulls["repo"] == repo], f"C{number}", artist)
        for number, repo in enumerate(shown)
    ]
    _scale(ax, rates[shown])
    count_axis(ax.yaxis)
    missing = pulls["repo"].nunique() - len(shown)
    ax.set_xlabel(wording.left_out("UTC", {("more", "repository", ""): missing}))
    legend_below(ax, [*handles, *_explained(pulls[pulls["repo"].isin(shown)])])
    return ax


def plot_repos_over_time(
    repos: pd.DataFrame,
    *,
    column: Literal["star_count", "storage_size", "tag_count"] = "star_count",
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Draw how the stars, the storage or the number of tags of repositories moved.

    Parameters
    ----------
    repos
        The table `repos_over_time`, as `hubframe.repos_over_time_df` makes it. Of more than six
        repositories those whose figure is highest are drawn, and the axis says so.
    column
        ``"star_count"``, ``"storage_size"`` or ``"tag_count"``.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.plot`.

    Returns
    -------
    matplotlib.axes.Axes
        With a line per repository and a dot per observation, dotted where observations are missing.
    """
    REPOS_OVER_TIME.require(repos)
    if column not in _LOOKS:
        raise ValueError(f"column must be one of {', '.join(_LOOKS)}, not {column!r}")
    noun, count = _LOOKS[column]
    ax = canvas(ax, _ROWS)
    ax.set_title(f"{noun[0].upper()}{noun[1:]} over time")
    known = repos.dropna(subset=column)
    if known.empty:
        return say_nothing(ax, f"no observation tells the {noun}")
    highest = known.groupby("repo")[column].max().sort_values(ascending=False, kind="stable")
    shown = highest.index[:MOST]
    date_axis(ax.xaxis)
    handles = [
        _line(ax, known[known["repo"] == repo], column, f"C{number}", artist)
        for number, repo in enumerate(shown)
    ]
    count(ax.yaxis)
    missing = {("more", "repository", ""): repos["repo"].nunique() - len(shown)}
    ax.set_xlabel(wording.left_out("UTC", missing))
    is_gap = known.loc[known["repo"].isin(shown), "is_gap"].fillna(value=False)
    legend_below(ax, [*handles, *([_gap_handle()] if is_gap.any() else [])])
    return ax


def _steps(ax: Axes, pulls: pd.DataFrame, color: str, artist: dict[str, Any]) -> Line2D:
    """Draw the times between observations as level lines, joined where they meet."""
    ends = [day_numbers(pulls[name]) for name in ("from_at", "observed_at")]
    times = np.column_stack(ends).ravel()
    rates = pulls["pulls_per_day"].to_numpy("float64", na_value=np.nan)
    is_gap = pulls["is_gap"].to_numpy("bool")
    look: dict[str, Any] = {"color": color, "linewidth": 1.6} | artist
    for part, line in ((~is_gap, _USUAL), (is_gap, _GAP)):
        ax.plot(times, np.repeat(np.where(part, rates, np.nan), 2), **look | line)
    is_less = (pulls["step"] != "growth").to_numpy("bool")
    middles = np.mean(ends, axis=0)[is_less]
    # At the foot of the picture, whatever the rates are: what came in is not known.
    ax.plot(
        middles,
        np.full(len(middles), 0.03),
        transform=ax.get_xaxis_transform(),
        color=color,
        marker="x",
        linestyle="none",
        clip_on=False,
    )
    return Line2D([], [], **look, label=wording.drawn(str(pulls["repo"].iloc[0]), 40))


def _line(ax: Axes, known: pd.DataFrame, column: str, color: str, artist: dict[str, Any]) -> Line2D:
    times = day_numbers(known["observed_at"])
    values = known[column].to_numpy("float64")
    is_gap = known["is_gap"].fillna(value=False).to_numpy("bool")
    look: dict[str, Any] = {"color": color, "linewidth": 1.6} | artist
    ax.plot(times, values, **look | {"linestyle": "none", "marker": ".", "markersize": 4})
    for part, line in ((~is_gap, _USUAL), (is_gap, _GAP)):
        ax.plot(*_pieces(times, values, part), **look | line)
    return Line2D([], [], **look, label=wording.drawn(str(known["repo"].iloc[0]), 40))


def _pieces(times: Any, values: Any, is_drawn: Any) -> tuple[Any, Any]:
    """Take the pieces of a line that end at some of its points, each broken from the next."""
    chosen = np.flatnonzero(is_drawn[1:]) + 1
    breaks = np.full(len(chosen), np.nan)
    both = ([line[chosen - 1], line[chosen], breaks] for line in (times, values))
    first, second = (np.column_stack(ends).ravel() for ends in both)
    return first, second


def _scale(ax: Axes, rates: pd.Series) -> None:
    """Count from 0; in powers where the repositories are far apart."""
    positive = rates[rates > 0]
    is_wide = len(positive) > 1 and positive.max() > _WIDE * positive.min()
    if is_wide:
        ax.set_yscale("symlog", linthresh=1)
    # A level line would lie on the upper edge.
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.05 * ax.dataLim.y1))
    ax.set_ylabel("pulls per day (logarithmic axis)" if is_wide else "pulls per day")


def _explained(pulls: pd.DataFrame) -> list[Line2D]:
    """Explain the marks that there are."""
    found = [_gap_handle()] if pulls["is_gap"].any() else []
    if (pulls["step"] != "growth").any():
        look: dict[str, Any] = {"marker": "x", "linestyle": "none", "color": GREY}
        found.append(Line2D([], [], **look, label="fewer than before: not known"))
    return found


def _gap_handle() -> Line2D:
    return Line2D([], [], **_GAP, color=GREY, linewidth=1.6, label="observations are missing")
