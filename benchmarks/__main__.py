"""Run the jobs, and write what they found: ``python -m benchmarks [--only NAME …] [--quick]``."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import jobs, modules, results, servers
from benchmarks.contenders import Measured, measure, run
from benchmarks.jobs.job import Job
from benchmarks.scale import FULL, QUICK, Scale


def main() -> int:
    """Run."""
    # Servers are ended and folders emptied on the way out, however it comes to that.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _options()
    scale = QUICK if options.quick else FULL
    if options.repeats:
        scale = replace(
            scale,
            repeats=options.repeats,
            short_repeats=options.repeats,
            largest_repeats=options.repeats,
        )
    _warn_of_load()
    kept = {**results.load(options.output), "machine": results.machine()}
    for name, found in _found(scale, options):
        kept["jobs"][name] = found
        print(f"{results.section(name, found)}\n", flush=True)
        # Whoever interrupts a long run keeps what it found.
        results.save(options.output, kept)
    results.save(options.output, kept)
    _say(f"written to {options.output / results.WRITTEN}")
    return 0


def _found(scale: Scale, options: argparse.Namespace) -> Iterator[tuple[str, results.Json]]:
    """Run what was asked for, one after the other."""
    # The servers of the jobs are filled for minutes, and the modules have their own.
    if options.only is None or set(options.only) - modules.NAMES:
        yield from _of_jobs(scale, options.only)
    for module in modules.ALL:
        if options.only is None or module.name in options.only:
            _say(f"{module.name}: {module.title}")
            try:
                found = module.run(is_quick=options.quick)
            except ImportError as error:
                _say(f"{module.name}: left out ({error})")
                continue
            if found is not None:
                yield module.name, found


def _of_jobs(scale: Scale, only: list[str] | None) -> Iterator[tuple[str, results.Json]]:
    with tempfile.TemporaryDirectory() as folder, servers.running(Path(folder), scale) as running:
        for job in _chosen(jobs.make(running), only):
            _say(f"{job.name}: {job.title}")
            yield job.name, _do(job, apart=scale.apart)


def _warn_of_load() -> None:
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > cores / 2:
        _say(f"the machine is busy (load {load:.1f} on {cores} cores): times will say so")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="these jobs; others keep their numbers"
    )
    parser.add_argument(
        "--quick", action="store_true", help="so little work that its times mean nothing"
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="how often each contender runs")
    parser.add_argument("--output", type=Path, default=None, metavar="FOLDER")
    options = parser.parse_args()
    if options.output is None:
        # What a quick run finds must not replace what a true one found.
        options.output = Path(tempfile.mkdtemp()) if options.quick else results.FOLDER
    return options


def _chosen(made: list[Job], only: list[str] | None) -> list[Job]:
    unknown = set(only or ()) - {job.name for job in made} - modules.NAMES
    if unknown:
        names = ", ".join([*(job.name for job in made), *(one.name for one in modules.ALL)])
        sys.exit(f"there is no job {', '.join(sorted(unknown))}; there are {names}")
    return [job for job in made if only is None or job.name in only]


def _do(job: Job, *, apart: bool) -> results.Json:
    for one in job.before:
        if not one.missing:
            run(one, Measured(one.name), apart=apart)
    return results.record(job, measure(job.contenders, job.repeats, apart=apart))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
