"""The Hub's own API over a world: repositories, tags, search, accounts and logins.

It keeps the real one's oddities: inverted ordering of dates, page sizes capped in silence, private
repositories that look missing, empty build steps without a digest.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode

from hubframe.testing.message import Reply, Request
from hubframe.testing.service import Counter, HttpError, Routes, Service
from hubframe.testing.world import DOCKER_IO, Payload, Repository

WINDOW = 60
LARGEST_PAGE = 100
ORDERINGS = ("name", "-name", "last_updated", "-last_updated", "pull_count", "-pull_count")
# Of each login: the fields of name, password and token.
LOGINS = {
    "auth/token": ("identifier", "secret", "access_token"),
    "users/login": ("username", "password", "token"),
}
UNAUTHORIZED = Reply.of_json({"message": "unauthorized", "errinfo": {}}, 401)
ROUTES = Routes()
# Under `namespaces`, the word `repositories` follows the name.
NAMESPACE = r"/v2/(?:(namespaces)|repositories)/(?P<namespace>[^/]+)(?(1)/repositories)"
REPOSITORY = rf"{NAMESPACE}/(?P<repository>[^/]+)"


@dataclass
class Hub(Service):
    """Answers the Hub API."""

    limit: int  # requests in a minute
    enforce_limit: bool  # whether more are refused, or headers tell of a limit that nobody meets
    login_routes: Sequence[str]  # the logins that exist, of ``auth/token`` and ``users/login``

    routes = ROUTES
    unrouted = Reply(
        404,
        {"Content-Type": "text/html; charset=utf-8"},
        b"<!DOCTYPE html><html><head><title>404 : Docker</title></head>"
        b"<body><h1>Not Found</h1></body></html>",
    )
    token_life = 600

    def __post_init__(self) -> None:
        self._counter = Counter(self.clock, WINDOW)
        self._repositories = {each.path: each for each in self.world.of_host(DOCKER_IO)}

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        spent, resets_at = self._counter.count()
        if self.enforce_limit and spent > self.limit:
            wait = {"Retry-After": str(ceil(resets_at - self.clock()))}
            reply = Reply.of_json({"detail": "Rate limit exceeded", "error": False}, 429, wait)
        elif request.headers.value("Authorization") and self._caller(request) is None:
            reply = UNAUTHORIZED
        else:
            reply = super().answer(request)
        left = max(0, self.limit - spent)
        if not self.enforce_limit:
            # A minute that has always just ended: nobody who counts along comes to wait.
            left, resets_at = self.limit - 1, int(self.clock())
        limits = {"Limit": self.limit, "Remaining": left, "Reset": resets_at}
        return reply.with_headers({f"X-RateLimit-{name}": str(n) for name, n in limits.items()})

    def _caller(self, request: Request) -> str | None:
        """Return the account that the request's token stands for."""
        grant = self.grant(request)
        return grant.account if grant else None

    @ROUTES.add(r"/v2/(?P<route>auth/token|users/login)/?", "POST")
    def _log_in(self, request: Request, route: str) -> Reply:
        if route not in self.login_routes:
            raise _missing()
        name, password, token = LOGINS[route]
        try:
            given = json.loads(request.body)
            account = self.world.log_in(given[name], given[password])
        except (ValueError, KeyError, TypeError):
            account = None
        if account is None:
            more = {"errinfo": {}, "message": "unauthorized"} if route == "auth/token" else {}
            return Reply.of_json({"detail": "Incorrect authentication credentials", **more}, 401)
        answer = {token: self.issue(account.name)}
        if request.parameter("refresh_token") == "true":
            answer["refresh_token"] = ""
        return Reply.of_json(answer)

    # These paths come before those of a repository.
    @ROUTES.add(r"/v2/(?P<what>user|user/orgs|repositories/namespaces)/?")
    def _own(self, request: Request, what: str) -> Reply:
        """Answer what the account that is logged in may know of itself."""
        if (caller := self._caller(request)) is None:
            return UNAUTHORIZED
        account = self.world.accounts[caller]
        if what == "repositories/namespaces":
            return Reply.of_json({"namespaces": [caller, *account.organizations]})
        if what == "user/orgs":
            own = [self.world.accounts[name].payload for name in account.organizations]
            return _page(request, own)
        return Reply.of_json(account.payload)

    @ROUTES.add(r"/v2/(?P<kind>users|orgs)/(?P<name>[^/]+)/?")
    def _account(self, _request: Request, kind: str, name: str) -> Reply:
        if (account := self.world.accounts.get(name)) is None:
            raise _missing()
        if kind != (right := "orgs" if account.is_organization else "users"):
            return Reply.of_json({}, 308, {"Location": f"/v2/{right}/{name}"})
        return Reply.of_json(account.payload)

    @ROUTES.add(rf"{NAMESPACE}/?")
    def _namespace(self, request: Request, namespace: str) -> Reply:
        ordering = request.parameter("ordering", "last_updated")
        if ordering not in ORDERINGS:
            wrong = f"Invalid ordering value. Must be one of: {', '.join(ORDERINGS)}"
            fields = {"fields": {"ordering": [wrong]}, "text": "Invalid ordering value"}
            return Reply.of_json(fields, 400)
        caller = self._caller(request)
        readable = [
            each.payload
            for each in self._repositories.values()
            if each.namespace == namespace and each.readable_by(caller)
        ]
        if not readable and namespace not in self.world.accounts:
            raise _missing(namespace=namespace)
        kinds = ("media_types", "content_types")
        wanted = [
            {field: value for field, value in entry.items() if field != "full_description"}
            for entry in readable
            if _is_wanted(request, entry, {kind: entry[kind] for kind in kinds})
        ]
        return _page(request, _ordered(wanted, ordering), namespace=namespace)

    @ROUTES.add(rf"{REPOSITORY}/?")
    def _repository(self, request: Request, namespace: str, repository: str) -> Reply:
        found = self._readable(request, namespace, repository)
        caller = self._caller(request)
        own = self.world.accounts[caller].organizations if caller else ()
        can_write = caller in found.readers or namespace in own
        details = {
            "user": namespace,
            "is_automated": False,
            "collaborator_count": 0,
            "affiliation": None,
            "hub_user": namespace,
            "has_starred": False,
            "permissions": {"read": True, "write": can_write, "admin": False},
            "immutable_tags_settings": {"enabled": False, "rules": [".*"]},
            "source": None,
        }
        return Reply.of_json({**found.payload, **details})

    def _readable(self, request: Request, namespace: str, repository: str) -> Repository:
        found = self._repositories.get(f"{namespace}/{repository}")
        if found is None or not found.readable_by(self._caller(request)):
            raise _missing(namespace=namespace, repository=repository)
        return found

    @ROUTES.add(rf"{REPOSITORY}/tags/?")
    def _tags(self, request: Request, **where: str) -> Reply:
        """Answer the tags of a repository; HEAD asks whether there are any."""
        if where["namespace"] == "_":
            return _page(request, [])
        tags = self._readable(request, **where).tags
        if request.method == "HEAD" and not tags:
            raise _missing(**where)
        wanted = []
        for tag in tags.values():
            images = tag.payload["images"]
            kinds = {kind: [image[kind] for image in images] for kind in ("architecture", "os")}
            if _is_wanted(request, tag.payload, kinds):
                wanted.append(tag.payload)
        ordered = _ordered(wanted, request.parameter("ordering", "last_updated"))
        return _page(request, ordered, **where)

    @ROUTES.add(rf"{REPOSITORY}/tags/(?P<tag>[^/]+)(?P<images>/images)?/?")
    def _tag(self, request: Request, tag: str, images: str | None, **where: str) -> Reply:
        """Answer a tag, or its images with their layers as a bare array."""
        found = self._readable(request, **where).tags.get(tag)
        if found is None:
            raise _missing(f"tag '{tag}' not found", **where, tag=tag)
        if not images:
            return Reply.of_json(found.payload)
        nulls = {"features": None, "os_features": None}
        told = [
            {**image, **nulls, "layers": self._layers(image.get("digest", found.digest))}
            for image in found.payload["images"]
        ]
        return Reply.of_json(told)

    def _layers(self, digest: str) -> list[Payload]:
        """Join build steps and layers; an empty step has no digest."""
        manifest = self.world.documents[digest].parsed()
        if manifest["schemaVersion"] == 1:
            return []  # as the Hub: no details of images this old
        config = self.world.documents[manifest["config"]["digest"]].parsed()
        layers = ({"digest": one["digest"], "size": one["size"]} for one in manifest["layers"])
        joined: list[Payload] = []
        for step in config.get("history", ()):
            layer = {"size": 0} if step.get("empty_layer") else next(layers, None)
            if layer is not None:
                instruction = step.get("created_by", "").replace("/bin/sh -c #(nop) ", "", 1)
                joined.append({**layer, "instruction": instruction})
        return joined + [{**layer, "instruction": ""} for layer in layers]

    @ROUTES.add(r"/v2/search/repositories/?")
    def _search(self, request: Request) -> Reply:
        query = request.parameter("query").lower()
        hits = [
            _hit(each)
            for each in self._repositories.values()
            if not each.is_private
            and (query in each.path or query in each.payload["description"].lower())
        ]
        hits.sort(key=lambda hit: (not hit["is_official"], -hit["pull_count"]))
        for flag in ("is_official", "is_automated"):
            if request.parameter(flag) in {"1", "true"}:
                hits = [hit for hit in hits if hit[flag]]
        ordering = request.parameter("ordering")
        if (field := ordering.lstrip("-")) in {"pull_count", "star_count"}:
            hits.sort(key=lambda hit: hit[field], reverse=ordering.startswith("-"))
        return _page(request, hits, nothing="")


