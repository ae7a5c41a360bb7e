"""Which images hold a layer, and how many bytes tags, images and repositories take, and share.

Images are told apart by `hubframe.measure.identity`: tags of the same image are one image, so
they share nothing with each other.
"""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from hubframe.measure.images import identity
from hubframe.measure.layer_index import (
    IMAGE,
    NEEDED,
    LayerIndex,
    Numbers,
    distinct,
    distinct_counts,
    first_of,
    in_bytes,
    numbered,
    paired,
    summed,
)
from hubframe.tables import LAYERS
from hubframe.tables.measured import FOOTPRINT, SHARED_LAYERS

By = Literal["tag", "image", "repo", "namespace"]
# What a row says of the first of its names; the rest is null.
_SAYS = {"namespace": [], "repo": ["repo"], "tag": IMAGE, "image": IMAGE}


def footprint_df(layers: pd.DataFrame, by: By = "tag") -> pd.DataFrame:
    """Split bytes into what is shared with others, what is not, and what deleting would free.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame. Only what is in it counts as another: give the layers of all tags
        and platforms (``platform="all"``) before believing what a deletion would free.
    by
        What a row is: ``"tag"``, ``"image"``, ``"repo"`` or ``"namespace"``. An image that was
        asked for by digest counts as a tag.

    Returns
    -------
    pandas.DataFrame
        The table `footprint`, in compressed bytes of distinct layers: one that an image repeats
        counts once. Most freed first, then the largest, then the one built first. Other tags of an
        image in its repository do not make its layers shared, but keep them: a tag with an alias
        frees nothing. By image all its tags go, in all repositories; there, and by repository and
        namespace, what is exclusive is freed.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     layers = hubframe.layers_df("ansible/ansible")
    >>> tags = hubframe.footprint_df(layers)
    >>> bool((tags["exclusive_size"] + tags["shared_size"] == tags["total_size"]).all())
    True
    """
    if by not in get_args(By):
        raise ValueError(f"by={by!r} is none of {', '.join(map(repr, get_args(By)))}")
    index = LayerIndex.of(layers)
    group = _groups(index, by)
    first = first_of(group)
    # What shares layers with others: an image, in each repository anew.
    repo = numbered(index.names["repo"])[0]
    holders = index.image if by == "image" else paired(repo, index.image)
    frame = FOOTPRINT.of(_labels(index, by, group, first) | _bytes(index, group, holders))
    order = np.lexsort((first, -_ranked(frame["total_size"]), -_ranked(frame["freed_size"])))
    return frame.take(order).reset_index(drop=True)


def _groups(index: LayerIndex, by: By) -> Numbers:
    """Number, for each name, the row that it belongs to."""
    if by == "image":
        return index.image
    if by == "namespace":
        return numbered(index.names["repo"].map(_namespace).astype("str"))[0]
    repo = numbered(index.names["repo"])[0]
    if by == "repo":
        return repo
    tag = numbered(index.names["tag"])[0]
    # Without a tag each image is one of its own; the numbers of tags end where these begin.
    return paired(repo, np.where(tag < 0, tag.max(initial=0) + 1 + index.image, tag))


def _namespace(repo: str) -> str:
    """Return who owns a repository; a first part that is a host is told as Docker tells it."""
    host, *path = repo.split("/")
    has_host = "." in host or ":" in host or host == "localhost"
    return "/".join([host, *path[:-1][:1]]) if has_host else host


def _labels(index: LayerIndex, by: By, group: Numbers, first: Numbers) -> dict[str, object]:
    names = index.names.take(first).reset_index(drop=True)
    image_count = distinct_counts(group, index.image, len(first))
    repo, tag = (numbered(index.names[column])[0] for column in ("repo", "tag"))
    is_tagged = tag >= 0
    said = names.copy()
    said[[column for column in IMAGE if column not in _SAYS[by]]] = None
    said.loc[image_count > 1, ["platform", "image_digest"]] = None
    return {
        "namespace": names["repo"].map(_namespace),
        **{column: said[column] for column in IMAGE},
        "tag_count": distinct_counts(group[is_tagged], paired(repo, tag)[is_tagged], len(first)),
        "image_count": image_count,
    }


def _bytes(index: LayerIndex, group: Numbers, holders: Numbers) -> dict[str, object]:
    """Sum the layers of each group."""
    # The distinct holders within each group, and the group of each.
    members = paired(group, holders)
    group_of = group[first_of(members)]
    layer, member = index.holders(members)
    rows = int(group.max(initial=-1)) + 1
    # A layer in a group, and how many holders of the group have it.
    pairs, inside = distinct(layer * max(rows, 1) + group_of[member])
    layer, owner = np.divmod(pairs, max(rows, 1))
    is_exclusive = inside == index.holder_counts(holders)[layer]
    is_freed = np.bincount(layer, minlength=len(index.digests))[layer] == 1
    size = index.sizes[layer]
    total = in_bytes(summed(owner, size, rows))
    exclusive = in_bytes(summed(owner, size * is_exclusive, rows))
    return {
        "layer_count": np.bincount(owner, minlength=rows),
        "unsized_layer_count": np.bincount(owner[~index.is_sized[layer]], minlength=rows),
        "total_size": total,
        "shared_size": total - exclusive,
        "exclusive_size": exclusive,
        "freed_size": in_bytes(summed(owner, size * is_freed, rows)),
        "shared_share": (total - exclusive) / total.mask(total == 0),
    }


def _ranked(sizes: pd.Series) -> Numbers:
    """Return sizes to sort by, null as the largest."""
    return sizes.to_numpy("int64", na_value=np.iinfo(np.int64).max)


def largest(images: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Order images by size, each once, with what they share.

    Parameters
    ----------
    images
        The `tables.IMAGES` frame, attestations left out; where it is empty, `layers` names the
        images.
    layers
        The `tables.LAYERS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per distinct image under the first of its tags, largest first: ``repo``, ``tag``,
        ``platform``, ``image_digest``, ``size``, and ``shared_size`` and ``shared_share`` as in
        `footprint_df`, null where the image's layers are not in `layers`.
    """
    footprint = footprint_df(layers, by="image").rename(columns={"total_size": "size"})
    if not images.empty:
        split = footprint[["shared_size", "shared_share"]].set_index(identity(footprint))
        real = images[~images["is_attestation"]]
        once = real.assign(image=identity(real)).drop_duplicates("image")
        footprint = once.join(split, on="image")
    listed = footprint[[*IMAGE, "size", "shared_size", "shared_share"]]
    return listed.sort_values("size", ascending=False, kind="stable", ignore_index=True)


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
        largest, then those seen first: in the image whose last step ran earliest, where dates are
        missing (Docker Hub's API gives none) or equal in the one of fewest layers, then by
        repository and tag.
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
    table = sizes.rename("shared_size").reset_index()
    return table.sort_values("shared_size", ascending=False, kind="stable", ignore_index=True)
