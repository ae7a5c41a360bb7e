"""Documents that never change, by digest: verified on the way in and on the way out.

Manifests, indexes and configs are named by the hash of their bytes, so whoever holds the digest
may have the document, and it is kept for ever.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubframe.errors import DigestMismatchError, PayloadError
from hubframe.wire import disk
from hubframe.wire.flights import Flights
from hubframe.wire.tally import count_cached, mode

# With rowids: bodies inside the index would make it a deep one, three times as slow to read.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS documents "
    "(digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, body BLOB NOT NULL)"
)
_GET = "SELECT digest, media_type, body FROM documents WHERE digest IN ({})"
# What is here already is not written again.
_IS_HERE = "SELECT digest FROM documents WHERE digest IN ({})"
_PUT = (
    "INSERT INTO documents (digest, media_type, body) VALUES (?, ?, ?) "
    "ON CONFLICT (digest) DO UPDATE SET media_type = excluded.media_type, body = excluded.body "
    "WHERE media_type <> excluded.media_type OR body <> excluded.body"
)
_ALGORITHMS = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}


@dataclass(frozen=True)
class Document:
    """A manifest, index or config: its digest, its exact bytes, and the type it was sent as."""

    digest: str
    media_type: str
    body: bytes


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of a document: of its payload, where it is a signed schema 1 manifest.

    Raises
    ------
    PayloadError
        The algorithm is none that registries use.
    """
    if algorithm not in _ALGORITHMS:
        raise PayloadError(f"digests of the kind {algorithm!r} cannot be verified")
    return f"{algorithm}:{_ALGORITHMS[algorithm](_payload(body)).hexdigest()}"


def verify(document: Document, origin: str) -> Document:
    """Return a document whose bytes are those that its digest names.

    Raises
    ------
    DigestMismatchError
        They are others.
    """
    found = digest_of(document.body, document.digest.partition(":")[0])
    if found != document.digest.lower():
        raise DigestMismatchError(
            f"{origin} sent {len(document.body)} bytes for {document.digest}, "
            f"but they are {found}. Something on the way changed them, or the registry is at "
            "fault; nothing was kept"
        )
    return document


def _payload(body: bytes) -> bytes:
    """Cut the signatures off a signed schema 1 manifest: its digest covers the rest."""
    if b'"signatures"' not in body or b'"fsLayers"' not in body:
        return body
    try:
        document = json.loads(body)
        protected = json.loads(_base64url(document.pop("signatures")[0]["protected"]))
        payload = body[: int(protected["formatLength"])] + _base64url(protected["formatTail"])
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return body
    return payload if _is_same(payload, document) else body


def _is_same(payload: bytes, document: Any) -> bool:
    """What is hashed must be what is read, or a body could carry another's digest.

    Docker once cut payloads in the wrong place; what is no JSON is no other document either.
    """
    try:
        return bool(json.loads(payload) == document)
    except (ValueError, RecursionError):
        return bool(document.get("schemaVersion") == 1)


def _base64url(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


class Content:
    """The store of documents, in one SQLite file or in memory.

    Parameters
    ----------
    path
        The file; None for memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = disk.Database(path, _SCHEMA)
        self._flights: Flights[Document] = Flights()

    @property
    def path(self) -> Path | None:
        """The file; None for memory."""
        return self._database.path

    def get(self, digest: str) -> Document | None:
        """Return a document that is here and sound."""
        return self.get_many([digest]).get(digest)

    def get_many(self, digests: Iterable[str]) -> dict[str, Document]:
        """Return those documents that are here and sound, by digest."""
        found: dict[str, Document] = {}
        for digest, media_type, body in self._database.select(_GET, digests):
            if _is_sound(digest, body):
                found[digest] = Document(digest, media_type, body)
            else:
                self._database.run("DELETE FROM documents WHERE digest = ?", [digest])
        return found

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those digests whose documents are not here; these are not read for it."""
        wanted = set(digests)
        return wanted.difference(row[0] for row in self._database.select(_IS_HERE, wanted))

    def put(self, document: Document) -> None:
        """Keep a document; it was verified by whoever fetched it."""
        self._database.run(_PUT, (document.digest, document.media_type, document.body))

    def put_many(self, documents: Iterable[Document]) -> None:
        """Keep documents, all in one transaction."""
        rows = [(each.digest, each.media_type, each.body) for each in documents]
        self._database.write(_PUT, rows)

    def fetch(self, digest: str, fetcher: Callable[[], Document], place: str = "") -> Document:
        """Return a document from here, or fetch it once, however many threads ask.

        A refusal is shared only by those who ask at the same place, in the same mode: another
        repository may show the document, and who is offline cannot speak for who is not.
        """
        held = self.get(digest)
        if held is None:
            flight = (digest, place, mode())
            return self._flights.join(flight, lambda: self._fetched(digest, fetcher))
        count_cached()
        return held

    def info(self) -> tuple[int, int]:
        """Count the documents, and their bytes."""
        rows = self._database.run("SELECT count(*), coalesce(sum(length(body)), 0) FROM documents")
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def clear(self) -> None:
        """Forget all documents."""
        self._database.empty("documents")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _fetched(self, digest: str, fetcher: Callable[[], Document]) -> Document:
        """Look again first: another thread may have landed since."""
        held = self.get(digest)
        if held is not None:
            count_cached()
            return held
        document = fetcher()
        self.put(document)
        return document


def _is_sound(digest: str, body: Any) -> bool:
    """Check on the way out: a file may be damaged without SQLite seeing it."""
    if not isinstance(body, bytes):
        return False
    # Nearly all are of this kind.
    if f"sha256:{hashlib.sha256(body).hexdigest()}" == digest:
        return True
    algorithm = digest.partition(":")[0]
    return algorithm in _ALGORITHMS and digest_of(body, algorithm) == digest
