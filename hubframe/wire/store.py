"""Entries by key: what a client keeps, where, and what may go wrong with it.

There are three storages: answers that can change (``http_cache``), what tags point at (``tags``),
and what never changes (``documents``). Each is a file of its own, so that damage to one costs no
other. An entry has a time: when it is no longer fresh, or when it was last used.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote

from requests_cache.backends.base import BaseStorage
from requests_cache.backends.sqlite import SQLiteDict

from hubframe.wire import folder
from hubframe.wire.folder import DAMAGED, PRIVATE_FILE, PRIVATE_FOLDER, say
from hubframe.wire.settings import Settings

if TYPE_CHECKING:
    from hubframe.wire.redis import Redis

Result = TypeVar("Result")
# A key, its value, and its time. [seconds since 1970]
Row = tuple[str, Any, float]

# What goes wrong with files; a shared Redis that is gone is an error of its own.
FAULTS = (sqlite3.Error, OSError)
# How long an answer is held that is no longer fresh, for when the other side is down. [seconds]
HELD = 30 * 24 * 60 * 60
# Answers, and what tags point at, take at most this part of the cache each.
_PART = 8
# How long a file is waited for that another program has locked. [milliseconds]
_PATIENCE = 3_000
# Entries are written together: so many, or those of so long. [seconds]
_TOGETHER, _SOON = 32, 0.25
# What cannot be written is tried again after that time; so many stay in memory. [seconds]
_PAUSE, _MOST = 30.0, 10_000
# So many keys are named in a statement.
_BATCH = 900
# Uses are noted to the hour; a file half written for so long is nobody's. [seconds]
_HOUR = 60 * 60
# The limit is looked at after this part of it, or so many bytes, was written. Dropping goes on to
# so much of it; from so much of it on, the file is made smaller, which writes all of it anew.
_LOOK_PART, _LOOK_BYTES, _ENOUGH, _MUCH = 32, 64 * 1024**2, 0.9, 1.2
# What SQLite says of a bad file, of a full disk, and where there are no locks.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_NO_LOCKS = {sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS, 0}


class Entry(NamedTuple):
    """What is known of an entry without its value: its size in bytes, and its time."""

    key: str
    size: int
    time: float


class _Backend:
    """Where the entries of a storage are; each method does all that it is asked, or raises."""

    path = Path()

    def read(self, keys: list[str]) -> list[Row]:
        raise NotImplementedError

    def write(self, rows: list[Row]) -> None:
        raise NotImplementedError

    def remove(self, keys: list[str]) -> None:
        raise NotImplementedError

    def entries(self, until: float) -> list[Entry]:
        """List the entries whose time is before that."""
        raise NotImplementedError

    def clear(self) -> None:
        """Drop all entries."""
        self.remove([entry.key for entry in self.entries(float("inf"))])

    def touch(self, keys: list[str]) -> None:
        """Note that entries were used now."""

    def used(self) -> int:
        """Return what entries take where that is limited, in bytes."""
        return 0

    def shrink(self) -> None:
        """Give back the room of what is gone."""

    def close(self) -> None:
        """Let go of the file; it is opened again when it is used."""


class _SQLite(SQLiteDict, _Backend):
    """requests-cache's table in a file, whose transactions end or raise.

    Its own try without end to begin, and pass over what goes wrong when they end.
    """

    def __init__(self, path: Path, table: str) -> None:
        self.path = path
        self._turn = threading.RLock()
        try:
            super().__init__(path, table, serializer=None, wal=True, busy_timeout=_PATIENCE)
        except sqlite3.Error:
            # What SQLite keeps beside the file goes with the connection.
            self.close()  # type: ignore[no-untyped-call]
            raise

    def init_db(self) -> None:
        """Make the table where there is none: where there is one, others may be writing."""
        asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        with self.connection() as file:
            is_there = file.execute(asked, [self.table_name]).fetchone()
        if not is_there:
            super().init_db()  # type: ignore[no-untyped-call]
        self._select("key, value, expires", "LIMIT 0")

    @contextmanager
    def connection(self, commit: bool = False) -> Iterator[sqlite3.Connection]:  # noqa: FBT001, FBT002 - theirs
        """Use the file, one thread at a time; in a transaction, if it is to be written."""
        with self._turn, super().connection() as file:
            # What is damaged may be no text at all.
            file.text_factory = partial(str, encoding="utf-8", errors="replace")
            if not commit or file.in_transaction:
                yield file
                return
            file.execute("BEGIN IMMEDIATE")
            try:
                yield file
                file.execute("COMMIT")
            finally:
                if file.in_transaction:
                    file.execute("ROLLBACK")

    def read(self, keys: list[str]) -> list[Row]:
        columns = "key, value, CAST(coalesce(expires, 0) AS INTEGER)"
        return [row for some in _batches(keys) for row in self._select(columns, _in(some), some)]

    def write(self, rows: list[Row]) -> None:
        columns = "(key, value, expires) VALUES (?, ?, ?)"
        statement = f"INSERT OR REPLACE INTO {self.table_name} {columns}"
        with self.connection(commit=True) as file:
            file.executemany(statement, [(key, value, round(at)) for key, value, at in rows])

    def touch(self, keys: list[str]) -> None:
        self._each(f"UPDATE {self.table_name} SET expires = {time.time():.0f}", keys)  # noqa: S608

    def remove(self, keys: list[str]) -> None:
        self._each(f"DELETE FROM {self.table_name}", keys)  # noqa: S608

    def entries(self, until: float) -> list[Entry]:
        columns = "key, coalesce(length(value), 0), CAST(coalesce(expires, 0) AS INTEGER)"
        return [Entry(*row) for row in self._select(columns, "WHERE expires < ?", [until])]

    def clear(self) -> None:
        with self.connection(commit=True) as file:
            file.execute(f"DELETE FROM {self.table_name}")  # noqa: S608
        self.shrink()

    def used(self) -> int:
        with self.connection() as file:
            pages, free, size = (
                file.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def shrink(self) -> None:
        # Where it cannot be done now, what is free is written to before the file grows.
        with suppress(sqlite3.Error), self.connection() as file:
            file.execute("VACUUM")
        self.close()  # type: ignore[no-untyped-call]

    def _select(self, columns: str, which: str = "", values: Iterable[object] = ()) -> list[Any]:
        asked = f"SELECT {columns} FROM {self.table_name} {which}"  # noqa: S608 - our own names
        with self.connection() as file:
            return file.execute(asked, tuple(values)).fetchall()

    def _each(self, statement: str, keys: list[str]) -> None:
        for some in _batches(keys):  # others write in between
            with self.connection(commit=True) as file:
                file.execute(f"{statement} {_in(some)}", some)


class _Files(_Backend):
    """A file for each entry, written beside and renamed: on any file system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        folder.check_owner(path)

    def read(self, keys: list[str]) -> list[Row]:
        found: list[Row] = []
        for key in keys:
            with suppress(FileNotFoundError), self._of(key).open("rb") as file:
                found.append((key, file.read(), os.fstat(file.fileno()).st_mtime))
        return found

    def write(self, rows: list[Row]) -> None:
        self.path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        beside = self.path / f".{secrets.token_hex(8)}"
        try:
            for key, value, at in rows:
                handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
                with os.fdopen(handle, "wb") as file:
                    file.write(value.encode() if isinstance(value, str) else value)
                os.utime(beside, (at, at))
                beside.replace(self._of(key))
        finally:
            beside.unlink(missing_ok=True)

    def remove(self, keys: list[str]) -> None:
        for key in keys:
            self._of(key).unlink(missing_ok=True)

    def entries(self, until: float) -> list[Entry]:
        found: list[Entry] = []
        for path in self.path.glob("*"):
            with suppress(FileNotFoundError):
                at, key = path.stat(), unquote(path.name.removesuffix(".json"))
                if key.startswith("."):
                    if time.time() - at.st_mtime > _HOUR:
                        path.unlink()
                elif at.st_mtime < until:
                    found.append(Entry(key, at.st_size, at.st_mtime))
        return found

    def touch(self, keys: list[str]) -> None:
        for key in keys:
            with suppress(FileNotFoundError):
                os.utime(self._of(key))

    def used(self) -> int:
        return sum(entry.size for entry in self.entries(float("inf")))

    def _of(self, key: str) -> Path:
        return self.path / f"{quote(key, safe='')}.json"


