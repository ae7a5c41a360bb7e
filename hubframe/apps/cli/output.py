"""Frames as text: a table for people, and formats for programs."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

import click
import pandas as pd

from hubframe.apps.cli import one_line
from hubframe.apps.cli.options import FORMATS, did_you_mean
from hubframe.apps.cli.terminal import aligned, laid_out
from hubframe.tables import TABLES
from hubframe.tables.excel import write_excel
from hubframe.tables.files import replacing, write_csv
from hubframe.tables.schema import COUNT, FLOAT, plain_records

SUFFIXES = {f".{'md' if name == 'markdown' else name}": name for name in FORMATS if name != "table"}
# What begins a cell, a tag, a link, a picture or code in Markdown.
_MARKS = re.compile(r"[\\|<\[\]`]")


def format_of(chosen: str | None, path: Path | None) -> str:
    """Return the format: as chosen, by the file's suffix, else a table."""
    suffix = path.suffix.lower() if path else ""
    if chosen is None and suffix not in (*SUFFIXES, "", ".txt"):
        known = ", ".join(SUFFIXES)
        raise click.UsageError(
            f"{suffix} is no known format: use {known}, or give --format."
            + did_you_mean(suffix, list(SUFFIXES))
        )
    form = chosen or SUFFIXES.get(suffix, "table")
    if form in _BYTES and path is None and sys.stdout.isatty():
        raise click.UsageError(f"{form} is no text for a terminal: give --output FILE")
    return form


def columns_of(table: str, chosen: str | None) -> list[str]:
    """Return the columns to print: those chosen, in that order, else all."""
    known = list(TABLES[table].dtypes)
    names = [name.strip() for name in chosen.split(",")] if chosen else known
    for name in names:
        if name not in known:
            raise click.UsageError(
                f"{table} has no column {name!r}; it has {', '.join(known)}."
                + did_you_mean(name, known)
            )
    return list(dict.fromkeys(names))


def write(
    frame: pd.DataFrame,
    form: str,
    path: Path | None,
    *,
    verbatim: bool = False,
    is_chosen: bool = False,
) -> None:
    """Write a frame to a file, which is there whole or as it was, or to stdout."""
    if form == "table" and frame.empty:
        click.echo("no rows", err=True)
        frame = frame[[]]
    elif form == "table" and path is None and sys.stdout.isatty():
        _show(frame, is_chosen=is_chosen)
        return
    with nullcontext() if path is None else replacing(path) as draft:
        if form in _BYTES:
            _BYTES[form](frame, draft or sys.stdout.buffer)
            return
        text = _WRITERS[form](frame) if form != "csv" else str(write_csv(frame, verbatim=verbatim))
        if draft is None:
            echo(text.removesuffix("\n"))
        else:
            draft.write_text(text, encoding="utf-8", newline="")


def _show(frame: pd.DataFrame, *, is_chosen: bool) -> None:
    """Print a table for people, in the width of their terminal, and name what it leaves out."""
    width = shutil.get_terminal_size().columns
    laid = laid_out(frame, width, _one_line, is_chosen=is_chosen)
    click.echo(laid.text, nl=False)
    if laid.notes:
        sys.stdout.flush()
        how = "(--columns NAME,... chooses; --format csv, or --output FILE, has all)"
        click.echo("\n".join((*laid.notes, how)), err=True)


def say_failures(frame: pd.DataFrame) -> None:
    """Name on stderr what failed and what is not known: the frame itself does not show it."""
    told = frame.attrs["hubframe"]
    for one in (*told["failures"], *told.get("unknown", ())):
        what = one["error"] if "error" in one else f"{one['column']} not known"
        line = one_line(f"{one['ref']}: {what}: {one['message']}")
        click.echo(f"hubframe: {line}", err=True)


def echo(document: Any) -> None:
    """Print a document, bytes as they are; on a terminal without characters that steer it."""
    if isinstance(document, dict):
        # What asks registries is loaded late: many commands read files alone.
        from hubframe.frames.inspect import to_skopeo_json

        document = to_skopeo_json(document)
    if not sys.stdout.isatty():
        click.echo(document, nl=not isinstance(document, bytes))
        return
    text = document.decode("utf-8", "replace") if isinstance(document, bytes) else str(document)
    click.echo(_tame(text))


def _tame(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def _write_parquet(frame: pd.DataFrame, path: Path | IO[bytes]) -> None:
    # Attributes are hubframe's own record of the call, with texts that no reader expects there.
    plain = frame.copy()
    plain.attrs = {}
    try:
        plain.to_parquet(path, index=False)
    except ImportError as error:
        raise click.UsageError("parquet needs pyarrow: pip install 'hubframe[parquet]'") from error


_dumped = partial(json.dumps, ensure_ascii=False, default=pd.Timestamp.isoformat)


def _markdown(frame: pd.DataFrame) -> str:
    cells = _cells(frame)
    rows = [list(cells), ["---"] * len(cells), *zip(*cells.values(), strict=True)]
    marked = (
        [_MARKS.sub(r"\\\g<0>", _tame(cell)).replace("\n", " ") for cell in row] for row in rows
    )
    return "".join(f"| {' | '.join(row)} |\n" for row in marked)


def _table(frame: pd.DataFrame) -> str:
    """A table for programs and pagers: all columns, whole, and plain values."""
    cells = {name: list(map(_one_line, column)) for name, column in _cells(frame).items()}
    return aligned(cells, set(map(str, frame.select_dtypes([COUNT, FLOAT]))))


def _one_line(cell: str) -> str:
    return " ".join(_tame(cell).split())


def _cells(frame: pd.DataFrame) -> dict[str, list[str]]:
    return {str(name): _cells_of(frame[name]) for name in frame.columns}


def _cells_of(series: pd.Series) -> list[str]:
    """A column as text, dates as ISO 8601 has them; what is missing is empty."""
    write: Callable[[Any], str] = str
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        write = pd.Timestamp.isoformat
    elif series.dtype == FLOAT:
        write = _number
    values = zip(series.tolist(), series.isna().tolist(), strict=True)
    return ["" if is_missing else write(value) for value, is_missing in values]


def _number(value: float) -> str:
    """Write a number for people: six digits, or all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 10**5 else f"{value:.6g}"


_BYTES: dict[str, Callable[[pd.DataFrame, Path | IO[bytes]], None]] = {
    "parquet": _write_parquet,
    "xlsx": write_excel,
}
_WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "table": _table,
    "json": lambda frame: _dumped(plain_records(frame), indent=2) + "\n",
    "jsonl": lambda frame: "".join(_dumped(record) + "\n" for record in plain_records(frame)),
    "markdown": _markdown,
}
