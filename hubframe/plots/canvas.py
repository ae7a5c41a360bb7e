"""The Axes to draw on, with a row per thing, and what they say when there is nothing to show."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from hubframe.plots import wording

# How many rows a picture has at most.
MOST = 40
_WIDTH = 9.0
_POINTS_PER_INCH = 72
_LONGEST_NAME = 40
# How much of the width long names of rows leave to the Axes themselves.
_PLOTTED = 0.7
# How wide a letter is, by how high the font is.
_LETTER = 0.6
_DIGITS = len("sha256:") + 12


def height(rows: int) -> float:
    """Return the height in inches at which so many rows are easy to read."""
    return 1.6 + 0.28 * max(rows, 3)


def axes(ax: Axes | None, rows: int, title: str) -> Axes:
    """Give a title to the Axes to draw on: those given, pyplot's current ones, or new ones."""
    if ax is None:
        # pyplot picks a window system; who gives an Axes may be on a server without one.
        import matplotlib.pyplot as plt  # noqa: PLC0415

        if not plt.get_fignums():
            plt.figure(figsize=(_WIDTH, height(rows)), layout="constrained")
        ax = plt.gca()
    ax.set_title(title)
    return ax


def say_nothing(ax: Axes, reason: str) -> Axes:
    """Write on empty Axes that there is nothing to show, and why."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    text = f"nothing to show: {reason}"
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")
    return ax


def bars(ax: Axes, rows: Any, widths: Any, look: Mapping[str, Any]) -> None:
    """Draw bars that touch, with a fine line between them."""
    edge: dict[str, Any] = {"edgecolor": mpl.rcParams["axes.facecolor"], "linewidth": 0.6}
    ax.barh(rows, widths, **edge | dict(look))


def stack(ax: Axes, parts: Iterable[tuple[str, str, Any]], artist: dict[str, Any]) -> Any:
    """Stack a part of each row on the part before, and return where they end.

    Parameters
    ----------
    ax
        The Axes.
    parts
        What each part is called, its colour, and how long it is in each row, as an array.
    artist
        Passed on to `matplotlib.axes.Axes.barh`.
    """
    ends: Any = 0
    for label, color, widths in parts:
        look = {"color": color, "label": label, "left": ends}
        bars(ax, range(len(widths)), widths, look | artist)
        ends = ends + widths
    return ends


def stack_layers(ax: Axes, rows: Any, sizes: pd.Series, look: dict[str, Any]) -> list[float]:
    """Stack the layers of each row in their order, and return where the rows end."""
    widths = sizes.fillna(0).astype(float)
    by_row = widths.groupby(rows)
    bars(ax, rows, widths.to_numpy(), {"left": (by_row.cumsum() - widths).to_numpy()} | look)
    return by_row.sum().tolist()


def image_names(frame: pd.DataFrame) -> pd.Series:
    """Name the image of each row: its tag, or its digest; the repository too if there are several.

    Parameters
    ----------
    frame
        A frame with ``repo``, ``tag`` and, where tags may be null, ``image_digest``.
    """
    name = ":" + frame["tag"]
    if "image_digest" in frame:
        digest = frame["image_digest"].fillna("unknown")
        name = name.fillna("@" + digest.str.slice(0, _DIGITS))
    is_one_repo = len(frame["repo"].unique()) == 1
    return name.str.slice(1) if is_one_repo else frame["repo"] + name


def name_rows(ax: Axes, names: Iterable[str]) -> None:
    """Name the rows, the first one on top, in letters small enough to stand apart."""
    names = list(names)
    size = row_font(ax, len(names))
    # Half of the room that the Axes have now.
    letters = int(0.5 * _points(ax, ax.bbox.width) / (_LETTER * size))
    drawn = [wording.drawn(name, min(max(letters, 12), _LONGEST_NAME)) for name in names]
    ax.set_yticks(range(len(names)), drawn, fontsize=size)
    ax.set_ylim(len(names) - 0.4, -0.6)


def row_font(ax: Axes, rows: int) -> float:
    """Return the font size in points at which the rows of the Axes do not touch."""
    return fit_font(ax, ax.bbox.height, rows)


def fit_font(ax: Axes, room: float, lines: int) -> float:
    """Return the font size in points at which so many lines fit into a room in pixels."""
    line = _points(ax, room) / max(lines, 1)
    return float(min(mpl.rcParams["font.size"], max(0.8 * line, 3)))


def _points(ax: Axes, pixels: float) -> float:
    return pixels / ax.figure.dpi * _POINTS_PER_INCH


def write_beside(ax: Axes, ends: Iterable[float], words: Iterable[str]) -> None:
    """Write words at the right ends of the bars of an axis from 0, and make room for them."""
    ends, words = list(ends), list(words)
    size = 0.9 * row_font(ax, len(words))
    room = _PLOTTED * _points(ax, ax.bbox.width)
    limit = 0.0
    for row, (end, word) in enumerate(zip(ends, words, strict=True)):
        write(ax, word, (end, row), size)
        limit = max(limit, end / (1 - min((_LETTER * size * len(word) + 8) / room, 0.8)))
    ax.set_xlim(0, limit or 1)


def write_right(ax: Axes, words: Sequence[str]) -> None:
    """Write a word for each row beyond the right edge, where no data are."""
    size = 0.9 * row_font(ax, len(words))
    color = mpl.rcParams["axes.labelcolor"]
    look: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "xytext": (8, 0), "color": color}
    for row, word in enumerate(words):
        write(ax, word, (1, row), size, **look)


def write(ax: Axes, word: str, point: tuple[float, float], size: float, **look: Any) -> None:
    """Write a word at the right of a point."""
    usual: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    ax.annotate(word, point, **usual | {"fontsize": size} | look)


def patches(*colours: tuple[str, str]) -> list[Artist]:
    """Make the patches of a legend that tell what colours mean."""
    return [Patch(color=color, label=label) for label, color in colours]


def legend_below(ax: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Explain the colours below the axis, where no data are, in as many columns as fit."""
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    widths = [len(str(handle.get_label())) + 8 for handle in shown]
    names = [len(name.get_text()) * float(name.get_fontsize()) for name in ax.get_yticklabels()]
    room = _points(ax, ax.figure.bbox.width) - _LETTER * max(names, default=0)
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
