"""A stand-in for a registry that is far away and speaks TLS, with one repository of releases.

An answer comes a delay after its request, and the first one of a connection two delays later: so long take the
handshakes of TCP and TLS. Nothing else is slow, so that it is never the bottleneck.

``python -m benchmarks.tls_registry SECONDS TAGS CERTIFICATE KEY`` prints its own address. Addresses of this machine
speak plain http to hubframe, so the name is one that only processes know which called `know_name`.
"""

import asyncio
import json
import socket
import ssl
import sys
from typing import Any

from benchmarks.collection import CONFIG, INDEX, MANIFEST, Stored, releases
from tests.quirks.tls import NAME

REPOSITORY = "acme/far"
HANDSHAKE_DELAYS = 2
_NOTHING = b'{"errors": [{"code": "NOT_FOUND", "message": "none"}]}'


def know_name() -> None:
    """Let the name of the server lead to this machine, in this process."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *rest: Any, **how: Any) -> Any:
        return resolve("127.0.0.1" if host == NAME else host, *rest, **how)

    socket.getaddrinfo = resolve_here


def answers(tags: int) -> dict[str, bytes]:
    """Return the whole answer of each path."""
    home = f"/v2/{REPOSITORY}"
    names, found = [], {}
    for release in releases(tags):
        names.append(release.tag)
        for what in (release.tag, release.index.digest):
            found[f"{home}/manifests/{what}"] = _document(INDEX, release.index)
        for image in release.images:
            found[f"{home}/manifests/{image.manifest.digest}"] = _document(MANIFEST, image.manifest)
            found[f"{home}/blobs/{image.config.digest}"] = _document(CONFIG, image.config)
    listed = json.dumps({"name": REPOSITORY, "tags": names}).encode()
    return {**found, f"{home}/tags/list": _written("200 OK", "application/json", listed)}


def _document(media_type: str, document: Stored) -> bytes:
    told = f"Docker-Content-Digest: {document.digest}\r\n"
    return _written("200 OK", media_type, document.body, told)


def _written(status: str, media_type: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{more}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection, kept; a request comes in one piece."""

    transport: asyncio.Transport

    def __init__(self, known: dict[str, bytes], seconds: float) -> None:
        self.known = known
        self.seconds = seconds
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back, and when it is there."""
        self.transport = transport  # type: ignore[assignment]
        self.ready = self.loop.time() + HANDSHAKE_DELAYS * self.seconds

    def data_received(self, data: bytes) -> None:
        """Answer later."""
        method, path, _ = data.partition(b"\r\n")[0].decode("latin-1").split(" ")
        answer = self.known.get(path.partition("?")[0])
        if answer is None:
            answer = _written("404 Not Found", "application/json", _NOTHING)
        if method == "HEAD":
            answer = answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        moment = max(self.loop.time(), self.ready) + self.seconds
        self.loop.call_at(moment, self.transport.write, answer)


async def serve(known: dict[str, bytes], seconds: float, context: ssl.SSLContext) -> None:
    """Run until the process is ended."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(known, seconds), "127.0.0.1", 0, backlog=512, ssl=context
    )
    print(f"{NAME}:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    chain = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain.load_cert_chain(sys.argv[3], sys.argv[4])
    asyncio.run(serve(answers(int(sys.argv[2])), float(sys.argv[1]), chain))
