"""Which repositories are pulled most, and how pulls, stars, storage and tags moved over time."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from hubframe.plots import canvas, wording
from hubframe.plots.cells import Reals
from hubframe.plots.style import GREY, count_axis, date_axis, day_numbers
from hubframe.tables import REPOS
from hubframe.tables.measured import PULLS_OVER_TIME, REPOS_OVER_TIME

_MOST_RANKED = 60
# As many as there are colours that the colour-blind tell apart.
_MOST = 6
_ROWS = 12
# From this ratio of the most to the least on, a linear axis would show one repository alone.
_WIDE = 50
_GAP: dict[str, Any] = {"linestyle": (0, (1, 1.5))}
_Draw = Callable[[Axes, pd.DataFrame, dict[str, Any]], None]
_LOOKS: dict[str, tuple[str, Callable[[float], str]]] = {
    "star_count": ("stars", wording.large),
    "storage_size": ("storage on the Hub", wording.size),
    "tag_count": ("tags", wording.large),
}


def plot_pulls(
    repos: pd.DataFrame, *, log: bool = False, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Rank repositories by their pulls.

    A bar or a dot per repository, the most pulled on top, and the pulls in words.

    Parameters
    ----------
    repos
        The `tables.REPOS` frame, or `tables.SEARCH`. Repositories without a pull count are left
        out; of more than 60 the most pulled are shown.
    log
        Whether the axis is logarithmic; then pulls are dots, since a bar's length would say
        nothing on an axis without a zero.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`, or ``scatter`` for dots.
    """
    REPOS.require(repos, ("repo", "pull_count"))
    known = repos.dropna(subset="pull_count")
    ranked = known.sort_values("pull_count", ascending=False, kind="stable")
    ranked = ranked.head(canvas.room(ax, _MOST_RANKED))
    some = wording.some(len(ranked), len(repos), "repository")
    title = "Pulls" if len(ranked) == len(repos) else f"Pulls: {some}"
    ax = canvas.axes(ax, len(ranked), title)
    if ranked.empty:
        return canvas.say_nothing(ax, "no repository tells its pulls")
    pulls = ranked["pull_count"].tolist()
    words = [wording.large(count) for count in pulls]
    if log:
        ax.set_xscale("log")
        # There is no 0 on a logarithmic axis.
        dots = [max(count, 1) for count in pulls]
        ax.scatter(dots, range(len(dots)), **{"s": 36} | artist)
        ax.xaxis.set_minor_formatter("")
        canvas.name_rows(ax, ranked["repo"], words)
    else:
        canvas.bars(ax, ranked["repo"], pulls, words, **artist)
    count_axis(ax.xaxis)
    missing = {
        "{repository} without a count": len(repos) - len(known),
        "more {repository}": len(known) - len(ranked),
    }
    axis = f"pulls since the repository exists{' (logarithmic axis)' * log}"
    return canvas.explain(ax, axis, missing)


