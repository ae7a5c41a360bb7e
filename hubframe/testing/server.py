"""The sample services on loopback sockets, for tests that want a wire and for other programs.

``python -m hubframe.testing.server`` runs them until it is interrupted.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from weakref import WeakSet

from hubframe.testing.application import HUB, Application
from hubframe.testing.message import DROP, Headers, Reply, Request
from hubframe.testing.world import DOCKER_IO, EXAMPLE

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """Where the services of an application listen."""

    application: Application
    hub_url: str  # the Hub API
    registry_url: str  # the registry behind ``docker.io``
    example_host: str  # ``host:port`` of the second registry, as it stands in a reference


@contextmanager
def serve(application: Application | None = None) -> Iterator[Served]:
    """Serve an application on free loopback ports; None takes the bundled sample."""
    application = application or Application()
    with ExitStack() as stack:
        hub, docker, example = (
            stack.enter_context(_listening(partial(application.answer, role=role)))
            for role in (HUB, DOCKER_IO, EXAMPLE)
        )
        yield Served(application, f"http://{hub}", f"http://{docker}", example)


@contextmanager
def _listening(answer: Callable[[Request], Reply]) -> Iterator[str]:
    with _Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield f"{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self._connections: WeakSet[socket.socket] = WeakSet()
        super().__init__((LOOPBACK, 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        """Wake the threads that wait for a next request on a connection kept alive."""
        for connection in self._connections:
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer goes out at once and in one piece.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server

    def _answer(self) -> None:
        host = self.headers.get("Host") or f"{LOOPBACK}:{self.server.server_port}"
        # Fields that come in several lines mean the same as one line, with commas.
        fields = {name: ", ".join(self.headers.get_all(name, [])) for name in self.headers}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, f"http://{host}{self.path}", Headers(fields), body)
        reply = self.server.answer(request)
        time.sleep(reply.delay)
        if reply.status == DROP.status:
            self.close_connection = True
            return
        length = str(len(reply.body))
        headers = {"Content-Length": length, "Date": self.date_time_string(), **reply.headers}
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        # A fault that promises more than it sends: only hanging up shows it.
        self.close_connection |= headers["Content-Length"] != length
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_args: Any, **_fields: Any) -> None:
        """Keep quiet; the application has a log."""


def _run() -> None:
    with suppress(KeyboardInterrupt), serve() as served:
        lines = (
            f"Hub API            {served.hub_url}",
            f"docker.io          {served.registry_url}",
            f"registry.example   http://{served.example_host}",
        )
        print(*lines, sep="\n", flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    _run()
