"""Frames as text: a table for people, and formats for programs."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import click
import pandas as pd

from hubframe.tables import TABLES
from hubframe.tables.excel import write_excel
from hubframe.tables.files import write_csv

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
# Which columns of a table a narrow terminal shows first.
TELLING = {
    "repos": ("repo", "pull_count", "star_count", "is_private", "pushed_at", "description"),
    "search": ("repo", "pull_count", "star_count", "is_official", "description"),
    "tags": ("repo", "tag", "size", "platform_count", "pushed_at", "digest", "aliases"),
    "images": ("repo", "tag", "platform", "size", "image_digest", "pushed_at"),
    "layers": ("repo", "tag", "platform", "position", "size", "layer_digest", "instruction"),
    "history": ("repo", "tag", "platform", "step", "size", "instruction"),
    "labels": ("repo", "tag", "platform", "key", "value", "source"),
    "env": ("repo", "tag", "platform", "key", "value"),
    "configs": ("repo", "tag", "platform", "user", "entrypoint", "cmd", "exposed_ports"),
    "comparison": ("aspect", "key", "change", "left", "right", "size_change"),
    "figures": ("metric", "value", "paper_value", "paper", "unit"),
    "cleanup": ("repo", "tag", "action", "reason", "freed_size", "pushed_at"),
    "runs": ("run", "repo_count", "tag_count", "failure_count", "observed_at", "is_complete"),
    "referrers": ("repo", "tag", "artifact_type", "title", "digest", "image_digest"),
}
# What begins a cell, a tag, a link, a picture or code in Markdown.
_MARKS = re.compile(r"[\\|<\[\]`]")
_GAP = "  "
_LEAST_TEXT = 16
_SHORT_DIGEST = len("sha256:") + 12
_DIGESTS = ("sha256:", "sha384:", "sha512:")


def format_of(chosen: str | None, path: Path | None) -> str:
    """Return the format: as chosen, by the file's suffix, else a table.

    Raises
    ------
    UsageError
        Bytes are to go where they cannot.
    """
    suffix = path.suffix.lower() if path else ""
    if chosen is None and suffix not in (*SUFFIXES, "", ".txt"):
        known = ", ".join(SUFFIXES)
        raise click.UsageError(f"{suffix} is no known format: use {known}, or give --format")
    form = chosen or SUFFIXES.get(suffix, "table")
    if form in _BYTES and path is None and sys.stdout.isatty():
        raise click.UsageError(f"{form} is no text for a terminal: give --output FILE")
    return form


def columns_of(table: str, chosen: str | None) -> list[str]:
    """Return the columns to print: those chosen, in that order, else all.

    Raises
    ------
    UsageError
        The table has no such column.
    """
    known = list(TABLES[table].dtypes)
    names = [name.strip() for name in chosen.split(",")] if chosen else known
    for name in names:
        if name not in known:
            raise click.UsageError(f"{table} has no column {name!r}; it has {', '.join(known)}")
    return list(dict.fromkeys(names))


def write(frame: pd.DataFrame, form: str, path: Path | None, *, verbatim: bool) -> None:
    """Write a frame to a file or to stdout."""
    if form in _BYTES:
        _BYTES[form](frame, path or sys.stdout.buffer)
        return
    text = _WRITERS[form](frame) if form != "csv" else str(write_csv(frame, verbatim=verbatim))
    if path is None:
        echo(text.removesuffix("\n"))
    else:
        path.write_text(text, encoding="utf-8", newline="")


def say_failures(frame: pd.DataFrame) -> None:
    """Name on stderr what failed and what is not known: the frame itself does not show it."""
    told = frame.attrs["hubframe"]
    lines = [f"{one['ref']}: {one['error']}: {one['message']}" for one in told["failures"]]
    lines += [
        f"{one['ref']}: {one['column']} not known: {one['message']}"
        for one in told.get("unknown", ())
    ]
    for line in lines:
        click.echo(f"hubframe: {' '.join(_tame(line).split())}", err=True)


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
        "| "
        + " | ".join(_MARKS.sub(r"\\\g<0>", _tame(cell)).replace("\n", " ") for cell in row)
        + " |\n"
        for row in rows
    )


def _table(frame: pd.DataFrame) -> str:
    """A table that fits the terminal; whole when it goes to a program."""
    if frame.empty:
        click.echo("no rows", err=True)
        return ""
    is_watched = sys.stdout.isatty()
    columns = [
        _column(frame[name], is_watched=is_watched) for name in frame if frame[name].notna().any()
    ]
    if is_watched:
        table = frame.attrs.get("hubframe", {}).get("table")
        columns = _fit(columns, shutil.get_terminal_size().columns, TELLING.get(table, ()))
        _say_what_is_left_out(frame, {column.name for column in columns})
    lines = zip(*(column.lines() for column in columns), strict=True)
    return "".join(_GAP.join(line).rstrip() + "\n" for line in lines)


@dataclass(frozen=True)
class _Column:
    """A column as text: its cells, whether they stand to the right, and how wide it is."""

    name: str
    cells: list[str]
    is_number: bool
    width: int
    least: int

    def lines(self) -> list[str]:
        """The head and the cells, cut and filled to the width."""
        cut = [_cut(cell, self.width) for cell in (self.name, *self.cells)]
        return [
            cell.rjust(self.width) if self.is_number else cell.ljust(self.width) for cell in cut
        ]


def _column(series: pd.Series, *, is_watched: bool) -> _Column:
    cells = [_one_line(cell, is_watched=is_watched) for cell in _cells_of(series)]
    width = max(len(str(series.name)), *map(len, cells))
    # A number or a date that is cut is a wrong one; text can be guessed.
    is_text = str(series.dtype) == "str" and not cells[0].startswith(_DIGESTS)
    least = min(width, _LEAST_TEXT) if is_text else width
    is_number = str(series.dtype) in ("Int64", "Float64")
    return _Column(str(series.name), cells, is_number, width, least)


def _fit(columns: list[_Column], room: int, telling: tuple[str, ...]) -> list[_Column]:
    """Take the columns that tell most while there is room, then widen those that were cut."""
    rank = {name: place for place, name in enumerate(telling)}
    by_worth = sorted(columns, key=lambda column: rank.get(column.name, len(rank)))
    taken: dict[str, int] = {}
    left = room + len(_GAP)
    for column in by_worth:
        if column.least + len(_GAP) <= left or not taken:
            taken[column.name] = column.least
            left -= column.least + len(_GAP)
    for column in by_worth:
        if column.name in taken:
            more = min(column.width - column.least, max(left, 0))
            taken[column.name] += more
            left -= more
    return [replace(column, width=taken[column.name]) for column in columns if column.name in taken]


def _say_what_is_left_out(frame: pd.DataFrame, shown: set[str]) -> None:
    cut = [str(name) for name in frame if name not in shown and frame[name].notna().any()]
    if cut:
        click.echo(
            f"not shown: {', '.join(cut)} (a wider terminal or --format shows all)", err=True
        )


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _one_line(cell: str, *, is_watched: bool) -> str:
    """A cell on one line; a digest in a terminal by its first twelve digits, as Docker shows it."""
    flat = " ".join(_tame(cell).split())
    is_digest = is_watched and flat.startswith(_DIGESTS) and " " not in flat
    return flat[:_SHORT_DIGEST] if is_digest else flat


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    columns = [_cells_of(frame[name]) for name in frame.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _cells_of(series: pd.Series) -> list[str]:
    """A column as text; what is missing is empty."""
    missing = series.isna()
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.strftime("%Y-%m-%d %H:%M")
    write = _number if str(series.dtype) == "Float64" else str
    values = zip(series.tolist(), missing.tolist(), strict=True)
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
    "json": _json,
    "jsonl": _jsonl,
    "markdown": _markdown,
}
