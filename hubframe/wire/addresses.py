"""Addresses that the other side names: where they lead, read without trusting them."""

import ipaddress
from urllib.parse import urljoin, urlsplit

from requests import PreparedRequest

from hubframe.errors import TransportError
from hubframe.reference import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


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
        # requests refuses some that the standard library takes.
        PreparedRequest().prepare_url(address, None)
        is_good = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and bool(origin(address))
    except ValueError:
        return None
    return address if is_good else None


def origin(url: str) -> str:
    """Return scheme, host and port: what a login is for."""
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
    """Tell whether a stranger points at this machine, or at the cloud's own services beside it."""
    return _is_inside(urlsplit(there).hostname) and not _is_inside(urlsplit(here).hostname)


def _is_inside(host: str | None) -> bool:
    if not host or is_loopback(host):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified
