"""Images built by umoci and pushed by skopeo; what these cannot make is pushed over HTTP."""

import hashlib
import json
import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import requests

from . import skopeo

Format = Literal["oci", "docker", "schema1"]
Kind = Literal["index", "manifest"]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
IN_TOTO = "application/vnd.in-toto+json"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"

KINDS: dict[str, tuple[Format, Kind]] = {
    OCI_INDEX: ("oci", "index"),
    OCI_MANIFEST: ("oci", "manifest"),
    DOCKER_LIST: ("docker", "index"),
    DOCKER_MANIFEST: ("docker", "manifest"),
    SCHEMA1: ("schema1", "manifest"),
}

CREATED = "2024-05-06T07:08:09Z"
_CREATED_SECONDS = 1714979289
AMD64, ARM64, ARM = "linux/amd64", "linux/arm64", "linux/arm/v7"
LABELS = {
    "org.opencontainers.image.title": "app",
    "org.opencontainers.image.source": "https://example.com/app?a=1&b=<2>",
    "org.opencontainers.image.licenses": "MIT",
    "com.example.empty": "",
    "com.example.text": 'naïve 日本語 🐳\nsecond line\r\nthird, "quoted"',
    "com.example.formula": "=1+1",
    "com.example.missing": "NA",
}
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "JAVA_OPTS": "-Dkey=value -Dother=a=b",
    "EMPTY": "",
    "GREETING": "grüß dich",
}

Document = dict[str, Any]


@dataclass(frozen=True)
class Image:
    """A tag that was pushed, and what stands behind it."""

    host: str
    repository: str
    tag: str
    digest: str
    media_type: str
    platforms: tuple[str, ...]
    attestations: tuple[str, ...] = ()

    @property
    def format(self) -> Format:
        """Whose manifest format it is."""
        return KINDS[self.media_type][0]

    @property
    def kind(self) -> Kind:
        """Whether the tag names an index or one image."""
        return KINDS[self.media_type][1]

    @property
    def repo(self) -> str:
        """The repository as hubframe's frames name it."""
        return f"{self.host}/{self.repository}"

    @property
    def reference(self) -> str:
        """The reference by tag."""
        return f"{self.repo}:{self.tag}"

    @property
    def by_digest(self) -> str:
        """The reference by digest."""
        return f"{self.repo}@{self.digest}"

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


def digest_of(content: bytes) -> str:
    """Return the name of a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encoded(document: Any) -> bytes:
    """Return a document's bytes, always the same ones."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def descriptor(media_type: str, content: bytes, **more: Any) -> Document:
    """Describe a content as manifests and indexes do."""
    size = len(content)
    return {"mediaType": media_type, "digest": digest_of(content), "size": size, **more}


def platform_of(text: str) -> Document:
    """Turn ``linux/arm/v7`` into the object of an index; builders write arm64's variant, too."""
    parts = zip(("os", "architecture", "variant"), text.split("/"), strict=False)
    return dict(parts) | ({"variant": "v8"} if text == ARM64 else {})


