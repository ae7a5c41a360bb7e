"""Who asks, and with what: each way to authorise sends a request with what its server takes.

They send through the transport, below the cache, so that neither a token nor an ``Authorization``
header can reach what is stored.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests import PreparedRequest, Request, Response

from hubframe.errors import TransportError, UnauthorizedError
from hubframe.oci.reference import DOCKER_HUB
from hubframe.wire import statuses
from hubframe.wire.addresses import joined, loses_encryption, netloc, on_own_host, origin
from hubframe.wire.challenges import Challenge, parse_challenges, purpose_of, scope_of
from hubframe.wire.credentials import Credential, log_in
from hubframe.wire.shared_work import SharedWork

Send = Callable[[PreparedRequest], Response]

# The Hub's JWT lives ten minutes; nine leave room for a slow request.
HUB_TOKEN_LIFE = 540.0
# The token specification's default where ``expires_in`` is absent, and its least.
LEAST_TOKEN_LIFE = 60.0
_MARGIN = 5.0
# What is more is no number of seconds.
_LONGEST_LIFE = 1e9
# How many tokens of a registry are remembered, and how long a scope may be that it names.
_MOST_TOKENS, _LONGEST_SCOPE = 1000, 1000
# A token may have expired, and the new one lack the scope that the registry then names.
_MOST_TRIES = 2
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
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

    def is_good(self, refused: Header | None) -> bool:
        """Whether it can still be used."""
        return self.header != refused and time.monotonic() < self.expires


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
            statuses.check_login(response, asked, self.credential.source, self._registry)
        except UnauthorizedError as error:
            if response.status_code == _UNAUTHORIZED:
                self._refusal = str(error)
            raise


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
        self._logins: SharedWork[Header] = SharedWork()

    def send(self, request: PreparedRequest, send: Send) -> Response:
        """Log in first where there is a login, and once more if the JWT is refused."""
        if self._login is None:
            return send(request)
        header = self._header(send, self._login, None)
        response = send(_authorized(request, header))
        if response.status_code != _UNAUTHORIZED:
            return response
        return send(_authorized(request, self._header(send, self._login, header)))

    def _header(self, send: Send, login: Login, refused: Header | None) -> Header:
        token = self._token
        if token is not None and token.is_good(refused):
            return token.header
        with self._logins.join(refused) as work:
            if work.is_mine:
                # Meanwhile another thread may have done it.
                token = self._token
                is_good = token is not None and token.is_good(refused)
                work.outcome = token.header if token and is_good else self._log_in(send, login)
        return work.outcome  # type: ignore[no-any-return]

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
        header = _token_in(response, asked, ("access_token", "token"))
        self._token = Token(header, time.monotonic() + HUB_TOKEN_LIFE)
        return header


class Endpoint:
    """Where a registry is, and what it asks for: everybody who comes to it is told the same.

    Some registries tell only at a ping, and leave the challenge out of other answers.
    """

    def __init__(self, url: str, registry: str) -> None:
        self.url = url
        self.registry = registry
        self.challenges: list[Challenge] = []
        self._was_pinged = False
        self._pings: SharedWork[None] = SharedWork()

    @property
    def netloc(self) -> str:
        """The registry's host, for messages."""
        return netloc(self.url)

    def ping(self, send: Send) -> None:
        """Ask for the challenge, once."""
        if self._was_pinged:
            return
        with self._pings.join("") as work:
            if work.is_mine and not self._was_pinged:
                self.learn(send(_get(f"{self.url}/v2/")))
                self._was_pinged = True

    def learn(self, response: Response) -> None:
        """Take note of what a refusal asks for."""
        if response.status_code == _UNAUTHORIZED:
            found = parse_challenges(response.headers.get("WWW-Authenticate", ""))
            self.challenges = found or self.challenges


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
        # By scope; and the scopes that challenges named, by what was asked.
        self._tokens: dict[str, Token] = {}
        self._named: dict[str, str] = {}
        self._lock = threading.Lock()
        self._fetches: SharedWork[Header | None] = SharedWork()

    def send(self, request: PreparedRequest, send: Send) -> Response:
        """Send with what the registry's challenge asks for.

        A token that is refused is renewed, and one for the scope that the challenge names is
        asked for where that is another: each once.
        """
        self._endpoint.ping(send)
        purpose = purpose_of(request.url or "")
        scope = self._named.get(purpose, scope_of(request.url or ""))
        try:
            used, is_new = self._header(send, scope, None)
            response = send(_authorized(request, used))
        except UnauthorizedError:
            # The token server may know another scope, which only the challenge names.
            used, is_new, response = None, True, send(request)
            is_open = self._login is None and response.ok
            if not is_open and self._named_scope(response) in ("", scope):
                raise
        for _ in range(_MOST_TRIES):
            challenge = self._challenge_of(response, used)
            if challenge is None or (challenge.scheme == "basic" and used):
                break
            named = self._named_scope(response)
            is_other = named not in ("", scope)
            if is_new and not is_other:
                break
            if is_other:
                self._keep(self._named, purpose, named)
                scope = named
            renewed, is_new = self._header(send, scope, used)
            if renewed is None or renewed == used:
                break
            used = renewed
            response = send(_authorized(request, used))
        self._check_given_token(response, scope)
        return response

    def _named_scope(self, response: Response) -> str:
        """Return the scope that a refusal asks for; empty for none."""
        challenge = self._challenge_of(response, None)
        return challenge.parameters.get("scope", "")[:_LONGEST_SCOPE] if challenge else ""

    def _challenge_of(self, response: Response, used: Header | None) -> Challenge | None:
        """Return the challenge to meet after a refusal; None where the answer is none."""
        if response.status_code == _UNAUTHORIZED:
            self._endpoint.learn(response)
            return self._challenge()
        # Amazon's public registry says so of a token that has expired, and nothing else.
        return self._challenge() if response.status_code == _BAD_REQUEST and used else None

    def _challenge(self) -> Challenge | None:
        """Return the first challenge that can be met; else the first, whose message helps."""
        found = self._endpoint.challenges
        met = (one for one in found if len(found) == 1 or self._can_meet(one))
        return next(met, found[0] if found else None)

    def _can_meet(self, challenge: Challenge) -> bool:
        login = self.credential
        if challenge.scheme == "basic":
            return login is not None and login.basic is not None and not login.identity_token
        with suppress(TransportError):
            return bool(login and login.registry_token) or bool(self._realm(challenge))
        return False

    def _header(self, send: Send, scope: str, refused: Header | None) -> tuple[Header | None, bool]:
        """Return what to authorise with, and whether it was made just now."""
        challenge = self._challenge()
        if challenge is None:
            return None, False
        if challenge.scheme == "basic":
            return self._basic(send), False
        if self.credential and self.credential.registry_token:
            return Header(f"Bearer {self.credential.registry_token}"), False
        token = self._tokens.get(scope)
        if token is not None and token.is_good(refused):
            return token.header, False
        with self._fetches.join((scope, refused)) as work:
            if work.is_mine:
                # Meanwhile another thread may have done it.
                token = self._tokens.get(scope)
                is_good = token is not None and token.is_good(refused)
                work.outcome = (
                    token.header if token and is_good else self._fetch_token(send, challenge, scope)
                )
        return work.outcome, True

    def _basic(self, send: Send) -> Header | None:
        """Return the login itself, once a ping has told that it is right.

        So a wrong one is sent once, and a 401 for one repository spoils no other.
        """
        if self._login is None or self._login.credential.basic is None:
            return None
        if not self._is_proven:
            with self._fetches.join("") as work:
                if work.is_mine and not self._is_proven:
                    self._prove(send, self._login)
        return _basic(self._login.begin())

    def _prove(self, send: Send, login: Login) -> None:
        ping = _get(f"{self._endpoint.url}/v2/")
        response = send(_authorized(ping, _basic(login.begin())))
        if response.status_code == _UNAUTHORIZED:
            login.check(response, f"logging in to {self._endpoint.netloc}")
        self._is_proven = True

    def _check_given_token(self, response: Response, scope: str) -> None:
        """Tell of a bearer token that was given, and refused: nothing better can be had for it."""
        if self.credential and self.credential.registry_token:
            asked = f"{scope or 'the API'} of {self._endpoint.netloc}"
            if response.status_code == _UNAUTHORIZED:
                statuses.check_login(
                    response, asked, self.credential.source, self._endpoint.registry
                )

    def _fetch_token(self, send: Send, challenge: Challenge, scope: str) -> Header:
        received = time.monotonic()
        response = self._ask_for_token(send, challenge, scope)
        asked = f"a token of {self._endpoint.netloc} for {scope or 'its API'}"
        self._check(response, asked)
        header = _token_in(response, asked, ("token", "access_token"))
        life = max(_seconds(response.json().get("expires_in")), LEAST_TOKEN_LIFE)
        self._keep(self._tokens, scope, Token(header, received + life - _MARGIN))
        return header

    def _keep(self, held: dict[str, Any], key: str, value: Any) -> None:
        """Remember something, and forget what was remembered first where there is too much."""
        with self._lock:
            held.pop(key, None)
            held[key] = value
            if len(held) > _MOST_TOKENS:
                del held[next(iter(held))]

    def _ask_for_token(self, send: Send, challenge: Challenge, scope: str) -> Response:
        request = self._token_request(challenge, scope)
        if self._login is None:
            return self._send_on(request, send)
        credential = self._login.begin()
        if not (credential.identity_token and self._takes_forms):
            return self._send_on(_authorized(request, _basic(credential)), send)
        posted = self._send_on(self._form(challenge, scope, credential), send)
        if posted.status_code not in _NO_FORM:
            return posted
        response = self._send_on(_authorized(request, _basic(credential)), send)
        self._takes_forms = not response.ok
        # A server that knows the form has said it best.
        is_refused = posted.status_code == _UNAUTHORIZED and not response.ok
        return posted if is_refused else response

    def _send_on(self, request: PreparedRequest, send: Send) -> Response:
        """Send to the token server, and on where it redirects to itself: a login goes no further.

        No variable holds an address: it may be signed.
        """
        for _ in range(_MOST_REDIRECTS):
            response = send(request)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not location:
                break
            request = request.copy()
            request.url = on_own_host(joined(response.url, location, "where to go"), response.url)
            if origin(request.url) != origin(response.url):
                raise TransportError(
                    f"{netloc(response.url)}, which gives the tokens of {self._endpoint.netloc}, "
                    f"redirects to {netloc(request.url)}; not followed: no credentials go there"
                )
        return response

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
            statuses.check_login(response, asked, None, self._endpoint.registry)

    def _realm(self, challenge: Challenge) -> str:
        """Return where tokens are had."""
        here = f"{self._endpoint.url}/v2/"
        named = challenge.parameters.get("realm", "")
        if not named:
            raise TransportError(f"{self._endpoint.netloc} does not tell where its tokens are had")
        address = on_own_host(joined(here, named, "its realm"), here)
        there = netloc(address)
        if not loses_encryption(here, address):
            return address
        # A server's address may repeat a login, and some tracebacks show variables.
        del address, named
        raise TransportError(
            f"{self._endpoint.netloc} sends its logins to {there} in the clear; no credentials "
            "were sent"
        )

    def _token_request(self, challenge: Challenge, scope: str) -> PreparedRequest:
        """Add service and scopes to the realm, which may hold a query of its own."""
        realm = urlsplit(self._realm(challenge))
        query = parse_qsl(realm.query, keep_blank_values=True)
        service = challenge.parameters.get("service")
        query += [("service", service)] if service else []
        query += [("scope", one) for one in scope.split()]
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
