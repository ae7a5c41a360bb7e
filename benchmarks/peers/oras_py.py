"""oras-py, one tag after the other, or with threads around it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oras.provider import Registry

from benchmarks.peers.reading import ACCEPT, choose, count, counted

_TYPES = ACCEPT["Accept"].split(", ")


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read the images of the first tags."""

    def work() -> dict[str, int]:
        registry = Registry(task["host"], insecure=True)
        home = f"{task['host']}/{task['repository']}"
        tags = registry.get_tags(home)[: task["sampled"]]
        with ThreadPoolExecutor(task["workers"]) as pool:
            return counted(pool.map(lambda tag: _read(registry, home, tag, task["platform"]), tags))

    return work


def _read(registry: Registry, home: str, tag: str, platform: str) -> tuple[int, int]:
    index = registry.get_manifest(f"{home}:{tag}", _TYPES)
    manifest = registry.get_manifest(f"{home}@{choose(index, platform)}", _TYPES)
    config = registry.get_blob(home, manifest["config"]["digest"]).json()
    return count(manifest, config)
