"""A registry that serves whatever bytes it is given, odd and invalid ones included."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import images

# What every repository says of its tags: in an order that is nobody's, as registries may.
TAGS = ("it", "2.0", "1.10", "Old")
SCHEMA1_UNSIGNED = images.SCHEMA1.replace("prettyjws", "json")
_CONFIGS = {images.DOCKER_CONFIG: images.DOCKER_MANIFEST}


@dataclass(frozen=True)
class Served:
    """A document that stands under the tag ``it`` of a repository of its own."""

    body: bytes
    media_type: str
    digest: str


@dataclass
class Stand:
    """What there is, and where it is served.

    Documents and blobs are found by their digests in every repository. Those ``refused`` answer
    with that status when asked for their tags.
    """

    host: str
    tagged: dict[str, Served] = field(default_factory=dict)
    by_digest: dict[str, Served] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def serve(self, repository: str, body: bytes, media_type: str | None = None) -> str:
        """Serve a document, and return its reference."""
        if repository in self.tagged:
            raise ValueError(f"{repository} is served already")
        served = Served(body, media_type or media_type_of(body), digest_of(body))
        self.tagged[repository] = served
        self.by_digest.setdefault(served.digest, served)
        return f"{self.host}/{repository}:it"

    def add(self, body: bytes) -> str:
        """Serve a document by its digest alone, and return that."""
        served = Served(body, media_type_of(body), digest_of(body))
        self.by_digest[served.digest] = served
        return served.digest

    def hold(self, body: bytes, algorithm: str = "sha256") -> str:
        """Serve a blob, and return its digest."""
        digest = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
        self.blobs[digest] = body
        return digest


def media_type_of(body: bytes) -> str:
    """Return the type that a registry sends a document as: its own, else by its shape."""
    document = json.loads(body)
    if document.get("mediaType"):
        return str(document["mediaType"])
    if document.get("schemaVersion") == 1:
        return images.SCHEMA1 if "signatures" in document else SCHEMA1_UNSIGNED
    if "manifests" in document:
        return images.OCI_INDEX
    config = document.get("config") or {}
    return _CONFIGS.get(config.get("mediaType"), images.OCI_MANIFEST)


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of a document; that of signed schema 1 leaves the signatures out."""
    with suppress(KeyError, IndexError, TypeError, ValueError):
        protected = json.loads(_decoded(json.loads(body)["signatures"][0]["protected"]))
        body = body[: protected["formatLength"]] + _decoded(protected["formatTail"])
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class _Handler(BaseHTTPRequestHandler):
    """Answers the paths of the distribution API."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stand: Stand

    def do_GET(self) -> None:
        """Answer with a body."""
        status, headers, body = self._answer()
        self.send_response(status)
        for name, text in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class asks for this name

    def _answer(self) -> tuple[int, Mapping[str, str], bytes]:
        path, _, last = self.path.partition("?")[0].removeprefix("/v2/").rpartition("/")
        repository, _, what = path.rpartition("/")
        if self.path == "/v2/":
            return _json(200, {})
        if what == "tags" and repository in self.stand.refused:
            return _json(self.stand.refused[repository], {"errors": [{"code": "DENIED"}]})
        if what == "tags" and repository in self.stand.tagged:
            return _json(200, {"name": repository, "tags": TAGS})
        if what == "manifests" and (served := self._document(repository, last)):
            headers = {"Content-Type": served.media_type, "Docker-Content-Digest": served.digest}
            return 200, headers, served.body
        if what == "blobs" and last in self.stand.blobs:
            return 200, {"Content-Type": "application/octet-stream"}, self.stand.blobs[last]
        code = "BLOB_UNKNOWN" if what == "blobs" else "MANIFEST_UNKNOWN"
        return _json(404, {"errors": [{"code": code, "message": f"{last} is unknown"}]})

    def _document(self, repository: str, wanted: str) -> Served | None:
        own = self.stand.tagged.get(repository)
        # Documents of schema 1 that differ in their signatures share a digest.
        if own and (wanted in TAGS or wanted == own.digest):
            return own
        return self.stand.by_digest.get(wanted)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def _json(status: int, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: skopeo tries TLS first, and hangs up when it has what it wants."""


@contextmanager
def serve() -> Iterator[Stand]:
    """Run an empty stand on a free loopback port."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    stand = Stand(f"127.0.0.1:{server.server_port}")
    handler.stand = stand  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield stand
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wrapped(at: Stand, config: bytes, media_type: str = images.OCI_MANIFEST) -> bytes:
    """Hold a config, and return a manifest around it with a layer for each of its diff_ids."""
    is_docker = media_type == images.DOCKER_MANIFEST
    layers = [
        {
            "mediaType": images.DOCKER_LAYER if is_docker else images.OCI_LAYER,
            "digest": digest_of(f"{number} of {diff_id}".encode()),
            "size": 1000 + number,
        }
        for number, diff_id in enumerate(_diff_ids(config))
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": images.DOCKER_CONFIG if is_docker else images.OCI_CONFIG,
            "digest": at.hold(config),
            "size": len(config),
        },
        "layers": layers,
    }
    return json.dumps(manifest, indent=1).encode()


def _diff_ids(config: bytes) -> list[Any]:
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        return list(json.loads(config)["rootfs"]["diff_ids"])
    return []
