"""With ``errors="collect"`` each fault costs its own rows, whichever request it befalls."""

import pandas as pd
import pytest

import hubframe
from tests.wire.conftest import sleeps  # noqa: F401 - nobody waits before the next try

from .conftest import REPOSITORY
from .proxy import BODY_CUTS, CUTS, GARBLES, PAGE, STATUSES, WHOLE, Request, fits
from .reader import documents_kept

# A page for people stays until somebody logs in; the rest may be gone at the next try.
PASSING = (*CUTS, *STATUSES, *BODY_CUTS, *GARBLES)
# What a tag needs, in this order; its index comes by the tag.
PARTS = ("tag", "manifest", "config")
# A client that asks more often than this for one thing does not know when to stop.
MOST_TRIES = 8
# All that waits for its next try does so at once.
WORKERS = 80


@pytest.fixture
def client(cache):
    with hubframe.Client(hubframe.Settings(cache_dir=cache, workers=WORKERS)) as opened:
        yield opened


def fitting(part):
    """Return what can befall a part."""
    # What changes an index under way would be another index, and another fault.
    method = "HEAD" if part == "tag" else "GET"
    path = "/v2/any/tags/list" if part == "list" else "/v2/any/blobs/sha256:any"
    return [fate for fate in (*PASSING, PAGE) if fits(fate, Request(method, path))]


def error_of(fate, part):
    """Name what a fault is to be told as."""
    if fate.startswith("429"):
        return "RateLimitError"
    if fate == PAGE:
        return "BlockedError"
    if fate in GARBLES:
        return "PayloadError" if part == "list" else "DigestMismatchError"
    return "TransportError"


def reference_of(proxy, ship, part):
    """Name what fails: a repository, a tag or an image."""
    repo = f"{proxy.host}/{ship.repository}"
    if part in ("list", "tag"):
        return repo if part == "list" else f"{repo}:{ship.tag}"
    return f"{repo}@{ship.path('manifest').rpartition('/')[2]}"


def read_damaged(proxy, client, what, bad, **how):
    """Read while each part named in ``bad`` is broken for good, and check what is said of it."""
    broken = {ship.path(part): fate for (part, fate), ship in bad.items()}
    proxy.begin(lambda request: (broken.get(request.path, WHOLE), 0.0))
    with pytest.warns(hubframe.IncompleteWarning, match=f"{len(bad)} of what"):
        frame = hubframe.labels_df(what, errors="collect", client=client, **how)

    failures = frame.attrs["hubframe"]["failures"]
    assert {one["ref"]: one["error"] for one in failures} == {
        reference_of(proxy, ship, part): error_of(fate, part) for (part, fate), ship in bad.items()
    }
    assert len(failures) == len(bad)
    assert not frame.attrs["hubframe"]["complete"]
    assert max(proxy.asked.values()) <= MOST_TRIES
    return frame


def assert_is_without(frame, whole, bad):
    """Check that a frame is another without the rows of some tags."""
    lost = {(ship.repository, ship.tag) for ship in bad.values()}
    places = zip(whole.repo.str.partition("/")[2], whole.tag, strict=True)
    is_lost = pd.Series([place in lost for place in places])
    assert is_lost.sum() == 2 * len(bad)
    pd.testing.assert_frame_equal(frame, whole[~is_lost].reset_index(drop=True))


def test_each_fault_costs_the_rows_of_its_tag(proxy, whole, ships, client, cache):
    kinds = [(part, fate) for part in PARTS for fate in fitting(part)]
    newest = 2 * len(kinds)
    # From the newest on every other is bad.
    bad = dict(zip(kinds, ships[::-2], strict=False))
    what = f"{proxy.host}/{REPOSITORY}"
    expected = whole[: 2 * newest]

    damaged = read_damaged(proxy, client, what, bad, newest=newest)
    assert_is_without(damaged, expected, bad)

    proxy.begin()
    mended = hubframe.labels_df(what, newest=newest, errors="collect", client=client)

    pd.testing.assert_frame_equal(mended, expected)
    assert mended.attrs["hubframe"]["complete"]
    missing = {
        ship.path(one) for (part, _), ship in bad.items() for one in PARTS[PARTS.index(part) :]
    }
    assert {path for _, path in proxy.asked} <= missing, "only what was missing is fetched"
    assert not proxy.repeated()
    assert documents_kept(cache) == 3 * newest


def test_each_fault_costs_the_rows_of_its_repository(proxy, squads, client):
    repos = [f"{proxy.host}/{ship.repository}" for ship in squads]
    bad = {("list", fate): ship for fate, ship in zip(fitting("list"), squads[::2], strict=False)}

    damaged = read_damaged(proxy, client, repos, bad)
    proxy.begin()
    mended = hubframe.labels_df(repos, client=client)

    assert mended.repo.drop_duplicates().tolist() == repos
    assert_is_without(damaged, mended, bad)
    assert not proxy.repeated()


def test_a_page_in_answer_to_a_head_is_not_kept(proxy, ships, client):
    """Otherwise each tag would cost a pull once the network lets go of the reader."""
    what, path = f"{proxy.host}/{REPOSITORY}:{ships[0].tag}", ships[0].path("tag")
    proxy.begin(lambda request: (PAGE if request.path == path else WHOLE, 0.0))
    with pytest.raises(hubframe.BlockedError):
        hubframe.tags_df(what, client=client)

    proxy.begin()
    tags = hubframe.tags_df(what, client=client)

    assert tags.digest.tolist() == [ships[0].path("index").rpartition("/")[2]]
    assert set(proxy.asked) == {("HEAD", path)}


def test_faults_that_pass_cost_nothing(proxy, whole, ships, client):
    """Each part of an image is broken once, the list of tags too."""
    broken = {
        ship.path(part): fate
        for fate, ship in zip(PASSING, ships[::-1], strict=False)
        for part in PARTS
    }
    broken[ships[0].path("list")] = "end in body"

    def plan(request):
        fate = broken.get(request.path, WHOLE)
        return (fate if request.earlier == 0 and fits(fate, request) else WHOLE), 0.0

    proxy.begin(plan)
    labels = hubframe.labels_df(f"{proxy.host}/{REPOSITORY}", newest=len(PASSING), client=client)

    pd.testing.assert_frame_equal(labels, whole[: len(labels)])
    assert len(labels) == 2 * len(PASSING)
    assert {one.fate for one in proxy.log} == {WHOLE, *PASSING}
    assert not proxy.repeated()
