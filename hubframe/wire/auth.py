"""Who asks, and with what: each way to authorise sends a request with what its server takes.

They send through the transport, below the cache, so that neither a token nor an ``Authorization``
header can reach what is stored.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests import PreparedRequest, Request, Response

from hubframe.errors import ASK_ANONYMOUSLY, HubframeError, TransportError, UnauthorizedError
from hubframe.oci.reference import DOCKER_HUB
from hubframe.wire import statuses
from hubframe.wire.addresses import joined, loses_encryption, netloc
from hubframe.wire.challenges import Challenge, parse_challenge, scope_of
from hubframe.wire.credentials import Credential, log_in

Send = Callable[[PreparedRequest], Response]

# The Hub's JWT lives ten minutes; nine leave room for a slow request.
HUB_TOKEN_LIFE = 540.0
# The token specification's default where ``expires_in`` is absent, and its least.
LEAST_TOKEN_LIFE = 60.0
_MARGIN = 5.0
# What is more is no number of seconds.
_LONGEST_LIFE = 1e9
_UNAUTHORIZED = 401
_BAD_REQUEST = 400
_GONE = frozenset({404, 405, 410})
# What token servers answer that do not know the form for identity tokens: Google's, Azure's and
# JFrog's among them.
_NO_FORM = frozenset({400, 401, 404, 405})
_CLIENT_ID = "hubframe"


class Auth(Protocol):
    """What the transport needs of a way to authorise."""

    @property
    def identity(self) -> str:
        """What tells one login's cached answers from another's; empty for nobody's."""

    @property
    def login(self) -> str | None:
        """Where the credentials come from, for messages."""

    def send(self, request: PreparedRequest, send: Send) -> Response:
        """Send a request with whatever it takes."""


@dataclass(frozen=True)
class Header:
    """The value of an ``Authorization`` header; tracebacks that show variables show none of it."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """A bearer token and when to stop using it, on this machine's monotonic clock."""

    header: Header
    expires: float

    @property
    def is_fresh(self) -> bool:
        """Whether it can still be used."""
        return time.monotonic() < self.expires


class ApiAuth:
    """Finds who asks at an address: a registry may have a login for each of its namespaces.

    Parameters
    ----------
    find
        The credential for an address.
    make
        What authorises with it.
    """

    def __init__(
        self,
        find: Callable[[str], Credential | None],
        make: Callable[[Credential | None], Auth],
    ) -> None:
        self._find = find
        self._make = make
        self._made: dict[Credential | None, Auth] = {}
        self._lock = threading.Lock()

    def auth_for(self, url: str) -> Auth:
        """Return who asks at an address, the same one for each credential."""
        credential = self._find(url)
        with self._lock:
            if credential not in self._made:
                self._made[credential] = self._make(credential)
            return self._made[credential]


class SharedLock:
    """A lock whose waiters share the failure of the one before them.

    Many threads do not ask a host that is down one after the other.
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

    def __init__(self, credential: Credential, registry: str) -> None:
        self.credential = credential
        self._registry = registry
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
            if response.status_code != _UNAUTHORIZED:
                raise
            advice = f"To log in again, {log_in(self._registry)}; or {ASK_ANONYMOUSLY}"
            refusal = f"{error}. {advice}"
        else:
            return
        self._refusal = refusal
        raise UnauthorizedError(refusal)


class _WithCredential:
    """Who asks: a credential, or nobody in particular."""

    def __init__(self, credential: Credential | None, registry: str) -> None:
        self.credential = credential
        self._login = Login(credential, registry) if credential else None

    @property
    def identity(self) -> str:
        """Empty for anonymous requests."""
        return self.credential.identity if self.credential else ""

    @property
    def login(self) -> str | None:
        """Where the credentials come from."""
        return self.credential.source if self.credential else None


class HubAuth(_WithCredential):
    """The Hub API's login: a JWT of ten minutes for a password or access token."""

    def __init__(self, hub_url: str, credential: Credential | None) -> None:
        super().__init__(credential, DOCKER_HUB)
        self.hub_url = hub_url
        self._token: Token | None = None
        self._lock = SharedLock()

    def send(self, request: PreparedRequest, send: Send) -> Response:
        """Log in first where there is a login, and once more if the JWT is refused."""
        if self._login is None:
            return send(request)
        token = self._fresh_token(send, self._login, None)
        response = send(_authorized(request, token.header))
        if response.status_code != _UNAUTHORIZED:
            return response
        token = self._fresh_token(send, self._login, token)
        return send(_authorized(request, token.header))

    def _fresh_token(self, send: Send, login: Login, refused: Token | None) -> Token:
        with self._lock.alone():
            if self._token is None or self._token is refused or not self._token.is_fresh:
                header = self._log_in(send, login)
                self._token = Token(header, time.monotonic() + HUB_TOKEN_LIFE)
            return self._token

    def _log_in(self, send: Send, login: Login) -> Header:
        credential = login.begin()
        # Not in a variable: some tracebacks show these.
        response = send(
            _post(
                f"{self.hub_url}/v2/auth/token",
                {"identifier": credential.username, "secret": credential.secret},
            )
        )
        if response.status_code in _GONE:
            response = send(
                _post(
                    f"{self.hub_url}/v2/users/login",
                    {"username": credential.username, "password": credential.secret},
                )
            )
        asked = f"logging in to Docker Hub as {credential.username}"
        login.check(response, asked)
        return _token_in(response, asked, ("access_token", "token"))


