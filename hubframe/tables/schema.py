"""How a frame is declared: columns with their types and meanings, and the one way to build it.

Nothing here knows a particular frame, and nothing here touches the network.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC as _ZULU
from datetime import datetime, timedelta
from importlib import import_module
from itertools import chain, islice
from math import isfinite
from types import NoneType
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from hubframe.oci.payload import Known

Dtype = Literal["str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"]
TEXT: Dtype = "str"
COUNT: Dtype = "Int64"
FLOAT: Dtype = "Float64"
FLAG: Dtype = "boolean"
UTC: Dtype = "datetime64[us, UTC]"

# How many rows are made a frame at once.
BATCH = 10_000
_MOST = 2**63 - 1
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_EPOCH = datetime(1970, 1, 1, tzinfo=_ZULU)
_MICROSECOND = timedelta(microseconds=1)
# How numpy writes that there is no date.
_NO_DATE = -(2**63)
# What builders write for "no date": from a day to before another.
_EPOCHS = (("0001-01-01", "0002-01-01"), ("1970-01-01", "1971-01-01"), ("1980-01-01", "1980-01-02"))


@dataclass(frozen=True)
class Column:
    """One column of a frame."""

    name: str
    dtype: Dtype
    meaning: str  # one sentence; units in square brackets
    nullable: bool = True  # text that is nullable is never empty
    may_be_empty: bool = False  # text that may be "" is never null
    may_be_negative: bool = False  # as a difference may be, and no count
    # Whether dates that builders write for "no date" (years 1 and 1970, 1980-01-01) are null.
    no_epoch: bool = False

    @property
    def unit(self) -> str:
        """What its numbers count; empty where the meaning says so, or it has none."""
        _, mark, unit = self.meaning.partition(" [")
        return unit.removesuffix("]") if mark and unit.endswith("]") else ""

    @property
    def missing(self) -> str:
        """How a value that is not there is written."""
        if self.may_be_empty:
            return '`""`'
        return "null" if self.nullable else "never"

    def series(self, values: Sequence[Any]) -> pd.Series:
        """Build the column; an untrusted value that it cannot hold is null."""
        return pd.Series(self.array(values))

    def array(self, values: Sequence[Any]) -> ExtensionArray:
        """Build what the column holds."""
        return _BUILD[self.dtype](self, values)


@dataclass(frozen=True)
class Table:
    """The declaration of a frame."""

    name: str  # as its function has it, without ``_df``
    row: str  # what a row is
    key: tuple[str, ...]  # the columns that name one
    columns: tuple[Column, ...]
    # Who is asked for it and what that costs, or what it is computed of; and what to beware of.
    source: str = ""

    @property
    def dtypes(self) -> dict[str, Dtype]:
        """Dtype by column name, in order."""
        return {column.name: column.dtype for column in self.columns}

    def frame(
        self,
        values: Mapping[str, Sequence[Any]] | None = None,
        *,
        common: Collection[str] = (),
        counts: Sequence[int] = (),
        counter: str | None = None,
    ) -> pd.DataFrame:
        """Build the frame from one sequence per column; columns that are left out are null.

        So are values that a column cannot hold (a number in place of text, a negative count, a date
        that is none): payloads are untrusted.

        Parameters
        ----------
        values
            The columns with a value for each row.
        common
            Columns of which each value is that of several rows, one after the other.
        counts
            Of how many rows.
        counter
            The column that counts those rows, from 0.
        """
        values = values or {}
        ends = np.cumsum(np.asarray(counts, dtype=np.int64))
        of = np.repeat(np.arange(len(counts)), counts)
        rows = len(of) if common else max(map(len, values.values()), default=0)

        def array(column: Column) -> ExtensionArray:
            if column.name in common:
                return column.array(values[column.name]).take(of)
            if column.name == counter:
                place = np.arange(len(of)) - (ends - counts)[of]
                return pd.arrays.IntegerArray(place, np.zeros(len(place), dtype=bool))
            return column.array(values.get(column.name) or [None] * rows)

        return pd.DataFrame({column.name: array(column) for column in self.columns}, copy=False)

    def from_records(self, records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Build the frame from one mapping per row; keys that are no column are ignored.

        Some at a time: mappings take several times the room of the frame that is made of them.
        """
        left, parts = iter(records), []
        while some := list(islice(left, BATCH)):
            columns = {name: [record.get(name) for record in some] for name in self.dtypes}
            parts.append(self.frame(columns))
        return self.joined(parts)

    def from_rows(self, rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
        """Build the frame from the values of each row, in the order of the columns."""
        left, parts = iter(rows), []
        while some := list(islice(left, BATCH)):
            parts.append(self.frame(dict(zip(self.dtypes, zip(*some, strict=True), strict=True))))
        return self.joined(parts)

    def from_groups(
        self, groups: Iterable[tuple[Sequence[Any], Sequence[Sequence[Any]]]]
    ) -> pd.DataFrame:
        """Build the frame from groups of rows that have the first columns in common.

        A group is the values of these, and a sequence for each of the other columns; a group
        without rows is passed over.
        """
        left, parts = (group for group in groups if group[1][0]), []
        while some := list(_of_rows(left, BATCH)):
            shared, others = zip(*some, strict=True)
            common = list(self.dtypes)[: len(shared[0])]
            columns = (list(chain.from_iterable(each)) for each in zip(*others, strict=True))
            values = zip(self.dtypes, chain(zip(*shared, strict=True), columns), strict=True)
            counts = [len(columns[0]) for columns in others]
            parts.append(self.frame(dict(values), common=common, counts=counts))
        return self.joined(parts)

    def joined(self, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Put frames of this table one below the other; where there are none, one without rows."""
        if not parts:
            return self.frame()
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)

    def of(self, columns: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
        """Build the frame from whole arrays, every column given and sound; fast, it looks at none.

        This is for what hubframe itself computed; `frame` is for untrusted payloads.
        """
        return pd.DataFrame({name: columns[name] for name in self.dtypes}).astype(self.dtypes)

    def require(self, frame: Any, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Check that a frame has columns of this table, all of them unless told which.

        What is no frame is a TypeError; a column that is missing, is there twice, or was read as
        numbers where it is text (a tag 3.10 is 3.1 then) a ValueError. The frame is returned,
        with dates where they were read as text.
        """
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(
                f"a {type(frame).__name__} was given in place of the {self.name} frame, "
                f"a pandas.DataFrame"
            )
        wanted = dict.fromkeys(columns or self.dtypes)
        missing = [name for name in wanted if name not in frame]
        if missing:
            raise ValueError(
                f"this is not the {self.name} frame: it lacks the column{'s' * (len(missing) > 1)} "
                f"{', '.join(missing)}"
            )
        dates = {}
        for name in wanted:
            found = frame[name]
            if found.ndim > 1:
                raise ValueError(f"this {self.name} frame has several columns {name}")
            is_number = is_numeric_dtype(found.dtype)
            is_date = is_datetime64_any_dtype(found.dtype)
            dtype = self.dtypes[name]
            is_other = (dtype == TEXT and (is_number or is_date)) or (dtype == UTC and is_number)
            if is_other and found.notna().any():
                raise ValueError(
                    f"the column {name} of this {self.name} frame is {found.dtype}, not {dtype}: "
                    f"hubframe.read_csv(path, {self.name!r}) reads a file with the right dtypes"
                )
            if dtype == UTC and not is_date:
                moments = pd.to_datetime(found, utc=True, format="ISO8601")
                dates[name] = moments.astype(UTC)
        return frame.assign(**dates) if dates else frame

    def markdown(self) -> str:
        """Return the columns as a Markdown table, for the documentation."""
        head = "| column | dtype | unit | missing | meaning |\n|---|---|---|---|---|\n"
        return head + "".join(
            f"| `{column.name}` | `{column.dtype}` | {column.unit} | {column.missing} "
            f"| {column.meaning.removesuffix(f' [{column.unit}]')} |\n"
            for column in self.columns
        )


def plain_values(values: Any) -> Any:
    """Return a column or a frame with Python's own values, None for null."""
    return values.astype(object).where(values.notna(), None)


def plain_records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return each row as a mapping of Python's own values, None for null."""
    records: list[dict[Any, Any]] = plain_values(frame).to_dict("records")
    return records


def joined_attrs(frames: Iterable[pd.DataFrame]) -> dict[str, Any]:
    """Say of frames together what calls wrote down of each in ``attrs["hubframe"]``."""
    records = (frame.attrs.get("hubframe") for frame in frames)
    known = [record for record in records if isinstance(record, Mapping)]
    sources = {word for one in known for word in (one.get("source") or "").split("+")}
    counts, lists = ("requests", "from_cache", "stale", "skipped"), ("failures", "unknown")
    return {
        "source": "+".join(sorted(sources - {""})) or None,
        "sample": any(one.get("sample") for one in known),
        # The earliest of them, since they tell one story.
        "fetched_at": min(
            (one["fetched_at"] for one in known if "fetched_at" in one), default=None
        ),
        "complete": all(one.get("complete") for one in known),
        **{name: sum(one.get(name) or 0 for one in known) for name in counts},
        **{name: [each for one in known for each in one.get(name) or ()] for name in lists},
    }


def _of_rows(groups: Iterator[Any], most: int) -> Iterator[Any]:
    """Take groups until they have so many rows."""
    rows = 0
    for group in groups:
        yield group
        rows += len(group[1][0])
        if rows >= most:
            return


def _text(column: Column, values: Sequence[Any]) -> ExtensionArray:
    missing = "" if column.may_be_empty else None
    if None in values if column.may_be_empty else "" in values:
        values = [value or missing for value in values]
    try:
        return _strings(values)
    except (TypeError, ValueError):
        return _strings([sound(value) if isinstance(value, str) else missing for value in values])


def _strings(values: Sequence[Any]) -> ExtensionArray:
    """Build text; where pandas keeps it in Arrow's arrays, of one, which is ten times as fast.

    A value that is no text, or holds half a character, is a TypeError or a ValueError.
    """
    if pd.StringDtype(na_value=np.nan).storage != "pyarrow":
        if not set(map(type, values)) <= {str, NoneType}:
            raise TypeError
        "".join(filter(None, values)).encode()
        return pd.array(values, dtype=TEXT)
    pa = import_module("pyarrow")
    # Arrow's own pool keeps up to twice the room that the text takes.
    pool = pa.system_memory_pool()
    return pd.array(pa.array(values, type=pa.large_string(), memory_pool=pool), dtype=TEXT)


# Arrow makes its functions when they are first used; no fork may come between (see `hubframe`).
_strings([""])


def sound(value: str) -> str:
    """Put U+FFFD for halves of characters, which JSON may spell and UTF-8 cannot hold."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(column: Column, values: Sequence[Any]) -> ExtensionArray:
    least = -_MOST if column.may_be_negative else 0
    # Nearly always all are such numbers.
    if set(map(type, values)) == {int} and least <= min(values) and max(values) <= _MOST:
        return pd.arrays.IntegerArray(np.array(values), np.zeros(len(values), dtype=bool))
    whole = [_whole(value, least) for value in values]
    is_missing = np.fromiter((value is None for value in whole), dtype=bool, count=len(whole))
    if is_missing.any():
        whole = [value or 0 for value in whole]
    return pd.arrays.IntegerArray(np.array(whole, dtype=np.int64), is_missing)


def _whole(value: Any, least: int) -> int | None:
    """Read a whole number that 64 bits hold; some registries write it as text."""
    if (isinstance(value, str) and _DIGITS.fullmatch(value)) or (
        isinstance(value, float) and value.is_integer()
    ):
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and least <= value <= _MOST else None


def _float(_column: Column, values: Sequence[Any]) -> ExtensionArray:
    return pd.array(list(map(_finite, values)), dtype=FLOAT)


def _finite(value: Any) -> float | None:
    """Read a number, also one written as text; there is no infinity and no "not a number"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _flag(_column: Column, values: Sequence[Any]) -> ExtensionArray:
    if not set(map(type, values)) <= {bool, NoneType}:
        values = [value if isinstance(value, bool) else None for value in values]
    return pd.array(values, dtype=FLAG)


def _utc(column: Column, values: Sequence[Any]) -> ExtensionArray:
    if not set(map(type, values)) <= {str, NoneType}:
        values = [value if isinstance(value, str) else None for value in values]
    found = np.fromiter(map(_MOMENTS.__getitem__, values), dtype=np.int64, count=len(values))
    for first, end in _EPOCHS if column.no_epoch else ():
        found[(found >= _MOMENTS[first]) & (found < _MOMENTS[end])] = _NO_DATE
    return pd.DatetimeIndex(found.view("datetime64[us]"), tz="UTC").array


def _moment(written: str | None) -> int:
    """Read a date as numpy holds it, in microseconds."""
    at = _instant(written) if written else None
    return _NO_DATE if at is None else (at - _EPOCH) // _MICROSECOND


def _instant(written: str) -> datetime | None:
    """Read an ISO date to the microsecond; one without a zone is in UTC.

    Not with pandas: it reads ``now`` as a date, and lets years before 1 and after 9999 overflow.
    """
    try:
        at = datetime.fromisoformat(written)
        return at.astimezone(_ZULU) if at.tzinfo else at.replace(tzinfo=_ZULU)
    except (ValueError, OverflowError):
        return None


_MOMENTS = Known(_moment)
_BUILD = {TEXT: _text, COUNT: _count, FLOAT: _float, FLAG: _flag, UTC: _utc}
