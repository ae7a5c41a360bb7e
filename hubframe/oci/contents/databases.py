"""Databases of packages: where they are in an image, and what they say.

`PLACES` and `OTHER_PLACES` are the table of paths, and `READERS` has a reader for each kind. To add
a kind, add to both, and count `PATHS_VERSION` up. Databases are found at their own paths: links are
not followed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci import payload
from hubframe.oci.contents import sboms
from hubframe.oci.contents.packages import Package, normalised, source_package
from hubframe.oci.contents.rpm import read_rpm

# What of a layer is kept is kept under this number.
PATHS_VERSION = 5
_MIB = 1024**2
MOST_OF_FILE, MOST_OF_LAYER, MOST_OF_RPM = 16 * _MIB, 64 * _MIB, 256 * _MIB
MOST_PACKAGES = 200_000
# As Linux takes a path, and deeper than packages lie. [characters, folders]
_LONGEST_PATH, _DEEPEST = 4096, 128
# Longer names and versions are none, longer licences are the text of one. [characters]
_LONGEST = 512
# Where the system says what it is: what is of the image comes before what is of the distribution.
# Systems from before 2012 have no os-release; what derived ones have of their own comes first.
RELEASES = (
    *("etc/os-release", "usr/lib/os-release", "etc/lsb-release", "etc/oracle-release"),
    *("etc/centos-release", "etc/redhat-release", "etc/alpine-release", "etc/debian_version"),
)
_RPM = (("/var/lib/rpm", "rpm"), ("/usr/share/rpm", "rpm"), ("/usr/lib/sysimage/rpm", "rpm"))
# What is written into images of Azure Linux in place of a database: a line for each package.
RPM_LIST = "rpm list"
# Of other package managers, whose databases are not read: the folder of each, from the root.
OTHER_MANAGERS: Mapping[str, str] = {
    "var/lib/pacman/local": "pacman",
    "var/db/pkg": "Portage, or BSD's pkg",
    "var/db/xbps": "xbps",
    "var/lib/pkgtools/packages": "pkgtools",
    "var/lib/eopkg/package": "eopkg",
    "usr/share/clear/bundles": "swupd",
    "nix/store": "Nix",
    "gnu/store": "Guix",
    "home/linuxbrew/.linuxbrew/Cellar": "Homebrew",
    "var/lib/flatpak/app": "Flatpak",
    "var/lib/snapd/snaps": "snap",
}
# How files are named that are bills of materials: as syft and trivy look for them.
SBOM = "sbom"
# A program of npm that is no part of another.
APPLICATION = "application"
_BILLS = (".spdx", ".spdx.json", ".cdx", ".cdx.json", ".sbom", ".sbom.json", ".syft.json")
# The name of a file; how its folder ends, and the kind that it then is of.
PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "status": (("/lib/dpkg", "deb"), ("/lib/opkg", "opkg")),
    "installed": (("/lib/apk/db", "apk"),),
    **dict.fromkeys(("Packages", "Packages.db", "rpmdb.sqlite"), _RPM),
    "container-manifest-2": (("/var/lib/rpmmanifest", RPM_LIST),),
    "METADATA": ((".dist-info", "pypi"),),
    "REQUESTED": ((".dist-info", "requested"),),
    "PKG-INFO": ((".egg-info", "pypi"), ("/EGG-INFO", "pypi")),
    "package.json": (("", "npm"), ("", APPLICATION)),
    "DESCRIPTION": (("", "cran"),),
    "installed.json": (("/composer", "composer"),),
    "os-release": (("/etc", "release"), ("/usr/lib", "release")),
    **{path.removeprefix("etc/"): (("/etc", "release"),) for path in RELEASES[2:]},
}
# The same for files of other names: how the name ends, how the folder, and the kind.
OTHER_PLACES = (
    ("", "/lib/dpkg/status.d", "deb"),
    ("", "/usr/lib/os.release.d", "release"),
    (".json", "/conda-meta", "conda"),
    (".egg-info", "", "pypi"),
    (".gemspec", "", "gem"),
    (".deps.json", "", "nuget"),
    *((ending, "", SBOM) for ending in _BILLS),
)
# Most files are of no kind, which is to be told fast.
_ENDINGS = tuple(ending for ending, _, _ in OTHER_PLACES if ending)
_FOLDERS = tuple(folder for ending, folder, _ in OTHER_PLACES if not ending)
KINDS = frozenset(rule[-1] for rules in (*PLACES.values(), OTHER_PLACES) for rule in rules)
# A folder that files of a kind are in, at any depth.
_WITHIN = {"npm": "/node_modules/", "gem": "/specifications/"}
# Kinds of which all that is below one root is of one system.
SYSTEMS = frozenset({"deb", "opkg", "apk", "rpm", RPM_LIST})
# The words of ``Status`` with which files of a package are there, or some of them.
_THERE = frozenset(
    {"installed", "unpacked", "half-configured", "half-installed"}
    | {"triggers-awaited", "triggers-pending"}
)
_OF_DEB = frozenset(
    {"Package", "Version", "Status", "Architecture", "Source", "License", "Installed-Size"}
)
_OF_APK = frozenset("PVALoI")
_OF_PYPI = frozenset({"Name", "Version", "License", "License-Expression"})
_OF_CRAN = frozenset({"Package", "Version", "License", "Built", "Priority"})
# Of Ruby: what is assigned to a field in one line, words in quotes, and a line made to be read.
_RUBY_FIELD = re.compile(
    r"^[ \t]*\w{1,64}\.(name|version|platform|licenses?)[ \t]*=[ \t]*(.{0,4096})", re.MULTILINE
)
_RUBY_WORD = re.compile(r"""["']([^"']*)["']|%[qQ]?[\[({<|]([^\])}>|]*)[\])}>|]""")
_RUBY_STUB = re.compile(r"^# stub: (?P<name>\S+) (?P<version>\S+) (?P<platform>\S+)", re.MULTILINE)
_RUBY_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_MOST_FIELDS = 1_000
# Of .NET: libraries that lie beside a program, and what tells that they do.
_DOTNET_KINDS = frozenset({"package", "project", "runtimepack"})
_DOTNET_FILES = ("runtime", "runtimeTargets", "native")
# How rpm writes what is not there.
_FIELDS_OF_RPM, _NONE_OF_RPM = 10, "(none)"
_SOURCE = re.compile(r"(\S+)(?:\s+\(([^)]*)\))?.*", re.DOTALL)
_DIGITS = re.compile(r"[0-9]{1,18}")


class Place(NamedTuple):
    """What a path is by the table.

    Packages of one `group` are those of one system, or of one file where each has its own.
    """

    kind: str
    group: str


def find_place(path: str) -> Place | None:
    """Tell what the table says of a path from the image's root; None for what is not kept."""
    folder, _, name = path.rpartition("/")
    where, rules = f"/{folder}", PLACES.get(name)
    if rules is None:
        if not name.endswith(_ENDINGS) and not where.endswith(_FOLDERS):
            return None
        rules = tuple(rule[1:] for rule in OTHER_PLACES if name.endswith(rule[0]))
    for ending, kind in rules:
        if where.endswith(ending) and _is_sound(path, kind):
            return Place(kind, _root(where, ending) if kind in SYSTEMS else path)
    return None


