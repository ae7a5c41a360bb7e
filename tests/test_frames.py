"""The public frames, on the bundled sample."""

import re
from io import StringIO

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.tables import TABLES
from hubframe.wire.client import default_client

pytestmark = pytest.mark.usefixtures("sample")

REPOS = [
    "library/alpine",
    "library/python",
    "ansible/ansible",
    "acme/web",
    "acme/api",
    "acme/legacy",
    "acme/charts",
    "acme/empty",
    "registry.example/team/api",
    "registry.example/team/worker/jobs",
]
OF_IMAGES = {
    "images": hubframe.images_df,
    "layers": hubframe.layers_df,
    "history": hubframe.history_df,
    "labels": hubframe.labels_df,
    "env": hubframe.env_df,
    "configs": hubframe.configs_df,
}


def every_frame():
    """Every frame of the sample, by table and the way it was asked for."""
    yield "repos", hubframe.repos_df(["library", "ansible", "acme"])
    yield "search", hubframe.search_df("ansible")
    yield "catalog", hubframe.catalog_df("registry.example")
    yield "tags", hubframe.tags_df(REPOS)
    for table, function in OF_IMAGES.items():
        yield table, function(REPOS)
        yield table, function(REPOS, platform="all", attestations=True, source="registry")


def test_every_frame_of_the_sample_keeps_its_declaration_and_reads_back_from_csv():
    for name, frame in every_frame():
        table = TABLES[name]
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == table.dtypes, name
        assert len(frame) > 2, name
        assert not frame.duplicated(list(table.key)).any(), name
        for column in table.columns:
            values = frame[column.name]
            assert column.nullable or not values.isna().any(), (name, column.name)
            if column.dtype == "str" and not column.may_be_empty:
                assert not (values == "").any(), (name, column.name)
        assert_frame_equal(frame, hubframe.read_csv(StringIO(hubframe.write_csv(frame)), name))


def test_attrs_say_where_the_rows_came_from():
    frame = hubframe.tags_df("ansible/ansible")
    said = frame.attrs["hubframe"]
    assert said["table"] == "tags"
    assert said["source"] == "hub"
    assert said["sample"] is True
    assert said["complete"] is True
    assert said["failures"] == []
    assert said["requests"] + said["from_cache"] == 1
    assert pd.Timestamp(said["fetched_at"]).tzinfo is not None


def test_hub_and_registry_agree_on_images_and_layers():
    repos = ["library/alpine", "ansible/ansible", "acme/api"]
    for function, columns in (
        (hubframe.images_df, ["repo", "tag", "platform", "image_digest", "index_digest", "size"]),
        (
            hubframe.layers_df,
            ["repo", "tag", "platform", "position", "layer_digest", "size", "instruction"],
        ),
    ):
        hub = function(repos, platform="all")[columns]
        registry = function(repos, platform="all", source="registry")[columns]
        # A registry tells no dates, so its tags stand in another order.
        order = [name for name in columns if name in ("repo", "tag", "platform", "position")]
        assert_frame_equal(
            hub.sort_values(order, ignore_index=True),
            registry.sort_values(order, ignore_index=True),
            check_like=True,
        )


def test_private_repositories_appear_with_the_login_only():
    public = hubframe.repos_df("ansible")
    with hubframe.Client(
        hubframe.Settings(sample=True), credentials=("ansible-bot", "sample-password")
    ) as client:
        both = hubframe.repos_df("ansible", client=client)
        tags = hubframe.tags_df("ansible/vault-tools", client=client)
        configs = hubframe.configs_df("ansible/vault-tools", client=client)
    assert set(both.repo) - set(public.repo) == {"ansible/vault-tools"}
    assert both.set_index("repo").is_private["ansible/vault-tools"]
    assert len(tags) > 0
    assert len(configs) == len(tags)
    with pytest.raises(hubframe.NotFoundError, match="private"):
        hubframe.tags_df("ansible/vault-tools")


def test_tags_are_newest_first_and_repositories_as_given():
    frame = hubframe.tags_df(["library/redis", "ansible/ansible", "library/redis"])
    assert frame.repo.drop_duplicates().tolist() == ["library/redis", "ansible/ansible"]
    for _, tags in frame.groupby("repo"):
        assert tags.pushed_at.dropna().is_monotonic_decreasing


