"""The way onto the network: requests' own adapter, with a deadline for each exchange.

Time-outs of sockets are for pauses: a server that sends a byte a second, of headers, of a body or
of what unpacks to nothing, would be listened to without end.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from http.client import HTTPResponse as Received
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from requests import Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse, PoolManager

from hubframe.errors import PayloadError, TransportError
from hubframe.wire import cancellation
from hubframe.wire.addresses import netloc, origin
from hubframe.wire.cancellation import Cancellation

_LOGGERS = [logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")]
# Answers that only say that another one is to come: after 101 another protocol is.
_INTERIM = range(102, 200)
# How often is looked whether something has taken too long, and for how long after the last. [s]
_GLANCE, _LINGER = 0.1, 0.2
MEBIBYTE = 2**20


class Network(HTTPAdapter):
    """Sends over sockets, and writes no addresses with queries into the log: they may be signed."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        """Make the pools of connections; their answers have a deadline."""
        # Adding the same filter again does nothing.
        for logger in _LOGGERS:
            logger.addFilter(_without_queries)
        super().init_poolmanager(*args, **how)
        self._pools: dict[Any, Any] = {}
        self.poolmanager.pool_classes_by_scheme = _timed(self.poolmanager)

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool of a host, found once for all its requests."""
        key = origin(request.url), verify, *sorted((proxies or {}).items())
        if key not in self._pools:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._pools[key] = pool
        return self._pools[key]

    def request_url(self, request: Any, proxies: Any) -> str:
        """Return what to ask for; without proxies that is the path."""
        url: str = super().request_url(request, proxies) if proxies else request.path_url
        return url

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **how)
        manager.pool_classes_by_scheme = _timed(manager)
        return manager


def _without_queries(record: logging.LogRecord) -> bool:
    """Cut the queries off the addresses in urllib3's log, of our own requests alone."""
    if _exchange.get() is None:
        return True
    if isinstance(record.args, tuple):
        record.args = tuple(
            part.partition("?")[0] if isinstance(part, str) else part for part in record.args
        )
    # Headers that cannot be read are quoted there, cookies and all.
    return record.exc_info is None


class _Exchange:
    """A request that is under way, and its socket once there is one.

    `ends` is when it has taken too long, in seconds of the monotonic clock.
    """

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self.call: Cancellation | None = cancellation.current()
        self.socket: Any = None
        self.is_over = False

    def end(self) -> None:
        """Let its reader read no further."""
        self.is_over = True
        if self.socket is not None:
            with suppress(OSError, ValueError, RuntimeError):
                self.socket.shutdown(socket.SHUT_RDWR)


_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)


class _Watcher:
    """Ends exchanges that took too long, or that nobody wants any more."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: set[_Exchange] = set()
        self._thread: threading.Thread | None = None

    def add(self, exchange: _Exchange) -> None:
        """Watch an exchange."""
        with self._changed:
            self._under_way.add(exchange)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()

    def remove(self, exchange: _Exchange) -> None:
        """Watch it no longer."""
        with self._changed:
            self._under_way.discard(exchange)

    def _watch(self) -> None:
        with self._changed:
            # It ends when nothing was sent for a while.
            last = time.monotonic()
            # One may have come while this waited, and found that a thread looks.
            while self._under_way or time.monotonic() - last < _LINGER:
                last = time.monotonic() if self._under_way else last
                for one in list(self._under_way):
                    if one.ends <= time.monotonic() or (one.call and one.call.is_cancelled):
                        self._under_way.discard(one)
                        one.end()
                self._changed.wait(_GLANCE)
            self._thread = None


_watcher = _Watcher()


def _forget_parents() -> None:
    """Begin anew in a child process, where no thread looks and another may have held the lock."""
    global _watcher  # noqa: PLW0603 - one for all connections
    _watcher = _Watcher()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


@contextmanager
def deadline(seconds: float, url: str) -> Iterator[None]:
    """End an exchange that takes longer than so many seconds, or is cancelled.

    It raises `TransportError`, which names the host, or `CancelledError`.
    """
    exchange = _Exchange(seconds)
    token = _exchange.set(exchange)
    _watcher.add(exchange)
    try:
        yield
    except Exception:
        if not exchange.is_over:
            raise
    finally:
        _watcher.remove(exchange)
        _exchange.reset(token)
    if exchange.is_over:
        cancellation.check()
        raise TransportError(f"{netloc(url)} took more than {seconds:g} s to send an answer")


class _Final(Received):
    """The head of an answer, after those that only say that it is to come."""

    def begin(self) -> None:
        """Read the head."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before it was read
            super().begin()


class Timed:
    """A connection whose exchange can be ended from outside."""

    sock: Any
    response_class: Any = _Final

    def getresponse(self) -> Any:
        """Read the head of an answer."""
        exchange = _exchange.get()
        if exchange is not None:
            exchange.socket = self.sock
            if exchange.is_over:
                raise TimeoutError
        return super().getresponse()  # type: ignore[misc]  # that of urllib3's connections


def _timed(manager: PoolManager) -> dict[str, Any]:
    """Return a manager's pools by scheme, those of SOCKS proxies too, with a deadline each."""
    pools: dict[str, Any] = manager.pool_classes_by_scheme
    return {scheme: _timed_pool(pool) for scheme, pool in pools.items()}


@cache
def _timed_pool(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    if issubclass(pool.ConnectionCls, Timed):
        return pool
    connection = type(pool.ConnectionCls.__name__, (Timed, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def read_whole(response: Response, limit: int) -> None:
    """Read a body to its end, and no more bytes than the limit, however well it is packed.

    Of the answer only the head was read before; afterwards its ``content`` is the body.
    """
    raw = response.raw
    # What is not packed, and tells its length, is read in one piece.
    is_small = "Content-Encoding" not in raw.headers and 0 < (raw.length_remaining or 0) <= limit
    body = raw.read(None if is_small else limit + 1, decode_content=True)
    if len(body) > limit:
        raise PayloadError(
            f"{netloc(response.url)} sent more than {limit // MEBIBYTE} MiB for "
            f"{urlsplit(response.url).path}; not read further"
        )
    raw.release_conn()
    set_body(response, body)


def joined_up(pieces: Iterator[bytes], limit: int, asked: str) -> bytes:
    """Read what comes in pieces to its end, and no more bytes than the limit."""
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > limit:
            raise PayloadError(f"{asked}: it has more than {limit:,} bytes; not read")
    return bytes(body)


def set_body(response: Response, body: bytes) -> None:
    """Let an answer have a body that was read already, and is not packed any more."""
    raw = response.raw
    headers = raw.headers
    if "Content-Encoding" in headers:
        headers = HTTPHeaderDict(headers)
        headers.discard("Content-Encoding")
    response.raw = HTTPResponse(
        BytesIO(body),
        headers,
        raw.status,
        preload_content=False,
        reason=raw.reason,
        enforce_content_length=False,
    )
