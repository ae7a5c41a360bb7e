"""The images of one repository, made from a seed: always the same documents, as builders write them."""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURES = ("amd64", "arm64")
# So many releases stand on the same base.
_PER_BASE = 25
_BASE_LAYERS = 5
_PACKAGES = [
    "ca-certificates",
    "curl",
    "git",
    "gnupg",
    "libbz2-dev",
    "libffi-dev",
    "liblzma-dev",
    "libncurses-dev",
    "libpq-dev",
    "libreadline-dev",
    "libsqlite3-dev",
    "libssl-dev",
    "locales",
    "make",
    "openssh-client",
    "tini",
    "tzdata",
    "unzip",
    "xz-utils",
    "zlib1g-dev",
]

Json = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """A document: its bytes, and the digest that names them."""

    digest: str
    body: bytes


@dataclass(frozen=True)
class Picture:
    """One platform's image, as manifest and config."""

    architecture: str
    manifest: Stored
    config: Stored


@dataclass(frozen=True)
class Release:
    """A tag, its index, and the images in it."""

    tag: str
    index: Stored
    images: tuple[Picture, ...]


def releases(count: int) -> Iterator[Release]:
    """Make releases; the first ones of a larger collection are those of a smaller one."""
    return map(release, range(count))


def release(number: int) -> Release:
    """Make one release."""
    images = tuple(_image(number, architecture) for architecture in ARCHITECTURES)
    entries = [
        {
            "mediaType": MANIFEST,
            "digest": image.manifest.digest,
            "size": len(image.manifest.body),
            "platform": {"architecture": image.architecture, "os": "linux"},
        }
        for image in images
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return Release(tag_name(number), _stored(index), images)


def tag_name(number: int) -> str:
    """Name a release."""
    return f"{number // 100}.{number // 10 % 10}.{number % 10}"


def documents(number: int, architecture: str) -> tuple[Json, Json]:
    """Make the manifest and the config of one image, as parsed JSON."""
    base_layers, base_steps, base_ids = _base(number // _PER_BASE, architecture)
    chance = random.Random(f"image {number} {architecture}")
    own = [_layer(chance) for _ in range(3 + number % 5)]
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": _moment(number, 59),
        "author": "The Example Authors <images@example.com>",
        "config": {
            "User": "1000:1000",
            "ExposedPorts": {"8080/tcp": {}, "9090/tcp": {}},
            "Env": _environment(number),
            "Entrypoint": ["/usr/bin/tini", "--", "docker-entrypoint.sh"],
            "Cmd": ["serve", "--port=8080"],
            "Volumes": {"/var/lib/example": {}},
            "WorkingDir": "/srv/example",
            "Labels": _labels(number, chance),
            "StopSignal": "SIGTERM",
        },
        "rootfs": {"type": "layers", "diff_ids": base_ids + [_digest(chance) for _ in own]},
        "history": base_steps + _steps(number, len(own), chance),
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {},
        "layers": base_layers + own,
    }
    return manifest, config


def copies(count: int, distinct: int = 2_500) -> Iterator[tuple[Json, Json]]:
    """Make many manifests and configs fast: each has objects of its own, texts are shared."""
    made = [documents(number, "amd64") for number in range(min(count, distinct))]
    for number in range(count):
        manifest, config = made[number % len(made)]
        layers = [dict(layer) for layer in manifest["layers"]]
        steps = [dict(step) for step in config["history"]]
        yield {**manifest, "layers": layers}, {**config, "history": steps}


def _image(number: int, architecture: str) -> Picture:
    manifest, written = documents(number, architecture)
    config = _stored(written)
    manifest["config"] = {
        "mediaType": CONFIG,
        "digest": config.digest,
        "size": len(config.body),
    }
    return Picture(architecture, _stored(manifest), config)


@cache
def _base(number: int, architecture: str) -> tuple[list[Json], list[Json], list[str]]:
    """Make what releases share: layers, build steps and diff IDs."""
    chance = random.Random(f"base {number} {architecture}")
    layers = [_layer(chance) for _ in range(_BASE_LAYERS)]
    made = _moment(number * _PER_BASE, 1)
    steps: list[Json] = [
        {"created": made, "created_by": f"/bin/sh -c #(nop) ADD file:{_hex(chance)} in / "}
    ]
    for _ in layers[1:]:
        steps += [
            _empty(made, f"ENV LANG=C.UTF-8 VERSION=3.{number}.{chance.randrange(20)}"),
            {"created": made, "created_by": _run(chance), "comment": "buildkit.dockerfile.v0"},
        ]
    return layers, steps, [_digest(chance) for _ in layers]


def _steps(number: int, layers: int, chance: random.Random) -> list[Json]:
    steps = [
        _empty(_moment(number, 2), "LABEL maintainer=The Example Authors <images@example.com>"),
        _empty(_moment(number, 2), f"ENV EXAMPLE_VERSION={tag_name(number)}"),
    ]
    for place in range(layers):
        command = _run(chance) if place % 2 else f"COPY {_hex(chance, 32)} /srv/example # buildkit"
        made = _moment(number, 3 + place)
        steps.append({"created": made, "created_by": command, "comment": "buildkit.dockerfile.v0"})
    ends = ("WORKDIR /srv/example", "USER 1000:1000", "EXPOSE map[8080/tcp:{} 9090/tcp:{}]")
    return [*steps, *(_empty(_moment(number, 30), end) for end in ends)]


def _empty(made: str, command: str) -> Json:
    return {
        "created": made,
        "created_by": command,
        "comment": "buildkit.dockerfile.v0",
        "empty_layer": True,
    }


def _run(chance: random.Random) -> str:
    packages = " ".join(sorted(chance.sample(_PACKAGES, 6)))
    return (
        f"RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends {packages} "
        "&& rm -rf /var/lib/apt/lists/* # buildkit"
    )


def _environment(number: int) -> list[str]:
    return [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        f"EXAMPLE_VERSION={tag_name(number)}",
        "EXAMPLE_HOME=/srv/example",
        "EXAMPLE_OPTIONS=--log-level=info --log-format=json",
        "PIP_NO_CACHE_DIR=1",
        "PYTHONUNBUFFERED=1",
    ]


def _labels(number: int, chance: random.Random) -> dict[str, str]:
    written = {
        "authors": "The Example Authors <images@example.com>",
        "base.name": "docker.io/library/debian:bookworm-slim",
        "created": _moment(number, 59),
        "description": "An application that serves examples, with all that it needs",
        "documentation": "https://example.com/docs",
        "licenses": "Apache-2.0",
        "revision": _hex(chance, 40),
        "source": "https://example.com/example/app",
        "title": "app",
        "url": "https://example.com",
        "vendor": "Example",
        "version": tag_name(number),
    }
    return {f"org.opencontainers.image.{key}": value for key, value in written.items()}


def _layer(chance: random.Random) -> Json:
    size = int(10 ** chance.uniform(2, 8))
    return {"mediaType": LAYER, "digest": _digest(chance), "size": size}


def _moment(number: int, minute: int) -> str:
    return f"20{20 + number // 2600 % 10}-{1 + number // 200 % 12:02}-{1 + number % 28:02}T10:{minute:02}:00.123456789Z"


def _digest(chance: random.Random) -> str:
    return f"sha256:{_hex(chance)}"


def _hex(chance: random.Random, length: int = 64) -> str:
    return f"{chance.getrandbits(4 * length):0{length}x}"


def _stored(document: Json) -> Stored:
    body = json.dumps(document, separators=(",", ":")).encode()
    return Stored(f"sha256:{hashlib.sha256(body).hexdigest()}", body)
