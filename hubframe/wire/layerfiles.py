"""The files of layers, kept by the layer's digest: a layer never changes, and is read once.

They are kept as JSON, column by column, packed with gzip, whose checksum tells damage. Of 60,000
files that takes 0.5 MB.
"""

import gzip
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any

from hubframe.errors import DigestMismatchError, PayloadError
from hubframe.oci.archives import CapError, Caps, Held, Hold, Listing, list_files
from hubframe.oci.digests import HASHES
from hubframe.wire.shared_work import SharedWork
from hubframe.wire.statistics import count_cached, mode
from hubframe.wire.store import Storage

# What the keys of lists begin with: they lie among the documents, and go by last use as these do.
LISTING = "files:"
_COLUMNS = tuple(each.name for each in fields(Listing))


class LayerFiles:
    """What is known of the files of layers, kept among the documents."""

    def __init__(self, documents: Storage) -> None:
        self._documents = documents
        self._shared: SharedWork[Listing] = SharedWork()

    def get(self, digest: str) -> Listing | None:
        """Return a listing that is here and sound."""
        body = self._documents.get_many([LISTING + digest]).get(LISTING + digest)
        try:
            return None if body is None else Listing(*json.loads(gzip.decompress(body)))
        except (OSError, EOFError, ValueError, TypeError):
            return None

    def fetch(
        self, digest: str, pieces: Callable[[], Iterator[bytes]], name: str, caps: Caps, held: Held
    ) -> Listing:
        """Return the listing of a layer, from here or from the pieces of the layer itself.

        It raises `DigestMismatchError` for what is not as the digest says, and nothing is kept;
        `PayloadError` for what is no archive, or holds more than the caps, alone or with the others
        of the call, which `held` counts.
        """
        hold = partial(held.hold, name)
        # Before anything is asked: others may have taken all there is.
        hold(1, 0)
        try:
            with self._shared.join((digest, name, caps, mode())) as work:
                if work.is_mine:
                    listing = self.get(digest)
                    if listing is not None:
                        count_cached()
                    else:
                        listing = _verified(digest, pieces(), name, caps, hold)
                        columns = [getattr(listing, column) for column in _COLUMNS]
                        written = json.dumps(columns, separators=(",", ":")).encode()
                        self._documents.put(LISTING + digest, gzip.compress(written, mtime=0))
                    work.outcome = listing
            # It may have been here, or another call may have read it.
            hold(len(work.outcome), work.outcome.text)
        except BaseException:
            hold(0, 0)
            raise
        return work.outcome  # type: ignore[no-any-return]


def _verified(digest: str, pieces: Iterator[bytes], name: str, caps: Caps, hold: Hold) -> Listing:
    """List the files of what comes, and make sure that it is what the digest names."""
    algorithm = digest.partition(":")[0]
    if algorithm not in HASHES:
        raise PayloadError(f"{name}: digests of the kind {algorithm!r} cannot be verified")
    found = HASHES[algorithm]()
    coming = _hashed(pieces, found, name, caps)
    try:
        listing, fault = list_files(coming, name, caps, hold), None
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
