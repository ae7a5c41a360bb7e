"""Addresses that the other side names: where they lead, read without trusting them."""

from urllib.parse import urljoin, urlsplit

from hubframe.errors import TransportError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def joined(base: str, target: str, what: str) -> str:
    """Return the address that a target means on a page.

    Raises
    ------
    TransportError
        It is none, or not one of the web.
    """
    try:
        address = urljoin(base, target)
        is_good = urlsplit(address).scheme in _DEFAULT_PORTS and bool(origin(address))
    except ValueError:
        is_good = False
    if not is_good:
        raise TransportError(f"{urlsplit(base).netloc} names a malformed address as {what}")
    return address


def origin(url: str) -> str:
    """Return scheme, host and port: what a login is for."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def loses_encryption(here: str, there: str) -> bool:
    """Tell whether the way from one address to the other leaves https."""
    return urlsplit(here).scheme == "https" and urlsplit(there).scheme != "https"
