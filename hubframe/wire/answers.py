"""The store of answers that can change: requests-cache's, in a file of hubframe's own making.

requests-cache's own SQLite backend waits for ever for a file that it may not write, shares one
memory among all sessions of a process, and never looks whether what it reads is what it wrote.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from requests import Response
from requests.structures import CaseInsensitiveDict
from requests_cache.backends.base import BaseCache, BaseStorage
from requests_cache.models.response import CachedResponse
from requests_cache.serializers import json_serializer

from hubframe.wire import disk

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS answers "
    "(key TEXT PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL, expires INTEGER)"
)


def now() -> datetime:
    """Return the time by which answers expire."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Answer:
    """An answer as it was kept; it reads like a `requests.Response`."""

    status_code: int
    url: str
    headers: Mapping[str, str]
    content: bytes
    fetched_at: datetime
    expires: datetime | None

    @property
    def is_fresh(self) -> bool:
        """Whether it may still be used unasked."""
        return self.expires is None or now() < self.expires


# What callers get: an answer from the network, or one that was kept.
Answered = Response | Answer


class Rows(BaseStorage[str, CachedResponse]):
    """Answers by key, as JSON; one that is damaged is as good as none.

    Parameters
    ----------
    path
        The file; None for memory.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(serializer=json_serializer)
        self._database = disk.Database(path, _SCHEMA)

    def __getitem__(self, key: str) -> CachedResponse:
        rows = self._database.run("SELECT value, checksum FROM answers WHERE key = ?", [key])
        if not rows or _checksum(rows[0][0]) != rows[0][1]:
            raise KeyError(key)
        response: CachedResponse | None = self.deserialize(key, rows[0][0])
        if response is None:
            raise KeyError(key)
        return response

    def __setitem__(self, key: str, response: CachedResponse) -> None:
        value = self.serialize(response).encode()
        self._database.run(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
            (key, value, _checksum(value), response.expires_unix),
        )

    def __delitem__(self, key: str) -> None:
        self._database.run("DELETE FROM answers WHERE key = ?", [key])

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._database.run("SELECT key FROM answers"))

    def __len__(self) -> int:
        return self._count("")

    def count_fresh(self) -> int:
        """Count the answers that have not expired."""
        return self._count("WHERE expires IS NULL OR expires > ?", time.time())

    def clear(self) -> None:
        """Forget all answers."""
        self._database.empty("answers")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _count(self, condition: str, *parameters: float) -> int:
        rows = self._database.run(f"SELECT count(*) FROM answers {condition}", parameters)  # noqa: S608
        return int(rows[0][0]) if rows else 0


class Answers(BaseCache):
    """What requests-cache reads and writes.

    Parameters
    ----------
    path
        The file; None for memory.
    """

    responses: Rows

    def __init__(self, path: Path | None) -> None:
        super().__init__(cache_name="hubframe")
        self.responses = Rows(path)

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

    def read_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the answers that are here, by key."""
        held = {key: self.responses.get(key) for key in keys}
        return {
            key: Answer(
                one.status_code,
                one.url,
                one.headers,
                one.content,
                _aware(one.created_at),
                one.expires and _aware(one.expires),
            )
            for key, one in held.items()
            if one is not None
        }

    def write(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        self.responses[key] = CachedResponse(
            status_code=answer.status_code,
            url=answer.url,
            headers=CaseInsensitiveDict(answer.headers),
            created_at=answer.fetched_at,
            expires=answer.expires,
        )

    def clear(self) -> None:
        """Forget all answers; there are no redirects, since the transport follows them."""
        self.responses.clear()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _checksum(value: Any) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest() if isinstance(value, bytes) else b""


def is_whole(response: Response) -> bool:
    """Tell whether an answer is what all answers of these APIs are: JSON, except to HEAD."""
    if response.request.method == "HEAD":
        return True
    try:
        json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    return True
