"""One platform has one spelling, whoever told it, and an index that tells none is read further."""

import pandas as pd
import pytest

import hubframe
from hubframe.oci.platforms import Platform
from hubframe.tables.shape import hub_tag
from tests import shelf

OLD = [
    {"os": "linux", "architecture": "x86_64"},
    {"os": "linux", "architecture": "aarch64", "variant": "v8"},
    {"os": "linux", "architecture": "arm", "variant": "v6"},
]


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as running:
        yield running


@pytest.fixture
def client(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "kept")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (("linux", "arm64"), "linux/arm64"),
        (("linux", "arm64", "v8"), "linux/arm64"),
        (("linux", "arm64", "8"), "linux/arm64"),
        (("linux", "aarch64"), "linux/arm64"),
        (("linux", "aarch64", "v8"), "linux/arm64"),
        (("linux", "arm64", "v9"), "linux/arm64/v9"),
        (("linux", "amd64", ""), "linux/amd64"),
        (("linux", "amd64", "v1"), "linux/amd64"),
        (("linux", "amd64", "v3"), "linux/amd64/v3"),
        (("linux", "x86_64"), "linux/amd64"),
        (("linux", "x86-64"), "linux/amd64"),
        (("Linux", "AMD64"), "linux/amd64"),
        (("linux", "i386"), "linux/386"),
        (("linux", "arm"), "linux/arm"),
        (("linux", "arm", "7"), "linux/arm/v7"),
        (("linux", "armhf"), "linux/arm/v7"),
        (("linux", "armel"), "linux/arm/v6"),
        (("linux", "arm", "v5"), "linux/arm/v5"),
        (("macos", "arm64"), "darwin/arm64"),
        (("linux", "s390x"), "linux/s390x"),
        (("unknown", "unknown"), "unknown/unknown"),
    ],
)
def test_one_platform_has_one_spelling(told, name):
    fields = dict(zip(("os", "architecture", "variant"), told, strict=False))
    assert Platform.read(fields).name == name
    assert Platform.parse("/".join(filter(None, told))).name == name


def test_an_old_index_has_the_platforms_that_others_have(registry, client):
    entries = [{**registry.image(**one), "platform": one} for one in OLD]
    registry.index("old", *entries)
    images = hubframe.images_df(f"{registry.repo}:old", client=client)
    assert images.platform.tolist() == ["linux/amd64", "linux/arm/v6", "linux/arm64"]
    assert images.architecture.tolist() == ["amd64", "arm", "arm64"]
    assert images.variant.fillna("").tolist() == ["", "v6", "v8"]

    for spelled in ("linux/arm64", "linux/arm64/v8", "linux/aarch64"):
        configs = hubframe.configs_df(f"{registry.repo}:old", platform=spelled, client=client)
        assert configs[["platform", "architecture"]].to_numpy().tolist() == [
            ["linux/arm64", "arm64"]
        ]
    twice = ["linux/arm64/v8", "linux/arm64"]
    assert len(hubframe.configs_df(f"{registry.repo}:old", platform=twice, client=client)) == 1
    assert hubframe.inspect(f"{registry.repo}:old", client=client)["Architecture"] == "x86_64"


def test_tags_of_either_spelling_lack_no_platform(registry, client):
    for tag, platform in (("1", OLD[1]), ("2", {"os": "linux", "architecture": "arm64"})):
        registry.index(tag, {**registry.image(**platform), "platform": platform})
    images = hubframe.images_df(registry.repo, client=client)
    assert hubframe.platform_coverage_df(images).is_present.all()
    assert hubframe.measure.platform_counts(images).to_numpy().tolist() == [["linux/arm64", 2]]


def test_the_hub_counts_a_platform_once():
    images = [{"os": "linux", "architecture": "arm64", "variant": v} for v in (None, "v8")]
    windows = [{"os": "windows", "architecture": "amd64", "os_version": v} for v in "12"]
    assert hub_tag({"name": "1", "images": [*images, *windows]}).platform_count == 3


