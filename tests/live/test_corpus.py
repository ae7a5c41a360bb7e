"""hubframe beside skopeo on documents as they are found, the odd and invalid ones included.

Those of the corpus are real; it lies beside the project and nothing of it is in here. Those of
our own making cover each format where it is absent.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import hubframe
from hubframe.frames.inspect import to_skopeo_json

from . import images, stand
from .stand import Stand

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "manifests"

OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DOCKER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd"
PLUGIN = "application/vnd.docker.plugin.v1+json"
HELM = "application/vnd.cncf.helm.config.v1+json"

Json = dict[str, Any]
Build = Callable[[Stand], Json | bytes]

BLOBS = [f"sha256:{at:064x}" for at in range(1, 9)]
CONFIG: Json = {
    "created": "2024-05-06T07:08:09.120000000Z",
    "author": "somebody",
    "architecture": "amd64",
    "os": "linux",
    "docker_version": "24.0.7",
    "config": {
        "User": "app",
        "ExposedPorts": {"80/tcp": {}},
        "Env": ["PATH=/bin", "EMPTY=", "GREETING=grüß <dich> & \u2028"],
        "Cmd": ["sh"],
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": {"b": "<2>", "a": "naïve 🐳", "C": ""},
    },
    "rootfs": {"type": "layers", "diff_ids": BLOBS[:2]},
    "history": [
        {"created": "2024-05-06T07:08:08Z", "created_by": "ADD base"},
        {"created": "2024-05-06T07:08:09Z", "created_by": "CMD", "empty_layer": True},
        {"created": "2024-05-06T07:08:09Z", "created_by": "RUN make", "comment": "buildkit"},
    ],
}


def layer(media_type: str = images.OCI_LAYER, **more: Any) -> Json:
    """Describe a layer."""
    return {"mediaType": media_type, "digest": BLOBS[0], "size": 1234, **more}


def oci(at: Stand, config: Any = CONFIG, **more: Any) -> Json:
    """Return an OCI manifest around a config that is held."""
    held = json.loads(stand.wrapped(at, config if isinstance(config, bytes) else encoded(config)))
    return {**held, **more}


def docker(at: Stand, config: Any = CONFIG, **more: Any) -> Json:
    """Return a Docker manifest around a config that is held."""
    body = encoded(config)
    return {**json.loads(stand.wrapped(at, body, images.DOCKER_MANIFEST)), **more}


def typed(manifest: Json, media_type: str) -> Json:
    """Return a manifest that calls its config something else."""
    return {**manifest, "config": {**manifest["config"], "mediaType": media_type}}


def without(document: Json, *names: str) -> Json:
    """Leave fields out."""
    return {name: held for name, held in document.items() if name not in names}


def runtime(**fields: Any) -> Json:
    """Return a config whose ``config`` holds other things."""
    return {**CONFIG, "config": {**CONFIG["config"], **fields}}


def entry(at: Stand, manifest: Any, platform: Any = "linux/amd64", **more: Any) -> Json:
    """Serve a manifest by its digest, and describe it for an index."""
    body = encoded(manifest)
    names = ("os", "architecture", "variant")
    if isinstance(platform, str):
        platform = dict(zip(names, platform.split("/"), strict=False))
    digest = at.add(body)
    shown = {} if platform is None else {"platform": platform}
    media_type = stand.media_type_of(body)
    return {"mediaType": media_type, "digest": digest, "size": len(body), **shown, **more}


def index(*entries: Json, media_type: str = images.OCI_INDEX) -> Json:
    """Return an index."""
    return {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries)}


def docker_list(*entries: Json) -> Json:
    """Return a manifest list."""
    return index(*entries, media_type=images.DOCKER_LIST)


def labelled(at: Stand, value: str, make: Any = oci) -> Json:
    """Return a manifest that can be told from others."""
    return make(at, runtime(Labels={"which": value}))


def encoded(document: Any) -> bytes:
    """Write a document, unless it is written already."""
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def step(number: int, *, below: int | None = None, **more: Any) -> Json:
    """Return a step of schema 1."""
    parent = {} if below is None else {"parent": f"{below:064x}"}
    made = {"Cmd": ["/bin/sh", "-c", f"step {number}"]}
    return {
        "id": f"{number:064x}",
        **parent,
        "created": f"2015-01-0{number}T00:00:00.5Z",
        "container_config": made,
        **more,
    }


NEWEST = step(
    3,
    below=2,
    architecture="amd64",
    os="linux",
    docker_version="1.8.2",
    throwaway=True,
    config={"Env": ["A=1"], "Labels": {"old": "yes"}},
)
STEPS = [NEWEST, step(2, below=1), step(1)]


def schema1(steps: list[Json] = STEPS, blobs: list[str] | None = None, **more: Any) -> Json:
    """Return an unsigned manifest of schema 1, newest step first."""
    chosen = [BLOBS[at] for at in range(len(steps))] if blobs is None else blobs
    return {
        "schemaVersion": 1,
        "name": "old/app",
        "tag": "1.0",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": blob} for blob in chosen],
        "history": [{"v1Compatibility": json.dumps(one)} for one in steps],
        **more,
    }


def signed(document: Json) -> bytes:
    """Sign a manifest of schema 1 in form only: the digest is that of what was signed."""
    payload = json.dumps(document, indent=3).encode()
    head, tail = payload[:-2], payload[-2:]
    protected = {"formatLength": len(head), "formatTail": base64url(tail), "time": "2015-01-01"}
    key = {"crv": "P-256", "kid": KEY_ID, "kty": "EC", "x": base64url(X), "y": base64url(Y)}
    signature = {
        "header": {"jwk": key, "alg": "ES256"},
        "signature": base64url(bytes(64)),
        "protected": base64url(json.dumps(protected).encode()),
    }
    return head + b',\n   "signatures": ' + json.dumps([signature]).encode() + tail


def base64url(plain: bytes) -> str:
    """Encode as signatures of schema 1 do."""
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


# The base point of P-256: any point of the curve will do for a key that nobody checks.
X = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
Y = bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
# Their name for it: a hash of the key as DER.
_DER = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + X + Y
_NAME = base64.b32encode(hashlib.sha256(_DER).digest()[:30]).decode()
KEY_ID = ":".join(_NAME[at : at + 4] for at in range(0, len(_NAME), 4))


def nested(at: Stand, depth: int) -> Json:
    """Return indexes within indexes."""
    found = labelled(at, "deep")
    for _ in range(depth):
        found = index(entry(at, found))
    return found


def attestation(at: Stand) -> Json:
    """Describe an attestation among the images of an index."""
    manifest = typed(oci(at, layers=[layer(images.IN_TOTO)]), images.OCI_EMPTY)
    annotations = {"vnd.docker.reference.type": "attestation-manifest"}
    return entry(at, manifest, "unknown/unknown", annotations=annotations)


IMAGES: dict[str, Build] = {
    "oci": oci,
    "docker": docker,
    "oci without its type": lambda at: without(oci(at), "mediaType"),
    "docker whose config is of no type": lambda at: typed(docker(at), "application/octet-stream"),
    "docker with an OCI config": lambda at: typed(docker(at), images.OCI_CONFIG),
    "docker plugin": lambda at: typed(docker(at, {"description": "a plugin"}), PLUGIN),
    "annotated": lambda at: oci(at, annotations={"a": "b"}),
    "foreign layers": lambda at: oci(at, layers=[layer(OCI_FOREIGN, urls=["https://e.com/l"])]),
    "foreign layers of docker": lambda at: docker(at, layers=[layer(DOCKER_FOREIGN)]),
    "zstd layers": lambda at: oci(at, layers=[layer(f"{images.OCI_LAYER[:-4]}zstd")] * 2),
    "layers with annotations": lambda at: oci(at, layers=[layer(annotations={"b": "2", "a": ""})]),
    "layers of docker with annotations": lambda at: docker(
        at, layers=[layer(images.DOCKER_LAYER, annotations={"a": "b"})]
    ),
    "layers by sha512": lambda at: oci(at, layers=[layer(digest=f"sha512:{'ab' * 64}")]),
    "layers of an unknown type": lambda at: oci(at, layers=[layer("text/plain")]),
    "layers null": lambda at: oci(at, layers=None),
    "layers missing": lambda at: without(oci(at), "layers"),
    "layers empty": lambda at: oci(at, layers=[]),
    "layers that are null": lambda at: oci(at, layers=[None, layer()]),
    "layers without digest": lambda at: oci(at, layers=[without(layer(), "digest")]),
    "layers as text": lambda at: oci(at, layers="none"),
    "layers with a size as text": lambda at: oci(at, layers=[layer(size="1")]),
    "layers with annotations as a list": lambda at: oci(at, layers=[layer(annotations=[])]),
    "config empty": lambda at: oci(at, {}),
    "config empty of docker": lambda at: docker(at, {}),
    "config missing": lambda at: without(oci(at), "config"),
    "config of docker missing": lambda at: without(docker(at), "config"),
    "runtime null": lambda at: oci(at, {**CONFIG, "config": None}),
    "runtime null of docker": lambda at: docker(at, {**CONFIG, "config": None}),
    "runtime a list": lambda at: oci(at, {**CONFIG, "config": []}),
    "labels null": lambda at: oci(at, runtime(Labels=None)),
    "labels empty": lambda at: oci(at, runtime(Labels={})),
    "labels that are null": lambda at: oci(at, runtime(Labels={"a": None})),
    "labels that are numbers": lambda at: oci(at, runtime(Labels={"a": 1})),
    "labels as a list": lambda at: oci(at, runtime(Labels=["a=b"])),
    "env null": lambda at: oci(at, runtime(Env=None)),
    "env empty": lambda at: docker(at, runtime(Env=[])),
    "env with null": lambda at: oci(at, runtime(Env=[None, "A=1", "A=2", "B"])),
    "env as text": lambda at: oci(at, runtime(Env="A=1")),
    "half a character": lambda at: oci(at, runtime(Labels={"a\ud800": "\udc00b"})),
    "architecture a number": lambda at: oci(at, {**CONFIG, "architecture": 64}),
    "docker_version a number": lambda at: oci(at, {**CONFIG, "docker_version": 1.8}),
    "architecture null": lambda at: oci(at, {**CONFIG, "architecture": None, "os": None}),
}
TIMES = (
    None,
    "",
    "yesterday",
    "2024-05-06",
    "2024-05-06 07:08:09Z",
    "2024-05-06T07:08:09",
    "2024-02-30T07:08:09Z",
    "2024-05-06T24:00:00Z",
    "2024-05-06T07:08:09Z",
    "2024-05-06T07:08:09.000Z",
    "2024-05-06T07:08:09.123456789987Z",
    "2024-05-06T07:08:09.5+02:00",
    "2024-05-06T07:08:09-00:30",
    "2024-05-06T07:08:09+00:00",
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    1714979289,
)
for _time in TIMES:
    IMAGES[f"created {_time!r}"] = lambda at, time=_time: oci(at, {**CONFIG, "created": time})
for _time in TIMES[:3]:
    IMAGES[f"docker created {_time!r}"] = lambda at, time=_time: docker(
        at, {**CONFIG, "created": time}
    )

INDEXES: dict[str, Build] = {
    "index": lambda at: index(entry(at, oci(at)), entry(at, labelled(at, "arm"), "linux/arm64")),
    "index without its type": lambda at: without(index(entry(at, oci(at))), "mediaType"),
    "index of docker manifests": lambda at: index(entry(at, docker(at))),
    "list": lambda at: docker_list(
        entry(at, labelled(at, "arm", docker), "linux/arm/v7"), entry(at, docker(at))
    ),
    "list of OCI manifests": lambda at: docker_list(entry(at, oci(at))),
    "equals: the first": lambda at: index(
        *(entry(at, labelled(at, value)) for value in "cabd"), entry(at, oci(at))
    ),
    "no platform: the first": lambda at: index(
        *(entry(at, labelled(at, value), None) for value in "cabd")
    ),
    "no platform: last of all": lambda at: index(
        entry(at, labelled(at, "any"), None), entry(at, labelled(at, "amd64"))
    ),
    "no platform in a list": lambda at: docker_list(entry(at, docker(at), None)),
    "empty platform": lambda at: index(entry(at, oci(at), {})),
    "a variant of amd64": lambda at: index(entry(at, labelled(at, "v2"), "linux/amd64/v2")),
    "a variant beside none": lambda at: index(
        entry(at, labelled(at, "v2"), "linux/amd64/v2"), entry(at, labelled(at, "none"))
    ),
    "an index in an index": lambda at: nested(at, 3),
    "a list in an index": lambda at: index(entry(at, docker_list(entry(at, docker(at))))),
    "an index of another platform in an index": lambda at: index(
        entry(at, index(entry(at, oci(at), "linux/s390x")))
    ),
    "attestations": lambda at: index(entry(at, oci(at)), attestation(at)),
    "attestations first": lambda at: index(attestation(at), entry(at, oci(at))),
    "attestations only": lambda at: index(attestation(at)),
    "no entries": lambda _: index(),
    "entries null": lambda _: {**index(), "manifests": None},
    "an entry that is not there": lambda at: index({**entry(at, oci(at)), "digest": BLOBS[7]}),
    "an entry without digest": lambda at: index(without(entry(at, oci(at)), "digest")),
    "an entry whose digest is none": lambda at: index({**entry(at, oci(at)), "digest": "../x"}),
    "an entry that is an artifact": lambda at: index(entry(at, typed(oci(at), HELM))),
    "zstd beside gzip": lambda at: index(
        entry(at, labelled(at, "gzip")),
        entry(
            at, labelled(at, "zstd"), annotations={"io.github.containers.compression.zstd": "true"}
        ),
    ),
}
ARTIFACTS: dict[str, Build] = {
    "chart": lambda at: typed(oci(at, {"name": "web", "version": "1.2.0"}), HELM),
    "artifact": lambda at: typed(oci(at, {}, artifactType="text/sbom"), images.OCI_EMPTY),
    "artifact whose config is not there": lambda at: {
        **oci(at),
        "config": {"mediaType": images.OCI_EMPTY, "digest": BLOBS[7], "size": 2},
    },
}
SCHEMA1: dict[str, Build] = {
    "schema 1": lambda _: signed(schema1()),
    "schema 1 unsigned": lambda _: schema1(),
    "schema 1 of one step": lambda _: signed(schema1([step(1)])),
    "schema 1 without tag": lambda _: without(schema1(), "tag"),
    "schema 1 with one blob throughout": lambda _: schema1(blobs=[BLOBS[0]] * 3),
    "schema 1 with a step repeated": lambda _: schema1([NEWEST, *STEPS]),
    "schema 1 with its base repeated": lambda _: schema1([*STEPS, STEPS[-1]]),
    "schema 1 with a step that comes again": lambda _: schema1(
        [NEWEST, step(2, below=1), step(1, below=2), step(2, below=1), step(1)]
    ),
    "schema 1 with a wrong parent": lambda _: schema1([NEWEST, step(1)]),
    "schema 1 without its base": lambda _: schema1(STEPS[:2]),
    "schema 1 with a wrong id": lambda _: schema1([{**step(1), "id": "x"}]),
    "schema 1 without layers": lambda _: schema1([]),
    "schema 1 with fewer layers than steps": lambda _: schema1(blobs=BLOBS[:1]),
    "schema 1 with a step that is no JSON": lambda _: {
        **schema1([step(1)]),
        "history": [{"v1Compatibility": "{"}],
    },
    "schema 1 without created": lambda _: schema1([without(step(1), "created")]),
}
AMBIGUOUS: dict[str, Build] = {
    "manifest with manifests": lambda at: oci(at, manifests=[entry(at, oci(at))]),
    "docker manifest with manifests": lambda at: docker(at, manifests=[]),
    "index with layers": lambda at: {**index(entry(at, oci(at))), "layers": [layer()]},
    "list with a config": lambda at: {**docker_list(), "config": oci(at)["config"]},
    "manifest with fsLayers": lambda at: oci(at, fsLayers=[{"blobSum": BLOBS[0]}]),
    "schema 1 with layers": lambda _: schema1(layers=[layer()]),
    "manifest of manifests only": lambda at: index(
        entry(at, oci(at)), media_type=images.OCI_MANIFEST
    ),
    "index of layers only": lambda at: without(
        {**oci(at), "mediaType": images.OCI_INDEX}, "config"
    ),
    "index that is a manifest": lambda at: {**oci(at), "mediaType": images.OCI_INDEX},
    "manifest with null manifests": lambda at: oci(at, manifests=None),
}
# Where a difference is meant: each has a test of its own below, and a row in docs/skopeo.md.
MEANT: dict[str, Build] = {
    "OCI with a docker config": lambda at: typed(oci(at), images.DOCKER_CONFIG),
    "docker without its type": lambda at: without(docker(at), "mediaType"),
    "config by sha512": lambda at: {
        **oci(at),
        "config": {
            "mediaType": images.OCI_CONFIG,
            "digest": at.hold(encoded(CONFIG), "sha512"),
            "size": 1,
        },
    },
    "zstd layers of docker": lambda at: docker(at, layers=[layer(DOCKER_ZSTD)]),
    "keys in another case": lambda at: oci(
        at, {**without(CONFIG, "os"), "OS": "linux", "config": {"env": ["A=1"]}}
    ),
    "config null": lambda at: oci(at, b"null"),
    "config no JSON": lambda at: oci(at, b"{"),
    "config a list": lambda at: oci(at, b"[]"),
    "artifact whose config is no JSON": lambda at: typed(oci(at, b"plain"), "text/plain"),
    "indexes too deep": lambda at: nested(at, 12),
    "unprinted nonsense": lambda at: oci(at, {**runtime(Cmd="sh"), "rootfs": []}),
}

SENT_AS = {
    "OCI sent as text": (oci, "text/plain"),
    "OCI sent as JSON": (oci, "application/json"),
    "OCI sent as docker": (oci, images.DOCKER_MANIFEST),
    "OCI sent as an index": (oci, images.OCI_INDEX),
    "docker sent as text": (docker, "text/plain"),
    "docker sent as OCI": (docker, images.OCI_MANIFEST),
}
SENT_AS_THE_SAME = {
    "OCI sent with a parameter": (oci, f"{images.OCI_MANIFEST}; charset=utf-8"),
    "schema 1 sent as text": (lambda _: signed(schema1()), "text/plain"),
    "schema 1 sent as JSON": (lambda _: signed(schema1()), "application/json"),
}
OWN = {**IMAGES, **INDEXES, **ARTIFACTS, **SCHEMA1, **AMBIGUOUS}


def corpus_names() -> Iterator[str]:
    """Name the files of the corpus; each config stands in two manifests of our own making."""
    for path in sorted(CORPUS.glob("*/*/*.json")):
        name = path.relative_to(CORPUS).as_posix()
        formats = ("OCI", "docker") if "/image-config" in name else (None,)
        yield from (name if form is None else f"{name} in {form}" for form in formats)


REAL = list(corpus_names())
REAL_SCHEMA1 = [
    name
    for name in REAL
    if re.search("/schema1(-signed)?/", name)
    and not name.endswith("v2s1-invalid-signatures.manifest.json")
]
# Docker manifests that skopeo 1.9.3 refuses for the types of their layers, or for having none.
REFUSED = {
    "containers__container-libs/docker-schema2/oci1-all-media-types-to-schema2.json",
    "containers__container-libs/docker-schema2/schema2-all-media-types.json",
    "containers__container-libs/docker-schema2/schema2-invalid-media-type.json",
    "containers__container-libs/oci-manifest/v2s2nomime.manifest.json",
    "containers__image/docker-schema2/schema2-invalid-media-type.json",
}
ABSENT = pytest.param("", marks=pytest.mark.skip("the corpus of real manifests is not here"))
SAME = [*OWN, *SENT_AS_THE_SAME, *(name for name in REAL if name not in REFUSED)]
OLD = {*REAL_SCHEMA1, *SCHEMA1, *(name for name in SENT_AS_THE_SAME if "schema 1" in name)}

# Of many documents of our own making, and of the manifests around configs, the bytes show nothing.
OWN_RAW = {**INDEXES, **ARTIFACTS, **SCHEMA1, **AMBIGUOUS, **SENT_AS, **SENT_AS_THE_SAME, **MEANT}
RAW = ["oci", "docker", *OWN_RAW, *(name for name in REAL if " in " not in name)]

FLAGS = {
    "inspect": (),
    "raw": ("--raw",),
    "config": ("--config",),
    "raw config": ("--config", "--raw"),
}


@dataclass(frozen=True)
class Said:
    """What skopeo printed, or why it did not."""

    status: int
    printed: bytes
    error: str


@dataclass(frozen=True)
class Answers:
    """What skopeo says of every document of the stand."""

    at: Stand
    references: dict[str, str]
    said: dict[tuple[str, str], Said]

    def body(self, name: str) -> bytes:
        """Return a document as it is served."""
        repository = self.references[name].removeprefix(f"{self.at.host}/").removesuffix(":it")
        return self.at.tagged[repository].body


def ask(reference: str, flags: tuple[str, ...]) -> Said:
    """Run skopeo; without ``--no-creds`` it would use the logins of the machine."""
    chosen = ("--insecure-policy", "--override-os=linux", "--override-arch=amd64")
    command = ["skopeo", *chosen, "inspect", "--tls-verify=false", "--no-creds", *flags]
    done = subprocess.run([*command, f"docker://{reference}"], capture_output=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def filled(at: Stand) -> dict[str, str]:
    """Serve everything, each in a repository of its own, and return the references."""
    own = {
        **{name: (build, None) for name, build in {**OWN, **MEANT}.items()},
        **SENT_AS,
        **SENT_AS_THE_SAME,
    }
    bodies = {name: (encoded(build(at)), kind) for name, (build, kind) in own.items()}
    for path in CORPUS.glob("*/image-config/*.json"):
        at.hold(path.read_bytes())
    for name in REAL:
        file, _, form = name.partition(" in ")
        body, kind = (CORPUS / file).read_bytes(), FORMS.get(form)
        bodies[name] = (stand.wrapped(at, body, kind) if kind else body, None)
    return {
        name: at.serve(f"it/{number}", body, kind)
        for number, (name, (body, kind)) in enumerate(bodies.items())
    }


FORMS = {"OCI": images.OCI_MANIFEST, "docker": images.DOCKER_MANIFEST}


def is_asked(name: str, what: str) -> bool:
    """Tell whether skopeo is asked for that; a config as it understands it is shown by our own."""
    return {"raw": name in RAW, "config": name not in REAL or name in OLD}.get(what, True)


@pytest.fixture(scope="session")
def answers() -> Iterator[Answers]:
    """Everything that skopeo says; a few at a time, for a process starts slowly."""
    if not shutil.which("skopeo"):
        message = "install skopeo (a Debian package) to compare with it"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with stand.serve() as at, ThreadPoolExecutor(4) as pool:
        references = filled(at)
        asked = [(name, what) for name in references for what in FLAGS if is_asked(name, what)]
        said = pool.map(lambda one: ask(references[one[0]], FLAGS[one[1]]), asked)
        yield Answers(at, references, dict(zip(asked, said, strict=True)))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hubframe.Client]:
    """A client for many tests; documents that share a digest need one of their own each."""
    settings = hubframe.Settings(cache_dir=tmp_path_factory.mktemp("cache"))
    with hubframe.Client(settings=settings) as opened:
        yield opened


def error_of(said: Said) -> tuple[type[Exception], ...]:
    """Return what hubframe raises where skopeo fails so."""
    if "no image found" in said.error:
        return (hubframe.NoSuchPlatformError,)
    if "404 (Not Found)" in said.error or "manifest unknown" in said.error:
        # A digest that is missing or none is asked for by skopeo, and not by hubframe.
        return (hubframe.NotFoundError, hubframe.PayloadError)
    return (hubframe.PayloadError,)


@pytest.mark.parametrize("name", SAME if REAL else [*SAME, ABSENT])
def test_inspect_prints_what_skopeo_prints(
    answers: Answers, reader: hubframe.Client, name: str
) -> None:
    reference, said = answers.references[name], answers.said[name, "inspect"]
    if said.status:
        with pytest.raises(error_of(said)):
            hubframe.inspect(reference, client=reader)
        return
    seen = hubframe.inspect(reference, client=reader)
    printed = json.loads(said.printed)
    assert seen["LayersData"] in possible_layers(answers, name, printed)
    if "LayersData" not in printed:  # which skopeo prints since 1.10
        del seen["LayersData"]
    assert f"{to_skopeo_json(seen)}\n" == said.printed.decode()


def possible_layers(answers: Answers, name: str, printed: Json) -> list[list[Json]]:
    """Write ``LayersData`` of all manifests with the layers that skopeo printed."""
    found = manifests_below(answers.at, answers.body(name))
    if any(document.get("schemaVersion") == 1 for document in found):
        return [[shown_layer({}, digest, -1) for digest in printed["Layers"]]]
    shown = [[shown_layer(one or {}) for one in held.get("layers") or ()] for held in found]
    return [one for one in shown if [layer["Digest"] for layer in one] == printed["Layers"]]


def manifests_below(at: Stand, body: bytes) -> list[Json]:
    """List the manifests that an index leads to, or the one that it is."""
    document = json.loads(body)
    if not document.get("manifests"):
        return [{**document, "mediaType": stand.media_type_of(body)}]
    digests = [held.get("digest") for held in document["manifests"]]
    bodies = [at.by_digest[digest].body for digest in digests if digest in at.by_digest]
    return [found for body in bodies for found in manifests_below(at, body)]


def shown_layer(held: Json, digest: str | None = None, size: int | None = None) -> Json:
    """Write a layer as skopeo 1.10 and later do; Docker's format has no annotations there."""
    is_docker = "docker" in held.get("mediaType", "")
    return {
        "MIMEType": held.get("mediaType", ""),
        "Digest": digest or held.get("digest", ""),
        "Size": size or held.get("size", 0),
        "Annotations": None if is_docker else held.get("annotations"),
    }


