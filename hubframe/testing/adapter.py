"""A requests transport adapter that asks an application in place of the network."""

import time
from functools import cached_property
from http.client import responses as reasons
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from hubframe.errors import TransportError
from hubframe.testing.application import Application
from hubframe.testing.message import DROP, Headers, Request

# Requests to the Hub in a minute: who asks its own process has nobody to wait for.
_NO_LIMIT = 10**6


class SampleAdapter(HTTPAdapter):
    """Answers every request from an application; hosts that it lacks cannot be reached.

    Without one it makes one over the bundled sample, at the first request.
    """

    def __init__(self, application: Application | None = None) -> None:
        super().__init__()
        self._given = application

    @cached_property
    def application(self) -> Application:
        """Who answers."""
        return self._given or Application(hub_limit=_NO_LIMIT)

    def send(
        self, request: requests.PreparedRequest, *_args: Any, timeout: Any = None, **_kwargs: Any
    ) -> requests.Response:
        """Return the application's answer as if it had come over a wire."""
        method, body = request.method or "GET", request.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        asked = Request(method, request.url or "", Headers(request.headers), body)
        try:
            reply = self.application.answer(asked)
        except LookupError as error:
            # In words of its own: asking again is of no use, nor is looking at the network.
            raise TransportError(str(error)) from None
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        time.sleep(reply.delay if patience is None else min(reply.delay, patience))
        if patience is not None and reply.delay > patience:
            message = f"Read timed out. (read timeout={patience})"
            raise requests.ReadTimeout(message, request=request)
        if reply.status == DROP.status:
            raise requests.ConnectionError("the sample hung up", request=request)
        raw = HTTPResponse(
            body=BytesIO(b"" if method == "HEAD" else reply.body),
            headers={"Content-Length": str(len(reply.body)), **reply.headers},
            status=reply.status,
            reason=reasons.get(reply.status, ""),
            version=11,
            version_string="HTTP/1.1",
            preload_content=False,
            decode_content=False,
            request_method=method,
        )
        return self.build_response(request, raw)
