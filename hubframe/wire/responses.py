"""Answers that can change, kept by requests-cache; and which digest a tag had.

``http_cache.sqlite`` is requests-cache's own file: whoever has its key reads it without hubframe.
Authorisation happens below, in the transport, so nothing secret can reach the file. What tags
point at is asked for by the hundred in a call, so it stands in a table of its own beside.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from requests import Response
from requests_cache import CachedSession
from requests_cache.backends.base import BaseCache
from requests_cache.backends.filesystem import FileCache, FileDict
from requests_cache.backends.sqlite import SQLiteCache, SQLiteDict
from requests_cache.models.response import CachedResponse
from urllib3 import HTTPHeaderDict

from hubframe.oci.payload import parsed
from hubframe.wire.files import DAMAGED, make_private, say

Result = TypeVar("Result")

FILE = "http_cache.sqlite"
# Anything that reads JSON reads it; pickles would run code from a doctored file.
_SERIALIZER = "orjson"
# How long an answer is held that is no longer fresh, for when the other side is down. [seconds]
HELD = 30 * 24 * 60 * 60
# Answers take at most this part of the cache; documents, which cost pulls, have the rest.
_PART = 4
# How long a busy file is waited for. [milliseconds]
_PATIENCE = 30_000
# Answers are written together: so many, or those of so long. [seconds]
_TOGETHER, _SOON = 32, 0.25
_MOST_PARAMETERS = 900
# What SQLite says of a bad file, and of a sound one of another program.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
# Other headers may hold anything, also what a server repeats of a login.
_KEPT = frozenset(
    {
        "cache-control", "content-length", "content-location", "content-type", "date",
        "docker-content-digest", "etag", "expires", "last-modified", "link",
        "x-artifactory-id", "x-jfrog-version",
    }
)  # fmt: skip


class CachedTag(NamedTuple):
    """What a tag was said to point at.

    Attributes
    ----------
    digest
        Empty where there was no such tag.
    media_type
        As its answer said.
    fetched, expires
        When it was said, and when it is no longer fresh. [seconds since 1970]
    """

    digest: str
    media_type: str
    fetched: float
    expires: float

    @property
    def is_fresh(self) -> bool:
        """Whether it may be taken without asking."""
        return time.time() < self.expires


class _Row(str):
    """A cached tag as it is written, with the end that requests-cache writes beside it."""

    __slots__ = ("expires_unix",)
    expires_unix: int

    def __new__(cls, tag: CachedTag) -> _Row:  # noqa: PYI034 - it is final
        made = super().__new__(cls, json.dumps(tag))
        made.expires_unix = round(tag.expires)
        return made


class _Checked(BaseCache):
    """What requests-cache reads and writes: one thread at a time, and only what is an answer."""

    attempt: Callable[..., Any]

    def get_response(self, key: str, default: Any = None) -> Any:
        """Return a response, or what is given instead."""
        found: Any = self.attempt(lambda: super(_Checked, self).get_response(key, default), default)
        return found if found is None or _is_sound(found) else default

    def save_response(
        self, response: Response, cache_key: str | None = None, expires: datetime | None = None
    ) -> None:
        """Keep a response that is one: an empty or foreign body would be served for its time."""
        if is_whole(response):
            self.attempt(lambda: super(_Checked, self).save_response(response, cache_key, expires))


class _Memory(_Checked):
    pass


class _SQLite(_Checked, SQLiteCache):
    pass


class Responses:
    """Answers by key, and digests of tags by key.

    Parameters
    ----------
    folder
        Where the file is; None for memory.
    limit
        What the folder may hold; None for no limit. [bytes]
    """

    is_shared = False

    def __init__(self, folder: Path | None, limit: int | None = None) -> None:
        self.path = folder and folder / FILE
        self._limit = limit
        self._turn = threading.RLock()
        self._unsaved: dict[str, tuple[CachedResponse, datetime]] = {}
        self._unsaved_tags: dict[str, CachedTag] = {}
        self._since = 0.0
        self._has_complained = False
        # Those of requests-cache say little of their types.
        self._tags: Any = {}
        with _opening:
            self._cache: Any = self._opened()
            _opened.add(self)
        self.trim()

    def session(self, key_fn: Callable[..., str], adapter: Any) -> CachedSession:
        """Return the session of requests-cache that asks whether old answers still hold."""
        made = CachedSession(backend=self._cache, key_fn=key_fn)
        for scheme in ("http://", "https://"):
            made.mount(scheme, adapter)
        # What we send says what it accepts: those of requests would count as part of the key.
        made.headers.clear()
        return made

    def get(self, key: str) -> CachedResponse | None:
        """Return an answer that is here and sound, fresh or not."""
        unsaved = self._unsaved.get(key)
        return unsaved[0] if unsaved else self._cache.get_response(key)

    def save(self, key: str, response: Response, seconds: int) -> None:
        """Keep an answer, together with others."""
        if not is_whole(response):
            return
        expires = datetime.fromtimestamp(time.time() + seconds, UTC)
        kept = {name: v for name, v in response.headers.items() if name.lower() in _KEPT}
        response.raw.headers = HTTPHeaderDict(kept)
        # Requests of our own making have no jar of cookies, which the file has a place for.
        response.request.prepare_cookies({})
        cached = CachedResponse.from_response(response, expires=expires)
        cached.headers.clear()
        cached.headers.update(kept)
        with self._turn:
            self._unsaved[key] = (cached, expires)
        self._flush_if_due()

    def tags(self, keys: Iterable[str]) -> dict[str, CachedTag]:
        """Return what tags were said to point at, by key."""
        wanted = list(keys)
        with self._turn:
            found = {key: self._unsaved_tags[key] for key in wanted if key in self._unsaved_tags}
        rows = self.attempt(lambda: list(self._rows([k for k in wanted if k not in found])), [])
        for key, value in rows:
            if (one := _read(value)) is not None:
                found[key] = one
        return found

    def save_tag(self, key: str, digest: str, media_type: str, seconds: int) -> None:
        """Keep what a tag was said to point at."""
        now = time.time()
        with self._turn:
            self._unsaved_tags[key] = CachedTag(digest, media_type, now, now + seconds)
        self._flush_if_due()

    def delete(self, key: str) -> None:
        """Forget an answer."""
        with self._turn:
            self._unsaved.pop(key, None)
        self.attempt(
            lambda: self._cache.delete(key, vacuum=False) if self.path else self._cache.delete(key)
        )

    def flush(self) -> None:
        """Write what waits to be written together."""
        if self._unsaved or self._unsaved_tags:
            self.attempt(self._write)

    def count(self) -> tuple[int, int]:
        """Count the answers, what tags point at among them; and those that are fresh."""
        self.flush()
        now = time.time()
        ends = [end for _, _, end in self._entries()]
        return len(ends), sum(end > now for end in ends)

    def old(self, seconds: float) -> tuple[int, int]:
        """Count the answers that are no longer fresh for so long, and their bytes."""
        until = time.time() - seconds
        sizes = [size for _, size, end in self._entries() if end < until]
        return len(sizes), sum(sizes)

    def drop_old(self, seconds: float) -> None:
        """Forget the answers that are no longer fresh for so long."""
        self.flush()
        self.attempt(partial(self._drop, time.time() - seconds))

    def clear(self) -> None:
        """Forget all answers."""
        with self._turn:
            self._unsaved, self._unsaved_tags = {}, {}
        self.attempt(self._cache.clear)
        self.attempt(self._tags.clear)
        # What is freed is given back.
        self.close()

    def trim(self) -> None:
        """Drop what is too old, and what is not fresh where answers take more than their part."""
        self.drop_old(HELD)
        if self.path and self._limit and _length(self.path) > self._limit // _PART:
            self.drop_old(0)
            self.attempt(self._responses.vacuum)
            self.close()
            if _length(self.path) > self._limit // _PART:
                self.clear()

    def close(self) -> None:
        """Close the file; it is opened again when it is used."""
        self.flush()
        with self._turn:
            self._cache.close()
            if isinstance(self._tags, SQLiteDict):
                self._tags.close()  # type: ignore[no-untyped-call]

    def pause(self) -> None:
        """Close the file before a fork: SQLite remembers its locks for a whole process."""
        self._turn.acquire()
        self.close()

    def resume(self) -> None:
        """Go on after a fork, in the parent and in the child."""
        self._turn.release()

    def attempt(self, work: Callable[[], Result], otherwise: Any = None) -> Any:
        """Do something with the file; what cannot be done costs that entry only."""
        with self._turn:
            try:
                return work()
            except sqlite3.Error as error:
                self._failed(error)
                return otherwise

    @property
    def _responses(self) -> Any:
        return self._cache.responses

    def _opened(self) -> Any:
        cache: Any
        if self.path is not None:
            try:
                make_private(self.path)
                _check(self.path)
                how: dict[str, Any] = {
                    "serializer": _SERIALIZER,
                    "wal": True,
                    "busy_timeout": _PATIENCE,
                }
                cache = _SQLite(self.path, **how)
                how["serializer"] = None
                self._tags = SQLiteDict(self.path, "tags", **how)
                for beside in self.path.parent.glob(f"{FILE}-*"):
                    make_private(beside)
            except sqlite3.Error as error:
                if not _quarantined(self.path, error):
                    self._leave(error)
                return self._opened()
            except OSError as error:
                self._leave(error)
                return self._opened()
        else:
            cache, self._tags = _Memory(), {}
        cache.attempt = self.attempt
        return cache

    def _leave(self, error: Exception) -> None:
        say(
            f"the cache file {self.path} cannot be used ({error}); "
            "answers are kept in memory until the program ends"
        )
        self.path = None

    def _failed(self, error: sqlite3.Error) -> None:
        if self.path is not None and _is_damage(error):
            for opened in (self._cache, self._tags):
                with suppress(sqlite3.Error):
                    opened.close()
            _quarantined(self.path, error)
            self._cache = self._opened()
        elif not self._has_complained:
            self._has_complained = True
            say(f"the cache file {self.path} could not be used: {error}")

    def _flush_if_due(self) -> None:
        with self._turn:
            waiting = len(self._unsaved) + len(self._unsaved_tags)
            if waiting == 1:
                self._since = time.monotonic()
            is_due = waiting >= _TOGETHER or time.monotonic() - self._since > _SOON
        if is_due:
            self.flush()

    def _write(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        tags, self._unsaved_tags = self._unsaved_tags, {}
        with self._together():
            for key, (cached, expires) in unsaved.items():
                self._cache.save_response(cached, key, expires)
        with self._together(self._tags):
            for key, told in tags.items():
                self._tags[key] = _Row(told)
                self._expire(f"hubframe:tag:{key}")

    def _expire(self, name: str) -> None:
        """Have an entry of a Redis dropped some day: a file is trimmed instead."""

    @contextmanager
    def _together(self, table: Any = None) -> Iterator[None]:
        """Write in one transaction, where there is a file."""
        table = self._responses if table is None else table
        if not isinstance(table, SQLiteDict):
            yield
            return
        # requests-cache tries without end to begin: first make sure that it can.
        with table.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        with table.bulk_commit():
            yield

    def _rows(self, keys: list[str]) -> Iterator[tuple[str, str]]:
        if not isinstance(self._tags, SQLiteDict):
            yield from ((key, self._tags[key]) for key in keys if key in self._tags)
            return
        with self._tags.connection() as connection:
            for start in range(0, len(keys), _MOST_PARAMETERS):
                batch = keys[start : start + _MOST_PARAMETERS]
                marks = ",".join("?" * len(batch))
                yield from connection.execute(
                    f"SELECT key, value FROM tags WHERE key IN ({marks})",  # noqa: S608
                    batch,
                )

    def _entries(self) -> list[tuple[str, int, float]]:
        """List keys, sizes and ends."""
        return self.attempt(self._listed, [])  # type: ignore[no-any-return]

    def _listed(self) -> list[tuple[str, int, float]]:
        listed: list[tuple[str, int, float]] = []
        for table in (self._responses, self._tags):
            if isinstance(table, SQLiteDict):
                columns = f"SELECT key, length(value), expires FROM {table.table_name}"  # noqa: S608
                with table.connection() as connection:
                    listed += connection.execute(columns)
            else:
                listed += ((key, len(str(value)), _end(value)) for key, value in table.items())
        return listed

    def _drop(self, until: float) -> None:
        for table in (self._responses, self._tags):
            if isinstance(table, SQLiteDict):
                statement = f"DELETE FROM {table.table_name} WHERE expires < ?"  # noqa: S608
                with self._together(table), table.connection() as connection:
                    connection.execute(statement, [until])
            else:
                for key in [key for key, value in table.items() if _end(value) < until]:
                    table.pop(key, None)


class SharedResponses(Responses):
    """Answers that several machines share: in a Redis, or in a folder that all of them see.

    Parameters
    ----------
    place
        The folder, or the connection to the Redis.
    reaching
        Makes what turns the errors of a Redis into ours.
    """

    is_shared = True

    def __init__(self, place: Any, reaching: Callable[[], AbstractContextManager[object]]) -> None:
        self._place, self._reaching = place, reaching
        super().__init__(None)

    def attempt(self, work: Callable[[], Result], otherwise: Any = None) -> Any:  # noqa: ARG002
        """Do something; without the cache that they share, workers would ask for everything."""
        with self._reaching():
            return work()

    def trim(self) -> None:
        """Do nothing: a Redis drops what is too old, and a folder is cleared by its owner."""

    def _expire(self, name: str) -> None:
        if not isinstance(self._place, Path):
            self._place.expire(name, HELD)

    def _opened(self) -> Any:
        cache: Any
        if isinstance(self._place, Path):

            class _Folder(_Checked, FileCache):
                pass

            root = self._place / "http_cache"
            # requests-cache would leave it open to others, and answers may be a login's.
            root.mkdir(mode=0o700, exist_ok=True)
            cache = _Folder(root, serializer="json", decode_content=False)
            self._tags = FileDict(root / "tags", serializer=None)
        else:
            from requests_cache.backends.redis import RedisCache, RedisDict  # noqa: PLC0415 - an extra

            place = self._place

            class _Redis(_Checked, RedisCache):
                def save_response(
                    self, response: Any, cache_key: Any = None, expires: Any = None
                ) -> None:
                    super().save_response(response, cache_key, expires)
                    place.expire(f"hubframe:answer:{cache_key}", HELD)

            how = {"connection": self._place, "ttl": False}
            cache = _Redis("hubframe:answer", serializer=_SERIALIZER, **how)
            self._tags = RedisDict("hubframe:tag", serializer=None, **how)
        cache.attempt = self.attempt
        return cache


def _end(value: Any) -> float:
    """When an entry is no longer fresh; what cannot be read is not."""
    if isinstance(value, CachedResponse):
        return value.expires.timestamp() if value.expires else float("inf")
    tag = _read(value)
    return tag.expires if tag else 0.0


def _read(value: str | bytes) -> CachedTag | None:
    """Read what a tag was said to point at; None where it is not as it was written."""
    try:
        told = CachedTag(*json.loads(value))
        is_one = isinstance(told.digest, str) and isinstance(told.media_type, str)
        return told if is_one and told.fetched + told.expires > 0 else None
    except (ValueError, TypeError):
        return None


def is_whole(response: Response) -> bool:
    """Tell whether an answer is what all answers of these APIs are: JSON, or about JSON."""
    if response.request.method == "HEAD":
        return "html" not in response.headers.get("Content-Type", "").lower()
    try:
        json_of(response)
    except (ValueError, RecursionError):
        return False
    return True


def json_of(response: Response) -> Any:
    """Read the JSON of an answer: once, since several look at it in turn.

    Raises
    ------
    ValueError, RecursionError
        It is none.
    """
    held = vars(response)
    if "parsed" not in held:
        held["parsed"] = parsed(response.content)
    return held["parsed"]


def _is_sound(response: Any) -> bool:
    """Tell whether what was read may have been written so: a file may be damaged in silence."""
    is_one = isinstance(response, CachedResponse) and response.status_code and response.url
    return bool(is_one) and is_whole(response)


def _check(path: Path) -> None:
    """Make sure that a file is requests-cache's, and can be written.

    Raises
    ------
    sqlite3.Error
        It is not.
    """
    with closing(sqlite3.connect(path, timeout=_PATIENCE / 1000, isolation_level=None)) as file:
        for table in ("responses", "redirects", "tags"):
            if file.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
                file.execute(f"SELECT key, value, expires FROM {table} LIMIT 0")  # noqa: S608
        if file.execute("SELECT 1 FROM sqlite_master").fetchone():
            file.execute("SELECT key, value, expires FROM responses LIMIT 0")
        file.execute("BEGIN IMMEDIATE")
        file.execute("ROLLBACK")


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is bad or another's: a busy file or a full disk says nothing against it."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGE or code == sqlite3.SQLITE_ERROR


def _quarantined(path: Path, error: sqlite3.Error) -> bool:
    """Move a bad file out of the way, in place of the one before; another may be faster."""
    if not _is_damage(error):
        return False
    for earlier in path.parent.glob(f"{path.name}{DAMAGED}*"):
        earlier.unlink(missing_ok=True)
    kept = path.with_name(f"{path.name}{DAMAGED}{time.time_ns()}")
    for beside in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{beside}").replace(f"{kept}{beside}")
    is_foreign = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR
    why = "is laid out for something else" if is_foreign else "is damaged"
    say(
        f"the cache file {path} {why} ({error}); it was set aside as {kept.name}, "
        "and what it held will be fetched again"
    )
    return True


def _length(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


_opened: weakref.WeakSet[Responses] = weakref.WeakSet()
_opening = threading.RLock()
_paused: list[Responses] = []


def pause_all() -> None:
    """Close all files before a fork, and keep them closed; `hubframe` calls this."""
    _opening.acquire()
    _paused[:] = _opened
    for one in _paused:
        one.pause()


def resume_all() -> None:
    """Go on after a fork, in the parent and in the child."""
    for one in _paused:
        one.resume()
    _paused.clear()
    _opening.release()
