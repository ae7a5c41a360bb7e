"""Frames as notebooks show them: sizes and dates for people, digests to copy, links to follow."""

from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from hubframe.errors import harmless
from hubframe.grid.cells import Cell, Said, cell, declared, short
from hubframe.plots import wording

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
        said = declared(self.frame)
        columns = [
            [
                _html(cell(str(name), value, self.now, said.get(str(name), Said()).unit))
                for value in column
            ]
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
