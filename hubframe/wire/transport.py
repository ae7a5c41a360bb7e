"""One exchange on the network: authorisation, redirects, retries, and what is kept of the answer.

It is a requests adapter, mounted below the cache. What it returns carries no secret: no
``Authorization``, no cookies, no address of a redirect.
"""

import logging
import os
import re
import socket
import ssl
import time
from collections.abc import Callable
from functools import lru_cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry

from hubframe.errors import TransportError
from hubframe.version import USER_AGENT
from hubframe.wire import cancellation, statuses
from hubframe.wire.addresses import joined, loses_encryption, netloc, origin
from hubframe.wire.auth import Auth
from hubframe.wire.limits import Limits, resets_in, retry_after
from hubframe.wire.network import MEBIBYTE, causes, read_whole, redact, set_body
from hubframe.wire.rates import LONGEST_WAIT, RateLimiter
from hubframe.wire.statistics import count_request

if TYPE_CHECKING:
    from hubframe.wire.shared_rates import SharedRateLimiter

logger = logging.getLogger(__name__)

# Registries hold manifests to 4 MiB, and clients configs too. Lists have no such rule.
DOCUMENT_LIMIT = 4 * MEBIBYTE
LIST_LIMIT = 64 * MEBIBYTE
# In place of a limit: what is no refusal is not read here.
UNREAD = 0
_MOST_REDIRECTS = 5
_BLOBS = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Cookies are secrets; and the cache's key holds all that answers vary by, whatever Vary says.
_NOT_KEPT = ("Set-Cookie", "Vary")
# Where the certificates of private authorities are named; the first that is set holds.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# How requests says that such a file is missing.
_NO_BUNDLE = "TLS CA certificate bundle"
# How Go, nginx and Apache answer plain http on a port that speaks TLS.
_SPEAKS_TLS = re.compile(
    rb"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port"
    rb"|speaking plain HTTP to an SSL-enabled server port"
)
# What OpenSSL calls an answer that is no TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
# The way in which registries say something to people, by the distribution specification.
_WARNING = re.compile(r'299\s+\S+\s+"((?:\\.|[^"\\])*)"')
_MOST_WARNINGS = 100
# Not its words: a proxy may repeat the login that it was sent.
_REFUSED_TUNNEL = re.compile(r"^Tunnel connection failed: (4\d\d)\b")

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_TOO_MANY, _UNAVAILABLE = 429, 503
# What is waited after a 429 that does not say how long, doubled with each. [seconds]
_FIRST_WAIT = 2.0

