"""Blobs as they come: in pieces, never as a whole, and on from where a connection broke."""

from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException

from requests import Response
from urllib3.exceptions import HTTPError

from hubframe.errors import TransportError
from hubframe.wire import cancellation
from hubframe.wire.addresses import netloc
from hubframe.wire.session import PAUSES, Session

_PIECE = 256 * 1024
# An answer that brings at least so much was worth asking for: after it patience starts anew.
_PROGRESS = 1024**2


def stream(session: Session, url: str, asked: str) -> Iterator[bytes]:
    """Yield a blob in pieces; nobody has looked at its digest yet.

    Parameters
    ----------
    session
        What sends.
    url
        Its address.
    asked
        The same in words, for messages.

    Raises
    ------
    TransportError
        The connection broke, and did so again and again.
    HubframeError
        There was no usable answer.
    """
    at, failures = 0, 0
    while True:
        begun = at
        response = session.open(url, asked, start=at)
        try:
            for piece in _pieces(response, at):
                at += len(piece)
                yield piece
        except (HTTPError, HTTPException, OSError, ValueError, TransportError):
            failures = 0 if at - begun >= _PROGRESS else failures + 1
        else:
            return
        finally:
            response.close()
        if failures > len(PAUSES):
            raise TransportError(
                f"{asked}: {netloc(url)} broke off {failures} times in a row, the last time after "
                f"{at:,} bytes. Ask again later"
            )
        cancellation.wait(PAUSES[max(failures - 1, 0)])


def _pieces(response: Response, start: int) -> Iterator[bytes]:
    """Yield what comes from a place on; who was asked for a part may send the whole."""
    skipped = start if response.status_code == HTTPStatus.OK else 0
    sent = response.headers.get("Content-Range", f"bytes {start}-")
    if not skipped and not sent.startswith(f"bytes {start}-"):
        raise TransportError(f"another part came than was asked for, {sent[:80]!r}")
    for piece in response.raw.stream(_PIECE, decode_content=False):
        cancellation.check()
        if skipped >= len(piece):
            skipped -= len(piece)
            continue
        yield piece[skipped:] if skipped else piece
        skipped = 0
