"""Who asks, and with what: each way to authorise sends a request with what its server takes.

A way is a flow, as httpx calls it: a generator that yields requests, is sent their answers, and
returns the last one. The transport sends them, below the cache, so that neither a token nor an
``Authorization`` header can reach what is stored.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests import PreparedRequest, Request, Response

from hubframe.errors import TransportError, UnauthorizedError
from hubframe.oci.reference import DOCKER_HUB
from hubframe.wire import statuses
from hubframe.wire.addresses import joined, loses_encryption, netloc, on_own_host, origin
from hubframe.wire.challenges import Challenge, parse_challenges, purpose_of, scope_of
from hubframe.wire.credentials import Credential, log_in
from hubframe.wire.shared_work import SharedWork

Outcome = TypeVar("Outcome")
Flow = Generator[PreparedRequest, Response, Outcome]

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
_UNAUTHORIZED = 401
_BAD_REQUEST = 400
_GONE = frozenset({404, 405, 410})
# What token servers answer that do not know the form for identity tokens: Google's, Azure's and
# JFrog's among them.
_NO_FORM = frozenset({400, 401, 404, 405})
_CLIENT_ID = "hubframe"


@dataclass(frozen=True)
class Token:
    """The value of an ``Authorization`` header, and when to stop using it (monotonic).

    Tracebacks that show variables show none of it.
    """

    value: str = field(repr=False)
    expires: float = field(default=float("inf"), compare=False)

    def is_good(self, refused: "Token | None") -> bool:
        """Whether it can still be used."""
        return self != refused and time.monotonic() < self.expires


class Auth:
    """Who asks: a credential, or nobody in particular.

    A credential that was refused is never sent again: too many refused logins lock the user out.
    """

    def __init__(self, credential: Credential | None, registry: str) -> None:
        self.credential = credential
        self._registry = registry
        self._refusal = ""
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._fetches: SharedWork[Token] = SharedWork()

    @property
    def identity(self) -> str:
        """What tells one login's cached answers from another's; empty for anonymous requests."""
        return self.credential.identity if self.credential else ""

    @property
    def login(self) -> str | None:
        """Where the credentials come from, for messages."""
        return self.credential.source if self.credential else None

    def flow(self, request: PreparedRequest) -> Flow[Response]:
        """Send a request with whatever it takes."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Go on, unless the credential is known to be wrong."""
        if self._refusal:
            raise UnauthorizedError(self._refusal)

    def _check(self, response: Response, asked: str) -> None:
        """Raise for an answer that is no token, and remember a refusal."""
        try:
            statuses.check_login(response, asked, self.login, self._registry)
        except UnauthorizedError as error:
            if response.status_code == _UNAUTHORIZED:
                self._refusal = str(error)
            raise

    def _token(
        self, scope: str, refused: Token | None, fetch: Callable[[str], Flow[Token]]
    ) -> Flow[tuple[Token, bool]]:
        """Return a token for a scope, fetched once for all threads, and whether it is new."""
        token = self._tokens.get(scope)
        if token is not None and token.is_good(refused):
            return token, False
        with self._fetches.join((scope, refused)) as work:
            if work.is_mine:
                # Meanwhile another thread may have done it.
                token = self._tokens.get(scope)
                if token is None or not token.is_good(refused):
                    token = yield from fetch(scope)
                    self._keep(self._tokens, scope, token)
                work.outcome = token
        return work.outcome, True

    def _keep(self, held: dict[str, Any], key: str, value: Any) -> None:
        """Remember something, and forget what was remembered first where there is too much."""
        with self._lock:
            held.pop(key, None)
            held[key] = value
            if len(held) > _MOST_TOKENS:
                del held[next(iter(held))]


class HubAuth(Auth):
    """The Hub API's login: a JWT of ten minutes for a password or access token."""

    def __init__(self, hub_url: str, credential: Credential | None) -> None:
        super().__init__(credential, DOCKER_HUB)
        self.hub_url = hub_url

    def flow(self, request: PreparedRequest) -> Flow[Response]:
        """Log in first where there is a login, and once more if the JWT is refused."""
        if self.credential is None:
            return (yield request)
        fetch = partial(self._log_in, self.credential)
        token, _ = yield from self._token("", None, fetch)
        response = yield _authorized(request, token)
        if response.status_code != _UNAUTHORIZED:
            return response
        token, _ = yield from self._token("", token, fetch)
        return (yield _authorized(request, token))

    def _log_in(self, credential: Credential, _scope: str) -> Flow[Token]:
        self._begin()
        # Not in a variable: some tracebacks show these.
        response = yield _prepared(
            "POST",
            f"{self.hub_url}/v2/auth/token",
            json={"identifier": credential.username, "secret": credential.secret},
        )
        if response.status_code in _GONE:
            response = yield _prepared(
                "POST",
                f"{self.hub_url}/v2/users/login",
                json={"username": credential.username, "password": credential.secret},
            )
        asked = f"logging in to Docker Hub as {credential.username}"
        self._check(response, asked)
        token = _token_in(response, asked, ("access_token", "token"))
        return replace(token, expires=time.monotonic() + HUB_TOKEN_LIFE)


