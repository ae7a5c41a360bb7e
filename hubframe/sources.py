"""From references to images: the Hub where it knows the answer, the registry for the rest.

The Hub API costs no pull, so it is asked for tags, images, layers and history; labels,
environment and configurations are spent a pull on, once for each distinct image.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from math import ceil
from typing import Any, Literal

from hubframe.call import Call
from hubframe.errors import NoSuchPlatformError, NotFoundError, PayloadError
from hubframe.reference import ImageReference
from hubframe.selection import choose
from hubframe.tables import documents, versions
from hubframe.tables.documents import (
    CONFIG_TYPES,
    DOCKER_MANIFEST,
    INDEX_TYPES,
    HubContent,
    ManifestContent,
    Platform,
)
from hubframe.tables.shape import Image, hub_images
from hubframe.wire import hub
from hubframe.wire.content import Document
from hubframe.wire.registry import Resolved

Source = Literal["auto", "hub", "registry"]
Payload = Mapping[str, Any]
_CLOSEST = 3
# How many indexes may stand within one another.
DEEPEST = 8


@dataclass(frozen=True, eq=False)
class Found:
    """A tag (or digest) that was found, with what its source told of it.

    Attributes
    ----------
    reference
        Its repository, with the tag or digest.
    is_named
        Whether the caller named it, rather than asking for all tags.
    payload
        The Hub's account of it; None from a registry.
    """

    reference: ImageReference
    is_named: bool
    payload: Payload | None = None

    def __str__(self) -> str:
        return str(self.reference)

    @cached_property
    def images(self) -> list[Image]:
        """The images that the Hub says it has; none from a registry."""
        return [] if self.payload is None else hub_images(self.reference.repo, self.payload)


@dataclass(frozen=True)
class Wanted:
    """Which tags of a repository, and which images of a tag, are wanted.

    Attributes
    ----------
    is_wanted
        Decides by the name of a tag.
    is_filtered
        Whether the caller gave a filter.
    newest
        How many of the newest tags; None for all.
    platforms
        Platforms; None for all.
    attestations
        Whether attestations are wanted too.
    """

    is_wanted: Callable[[str], bool]
    is_filtered: bool = False
    newest: int | None = None
    platforms: list[Platform] | None = None
    attestations: bool = False


def uses_hub(reference: ImageReference, source: Source) -> bool:
    """Tell whether the Hub API is asked about a reference.

    Raises
    ------
    ValueError
        The Hub is to be asked about another registry, or the source is none.
    """
    if source == "hub" and not reference.is_hub:
        raise ValueError(f'{reference} is not on Docker Hub: source="hub" does not know it')
    if source == "hub" and reference.digest:
        raise ValueError(f'{reference}: the Hub knows tags only; ask with source="registry"')
    return source != "registry" and reference.is_hub and reference.digest is None


def find_tags(
    call: Call, references: Sequence[ImageReference], wanted: Wanted, source: Source
) -> list[Found]:
    """Find the tags that are asked for, in the order of the references, newest first."""
    if source not in ("auto", "hub", "registry"):
        raise ValueError(f'source must be "auto", "hub" or "registry", not {source!r}')
    on_hub = [reference for reference in references if uses_hub(reference, source)]
    elsewhere = [reference for reference in references if not uses_hub(reference, source)]
    call.sources |= ({"hub"} if on_hub else set()) | ({"registry"} if elsewhere else set())
    found = {**_hub_tags(call, on_hub, wanted), **_registry_tags(call, elsewhere, wanted)}
    distinct: dict[ImageReference, Found] = {}
    for tag in (tag for reference in references for tag in found.get(reference, ())):
        # A tag that was named stays so, also where its whole repository was asked for.
        if tag.is_named or tag.reference not in distinct:
            distinct[tag.reference] = tag
    return list(distinct.values())


def _hub_tags(
    call: Call, references: Sequence[ImageReference], wanted: Wanted
) -> dict[ImageReference, list[Found]]:
    named = [reference for reference in references if reference.tag]
    whole = [reference for reference in references if not reference.tag]
    tags = call.gather(lambda reference: _named_on_hub(call, reference), named, "tags")
    found = {reference: [Found(reference, True, payload)] for reference, payload in tags}
    for reference, payloads in _hub_lists(call, whole, wanted):
        names = {payload["name"]: payload for payload in payloads}
        chosen = _newest(call, list(names), wanted)
        found[reference] = [Found(reference.at(tag=name), False, names[name]) for name in chosen]
    return found


def _hub_lists(
    call: Call, references: Sequence[ImageReference], wanted: Wanted
) -> list[tuple[ImageReference, list[Payload]]]:
    """List tags, newest first; only as many pages as it takes.

    Pages are asked for whole: then the same ones serve calls that want more or fewer.
    """
    newest = None if wanted.is_filtered else wanted.newest
    most = newest and ceil(newest / hub.PAGE_SIZE) * hub.PAGE_SIZE
    listed = _listed(call, references, most)
    short = [
        reference
        for reference, payloads in listed
        if newest and len(payloads) == most and len(_kept(payloads, wanted)) < newest
    ]
    again = dict(_listed(call, short, None)) if short else {}
    return [(reference, again.get(reference, payloads)) for reference, payloads in listed]


def _listed(
    call: Call, references: Sequence[ImageReference], most: int | None
) -> list[tuple[ImageReference, list[Payload]]]:
    listings = [hub.tags(reference.path, most) for reference in references]
    outcomes = call.client.hub.lists(listings, _gather(call, "tags"))
    return [
        (reference, _by_push(outcome))
        for reference, outcome in zip(references, outcomes, strict=True)
        if call.is_good(reference, outcome) and not isinstance(outcome, Exception)
    ]


def _gather(call: Call, title: str) -> hub.Gather:
    """Gather for lists in pages: failures come back in place, and the lists record them."""

    def gather(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        return call.client.gather(
            work, items, collect=call.collects, progress=call.progress, title=title
        )

    return gather


def hub_list(call: Call, items: Sequence[Any], listings: Sequence[hub.Listing]) -> list[Payload]:
    """Get lists of the Hub and join them; what fails is recorded under its item."""
    call.sources.add("hub")
    outcomes = call.client.hub.lists(listings, _gather(call, "pages"))
    return [
        payload
        for item, outcome in zip(items, outcomes, strict=True)
        if call.is_good(item, outcome) and not isinstance(outcome, Exception)
        for payload in outcome
    ]


def _by_push(payloads: Iterable[Payload]) -> list[Payload]:
    """Sort newest first here: the Hub's own order has changed its sign before."""
    return sorted(payloads, key=_pushed, reverse=True)


