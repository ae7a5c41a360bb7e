"""Indexes, manifests and configs, and what the Hub says of the same images.

Everything here is untrusted. What cannot be read is left out; only a document that
is no document at all is a `PayloadError`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import Any, Literal, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.history import dockerfile_line, dockerfile_lines, label_step
from hubframe.oci.payload import array, as_json, items, mapping, parsed, pluck, text, texts
from hubframe.oci.platforms import Platform

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
INDEX_TYPES = frozenset({DOCKER_LIST, OCI_INDEX})
MANIFEST_TYPES = frozenset({DOCKER_MANIFEST, OCI_MANIFEST, SCHEMA1, SCHEMA1_SIGNED})
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
CONFIG_TYPES = frozenset({DOCKER_CONFIG, "application/vnd.oci.image.config.v1+json"})
# The empty layer: gzipped by Docker, gzipped by BuildKit, and the uncompressed tar of 1024 zeros.
EMPTY_LAYERS = frozenset(
    {
        "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
        "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
        "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    }
)
Kind = Literal["index", "manifest", "schema1"]
LabelSource = Literal["config", "manifest", "index", "descriptor", "history"]
_ATTESTATION = "vnd.docker.reference.type"
# The annotation by which an index says what an attestation is about.
ATTESTED = "vnd.docker.reference.digest"
# The fields that tell the kinds of documents apart.
_KIND_OF: Mapping[str, Kind] = {
    "manifests": "index",
    "config": "manifest",
    "layers": "manifest",
    "fsLayers": "schema1",
    "history": "schema1",
}
# The OCI's short-lived artifact manifests list blobs.
_HELD_BY_MANIFESTS = frozenset({"config", "layers", "blobs", "artifactType"})


def kind(document: Mapping[str, Any], sent_as: str = "", what: object = "a manifest") -> Kind:
    """Tell an index from a manifest: by its own media type, the answer's, then its shape.

    What holds the fields of two kinds is a PayloadError: each reader would see another image.
    `what` is for messages, and written as text only for them.
    """
    declared = media_type(document, sent_as)
    held: dict[Kind, str] = {}
    for name, told in _KIND_OF.items():
        if document.get(name) is not None:
            held.setdefault(told, name)
    names = list(held.values())
    if len(names) > 1:
        raise PayloadError(f"{what} is ambiguous: it holds both {names[0]} and {names[1]}")
    is_listing = "index" in held
    if (declared in INDEX_TYPES and held and not is_listing) or (
        declared in (DOCKER_MANIFEST, OCI_MANIFEST) and is_listing
    ):
        raise PayloadError(f"{what} says that it is {declared}, and holds {names[0]}")
    if document.get("schemaVersion") == 1 or declared in (SCHEMA1, SCHEMA1_SIGNED):
        return "schema1"
    if declared in INDEX_TYPES or is_listing or ("manifests" in document and not held):
        return "index"
    return "manifest"


def media_type(document: Mapping[str, Any], sent_as: str = "") -> str | None:
    """Return a document's media type: its own, else the one that it was sent as."""
    return text(document.get("mediaType")) or sent_as.partition(";")[0].strip() or None


class Entry(NamedTuple):
    """What an index says of one of its manifests."""

    digest: str
    platform: Platform | None
    media_type: str | None
    is_attestation: bool
    annotations: Mapping[str, Any]


def entries(index: Mapping[str, Any]) -> list[Entry]:
    """List the manifests of an index, in its order."""
    found = []
    for entry in with_digest(index.get("manifests")):
        platform = Platform.read(mapping(entry.get("platform")))
        annotations = mapping(entry.get("annotations"))
        # They stand among the images, for the platform unknown/unknown, or annotated.
        is_attestation = bool(platform and platform.is_unknown) or _ATTESTATION in annotations
        kind = text(entry.get("mediaType"))
        found.append(Entry(entry["digest"], platform, kind, is_attestation, annotations))
    return found


