"""Answers that can change, from the cache while they are fresh.

They are kept by a key of their own (method, address, ``Accept`` and who asks). Authorisation
happens below, in the transport, so nothing secret can reach the file. requests-cache has those
confirmed that are no longer fresh; an answer that is new takes its `CachedSession` 2 ms, which is
more than all the rest, so that these pass it by.
"""

from __future__ import annotations

import hashlib
import threading
import time
import warnings
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from hubframe.errors import (
    HubframeError,
    NotCachedError,
    PayloadError,
    RateLimitError,
    StaleWarning,
    TransportError,
)
from hubframe.wire import patience, statuses
from hubframe.wire.addresses import place
from hubframe.wire.answers import Answer, Answered, Answers, is_whole, parsed
from hubframe.wire.auth import Auth
from hubframe.wire.flights import Flights
from hubframe.wire.tally import count_cached, mode

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from requests_cache import CachedSession

    from hubframe.wire.transport import Transport

Shape = TypeVar("Shape")

MINUTE = 60
# How long an answer is fresh, by what it tells. [seconds]
KEPT_TAGS = 10 * MINUTE
KEPT_REPOS = 60 * MINUTE
_SERVER_ERROR = 500
# How many pages of a list may follow one another that bring nothing new, before it is given up.
MOST_IDLE = 16
# Before an answer that came broken is asked for again. [seconds]
PAUSES = (0.2, 0.4, 0.8)

# An answer, and what went wrong where it is an old one.
Asked = tuple[Answered, HubframeError | None]


class Ask(NamedTuple):
    """A request as the cache tells it from others: with its query, and without who asks."""

    method: str
    url: str
    accept: str = ""


