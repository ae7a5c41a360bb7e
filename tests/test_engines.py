"""Images of engines: of a real podman, and of a stand-in for Docker that says what is to be said.

The stand-in is written from the description of Docker's API; podman is asked for real.
"""

import hashlib
import io
import json
import os
import shutil
import socket
import socketserver
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import hubframe
from hubframe.errors import (
    DigestMismatchError,
    NotFoundError,
    PayloadError,
    TransportError,
)
from hubframe.report import collect
from tests.live.images import Library
from tests.test_cli import run
from tests.test_local import CONFIG, LAYER, MANIFEST, Layout, archive

INDEX = "application/vnd.oci.image.index.v1+json"
FRAMES = ("images", "layers", "history", "labels", "env", "configs", "files")
NOWHERE = "/nowhere/engine.sock"


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ask no engine of the machine, and have a folder of one's own for temporary files."""
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        monkeypatch.setenv(variable, f"unix://{NOWHERE}")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[hubframe.Client]:
    """A client without a network."""
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache", offline=True)) as made:
        yield made


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: that of a socket has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="hf", dir="/tmp") as folder:
        yield Path(folder)


# --- podman


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images that umoci built."""
    _need("umoci", "skopeo", "podman")
    folder = tmp_path_factory.mktemp("images")
    Library.build(folder)
    return folder / "layout"


@pytest.fixture(scope="module")
def podman(layout: Path) -> Iterator[str]:
    """Podman's service, with images of its own; return its address."""
    with tempfile.TemporaryDirectory(prefix="hf") as folder:
        address = f"unix://{folder}/podman.sock"
        command = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
        command += ["--tmpdir", f"{folder}/tmp", "--storage-driver=vfs"]
        command += ["--cgroup-manager=cgroupfs", "--events-backend=none"]
        for name, names in STORED.items():
            image = _run(*command, "pull", "--quiet", f"oci:{layout}:{name}")
            _run(*command, "untag", image)
            if names:
                _run(*command, "tag", image, *names)
        service = subprocess.Popen(
            [*command, "system", "service", "--time=0", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert service.stderr
        try:
            until = time.monotonic() + 60
            while not Path(folder, "podman.sock").exists():
                assert service.poll() is None, service.stderr.read().decode()
                assert time.monotonic() < until
                threading.Event().wait(0.01)
            yield address
        finally:
            service.terminate()
            service.communicate(timeout=20)


# What podman has of the images that umoci built.
STORED: dict[str, tuple[str, ...]] = {
    "worker": ("docker.io/acme/worker:2.0", "docker.io/acme/worker:latest", "localhost/worker:1"),
    "app-arm64": ("docker.io/library/app:1.4.2-arm64",),
    "base-amd64": (),
}


def _need(*tools: str) -> None:
    """Skip where tools are missing, and fail where they must be there."""
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not installed: {missing}")


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _without(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.drop(columns=[one for one in columns if one in frame])


def test_frames_of_podman_are_those_of_docker_archive(
    podman, layout, client, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("CONTAINER_HOST", podman)
    for name in ("worker", "app-arm64"):
        archived = f"docker-archive:{tmp_path / name}"
        _run("skopeo", "--insecure-policy", "copy", f"oci:{layout}:{name}", archived)
        for frame in FRAMES:
            read = getattr(hubframe, f"{frame}_df")
            expected = read(archived, platform="all", client=client)
            found = read(f"podman:{STORED[name][0]}", platform="all", client=client)
            assert len(found)
            place = ("repo", "tag")
            pd.testing.assert_frame_equal(_without(found, *place), _without(expected, *place))
            told = found.attrs["hubframe"]
            assert (told["source"], told["requests"], told["complete"]) == ("local", 0, True)


def test_frames_of_podman_are_those_of_the_layout(podman, layout, client, monkeypatch) -> None:
    """Podman holds layers unpacked, and so tells other digests and sizes of these."""
    monkeypatch.setenv("CONTAINER_HOST", podman)
    packed = ("repo", "tag", "image_digest", "media_type", "layer_digest", "size")
    for frame in FRAMES:
        read = getattr(hubframe, f"{frame}_df")
        # Of files the size is their own.
        others = packed[:-1] if frame == "files" else packed
        found = read(f"podman:{STORED['worker'][0]}", client=client)
        expected = read(f"oci:{layout}:worker", client=client)
        if frame == "labels":
            expected = expected[expected["source"] == "config"].reset_index(drop=True)
        assert len(found)
        pd.testing.assert_frame_equal(_without(found, *others), _without(expected, *others))


def test_what_podman_has(podman, client, monkeypatch) -> None:
    monkeypatch.setenv("CONTAINER_HOST", podman)
    tags = hubframe.tags_df("podman:", client=client)
    assert tags[["repo", "tag"]].to_numpy().tolist() == [
        ["podman:acme/worker", "2.0"],
        ["podman:acme/worker", "latest"],
        ["podman:library/app", "1.4.2-arm64"],
        ["podman:localhost/worker", "1"],
    ]
    assert tags["aliases"].fillna("").tolist() == ["latest", "2.0", "", ""]
    assert tags["version"].tolist()[2] == "1.4.2"
    assert tags["digest"].nunique() == 2
    configs = hubframe.configs_df("podman:", platform="all", client=client)
    # An image has the digest of its config for an id; one has no name.
    assert configs["image_digest"].equals(configs["config_digest"])
    assert configs["tag"].isna().tolist() == [True, False, False, False, False]
    assert configs["repo"].tolist()[0] == "podman:"
    # Such rows name the images again.
    again = hubframe.configs_df(configs, platform="all", client=client)
    pd.testing.assert_frame_equal(again, configs)
    by_id = f"podman:{configs['image_digest'][0]}"
    assert hubframe.inspect(by_id, client=client)["Digest"] == configs["image_digest"][0]
    short = hubframe.inspect("podman:app:1.4.2-arm64", platform="linux/arm64", client=client)
    assert short["Architecture"] == "arm64"
    assert hubframe.inspect("podman:acme/worker", client=client)["RepoTags"] == ["2.0", "latest"]


def test_files_are_exported_once_and_nothing_is_left(podman, client, monkeypatch) -> None:
    monkeypatch.setenv("CONTAINER_HOST", podman)
    files = hubframe.files_df("podman:acme/worker", client=client)
    assert files["path"].nunique() > 3
    content = hubframe.read_file("podman:acme/worker:2.0", "etc/os-release", client=client)
    assert b"=" in content
    assert _left() == 0
    assert not list(Path(tempfile.gettempdir()).iterdir())


def test_the_command_line_asks_podman(podman, tmp_path) -> None:
    environment = {"CONTAINER_HOST": podman, "HUBFRAME_CACHE_DIR": str(tmp_path)}
    found = run("tags", "podman:", "--format", "csv", **environment)
    assert found.returncode == 0
    assert found.stdout.count("podman:acme/worker") == 2
    missing = run("inspect", "podman:acme/worker:9", **environment)
    assert missing.returncode == 1
    assert "no tag '9'" in missing.stderr


# --- a stand-in for Docker


class StandIn:
    """An engine that has the images that a test gives it."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.archives: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.left: list[int] = []  # how many temporary files there were at each export
        # What answers in place of it, by the end of what is asked for.
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], object]] = {}

    def add(self, image: str, exported: bytes, *names: str, **more: Any) -> str:
        """Add an image; later ones are newer."""
        created = 1_700_000_000 + len(self.images)
        told = {"Id": image, "RepoTags": list(names), "RepoDigests": None, "Created": created}
        self.images.append({**told, **more})
        self.archives[image] = exported
        return image

    @property
    def exports(self) -> list[str]:
        """The ids of the images that were exported, in order."""
        return [path.split("/")[2] for path in self.asked if path.endswith("/get")]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        path = handler.path
        self.asked.append(path)
        told = next((told for end, told in self.answers.items() if path.endswith(end)), None)
        if told:
            told(handler)
        elif path == "/images/json":
            send(handler, json.dumps(self.images).encode())
        elif path.endswith("/get") and path.split("/")[2] in self.archives:
            self.left.append(_left())
            in_chunks(handler, self.archives[path.split("/")[2]])
        else:
            send(handler, b'{"message": "no such image"}', 404)


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Answer with a body."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def in_chunks(handler: BaseHTTPRequestHandler, body: bytes, *, ends: bool = True) -> None:
    """Answer with a body as engines do, or break off."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(f"{len(body) + (not ends):x}\r\n".encode() + body)
    if ends:
        handler.wfile.write(b"\r\n0\r\n\r\n")
    handler.close_connection = True


def _left() -> int:
    """Return how many temporary files are open, which have no name."""
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        # The one that listed these is gone by now.
        with suppress(OSError):
            target = str(one.readlink())
            count += tempfile.gettempdir() in target and target.endswith("(deleted)")
    return count


@contextmanager
def listening(engine: StandIn, server: type, address: Any) -> Iterator[Any]:
    """Serve an engine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            engine.answer(self)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with server(address, Handler) as served:
        served.daemon_threads, served.block_on_close = True, False
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        yield served.server_address
        served.shutdown()
        thread.join()


@pytest.fixture
def engine(short: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in that has nothing yet, at the address that DOCKER_HOST names."""
    made = StandIn()
    path = str(short / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with listening(made, socketserver.ThreadingUnixStreamServer, path):
        yield made


def saved(text: str, *names: str, with_index: bool = False) -> tuple[str, bytes]:
    """Make an image as ``docker save`` writes it; return its id and the archive.

    Since version 25 there is an index beside it, of a manifest that is nowhere else.
    """
    content = archive({"motd": text.encode()})
    layer = hashlib.sha256(content).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"text": text}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
        "history": [{"created_by": f"COPY {text}"}],
    }
    body = json.dumps(config).encode()
    image = hashlib.sha256(body).hexdigest()
    blobs = "blobs/sha256/"
    told = {"Config": blobs + image, "RepoTags": [*names] or None, "Layers": [blobs + layer]}
    files = {blobs + layer: content, blobs + image: body}
    if with_index:
        described = [
            {"mediaType": kind, "digest": f"sha256:{one}", "size": len(files[blobs + one])}
            for kind, one in ((CONFIG, image), (LAYER, layer))
        ]
        made = {"schemaVersion": 2, "config": described[0], "layers": described[1:]}
        manifest = json.dumps(made).encode()
        digest = hashlib.sha256(manifest).hexdigest()
        files[blobs + digest] = manifest
        entry = {"mediaType": MANIFEST, "digest": f"sha256:{digest}", "size": len(manifest)}
        files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    files["manifest.json"] = json.dumps([told]).encode()
    return f"sha256:{image}", archive(files)


STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://spdx.dev/Document",
        "predicate": {"spdxVersion": "SPDX-2.3", "name": "app", "packages": []},
    }
).encode()


def labels(what: Any, client: hubframe.Client, **how: Any) -> list[str]:
    """Return the value of the label of each image."""
    return hubframe.labels_df(what, client=client, **how)["value"].tolist()


def test_names_and_images_without_one(engine, client) -> None:
    one = engine.add(*saved("one"), "acme/app:1.0", "acme/app:latest", "app:1.0")
    old = engine.add(*saved("old"), "<none>:<none>", RepoTags=None)
    dangling = engine.add(*saved("dangling"), "<none>:<none>")
    pulled = "sha256:" + "12" * 32
    engine.add(*saved("two"), "ghcr.io/org/app:2", RepoDigests=[f"ghcr.io/org/app@{pulled}"])
    tags = hubframe.tags_df("docker-daemon:", client=client)
    assert [f"{repo}:{tag}" for repo, tag in zip(tags["repo"], tags["tag"], strict=True)] == [
        "docker-daemon:acme/app:1.0",
        "docker-daemon:acme/app:latest",
        "docker-daemon:ghcr.io/org/app:2",
        "docker-daemon:library/app:1.0",
    ]
    assert tags["digest"].tolist().count(one) == 3
    assert engine.asked == ["/images/json"]
    found = hubframe.labels_df("docker-daemon:", client=client)
    # Those without a name first, the newest of them first.
    assert found["value"].tolist() == ["dangling", "old", "one", "one", "two", "one"]
    assert found["image_digest"].tolist()[:2] == [dangling, old]
    assert labels("docker-daemon:acme/app", client, tags="1.0") == ["one"]
    assert labels(f"docker-daemon:{old}", client) == ["old"]
    assert labels(f"docker-daemon:ghcr.io/org/app@{pulled}", client) == ["two"]
    assert labels(["docker-daemon:app", "docker-daemon:"], client, tags="2") == ["two"]
    assert labels(found, client) == found["value"].tolist()


def test_an_image_is_exported_once(engine, client) -> None:
    first = engine.add(*saved("one"), "acme/app:1", "acme/app:2")
    second = engine.add(*saved("two"), "acme/app:3")
    what = "docker-daemon:acme/app"
    for name in FRAMES[:-1]:
        getattr(hubframe, f"{name}_df")(what, platform="all", client=client)
    assert sorted(engine.exports) == sorted([first, second])
    # Of documents no more than one archive lies on the disk at a time, and none after the call.
    assert engine.left == [1, 1]
    assert _left() == 0
    # Files of several images are asked for when all documents are read: one had to go by then.
    assert hubframe.files_df(what, client=client)["size"].tolist() == [3, 3, 3]
    assert engine.left == [1, 1, 1, 2]
    assert _left() == 0
    engine.asked.clear()
    assert len(hubframe.files_df(what, client=client)) == 3
    assert not engine.exports
    with hubframe.Client(client.settings) as another:
        hubframe.cache.clear(client=another)
        hubframe.files_df(f"{what}:1", client=another)
        hubframe.contents_df(f"{what}:1", "motd", client=another)
    assert engine.exports == [first, first]


def test_a_plan_exports_nothing(engine, client) -> None:
    engine.add(*saved("one"), "acme/app:1")
    plan = hubframe.plan("docker-daemon:", "labels", client=client)
    assert (plan.requests["manifest"], plan.pulls, plan.tag_count) == (1, 0, 1)
    assert not engine.exports
    assert labels("docker-daemon:", client) == ["one"]
    assert not any(hubframe.plan("docker-daemon:", "labels", client=client).requests.values())


def test_what_changes_is_seen(engine, client) -> None:
    engine.add(*saved("one"), "acme/app:1")
    assert labels("docker-daemon:acme/app", client) == ["one"]
    engine.images.clear()
    engine.add(*saved("two"), "acme/app:1")
    assert labels("docker-daemon:acme/app", client) == ["two"]
    assert len(engine.exports) == 2


def test_the_id_counts_and_no_manifest_that_is_made_for_the_archive(engine, client) -> None:
    image = engine.add(*saved("one", with_index=True), "acme/app:1")
    frame = hubframe.configs_df("docker-daemon:acme/app", client=client)
    assert frame["image_digest"].tolist() == frame["config_digest"].tolist() == [image]
    layers = hubframe.layers_df("docker-daemon:acme/app", client=client)
    assert layers["layer_digest"].equals(layers["diff_id"])


@pytest.mark.filterwarnings("ignore::hubframe.errors.IncompleteWarning")
def test_containerds_store_says_what_registries_say(engine, client, tmp_path) -> None:
    layout = Layout(tmp_path / "layout")
    images = [layout.image(None, text) for text in ("one", "two")]
    for entry, architecture in zip(images, ("amd64", "arm64"), strict=True):
        entry["platform"] = {"os": "linux", "architecture": architecture}
    # It need not have all platforms.
    absent = {"mediaType": MANIFEST, "digest": "sha256:" + "ab" * 32, "size": 9}
    absent["platform"] = {"os": "linux", "architecture": "s390x"}
    engine.add(*saved("three"), "acme/app:3")
    statement = layout.put(STATEMENT, "application/vnd.in-toto+json")
    statement["annotations"] = {"in-toto.io/predicate-type": "https://spdx.dev/Document"}
    attested = layout.json(MANIFEST, config=layout.put(b"{}", CONFIG), layers=[statement])
    attested["platform"] = {"os": "unknown", "architecture": "unknown"}
    attested["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": images[0]["digest"],
    }
    index = layout.json(INDEX, manifests=[*images, absent, attested])
    body = layout.put(b'{"signed": true}', "application/example")
    signature = layout.json(
        MANIFEST, artifactType="application/signature", config=body, layers=[body], subject=index
    )
    layout.entries.clear()
    layout.add(None, index)
    layout.add(None, signature)
    exported = layout.packed(tmp_path / "a.tar").read_bytes()
    image = engine.add(index["digest"], exported, "acme/app:1")
    for name in (*FRAMES, "sboms"):
        read = getattr(hubframe, f"{name}_df")
        for platform in ("all", "linux/amd64"):
            how = {"platform": platform, "client": client}
            expected = read(f"oci:{layout.path}@{image}", **how)
            found = read("docker-daemon:acme/app:1", **how)
            assert len(found) or name == "env"
            pd.testing.assert_frame_equal(
                _without(found, "repo", "tag"), _without(expected, "repo", "tag")
            )
    assert hubframe.images_df("docker-daemon:acme/app:1", client=client)["index_digest"][0] == image
    referrers = hubframe.referrers_df("docker-daemon:acme/app:1", client=client)
    assert "application/signature" in referrers["artifact_type"].tolist()
    assert engine.exports == [image]
    # An image of one platform has no id of its own, and is found in the others.
    assert labels(f"docker-daemon:acme/app@{images[1]['digest']}", client) == ["two"]
    with hubframe.Client(client.settings) as another:
        assert labels(f"docker-daemon:acme/app@{images[1]['digest']}", another) == ["two"]


def test_reports_and_comparisons(engine, client) -> None:
    engine.add(*saved("one"), "acme/app:1", "acme/other:1")
    engine.add(*saved("two"), "acme/app:2")
    compared = hubframe.compare_df(
        ["docker-daemon:acme/app:1", "docker-daemon:acme/app:2"], client=client
    )
    assert {"one", "two"} <= {*compared["left"].dropna(), *compared["right"].dropna()}
    repos = collect("docker-daemon:", client=client)["repos"]
    assert repos["repo"].tolist() == ["docker-daemon:acme/app", "docker-daemon:acme/other"]
    assert repos["namespace"].unique().tolist() == ["docker-daemon:acme"]


def test_a_missing_name_names_what_there_is(engine, client) -> None:
    engine.add(*saved("one"), "acme/app:1.0.1")
    for number in range(9):
        engine.add(*saved(f"{number}"), f"acme/more:{number}")
    for written in ("acme/app:1.0.2", "acme/app:latest"):
        with pytest.raises(NotFoundError, match=r"There are docker-daemon:acme/app:1\.0\.1,"):
            labels(f"docker-daemon:{written}", client)
    del engine.images[1:]
    for written in ("other", "other:1", f"other@sha256:{'ab' * 32}", f"sha256:{'ab' * 32}"):
        with pytest.raises(
            NotFoundError, match=r"the engine has no .*There are .*acme/app:1\.0\.1"
        ):
            labels(f"docker-daemon:{written}", client)
    engine.images.clear()
    assert hubframe.labels_df("docker-daemon:", client=client).empty


def test_a_port_of_this_machine(client, monkeypatch) -> None:
    made = StandIn()
    made.add(*saved("one"), "acme/app:1")
    place = ("127.0.0.1", 0)
    with listening(made, socketserver.ThreadingTCPServer, place) as (host, port):
        for address in (f"tcp://{host}:{port}", f"http://localhost:{port}/"):
            monkeypatch.setenv("DOCKER_HOST", address)
            assert labels("docker-daemon:", client) == ["one"]


@pytest.mark.parametrize(
    "address",
    ["ssh://me@host", "tcp://192.0.2.1:2375", "tcp://me:hunter2@engine.example:2375", "npipe:////./x",
     "fd://", "tcp://[::1", "/var/run/docker.sock", "tcp://localhost:99999"],
)  # fmt: skip
def test_an_engine_elsewhere_is_not_asked(client, monkeypatch, address) -> None:
    for engine, variable in (("docker-daemon:", "DOCKER_HOST"), ("podman:", "CONTAINER_HOST")):
        monkeypatch.setenv(variable, address)
        with pytest.raises(TransportError, match=f"{variable} must be such as unix:") as raised:
            hubframe.tags_df(engine, client=client)
        assert "ssh -NL" in str(raised.value)
        assert "hunter2" not in str(raised.value)


def test_no_engine(client, monkeypatch, short) -> None:
    with pytest.raises(TransportError, match=r"no engine at /nowhere.*systemctl start docker"):
        hubframe.tags_df("docker-daemon:", client=client)
    monkeypatch.delenv("CONTAINER_HOST")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    monkeypatch.setenv("HOME", str(short))
    with pytest.raises(TransportError, match=rf"{short}/podman.*CONTAINER_HOST=unix://") as raised:
        hubframe.tags_df("podman:", client=client)
    assert "systemctl --user start podman.socket" in str(raised.value)
    # A socket of a service that ended.
    left = short / "left.sock"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(left))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{left}")
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.tags_df("docker-daemon:", errors="collect", client=client)
    (failure,) = frame.attrs["hubframe"]["failures"]
    assert failure["ref"] == "docker-daemon:"
    assert "nobody listens there" in failure["message"]
    monkeypatch.setenv("DOCKER_HOST", f"unix://{short}/{'x' * 200}")
    with pytest.raises(TransportError, match="too long"):
        hubframe.tags_df("docker-daemon:", client=client)


