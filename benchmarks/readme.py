"""The README's section on performance, made from what RESULTS.md is made from."""

from statistics import median
from typing import Any

from benchmarks.jobs.job import HUBFRAME
from benchmarks.results import table, targets

BEGIN = "<!-- performance: made by the tests from benchmarks/results.json -->\n"
END = "<!-- end of performance -->"
_COLD, _WARM = "cold-far", "warm"


def section(results: dict[str, Any]) -> str:
    """Return what stands between the markers."""
    machine, jobs = results["machine"], results["jobs"]
    cold, warm = (_seconds(jobs[name]) for name in (_COLD, _WARM))
    rows = [
        (name, cold.get(name, "–"), warm.get(name, "–")) for name in dict.fromkeys([*cold, *warm])
    ]
    return (
        f"{jobs[_COLD]['title']}; warm is a new process on the filled cache "
        f"({machine['cores']} cores, {machine['date']}, load {machine['load']} before the run):\n\n"
        f"{table(('layers and labels', 'cold', 'warm'), rows)}\n\n"
        f"What hubframe is to reach, and what was measured:\n\n{targets(jobs.values())}\n"
    )


def _seconds(job: dict[str, Any]) -> dict[str, str]:
    """Write each contender's time, hubframe's first."""
    found = {one["name"]: one["work_seconds"] for one in job["contenders"]}
    assert HUBFRAME in found
    return {name: f"{median(times):.2f} s" if times else "–" for name, times in found.items()}


def written(text: str, results: dict[str, Any]) -> str:
    """Return the README with the section made anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{section(results)}{END}{rest.partition(END)[2]}"
