"""The page on clusters prints what it says, and its plan adds up."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")


def run(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_page_prints_what_it_says(tmp_path):
    code, printed = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL).groups()
    assert run("-c", code, cwd=tmp_path) == printed


def test_times_at_the_quota_are_reckoned_from_the_requests():
    rows = re.findall(r"\| (\d+) million \| (\d+) days \|", PAGE)
    assert len(rows) == 4
    for millions, days in rows:
        assert round(int(millions) * 10**6 / 180 / 60 / 24) == int(days)
