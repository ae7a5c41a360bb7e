"""Which layers are in which images, and how much of two images is the same."""

from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import identity, shared_layers_df
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, name_rows, row_font, say_nothing
from hubframe.plots.clusters import clustered
from hubframe.plots.names import image_names
from hubframe.plots.style import ramp
from hubframe.tables import LAYERS
from hubframe.tables.measured import SIMILARITY

MOST = 40
MOST_LAYERS = 30
# How many rows the upright names of the columns are as high as.
NAMES_BELOW = 8
_LONGEST_COLUMN = 26
# From here on cells are so blue that white letters are easier to read.
_FULL = 0.85
# Up to so many images there is room for per cents in the cells.
_ROOMY = 16
_NAMES = ("repo", "tag", "platform", "image_digest")

Reals = npt.NDArray[np.float64]


def plot_shared_layers(layers: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show which images hold which of the shared layers, those that share most side by side.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame. Of all images, tags of one being one, 40 are shown, those
        with the largest shared layers first, two of each layer in turn; and the 30 largest layers
        that two or more of these hold. The axis says what is left out.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per layer, the largest on top, named by its size and the step that made it, and
        a column per image; a cell is filled where the image holds the layer.

    See Also
    --------
    hubframe.measure.shared_layers_df : The layers, with how many images hold each.
    plot_similarity : Pairs of images.
    """
    LAYERS.require(layers)
    use = shared_layers_df(layers)
    shared = use[(use["image_count"] > 1) & ~use["is_empty"]].set_index("layer_digest")
    shared = shared.sort_values("size", ascending=False, kind="stable")
    held = layers[layers["layer_digest"].isin(shared.index)]
    held = held.assign(image=identity(held)).drop_duplicates(
        ["image", "layer_digest"], ignore_index=True
    )
    images = _leading(held, shared.index)
    few = held[held["image"].isin(images)]
    holds = pd.crosstab(few["layer_digest"], few["image"])
    holds = holds[holds.sum(axis=1) > 1]
    rows = shared[shared.index.isin(holds.index)].head(MOST_LAYERS)
    ax = canvas(ax, len(rows) + NAMES_BELOW)
    ax.set_title(f"{wording.some(len(rows), len(shared), 'shared layer')}, by image")
    if rows.empty:
        return say_nothing(ax, "no layer is in two images")
    holds = holds.loc[rows.index, images]
    images = [image for image in images if holds[image].any()]
    presence = holds[images].to_numpy(dtype="float64")
    order = clustered(_common(presence, rows["size"].fillna(0).to_numpy("float64")))
    first = held.drop_duplicates("image").set_index("image").loc[images].reset_index()
    _fill(ax, presence[:, order], artist)
    _name_columns(ax, image_names(first).iloc[order].tolist())
    name_rows(ax, [_layer_name(row) for row in rows.itertuples()])
    missing = {("more", "image", "with shared layers"): held["image"].nunique() - len(images)}
    ax.set_xlabel(wording.left_out("filled: the image holds the layer", missing))
    return ax


def _leading(held: pd.DataFrame, layers: pd.Index) -> list[str]:
    """Choose the images to show: two that hold the first layer, two of the next, then two more."""
    turn = held.groupby("layer_digest", sort=False).cumcount() // 2
    order = np.lexsort((layers.get_indexer(pd.Index(held["layer_digest"])), turn))
    return list(held["image"].take(order).drop_duplicates().head(MOST))


def _common(presence: Reals, size: Reals) -> Reals:
    """Reckon, for each pair of columns, the share of the bytes of either that both hold."""
    weighted = presence * size[:, None]
    both = presence.T @ weighted
    either = weighted.sum(axis=0)[:, None] + weighted.sum(axis=0)[None, :] - both
    share: Reals = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return share


def _layer_name(row: Any) -> str:
    size = "size not known" if pd.isna(row.size) else wording.size(row.size)
    return size if pd.isna(row.instruction) else f"{size}  {row.instruction}"


def plot_similarity(similarity: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show how much of each two images is the same, similar ones side by side.

    Parameters
    ----------
    similarity
        The table `similarity`, as `hubframe.similarity_df` makes it. Of more than 40 images those
        of the first rows are shown, which are the most similar ones, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row and a column per image, in one order; pairs that are no rows count as nothing.
    """
    sides = [tuple(f"{side}_{name}" for name in _NAMES) for side in ("left", "right")]
    SIMILARITY.require(similarity, (*sides[0], *sides[1], "similarity"))
    similarity = similarity.reset_index(drop=True)
    ends = [similarity[list(side)].set_axis(list(_NAMES), axis=1) for side in sides]
    listed = pd.concat(ends).sort_index(kind="stable")
    listed = listed.assign(image=identity(listed)).drop_duplicates("image")
    shown = listed.head(MOST).reset_index(drop=True)
    ax = canvas(ax, len(shown) + NAMES_BELOW)
    ax.set_title(f"Similarity of {wording.some(len(shown), len(listed), 'image')}")
    if shown.empty:
        return say_nothing(ax, "no two images share bytes")
    alike = _matrix(similarity, ends, pd.Index(shown["image"]))
    order = clustered(alike)
    alike, names = alike[np.ix_(order, order)], image_names(shown).iloc[order].tolist()
    _fill(ax, alike, artist)
    name_rows(ax, names)
    _name_columns(ax, names)
    missing = {("more", "image", ""): len(listed) - len(shown)}
    ax.set_xlabel(wording.left_out("bytes of layers in both, by those in either", missing))
    if len(names) <= _ROOMY:
        _write_cells(ax, alike)
    return ax


def _matrix(similarity: pd.DataFrame, ends: list[pd.DataFrame], images: pd.Index) -> Reals:
    """Spread the pairs over a square; what is missing is 0, an image is all like itself."""
    left, right = (images.get_indexer(pd.Index(identity(end))) for end in ends)
    alike = np.eye(len(images))
    known = (left >= 0) & (right >= 0)
    value = similarity["similarity"].to_numpy("float64", na_value=0)[known]
    alike[left[known], right[known]] = alike[right[known], left[known]] = value
    return alike


def _fill(ax: Axes, cells: Reals, artist: dict[str, Any]) -> None:
    look: dict[str, Any] = {"cmap": ramp(), "vmin": 0, "vmax": 1, "linewidth": 1}
    look["edgecolors"] = mpl.rcParams["axes.facecolor"]
    rows, columns = (np.arange(count + 1) - 0.5 for count in cells.shape)
    ax.pcolormesh(columns, rows, cells, **look | artist)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def _name_columns(ax: Axes, names: list[str]) -> None:
    """Name the columns upright, in letters that do not touch."""
    room = ax.bbox.width / ax.figure.dpi * 72 * 0.7 / len(names)
    size = min(mpl.rcParams["font.size"], max(0.8 * room, 3))
    drawn = [wording.drawn(name, _LONGEST_COLUMN) for name in names]
    ax.set_xticks(range(len(names)), drawn, rotation=90, fontsize=size)


def _write_cells(ax: Axes, cells: Reals) -> None:
    size = min(row_font(ax, len(cells)), 8)
    for (row, column), share in np.ndenumerate(cells):
        ax.text(
            column,
            row,
            wording.percent(share),
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share > _FULL else mpl.rcParams["text.color"],
            alpha=1 if share else 0.55,
        )
