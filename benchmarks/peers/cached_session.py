"""requests-cache with one session and threads, set up as well as it can be: JSON, write-ahead log."""

from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter
from requests_cache import CachedSession

from benchmarks.peers.reading import read_all
from benchmarks.peers.requests_threads import getter


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read the images of all tags, from the cache where they are in it."""

    def work() -> dict[str, int]:
        with CachedSession(
            f"{task['cache']}/answers.sqlite",
            serializer="json",
            wal=True,
            match_headers=["Accept"],
            expire_after=600,
        ) as session:
            session.mount("http://", HTTPAdapter(pool_maxsize=task["workers"]))
            return read_all(getter(session, task["host"]), task)

    return work
