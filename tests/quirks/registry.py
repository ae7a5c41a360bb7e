"""A second implementation of the distribution protocol, small, with the quirks of many registries.

Its documents are true: what it serves under a digest has that digest, unless a switch says
otherwise. Beside it stands a storage on another port, which refuses whoever brings a login.
"""

import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
JSON = "application/json"
REPO = "team/sub/app"
TAGS = ("1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "latest")
REPOSITORIES = ("a", "team/b", REPO, "team/sub/deep/er/tool")
USER = ("reader", "sesame-open")
BASIC = "Basic cmVhZGVyOnNlc2FtZS1vcGVu"
SIGNATURE = "X-Signature=top-secret"


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, value: Any, status: int = 200, **headers: str) -> "Answer":
        """Answer with JSON."""
        return cls(status, {"Content-Type": JSON, **headers}, json.dumps(value).encode())


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    """Answer with an error in the protocol's form."""
    return Answer.of({"errors": [{"code": code, "message": message}]}, status, **headers)


def index(*entries: Mapping[str, Any], **headers: str) -> Answer:
    """Answer with an index, as the referrers API does."""
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}
    return Answer(200, {"Content-Type": OCI_INDEX, **headers}, json.dumps(body).encode())


@dataclass(frozen=True)
class Asked:
    """A request as a quirk sees it."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path, unquoted."""
        return unquote(urlsplit(self.target).path)

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the query."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True).get(name, [None])[-1]


@dataclass(frozen=True)
class Quirks:
    """Switches; as they stand here it is a registry with all that the specification wants.

    Attributes
    ----------
    page, largest
        Entries on a page where none are asked for (None: all), and at most (None: any number).
    ignores_size, refuses_size, refuses_above
        What becomes of ``n``: passed over; refused with this answer, always or above a number.
    link
        The form of the link to the next page; ``{path}``, ``{query}``, ``{host}`` are filled in.
        None sends none.
    link_size
        The ``n`` of links; None for the one that was sent.
    cursor
        What the links continue at: the last name, or a token that only the registry reads.
    wrap
        Changes the body of a list.
    list_type
        The Content-Type of lists.
    head
        Changes the answer to HEAD of a manifest.
    manifest
        Changes every answer of a manifest.
    needs_all_types
        Whether Accept must name the manifests of OCI, without weights.
    away
        Which paths (parts of them) are answered from the storage.
    referrers
        Answers the referrers API; None: it has none.
    token
        What the token server says; None: no login is needed.
    challenge
        The header of the challenge; ``{host}`` is filled in.
    everywhere
        Headers of all answers.
    instead
        Answers in place of the registry's own, by a part of the path.
    """

    page: int | None = None
    largest: int | None = None
    ignores_size: bool = False
    refuses_size: Answer | None = None
    refuses_above: int | None = None
    link: str | None = '<{path}?{query}>; rel="next"'
    link_size: str | None = None
    cursor: str = "last"
    wrap: Callable[[dict[str, Any]], Any] = lambda body: body
    list_type: str = JSON
    head: Callable[[Answer], Answer] = lambda answer: answer
    manifest: Callable[[Answer], Answer] = lambda answer: answer
    needs_all_types: bool = False
    away: Sequence[str] = ()
    referrers: Callable[[Asked], Answer] | None = None
    token: Mapping[str, Any] | None = None
    challenge: str = 'Bearer realm="http://{host}/token",service="quirks"'
    everywhere: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, Answer | Callable[[Asked], Answer]] = field(default_factory=dict)


