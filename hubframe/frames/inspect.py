"""One image, read closely: what skopeo prints, and the documents as they are."""

import json
import re
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hubframe.errors import IncompleteWarning, NotFoundError, PayloadError, UnauthorizedError
from hubframe.frames import readers
from hubframe.frames.call import Call, calling
from hubframe.frames.fetching import Item
from hubframe.frames.readers import DEEPEST
from hubframe.frames.selection import USUAL_PLATFORM
from hubframe.frames.selection import platforms as read_platforms
from hubframe.oci import manifests, payload, platforms
from hubframe.oci.digests import Document
from hubframe.oci.manifests import (
    CONFIG_TYPES,
    DOCKER_CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_MANIFEST,
)
from hubframe.oci.payload import mapping, text
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables.schema import sound
from hubframe.wire.client import Client

_MANIFEST_TYPES = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
# What Go prints for a time that was never set.
_GO_ZERO = "0001-01-01T00:00:00Z"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")
_GO_DIGITS = 9
_V1_ID = re.compile("[0-9a-f]{64}")
# The platform of an entry that tells none, where that does not suit every platform.
_NOWHERE = Platform("", "")


def inspect(
    reference: str,
    *,
    platform: str = USUAL_PLATFORM,
    tags: bool = True,
    client: Client | None = None,
) -> dict[str, Any]:
    """Return what ``skopeo inspect`` prints of an image: the same keys, the same values.

    Parameters
    ----------
    reference
        An image; without a tag, ``latest``.
    platform
        Which image of an index.
    tags
        Whether to list all tags of the repository, as skopeo does without ``--no-tags``.
    client
        What to ask with; None for the default one.

    Raises
    ------
    NotFoundError
        There is no such image, or it is private to you.
    NoSuchPlatformError
        It has no image for the platform.
    PayloadError
        It is no image but an artifact, or its documents are not what they should be.

    Examples
    --------
    >>> with hubframe.sample():
    ...     print(hubframe.inspect("library/alpine")["Architecture"])
    amd64
    """
    parsed = ImageReference.parse(reference)
    with calling(client) as call:
        opened = _open(call, parsed, platform)
        is_schema1 = opened.kind == "schema1"
        printed = _of_schema1(opened) if is_schema1 else _of_config(call, opened)
        tag = _Fields(opened.manifest, opened.what).text("tag") if is_schema1 else ""
        return {
            "Name": str(parsed.at()),
            **({"Tag": tag} if tag else {}),
            "Digest": opened.top.digest,
            "RepoTags": _tags(call, parsed) if tags else [],
            **printed,
        }


def manifest(
    reference: str, *, platform: str | None = None, client: Client | None = None
) -> dict[str, Any]:
    """Return the manifest or index that a reference names, parsed.

    Parameters
    ----------
    reference, client
        See `inspect`.
    platform
        Which image's manifest to return of an index; None returns the index itself.
    """
    return payload.parse(
        raw_manifest(reference, platform=platform, client=client), f"the manifest {reference}"
    )


def raw_manifest(
    reference: str, *, platform: str | None = None, client: Client | None = None
) -> bytes:
    """Return the manifest or index that a reference names, byte for byte.

    Parameters
    ----------
    reference, platform, client
        See `manifest`.
    """
    parsed = ImageReference.parse(reference)
    with calling(client) as call:
        if platform is None:
            return _top(call, parsed).body
        return _open(call, parsed, platform).document.body


def config(
    reference: str, *, platform: str = USUAL_PLATFORM, client: Client | None = None
) -> dict[str, Any]:
    """Return the config of an image or an artifact, parsed.

    Old manifests of schema 1 have none; of these it is the newest step's, with the history.

    Parameters
    ----------
    reference, platform, client
        See `inspect`.

    Raises
    ------
    PayloadError
        The manifest names no config, or it is no JSON object: artifacts may hold anything.
    """
    parsed = ImageReference.parse(reference)
    with calling(client) as call:
        opened = _open(call, parsed, platform)
        if opened.kind == "schema1":
            history = [
                {"v1Compatibility": written} for _, written in reversed(_schema1_steps(opened))
            ]
            return dict(manifests.content({**opened.manifest, "history": history}, {}).config)
        # A manifest that cannot be read whole is none, and tells no config either.
        _layers(opened)
        return _config(call, opened)


def to_skopeo_json(inspected: Mapping[str, Any]) -> str:
    """Write a mapping as Go does: four blanks, and ``<``, ``>`` and ``&`` escaped."""
    escaped = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
    return json.dumps(inspected, indent=4, ensure_ascii=False).translate(escaped)


