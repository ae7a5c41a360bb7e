"""The README's section on performance, made from what RESULTS.md is made from."""

from statistics import median
from typing import Any

from benchmarks.jobs.job import HUBFRAME
from benchmarks.results import table

BEGIN = "<!-- performance: made by the tests from benchmarks/results.json -->\n"
END = "<!-- end of performance -->"
_COLD, _WARM = "cold-far", "warm"
_BESIDE = ("requests + threads", "skopeo, 8 at a time")


def section(results: dict[str, Any]) -> str:
    """Return what stands between the markers: hubframe beside two that people would take."""
    machine, jobs = results["machine"], results["jobs"]
    cold, warm = (_seconds(jobs[name]) for name in (_COLD, _WARM))
    rows = [(name, cold[name], warm.get(name, "–")) for name in (HUBFRAME, *_BESIDE)]
    # Of the older one, where they were not measured together.
    date = min(jobs[name]["date"] for name in (_COLD, _WARM))
    targets = [target for job in jobs.values() for target in job["targets"]]
    reached = sum(target["reached"] for target in targets)
    return (
        f"Layers and labels of 500 tags, each answer of the registry 40 ms late; warm is a new process "
        f"on the filled cache ({machine['cores']} cores, {date}):\n\n"
        f"{table(('', 'cold', 'warm'), rows)}\n\n"
        f"`make bench` measures that and much more; {reached} of {len(targets)} targets are reached, and "
        "[the results](benchmarks/RESULTS.md) hold those that are not, too.\n"
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
