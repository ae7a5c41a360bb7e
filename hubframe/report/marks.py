"""Numbers and names as the page holds them: numbers can be found, and checked against the CSVs.

A number is a ``data`` or ``time`` element: ``value`` (or ``datetime``) is the number itself, and
``data-figure`` says which one it is: a figure of the whole report (``tag_count``), or a file and
a column (``footprint.freed_size``) whose row ``data-row`` counts, from 0. ``data-of`` names what
a figure is of.
"""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hubframe.plots import wording

UNKNOWN = Markup("\N{EN DASH}")
OCI = "org.opencontainers.image."
_LONGEST = 64
# From here on three digits round to a thousand, which %g writes as 1e+03.
_ROUNDED_UP = 999.5


def number(figure: str, value: Any, shown: str, **of: Any) -> Markup:
    """Mark a number.

    Examples
    --------
    >>> str(number("tag_count", 1200, "1,200"))
    '<data value="1200" data-figure="tag_count">1,200</data>'
    """
    plain = repr(value.item() if hasattr(value, "item") else value)
    return Markup('<data value="{}" data-figure="{}"{}>{}</data>').format(
        plain, figure, _attributes(of), shown
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
    """Mark a large count, as people say it.

    Examples
    --------
    >>> large("pull_count", 3_214_000_000).striptags(), large("pull_count", 12_345).striptags()
    ('3.21 billion', '12,345')
    """
    shown = f"{value:,}"
    for unit, word in ((10**6, "million"), (10**9, "billion")):
        if value >= unit:
            scaled = value / unit
            shown = f"{scaled:,.0f} {word}" if scaled >= _ROUNDED_UP else f"{scaled:.3g} {word}"
    return number(figure, value, shown, **of)


def _marking(write: Callable[[Any], str]) -> Callable[..., Markup]:
    """Return what marks numbers that are written in a way, also those that are not known."""

    def mark(figure: str, value: Any, **of: Any) -> Markup:
        return UNKNOWN if pd.isna(value) else number(figure, value, write(value), **of)

    return mark


# Bytes, a share of one in per cent, and whole days.
size, share = _marking(wording.size), _marking(wording.percent)
days = _marking("{:,.0f}".format)


def moment(figure: str, value: Any, form: str = "%Y-%m-%d", **of: Any) -> Markup:
    """Mark a date, or another part of a moment."""
    if pd.isna(value):
        return UNKNOWN
    return Markup('<time datetime="{}" data-figure="{}"{}>{}</time>').format(
        value.isoformat(), figure, _attributes(of), value.strftime(form)
    )


def name(text: str, longest: int = _LONGEST) -> Markup:
    """Mark an untrusted name, short and legible; what is cut stands in its title."""
    whole = wording.legible(text)
    short = wording.shorten(whole, longest)
    if short == whole:
        return Markup('<span class="name">{}</span>').format(whole)
    return Markup('<span class="name" title="{}">{}</span>').format(whole, short)


def listed(parts: list[Markup]) -> Markup:
    """Join as a sentence does.

    Examples
    --------
    >>> str(listed([Markup("tags"), Markup("labels"), Markup("env")]))
    'tags, labels and env'
    """
    ahead = Markup(", ").join(parts[:-1])
    return Markup(" and ").join(part for part in (ahead, parts[-1]) if part)


def _attributes(of: dict[str, Any]) -> Markup:
    return Markup("").join(
        Markup(' data-{}="{}"').format(key, wording.legible(str(text))) for key, text in of.items()
    )


def label(key: str) -> Markup:
    """Name a standard label in short."""
    return name(key.removeprefix(OCI))


def begin(words: Markup) -> Markup:
    """Write words as they begin a sentence."""
    return Markup("All") + words[3:] if words.startswith("all ") else words


def reference(row: pd.Series) -> Markup:
    """Write the image of a row as ``repo:tag``, or ``repo@digest`` where it has no tag."""
    digest = row.get("image_digest")
    written = ":" + row["tag"] if pd.notna(row["tag"]) else "" if pd.isna(digest) else f"@{digest}"
    return name(row["repo"] + written, 80)


def environment(*folders: Path) -> Environment:
    """Return what fills the templates, also those of other folders.

    It escapes all it is given, and marks numbers.
    """
    made = Environment(
        loader=FileSystemLoader([Path(__file__).parent, *folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    # Numbers are marked by functions of a figure and its value, or by filters of a row.
    numbers = {"count": count, "size": size, "share": share, "days": days, "moment": moment}
    others = {"unknown": UNKNOWN, "large": large, "name": name, "reference": reference}
    made.globals |= numbers | others
    made.tests["known"] = pd.notna
    made.filters |= {
        **{name: _cell(mark) for name, mark in numbers.items()},
        "minute": _cell(lambda column, value: moment(column, value, "%Y-%m-%d %H:%M")),
        "date": lambda value: f"{value:%Y-%m-%d}",
        "legible": wording.legible,
        "short": lambda text: wording.shorten(text, _LONGEST),
        # The first digits, as docker shows them.
        "short_digest": lambda digest: digest.rpartition(":")[2][:12],
        "base64": lambda data: b64encode(data).decode("ascii"),
        "listed": listed,
        "label": label,
        "begin": begin,
    }
    return made


def _cell(mark: Callable[[str, Any], Markup]) -> Callable[[Any, str], Markup | None]:
    """Mark a cell by its column; its row and its table say the rest."""

    def cell(row: Any, column: str) -> Markup | None:
        value = getattr(row, column)
        return None if value is None else mark(column, value)

    return cell


def _finalize(value: Any) -> Any:
    """What the page prints for a value: untrusted text loses its control characters."""
    if value is None:
        return UNKNOWN
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return wording.legible(value) if is_text else value
