"""A registry over a world: the distribution API and its token endpoint.

The one behind ``docker.io`` hides what the caller may not read behind a 401, and counts pulls; the
other one is open, lists its catalogue and knows referrers.
"""

import base64
import binascii
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hubframe.testing.message import Reply, Request
from hubframe.testing.routing import Route, find, post, read
from hubframe.testing.tickets import Ticket, Tickets
from hubframe.testing.world import DOCKER_IO, Account, Document, Repository, World

TOKEN_LIFE = 300
PULL_WINDOW = 21_600
LARGEST_PAGE = 1000
CATALOG = "registry:catalog:*"
DOCKER_HOSTS = frozenset({"registry-1.docker.io", "index.docker.io"})
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}

NAME = r"(?P<name>[^/]+(?:/[^/]+)*)"


class Refused(Exception):  # noqa: N818
    """An answer in the registry's form of an error."""

    def __init__(  # noqa: PLR0913
        self,
        status: int,
        code: str,
        message: str,
        detail: Any = None,
        *,
        challenge: dict[str, str] | None = None,
        limits: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        error = {"code": code, "message": message, "detail": detail}
        self.reply = Reply.of_json({"errors": [error]}, status, limits)
        if challenge:
            fields = ",".join(f'{name}="{value}"' for name, value in challenge.items())
            self.reply = self.reply.with_headers({"WWW-Authenticate": f"Bearer {fields}"})


@dataclass
class PullMeter:
    """Counts the pulls of each caller over six hours."""

    allowed: int
    clock: Callable[[], float]
    _pulls: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, caller: str) -> bool:
        """Spend a pull, where one is left."""
        with self._lock:
            recent = self._recent(caller)
            if len(recent) >= self.allowed:
                return False
            recent.append(self.clock())
            return True

    def headers(self, caller: str) -> dict[str, str]:
        """Return what a manifest's answer tells of the limit."""
        with self._lock:
            left = self.allowed - len(self._recent(caller))
        return {
            "ratelimit-limit": f"{self.allowed};w={PULL_WINDOW}",
            "ratelimit-remaining": f"{left};w={PULL_WINDOW}",
            "docker-ratelimit-source": caller,
        }

    def _recent(self, caller: str) -> list[float]:
        since = self.clock() - PULL_WINDOW
        self._pulls[caller] = [at for at in self._pulls.get(caller, []) if at > since]
        return self._pulls[caller]


