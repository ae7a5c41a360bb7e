"""Every example of the README and of pages like it is run, and prints what it says."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubframe.wire.client import use

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TEXTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in (
        README,
        *(ROOT / "docs" / f"{name}.md" for name in ("questions", "arrow", "registries")),
    )
}


def console_examples():
    """Commands of the sample with the output below them, where there is one."""
    for name, text in TEXTS.items():
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
            for example in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                if "--sample" in example[0]:
                    yield pytest.param(*example, id=f"{name}: {example[0]}")


@pytest.mark.parametrize("name", TEXTS)
def test_python_examples(name):
    before = use(None)
    try:
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        # The fences would be taken for output.
        plain = re.sub(r"^```.*$", "", TEXTS[name], flags=re.MULTILINE)
        result = runner.run(doctest.DocTestParser().get_doctest(plain, {}, name, name, 0))
    finally:
        switched = use(before)
        if switched:
            switched.close()
    assert result.attempted > 3
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


def test_the_readme_is_short_and_begins_with_a_frame():
    assert len(TEXTS["README.md"].splitlines()) < 200
    first = TEXTS["README.md"].partition("```python\n")[2].partition("```")[0]
    assert first.count(">>> ") == 3
    assert len(first.splitlines()) > 5


def test_pictures_and_links_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXTS["README.md"]):
        assert (README.parent / target).is_file(), target
