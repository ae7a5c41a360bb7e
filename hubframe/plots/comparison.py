"""What changed from one image to the next, in bytes and in counts."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, name_rows, row_font, say_nothing
from hubframe.plots.style import BLUE, VERMILION, byte_axis
from hubframe.tables.measured import COMPARISON

MOST = 40
_IN_BYTES = ("size", "layers")
_OF_LAYER = ["aspect", "key", "change", "size_change"]
_CHANGES = ("added", "removed", "changed")


def plot_comparison(comparison: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show what changed between images: bytes as bars, layer by layer, and the rest in counts.

    Parameters
    ----------
    comparison
        The table `comparison`, as `hubframe.compare_df` makes it. Of more than 40 rows the layers
        that changed least are left out, and the axis says how many.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar for the size and for each layer, to the right where the image grew, and a row
        for each other aspect that says how much in it differs.
    """
    COMPARISON.require(comparison)
    rows = _rows(comparison)
    shown = _largest(rows)
    ax = canvas(ax, len(shown))
    ax.set_title(_title(comparison))
    if shown.empty:
        return say_nothing(ax, "the images do not differ")
    width = shown["bytes"].fillna(0).to_numpy("float64")
    colors = np.where(width < 0, BLUE, VERMILION).tolist()
    ax.barh(np.arange(len(shown)), width, **{"color": colors} | artist)
    ax.axvline(0, color=ax.xaxis.label.get_color(), linewidth=0.8)
    byte_axis(ax.xaxis)
    missing = {("", "layer", "that changed less"): len(rows) - len(shown)}
    ax.set_xlabel(wording.left_out("compressed bytes more, or fewer", missing))
    name_rows(ax, shown["name"].tolist())
    _write_changes(ax, width, shown["words"].tolist())
    return ax


def _title(comparison: pd.DataFrame) -> str:
    pairs = comparison[["left_name", "right_name"]].drop_duplicates()
    if len(pairs) != 1:
        return (
            f"What changed in {wording.counted(len(pairs), 'comparison')}"
            if len(pairs)
            else "What changed"
        )
    left, right = (wording.drawn(name, 38) for name in pairs.iloc[0])
    return f"From {left} to {right}"


def _rows(comparison: pd.DataFrame) -> pd.DataFrame:
    """Make a row of each layer and size, and of each other aspect of a pair."""
    pairs = comparison.groupby(["left_name", "right_name"], sort=False)
    several = pairs.ngroups > 1
    rows = [
        row | {"name": f"{right}  {row['name']}" if several else row["name"]}
        for (_, right), pair in pairs
        for aspect, found in pair.groupby("aspect", sort=False)
        for row in (_in_bytes(found) if aspect in _IN_BYTES else [_counted(str(aspect), found)])
    ]
    return pd.DataFrame(rows, columns=["name", "bytes", "words"])


def _in_bytes(found: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "name": "size" if aspect == "size" else f"layer {key} {change}",
            "bytes": size,
            "words": _signed(size),
        }
        for aspect, key, change, size in found[_OF_LAYER].itertuples(index=False, name=None)
    ]


def _counted(aspect: str, found: pd.DataFrame) -> dict[str, Any]:
    counts = found["change"].value_counts()
    words = ", ".join(f"{counts[change]:,} {change}" for change in _CHANGES if change in counts)
    return {"name": aspect, "bytes": None, "words": words}


def _signed(change: Any) -> str:
    if pd.isna(change):
        return "not known"
    sign = "\N{MINUS SIGN}" if change < 0 else "+" if change else ""
    return f"{sign}{wording.size(abs(change))}"


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep what has no bytes, and the layers that changed most, in their order."""
    weight = rows["bytes"].astype("Float64").abs().fillna(np.inf)
    chosen = weight.sort_values(ascending=False, kind="stable").index[:MOST]
    return rows.loc[chosen.sort_values()]


def _write_changes(ax: Axes, width: Any, words: list[str]) -> None:
    """Write what changed at the ends of the bars, and make room on both sides."""
    span = float(np.ptp(np.append(width, 0.0))) or 1.0
    ax.set_xlim(min(width.min(), 0) - 0.25 * span, max(width.max(), 0) + 0.25 * span)
    for row, (end, word) in enumerate(zip(width, words, strict=True)):
        side = -1 if end < 0 else 1
        ax.annotate(
            word,
            (end, row),
            xytext=(4 * side, 0),
            textcoords="offset points",
            va="center",
            ha="right" if side < 0 else "left",
            fontsize=0.9 * row_font(ax, len(words)),
        )