class ApiAuth(Auth):
    """A login that an API takes as it is, as the value of a header of each request.

    `value` makes it of a credential; None for one that the API does not take, and then it is asked
    anonymously.
    """

    def __init__(
        self,
        credential: Credential | None,
        registry: str,
        value: Callable[[Credential], str | None],
    ) -> None:
        is_taken = credential is not None and value(credential) is not None
        super().__init__(credential if is_taken else None, registry)
        self._value = value
        self._is_proven = False

    def flow(self, request: PreparedRequest) -> Flow[Response]:
        """Send with the login; one at a time until it was seen to be right."""
        if self.credential is None:
            return (yield request)
        if not self._is_proven:
            with self._fetches.join("") as work:
                if work.is_mine and not self._is_proven:
                    response = yield from self._sent(request, self.credential)
                    self._is_proven = response.ok
                    return response
        return (yield from self._sent(request, self.credential))

    def _sent(self, request: PreparedRequest, credential: Credential) -> Flow[Response]:
        self._begin()
        # Not in a variable: some tracebacks show these.
        response = yield _authorized(request, Token(self._value(credential) or ""))
        if response.status_code == _UNAUTHORIZED:
            self._check(response, f"logging in to the API of {self._registry}")
        return response


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

    def ping(self) -> Flow[None]:
        """Ask for the challenge, once."""
        if self._was_pinged:
            return
        with self._pings.join("") as work:
            if work.is_mine and not self._was_pinged:
                self.learn((yield _prepared("GET", f"{self.url}/v2/")))
                self._was_pinged = True

    def learn(self, response: Response) -> None:
        """Take note of what a refusal asks for."""
        if response.status_code == _UNAUTHORIZED:
            found = parse_challenges(response.headers.get("WWW-Authenticate", ""))
            self.challenges = found or self.challenges


