"""From tags to images: which documents these take, and what is made of them.

Tags are read many at a time, in waves: digests, indexes, manifests, configs. The Hub API costs no
pull, so where it told of a tag's images these are taken from there; labels, environment and
configurations take a manifest each, and a config.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from hubframe.errors import HubframeError, NoSuchPlatformError, NotFoundError, PayloadError
from hubframe.frames.call import Call
from hubframe.frames.fetching import Item, Kind
from hubframe.frames.selection import choose
from hubframe.frames.sources import Found, Source, Wanted
from hubframe.oci import manifests, payload
from hubframe.oci.digests import Document
from hubframe.oci.manifests import (
    CONFIG_TYPES,
    DOCKER_MANIFEST,
    INDEX_TYPES,
    HubContent,
    ManifestContent,
)
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables.shape import Image, Tag
from hubframe.wire.registry import Resolved

Payload = Mapping[str, Any]
Images = dict[Found, list[Image]]
# The frames of images: those that the Hub tells all of, what it tells of steps, and the others.
FRAMES = ("images", "layers", "history", "labels", "env", "configs")
_OF_STEPS = ("layers", "history")
# How many indexes may stand within one another.
DEEPEST = 8
_AFTER_MANIFEST: tuple[Kind, ...] = ("config",)
_AFTER_INDEX: tuple[Kind, ...] = ("manifest", "config")


def read_images(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> Iterator[Image]:
    """Read the images of tags, some tags at a time, with what a frame shows of them, in order.

    The Hub's old and inactive tags lack digests, and it has lost the images of others: the
    registry is asked what these point at, and where manifests are read.
    """
    # The Hub knows labels only by the steps that set them.
    is_of_steps = name in _OF_STEPS or (name == "labels" and source == "hub")
    is_listed = name == "images"
    # Of a tag's platforms; of all of them about so many.
    images_each = len(wanted.platforms) if wanted.platforms else 8
    for batch in call.batches(found, name, images_each):
        images: Images = {}
        others: list[Found] = []
        for one in batch:
            is_known = is_listed or is_of_steps or all(image.digest for image in one.images)
            if one.images and is_known:
                images[one] = _chosen(call, one, one.images, wanted)
            else:
                others.append(one)
        unread = _in_registry(call, open_tags(call, others), wanted, shows_missing=is_listed)
        if is_of_steps:
            _add_steps(call, images)
        elif not is_listed:
            unread, images = images | unread, {}
        if others or any(unread.values()):
            call.asks(one.reference for one in (*others, *unread))
        images |= _with_contents(call, unread, shows_missing=is_listed)
        for one in batch:
            yield from images.get(one, ())


def resolve(call: Call, tags: Sequence[Found]) -> dict[Found, Tag]:
    """Look up what tags of registries point at, by HEAD; those that dangle have no digest."""
    items = {one: Item("digest", one.reference) for one in tags if one.tag is None}
    answers = call.get(items.values())
    told: dict[Found, Tag] = {}
    for one, item in items.items():
        if isinstance(answers[item], NotFoundError) and not one.is_named:
            told[one] = Tag(one.reference.tag)
        with call.sparing(one):
            at: Resolved = _good(answers[item])
            told[one] = Tag(one.reference.tag, at.digest, at.media_type)
    return told


def _good(outcome: Any) -> Any:
    if isinstance(outcome, HubframeError):
        raise outcome
    return outcome


def _add_steps(call: Call, images: Images) -> None:
    """Add layers and steps as the Hub tells them; of tags that are one image, it is asked once."""
    first: dict[tuple[str, str], Item] = {}
    asked: dict[Found, Item] = {}
    for one, chosen in images.items():
        if chosen:
            same = (one.reference.repo, (one.tag and one.tag.digest) or f":{one.reference.tag}")
            asked[one] = first.setdefault(same, Item("images", one.reference))
    answers = call.get(asked.values())
    for one, item in asked.items():
        with call.sparing(one):
            if not call.is_good(item, answers[item], is_spared=not one.is_named):
                continue
            by_image = _by_image(answers[item])
            for place, image in enumerate(images[one]):
                entry = by_image.get(image.digest or str(image.platform))
                content = None if entry is None else HubContent(entry)
                images[one][place] = image.holding(content)
                call.skipped += content is None or not content.descriptors


def _by_image(entries: Iterable[Payload]) -> dict[str, Payload]:
    """Key what the Hub tells of images by digest, and by platform for old ones that have none."""
    told: dict[str, Payload] = {}
    for entry in entries:
        told.setdefault(str(Platform.read(entry)), entry)
        if isinstance(entry.get("digest"), str):
            told[entry["digest"]] = entry
    return told


def open_chosen(
    call: Call, tags: Sequence[Found], wanted: Wanted
) -> dict[Found, tuple[str, list[Image]]]:
    """Return each tag's digest, and those of its images that are wanted, with attestations.

    Where the Hub told of one image alone, its index need not be read: all is about that one.
    """
    known = {one: _told_alone(one) for one in tags}
    opened = open_tags(call, [one for one, told in known.items() if told is None])
    with_others = replace(wanted, attestations=True)
    images: Images = _in_registry(call, opened, with_others, shows_missing=True)
    tops = {one: top for one, (top, _) in opened.items()}
    for one, told in known.items():
        if told is not None:
            tops[one], held = told
            images[one] = _chosen(call, one, held, with_others)
    return {
        one: (tops[one], _with_own_attestations(tops[one], images[one]))
        for one in tags
        if images.get(one)
    }


def _with_own_attestations(top: str, images: Sequence[Image]) -> list[Image]:
    """Leave out what is attested of images that are not wanted."""
    own = {image.digest for image in images if not image.is_attestation} | {top, None}
    return [image for image in images if not image.is_attestation or image.attested in own]


def _told_alone(one: Found) -> tuple[str, list[Image]] | None:
    """Return digest and images of a tag that has one image, where the Hub told all of it.

    Of an index without attestations it may have lost these.
    """
    top = (one.tag and one.tag.digest) or ""
    proper = [image for image in one.images if not image.is_attestation]
    digests = {image.digest or "" for image in one.images}
    is_told = all(map(DIGEST.fullmatch, {top, *digests})) and (len(digests) > 1 or top in digests)
    if len(proper) != 1 or not is_told:
        return None
    about = {manifests.ATTESTED: proper[0].digest}
    return top, [
        replace(image, annotations=(("descriptor", about),)) if image.is_attestation else image
        for image in one.images
    ]


def _in_registry(
    call: Call,
    opened: Mapping[Found, tuple[str, list[Image]]],
    wanted: Wanted,
    *,
    shows_missing: bool,
) -> Images:
    """Choose among the images that tags have in their registry.

    Where no index tells the platform of an image, its config does, and is read before the choice.
    An index may be sparse: some of the images that it tells of are not there.
    """
    untold = {
        one: [image for image in images if image.platform is None and not image.is_attestation]
        for one, (_, images) in opened.items()
    }
    chosen: Images = {}
    for one, read in _with_contents(call, untold, shows_missing=shows_missing).items():
        told = {image.digest: _with_platform(image) for image in read}
        known = [told.get(each.digest) if each in untold[one] else each for each in opened[one][1]]
        proper = [image for image in known if image and _is_of(image, wanted)]
        is_whole = None not in known
        chosen[one] = _chosen(call, one, proper, wanted, [*told.values()], is_whole=is_whole)
    return chosen


def open_tags(call: Call, tags: Sequence[Found]) -> dict[Found, tuple[str, list[Image]]]:
    """Return each tag's digest and images: those that its index names, or the one that it is."""
    items, single = _items(call, tags)
    answers = call.get(items.values(), _AFTER_INDEX) | call.get(single.values(), _AFTER_MANIFEST)
    latest = answers
    for _ in range(DEEPEST):
        inner = [each for item, told in latest.items() for each in _indexes_in(item, told)]
        latest = call.get((each for each in inner if each not in answers), _AFTER_INDEX)
        answers |= latest
    opened: dict[Found, tuple[str, list[Image]]] = {}
    for one in tags:
        if item := items.get(one) or single.get(one):
            with call.sparing(one):
                top = _good(answers[item])
                images = _flat(one.reference, top, answers, {top.digest})
                opened[one] = top.digest, list(images)
    return opened


