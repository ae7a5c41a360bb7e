"""The way of one API's requests: authorisation and redirects.

It is a requests adapter, mounted below the cache. What it returns carries no secret: no
``Authorization``, and no address of a redirect.
"""

from collections.abc import Callable
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from hubframe.errors import TransportError
from hubframe.wire.addresses import (
    joined,
    loses_encryption,
    netloc,
    on_own_host,
    origin,
    path_of,
)
from hubframe.wire.auth import Auth, Flow
from hubframe.wire.exchange import DOCUMENT_LIMIT, LIST_LIMIT, UNREAD, Exchanges, is_document
from hubframe.wire.limits import Limit

_MOST_REDIRECTS = 5
_UNAUTHORIZED = 401
# What a registry may have another one answer.
_ELSEWHERE = ("/manifests/", "/blobs/", "/tags/list", "/_catalog")


class Transport(BaseAdapter):
    """Sends requests with the login that may ask, to where they lead.

    Who asks at an address of this API is told by `auth_for`, and by `other_auth` at one of another
    registry, which this one redirects to. Of the answers, `other_identity` is the login of another
    registry that some were had with.
    """

    def __init__(
        self,
        exchanges: Exchanges,
        url: str,
        auth_for: Callable[[str], Auth],
        other_auth: Callable[[str], Auth],
        *,
        counts_pulls: bool = False,
    ) -> None:
        super().__init__()
        self._exchanges = exchanges
        self._url = url
        self.auth_for = auth_for
        self._other_auth = other_auth
        self.counts_pulls = counts_pulls
        self.other_identity = ""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - as requests has it
        *_others: Any,
        **_more: Any,
    ) -> Response:
        """Send a request and read the whole answer; the arguments are those of requests."""
        # Of a stream a blob is the caller's to read, and to close.
        limit = UNREAD if stream else DOCUMENT_LIMIT if is_document(request) else LIST_LIMIT
        flow = self._flow(request)
        try:
            target = next(flow)
            while True:
                try:
                    response = self._exchanges.send(target, limit, counts_pulls=self.counts_pulls)
                except BaseException as error:  # noqa: BLE001 - other threads wait for its outcome
                    target = flow.throw(error)
                else:
                    target = flow.send(response)
        except StopIteration as end:
            answer: Response = end.value
            return answer

    def _flow(self, request: PreparedRequest) -> Flow[Response]:
        """Yield what is to be sent for a request: logins, and what redirects lead to."""
        begun, target = origin(request.url or ""), request
        # A request that was sent away and back was another host's idea: no login either.
        is_home = begun == origin(self._url)
        for _ in range(1 + _MOST_REDIRECTS):
            if is_home:
                auth = self.auth_for(target.url or "")
                response = yield from auth.flow(target)
                self._exchanges.limits.note(begun, auth.identity, response.headers)
            else:
                target.headers.pop("Authorization", None)
                response = yield target
                if response.status_code == _UNAUTHORIZED and _is_registrys(target, response):
                    auth = self._other_auth(target.url or "")
                    response = yield from auth.flow(target)
                    self.other_identity = auth.identity or self.other_identity
            following = _following(request, response)
            if following is None:
                break
            there = origin(following.url or "")
            # Elsewhere are only pages for people: GHCR sends to its website, others to a login.
            if there != begun and "/referrers/" in path_of(request.url or ""):
                break
            is_home, target = is_home and there == begun, following
        if target is not request and not is_document(request):
            # The links of a list are relative to where it was found; the query may be a secret.
            response.headers["Content-Location"] = path_of(target.url or "")
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """Do nothing: the connections are everybody's."""

    def last_limit(self, url: str, kind: str) -> Limit | None:
        """Return the last word of this host on a limit, for the login that asks at an address."""
        return self._exchanges.limits.last(origin(self._url), self.auth_for(url).identity, kind)

    def allow_pulls(self) -> None:
        """Ask for manifests again, after a refusal: there are pulls left."""
        self._exchanges.rate_limiter(self._url).allow_pulls()


def _is_registrys(request: PreparedRequest, response: Response) -> bool:
    """Whether another registry asks for its own login, rather than a storage for none at all."""
    path = path_of(request.url or "")
    is_of_api = "/v2/" in path and any(kind in path for kind in _ELSEWHERE)
    return is_of_api and "WWW-Authenticate" in response.headers


def _following(request: PreparedRequest, response: Response) -> PreparedRequest | None:
    """Return what to ask next, or None where the answer is one.

    Addresses may be signed, and some tracebacks show variables: none here holds an address.
    """
    if not (response.is_redirect and response.headers["Location"]):
        return None
    copy = request.copy()
    copy.url = on_own_host(
        joined(response.url, response.headers["Location"], "where to go"), response.url
    )
    here, there = netloc(response.url), netloc(copy.url)
    if loses_encryption(response.url, copy.url):
        raise TransportError(f"{here} redirects to {there} without encryption; not followed")
    return copy
