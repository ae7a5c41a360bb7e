"""Pulls are counted before they are spent: plans, limits, and what fits."""

import time
from collections import Counter

import pytest

import hubframe
from hubframe.apps.cli.commands import PLANNED
from hubframe.testing import Reply, SampleAdapter

from .releases import PROBE, REPO, Releases

SIX_HOURS = 6 * 3600


@pytest.fixture(scope="module")
def many():
    """A repository of 300 distinct releases, each under two tags."""
    return Releases(600).world


class Clock:
    """A time that only the server goes by."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metered(stage_of, many, clock):
    """Docker Hub as an anonymous user meets it: a hundred pulls in six hours."""
    return stage_of(many, pull_limit=100, clock=clock)


@pytest.mark.parametrize("kind", ["served", "in this process", "in this process, an application"])
def test_nobody_waits_for_a_limit_of_the_sample(kind, stage, sleeps):
    if kind == "served":
        client = stage.client()
    else:
        client = stage.client(sample=True)
        given = stage.application if "application" in kind else None
        client.exchanges.network = SampleAdapter(given)
    with hubframe.refresh():
        for _ in range(200):
            hubframe.repos_df("acme", client=client)
    assert sleeps == []


def kinds(exchanges):
    """Count requests as a plan does; logins and the question for the limit come on top."""
    found = Counter()
    for one in exchanges:
        path = one.path_and_query
        if "/token" in path or PROBE in path or path == "/v2/":
            continue
        if "/manifests/" in path:
            found["head" if one.method == "HEAD" else "manifest"] += 1
        elif "/blobs/" in path:
            found["config"] += 1
        elif path.endswith("/tags/list?n=1000"):
            found["names"] += 1
        else:
            found["hub"] += 1
    return dict(found)


CALLS = {
    "tags": ("tags", {}),
    "images": ("images", {}),
    "layers": ("layers", {}),
    "history": ("history", {"newest": 30}),
    "labels": ("labels", {}),
    "env": ("env", {"newest": 10, "platform": "all"}),
    "configs": ("configs", {"platform": ["linux/amd64", "linux/arm64"], "newest": 7}),
    "labels of steps": ("labels", {"source": "hub", "newest": 10}),
    "tags of the registry": ("tags", {"source": "registry", "newest": 12}),
    "layers of the registry": ("layers", {"source": "registry", "newest": 12}),
    "images of the registry": (
        "images",
        {"source": "registry", "newest": 3, "platform": "linux/s390x"},
    ),
}


@pytest.mark.parametrize(("frame", "how"), CALLS.values(), ids=CALLS)
def test_a_call_makes_the_requests_that_its_plan_names(stage_of, releases, frame, how):
    stage = stage_of(releases, pull_limit=1000)
    client = stage.client()

    plan = hubframe.plan(REPO, frame, **how, client=client)
    planned = len(stage.asked())
    pulls = stage.count("/manifests/", "GET")
    result = getattr(hubframe, f"{frame}_df")(REPO, **how, client=client)
    spent = stage.asked()[planned:]

    assert result.attrs["hubframe"]["complete"]
    assert pulls == 0, "a plan spends none"
    assert kinds(spent) == {kind: count for kind, count in plan.requests.items() if count}
    assert stage.count("/manifests/", "GET") == plan.pulls

    again = hubframe.plan(REPO, frame, **how, client=client)
    assert sum(again.requests.values()) == again.pulls == 0
    assert again.is_exact


def test_what_can_be_planned_is_the_same_on_the_command_line():
    with pytest.raises(ValueError, match="one of") as caught:
        hubframe.plan(REPO, "nothing")
    assert all(name.replace("-", "_") in str(caught.value) for name in PLANNED)


def test_a_plan_in_words(metered):
    client = metered.client()

    plan = hubframe.plan(REPO, "labels", client=client)

    assert (plan.pulls, plan.pulls_left, plan.fits) == (300, 100, False)
    assert "labels of 600 tags: 600 requests" in str(plan)
    assert "300 needed, 100 of 100 left" in str(plan)
    assert "partial=True" in str(plan)
    assert plan.to_frame().set_index("kind")["count"].to_dict() == {"manifest": 300, "config": 300}
    assert "<pre>" in plan._repr_html_()


def test_a_plan_counts_the_minutes_that_the_hub_makes_one_wait(stage_of, many):
    stage = stage_of(many, hub_limit=100, enforce_hub_limit=True)

    assert hubframe.plan(REPO, "layers", client=stage.client()).seconds > 120


def test_a_plan_of_what_is_no_frame(stage):
    with pytest.raises(ValueError, match="frame must be one of tags, images"):
        hubframe.plan("library/alpine", "colours", client=stage.client())


def test_a_fetch_that_does_not_fit_spends_nothing(metered):
    with pytest.raises(hubframe.QuotaError, match="none was spent") as caught:
        hubframe.labels_df(REPO, client=metered.client())

    assert (caught.value.needed, caught.value.remaining) == (300, 100)
    assert caught.value.limit == "pull"
    assert metered.count("/manifests/", "GET") == 0


@pytest.mark.parametrize(
    "function", ["labels_df", "env_df", "configs_df", "layers_df", "images_df"]
)
def test_the_registry_too_is_asked_for_no_more_than_fits(metered, function):
    with pytest.raises(hubframe.QuotaError):
        getattr(hubframe, function)(
            REPO, source="registry", platform="linux/amd64", client=metered.client()
        )

    assert metered.count("/manifests/", "GET") == 0


def test_what_fits_is_fetched_newest_first_and_the_rest_another_day(metered, clock, later):
    client = metered.client()

    with pytest.warns(hubframe.IncompleteWarning, match="200 of what was asked for"):
        labels = hubframe.labels_df(REPO, partial=True, client=client)

    told = labels.attrs["hubframe"]
    assert metered.count("/manifests/", "GET") == 100
    assert not told["complete"]
    assert {failure["error"] for failure in told["failures"]} == {"QuotaError"}
    tags = hubframe.tags_df(REPO, client=client)
    newest = set(tags.tag[:200])
    assert set(labels.tag) == newest

    clock.ahead = SIX_HOURS + 60
    later(SIX_HOURS + 60)
    with pytest.warns(hubframe.IncompleteWarning, match="100 of what was asked for"):
        hubframe.labels_df(REPO, partial=True, client=client)
    clock.ahead = 2 * (SIX_HOURS + 60)
    later(2 * (SIX_HOURS + 60))
    whole = hubframe.labels_df(REPO, client=client)

    assert whole.attrs["hubframe"]["complete"]
    assert set(whole.tag) == set(tags.tag)
    pulls = Counter(each.path_and_query for each in metered.asked("/manifests/", "GET"))
    assert len(pulls) == 300
    assert set(pulls.values()) == {1}


def test_what_fits_through_the_registry(metered):
    with pytest.warns(hubframe.IncompleteWarning):
        layers = hubframe.layers_df(REPO, source="registry", partial=True, client=metered.client())

    assert metered.count("/manifests/", "GET") == 100
    assert 0 < layers.tag.nunique() < 600


def test_pulls_that_somebody_else_spends_meanwhile(metered):
    """The first refusal speaks for all: nobody hammers at a closed door."""
    client = metered.client()
    refusal = Reply(429, {"Content-Type": "text/plain"}, b"You have reached your pull rate limit.")
    metered.fail("/manifests/sha256", refusal, method="GET")

    with pytest.warns(hubframe.IncompleteWarning):
        labels = hubframe.labels_df(REPO, newest=60, errors="collect", client=client)

    assert len(labels) == 0
    failures = labels.attrs["hubframe"]["failures"]
    assert {failure["error"] for failure in failures} == {"RateLimitError"}
    assert metered.count("/manifests/sha256", "GET") <= client.settings.workers


def test_referrers_take_a_pull_for_each_tag_and_none_for_its_images(metered):
    client = metered.client()

    plan = hubframe.plan(REPO, "referrers", newest=120, client=client)
    hubframe.referrers_df(REPO, newest=120, client=client)

    assert metered.count("/manifests/sha256:", "GET") == plan.pulls == 60


def test_a_single_pull_is_not_worth_asking_for_the_limit(metered):
    hubframe.labels_df(f"{REPO}:1.7", client=metered.client())

    assert metered.count(PROBE) == 0


def test_without_a_limit_everything_fits(stage_of, releases):
    labels = hubframe.labels_df(REPO, client=stage_of(releases).client())

    assert labels.tag.nunique() == 230


def test_limits_that_are_told(metered):
    client = metered.client()

    limits = hubframe.limits_df(client=client).set_index("limit")

    assert list(limits.index) == ["pull", "hub"]
    assert limits.loc["pull", ["host", "allowed", "remaining", "window_seconds"]].tolist() == [
        "docker.io",
        100,
        100,
        SIX_HOURS,
    ]
    assert limits.loc["hub", "allowed"] == 180
    assert limits.loc["hub", "resets_at"] is not None
    assert metered.count("/manifests/", "GET") == 0


def test_limits_that_are_not_told(stage_of, bundled):
    limits = hubframe.limits_df(client=stage_of(bundled).client()).set_index("limit")

    assert limits.loc["pull"].drop("host").isna().all()


def test_limits_are_those_of_whoever_asks(stage_of, bundled):
    stage = stage_of(bundled, pull_limit=100)
    nobody = stage.client()
    somebody = stage.client(("acme-bot", "sample-password"))
    hubframe.labels_df("library/alpine:latest", source="registry", client=nobody)

    remaining = [
        hubframe.limits_df(client=client).set_index("limit").loc["pull", "remaining"]
        for client in (nobody, somebody)
    ]

    assert remaining == [98, 100]
