"""Image references, read as Docker reads them. Nothing here touches the network.

The rules are those of the ``distribution/reference`` grammar with Docker's short names:
``nginx`` is ``docker.io/library/nginx:latest``. What people paste is read as what it shows: a
reference with a transport (``docker://``), the web page of a repository, a registry's address.
``oci:``, ``oci-archive:``, ``docker-archive:`` and ``dir:`` name images on this machine's disk, and
``docker-daemon:`` and ``podman:`` those that an engine on this machine has.
"""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from hubframe.errors import InvalidReferenceError

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"
# Hosts under which people know Docker Hub; all of them mean the one registry.
_HUB_HOSTS = frozenset(
    {DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com",
     "hub.docker.com"}
)  # fmt: skip

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_NAMESPACE = re.compile(_COMPONENT)
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(
    r"(?!sha256:)(?!sha512:)[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
    r"|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
)
_BARE_HEX = re.compile(r"[0-9a-f]{64}")
# A login before a host, as it stands in addresses; a tag before a digest looks like it.
_LOGIN = re.compile(r"(?<![^/\s])[^/\s:@]*:[^\s@]*@(?=[^@]*[./])")
_MAX_NAME = 255
_MAX_PORT = 65535
_MAX_SHOWN = 80
FORM = "[registry/]path[:tag][@digest], in lower case, such as nginx or ghcr.io/org/app:1.2"

