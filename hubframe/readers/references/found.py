"""What was found in a file, and how the reference that stands there is read."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hubframe.errors import InvalidReferenceError
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import DEFAULT_TAG, ImageReference
from hubframe.oci.tagnames import Kind, read
from hubframe.readers.references.documents import Node
from hubframe.readers.references.variables import LONGEST, UNKNOWN, Text

VARIABLE, TEMPLATE, INVALID, STAGE, SCRATCH = (
    "variable",
    "template",
    "invalid",
    "stage",
    "scratch",
)
BASE, COPIED, SYNTAX, BUILD, RUN, INIT = ("base", "stage copy", "syntax", "build", "run", "init")
# Addresses, ids, and images on the disk: what strangers write leads to no file of this machine.
_ELSEWHERE = re.compile(
    r"(?:oci|oci-archive|docker-archive|docker-daemon|containers-storage|dir):|.*://"
    r"|sha256:[0-9a-f]{64}$"
)


@dataclass(slots=True)
class Found:
    """An image that a file names."""

    line: int
    field: str
    role: str | None
    written: str
    text: Text  # with values in place of variables
    problem: str | None = None  # what is known beforehand
    platform: str | None = None
    is_last_stage: bool | None = None
    kind: str = ""  # what the file is, where its name does not tell


def plain(node: Node, field: str, role: str, text: Text | None = None) -> Found:
    """Make what was found of a node that holds the whole reference."""
    written = node.text or ""
    return Found(node.line, field, role, written, text or Text(written))


def columns(found: Found) -> dict[str, Any]:
    """Return what the frame shows of it, but for the file."""
    row: dict[str, Any] = {
        "line": found.line,
        "kind": found.kind,
        "field": found.field,
        "role": found.role,
        "is_last_stage": found.is_last_stage,
        "written": found.written[:LONGEST],
        "platform": found.platform and _platform(found.platform),
        "variable": " ".join(sorted("".join(name.split()) for name in found.text.unknown)) or None,
    }
    text, problem = found.text.text.strip(), found.problem
    if problem is None and (UNKNOWN in text or found.text.unknown):
        problem = VARIABLE
    if problem in (STAGE, SCRATCH):
        return {**row, "problem": problem}
    if problem is not None:
        return {**row, "repo": _repository(text), "problem": problem}
    reference = parsed(text)
    if reference is None:
        return {**row, "problem": INVALID}
    return {**row, **_named(reference)}


def _named(reference: ImageReference) -> dict[str, Any]:
    tag = reference.tag or (None if reference.digest else DEFAULT_TAG)
    whole = reference.at(tag=tag, digest=reference.digest)
    return {
        "repo": whole.repo,
        "tag": tag,
        "digest": whole.digest,
        "reference": str(whole),
        "is_pinned": whole.digest is not None,
        "is_floating": whole.digest is None and is_floating(tag or DEFAULT_TAG),
    }


def parsed(text: str) -> ImageReference | None:
    """Read a reference as it may stand in a file; None where it is none."""
    if len(text) > LONGEST or _ELSEWHERE.match(text):
        return None
    with suppress(InvalidReferenceError):
        return ImageReference.parse(text)
    return None


def is_whole(text: str) -> bool:
    """Tell whether a text is a reference with a tag or a digest, and so hardly anything else."""
    reference = parsed(text)
    return reference is not None and bool(reference.tag or reference.digest)


def _repository(text: str) -> str | None:
    """Read the repository alone, where what is not known is behind it."""
    name = text.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    name = head if colon and "/" not in tag else name
    reference = None if UNKNOWN in name else parsed(name)
    return None if reference is None else reference.repo


def is_floating(tag: str) -> bool:
    """Tell whether a tag is meant to move: a word, or a major version alone.

    >>> tags = ("latest", "3", "3-slim", "3.12", "bookworm", "2024-05-01")
    >>> [tag for tag in tags if is_floating(tag)]
    ['latest', '3', '3-slim', 'bookworm']
    """
    name = read(tag)
    return name.kind is Kind.NAME or (
        name.kind >= Kind.NAMED_VERSION and len(name.numbers) == 1 and not name.build
    )


def _platform(written: str) -> str | None:
    with suppress(ValueError):
        return Platform.parse(written).name
    return None
