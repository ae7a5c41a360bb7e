"""The Redis that several machines share in place of a cache folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from hubframe.errors import TransportError
from hubframe.wire.settings import Settings


class Redis:
    """A connection to a Redis, version 6 or later.

    Parameters
    ----------
    settings
        They hold its address. They are handed on in place of it: it may hold a login, and some
        tracebacks show variables.

    Raises
    ------
    ImportError
        What speaks to it is not installed.
    TransportError
        It cannot be reached.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            import redis  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(
                "a cache on Redis needs redis: pip install 'hubframe[dask]'"
            ) from None
        from redis.backoff import ExponentialBackoff  # noqa: PLC0415 - an extra
        from redis.retry import Retry  # noqa: PLC0415 - an extra

        self._netloc = urlsplit(settings.cache_url or "").netloc.rpartition("@")[2]
        self._error = redis.RedisError
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
        except self._error as error:
            # Not its words: they may repeat an address.
            raise TransportError(
                f"the shared cache, a Redis at {self._netloc}, could not be used "
                f"({type(error).__name__}). Check cache_url and whether it runs"
            ) from None
