"""Which advisories hold for a package: the ranges and lists of versions that they tell.

https://ossf.github.io/osv-schema/, "Evaluation".
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cmp_to_key, partial
from typing import Any, NamedTuple

import pandas as pd
from packaging.utils import canonicalize_version

from hubframe.measure.ecosystems import Asked, NotAsked, Release, ask, named, read_release
from hubframe.measure.images import plain_rows
from hubframe.oci.contents.packages import OS_TYPES
from hubframe.oci.contents.versions import compare
from hubframe.oci.payload import Known, items, parsed, text

# An epoch of rpm's, as an event of a range begins with.
_EPOCH = re.compile(r'"\d+:')
_LEAST, _ALL = "0", "*"
# No real version is longer.
_LONGEST = 128
_ORDER = {"introduced": 0, "fixed": 1, "last_affected": 2}
_Unknown = dict[tuple[str, str], str]


class Verdict(NamedTuple):
    """Whether a version is affected, and the first one above that is not."""

    is_affected: bool
    fixed_version: str | None = None


class _Range(NamedTuple):
    """A range of versions: its events in order, and where it ends in any case."""

    rule: str
    events: Sequence[tuple[str, str]]
    limits: Sequence[str]


class _Entry:
    """What an advisory says of a package; its ranges are read when it is first asked."""

    def __init__(
        self,
        place: int,
        release: Release | None,
        id_: str,
        ranges: str | None,
        versions: str | None,
    ) -> None:
        self.place, self.release, self.id = place, release, id_
        self._ranges, self._versions = ranges, versions
        self._read: dict[str, tuple[list[_Range], frozenset[str]]] = {}

    @property
    def is_extended(self) -> bool:
        """Whether it is for those who have extended support."""
        return self.release is not None and self.release.is_extended

    @property
    def tells_versions(self) -> bool:
        """Whether it says which versions it is about; some name commits, or nothing."""
        return bool(self._ranges or self._versions)

    def is_for(self, asked: Asked) -> bool:
        """Whether it holds for a package's release, as one for all releases does."""
        return self.release is None or self.release.holds_for(asked)

    def judge(self, kind: str, version: str, asked: Asked) -> Verdict | None:
        """Tell whether a version of a package is affected; None where that cannot be told."""
        if kind not in self._read:
            self._read[kind] = _parse(kind, self._ranges), _listed(kind, self._versions)
        if not asked.has_epochs and not _EPOCH.search(self._ranges or ""):
            version = version.rpartition(":")[2]
        return _judge(kind, version, *self._read[kind])


class Index:
    """Advisories, by the packages that they are about; withdrawn ones are about none.

    Parameters
    ----------
    advisories
        The table `advisories`.
    """

    def __init__(self, advisories: pd.DataFrame) -> None:
        self._by: dict[tuple[str, str], list[_Entry]] = defaultdict(list)
        columns = ["ecosystem", "name", "release", "id", "ranges", "versions", "withdrawn_at"]
        for place, row in enumerate(plain_rows(advisories[columns])):
            ecosystem, name, release, *told, withdrawn_at = row
            if withdrawn_at is None:
                known = named(ecosystem, name)
                entry = _Entry(place, read_release(known[0], release), *told)
                self._by[known].append(entry)
        self._ecosystems = {ecosystem for ecosystem, _ in self._by}
        self._releases = {
            (ecosystem, one.release and one.release.name)
            for (ecosystem, _), entries in self._by.items()
            for one in entries
        }

    def matches(
        self, package: tuple[Any, ...], unknown: _Unknown
    ) -> Iterator[tuple[int, str | None]]:
        """Yield the places of advisories that hold for a package, and the first version without.

        An advisory holds once, though it may tell of a package by several names, and for several
        parts of a release: what it says of the closest name, and of extended support, goes first.

        Parameters
        ----------
        package
            Its type, namespace, name, version, source package, that one's version, and URL.
        unknown
            What could not be told is written down here, with the reason.
        """
        kind = package[0]
        asked = ask(package)
        if isinstance(asked, NotAsked):
            unknown[asked.column, asked.ref] = asked.message
            return
        if asked.ecosystem not in self._ecosystems:
            unknown["ecosystem", asked.ecosystem] = "no advisory is about it"
            return
        if not asked.names:
            unknown["version", package[2]] = "none is told"
        told = {(asked.ecosystem, of) for of in (None, asked.release, asked.version)}
        if asked.release and not told & self._releases:
            unknown["release", f"{asked.ecosystem}:{asked.release}"] = "no advisory is about it"
        best: dict[str, tuple[tuple[bool | int, ...], int, Verdict]] = {}
        for closeness, one, verdict in self._judged(asked, kind, unknown):
            is_whole, has_none = not verdict.is_affected, verdict.fixed_version is None
            rank = (closeness, not one.is_extended, is_whole, has_none)
            if one.id not in best or rank < best[one.id][0]:
                best[one.id] = rank, one.place, verdict
        for _, place, verdict in best.values():
            if verdict.is_affected:
                yield place, verdict.fixed_version

    def _judged(
        self, asked: Asked, kind: str, unknown: _Unknown
    ) -> Iterator[tuple[int, _Entry, Verdict]]:
        """Yield what is said of each name of a package, the closest first."""
        for closeness, (name, version) in enumerate(asked.names):
            for one in self._by.get((asked.ecosystem, name), ()):
                if not one.is_for(asked):
                    if asked.release is None:
                        unknown["release", name] = "nothing tells of which release it is"
                elif one.is_extended and not asked.is_extended:
                    of = f"{asked.ecosystem}:{asked.release}"
                    unknown["release", of] = "extended support: no package shows that it has it"
                elif verdict := one.judge(kind, version, asked):
                    yield closeness, one, verdict
                else:
                    why = "it cannot be compared" if one.tells_versions else "it tells no versions"
                    unknown["version", f"{name} {version}"] = f"{one.id}: {why}"


