"""Measures the work of one contender: its time and its memory, in a process of its own.

``python -m benchmarks.child PEER JOB TASK`` imports `benchmarks.peers.PEER`, gives the task (JSON) to
its function JOB, which prepares and returns the work, and prints JSON about the work alone.
"""

import gc
import json
import re
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any


def memory(field: str) -> int:
    """Return this process's memory in bytes: ``VmRSS`` now, ``VmHWM`` at its peak."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def forget_peak() -> None:
    """Let the peak start anew: imports and preparations are not the work's."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def perform(peer: str, job: str, task: dict[str, Any]) -> dict[str, Any]:
    """Prepare, work, tell."""
    work = getattr(import_module(f"benchmarks.peers.{peer}"), job)(task)
    gc.collect()
    # What was prepared is not the work's to look through again and again.
    gc.freeze()
    forget_peak()
    before = memory("VmRSS")
    begin, begin_cpu = time.perf_counter(), time.process_time()
    told: dict[str, Any] = work()
    seconds, processor = time.perf_counter() - begin, time.process_time() - begin_cpu
    peak = memory("VmHWM") - before
    return {**told, "seconds": seconds, "processor_seconds": processor, "peak_bytes": peak}


if __name__ == "__main__":
    print(json.dumps(perform(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
