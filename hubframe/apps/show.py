"""Frames as notebooks show them: sizes and dates for people, digests to copy, links to follow."""

import re
from dataclasses import dataclass
from html import escape
from numbers import Number
from typing import Any
from urllib.parse import quote

import pandas as pd

from hubframe.errors import harmless
from hubframe.measure import is_address
from hubframe.plots import wording
from hubframe.tables import TABLES

_DIGEST = re.compile(r"sha(?:256|512):[0-9a-f]{64,128}")
_HUB = "https://hub.docker.com"
# A name with a host before it is of another registry, and has no page on the Hub.
_ON_HUB = re.compile(r"[a-z0-9_-]+/[a-z0-9._-]+")
# The columns that count bytes say so in their declarations.
_BYTES = frozenset(
    column.name for table in TABLES.values() for column in table.columns if column.unit == "bytes"
)
_DAY = 86_400
_SPANS = {"year": 365 * _DAY, "month": 30 * _DAY, "day": _DAY, "hour": 3600, "minute": 60}
_STYLE = """<style>
.hubframe td, .hubframe th { text-align: left; padding: 0.2em 0.8em; }
.hubframe td.number { text-align: right; font-variant-numeric: tabular-nums; }
.hubframe .digest { display: inline-block; max-width: 19ch; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; font-family: monospace; }
.hubframe .none { opacity: 0.4; }
.hubframe p { opacity: 0.8; }
</style>"""


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame, as a notebook shows it; what it holds is untouched.

    Attributes
    ----------
    frame
        The whole frame.
    rows
        How many rows are shown.
    now
        The moment that dates are told from.
    """

    frame: pd.DataFrame
    rows: int
    now: pd.Timestamp

    def __repr__(self) -> str:
        """Return the table as pandas prints it, in which no untrusted text acts on a terminal."""
        told = f"{self.frame.head(self.rows)!r}\n{self.note}"
        return "\n".join(harmless(line) for line in told.split("\n"))

    def _repr_html_(self) -> str:
        """Return the table as HTML, in which all untrusted text is plain text."""
        shown = self.frame.head(self.rows)
        head = "".join(f"<th>{escape(short(str(name)))}</th>" for name in shown)
        columns = [
            [_html(cell(str(name), value, self.now)) for value in column]
            for name, column in shown.items()
        ]
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="hubframe">{_STYLE}{table}<p>{escape(short(self.note))}</p></div>'

    @property
    def note(self) -> str:
        """What the frame is, and whether it is complete."""
        count = wording.counted(len(self.frame), "row")
        shown = f"the first {self.rows:,} of {count}" if len(self.frame) > self.rows else count
        told = self.frame.attrs.get("hubframe")
        return f"{shown}; {provenance(told)}" if isinstance(told, dict) else shown


def show(frame: pd.DataFrame, rows: int = 100) -> Shown:
    """Show a frame for people: byte sizes, ages, short digests, links.

    Digests are cut on screen only: what is copied is the whole one. Repositories of Docker Hub
    link to their pages, and addresses with http or https to where they lead; nothing else is a
    link, and untrusted text is plain text.

    Parameters
    ----------
    frame
        A frame of hubframe's, or one made of it.
    rows
        How many rows to show.

    Returns
    -------
    Shown
        What Jupyter shows as a table, with a line that says whether the frame is complete.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     print(hubframe.show(hubframe.tags_df("ansible/ansible")[["tag", "size"]], 2).note)
    the first 2 of 30 rows; tags, from the sample, complete
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"frame must be a pandas.DataFrame, not a {type(frame).__name__}")
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ValueError(f"rows must be a whole number from 1, not {rows!r}")
    return Shown(frame, rows, pd.Timestamp.now("UTC"))


def provenance(told: dict[str, Any]) -> str:
    """Say what a call wrote down of its frame, as ``frame.attrs["hubframe"]`` has it."""
    source = "the sample" if told.get("sample") else told.get("source") or "the cache"
    failures = told.get("failures") or ()
    state = "complete"
    if not told.get("complete", True):
        state = "not complete"
        if failures:
            state += f": {wording.counted(len(failures), 'item')} failed"
            state += f", the first is {failures[0]['ref']} ({failures[0]['error']})"
    stale = f", {wording.counted(told['stale'], 'answer')} out of date" if told.get("stale") else ""
    return f"{told.get('table', 'frame')}, from {source}, {state}{stale}"


@dataclass(frozen=True)
class Cell:
    """A value as people see it. Nothing in it is HTML."""

    text: str  # of a digest all of it, to be cut on screen only
    kind: str = "text"  # or none, date, flag, number, digest
    title: str = ""  # what pointing at it tells: the exact number of bytes, the date of an age
    href: str = ""  # where it leads: with http or https only


def cell(name: str, value: Any, now: pd.Timestamp) -> Cell:
    """Return a value of a column as people see it; dates are told from a moment."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return Cell("\N{EN DASH}", "none")
    if isinstance(value, pd.Timestamp):
        return Cell(_age(value, now), "date", str(value))
    if pd.api.types.is_bool(value):
        return Cell("yes" if value else "no", "flag")
    if isinstance(value, Number):
        return _number(name, value)
    text = str(value)
    if _DIGEST.fullmatch(text):
        return Cell(text, "digest", text)
    href = text if is_address(text) else ""
    if name.endswith("repo") and _ON_HUB.fullmatch(text):
        official = text.removeprefix("library/")
        href = f"{_HUB}/{'r/' if official == text else '_/'}{quote(official)}"
    return Cell(short(text), href=href)


def _number(name: str, value: Any) -> Cell:
    if name not in _BYTES:
        return Cell(f"{value:,}", "number")
    sign = wording.MINUS if value < 0 else ""
    return Cell(f"{sign}{wording.size(abs(value))}", "number", f"{value:,} bytes")


def short(text: str, longest: int = 300) -> str:
    """Return untrusted text, on one line and not for ever; the whole of it is in the frame."""
    told = harmless(text)
    return told if len(told) <= longest else f"{told[:longest]}…"


def _html(shown: Cell) -> str:
    """Return a cell as HTML, in which everything is plain text."""
    text, title = escape(shown.text), f' title="{escape(shown.title)}"' if shown.title else ""
    if shown.kind == "digest":
        return f'<td><span class="digest"{title}>{text}</span></td>'
    if shown.href:
        target = 'target="_blank" rel="noopener noreferrer nofollow"'
        return f'<td><a href="{escape(shown.href)}" {target}>{text}</a></td>'
    kind = f' class="{shown.kind}"' if shown.kind in ("none", "number") else ""
    return f"<td{kind}{title}>{text}</td>"


def _age(moment: pd.Timestamp, now: pd.Timestamp) -> str:
    """Say how long ago a moment was."""
    at = moment.tz_localize("UTC") if moment.tz is None else moment
    seconds = (now - at).total_seconds()
    for unit, length in _SPANS.items():
        if abs(seconds) >= length:
            span = wording.counted(int(abs(seconds) // length), unit)
            return f"in {span}" if seconds < 0 else f"{span} ago"
    return "now"
