"""What changed from one image to the next, in bytes and in counts."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.style import BLUE, VERMILION, byte_axis
from hubframe.tables.measured import COMPARISON

_PAIR = ["left_name", "right_name"]
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
    shown = _largest(rows)
    ax = canvas.axes(ax, len(shown), _title(comparison))
    if shown.empty:
        return canvas.say_nothing(ax, "the images do not differ")
    width = shown["bytes"].fillna(0).to_numpy("float64")
    colors = np.where(width < 0, BLUE, VERMILION).tolist()
    ax.barh(np.arange(len(shown)), width, **{"color": colors} | artist)
    ax.axvline(0, color=ax.xaxis.label.get_color(), linewidth=0.8)
    byte_axis(ax.xaxis)
    missing = {"{layer} that changed less": len(rows) - len(shown)}
    ax.set_xlabel(wording.left_out("compressed bytes more, or fewer", missing))
    canvas.name_rows(ax, shown["name"])
    _write_changes(ax, width, shown["words"])
    return ax


def _title(comparison: pd.DataFrame) -> str:
    pairs = comparison[_PAIR].drop_duplicates()
    if len(pairs) == 1:
        left, right = (wording.drawn(name, 38) for name in pairs.iloc[0])
        return f"From {left} to {right}"
    several = f" in {wording.counted(len(pairs), 'comparison')}" if len(pairs) else ""
    return f"What changed{several}"


def _rows(aspect: str, found: pd.DataFrame) -> list[tuple[str, Any, str]]:
    """Name a row for each size and layer, and one for any other aspect, with what changed."""
    if aspect in ("size", "layers"):
        return [
            ("size" if aspect == "size" else f"layer {key} {change}", size, _signed(size))
            for _, key, change, size in found[_OF_LAYER].itertuples(index=False, name=None)
        ]
    counts = found["change"].value_counts()
    words = ", ".join(f"{counts[change]:,} {change}" for change in _CHANGES if change in counts)
    return [(aspect, None, words)]


def _signed(change: Any) -> str:
    return "not known" if pd.isna(change) else wording.more(change)


def _largest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep what has no bytes, and the layers that changed most, in their order."""
    weight = rows["bytes"].astype("Float64").abs().fillna(np.inf)
    chosen = weight.sort_values(ascending=False, kind="stable").index[:MOST]
    return rows.loc[chosen.sort_values()]


def _write_changes(ax: Axes, width: Any, words: pd.Series) -> None:
    """Write what changed at the ends of the bars, and make room on both sides."""
    span = float(np.ptp(np.append(width, 0.0))) or 1.0
    ax.set_xlim(min(width.min(), 0) - 0.25 * span, max(width.max(), 0) + 0.25 * span)
    size = 0.9 * canvas.row_font(ax, len(words))
    for row, (end, word) in enumerate(zip(width, words, strict=True)):
        side, align = (-4, "right") if end < 0 else (4, "left")
        canvas.write(ax, word, (end, row), size, xytext=(side, 0), ha=align)
