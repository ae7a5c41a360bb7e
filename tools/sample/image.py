"""Images as a builder makes them: a base, Dockerfile steps, and the documents that come of it.

Few layers are made: the digest of most is the sha256 of a text that names it, so that the same step
on the same base is the same layer, as in a build cache.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from zlib import crc32

from tools.sample.seeded import digest_of, stamp, unit

Settings = dict[str, Any]

EMPTY_LAYER = "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1"
EMPTY_DIFF_ID = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

# The order of Go's struct, which configs show.
SETTINGS_ORDER = (
    "Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr",
    "ExposedPorts", "Tty", "OpenStdin", "StdinOnce", "Env", "Cmd", "Healthcheck", "Image",
    "Volumes", "WorkingDir", "Entrypoint", "OnBuild", "Labels", "StopSignal", "Shell",
)  # fmt: skip
CLASSIC_SETTINGS: Settings = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False,
    "AttachStderr": False, "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None,
    "Cmd": None, "Image": "", "Volumes": None, "WorkingDir": "", "Entrypoint": None,
    "OnBuild": None, "Labels": None,
}  # fmt: skip


@dataclass(frozen=True)
class Platform:
    """What an image runs on, and how large binaries are there compared with amd64."""

    os: str
    architecture: str
    variant: str | None = None
    os_version: str | None = None
    scale: float = 1.0

    def __str__(self) -> str:
        parts = (self.os, self.architecture, self.variant, self.os_version)
        return "/".join(part for part in parts if part)

    def descriptor(self) -> dict[str, str]:
        """Return the platform as an index describes it."""
        fields = {
            "architecture": self.architecture,
            "os": self.os,
            "os.version": self.os_version,
            "variant": self.variant,
        }
        return {name: value for name, value in fields.items() if value}


AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64", "v8", scale=0.97)
ARM64_PLAIN = Platform("linux", "arm64", scale=0.97)
ARM_V7 = Platform("linux", "arm", "v7", scale=0.86)
I386 = Platform("linux", "386", scale=1.03)
PPC64LE = Platform("linux", "ppc64le", scale=1.09)
S390X = Platform("linux", "s390x", scale=0.99)


@dataclass(frozen=True)
class Layer:
    """A layer by its two digests, and its compressed bytes."""

    digest: str
    diff_id: str
    size: int
    body: bytes = field(default=b"", repr=False)  # packed, where it is there

    @classmethod
    def of(cls, archive: bytes) -> "Layer":
        """Pack an archive."""
        body = packed(archive)
        digest, diff_id = (f"sha256:{sha256(content).hexdigest()}" for content in (body, archive))
        return cls(digest, diff_id, len(body), body)


def packed(content: bytes) -> bytes:
    """Write gzip without packing anything: the same bytes whatever the library is."""
    most = 0xFFFF
    blocks = [content[at : at + most] for at in range(0, len(content), most)] or [b""]
    body = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    for place, block in enumerate(blocks, 1):
        is_last = place == len(blocks)
        body += struct.pack("<BHH", is_last, len(block), len(block) ^ most) + block
    return body + struct.pack("<II", crc32(content), len(content))


@dataclass(frozen=True)
class Step:
    """A line of a Dockerfile.

    Attributes
    ----------
    megabytes
        Compressed size on amd64; None for a step that only changes the settings.
    change
        What the step sets in the config.
    content
        Names what is copied, where the same line brings something new.
    """

    keyword: str
    text: str
    megabytes: float | None = None
    change: Settings = field(default_factory=dict)
    content: str = ""
    arguments: tuple[str, ...] = ()
    comment: str = ""
    archive: bytes = field(default=b"", repr=False)  # what its layer holds, where that is made

    def holding(self, archive: bytes) -> "Step":
        """Return the step with what its layer holds."""
        return replace(self, archive=archive)

    def classic(self) -> str:
        """Return the step as the classic builder records it."""
        if self.keyword == "RUN":
            return f"{self._counted()}/bin/sh -c {self.text}"
        if self.keyword in {"ADD", "COPY"}:
            source, _, target = self.text.rpartition(" ")
            kind = "dir" if source.endswith(("/", ".")) else "file"
            name = digest_of("source", source, self.content).removeprefix("sha256:")
            return f"/bin/sh -c #(nop) {self.keyword} {kind}:{name} in {target} "
        if self.keyword:
            return f"/bin/sh -c #(nop)  {self.keyword} {self._listed()}"
        return self.text

    def buildkit(self) -> str:
        """Return the step as BuildKit records it."""
        if self.keyword == "RUN":
            return f"RUN {self._counted()}/bin/sh -c {self.text} # buildkit"
        if self.keyword in {"ADD", "COPY"}:
            return f"{self.keyword} {self.text} # buildkit"
        if self.keyword == "EXPOSE":
            ports = " ".join(f"{port}:{{}}" for port in self.change["ExposedPorts"])
            return f"EXPOSE map[{ports}]"
        return f"{self.keyword} {self._listed()}" if self.keyword else self.text

    def _counted(self) -> str:
        count = len(self.arguments)
        return f"|{count} {' '.join(self.arguments)} " if count else ""

    def _listed(self) -> str:
        return f"[{self.text}]" if self.keyword == "VOLUME" else self.text


def run(command: str, megabytes: float, *arguments: str, content: str = "") -> Step:
    """Return a RUN step, with the build arguments in force."""
    return Step("RUN", command, megabytes, arguments=arguments, content=content)


def copy(text: str, megabytes: float, content: str = "") -> Step:
    """Return a COPY step."""
    return Step("COPY", text, megabytes, content=content)


def add(text: str, megabytes: float, content: str = "") -> Step:
    """Return an ADD step."""
    return Step("ADD", text, megabytes, content=content)


def verbatim(text: str, megabytes: float | None = None, comment: str = "", **change: Any) -> Step:
    """Return a step that is recorded as it is given, whichever the builder."""
    return Step("", text, megabytes, change=change, comment=comment)


def env(name: str, value: str) -> Step:
    """Return an ENV step."""
    return Step("ENV", f"{name}={value}", change={"Env": {name: value}})


def label(name: str, value: str) -> Step:
    """Return a LABEL step."""
    return Step("LABEL", f"{name}={value}", change={"Labels": {name: value}})


def cmd(*words: str) -> Step:
    """Return a CMD step in its exec form."""
    return Step("CMD", _exec_form(words), change={"Cmd": list(words)})


def entrypoint(*words: str) -> Step:
    """Return an ENTRYPOINT step in its exec form."""
    return Step("ENTRYPOINT", _exec_form(words), change={"Entrypoint": list(words)})


def expose(port: int) -> Step:
    """Return an EXPOSE step."""
    return Step("EXPOSE", str(port), change={"ExposedPorts": {f"{port}/tcp": {}}})


def volume(path: str) -> Step:
    """Return a VOLUME step."""
    return Step("VOLUME", path, change={"Volumes": {path: {}}})


def user(name: str) -> Step:
    """Return a USER step."""
    return Step("USER", name, change={"User": name})


def stop_signal(name: str) -> Step:
    """Return a STOPSIGNAL step."""
    return Step("STOPSIGNAL", name, change={"StopSignal": name})


def workdir(path: str, *, makes_layer: bool = False) -> Step:
    """Return a WORKDIR step; BuildKit may make a layer of it that holds nothing."""
    return Step("WORKDIR", path, 0.0 if makes_layer else None, change={"WorkingDir": path})


def healthcheck(command: str) -> Step:
    """Return a HEALTHCHECK step."""
    second = 1_000_000_000
    check = {"Test": ["CMD-SHELL", command], "Interval": 30 * second, "Timeout": 3 * second}
    text = f'&{{["CMD-SHELL" "{command}"] "30s" "3s" "0s" "0s" \'\\x00\'}}'
    return Step("HEALTHCHECK", text, change={"Healthcheck": check})


def maintainer(name: str) -> Step:
    """Return a MAINTAINER step."""
    return Step("MAINTAINER", name, change={"author": name})


def _exec_form(words: Iterable[str]) -> str:
    return "[" + " ".join(f'"{word}"' for word in words) + "]"


@dataclass(frozen=True)
class Image:
    """One platform's image."""

    platform: Platform
    layers: tuple[Layer, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    settings: Settings = field(default_factory=dict)
    created: str = ""
    is_buildkit: bool = False

    @property
    def size(self) -> int:
        """The compressed bytes of all layers."""
        return sum(layer.size for layer in self.layers)

    def build(self, steps: Sequence[Step], at: datetime, *, buildkit: bool) -> "Image":
        """Return the image that the steps make of this one."""
        image = replace(self, is_buildkit=buildkit)
        for number, step in enumerate(steps):
            moment = at - timedelta(seconds=7 * (len(steps) - number))
            image = image.extended(step, stamp(moment, 9))
        return replace(image, created=image.history[-1]["created"])

    def extended(self, step: Step, created: str) -> "Image":
        """Return the image with one step more."""
        layers = self.layers
        if step.megabytes is not None:
            layers = (*layers, self._layer(step))
        return replace(
            self,
            layers=layers,
            history=(*self.history, self._record(step, created)),
            settings=_changed(self.settings, step.change),
        )

    def _layer(self, step: Step) -> Layer:
        if step.archive:
            return Layer.of(step.archive)
        if not step.megabytes:
            return Layer(EMPTY_LAYER, EMPTY_DIFF_ID, 32)
        below = self.layers[-1].digest if self.layers else str(self.platform)
        name = (below, step.keyword, step.text, step.content, str(step.megabytes))
        size = step.megabytes * 1e6 * self.platform.scale * (0.99 + 0.02 * unit("size", *name))
        return Layer(digest_of("layer", *name), digest_of("diff", *name), int(size))

    def _record(self, step: Step, created: str) -> Settings:
        comment = step.comment or ("buildkit.dockerfile.v0" if self.is_buildkit else "")
        fields = {
            "created": created,
            "author": self.settings.get("author"),
            "created_by": step.buildkit() if self.is_buildkit else step.classic(),
            "comment": comment,
            "empty_layer": step.megabytes is None,
        }
        return {name: value for name, value in fields.items() if value}

    def config(self) -> Settings:
        """Return the image's config document."""
        platform = self.platform
        settings = {**({} if self.is_buildkit else CLASSIC_SETTINGS), **self.settings}
        fields: Settings = {
            "architecture": platform.architecture,
            "author": settings.pop("author", None),
            "config": {key: settings[key] for key in SETTINGS_ORDER if key in settings},
            "created": self.created,
            "docker_version": None if self.is_buildkit else _docker_version(self.created),
            "history": list(self.history),
            "os": platform.os,
            "os.version": platform.os_version,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
            "variant": platform.variant,
        }
        if isinstance(env_pairs := fields["config"].get("Env"), dict):
            fields["config"]["Env"] = [f"{name}={value}" for name, value in env_pairs.items()]
        return {name: value for name, value in fields.items() if value is not None}


def _docker_version(created: str) -> str:
    if created < "2020":
        return "18.09.7"
    return "20.10.23" if created < "2024" else "26.1.4"


def _changed(settings: Settings, change: Settings) -> Settings:
    merged = dict(settings)
    for name, value in change.items():
        # Ports, volumes, labels and variables add up; everything else is replaced.
        adds_up = isinstance(value, dict) and name != "Healthcheck"
        merged[name] = {**merged.get(name, {}), **value} if adds_up else value
    return merged
