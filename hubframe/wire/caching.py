"""requests-cache on hubframe's own file of answers: loaded when an old one is to be confirmed.

requests-cache's own SQLite backend waits for ever for a file that it may not write, shares one
memory among all sessions of a process, and never looks whether what it reads is what it wrote.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from requests import Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests_cache import CachedSession
from requests_cache.backends.base import BaseCache, BaseStorage
from requests_cache.models.request import CachedRequest
from requests_cache.models.response import CachedResponse

from hubframe.wire.answers import About, Answers, is_whole


def cached_session(
    answers: Answers, transport: BaseAdapter, key_fn: Callable[..., str]
) -> CachedSession:
    """Make a session of requests-cache.

    Parameters
    ----------
    answers
        Where answers are kept.
    transport
        What reaches the network.
    key_fn
        Names what is asked, and who asks.
    """
    session = CachedSession(
        backend=Cache(answers),
        key_fn=key_fn,
        allowable_methods=("GET", "HEAD"),
        allowable_codes=(200,),
    )
    session.trust_env = False
    session.mount("https://", transport)
    session.mount("http://", transport)
    return session


class Storage(BaseStorage[str, CachedResponse]):
    """Answers by key, as requests-cache works with them."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self._answers = answers

    def __getitem__(self, key: str) -> CachedResponse:
        for _, about, body in self._answers.rows([key]):
            response = _response(about, body)
            response.cache_key = key
            return response
        raise KeyError(key)

    def __setitem__(self, key: str, response: CachedResponse) -> None:
        self._answers.put(key, _about(response), response.content or b"")

    def __delitem__(self, key: str) -> None:
        self._answers.delete(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def clear(self) -> None:
        """Forget all answers."""
        self._answers.clear()


class Cache(BaseCache):
    """What requests-cache reads and writes.

    Parameters
    ----------
    answers
        Where they are kept.
    """

    def __init__(self, answers: Answers) -> None:
        super().__init__(cache_name="hubframe")
        self.responses = Storage(answers)

    def save_response(
        self,
        response: Response,
        cache_key: str | None = None,
        expires: datetime | None = None,
    ) -> None:
        """Keep an answer that is one: an empty or foreign body would be served for its time.

        The filter of requests-cache would not do: it deletes the answer before, too.
        """
        if is_whole(response):
            super().save_response(response, cache_key, expires)


def _about(response: CachedResponse) -> About:
    fetched = datetime.now(UTC) if response.revalidated else response.created_at
    return About(
        response.status_code,
        response.url,
        dict(response.headers),
        _seconds(fetched),
        None if response.expires is None else _seconds(response.expires),
        response.reason,
        response.encoding,
        response.request.method,
        response.request.url,
        response.request.headers.get("Accept"),
    )


def _response(about: About, body: bytes) -> CachedResponse:
    """Make of a row what requests-cache works with."""
    return CachedResponse(
        content=body,
        status_code=about.status_code,
        url=about.url,
        headers=CaseInsensitiveDict(about.headers),
        created_at=_moment(about.fetched_at),
        expires=None if about.expires is None else _moment(about.expires),
        reason=about.reason or "",
        encoding=about.encoding,  # type: ignore[arg-type]  # null where nothing tells it
        request=CachedRequest(
            method=about.method,
            url=about.asked_url,
            headers=CaseInsensitiveDict({} if about.accept is None else {"Accept": about.accept}),
        ),
    )


def _seconds(moment: datetime) -> float:
    """A moment as a number; one without a zone is in UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