def with_digest(descriptors: Any) -> list[Mapping[str, Any]]:
    """Return the descriptors of a list; what has no digest is none."""
    return [
        entry
        for entry in array(descriptors)
        if isinstance(entry, dict) and isinstance(digest := entry.get("digest"), str) and digest
    ]


class Step(NamedTuple):
    """A build step, with the layer that it made where that is known."""

    created_at: str | None
    instruction: str | None
    created_by: str | None
    comment: str | None
    author: str | None
    is_empty_layer: bool
    layer_digest: str | None
    size: int | None


class Label(NamedTuple):
    """A label or annotation, and where it stands."""

    source: LabelSource
    key: str
    value: str


def labels(source: LabelSource, found: Any) -> list[Label]:
    """List labels or annotations, sorted by key."""
    return [
        Label(source, key, value if isinstance(value, str) else as_json(value) or "")
        for key, value in sorted(mapping(found).items())
    ]


@dataclass(slots=True, eq=False)
class Content:
    """What an image holds, in the words of a manifest and a config, whatever the source."""

    manifest: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def descriptors(self) -> list[Mapping[str, Any]]:
        """The layers' descriptors, base first, repeated ones kept."""
        return with_digest(self.manifest.get("layers"))

    @property
    def runtime(self) -> Mapping[str, Any]:
        """What containers of the image start with: the config's ``config``."""
        return mapping(self.config.get("config"))

    @property
    def shell(self) -> str:
        """What the image's commands are run with, where it is not the usual shell."""
        shell = self.runtime.get("Shell")
        return " ".join(texts(shell)) if shell else ""

    @property
    def made(self) -> list[Mapping[str, Any]]:
        """The steps of the history that made a layer."""
        history = items(self.config.get("history"))
        return [step for step in history if step.get("empty_layer") is not True]

    @property
    def steps(self) -> list[Step]:
        """Build steps, each with its layer where history and layers agree in number."""
        layers, shell = self.descriptors, self.shell
        left = iter(layers if len(self.made) == len(layers) else ())
        return [
            Step(
                created_at=text(step.get("created")),
                instruction=dockerfile_line(step.get("created_by"), shell),
                created_by=text(step.get("created_by")),
                comment=text(step.get("comment")),
                author=text(step.get("author")),
                is_empty_layer=empty,
                layer_digest=layer.get("digest"),
                size=layer.get("size"),
            )
            for step in items(self.config.get("history"))
            for empty in [step.get("empty_layer") is True]
            for layer in [{} if empty else next(left, {})]
        ]

    @property
    def media_type(self) -> str | None:
        """The manifest's own media type, which old OCI manifests leave out."""
        return text(self.manifest.get("mediaType"))

    @property
    def size(self) -> int:
        """Sum of the compressed layers in bytes, repeated ones counted."""
        sizes = pluck(self.descriptors, "size")
        return sum(size for size in sizes if isinstance(size, int) and size > 0)

    @property
    def created_at(self) -> str | None:
        """When the image says it was built."""
        return text(self.config.get("created"))

    @property
    def labels(self) -> list[Label]:
        """Labels of the config, then annotations of the manifest."""
        return [
            *labels("config", self.runtime.get("Labels")),
            *labels("manifest", self.manifest.get("annotations")),
        ]

    @property
    def env(self) -> dict[str, str]:
        """Environment variables; of a repeated one the last counts."""
        pairs = (line.partition("=") for line in texts(self.runtime.get("Env")))
        return {key: value for key, _, value in pairs}


class ManifestContent(Content):
    """An image as its manifest and its config tell it."""

    __slots__ = ()


