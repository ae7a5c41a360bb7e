"""The cache on disk: what it holds, how to empty it, and whether to use it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hubframe.errors import HubframeError
from hubframe.wire import statistics
from hubframe.wire.client import Client, default_client
from hubframe.wire.folder import discard_damaged, size_of
from hubframe.wire.layerfiles import KEPT, LISTING
from hubframe.wire.responses import LONGEST
from hubframe.wire.store import FAULTS, Entry, reason

__all__ = ["CacheInfo", "clear", "info", "offline", "refresh"]

_UNITS = ("KiB", "MiB", "GiB", "TiB")
_STEP = 1024


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds; printed in words.

    Attributes
    ----------
    folder
        Where it is; None for one in memory, and for one that machines share.
    documents, answers
        Manifests, indexes and configs, that never change; and answers that can.
    expired
        Those of the answers that are no longer fresh, kept for when the other side is down.
    size, limit
        What the files take, and what they may take, `Settings.max_cache_bytes`. [bytes]
    oldest_use
        The day on which the document was last used that goes first when the cache is full.
    listings
        Layers whose files are known, by `hubframe.files_df`.
    is_shared
        Whether it is what `Settings.cache_url` names; then the limit does not count.
    unsaved
        Entries that this client could not write: in memory until the program ends, or lost.
    """

    folder: Path | None
    documents: int
    answers: int
    expired: int
    size: int
    limit: int
    oldest_use: date | None = None
    listings: int = 0
    is_shared: bool = False
    unsaved: int = 0

    def __str__(self) -> str:
        lines = {
            "folder": self.folder or ("shared, at cache_url" if self.is_shared else "memory"),
            "documents": f"{self.documents:,}",
            "answers": f"{self.answers:,} ({self.expired:,} no longer fresh)",
            "size": _size(self.size)
            + ("" if self.is_shared else f" of at most {_size(self.limit)}"),
            "oldest use": self.oldest_use or "-",
            **({"listings": f"{self.listings:,} layers"} if self.listings else {}),
            **({"not saved": f"{self.unsaved:,}"} if self.unsaved else {}),
        }
        return "\n".join(f"{name:<11}{value}" for name, value in lines.items())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - as IPython calls it
        """Show it in words in a notebook and in IPython."""
        printer.text("CacheInfo(...)" if cycle else str(self))


def info(client: Client | None = None) -> CacheInfo:
    """Tell what the cache holds.

    Parameters
    ----------
    client
        Whose cache; None for the default client's.

    Raises
    ------
    HubframeError
        It cannot be read.
    """
    client = client or default_client()
    with _faults_as_errors("read"):
        client.store.check()
        return _info(client, [storage.entries() for storage in client.store.storages])


def clear(
    *,
    dry_run: bool = False,
    older_than: timedelta | None = None,
    client: Client | None = None,
) -> CacheInfo:
    """Empty the cache, or drop what is old, and return what goes.

    Parameters
    ----------
    dry_run
        Whether only to tell it.
    older_than
        Drop only what was not used for so long, of documents and lists of layers' files, and the
        answers that are no longer fresh for so long; None empties the cache. Uses are known to
        the hour.
    client
        Whose cache; None for the default client's.

    Raises
    ------
    ValueError
        `older_than` is below 0.
    HubframeError
        It cannot be emptied, or not all of it.
    """
    if older_than is not None and older_than < timedelta():
        raise ValueError(f"older_than must not be below 0, and is {older_than}")
    client = client or default_client()
    until = float("inf") if older_than is None else time.time() - older_than.total_seconds()
    storages = client.store.storages
    with _faults_as_errors("cleared"):
        client.store.check()
        old = [storage.entries(until) for storage in storages]
        sizes = None if older_than is None else [entry.size for held in old for entry in held]
        going = _info(client, old, sizes)
        if dry_run:
            return going
        client.blobs.forget()
        for storage, entries in zip(storages, old, strict=True):
            if older_than is None:
                storage.clear()
            else:
                storage.delete(entry.key for entry in entries)
        if older_than is None and going.folder:
            discard_damaged(going.folder)
    return going


@contextmanager
def offline() -> Iterator[None]:
    """Answer from the cache alone, inside: old answers too, and no network.

    What is not there raises `NotCachedError`.
    """
    with statistics.using("offline"):
        yield


@contextmanager
def refresh() -> Iterator[None]:
    """Ask anew, inside, for everything that can change; documents by digest cannot."""
    # Who said offline further out meant it.
    with statistics.using("offline" if statistics.mode() == "offline" else "refresh"):
        yield


def _info(client: Client, held: list[list[Entry]], sizes: list[int] | None = None) -> CacheInfo:
    """Tell of entries, by storage; without their sizes, of what all files take."""
    store, now = client.store, time.time()
    *answers, kept = held
    documents = [entry for entry in kept if not entry.key.startswith(KEPT)]
    ends = [entry.time for entries in answers for entry in entries]
    used = min((entry.time for entry in documents), default=None)
    own = None if store.is_shared else store.folder
    if sizes is None:
        sizes = [size_of(own)] if own else [entry.size for entry in documents]
    return CacheInfo(
        folder=own,
        documents=len(documents),
        answers=len(ends),
        expired=sum(not now < end < now + LONGEST for end in ends),
        size=sum(sizes),
        limit=client.settings.max_cache_bytes,
        oldest_use=None if used is None else datetime.fromtimestamp(used, UTC).date(),
        listings=sum(entry.key.startswith(LISTING) for entry in kept),
        is_shared=store.is_shared,
        unsaved=store.unsaved,
    )


@contextmanager
def _faults_as_errors(done: str) -> Iterator[None]:
    """Say what cannot be done: nothing else is hidden behind a number."""
    try:
        yield
    except FAULTS as error:
        raise HubframeError(
            f"the cache could not be {done}: {reason(error)}. If another program uses it, try "
            "again when that is done"
        ) from None


def _size(count: int) -> str:
    """Write a size for people."""
    if count < _STEP:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / _STEP**power:.1f} {_UNITS[power - 1]}"


def __dir__() -> list[str]:
    return __all__
