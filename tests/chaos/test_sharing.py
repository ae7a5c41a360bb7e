"""Processes that begin together on one cold cache."""

import pandas as pd

from .conftest import REPOSITORY
from .reader import documents_kept

PROCESSES = 4
NEWEST = 150


def test_four_processes_share_one_cold_cache(proxy, whole, cache, reading):
    what = f"{proxy.host}/{REPOSITORY}"

    readers = [reading(cache, what, newest=NEWEST) for _ in range(PROCESSES)]
    frames = [one.finish() for one in readers]

    for frame in frames:
        pd.testing.assert_frame_equal(frame, whole[: 2 * NEWEST])
        assert frame.attrs["hubframe"]["complete"]
    assert documents_kept(cache) == 3 * NEWEST
    assert max(proxy.asked.values()) <= PROCESSES, "no process asks twice"

    proxy.begin()
    again = reading(cache, what, newest=NEWEST).finish()
    pd.testing.assert_frame_equal(again, frames[0])
    assert not proxy.asked
