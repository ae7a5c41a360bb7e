"""Matrices of cells, with a row and a column per thing."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from hubframe.plots import wording
from hubframe.plots.canvas import LEAST, row_font
from hubframe.plots.style import BLUE

# How many rows the upright names of the columns are as high as.
NAMES_BELOW = 8
_LONGEST_COLUMN = 26
# From here on cells are so blue that white letters are easier to read.
_FULL = 0.85

Reals = npt.NDArray[np.float64]


def fill(ax: Axes, cells: Reals, artist: dict[str, Any]) -> None:
    """Colour the cells, from 0 to 1 unless told otherwise; what is NaN is left empty."""
    paper, ink = mpl.rcParams["axes.facecolor"], np.array(to_rgb(BLUE))
    nearly = tuple(0.92 * np.array(to_rgb(paper)) + 0.08 * ink)
    ramp = LinearSegmentedColormap.from_list("ramp", [nearly, BLUE])
    look: dict[str, Any] = {"cmap": ramp, "vmin": 0, "vmax": 1, "linewidth": 1.5}
    look["edgecolors"] = paper
    rows, columns = (np.arange(count + 1) - 0.5 for count in cells.shape)
    ax.pcolormesh(columns, rows, np.ma.masked_invalid(cells), **look | artist)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def name_columns(ax: Axes, names: Sequence[str]) -> None:
    """Name the columns upright, in letters that do not touch."""
    size = row_font(ax, len(names), 0.7 * ax.bbox.width)
    drawn = wording.distinct(names, _LONGEST_COLUMN)
    ax.set_xticks(range(len(names)), drawn, rotation=90, fontsize=size)


def write_shares(ax: Axes, cells: Reals, *, sign: bool = True) -> None:
    """Write the per cents into the cells, with or without the sign."""
    size = min(row_font(ax, len(cells)), LEAST)
    for (row, column), share in np.ndenumerate(cells):
        words = wording.percent(share)
        words = words if sign else words.partition(wording.BLANK)[0]
        cell = ax.text(column, row, words, ha="center", va="center", fontsize=size)
        cell.set_color("white" if share > _FULL else mpl.rcParams["text.color"])
        cell.set_alpha(1 if share else 0.55)


def clustered(similarity: Reals) -> list[int]:
    """Order things so that those that are similar are neighbours.

    The two groups that are most similar on average are joined, again and again, each turned so that
    its most similar ends meet. The time grows as the cube of their number.

    Examples
    --------
    >>> clustered(np.array([[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]]))
    [0, 2, 1]
    """
    count = len(similarity)
    groups = {number: [number] for number in range(count)}
    near = np.array(similarity, dtype="float64")
    np.fill_diagonal(near, -1)
    while len(groups) > 1:
        first, second = sorted(map(int, divmod(int(near.argmax()), count)))
        sizes = len(groups[first]), len(groups[second])
        joined = np.average(near[[first, second]], axis=0, weights=sizes)
        joined[[first, second]] = -1
        # Side by side, with the most similar of their ends in the middle.
        left, right = groups[first], groups.pop(second)
        ways = [(one, other) for one in (left, left[::-1]) for other in (right, right[::-1])]
        one, other = max(ways, key=lambda way: similarity[way[0][-1], way[1][0]])
        groups[first] = one + other
        near[first] = near[:, first] = joined
        near[second] = near[:, second] = -1
    return groups[0] if groups else []
