"""Values as people see them: sizes and dates in words, digests to copy, links to follow."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from hubframe.errors import harmless
from hubframe.measure import is_address
from hubframe.plots import wording
from hubframe.tables import TABLES, Column

_DIGEST = re.compile(r"sha(?:256|512):[0-9a-f]{64,128}")
_HUB = "https://hub.docker.com"
# A name with a host before it is of another registry, and has no page on the Hub.
_ON_HUB = re.compile(r"[a-z0-9_-]+/[a-z0-9._-]+")
_DAY = 86_400
_SPANS = {"year": 365 * _DAY, "month": 30 * _DAY, "day": _DAY, "hour": 3600, "minute": 60}


@dataclass(frozen=True)
class Cell:
    """A value as people see it. Nothing in it is HTML."""

    text: str  # of a digest all of it, to be cut on screen only
    kind: str = "text"  # or none, date, flag, number, digest
    title: str = ""  # what pointing at it tells: the exact number of bytes, the date of an age
    href: str = ""  # where it leads: with http or https only


class Said(NamedTuple):
    """What the declaration of a column says of it; nothing where none is known."""

    meaning: str = ""
    unit: str = ""


def declared(frame: pd.DataFrame) -> dict[str, Said]:
    """Return what is said of the columns of a frame, by its own table.

    That is the one which its attrs name, else those that have all of its columns, else all: then
    only what they agree on.
    """
    told = frame.attrs.get("hubframe")
    name = told.get("table") if isinstance(told, Mapping) else None
    names = {str(column) for column in frame}
    fitting = [table for table in TABLES.values() if names <= table.dtypes.keys()]
    tables = [TABLES[name]] if name in TABLES else fitting or list(TABLES.values())
    said: dict[str, list[Column]] = {}
    for column in (column for table in tables for column in table.columns):
        said.setdefault(column.name, []).append(column)
    return {
        name: Said(
            _agreed(column.meaning for column in columns),
            _agreed(column.unit for column in columns),
        )
        for name, columns in said.items()
    }


def _agreed(words: Iterable[str]) -> str:
    first, *others = set(words)
    return "" if others else first


def cell(name: str, value: Any, now: pd.Timestamp | None, unit: str = "") -> Cell:
    """Return a value of a column as people see it.

    Parameters
    ----------
    name, value
        The column, and one of its values.
    now
        The moment that the age of dates is told from; None for the dates.
    unit
        What its numbers count, as `declared` says.
    """
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return Cell("\N{EN DASH}", "none")
    if isinstance(value, pd.Timestamp):
        shown = f"{value:%Y-%m-%d}" if now is None else _age(value, now)
        return Cell(shown, "date", str(value))
    if pd.api.types.is_bool(value):
        return Cell("yes" if value else "no", "flag")
    if isinstance(value, Number):
        return _number(name, value, unit)
    text = str(value)
    if _DIGEST.fullmatch(text):
        return Cell(text, "digest", text)
    href = text if is_address(text) else ""
    if name.endswith("repo") and _ON_HUB.fullmatch(text):
        official = text.removeprefix("library/")
        href = f"{_HUB}/{'r/' if official == text else '_/'}{quote(official)}"
    return Cell(short(text), href=href)


def _number(name: str, value: Any, unit: str) -> Cell:
    if unit != "bytes":
        shown = f"{value:,}"
        if name.endswith("share"):
            return Cell(wording.percent(value), "number", shown)
        if isinstance(value, float):
            short = f"{value:.4g}" if abs(value) < 1 else f"{value:,.4f}".rstrip("0").rstrip(".")
            return Cell(short, "number", "" if short == shown else shown)
        return Cell(shown, "number")
    sign = wording.MINUS if value < 0 else ""
    return Cell(f"{sign}{wording.size(abs(value))}", "number", f"{value:,} bytes")


def short(text: str, longest: int = 300) -> str:
    """Return untrusted text, on one line and not for ever; the whole of it is in the frame."""
    told = harmless(text)
    return told if len(told) <= longest else f"{told[:longest]}…"


def _age(moment: pd.Timestamp, now: pd.Timestamp) -> str:
    """Say how long ago a moment was."""
    at = moment.tz_localize("UTC") if moment.tz is None else moment
    seconds = (now - at).total_seconds()
    for unit, length in _SPANS.items():
        if abs(seconds) >= length:
            span = wording.counted(int(abs(seconds) // length), unit)
            return f"in {span}" if seconds < 0 else f"{span} ago"
    return "now"
