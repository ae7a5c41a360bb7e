"""From layers to the image: which packages its final file system holds, and since which layer.

`read_layer` reads one layer, once for all images that have it; `merge` lays layers upon each other
as `filesystem` does.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import compress
from posixpath import dirname, join, normpath
from types import MappingProxyType
from typing import Any, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.archives import Listing, cleaned
from hubframe.oci.contents.binaries import read_binary
from hubframe.oci.contents.databases import (
    OTHER_MANAGERS,
    RELEASES,
    SBOM,
    SYSTEMS,
    Place,
    find_place,
    listed,
    read_bill,
    read_packages,
    sound,
)
from hubframe.oci.contents.distributions import Distribution, read_distribution
from hubframe.oci.contents.filesystem import Changes, changes_of, folders_above, folders_of
from hubframe.oci.contents.packages import OS_TYPES, Package

# What makes two packages the same: type, name, version, namespace and architecture.
Same = tuple[str, str, str | None, str | None, str | None]
_MOST_LINKS = 40
# What makes a package the same that a document and a database tell of.
_Told = tuple[str, str | None, str, str | None]
_NONE: Mapping[str, bytes] = MappingProxyType({})
_MANAGER, _LOG = "other manager", "log"
_END_OF_LOG = "-wal"
_OF_LOG = f"/rpmdb.sqlite{_END_OF_LOG}"
_HARD_LINK = "hard link"
_FILES = frozenset({"file", _HARD_LINK})
_NOT_KEPT = "not kept: too large, with holes, or a link to what is not kept"
_WITH_LOG = "what a log beside it (-wal) holds is not read"


class Document(NamedTuple):
    """A bill of materials that is a file of a layer, and what it says of itself if it was read."""

    digest: str
    size: int
    about: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class File:
    """A file of the table of paths, as a layer has it."""

    place: Place
    packages: tuple[Package, ...] = ()
    distribution: Distribution | None = None
    link: str | None = None
    document: Document | None = None


@dataclass(frozen=True)
class Layer:
    """What a layer does to the packages of the layers below it."""

    files: dict[str, File] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()  # that its files are in
    changes: Changes = field(default_factory=Changes)
    failures: tuple[tuple[str, str], ...] = ()  # what could not be read: path, and why
    left_out: tuple[tuple[str, str], ...] = ()  # and of files that no system is told by


class Found(NamedTuple):
    """A package of an image, and the lowest layer since which it is there without a break."""

    package: Package
    position: int


@dataclass(frozen=True)
class Contents:
    """What the final file system of an image holds; positions count from 0, the lowest layer."""

    packages: list[Found]
    distribution: Distribution | None
    distribution_position: int | None
    documents: list[tuple[str, Document]]  # bills of materials in the image, by path
    unread: list[str]  # the folders of other package managers, which are not read
    failures: list[tuple[int, str, str]]  # position, path, and why
    left_out: list[tuple[int, str, str]]


def read_layer(
    listing: Listing,
    bodies: Mapping[str, bytes],
    summaries: Mapping[str, bytes] = _NONE,
    unread: Container[str] = (),
) -> Layer:
    """Read what a layer has of packages, from its files and what was kept of their contents.

    Files of the kinds that are `unread` are passed over, whatever is wrong with them.
    """
    files: dict[str, File] = {}
    changes = changes_of(listing)
    failures: list[tuple[str, str]] = []
    left_out: list[tuple[str, str]] = []
    others = _other_symlinks(listing)
    for path, kind, link, whiteout in zip(
        listing.paths, listing.types, listing.links, listing.whiteouts, strict=True
    ):
        if whiteout is not None:
            continue
        if path in summaries and kind != "directory":
            binary = read_binary(path, summaries[path])
            files[path] = File(binary.place, binary.packages)
            left_out += [(path, why) for why in binary.failures]
            continue
        place = find_place(path)
        if place is None or place.kind in unread:
            continue
        files[path] = File(place, link=link if kind == "symlink" else others.get(path))
        # Packages hold damaged ones, to test with; but a system that cannot be read is no answer.
        failed = failures if place.kind in (*SYSTEMS, "release") else left_out
        if path in bodies:
            try:
                files[path] = _read(place, path, bodies[path])
            except PayloadError as error:
                failed.append((path, str(error)))
                if place.kind == SBOM:
                    # It is there, all the same.
                    files[path] = File(place, document=_document(bodies[path]))
        elif kind in _FILES and files[path].link is None:
            failed.append((path, _NOT_KEPT))
    files |= {path: File(Place(kind, path)) for path, kind in _unread(listing, changes)}
    return Layer(
        files,
        frozenset(folders_above(files)),
        changes,
        tuple(failures),
        tuple(dict.fromkeys(left_out)),
    )


def _other_symlinks(listing: Listing) -> dict[str, str | None]:
    """Return where hard links lead that are other names of symlinks."""
    if _HARD_LINK not in listing.types:
        return {}
    rows = list(zip(listing.paths, listing.types, listing.links, strict=True))
    found = {path: link for path, kind, link in rows if kind == "symlink"}
    names = ((path, cleaned(link or "")) for path, kind, link in rows if kind == _HARD_LINK)
    return {path: found[at] for path, at in names if at in found}


def _unread(listing: Listing, changes: Changes) -> Iterator[tuple[str, str]]:
    """Yield what tells by its path that there are packages which are not read.

    These are other managers, and changes that are not yet written into a database of SQLite.
    """
    for path in changes.folders & OTHER_MANAGERS.keys():
        yield path, _MANAGER
    entries = zip(listing.paths, listing.sizes, strict=True)
    sizes = {path: size for path, size in entries if path.endswith(_OF_LOG)}
    yield from ((path, _LOG) for path, size in sizes.items() if size and path in changes.leaves)


def _read(place: Place, path: str, body: bytes) -> File:
    if place.kind == "release":
        return File(place, distribution=read_distribution(path, body))
    if place.kind == SBOM:
        bill = read_bill(body)
        packages = tuple(one._replace(path=path) for one in sound(listed(bill)))
        # The function that lists packages holds the whole document.
        about = {name: value for name, value in bill._asdict().items() if name != "packages"}
        return File(place, packages, document=_document(body)._replace(about=about))
    return File(place, tuple(read_packages(path, body)))


def _document(body: bytes) -> Document:
    return Document(f"sha256:{sha256(body).hexdigest()}", len(body))


def merge(layers: Sequence[Layer]) -> Contents:
    """Lay layers upon each other, the lowest first."""
    tree = _Tree()
    for position, layer in enumerate(layers):
        tree.add(position, layer)
    distribution, at = tree.distribution()
    failed = [(at, *failure) for at, layer in enumerate(layers) for failure in layer.failures]
    left_out = [(at, *left) for at, layer in enumerate(layers) for left in layer.left_out]
    # What a higher layer has in its place tells the packages; since when, is not as sure.
    there = [tree.files.get(path, (None, None))[1] == at for at, path, _ in failed]
    return Contents(
        list(tree.packages(distribution)),
        distribution,
        at,
        [(path, file.document) for path, (file, _) in sorted(tree.files.items()) if file.document],
        sorted(tree.files.keys() & OTHER_MANAGERS.keys()),
        [*compress(failed, there), *tree.logs()],
        [*left_out, *(one for one, is_there in zip(failed, there, strict=True) if not is_there)],
    )


class _Tree:
    """The files of the table of paths, as they are with the layers so far."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[File, int]] = {}
        # As archives name the root.
        self._folders = {"."}
        # Since when what is the same is there, by group; and the paths of each group.
        self._since: dict[str, dict[Same, int]] = {}
        self._paths: dict[str, dict[str, None]] = {}

    def add(self, position: int, layer: Layer) -> None:
        """Lay a layer upon those below."""
        changed = dict.fromkeys(self._remove(layer))
        for path, file in layer.files.items():
            self.files[path] = file, position
            self._paths.setdefault(file.place.group, {})[path] = None
            changed[file.place.group] = None
        self._folders |= layer.folders
        for group in changed:
            before = self._since.get(group, {})
            packages = (package[:5] for path in self._paths[group] for package in self._read(path))
            self._since[group] = {same: before.get(same, position) for same in packages}

    def _read(self, path: str) -> tuple[Package, ...]:
        return self.files[path][0].packages

    def _remove(self, layer: Layer) -> Iterator[str]:
        """Remove what a layer hides; yield the groups that something was removed of."""
        removed, opaque, leaves, folders = layer.changes
        gone = {
            path for paths in (removed, leaves, folders) for path in paths.intersection(self.files)
        }
        hidden = {folder for hides in (removed, opaque, leaves) for folder in self._folders & hides}
        if hidden:
            gone |= {path for path in self.files if not hidden.isdisjoint(folders_of(path))}
        for path in gone:
            group = self.files.pop(path)[0].place.group
            del self._paths[group][path]
            yield group

    def logs(self) -> Iterator[tuple[int, str, str]]:
        """Yield the databases that a log lies beside, which a higher layer may have: it counts."""
        for path, (file, position) in sorted(self.files.items()):
            database = path.removesuffix(_END_OF_LOG)
            if file.place.kind == _LOG and database in self.files:
                yield position, database, _WITH_LOG

    def packages(self, distribution: Distribution | None) -> Iterator[Found]:
        """Yield the packages, by path, with the layer since which each is there."""
        requested = {
            path for path, (file, _) in self.files.items() if file.place.kind == "requested"
        }
        asked_for = {dirname(dirname(path)) for path in requested}
        system = distribution.id if distribution else None
        databases = [file for file, _ in self.files.values() if file.place.kind != SBOM]
        told = set[_Told]()
        if len(databases) < len(self.files):
            told = {_told(package) for file in databases for package in file.packages}
        for path, (file, _) in sorted(self.files.items()):
            place = file.place
            since = self._since[place.group]
            changes: dict[str, Any] = {}
            if place.kind == "npm":
                changes["is_direct"] = _is_direct_of_npm(path)
            elif path.endswith(".dist-info/METADATA") and dirname(dirname(path)) in asked_for:
                changes["is_direct"] = f"{dirname(path)}/REQUESTED" in requested
            elif place.group == "" and system:
                # A system in a folder of the image may be of another distribution.
                changes["namespace"] = system
            for package in file.packages:
                # What a database tells of, too, counts once.
                if place.kind == SBOM and _told(package) in told:
                    continue
                found = package._replace(**changes) if changes else package
                yield Found(found, since[package[:5]])

    def distribution(self) -> tuple[Distribution | None, int | None]:
        """Return what the system says that it is, and the layer that says it."""
        for path in RELEASES:
            file, position = self._followed(path)
            if file and file.distribution:
                return file.distribution, position
        return None, None

    def _followed(self, path: str) -> tuple[File | None, int | None]:
        """Follow links within the image."""
        for _ in range(_MOST_LINKS):
            file, position = self.files.get(path, (None, None))
            if file is None or file.link is None:
                return file, position
            path = normpath(join("/", dirname(path), file.link)).lstrip("/")
        return None, None


def _told(package: Package) -> _Told:
    """Return type, namespace, name and version; distributions are no namespace of databases."""
    kind, name, version, namespace = package[:4]
    return kind, None if kind in OS_TYPES else namespace, name, version


def _is_direct_of_npm(path: str) -> bool | None:
    """Tell whether a package of npm was asked for: known of those for all, and of nested ones.

    npm itself lifts what others need to the top of an application's folder; pnpm has all of them in
    ``node_modules/.pnpm``, asked for or not.
    """
    above, *below = f"/{path}".split("/node_modules/")
    if below[0].startswith("."):
        below = below[1:]
    if len(below) > 1:
        return False
    return True if above.endswith("/lib") else None