class RegistryAuth(Auth):
    """A registry's login: none, Basic, or a bearer token for each repository.

    A token is fetched once for each scope, and shared by all threads until shortly before it
    expires.
    """

    def __init__(self, endpoint: Endpoint, credential: Credential | None) -> None:
        super().__init__(credential, endpoint.registry)
        self._endpoint = endpoint
        self._netloc = netloc(endpoint.url)
        self._is_proven = False
        self._takes_forms = True
        # The scopes that challenges named, by what was asked.
        self._named: dict[str, str] = {}

    def flow(self, request: PreparedRequest) -> Flow[Response]:
        """Send with what the registry's challenge asks for.

        A token that is refused is renewed, and one for the scope that the challenge names is
        asked for where that is another: each once.
        """
        yield from self._endpoint.ping()
        purpose = purpose_of(request.url or "")
        scope = self._named.get(purpose, scope_of(request.url or ""))
        try:
            used, is_new = yield from self._authorization(scope, None)
            response = yield _authorized(request, used)
        except UnauthorizedError:
            # The token server may know another scope, which only the challenge names.
            used, is_new, response = None, True, (yield request)
            is_open = self.credential is None and response.ok
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
            renewed, is_new = yield from self._authorization(scope, used)
            if renewed is None or renewed == used:
                break
            used = renewed
            response = yield _authorized(request, used)
        is_given = self.credential is not None and bool(self.credential.registry_token)
        if is_given and response.status_code == _UNAUTHORIZED:
            # Nothing better can be had for it.
            asked = f"{scope or 'the API'} of {self._netloc}"
            statuses.check_login(response, asked, self.login, self._registry)
        return response

    def _named_scope(self, response: Response) -> str:
        """Return the scope that a refusal asks for; empty for none."""
        challenge = self._challenge_of(response, None)
        return challenge.parameters.get("scope", "")[:_LONGEST_SCOPE] if challenge else ""

    def _challenge_of(self, response: Response, used: Token | None) -> Challenge | None:
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

    def _authorization(self, scope: str, refused: Token | None) -> Flow[tuple[Token | None, bool]]:
        """Return what to authorise with, and whether it was made just now."""
        challenge = self._challenge()
        if challenge is None:
            return None, False
        if challenge.scheme == "basic":
            return (yield from self._basic()), False
        if self.credential and self.credential.registry_token:
            return Token(f"Bearer {self.credential.registry_token}"), False
        return (yield from self._token(scope, refused, partial(self._fetch, challenge)))

    def _basic(self) -> Flow[Token | None]:
        """Return the login itself, once a ping has told that it is right.

        So a wrong one is sent once, and a 401 for one repository spoils no other.
        """
        if self.credential is None or self.credential.basic is None:
            return None
        if not self._is_proven:
            with self._fetches.join("") as work:
                if work.is_mine and not self._is_proven:
                    self._begin()
                    ping = _prepared("GET", f"{self._endpoint.url}/v2/")
                    response = yield _authorized(ping, Token(self.credential.basic))
                    if response.status_code == _UNAUTHORIZED:
                        self._check(response, f"logging in to {self._netloc}")
                    self._is_proven = True
        self._begin()
        return Token(self.credential.basic)

    def _fetch(self, challenge: Challenge, scope: str) -> Flow[Token]:
        received = time.monotonic()
        response = yield from self._ask_for_token(challenge, scope)
        asked = f"a token of {self._netloc} for {scope or 'its API'}"
        if self.credential is None and response.status_code in (401, 403):
            raise UnauthorizedError(
                f"{asked}: refused to anonymous users; there is no such repository, or it needs "
                f"a login: {log_in(self._registry)}"
            )
        self._check(response, asked)
        token = _token_in(response, asked, ("token", "access_token"))
        life = max(_seconds(response.json().get("expires_in")), LEAST_TOKEN_LIFE)
        return replace(token, expires=received + life - _MARGIN)

    def _ask_for_token(self, challenge: Challenge, scope: str) -> Flow[Response]:
        request = self._token_request(challenge, scope)
        self._begin()
        credential = self.credential
        if credential is None:
            return (yield from self._redirected(request))
        posted = None
        if credential.identity_token and self._takes_forms:
            posted = yield from self._redirected(self._form(challenge, scope, credential))
            if posted.status_code not in _NO_FORM:
                return posted
        login = Token(credential.basic) if credential.basic else None
        response = yield from self._redirected(_authorized(request, login))
        if posted is None:
            return response
        self._takes_forms = not response.ok
        # A server that knows the form has said it best.
        is_refused = posted.status_code == _UNAUTHORIZED and not response.ok
        return posted if is_refused else response

    def _redirected(self, request: PreparedRequest) -> Flow[Response]:
        """Send to the token server, and on where it redirects to itself: a login goes no further.

        No variable holds an address: it may be signed.
        """
        for _ in range(_MOST_REDIRECTS):
            response = yield request
            location = response.headers.get("Location")
            if not (response.is_redirect and location):
                break
            request = request.copy()
            request.url = on_own_host(joined(response.url, location, "where to go"), response.url)
            if origin(request.url) != origin(response.url):
                raise TransportError(
                    f"{netloc(response.url)}, which gives the tokens of {self._netloc}, "
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

    def _realm(self, challenge: Challenge) -> str:
        """Return where tokens are had."""
        here = f"{self._endpoint.url}/v2/"
        named = challenge.parameters.get("realm", "")
        if not named:
            raise TransportError(f"{self._netloc} does not tell where its tokens are had")
        address = on_own_host(joined(here, named, "its realm"), here)
        there = netloc(address)
        if not loses_encryption(here, address):
            return address
        # A server's address may repeat a login, and some tracebacks show variables.
        del address, named
        raise TransportError(
            f"{self._netloc} sends its logins to {there} in the clear; no credentials were sent"
        )

    def _token_request(self, challenge: Challenge, scope: str) -> PreparedRequest:
        """Add service and scopes to the realm, which may hold a query of its own."""
        realm = urlsplit(self._realm(challenge))
        query = parse_qsl(realm.query, keep_blank_values=True)
        service = challenge.parameters.get("service")
        query += [("service", service)] if service else []
        query += [("scope", one) for one in scope.split()]
        return _prepared(
            "GET", urlunsplit((realm.scheme, realm.netloc, realm.path, urlencode(query), ""))
        )


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < _LONGEST_LIFE else 0.0


def _token_in(response: Response, asked: str, names: tuple[str, ...]) -> Token:
    """Read a token without ever quoting the answer that holds it."""
    found = _found_token(response, names)
    if found is None:
        raise TransportError(f"{asked}: {netloc(response.url)} answered without a token")
    return found


def _found_token(response: Response, names: tuple[str, ...]) -> Token | None:
    """Look for a token; nothing is raised here, where the answer is in a variable."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    for name in names:
        value = body.get(name) if isinstance(body, dict) else None
        if isinstance(value, str) and value and value.isprintable() and value.isascii():
            return Token(f"Bearer {value}")
    return None


def _authorized(request: PreparedRequest, header: Token | None) -> PreparedRequest:
    """Return a copy that carries the header: the original goes back to the cache."""
    if header is None:
        return request
    copy = request.copy()
    copy.headers["Authorization"] = header.value
    return copy


def _prepared(method: str, url: str, **body: dict[str, str]) -> PreparedRequest:
    return Request(method, url, **body).prepare()
