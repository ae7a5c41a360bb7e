"""SQLite files that survive what befalls a cache folder: damage, a full disk, no right to write.

A file that is damaged is set aside and said once; one that cannot be used, and a folder that
cannot be written, are replaced by memory and said once. A cache is never worth an error.
"""

import logging
import os
import sqlite3
import stat
import tempfile
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
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
# How SQLite says that a cell holds bytes that are no text.
_NO_TEXT = "Could not decode to UTF-8"
_SUFFIX = ".sqlite"
_DAMAGED = ".damaged-"
_BESIDE = ("", "-wal", "-shm")
# SQLite's limit on the parameters of one statement, on old builds.
_MOST_PARAMETERS = 900
# How many rows wait to be written together, and for how long until the next one writes them:
# `kill -9` costs no more. Where rows come slowly, as pulls may, that is one or two. [seconds]
_TOGETHER = 32
_SOON = 0.25
# And how much: more of it would fill the memory. [bytes]
_MUCH = 8 * 1024**2
# Rows come on while others are written, up to this many times as many; then they wait for those.
_FAR = 4
# Of new files: of SQLite's usual ones a document takes several, and as many calls of the system.
_PAGE = 16 * 1024
# For the index of tens of thousands of digests; SQLite's usual 2 MB are too little. [KiB]
_CACHE = 4096
# A write-ahead log is no longer than this part of the limit, and than SQLite's own 4 MB.
_LOG_PART = 64
_LOG_PAGES = range(4, 251)
# Space is given back in steps that keep nobody waiting. [pages]
_STEP = 64


@dataclass(frozen=True)
class Layout:
    """How a file is laid out.

    Attributes
    ----------
    version
        Written into the file.
    tables
        The statements that lay out a new file.
    probe
        A statement that no other layout can carry out.
    upgrades
        The statements that bring an older file here, by its version; files of none have 0.
    """

    version: int
    tables: tuple[str, ...]
    probe: str
    upgrades: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


class NewerFileError(sqlite3.DatabaseError):
    """A newer hubframe wrote the file: it is not to be touched."""


