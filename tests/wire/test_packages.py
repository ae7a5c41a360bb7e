"""Packages of images of Docker Hub: which evidence costs pulls, and how many."""

import pytest

import hubframe
from hubframe.testing.world import Document
from tests.contents import documents
from tests.contents.test_layers import DEBIAN, STATUS, debs
from tests.layerfiles.layers import archive, digest_of, packed

from .releases import CONFIG, LAYER, MANIFEST
from .test_attached import REPO, Attested


class Stocked(Attested):
    """Images of Debian that share a base, each with a bill of materials that BuildKit attested."""

    predicate = (documents.SPDX, documents.spdx())

    def _image(self, number, platform):
        layers = [
            self._blob(packed(archive(("etc/os-release", DEBIAN), (STATUS, debs(base="1"))))),
            self._blob(packed(archive((STATUS, debs(base="1", own=f"{number}"))))),
        ]
        told = {"os": "linux", "architecture": platform, "config": {"Labels": {"n": f"{number}"}}}
        told["rootfs"] = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
        told["history"] = [{"created_by": "ADD"}, {"created_by": "COPY"}]
        config = self._put(CONFIG, told)
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        return self._put(MANIFEST, content)

    def _blob(self, body):
        digest = digest_of(body)
        self.documents[digest] = Document(LAYER, body)
        return {"mediaType": LAYER, "digest": digest, "size": len(body)}


@pytest.fixture
def stocked(stage_of):
    """Fifty images, each under two tags."""
    return lambda *platforms: stage_of(Stocked(100, platforms).world, pull_limit=1000)


def pulls(stage):
    return stage.count("/manifests/", "GET")


def test_databases_in_layers_cost_no_pull(stocked):
    stage = stocked("amd64")
    client = stage.client()
    plan = hubframe.plan(REPO, "packages", client=client)
    assert (plan.pulls, plan.requests["layer"], plan.is_exact) == (0, 51, True)
    found = hubframe.packages_df(REPO, evidence="layers", client=client)
    assert (len(found), found["image_digest"].nunique()) == (200, 50)
    assert pulls(stage) == 0
    assert stage.count("/blobs/") == 51
    # Where nothing else is asked for, it is layers, too.
    assert hubframe.packages_df(REPO, client=client).equals(found)
    assert len(hubframe.distributions_df(REPO, client=client)) == 100
    assert (pulls(stage), stage.count("/blobs/")) == (0, 51)


# Where the tag has one platform, the Hub tells which its attestation is; else the index is read.
@pytest.mark.parametrize(("platforms", "each"), [(["amd64"], 1), (["amd64", "arm64"], 2)])
def test_documents_cost_pulls_once_and_no_layer(stocked, platforms, each):
    stage = stocked(*platforms)
    client = stage.client()
    plan = hubframe.plan(REPO, "packages", evidence="sbom", client=client)
    assert (plan.pulls, plan.size, plan.is_exact) == (50 * each, 0, False)
    assert pulls(stage) == 0
    found = hubframe.packages_df(REPO, evidence="sbom", client=client)
    assert (found["image_digest"].nunique(), set(found["evidence"])) == (50, {"sbom"})
    assert pulls(stage) == 50 * each
    again = hubframe.packages_df(REPO, evidence="sbom", client=client)
    assert again.equals(found)
    assert pulls(stage) == 50 * each
    assert found["layer_digest"].isna().all()
    layers = set(hubframe.layers_df(REPO, client=client)["layer_digest"])
    assert not [
        one for one in stage.asked("/blobs/") if one.path_and_query.rpartition("/")[2] in layers
    ]
