"""Documents that never change, by digest: verified on the way in and on the way out.

Manifests, indexes and configs are named by the hash of their bytes, so whoever holds the digest
may have the document, and it is kept until the cache is full.
"""

import base64
import hashlib
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from hubframe.errors import DigestMismatchError, PayloadError
from hubframe.oci.payload import parsed
from hubframe.wire import disk
from hubframe.wire.flights import Flights
from hubframe.wire.tally import Tally, count_cached, current, mode

# With rowids: bodies inside the index would make it a deep one, three times as slow to read.
# Uses have a table of their own, or noting one would write the document again.
_TABLE = (
    "CREATE TABLE documents (digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, body BLOB NOT NULL)"
)
_TABLES = (
    _TABLE,
    "CREATE TABLE uses (digest TEXT PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID",
)
_LAYOUT = disk.Layout(
    version=1,
    tables=_TABLES,
    probe="SELECT documents.digest, media_type, body, day FROM documents, uses LIMIT 0",
    upgrades={
        0: (
            "ALTER TABLE documents RENAME TO earlier",
            *_TABLES,
            "INSERT INTO documents SELECT digest, media_type, body FROM earlier",
            "DROP TABLE earlier",
        )
    },
)
_GET = "SELECT digest, media_type, body FROM documents WHERE digest IN ({})"
# What is here already is not written again.
_IS_HERE = "SELECT digest FROM documents WHERE digest IN ({})"
_PUT = (
    "INSERT INTO documents (digest, media_type, body) VALUES (?, ?, ?) "
    "ON CONFLICT (digest) DO UPDATE SET media_type = excluded.media_type, body = excluded.body "
    "WHERE media_type <> excluded.media_type OR body <> excluded.body"
)
# A day is exact enough; who used what today is not written twice.
_NOTE = (
    "INSERT INTO uses (digest, day) VALUES (?, ?) "
    "ON CONFLICT (digest) DO UPDATE SET day = excluded.day WHERE day < excluded.day"
)
# Whoever was killed before noting used it today, at the latest; what is gone is not used.
_MEND = (
    "INSERT OR IGNORE INTO uses SELECT digest, {day} FROM documents",
    "DELETE FROM uses WHERE digest NOT IN (SELECT digest FROM documents)",
)
_DAY = 24 * 60 * 60
# How many uses are noted together, and after how long those that are fewer. [seconds]
_NOTED = 10_000
_NOTED_WITHIN = 600
# What documents that were used lately may take, before they are read; after it that is four times
# as much. [bytes]
_ROOM = 4 * 1024**2
# Documents are dropped a few at a time, so that nobody waits for the file.
_DROPPED = 200
# What a document usually takes. [bytes]
_USUAL = 4096
# The limit is looked at after so many bytes, or after this part of it.
_LOOK_BYTES = 64 * 1024**2
_LOOK_PART = 32
# Dropping goes on to this part of the limit, so that it is done now and then only.
_ENOUGH = 0.9
# What digests of documents and layers are made with.
HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


