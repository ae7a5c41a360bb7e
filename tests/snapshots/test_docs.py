"""The page on snapshots prints what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "snapshots.md").read_text(encoding="utf-8")


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
    (code, printed) = re.search(
        r"```python\n(import hubframe\n.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL
    ).groups()
    wide = "import pandas\npandas.set_option('display.width', 120)\n"
    assert run("-c", wide + code, cwd=tmp_path) == printed
