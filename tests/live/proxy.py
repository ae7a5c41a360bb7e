"""A loopback proxy that notes what passes through it; it changes nothing on the way."""

import hashlib
import http.client
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DOCUMENT = re.compile(r"/v2/.+/(manifests|blobs)/[^/]+")
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True)
class Passed:
    """One request, its status, and the digest of the body that came back."""

    method: str
    target: str
    status: int
    body_digest: str

    @property
    def is_document(self) -> bool:
        """Whether a manifest, index or config was handed over."""
        path = self.target.partition("?")[0]
        return self.method == "GET" and self.status == 200 and bool(_DOCUMENT.fullmatch(path))


@dataclass
class Proxy:
    """A running proxy, and what passed through it so far."""

    host: str
    passed: list[Passed] = field(default_factory=list)

    def documents(self) -> Counter[str]:
        """Count how often each document was handed over, by its digest."""
        return Counter(one.body_digest for one in self.passed if one.is_document)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # the default of 5 makes a client with many workers wait


@contextmanager
def recording(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of a host such as ``127.0.0.1:5000``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    proxy = Proxy(f"127.0.0.1:{server.server_port}")
    server.upstream, server.proxy = upstream, proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=30)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            # One by one, since a header such as Accept may be repeated.
            for name, text in self.headers.items():
                connection.putheader(name, text)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        # Noted before the answer leaves: the client may look as soon as it has it.
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self.server.proxy.passed.append(Passed(self.command, self.path, answer.status, digest))
        self._answer(answer, body)

    do_HEAD = do_GET  # noqa: N815 - http.server's own name

    def _answer(self, answer: http.client.HTTPResponse, body: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP]
        for name, text in headers:
            self.send_header(name, text)
        if self.command == "GET" and not answer.getheader("Content-Length"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""
