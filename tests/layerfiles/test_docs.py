"""The page on files prints what it says."""

import doctest
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "files.md"


def test_the_page_prints_what_it_says():
    told = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert told.attempted > 3
    assert told.failed == 0
