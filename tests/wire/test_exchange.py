"""Plain exchanges, and all others, which say the same."""

import gzip
import hashlib
import threading

import pytest
import requests

import hubframe
from hubframe.wire import exchange, network
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


@pytest.fixture
def plainly(monkeypatch):
    """How many answers were read without the libraries."""
    found = []
    real = exchange._whole

    def whole(*args):
        answer = real(*args)
        found.append(answer is not None)
        return answer

    monkeypatch.setattr(exchange, "_whole", whole)
    return found


@pytest.mark.parametrize(
    "pieces",
    [PLAIN, (PLAIN[0][:-20], PLAIN[0][-20:]), (PLAIN[0].replace(b"Length: ", b"LENGTH:   "),)],
    ids=["at once", "a body in pieces", "a name in capitals"],
)
def test_plain_answers_are_read_at_once(pieces, tmp_path, plainly):
    registry = Registry(*pieces)
    with listening(registry) as host:
        assert read(host, tmp_path) == BODY

    # A ping is one, too.
    assert plainly == [True] * 4
    assert registry.connections == 1


@pytest.mark.parametrize("pieces", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_all_others_are_the_libraries(pieces, tmp_path, plainly):
    registry = Registry(*pieces)
    with listening(registry) as host:
        assert read(host, tmp_path) == BODY

    ping, *answers = plainly
    assert ping
    assert not any(answers)
    assert len(answers) == 3
    assert None in pieces or registry.connections == 1


def test_what_comes_after_an_answer_is_no_answer(tmp_path):
    forged = PLAIN[0].replace(b"schemaVersion", b"schemaversion")
    registry = Registry(PLAIN[0] + forged)
    with listening(registry) as host:
        assert read(host, tmp_path) == BODY

    # The first one has a ping, too.
    assert registry.connections == 3


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


def test_both_ways_ask_in_the_same_words(tmp_path, monkeypatch):
    registry = Registry(*PLAIN)
    with listening(registry) as host:
        read(host, tmp_path, times=1)
        monkeypatch.setattr(network, "ask", lambda *_: None)
        read(host, tmp_path, times=2)
        name = host.encode()

    asked = [set(data.lower().split(b"\r\n")) for data in registry.asked if DIGEST.encode() in data]
    assert all(words == asked[0] for words in asked)
    assert len(asked) == 3
    assert b"host: " + name in asked[0]
    assert b"accept-encoding: identity" in asked[0]


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://a.example/v2/ b", {}),
        ("http://a.example/v2/\r\nX: 1", {}),
        ("http://a.example/v2/ü", {}),
        ("http://a.example/v2/#part", {}),
        ("http://a.example", {}),
        ("http://a.example?signed=a/b", {}),
        ("http://a.example#a/b", {}),
        ("http://a.example/v2/", {"Authorization": "Bearer a\r\nX: 1"}),
        ("http://a.example/v2/", {"Authorization": "Bearer a\nX: 1"}),
        ("http://a.example/v2/", {"Authorization": "Bearer \u2028"}),
        ("http://a.example/v2/", {"Authorization": b"Bearer a"}),
    ],
)
def test_what_could_be_read_otherwise_is_not_written_here(url, headers):
    class Pool:
        host, port = "a.example", 80

        class ConnectionCls:
            default_port = 80

    request = requests.PreparedRequest()
    request.method, request.url, request.headers = "GET", url, headers

    assert exchange._head(Pool, request) is None
    request.url, request.headers = "http://a.example/v2/", {"Authorization": "Bearer a"}
    assert exchange._head(Pool, request) is not None


def test_a_connection_that_comes_back_while_its_pool_is_closed_is_closed():
    """Threads go on after the call that they worked for has failed, and its client is closed."""

    class Late:
        def __init__(self, pool):
            self.pool, self.queue = pool, pool.pool
            self.get = self.queue.get

        def put(self, connection, block):
            self.pool.close()
            self.queue.put(connection, block=block)

    with listening(Registry(*PLAIN)) as host:
        name, _, port = host.partition(":")
        pool = network._Pool(name, int(port))
        connection = pool._get_conn()
        connection.connect()
        pool.pool = Late(pool)
        pool._put_conn(connection)

    assert connection.sock is None
