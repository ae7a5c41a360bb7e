"""Variables in text, as shells and builders read them: ``$NAME``, ``${NAME:-default}``."""

import re
from collections.abc import Mapping
from typing import NamedTuple

# Stands for a part of a text that is not known: of a variable without a value, of a template.
UNKNOWN = "\ue000"
# No reference is longer: a host, a path, a tag and a digest, and what may stand around them.
LONGEST = 1000
_MOST_NAMES = 20
_DEEPEST = 8
_BEGIN = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<braced>[A-Za-z_]\w*)(?P<how>\}|:?[-=+?]|[^}]))",
    re.ASCII,
)


# A word of a shell may be quoted besides; within single quotes nothing is a variable.
_IN_WORD = re.compile(
    rf"{_BEGIN.pattern}|'(?P<single>[^']*)'|(?P<double>\")|\\(?P<kept>.)", re.ASCII | re.DOTALL
)


class Text(NamedTuple):
    """A text, with `UNKNOWN` in place of what is not known, and the names of that."""

    text: str
    unknown: frozenset[str] = frozenset()


def expand(
    written: str, values: Mapping[str, Text], *, is_word: bool = False, depth: int = 0
) -> Text:
    """Put values in place of variables; ``$$`` is a dollar. Quotes are taken off a word.

    What is too long to be a reference is cut, to what still is too long.

    Examples
    --------
    >>> expand("python:${VERSION:-3.12}-$OS", {"OS": Text("slim")}).text
    'python:3.12-slim'
    >>> sorted(expand("python:$VERSION", {}).unknown)
    ['VERSION']
    """
    made: list[Text] = []
    at, is_quoted, written = 0, False, written[: LONGEST + 1]
    while begin := (_IN_WORD if is_word else _BEGIN).search(written, at):
        made.append(Text(written[at : begin.start()]))
        at = begin.end()
        found = begin.groupdict()
        name, how = found["plain"] or found["braced"], found["how"]
        if name is None:
            if found.get("single") is not None and is_quoted:
                # Within others it is no quote.
                at = begin.start() + 1
                made.append(Text("'"))
            else:
                is_quoted ^= found.get("double") is not None
                made.append(
                    Text(found["escaped"] or found.get("single") or found.get("kept") or "")
                )
        elif how in (None, "}"):
            made.append(_value(name, values))
        else:
            end = _closing(written, at)
            word, at = written[at:end], end + 1
            chosen = _chosen(name, how, values, depth)
            made.append(
                expand(word, values, is_word=is_word, depth=depth + 1) if chosen is None else chosen
            )
    return joined([*made, Text(written[at:])])


def fill(written: str, expression: re.Pattern[str], values: Mapping[str, Text]) -> Text:
    """Put values in place of expressions; the group of the pattern is the name.

    Examples
    --------
    >>> fill("app:<< tag >>", re.compile("<<(.*?)>>"), {"tag": Text("1.2")}).text
    'app:1.2'
    """
    parts = expression.split(written[: LONGEST + 1])
    texts, names = map(Text, parts[::2]), ("".join(name.split()) for name in parts[1::2])
    filled = (_value(name, values) for name in names)
    return joined([each for pair in zip(texts, [*filled, Text("")], strict=True) for each in pair])


def joined(parts: list[Text]) -> Text:
    """Put texts one behind the other, and cut them: variables within variables grow fast."""
    names = frozenset().union(*(part.unknown for part in parts))
    if len(names) > _MOST_NAMES:
        names = frozenset(sorted(names)[:_MOST_NAMES])
    return Text("".join(part.text for part in parts)[: LONGEST + 1], names)


def _value(name: str, values: Mapping[str, Text]) -> Text:
    return values.get(name, Text(UNKNOWN, frozenset({name})))


def _chosen(name: str, how: str, values: Mapping[str, Text], depth: int) -> Text | None:
    """Choose between a variable and the word beside it; None for the word."""
    value = values.get(name)
    is_set = value is not None and (bool(value.text) or not how.startswith(":"))
    kind = how[-1]
    if kind not in "-=+?" or depth == _DEEPEST or (value is not None and value.unknown):
        # Such as ${NAME#prefix}: what it makes of the value is not computed.
        return Text(UNKNOWN, frozenset({name}) | (value.unknown if value else frozenset()))
    if kind == "?":
        return _value(name, values if is_set else {})
    if kind in "-=":
        return value if is_set else None
    return None if is_set else Text("")


def _closing(text: str, at: int) -> int:
    """Return where the brace closes that was opened before; the end where it does not."""
    depth = 1
    for place in range(at, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if not depth:
            return place
    return len(text)
