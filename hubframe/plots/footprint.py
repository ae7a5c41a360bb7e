"""How many bytes things share, hold alone, and would free."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, name_rows, say_nothing, write_beside
from hubframe.plots.names import image_names
from hubframe.plots.style import BLUES, ORANGES, byte_axis
from hubframe.tables.measured import FOOTPRINT

MOST = 40


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
    ax = canvas(ax, len(shown))
    thing = _thing(footprint)
    count = wording.some(len(shown), len(footprint), thing)
    ax.set_title(f"What is shared, and what is freed: {count}")
    if shown.empty:
        return say_nothing(ax, "no layers")
    ends = _stack(ax, shown, artist)
    byte_axis(ax.xaxis)
    missing = {("more", thing, ""): len(footprint) - len(shown)}
    ax.set_xlabel(wording.left_out("compressed bytes of distinct layers", missing))
    name_rows(ax, _names(shown).tolist())
    freed = shown["freed_size"].fillna(0)
    words = [
        f"{wording.size(end)}, frees {wording.size(free)}"
        for end, free in zip(ends, freed, strict=True)
    ]
    write_beside(ax, ends.tolist(), words)
    legend_below(ax)
    return ax


def _thing(footprint: pd.DataFrame) -> str:
    """Tell from its columns what a row is."""
    if footprint["repo"].isna().any():
        return "namespace"
    tags = footprint["tag"].notna() | footprint["image_digest"].notna()
    return "tag" if tags.any() else "repository"


def _names(footprint: pd.DataFrame) -> pd.Series:
    name = {"namespace": "namespace", "repository": "repo"}.get(_thing(footprint))
    return image_names(footprint) if name is None else footprint[name]


def _stack(ax: Axes, shown: pd.DataFrame, artist: dict[str, Any]) -> Any:
    shared, exclusive, freed = (
        shown[column].fillna(0).to_numpy("float64")
        for column in ("shared_size", "exclusive_size", "freed_size")
    )
    kept = (exclusive - freed).clip(0)
    rows = np.arange(len(shown))
    left = np.zeros(len(shown))
    for label, color, width in (
        ("held elsewhere too", BLUES[1], shared),
        ("kept by other tags", ORANGES[3], kept),
        ("freed with it", ORANGES[0], freed),
    ):
        look: dict[str, Any] = {"color": color, "edgecolor": mpl.rcParams["axes.facecolor"]}
        look |= {"left": left, "label": label, "linewidth": 0.6}
        ax.barh(rows, width, **look | artist)
        left = left + width
    return left
