"""One image, read closely: what skopeo prints, and the documents as they are."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from hubframe import sources
from hubframe.call import Call, calling
from hubframe.client import Client
from hubframe.errors import PayloadError
from hubframe.frames import USUAL_PLATFORM
from hubframe.reference import ImageReference
from hubframe.selection import choose, platforms
from hubframe.sources import Found
from hubframe.tables import documents
from hubframe.tables.documents import DOCKER_MANIFEST, SCHEMA1, ManifestContent
from hubframe.tables.shape import Image
from hubframe.wire.content import Document

# What Go prints for a time that was never set.
_GO_ZERO = "0001-01-01T00:00:00Z"
_TIME = re.compile(r"(.*:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


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

    Examples
    --------
    >>> with hubframe.sample():
    ...     print(hubframe.inspect("library/alpine")["Architecture"])
    amd64
    """
    parsed = ImageReference.parse(reference)
    with calling(client) as call:
        return _as_skopeo(call, _open(call, parsed, platform), tags=tags)


def manifest(
    reference: str, *, platform: str | None = None, client: Client | None = None
) -> dict[str, Any]:
    """Return the manifest or index that a reference names, parsed.

    Parameters
    ----------
    reference
        An image; without a tag, ``latest``.
    platform
        Which image's manifest to return of an index; None returns the index itself.
    client
        What to ask with; None for the default one.
    """
    parsed = ImageReference.parse(reference)
    with calling(client) as call:
        if platform is None:
            return documents.parse(_top(call, parsed).body, str(parsed))
        return dict(_open(call, parsed, platform).content.manifest)


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
    """Return the config of an image, parsed; empty where it is no image but an artifact.

    Parameters
    ----------
    reference
        An image; without a tag, ``latest``.
    platform
        Which image of an index.
    client
        What to ask with; None for the default one.
    """
    parsed = ImageReference.parse(reference)
    with calling(client) as call:
        return dict(_open(call, parsed, platform).content.config)


def to_skopeo_json(inspected: Mapping[str, Any]) -> str:
    """Write a mapping as Go does: four blanks, and ``<``, ``>`` and ``&`` escaped."""
    written = json.dumps(inspected, indent=4, ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    return written


def _top(call: Call, reference: ImageReference) -> Document:
    tag = reference if reference.digest else reference.at(tag=reference.target)
    ((_, resolved),) = sources.resolve(call, [Found(tag, is_named=True)])
    return call.client.registry(reference.registry).manifest(reference.at(digest=resolved.digest))


class _Opened(NamedTuple):
    """What a reference names, and the image that was chosen of it."""

    reference: ImageReference
    top: Document
    image: Image
    document: Document
    content: ManifestContent


def _open(call: Call, reference: ImageReference, platform: str) -> _Opened:
    wanted = platforms(platform)
    if wanted is None:
        raise ValueError('one image is read here: give one platform, not "all"')
    top = _top(call, reference)
    images = sources.images_in(reference, top)
    is_single = len(images) == 1 and images[0].index_digest is None
    chosen = choose(images, wanted, attestations=False, is_single=is_single)
    if not chosen:
        raise sources.no_platform(reference, images, wanted)
    at = reference.at(digest=chosen[0].digest)
    document = top if is_single else call.client.registry(reference.registry).manifest(at)
    content = sources.read_content(call, at, document)
    return _Opened(reference, top, chosen[0], document, content)


def _as_skopeo(call: Call, opened: _Opened, *, tags: bool) -> dict[str, Any]:
    reference, content = opened.reference, opened.content
    registry = call.client.registry(reference.registry)
    config, runtime = content.config, content.runtime
    if not config:
        kind = content.config_descriptor.get("mediaType") or opened.image.media_type
        raise PayloadError(
            f"{reference} is no image but an artifact of type {kind}; see manifest()"
        )
    named = {"Name": f"{reference.registry}/{reference.path}"}
    if content.media_type == SCHEMA1:
        named["Tag"] = str(content.manifest.get("tag", ""))
    return {
        **named,
        "Digest": opened.top.digest,
        "RepoTags": registry.tags(reference.path) if tags else [],
        "Created": _created(opened),
        "DockerVersion": config.get("docker_version") or "",
        "Labels": _sorted(runtime.get("Labels")),
        "Architecture": config.get("architecture") or "",
        "Os": config.get("os") or "",
        "Layers": [layer["digest"] for layer in content.descriptors],
        "LayersData": [_layer_data(layer) for layer in content.descriptors],
        "Env": runtime.get("Env"),
    }


def _layer_data(layer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "MIMEType": layer.get("mediaType") or "",
        "Digest": layer["digest"],
        "Size": layer.get("size", -1),
        "Annotations": _sorted(layer.get("annotations")),
    }


def _sorted(found: Any) -> dict[str, Any] | None:
    return dict(sorted(found.items())) if isinstance(found, Mapping) else None


def _created(opened: _Opened) -> str | None:
    """Print a time as Go does: without trailing zeros, and the zero time where Docker has none."""
    created = opened.content.created_at
    if created is None:
        media_type = opened.content.media_type or opened.image.media_type
        return _GO_ZERO if media_type in (DOCKER_MANIFEST, SCHEMA1) else None
    match = _TIME.fullmatch(created)
    if match is None:
        return created
    fraction = (match[2] or "").rstrip("0").rstrip(".")
    zone = "Z" if match[3] in ("Z", "+00:00", "-00:00") else match[3]
    return f"{match[1]}{fraction}{zone}"
