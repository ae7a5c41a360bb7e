"""Frames to CSV and back, exactly, and safe to open in a spreadsheet; and for other libraries."""

import csv
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd
from pandas.api.types import (
    is_bool_dtype,
    is_extension_array_dtype,
    is_numeric_dtype,
    is_string_dtype,
)

from hubframe.errors import PayloadError
from hubframe.tables.measured import TABLES
from hubframe.tables.schema import FLAG, TEXT, Column, Table

# Cells that a spreadsheet would run. Labels are untrusted; one quote before the cell stops it.
_FORMULA = r"^('*[=+\-@\t\r])"
_GUARDED = r"^'('*[=+\-@\t\r])"
_FLAGS = {"true": True, "false": False}


def write_csv(
    frame: pd.DataFrame, path: str | Path | IO[str] | None = None, *, verbatim: bool = False
) -> str | None:
    """Write a frame as CSV that `read_csv` gives back equal.

    Parameters
    ----------
    frame
        Any frame.
    path
        A file name, or a text file that was opened with ``newline=""``; None returns the text.
    verbatim
        Write cells as they are. Otherwise a cell that a spreadsheet would run as a formula gets
        one ``'`` before it, which `read_csv` takes off again.
    """
    if not frame.columns.is_unique:
        raise ValueError("two columns of the frame have the same name: rename one")
    shown = frame if verbatim else guard(frame)
    texts = (shown[name] for name in _text_columns(shown))
    # Readers take a carriage return for a line's end, unless all text is quoted.
    holds_return = any(text.str.contains("\r", regex=False, na=False).any() for text in texts)
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if holds_return else csv.QUOTE_MINIMAL
    return shown.to_csv(path, index=False, encoding="utf-8", lineterminator="\n", quoting=quoting)


def guard(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with one ``'`` before each cell that a spreadsheet would run."""
    return _replace(frame, _FORMULA, r"'\1")


def read_csv(
    path: str | Path | IO[str], table: str | Table, *, verbatim: bool = False
) -> pd.DataFrame:
    """Read a frame that was written as CSV, with the dtypes of its table.

    Columns that the table lacks are left out.

    Parameters
    ----------
    path
        A file name, or a text file that was opened with ``newline=""``.
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
    if not isinstance(table, Table):
        if table not in TABLES:
            raise ValueError(f"there is no table {table!r}; the tables are {', '.join(TABLES)}")
        table = TABLES[table]
    name = path if isinstance(path, str | Path) else getattr(path, "name", "the file")
    try:
        cells = pd.read_csv(path, dtype=TEXT, keep_default_na=False, encoding="utf-8")
        frame = _typed(cells, table)
    except ValueError as error:
        raise PayloadError(
            f"{name} is not a CSV of the table {table.name}: {error}. "
            f"Read it with the table it was written from, one of {', '.join(TABLES)}"
        ) from error
    return frame if verbatim else _replace(frame, _GUARDED, r"\1")


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with the dtypes that seaborn, plotly, scikit-learn and `to_excel` take.

    What a column becomes depends on its dtype alone and never on its values, so that frames with
    and without nulls are alike.

    Parameters
    ----------
    frame
        Any frame. Its index and ``attrs`` stay.

    Returns
    -------
    pandas.DataFrame
        The same columns and rows.

        - ``Int64`` and ``Float64`` are ``float64``, null is NaN; whole numbers are exact up to
          2**53.
        - ``boolean`` is ``object`` that holds True, False and None.
        - ``str`` is ``object`` that holds text and None.
        - ``datetime64[us, UTC]`` is ``datetime64[us]`` in UTC without a zone, null is NaT.
        - What numpy has already stays as it is.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("library/alpine", newest=3)
    >>> hubframe.plain(tags)[["tag", "size", "pushed_at", "is_prerelease"]].dtypes.map(str).tolist()
    ['object', 'float64', 'datetime64[us]', 'object']
    """
    columns = [_plain(frame.iloc[:, place]) for place in range(frame.shape[1])]
    made = pd.concat(columns, axis="columns") if columns else frame.copy()
    made.columns, made.attrs = frame.columns, deepcopy(frame.attrs)
    return made


def _plain(values: pd.Series) -> pd.Series:
    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pd.Series(values.dt.tz_convert(None))
    if not is_extension_array_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return values.copy()
    if is_bool_dtype(dtype) or is_string_dtype(dtype):
        objects = values.astype(object)
        return objects.where(values.notna(), None)
    return values.astype("float64") if is_numeric_dtype(dtype) else values.copy()


def _typed(cells: pd.DataFrame, table: Table) -> pd.DataFrame:
    missing = [name for name in table.dtypes if name not in cells]
    if missing:
        raise ValueError(f"it lacks the column {', '.join(missing)}")
    if not cells.index.equals(pd.RangeIndex(len(cells))):
        # What pandas makes of them: it takes the first cells for names of the rows.
        raise ValueError("its rows have more cells than its first line has names")
    return pd.DataFrame({column.name: _column(cells, column) for column in table.columns})


def _column(cells: pd.DataFrame, column: Column) -> pd.Series:
    written = cells[column.name]
    values = written.tolist()
    if column.dtype == FLAG:
        values = [_FLAGS.get(value.lower(), value) for value in values]
    # A date is read as it was written, though builders may mean "no date" by it.
    series = replace(column, no_epoch=False).series(values)
    bad = series.isna() & ((written != "") | (not column.nullable))
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise ValueError(
            f"its column {column.name} cannot hold {written.iloc[row][:80]!r} (row {row + 1})"
        )
    return series


def _text_columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, dtype in frame.dtypes.items() if str(dtype) == TEXT]


def _replace(frame: pd.DataFrame, pattern: str, replacement: str) -> pd.DataFrame:
    """Replace at the start of text cells, touching only the columns where something matches."""
    changed: dict[str, Any] = {
        name: frame[name].str.replace(pattern, replacement, regex=True)
        for name in _text_columns(frame)
        if frame[name].str.match(pattern, na=False).any()
    }
    return frame.assign(**changed) if changed else frame
