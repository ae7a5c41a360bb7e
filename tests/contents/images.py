"""Images made of layers by hand: read by hubframe, and written as an OCI layout for other tools."""

import hashlib
import json
from pathlib import Path

from hubframe.oci.archives import Caps, read_archive
from hubframe.oci.contents.databases import keeping
from hubframe.oci.contents.layers import Contents, merge, read_layer

TAR = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
CAPS = Caps(bytes=2**30, entries=100_000)


def read_image(*layers: bytes) -> Contents:
    """Read an image of archives, the lowest first."""
    return merge(
        [
            read_layer(*read_archive([layer], f"layer {place}", CAPS, keeping()))
            for place, layer in enumerate(layers)
        ]
    )


def write_layout(folder: Path, *layers: bytes) -> Path:
    """Write an image as an OCI layout."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes, media_type: str) -> dict[str, object]:
        encoded = hashlib.sha256(content).hexdigest()
        (blobs / encoded).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(content)}

    described = [put(layer, TAR) for layer in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in described]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": put(json.dumps(config).encode(), CONFIG),
        "layers": described,
    }
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), MANIFEST)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder
