"""The files of layers, kept by the layer's digest: a layer never changes, and is read once.

A listing is written whole or not at all, as JSON, column by column, and packed. Of 60,000 files
that takes 0.5 MB, written in 0.12 s and read in 0.05 s; Parquet takes 0.6 MB and twice the time,
lines of JSON four times, and rows of SQLite ten times the room.
"""

import hashlib
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from hubframe.errors import DigestMismatchError, PayloadError
from hubframe.wire import disk
from hubframe.wire.archives import CapError, Caps, Listing, list_files
from hubframe.wire.content import HASHES
from hubframe.wire.flights import Flights
from hubframe.wire.tally import count_cached, mode

_TABLES = (
    "CREATE TABLE listings (digest TEXT PRIMARY KEY, body BLOB NOT NULL, checksum BLOB NOT NULL)",
)
_LAYOUT = disk.Layout(
    version=1, tables=_TABLES, probe="SELECT digest, body, checksum FROM listings LIMIT 0"
)
_GET = "SELECT digest, body, checksum FROM listings WHERE digest IN ({})"
_PUT = "INSERT OR REPLACE INTO listings (digest, body, checksum) VALUES (?, ?, ?)"
_OLDEST = "DELETE FROM listings WHERE rowid IN (SELECT rowid FROM listings ORDER BY rowid LIMIT ?)"
# Listings take at most this part of the cache; documents, which cost pulls, come first.
_PART = 4
# They are dropped a few at a time, down to this part of their room.
_DROPPED = 8
_ENOUGH = 0.9
_COLUMNS = tuple(each.name for each in fields(Listing))


class Listings:
    """What is known of the files of layers, in one SQLite file or in memory.

    Parameters
    ----------
    path
        The file; None for memory. It is made when it is first used.
    limit
        What the folder may hold: of the listings, those that were kept first are dropped first;
        None for no limit. [bytes]
    """

    def __init__(self, path: Path | None, limit: int | None = None) -> None:
        self._database = disk.Database(path, _LAYOUT, limit)
        self._flights: Flights[Listing] = Flights()

    def get(self, digest: str) -> Listing | None:
        """Return a listing that is here and sound."""
        for _, body, checksum in self._database.select(_GET, [digest]):
            if checksum == _checksum(digest, body):
                return _read(body)
        return None

    def fetch(
        self, digest: str, pieces: Callable[[], Iterator[bytes]], name: str, caps: Caps
    ) -> Listing:
        """Return the listing of a layer, from here or from the layer itself.

        Parameters
        ----------
        digest
            Of the layer as it comes.
        pieces
            Has the layer come.
        name
            What it is called in messages.
        caps
            How much of it is read at most.

        Raises
        ------
        DigestMismatchError
            What came is not what its digest says; nothing was kept.
        PayloadError
            It is no archive, or holds more than the caps.
        """
        flight = (digest, name, caps, mode())
        return self._flights.join(flight, lambda: self._fetched(digest, pieces, name, caps))

    def info(self) -> int:
        """Count the layers whose files are known."""
        rows = self._database.run("SELECT count(*) FROM listings")
        return int(rows[0][0]) if rows else 0

    def clear(self) -> None:
        """Forget all listings."""
        self._database.empty("listings")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _fetched(
        self, digest: str, pieces: Callable[[], Iterator[bytes]], name: str, caps: Caps
    ) -> Listing:
        held = self.get(digest)
        if held is not None:
            count_cached()
            return held
        listing = _verified(digest, pieces(), name, caps)
        body = _written(listing)
        self._database.write(_PUT, [(digest, body, _checksum(digest, body))])
        self._trim()
        return listing

    def _trim(self) -> None:
        limit = self._database.limit
        if limit is None or self._database.held() <= limit // _PART:
            return
        enough = int(limit // _PART * _ENOUGH)
        while self._database.held() > enough and self.info():
            self._database.run(_OLDEST, [_DROPPED])
        self._database.shrink(enough)


def _verified(digest: str, pieces: Iterator[bytes], name: str, caps: Caps) -> Listing:
    """List the files of what comes, and make sure that it is what the digest names."""
    algorithm = digest.partition(":")[0]
    if algorithm not in HASHES:
        raise PayloadError(f"{name}: digests of the kind {algorithm!r} cannot be verified")
    found = HASHES[algorithm]()
    coming = _hashed(pieces, found, name, caps)
    try:
        listing, fault = list_files(coming, name, caps), None
    except CapError as error:
        raise PayloadError(str(error)) from None
    except PayloadError as error:
        # What was changed on the way is no archive either: the digest tells which it is.
        listing, fault = Listing(), error
        deque(coming, maxlen=0)
    if f"{algorithm}:{found.hexdigest()}" != digest.lower():
        raise DigestMismatchError(
            f"{name}: what came is {algorithm}:{found.hexdigest()}. Something on the way changed "
            "it, or the registry is at fault; nothing was kept"
        )
    if fault is not None:
        raise fault
    return listing


def _hashed(pieces: Iterator[bytes], found: Any, name: str, caps: Caps) -> Iterator[bytes]:
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > caps.bytes:
            raise CapError(
                f"{name} takes more than {caps.bytes:,} bytes; not read further. "
                "max_bytes= says how many it may be"
            )
        found.update(piece)
        yield piece


def _written(listing: Listing) -> bytes:
    columns = [getattr(listing, name) for name in _COLUMNS]
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def _read(body: bytes) -> Listing:
    return Listing(*json.loads(zlib.decompress(body)))


def _checksum(digest: str, body: Any) -> bytes:
    """Cover the digest too: a listing under another's digest would be another layer's."""
    if not isinstance(body, bytes):
        return b""
    return hashlib.blake2b(digest.encode() + b"\n" + body, digest_size=16).digest()
