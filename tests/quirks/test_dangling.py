"""What a registry lists and does not have: tags without a manifest, indexes without their images."""

import json

import pytest

import hubframe
from tests.wire.test_algorithms import Named

from .registry import DOCUMENTS, OCI_INDEX, TAGS, Answer, Quirks, listening, refusal

GONE = "1.4-gone"
UNKNOWN = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
DANGLING = Quirks(wrap=lambda body: {**body, "tags": [*body["tags"], GONE]})
FRAMES = ("images", "layers", "history", "labels", "env", "configs")


def frame_of(name, what, client, **options):
    return getattr(hubframe, f"{name}_df")(what, client=client, **options)


@pytest.mark.parametrize("errors", ["raise", "collect"])
def test_a_dangling_tag_is_a_row_without_a_digest(running, client, errors):
    one = running(DANGLING)
    with pytest.warns(hubframe.IncompleteWarning, match=GONE):
        frame = hubframe.tags_df(one.repo, errors=errors, client=client)

    assert sorted(frame.tag) == sorted([*TAGS, GONE])
    told = frame.set_index("tag")
    assert told.digest.drop(GONE).to_dict() == DOCUMENTS.tags
    assert told.loc[GONE, ["digest", "media_type", "aliases"]].isna().all()
    assert told.aliases["latest"] == "2.1"
    said = frame.attrs["hubframe"]
    (failure,) = said["failures"]
    assert (said["complete"], failure["error"]) == (False, "NotFoundError")
    assert failure["ref"] == f"{one.repo}:{GONE}"
    assert "listed" in failure["message"]
    assert said["unknown"] == []


@pytest.mark.parametrize("name", [*FRAMES, "referrers"])
def test_the_other_tags_are_told(running, client, name):
    quirks = Quirks(wrap=DANGLING.wrap, referrers=lambda _: Answer(404))
    one = running(quirks)
    with pytest.warns(hubframe.IncompleteWarning, match=GONE):
        frame = frame_of(name, one.repo, client)

    if name != "referrers":
        assert set(frame.tag) == set(TAGS)
    assert [failure["ref"] for failure in frame.attrs["hubframe"]["failures"]] == [
        f"{one.repo}:{GONE}"
    ]


@pytest.mark.parametrize("name", ["tags", *FRAMES, "referrers"])
def test_a_tag_that_was_named_is_an_error(running, client, name):
    one = running(DANGLING)

    with pytest.raises(hubframe.NotFoundError, match=GONE):
        frame_of(name, [one.repo, f"{one.repo}:{GONE}"], client)


@pytest.mark.parametrize("name", ["tags", *FRAMES])
def test_what_is_wrong_with_the_registry_is_an_error(running, client, name):
    one = running(Quirks(instead={"/manifests/1.2": Answer(503)}))

    with pytest.raises(hubframe.TransportError, match="503"):
        frame_of(name, one.repo, client)


class Sparse(Named):
    """A registry with an index that names an image which is not there."""

    def __init__(self, *, is_empty=False):
        super().__init__("sha256")
        _, body = self.documents[self.index]
        entries = json.loads(body)["manifests"]
        self.missing = self.digest(b"gone")
        platform = {"os": "linux", "architecture": "arm64"}
        gone = {**entries[0], "digest": self.missing, "platform": platform}
        gone["annotations"] = {"build": "7"}
        if is_empty:
            entries = []
        self.index = self.add(OCI_INDEX, manifests=[*entries, gone])["digest"]


@pytest.mark.parametrize("tag", ["", ":1.0"])
def test_a_sparse_index_tells_of_the_images_that_are_missing(client, tag):
    sparse = Sparse()
    with listening(sparse.answer) as host:
        repo = f"{host}/team/app"
        with pytest.warns(hubframe.IncompleteWarning):
            images = hubframe.images_df(repo + tag, client=client)
        others = {}
        for name in FRAMES[1:]:
            with pytest.warns(hubframe.IncompleteWarning):
                others[name] = frame_of(name, repo + tag, client, platform="all")

    tags = [tag.removeprefix(":")] if tag else ["2.0", "1.0"]
    assert images.tag.drop_duplicates().tolist() == tags
    gone = images[images.platform == "linux/arm64"]
    assert gone.image_digest.tolist() == [sparse.missing] * len(tags)
    assert gone.index_digest.tolist() == [sparse.index] * len(tags)
    assert gone[["size", "layer_count", "created_at"]].isna().all(axis=None)
    there = images[images.platform == "linux/amd64"]
    assert there.layer_count.tolist() == [1] * len(tags)
    said = images.attrs["hubframe"]
    assert not said["complete"]
    assert [failure["ref"] for failure in said["failures"]] == [f"{repo}@{sparse.missing}"]
    assert set(others["configs"].platform) == {"linux/amd64"}
    assert set(others["layers"].platform) == {"linux/amd64"}
    labels = others["labels"].query("platform == 'linux/arm64'")
    assert set(zip(labels.source, labels.key, labels.value, strict=True)) == {
        ("descriptor", "build", "7")
    }


def test_an_image_that_is_all_that_was_named_is_an_error(client):
    sparse = Sparse(is_empty=True)
    with listening(sparse.answer) as host:
        reference = f"{host}/team/app:1.0"
        with pytest.warns(hubframe.IncompleteWarning):
            assert len(hubframe.images_df(reference, client=client)) == 1
        with pytest.raises(hubframe.NotFoundError, match=sparse.missing):
            hubframe.layers_df(reference, platform="linux/arm64", client=client)
        with pytest.warns(hubframe.IncompleteWarning):
            assert hubframe.layers_df(f"{host}/team/app", platform="all", client=client).empty


def test_a_config_that_is_missing_costs_its_own_rows(running, client):
    one = running(Quirks(instead={"/blobs/": UNKNOWN}))

    with pytest.warns(hubframe.IncompleteWarning):
        assert hubframe.configs_df(one.repo, client=client).empty
    with pytest.raises(hubframe.NotFoundError):
        hubframe.configs_df(f"{one.repo}:1.0", client=client)
