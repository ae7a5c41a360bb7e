"""What refers to what, on a registry that a test fills: types, distances, and what is asked."""

import pandas as pd
import pytest

import hubframe
from hubframe.frames import referrers
from tests import shelf

EMPTY = "application/vnd.oci.empty.v1+json"
OCI_CONFIG = shelf.OCI_CONFIG
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "dev.sigstore.bundle.predicateType"
SPDX = "application/spdx+json"
COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"
PROVENANCE, SIGNATURE = "https://slsa.dev/provenance/v1", "https://sigstore.dev/cosign/sign/v1"


FAR = pytest.mark.filterwarnings("ignore::hubframe.IncompleteWarning")


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as running:
        yield running


@pytest.fixture
def client(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "kept")) as opened:
        yield opened


def artifact(registry, tag=None, *, config=EMPTY, layer=SPDX, **content):
    """Hold an artifact; its name makes it another one than all others."""
    layers = [registry.put({"a": "layer"}, layer)] if layer else []
    return registry.manifest(tag, config=registry.put({}, config), layers=layers, **content)


def named(descriptor):
    return {name: descriptor[name] for name in ("digest", "mediaType", "size")}


def found(registry, client, tag="1", **how):
    return hubframe.referrers_df(f"{registry.repo}:{tag}", client=client, **how)


@pytest.mark.parametrize("told", [EMPTY, OCI_CONFIG, DOCKER_CONFIG, None, ""])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"artifactType": "x/own", "config": "x/config"}, "x/own"),
        ({"config": "x/config"}, "x/config"),
        ({"artifactType": EMPTY, "layer": "x/layer"}, "x/layer"),
        ({"artifactType": EMPTY, "config": DOCKER_CONFIG, "layer": "x/layer"}, "x/layer"),
        ({"layer": EMPTY, "annotations": {PREDICATE: PROVENANCE}}, BUNDLE),
    ],
)
def test_a_type_that_says_nothing_is_looked_up(registry, client, told, content, kind):
    image = registry.image("1")
    one = artifact(registry, **content)
    registry.referrers = {image["digest"]: [{**one, "artifactType": told}]}
    frame = found(registry, client)
    assert frame.artifact_type.tolist() == [kind]
    assert frame["size"].tolist() == [one["size"]]


def test_a_type_that_says_something_costs_no_manifest(registry, client):
    image = registry.image("1")
    one = artifact(registry)
    registry.referrers = {image["digest"]: [{**one, "artifactType": SPDX}]}
    assert found(registry, client).artifact_type.tolist() == [SPDX]
    assert not registry.asked(f"/manifests/{one['digest']}")


def test_bundles_are_told_apart_by_what_they_state(registry, client):
    image = registry.image("1")
    provenance, signature = (
        artifact(registry, artifactType=BUNDLE, annotations={PREDICATE: predicate})
        for predicate in (PROVENANCE, SIGNATURE)
    )
    registry.referrers = {
        image["digest"]: [
            # Not all registries repeat the annotations, and some not the type.
            {**provenance, "artifactType": EMPTY},
            {**signature, "artifactType": BUNDLE, "annotations": {PREDICATE: SIGNATURE}},
        ]
    }
    frame = found(registry, client).set_index("digest")
    assert frame.artifact_type.tolist() == [BUNDLE, BUNDLE]
    assert frame.title[provenance["digest"]] == PROVENANCE
    assert frame.title[signature["digest"]] == SIGNATURE
    assert not registry.asked(f"/manifests/{signature['digest']}")


@pytest.mark.parametrize("has_api", [True, False])
def test_no_list_of_tags_is_asked_for(registry, client, has_api):
    image = registry.image("1")
    digest = image["digest"].replace(":", "-")
    bom = artifact(registry, artifactType=SPDX)
    if has_api:
        registry.referrers = {image["digest"]: [bom]}
    else:
        registry.index(digest, bom)
    artifact(registry, f"{digest}.sig", config=OCI_CONFIG, layer=COSIGN)
    artifact(registry, f"{digest}.sbom", layer="text/spdx", config=OCI_CONFIG)
    frame = found(registry, client)
    assert set(frame.artifact_type) == {SPDX, COSIGN, "text/spdx"}
    assert not registry.asked("/tags/list")


@pytest.fixture
def signed(registry):
    """An image with an attestation in its index, as Docker's own have, and what refers to that."""
    image = registry.image()
    attestation = artifact(registry, layer="application/vnd.in-toto+json")
    about = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image["digest"],
    }
    nowhere = {"os": "unknown", "architecture": "unknown"}
    registry.index(
        "1",
        {**image, "platform": {"os": "linux", "architecture": "amd64"}},
        {**attestation, "platform": nowhere, "annotations": about},
    )
    chain = [attestation["digest"]]
    registry.referrers = {}
    for step in range(2, 7):
        one = artifact(registry, artifactType=f"x/step-{step}", annotations={"step": str(step)})
        registry.referrers[chain[-1]] = [{**one, "artifactType": f"x/step-{step}"}]
        chain.append(one["digest"])
    return image["digest"], chain


