"""Authorisation as a conversation: each flow yields requests, gets answers, returns the last one.

No flow does I/O of its own. The transport drives it, below the cache, so that neither a token
nor an ``Authorization`` header can reach what is stored.
"""

import base64
import re
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from requests import PreparedRequest, Response

from hubframe.errors import HubframeError, TransportError, UnauthorizedError
from hubframe.wire import statuses
from hubframe.wire.addresses import joined, loses_encryption
from hubframe.wire.credentials import Credential

Flow = Generator[PreparedRequest, Response, Response]

# The Hub's JWT lives ten minutes; nine leave room for a slow request.
HUB_TOKEN_LIFE = 540.0
# The token specification's default where ``expires_in`` is absent, and its least.
LEAST_TOKEN_LIFE = 60.0
_MARGIN = 5.0
_UNAUTHORIZED = 401
_GONE = frozenset({404, 405, 410})


class Auth(Protocol):
    """What the transport needs of a way to authorise."""

    @property
    def identity(self) -> str:
        """What tells one login's cached answers from another's; empty for nobody's."""

    @property
    def login(self) -> str | None:
        """Where the credentials come from, for messages."""

    def flow(self, request: PreparedRequest) -> Flow:
        """Send a request with whatever it takes."""


@dataclass(frozen=True)
class Token:
    """A bearer token and when to stop using it, on this machine's monotonic clock."""

    value: str = field(repr=False)
    expires: float

    @property
    def is_fresh(self) -> bool:
        """Whether it can still be used."""
        return time.monotonic() < self.expires


class Gate:
    """A lock whose waiters share the failure of the one before them.

    Sixteen threads do not ask a host that is down one after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: list[HubframeError] = []

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one thread in at a time."""
        seen = self._failures
        with self._lock:
            if self._failures is not seen:
                raise self._failures[0].with_traceback(None)
            try:
                yield
            except HubframeError as error:
                self._failures = [error]
                raise


class Login:
    """A credential as one server takes it: what was refused is never sent again.

    Too many refused logins lock the user out.
    """

    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self._refusal: str | None = None

    def begin(self) -> Credential:
        """Return the credential, unless it is known to be wrong."""
        if self._refusal:
            raise UnauthorizedError(self._refusal)
        return self.credential

    def check(self, response: Response, asked: str) -> None:
        """Raise for an answer that is no token, and remember a refusal."""
        try:
            statuses.check_login(response, asked, self.credential.source)
        except UnauthorizedError as error:
            if response.status_code == _UNAUTHORIZED:
                self._refusal = str(error)
            raise


class HubAuth:
    """The Hub API's login: a JWT of ten minutes for a password or access token."""

    def __init__(self, hub_url: str, credential: Credential | None) -> None:
        self.hub_url = hub_url
        self.credential = credential
        self._login = Login(credential) if credential else None
        self._token: Token | None = None
        self._gate = Gate()

    @property
    def identity(self) -> str:
        """Empty for anonymous requests."""
        return self.credential.identity if self.credential else ""

    @property
    def login(self) -> str | None:
        """Where the credentials come from."""
        return self.credential.source if self.credential else None

    def flow(self, request: PreparedRequest) -> Flow:
        """Log in first where there is a login, and once more if the JWT is refused."""
        if self._login is None:
            return (yield request)
        token = yield from self._fresh_token(self._login, None)
        response = yield _bearer(request, token)
        if response.status_code != _UNAUTHORIZED:
            return response
        token = yield from self._fresh_token(self._login, token)
        return (yield _bearer(request, token))

    def _fresh_token(
        self, login: Login, refused: Token | None
    ) -> Generator[PreparedRequest, Response, Token]:
        with self._gate.alone():
            if self._token is None or self._token is refused or not self._token.is_fresh:
                value = yield from self._log_in(login)
                self._token = Token(value, time.monotonic() + HUB_TOKEN_LIFE)
            return self._token

    def _log_in(self, login: Login) -> Generator[PreparedRequest, Response, str]:
        credential = login.begin()
        response = yield _post(
            f"{self.hub_url}/v2/auth/token",
            {"identifier": credential.username, "secret": credential.secret},
        )
        if response.status_code in _GONE:
            response = yield _post(
                f"{self.hub_url}/v2/users/login",
                {"username": credential.username, "password": credential.secret},
            )
        asked = f"logging in to Docker Hub as {credential.username}"
        login.check(response, asked)
        return _token_in(response, asked, ("access_token", "token"))