def test_aliases_name_the_other_tags_of_the_digest():
    frame = hubframe.tags_df("library/debian")
    for _, row in frame.dropna(subset="aliases").iterrows():
        others = frame[(frame.digest == row.digest) & (frame.tag != row.tag)].tag
        assert row.aliases.split() == sorted(others)
    assert frame.aliases.notna().any()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("3.2*", lambda tag: tag.startswith("3.2")),
        (["3.20", "latest"], lambda tag: tag in ("3.20", "latest")),
        (re.compile(r"^3\.\d+$"), lambda tag: re.search(r"^3\.\d+$", tag)),
        (lambda tag: len(tag) == 4, lambda tag: len(tag) == 4),
    ],
)
def test_tags_are_filtered(tags, expected):
    everything = hubframe.tags_df("library/alpine").tag
    chosen = hubframe.tags_df("library/alpine", tags=tags).tag.tolist()
    assert chosen == [tag for tag in everything if expected(tag)]
    assert chosen
    assert set(hubframe.images_df("library/alpine", tags=tags).tag) == set(chosen)


def test_newest_goes_by_push_on_the_hub_and_by_version_elsewhere():
    tags = hubframe.tags_df("library/alpine")
    newest = hubframe.layers_df("library/alpine", newest=3)
    assert newest.tag.drop_duplicates().tolist() == tags.tag.head(3).tolist()
    elsewhere = hubframe.tags_df("registry.example/team/api", newest=2)
    assert elsewhere.tag.tolist() == ["2.3.0", "2.3"]


def test_digests_in_disguise_are_marked_as_tags_and_passed_over_as_images():
    tags = hubframe.tags_df("acme/web")
    disguised = tags[tags.is_digest_tag].tag.tolist()
    assert disguised
    images = hubframe.images_df("acme/web")
    assert not set(disguised) & set(images.tag)
    assert images.attrs["hubframe"]["skipped"] >= len(disguised)


def test_named_tags_come_as_given():
    frame = hubframe.tags_df(["library/alpine:3.19", "library/alpine:latest"])
    assert frame.tag.tolist() == ["3.19", "latest"]


def test_a_frame_is_an_argument():
    tags = hubframe.tags_df("library/alpine", newest=2)
    layers = hubframe.layers_df(tags)
    assert layers.tag.drop_duplicates().tolist() == tags.tag.tolist()
    joined = layers.merge(hubframe.images_df(tags), on=["repo", "tag", "platform", "image_digest"])
    assert len(joined) == len(layers)


def test_platforms():
    every = hubframe.images_df("library/alpine:latest")
    assert every.platform.nunique() > 2
    two = hubframe.layers_df("library/alpine:latest", platform=["linux/arm64", "linux/amd64"])
    assert set(two.platform) == {"linux/arm64", "linux/amd64"}
    with pytest.raises(hubframe.NoSuchPlatformError, match=r"plan9/amd64.*it has .*linux/amd64"):
        hubframe.layers_df("library/alpine:latest", platform="plan9/amd64")
    with pytest.warns(hubframe.NoMatchWarning, match=r"no tag has an image for plan9/amd64"):
        none = hubframe.layers_df("library/alpine", platform="plan9/amd64")
    assert none.empty
    assert none.attrs["hubframe"]["skipped"] > 10
    with pytest.raises(ValueError, match="not a platform"):
        hubframe.layers_df("library/alpine", platform="amd64")


def test_attestations_are_set_apart():
    usual = hubframe.images_df("library/debian:latest")
    both = hubframe.images_df("library/debian:latest", attestations=True)
    assert not usual.is_attestation.any()
    assert both.is_attestation.sum() == len(both) - len(usual) > 0
    assert (both[both.is_attestation].platform == "unknown/unknown").all()


def test_a_digest_is_a_reference():
    image = hubframe.images_df("library/alpine:latest", platform="linux/arm64").iloc[0]
    layers = hubframe.layers_df(f"library/alpine@{image.image_digest}")
    assert layers.tag.isna().all()
    assert set(layers.platform) == {"linux/arm64"}
    assert layers["size"].sum() == image["size"]


def test_labels_of_every_source():
    registry = hubframe.labels_df(["acme/web", "library/debian"], source="registry")
    assert {"config", "descriptor"} <= set(registry.source)
    free = hubframe.labels_df("acme/web", source="hub")
    assert set(free.source) <= {"history"}


def test_an_empty_repository_is_a_typed_frame_without_rows():
    for table, function in {"tags": hubframe.tags_df, **OF_IMAGES}.items():
        frame = function("acme/empty")
        assert frame.empty
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == TABLES[table].dtypes
        assert frame.attrs["hubframe"]["complete"]


