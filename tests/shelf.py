"""A registry in memory that holds what a test puts there, at a loopback port."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.quirks.registry import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Answer,
    Asked,
    digest_of,
    index,
    listening,
    refusal,
)

PATH = "team/app"


class Shelf:
    """Documents by digest, tags, and what refers to what.

    Attributes
    ----------
    host
        Where it is served.
    tags
        Digests by tag.
    referrers
        The descriptors that the referrers API answers with, by subject; None: it has no such API.
    lists_tags
        Whether it tells which tags there are.
    log
        The requests so far.
    """

    def __init__(self) -> None:
        self.host = ""
        self.tags: dict[str, str] = {}
        self.referrers: dict[str, list[Mapping[str, Any]]] | None = None
        self.lists_tags = True
        self.log: list[Asked] = []
        self._documents: dict[str, tuple[str, bytes]] = {}

    @property
    def repo(self) -> str:
        """The only repository."""
        return f"{self.host}/{PATH}"

    def put(self, content: Any, media_type: str, tag: str | None = None) -> dict[str, Any]:
        """Hold a document, and return its descriptor."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = digest_of(body)
        self._documents[digest] = (media_type, body)
        if tag:
            self.tags[tag] = digest
        return {"mediaType": media_type, "digest": digest, "size": len(body)}

    def image(self, tag: str | None = None, **config: Any) -> dict[str, Any]:
        """Hold an image with one layer, of linux/amd64 unless its config says otherwise."""
        told = {"os": "linux", "architecture": "amd64", **config}
        layer = {"mediaType": OCI_LAYER, "digest": digest_of(repr(told).encode()), "size": 7}
        return self.manifest(tag, config=self.put(told, OCI_CONFIG), layers=[layer])

    def manifest(self, tag: str | None = None, **content: Any) -> dict[str, Any]:
        """Hold a manifest."""
        return self.put(
            {"schemaVersion": 2, "mediaType": OCI_MANIFEST, **content}, OCI_MANIFEST, tag
        )

    def index(self, tag: str | None, *entries: Mapping[str, Any]) -> dict[str, Any]:
        """Hold an index."""
        content = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}
        return self.put(content, OCI_INDEX, tag)

    def asked(self, part: str) -> list[Asked]:
        """Return the requests so far whose path holds a part."""
        return [one for one in self.log if part in one.path]

    def answer(self, asked: Asked) -> Answer:
        """Answer as a registry."""
        self.log.append(asked)
        name, _, last = asked.path.removeprefix("/v2/").rpartition("/")
        what = name.removeprefix(f"{PATH}/")
        digest = self.tags.get(last, last)
        if asked.path == "/v2/":
            return Answer.of({})
        if what == "tags" and self.lists_tags:
            return Answer.of({"name": PATH, "tags": sorted(self.tags)})
        if what == "referrers" and self.referrers is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"404 page not found")
        if what == "referrers":
            return index(*self.referrers.get(last, []))
        if what in ("manifests", "blobs") and digest in self._documents:
            media_type, body = self._documents[digest]
            return Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, body)
        return refusal(404, "MANIFEST_UNKNOWN")


@contextmanager
def serve() -> Iterator[Shelf]:
    """Run a registry that holds nothing yet."""
    shelf = Shelf()
    with listening(shelf.answer) as shelf.host:
        yield shelf
