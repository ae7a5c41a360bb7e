"""Frames as text: a table for people, and formats for programs."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pandas as pd

from hubframe.tables.files import write_csv

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
}
_GAP = "  "
_LEAST_WIDTH = 8
_SHORT_DIGEST = len("sha256:") + 12


def format_of(chosen: str | None, path: Path | None) -> str:
    """Return the format: as chosen, by the file's suffix, else a table.

    Raises
    ------
    UsageError
        Parquet is to go where it cannot.
    """
    form = chosen or (SUFFIXES.get(path.suffix.lower(), "table") if path else "table")
    if form == "parquet" and path is None and sys.stdout.isatty():
        raise click.UsageError("parquet is no text for a terminal: give --output FILE")
    return form


def write(frame: pd.DataFrame, form: str, path: Path | None, *, verbatim: bool) -> None:
    """Write a frame to a file or to stdout."""
    if form == "parquet":
        _write_parquet(frame, path)
        return
    text = _WRITERS[form](frame) if form != "csv" else str(write_csv(frame, verbatim=verbatim))
    if path is None:
        echo(text.removesuffix("\n"))
    else:
        path.write_text(text, encoding="utf-8", newline="")


def echo(text: str) -> None:
    """Print text; on a terminal without the control characters that a stranger may have written."""
    click.echo(_tame(text) if sys.stdout.isatty() else text)


def echo_bytes(body: bytes) -> None:
    """Print a document: its exact bytes to a program, harmless text to a terminal."""
    if sys.stdout.isatty():
        echo(body.decode("utf-8", "replace"))
    else:
        sys.stdout.buffer.write(body)


def _tame(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def _write_parquet(frame: pd.DataFrame, path: Path | None) -> None:
    # Attributes are hubframe's own record of the call, with texts that no reader expects there.
    plain = frame.copy()
    plain.attrs = {}
    try:
        plain.to_parquet(path or sys.stdout.buffer, index=False)
    except ImportError as error:
        raise click.UsageError("parquet needs pyarrow: pip install 'hubframe[parquet]'") from error


def _json(frame: pd.DataFrame) -> str:
    return json.dumps(_records(frame), ensure_ascii=False, indent=2) + "\n"


def _jsonl(frame: pd.DataFrame) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in _records(frame))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON holds them: null for missing, dates as ISO 8601."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [
        {
            str(name): value.isoformat() if isinstance(value, pd.Timestamp) else value
            for name, value in record.items()
        }
        for record in plain.to_dict("records")
    ]


def _markdown(frame: pd.DataFrame) -> str:
    rows = [frame.columns.astype(str).tolist(), ["---"] * len(frame.columns), *_cells(frame)]
    return "".join(
        "| " + " | ".join(_tame(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n"
        for row in rows
    )


def _table(frame: pd.DataFrame) -> str:
    """A table that fits the terminal; whole when it goes to a program."""
    if frame.empty:
        click.echo("no rows", err=True)
        return ""
    is_watched = sys.stdout.isatty()
    shown = frame.dropna(axis="columns", how="all")
    shortened = [[_one_line(cell, is_watched=is_watched) for cell in row] for row in _cells(shown)]
    rows = [shown.columns.astype(str).tolist(), *shortened]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if is_watched:
        widths = _fit(widths, shutil.get_terminal_size().columns)
    right = [str(dtype) == "Int64" for dtype in shown.dtypes]
    _say_what_is_left_out(frame, shown.columns[len(widths) :])
    return "".join(_line(row, widths, right) + "\n" for row in rows)


def _say_what_is_left_out(frame: pd.DataFrame, cut: pd.Index) -> None:
    if len(cut):
        names = ", ".join(map(str, cut))
        click.echo(f"{len(frame)} rows; not shown: {names} (--format csv has all)", err=True)


def _fit(widths: list[int], room: int) -> list[int]:
    """Narrow the widest columns until all fit; the last ones go where that is not enough."""
    while len(widths) > 1 and sum(min(w, _LEAST_WIDTH) for w in widths) + 2 * len(widths) > room:
        widths = widths[:-1]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > room and max(widths) > _LEAST_WIDTH:
        widths[widths.index(max(widths))] -= 1
    return widths


def _line(row: list[str], widths: list[int], right: list[bool]) -> str:
    cells = (
        _cut(cell, width).rjust(width) if to_right else _cut(cell, width).ljust(width)
        for cell, width, to_right in zip(row, widths, right, strict=False)
    )
    return _GAP.join(cells).rstrip()


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _one_line(cell: str, *, is_watched: bool) -> str:
    """A cell on one line; a digest in a terminal by its first twelve digits, as Docker shows it."""
    flat = " ".join(_tame(cell).split())
    is_digest = is_watched and flat.startswith("sha256:") and " " not in flat
    return flat[:_SHORT_DIGEST] if is_digest else flat


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    columns = [[_cell(value) for value in frame[name]] for name in frame.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124
        return ""
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, pd.Timestamp) else str(value)


_WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "table": _table,
    "json": _json,
    "jsonl": _jsonl,
    "markdown": _markdown,
}
