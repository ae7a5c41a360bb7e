"""The wire and threads alone: as many waits as there are documents, and no document."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.tls_registry import HANDSHAKE_DELAYS


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Wait for the list of tags, then for index, manifest and config of each."""
    delay, documents = task["delay"], 3 * task["tags"]

    def connect() -> None:
        time.sleep(HANDSHAKE_DELAYS * delay)

    def work() -> dict[str, int]:
        connect()
        time.sleep(delay)
        with ThreadPoolExecutor(task["workers"], initializer=connect) as pool:
            list(pool.map(time.sleep, [delay] * documents))
        return {}

    return work
