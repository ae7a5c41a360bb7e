"""Numbers and untrusted text, made fit to be read."""

import re
from collections.abc import Mapping
from functools import lru_cache
from textwrap import fill

from matplotlib.font_manager import FontProperties, findfont, get_font

from hubframe.tables.amounts import BLANK, MINUS, large, more, percent, size

__all__ = [
    "BLANK",
    "MINUS",
    "counted",
    "drawn",
    "large",
    "left_out",
    "legible",
    "more",
    "percent",
    "plural",
    "shorten",
    "size",
    "some",
]

_LINE = 68
# Control characters, those that turn the direction of the text around them, and those that are
# not seen; but not the joiners, which some scripts are written with.
_SPACES = re.compile(r"[\t\n\x0b\f\r\x85\u2028\u2029]+")
_CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


def counted(count: int, things: str) -> str:
    """Count things: 1 tag, 2 tags, 3 repositories. Among more words the noun is in braces."""
    before, noun, behind = re.split("[{}]", things) if "{" in things else ("", things, "")
    return f"{count:,} {before}{noun if count == 1 else plural(noun)}{behind}"


def plural(noun: str) -> str:
    """Name several of a thing."""
    is_turned = noun.endswith("y") and not noun.endswith(("ay", "ey", "oy"))
    return f"{noun[:-1]}ies" if is_turned else f"{noun}s"


def some(shown: int, count: int, noun: str) -> str:
    """Count what is shown, of how many: 40 of 1,200 tags, or 1 tag."""
    return counted(count, noun) if shown == count else f"{shown:,} of {count:,} {plural(noun)}"


def left_out(axis: str, missing: Mapping[str, int]) -> str:
    """Name an axis, and count what the picture does not show, in lines that fit below it."""
    reasons = ", ".join(counted(count, things) for things, count in missing.items() if count)
    return fill(f"{axis}; not shown: {reasons}" if reasons else axis, _LINE)


def legible(text: str) -> str:
    """Return untrusted text on one line, without characters that steer."""
    return _CONTROLS.sub("", _SPACES.sub(" ", text))


def shorten(text: str, length: int) -> str:
    """Cut text in its middle: names differ at both ends.

    Examples
    --------
    >>> shorten("registry.example.org/team/application", 21)
    'registry.e…pplication'
    """
    if len(text) <= length:
        return text
    kept = length - 1
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


@lru_cache(maxsize=4096)
def drawn(text: str, length: int) -> str:
    """Make untrusted text fit for a picture: legible, short, and never read as a formula.

    What the font lacks is a question mark: matplotlib would warn and draw a box.
    """
    font = get_font(findfont(FontProperties()))
    short = shorten(legible(text), length)
    known = [letter if font.get_char_index(ord(letter)) else "?" for letter in short]
    return "".join(known).replace("$", r"\$")
