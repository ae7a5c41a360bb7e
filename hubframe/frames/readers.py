"""The readers of tags: which documents an image takes, and what is made of them.

They are conversations (see `hubframe.frames.reading`), and do no I/O. The Hub API costs no pull,
so where it told of a tag's images these are taken from there; labels, environment and
configurations take a manifest each, and a config.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from hubframe.errors import HubframeError, NoSuchPlatformError, NotFoundError, PayloadError
from hubframe.frames.call import Call
from hubframe.frames.needs import Kind, Need
from hubframe.frames.reading import Reader, read
from hubframe.frames.selection import choose
from hubframe.frames.sources import Found, Source, Wanted, no_tag
from hubframe.oci.digests import Document
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables import documents
from hubframe.tables.documents import (
    CONFIG_TYPES,
    DOCKER_MANIFEST,
    INDEX_TYPES,
    HubContent,
    ManifestContent,
    Platform,
)
from hubframe.tables.shape import Image
from hubframe.wire.registry import Resolved

Payload = Mapping[str, Any]
Result = TypeVar("Result")
ImageReader = Reader[list[Image]]
# A reader, and what it reads: failures are told of that.
Task = tuple[Found, Reader[list[Image] | None]]
# How many indexes may stand within one another.
DEEPEST = 8
_AFTER_MANIFEST: tuple[Kind, ...] = ("config",)
_AFTER_INDEX: tuple[Kind, ...] = ("manifest", "config")


def tasks_of(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> Iterator[Task]:
    """Make the readers of a frame."""
    # The Hub knows labels only by the steps that set them.
    make = layer_readers if name == "labels" and source == "hub" else TASKS[name]
    return ((one, spared(call, one, reader)) for one, reader in make(call, found, wanted))


def spared(call: Call, found: Found, reader: Reader[Result]) -> Reader[Result | None]:
    """Read a tag; one that is listed and dangles costs its own rows, where nobody named it."""
    try:
        return (yield from reader)
    except NotFoundError as error:
        if found.is_named:
            raise
        call.miss(found, _dangling(found, error))
        return None


def _dangling(found: Found, error: NotFoundError) -> NotFoundError:
    return NotFoundError(f"{found} is listed, and what it points at is not there: {error}")


def read_images(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> Iterator[Image]:
    """Read the images of tags, with what a frame shows of them, in the order of the tags."""
    tasks = tasks_of(call, name, found, wanted, source)
    return chain.from_iterable(read(call, tasks, len(found), name))


def tag_readers(
    call: Call, tags: Sequence[Found], _wanted: Wanted
) -> Iterator[tuple[Found, Reader[tuple[Found, Resolved | None]]]]:
    """Make the readers of tags: only a registry's have to be looked up, by HEAD."""
    for found in tags:
        if found.tag is None:
            yield found, _resolved(call, found)


def resolve(call: Call, tags: Sequence[Found]) -> dict[Found, Resolved | None]:
    """Look up what tags of registries point at, by HEAD; null for those that dangle."""
    return dict(read(call, tag_readers(call, tags, Wanted(bool)), len(tags), "tags"))


def _resolved(call: Call, found: Found) -> Reader[tuple[Found, Resolved | None]]:
    return found, (yield from spared(call, found, _answer(Need("digest", found.reference))))


def _answer(need: Need) -> Reader[Any]:
    """Return the answer to one need, without which there is nothing to go on with.

    Raises
    ------
    HubframeError
        There is none; where a tag is missing it names those that are closest.
    """
    (answer,) = yield [need]
    if not isinstance(answer, HubframeError):
        return answer
    if not isinstance(answer, NotFoundError) or need.reference.digest:
        raise answer
    (names,) = yield [Need("names", need.reference.at())]
    raise answer if isinstance(names, HubframeError) else no_tag(need.reference, names, answer)


def image_readers(call: Call, tags: Sequence[Found], wanted: Wanted) -> Iterator[Task]:
    """Make the readers of images: from the Hub where it told of the tag, else from the registry."""
    for found in tags:
        read_one = _told if found.images else partial(_from_registry, shows_missing=True)
        yield found, read_one(call, found, wanted)


def layer_readers(call: Call, tags: Sequence[Found], wanted: Wanted) -> Iterator[Task]:
    """Make the readers of layers and steps; of tags that are one image, the Hub is asked once."""
    first: dict[tuple[str, str], ImageReference] = {}
    for found in tags:
        if found.images:
            asked = first.setdefault(_same(found), found.reference)
            yield found, _layers_on_hub(call, found, asked, wanted)
        else:
            yield found, _from_registry(call, found, wanted)


