"""What the fuzzer ever found stays found, and its targets hold for what it starts from."""

import time
from pathlib import Path

import pytest

from tests.fuzz.__main__ import FINDS
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

FOUND = sorted(path for path in Path(FINDS).glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_find_is_mended(path):
    start = time.process_time()
    TARGETS[path.parent.name](path.read_bytes())
    assert time.process_time() - start < 10


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_holds_for_its_seeds(target):
    # A few of each: the properties beside this file try all of them.
    for seed in seeds()[target][:40]:
        TARGETS[target](seed)


def test_every_target_has_seeds_and_every_find_a_target():
    assert set(seeds()) == set(TARGETS)
    assert {path.parent.name for path in FOUND} <= set(TARGETS)