class Layout:
    """An OCI layout that umoci fills, and whose documents can be read and rewritten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["umoci", "init", "--layout", str(folder)], check=True)

    def umoci(self, command: str, tag: str, *arguments: str | Path) -> None:
        """Run one umoci command on an image of the layout."""
        given = ["umoci", command, "--image", f"{self.folder}:{tag}", *map(str, arguments)]
        done = subprocess.run(given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(given)} failed:\n{done.stderr}")

    def blob(self, digest: str) -> bytes:
        """Return a content of the layout."""
        return (self.folder / "blobs" / digest.replace(":", "/")).read_bytes()

    def find(self, tag: str) -> Document:
        """Return the descriptor that a tag of the layout points at."""
        index = json.loads((self.folder / "index.json").read_bytes())
        key = "org.opencontainers.image.ref.name"
        return next(one for one in index["manifests"] if one["annotations"][key] == tag)

    def put(self, media_type: str, content: bytes, **more: Any) -> Document:
        """Add a content, and return its descriptor."""
        described = descriptor(media_type, content, **more)
        path = self.folder / "blobs" / described["digest"].replace(":", "/")
        path.write_bytes(content)
        return described

    def tag(self, name: str, described: Document) -> None:
        """Point a tag of the layout at a document."""
        path = self.folder / "index.json"
        index = json.loads(path.read_bytes())
        named = {**described, "annotations": {"org.opencontainers.image.ref.name": name}}
        index["manifests"].append(named)
        path.write_bytes(encoded(index))

    def rewrite_config(self, tag: str, new_tag: str, **changes: Any) -> None:
        """Tag a copy of an image whose config differs, for what umoci cannot set."""
        manifest = json.loads(self.blob(self.find(tag)["digest"]))
        config = json.loads(self.blob(manifest["config"]["digest"])) | changes
        manifest["config"] = self.put(OCI_CONFIG, encoded(config))
        self.tag(new_tag, self.put(OCI_MANIFEST, encoded(manifest)))


class Library:
    """All images in one layout, built once and pushed into any number of registries."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @classmethod
    def build(cls, folder: Path) -> Self:
        """Build every image; the same bytes each time."""
        layout = Layout(folder / "layout")
        for platform in (AMD64, ARM64, ARM):
            _build_base(layout, folder, platform)
            _build_app(layout, folder, platform)
        _build_worker(layout, folder)
        _build_previous_app(layout)
        layout.tag("app-list", _index(layout, [AMD64, ARM64]))
        return cls(layout)


def _build_base(layout: Layout, folder: Path, platform: str) -> None:
    """A base as Docker's classic builder leaves it: one tree, then a CMD step."""
    name = f"base-{_short(platform)}"
    tree = folder / name
    _write(tree / "etc/os-release", b"ID=tiny\nVERSION_ID=3.20\n")
    _write(tree / "etc/motd", b"Welcome.\n" * 40)
    _write(tree / "bin/tool", _noise(name, 60_000))
    layout.umoci("new", name)
    _insert(layout, name, tree, "/", "/bin/sh -c #(nop) ADD file:0123abcd in / ")
    _configure(
        layout, name, '/bin/sh -c #(nop)  CMD ["/bin/sh"]',
        "--config.cmd=/bin/sh", "--config.env=PATH=/usr/bin:/bin",
        f"--architecture={platform.split('/')[1]}", "--os=linux",
    )  # fmt: skip
    _set_variant(layout, name, platform)


def _build_app(layout: Layout, folder: Path, platform: str) -> None:
    """An app on the base: a step that changes and removes files, a copied tree, a full config."""
    name, base = f"app-{_short(platform)}", f"base-{_short(platform)}"
    _run_step(layout, folder, base, name)
    tree = folder / f"source-{name}"
    _write(tree / "main.py", b"print('hello')\n" * 50)
    _write(tree / "data/model.bin", _noise(name, 120_000))
    _insert(layout, name, tree, "/srv/app", "COPY src /srv/app # buildkit")
    labels = {**LABELS, "org.opencontainers.image.version": "1.4.2"}
    _configure(
        layout, name, "LABEL org.opencontainers.image.title=app",
        *(f"--config.label={key}={text}" for key, text in labels.items()),
        *(f"--config.env={key}={text}" for key, text in ENVIRONMENT.items()),
        "--config.cmd=--port", "--config.cmd=8080",
        "--config.entrypoint=/usr/bin/python", "--config.entrypoint=/srv/app/main.py",
        "--config.exposedports=8080/tcp", "--config.exposedports=53/udp",
        "--config.volume=/data", "--config.volume=/cache",
        "--config.user=app:app", "--config.workingdir=/srv/app", "--config.stopsignal=SIGINT",
        "--author=The <app> authors", "--manifest.annotation=com.example.level=manifest",
    )  # fmt: skip
    _set_variant(layout, name, platform)


