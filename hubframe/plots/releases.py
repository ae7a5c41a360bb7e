"""How far `latest` lags, how old tags are, and how often versions come."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.cells import Reals
from hubframe.plots.style import (
    BLUES,
    GREY,
    ORANGES,
    VERMILION,
    date_axis,
    day_numbers,
    share_axis,
)
from hubframe.tables.measured import CADENCE, LATEST_LAG, STALENESS

# Until how many days an age goes, what it is called, and its colour: fresh is blue, old is orange.
_AGES = (
    (30, "up to a month", BLUES[0]),
    (90, "up to 3 months", BLUES[1]),
    (365, "up to a year", BLUES[3]),
    (3 * 365, "up to 3 years", ORANGES[2]),
    (np.inf, "older", ORANGES[0]),
    (np.nan, "not known", GREY),
)
# Marks of an axis of days, and what stands at them.
_DAYS = {
    1 / 24: "1 hour",
    1 / 4: "6 hours",
    1: "1 day",
    3: "3 days",
    7: "1 week",
    14: "2 weeks",
    30: "1 month",
    90: "3 months",
    365: "1 year",
    3 * 365: "3 years",
    3650: "10 years",
    36_500: "100 years",
    365_000: "1,000 years",
    3_650_000: "10,000 years",
}
_SHORTEST = 1 / 48
# The part of an axis that a mark's name takes.
_APART = 0.16
# From so many days on, their fractions say nothing.
_WHOLE = 10
# Days: an axis of seconds would make much of the moments between two pushes of one release.
_NARROWEST = 60
# A stranger's date beyond would stretch the axis until nothing is told apart.
_LAST_YEAR = 2199


def plot_latest_lag(lag: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show when ``latest`` and the highest version were pushed, those most behind on top.

    Parameters
    ----------
    lag
        The table `latest_lag`, as `hubframe.latest_lag_df` makes it. Of more than 40 repositories
        those most versions behind, then most days, are shown, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.scatter`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per repository, a ring at the push of its highest version, a dot at that of
        ``latest``, and in words how far that is behind; the words alone where no date is known.
    """
    LATEST_LAG.require(lag)
    order = ["versions_behind", "lag_days"]
    ranked = lag.sort_values(order, ascending=False, kind="stable", na_position="last")
    shown = ranked.head(MOST)
    late = int(lag["is_highest"].eq(other=False).sum())
    count = wording.counted(len(lag), "repository")
    title = f"latest is behind the highest version in {late:,} of {count}"
    ax = canvas.axes(ax, len(shown), title)
    if shown.empty:
        return canvas.say_nothing(ax, "no repositories")
    latest, highest = (_days(shown[f"{which}_pushed_at"]) for which in ("latest", "highest"))
    is_dated = not (np.isnan(latest) & np.isnan(highest)).all()
    axis = "last push, UTC" if is_dated else "no push has a date"
    ax.set_xlabel(wording.left_out(axis, {"more {repository}": len(lag) - len(shown)}))
    canvas.name_rows(ax, shown["repo"])
    canvas.write_right(ax, [_behind(row) for row in shown.itertuples()])
    if is_dated:
        _mark_pushes(ax, latest, highest, artist)
        canvas.legend_below(ax)
    else:
        # What is behind stands beside; registries other than the Hub tell no dates.
        ax.set_xticks([])
    return ax


def _days(dates: pd.Series) -> Reals:
    return day_numbers(dates.where(dates.dt.year <= _LAST_YEAR))


def _mark_pushes(ax: Axes, latest: Reals, highest: Reals, artist: dict[str, Any]) -> None:
    date_axis(ax.xaxis)
    # Two months at least, and what is drawn with a margin.
    first, last = np.nanmin([latest, highest]), np.nanmax([latest, highest])
    margin = max(_NARROWEST - (last - first), 0.1 * (last - first)) / 2
    ax.set_xlim(first - margin, last + margin)
    rows = np.arange(len(latest))
    ax.hlines(rows, np.fmin(latest, highest), np.fmax(latest, highest), color=GREY, linewidth=1.2)
    ring: dict[str, Any] = {"facecolor": "none", "edgecolor": "C1", "s": 90, "linewidth": 1.5}
    ax.scatter(highest, rows, label="highest stable version", **ring | artist)
    dot: dict[str, Any] = {"color": "C0", "s": 26}
    ax.scatter(latest, rows, label="latest", **dot | artist)


def _behind(row: Any) -> str:
    if pd.isna(row.latest_digest) and pd.isna(row.latest_pushed_at):
        return "no tag latest"
    if pd.isna(row.highest_tag):
        return "no stable version"
    if pd.isna(row.is_highest):
        return "not known"
    if row.is_highest:
        return "is the highest"
    if pd.isna(row.versions_behind):
        return "is another image"
    return f"{wording.counted(row.versions_behind, 'version')} behind"


