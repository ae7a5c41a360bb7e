"""The page on snapshots prints what it says, and its recipes do what they are for."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import hubframe

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


def shell(script, cwd, **variables):
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, "HUBFRAME_SAMPLE": "1", **variables}
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_of_cron_append_once_a_day(tmp_path):
    lines = re.findall(r"^\d+ \d+ \* \* \*  (hubframe .*)$", PAGE, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        # cron takes % for the end of the line, and \\% for itself.
        shell(line.replace("\\%", "%").replace("/srv/", f"{tmp_path}/"), tmp_path)
    assert len(hubframe.read_snapshots(tmp_path / "snapshots").runs) == 1


def test_the_workflow_commits_what_it_saw_and_nothing_else(tmp_path):
    workflow = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    taken = re.search(r"- run: (hubframe .*)\n", workflow)[1]
    committed = textwrap.dedent(re.search(r"- run: \|\n(.*)", workflow, re.DOTALL)[1])
    shell("git init -q --bare far && git clone -q far near", tmp_path)
    near, config = tmp_path / "near", str(tmp_path / "none")
    (near / "other").write_text("not to be committed")
    for _ in range(2):
        # Nothing is left to see the second time, and nothing is committed.
        shell(f"{taken}\n{committed}", near, GIT_CONFIG_GLOBAL=config)
    told = shell("git log --format=%an:%s --name-only", tmp_path / "far").split("\n")
    assert re.fullmatch(r"snapshots:Snapshot of \d{4}-\d\d-\d\d", told[0])
    assert {line.partition("/")[0] for line in told[2:-1]} == {"snapshots"}
    assert len(told) == 2 + 3 + 1
    assert len(hubframe.read_snapshots(near / "snapshots").runs) == 1
