"""HTTP statuses become errors here and nowhere else."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from requests import Response

from hubframe.errors import (
    BlockedError,
    HubframeError,
    Limit,
    NotFoundError,
    RateLimitError,
    TransportError,
    UnauthorizedError,
)

OK = range(200, 300)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_LONGEST_QUOTE = 200


def check(response: Response, asked: str, login: str | None = None) -> Response:
    """Return an answer that is one, and raise for every other.

    Parameters
    ----------
    response
        What came back.
    asked
        What was asked, in words.
    login
        Where the credentials came from that were used, None for none.

    Raises
    ------
    HubframeError
        The answer is a refusal or a failure.
    """
    if response.status_code in OK and not _is_page(response):
        return response
    raise error_of(response, asked, login)


def check_login(response: Response, asked: str, login: str | None) -> Response:
    """Return the answer to a login that is one; quote none, since it may quote the secret.

    Raises
    ------
    HubframeError
        The login was refused, or it failed.
    """
    if response.status_code == 401:  # noqa: PLR2004
        raise _unauthorized(asked, urlsplit(response.url).netloc, 401, "", login)
    if response.status_code in OK:
        return response
    raise error_of(response, asked, login, quote=False)


def error_of(
    response: Response, asked: str, login: str | None = None, *, quote: bool = True
) -> HubframeError:
    """Return the error that a refusal stands for."""
    host = urlsplit(response.url).netloc
    status = response.status_code
    said = _said(response) if quote else ""
    if status == 429:  # noqa: PLR2004
        return _rate_limit(response, asked, host, said)
    if _is_wall(response) or status in OK:
        return BlockedError(
            f"{asked}: something before {host} answered ({status}) with a page for people, not the "
            "API: a bot wall or a login of the network. Wait a while, or ask from another network"
        )
    if status == 404 or (status == 401 and _is_bearer(response)):  # noqa: PLR2004
        return NotFoundError(
            f"{asked}: {host} has no such thing, or it is private to you{said}. "
            f"{_who(login)}; check the spelling, or log in as somebody who may read it"
        )
    if status in (401, 403):
        return _unauthorized(asked, host, status, said, login)
    return TransportError(
        f"{asked}: {host} answered {status} {response.reason or ''}{said}".rstrip()
    )


def _unauthorized(
    asked: str, host: str, status: int, said: str, login: str | None
) -> UnauthorizedError:
    if login is None:
        return UnauthorizedError(
            f"{asked}: {host} needs a login ({status}){said}. Give Client(credentials=…), or for "
            "Docker Hub set DOCKER_USERNAME and DOCKER_PASSWORD"
        )
    verb = "refused the credentials" if status == 401 else "does not allow it with the login"  # noqa: PLR2004
    return UnauthorizedError(f"{asked}: {host} {verb} from {login} ({status}){said}")


def _rate_limit(response: Response, asked: str, host: str, said: str) -> RateLimitError:
    wait = retry_after(response.headers)
    when = f"try again in {wait:.0f} s" if wait is not None else "try again later"
    return RateLimitError(
        f"{asked}: {host} asks to slow down (429{said}); {when}, or log in for a limit of your own",
        retry_after=wait,
        limit=_limit(response),
    )


def _limit(response: Response) -> Limit:
    """Tell the limits apart: the abuse limit speaks plain text wherever it strikes."""
    text = response.content[:4096].lower()
    if b"pull rate limit" in text or "RateLimit-Limit" in response.headers:
        return "pull"
    if text and not _body(response):
        return "abuse"
    return "pull" if "/manifests/" in urlsplit(response.url).path else "hub"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, a number or a date, where it names some."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _who(login: str | None) -> str:
    return f"Asked with the login from {login}" if login else "Asked anonymously"


def _is_bearer(response: Response) -> bool:
    """A token was issued, and does not open this: registries grant less instead of refusing."""
    return "bearer" in response.headers.get("WWW-Authenticate", "").lower()


def _is_wall(response: Response) -> bool:
    """Cloudflare refuses in HTML, or with a bare ``error code: 1010``."""
    if response.status_code not in (403, 503):
        return False
    return _is_page(response) or response.content[:11] == b"error code:"


def _is_page(response: Response) -> bool:
    """Whether a web page came: a portal answers with one, and with 200."""
    is_html = "html" in response.headers.get("Content-Type", "").lower()
    return is_html and response.content.lstrip()[:1] == b"<"


def _said(response: Response) -> str:
    """Return what the other side says, as a clause, without a stranger's control characters."""
    message = _message(response)
    if not message:
        return ""
    short = _CONTROL.sub(" ", message).strip()[:_LONGEST_QUOTE]
    return f": {short}"


def _message(response: Response) -> str:
    return _message_in(_body(response))


def _body(response: Response) -> dict[str, Any]:
    """Read a refusal's JSON object; empty where it is none."""
    try:
        body = json.loads(response.content or b"null")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _message_in(body: dict[str, Any]) -> str:
    """The Hub says ``message``, ``detail`` or ``text``; registries list ``errors``."""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("message") or errors[0].get("code") or "")
    said = body.get("message") or body.get("detail") or body.get("text")
    return said if isinstance(said, str) else ""
