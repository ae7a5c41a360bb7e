"""The benchmarks run, and their tables agree with their numbers; no time is looked at."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import jobs, modules, readme, results, servers
from benchmarks.collection import release, releases
from benchmarks.scale import FULL, QUICK

ROOT = Path(__file__).resolve().parent.parent
KEPT = results.load(results.FOLDER)
# Of the modules that measure for themselves and have something quick: a column, and what is in it.
TABLES = {
    "snapshots": ("rows", [5_800]),
    "cluster": ("images", [50]),
    "layerfiles": ("files", [200] * 3),
    "packages": ("packages", [40] * 2 + [400] * 3),
    "references": ("references", [80] * 3),
    "vulnerabilities": ("rows", [160, 200, 160, 40, 40, 400]),
}


def made(scale, folder=Path("nowhere")):
    """All jobs, without their servers."""
    return jobs.make(servers.Servers("near:1", "far:1", "hub:1", "slow:1", "tls:1", folder, scale))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run everything, and return how that ended, and the folder with what was found until then."""
    if not shutil.which("docker-registry"):
        message = "install docker-registry (a Debian package) to run the benchmarks"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False), folder


@pytest.fixture
def quick(run):
    """Return the folder: what went wrong in one job is no other's business."""
    return run[1]


@pytest.mark.slow
def test_a_run_comes_to_its_end(run):
    done, _ = run
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_every_job_runs_and_everybody_who_is_installed_has_a_time(quick):
    found = json.loads((quick / results.RAW).read_text())["jobs"]
    for job in made(QUICK):
        names = [one["name"] for one in found[job.name]["contenders"]]
        assert names == [one.name for one in job.contenders]
        for contender, one in zip(job.contenders, found[job.name]["contenders"], strict=True):
            assert len(one["work_seconds"]) == (0 if contender.missing else 1), one["name"]


@pytest.mark.slow
def test_every_target_of_a_run_is_in_its_table(quick):
    text = (quick / results.WRITTEN).read_text()
    for job in made(QUICK):
        for target in job.targets:
            assert f"| {target.work} | {target.must} |" in text
    assert "| under 200 MB of memory, imports included |" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_a_module_that_measures_for_itself_has_a_table(quick, name):
    found = json.loads((quick / results.RAW).read_text())["jobs"][name]
    column, expected = TABLES[name]
    assert found["about"].endswith(".")
    # The sides found as much, or there would be no rows.
    assert [row[column] for row in found["rows"]] == expected


@pytest.mark.slow
def test_every_module_that_has_something_quick_has_a_table(quick):
    found = json.loads((quick / results.RAW).read_text())["jobs"]
    assert set(found) == {job.name for job in made(QUICK)} | set(TABLES)


def test_a_module_that_lacks_something_is_left_out(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path), "--only"]
    environment = {**os.environ, "PATH": ""}
    how = {"cwd": ROOT, "capture_output": True, "text": True, "env": environment}
    done = subprocess.run([*command, "layerfiles"], check=True, **how)
    assert "layerfiles: left out (docker-registry is not installed)" in done.stderr
    assert results.load(tmp_path)["jobs"] == {}


def test_work_is_measured_in_a_process_of_its_own():
    task = json.dumps({"rows": 20})
    command = [sys.executable, "-m", "benchmarks.child", "hubframe_frames", "layers", task]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["layers"] > 0
    assert {"seconds", "processor_seconds", "peak_bytes", "frame_bytes"} <= set(told)


def test_the_kept_results_have_all_jobs_and_all_targets():
    assert set(KEPT["jobs"]) >= {job.name for job in made(FULL)}
    for job in made(FULL):
        kept = [(one["work"], one["must"]) for one in KEPT["jobs"][job.name]["targets"]]
        assert kept == [(one.work, one.must) for one in job.targets]
    for module in modules.ALL:
        # What is measured beside polars cannot be loaded without it.
        if module.name in KEPT["jobs"] and module.name != "measure":
            told = KEPT["jobs"][module.name]
            assert told["targets"] == module.targets(told["rows"])


def test_the_tables_are_made_from_the_numbers():
    assert (results.FOLDER / results.WRITTEN).read_text() == results.render(KEPT)


def test_the_readme_shows_what_was_measured():
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    expected = readme.written(text, KEPT)
    if os.environ.get("UPDATE_README"):
        path.write_text(expected, encoding="utf-8")
    assert text == expected, "run the tests with UPDATE_README=1 to write the section anew"


def test_the_documents_are_the_same_every_time():
    assert [one.index.digest for one in releases(3)] == [release(n).index.digest for n in range(3)]
    assert len({one.index.digest for one in releases(60)}) == 60
    assert len({one.tag for one in releases(1_000)}) == 1_000