def _is_sound(path: str, kind: str) -> bool:
    if kind in _WITHIN and _WITHIN[kind] not in f"/{path}":
        return False
    is_odd = len(path) > _LONGEST_PATH or path.count("/") > _DEEPEST
    # Nothing is written above the root; and Debian's checksums lie among the packages.
    return not (is_odd or path.endswith(".md5sums") or (".." in path and ".." in path.split("/")))


def _root(folder: str, ending: str) -> str:
    """Return the folder that is the root to a system: empty for that of the image."""
    root = folder.removesuffix(ending)
    above, _, last = root.rpartition("/")
    return above if last in ("var", "usr") else root


def is_kept(path: str, size: int) -> bool:
    """Tell whether the content of a file is to be kept, by its path and size."""
    place = find_place(path)
    return place is not None and _fits(place, size)


def _fits(place: Place, size: int) -> bool:
    return size <= (MOST_OF_RPM if place.kind == "rpm" else MOST_OF_FILE)


def keeping() -> Callable[[str, int], bool]:
    """Return an `is_kept` for the files of one layer, of which it keeps no more than is allowed."""
    # However many packages of npm and such there are, the system's own have room.
    left = {True: MOST_OF_RPM, False: MOST_OF_LAYER}

    def keep(path: str, size: int) -> bool:
        place = find_place(path)
        if place is None or not _fits(place, size):
            return False
        is_of_system = place.kind in (*SYSTEMS, "release")
        if size > left[is_of_system]:
            return False
        left[is_of_system] -= size
        return True

    return keep


def read_packages(path: str, body: bytes) -> list[Package]:
    """Read the packages of a database; PayloadError where it is none.

    A package without a name or version is none, and neither hides the others.
    """
    place = find_place(path)
    read = READERS.get(place.kind) if place else None
    packages = sound(distinct(read(body)) if read else ())
    return [package._replace(path=path) for package in packages]


def distinct(packages: Iterable[Package]) -> Iterator[Package]:
    """Yield packages of one file, each once: the first of those of one name and version."""
    seen = set()
    for one in packages:
        if one[:5] not in seen:
            seen.add(one[:5])
            yield one


