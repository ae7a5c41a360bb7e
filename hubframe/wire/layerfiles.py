"""The files of layers, kept by the layer's digest: a layer never changes, and is read once.

Lists of files are kept as JSON, column by column, and beside them the content of those that tell
which packages there are, one after the other; where a layer was read with its binaries, what these
tell, too, whether or not it has any. Other files that were asked for have an entry each. All are
packed with gzip, whose checksum tells damage: of 60,000 files the list takes 0.5 MB.
"""

import gzip
import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
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
    cleaned,
    read_archive,
)
from hubframe.oci.contents.binaries import BINARIES_VERSION, Room
from hubframe.oci.contents.databases import (
    MOST_OF_FILE,
    PATHS_VERSION,
    find_place,
    is_kept,
    keeping,
)
from hubframe.oci.digests import HASHES
from hubframe.wire.shared_work import SharedWork
from hubframe.wire.statistics import count_cached, mode
from hubframe.wire.store import FAULTS, Storage

# What the keys of lists begin with: they lie among the documents, and go by last use as these do.
LISTING = "files:"
# And those of their contents, which another table of paths would make others of.
_BODIES = f"contents:{PATHS_VERSION}:"
# And those of what their binaries tell.
_SUMMARIES = f"binaries:{BINARIES_VERSION}:"
# And those of other files, which are what they are by any table.
_FILE = "contents:file:"
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

    def get_files(self, digest: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of files that are here and sound, by path."""
        wanted = dict.fromkeys(paths)
        own = self.get_bodies(digest) or {}
        found = {path: own[path] for path in wanted if path in own}
        keys = {path: _key_of(digest, path) for path in wanted if path not in found}
        kept = self._documents.get_many(keys.values())
        for path, key in keys.items():
            with suppress(OSError, EOFError, ValueError, TypeError, KeyError):
                found[path] = gzip.decompress(kept[key])
        return found

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

    def kept(self, *, with_bodies: bool, with_binaries: bool = False) -> set[str]:
        """Return the digests of the layers of which there is what is wanted, be it damaged."""
        try:
            keys = {entry.key for entry in self._documents.entries()}
        except FAULTS:
            return set()
        listed = {key.removeprefix(LISTING) for key in keys if key.startswith(LISTING)}
        wanted = [_BODIES] * with_bodies + [_SUMMARIES] * with_binaries
        return {one for one in listed if all(part + one in keys for part in wanted)}

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
        is_anew: bool = False,
    ) -> Archive:
        """Return the files of a layer, from here or from the pieces of the layer itself.

        `keep` tells which contents are wanted beside those that tell of packages, where the layer
        is read; with `is_anew` it is read in any case. Binaries are read where they are wanted.

        It raises `DigestMismatchError` for what is not as the digest says, and nothing is kept;
        `PayloadError` for what is no archive, or holds more than the caps, alone or with the others
        of the call, which `held` counts.
        """
        hold = partial(held.hold, name)
        # Before anything is asked: others may have taken all there is.
        hold(1, 0)
        try:
            wanted = with_bodies, with_binaries
            with self._shared.join((digest, name, caps, *wanted, keep, is_anew, mode())) as work:
                if work.is_mine:
                    found = (
                        None
                        if is_anew
                        else self.find(digest, with_bodies=with_bodies, with_binaries=with_binaries)
                    )
                    if found is not None:
                        count_cached()
                    else:
                        usual = _Keeping(keep)
                        summarise = self._room.summarising() if with_binaries else None
                        found = _verified(digest, pieces(), name, caps, usual, hold, summarise)
                        names = _other_names(found)
                        if names and with_bodies:
                            # What they are called was told after their content.
                            named = _Named(names, usual)
                            again = _verified(digest, pieces(), name, caps, named, hold, None)
                            found.bodies.update(named.bodies(again))
                        paths = usual.paths if with_bodies or not names else None
                        self._keep(digest, found, paths, with_binaries=with_binaries)
                    work.outcome = found
            # It may have been here, or another call may have read it.
            hold(len(work.outcome.listing), work.outcome.listing.text)
        except BaseException:
            hold(0, 0)
            raise
        return work.outcome  # type: ignore[no-any-return]

    def _keep(
        self, digest: str, found: Archive, usual: set[str] | None, *, with_binaries: bool
    ) -> None:
        """Keep what is known of a layer; `usual` tells of packages, None where some of it lacks."""
        columns = [getattr(found.listing, column) for column in _COLUMNS]
        written = json.dumps(columns, separators=(",", ":")).encode()
        self._documents.put(LISTING + digest, gzip.compress(written, mtime=0))
        if usual is not None:
            bodies = {path: body for path, body in found.bodies.items() if path in usual}
            self._documents.put(_BODIES + digest, gzip.compress(_joined(bodies), mtime=0))
        if with_binaries:
            summaries = _joined(found.summaries)
            self._documents.put(_SUMMARIES + digest, gzip.compress(summaries, mtime=0))
        for path, body in found.bodies.items():
            if path not in (usual or ()) and len(body) <= MOST_OF_FILE:
                self._documents.put(_key_of(digest, path), gzip.compress(body, mtime=0))
        # The next layer may take minutes; who is killed meanwhile has this one.
        self._documents.flush(waits=False)


class _Keeping:
    """Which contents are kept of a layer: those that tell of packages, and what is asked for."""

    def __init__(self, also: Keep | None) -> None:
        self.paths: set[str] = set()  # of those that tell of packages
        self._usual, self._also = keeping(), also

    def __call__(self, path: str, size: int) -> bool:
        self.paths.discard(path)
        if self._usual(path, size):
            self.paths.add(path)
        return path in self.paths or (self._also is not None and self._also(path, size))


class _Named:
    """Keeps the files that tell of packages by other names, and calls them by these."""

    def __init__(self, names: Mapping[str, list[str]], usual: _Keeping) -> None:
        self._names, self._usual = names, usual

    def __call__(self, path: str, size: int) -> bool:
        return sum(self._usual(name, size) for name in self._names.get(path, ())) > 0

    def bodies(self, found: Archive) -> dict[str, bytes]:
        """Return what was kept, by the names."""
        kept = ((name, body) for path, body in found.bodies.items() for name in self._names[path])
        return {name: body for name, body in kept if name in self._usual.paths}


def _other_names(found: Archive) -> dict[str, list[str]]:
    """Return the files that tell of packages by a hard link alone, with their names by the table.

    ostree writes each file as an object of its repository first, pnpm as one of its store.
    """
    listing, names = found.listing, dict[str, list[str]]()
    for path, kind, link in zip(listing.paths, listing.types, listing.links, strict=True):
        if kind == "hard link" and path not in found.bodies and find_place(path) is not None:
            names.setdefault(cleaned(link or ""), []).append(path)
    there = zip(listing.paths, listing.types, listing.sizes, strict=True) if names else ()
    return {
        path: names[path]
        for path, kind, size in there
        if path in names and kind == "file" and is_kept(names[path][0], size)
    }


def _key_of(digest: str, path: str) -> str:
    name = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_FILE}{digest}:{name}"


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
