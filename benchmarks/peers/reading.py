"""What every hand-written reader of registries needs: the order of documents, and what to count."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

ACCEPT = {
    "Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
}
Get = Callable[[str], bytes]
Name = TypeVar("Name")


def read_all(get: Get, task: dict[str, Any]) -> dict[str, int]:
    """Read index, manifest and config of every tag with threads, and count layers and labels."""
    home = f"/v2/{task['repository']}"
    tags = json.loads(get(f"{home}/tags/list"))["tags"]
    with ThreadPoolExecutor(task["workers"]) as pool:
        return counted(pool.map(lambda tag: read(get, home, tag, task["platform"]), tags))


def read(get: Get, home: str, tag: str, platform: str) -> tuple[int, int]:
    """Read one tag's image, and count its layers and labels."""
    digest = choose(json.loads(get(f"{home}/manifests/{tag}")), platform)
    manifest = json.loads(get(f"{home}/manifests/{digest}"))
    config = json.loads(get(f"{home}/blobs/{manifest['config']['digest']}"))
    return count(manifest, config)


def choose(index: dict[str, Any], platform: str) -> str:
    """Return the digest of a platform's manifest."""
    for entry in index["manifests"]:
        found = entry["platform"]
        if f"{found['os']}/{found['architecture']}" == platform:
            return str(entry["digest"])
    raise LookupError(platform)


def count(manifest: dict[str, Any], config: dict[str, Any]) -> tuple[int, int]:
    """Count layers and labels."""
    return len(manifest["layers"]), len(config["config"]["Labels"])


def counted(pairs: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Add up."""
    layers, labels = zip(*pairs, strict=True)
    return {"layers": sum(layers), "labels": sum(labels)}


def batches(names: list[Name], size: int = 500) -> Iterator[list[Name]]:
    """Cut a list into pieces that one statement takes."""
    return (names[start : start + size] for start in range(0, len(names), size))
