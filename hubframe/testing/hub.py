"""The Hub's own API over a world: repositories, tags, search, accounts and logins.

It keeps the real one's oddities: inverted ordering of dates, page sizes capped in silence, private
repositories that look missing, empty build steps without a digest.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

from hubframe.testing.message import Reply, Request
from hubframe.testing.routing import Route, find, post, read
from hubframe.testing.tickets import Tickets
from hubframe.testing.world import DOCKER_IO, Account, Payload, Repository, Tag, World

TOKEN_LIFE = 600
WINDOW = 60
LARGEST_PAGE = 100
ORDERINGS = ("name", "-name", "last_updated", "-last_updated", "pull_count", "-pull_count")
UNLISTED = ("full_description",)
DETAIL_ORDER = (
    "user", "name", "namespace", "repository_type", "status", "status_description", "description",
    "is_private", "is_automated", "star_count", "pull_count", "last_updated", "last_modified",
    "date_registered", "collaborator_count", "affiliation", "hub_user", "has_starred",
    "full_description", "permissions", "media_types", "content_types", "categories",
    "immutable_tags_settings", "storage_size", "source",
)  # fmt: skip
CATEGORIES = (
    "API management", "Content management system", "Data science", "Databases & storage",
    "Developer tools", "Gen AI", "Integration & delivery", "Internet of things",
    "Languages & frameworks", "Machine learning & AI", "Message queues",
    "Monitoring & observability", "Networking", "Operating systems", "Security", "Web servers",
)  # fmt: skip

UNAUTHORIZED = Reply.of_json({"message": "unauthorized", "errinfo": {}}, 401)
WRONG_PASSWORD = Reply.of_json({"detail": "Incorrect authentication credentials"}, 401)
UNROUTED = Reply(
    404,
    {"Content-Type": "text/html; charset=utf-8"},
    b"<!DOCTYPE html><html><head><title>404 : Docker</title></head>"
    b"<body><h1>Not Found</h1></body></html>",
)

NAMESPACE = r"/v2/(?:namespaces/(?P<namespace>[^/]+)/repositories|repositories/(?P<owner>[^/]+))"
REPOSITORY = rf"{NAMESPACE}/(?P<name>[^/]+)"


class Missing(Exception):  # noqa: N818
    """There is no such thing, or it is private to the one who asks."""

    def __init__(self, what: str = "object not found", **where: str) -> None:
        super().__init__(what)
        self.reply = Reply.of_json({"message": f"httperror 404: {what}", "errinfo": where}, 404)


class Hub:
    """Answers the Hub API.

    Parameters
    ----------
    world
        What it tells of.
    clock
        The time, in seconds since 1970.
    limit
        Requests in a minute.
    enforce_limit
        Whether more are refused; otherwise the headers always leave room.
    login_routes
        The logins that exist, of ``auth/token`` and ``users/login``.
    """

    def __init__(
        self,
        world: World,
        clock: Callable[[], float],
        *,
        limit: int,
        enforce_limit: bool,
        login_routes: Sequence[str],
    ) -> None:
        self.world = world
        self.clock = clock
        self.limit = limit
        self.enforce_limit = enforce_limit
        self.login_routes = login_routes
        self.tickets = Tickets(clock, TOKEN_LIFE)
        self._window = 0
        self._spent = 0
        self._lock = threading.Lock()
        self._repositories = {each.path: each for each in world.of_host(DOCKER_IO)}

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request."""
        spent = self._count()
        if self.enforce_limit and spent > self.limit:
            reply = Reply.of_json(
                {"detail": "Rate limit exceeded", "error": False},
                429,
                {"Retry-After": str(max(1, int(self._resets_at() - self.clock())))},
            )
        else:
            reply = self._routed(request)
        return reply.with_headers(self._limit_headers(spent))

    def _count(self) -> int:
        with self._lock:
            window = int(self.clock() // WINDOW)
            self._spent = self._spent + 1 if window == self._window else 1
            self._window = window
            return self._spent

    def _resets_at(self) -> int:
        return (int(self.clock() // WINDOW) + 1) * WINDOW

    def _limit_headers(self, spent: int) -> dict[str, str]:
        left = max(0, self.limit - spent) if self.enforce_limit else self.limit - 1
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(self._resets_at()),
        }

    def _routed(self, request: Request) -> Reply:
        found = find(ROUTES, request)
        if found is None:
            return UNROUTED
        if request.headers.value("Authorization") and self._caller(request) is None:
            return UNAUTHORIZED
        handler, parts = found
        try:
            return handler(self, request, **_named(parts))
        except Missing as missing:
            return missing.reply

    def _caller(self, request: Request) -> str | None:
        """Return the account that the request's token stands for."""
        scheme, _, token = request.headers.value("Authorization").partition(" ")
        ticket = self.tickets.find(token) if scheme.lower() in {"bearer", "jwt"} else None
        return ticket.account if ticket else None

    # Logins

    def create_token(self, request: Request) -> Reply:
        """Answer ``POST /v2/auth/token``."""
        self._need_login_route("auth/token")
        account = self._account(request, "identifier", "secret")
        if account is None:
            refusal = {"detail": "Incorrect authentication credentials", "message": "unauthorized"}
            return Reply.of_json({"errinfo": {}, **refusal}, 401)
        return Reply.of_json({"access_token": self._token(account)})

    def log_in(self, request: Request) -> Reply:
        """Answer ``POST /v2/users/login``."""
        self._need_login_route("users/login")
        account = self._account(request, "username", "password")
        if account is None:
            return WRONG_PASSWORD
        answer = {"token": self._token(account)}
        if request.parameter("refresh_token") == "true":
            answer["refresh_token"] = ""
        return Reply.of_json(answer)

    def _need_login_route(self, route: str) -> None:
        if route not in self.login_routes:
            raise Missing

    def _account(self, request: Request, name: str, secret: str) -> Account | None:
        try:
            given = json.loads(request.body)
            account = self.world.accounts.get(given[name])
            is_right = account is not None and account.accepts(given[secret])
        except (ValueError, KeyError, TypeError):
            return None
        return account if is_right else None

    def _token(self, account: Account) -> str:
        claims = {
            "aud": "https://hub.docker.com",
            "iss": "https://api.docker.com/",
            "scope": "repo:read",
            "https://hub.docker.com": {"username": account.name, "uuid": account.payload["id"]},
        }
        return self.tickets.issue(account.name, claims=claims)

    # Repositories

    def repositories(self, request: Request, namespace: str) -> Reply:
        """Answer the list of a namespace."""
        ordering = request.parameter("ordering", "last_updated")
        if ordering not in ORDERINGS:
            wrong = f"Invalid ordering value. Must be one of: {', '.join(ORDERINGS)}"
            fields = {"fields": {"ordering": [wrong]}, "text": "Invalid ordering value"}
            return Reply.of_json(fields, 400)
        caller = self._caller(request)
        entries = [
            _list_entry(each)
            for each in self._repositories.values()
            if each.namespace == namespace and each.readable_by(caller)
        ]
        if not entries and namespace not in self.world.accounts:
            raise Missing(namespace=namespace)
        kept = [entry for entry in entries if _is_wanted(entry, request)]
        return _page(request, _ordered(kept, ordering), namespace=namespace)

    def repository(self, request: Request, namespace: str, name: str) -> Reply:
        """Answer one repository."""
        caller = self._caller(request)
        repository = self._readable(caller, namespace, name)
        can_write = caller in repository.readers or namespace in self._organizations(caller)
        told = {
            **repository.payload,
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
        return Reply.of_json({field: told[field] for field in DETAIL_ORDER if field in told})

    def _organizations(self, caller: str | None) -> tuple[str, ...]:
        return self.world.accounts[caller].organizations if caller else ()

    def _readable(self, caller: str | None, namespace: str, name: str) -> Repository:
        repository = self._repositories.get(f"{namespace}/{name}")
        if repository is None or not repository.readable_by(caller):
            raise Missing(namespace=namespace, repository=name)
        return repository

    # Tags

    def tags(self, request: Request, namespace: str, name: str) -> Reply:
        """Answer the tags of a repository; HEAD asks whether there are any."""
        if namespace == "_":
            return _page(request, [])
        repository = self._readable(self._caller(request), namespace, name)
        if request.method == "HEAD" and not repository.tags:
            raise Missing(namespace=namespace, repository=name)
        kept = [
            tag.payload for tag in repository.tags.values() if _is_wanted_tag(tag.payload, request)
        ]
        ordered = _ordered(kept, request.parameter("ordering", "last_updated"))
        return _page(request, ordered, namespace=namespace, repository=name)

    def tag(self, request: Request, namespace: str, name: str, tag: str) -> Reply:
        """Answer one tag."""
        return Reply.of_json(self._tag(request, namespace, name, tag)[1].payload)

    def _tag(self, request: Request, namespace: str, name: str, tag: str) -> tuple[Repository, Tag]:
        repository = self._readable(self._caller(request), namespace, name)
        if tag not in repository.tags:
            where = {"namespace": namespace, "repository": name, "tag": tag}
            raise Missing(f"tag '{tag}' not found", **where)
        return repository, repository.tags[tag]

    def tag_images(self, request: Request, namespace: str, name: str, tag: str) -> Reply:
        """Answer the images of a tag, with their layers, as a bare array."""
        _, found = self._tag(request, namespace, name, tag)
        return Reply.of_json(
            [self._image_with_layers(found, image) for image in found.payload["images"]]
        )

    def _image_with_layers(self, tag: Tag, image: Payload) -> Payload:
        told = {
            name: value
            for name, value in image.items()
            if name in {"architecture", "features", "variant", "digest"}
        }
        told |= {"features": None, "layers": self._layers(image.get("digest", tag.digest))}
        return {**told, **{name: image[name] for name in image if name not in told}} | {
            "os_features": None
        }

    def _layers(self, digest: str) -> list[Payload]:
        manifest = self.world.documents[digest].parsed()
        if manifest["schemaVersion"] == 1:
            return []  # as the Hub: no details of images this old
        config = self.world.documents[manifest["config"]["digest"]].parsed()
        return _instructed(manifest["layers"], config.get("history", []))

    # Search

    def search(self, request: Request) -> Reply:
        """Answer the second version of the search."""
        hits = [_hit(each) for each in self._matching(request)]
        for flag in ("is_official", "is_automated"):
            if request.parameter(flag) in {"1", "true"}:
                hits = [hit for hit in hits if hit[flag]]
        ordering = request.parameter("ordering")
        if ordering.lstrip("-") in {"pull_count", "star_count"}:
            field = ordering.lstrip("-")
            hits.sort(key=lambda hit: hit[field], reverse=ordering.startswith("-"))
        return _page(request, hits, nothing="")

    def search_catalog(self, request: Request) -> Reply:
        """Answer the fourth version of the search, that of the website."""
        hits = [_catalog_hit(each) for each in self._matching(request)]
        badges = set(filter(None, request.parameter("badges").split(",")))
        hits = [hit for hit in hits if not badges or hit["badge"] in badges]
        start = _whole(request.parameter("from"), 0)
        size = _whole(request.parameter("size"), 25)
        return Reply.of_json({"total": len(hits), "results": hits[start : start + size]})

    def _matching(self, request: Request) -> list[Repository]:
        query = request.parameter("query").lower()
        matching = [
            each
            for each in self._repositories.values()
            if not each.is_private
            and (query in each.path or query in each.payload["description"].lower())
        ]
        matching.sort(key=lambda each: -each.payload["pull_count"])
        return sorted(matching, key=lambda each: each.namespace != "library")

    # Accounts

    def user(self, _request: Request, name: str) -> Reply:
        """Answer a user; an organisation is elsewhere."""
        return self._account_of_kind(name, elsewhere="orgs", is_organization=False)

    def organization(self, _request: Request, name: str) -> Reply:
        """Answer an organisation; a user is elsewhere."""
        return self._account_of_kind(name, elsewhere="users", is_organization=True)

    def _account_of_kind(self, name: str, *, elsewhere: str, is_organization: bool) -> Reply:
        account = self.world.accounts.get(name)
        if account is None:
            raise Missing
        if account.is_organization != is_organization:
            return Reply.of_json({}, 308, {"Location": f"/v2/{elsewhere}/{name}"})
        return Reply.of_json(account.payload)

    def logged_in_user(self, request: Request) -> Reply:
        """Answer the user whose token it is."""
        caller = self._caller(request)
        return Reply.of_json(self.world.accounts[caller].payload) if caller else UNAUTHORIZED

    def own_organizations(self, request: Request) -> Reply:
        """Answer the organisations of the user whose token it is."""
        caller = self._caller(request)
        if caller is None:
            return UNAUTHORIZED
        names = self._organizations(caller)
        return _page(request, [self.world.accounts[name].payload for name in names])

    def own_namespaces(self, request: Request) -> Reply:
        """Answer the namespaces of the user whose token it is."""
        caller = self._caller(request)
        if caller is None:
            return UNAUTHORIZED
        return Reply.of_json({"namespaces": [caller, *self._organizations(caller)]})

    def categories(self, _request: Request) -> Reply:
        """Answer all categories, as a bare array."""
        return Reply.of_json([{"name": name, "slug": _slug(name)} for name in CATEGORIES])

    def retired_search(self, _request: Request) -> Reply:
        """Answer nothing: the first website search is switched off this way."""
        empty = {"count": 0, "next": "", "previous": "", "summaries": []}
        return Reply.of_json({"page": 1, "page_size": 25, **empty})


ROUTES: tuple[Route, ...] = (
    post(r"/v2/auth/token/?", Hub.create_token),
    post(r"/v2/users/login/?", Hub.log_in),
    read(r"/v2/repositories/namespaces/?", Hub.own_namespaces),
    read(rf"{REPOSITORY}/tags/(?P<tag>[^/]+)/images/?", Hub.tag_images),
    read(rf"{REPOSITORY}/tags/(?P<tag>[^/]+)/?", Hub.tag),
    read(rf"{REPOSITORY}/tags/?", Hub.tags),
    read(rf"{REPOSITORY}/?", Hub.repository),
    read(rf"{NAMESPACE}/?", Hub.repositories),
    read(r"/v2/search/repositories/?", Hub.search),
    read(r"/api/search/v4/?", Hub.search_catalog),
    read(r"/api/content/v1/products/search/?", Hub.retired_search),
    read(r"/v2/users/(?P<name>[^/]+)/?", Hub.user),
    read(r"/v2/orgs/(?P<name>[^/]+)/?", Hub.organization),
    read(r"/v2/user/orgs/?", Hub.own_organizations),
    read(r"/v2/user/?", Hub.logged_in_user),
    read(r"/v2/categories/?", Hub.categories),
)


def _named(parts: dict[str, str | None]) -> dict[str, str]:
    """Give both families of addresses the same names."""
    named = {name: part for name, part in parts.items() if part is not None}
    if "owner" in named:
        named["namespace"] = named.pop("owner")
    return named


def _list_entry(repository: Repository) -> Payload:
    return {name: v for name, v in repository.payload.items() if name not in UNLISTED}


def _is_wanted(entry: Payload, request: Request) -> bool:
    if request.parameter("name") not in entry["name"]:
        return False
    return all(
        not (wanted := set(filter(None, request.parameter(field).split(","))))
        or wanted & set(entry[field])
        for field in ("media_types", "content_types")
    )


def _is_wanted_tag(payload: Payload, request: Request) -> bool:
    if request.parameter("name") not in payload["name"]:
        return False
    return all(
        not (wanted := request.parameter(field))
        or any(image[field] == wanted for image in payload["images"])
        for field in ("architecture", "os")
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
    size = min(_whole(request.parameter("page_size"), 10) or 10, LARGEST_PAGE)
    page = _whole(request.parameter("page"), 1)
    start = (page - 1) * size
    if page > 1 and start >= len(entries):
        raise Missing(**where)
    has_next = start + size < len(entries)
    return Reply.of_json(
        {
            "count": len(entries),
            "next": _page_url(request, page + 1, size) if has_next else nothing,
            "previous": _page_url(request, page - 1, size) if page > 1 else nothing,
            "results": entries[start : start + size],
        }
    )


def _page_url(request: Request, page: int, size: int) -> str:
    parameters = {**dict(request.parameters), "page": str(page), "page_size": str(size)}
    query = urlencode(sorted(parameters.items()))
    return f"{request.scheme}://{request.host}{request.path}?{query}"


def _whole(text: str, default: int) -> int:
    """Read a number from 1; the Hub takes anything else as not given."""
    return int(text) if re.fullmatch(r"0*[1-9]\d*", text) else default


def _instructed(layers: Sequence[Payload], history: Sequence[Payload]) -> list[Payload]:
    """Join build steps and layers; an empty step has no digest."""
    blobs = iter(layers)
    joined: list[Payload] = []
    for step in history:
        instruction = step.get("created_by", "").replace("/bin/sh -c #(nop) ", "", 1)
        if step.get("empty_layer"):
            joined.append({"size": 0, "instruction": instruction})
        elif (blob := next(blobs, None)) is not None:
            joined.append({**_blob(blob), "instruction": instruction})
    return joined + [{**_blob(blob), "instruction": ""} for blob in blobs]


def _blob(layer: Payload) -> Payload:
    return {"digest": layer["digest"], "size": layer["size"]}


def _hit(repository: Repository) -> Payload:
    is_official = repository.namespace == "library"
    return {
        "repo_name": repository.name if is_official else repository.path,
        "short_description": repository.payload["description"],
        "star_count": repository.payload["star_count"],
        "pull_count": repository.payload["pull_count"],
        "repo_owner": "",
        "is_automated": False,
        "is_official": is_official,
    }


def _catalog_hit(repository: Repository) -> Payload:
    payload = repository.payload
    is_official = repository.namespace == "library"
    return {
        "id": repository.path,
        "name": repository.name if is_official else repository.path,
        "slug": repository.name if is_official else repository.path,
        "type": "image",
        "publisher": {"id": repository.namespace, "name": repository.namespace},
        "created_at": payload["date_registered"],
        "updated_at": payload["last_updated"],
        "short_description": payload["description"],
        "badge": "official" if is_official else "none",
        "star_count": payload["star_count"],
        "pull_count": _displayed(payload["pull_count"]),
        "operating_systems": _labelled(repository, "os"),
        "architectures": _labelled(repository, "architecture"),
        "logo_url": {},
        "extension_reviewed": False,
        "categories": payload["categories"],
        "archived": False,
        "media_types": payload["media_types"],
        "content_types": payload["content_types"],
    }


def _displayed(count: int) -> str:
    """Write a count as the website does: ``1B+``, ``12M+``, ``1.2K``, ``270``."""
    for unit, suffix in ((10**9, "B+"), (10**6, "M+")):
        if count >= unit:
            return f"{count // unit}{suffix}"
    return f"{count / 1000:.1f}K" if count >= 1000 else str(count)  # noqa: PLR2004


def _labelled(repository: Repository, field: str) -> list[Payload]:
    values = {image[field] for tag in repository.tags.values() for image in tag.payload["images"]}
    return [{"name": value, "label": value} for value in sorted(values)]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("&", "and")).strip("-")
