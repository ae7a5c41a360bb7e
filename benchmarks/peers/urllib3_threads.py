"""urllib3 with one pool of connections and threads: the floor of whatever fetches with Python."""

import json
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any

import urllib3

from benchmarks.peers.reading import ACCEPT, Get, read_all
from benchmarks.tls_registry import know_name

_PAGE_SIZE = 100


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read the images of all tags."""
    return lambda: read_all(_getter(task), task)


def hub_tags(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read all pages of a repository's tags; the first one tells how many there are."""

    def work() -> dict[str, int]:
        get = _getter(task)
        namespace, _, name = task["repository"].partition("/")
        home = f"/v2/namespaces/{namespace}/repositories/{name}/tags"

        def page(number: int) -> list[Any]:
            return list(json.loads(get(f"{home}?page={number}&page_size={_PAGE_SIZE}"))["results"])

        first = json.loads(get(f"{home}?page=1&page_size={_PAGE_SIZE}"))
        with ThreadPoolExecutor(task["workers"]) as pool:
            rest = pool.map(page, range(2, ceil(first["count"] / _PAGE_SIZE) + 1))
            return {"tags": len(first["results"]) + sum(map(len, rest))}

    return work


def _getter(task: dict[str, Any]) -> Get:
    host, _, port = task["host"].partition(":")
    how = {"maxsize": task["workers"], "block": True}
    pool: urllib3.HTTPConnectionPool
    if bundle := task.get("bundle"):
        know_name()
        # One for all connections: each would read the certificates anew.
        trusted = ssl.create_default_context(cafile=bundle)
        pool = urllib3.HTTPSConnectionPool(host, int(port), ssl_context=trusted, **how)
    else:
        pool = urllib3.HTTPConnectionPool(host, int(port), **how)

    def get(path: str) -> bytes:
        answer = pool.request("GET", path, headers=ACCEPT)
        if answer.status != 200:
            raise OSError(f"{path}: {answer.status}")
        return answer.data

    return get
