"""How many bytes things share, hold alone, and would free."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.style import BLUES, ORANGES, byte_axis
from hubframe.tables.measured import FOOTPRINT


def plot_footprint(footprint: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Split the bytes of each row into what is shared, what is not, and what deleting would free.

    Parameters
    ----------
    footprint
        The table `footprint`, as `hubframe.footprint_df` makes it, by tag, image, repository or
        namespace. The first 40 rows are shown, which free most, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per row of the frame, in its order.
    """
    FOOTPRINT.require(footprint)
    shown = footprint.head(MOST)
    thing, names = _named(footprint)
    count = wording.some(len(shown), len(footprint), thing)
    ax = canvas.axes(ax, len(shown), f"What is shared, and what is freed: {count}")
    if shown.empty:
        return canvas.say_nothing(ax, "no layers")
    sizes = shown[["shared_size", "exclusive_size", "freed_size"]].fillna(0)
    shared, exclusive, freed = sizes.to_numpy("float64").T
    parts = (
        ("held elsewhere too", BLUES[1], shared),
        ("kept by other tags", ORANGES[3], (exclusive - freed).clip(0)),
        ("freed with it", ORANGES[0], freed),
    )
    ends = canvas.stack(ax, parts, artist)
    byte_axis(ax.xaxis)
    missing = {f"more {{{thing}}}": len(footprint) - len(shown)}
    ax.set_xlabel(wording.left_out("compressed bytes of distinct layers", missing))
    canvas.name_rows(ax, names.head(MOST))
    pairs = zip(map(wording.size, ends), map(wording.size, freed), strict=True)
    canvas.write_beside(ax, ends, [f"{end}, frees {free}" for end, free in pairs])
    canvas.legend_below(ax)
    return ax


def _named(footprint: pd.DataFrame) -> tuple[str, pd.Series]:
    """Tell from its columns what a row is, and name the rows."""
    if footprint["repo"].isna().any():
        return "namespace", footprint["namespace"]
    if (footprint["tag"].notna() | footprint["image_digest"].notna()).any():
        return "tag", canvas.image_names(footprint)
    return "repository", footprint["repo"]
