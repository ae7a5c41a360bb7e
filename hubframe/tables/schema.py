"""How a frame is declared: columns with their types and meanings, and the one way to build it.

Nothing here knows a particular frame, and nothing here touches the network.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC as _ZULU
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from math import isfinite
from types import NoneType
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

Dtype = Literal["str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"]
TEXT: Dtype = "str"
COUNT: Dtype = "Int64"
FLOAT: Dtype = "Float64"
FLAG: Dtype = "boolean"
UTC: Dtype = "datetime64[us, UTC]"

# How many rows are made a frame at once.
BATCH = 10_000
_INT64 = range(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=_ZULU)
_DAY = 24 * 60 * 60
_MICROSECONDS = 10**6
# How numpy writes that there is no date.
_NO_DATE = -(2**63)


class Known(dict[Any, Any]):
    """What was read of texts, by text: many come again and again, and a look-up is no call.

    Parameters
    ----------
    read
        What reads a text.
    most, longest
        How many are remembered, and how long they may be: what is longer is rarely the same.
    """

    def __init__(
        self, read: Callable[[Any], Any], most: int = 16_384, longest: int = 2_000
    ) -> None:
        super().__init__()
        self._read = read
        self._most = most
        self._longest = longest

    def __missing__(self, written: Any) -> Any:
        """Read what is not known."""
        found = self._read(written)
        if written is None or len(written) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[written] = found
        return found


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
    may_be_negative
        Whether a number that is no count, such as a difference, may be less than 0.
    no_epoch
        Whether dates that builders write for "no date" (years 1 and 1970, 1980-01-01) are null.
    """

    name: str
    dtype: Dtype
    meaning: str
    nullable: bool = True
    may_be_empty: bool = False
    may_be_negative: bool = False
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
        """Build the column; a value that it cannot hold is null, a stranger wrote it."""
        return pd.Series(self.array(values))

    def array(self, values: Sequence[Any]) -> ExtensionArray:
        """Build what the column holds."""
        return _BUILD[self.dtype](self, values)


