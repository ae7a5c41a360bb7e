"""Answers that can change, kept by requests-cache; and which digest a tag had.

``http_cache.sqlite`` is laid out as requests-cache does it: a program with its key reads it without
hubframe. Authorisation happens below, in the transport, so nothing secret can reach the file. What
tags point at is asked for by the hundred in a call, so it stands in a table of its own.
"""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple, Self

from requests import Response
from requests_cache.backends.base import BaseCache
from requests_cache.models.response import CachedResponse
from urllib3 import HTTPHeaderDict

from hubframe.oci.payload import parsed
from hubframe.wire.store import FAULTS, Storage

# Clocks may differ by so much: what was kept later than that was kept by a wrong one. [seconds]
_AHEAD = 60
# No answer is fresh for longer. [seconds]
LONGEST = 60 * 60 + _AHEAD
# Other headers may hold anything, also what a server repeats of a login.
_KEPT = frozenset(
    {
        "cache-control", "content-length", "content-location", "content-type", "date",
        "docker-content-digest", "etag", "expires", "last-modified", "link",
        "x-artifactory-id", "x-jfrog-version",
    }
)  # fmt: skip


class CachedTag(NamedTuple):
    """What a tag was said to point at, when, and until when that is fresh: seconds since 1970."""

    # Empty where there was no such tag.
    digest: str
    media_type: str
    fetched: float
    expires: float

    @classmethod
    def read(cls, value: str | bytes) -> Self | None:
        """Read what was kept; None where it is not as it was written."""
        try:
            told = cls(*json.loads(value))
            is_one = isinstance(told.digest, str) and isinstance(told.media_type, str)
            return told if is_one and told.fetched + told.expires > 0 else None
        except (ValueError, TypeError):
            return None

    @property
    def is_fresh(self) -> bool:
        """Whether it may be taken without asking."""
        return self.fetched - _AHEAD < time.time() < self.expires


class Responses(BaseCache):
    """What requests-cache reads and writes: only what is an answer."""

    def __init__(self, answers: Storage) -> None:
        super().__init__()
        self.responses = answers

    def get_response(self, key: str, default: Any = None) -> Any:
        """Return an answer that is here and sound, fresh or not, or what is given instead."""
        found: Any = super().get_response(key, default)
        # A file may be damaged in silence.
        is_answer = isinstance(found, CachedResponse) and found.status_code and found.url
        if not is_answer or not is_whole(found):
            return default
        created = found.created_at
        created = created if created.tzinfo else created.replace(tzinfo=UTC)
        if created.timestamp() > time.time() + _AHEAD:
            found.expires = datetime.fromtimestamp(0, UTC)
        return found

    def save_response(
        self, response: Response, cache_key: str | None = None, expires: datetime | None = None
    ) -> None:
        """Keep a response that is one: an empty or foreign body would be served for its time."""
        if is_whole(response):
            super().save_response(response, cache_key, expires)

    def save(self, key: str, response: Response, seconds: int) -> None:
        """Keep an answer that is one, together with others."""
        if response.status_code != HTTPStatus.OK or not is_whole(response):
            return
        kept = {name: v for name, v in response.headers.items() if name.lower() in _KEPT}
        response.raw.headers = HTTPHeaderDict(kept)
        # Requests of our own making have no jar of cookies, which the file has a place for.
        response.request.prepare_cookies({})
        expires = datetime.fromtimestamp(time.time() + seconds, UTC)
        cached = CachedResponse.from_response(response, expires=expires)
        cached.headers.clear()
        cached.headers.update(kept)
        super().save_response(cached, key, expires)

    def forget(self, key: str) -> None:
        """Forget an answer; one that stays is asked for anew once it is no longer fresh."""
        with suppress(*FAULTS):
            del self.responses[key]


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
    """Read the JSON of an answer, or raise: once, since several look at it in turn."""
    held = vars(response)
    if "parsed" not in held:
        held["parsed"] = parsed(response.content)
    return held["parsed"]
