"""A loopback proxy that damages what a registry answers, by a plan, and notes what it did."""

import asyncio
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

# What may happen to an answer. Cuts and statuses befall those without a body too.
CUTS = ("reset before headers", "end before headers", "reset in headers")
STATUSES = ("408", "429 for 1 s", "500", "502", "503", "503 for 1 s", "504")
BODY_CUTS = ("reset in body", "end in body")
# "shortened" announces the length that it has, "overlong" half of what it sends.
GARBLES = ("flipped", "shortened", "overlong", "emptied")
# With 200, as a hotel's network answers before the login.
PAGE = "page"
WHOLE = "whole"
# Nobody can tell that one of these is broken: it is an answer, only later.
SLOW = "slow"

# Longer than anybody waits who wants to stop. [seconds]
HELD = 60.0

_HEADERS_END = b"\r\n\r\n"
_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 52\r\n\r\n"
    b"<!DOCTYPE html><title>Sign in to the network</title>"
)
_PATIENCE = 60.0
# Closing with this sends RST, as a crash or a firewall does.
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """One request: what was asked, how often before, and after how many others of all kinds."""

    method: str
    path: str
    earlier: int = 0
    number: int = 0

    @property
    def has_body(self) -> bool:
        """Whether its answer has a body that can be damaged."""
        return self.method == "GET"


@dataclass(frozen=True)
class Exchange:
    """A request and what became of its answer."""

    method: str
    path: str
    fate: str

    @property
    def is_whole(self) -> bool:
        """Whether the answer went out as it came."""
        return self.fate in (WHOLE, SLOW)

    @property
    def is_document(self) -> bool:
        """Whether a document was asked for, by its tag or digest."""
        return self.method == "GET" and ("/manifests/" in self.path or "/blobs/" in self.path)


# Says what becomes of the answer to a request: a fate, and how long it takes. [seconds]
Plan = Callable[[Request], tuple[str, float]]


def undisturbed(_: Request) -> tuple[str, float]:
    """Pass everything on."""
    return WHOLE, 0.0


@dataclass
class Proxy:
    """A running proxy; tests change its plan and read its log.

    Attributes
    ----------
    plan
        What becomes of answers.
    log
        What became of them, in the order in which they were sent.
    asked
        How often each thing was asked for, answered or not.
    """

    host: str = ""
    plan: Plan = undisturbed
    log: list[Exchange] = field(default_factory=list)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def begin(self, plan: Plan = undisturbed) -> None:
        """Start a new log under a plan."""
        self.plan = plan
        self.log = []
        self.asked = Counter()

    def wait_until(self, requests: int) -> None:
        """Wait until so many requests have come in."""
        deadline = time.monotonic() + _PATIENCE
        while self.asked.total() < requests:
            assert time.monotonic() < deadline, f"{self.asked.total()} requests came in"
            time.sleep(0.002)

    def documents(self) -> Counter[str]:
        """Count how often each document went out whole, by its path."""
        return Counter(one.path for one in self.log if one.is_document and one.is_whole)

    def whole(self) -> set[tuple[str, str]]:
        """Return what went out whole: the method and the path."""
        return {(one.method, one.path) for one in self.log if one.is_whole}

    def repeated(self) -> dict[tuple[str, str], int]:
        """Count what went out whole more than once."""
        counts = Counter((one.method, one.path) for one in self.log if one.is_whole)
        return {what: count for what, count in counts.items() if count > 1}

    def note(self, method: str, path: str) -> tuple[Request, Plan, list[Exchange]]:
        """Note that something is asked for; return the plan and the log that hold for it."""
        bare = path.partition("?")[0]
        request = Request(method, bare, self.asked[method, bare], self.asked.total())
        self.asked[method, bare] += 1
        return request, self.plan, self.log


def held_after(count: int) -> Plan:
    """Pass so many answers on, and hold the next ones."""
    return lambda request: (SLOW, HELD) if request.number >= count else (WHOLE, 0.0)


def breaking(share: float, seed: int, most: int, fates: tuple[str, ...]) -> Plan:
    """Break a share of all answers, each by its own chance, the same in any order of requests.

    ``most`` is how often in a row the answer to one request is broken.
    """

    def plan(request: Request) -> tuple[str, float]:
        chance = random.Random(f"{seed} {request.method} {request.path} {request.earlier}")
        if chance.random() >= share or request.earlier >= most:
            return WHOLE, 0.0
        fate = chance.choice([one for one in fates if fits(one, request)])
        return fate, chance.uniform(0.05, 0.3) if fate == SLOW else 0.0

    return plan


def fits(fate: str, request: Request) -> bool:
    """Tell whether a fate can befall the answer, and be seen.

    A name in a list that has another letter is a name as good as any.
    """
    if fate in BODY_CUTS or fate in GARBLES:
        return request.has_body and (fate != "flipped" or "/sha256:" in request.path)
    return True


