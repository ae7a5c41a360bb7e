"""Bytes, counts and shares, as people write them."""

from collections.abc import Callable

import pandas as pd

# A value and its unit stay on one line.
BLANK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
# What is rounded to 1000 is 1 of the next unit.
_NEXT_UNIT = 999.5
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_COUNTS = ("", "k", "M", "bn", "tn")


def size(count: float | None, unknown: str = "not known") -> str:
    """Write bytes with a decimal unit, as 412 MB, or that they are not known."""
    return unknown if count is None or pd.isna(count) else _scaled(count, _BYTES)


def more(change: float | None, word: Callable[[float], str] | None = None) -> str:
    """Write how many bytes something grew, or what a word counts, with the sign."""
    word = word or size
    if change is None or pd.isna(change):
        return size(None)
    sign = "+" if change > 0 else MINUS if change < 0 else ""
    return f"{sign}{word(abs(change))}"


def large(count: float) -> str:
    """Write a large count in short, as 3.2 bn."""
    return _scaled(count, _COUNTS)


def _scaled(number: float, units: tuple[str, ...]) -> str:
    number = float(number)
    rank = 0
    while abs(number) >= _NEXT_UNIT and rank < len(units) - 1:
        number /= 1000
        rank += 1
    digits = f"{number:.3g}" if abs(number) < _NEXT_UNIT else f"{number:,.0f}"
    return f"{digits}{BLANK}{units[rank]}" if units[rank] else digits


def percent(share: float) -> str:
    """Write a share in per cent: 0 and 100 only where it is exactly that, else <1 or >99."""
    rounded = round(100 * share)
    shown = min(max(rounded, 1), 99) if 0 < share < 1 else rounded
    sign = "<" if shown > rounded else ">" if shown < rounded else ""
    return f"{sign}{shown}{BLANK}%"
