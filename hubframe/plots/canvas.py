"""The Axes to draw on, with a row per thing, and what they say when there is nothing to show."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

from hubframe.plots import wording
from hubframe.plots.style import GREY
from hubframe.tables import LAYERS

# How many rows a picture has at most.
MOST = 40
_FEW = 3
_WIDTH = 9.0
_POINTS_PER_INCH = 72
_LONGEST_NAME = 40
# Points: smaller letters are not read. A row of them, and a line of a legend, is so much higher.
LEAST = 8.0
_ROW, _LINE = 1.35, 1.6
# How much of the width long names of rows leave to the Axes themselves.
_PLOTTED = 0.7
# How wide a letter is, by how high the font is; those of a title are bold.
_LETTER, _BOLD = 0.6, 0.65
# What the Axes of a figure have of its width before its parts are laid out.
_OF_FIGURE = 0.775
# Points, and how many lines more the text below narrower Axes has.
_NARROW, _FURTHER_LINES = 440, 3
# Points between what is written and the edges.
_MARGIN = 24.0
# How far below an axis of dates its label stands, by how high the font is.
_BELOW_DATE = 1.3
# Letters: nothing is cut to fewer.
_SHORTEST = 12
_DIGITS = len("sha256:") + 12
# How many steps have a colour of their own.
_MOST_STEPS = 6
# How many lines explain them.
LEGEND = _MOST_STEPS + 1
_LONGEST_MEANING = 60


def height(rows: int) -> float:
    """Return the height in inches at which so many rows are easy to read."""
    return 1.6 + 0.28 * max(rows, _FEW)


def room(ax: Axes | None, most: int = MOST, below: int = 0) -> int:
    """Return how many rows of legible letters the Axes have room for, with lines below them.

    A new figure is as high as its rows ask for.
    """
    if ax is None:
        return most
    return int(np.clip(_height(ax, below) / (_ROW * LEAST), 1, most))


def columns(ax: Axes | None, most: int = MOST, width: float = _ROW * LEAST) -> int:
    """Return how many columns of a width there is room for beside the names of the rows.

    They are as wide as upright letters if not told.
    """
    space = _WIDTH * _POINTS_PER_INCH if ax is None else _width(ax)
    return int(np.clip(_PLOTTED * _OF_FIGURE * space / width, 1, most))


def axes(ax: Axes | None, rows: int, title: str) -> Axes:
    """Give a title to the Axes to draw on: those given, or those of a new figure of fit height."""
    if ax is None:
        # pyplot picks a window system; who gives an Axes may be on a server without one.
        import matplotlib.pyplot as plt  # noqa: PLC0415

        ax = plt.figure(figsize=(_WIDTH, height(rows)), layout="constrained").subplots()
    ax.set_title(title)
    return ax


def say_nothing(ax: Axes, reason: str) -> Axes:
    """Write on empty Axes that there is nothing to show, and why."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    text = f"nothing to show: {reason}"
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", wrap=True)
    return _finish(ax)


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


def stack_steps(ax: Axes, rows: Any, sizes: pd.Series, look: dict[str, Any]) -> list[float]:
    """Stack the steps of each row in their order, those below 0 to the left; return the ends."""
    widths = sizes.fillna(0).astype("float64").reset_index(drop=True)
    ends = widths.groupby([rows, widths < 0]).cumsum()
    ax.barh(rows, widths.to_numpy(), **_edge() | {"left": (ends - widths).to_numpy()} | look)
    return ends.groupby(rows).max().clip(0).tolist()


def step_colours(
    steps: pd.Series, places: pd.Series, weights: pd.Series, names: pd.Series
) -> tuple[list[str], list[Artist]]:
    """Give a colour to each of the steps that weigh most, and explain them in their order.

    The first name of a step is its name; what has none is called by its place.
    """
    named = names.fillna("layer " + places.astype("str"))
    rows = pd.DataFrame({"place": places, "weight": weights.abs().astype("float64"), "name": named})
    known = rows.groupby(steps.array, sort=False).agg(
        {"place": "min", "weight": "sum", "name": "first"}
    )
    moved = known[known["weight"] > 0].sort_values("weight", ascending=False, kind="stable")
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"][:_MOST_STEPS]
    chosen = moved.head(len(cycle)).sort_values("place", kind="stable")
    colours = dict(zip(chosen.index, cycle, strict=False))
    meanings = zip(chosen["name"], cycle, strict=False)
    others = [("other steps", GREY)] if len(known) > len(chosen) else []
    return [colours.get(step, GREY) for step in steps], patches(*meanings, *others)


