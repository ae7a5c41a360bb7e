"""The chain that Docker signs by, in a real registry: index, attestation manifest, bundle."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

import hubframe
from tests.contents import documents
from tests.contents.documents import BUNDLE, IN_TOTO, SIMPLE, SPDX, V1

from . import registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"


class Pushing:
    """Pushes documents into a repository."""

    def __init__(self, host: str) -> None:
        self.repo = f"{host}/team/signed"
        self._url = f"http://{host}/v2/team/signed"

    def blob(self, content: Any, media_type: str, **annotations: str) -> dict[str, Any]:
        """Push a blob, and describe it."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        described = self._described(body, media_type)
        begun = requests.post(f"{self._url}/blobs/uploads/", timeout=10)
        address = requests.models.PreparedRequest()
        address.prepare_url(begun.headers["Location"], {"digest": described["digest"]})
        requests.put(address.url, body, timeout=10).raise_for_status()
        return {**described, **({"annotations": annotations} if annotations else {})}

    def manifest(self, tag: str | None = None, media_type: str = MANIFEST, **content: Any) -> Any:
        """Push a manifest or an index, and describe it."""
        body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode()
        described = self._described(body, media_type)
        address = f"{self._url}/manifests/{tag or described['digest']}"
        headers = {"Content-Type": media_type}
        requests.put(address, body, headers=headers, timeout=10).raise_for_status()
        return described

    def _described(self, body: bytes, media_type: str) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        return {"mediaType": media_type, "digest": digest, "size": len(body)}


@pytest.fixture
def pushing(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushing]:  # noqa: ARG001 - asked for what it checks
    """An empty registry."""
    with registry.serve(tmp_path_factory.mktemp("signed")) as running:
        yield Pushing(running.host)


def test_the_chain(pushing: Pushing, client: hubframe.Client) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}
    image = pushing.manifest(config=pushing.blob(config, CONFIG), layers=[])
    digest = image["digest"]
    hint = "in-toto.io/predicate-type"
    stated = [
        pushing.blob(documents.statement(kind, predicate, digest), IN_TOTO, **{hint: kind})
        for kind, predicate in ((V1, documents.buildkit()), (SPDX, documents.spdx()))
    ]
    empty = pushing.blob({}, EMPTY)
    attestation = pushing.manifest(config=empty, layers=stated)
    about = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": digest,
    }
    nowhere = {"os": "unknown", "architecture": "unknown"}
    pushing.manifest(
        "1",
        INDEX,
        manifests=[
            {**image, "platform": {"os": "linux", "architecture": "amd64"}},
            {**attestation, "platform": nowhere, "annotations": about},
        ],
    )
    claim = documents.statement("https://example.com/signed", {}, attestation["digest"])
    bundle = {"mediaType": BUNDLE, "dsseEnvelope": documents.envelope(claim, key)}
    signature = pushing.manifest(
        artifactType=BUNDLE,
        config=empty,
        layers=[pushing.blob(bundle, BUNDLE)],
        subject=attestation,
    )
    # This registry has no list of referrers: a tag stands in for it, and cosign has its own.
    pushing.manifest(attestation["digest"].replace(":", "-"), INDEX, manifests=[signature])
    payload = documents.simple_signing(digest)
    value = documents.b64(key.sign(payload, ec.ECDSA(SHA256())))
    beside = pushing.blob(payload, SIMPLE, **{"dev.cosignproject.cosign/signature": value})
    pushing.manifest(f"{digest.replace(':', '-')}.sig", config=empty, layers=[beside])

    what = f"{pushing.repo}:1"
    found = hubframe.signatures_df(what, keys=documents.public(key), client=client)
    assert set(found.status) == {"verified"}
    assert dict(zip(found.kind, found.subject_kind, strict=True)) == {
        "sigstore bundle": "attestation",
        "cosign simple signing": "image",
    }
    assert set(found.image_digest) == {digest}
    (row,) = hubframe.provenance_df(what, client=client).itertuples()
    assert (row.image_digest, row.platform, row.subject_matches) == (digest, "linux/amd64", True)
    assert hubframe.sboms_df(what, client=client)["where"].tolist() == ["index"]
    assert hubframe.sbom(what, client=client) == documents.spdx()
    assert len(hubframe.materials_df(what, client=client)) == 5
    assert hubframe.dockerfiles_df(what, client=client).text.tolist() == [documents.DOCKERFILE]
    with hubframe.offline():
        assert hubframe.signatures_df(what, client=client).attrs["hubframe"]["requests"] == 0
