"""HTTP statuses become errors here and nowhere else."""

import json
import re
from http import HTTPStatus
from typing import Any, TypeVar

from requests import Response

from hubframe.errors import (
    ASK_ANONYMOUSLY,
    BlockedError,
    HubframeError,
    Limit,
    NotFoundError,
    RateLimitError,
    TransportError,
    UnauthorizedError,
    harmless,
)
from hubframe.oci.reference import DOCKER_HUB
from hubframe.wire.addresses import joined, netloc, path_of
from hubframe.wire.credentials import log_in
from hubframe.wire.limits import retry_after

Reply = TypeVar("Reply", bound=Response)

OK = range(200, 300)
# Our own words: a server may quote the request, and with it a login, in its own.
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_REDIRECTED = range(300, 400)
_REFUSED = range(400, 500)
_LONGEST_QUOTE = 200
# More is not even searched for secrets: a server may send megabytes.
_LONGEST_READ = 10 * _LONGEST_QUOTE
# Secrets that others quote: the queries of signed addresses, logins before a host, tokens.
_SECRETS = (
    (re.compile(r"(https?://[^\s?#\"'<>]*)[?#][^\s\"'<>]*", re.IGNORECASE), r"\1?…"),
    (re.compile(r"(https?://)[^\s/@\"'<>]*@", re.IGNORECASE), r"\1…@"),
    # A word of digits and capitals after it; "Basic authentication is required" stays.
    (re.compile(r"((?i:Bearer|Basic)\s+)(?=\S[a-z._~+/=-]*[A-Z0-9])[\w.~+/=-]{6,}"), r"\1…"),
    (re.compile(r"((?i:Bearer|Basic)\s+)[\w.~+/=-]{20,}"), r"\1…"),
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}[A-Za-z0-9._-]*|dckr_[po]at_[A-Za-z0-9_-]+"), "…"),
)
# What registries call a thing that is not there, whatever the status that they say it with.
_MISSING = frozenset({"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "TAG_EXPIRED"})
# What the pages of bot walls hold.
_CHALLENGES = (b"Just a moment", b"error code:", b"challenge-platform", b"cf-browser-verification")


def check(
    response: Reply, asked: str, login: str | None = None, *, counts_pulls: bool = False
) -> Reply:
    """Return an answer that is one, and raise for every other.

    `asked` are words for the message, `login` is where the credentials came from that were used
    (None for none), and `counts_pulls` is for Docker Hub's registry.
    """
    if response.status_code in OK and not is_page(response):
        return response
    raise error_of(response, asked, login, counts_pulls=counts_pulls)


def check_login(response: Reply, asked: str, login: str | None, registry: str = "") -> Reply:
    """Return the answer to a login that is one; quote none, since it may quote the secret.

    `registry` is what the login is for; left out if it is who answered.
    """
    registry = registry or netloc(response.url)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        raise _unauthorized(response, asked, "", login, registry)
    if response.status_code in OK:
        return response
    raise error_of(response, asked, login, login_to=registry)


def error_of(
    response: Response,
    asked: str,
    login: str | None = None,
    *,
    counts_pulls: bool = False,
    login_to: str = "",
) -> HubframeError:
    """Return the error that a refusal stands for, which may be that of a login to a registry."""
    host, status = netloc(response.url), response.status_code
    code = code_of(response) if status in _REFUSED else ""
    said = "" if login_to else words_of(response)
    if status == HTTPStatus.TOO_MANY_REQUESTS or code == "TOOMANYREQUESTS":
        return _rate_limit(response, asked, said, counts_pulls=counts_pulls)
    if is_wall(response) or status in OK:
        return BlockedError(
            f"{asked}: something before {host} answered ({status}) with a page for people, not the "
            "API: a bot wall or a login of the network. Wait a while, or ask from another network"
        )
    # Registries do not refuse a token: they grant one that does not open this.
    is_bearer = "bearer" in response.headers.get("WWW-Authenticate", "").lower()
    if (
        status == HTTPStatus.NOT_FOUND
        or code in _MISSING
        or (status == HTTPStatus.UNAUTHORIZED and is_bearer)
    ):
        who = f"Asked with the login from {login}" if login else "Asked anonymously"
        return NotFoundError(
            f"{asked}: {host} has no such thing, or it is private to you{said}. "
            f"{who}; check the spelling, or log in as somebody who may read it"
        )
    if status in (401, 403):
        registry = login_to or (DOCKER_HUB if counts_pulls else host)
        return _unauthorized(response, asked, said, login, registry)
    is_down = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    advice = ". It is in trouble itself: try again later" if is_down else ""
    return TransportError(
        f"{asked}: {host} answered {named(status)}{_hint(response)}{said}{advice}"
    )


def named(status: int) -> str:
    """Return a status with its name, in our own words."""
    return f"{status} {_PHRASES.get(status, '')}".rstrip()


def _hint(response: Response) -> str:
    """Say what a status alone does not: where a redirect leads, and that a proxy speaks."""
    if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return " (the proxy on the way wants a login: write it into HTTPS_PROXY or HTTP_PROXY)"
    location = response.headers.get("Location")
    if response.status_code not in _REDIRECTED or not location:
        return ""
    try:
        target = netloc(joined(response.url, location, "where to go"))
    except TransportError:
        return " and points at a malformed address"
    return f" and points at {_clean(target)}, which was not followed"


def _unauthorized(
    response: Response, asked: str, said: str, login: str | None, registry: str
) -> UnauthorizedError:
    host, status, advice = netloc(response.url), response.status_code, log_in(registry)
    if login is None:
        return UnauthorizedError(
            f"{asked}: {host} needs a login ({status}){said}. To log in, {advice}"
        )
    is_refused = status == HTTPStatus.UNAUTHORIZED
    verb = "refused the credentials" if is_refused else "does not allow it with the login"
    return UnauthorizedError(
        f"{asked}: {host} {verb} from {login} ({status}){said}. To log in again, {advice}; or "
        f"{ASK_ANONYMOUSLY}"
    )


def _rate_limit(response: Response, asked: str, said: str, *, counts_pulls: bool) -> RateLimitError:
    wait = retry_after(response.headers)
    when = f"try again in {wait:.0f} s" if wait is not None else "try again later"
    limit: Limit = "hub"
    if _names_pulls(response) or (counts_pulls and is_about_pulls(response)):
        limit = "pull"
    elif response.content and not _body(response):
        limit = "abuse"  # it speaks plain text wherever it strikes
    elif counts_pulls and "/manifests/" in path_of(response.url):
        limit = "pull"
    return RateLimitError(
        f"{asked}: {netloc(response.url)} asks to slow down ({response.status_code}{said}); "
        f"{when}, or log in for a limit of your own",
        retry_after=wait,
        limit=limit,
    )


def is_about_pulls(response: Response) -> bool:
    """Tell whether a refusal is about Docker Hub's pulls: these come back in hours."""
    is_refusal = response.status_code in _REFUSED
    return is_refusal and (_names_pulls(response) or "RateLimit-Limit" in response.headers)


def _names_pulls(response: Response) -> bool:
    """Whether Docker's own words came: other registries send headers of the same name."""
    return b"pull rate limit" in response.content[:_LONGEST_READ].lower()


def is_wall(response: Response) -> bool:
    """Tell whether something else answered: Cloudflare, in HTML or with ``error code: 1010``.

    It says 503 to a browser that has yet to prove itself; so do servers in trouble, in HTML too.
    """
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        start = response.content[:_LONGEST_READ]
        return "cf-mitigated" in response.headers or any(mark in start for mark in _CHALLENGES)
    is_refusal = response.status_code == HTTPStatus.FORBIDDEN
    return is_refusal and (is_page(response) or response.content[:11] == b"error code:")


def is_page(response: Response) -> bool:
    """Tell whether a web page came: a portal answers with one, and with 200."""
    is_html = "html" in response.headers.get("Content-Type", "").lower()
    # The answer to a HEAD has no body, and nothing that is asked for is HTML.
    return is_html and response.content.lstrip()[:1] in (b"<", b"")


def words_of(response: Response) -> str:
    """Return what the other side says, as a clause, without control characters and secrets."""
    short = quotable(_message(response))
    return f": {short}" if short else ""


def quotable(text: str) -> str:
    """Make an untrusted text fit for a message: short, harmless, and with secrets redacted."""
    text = text[:_LONGEST_READ]
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return _clean(text)[:_LONGEST_QUOTE]


def _clean(text: str) -> str:
    """Blank out what a terminal acts on, what turns the writing round, and what cannot be shown."""
    return re.sub(" +", " ", "".join(c if c.isprintable() else " " for c in harmless(text))).strip()


def _message(response: Response) -> str:
    """Return the words of a refusal; the Hub has its own keys, registries list ``errors``."""
    body = _body(response)
    error = _first_error(body)
    found = [error.get("message"), error.get("code")]
    found += [body.get(name) for name in ("message", "detail", "details", "text", "error")]
    # The old Hub, and the routers before registries, answer with plain text.
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type == "text/plain":
        text = response.content[:_LONGEST_READ].decode(errors="replace").strip()
        # What is marked up, or JSON of a form unknown, tells a person nothing.
        found.append("" if text.startswith(("<", "{", "[")) else text)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


def _body(response: Response) -> dict[str, Any]:
    """Read a refusal's JSON object; empty where it is none."""
    try:
        body = json.loads(response.content or b"null")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def code_of(response: Response) -> str:
    """Return the first code that a registry gives as its reason; empty where it gives none."""
    if response.status_code in OK:
        return ""
    code = _first_error(_body(response)).get("code")
    return code.upper() if isinstance(code, str) else ""


def names_errors(response: Response) -> bool:
    """Tell whether an answer lists errors, whatever its status."""
    # Few do, and reading each of them for that takes time.
    return b'"errors"' in response.content and bool(_body(response).get("errors"))


def _first_error(body: dict[str, Any]) -> dict[str, Any]:
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else errors
    return first if isinstance(first, dict) else {"message": first}
