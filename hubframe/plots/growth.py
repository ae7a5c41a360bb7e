"""How the size of a line of releases moved, and the build steps that made the difference."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import threads
from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.style import GREY, byte_axis
from hubframe.tables.measured import SIZE_TREND

# How many steps have a colour of their own: those that moved most.
_COLOURED = 6
_LONGEST_STEP = 48
_LONGEST_TITLE = 56
_LINE = ["repo", "line", "platform"]


def plot_size_trend(trend: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Stack the build steps of releases, the newest on top, and colour those that moved most.

    Parameters
    ----------
    trend
        The table `size_trend`, as `hubframe.size_trend_df` makes it. Of several lines the one with
        most releases is drawn; of more than 40 releases the newest. The axis says what is left
        out.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per release, its base at the left, and its size and change written beside.
    """
    SIZE_TREND.require(trend)
    number = trend.groupby(_LINE, dropna=False, sort=False).ngroup()
    lengths = trend["release"].groupby(number).max()
    # Of lines of one length the first.
    line = trend if lengths.empty else trend[number == lengths.idxmax()]
    count = line["release"].nunique()
    shown = line[line["release"] > line["release"].max() - MOST] if count else line
    is_known = bool(shown["size"].notna().any())
    title = _title(shown) if is_known else "Size of releases, by build step"
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
    ax.set_xlabel(wording.left_out("compressed size", missing))
    canvas.name_rows(ax, releases["tag"])
    canvas.write_beside(ax, ends, [_beside(release) for release in releases.itertuples()])
    # The last release of a step names it.
    written = dict(zip(steps, map(_step, shown["instruction"], shown["step"]), strict=True))
    told = [(written[name], colour) for name, colour in colours.items()]
    canvas.legend_below(ax, canvas.patches(*told, ("other steps", GREY)))
    return ax


def _title(line: pd.DataFrame) -> str:
    first = line.iloc[0]
    where = f", {first['platform']}" if isinstance(first["platform"], str) else ""
    return wording.drawn(f"Size of {first['repo']}:{first['line']}{where}", _LONGEST_TITLE)


def _beside(release: Any) -> str:
    if pd.isna(release.total_size):
        return "not known"
    total = wording.size(release.total_size)
    change = release.total_change
    return total if pd.isna(change) or not change else f"{total}  {wording.more(change)}"


def _step(instruction: Any, position: Any) -> str:
    named = instruction if isinstance(instruction, str) else f"layer {position}"
    return wording.drawn(named, _LONGEST_STEP)
