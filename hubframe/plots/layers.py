"""What the newest tags are made of, which layers images share, and how large layers are."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import identity, leading_tags, shared_layers_df, step_numbers
from hubframe.measure.figures import MAKE_UP
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.plots import canvas, cells, wording
from hubframe.plots.style import GREY, byte_axis, share_axis
from hubframe.tables import LAYERS
from hubframe.tables.declarations import IMAGE_KEY

MOST_LAYERS = 30
_ROWS_OF_A_CURVE = 12
# Published figures that are a point of the curve: what share of the layers is not larger.
_QUANTILES = {"layer_size_p50": 0.5, "layer_size_p90": 0.9}
_SHARES = {"layers_below_1_mb_share": 10**6, "layers_below_10_mb_share": 10**7}
_MARKS = {"Zhao 2019": ("at most this", "<", "C2"), "Anwar 2018": ("so many below", "s", "C3")}


def plot_layers(
    layers: pd.DataFrame, *, newest: int = 12, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Stack the layers of the newest images, a colour for each build step.

    A bar per image, the newest on top, with all its tags, its base layer at the left; a step has
    the same colour in all of them. Beside it stands how much of it other images that are shown hold
    too.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.
    newest
        How many tags to show, one image of each; several repositories take turns.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    LAYERS.require(layers)
    taken = leading_tags(layers, newest)
    images = pd.Series(identity(taken).unique()).head(
        canvas.room(ax, max(newest, 1), canvas.LEGEND)
    )
    taken = taken[identity(taken).isin(images)]
    shown = _once_per_image(taken, "position")
    count = wording.counted(len(images), "image")
    ax = canvas.axes(ax, len(images) + canvas.LEGEND, f"Compressed size of {count}, by build step")
    if shown.empty:
        return canvas.say_nothing(ax, "no layers")
    row, _ = pd.factorize(shown["image"])
    steps = shown["position"], shown["size"], shown["instruction"]
    colours, handles = canvas.step_colours(step_numbers(shown), *steps)
    ends = canvas.stack_steps(ax, row, shown["size"], {"color": colours} | artist)
    byte_axis(ax.xaxis)
    use = shared_layers_df(shown).set_index("layer_digest")
    is_shared = shown["layer_digest"].map(use["image_count"]) > 1
    shared = shown["size"].where(is_shared, 0).groupby(row).sum()
    is_sized = shown["size"].notna().groupby(row).all()
    pairs = zip(ends, shared, is_sized, strict=True)
    words = [
        f"{wording.size(end)}, {wording.size(both)} shared" if told else "size not known"
        for end, both, told in pairs
    ]
    tags = taken.assign(image=identity(taken), name=canvas.image_names(taken))
    names = tags.drop_duplicates("name").groupby("image", sort=False)["name"]
    canvas.name_rows(ax, names.agg(_listed), words, ends)
    missing = {
        "more {tag}": _tags(layers).nunique() - _tags(taken).nunique(),
        "{image} for other platforms": _others(layers, taken),
    }
    return canvas.explain(ax, "", missing, handles)


def _listed(names: pd.Series) -> str:
    """List the tags of an image, versions first; its repository is named once."""
    first, *others = (name.tag for name in newest_first(read_all(names).values()))
    repo, colon, _ = first.rpartition(":")
    return wording.listed([first, *(name.removeprefix(repo + colon) for name in others)])


def _tags(layers: pd.DataFrame) -> pd.Series:
    return layers["repo"] + ":" + layers["tag"].fillna(identity(layers))


def _others(layers: pd.DataFrame, taken: pd.DataFrame) -> int:
    """Count the images that tags have beside those that were taken."""
    images = identity(layers[_tags(layers).isin(_tags(taken))])
    return len(set(images) - set(identity(taken)))


def plot_shared_layers(layers: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show which images hold which of the shared layers, those that share most side by side.

    A row per layer, the largest on top, named by its size and the step that made it, and a column
    per image; a cell is filled where the image holds the layer.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame. Of all images, tags of one being one, as many are shown as have
        room for their names, 40 at most, those with the largest shared layers first, two of each
        layer in turn; and the 30 largest layers that two or more of these hold.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.pcolormesh`.

    See Also
    --------
    hubframe.measure.shared_layers_df : The layers, with how many images hold each.
    plot_similarity : Pairs of images.
    """
    LAYERS.require(layers)
    use = shared_layers_df(layers)
    shared = use[(use["image_count"] > 1) & ~use["is_empty"]].set_index("layer_digest")
    shared = shared.sort_values("size", ascending=False, kind="stable")
    held = _once_per_image(layers[layers["layer_digest"].isin(shared.index)])
    images = _leading(held, shared.index)[: canvas.columns(ax)]
    few = held[held["image"].isin(images)]
    holds = pd.crosstab(few["layer_digest"], few["image"])
    rows = shared[shared.index.isin(holds.index[holds.sum(axis=1) > 1])].head(
        canvas.room(ax, MOST_LAYERS, below=cells.NAMES_BELOW + 3)
    )
    title = f"{wording.some(len(rows), len(shared), 'shared layer')}, by image"
    ax = canvas.axes(ax, len(rows) + cells.NAMES_BELOW, title)
    if rows.empty:
        return canvas.say_nothing(ax, "no layer is in two images")
    holds = holds.loc[rows.index, images]
    holds = holds.loc[:, holds.any()]
    presence = holds.to_numpy(dtype="float64")
    order = cells.clustered(_common(presence, rows["size"].fillna(0).to_numpy("float64")))
    cells.fill(ax, presence[:, order], {"linewidth": 1} | artist)
    first = held.drop_duplicates("image").set_index("image").loc[holds.columns]
    cells.name_columns(ax, canvas.image_names(first).iloc[order].tolist())
    canvas.name_rows(ax, [_layer_name(row) for row in rows.itertuples()])
    missing = {"more {image} with shared layers": held["image"].nunique() - len(order)}
    return canvas.explain(ax, "filled: the image holds the layer", missing)


