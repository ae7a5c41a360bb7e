"""A client that is killed or interrupted in the middle keeps what it had."""

import sys

import pandas as pd
import pytest

from .conftest import FEW, REPOSITORY, SHIPS
from .proxy import WHOLE, held_after
from .reader import Reader, documents_kept, environment
from .terminal import Terminal

WORKERS = 16
# Two seconds are promised; a busy machine gets more. What is held takes sixty.
SOON = 20.0
# Documents are written so many at a time.
TOGETHER = 32
SCRIPT = """
import sys, hubframe
hubframe.layers_df(sys.argv[1], newest=100)
"""
CLI = ["-m", "hubframe", "layers", "--newest", "100"]
PROGRAMS = {"command": CLI, "script": ["-c", SCRIPT]}


@pytest.mark.parametrize("newest", [FEW, pytest.param(SHIPS, marks=pytest.mark.slow)])
def test_what_a_killed_process_had_is_not_fetched_again(newest, proxy, whole, cache, reading):
    first = reading(cache, f"{proxy.host}/{REPOSITORY}", newest=newest)
    proxy.wait_until(newest * 5 // 2)
    first.kill()
    had = set(proxy.documents())
    kept = documents_kept(cache)
    assert 0 < kept < 3 * newest

    proxy.begin()
    again = reading(cache, f"{proxy.host}/{REPOSITORY}", newest=newest).finish()

    pd.testing.assert_frame_equal(again, whole[: 2 * newest])
    assert again.attrs["hubframe"]["complete"]
    assert documents_kept(cache) == 3 * newest
    lost = had & set(proxy.documents())
    # What a tag points at is kept apart from the documents, and written together in its own turn.
    assert len(lost) <= WORKERS + 2 * TOGETHER, "those under way, and those about to be written"
    # An index that was kept while what its tag points at was not yet is asked for again.
    assert 0 <= proxy.documents().total() - (3 * newest - kept) <= TOGETHER
    assert not proxy.repeated()


@pytest.mark.parametrize("passed", [0, 150], ids=["at first", "in the middle"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_ctrl_c_stops_at_once_and_keeps_what_was_fetched(program, passed, proxy, cache, whole):
    what = f"{proxy.host}/{REPOSITORY}"
    proxy.begin(held_after(passed))
    command = [sys.executable, *PROGRAMS[program], what]
    with Terminal(command, environment(cache)) as terminal:
        proxy.wait_until(passed + WORKERS if passed else 1)
        waited = terminal.interrupt()
        said = terminal.text()
    had = {(one.method, one.path) for one in proxy.log if one.fate == WHOLE}
    asked = proxy.asked.total()

    assert waited < SOON
    if program == "command":
        assert terminal.process.returncode == 130
        assert "interrupted; what was fetched is kept" in said
        assert "Traceback" not in said
    else:
        # Python ends itself by the signal; a shell calls that 130.
        assert terminal.process.returncode == -2
        assert said.rstrip().endswith("KeyboardInterrupt")
    assert asked <= passed + WORKERS

    proxy.begin()
    with Reader(cache, what, newest=100) as reading:
        again = reading.finish()
    pd.testing.assert_frame_equal(again, whole[: len(again)])
    assert len(again) == 200
    assert len(had & set(proxy.asked)) <= WORKERS
    documents_kept(cache)
