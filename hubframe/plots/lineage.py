"""What images were built on, and how much they add."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import identity
from hubframe.plots import wording
from hubframe.plots.canvas import (
    canvas,
    legend_below,
    name_rows,
    row_font,
    say_nothing,
    write_beside,
)
from hubframe.plots.names import image_names
from hubframe.plots.style import GREY, byte_axis
from hubframe.tables.measured import OUTDATED, PARENTS

MOST = 45
_NAMES = ("repo", "tag", "platform", "image_digest")
_OF_PARENT = tuple(f"parent_{name}" for name in _NAMES)
_INDENT = "\N{NO-BREAK SPACE}" * 4


def plot_parents(
    parents: pd.DataFrame,
    outdated: pd.DataFrame | None = None,
    *,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Draw images as a tree that hangs from their parents, as far to the right as they are large.

    Parameters
    ----------
    parents
        The table `parents`, as `hubframe.parents_df` makes it. Images without parent and child are
        left out; of more than 45 the largest families are shown, and the axis says so.
    outdated
        The table `outdated`, as `hubframe.outdated_df` makes it: marks the images whose parent's
        tag has a newer image.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.scatter`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per image, tags of one being one, children below their parents; the line from
        parent to child is as long as what the child adds.
    """
    PARENTS.require(parents, (*_NAMES, *_OF_PARENT, "size", "parent_size"))
    if outdated is not None:
        OUTDATED.require(outdated, (*_NAMES, "lag_days"))
    images = _images(parents)
    families = _families(images)
    shown, family = _leading(families), sum(map(len, families))
    ax = canvas(ax, len(shown))
    ax.set_title(f"What images are built on: {wording.some(len(shown), family, 'image')}")
    if not shown:
        return say_nothing(ax, "no image has its parent here")
    drawn = images.loc[[image for image, _ in shown]]
    drawn = drawn.assign(depth=[depth for _, depth in shown], row=range(len(shown)))
    byte_axis(ax.xaxis)
    _hang(ax, drawn)
    lags = pd.Series(dtype="Float64") if outdated is None else _lags(outdated)
    _mark(ax, drawn, lags, artist)
    missing = {
        ("more", "image", "of such families"): family - len(shown),
        ("", "image", "without parent or child"): len(images) - family,
    }
    ax.set_xlabel(wording.left_out("compressed size", missing))
    names = zip(image_names(drawn), drawn["depth"], strict=True)
    name_rows(ax, [f"{_INDENT * min(depth, 4)}{name}" for name, depth in names])
    for label in ax.get_yticklabels():
        label.set_horizontalalignment("left")
    _move_names_left(ax, len(shown))
    legend_below(ax)
    return ax


def _images(parents: pd.DataFrame) -> pd.DataFrame:
    """List each image once, by identity, parents that are no rows too."""
    children = parents[[*_NAMES, "size"]].assign(
        parent=identity(_of_parent(parents)).where(parents["parent_repo"].notna())
    )
    known = parents[parents["parent_repo"].notna()]
    named = _of_parent(known).assign(size=known["parent_size"], parent=None)
    both = pd.concat([children, named.astype(children.dtypes)], ignore_index=True)
    return both.assign(image=identity(both)).drop_duplicates("image").set_index("image")


def _of_parent(parents: pd.DataFrame) -> pd.DataFrame:
    return parents[list(_OF_PARENT)].set_axis(list(_NAMES), axis=1)


def _families(images: pd.DataFrame) -> list[list[tuple[str, int]]]:
    """Return images with their depths, children below parents, the largest families first.

    What goes round in a circle, in a frame that is not ours, hangs from nothing and is left out.
    """
    children = images.groupby("parent", sort=False).groups
    roots = images.index[images["parent"].isna() & images.index.isin(list(children))]
    return sorted((list(_descent(root, children)) for root in roots), key=len, reverse=True)


def _leading(families: list[list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """Take whole families while there is room; of the first as much as there is room for."""
    rows = [row for family in families[:1] for row in family[:MOST]]
    for family in families[1:]:
        if len(rows) + len(family) > MOST:
            break
        rows += family
    return rows


def _descent(root: str, children: Any) -> Iterator[tuple[str, int]]:
    waiting = [(root, 0)]
    while waiting:
        image, depth = waiting.pop()
        yield image, depth
        waiting.extend((child, depth + 1) for child in reversed(children.get(image, ())))


def _hang(ax: Axes, drawn: pd.DataFrame) -> None:
    """Draw the lines from each parent down, and along to its child."""
    place = drawn[["row", "size"]].astype("float64")
    for row, size, parent in zip(place["row"], place["size"], drawn["parent"], strict=True):
        if parent in place.index:
            above, begin = place.loc[parent]
            ax.plot([begin, begin, size], [above, row, row], color=GREY, linewidth=1, zorder=1)


def _lags(outdated: pd.DataFrame) -> pd.Series:
    lag = outdated["lag_days"].astype("Float64")
    return lag.groupby(identity(outdated)).max()


def _mark(ax: Axes, drawn: pd.DataFrame, lags: pd.Series, artist: dict[str, Any]) -> None:
    """Draw the images, and what their parents lag."""
    is_late = drawn.index.isin(lags.index)
    kinds = (("image", "C0", "o", ~is_late), ("parent outdated", "C1", "D", is_late))
    for label, color, marker, chosen in kinds:
        some = drawn[chosen]
        if len(some):
            look: dict[str, Any] = {"color": color, "marker": marker, "s": 26, "zorder": 2}
            size = some["size"].to_numpy("float64", na_value=float("nan"))
            ax.scatter(size, some["row"], label=label, **look | artist)
    known = drawn["size"].fillna(0).astype("float64")
    words = [
        _words(size, lags.get(image), late=late)
        for image, size, late in zip(drawn.index, drawn["size"], is_late.tolist(), strict=True)
    ]
    write_beside(ax, known.tolist(), words)


def _words(size: Any, lag: Any, *, late: bool) -> str:
    told = "size not known" if pd.isna(size) else wording.size(size)
    if not late:
        return told
    return f"{told}, parent outdated" if pd.isna(lag) else f"{told}, parent {lag:,.0f} days behind"


def _move_names_left(ax: Axes, rows: int) -> None:
    """Let the names begin where the longest does, so that their indents show the tree."""
    longest = max(len(label.get_text()) for label in ax.get_yticklabels())
    ax.tick_params(axis="y", pad=0.58 * row_font(ax, rows) * longest)
