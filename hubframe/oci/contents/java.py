"""Which libraries archives of Java hold: jar, war and ear, and those within them.

A library says what it is in the ``pom.properties`` that Maven writes; many lie in one archive where
libraries were merged into it. Of an archive without its own the manifest and the file's name tell,
as `syft` reads them. Nothing is unpacked but these, and archives within archives.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.contents.packages import Package
from hubframe.oci.contents.zips import Entry, Zip

ENDINGS = (".jar", ".war", ".ear")
# How a path goes on within an archive, as in Java's own addresses.
WITHIN = "!/"
_MANIFEST, _POM = "META-INF/MANIFEST.MF", "pom.properties"
_MIB = 1024**2
# All that one file leads to: entries, of which few tell something, and what these unpack to.
_MOST_ENTRIES, _MOST_TELLING, _MOST_UNPACKED = 1_000_000, 20_000, 1024 * _MIB
# A manifest may go on for long, with a signature for each file; its first part tells. [bytes]
_MOST_TEXT = 65_536
# What is in memory together: the file, and archives in it that are packed. [bytes]
_MOST_HELD = 320 * _MIB
_DEEPEST, _MOST_FAILURES = 3, 10
# Longer names, versions and licences are none; nor are files with longer paths libraries.
_LONGEST, _LONGEST_PATH = 512, 1024
# As they tell of a version, the best first.
_VERSIONS = "Implementation-Version", "Specification-Version", "Plugin-Version", "Bundle-Version"
_GROUP = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)+")
_BEGINS_VERSION = re.compile(r"\d|build\d|rc?\d+$", re.IGNORECASE)
_OTHERWISE = re.compile(r"(.+?)[._](\d.*)", re.DOTALL)


class Pom(NamedTuple):
    """What a library says that it is."""

    group: str | None
    artifact: str
    version: str


class _Parts(NamedTuple):
    """The entries of an archive that tell something."""

    manifest: Entry | None
    poms: list[Entry]
    archives: dict[str, Entry]


class _CapError(PayloadError):
    """A file leads to more than is read."""


class Reader:
    """Reads one file, and counts what that takes; `failures` tell what could not be read of it."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._entries = self._unpacked = self._telling = 0

    def read(self, body: bytes, name: str) -> Iterator[Package]:
        """Yield the libraries of an archive by its name; their paths are what follows its own."""
        try:
            yield from self._read(Zip(body, 0, len(body)), name, "", 0, _MOST_HELD - len(body))
        except _CapError as fault:
            self.failures.append(str(fault))

    def _read(self, archive: Zip, name: str, path: str, depth: int, room: int) -> Iterator[Package]:
        parts = self._parts(archive)
        poms: dict[str, Pom] = {}
        for entry in parts.poms:
            pom = read_pom(self._text(archive, entry))
            if pom is not None:
                poms[entry.name] = pom
        manifest = read_manifest(self._text(archive, parts.manifest)) if parts.manifest else {}
        own = _own(name, poms)
        if own is None:
            told = _of_manifest(name, manifest)
            if told is not None:
                yield told._replace(path=path)
        for place, (group, artifact, version) in sorted(poms.items()):
            at = path if place == own else f"{path}{WITHIN}{place}"
            licence = manifest.get("Bundle-License") if place == own else None
            yield Package("maven", artifact, version, group, licence=licence, path=at)
        for entry in parts.archives.values():
            at = f"{path}{WITHIN}{entry.name}"
            try:
                yield from self._read_within(archive, entry, at, depth + 1, room)
            except _CapError:
                raise
            except PayloadError as fault:
                if len(self.failures) < _MOST_FAILURES:
                    self.failures.append(f"{at.removeprefix(WITHIN)}: {fault}")

    def _read_within(
        self, archive: Zip, entry: Entry, path: str, depth: int, room: int
    ) -> Iterator[Package]:
        if depth > _DEEPEST:
            raise PayloadError(f"an archive more than {_DEEPEST} deep in others; not read")
        name = entry.name.rpartition("/")[2]
        if not entry.is_packed:
            # It is read where it lies.
            within = Zip(archive.body, *archive.span(entry))
        # While it is unpacked it is there twice.
        elif entry.size > room // 2:
            raise PayloadError(f"it unpacks to {entry.size:,} bytes; not read")
        else:
            unpacked = self._unpack(archive, entry, entry.size)
            within, room = Zip(unpacked, 0, len(unpacked)), room - len(unpacked)
        yield from self._read(within, name, path, depth, room)

    def _parts(self, archive: Zip) -> _Parts:
        found = _Parts(None, [], {})
        for entry in archive.entries():
            self._count("_entries", 1, _MOST_ENTRIES, "entries")
            if len(entry.name) > _LONGEST_PATH:
                continue
            if entry.name == _MANIFEST:
                found = found._replace(manifest=entry)
            elif entry.name.rpartition("/")[2] == _POM:
                found.poms.append(entry)
            elif is_archive(entry.name):
                found.archives[entry.name] = entry
            else:
                continue
            self._count("_telling", 1, _MOST_TELLING, "libraries")
        return found

    def _text(self, archive: Zip, entry: Entry) -> str:
        return self._unpack(archive, entry, _MOST_TEXT).decode("utf-8", "replace")

    def _unpack(self, archive: Zip, entry: Entry, most: int) -> bytes:
        found = archive.read(entry, most)
        self._count("_unpacked", len(found), _MOST_UNPACKED, "bytes")
        return found

    def _count(self, name: str, more: int, most: int, what: str) -> None:
        count = getattr(self, name) + more
        setattr(self, name, count)
        if count > most:
            raise _CapError(f"more than {most:,} {what} in an archive of Java; not read further")


