"""The final file system of an image: which layer's entry each path is in the end.

A whiteout removes a path with all that is below it, an opaque directory what lower layers have in
it, what is no directory whatever was below its path, and a directory the file that was in its
place. Where a layer writes below a path that is a link, the link stays.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import chain
from posixpath import dirname, join, normpath
from typing import NamedTuple

from hubframe.errors import NotFoundError, PayloadError
from hubframe.oci.archives import BOOKKEEPING, OPAQUE, REMOVED, Listing

_MOST_LINKS = 40
# Of a layer, in characters; real ones have a hundredth of it.
_MOST_OF_FOLDERS = 2**28


class Entry(NamedTuple):
    """An entry: its path, which layer it is in, counted from the base, and its place there."""

    path: str
    position: int
    place: int


class Changes(NamedTuple):
    """What the paths of a layer do to those of lower layers."""

    removed: frozenset[str] = frozenset()  # each, and all below it
    opaque: frozenset[str] = frozenset()  # all below
    leaves: frozenset[str] = frozenset()  # its paths that are no directories: all below
    folders: frozenset[str] = frozenset()  # its directories, be they without an entry: files


def changes_of(listing: Listing) -> Changes:
    """Tell what a layer does to lower ones; PayloadError where it has too many directories."""
    hidden: dict[str, set[str]] = {REMOVED: set(), OPAQUE: set(), BOOKKEEPING: set()}
    leaves, folders = set[str](), set[str]()
    for path, kind, whiteout in zip(listing.paths, listing.types, listing.whiteouts, strict=True):
        if whiteout is not None:
            hidden[whiteout].add(path)
        else:
            (folders if kind == "directory" else leaves).add(path)
    folders |= folders_above(chain(leaves, folders), folders)
    return Changes(*map(frozenset, (hidden[REMOVED], hidden[OPAQUE], leaves, folders)))


def folders_above(paths: Iterable[str], known: Container[str] = ()) -> set[str]:
    """Return the directories that paths are in, but for the root and those that are known.

    Deep paths have more of them than can be held: a PayloadError.
    """
    found, left = set[str](), _MOST_OF_FOLDERS
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in known and folder not in found:
            found.add(folder)
            left -= len(folder)
            folder = folder.rpartition("/")[0]
        if left < 0:
            raise PayloadError(
                f"the names of its directories take more than {_MOST_OF_FOLDERS:,} characters"
            )
    return found


class Layer:
    """The entries of a layer by path, the last of a path, and what it hides of lower ones."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        rows = enumerate(zip(listing.paths, listing.whiteouts, strict=True))
        self.places = {path: place for place, (path, whiteout) in rows if whiteout is None}
        self.changes = changes_of(listing)
        self.hides = self.changes.removed | self.changes.opaque | self.changes.leaves


class FileSystem:
    """The layers of an image upon each other, the lowest first."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers

    def find(self, path: str, highest: int | None = None) -> Entry | None:
        """Return the entry that a path is, with the layers up to one; None where there is none."""
        above = [*folders_of(path)]
        layers = self._layers[: None if highest is None else highest + 1]
        is_folder = False
        for position, layer in reversed([*enumerate(layers)]):
            place = layer.places.get(path)
            if place is not None:
                # Tools write through a link to a directory.
                is_file = layer.listing.types[place] not in ("directory", "symlink")
                return None if is_folder and is_file else Entry(path, position, place)
            if path in layer.changes.removed or any(folder in layer.hides for folder in above):
                return None
            is_folder |= path in layer.changes.folders
        return None

    def match(self, is_wanted: Callable[[str], bool]) -> Iterator[Entry]:
        """Yield the entries whose paths are wanted, by path."""
        paths = {path for layer in self._layers for path in layer.places if is_wanted(path)}
        yield from filter(None, map(self.find, sorted(paths)))

    def kind(self, entry: Entry) -> str:
        """Return what an entry is: a file, a directory, a link."""
        return self._layers[entry.position].listing.types[entry.place]

    def size(self, entry: Entry) -> int:
        """Return how many bytes an entry has."""
        return self._layers[entry.position].listing.sizes[entry.place]

    def mode(self, entry: Entry) -> str | None:
        """Return the permissions of an entry."""
        return self._layers[entry.position].listing.modes[entry.place]

    def follow(self, path: str) -> Entry:
        """Return the file that a path leads to, through links inside the image, 40 at most.

        `NotFoundError` where there is none.
        """
        left, done = _parts(path), ""
        # What a layer writes below a link, which stays, is there.
        entry = self.find("/".join(left))
        if entry is not None and self.kind(entry) == "file":
            return entry
        for _ in range(_MOST_LINKS):
            while left:
                part, *left = left
                # Above the root of the image is the root.
                done = dirname(done) if part == ".." else join(done, part)
                entry = self.find(done) if done else None
                # A hard link may be another name of a symlink.
                link = entry and self.content_of(entry)
                if link is not None and self.kind(link) == "symlink":
                    target = self._target(link)
                    left = [*_parts(target), *left]
                    done = "" if target.startswith("/") else dirname(done)
                    break
            else:
                entry = self.find(done)
                if entry is None:
                    raise NotFoundError(f"the image has no file {path}")
                return self.content_of(entry)
        raise NotFoundError(f"{path} leads through more than {_MOST_LINKS} links")

    def content_of(self, entry: Entry) -> Entry:
        """Return the entry that has the content: of a hard link the file that it is a link to.

        `NotFoundError` where there is none.
        """
        for _ in range(_MOST_LINKS):
            if self.kind(entry) != "hard link":
                return entry
            target = normpath(self._target(entry)).lstrip("/")
            # What lower layers have is there, too, when a layer is unpacked upon them.
            found = self.find(target, entry.position)
            if found is None:
                raise NotFoundError(f"{entry.path} is a link to {target}, which is not there")
            entry = found
        raise NotFoundError(f"{entry.path} leads through more than {_MOST_LINKS} links")

    def _target(self, entry: Entry) -> str:
        return self._layers[entry.position].listing.links[entry.place] or ""


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def folders_of(path: str) -> Iterator[str]:
    """Yield the directories that a path is in, the root of the image last."""
    while path := dirname(path):
        yield path
    # As archives name the root.
    yield "."