@pytest.mark.parametrize("name", RAW if REAL else [*RAW, ABSENT])
def test_raw_manifest_is_skopeos_byte_for_byte(answers: Answers, client: Any, name: str) -> None:
    said = answers.said[name, "raw"]
    assert not said.status
    assert hubframe.raw_manifest(answers.references[name], client=client) == said.printed


@pytest.mark.parametrize("name", [name for name in SAME if name not in OLD])
def test_config_is_what_skopeo_reads(answers: Answers, reader: hubframe.Client, name: str) -> None:
    reference, said = answers.references[name], answers.said[name, "raw config"]
    if said.status:
        with pytest.raises(error_of(said)):
            hubframe.config(reference, client=reader)
        return
    seen = hubframe.config(reference, client=reader)
    assert seen == json.loads(said.printed)
    kept = answers.said.get((name, "config"))
    # Where it fails, what skopeo read is an artifact's, or holds fields of other types.
    if kept and not kept.status:
        assert as_kept(seen) == as_kept(json.loads(kept.printed))


KEPT = (
    "created", "author", "architecture", "os", "rootfs", "history",
)  # fmt: skip
KEPT_RUNTIME = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels",
    "StopSignal",
)  # fmt: skip


def as_kept(config: Json) -> Json:
    """Keep what ``--config`` keeps: the specification's fields, the empty ones left out."""
    inner = {
        name: held for name, held in (config.get("config") or {}).items() if name in KEPT_RUNTIME
    }
    kept = {name: held for name, held in config.items() if name in KEPT}
    found: Json = full({**kept, "config": inner})
    return found


