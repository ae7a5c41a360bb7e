"""What images were built on, and how much they add."""

from bisect import bisect_right
from itertools import accumulate, chain
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import identity
from hubframe.plots import canvas, wording
from hubframe.plots.style import GREY, byte_axis
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import OUTDATED, PARENTS

_MOST = 45
_OF_PARENT = [f"parent_{name}" for name in IMAGE_KEY]
_INDENT = "\N{NO-BREAK SPACE}" * 4


def plot_parents(
    parents: pd.DataFrame,
    outdated: pd.DataFrame | None = None,
    *,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Draw images as a tree that hangs from their parents, as far to the right as they are large.

    A row per image, tags of one being one, children below their parents; the line from parent to
    child is as long as what the child adds.

    Parameters
    ----------
    parents
        The table `parents`. Images without parent and child are left out; of more than 45 the
        largest families are shown.
    outdated
        The table `outdated`: marks the images whose parent's tag has a newer image.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.scatter`.
    """
    PARENTS.require(parents, (*IMAGE_KEY, *_OF_PARENT, "size", "parent_size"))
    if outdated is not None:
        OUTDATED.require(outdated, (*IMAGE_KEY, "lag_days"))
    images = _images(parents)
    families = _families(images)
    # Whole families while there is room; of the first as much as there is room for.
    ends, most = list(accumulate(map(len, families))), canvas.room(ax, _MOST, below=1)
    whole = families[: bisect_right(ends, most)] or families[:1]
    shown, count = list(chain(*whole))[:most], sum(map(len, families))
    title = f"What images are built on: {wording.some(len(shown), count, 'image')}"
    ax = canvas.axes(ax, len(shown), title)
    if not shown:
        return canvas.say_nothing(ax, "no image has its parent here")
    drawn = images.loc[[image for image, _ in shown]].assign(row=range(len(shown)))
    byte_axis(ax.xaxis)
    place = drawn[["row", "size"]].astype("float64")
    for (row, size), parent in zip(place.to_numpy(), drawn["parent"], strict=True):
        if parent in place.index:
            above, begin = place.loc[parent]
            ax.plot([begin, begin, size], [above, row, row], color=GREY, linewidth=1, zorder=1)
    lags = pd.Series(dtype="Float64")
    if outdated is not None:
        lags = outdated["lag_days"].astype("Float64").groupby(identity(outdated)).max()
    words = _mark(ax, drawn, lags, artist)
    indents = pd.Series([_INDENT * min(depth, 4) for _, depth in shown], drawn.index)
    names = indents + canvas.image_names(drawn)
    canvas.name_rows(ax, names, words, drawn["size"].fillna(0).astype("float64"))
    # The names begin where the longest does, so that their indents show the tree.
    longest = max(len(label.get_text()) for label in ax.get_yticklabels())
    ax.tick_params(axis="y", pad=0.58 * canvas.row_font(ax, len(shown)) * longest)
    for label in ax.get_yticklabels():
        label.set_horizontalalignment("left")
    missing = {
        "more {image} of such families": count - len(shown),
        "{image} without parent or child": len(images) - count,
    }
    return canvas.explain(ax, "compressed size", missing)


def _images(parents: pd.DataFrame) -> pd.DataFrame:
    """List each image once, by identity, parents that are no rows too."""
    is_known = parents["parent_repo"].notna()
    of_parent = parents[_OF_PARENT].set_axis(list(IMAGE_KEY), axis=1)
    children = parents[[*IMAGE_KEY, "size"]].assign(parent=identity(of_parent).where(is_known))
    named = of_parent.assign(size=parents["parent_size"], parent=None)[is_known]
    both = pd.concat([children, named.astype(children.dtypes)], ignore_index=True)
    return both.assign(image=identity(both)).drop_duplicates("image").set_index("image")


def _families(images: pd.DataFrame) -> list[list[tuple[str, int]]]:
    """Return images with their depths, children below parents, the largest families first.

    What goes round in a circle, in a frame that is not ours, hangs from nothing and is left out.
    """
    children: Any = images.groupby("parent", sort=False).groups
    families = []
    for root in images.index[images["parent"].isna() & images.index.isin(list(children))]:
        family, waiting = [], [(root, 0)]
        while waiting:
            image, depth = waiting.pop()
            family.append((image, depth))
            waiting.extend((child, depth + 1) for child in reversed(children.get(image, ())))
        families.append(family)
    return sorted(families, key=len, reverse=True)


def _mark(ax: Axes, drawn: pd.DataFrame, lags: pd.Series, artist: dict[str, Any]) -> list[str]:
    """Draw the images, and return their sizes and what their parents lag in words."""
    is_late = drawn.index.isin(lags.index)
    sizes = drawn["size"].to_numpy("float64", na_value=float("nan"))
    kinds = (("image", "C0", "o", ~is_late), ("parent outdated", "C1", "D", is_late))
    for label, color, marker, chosen in kinds:
        if chosen.any():
            look: dict[str, Any] = {"color": color, "marker": marker, "s": 26, "zorder": 2}
            ax.scatter(sizes[chosen], drawn["row"][chosen], label=label, **look | artist)
    return [
        _words(size, lags.get(image), late=late)
        for image, size, late in zip(drawn.index, sizes, is_late.tolist(), strict=True)
    ]


def _words(size: float, lag: Any, *, late: bool) -> str:
    words = wording.size(size, "size not known")
    if not late:
        return words
    return f"{words}, parent {'outdated' if pd.isna(lag) else f'{lag:,.0f} days behind'}"
