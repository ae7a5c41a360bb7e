"""Which names are the same image, or made of the same layers."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, name_rows, say_nothing, write_beside
from hubframe.plots.names import image_names
from hubframe.plots.style import BLUE, VERMILION, count_axis
from hubframe.tables.measured import DUPLICATES

MOST = 40
_LONGEST = 46


def plot_duplicates(duplicates: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show how many names each set of layers has, tags of one image apart from rebuilds.

    Parameters
    ----------
    duplicates
        The table `duplicates`, as `hubframe.duplicates_df` makes it. The first 40 groups are
        shown, which have most names, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per group, called by its first name; the other names stand beside it.
    """
    DUPLICATES.require(duplicates)
    named = duplicates.assign(called=image_names(duplicates))
    groups = named.groupby("group", sort=False).agg(
        first=("called", "first"),
        names=("called", list),
        count=("name_count", "first"),
        images=("image_count", "first"),
    )
    shown = groups.head(MOST)
    ax = canvas(ax, len(shown))
    ax.set_title(f"Names with the same layers: {wording.some(len(shown), len(groups), 'group')}")
    if shown.empty:
        return say_nothing(ax, "no two names have the same layers")
    is_rebuilt = (shown["images"] > 1).tolist()
    colors = [VERMILION if rebuilt else BLUE for rebuilt in is_rebuilt]
    counts = shown["count"].astype("float64").tolist()
    ax.barh(range(len(shown)), counts, **{"color": colors} | artist)
    count_axis(ax.xaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    missing = {("more", "group", ""): len(groups) - len(shown)}
    ax.set_xlabel(wording.left_out("names", missing))
    name_rows(ax, shown["first"].tolist())
    write_beside(ax, counts, [_others(names) for names in shown["names"]])
    legend_below(ax, _legend())
    return ax


def _others(names: list[str]) -> str:
    """List names as far as there is room, the first in any case, and count the others."""
    others = [wording.drawn(name, _LONGEST) for name in dict.fromkeys(names) if name != names[0]]
    ends = np.cumsum([len(name) + 2 for name in others])
    fit = max(int(np.searchsorted(ends, _LONGEST)), 1)
    listed = ", ".join(others[:fit])
    return listed if len(others) <= fit else f"{listed} and {len(others) - fit:,} more"


def _legend() -> list[Patch]:
    return [
        Patch(color=BLUE, label="tags of one image"),
        Patch(color=VERMILION, label="different images with the same layers"),
    ]