def full(held: Any) -> Any:
    """Leave out what is empty, at any depth, and write texts and times as Go does."""
    if isinstance(held, dict):
        return {full(name): full(one) for name, one in held.items() if full(one)}
    if isinstance(held, list):
        return [full(one) for one in held if full(one)]
    if isinstance(held, str):
        sound = held.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        moment = re.sub(r"^(\d{4}-\d\d-\d\dT[\d:]+\.\d{1,9})\d*(?=Z|[+-])", r"\1", sound)
        moment = re.sub(r"^(\d{4}-\d\d-\d\dT[\d:]+(?:\.\d*[1-9])?)\.?0*(?=Z|[+-])", r"\1", moment)
        return re.sub(r"^(\d{4}-\d\d-\d\dT[\d:.]+)\+00:00$", r"\1Z", moment)
    return held


# What follows are the differences that are meant. Their reasons stand in docs/skopeo.md.


def assert_read(answers: Answers, client: Any, name: str, refusal: str) -> Json:
    """Check that skopeo refuses a document that hubframe reads, and return what that says."""
    said = answers.said[name, "inspect"]
    assert said.status
    assert refusal in said.error
    seen = hubframe.inspect(answers.references[name], client=client)
    assert seen["Digest"] == stand.digest_of(answers.body(name))
    assert seen["Architecture"] == "amd64"
    return seen


