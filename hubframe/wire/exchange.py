"""One exchange with a host: as many at once as it bears, again where that may help.

What is returned carries no secret: no cookies, and nothing of the login that was sent.
"""

import logging
import re
import time
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.util import Retry

from hubframe.errors import HubframeError, TransportError
from hubframe.version import USER_AGENT
from hubframe.wire import cancellation, statuses
from hubframe.wire.addresses import netloc, origin, path_of
from hubframe.wire.cancellation import CancelledError
from hubframe.wire.failures import Failure, bundle, failure_of
from hubframe.wire.limits import Limits, resets_in, retry_after
from hubframe.wire.network import MEBIBYTE, deadline, read_whole, set_body
from hubframe.wire.rates import LONGEST_WAIT, RateLimiter
from hubframe.wire.redaction import proxy_host, redact
from hubframe.wire.statistics import count_request

if TYPE_CHECKING:
    from hubframe.wire.redis import SharedRateLimiter

logger = logging.getLogger(__name__)

# Registries hold manifests to 4 MiB, and clients configs too. Lists have no such rule.
DOCUMENT_LIMIT = 4 * MEBIBYTE
# What is attached to images may be longer: BuildKit holds such documents to 40 MiB.
ATTACHED_LIMIT = 64 * MEBIBYTE
LIST_LIMIT = 64 * MEBIBYTE
# In place of a limit: what is no refusal is not read here.
UNREAD = 0
_BLOBS = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
# Cookies are secrets; the cache's key holds all that answers vary by, whatever Vary says; and
# where an answer was found is ours to say.
_NOT_KEPT = ("Set-Cookie", "Vary", "Content-Location")
# How Go, nginx and Apache answer plain http on a port that speaks TLS.
_SPEAKS_TLS = re.compile(
    rb"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port"
    rb"|speaking plain HTTP to an SSL-enabled server port"
)
# The way in which registries say something to people, by the distribution specification.
_WARNING = re.compile(r'299\s+\S+\s+"((?:\\.|[^"\\])*)"')
_MOST_WARNINGS = 100
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_TOO_MANY, _UNAVAILABLE = 429, 503
# How much longer than a pause in it a whole answer may take.
_SLOWEST = 10
# What is waited after a 429 that does not say how long, doubled with each. [seconds]
_FIRST_WAIT = 2.0
RETRIES = Retry(total=5, backoff_factor=0.1, backoff_jitter=0.2, backoff_max=10)


class Exchanges:
    """Sends requests over a network adapter, a socket's or the sample's, and reads the answers.

    `timeout` is how many seconds are waited for a connection, and for an answer; `workers` how many
    requests may be in flight at each host; `shared_rates` the rate that other machines keep, too.
    """

    def __init__(
        self,
        network: BaseAdapter,
        timeout: tuple[float, float],
        workers: int,
        shared_rates: "SharedRateLimiter | None" = None,
    ) -> None:
        self.network = network
        self._timeout = timeout
        self._workers = workers
        self._shared_rates = shared_rates
        # What servers told of their limits.
        self.limits = Limits()
        self._rates: dict[str, RateLimiter] = {}
        # Looked up once for each host: requests would do so every time.
        self._proxies = lru_cache(maxsize=256)(get_environ_proxies)
        self._encrypted: set[str] = set()
        self._warned: set[tuple[str, str]] = set()

    def rate_limiter(self, url: str) -> RateLimiter:
        """Return the rate limiter of the host of an address."""
        home = origin(url)
        # Of two threads that are the first to ask, both get the same.
        made = self._rates.get(home)
        return made or self._rates.setdefault(home, RateLimiter(netloc(url), self._workers))

    def close(self) -> None:
        """Close the connections."""
        self.network.close()

    def send(self, request: PreparedRequest, limit: int, *, counts_pulls: bool) -> Response:
        """Send until there is an answer; `TransportError` where it is of no use to ask again.

        The answer may be `limit` bytes long, or is `UNREAD`; `counts_pulls` is for Docker Hub's
        registry.
        """
        rates = self.rate_limiter(request.url or "")
        is_pull = counts_pulls and request.method == "GET" and _is_manifest(request)
        begun = time.monotonic()
        # Of a host that is down one finds out for all.
        retries = RETRIES.new(total=1) if rates.is_down else RETRIES
        while True:
            if is_pull and (refusal := rates.refusal) is not None:
                return refusal
            cancellation.check()
            with rates.acquire():
                sent = time.monotonic()
                answer = self._once(request, limit)
                if isinstance(answer, Response):
                    is_refusal = answer.status_code in (_TOO_MANY, _UNAVAILABLE)
                    taken = time.monotonic() - sent
                    rates.learn(answer.headers, taken, is_refusal=is_refusal)
            if isinstance(answer, Failure) or answer.status_code == _UNAVAILABLE:
                rates.back_off()
            if isinstance(answer, Failure):
                if answer.is_lasting or not retries.total or not _may_repeat(request, answer):
                    rates.is_down = not answer.is_lasting and rates.heard < begun
                    raise self._unreachable(request, answer)
            elif not retries.total or not _is_passing(answer, counts_pulls):
                if is_pull and statuses.is_about_pulls(answer):
                    rates.refuse_pulls(answer, retry_after(answer.headers))
                return answer
            retries = retries.increment()
            _wait(retries, answer, rates)

    def _once(self, request: PreparedRequest, limit: int) -> Response | Failure:
        """Send a request, and read the answer."""
        url = request.url or ""
        home = origin(url)
        if self._shared_rates is not None:
            self._shared_rates.wait(url)
        count_request()
        logger.debug("%s %s", request.method, url.partition("?")[0])
        request.headers["User-Agent"] = USER_AGENT
        is_plain = home.startswith("http:") and home not in self._encrypted
        if home in self._encrypted:
            request = request.copy()
            request.url = re.sub("^http:", "https:", url)
        proxies = self._proxies(home)
        response = None
        try:
            with deadline(_SLOWEST * self._timeout[1], url):
                response = self.network.send(
                    request,
                    stream=True,
                    timeout=self._timeout,
                    verify=bundle(),
                    proxies=proxies,
                )
                _read(request, response, limit)
        except BaseException as error:
            if response is not None:
                # Not every error of theirs closes the connection.
                response.close()
            if isinstance(error, HubframeError | CancelledError):
                raise
            if not isinstance(error, Exception):
                # The frames of an interrupt hold the request, with its login.
                raise error.with_traceback(None) from None
            return failure_of(error)
        _forget(response)
        redact(response, request, select_proxy(url, proxies) if proxies else None)
        response.url = url
        if is_plain and _asks_for_tls(response):
            # Loopback hosts are asked in the clear; one that wants better gets it.
            self._encrypted.add(home)
            return self._once(request, limit)
        if self._shared_rates is not None:
            self._shared_rates.learn(url, response.headers)
        self._pass_on_warnings(response)
        return response

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

    def _unreachable(self, request: PreparedRequest, failure: Failure) -> TransportError:
        url = request.url or ""
        proxy = select_proxy(url, self._proxies(origin(url)))
        through, checked = "", "the network and the name"
        if proxy:
            through = f" through the proxy {proxy_host(proxy)}"
            checked = f"the proxy (ALL_PROXY, HTTPS_PROXY and HTTP_PROXY), {checked}"
        return TransportError(
            f"{netloc(url)} could not be reached{through}: {failure.reason}. Check {checked}; "
            "without a network, hubframe.offline() answers from the cache and --sample from the "
            "bundled sample"
        )


