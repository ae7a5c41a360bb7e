"""Answers that can change, from the cache while they are fresh: requests-cache holds them.

Its own `CachedSession`, with a key of its own (method, address, ``Accept`` and who asks) and
JSON instead of pickle. Authorisation happens below it, in the transport, so nothing secret can
reach the file.
"""

import hashlib
import json
import logging
import sqlite3
import threading
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests_cache import CachedSession
from requests_cache.backends.base import BaseCache
from requests_cache.backends.sqlite import SQLiteCache
from requests_cache.models.response import CachedResponse

from hubframe.errors import (
    BlockedError,
    NotCachedError,
    PayloadError,
    StaleWarning,
    TransportError,
)
from hubframe.wire import disk, statuses
from hubframe.wire.auth import Auth
from hubframe.wire.tally import count_cached, mode
from hubframe.wire.transport import Transport

MINUTE = 60
# How long an answer is fresh, by what it tells. [seconds]
KEPT_TAGS = 10 * MINUTE
KEPT_REPOS = 60 * MINUTE
_SERVER_ERROR = 500

logging.getLogger("requests_cache").setLevel(logging.ERROR)


class Session:
    """Sends requests, answers from the cache where it can, and raises for refusals.

    Parameters
    ----------
    transport
        What reaches the network.
    auth_for
        Who asks at an address.
    path
        The cache's file; None for memory.
    offline
        Whether the network is never to be used.
    """

    def __init__(
        self,
        transport: Transport,
        auth_for: Callable[[str], Auth | None],
        path: Path | None,
        *,
        offline: bool,
    ) -> None:
        self.transport = transport
        self._auth_for = auth_for
        self._offline = offline
        self._cached = CachedSession(
            backend=_Responses(path),
            key_fn=self._key,
            filter_fn=_is_whole,
            allowable_methods=("GET", "HEAD"),
            allowable_codes=(200,),
        )
        self._cached.trust_env = False
        self._cached.mount("https://", transport)
        self._cached.mount("http://", transport)

    @property
    def cache(self) -> BaseCache:
        """The store of answers."""
        return self._cached.cache

    def json(self, url: str, asked: str, *, keep: int, params: Mapping[str, Any] | None = None) -> Any:
        """Get JSON.

        Raises
        ------
        HubframeError
            There was no usable answer; the message says what was asked and what came back.
        """
        response = self.get(url, asked, keep=keep, params=params)
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            raise _no_json(response, asked) from None

    def get(  # noqa: PLR0913
        self,
        url: str,
        asked: str,
        *,
        keep: int,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Get an answer that is one: fresh from the cache, else from the network, else stale."""
        request = requests.Request(method, url, params=params, headers=headers).prepare()
        if self.is_offline:
            return self._from_cache(request, asked)
        try:
            response = self._send(request, keep)
        except TransportError as error:
            return self._stale(request, asked, error)
        if response.status_code >= _SERVER_ERROR:
            return self._stale(request, asked, statuses.error_of(response, asked, self._login(url)))
        return statuses.check(response, asked, self._login(url))

    def fetch(self, url: str, asked: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Get an answer that is kept elsewhere or not at all: past the cache.

        Raises
        ------
        NotCachedError
            The network is not to be used.
        """
        if self.is_offline:
            raise _not_cached(asked)
        request = requests.Request("GET", url, headers=headers).prepare()
        return statuses.check(self.transport.send(request), asked, self._login(url))

    @property
    def is_offline(self) -> bool:
        """Whether the network may not be used now."""
        return self._offline or mode() == "offline"

    def count_fresh(self) -> int:
        """Count the answers that are still fresh."""
        backend = self.cache
        return backend.count(expired=False) if isinstance(backend, SQLiteCache) else 0

    def close(self) -> None:
        """Close the connections and the file."""
        self._cached.close()
        self._cached.cache.close()

    def _login(self, url: str) -> str | None:
        auth = self._auth_for(url)
        return auth.login if auth else None

    def _send(self, request: PreparedRequest, keep: int) -> Response:
        response = self._cached.send(
            request, expire_after=keep, force_refresh=mode() == "refresh", allow_redirects=False
        )
        if isinstance(response, CachedResponse):
            count_cached(fetched_at=_moment(response))
        return response

    def _key(self, request: PreparedRequest, **_: Any) -> str:
        """Who asks is part of the key, so that one login's answers never serve another."""
        auth = self._auth_for(request.url or "")
        parts = (
            request.method or "",
            request.url or "",
            request.headers.get("Accept", ""),
            auth.identity if auth else "",
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _held(self, request: PreparedRequest) -> CachedResponse | None:
        return self.cache.get_response(self._key(request))

    def _from_cache(self, request: PreparedRequest, asked: str) -> Response:
        held = self._held(request)
        if held is None:
            raise _not_cached(asked)
        count_cached(fetched_at=_moment(held), stale=held.is_expired)
        return held

    def _stale(self, request: PreparedRequest, asked: str, error: Exception) -> Response:
        """Serve an old answer when the other side is down, and say so."""
        held = self._held(request)
        if held is None:
            raise error
        moment = _moment(held)
        warnings.warn(
            f"{asked}: the answer of {moment:%Y-%m-%d %H:%M} UTC from the cache, since {error}",
            StaleWarning,
            stacklevel=2,
        )
        count_cached(fetched_at=moment, stale=True)
        return held


class _Responses(SQLiteCache):
    """requests-cache's SQLite store, with a lock around it, and no answer worth an error."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._guard = threading.RLock()
        if path is not None:
            disk.open_file(path, "PRAGMA user_version").close()
        super().__init__(
            str(path or "hubframe"), serializer="json", use_memory=path is None, wal=path is not None
        )

    def get_response(self, key: str, default: Any = None) -> CachedResponse | None:
        with self._guard:
            try:
                return super().get_response(key, default)
            except sqlite3.DatabaseError as error:
                self._rebuild(error)
                return None

    def save_response(self, response: Any, cache_key: str | None = None, expires: Any = None) -> None:
        with self._guard:
            try:
                super().save_response(response, cache_key, expires)
            except sqlite3.DatabaseError as error:
                self._rebuild(error)

    def _rebuild(self, error: sqlite3.DatabaseError) -> None:
        """Start anew where the file is damaged; a busy file or a full disk costs this entry only."""
        if self._path is None or disk.is_busy(error):
            return
        self.responses.close()
        self.redirects.close()
        disk.set_aside(self._path, error)
        self.responses.init_db()
        self.redirects.init_db()


def _is_whole(response: Response) -> bool:
    """Keep no empty, partial or foreign body: it would be served for as long as it is fresh."""
    if isinstance(response, CachedResponse) or response.request.method == "HEAD":
        return True
    try:
        json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    return True


def _moment(response: CachedResponse) -> datetime:
    created = response.created_at
    return created if created.tzinfo else created.replace(tzinfo=UTC)


def _not_cached(asked: str) -> NotCachedError:
    return NotCachedError(
        f"{asked}: not in the cache, and the network is off (offline). Ask once online, then again"
    )


def _no_json(response: Response, asked: str) -> Exception:
    host = urlsplit(response.url).netloc
    if "html" in response.headers.get("Content-Type", ""):
        return BlockedError(f"{asked}: {host} answered with a web page, not the API")
    return PayloadError(f"{asked}: the answer of {host} is not JSON ({len(response.content)} bytes)")
