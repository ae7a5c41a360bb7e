"""What refers to an image: signatures, attestations and bills of materials, wherever they are kept.

Registries know four ways: the referrers API, the tag that stands in for it where the API is
missing, cosign's own tags, and the attestations that BuildKit lists in the image's index.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hubframe.call import Call
from hubframe.readers import open_tag, spared
from hubframe.reading import Reader, read
from hubframe.reference import ImageReference
from hubframe.sources import Found
from hubframe.tables import documents
from hubframe.tables.shape import Image, Referrer

Payload = Mapping[str, Any]
ATTESTED = "vnd.docker.reference.digest"
_COSIGN = (".sig", ".att", ".sbom")
_ILLEGAL = re.compile(r"[^A-Za-z0-9._-]")


def referrers_of(call: Call, tags: Sequence[Found]) -> list[Referrer]:
    """Find what refers to tags, to their indexes and to each of their images."""
    call.sources.add("registry")
    opened = list(
        read(call, ((one, spared(call, one, _opened(one))) for one in tags), len(tags), "images")
    )
    found = call.gather(lambda one: _of_tag(call, one), opened, "referrers")
    return [referrer for _, referrers in found for referrer in referrers]


@dataclass(frozen=True)
class _Opened:
    """A tag with the digest that it has, and the images that it names."""

    found: Found
    digest: str
    images: list[Image]

    def __str__(self) -> str:
        return str(self.found)


def _opened(found: Found) -> Reader[_Opened]:
    return _Opened(found, *(yield from open_tag(found.reference)))


def _of_tag(call: Call, opened: _Opened) -> list[Referrer]:
    found, top, images = opened.found, opened.digest, opened.images
    subjects = dict.fromkeys(
        (top, *(i.digest for i in images if i.digest and not i.is_attestation))
    )
    names = _tags(call, found.reference)
    referrers = [
        *_attestations(call, found.reference, images),
        *(
            referrer
            for subject in subjects
            for referrer in _of_subject(call, found.reference.at(digest=subject), names)
        ),
    ]
    distinct = {(one.subject, one.descriptor.get("digest")): one for one in referrers}
    return [replace(one, tag=found.reference.tag) for one in distinct.values()]


def _tags(call: Call, reference: ImageReference) -> frozenset[str]:
    """The repository's tags: they tell which stand-ins there are without asking for each."""
    return frozenset(call.client.registry(reference.registry).tags(reference.path))


def _of_subject(call: Call, subject: ImageReference, names: frozenset[str]) -> Iterable[Referrer]:
    """Ask the API, else read the tag that stands in for it; then cosign's tags."""
    listed = call.client.registry(subject.registry).referrers(subject)
    fallback = fallback_tag(subject.digest or "")
    if listed is None and fallback in names:
        listed = _index(call, subject.at(tag=fallback))
    for descriptor in listed or ():
        is_typed = documents.text(descriptor.get("artifactType")) is not None
        yield _referrer(call, subject, descriptor, is_read=not is_typed)
    for suffix in _COSIGN:
        if f"{fallback}{suffix}" in names:
            yield _cosign(call, subject, subject.at(tag=f"{fallback}{suffix}"))


def fallback_tag(digest: str) -> str:
    """Return the tag that stands in for the referrers API, by the distribution specification."""
    algorithm, _, encoded = digest.partition(":")
    return _ILLEGAL.sub("-", f"{algorithm[:32]}-{encoded[:64]}")


def _index(call: Call, reference: ImageReference) -> list[Payload]:
    registry = call.client.registry(reference.registry)
    document = registry.manifest(reference)
    body = documents.parse(document.body, str(reference))
    return [
        one for one in documents.items(body.get("manifests")) if documents.text(one.get("digest"))
    ]


def _cosign(call: Call, subject: ImageReference, tag: ImageReference) -> Referrer:
    """Describe what a tag of cosign's holds, as the API would."""
    resolved = call.client.registry(tag.registry).resolve(tag)
    descriptor = {"digest": resolved.digest, "mediaType": resolved.media_type}
    return _referrer(call, subject, descriptor, is_read=True)


def _attestations(
    call: Call, reference: ImageReference, images: Iterable[Image]
) -> Iterable[Referrer]:
    """Describe the attestations that an index lists beside the images they are about."""
    for image in images:
        if image.is_attestation and image.digest:
            said = {label.key: label.value for label in image.labels}
            subject = said.get(ATTESTED) or image.index_digest or image.digest
            descriptor = {"digest": image.digest, "mediaType": image.media_type}
            yield _referrer(call, reference.at(digest=subject), descriptor, is_read=True)


def _referrer(
    call: Call, subject: ImageReference, descriptor: Payload, *, is_read: bool
) -> Referrer:
    """Describe an artifact; its manifest is read where the descriptor does not say what it is."""
    manifest: Payload = {}
    size = descriptor.get("size")
    if is_read:
        at = subject.at(digest=descriptor["digest"])
        document = call.client.registry(subject.registry).manifest(at)
        manifest, size = documents.parse(document.body, str(at)), len(document.body)
    return Referrer(
        subject.repo, None, subject.digest or "", {**descriptor, "size": size}, manifest
    )