@contextmanager
def serve(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of a host such as ``127.0.0.1:5000``."""
    proxy = Proxy()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    is_over = asyncio.Event()

    async def run() -> None:
        handler = _Handler(proxy, upstream)
        server = await asyncio.start_server(handler.serve, "127.0.0.1", 0, backlog=256)
        proxy.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await is_over.wait()
        server.close()
        # A connection that was just accepted has its task in one of the next rounds of the loop.
        await asyncio.sleep(0.01)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await _end(others)

    thread = threading.Thread(target=loop.run_until_complete, args=[run()], daemon=True)
    thread.start()
    started.wait(_PATIENCE)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join()
        loop.close()


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # Closed sockets are let go of in the next rounds of the loop.
    await asyncio.sleep(0.01)


@dataclass(frozen=True)
class _Handler:
    """Passes on what one connection asks; each has a connection of its own behind the proxy."""

    proxy: Proxy
    upstream: str

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.upstream.partition(":")
        with closing(writer):
            reader_behind, writer_behind = await asyncio.open_connection(host, int(port))
            # A client may hang up whenever it likes.
            with closing(writer_behind), suppress(OSError, EOFError):
                while await self._pass_on(reader, writer, reader_behind, writer_behind):
                    pass

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        reader_behind: asyncio.StreamReader,
        writer_behind: asyncio.StreamWriter,
    ) -> bool:
        """Answer one request; tell whether the connection can be used for another."""
        head = await reader.readuntil(_HEADERS_END)
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        request, plan, log = self.proxy.note(method, path)
        writer_behind.write(head)
        answer = await _read_answer(reader_behind, request)
        fate, delay = plan(request)
        await self._hold(plan, delay)
        # Whoever asked may have been killed since, and a new log begun.
        log.append(Exchange(request.method, request.path, fate))
        sent, ending = damaged(fate, *answer)
        if not request.has_body:
            sent = sent.partition(_HEADERS_END)[0] + _HEADERS_END if ending is None else sent
        writer.write(sent)
        await writer.drain()
        if ending == "reset":
            # What was written must leave before the reset, which overtakes it.
            await asyncio.sleep(0.002)
            _reset(writer)
        return ending is None

    async def _hold(self, plan: Plan, delay: float) -> None:
        """Wait, or until the plan changes."""
        deadline = time.monotonic() + delay
        # Another thread changes the plan, so no event of this loop can tell.
        while self.proxy.plan is plan and (left := deadline - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 0.02))


async def _read_answer(reader: asyncio.StreamReader, request: Request) -> tuple[bytes, bytes]:
    """Read the head and the body of an answer; a body in chunks is joined."""
    head = await reader.readuntil(_HEADERS_END)
    fields = head.lower()
    if not request.has_body:
        return head, b""
    if b"\r\ntransfer-encoding: chunked" in fields:
        body = await _read_chunks(reader)
        lines = [one for one in head.split(b"\r\n") if not one.lower().startswith(b"transfer-")]
        return _with_length(b"\r\n".join(lines), len(body)), body
    length = fields.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return head, await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


def damaged(fate: str, head: bytes, body: bytes) -> tuple[bytes, str | None]:
    """Return what is sent in place of an answer, and how the connection ends: None goes on."""
    if fate in (WHOLE, SLOW):
        return head + body, None
    if fate in STATUSES:
        status, _, wait = fate.partition(" for ")
        after = f"Retry-After: {wait.removesuffix(' s')}\r\n" if wait else ""
        return f"HTTP/1.1 {status} Broken\r\n{after}Content-Length: 0\r\n\r\n".encode(), None
    half = body[: len(body) // 2]
    flipped = half + bytes([body[len(half)] ^ 1]) + body[len(half) + 1 :] if body else b""
    return {
        "reset before headers": (b"", "reset"),
        "end before headers": (b"", "end"),
        "reset in headers": (head[: len(head) // 2], "reset"),
        "reset in body": (head + half, "reset"),
        "end in body": (head + half, "end"),
        "flipped": (head + flipped, None),
        "shortened": (_with_length(head, len(half)) + half, None),
        # What is too much stays on the connection, where the next answer is expected.
        "overlong": (_with_length(head, len(half)) + body, None),
        "emptied": (_with_length(head, 0), None),
        PAGE: (_PAGE, None),
    }[fate]


def _with_length(head: bytes, length: int) -> bytes:
    lines = head.removesuffix(_HEADERS_END).split(b"\r\n")
    kept = [one for one in lines if not one.lower().startswith(b"content-length:")]
    return b"\r\n".join([*kept, f"Content-Length: {length}".encode()]) + _HEADERS_END


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