class Documents:
    """An image for each tag, the last two the same, as true documents by digest."""

    def __init__(self) -> None:
        self.bodies: dict[str, tuple[str, bytes]] = {}
        self.tags = {tag: self._image(tag.replace("latest", "2.1")) for tag in TAGS}

    def _image(self, version: str) -> str:
        layer = f"sha256:{hashlib.sha256(version.encode()).hexdigest()}"
        config = {
            "os": "linux",
            "architecture": "amd64",
            "config": {"Labels": {"version": version}, "Env": ["A=1"]},
            "rootfs": {"type": "layers", "diff_ids": [layer]},
            "history": [{"created_by": "ADD rootfs"}],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._put(OCI_CONFIG, config),
            "layers": [{"mediaType": OCI_LAYER, "digest": layer, "size": 100}],
        }
        return str(self._put(OCI_MANIFEST, manifest)["digest"])

    def _put(self, media_type: str, value: Any) -> dict[str, Any]:
        body = json.dumps(value).encode()
        digest = digest_of(body)
        self.bodies[digest] = (media_type, body)
        return {"mediaType": media_type, "digest": digest, "size": len(body)}


def digest_of(body: bytes) -> str:
    """Return the digest of a document."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


DOCUMENTS = Documents()


class Registry:
    """Answers requests, quirks included, and keeps them."""

    def __init__(self, quirks: Quirks) -> None:
        self.quirks = quirks
        self.host = self.storage = ""
        self.log: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        """Answer as the registry."""
        self.log.append(asked)
        answer = self._instead(asked) or self._guarded(asked)
        return Answer(answer.status, {**self.quirks.everywhere, **answer.headers}, answer.body)

    def asked(self, part: str, method: str | None = None) -> list[Asked]:
        """Return the requests so far whose target holds a part."""
        return [one for one in self.log if part in one.target and method in (None, one.method)]

    def _instead(self, asked: Asked) -> Answer | None:
        for part, answer in self.quirks.instead.items():
            if part in asked.path:
                return answer if isinstance(answer, Answer) else answer(asked)
        return None

    def _guarded(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            return Answer.of(self.quirks.token)
        if self.quirks.token is not None and not self._is_let_in(asked):
            challenge = self.quirks.challenge.format(host=self.host)
            return refusal(401, "UNAUTHORIZED", **{"WWW-Authenticate": challenge})
        return Answer.of({}) if asked.path == "/v2/" else self._routed(asked)

    def _is_let_in(self, asked: Asked) -> bool:
        token = self.quirks.token or {}
        good = {f"Bearer {token.get('token')}", f"Bearer {token.get('access_token')}", BASIC}
        return asked.headers.get("authorization") in good - {"Bearer None"}

    def _routed(self, asked: Asked) -> Answer:
        name, _, last = asked.path.removeprefix("/v2/").rpartition("/")
        repository, _, what = name.rpartition("/")
        if asked.path == "/v2/_catalog":
            return self._listed(asked, {}, "repositories", REPOSITORIES)
        if repository != REPO:
            return refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
        if any(part in asked.path for part in self.quirks.away):
            return Answer(307, {"Location": f"http://{self.storage}/{last}?{SIGNATURE}"})
        return self._of_repository(asked, what, last)

    def _of_repository(self, asked: Asked, what: str, last: str) -> Answer:
        if what == "tags":
            return self._listed(asked, {"name": REPO}, "tags", TAGS)
        if what == "manifests":
            return self._document(asked, last)
        if what == "referrers" and self.quirks.referrers:
            return self.quirks.referrers(asked)
        if what == "blobs" and last in DOCUMENTS.bodies:
            kind = {"Content-Type": "application/octet-stream"}
            return Answer(200, kind, DOCUMENTS.bodies[last][1])
        return Answer(404, {"Content-Type": "text/plain"}, b"404 page not found\n")

    def _document(self, asked: Asked, wanted: str) -> Answer:
        digest = DOCUMENTS.tags.get(wanted, wanted)
        if digest not in DOCUMENTS.bodies:
            return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
        accept = asked.headers.get("accept", "").split(",")
        if self.quirks.needs_all_types and OCI_MANIFEST not in accept:
            text = "OCI manifest found, but accept header does not support OCI manifests"
            return refusal(404, "MANIFEST_UNKNOWN", text)
        media_type, body = DOCUMENTS.bodies[digest]
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
        answer = self.quirks.manifest(Answer(200, headers, body))
        return self.quirks.head(answer) if asked.method == "HEAD" else answer

    def _listed(self, asked: Asked, body: dict[str, Any], key: str, names: Sequence[str]) -> Answer:
        quirks, size = self.quirks, asked.parameter("n")
        is_large = quirks.refuses_above is not None and int(size or 0) > quirks.refuses_above
        if quirks.refuses_size and size is not None and (is_large or quirks.refuses_above is None):
            return quirks.refuses_size
        start, count = self._start(asked, names), self._count(size, len(names))
        shown = list(names[start : start + count])
        headers = {"Content-Type": quirks.list_type}
        if quirks.link and start + count < len(names):
            headers["Link"] = self._link(asked, shown, start + count)
        return Answer(200, headers, json.dumps(quirks.wrap({**body, key: shown})).encode())

    def _start(self, asked: Asked, names: Sequence[str]) -> int:
        token, last = asked.parameter("next_page"), asked.parameter("last")
        if token is not None:
            return int(token.removeprefix("opaque/+="))
        return list(names).index(last) + 1 if last in names else 0

    def _count(self, size: str | None, total: int) -> int:
        if self.quirks.ignores_size or size is None:
            return self.quirks.page or total
        return min(int(size), self.quirks.largest or int(size))

    def _link(self, asked: Asked, shown: Sequence[str], following: int) -> str:
        quirks, size = self.quirks, self.quirks.link_size or asked.parameter("n")
        cursor = {
            "last": f"last={quote(shown[-1], safe='') if shown else ''}",
            "raw": f"last={shown[-1] if shown else ''}",
            "token": f"next_page={quote(f'opaque/+={following}', safe='')}",
        }[quirks.cursor]
        query = "&".join([cursor, *([f"n={size}"] if size else [])])
        path = asked.path
        return str(quirks.link).format(path=path, query=query, host=self.host)


class Storage:
    """The other host: it serves signed addresses, and refuses a second authorisation."""

    def __init__(self) -> None:
        self.log: list[Asked] = []

    def answer(self, asked: Asked) -> Answer:
        """Answer as S3 does."""
        self.log.append(asked)
        if "authorization" in asked.headers:
            return Answer(400, {"Content-Type": "text/plain"}, b"Only one auth mechanism allowed")
        name = asked.path.rpartition("/")[2]
        digest = DOCUMENTS.tags.get(name, name)
        if SIGNATURE not in asked.target or digest not in DOCUMENTS.bodies:
            return Answer(403, {"Content-Type": "application/xml"}, b"<Error/>")
        media_type, body = DOCUMENTS.bodies[digest]
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
        return Answer(200, headers, body)


_NO_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    encryption: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speak TLS in the connection's own thread; Go's words to whoever does not."""
        if self.encryption is None:
            super().finish_request(request, client_address)
        elif request.recv(1, socket.MSG_PEEK) != b"\x16":
            request.sendall(_NO_TLS)
        else:
            with self.encryption.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    answering: Callable[[Asked], Answer]

    def do_GET(self) -> None:
        """Answer."""
        headers = {name.lower(): text for name, text in self.headers.items()}
        answer = type(self).answering(Asked(self.command, self.path, headers))
        self.send_response_only(answer.status)
        for name, text in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 - the base class asks for this name

    def do_POST(self) -> None:
        """Answer, and read what was posted."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def listening(
    answering: Callable[[Asked], Answer], encryption: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve a function on a free loopback port, behind TLS where a context is given."""
    handler = type("Handler", (_Handler,), {"answering": staticmethod(answering)})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.encryption = encryption
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Running:
    """A registry and its storage while they run."""

    registry: Registry
    storage: Storage

    @property
    def host(self) -> str:
        """The registry's name in references."""
        return self.registry.host

    @property
    def repo(self) -> str:
        """The repository that has tags."""
        return f"{self.host}/{REPO}"


@contextmanager
def serve(quirks: Quirks) -> Iterator[Running]:
    """Run a registry with quirks."""
    registry, storage = Registry(quirks), Storage()
    with ExitStack() as stack:
        registry.storage = stack.enter_context(listening(storage.answer))
        registry.host = stack.enter_context(listening(registry.answer))
        yield Running(registry, storage)
