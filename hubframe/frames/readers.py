"""From tags to images: which documents these take, and what is made of them.

Tags are read many at a time, in waves: digests, indexes, manifests, configs. The Hub API costs no
pull, so where it told of a tag's images these are taken from there; labels, environment and
configurations take a manifest each, and a config.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, TypeVar

from hubframe.errors import HubframeError, NoSuchPlatformError, NotFoundError, PayloadError
from hubframe.frames.call import Call
from hubframe.frames.fetching import Item, Kind
from hubframe.frames.selection import choose
from hubframe.frames.sources import Found, Source, Wanted, no_tag
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
from hubframe.tables.shape import Image
from hubframe.wire.registry import Resolved

Payload = Mapping[str, Any]
Result = TypeVar("Result")
Images = dict[Found, list[Image]]
# How many indexes may stand within one another.
DEEPEST = 8
_AFTER_MANIFEST: tuple[Kind, ...] = ("config",)
_AFTER_INDEX: tuple[Kind, ...] = ("manifest", "config")


def read_images(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> Iterator[Image]:
    """Read the images of tags, with what a frame shows of them, in the order of the tags."""
    read = reader_of(name, source)
    # Of a tag's platforms; of all of them about so many.
    images_each = len(wanted.platforms) if wanted.platforms else 8
    for batch in call.batches(found, name, images_each):
        images = read(call, batch, wanted)
        yield from chain.from_iterable(images.get(one, ()) for one in batch)


def reader_of(name: str, source: Source) -> Callable[[Call, Sequence[Found], Wanted], Images]:
    """Return what reads the images of some tags for a frame; those that fail have none."""
    # The Hub knows labels only by the steps that set them.
    return _layers if name == "labels" and source == "hub" else READERS[name]


def resolve(call: Call, tags: Sequence[Found]) -> dict[Found, Resolved | None]:
    """Look up what tags of registries point at, by HEAD; null for those that dangle."""
    items = {one: Item("digest", one.reference) for one in tags if one.tag is None}
    answers = _answers(call, items)
    told: dict[Found, Resolved | None] = {}
    for one in items:
        answer = spared(call, one, _good, answers[one])
        is_dangling = isinstance(answers[one], NotFoundError) and not one.is_named
        if answer is not None or is_dangling:
            told[one] = answer
    return told


def spared(call: Call, found: Found, work: Callable[..., Result], *args: Any) -> Result | None:
    """Do something for a tag; one that is listed and dangles costs its own rows alone."""
    try:
        return work(*args)
    except NotFoundError as error:
        if found.is_named:
            call.is_good(found, error)
        else:
            words = f"{found} is listed, and what it points at is not there: {error}"
            call.miss(found, NotFoundError(words))
    except HubframeError as error:
        call.is_good(found, error)
    return None


def _good(outcome: Any) -> Any:
    if isinstance(outcome, HubframeError):
        raise outcome
    return outcome


def _answers(
    call: Call, items: Mapping[Found, Item], then: tuple[Kind, ...] = ()
) -> dict[Found, Any]:
    """Get one item for each tag; where a tag is missing, its error names those that are closest."""
    found = call.get(items.values(), then)
    lost = [
        item
        for item in dict.fromkeys(items.values())
        if isinstance(found[item], NotFoundError) and not item.reference.digest
    ]
    names = call.get(Item("names", item.reference.at()) for item in lost)
    for item in lost:
        known = names[Item("names", item.reference.at())]
        if not isinstance(known, HubframeError):
            found[item] = no_tag(item.reference, known, found[item])
    return {one: found[item] for one, item in items.items()}


def _images(call: Call, tags: Sequence[Found], wanted: Wanted) -> Images:
    """Take images from the Hub where it told of the tag, else from the registry."""
    told = {one: _chosen(call, one, one.images, wanted) for one in tags if one.images}
    return told | _from_registry(call, _others(tags, told), wanted, shows_missing=True)


def _others(tags: Iterable[Found], told: Iterable[Found]) -> list[Found]:
    known = set(told)
    return [one for one in tags if one not in known]


def _layers(call: Call, tags: Sequence[Found], wanted: Wanted) -> Images:
    """Read layers and steps; of tags that are one image, the Hub is asked once."""
    told: Images = {}
    first: dict[tuple[str, str], Item] = {}
    asked: dict[Found, Item] = {}
    for one in tags:
        if one.images:
            told[one] = _chosen(call, one, one.images, wanted)
            if told[one]:
                same = (one.reference.repo, (one.tag and one.tag.digest) or f":{one.reference.tag}")
                asked[one] = first.setdefault(same, Item("images", one.reference))
    answers = call.get(asked.values())
    for one, item in asked.items():
        if spared(call, one, _is_good, call, one, item, answers[item]):
            by_image = _by_image(answers[item])
            told[one] = [_with_steps(image, by_image) for image in told[one]]
            call.skipped += sum(
                image.content is None or not image.content.descriptors for image in told[one]
            )
    return told | _from_registry(call, _others(tags, told), wanted)


def _contents(call: Call, tags: Sequence[Found], wanted: Wanted) -> Images:
    """Read manifests and configs.

    The Hub's old and inactive tags lack digests, and it has lost the images of others: the
    registry is asked what these point at.
    """
    told = {
        one: _chosen(call, one, one.images, wanted)
        for one in tags
        if one.images and all(image.digest for image in one.images)
    }
    if any(told.values()):
        call.sources.add("registry")
    return _with_contents(call, told) | _from_registry(call, _others(tags, told), wanted)


READERS: Mapping[str, Callable[[Call, Sequence[Found], Wanted], Images]] = {
    "images": _images,
    "layers": _layers,
    "history": _layers,
    "labels": _contents,
    "env": _contents,
    "configs": _contents,
}


def _by_image(entries: Iterable[Payload]) -> dict[str, Payload]:
    """Key what the Hub tells of images by digest, and by platform for old ones that have none."""
    told: dict[str, Payload] = {}
    for entry in entries:
        told.setdefault(str(Platform.read(entry)), entry)
        if isinstance(entry.get("digest"), str):
            told[entry["digest"]] = entry
    return told


def _with_steps(image: Image, told: Mapping[str, Payload]) -> Image:
    entry = told.get(image.digest or str(image.platform))
    return image.holding(None if entry is None else HubContent(entry))


def _from_registry(
    call: Call, tags: Sequence[Found], wanted: Wanted, *, shows_missing: bool = False
) -> Images:
    """Read indexes, then manifests and configs of the images chosen.

    Where no index tells the platform of an image, its config does, and is read before the choice.
    An index may be sparse: some of the images that it tells of are not there.
    """
    if not tags:
        return {}
    call.sources.add("registry")
    opened = {one: images for one, (_, images) in open_tags(call, tags).items()}
    untold = {
        one: [image for image in images if image.platform is None and not image.is_attestation]
        for one, images in opened.items()
    }
    full = _with_contents(
        call, {one: images for one, images in untold.items() if images}, shows_missing=shows_missing
    )
    chosen: Images = {}
    for one, images in opened.items():
        if one in full:
            told = {image.digest: _with_platform(image) for image in full[one]}
            known = [told.get(each.digest) if each in untold[one] else each for each in images]
            proper = [image for image in known if image and _is_of(image, wanted)]
            is_whole = None not in known
            rest = list(told.values())
            chosen[one] = _chosen(call, one, proper, wanted, untold=rest, is_whole=is_whole)
        elif not untold[one]:
            chosen[one] = _chosen(call, one, images, wanted)
    return _with_contents(call, chosen, shows_missing=shows_missing)


def open_tags(call: Call, tags: Sequence[Found]) -> dict[Found, tuple[str, list[Image]]]:
    """Return each tag's digest and images: those that its index names, or the one that it is."""
    top: dict[Found, str] = {}
    images: Images = {}
    for one, document in named(call, tags).items():
        read = spared(call, one, _images_of_document, one.reference, document)
        if read is not None:
            top[one], images[one] = document.digest, read
    seen = {one: {digest} for one, digest in top.items()}
    for depth in range(1, DEEPEST + 2):
        inner = {one: _indexes(one, images[one], seen[one]) for one in images}
        inner = {one: items for one, items in inner.items() if items}
        if not inner:
            break
        answers = call.get(
            chain.from_iterable(items.values() for items in inner.values()), _AFTER_INDEX
        )
        for one, items in inner.items():
            documents_of = {digest: answers[item] for digest, item in items.items()}
            flat = spared(call, one, _flat, one.reference, images[one], documents_of, depth)
            if flat is None:
                del images[one]
            else:
                images[one] = flat
    return {
        one: (top[one], [each for each in found if each.media_type not in INDEX_TYPES])
        for one, found in images.items()
    }