def _pushed(payload: Payload) -> str:
    pushed = payload.get("tag_last_pushed") or payload.get("last_updated")
    # Fractions of other lengths compare rightly once the zone's letter is off.
    return pushed.rstrip("Z") if isinstance(pushed, str) else ""


def _kept(payloads: Iterable[Payload], wanted: Wanted) -> list[Payload]:
    return [payload for payload in payloads if wanted.is_wanted(payload["name"])]


def _newest(call: Call, names: list[str], wanted: Wanted) -> list[str]:
    kept = [name for name in names if wanted.is_wanted(name)]
    if not wanted.is_filtered:
        call.skipped += len(names) - len(kept)
    return kept[: wanted.newest]


def _named_on_hub(call: Call, reference: ImageReference) -> Payload:
    try:
        payload = call.client.hub.tag(reference.path, reference.tag or "")
    except NotFoundError as error:
        listing = hub.tags(reference.path, hub.PAGE_SIZE)
        tags = call.client.hub.lists([listing], lambda work, items: [work(item) for item in items])
        raise _no_tag(reference, (payload["name"] for payload in _good(tags[0])), error) from None
    return {**payload, "name": reference.tag}


def _good(outcome: Any) -> Any:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _no_tag(reference: ImageReference, names: Iterable[str], error: NotFoundError) -> NotFoundError:
    """Name the closest tags that the repository does have."""
    known = list(names)
    wanted = reference.tag or ""
    close = get_close_matches(wanted, known, _CLOSEST, 0.4) or sorted(
        known, key=versions.newest_first
    )
    if not known or wanted in known:
        return error
    shown = ", ".join(close[:_CLOSEST])
    return NotFoundError(f"{reference}: the repository has no tag {wanted!r}; it does have {shown}")


def _registry_tags(
    call: Call, references: Sequence[ImageReference], wanted: Wanted
) -> dict[ImageReference, list[Found]]:
    named = {
        reference: [Found(reference, True)]
        for reference in references
        if reference.tag or reference.digest
    }
    whole = [reference for reference in references if reference not in named]
    listed = call.gather(
        lambda reference: call.client.registry(reference.registry).tags(reference.path),
        whole,
        "tags",
    )
    return named | {
        reference: [
            Found(reference.at(tag=name), False)
            for name in _newest(call, sorted(names, key=versions.newest_first), wanted)
        ]
        for reference, names in listed
    }


def resolve(call: Call, tags: Sequence[Found]) -> list[tuple[Found, Resolved]]:
    """Look up what tags of registries point at, by HEAD."""
    return call.gather(lambda found: _resolved(call, found), tags, "digests")