def content_readers(call: Call, tags: Sequence[Found], wanted: Wanted) -> Iterator[Task]:
    """Make the readers of manifests and configs.

    The Hub's old and inactive tags lack digests, and it has lost the images of others: the
    registry is asked what these point at.
    """
    for found in tags:
        is_told = bool(found.images) and all(image.digest for image in found.images)
        read_one = _contents_on_hub if is_told else _from_registry
        yield found, read_one(call, found, wanted)


def index_readers(
    _call: Call, tags: Sequence[Found], _wanted: Wanted
) -> Iterator[tuple[Found, Reader[tuple[str, list[Image]]]]]:
    """Make the readers of what tags name: what refers to that is asked for by digest, after it."""
    for found in tags:
        yield found, open_tag(found.reference)


TASKS: Mapping[str, Callable[[Call, Sequence[Found], Wanted], Iterator[Any]]] = {
    "tags": tag_readers,
    "images": image_readers,
    "layers": layer_readers,
    "history": layer_readers,
    "labels": content_readers,
    "env": content_readers,
    "configs": content_readers,
    "referrers": index_readers,
}


def _told(call: Call, found: Found, wanted: Wanted) -> ImageReader:
    """Take the images as the Hub tells them: nothing is asked for."""
    yield from ()
    return _chosen(call, found, found.images, wanted)


def _layers_on_hub(call: Call, found: Found, asked: ImageReference, wanted: Wanted) -> ImageReader:
    images = _chosen(call, found, found.images, wanted)
    if not images:
        return []
    (entries,) = yield [Need("images", asked)]
    if not _is_good(call, found, asked, entries):
        return images
    told = _by_image(entries)
    full = [_with_steps(image, told.get(_key(image))) for image in images]
    call.skipped += sum(image.content is None or not image.content.descriptors for image in full)
    return full


def _same(found: Found) -> tuple[str, str]:
    """What tags have in common that are one image: the digest, where the Hub tells it."""
    digest = found.tag and found.tag.digest
    return (found.reference.repo, digest or f":{found.reference.tag}")


def _by_image(entries: Iterable[Payload]) -> dict[str, Payload]:
    """Key what the Hub tells of images by digest, and by platform for old ones that have none."""
    told: dict[str, Payload] = {}
    for entry in entries:
        told.setdefault(str(Platform.read(entry)), entry)
        if isinstance(entry.get("digest"), str):
            told[entry["digest"]] = entry
    return told


def _with_steps(image: Image, told: Payload | None) -> Image:
    return image.holding(None if told is None else HubContent(told))


def _key(image: Image) -> str:
    return image.digest or str(image.platform)


def _contents_on_hub(call: Call, found: Found, wanted: Wanted) -> ImageReader:
    images = _chosen(call, found, found.images, wanted)
    if images:
        call.sources.add("registry")
    return (yield from _with_contents(call, found, images))


def _from_registry(
    call: Call, found: Found, wanted: Wanted, *, shows_missing: bool = False
) -> ImageReader:
    """Read a tag's index, then manifests and configs of the images chosen.

    Where no index tells the platform of an image, its config does, and is read before the choice.
    An index may be sparse: some of the images that it tells of are not there.
    """
    call.sources.add("registry")
    _, images = yield from open_tag(found.reference)
    untold = [image for image in images if image.platform is None and not image.is_attestation]
    if untold:
        full = yield from _with_contents(call, found, untold, shows_missing=shows_missing)
        told = {image.digest: _with_platform(image) for image in full}
        known = [told.get(one.digest) if one in untold else one for one in images]
        is_whole = None not in known
        images = [image for image in known if image and _is_of(image, wanted)]
        untold = list(told.values())
        chosen = _chosen(call, found, images, wanted, untold=untold, is_whole=is_whole)
    else:
        chosen = _chosen(call, found, images, wanted)
    return (yield from _with_contents(call, found, chosen, shows_missing=shows_missing))


def open_tag(reference: ImageReference) -> Reader[tuple[str, list[Image]]]:
    """Return a tag's digest and its images: those that its index names, or the one that it is."""
    document: Document = yield from named(reference)
    images = images_in(reference, document)
    return document.digest, (yield from _flat(reference, images, {document.digest}))


def named(reference: ImageReference) -> Reader[Document]:
    """Return what a tag names. On Docker Hub its digest is looked up first, which is free."""
    if reference.digest:
        need = Need("manifest", reference, then=_AFTER_INDEX)
    elif reference.is_hub:
        then: tuple[Kind, ...] = ("manifest", *_AFTER_INDEX)
        resolved: Resolved = yield from _answer(Need("digest", reference, then=then))
        is_index = resolved.media_type is None or resolved.media_type in INDEX_TYPES
        then = _AFTER_INDEX if is_index else _AFTER_MANIFEST
        need = Need("manifest", reference.at(digest=resolved.digest), then=then)
    else:
        need = Need("tag", reference, then=_AFTER_INDEX)
    document: Document = yield from _answer(need)
    return document


