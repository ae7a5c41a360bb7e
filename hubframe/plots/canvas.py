"""The Axes to draw on, with a row per thing, and what they say when there is nothing to show."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.text import Text

from hubframe.plots import wording

WIDTH = 9.0
_POINTS_PER_INCH = 72
_LONGEST_NAME = 40
# How much of the width long names of rows leave to the Axes themselves.
_PLOTTED = 0.7
# How wide a letter is, by how high the font is.
_LETTER = 0.6


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
    # Half of the room that the Axes have now.
    letters = int(0.5 * _points(ax.bbox.width, ax) / (_LETTER * size))
    drawn = [wording.drawn(name, min(max(letters, 12), _LONGEST_NAME)) for name in names]
    ax.set_yticks(range(len(names)), drawn, fontsize=size)
    ax.set_ylim(len(names) - 0.4, -0.6)


def row_font(ax: Axes, rows: int) -> float:
    """Return the font size in points at which the rows of the Axes do not touch."""
    room = _points(ax.bbox.height, ax) / max(rows, 1)
    return float(min(mpl.rcParams["font.size"], max(0.8 * room, 3)))


def _width(name: Text) -> float:
    """Return how wide a name is, by how wide a letter is to its height, in points."""
    return len(name.get_text()) * float(name.get_fontsize())


def _points(pixels: float, ax: Axes) -> float:
    """Turn pixels into points."""
    return float(pixels / ax.figure.dpi_scale_trans.get_matrix()[0, 0] * _POINTS_PER_INCH)


def write_beside(ax: Axes, ends: Sequence[float], words: Sequence[str]) -> None:
    """Write words at the right ends of the bars of an axis from 0, and make room for them."""
    size = 0.9 * row_font(ax, len(words))
    room = _PLOTTED * _points(ax.bbox.width, ax)
    limit = 0.0
    for row, (end, word) in enumerate(zip(ends, words, strict=True)):
        ax.annotate(
            word, (end, row), xytext=(6, 0), textcoords="offset points", va="center", fontsize=size
        )
        limit = max(limit, end / (1 - min((_LETTER * size * len(word) + 8) / room, 0.8)))
    ax.set_xlim(0, limit or 1)


def write_right(ax: Axes, words: Sequence[str]) -> None:
    """Write a word for each row beyond the right edge, where no data are."""
    for row, word in enumerate(words):
        ax.annotate(
            word,
            (1, row),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=0.9 * row_font(ax, len(words)),
            color=mpl.rcParams["axes.labelcolor"],
        )


def legend_below(ax: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Explain the colours below the axis, where no data are, in as many columns as fit."""
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    widths = [len(str(handle.get_label())) + 8 for handle in shown]
    names = max((_LETTER * _width(name) for name in ax.get_yticklabels()), default=0.0)
    room = _points(ax.figure.bbox.width, ax) - names
    letters = room / (_LETTER * float(mpl.rcParams["font.size"]))
    fit = int(letters // max(widths)) if sum(widths) > letters else len(widths)
    lines = ax.get_xlabel().count("\n") + 1 if ax.get_xlabel() else 0
    ax.legend(
        handles=shown,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        borderaxespad=2.6 + 1.6 * lines,
        ncols=max(fit, 1),
    )


def say_nothing(ax: Axes, reason: str) -> Axes:
    """Write on empty Axes that there is nothing to show, and why."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.text(
        0.5, 0.5, f"nothing to show: {reason}", transform=ax.transAxes, ha="center", va="center"
    )
    return ax
