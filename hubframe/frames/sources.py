"""From references to tags: the Hub where it knows the answer, the registry for the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import ceil
from typing import Any, Literal

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

Source = Literal["auto", "hub", "registry"]
Payload = Mapping[str, Any]


@dataclass(eq=False)
class Found:
    """A tag (or digest) that was found, with what its source told of it.

    Attributes
    ----------
    reference
        Its repository, with the tag or digest.
    is_named
        Whether the caller named it, rather than asking for all tags.
    tag
        What the Hub tells of it; None from a registry.
    listed
        All tags of its repository, where these were listed to the last and what is wanted is a
        list; a registry tells their names alone.
    """

    reference: ImageReference
    is_named: bool
    tag: Tag | None = None
    listed: Sequence[Tag] | None = None
    _images: list[Image] | None = None

    def __str__(self) -> str:
        return str(self.reference)

    @property
    def images(self) -> list[Image]:
        """The images that the Hub says it has, read once; none from a registry."""
        if self._images is None:
            payload = self.tag and self.tag.payload
            found = [] if payload is None else hub_images(self.reference.repo, payload)
            self._images = found
        return self._images


@dataclass(frozen=True)
class Wanted:
    """Which tags of a repository, and which images of a tag, are wanted.

    Attributes
    ----------
    is_wanted
        Decides by the name of a tag.
    filters
        What decides so, by how the caller wrote it; none where no filter was given.
    newest
        How many of the newest tags; None for all.
    platforms
        Platforms; None for all.
    suits
        Decides of a platform that there is whether it suits, by each of those.
    attestations
        Whether attestations are wanted too.
    is_brief
        Whether no images are wanted, but what a list of tags tells of each, or what refers to it.
    """

    is_wanted: Callable[[str], bool]
    filters: Filters = field(default_factory=dict)
    newest: int | None = None
    platforms: list[Platform] | None = None
    suits: Filters = field(default_factory=dict)
    attestations: bool = False
    is_brief: bool = False


def read_wanted(
    tags: TagFilter,
    newest: int | None,
    platform: Platforms = ALL,
    *,
    attestations: bool = False,
) -> Wanted:
    """Read what the keywords of a call say."""
    if newest is not None:
        check_count("newest", newest)
    given, wanted = filters(tags), platforms(platform)
    return Wanted(any_of(given), given, newest, wanted, suiting(wanted or ()), attestations)


def check_count(name: str, count: int) -> None:
    """Refuse what is no number of things.

    Raises
    ------
    TypeError, ValueError
        It is no whole number, or less than one.
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name} must be a whole number, not {count!r}")
    if count < 1:
        raise ValueError(f"{name} must be at least 1, not {count}")


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
    on_hub = [one for one in references if uses_hub(one, source)]
    elsewhere = [one for one in references if not uses_hub(one, source)]
    call.sources |= ({"hub"} if on_hub else set()) | ({"registry"} if elsewhere else set())
    found = {one: [Found(one, is_named=True)] for one in elsewhere if one.tag or one.digest}
    named = [one for one in on_hub if one.tag]
    tags = call.outcomes(partial(_named_on_hub, call.client), named, "tags")
    for one, tag in call.successes(named, tags):
        found[one] = [Found(one, is_named=True, tag=tag)]
    found |= _listed_on_hub(call, [one for one in on_hub if not one.tag], wanted)
    whole = [one for one in elsewhere if one not in found]
    lists = call.outcomes(partial(_names, call.client), whole, "tags")
    for one, names in call.successes(whole, lists):
        found[one] = _listed_in_registry(call, one, names, wanted)
    if len({one.repo for one in references}) == len(references):
        # Only where a repository was asked for twice may a tag come twice.
        return list(chain.from_iterable(found.get(one, ()) for one in references))
    distinct: dict[ImageReference, Found] = {}
    for found_tag in (each for one in references for each in found.get(one, ())):
        # A tag that was named stays so, also where its whole repository was asked for.
        if found_tag.is_named or found_tag.reference not in distinct:
            distinct[found_tag.reference] = found_tag
    return list(distinct.values())


def _named_on_hub(client: Client, reference: ImageReference) -> Tag:
    payload = client.hub.tag(reference.path, reference.tag or "")
    return hub_tag({**payload, "name": reference.tag})


def _names(client: Client, reference: ImageReference) -> list[str]:
    return client.registry(reference.registry).tags(reference.path)


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
    listings = [hub.tags(reference.path, most, read) for reference in references]
    lists: list[Any] = call.client.hub.lists(listings, partial(call.outcomes, title="tags"))
    found: dict[ImageReference, hub.Entries] = dict(call.successes(references, lists))
    for tags in found.values():
        # The Hub's own order has changed its sign before.
        tags.sort(key=_pushed, reverse=True)
    return found


def hub_list(call: Call, items: Sequence[Any], listings: Sequence[hub.Listing]) -> list[Payload]:
    """Get lists of the Hub and join them; what fails is recorded under its item."""
    call.sources.add("hub")
    lists: list[Any] = call.client.hub.lists(listings, partial(call.outcomes, title="pages"))
    return [payload for _, found in call.successes(items, lists) for payload in found]


def _pushed(tag: Tag) -> str:
    # Fractions of other lengths compare rightly once the zone's letter is off.
    return tag.pushed_at.rstrip("Z") if isinstance(tag.pushed_at, str) else ""


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
