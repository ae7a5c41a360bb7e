"""The way onto the network: requests' own adapter, which tells nothing of what it carries.

urllib3 writes whole addresses into its log and its errors, and its functions hold every header in
their variables, which some tracebacks show. Addresses may be signed, and headers are logins.
"""

import base64
import json
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from hubframe.errors import PayloadError, TransportError
from hubframe.wire import cancellation
from hubframe.wire.addresses import netloc
from hubframe.wire.cancellation import Cancellation

_LOGGER = logging.getLogger("urllib3.connectionpool")
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: \d+")
_REDACTED = "…"
# Less is no secret, and redacting it would spoil every message.
_SHORTEST = 4
# What logins are posted under.
_SECRET_FIELDS = frozenset({"secret", "password", "refresh_token"})
# How much longer than a pause in it a whole answer may take.
_SLOWEST = 10
# How often is looked whether something has taken too long, and for how long after the last. [s]
_GLANCE, _LINGER = 0.1, 1.0
_PIECE = 64 * 1024
MEBIBYTE = 2**20


class Network(HTTPAdapter):
    """Sends over sockets; what goes wrong is told without addresses, headers and frames."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        """Make the pools of connections; their answers have a deadline."""
        super().init_poolmanager(*args, **how)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **how)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: PreparedRequest, *args: Any, **how: Any) -> Response:
        """Send a request; the arguments are those of requests."""
        try:
            with _without_queries_in_logs():
                return super().send(request, *args, **how)
        except BaseException as error:  # noqa: BLE001 - an interrupt shows the frames, too
            failure = bare(error)
        # The proxies are among these, with their logins. And not in the handler above: there the
        # old frames would be this error's context.
        del args, how
        raise failure


class _Deadlines:
    """Exchanges that are ended once they took too long, or nobody wants them any more.

    Time-outs of sockets are for pauses: a server that sends a byte a second, of headers, of a body
    or of what unpacks to nothing, would be listened to for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Cancellation | None, Callable[[], object]]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def ending(self, seconds: float, end: Callable[[], object], name: str) -> Iterator[None]:
        """Call what ends it after so many seconds, or when it is cancelled; the error says so."""
        key = object()
        with self._changed:
            self._due[key] = (time.monotonic() + seconds, cancellation.current(), end)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                is_over = self._due.pop(key, None) is None
            if is_over:
                cancellation.check()
                raise TransportError(
                    f"{name} took more than {seconds:g} s to send an answer; not read further"
                )

    def _watch(self) -> None:
        with self._changed:
            # It ends when nothing was sent for a while.
            last = time.monotonic()
            while time.monotonic() - last < _LINGER:
                last = time.monotonic() if self._due else last
                for key, (ends, call, end) in list(self._due.items()):
                    if ends <= time.monotonic() or (call is not None and call.is_cancelled):
                        del self._due[key]
                        with suppress(OSError, ValueError, RuntimeError):
                            end()
                self._changed.wait(_GLANCE)


_deadlines = _Deadlines()


def _forget_parents() -> None:
    """Begin anew in a child process, where no thread looks and another may have held the lock."""
    global _deadlines  # noqa: PLW0603 - one for all connections
    _deadlines = _Deadlines()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


class _Timed:
    """A connection whose head of an answer has a deadline."""

    host: str
    sock: Any

    def getresponse(self) -> Any:
        """Read the head of an answer."""
        sock = self.sock
        longest = _SLOWEST * (sock.gettimeout() or float("inf"))
        with _deadlines.ending(longest, lambda: sock.shutdown(socket.SHUT_RDWR), self.host):
            return super().getresponse()  # type: ignore[misc]  # that of urllib3's connections


class _Connection(_Timed, HTTPConnection):
    pass


