"""A requests transport adapter that asks an application in place of the network."""

import time
from collections.abc import Mapping
from http.client import responses as reasons
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse

from hubframe.testing.application import Application
from hubframe.testing.message import DROP, Headers, Reply, Request

# Requests to the Hub in a minute: who asks its own process has nobody to wait for.
_NO_LIMIT = 10**6
Timeout = float | tuple[float | None, float | None] | None


class SampleAdapter(BaseAdapter):
    """Answers every request from an application; hosts that it lacks cannot be reached.

    Parameters
    ----------
    application
        Who answers; None makes one over the bundled sample at the first request.
    """

    def __init__(self, application: Application | None = None) -> None:
        super().__init__()
        self._application = application

    @property
    def application(self) -> Application:
        """Who answers."""
        if self._application is None:
            self._application = Application(hub_limit=_NO_LIMIT)
        return self._application

    def send(  # noqa: PLR0913, PLR0917
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: Timeout = None,
        verify: bool | str = True,  # noqa: ARG002, FBT001, FBT002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Return the application's answer as if it had come over a wire."""
        try:
            reply = self.application.answer(_received(request))
        except LookupError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        _wait(reply, timeout, request)
        if reply.status == DROP.status:
            message = "Connection aborted: the sample closed it without an answer"
            raise requests.ConnectionError(message, request=request)
        return self._response(request, reply)

    def _response(self, request: requests.PreparedRequest, reply: Reply) -> requests.Response:
        raw = _raw(request, reply)
        response = requests.Response()
        response.status_code = reply.status
        response.headers = CaseInsensitiveDict(raw.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = raw
        response.reason = raw.reason or ""
        response.url = request.url or ""
        response.request = request
        # As requests' own adapter does.
        response.connection = self  # type: ignore[assignment]
        extract_cookies_to_jar(response.cookies, request, raw)  # type: ignore[no-untyped-call]
        return response

    def close(self) -> None:
        """Do nothing: there is no connection to close."""


def _received(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    return Request(
        request.method or "GET",
        request.url or "",
        Headers({name: _text(value) for name, value in request.headers.items()}),
        body.encode() if isinstance(body, str) else bytes(body),
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _wait(reply: Reply, timeout: Timeout, request: requests.PreparedRequest) -> None:
    patience = timeout[1] if isinstance(timeout, tuple) else timeout
    if patience is not None and reply.delay > patience:
        time.sleep(patience)
        raise requests.ReadTimeout(f"Read timed out. (read timeout={patience})", request=request)
    time.sleep(reply.delay)


def _raw(request: requests.PreparedRequest, reply: Reply) -> HTTPResponse:
    is_head = request.method == "HEAD"
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    return HTTPResponse(
        body=BytesIO(b"" if is_head else reply.body),
        headers=HTTPHeaderDict(headers),
        status=reply.status,
        reason=reasons.get(reply.status, ""),
        version=11,
        version_string="HTTP/1.1",
        preload_content=False,
        decode_content=False,
        request_method=request.method,
        request_url=request.url,
    )
