"""Images on the disk: what a layout may hold, and what it must not lead to."""

import bz2
import doctest
import gzip
import hashlib
import io
import json
import lzma
import re
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import hubframe
from hubframe.errors import (
    DigestMismatchError,
    HubframeError,
    InvalidReferenceError,
    NotFoundError,
    PayloadError,
)
from hubframe.report import report

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"
CONTAINERD = "io.containerd.image.name"


class Layout:
    """An OCI image layout, written by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, Any]] = []
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def put(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Add a blob, and describe it."""
        encoded = hashlib.sha256(content).hexdigest()
        (self.path / "blobs/sha256" / encoded).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(content)}

    def json(self, media_type: str, **body: Any) -> dict[str, Any]:
        """Add a document, and describe it."""
        return self.put(
            json.dumps({"schemaVersion": 2, "mediaType": media_type, **body}).encode(), media_type
        )

    def image(self, name: str | None, text: str = "hello", **more: Any) -> dict[str, Any]:
        """Add an image of one file."""
        layer = self.put(archive({"motd": text.encode()}), LAYER)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"text": text}},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
            "history": [{"created_by": f"COPY {text}"}],
        }
        described = self.put(json.dumps(config).encode(), CONFIG)
        return self.add(name, self.json(MANIFEST, config=described, layers=[layer], **more))

    def add(self, name: str | None, entry: dict[str, Any], key: str = NAME) -> dict[str, Any]:
        """Name something in the index."""
        self.entries.append({**entry, **({"annotations": {key: name}} if name else {})})
        body = json.dumps({"schemaVersion": 2, "manifests": self.entries})
        (self.path / "index.json").write_text(body)
        return entry

    def packed(self, path: Path) -> Path:
        """Write it as an archive."""
        with tarfile.open(path, "w") as tar:
            tar.add(self.path, ".")
        return path


def archive(files: dict[str, bytes]) -> bytes:
    """Make a tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty layout."""
    return Layout(tmp_path / "layout")


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """A client without a network."""
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache", offline=True)) as made:
        yield made


def test_names_and_images_without_one(layout, client) -> None:
    layout.image("1.0", "one")
    layout.image("1.10", "two")
    unnamed = layout.image(None, "three")
    what = f"oci:{layout.path}"
    tags = hubframe.tags_df(what, client=client)
    assert tags["tag"].tolist() == ["1.10", "1.0"]
    assert tags["version"].tolist() == ["1.10", "1.0"]
    assert tags["repo"].unique().tolist() == [what]
    labels = hubframe.labels_df(what, client=client)
    assert labels["value"].tolist() == ["two", "one", "three"]
    assert labels["tag"].tolist()[:2] == ["1.10", "1.0"]
    assert labels["tag"].isna().tolist() == [False, False, True]
    assert hubframe.labels_df(what, newest=1, client=client)["value"].tolist() == ["two"]
    assert hubframe.labels_df(what, tags="1.0", client=client)["value"].tolist() == ["one"]
    by_digest = f"{what}@{unnamed['digest']}"
    assert hubframe.labels_df(by_digest, client=client)["value"].tolist() == ["three"]
    assert hubframe.labels_df(f"{what}@0", client=client)["value"].tolist() == ["one"]
    # A frame of such rows asks for the same again.
    assert hubframe.env_df(tags, client=client).empty
    again = hubframe.labels_df(labels, client=client)
    assert again["value"].tolist() == ["two", "one", "three"]


def test_relative_paths_and_home(layout, client, monkeypatch) -> None:
    layout.image("1.0")
    monkeypatch.chdir(layout.path.parent)
    monkeypatch.setenv("HOME", str(layout.path.parent))
    monkeypatch.setenv("USERPROFILE", str(layout.path.parent))
    for written in ("oci:layout", "oci:./layout:1.0", "oci:~/layout:1.0"):
        assert hubframe.labels_df(written, client=client)["repo"].tolist() == [f"oci:{layout.path}"]


def test_the_only_image_needs_no_name(layout, client) -> None:
    image = layout.image("1.0", "one")
    assert hubframe.inspect(f"oci:{layout.path}", client=client)["Digest"] == image["digest"]
    layout.image("2.0", "two")
    with pytest.raises(PayloadError, match=r"may be each of 2 images.*1\.0, 2\.0"):
        hubframe.inspect(f"oci:{layout.path}", client=client)


def test_two_images_of_one_name(layout, client) -> None:
    layout.image("1.0", "one")
    layout.image("1.0", "two")
    with pytest.raises(PayloadError, match="may be each of 2 images"):
        hubframe.labels_df(f"oci:{layout.path}:1.0", client=client)


