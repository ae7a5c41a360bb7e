"""What publishers say of the life of their images, on a registry that a test fills, and on disk."""

import pandas as pd
import pytest

import hubframe
from hubframe.errors import IncompleteWarning
from hubframe.tables.shape import LIFECYCLE
from tests import shelf
from tests.fuzz.targets import is_declared
from tests.test_attached import EMPTY, artifact, attach, attestation, of
from tests.test_local import Layout

DATE = "vnd.microsoft.artifact.lifecycle.end-of-life.date"


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as running:
        running.referrers = {}
        yield running


@pytest.fixture
def client(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "kept")) as opened:
        yield opened


def mark(registry, subject, date):
    return attach(registry, subject, artifactType=LIFECYCLE, annotations={DATE: date})


def lives(registry, client, **how):
    found = hubframe.lifecycles_df(f"{registry.repo}:1", client=client, **how)
    is_declared(found, "lifecycles")
    assert not found.duplicated(list(hubframe.tables.LIFECYCLES.key)).any()
    return found


def unlisted(registry):
    """Answer with descriptors that have no annotations, as some registries do."""
    for entries in registry.referrers.values():
        entries[:] = [{**one, "annotations": None} for one in entries]


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2024-03-21", "2024-03-21"),
        ("2024-03-21T10:20:30.1234567Z", "2024-03-21T10:20:30.123456"),
        ("2024-03-21T22:00:00-05:00", "2024-03-22T03:00"),
    ],
)
def test_what_the_list_tells_takes_no_other_request(registry, client, written, at):
    image = registry.image("1")
    made = mark(registry, image, written)
    (row,) = lives(registry, client).itertuples()
    assert (row.tag, row.platform, row.image_digest) == ("1", "linux/amd64", image["digest"])
    assert (row.digest, row.subject_digest) == (made["digest"], image["digest"])
    assert row.eol_at == pd.Timestamp(at, tz="UTC")
    assert not registry.asked(made["digest"])
    # One list, and none of what lies deeper or of cosign's tags.
    assert len(registry.asked("/referrers/")) == 1
    assert not registry.asked("sha256-")


@pytest.mark.parametrize("has_api", [True, False])
def test_the_manifest_tells_where_the_list_does_not(registry, client, has_api):
    image = registry.image("1")
    made = mark(registry, image, "2024-03-21")
    other = attach(registry, image, artifactType="x/other", annotations={DATE: "2020-01-01"})
    untyped = mark(registry, image, "2025-01-01")
    listed = registry.referrers[image["digest"]]
    listed[2] = {**listed[2], "artifactType": EMPTY}
    unlisted(registry)
    if not has_api:
        registry.referrers = None
        registry.index(image["digest"].replace(":", "-"), *listed)
    found = lives(registry, client)
    assert found.digest.tolist() == [made["digest"], untyped["digest"]]
    assert found.eol_at.dt.year.tolist() == [2024, 2025]
    assert not registry.asked(f"/manifests/{other['digest']}")
    assert not registry.asked(f"/blobs/{made['digest']}")
    registry.log.clear()
    pd.testing.assert_frame_equal(lives(registry, client), found)
    assert registry.log == []


def test_an_artifact_of_an_index_covers_its_platforms(registry, client):
    images = [of(registry.image(architecture=one), one) for one in ("amd64", "arm64")]
    index = registry.index("1", *images)
    whole, own = mark(registry, index, "2024-03-21"), mark(registry, images[1], "2024-01-01")
    # A registry that lists it for both.
    registry.referrers[images[1]["digest"]].append(registry.referrers[index["digest"]][0])
    found = lives(registry, client, platform="all").sort_values(["platform", "eol_at"])
    assert found.platform.tolist() == ["linux/amd64", "linux/arm64", "linux/arm64"]
    assert found.digest.tolist() == [whole["digest"], own["digest"], whole["digest"]]
    assert found.subject_digest[:1].tolist() == [index["digest"]]
    assert lives(registry, client).image_digest.tolist() == [images[0]["digest"]]