def _get(call: Call, item: Item) -> Document:
    document: Document = call.get([item])[item]
    call.is_good(item, document)
    return document


def _top(call: Call, reference: ImageReference) -> Document:
    if reference.digest:
        return _get(call, Item("manifest", reference))
    return _get(call, Item("tag", reference.at(tag=reference.target)))


class _Opened(NamedTuple):
    """What a reference names, and the manifest that was chosen of it."""

    reference: ImageReference
    top: Document
    document: Document
    manifest: Mapping[str, Any]
    kind: manifests.Kind

    @property
    def what(self) -> str:
        """What the manifest is, for messages."""
        return f"the manifest {self.reference}"

    @property
    def is_docker(self) -> bool:
        """Whether it is Docker's own format; some leave out the type, then the config tells."""
        named = manifests.media_type(self.manifest, self.document.media_type)
        config_type = text(mapping(self.manifest.get("config")).get("mediaType"))
        is_unknown = named not in _MANIFEST_TYPES
        return named == DOCKER_MANIFEST or (is_unknown and config_type == DOCKER_CONFIG)


def _open(call: Call, reference: ImageReference, platform: str) -> _Opened:
    """Get the manifest for a platform, through as many indexes as there are."""
    wanted = read_platforms(platform)
    if wanted is None or len(wanted) != 1:
        raise ValueError(f"one image is read here: give one platform, not {platform!r}")
    top = document = _top(call, reference)
    for _ in range(DEEPEST):
        body = payload.parse(document.body, f"the manifest {reference}")
        kind = manifests.kind(body, document.media_type, str(reference))
        if kind != "index":
            return _Opened(reference, top, document, body, kind)
        at = reference.at(digest=_child(reference, document, body, *wanted))
        document = _get(call, Item("manifest", at))
    raise PayloadError(f"{reference} is an index of indexes, more than {DEEPEST} deep")


def _child(
    reference: ImageReference, document: Document, index: Mapping[str, Any], wanted: Platform
) -> str:
    """Choose as skopeo does: of equals the first, and one that names no platform last."""
    is_list = manifests.media_type(index, document.media_type) == DOCKER_LIST
    entries = payload.items(index.get("manifests"))
    # In an OCI index an entry may have no platform, and suits any then.
    told = [
        (Platform.read(mapping(named)) or _NOWHERE) if is_list or named is not None else None
        for named in payload.pluck(entries, "platform")
    ]
    chosen = platforms.best(wanted, zip(told, entries, strict=True))
    if chosen is None:
        raise readers.no_platform(reference, readers.images_in(reference, document), [wanted])
    return _digest(chosen, f"the index {reference}")


def _digest(descriptor: Mapping[str, Any], what: str) -> str:
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise PayloadError(f"{what} names {str(digest)[:80]!r}, which is no digest")
    return digest


def _config(call: Call, opened: _Opened) -> dict[str, Any]:
    descriptor = opened.manifest.get("config")
    if not isinstance(descriptor, Mapping):
        raise PayloadError(f"{opened.what} names no config")
    at = opened.reference.at(digest=opened.document.digest)
    blob = _get(call, Item("config", at, _digest(descriptor, opened.what)))
    return payload.parse(blob.body, f"the config of {opened.reference}")


def _tags(call: Call, reference: ImageReference) -> list[str]:
    """List the tags; some registries show images, but no list of tags."""
    try:
        return call.client.source(reference).tags(reference.path)
    except (UnauthorizedError, NotFoundError) as error:
        message = f"{reference}: the tags of its repository are not listed ({error})"
        warnings.warn(message, IncompleteWarning, stacklevel=3)
        return []


def _of_config(call: Call, opened: _Opened) -> dict[str, Any]:
    """Print an image whose config is a document of its own; Docker's formats hold no other."""
    media_type = text(mapping(opened.manifest.get("config")).get("mediaType"))
    if media_type not in CONFIG_TYPES and not opened.is_docker:
        kind = text(opened.manifest.get("artifactType")) or media_type or "unknown"
        raise PayloadError(
            f"{opened.reference} is no image but an artifact of type {kind}; see manifest()"
        )
    layers = _layers(opened)
    config = _Fields(_config(call, opened), f"the config of {opened.reference}")
    return _printed(config, layers, _GO_ZERO if opened.is_docker else None)


def _layers(opened: _Opened) -> list[dict[str, Any]]:
    layers = [
        {
            "MIMEType": layer.text("mediaType"),
            "Digest": layer.text("digest"),
            "Size": layer.number("size"),
            "Annotations": layer.texts_by_name("annotations"),
        }
        for layer in _Fields(opened.manifest, opened.what).objects("layers")
    ]
    # Docker's format knows no annotations, and skopeo drops them there.
    return [layer | {"Annotations": None} for layer in layers] if opened.is_docker else layers


