"""The history of an image: its build steps as lines of a Dockerfile."""

import re
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

from hubframe.oci.payload import Known, text

# A word of a LABEL line, quoted parts and all, or the blanks between two. No text makes it slow.
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|\\.|\S)+|\s+""", re.DOTALL)
_PAIR = re.compile(r"""("(?:\\.|[^"\\])*"|[^="]+)=(.*)""", re.DOTALL)
_BUILD_ARGS = re.compile(r"\|(\d+) ")
_NOP = re.compile(r"#\(nop\)\s*")
_KEYWORD = re.compile(
    r"(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|"
    r"SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s"
)
_SHELLS = ("/bin/sh -c", "cmd /S /C", "powershell -Command")
_BUILDKIT = "# buildkit"
# What buildah writes behind a step, so that builds with other options do not take it for theirs.
_BUILDAH = re.compile(
    r"(?:(?:unset|inherit|new)(?:Label|Annotation)s?|[a-z-]+-(?:mtime|timestamp|epoch))=[^\s|]*\s*"
)


def label_step(instruction: str) -> dict[str, str]:
    """Read the labels of a ``LABEL`` line. Builders drop the quotes, so this is a best guess.

    Words without ``=`` belong to the value before them.
    """
    values: dict[str, list[str]] = {}
    latest: list[str] = []
    for word in _WORD.findall(instruction.removeprefix("LABEL ")):
        pair = _PAIR.fullmatch(word)
        if pair:
            latest = values[pair[1].strip('"')] = [pair[2]]
        else:
            latest.append(word)
    return {key: "".join(words).strip().strip('"') for key, words in values.items()}


def dockerfile_line(created_by: Any, shell: str = "") -> str | None:
    """Return a build step as a Dockerfile line.

    The rules are those that Docker's official images use: leading ``RUN`` off, build arguments
    off, shell off, then ``#(nop)`` off or ``RUN`` put before. What buildah notes behind a step of
    its options is no part of it.

    Examples
    --------
    >>> dockerfile_line('/bin/sh -c #(nop)  CMD ["sh"]')
    'CMD ["sh"]'
    >>> dockerfile_line("RUN |1 A=1 /bin/sh -c apk add curl # buildkit")
    'RUN apk add curl'
    """
    written = text(created_by) or ""
    found: str | None = _read(written, shell) if shell else _LINES[written]
    return found


def dockerfile_lines(
    created_by: list[Any], shells: list[str], counts: list[int]
) -> list[str | None]:
    """Return the steps of images as Dockerfile lines: the shell and the number of steps of each."""
    # Nearly always the shells are the usual ones, and all steps are text.
    if not any(shells) and set(map(type, created_by)) <= {str}:
        return list(map(_LINES.__getitem__, created_by))
    return list(map(dockerfile_line, created_by, chain.from_iterable(map(repeat, shells, counts))))


def _read(written: str, shell: str = "") -> str | None:
    step = _without_options(written).strip().removesuffix(_BUILDKIT).rstrip()
    shells = (shell, *_SHELLS) if shell else _SHELLS
    command = _without_arguments(step.removeprefix("RUN ").lstrip(), shells)
    run = _without_shell(command, shells)
    if run is not None:
        return _shell_line(run)
    if step.startswith("RUN "):
        return f"RUN {command}"
    return command if _KEYWORD.match(f"{command} ") else _shell_line(command)


_LINES = Known(_read)


def _without_options(written: str) -> str:
    """Take ``|inheritLabels=false|force-mtime=10`` off the end."""
    end = len(written)
    while (at := written.rfind("|", 0, end)) >= 0 and _BUILDAH.fullmatch(written, at + 1, end):
        end = at
    return written[:end]


def _without_shell(command: str, shells: tuple[str, ...]) -> str | None:
    """Take the shell off; null where the command names none."""
    for shell in shells:
        rest = command.removeprefix(shell)
        if rest != command and not rest[:1].strip():
            return rest.strip()
    return None


def _shell_line(command: str) -> str | None:
    """Return what a shell was given: a comment with the instruction, or what it ran."""
    if nop := _NOP.match(command):
        return command[nop.end() :] or None
    return f"RUN {command}" if command else None


def _without_arguments(command: str, shells: Iterable[str]) -> str:
    """Take ``|2 A=1 B=2`` off: up to the shell where there is one, else that many words."""
    match = _BUILD_ARGS.match(command)
    if match is None:
        return command
    rest = command[match.end() :]
    starts = [at for shell in shells if (at := rest.find(f"{shell} ")) >= 0]
    if starts:
        return rest[min(starts) :]
    words = rest.split(" ", min(int(match[1][:4]), rest.count(" ")))
    return words[-1]
