"""Frames to CSV and back, exactly, and safe to open in a spreadsheet; and for other libraries."""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copymode
from tempfile import TemporaryDirectory
from typing import IO, Any

import pandas as pd
from pandas.api import types

from hubframe.errors import PayloadError
from hubframe.tables.measured import TABLES
from hubframe.tables.schema import FLAG, TEXT, Column, Table, plain_values

# Spreadsheets drop some of them, and then run what follows. Tabs and line ends are text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# What a spreadsheet would run: at the start of a cell, and where one that is told of another
# separator than the comma begins a cell. Behind a tab "-" is an option in a script, most often;
# a tab or return at the start has its quote before it.
_START = "'*[=+\\-@\t\r]"
_WITHIN = "(?<=[;\n])([\"']*[=+\\-@])|(?<=.\r)([\"']*[=+\\-@])|(?<=.\t)([\"']*=)"
_FORMULA = re.compile(f"^{_START}|{_WITHIN}", re.DOTALL)
_GUARDED = re.compile(f"^'({_START})")
_GUARDED_WITHIN = re.compile(_WITHIN.replace("([", "'(["), re.DOTALL)
# What finds the few cells that hold any of this: pyarrow looks for it much faster than Python.
_SUSPECT = f"{_CONTROL.pattern}|^'*[\t\r]|(?:^|[;\t\r\n])[\"']*[=+\\-@]"
_FLAGS = {"true": True, "false": False}


def write_csv(
    frame: pd.DataFrame, path: str | Path | IO[str] | None = None, *, verbatim: bool = False
) -> str | None:
    """Write a frame as CSV that `read_csv` gives back equal, but for control characters.

    All text is quoted. A file is written beside and renamed: it is there whole, or as it was.

    Parameters
    ----------
    frame
        Any frame.
    path
        A file name, or a text file that was opened with ``newline=""``; None returns the text.
    verbatim
        Write cells as they are. Otherwise a cell that a spreadsheet would run as a formula gets
        one ``'`` before it, and so does what a spreadsheet would run behind a ``;``, tab or line
        end that it takes for the end of a cell; `read_csv` takes these off again. Control
        characters other than tabs and line ends become U+FFFD, and stay so.
    """
    if not frame.columns.is_unique:
        raise ValueError("two columns of the frame have the same name: rename one")
    shown = frame if verbatim else guard(frame)

    write: Callable[[Any], str | None] = partial(
        shown.to_csv,
        index=False,
        encoding="utf-8",
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC,
    )
    # Addresses, such as s3://bucket/file, are pandas' own business.
    if isinstance(path, Path) or (isinstance(path, str) and "://" not in path):
        with replacing(path) as draft:
            return write(draft)
    return write(path)


def guard(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nothing in its text, or its names, that a spreadsheet would run."""
    shown = _changed(frame, _harmless)
    return shown.rename(columns=lambda name: _harmless(name) if isinstance(name, str) else name)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give the name of a new file, which takes the place of another once all of it is written.

    Where it cannot be written that is an OSError, and what was there is untouched.
    """
    path = Path(path).expanduser()
    if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/stdout
        yield path
        return
    target = path.resolve()
    try:
        with TemporaryDirectory(prefix=".hubframe-", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            yield draft
            if target.exists():
                copymode(target, draft)
            draft.replace(target)
    except OSError as error:
        error.filename = str(path)
        raise


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
    if verbatim:
        return frame
    # What `guard` put before, taken off.
    return _changed(frame, lambda text: _GUARDED_WITHIN.sub(r"\1\2\3", _GUARDED.sub(r"\1", text)))


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
        The same columns and rows. ``Int64`` and ``Float64`` are ``float64`` with NaN for null, so
        that whole numbers are exact up to 2**53; ``boolean`` and ``str`` are ``object`` with None;
        ``datetime64[us, UTC]`` is ``datetime64[us]`` in UTC without a zone, with NaT. What numpy
        has already stays as it is.

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
    if not types.is_extension_array_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return values.copy()
    if types.is_bool_dtype(dtype) or types.is_string_dtype(dtype):
        return pd.Series(plain_values(values))
    return values.astype("float64") if types.is_numeric_dtype(dtype) else values.copy()


def _typed(cells: pd.DataFrame, table: Table) -> pd.DataFrame:
    if missing := [name for name in table.dtypes if name not in cells]:
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


def _harmless(text: str) -> str:
    return _FORMULA.sub(r"'\g<0>", _CONTROL.sub("\ufffd", text))


def _changed(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Change the text cells that need it, touching only the columns where there are any."""
    changed = frame.copy(deep=False)
    for name, values in frame.items():
        dtype = values.dtype
        if types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype):
            continue
        texts = values
        if dtype != TEXT:  # objects, categories: whatever of it is text
            held = [one if isinstance(one, str) else None for one in values]
            texts = pd.Series(held, dtype=TEXT)
        suspect = texts.str.contains(_SUSPECT, na=False).to_numpy(dtype=bool)
        if suspect.any():
            cells = values.to_numpy(dtype=object, copy=True)
            cells[suspect] = [change(one) for one in cells[suspect]]
            made = TEXT if dtype == TEXT else object
            changed[name] = pd.Series(cells, index=frame.index, dtype=made)
    return changed
