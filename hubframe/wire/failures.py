"""What keeps answers from coming, in our own words.

Those of the libraries quote addresses, headers and what a server sent; and their errors hold the
request, in attributes and in the variables of their frames, which some tracebacks show. So they
are read here, and never go further.
"""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException
from typing import NamedTuple

from requests.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL
from urllib3.exceptions import (
    ConnectTimeoutError,
    NewConnectionError,
    ProtocolError,
    ProxySchemeUnknown,
)

from hubframe.wire import statuses

# Where the certificates of private authorities are named; the first that is set holds.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# How requests says that such a file is missing.
_NO_BUNDLE = "TLS CA certificate bundle"
# How requests says that a library is missing.
_NO_SOCKS = "SOCKS support"
_BAD_PROXIES = (InvalidProxyURL, InvalidSchema, ProxySchemeUnknown)
# How urllib3 says that a proxy's address is plain socks://.
_NO_SOCKS_VERSION = "determine SOCKS version"
# What OpenSSL calls an answer that is no TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
# Not its words: a proxy may repeat the login that it was sent.
_REFUSED_TUNNEL = re.compile(r"^Tunnel connection failed: (4\d\d)\b")


class Failure(NamedTuple):
    """Why no answer came, in words for people.

    Where it is lasting, asking again in a moment is of no use; where the request was sent, the
    other side may have had it.
    """

    reason: str
    is_lasting: bool = False
    was_sent: bool = True


def failure_of(error: BaseException) -> Failure:
    """Read an error that a library raised while an answer was waited for, or read."""
    chain = list(_causes(error))
    for cause in chain:
        if lasting := _lasting_reason(cause):
            return Failure(lasting, is_lasting=True)
    is_before = any(isinstance(one, NewConnectionError | ConnectTimeoutError) for one in chain)
    return Failure(_passing_reason(chain), was_sent=not is_before)


def bundle() -> str | bool:
    """Return the certificates to trust; looked up each time, so that a notebook may set them."""
    name = _bundle_variable()
    return os.environ[name] if name else True


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error inward."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        # urllib3 keeps the cause in ``reason``, requests among the arguments.
        inner = [getattr(error, "reason", None), *error.args]
        argument = next((one for one in inner if isinstance(one, BaseException)), None)
        error = error.__cause__ or error.__context__ or argument


def _lasting_reason(error: BaseException) -> str:
    """Say what will not be over in a moment; empty for what may be."""
    text = str(error)
    # A connection that just ended may do better next time.
    is_ended = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    if isinstance(error, ssl.SSLError) and not is_ended:
        return _tls_reason(error)
    if tunnel := _REFUSED_TUNNEL.search(text):
        return f"the proxy answered {statuses.named(int(tunnel[1]))}"
    if _NO_BUNDLE in text:
        name = _bundle_variable()
        return f"{name} names {os.environ.get(name, '')}, and there is no such file"
    if _NO_SOCKS in text:
        return (
            "the proxy is a SOCKS proxy (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY), which takes one "
            "more library: pip install 'hubframe[socks]'"
        )
    # requests takes an unknown scheme of a proxy for an address that is none.
    is_proxys = any(isinstance(one, _BAD_PROXIES) for one in (error, *error.args))
    if is_proxys or _NO_SOCKS_VERSION in text:
        return "the proxy's address cannot be used; see ALL_PROXY, HTTPS_PROXY and HTTP_PROXY"
    return "its address cannot be used" if isinstance(error, InvalidURL) else ""


def _passing_reason(chain: list[BaseException]) -> str:
    """Say what may be over in a moment: the innermost cause tells most."""
    last = chain[-1]
    if isinstance(last, socket.gaierror):
        return "its name is unknown"
    if any("timed out" in str(one).lower() or isinstance(one, TimeoutError) for one in chain):
        return "no answer in time"
    if isinstance(last, OSError) and last.strerror:
        return last.strerror
    if any(isinstance(one, HTTPException | ProtocolError | ValueError) for one in chain):
        return "what came is no answer of HTTP, or not all of one"
    return type(last).__name__


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = statuses.quotable(error.verify_message).rstrip(".")
        return (
            f"its certificate is not trusted ({said}). If an authority of your own signed it, name "
            "the file of its certificate in REQUESTS_CA_BUNDLE"
        )
    if error.reason in _NO_TLS:
        return (
            "it does not speak TLS. Plain http is for loopback hosts and for those that "
            "HUBFRAME_INSECURE_REGISTRIES names"
        )
    return (
        f"TLS failed ({error.reason}). Look at its certificate, and at the file that "
        "REQUESTS_CA_BUNDLE names"
    )


def _bundle_variable() -> str:
    return next((name for name in _BUNDLES if os.environ.get(name)), "")