def _flat(
    reference: ImageReference, images: list[Image], seen: set[str], depth: int = 1
) -> ImageReader:
    """Put the images of an index within an index in its place; each index once, so loops end."""
    if depth > DEEPEST:
        raise PayloadError(f"{reference} is an index of indexes, more than {DEEPEST} deep")
    flat = []
    for image in images:
        if image.media_type not in INDEX_TYPES:
            flat.append(image)
        elif image.digest and image.digest not in seen:
            seen.add(image.digest)
            need = Need("manifest", reference.at(digest=image.digest), then=_AFTER_INDEX)
            document = yield from _answer(need)
            inner = yield from _flat(reference, images_in(reference, document), seen, depth + 1)
            flat += [
                replace(
                    one,
                    index_digest=image.index_digest,
                    annotations=(*image.annotations, *one.annotations),
                )
                for one in inner
            ]
    return flat


def images_in(reference: ImageReference, document: Document) -> list[Image]:
    """List the images that a document of a registry names, in its order, each once.

    Raises
    ------
    PayloadError
        It is no manifest, or more than one kind of it at once.
    """
    body = _said(document, reference)
    if documents.kind(body, document.media_type, reference) != "index":
        media_type = documents.media_type(body, document.media_type)
        return [Image(reference.repo, reference.tag, document.digest, media_type=media_type)]
    repo = reference.repo
    shared = documents.mapping(body.get("annotations"))
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
        for entry in documents.entries(body)
    }
    return list(images.values())


def _chosen(  # noqa: PLR0913
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
    call: Call, found: Found, images: Sequence[Image], *, shows_missing: bool = False
) -> ImageReader:
    """Add manifest and config to images that have a digest, and are not read already.

    An image that is missing has no content. It is an error where it is all that was asked for by
    a tag's name, unless the frame shows what the index tells of it.
    """
    unread = [image for image in images if image.content is None]
    digests = dict.fromkeys(image.digest for image in unread if image.digest)
    at = [found.reference.at(digest=one) for one in digests]
    answers = (yield [Need("manifest", one, then=_AFTER_MANIFEST) for one in at]) if at else []
    is_read = len(unread) < len(images)
    is_spared = (
        shows_missing or is_read or not all(isinstance(one, NotFoundError) for one in answers)
    )
    manifests = [
        _Manifest(one, document)
        for one, document in zip(at, answers, strict=True)
        if _is_good(call, found, one, document, is_spared=is_spared)
    ]
    needs = [one.config_need for one in manifests if one.config_need]
    configs = iter((yield needs) if needs else [])
    contents = {}
    for one in manifests:
        config = next(configs) if one.config_need else None
        if config is None or _is_good(call, found, one.reference, config):
            contents[one.reference.digest] = one.content(config)
    missing = {
        one.digest: None
        for one, document in zip(at, answers, strict=True)
        if isinstance(document, NotFoundError)
    }
    told = missing | contents
    return [
        image if image.content else image.holding(told[image.digest])
        for image in images
        if image.content or image.digest in told
    ]


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
    return documents.an_object(lambda: document.json, what)


class _Manifest:
    """A manifest that was read, and what it takes to read its config.

    Attributes
    ----------
    reference
        Where it lies.
    config_need
        The need for its config; None where it has none, or one that is no image's.
    """

    def __init__(self, reference: ImageReference, document: Document) -> None:
        self.reference = reference
        self._sent_as = document.media_type
        self._body = _said(document, reference)
        self.config_need = self._needed()

    def content(self, config: Document | None) -> ManifestContent:
        """Join it with its config."""
        told = _said(config, f"the config of {self.reference}") if config else {}
        return documents.content(self._body, told, self._sent_as, self.reference)

    def _needed(self) -> Need | None:
        descriptor = documents.mapping(self._body.get("config"))
        digest = documents.text(descriptor.get("digest"))
        named = documents.text(descriptor.get("mediaType"))
        is_docker = documents.media_type(self._body, self._sent_as) == DOCKER_MANIFEST
        # Docker's first pushes in schema 2 did not say what their configs are.
        is_image = named in CONFIG_TYPES or (is_docker and named == "application/octet-stream")
        if not digest or not is_image:
            return None
        if not DIGEST.fullmatch(digest):
            raise PayloadError(
                f"the manifest {self.reference} names a config by {digest[:80]!r}, no digest"
            )
        return Need("config", self.reference, digest)


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
