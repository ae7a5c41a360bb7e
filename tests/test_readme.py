"""Every example of the README is run, and prints what it says."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubframe.tables import FETCHED
from hubframe.wire.client import use

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
BEGIN, END = "<!-- frames: made by the tests from hubframe.tables -->\n", "<!-- end of frames -->"


def console_examples():
    """Commands of the sample with the output below them, where there is one."""
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL):
        for example in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if "--sample" in example[0]:
                yield example


def test_python_examples():
    before = use(None)
    try:
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        # The fences would be taken for output.
        plain = re.sub(r"^```.*$", "", TEXT, flags=re.MULTILINE)
        examples = doctest.DocTestParser().get_doctest(plain, {}, "README.md", str(README), 0)
        result = runner.run(examples)
    finally:
        switched = use(before)
        if switched:
            switched.close()
    assert result.attempted > 15
    assert result.failed == 0


@pytest.mark.parametrize(("command", "printed"), list(console_examples()))
def test_console_examples(command, printed):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    assert done.stdout
    if printed:
        assert [line.rstrip() for line in done.stdout.splitlines()] == printed.splitlines()


def frames_table():
    rows = [
        f"| `{table.name}_df` | {table.row} | {', '.join(table.dtypes)} |"
        for table in FETCHED.values()
    ]
    return "\n".join(["| function | a row is | columns |", "|---|---|---|", *rows]) + "\n"


def test_the_table_of_frames_is_the_declared_one():
    stated = TEXT.partition(BEGIN)[2].partition(END)[0]
    expected = frames_table()
    if os.environ.get("UPDATE_README"):
        README.write_text(TEXT.replace(f"{BEGIN}{stated}{END}", f"{BEGIN}{expected}{END}"))
    assert stated == expected, "run the tests with UPDATE_README=1 to write the table anew"


def test_pictures_and_links_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (README.parent / target).is_file(), target