def _run_step(layout: Layout, folder: Path, base: str, name: str) -> None:
    """Unpack, change the file tree as a RUN step would, and pack the difference as a layer."""
    bundle = folder / f"bundle-{name}"
    layout.umoci("unpack", base, "--rootless", bundle)
    _write(bundle / "rootfs/usr/bin/python", _noise(f"python-{name}", 20_000))
    (bundle / "rootfs/etc/motd").unlink()
    _settle(bundle / "rootfs")
    layout.umoci("tag", base, name)
    step = "RUN |1 VERSION=1 /bin/sh -c apk add --no-cache python3 # buildkit"
    layout.umoci("repack", name, *_history(step, "buildkit.dockerfile.v0"), bundle)


def _build_worker(layout: Layout, folder: Path) -> None:
    """One layer more on the amd64 app."""
    tree = folder / "source-worker"
    _write(tree / "worker.py", b"while True: pass\n" * 20)
    layout.umoci("tag", "app-amd64", "worker")
    _insert(layout, "worker", tree, "/srv/worker", "COPY worker /srv/worker # buildkit")
    _configure(
        layout, "worker", "/bin/sh -c #(nop)  LABEL com.example.role=worker",
        "--clear=config.entrypoint", "--config.label=com.example.role=worker",
        "--config.env=QUEUE=jobs",
    )  # fmt: skip


def _build_previous_app(layout: Layout) -> None:
    layout.umoci("tag", "app-amd64", "previous")
    version = "--config.label=org.opencontainers.image.version=1.4.1"
    _configure(layout, "previous", "LABEL org.opencontainers.image.version=1.4.1", version)


def _insert(layout: Layout, tag: str, tree: Path, target: str, created_by: str) -> None:
    _settle(tree)
    layout.umoci("insert", tag, "--rootless", *_history(created_by), tree, target)


def _configure(layout: Layout, tag: str, created_by: str, *options: str) -> None:
    layout.umoci("config", tag, f"--created={CREATED}", *_history(created_by), *options)


def _set_variant(layout: Layout, tag: str, platform: str) -> None:
    """Write the variant, which umoci 0.4 has no option for."""
    if variant := platform_of(platform).get("variant"):
        layout.rewrite_config(tag, f"{tag}-variant", variant=variant)
        layout.umoci("tag", f"{tag}-variant", tag)
        layout.umoci("remove", f"{tag}-variant")


def _history(created_by: str, comment: str = "") -> list[str]:
    steps = [f"--history.created={CREATED}", f"--history.created_by={created_by}"]
    return [*steps, f"--history.comment={comment}"] if comment else steps


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _settle(tree: Path) -> None:
    """Give every file the same time, so that layers have the same digests in each session."""
    for path in [*tree.rglob("*"), tree]:
        os.utime(path, (_CREATED_SECONDS, _CREATED_SECONDS))


def _noise(seed: str, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def _short(platform: str) -> str:
    return platform.split("/")[1]


def _index(layout: Layout, platforms: list[str], *attached: Document, app: str = "app") -> Document:
    children = [_child(layout, platform, app) for platform in platforms]
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [*children, *attached],
        "annotations": {"com.example.level": "index"},
    }
    return layout.put(OCI_INDEX, encoded(index))


def _child(layout: Layout, platform: str, app: str) -> Document:
    tag = app if app == "previous" else f"{app}-{_short(platform)}"
    kept = {key: layout.find(tag)[key] for key in ("mediaType", "digest", "size")}
    annotations = {"com.example.level": "descriptor"}
    return {**kept, "platform": platform_of(platform), "annotations": annotations}


