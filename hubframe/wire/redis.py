"""The Redis that several machines share: in place of a cache folder, and for one rate of requests.

More workers behind one address have no more quota. The rate is a window that each request passes,
whatever worker sends it: the one that `Settings.rate` names, or else the one that a host tells of
itself (``X-RateLimit-Limit``, requests a minute), which the first worker passes on to the others.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from hubframe.errors import TransportError
from hubframe.wire import cancellation
from hubframe.wire.addresses import netloc, origin
from hubframe.wire.limits import HUB_WINDOW, hub_limit
from hubframe.wire.settings import Settings

try:
    import redis
    from pyrate_limiter import Rate, RateItem
    from pyrate_limiter.buckets import RedisBucket
    from redis.backoff import ExponentialBackoff
    from redis.retry import Retry
except ImportError:
    raise ImportError("a cache on Redis needs redis: pip install 'hubframe[dask]'") from None

_SECOND = 1000
# Where no rate is known yet, requests are counted all the same.
_ANY = 10**9
# Entries that are out of the window are dropped after so many requests.
_LEAKED = 500
_KEPT = 24 * 60 * 60
_SHORTEST = 0.005


class Redis:
    """A connection to a Redis, version 6 or later, or `TransportError` where it cannot be reached.

    Settings are handed on in place of its address: it may hold a login, and some tracebacks show
    variables.
    """

    def __init__(self, settings: Settings) -> None:
        self._netloc = urlsplit(settings.cache_url or "").netloc.rpartition("@")[2]
        self.connection = redis.Redis.from_url(
            settings.cache_url or "",
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), 4),
            # As many as there are threads, and some for other calls.
            max_connections=2 * settings.workers + 16,
        )
        with self.reaching():
            self.connection.ping()

    def __repr__(self) -> str:
        return f"<Redis {self._netloc}>"

    @contextmanager
    def reaching(self) -> Iterator[Any]:
        """Use the connection; without it workers would ask for everything each: an error."""
        try:
            yield self.connection
        except redis.RedisError as error:
            # Not its words: they may repeat an address.
            raise TransportError(
                f"the shared cache, a Redis at {self._netloc}, could not be used "
                f"({type(error).__name__}). Check cache_url and whether it runs"
            ) from None


class SharedRateLimiter:
    """The windows of all hosts, in a Redis.

    `rate` is how many requests in how many seconds, for each host; None for what the hosts tell.
    """

    def __init__(self, redis: Redis, rate: tuple[int, float] | None) -> None:
        self._redis = redis
        self._rate = rate
        self._buckets: dict[str, RedisBucket] = {}
        self._told: dict[str, int] = {}
        self._passed = 0
        seconds, micros = redis.connection.time()
        # The clock of Redis counts: those of the workers differ.
        self._ahead = seconds + micros / 1e6 - time.time()

    def wait(self, url: str) -> None:
        """Wait until a request may be sent to the host of an address.

        `TransportError` says that Redis cannot be reached: nothing is sent past the rate.
        """
        home = origin(url)
        while (wait := self._enter(home)) > 0:
            cancellation.wait(wait, f"{netloc(url)} allows no more requests of all workers for now")

    def learn(self, url: str, headers: Mapping[str, str]) -> None:
        """Take note of the limit that an answer tells."""
        if self._rate is not None:
            return
        home, told = origin(url), hub_limit(headers)
        if told is not None and told.allowed > 0 and self._told.get(home) != told.allowed:
            with suppress(TransportError), self._redis.reaching():
                self._redis.connection.set(_key(home), told.allowed, ex=_KEPT)
            self._told[home] = told.allowed
            self._buckets.pop(home, None)

    def _enter(self, home: str) -> float:
        """Enter the window; return the seconds to wait where it is full."""
        with self._redis.reaching():
            bucket = self._bucket(home)
            now = round((time.time() + self._ahead) * _SECOND)
            item = RateItem("request", now)
            is_in = bucket.put(item)
            self._passed += 1
            if self._passed % _LEAKED == 0:
                bucket.leak(now)
            if is_in:
                return 0.0
            waiting: Any = bucket.waiting(item)
            return max(_SHORTEST, float(waiting) / _SECOND)

    def _bucket(self, home: str) -> RedisBucket:
        bucket = self._buckets.get(home)
        if bucket is None:
            limit, seconds = self._rate or (self._limit(home), HUB_WINDOW)
            rate = Rate(limit, round(seconds * _SECOND))
            # Redis holds the window; what is here only names it.
            made: Any = RedisBucket.init([rate], self._redis.connection, f"hubframe:rate:{home}")
            bucket = made
            if limit < _ANY:
                self._buckets[home] = bucket
        return bucket

    def _limit(self, home: str) -> int:
        if home not in self._told:
            held: Any = self._redis.connection.get(_key(home))
            if held is not None:
                self._told[home] = int(held)
        return self._told.get(home, _ANY)


def _key(home: str) -> str:
    return f"hubframe:limit:{home}"
