"""Answers that can change, from the cache while they are fresh.

They are kept by a key of their own (method, address, ``Accept`` and who asks). Authorisation
happens below, in the transport, so nothing secret can reach the file. An answer that is new takes
requests-cache's session 2 ms, which is more than all the rest: look-ups, and what is new, go by
its cache alone, and the session confirms those that are no longer fresh.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, NamedTuple

from requests import PreparedRequest, Request, Response
from requests.structures import CaseInsensitiveDict
from requests_cache import CachedSession
from requests_cache.models.response import CachedResponse
from urllib3.exceptions import HTTPError

from hubframe.errors import (
    HubframeError,
    NotCachedError,
    PayloadError,
    RateLimitError,
    StaleWarning,
    TransportError,
)
from hubframe.wire import cancellation, responses, statuses
from hubframe.wire.addresses import netloc
from hubframe.wire.responses import CachedTag, Responses, is_whole
from hubframe.wire.shared_work import SharedWork, Work
from hubframe.wire.statistics import count_cached, mode
from hubframe.wire.store import Store
from hubframe.wire.transport import Transport

MINUTE = 60
# How long an answer is fresh, by what it tells. [seconds]
KEPT_TAGS = 10 * MINUTE
KEPT_REPOS = 60 * MINUTE
_SERVER_ERROR = 500
# Lists may come packed, at a tenth of their size; documents come as their digest has them.
_PACKED = {"Accept-Encoding": "gzip"}
# How many pages of a list may follow one another that bring nothing new, before it is given up.
MOST_IDLE = 16
# Before an answer that came broken is asked for again. [seconds]
PAUSES = (0.2, 0.4, 0.8)

_PIECE = 256 * 1024
# An answer that brings at least so much was worth asking for: after it patience starts anew.
_PROGRESS = 1024**2


class Ask(NamedTuple):
    """A request as the cache tells it from others: with its query, and without who asks."""

    url: str
    accept: str = ""
    method: str = "GET"


class Session:
    """Sends the requests of one API, answers from the cache where it can, raises for refusals.

    `is_offline` tells whether the network may not be used now.
    """

    def __init__(self, transport: Transport, store: Store, is_offline: Callable[[], bool]) -> None:
        self.transport = transport
        self._is_offline = is_offline
        self._responses = Responses(store.answers)
        self._tags = store.tags
        self._lock = threading.RLock()
        self._cached: CachedSession | None = None
        self._shared: SharedWork[Any] = SharedWork()

    def get(self, ask: Ask, asked: str, keep: int, also: Container[int] = ()) -> Response:
        """Get an answer that is one: fresh from the cache, else from the network, else stale.

        Threads that ask the same at once share the answer. `asked` are words for messages, `keep`
        is how long it is fresh, in seconds, and `also` are statuses that the caller takes for an
        answer; they are not kept.
        """
        key = self._key_of(ask)
        with self._shared.join((key, mode())) as work:
            held = self._responses.get_response(key) if work.is_mine else None
            if held is not None and self._may_use(is_fresh=not held.is_expired):
                work.outcome = held, None
            elif work.is_mine:
                self.check_online(asked)
                is_known = held is not None and _has_validator(held) and mode() != "refresh"
                with _or_stale(work, held):
                    # What comes broken may come whole the next time.
                    for pause in (*PAUSES, None):
                        if is_known:
                            response = self._confirmed(key, ask, keep)
                        else:
                            response = self.transport.send(_request(ask, _PACKED))
                            # Who asked may be known better now.
                            self._responses.save(self._key_of(ask), response, keep)
                        if pause is None or not _is_broken(response):
                            break
                        cancellation.wait(pause)
                    if response.status_code >= _SERVER_ERROR and response.status_code not in also:
                        self.check(response, asked)
                    work.outcome = response, None
        answer: Response
        answer, error = work.outcome
        if error is not None:
            _say_stale(_moment(answer), asked, error)
        elif isinstance(answer, CachedResponse):
            count_cached(fetched_at=_moment(answer), stale=answer.is_expired)
        elif answer.status_code not in also:
            self.check(answer, asked)
        return answer

    def look_up(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Response]]:
        """Yield the answers that are here and may be used now."""
        for ask in asks if mode() != "refresh" else ():
            held = self._responses.get_response(self._key_of(ask))
            if held is not None and self._may_use(is_fresh=not held.is_expired):
                count_cached(fetched_at=_moment(held), stale=held.is_expired)
                yield ask, held

    def forget(self, ask: Ask) -> None:
        """Forget an answer that turned out to be none."""
        self._responses.forget(self._key_of(ask))

    def cached_tags(self, asks: Iterable[Ask]) -> dict[Ask, CachedTag]:
        """Return what tags were said to point at, where it may be used now, in one statement."""
        by_key = {} if mode() == "refresh" else {self._key_of(ask): ask for ask in asks}
        held = self._known(by_key)
        usable = {by_key[k]: one for k, one in held.items() if self._may_use(is_fresh=one.is_fresh)}
        if usable:
            first = min(one.fetched for one in usable.values())
            stale = sum(not one.is_fresh for one in usable.values())
            count_cached(len(usable), fetched_at=datetime.fromtimestamp(first, UTC), stale=stale)
        return usable

    def keep_tag(self, ask: Ask, digest: str, media_type: str) -> None:
        """Keep what a tag was said to point at."""
        now = time.time()
        tag = CachedTag(digest, media_type, now, now + KEPT_TAGS)
        self._tags.put(self._key_of(ask), json.dumps(tag), tag.expires)

    def knows_tag(self, ask: Ask) -> bool:
        """Tell whether there is something to ask anew, which likely holds."""
        return bool(self._known([self._key_of(ask)]))

    def head(self, ask: Ask, asked: str, also: Container[int]) -> CachedTag | Response:
        """Ask by HEAD what a tag points at; serve what was told before where the host is down."""
        key = self._key_of(ask)
        with self._shared.join((key, mode())) as work:
            if work.is_mine:
                held = self._known([key]).get(key)
                is_usable = held is not None and self._may_use(is_fresh=held.is_fresh)
                try:
                    work.outcome = held if is_usable else self.fetch(ask, asked, also)
                except TransportError as failure:
                    work.outcome = failure
        answer = work.outcome
        if isinstance(answer, TransportError):
            return self.old_tag(ask, asked, answer)
        if isinstance(answer, CachedTag):
            fetched_at = datetime.fromtimestamp(answer.fetched, UTC)
            count_cached(fetched_at=fetched_at, stale=not answer.is_fresh)
        return answer  # type: ignore[no-any-return]

    def old_tag(self, ask: Ask, asked: str, failure: TransportError) -> CachedTag:
        """Return what a tag was said to point at, where nobody tells it now; else the failure."""
        key = self._key_of(ask)
        held = self._known([key]).get(key)
        is_final = isinstance(failure, RateLimitError | NotCachedError)
        if is_final or held is None or not held.digest:
            raise failure
        _say_stale(datetime.fromtimestamp(held.fetched, UTC), asked, failure)
        return held

    def fetch(
        self,
        ask: Ask,
        asked: str,
        also: Container[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Get an answer that is kept elsewhere or not at all: past the cache."""
        self.check_online(asked)
        response = self.transport.send(_request(ask, headers))
        return response if response.status_code in also else self.check(response, asked)

    def stream(self, url: str, asked: str) -> Iterator[bytes]:
        """Yield a blob in pieces, not verified, and on from where a connection broke.

        One that breaks again and again raises `TransportError`.
        """
        at, failures = 0, 0
        while True:
            self.check_online(asked)
            begun = at
            # A proxy that packs it again would send other bytes.
            headers = {"Accept-Encoding": "identity"}
            headers |= {"Range": f"bytes={at}-"} if at else {}
            answer = self.transport.send(_request(Ask(url), headers), stream=True)
            response = self.check(answer, asked)
            try:
                for piece in _pieces(response, at):
                    at += len(piece)
                    yield piece
            except (HTTPError, HTTPException, OSError, ValueError, TransportError):
                failures = 0 if at - begun >= _PROGRESS else failures + 1
            else:
                return
            finally:
                response.close()
            if failures > len(PAUSES):
                raise TransportError(
                    f"{asked}: {netloc(url)} broke off {failures} times in a row, the last time "
                    f"after {at:,} bytes. Ask again later"
                )
            cancellation.wait(PAUSES[max(failures - 1, 0)])

    def check(self, response: Response, asked: str) -> Response:
        """Return an answer that is one, and raise for every other."""
        login = None if response.ok else self.transport.auth_for(response.url).login
        return statuses.check(response, asked, login, counts_pulls=self.transport.counts_pulls)

    def check_online(self, asked: str) -> None:
        """Go on, unless the network may not be used now."""
        if self._is_offline() or mode() == "here":
            raise NotCachedError(
                f"{asked}: not in the cache, and the network is off (offline). Ask once online, "
                "then again"
            )

    def _known(self, keys: Iterable[str]) -> dict[str, CachedTag]:
        found = {key: CachedTag.read(value) for key, value in self._tags.get_many(keys).items()}
        return {key: tag for key, tag in found.items() if tag is not None}

    def _may_use(self, *, is_fresh: bool) -> bool:
        return mode() != "refresh" and (is_fresh or self._is_offline())

    def _confirmed(self, key: str, ask: Ask, keep: int) -> Response:
        """Have an answer confirmed that is no longer fresh, or get another."""
        with self._lock:
            if self._cached is None:
                self._cached = CachedSession(backend=self._responses, key_fn=self._key)
                for scheme in ("http://", "https://"):
                    self._cached.mount(scheme, self.transport)
                # What we send says what it accepts: those of requests would be part of the key.
                self._cached.headers.clear()
        request = Request(ask.method, ask.url, headers=_request(ask, _PACKED).headers).prepare()
        response = self._cached.send(request, expire_after=keep, allow_redirects=False)
        if key != self._key_of(ask):
            self._responses.forget(key)
        return response

    def _key(self, request: PreparedRequest, **_: Any) -> str:
        """Return the key of requests-cache's own look-ups: the same."""
        accept = request.headers.get("Accept", "")
        return self._key_of(Ask(request.url or "", accept, request.method or ""))

    def _key_of(self, ask: Ask) -> str:
        """Who asks is part of the key, so that one login's answers never serve another."""
        identity = self.transport.auth_for(ask.url).identity
        parts = (
            ask.method,
            ask.url,
            ask.accept,
            identity,
            *filter(None, [self.transport.other_identity]),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextmanager
def _or_stale(work: Work[Any], held: CachedResponse | None) -> Iterator[None]:
    """Take the old answer where the other side is down, with what went wrong."""
    try:
        yield
    except RateLimitError:
        raise
    except TransportError as failure:
        if held is None:
            raise
        work.outcome = held, failure


def _is_broken(response: Response) -> bool:
    is_answer = response.status_code in statuses.OK and not statuses.is_page(response)
    return is_answer and not is_whole(response)


def _has_validator(held: CachedResponse) -> bool:
    """Whether the other side can be asked if it still holds."""
    return "ETag" in held.headers or "Last-Modified" in held.headers


def _request(ask: Ask, headers: Mapping[str, str] | None = None) -> PreparedRequest:
    """Make a request to an address of our own making: nothing of it has to be prepared."""
    request = PreparedRequest()
    request.method, request.url = ask.method, ask.url
    request.headers = CaseInsensitiveDict(headers or {})
    if ask.accept:
        request.headers["Accept"] = ask.accept
    return request


def _pieces(response: Response, start: int) -> Iterator[bytes]:
    """Yield what comes from a place on; who was asked for a part may send the whole."""
    skipped = start if response.status_code == HTTPStatus.OK else 0
    sent = response.headers.get("Content-Range", f"bytes {start}-")
    if not skipped and not sent.startswith(f"bytes {start}-"):
        raise TransportError(f"another part came than was asked for, {sent[:80]!r}")
    for piece in response.raw.stream(_PIECE, decode_content=False):
        cancellation.check()
        if skipped >= len(piece):
            skipped -= len(piece)
            continue
        yield piece[skipped:] if skipped else piece
        skipped = 0


def json_of(response: Response, asked: str) -> Any:
    """Read JSON, or raise `PayloadError`."""
    try:
        return responses.json_of(response)
    except (ValueError, RecursionError):
        size = len(response.content)
        raise PayloadError(
            f"{asked}: the answer of {netloc(response.url)} is not JSON ({size} bytes)"
        ) from None


def _say_stale(moment: datetime, asked: str, error: HubframeError) -> None:
    """Serve an old answer when the other side is down, and say so."""
    warnings.warn(
        f"{asked}: the answer of {moment:%Y-%m-%d %H:%M} UTC from the cache, since {error}",
        StaleWarning,
        stacklevel=3,
    )
    count_cached(fetched_at=moment, stale=1)


def _moment(answer: Any) -> datetime:
    """When an answer was given; one that the other side just confirmed is as good as new."""
    if answer.revalidated:
        return datetime.now(UTC)
    created: datetime = answer.created_at
    return created if created.tzinfo else created.replace(tzinfo=UTC)