def attestation(layout: Layout, subject: Document, *, as_artifact: bool) -> Document:
    """Attach a provenance as BuildKit does: an artifact (new) or a dummy image (old)."""
    statement = encoded({"_type": "https://in-toto.io/Statement/v0.1", "for": subject["digest"]})
    predicate = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
    layer = layout.put(IN_TOTO, statement, annotations=predicate)
    rootfs = {"type": "layers", "diff_ids": [digest_of(statement)]}
    dummy = {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs}
    kept = {key: subject[key] for key in ("mediaType", "digest", "size")}
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        **({"artifactType": ATTESTATION} if as_artifact else {}),
        "config": layout.put(OCI_EMPTY, b"{}") if as_artifact
        else layout.put(OCI_CONFIG, encoded(dummy)),
        "layers": [layer],
        **({"subject": kept} if as_artifact else {}),
    }  # fmt: skip
    return layout.put(
        OCI_MANIFEST,
        encoded(manifest),
        platform={"architecture": "unknown", "os": "unknown"},
        annotations={
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": subject["digest"],
        },
    )


class Uploader:
    """The distribution API's push side, for documents that no tool writes."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def blob(self, repository: str, content: bytes) -> None:
        """Push a layer or a config."""
        start = self._ask("POST", repository, "blobs/uploads/")
        wanted = {"digest": digest_of(content)}
        done = self.session.put(start.headers["Location"], params=wanted, data=content, timeout=30)
        done.raise_for_status()

    def manifest(self, repository: str, target: str, media_type: str, content: bytes) -> None:
        """Push a manifest or an index under a tag or its digest."""
        headers = {"Content-Type": media_type}
        self._ask("PUT", repository, f"manifests/{target}", data=content, headers=headers)

    def tree(self, layout: Layout, repository: str, target: str, described: Document) -> None:
        """Push a document of a layout and everything that it names."""
        content = layout.blob(described["digest"])
        document = json.loads(content)
        for child in document.get("manifests", []):
            self.tree(layout, repository, child["digest"], child)
        for part in [*document.get("layers", []), *filter(None, [document.get("config")])]:
            self.blob(repository, layout.blob(part["digest"]))
        self.manifest(repository, target, described["mediaType"], content)

    def image(
        self,
        repository: str,
        tag: str | None,
        config: Document,
        layers: list[bytes],
        *,
        docker: bool,
        **of_layers: Any,
    ) -> Document:
        """Push a hand-made image, by digest where it gets no tag, and return its descriptor."""
        types = [DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER] if docker else [
            OCI_MANIFEST, OCI_CONFIG, OCI_LAYER,
        ]  # fmt: skip
        for content in [*layers, encoded(config)]:
            self.blob(repository, content)
        manifest = {
            "schemaVersion": 2,
            "mediaType": types[0],
            "config": descriptor(types[1], encoded(config)),
            "layers": [descriptor(types[2], layer, **of_layers) for layer in layers],
        }
        described = descriptor(types[0], encoded(manifest))
        self.manifest(repository, tag or described["digest"], types[0], encoded(manifest))
        return described

    def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest with all tags that point at it."""
        self._ask("DELETE", repository, f"manifests/{digest}")

    def head(self, repository: str, target: str) -> tuple[str, str]:
        """Return the digest and media type behind a tag, as the registry tells them."""
        accept = {"Accept": ", ".join(KINDS)}
        headers = self._ask("HEAD", repository, f"manifests/{target}", headers=accept).headers
        return headers["Docker-Content-Digest"], headers["Content-Type"]

    def _ask(self, method: str, repository: str, path: str, **more: Any) -> requests.Response:
        url = f"http://{self.host}/v2/{repository}/{path}"
        answer = self.session.request(method, url, timeout=30, **more)
        if not answer.ok:
            raise RuntimeError(f"{method} {url}: {answer.status_code} {answer.text}")
        return answer


def fill(library: Library, host: str) -> list[Image]:
    """Push every image into an open registry, and list the tags that now stand there."""
    with Uploader(host) as up:
        named = _push_built(library.layout, up)
        named |= _push_bare(library.layout, up)
        named |= _push_odd(library.layout, up)
        _push_untagged(library.layout, up)
        return [_described(up, name, *found) for name, found in named.items()]


Found = tuple[tuple[str, ...], tuple[str, ...]]
"""The platforms of a tag, and the digests of its attestations."""


