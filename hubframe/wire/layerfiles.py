"""The files of layers, kept by the layer's digest: a layer never changes, and is read once.

Lists of files are kept as JSON, column by column, and beside them the content of those that tell
which packages there are, one after the other; where a layer was read with its binaries, what these
tell, too, whether or not it has any. All are packed with gzip, whose checksum tells damage: of
60,000 files the list takes 0.5 MB.
"""

import gzip
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from hubframe.errors import DigestMismatchError, PayloadError
from hubframe.oci.archives import (
    Archive,
    CapError,
    Caps,
    Held,
    Hold,
    Keep,
    Listing,
    Summarise,
    read_archive,
)
from hubframe.oci.contents.binaries import BINARIES_VERSION, Room
from hubframe.oci.contents.databases import PATHS_VERSION, keeping
from hubframe.oci.digests import HASHES
from hubframe.wire.shared_work import SharedWork
from hubframe.wire.statistics import count_cached, mode
from hubframe.wire.store import Storage

# What the keys of lists begin with: they lie among the documents, and go by last use as these do.
LISTING = "files:"
# And those of their contents, which another table of paths would make others of.
_BODIES = f"contents:{PATHS_VERSION}:"
# And those of what their binaries tell.
_SUMMARIES = f"binaries:{BINARIES_VERSION}:"
KEPT = (LISTING, "contents:", "binaries:")
_COLUMNS = tuple(each.name for each in fields(Listing))


class LayerFiles:
    """What is known of the files of layers, kept among the documents."""

    def __init__(self, documents: Storage) -> None:
        self._documents = documents
        self._shared: SharedWork[Archive] = SharedWork()
        self._room = Room()

    def get(self, digest: str) -> Listing | None:
        """Return a listing that is here and sound."""
        body = self._documents.get_many([LISTING + digest]).get(LISTING + digest)
        try:
            return None if body is None else Listing(*json.loads(gzip.decompress(body)))
        except (OSError, EOFError, ValueError, TypeError):
            return None

    def get_bodies(self, digest: str) -> dict[str, bytes] | None:
        """Return the contents that are here and sound, by path."""
        return self._get_parts(_BODIES + digest)

    def _get_parts(self, key: str) -> dict[str, bytes] | None:
        kept = self._documents.get_many([key]).get(key)
        try:
            return None if kept is None else _split(gzip.decompress(kept))
        except (OSError, EOFError, ValueError, TypeError):
            return None

    def find(
        self, digest: str, *, with_bodies: bool, with_binaries: bool = False
    ) -> Archive | None:
        """Return what is here of a layer, if that is all that is wanted."""
        summaries = self._get_parts(_SUMMARIES + digest) if with_binaries else {}
        bodies = self.get_bodies(digest) if with_bodies else {}
        if bodies is None or summaries is None:
            return None
        listing = self.get(digest)
        return None if listing is None else Archive(listing, bodies, summaries)

    def fetch(  # noqa: PLR0913 - what a layer is, and how much of it is wanted
        self,
        digest: str,
        pieces: Callable[[], Iterator[bytes]],
        name: str,
        caps: Caps,
        held: Held,
        *,
        with_bodies: bool = False,
        with_binaries: bool = False,
        keep: Keep | None = None,
    ) -> Archive:
        """Return the files of a layer, from here or from the pieces of the layer itself.

        With `keep` it is always read anew, and the contents are those that are asked for. Binaries
        are read only where they are wanted.

        It raises `DigestMismatchError` for what is not as the digest says, and nothing is kept;
        `PayloadError` for what is no archive, or holds more than the caps, alone or with the others
        of the call, which `held` counts.
        """
        hold = partial(held.hold, name)
        # Before anything is asked: others may have taken all there is.
        hold(1, 0)
        try:
            wanted = with_bodies, with_binaries, keep
            with self._shared.join((digest, name, caps, *wanted, mode())) as work:
                if work.is_mine:
                    found = (
                        None
                        if keep
                        else self.find(digest, with_bodies=with_bodies, with_binaries=with_binaries)
                    )
                    if found is not None:
                        count_cached()
                    else:
                        summarise = self._room.summarising() if with_binaries else None
                        how = keep or keeping(), hold, summarise
                        found = _verified(digest, pieces(), name, caps, *how)
                        if keep is None:
                            self._keep(digest, found, with_binaries=with_binaries)
                    work.outcome = found
            # It may have been here, or another call may have read it.
            hold(len(work.outcome.listing), work.outcome.listing.text)
        except BaseException:
            hold(0, 0)
            raise
        return work.outcome  # type: ignore[no-any-return]

    def _keep(self, digest: str, found: Archive, *, with_binaries: bool) -> None:
        columns = [getattr(found.listing, column) for column in _COLUMNS]
        written = json.dumps(columns, separators=(",", ":")).encode()
        self._documents.put(LISTING + digest, gzip.compress(written, mtime=0))
        self._documents.put(_BODIES + digest, gzip.compress(_joined(found.bodies), mtime=0))
        if with_binaries:
            summaries = _joined(found.summaries)
            self._documents.put(_SUMMARIES + digest, gzip.compress(summaries, mtime=0))


def _joined(bodies: Mapping[str, bytes]) -> bytes:
    """Write contents one after the other, behind a line of their paths and sizes."""
    head = json.dumps([[path, len(body)] for path, body in bodies.items()], separators=(",", ":"))
    return b"\n".join((head.encode(), b"".join(bodies.values())))


def _split(kept: bytes) -> dict[str, bytes]:
    head, _, rest = kept.partition(b"\n")
    found, at = {}, 0
    for path, size in json.loads(head):
        found[path] = rest[at : at + size]
        at += size
    return found


def _verified(  # noqa: PLR0913, PLR0917 - what a layer is, and how much of it is wanted
    digest: str,
    pieces: Iterator[bytes],
    name: str,
    caps: Caps,
    keep: Keep,
    hold: Hold,
    summarise: Summarise | None,
) -> Archive:
    """List the files of what comes, and make sure that it is what the digest names."""
    algorithm = digest.partition(":")[0]
    if algorithm not in HASHES:
        raise PayloadError(f"{name}: digests of the kind {algorithm!r} cannot be verified")
    found = HASHES[algorithm]()
    coming = _hashed(pieces, found, name, caps)
    try:
        archive, fault = read_archive(coming, name, caps, keep, hold, summarise), None
    except CapError as error:
        raise PayloadError(str(error)) from None
    except PayloadError as error:
        # What was changed on the way is no archive either: the digest tells which it is.
        archive, fault = Archive(Listing(), {}), error
        deque(coming, maxlen=0)
    if f"{algorithm}:{found.hexdigest()}" != digest.lower():
        raise DigestMismatchError(
            f"{name}: what came is {algorithm}:{found.hexdigest()}. Something on the way changed "
            "it, or the registry is at fault; nothing was kept"
        )
    if fault is not None:
        raise fault
    return archive


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