def test_layers_of_docker_may_be_of_any_type(answers: Answers, client: Any) -> None:
    name = "zstd layers of docker"
    seen = assert_read(answers, client, name, "unsupported docker v2s2 media type")
    assert [held["MIMEType"] for held in seen["LayersData"]] == [DOCKER_ZSTD]


@pytest.mark.parametrize("name", sorted(REFUSED & set(REAL)) or [ABSENT])
def test_layers_of_docker_may_be_of_any_type_in_the_corpus(
    answers: Answers, client: Any, name: str
) -> None:
    said = answers.said[name, "inspect"]
    assert "unsupported docker v2s2 media type" in said.error
    manifest = json.loads(answers.body(name))
    if manifest["config"]["digest"] not in answers.at.blobs:
        with pytest.raises(hubframe.NotFoundError):
            hubframe.inspect(answers.references[name], client=client)
        return
    seen = hubframe.inspect(answers.references[name], client=client)
    assert seen["LayersData"] == [shown_layer(held) for held in manifest["layers"]]


def test_a_docker_manifest_may_leave_out_its_type(answers: Answers, client: Any) -> None:
    name = "docker without its type"
    seen = assert_read(answers, client, name, "unsupported docker v2s2 media type")
    assert seen["Created"] == "2024-05-06T07:08:09.12Z"


