"""A stand-in for a registry of many small repositories, a tag in each; it needs no login.

Four repositories hold each image, far apart, so that several workers want
the same documents. More requests in a second than are allowed are refused, as a registry does.
``GET /-/passed`` tells what was asked since it was last asked.

``python -m benchmarks.crowd SECONDS REPOSITORIES ALLOWED`` prints its own address.
"""

import asyncio
import hashlib
import json
import sys
import time
from collections import deque
from typing import Any

_INDEX = b"GET /-/passed "
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
SHARED_BY = 4
_WINDOW = 1.0


def repositories(count: int) -> list[str]:
    """Return the names of the repositories."""
    return [f"team-{number % 97}/service-{number}" for number in range(count)]


class Shelves:
    """The documents, and which one each repository's tag names."""

    def __init__(self, count: int) -> None:
        self.documents: dict[str, tuple[str, bytes]] = {}
        images = [self._image(number) for number in range(-(-count // SHARED_BY))]
        names = repositories(count)
        self.tags = {name: images[place % len(images)] for place, name in enumerate(names)}

    def _image(self, number: int) -> str:
        layers = [
            {"mediaType": _LAYER, "digest": _digest(text.encode()), "size": 1000 + place}
            for place, text in enumerate(("base", f"system {number % 7}", f"own {number}"))
        ]
        config = {
            "os": "linux",
            "architecture": "amd64",
            "created": f"2026-01-{1 + number % 28:02}T01:02:03Z",
            "config": {"Labels": {"number": str(number)}},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
            "history": [{"created_by": f"COPY {place} /"} for place in range(len(layers))],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._put(_CONFIG, config),
            "layers": layers,
        }
        digest: str = self._put(_MANIFEST, manifest)["digest"]
        return digest

    def _put(self, media_type: str, content: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(content).encode()
        digest = _digest(body)
        self.documents[digest] = (media_type, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}


class Server:
    """The answers, what was asked so far, and how much is allowed."""

    def __init__(self, shelves: Shelves, seconds: float, allowed: int) -> None:
        self.shelves = shelves
        self.seconds = seconds
        self.allowed = allowed
        self.recent: deque[float] = deque()
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.refused = self.most = 0
        self.asked: dict[str, int] = {}

    def answer(self, data: bytes) -> bytes:
        """Return the whole answer to a request."""
        line = data.partition(b" HTTP/1.1\r\n")[0].decode("latin-1")
        if data.startswith(_INDEX):
            told = {"asked": self.asked, "refused": self.refused, "most": self.most}
            self.forget()
            return _written("200 OK", "application/json", json.dumps(told).encode())
        self.asked[line] = self.asked.get(line, 0) + 1
        if self._is_too_much():
            self.refused += 1
            return _written("429 Too Many", "text/plain", b"slow down", "Retry-After: 1\r\n")
        method, _, path = line.partition(" ")
        name, kind, what = _parts(path)
        digest = self.shelves.tags.get(name, "") if what == "latest" else what
        if kind == "" or name not in self.shelves.tags or digest not in self.shelves.documents:
            said = b'{"errors": [{"code": "NAME_UNKNOWN", "message": "none"}]}'
            return _written("404 Not Found", "application/json", said)
        media_type, body = self.shelves.documents[digest]
        told_digest = f"Docker-Content-Digest: {digest}\r\n"
        return _written("200 OK", media_type, body, told_digest, is_head=method == "HEAD")

    def _is_too_much(self) -> bool:
        now = time.monotonic()
        while self.recent and self.recent[0] < now - _WINDOW:
            self.recent.popleft()
        self.recent.append(now)
        self.most = max(self.most, len(self.recent))
        return len(self.recent) > self.allowed


class Connection(asyncio.Protocol):
    """One connection, kept; a request comes in one piece."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer after the time that a longer wire takes."""
        answer = self.server.answer(data)
        if self.server.seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(self.server.seconds, self.transport.write, answer)
        else:
            self.transport.write(answer)


def _written(
    status: str, media_type: str, body: bytes, more: str = "", *, is_head: bool = False
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{more}\r\n".encode() + (b"" if is_head else body)


def _parts(path: str) -> tuple[str, str, str]:
    """Split ``/v2/NAME/manifests/WHAT`` and ``/v2/NAME/blobs/WHAT``."""
    for kind in ("/manifests/", "/blobs/"):
        name, found, what = path.removeprefix("/v2/").partition(kind)
        if found:
            return name, kind, what
    return "", "", ""


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


async def serve(count: int, seconds: float, allowed: int) -> None:
    """Run until the process is ended."""
    known = Server(Shelves(count), seconds, allowed)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(known), "127.0.0.1", 0, backlog=512
    )
    print("{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[2]), float(sys.argv[1]), int(sys.argv[3])))
