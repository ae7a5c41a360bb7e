"""What is said where something is not there, or a filter or a platform matches nothing."""

import re
import warnings

import pytest

import hubframe
from hubframe.testing import Reply

FRAMES = {
    name: getattr(hubframe, f"{name}_df")
    for name in ("tags", "images", "layers", "history", "labels", "env", "configs", "referrers")
}
CALLS = {
    **FRAMES,
    "files": hubframe.files_df,
    "plan": hubframe.plan,
    "inspect": hubframe.inspect,
    "manifest": hubframe.manifest,
    "config": hubframe.config,
    "compare": lambda what, **how: hubframe.compare_df([what, "library/alpine"], **how),
    "of the registry": lambda what, **how: hubframe.labels_df(what, source="registry", **how),
}
LISTS = "/repositories?page"
MANY = "/v2/namespaces/ansible/repositories?"


@pytest.fixture
def client(stage):
    return stage.client()


def pulls(stage):
    return [one for one in stage.asked("/manifests/", "GET") if one.status == 200]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_each_call_names_what_there_is(stage, client, call):
    has = r"ansible is a namespace, and has ansible/ansible, ansible/awx, ansible/ansible-runner"
    with pytest.raises(hubframe.NotFoundError, match=has):
        call("ansible", client=client)

    assert stage.count(MANY) == 1
    with pytest.raises(hubframe.NotFoundError, match="Closest in acme: acme/web"):
        call("acme/wbe", client=client)

    assert not pulls(stage)


@pytest.mark.parametrize("name", ["ansible:latest", "docker.io/ansible", "library/ansible"])
def test_a_namespace_is_answered_with_its_repositories(stage, client, name):
    with pytest.raises(hubframe.NotFoundError, match="ansible is a namespace, and has ansible/"):
        hubframe.tags_df(name, client=client)

    assert stage.count(MANY) == 1


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("ansible/ansibl", "Closest in ansible: ansible/ansible, ansible/ansible-runner"),
        ("ansible/ansibel:latest", "Closest in ansible: ansible/ansible"),
        ("acme/wbe", "Closest in acme: acme/web"),
        ("alpin", "Closest in library: alpine"),
        ("docker.io/library/pyton:3", "Closest in library: python"),
        ("acme/something-else", "acme is a namespace, and has acme/web, .* and 2 more"),
    ],
)
def test_a_misspelt_repository_is_answered_with_the_closest(stage, client, name, closest):
    with pytest.raises(hubframe.NotFoundError, match=closest):
        hubframe.labels_df(name, client=client)

    # A name alone may be a namespace, too.
    assert stage.count(LISTS) <= 2
    assert not pulls(stage)


@pytest.mark.parametrize("name", ["nobody-here/app", "nobody-here/app:1", "library/zzzzzz"])
def test_what_nothing_is_like_keeps_its_message(client, name):
    with pytest.raises(hubframe.NotFoundError, match=r"log in as somebody who may read it$"):
        hubframe.tags_df(name, client=client)


def test_another_registry_is_not_asked_for_its_catalogue(stage, client):
    host = stage.served.example_host
    for name in ("team/ap", "team", "api:latest"):
        with pytest.raises(hubframe.NotFoundError, match="private"):
            hubframe.labels_df(f"{host}/{name}", client=client)

    assert stage.count("_catalog") == 0
    assert stage.count("/v2/namespaces/") == 0


def test_a_document_that_is_missing_asks_for_no_list(stage, client):
    for name in ("ansible/ansible", "acme/web", f"{stage.served.example_host}/team/api"):
        with pytest.raises(hubframe.NotFoundError):
            hubframe.manifest(f"{name}@sha256:{'ab' * 32}", client=client)

    assert stage.count("repositories") == 0
    assert stage.count("tags/list") == 0


@pytest.mark.parametrize("refusal", [401, 404, 500, Reply.of_json([]), Reply.of_json({})])
def test_lists_that_are_refused_leave_the_first_error(stage, client, refusal):
    stage.fail(MANY, refusal)
    for name in ("ansible", "ansible/ansibl", "ansible/ansibl:latest"):
        with pytest.raises(hubframe.NotFoundError, match=r"log in as somebody who may read it$"):
            hubframe.tags_df(name, client=client)


def test_names_of_strangers_steer_no_terminal(stage, client):
    entries = [{"name": f"ansible\x1b[31m{mark}"} for mark in ("\u202e", "\n", "x" * 900)]
    stage.fail(MANY, Reply.of_json({"count": 3, "next": None, "results": entries}))
    for name in ("ansible", "ansible/ansible31m", "ansible/ansible31m:1"):
        with pytest.raises(hubframe.NotFoundError, match="ansible") as raised:
            hubframe.tags_df(name, client=client)
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 2000


def test_offline_nothing_is_asked(stage, client):
    for name in ("ansible", "ansible/ansibl", "library/alpine:3.99"):
        with hubframe.offline(), pytest.raises(hubframe.NotCachedError):
            hubframe.labels_df(name, client=client)

    assert stage.count() == 0


def test_collected_failures_name_the_closest_at_few_requests(stage, client):
    misspelt = [f"ansible/ansibl{number}" for number in range(40)]
    with pytest.warns(hubframe.IncompleteWarning):
        found = hubframe.tags_df([*misspelt, "acme/web"], errors="collect", client=client)

    messages = [failure["message"] for failure in found.attrs["hubframe"]["failures"]]
    assert len(messages) == 40
    assert "Closest in ansible: ansible/ansible" in messages[0]
    assert set(found["repo"]) == {"acme/web"}
    assert stage.count(MANY) == 1


