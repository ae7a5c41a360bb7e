"""Documents as files, as hubframe keeps them, beside one SQLite table of the same bytes; in seconds.

Both verify what they read. The table has a write-ahead log and is written in batches of 32. The medians of several
times of each side, in turns, each time in a new folder. Cold is after the system dropped what it holds in memory of
files, where whoever runs this may ask for that.
"""

import hashlib
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.collection import release
from benchmarks.peers.reading import batches
from benchmarks.results import verdict
from hubframe import Settings
from hubframe.oci.digests import Document, is_sound
from hubframe.wire.blobs import Blobs
from hubframe.wire.files import Folder, prepare

_MOST_RATIO = 2.0
# So many are written in a transaction, and so many at once are made.
_TOGETHER, _MADE = 32, 3_200
_TENTH = 10
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")
_SCHEMA = "CREATE TABLE documents (digest TEXT PRIMARY KEY, body BLOB, size INTEGER, used REAL)"
_OLDEST = """
    DELETE FROM documents WHERE rowid IN (
        SELECT rowid FROM (
            SELECT rowid, sum(size) OVER (ORDER BY used, rowid) - size AS before FROM documents
        ) WHERE before < ?
    )
"""


@dataclass(frozen=True)
class Scale:
    """How many documents there are, how often all is done, and whether it is done cold, too."""

    documents: int = 100_000
    repeats: int = 3
    is_cold: bool = True


FULL, QUICK = Scale(), Scale(300, 1, is_cold=False)


class Files:
    """Files in a folder, by hubframe's own classes."""

    def __init__(self, folder: Path, limit: int) -> None:
        assert prepare(folder) is not None
        self._folder, self._limit = folder, limit
        self._blobs = Blobs(Folder(folder, limit))

    def write(self, documents: Iterable[Document]) -> None:
        """Keep them; what the folder holds is looked at now and then."""
        for document in documents:
            self._blobs.put(document)

    def read(self, digests: list[str]) -> int:
        """Read and verify all, and return how many there are."""
        blobs = Blobs(Folder(self._folder, self._limit))
        return sum(len(blobs.get_many(some)) for some in batches(digests))

    def count(self) -> tuple[int, int]:
        """Count the documents and their bytes."""
        sizes = [entry.size for entry in self._blobs.entries()]
        return len(sizes), sum(sizes)

    def drop(self, size: int) -> None:
        """Delete the oldest of so many bytes in all: a full folder lets go of a tenth."""
        Folder(self._folder, size).trim()

    def close(self) -> None:
        """Do nothing: no file is open."""


class Table:
    """One table in a file."""

    def __init__(self, folder: Path, limit: int) -> None:  # noqa: ARG002 - as the other side
        folder.mkdir(parents=True)
        self._file = sqlite3.connect(folder / "documents.sqlite", isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute(_SCHEMA)

    def write(self, documents: Iterable[Document]) -> None:
        """Keep them."""
        now = time.time()
        rows = [(one.digest, one.body, len(one.body), now) for one in documents]
        for some in batches(rows, _TOGETHER):
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO documents VALUES (?, ?, ?, ?)", some)
            self._file.execute("COMMIT")

    def read(self, digests: list[str]) -> int:
        """Read and verify all, and return how many there are."""
        found = 0
        for some in batches(digests):
            marks = ",".join("?" * len(some))
            asked = f"SELECT digest, body FROM documents WHERE digest IN ({marks})"
            held = {
                digest: Document(digest, body) for digest, body in self._file.execute(asked, some)
            }
            found += sum(is_sound(one.digest, one.body) for one in held.values())
        return found

    def count(self) -> tuple[int, int]:
        """Count the documents and their bytes."""
        count, size = self._file.execute("SELECT count(*), sum(size) FROM documents").fetchone()
        return count, size

    def drop(self, size: int) -> None:
        """Delete the oldest of so many bytes in all; the file stays as large as it was."""
        self._file.execute(_OLDEST, [size // _TENTH])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


_SIDES: dict[str, type[Files | Table]] = {"hubframe": Files, "sqlite": Table}


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """Do everything on both sides.

    Returns
    -------
    list of dict
        A row for each ``work``: how many ``documents``, the seconds of each side (``hubframe``, ``sqlite``), and the
        ``ratio`` of the first to the second.
    """
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(scale.repeats):
        for name, make in _SIDES.items():
            with tempfile.TemporaryDirectory() as folder:
                for work, seconds in _times(make, Path(folder) / name, scale):
                    taken.setdefault(work, {}).setdefault(name, []).append(seconds)
    found = []
    for work, sides in taken.items():
        medians = {name: statistics.median(times) for name, times in sides.items()}
        ratio = medians["hubframe"] / medians["sqlite"]
        found.append({"work": work, "documents": scale.documents, **medians, "ratio": ratio})
    return found


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge each work."""
    return [
        verdict(
            f"{row['documents']:,} documents as files: {row['work']}",
            f"at most {_MOST_RATIO:.0f} × one SQLite table",
            f"{row['ratio']:.2f} ×",
            reached=row["ratio"] <= _MOST_RATIO,
        )
        for row in found
    ]


def _times(make: type[Files | Table], folder: Path, scale: Scale) -> Iterator[tuple[str, float]]:
    """Yield each work with its seconds, and make sure that nobody is fast by doing less."""
    # A larger cache than the usual one where there is more to keep; it is not to be full.
    limit = max(Settings().max_cache_bytes, 2 * scale.documents * _mean_size())
    with closing(make(folder, limit)) as side:
        digests, size, writing = [], 0, 0.0
        for numbers in batches(list(range(scale.documents)), _MADE):
            made = [_document(number) for number in numbers]
            digests += [one.digest for one in made]
            size += sum(len(one.body) for one in made)
            writing += _seconds(lambda made=made: side.write(made), None)  # type: ignore[misc]
        yield "write", writing
        yield "read all by digest", _seconds(lambda: side.read(digests), len(digests))
        if scale.is_cold and os.access(_DROP_CACHES, os.W_OK):
            os.sync()
            _DROP_CACHES.write_text("3")
            yield "the same, cold", _seconds(lambda: side.read(digests), len(digests))
        yield "count, and add up sizes", _seconds(side.count, (len(digests), size))
        yield "delete the oldest tenth", _seconds(lambda: side.drop(size - 1), None)
        left = side.count()[0]
        if abs(left - len(digests) * (1 - 1 / _TENTH)) > 0.01 * len(digests) + 1:
            raise RuntimeError(f"{left} of {len(digests)} documents are left")


def _seconds(work: Callable[[], object], expected: object) -> float:
    began = time.perf_counter()
    found = work()
    taken = time.perf_counter() - began
    if found != expected:
        raise RuntimeError(f"found {found}, and not {expected}")
    return taken


_BODIES = [
    one.body
    for one in (release(0).index, release(0).images[0].manifest, release(0).images[0].config)
]


def _mean_size() -> int:
    return sum(map(len, _BODIES)) // len(_BODIES)


def _document(number: int) -> Document:
    """Make a document that is as large as a true one, and like no other."""
    body = b"%s%d" % (_BODIES[number % len(_BODIES)], number)
    return Document(f"sha256:{hashlib.sha256(body).hexdigest()}", body)