def plot_staleness(staleness: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show how old the tags of each repository are, the stalest repositories on top.

    Parameters
    ----------
    staleness
        The table `staleness`, as `hubframe.staleness_df` makes it. Of more than 40 repositories
        those with most tags are shown, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per repository, its tags by the time since their last push, and the share of
        stale ones in words. Tags without a date are grey.
    """
    STALENESS.require(staleness, ("repo", "age_days", "is_stale"))
    counts = staleness["repo"].value_counts()
    shown = staleness[staleness["repo"].isin(counts.index[:MOST])]
    is_stale = shown["is_stale"].fillna(value=False).astype("float64")
    stale = is_stale.groupby(shown["repo"], sort=False).mean()
    stale = stale.sort_values(ascending=False, kind="stable")
    tags = wording.some(len(shown), len(staleness), "tag")
    ax = canvas.axes(ax, len(stale), f"Age of {tags}")
    if shown.empty:
        return canvas.say_nothing(ax, "no tags")
    limits, *looks = zip(*_AGES, strict=True)
    age = shown["age_days"].to_numpy("float64", na_value=np.nan)
    tally = np.zeros((len(_AGES), len(stale)))
    np.add.at(
        tally, (np.searchsorted(limits, age), stale.index.get_indexer(pd.Index(shown["repo"]))), 1
    )
    shares = tally / tally.sum(axis=0)
    parts = (part for part in zip(*looks, shares, strict=True) if part[2].any())
    canvas.stack(ax, parts, {"linewidth": 1} | artist)
    share_axis(ax.xaxis)
    missing = {"more {repository}": len(counts) - len(stale)}
    ax.set_xlabel(wording.left_out("share of the repository's tags", missing))
    ax.set_xlim(0, 1)
    canvas.name_rows(ax, [f"{repo} ({counts[repo]:,})" for repo in stale.index])
    words = [
        "not known" if undated == 1 else f"{wording.percent(share)} stale"
        for share, undated in zip(stale, shares[-1], strict=True)
    ]
    canvas.write_right(ax, words)
    canvas.legend_below(ax)
    return ax


def plot_cadence(
    cadence: pd.DataFrame, *, log: bool = True, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Show the days between one version and the next, the quickest repositories on top.

    Parameters
    ----------
    cadence
        The table `cadence`, as `hubframe.cadence_df` makes it. Repositories with fewer than two
        dated versions are left out; of more than 40 the quickest are shown, and the axis says so.
    log
        Whether the days are on a logarithmic axis.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.scatter`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per repository: a thin line for eight tenths of the times, a thick one for half
        of them, a dot for the median.
    """
    CADENCE.require(cadence)
    known = cadence.dropna(subset="days_p50").sort_values("days_p50", kind="stable")
    shown = known.head(MOST)
    ax = canvas.axes(ax, len(shown), "Time between one version and the next")
    if shown.empty:
        return canvas.say_nothing(ax, "no repository has two versions with a date")
    low, begin, middle, end, high = (
        shown[f"days_p{part}"].to_numpy("float64").clip(_SHORTEST) for part in (10, 25, 50, 75, 90)
    )
    rows = np.arange(len(shown))
    if log:
        ax.set_xscale("log")
        _day_axis(ax, low.min(), high.max())
    ax.hlines(rows, low, high, color=BLUES[1], linewidth=1.5, label="8 in 10 times")
    ax.hlines(rows, begin, end, color=BLUES[2], linewidth=6, label="half of the times")
    look: dict[str, Any] = {"color": VERMILION, "s": 26, "zorder": 3, "label": "the median"}
    ax.scatter(middle, rows, **look | artist)
    missing = {
        "more {repository}": len(known) - len(shown),
        "{repository} with fewer than two dated versions": len(cadence) - len(known),
    }
    ax.set_xlabel(wording.left_out("logarithmic axis" if log else "days", missing))
    canvas.name_rows(ax, shown["repo"])
    canvas.write_right(ax, [_rhythm(row) for row in shown.itertuples()])
    canvas.legend_below(ax)
    return ax


def _day_axis(ax: Axes, least: float, most: float) -> None:
    """Mark hours to years on a logarithmic axis, none that would touch the one before."""
    ax.set_xlim(0.7 * least, 1.4 * most)
    marks: list[float] = []
    for day in _DAYS:
        if not marks or np.log(day / marks[-1]) > _APART * np.log(most / least):
            marks.append(day)
    ax.xaxis.set_major_locator(FixedLocator(marks))
    ax.xaxis.set_major_formatter(lambda days, _: _DAYS.get(days, ""))
    ax.xaxis.set_minor_formatter("")


def _rhythm(row: Any) -> str:
    days = f"{row.days_p50:,.0f}" if row.days_p50 >= _WHOLE else f"{row.days_p50:.2g}"
    unit = "day" if days == "1" else "days"
    return f"{days} {unit}, {wording.counted(row.version_count, 'version')}"