def _once_per_image(layers: pd.DataFrame, key: str = "layer_digest") -> pd.DataFrame:
    held = layers.assign(image=identity(layers))
    return held.drop_duplicates(["image", key], ignore_index=True)


def _leading(held: pd.DataFrame, layers: pd.Index) -> list[str]:
    """Choose the images to show: two that hold the first layer, two of the next, then two more."""
    turn = held.groupby("layer_digest", sort=False).cumcount() // 2
    order = np.lexsort((layers.get_indexer(pd.Index(held["layer_digest"])), turn))
    return list(held["image"].take(order).drop_duplicates().head(canvas.MOST))


def _common(presence: cells.Reals, size: cells.Reals) -> cells.Reals:
    """Reckon, for each pair of columns, the share of the bytes of either that both hold."""
    weighted = presence * size[:, None]
    both = presence.T @ weighted
    either = weighted.sum(axis=0)[:, None] + weighted.sum(axis=0)[None, :] - both
    share: cells.Reals = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return share


def _layer_name(row: Any) -> str:
    size = wording.size(row.size, "size not known")
    return size if pd.isna(row.instruction) else f"{size}  {row.instruction}"


def plot_layer_sizes(
    layers: pd.DataFrame,
    *,
    log: bool = True,
    papers: bool = False,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Show what share of the layers is not larger than so many bytes.

    A curve over distinct layers, each counted once, and one over layers as images refer to them,
    each counted once per image.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame. Layers whose size is not known are left out.
    log
        Whether the sizes are on a logarithmic axis.
    papers
        Whether to mark what studies published of their own images, as in `hubframe.summary`.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.step`.
    """
    LAYERS.require(layers, (*IMAGE_KEY, "layer_digest", "size"))
    held = _once_per_image(layers)
    distinct = held.sort_values("size").drop_duplicates("layer_digest")
    title = f"Size of {wording.counted(len(distinct), 'distinct layer')}"
    ax = canvas.axes(ax, _ROWS_OF_A_CURVE, title)
    unsized = int(distinct["size"].isna().sum())
    if unsized == len(distinct):
        return canvas.say_nothing(ax, "no layer tells its size")
    if log:
        ax.set_xscale("log")
    _curve(ax, distinct, "each distinct layer once", {"color": "C0", "linestyle": "-"} | artist)
    _curve(ax, held, "once per image that holds it", {"color": "C1", "linestyle": "--"} | artist)
    if papers:
        _mark_papers(ax)
    ax.set_ylim(0, 1.03)
    share_axis(ax.yaxis)
    ax.xaxis.set_major_formatter(lambda size, _: wording.size(size))
    ax.xaxis.set_minor_formatter("")
    ax.set_ylabel("of the layers are not larger")
    ax.axhline(0.5, color=GREY, linewidth=0.7, linestyle=":")
    axis = f"compressed size{' (logarithmic axis)' * log}"
    return canvas.explain(ax, axis, {"{layer} without a size": unsized})


def _curve(ax: Axes, layers: pd.DataFrame, label: str, look: dict[str, Any]) -> None:
    sizes = layers["size"].dropna().to_numpy("float64")
    # There is no 0 on a logarithmic axis.
    rising, count = np.unique(sizes.clip(1), return_counts=True)
    share = np.cumsum(count) / count.sum()
    label = f"{label}, median {wording.size(float(np.median(sizes)))}"
    usual: dict[str, Any] = {"linewidth": 1.8, "where": "post", "label": label}
    ax.step([rising[0], *rising], [0, *share], **usual | look)


def _mark_papers(ax: Axes) -> None:
    """Mark what studies published, as far as it could be checked."""
    for paper, (meaning, marker, color) in _MARKS.items():
        values: dict[str, Any] = {
            one.metric: one.paper_value for one in MAKE_UP if one.paper == paper
        }
        points: list[Any] = [(values.get(metric), share) for metric, share in _QUANTILES.items()]
        points += [(size, values.get(metric)) for metric, size in _SHARES.items()]
        x, y = zip(*(point for point in points if None not in point), strict=True)
        look: dict[str, Any] = {"edgecolor": mpl.rcParams["axes.facecolor"], "zorder": 3}
        look |= {"s": 80, "marker": marker, "color": color, "label": f"{paper}: {meaning}"}
        ax.scatter(x, y, **look)