def test_frames_of_older_versions_lack_no_platform_beside_new_ones(registry, client):
    for tag in ("1", "2"):
        registry.index(tag, {**registry.image(**OLD[1]), "platform": OLD[1]})
    images = hubframe.images_df(registry.repo, client=client)
    old = images.assign(platform=images.platform.where(images.tag == "1", "linux/arm64/v8"))
    told = hubframe.platform_coverage_df(old)
    pd.testing.assert_frame_equal(told, hubframe.platform_coverage_df(images))


# An index that tells no platforms


@pytest.fixture
def untold(registry):
    """An index whose entries tell no platform; two images are of the same."""
    arm = registry.image(architecture="arm64", variant="v8")
    amd, other = registry.image(), registry.image(created="2024-05-01T00:00:00Z")
    chart = registry.manifest(config=registry.put({}, "application/vnd.cncf.helm.config.v1+json"))
    registry.index("untold", arm, amd, chart, other)
    return f"{registry.repo}:untold"


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64", "linux/arm64/v8"])
def test_a_platform_of_an_index_that_tells_none_is_what_filtering_would_leave(
    untold, client, platform
):
    images = hubframe.images_df(untold, client=client)
    assert images.platform.tolist()[1:] == ["linux/amd64", "linux/amd64", "linux/arm64"]
    name = Platform.parse(platform).name
    left = images[images.platform == name].reset_index(drop=True)
    asked = hubframe.images_df(untold, platform=platform, client=client)
    pd.testing.assert_frame_equal(asked, left)
    for frame in (hubframe.layers_df, hubframe.configs_df):
        found = frame(untold, platform=platform, client=client)
        assert found.image_digest.tolist() == left.image_digest.tolist()


def test_an_index_that_tells_no_platforms_may_lack_one(untold, client):
    with pytest.raises(hubframe.NoSuchPlatformError, match="it has linux/amd64, linux/arm64"):
        hubframe.configs_df(untold, platform="linux/s390x", client=client)


def test_inspect_takes_the_first_as_skopeo_does(untold, client):
    assert hubframe.inspect(untold, client=client)["Architecture"] == "arm64"


def test_an_attestation_shows_by_its_config_where_the_index_tells_nothing(registry, client):
    registry.index("1", registry.image(), registry.image(os="unknown", architecture="unknown"))
    both = hubframe.images_df(f"{registry.repo}:1", attestations=True, client=client)
    assert both.is_attestation.tolist() == [False, True]
    assert hubframe.images_df(f"{registry.repo}:1", client=client).platform.tolist() == [
        "linux/amd64"
    ]


def test_what_could_not_be_read_is_no_platform_that_lacks(registry, client):
    lost = {"mediaType": shelf.OCI_MANIFEST, "digest": f"sha256:{'0' * 64}", "size": 9}
    registry.index("1", lost)
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.configs_df(f"{registry.repo}:1", errors="collect", client=client)
    failures = frame.attrs["hubframe"]["failures"]
    assert [one["error"] for one in failures] == ["NotFoundError"]


def test_indexes_within_indexes_are_opened_once(registry, client):
    """Their images stand under the outermost index; one that comes again is no second image."""
    first, second = registry.image(), registry.image(Labels={"an": "other"})
    inner = registry.index(None, {**first, "platform": {"os": "linux", "architecture": "amd64"}})
    second = {**second, "platform": {"os": "linux", "architecture": "arm64"}}
    outer = registry.index("1", inner, registry.index(None, second, inner))
    images = hubframe.images_df(f"{registry.repo}:1", client=client)
    assert images.platform.tolist() == ["linux/amd64", "linux/arm64"]
    assert images.image_digest.tolist() == [first["digest"], second["digest"]]
    assert set(images.index_digest) == {outer["digest"]}
    assert len(registry.asked(inner["digest"])) == 1
