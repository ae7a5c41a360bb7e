"""What indexes, manifests and configs say, and what the Hub says of the same images.

Everything here was written by a stranger: null stands where a list or a map should be, keys are
missing, types are wrong. What cannot be read is left out; only a document that is no document
at all is a `PayloadError`. Nothing here touches the network.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, compress, repeat
from typing import Any, Literal, NamedTuple, TypeVar

from hubframe.errors import PayloadError
from hubframe.oci.payload import parsed
from hubframe.tables.schema import Known

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
INDEX_TYPES = frozenset({DOCKER_LIST, OCI_INDEX})
_MANIFESTS = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
CONFIG_TYPES = frozenset(
    {
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.oci.image.config.v1+json",
    }
)
# The empty layer: gzipped by Docker, gzipped by BuildKit, and the uncompressed tar of 1024 zeros.
EMPTY_LAYERS = frozenset(
    {
        "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
        "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
        "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    }
)
_ATTESTATION_ANNOTATION = "vnd.docker.reference.type"
# The fields that tell the kinds of documents apart.
_KIND_OF: Mapping[str, "Kind"] = {
    "manifests": "index",
    "config": "manifest",
    "layers": "manifest",
    "fsLayers": "schema1",
    "history": "schema1",
}
# What a media type says that a document is, and the fields that then do not stand in it.
_DECLARED: Mapping[str, "Kind"] = {
    **dict.fromkeys(INDEX_TYPES, "index"),
    **dict.fromkeys(_MANIFESTS, "manifest"),
}
_FOREIGN: Mapping["Kind", frozenset[str]] = {
    usual: frozenset(name for name, kind in _KIND_OF.items() if kind != usual)
    for usual in _DECLARED.values()
}
# The OCI's short-lived artifact manifests list blobs.
_HELD_BY_MANIFESTS = frozenset({"config", "layers", "blobs", "artifactType"})
_PLATFORM = re.compile(r"[\w.+-]+(?:/[\w.+-]+){1,2}")

T = TypeVar("T")
Kind = Literal["index", "manifest", "schema1"]
LabelSource = Literal["config", "manifest", "index", "descriptor", "history"]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON list, or none where something else stands."""
    found = _list(value)
    # Nearly always there is nothing else.
    if set(map(type, found)) <= {dict}:
        return found
    return [entry for entry in found if isinstance(entry, dict)]


def _all(kind: type, read: Callable[[Any], T], values: list[Any]) -> list[T]:
    """Read many values; what has the type already, as nearly all have, is taken as it is."""
    return values if set(map(type, values)) <= {kind} else list(map(read, values))