def evaluate(
    kind: str, version: str, ranges: str | None, versions: str | None = None
) -> Verdict | None:
    """Tell whether a version is affected, by ranges and lists of versions as `advisories` has them.

    None where that cannot be told: a version that has no order, or none of its ecosystem.

    Examples
    --------
    >>> ranges = '[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:2.0~rc1-1"}]}]'
    >>> evaluate("deb", "1:2.0~beta-1", ranges)
    Verdict(is_affected=True, fixed_version='1:2.0~rc1-1')
    >>> evaluate("deb", "1:2.0-1", ranges)
    Verdict(is_affected=False, fixed_version=None)
    """
    return _judge(kind, version, _parse(kind, ranges), _listed(kind, versions))


def _parse(kind: str, ranges: str | None) -> list[_Range]:
    """Read ranges, and put their events in order; those of semantic versions are for no system."""
    try:
        told = items(parsed(ranges)) if ranges else []
    except (ValueError, RecursionError):
        return [_Range("", [("introduced", "")], ())]
    found = []
    for one in told:
        is_semantic = one.get("type") == "SEMVER"
        if is_semantic and kind in OS_TYPES:
            continue
        rule = "npm" if is_semantic else kind
        events = [
            (what, at)
            for event in items(one.get("events"))
            for what in ("introduced", "fixed", "last_affected", "limit")
            if (at := text(event.get(what)))
        ]
        limits = [at for what, at in events if what == "limit" and at != _ALL]
        kept = [event for event in events if event[0] in _ORDER]
        found.append(_Range(rule, sorted(kept, key=cmp_to_key(partial(_by_version, rule))), limits))
    return found


def _by_version(rule: str, left: tuple[str, str], right: tuple[str, str]) -> int:
    told = _compared(rule, left[1], right[1])
    return told or _ORDER[left[0]] - _ORDER[right[0]]


def _compared(rule: str, left: str, right: str) -> int | None:
    """Compare versions, of which "0" is below all."""
    if _LEAST in (left, right):
        return (left != _LEAST) - (right != _LEAST)
    return compare(rule, left, right)


def _canonical(version: str) -> str:
    return canonicalize_version(version) if len(version) <= _LONGEST else version


_CANONICAL = Known(_canonical)


def _listed(kind: str, versions: str | None) -> frozenset[str]:
    """Return versions that are listed one by one; of PyPI in one spelling."""
    found = (versions or "").split()
    return frozenset(_CANONICAL[one] for one in found) if kind == "pypi" else frozenset(found)


def _judge(
    kind: str, version: str, ranges: Sequence[_Range], listed: frozenset[str]
) -> Verdict | None:
    own = _CANONICAL[version] if kind == "pypi" else version
    if own in listed:
        later = (_first_fixed(one, version) for one in ranges)
        return Verdict(is_affected=True, fixed_version=next(filter(None, later), None))
    is_known = bool(ranges or listed)
    for one in ranges:
        is_within = _is_within(one, version)
        if is_within:
            return Verdict(is_affected=True, fixed_version=_first_fixed(one, version))
        is_known &= is_within is not None
    return Verdict(is_affected=False) if is_known else None


def _is_within(one: _Range, version: str) -> bool | None:
    """Tell whether a version is in a range, as the specification's algorithm does."""
    limits = [_compared(one.rule, version, limit) for limit in one.limits]
    if None in limits:
        return None
    if limits and -1 not in limits:
        return False
    is_affected = False
    for what, at in one.events:
        order = _compared(one.rule, version, at)
        if order is None:
            return None
        if what == "introduced" and order >= 0:
            is_affected = True
        elif (what == "fixed" and order >= 0) or (what == "last_affected" and order > 0):
            is_affected = False
    return is_affected


def _first_fixed(one: _Range, version: str) -> str | None:
    fixed = (at for what, at in one.events if what == "fixed")
    return next((at for at in fixed if _compared(one.rule, version, at) == -1), None)