def _described(
    up: Uploader, name: str, platforms: tuple[str, ...], attestations: tuple[str, ...]
) -> Image:
    repository, _, tag = name.partition(":")
    digest, media_type = up.head(repository, tag)
    return Image(up.host, repository, tag, digest, media_type, platforms, attestations)


def _push_built(layout: Layout, up: Uploader) -> dict[str, Found]:
    """What umoci built: single images, lists, indexes, aliases."""
    copies = {
        "base:3.20": ("base-amd64", "oci"),
        "base:latest": ("base-amd64", "oci"),
        "base:3.20-arm64": ("base-arm64", "oci"),
        "team/app/worker:2.0": ("worker", "oci"),
        "team/app/worker:2.0-docker": ("worker", "v2s2"),
        "tool:1.0-amd64": ("app-amd64", "v2s2"),
        "tool:1.0": ("app-list", "v2s2"),
        "tool:stable": ("app-list", "v2s2"),
        "legacy/app:schema1": ("worker", "v2s1"),
    }
    for name, (tag, form) in copies.items():
        every = tag == "app-list"
        place = f"{up.host}/{name}"
        skopeo.copy(layout.folder, tag, place, format=form, every_platform=every)
    return {
        **dict.fromkeys(copies, ((AMD64,), ())),
        "base:3.20-arm64": ((ARM64,), ()),
        "tool:1.0": ((AMD64, ARM64), ()),
        "tool:stable": ((AMD64, ARM64), ()),
        **_push_attested(layout, up),
    }


def _push_attested(layout: Layout, up: Uploader) -> dict[str, Found]:
    """Indexes as BuildKit writes them, the newest under three tags."""
    new = attestation(layout, layout.find("app-amd64"), as_artifact=True)
    old = attestation(layout, layout.find("previous"), as_artifact=False)
    latest = _index(layout, [AMD64, ARM64, ARM], new)
    previous = _index(layout, [AMD64], old, app="previous")
    for tag in ("1.4.2", "1.4", "latest"):
        up.tree(layout, "team/app", tag, latest)
    up.tree(layout, "team/app", "1.4.1", previous)
    newest = ((AMD64, ARM64, ARM), (new["digest"],))
    tags = dict.fromkeys(["team/app:1.4.2", "team/app:1.4", "team/app:latest"], newest)
    return {**tags, "team/app:1.4.1": ((AMD64,), (old["digest"],))}


def _push_bare(layout: Layout, up: Uploader) -> dict[str, Found]:
    """Images that lack all that may be lacking: no labels, env, history or time."""
    layer, config = _base_parts(layout)
    bare = {key: config[key] for key in ("architecture", "os", "rootfs")}
    empty = {**bare, "config": {"Labels": {}, "Env": [], "Cmd": None}, "history": []}
    up.image("bare/image", "oci", bare, [layer], docker=False)
    up.image("bare/image", "docker", bare, [layer], docker=True)
    up.image("bare/image", "empty", empty, [layer], docker=False)
    return {f"bare/image:{tag}": ((AMD64,), ()) for tag in ("oci", "docker", "empty")}


def _push_odd(layout: Layout, up: Uploader) -> dict[str, Found]:
    """Configs as Docker's own tools and odd builders write them."""
    layer, config = _base_parts(layout)
    docker = {
        **config,
        "created": "2024-03-05T06:07:08.123456700+02:00",
        "docker_version": "20.10.7",
        "container": "0" * 64,
        "config": {
            "Hostname": "0123456789ab",
            "Env": ["PATH=/bin", "NAME=first", "NAME=second", "WITHOUT_VALUE"],
            "Cmd": ["echo", "a b", "<&>"],
            "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30_000_000_000},
            "Shell": ["/bin/bash", "-c"],
            "OnBuild": ["RUN make"],
            "Labels": {"z": "last", "a": "first", "<b>": "&"},
        },
    }
    up.image("odd/image", "docker", docker, [layer], docker=True)
    epoch = {**config, "created": "1970-01-01T00:00:00Z"}
    lazy = {"com.example.toc": "layers may carry annotations"}
    up.image("odd/image", "epoch", epoch, [layer], docker=False, annotations=lazy)
    # The same layer twice, and more steps than layers.
    twice = {"type": "layers", "diff_ids": config["rootfs"]["diff_ids"] * 2}
    steps = [{"created": CREATED, "created_by": f"step {number}"} for number in range(3)]
    crooked = {**config, "rootfs": twice, "history": steps}
    up.image("odd/image", "crooked", crooked, [layer, layer], docker=True)
    found: dict[str, Found] = {
        f"odd/image:{tag}": ((AMD64,), ()) for tag in ("docker", "epoch", "crooked")
    }
    return {**found, **_push_windows(up, layer, config), **_push_mixed(up, layer, config)}


