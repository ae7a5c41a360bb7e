"""One exchange in plain HTTP/1.1 over a connection of urllib3's.

Documents come by the thousand, and the layers of urllib3 and `http.client` take several times as
long for each as the exchange itself. Plain is a request without a body, and an answer that begins
all at once, is not packed, and names its length once. Whatever is not plain is handed to these
libraries as it came: nothing that a stranger may have bent is interpreted here.
"""

import http.client
import io
import math
import re
import socket
import time
from dataclasses import dataclass
from typing import Any

from requests import PreparedRequest
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError

from hubframe.errors import TransportError
from hubframe.wire.answers import Headers

# How much longer than a pause in it a whole answer may take.
_SLOWEST = 10
_BUFFER = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"
# A status and fields of RFC 9110, each on one line.
_HEAD = re.compile(rb"HTTP/1\.1 200(?: [ -~]*)?(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ -~\t]*){1,100}")
# What makes an answer more than its bytes.
_NOT_PLAIN = frozenset({"transfer-encoding", "content-encoding", "trailer"})
_LENGTH = re.compile(r"[0-9]{1,7}")
# Larger answers are read in pieces, by whoever knows how large they may be.
_MOST_BYTES = 2**20
_HOST = re.compile(r"[A-Za-z0-9.-]+")
# Without a fragment, which is not sent.
_TARGET = re.compile(r"/[!\"$-~]*")


@dataclass(slots=True)
class Whole:
    """What stands where urllib3's answer does, of an answer that was read whole."""

    headers: Headers
    body: bytes
    reason: str
    _request_url: str
    status: int = 200

    def close(self) -> None:
        """Do nothing: the connection is in its pool again."""


