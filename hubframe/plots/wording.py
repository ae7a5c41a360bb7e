"""Numbers and untrusted text, made fit to be read."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate, chain, groupby, takewhile
from itertools import count as numbers
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


def left_out(axis: str, missing: Mapping[str, int], letters: int = _LINE) -> str:
    """Name an axis, and count what the picture does not show, in lines of so many letters."""
    reasons = ", ".join(counted(count, things) for things, count in missing.items() if count)
    said = f"not shown: {reasons}" if reasons else ""
    return fill("; ".join(filter(None, (axis, said))), letters, break_on_hyphens=False)


def listed(names: Iterable[str], length: int = 38) -> str:
    """List names as far as there is room, the first in any case, and count the others."""
    names = list(dict.fromkeys(names))
    names = [drawn(name, length - 12 * (len(names) > 1)) for name in names]
    ends = list(accumulate(len(name) + 2 for name in names))
    fit = max(bisect_right(ends, length + 2), 1)
    said = ", ".join(names[:fit])
    return said if len(names) <= fit else f"{said} and {len(names) - fit:,} more"


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


def distinct(texts: Iterable[str], length: int) -> list[str]:
    """Make untrusted names fit for a picture: legible and short, and no two equal.

    Names that are cut to the same are cut around what they differ in; those that are equal, or
    differ in letters that the font lacks alone, are numbered.

    Examples
    --------
    >>> distinct(["team/service-a-of-many:1.0", "team/service-b-of-many:1.0"], 16)
    ['team…e-a-o…y:1.0', 'team…e-b-o…y:1.0']
    """
    whole = [drawn(text) for text in texts]
    short = dict(_apart(sorted(set(whole)), length))
    taken: set[str] = set()
    names = []
    for name in map(short.__getitem__, whole):
        tries = chain([name], (f"{name} ({number})" for number in numbers(2)))
        names.append(next(one for one in tries if one not in taken))
        taken.add(names[-1])
    return names


def _apart(
    texts: list[str], length: int, start: int = 0, tries: int = 5
) -> Iterator[tuple[str, str]]:
    """Shorten texts that have the letters before the start in common so that most differ."""

    def cut(text: str) -> str:
        if not start:
            return shorten(text, length)
        head = length // 4
        rest = text[max(start - 2, head) :]
        return f"{text[:head]}…{shorten(rest, length - head - 1)}"

    for short, group in groupby(sorted(texts, key=cut), cut):
        same = list(group)
        if len(same) == 1 or not tries:
            yield from ((text, short) for text in same)
        else:
            ends = zip(min(same), max(same), strict=False)
            alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
            yield from _apart(same, length, alike, tries - 1)


@lru_cache(maxsize=4096)
def width(text: str, size: float) -> float:
    """Measure a text in the usual font, of a size; both in points."""
    font = get_font(findfont(FontProperties()))
    font.set_size(size, 72)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64


@lru_cache(maxsize=4096)
def drawn(text: str, length: int | None = None) -> str:
    """Make untrusted text fit for a picture: legible, and short where a length is given.

    What the font lacks is a question mark: matplotlib would warn and draw a box.
    """
    font = get_font(findfont(FontProperties()))
    text = legible(text)
    short = text if length is None else shorten(text, length)
    return "".join(letter if font.get_char_index(ord(letter)) else "?" for letter in short)