def sound(packages: Iterable[Package]) -> list[Package]:
    """Return the packages that are some; PayloadError for too many.

    A version may be null, where its ecosystem has packages without one; it is never empty.
    """
    found = [
        package
        for package in islice(packages, MOST_PACKAGES + 1)
        if 0 < len(package.name) <= _LONGEST
        and (package.version is None or 0 < len(package.version) <= _LONGEST)
    ]
    if len(found) > MOST_PACKAGES:
        raise PayloadError(f"more than {MOST_PACKAGES:,} packages; not read")
    return found


def _text(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return text.replace("\r\n", "\n") if "\r" in text else text


def _stanzas(body: bytes, wanted: frozenset[str]) -> Iterator[dict[str, str]]:
    """Yield the fields of each stanza, by their first lines; what is written twice counts once."""
    for stanza in _text(body).split("\n\n"):
        fields: dict[str, str] = {}
        for line in stanza.split("\n"):
            # A line that goes on begins with a blank, and so is none of those.
            key, _, value = line.partition(":")
            if key in wanted and key not in fields:
                fields[key] = value.strip()
        yield fields


def _number(written: str | None) -> int | None:
    return int(written) if written and _DIGITS.fullmatch(written) else None


def _licence(written: object) -> str | None:
    """Return a licence that is told in a word or line."""
    text = _clean(written)
    return (
        text if text and len(text) <= _LONGEST and text not in ("UNKNOWN", "NOASSERTION") else None
    )


def _clean(value: object) -> str:
    """Return text without halves of characters, which JSON may spell; none for what is no text."""
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def read_deb(body: bytes, unit: int = 1024) -> Iterator[Package]:
    """Read ``status`` of dpkg or opkg, or a file of ``status.d``; sizes are in units of bytes."""
    for fields in _stanzas(body, _OF_DEB):
        name, version = fields.get("Package", ""), fields.get("Version", "")
        state = fields.get("Status")
        if not name or (state is not None and state.rpartition(" ")[2] not in _THERE):
            continue
        # A source that is not told is of the same name and version.
        source = _SOURCE.fullmatch(fields.get("Source") or name)
        size = _number(fields.get("Installed-Size"))
        yield Package(
            "deb",
            name,
            version,
            architecture=fields.get("Architecture") or None,
            source_name=source[1] if source else name,
            source_version=(source and source[2]) or version,
            licence=_licence(fields.get("License")),
            installed_size=None if size is None else size * unit,
        )


def read_opkg(body: bytes) -> Iterator[Package]:
    """Read ``status`` of opkg, whose sizes are in bytes."""
    return read_deb(body, 1)


def read_apk(body: bytes) -> Iterator[Package]:
    """Read ``installed`` of apk."""
    for fields in _stanzas(body, _OF_APK):
        name, version = fields.get("P", ""), fields.get("V", "")
        yield Package(
            "apk",
            name,
            version,
            architecture=fields.get("A") or None,
            source_name=fields.get("o") or name,
            source_version=version,
            licence=_licence(fields.get("L")),
            installed_size=_number(fields.get("I")),
        )


def read_rpm_list(body: bytes) -> Iterator[Package]:
    """Read ``container-manifest-2``: of each package a line of ten fields."""
    for line in _text(body).split("\n"):
        fields = line.split("\t")
        if len(fields) < _FIELDS_OF_RPM:
            continue
        name, version, _, _, _, has_epoch, size, architecture, epoch, source = fields[:10]
        source_name, source_version = source_package(source)
        yield Package(
            "rpm",
            name,
            version if has_epoch == _NONE_OF_RPM else f"{epoch}:{version}",
            architecture=None if architecture == _NONE_OF_RPM else architecture or None,
            source_name=None if source == _NONE_OF_RPM else source_name or None,
            source_version=source_version or None,
            installed_size=_number(size),
        )


def read_pypi(body: bytes) -> Iterator[Package]:
    """Read the metadata of a Python distribution."""
    fields = next(_stanzas(body, _OF_PYPI))
    licence = _licence(fields.get("License-Expression")) or _licence(fields.get("License"))
    yield Package(
        "pypi", normalised(fields.get("Name", "")), fields.get("Version", ""), licence=licence
    )


def read_npm(body: bytes) -> Iterator[Package]:
    """Read ``package.json``."""
    document = payload.parse(body, "package.json")
    scope, _, name = _clean(document.get("name")).rpartition("/")
    licence = document.get("license")
    if isinstance(licence, dict):
        licence = licence.get("type")
    yield Package(
        "npm",
        name,
        _clean(document.get("version")),
        scope.removeprefix("@") or None,
        licence=_licence(licence),
    )


def read_conda(body: bytes) -> Iterator[Package]:
    """Read a file of ``conda-meta``; its size is that of what was downloaded."""
    document = payload.parse(body, "a package of conda")
    yield Package(
        "conda",
        _clean(document.get("name")),
        _clean(document.get("version")),
        architecture=_clean(document.get("subdir")) or None,
        licence=_licence(document.get("license")),
    )


def read_cran(body: bytes) -> Iterator[Package]:
    """Read ``DESCRIPTION`` of an R package; what was not built is not installed.

    R's own translations are, and nothing of them is built.
    """
    fields = next(_stanzas(body, _OF_CRAN))
    if "Built" in fields or fields.get("Priority") == "base":
        yield Package(
            "cran",
            fields.get("Package", ""),
            fields.get("Version", ""),
            licence=_licence(fields.get("License")),
        )


def read_gem(body: bytes) -> Iterator[Package]:
    """Read a specification of a gem, which is a program of Ruby: nothing of it is run.

    Words that are assigned as they are count, and else the line that RubyGems writes to be read.
    """
    text = _text(body)
    stub = _RUBY_STUB.search(text)
    told = stub.groupdict() if stub else {}
    assigned: dict[str, str] = {}
    for field, value in islice(map(re.Match.groups, _RUBY_FIELD.finditer(text)), _MOST_FIELDS):
        assigned.setdefault(field, value)
    for field, value in assigned.items():
        words = _ruby_words(value)
        # Of a list each word counts; what is no word is worked out by the program.
        if words and (field == "licenses" or value.startswith(("'", '"', "%"))):
            told[field] = ", ".join(words) if field == "licenses" else words[0]
    platform = told.get("platform")
    yield Package(
        "gem",
        told.get("name", ""),
        told.get("version", ""),
        architecture=None if platform == "ruby" else platform,
        licence=_licence(told.get("licenses", told.get("license"))),
    )


def _ruby_words(written: str) -> list[str]:
    """Return the words in quotes, of whose escapes those of Unicode are read."""
    found = (one[1] or one[2] or "" for one in _RUBY_WORD.finditer(written))
    plain = (_RUBY_ESCAPE.sub(lambda code: chr(int(code[1], 16)), one) for one in found)
    # What is in braces is worked out by the program.
    return [clean for one in plain if "#{" not in one and (clean := _clean(one))]


def read_composer(body: bytes) -> Iterator[Package]:
    """Read ``installed.json`` of Composer, which is a list before Composer 2."""

    def read() -> Any:
        document = payload.parsed(body)
        return {"packages": document} if isinstance(document, list) else document

    document = payload.an_object(read, "installed.json")
    for one in payload.items(document.get("packages")):
        vendor, _, name = _clean(one.get("name")).rpartition("/")
        told = one.get("license")
        # Of several, whoever uses it may choose one.
        licences = payload.texts(told) if isinstance(told, list) else [told]
        yield Package(
            "composer",
            name,
            _clean(one.get("version")),
            vendor or None,
            licence=_licence(" OR ".join(map(_clean, licences))),
        )


def read_nuget(body: bytes) -> Iterator[Package]:
    """Read ``*.deps.json`` of a program of .NET: the libraries of which files are there."""
    document = payload.parse(body, "deps.json")
    target = payload.mapping(document.get("runtimeTarget")).get("name")
    there = payload.mapping(document.get("targets"))
    built = payload.mapping(there.get(target)) if isinstance(target, str) else {}
    for key, library in payload.mapping(document.get("libraries")).items():
        kind = _clean(payload.mapping(library).get("type")).lower()
        files = payload.mapping(built.get(key))
        has_none = key in built and not any(files.get(one) for one in _DOTNET_FILES)
        if kind in _DOTNET_KINDS and not has_none:
            name, _, version = _clean(key).partition("/")
            yield Package("nuget", name.removeprefix("runtimepack."), version)


def read_bill(body: bytes) -> sboms.Sbom:
    """Read a bill of materials that is a file of an image, and may be about a part of it."""
    what = "the document"
    return sboms.read(sboms.document(body, what), what, with_root=True)


def listed(bill: sboms.Sbom) -> Iterator[Package]:
    """Yield the packages that a bill of materials lists, each once."""
    yield from distinct(one.package for one in bill.packages())


def read_listed(body: bytes) -> Iterator[Package]:
    """Read the packages of a bill of materials."""
    return listed(read_bill(body))


READERS: Mapping[str, Callable[[bytes], Iterator[Package]]] = {
    "deb": read_deb,
    "opkg": read_opkg,
    "apk": read_apk,
    "rpm": read_rpm,
    RPM_LIST: read_rpm_list,
    "pypi": read_pypi,
    "npm": read_npm,
    APPLICATION: read_npm,
    "conda": read_conda,
    "cran": read_cran,
    "gem": read_gem,
    "composer": read_composer,
    "nuget": read_nuget,
    SBOM: read_listed,
}
