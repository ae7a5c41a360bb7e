"""A world with one large repository: releases of three platforms, and alias tags."""

import hashlib
import json

from hubframe.testing import World
from hubframe.testing.world import DOCKER_IO, Document, Repository, Tag

REPO = "acme/tool"
# What tells the pull limit.
PROBE = "ratelimitpreview/test"
PLATFORMS = ("amd64", "arm64", "s390x")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Releases:
    """Makes the world; every second tag is an alias of the one before it."""

    path = REPO

    def __init__(self, tag_count):
        self.documents = {}
        tags = {}
        for number in range(tag_count):
            index, images = self._release(number // 2)
            name = f"1.{number // 2}.0" if number % 2 == 0 else f"1.{number // 2}"
            tags[name] = Tag(name, index["digest"], _payload(name, number, index, images))
        repository = Repository(DOCKER_IO, self.path, False, frozenset(), {}, tags)
        probe, _ = self._release(0)
        latest = {"latest": Tag("latest", probe["digest"], {"name": "latest"})}
        repositories = {
            (DOCKER_IO, self.path): repository,
            (DOCKER_IO, PROBE): Repository(DOCKER_IO, PROBE, False, frozenset(), {}, latest),
        }
        self.world = World("2026-11-01", self.documents, repositories, {})

    def _release(self, number):
        images = [(platform, self._image(number, platform)) for platform in PLATFORMS]
        entries = [
            {**image, "platform": {"os": "linux", "architecture": platform}}
            for platform, image in images
        ]
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self._put(INDEX, content), images

    def _image(self, number, platform):
        steps = [{"created_by": step} for step in self._steps(number)]
        layers = [
            {"mediaType": LAYER, "digest": _digest(text.encode()), "size": 1000 + place}
            for place, text in enumerate((f"base {platform}", f"{number} {platform}"))
        ]
        config = self._put(
            CONFIG,
            {
                "os": "linux",
                "architecture": platform,
                "config": self._config(number, platform),
                "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
                "history": steps,
            },
        )
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        return self._put(MANIFEST, content)

    def _steps(self, number):
        return ["ADD rootfs", f"COPY v{number}"]

    def _config(self, number, platform):
        return {"Labels": {"version": f"1.{number}.0", "for": platform}}

    def _put(self, media_type, content):
        body = json.dumps(content).encode()
        digest = _digest(body)
        self.documents[digest] = Document(media_type, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}


def _digest(body):
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _payload(name, number, index, images):
    pushed = f"2026-01-01T{number // 60:02}:{number % 60:02}:00.123456Z"
    return {
        "id": number,
        "name": name,
        "digest": index["digest"],
        "media_type": INDEX,
        "content_type": "image",
        "full_size": 2001,
        "tag_status": "active",
        "last_updated": pushed,
        "tag_last_pushed": pushed,
        "tag_last_pulled": None,
        "images": [
            {
                "architecture": platform,
                "os": "linux",
                "variant": None,
                "digest": image["digest"],
                "size": 2001,
                "status": "active",
                "last_pushed": pushed,
                "last_pulled": None,
            }
            for platform, image in images
        ],
    }