def prepare(folder: Path) -> Path | None:
    """Make the folder private and writable; None where that cannot be had."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        _tighten(folder)
    except OSError as error:
        _say(
            f"the cache folder {folder} cannot be written ({error.strerror}); "
            "answers are kept in memory until the program ends. Set HUBFRAME_CACHE_DIR to move it"
        )
        return None
    return folder


def size_of(folder: Path) -> int:
    """Add up the bytes of the files; another process may remove one meanwhile."""
    total = 0
    for path in folder.glob(f"*{_SUFFIX}*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


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
    layout
        What it holds.
    limit
        What the folder may hold; None for no limit. [bytes]

    Attributes
    ----------
    path
        The file in use; None for memory, also where the file could not be had.
    """

    def __init__(self, path: Path | None, layout: Layout, limit: int | None = None) -> None:
        self.path = path
        self.limit = limit
        self._layout = layout
        # Of whoever writes, and of whoever sees to the file; then that of what is read beside.
        self._lock = threading.RLock()
        self._reading = threading.Lock()
        self._is_closed = False
        self._has_complained = False
        self._identity: tuple[int, int] | None = None
        self._waiting = _Waiting()
        self._paused: list[Any] = []
        self._reader: sqlite3.Connection | None = None
        self._opened: sqlite3.Connection | None = self._open()
        _databases.add(self)

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Carry out a statement, and return its rows."""
        self.flush()
        return self._attempt(lambda: self._rows(statement, parameters))

    def select(self, statement: str, keys: Iterable[str]) -> Iterator[Any]:
        """Return the rows of many keys, each asked for once; ``{}`` stands for the keys."""
        wanted = dict.fromkeys(keys)
        if not self._waiting.is_disjoint(wanted):
            self.flush()
        left = iter(wanted)
        while batch := list(islice(left, _MOST_PARAMETERS)):
            yield from self._read(statement.format(",".join("?" * len(batch))), batch)

    def write(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Carry out a statement for each row, all in one transaction."""
        if rows:
            self.flush()
            self._attempt(lambda: self._write(statement, rows))

    def write_soon(self, statement: str, row: Sequence[Any], size: int) -> None:
        """Carry out a statement together with others: a transaction for each would take longer.

        The statement is always the same, and the first cell is the row's key: whoever asks for
        that key meanwhile has it written first.

        Parameters
        ----------
        statement, row
            The statement and its parameters.
        size
            About how much it writes. [bytes]
        """
        self._waiting.add(statement, row, size)
        if self._waiting.are_due and self._lock.acquire(blocking=self._waiting.are_many):
            try:
                self._write_waiting()
            finally:
                self._lock.release()

    def flush(self) -> None:
        """Write what waits to be written, and wait for what is being written."""
        if not self._waiting.are_none:
            with self._lock:
                self._write_waiting()

    def empty(self, *tables: str) -> None:
        """Delete all rows, and give the space back."""
        for table in tables:
            self.run(f"DELETE FROM {table}")  # noqa: S608
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            self.run(statement)

    def held(self) -> int:
        """Return the bytes that the rows take, without the space that is free."""
        used = self._count("page_count") - self._count("freelist_count")
        return used * self._count("page_size")

    def beside(self) -> int:
        """Return the bytes that the other files of the folder take."""
        if self.path is None:
            return 0
        return size_of(self.path.parent) - sum(map(_length, self._files(self.path)))

    def shrink(self, goal: int) -> None:
        """Give free space back until the file has the size given, a little at a time."""
        size = self._count("page_size")
        while self._count("freelist_count") and self._count("page_count") * size > goal:
            before = self._count("page_count")
            self.run(f"PRAGMA incremental_vacuum({_STEP})")
            if self._count("page_count") >= before:
                break
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; from then on nothing is held."""
        self.flush()
        with self._lock:
            self._is_closed = True
            self._close_reader()
            if self._opened is not None:
                self._opened.close()

    def pause(self) -> None:
        """Close the file before a fork; it is opened again when it is next used.

        SQLite remembers the locks of a file for a whole process: a child that opens a file which
        its parent has open relies on locks that it does not hold.
        """
        # One that cannot be had in time may belong to the very thread that forks.
        locks = (self._lock, self._reading)
        self._paused = [lock for lock in locks if lock.acquire(timeout=_LONGEST_PAUSE)]
        if self.path is not None and len(self._paused) == len(locks) and not self._is_closed:
            self._write_waiting()
            for connection in (self._opened, self._reader):
                if connection is not None:
                    connection.close()
            self._opened = self._reader = None

    def resume(self) -> None:
        """Go on after a fork."""
        for lock in reversed(self._paused):
            lock.release()
        self._paused = []

    def forget_parent(self) -> None:
        """Begin anew in a child, where no other thread is left to release a lock."""
        self._lock, self._reading, self._paused = threading.RLock(), threading.Lock(), []
        if self.path is not None and self._opened is not None:
            # It could not be closed in time: here it is neither used nor closed.
            _of_parents.extend([self._opened, self._reader])
            self._opened, self._reader, self._waiting = None, None, _Waiting()

    def __del__(self) -> None:
        if hasattr(self, "_opened"):
            self.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _count(self, what: str) -> int:
        rows = self.run(f"PRAGMA {what}")
        return int(rows[0][0]) if rows else 0

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

    def _read(self, query: str, keys: Sequence[str]) -> list[Any]:
        """Read; beside whoever writes, who may take a while."""
        work = partial(self._rows, query, keys)
        if not self._lock.acquire(blocking=False):
            found = self._read_beside(query, keys)
            return self._attempt(work) if found is None else found
        try:
            return self._attempt(work)
        finally:
            self._lock.release()

    def _read_beside(self, query: str, keys: Sequence[str]) -> list[Any] | None:
        """Read by a connection of its own; None where that cannot be: in memory, or for damage."""
        with self._reading:
            if self.path is None or self._is_closed:
                return None
            try:
                if self._reader is None:
                    # Not to be made where another process just set it aside.
                    address = f"{self.path.absolute().as_uri()}?mode=rw"
                    self._reader = _connection(address, uri=True)
                return self._reader.execute(query, keys).fetchall()
            except sqlite3.DatabaseError:
                return None

    def _close_reader(self) -> None:
        with self._reading:
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def _write_waiting(self) -> None:
        statement, rows = self._waiting.take()
        try:
            if rows:
                self._attempt(lambda: self._write(statement, rows))
        finally:
            self._waiting.forget_taken()

    def _once_more(self, work: Callable[[], list[Any]]) -> list[Any]:
        try:
            return work()
        except sqlite3.DatabaseError as error:
            return self._complain(error)

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if _NO_TEXT not in str(error):
                raise
        # What is no text is damaged, and is found out by its checksum: no reason for an error.
        self._connection.text_factory = _text
        return self._rows(statement, parameters)

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
        self._close_reader()
        self._connection.close()
        try:
            # Another process may have set it aside already: what is there now is sound.
            if _identity(path) == self._identity:
                _say_set_aside(path, error, _set_aside(path))
        except OSError as failure:
            _say(
                f"the cache file {path} is damaged and cannot be moved ({failure.strerror}); "
                "answers are kept in memory until the program ends"
            )
            self.path = None
        self._opened = self._open()

    def _open(self) -> sqlite3.Connection:
        """Open the file; anew where it is damaged; memory where neither can be had."""
        if self.path is None:
            return self._connect(MEMORY)
        try:
            connection = self._open_file(self.path)
            self._identity = _identity(self.path)
        except (sqlite3.DatabaseError, OSError) as error:
            _say(
                f"the cache file {self.path} cannot be used ({error}); "
                "answers are kept in memory until the program ends"
            )
            self.path = None
            return self._connect(MEMORY)
        return connection

    def _open_file(self, path: Path) -> sqlite3.Connection:
        _make_private(path)
        before = _identity(path)
        try:
            return self._connect(path)
        except sqlite3.DatabaseError as error:
            if not (_is_damage(error) or _is_foreign(error)):
                raise
            name = _set_aside(path) if _identity(path) == before else None
            _make_private(path)
            connection = self._connect(path)
            if name:
                _say_set_aside(path, error, name)
            return connection

    def _connect(self, path: Path | str) -> sqlite3.Connection:
        connection = _connection(path)
        try:
            _check_version(connection, self._layout)
            # Another process may be opening the same new file; one of them sets the mode for all.
            with suppress(sqlite3.OperationalError):
                if not connection.execute("PRAGMA page_count").fetchone()[0]:
                    connection.execute(f"PRAGMA page_size={_PAGE}")
                    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA cache_size=-{_CACHE}")
            log = _log_pages(self.limit)
            connection.execute(f"PRAGMA wal_autocheckpoint={log}")
            connection.execute(f"PRAGMA journal_size_limit={log * _PAGE}")
            _lay_out(connection, self._layout)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    @staticmethod
    def _files(path: Path) -> list[Path]:
        return [Path(f"{path}{suffix}") for suffix in _BESIDE]


class _Waiting:
    """Rows that wait to be written together, by key; and those that are just being written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, Sequence[Any]] = {}
        self._taken: dict[str, Sequence[Any]] = {}
        self._statement = ""
        self._since = 0.0
        self._size = 0

    def add(self, statement: str, row: Sequence[Any], size: int) -> None:
        """Take a row in."""
        with self._lock:
            if not self._rows:
                self._since, self._size = time.monotonic(), 0
            self._rows[row[0]] = row
            self._statement = statement
            self._size += size

    @property
    def are_none(self) -> bool:
        """Whether all that there were are in the file."""
        return not self._rows and not self._taken

    @property
    def are_due(self) -> bool:
        """Whether they have waited for long enough."""
        is_full = len(self._rows) >= _TOGETHER or self._size > _MUCH
        return is_full or time.monotonic() - self._since > _SOON

    @property
    def are_many(self) -> bool:
        """Whether more of them come than are written."""
        return len(self._rows) >= _FAR * _TOGETHER or self._size > _FAR * _MUCH

    def is_disjoint(self, keys: Container[str]) -> bool:
        """Tell whether none of them has one of these keys."""
        with self._lock:
            return not any(key in keys for held in (self._rows, self._taken) for key in held)

    def take(self) -> tuple[str, list[Sequence[Any]]]:
        """Return them, to be written."""
        with self._lock:
            self._taken, self._rows = self._rows, {}
            return self._statement, list(self._taken.values())

    def forget_taken(self) -> None:
        """Let go of those that were written."""
        self._taken = {}


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
# A fork waits no longer for what SQLite is doing. [seconds]
_LONGEST_PAUSE = 2.0
# The databases that a fork found, and connections that it could not close.
_pausing: list[Database] = []
_of_parents: list[Any] = []


