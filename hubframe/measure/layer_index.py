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

    Attributes
    ----------
    layer, name, position
        For each row, the numbers of its layer and its name, and its place in the image.
    digests
        For each layer, its digest.
    sizes
        For each layer, its compressed bytes, 0 where they are not known.
    is_sized, is_empty
        For each layer, whether its size is known, and whether it is the empty layer.
    names
        For each name, its repository, tag, platform and digest. A smaller number is an image
        that was built earlier (see `_in_order`), whatever the order of the rows.
    image
        For each name, the number of its image.
    """

    layer: Numbers
    name: Numbers
    position: Numbers
    digests: pd.Series
    sizes: Numbers
    is_sized: Flags
    is_empty: Flags
    names: pd.DataFrame
    image: Numbers

    @classmethod
    def of(cls, layers: pd.DataFrame) -> Self:
        """Number the rows of a layers frame; rows without a layer's digest do not count."""
        LAYERS.require(layers, NEEDED)
        layers = with_digests(layers)
        layer, digests = numbered(layers["layer_digest"])
        position = layers["position"].to_numpy("int64", na_value=0)
        written, first = _names(layers)
        names = layers[IMAGE].take(first).reset_index(drop=True)
        order = _in_order(names, written, layers["created_at"])
        names = names.take(order).reset_index(drop=True)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        # A layer has one size; where registries disagree, the largest.
        sizes = np.full(len(digests), _UNKNOWN)
        np.maximum.at(sizes, layer, layers["size"].to_numpy("int64", na_value=_UNKNOWN))
        empty = layers["is_empty"].to_numpy("bool", na_value=False)
        return cls(
            layer=layer,
            name=rank[written],
            position=position,
            digests=digests,
            sizes=np.maximum(sizes, 0),
            is_sized=sizes != _UNKNOWN,
            is_empty=np.bincount(layer[empty], minlength=len(digests)) > 0,
            names=names,
            image=numbered(identity(names))[0],
        )

    def holders(self, holder: Numbers) -> tuple[Numbers, Numbers]:
        """Return the distinct pairs of a layer and what holds it.

        Parameters
        ----------
        holder
            For each name, the number of what it belongs to: its image, tag or repository, from 0.

        Returns
        -------
        tuple
            The layers and the holders of the pairs, by layer, then by holder.
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
        order = _order_of(self.name, self.position)
        if order is not None:
            return self.name[order], self.position[order], self.layer[order]
        rows = pd.DataFrame({"name": self.name, "position": self.position, "layer": self.layer})
        rows = rows.drop_duplicates().sort_values([*rows])
        return rows["name"].to_numpy(), rows["position"].to_numpy(), rows["layer"].to_numpy()


def _order_of(name: Numbers, position: Numbers) -> Numbers | None:
    """Order rows by name and position; None where these do not tell all rows apart.

    Nearly always they do, and one number holds both: that is sorted in a seventh of the time that
    three take.
    """
    lowest = int(position.min(initial=0))
    count = int(position.max(initial=0)) - lowest + 1
    if count * (int(name.max(initial=0)) + 1) > _LAST:
        return None
    place = name * count + (position - lowest)
    order = np.argsort(place)
    return order if (np.diff(place[order]) > 0).all() else None


def with_digests(layers: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows without a layer's digest, if there are any: it takes a copy of the frame."""
    is_known = layers["layer_digest"].notna()
    return layers if is_known.all() else layers[is_known]


def numbered(values: pd.Series) -> tuple[Numbers, pd.Series]:
    """Number values in the order in which they appear, null as -1; and give value by number."""
    numbers, distinct = pd.factorize(values)
    return numbers.astype("int64", copy=False), pd.Series(distinct, dtype=values.dtype)


def paired(first: Numbers, second: Numbers) -> Numbers:
    """Number pairs of numbers, -1 being a number like any other."""
    count = int(second.max(initial=-1)) + 2
    return np.asarray(pd.factorize(first * count + second + 1)[0], dtype=np.int64)


def distinct(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Return distinct numbers, sorted, and how often each occurs.

    As `numpy.unique` does, whose hash table takes many times longer on pairs made into numbers.
    """
    numbers = np.sort(numbers)
    is_new = np.ones(len(numbers), dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=is_new[1:])
    begins = np.flatnonzero(is_new)
    return numbers[begins], np.diff(begins, append=len(numbers))


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
    first = np.empty(int(numbers.max(initial=-1)) + 1, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return first


def _names(layers: pd.DataFrame) -> tuple[Numbers, Numbers]:
    """Number the names of the rows, and find the first row of each.

    Rows of an image mostly stand together, so texts are looked at only where a run of equal names
    begins.
    """
    begins = np.zeros(len(layers), dtype=bool)
    begins[:1] = True
    for column in IMAGE:
        begins[1:] |= _differs(layers[column])
    heads = np.flatnonzero(begins)
    names = np.zeros(len(heads), dtype=np.int64)
    for column in IMAGE:
        names = paired(names, numbered(layers[column].take(heads))[0])
    return names[np.cumsum(begins) - 1], heads[first_of(names)]


def _differs(values: pd.Series) -> Flags:
    """Tell, for each value but the first, whether it is not the one before; nulls are equal."""
    ahead, behind = values.iloc[1:].array, values.iloc[:-1].array
    is_null = values.isna().to_numpy()
    same = np.asarray(ahead == behind, dtype=bool) | (is_null[1:] & is_null[:-1])
    return ~same


def _in_order(names: pd.DataFrame, written: Numbers, created: pd.Series) -> Numbers:
    """Order names by when they were built, as far as their layers tell.

    An image is built when its last step ran. Where dates are not known or equal, an image of
    fewer layers comes first, since it may be the base of the other; then texts decide, so that
    the order of the rows never does.
    """
    moments = np.full(len(names), np.iinfo(np.int64).min)
    np.maximum.at(moments, written, created.to_numpy("datetime64[us]").astype("int64"))
    moments[moments == np.iinfo(np.int64).min] = _LAST
    texts = [_sorted_numbers(names[column]) for column in IMAGE]
    return np.lexsort((*texts[::-1], np.bincount(written, minlength=len(names)), moments))


def _sorted_numbers(texts: pd.Series) -> Numbers:
    return np.asarray(pd.factorize(texts, sort=True)[0], dtype=np.int64)
