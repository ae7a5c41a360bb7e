"""A way that breaks one answer in ten: all arrives, and nothing is asked for without a reason."""

import pandas as pd

from .conftest import REPOSITORY, SHIPS
from .proxy import BODY_CUTS, CUTS, GARBLES, SLOW, STATUSES, breaking
from .reader import documents_kept

FATES = (*CUTS, *STATUSES, *BODY_CUTS, *GARBLES, SLOW)
# In a row, for one request: a client that asks four times gets through.
MOST = 3


def test_two_thousand_images_arrive_over_a_way_that_breaks_one_answer_in_ten(
    proxy, whole, cache, reading
):
    proxy.begin(breaking(0.1, seed=4, most=MOST, fates=FATES))

    found = reading(cache, f"{proxy.host}/{REPOSITORY}").finish()

    broken = [one for one in proxy.log if not one.is_whole]
    assert {one.fate for one in broken} == set(FATES) - {SLOW}
    assert len(broken) > 0.08 * len(proxy.asked)
    pd.testing.assert_frame_equal(found, whole)
    assert found.attrs["hubframe"]["complete"]
    assert documents_kept(cache) == 3 * SHIPS
    assert proxy.documents().total() == 3 * SHIPS
    assert proxy.repeated() == {}, "asked for again although it had arrived"
    assert proxy.asked.total() == len(proxy.asked) + len(broken), "each is asked for again once"
