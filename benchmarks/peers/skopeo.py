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
            return counted(pool.map(lambda tag: _inspect(place, tag, task["platform"]), tags))

    return work


def _inspect(place: str, tag: str, platform: str) -> tuple[int, int]:
    system, _, architecture = platform.partition("/")
    wanted = (f"--override-os={system}", f"--override-arch={architecture}")
    # Without --no-tags it would list all tags for each of them.
    found = _told(*wanted, "inspect", "--no-tags", f"{place}:{tag}")
    return len(found["Layers"]), len(found["Labels"])


def _told(*words: str) -> Any:
    command = ("skopeo", *words[:-1], "--tls-verify=false", words[-1])
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
