"""Which images hold a layer.

Images are told apart by `hubframe.measure.identity`: tags of the same image are one image, so
they share nothing with each other.
"""

import numpy as np
import pandas as pd

from hubframe.measure.images import identity
from hubframe.measure.layer_index import (
    IMAGE,
    NEEDED,
    LayerIndex,
    Numbers,
    first_of,
    in_bytes,
    numbered,
    paired,
)
from hubframe.tables import LAYERS
from hubframe.tables.measured import SHARED_LAYERS


def shared_layers_df(layers: pd.DataFrame) -> pd.DataFrame:
    """List each layer once, with how many images, tags and repositories hold it.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame, of as many repositories as the answer shall cover.

    Returns
    -------
    pandas.DataFrame
        The table `shared_layers`: a row per distinct layer, those in most images first, then the
        largest, then those seen first.

        A layer is *first seen* in the image that was built first, as far as `layers` tells: the
        one whose last step ran earliest; where dates are missing (Docker Hub's API gives none)
        or equal, the one of fewest layers, then by repository and tag.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     layers = hubframe.layers_df(["library/debian", "library/nginx"])
    >>> top = hubframe.shared_layers_df(layers).iloc[0]
    >>> bool(top["saved_size"] == top["size"] * (top["image_count"] - 1))
    True
    """
    LAYERS.require(layers, (*NEEDED, "instruction"))
    layers = layers.dropna(subset="layer_digest")
    index = LayerIndex.of(layers)
    image_count = index.holder_counts(index.image)
    count = len(index.digests)
    place = index.name * (index.position.max(initial=0) + 1) + index.position
    rows = np.argsort(place, kind="stable")
    first = _first(rows, index.layer, count)
    is_told = layers["instruction"].notna().to_numpy()
    first_told = _first(rows[is_told[rows]], index.layer, count)
    repo, tag = (numbered(index.names[column])[0] for column in ("repo", "tag"))
    layer, holder = index.holders(tags := paired(repo, tag))
    is_tagged = tag[first_of(tags)] >= 0
    order = np.lexsort((place[first], -index.sizes, ~index.is_sized, -image_count))
    size = pd.Series(index.sizes[order], dtype="Int64").where(index.is_sized[order])
    seen = index.names[["repo", "tag"]].take(index.name[first[order]])
    saved = in_bytes(index.sizes.astype("float64") * (image_count - 1)).where(index.is_sized)
    return SHARED_LAYERS.of(
        {
            "layer_digest": index.digests.take(order).array,
            "size": size,
            "image_count": image_count[order],
            "tag_count": np.bincount(layer[is_tagged[holder]], minlength=count)[order],
            "repo_count": index.holder_counts(repo)[order],
            "saved_size": saved[order].array,
            "first_repo": seen["repo"].array,
            "first_tag": seen["tag"].array,
            "instruction": layers["instruction"].array.take(first_told[order], allow_fill=True),
            "is_empty": index.is_empty[order],
        }
    )


def _first(rows: Numbers, layer: Numbers, count: int) -> Numbers:
    """Find the first of these rows that each layer has; -1 where it has none."""
    found = np.full(count, -1)
    found[layer[rows[::-1]]] = rows[::-1]
    return found


def shared_with(layers: pd.DataFrame, image: str) -> pd.DataFrame:
    """List the other images that hold layers of an image, those with most bytes first.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.
    image
        The image, as `hubframe.measure.identity` names it.

    Returns
    -------
    pandas.DataFrame
        A row per tag and platform of another image: ``repo``, ``tag``, ``platform``,
        ``image_digest`` and ``shared_size``, the bytes of the distinct layers that both hold.
    """
    LAYERS.require(layers, (*IMAGE, "layer_digest", "size"))
    names = identity(layers)
    own = layers.loc[names == image, "layer_digest"]
    common = layers[(names != image) & layers["layer_digest"].isin(own)]
    common = common.drop_duplicates([*IMAGE, "layer_digest"])
    sizes = common.groupby(IMAGE, sort=False, dropna=False)["size"].sum()
    told = sizes.rename("shared_size").reset_index()
    return told.sort_values("shared_size", ascending=False, kind="stable", ignore_index=True)
