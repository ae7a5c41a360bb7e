"""From references to tags: the Hub where it knows the answer, the registry for the rest."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from math import ceil
from typing import Any, Literal, TypeVar

from hubframe.errors import NotFoundError, UnauthorizedError
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
from hubframe.tables.shape import Image, Tag, hub_images, hub_repo, hub_tag
from hubframe.wire import hub
from hubframe.wire.client import Client
from hubframe.wire.engines import Engine
from hubframe.wire.local import LocalSource
from hubframe.wire.providers import Provider
from hubframe.wire.settings import PROVIDERS

Source = Literal["auto", "hub", "registry"]
Asked = TypeVar("Asked")


@dataclass(eq=False)
class Found:
    """A tag (or digest) that was found, with what its source told of it."""

    reference: ImageReference
    is_named: bool  # whether the caller named it, rather than asking for all tags
    tag: Tag | None = None  # what the Hub or a provider tells of it; None from a registry
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
    beside = _told_beside(call, elsewhere, wanted) if source == "auto" else {}
    elsewhere = [one for one in elsewhere if one not in beside]
    call.asks(elsewhere)
    found = beside | {
        one: [Found(one, is_named=True)] for one in elsewhere if one.tag or one.digest
    }
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
    return {
        reference: _listed(call, reference, tags, wanted, is_whole=tags.is_whole)
        for reference, tags in listed.items()
    }


def _listed(
    call: Call,
    reference: ImageReference,
    tags: Sequence[Tag],
    wanted: Wanted,
    *,
    is_whole: bool = True,
) -> list[Found]:
    """Choose among the tags of a repository, which come newest first."""
    by_name = {tag.name: tag for tag in tags if tag.name}
    known = tags if is_whole and wanted.is_brief else None
    return [
        Found(reference.at(tag=name), False, by_name[name], known)
        for name in kept_tags(call, list(by_name), wanted)[: wanted.newest]
    ]


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


def _told_beside(
    call: Call, references: Sequence[ImageReference], wanted: Wanted
) -> dict[ImageReference, list[Found]]:
    """Find tags by what registries tell beside the protocol: dates, sizes and digests.

    Where a registry tells nothing so, it is asked as others are. A tag that is named for its images
    is looked up there in any case.
    """
    providers = {
        one: provider
        for one in references
        if not one.digest and (wanted.is_brief or not one.tag)
        if (provider := call.client.provider(one.registry)) is not None
    }
    found = {}
    for one, tags in call.results(partial(_told, providers), list(providers), "tags"):
        if isinstance(tags, str):
            call.unknown["pushed_at", one.repo] = tags
            continue
        call.sources.add(providers[one].kind)
        if one.tag:
            found[one] = [Found(one, True, tag) for tag in tags]
        else:
            found[one] = _listed(call, one, sorted(tags, key=_pushed, reverse=True), wanted)
    return found


def _told(
    providers: Mapping[ImageReference, Provider], reference: ImageReference
) -> list[Tag] | str:
    """Ask what a registry tells beside the protocol; text says why it tells nothing."""
    provider, path = providers[reference], reference.path
    try:
        rows = [provider.tag(path, reference.tag)] if reference.tag else provider.tags(path)
    except (NotFoundError, UnauthorizedError) as error:
        return str(error)
    return [Tag(**row) for row in rows]


def hub_lists(
    call: Call, listings: Mapping[Asked, hub.Listing], title: str = "pages"
) -> dict[Asked, hub.Entries]:
    """Get lists of the Hub, by what they are of; what fails is recorded under that."""
    lists: list[Any] = call.client.hub.lists(
        list(listings.values()), partial(call.outcomes, title=title)
    )
    return dict(call.successes(listings, lists))


def repos(call: Call, owners: Sequence[str]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """List the repositories of owners, in their order; those elsewhere are written with a host."""
    elsewhere = {owner: _provider_of(call.client, owner) for owner in owners if "/" in owner}
    on_hub = [owner for owner in owners if owner not in elsewhere]
    call.sources |= {"hub"} if on_hub else set()
    call.sources |= {provider.kind for provider in elsewhere.values()}
    listings = {name: replace(hub.repositories(name), read=hub_repo) for name in on_hub}
    found: dict[str, Sequence[Mapping[str, Any]]] = {**hub_lists(call, listings)}
    found |= call.results(partial(_repos_of, elsewhere), list(elsewhere), "pages")
    return (found[owner] for owner in owners if owner in found)


def _repos_of(providers: Mapping[str, Provider], owner: str) -> Sequence[Mapping[str, Any]]:
    return providers[owner].repos(owner.partition("/")[2])


def _provider_of(client: Client, owner: str) -> Provider:
    """Return what tells of a registry beside the protocol; where nothing does, a ValueError."""
    host = owner.partition("/")[0]
    provider = client.provider(host)
    if provider is None:
        raise ValueError(
            f"{owner}: the protocol of registries does not tell this. Docker Hub and quay.io do, "
            f"and registries whose API is named, by HUBFRAME_PROVIDERS={host}=… or "
            f"Settings(providers=…): one of {', '.join(PROVIDERS)}"
        )
    return provider


def provider_that(client: Client, reference: ImageReference, tells: str, who: str) -> Provider:
    """Return what tells something of a registry beside the protocol; else say who does.

    `tells` is the attribute of a provider that says whether it does.
    """
    provider = client.provider(reference.registry)
    if provider is None or not getattr(provider, tells):
        raise ValueError(f"{reference}: {who}")
    return provider


def _pushed(tag: Tag) -> str:
    # Fractions of other lengths compare rightly once the zone's letter is off.
    return tag.pushed_at.rstrip("Z") if isinstance(tag.pushed_at, str) else ""


def _without_name(client: Client, reference: ImageReference) -> list[Found]:
    """List the images that have no name, as they may be on this machine."""
    source = client.source(reference)
    images = source.unnamed() if isinstance(source, LocalSource) and not reference.path else []
    return [Found(one, is_named=False) for one in images]


def kept_tags(call: Call, names: Sequence[str], wanted: Wanted) -> list[str]:
    """Choose among the tags of a repository, and note which filters match none."""
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
    kept = kept_tags(call, newest_names(names), wanted)
    chosen = kept[: wanted.newest]
    if len(chosen) < len(kept) and not read_all(kept)[chosen[-1]].is_ordered:
        # The last one chosen, and so what was left out, has a name that tells no order.
        call.unordered.append(str(reference))
    known = [Tag(name) for name in names] if wanted.is_brief else None
    return [Found(reference.at(tag=name), False, listed=known) for name in chosen]
