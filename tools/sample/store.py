"""The documents of the sample, byte for byte, by digest: images, indexes and artifacts as JSON.

Docker's manifests are indented by three blanks and OCI's by two, as Docker and BuildKit do.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubframe.testing import gojson
from tools.sample.image import Image, Layer, Platform
from tools.sample.seeded import digest_of, number

Descriptor = dict[str, Any]

DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SIGNED_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"
THROWAWAY_LAYER = "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"

P256_X = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
P256_Y = bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
P256_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")

PROVENANCE = "https://slsa.dev/provenance/v0.2"
PROVENANCE_1 = "https://slsa.dev/provenance/v1"
SPDX = "https://spdx.dev/Document"


@dataclass(frozen=True)
class Published:
    """What a push left behind: the document that a tag names, and the images below it."""

    digest: str
    media_type: str
    images: tuple[tuple[Platform, str, int], ...]
    content_type: str = "image"


class Store:
    """Collects documents; each method returns what points to the document it wrote."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[str, bytes]] = {}

    def put(self, media_type: str, value: Any, indent: int | None = None) -> Descriptor:
        """Keep a JSON document."""
        return self.keep(media_type, gojson.encode(value, indent))

    def keep(self, media_type: str, body: bytes, digest: str | None = None) -> Descriptor:
        """Keep a document by its bytes; only signed schema 1 has a digest of something else."""
        digest = digest or "sha256:" + hashlib.sha256(body).hexdigest()
        self.documents[digest] = (media_type, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    def parsed(self, published: Published) -> Descriptor:
        """Return what a published document says."""
        content: Descriptor = json.loads(self.documents[published.digest][1])
        return content

    def descriptor(self, published: Published) -> Descriptor:
        """Return what points to a published document."""
        media_type, body = self.documents[published.digest]
        return {"mediaType": media_type, "digest": published.digest, "size": len(body)}

    def manifest(
        self, image: Image, *, oci: bool, annotations: Mapping[str, str] | None = None
    ) -> Descriptor:
        """Keep an image's config and manifest."""
        layer_type = OCI_LAYER if oci else DOCKER_LAYER
        media_type = OCI_MANIFEST if oci else DOCKER_MANIFEST
        content: Descriptor = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": self.put(OCI_CONFIG if oci else DOCKER_CONFIG, image.config()),
            "layers": [_layer(layer, layer_type) for layer in image.layers],
        }
        if annotations:
            content["annotations"] = dict(annotations)
        for layer in image.layers:
            if layer.body:
                self.keep(layer_type, layer.body)
        return self.put(media_type, content, 2 if oci else 3)

    def index(self, entries: Sequence[Descriptor]) -> Published:
        """Publish what is described, under an index."""
        content = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}
        made = self.put(OCI_INDEX, content, 2)
        return Published(made["digest"], OCI_INDEX, ())

    def publish(
        self,
        images: Sequence[Image],
        *,
        oci: bool,
        attestation: str,
        annotations: Mapping[str, str],
    ) -> Published:
        """Publish images; ``attestation`` is "", "image" or "artifact".

        One image without an attestation stands alone, all else is under an index.
        """
        if len(images) == 1 and not attestation:
            manifest = self.manifest(images[0], oci=oci, annotations=annotations)
            below = ((images[0].platform, manifest["digest"], images[0].size),)
            return Published(manifest["digest"], manifest["mediaType"], below)
        return self._index(images, oci=oci, attestation=attestation, annotations=annotations)

    def _index(
        self,
        images: Sequence[Image],
        *,
        oci: bool,
        attestation: str,
        annotations: Mapping[str, str],
    ) -> Published:
        entries, below = [], []
        for image in images:
            manifest = self.manifest(image, oci=oci)
            entry = {**manifest, "platform": image.platform.descriptor()}
            entries.append({**entry, "annotations": dict(annotations)} if annotations else entry)
            below.append((image.platform, manifest["digest"], image.size))
        if attestation:
            attested = [self._attested(entry, attestation) for entry in list(entries)]
            entries += [entry for entry, _ in attested]
            below += [(UNKNOWN, entry["digest"], size) for entry, size in attested]
        media_type = OCI_INDEX if oci else DOCKER_INDEX
        content = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
        index = self.put(media_type, content, 2 if oci else 3)
        return Published(index["digest"], media_type, tuple(below))

    def _attested(self, image: Descriptor, kind: str) -> tuple[Descriptor, int]:
        layers = [_statement(image["digest"], predicate) for predicate in (SPDX, PROVENANCE)]
        content: Descriptor = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
        if kind == "artifact":
            subject = {name: image[name] for name in ("mediaType", "digest", "size")}
            content |= {"artifactType": ATTESTATION, "config": self.empty(), "layers": layers}
            content["subject"] = subject
        else:
            rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
            config = {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs}
            content |= {"config": self.put(OCI_CONFIG, config), "layers": layers}
        reference = {
            "vnd.docker.reference.digest": image["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        }
        entry = {**self.put(OCI_MANIFEST, content, 2), "annotations": reference}
        size = sum(layer["size"] for layer in layers)
        return {**entry, "platform": UNKNOWN.descriptor()}, size

    def empty(self) -> Descriptor:
        """Keep the config of artifacts that have none."""
        return self.put(OCI_EMPTY, {})

    def artifact(
        self,
        layers: Sequence[Descriptor],
        *,
        config: Descriptor | None = None,
        content_type: str = "unrecognized",
        **fields: Any,
    ) -> Published:
        """Publish an artifact; ``fields`` are ``artifactType``, ``subject``, ``annotations``."""
        content = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            **({"artifactType": fields.pop("artifactType")} if "artifactType" in fields else {}),
            "config": config or self.empty(),
            "layers": list(layers),
            **fields,
        }
        manifest = self.put(OCI_MANIFEST, content)
        return Published(manifest["digest"], OCI_MANIFEST, (), content_type)

    def schema_1(self, path: str, tag: str, image: Image) -> Published:
        """Publish an image as a signed Docker schema 1 manifest; its signature is a fake."""
        blobs = iter(image.layers)
        steps = [
            (THROWAWAY_LAYER if "empty_layer" in record else next(blobs).digest, record)
            for record in image.history
        ]
        compatible = _compatible(image)
        payload = gojson.encode(
            {
                "schemaVersion": 1,
                "name": path,
                "tag": tag,
                "architecture": image.platform.architecture,
                "fsLayers": [{"blobSum": digest} for digest, _ in reversed(steps)],
                "history": [{"v1Compatibility": text} for text in reversed(compatible)],
            },
            3,
        )
        digest = "sha256:" + hashlib.sha256(payload).hexdigest()
        self.keep(SIGNED_SCHEMA_1, _signed(payload), digest)
        return Published(digest, SIGNED_SCHEMA_1, ((image.platform, digest, image.size),))


UNKNOWN = Platform("unknown", "unknown")


def _layer(layer: Layer, media_type: str) -> Descriptor:
    return {"mediaType": media_type, "digest": layer.digest, "size": layer.size}


def _statement(digest: str, predicate: str) -> Descriptor:
    base = 610_000 if predicate == SPDX else 21_000
    return {
        "mediaType": IN_TOTO,
        "digest": digest_of("statement", predicate, digest),
        "size": base + number("statement", predicate, digest) % 40_000,
        "annotations": {"in-toto.io/predicate-type": predicate},
    }


def _compatible(image: Image) -> list[str]:
    """Return each step as the oldest Docker kept it, base first; the last holds the config."""
    steps: list[Descriptor] = []
    parent = ""
    for record in image.history:
        identity = digest_of("v1", parent, record["created_by"]).removeprefix("sha256:")
        fields = {
            "id": identity,
            "parent": parent,
            "created": record["created"],
            "container_config": {"Cmd": [record["created_by"]]},
            "throwaway": "empty_layer" in record,
        }
        steps.append({name: value for name, value in fields.items() if value})
        parent = identity
    whole = {name: v for name, v in image.config().items() if name not in {"history", "rootfs"}}
    steps[-1] = {**whole, **steps[-1]}
    return [gojson.encode(step).decode() for step in steps]


def _signed(payload: bytes) -> bytes:
    """Insert a JWS-shaped signature before the closing brace, as libtrust does."""
    tail = b"\n}"
    kept = payload.removesuffix(tail)
    protected = {"formatLength": len(kept), "formatTail": _base64(tail)}
    protected["time"] = "2019-03-01T00:00:00Z"
    signature = {
        "header": {"jwk": _public_key(), "alg": "ES256"},
        "signature": _base64(bytes.fromhex(digest_of("r")[7:] + digest_of("s")[7:])),
        "protected": _base64(gojson.encode(protected)),
    }
    block = gojson.encode({"signatures": [signature]}, 3).removeprefix(b"{")
    return kept + b"," + block


def _public_key() -> dict[str, str]:
    """Return the curve's base point as a key: readers check that it is a point, and its name."""
    fingerprint = hashlib.sha256(P256_PREFIX + P256_X + P256_Y).digest()[:30]
    name = base64.b32encode(fingerprint).decode()
    groups = [name[start : start + 4] for start in range(0, len(name), 4)]
    point = {"x": _base64(P256_X), "y": _base64(P256_Y)}
    return {"crv": "P-256", "kid": ":".join(groups), "kty": "EC", **point}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
