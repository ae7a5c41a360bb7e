"""From references to tags: the Hub where it knows the answer, the registry for the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import ceil
from typing import Any, Literal, TypeVar

from hubframe.frames.call import Call
from hubframe.frames.selection import (
    ALL,
    Filters,
    Platforms,
    TagFilter,
    any_of,
    filters,
    platforms,
    suiting,
)
from hubframe.frames.suggestions import newest_names
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import ImageReference
from hubframe.oci.tagnames import read_all
from hubframe.tables.shape import Image, Tag, hub_images, hub_tag
from hubframe.wire import hub
from hubframe.wire.client import Client
from hubframe.wire.engines import Engine
from hubframe.wire.local import LocalSource

Source = Literal["auto", "hub", "registry"]
Asked = TypeVar("Asked")


@dataclass(eq=False)
class Found:
    """A tag (or digest) that was found, with what its source told of it."""

    reference: ImageReference
    is_named: bool  # whether the caller named it, rather than asking for all tags
    tag: Tag | None = None  # what the Hub tells of it; None from a registry
    # All tags of its repository, where these were listed to the last and what is wanted is a list;
    # a registry tells their names alone.
    listed: Sequence[Tag] | None = None
    _images: list[Image] | None = None

    def __str__(self) -> str:
        return str(self.reference)

    @property
    def images(self) -> list[Image]:
        """The images that the Hub says it has, read once; none from a registry."""
        if self._images is None:
            payload = self.tag and self.tag.payload
            self._images = hub_images(self.reference.repo, payload) if payload else []
        return self._images


@dataclass(frozen=True)
class Wanted:
    """Which tags of a repository, and which images of a tag, are wanted."""

    is_wanted: Callable[[str], bool]  # decides by the name of a tag
    filters: Filters  # what decides so, by how the caller wrote it; none without a filter
    newest: int | None = None
    platforms: list[Platform] | None = None  # None for all
    suits: Filters = field(default_factory=dict)  # tells whether a platform suits each of those
    attestations: bool = False
    # Whether no images are wanted, but what a list of tags tells of each, or what refers to it.
    is_brief: bool = False


def read_wanted(
    tags: TagFilter,
    newest: int | None,
    platform: Platforms = ALL,
    *,
    attestations: bool = False,
    is_brief: bool = False,
) -> Wanted:
    """Read what the keywords of a call say."""
    if newest is not None:
        check_count("newest", newest)
    given, wanted = filters(tags), platforms(platform)
    suits = suiting(wanted or ())
    return Wanted(any_of(given), given, newest, wanted, suits, attestations, is_brief)


def check_count(name: str, count: int) -> None:
    """Refuse what is no number of things: no whole number, or less than one."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name} must be a whole number, not {count!r}")
    if count < 1:
        raise ValueError(f"{name} must be at least 1, not {count}")


def _uses_hub(reference: ImageReference, source: Source) -> bool:
    """Tell whether the Hub API is asked about a reference, which it may not know."""
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
    references = _in_engines(call, references)
    on_hub = [one for one in references if _uses_hub(one, source)]
    elsewhere = [one for one in references if not _uses_hub(one, source)]
    call.sources |= {"hub"} if on_hub else set()
    call.asks(elsewhere)
    found = {one: [Found(one, is_named=True)] for one in elsewhere if one.tag or one.digest}
    named = [one for one in on_hub if one.tag]
    for one, tag in call.results(partial(_named_on_hub, call.client), named, "tags"):
        found[one] = [Found(one, is_named=True, tag=tag)]
    found |= _listed_on_hub(call, [one for one in on_hub if not one.tag], wanted)
    whole = [one for one in elsewhere if one not in found]
    for one, names in call.results(partial(_names, call.client), whole, "tags"):
        found[one] = _listed_in_registry(call, one, names, wanted)
        if not wanted.filters and wanted.newest is None:
            found[one] += _without_name(call.client, one)
    distinct: dict[ImageReference, Found] = {}
    for each in chain.from_iterable(found.get(one, ()) for one in references):
        # A tag that was named stays so, also where its whole repository was asked for.
        if each.is_named or each.reference not in distinct:
            distinct[each.reference] = each
    return list(distinct.values())


