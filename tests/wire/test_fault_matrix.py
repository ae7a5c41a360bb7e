"""Every fault at every kind of request: the retry or the error expected, and nothing half-built.

Each row asks for two tags, and only what belongs to one of them is at fault. A fault that passes
costs nothing; one that stays is an error of its kind, and with ``errors="collect"`` it costs that
tag's rows. When it is over, the same client has what an undisturbed one has.
"""

import json
import time

import pandas as pd
import pytest

import hubframe
from hubframe import BlockedError, DigestMismatchError, PayloadError, RateLimitError, TransportError
from hubframe.testing import DROP, Reply

from .releases import REPO

BAD, GOOD = "1.7.0", "1.9.0"
BOTH = [f"{REPO}:{BAD}", f"{REPO}:{GOOD}"]
JSON = {"Content-Type": "application/json"}
PAGE = {"Content-Type": "text/html; charset=utf-8"}


def late(_request):
    time.sleep(0.6)
    return Reply.of_json({})


def reply(status, body=b"", headers=None):
    return Reply(status, headers or {}, body)


# What is answered in place of the answer.
FAULTS = {
    "no answer in time": late,
    "connection cut": DROP,
    "body cut": reply(200, b'{"schemaVersion": 2', {**JSON, "Content-Length": "9000"}),
    "body cut, and its length too": reply(200, b'{"schemaVersion": 2', JSON),
    "empty body": reply(200, b"", JSON),
    "no JSON": reply(200, b"<<<", JSON),
    "JSON of another shape": reply(200, b'"surprise"', JSON),
    "page of a portal": reply(200, b"<html>Sign in</html>", PAGE),
    "bot wall": reply(403, b"error code: 1010", {"Content-Type": "text/plain"}),
    "challenge": reply(503, b"<html><title>Just a moment...</title></html>", PAGE),
    "500": reply(500, b"<html>oops</html>", PAGE),
    "502": reply(502),
    "503": reply(503, b"", {"Retry-After": "1"}),
    "504": reply(504),
    "429 of the API": reply(429, b'{"detail": "Rate limit exceeded", "error": false}', {**JSON, "Retry-After": "3"}),
    "429 of abuse": reply(429, b"Too Many Requests (HAP429).\n", {"Content-Type": "text/plain", "Retry-After": "60"}),
    "429 that does not say how long": reply(429, b"{}", JSON),
}  # fmt: skip

# What each fault is, where it stays; None where that depends on what was asked.
STAYING = {
    "no answer in time": TransportError,
    "connection cut": TransportError,
    "body cut": TransportError,
    "body cut, and its length too": None,
    "empty body": None,
    "no JSON": None,
    "JSON of another shape": None,
    "page of a portal": BlockedError,
    "bot wall": BlockedError,
    "challenge": BlockedError,
    "500": TransportError,
    "502": TransportError,
    "503": TransportError,
    "504": TransportError,
    "429 of the API": RateLimitError,
    "429 of abuse": RateLimitError,
    "429 that does not say how long": RateLimitError,
}
# Asking at once again is of no use, or worse.
WALLS = {"page of a portal", "bot wall", "challenge"}
NOT_RETRIED = WALLS | {"JSON of another shape"}


class Kind:
    """A kind of request: where it goes for the bad tag, and the call that makes it."""

    def __init__(self, part, ask, *, method="GET", broken=PayloadError):
        self.part = part
        self.ask = ask
        self.method = method
        self.broken = broken


def labels(client, **how):
    return hubframe.labels_df(BOTH, client=client, **how)


def layers(client, **how):
    return hubframe.layers_df(BOTH, client=client, **how)


def from_registry(client, **how):
    return hubframe.configs_df(BOTH, source="registry", client=client, **how)