class HubContent(Content):
    """An image as the Hub's ``/tags/{tag}/images`` tells it: steps; those with a digest made it."""

    __slots__ = ()

    def __init__(self, payload: Mapping[str, Any]) -> None:
        listed = items(payload.get("layers"))
        steps = [
            {"created_by": one.get("instruction"), "empty_layer": text(one.get("digest")) is None}
            for one in listed
        ]
        layers = [{"digest": one.get("digest"), "size": one.get("size")} for one in listed]
        super().__init__({"layers": layers}, {"history": steps})

    @property
    def labels(self) -> list[Label]:
        """Labels read from ``LABEL`` steps, so those of the image's own build only."""
        found = {}
        for step in self.steps:
            if step.instruction and step.instruction.startswith("LABEL "):
                found.update(label_step(step.instruction))
        return labels("history", found)


def layer_columns(contents: Sequence[Content]) -> tuple[list[int], dict[str, Sequence[Any]]]:
    """Return how many layers each image has, and the columns of all, one image after the other.

    Each layer has its step where history and layers agree in number, and its diff ID where these
    do. Values of wrong types are left to the columns of the frame.
    """
    layers = [content.descriptors for content in contents]
    counts = list(map(len, layers))
    diff_ids = [array(mapping(one.config.get("rootfs")).get("diff_ids")) for one in contents]
    descriptors = list(chain.from_iterable(layers))
    digests = pluck(descriptors, "digest")
    steps = _where_agreed([one.made for one in contents], counts, {})
    shells = [one.shell for one in contents]
    return counts, {
        "layer_digest": digests,
        "diff_id": _where_agreed(diff_ids, counts, None),
        "size": pluck(descriptors, "size"),
        "media_type": pluck(descriptors, "mediaType"),
        "instruction": dockerfile_lines(pluck(steps, "created_by"), shells, counts),
        "created_at": pluck(steps, "created"),
        "is_empty": list(map(EMPTY_LAYERS.__contains__, digests)),
    }


def _where_agreed(values: Sequence[list[Any]], counts: list[int], missing: Any) -> list[Any]:
    """Join lists of which each has as many values as was counted, or tells nothing."""
    pairs = zip(values, counts, strict=True)
    return list(chain.from_iterable(v if len(v) == n else [missing] * n for v, n in pairs))


def content(
    document: Mapping[str, Any],
    config: Mapping[str, Any],
    sent_as: str = "",
    what: object = "a manifest",
) -> ManifestContent:
    """Return what a manifest holds; the config of schema 1 stands in the manifest itself.

    What is no manifest, or ambiguous, is a PayloadError.
    """
    found = kind(document, sent_as, what)
    if found == "schema1":
        return _schema1(document)
    # Proxies answer with JSON of their own; read as a manifest it would be an empty image.
    if found == "manifest" and _HELD_BY_MANIFESTS.isdisjoint(document):
        raise PayloadError(f"{what} is no manifest: it holds neither config nor layers")
    return ManifestContent(document, config)


def _schema1(document: Mapping[str, Any]) -> ManifestContent:
    """Read schema 1 as its successors: layers base first, the newest step's config.

    A step that comes twice in a row was pushed twice; it counts once, with its layer.
    """
    steps = [_compatibility(entry) for entry in items(document.get("history"))]
    layers = [{"digest": entry.get("blobSum")} for entry in items(document.get("fsLayers"))]
    if len(steps) == len(layers):
        names = [text(step.get("id")) for step in steps]
        older = [*names[1:], None]
        kept = [a is None or a != b for a, b in zip(names, older, strict=False)]
        steps, layers = list(compress(steps, kept)), list(compress(layers, kept))
    history = [
        {
            "created": step.get("created"),
            "created_by": " ".join(texts(mapping(step.get("container_config")).get("Cmd"))),
            "author": step.get("author"),
            "comment": step.get("comment"),
        }
        for step in steps
    ]
    return ManifestContent(
        {**document, "mediaType": SCHEMA1, "layers": layers[::-1]},
        {**(steps[0] if steps else {}), "history": history[::-1]},
    )


def _compatibility(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read what a step of schema 1 holds as JSON in text."""
    try:
        return mapping(parsed(text(entry.get("v1Compatibility")) or ""))
    except (ValueError, RecursionError):
        return {}
