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
from hubframe.apps.cli.commands import FORMATS
from hubframe.frames.inspect import to_skopeo_json
from hubframe.tables import TABLES
from hubframe.tables.excel import write_excel
from hubframe.tables.files import replacing, write_csv
from hubframe.tables.schema import plain_records

SUFFIXES = {f".{'md' if name == 'markdown' else name}": name for name in FORMATS if name != "table"}
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
    """Return the format: as chosen, by the file's suffix, else a table."""
    suffix = path.suffix.lower() if path else ""
    if chosen is None and suffix not in (*SUFFIXES, "", ".txt"):
        known = ", ".join(SUFFIXES)
        raise click.UsageError(f"{suffix} is no known format: use {known}, or give --format")
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
            raise click.UsageError(f"{table} has no column {name!r}; it has {', '.join(known)}")
    return list(dict.fromkeys(names))


def write(frame: pd.DataFrame, form: str, path: Path | None, *, verbatim: bool) -> None:
    """Write a frame to a file, which is there whole or as it was, or to stdout."""
    with nullcontext() if path is None else replacing(path) as draft:
        if form in _BYTES:
            _BYTES[form](frame, draft or sys.stdout.buffer)
            return
        text = _WRITERS[form](frame) if form != "csv" else str(write_csv(frame, verbatim=verbatim))
        if draft is None:
            echo(text.removesuffix("\n"))
        else:
            draft.write_text(text, encoding="utf-8", newline="")


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
    """A table that fits the terminal; whole when it goes to a program."""
    if frame.empty:
        click.echo("no rows", err=True)
        return ""
    is_watched = sys.stdout.isatty()
    told = frame.dropna(axis="columns", how="all")
    cells = {
        name: [_one_line(cell, is_watched=is_watched) for cell in column]
        for name, column in _cells(told).items()
    }
    widths = {name: max(len(name), *map(len, column)) for name, column in cells.items()}
    if is_watched:
        # A number or a date that is cut is a wrong one; text can be guessed.
        least = {
            name: min(width, _LEAST_TEXT)
            if str(told[name].dtype) == "str" and not cells[name][0].startswith(_DIGESTS)
            else width
            for name, width in widths.items()
        }
        widths = _fit(widths, least, TELLING.get(frame.attrs.get("hubframe", {}).get("table"), ()))
        if left_out := ", ".join(name for name in cells if name not in widths):
            click.echo(f"not shown: {left_out} (a wider terminal or --format shows all)", err=True)
    numbers = set(told.select_dtypes(["Int64", "Float64"]))
    columns = [
        [f"{_cut(cell, width):{'>' if name in numbers else '<'}{width}}" for cell in column]
        for name, width in widths.items()
        for column in [[name, *cells[name]]]
    ]
    return "".join(_GAP.join(line).rstrip() + "\n" for line in zip(*columns, strict=True))


def _fit(widths: dict[str, int], least: dict[str, int], telling: tuple[str, ...]) -> dict[str, int]:
    """Take the columns that tell most while there is room, then widen those that were cut."""
    by_worth = list(dict.fromkeys(name for name in (*telling, *widths) if name in widths))
    taken: dict[str, int] = {}
    left = shutil.get_terminal_size().columns + len(_GAP)
    for name in by_worth:
        if least[name] + len(_GAP) <= left or not taken:
            taken[name] = least[name]
            left -= least[name] + len(_GAP)
    for name in [name for name in by_worth if name in taken]:
        more = min(widths[name] - least[name], max(left, 0))
        taken[name] += more
        left -= more
    return {name: taken[name] for name in widths if name in taken}


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _one_line(cell: str, *, is_watched: bool) -> str:
    """A cell on one line; a digest in a terminal by its first twelve digits, as Docker shows it."""
    flat = " ".join(_tame(cell).split())
    is_digest = is_watched and flat.startswith(_DIGESTS) and " " not in flat
    return flat[:_SHORT_DIGEST] if is_digest else flat


def _cells(frame: pd.DataFrame) -> dict[str, list[str]]:
    return {str(name): _cells_of(frame[name]) for name in frame.columns}


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
    "json": lambda frame: _dumped(plain_records(frame), indent=2) + "\n",
    "jsonl": lambda frame: "".join(_dumped(record) + "\n" for record in plain_records(frame)),
    "markdown": _markdown,
}
