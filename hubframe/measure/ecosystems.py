"""How advisories of OSV know a package: whose it is, of which release, by which names.

https://ossf.github.io/osv-schema/, "Defined ecosystems".
"""

import re
from contextlib import suppress
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from hubframe.oci.contents.packages import (
    OS_TYPES,
    normalised,
    qualifiers,
    read_url,
    whole_name,
)

# By the type of a package.
_OF_TYPES = {
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
# Of distributions, by the id in their os-release, what trivy calls them, or the namespace of a
# package's URL; and how many numbers of a version name a release, 0 where releases have no name.
_DISTRIBUTIONS = {
    **dict.fromkeys(("alma", "almalinux"), ("AlmaLinux", 1)),
    "alpaquita": ("Alpaquita", 1),
    "alpine": ("Alpine", 2),
    **dict.fromkeys(("azurelinux", "cbl-mariner", "mariner"), ("Azure Linux", 1)),
    "bellsoft-hardened-containers": ("BellSoft Hardened Containers", 1),
    "chainguard": ("Chainguard", 0),
    **dict.fromkeys(("cleanstart", "clnstrt"), ("CleanStart", 0)),
    "debian": ("Debian", 1),
    "echo": ("Echo", 0),
    "mageia": ("Mageia", 1),
    "minimos": ("MinimOS", 0),
    "opensuse-leap": ("openSUSE", 2),
    "opensuse-tumbleweed": ("openSUSE", 0),
    "photon": ("Photon OS", 2),
    **dict.fromkeys(("redhat", "rhel"), ("Red Hat", 1)),
    "rocky": ("Rocky Linux", 1),
    **dict.fromkeys(("sles", "suse linux enterprise server"), ("SUSE", 2)),
    "ubuntu": ("Ubuntu", 2),
    "wolfi": ("Wolfi", 0),
}
_OF_SYSTEMS = {name: count for name, count in _DISTRIBUTIONS.values() if count}
# What advisories call it, too.
_OTHER_NAMES = {"DHI": "Docker Hardened Images"}
# Whose advisories name source packages alone.
_BY_SOURCE = frozenset({"Alpaquita", "Alpine", "Debian", "Echo", "Ubuntu"})
# Where names are the same in any case.
_ANY_CASE = frozenset({"NuGet", "Packagist"})
# Of rpm, whose advisories write epochs; others leave them out.
_WITH_EPOCHS = frozenset({"AlmaLinux", "Red Hat", "Rocky Linux"})
# How OSV writes releases: what of it is a distribution's version, and what says that this is
# extended support.
_NUMBERS = r"(?P<version>\d+(?:\.\d+)*)"
_OTHERS = re.compile(_NUMBERS)
_RELEASES = {
    "Alpine": re.compile(rf"v{_NUMBERS}"),
    "Red Hat": re.compile(
        rf"(?:enterprise_linux|rhel_(?P<extended>aus|e4s|els|eus|tus)):{_NUMBERS}(?:::.*)?"
    ),
    "SUSE": re.compile(
        rf"(?:Linux Enterprise (?:Desktop|Server|Module for .+?) )?{_NUMBERS}"
        r"(?: SP(?P<pack>\d+))?(?P<extended>-LTSS.*)?"
    ),
    "Ubuntu": re.compile(rf"(?P<extended>Pro:)?{_NUMBERS}(?::LTS)?"),
    "openSUSE": re.compile(rf"(?:openSUSE )?(?:(?:Leap )?{_NUMBERS}|(?P<name>Tumbleweed))"),
}
_TUMBLEWEED = "Tumbleweed"
# Releases that package URLs may call by their codename alone.
_CODENAMES = {
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "noble": "24.04",
    "resolute": "26.04",
}
# What versions of Ubuntu Pro have, and grype adds to a distribution's version.
_EXTENDED = re.compile(r"(?:\+|%2B)(?:esm|eus)")
# As Go names its own releases, and what a program was built with: go1.23rc1 X:boringcrypto.
_GO_RELEASE = re.compile(
    r"(?:go)?(?P<numbers>\d+\.\d+)(?P<patch>\.\d+)?(?:(?P<stage>beta|rc)(?P<count>\d+))?(?: .*)?"
)
# No real name of a release is longer, nor any real URL.
_LONGEST, _LONGEST_URL = 128, 4096


class Asked(NamedTuple):
    """A package as advisories know it."""

    ecosystem: str
    # Each name, with the version that goes with it, the closest first.
    names: tuple[tuple[str, str], ...]
    # The distribution's, in numbers: what advisories name, and all that is told.
    release: str | None = None
    version: str | None = None
    has_epochs: bool = True
    # Whether it is of extended support, as far as it tells.
    is_extended: bool = False


class NotAsked(NamedTuple):
    """Why no advisory can be about a package: which column of it says so, and what it holds."""

    column: str
    ref: str
    message: str


class Release(NamedTuple):
    """What an advisory holds for: releases of a distribution, and who gets its updates."""

    name: str | None
    is_extended: bool = False
    # Whether a minor release is meant, and no other of the same major one.
    is_minor: bool = False

    def holds_for(self, asked: Asked) -> bool:
        """Whether it is the release that a package is of, for whoever it has support from."""
        of = asked.version if self.is_minor else asked.release
        return self.name is not None and self.name == of


def named(ecosystem: str, name: str) -> tuple[str, str]:
    """Return ecosystem and name in the one spelling that both sides are looked up by."""
    ecosystem = _OTHER_NAMES.get(ecosystem, ecosystem)
    return ecosystem, name.lower() if ecosystem in _ANY_CASE else name


def read_release(ecosystem: str, written: str | None) -> Release | None:
    """Read the release that an advisory is for; None where it is for all of its ecosystem."""
    count = _OF_SYSTEMS.get(ecosystem)
    if written is None or count is None:
        # Of what is no distribution it is the address of a repository.
        return None
    found = _RELEASES.get(ecosystem, _OTHERS).fullmatch(written[:_LONGEST])
    if found is None:
        return Release(None)
    told = found.groupdict()
    if told.get("name"):
        return Release(told["name"])
    version = ".".join(filter(None, (told["version"], told.get("pack"))))
    is_extended = bool(told.get("extended"))
    if ecosystem == "Red Hat" and is_extended and "." in version:
        return Release(version, is_extended=True, is_minor=True)
    return Release(_cut(version, count), is_extended)


def ask(package: tuple[Any, ...]) -> Asked | NotAsked:
    """Tell how advisories know a package, or why they do not.

    Parameters
    ----------
    package
        Its type, namespace, name, version, source package, that one's version, and URL.
    """
    kind, namespace, name, version, source, source_version, url = package
    if kind not in OS_TYPES:
        if kind not in _OF_TYPES:
            return NotAsked("type", kind, "no advisories are known for packages of this type")
        own = version and _as_compared(kind, version)
        whole = normalised(name) if kind == "pypi" else whole_name(kind, namespace, name)
        ecosystem, whole = named(_OF_TYPES[kind], whole)
        return Asked(ecosystem, ((whole, own),) if own else ())
    told, numbers = _distribution(url, namespace)
    if told is None or told not in _DISTRIBUTIONS:
        return NotAsked("distribution", told or kind, "no advisories are known for it")
    ecosystem, count = _DISTRIBUTIONS[told]
    release = _cut(numbers, count)
    if told == "opensuse-tumbleweed":
        release = _TUMBLEWEED
    # A source package of rpm's is told without its epoch.
    of_source = (source or name, (source_version if kind != "rpm" else None) or version)
    names = (of_source,) if ecosystem in _BY_SOURCE else ((name, version), of_source)
    kept = tuple(dict.fromkeys((one, at) for one, at in names if at))
    has_epochs = kind != "rpm" or ecosystem in _WITH_EPOCHS
    is_extended = _EXTENDED.search(f"{version} {url}") is not None
    return Asked(ecosystem, kept, release, numbers or None, has_epochs, is_extended)


def _as_compared(kind: str, version: str) -> str:
    """Write a version as advisories do: Go's own releases as semantic versions, no local builds."""
    if kind == "golang":
        if told := _GO_RELEASE.fullmatch(version):
            stage = f"-{told['stage']}.{told['count']}" if told["stage"] else ""
            return f"{told['numbers']}{told['patch'] or '.0'}{stage}"
        return version.removeprefix("go")
    if kind == "pypi" and "+" in version:
        # By PEP 440 a local version, 2.1.0+cpu, is a build of the public one.
        with suppress(InvalidVersion):
            return Version(version[:_LONGEST]).public
    return version


def release_of(url: str) -> str | None:
    """Return the release of a distribution that a package's URL names; None where it names none.

    Of a distribution that has no advisories it is whatever the URL says.
    """
    if (package := read_url(url)) is None:
        return None
    kind, name, version, namespace = package[:4]
    asked = ask((kind, namespace, name, version, None, None, url))
    return asked.release if isinstance(asked, Asked) else qualifiers(url).get("distro")


def _distribution(url: str | None, namespace: str | None) -> tuple[str | None, str]:
    """Return a distribution's id, and its version in numbers, by what a package's URL tells.

    Most write ``distro=debian-12.5``; trivy writes Alpine's version alone, the specification's
    examples have codenames, and Docker writes ``os_name`` and ``os_version``.
    """
    told = qualifiers((url or "")[:_LONGEST_URL])
    written = told.get("distro", "")
    of, _, version = (written, "", "") if written in _DISTRIBUTIONS else written.rpartition("-")
    version = version or told.get("os_version", "")
    numbers = _OTHERS.match(_CODENAMES.get(version, version))
    ids = [one for one in (of, told.get("os_name"), namespace) if one]
    known = next((one for one in ids if one in _DISTRIBUTIONS), next(iter(ids), None))
    return known, numbers["version"] if numbers else ""


def _cut(version: str, count: int) -> str | None:
    """Return so many numbers of a version; None where it has not as many."""
    numbers = version.split(".")[:count] if version else []
    return ".".join(numbers) if count and len(numbers) == count else None