class _Redis(_Backend):
    """Keys of a Redis; an answer leaves it by itself. When a document was used is not known."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._reaching, self._name = redis.reaching, f"hubframe:{name}:"
        self._is_held = name != "documents"

    def read(self, keys: list[str]) -> list[Row]:
        with self._reaching() as redis:
            values = redis.mget([self._name + key for key in keys])
        rows = zip(keys, values, strict=True)
        return [(key, value, time.time()) for key, value in rows if value is not None]

    def write(self, rows: list[Row]) -> None:
        with self._reaching() as redis:
            for key, value, at in rows:
                left = max(1, round(at - time.time()) + HELD) if self._is_held else None
                redis.set(self._name + key, value, ex=left)

    def remove(self, keys: list[str]) -> None:
        with self._reaching() as redis:
            for key in keys:
                redis.delete(self._name + key)

    def entries(self, until: float) -> list[Entry]:
        found: list[Entry] = []
        with self._reaching() as redis:
            for key in redis.scan_iter(f"{self._name}*", count=_BATCH):
                at = time.time() + (redis.ttl(key) - HELD if self._is_held else 0)
                name = key.decode().removeprefix(self._name)
                found.append(Entry(name, redis.strlen(key), at))
        return [entry for entry in found if entry.time < until]

    def close(self) -> None:
        with self._reaching() as redis:
            redis.close()


class Storage(BaseStorage[str, Any]):
    """Entries by key, written together; requests-cache takes it for a storage of its own.

    `opened` opens where they are kept, or returns None for memory only; `complain` says what went
    wrong. `serializer` is what requests-cache makes bytes of values with, None for values that are
    bytes or text. `limit` returns how many bytes the entries may take, where their times are those
    of their last use.
    """

    def __init__(
        self,
        opened: Callable[[], _Backend | None],
        complain: Callable[[str], None],
        serializer: str | None = None,
        limit: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(serializer=serializer)
        self._open, self._complain, self._limit = opened, complain, limit
        self._turn = threading.RLock()
        self._unsaved: dict[str, tuple[Any, float]] = {}
        self._used: set[str] = set()
        self._since = self._paused_until = 0.0
        self._unlooked = self._lost = 0
        self._backend = opened()

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values that are there, by key."""
        wanted, unsaved = list(dict.fromkeys(keys)), self._unsaved
        found = {key: unsaved[key][0] for key in wanted if key in unsaved}
        left = [key for key in wanted if key not in found]
        try:
            rows: list[Row] = self.do(lambda backend: backend.read(left), []) if left else []
        except FAULTS as error:
            rows = []
            self._said("read", error)
            self._backend = None
        for key, value, at in rows:
            if (read := self.deserialize(key, value)) is not None:
                found[key] = read
            if self._limit and abs(time.time() - at) > _HOUR:
                self._used.add(key)
        return found

    def put(self, key: str, value: Any, at: float | None = None) -> None:
        """Keep an entry, together with others; of a Redis others may be waiting for it."""
        if not self._unsaved:
            self._since = time.monotonic()
        self._unsaved[key] = (value, time.time() if at is None else at)
        is_due = len(self._unsaved) >= _TOGETHER or time.monotonic() - self._since > _SOON
        if is_due or isinstance(self._backend, _Redis):
            # Otherwise who writes already writes this, too, or the next one does.
            self.flush(waits=isinstance(self._backend, _Redis))

    def flush(self, *, waits: bool = True) -> None:
        """Write what waits to be written; what cannot be stays in memory, and is tried again."""
        is_idle = self._backend is None or not (self._unsaved or self._used)
        if is_idle or time.monotonic() < self._paused_until or not self._turn.acquire(waits):
            return
        try:
            self._write()
        except FAULTS as error:
            self._paused_until = time.monotonic() + _PAUSE
            while len(self._unsaved) > _MOST:
                del self._unsaved[next(iter(self._unsaved))]
                self._lost += 1
            self._said("written", error)
        finally:
            self._turn.release()

    def check(self, opened: Callable[[], _Backend | None]) -> None:
        """Open again what could not be used, or raise one of `FAULTS`."""
        with self._turn:
            self._backend = opened() if self._backend is None else self._backend

    def delete(self, keys: Iterable[str]) -> None:
        """Drop entries, or raise one of `FAULTS`."""
        gone = list(keys)
        with self._turn:
            for key in gone:
                self._unsaved.pop(key, None)
            self.do(lambda backend: backend.remove(gone))

    def clear(self) -> None:
        """Drop all entries, or raise one of `FAULTS`."""
        with self._turn:
            self._unsaved.clear()
            self._paused_until = 0.0
            try:
                self.do(lambda backend: backend.clear())
            except sqlite3.Error as error:
                # A disk that is full has no room to note what is gone.
                if self._backend is None or _code(error) & 0xFF not in _NO_ROOM:
                    raise
                self._backend.close()
                for beside in ("", "-wal", "-shm"):
                    Path(f"{self._backend.path}{beside}").unlink(missing_ok=True)
                self._backend = self._open()

    def entries(self, until: float = float("inf")) -> list[Entry]:
        """List the entries whose time is before that, or raise one of `FAULTS`."""
        self.flush()
        held = [Entry(key, len(str(value)), at) for key, (value, at) in self._unsaved.items()]
        found = self.do(lambda backend: backend.entries(until), held)
        return [entry for entry in found if entry.time < until]

    def trim(self, limit: float) -> None:
        """Drop those of the lowest times, where entries take more than they may."""
        used = self.do(lambda backend: backend.used(), 0)
        if used <= limit:
            return
        entries = self.do(lambda backend: backend.entries(float("inf")))
        left = sum(one.size for one in entries) * (1 - _ENOUGH * limit / used)
        going = []
        for entry in sorted(entries, key=lambda one: one.time):
            going.append(entry.key)
            left -= entry.size
            if left <= 0:
                break
        self.delete(going)
        if used > _MUCH * limit:
            self.do(lambda backend: backend.shrink())

    @property
    def unsaved(self) -> int:
        """How many entries could not be written: they are in memory, or lost already."""
        return self._lost + (len(self._unsaved) if self._paused_until else 0)

    def do(self, work: Callable[[_Backend], Result], otherwise: Any = None) -> Any:
        """Do something where entries are kept, and again in a new file where that is damaged."""
        backend = self._backend
        with self._turn if isinstance(backend, _SQLite) else nullcontext():
            try:
                return otherwise if backend is None else work(backend)
            except sqlite3.Error as error:
                if not _is_damage(error) or backend is None:
                    raise
                backend.close()
                # One of another layout is told when it is opened.
                if _code(error) & 0xFF in _DAMAGE:
                    _quarantine(backend.path, error)
                self._backend = backend = self._open()
                return otherwise if backend is None else work(backend)

    def close(self) -> None:
        """Write what waits, and close the file; it is opened again when it is used."""
        self.flush()
        self.do(lambda backend: backend.close())

    def pause(self) -> None:
        """Close the file before a fork: SQLite remembers its locks for a whole process."""
        self._turn.acquire()
        self.close()

    def resume(self) -> None:
        """Go on after a fork, in the parent and in the child."""
        self._turn.release()

    def __getitem__(self, key: str) -> Any:
        return self.get_many([key])[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.put(key, value, value.expires_unix)

    def __delitem__(self, key: str) -> None:
        self.delete([key])

    def __iter__(self) -> Iterator[str]:
        return iter([entry.key for entry in self.entries()])

    def __len__(self) -> int:
        return len(self.entries())

    def _write(self) -> None:
        unsaved, used, self._used = dict(self._unsaved), list(self._used), set()
        rows = [(key, self.serialize(value), at) for key, (value, at) in unsaved.items()]
        self.do(lambda backend: backend.touch(used))
        self.do(lambda backend: backend.write(rows))
        for key, kept in unsaved.items():
            if self._unsaved.get(key) is kept:
                del self._unsaved[key]
        self._unlooked += sum(len(value) for _, value, _ in rows)
        if self._limit and self._unlooked >= min(_LOOK_BYTES, self._limit() // _LOOK_PART):
            self._unlooked = 0
            self.trim(self._limit())

    def _said(self, done: str, error: Exception) -> None:
        # A table of requests-cache is false where it is empty, and counts to find out.
        path = None if self._backend is None else self._backend.path
        self._complain(
            f"the cache {path} could not be {done} "
            f"({reason(error)}): {len(self._unsaved):,} entries, and those to come, are kept in "
            "memory until the program ends"
        )


class Store:
    """The storages of a client, where its settings say, or in the Redis that machines share.

    Those of the sample stay in memory: they are not the real Hub's.
    """

    def __init__(self, settings: Settings, redis: Redis | None = None) -> None:
        # A fork waits until that is done: SQLite has locks of its own while it opens a file, and
        # so has Python while it loads what it reads the file system's name with.
        with _opening:
            self.is_shared = settings.cache_url is not None and not settings.sample
            self.redis = redis
            self.folder: Path | None = None
            if self.is_shared and redis is None:
                self.folder = folder.shared_folder(settings.cache_url or "")
            elif not self.is_shared and not settings.sample:
                self.folder = folder.prepare(settings.cache_folder)
            is_own = self.folder is not None and not self.is_shared
            self.limit = settings.max_cache_bytes if is_own else None
            self._has_locks = is_own and folder.has_locks(self.folder or Path())
            self._has_complained = False
            opened = [partial(self._opened, name) for name in folder.STORAGES]
            self.answers = Storage(opened[0], self._complain, "orjson")
            self.tags = Storage(opened[1], self._complain)
            self.documents = Storage(opened[2], self._complain, limit=self._room)
            self.storages = (self.answers, self.tags, self.documents)
            _opened.add(self)
        if not self.is_shared:
            with suppress(*FAULTS):
                self._trim()

    def flush(self) -> None:
        """Write what waits to be written together."""
        for storage in self.storages:
            storage.flush()

    def close(self) -> None:
        """Close all files; they are opened again when they are used."""
        for storage in self.storages:
            storage.close()

    @property
    def unsaved(self) -> int:
        """How many entries could not be written."""
        return sum(storage.unsaved for storage in self.storages)

    def _trim(self) -> None:
        """Drop answers that are too old, or more than their part: documents cost pulls."""
        for storage in (self.answers, self.tags):
            storage.delete([entry.key for entry in storage.entries(time.time() - HELD)])
            storage.trim(self.limit / _PART if self.limit else float("inf"))

    def _room(self) -> float:
        """Return what documents may take beside what else the folder holds."""
        if self.folder is None or self.limit is None:
            return float("inf")
        return max(0, self.limit - folder.size_of(self.folder, ("http_cache", "tags")))

    def check(self) -> None:
        """Open again what could not be used, or raise one of `FAULTS`: what is there counts."""
        with _opening:
            for name, storage in zip(folder.STORAGES, self.storages, strict=True):
                storage.check(partial(self._open, name))

    def _opened(self, name: str) -> _Backend | None:
        """Open a backend; where that fails entries are kept in memory."""
        try:
            return self._open(name)
        except FAULTS as error:
            self._complain(
                f"the cache file {name}.sqlite in {self.folder} cannot be used ({reason(error)}); "
                "what is fetched is kept in memory until the program ends"
            )
            return None

    def _open(self, name: str) -> _Backend | None:
        """Open a backend: a file of SQLite, or files where its locks fail."""
        if self.redis or not self.folder:
            return _Redis(self.redis, name) if self.redis else None
        path = self.folder / f"{name}.sqlite"
        for _ in range(2) if self._has_locks else ():
            folder.make_private(path)
            try:
                backend = _SQLite(path, "responses" if name == "http_cache" else name)
            except sqlite3.Error as error:
                if _code(error) & 0xFF in _NO_LOCKS:
                    break
                if not _is_damage(error):
                    raise
                _quarantine(path, error)
            else:
                for beside in self.folder.glob(f"{path.name}-*"):
                    folder.make_private(beside)
                return backend
        return _Files(self.folder / name)

    def _complain(self, message: str) -> None:
        """Say the first fault: others are like it, and `unsaved` counts what they cost."""
        if not self._has_complained:
            self._has_complained = True
            say(message)


def reason(error: Exception) -> str:
    """Return what the system says of a fault."""
    return getattr(error, "strerror", None) or str(error)


def _batches(keys: list[str]) -> Iterator[list[str]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))


def _in(some: list[str]) -> str:
    return f"WHERE key IN ({','.join('?' * len(some))})"


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0)


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is bad or another's: a busy file or a full disk says nothing against it."""
    return _code(error) & 0xFF in _DAMAGE or _code(error) == sqlite3.SQLITE_ERROR


def _quarantine(path: Path, error: sqlite3.Error) -> None:
    """Move a bad file out of the way, in place of the one before; another may be faster."""
    for earlier in path.parent.glob(f"{path.name}{DAMAGED}*"):
        earlier.unlink(missing_ok=True)
    kept = path.with_name(f"{path.name}{DAMAGED}{time.time_ns()}")
    for beside in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{beside}").replace(f"{kept}{beside}")
    is_foreign = _code(error) == sqlite3.SQLITE_ERROR
    say(
        f"the cache file {path} {'is laid out for something else' if is_foreign else 'is damaged'} "
        f"({error}); it was set aside as {kept.name}, and what it held will be fetched again"
    )


_opened: weakref.WeakSet[Store] = weakref.WeakSet()
_opening = threading.RLock()
_paused: list[Storage] = []


def pause_all() -> None:
    """Close all files before a fork, and keep them closed; `hubframe` calls this."""
    _opening.acquire()
    _paused[:] = [one for store in _opened for one in store.storages]
    for one in _paused:
        one.pause()


def resume_all() -> None:
    """Go on after a fork, in the parent and in the child."""
    for one in _paused:
        one.resume()
    _paused.clear()
    _opening.release()
