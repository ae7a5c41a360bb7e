"""A stand-in for the Docker Hub API: ready pages of tags, each answered after the same time.

``python -m benchmarks.hub SECONDS REPOSITORY=TAGS …`` prints its address. ``GET /-/passed`` tells
the requests since it was last asked, and the most that were under way at once.
"""

import asyncio
import json
import re
import sys
from math import ceil
from typing import Any

from benchmarks.collection import INDEX, Release, release

PAGE_SIZE = 100
_ASKED = re.compile(
    rb"GET (?:http://[^/]+)?/v2/namespaces/([^/]+)/repositories/([^/]+)/tags/?\?(\S*)"
)


def pages(repository: str, tags: int) -> list[bytes]:
    """Make the pages of a repository's tags, newest first."""
    count = ceil(tags / PAGE_SIZE)
    address = (
        f"https://hub.docker.com/v2/namespaces/{repository.replace('/', '/repositories/')}/tags"
    )
    made = []
    for page in range(count):
        numbers = range(tags - page * PAGE_SIZE, max(tags - (page + 1) * PAGE_SIZE, 0), -1)
        more = f"{address}?page={page + 2}&page_size={PAGE_SIZE}" if page + 1 < count else None
        results = [_tag(release(number - 1), number) for number in numbers]
        made.append(
            json.dumps({"count": tags, "next": more, "previous": None, "results": results}).encode()
        )
    return made


def _tag(found: Release, number: int) -> dict[str, Any]:
    pushed = f"20{20 + number // 8000:02}-{1 + number // 700 % 12:02}-{1 + number // 25 % 28:02}T{number % 24:02}:00:00.123456Z"
    known = [(image.architecture, "linux", image.manifest.digest) for image in found.images]
    # BuildKit's attestations stand among the images.
    known += [("unknown", "unknown", f"sha256:{digest[:6:-1]}") for *_, digest in known]
    return {
        "creator": 7,
        "id": number,
        "images": [_image(*one, pushed) for one in known],
        "last_updated": pushed,
        "last_updater": 7,
        "last_updater_username": "example",
        "name": found.tag,
        "repository": 11,
        "full_size": 52_428_800 + number,
        "v2": True,
        "tag_status": "active",
        "tag_last_pulled": pushed,
        "tag_last_pushed": pushed,
        "media_type": INDEX,
        "content_type": "image",
        "digest": found.index.digest,
    }


def _image(architecture: str, system: str, digest: str, pushed: str) -> dict[str, Any]:
    return {
        "architecture": architecture,
        "features": "",
        "variant": None,
        "digest": digest,
        "os": system,
        "os_features": "",
        "os_version": None,
        "size": 52_428_800,
        "status": "active",
        "last_pulled": pushed,
        "last_pushed": pushed,
    }


class Server:
    """The pages, and what was asked so far."""

    def __init__(self, shelves: dict[str, list[bytes]], seconds: float) -> None:
        self.shelves = shelves
        self.seconds = seconds
        self.requests = 0
        self.under_way = 0
        self.most_under_way = 0

    def answer(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of a page, or of what was asked so far."""
        if request.startswith(b"GET /-/passed "):
            told = {"requests": self.requests, "most_under_way": self.most_under_way}
            self.requests = self.most_under_way = 0
            return 200, json.dumps(told).encode()
        asked = _ASKED.match(request)
        shelf = self.shelves.get(f"{asked[1].decode()}/{asked[2].decode()}", []) if asked else []
        number = re.search(rb"\bpage=(\d+)", asked[3]) if asked else None
        place = int(number[1]) if number else 1
        return (200, shelf[place - 1]) if 0 < place <= len(shelf) else (404, b'{"message":"no"}')


class Connection(asyncio.Protocol):
    """One connection, kept; a request comes in one piece."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer later, except to whoever asks what passed."""
        status, body = self.server.answer(data)
        if data.startswith(b"GET /-/passed "):
            self._write(status, body)
            return
        self.server.requests += 1
        self.server.under_way += 1
        self.server.most_under_way = max(self.server.under_way, self.server.most_under_way)
        self.loop.call_later(self.server.seconds, self._finish, status, body)

    def _finish(self, status: int, body: bytes) -> None:
        self.server.under_way -= 1
        self._write(status, body)

    def _write(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)


async def serve(shelves: dict[str, list[bytes]], seconds: float) -> None:
    """Run until the process is ended."""
    known = Server(shelves, seconds)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(known), "127.0.0.1", 0, backlog=512
    )
    print("{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    wanted = dict(word.split("=") for word in sys.argv[2:])
    filled = {name: pages(name, int(count)) for name, count in wanted.items()}
    asyncio.run(serve(filled, float(sys.argv[1])))