@pytest.mark.parametrize("name", SENT_AS)
def test_a_documents_own_type_counts(answers: Answers, client: Any, name: str) -> None:
    seen = assert_read(answers, client, name, "")
    assert len(seen["Layers"]) == 2


def test_an_oci_manifest_may_hold_a_docker_config(answers: Answers, client: Any) -> None:
    name = "OCI with a docker config"
    seen = assert_read(answers, client, name, "unsupported image-specific operation on artifact")
    assert seen["Env"] == CONFIG["config"]["Env"]


def test_a_config_may_be_named_by_sha512(answers: Answers, client: Any) -> None:
    name = "config by sha512"
    assert_read(answers, client, name, "does not match expected sha512")
    assert hubframe.config(answers.references[name], client=client) == CONFIG


def test_fields_that_are_not_printed_may_be_anything(answers: Answers, client: Any) -> None:
    assert_read(answers, client, "unprinted nonsense", "cannot unmarshal")


def test_keys_are_spelled_in_one_way(answers: Answers, client: Any) -> None:
    name = "keys in another case"
    printed = json.loads(answers.said[name, "inspect"].printed)
    assert (printed["Os"], printed["Env"]) == ("linux", ["A=1"])
    seen = hubframe.inspect(answers.references[name], client=client)
    assert (seen["Os"], seen["Env"]) == ("", None)


