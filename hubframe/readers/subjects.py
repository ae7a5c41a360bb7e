"""Which image a report or a document is about, and its layers."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.payload import items, mapping, parse, text, texts
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables import LAYERS
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.schema import plain_values

Payload = Mapping[str, Any]
# What scanners read in place of an image in a registry, and call by its path.
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".json")


@dataclass(frozen=True)
class Subject:
    """What a document is about: an image, or something else under the name that it has there."""

    repo: str
    tag: str | None = None
    platform: str | None = None
    image_digest: str | None = None
    # Its layers, base first: packed, and unpacked.
    layers: tuple[str | None, ...] = ()
    diff_ids: tuple[str | None, ...] = ()
    # What it has unpacked, where no order is told.
    unordered: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[str | None, ...]:
        """The columns that name an image, in the order that frames have."""
        return self.repo, self.tag, self.platform, self.image_digest

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        known: dict[str, int] = {}
        for digests in (self.layers, self.diff_ids):
            for position, digest in enumerate(digests):
                known.setdefault(digest or "", position)
        return known

    def place(self, digest: Any = None, diff_id: Any = None) -> tuple[int | None, str | None]:
        """Return position and digest of a layer, by either of its digests."""
        told = text(digest)
        for one in filter(None, (told, text(diff_id))):
            position = self._positions.get(one)
            if position is not None:
                packed = self.layers[position] if position < len(self.layers) else None
                return position, packed or told
        return None, told


def subject(  # noqa: PLR0913
    name: str | None,
    *,
    tags: Iterable[str] = (),
    digests: Iterable[str] = (),
    image_digest: str | None = None,
    is_image: bool,
    what: str,
) -> Subject:
    """Tell which image is meant by the names that a document has for it.

    Parameters
    ----------
    name
        As the tool was called: a reference, or the path of an archive or a folder.
    tags, digests
        What the tool found: ``repo:tag``, and ``repo@digest``.
    image_digest
        The digest of the image's manifest, where the document tells it.
    is_image
        Whether the document says that it is about an image.
    what
        What stands for the name where there is none: that of the document.
    """
    asked = _reference(name)
    tagged = list(filter(None, map(_reference, tags)))
    known = list(filter(None, map(_reference, digests)))
    if asked and any(asked.repo == one.repo for one in [*tagged, *known]):
        chosen: ImageReference | None = asked
    elif tagged or known:
        chosen = (tagged or known)[0]
    else:
        is_file = (name or "").endswith(_ARCHIVES)
        chosen = asked if is_image and not is_file else None
    if chosen is None:
        return Subject(name or what, None, None, _digest(image_digest))
    tag = chosen.tag or next((one.tag for one in tagged if one.repo == chosen.repo), None)
    of_repo = (one.digest for one in known if one.repo == chosen.repo)
    digest = _digest(image_digest) or chosen.digest or next(of_repo, None)
    return Subject(chosen.repo, tag or (None if chosen.digest else chosen.target), None, digest)


def platform(os: Any, architecture: Any, variant: Any = None) -> str | None:
    """Write a platform in the one spelling that frames have."""
    found = Platform.read({"os": os, "architecture": architecture, "variant": variant})
    return found.name if found else None


def described_by_syft(source: Payload, name: str) -> Subject:
    """Tell what grype or syft read: they describe it alike.

    Where they read of Docker itself, the layers come unpacked, and the manifest is one that they
    made up: its digest is nobody's.
    """
    about = mapping(source.get("target") or source.get("metadata"))
    called = text(source.get("target")) or text(about.get("userInput")) or text(source.get("name"))
    diff_ids = tuple(text(one.get("digest")) for one in items(about.get("layers")))
    packed = tuple(text(one.get("digest")) for one in _manifest_layers(about.get("manifest")))
    digests = texts(about.get("repoDigests"))
    is_made_up = bool(digests) and packed == diff_ids
    told = subject(
        called,
        tags=texts(about.get("tags")),
        digests=digests,
        image_digest=None if is_made_up else text(about.get("manifestDigest")),
        is_image=source.get("type") == "image",
        what=name,
    )
    is_whole = len(packed) == len(diff_ids) and not is_made_up
    return replace(
        told,
        platform=platform(about.get("os"), about.get("architecture"), about.get("variant")),
        diff_ids=diff_ids,
        layers=packed if is_whole else (),
    )


def _manifest_layers(written: Any) -> list[Payload]:
    with suppress(ValueError, PayloadError):
        return items(parse(b64decode(text(written) or ""), "the manifest").get("layers"))
    return []


def _reference(written: Any) -> ImageReference | None:
    with suppress(ValueError, TypeError):
        found = ImageReference.parse(written)
        return None if found.is_local else found
    return None


def _digest(written: Any) -> str | None:
    found = text(written)
    return found if found and DIGEST.fullmatch(found) else None


class Images:
    """The images of a `layers` frame, found by what documents say of them."""

    def __init__(self, layers: pd.DataFrame | None) -> None:
        self._by: dict[Any, list[Subject]] = {}
        if layers is None:
            return
        LAYERS.require(layers, [*IMAGE_KEY, "position", "layer_digest", "diff_id"])
        for one in _subjects(layers):
            for known in _ways(one):
                self._by.setdefault(known, []).append(one)

    def find(self, told: Subject) -> Subject:
        """Return the image that has the layers that a document names, or else its digest or tag."""
        for known in _ways(told):
            if same := self._by.get(known):
                by_name = (one for one in same if (one.repo, one.tag) == (told.repo, told.tag))
                by_repo = (one for one in same if one.repo == told.repo)
                found: Subject = next(by_name, None) or next(by_repo, None) or same[0]
                # Docker Hub tells no layers as they are when unpacked. A tag may have moved.
                is_told = known[0] == "tag" or any(found.diff_ids)
                return found if is_told else replace(found, diff_ids=told.diff_ids)
        return told


def _ways(one: Subject) -> Iterator[tuple[str, Any]]:
    """Yield how an image can be found, the surest way first."""
    for name in ("layers", "diff_ids"):
        if (held := getattr(one, name)) and None not in held:
            yield name, held
    if held := one.unordered or frozenset(one.diff_ids) - {None}:
        yield "unordered", held
    if one.image_digest:
        yield "digest", one.image_digest
    if one.tag:
        yield "tag", (one.repo, one.tag)


def _subjects(layers: pd.DataFrame) -> Iterator[Subject]:
    columns = ["repo", "tag", "platform", "image_digest", "layer_digest", "diff_id"]
    held: dict[tuple[Any, ...], tuple[list[Any], list[Any]]] = {}
    rows = plain_values(layers.sort_values("position", kind="stable")[columns])
    for *key, digest, diff_id in rows.itertuples(index=False, name=None):
        packed, unpacked = held.setdefault(tuple(key), ([], []))
        packed.append(digest)
        unpacked.append(diff_id)
    for (repo, tag, platform_, digest), (packed, unpacked) in held.items():
        yield Subject(repo, tag, platform_, digest, tuple(packed), tuple(unpacked))
