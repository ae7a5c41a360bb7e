"""Taking out of an answer what it repeats of the login that was sent.

Servers and proxies quote requests in their refusals, and write what they quote as JSON, HTML and
addresses do. So text is decoded, and then redacted.
"""

import base64
import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from requests import PreparedRequest, Response

from hubframe.wire.network import set_body

_REDACTED = "…"
# Less is no secret, and redacting it would spoil every message.
_SHORTEST = 4
# Longer refusals are read by nobody.
_LONGEST = 256 * 1024
# How often what is encoded may be encoded once more.
_DEEPEST = 3
# What logins are posted under.
_SECRET_FIELDS = frozenset({"secret", "password", "refresh_token"})
# As JSON, C, Go, Python and JavaScript write signs.
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})"
    r"|([0-7]{3})|(.))",
    re.DOTALL,
)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_OCTAL, _OTHER, _LAST_SIGN = 5, 6, 0x10FFFF


def redact(response: Response, request: PreparedRequest, proxy: str | None) -> None:
    """Redact the logins that were sent, also to a proxy, in an answer that repeats them.

    The answer was read whole or not at all. What came for a login stays as it is, else documents
    would have other digests; headers do not.
    """
    secrets = sorted(set(_sent_with(request, proxy)), key=len, reverse=True)
    if not secrets:
        return
    for headers in (response.headers, response.raw.headers):
        for name, value in list(headers.items()):
            if (clean := redacted(value, secrets)) != value:
                headers[name] = clean
    if not response.ok:
        set_body(response, _clean(response.raw.data, secrets))


def redacted(text: str, secrets: Sequence[str]) -> str:
    """Return text without secrets, the longest first; where one is encoded, it is decoded."""
    clean = decoded = _without(text, secrets)
    for _ in range(_DEEPEST):
        before, decoded = decoded, _decoded(decoded)
        if decoded == before:
            break
        if (plain := _without(decoded, secrets)) != decoded:
            clean = decoded = plain
    return clean


def _sent_with(request: PreparedRequest, proxy: str | None) -> Iterator[str]:
    """Yield what is secret of a request, as it is and as it may be written."""
    for secret in _plain_secrets(request, proxy):
        if len(secret) >= _SHORTEST:
            sent = secret.encode(errors="surrogateescape")
            encoded = base64.b64encode(sent).decode()
            yield from (secret, quote(secret, safe="", errors="replace"))
            # A form has + for a blank, and headers are read as Latin-1.
            yield from (secret.replace(" ", "+"), sent.decode("latin-1"))
            yield from (sent.hex(), sent.hex().upper())
            # The end of it depends on what follows.
            yield encoded.rstrip("=")
            yield encoded.rstrip("=").replace("+", "-").replace("/", "_")


def _plain_secrets(request: PreparedRequest, proxy: str | None) -> Iterator[str]:
    value = request.headers.get("Authorization", "")
    scheme, _, sent = (value if isinstance(value, str) else "").partition(" ")
    if sent:
        yield sent
    if scheme.lower() == "basic":
        pair = base64.b64decode(sent).decode(errors="replace")
        yield from (pair, pair.partition(":")[2])
    if request.body:
        yield from _posted(request.body)
    if proxy and "@" in proxy:
        login = proxy.rpartition("@")[0].rpartition("://")[2]
        yield from (login, unquote(login), unquote(login).partition(":")[2])


def _posted(body: Any) -> list[str]:
    """Return what a login was posted with: JSON at the Hub, a form at registries."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        fields = json.loads(text) if text.startswith("{") else dict(parse_qsl(text))
    except ValueError:
        return []
    return [value for name, value in fields.items() if name in _SECRET_FIELDS]


def _clean(body: bytes, secrets: Sequence[str]) -> bytes:
    """Redact a refusal; what is JSON stays JSON."""
    if len(body) > _LONGEST:
        return b""
    text = body.decode(errors="replace")
    try:
        return json.dumps(_walk(json.loads(text), secrets)).encode()
    except (ValueError, RecursionError):
        return redacted(text, secrets).encode()


def _walk(part: Any, secrets: Sequence[str]) -> Any:
    if isinstance(part, str):
        return redacted(part, secrets)
    if isinstance(part, list):
        return [_walk(one, secrets) for one in part]
    if isinstance(part, dict):
        return {redacted(name, secrets): _walk(one, secrets) for name, one in part.items()}
    return part


def _without(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _REDACTED)
    return text


def _decoded(text: str) -> str:
    """Undo what JSON, programs, HTML and addresses do to signs, once."""
    plain = unquote(html.unescape(_ESCAPE.sub(_sign, text)))
    # JSON writes the signs of later planes as two.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _sign(found: re.Match[str]) -> str:
    kind = found.lastindex or _OTHER
    if kind == _OTHER:
        return _CONTROLS.get(found[kind], found[kind])
    code = int(found[kind], 8 if kind == _OCTAL else 16)
    return chr(code) if code <= _LAST_SIGN else found[0]


def proxy_host(proxy: str) -> str:
    """Return where a proxy is; its address may hold a login, with any sign in it."""
    return proxy.rpartition("://")[2].rpartition("@")[2].partition("/")[0]
