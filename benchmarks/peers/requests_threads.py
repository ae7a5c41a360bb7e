"""requests with one session and threads: what most scripts do."""

from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from benchmarks.peers.reading import ACCEPT, read_all


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read the images of all tags."""

    def work() -> dict[str, int]:
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(pool_maxsize=task["workers"]))
            return read_all(getter(session, task["host"]), task)

    return work


def getter(session: requests.Session, host: str) -> Callable[[str], bytes]:
    """Return what gets a path's body."""

    def get(path: str) -> bytes:
        answer = session.get(f"http://{host}{path}", headers=ACCEPT, timeout=60)
        answer.raise_for_status()
        return answer.content

    return get