def test_what_changes_is_seen(layout, client) -> None:
    layout.image("1.0", "one")
    what = f"oci:{layout.path}"
    assert len(hubframe.labels_df(what, client=client)) == 1
    layout.image("2.0", "two")
    assert hubframe.labels_df(what, client=client)["value"].tolist() == ["two", "one"]
    assert not hubframe.labels_df(what, client=client).attrs["hubframe"]["from_cache"]


def test_nothing_is_asked_of_a_network(layout, client) -> None:
    layout.image("1.0")
    plan = hubframe.plan(f"oci:{layout.path}", "labels", client=client)
    assert (sum(plan.requests.values()), plan.pulls) == (0, 0)
    frame = hubframe.labels_df(f"oci:{layout.path}", client=client)
    told = frame.attrs["hubframe"]
    assert (told["source"], told["requests"], told["complete"]) == ("local", 0, True)


def test_referrers(layout, client) -> None:
    image = layout.image("1.0")
    body = layout.put(b'{"signed": true}', "application/example")
    empty = layout.put(b"{}", "application/vnd.oci.empty.v1+json")
    signature = layout.json(
        MANIFEST, artifactType="application/signature", config=empty, layers=[body], subject=image
    )
    layout.add(None, signature)
    found = hubframe.referrers_df(f"oci:{layout.path}:1.0", client=client)
    assert found["digest"].tolist() == [signature["digest"]]
    assert found["artifact_type"].tolist() == ["application/signature"]
    # It is no image of its own.
    assert len(hubframe.images_df(f"oci:{layout.path}", client=client)) == 1
    tag = image["digest"].replace(":", "-")
    layout.add(f"{tag}.sig", layout.json(MANIFEST, config=empty, layers=[body]))
    assert len(hubframe.referrers_df(f"oci:{layout.path}:1.0", client=client)) == 2


def test_files_and_sizes(layout, client) -> None:
    layout.image("1.0", "hello")
    for what in (
        f"oci:{layout.path}",
        f"oci-archive:{layout.packed(layout.path.parent / 'a.tar')}",
    ):
        files = hubframe.files_df(what, client=client)
        assert files[["path", "size"]].to_numpy().tolist() == [["motd", 5]]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_archive(layout, client, pack) -> None:
    layout.image("1.0")
    whole = layout.packed(layout.path.parent / "a.tar").read_bytes()
    packed = layout.path.parent / "a.tar.packed"
    # In two parts, as tools do that pack side by side.
    body = pack(whole[:3000]) + pack(whole[3000:])
    packed.write_bytes(body)
    assert len(hubframe.labels_df(f"oci-archive:{packed}:1.0", client=client)) == 1
    for damaged, words in (
        (body[:-9], "ends in the middle"),
        (body[:40] + bytes(99) + body[139:], "unpacked"),
    ):
        packed.write_bytes(damaged)
        with pytest.raises(PayloadError, match=words):
            hubframe.labels_df(f"oci-archive:{packed}:1.0", client=client)


def test_docker_save_with_an_index(layout, client) -> None:
    """Since version 25 its archive is an OCI layout too, whose digests are better."""
    image = layout.image(None, "one")
    layout.entries.clear()
    layout.add("docker.io/acme/app:1.0", image, "io.containerd.image.name")
    (layout.path / "manifest.json").write_text('[{"Config": "x", "RepoTags": [], "Layers": []}]')
    saved = layout.packed(layout.path.parent / "saved.tar")
    for end in ("", ":acme/app:1.0", ":docker.io/acme/app:1.0", ":1.0"):
        images = hubframe.images_df(f"docker-archive:{saved}{end}", client=client)
        assert images["image_digest"].tolist() == [image["digest"]]


def test_docker_save_of_repositories_with_the_same_tag(layout, client) -> None:
    """It tells tags by one annotation, and whole names by another."""
    entries = []
    for repo, text in (("library/a", "one"), ("library/b", "two"), ("library/c", "two")):
        names = {CONTAINERD: f"docker.io/{repo}:latest", NAME: "latest"}
        entries.append({**layout.image(None, text), "annotations": names})
    index = json.dumps({"schemaVersion": 2, "manifests": entries})
    (layout.path / "index.json").write_text(index)
    saved = f"docker-archive:{layout.packed(layout.path.parent / 'saved.tar')}"
    labels = hubframe.labels_df(saved, client=client)
    assert dict(zip(labels["tag"], labels["value"], strict=True)) == {
        "docker.io/library/a:latest": "one",
        "docker.io/library/b:latest": "two",
        "docker.io/library/c:latest": "two",
    }
    for name in ("a", "a:latest", "docker.io/library/a:latest"):
        labels = hubframe.labels_df(f"{saved}:{name}", client=client)
        assert labels["value"].tolist() == ["one"]
    with pytest.raises(PayloadError, match="may be each of 2 images"):
        hubframe.labels_df(f"{saved}:latest", client=client)
    (layout.path / "index.json").write_text(
        index.replace("latest", "1", 1).replace("latest", "1", 1)
    )
    tags = hubframe.tags_df(f"oci:{layout.path}", client=client)["tag"]
    assert sorted(tags) == ["1", "docker.io/library/b:latest", "docker.io/library/c:latest"]
    for name in ("a:1", "1"):
        labels = hubframe.labels_df(f"oci:{layout.path}:{name}", client=client)
        assert labels["value"].tolist() == ["one"]


