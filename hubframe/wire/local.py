"""Images on this machine, read as a registry is: OCI layouts, folders and archives.

What is there is looked at anew with each call, and nothing of it is kept in the cache. The formats
are those of the OCI image layout, of ``docker save``, and of skopeo's ``dir:``.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from hubframe.errors import (
    HubframeError,
    InvalidReferenceError,
    NotFoundError,
    PayloadError,
)
from hubframe.oci import payload
from hubframe.oci.digests import Document, verify
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.wire.exchange import DOCUMENT_LIMIT
from hubframe.wire.layouts import Archive, Files, Folder
from hubframe.wire.limits import Limit
from hubframe.wire.registry import Payload, Resolved

# How an index names its images: by the OCI's layout, and by containerd. What Docker and BuildKit
# write has the tag alone in the first, and the whole name in the second.
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_GZIP = b"\x1f\x8b"
# The file that changes with what is there, by transport: of an archive the archive itself.
_TELLING = {"oci": "index.json", "dir": "manifest.json", "oci-archive": "", "docker-archive": ""}
Found = TypeVar("Found")
_SHOWN = 5


class _Named(NamedTuple):
    """An image that a layout names, or holds without a name."""

    name: str | None
    digest: str
    media_type: str | None
    other_name: str | None = None


class Layout:
    """An OCI image layout: an index of what it holds, and blobs by digest."""

    def __init__(self, files: Files, where: str = "the disk") -> None:
        self.files, self._where = files, where

    @cached_property
    def entries(self) -> list[Payload]:
        """The descriptors of the index."""
        index = payload.parse(whole(self.files, "index.json"), f"index.json of {self.files.name}")
        found = payload.items(index.get("manifests"))
        return [one for one in found if DIGEST.fullmatch(str(one.get("digest")))]

    @cached_property
    def images(self) -> list[_Named]:
        """What is named, and what is not and refers to nothing else."""
        found = []
        for entry in self.entries:
            annotations = payload.mapping(entry.get("annotations"))
            names = [*filter(None, map(payload.text, map(annotations.get, _NAMES)))]
            if names or not self._subject_of(entry):
                first, other = [*names, None, None][:2]
                media_type = payload.text(entry.get("mediaType"))
                found.append(_Named(first, entry["digest"], media_type, other))
        # Images of several repositories may have the same tag.
        count = Counter(one.name for one in found)
        return [
            one._replace(name=one.other_name, other_name=one.name)
            if one.other_name and count[one.name] > 1
            else one
            for one in found
        ]

    @cached_property
    def by_spelling(self) -> dict[str, list[_Named]]:
        """The images, by what each may be called."""
        found: dict[str, list[_Named]] = {}
        for one in self.images:
            for spelling in _spellings(one.name) | _spellings(one.other_name):
                found.setdefault(spelling, []).append(one)
        return found

    def blob(self, digest: str) -> str:
        """Return the file of a blob."""
        algorithm, _, encoded = digest.partition(":")
        return f"blobs/{algorithm}/{encoded}"

    def document(self, digest: str) -> Document:
        """Return a manifest, an index or a config, verified."""
        return self.attached(digest, DOCUMENT_LIMIT)

    def attached(self, digest: str, most: int) -> Document:
        """Return a document that may be longer, verified."""
        return verify(Document(digest, whole(self.files, self.blob(digest), most)), self._where)

    def manifest(self, digest: str) -> Document:
        """Return a manifest or an index, verified."""
        return self.document(digest)

    def has(self, digest: str) -> bool:
        """Tell whether a blob is there."""
        try:
            self.files.size(self.blob(digest))
        except NotFoundError:
            return False
        return True

    @cached_property
    def referrers(self) -> dict[str, list[Payload]]:
        """The descriptors of what refers to something, by the digest that it refers to."""
        found: dict[str, list[Payload]] = {}
        for entry in self.entries:
            if subject := self._subject_of(entry):
                body = self._body(entry)
                config = payload.mapping(body.get("config"))
                told = {
                    "artifactType": body.get("artifactType") or config.get("mediaType"),
                    "annotations": body.get("annotations"),
                }
                found.setdefault(subject, []).append({**told, **entry})
        return found

    def _subject_of(self, entry: Payload) -> str:
        return payload.text(payload.mapping(self._body(entry).get("subject")).get("digest")) or ""

    def _body(self, entry: Payload) -> Payload:
        """Return a manifest of the index; what cannot be read is told to whoever asks for it."""
        try:
            return self.document(entry["digest"]).as_object(entry["digest"])
        except HubframeError:
            return {}


class _Directory(Layout):
    """The folder that ``skopeo copy … dir:`` writes: one manifest, and blobs beside it."""

    @cached_property
    def entries(self) -> list[Payload]:
        """The manifest, whose digest is told nowhere."""
        body = whole(self.files, "manifest.json")
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        return [{"digest": digest, "mediaType": Document(digest, body).media_type or None}]

    def blob(self, digest: str) -> str:
        """Return the file of a blob; beside an index there are manifests."""
        encoded = digest.partition(":")[2]
        if digest == self.entries[0]["digest"]:
            return "manifest.json"
        beside = f"{encoded}.manifest.json"
        try:
            self.files.size(beside)
        except NotFoundError:
            return encoded
        return beside


class _Made(Document):
    """A manifest that stands nowhere, and so is of no type."""

    @property
    def media_type(self) -> str:
        """None."""
        return ""


class Saved(Layout):
    """An archive of ``docker save`` without an index: configs, and layers that are not packed.

    An image is named by the digest of its config, since it has no manifest; one is made here of
    what is told. A layer's digest is that of the tar as it is stored.
    """

    @cached_property
    def images(self) -> list[_Named]:
        """What is named, and what is not."""
        return [
            _Named(name or None, digest, None)
            for digest, entry in self._told.items()
            for name in payload.texts(entry.get("RepoTags")) or [""]
        ]

    @cached_property
    def entries(self) -> list[Payload]:
        """Nothing refers to another there."""
        return []

    @cached_property
    def _told(self) -> dict[str, Payload]:
        """What is told of each image, by the digest of its config."""
        body = whole(self.files, "manifest.json")
        found: dict[str, Payload] = {}
        asked = f"manifest.json of {self.files.name}"
        told = payload.an_object(lambda: {"images": payload.parsed(body)}, asked)
        for entry in payload.items(told["images"]):
            config = whole(self.files, str(entry.get("Config")))
            found[f"sha256:{hashlib.sha256(config).hexdigest()}"] = entry
        return found

    @cached_property
    def _paths(self) -> dict[str, str]:
        """The file of each config and layer, by digest."""
        found: dict[str, str] = {}
        for digest, entry in self._told.items():
            found[digest] = str(entry["Config"])
            paths = payload.texts(entry.get("Layers"))
            config = payload.parse(whole(self.files, found[digest]), f"the config {digest}")
            told = payload.array(payload.mapping(config.get("rootfs")).get("diff_ids"))
            for place, path in enumerate(paths):
                diff_id = str(told[place]) if len(told) == len(paths) else ""
                found[self._digest_of(path, diff_id)] = path
        return found

    def _digest_of(self, path: str, diff_id: str) -> str:
        """Return the digest of a layer: that of its content, which the config tells, or packed."""
        head = b"".join(self.files.pieces(path, 0, len(_GZIP)))
        if DIGEST.fullmatch(diff_id) and head != _GZIP:
            return diff_id
        made = hashlib.sha256()
        for piece in self.files.pieces(path):
            made.update(piece)
        return f"sha256:{made.hexdigest()}"

    def blob(self, digest: str) -> str:
        """Return the file of a config or a layer."""
        if digest not in self._paths:
            raise NotFoundError(f"there is no {digest}")
        return self._paths[digest]

    def manifest(self, digest: str) -> Document:
        """Make the manifest that a registry would have."""
        if digest not in self._told:
            raise NotFoundError(f"there is no image {digest}")
        by_path = {path: one for one, path in self._paths.items()}
        layers = []
        for path in payload.texts(self._told[digest].get("Layers")):
            head = b"".join(self.files.pieces(path, 0, len(_GZIP)))
            media_type = _LAYER + ".gzip" * (head == _GZIP)
            size = self.files.size(path)
            layers.append({"mediaType": media_type, "size": size, "digest": by_path[path]})
        size = self.files.size(self._paths[digest])
        made = {
            "schemaVersion": 2,
            "config": {"mediaType": _CONFIG, "size": size, "digest": digest},
            "layers": layers,
        }
        return _Made(digest, json.dumps(made).encode())


class LocalSource(ABC):
    """Reads images on this machine; what a `Registry` can be asked, this can be, too."""

    @abstractmethod
    def unnamed(self) -> list[ImageReference]:
        """List the images without a name, by digest."""

    @abstractmethod
    def tags(self, path: str = "") -> list[str]:
        """List the names of images: their tags, where a repository has some."""

    @abstractmethod
    def resolve(self, reference: ImageReference) -> Resolved:
        """Look up what a name stands for; no name for the only image that is there."""

    @abstractmethod
    def _layout(self, reference: ImageReference) -> Layout:
        """Return what holds the digest of a reference."""

    def find(self, reference: ImageReference) -> Resolved | None:
        """Look up a name that need not be there."""
        try:
            return self.resolve(reference)
        except NotFoundError:
            return None

    def named(self, reference: ImageReference) -> Document:
        """Get the manifest or index that a name stands for."""
        return self.manifest(reference.at(digest=self.resolve(reference).digest))

    def manifest(self, reference: ImageReference) -> Document:
        """Get what a digest names, verified."""
        digest, layout = reference.digest or "", self._layout(reference)
        return _found(f"the manifest {reference}", lambda: layout.manifest(digest))

    def config(self, reference: ImageReference, digest: str) -> Document:
        """Get a config, verified."""
        if not DIGEST.fullmatch(digest):
            raise PayloadError(
                f"the manifest {reference} names a config by {digest[:80]!r}, which is no digest"
            )
        asked = f"the config {digest} of {reference}"
        return _found(asked, lambda: self._layout(reference).document(digest))

    def attached(self, document: ImageReference, most: int) -> Document:
        """Get a document that is attached to an image, verified."""
        digest, layout = document.digest or "", self._layout(document)
        return _found(f"the document {document}", lambda: layout.attached(digest, most))

    def referrers(self, subject: ImageReference) -> list[Payload]:
        """List the descriptors of what refers to a digest."""
        return self._layout(subject).referrers.get(subject.digest or "", [])

    def part(self, reference: ImageReference, digest: str, start: int, count: int) -> bytes | None:
        """Get some bytes of a blob; None where it has no such part."""
        layout = self._layout(reference.at(digest=digest))
        asked = f"the layer {digest} of {reference}"
        name = _found(asked, lambda: layout.blob(digest))
        found = b"".join(layout.files.pieces(name, start, count))
        return found if len(found) == count else None

    def blob(self, reference: ImageReference, digest: str) -> Iterator[bytes]:
        """Yield a blob in pieces; it is not verified here."""
        layout = self._layout(reference.at(digest=digest))

        def opened() -> str:
            name = layout.blob(digest)
            layout.files.size(name)
            return name

        name = _found(f"the layer {digest} of {reference}", opened)
        yield from layout.files.pieces(name)

    def is_here(self, _reference: ImageReference) -> bool:
        """Tell whether a document can be read without waiting for it."""
        return True

    def last_limit(self, _reference: ImageReference, _kind: str) -> Limit | None:  # noqa: B027
        """Return None: there is no limit."""

    def end_call(self) -> None:  # noqa: B027 - the disk needs nothing
        """Let go what one call needs."""


class OnDisk(LocalSource):
    """Reads images on the disk."""

    def __init__(self, registry: str) -> None:
        self._name = registry
        self._transport, _, path = registry.partition(":")
        self._path = Path(path)
        self._opened: tuple[tuple[int, int], Layout] | None = None

    def unnamed(self) -> list[ImageReference]:
        """List the images without a name, by digest."""
        at = ImageReference(self._name, "")
        return [at.at(digest=one.digest) for one in self._layout().images if not one.name]

    def tags(self, _path: str = "") -> list[str]:
        """List the names of images, in the layout's order."""
        return list(dict.fromkeys(one.name for one in self._layout().images if one.name))

    def resolve(self, reference: ImageReference) -> Resolved:
        """Look up what a name stands for; no name for the only image that is there."""
        layout = self._layout()
        if reference.digest:
            return Resolved(reference.digest, None)
        name, images = reference.tag, layout.images
        if not name:
            named = images
        elif name[0] == "@":
            named = [one for at, one in enumerate(images) if name == f"@{at}"]
        else:
            named = layout.by_spelling.get(name, [])
        digests = {one.digest for one in named}
        if len(digests) == 1:
            return Resolved(named[0].digest, named[0].media_type)
        if not named:
            raise NotFoundError(f"{reference}: there is no such image. {_there(images)}")
        raise PayloadError(
            f"{reference} may be each of {len(digests)} images: add its name, its digest, or its "
            f"number (@0). {_there(images)}"
        )

    def _layout(self, _reference: ImageReference | None = None) -> Layout:
        """Look at what is there: again where it has changed since."""
        told = self._path / _TELLING[self._transport]
        try:
            seen = told.stat()
            state = seen.st_mtime_ns, seen.st_size
            if self._opened is None or self._opened[0] != state:
                self._opened = state, self._open()
        except OSError as error:
            kinds = {"oci": "an OCI layout, with an index.json", "dir": "a folder of skopeo's"}
            expected = kinds.get(self._transport, "a tar archive")
            raise NotFoundError(
                f"{told}: {error.strerror}. {self._transport}: is for {expected}{self._instead()}"
            ) from None
        return self._opened[1]

    def _instead(self) -> str:
        """Tell how what is there is called, where another transport reads it."""
        there = [
            f"{transport}:{self._path}"
            for transport, name in _TELLING.items()
            if transport not in (self._transport, "oci-archive") and (self._path / name).is_file()
        ]
        return f". What is there is {' or '.join(there)}" if there else ""

    def _open(self) -> Layout:
        if self._transport == "oci":
            return Layout(Folder(self._path))
        if self._transport == "dir":
            return _Directory(Folder(self._path))
        files = Archive(self._path)
        try:
            files.size("index.json")
        except NotFoundError:
            if self._transport == "docker-archive":
                return Saved(files)
            raise NotFoundError(
                f"{self._path} holds no OCI layout: there is no index.json{self._instead()}"
            ) from None
        return Layout(files)


