"""What a run found, kept as JSON, and written as the tables of RESULTS.md."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.contenders import Measured
from benchmarks.jobs.job import Job

Json = dict[str, Any]
FOLDER = Path(__file__).resolve().parent
RAW, WRITTEN = "results.json", "RESULTS.md"
_PACKAGES = (
    "hubframe",
    "pandas",
    "numpy",
    "pyarrow",
    "requests",
    "requests-cache",
    "urllib3",
    "python-dxf",
    "oras",
    "polars",
    "duckdb",
    "dask",
)
_MILLISECONDS_BELOW = 0.1
_PREFACE = (
    "Written by `make bench`; [the raw numbers](results.json) stand beside. Contenders ran in turn, "
    "each in a process of its own. Times are medians; the spread is the fastest and the slowest run. "
    "*Work* leaves out starting Python and importing, *processor* is the time in which it "
    "did not wait, *process* is all of it from start to exit. A dash is a "
    "contender that cannot do the job, or is not installed."
)
TARGETS = "## Targets"


def today() -> str:
    """Return the date."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def machine() -> Json:
    """Say what the run stands on."""
    return {
        "date": today(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "versions": {
            **{name: version for name in _PACKAGES if (version := _version(name))},
            **{tool: said for tool in ("skopeo", "docker-registry") if (said := _said(tool))},
        },
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _said(tool: str) -> str | None:
    try:
        done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    except OSError:
        return None
    return done.stdout.split()[-1]


def record(job: Job, found: Sequence[Measured]) -> Json:
    """Keep a job and what was found."""
    by_name = {one.name: one for one in found}
    judged = []
    for target in job.targets:
        measured, reached = target.judge(by_name)
        judged.append(verdict(target.work, target.must, measured, reached=reached))
    return {
        "title": job.title,
        "about": job.about,
        "date": today(),
        "contenders": [_contender(one) for one in found],
        "targets": judged,
    }


def verdict(work: str, must: str, measured: str, *, reached: bool) -> Json:
    """Say what must be reached, and whether it was."""
    return {"work": work, "must": must, "measured": measured, "reached": reached}


def _contender(one: Measured) -> Json:
    told = {name: value for name, value in one.told.items() if name != "passed"}
    if "passed" in one.told:
        passed = one.told["passed"]
        told["requests"] = len(passed) if isinstance(passed, list) else passed["requests"]
    return {
        "name": one.name,
        "work_seconds": [round(seconds, 4) for seconds in one.work_seconds],
        "process_seconds": [round(seconds, 4) for seconds in one.process_seconds],
        "told": told,
        "note": one.note,
    }


def load(folder: Path) -> Json:
    """Read what an earlier run left; empty where there was none."""
    path = folder / RAW
    return json.loads(path.read_text()) if path.exists() else {"machine": {}, "jobs": {}}


def save(folder: Path, results: Json) -> None:
    """Write the raw numbers and the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RAW).write_text(json.dumps(results, indent=1) + "\n")
    (folder / WRITTEN).write_text(render(results))


def render(results: Json) -> str:
    """Write the tables: the targets first, then every job with all its contenders."""
    parts = [
        "# Benchmarks",
        _PREFACE,
        _machine(results["machine"]),
        f"{TARGETS}\n\n{targets(results['jobs'].values())}",
    ]
    parts += [section(name, job) for name, job in results["jobs"].items()]
    return "\n\n".join(parts) + "\n"


def _machine(told: Json) -> str:
    versions = " · ".join(f"{name} {version}" for name, version in told["versions"].items())
    return (
        f"{told['date']} · {told['cores']} cores · {told['memory_bytes'] / 2**30:.0f} GiB · "
        f"{told['system']} · Python {told['python']} · load {told['load']} before the run\n\n{versions}"
    )


def targets(jobs: Iterable[Json]) -> str:
    """Write what must be reached in all jobs, and whether it was."""
    rows = [
        (one["work"], one["must"], one["measured"], "yes" if one["reached"] else "**no**")
        for job in jobs
        for one in job["targets"]
    ]
    return table(("work", "must reach", "measured", "reached"), rows)


def section(name: str, job: Json) -> str:
    """Write what a job found."""
    heading = f"## {job['title']}\n\n{job['about']} (`--only {name}`, {job['date']})"
    if "rows" in job:
        return f"{heading}\n\n{_free_rows(job['rows'])}"
    first = job["contenders"][0]
    rows = [_row(one, first) for one in job["contenders"]]
    head = [
        "",
        "work",
        "spread",
        f"× {first['name']}",
        "processor",
        "process",
        "requests",
        "memory",
        "",
    ]
    return f"{heading}\n\n{_without_empty_columns(head, rows)}"


def _row(one: Json, first: Json) -> list[str]:
    if not one["work_seconds"]:
        return [one["name"], "–", "", "–", "", "", "", "", one["note"]]
    told, seconds = one["told"], statistics.median(one["work_seconds"])
    spread = f"{min(one['work_seconds']):.2f}–{max(one['work_seconds']):.2f}"
    return [
        one["name"],
        _time(seconds),
        spread,
        f"{seconds / statistics.median(first['work_seconds']):.2f}",
        "" if one["note"] else _processor(told),
        _process(one),
        f"{told['requests']:,}" if "requests" in told and not one["note"] else "",
        "" if one["note"] else _memory_of(told),
        one["note"],
    ]


def _process(one: Json) -> str:
    """Write the whole process's time; that of a sample cannot be scaled up, and a command has no other."""
    is_shown = "peak_bytes" in one["told"] and not one["note"]
    return _time(statistics.median(one["process_seconds"])) if is_shown else ""


def _processor(told: Mapping[str, Any]) -> str:
    return _time(told["processor_seconds"]) if "processor_seconds" in told else ""


def _memory_of(told: Mapping[str, Any]) -> str:
    if "peak_bytes" not in told:
        return ""
    peak = f"{told['peak_bytes'] / 2**20:.0f} MiB"
    return (
        f"{peak} ({told['peak_bytes'] / told['frame_bytes']:.1f} × frames)"
        if "frame_bytes" in told
        else peak
    )


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= _MILLISECONDS_BELOW else f"{seconds * 1000:.0f} ms"


def _free_rows(rows: Sequence[Json]) -> str:
    """Write rows that a module made for itself; their keys are the columns."""
    head = list(dict.fromkeys(key for row in rows for key in row))
    return table(head, [[_cell(row.get(key)) for key in head] for row in rows])


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else f"{value}"


def _without_empty_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    kept = [place for place in range(len(head)) if place == 0 or any(row[place] for row in rows)]
    return table([head[at] for at in kept], [[row[at] for at in kept] for row in rows])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
