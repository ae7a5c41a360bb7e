"""python-dxf, one tag after the other: its documentation knows no other way."""

import json
from collections.abc import Callable
from typing import Any

from dxf import DXF

from benchmarks.peers.reading import count, counted


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read the images of the first tags."""

    def work() -> dict[str, int]:
        with DXF(task["host"], task["repository"], insecure=True) as registry:
            tags = list(registry.list_aliases())[: task["sampled"]]
            return counted(_read(registry, tag, task["platform"]) for tag in tags)

    return work


def _read(registry: DXF, tag: str, platform: str) -> tuple[int, int]:
    manifest = json.loads(registry.get_manifest(tag, platform=platform))
    config = json.loads(b"".join(registry.pull_blob(manifest["config"]["digest"])))
    return count(manifest, config)
