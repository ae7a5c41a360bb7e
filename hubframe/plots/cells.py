"""Matrices of cells, with a row and a column per thing."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from hubframe.plots import wording
from hubframe.plots.canvas import fit_font, row_font
from hubframe.plots.style import ramp

# How many rows the upright names of the columns are as high as.
NAMES_BELOW = 8
_LONGEST_COLUMN = 26
# From here on cells are so blue that white letters are easier to read.
_FULL = 0.85

Reals = npt.NDArray[np.float64]


def fill_cells(ax: Axes, cells: Reals, artist: dict[str, Any]) -> None:
    """Colour the cells, from 0 to 1 unless told otherwise; what is NaN is left empty."""
    look: dict[str, Any] = {"cmap": ramp(), "vmin": 0, "vmax": 1, "linewidth": 1.5}
    look["edgecolors"] = mpl.rcParams["axes.facecolor"]
    rows, columns = (np.arange(count + 1) - 0.5 for count in cells.shape)
    ax.pcolormesh(columns, rows, np.ma.masked_invalid(cells), **look | artist)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def slant_columns(ax: Axes, names: Sequence[str]) -> None:
    """Name the columns, where they are few."""
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right")


def name_columns(ax: Axes, names: Sequence[str]) -> None:
    """Name the columns upright, in letters that do not touch."""
    size = fit_font(ax, 0.7 * ax.bbox.width, len(names))
    drawn = [wording.drawn(name, _LONGEST_COLUMN) for name in names]
    ax.set_xticks(range(len(names)), drawn, rotation=90, fontsize=size)


def write_shares(ax: Axes, cells: Reals, *, sign: bool = True) -> None:
    """Write the per cents into the cells, with or without the sign."""
    size = min(row_font(ax, len(cells)), 8)
    for (row, column), share in np.ndenumerate(cells):
        words = wording.percent(share)
        ax.text(
            column,
            row,
            words if sign else words.partition(wording.BLANK)[0],
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share > _FULL else mpl.rcParams["text.color"],
            alpha=1 if share else 0.55,
        )
