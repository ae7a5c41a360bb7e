"""One exchange on the network: authorisation, redirects, retries, and what is kept of the answer.

It is a requests adapter, mounted below the cache. What it returns carries no secret: no
``Authorization``, no cookies, no address of a redirect.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry

from hubframe.errors import PayloadError, TransportError
from hubframe.version import USER_AGENT
from hubframe.wire import statuses
from hubframe.wire.addresses import joined, loses_encryption, origin
from hubframe.wire.auth import Auth, Flow
from hubframe.wire.tally import count_request

logger = logging.getLogger(__name__)

MEBIBYTE = 2**20
# Registries hold manifests to 4 MiB, and clients configs too. Lists have no such rule.
DOCUMENT_LIMIT = 4 * MEBIBYTE
LIST_LIMIT = 64 * MEBIBYTE
LONGEST_WAIT = 75.0
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Cookies are secrets; and the cache's key holds all that answers vary by, whatever Vary says.
_NOT_KEPT = ("Set-Cookie", "Vary")

RETRIES = Retry(
    total=3,
    backoff_factor=0.2,
    backoff_jitter=0.2,
    backoff_max=10,
    status_forcelist=(408, 500, 502, 503, 504),
    allowed_methods=("GET", "HEAD"),
    raise_on_status=False,
)


class Transport(BaseAdapter):
    """Sends requests over a network adapter, as whoever may ask.

    Parameters
    ----------
    network
        The adapter that reaches the other side: a socket's, or the sample's.
    auth_for
        Who asks at an address; None for nobody in particular.
    timeout
        Seconds to wait for a connection, and for an answer.
    """

    def __init__(
        self,
        network: BaseAdapter,
        auth_for: Callable[[str], Auth | None],
        timeout: tuple[float, float],
    ) -> None:
        super().__init__()
        self._network = network
        self._auth_for = auth_for
        self._timeout = timeout
        # Looked up once for each host: requests would do so every time.
        self._proxies = lru_cache(maxsize=256)(get_environ_proxies)

    def send(  # noqa: PLR0913, PLR0917
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: Any = None,  # noqa: ARG002
        verify: Any = True,  # noqa: ARG002, FBT002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """Send a request and read the whole answer; the arguments are those of requests."""
        request.headers["User-Agent"] = USER_AGENT
        limit = DOCUMENT_LIMIT if _is_document(request.url or "") else LIST_LIMIT
        response = self._authorized(request, limit)
        for _ in range(_MOST_REDIRECTS):
            target = _redirect(response)
            if target is None:
                break
            response = self._redirected(request, response, target, limit)
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """Close the connections."""
        self._network.close()

    def _authorized(self, request: PreparedRequest, limit: int) -> Response:
        auth = self._auth_for(request.url or "")
        if auth is None:
            return self._exchange(request, limit)
        return self._converse(auth.flow(request), limit)

    def _converse(self, flow: Flow, limit: int) -> Response:
        """Send what the flow yields, until it returns the answer."""
        request = next(flow)
        while True:
            try:
                response = self._exchange(request, limit)
            except BaseException as error:
                flow.throw(error)  # it lets go of its locks, and raises the same
                raise
            try:
                request = flow.send(response)
            except StopIteration as done:
                answer: Response = done.value
                return answer

    def _redirected(
        self, request: PreparedRequest, response: Response, target: str, limit: int
    ) -> Response:
        """Follow, with the login only where the redirect stays on the same host."""
        copy = request.copy()
        copy.url = target
        if origin(target) == origin(response.url):
            return self._authorized(copy, limit)
        copy.headers.pop("Authorization", None)
        return self._exchange(copy, limit)

    def _exchange(self, request: PreparedRequest, limit: int) -> Response:
        """Send until there is an answer, or no point in asking again."""
        retries = RETRIES
        while True:
            response: Response | None = None
            try:
                response = self._once(request, limit)
                if not _is_passing(retries, request, response):
                    return response
                cause: Exception | None = None
            except (requests.RequestException, HTTPError, OSError) as error:
                cause = error
            try:
                retries = retries.increment(
                    request.method,
                    request.url,
                    response=response.raw if response is not None else None,
                    error=cause if response is None else None,
                )
            except (MaxRetryError, requests.RequestException, HTTPError, OSError):
                if response is not None:
                    return response
                raise _unreachable(request, cause) from cause
            _wait(retries, request, response)

    def _once(self, request: PreparedRequest, limit: int) -> Response:
        count_request()
        logger.debug("%s %s", request.method, _without_query(request.url or ""))
        response = self._network.send(
            request,
            stream=True,
            timeout=self._timeout,
            verify=_verify(),
            proxies=self._proxies(origin(request.url or "")),
        )
        _forget(response)
        _read(response, limit)
        return response


def _is_passing(retries: Retry, request: PreparedRequest, response: Response) -> bool:
    """Whether the same request may well be answered in a moment."""
    wait = statuses.retry_after(response.headers)
    if wait is not None and wait > LONGEST_WAIT:
        return False
    return retries.is_retry(request.method or "", response.status_code, wait is not None)


def _wait(retries: Retry, request: PreparedRequest, response: Response | None) -> None:
    wait = statuses.retry_after(response.headers) if response is not None else None
    if wait is None:
        retries.sleep()
    elif wait:
        logger.warning("%s asks to wait %.0f s; waiting", urlsplit(request.url or "").netloc, wait)
        time.sleep(wait)


def _redirect(response: Response) -> str | None:
    """Return where to go next, or None where the answer is one."""
    location = response.headers.get("Location")
    if response.status_code not in _REDIRECTS or not location:
        return None
    target = joined(response.url, location, "where to go")
    if loses_encryption(response.url, target):
        raise TransportError(
            f"{urlsplit(response.url).netloc} redirects to {urlsplit(target).netloc} without "
            "encryption; not followed"
        )
    return target


def _without_query(url: str) -> str:
    """Signed addresses carry their secret in the query."""
    return url.partition("?")[0]


def _is_document(url: str) -> bool:
    path = urlsplit(url).path
    return "/manifests/" in path or "/blobs/" in path


def _read(response: Response, limit: int) -> None:
    """Read the body to its end, and no further than the limit, however well it is packed."""
    chunks, size = [], 0
    for chunk in response.iter_content(64 * 1024):
        size += len(chunk)
        if size > limit:
            response.close()
            raise PayloadError(
                f"{urlsplit(response.url).netloc} sent more than {limit // MEBIBYTE} MiB "
                f"for {urlsplit(response.url).path}; not read further"
            )
        chunks.append(chunk)
    # requests offers no other way to hand on a body that was read in pieces.
    response._content = b"".join(chunks)  # noqa: SLF001


def _forget(response: Response) -> None:
    """Drop what the cache must not see: neither API needs cookies."""
    response.cookies.clear()
    for headers in (response.headers, response.raw.headers):
        for name in _NOT_KEPT:
            headers.pop(name, None)


def _unreachable(request: PreparedRequest, cause: Exception | None) -> TransportError:
    host = urlsplit(request.url or "").netloc
    return TransportError(
        f"{host} could not be reached: {_reason(cause)}. Check the network and the name; without "
        "one, hubframe.offline() answers from the cache and --sample from the bundled sample"
    )


def _reason(error: BaseException | None) -> str:
    """The innermost cause in a few words: the outer ones quote addresses and objects."""
    while error is not None:
        inner = error.__cause__ or error.__context__ or _argument(error)
        if inner is None or inner is error:
            break
        error = inner
    if isinstance(error, socket.gaierror):
        return "its name is unknown"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "no answer in time" if "timed out" in str(error).lower() else type(error).__name__


def _argument(error: BaseException) -> BaseException | None:
    """urllib3 keeps the cause in ``reason``, requests among the arguments."""
    found = [getattr(error, "reason", None), *error.args]
    return next((part for part in found if isinstance(part, BaseException)), None)


def _verify() -> str | bool:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
