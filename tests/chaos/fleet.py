"""Two thousand small images, made from their numbers, and laid where a registry finds them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from tests.live.images import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, descriptor, encoded

LAYERS = [b"base", b"system", b"tool", b"application"]
AMD64 = {"architecture": "amd64", "os": "linux"}


@dataclass(frozen=True)
class Ship:
    """A tag, the index that it names, and the one image in that; nothing is shared but layers."""

    repository: str
    tag: str
    labels: dict[str, str]
    index: bytes
    manifest: bytes
    config: bytes

    @classmethod
    def build(cls, repository: str, number: int) -> Self:
        """Make the image of a number: the same bytes each time."""
        labels = {"number": str(number), "title": f"{repository} {number}"}
        layers = LAYERS[: 2 + number % 3]
        config = encoded(
            {
                "created": f"2024-{1 + number % 12:02}-{1 + number % 28:02}T07:08:09Z",
                **AMD64,
                "config": {"Labels": labels, "Env": [f"NUMBER={number}"]},
                "rootfs": {
                    "type": "layers",
                    "diff_ids": [digest_of(b"un" + one) for one in layers],
                },
                "history": [{"created_by": f"COPY {one.decode()} /"} for one in layers],
            }
        )
        manifest = encoded(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": descriptor(OCI_CONFIG, config),
                "layers": [descriptor(OCI_LAYER, one) for one in layers],
            }
        )
        named = descriptor(OCI_MANIFEST, manifest, platform=AMD64)
        index = encoded({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [named]})
        return cls(repository, f"1.{number}", labels, index, manifest, config)

    def path(self, part: str) -> str:
        """Return where a registry shows a part of it: list, tag, index, manifest or config."""
        paths = {
            "list": "tags/list",
            "tag": f"manifests/{self.tag}",
            "index": f"manifests/{digest_of(self.index)}",
            "manifest": f"manifests/{digest_of(self.manifest)}",
            "config": f"blobs/{digest_of(self.config)}",
        }
        return f"/v2/{self.repository}/{paths[part]}"


def frame(host: str, ships: Iterable[Ship]) -> pd.DataFrame:
    """Return the labels that somebody who reads images is to find, in their order."""
    rows = [
        (
            f"{host}/{ship.repository}",
            ship.tag,
            "linux/amd64",
            digest_of(ship.manifest),
            "config",
            key,
            value,
        )
        for ship in ships
        for key, value in ship.labels.items()
    ]
    columns = ["repo", "tag", "platform", "image_digest", "source", "key", "value"]
    return pd.DataFrame(rows, columns=columns, dtype="str")


def digest_of(body: bytes) -> str:
    """Return the name of a content."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def store(storage: Path, ships: Iterable[Ship]) -> None:
    """Put images where a docker-registry keeps what was pushed to it.

    Over its API that takes three times as long: it syncs each file to the disk.
    """
    root = storage / "docker/registry/v2"
    for ship in ships:
        home = root / "repositories" / ship.repository
        for blob in (ship.config, *LAYERS):
            _store_blob(root, home / "_layers", blob)
        for manifest in (ship.manifest, ship.index):
            _store_blob(root, home / "_manifests/revisions", manifest)
        tag = home / "_manifests/tags" / ship.tag
        _link(tag / "current", ship.index)
        _store_blob(root, tag / "index", ship.index)


def _store_blob(root: Path, links: Path, body: bytes) -> None:
    name = digest_of(body).removeprefix("sha256:")
    folder = root / "blobs/sha256" / name[:2] / name
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "data").write_bytes(body)
    link = links / "sha256" / name
    if not link.exists():
        _link(link, body)


def _link(folder: Path, body: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "link").write_text(digest_of(body))
