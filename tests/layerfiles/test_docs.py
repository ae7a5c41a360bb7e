"""The page on files prints what it says, and the benchmark's sides agree."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "files.md"


def test_the_page_prints_what_it_says():
    told = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert told.attempted > 3
    assert told.failed == 0


def test_the_benchmark_runs_and_its_sides_agree():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.layerfiles", "--quick"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert re.search(r"200 files\nhubframe +\d.*\nagain +\d.*\ntar -tzv +\d", done.stdout)
