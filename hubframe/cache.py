"""The cache on disk: what it holds, how to empty it, and whether to use it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hubframe.client import Client, default_client
from hubframe.wire import disk, tally


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds.

    Attributes
    ----------
    folder
        Where it is; None for one in memory.
    documents, answers
        Manifests, indexes and configs, kept for ever; and answers that can change.
    expired
        Those of the answers that are no longer fresh, kept for when the other side is down.
    size
        What the files take. [bytes]
    """

    folder: Path | None
    documents: int
    answers: int
    expired: int
    size: int


def info(client: Client | None = None) -> CacheInfo:
    """Tell what the cache holds.

    Parameters
    ----------
    client
        Whose cache; None for the default client's.
    """
    client = client or default_client()
    count, held = client.content.info()
    answers = client.session.cache.responses
    total = len(answers)
    folder = client.content.path.parent if client.content.path else None
    return CacheInfo(
        folder=folder,
        documents=count,
        answers=total,
        expired=total - answers.count_fresh(),
        size=_size(folder) if folder else held,
    )


def clear(*, dry_run: bool = False, client: Client | None = None) -> CacheInfo:
    """Empty the cache, and return what it held.

    Parameters
    ----------
    dry_run
        Whether only to tell it.
    client
        Whose cache; None for the default client's.
    """
    client = client or default_client()
    held = info(client)
    if not dry_run:
        client.session.cache.clear()
        client.content.clear()
        if held.folder:
            disk.discard_damaged(held.folder)
    return held


@contextmanager
def offline() -> Iterator[None]:
    """Answer from the cache alone, inside: old answers too, and no network.

    What is not there raises `NotCachedError`.
    """
    with tally.using("offline"):
        yield


@contextmanager
def refresh() -> Iterator[None]:
    """Ask anew, inside, for everything that can change; documents by digest cannot."""
    # Who said offline further out meant it.
    with tally.using("offline" if tally.mode() == "offline" else "refresh"):
        yield


def _size(folder: Path) -> int:
    """Add up the files; another process may remove one meanwhile."""
    total = 0
    for path in folder.glob("*.sqlite*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total
