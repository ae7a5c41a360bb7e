"""How sizes changed from one image or release to the next, and which steps made the difference."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import threads
from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUE, GREY, VERMILION, byte_axis
from hubframe.tables.measured import COMPARISON, SIZE_TREND

# How many steps have a colour of their own: those that moved most.
_COLOURED = 6
_LONGEST = 48
_LONGEST_TITLE = 56
_PAIR = ["left_name", "right_name"]
_OF_LAYER = ["aspect", "key", "change", "size_change"]
_CHANGES = ("added", "removed", "changed")
_LINE = ["repo", "line", "platform"]


def plot_size_trend(trend: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Stack the build steps of releases, the newest on top, and colour those that moved most.

    A bar per release, its base at the left, and its size and change written beside.

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
    shown = trend if lengths.empty else trend[number == lengths.idxmax()]
    count = shown["release"].nunique()
    shown = shown[shown["release"] > shown["release"].max() - canvas.MOST] if count else shown
    is_known = bool(shown["size"].notna().any())
    title = "Size of releases, by build step"
    if is_known:
        repo, line, platform = shown[_LINE].iloc[0]
        where = f", {platform}" if isinstance(platform, str) else ""
        title = wording.drawn(f"Size of {repo}:{line}{where}", _LONGEST_TITLE)
    ax = canvas.axes(ax, shown["release"].nunique(), title)
    if not is_known:
        return canvas.say_nothing(ax, "no releases whose size is known")
    steps = threads(shown)
    movers = shown["change"].abs().groupby(steps).sum().sort_values(ascending=False, kind="stable")
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    names = [name for name, moved in movers.head(_COLOURED).items() if moved]
    colours = dict(zip(names, cycle, strict=False))
    row = (shown["release"].max() - shown["release"]).to_numpy()
    look = {"color": [colours.get(step, GREY) for step in steps]}
    ends = canvas.stack_layers(ax, row, shown["size"], look | artist)
    byte_axis(ax.xaxis)
    releases = shown.drop_duplicates("release").sort_values("release", ascending=False)
    missing = {
        "earlier {release}": count - len(releases),
        "more {line} of releases": len(lengths) - 1,
    }
    canvas.name_rows(ax, releases["tag"], map(_beside, releases.itertuples()), ends)
    # The last release of a step names it.
    words = shown["instruction"].fillna("layer " + shown["step"].astype("str"))
    written = dict(zip(steps, words, strict=True))
    meanings = ((wording.drawn(written[name], _LONGEST), one) for name, one in colours.items())
    handles = canvas.patches(*meanings, ("other steps", GREY))
    return canvas.explain(ax, "compressed size", missing, handles)


def _beside(release: Any) -> str:
    size, change = release.total_size, release.total_change
    is_told = pd.notna(size) and pd.notna(change) and change
    return f"{wording.size(size)}{f'  {wording.more(change)}' if is_told else ''}"


def plot_comparison(comparison: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show what changed between images: bytes as bars, layer by layer, and the rest in counts.

    A bar for the size and for each layer, to the right where the image grew, and a row for each
    other aspect that says how much in it differs.

    Parameters
    ----------
    comparison
        The table `comparison`, as `hubframe.compare_df` makes it. Of more than 40 rows the layers
        that changed least are left out.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    COMPARISON.require(comparison)
    pairs = comparison.groupby(_PAIR, sort=False)
    rows = pd.DataFrame(
        [
            (f"{right}  {name}" if pairs.ngroups > 1 else name, size, words)
            for (_, right), pair in pairs
            for aspect, found in pair.groupby("aspect", sort=False)
            for name, size, words in _rows(str(aspect), found)
        ],
        columns=["name", "bytes", "words"],
    )
    # What has no bytes, and the layers that changed most, in their order.
    weight = rows["bytes"].astype("Float64").abs().fillna(np.inf)
    chosen = weight.sort_values(ascending=False, kind="stable").index[: canvas.MOST]
    shown = rows.loc[chosen.sort_values()]
    several = f" in {wording.counted(len(pairs), 'comparison')}" if len(pairs) else ""
    title = f"What changed{several}"
    if len(pairs) == 1:
        names = comparison[_PAIR].iloc[0]
        title = "From {} to {}".format(*(wording.drawn(name, 38) for name in names))
    ax = canvas.axes(ax, len(shown), title)
    if shown.empty:
        return canvas.say_nothing(ax, "the images do not differ")
    width = shown["bytes"].fillna(0).to_numpy("float64")
    colors = np.where(width < 0, BLUE, VERMILION).tolist()
    ax.barh(np.arange(len(shown)), width, **{"color": colors} | artist)
    ax.axvline(0, color=ax.xaxis.label.get_color(), linewidth=0.8)
    byte_axis(ax.xaxis)
    canvas.name_rows(ax, shown["name"])
    # At the ends of the bars, with room on both sides.
    span = float(np.ptp(np.append(width, 0.0))) or 1.0
    ax.set_xlim(min(width.min(), 0) - 0.25 * span, max(width.max(), 0) + 0.25 * span)
    font = 0.9 * canvas.row_font(ax, len(shown))
    for row, (end, word) in enumerate(zip(width, shown["words"], strict=True)):
        side, align = (-4, "right") if end < 0 else (4, "left")
        canvas.write(ax, word, (end, row), font, xytext=(side, 0), ha=align)
    missing = {"{layer} that changed less": len(rows) - len(shown)}
    return canvas.explain(ax, "compressed bytes more, or fewer", missing)


def _rows(aspect: str, found: pd.DataFrame) -> list[tuple[str, Any, str]]:
    """Name a row for each size and layer, and one for any other aspect, with what changed."""
    if aspect in ("size", "layers"):
        return [
            ("size" if aspect == "size" else f"layer {key} {change}", size, wording.more(size))
            for _, key, change, size in found[_OF_LAYER].itertuples(index=False, name=None)
        ]
    counts = found["change"].value_counts()
    words = ", ".join(f"{counts[change]:,} {change}" for change in _CHANGES if change in counts)
    return [(aspect, None, words)]