def named(call: Call, tags: Sequence[Found]) -> dict[Found, Document]:
    """Get what tags name. On Docker Hub their digests are looked up first, which is free."""
    on_hub = {
        one: Item("digest", one.reference)
        for one in tags
        if one.reference.is_hub and not one.reference.digest
    }
    resolved = _answers(call, on_hub, ("manifest", *_AFTER_INDEX))
    by_digest: dict[Found, Item] = {}
    single: dict[Found, Item] = {}
    by_tag: dict[Found, Item] = {}
    for one in tags:
        if one.reference.digest:
            by_digest[one] = Item("manifest", one.reference)
        elif one not in on_hub:
            by_tag[one] = Item("tag", one.reference)
        elif (at := spared(call, one, _good, resolved[one])) is not None:
            is_index = at.media_type is None or at.media_type in INDEX_TYPES
            where = by_digest if is_index else single
            where[one] = Item("manifest", one.reference.at(digest=at.digest))
    found = (
        _answers(call, by_digest, _AFTER_INDEX)
        | _answers(call, single, _AFTER_MANIFEST)
        | _answers(call, by_tag, _AFTER_INDEX)
    )
    told = {one: spared(call, one, _good, outcome) for one, outcome in found.items()}
    return {one: document for one, document in told.items() if document is not None}


