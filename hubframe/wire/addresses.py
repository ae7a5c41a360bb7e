"""Addresses that the other side names: where they lead, read without trusting them."""

import ipaddress
import re
import socket
import unicodedata
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from hubframe.errors import TransportError
from hubframe.oci.reference import is_loopback

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Where clouds tell their machines secrets, beside the link-local address of most.
_METADATA = frozenset(
    {"metadata", "metadata.google.internal", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"}
)
# Of the networks whose addresses hold one of IPv4 at their end: compatible, translated, NAT64.
_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
# Host and port, in any script. Whatever else stands there is read by some parsers as the host's
# end, or by a terminal as an order.
_PLACE = re.compile(r"(?:[\w.~-]{1,253}|\[[0-9a-fA-F:.]{2,45}(?:%\w{1,16})?\])(?::[0-9]*)?")
# A link and its parameters, as RFC 8288 writes them: what is quoted may hold all that ends others.
_PARAMETER = r';\s*+([^\s=;,"<]*+)\s*+(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s;,"<]*+)))?+\s*+'
_LINK = re.compile(rf"<([^<>]*+)>\s*+((?:{_PARAMETER})*+)")
_PARAMETERS = re.compile(_PARAMETER)


def joined(base: str, target: str, what: str) -> str:
    """Return the address that a target means on a page.

    Raises
    ------
    TransportError
        It is none, or not one of the web.
    """
    address = _joined(base, target)
    if address is None:
        here = place(base)
        # Addresses may be signed, and some tracebacks show variables.
        del base, target
        raise TransportError(f"{here} names a malformed address as {what}")
    return address


def _joined(base: str, target: str) -> str | None:
    try:
        address = urljoin(base, target)
        parts = urlsplit(address)
        from requests import PreparedRequest  # noqa: PLC0415 - a warm call does without

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
    return None


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


def place(url: str) -> str:
    """Return host and port as messages show them: without the login that may stand before."""
    return urlsplit(url).netloc.rpartition("@")[2]


def loses_encryption(here: str, there: str) -> bool:
    """Tell whether the way from one address to the other leaves https."""
    return urlsplit(here).scheme == "https" and urlsplit(there).scheme != "https"


def leads_inside(here: str, there: str) -> bool:
    """Tell whether a stranger points at this machine, at the cloud's services, or into a network.

    Into a private network only what is reached in the clear may point, since it lies in one, and
    what lies there by its own address. A name that resolves to such an address is not seen here.
    """
    target, source = urlsplit(there).hostname, urlsplit(here)
    if _is_inside(target):
        return not _is_inside(source.hostname)
    return _is_private(target) and source.scheme == "https" and not _is_private(source.hostname)


def _has_host(parts: SplitResult) -> bool:
    # Where a backslash stands, Python sees a login before the host, and others the host's end.
    login, _, host = parts.netloc.rpartition("@")
    # Raises on what no header can carry: a login in an address is sent in one.
    unquote(login).encode("latin-1")
    return "\\" not in login and bool(_PLACE.fullmatch(host))


def _is_inside(host: str | None) -> bool:
    if not host or is_loopback(_plain(host)) or _plain(host) in _METADATA:
        return True
    address = _address(host)
    return address is not None and (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or str(address) in _METADATA
    )


def _is_private(host: str | None) -> bool:
    address = _address(host or "")
    return address is not None and not address.is_global


def _plain(host: str) -> str:
    """Return a host as the resolver reads it: a dot at its end, and wide digits, mean nothing."""
    return unicodedata.normalize("NFKC", host).replace("\N{IDEOGRAPHIC FULL STOP}", ".").rstrip(".")


def _address(host: str) -> Address | None:
    """Return the address that a host is, in any of the forms that connect; None for a name."""
    name = _plain(host).partition("%")[0]
    try:
        # 127.1, 0x7f000001, 017700000001 and 2130706433 are all this machine.
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except (OSError, ValueError):
        pass
    try:
        address = ipaddress.IPv6Address(name)
    except ValueError:
        return None
    return _embedded(address) or address


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    found = address.ipv4_mapped or address.sixtofour
    is_translated = any(address in network for network in _TRANSLATED)
    if found is None and is_translated and int(address) > 1:
        found = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return found
