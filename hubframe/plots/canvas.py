"""The Axes to draw on, with a row per thing, and what they say when there is nothing to show."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes

from hubframe.plots import wording

WIDTH = 9.0
_POINTS_PER_INCH = 72
_LONGEST_NAME = 40


def height(rows: int) -> float:
    """Return the height in inches at which so many rows are easy to read."""
    return 1.6 + 0.28 * max(rows, 3)


def canvas(ax: Axes | None, rows: int) -> Axes:
    """Return the Axes to draw on: those given, pyplot's current ones, or new ones of fit size."""
    if ax is not None:
        return ax
    # pyplot picks a window system; who gives an Axes may be on a thread or a server without one.
    import matplotlib.pyplot as plt  # noqa: PLC0415

    if not plt.get_fignums():
        plt.figure(figsize=(WIDTH, height(rows)), layout="constrained")
    return plt.gca()


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name the rows, the first one on top, in letters small enough to stand apart."""
    size = row_font(ax, len(names))
    # Half of the room that the Axes have now; a letter is about six tenths as wide as it is high.
    letters = int(0.5 * _points(ax.bbox.width, ax) / (0.6 * size))
    drawn = [wording.drawn(name, min(max(letters, 12), _LONGEST_NAME)) for name in names]
    ax.set_yticks(range(len(names)), drawn, fontsize=size)
    ax.set_ylim(len(names) - 0.4, -0.6)


def row_font(ax: Axes, rows: int) -> float:
    """Return the font size in points at which the rows of the Axes do not touch."""
    room = _points(ax.bbox.height, ax) / max(rows, 1)
    return float(min(mpl.rcParams["font.size"], max(0.8 * room, 3)))


def _points(pixels: float, ax: Axes) -> float:
    """Turn pixels into points."""
    return float(pixels / ax.figure.dpi_scale_trans.get_matrix()[0, 0] * _POINTS_PER_INCH)


def say_nothing(ax: Axes, reason: str) -> Axes:
    """Write on empty Axes that there is nothing to show, and why."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.text(
        0.5, 0.5, f"nothing to show: {reason}", transform=ax.transAxes, ha="center", va="center"
    )
    return ax
