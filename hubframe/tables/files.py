"""Frames to CSV and back, exactly; and safe to open in a spreadsheet."""

import csv
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.tables.declarations import TABLES
from hubframe.tables.schema import FLAG, TEXT, UTC, Table

# Cells that a spreadsheet would run. Strangers write labels; one quote before the cell stops it.
_FORMULA = r"^('*[=+\-@\t\r])"
_GUARDED = r"^'('*[=+\-@\t\r])"


def write_csv(
    frame: pd.DataFrame, path: str | Path | IO[str] | None = None, *, verbatim: bool = False
) -> str | None:
    """Write a frame as CSV that `read_csv` gives back equal.

    Parameters
    ----------
    frame
        Any frame.
    path
        A file name or an open text file; None returns the text.
    verbatim
        Write cells as they are. Otherwise a cell that a spreadsheet would run as a formula gets
        one ``'`` before it, which `read_csv` takes off again.
    """
    shown = frame if verbatim else guard(frame)
    return shown.to_csv(path, index=False, encoding="utf-8", lineterminator="\n", quoting=_quoting(shown))


def guard(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with one ``'`` before each cell that a spreadsheet would run."""
    return _replace(frame, _FORMULA, r"'\1")


def read_csv(path: str | Path | IO[str], table: str | Table, *, verbatim: bool = False) -> pd.DataFrame:
    """Read a frame that was written as CSV, with the dtypes of its table.

    Parameters
    ----------
    path
        A file name or an open text file.
    table
        A table or its name, such as ``"tags"``.
    verbatim
        Whether it was written so.

    Raises
    ------
    PayloadError
        A column of the table is missing, or a cell is not what its column holds.
    ValueError
        There is no such table.
    """
    table = _table(table)
    try:
        cells = pd.read_csv(path, dtype=TEXT, keep_default_na=False, encoding="utf-8")
        frame = pd.DataFrame({name: _typed(cells, table, name) for name in table.dtypes})
    except KeyError as error:
        raise PayloadError(f"{path}: the column {error} of the table {table.name} is missing") from None
    except (ValueError, TypeError) as error:
        raise PayloadError(f"{path} is not a CSV of the table {table.name}: {error}") from error
    return frame if verbatim else _replace(frame, _GUARDED, r"\1")


def _quoting(frame: pd.DataFrame) -> Literal[0, 2]:
    """Quote all text where a cell holds a bare carriage return: readers take it for a line's end."""
    holds_return = any(
        frame[name].str.contains("\r", regex=False, na=False).any() for name in _text_columns(frame)
    )
    return csv.QUOTE_NONNUMERIC if holds_return else csv.QUOTE_MINIMAL


def _text_columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, dtype in frame.dtypes.items() if str(dtype) == TEXT]


def _typed(cells: pd.DataFrame, table: Table, name: str) -> pd.Series:
    column = next(column for column in table.columns if column.name == name)
    values = cells[name]
    if column.may_be_empty:
        return values
    values = values.mask(values == "")
    if column.dtype == UTC:
        return pd.to_datetime(values, format="ISO8601", utc=True).dt.as_unit("us")
    if column.dtype == FLAG:
        return values.map({"True": True, "False": False}, na_action="ignore").astype(FLAG)
    if column.dtype == TEXT:
        return values
    return pd.Series([None if pd.isna(value) else int(value) for value in values], dtype=column.dtype)


def _replace(frame: pd.DataFrame, pattern: str, replacement: str) -> pd.DataFrame:
    """Replace at the start of every text cell, touching only the columns where something matches."""
    changed: dict[str, Any] = {
        name: frame[name].str.replace(pattern, replacement, regex=True)
        for name in _text_columns(frame)
        if frame[name].str.match(pattern, na=False).any()
    }
    return frame.assign(**changed) if changed else frame


def _table(table: str | Table) -> Table:
    if isinstance(table, Table):
        return table
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}; the tables are {', '.join(TABLES)}")
    return TABLES[table]