@pytest.mark.parametrize("text", ["Ubuntu", "a//b", "http://x/y", "a" * 64, ""])
def test_no_reference_is_said_before_anything_is_sent(text, sample, monkeypatch):
    monkeypatch.setattr(
        sample.exchanges, "send", lambda *_, **__: pytest.fail("something was sent")
    )
    for function in (hubframe.tags_df, *OF_IMAGES.values(), hubframe.inspect, hubframe.manifest):
        with pytest.raises(hubframe.InvalidReferenceError, match="Expected") as raised:
            function(text)
        assert repr(text) in str(raised.value)


def test_what_is_not_there():
    with pytest.raises(hubframe.NotFoundError, match="private"):
        hubframe.repos_df("nobody-here")
    with pytest.raises(hubframe.NotFoundError, match="private"):
        hubframe.tags_df("ansible/nothing")
    for function in (
        hubframe.tags_df,
        *OF_IMAGES.values(),
        hubframe.inspect,
        hubframe.raw_manifest,
    ):
        with pytest.raises(hubframe.NotFoundError, match=r"no tag '3\.99'.*it does have 3\.9"):
            function("library/alpine:3.99")
    with pytest.raises(hubframe.NotFoundError, match=r"no tag '2\.3\.9'.*2\.3\."):
        hubframe.labels_df("registry.example/team/api:2.3.9")


def test_failures_are_collected_and_cost_their_own_rows_only():
    asked = ["library/alpine:latest", "ansible/nothing", "library/alpine:3.99"]
    with pytest.warns(hubframe.IncompleteWarning, match="2 of what was asked"):
        frame = hubframe.layers_df(asked, errors="collect")
    assert set(frame.tag) == {"latest"}
    said = frame.attrs["hubframe"]
    assert not said["complete"]
    assert [failure["error"] for failure in said["failures"]] == ["NotFoundError"] * 2
    assert {failure["ref"] for failure in said["failures"]} == {
        "docker.io/ansible/nothing",
        "docker.io/library/alpine:3.99",
    }
    with pytest.warns(hubframe.IncompleteWarning):
        assert len(hubframe.repos_df(["acme", "nobody-here"], errors="collect")) == 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hubframe.tags_df("nginx", errors="ignore"), "errors must be"),
        (lambda: hubframe.tags_df("nginx", newest=0), "newest must be"),
        (lambda: hubframe.tags_df("nginx", source="docker"), "source must be"),
        (lambda: hubframe.tags_df("ghcr.io/a/b", source="hub"), "not on Docker Hub"),
        (lambda: hubframe.env_df("nginx", source="hub"), "does not tell"),
        (lambda: hubframe.search_df("nginx", limit=0), "limit must be"),
        (lambda: hubframe.tags_df(f"nginx@sha256:{'0' * 64}"), "takes tags"),
        (lambda: hubframe.catalog_df("docker.io"), "no catalogue"),
    ],
)
def test_wrong_arguments_say_what_is_right(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "what",
    ["registry.hub.docker.com/ansible/ansible", "docker.io:443/ansible/ansible",
     "docker://ansible/ansible", "https://hub.docker.com/r/ansible/ansible/tags?page=1"],
)  # fmt: skip
def test_docker_hub_under_any_name_is_guarded_and_asked_as_docker_hub(what):
    assert_frame_equal(hubframe.tags_df(what), hubframe.tags_df("ansible/ansible"))
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        planned = [
            hubframe.plan(one, "labels", newest=5, client=client)
            for one in (what, "ansible/ansible")
        ]
    assert planned[0].pulls == planned[1].pulls > 0


def test_namespaces_and_registries_are_read_as_people_paste_them():
    for pasted in ("https://hub.docker.com/u/ansible", "index.docker.io/ansible"):
        assert_frame_equal(hubframe.repos_df(pasted), hubframe.repos_df("ansible"))
    for pasted in ("https://registry.example/v2/_catalog", "registry.example/"):
        assert_frame_equal(hubframe.catalog_df(pasted), hubframe.catalog_df("registry.example"))
    with pytest.raises(ValueError, match="no catalogue"):
        hubframe.catalog_df("registry.hub.docker.com")


def test_the_order_of_rows_is_the_same_every_time():
    first = hubframe.layers_df(REPOS, platform="all")
    with hubframe.Client(hubframe.Settings(sample=True, workers=3)) as client:
        second = hubframe.layers_df(REPOS, platform="all", client=client)
    assert_frame_equal(first, second)


