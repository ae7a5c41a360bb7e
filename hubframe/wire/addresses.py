"""Addresses that the other side names: where they lead, read without trusting them."""

import re
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from requests import PreparedRequest

from hubframe.errors import TransportError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Host and port, in any script. Whatever else stands there is read by some parsers as the host's
# end, or by a terminal as an order.
_PLACE = re.compile(r"(?:[\w.~-]{1,253}|\[[0-9a-fA-F:.]{2,45}(?:%\w{1,16})?\])(?::[0-9]*)?")
# A link and its parameters, as RFC 8288 writes them: what is quoted may hold all that ends others.
_PARAMETER = r';\s*+([^\s=;,"<]*+)\s*+(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s;,"<]*+)))?+\s*+'
_LINK = re.compile(rf"<([^<>]*+)>\s*+((?:{_PARAMETER})*+)")
_PARAMETERS = re.compile(_PARAMETER)
_BARE_LINK = re.compile(r'(?:https?:/)?/[^\s<>,"]+')


def joined(base: str, target: str, what: str) -> str:
    """Return the web address that a target means on a page, or raise `TransportError`."""
    address = _joined(base, target)
    if address is None:
        here = netloc(base)
        # Addresses may be signed, and some tracebacks show variables.
        del base, target
        raise TransportError(f"{here} names a malformed address as {what}")
    return address


def _joined(base: str, target: str) -> str | None:
    try:
        address = urljoin(base, target)
        parts = urlsplit(address)
        # requests refuses some that the standard library takes.
        PreparedRequest().prepare_url(address, None)
        is_good = parts.scheme in _DEFAULT_PORTS and _has_host(parts) and bool(origin(address))
    except ValueError:
        return None
    return address if is_good else None


def next_link(header: str) -> str | None:
    """Return the target of a ``Link`` header that is the next page, if there is one.

    A link of which no relation is told is one too: lists of registries have no other.
    """
    for target, parameters in (link.group(1, 2) for link in _LINK.finditer(header)):
        relations = [
            quoted or plain
            for name, quoted, plain in _PARAMETERS.findall(parameters)
            if name.lower() == "rel"
        ]
        # Of several the first counts, and one may name several relations.
        if target.strip() and (not relations or "next" in relations[0].lower().split()):
            return str(target).strip()
    # Some write the address alone, or leave brackets out.
    bare, _, rest = header.partition(";")
    is_other = "rel" in rest and "next" not in rest
    bare = bare.strip().removeprefix("<")
    return bare if _BARE_LINK.fullmatch(bare) and not is_other else None


def within_host(link: str) -> str:
    """Return what of a link counts: its path and query, whatever stands for a host there."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    return urlunsplit(("", "", parts.path, parts.query, ""))


def moved(url: str, base: str) -> str:
    """Return the same path and query on the host of another address."""
    here = urlsplit(base)
    return urlunsplit(urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc, fragment=""))


def origin(url: str) -> str:
    """Return scheme, host and port: what a login is for."""
    # All requests to a host begin alike.
    end = url.find("/", len("https://"))
    return _origin(url if end < 0 else url[:end])


@lru_cache(maxsize=1024)
def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def netloc(url: str) -> str:
    """Return host and port as messages show them: without the login that may stand before."""
    return urlsplit(url).netloc.rpartition("@")[2]


def path_of(url: str) -> str:
    """Return an address without its query, which may be a secret."""
    # `urlsplit` takes longer, and would remember what is asked for once.
    return url.partition("?")[0]


def on_own_host(url: str, base: str) -> str:
    """Return an address by https, where it is plain http on the host that was asked by https.

    A registry behind a proxy that ends TLS knows neither the proxy nor its port.
    """
    there, here = urlsplit(url), urlsplit(base)
    is_same = there.hostname == here.hostname
    if is_same and there.scheme == "http" and here.scheme == "https":
        return urlunsplit(there._replace(scheme="https", netloc=here.netloc))
    return url


def loses_encryption(here: str, there: str) -> bool:
    """Tell whether the way from one address to the other leaves https."""
    return urlsplit(here).scheme == "https" and urlsplit(there).scheme != "https"


def _has_host(parts: SplitResult) -> bool:
    # Where a backslash stands, Python sees a login before the host, and others the host's end.
    login, _, host = parts.netloc.rpartition("@")
    # Raises on what no header can carry: a login in an address is sent in one.
    unquote(login).encode("latin-1")
    return "\\" not in login and bool(_PLACE.fullmatch(host))