def _items(call: Call, tags: Sequence[Found]) -> tuple[dict[Found, Item], dict[Found, Item]]:
    """Tell how to get what tags name: what may be indexes, and what are none.

    On Docker Hub the digests of tags are looked up first, which is free. A registry that told them
    beside the protocol is asked by digest: then what is here already is not asked for again.
    """
    on_hub = {
        one: Item("digest", one.reference)
        for one in tags
        if one.reference.is_hub and not one.reference.digest
    }
    resolved = call.get(on_hub.values(), ("manifest", *_AFTER_INDEX))
    items: dict[Found, Item] = {}
    single: dict[Found, Item] = {}
    for one in tags:
        if one in on_hub:
            with call.sparing(one):
                at = _good(resolved[on_hub[one]])
                is_index = at.media_type is None or at.media_type in INDEX_TYPES
                where = items if is_index else single
                where[one] = Item("manifest", one.reference.at(digest=at.digest))
        elif one.tag and one.tag.digest and not one.reference.digest:
            told = payload.text(one.tag.media_type)
            may_be_index = told is None or told in INDEX_TYPES
            where = items if may_be_index and one.tag.is_index is not False else single
            where[one] = Item("manifest", one.reference.at(digest=one.tag.digest))
        else:
            items[one] = Item("manifest" if one.reference.digest else "tag", one.reference)
    return items, single