def test_sample_switches_and_goes_back(monkeypatch):
    before = default_client()
    with hubframe.sample() as switched:
        assert "sample" in repr(switched)
        assert default_client().settings.sample
        assert default_client() is not before
    assert default_client() is before
    monkeypatch.setenv("HUBFRAME_SAMPLE", "1")
    with hubframe.Client() as client:
        assert client.settings.sample


def test_real_logins_do_not_reach_the_sample(monkeypatch):
    monkeypatch.setenv("DOCKER_USERNAME", "somebody-real")
    monkeypatch.setenv("DOCKER_PASSWORD", "their-real-password")
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        assert len(hubframe.repos_df("ansible", client=client)) == 3
    monkeypatch.setenv("DOCKER_USERNAME", "ansible-bot")
    monkeypatch.setenv("DOCKER_PASSWORD", "sample-password")
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        assert len(hubframe.repos_df("ansible", client=client)) == 4


def test_what_is_asked_for_twice_is_there_once():
    twice = ["ansible/ansible", "ansible/ansible:latest", "docker.io/ansible/ansible"]
    for table, function in {"tags": hubframe.tags_df, **OF_IMAGES}.items():
        frame = function(twice)
        assert not frame.duplicated(list(TABLES[table].key)).any()
        assert len(frame) == len(function("ansible/ansible"))


def test_references_by_digest_keep_their_place():
    images = hubframe.images_df(
        ["library/alpine:3.19", "library/alpine:latest"], platform="linux/amd64"
    )
    first, last = (f"library/alpine@{digest}" for digest in images.image_digest)
    frame = hubframe.images_df([first, "library/redis:latest", last], platform="linux/amd64")
    assert frame.image_digest.iloc[[0, -1]].tolist() == images.image_digest.tolist()
    assert frame.repo.tolist() == ["library/alpine", "library/redis", "library/alpine"]


def test_a_digest_beside_a_tag_invents_no_tag():
    digest = f"sha256:{'0' * 64}"
    with pytest.raises(hubframe.NotFoundError, match="no tag 'nosuch'"):
        hubframe.tags_df(f"library/alpine:nosuch@{digest}")


def test_a_document_of_two_repositories_comes_from_the_one_that_may_be_read():
    public = hubframe.images_df("acme/web:latest", platform="linux/amd64").iloc[0].image_digest
    asked = [f"acme/web@{public}", f"acme/billing@{public}"]
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        hubframe.configs_df(asked[0], client=client)
        frame = hubframe.configs_df(asked, client=client)
    assert len(frame) == 2  # who holds the digest may have the document


@pytest.mark.parametrize("function", ["tags_df", "provenance_df", "bases_df"])
def test_a_warning_points_at_the_line_that_called(function):
    with pytest.warns(hubframe.IncompleteWarning) as caught:
        getattr(hubframe, function)(["acme/web:latest", "acme/nothing"], errors="collect")
    assert {one.filename for one in caught} == {__file__}


def test_a_source_is_checked_before_anything_else():
    with pytest.raises(ValueError, match="source must be"):
        hubframe.images_df([], source="bogus")


def test_naming_the_hub_as_a_registry_keeps_its_login():
    login = ("ansible-bot", "sample-password")
    with hubframe.Client(hubframe.Settings(sample=True), credentials=login) as client:
        client.registry("hub.docker.com")
        assert len(hubframe.repos_df("ansible", client=client)) == 4


@pytest.mark.parametrize(
    "call",
    [
        lambda: hubframe.tags_df("nginx", newest=1.5),
        lambda: hubframe.tags_df("nginx", newest=True),
        lambda: hubframe.search_df("nginx", limit="3"),
        lambda: hubframe.search_df(None),
        lambda: hubframe.repos_df(None),
        lambda: hubframe.repos_df(b"ansible"),
        lambda: hubframe.repos_df(pd.DataFrame({"repo": ["a/b"]})),
    ],
)
def test_wrong_types_are_said(call):
    with pytest.raises(TypeError, match=r"must be|expected|no column"):
        call()


def test_a_closed_client_says_so():
    client = hubframe.Client(hubframe.Settings(sample=True))
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        hubframe.repos_df("ansible", client=client)


def test_offline_outside_wins_over_refresh_inside():
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        with hubframe.offline(), hubframe.refresh(), pytest.raises(hubframe.NotCachedError):
            hubframe.repos_df("ansible", client=client)
        hubframe.repos_df("ansible", client=client)