def test_indexes_within_indexes_end(answers: Answers, client: Any) -> None:
    name = "indexes too deep"
    assert not answers.said[name, "inspect"].status
    with pytest.raises(hubframe.PayloadError, match="index of indexes"):
        hubframe.inspect(answers.references[name], client=client)


@pytest.mark.parametrize("name", ["config null", "config no JSON", "config a list"])
def test_a_config_is_a_json_object(answers: Answers, client: Any, name: str) -> None:
    assert not answers.said[name, "raw config"].status
    for read in (hubframe.config, hubframe.inspect):
        with pytest.raises(hubframe.PayloadError, match="JSON"):
            read(answers.references[name], client=client)


def test_a_config_that_is_no_json_is_an_error(answers: Answers, client: Any) -> None:
    name = "artifact whose config is no JSON"
    assert answers.said[name, "raw config"].printed == b"plain"
    with pytest.raises(hubframe.PayloadError, match="not JSON"):
        hubframe.config(answers.references[name], client=client)


def test_the_config_of_an_artifact_is_given(answers: Answers, client: Any) -> None:
    said = answers.said["chart", "config"]
    assert said.status
    assert "unsupported image-specific operation on artifact" in said.error
    seen = hubframe.config(answers.references["chart"], client=client)
    assert seen == {"name": "web", "version": "1.2.0"}


