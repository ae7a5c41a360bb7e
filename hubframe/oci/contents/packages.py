"""A package, and its package URL (purl).

Written and split by hand: the columns of a frame need no more of the specification, and the library
`packageurl` takes several times as long for each of a hundred thousand.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

# Whose packages an operating system installs: their URL names the distribution.
OS_TYPES = frozenset({"apk", "deb", "rpm"})
# Whose names and namespaces are the same in any case, by the specification.
_LOWER = frozenset({"apk", "composer", "deb", "npm", "pypi"})
# The namespace of rpm is the vendor, and some distributions go by another name.
_VENDORS = {"rhel": "redhat", "opensuse": "opensuse"}
_SEPARATORS = re.compile(r"[-_.]+")
_URL = re.compile(
    r"pkg:/*(?P<type>[A-Za-z][A-Za-z0-9.+-]*)/(?P<path>[^@?#]+)"
    r"(?:@(?P<version>[^?#]*))?(?:\?(?P<qualifiers>[^#]*))?(?:#.*)?",
    re.DOTALL,
)
_SOURCE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+-[^-]+?)(?:\.(?:no)?src)?\.rpm", re.DOTALL)
_LONGEST = 4096


class Package(NamedTuple):
    """A package of an image, as its database or document tells of it; None where it does not."""

    type: str  # as package URLs name it: deb, apk, rpm, pypi, npm …
    name: str
    version: str | None = None  # whole: with epoch and release
    namespace: str | None = None  # the distribution, npm's scope without @, Maven's group …
    architecture: str | None = None  # of gems the platform
    source_name: str | None = None
    source_version: str | None = None
    licence: str | None = None
    installed_size: int | None = None  # [bytes]
    path: str | None = None  # of the database or document
    is_direct: bool | None = None


def normalised(name: str) -> str:
    """Return a name of PyPI as PyPI compares it."""
    return _SEPARATORS.sub("-", name).lower()


def write_url(package: Package, distribution: str | None = None) -> str:
    """Return a package's URL; `distribution` is ``ID-VERSION_ID``, for those of a system."""
    kind, name, version, namespace = package[:4]
    if kind == "npm" and namespace:
        namespace = f"@{namespace}"
    if kind in _LOWER:
        name, namespace = name.lower(), namespace and namespace.lower()
    if kind == "pypi":
        name = normalised(name)
    if kind == "rpm" and namespace:
        namespace = _VENDORS.get(namespace.partition("-")[0], namespace)
    qualifiers = {"platform" if kind == "gem" else "arch": package.architecture}
    if kind in OS_TYPES:
        qualifiers["distro"] = distribution
    if kind == "rpm" and version:
        # By the specification an epoch is no part of this version.
        epoch, colon, rest = version.partition(":")
        if colon:
            qualifiers["epoch"], version = epoch, rest
    if kind == "golang":
        # A module's name is a path, whose last part only is the name of a URL.
        namespace, _, name = "/".join(filter(None, (namespace, name))).rpartition("/")
    path = [_quoted(part) for part in (namespace or "").split("/") if part]
    url = "/".join((f"pkg:{kind}", *path, _quoted(name)))
    if version:
        url += f"@{_quoted(version)}"
    written = [f"{key}={_quoted(value)}" for key, value in sorted(qualifiers.items()) if value]
    return f"{url}?{'&'.join(written)}" if written else url


def read_url(written: str) -> Package | None:
    """Read a package URL; None where the text is none.

    The source is read of ``upstream``, as syft writes it.
    """
    found = _URL.fullmatch(written) if len(written) <= _LONGEST else None
    if found is None:
        return None
    kind = found["type"].lower()
    parts = [part for part in map(unquote, found["path"].split("/")) if part]
    if not parts:
        return None
    *namespace, name = parts
    version = unquote(found["version"] or "") or None
    told = _pairs(found["qualifiers"] or "")
    if kind == "rpm" and version and told.get("epoch"):
        version = f"{told['epoch']}:{version}"
    source, _, source_version = told.get("upstream", "").partition("@")
    if kind == "rpm" and source:
        source, source_version = source_package(source)
    return Package(
        kind,
        normalised(name) if kind == "pypi" else name,
        version,
        ("/".join(namespace).removeprefix("@") if kind == "npm" else "/".join(namespace)) or None,
        told.get("platform" if kind == "gem" else "arch"),
        source or None,
        source_version or None,
    )


def source_package(file: str) -> tuple[str, str]:
    """Return name and version of ``NAME-VERSION-RELEASE.src.rpm``."""
    found = _SOURCE.fullmatch(file)
    return (found["name"], found["version"]) if found else (file, "")


def qualifiers(url: str) -> Mapping[str, str]:
    """Return what a package URL tells beside the package, such as ``arch`` and ``distro``."""
    return _pairs(url.partition("?")[2].partition("#")[0])


def whole_name(kind: str, namespace: str | None, name: str) -> str:
    """Return a name as its ecosystem writes it: ``@babel/core``, ``org.slf4j:slf4j-api``."""
    if not namespace or kind in OS_TYPES:
        return name
    before = {"npm": f"@{namespace}/", "maven": f"{namespace}:", "composer": f"{namespace}/"}
    return before.get(kind, "") + name


def _pairs(written: str) -> Mapping[str, str]:
    pairs = (pair.partition("=") for pair in written.split("&"))
    return {key.lower(): unquote(value) for key, _, value in pairs if key and value}


def _quoted(text: str) -> str:
    """Quote as the specification does: colons stay, and text is UTF-8."""
    return quote(text, safe=":", errors="replace")
