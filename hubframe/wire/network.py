"""The way onto the network: requests' own adapter, which tells nothing of what it carries.

urllib3 writes whole addresses into its log and its errors, and its functions hold every header in
their variables, which some tracebacks show. Addresses may be signed, and headers are logins.
"""

import base64
import http.client
import json
import logging
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl, quote

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import select_proxy
from urllib3 import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from hubframe.wire.addresses import origin
from hubframe.wire.exchange import TimedSocket, Whole, ask

_LOGGER = logging.getLogger("urllib3.connectionpool")
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: \d+")
_STRUCK = "…"
# Less is no secret, and striking it out would spoil every message.
_SHORTEST = 4
# What logins are posted under.
_SECRET_FIELDS = frozenset({"secret", "password", "refresh_token"})


class Network(HTTPAdapter):
    """Sends over sockets; what goes wrong is told without addresses, headers and frames."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        """Make the pools of connections; theirs have an end."""
        self._pools: dict[tuple[str, Any], Any] = {}
        super().init_poolmanager(*args, **how)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **how)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def close(self) -> None:
        """Close the connections: urllib3 would leave that to whoever collects its pools."""
        for pool in list(self._pools.values()):
            pool.close()
        super().close()

    def send(self, request: PreparedRequest, *args: Any, **how: Any) -> Response:
        """Send a request; the arguments are those of requests."""
        try:
            return self._send(request, *args, **how)
        except BaseException as error:  # noqa: BLE001 - an interrupt shows the frames, too
            failure = bare(error)
        # The proxies are among these, with their logins. And not in the handler above: there the
        # old frames would be this error's context.
        del args, how
        raise failure

    def _send(  # noqa: PLR0913, PLR0917
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,
        verify: Any = True,  # noqa: FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Send by the pool of the host; through a proxy as requests does.

        What requests does for each request takes as long as the request itself: finding the pool,
        and collecting cookies, which neither API needs.
        """
        url = request.url or ""
        if request.body is not None or (proxies and select_proxy(url, dict(proxies))):
            with _discreetly():
                return super().send(request, stream, timeout, verify, cert, dict(proxies or {}))
        pool = self._pool(request, verify)
        raw = None if stream else ask(pool, request, timeout)
        return _response(request, _asked(pool, request, timeout) if raw is None else raw)

    def _pool(self, request: PreparedRequest, verify: Any) -> Any:
        """Return the pool of a host, with the certificates that are to be trusted."""
        key = (origin(request.url or ""), verify)
        if key not in self._pools:
            pool = self.get_connection_with_tls_context(request, verify, {}, None)
            self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
            self._pools[key] = pool
        return self._pools[key]


def _answer_of(connection: HTTPConnection) -> Any:
    """Return what reads an answer of a connection, until it took too long."""

    def read(came: socket.socket, *args: Any, **how: Any) -> http.client.HTTPResponse:
        timed: Any = TimedSocket(came, connection.host)
        return http.client.HTTPResponse(timed, *args, **how)

    return read


def _asked(pool: Any, request: PreparedRequest, timeout: tuple[float, float]) -> Any:
    """Ask by urllib3, which knows how to connect and what is not plain."""
    connect, read = timeout
    with _discreetly():
        return pool.urlopen(
            request.method or "GET",
            request.path_url,
            headers=request.headers,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=False,
            timeout=Timeout(connect=connect, read=read),
        )


def _response(request: PreparedRequest, raw: Any) -> Response:
    """Show an answer as requests does."""
    response = _Answer()
    response.url, response.request, response.raw = request.url or "", request, raw
    response.status_code, response.reason = raw.status, raw.reason or ""
    if isinstance(raw, Whole):
        # requests offers no other way to hand on a body that was read.
        response._content = raw.body  # noqa: SLF001
        response.headers = raw.headers  # type: ignore[assignment]  # they are asked in one way
    else:
        response.headers = CaseInsensitiveDict(raw.headers)
    return response


# An answer of requests of which nothing is known yet.
_NOTHING = vars(Response())


class _Answer(Response):
    """An answer of requests that has no cookies: to make the jar takes longer than all the rest."""

    def __init__(self) -> None:
        vars(self).update(_NOTHING, history=[])


class _Connection(HTTPConnection):
    @property
    def response_class(self) -> Any:  # type: ignore[override]
        return _answer_of(self)


class _SafeConnection(HTTPSConnection):
    @property
    def response_class(self) -> Any:  # type: ignore[override]
        return _answer_of(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection

    def _put_conn(self, conn: Any) -> None:
        """Take a connection back; close it where the pool was closed in that moment."""
        super()._put_conn(conn)
        if self.pool is None and conn:
            conn.close()


class _SafePool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _SafeConnection


_POOLS = {"http": _Pool, "https": _SafePool}


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
    return "timed out" if "timed out" in str(part).lower() else _STRUCK


_is_sending: ContextVar[bool] = ContextVar("is_sending", default=False)


@contextmanager
def _discreetly() -> Iterator[None]:
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


def strike_out(request: PreparedRequest, response: Response) -> None:
    """Strike the login that was sent out of an answer that repeats it.

    What came for it stays as it is, else documents would have other digests; headers do not.
    """
    is_secret = request.body is not None or "Authorization" in request.headers
    secrets = _sent_with(request) if is_secret else []
    if not secrets:
        return
    for headers in (response.headers, response.raw.headers):
        for name, value in list(headers.items()):
            if any(secret in value for secret in secrets):
                headers[name] = _struck(value, secrets)
    if not response.ok:
        for secret in secrets:
            # requests offers no other way to hand on another body.
            response._content = response.content.replace(  # noqa: SLF001
                secret.encode(), _STRUCK.encode()
            )


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


def _struck(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _STRUCK)
    return text