class Session:
    """Sends requests, answers from the cache where it can, and raises for refusals.

    Parameters
    ----------
    connect
        Makes what reaches the network; called when that is first asked.
    auth_for
        Who asks at an address.
    answers
        Where answers are kept.
    offline
        Whether the network is never to be used.
    """

    def __init__(
        self,
        connect: Callable[[], Transport],
        auth_for: Callable[[str], Auth | None],
        answers: Answers,
        *,
        offline: bool,
    ) -> None:
        self._connect = connect
        self._auth_for = auth_for
        self._offline = offline
        self.cache = answers
        self._lock = threading.RLock()
        self._transport: Transport | None = None
        self._cached: CachedSession | None = None
        self._flights: Flights[Asked] = Flights()
        self._outdated: set[str] = set()

    def json(
        self,
        url: str,
        asked: str,
        *,
        keep: int,
        read: Callable[[Any], Shape],
    ) -> Shape:
        """Get JSON of a certain shape; what is of another is not kept.

        Parameters
        ----------
        url, asked, keep
            See `get`.
        read
            Reads the JSON, and raises `PayloadError` for another shape.

        Raises
        ------
        HubframeError
            There was no usable answer; the message says what was asked and what came back.
        """
        answer = self.get(url, asked, keep=keep)
        try:
            return read(json_of(answer, asked))
        except PayloadError:
            self.forget(Ask("GET", url))
            raise

    def get(  # noqa: PLR0913
        self,
        url: str,
        asked: str,
        *,
        keep: int,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        also: Container[int] = (),
    ) -> Answered:
        """Get an answer that is one: fresh from the cache, else from the network, else stale.

        Parameters
        ----------
        url, method, headers
            What is asked; threads that ask the same at once share the answer.
        asked
            The same in words, for messages.
        keep
            How long the answer is fresh. [seconds]
        also
            Statuses that the caller takes for an answer; they are not kept.
        """
        ask = Ask(method, url, (headers or {}).get("Accept", ""))
        key = self._key_of(ask)
        answer, error = self._flights.join(
            (key, mode()), lambda: self._ask(key, ask, asked, keep, also)
        )
        if error is not None:
            _say_stale(answer, asked, error)
        elif isinstance(answer, Answer) or getattr(answer, "from_cache", False):
            count_cached(fetched_at=_moment(answer), stale=_is_stale(answer))
        elif answer.status_code not in also:
            statuses.check(answer, asked, self._login(url))
        return answer

    def look_up(self, asks: Iterable[Ask]) -> dict[Ask, Answer]:
        """Return the answers that are here and may be used now, all in a few statements."""
        by_key = {} if mode() == "refresh" else {self._key_of(ask): ask for ask in asks}
        held = self.cache.read_many(by_key)
        usable = {by_key[key]: held[key] for key in held if self._may_use(held[key])}
        # While the network may be used, those that are not fresh.
        self._outdated.update(key for key in held if by_key[key] not in usable)
        if usable:
            stale = sum(not answer.is_fresh for answer in usable.values())
            oldest = min(usable.values(), key=lambda answer: answer.fetched)
            count_cached(len(usable), fetched_at=oldest.fetched_at, stale=stale)
        return usable

    def forget(self, ask: Ask) -> None:
        """Forget an answer that turned out to be none."""
        self.cache.delete(self._key_of(ask))

    def is_outdated(self, ask: Ask) -> bool:
        """Tell whether `look_up` found an answer that is no longer fresh."""
        return bool(self._outdated) and self._key_of(ask) in self._outdated

    def keep(self, ask: Ask, headers: Mapping[str, str], seconds: int) -> None:
        """Keep what another request told, as the answer to this one."""
        self._keep(self._key_of(ask), ask, headers, b"", seconds)

    def fetch(
        self,
        url: str,
        asked: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        also: Container[int] = (),
    ) -> Response:
        """Get an answer that is kept elsewhere or not at all: past the cache.

        Raises
        ------
        NotCachedError
            The network is not to be used.
        """
        if self.is_offline:
            raise _not_cached(asked)
        response = self.transport.send(_request(method, url, headers))
        if response.status_code in also:
            return response
        return statuses.check(response, asked, None if response.ok else self._login(url))

    def open(self, url: str, asked: str, *, start: int = 0) -> Response:
        """Get a blob that is to be read in pieces, from a byte on; the caller closes it.

        Raises
        ------
        NotCachedError
            The network is not to be used.
        """
        if self.is_offline:
            raise _not_cached(asked)
        # Whoever packs it again on the way would send other bytes.
        headers = {"Accept-Encoding": "identity"}
        headers |= {"Range": f"bytes={start}-"} if start else {}
        response = self.transport.open(_request("GET", url, headers))
        return statuses.check(response, asked, None if response.ok else self._login(url))

    def check(self, response: Answered, asked: str) -> Answered:
        """Return an answer that is one, and raise for every other."""
        return statuses.check(response, asked, self._login(response.url))

    @property
    def transport(self) -> Transport:
        """What reaches the network: a warm call does without, and without loading it."""
        with self._lock:
            if self._transport is None:
                self._transport = self._connect()
            return self._transport

    @property
    def is_offline(self) -> bool:
        """Whether the network may not be used now."""
        return self._offline or mode() == "offline"

    def close(self) -> None:
        """Close the connections and the file."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
        self.cache.close()

    def _may_use(self, held: Answer) -> bool:
        return mode() != "refresh" and (held.is_fresh or self.is_offline)

    def _login(self, url: str) -> str | None:
        auth = self._auth_for(url)
        return auth.login if auth else None

    def _ask(self, key: str, ask: Ask, asked: str, keep: int, also: Container[int]) -> Asked:
        """Ask the network where the cache has nothing fresh; where that is down, take the old."""
        held = self.cache.read(key)
        if held is not None and self._may_use(held):
            return held, None
        if self.is_offline:
            raise _not_cached(asked)
        try:
            response = self._whole(key, ask, keep, held)
            if response.status_code < _SERVER_ERROR or response.status_code in also:
                return response, None
            error = statuses.error_of(response, asked, self._login(ask.url))
        except RateLimitError:
            raise
        except TransportError as failure:
            error = failure
        if held is None:
            raise error
        return held, error

    def _whole(self, key: str, ask: Ask, keep: int, held: Answer | None) -> Response:
        """Send; what comes broken may come whole the next time."""
        for pause in PAUSES:
            response = self._send(key, ask, keep, held)
            is_answer = response.status_code in statuses.OK and not statuses.is_page(response)
            if not is_answer or is_whole(response):
                return response
            patience.wait(pause)
        return self._send(key, ask, keep, held)

    def _send(self, key: str, ask: Ask, keep: int, held: Answer | None) -> Response:
        """Send, and keep an answer that is one: others would be served for its time."""
        if held is not None and held.has_validator and mode() != "refresh":
            return self._confirmed(ask, keep)
        response = self.transport.send(_request(ask.method, ask.url, _headers(ask)))
        if response.status_code == HTTPStatus.OK and is_whole(response):
            self._keep(key, ask, response.headers, response.content, keep)
        return response

    def _confirmed(self, ask: Ask, keep: int) -> Response:
        """Have an answer confirmed that is no longer fresh, or get another."""
        from requests import Request  # noqa: PLC0415 - a warm call does without

        with self._lock:
            if self._cached is None:
                from hubframe.wire.caching import cached_session  # noqa: PLC0415 - slow to load

                self._cached = cached_session(self.cache, self.transport, self._key)
        request = Request(ask.method, ask.url, headers=_headers(ask)).prepare()
        return self._cached.send(request, expire_after=keep, allow_redirects=False)

    def _keep(
        self, key: str, ask: Ask, headers: Mapping[str, str], body: bytes, seconds: int
    ) -> None:
        now = time.time()
        self._outdated.discard(key)
        self.cache.write(key, Answer(200, ask.url, headers, body, now, now + seconds), ask.method)

    def _key(self, request: PreparedRequest, **_: Any) -> str:
        """Return the key of requests-cache's own look-ups: the same."""
        accept = request.headers.get("Accept", "")
        return self._key_of(Ask(request.method or "", request.url or "", accept))

    def _key_of(self, ask: Ask) -> str:
        """Who asks is part of the key, so that one login's answers never serve another."""
        auth = self._auth_for(ask.url)
        parts = (*ask, auth.identity if auth else "")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _headers(ask: Ask) -> dict[str, str]:
    """Lists may come packed, at a tenth of their size; documents come as their digest has them."""
    packed = {"Accept-Encoding": "gzip"} if ask.method == "GET" else {}
    return packed | ({"Accept": ask.accept} if ask.accept else {})