@dataclass(frozen=True)
class Challenge:
    """What a registry wants to see: the scheme of ``WWW-Authenticate`` and its parameters."""

    scheme: str
    parameters: dict[str, str]


_PARAMETER = r'[A-Za-z0-9_.-]+\s*=\s*(?:"(?:\\.|[^"\\])*"|[^\s,"]*)'
_CHALLENGE = re.compile(
    rf"(?P<scheme>[A-Za-z][A-Za-z0-9-]*)(?P<rest>(?:\s+{_PARAMETER}(?:\s*,\s*{_PARAMETER})*)?)"
)
_PAIR = re.compile(r'([A-Za-z0-9_.-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]*))')


def parse_challenge(header: str) -> Challenge | None:
    """Read the first challenge that hubframe can meet; others, such as Negotiate, are skipped.

    Examples
    --------
    >>> parse_challenge('Bearer realm="https://auth.example/token",service="r"').parameters["service"]
    'r'
    """
    for match in _CHALLENGE.finditer(header[:8192]):
        scheme = match["scheme"].lower()
        if scheme in ("bearer", "basic"):
            return Challenge(scheme, _parameters(match["rest"]))
    return None


def _parameters(rest: str) -> dict[str, str]:
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PAIR.findall(rest)
    }


_REPOSITORY = re.compile(r"/v2/(?P<path>.+)/(?:manifests|blobs|tags|referrers)/[^/]+/?$")


def scope_of(url: str) -> str:
    """Return the scope that reading an address of a registry takes; empty for the ping."""
    path = urlsplit(url).path
    if path.rstrip("/").endswith("/v2/_catalog"):
        return "registry:catalog:*"
    match = _REPOSITORY.search(path)
    return f"repository:{match['path']}:pull" if match else ""


