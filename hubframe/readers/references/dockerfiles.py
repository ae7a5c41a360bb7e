"""Dockerfiles: the images that stages are built on and copy from, as BuildKit reads them.

Its rules: directives in the first lines, continued lines with comments and blank lines in between,
documents within instructions (``<<EOF``), arguments before the first ``FROM``, stages by name and
by number.
"""

import re
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple

from hubframe.readers.references.found import (
    BASE,
    COPIED,
    SCRATCH,
    STAGE,
    SYNTAX,
    TEMPLATE,
    Found,
    columns,
)
from hubframe.readers.references.templates import Templated, without_templates
from hubframe.readers.references.variables import Text, expand

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*", re.ASCII)
_DIRECTIVES = ("syntax", "escape", "check")
_FLAG = re.compile(r"--[^\s=]*(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*)?(?=\s|$)\s*")
_HEREDOC = re.compile(r"(?:^|\s)\d*<<(-?)\s*(?:\"([^\"<]+)\"|'([^'<]+)'|([^\s<>\"']+))")
_ARGUMENT = re.compile(
    r"([A-Za-z_]\w*)(?:=((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])*))?(?=\s|$)", re.ASCII
)
_MOUNT_FROM = re.compile(r"(?:^|[,=])from=([^,\s]+)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_QUOTES = "\"'"
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN", "ONBUILD")
_ESCAPES = {
    escape: re.compile(rf"(?:(?<!{re.escape(escape)})|^){re.escape(escape)}[ \t]*$")
    for escape in ("\\", "`")
}


class _Instruction(NamedTuple):
    line: int
    name: str  # in capitals
    flags: list[str]
    rest: str


def references(text: str) -> list[Found]:
    """Find the images that a Dockerfile names; none where it begins with something else."""
    directives, read = _read(text)
    if read is None:
        return []
    if read.stages:
        read.mark_last()
    return [*directives, *read.found]


def find_base(
    text: str,
    target: str | None = None,
    arguments: Container[str] = (),
    contexts: Container[str] = (),
) -> str | None:
    """Return the image that a build goes on from; None for none, and where it cannot be told.

    That is the image of the last stage, or of the `target`. Of the `arguments` that whoever built
    gave, and of the `contexts` that stand in place of images, the values are not known.
    """
    _, read = _read(text, arguments)
    stage = read.stage(target) if read else None
    if stage is None or stage.found.text.text.lower() in contexts:
        return None
    found: str | None = columns(stage.found).get("reference")
    return found


def _read(text: str, arguments: Container[str] = ()) -> tuple[list[Found], "_Reader | None"]:
    """Read a file: its directives, and the rest where it begins as one does."""
    templated = without_templates(text)
    lines = templated.without_leading().split("\n")
    directives, escape = _directives(lines)
    instructions = _instructions(lines, escape)
    first = next(instructions, None)
    if first is None or first.name not in ("FROM", "ARG"):
        return directives, None
    read = _Reader(templated, arguments)
    read.instruction(first)
    for each in instructions:
        read.instruction(each)
    return directives, read


def _directives(lines: list[str]) -> tuple[list[Found], str]:
    """Read the directives at the top: what reads the file, and the mark of continued lines."""
    found: list[Found] = []
    escape = "\\"
    for number, line in enumerate(lines, 1):
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None or directive[1].lower() not in _DIRECTIVES:
            break
        name, value = directive[1].lower(), directive[2]
        if name == "syntax":
            written = value.split()[0]
            found.append(Found(number, name, SYNTAX, written, Text(written)))
        elif name == "escape" and value in _ESCAPES:
            escape = value
    return found, escape


def _instructions(lines: list[str], escape: str) -> Iterator[_Instruction]:
    """Yield the instructions, each from the line that it begins on."""
    continued, heredocs = _ESCAPES[escape], _Heredocs(lines)
    at = 0
    while at < len(lines):
        begin, line = at, lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        parts = []
        while found := continued.search(line):
            parts.append(line[: found.start()])
            line = ""
            while at < len(lines) and (not lines[at].strip() or lines[at].lstrip()[0] == "#"):
                at += 1
            if at == len(lines):
                break
            line = lines[at].rstrip("\r")
            at += 1
        made = _instruction(begin + 1, "".join([*parts, line]).strip())
        if made:
            at = heredocs.behind(made, at)
            yield made


def _instruction(line: int, text: str) -> _Instruction | None:
    name, rest = (*_BLANKS.split(text, maxsplit=1), "")[:2]
    name, rest = name.upper(), rest.strip()
    flags = []
    while flag := _FLAG.match(rest):
        flags.append(flag[0].strip())
        rest = rest[flag.end() :]
    return _Instruction(line, name, flags, rest) if name else None


class _Heredocs:
    """The documents that stand within instructions, each up to a line that is its name."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._last: dict[bool, dict[str, int]] = {}

    def behind(self, made: _Instruction, at: int) -> int:
        """Return where the documents of an instruction end, which begin at a line."""
        if made.name not in _WITH_HEREDOCS or "<<" not in made.rest or made.rest.startswith("["):
            return at
        for chomp, *names in _HEREDOC.findall(made.rest):
            end, is_chomped = next(filter(None, names)), bool(chomp)
            # What is not closed is none: the file could not be built, and is read on.
            if self._last_of(is_chomped=is_chomped).get(end, -1) >= at:
                while _ending(self._lines[at], is_chomped=is_chomped) != end:
                    at += 1
                at += 1
        return at

    def _last_of(self, *, is_chomped: bool) -> dict[str, int]:
        """Return where each line is that stands last in the file."""
        if is_chomped not in self._last:
            self._last[is_chomped] = {
                _ending(line, is_chomped=is_chomped): place
                for place, line in enumerate(self._lines)
            }
        return self._last[is_chomped]


def _ending(line: str, *, is_chomped: bool) -> str:
    return (line.lstrip("\t") if is_chomped else line).rstrip("\r")


class _Stage(NamedTuple):
    found: Found
    base: int | None  # the earlier stage that it goes on from


class _Reader:
    """What is known so far of a file: its arguments and its stages."""

    def __init__(self, templated: Templated, given: Container[str]) -> None:
        self.found: list[Found] = []
        self.stages: list[_Stage] = []
        self._templated = templated
        self._given = given  # arguments of the builder's caller, whose values are not known
        self._arguments: dict[str, Text] = {}
        self._names: dict[str, int] = {}

    def instruction(self, made: _Instruction) -> None:
        """Read the next instruction."""
        before = ""
        if made.name == "ONBUILD" and (later := _instruction(made.line, made.rest)):
            # What is done in builds that go on from this one.
            made, before = later, "ONBUILD "
        if made.name == "FROM" and not before:
            self._from(made)
        elif made.name == "ARG" and not self.stages:
            self._argument(made.rest)
        elif made.name == "COPY":
            self._copied(made, f"{before}COPY --from", _values(made, "--from="))
        elif made.name == "RUN":
            mounts = map(_MOUNT_FROM.search, _values(made, "--mount="))
            names = [found[1].strip(_QUOTES) for found in mounts if found]
            self._copied(made, f"{before}RUN --mount=from", names)

    def mark_last(self) -> None:
        """Mark what the last stage is built on, through the stages in between."""
        for stage in self.stages:
            stage.found.is_last_stage = False
        if last := self.stage(None):
            last.found.is_last_stage = True

    def stage(self, target: str | None) -> _Stage | None:
        """Return the stage whose image a stage is built on, the last one unless one is named."""
        at = len(self.stages) - 1
        # Of one stage alone, whatever was asked for is built on its image.
        if target is not None and at > 0:
            at = self._names.get(target.lower(), int(target) if _NUMBER.fullmatch(target) else -1)
        if not 0 <= at < len(self.stages):
            return None
        stage = self.stages[at]
        while stage.base is not None:
            stage = self.stages[stage.base]
        return stage

    def _argument(self, rest: str) -> None:
        for found in _ARGUMENT.finditer(rest):
            name, value = found.groups()
            # Of one that is given only the builder's caller knows the value; without a value an
            # argument keeps the one that it has.
            if value is not None and name not in self._given:
                self._arguments[name] = _word(value, self._arguments)

    def _from(self, made: _Instruction) -> None:
        words = made.rest.split()
        if not words or (len(words) > 1 and words[1].lower() != "as" and words[1][0] != "#"):
            return
        text = _word(words[0], self._arguments)
        found = self._made(made, "FROM", BASE, words[0], text)
        base = self._names.get(text.text.lower())
        if base is not None:
            found.problem = STAGE
        elif text.text.lower() == SCRATCH:
            found.problem = SCRATCH
        platforms = _values(made, "--platform=")
        if platforms and not (asked := _word(platforms[-1], self._arguments)).unknown:
            found.platform = asked.text
        if len(words) > 2 and words[1].lower() == "as":  # noqa: PLR2004 - FROM image AS name
            self._names[self._templated.bare(words[2]).lower()] = len(self.stages)
        self.stages.append(_Stage(found, base))

    def _copied(self, made: _Instruction, field: str, names: list[str]) -> None:
        """Note images that files are copied from; those of stages are none."""
        for name in names:
            is_stage = name.lower() in self._names or name.isdigit()
            if name and not is_stage:
                self._made(made, field, COPIED, name, expand(name, {}))

    def _made(self, made: _Instruction, field: str, role: str, written: str, text: Text) -> Found:
        found = Found(made.line, field, role, self._templated.restored(written), text)
        if self._templated.is_in(written):
            found.text = self._templated.unknown(text)
            found.problem = TEMPLATE
        self.found.append(found)
        return found


def _values(made: _Instruction, flag: str) -> list[str]:
    """Return the values of a flag."""
    given = (each.removeprefix(flag) for each in made.flags if each.startswith(flag))
    return [value.strip(_QUOTES) for value in given]


def _word(written: str, values: Mapping[str, Text]) -> Text:
    """Expand a word as a shell does."""
    return expand(written, values, is_word=True)
