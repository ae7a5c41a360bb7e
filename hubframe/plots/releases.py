"""When tags were pushed, how far `latest` lags, how old tags are, how often versions come."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import Locator

from hubframe.measure import pushes
from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUES, GREY, ORANGES, VERMILION, date_axis, day_numbers, share_axis
from hubframe.tables.measured import CADENCE, LATEST_LAG, STALENESS

# Kind of tag: what the legend calls it, colour, marker, and its lane within the repository's row.
_KINDS = {
    "version": ("versions", "C0", "o", -0.2),
    "other": ("other tags", "C1", "D", 0.1),
    "signature": ("signatures and other digests", GREY, "x", 0.3),
}
_LANE = 0.2
# More dots lie on each other.
_MOST_DOTS = 1000
# How high the bar of a repository's month with most tags is.
_MONTH = 0.8
_ROWS_OF_MONTHS = 8
# Multiples of it, modulo 1, spread evenly: dots at one date stand side by side, always the same.
_GOLDEN = 0.618034
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
    count * days: wording.counted(count, unit)
    for unit, days, counts in (
        ("hour", 1 / 24, (1, 6)),
        ("day", 1, (1, 3)),
        ("week", 7, (1, 2)),
        ("month", 30, (1, 3)),
        ("year", 365, (1, 3, 10, 100, 1_000, 10_000)),
    )
    for count in counts
}
_SHORTEST = 1 / 48
# How many lines the legend of ages has.
_LINES = 2
# How many ticks of three letters the name of a mark takes.
_APART = 2.2
# From so many days on, their fractions say nothing.
_WHOLE = 10
# Days: an axis of seconds would make much of the moments between two pushes of one release.
_NARROWEST = 60
# An untrusted date beyond would stretch the axis until nothing is told apart.
_LAST_YEAR = 2199


def plot_tags(tags: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show when the tags of each repository were last pushed, versions apart from others.

    A row per repository and a dot per tag; the height within a row only tells the kind. More than
    a thousand tags are counted by month: the bars of a repository are as high as its month with
    most tags, which is written beside.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame. Tags without a date are left out; of more than 40 repositories
        those with most tags are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.scatter`, or ``bar`` for months.
    """
    dated = pushes(tags)
    counts = dated["repo"].value_counts(sort=True)
    shown = dated[dated["repo"].isin(counts.index[: canvas.room(ax, below=1)])]
    row, repos = pd.factorize(shown["repo"])
    some = "" if len(shown) == len(tags) else f"of {len(tags):,} "
    title = f"Last push of {len(shown):,} {some}tags"
    is_counted = len(shown) > _MOST_DOTS
    if is_counted:
        ax = canvas.axes(ax, max(len(repos), _ROWS_OF_MONTHS), f"{title}, by month")
    else:
        ax = canvas.axes(ax, len(repos), title)
    if shown.empty:
        return canvas.say_nothing(ax, "no tag tells when it was pushed")
    date_axis(ax.xaxis)
    words = (_months if is_counted else _dots)(ax, shown, row, artist)
    canvas.name_rows(ax, [f"{repo} ({counts[repo]:,})" for repo in repos], words)
    if is_counted:
        ax.set_ylim(len(repos) - 0.5, -0.5)
    missing = {
        "{tag} without a date": len(tags) - len(dated),
        "more {repository}": len(counts) - len(repos),
    }
    return canvas.explain(ax, "UTC", missing)


def _dots(ax: Axes, shown: pd.DataFrame, row: Any, artist: dict[str, Any]) -> list[str]:
    """Draw a dot for each tag, the kinds apart."""
    day = day_numbers(shown["pushed_at"])
    usual: dict[str, Any] = {"s": float(np.clip(6000 / len(shown), 5, 30)), "alpha": 0.6}
    for kind, (label, color, marker, lane) in _KINDS.items():
        chosen = (shown["kind"] == kind).to_numpy()
        if chosen.any():
            spread = _LANE * (np.arange(chosen.sum()) * _GOLDEN % 1 - 0.5)
            look = {"color": color, "marker": marker, "label": label, "linewidth": 0.8}
            ax.scatter(day[chosen], row[chosen] + lane + spread, **usual | look | artist)
    return []


def _months(ax: Axes, shown: pd.DataFrame, row: Any, artist: dict[str, Any]) -> list[str]:
    """Draw the tags of each month as a bar, the kinds stacked; return the most of each row."""
    month = shown["pushed_at"].dt.tz_localize(None).dt.to_period("M").dt.start_time
    begin, end = (day_numbers(month + pd.DateOffset(months=n)) for n in (0, 1))
    rows = pd.DataFrame({"row": row, "begin": begin, "end": end})
    table = pd.crosstab([rows[name] for name in rows], shown["kind"].array)
    most = table.sum(axis=1).groupby("row").max()
    place = table.index.to_frame()
    # A row is one high, and what touches the next is not told from it.
    foot = place["row"].to_numpy("float64") + _MONTH / 2
    scale = _MONTH / place["row"].map(most).to_numpy("float64")
    for kind, (label, color, *_) in _KINDS.items():
        if kind in table:
            high = table[kind].to_numpy() * scale
            look: dict[str, Any] = {"color": color, "label": label, "align": "edge"}
            look |= {"width": place["end"] - place["begin"], "bottom": foot}
            ax.bar(place["begin"], -high, **look | artist)
            foot = foot - high
    return [f"up to {count:,} a month" for count in most]