def _of_schema1(opened: _Opened) -> dict[str, Any]:
    """Print schema 1: its newest step is its config, and no layer tells its size."""
    steps = _schema1_steps(opened)
    layers = [
        {"MIMEType": "", "Digest": blob, "Size": -1, "Annotations": None} for blob, _ in steps
    ]
    newest = json.loads(steps[-1][1])
    return _printed(_Fields(newest, f"the newest step of {opened.reference}"), layers, _GO_ZERO)


def _schema1_steps(opened: _Opened) -> list[tuple[str, str]]:
    """Return the layers of schema 1 with their steps, base first, if these are a whole chain.

    One that comes again at once was pushed twice.
    """
    what, fields = opened.what, _Fields(opened.manifest, opened.what)
    layers, history = fields.objects("fsLayers"), fields.objects("history")
    if not layers or len(layers) != len(history):
        raise PayloadError(f"{what} counts {len(layers)} layers and {len(history)} steps")
    found: dict[str, tuple[str, str]] = {}
    below = ""
    for layer, entry in zip(reversed(layers), reversed(history), strict=True):
        written = entry.text("v1Compatibility")
        step = _Fields(payload.parse(written.encode("utf-8", "replace"), f"a step of {what}"), what)
        name, parent = step.text("id"), step.text("parent")
        if name == below:
            continue
        if not _V1_ID.fullmatch(name) or name in found or parent != below:
            raise PayloadError(f"{what}: the step {name[:80]!r} does not follow from {below!r}")
        found[name] = (layer.text("blobSum"), written)
        below = name
    return list(found.values())


def _printed(config: "_Fields", layers: list[dict[str, Any]], unset: str | None) -> dict[str, Any]:
    """Return what skopeo prints of an image itself."""
    runtime = config.object("config")
    return {
        "Created": _created(config, unset),
        "DockerVersion": config.text("docker_version"),
        "Labels": runtime.texts_by_name("Labels"),
        "Architecture": config.text("architecture"),
        "Os": config.text("os"),
        "Layers": [layer["Digest"] for layer in layers],
        "LayersData": layers,
        "Env": runtime.texts("Env"),
    }


def _created(config: "_Fields", unset: str | None) -> str | None:
    """Print a time as Go does: nine digits at most, and no zeros at their end."""
    if config.held.get("created") is None:
        return unset
    written = config.text("created")
    match = _TIME.fullmatch(written)
    try:
        datetime.fromisoformat(match[1] if match else "")
    except ValueError:
        match = None
    if match is None:
        raise PayloadError(f"{config.what}: created is {written[:80]!r}, which is no time")
    fraction = (match[2] or "")[:_GO_DIGITS].rstrip("0")
    zone = "Z" if match[3] in ("+00:00", "-00:00") else match[3]
    return f"{match[1]}{fraction and '.'}{fraction}{zone}"


class _Fields(NamedTuple):
    """A JSON object, and what it is; its fields are printed: a wrong type is an error.

    Where there is none, text and objects are empty, and numbers 0; a list or map that is null is
    told from an empty one.
    """

    held: Mapping[str, Any]
    what: str

    def text(self, name: str) -> str:
        return sound(self._checked(name, str, self.held.get(name)))

    def number(self, name: str) -> int:
        found: int = self._checked(name, int, self.held.get(name))
        return found

    def texts(self, name: str) -> list[str] | None:
        found = self._checked(name, list, self.held.get(name))
        texts = [sound(self._checked(name, str, entry)) for entry in found]
        return None if self.held.get(name) is None else texts

    def texts_by_name(self, name: str) -> dict[str, str] | None:
        found = self._checked(name, dict, self.held.get(name))
        texts = {sound(key): sound(self._checked(name, str, found[key])) for key in sorted(found)}
        return None if self.held.get(name) is None else texts

    def object(self, name: str) -> "_Fields":
        return _Fields(self._checked(name, dict, self.held.get(name)), f"{name} in {self.what}")

    def objects(self, name: str) -> "list[_Fields]":
        found = self._checked(name, list, self.held.get(name))
        held = [self._checked(name, dict, entry) for entry in found]
        return [_Fields(entry, f"{name} of {self.what}") for entry in held]

    def _checked(self, name: str, kind: type, found: Any) -> Any:
        if found is None:
            return kind()
        # A flag is no number.
        if type(found) is not kind:
            raise PayloadError(
                f"{self.what}: {name} holds a {type(found).__name__}, which is wrong"
            )
        return found
