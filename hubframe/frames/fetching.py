"""What calls go on with, in waves: looked up together, and fetched side by side where missing.

A wave is a list of items of one kind, each asked for once in a call. A plan makes the same waves,
and fetches nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from hubframe.errors import NotCachedError
from hubframe.oci.reference import ImageReference
from hubframe.wire.client import Client
from hubframe.wire.statistics import count_cached

Kind = Literal["digest", "tag", "manifest", "config", "images", "referrers", "stand-in"]


class Item(NamedTuple):
    """A document or an answer that a call needs.

    Attributes
    ----------
    kind
        ``digest``: what a tag points at (`Resolved`). ``tag``: the manifest or index that a tag
        names, ``manifest``: the one that a digest names, ``config``: the config that a digest
        names (a `Document` each). ``images``: what the Hub tells of a tag's images, with layers.
        ``referrers``: the descriptors of what refers to a digest, None where the registry does not
        tell. ``stand-in``: what a tag points at that need not be there (`Resolved` or None).
    reference
        The repository, with the tag or the digest.
    digest
        Of a config.
    """

    kind: Kind
    reference: ImageReference
    digest: str | None = None

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
    """What a call would fetch.

    Attributes
    ----------
    is_first_only
        Whether nothing is looked up, so that only what is asked for first is seen.
    answered, missing
        What is here, and what would be fetched, with the kinds of what follows from it.
    """

    is_first_only: bool = False
    answered: dict[Item, None] = field(default_factory=dict)
    missing: dict[Item, tuple[Kind, ...]] = field(default_factory=dict)

    def answer(
        self, items: Iterable[Item], held: Mapping[Item, Any], then: tuple[Kind, ...]
    ) -> dict[Item, Any]:
        """Note what is here and what is not."""
        self.answered |= dict.fromkeys(held)
        self.missing |= {item: then for item in items if item not in held}
        return {item: held.get(item, _NOT_FETCHED) for item in items}


_NOT_FETCHED = NotCachedError("a plan fetches nothing")


def look_up(client: Client, items: Iterable[Item]) -> dict[Item, Any]:
    """Return what is here, all of it in a few statements, without a thread."""
    by_kind: dict[Kind, list[Item]] = {}
    for item in items:
        by_kind.setdefault(item.kind, []).append(item)
    found: dict[Item, Any] = {}
    for kind, group in by_kind.items():
        found |= _LOOK_UP[kind](client, group)
    return found


def fetch(client: Client, item: Item) -> Any:
    """Get what was looked up and is not here."""
    if item.kind == "images":
        return client.hub.images(item.reference.path, item.reference.tag or "")
    registry = client.registry(item.reference.registry)
    if item.kind == "config":
        return registry.config(item.reference, item.digest or "")
    return {
        "digest": registry.resolve,
        "tag": registry.named,
        "manifest": registry.manifest,
        "referrers": registry.referrers,
        "stand-in": registry.find,
    }[item.kind](item.reference)


def _documents(client: Client, items: Sequence[Item]) -> dict[Item, Any]:
    held = client.blobs.get_many(item.document for item in items)
    count_cached(len(held))
    return {item: held[item.document] for item in items if item.document in held}


def _digests(client: Client, items: Sequence[Item]) -> dict[Item, Any]:
    return {item: at for item, at in _stand_ins(client, items).items() if at is not None}


def _tags(client: Client, items: Sequence[Item]) -> dict[Item, Any]:
    resolved = _digests(client, items)
    held = client.blobs.get_many(one.digest for one in resolved.values())
    count_cached(len(held))
    return {item: held[one.digest] for item, one in resolved.items() if one.digest in held}


def _referrers(client: Client, items: Sequence[Item]) -> dict[Item, Any]:
    found: dict[Item, Any] = {}
    for host, subjects in _by_host(items).items():
        found |= client.registry(host).cached_referrers(subjects)
    return found


def _stand_ins(client: Client, items: Sequence[Item]) -> dict[Item, Any]:
    found: dict[Item, Any] = {}
    for host, tags in _by_host(items).items():
        found |= client.registry(host).cached_tags(tags)
    return found


def _by_host(items: Sequence[Item]) -> dict[str, dict[Item, ImageReference]]:
    hosts: dict[str, dict[Item, ImageReference]] = {}
    for item in items:
        hosts.setdefault(item.reference.registry, {})[item] = item.reference
    return hosts


def _images(client: Client, items: Sequence[Item]) -> dict[Item, Any]:
    by_tag = {(item.reference.path, item.reference.tag or ""): item for item in items}
    return {by_tag[tag]: images for tag, images in client.hub.cached_images(by_tag).items()}


_LOOK_UP: Mapping[Kind, Callable[[Client, Sequence[Item]], dict[Item, Any]]] = {
    "digest": _digests,
    "tag": _tags,
    "manifest": _documents,
    "config": _documents,
    "images": _images,
    "referrers": _referrers,
    "stand-in": _stand_ins,
}