def test_the_sockets_that_are_looked_for(engine, client, monkeypatch, short) -> None:
    engine.add(*saved("one"), "acme/app:1")
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.delenv("CONTAINER_HOST")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    (short / "podman").mkdir()
    (short / "podman/podman.sock").symlink_to(short / "docker.sock")
    assert labels("podman:", client) == ["one"]


def test_a_socket_that_one_may_not_use(client, monkeypatch) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refused)
    with pytest.raises(TransportError, match=r"you may not use this socket.*group"):
        hubframe.tags_df("docker-daemon:", client=client)


LIST, EXPORT = "/images/json", "/get"
REFUSED = rb'{"message": "layer does not exist \u001b[31m in \u202e store"}'


def _cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"[")
    handler.close_connection = True


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        (LIST, lambda it: send(it, b"{}"), (PayloadError, "is no engine")),
        (LIST, lambda it: send(it, b"<html>"), (PayloadError, "is no engine")),
        (LIST, lambda it: send(it, b"[" * 100_000), (PayloadError, "is no engine")),
        (LIST, lambda it: send(it, b""), (PayloadError, "is no engine")),
        (LIST, lambda it: send(it, REFUSED, 500), (TransportError, "500 .*layer does not exist")),
        (LIST, lambda it: send(it, b"404 page", 404), (TransportError, "404")),
        (LIST, lambda it: send(it, b"", 302), (TransportError, "302")),
        (LIST, _cut, (PayloadError, "is no engine")),
        (LIST, lambda it: it.wfile.write(b"SSH-2.0-OpenSSH\r\n"), (TransportError, "no answer of HTTP")),
        (LIST, lambda it: it.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200), (TransportError,
         "no answer of HTTP")),
        (LIST, lambda it: it.connection.shutdown(socket.SHUT_RDWR), (TransportError, "did not give")),
        (EXPORT, lambda it: send(it, REFUSED, 500), (TransportError, "500 .*layer does not exist")),
        (EXPORT, lambda it: send(it, REFUSED, 404), (NotFoundError, "404 .*layer does not exist")),
        (EXPORT, lambda it: in_chunks(it, b"", ends=False), (TransportError, "did not give the image")),
        (EXPORT, lambda it: in_chunks(it, b"x" * 5000, ends=False), (TransportError, "not all of one")),
        (EXPORT, _cut, (TransportError, "not all of one")),
        (EXPORT, lambda it: send(it, b""), (PayloadError, "no tar archive")),
        (EXPORT, lambda it: send(it, b"{}" * 5000), (PayloadError, "no tar archive")),
        (EXPORT, lambda it: send(it, bytes(10_240)), (PayloadError, "not this image")),
        (EXPORT, lambda it: send(it, saved("another")[1]), (PayloadError, "not this image")),
        (EXPORT, lambda it: send(it, archive({"manifest.json": b"[{}]"})), (PayloadError, "not this image")),
        (EXPORT, lambda it: send(it, archive({"index.json": b"{"})), (PayloadError, "not JSON")),
    ],
)  # fmt: skip
def test_what_an_engine_may_say(engine, client, path, answer, expected) -> None:
    engine.add(*saved("one"), "acme/app:1")
    engine.answers[path] = answer
    error, words = expected
    with pytest.raises(error, match=words) as raised:
        labels("docker-daemon:acme/app:1", client)
    assert "\x1b" not in str(raised.value)
    assert "\u202e" not in str(raised.value)
    assert _left() == 0
    engine.answers.clear()
    assert labels("docker-daemon:acme/app:1", client) == ["one"]