def _indexes(found: Found, images: Iterable[Image], seen: set[str]) -> dict[str, Item]:
    """Return the indexes among the images of an index; each once, so loops end."""
    inner = [image.digest for image in images if image.media_type in INDEX_TYPES and image.digest]
    fresh = [digest for digest in dict.fromkeys(inner) if digest not in seen]
    seen.update(fresh)
    return {digest: Item("manifest", found.reference.at(digest=digest)) for digest in fresh}


def _flat(
    reference: ImageReference, images: Iterable[Image], indexes: Mapping[str, Any], depth: int
) -> list[Image]:
    """Put the images of indexes within an index in their place."""
    if depth > DEEPEST:
        raise PayloadError(f"{reference} is an index of indexes, more than {DEEPEST} deep")
    flat: list[Image] = []
    left = dict(indexes)
    for image in images:
        if image.media_type not in INDEX_TYPES:
            flat.append(image)
        elif image.digest in left:
            document = _good(left.pop(image.digest))
            flat += [
                replace(
                    one,
                    index_digest=image.index_digest,
                    annotations=(*image.annotations, *one.annotations),
                )
                for one in images_in(reference, document)
            ]
    return flat


def _images_of_document(reference: ImageReference, document: Document) -> list[Image]:
    return images_in(reference, document)