def _with_digest(entries: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out what has no digest."""
    if _are_texts(pluck(entries, "digest")):
        return entries
    return [entry for entry in entries if text(entry.get("digest"))]


def _are_texts(values: list[Any]) -> bool:
    return set(map(type, values)) <= {str} and "" not in values


def pluck(entries: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """Return what objects hold under a key, null where they lack it; nearly always all have it."""
    try:
        return [entry[key] for entry in entries]
    except KeyError:
        return [entry.get(key) for entry in entries]


def text(value: Any) -> str | None:
    """Return text that is there and not empty."""
    return value if isinstance(value, str) and value else None


def parse(body: bytes, what: object) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    PayloadError
        The bytes are no JSON, or JSON of another shape.
    """
    return an_object(lambda: parsed(body), what)


def an_object(read: Callable[[], Any], what: object) -> dict[str, Any]:
    """Read a JSON object in a way of the caller's.

    Raises
    ------
    PayloadError
        It is no JSON, or JSON of another shape.
    """
    try:
        document = read()
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"{what}: the answer is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise PayloadError(f"{what}: expected a JSON object, got a {type(document).__name__}")
    return document


def as_json(value: Any) -> str | None:
    """Write what stands where a list or map is usual as JSON; null where nothing can be written."""
    try:
        # Python reads 1e999 and NaN, and would write words that are no JSON.
        return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return None


def kind(document: Mapping[str, Any], sent_as: str = "", what: object = "a manifest") -> Kind:
    """Tell an index from a manifest: by its own media type, the answer's, then its shape.

    Parameters
    ----------
    document, sent_as, what
        The document, the type that it was sent as, and what it is, for messages: text, or what
        is only then written as text.

    Raises
    ------
    PayloadError
        The document holds the fields of two kinds, so that each reader would see another image.
    """
    declared = media_type(document, sent_as)
    usual = _DECLARED.get(declared or "")
    # Nearly always there is nothing of another kind.
    if usual and _FOREIGN[usual].isdisjoint(document):
        return usual if document.get("schemaVersion") != 1 else "schema1"
    held: dict[Kind, str] = {}
    for name, told in _KIND_OF.items():
        if document.get(name) is not None:
            held.setdefault(told, name)
    names = list(held.values())
    if len(names) > 1:
        raise PayloadError(f"{what} is ambiguous: it holds both {names[0]} and {names[1]}")
    is_listing = "index" in held
    if (declared in INDEX_TYPES and held and not is_listing) or (
        declared in _MANIFESTS and is_listing
    ):
        raise PayloadError(f"{what} says that it is {declared}, and holds {names[0]}")
    if document.get("schemaVersion") == 1 or declared in (SCHEMA1, SCHEMA1_SIGNED):
        return "schema1"
    if declared in INDEX_TYPES or ("manifests" in document and (is_listing or not held)):
        return "index"
    return "manifest"


def media_type(document: Mapping[str, Any], sent_as: str = "") -> str | None:
    """Return a document's media type: its own, else the one that it was sent as."""
    return text(document.get("mediaType")) or sent_as.partition(";")[0].strip() or None


# Other words for systems and processors, as containerd reads them; two of them tell the variant.
_SYSTEMS = {"macos": "darwin"}
_ARCHITECTURES: Mapping[str, tuple[str, str | None]] = {
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "i386": ("386", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
# The variant that goes without saying is left out. Of arm none does: Docker takes v7 for it, but
# images that do not tell are of v6 too.
_USUAL_VARIANTS: Mapping[tuple[str, str], str] = {
    ("amd64", "v1"): "",
    ("arm64", "v8"): "",
    ("arm64", "8"): "",
    **{("arm", number): f"v{number}" for number in "5678"},
}


@dataclass(frozen=True, slots=True)
class Platform:
    """Operating system and processor that an image runs on.

    Attributes
    ----------
    os, architecture
        As Go names them, whatever they were called.
    variant
        Of the processor, as it was told.
    os_version
        Of the operating system.
    name
        The one spelling of all that are the same: ``linux/arm64`` for the variant v8 too.
    """

    os: str
    architecture: str
    variant: str | None = None
    os_version: str | None = None
    # Made once, since every row shows it.
    name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Translate other words, and make the name."""
        system, machine = self.os.lower(), self.architecture.lower()
        system = _SYSTEMS.get(system, system)
        machine, implied = _ARCHITECTURES.get(machine, (machine, None))
        variant = implied or (self.variant or "").lower()
        variant = _USUAL_VARIANTS.get((machine, variant), variant)
        object.__setattr__(self, "os", system)
        object.__setattr__(self, "architecture", machine)
        object.__setattr__(self, "name", "/".join(filter(None, (system, machine, variant))))

    @staticmethod
    def read(payload: Mapping[str, Any]) -> "Platform | None":
        """Read the platform of an index entry, a config, or an image of the Hub, if it has one."""
        told = tuple(map(payload.get, _OF_PLATFORM))
        try:
            return _told(*told)
        except TypeError:
            # A list or a map, of which nothing can be remembered, stands in place of a text.
            return _told(*map(text, told))

    @staticmethod
    def parse(written: str) -> "Platform":
        """Read ``os/architecture[/variant]``.

        Raises
        ------
        ValueError
            The text is no platform.
        """
        found: Platform | None = _PLATFORMS[written] if isinstance(written, str) else None
        if found is None:
            raise ValueError(
                f"{written!r} is not a platform: expected os/architecture[/variant], "
                "such as linux/amd64, or 'all'"
            )
        return found

    @property
    def is_unknown(self) -> bool:
        """Whether it is the platform that attestations and caches are filed under."""
        return self.os == "unknown" and self.architecture == "unknown"

    def __str__(self) -> str:
        return self.name


# There are few, and many images have each.
_platform = lru_cache(maxsize=1024)(Platform)


# The fields that tell it; the Hub writes the last one so.
_OF_PLATFORM = ("os", "architecture", "variant", "os.version", "os_version")


@lru_cache(maxsize=1024)
def _told(
    system: Any, architecture: Any, variant: Any, version: Any, hub_version: Any
) -> Platform | None:
    """Read a platform by its fields."""
    if text(system) is None and text(architecture) is None:
        return None
    return _platform(
        text(system) or "unknown",
        text(architecture) or "unknown",
        text(variant),
        text(version) or text(hub_version),
    )


_PLATFORMS = Known(
    lambda written: _platform(*written.split("/")) if _PLATFORM.fullmatch(written) else None
)


def platform_name(written: str) -> str:
    """Return the one spelling of a platform; what is none, such as ``N/A``, stays as it is."""
    found: Platform | None = _PLATFORMS[written] if written.islower() else None
    return found.name if found else written


# Variants that a processor without a named one, or with a newer one, runs as well, best first.
_VARIANTS = {"arm": ("v8", "v7", "v6", "v5"), "arm64": ("v8",)}


def acceptable(wanted: Platform) -> list[tuple[str, str, str | None]]:
    """List the platforms that will do, best first, in the order of containers/image."""
    known = _VARIANTS.get(wanted.architecture, ())
    if wanted.variant is None:
        variants: tuple[str | None, ...] = (None, *known)
    elif wanted.variant in known:
        variants = (*known[known.index(wanted.variant) :], None)
    else:
        variants = (wanted.variant, None)
    return [(wanted.os, wanted.architecture, variant) for variant in variants]


@lru_cache(maxsize=1024)
def _ranks(wanted: Platform) -> Mapping[tuple[str, str, str | None], int]:
    return {platform: rank for rank, platform in enumerate(acceptable(wanted))}


def best(wanted: Platform, entries: Iterable[tuple[Platform | None, T]]) -> T | None:
    """Choose the entry that suits a platform best; of equals the first; one without any last."""
    ranks = _ranks(wanted)
    suited = []
    for platform, entry in entries:
        key = (platform.os, platform.architecture, platform.variant) if platform else None
        if key is None or key in ranks:
            suited.append((ranks[key] if key else len(ranks), entry))
    return min(suited, key=lambda pair: pair[0])[1] if suited else None


class Entry(NamedTuple):
    """What an index says of one of its manifests."""

    digest: str
    platform: Platform | None
    media_type: str | None
    is_attestation: bool
    annotations: Mapping[str, Any]


def entries(index: Mapping[str, Any]) -> list[Entry]:
    """List the manifests of an index, in its order."""
    return [_entry(entry) for entry in items(index.get("manifests")) if text(entry.get("digest"))]


def _entry(entry: Mapping[str, Any]) -> Entry:
    """Attestations stand among the images, for the platform unknown/unknown, or annotated."""
    platform = Platform.read(mapping(entry.get("platform")))
    annotations = mapping(entry.get("annotations"))
    is_unknown = platform is not None and platform.is_unknown
    return Entry(
        digest=entry["digest"],
        platform=platform,
        media_type=text(entry.get("mediaType")),
        is_attestation=is_unknown or _ATTESTATION_ANNOTATION in annotations,
        annotations=annotations,
    )


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


@dataclass(slots=True, eq=False)
class Content:
    """What an image holds, whoever told it.

    Attributes
    ----------
    manifest, config
        Its documents.
    """

    manifest: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def descriptors(self) -> list[Mapping[str, Any]]:
        """The layers' descriptors, base first, repeated ones kept."""
        return _with_digest(items(self.manifest.get("layers")))

    @property
    def steps(self) -> list[Step]:
        """Build steps, each with its layer where history and layers agree in number."""
        shell = self.shell
        layers = self._layer_by_step
        return [
            Step(
                created_at=text(step.get("created")),
                instruction=dockerfile_line(step.get("created_by"), shell),
                created_by=text(step.get("created_by")),
                comment=text(step.get("comment")),
                author=text(step.get("author")),
                is_empty_layer=step.get("empty_layer") is True,
                layer_digest=layer.get("digest"),
                size=layer.get("size"),
            )
            for step, layer in zip(self._history, layers, strict=True)
        ]

    @property
    def labels(self) -> list[Label]:
        """Labels and annotations."""
        raise NotImplementedError

    @property
    def shell(self) -> str:
        """What the image's commands are run with, where it is not the usual shell."""
        shell = mapping(self.config.get("config")).get("Shell")
        return " ".join(_texts(shell)) if shell else ""

    @property
    def _history(self) -> list[Mapping[str, Any]]:
        return items(self.config.get("history"))

    @property
    def _layer_by_step(self) -> list[Mapping[str, Any]]:
        """The layer of each step, empty maps throughout where the counts disagree."""
        made = sum(step.get("empty_layer") is not True for step in self._history)
        if made != len(self.descriptors):
            return [{}] * len(self._history)
        layers = iter(self.descriptors)
        return [{} if step.get("empty_layer") is True else next(layers) for step in self._history]


class ManifestContent(Content):
    """An image as its manifest and its config tell it."""

    __slots__ = ()

    @property
    def runtime(self) -> Mapping[str, Any]:
        """What containers of the image start with: the config's ``config``."""
        return mapping(self.config.get("config"))

    @property
    def config_descriptor(self) -> Mapping[str, Any]:
        """The descriptor of the config."""
        return mapping(self.manifest.get("config"))

    @property
    def media_type(self) -> str | None:
        """The manifest's own media type, which old OCI manifests leave out."""
        return text(self.manifest.get("mediaType"))

    @property
    def size(self) -> int:
        """Sum of the compressed layers in bytes, repeated ones counted."""
        sizes = [entry.get("size") for entry in self.descriptors]
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
        pairs = (line.partition("=") for line in _texts(self.runtime.get("Env")))
        return {key: value for key, _, value in pairs}


# What an image holds of which nothing is told.
NOTHING = ManifestContent({}, {})


class HubContent(Content):
    """An image as the Hub's ``/tags/{tag}/images`` tells it: layers and steps in one list.

    It is held in the words of a manifest and a config; steps with a digest made that layer.
    """

    __slots__ = ()

    def __init__(self, payload: Mapping[str, Any]) -> None:
        told = items(payload.get("layers"))
        layers = [
            {"digest": entry["digest"], "size": entry.get("size")} for entry in _with_digest(told)
        ]
        steps = [
            {
                "created_by": entry.get("instruction"),
                "empty_layer": text(entry.get("digest")) is None,
            }
            for entry in told
        ]
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
    """Read the layers of images, one image after the other, column by column.

    Each layer has its step where history and layers agree in number, and its diff ID where these
    do. Values of wrong types are left to the columns of the frame.

    Returns
    -------
    tuple
        How many layers each image has, and the columns of all.
    """
    configs = [content.config for content in contents]
    layers = _all(list, _list, [content.manifest.get("layers") for content in contents])
    histories = _all(list, _list, [config.get("history") for config in configs])
    try:
        digests, made = _digests(layers), _made(histories)
    except (AttributeError, KeyError, TypeError):
        # Nearly never: something stands there that is no object, or has no digest.
        layers = [_with_digest(items(entries)) for entries in layers]
        digests, made = _digests(layers), _made(map(items, histories))
    counts = list(map(len, layers))
    rootfs = _all(dict, mapping, [config.get("rootfs") for config in configs])
    diff_ids = _all(list, _list, [files.get("diff_ids") for files in rootfs])
    descriptors = list(chain.from_iterable(layers))
    steps = _where_agreed(made, counts, {})
    shells = [content.shell for content in contents]
    return counts, {
        "layer_digest": digests,
        "diff_id": _where_agreed(diff_ids, counts, None),
        "size": pluck(descriptors, "size"),
        "media_type": pluck(descriptors, "mediaType"),
        "instruction": _lines(pluck(steps, "created_by"), shells, counts),
        "created_at": pluck(steps, "created"),
        "is_empty": list(map(EMPTY_LAYERS.__contains__, digests)),
    }


def _digests(layers: list[list[Mapping[str, Any]]]) -> list[str]:
    digests = [entry["digest"] for entry in chain.from_iterable(layers)]
    if not _are_texts(digests):
        raise TypeError
    return digests


def _made(histories: Iterable[list[Mapping[str, Any]]]) -> list[list[Mapping[str, Any]]]:
    """Leave the steps that made a layer."""
    return [[step for step in steps if step.get("empty_layer") is not True] for steps in histories]


def _lines(created_by: list[Any], shells: list[str], counts: list[int]) -> list[str | None]:
    """Return build steps as Dockerfile lines; nearly always the shells are the usual ones."""
    if not any(shells) and set(map(type, created_by)) <= {str}:
        return list(map(_STEPS.__getitem__, created_by))
    return list(map(dockerfile_line, created_by, chain.from_iterable(map(repeat, shells, counts))))


def _where_agreed(values: list[list[Any]], counts: list[int], missing: Any) -> list[Any]:
    """Join lists of which each has as many values as was counted, or tells nothing."""
    if list(map(len, values)) != counts:
        pairs = zip(values, counts, strict=True)
        values = [found if len(found) == n else [missing] * n for found, n in pairs]
    return list(chain.from_iterable(values))


def content(
    document: Mapping[str, Any],
    config: Mapping[str, Any],
    sent_as: str = "",
    what: object = "a manifest",
) -> ManifestContent:
    """Return what a manifest holds; the config of schema 1 stands in the manifest itself.

    Raises
    ------
    PayloadError
        The document is no manifest, or ambiguous.
    """
    found = kind(document, sent_as, what)
    if found == "schema1":
        return ManifestContent(*_schema1(document))
    # Proxies answer with JSON of their own; read as a manifest it would be an empty image.
    if found == "manifest" and _HELD_BY_MANIFESTS.isdisjoint(document):
        raise PayloadError(f"{what} is no manifest: it holds neither config nor layers")
    return ManifestContent(document, config)


def _schema1(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Read schema 1 as its successors: layers base first, the newest step's config.

    A step that comes twice in a row was pushed twice; it counts once, with its layer.
    """
    steps = [
        mapping(_loads(entry.get("v1Compatibility"))) for entry in items(document.get("history"))
    ]
    layers = [{"digest": entry.get("blobSum")} for entry in items(document.get("fsLayers"))]
    if len(steps) == len(layers):
        names = [text(step.get("id")) for step in steps]
        kept = [
            name is None or name != older
            for name, older in zip(names, [*names[1:], None], strict=False)
        ]
        steps, layers = list(compress(steps, kept)), list(compress(layers, kept))
    history = [
        {
            "created": step.get("created"),
            "created_by": " ".join(_texts(mapping(step.get("container_config")).get("Cmd"))),
            "author": step.get("author"),
            "comment": step.get("comment"),
        }
        for step in steps
    ]
    manifest = {**document, "mediaType": SCHEMA1, "layers": layers[::-1]}
    return manifest, {**(steps[0] if steps else {}), "history": history[::-1]}


def _loads(written: Any) -> Any:
    try:
        return json.loads(written)
    except (TypeError, ValueError, RecursionError):
        return None


def _texts(value: Any) -> list[str]:
    return [word for word in _list(value) if isinstance(word, str)]


def labels(source: LabelSource, found: Any) -> list[Label]:
    """List labels or annotations, sorted by key; nearly always all values are text."""
    held = mapping(found)
    if not held:
        return []
    keys = sorted(held)
    values = _all(str, _label_value, [held[key] for key in keys])
    return list(map(Label._make, zip(repeat(source), keys, values)))


def _label_value(value: Any) -> str:
    return value if isinstance(value, str) else as_json(value) or ""


# A word of a LABEL line, quoted parts and all, or the blanks between two. No text makes it slow.
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|\\.|\S)+|\s+""", re.DOTALL)
_PAIR = re.compile(r"""("(?:\\.|[^"\\])*"|[^="]+)=(.*)""", re.DOTALL)


def label_step(instruction: str) -> dict[str, str]:
    """Read the labels of a ``LABEL`` line. Builders drop the quotes, so this is a best guess.

    Words without ``=`` belong to the value before them.
    """
    values: dict[str, list[str]] = {}
    latest: list[str] = []
    for word in _WORD.findall(instruction.removeprefix("LABEL ")):
        pair = _PAIR.fullmatch(word)
        if pair:
            latest = values[pair[1].strip('"')] = [pair[2]]
        else:
            latest.append(word)
    return {key: "".join(words).strip().strip('"') for key, words in values.items()}


_BUILD_ARGS = re.compile(r"\|(\d+) ")
_NOP = re.compile(r"#\(nop\)\s*")
_KEYWORD = re.compile(
    r"(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|"
    r"SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s"
)
_SHELLS = ("/bin/sh -c", "cmd /S /C", "powershell -Command")
_BUILDKIT = "# buildkit"
# What buildah writes behind a step, so that builds with other options do not take it for theirs.
_BUILDAH = re.compile(
    r"(?:(?:unset|inherit|new)(?:Label|Annotation)s?|[a-z-]+-(?:mtime|timestamp|epoch))=[^\s|]*\s*"
)


def dockerfile_line(created_by: Any, shell: str = "") -> str | None:
    """Return a build step as a Dockerfile line.

    The rules are those that Docker's official images use: leading ``RUN`` off, build arguments
    off, shell off, then ``#(nop)`` off or ``RUN`` put before. What buildah notes behind a step of
    its options is no part of it.

    Examples
    --------
    >>> dockerfile_line('/bin/sh -c #(nop)  CMD ["sh"]')
    'CMD ["sh"]'
    >>> dockerfile_line("RUN |1 A=1 /bin/sh -c apk add curl # buildkit")
    'RUN apk add curl'
    """
    written = text(created_by) or ""
    found: str | None = _read_step(written, shell) if shell else _STEPS[written]
    return found


def _read_step(written: str, shell: str = "") -> str | None:
    step = _without_options(written).strip().removesuffix(_BUILDKIT).rstrip()
    shells = (shell, *_SHELLS) if shell else _SHELLS
    command = _without_arguments(step.removeprefix("RUN ").lstrip(), shells)
    run = _without_shell(command, shells)
    if run is not None:
        return _shell_line(run)
    if step.startswith("RUN "):
        return f"RUN {command}"
    return command if _KEYWORD.match(f"{command} ") else _shell_line(command)


_STEPS = Known(_read_step)


def _without_options(written: str) -> str:
    """Take ``|inheritLabels=false|force-mtime=10`` off the end."""
    end = len(written)
    while (at := written.rfind("|", 0, end)) >= 0 and _BUILDAH.fullmatch(written, at + 1, end):
        end = at
    return written[:end]


def _without_shell(command: str, shells: tuple[str, ...]) -> str | None:
    """Take the shell off; null where the command names none."""
    if not command.startswith(shells):
        return None
    for shell in shells:
        rest = command.removeprefix(shell)
        if rest != command and not rest[:1].strip():
            return rest.strip()
    return None


def _shell_line(command: str) -> str | None:
    """Return what a shell was given: a comment with the instruction, or what it ran."""
    if nop := _NOP.match(command):
        return command[nop.end() :] or None
    return f"RUN {command}" if command else None


def _without_arguments(command: str, shells: Iterable[str]) -> str:
    """Take ``|2 A=1 B=2`` off: up to the shell where there is one, else that many words."""
    match = _BUILD_ARGS.match(command) if command.startswith("|") else None
    if match is None:
        return command
    rest = command[match.end() :]
    starts = [at for shell in shells if (at := rest.find(f"{shell} ")) >= 0]
    if starts:
        return rest[min(starts) :]
    words = rest.split(" ", min(int(match[1][:4]), rest.count(" ")))
    return words[-1]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
