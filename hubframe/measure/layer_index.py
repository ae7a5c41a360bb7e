"""Which image holds which layer, as numbers: here long digests are compared, and nowhere after.

A frame of layers repeats each digest of 71 characters in many rows. Every text is numbered once,
and all that is asked afterwards is asked of whole numbers: which pairs are distinct, and how many.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from hubframe.measure.images import identity
from hubframe.tables import LAYERS

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]

IMAGE = ["repo", "tag", "platform", "image_digest"]
NEEDED = (*IMAGE, "position", "layer_digest", "size", "created_at", "is_empty")
_TOO_MUCH = float(2**63)
_LAST = np.iinfo(np.int64).max
_UNKNOWN = -1


@dataclass(frozen=True)
class LayerIndex:
    """The rows of a layers frame as numbers.

    A *name* is a repository, tag, platform and digest, as a row of the frame spells an image; an
    *image* is what `hubframe.measure.identity` says, and may have many names.
    """

    # For each row, the numbers of its layer and its name, and its place in the image.
    layer: Numbers
    name: Numbers
    position: Numbers
    # For each layer, its digest, and its compressed bytes, 0 where they are not known.
    digests: pd.Series
    sizes: Numbers
    is_sized: Flags
    is_empty: Flags
    # For each name, its repository, tag, platform and digest, and the number of its image. Names
    # are in the order in which their images were built, whatever that of the rows.
    names: pd.DataFrame
    image: Numbers

    @classmethod
    def of(cls, layers: pd.DataFrame) -> Self:
        """Number the rows of a layers frame; rows without a layer's digest do not count."""
        LAYERS.require(layers, NEEDED)
        layers = layers.dropna(subset="layer_digest")
        layer, digests = numbered(layers["layer_digest"])
        by_name = layers.groupby(IMAGE, sort=False, dropna=False)
        written = np.asarray(by_name.ngroup(), dtype=np.int64)
        names = layers[IMAGE].take(first_of(written)).reset_index(drop=True)
        order = _in_order(names, written, layers["created_at"])
        names = names.take(order).reset_index(drop=True)
        # A layer has one size; where registries disagree, the largest.
        sizes = np.full(len(digests), _UNKNOWN)
        np.maximum.at(sizes, layer, layers["size"].to_numpy("int64", na_value=_UNKNOWN))
        empty = layers["is_empty"].to_numpy("bool", na_value=False)
        return cls(
            layer=layer,
            name=np.argsort(order)[written],
            position=layers["position"].to_numpy("int64", na_value=0),
            digests=digests,
            sizes=np.maximum(sizes, 0),
            is_sized=sizes != _UNKNOWN,
            is_empty=np.bincount(layer[empty], minlength=len(digests)) > 0,
            names=names,
            image=numbered(identity(names))[0],
        )

    def holders(self, holder: Numbers) -> tuple[Numbers, Numbers]:
        """Return the distinct pairs of a layer and what holds it, by layer, then by holder.

        `holder` is for each name the number of its image, tag or repository, from 0.
        """
        count = int(holder.max(initial=0)) + 1
        layers, holders = np.divmod(distinct(self.layer * count + holder[self.name])[0], count)
        return layers, holders

    def holder_counts(self, holder: Numbers) -> Numbers:
        """Count, for each layer, the distinct holders; see `holders`."""
        return np.bincount(self.holders(holder)[0], minlength=len(self.digests))

    @cached_property
    def by_name(self) -> tuple[Numbers, Numbers, Numbers]:
        """The layers of all names, base first; where those of each begin, and how many they are."""
        name, _, layer = self.rows_in_place()
        length = np.bincount(name, minlength=len(self.names))
        return layer, np.cumsum(length) - length, length

    def rows_in_place(self) -> tuple[Numbers, Numbers, Numbers]:
        """Return name, position and layer of each row, in that order, rows that repeat once."""
        columns = self.name, self.position, self.layer
        order = np.lexsort(columns[::-1])
        is_new = np.zeros(len(order), dtype=bool)
        is_new[:1] = True
        for column in columns:
            is_new[1:] |= column[order[1:]] != column[order[:-1]]
        order = order[is_new]
        return self.name[order], self.position[order], self.layer[order]


def numbered(values: pd.Series) -> tuple[Numbers, pd.Series]:
    """Number values in the order in which they appear, null as -1; and give value by number."""
    numbers, distinct = pd.factorize(values)
    return numbers.astype("int64", copy=False), pd.Series(distinct, dtype=values.dtype)


def paired(first: Numbers, second: Numbers) -> Numbers:
    """Number pairs of numbers, -1 being a number like any other."""
    count = int(second.max(initial=-1)) + 2
    return np.asarray(pd.factorize(first * count + second + 1)[0], dtype=np.int64)


def distinct(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Return distinct numbers, sorted, and how often each occurs."""
    # Without the counts numpy takes a hash table, which is many times slower here.
    return np.unique(numbers, return_counts=True)


def distinct_counts(group: Numbers, member: Numbers, count: int) -> Numbers:
    """Count the distinct members of each group, of which there are so many."""
    width = int(member.max(initial=0)) + 1
    return np.bincount(distinct(group * width + member)[0] // width, minlength=count)


def summed(owner: Numbers, size: npt.NDArray[np.generic], count: int) -> Reals:
    """Sum sizes by owner, of which there are so many."""
    return np.asarray(np.bincount(owner, size, minlength=count), dtype=np.float64)


def in_bytes(sums: Reals) -> pd.Series:
    """Write down sums of bytes, exact up to nine petabytes; null where 63 bits do not hold them.

    Sizes are whatever a manifest claims, so that a few of them may add up to anything.
    """
    is_sound = sums < _TOO_MUCH
    return pd.Series(np.where(is_sound, sums, 0).astype("int64"), dtype="Int64").where(is_sound)


def first_of(numbers: Numbers) -> Numbers:
    """Find, for each number that counts from 0, the first place that has it."""
    return np.unique(numbers, return_index=True)[1]


def _in_order(names: pd.DataFrame, written: Numbers, created: pd.Series) -> Numbers:
    """Order names by when they were built, as far as their layers tell.

    An image is built when its last step ran. Where dates are not known or equal, an image of
    fewer layers comes first, since it may be the base of the other; then texts decide, so that
    the order of the rows never does.
    """
    moments = np.full(len(names), np.iinfo(np.int64).min)
    np.maximum.at(moments, written, created.to_numpy("datetime64[us]").astype("int64"))
    moments[moments == np.iinfo(np.int64).min] = _LAST
    texts = [pd.factorize(names[column], sort=True)[0] for column in IMAGE]
    return np.lexsort((*texts[::-1], np.bincount(written, minlength=len(names)), moments))