def _pause() -> None:
    _pausing[:] = _databases
    for database in _pausing:
        database.pause()


def _resume() -> None:
    for database in _pausing:
        database.resume()
    _pausing.clear()


def _forget_parents() -> None:
    for database in _pausing:
        database.forget_parent()
    _pausing.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_parent=_resume, after_in_child=_forget_parents)


def _connection(place: Path | str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        place, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, uri=uri
    )


def _lay_out(connection: sqlite3.Connection, layout: Layout) -> None:
    """Make the tables of a new file, and bring those of an older one here."""
    if _version(connection) < layout.version:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster.
            if (version := _version(connection)) < layout.version:
                is_new = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
                for each in layout.tables if is_new else layout.upgrades.get(version, ()):
                    connection.execute(each)
                connection.execute(f"PRAGMA user_version={layout.version}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    _check_version(connection, layout)
    connection.execute(layout.probe)


def _check_version(connection: sqlite3.Connection, layout: Layout) -> None:
    if _version(connection) > layout.version:
        raise NewerFileError("a newer hubframe wrote it; it is left as it is")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _log_pages(limit: int | None) -> int:
    """After how many pages a write-ahead log is written back: sooner in a small cache."""
    if limit is None:
        return _LOG_PAGES[-1]
    return min(max(limit // _LOG_PART // _PAGE, _LOG_PAGES[0]), _LOG_PAGES[-1])


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad: a busy file or a full disk says nothing against it."""
    return getattr(error, "sqlite_errorcode", 0) & _PLAIN in _DAMAGE


def _is_foreign(error: sqlite3.Error) -> bool:
    """Whether the file is sound, but laid out for something else."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR


def _set_aside(path: Path) -> str:
    """Move a file out of the way, in place of the one before; another process may be faster."""
    for earlier in path.parent.glob(f"{path.name}{_DAMAGED}*"):
        earlier.unlink(missing_ok=True)
    kept = path.with_name(f"{path.name}{_DAMAGED}{time.time_ns()}")
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{kept}{suffix}")
    return kept.name


def _say_set_aside(path: Path, error: sqlite3.Error, name: str) -> None:
    why = "is damaged" if _is_damage(error) else "is laid out for something else"
    _say(
        f"the cache file {path} {why} ({error}); it was set aside as {name}, "
        "and what it held will be fetched again"
    )


def _say(message: str) -> None:
    warnings.warn(message, CacheWarning, stacklevel=3)


def _text(written: bytes) -> str:
    return written.decode(errors="replace")


def _length(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell a file from another of the same name."""
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def _owner(folder: Path) -> int:
    """Whose the files are that are made here: not always the user, on what others serve.

    The file has no name, so nobody can put a link in its place.
    """
    with tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_uid


def _tighten(folder: Path) -> None:
    """Make a folder that was there before private, where it is the cache's alone.

    Somebody's home or a shared folder keeps its rights: the files are private in any case.
    """
    owner, found = _owner(folder), folder.stat()
    is_wide = stat.S_IMODE(found.st_mode) & ~_PRIVATE_FOLDER
    if is_wide and found.st_uid == owner and all(_SUFFIX in each.name for each in folder.iterdir()):
        with suppress(OSError):  # some file systems know no rights
            folder.chmod(_PRIVATE_FOLDER)


def _make_private(path: Path) -> None:
    """Make the file where there is none, and private where it is the user's.

    Raises
    ------
    OSError
        Somebody else put it there: it may hold forged answers, or be a link to another's file.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE_FILE))
    owner = _owner(path.parent)
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            _check_own(Path(f"{path}{suffix}"), owner)


def _check_own(path: Path, owner: int) -> None:
    link, found = path.lstat(), path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path.name} is no file")
    if {link.st_uid, found.st_uid} != {owner}:
        raise OSError(f"{path.name} belongs to somebody else")
    if stat.S_IMODE(found.st_mode) != _PRIVATE_FILE:
        with suppress(OSError):  # some file systems know no rights
            path.chmod(_PRIVATE_FILE)
