"""A registry over a world: the distribution API and its token endpoint.

The one behind ``docker.io`` hides what the caller may not read behind a 401, and counts pulls; the
others are open, list their catalogue and know referrers.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hubframe.testing.message import Reply, Request
from hubframe.testing.service import Counter, Grant, HttpError, Routes, Service
from hubframe.testing.world import DOCKER_IO, Document, Repository

PULL_WINDOW = 21_600
LARGEST_PAGE = 1000
CATALOG = "registry:catalog:*"
OCI = "application/vnd.oci."
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
TOO_MANY_PULLS = (
    "You have reached your pull rate limit. You may increase the limit by authenticating and "
    "upgrading: https://www.docker.com/increase-rate-limit"
)
_NOT_HELD = (
    "the bundled sample holds the layers of registry.example/shop/… alone, and what is attached "
    "to these images; of others what is told of them"
)
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")

ROUTES = Routes()
REPOSITORY = r"/v2/(?P<name>[^/]+(?:/[^/]+)*)"


@dataclass
class Registry(Service):
    """Answers the distribution API for one host's repositories."""

    host: str  # ``docker.io``, ``registry.example`` or ``quay.io``
    pull_limit: int | None = None  # manifest GETs in six hours; None is no limit

    routes = ROUTES
    unrouted = Reply(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
    token_life = 300

    def __post_init__(self) -> None:
        self.is_docker_io = self.host == DOCKER_IO
        self._pulls = Counter(self.clock, PULL_WINDOW)

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        return super().answer(request).with_headers(VERSION)

    @ROUTES.add(r"/token", "GET", "HEAD", "POST")
    def _token(self, request: Request) -> Reply:
        """Give a token, always, for those of the scopes that the caller may have."""
        authorization = request.headers.value("Authorization")
        form = request.parameters
        login = _basic(authorization) if authorization else None
        if request.method == "POST":
            form = parse_qsl(request.body.decode())
            login = dict(form).get("username", ""), dict(form).get("password", "")
        account = self.world.log_in(*login) if login else None
        if login and not account:
            return Reply.of_json({"details": "incorrect username or password"}, 401)
        name = account.name if account else None
        wanted = [scope for field, text in form if field == "scope" for scope in text.split()]
        granted = frozenset(filter(None, (self._granted(scope, name) for scope in wanted)))
        token = self.issue(name, granted)
        told = {"token": token, "access_token": token, "expires_in": self.token_life}
        issued_at = datetime.fromtimestamp(self.clock(), UTC)
        return Reply.of_json({**told, "issued_at": f"{issued_at:%Y-%m-%dT%H:%M:%S.%fZ}"})

    def _granted(self, scope: str, account: str | None) -> str | None:
        """Return what of a scope the account may have."""
        if scope == CATALOG:
            return None if self.is_docker_io else scope
        kind, _, rest = scope.partition(":")
        path, _, actions = rest.rpartition(":")
        repository = self.world.repositories.get((self.host, path))
        # An open registry grants what it does not hold, and then says that it does not.
        may_read = repository.readable_by(account) if repository else not self.is_docker_io
        is_pull = kind == "repository" and "pull" in actions.split(",")
        return f"repository:{path}:pull" if is_pull and may_read else None

    def _need(self, request: Request, scope: str = "") -> Grant:
        """Return what the request's token stands for, or refuse it as a registry does."""
        grant = self.grant(request)
        if grant and (not scope or scope in grant.scopes):
            return grant
        is_dockers = request.host.endswith(".docker.io")
        has_token = bool(request.headers.value("Authorization"))
        fields = {
            "realm": "https://auth.docker.io/token" if is_dockers else f"{request.origin}/token",
            "service": "registry.docker.io" if self.is_docker_io else request.host,
            "scope": scope,
            "error": "insufficient_scope" if grant else "invalid_token" if has_token else "",
        }
        challenge = ",".join(f'{name}="{value}"' for name, value in fields.items() if value)
        headers = {"WWW-Authenticate": f"Bearer {challenge}"}
        # What was asked for, in the shape of Go's structs.
        parts = dict(zip(("Type", "Name", "Action"), scope.split(":"), strict=False))
        detail = [{**parts, "Class": ""}] if scope else None
        raise _refusal(401, "UNAUTHORIZED", "authentication required", detail, headers)

    @ROUTES.add(r"/v2/")
    def _ping(self, request: Request) -> Reply:
        self._need(request)
        return Reply.of_json({})

    @ROUTES.add(r"/v2/_catalog")
    def _catalog(self, request: Request) -> Reply:
        self._need(request, CATALOG)
        paths = [each.path for each in self.world.of_host(self.host)]
        return _page(request, "repositories", paths)

    @ROUTES.add(rf"{REPOSITORY}/tags/list")
    def _tags(self, request: Request, name: str) -> Reply:
        repository, _ = self._repository(request, name)
        return _page(request, "tags", sorted(repository.tags), name=name)

    def _repository(self, request: Request, name: str) -> tuple[Repository, Grant]:
        grant = self._need(request, f"repository:{name}:pull")
        repository = self.world.repositories.get((self.host, name))
        if repository is None:
            unknown = "repository name not known to registry"
            raise _refusal(404, "NAME_UNKNOWN", unknown, {"name": name})
        return repository, grant

    @ROUTES.add(rf"{REPOSITORY}/manifests/(?P<reference>[^/]+)")
    def _manifest(self, request: Request, name: str, reference: str) -> Reply:
        """Answer a manifest or index, by tag or digest; a GET is a pull."""
        repository, grant = self._repository(request, name)
        tag = repository.tags.get(reference)
        digest = tag.digest if tag else reference
        document = self.world.held(repository).get(digest)
        if document is None or not document.is_manifest:
            key = "Digest" if ":" in reference else "Tag"
            raise _refusal(404, "MANIFEST_UNKNOWN", "manifest unknown", {key: reference})
        _need_accepted(request, document)
        limits = self._count_pull(request, grant.account or "127.0.0.1")
        return _sent(request, digest, document, document.media_type).with_headers(limits)

    def _count_pull(self, request: Request, caller: str) -> dict[str, str]:
        """Return the headers that tell how many pulls are left, or refuse one too many."""
        if self.pull_limit is None:
            return {}
        pulls, _ = self._pulls.count(caller, int(request.method == "GET"))
        left = max(0, self.pull_limit - pulls)
        headers = {
            "ratelimit-limit": f"{self.pull_limit};w={PULL_WINDOW}",
            "ratelimit-remaining": f"{left};w={PULL_WINDOW}",
            "docker-ratelimit-source": caller,
        }
        if request.method == "GET" and pulls > self.pull_limit:
            raise _refusal(429, "TOOMANYREQUESTS", TOO_MANY_PULLS, headers=headers)
        return headers

    @ROUTES.add(rf"{REPOSITORY}/blobs/(?P<digest>[^/]+)")
    def _blob(self, request: Request, name: str, digest: str) -> Reply:
        """Answer a config, or a layer or another blob of the few that are held."""
        repository, _ = self._repository(request, name)
        document = self.world.held(repository).get(digest)
        if document is None or document.is_manifest:
            raise _refusal(404, "BLOB_UNKNOWN", _NOT_HELD, {"digest": digest})
        reply = _sent(request, digest, document, "application/octet-stream")
        return _part(request, reply.with_headers({"Cache-Control": "max-age=31536000"}))

    @ROUTES.add(rf"{REPOSITORY}/referrers/(?P<digest>[^/]+)")
    def _referrers(self, request: Request, name: str, digest: str) -> Reply:
        """Answer what refers to a digest; docker.io leaves this to the tag of its name."""
        repository, _ = self._repository(request, name)
        if self.is_docker_io:
            return self.unrouted
        wanted = request.parameter("artifactType")
        entries, told = [], ("artifactType", "annotations")
        for held, document in sorted(self.world.held(repository).items()):
            content = document.parsed() if document.is_manifest else {}
            if content.get("subject", {}).get("digest") != digest:
                continue
            entry = {"mediaType": document.media_type, "digest": held, "size": len(document.body)}
            entries.append(entry | {name: content[name] for name in told if name in content})
        shown = [entry for entry in entries if wanted in {"", entry.get("artifactType")}]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": shown}
        filtered = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        return Reply.of_json(index, headers={"Content-Type": OCI_INDEX, **filtered})


def _refusal(
    status: int,
    code: str,
    message: str,
    detail: Any = None,
    headers: Mapping[str, str] | None = None,
) -> HttpError:
    """Refuse in the registry's form of an error."""
    error = {"code": code, "message": message, "detail": detail}
    return HttpError(Reply.of_json({"errors": [error]}, status, headers))


def _basic(authorization: str) -> tuple[str, str]:
    """Return the name and password of a header; nobody has an empty name."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, password) if scheme.lower() == "basic" else ("", "")


def _page(request: Request, key: str, names: list[str], **fields: str) -> Reply:
    """Answer a list of names, whole or, where the caller names a size, in pages."""
    text, last = request.parameter("n"), request.parameter("last")
    rest = [name for name in names if name > last]
    if not text:
        return Reply.of_json({**fields, key: rest})
    if not text.isdecimal():
        message = "invalid number of results requested"
        raise _refusal(400, "PAGINATION_NUMBER_INVALID", message, {"n": text})
    size = min(int(text), LARGEST_PAGE)
    page = rest[:size]
    reply = Reply.of_json({**fields, key: page})
    if not page or len(page) == len(rest):
        return reply
    following = urlencode({"last": page[-1], "n": str(size)})
    return reply.with_headers({"Link": f'<{request.path}?{following}>; rel="next"'})


def _need_accepted(request: Request, document: Document) -> None:
    """Hide OCI documents from clients that do not name their type; a wildcard is not enough."""
    media_type = document.media_type
    if media_type.startswith(OCI) and media_type not in request.headers.value("Accept"):
        kind, kinds = ("index", "indexes") if media_type == OCI_INDEX else ("manifest", "manifests")
        message = f"OCI {kind} found, but accept header does not support OCI {kinds}"
        raise _refusal(404, "MANIFEST_UNKNOWN", message)


def _sent(request: Request, digest: str, document: Document, content_type: str) -> Reply:
    headers = {"Content-Type": content_type, "Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
    is_known = digest in request.headers.value("If-None-Match")
    return Reply(304, headers) if is_known else Reply(200, headers, document.body)


def _part(request: Request, whole: Reply) -> Reply:
    """Answer the part that is asked for; all of it where there is no such part."""
    asked, size = _RANGE.fullmatch(request.headers.value("Range")), len(whole.body)
    if asked is None or int(asked[1]) >= size:
        return whole
    start, end = int(asked[1]), min(int(asked[2] or size), size - 1)
    told = {"Content-Range": f"bytes {start}-{end}/{size}"}
    return Reply(206, told, whole.body[start : end + 1]).with_headers(whole.headers)