def documents(world):
    """Digests of the bad tag: its index, its linux/amd64 manifest, and that one's config."""
    (repository,) = [each for (_, path), each in world.repositories.items() if path == REPO]
    index = repository.tags[BAD].digest
    entry = world.documents[index].parsed()["manifests"][0]["digest"]
    return index, entry, world.documents[entry].parsed()["config"]["digest"]


@pytest.fixture(scope="session")
def kinds(releases):
    index, manifest, config = documents(releases)
    return {
        "tag on the Hub": Kind(f"/tags/{BAD}", labels),
        "layers on the Hub": Kind(f"/tags/{BAD}/images", layers),
        "digest": Kind(f"/manifests/{BAD}", from_registry, method="HEAD"),
        "index": Kind(f"/manifests/{index}", from_registry, broken=DigestMismatchError),
        "manifest": Kind(f"/manifests/{manifest}", labels, broken=DigestMismatchError),
        "config": Kind(f"/blobs/{config}", labels, broken=DigestMismatchError),
    }


# What is waited for until time is up is waited for eight times.
LONG = {("layers on the Hub", "no answer in time"), ("index", "no answer in time"), ("config", "no answer in time")}  # fmt: skip
ROWS = [
    pytest.param(kind, fault, marks=[pytest.mark.slow] if (kind, fault) in LONG else [])
    for kind in ("tag on the Hub", "layers on the Hub", "digest", "index", "manifest", "config")
    for fault in FAULTS
    # The answer to a HEAD has no body, which could be broken, or tell a wall.
    if kind != "digest" or (STAYING[fault] and fault not in {"body cut", "bot wall", "challenge"})
]


@pytest.fixture(scope="session")
def wholes():
    """What an undisturbed client has, by kind of request: the same beside every fault."""
    return {}


@pytest.fixture
def undisturbed(stage_of, releases):
    return stage_of(releases)


@pytest.mark.filterwarnings("ignore::hubframe.IncompleteWarning")
@pytest.mark.parametrize(("kind", "fault"), ROWS)
def test_fault(stage_of, releases, kinds, wholes, kind, fault):  # noqa: PLR0913, PLR0917
    stage, what = stage_of(releases), kinds[kind]
    client = stage.client(timeout=(5, 0.2 if fault == "no answer in time" else 30))
    if kind not in wholes:
        with hubframe.Client(stage.settings(cache_dir=stage.folder / "other")) as expected:
            wholes[kind] = what.ask(expected)
    whole = wholes[kind]
    standing = stage.fail(what.part, FAULTS[fault], method=what.method)

    error = STAYING[fault] or what.broken
    with pytest.raises(error) as caught:
        what.ask(client)
    assert type(caught.value) is error
    assert_fit_to_read(str(caught.value))

    partial = what.ask(client, errors="collect")
    assert set(partial.tag) == {GOOD}
    pd.testing.assert_frame_equal(
        partial, whole[whole.tag == GOOD].reset_index(drop=True), check_like=False
    )
    told = partial.attrs["hubframe"]
    assert not told["complete"]
    assert len(told["failures"]) == 1
    assert told["failures"][0]["error"] == error.__name__

    standing.times = 0 if fault in NOT_RETRIED else 1
    after = what.ask(client)
    pd.testing.assert_frame_equal(after, whole)
    assert after.attrs["hubframe"]["complete"]
    assert after.attrs["hubframe"]["stale"] == 0


def assert_fit_to_read(message):
    assert len(message) < 600
    assert message.isprintable()
    assert json.dumps(message)


@pytest.mark.parametrize("fault", sorted(WALLS))
def test_a_wall_is_asked_once(undisturbed, kinds, fault):
    what = kinds["config"]
    undisturbed.fail(what.part, FAULTS[fault])

    with pytest.raises(BlockedError):
        what.ask(undisturbed.client())
    assert undisturbed.count(what.part) == 1


