"""Which tags of a repository are newer than one, in the same line of releases."""

from collections.abc import Mapping
from typing import NamedTuple

from hubframe.oci.tagnames import Kind, Numbers, TagName, moving, newest_first, read

# What the parts of a version are called, from the first on; all others are as the last.
_PARTS = ("major", "minor", "patch")


class Newest(NamedTuple):
    """The newest tag of a line, and how far another is behind it."""

    tag: str
    versions_behind: int
    behind: str | None  # the first part of the version that differs


def newest_of_line(tag: str, names: Mapping[str, TagName]) -> Newest | None:
    """Find the newest release that has a tag's prefix and variant; None where it is no version.

    Versions are told apart as finely as the tag is written: for ``3.12`` the versions are ``3.13``
    and ``3.14``, and for ``3.12.1`` all those of three numbers. A tag as fine is preferred; where
    there is none, it is the newest that begins with that version.

    >>> from hubframe.oci.tagnames import read_all
    >>> names = read_all(["3.12-slim", "3.13", "3.13.1-slim", "3.14.0-slim", "3.15.0rc1-slim"])
    >>> newest_of_line("3.12-slim", names)
    Newest(tag='3.14.0-slim', versions_behind=2, behind='minor')
    """
    own = names.get(tag) or read(tag)
    if own.kind < Kind.DATE:
        return None
    moved = moving(names.values())
    line = [
        name
        for name in names.values()
        if name.line == own.line and not name.stage
        # A shorter name that others go on from is no version of its own.
        if len(name.numbers) >= len(own.numbers) or name.tag not in moved
    ]
    levels = {_level(name, own) for name in line}
    newer = {level for level in levels if level > _level(own, own)}
    newest = max(levels, default=())
    if newest < _level(own, own) or (newest == _level(own, own) and not (own.stage or own.build)):
        return Newest(tag, 0, None)
    tops = [name for name in line if _level(name, own) == newest]
    chosen = _alike(_alike(tops, own, built=False), own, built=True)
    # Both v1.2 and 1.2 may be there.
    spelled = [name for name in chosen if name.prefix == own.prefix]
    found = newest_first(spelled or chosen)[0]
    return Newest(found.tag, len(newer), _part(own, newest) if newer else None)


def _level(name: TagName, own: TagName) -> Numbers:
    """Return as many numbers of a version as another has."""
    count = len(own.numbers)
    return (*name.numbers, *(0,) * count)[:count]


def _alike(names: list[TagName], own: TagName, *, built: bool) -> list[TagName]:
    """Keep the names as fine as another, or with a build where it has one; all where none is."""
    kept = [
        name
        for name in names
        if (bool(name.build) == bool(own.build) if built else len(name.numbers) == len(own.numbers))
    ]
    return kept or names


def _part(own: TagName, newest: Numbers) -> str | None:
    """Name the first number that differs."""
    if own.kind is Kind.DATE:
        return None
    pairs = zip(own.numbers, newest, strict=True)
    place = next(place for place, (one, other) in enumerate(pairs) if one != other)
    return _PARTS[min(place, len(_PARTS) - 1)]
