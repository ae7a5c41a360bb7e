"""What calls go on with, in waves: looked up together, and fetched side by side where missing.

A wave is a list of items of one kind, each asked for once in a call. A plan makes the same waves,
and fetches nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from hubframe.errors import HubframeError, NotCachedError
from hubframe.oci.reference import ImageReference
from hubframe.wire.client import Client
from hubframe.wire.local import LocalSource
from hubframe.wire.registry import Registry
from hubframe.wire.statistics import count_cached, counting, mode, using

Kind = Literal[
    "digest",  # what a tag points at (`Resolved`)
    "tag",  # the manifest or index that a tag names (a `Document`)
    "manifest",  # the one that a digest names
    "config",  # the config that a digest names
    "attached",  # a document that is attached to an image, by its digest
    "images",  # what the Hub tells of a tag's images, with layers
    "page",  # what the Hub tells of a tag
    "referrers",  # the descriptors of what refers to a digest; None where the registry tells none
    "stand-in",  # what a tag points at that need not be there (`Resolved` or None)
    "names",  # the tags of a repository, as a set; None where the registry lists none
    "history",  # what tags pointed at, as a registry tells beside the protocol
    "pulls",  # how often a tag was pulled, likewise
    "scan",  # what the registry's scanner found in an image, likewise
    "list",  # the same as a list; who cannot do without it is told why there is none
]
# What a list of names tells.
_OF_NAMES: tuple[Kind, ...] = ("digest", "stand-in")
_BESIDE: tuple[Kind, ...] = ("history", "pulls", "scan")


class Item(NamedTuple):
    """A document or an answer that a call needs."""

    kind: Kind
    reference: ImageReference  # the repository, with the tag or the digest
    digest: str | None = None  # of a config
    most: int = 0  # how long an attached document may be, by its descriptor [bytes]

    def __str__(self) -> str:
        return str(self.reference)

    @property
    def is_pull(self) -> bool:
        """Whether Docker Hub counts it as a pull."""
        return self.kind == "manifest" and self.reference.is_hub

    @property
    def document(self) -> str:
        """The digest of the document that it asks for; empty where that is not known."""
        found = self.digest if self.kind == "config" else self.reference.digest
        return found or ""


@dataclass
class Survey:
    """What a call would fetch, with the kinds of what follows from it, and what is here."""

    # Nothing is looked up, so that only what is asked for first is seen.
    is_first_only: bool = False
    answered: dict[Item, None] = field(default_factory=dict)
    missing: dict[Item, tuple[Kind, ...]] = field(default_factory=dict)

    def __or__(self, other: "Survey") -> "Survey":
        return Survey(answered=self.answered | other.answered, missing=self.missing | other.missing)

    def answer(
        self, items: Iterable[Item], held: Mapping[Item, Any], then: tuple[Kind, ...]
    ) -> dict[Item, Any]:
        """Note what is here and what is not."""
        self.answered |= dict.fromkeys(held)
        # An engine gives all the documents of an image at once.
        self.missing |= {
            item: () if item.reference.is_in_engine else then for item in items if item not in held
        }
        return {item: held.get(item, _NOT_FETCHED) for item in items}


_NOT_FETCHED = NotCachedError("a plan fetches nothing")


def look_up(client: Client, items: Iterable[Item]) -> dict[Item, Any]:
    """Return what is here, all of it in a few statements, without a thread."""
    groups: dict[tuple[Kind, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.kind, item.reference.registry), []).append(item)
    found: dict[Item, Any] = {}
    for (kind, _), group in groups.items():
        source = client.source(group[0].reference)
        if kind in _BESIDE:
            found |= _told(client, group)
        elif isinstance(source, LocalSource):
            found |= _read(client, source, group)
        else:
            found |= _held(client, source, kind, group)
    return found


def _read(client: Client, source: LocalSource, items: Sequence[Item]) -> Mapping[Item, Any]:
    """Read what is on this machine; what cannot be read is an error, as everywhere.

    The documents of an engine are here once it exported the image, which takes a while.
    """
    found: dict[Item, Any] = {}
    for item in items:
        try:
            if item.kind in _OF_NAMES or source.is_here(item.reference):
                found[item] = fetch(client, item)
        except HubframeError as error:
            found[item] = error
    return found


def _told(client: Client, items: Iterable[Item]) -> Mapping[Item, Any]:
    """Return what is here whole of what registries tell beside the protocol."""
    found: dict[Item, Any] = {}
    if mode() == "refresh":
        return found
    with using("offline" if client.is_offline else "here"):
        for item in items:
            with suppress(HubframeError), counting() as statistics:
                found[item] = fetch(client, item)
            if item in found:
                count_cached(
                    statistics.from_cache,
                    fetched_at=statistics.fetched_at,
                    stale=statistics.stale,
                )
    return found


def _held(
    client: Client, registry: Registry, kind: Kind, items: Sequence[Item]
) -> Mapping[Item, Any]:
    """Return what is here of one kind, and of one registry."""
    if kind in ("images", "page"):
        by_tag = {(item.reference.path, item.reference.tag or ""): item for item in items}
        known: Any = client.hub.cached_images if kind == "images" else client.hub.cached_pages
        return {by_tag[tag]: told for tag, told in known(by_tag).items()}
    if kind == "referrers":
        return registry.cached_referrers({item: item.reference for item in items})
    if kind in ("names", "list"):
        listed = registry.cached_names({item: item.reference.path for item in items})
        if kind == "list":
            return {item: names for item, names in listed.items() if names is not None}
        return {item: None if names is None else frozenset(names) for item, names in listed.items()}
    digests = {item: item.document for item in items}
    if kind in ("digest", "tag", "stand-in"):
        known = registry.cached_tags({item: item.reference for item in items})
        if kind != "tag":
            is_optional = kind == "stand-in"
            return {item: at for item, at in known.items() if at is not None or is_optional}
        digests = {item: at.digest for item, at in known.items() if at is not None}
    held = client.blobs.get_many(digests.values())
    count_cached(len(held))
    return {item: held[digest] for item, digest in digests.items() if digest in held}


def fetch(client: Client, item: Item) -> Any:
    """Get what was looked up and is not here."""
    if item.kind in ("images", "page"):
        told: Any = client.hub.images if item.kind == "images" else client.hub.tag
        return told(item.reference.path, item.reference.tag or "")
    if item.kind in _BESIDE:
        return _ask_beside(client, item)
    source = client.source(item.reference)
    if item.kind == "config":
        return source.config(item.reference, item.digest or "")
    if item.kind == "attached":
        return source.attached(item.reference, item.most)
    if item.kind == "names" and isinstance(source, Registry):
        names = source.names(item.reference.path)
        return None if names is None else frozenset(names)
    asks: Mapping[str, Callable[[ImageReference], Any]] = {
        "digest": source.resolve,
        "tag": source.named,
        "manifest": source.manifest,
        "referrers": source.referrers,
        "stand-in": source.find,
        "list": lambda one: source.tags(one.path),
    }
    return asks[item.kind](item.reference)


def _ask_beside(client: Client, item: Item) -> Any:
    """Get what a registry tells beside the protocol; frames make sure that it has a provider."""
    reference = item.reference
    provider: Any = client.provider(reference.registry)
    if item.kind == "history":
        return provider.history(reference.path, reference.tag)
    ask = provider.pulls if item.kind == "pulls" else provider.scan
    return ask(reference.path, reference.target)