def _resolved(call: Call, found: Found) -> Resolved:
    registry = call.client.registry(found.reference.registry)
    try:
        return registry.resolve(found.reference)
    except NotFoundError as error:
        if found.reference.digest:
            raise
        raise _no_tag(found.reference, registry.tags(found.reference.path), error) from None


def images_of(call: Call, tags: Sequence[Found], wanted: Wanted) -> list[Image]:
    """List images, from the Hub where it told of the tag, else with manifest and config."""
    told, rest = _parted(tags)
    return _in_order(
        tags, [*hub_image_list(call, told, wanted), *registry_images(call, rest, wanted)]
    )


def layers_of(call: Call, tags: Sequence[Found], wanted: Wanted) -> list[Image]:
    """Read images with their layers and steps; those on the Hub cost no pull."""
    told, rest = _parted(tags)
    images = hub_contents(call, told, hub_image_list(call, told, wanted))
    return _in_order(tags, [*images, *registry_images(call, rest, wanted)])


def contents_of(call: Call, tags: Sequence[Found], wanted: Wanted) -> list[Image]:
    """Read images with manifest and config; the Hub tells the digests where it knows them."""
    told, rest = _parted(tags, lambda found: all(image.digest for image in found.images))
    images = hub_image_list(call, told, wanted)
    if images:
        call.sources.add("registry")
    full = with_contents(call, images)
    return _in_order(tags, [*full, *registry_images(call, rest, wanted)])


def _parted(
    tags: Sequence[Found], is_enough: Callable[[Found], bool] = lambda _: True
) -> tuple[list[Found], list[Found]]:
    """Part the tags of which the Hub told the images from those that only the registry knows.

    The Hub's old and inactive tags lack digests, and it has lost the images of others.
    """
    told = {id(found) for found in tags if found.images and is_enough(found)}
    return (
        [found for found in tags if id(found) in told],
        [found for found in tags if id(found) not in told],
    )


def _in_order(tags: Sequence[Found], images: Sequence[Image]) -> list[Image]:
    """Put images of several sources in the order of their tags."""
    places = {
        (found.reference.repo, found.reference.tag or found.reference.digest): place
        for place, found in enumerate(tags)
    }
    return sorted(
        images,
        key=lambda image: places[image.repo, image.tag or image.index_digest or image.digest],
    )


def hub_image_list(call: Call, tags: Sequence[Found], wanted: Wanted) -> list[Image]:
    """List the images of tags as the Hub tells them."""
    return [image for found in tags for image in _chosen(call, found, found.images, wanted)]


def _chosen(call: Call, found: Found, images: list[Image], wanted: Wanted) -> list[Image]:
    """Choose by platform: a tag that was named must have it, others are counted and left out."""
    proper = [image for image in images if not image.is_attestation]
    is_single = len(proper) == 1 and proper[0].index_digest is None
    chosen = choose(images, wanted.platforms, attestations=wanted.attestations, is_single=is_single)
    if chosen:
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


def hub_contents(call: Call, tags: Sequence[Found], images: Sequence[Image]) -> list[Image]:
    """Add layers and steps from the Hub: one request for each distinct digest, and no pull."""
    by_tag = {(found.reference.repo, found.reference.tag): found for found in tags}
    needed: dict[Any, Found] = {}
    for image in images:
        found = by_tag[image.repo, image.tag]
        needed.setdefault(_same(found), found)
    told = call.gather(
        lambda found: call.client.hub.images(found.reference.path, found.reference.tag or ""),
        list(needed.values()),
        "layers",
    )
    contents = {_same(found): _hub_contents(entries) for found, entries in told}
    full = [
        replace(
            image, content=_content_of(image, contents.get(_same(by_tag[image.repo, image.tag])))
        )
        for image in images
    ]
    call.skipped += sum(
        image.content is None or not image.content.layers
        for image in full
        if _same(by_tag[image.repo, image.tag]) in contents
    )
    return full


def _same(found: Found) -> tuple[str, str]:
    """What tags have in common that are one image: the digest, where the Hub tells it."""
    digest = (found.payload or {}).get("digest")
    return (found.reference.repo, digest if isinstance(digest, str) else f":{found.reference.tag}")


def _hub_contents(entries: Iterable[Payload]) -> dict[str, HubContent]:
    """Key contents by digest, and by platform for old images that have none."""
    contents: dict[str, HubContent] = {}
    for entry in entries:
        content = HubContent(entry)
        contents.setdefault(str(Platform.read(entry)), content)
        if isinstance(entry.get("digest"), str):
            contents[entry["digest"]] = content
    return contents


def _content_of(image: Image, contents: Mapping[str, HubContent] | None) -> HubContent | None:
    if contents is None:
        return None
    return contents.get(image.digest or str(image.platform))