GOOD_SCHEMA1 = [
    "schema 1",
    "schema 1 unsigned",
    "schema 1 of one step",
    "schema 1 with a step repeated",
    *(REAL_SCHEMA1 or [ABSENT]),
]


@pytest.mark.parametrize("name", GOOD_SCHEMA1)
def test_schema_1_tells_a_config(answers: Answers, reader: hubframe.Client, name: str) -> None:
    assert answers.said[name, "raw config"] == Said(0, b"", "")
    seen = hubframe.config(answers.references[name], client=reader)
    kept = as_kept(json.loads(answers.said[name, "config"].printed))
    # skopeo makes up a rootfs without digests, and marks the steps whose layers are empty.
    history = [without(one, "empty_layer") for one in kept.pop("history")]
    kept.pop("rootfs")
    found = as_kept(seen)
    assert found.pop("history") == history
    assert found == kept


@pytest.mark.parametrize("name", [name for name in SCHEMA1 if name not in GOOD_SCHEMA1])
def test_schema_1_that_cannot_be_read_tells_no_config(
    answers: Answers, client: Any, name: str
) -> None:
    if not answers.said[name, "inspect"].status:
        assert hubframe.config(answers.references[name], client=client)["history"]
        return
    with pytest.raises(hubframe.PayloadError):
        hubframe.config(answers.references[name], client=client)


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_of_tags_that_is_refused_is_a_warning(
    answers: Answers, client: Any, status: int
) -> None:
    body = encoded(labelled(answers.at, f"refused with {status}"))
    reference = answers.at.serve(f"refused/{status}", body)
    answers.at.refused[f"refused/{status}"] = status
    said = ask(reference, ())
    assert bool(said.status) == (status == 404)
    with pytest.warns(hubframe.IncompleteWarning, match="not listed"):
        seen = hubframe.inspect(reference, client=client)
    assert seen["RepoTags"] == []
    if not said.status:
        assert not json.loads(said.printed)["RepoTags"]


def test_of_schema_1_one_signature_is_kept(answers: Answers, client: Any) -> None:
    """The digest leaves signatures out, so that two documents may share it."""
    plain, reference = schema1(tag="shared"), answers.references["schema 1"]
    manifest = json.dumps(plain, indent=3).encode()
    first = answers.at.serve("shared/unsigned", manifest)
    second = answers.at.serve("shared/signed", signed(plain))
    assert ask(first, ("--raw",)).printed != ask(second, ("--raw",)).printed
    assert hubframe.raw_manifest(first, client=client) == manifest
    assert hubframe.raw_manifest(second, client=client) == manifest
    assert hubframe.raw_manifest(reference, client=client) != manifest
