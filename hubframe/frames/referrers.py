"""What refers to an image: signatures, attestations and bills of materials, wherever they are kept.

Registries know four ways: the referrers API, the tag that stands in for it where the API is
missing, cosign's own tags, and the attestations that BuildKit lists in the image's index. What
refers to an image may be referred to itself: Docker signs its attestations.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from hubframe.errors import PayloadError
from hubframe.frames.call import Call
from hubframe.frames.needs import Need
from hubframe.frames.readers import index_readers, spared
from hubframe.frames.reading import Reader, read
from hubframe.frames.sources import Found, Wanted
from hubframe.oci.digests import Document
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables import documents
from hubframe.tables.shape import Image, Referrer

Payload = Mapping[str, Any]
ATTESTED = "vnd.docker.reference.digest"
# How far from the image is looked, and how much is taken: registries may list anything.
DEEPEST = 4
MOST = 10_000
_COSIGN = (".sig", ".att", ".sbom")
_ILLEGAL = re.compile(r"[^A-Za-z0-9._-]")


def referrers_of(call: Call, tags: Sequence[Found], wanted: Wanted) -> Iterator[Referrer]:
    """Find what refers to tags, to their indexes and to each of their images."""
    tasks = referrer_readers(call, tags, wanted)
    return chain.from_iterable(read(call, tasks, len(tags), "referrers"))


def referrer_readers(
    call: Call, tags: Sequence[Found], wanted: Wanted
) -> Iterator[tuple[Found, Reader[list[Referrer] | None]]]:
    """Make the readers of what refers to tags: they go on from what a tag names."""
    for found, opening in index_readers(call, tags, wanted):
        yield found, spared(call, found, _of_tag(call, found.reference, opening))


def _of_tag(
    call: Call, reference: ImageReference, opening: Reader[tuple[str, list[Image]]]
) -> Reader[list[Referrer]]:
    """Look from the images outwards, a step at a time; each artifact counts once per image."""
    call.sources.add("registry")
    top, images = yield from opening
    proper = (image.digest or "" for image in images if not image.is_attestation)
    begin = dict.fromkeys((top, *filter(DIGEST.fullmatch, proper)))
    listed = [(subject, subject, entry) for subject, entry in _attestations(top, images)]
    seen = {subject: {subject} for subject in (*begin, *(subject for subject, _, _ in listed))}
    outermost = [(subject, subject) for subject in begin]
    found: list[Referrer] = []
    for depth in range(1, DEEPEST + 1):
        told = yield from _listed(call, reference, dict.fromkeys(own for _, own in outermost))
        listed += [(image, own, entry) for image, own in outermost for entry in told[own]]
        outermost = []
        for image, own, entry in listed:
            if entry["digest"] not in seen[image]:
                seen[image].add(entry["digest"])
                outermost.append((image, entry["digest"]))
                at = (reference.repo, reference.tag, image)
                found.append(Referrer(*at, entry, {}, depth, own))
        listed = []
        if not outermost:
            break
        if len(found) > MOST:
            raise PayloadError(f"more than {MOST} artifacts refer to {reference}; not read further")
    order = {image: place for place, image in enumerate(seen)}
    full = yield from _with_manifests(call, reference, found)
    return sorted(full, key=lambda one: (order[one.image], one.depth))


def _attestations(top: str, images: Iterable[Image]) -> Iterator[tuple[str, Payload]]:
    """Describe the attestations that an index lists beside the images they are about."""
    for image in images:
        if image.is_attestation and DIGEST.fullmatch(image.digest or ""):
            said = {label.key: label.value for label in image.labels}.get(ATTESTED, "")
            subject = said if DIGEST.fullmatch(said) else image.index_digest or top
            yield subject, {"digest": image.digest, "mediaType": image.media_type}


def _listed(
    call: Call, reference: ImageReference, subjects: Iterable[str]
) -> Reader[dict[str, list[Payload]]]:
    """Ask the API and for cosign's tags, then for the tags that stand in where there is no API."""
    found: dict[str, list[Payload]] = {subject: [] for subject in subjects}
    lists = {Need("referrers", reference.at(digest=subject)): subject for subject in found}
    signed = {
        Need("stand-in", reference.at(tag=f"{fallback_tag(subject)}{suffix}")): subject
        for subject in found
        for suffix in _COSIGN
    }
    answers = yield [*lists, *signed]
    unlisted = {}
    for need, answer in zip((*lists, *signed), answers, strict=True):
        if not call.is_good(need.reference, answer):
            continue
        if need in signed and answer is not None:
            found[signed[need]].append({"digest": answer.digest, "mediaType": answer.media_type})
        elif need in lists and answer is None:
            subject = lists[need]
            unlisted[Need("stand-in", reference.at(tag=fallback_tag(subject)))] = subject
        elif need in lists:
            found[lists[need]] += answer
    if unlisted:
        indexes = yield from _indexes(call, reference, list(unlisted))
        for need, subject in unlisted.items():
            found[subject][:0] = indexes.get(need, [])
    return found


def _indexes(
    call: Call, reference: ImageReference, tags: Sequence[Need]
) -> Reader[dict[Need, list[Payload]]]:
    """Read the tags that stand in for the API, those that there are."""
    answers = yield tags
    there = {
        need: reference.at(digest=answer.digest)
        for need, answer in zip(tags, answers, strict=True)
        if call.is_good(need.reference, answer) and answer is not None
    }
    indexes = yield from _manifests(call, there.values())
    return {
        need: [one for one in documents.items(indexes[at].json.get("manifests")) if _named(one)]
        for need, at in there.items()
        if at in indexes
    }


def _named(entry: Payload) -> bool:
    """Tell whether a descriptor names something: what is no digest is never asked for."""
    return DIGEST.fullmatch(documents.text(entry.get("digest")) or "") is not None


def fallback_tag(digest: str) -> str:
    """Return the tag that stands in for the referrers API, by the distribution specification."""
    algorithm, _, encoded = digest.partition(":")
    return _ILLEGAL.sub("-", f"{algorithm[:32]}-{encoded[:64]}")


def _with_manifests(
    call: Call, reference: ImageReference, found: Sequence[Referrer]
) -> Reader[list[Referrer]]:
    """Read the manifests of artifacts whose descriptors do not say what they are."""
    at = [reference.at(digest=one.descriptor["digest"]) for one in found]
    read_ones = yield from _manifests(
        call, (where for where, one in zip(at, found, strict=True) if one.needs_reading)
    )
    return [
        _read(one, read_ones[where]) if where in read_ones else one
        for where, one in zip(at, found, strict=True)
    ]


def _read(referrer: Referrer, document: Document) -> Referrer:
    descriptor = {**referrer.descriptor, "size": len(document.body)}
    return replace(referrer, descriptor=descriptor, manifest=document.json)


def _manifests(
    call: Call, references: Iterable[ImageReference]
) -> Reader[dict[ImageReference, Document]]:
    """Get manifests; what fails is recorded."""
    distinct = list(dict.fromkeys(references))
    answers = (yield [Need("manifest", at) for at in distinct]) if distinct else []
    return {
        at: document
        for at, document in zip(distinct, answers, strict=True)
        if call.is_good(at, document) and _is_object(call, at, document)
    }


def _is_object(call: Call, at: ImageReference, document: Document) -> bool:
    try:
        documents.an_object(lambda: document.json, f"the manifest {at}")
    except PayloadError as error:
        return call.is_good(at, error)
    return True
