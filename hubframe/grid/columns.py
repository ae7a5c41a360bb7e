"""What a table on screen says of each column of a frame, and in which order its values are."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import (
    is_bool_dtype,
    is_datetime64_any_dtype,
    is_numeric_dtype,
    is_string_dtype,
)

from hubframe.grid.cells import Cell, Said, cell, declared
from hubframe.oci.tagnames import newest_first, read_all

# Text that is longer is cut where there is no room for all of it.
_LONG = 28
# Columns that are sorted as versions are.
_VERSIONS = ("tag", "version")
# Digests have any two or three digits: shorter words are not looked for in them.
_SHORTEST = 6
Places = npt.NDArray[np.int64]


class GridColumn:
    """A column of a frame, as a table shows it.

    What thousands of rows say a few times is put in order, worded and looked through once, and
    only when it is asked for.

    Attributes
    ----------
    name, said
        What it is called in the frame, and what its declaration says of it.
    is_number
        Whether it is set to the right.
    is_digest
        Whether its values are digests, of which nobody reads more than the beginning.
    count
        How many rows there are.
    """

    def __init__(self, name: str, series: pd.Series, said: Said, now: pd.Timestamp | None) -> None:
        self.name, self.said = name, said
        self.is_number = is_numeric_dtype(series.dtype) and not is_bool_dtype(series.dtype)
        self.is_digest = name.endswith("digest") or name == "diff_id"
        self.count = len(series)
        self._series, self._now = series, now

    @property
    def codes(self) -> Places:
        """Of each row the place of its value among `distinct`; -1 where it is null."""
        return self._coded[0]

    @property
    def distinct(self) -> list[Any]:
        """The distinct values, in the order that the column is sorted in."""
        return self._coded[1]

    @cached_property
    def is_empty(self) -> bool:
        """Whether all its values are null."""
        return bool(self._series.isna().all())

    @cached_property
    def is_constant(self) -> bool:
        """Whether all rows say the same, or nothing."""
        return self.is_empty or bool((_factorized(self._series)[0] == 0).all())

    @cached_property
    def heading(self) -> dict[str, Any]:
        """What its head says, and its line in the list of columns, as JSON has it."""
        is_said = self.is_constant and not self.is_empty
        is_text = is_string_dtype(self._series.dtype) and not self.is_digest
        longest = self._series.str.len().max() if is_text else 0
        return {
            "name": self.name,
            "title": self.name.replace("_", " "),
            "about": self.said.meaning,
            "hints": _hints(self.name, self._series),
            "isNumber": self.is_number,
            "isDigest": self.is_digest,
            "isLong": bool(longest > _LONG),
            "same": self.cells([0])[0].text if is_said else None,
            "isEmpty": self.is_empty,
        }

    def cells(self, rows: list[int] | Places) -> list[Cell]:
        """Return what rows say, by their places."""
        return self._cells(self._series.iloc[rows])

    def distinct_cells(self) -> list[Cell]:
        """Return each of `distinct` as people see it."""
        return self._cells(self.distinct)

    def order(self, *, is_falling: bool) -> Places:
        """Return the rows in order, as places; nulls are last both ways."""
        codes = self.codes
        ranks = np.where(codes < 0, len(self.distinct), -codes if is_falling else codes)
        return np.argsort(ranks, kind="stable")

    def holds(self, word: str) -> npt.NDArray[np.bool_]:
        """Tell of each row whether this column has a word, which is in small letters."""
        if self.is_digest and len(word) < _SHORTEST:
            return np.zeros(self.count, dtype=bool)
        codes, texts = self._texts
        return np.array([word in text for text in texts], dtype=bool)[codes]

    def _cells(self, values: Iterable[Any]) -> list[Cell]:
        return [cell(self.name, value, self._now, self.said.unit) for value in values]

    @cached_property
    def _texts(self) -> tuple[Places, list[str]]:
        """Of each row the place of what is looked through, which is last for null."""
        codes, distinct = _factorized(self._series)
        texts = [str(value).casefold() for value in distinct]
        if self.is_number:  # also as people see it, as 12 MB
            shown = self._cells(distinct)
            texts = [
                f"{text}\n{one.text.casefold()}" for text, one in zip(texts, shown, strict=True)
            ]
        return codes, [*texts, ""]

    @cached_property
    def _coded(self) -> tuple[Places, list[Any]]:
        codes, distinct = _factorized(self._series, sort=True)
        values = list(distinct)
        if self.name not in _VERSIONS or not values:
            return codes, values
        names = [str(value) for value in values]
        newest = newest_first(read_all(names).values())
        ranks = {one.tag: -place for place, one in enumerate(newest)}
        order = sorted(range(len(values)), key=lambda place: ranks[names[place]])
        places = np.argsort(order)
        return np.where(codes < 0, -1, places[codes]), [values[place] for place in order]


def columns_of(frame: pd.DataFrame, now: pd.Timestamp | None = None) -> dict[str, GridColumn]:
    """Return the columns of a frame by name; dates are told from a moment, or are plain dates."""
    said = declared(frame)
    return {
        str(name): GridColumn(str(name), series, said.get(str(name), Said()), now)
        for name, series in frame.items()
    }


def shown_first(
    columns: Mapping[str, GridColumn], wanted: Sequence[str] = (), key: Sequence[str] = ()
) -> list[str]:
    """Return which columns are shown unless a person chooses others.

    Those that are `wanted`, or all; but none that says the same in all rows, or nothing, unless it
    is what names the rows, the last of their `key`. A row alone is shown whole.
    """
    names = list(wanted) or list(columns)
    if all(column.count == 1 for column in columns.values()):
        return names
    return [name for name in names if name in key[-1:] or not columns[name].is_constant] or names


def _factorized(series: pd.Series, *, sort: bool = False) -> tuple[Places, Any]:
    try:
        return pd.factorize(series, sort=sort)
    except TypeError:  # values that have no order, or cannot be compared at all
        return pd.factorize(series.map(str, na_action="ignore"), sort=sort)


def _hints(name: str, series: pd.Series) -> tuple[str, str, str]:
    """Say what the next click sorts by: where nothing is sorted, after upwards, after downwards."""
    if name in _VERSIONS:
        first, last = "the lowest version first", "the highest version first"
    elif is_datetime64_any_dtype(series.dtype):
        first, last = "the oldest first", "the newest first"
    elif is_bool_dtype(series.dtype):
        first, last = "no first", "yes first"
    elif is_numeric_dtype(series.dtype):
        first, last = "the smallest first", "the largest first"
    else:
        first, last = "A to Z", "Z to A"
    return first, last, "as the rows came"
