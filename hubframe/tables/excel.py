"""Frames as a workbook: a sheet each, and a sheet that tells what their columns are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from io import BytesIO
from itertools import accumulate
from math import isfinite
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd

from hubframe.errors import HubframeError
from hubframe.tables.files import replacing
from hubframe.tables.measured import TABLES
from hubframe.tables.schema import COUNT, FLOAT, TEXT, UTC, Column, Dtype, plain_values

COLUMNS = "columns"
# What Excel holds: rows of a sheet, its first line among them, and a cell's UTF-16 units.
MOST_ROWS, MOST_TEXT = 1_048_576, 32_767
_LONGEST_NAME = 31
_NO_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$|^$")
# Excel keeps this name for itself.
_RESERVED = {"history": "build history"}
# Numbers are 64-bit floats there; days are counted from 1900, with a February of 29 days, to 9999.
_MOST_WHOLE = 2**53
_FIRST, _LAST = pd.Timestamp("1900-03-01"), pd.Timestamp("9999-12-31 23:59:59")
# What XML cannot hold is written as _xHHHH_, and so is the _ that would make text look like it.
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_PART = re.compile(r"_x[0-9A-F]{4}_|.", re.DOTALL)
_CUT = "… (cut: %s characters, more than a cell holds)"

_TIME = 'yyyy-mm-dd hh:mm:ss" UTC"'
_BYTES = '[>=1000000000]0.00,,," GB";[>=1000000]0.0,," MB";0.0," kB"'
_SIGNED_BYTES = '#,##0" B"'
_FORMATS = {TEXT: "@", COUNT: "#,##0", UTC: _TIME, FLOAT: "General"}
_WIDEST, _NARROWEST, _LOOKED_AT = 60, 10, 200


def write_excel(
    frames: pd.DataFrame | Mapping[str, pd.DataFrame], path: str | Path | IO[bytes]
) -> None:
    """Write frames as an Excel workbook in which each cell has its type.

    Text stays text: a tag ``3.10`` is no number, ``=1+1`` is no formula, an address is no link.
    Times are times, in UTC, which their format says, since a workbook knows no zones; Excel counts
    them to the millisecond. Sizes are numbers that are shown as kB, MB or GB; fractions keep 16
    digits. What is missing, and empty text, is an empty cell.

    What Excel cannot hold as it is becomes text: whole numbers above 2**53, numbers that are not
    finite, times before March 1900 and in the last second of 9999. Text of more than 32,767
    characters is cut; its cell says so, and how long it was. Control characters are written as
    Excel writes them, ``_x0007_``.

    Parameters
    ----------
    frames
        A frame, or frames by name, each of which becomes a sheet of that name (``history`` is
        Excel's own, so that one is called ``build history``). The last sheet, ``columns``, lists
        the columns of all of them: dtype, unit, what they mean, and what was cut.
    path
        A file name, or a file that is open for bytes.

    Raises
    ------
    ValueError
        A frame has more rows than a sheet holds, 1,048,575, or two columns of one name; a name is
        none for a sheet. Nothing was written.
    HubframeError
        The package openpyxl is not installed.
    """
    try:
        openpyxl: Any = import_module("openpyxl")
    except ImportError as error:
        raise HubframeError("Excel needs openpyxl: pip install 'hubframe[xlsx]'") from error
    if isinstance(frames, pd.DataFrame):
        frames = {_table_name(frames) or "frame": frames}
    sheets = {_RESERVED.get(name, name): _columns(name, frame) for name, frame in frames.items()}
    _check_names([*(_RESERVED.get(name, name) for name in frames), COLUMNS])
    book = openpyxl.Workbook(write_only=True)
    book.properties.creator = "hubframe"
    for name, columns in sheets.items():
        _write(openpyxl, book.create_sheet(name), columns)
    _write(openpyxl, book.create_sheet(COLUMNS), _columns(COLUMNS, _described(sheets)))
    # Not to a file at once: where that cannot be written, the book would be left half closed.
    packed = BytesIO()
    book.save(packed)
    if isinstance(path, str | Path):
        with replacing(path) as draft:
            draft.write_bytes(packed.getbuffer())
    else:
        path.write(packed.getbuffer())


@dataclass
class _Cells:
    """A column of a sheet: its declaration, and how many of its texts were cut."""

    column: Column
    values: pd.Series
    cut_count: int = 0

    @property
    def format(self) -> str:
        """How Excel shows a number or a time."""
        if self.column.unit == "bytes":
            return _SIGNED_BYTES if self.column.may_be_negative else _BYTES
        return _FORMATS.get(self.column.dtype, "General")

    @property
    def width(self) -> int:
        """How wide the column is, in characters, as far as its first rows tell."""
        if self.column.dtype == UTC:
            return len("2024-01-01 00:00:00 UTC")
        texts = [str(value) for value in self.values.head(_LOOKED_AT).dropna()]
        longest = max(map(len, (self.column.name, *texts)))
        return min(max(longest + 2, _NARROWEST), _WIDEST)

    def written(self) -> Iterator[Any]:
        """Give each value as a workbook holds it, text escaped and cut to what a cell holds."""
        is_zoned = isinstance(self.values.dtype, pd.DatetimeTZDtype)
        for value in plain_values(self.values.dt.tz_convert(None) if is_zoned else self.values):
            held = _held(value)
            if isinstance(held, str):
                held = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", held)
                if len(held) > MOST_TEXT // 2 and _units(held) > MOST_TEXT:
                    self.cut_count += 1
                    held = _cut(held, _CUT % f"{len(value):,}")
            yield held


def _columns(name: str, frame: pd.DataFrame) -> list[_Cells]:
    """Look at a frame, and find the declarations of its columns."""
    if not frame.columns.is_unique:
        raise ValueError(f"two columns of {name} have the same name: rename one")
    if len(frame) >= MOST_ROWS:
        raise ValueError(
            f"{name} has {len(frame):,} rows, and a sheet of Excel holds {MOST_ROWS - 1:,}: "
            "write CSV or Parquet, or choose fewer rows"
        )
    table = TABLES.get(_table_name(frame) or name)
    declared = {column.name: column for column in table.columns} if table else {}
    cells = []
    for label, values in frame.items():
        column = Column(str(label), cast("Dtype", str(values.dtype)), "")
        cells.append(_Cells(declared.get(column.name, column), values))
    return cells


def _write(openpyxl: Any, sheet: Any, columns: list[_Cells]) -> None:
    """Write a sheet, row by row, which takes little memory."""
    sheet.freeze_panes = "A2"
    # A row is written before the next one is made, so that each column does with one cell.
    head, cells = ([openpyxl.cell.WriteOnlyCell(sheet) for _ in columns] for _ in range(2))
    for place, column in enumerate(columns):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(place + 1)].width = column.width
        head[place].font = openpyxl.styles.Font(bold=True)
        cells[place].number_format = column.format
    sheet.append(_filled(head, [column.column.name for column in columns]))
    for row in zip(*(column.written() for column in columns), strict=True):
        sheet.append(_filled(cells, row))


def _filled(cells: Sequence[Any], row: Sequence[Any]) -> list[Any]:
    """Put a row's values into cells; text in as text, whatever it looks like."""
    for cell, value in zip(cells, row, strict=True):
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
    return [cell if cell.value is not None else None for cell in cells]


def _described(sheets: Mapping[str, list[_Cells]]) -> pd.DataFrame:
    """List the columns of sheets that are written: what was cut was counted meanwhile."""
    rows = [
        (
            name,
            cells.column.name,
            cells.column.dtype,
            cells.column.unit,
            cells.column.meaning.removesuffix(f" [{cells.column.unit}]"),
            f"cells that were cut: {cells.cut_count:,}" if cells.cut_count else None,
        )
        for name, columns in sheets.items()
        for cells in columns
    ]
    names = ["sheet", "column", "dtype", "unit", "meaning", "note"]
    return pd.DataFrame(rows, columns=names, dtype=TEXT)


def _table_name(frame: pd.DataFrame) -> str | None:
    told = frame.attrs.get("hubframe")
    return told.get("table") if isinstance(told, Mapping) else None


def _check_names(names: list[str]) -> None:
    """Check that Excel takes names for sheets; it does not tell small letters from capitals."""
    for name in names:
        if len(name) > _LONGEST_NAME or _NO_NAME.search(name):
            raise ValueError(
                f"{name!r} is no name for a sheet of Excel: give 1 to {_LONGEST_NAME} characters, "
                "none of [ ] : * ? / \\, and no ' at either end"
            )
    if len({name.casefold() for name in names}) < len(names):
        raise ValueError(f"two sheets would have one name: {', '.join(names)}")


def _held(value: Any) -> Any:
    """Return a value as Excel holds it; as text where it cannot."""
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MOST_WHOLE else str(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value if _FIRST <= value <= _LAST else value.isoformat(" ")
    return str(value)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(escaped: str, mark: str) -> str:
    """Cut text to what a cell holds, within no character and no escape, and say so."""
    parts = _PART.findall(escaped)
    ends = accumulate(map(_units, parts))
    room = MOST_TEXT - len(mark)
    return "".join(part for part, end in zip(parts, ends, strict=True) if end <= room) + mark
