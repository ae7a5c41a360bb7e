"""How the size of a line of releases moved, and the build steps that made the difference."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from hubframe.measure import threads
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, name_rows, say_nothing, write_beside
from hubframe.plots.style import GREY, byte_axis
from hubframe.tables.measured import SIZE_TREND

MOST = 40
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
    line, others = _longest(trend)
    count = line["release"].nunique()
    shown = line[line["release"] > line["release"].max() - MOST] if count else line
    ax = canvas(ax, shown["release"].nunique())
    if shown.empty or shown["size"].isna().all():
        ax.set_title("Size of releases, by build step")
        return say_nothing(ax, "no releases whose size is known")
    ax.set_title(_title(shown))
    steps = threads(shown)
    movers = shown["change"].abs().groupby(steps).sum().sort_values(ascending=False, kind="stable")
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    names = [name for name, moved in movers.head(_COLOURED).items() if moved]
    colours = dict(zip(names, cycle, strict=False))
    row = shown["release"].max() - shown["release"]
    width = shown["size"].fillna(0).astype(float)
    look: dict[str, Any] = {
        "color": [colours.get(step, GREY) for step in steps],
        "edgecolor": mpl.rcParams["axes.facecolor"],
        "linewidth": 0.6,
        "left": (width.groupby(row).cumsum() - width).to_numpy(),
    }
    ax.barh(row.to_numpy(), width.to_numpy(), **look | artist)
    byte_axis(ax.xaxis)
    releases = shown.drop_duplicates("release").sort_values("release", ascending=False)
    missing = {
        ("earlier", "release", ""): count - len(releases),
        ("more", "line", "of releases"): others,
    }
    ax.set_xlabel(wording.left_out("compressed size", missing))
    name_rows(ax, releases["tag"].tolist())
    ends = width.groupby(row).sum().sort_index()
    write_beside(ax, ends.tolist(), [_beside(release) for release in releases.itertuples()])
    # The last release of a step names it.
    written = dict(zip(steps, map(_step, shown["instruction"], shown["step"]), strict=True))
    handles = [Patch(color=colour, label=written[name]) for name, colour in colours.items()]
    legend_below(ax, [*handles, Patch(color=GREY, label="other steps")])
    return ax


def _longest(trend: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the line with most releases, of equals the first, and how many others there are."""
    number = trend.groupby(_LINE, dropna=False, sort=False).ngroup()
    lengths = trend["release"].groupby(number).max()
    if lengths.empty:
        return trend, 0
    return trend[number == lengths.idxmax()], len(lengths) - 1


def _title(line: pd.DataFrame) -> str:
    first = line.iloc[0]
    where = f", {first['platform']}" if isinstance(first["platform"], str) else ""
    return wording.drawn(f"Size of {first['repo']}:{first['line']}{where}", _LONGEST_TITLE)


def _beside(release: Any) -> str:
    if pd.isna(release.total_size):
        return "not known"
    total = wording.size(release.total_size)
    if pd.isna(release.total_change) or not release.total_change:
        return total
    sign = "+" if release.total_change > 0 else "\N{MINUS SIGN}"
    return f"{total}  {sign}{wording.size(abs(release.total_change))}"


def _step(instruction: Any, position: Any) -> str:
    named = instruction if isinstance(instruction, str) else f"layer {position}"
    return wording.drawn(named, _LONGEST_STEP)