def images_in(reference: ImageReference, document: Document) -> list[Image]:
    """List the images that a document of a registry names, in its order, each once.

    Raises
    ------
    PayloadError
        It is no manifest, or more than one kind of it at once.
    """
    body = _said(document, reference)
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
    *,
    untold: Sequence[Image] = (),
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
    if chosen or not is_whole:
        return chosen
    if found.is_named and images and wanted.platforms:
        call.is_good(found, no_platform(found.reference, images, wanted.platforms))
    else:
        call.skipped += 1
    return []


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
    call: Call, tags: Mapping[Found, Sequence[Image]], *, shows_missing: bool = False
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
    manifests: dict[Found, list[_Manifest]] = {}
    for one, items in asked.items():
        is_read = any(image.content for image in tags[one])
        is_spared = (
            shows_missing
            or is_read
            or not all(isinstance(answers[item], NotFoundError) for item in items)
        )
        read = spared(call, one, _manifests, call, one, items, answers, is_spared)
        if read is not None:
            manifests[one] = read
    configs = call.get(
        each.config for read in manifests.values() for each in read if each.config is not None
    )
    full: Images = {}
    for one, read in manifests.items():
        missing = {
            item.reference.digest: None
            for item in asked[one]
            if isinstance(answers[item], NotFoundError)
        }
        told = spared(call, one, _told, call, one, read, configs)
        if told is not None:
            told = missing | told
            full[one] = [
                image if image.content else image.holding(told[image.digest])
                for image in tags[one]
                if image.content or image.digest in told
            ]
    return full


def _manifests(
    call: Call,
    found: Found,
    items: Iterable[Item],
    answers: Mapping[Item, Any],
    is_spared: bool,  # noqa: FBT001
) -> "list[_Manifest]":
    return [
        _Manifest(item.reference, answers[item])
        for item in items
        if _is_good(call, found, item, answers[item], is_spared=is_spared)
    ]


def _told(
    call: Call, found: Found, manifests: "Iterable[_Manifest]", configs: Mapping[Item, Any]
) -> dict[str | None, Any]:
    told: dict[str | None, Any] = {}
    for one in manifests:
        config = configs[one.config] if one.config else None
        if config is None or _is_good(call, found, one.reference, config):
            told[one.reference.digest] = one.content(config)
    return told


def _is_good(
    call: Call, found: Found, item: object, outcome: object, *, is_spared: bool = False
) -> bool:
    """Record a failure; what a tag lacks that nobody named is not raised."""
    if isinstance(outcome, NotFoundError) and (is_spared or not found.is_named):
        call.miss(item, outcome)
        return False
    return call.is_good(item, outcome)


def _said(document: Document, what: object) -> Payload:
    """Read a document: once for all the frames that it is remembered for, so nobody changes it."""
    return payload.an_object(lambda: document.json, what)


class _Manifest:
    """A manifest that was read, and what it takes to read its config.

    Attributes
    ----------
    reference
        Where it lies.
    config
        Its config; None where it has none, or one that is no image's.
    """

    def __init__(self, reference: ImageReference, document: Document) -> None:
        self.reference = reference
        self._sent_as = document.media_type
        self._body = _said(document, reference)
        self.config = self._config()

    def content(self, config: Document | None) -> ManifestContent:
        """Join it with its config."""
        told = _said(config, f"the config of {self.reference}") if config else {}
        return manifests.content(self._body, told, self._sent_as, self.reference)

    def _config(self) -> Item | None:
        descriptor = payload.mapping(self._body.get("config"))
        digest = payload.text(descriptor.get("digest"))
        named = payload.text(descriptor.get("mediaType"))
        is_docker = manifests.media_type(self._body, self._sent_as) == DOCKER_MANIFEST
        # Docker's first pushes in schema 2 did not say what their configs are.
        is_image = named in CONFIG_TYPES or (is_docker and named == "application/octet-stream")
        if not digest or not is_image:
            return None
        if not DIGEST.fullmatch(digest):
            raise PayloadError(
                f"the manifest {self.reference} names a config by {digest[:80]!r}, no digest"
            )
        return Item("config", self.reference, digest)


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
    is_listed = image.index_digest is not None
    return image.platform is not None or wanted.platforms is None or not is_listed