def registry_images(call: Call, tags: Sequence[Found], wanted: Wanted) -> list[Image]:
    """Read the images of tags from their registries, with manifest and config.

    A tag is resolved and its index read, then manifests and configs of all the images chosen;
    each document is fetched once, however many tags point at it.
    """
    if tags:
        call.sources.add("registry")
    opened = call.gather(lambda found: open_tag(call, found), tags, "manifests")
    chosen = [
        image for found, (_, images) in opened for image in _chosen(call, found, images, wanted)
    ]
    return [_with_platform(image) for image in with_contents(call, chosen)]


def open_tag(call: Call, found: Found) -> tuple[str, list[Image]]:
    """Return a tag's digest and its images: those that its index names, or the one that it is."""
    registry = call.client.registry(found.reference.registry)
    document = registry.manifest(found.reference, told=_resolved(call, found).digest)
    images = images_in(found.reference, document)
    return document.digest, _flat(call, found.reference, images, {document.digest})


def _flat(
    call: Call, reference: ImageReference, images: list[Image], seen: set[str], depth: int = 1
) -> list[Image]:
    """Put the images of an index within an index in its place; each index once, so loops end."""
    if depth > DEEPEST:
        raise PayloadError(f"{reference} is an index of indexes, more than {DEEPEST} deep")
    flat = []
    for image in images:
        if image.media_type not in INDEX_TYPES:
            flat.append(image)
        elif image.digest and image.digest not in seen:
            seen.add(image.digest)
            at = reference.at(digest=image.digest)
            inner = images_in(reference, call.client.registry(reference.registry).manifest(at))
            flat += [
                replace(
                    one,
                    index_digest=image.index_digest,
                    annotations=(*image.annotations, *one.annotations),
                )
                for one in _flat(call, reference, inner, seen, depth + 1)
            ]
    return flat


def images_in(reference: ImageReference, document: Document) -> list[Image]:
    """List the images that a document of a registry names, in its order, each once.

    Raises
    ------
    PayloadError
        It is no manifest, or more than one kind of it at once.
    """
    body = documents.parse(document.body, str(reference))
    if documents.kind(body, document.media_type, str(reference)) != "index":
        media_type = documents.media_type(body, document.media_type)
        return [Image(reference.repo, reference.tag, document.digest, media_type=media_type)]
    shared = documents.labels("index", body.get("annotations"))
    images = {
        (entry.digest, str(entry.platform)): Image(
            reference.repo,
            reference.tag,
            entry.digest,
            entry.platform,
            index_digest=document.digest,
            media_type=entry.media_type,
            is_attestation=entry.is_attestation,
            annotations=(*shared, *documents.labels("descriptor", entry.annotations)),
        )
        for entry in documents.entries(body)
    }
    return list(images.values())


def with_contents(call: Call, images: Sequence[Image]) -> list[Image]:
    """Add manifest and config to images that have a digest, each fetched once."""
    where = {
        (image.repo, image.digest): ImageReference.parse(image.repo).at(digest=image.digest)
        for image in images
        if image.digest
    }
    read = call.gather(lambda reference: _content(call, reference), list(where.values()), "configs")
    contents = {(reference.repo, reference.digest): content for reference, content in read}
    return [
        replace(image, content=contents[image.repo, image.digest])
        for image in images
        if (image.repo, image.digest) in contents
    ]


def _content(call: Call, reference: ImageReference) -> ManifestContent:
    document = call.client.registry(reference.registry).manifest(reference)
    return read_content(call, reference, document)


def read_content(call: Call, reference: ImageReference, document: Document) -> ManifestContent:
    """Read a manifest and fetch its config, where it is an image's."""
    manifest = documents.parse(document.body, str(reference))
    descriptor = documents.mapping(manifest.get("config"))
    config: Payload = {}
    digest = documents.text(descriptor.get("digest"))
    named = documents.text(descriptor.get("mediaType"))
    is_docker = documents.media_type(manifest, document.media_type) == DOCKER_MANIFEST
    # Docker's first pushes in schema 2 did not say what their configs are.
    if digest and (named in CONFIG_TYPES or (is_docker and named == "application/octet-stream")):
        blob = call.client.registry(reference.registry).config(reference, digest)
        config = documents.parse(blob.body, f"the config of {reference}")
    return documents.content(manifest, config, document.media_type, str(reference))


def _with_platform(image: Image) -> Image:
    """Take the platform from the config where no index tells it; artifacts have none."""
    if image.platform is not None or not isinstance(image.content, ManifestContent):
        return image
    return replace(image, platform=Platform.read(image.content.config))