@dataclass(frozen=True)
class Document:
    """A manifest, index or config: its digest, its exact bytes, and the type it was sent as."""

    digest: str
    media_type: str
    body: bytes

    @cached_property
    def json(self) -> Any:
        """What it says, read once; not to be changed.

        Raises
        ------
        ValueError, RecursionError
            It is no JSON.
        """
        return parsed(self.body)


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of a document: of its payload, where it is a signed schema 1 manifest.

    Raises
    ------
    PayloadError
        The algorithm is none that registries use.
    """
    if algorithm not in HASHES:
        raise PayloadError(f"digests of the kind {algorithm!r} cannot be verified")
    return f"{algorithm}:{HASHES[algorithm](_payload(body)).hexdigest()}"


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


def is_signed(body: bytes) -> bool:
    """Tell whether a document may be a signed schema 1 manifest: others have one digest each."""
    return b'"signatures"' in body and b'"fsLayers"' in body


def _payload(body: bytes) -> bytes:
    """Cut the signatures off a signed schema 1 manifest: its digest covers the rest."""
    if not is_signed(body):
        return body
    try:
        document = parsed(body)
        protected = parsed(_base64url(document.pop("signatures")[0]["protected"]))
        payload = body[: int(protected["formatLength"])] + _base64url(protected["formatTail"])
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return body
    return payload if _is_same(payload, document) else body


def _is_same(payload: bytes, document: Any) -> bool:
    """What is hashed must be what is read, or a body could carry another's digest.

    Docker once cut payloads in the wrong place; what is no JSON is no other document either.
    """
    try:
        return bool(parsed(payload) == document)
    except (ValueError, RecursionError):
        return bool(document.get("schemaVersion") == 1)


def _base64url(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


class Uses:
    """Which documents were used last: remembered at once, written down now and then.

    Parameters
    ----------
    database
        Where it is written down, to the day.
    """

    def __init__(self, database: disk.Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        # The day of use, by digest; the latest at the end.
        self._days: dict[str, int] = {}
        self._unnoted: dict[str, int] = {}
        self._noted_at = time.monotonic()

    def __contains__(self, digest: object) -> bool:
        """Tell whether a document was used lately, by this program."""
        return digest in self._days

    def add(self, digests: Iterable[str]) -> None:
        """Remember what was used now."""
        day = _day()
        with self._lock:
            for digest in digests:
                if self._days.pop(digest, None) != day:
                    self._unnoted[digest] = day
                self._days[digest] = day
            is_late = time.monotonic() - self._noted_at > _NOTED_WITHIN
            is_due = len(self._unnoted) >= _NOTED or (is_late and self._unnoted)
        if is_due:
            self.note()

    def note(self) -> None:
        """Write it down; those used last stay remembered."""
        with self._lock:
            # In the order in which they lie in the file.
            rows = sorted(self._unnoted.items())
            self._unnoted, self._noted_at = {}, time.monotonic()
            for digest in list(self._days)[:-_NOTED]:
                del self._days[digest]
        self._database.write(_NOTE, rows)

    def latest(self) -> list[str]:
        """Return what was used last, the latest at the end."""
        with self._lock:
            return list(self._days)

    def clear(self) -> None:
        """Forget it."""
        with self._lock:
            self._days.clear()
            self._unnoted.clear()


class Recent:
    """Documents that were used lately: frame after frame asks for those of the same images.

    A call that uses more of them than there is room for leaves none: the next one would find the
    first of them gone, and ask for all of them again.
    """

    def __init__(self) -> None:
        self._held: dict[str, Document] = {}
        self._size = 0
        self._lock = threading.Lock()
        # The call that used too many.
        self._flood: Tally | None = None

    def find(self, digests: Iterable[str]) -> dict[str, Document]:
        """Return those that are remembered, by digest."""
        held = self._held
        return {digest: held[digest] for digest in digests if digest in held} if held else {}

    def add(self, documents: Iterable[Document]) -> None:
        """Remember documents that are what their digests say."""
        call = current()
        if call is not None and call is self._flood:
            return
        with self._lock:
            for document in documents:
                if document.digest not in self._held:
                    self._held[document.digest] = document
                    self._size += len(document.body)
            if self._size > _ROOM:
                self._forget()
                self._flood = call

    def discard(self, digests: Iterable[str]) -> None:
        """Forget documents."""
        with self._lock:
            for digest in digests:
                if (document := self._held.pop(digest, None)) is not None:
                    self._size -= len(document.body)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        # Whoever is looking meanwhile looks at what there was.
        self._held, self._size = {}, 0


class Content:
    """The store of documents, in one SQLite file or in memory.

    Parameters
    ----------
    path
        The file; None for memory.
    limit
        What the folder may hold: beyond it, what was not used for longest is dropped; None for
        no limit. [bytes]
    """

    # Whether other machines read and write it, too.
    is_shared = False

    def __init__(self, path: Path | None, limit: int | None = None) -> None:
        self._database = disk.Database(path, _LAYOUT, limit)
        self._flights: Flights[Document] = Flights()
        self._uses = Uses(self._database)
        self._recent = Recent()
        # Many a notebook ends without closing its client.
        self._last_note = weakref.finalize(self, self._uses.note)
        self._unlooked = 0
        self._trimming = threading.Lock()
        self.trim()

    @property
    def path(self) -> Path | None:
        """The file; None for memory."""
        return self._database.path

    def forget_parent(self) -> None:
        """Leave to the parent process what it has to write."""
        self._last_note.detach()

    def get(self, digest: str) -> Document | None:
        """Return a document that is here and sound."""
        return self.get_many([digest]).get(digest)

    def get_many(self, digests: Iterable[str]) -> dict[str, Document]:
        """Return those documents that are here and sound, by digest."""
        wanted = dict.fromkeys(digests)
        found = self._recent.find(wanted)
        read = []
        left = [digest for digest in wanted if digest not in found]
        for digest, media_type, body in self._database.select(_GET, left):
            if is_sound(digest, body):
                read.append(Document(digest, media_type, body))
            else:
                self._database.run("DELETE FROM documents WHERE digest = ?", [digest])
        self._recent.add(read)
        found |= {document.digest: document for document in read}
        self._uses.add(found)
        return found

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those digests whose documents are not here; these are not read for it."""
        wanted = set(digests)
        wanted -= self._recent.find(wanted).keys()
        return wanted.difference(row[0] for row in self._database.select(_IS_HERE, wanted))

    def put(self, document: Document) -> None:
        """Keep a document; it was verified by whoever fetched it."""
        row = (document.digest, document.media_type, document.body)
        self._database.write_soon(_PUT, row, len(document.body))
        self._recent.add([document])
        self._uses.add(row[:1])
        self._grow(len(document.body))

    def flush(self) -> None:
        """Write what waits to be written together."""
        self._database.flush()

    def put_many(self, documents: Iterable[Document]) -> None:
        """Keep documents, all in one transaction."""
        rows = [(each.digest, each.media_type, each.body) for each in documents]
        self._database.write(_PUT, rows)
        self._uses.add(row[0] for row in rows)
        self._grow(sum(len(row[2]) for row in rows))

    def fetch(
        self,
        digest: str,
        fetcher: Callable[[], Document],
        place: str = "",
        *,
        is_missing: bool = False,
    ) -> Document:
        """Return a document from here, or fetch it once, however many threads ask.

        A refusal is shared only by those who ask at the same place, in the same mode: another
        repository may show the document, and who is offline cannot speak for who is not.
        """
        flight = (digest, place, mode())
        return self._flights.join(flight, lambda: self._fetched(digest, fetcher, is_missing))

    def info(self) -> tuple[int, int]:
        """Count the documents, and their bytes."""
        rows = self._database.run("SELECT count(*), coalesce(sum(length(body)), 0) FROM documents")
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def oldest_use(self) -> date | None:
        """Return the day on which the document was used that was not used for longest."""
        self._uses.note()
        (row,) = self._database.run("SELECT min(day) FROM uses") or [(None,)]
        return None if row[0] is None else date(1970, 1, 1) + timedelta(days=row[0])

    def unused(self, seconds: float) -> tuple[int, int]:
        """Count the documents that were not used for so long, and their bytes."""
        self._mend()
        rows = self._database.run(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM uses "
            "JOIN documents USING (digest) WHERE day < ?",
            [_day(seconds)],
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def drop_unused(self, seconds: float) -> None:
        """Forget the documents that were not used for so long."""
        self._mend()
        rows = self._database.run("SELECT digest FROM uses WHERE day < ?", [_day(seconds)])
        for batch in _batches((row[0] for row in rows), _DROPPED):
            self._drop(batch)
        self._database.shrink(0)

    def trim(self) -> None:
        """Drop what was not used for longest, where the folder holds more than its limit.

        A few at a time, and by one thread: the others go on meanwhile. What this program used
        last goes last, or a call larger than the cache would drop what it is about to read.
        """
        limit = self._database.limit
        if limit is None or not self._trimming.acquire(blocking=False):
            return
        try:
            room = limit - self._database.beside()
            if self._database.held() > room:
                enough = int(limit * _ENOUGH) - (limit - room)
                few = min(limit // _USUAL // _LOOK_PART + 1, _DROPPED)
                for batch in _batches(self._oldest_first(), few):
                    self._drop(batch)
                    if self._database.held() <= enough:
                        break
                self._database.shrink(max(enough, 0))
        finally:
            self._trimming.release()

    def clear(self) -> None:
        """Forget all documents."""
        self._uses.clear()
        self._recent.clear()
        self._database.empty("documents", "uses")

    def close(self) -> None:
        """Close the file."""
        self._uses.note()
        self._recent.clear()
        self._database.close()

    def _grow(self, size: int) -> None:
        limit = self._database.limit
        # A count that is a little off, where threads meet, does no harm.
        self._unlooked += size
        if limit is not None and self._unlooked >= min(_LOOK_BYTES, limit // _LOOK_PART):
            self._unlooked = 0
            self.trim()

    def _mend(self) -> None:
        """Make uses and documents agree: who was killed noted nothing."""
        self._uses.note()
        for statement in _MEND:
            self._database.run(statement.format(day=_day()))

    def _oldest_first(self) -> Iterator[str]:
        self._mend()
        rows = self._database.run(
            "SELECT digest FROM documents JOIN uses USING (digest) ORDER BY day, documents.rowid"
        )
        latest = dict.fromkeys(self._uses.latest())
        yield from (row[0] for row in rows if row[0] not in latest)
        yield from latest

    def _drop(self, digests: Sequence[str]) -> None:
        rows = [(digest,) for digest in digests]
        self._recent.discard(digests)
        self._database.write("DELETE FROM documents WHERE digest = ?", rows)
        self._database.write("DELETE FROM uses WHERE digest = ?", rows)

    def _fetched(
        self,
        digest: str,
        fetcher: Callable[[], Document],
        is_missing: bool,  # noqa: FBT001
    ) -> Document:
        """Look first; who just looked need not, unless another thread landed since."""
        held = None if is_missing and digest not in self._uses else self.get(digest)
        if held is not None:
            count_cached()
            return held
        document = fetcher()
        self.put(document)
        return document


def _day(ago: float = 0) -> int:
    return int((time.time() - ago) // _DAY)


def _batches(digests: Iterable[str], most: int) -> Iterator[list[str]]:
    left = iter(digests)
    while batch := list(islice(left, most)):
        yield batch


def is_sound(digest: str, body: Any) -> bool:
    """Check on the way out: a file may be damaged without SQLite seeing it."""
    if not isinstance(body, bytes):
        return False
    # Nearly all are of this kind.
    if f"sha256:{hashlib.sha256(body).hexdigest()}" == digest:
        return True
    algorithm = digest.partition(":")[0]
    return algorithm in HASHES and digest_of(body, algorithm) == digest
