"""A way that breaks one answer in ten: all arrives, and nothing is asked for without a reason."""

import pandas as pd
import pytest

from .conftest import FEW, REPOSITORY, SHIPS
from .proxy import BODY_CUTS, CUTS, GARBLES, SLOW, STATUSES, breaking
from .reader import documents_kept

FATES = (*CUTS, *STATUSES, *BODY_CUTS, *GARBLES, SLOW)
# In a row, for one request: a client that asks four times gets through.
MOST = 3


@pytest.mark.parametrize("newest", [FEW, pytest.param(SHIPS, marks=pytest.mark.slow)])
def test_all_images_arrive_over_a_way_that_breaks_one_answer_in_ten(
    newest, proxy, whole, cache, reading
):
    proxy.begin(breaking(0.1, seed=113, most=MOST, fates=FATES))

    found = reading(cache, f"{proxy.host}/{REPOSITORY}", newest=newest).finish()

    broken = [one for one in proxy.log if not one.is_whole]
    assert {one.fate for one in broken} == set(FATES) - {SLOW}
    assert len(broken) > 0.08 * len(proxy.asked)
    pd.testing.assert_frame_equal(found, whole[: 2 * newest])
    assert found.attrs["hubframe"]["complete"]
    assert documents_kept(cache) == 3 * newest
    assert proxy.documents().total() == 3 * newest
    assert proxy.repeated() == {}, "asked for again although it had arrived"
    assert proxy.asked.total() == len(proxy.asked) + len(broken), "each is asked for again once"