def _saved(path: Path, links: dict[str, str] | None = None, layer: bytes | None = None) -> Path:
    """Write an archive as docker save did before version 25."""
    content = archive({"motd": b"hello"}) if layer is None else layer
    config = {
        "architecture": "arm64",
        "os": "linux",
        "config": {"Env": ["A=1"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]},
    }
    told = [
        {"Config": "c.json", "RepoTags": ["app:1.0", "app:latest"], "Layers": ["abc/layer.tar"]}
    ]
    with tarfile.open(path, "w") as tar:
        files = {"manifest.json": json.dumps(told).encode(), "c.json": json.dumps(config).encode()}
        for name, body in (files | ({} if links else {"abc/layer.tar": content})).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
        if links:
            entry = tarfile.TarInfo("real.tar")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return path


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'[{"Config"', b'[{"Config', "not JSON"),
        (b'["app:1.0", "app:latest"]', b"5                        ", None),
        (b'["abc/layer.tar"]', b"7                ", None),
        (b"00000000004\0", b"\x80" + b"\xff" * 11, "no tar archive"),
    ],
)
def test_a_damaged_docker_save(tmp_path, client, before, after, words) -> None:
    saved = _saved(tmp_path / "a.tar", layer=b"none")
    body = bytearray(saved.read_bytes().replace(before, after.ljust(len(before))))
    for at in range(0, len(body), 512):
        if body[at + 257 : at + 262] == b"ustar":
            # What tells that a header is whole.
            body[at + 148 : at + 156] = b" " * 8
            body[at + 148 : at + 156] = b"%06o\0 " % sum(body[at : at + 512])
    saved.write_bytes(body)
    what = f"docker-archive:{saved}"
    if words is None:
        assert len(hubframe.images_df(what, client=client)) > 0
        return
    with pytest.raises(PayloadError, match=words):
        hubframe.images_df(what, client=client)


@pytest.mark.parametrize("links", [None, {"abc/layer.tar": "../real.tar"}])
def test_an_old_docker_save(tmp_path, client, links) -> None:
    what = f"docker-archive:{_saved(tmp_path / 'a.tar', links)}"
    images = hubframe.images_df(what, client=client)
    assert images["tag"].tolist() == ["app:1.0", "app:latest"]
    assert images["platform"].tolist() == ["linux/arm64"] * 2
    assert images["media_type"].isna().all()
    layers = hubframe.layers_df(f"{what}:app:1.0", client=client)
    assert layers["layer_digest"].tolist() == layers["diff_id"].tolist()
    assert hubframe.files_df(f"{what}:app:1.0", client=client)["path"].tolist() == ["motd"]
    assert hubframe.env_df(f"{what}:1.0", client=client)["value"].tolist() == ["1"]


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/etc/passwd", "layer.tar"])
def test_links_lead_nowhere_else(tmp_path, client, target) -> None:
    what = f"docker-archive:{_saved(tmp_path / 'a.tar', {'abc/layer.tar': target})}"
    with pytest.raises(HubframeError):
        hubframe.files_df(f"{what}:app:1.0", client=client)


def test_a_link_out_of_a_folder(layout, client, tmp_path) -> None:
    image = layout.image("1.0")
    blob = layout.path / "blobs/sha256" / image["digest"].partition(":")[2]
    outside = tmp_path / "outside"
    outside.write_bytes(blob.read_bytes())
    blob.unlink()
    blob.symlink_to(outside)
    with pytest.raises(PayloadError, match="out of the folder"):
        hubframe.labels_df(f"oci:{layout.path}:1.0", client=client)


def test_damage_is_told(layout, client) -> None:
    image = layout.image("1.0")
    blob = layout.path / "blobs/sha256" / image["digest"].partition(":")[2]
    body = blob.read_bytes()
    blob.write_bytes(body + b" ")
    with pytest.raises(DigestMismatchError):
        hubframe.labels_df(f"oci:{layout.path}:1.0", client=client)
    blob.unlink()
    with pytest.raises(NotFoundError, match="is not there"):
        hubframe.labels_df(f"oci:{layout.path}:1.0", client=client)
    layout.image("2.0", "two")
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.labels_df(f"oci:{layout.path}", errors="collect", client=client)
    assert frame["value"].tolist() == ["two"]