class Endpoint:
    """Where a registry is, and what it asks for: everybody who comes to it is told the same.

    Some registries tell only at a ping, and leave the challenge out of other answers.
    """

    def __init__(self, url: str, registry: str) -> None:
        self.url = url
        self.registry = registry
        self.challenge: Challenge | None = None
        self._was_pinged = False
        self._lock = SharedLock()

    @property
    def netloc(self) -> str:
        """The registry's host, for messages."""
        return netloc(self.url)

    def ping(self, send: Send) -> None:
        """Ask for the challenge, once."""
        if self._was_pinged:
            return
        with self._lock.alone():
            if not self._was_pinged:
                response = send(_get(f"{self.url}/v2/"))
                if response.status_code == _UNAUTHORIZED:
                    header = response.headers.get("WWW-Authenticate", "")
                    self.challenge = parse_challenge(header)
                self._was_pinged = True


class RegistryAuth(_WithCredential):
    """A registry's login: none, Basic, or a bearer token for each repository.

    A token is fetched once for each scope, and shared by all threads until shortly before it
    expires.
    """

    def __init__(self, endpoint: Endpoint, credential: Credential | None) -> None:
        super().__init__(credential, endpoint.registry)
        self._endpoint = endpoint
        self._is_proven = False
        self._takes_forms = True
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, SharedLock] = {}

    def send(self, request: PreparedRequest, send: Send) -> Response:
        """Send with what the registry's challenge asks for; with a new token if one is refused."""
        self._endpoint.ping(send)
        used, is_new = None, False
        if self._endpoint.challenge is not None:
            used, is_new = self._header(send, scope_of(request.url or ""), None)
        response = send(_authorized(request, used))
        if is_new or response.status_code not in (_UNAUTHORIZED, _BAD_REQUEST):
            return response
        scope = scope_of(request.url or "")
        challenge = parse_challenge(response.headers.get("WWW-Authenticate", ""))
        if response.status_code == _BAD_REQUEST:
            # Amazon's public registry says so of a token that has expired, and nothing else.
            challenge = self._endpoint.challenge if used else None
        if challenge is None or (challenge.scheme == "basic" and used):
            return response
        self._endpoint.challenge = challenge
        renewed, _ = self._header(send, scope, used)
        if renewed is not None and renewed != used:
            response = send(_authorized(request, renewed))
        self._check_given_token(response, scope)
        return response

    def _header(self, send: Send, scope: str, refused: Header | None) -> tuple[Header | None, bool]:
        """Return what to authorise with, and whether it was made just now."""
        challenge = self._endpoint.challenge
        if challenge is None:
            return None, False
        if challenge.scheme == "basic":
            return self._basic(send), False
        if self.credential and self.credential.registry_token:
            return Header(f"Bearer {self.credential.registry_token}"), False
        with self._locks.setdefault(scope, SharedLock()).alone():
            token = self._tokens.get(scope)
            if token and token.is_fresh and token.header != refused:
                return token.header, False
            token = self._fetch_token(send, challenge, scope)
            self._tokens[scope] = token
            return token.header, True

    def _basic(self, send: Send) -> Header | None:
        """Return the login itself, once a ping has told that it is right.

        So a wrong one is sent once, and a 401 for one repository spoils no other.
        """
        if self._login is None or self._login.credential.basic is None:
            return None
        with self._locks.setdefault("", SharedLock()).alone():
            header = _basic(self._login.begin())
            if not self._is_proven:
                response = send(_authorized(_get(f"{self._endpoint.url}/v2/"), header))
                if response.status_code == _UNAUTHORIZED:
                    self._login.check(response, f"logging in to {self._endpoint.netloc}")
                self._is_proven = True
            return header

    def _check_given_token(self, response: Response, scope: str) -> None:
        """Tell of a bearer token that was given, and refused: nothing better can be had for it."""
        if self.credential and self.credential.registry_token:
            asked = f"{scope or 'the API'} of {self._endpoint.netloc}"
            if response.status_code == _UNAUTHORIZED:
                statuses.check_login(response, asked, self.credential.source)

    def _fetch_token(self, send: Send, challenge: Challenge, scope: str) -> Token:
        received = time.monotonic()
        response = self._ask_for_token(send, challenge, scope)
        asked = f"a token of {self._endpoint.netloc} for {scope or 'its API'}"
        self._check(response, asked)
        header = _token_in(response, asked, ("token", "access_token"))
        life = max(_seconds(response.json().get("expires_in")), LEAST_TOKEN_LIFE)
        return Token(header, received + life - _MARGIN)

    def _ask_for_token(self, send: Send, challenge: Challenge, scope: str) -> Response:
        request = self._token_request(challenge, scope)
        if self._login is None:
            return send(request)
        credential = self._login.begin()
        if not (credential.identity_token and self._takes_forms):
            return send(_authorized(request, _basic(credential)))
        posted = send(self._form(challenge, scope, credential))
        if posted.status_code not in _NO_FORM:
            return posted
        response = send(_authorized(request, _basic(credential)))
        self._takes_forms = not response.ok
        # A server that knows the form has said it best.
        is_refused = posted.status_code == _UNAUTHORIZED and not response.ok
        return posted if is_refused else response

    def _form(self, challenge: Challenge, scope: str, credential: Credential) -> PreparedRequest:
        """Ask with an identity token, as OAuth does."""
        # The realm may be refused, and the form must be in no variable then.
        realm = self._realm(challenge)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.identity_token,
            "client_id": _CLIENT_ID,
            "service": challenge.parameters.get("service", ""),
            "scope": scope,
        }
        given = {name: value for name, value in form.items() if value}
        return _prepared("POST", realm, data=given)

    def _check(self, response: Response, asked: str) -> None:
        if self._login:
            self._login.check(response, asked)
        elif response.status_code in (401, 403):
            raise UnauthorizedError(
                f"{asked}: refused to anonymous users; there is no such repository, or it needs "
                f"a login: {log_in(self._endpoint.registry)}"
            )
        else:
            statuses.check_login(response, asked, None)

    def _realm(self, challenge: Challenge) -> str:
        """Return where tokens are had."""
        here = f"{self._endpoint.url}/v2/"
        address = joined(here, challenge.parameters.get("realm", ""), "its realm")
        there = netloc(address)
        if not loses_encryption(here, address):
            return address
        # A server's address may repeat a login, and some tracebacks show variables.
        del address
        raise TransportError(
            f"{self._endpoint.netloc} sends its logins to {there} in the clear; no credentials "
            "were sent"
        )

    def _token_request(self, challenge: Challenge, scope: str) -> PreparedRequest:
        """Add service and scope to the realm, which may hold a query of its own."""
        realm = urlsplit(self._realm(challenge))
        query = parse_qsl(realm.query, keep_blank_values=True)
        service = challenge.parameters.get("service")
        query += [("service", service)] if service else []
        query += [("scope", scope)] if scope else []
        return _get(urlunsplit((realm.scheme, realm.netloc, realm.path, urlencode(query), "")))


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < _LONGEST_LIFE else 0.0


