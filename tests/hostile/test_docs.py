"""The pages that promise something name the tests that hold it, and these tests are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [path for name in ("security", "limits") if (path := ROOT / "docs" / f"{name}.md").exists()]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def named(page):
    return _NAMED.findall(page.read_text(encoding="utf-8"))


def defined_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_there_is_a_page():
    assert PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_test_that_is_named_is_there(page):
    missing = [
        f"{file}::{test}"
        for file, test in named(page)
        if not (ROOT / file).is_file() or test not in defined_in(ROOT / file)
    ]

    assert named(page)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_mention_of_a_test_is_a_whole_name(page):
    text = page.read_text(encoding="utf-8")

    assert len(re.findall(r"\btest_\w+\b(?!\.py)", text)) == len(named(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_promise_names_a_test(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    heads = [at for at, line in enumerate(lines) if re.match(r"\|.*\btest\b[^|]*\|$", line)]
    rows = [line for at in heads for line in _rows(lines[at + 2 :])]

    assert [row for row in rows if not _NAMED.search(row)] == []


def _rows(lines):
    """Return the rows of a table, which ends where a line is none."""
    for line in lines:
        if not line.startswith("|"):
            return
        yield line