def is_document(request: PreparedRequest) -> bool:
    """Tell whether a request asks for a manifest or a blob."""
    return _is_manifest(request) or "/blobs/" in path_of(request.url or "")


def _is_manifest(request: PreparedRequest) -> bool:
    return "/manifests/" in path_of(request.url or "")


def _is_passing(response: Response, counts_pulls: bool) -> bool:  # noqa: FBT001
    """Whether the same request may well be answered in a moment."""
    if response.status_code not in _PASSING or statuses.is_wall(response):
        return False
    wait = retry_after(response.headers)
    if response.status_code == _TOO_MANY and counts_pulls and statuses.is_about_pulls(response):
        return wait is not None and wait <= LONGEST_WAIT
    return wait is None or wait <= LONGEST_WAIT


def _may_repeat(request: PreparedRequest, failure: Failure) -> bool:
    """Whether it does no harm to send a request again: logins are counted."""
    return request.method in ("GET", "HEAD") or not failure.was_sent


def _wait(retries: Retry, answer: Response | Failure, rates: RateLimiter) -> None:
    """Wait for the host's sake together with all who ask it, else alone and not for long."""
    wait = None
    if isinstance(answer, Response):
        wait = retry_after(answer.headers)
        if wait is None and answer.status_code == _TOO_MANY:
            told = resets_in(answer.headers)
            wait = _FIRST_WAIT * 2 ** (len(retries.history) - 1) if told is None else told
    if wait is None:
        cancellation.wait(retries.get_backoff_time())
    else:
        rates.slow_down(min(wait, LONGEST_WAIT))


def _read(request: PreparedRequest, response: Response, limit: int) -> None:
    """Read the body, but that of a blob, which its caller reads."""
    is_html = "html" in response.headers.get("Content-Type", "").lower()
    is_blob = limit == UNREAD and response.status_code in _BLOBS and not is_html
    if "Range" in request.headers and response.status_code == HTTPStatus.OK and not is_blob:
        # A few bytes were asked for: nobody waits for all of them.
        response.close()
        set_body(response, b"")
    elif not is_blob:
        read_whole(response, limit or DOCUMENT_LIMIT)


def _asks_for_tls(response: Response) -> bool:
    is_refused = response.status_code == HTTPStatus.BAD_REQUEST
    return is_refused and bool(_SPEAKS_TLS.search(response.content[:4096]))


def _forget(response: Response) -> None:
    """Drop what the cache must not see: neither API needs cookies."""
    response.cookies.clear()
    same = response.raw.headers is response.headers
    for headers in (response.headers,) if same else (response.headers, response.raw.headers):
        for name in _NOT_KEPT:
            headers.pop(name, None)