def _in_engines(call: Call, references: Sequence[ImageReference]) -> list[ImageReference]:
    """Put what an engine has in place of the engine's name."""
    whole = [one for one in references if one.is_in_engine and not one.target]
    listed = dict(call.results(partial(_repositories, call.client), whole, "tags"))
    parts = (listed.get(one, [] if one in whole else [one]) for one in references)
    return list(chain.from_iterable(parts))


def _repositories(client: Client, engine: ImageReference) -> list[ImageReference]:
    source = client.source(engine)
    return source.repositories() if isinstance(source, Engine) else []


def _named_on_hub(client: Client, reference: ImageReference) -> Tag:
    payload = client.hub.tag(reference.path, reference.tag or "")
    return hub_tag({**payload, "name": reference.tag})


def _names(client: Client, reference: ImageReference) -> list[str]:
    return client.source(reference).tags(reference.path)


def _listed_on_hub(
    call: Call, references: Sequence[ImageReference], wanted: Wanted
) -> dict[ImageReference, list[Found]]:
    """List tags, newest first; only as many pages as it takes.

    Pages are asked for whole: then the same ones serve calls that want more or fewer.
    """
    newest = None if wanted.filters else wanted.newest
    most = newest and ceil(newest / hub.PAGE_SIZE) * hub.PAGE_SIZE
    listed = _hub_lists(call, references, most, wanted)
    short = [
        reference
        for reference, tags in listed.items()
        if newest and not tags.is_whole
        if sum(wanted.is_wanted(tag.name) for tag in tags if tag.name) < newest
    ]
    listed |= _hub_lists(call, short, None, wanted)
    found = {}
    for reference, tags in listed.items():
        by_name = {tag.name: tag for tag in tags if tag.name}
        known = tags if tags.is_whole and wanted.is_brief else None
        found[reference] = [
            Found(reference.at(tag=name), False, by_name[name], known)
            for name in _kept(call, list(by_name), wanted)[: wanted.newest]
        ]
    return found


def _hub_lists(
    call: Call, references: Sequence[ImageReference], most: int | None, wanted: Wanted
) -> dict[ImageReference, hub.Entries]:
    read = partial(hub_tag, is_brief=wanted.is_brief)
    listings = {reference: hub.tags(reference.path, most, read) for reference in references}
    found = hub_lists(call, listings, "tags")
    for tags in found.values():
        # The Hub's own order has changed its sign before.
        tags.sort(key=_pushed, reverse=True)
    return found


def hub_lists(
    call: Call, listings: Mapping[Asked, hub.Listing], title: str = "pages"
) -> dict[Asked, hub.Entries]:
    """Get lists of the Hub, by what they are of; what fails is recorded under that."""
    lists: list[Any] = call.client.hub.lists(
        list(listings.values()), partial(call.outcomes, title=title)
    )
    return dict(call.successes(listings, lists))


def _pushed(tag: Tag) -> str:
    # Fractions of other lengths compare rightly once the zone's letter is off.
    return tag.pushed_at.rstrip("Z") if isinstance(tag.pushed_at, str) else ""


def _without_name(client: Client, reference: ImageReference) -> list[Found]:
    """List the images that have no name, as they may be on this machine."""
    source = client.source(reference)
    images = source.unnamed() if isinstance(source, LocalSource) and not reference.path else []
    return [Found(one, is_named=False) for one in images]


def _kept(call: Call, names: Sequence[str], wanted: Wanted) -> list[str]:
    kept = [name for name in names if wanted.is_wanted(name)]
    if wanted.filters:
        call.tags.note(wanted.filters, kept, names)
    else:
        call.skipped += len(names) - len(kept)
    return kept


def _listed_in_registry(
    call: Call, reference: ImageReference, names: Sequence[str], wanted: Wanted
) -> list[Found]:
    """Choose by the names alone, and say where they do not tell which are the newest."""
    kept = _kept(call, newest_names(names), wanted)
    chosen = kept[: wanted.newest]
    if len(chosen) < len(kept) and not read_all(kept)[chosen[-1]].is_ordered:
        # The last one chosen, and so what was left out, has a name that tells no order.
        call.unordered.append(str(reference))
    known = [Tag(name) for name in names] if wanted.is_brief else None
    return [Found(reference.at(tag=name), False, listed=known) for name in chosen]
