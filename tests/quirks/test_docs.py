"""``docs/quirks.md`` names every row, and none that is not there."""

import re
from pathlib import Path

from tests.wire import test_algorithms, test_providers

from . import test_challenges, test_dangling, test_hub, test_logins, test_registries, test_transport

TEXT = (Path(__file__).parents[2] / "docs" / "quirks.md").read_text(encoding="utf-8")


def named(text=TEXT):
    """Return what stands between backticks in the last column of the tables."""
    cells = [line.rsplit("|", 2)[1] for line in text.splitlines() if line.startswith("| ")]
    return {name for cell in cells for name in re.findall("`([^`]+)`", cell)}


def test_every_row_of_the_registries_is_documented():
    rows = {row.name for row in test_registries.ROWS}

    assert len(rows) == len(test_registries.ROWS), "no name twice"
    assert rows - named() == set()


def test_no_row_is_documented_that_is_not_there():
    documented = named(TEXT[TEXT.index("## Lists of tags") : TEXT.index("## Logins")])

    assert documented - {row.name for row in test_registries.ROWS} == set()


def test_the_tests_that_are_named_are_there():
    names = {name for name in named() if name.startswith("test_")}

    assert names
    modules = (
        *(test_challenges, test_logins, test_transport, test_dangling),
        *(test_algorithms, test_providers),
    )
    assert [name for name in names if not any(hasattr(one, name) for one in modules)] == []


def test_every_quirk_of_the_hub_is_documented():
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)]

    assert numbers == sorted({row.number for row in test_hub.ROWS})
