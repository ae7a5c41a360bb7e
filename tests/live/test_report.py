"""The report of a whole registry, ten images for three platforms, against brute force."""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

import hubframe
from hubframe.report import report
from tests.test_report_numbers import Beside, check

from . import images, registry

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
TAGS = {
    "team/base": ("1.0.0", "1.1.0", "latest"),
    "team/app": ("1.0.0", "1.1.0", "1.2.0", "latest"),
    "tool": ("2024.1", "2024.2", "edge"),
}
Document = dict[str, Any]


class Pusher:
    """Pushes layers, images and indexes, and remembers none of them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def blob(self, repo: str, content: bytes, media_type: str) -> Document:
        """Push a blob, and describe it."""
        described = images.descriptor(media_type, content)
        begun = requests.post(f"{self._url}/v2/{repo}/blobs/uploads/", timeout=60)
        requests.put(
            begun.headers["Location"],
            params={"digest": described["digest"]},
            data=content,
            headers={"Content-Type": "application/octet-stream"},
            timeout=60,
        ).raise_for_status()
        return described

    def document(self, repo: str, name: str, body: Document) -> bytes:
        """Push a manifest or an index."""
        content = images.encoded(body)
        requests.put(
            f"{self._url}/v2/{repo}/manifests/{name}",
            data=content,
            headers={"Content-Type": body["mediaType"]},
            timeout=60,
        ).raise_for_status()
        return content

    def image(self, repo: str, platform: str, layers: list[bytes], day: int) -> Document:
        """Push an image, and describe it as an index does."""
        described = images.platform_of(platform)
        config = {
            **described,
            "created": f"2024-03-{day:02}T10:00:00Z",
            "config": {"Labels": {"org.opencontainers.image.source": "https://example.com/a"}},
            "rootfs": {"type": "layers", "diff_ids": [images.digest_of(one) for one in layers]},
            "history": [
                {"created": f"2024-03-{day:02}T10:00:00Z", "created_by": f"RUN step {number}"}
                for number in range(len(layers))
            ],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": images.OCI_MANIFEST,
            "config": self.blob(repo, images.encoded(config), images.OCI_CONFIG),
            "layers": [
                self.blob(repo, gzip.compress(one, mtime=0), images.OCI_LAYER) for one in layers
            ],
        }
        content = images.encoded(manifest)
        self.document(repo, images.digest_of(content), manifest)
        return images.descriptor(images.OCI_MANIFEST, content, platform=described)


@pytest.fixture(scope="module")
def whole_registry(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - asked for what it checks
    """A registry with ten tags of three platforms; layers are shared, and one tag is an alias."""
    chance = random.Random(7)

    def layer() -> bytes:
        return chance.randbytes(chance.randrange(500, 5000))

    with registry.serve(tmp_path_factory.mktemp("whole")) as running:
        pusher = Pusher(running.url)
        bases = {platform: layer() for platform in PLATFORMS}
        everywhere = layer()
        for repo, tags in TAGS.items():
            for day, tag in enumerate(tags, start=1):
                entries = [
                    pusher.image(repo, platform, [bases[platform], everywhere, layer()], day)
                    for platform in PLATFORMS
                ]
                index = {
                    "schemaVersion": 2,
                    "mediaType": images.OCI_INDEX,
                    "manifests": entries,
                }
                pusher.document(repo, tag, index)
        yield running.host


def by_hand(host: str) -> dict[tuple[str, str], dict[str, int]]:
    """Ask for each tag's index and manifests: its layers and their sizes."""
    found = {}
    headers = {"Accept": f"{images.OCI_INDEX}, {images.OCI_MANIFEST}"}

    def get(path: str) -> Any:
        return requests.get(f"http://{host}/v2/{path}", headers=headers, timeout=60).json()

    for repo in get("_catalog")["repositories"]:
        for tag in get(f"{repo}/tags/list")["tags"]:
            index = get(f"{repo}/manifests/{tag}")
            found[f"{host}/{repo}", tag] = {
                layer["digest"]: layer["size"]
                for entry in index["manifests"]
                for layer in get(f"{repo}/manifests/{entry['digest']}")["layers"]
            }
    return found


@pytest.fixture(scope="module")
def folder(whole_registry: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the whole registry."""
    folder = tmp_path_factory.mktemp("of-registry")
    settings = hubframe.Settings(cache_dir=folder / "cache")
    with hubframe.Client(settings, credentials=False) as client:
        return report(whole_registry, folder / "report", client=client, progress=False).parent


def test_a_host_alone_is_reported_whole(folder: Path, whole_registry: str) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["title"] == whole_registry
    assert summary["complete"] is True
    assert summary["totals"]["repo_count"] == len(TAGS)
    assert summary["totals"]["tag_count"] == 10
    assert summary["totals"]["image_count"] == 30
    assert set(summary["scopes"].values()) == {
        "all tags",
        "tags: all tags",  # of ends of life
        "all tags but signatures, all platforms",
        "the repositories asked for",
    }
    check(folder)


def test_sizes_and_what_is_freed_are_those_of_brute_force(
    folder: Path, whole_registry: str
) -> None:
    tags = by_hand(whole_registry)
    size = {digest: size for held in tags.values() for digest, size in held.items()}
    beside = Beside(folder)
    assert beside.distinct.to_dict() == size
    assert len(beside.footprint) == len(TAGS)
    for row in beside.footprint.itertuples():
        own = {d for (repo, _), held in tags.items() if repo == row.repo for d in held}
        others = {d for (repo, _), held in tags.items() if repo != row.repo for d in held}
        assert int(row.total_size) == sum(size[one] for one in own)
        assert int(row.shared_size) == sum(size[one] for one in own & others)
        assert int(row.freed_size) == sum(size[one] for one in own - others)


def test_a_registry_without_dates_still_has_sizes_and_ages(folder: Path) -> None:
    ages = pd.read_csv(folder / "staleness.csv")
    assert ages["pushed_at"].isna().all()
    assert (ages["age_days"] > 365).all()
    assert pd.read_csv(folder / "tags.csv")["size"].isna().all()
    page = (folder / "report.html").read_text(encoding="utf-8")
    newest = page[page.index('data-table="newest"') :].partition("</table>")[0]
    assert newest.count('data-figure="size"') == newest.count('data-figure="built_at"') == 10
    assert (folder / "tags.png").exists()
    assert (folder / "staleness.png").exists()
    assert not (folder / "pulls.png").exists()
