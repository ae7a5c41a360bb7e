"""One piece of work of one contender, in a process of its own, with its time and its memory.

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


def memory(field: str) -> int:
    """Return this process's memory: ``VmRSS`` now, ``VmHWM`` at its peak. [bytes]"""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def forget_peak() -> None:
    """Let the peak start anew: imports and preparations are not the work's."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Prepare, work, tell."""
    peer, job, task = sys.argv[1:]
    work = getattr(import_module(f"benchmarks.peers.{peer}"), job)(json.loads(task))
    gc.collect()
    # What was prepared is not the work's to look through again and again.
    gc.freeze()
    forget_peak()
    before = memory("VmRSS")
    begin, begin_cpu = time.perf_counter(), time.process_time()
    told = work()
    seconds, processor = time.perf_counter() - begin, time.process_time() - begin_cpu
    told |= {
        "seconds": seconds,
        "processor_seconds": processor,
        "peak_bytes": memory("VmHWM") - before,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
