"""A proxy that is a longer wire: whatever the other side says arrives later, and unchanged.

Bytes are passed on as they come, without a look at HTTP, so that it is never the bottleneck. Each
burst is held back for the same time, so an answer in two pieces is late once. ``GET /-/passed``
tells which requests passed since it was last asked.

``python -m benchmarks.latency HOST:PORT SECONDS`` prints its own address.
"""

import asyncio
import json
import sys
from collections import deque

PASSED = b"GET /-/passed "


class Upstream(asyncio.Protocol):
    """The side of the registry: what it says is held back."""

    def __init__(self, client: "Client", seconds: float) -> None:
        self.client = client
        self.seconds = seconds
        self.held: deque[bytes] = deque()
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """Pass on later."""
        self.held.append(data)
        self.loop.call_later(self.seconds, self._release)

    def connection_lost(self, _: Exception | None) -> None:
        """Hang up when everything has arrived."""
        self.loop.call_later(self.seconds, self.client.transport.close)

    def _release(self) -> None:
        # Timers of the same moment may fire in any order; the bytes must not.
        self.client.transport.write(self.held.popleft())


class Client(asyncio.Protocol):
    """The side of whoever asks; a request is small, and comes in one piece."""

    transport: asyncio.Transport

    def __init__(self, upstream: tuple[str, int], seconds: float, passed: list[str]) -> None:
        self.address = upstream
        self.seconds = seconds
        self.passed = passed
        self.waiting: list[bytes] = []
        self.upstream: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the other half."""
        self.transport = transport  # type: ignore[assignment]
        self.opening = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self.upstream, _ = await loop.create_connection(
            lambda: Upstream(self, self.seconds), *self.address
        )
        for data in self.waiting:
            self.upstream.write(data)

    def data_received(self, data: bytes) -> None:
        """Pass on at once, and note the request's first line."""
        if data.startswith(PASSED):
            self._tell()
            return
        line, _, rest = data.partition(b" HTTP/1.1\r\n")
        if rest:
            self.passed.append(line.decode("latin-1"))
        if self.upstream is None:
            self.waiting.append(data)
        else:
            self.upstream.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Hang up on the other side too."""
        if self.upstream is not None:
            self.upstream.close()

    def _tell(self) -> None:
        body = json.dumps(self.passed).encode()
        self.passed.clear()
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)
        self.transport.close()


async def serve(upstream: tuple[str, int], seconds: float) -> None:
    """Run until the process is ended."""
    passed: list[str] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: Client(upstream, seconds, passed), "127.0.0.1", 0, backlog=512
    )
    print("{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    host, _, port = sys.argv[1].partition(":")
    asyncio.run(serve((host, int(port)), float(sys.argv[2])))