@dataclass(frozen=True)
class Table:
    """The declaration of a frame.

    Attributes
    ----------
    name
        As its function has it, without ``_df``.
    row, key, columns
        What a row is, the columns that name one, and all columns in order.
    source
        Who is asked for it and what that costs, or what it is computed of; and what to beware of.
    """

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    source: str = ""

    @cached_property
    def dtypes(self) -> dict[str, Dtype]:
        """Dtype by column name, in order."""
        return {column.name: column.dtype for column in self.columns}

    def frame(
        self,
        values: Mapping[str, Sequence[Any]] | None = None,
        *,
        common: Mapping[str, Sequence[Any]] | None = None,
        counts: Sequence[int] = (),
        counter: str | None = None,
    ) -> pd.DataFrame:
        """Build the frame from one sequence per column.

        Columns that are left out are null. Values that a column cannot hold (a number in place
        of text, a negative count, a date that is none) are null too: they were written by
        strangers.

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
        values, common = values or {}, common or {}
        rows = max((len(column) for column in values.values()), default=0)
        of, place = _places(counts)

        def array(column: Column) -> ExtensionArray:
            if column.name in common:
                return column.array(common[column.name]).take(of)
            if column.name == counter:
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

    def joined(self, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Put frames of this table one below the other; where there are none, one without rows."""
        if not parts:
            return self.frame()
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)

    def of(self, columns: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
        """Build the frame from whole arrays, every column given and sound; fast, it looks at none.

        This is for what hubframe itself computed; `frame` is for what strangers wrote.
        """
        return pd.DataFrame({name: columns[name] for name in self.dtypes}).astype(self.dtypes)

    def require(self, frame: Any, columns: Iterable[str] | None = None) -> None:
        """Check that a frame has columns of this table, all of them unless told which.

        Raises
        ------
        TypeError
            It is no frame.
        ValueError
            A column is missing.
        """
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(
                f"a {type(frame).__name__} was given in place of the {self.name} frame, "
                f"a pandas.DataFrame"
            )
        missing = [name for name in columns or self.dtypes if name not in frame]
        if missing:
            raise ValueError(
                f"this is not the {self.name} frame: it lacks the column{'s' * (len(missing) > 1)} "
                f"{', '.join(missing)}"
            )

    def markdown(self) -> str:
        """Return the columns as a Markdown table, for the documentation."""
        head = "| column | dtype | unit | missing | meaning |\n|---|---|---|---|---|\n"
        return head + "".join(
            f"| `{column.name}` | `{column.dtype}` | {column.unit} | {column.missing} "
            f"| {column.meaning.removesuffix(f' [{column.unit}]')} |\n"
            for column in self.columns
        )


def _places(counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Tell of each row which group of rows it belongs to, and its place there."""
    ends = np.cumsum(np.asarray(counts, dtype=np.int64))
    of = np.repeat(np.arange(len(counts)), counts)
    return of, np.arange(len(of)) - (ends - counts)[of]


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

    Raises
    ------
    TypeError, ValueError
        A value is no text, or holds half a character.
    """
    if pd.StringDtype(na_value=np.nan).storage != "pyarrow":
        if not set(map(type, values)) <= {str, NoneType}:
            raise TypeError
        "".join(filter(None, values)).encode()
        return _array(values, TEXT)
    import pyarrow as pa  # noqa: PLC0415 - pandas does without, too

    # Arrow's own pool keeps up to twice the room that the text takes.
    pool = pa.system_memory_pool()
    return pd.array(pa.array(values, type=pa.large_string(), memory_pool=pool), dtype=TEXT)


def sound(value: str) -> str:
    """Put U+FFFD for halves of characters, which JSON may spell and UTF-8 cannot hold."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(column: Column, values: Sequence[Any]) -> ExtensionArray:
    """Build counts; where all are plain numbers or missing, as nearly always, at once."""
    if column.may_be_negative:
        return _array([_signed(value) for value in values], COUNT)
    kinds = set(map(type, values))
    if not kinds <= {int, NoneType}:
        return _count(column, [_whole(value) for value in values])
    is_missing = np.zeros(len(values), dtype=bool)
    known = values
    if NoneType in kinds:
        is_missing = np.array([value is None for value in values], dtype=bool)
        known = [value or 0 for value in values]
    try:
        whole = np.array(known, dtype=np.int64)
    except OverflowError:
        return _count(column, [_whole(value) for value in values])
    is_negative = whole < 0
    whole[is_negative] = 0
    return pd.arrays.IntegerArray(whole, is_missing | is_negative)


def _array(values: Sequence[Any], dtype: Dtype) -> ExtensionArray:
    found: ExtensionArray = pd.Series(values, dtype=dtype).array
    return found


def _signed(value: Any) -> int | None:
    """Read a whole number of either sign."""
    if isinstance(value, str):
        is_negative, size = value.startswith("-"), _whole(value.removeprefix("-"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        is_negative, size = value < 0, _whole(abs(value))
    else:
        return None
    return -size if is_negative and size is not None else size


def _whole(value: Any) -> int | None:
    """Read a count: a number from 0 that 63 bits hold; some registries write it as text."""
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20  # noqa: PLR2004
    if is_digits or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    sound = isinstance(value, int) and not isinstance(value, bool) and value in _INT64
    return value if sound else None


def _float(_column: Column, values: Sequence[Any]) -> ExtensionArray:
    return _array([_finite(value) for value in values], FLOAT)


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
    if set(map(type, values)) == {bool}:
        return pd.arrays.BooleanArray(_bools(values), np.zeros(len(values), dtype=bool))
    is_flag = _bools(isinstance(value, bool) for value in values)
    return pd.arrays.BooleanArray(_bools(value is True for value in values), ~is_flag)


def _bools(values: Iterable[bool]) -> np.ndarray:
    """Make an array, by way of bytes, which is fast."""
    return np.frombuffer(bytearray(values), dtype=bool)


def _utc(column: Column, values: Sequence[Any]) -> ExtensionArray:
    """Read dates."""
    if not set(map(type, values)) <= {str, NoneType}:
        values = [value if isinstance(value, str) else None for value in values]
    known = _SOUND_MOMENTS if column.no_epoch else _MOMENTS
    found = np.fromiter(map(known.__getitem__, values), dtype=np.int64, count=len(values))
    return pd.DatetimeIndex(found.view("datetime64[us]"), tz="UTC").array


def _moment(written: str | None) -> int:
    """Read a date as numpy holds it."""
    at = _instant(written) if written else None
    return _NO_DATE if at is None else _since_epoch(at)


def _sound_moment(written: str | None) -> int:
    """The same, without those that mean that there is none."""
    at = _instant(written) if written else None
    return _NO_DATE if at is None or _is_epoch(at) else _since_epoch(at)


def _since_epoch(at: datetime) -> int:
    """Count microseconds; by dividing, that would take three times as long."""
    since = at - _EPOCH
    return (since.days * _DAY + since.seconds) * _MICROSECONDS + since.microseconds


def _instant(written: str) -> datetime | None:
    """Read an ISO date to the microsecond; one without a zone is in UTC.

    Not with pandas: it reads ``now`` as a date, and lets years before 1 and after 9999 overflow
    into others.
    """
    try:
        at = datetime.fromisoformat(written)
        return at.astimezone(_ZULU) if at.tzinfo else at.replace(tzinfo=_ZULU)
    except (ValueError, OverflowError):
        return None


def _is_epoch(at: datetime) -> bool:
    return at.year in (1, 1970) or at.date() == date(1980, 1, 1)


_MOMENTS, _SOUND_MOMENTS = Known(_moment), Known(_sound_moment)
_BUILD = {TEXT: _text, COUNT: _count, FLOAT: _float, FLAG: _flag, UTC: _utc}