def test_what_no_list_tells_the_type_of_is_read(registry, client):
    image = registry.image("1")
    made = mark(registry, image, "2024-03-21")
    attach(registry, image, artifactType="x/other", annotations={DATE: "2020-01-01"})
    listed = registry.referrers[image["digest"]]
    listed[:] = [{**one, "artifactType": EMPTY} for one in listed]
    assert lives(registry, client).digest.tolist() == [made["digest"]]


def test_attestations_are_told_of_only_where_they_are_wanted(registry, client):
    image = registry.image()
    attested = attestation(registry, image)
    index = registry.index("1", of(image, "amd64"), attested)
    mark(registry, index, "2024-03-21")
    assert lives(registry, client).image_digest.tolist() == [image["digest"]]
    # What it attests is no matter of its life.
    assert not registry.asked(f"/manifests/{attested['digest']}")
    found = lives(registry, client, attestations=True)
    assert found.image_digest.tolist() == [image["digest"], attested["digest"]]


@pytest.mark.parametrize("written", ["soon", "03/21/2024", "2024-02-30", "x" * 5_000, "", 5, None])
def test_what_is_no_date_is_null_and_said(registry, client, written):
    image = registry.image("1")
    made = mark(registry, image, written)
    with pytest.warns(IncompleteWarning):
        found = lives(registry, client)
    assert found.eol_at.isna().tolist() == [True]
    (failure,) = found.attrs["hubframe"]["failures"]
    assert failure["ref"] == f"{registry.repo}@{made['digest']}"
    assert "end of life" in failure["message"]
    assert len(failure["message"]) < 200


def test_nothing_is_found_where_nothing_is(registry, client):
    image = registry.image("1")
    bom = attach(registry, image, artifactType="application/spdx+json")
    # Of what refers to the image, and not of the image.
    mark(registry, bom, "2024-03-21")
    artifact(registry, tag=f"{image['digest'].replace(':', '-')}.sig")
    assert lives(registry, client).empty
    with pytest.raises(ValueError, match="the Hub API does not tell"):
        lives(registry, client, source="hub")


def test_a_plan_says_what_is_known(registry, client):
    image = registry.image("1")
    mark(registry, image, "2024-03-21")
    unlisted(registry)
    what = f"{registry.repo}:1"
    assert not hubframe.plan(what, "lifecycles", client=client).is_exact
    hubframe.configs_df(what, client=client)
    opened = hubframe.plan(what, "lifecycles", client=client)
    assert {kind for kind, count in opened.requests.items() if count} == {"referrers"}
    assert (opened.requests["referrers"], opened.is_exact) == (1, False)
    lives(registry, client)
    after = hubframe.plan(what, "lifecycles_df", client=client)
    assert (sum(after.requests.values()), after.is_exact) == (0, True)


def test_a_layout_on_the_disk(client, tmp_path):
    layout = Layout(tmp_path / "layout")
    image = layout.image("1")
    empty = layout.put(b"{}", EMPTY)
    more = {"artifactType": LIFECYCLE, "config": empty, "layers": [empty], "subject": image}
    marked = layout.json(shelf.OCI_MANIFEST, **more, annotations={DATE: "2024-03-21"})
    layout.add(None, marked)
    (row,) = hubframe.lifecycles_df(f"oci:{layout.path}:1", client=client).itertuples()
    assert (row.image_digest, row.digest) == (image["digest"], marked["digest"])
    assert row.eol_at == pd.Timestamp("2024-03-21", tz="UTC")


def test_an_image_that_is_given_up_is_at_its_end(registry, client):
    registry.image("1")
    registry.image("2", architecture="arm64")
    mark(registry, {"digest": registry.tags["1"]}, "2024-03-21")
    tags = hubframe.tags_df(registry.repo, tags="?", client=client)
    found = hubframe.lifecycles_df(registry.repo, tags="?", client=client)
    held = hubframe.eol_df(tags, lifecycles=found, today="2026-09-01").set_index("tag")
    assert held.is_eol.dropna().to_dict() == {"1": True}
    assert held.matched_by.dropna().to_dict() == {"1": "annotation"}
    assert held.attrs["hubframe"]["unmatched"] == 1
