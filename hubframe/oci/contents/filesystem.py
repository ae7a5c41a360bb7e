"""The final file system of an image: which layer's entry each path is in the end.

A whiteout removes a path with all that is below it, an opaque directory what lower layers have in
it, and what is no directory whatever was below its path.
"""

from collections.abc import Callable, Iterator, Sequence
from posixpath import dirname, join, normpath
from typing import NamedTuple

from hubframe.errors import NotFoundError
from hubframe.oci.archives import OPAQUE, REMOVED, Listing

_MOST_LINKS = 40


class Entry(NamedTuple):
    """An entry: its path, which layer it is in, counted from the base, and its place there."""

    path: str
    position: int
    place: int


class _Layer:
    """The entries of a layer by path, the last of a path, and what it hides of lower ones."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.places: dict[str, int] = {}
        self.hides: set[str] = set()
        rows = zip(listing.paths, listing.types, listing.whiteouts, strict=True)
        for place, (path, kind, whiteout) in enumerate(rows):
            if whiteout is None:
                self.places[path] = place
            if whiteout in (REMOVED, OPAQUE) or (whiteout is None and kind != "directory"):
                self.hides.add(path)
        self.removed = {
            path
            for path, whiteout in zip(listing.paths, listing.whiteouts, strict=True)
            if whiteout == REMOVED
        }


class FileSystem:
    """The layers of an image upon each other, the lowest first."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self._layers = [_Layer(listing) for listing in listings]

    def find(self, path: str) -> Entry | None:
        """Return the entry that a path is; None where there is none."""
        above = [*_folders(path)]
        for position in reversed(range(len(self._layers))):
            layer = self._layers[position]
            place = layer.places.get(path)
            if place is not None:
                return Entry(path, position, place)
            if path in layer.removed or any(folder in layer.hides for folder in above):
                return None
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
        for _ in range(_MOST_LINKS):
            while left:
                done, left = join(done, left[0]), left[1:]
                entry = self.find(done)
                if entry is not None and self.kind(entry) == "symlink":
                    target = self._target(entry)
                    # Links lead to what is in the image: above its root is the root.
                    whole = normpath(join("/", dirname(done), target)).lstrip("/")
                    left, done = [*_parts(whole), *left], ""
                    break
            else:
                entry = self.find(done)
                if entry is None:
                    raise NotFoundError(f"the image has no file {path}")
                return self.content_of(entry)
        raise NotFoundError(f"{path} leads through more than {_MOST_LINKS} links")

    def content_of(self, entry: Entry) -> Entry:
        """Return the entry that has the content: of a hard link the file of the same layer.

        `NotFoundError` where the layer lacks that.
        """
        if self.kind(entry) != "hard link":
            return entry
        layer = self._layers[entry.position]
        target = normpath(self._target(entry)).lstrip("/")
        place = layer.places.get(target)
        if place is None:
            raise NotFoundError(f"{entry.path} is a link to {target}, which its layer lacks")
        return Entry(target, entry.position, place)

    def _target(self, entry: Entry) -> str:
        return self._layers[entry.position].listing.links[entry.place] or ""


def _parts(path: str) -> list[str]:
    return [part for part in normpath(join("/", path)).split("/") if part]


def _folders(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path
    # As archives name the root.
    yield "."