def test_tags_of_several_repositories_are_answered_alike(client):
    asked = ["library/alpine:3.99", "ansible/ansible:lates", "ansible/ansibl:latest"]
    with pytest.warns(hubframe.IncompleteWarning):
        found = hubframe.images_df(asked, errors="collect", client=client)

    messages = [failure["message"] for failure in found.attrs["hubframe"]["failures"]]
    expected = ["it does have 3.9", "it does have latest", "Closest in ansible: ansible/ansible"]
    assert all(words in message for words, message in zip(expected, messages, strict=True))


FILTERS = {
    "a glob": ("99*", r"no tag matches 99\*; there are 3\."),
    "a name": ("3.99", r"no tag matches 3\.99; there are 3\.9"),
    "a list": (["98", "99.*"], r"no tag matches 98, 99\.\*; there are 3\."),
    "a pattern": (re.compile("^99"), r"no tag matches \^99; there are 3\."),
    "a function": (lambda _: False, r"no tag matches the function given; there are 3\."),
    "versions": (hubframe.versions_in(">=99"), r'no tag matches hubframe\.versions_in\(">=99"\)'),
    "an empty list": ([], r"no tag matches an empty list; there are 3\."),
}


@pytest.mark.parametrize(("tags", "said"), FILTERS.values(), ids=FILTERS)
def test_a_filter_that_matches_nothing(client, tags, said):
    for call in (hubframe.tags_df, hubframe.labels_df, hubframe.plan):
        with pytest.warns(hubframe.NoMatchWarning, match=said):
            call("library/alpine", tags=tags, client=client)


@pytest.mark.parametrize("call", [*FRAMES.values(), hubframe.files_df], ids=[*FRAMES, "files"])
def test_each_frame_warns_of_a_filter_once(client, call):
    with pytest.warns(hubframe.NoMatchWarning, match=r"no tag matches 99\*") as record:
        call(["library/alpine", "ansible/ansible"], tags="99*", client=client)

    assert len(record) == 1
    assert record[0].filename == __file__


def test_a_filter_that_matches_nothing_in_a_registry(stage, client):
    for tags in ("99*", ["9.9.9"], re.compile("nightly")):
        with pytest.warns(hubframe.NoMatchWarning, match=r"there are [v\d]"):
            hubframe.tags_df(f"{stage.served.example_host}/team/api", tags=tags, client=client)


def test_an_entry_that_matches_nothing_is_named_alone(client):
    with pytest.warns(hubframe.NoMatchWarning, match=r"no tag matches 3\.99; there are") as record:
        found = hubframe.tags_df("library/alpine", tags=["3.9", "3.99", "3.1*"], client=client)
    assert "3.9" in set(found["tag"])
    assert len(record) == 1


@pytest.mark.parametrize(
    ("repos", "how"),
    [
        (["library/alpine", "ansible/ansible"], {"tags": "latest"}),
        (["library/alpine", "acme/web"], {"tags": ["latest", "3.9*"]}),
        (["library/alpine", "acme/empty"], {"tags": "3.9"}),
        ("acme/empty", {"tags": "3.9"}),
        ("acme/empty", {"newest": 2}),
        ("library/alpine:3.9", {"tags": "99*"}),
    ],
)
def test_filters_that_match_something_are_not_warned_of(client, repos, how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hubframe.tags_df(repos, client=client, **how)
        hubframe.plan(repos, "layers", client=client, **how)


PLATFORMS = {
    "misspelt": ("linux/amd65", r"for linux/amd65; there are linux/amd64"),
    "unknown": ("plan9/amd64", r"for plan9/amd64; there are linux/amd64, linux/"),
    "several": (
        ["linux/arm65", "linux/amd65"],
        r"for linux/arm65, linux/amd65; there are linux/ar",
    ),
    "one of two": (["linux/amd64", "linux/riscv64"], r"for linux/riscv64; there are linux/"),
}


@pytest.mark.parametrize(("platform", "said"), PLATFORMS.values(), ids=PLATFORMS)
@pytest.mark.parametrize("name", ["images", "layers", "labels", "env"])
def test_a_platform_that_no_tag_has(client, name, platform, said):
    with pytest.warns(hubframe.NoMatchWarning, match=f"no tag has an image {said}") as record:
        FRAMES[name]("library/alpine", newest=3, platform=platform, client=client)

    assert len(record) == 1
    assert record[0].filename == __file__


def test_a_platform_that_no_tag_of_a_registry_has(stage, client):
    repo = f"{stage.served.example_host}/team/api"
    for platform in ("linux/amd65", "windows/amd64", ["plan9/arm"]):
        with pytest.warns(hubframe.NoMatchWarning, match=r"no tag has .* there are linux/") as said:
            found = hubframe.images_df(repo, platform=platform, client=client)
        assert found.attrs["hubframe"]["skipped"] > 0
        assert len(said) == 1


@pytest.mark.parametrize(
    ("what", "platform"),
    [
        (["library/alpine", "acme/web"], "linux/s390x"),
        ("library/alpine", ["linux/amd64", "linux/arm64"]),
        ("library/alpine", "linux/x86_64"),
        ("library/alpine", "linux/arm64/v8"),
        ("acme/charts", "linux/amd65"),
    ],
)
def test_platforms_that_there_are_and_artifacts_are_not_warned_of(client, what, platform):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hubframe.images_df(what, platform=platform, client=client)


def test_a_plan_says_it_too(client):
    for how in ({"tags": "99*"}, {"platform": "linux/amd65"}, {"tags": ["zz"]}):
        with pytest.warns(hubframe.NoMatchWarning, match=r"^plan: no tag (has|matches)"):
            hubframe.plan("library/alpine", "layers", client=client, **how)
