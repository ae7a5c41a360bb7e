"""What readers cannot go on without: looked up together, and fetched one by one where missing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from hubframe.oci.reference import ImageReference
from hubframe.wire.client import Client
from hubframe.wire.statistics import count_cached

Kind = Literal["digest", "tag", "manifest", "config", "images", "names", "referrers", "stand-in"]


class Need(str):
    """A document or an answer that a reader asks for; as text, what tells it from others.

    Parameters
    ----------
    kind
        ``digest``: what a tag points at (`Resolved`). ``tag``: the manifest or index that a tag
        names, ``manifest``: the one that a digest names, ``config``: the config that a digest
        names (a `Document` each). ``images``: what the Hub tells of a tag's images, with layers.
        ``names``: the names of a repository's tags. ``referrers``: the descriptors of what refers
        to a digest, None where the registry does not tell. ``stand-in``: what a tag points at that
        need not be there (`Resolved` or None).
    reference
        The repository, with the tag or the digest.
    digest
        Of a config.
    then
        What is asked for after it, as far as that is known before it is read.
    """

    __slots__ = ("digest", "kind", "reference", "then")
    kind: Kind
    reference: ImageReference
    digest: str | None
    then: tuple[Kind, ...]

    def __new__(
        cls,
        kind: Kind,
        reference: ImageReference,
        digest: str | None = None,
        then: tuple[Kind, ...] = (),
    ) -> Self:
        """Make the text: a document is asked for where it lies."""
        where = f"{reference.registry}/{reference.path}"
        made = super().__new__(cls, f"{kind} {where} {reference.target} {digest}")
        made.kind, made.reference, made.digest, made.then = kind, reference, digest, then
        return made

    def __str__(self) -> str:
        return str(self.reference)

    @property
    def is_pull(self) -> bool:
        """Whether Docker Hub counts it as a pull."""
        return self.kind == "manifest" and self.reference.is_hub

    @property
    def document(self) -> str | None:
        """The digest of the document that it asks for; None where that is not known."""
        if self.kind == "config":
            return self.digest
        return self.reference.digest if self.kind == "manifest" else None


def look_up(client: Client, needs: Iterable[Need]) -> dict[Need, Any]:
    """Return what is here, by need: all of it in a few statements, without a thread."""
    by_kind: dict[Kind, list[Need]] = {}
    for need in needs:
        by_kind.setdefault(need.kind, []).append(need)
    found: dict[Need, Any] = {}
    for kind, group in by_kind.items():
        found |= _LOOK_UP[kind](client, group)
    return found


def fetch(client: Client, need: Need) -> Any:
    """Get what was looked up and is not here."""
    return _FETCH[need.kind](client, need)


def _documents(client: Client, needs: Sequence[Need]) -> dict[Need, Any]:
    held = client.blobs.get_many(need.document or "" for need in needs)
    count_cached(len(held))
    return {need: held[need.document] for need in needs if need.document in held}


def _digests(client: Client, needs: Sequence[Need]) -> dict[Need, Any]:
    found: dict[Need, Any] = {}
    for host, tags in _by_host(needs).items():
        found |= client.registry(host).told(tags)
    return found


def _tags(client: Client, needs: Sequence[Need]) -> dict[Need, Any]:
    resolved = _digests(client, needs)
    held = client.blobs.get_many(one.digest for one in resolved.values())
    count_cached(len(held))
    return {need: held[one.digest] for need, one in resolved.items() if one.digest in held}


def _referrers(client: Client, needs: Sequence[Need]) -> dict[Need, Any]:
    found: dict[Need, Any] = {}
    for host, subjects in _by_host(needs).items():
        found |= client.registry(host).told_referrers(subjects)
    return found


def _stand_ins(client: Client, needs: Sequence[Need]) -> dict[Need, Any]:
    found: dict[Need, Any] = {}
    for host, tags in _by_host(needs).items():
        found |= client.registry(host).found(tags)
    return found


def _by_host(needs: Sequence[Need]) -> dict[str, dict[Need, ImageReference]]:
    hosts: dict[str, dict[Need, ImageReference]] = {}
    for need in needs:
        hosts.setdefault(need.reference.registry, {})[need] = need.reference
    return hosts


def _images(client: Client, needs: Sequence[Need]) -> dict[Need, Any]:
    by_tag = {(need.reference.path, need.reference.tag or ""): need for need in needs}
    return {by_tag[tag]: images for tag, images in client.hub.told(by_tag).items()}


_LOOK_UP: Mapping[Kind, Callable[[Client, Sequence[Need]], dict[Need, Any]]] = {
    "digest": _digests,
    "tag": _tags,
    "manifest": _documents,
    "config": _documents,
    "images": _images,
    "referrers": _referrers,
    "stand-in": _stand_ins,
    # Asked for where a tag is missing, to tell the closest ones: a page that the session keeps.
    "names": lambda _client, _needs: {},
}
_FETCH: Mapping[Kind, Callable[[Client, Need], Any]] = {
    "digest": lambda client, need: client.registry(need.reference.registry).resolve(need.reference),
    "tag": lambda client, need: client.registry(need.reference.registry).named(need.reference),
    "manifest": lambda client, need: client.registry(need.reference.registry).manifest(
        need.reference
    ),
    "config": lambda client, need: client.registry(need.reference.registry).config(
        need.reference, need.digest or ""
    ),
    "images": lambda client, need: client.hub.images(need.reference.path, need.reference.tag or ""),
    "referrers": lambda client, need: client.registry(need.reference.registry).referrers(
        need.reference
    ),
    "stand-in": lambda client, need: client.registry(need.reference.registry).find(need.reference),
    "names": lambda client, need: client.registry(need.reference.registry).tags(
        need.reference.path
    ),
}