class RegistryAuth:
    """A registry's login: none, Basic, or a bearer token for each repository.

    The challenge is asked for once, with a ping; a token is fetched once for each scope and
    shared by all threads until shortly before it expires.
    """

    def __init__(self, url: str, credential: Credential | None) -> None:
        self.url = url
        self.credential = credential
        self._challenge: Challenge | None = None
        self._was_pinged = False
        self._login = Login(credential) if credential else None
        self._tokens: dict[str, Token] = {}
        self._door = Gate()
        self._gates: dict[str, Gate] = {}

    @property
    def identity(self) -> str:
        """Empty for anonymous requests."""
        return self.credential.identity if self.credential else ""

    @property
    def login(self) -> str | None:
        """Where the credentials come from."""
        return self.credential.source if self.credential else None

    def flow(self, request: PreparedRequest) -> Flow:
        """Send with what the registry's challenge asks for; with a new token if one is refused."""
        scope = scope_of(request.url or "")
        yield from self._ping()
        used, is_new = yield from self._authorization(scope, None)
        response = yield _authorized(request, used)
        if response.status_code != _UNAUTHORIZED or is_new:
            return response
        challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
        if challenge is None or (challenge.scheme == "basic" and used):
            return response
        self._challenge = challenge
        renewed, _ = yield from self._authorization(scope, used)
        return (yield _authorized(request, renewed)) if renewed else response

    def _ping(self) -> Generator[PreparedRequest, Response, None]:
        """Ask for the challenge once: some registries leave it out of other answers."""
        if self._was_pinged:
            return
        with self._door.alone():
            if not self._was_pinged:
                response = yield _get(f"{self.url}/v2/")
                if response.status_code == _UNAUTHORIZED:
                    header = response.headers.get("WWW-Authenticate", "")
                    self._challenge = parse_challenge(header)
                self._was_pinged = True

    def _authorization(
        self, scope: str, refused: str | None
    ) -> Generator[PreparedRequest, Response, tuple[str | None, bool]]:
        """Return the header's value, and whether it was made just now."""
        challenge = self._challenge
        if challenge is None:
            return None, False
        if challenge.scheme == "basic":
            return (_basic(self.credential) if self.credential else None), False
        with self._gates.setdefault(scope, Gate()).alone():
            token = self._tokens.get(scope)
            if token and token.is_fresh and f"Bearer {token.value}" != refused:
                return f"Bearer {token.value}", False
            token = yield from self._fetch_token(challenge, scope)
            self._tokens[scope] = token
            return f"Bearer {token.value}", True

    def _fetch_token(
        self, challenge: Challenge, scope: str
    ) -> Generator[PreparedRequest, Response, Token]:
        request = _get(self._token_url(challenge, scope))
        if self._login:
            request.headers["Authorization"] = _basic(self._login.begin())
        received = time.monotonic()
        response = yield request
        asked = f"a token of {urlsplit(self.url).netloc} for {scope or 'its API'}"
        self._check(response, asked)
        value = _token_in(response, asked, ("token", "access_token"))
        life = max(_seconds(response.json().get("expires_in")), LEAST_TOKEN_LIFE)
        return Token(value, received + life - _MARGIN)

    def _check(self, response: Response, asked: str) -> None:
        if self._login:
            self._login.check(response, asked)
        elif response.status_code in (401, 403):
            raise UnauthorizedError(
                f"{asked}: refused to anonymous users; there is no such repository, or it needs "
                "a login: give Client(credentials=…)"
            )
        else:
            statuses.check_login(response, asked, None)

    def _token_url(self, challenge: Challenge, scope: str) -> str:
        """Add service and scope to the realm, which may hold a query of its own."""
        address = joined(f"{self.url}/v2/", challenge.parameters.get("realm", ""), "its realm")
        realm = urlsplit(address)
        if loses_encryption(self.url, address):
            raise TransportError(
                f"{urlsplit(self.url).netloc} sends its logins to {realm.netloc} in the clear; "
                "no credentials were sent"
            )
        query = parse_qsl(realm.query, keep_blank_values=True)
        service = challenge.parameters.get("service")
        query += [("service", service)] if service else []
        query += [("scope", scope)] if scope else []
        return urlunsplit((realm.scheme, realm.netloc, realm.path, urlencode(query), ""))


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else 0.0  # noqa: PLR2004


def _token_in(response: Response, asked: str, names: tuple[str, ...]) -> str:
    """Read a token without ever quoting the answer that holds it."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    for name in names:
        value = body.get(name) if isinstance(body, dict) else None
        if isinstance(value, str) and value and value.isprintable() and value.isascii():
            return value
    raise TransportError(f"{asked}: {urlsplit(response.url).netloc} answered without a token")


def _basic(credential: Credential) -> str:
    pair = f"{credential.username}:{credential.secret}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _bearer(request: PreparedRequest, token: Token) -> PreparedRequest:
    return _authorized(request, f"Bearer {token.value}")


def _authorized(request: PreparedRequest, value: str | None) -> PreparedRequest:
    """Return a copy that carries the header: the original goes back to the cache."""
    copy = request.copy()
    if value:
        copy.headers["Authorization"] = value
    return copy


def _get(url: str) -> PreparedRequest:
    return requests.Request("GET", url).prepare()


def _post(url: str, body: dict[str, str]) -> PreparedRequest:
    return requests.Request("POST", url, json=body).prepare()
