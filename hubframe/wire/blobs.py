"""Documents that never change, by digest: verified on the way in and on the way out.

They are files ``blobs/sha256/…``, as an OCI layout has them, so that other tools read them, too.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from hubframe.oci.digests import Document, is_sound
from hubframe.oci.reference import DIGEST
from hubframe.wire import cancellation
from hubframe.wire.files import Entry, Files, Redis

# What documents that were used lately may take in memory, before they are parsed. [bytes]
_ROOM = 4 * 1024**2
# How long a lease lasts, and how often whoever waits for another's fetch looks. [seconds]
LEASE, _GLANCE = 15.0, 0.05


class Blobs:
    """The documents that are kept.

    Parameters
    ----------
    files
        Where they are.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        # Frame after frame asks for those of the same images: parsed once, while there is room.
        self._recent: dict[str, Document] = {}
        self._size = 0

    def get(self, digest: str) -> Document | None:
        """Return a document that is here and sound."""
        return self.get_many([digest]).get(digest)

    def get_many(self, digests: Iterable[str]) -> dict[str, Document]:
        """Return those documents that are here and sound, by digest."""
        recent, wanted = self._recent, dict.fromkeys(digests)
        found = {digest: recent[digest] for digest in wanted if digest in recent}
        # Where a digest is none, its name must lead nowhere.
        left = [one for one in wanted if one not in found and DIGEST.fullmatch(one)]
        names = {_name(digest): digest for digest in left}
        for name, body in self.files.read_many(names).items():
            if is_sound(names[name], body):
                found[names[name]] = self._remember(Document(names[name], body))
            else:
                self.files.delete(name)
        return found

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those digests whose documents are not here; these are not read for it."""
        recent = self._recent
        return {one for one in digests if one not in recent and not self.files.has(_name(one))}

    def put(self, document: Document) -> None:
        """Keep a document; it was verified by whoever fetched it."""
        self.files.write(_name(document.digest), document.body)
        self._remember(document)

    @contextmanager
    def lease(self, digest: str) -> Iterator[None]:
        """Let one of the workers that share a Redis fetch a document; the others wait for it."""
        if not isinstance(self.files, Redis):
            yield
            return
        lock = self.files.connection.lock(f"hubframe:lease:{digest}", timeout=LEASE)
        with self.files.reaching():
            while not lock.acquire(blocking=False):
                cancellation.wait(_GLANCE)
        try:
            yield
        finally:
            with self.files.reaching():
                if lock.owned():
                    lock.release()

    def entries(self) -> Iterator[Entry]:
        """List what is kept."""
        return self.files.entries("blobs")

    def forget(self, names: Iterable[str] | None = None) -> None:
        """Drop documents by the names of their files; all of them where none are named."""
        self._recent, self._size = {}, 0
        for name in [one.name for one in self.entries()] if names is None else names:
            self.files.delete(name)

    def _remember(self, document: Document) -> Document:
        self._size += len(document.body)
        if self._size > _ROOM:
            # Whoever is looking meanwhile looks at what there was.
            self._recent, self._size = {}, len(document.body)
        self._recent[document.digest] = document
        return document


def _name(digest: str) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"


def oldest(entries: Iterable[Entry]) -> date | None:
    """Return the day on which that was used which was not used for longest."""
    used = min((one.used for one in entries), default=None)
    return None if used is None else datetime.fromtimestamp(used, UTC).date()
