"""Which names are the same image or made of the same layers, and how much of two is the same."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hubframe.measure import identity
from hubframe.plots import canvas, cells, wording
from hubframe.plots.style import BLUE, VERMILION, count_axis
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import DUPLICATES, SIMILARITY

# How many letters the other names of a group take.
_LONGEST = 46
# Up to so many images there is room for per cents in the cells.
_ROOMY = 16


def plot_duplicates(duplicates: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show how many names each set of layers has, tags of one image apart from rebuilds.

    A bar per group, called by its first name; the other names stand beside it.

    Parameters
    ----------
    duplicates
        The table `duplicates`. The first 40 groups are shown, which have most names.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    DUPLICATES.require(duplicates)
    named = duplicates.assign(called=canvas.image_names(duplicates))
    groups = named.groupby("group", sort=False).agg(
        first=("called", "first"),
        names=("called", list),
        count=("name_count", "first"),
        images=("image_count", "first"),
    )
    shown = groups.head(canvas.MOST)
    some = wording.some(len(shown), len(groups), "group")
    ax = canvas.axes(ax, len(shown), f"Names with the same layers: {some}")
    if shown.empty:
        return canvas.say_nothing(ax, "no two names have the same layers")
    colors = np.where(shown["images"] > 1, VERMILION, BLUE).tolist()
    counts = shown["count"].astype("float64").tolist()
    others = map(_others, shown["names"])
    canvas.bars(ax, shown["first"], counts, others, **{"color": colors} | artist)
    count_axis(ax.xaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    meanings = (("tags of one image", BLUE), ("different images with the same layers", VERMILION))
    missing = {"more {group}": len(groups) - len(shown)}
    return canvas.explain(ax, "names", missing, canvas.patches(*meanings))


def _others(names: list[str]) -> str:
    """List names as far as there is room, the first in any case, and count the others."""
    others = [wording.drawn(name, _LONGEST) for name in dict.fromkeys(names) if name != names[0]]
    ends = np.cumsum([len(name) + 2 for name in others])
    fit = max(int(np.searchsorted(ends, _LONGEST)), 1)
    listed = ", ".join(others[:fit])
    return listed if len(others) <= fit else f"{listed} and {len(others) - fit:,} more"


def plot_similarity(similarity: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show how much of each two images is the same, similar ones side by side.

    A row and a column per image, in one order; pairs that are no rows count as nothing.

    Parameters
    ----------
    similarity
        The table `similarity`. Of more than 40 images those of the first rows are shown, which are
        the most similar ones.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.pcolormesh`.
    """
    sides = [[f"{side}_{name}" for name in IMAGE_KEY] for side in ("left", "right")]
    SIMILARITY.require(similarity, (*sides[0], *sides[1], "similarity"))
    similarity = similarity.reset_index(drop=True)
    ends = [similarity[side].set_axis(list(IMAGE_KEY), axis=1) for side in sides]
    listed = pd.concat(ends).sort_index(kind="stable")
    listed = listed.assign(image=identity(listed)).drop_duplicates("image")
    shown = listed.head(canvas.MOST)
    title = f"Similarity of {wording.some(len(shown), len(listed), 'image')}"
    ax = canvas.axes(ax, len(shown) + cells.NAMES_BELOW, title)
    if shown.empty:
        return canvas.say_nothing(ax, "no two images share bytes")
    alike = _matrix(similarity, ends, pd.Index(shown["image"]))
    order = cells.clustered(alike)
    alike, names = alike[np.ix_(order, order)], canvas.image_names(shown).iloc[order].tolist()
    cells.fill(ax, alike, {"linewidth": 1} | artist)
    canvas.name_rows(ax, names)
    cells.name_columns(ax, names)
    if len(names) <= _ROOMY:
        cells.write_shares(ax, alike)
    missing = {"more {image}": len(listed) - len(shown)}
    return canvas.explain(ax, "bytes of layers in both, by those in either", missing)


def _matrix(similarity: pd.DataFrame, ends: list[pd.DataFrame], images: pd.Index) -> cells.Reals:
    """Spread the pairs over a square; what is missing is 0, an image is all like itself."""
    left, right = (images.get_indexer(pd.Index(identity(end))) for end in ends)
    alike = np.eye(len(images))
    known = (left >= 0) & (right >= 0)
    value = similarity["similarity"].to_numpy("float64", na_value=0)[known]
    alike[left[known], right[known]] = alike[right[known], left[known]] = value
    return alike
