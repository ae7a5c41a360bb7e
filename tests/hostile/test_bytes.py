"""Untrusted bytes: too many, too slow, packed too well, nested too deep, and ways into the clear."""

import functools
import gc
import gzip
import json
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

import hubframe
from hubframe.testing import Reply
from hubframe.testing.message import Fault

from .raw import listening
from .seen import PASSWORD, USER

MEBIBYTE = 2**20
LIMIT = 4 * MEBIBYTE
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# Asks for a manifest, or for tags, of a registry; says what came of it, the time and the memory.
SCRIPT = """
import resource, sys, time
import hubframe
from hubframe.oci import reference
what, host, folder = sys.argv[1:]
settings = hubframe.Settings(cache_dir=folder, timeout=5)
client = hubframe.Client(settings, credentials=False)
hubframe.tags_df  # what is imported late counts as memory
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.monotonic()
try:
    if what == "tags":
        print(len(client.registry(host).tags("a")))
    else:
        hubframe.raw_manifest(f"{host}/a@sha256:" + "0" * 64, client=client)
        print("no error")
except hubframe.HubframeError as error:
    print(type(error).__name__, error)
print(time.monotonic() - began)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def asked(what, host, folder):
    """Ask in a process of its own; return what came of it, the seconds, and the MiB it took."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, what, host, str(folder)],
        capture_output=True, text=True, check=False, timeout=180,
        env={**os.environ, "PYTHONPATH": str(Path(hubframe.__file__).parent.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, seconds, memory = done.stdout.splitlines()
    return said, float(seconds), int(memory)


def refused(host, folder, timeout=1.0):
    """Ask for a manifest that cannot be had; return what was said, and the seconds."""
    settings = hubframe.Settings(cache_dir=folder, timeout=timeout)
    began = time.monotonic()
    with (
        hubframe.Client(settings, credentials=False) as client,
        pytest.raises(hubframe.HubframeError) as caught,
    ):
        hubframe.raw_manifest(f"{host}/a@sha256:{'0' * 64}", client=client)
    return str(caught.value), time.monotonic() - began


def head(**fields):
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()


def answering(*parts, pause=0.0, forever=b""):
    """Answer pings at once; then send the parts, and then one thing for ever."""

    def answer(connection):
        while data := connection.recv(65536):
            if b" /v2/ " in data.split(b"\r\n")[0]:
                connection.sendall(head(Content_Length=2) + b"{}")
                continue
            for part in parts:
                connection.sendall(part)
            while forever:
                connection.sendall(forever)
                time.sleep(pause)
            return

    return answer


# What is packed.


@functools.cache
def packed(wbits):
    """Ten gibibytes of blanks in ten mebibytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    size = 64 * MEBIBYTE
    start = packer.compress(b" " * size) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same input is packed into the same bytes.
    again = packer.compress(b" " * size) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + again * (10 * 1024 * MEBIBYTE // size - 1)


@pytest.mark.parametrize(
    ("encoding", "make"),
    [
        ("gzip", lambda: packed(31)),
        ("deflate", lambda: packed(15)),
        ("deflate", lambda: packed(-15)),
        ("gzip, gzip", lambda: gzip.compress(packed(31), 1)),
        ("identity", lambda: b" " * (40 * MEBIBYTE)),
        ("br", lambda: b"\x8b" * (40 * MEBIBYTE)),
        ("zstd", lambda: b"\x28\xb5\x2f\xfd" * (10 * MEBIBYTE)),
    ],
)
def test_what_unpacks_to_much_more_is_read_to_the_cap(encoding, make, tmp_path):
    body = make()
    reply = head(Content_Type=MANIFEST, Content_Encoding=encoding, Content_Length=len(body))
    with listening(answering(reply, body)) as host:
        said, seconds, memory = asked("manifest", host, tmp_path)

    assert said.startswith("PayloadError")
    assert "more than 4 MiB" in said
    assert seconds < 60
    assert memory < 64


@pytest.mark.parametrize("encoding", ["gzip, " * 4 + "gzip", "gzip, " * 100 + "gzip"])
def test_what_is_said_to_be_packed_many_times(encoding, tmp_path):
    body = gzip.compress(b"x")
    with listening(
        answering(head(Content_Encoding=encoding, Content_Length=len(body)), body)
    ) as host:
        said, seconds = refused(host, tmp_path)

    assert "sent 0 bytes" in said or "could not be reached" in said
    assert seconds < 30
    # What was not closed is told of when it is collected, and that is an error in these tests.
    gc.collect()


# What has no end.


@pytest.mark.parametrize(
    ("parts", "forever", "pause"),
    [
        ([head(Content_Length=4000)], b" ", 0.05),
        ([head(Transfer_Encoding="chunked")], b"1\r\n \r\n", 0.05),
        ([head(Connection="close")], b" ", 0.05),
        ([b"HTTP/1.1 200 OK\r\nX: "], b"x", 0.05),
        ([b"HTTP/1.1 200 OK\r\n"], b"X: 1\r\n", 0.05),
        ([b"HTTP/1.1 "], b"2", 0.05),
        ([], b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        ([head(Content_Encoding="gzip"), gzip.compress(b"")[:10]], b"\0\0\0\xff\xff", 0.05),
        ([head(Transfer_Encoding="chunked"), b"1;"], b"x", 0.05),
        ([head(Transfer_Encoding="chunked"), b"0\r\n"], b"X: 1\r\n", 0.05),
    ],
    ids=["length", "chunks", "close", "a header", "headers", "status", "continue", "nothing", "extension", "trailers"],
)  # fmt: skip
def test_what_drips_for_ever_is_given_up(parts, forever, pause, tmp_path):
    with listening(answering(*parts, forever=forever, pause=pause)) as host:
        said, seconds = refused(host, tmp_path, 0.1)

    # Trailers and headers are few before they are too many; all else drips until time is up.
    assert "took more than 1 s" in said or "could not be reached" in said
    assert seconds < 30


@pytest.mark.parametrize(
    ("parts", "forever"),
    [
        ([head(Transfer_Encoding="chunked")], b"1000\r\n" + b" " * 4096 + b"\r\n"),
        ([head(Connection="close")], b" " * 4096),
        ([head(Content_Length=10**18)], b" " * 4096),
        ([b"HTTP/1.1 200 OK\r\n"], b"X: " + b"1" * 4096 + b"\r\n"),
        ([b"HTTP/1.1 200 OK\r\nX: "], b"x" * 4096),
        ([b""], b"x" * 4096),
        ([head(Transfer_Encoding="chunked")], b"f" * 4096),
    ],
    ids=["chunks", "close", "length", "headers", "a header", "status", "a size"],
)
def test_what_floods_for_ever_is_given_up(parts, forever, tmp_path):
    with listening(answering(*parts, forever=forever)) as host:
        said, seconds = refused(host, tmp_path)

    assert "more than 4 MiB" in said or "could not be reached" in said
    assert seconds < 30


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 30, "4, 4", "0x4", "", "²", str(10**18)])
def test_absurd_lengths(length, tmp_path):
    with listening(
        answering(head(Content_Length=length).replace("²".encode(), b"\xb2"), b"{}  ")
    ) as host:
        _, seconds = refused(host, tmp_path, 0.1)

    assert seconds < 30


# What is large, deep or odd, and JSON.


def test_a_million_tags(tmp_path):
    body = json.dumps({"name": "a", "tags": [f"t{number}" for number in range(10**6)]}).encode()
    reply = head(Content_Type="application/json", Content_Length=len(body))
    with listening(answering(reply, body)) as host:
        said, seconds, memory = asked("tags", host, tmp_path)

    assert said == str(10**6)
    assert seconds < 60
    assert memory < 600


@pytest.mark.parametrize("body", [
    b"[" * 10**6, b'{"a":' * 10**6, b'{"manifests":[' * 10**5, b"1" * 10**6, b'{"n": 1' + b"0" * 5000 + b"}", b'{"n": 1e999999}',
    b'{"n": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe{", b"{}" * 10**5, b'"' + b"\\ud800" * 10**4 + b'"', b"\0" * 1000, b"",
], ids=range(13))  # fmt: skip
@pytest.mark.parametrize("call", ["tags_df", "repos_df", "inspect"])
def test_json_that_no_program_wants(body, call, stage):
    stage.fail("/", Reply(200, {"Content-Type": "application/json"}, body))
    host = stage.served.example_host
    name = {"repos_df": "acme", "tags_df": f"{host}/a", "inspect": f"{host}/a:1"}[call]

    try:
        found = getattr(hubframe, call)(name, client=stage.client(credentials=False))
    except hubframe.HubframeError:
        pass  # what else may be raised fails the test
    else:
        assert call == "tags_df", "an object without tags means that there are none"
        assert body.startswith(b"{")
        assert len(found) == 0


# Ways into the clear.


@pytest.fixture
def bundled():
    """A client of the sample under its public names; requests to others are an error there."""
    with hubframe.Client(hubframe.Settings(sample=True), ("acme-bot", "sample-password")) as client:
        yield client, client.exchanges.network.application


def sends(application, part, reply):
    application.faults.append(Fault(lambda request: part in request.url, reply))


def _read_all(client):
    hubframe.configs_df("library/alpine:latest", source="registry", client=client)
    hubframe.tags_df("library/alpine", source="registry", client=client)


@pytest.mark.parametrize("target", ["http://storage.example/x", "http://127.0.0.1/x"])
@pytest.mark.parametrize("part", ["/blobs/", "/manifests/sha256", "/tags/list", "/token"])
def test_no_redirect_leads_into_the_clear(bundled, target, part):
    client, application = bundled
    sends(application, part, Reply(307, {"Location": target}))

    with pytest.raises(hubframe.TransportError, match="not followed"):
        _read_all(client)
    assert {each.host for each in application.log} <= {"registry-1.docker.io", "auth.docker.io"}


@pytest.mark.parametrize("realm", ["http://auth.docker.io/t", "http://127.0.0.1/t"])
def test_no_login_goes_into_the_clear(bundled, realm):
    client, application = bundled
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}
    sends(application, "/v2/", Reply(401, challenge))

    with pytest.raises(hubframe.TransportError, match="no credentials were sent"):
        hubframe.tags_df("library/alpine", source="registry", client=client)
    assert not [each for each in application.log if each.authorized]


@pytest.mark.parametrize("target", ["https://127.0.0.1/v2/x", "//169.254.169.254/x", "https://evil.example/v2/", "http://registry-1.docker.io/v2/x",
                                    "https://registry-1.docker.io:8443/x"])  # fmt: skip
def test_no_next_page_is_elsewhere(bundled, target):
    client, application = bundled
    link = {"Link": f'<{target}>; rel="next"'}
    sends(application, "/tags/list", Reply.of_json({"tags": ["1"]}, 200, link))

    with pytest.raises(hubframe.HubframeError, match="the tags of library/alpine"):
        hubframe.tags_df("library/alpine", source="registry", client=client)
    # The Hub's own API is asked for names that are close to one which is not there.
    own = {"registry-1.docker.io", "auth.docker.io", "hub.docker.com"}
    assert {each.host for each in application.log} <= own


def test_a_login_that_is_sent_on_goes_nowhere(stage):
    """Not even to the same scheme: a body with a password must not be sent again."""
    target = f"http://{stage.served.example_host}/take"
    stage.fail("/v2/auth/token", Reply(307, {"Location": target}))
    stage.fail("/take", Reply.of_json({"access_token": "x"}))

    with pytest.raises(hubframe.TransportError, match="was not followed"):
        hubframe.repos_df("acme", client=stage.client((USER, PASSWORD)))
    assert stage.count("/take") == 0
