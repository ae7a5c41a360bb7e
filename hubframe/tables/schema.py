"""How a frame is declared: columns with their types and meanings, and the one way to build it.

Nothing here knows a particular frame, and nothing here touches the network.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd

Dtype = Literal["str", "Int64", "boolean", "datetime64[us, UTC]"]
TEXT: Dtype = "str"
COUNT: Dtype = "Int64"
FLAG: Dtype = "boolean"
UTC: Dtype = "datetime64[us, UTC]"

_INT64 = range(2**63)


@dataclass(frozen=True)
class Column:
    """One column of a frame.

    Attributes
    ----------
    name, dtype
        As they stand in the frame.
    meaning
        One sentence; units in square brackets.
    nullable
        Whether a value may be missing. Text that is nullable is never empty.
    may_be_empty
        Whether text may be ``""``. Such a column is never null.
    no_epoch
        Whether dates that builders write for "no date" (years 1 and 1970, 1980-01-01) are null.
    """

    name: str
    dtype: Dtype
    meaning: str
    nullable: bool = True
    may_be_empty: bool = False
    no_epoch: bool = False


@dataclass(frozen=True)
class Table:
    """The declaration of a frame: what a row is, its key, and its columns in order."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @cached_property
    def dtypes(self) -> dict[str, Dtype]:
        """Dtype by column name, in order."""
        return {column.name: column.dtype for column in self.columns}

    def frame(self, values: Mapping[str, Sequence[Any]] | None = None) -> pd.DataFrame:
        """Build the frame from one sequence per column.

        Columns that are left out are null. Values that a column cannot hold (a negative or
        absurd count, a date that is none) are null too: they were written by strangers.
        """
        values = values or {}
        rows = max((len(column) for column in values.values()), default=0)
        return pd.DataFrame(
            {
                column.name: _series(column, values.get(column.name) or [None] * rows)
                for column in self.columns
            }
        )

    def from_records(self, records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Build the frame from one mapping per row; keys that are no column are ignored."""
        records = list(records)
        return self.frame(
            {name: [record.get(name) for record in records] for name in self.dtypes}
        )

    def markdown(self) -> str:
        """Return the columns as a Markdown table, for the documentation."""
        head = "| column | dtype | meaning |\n|---|---|---|\n"
        return head + "".join(
            f"| `{column.name}` | `{column.dtype}` | {column.meaning} |\n"
            for column in self.columns
        )


def _series(column: Column, values: Sequence[Any]) -> pd.Series:
    return _BUILD[column.dtype](column, values)


def _text(column: Column, values: Sequence[Any]) -> pd.Series:
    if column.may_be_empty:
        values = ["" if value is None else value for value in values]
    elif column.nullable:
        values = [value or None for value in values]
    try:
        return pd.Series(values, dtype=TEXT)
    except (TypeError, UnicodeEncodeError, ValueError):
        return pd.Series([_encodable(value) for value in values], dtype=TEXT)


def _encodable(value: Any) -> str | None:
    """Text that UTF-8 can hold: JSON may spell half a surrogate pair, and other types."""
    return None if value is None else str(value).encode("utf-8", "replace").decode("utf-8")


def _count(_column: Column, values: Sequence[Any]) -> pd.Series:
    try:
        series = pd.Series(values, dtype=COUNT)
        if series.empty or not (series < 0).any():
            return series
    except (TypeError, ValueError, OverflowError):
        pass
    return pd.Series([_whole(value) for value in values], dtype=COUNT)


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:  # noqa: PLR2004
        value = int(value)
    sound = isinstance(value, int) and not isinstance(value, bool) and value in _INT64
    return value if sound else None


def _flag(_column: Column, values: Sequence[Any]) -> pd.Series:
    return pd.Series(
        [value if isinstance(value, bool) else None for value in values], dtype=FLAG
    )


def _utc(column: Column, values: Sequence[Any]) -> pd.Series:
    """Parse dates in bulk, each distinct text once."""
    distinct = list({value for value in values if isinstance(value, str)})
    parsed = pd.to_datetime(
        pd.Series(distinct, dtype=object), format="ISO8601", utc=True, errors="coerce"
    ).dt.as_unit("us")
    if column.no_epoch:
        parsed = parsed.mask(_is_epoch(parsed))
    known = dict(zip(distinct, parsed, strict=True))
    return pd.Series(
        [known.get(value) if isinstance(value, str) else None for value in values], dtype=UTC
    )


def _is_epoch(dates: pd.Series) -> pd.Series:
    first_of_1980 = (dates.dt.year == 1980) & (dates.dt.day_of_year == 1)  # noqa: PLR2004
    is_epoch: pd.Series = dates.dt.year.isin((1, 1970)) | first_of_1980
    return is_epoch


_BUILD = {TEXT: _text, COUNT: _count, FLAG: _flag, UTC: _utc}
