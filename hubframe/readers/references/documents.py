"""YAML and JSON as nodes with their lines.

The parser's events alone are read: no tag is looked up and no object made. An alias is the node
that it names, not a copy of it, so that a document takes no more room than its text. What aliases
repeat is counted, so that whoever goes through all of it comes to an end.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from hubframe.errors import PayloadError
from hubframe.readers.references.variables import LONGEST

# What one document may hold, how deep, what all of a file may, and what its aliases may repeat.
MOST_NODES = 100_000
MOST_IN_FILE = 1_000_000
MOST_REPEATED = 300_000
DEEPEST = 100
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_TEXT = frozenset({"", "~", "null", "Null", "NULL", "true", "True", "TRUE"})
_NO_TEXT |= {"false", "False", "FALSE"}
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_TEXT = (None, "!", "tag:yaml.org,2002:str", "!override")
# Text in JSON, which is left as it is, and comments. What is not closed reaches to the end.
_COMMENT = re.compile(r'("[^"\\\n]*+(?:\\.[^"\\\n]*+)*+")|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
# libyaml refuses what JSON may spell: a character in two halves.
_HALVES = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

# The keys and places that lead to a value.
Path = tuple[str | int, ...]


class Node:
    """A value and the line on which it begins: text, a list, a mapping, or None for all else."""

    __slots__ = ("line", "value")

    def __init__(self, line: int, value: Any = None) -> None:
        self.line = line
        self.value: Any = value

    @property
    def text(self) -> str | None:
        """The value, where it is text with something in it."""
        return self.value if isinstance(self.value, str) and self.value.strip() else None

    @property
    def items(self) -> "list[tuple[str, Node]]":
        """The entries of a mapping, also those whose keys come twice; of all else none."""
        return self.value.pairs if isinstance(self.value, _Mapping) else []

    @property
    def entries(self) -> "list[Node]":
        """The entries of a list; of all else none."""
        return self.value if isinstance(self.value, list) else []

    def get(self, *keys: str) -> "Node":
        """Return what stands under keys, one within the other; an empty node where nothing does."""
        at = self
        for key in keys:
            at = next((node for name, node in at.items if name == key), Node(at.line))
        return at


class _Mapping:
    """The entries of a mapping, and the key that waits for its value."""

    __slots__ = ("key", "pairs")

    def __init__(self) -> None:
        self.pairs: list[tuple[str, Node]] = []
        self.key: str | None = None


def read(text: str) -> Iterator[Node]:
    """Read the documents of a YAML file, one after the other.

    PayloadError where the text is no YAML, or a document is too large or too deep; what stands
    before that was yielded.
    """
    try:
        yield from _documents(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise PayloadError(f"{where}{getattr(error, 'problem', None) or 'no YAML'}") from None


def read_json(text: str) -> Node:
    """Read JSON, which may have comments and commas too many."""
    plain = _COMMENT.sub(lambda found: found[1] or _blank(found[0]), text)
    plain = _HALVES.sub("\\\\ufffd", plain).replace("\t", " ")
    return next(read(plain), Node(1))


def _blank(comment: str) -> str:
    """Return as many lines as a comment takes."""
    return " " + "\n" * comment.count("\n")


def walk(document: Node) -> Iterator[tuple[Path, Node]]:
    """Yield each mapping of a document once, with the keys and places that lead to it, in order."""
    seen: set[int] = set()
    left: list[tuple[Path, Node]] = [((), document)]
    while left:
        path, node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if items := node.items:
            yield path, node
        inner: list[tuple[str | int, Node]] = [*items, *enumerate(node.entries)]
        left += [
            ((*path, key), each) for key, each in reversed(inner) if not isinstance(each.value, str)
        ]


def field_of(path: Path) -> str:
    """Write the way to a value: ``services.web.image``, ``containers[0].image``, ``a["b.c"]``.

    What is too long for a reference, too, is cut.
    """
    made = ""
    for key in path:
        made += (
            f"[{key}]"
            if isinstance(key, int)
            else f".{key}"
            if _PLAIN.fullmatch(key)
            else f'["{key}"]'
        )
        if len(made) > LONGEST:
            break
    return made.removeprefix(".")[:LONGEST]


_PLAIN = re.compile(r"[\w/$<-]+")


def _documents(text: str) -> Iterator[Node]:
    making = _Making()
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        making.take(event)
        if isinstance(event, yaml.DocumentEndEvent) and making.open:
            yield making.open[0]


class _Making:
    """A document that is being made: the lists and mappings that are open, and what has a name."""

    def __init__(self) -> None:
        self.open: list[Node] = []
        self._anchors: dict[str, Node] = {}
        # Of what has a name: how much was read before it, and how much it holds.
        self._before: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._count = 0
        self._in_file = self._repeated = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._put(event, _scalar(event))
        elif kind is yaml.MappingStartEvent:
            self._put(event, _Mapping())
        elif kind is yaml.SequenceStartEvent:
            self._put(event, [])
        elif kind is yaml.AliasEvent:
            named = self._anchors.get(event.anchor) or Node(_line(event))
            self._repeated += self._sizes.get(id(named), 0)
            self._add(named, _line(event))
        elif kind in _ENDS and len(self.open) > 1:
            ended = id(self.open.pop())
            if ended in self._before:
                self._sizes[ended] = self._in_file + self._repeated - self._before[ended]
        elif kind is yaml.DocumentStartEvent:
            self.open, self._anchors, self._count = [], {}, 0
            self._before, self._sizes = {}, {}

    def _put(self, event: Any, value: Any) -> None:
        node = Node(_line(event), value)
        if event.anchor:
            self._anchors[event.anchor] = node
            if isinstance(value, str):
                self._sizes[id(node)] = len(value) // LONGEST
            else:
                self._before[id(node)] = self._in_file + self._repeated
        self._add(node, node.line)
        if not self.open or isinstance(value, list | _Mapping):
            self.open.append(node)

    def _add(self, node: Node, line: int) -> None:
        """Add a node to the list or the mapping that it stands in."""
        self._count += 1
        self._in_file += 1
        if (
            self._count > MOST_NODES
            or self._in_file > MOST_IN_FILE
            or self._repeated > MOST_REPEATED
            or len(self.open) > DEEPEST
        ):
            raise PayloadError(
                f"line {line}: more than {MOST_NODES:,} values in a document, {MOST_IN_FILE:,} in "
                f"the file, {MOST_REPEATED:,} in its aliases, or {DEEPEST} within one another; not "
                "read further"
            )
        holder = self.open[-1].value if self.open else None
        if isinstance(holder, list):
            holder.append(node)
        elif isinstance(holder, _Mapping) and holder.key is None:
            # A key is a part of the name of each field below it.
            holder.key = node.value[:LONGEST] if isinstance(node.value, str) else ""
        elif isinstance(holder, _Mapping):
            holder.pairs.append((holder.key or "", node))
            holder.key = None


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _scalar(event: Any) -> str | None:
    """Return text; nothing, yes and no, and what a tag makes something else of, are none."""
    is_other = not event.style and event.value in _NO_TEXT
    return None if is_other or event.tag not in _TEXT else event.value