def _indexes_in(item: Item, document: Any) -> list[Item]:
    """List the indexes that an index names; what cannot be read is an error for its reader."""
    try:
        descriptors = manifests.with_digest(_good(document).as_object(item).get("manifests"))
    except HubframeError:
        return []
    return [
        Item("manifest", item.reference.at(digest=each["digest"]))
        for each in descriptors
        if payload.text(each.get("mediaType")) in INDEX_TYPES
    ]


def _flat(
    reference: ImageReference,
    document: Document,
    answers: Mapping[Item, Any],
    seen: set[str],
    depth: int = 1,
) -> Iterator[Image]:
    """List the images of a document, with those of indexes within it in their place, each once."""
    for image in images_in(reference, document):
        if image.media_type not in INDEX_TYPES:
            yield image
        elif image.digest and image.digest not in seen:
            if depth > DEEPEST:
                raise PayloadError(f"{reference} is an index of indexes, more than {DEEPEST} deep")
            seen.add(image.digest)
            inner = _good(answers[Item("manifest", reference.at(digest=image.digest))])
            for one in _flat(reference, inner, answers, seen, depth + 1):
                annotations = (*image.annotations, *one.annotations)
                yield replace(one, index_digest=image.index_digest, annotations=annotations)


def images_in(reference: ImageReference, document: Document) -> list[Image]:
    """List the images that a document of a registry names, in its order, each once."""
    body = document.as_object(reference)
    if manifests.kind(body, document.media_type, reference) != "index":
        media_type = manifests.media_type(body, document.media_type)
        return [Image(reference.repo, reference.tag, document.digest, media_type=media_type)]
    repo = reference.repo
    shared = payload.mapping(body.get("annotations"))
    images = {
        (entry.digest, str(entry.platform)): Image(
            repo,
            reference.tag,
            entry.digest,
            entry.platform,
            index_digest=document.digest,
            media_type=entry.media_type,
            is_attestation=entry.is_attestation,
            annotations=(("index", shared), ("descriptor", entry.annotations)),
        )
        for entry in manifests.entries(body)
    }
    return list(images.values())


def _chosen(
    call: Call,
    found: Found,
    images: list[Image],
    wanted: Wanted,
    untold: Sequence[Image] = (),
    *,
    is_whole: bool = True,
) -> list[Image]:
    """Choose by platform: a tag that was named must have it, others are counted and left out.

    What could not be read is recorded, and may be what is wanted: then nothing is said here.
    """
    proper = [image for image in images if not image.is_attestation]
    is_single = len(proper) == 1 and proper[0].index_digest is None
    chosen = choose(
        images,
        wanted.platforms,
        attestations=wanted.attestations,
        is_single=is_single,
        untold=untold,
    )
    is_missing = not chosen and is_whole
    if is_missing and found.is_named and images and wanted.platforms:
        call.is_good(found, no_platform(found.reference, images, wanted.platforms))
        return []
    call.skipped += is_missing
    if wanted.platforms and is_whole and not is_single:
        names = [image.platform_name for image in proper if image.platform_name]
        call.platforms.note(wanted.suits, names, names)
    return chosen


