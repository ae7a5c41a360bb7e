"""Connections that break, answers that lead elsewhere, and programs that are killed."""

import subprocess
import sys
from pathlib import Path

import pytest

import hubframe
from hubframe import cache
from hubframe.testing import Reply

from .layers import archive, digest_of, packed

REF = "acme/tool:1"
# Names that do not pack, so that the layer has some length.
LONG = packed(archive(*((digest_of(bytes([n % 256, n // 256])), b"") for n in range(800))))


def read(shelf, client=None, **how):
    client = client or shelf.stage.client()
    return hubframe.files_df(REF, source="registry", client=client, **how)


def fault(shelf, part, reply):
    """Answer before the shelf does."""
    shelf.stage.application.faults.insert(0, shelf.stage.fail(part, reply))


def wanted(request):
    found = next((v for name, v in request.headers.items() if name.lower() == "range"), "")
    return int(found.removeprefix("bytes=").removesuffix("-")) if found else None


def breaking(blob, starts, pieces=4, *, knows_parts=True):
    """Send a quarter at a time, and promise the rest."""

    def answer(request):
        start = wanted(request)
        starts.append(start)
        begin = (start or 0) if knows_parts else 0
        end = (start or 0) + len(blob) // pieces + 1
        status = 206 if start and knows_parts else 200
        headers = {"Content-Length": str(len(blob) - begin)}
        if status == 206:
            headers["Content-Range"] = f"bytes {begin}-{len(blob) - 1}/{len(blob)}"
        return Reply(status, headers, blob[begin:end])

    return answer


@pytest.mark.parametrize("knows_parts", [True, False])
def test_what_breaks_off_goes_on_where_it_ended(shelf, knows_parts):
    (digest,) = shelf.add("1", LONG)
    starts = []
    fault(shelf, digest, breaking(LONG, starts, knows_parts=knows_parts))
    assert len(read(shelf)) == 800
    assert starts[0] is None
    assert starts[1:] == sorted(starts[1:])
    assert 0 < starts[1] < starts[-1] < len(LONG)


def test_what_breaks_off_again_and_again_is_given_up(shelf):
    (digest,) = shelf.add("1", LONG)
    starts = []
    fault(shelf, digest, breaking(LONG, starts, pieces=100))
    client = shelf.stage.client()
    with pytest.raises(hubframe.TransportError, match="broke off 4 times"):
        read(shelf, client)
    assert len(starts) == 4
    assert cache.info(client).listings == 0


def test_another_part_than_was_asked_for_is_not_taken(shelf):
    (digest,) = shelf.add("1", LONG)
    starts = []
    usual = breaking(LONG, starts, pieces=2)

    def answer(request):
        reply = usual(request)
        if 0 < starts.count(None) < len(starts) == 2:
            return Reply(206, {"Content-Range": f"bytes 0-9/{len(LONG)}"}, LONG[:10])
        return reply

    fault(shelf, digest, answer)
    assert len(read(shelf)) == 800
    assert starts[1] == starts[2] != 0


def test_a_layer_comes_from_where_a_redirect_leads_without_the_login(shelf):
    (digest,) = shelf.add("1", LONG)
    seen = []

    def answer(request):
        seen.append({name.lower() for name in request.headers})
        return Reply(200, {}, LONG)

    fault(shelf, "/signed/", answer)
    target = f"{shelf.stage.served.hub_url}/signed/layer?sig=secret"
    fault(shelf, digest, Reply(307, {"Location": target.replace("127.0.0.1", "localhost")}))
    assert len(read(shelf)) == 800
    assert [("authorization" in headers) for headers in seen] == [False]


def die(shelf, step, tmp_path):
    """Read the layers of an image in a process that kills itself meanwhile."""
    served = shelf.stage.served
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run(
        [sys.executable, script, step, served.hub_url, served.registry_url, shelf.stage.folder],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parent.parent.parent,
        env={"PATH": "", "PYTHONPATH": ".", "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"},
    )
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize("step", ["reading", "writing"])
def test_who_is_killed_leaves_no_half_of_a_listing(shelf, step, tmp_path):
    shelf.add("1", LONG)
    die(shelf, step, tmp_path)
    client = shelf.stage.client()
    assert cache.info(client).listings == 0
    assert len(read(shelf, client)) == 800
    assert cache.info(client).listings == 1


def test_who_is_killed_has_the_layers_that_were_read(shelf, tmp_path):
    status = b"Package: a\nStatus: install ok installed\nVersion: 1\n"
    first, second, third = shelf.add(
        "1",
        *(
            packed(archive(one))
            for one in [("var/lib/dpkg/status", status), ("b", b""), ("last", b"")]
        ),
    )
    die(shelf, "third layer", tmp_path)
    assert shelf.layers_asked() == [first, second, third]
    client = shelf.stage.client()
    assert cache.info(client).listings == 2
    found = hubframe.packages_df("acme/tool:1", source="registry", client=client)
    assert found["name"].tolist() == ["a"]
    assert shelf.layers_asked() == [first, second, third, third]
