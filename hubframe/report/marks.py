"""Numbers and names as the page holds them: numbers can be found, and checked against the CSVs.

A number is a ``data`` or ``time`` element: ``value`` (or ``datetime``) is the number itself, and
``data-figure`` says which one it is: a figure of the whole report (``tag_count``), or a file and
a column (``footprint.freed_size``) whose row ``data-row`` counts, from 0. ``data-of`` names what
a figure is of.
"""

from typing import Any

import pandas as pd
from markupsafe import Markup

from hubframe.plots import wording

_LONGEST = 64
UNKNOWN = Markup("–")  # noqa: RUF001
_MILLION, _BILLION = 10**6, 10**9


def number(figure: str, value: Any, shown: str, **of: Any) -> Markup:
    """Mark a number.

    Examples
    --------
    >>> str(number("tag_count", 1200, "1,200"))
    '<data value="1200" data-figure="tag_count">1,200</data>'
    """
    return Markup('<data value="{}" data-figure="{}"{}>{}</data>').format(
        _plain(value), figure, _attributes(of), shown
    )


def count(figure: str, value: Any, noun: str = "", **of: Any) -> Markup:
    """Mark a count, with the noun of what is counted behind it."""
    if pd.isna(value):
        return UNKNOWN
    marked = number(figure, value, f"{value:,}", **of)
    if not noun:
        return marked
    return Markup("{} {}").format(marked, noun if value == 1 else wording.plural(noun))


def large(figure: str, value: int, **of: Any) -> Markup:
    """Mark a large count, as people say it: 3.21 billion."""
    return number(figure, value, worded(value), **of)


def size(figure: str, value: Any, **of: Any) -> Markup:
    """Mark bytes."""
    if pd.isna(value):
        return UNKNOWN
    return number(figure, value, wording.size(value), **of)


def share(figure: str, value: Any, **of: Any) -> Markup:
    """Mark a share of one, in per cent."""
    return UNKNOWN if pd.isna(value) else number(figure, value, wording.percent(value), **of)


def days(figure: str, value: Any, **of: Any) -> Markup:
    """Mark a number of days, in whole days."""
    return UNKNOWN if pd.isna(value) else number(figure, value, f"{value:,.0f}", **of)


def moment(figure: str, value: Any, form: str = "%Y-%m-%d", **of: Any) -> Markup:
    """Mark a date, or another part of a moment."""
    if pd.isna(value):
        return UNKNOWN
    return Markup('<time datetime="{}" data-figure="{}"{}>{}</time>').format(
        value.isoformat(), figure, _attributes(of), value.strftime(form)
    )


def name(text: str, longest: int = _LONGEST) -> Markup:
    """Mark a stranger's name, short and legible; what is cut stands in its title."""
    told = wording.legible(text)
    short = wording.shorten(told, longest)
    if short == told:
        return Markup('<span class="name">{}</span>').format(told)
    return Markup('<span class="name" title="{}">{}</span>').format(told, short)


def listed(parts: list[Markup]) -> Markup:
    """Join as a sentence does.

    Examples
    --------
    >>> str(listed([Markup("tags"), Markup("labels"), Markup("env")]))
    'tags, labels and env'
    """
    ahead = Markup(", ").join(parts[:-1])
    return Markup(" and ").join(part for part in (ahead, parts[-1]) if part)


def worded(value: int) -> str:
    """Write a count as people say it.

    Examples
    --------
    >>> worded(3_214_000_000), worded(12_345)
    ('3.21 billion', '12,345')
    """
    for unit, word in ((_BILLION, "billion"), (_MILLION, "million")):
        if value >= unit:
            scaled = value / unit
            return f"{scaled:.3g} {word}" if scaled < 999.5 else f"{scaled:,.0f} {word}"  # noqa: PLR2004
    return f"{value:,}"


def _plain(value: Any) -> str:
    return repr(value.item() if hasattr(value, "item") else value)


def _attributes(of: dict[str, Any]) -> Markup:
    told = ((key, wording.legible(str(text))) for key, text in of.items())
    return Markup("").join(Markup(' data-{}="{}"').format(key, text) for key, text in told)
