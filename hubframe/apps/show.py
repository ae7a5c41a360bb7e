"""Frames as notebooks show them: sizes and dates for people, digests to copy, links to follow."""

from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from hubframe.errors import harmless
from hubframe.grid.cells import Cell, Said, cell, declared, short
from hubframe.plots import wording

_STYLE = """<style>
.hubframe { overflow-x: auto; }
.hubframe .frame { margin-left: 0; }
.hubframe .frame td, .hubframe .frame th { text-align: left; padding: 0.2em 0.6em; }
.hubframe .frame .number { text-align: right; font-variant-numeric: tabular-nums; }
.hubframe .frame td.number, .hubframe .frame td.date { white-space: nowrap; }
.hubframe .frame td.long { min-width: 12em; overflow-wrap: anywhere; }
.hubframe .digest { display: inline-block; max-width: 19ch; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; font-family: monospace; }
.hubframe .none { opacity: 0.4; }
.hubframe p { opacity: 0.8; }
</style>"""  # as many classes as in JupyterLab's own rules for tables, or they would not count
# Text between two dollars is not a formula: for the MathJax of JupyterLab, and for older ones.
_NO_FORMULAS = "mathjax_ignore tex2jax_ignore"
_LONG = 30  # Text of more characters than that may be broken anywhere. [characters]


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
        head = "".join(_head(str(name), values) for name, values in shown.items())
        said = declared(self.frame)
        columns = [
            [
                _html(cell(str(name), value, self.now, said.get(str(name), Said()).unit))
                for value in column
            ]
            for name, column in shown.items()
        ]
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
        table = f'<table class="frame"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        note = f"<p>{escape(short(self.note))}</p>"
        return f'<div class="hubframe {_NO_FORMULAS}">{_STYLE}{table}{note}</div>'

    @property
    def note(self) -> str:
        """What the frame is, and whether it is complete."""
        count = wording.counted(len(self.frame), "row")
        shown = f"the first {self.rows:,} of {count}" if len(self.frame) > self.rows else count
        told = self.frame.attrs.get("hubframe")
        return f"{shown}; {provenance(told)}" if isinstance(told, dict) else shown


def _head(name: str, values: pd.Series) -> str:
    """Return a column's name as HTML, above numbers where they are."""
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    text = escape(short(name)).replace("_", "_<wbr>")
    return f'<th class="{"number" if is_number else "text"}">{text}</th>'


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
    is_complete = told.get("complete", True)
    state = "complete" if is_complete else "not complete"
    if is_complete is None:
        state = "it is not known whether it is complete"
    elif not is_complete and failures:
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
        link = f'<a href="{escape(shown.href)}" {target}>{text}</a>'
        return f'<td class="{"long" if len(shown.text) > _LONG else "link"}">{link}</td>'
    kind = "long" if shown.kind == "text" and len(shown.text) > _LONG else shown.kind
    return f'<td class="{kind}"{title}>{text}</td>'
