"""A registry's files, written directly: pushing 50,000 documents would take longer than reading them.

The layout is that of the distribution registry. Layers are named and not there: nobody pulls them.
"""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.collection import Release, Stored, releases


def write(root: Path, sizes: Iterable[int]) -> None:
    """Write repositories ``app-N`` of the first N releases, for each size N."""
    top = root / "docker/registry/v2"
    largest = max(sizes)
    names = []
    for release in releases(largest):
        _write_release(top, f"app-{largest}", release)
        names.append((release.tag, release.index.digest))
    for size in set(sizes):
        home = top / f"repositories/app-{size}"
        if size != largest:
            _share(home, top / f"repositories/app-{largest}")
        for tag, digest in names[:size]:
            _link(home / f"_manifests/tags/{tag}/current", digest)


def _write_release(top: Path, repository: str, release: Release) -> None:
    home = top / "repositories" / repository
    for manifest in (release.index, *(image.manifest for image in release.images)):
        _write_blob(top, manifest)
        _link(home / "_manifests/revisions" / _folder(manifest), manifest.digest)
    for image in release.images:
        _write_blob(top, image.config)
        _link(home / "_layers" / _folder(image.config), image.config.digest)


def _share(home: Path, largest: Path) -> None:
    """What the largest repository holds, the smaller ones may show too."""
    (home / "_manifests").mkdir(parents=True)
    (home / "_layers").symlink_to(largest / "_layers")
    (home / "_manifests/revisions").symlink_to(largest / "_manifests/revisions")


def _folder(document: Stored) -> str:
    return document.digest.replace(":", "/")


def _write_blob(top: Path, document: Stored) -> None:
    algorithm, _, name = document.digest.partition(":")
    folder = top / "blobs" / algorithm / name[:2] / name
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(document.body)


def _link(folder: Path, digest: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "link").write_text(digest)
