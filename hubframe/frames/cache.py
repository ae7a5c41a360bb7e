"""The cache on disk: what it holds, how to empty it, and whether to use it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hubframe.wire import files, statistics
from hubframe.wire.blobs import oldest
from hubframe.wire.client import Client, default_client

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
    size
        What the files take. [bytes]
    limit
        What they may take, `Settings.max_cache_bytes`. [bytes]
    oldest_use
        The day on which the document was used that was not used for longest; it goes first when
        the cache is full. None where there is no document.
    listings
        Layers whose files are known, by `hubframe.files_df`.
    is_shared
        Whether it is what `Settings.cache_url` names; then the limit does not count.
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

    def __str__(self) -> str:
        lines = {
            "folder": self.folder or ("shared, at cache_url" if self.is_shared else "memory"),
            "documents": f"{self.documents:,}",
            "answers": f"{self.answers:,} ({self.expired:,} no longer fresh)",
            "size": _size(self.size)
            + ("" if self.is_shared else f" of at most {_size(self.limit)}"),
            "oldest use": self.oldest_use or "-",
            **({"listings": f"{self.listings:,} layers"} if self.listings else {}),
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
    """
    client = client or default_client()
    client.responses.flush()
    documents = list(client.blobs.entries())
    total, fresh = client.responses.count()
    folder = client.files.folder if isinstance(client.files, files.Folder) else None
    is_shared = client.files.is_shared
    return CacheInfo(
        folder=None if is_shared else folder,
        documents=len(documents),
        answers=total,
        expired=total - fresh,
        size=files.size_of(folder) if folder else sum(one.size for one in documents),
        limit=client.settings.max_cache_bytes,
        oldest_use=oldest(documents),
        listings=client.layer_files.count(),
        is_shared=is_shared,
    )


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
        Drop only the documents that were not used for so long, and the answers that are no
        longer fresh for so long; None empties the cache. Uses are known to the hour.
    client
        Whose cache; None for the default client's.

    Raises
    ------
    ValueError
        `older_than` is below 0.
    """
    client = client or default_client()
    if older_than is not None:
        return _clear_old(client, older_than, dry_run=dry_run)
    held = info(client)
    if not dry_run:
        client.responses.clear()
        client.blobs.forget()
        client.layer_files.clear()
        if held.folder:
            files.discard_damaged(held.folder)
    return held


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


def _clear_old(client: Client, older_than: timedelta, *, dry_run: bool) -> CacheInfo:
    seconds = older_than.total_seconds()
    if seconds < 0:
        raise ValueError(f"older_than must not be below 0, and is {older_than}")
    until = time.time() - seconds
    documents = [one for one in client.blobs.entries() if one.used < until]
    expired, answer_bytes = client.responses.old(seconds)
    going = replace(
        info(client),
        documents=len(documents),
        answers=expired,
        expired=expired,
        size=sum(one.size for one in documents) + answer_bytes,
        listings=0,
    )
    if not dry_run:
        client.blobs.forget(one.name for one in documents)
        client.responses.drop_old(seconds)
    return going


def _size(count: int) -> str:
    """Write a size for people."""
    if count < _STEP:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / _STEP**power:.1f} {_UNITS[power - 1]}"