class TimedSocket:
    """What `http.client` needs of a socket to read one answer from it, until it took too long.

    Parameters
    ----------
    connection
        The socket.
    place
        Where it leads, for messages.
    came
        What was read from it already.
    """

    def __init__(self, connection: socket.socket, place: str, came: bytes = b"") -> None:
        self._connection, self._place, self._came = connection, place, came

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what reads the answer."""
        raw = self._connection.makefile("rb", buffering=0)
        ends = _Deadline(self._connection, self._place)
        return io.BufferedReader(_Timed(raw, ends, self._came), _BUFFER)


class _Deadline:
    """When an answer has taken too long.

    Timeouts of sockets are for pauses: a server that sends a byte a second, of headers, of a body
    or of what unpacks to nothing, would be listened to for ever.
    """

    def __init__(self, connection: socket.socket, place: str) -> None:
        self._place = place
        self._longest = _SLOWEST * (connection.gettimeout() or math.inf)
        self._ends = time.monotonic() + self._longest

    def check(self) -> None:
        if time.monotonic() > self._ends:
            raise TransportError(
                f"{self._place} took more than {self._longest:g} s to send an answer; "
                "not read further"
            )


class _Timed(io.RawIOBase):
    """What comes over a socket, until it has taken too long; first what came before."""

    def __init__(self, raw: io.RawIOBase, ends: _Deadline, came: bytes) -> None:
        super().__init__()
        self._raw, self._ends, self._came = raw, ends, came

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._ends.check()
        if not self._came:
            return self._raw.readinto(buffer)
        count = min(len(buffer), len(self._came))
        buffer[:count], self._came = self._came[:count], self._came[count:]
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def ask(
    pool: Any, request: PreparedRequest, timeout: tuple[float, float]
) -> Whole | HTTPResponse | None:
    """Ask over a connection of a pool; None where what is asked is not plain.

    Parameters
    ----------
    pool
        urllib3's, of the host; it connects, too.
    request
        What is asked.
    timeout
        How long connecting may take, and a pause in the answer. [seconds]
    """
    head = _head(pool, request)
    if head is None:
        return None
    # requests' own adapter takes connections from pools in this way, too.
    connection = pool._get_conn()  # noqa: SLF001
    try:
        if connection.sock is None:
            connection.timeout = timeout[0]
            connection.connect()
        connection.sock.settimeout(timeout[1])
        connection.sock.sendall(head)
        return _received(pool, connection, request)
    except BaseException:
        connection.close()
        pool._put_conn(connection)  # noqa: SLF001
        raise


def _head(pool: Any, request: PreparedRequest) -> bytes | None:
    """Write what is asked; None where it holds what has to be looked at more closely."""
    url = request.url or ""
    start = url.find("/", len("https://"))
    target = url[start:]
    # Where the path is empty, the first slash may be one of the query.
    has_path = "?" not in url[:start] and "#" not in url[:start]
    is_plain = has_path and _HOST.fullmatch(pool.host) and _TARGET.fullmatch(target)
    if not is_plain or request.method not in {"GET", "HEAD"}:
        return None
    port = "" if pool.port == pool.ConnectionCls.default_port else f":{pool.port}"
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {pool.host}{port}"]
    for name, value in {"Accept-Encoding": "identity", **request.headers}.items():
        if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
            return None
        lines.append(f"{name}: {value}")
    return "\r\n".join((*lines, "", "")).encode()


def _received(pool: Any, connection: Any, request: PreparedRequest) -> Whole | HTTPResponse:
    ends = _Deadline(connection.sock, connection.host)
    came = connection.sock.recv(_BUFFER)
    if not came:
        raise http.client.RemoteDisconnected("Remote end closed connection without response")
    answer = _whole(connection, request, ends, came)
    if answer is None:
        return _handed_over(pool, connection, request, came)
    pool._put_conn(connection)  # noqa: SLF001
    return answer


def _whole(connection: Any, request: PreparedRequest, ends: _Deadline, came: bytes) -> Whole | None:
    """Read a plain answer; None where it is not plain, and then nothing more was read."""
    head, end, body = came.partition(_END_OF_HEAD)
    if not end or not _HEAD.fullmatch(head):
        return None
    status, *lines = head.decode().split("\r\n")
    headers = _fields(lines)
    length = headers.get("Content-Length", "") if headers else ""
    if headers is None or not _LENGTH.fullmatch(length) or int(length) > _MOST_BYTES:
        return None
    wanted = 0 if request.method == "HEAD" else int(length)
    pieces, left = [body], wanted - len(body)
    while left > 0:
        ends.check()
        piece = connection.sock.recv(min(left, _BUFFER))
        if not piece:
            raise ProtocolError(f"the connection ended {left} bytes before the answer did")
        pieces.append(piece)
        left -= len(piece)
    if left < 0:
        # Whatever comes after an answer must not be taken for the next one.
        connection.close()
    body = b"".join(pieces)[:wanted]
    return Whole(headers, body, status[len("HTTP/1.1 200 ") :], request.url or "")


def _fields(lines: list[str]) -> Headers | None:
    """Read header fields; None where one stands twice, or makes the answer more than its bytes."""
    pairs = [line.partition(":") for line in lines]
    fields = {name.lower(): value.strip() for name, _, value in pairs}
    is_kept = fields.get("connection", "keep-alive").lower() == "keep-alive"
    is_plain = is_kept and fields.keys().isdisjoint(_NOT_PLAIN)
    return Headers(fields) if is_plain and len(fields) == len(lines) else None


def _handed_over(pool: Any, connection: Any, request: PreparedRequest, came: bytes) -> HTTPResponse:
    """Let the libraries read an answer, from its beginning on."""
    timed: Any = TimedSocket(connection.sock, connection.host, came)
    answer = http.client.HTTPResponse(timed, method=request.method)
    try:
        answer.begin()
    except http.client.HTTPException as error:
        answer.close()
        raise ProtocolError("Connection aborted.", error) from error
    except BaseException:
        answer.close()
        raise
    if answer.will_close:
        # What reads the answer keeps the socket for as long as it takes.
        connection.close()
    return HTTPResponse(
        body=answer,
        headers=HTTPHeaderDict(answer.msg.items()),
        status=answer.status,
        version=answer.version,
        version_string=f"HTTP/{answer.version // 10}.{answer.version % 10}",
        reason=answer.reason,
        preload_content=False,
        decode_content=False,
        original_response=answer,
        pool=pool,
        connection=connection,
        msg=answer.msg,
        request_method=request.method,
        request_url=request.path_url,
    )
