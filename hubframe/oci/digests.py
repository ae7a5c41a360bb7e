"""Documents that never change, and the digests that name them.

Manifests, indexes and configs are named by the hash of their bytes, so one who holds the digest
may have the document.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubframe.errors import DigestMismatchError, PayloadError
from hubframe.oci.manifests import (
    DOCKER_CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1,
    SCHEMA1_SIGNED,
)
from hubframe.oci.payload import an_object, items, mapping, parsed, text

# What digests of documents and layers are made with.
HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_UNREAD = object()
_DOCKER = "application/vnd.docker.distribution"


@dataclass
class Document:
    """A manifest, index or config: the digest that it is named by, and its exact bytes."""

    digest: str
    body: bytes
    _json: Any = field(default=_UNREAD, init=False, compare=False)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<Document {self.digest}, {len(self.body)} bytes>"

    @property
    def json(self) -> Any:
        """What it says, read once; not to be changed. Raises what `parsed` does."""
        # Before Python 3.12 a `cached_property` has a lock for all, which a fork may leave held.
        if self._json is _UNREAD:
            self._json = parsed(self.body)
        return self._json

    def as_object(self, what: object) -> dict[str, Any]:
        """Return what it says; PayloadError where that is no JSON object. Not to be changed."""
        return an_object(lambda: self.json, what)

    @property
    def media_type(self) -> str:
        """Its media type, as it says itself, or by its fields: the OCI's formats need not say it.

        What a registry sends it as is not heeded: it would be another one the next time, from the
        cache. Empty for what is no manifest and no index.
        """
        try:
            found = mapping(self.json)
        except (ValueError, RecursionError):
            return ""
        return text(found.get("mediaType")) or _by_fields(found)


def _by_fields(document: Mapping[str, Any]) -> str:
    if document.get("schemaVersion") == 1:
        return SCHEMA1_SIGNED if "signatures" in document else SCHEMA1
    config, children = mapping(document.get("config")), document.get("manifests")
    if isinstance(children, list):
        is_docker = any(_DOCKER in str(one.get("mediaType")) for one in items(children))
        return DOCKER_LIST if is_docker else OCI_INDEX
    if isinstance(config.get("digest"), str):
        return DOCKER_MANIFEST if config.get("mediaType") == DOCKER_CONFIG else OCI_MANIFEST
    return ""


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of a document: of its payload, where it is a signed schema 1 manifest.

    PayloadError where the algorithm is none that registries use.
    """
    if algorithm not in HASHES:
        raise PayloadError(f"digests of the kind {algorithm!r} cannot be verified")
    return f"{algorithm}:{HASHES[algorithm](_payload(body)).hexdigest()}"


def is_sound(digest: str, body: bytes) -> bool:
    """Tell whether bytes are those that a digest names."""
    # Nearly all are of this kind.
    if f"sha256:{hashlib.sha256(body).hexdigest()}" == digest:
        return True
    algorithm = digest.partition(":")[0]
    return algorithm in HASHES and digest_of(body, algorithm) == digest.lower()


def verify(document: Document, origin: str) -> Document:
    """Return a document whose bytes are those that its digest names, else DigestMismatchError."""
    found = digest_of(document.body, document.digest.partition(":")[0])
    if found != document.digest.lower():
        raise DigestMismatchError(
            f"{origin} sent {len(document.body)} bytes for {document.digest}, "
            f"but they are {found}. Something on the way changed them, or the registry is at "
            "fault; nothing was kept"
        )
    return document


def is_signed(body: bytes) -> bool:
    """Tell whether a document may be a signed schema 1 manifest: others have one digest each."""
    return b'"signatures"' in body and b'"fsLayers"' in body


def _payload(body: bytes) -> bytes:
    """Cut the signatures off a signed schema 1 manifest: its digest covers the rest."""
    if not is_signed(body):
        return body
    try:
        document = parsed(body)
        protected = parsed(_base64url(document.pop("signatures")[0]["protected"]))
        payload = body[: int(protected["formatLength"])] + _base64url(protected["formatTail"])
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return body
    return payload if _is_same(payload, document) else body


def _is_same(payload: bytes, document: Any) -> bool:
    """What is hashed must be what is read, or a body could carry another's digest.

    Docker once cut payloads in the wrong place; what is no JSON is no other document either.
    """
    try:
        return bool(parsed(payload) == document)
    except (ValueError, RecursionError):
        return bool(document.get("schemaVersion") == 1)


def _base64url(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