def plot_pulls_over_time(pulls: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Draw pulls a day from one observation to the next, as steps.

    A line per repository: dotted where observations are missing, interrupted by a cross where the
    Hub counted less than before. The axis is logarithmic where the repositories are far apart.

    Parameters
    ----------
    pulls
        The table `pulls_over_time`. Of more than six repositories those with most pulls a day are
        drawn.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.plot`.
    """
    PULLS_OVER_TIME.require(pulls)
    ax = canvas.axes(ax, _ROWS, "Pulls per day")
    rates = pulls.groupby("repo")["pulls_per_day"].mean().astype("float64").dropna()
    if rates.empty:
        return canvas.say_nothing(ax, "no repository was observed twice with its pulls")
    rates = rates.sort_values(ascending=False, kind="stable").head(_MOST)
    handles = _lines(ax, pulls, rates.index, _steps, artist)
    # From 0 on, in powers where the repositories are far apart.
    positive = rates[rates > 0]
    is_wide = len(positive) > 1 and positive.max() > _WIDE * positive.min()
    if is_wide:
        ax.set_yscale("symlog", linthresh=1)
    # A level line would lie on the upper edge.
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.05 * ax.dataLim.y1))
    ax.set_ylabel(f"pulls per day{' (logarithmic axis)' if is_wide else ''}")
    count_axis(ax.yaxis)
    if (pulls.loc[pulls["repo"].isin(rates.index), "step"] != "growth").any():
        look: dict[str, Any] = {"marker": "x", "linestyle": "none", "color": GREY}
        handles.append(Line2D([], [], **look, label="fewer than before: not known"))
    missing = {"more {repository}": pulls["repo"].nunique() - len(rates)}
    return canvas.explain(ax, "UTC", missing, handles)


def plot_repos_over_time(
    repos: pd.DataFrame,
    *,
    column: Literal["star_count", "storage_size", "tag_count"] = "star_count",
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Draw by how much the stars, the storage or the number of tags of repositories changed.

    A line per repository from 0 at its first observation on, and a dot per observation, dotted
    where observations are missing; the first and the last figure stand in the legend.

    Parameters
    ----------
    repos
        The table `repos_over_time`. Of more than six repositories those that changed most are
        drawn.
    column
        ``"star_count"``, ``"storage_size"`` or ``"tag_count"``.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.plot`.
    """
    REPOS_OVER_TIME.require(repos)
    if column not in _LOOKS:
        raise ValueError(f"column must be one of {', '.join(_LOOKS)}, not {column!r}")
    noun, word = _LOOKS[column]
    title = f"{noun[0].upper()}{noun[1:]}: change since the first observation"
    ax = canvas.axes(ax, _ROWS, title)
    known = repos.dropna(subset=column).sort_values(["repo", "observed_at"], kind="stable")
    if known.empty:
        return canvas.say_nothing(ax, f"no observation tells the {noun}")
    ends = known.groupby("repo")[column].agg(["first", "last"])
    known = known.assign(change=known[column] - known["repo"].map(ends["first"]))
    furthest = known["change"].abs().groupby(known["repo"]).max()
    shown = furthest.sort_values(ascending=False, kind="stable").index[:_MOST]

    def draw(ax: Axes, seen: pd.DataFrame, look: dict[str, Any]) -> None:
        times, values = day_numbers(seen["observed_at"]), seen["change"].to_numpy("float64")
        ax.plot(times, values, **look | {"linestyle": "none", "marker": ".", "markersize": 4})
        is_gap = seen["is_gap"].fillna(value=False).to_numpy("bool")
        for part, line in ((~is_gap, {}), (is_gap, _GAP)):
            ax.plot(*_pieces(times, values, part), **look | line)

    handles = _lines(ax, known, shown, draw, artist)
    for handle, (first, last) in zip(handles, ends.loc[shown].to_numpy(), strict=False):
        handle.set_label(f"{handle.get_label()}: {word(first)} → {word(last)}")
    if not furthest.any():
        ax.set_ylim(-1, 1)
    ax.axhline(0, color=mpl.rcParams["axes.labelcolor"], linewidth=0.8)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    ax.yaxis.set_major_formatter(lambda value, _: wording.more(value, word))
    missing = {"more {repository}": repos["repo"].nunique() - len(shown)}
    return canvas.explain(ax, "UTC", missing, handles)


def _lines(
    ax: Axes, told: pd.DataFrame, repos: pd.Index, draw: _Draw, artist: dict[str, Any]
) -> list[Artist]:
    """Draw a line for each repository, and return what a legend explains of them."""
    date_axis(ax.xaxis)
    handles: list[Artist] = []
    names = wording.distinct(map(str, repos), 40)
    for number, repo in enumerate(repos):
        look: dict[str, Any] = {"color": f"C{number}", "linewidth": 1.6} | artist
        draw(ax, told[told["repo"] == repo], look | {"linestyle": "-"})
        handles.append(Line2D([], [], **look, label=names[number]))
    if told.loc[told["repo"].isin(repos), "is_gap"].fillna(value=False).any():
        label = "observations are missing"
        handles.append(Line2D([], [], **_GAP, color=GREY, linewidth=1.6, label=label))
    return handles


def _steps(ax: Axes, pulls: pd.DataFrame, look: dict[str, Any]) -> None:
    """Draw the times between observations as level lines, joined where they meet."""
    ends = [day_numbers(pulls[name]) for name in ("from_at", "observed_at")]
    times = np.column_stack(ends).ravel()
    rates = pulls["pulls_per_day"].to_numpy("float64", na_value=np.nan)
    is_gap = pulls["is_gap"].to_numpy("bool")
    for part, line in ((~is_gap, {}), (is_gap, _GAP)):
        ax.plot(times, np.repeat(np.where(part, rates, np.nan), 2), **look | line)
    middles = np.mean(ends, axis=0)[(pulls["step"] != "growth").to_numpy("bool")]
    # At the foot of the picture, whatever the rates are: what came in is not known.
    foot: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
    foot |= {"marker": "x", "linestyle": "none", "color": look["color"]}
    ax.plot(middles, np.full(len(middles), 0.03), **foot)


def _pieces(times: Reals, values: Reals, is_drawn: Any) -> Iterator[Reals]:
    """Take the pieces of a line that end at some of its points, each broken from the next."""
    chosen = np.flatnonzero(is_drawn[1:]) + 1
    breaks = np.full(len(chosen), np.nan)
    for line in (times, values):
        yield np.column_stack([line[chosen - 1], line[chosen], breaks]).ravel()
