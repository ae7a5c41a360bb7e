"""Who runs in a job, how it is run, and what came of it."""

import importlib.util
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import child
from benchmarks.servers import ROOT, clean_environment, passed

# What a contender needs, where that is not part of hubframe: a module, or a program.
_NEEDED = {"python_dxf": "dxf", "oras_py": "oras", "skopeo": "skopeo"}


@dataclass(frozen=True)
class Contender:
    """One way to do a job.

    Attributes
    ----------
    name
        As it stands in the table.
    peer, work
        The module in `benchmarks.peers` and its function; or none, and a command.
    task
        What the function is told.
    command, environment
        What runs instead, and the variables that it is given; its time is the process's.
    fresh
        A folder that is empty before.
    watched
        The host that tells which requests passed.
    sampled_of
        How many tags there are, where only ``task["sampled"]`` of them are read: the time is
        scaled up.
    at_most
        A bound on the repetitions.
    """

    name: str
    peer: str = ""
    work: str = ""
    task: dict[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    fresh: Path | None = None
    watched: str | None = None
    sampled_of: int | None = None
    at_most: int | None = None

    @property
    def scale(self) -> float:
        """By what its times are multiplied."""
        return self.sampled_of / self.task["sampled"] if self.sampled_of else 1.0

    @property
    def missing(self) -> str | None:
        """What it needs and is not installed."""
        needed = _NEEDED.get(self.peer)
        if needed is None or shutil.which(needed) or importlib.util.find_spec(needed):
            return None
        return needed


@dataclass
class Measured:
    """All runs of one contender in one job.

    Attributes
    ----------
    work_seconds
        Times of the work, without starting Python and importing; scaled up where sampled.
    process_seconds
        Times of the whole process, never scaled up.
    processor_seconds
        Times in which the work did not wait.
    told
        What the last run said of itself: counts, memory, requests; and the median of the processor's times.
    note
        What a reader must know of the times.
    """

    name: str
    work_seconds: list[float] = field(default_factory=list)
    process_seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def seconds(self) -> float:
        """The median of the work's times."""
        return statistics.median(self.work_seconds)

    @property
    def whole_seconds(self) -> float:
        """The median of the processes' times."""
        return statistics.median(self.process_seconds)

    @property
    def is_there(self) -> bool:
        """Whether it could run at all."""
        return bool(self.work_seconds)


def measure(contenders: Sequence[Contender], repeats: int, *, apart: bool = True) -> list[Measured]:
    """Run all contenders in turn, so often: what else the machine does falls on all of them."""
    found = [Measured(one.name, note=_note(one)) for one in contenders]
    able = [(one, kept) for one, kept in zip(contenders, found, strict=True) if not one.missing]
    for turn in range(repeats):
        for one, kept in able:
            if turn < (one.at_most or repeats):
                run(one, kept, apart=apart)
    _check(able)
    return found


def run(contender: Contender, kept: Measured, *, apart: bool = True) -> None:
    """Run a contender once, in a process of its own unless told otherwise."""
    if contender.fresh is not None:
        _set_aside(contender.fresh)
        contender.fresh.mkdir(parents=True)
    if contender.watched:
        passed(contender.watched)
    begin = time.perf_counter()
    told = _told(contender, apart=apart)
    process = time.perf_counter() - begin
    told.setdefault("seconds", process)
    if contender.watched:
        told["passed"] = passed(contender.watched)
    kept.work_seconds.append(told.pop("seconds") * contender.scale)
    kept.process_seconds.append(process)
    if "processor_seconds" in told:
        kept.processor_seconds.append(told["processor_seconds"])
        told["processor_seconds"] = statistics.median(kept.processor_seconds)
    kept.told = told


def _set_aside(folder: Path) -> None:
    """Leave what was kept to the end of all runs: deleting it is not to disturb those that follow."""
    if folder.exists():
        folder.rename(tempfile.mkdtemp(dir=folder.parent, prefix="used-"))


def _told(contender: Contender, *, apart: bool) -> dict[str, Any]:
    """Run the work; a contender that fails ends the run, and says why."""
    if contender.command:
        _output(contender, contender.command)
        return {}
    if not apart:
        return child.perform(contender.peer, contender.work, contender.task)
    words = (contender.peer, contender.work, json.dumps(contender.task))
    written = _output(contender, (sys.executable, "-m", "benchmarks.child", *words))
    told: dict[str, Any] = json.loads(written)
    return told


def _output(contender: Contender, command: tuple[str, ...]) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**clean_environment(), **contender.environment},
    )
    if done.returncode:
        raise RuntimeError(f"{contender.name} failed:\n{done.stderr}")
    return done.stdout


def _note(contender: Contender) -> str:
    if contender.missing:
        return f"{contender.missing} is not installed"
    if contender.sampled_of:
        return f"scaled up from {contender.task['sampled']} tags"
    return ""


def _check(pairs: Iterable[tuple[Contender, Measured]]) -> None:
    """Nobody may be fast by doing less: who reads the same finds as much."""
    whole = [(one.task, kept) for one, kept in pairs if not kept.note]
    for name in ("layers", "labels", "tags"):
        found: dict[Any, set[int]] = {}
        for task, kept in whole:
            if name in kept.told:
                found.setdefault(_subject(task), set()).add(kept.told[name])
        for subject, counts in found.items():
            if len(counts) > 1:
                raise RuntimeError(f"of {subject} the contenders found different {name}: {counts}")


def _subject(task: dict[str, Any]) -> tuple[Any, ...]:
    return task.get("repository"), task.get("platform")


def command_of(code: str, *words: str) -> tuple[str, ...]:
    """Return the command that runs Python code."""
    return (sys.executable, "-c", code, *words)
