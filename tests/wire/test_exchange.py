"""Answers in all the forms that HTTP allows, read to the same bytes."""

import gzip
import hashlib
import threading

import pytest

import hubframe
from tests.hostile.raw import listening

BODY = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}'
DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
TYPE = b"Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"
PLAIN = (OK + TYPE + LENGTH + b"\r\n" + BODY,)
PACKED = gzip.compress(BODY)
NOT_PLAIN = {
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),),
    "packed": (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,),
    "to its end": (OK + b"Connection: close\r\n\r\n" + BODY, None),
    "closed": (OK + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY, None),
    "old": (b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY, None),
    "go on": (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN[0],),
    "processing": (b"HTTP/1.1 102 Processing\r\n\r\n" + PLAIN[0],),
    "one of a later standard": (b"HTTP/1.1 104 Upload Resumption Supported\r\n\r\n" + PLAIN[0],),
    "early hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=next\r\n\r\n" * 2 + PLAIN[0],),
    "folded": (OK + b"X-A: 1\r\n  2\r\n" + LENGTH + b"\r\n" + BODY,),
    "twice": (OK + b"X-A: 1\r\nx-a: 2\r\n" + LENGTH + b"\r\n" + BODY,),
    "not ASCII": (OK + b"X-A: \xfc\r\n" + LENGTH + b"\r\n" + BODY,),
    "bare line feeds": (PLAIN[0].replace(b"\r\n", b"\n"),),
    "a head in pieces": (OK + b"Content-", b"Length: %d\r\n\r\n" % len(BODY) + BODY),
    "a late end of the head": (OK + LENGTH + b"\r", b"\n" + BODY),
}  # fmt: skip


class Registry:
    """Answers pings, and every document in the same pieces; None hangs up."""

    def __init__(self, *pieces):
        self.pieces = pieces
        self.connections = 0
        self.asked = []

    def __call__(self, connection):
        self.connections += 1
        while data := connection.recv(65536):
            self.asked.append(data)
            if b" /v2/ " in data.split(b"\r\n")[0]:
                connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
                continue
            for piece in self.pieces:
                if piece is None:
                    return
                connection.sendall(piece)
                # What comes later must come apart, not in one piece with what came before.
                threading.Event().wait(0.02)


def read(host, folder, times=3):
    settings = hubframe.Settings(cache_dir=folder, timeout=5)
    with hubframe.Client(settings, credentials=False) as client:
        for _ in range(times):
            with hubframe.refresh():
                body = hubframe.raw_manifest(f"{host}/a@{DIGEST}", client=client)
            hubframe.cache.clear(client=client)
        return body


PLAINLY = {
    "at once": PLAIN,
    "a body in pieces": (PLAIN[0][:-20], PLAIN[0][-20:]),
    "a name in capitals": (PLAIN[0].replace(b"Length: ", b"LENGTH:   "),),
}


@pytest.mark.parametrize("pieces", [*PLAINLY.values(), *NOT_PLAIN.values()], ids=[*PLAINLY, *NOT_PLAIN])  # fmt: skip
def test_answers_are_read_over_one_connection(pieces, tmp_path):
    registry = Registry(*pieces)
    with listening(registry) as host:
        assert read(host, tmp_path) == BODY

    assert None in pieces or registry.connections == 1


def test_what_comes_after_an_answer_is_no_answer(tmp_path):
    forged = PLAIN[0].replace(b"schemaVersion", b"schemaversion")
    registry = Registry(PLAIN[0] + forged)
    with listening(registry) as host:
        assert read(host, tmp_path) == BODY


def test_an_answer_that_is_cut_short_is_asked_for_again(tmp_path):
    registry = Registry(PLAIN[0][:-1], None)
    with (
        listening(registry) as host,
        pytest.raises(hubframe.TransportError, match="could not be reached"),
    ):
        read(host, tmp_path)

    assert registry.connections == len(registry.asked) - 1 == 6


def test_a_connection_that_was_closed_meanwhile_is_made_anew(tmp_path):
    class Closing(Registry):
        def __call__(self, connection):
            self.connections += 1
            self.asked.append(connection.recv(65536))
            is_ping = b" /v2/ " in self.asked[-1]
            connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}" if is_ping else PLAIN[0])

    registry = Closing()
    with listening(registry) as host:
        assert read(host, tmp_path) == BODY

    assert registry.connections == len(registry.asked) == 4