def _edge() -> dict[str, Any]:
    """Return what keeps bars apart that touch."""
    return {"edgecolor": mpl.rcParams["axes.facecolor"], "linewidth": 0.6}


def image_names(frame: pd.DataFrame) -> pd.Series:
    """Name the image of each row by its tag or digest, and what else tells several apart.

    That is the repository, and the platform where a tag is there for more than one.
    """
    name = ":" + frame["tag"]
    if "image_digest" in frame:
        name = name.fillna("@" + frame["image_digest"].fillna("unknown").str.slice(0, _DIGITS))
    is_one_repo = len(frame["repo"].unique()) == 1
    name = name.str.slice(1) if is_one_repo else frame["repo"] + name
    if "platform" in frame:
        platforms = frame["platform"].groupby(name.to_numpy()).transform("nunique")
        name = name.mask(platforms > 1, name + " " + frame["platform"].fillna(""))
    return name


def layer_names(
    digests: pd.Series, layers: pd.DataFrame | None, untold: pd.Series, images: pd.Series
) -> pd.Series:
    """Name layers by their build step, else as is said, and of several images by these, too."""
    steps = untold
    if layers is not None:
        LAYERS.require(layers, ("layer_digest", "instruction"))
        told = layers.dropna(subset="instruction").drop_duplicates("layer_digest")
        steps = digests.map(told.set_index("layer_digest")["instruction"]).astype("str")
        steps = steps.fillna(untold)
    if len(images.unique()) == 1:
        return steps
    # Without the namespace, which says least, where the rest tells them apart.
    short = images.str.rsplit("/").str[-1]
    names = short if short.nunique() == images.nunique() else images
    return names + "  " + steps


def name_rows(
    ax: Axes,
    names: Iterable[str],
    words: Iterable[str] = (),
    ends: Any = None,
    longest: int = _LONGEST_NAME,
) -> None:
    """Name the rows, the first one on top, in letters small enough to stand apart.

    Words for each row stand behind the ends of its bars, else beyond the right edge.
    """
    names = list(names)
    size = row_font(ax, len(names))
    # Half of the room that the Axes have now.
    letters = _letters(0.5 * _points(ax, ax.bbox.width), size)
    drawn = wording.distinct(names, max(min(letters, longest), _SHORTEST))
    ax.set_yticks(range(len(names)), drawn, fontsize=size)
    # One bar alone would be as high as the picture.
    margin = max(_FEW - len(names), 0) / 2
    ax.set_ylim(len(names) - 0.4 + margin, -0.6 - margin)
    if ends is not None:
        _write_beside(ax, ends, list(words), size)
        return
    # Beyond the right edge, where no data are.
    look: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "xytext": (8, 0)}
    for row, word in enumerate(words):
        write(ax, word, (1, row), size, **look, color=mpl.rcParams["axes.labelcolor"])


def row_font(ax: Axes, rows: int, space: float | None = None) -> float:
    """Return the font size in points at which rows do not touch, in a space in pixels."""
    row = (_height(ax) if space is None else _points(ax, space)) / max(rows, 1)
    return float(min(mpl.rcParams["font.size"], max(row / _ROW, LEAST)))


def _height(ax: Axes, below: int = 0) -> float:
    """Return how high in points the Axes will be about, with lines below them."""
    # On narrow ones labels and legends have more lines.
    below += _FURTHER_LINES * (_width(ax) < _NARROW)
    return _points(ax, ax.bbox.height) - below * _LINE * float(mpl.rcParams["font.size"])


def _width(ax: Axes) -> float:
    """Return how wide in points the part of the figure is that the Axes and their names have."""
    return _points(ax, min(ax.bbox.width / _OF_FIGURE, ax.figure.bbox.width))


def _letters(space: float, size: float) -> int:
    """Return how many letters a space has room for, both in points."""
    return max(int(space / (_LETTER * size)), _SHORTEST)


def _points(ax: Axes, pixels: float) -> float:
    return pixels / ax.figure.dpi * _POINTS_PER_INCH


def _write_beside(ax: Axes, ends: Iterable[float], words: list[str], size: float) -> None:
    """Write words at the right ends of the bars of an axis from 0, and make room for them."""
    space = _PLOTTED * _points(ax, ax.bbox.width)
    limit = 0.0
    for row, (end, word) in enumerate(zip(ends, words, strict=True)):
        write(ax, word, (end, row), size)
        limit = max(limit, end / (1 - min((_LETTER * size * len(word) + 8) / space, 0.8)))
    ax.set_xlim(0, limit or 1)


