"""How figures compare with those that studies published."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUE, GREEN, GREY, ORANGE, VERMILION
from hubframe.tables.measured import FIGURES

_COLORS = (BLUE, VERMILION, GREEN, ORANGE)
# These grow with the number of images, so that yours and a study's say nothing of each other.
_TOTALS = ("_count", "referenced_size", "stored_size")
_FURTHEST = 1000


def plot_figures(figures: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show each figure by that of the study beside it, on a logarithmic axis.

    A row per figure, and a dot at how many times the study's figure yours is; at the edge where
    that is more than 1,000 times, or less than a thousandth.

    Parameters
    ----------
    figures
        The table `figures`, as `hubframe.summary` or `hubframe.sharing` makes it. Figures that the
        frames do not tell, or of which no study's value is known, are left out. So are totals,
        which grow with the number of images.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.scatter`.
    """
    FIGURES.require(figures)
    is_comparable = (figures["value"] > 0).fillna(value=False) & figures["paper_value"].notna()
    is_comparable &= ~figures["metric"].str.endswith(_TOTALS)
    comparable = figures[is_comparable]
    shown = comparable.head(canvas.room(ax, below=1)).reset_index(drop=True)
    ax = canvas.axes(ax, len(shown), "Your figures by the published ones")
    if shown.empty:
        return canvas.say_nothing(ax, "no figure has a published one beside it")
    ratio = (shown["value"] / shown["paper_value"]).clip(1 / _FURTHEST, _FURTHEST).to_numpy("float")
    ax.set_xscale("log")
    ax.axvline(1, color=GREY, linewidth=1)
    ax.hlines(np.arange(len(shown)), 1, ratio, color=GREY, linewidth=1.2)
    for color, (paper, rows) in zip(_COLORS, shown.groupby("paper").groups.items(), strict=False):
        look: dict[str, Any] = {"color": color, "s": 36, "zorder": 3}
        ax.scatter(
            ratio[list(rows)], list(rows), label=wording.drawn(str(paper), 24), **look | artist
        )
    ax.set_xlim(0.2 * min(ratio.min(), 1), 5 * max(ratio.max(), 1))
    ax.xaxis.set_major_formatter("{x:g} \N{MULTIPLICATION SIGN}")
    ax.xaxis.set_minor_formatter("")
    units: Any = {"bytes": wording.size, "share": wording.percent}
    words = [units.get(unit, wording.large) for unit in shown["unit"]]
    values = zip(words, shown["value"], shown["paper_value"], strict=True)
    pairs = [f"{word(value)} : {word(published)}" for word, value, published in values]
    canvas.name_rows(ax, shown["metric"].str.replace("_", " "), pairs)
    missing = {
        "more {figure}": len(comparable) - len(shown),
        "{figure} without an equal": len(figures) - len(comparable),
    }
    return canvas.explain(ax, "times the study's figure", missing)
