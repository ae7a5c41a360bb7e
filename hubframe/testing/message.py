"""What goes over the wire, without a wire: requests, replies, faults and the log of exchanges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from requests.structures import CaseInsensitiveDict

from hubframe.testing import gojson


class Headers(CaseInsensitiveDict[str]):
    """Header fields; names are looked up in any case, and kept as they were written."""

    def value(self, name: str) -> str:
        """Return a field's value, empty where there is none."""
        return self.get(name, "")


@dataclass(frozen=True)
class Request:
    """A request as a service sees it."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def origin(self) -> str:
        """The scheme and host of the address, as ``https://hub.docker.com``."""
        return f"{urlsplit(self.url).scheme}://{self.host}"

    @property
    def host(self) -> str:
        """The host, with the port where one is given."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """The path, with escapes resolved."""
        return unquote(urlsplit(self.url).path)

    @property
    def path_and_query(self) -> str:
        """The path and the query as they were sent."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters, in order."""
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    def parameter(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return dict(self.parameters).get(name, default)


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0  # seconds to wait before it is sent

    @classmethod
    def of_json(
        cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> "Reply":
        """Return an answer with a JSON body."""
        fields = {"Content-Type": "application/json", **(headers or {})}
        return cls(status, fields, gojson.encode(value))

    def with_headers(self, fields: Mapping[str, str]) -> "Reply":
        """Return the same answer with more headers; those it has already win."""
        return replace(self, headers={**fields, **self.headers})


DROP = Reply(0)
"""In place of an answer: the connection is closed without one."""


@dataclass
class Fault:
    """An answer that takes the place of the real one for the requests that match."""

    match: Callable[[Request], bool]
    reply: Reply | Callable[[Request], Reply]
    times: int | None = None  # how often it does so; None is always

    def answer(self, request: Request) -> Reply:
        """Return the answer for one request."""
        return self.reply if isinstance(self.reply, Reply) else self.reply(request)


@dataclass(frozen=True)
class Exchange:
    """One line of an application's log; a dropped connection has status 0."""

    host: str
    method: str
    path_and_query: str
    status: int
    authorized: bool