def _token_in(response: Response, asked: str, names: tuple[str, ...]) -> Header:
    """Read a token without ever quoting the answer that holds it."""
    found = _found_token(response, names)
    if found is None:
        raise TransportError(f"{asked}: {netloc(response.url)} answered without a token")
    return found


def _found_token(response: Response, names: tuple[str, ...]) -> Header | None:
    """Look for a token; nothing is raised here, where the answer is in a variable."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    for name in names:
        value = body.get(name) if isinstance(body, dict) else None
        if isinstance(value, str) and value and value.isprintable() and value.isascii():
            return Header(f"Bearer {value}")
    return None


def _basic(credential: Credential) -> Header | None:
    return Header(credential.basic) if credential.basic else None


def _authorized(request: PreparedRequest, header: Header | None) -> PreparedRequest:
    """Return a copy that carries the header: the original goes back to the cache."""
    if header is None:
        return request
    copy = request.copy()
    copy.headers["Authorization"] = header.value
    return copy


def _get(url: str) -> PreparedRequest:
    return _prepared("GET", url)


def _post(url: str, body: dict[str, str]) -> PreparedRequest:
    return _prepared("POST", url, json=body)


def _prepared(method: str, url: str, **body: dict[str, str]) -> PreparedRequest:
    return Request(method, url, **body).prepare()