PAGES = "/v2/namespaces/acme/repositories/tool/tags"


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "no answer in time"])
@pytest.mark.parametrize("part", ["page=1&", "page=2&"])
def test_fault_in_a_list(undisturbed, part, fault):
    """A page that is missing is a list that is missing: nothing is cut short in silence."""
    client = undisturbed.client()
    standing = undisturbed.fail(part, FAULTS[fault])

    error = STAYING[fault] or PayloadError
    with pytest.raises(error):
        hubframe.tags_df(REPO, client=client)
    with pytest.warns(hubframe.IncompleteWarning):
        others = hubframe.tags_df([REPO, f"{REPO}:{GOOD}"], errors="collect", client=client)
    assert others.tag.tolist() == [GOOD]

    standing.times = 0 if fault in NOT_RETRIED else 1
    assert len(hubframe.tags_df(REPO, client=client)) == 230


@pytest.mark.parametrize("target", ["https://elsewhere.invalid/x", "http://169.254.169.254/latest"])
def test_a_next_page_elsewhere_is_not_asked_for(undisturbed, target):
    """The Hub's pages are numbered, so its links are not followed at all."""

    def astray(request):
        answer = undisturbed.real_answer(request)
        body = json.loads(answer.body)
        return Reply.of_json({**body, "next": body["next"] and target})

    undisturbed.fail(PAGES, astray)

    assert len(hubframe.tags_df(REPO, client=undisturbed.client())) == 230
    assert {each.host.partition(":")[0] for each in undisturbed.asked()} == {"127.0.0.1"}


def test_pages_that_shift_between_calls(undisturbed):
    """A push moves what was last on a page to the next: it is read twice, and is one tag."""

    def shifted(request):
        answer = json.loads(undisturbed.real_answer(request).body)
        return Reply.of_json({**answer, "results": answer["results"][-1:] + answer["results"][:-1]})

    undisturbed.fail("page=2&", shifted)
    tags = hubframe.tags_df(REPO, client=undisturbed.client())

    assert len(tags) == tags.tag.nunique() == 230


@pytest.mark.parametrize("days", [-4000, 4000])
def test_a_clock_that_is_wrong(undisturbed, sleeps, days):
    """Waits are measured by the clock of who names them."""
    now = time.time() + days * 86400
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now))
    until = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now + 20))
    undisturbed.fail(PAGES, Reply(429, {"Date": date, "Retry-After": until}, b"{}"), times=1)

    assert len(hubframe.tags_df(REPO, client=undisturbed.client())) == 230
    assert sleeps[0] == pytest.approx(20, abs=2)


@pytest.mark.parametrize("header", ["Retry-After", "X-Retry-After"])
def test_a_moment_since_1970_is_read_as_one(undisturbed, sleeps, header):
    moment = str(int(time.time()) + 25)
    undisturbed.fail(PAGES, Reply(429, {header: moment}, b"{}"), times=1)

    assert len(hubframe.tags_df(REPO, client=undisturbed.client())) == 230
    assert sleeps[0] == pytest.approx(25, abs=3)


def test_the_hub_that_has_room_for_no_more_is_waited_for(stage_of, releases, sleeps):
    """Before it has to refuse: its headers say so."""
    stage = stage_of(releases, hub_limit=3, enforce_hub_limit=True)
    client = stage.client()
    hubframe.tags_df(REPO, client=client)
    assert sleeps == []

    with pytest.raises(RateLimitError):
        hubframe.layers_df(f"{REPO}:{GOOD}", client=client)
    assert 0 < sleeps[0] <= 60


def test_after_a_refusal_fewer_go_at_once_and_then_more_again(undisturbed):
    client = undisturbed.client(workers=32)
    rates = client.exchanges.rate_limiter(undisturbed.served.hub_url)
    # Fewer than a request is sent again: all of them may meet the same one.
    undisturbed.fail("/images", FAULTS["429 of the API"], times=4)

    assert hubframe.layers_df(REPO, client=client).tag.nunique() == 230
    assert rates.window > 4, "it grew back"