def test_what_refers_to_referrers_is_found_four_steps_away(registry, client, signed):
    image, chain = signed
    with pytest.warns(hubframe.IncompleteWarning):
        frame = found(registry, client)
    (failure,) = frame.attrs["hubframe"]["failures"]
    assert failure["message"] == "what is 4 steps away is not followed further"
    assert frame.digest.tolist() == chain[:4]
    assert frame.depth.tolist() == [1, 2, 3, 4]
    assert frame.subject_digest.tolist() == [image, *chain[:3]]
    assert set(frame.image_digest) == {image}
    assert (frame.artifact_type[1:] == ["x/step-2", "x/step-3", "x/step-4"]).all()


@FAR
def test_without_the_api_each_step_has_a_tag_of_its_own(registry, client, signed):
    _, chain = signed
    for subject, entries in registry.referrers.items():
        registry.index(subject.replace(":", "-"), *entries)
    registry.referrers = None
    artifact(registry, f"{chain[0].replace(':', '-')}.sig", config=OCI_CONFIG, layer=COSIGN)
    frame = found(registry, client)
    assert frame.depth.tolist() == [1, 2, 2, 3, 4]
    assert frame[frame.artifact_type == COSIGN].subject_digest.tolist() == chain[:1]
    assert not registry.asked("/tags/list")


def test_circles_end_and_count_once(registry, client):
    image = registry.image("1")
    one, other = (artifact(registry, artifactType=kind) for kind in ("x/one", "x/other"))
    every = [
        {**named(one), "artifactType": "x/one"},
        {**named(other), "artifactType": "x/other"},
        {**named(image), "artifactType": "x/image"},
    ]
    registry.referrers = {
        image["digest"]: every[:1],
        one["digest"]: every,
        other["digest"]: every,
    }
    frame = found(registry, client)
    assert frame[["artifact_type", "depth"]].to_numpy().tolist() == [["x/one", 1], ["x/other", 2]]
    assert len(registry.asked("/referrers/")) == 3


def test_an_artifact_of_two_images_is_told_of_both(registry, client):
    images = [
        {**registry.image(architecture=one), "platform": {"os": "linux", "architecture": one}}
        for one in ("amd64", "arm64")
    ]
    registry.index("1", *images)
    one = {**artifact(registry, artifactType=SPDX), "artifactType": SPDX}
    registry.referrers = {image["digest"]: [one] for image in images}
    frame = found(registry, client)
    assert frame.image_digest.tolist() == [image["digest"] for image in images]
    assert not frame.duplicated(["repo", "tag", "image_digest", "digest"]).any()


@FAR
@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize("has_api", [True, False])
def test_what_is_not_there_is_remembered_too(registry, client, tmp_path, has_api):
    if not has_api:
        registry.referrers = None
    first = found(registry, client)
    registry.log.clear()
    pd.testing.assert_frame_equal(found(registry, client), first)
    assert registry.log == []
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "kept", offline=True)) as off:
        pd.testing.assert_frame_equal(found(registry, off), first)
    with hubframe.refresh():
        found(registry, client)
    assert registry.asked(".sig")


def test_a_tag_that_comes_later_is_found(registry, client):
    image = registry.image("1")
    assert found(registry, client).empty
    artifact(registry, f"{image['digest'].replace(':', '-')}.sig", config=OCI_CONFIG, layer=COSIGN)
    with hubframe.refresh():
        assert found(registry, client).artifact_type.tolist() == [COSIGN]
    assert found(registry, client).artifact_type.tolist() == [COSIGN]


def test_an_artifact_that_is_gone_costs_its_type_alone(registry, client):
    image = registry.image("1")
    gone = {"digest": f"sha256:{'0' * 64}", "mediaType": shelf.OCI_MANIFEST, "artifactType": EMPTY}
    bom = {**artifact(registry, artifactType=SPDX), "artifactType": SPDX}
    registry.referrers = {image["digest"]: [gone, bom]}
    with pytest.raises(hubframe.NotFoundError):
        found(registry, client)
    with pytest.warns(hubframe.IncompleteWarning):
        frame = found(registry, client, errors="collect")
    assert frame.artifact_type.fillna("").tolist() == ["", SPDX]
    assert [one["error"] for one in frame.attrs["hubframe"]["failures"]] == ["NotFoundError"]


def test_more_than_anyone_has_is_refused(registry, client, monkeypatch):
    monkeypatch.setattr(referrers, "MOST", 3)
    image = registry.image("1")
    many = [artifact(registry, artifactType=f"x/{number}") for number in range(4)]
    registry.referrers = {image["digest"]: [{**one, "artifactType": SPDX} for one in many]}
    with pytest.raises(hubframe.PayloadError, match="more than 3 artifacts refer to"):
        found(registry, client)


@FAR
@pytest.mark.usefixtures("signed")
def test_a_plan_says_what_is_known(registry, client):
    what = f"{registry.repo}:1"
    before = hubframe.plan(what, "referrers", client=client)
    assert (before.requests["manifest"], before.is_exact) == (1, False)
    hubframe.manifest(what, client=client)
    opened = hubframe.plan(what, "referrers", client=client)
    # The index and its image: a list and three tags of cosign's for each; and the manifest of
    # the attestation that the index tells of.
    assert (opened.requests["referrers"], opened.requests["manifest"]) == (8, 1)
    assert not opened.is_exact
    found(registry, client)
    after = hubframe.plan(what, "referrers", client=client)
    assert sum(after.requests.values()) == 0
    assert after.is_exact
