"""Which names are the same image or made of the same layers, and how much of two is the same."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import identity
from hubframe.plots import canvas, cells, wording
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import DUPLICATES, SIMILARITY

# How many letters the other names of a group take.
_LONGEST = 40
# Points that per cents in a cell take.
_WIDTH_OF_SHARE = 28.0


def plot_duplicates(duplicates: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """List the sets of layers that have several names, as a table.

    A row per group: its names, how many they are, how large it is, and whether they are tags of one
    image or of different images with the same layers.

    Parameters
    ----------
    duplicates
        The table `duplicates`. The first 40 groups are shown, which have most names.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.annotate`.
    """
    DUPLICATES.require(duplicates)
    named = duplicates.assign(called=canvas.image_names(duplicates))
    groups = named.groupby("group", sort=False).agg(
        names=("called", list),
        count=("name_count", "first"),
        images=("image_count", "first"),
        size=("total_size", "first"),
    )
    shown = groups.head(canvas.room(ax))
    some = wording.some(len(shown), len(groups), "group")
    ax = canvas.axes(ax, len(shown) + 1, f"Names with the same layers: {some}")
    if shown.empty:
        return canvas.say_nothing(ax, "no two names have the same layers")
    columns: dict[str, Any] = {
        "name": shown["names"].str[0],
        "other names": [wording.listed(names[1:], _LONGEST) for names in shown["names"]],
        "names": map(wording.large, shown["count"]),
        "size": map(wording.size, shown["size"]),
        "images": ["one" if count == 1 else f"{count:,}, rebuilt" for count in shown["images"]],
    }
    canvas.table(ax, columns, artist)
    return canvas.explain(ax, "", {"more {group}": len(groups) - len(shown)})


def plot_similarity(similarity: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show how much of each two images is the same, similar ones side by side.

    A row and a column per image, in one order; pairs that are no rows count as nothing.

    Parameters
    ----------
    similarity
        The table `similarity`. Of more images than have room for their names, 40 at most, those of
        the first rows are shown, which are the most similar ones.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.pcolormesh`.
    """
    sides = [[f"{side}_{name}" for name in IMAGE_KEY] for side in ("left", "right")]
    SIMILARITY.require(similarity, (*sides[0], *sides[1], "similarity"))
    similarity = similarity.reset_index(drop=True)
    ends = [similarity[side].set_axis(list(IMAGE_KEY), axis=1) for side in sides]
    listed = pd.concat(ends).sort_index(kind="stable")
    listed = listed.assign(image=identity(listed)).drop_duplicates("image")
    shown = listed.head(min(canvas.room(ax, below=cells.NAMES_BELOW + 3), canvas.columns(ax)))
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
    if len(names) <= canvas.columns(ax, width=_WIDTH_OF_SHARE):
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