class Registry:
    """Answers the distribution API for one host's repositories.

    Parameters
    ----------
    world
        What it holds.
    host
        Whose repositories: ``docker.io`` or ``registry.example``.
    clock
        The time, in seconds since 1970.
    pull_limit
        Manifest GETs in six hours; None is no limit.
    """

    def __init__(
        self, world: World, host: str, clock: Callable[[], float], *, pull_limit: int | None = None
    ) -> None:
        self.world = world
        self.host = host
        self.clock = clock
        self.is_docker_io = host == DOCKER_IO
        self.tickets = Tickets(clock, TOKEN_LIFE)
        self.meter = None if pull_limit is None else PullMeter(pull_limit, clock)

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        found = find(ROUTES, request)
        if found is None:
            return Reply(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        handler, parts = found
        try:
            return handler(self, request, **parts).with_headers(VERSION)
        except Refused as refused:
            return refused.reply.with_headers(VERSION)

    # Tokens

    def token(self, request: Request) -> Reply:
        """Answer the token endpoint: always a token, for what the caller may do."""
        form = parse_qsl(request.body.decode()) if request.method == "POST" else request.parameters
        wanted = [scope for name, value in form if name == "scope" for scope in value.split()]
        try:
            account = self._account(request, dict(form))
        except PermissionError:
            return Reply.of_json({"details": "incorrect username or password"}, 401)
        name = account.name if account else None
        scopes = frozenset(scope for text in wanted for scope in self._granted(text, name))
        token = self.tickets.issue(name, scopes)
        issued_at = datetime.fromtimestamp(self.clock(), UTC).isoformat()
        told = {"token": token, "access_token": token, "expires_in": TOKEN_LIFE}
        return Reply.of_json({**told, "issued_at": issued_at.replace("+00:00", "Z")})

    def _account(self, request: Request, form: dict[str, str]) -> Account | None:
        authorization = request.headers.value("Authorization")
        if request.method == "POST":
            name, password = form.get("username", ""), form.get("password", "")
        elif authorization:
            name, password = _basic(authorization)
        else:
            return None
        account = self.world.accounts.get(name)
        if account is None or not account.accepts(password):
            raise PermissionError
        return account

    def _granted(self, scope: str, account: str | None) -> list[str]:
        if scope == CATALOG:
            return [] if self.is_docker_io else [scope]
        kind, _, rest = scope.partition(":")
        path, _, actions = rest.rpartition(":")
        may_pull = kind == "repository" and "pull" in actions.split(",")
        return [_pull(path)] if may_pull and self._may_read(path, account) else []

    def _may_read(self, path: str, account: str | None) -> bool:
        repository = self.world.repositories.get((self.host, path))
        if repository is None:
            # An open registry grants what it does not hold, and then says that it does not.
            return not self.is_docker_io
        return repository.readable_by(account)

    def _ticket(self, request: Request, scope: str = "") -> Ticket:
        """Return what the request's token stands for, or refuse it as a registry does."""
        scheme, _, token = request.headers.value("Authorization").partition(" ")
        ticket = self.tickets.find(token) if scheme.lower() == "bearer" else None
        if ticket and (not scope or scope in ticket.scopes):
            return ticket
        error = "insufficient_scope" if ticket else "invalid_token" if token else ""
        challenge = {"realm": self._realm(request), "service": self._service(request)}
        challenge |= {"scope": scope} if scope else {}
        challenge |= {"error": error} if error else {}
        message = "authentication required"
        raise Refused(401, "UNAUTHORIZED", message, _detail(scope), challenge=challenge)

    def _realm(self, request: Request) -> str:
        if request.host in DOCKER_HOSTS:
            return "https://auth.docker.io/token"
        return f"{request.scheme}://{request.host}/token"

    def _service(self, request: Request) -> str:
        return "registry.docker.io" if self.is_docker_io else request.host

    # What it holds

    def ping(self, request: Request) -> Reply:
        """Answer ``/v2/``."""
        self._ticket(request)
        return Reply.of_json({})

    def catalog(self, request: Request) -> Reply:
        """Answer the list of repositories, where there is one."""
        self._ticket(request, CATALOG)
        paths = [each.path for each in self.world.of_host(self.host)]
        return _listed(request, "repositories", paths)

    def tags(self, request: Request, name: str) -> Reply:
        """Answer the names of a repository's tags."""
        repository, _ = self._repository(request, name)
        return _listed(request, "tags", sorted(repository.tags), {"name": name})

    def _repository(self, request: Request, name: str) -> tuple[Repository, Ticket]:
        ticket = self._ticket(request, _pull(name))
        repository = self.world.repositories.get((self.host, name))
        if repository is None:
            message = "repository name not known to registry"
            raise Refused(404, "NAME_UNKNOWN", message, {"name": name})
        return repository, ticket

    def manifest(self, request: Request, name: str, reference: str) -> Reply:
        """Answer a manifest or index, by tag or digest; a GET is a pull."""
        repository, ticket = self._repository(request, name)
        digest = self._resolved(repository, reference)
        document = self.world.documents[digest]
        _need_accepted(request, document)
        limits = self._metered(request, ticket.account or "127.0.0.1")
        return _document(request, digest, document, document.media_type).with_headers(limits)

    def _metered(self, request: Request, caller: str) -> dict[str, str]:
        """Count a pull, and return the headers that tell how many are left."""
        if self.meter is None:
            return {}
        if request.method == "GET" and not self.meter.take(caller):
            message = (
                "You have reached your pull rate limit. You may increase the limit by "
                "authenticating and upgrading: https://www.docker.com/increase-rate-limit"
            )
            raise Refused(429, "TOOMANYREQUESTS", message, limits=self.meter.headers(caller))
        return self.meter.headers(caller)

    def _resolved(self, repository: Repository, reference: str) -> str:
        if reference in repository.tags:
            return repository.tags[reference].digest
        if self._holds(repository, reference, is_manifest=True):
            return reference
        message, key = "manifest unknown", "Digest" if ":" in reference else "Tag"
        raise Refused(404, "MANIFEST_UNKNOWN", message, {key: reference})

    def _holds(self, repository: Repository, digest: str, *, is_manifest: bool) -> bool:
        return (
            digest in self.world.held(repository)
            and self.world.documents[digest].is_manifest == is_manifest
        )

    def blob(self, request: Request, name: str, digest: str) -> Reply:
        """Answer a config or another small blob; layers are not held."""
        repository, _ = self._repository(request, name)
        if not self._holds(repository, digest, is_manifest=False):
            raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        reply = _document(request, digest, self.world.documents[digest], "application/octet-stream")
        return reply.with_headers({"Cache-Control": "max-age=31536000"})

    def referrers(self, request: Request, name: str, digest: str) -> Reply:
        """Answer what refers to a digest; docker.io leaves this to the tag of its name."""
        repository, _ = self._repository(request, name)
        if self.is_docker_io:
            return Reply(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        wanted = request.parameter("artifactType")
        entries = [
            entry
            for entry in self._referring(repository, digest)
            if wanted in {"", entry["artifactType"]}
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        filtered = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        return Reply.of_json(index, headers={"Content-Type": OCI_INDEX, **filtered})

    def _referring(self, repository: Repository, digest: str) -> list[dict[str, Any]]:
        entries = []
        for held in sorted(self.world.held(repository)):
            document = self.world.documents[held]
            content = document.parsed() if document.is_manifest else {}
            if content.get("subject", {}).get("digest") == digest:
                told = {name: content[name] for name in ("artifactType", "annotations")}
                size = len(document.body)
                entry = {"mediaType": document.media_type, "digest": held, "size": size}
                entries.append({**entry, **told})
        return entries


ROUTES: tuple[Route, ...] = (
    read(r"/v2/", Registry.ping),
    read(r"/token", Registry.token),
    post(r"/token", Registry.token),
    read(r"/v2/_catalog", Registry.catalog),
    read(rf"/v2/{NAME}/tags/list", Registry.tags),
    read(rf"/v2/{NAME}/manifests/(?P<reference>[^/]+)", Registry.manifest),
    read(rf"/v2/{NAME}/blobs/(?P<digest>[^/]+)", Registry.blob),
    read(rf"/v2/{NAME}/referrers/(?P<digest>[^/]+)", Registry.referrers),
)


def _pull(path: str) -> str:
    return f"repository:{path}:pull"


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise PermissionError from error
    return (name, password) if scheme.lower() == "basic" else ("", "")


def _detail(scope: str) -> list[dict[str, str]] | None:
    """Name what was asked for, in the shape of Go's structs."""
    if not scope:
        return None
    kind, name, action = scope.split(":")
    return [{"Type": kind, "Class": "", "Name": name, "Action": action}]


def _listed(
    request: Request, key: str, names: list[str], fields: dict[str, str] | None = None
) -> Reply:
    """Answer a list of names, whole or, where the caller names a size, in pages."""
    text, last = request.parameter("n"), request.parameter("last")
    rest = [name for name in names if name > last]
    if not text:
        return Reply.of_json({**(fields or {}), key: rest})
    if not re.fullmatch(r"\d+", text):
        message = "invalid number of results requested"
        raise Refused(400, "PAGINATION_NUMBER_INVALID", message, {"n": text})
    size = min(int(text), LARGEST_PAGE)
    page = rest[:size]
    reply = Reply.of_json({**(fields or {}), key: page})
    if not page or len(page) == len(rest):
        return reply
    following = urlencode({"last": page[-1], "n": str(size)})
    return reply.with_headers({"Link": f'<{request.path}?{following}>; rel="next"'})


def _need_accepted(request: Request, document: Document) -> None:
    """Hide OCI documents from clients that do not name their type; a wildcard is not enough."""
    if document.media_type in request.headers.value("Accept"):
        return
    for kind, media_type in (("OCI index", "image.index"), ("OCI manifest", "oci.image.manifest")):
        if media_type in document.media_type:
            message = f"{kind} found, but accept header does not support {kind.replace('x', 'xe')}s"
            raise Refused(404, "MANIFEST_UNKNOWN", message)


def _document(request: Request, digest: str, document: Document, content_type: str) -> Reply:
    headers = {
        "Content-Type": content_type,
        "Docker-Content-Digest": digest,
        "ETag": f'"{digest}"',
    }
    if digest in request.headers.value("If-None-Match"):
        return Reply(304, headers)
    return Reply(200, headers, document.body)