@pytest.mark.parametrize(
    "image",
    [
        {"Id": "../../x"}, {"Id": 3}, {"RepoTags": "app:1"}, {"RepoTags": [3, None, "a b", "oci:/x:1"]},
        {"RepoTags": {"a": 1}}, {"RepoDigests": [3, "@", "a@b"]}, {"Created": "x"}, {"Created": None},
        {"Created": 1e300}, {"RepoTags": ["docker-daemon:app:1", "sha256:" + "ab" * 32]},
    ],
)  # fmt: skip
def test_entries_of_anything(engine, client, image) -> None:
    """An entry that is odd costs no other one, and leads nowhere else."""
    engine.add(*saved("one"), "acme/app:1")
    engine.add(*saved("two"), **image)
    found = hubframe.tags_df("docker-daemon:", client=client)
    assert found["tag"].tolist()[:1] == ["1"]
    assert found["repo"].str.startswith("docker-daemon:").all()
    assert set(labels("docker-daemon:", client)) <= {"one", "two"}


def test_one_that_fails_costs_its_own_rows(engine, client) -> None:
    bad = engine.add(*saved("bad"), "acme/app:1")
    engine.add(*saved("good"), "acme/app:2")
    engine.answers[f"{bad}/get"] = lambda it: send(it, REFUSED, 500)
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.labels_df("docker-daemon:", errors="collect", client=client)
    assert frame["value"].tolist() == ["good"]
    # Podman lists what it does not export.
    engine.answers[f"{bad}/get"] = lambda it: send(it, REFUSED, 404)
    with pytest.warns(hubframe.IncompleteWarning, match="1 of what"):
        frame = hubframe.labels_df("docker-daemon:", client=client)
    assert frame["value"].tolist() == ["good"]