def _found(asked: str, read: Callable[[], Found]) -> Found:
    try:
        return read()
    except NotFoundError as error:
        raise NotFoundError(f"{asked}: it is not there ({error})") from None
    except OSError as error:
        raise PayloadError(f"{asked}: it cannot be read ({error.strerror})") from None


def whole(files: Files, name: str, limit: int = DOCUMENT_LIMIT) -> bytes:
    """Read a document whole, if it is no longer than one may be."""
    size = files.size(name)
    if size > limit:
        raise PayloadError(
            f"{name} of {files.name} has {size:,} bytes, more than a document may; not read"
        )
    return b"".join(files.pieces(name))


def _spellings(name: str | None) -> set[str]:
    """Return what a name may be called by: as Docker does, or by its tag alone."""
    found = {name} if name else set()
    with suppress(InvalidReferenceError):
        reference = ImageReference.parse(name or "")
        short = f"{reference.repo}:{reference.target}"
        found |= {short, short.removeprefix("library/"), reference.tag or ""}
    return found | {one.removesuffix(":latest") for one in found}


def _there(images: list[_Named]) -> str:
    return some_of(one.name or one.digest for one in images)


def some_of(names: Iterable[str]) -> str:
    """Name a few of the images that there are, for messages."""
    there = list(names)
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return f"There are {', '.join(there[:_SHOWN])}{more}" if there else "There are no images"
