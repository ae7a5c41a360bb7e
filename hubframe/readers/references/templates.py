"""Templates in files that a program fills in: ``{{ … }}`` and ``{% … %}``.

Such a file is no YAML and no Dockerfile yet. What stands in the braces is taken out: a line with
nothing else is blank, and within others a mark stands for it.
"""

import re
from typing import NamedTuple

from hubframe.readers.references.variables import UNKNOWN, Text

_CLOSE = {"{{": "}}", "{%": "%}"}
# How far a template reaches, and how far its line is looked at. [characters]
_LONGEST, _NEAR = 2000, 200
_BEGINS, _ENDS = tuple(_CLOSE), tuple(_CLOSE.values())
_BEGIN = re.compile(r"(?<!\$)\{[{%]")
_COMMENT = re.compile(r"\{\{-?\s*/\*")
_MARK = re.compile("\ue001(\\d+)\ue002")
_LEADING = re.compile(rf"^(?:[ \t]*{_MARK.pattern})+", re.MULTILINE)
_RESERVED = re.compile("[\ue000-\ue002]")
_NAME = re.compile(r"[\s-]*\$?([A-Za-z_.][\w.]*)[\s-]*", re.ASCII)


class Templated(NamedTuple):
    """A text without its templates, and what these were."""

    text: str
    templates: list[str]

    def is_in(self, part: str) -> bool:
        """Tell whether a part of the text had a template in it."""
        return bool(self.templates) and _MARK.search(part) is not None

    def without_leading(self) -> str:
        """Return the text without those that lines begin with, as blocks that end there."""
        return _LEADING.sub("", self.text)

    def bare(self, part: str) -> str:
        """Return a part of the text without templates."""
        return _MARK.sub("", part)

    def restored(self, part: str) -> str:
        """Return a part of the text as it was written."""
        return _MARK.sub(lambda found: self.templates[int(found[1])], part)

    def unknown(self, text: Text) -> Text:
        """Return a text with what templates make of it unknown, and their names."""
        inner = (self.templates[int(number)][2:-2] for number in _MARK.findall(text.text))
        names = {found[1] for one in inner if (found := _NAME.fullmatch(one))}
        return Text(_MARK.sub(UNKNOWN, text.text), text.unknown | names)


def without_templates(text: str) -> Templated:
    """Take templates out of a text; lines stay where they are."""
    text = _RESERVED.sub("\ufffd", text)
    parts: list[str] = []
    templates: list[str] = []
    at = 0
    last = max(map(text.rfind, _ENDS))
    while (begin := _BEGIN.search(text, at)) and begin.start() < last:
        start = begin.start()
        close = _closing(text, begin)
        if close < 0:
            # It is not closed, and so none.
            parts.append(text[at : begin.end()])
            at = begin.end()
            continue
        end = close + 2
        parts.append(text[at:start])
        lead = text[max(start - _NEAR, 0) : start].rpartition("\n")[2].strip()
        rest = text[end : end + _NEAR].partition("\n")[0].strip()
        # A block that is put behind a key begins a line of its own, and the next lines go on in it.
        is_block = lead.endswith((":", "-")) and not rest and "indent" in text[start:end]
        is_within = (lead and not lead.endswith(_ENDS)) or (rest and not rest.startswith(_BEGINS))
        if is_within and not is_block:
            parts.append(f"\ue001{len(templates)}\ue002")
            templates.append(text[start:end])
        parts.append("\n" * text.count("\n", start, end))
        at = end
    return Templated("".join([*parts, text[at:]]), templates)


def _closing(text: str, begin: re.Match[str]) -> int:
    """Return where a template closes, behind the comment that it may be; -1 where it does not."""
    behind, most = begin.end(), begin.start() + _LONGEST
    if _COMMENT.match(text, begin.start()):
        behind = text.find("*/", behind, most)
    return text.find(_CLOSE[begin[0]], behind, most) if behind > 0 else -1