def test_a_layer_that_is_not_what_it_says(engine, client) -> None:
    image, exported = saved("one")
    changed = exported.replace(b"\0one\0", b"\0two\0")
    assert changed != exported
    engine.add(image, changed, "acme/app:1")
    with pytest.raises(DigestMismatchError) as raised:
        hubframe.files_df("docker-daemon:acme/app:1", client=client)
    # Also while the error is held, as notebooks hold the last one.
    assert _left() == 0
    assert "docker-daemon:acme/app@sha256:" in str(raised.value)


def test_no_room_for_an_export(engine, client, monkeypatch) -> None:
    engine.add(*saved("one"), "acme/app:1")
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(TransportError, match=r"into /nowhere .*TMPDIR"):
        labels("docker-daemon:acme/app:1", client)


def test_a_full_disk(engine, client, monkeypatch) -> None:
    engine.add(*saved("one"), "acme/app:1")
    full = io.FileIO("/dev/full", "r+")
    monkeypatch.setattr("hubframe.wire.engines.TemporaryFile", lambda **_: full)
    with pytest.raises(TransportError, match=r"No space left on device.*TMPDIR"):
        labels("docker-daemon:acme/app:1", client)


def test_what_others_write_leads_to_no_engine(engine, client, tmp_path) -> None:
    engine.add(*saved("one"), "acme/secret:1")
    layout = Layout(tmp_path / "layout")
    name = "org.opencontainers.image.base.name"
    layout.image("1.0", annotations={name: "docker-daemon:acme/secret:1"})
    bases = hubframe.bases_df(f"oci:{layout.path}", client=client)
    assert bases["base_repo"].isna().all()
    assert not engine.asked


def test_an_export_ends_with_its_call(engine, client) -> None:
    """An engine may say nothing for minutes: who closes the client does not wait for it."""
    engine.add(*saved("one"), "acme/app:1")
    asked, over = threading.Event(), threading.Event()

    def silent(_: Any) -> None:
        asked.set()
        over.wait(30)

    def close() -> None:
        asked.wait(30)
        client.close()

    engine.answers[EXPORT] = silent
    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(RuntimeError, match="closed during the call"):
        labels("docker-daemon:acme/app:1", client)
    over.set()
    closing.join()


def test_an_archive_of_many_files(engine, client, tmp_path) -> None:
    image, exported = saved("one")
    path = tmp_path / "a.tar"
    path.write_bytes(exported)
    with tarfile.open(path, "a") as tar:
        for number in range(5_000):
            entry = tarfile.TarInfo(f"blobs/sha256/{number:064x}")
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
    engine.add(image, path.read_bytes(), "acme/app:1")
    assert labels("docker-daemon:acme/app:1", client) == ["one"]