def _push_windows(up: Uploader, layer: bytes, config: Document) -> dict[str, Found]:
    """A list that holds the same platform twice, told apart by ``os.version`` only."""
    entries = []
    for version in ("10.0.17763.1", "10.0.20348.1"):
        described = {**config, "os": "windows", "os.version": version}
        child = up.image("odd/windows", None, described, [layer], docker=True)
        platform = {"architecture": "amd64", "os": "windows", "os.version": version}
        entries.append({**child, "platform": platform})
    body = {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries}
    up.manifest("odd/windows", "ltsc", DOCKER_LIST, encoded(body))
    return {"odd/windows:ltsc": (("windows/amd64",), ())}


def _push_mixed(up: Uploader, layer: bytes, config: Document) -> dict[str, Found]:
    """An OCI index, without ``mediaType``, that holds a Docker schema 2 manifest."""
    child = up.image("odd/mixed", "child", config, [layer], docker=True)
    entry = {**child, "platform": platform_of(AMD64)}
    body = {"schemaVersion": 2, "manifests": [entry]}
    up.manifest("odd/mixed", "latest", OCI_INDEX, encoded(body))
    return {"odd/mixed:child": ((AMD64,), ()), "odd/mixed:latest": ((AMD64,), ())}


def _push_untagged(layout: Layout, up: Uploader) -> None:
    """Leave a repository whose only tag is gone."""
    layer, config = _base_parts(layout)
    gone = up.image("empty/untagged", "gone", {**config, "author": "nobody"}, [layer], docker=False)
    up.delete("empty/untagged", gone["digest"])


def _base_parts(layout: Layout) -> tuple[bytes, Document]:
    """Return the layer and the config of the amd64 base."""
    manifest = json.loads(layout.blob(layout.find("base-amd64")["digest"]))
    config: Document = json.loads(layout.blob(manifest["config"]["digest"]))
    return layout.blob(manifest["layers"][0]["digest"]), config


PRIVATE_REPOSITORY = "private/app"
PUBLIC_REPOSITORY = "public/base"


def fill_private(library: Library, host: str, pusher: skopeo.Credentials) -> list[Image]:
    """Push a few images, by skopeo alone, into a registry that asks for a login."""
    layout = library.layout
    copies = {
        f"{PUBLIC_REPOSITORY}:3.20": ("base-amd64", (AMD64,)),
        f"{PRIVATE_REPOSITORY}:1.4": ("app-list", (AMD64, ARM64)),
        f"{PRIVATE_REPOSITORY}:worker": ("worker", (AMD64,)),
        "private/worker:2.0": ("worker", (AMD64,)),
    }
    images = []
    for name, (tag, platforms) in copies.items():
        every = len(platforms) > 1
        place = f"{host}/{name}"
        skopeo.copy(layout.folder, tag, place, every_platform=every, credentials=pusher)
        repository, _, pushed = name.partition(":")
        raw = skopeo.inspect(place, raw=True, credentials=pusher)
        media_type = OCI_INDEX if every else OCI_MANIFEST
        images.append(Image(host, repository, pushed, digest_of(raw), media_type, platforms))
    return images