class _SafeConnection(_Timed, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SafePool(HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


_POOLS = {"http": _Pool, "https": _SafePool}


def read_whole(response: Response, limit: int, timeout: float) -> None:
    """Read a body to its end, and no further than the limit, however well it is packed.

    Parameters
    ----------
    response
        An answer of which only the head was read; afterwards its ``content`` is the body.
    limit
        How much it may be. [bytes]
    timeout
        How long a pause in it may be; all of it may take ten times as long. [seconds]
    """
    raw, pieces, size = response.raw, [], 0
    with _deadlines.ending(_SLOWEST * timeout, raw.shutdown, netloc(response.url)):
        while piece := raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise PayloadError(
                    f"{netloc(response.url)} sent more than {limit // MEBIBYTE} MiB for "
                    f"{urlsplit(response.url).path}; not read further"
                )
    raw.release_conn()
    set_body(response, b"".join(pieces))


def set_body(response: Response, body: bytes) -> None:
    """Let an answer have a body that was read already, and is not packed any more."""
    raw = response.raw
    headers = HTTPHeaderDict(raw.headers)
    headers.discard("Content-Encoding")
    response.raw = HTTPResponse(
        BytesIO(body),
        headers,
        raw.status,
        preload_content=False,
        reason=raw.reason,
        enforce_content_length=False,
    )


def bare(error: BaseException) -> BaseException:
    """Take from an error and its causes what they hold of the request."""
    for cause in causes(error):
        cause.__traceback__ = None
        for name in ("request", "response", "pool", "url", "conn"):
            if name in vars(cause):
                setattr(cause, name, None)
        if _is_wordy(cause):
            cause.args = tuple(_plain(part) for part in cause.args)
            # Its words stand in attributes, too, such as the address that is none.
            for name, value in list(vars(cause).items()):
                if isinstance(value, str):
                    setattr(cause, name, _plain(value))
        elif tunnel := _REFUSED_TUNNEL.match(str(cause)):
            # Not the proxy's own words, which may repeat the login that it was sent.
            cause.args = (tunnel[0],)
    return error


def _is_wordy(error: BaseException) -> bool:
    """Whether an error quotes addresses; the system's own words hold none."""
    if isinstance(error, HTTPError | requests.RequestException):
        return True
    return isinstance(error, ValueError) and not isinstance(error, OSError)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error inward."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__ or _argument(error)


def _argument(error: BaseException) -> BaseException | None:
    """urllib3 keeps the cause in ``reason``, requests among the arguments."""
    found = [getattr(error, "reason", None), *error.args]
    return next((part for part in found if isinstance(part, BaseException)), None)


def _plain(part: Any) -> Any:
    """Keep of an error's arguments what it was about: its cause, and that time ran out."""
    if isinstance(part, BaseException | int):
        return part
    return "timed out" if "timed out" in str(part).lower() else _REDACTED


_is_sending: ContextVar[bool] = ContextVar("is_sending", default=False)


@contextmanager
def _without_queries_in_logs() -> Iterator[None]:
    """Cut the queries off the addresses in urllib3's log, of our own requests alone."""
    # Adding the same filter again does nothing.
    _LOGGER.addFilter(_without_queries)
    token = _is_sending.set(True)
    try:
        yield
    finally:
        _is_sending.reset(token)


def _without_queries(record: logging.LogRecord) -> bool:
    if not _is_sending.get():
        return True
    if isinstance(record.args, tuple):
        record.args = tuple(
            part.partition("?")[0] if isinstance(part, str) else part for part in record.args
        )
    # Headers that cannot be read are quoted there, cookies and all.
    return record.exc_info is None


def redact(request: PreparedRequest, response: Response) -> None:
    """Redact the login that was sent in an answer that repeats it.

    What came for it stays as it is, else documents would have other digests; headers do not.
    """
    is_secret = request.body is not None or "Authorization" in request.headers
    secrets = _sent_with(request) if is_secret else []
    if not secrets:
        return
    for headers in (response.headers, response.raw.headers):
        for name, value in list(headers.items()):
            if any(secret in value for secret in secrets):
                headers[name] = _redacted(value, secrets)
    if not response.ok:
        body = response.raw.data
        for secret in secrets:
            body = body.replace(secret.encode(), _REDACTED.encode())
        set_body(response, body)


def _sent_with(request: PreparedRequest) -> list[str]:
    """Return what is secret of a request's login, the longest first."""
    value = request.headers.get("Authorization", "")
    scheme, _, sent = (value if isinstance(value, str) else "").partition(" ")
    found = [sent, *_posted(request.body)]
    if scheme.lower() == "basic":
        pair = base64.b64decode(sent).decode(errors="replace")
        found += [pair, pair.partition(":")[2]]
    found += [quote(secret, safe="") for secret in found]
    return sorted({each for each in found if len(each) >= _SHORTEST}, key=len, reverse=True)


def _posted(body: Any) -> list[str]:
    """Return what a login was posted with: JSON at the Hub, a form at registries."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        fields = json.loads(text) if text.startswith("{") else dict(parse_qsl(text))
    except ValueError:
        return []
    return [value for name, value in fields.items() if name in _SECRET_FIELDS]


def _redacted(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _REDACTED)
    return text