_TRANSPORT = re.compile(r"(?:docker|oci)://")
# Where an image on the disk is: by containers-transports(5) the path ends at the first colon, but
# for that of a drive; then comes the image's name, or its digest or number in the index.
_LOCAL = re.compile(
    r"(?P<transport>oci|oci-archive|docker-archive|dir):(?!//(?!/))(?![0-9]{1,5}(?:/|$))"
    r"(?P<path>(?:[A-Za-z]:(?=[/\\]))?[^:]+?)"
    rf"(?::(?P<name>@?[^\s@]+))?(?:@(?P<digest>{DIGEST.pattern})|@(?P<number>[0-9]{{1,4}}))?"
)
# What can only be a path, or a transport's of another program, and so names no registry's image.
_ELSEWHERE = re.compile(
    r"[./~\\]|[A-Za-z]:[/\\]|(?!https?:|docker:|oci:)[a-z-]+:(?:[./~\\]|[A-Za-z]:[/\\])"
    r"|containers-storage:.*[/[]"
)
# Where an engine has it: by its name or its id; without either all that the engine has is meant.
# As above, a number before a slash is the port of a registry.
_ENGINES = ("docker-daemon:", "podman:")
_IN_ENGINE = re.compile(
    rf"(?P<engine>{'|'.join(_ENGINES)})(?![0-9]{{1,5}}(?:/|$))"
    rf"(?:@?(?P<id>{DIGEST.pattern})|(?P<name>.*))"
)
# Host, path and query of an address.
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?([^/?#]*)([^?#]*)\??([^#]*).*", re.IGNORECASE)
# What is an address also where https:// was not copied: no registry has repositories there.
_SITES = ("hub.docker.com/", "registry.hub.docker.com/", "quay.io/repository/", "github.com/")
_PART, _TAB = "[^/]+", "(?:/.*)?"
_PAIR = f"{_PART}/{_PART}"
_HUB_SITE = r"(?:registry\.)?hub\.docker\.com"
_HUB_API = r"(?:(?:index\.|registry-1\.)?docker\.io|registry\.hub\.docker\.com)"
_NO_API = "(?!v[12](?:/|$))"
_GITHUB_OWNER = rf"github\.com/(?:orgs|users)/(?P<owner>{_PART})"
# Pages of repositories, and of their tags; then addresses of registries.
_PAGES = (
    rf"{_HUB_SITE}/(?:r/)?_/(?P<path>{_PART}){_TAB}",
    rf"{_HUB_SITE}/(?:r|repository/docker|v2/repositories)/(?P<path>{_PAIR}){_TAB}",
    rf"{_HUB_SITE}/layers/(?:{_PART}/)?(?P<path>{_PAIR})/(?P<tag>(?!images(?:/|$)){_PART})(?:/images{_TAB})?",
    rf"(?P<host>quay\.io)/repository/(?P<path>{_PAIR})(?:/(?:tag|manifest)/(?P<tag>{_PART}))?{_TAB}",
    rf"{_GITHUB_OWNER}/packages/container/(?:package/)?(?P<path>{_PART}){_TAB}",
    rf"github\.com/(?P<owner>{_PART})/{_PART}/pkgs/container/(?P<path>{_PART}){_TAB}",
    rf"registry\.hub\.docker\.com/{_NO_API}(?P<path>.+)",
)
_REGISTRY_ADDRESSES = (
    rf"(?P<host>{_PART})/v2/(?P<path>.+)/(?:tags/list|manifests/(?P<tag>{_PART}))",
    rf"(?P<host>ghcr\.io|{_HUB_API})/{_NO_API}(?P<path>.+)",
    rf"(?P<host>quay\.io)/(?!(?:organization|user|repository)/)(?P<path>{_PAIR})",
)
_NAMESPACE_PAGES = (
    rf"{_HUB_SITE}/(?:u|orgs)/(?P<path>{_PART}){_TAB}",
    rf"{_HUB_SITE}/(?:r|(?:v2/)?repositories)/(?P<path>{_PART})",
)
_NAMESPACES = (*_NAMESPACE_PAGES, rf"{_HUB_API}/(?P<path>{_PART})")
_OTHER_OWNERS = (rf"(?P<host>quay\.io)/(?:organization|user)/(?P<path>{_PART}){_TAB}",)
# A registry as a whole, also by an address of its API.
_REGISTRY = re.compile(
    r"(?:(?:docker|oci)://)?([^/?#]+)/?|https?://([^/?#]+)(?:/v[12])?(?:/_catalog)?/*(?:[?#].*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ImageReference:
    """A registry's name for an image: where it lives, which repository, which tag or digest.

    Attributes
    ----------
    registry
        The host as written, ``docker.io`` for Docker Hub; ``oci:/folder`` on the disk,
        ``docker-daemon:`` for an engine.
    path
        The repository's path on that host, ``library/nginx``; empty on the disk. In an engine the
        repository as frames name it, ``ghcr.io/org/app``; empty for all that the engine has.
    tag, digest
        What was written, or None. Where both are given the digest decides.
    """

    registry: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference.

        Raises
        ------
        InvalidReferenceError
            The text is none; the message shows it and the form expected.

        Examples
        --------
        >>> str(ImageReference.parse("nginx"))
        'docker.io/library/nginx'
        >>> ImageReference.parse("localhost:5000/app:1.2").tag
        '1.2'
        """
        if not isinstance(text, str):
            raise _invalid(text, f"it is no text but of type {type(text).__name__}")
        if (local := _LOCAL.fullmatch(text)) and text.isprintable():
            return cls._on_disk(text, local)
        if engine := _IN_ENGINE.fullmatch(text):
            return cls._in_engine(text, engine)
        if _ELSEWHERE.match(text):
            raise _invalid(
                text,
                "what is on this machine is written oci:FOLDER, dir:FOLDER, oci-archive:FILE, "
                "docker-archive:FILE, docker-daemon:NAME or podman:NAME",
            )
        return cls._in_registry(text, _pasted(text))

    @classmethod
    def _in_registry(cls, text: str, written: str) -> Self:
        if _BARE_HEX.fullmatch(written):
            raise _invalid(text, "64 hexadecimal digits are an image's id, not its name")
        name, at, digest = written.partition("@")
        if at and not DIGEST.fullmatch(digest):
            raise _invalid(text, "what follows @ is not a digest")
        # The last colon is a port's where a slash follows.
        head, colon, tag = name.rpartition(":")
        has_tag = bool(colon) and "/" not in tag
        if has_tag and not TAG.fullmatch(tag):
            raise _invalid(text, f"{_shown(tag)} is not a tag")
        registry, path = _split_registry(head if has_tag else name, text)
        return cls(registry, path, tag if has_tag else None, digest or None)

    @classmethod
    def _on_disk(cls, text: str, found: re.Match[str]) -> Self:
        try:
            place = f"{found['transport']}:{Path(found['path']).expanduser().resolve()}"
        except (OSError, RuntimeError) as error:
            raise _invalid(text, f"its path cannot be read ({error})") from None
        again = _LOCAL.fullmatch(place)
        if again is None or f"{again['transport']}:{again['path']}" != place:
            raise _invalid(text, "its path holds a mark that ends it")
        name = found["name"] or (found["number"] and f"@{found['number']}")
        return cls(place, "", name, found["digest"])

    @classmethod
    def _in_engine(cls, text: str, found: re.Match[str]) -> Self:
        if not found["name"]:
            return cls(found["engine"], "", None, found["id"])
        return cls._in_registry(text, found["name"]).inside(found["engine"])

    @property
    def repo(self) -> str:
        """The repository as frames name it: without the host on Docker Hub."""
        if self.is_local:
            return f"{self.registry}{self.path}"
        # Without the host, foo.io/bar of Docker Hub would be read as the host foo.io.
        is_plain = self.is_hub and not _names_registry(self.namespace)
        return self.path if is_plain else f"{self.registry}/{self.path}"

    @property
    def is_hub(self) -> bool:
        """Whether the repository lives on Docker Hub."""
        return self.registry == DOCKER_HUB

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine: on its disk, or in an engine."""
        return not self.path or self.is_in_engine

    @property
    def is_in_engine(self) -> bool:
        """Whether an engine on this machine has it."""
        return self.registry in _ENGINES

    @property
    def namespace(self) -> str:
        """The first part of the path: the user or organisation on Docker Hub."""
        return self.path.partition("/")[0]

    @property
    def target(self) -> str:
        """What to ask the registry for: the digest, else the tag, else ``latest``.

        On the disk nothing stands for the only image that is there.
        """
        return self.digest or self.tag or (DEFAULT_TAG if self.path else "")

    def at(self, *, tag: str | None = None, digest: str | None = None) -> Self:
        """Return the same repository at another tag or digest."""
        other = object.__new__(type(self))
        # Thousands are made in a call, and what is frozen sets its fields one by one.
        vars(other).update(registry=self.registry, path=self.path, tag=tag, digest=digest)
        return other

    def inside(self, engine: str) -> Self:
        """Return the same image as an engine has it: ``docker-daemon:`` or ``podman:``."""
        # A number there would be read as the port of a host that is called like the engine.
        is_plain = not self.namespace.isdigit()
        path = self.repo if is_plain else f"{self.registry}/{self.path}"
        return type(self)(engine, path, self.tag, self.digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        if self.is_in_engine and not self.path:
            return f"{self.registry}{self.digest or ''}"
        where = self.repo if self.is_local else f"{self.registry}/{self.path}"
        return f"{where}{tag}{digest}"


def parse_namespace(text: str) -> str:
    """Read the name of a user or organisation on Docker Hub; ``_`` is the official images'."""
    name = "library" if text == "_" else text
    if isinstance(text, str) and "/" in text:
        name = (_shown_at(text, _NAMESPACES) or {}).get("path", text)
    if not isinstance(name, str) or not _NAMESPACE.fullmatch(name):
        raise InvalidReferenceError(
            f"{_shown(text)} is not a namespace of Docker Hub: expected a user or organisation "
            "in lower case, such as ansible or library"
        )
    return name


def parse_owner(text: str) -> str:
    """Read whose repositories are meant: a namespace of Docker Hub, or one behind a registry.

    Behind the slash may stand nothing: the whole registry.

    >>> [parse_owner(text) for text in ("_", "quay.io/org", "https://quay.io/organization/org")]
    ['library', 'quay.io/org', 'quay.io/org']
    """
    shown = _shown_at(text, _OTHER_OWNERS) if isinstance(text, str) else None
    host, slash, path = "", "", ""
    if shown or (isinstance(text, str) and "://" not in text and not _shown_at(text, _NAMESPACES)):
        host, slash, path = (f"{shown['host']}/{shown['path']}" if shown else text).partition("/")
    if not slash or not _names_registry(host) or canonical_host(host) == DOCKER_HUB:
        return parse_namespace(text)
    if not _is_host(host) or (path and not _PATH.fullmatch(path)) or len(path) > _MAX_NAME:
        raise InvalidReferenceError(
            f"{_shown(text)} names no owner of repositories: expected a registry and what lies in "
            "it, in lower case, such as quay.io/org"
        )
    return f"{host}/{path}"


def is_namespace_page(text: str) -> bool:
    """Tell whether a text is the web address of a user or organisation on Docker Hub."""
    return _shown_at(text, _NAMESPACE_PAGES) is not None


def parse_registry(text: str) -> str:
    """Read the name of a registry, ``ghcr.io`` or ``localhost:5000``."""
    host = bare_host(text) if isinstance(text, str) else ""
    if not _is_host(host) or not _names_registry(host):
        raise InvalidReferenceError(
            f"{_shown(text)} is not a registry: expected a host such as ghcr.io or "
            "localhost:5000, with a dot or a port in it"
        )
    return canonical_host(host)


def parse_scope(text: str) -> str:
    """Read what a login is for: a registry, or a namespace or repository in one.

    >>> [parse_scope(text) for text in ("https://ghcr.io/", "quay.io/org", "index.docker.io/acme")]
    ['ghcr.io', 'quay.io/org', 'docker.io/acme']
    """
    if "/" not in text or is_registry(text):
        return parse_registry(text).lower()
    if _shown_at(text, _NAMESPACES):
        return f"{DOCKER_HUB}/{parse_namespace(text)}"
    found = ImageReference.parse(text)
    if found.tag or found.digest or not _names_registry(_pasted(text).partition("/")[0]):
        raise InvalidReferenceError(
            f"{_shown(text)}: logins are for registries and what lies in them, such as quay.io/org"
        )
    return f"{found.registry.lower()}/{found.path}"


def canonical_host(host: str) -> str:
    """Return the one name of a registry that goes by several, as Docker Hub does."""
    return DOCKER_HUB if host.lower().removesuffix(":443") in _HUB_HOSTS else host


def is_registry(text: str) -> bool:
    """Tell whether a text names a whole registry rather than a repository.

    ``localhost:5000`` and ``ghcr.io`` do, and whatever host is written as an address or with a
    slash behind it; ``redis:5000`` is a tag.

    >>> [is_registry(text) for text in ("localhost:5000", "ghcr.io", "redis:5000", "redis:5000/")]
    [True, True, False, True]
    """
    host = bare_host(text)
    is_plain = _names_registry(re.sub(r":\d+$", "", host))
    return _is_host(host) and (is_plain or host != text)


def bare_host(text: str) -> str:
    """Return the host of an address that names nothing on it; of others the text itself.

    >>> bare_host("http://localhost:5000/v2/")
    'localhost:5000'
    """
    found = _REGISTRY.fullmatch(text)
    return found[1] or found[2] if found else text


def is_loopback(registry: str) -> bool:
    """Tell whether a host names this machine, where plain http is the custom."""
    host = re.sub(r":\d+$", "", registry).strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pasted(text: str) -> str:
    """Return the reference that an address shows; every other text as it is."""
    is_whole = "://" in text
    if not is_whole and not text.lower().startswith(_SITES):
        return text
    if transport := _TRANSPORT.match(text):
        return text[transport.end() :]
    shown = _shown_at(text, _PAGES + _REGISTRY_ADDRESSES if is_whole else _PAGES)
    if shown is None:
        raise _invalid(
            text,
            "it is an address, and none of a repository on Docker Hub, Quay or GHCR; for another "
            "registry leave out https://",
        )
    host, path, tag = shown.get("host", DOCKER_HUB), shown["path"], shown.get("tag")
    if "owner" in shown:
        # GitHub shows names as people wrote them, and its registry has them in lower case.
        host, path = "ghcr.io", f"{shown['owner']}/{path}".lower()
        asked = re.search("(?:^|&)tag=([^&]+)", shown.get("query", ""))
        tag = asked[1] if asked else None
    mark = "@" if tag and DIGEST.fullmatch(tag) else ":"
    return f"{host}/{path}{mark}{tag}" if tag else f"{host}/{path}"


def _shown_at(address: str, pages: tuple[str, ...]) -> dict[str, str] | None:
    """Return what the path of an address names, by the first page that has such paths."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return None
    host, path, query = parts.groups()
    where = f"{host.lower().removesuffix(':443')}{path.rstrip('/')}"
    found = next(filter(None, (re.fullmatch(page, where) for page in pages)), None)
    if found is None:
        return None
    named = {**found.groupdict(), "query": query}
    return {name: unquote(part) for name, part in named.items() if part}


def _split_registry(name: str, text: str) -> tuple[str, str]:
    registry, slash, path = name.partition("/")
    if not slash or not _names_registry(registry):
        registry, path = DOCKER_HUB, name
    if not _is_host(registry):
        raise _invalid(text, f"{_shown(registry)} is not a host")
    registry = canonical_host(registry)
    if registry == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if path != path.lower():
        raise _invalid(text, "a repository is written in lower case")
    if len(path) > _MAX_NAME or not _PATH.fullmatch(path) or path == "library/":
        raise _invalid(text, "the repository's path is malformed")
    return registry, path


def _names_registry(first: str) -> bool:
    """Tell whether the part before the first slash names a registry, as Docker decides it."""
    return "." in first or ":" in first or first == "localhost"


def _is_host(text: str) -> bool:
    port, bracketed = re.search(r":(\d+)$", text), re.match(r"\[(.*)\]", text)
    try:
        if bracketed:
            ipaddress.IPv6Address(bracketed[1])
    except ValueError:
        return False
    return bool(_HOST.fullmatch(text)) and (port is None or int(port[1][:6]) <= _MAX_PORT)


def _invalid(text: object, reason: str) -> InvalidReferenceError:
    return InvalidReferenceError(
        f"{_shown(text)} is not an image reference: {reason}. Expected {FORM}"
    )


def _shown(text: object) -> str:
    """Show what was written, cut short, without a login and with harmless control characters."""
    if isinstance(text, str):
        # The pattern takes its time, and no more than the start is shown.
        text = _LOGIN.sub("…@", text[: 20 * _MAX_SHOWN])
        text = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
    shown = repr(text)
    # What cannot be shown is spelt out in up to ten letters each.
    return shown if len(shown) <= 2 * _MAX_SHOWN else f"{shown[: 2 * _MAX_SHOWN]}..."