def _request(method: str, url: str, headers: Mapping[str, str] | None) -> PreparedRequest:
    """Make a request to an address of our own making: nothing of it has to be prepared."""
    from requests import PreparedRequest  # noqa: PLC0415 - a warm call does without
    from requests.structures import CaseInsensitiveDict  # noqa: PLC0415 - a warm call does without

    request = PreparedRequest()
    request.method, request.url = method, url
    request.headers = CaseInsensitiveDict(headers or {})
    return request


def json_of(response: Answered, asked: str) -> Any:
    """Read JSON.

    Raises
    ------
    PayloadError
        It is none.
    """
    try:
        return parsed(response)
    except (ValueError, RecursionError):
        size = len(response.content)
        raise PayloadError(
            f"{asked}: the answer of {place(response.url)} is not JSON ({size} bytes)"
        ) from None


def _say_stale(answer: Answered, asked: str, error: HubframeError) -> None:
    """Serve an old answer when the other side is down, and say so."""
    moment = _moment(answer)
    warnings.warn(
        f"{asked}: the answer of {moment:%Y-%m-%d %H:%M} UTC from the cache, since {error}",
        StaleWarning,
        stacklevel=3,
    )
    count_cached(fetched_at=moment, stale=1)


def _is_stale(answer: Answered) -> bool:
    return isinstance(answer, Answer) and not answer.is_fresh


def _moment(answer: Any) -> datetime:
    """When an answer was given; one that the other side just confirmed is as good as new."""
    if isinstance(answer, Answer):
        return answer.fetched_at
    if answer.revalidated:
        return datetime.now(UTC)
    created: datetime = answer.created_at
    return created if created.tzinfo else created.replace(tzinfo=UTC)


def _not_cached(asked: str) -> NotCachedError:
    return NotCachedError(
        f"{asked}: not in the cache, and the network is off (offline). Ask once online, then again"
    )
