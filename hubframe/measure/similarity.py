"""Which images are made of the same layers, wholly or in part."""

from typing import Any

import numpy as np
import pandas as pd

from hubframe.measure.images import identity
from hubframe.measure.layer_index import (
    IMAGE,
    LayerIndex,
    Numbers,
    Reals,
    distinct_counts,
    first_of,
    in_bytes,
    numbered,
    paired,
    summed,
)
from hubframe.tables.measured import DUPLICATES, SIMILARITY

Pairs = tuple[Numbers, Numbers, Reals]


def duplicates_df(layers: pd.DataFrame) -> pd.DataFrame:
    """Find images with the same layers, in the same order, under different names.

    Ibrahim, Sayagh and Hassan (EMSE 2020) counted such images on Docker Hub. A name is
    ``repo:tag``, or ``repo@digest`` where an image was asked for by digest; platforms of one name
    that have the same layers are no duplicates.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.

    Returns
    -------
    pandas.DataFrame
        The table `duplicates`: a row per name and platform in a group of two names or more. Groups
        of most names first, then of most bytes, then, as within a group, the one built first.
        Several images in a group are rebuilds that changed nothing but their configuration or time.
    """
    index = LayerIndex.of(layers)
    group = sequences(index)
    count = int(group.max(initial=-1)) + 1
    names = index.names
    digest = identity(names).where(names["tag"].isna(), "")
    spelled = names["repo"] + ":" + names["tag"].fillna("@") + digest
    name_count = distinct_counts(group, numbered(spelled)[0], count)
    total = image_sizes(index)[index.image]
    listed = np.flatnonzero(name_count[group] > 1)
    first = first_of(group)[group[listed]]
    listed = listed[np.lexsort((listed, first, -total[listed], -name_count[group[listed]]))]
    chosen = group[listed]
    return DUPLICATES.of(
        {
            "group": numbered(pd.Series(chosen))[0],
            **{column: names[column].take(listed).array for column in IMAGE},
            "name_count": name_count[chosen],
            "image_count": distinct_counts(group, index.image, count)[chosen],
            "layer_count": index.by_name[2][listed],
            "total_size": in_bytes(total[listed]),
        }
    )


def sequences(index: LayerIndex) -> Numbers:
    """Number the names so that those with the same layers in the same order have one number.

    Layer by layer, names part where they differ, as in a tree of prefixes. Numbers count from 0.
    """
    layer, start, length = index.by_name
    node = np.zeros(len(length), dtype=np.int64)
    for depth in range(int(length.max(initial=0))):
        longer = np.flatnonzero(length > depth)
        node[longer] = paired(node[longer], layer[start[longer] + depth])
    return paired(node, length)


def image_sizes(index: LayerIndex) -> Reals:
    """Sum, for each image, the bytes of its distinct layers."""
    layer, image = index.holders(index.image)
    return summed(image, index.sizes[layer], int(index.image.max(initial=-1)) + 1)


def similarity_df(
    layers: pd.DataFrame,
    *,
    at_least: float = 0.0,
    disjoint: bool = False,
    most: int = 1_000_000,
) -> pd.DataFrame:
    """Compare every pair of images by the bytes of the layers that both hold.

    The similarity is Jaccard's, weighted by compressed bytes: those of the layers that both hold by
    those of the layers that either holds. The empty layer counts as nothing: it would make
    unrelated images similar.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.
    at_least
        Leave out pairs whose similarity is less, from 0 to 1.
    disjoint
        Whether pairs that share nothing are rows too.
    most
        How many pairs the answer may have; more are a ValueError. A pair takes about 400 bytes of
        memory, and n images of one base are n (n - 1) / 2 pairs; nothing is kept of pairs that
        `at_least` leaves out.

    Returns
    -------
    pandas.DataFrame
        The table `similarity`: a row per pair of distinct images, the one built first on the left,
        each under its first name. The most similar pair first, then the one of most shared bytes,
        then by age. Images whose layers have no known size are similar to none.
    """
    if not 0 <= at_least <= 1:
        raise ValueError(f"at_least={at_least!r} is no share: give a number from 0 to 1")
    index = LayerIndex.of(layers)
    (left, right, shared), sizes = _pairs(index, at_least, disjoint=disjoint, most=most)
    similarity = _similarity(sizes, left, right, shared)
    order = np.lexsort((right, left, -shared, -np.nan_to_num(similarity, nan=-1.0)))
    left, right, shared = left[order], right[order], shared[order]
    return SIMILARITY.of(
        {
            **_labels(index, "left", left),
            **_labels(index, "right", right),
            "left_size": in_bytes(sizes[left]),
            "right_size": in_bytes(sizes[right]),
            "shared_size": in_bytes(shared),
            "similarity": similarity[order],
            "left_share": _share(shared, sizes[left]),
            "right_share": _share(shared, sizes[right]),
        }
    )


def _pairs(index: LayerIndex, at_least: float, *, disjoint: bool, most: int) -> tuple[Pairs, Reals]:
    """Find the pairs of images, image by image, so that memory holds only those that are kept.

    Beside them stand the bytes of each image, the empty layer left out.
    """
    layer, image = index.holders(index.image)
    counts = index.sizes[layer] * ~index.is_empty[layer] > 0
    layer, image = layer[counts], image[counts]
    weight, count = index.sizes[layer], int(index.image.max(initial=-1)) + 1
    sizes = summed(image, weight, count)
    # The images that come after an image in a layer are those right behind it.
    end = np.searchsorted(layer, layer, side="right")
    followed = np.flatnonzero(end > np.arange(1, len(layer) + 1))
    by_image = followed[np.argsort(image[followed], kind="stable")]
    starts = np.searchsorted(image[by_image], np.arange(1, max(count, 1)))
    none = np.empty(0, dtype=np.int64)
    found: list[Pairs] = [(none, none, np.empty(0))]
    total = 0
    for number, places in enumerate(np.split(by_image, starts)):
        later = [image[place + 1 : end[place]] for place in places]
        weights = np.repeat(weight[places], end[places] - places - 1)
        shared = summed(np.concatenate([*later, none]), weights, count)
        right = np.arange(number + 1, count) if disjoint else np.flatnonzero(shared)
        left, shared = np.full(len(right), number), shared[right]
        if at_least > 0:
            alike = _similarity(sizes, left, right, shared) >= at_least
            left, right, shared = left[alike], right[alike], shared[alike]
        found.append((left, right, shared))
        total += len(left)
        if total > most:
            raise ValueError(
                f"more than {most:,} pairs among {count:,} images: give fewer images, "
                "a higher at_least=, or more room with most="
            )
    lefts, rights, shares = zip(*found, strict=True)
    return (np.concatenate(lefts), np.concatenate(rights), np.concatenate(shares)), sizes


def _similarity(sizes: Reals, left: Numbers, right: Numbers, shared: Reals) -> Reals:
    """Divide shared bytes by those of either image; not a number where these are 0."""
    return _share(shared, sizes[left] + sizes[right] - shared)


def _labels(index: LayerIndex, side: str, images: Numbers) -> dict[str, Any]:
    """Name images; images are numbered in the order of their first names."""
    names = index.names.take(first_of(index.image)[images])
    return {f"{side}_{column}": names[column].array for column in IMAGE}


def _share(part: Reals, whole: Reals) -> Reals:
    share: Reals = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share
