"""The Axes to draw on, with a row per thing, and what they say when there is nothing to show."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.text import Text

from hubframe.plots import wording
from hubframe.plots.style import GREY

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
    lines = below * _LINE * float(mpl.rcParams["font.size"])
    return int(np.clip((_points(ax, ax.bbox.height) - lines) / (_ROW * LEAST), 1, most))


def columns(ax: Axes | None, most: int = MOST) -> int:
    """Return how many upright names of columns there is room for, beside the names of the rows."""
    width = 0.775 * _WIDTH * _POINTS_PER_INCH if ax is None else _points(ax, ax.bbox.width)
    return int(np.clip(_PLOTTED * width / (_ROW * LEAST), 1, most))


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


def name_rows(ax: Axes, names: Iterable[str], words: Iterable[str] = (), ends: Any = None) -> None:
    """Name the rows, the first one on top, in letters small enough to stand apart.

    Words for each row stand behind the ends of its bars, else beyond the right edge.
    """
    names = list(names)
    size = row_font(ax, len(names))
    # Half of the room that the Axes have now.
    letters = int(0.5 * _points(ax, ax.bbox.width) / (_LETTER * size))
    drawn = wording.distinct(names, min(max(letters, 12), _LONGEST_NAME))
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
    row = _points(ax, ax.bbox.height if space is None else space) / max(rows, 1)
    return float(min(mpl.rcParams["font.size"], max(row / _ROW, LEAST)))


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
    name_rows(ax, names)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xticks([])
    ax.set_ylim(len(names) - 0.4, -1.6)
    ax.set_xlim(0, 1)
    ax.hlines(np.arange(len(names)) - 0.5, 0, 1, color=mpl.rcParams["grid.color"], linewidth=0.7)
    size = row_font(ax, len(names) + 1)
    faint = mpl.rcParams["axes.labelcolor"]
    write(ax, first, (0, -1), size, color=faint, xytext=(-6, 0), ha="right")
    widths = [max(map(len, [heading, *words])) + 3 for heading, words in cells.items()]
    starts = np.cumsum([0, *widths[:-1]]) / sum(widths)
    for start, (heading, words) in zip(starts, cells.items(), strict=True):
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
    names = [len(name.get_text()) * float(name.get_fontsize()) for name in ax.get_yticklabels()]
    space = _points(ax, ax.figure.bbox.width) - _LETTER * max(names, default=0)
    letters = max(int(space / (_LETTER * float(mpl.rcParams["font.size"]))), 24)
    ax.set_xlabel(wording.left_out(axis, missing, letters))
    size = float(FontProperties(size=mpl.rcParams["axes.titlesize"]).get_size_in_points())
    title = ax.get_title(mpl.rcParams["axes.titlelocation"])
    wide = max(int(space / (_BOLD * size)), 24)
    ax.set_title(fill(title, wide, break_on_hyphens=False))
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    if shown:
        longest = min(max(letters - 8, 16), _LONGEST_MEANING)
        labels = wording.distinct((str(handle.get_label()) for handle in shown), longest)
        for handle, label in zip(shown, labels, strict=True):
            handle.set_label(label)
        widths = [len(label) + 8 for label in labels]
        fit = letters // max(widths) if sum(widths) > letters else len(widths)
        place: Any = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
        if not is_beside:
            place |= {"bbox_to_anchor": (0, 0), "ncols": max(fit, 1)}
            place["borderaxespad"] = 2.6 + 1.6 * len(ax.get_xlabel().splitlines())
        ax.legend(handles=shown, **place)
    return _finish(ax)


def _finish(ax: Axes) -> Axes:
    """Let what others wrote be text where it has dollar signs, and no formula."""
    for text in ax.findobj(Text):
        if "$" in text.get_text():
            text.set_parse_math(False)
    return ax
