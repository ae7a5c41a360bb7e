"""What refers to an image: signatures, attestations and bills of materials, wherever they are kept.

Registries know four ways: the referrers API, the tag that stands in for it where the API is
missing, cosign's own tags, and the attestations that BuildKit lists in the image's index. What
refers to an image may be referred to itself: Docker signs its attestations.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hubframe.errors import PayloadError
from hubframe.frames.call import Call
from hubframe.frames.fetching import Item, look_up
from hubframe.frames.readers import open_chosen, open_tags
from hubframe.frames.sources import Found, Wanted
from hubframe.oci import payload
from hubframe.oci.digests import Document
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables.shape import LIFECYCLE, Image, Referrer

Payload = Mapping[str, Any]
# Where something was found, as `Referrer.where` has it, and its descriptor.
_Listed = tuple[str, Payload]
# How far from the image is looked, and how much is taken: registries may list anything.
DEEPEST = 4
MOST = 10_000
_COSIGN = (".sig", ".att", ".sbom")
# So many tags that need not be there are worth a list of all, of which a page holds a thousand.
_WORTH_LISTING = 32
_ILLEGAL = re.compile(r"[^A-Za-z0-9._-]")


class Tree:
    """What is known of what refers to one tag: to its index and to each of its images.

    Of each image so many artifacts are followed to what refers to them.
    """

    def __init__(
        self, reference: ImageReference, top: str, images: Sequence[Image], followed: int = MOST
    ) -> None:
        self.reference, self.top, self.images = reference, top, images
        self._followed = followed
        proper = (image.digest or "" for image in images if not image.is_attestation)
        begin = dict.fromkeys((top, *filter(DIGEST.fullmatch, proper)))
        # Looked at next: an image, and the digest that is about it.
        self.outermost = [(subject, subject) for subject in begin]
        # Found in the index itself: an image, its subject, and the descriptor with its place.
        self.listed = [
            (subject, subject, ("index", entry)) for subject, entry in _attestations(top, images)
        ]
        attested = (subject for subject, _, _ in self.listed)
        # The digests that were met, by the image that they are about.
        self.seen = {subject: {subject} for subject in (*begin, *attested)}
        self.found: list[Referrer] = []

    @property
    def in_order(self) -> list[Referrer]:
        """What was found, image by image."""
        order = {image: number for number, image in enumerate(self.seen)}
        return sorted(self.found, key=lambda each: (order[each.image], each.depth))

    def go_on(self, told: Mapping[ImageReference, Iterable[_Listed]], depth: int) -> None:
        """Take in what refers to the outermost; what is new is looked at next."""
        listed = self.listed + [
            (image, own, one)
            for image, own in self.outermost
            for one in told.get(self.reference.at(digest=own), ())
        ]
        self.listed, self.outermost = [], []
        for image, own, (where, entry) in listed:
            if entry["digest"] not in self.seen[image]:
                if len(self.seen[image]) <= self._followed:
                    self.outermost.append((image, entry["digest"]))
                self.seen[image].add(entry["digest"])
                at = (self.reference.repo, self.reference.tag, image)
                self.found.append(Referrer(*at, entry, {}, depth, own, where))
        if len(self.found) > MOST:
            raise PayloadError(
                f"more than {MOST} artifacts refer to {self.reference}; not read further"
            )


def referrers_of(call: Call, tags: Sequence[Found]) -> Iterator[Referrer]:
    """Find what refers to tags, to their indexes and to each of their images, some at a time."""
    for trees in trees_of(call, tags, open_tags):
        found = [each for tree in trees for each in tree.in_order]
        yield from with_manifests(call, found, lambda one: one.needs_reading)


def lifecycles_of(
    call: Call, tags: Sequence[Found], wanted: Wanted
) -> Iterator[tuple[Image, Referrer]]:
    """Find the lifecycle artifacts of images, and of their indexes: each covers its platforms.

    A manifest is read where the list of referrers lacks the artifact's type or its annotation.
    """
    opened = partial(open_chosen, wanted=wanted)
    for trees in trees_of(call, tags, opened, followed=0, suffixes=()):
        listed = [
            (tree, one)
            for tree in trees
            for one in tree.in_order
            if one.where != "index" and one.artifact_type in (None, LIFECYCLE)
        ]
        full = with_manifests(
            call,
            [one for _, one in listed],
            lambda one: one.artifact_type is None or one.end_of_life is None,
        )
        # By image and artifact: what a registry lists for both an image and its index counts once.
        covered = {
            (image, one.descriptor["digest"]): one
            for (tree, _), one in zip(listed, full, strict=True)
            if one.artifact_type == LIFECYCLE
            for image in tree.images
            if one.image in (tree.top, image.digest)
            and (wanted.attestations or not image.is_attestation)
        }
        yield from ((image, one) for (image, _), one in covered.items())


def trees_of(
    call: Call,
    tags: Sequence[Found],
    opened: Callable[[Call, Sequence[Found]], Mapping[Found, tuple[str, list[Image]]]],
    followed: int = MOST,
    suffixes: Sequence[str] = _COSIGN,
) -> Iterator[list[Tree]]:
    """Find what refers to the images that tags are opened to, some tags at a time.

    It goes from the images outwards, a step at a time; each artifact counts once per image. Of
    cosign's tags those that end in `suffixes` are asked for.
    """
    call.asks(one.reference for one in tags)
    for batch in call.batches(tags, "referrers"):
        trees = {
            one: Tree(one.reference, top, images, followed)
            for one, (top, images) in opened(call, batch).items()
        }
        for depth in range(1, DEEPEST + 1):
            subjects = [
                tree.reference.at(digest=own)
                for tree in trees.values()
                for _, own in tree.outermost
            ]
            told = _listed(call, subjects, suffixes, [one.reference for one in batch])
            for one, tree in list(trees.items()):
                del trees[one]
                with call.sparing(one):
                    tree.go_on(told, depth)
                    trees[one] = tree
            if call.survey is not None and call.survey.missing:
                # What a plan does not know it cannot go on from.
                break
        for one in (one for one, tree in trees.items() if tree.outermost):
            call.leave_out(one, f"what is {DEEPEST} steps away is not followed further")
        yield list(trees.values())


def _attestations(top: str, images: Iterable[Image]) -> Iterator[tuple[str, Payload]]:
    """Describe the attestations that an index lists beside the images they are about."""
    for image in images:
        if image.is_attestation and DIGEST.fullmatch(image.digest or ""):
            yield (
                image.attested or image.index_digest or top,
                {"digest": image.digest, "mediaType": image.media_type},
            )


def _listed(
    call: Call,
    subjects: Iterable[ImageReference],
    suffixes: Sequence[str],
    tags: Sequence[ImageReference],
) -> dict[ImageReference, list[_Listed]]:
    """Ask the API and for cosign's tags, then for the tags that stand in where there is no API."""
    found: dict[ImageReference, list[_Listed]] = {subject: [] for subject in subjects}
    lists = {Item("referrers", subject): (subject, "referrers") for subject in found}
    signed = {
        Item("stand-in", subject.at(tag=f"{fallback_tag(subject.target)}{suffix}")): (
            subject,
            suffix,
        )
        for subject in found
        for suffix in suffixes
    }
    signed = {item: signed[item] for item in _may_be_there(call, signed, tags)}
    answers = call.get([*lists, *signed])
    unlisted = {}
    for item, (subject, where) in (lists | signed).items():
        answer = answers[item]
        if not call.is_good(item, answer):
            continue
        if item in lists and answer is None:
            unlisted[Item("stand-in", subject.at(tag=fallback_tag(subject.target)))] = subject
        elif item in lists:
            found[subject] += [(where, entry) for entry in answer]
        elif answer is not None:
            entry = {"digest": answer.digest, "mediaType": answer.media_type}
            found[subject].append((where, entry))
    for item, entries in _indexes(call, _may_be_there(call, unlisted, tags)).items():
        found[unlisted[item]][:0] = [("referrers tag", entry) for entry in entries]
    return found


