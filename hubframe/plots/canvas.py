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
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    text = f"nothing to show: {reason}"
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center")
    return ax


def bars(ax: Axes, names: Iterable[str], ends: Any, words: Iterable[str], **look: Any) -> None:
    """Draw a bar for each row, with its name before it and words behind."""
    ax.barh(range(len(ends)), ends, **look)
    name_rows(ax, names, words, ends)


def stack(ax: Axes, parts: Iterable[tuple[str, str, Any]], artist: dict[str, Any]) -> Any:
    """Stack parts of rows, each with its name, its colour and its lengths; return the ends."""
    ends: Any = 0
    for label, color, widths in parts:
        look = {"color": color, "label": label, "left": ends}
        ax.barh(range(len(widths)), widths, **_edge() | look | artist)
        ends = ends + widths
    return ends


def stack_layers(ax: Axes, rows: Any, sizes: pd.Series, look: dict[str, Any]) -> list[float]:
    """Stack the layers of each row in their order, and return where the rows end."""
    widths = sizes.fillna(0).astype(float)
    left = widths.groupby(rows).cumsum() - widths
    ax.barh(rows, widths.to_numpy(), **_edge() | {"left": left.to_numpy()} | look)
    return widths.groupby(rows).sum().tolist()


def _edge() -> dict[str, Any]:
    """Return what keeps bars apart that touch."""
    return {"edgecolor": mpl.rcParams["axes.facecolor"], "linewidth": 0.6}


def image_names(frame: pd.DataFrame) -> pd.Series:
    """Name the image of each row by its tag or digest, and repository if there are several."""
    name = ":" + frame["tag"]
    if "image_digest" in frame:
        name = name.fillna("@" + frame["image_digest"].fillna("unknown").str.slice(0, _DIGITS))
    is_one_repo = len(frame["repo"].unique()) == 1
    return name.str.slice(1) if is_one_repo else frame["repo"] + name


def name_rows(ax: Axes, names: Iterable[str], words: Iterable[str] = (), ends: Any = None) -> None:
    """Name the rows, the first one on top, in letters small enough to stand apart.

    Words for each row stand behind the ends of its bars, else beyond the right edge.
    """
    names = list(names)
    size = row_font(ax, len(names))
    # Half of the room that the Axes have now.
    letters = int(0.5 * _points(ax, ax.bbox.width) / (_LETTER * size))
    drawn = [wording.drawn(name, min(max(letters, 12), _LONGEST_NAME)) for name in names]
    ax.set_yticks(range(len(names)), drawn, fontsize=size)
    ax.set_ylim(len(names) - 0.4, -0.6)
    if ends is not None:
        _write_beside(ax, ends, list(words), 0.9 * size)
        return
    # Beyond the right edge, where no data are.
    look: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "xytext": (8, 0)}
    for row, word in enumerate(words):
        write(ax, word, (1, row), 0.9 * size, **look, color=mpl.rcParams["axes.labelcolor"])


def row_font(ax: Axes, rows: int, room: float | None = None) -> float:
    """Return the font size in points at which rows do not touch, in a room in pixels."""
    row = _points(ax, ax.bbox.height if room is None else room) / max(rows, 1)
    return float(min(mpl.rcParams["font.size"], max(0.8 * row, 3)))


def _points(ax: Axes, pixels: float) -> float:
    return pixels / ax.figure.dpi * _POINTS_PER_INCH


def _write_beside(ax: Axes, ends: Iterable[float], words: list[str], size: float) -> None:
    """Write words at the right ends of the bars of an axis from 0, and make room for them."""
    room = _PLOTTED * _points(ax, ax.bbox.width)
    limit = 0.0
    for row, (end, word) in enumerate(zip(ends, words, strict=True)):
        write(ax, word, (end, row), size)
        limit = max(limit, end / (1 - min((_LETTER * size * len(word) + 8) / room, 0.8)))
    ax.set_xlim(0, limit or 1)


def write(ax: Axes, word: str, point: tuple[float, float], size: float, **look: Any) -> None:
    """Write a word at the right of a point."""
    usual: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    ax.annotate(word, point, **usual | {"fontsize": size} | look)


def patches(*colours: tuple[str, str]) -> list[Artist]:
    """Make the patches of a legend that tell what colours mean."""
    return [Patch(color=color, label=label) for label, color in colours]


def explain(
    ax: Axes, axis: str, missing: Mapping[str, int], handles: Sequence[Artist] | None = None
) -> Axes:
    """Say below the picture what its axis is, what is left out, and what the colours mean."""
    ax.set_xlabel(wording.left_out(axis, missing))
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    if not shown:
        return ax
    widths = [len(str(handle.get_label())) + 8 for handle in shown]
    names = [len(name.get_text()) * float(name.get_fontsize()) for name in ax.get_yticklabels()]
    room = _points(ax, ax.figure.bbox.width) - _LETTER * max(names, default=0)
    letters = room / (_LETTER * float(mpl.rcParams["font.size"]))
    fit = int(letters // max(widths)) if sum(widths) > letters else len(widths)
    below: Any = {"loc": "upper left", "bbox_to_anchor": (0, 0)}
    below["borderaxespad"] = 2.6 + 1.6 * len(ax.get_xlabel().splitlines())
    ax.legend(handles=shown, ncols=max(fit, 1), **below)
    return ax