def no_platform(
    reference: ImageReference, images: Iterable[Image], platforms: Iterable[Platform]
) -> NoSuchPlatformError:
    """Say which platforms there are."""
    had = sorted({image.platform_name or "none" for image in images if not image.is_attestation})
    wanted = " or ".join(map(str, platforms))
    return NoSuchPlatformError(
        f"{reference} has no image for {wanted}; it has {', '.join(had) or 'none at all'}"
    )


def _with_contents(
    call: Call, tags: Mapping[Found, Sequence[Image]], *, shows_missing: bool
) -> Images:
    """Add manifest and config to images that have a digest, and are not read already.

    An image that is missing has no content. It is an error where it is all that was asked for by
    a tag's name, unless the frame shows what the index tells of it.
    """
    asked = {
        one: [
            Item("manifest", one.reference.at(digest=digest))
            for digest in dict.fromkeys(each.digest for each in images if not each.content)
            if digest
        ]
        for one, images in tags.items()
    }
    answers = call.get(chain.from_iterable(asked.values()), _AFTER_MANIFEST)
    config_of: dict[Found, dict[Item, Item | None]] = {}
    for one, items in asked.items():
        is_read = any(image.content for image in tags[one])
        is_all_missing = all(isinstance(answers[item], NotFoundError) for item in items)
        is_spared = shows_missing or is_read or not (is_all_missing and one.is_named)
        with call.sparing(one):
            config_of[one] = {
                item: item_of_config(item, answers[item])
                for item in items
                if call.is_good(item, answers[item], is_spared=is_spared)
            }
    configs = call.get(filter(None, chain.from_iterable(map(dict.values, config_of.values()))))
    full: Images = {}
    for one, read in config_of.items():
        told: dict[str | None, Any] = {
            item.reference.digest: None
            for item in asked[one]
            if isinstance(answers[item], NotFoundError)
        }
        with call.sparing(one):
            for item, wanted in read.items():
                config = configs[wanted] if wanted else None
                if call.is_good(item, config, is_spared=not one.is_named):
                    told[item.reference.digest] = _content(item, answers[item], config)
            full[one] = [
                image if image.content else image.holding(told[image.digest])
                for image in tags[one]
                if image.content or image.digest in told
            ]
    return full


def _content(item: Item, document: Document, config: Document | None) -> ManifestContent:
    """Join a manifest with its config."""
    body = document.as_object(item)
    told = config.as_object(f"the config of {item}") if config else {}
    return manifests.content(body, told, document.media_type, item.reference)


def item_of_config(item: Item, document: Document) -> Item | None:
    """Tell how to get a manifest's config; None where it has none, or one that is no image's."""
    body = document.as_object(item)
    descriptor = payload.mapping(body.get("config"))
    digest = payload.text(descriptor.get("digest"))
    named = payload.text(descriptor.get("mediaType"))
    is_docker = manifests.media_type(body, document.media_type) == DOCKER_MANIFEST
    # Docker's first pushes in schema 2 did not say what their configs are.
    is_image = named in CONFIG_TYPES or (is_docker and named == "application/octet-stream")
    if not digest or not is_image:
        return None
    if not DIGEST.fullmatch(digest):
        raise PayloadError(f"the manifest {item} names a config by {digest[:80]!r}, no digest")
    return Item("config", item.reference, digest)


def _with_platform(image: Image) -> Image:
    """Take the platform from the config where no index tells it; artifacts have none."""
    if not isinstance(image.content, ManifestContent):
        return image
    platform = Platform.read(image.content.config)
    is_listed = image.index_digest is not None
    is_attestation = is_listed and platform is not None and platform.is_unknown
    return replace(image, platform=platform, is_attestation=is_attestation)


def _is_of(image: Image, wanted: Wanted) -> bool:
    """Tell whether an image can be chosen: an artifact of an index is for no platform."""
    is_artifact = image.platform is None and not image.is_attestation
    return not is_artifact or wanted.platforms is None or image.index_digest is None
