"""Answers that can change, and the file in which they are kept.

`hubframe.wire.caching` lets requests-cache read and write it. What is here is read without that:
its serialisers take ten times as long as SQLite does, and to load it takes longer still.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hubframe.oci import payload
from hubframe.wire import disk

if TYPE_CHECKING:
    from requests import Response

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


class Headers(dict[str, str]):
    """Headers by name in small letters, looked up in any case.

    Those of requests take several times as long, and every answer is asked for a dozen.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header's value."""
        return super().get(name.lower(), default)

    def pop(self, name: str, default: Any = None) -> Any:
        """Take a header out."""
        return super().pop(name.lower(), default)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer from the cache; what `requests.Response` has too is called as it is there.

    Attributes
    ----------
    status_code, url, headers, content
        What was answered, and where.
    fetched, expires
        When the other side gave or confirmed it, and when it is no longer fresh, None for never.
        [seconds since 1970]
    """

    status_code: int
    url: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    fetched: float
    expires: float | None

    @property
    def fetched_at(self) -> datetime:
        """When the other side gave or confirmed it, in UTC."""
        return datetime.fromtimestamp(self.fetched, UTC)

    @property
    def is_fresh(self) -> bool:
        """Whether it may be served without asking."""
        return self.expires is None or time.time() < self.expires

    @property
    def has_validator(self) -> bool:
        """Whether the other side can be asked if it still holds."""
        return "ETag" in self.headers or "Last-Modified" in self.headers


# What the session and the registry read of answers, and what tells how long they are fresh.
_KEPT = frozenset(
    {
        "cache-control", "content-length", "content-type", "date", "docker-content-digest", "etag",
        "expires", "last-modified", "link", "x-artifactory-id", "x-jfrog-version",
    }
)  # fmt: skip
# What callers get: an answer from the network, or one that was kept.
Answered: TypeAlias = "Response | Answer"


class About(NamedTuple):
    """All of an answer but its body; of the request, only what an answer can depend on.

    Moments are in seconds since 1970.
    """

    status_code: int
    url: str
    headers: dict[str, str]
    fetched_at: float
    expires: float | None
    reason: str | None
    encoding: str | None
    method: str
    asked_url: str
    accept: str | None

    @classmethod
    def of(cls, answer: "Answer", method: str) -> "About":
        """Describe an answer that did not come by requests-cache."""
        return cls(
            status_code=answer.status_code,
            url=answer.url,
            headers=dict(answer.headers),
            fetched_at=answer.fetched,
            expires=answer.expires,
            reason=None,
            encoding=None,
            method=method,
            asked_url=answer.url,
            accept=None,
        )


class Answers:
    """Answers by key; one that is damaged is as good as none.

    Parameters
    ----------
    path
        The file; None for memory.
    limit
        What the folder may hold; None for no limit. [bytes]
    """

    def __init__(self, path: Path | None, limit: int | None = None) -> None:
        self._database = disk.Database(path, _LAYOUT, limit)
        self._unlooked = 0
        self.trim()

    def put(self, key: str, about: About, body: bytes) -> None:
        """Keep an answer."""
        self._database.run(_PUT, _row(key, about, body))
        self._grow(len(body))

    def write(self, key: str, answer: Answer, method: str) -> None:
        """Keep an answer that did not come by requests-cache, together with others."""
        row = _row(key, About.of(answer, method), answer.content)
        self._database.write_soon(_PUT, row, len(answer.content))
        self._grow(len(answer.content))

    def delete(self, key: str) -> None:
        """Forget an answer."""
        self._database.run("DELETE FROM answers WHERE key = ?", [key])

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._database.run("SELECT key FROM answers"))

    def __len__(self) -> int:
        return self._count("")

    def read(self, key: str) -> Answer | None:
        """Return an answer that is here and sound, fresh or not."""
        return self.read_many([key]).get(key)

    def read_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return those answers that are here and sound, fresh or not, by key."""
        return {key: answer_of(about, body) for key, about, body in self.rows(keys)}

    def rows(self, keys: Iterable[str]) -> Iterator[tuple[str, About, bytes]]:
        """Read what is as it was written: a file may be damaged without SQLite seeing it."""
        for key, about, body, checksum in self._database.select(_GET, keys):
            if _checksum(key, about, body) == checksum:
                yield key, About(*payload.parsed(about)), body

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

    def _count(self, condition: str, *parameters: float) -> int:
        rows = self._database.run(f"SELECT count(*) FROM answers {condition}", parameters)  # noqa: S608
        return int(rows[0][0]) if rows else 0


def _row(key: str, about: About, body: bytes) -> tuple[Any, ...]:
    # Other headers may hold anything, also what a server repeats of a login.
    kept = {n.lower(): v for n, v in about.headers.items() if n.lower() in _KEPT}
    written = payload.written([*about._replace(headers=kept)])
    expires = None if about.expires is None else round(about.expires)
    return (key, written, body, _checksum(key, written, body), expires)


def packed(key: str, about: About, body: bytes) -> bytes:
    """Write an answer as one value: its checksum, what it is as JSON, and its body."""
    _, written, _, checksum, _ = _row(key, about, body)
    return b"\n".join((checksum.hex().encode(), written.encode(), body))


def unpacked(key: str, value: bytes) -> tuple[About, bytes] | None:
    """Read what `packed` wrote; None where it is not as it was written."""
    checksum, _, rest = value.partition(b"\n")
    head, _, body = rest.partition(b"\n")
    written = head.decode(errors="replace")
    if _checksum(key, written, body).hex().encode() != checksum:
        return None
    return About(*payload.parsed(written)), body


def answer_of(about: About, body: bytes) -> Answer:
    """Make of a row what callers get."""
    headers = Headers(about.headers)
    return Answer(about.status_code, about.url, headers, body, about.fetched_at, about.expires)


def _checksum(key: str, about: Any, body: Any) -> bytes:
    """Cover the key too: an answer under another's key would be another's answer."""
    if not (isinstance(about, str) and isinstance(body, bytes)):
        return b""
    # Today's processors do this one themselves.
    checksum = hashlib.sha256(f"{key}\n{about}\n".encode())
    checksum.update(body)
    return checksum.digest()


def parsed(answer: Answered) -> Any:
    """Read the JSON of an answer: once of one that just came, since several look at it in turn.

    Raises
    ------
    ValueError, RecursionError
        It is none.
    """
    if isinstance(answer, Answer):
        return payload.parsed(answer.content)
    held = vars(answer)
    if "parsed" not in held:
        held["parsed"] = payload.parsed(answer.content)
    return held["parsed"]


def is_whole(response: "Response") -> bool:
    """Tell whether an answer is what all answers of these APIs are: JSON, or about JSON."""
    if response.request.method == "HEAD":
        return "html" not in response.headers.get("Content-Type", "").lower()
    try:
        parsed(response)
    except (ValueError, RecursionError):
        return False
    return True
