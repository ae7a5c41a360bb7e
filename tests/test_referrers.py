"""What refers to images, by each of the four ways, on the bundled sample."""

import pandas as pd
import pytest

import hubframe
from hubframe.frames.referrers import fallback_tag
from hubframe.tables import REFERRERS
from hubframe.tables.shape import Referrer, referrers
from hubframe.testing import Fault, Reply, serve

pytestmark = pytest.mark.usefixtures("sample")

SPDX = "application/spdx+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def test_by_the_referrers_api():
    frame = hubframe.referrers_df("registry.example/team/api:latest")
    top = hubframe.inspect("registry.example/team/api:latest", tags=False)["Digest"]
    assert set(frame.artifact_type) == {SPDX, BUNDLE}
    assert set(frame.image_digest) == {top}
    bom = frame.set_index("artifact_type").loc[SPDX]
    assert bom.title == "api.spdx.json"
    assert bom.created_at == pd.Timestamp("2026-11-12T08:00:00Z")
    assert bom["size"] > 0


def test_by_the_tag_that_stands_in_for_the_api_and_by_cosigns_tags():
    frame = hubframe.referrers_df("acme/web:4.4.1")
    top = hubframe.inspect("acme/web:4.4.1", tags=False)["Digest"]
    about_the_index = frame[frame.image_digest == top]
    assert set(about_the_index.artifact_type) == {SPDX, BUNDLE, COSIGN}
    signature = about_the_index.set_index("artifact_type").loc[COSIGN]
    tags = hubframe.tags_df("acme/web")
    assert signature.digest == tags.set_index("tag").digest[f"{fallback_tag(top)}.sig"]


def test_by_the_attestations_of_the_index():
    frame = hubframe.referrers_df("library/debian:latest")
    images = hubframe.images_df("library/debian:latest", attestations=True)
    assert set(frame.digest) == set(images[images.is_attestation].image_digest)
    assert set(frame.image_digest) == set(images[~images.is_attestation].image_digest)
    assert set(frame.artifact_type) == {ATTESTATION}
    assert frame.title.str.contains("https://slsa.dev/provenance").all()
    old = hubframe.referrers_df("library/debian", tags="12.9")
    assert set(old.artifact_type) <= {ATTESTATION, "application/vnd.in-toto+json"}


def test_the_frame_keeps_its_declaration():
    everything = hubframe.referrers_df("acme/web")
    assert dtypes(everything) == REFERRERS.dtypes
    assert not everything.duplicated(list(REFERRERS.key)).any()
    assert everything.tag.nunique() > 3
    nothing = hubframe.referrers_df("acme/charts")
    assert nothing.empty
    assert dtypes(nothing) == REFERRERS.dtypes


@pytest.mark.parametrize(
    ("digest", "tag"),
    [
        (f"sha256:{'a' * 64}", f"sha256-{'a' * 64}"),
        (f"sha512:{'b' * 128}", f"sha512-{'b' * 64}"),
        (f"sha256+b64:{'c' * 40}", f"sha256-b64-{'c' * 40}"),
    ],
)
def test_the_tag_that_stands_in(digest, tag):
    assert fallback_tag(digest) == tag


def test_what_a_type_is_when_nothing_says():
    def kind(**manifest):
        frame = referrers([Referrer("a/b", "1", "sha256:s", {"digest": "sha256:d"}, manifest)])
        return frame.artifact_type[0]

    dummy = {"mediaType": "application/vnd.oci.empty.v1+json"}
    assert kind(artifactType="x/own", config={"mediaType": "x/config"}) == "x/own"
    assert kind(config={"mediaType": "x/config"}, layers=[{"mediaType": "x/layer"}]) == "x/config"
    assert kind(config=dummy, layers=[{"mediaType": "x/layer"}]) == "x/layer"
    assert kind(config=dummy, layers=None) == dummy["mediaType"]
    assert pd.isna(kind(config="nonsense", layers=[None, 5]))


def test_a_web_page_in_place_of_the_api_leads_to_the_tag(tmp_path):
    page = Reply(200, {"Content-Type": "text/html"}, b"<html>log in</html>")
    with serve() as served:
        served.application.faults.append(Fault(lambda r: "/referrers/" in r.path, page))
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path / "cache"
        )
        with hubframe.Client(settings) as client:
            frame = hubframe.referrers_df("acme/web:4.4.1", client=client)
    assert {SPDX, BUNDLE, COSIGN} <= set(frame.artifact_type)
