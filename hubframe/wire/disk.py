"""SQLite files that survive what befalls a cache folder: damage, a full disk, no right to write.

A file that is damaged is set aside and said once; one that cannot be used, and a folder that
cannot be written, are replaced by memory and said once. A cache is never worth an error.
"""

import logging
import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from hubframe.errors import CacheWarning

logger = logging.getLogger(__name__)

MEMORY = ":memory:"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_PATIENCE = 30.0
# Extended codes keep the plain one in their lowest byte.
_PLAIN = 0xFF
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DAMAGED = ".damaged-"
# SQLite's limit on the parameters of one statement, on old builds.
_MOST_PARAMETERS = 900


def prepare(folder: Path) -> Path | None:
    """Make the folder private and writable; None where that cannot be had."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}-{threading.get_ident()}"
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)
    except OSError as error:
        _say(
            f"the cache folder {folder} cannot be written ({error.strerror}); "
            "answers are kept in memory until the program ends. Set HUBFRAME_CACHE_DIR to move it"
        )
        return None
    return folder


def discard_damaged(folder: Path) -> None:
    """Delete the files that were set aside."""
    for path in folder.glob(f"*{_DAMAGED}*"):
        with suppress(OSError):
            path.unlink()


class Database:
    """One SQLite file, or memory, shared by threads and processes.

    A statement that cannot be carried out has no rows and costs the entry only.

    Parameters
    ----------
    path
        The file; None for memory.
    schema
        The statement that makes the table, where there is none.

    Attributes
    ----------
    path
        The file in use; None for memory, also where the file could not be had.
    """

    def __init__(self, path: Path | None, schema: str) -> None:
        self.path = path
        self._schema = schema
        self._lock = threading.RLock()
        self._is_closed = False
        self._has_complained = False
        self._connection = self._open()

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Carry out a statement, and return its rows."""
        return self._attempt(lambda: self._connection.execute(statement, parameters).fetchall())

    def select(self, statement: str, keys: Iterable[str]) -> Iterator[Any]:
        """Return the rows of many keys, each asked for once; ``{}`` stands for the keys."""
        wanted = iter(dict.fromkeys(keys))
        while batch := list(islice(wanted, _MOST_PARAMETERS)):
            yield from self.run(statement.format(",".join("?" * len(batch))), batch)

    def write(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Carry out a statement for each row, all in one transaction."""
        if rows:
            self._attempt(lambda: self._write(statement, rows))

    def empty(self, table: str) -> None:
        """Delete all rows, and give the space back."""
        for statement in (f"DELETE FROM {table}", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):  # noqa: S608
            self.run(statement)

    def close(self) -> None:
        """Close the file; from then on nothing is held."""
        with self._lock:
            self._is_closed = True
            self._connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_connection"):
            self.close()

    def _attempt(self, work: Callable[[], list[Any]]) -> list[Any]:
        """Do what is asked; in a new file, where this one turns out to be damaged."""
        with self._lock:
            if self._is_closed:
                return []
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.ProgrammingError):
                    raise
                if self.path is None or not _is_damage(error):
                    return self._complain(error)
                self._rebuild(self.path, error)
                return self._once_more(work)

    def _once_more(self, work: Callable[[], list[Any]]) -> list[Any]:
        try:
            return work()
        except sqlite3.DatabaseError as error:
            return self._complain(error)

    def _write(self, statement: str, rows: Sequence[Sequence[Any]]) -> list[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(statement, rows)
            self._connection.execute("COMMIT")
        finally:
            # A full disk ends some transactions of itself, and leaves others open.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return []

    def _complain(self, error: sqlite3.Error) -> list[Any]:
        """Say once that a full disk or a busy file costs entries."""
        if not self._has_complained:
            self._has_complained = True
            logger.warning("the cache %s could not be used: %s", self.path or "in memory", error)
        return []

    def _rebuild(self, path: Path, error: sqlite3.Error) -> None:
        self._connection.close()
        try:
            _say_damaged(path, error, _set_aside(path))
        except OSError as failure:
            _say(
                f"the cache file {path} is damaged and cannot be moved ({failure.strerror}); "
                "answers are kept in memory until the program ends"
            )
            self.path = None
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        """Open the file; anew where it is damaged; memory where neither can be had."""
        if self.path is None:
            return _connect(MEMORY, self._schema)
        try:
            return self._open_file(self.path)
        except (sqlite3.DatabaseError, OSError) as error:
            _say(
                f"the cache file {self.path} cannot be used ({error}); "
                "answers are kept in memory until the program ends"
            )
            self.path = None
            return _connect(MEMORY, self._schema)

    def _open_file(self, path: Path) -> sqlite3.Connection:
        try:
            return _private(path, self._schema)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            name = _set_aside(path)
            connection = _private(path, self._schema)
            _say_damaged(path, error, name)
            return connection


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad: a busy file or a full disk says nothing against it."""
    return getattr(error, "sqlite_errorcode", 0) & _PLAIN in _DAMAGE


def _set_aside(path: Path) -> str:
    """Move a damaged file out of the way; another process may have been faster."""
    kept = path.with_name(f"{path.name}{_DAMAGED}{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{kept}{suffix}")
    return kept.name


def _say_damaged(path: Path, error: sqlite3.Error, name: str) -> None:
    _say(
        f"the cache file {path} is damaged ({error}); it was set aside as {name}, "
        "and what it held will be fetched again"
    )


def _say(message: str) -> None:
    warnings.warn(message, CacheWarning, stacklevel=3)


def _text(written: bytes) -> str:
    return written.decode(errors="replace")


def _private(path: Path, schema: str) -> sqlite3.Connection:
    path.touch(mode=_PRIVATE_FILE)
    return _connect(path, schema)


def _connect(path: Path | str, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        # Another process may be opening the same new file; one of them sets the mode for all.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        # What is no text is damaged, and is found out by its checksum: no reason for an error.
        connection.text_factory = _text
        connection.execute(schema)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
