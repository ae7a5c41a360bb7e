"""The store of answers that can change: requests-cache's, in a file of hubframe's own making.

requests-cache's own SQLite backend waits for ever for a file that it may not write, shares one
memory among all sessions of a process, and never looks whether what it reads is what it wrote.
Its serialisers take ten times as long as SQLite does, so `Answer` is read without them.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from requests import Response
from requests.structures import CaseInsensitiveDict
from requests_cache.backends.base import BaseCache, BaseStorage
from requests_cache.models.request import CachedRequest
from requests_cache.models.response import CachedResponse

from hubframe.wire import disk

_TABLE = (
    "CREATE TABLE answers (key TEXT PRIMARY KEY, about TEXT NOT NULL, "
    "body BLOB NOT NULL, checksum BLOB NOT NULL, expires INTEGER)"
)
_TABLES = (_TABLE, "CREATE INDEX answers_by_age ON answers (expires)")
_LAYOUT = disk.Layout(
    version=1,
    tables=_TABLES,
    probe="SELECT key, about, body, checksum, expires FROM answers LIMIT 0",
    # Answers are asked for again in minutes: what was written otherwise is not worth reading.
    upgrades={0: ("DROP TABLE answers", *_TABLES)},
)
# How long an answer is held that is no longer fresh, for when the other side is down. [seconds]
HELD = 30 * 24 * 60 * 60
# Answers take at most this part of the cache; documents, which cost pulls, have the rest.
_PART = 4
# They are dropped a few at a time, so that nobody waits for the file.
_DROPPED = 100
# The limit is looked at after this part of it was written.
_LOOK_PART = 32
# Dropping goes on to this part of the limit, so that it is done now and then only.
_ENOUGH = 0.9
_PUT = "INSERT OR REPLACE INTO answers (key, about, body, checksum, expires) VALUES (?, ?, ?, ?, ?)"
_GET = "SELECT key, about, body, checksum FROM answers WHERE key IN ({})"


class Headers(Mapping[str, str]):
    """Headers, looked up in any case.

    Parameters
    ----------
    values
        The headers, by name in small letters.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer from the cache; what `requests.Response` has too is called as it is there.

    Attributes
    ----------
    status_code, url, headers, content
        What was answered, and where.
    fetched_at
        When the other side gave or confirmed it, in UTC.
    expires
        When it is no longer fresh, in UTC; None for never.
    """

    status_code: int
    url: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    fetched_at: datetime
    expires: datetime | None

    @property
    def is_fresh(self) -> bool:
        """Whether it may be served without asking."""
        return self.expires is None or time.time() < self.expires.timestamp()


# What the session and the registry read of answers, and what tells how long they are fresh.
_KEPT = frozenset(
    {
        "cache-control", "content-length", "content-type", "date", "docker-content-digest", "etag",
        "expires", "last-modified", "link", "x-artifactory-id", "x-jfrog-version",
    }
)  # fmt: skip
# What callers get: an answer from the network, or one that was kept.
Answered = Response | Answer


class Rows(BaseStorage[str, CachedResponse]):
    """Answers by key; one that is damaged is as good as none.

    Parameters
    ----------
    path
        The file; None for memory.
    limit
        What the folder may hold; None for no limit. [bytes]
    """

    def __init__(self, path: Path | None, limit: int | None = None) -> None:
        super().__init__()
        self._database = disk.Database(path, _LAYOUT, limit)
        self._unlooked = 0
        self.trim()

    def __getitem__(self, key: str) -> CachedResponse:
        for _, about, body in self._sound([key]):
            response = _response(about, body)
            response.cache_key = key
            return response
        raise KeyError(key)

    def __setitem__(self, key: str, response: CachedResponse) -> None:
        self._database.run(_PUT, _row(key, response))
        self._grow(len(response.content or b""))

    def put_soon(self, key: str, response: CachedResponse) -> None:
        """Keep an answer, together with others."""
        self._database.write_soon(_PUT, _row(key, response))
        self._grow(len(response.content or b""))

    def __delitem__(self, key: str) -> None:
        self._database.run("DELETE FROM answers WHERE key = ?", [key])

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._database.run("SELECT key FROM answers"))

    def __len__(self) -> int:
        return self._count("")

    def read(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return those answers that are here and sound, by key."""
        return {key: _answer(about, body) for key, about, body in self._sound(keys)}

    def count_fresh(self) -> int:
        """Count the answers that have not expired."""
        return self._count("WHERE expires IS NULL OR expires > ?", time.time())

    def old(self, seconds: float) -> tuple[int, int]:
        """Count the answers that are no longer fresh for so long, and their bytes."""
        rows = self._database.run(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM answers WHERE expires < ?",
            [time.time() - seconds],
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def drop_old(self, seconds: float) -> None:
        """Forget the answers that are no longer fresh for so long."""
        self._database.run("DELETE FROM answers WHERE expires < ?", [time.time() - seconds])

    def trim(self) -> None:
        """Drop what is too old, and the oldest where answers take more than their part."""
        if self.old(HELD)[0]:
            self.drop_old(HELD)
        limit = self._database.limit
        if limit is None or self._database.held() <= limit // _PART:
            return
        enough = int(limit // _PART * _ENOUGH)
        while self._database.held() > enough and len(self):
            self._database.run(
                "DELETE FROM answers WHERE key IN "
                "(SELECT key FROM answers ORDER BY expires LIMIT ?)",
                [_DROPPED],
            )
        self._database.shrink(enough)

    def clear(self) -> None:
        """Forget all answers."""
        self._database.empty("answers")

    def flush(self) -> None:
        """Write what waits to be written together."""
        self._database.flush()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _grow(self, size: int) -> None:
        """Look at the limit now and then; a count that is a little off does no harm."""
        self._unlooked += size
        limit = self._database.limit
        if limit is not None and self._unlooked >= limit // _PART // _LOOK_PART:
            self._unlooked = 0
            self.trim()

    def _sound(self, keys: Iterable[str]) -> Iterator[tuple[str, list[Any], bytes]]:
        """Read what is as it was written: a file may be damaged without SQLite seeing it."""
        for key, about, body, checksum in self._database.select(_GET, keys):
            if _checksum(key, about, body) == checksum:
                yield key, json.loads(about), body

    def _count(self, condition: str, *parameters: float) -> int:
        rows = self._database.run(f"SELECT count(*) FROM answers {condition}", parameters)  # noqa: S608
        return int(rows[0][0]) if rows else 0


class Answers(BaseCache):
    """What requests-cache reads and writes.

    Parameters
    ----------
    path
        The file; None for memory.
    limit
        What the folder may hold; None for no limit. [bytes]
    """

    responses: Rows

    def __init__(self, path: Path | None, limit: int | None = None) -> None:
        super().__init__(cache_name="hubframe")
        self.responses = Rows(path, limit)

    def read(self, key: str) -> Answer | None:
        """Return an answer that is here and sound, fresh or not."""
        return self.read_many([key]).get(key)

    def read_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return those answers that are here and sound, fresh or not, by key."""
        return self.responses.read(keys)

    def write(self, key: str, answer: Answer, method: str) -> None:
        """Keep an answer that did not come by requests-cache."""
        response = CachedResponse(
            status_code=answer.status_code,
            url=answer.url,
            headers=CaseInsensitiveDict(answer.headers),
            created_at=answer.fetched_at,
            expires=answer.expires,
            request=CachedRequest(method=method, url=answer.url),
        )
        self.responses.put_soon(key, response)

    def save_response(
        self,
        response: Response,
        cache_key: str | None = None,
        expires: datetime | None = None,
    ) -> None:
        """Keep an answer that is one: an empty or foreign body would be served for its time.

        The filter of requests-cache would not do: it deletes the answer before, too.
        """
        if is_whole(response):
            super().save_response(response, cache_key, expires)

    def clear(self) -> None:
        """Forget all answers; there are no redirects, since the transport follows them."""
        self.responses.clear()


def _row(key: str, response: CachedResponse) -> tuple[Any, ...]:
    about, body = _about(response), response.content or b""
    return (key, about, body, _checksum(key, about, body), response.expires_unix)


def _about(response: CachedResponse) -> str:
    """Write all of an answer but its body; of the request, only what an answer can depend on."""
    return json.dumps(
        [
            response.status_code,
            response.url,
            # Others may hold anything, also what a server repeats of a login.
            {n.lower(): v for n, v in response.headers.items() if n.lower() in _KEPT},
            _seconds(datetime.now(UTC) if response.revalidated else response.created_at),
            _seconds(response.expires),
            response.reason,
            response.encoding,
            response.request.method,
            response.request.url,
            response.request.headers.get("Accept"),
        ]
    )


def _answer(about: list[Any], body: bytes) -> Answer:
    status, url, headers, fetched, expires = about[:5]
    until = expires and _moment(expires)
    return Answer(status, url, Headers(headers), body, _moment(fetched), until)


def _response(about: list[Any], body: bytes) -> CachedResponse:
    """Make of a row what requests-cache works with."""
    status, url, headers, fetched, expires, reason, encoding, method, asked, accept = about
    return CachedResponse(
        content=body,
        status_code=status,
        url=url,
        headers=CaseInsensitiveDict(headers),
        created_at=_moment(fetched),
        expires=expires and _moment(expires),
        reason=reason,
        encoding=encoding,
        request=CachedRequest(
            method=method,
            url=asked,
            headers=CaseInsensitiveDict({} if accept is None else {"Accept": accept}),
        ),
    )


def _seconds(moment: datetime | None) -> float | None:
    """A moment as a number; one without a zone is in UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _checksum(key: str, about: Any, body: Any) -> bytes:
    """Cover the key too: an answer under another's key would be another's answer."""
    if not (isinstance(about, str) and isinstance(body, bytes)):
        return b""
    checksum = hashlib.blake2b(f"{key}\n{about}\n".encode(), digest_size=16)
    checksum.update(body)
    return checksum.digest()


def is_whole(response: Response) -> bool:
    """Tell whether an answer is what all answers of these APIs are: JSON, or about JSON."""
    if response.request.method == "HEAD":
        return "html" not in response.headers.get("Content-Type", "").lower()
    try:
        json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    return True