RETRIES = Retry(
    total=5,
    backoff_factor=0.1,
    backoff_jitter=0.2,
    backoff_max=10,
    status_forcelist=_PASSING,
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
    workers
        How many requests may be in flight at each host.
    shared_rates
        The rate that other machines keep, too; None where there are none.
    """

    def __init__(
        self,
        network: BaseAdapter,
        auth_for: Callable[[str], Auth | None],
        timeout: tuple[float, float],
        workers: int,
        shared_rates: "SharedRateLimiter | None" = None,
    ) -> None:
        super().__init__()
        self._network = network
        self._auth_for = auth_for
        self._timeout = timeout
        self._workers = workers
        self._shared_rates = shared_rates
        self.limits = Limits()
        self._rates: dict[str, RateLimiter] = {}
        # Looked up once for each host: requests would do so every time.
        self._proxies = lru_cache(maxsize=256)(get_environ_proxies)
        self._encrypted: set[str] = set()
        self._warned: set[tuple[str, str]] = set()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - as requests has it
        *_others: Any,
        **_more: Any,
    ) -> Response:
        """Send a request and read the whole answer; the arguments are those of requests."""
        # Of a stream a blob is the caller's to read, and to close.
        limit = DOCUMENT_LIMIT if _is_document(request.url or "") else LIST_LIMIT
        exchange = partial(self._exchange, limit=UNREAD if stream else limit)
        home, is_home, target = origin(request.url or ""), True, request
        for _ in range(1 + _MOST_REDIRECTS):
            auth = self._auth_for(target.url or "") if is_home else None
            if auth is None:
                target.headers.pop("Authorization", None)
                response = exchange(target)
            else:
                response = auth.send(target, exchange)
                self.limits.note(home, auth.identity, response.headers)
            following = _following(request, response)
            if following is None:
                break
            there = origin(following.url or "")
            if _is_about_referrers(request) and there != home:
                break
            # Whoever was sent away and back is somebody else's errand: no login either.
            is_home, target = is_home and there == home, following
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """Close the connections."""
        self._network.close()

    def rate_limiter(self, url: str) -> RateLimiter:
        """Return the rate limiter of the host of an address."""
        home = origin(url)
        # Of two threads that are the first to ask, both get the same.
        made = self._rates.get(home)
        return made or self._rates.setdefault(home, RateLimiter(netloc(url), self._workers))

    def _exchange(self, request: PreparedRequest, limit: int) -> Response:
        """Send until there is an answer, or no point in asking again."""
        rates = self.rate_limiter(request.url or "")
        begun, is_pull = time.monotonic(), _is_pull(request)
        # Of a host that is down one finds out for all.
        retries: Retry | None = RETRIES.new(total=1) if rates.is_down else RETRIES
        while True:
            if is_pull and (refusal := rates.refusal) is not None:
                return refusal
            # What keeps an answer from coming may be over in a moment.
            response = error = None
            cancellation.check()
            try:
                with rates.acquire():
                    sent = time.monotonic()
                    response = self._once(request, limit)
                    is_refusal = response.status_code in (_TOO_MANY, _UNAVAILABLE)
                    rates.learn(response.headers, time.monotonic() - sent, is_refusal=is_refusal)
            except (requests.RequestException, HTTPError, OSError) as failure:
                error = failure
            if response is None or response.status_code == _UNAVAILABLE:
                rates.back_off()
            if response is not None and not _is_passing(response):
                if is_pull and statuses.is_about_pulls(response):
                    rates.refuse_pulls(response, retry_after(response.headers))
                return response
            if error is not None and _is_lasting(error):
                raise self._unreachable(request, error) from error
            retries = _another(retries, request, response, error)
            if retries is None:
                if response is not None:
                    return response
                rates.is_down = rates.heard < begun
                raise self._unreachable(request, error) from error
            _wait(retries, response, rates)

    def _once(self, request: PreparedRequest, limit: int) -> Response:
        home = origin(request.url or "")
        if self._shared_rates is not None:
            self._shared_rates.wait(request.url or "")
        count_request()
        logger.debug("%s %s", request.method, _without_query(request.url or ""))
        request.headers["User-Agent"] = USER_AGENT
        is_encrypted = home.startswith("https:") or home in self._encrypted
        response = self._network.send(
            _over_tls(request) if is_encrypted else request,
            stream=True,
            timeout=self._timeout,
            verify=_verify(),
            proxies=self._proxies(home),
        )
        _forget(response)
        if self._shared_rates is not None:
            self._shared_rates.learn(request.url or "", response.headers)
        try:
            self._read(request, response, limit)
        except BaseException:
            # Not every error of the libraries closes the connection.
            response.close()
            raise
        if not is_encrypted and _asks_for_tls(response):
            # Loopback hosts are asked in the clear; one that wants better gets it.
            self._encrypted.add(home)
            return self._once(request, limit)
        response.url = request.url or ""
        self._pass_on_warnings(response)
        return response

    def _read(self, request: PreparedRequest, response: Response, limit: int) -> None:
        """Read the body, but that of a blob, which whoever asked for it reads."""
        is_blob = limit == UNREAD and _is_blob(response)
        if "Range" in request.headers and response.status_code == HTTPStatus.OK and not is_blob:
            # A few bytes were asked for: nobody waits for all of them.
            response.close()
            set_body(response, b"")
        elif not is_blob:
            read_whole(response, limit or DOCUMENT_LIMIT, self._timeout[1])
        redact(request, response)

    def _pass_on_warnings(self, response: Response) -> None:
        """Say once what a registry wants people to know, such as that it will close."""
        warned = response.headers.get("Warning")
        if not warned:
            return
        host = netloc(response.url)
        for text in _WARNING.findall(warned):
            # http.client reads every header as Latin-1.
            said = statuses.quotable(text.encode("latin-1", "replace").decode(errors="replace"))
            if (host, said) not in self._warned and len(self._warned) < _MOST_WARNINGS:
                self._warned.add((host, said))
                logger.warning("%s says: %s", host, said)

    def _unreachable(self, request: PreparedRequest, cause: BaseException | None) -> TransportError:
        url = request.url or ""
        proxy = select_proxy(url, self._proxies(origin(url)))
        through = f" through the proxy {_proxy_place(proxy)}" if proxy else ""
        return TransportError(
            f"{netloc(url)} could not be reached{through}: {_reason(cause)}. Check the network and "
            "the name; without one, hubframe.offline() answers from the cache and --sample from "
            "the bundled sample"
        )


def _is_pull(request: PreparedRequest) -> bool:
    """Whether Docker Hub counts a request as a pull."""
    return request.method == "GET" and "/manifests/" in _without_query(request.url or "")


def _is_passing(response: Response) -> bool:
    """Whether the same request may well be answered in a moment."""
    if response.status_code not in _PASSING or statuses.is_wall(response):
        return False
    wait = retry_after(response.headers)
    if response.status_code == _TOO_MANY and statuses.is_about_pulls(response):
        return wait is not None and wait <= LONGEST_WAIT
    return wait is None or wait <= LONGEST_WAIT


def _another(
    retries: Retry | None,
    request: PreparedRequest,
    response: Response | None,
    error: Exception | None,
) -> Retry | None:
    """Return what is left of the retries; None for nothing."""
    raw = response.raw if response is not None else None
    try:
        return retries and retries.increment(request.method, None, raw, error)
    except (MaxRetryError, requests.RequestException, HTTPError, OSError):
        return None


def _wait(retries: Retry, response: Response | None, rates: RateLimiter) -> None:
    """Wait for the host's sake together with all who ask it, else alone and not for long."""
    wait = retry_after(response.headers) if response is not None else None
    if response is not None and response.status_code == _TOO_MANY:
        told = resets_in(response.headers) if wait is None else wait
        wait = _FIRST_WAIT * 2 ** (len(retries.history) - 1) if told is None else told
    if wait is None:
        cancellation.wait(retries.get_backoff_time())
    else:
        rates.slow_down(min(wait, LONGEST_WAIT))


def _following(request: PreparedRequest, response: Response) -> PreparedRequest | None:
    """Return what to ask next, or None where the answer is one.

    Addresses may be signed, and some tracebacks show variables: none here holds an address.
    """
    if response.status_code not in _REDIRECTS or not response.headers.get("Location"):
        return None
    copy = request.copy()
    copy.url = joined(response.url, response.headers["Location"], "where to go")
    here, there = netloc(response.url), netloc(copy.url)
    if loses_encryption(response.url, copy.url):
        raise TransportError(f"{here} redirects to {there} without encryption; not followed")
    return copy


def _is_about_referrers(request: PreparedRequest) -> bool:
    """Elsewhere there are only pages for people: GHCR sends to its website, others to a login."""
    return "/referrers/" in urlsplit(request.url or "").path


def _over_tls(request: PreparedRequest) -> PreparedRequest:
    copy = request.copy()
    copy.url = re.sub("^http:", "https:", request.url or "")
    return copy


def _asks_for_tls(response: Response) -> bool:
    is_refused = response.status_code == HTTPStatus.BAD_REQUEST
    return is_refused and bool(_SPEAKS_TLS.search(response.content[:4096]))


def _without_query(url: str) -> str:
    """Signed addresses carry their secret in the query."""
    return url.partition("?")[0]


def _is_document(url: str) -> bool:
    path = _without_query(url)
    return "/manifests/" in path or "/blobs/" in path


def _is_blob(response: Response) -> bool:
    """Whether what comes may be a blob, and no refusal and no page for people."""
    is_html = "html" in response.headers.get("Content-Type", "").lower()
    return response.status_code in _BLOBS and not is_html


def _forget(response: Response) -> None:
    """Drop what the cache must not see: neither API needs cookies."""
    response.cookies.clear()
    same = response.raw.headers is response.headers
    for headers in (response.headers,) if same else (response.headers, response.raw.headers):
        for name in _NOT_KEPT:
            headers.pop(name, None)


def _is_lasting(error: BaseException) -> bool:
    """Whether asking again in a moment is of no use."""
    return any(
        isinstance(cause, InvalidProxyURL | InvalidSchema | InvalidURL)
        or _is_about_tls(cause)
        or _NO_BUNDLE in str(cause)
        or _REFUSED_TUNNEL.search(str(cause))
        for cause in causes(error)
    )


def _is_about_tls(error: BaseException) -> bool:
    """Whether TLS failed for good: a connection that just ended may do better next time."""
    is_ended = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(error, ssl.SSLError) and not is_ended


def _reason(error: BaseException | None) -> str:
    """The innermost cause in a few words: the outer ones quote addresses and objects."""
    chain = list(causes(error))
    for cause in chain:
        if _is_about_tls(cause) and isinstance(cause, ssl.SSLError):
            return _tls_reason(cause)
        if tunnel := _REFUSED_TUNNEL.search(str(cause)):
            return f"the proxy answered {statuses.named(int(tunnel[1]))}"
        if _NO_BUNDLE in str(cause) and (name := _bundle()):
            return f"{name} names {os.environ[name]}, and there is no such file"
        if isinstance(cause, InvalidProxyURL | InvalidSchema):
            return "the proxy's address cannot be used; see HTTPS_PROXY and HTTP_PROXY"
    return _plain_reason(chain[-1]) if chain else "no answer"


def _plain_reason(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "its name is unknown"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "no answer in time" if "timed out" in str(error).lower() else type(error).__name__


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = statuses.quotable(error.verify_message).rstrip(".")
        return (
            f"its certificate is not trusted ({said}). If an authority of your own signed it, name "
            "the file of its certificate in REQUESTS_CA_BUNDLE"
        )
    if error.reason in _NO_TLS:
        return (
            "it does not speak TLS. Plain http is for loopback hosts and for those that "
            "HUBFRAME_INSECURE_REGISTRIES names"
        )
    return (
        f"TLS failed ({error.reason}). Look at its certificate, and at the file that "
        "REQUESTS_CA_BUNDLE names"
    )


def _proxy_place(proxy: str) -> str:
    """Where a proxy is; its address may hold a login, with any sign in it, and may be malformed."""
    return proxy.rpartition("://")[2].rpartition("@")[2].partition("/")[0]


def _verify() -> str | bool:
    """Return the certificates to trust; looked up each time, so that a notebook may set them."""
    name = _bundle()
    return os.environ[name] if name else True


def _bundle() -> str | None:
    return next((name for name in _BUNDLES if os.environ.get(name)), None)
