"""How sizes changed from one image or release to the next, and which steps made the difference."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hubframe.measure import threads
from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUE, GREY, byte_axis, signed_byte_axis
from hubframe.tables.measured import COMPARISON, SIZE_TREND

_LONGEST_TITLE = 40
_PAIR = ["left_name", "right_name"]
# Of each of the two bars in a row.
_THICKNESS = 0.38
_LINE = ["repo", "line", "platform"]


def plot_size_trend(trend: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Stack what build steps added to releases, and took away, from one to the next.

    A row per release, the newest on top: to the right what grew, to the left what shrank, and the
    sum as a line. The steps that moved most have a colour each. Size and change are written beside.

    Parameters
    ----------
    trend
        The table `size_trend`. Of several lines the one with most releases is drawn; of more than
        40 releases the newest.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    SIZE_TREND.require(trend)
    number = trend.groupby(_LINE, dropna=False, sort=False).ngroup()
    lengths = trend["release"].groupby(number).max()
    # Of lines of one length the first.
    line = trend if lengths.empty else trend[number == lengths.idxmax()]
    newest = line.drop_duplicates("release").sort_values("release", ascending=False)
    releases = newest.head(canvas.room(ax, below=canvas.LEGEND))
    is_known = bool(line["change"].notna().any())
    title = "Change in size of releases, by build step"
    if is_known:
        repo, name, platform = line[_LINE].iloc[0]
        where = f", {platform}" if isinstance(platform, str) else ""
        title = f"Change in size of {wording.drawn(f'{repo}:{name}', _LONGEST_TITLE)}{where}"
    ax = canvas.axes(ax, len(releases) + canvas.LEGEND, title)
    if not is_known:
        return canvas.say_nothing(ax, "no two releases of a line whose sizes are known")
    row = len(newest) - 1 - line["release"].to_numpy("int64")
    is_shown = row < len(releases)
    shown, row = line[is_shown].reset_index(drop=True), row[is_shown]
    steps = threads(line)[is_shown].reset_index(drop=True)
    places = shown["step"].fillna(shown["previous_step"])
    # The newest release that has a step names it.
    names = shown["instruction"].iloc[::-1].groupby(steps).transform("first").sort_index()
    colours, handles = canvas.step_colours(steps, places, shown["change"], names)
    canvas.stack_steps(ax, row, shown["change"], {"color": colours} | artist)
    totals = releases["total_change"].to_numpy("float64", na_value=np.nan)
    ink = mpl.rcParams["text.color"]
    sums: dict[str, Any] = {"color": ink, "linewidth": 1, "marker": "o", "markersize": 4}
    ax.plot(totals, range(len(totals)), **sums)
    ax.axvline(0, color=mpl.rcParams["axes.labelcolor"], linewidth=0.8)
    signed_byte_axis(ax.xaxis)
    if not shown["change"].any():
        ax.set_xlim(-1000, 1000)
    canvas.name_rows(ax, releases["tag"], map(_beside, releases.itertuples()))
    missing = {
        "earlier {release}": len(newest) - len(releases),
        "more {line} of releases": len(lengths) - 1,
    }
    handles = [Line2D([], [], **sums, label="all steps together"), *handles]
    return canvas.explain(ax, "compressed size, less that of the release before", missing, handles)


def _beside(release: Any) -> str:
    size, change = release.total_size, release.total_change
    return wording.size(size) + ("" if pd.isna(change) else f", {wording.more(change)}")


def plot_comparison(comparison: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show the build steps whose layers differ between images, before and after.

    A row per step, with a bar for its layer before and one for it after, and the change in words.
    What has no bytes, as labels and the environment, is counted below.

    Parameters
    ----------
    comparison
        The table `comparison`, as `hubframe.compare_df` makes it. Of more than 40 steps those that
        changed least are left out.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    COMPARISON.require(comparison)
    steps = comparison[comparison["aspect"] == "layers"].reset_index(drop=True)
    # What changed most, in its order.
    weight = steps["size_change"].astype("Float64").abs().fillna(np.inf)
    order = weight.sort_values(ascending=False, kind="stable").index
    shown = steps.loc[order[: canvas.room(ax)].sort_values()]
    pairs = comparison[_PAIR].drop_duplicates()
    title = f"What changed in {wording.counted(len(pairs), 'comparison')}"
    if len(pairs) == 1:
        title = "From {} to {}".format(*wording.distinct(pairs.iloc[0], _LONGEST_TITLE))
    ax = canvas.axes(ax, len(shown) + len(pairs), title)
    if comparison.empty:
        return canvas.say_nothing(ax, "the images do not differ")
    rows = np.arange(len(shown))
    sizes = shown[["left_size", "right_size"]].to_numpy("float64", na_value=0)
    look: dict[str, Any] = {"height": _THICKNESS}
    before, after = sizes.T
    ax.barh(rows - _THICKNESS / 2, before, **look | {"color": GREY, "label": "before"} | artist)
    ax.barh(rows + _THICKNESS / 2, after, **look | {"color": BLUE, "label": "after"} | artist)
    byte_axis(ax.xaxis)
    names = shown["instruction"].fillna("layer " + shown["key"])
    if len(pairs) > 1:
        # Without the namespace, which says least, where the rest tells them apart.
        short = shown["right_name"].str.rsplit("/").str[-1]
        is_clear = short.nunique() == shown["right_name"].nunique()
        names = (short if is_clear else shown["right_name"]) + "  " + names
    canvas.name_rows(ax, names, map(_change, shown.itertuples()), sizes.max(axis=1, initial=0))
    missing = {"{layer} that changed less": len(steps) - len(shown)}
    return canvas.explain(ax, _besides(comparison), missing)


def _change(step: Any) -> str:
    if step.change == "added":
        return f"{wording.more(step.right_size)}, added"
    if step.change == "removed":
        return f"{wording.size(step.left_size)}, removed"
    return f"{wording.size(step.right_size)}, {wording.more(step.size_change)}"


def _besides(comparison: pd.DataFrame) -> str:
    """Tell the sizes of the images, and count what differs besides their layers."""
    sizes = comparison[(comparison["aspect"] == "size") & (comparison["key"] == "size")]
    said = ["compressed size of layers"]
    if len(sizes) == 1:
        was, now, change = sizes[["left_size", "right_size", "size_change"]].iloc[0]
        said.append(f"of all {wording.size(was)} before, {wording.size(now)} after")
        said[-1] += f" ({wording.more(change)})"
    others = comparison[~comparison["aspect"].isin(["layers", "size"])]
    for aspect, found in others.groupby("aspect", sort=False)["change"]:
        counts = found.value_counts(sort=False).items()
        words = ", ".join(f"{count:,} {change}" for change, count in counts)
        said.append(f"{wording.drawn(str(aspect), 20)}: {words}")
    return "; ".join(said)