def plot_latest_lag(lag: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show when ``latest`` and the highest version were pushed, those most behind on top.

    A row per repository, a ring at the push of its highest version, a dot at that of ``latest``,
    and in words how far that is behind; the words alone where no date is known.

    Parameters
    ----------
    lag
        The table `latest_lag`. Of more than 40 repositories those most versions behind, then most
        days, are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.scatter`.
    """
    LATEST_LAG.require(lag)
    order = ["versions_behind", "lag_days"]
    ranked = lag.sort_values(order, ascending=False, kind="stable", na_position="last")
    shown = ranked.head(canvas.room(ax, below=1))
    late = int(lag["is_highest"].eq(other=False).sum())
    count = wording.counted(len(lag), "repository")
    title = f"latest is behind the highest version in {late:,} of {count}"
    ax = canvas.axes(ax, len(shown), title)
    if shown.empty:
        return canvas.say_nothing(ax, "no repositories")
    pushed = (shown[f"{which}_pushed_at"] for which in ("latest", "highest"))
    latest, highest = (day_numbers(day.where(day.dt.year <= _LAST_YEAR)) for day in pushed)
    canvas.name_rows(ax, shown["repo"], map(_behind, shown.itertuples()))
    missing = {"more {repository}": len(lag) - len(shown)}
    if np.isnan([latest, highest]).all():
        # What is behind stands beside; registries other than the Hub tell no dates.
        ax.set_xticks([])
        return canvas.explain(ax, "no push has a date", missing)
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
    return canvas.explain(ax, "last push, UTC", missing)


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

    A bar per repository, its tags by the time since their last push, and the share of stale ones in
    words. Tags without a date are grey.

    Parameters
    ----------
    staleness
        The table `staleness`. Of more than 40 repositories those with most tags are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    STALENESS.require(staleness, ("repo", "age_days", "is_stale"))
    counts = staleness["repo"].value_counts()
    most = canvas.room(ax, below=_LINES)
    shown = staleness[staleness["repo"].isin(counts.index[:most])]
    is_stale = shown["is_stale"].fillna(value=False).astype("float64")
    stale = is_stale.groupby(shown["repo"], sort=False).mean()
    stale = stale.sort_values(ascending=False, kind="stable")
    tags = wording.some(len(shown), len(staleness), "tag")
    ax = canvas.axes(ax, len(stale), f"Age of {tags}")
    if shown.empty:
        return canvas.say_nothing(ax, "no tags")
    age = shown["age_days"].to_numpy("float64", na_value=np.nan)
    place = np.searchsorted([limit for limit, *_ in _AGES], age)
    shares = pd.crosstab(place, shown["repo"].to_numpy(), normalize="columns")[stale.index]
    looks = [_AGES[place][1:] for place in shares.index]
    parts = [(*look, share) for look, share in zip(looks, shares.to_numpy(), strict=True)]
    canvas.stack(ax, parts, {"linewidth": 1} | artist)
    share_axis(ax.xaxis)
    ax.set_xlim(0, 1)
    is_dated = shown["age_days"].notna().groupby(shown["repo"]).any()[stale.index]
    words = (stale.map(wording.percent) + " stale").where(is_dated, "not known")
    canvas.name_rows(ax, [f"{repo} ({counts[repo]:,})" for repo in stale.index], words)
    missing = {"more {repository}": len(counts) - len(stale)}
    return canvas.explain(ax, "share of the repository's tags", missing)


def plot_cadence(
    cadence: pd.DataFrame, *, log: bool = True, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Show the days between one version and the next, the quickest repositories on top.

    A row per repository: a thin line for eight tenths of the times, a thick one for half of them, a
    dot for the median.

    Parameters
    ----------
    cadence
        The table `cadence`. Repositories with fewer than two dated versions are left out; of more
        than 40 the quickest are shown.
    log
        Whether the days are on a logarithmic axis.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.scatter`.
    """
    CADENCE.require(cadence)
    known = cadence.dropna(subset="days_p50").sort_values("days_p50", kind="stable")
    shown = known.head(canvas.room(ax, below=1))
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
    days = [f"{day:,.0f}" if day >= _WHOLE else f"{day:.2g}" for day in shown["days_p50"]]
    pairs = zip(days, shown["version_count"], strict=True)
    words = [f"{day} day{'s' * (day != '1')}, {wording.counted(n, 'version')}" for day, n in pairs]
    canvas.name_rows(ax, shown["repo"], words)
    return canvas.explain(ax, "logarithmic axis" if log else "days", missing)


def _day_axis(ax: Axes, least: float, most: float) -> None:
    """Mark hours to years on a logarithmic axis."""
    ax.set_xlim(0.7 * least, 1.4 * most)
    ax.xaxis.set_major_locator(_DayLocator())
    ax.xaxis.set_major_formatter(lambda days, _: _DAYS.get(days, ""))
    ax.xaxis.set_minor_formatter("")


class _DayLocator(Locator):
    """Marks none of which touches the one before, when they are drawn."""

    def __call__(self) -> list[float]:
        axis: Any = self.axis
        return self.tick_values(*axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Choose the marks between two numbers of days."""
        axis: Any = self.axis
        apart = _APART / max(axis.get_tick_space(), 1) * np.log(vmax / vmin)
        marks: list[float] = []
        for day in _DAYS:
            if vmin <= day <= vmax and (not marks or np.log(day / marks[-1]) > apart):
                marks.append(day)
        return marks
