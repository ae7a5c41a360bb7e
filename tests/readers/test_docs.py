"""The page on where images are used prints what it says, and names each kind of file."""

import doctest
from pathlib import Path

from hubframe.readers.references import files

PAGE = Path(__file__).parents[2] / "docs" / "references.md"


def test_the_page_prints_what_it_says():
    found = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 10
    assert found.failed == 0


def test_the_page_names_each_kind_of_file():
    text = PAGE.read_text(encoding="utf-8")
    kinds = {files.kind_of(path) for path in ("Dockerfile", "a.yml", "compose.yml", "values.yaml")}
    for kind in (*kinds, files.QUADLET, files.BUILDPACKS, files.BAKE, files.TEXT, files.GITLAB):
        assert f"| `{kind}` |" in text
