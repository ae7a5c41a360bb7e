"""What is attached to images of Docker Hub: how many pulls it takes, and that they are counted."""

import json

import pytest

import hubframe
from hubframe.testing.world import Tag
from tests.contents import documents

from .releases import INDEX, LAYER, MANIFEST, Releases

REPO = "acme/attested"
_MANIFEST = {"schemaVersion": 2, "mediaType": MANIFEST}


class Attested(Releases):
    """Releases of some platforms, each with an attestation in the index, as BuildKit makes them."""

    path = REPO
    predicate = (documents.V1, documents.buildkit())

    def __init__(self, tag_count, platforms):
        self.platforms = platforms
        super().__init__(tag_count)
        for tag in self.world.repositories["docker.io", REPO].tags.values():
            for image in tag.payload["images"]:
                image["os"] = "unknown" if image["architecture"] == "unknown" else "linux"
        self._sign("1.0")

    def _sign(self, name):
        """Sign an image as cosign does."""
        tags = self.world.repositories["docker.io", REPO].tags
        signed = tags[name].payload["images"][0]["digest"]
        payload = documents.simple_signing(signed).decode()
        layer = self._put(documents.SIMPLE, json.loads(payload))
        layer["annotations"] = {"dev.cosignproject.cosign/signature": "AAAA"}
        config = self._put(LAYER, {"of": signed})
        made = self._put(MANIFEST, {"config": config, "layers": [layer], **_MANIFEST})
        tag = f"{signed.replace(':', '-')}.sig"
        told = {**tags[name].payload, "name": tag, "digest": made["digest"], "images": []}
        tags[tag] = Tag(tag, made["digest"], told)

    def _release(self, number):
        images, entries = [], []
        for platform in self.platforms:
            image = self._image(number, platform)
            kind, predicate = self.predicate
            stated = documents.statement(kind, predicate, image["digest"])
            layer = self._put(documents.IN_TOTO, stated)
            layer["annotations"] = {"in-toto.io/predicate-type": kind}
            config = self._put(LAYER, {"number": number, "of": platform})
            made = self._put(MANIFEST, {"config": config, "layers": [layer], **_MANIFEST})
            about = {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": image["digest"],
            }
            nowhere = {"os": "unknown", "architecture": "unknown"}
            entries += [
                {**image, "platform": {"os": "linux", "architecture": platform}},
                {**made, "platform": nowhere, "annotations": about},
            ]
            images += [(platform, image), ("unknown", made)]
        return self._put(INDEX, {"mediaType": INDEX, "manifests": entries}), images


# Two tags are one image each: of 20 tags there are 10.
@pytest.mark.parametrize(
    ("platforms", "wanted", "pulls", "rows"),
    [
        # The Hub tells of one image and what is attested of it: the index is not read.
        (["amd64"], "linux/amd64", 10, 20),
        (["amd64", "arm64"], "linux/amd64", 20, 20),
        (["amd64", "arm64"], "all", 30, 40),
    ],
)
def test_pulls_of_provenance(stage_of, platforms, wanted, pulls, rows):
    stage = stage_of(Attested(20, platforms).world, pull_limit=1000)
    client = stage.client()
    plan = hubframe.plan(REPO, "provenance", platform=wanted, client=client)
    assert plan.pulls <= pulls
    assert stage.count("/manifests/", "GET") == 0
    found = hubframe.provenance_df(REPO, platform=wanted, client=client)
    assert (len(found), found.subject_matches.all()) == (rows, True)
    assert stage.count("/manifests/", "GET") == pulls
    assert found.attrs["hubframe"]["complete"]
    # Other frames of the same documents take none.
    for name in ("materials", "dockerfiles", "sboms"):
        getattr(hubframe, f"{name}_df")(REPO, platform=wanted, client=client)
    assert stage.count("/manifests/", "GET") == pulls
    # Of the signature's manifest only this frame is made; two tags are the image.
    found = hubframe.signatures_df(REPO, platform=wanted, client=client)
    assert found.kind.tolist() == ["cosign simple signing"] * 2
    assert stage.count("/manifests/", "GET") == pulls + 1


def test_what_the_hub_has_lost_is_in_the_index(stage_of):
    attested = Attested(4, ["amd64"])
    for tag in attested.world.repositories["docker.io", REPO].tags.values():
        del tag.payload["images"][1:]
    stage = stage_of(attested.world, pull_limit=1000)
    assert len(hubframe.provenance_df(REPO, client=stage.client())) == 4
    assert stage.count("/manifests/", "GET") == 4


@pytest.mark.parametrize("platforms", [["amd64"], ["amd64", "arm64"]])
def test_too_few_pulls_are_found_before_any_is_spent(stage_of, platforms):
    stage = stage_of(Attested(40, platforms).world, pull_limit=10)
    with pytest.raises(hubframe.QuotaError, match="none was spent"):
        hubframe.provenance_df(REPO, client=stage.client())
    assert stage.count("/manifests/", "GET") == 0
    with pytest.warns(hubframe.IncompleteWarning):
        found = hubframe.provenance_df(REPO, partial=True, client=stage.client())
    assert stage.count("/manifests/", "GET") <= 10
    assert 0 < len(found) < 40