def write(ax: Axes, word: str, point: tuple[float, float], size: float, **look: Any) -> None:
    """Write a word at the right of a point."""
    usual: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    ax.annotate(word, point, **usual | {"fontsize": max(0.9 * size, LEAST)} | look)


def table(ax: Axes, columns: Mapping[str, Iterable[str]], look: dict[str, Any]) -> None:
    """Write rows of words below headings, the first column as the names of the rows."""
    (first, names), *others = columns.items()
    names = list(names)
    cells = {heading: list(words) for heading, words in others}
    widths = {heading: max(map(len, [heading, *words])) + 2 for heading, words in cells.items()}
    size = row_font(ax, len(names) + 1)
    spare = _letters(_width(ax) - _MARGIN, size) - sum(widths.values())
    if spare < _SHORTEST:
        # The widest column has to give way.
        widest = max(widths, key=lambda heading: widths[heading])
        widths[widest] = max(widths[widest] + spare - _SHORTEST, _SHORTEST)
        cells[widest] = [wording.drawn(word, widths[widest] - 2) for word in cells[widest]]
    name_rows(ax, names, longest=spare)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xticks([])
    ax.set_ylim(len(names) - 0.4, -1.6)
    ax.set_xlim(0, 1)
    ax.hlines(np.arange(len(names)) - 0.5, 0, 1, color=mpl.rcParams["grid.color"], linewidth=0.7)
    faint = mpl.rcParams["axes.labelcolor"]
    write(ax, first, (0, -1), size, color=faint, xytext=(-6, 0), ha="right")
    starts = np.cumsum([0, *widths.values()]) / sum(widths.values())
    for start, (heading, words) in zip(starts, cells.items(), strict=False):
        write(ax, heading, (start, -1), size, color=faint)
        for row, word in enumerate(words):
            write(ax, word, (start, row), size, **look)


def patches(*colours: tuple[str, str]) -> list[Artist]:
    """Make the patches of a legend that tell what colours mean."""
    return [Patch(color=color, label=label) for label, color in colours]


def explain(
    ax: Axes,
    axis: str,
    missing: Mapping[str, int],
    handles: Sequence[Artist] | None = None,
    *,
    is_beside: bool = False,
) -> Axes:
    """Say below the picture what its axis is, what is left out, and what the colours mean.

    That stands at the right where the names of columns are below.
    """
    names = ax.get_yticklabels()
    taken = max((wording.width(name.get_text(), name.get_fontsize()) for name in names), default=0)
    space = _width(ax) - taken - _MARGIN
    font = float(mpl.rcParams["font.size"])
    ax.set_xlabel(wording.left_out(axis, missing, _letters(space, font)))
    if isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter):
        # Below the year or month that stands there.
        ax.xaxis.labelpad = _BELOW_DATE * font
    size = float(FontProperties(size=mpl.rcParams["axes.titlesize"]).get_size_in_points())
    title = ax.get_title(mpl.rcParams["axes.titlelocation"])
    wide = _letters(space, size * _BOLD / _LETTER)
    ax.set_title(fill(title, wide, break_on_hyphens=False))
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    if shown:
        _add_legend(ax, shown, space, is_beside=is_beside)
    return _finish(ax)


def _add_legend(ax: Axes, shown: Sequence[Artist], space: float, *, is_beside: bool) -> None:
    """Explain in columns as many as the space has room for, or in one beside the picture."""
    font = float(mpl.rcParams["font.size"])
    # A handle, and what is between columns.
    handle = 5 * font
    labels = [wording.drawn(str(one.get_label())) for one in shown]
    letter = max(wording.width(label, font) / max(len(label), 1) for label in labels)
    longest = min(max(int((space - handle) / letter), _SHORTEST), _LONGEST_MEANING)
    for one, label in zip(shown, wording.distinct(labels, longest), strict=True):
        one.set_label(label)
    widths = [wording.width(str(one.get_label()), font) + handle for one in shown]
    place: Any = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    if not is_beside:
        fit = len(shown) if sum(widths) < space else max(int(space / max(widths)), 1)
        lines = _LINE * len(ax.get_xlabel().splitlines())
        down = (font * (2.2 + lines) + ax.xaxis.labelpad) / _POINTS_PER_INCH
        below = ScaledTranslation(0, -down, ax.figure.dpi_scale_trans)
        place |= {"bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + below}
        place |= {"borderaxespad": 0, "ncols": fit}
    ax.legend(handles=shown, **place)


def _finish(ax: Axes) -> Axes:
    """Let what others wrote be text where it has dollar signs, and no formula."""
    for text in ax.findobj(Text):
        if "$" in text.get_text():
            text.set_parse_math(False)
    return ax