def is_archive(name: str) -> bool:
    """Tell whether a file's name is that of an archive of Java."""
    return name.lower().endswith(ENDINGS)


def read_pom(text: str) -> Pom | None:
    """Read ``pom.properties``; None without an artifact and version."""
    told: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        told[key.strip()] = value.strip()
    group, artifact, version = (told.get(key, "") for key in ("groupId", "artifactId", "version"))
    is_odd = not artifact or not version or max(map(len, (group, artifact, version))) > _LONGEST
    return None if is_odd else Pom(group or None, artifact, version)


def read_manifest(text: str) -> dict[str, str]:
    """Read the main section of ``MANIFEST.MF``, whose long lines go on behind a blank."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").partition("\n\n")[0]
    told: dict[str, str] = {}
    for line in lines.replace("\n ", "").split("\n"):
        key, colon, value = line.partition(":")
        value = value.strip()
        # What begins so stands for something that was to be filled in.
        is_told = 0 < len(value) <= _LONGEST and not value.startswith(("%", "${"))
        if colon and is_told:
            told.setdefault(key.strip(), value)
    return told


def read_name(name: str) -> tuple[str, str | None]:
    """Split the name of a file, as ``commons-io-2.11.0.jar``, into those of library and version."""
    parts = name.rpartition(".")[0].split("-")
    for place, part in enumerate(parts[1:], 1):
        if _BEGINS_VERSION.match(part):
            return "-".join(parts[:place]), "-".join(parts[place:])
    whole = "-".join(parts)
    other = _OTHERWISE.fullmatch(whole)
    return (other[1], other[2]) if other else (whole, None)


def _own(name: str, poms: dict[str, Pom]) -> str | None:
    """Return which of the libraries the archive itself is: the one that its name is alike."""
    file, _ = read_name(name)
    artifacts = {pom.artifact for pom in poms.values()}
    for place, pom in sorted(poms.items()):
        is_alike = pom.artifact.startswith(file) or file.endswith(pom.artifact)
        if pom.artifact == file if file in artifacts else file and is_alike:
            return place
    return None


def _of_manifest(name: str, manifest: dict[str, str]) -> Package | None:
    file, version = read_name(name)
    version = version or next((manifest[key] for key in _VERSIONS if key in manifest), None)
    group = manifest.get("Implementation-Vendor-Id", "")
    if not file or version is None:
        return None
    namespace = group if _GROUP.fullmatch(group) else None
    return Package("maven", file, version, namespace, licence=manifest.get("Bundle-License"))
