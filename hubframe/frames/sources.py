"""From references to tags: the Hub where it knows the answer, the registry for the rest."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from itertools import chain
from math import ceil
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from hubframe.errors import NotFoundError
from hubframe.frames.call import Call
from hubframe.frames.selection import ALL, Platforms, TagFilter, platforms, tag_filter
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import ImageReference
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.tables.shape import Image, Tag, hub_images, hub_tag
from hubframe.wire import hub

Source = Literal["auto", "hub", "registry"]
Payload = Mapping[str, Any]
_CLOSEST = 3


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
    is_filtered
        Whether the caller gave a filter.
    newest
        How many of the newest tags; None for all.
    platforms
        Platforms; None for all.
    attestations
        Whether attestations are wanted too.
    is_brief
        Whether no images are wanted, but what a list of tags tells of each, or what refers to it.
    """

    is_wanted: Callable[[str], bool]
    is_filtered: bool = False
    newest: int | None = None
    platforms: list[Platform] | None = None
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
    return Wanted(tag_filter(tags), tags is not None, newest, platforms(platform), attestations)


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
    on_hub = [reference for reference in references if uses_hub(reference, source)]
    elsewhere = [reference for reference in references if not uses_hub(reference, source)]
    call.sources |= ({"hub"} if on_hub else set()) | ({"registry"} if elsewhere else set())
    found = {**_hub_tags(call, on_hub, wanted), **_registry_tags(call, elsewhere, wanted)}
    if len({one.repo for one in references}) == len(references):
        # Only where a repository was asked for twice may a tag come twice.
        return list(chain.from_iterable(found.get(one, ()) for one in references))
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
    found = {reference: [Found(reference, True, tag)] for reference, tag in tags}
    for reference, listed in _hub_lists(call, whole, wanted):
        by_name = {tag.name: tag for tag in listed.tags if tag.name}
        chosen = _newest(call, list(by_name), wanted)
        known = listed.tags if listed.is_whole and wanted.is_brief else None
        found[reference] = [
            Found(reference.at(tag=name), False, by_name[name], known) for name in chosen
        ]
    return found


class _Listed(NamedTuple):
    """Tags of a repository, newest first, and whether they are all that it has."""

    tags: list[Tag]
    is_whole: bool


def _hub_lists(
    call: Call, references: Sequence[ImageReference], wanted: Wanted
) -> list[tuple[ImageReference, _Listed]]:
    """List tags, newest first; only as many pages as it takes.

    Pages are asked for whole: then the same ones serve calls that want more or fewer.
    """
    newest = None if wanted.is_filtered else wanted.newest
    most = newest and ceil(newest / hub.PAGE_SIZE) * hub.PAGE_SIZE
    listed = _listed(call, references, most, wanted)
    short = [
        reference
        for reference, one in listed
        if newest and not one.is_whole and len(_kept(one.tags, wanted)) < newest
    ]
    again = dict(_listed(call, short, None, wanted)) if short else {}
    return [(reference, again.get(reference, one)) for reference, one in listed]


def _listed(
    call: Call, references: Sequence[ImageReference], most: int | None, wanted: Wanted
) -> list[tuple[ImageReference, _Listed]]:
    read = partial(hub_tag, is_brief=wanted.is_brief)
    listings = [hub.tags(reference.path, most, read) for reference in references]
    outcomes = call.client.hub.lists(listings, _gather(call, "tags"))
    return [
        (reference, _Listed(_by_push(outcome), outcome.is_whole))
        for reference, outcome in zip(references, outcomes, strict=True)
        if call.is_good(reference, outcome) and not isinstance(outcome, Exception)
    ]


def _gather(call: Call, title: str) -> hub.Gather:
    """Gather for lists in pages: failures come back in place, and the lists record them."""
    return lambda work, items: call.outcomes(work, items, title)


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


def _by_push(tags: Iterable[Tag]) -> list[Tag]:
    """Sort newest first here: the Hub's own order has changed its sign before."""
    return sorted(tags, key=_pushed, reverse=True)


def _pushed(tag: Tag) -> str:
    # Fractions of other lengths compare rightly once the zone's letter is off.
    return tag.pushed_at.rstrip("Z") if isinstance(tag.pushed_at, str) else ""


def _kept(tags: Iterable[Tag], wanted: Wanted) -> list[Tag]:
    return [tag for tag in tags if tag.name and wanted.is_wanted(tag.name)]


def _newest(call: Call, names: list[str], wanted: Wanted) -> list[str]:
    kept = [name for name in names if wanted.is_wanted(name)]
    if not wanted.is_filtered:
        call.skipped += len(names) - len(kept)
    return kept[: wanted.newest]


def _named_on_hub(call: Call, reference: ImageReference) -> Tag:
    try:
        payload = call.client.hub.tag(reference.path, reference.tag or "")
    except NotFoundError as error:
        listing = hub.tags(reference.path, hub.PAGE_SIZE, itemgetter("name"))
        names = call.client.hub.lists([listing], lambda work, items: [work(item) for item in items])
        raise no_tag(reference, _good(names[0]), error) from None
    return hub_tag({**payload, "name": reference.tag})


def _good(outcome: Any) -> Any:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def no_tag(reference: ImageReference, names: Iterable[str], error: NotFoundError) -> NotFoundError:
    """Name the closest tags that the repository does have."""
    known = list(names)
    wanted = reference.tag or ""
    close = get_close_matches(wanted, known, _CLOSEST, 0.4) or _newest_names(known)
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
            Found(reference.at(tag=name), False, listed=known)
            for name in _newest_by_name(call, reference, names, wanted)
        ]
        for reference, names in listed
        for known in [[Tag(name) for name in names] if wanted.is_brief else None]
    }


def _newest_by_name(
    call: Call, reference: ImageReference, names: Iterable[str], wanted: Wanted
) -> list[str]:
    """Choose by the names alone, and say where they do not tell which are the newest."""
    ordered = _newest_names(names)
    chosen = _newest(call, ordered, wanted)
    kept = [name for name in ordered if wanted.is_wanted(name)]
    read = read_all(kept)
    if len(chosen) < len(kept) and not read[chosen[-1]].is_ordered:
        # The last one chosen, and so what was left out, has a name that tells no order.
        call.unordered.append(str(reference))
    return chosen


def _newest_names(names: Iterable[str]) -> list[str]:
    return [name.tag for name in newest_first(read_all(names).values())]
