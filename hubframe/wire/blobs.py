"""Documents that never change, by digest: verified on the way in and on the way out."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from hubframe.oci.digests import Document, is_sound
from hubframe.oci.reference import DIGEST
from hubframe.wire import cancellation
from hubframe.wire.store import FAULTS, Store

# What documents that were used lately may take in memory, before they are parsed. [bytes]
_ROOM = 4 * 1024**2
# How long a lease lasts, and how often a worker that waits for another's fetch looks. [seconds]
LEASE, _GLANCE = 15.0, 0.05


class Blobs:
    """The documents that are kept in a store."""

    def __init__(self, store: Store) -> None:
        self._table = store.documents
        self._redis = store.redis
        self.is_shared = store.is_shared
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
        left = [one for one in wanted if one not in found and DIGEST.fullmatch(one)]
        for digest, body in self._table.get_many(left).items() if left else ():
            if isinstance(body, bytes) and is_sound(digest, body):
                found[digest] = self._remember(Document(digest, body))
            else:
                with suppress(*FAULTS):
                    self._table.delete([digest])
        return found

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those digests whose documents are not here."""
        wanted = set(digests)
        return wanted - self.get_many(wanted).keys()

    def put(self, document: Document) -> None:
        """Keep a document; its fetcher verified it."""
        self._table.put(document.digest, document.body)
        self._remember(document)

    @contextmanager
    def lease(self, digest: str) -> Iterator[None]:
        """Let one of the workers that share a Redis fetch a document; the others wait for it."""
        if self._redis is None:
            yield
            return
        with self._redis.reaching() as connection:
            lock = connection.lock(f"hubframe:lease:{digest}", timeout=LEASE)
            while not lock.acquire(blocking=False):
                cancellation.wait(_GLANCE)
        try:
            yield
        finally:
            with self._redis.reaching():
                if lock.owned():
                    lock.release()

    def forget(self) -> None:
        """Forget what is remembered in memory."""
        self._recent, self._size = {}, 0

    def _remember(self, document: Document) -> Document:
        if len(document.body) > _ROOM:
            return document
        self._size += len(document.body)
        if self._size > _ROOM:
            # A reader meanwhile sees what there was.
            self._recent, self._size = {}, len(document.body)
        self._recent[document.digest] = document
        return document