@pytest.mark.parametrize("transport", ["oci", "oci-archive", "docker-archive", "dir"])
def test_what_is_not_there(tmp_path, client, transport) -> None:
    with pytest.raises(NotFoundError, match=f"{transport}: is for"):
        hubframe.labels_df(f"{transport}:{tmp_path}/none", client=client)
    (tmp_path / "file").write_bytes(b"no archive")
    with pytest.raises(HubframeError):
        hubframe.labels_df(f"{transport}:{tmp_path}/file", client=client)


def test_what_another_transport_reads(layout, client, tmp_path) -> None:
    layout.image("1.0")
    path = layout.packed(tmp_path / "a.tar")
    for written, called in [
        (f"oci-archive:{layout.path}", f"What is there is oci:{layout.path}"),
        (f"dir:{layout.path}", f"What is there is oci:{layout.path}"),
        (f"oci:{path}", f"What is there is docker-archive:{path}"),
    ]:
        with pytest.raises(NotFoundError, match=re.escape(called)):
            hubframe.tags_df(written, client=client)
    assert hubframe.tags_df(f"docker-archive://{path}", client=client)["tag"].tolist() == ["1.0"]


@pytest.mark.parametrize(
    "text",
    ["./app.tar", "../app", ".", "/srv/app", "~/app", r"C:\app", "file:///srv/app", "dir://app",
     "containers-storage:localhost/app:1"],
)  # fmt: skip
def test_a_path_alone_is_told_what_goes_before_it(text) -> None:
    with pytest.raises(InvalidReferenceError, match="docker-archive:FILE"):
        hubframe.ImageReference.parse(text)


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"[]",
        b"{}",
        b'{"manifests": 3}',
        b'{"manifests": [{"digest": "../../x"}]}',
        b"\xff" * 99,
    ],
)
def test_an_index_of_anything(layout, client, index) -> None:
    (layout.path / "index.json").write_bytes(index)
    # Nothing else may come of it, and no image.
    with suppress(HubframeError):
        assert hubframe.images_df(f"oci:{layout.path}", client=client).empty


def test_a_missing_name_names_the_closest(layout, client) -> None:
    layout.image("1.0.1")
    with pytest.raises(NotFoundError, match=r"1\.0\.1"):
        hubframe.labels_df(f"oci:{layout.path}:1.0.2", client=client)


def test_a_large_archive_is_read_in_its_place(layout, client, tmp_path) -> None:
    layout.image("1.0")
    path = layout.packed(tmp_path / "a.tar")
    with tarfile.open(path, "a") as tar:
        for number in range(20_000):
            entry = tarfile.TarInfo(f"blobs/sha256/{number:064x}")
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
    before = path.stat()
    assert len(hubframe.labels_df(f"oci-archive:{path}", client=client)) == 1
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.tar", "cache", "layout"]


def test_a_name_is_read_once_however_many_images_there_are(layout, client, monkeypatch) -> None:
    for number in range(50):
        layout.image(f"1.{number}")
    parse, read = hubframe.ImageReference.parse, []
    monkeypatch.setattr(
        hubframe.ImageReference, "parse", lambda text: read.append(text) or parse(text)
    )
    assert len(hubframe.labels_df(f"oci:{layout.path}", client=client)) == 50
    assert max(read.count(f"1.{number}") for number in range(50)) == 1


def test_registries_keep_their_names() -> None:
    parse = hubframe.ImageReference.parse
    assert parse("oci:5000/app").registry == "oci:5000"
    assert parse("oci://ghcr.io/org/app").registry == "ghcr.io"
    assert parse("library/dir").is_hub
    for bad in ("oci:", "dir:", "oci::1.0"):
        with pytest.raises(InvalidReferenceError):
            parse(bad)


def test_compare_and_report(layout, client, tmp_path) -> None:
    layout.image("1.0", "one")
    layout.image("2.0", "two")
    what = f"oci:{layout.path}"
    compared = hubframe.compare_df([f"{what}:1.0", f"{what}:2.0"], client=client)
    assert {"one", "two"} <= {*compared["left"].dropna(), *compared["right"].dropna()}
    page = report(what, tmp_path / "report", client=client)
    assert "2.0" in page.read_text()


def test_the_page_prints_what_it_says() -> None:
    page = Path(__file__).parent.parent / "docs" / "local.md"
    found = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 3
    assert found.failed == 0
