"""``skopeo inspect``, a process per tag, so many at a time."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.peers.reading import counted


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Inspect the first tags."""

    def work() -> dict[str, int]:
        place = f"docker://{task['host']}/{task['repository']}"
        tags = _told("list-tags", place)["Tags"][: task["sampled"]]
        with ThreadPoolExecutor(task["workers"]) as pool:
            return counted(pool.map(lambda tag: _inspect(f"{place}:{tag}", task), tags))

    return work


def _inspect(image: str, task: dict[str, Any]) -> tuple[int, int]:
    system, _, architecture = task["platform"].partition("/")
    wanted = (f"--override-os={system}", f"--override-arch={architecture}")
    # Without --no-tags it lists all tags for each of them.
    found = _told(*wanted, "inspect", *(() if task.get("lists_tags") else ("--no-tags",)), image)
    return len(found["Layers"]), len(found["Labels"])


def _told(*words: str) -> Any:
    command = ("skopeo", *words[:-1], "--tls-verify=false", words[-1])
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
