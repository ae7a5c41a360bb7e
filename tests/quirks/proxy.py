"""Loopback proxies: they forward, open tunnels, ask for a login, and note what passes."""

import base64
import http.client
import selectors
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """A running proxy, and what it was asked for.

    Attributes
    ----------
    routes
        Where names lead: ``registry.test:443`` to a loopback port. Others lead nowhere.
    login
        ``user:password`` that it wants to see; None for none.
    passed
        Method and target of every request, in order.
    """

    routes: Mapping[str, str]
    login: str | None
    host: str = ""
    passed: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def serve(
    routes: Mapping[str, str], login: str | None = None, *, is_socks: bool = False
) -> Iterator[Proxy]:
    """Run a proxy, of HTTP or of SOCKS 5; the latter asks for no login."""
    proxy = Proxy(routes, login)
    handler = type("Handler", (_Socks if is_socks else _Handler,), {"proxy": proxy})
    with _Server(("127.0.0.1", 0), handler) as server:
        proxy.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def do_GET(self) -> None:
        """Forward a request whose target is a whole address."""
        self.proxy.passed.append((self.command, self.path))
        parts = urlsplit(self.path)
        if self._is_let_in() and (there := self._there(parts.netloc)):
            connection = http.client.HTTPConnection(there, timeout=30)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy")}
            connection.request(self.command, path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            self.send_response_only(answer.status)
            for name, text in answer.getheaders():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)
            connection.close()

    do_HEAD = do_GET  # noqa: N815 - the base class asks for this name

    def do_CONNECT(self) -> None:
        """Open a tunnel."""
        self.proxy.passed.append((self.command, self.path))
        if self._is_let_in() and (there := self._there(self.path)):
            host, _, port = there.rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                self.send_response_only(200)
                self.end_headers()
                _carry(self.connection, far)
            self.close_connection = True

    def _is_let_in(self) -> bool:
        login = self.proxy.login
        wanted = f"Basic {base64.b64encode((login or '').encode()).decode()}"
        if login is None or self.headers.get("Proxy-Authorization") == wanted:
            return True
        self._refuse(407)
        return False

    def _there(self, name: str) -> str | None:
        there = self.proxy.routes.get(name)
        if there is None:
            self._refuse(502)
        return there

    def _refuse(self, status: int) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class _Socks(StreamRequestHandler):
    proxy: Proxy

    def handle(self) -> None:
        """Open a tunnel to where a name leads."""
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(b"\x05\x00")
        *_, kind = self.rfile.read(4)
        is_name = kind == 3
        read = self.rfile.read(self.rfile.read(1)[0] if is_name else 4)
        name = read.decode() if is_name else socket.inet_ntoa(read)
        target = f"{name}:{int.from_bytes(self.rfile.read(2))}"
        self.proxy.passed.append(("SOCKS", target))
        there = self.proxy.routes.get(target)
        self.wfile.write(bytes([5, 0 if there else 4, 0, 1, *bytes(6)]))
        if there:
            host, _, port = there.rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                _carry(self.connection, far)


def _carry(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    other = {near: far, far: near}
    # Of `select` numbers of files have a limit, which a process with many open ones is above.
    with suppress(OSError), selectors.DefaultSelector() as ready:
        for end in other:
            ready.register(end, selectors.EVENT_READ)
        while True:
            for end in [key.fileobj for key, _ in ready.select()]:
                data = end.recv(1 << 16)
                if not data:
                    return
                other[end].sendall(data)