def _may_be_there(
    call: Call, items: Collection[Item], tags: Iterable[ImageReference]
) -> list[Item]:
    """Leave out, of tags that need not be there, those that the list of all tags lacks.

    That list is taken where it is here, or asked for in place of many look-ups. One that lacks a
    tag that is there (`tags`) is older than that, or not whole.
    """
    counts = Counter(one.reference.at() for one in items if not one.reference.is_local)
    lists = {at: Item("names", at) for at in counts}
    many = [item for at, item in lists.items() if counts[at] >= _WORTH_LISTING]
    answers = look_up(call.client, lists.values()) | call.get(many)
    names = {at: answers.get(item) for at, item in lists.items()}
    for one in tags:
        known = names.get(one.at())
        if one.tag and isinstance(known, frozenset) and one.tag not in known:
            names[one.at()] = None
    left = []
    for item in items:
        known = names.get(item.reference.at())
        # In a plan such a list counts, and what follows from it is not known.
        if known is None or (isinstance(known, frozenset) and item.reference.tag in known):
            left.append(item)
    return left


def _indexes(call: Call, tags: Sequence[Item]) -> dict[Item, list[Payload]]:
    """Read the tags that stand in for the API, those that there are."""
    answers = call.get(tags)
    there = {
        item: item.reference.at(digest=answers[item].digest)
        for item in tags
        if call.is_good(item, answers[item]) and answers[item] is not None
    }
    indexes = _manifests(call, there.values())
    return {
        item: [one for one in payload.items(indexes[at].json.get("manifests")) if _named(one)]
        for item, at in there.items()
        if at in indexes
    }


def _named(entry: Payload) -> bool:
    """Tell whether a descriptor names something: what is no digest is never asked for."""
    return DIGEST.fullmatch(payload.text(entry.get("digest")) or "") is not None


def fallback_tag(digest: str) -> str:
    """Return the tag that stands in for the referrers API, by the distribution specification."""
    algorithm, _, encoded = digest.partition(":")
    return _ILLEGAL.sub("-", f"{algorithm[:32]}-{encoded[:64]}")


def with_manifests(
    call: Call, found: Sequence[Referrer], is_read: Callable[[Referrer], bool]
) -> list[Referrer]:
    """Read the manifests of artifacts, of those that are to be read."""
    at = {
        place: ImageReference.parse(one.repo).at(digest=one.descriptor["digest"])
        for place, one in enumerate(found)
        if is_read(one)
    }
    read = _manifests(call, at.values())
    full = list(found)
    for place, reference in at.items():
        if document := read.get(reference):
            descriptor = {**found[place].descriptor, "size": len(document.body)}
            full[place] = replace(found[place], descriptor=descriptor, manifest=document.json)
    return full


def _manifests(call: Call, references: Iterable[ImageReference]) -> dict[ImageReference, Document]:
    """Get manifests; what fails is recorded."""
    items = {at: Item("manifest", at) for at in dict.fromkeys(references)}
    answers = call.get(items.values())
    read: dict[ImageReference, Document] = {}
    for at, item in items.items():
        document = answers[item]
        if call.is_good(at, document):
            try:
                document.as_object(f"the manifest {at}")
                read[at] = document
            except PayloadError as error:
                call.is_good(at, error)
    return read