def _missing(what: str = "object not found", **where: str) -> HttpError:
    """Refuse what is not there, or private to another."""
    return HttpError(Reply.of_json({"message": f"httperror 404: {what}", "errinfo": where}, 404))


def _is_wanted(request: Request, entry: Payload, kinds: Mapping[str, Iterable[str]]) -> bool:
    """Whether an entry has the part of a name, and one of each kind, that are asked for."""
    return request.parameter("name") in entry["name"] and all(
        not (asked := request.parameter(kind)) or not set(asked.split(",")).isdisjoint(told)
        for kind, told in kinds.items()
    )


def _ordered(entries: Iterable[Payload], ordering: str) -> list[Payload]:
    """Sort as the Hub does: a minus sign turns names and counts down, but dates up."""
    field, is_minus = ordering.lstrip("-"), ordering.startswith("-")
    field = field if field in {"name", "pull_count"} else "last_updated"
    by_name = sorted(entries, key=lambda entry: entry["name"])
    descending = is_minus != (field == "last_updated")
    return sorted(by_name, key=lambda entry: entry[field] or "", reverse=descending)


def _page(
    request: Request, entries: list[Payload], nothing: str | None = None, **where: str
) -> Reply:
    """Answer a page; ``nothing`` stands for a link that leads nowhere."""
    size = min(_whole(request, "page_size", 10), LARGEST_PAGE)
    page = _whole(request, "page", 1)
    start = (page - 1) * size
    if page > 1 and start >= len(entries):
        raise _missing(**where)

    def link(number: int) -> str:
        parameters = {**dict(request.parameters), "page": str(number), "page_size": str(size)}
        return f"{request.origin}{request.path}?{urlencode(sorted(parameters.items()))}"

    return Reply.of_json(
        {
            "count": len(entries),
            "next": link(page + 1) if start + size < len(entries) else nothing,
            "previous": link(page - 1) if page > 1 else nothing,
            "results": entries[start : start + size],
        }
    )


def _whole(request: Request, name: str, default: int) -> int:
    """Read a number from 1; the Hub takes anything else as not given."""
    text = request.parameter(name)
    return int(text) if re.fullmatch(r"0*[1-9]\d*", text) else default


def _hit(repository: Repository) -> Payload:
    payload = repository.payload
    return {
        "repo_name": repository.path.removeprefix("library/"),
        "short_description": payload["description"],
        "star_count": payload["star_count"],
        "pull_count": payload["pull_count"],
        "repo_owner": "",
        "is_automated": False,
        "is_official": repository.namespace == "library",
    }
