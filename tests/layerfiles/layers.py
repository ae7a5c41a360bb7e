"""Layers made by hand, and a registry in which they lie."""

import gzip
import hashlib
import io
import json
import tarfile

from hubframe.testing import Reply

TAR = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def entry(name, content=b"", kind=tarfile.REGTYPE, **fields):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def archive(*entries, form=tarfile.PAX_FORMAT):
    """Write entries, each a name with its content or what `entry` gives."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=form) as tar:
        for one in entries:
            info, content = entry(*one) if isinstance(one[0], str) else one
            tar.addfile(info, io.BytesIO(content))
    return written.getvalue()


def folder(name):
    return entry(name, kind=tarfile.DIRTYPE)


def packed(content):
    return gzip.compress(content, mtime=0)


def digest_of(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Shelf:
    """Images in a registry that answers from memory, below the faults of a stage."""

    def __init__(self, stage):
        self.stage = stage
        self.blobs = {}
        self.asked = []
        stage.fail("/blobs/", self._blob)

    def add(self, tag, *layers, media_type=f"{TAR}+gzip"):
        """Add an image of layers; return their digests."""
        digests = [self.keep(layer) for layer in layers]
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": digests},
            }
        ).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": CONFIG,
                "digest": self.keep(config),
                "size": len(config),
            },
            "layers": [
                {"mediaType": media_type, "digest": digest, "size": len(layer)}
                for digest, layer in zip(digests, layers, strict=True)
            ],
        }
        body = json.dumps(manifest).encode()
        told = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest_of(body)}
        for target in (tag, digest_of(body)):
            self.stage.fail(f"/manifests/{target}", Reply(200, told, body))
        return digests

    def keep(self, content):
        self.blobs[digest_of(content)] = content
        return digest_of(content)

    def layers_asked(self):
        return [digest for digest in self.asked if b"rootfs" not in self.blobs[digest]]

    def _blob(self, request):
        digest = request.url.rpartition("/")[2]
        if digest not in self.blobs:
            return Reply(404, {}, b'{"errors": [{"code": "BLOB_UNKNOWN"}]}')
        self.asked.append(digest)
        return Reply(200, {"Content-Type": "application/octet-stream"}, self.blobs[digest])
