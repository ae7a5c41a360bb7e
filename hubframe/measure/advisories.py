"""Which advisories hold for a package, as OSV tells: ecosystems, releases, ranges of versions.

https://ossf.github.io/osv-schema/, "Evaluation", and the list of ecosystems there.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cmp_to_key, partial
from typing import Any, NamedTuple

import pandas as pd
from packaging.utils import canonicalize_version

from hubframe.measure.images import plain_rows
from hubframe.oci.contents.packages import OS_TYPES
from hubframe.oci.contents.versions import compare
from hubframe.oci.payload import Known, items, parsed, text

# The ecosystems of OSV by the type of a package.
_ECOSYSTEMS = {
    "bitnami": "Bitnami",
    "cargo": "crates.io",
    "composer": "Packagist",
    "cran": "CRAN",
    "dhi": "Docker Hardened Images",
    "gem": "RubyGems",
    "golang": "Go",
    "hex": "Hex",
    "maven": "Maven",
    "npm": "npm",
    "nuget": "NuGet",
    "pub": "Pub",
    "pypi": "PyPI",
}
# Of distributions, by the id in their os-release, or the namespace of a package's URL; and how many
# numbers of a version name a release, 0 where releases have no name.
_DISTRIBUTIONS = {
    "almalinux": ("AlmaLinux", 1),
    "alpine": ("Alpine", 2),
    "azurelinux": ("Azure Linux", 1),
    "chainguard": ("Chainguard", 0),
    "debian": ("Debian", 1),
    "mageia": ("Mageia", 1),
    "opensuse-leap": ("openSUSE", 2),
    "opensuse-tumbleweed": ("openSUSE", 0),
    "photon": ("Photon OS", 2),
    "redhat": ("Red Hat", 1),
    "rhel": ("Red Hat", 1),
    "rocky": ("Rocky Linux", 1),
    "ubuntu": ("Ubuntu", 2),
    "wolfi": ("Wolfi", 0),
}
_OF_SYSTEMS = frozenset(name for name, _ in _DISTRIBUTIONS.values())
# What advisories call it.
_OTHER_NAMES = {"DHI": "Docker Hardened Images"}
# Whose advisories name source packages alone.
_BY_SOURCE = frozenset({"Alpine", "Debian", "Ubuntu"})
# How OSV writes releases, and what of it is a distribution's version.
_RELEASES = {
    "Alpine": re.compile(r"v(.+)"),
    "Red Hat": re.compile(r"enterprise_linux:(\d+)(?:::.*)?"),
    "Ubuntu": re.compile(r"(\d+\.\d+)(?::LTS)?"),
    "openSUSE": re.compile(r"(?:openSUSE )?(?:Leap )?(.+)"),
}
_NUMBERS = re.compile(r"\d+")
_DISTRO = re.compile(r"[?&]distro=(?P<id>[^&#]+?)(?:-(?P<version>\d[^&#-]*))?(?=[&#]|$)")
# As Go names its own releases.
_GO_RELEASE = re.compile(r"go(?=\d)")
_LEAST, _ALL = "0", "*"
# No real version is longer, nor any real URL.
_LONGEST, _LONGEST_URL = 128, 4096
_ORDER = {"introduced": 0, "fixed": 1, "last_affected": 2}
_Unknown = dict[tuple[str, str], str]


class Verdict(NamedTuple):
    """Whether a version is affected, and the first one above that is not."""

    is_affected: bool
    fixed_version: str | None = None


class _Asked(NamedTuple):
    """A package as advisories know it."""

    ecosystem: str
    release: str | None
    # Each name, with the version that goes with it.
    names: tuple[tuple[str, str], ...]


class _Range(NamedTuple):
    """A range of versions: its events in order, and where it ends in any case."""

    rule: str
    events: Sequence[tuple[str, str]]
    limits: Sequence[str]


class _Entry:
    """What an advisory says of a package; its ranges are read when it is first asked."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        place: int,
        release: str | None,
        version: str | None,
        id_: str,
        ranges: str | None,
        versions: str | None,
    ) -> None:
        self.place, self.release, self.id = place, release, id_
        self._version, self._ranges, self._versions = version, ranges, versions
        self._read: dict[str, tuple[list[_Range], frozenset[str]]] = {}

    def is_for(self, release: str | None) -> bool:
        """Whether it holds for a release of a distribution, as one for all of them does."""
        return self.release is None or (self._version is not None and self._version == release)

    def read(self, kind: str) -> tuple[list[_Range], frozenset[str]]:
        """Return its ranges, and the versions that it lists."""
        if kind not in self._read:
            self._read[kind] = _parse(kind, self._ranges), _listed(kind, self._versions)
        return self._read[kind]


def whole_name(kind: str, namespace: str | None, name: str) -> str:
    """Return a name as its ecosystem writes it: ``@babel/core``, ``org.slf4j:slf4j-api``."""
    if not namespace or kind in OS_TYPES:
        return name
    before = {"npm": f"@{namespace}/", "maven": f"{namespace}:", "composer": f"{namespace}/"}
    return before.get(kind, "") + name


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
            written, name, told_release, *told, withdrawn_at = row
            if withdrawn_at is None:
                ecosystem = _OTHER_NAMES.get(written, written)
                # Of others it is the address of a repository.
                release = told_release if ecosystem in _OF_SYSTEMS else None
                at = release and _version_of(ecosystem, release)
                self._by[ecosystem, name].append(_Entry(place, release, at, *told))
        self._ecosystems = {ecosystem for ecosystem, _ in self._by}

    def matches(
        self, package: tuple[Any, ...], unknown: _Unknown
    ) -> Iterator[tuple[int, str | None]]:
        """Yield the places of advisories that hold for a package, and the first version without.

        Parameters
        ----------
        package
            Its type, namespace, name, version, source package, that one's version, and URL.
        unknown
            What could not be told is written down here, with the reason.
        """
        kind = package[0]
        asked = _asked(package)
        if isinstance(asked, str):
            unknown["type", kind] = asked
            return
        if asked.ecosystem not in self._ecosystems:
            unknown["ecosystem", asked.ecosystem] = "no advisory is about it"
            return
        if not asked.names:
            unknown["version", package[2]] = "none is told"
        done: set[int] = set()
        for name, version in asked.names:
            for one in self._by.get((asked.ecosystem, name), ()):
                if one.place in done or not one.is_for(asked.release):
                    if one.release and asked.release is None:
                        unknown["release", name] = "nothing tells of which release it is"
                    continue
                verdict = _judge(kind, version, *one.read(kind))
                if verdict is None:
                    unknown["version", f"{name} {version}"] = f"{one.id}: it cannot be compared"
                elif verdict.is_affected:
                    done.add(one.place)
                    yield one.place, verdict.fixed_version


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


def _asked(package: tuple[Any, ...]) -> _Asked | str:
    """Tell how advisories know a package, or why they do not."""
    kind, namespace, name, version, source, source_version, url = package
    if kind not in OS_TYPES:
        if kind not in _ECOSYSTEMS:
            return "no advisories are known for packages of this type"
        own = _GO_RELEASE.sub("", version or "", count=1) if kind == "golang" else version
        asked = _Asked(_ECOSYSTEMS[kind], None, ((whole_name(kind, namespace, name), own),))
        return asked if own else asked._replace(names=())
    told = _DISTRO.search((url or "")[:_LONGEST_URL])
    of = next((one for one in (told and told["id"], namespace) if one in _DISTRIBUTIONS), None)
    if of is None:
        return f"no advisories are known for the distribution {(told and told['id']) or namespace}"
    ecosystem, count = _DISTRIBUTIONS[of]
    numbers = _NUMBERS.findall((told and told["version"]) or "")[:count]
    release = ".".join(numbers) if len(numbers) == count and count else None
    if of == "opensuse-tumbleweed":
        release = "Tumbleweed"
    # A source package of rpm's is told without its epoch.
    of_source = (source or name, (source_version if kind != "rpm" else None) or version)
    names = (of_source,) if ecosystem in _BY_SOURCE else ((name, version), of_source)
    return _Asked(ecosystem, release, tuple((one, at) for one, at in names if at))


def _version_of(ecosystem: str, release: str) -> str | None:
    """Return the distribution's version that a release is of; None where it is of none."""
    if (form := _RELEASES.get(ecosystem)) is None:
        return release
    found = form.fullmatch(release)
    return found[1] if found else None


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
    is_known = True
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
