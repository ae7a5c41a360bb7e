"""What the other side does wrong: absence, refusals, walls, lies, and bodies without end."""

import gzip
import logging
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import hubframe
from hubframe import cache
from hubframe.testing import DROP, Reply

from .conftest import LOGIN

IMAGE = "library/alpine"
TAGS = "/repositories/alpine/tags"
MEBIBYTE = 2**20
PULLED_OUT = b"You have reached your pull rate limit. You may increase the limit"
ABUSE = Reply(429, {"Content-Type": "text/plain"}, b"Too Many Requests (HAP429).\n")
HUB_LIMIT = Reply.of_json({"detail": "Rate limit exceeded", "error": False}, 429)


def tags(client):
    return hubframe.tags_df(IMAGE, client=client)


def configs(client):
    return hubframe.configs_df(f"{IMAGE}:latest", source="registry", client=client)


@pytest.fixture
def closed_port():
    """A loopback port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_nobody_there(stage, closed_port, sleeps):
    client = stage.client(hub_url=f"http://127.0.0.1:{closed_port}")

    with pytest.raises(hubframe.TransportError) as caught:
        tags(client)

    message = str(caught.value)
    for part in (f"127.0.0.1:{closed_port}", "refused", "--sample", "offline"):
        assert part in message
    assert len(sleeps) <= 5
    assert sum(sleeps) < 10


def test_a_name_that_nobody_knows(stage):
    with pytest.raises(hubframe.TransportError, match=r"nobody\.invalid could not be reached"):
        tags(stage.client(hub_url="http://nobody.invalid"))


@pytest.mark.parametrize("status", [DROP.status, 408, 500, 502, 503, 504])
def test_a_failure_is_retried_five_times_at_most(stage, status):
    client = stage.client()
    fault = stage.fail(TAGS, status, times=6)
    with pytest.raises(hubframe.TransportError):
        tags(client)
    assert stage.count(TAGS) == 6

    stage.heal()
    assert len(tags(client)) > 0
    stage.application.faults.append(fault)
    fault.times = 5
    with hubframe.refresh():
        assert len(tags(client)) > 0
    assert stage.count(TAGS) == 13


def test_a_host_that_is_down_is_not_tried_five_times_by_everybody(stage):
    """One finds out for all; whoever comes after it asks twice, and the first answer ends it."""
    client = stage.client()
    fault = stage.fail("/v2/", DROP)
    for _ in range(3):
        with pytest.raises(hubframe.TransportError):
            tags(client)
    assert stage.count() == 6 + 2 + 2

    fault.times = 0
    assert len(tags(client)) > 0
    fault.times = 5
    with hubframe.refresh():
        assert len(tags(client)) > 0


def test_a_body_that_is_cut_is_retried(stage):
    stage.fail(TAGS, Reply(200, {"Content-Length": "9000"}, b'{"count": 1'), times=2)

    assert len(tags(stage.client())) > 0
    assert stage.count(TAGS) == 3


@pytest.mark.parametrize("status", [400, 402, 406, 410, 418, 501])
def test_other_statuses_are_told_at_once(stage, status):
    stage.fail(TAGS, Reply.of_json({"message": "no\x1b[31m, really"}, status))

    with pytest.raises(hubframe.TransportError, match=rf"{status} .*no \[31m, really"):
        tags(stage.client())
    assert stage.count(TAGS) == 1


def in_seconds(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("limit", [HUB_LIMIT, ABUSE], ids=["hub", "abuse"])
@pytest.mark.parametrize("wait", ["2", "60", "date"])
def test_a_short_wait_is_waited_and_said(stage, sleeps, caplog, limit, wait):
    value = in_seconds(30) if wait == "date" else wait
    stage.fail(TAGS, limit.with_headers({"Retry-After": value}), times=1)

    with caplog.at_level(logging.WARNING, "hubframe"):
        assert len(tags(stage.client())) > 0

    assert sleeps == [pytest.approx(30 if wait == "date" else float(wait), abs=1.5)]
    (record,) = caplog.records
    assert stage.served.hub_url.removeprefix("http://") in record.getMessage()
    assert "waiting" in record.getMessage()


@pytest.mark.parametrize("value", ["76", "21600"])
def test_a_long_wait_is_an_error_at_once(stage, sleeps, value):
    stage.fail(TAGS, HUB_LIMIT.with_headers({"Retry-After": value}))

    with pytest.raises(hubframe.RateLimitError) as caught:
        tags(stage.client())

    assert caught.value.retry_after == float(value)
    assert caught.value.limit == "hub"
    assert stage.count(TAGS) == 1
    assert sleeps == []


@pytest.mark.parametrize("value", [None, "soon", "-5"])
def test_a_wait_that_is_not_told_is_two_seconds_doubled_each_time(stage, sleeps, value):
    headers = {} if value is None else {"Retry-After": value}
    stage.fail(TAGS, HUB_LIMIT.with_headers(headers))

    with pytest.raises(hubframe.RateLimitError) as caught:
        tags(stage.client())

    assert caught.value.retry_after is None
    assert sleeps == pytest.approx([2, 4, 8, 16, 32], abs=0.1)


def test_waits_are_bounded(stage, sleeps):
    stage.fail(TAGS, HUB_LIMIT.with_headers({"Retry-After": "1"}))

    with pytest.raises(hubframe.RateLimitError) as caught:
        tags(stage.client())

    assert caught.value.retry_after == 1
    assert sleeps == pytest.approx([1] * 5, abs=0.1)


@pytest.mark.parametrize(
    ("part", "reply", "limit"),
    [
        (TAGS, HUB_LIMIT, "hub"),
        (TAGS, ABUSE, "abuse"),
        ("/tags/list", ABUSE, "abuse"),
        ("/manifests/", ABUSE, "abuse"),
        ("/manifests/", Reply(429), "pull"),
        ("/manifests/", Reply(429, {"Content-Type": "text/plain"}, PULLED_OUT), "pull"),
        ("/manifests/", Reply.of_json({"errors": [{"code": "TOOMANYREQUESTS"}]}, 429), "pull"),
        ("/token", Reply(429, {}, PULLED_OUT), "pull"),
    ],
)
def test_limits_are_told_apart(stage, part, reply, limit):
    stage.fail(part, reply, method="GET")

    ask = tags if part == TAGS else listed if part == "/tags/list" else configs
    with pytest.raises(hubframe.RateLimitError) as caught:
        ask(stage.client())

    assert caught.value.limit == limit
    assert "429" in str(caught.value)


def listed(client):
    return hubframe.tags_df(IMAGE, source="registry", client=client)


def test_the_real_pull_limit_is_told_with_its_words(stage_of, bundled):
    """One pull is not worth asking for the limit: its refusal says as much."""
    stage = stage_of(bundled, pull_limit=0)

    with pytest.raises(hubframe.RateLimitError, match="reached your pull rate limit") as caught:
        hubframe.configs_df(f"{IMAGE}:latest", client=stage.client())
    assert (caught.value.limit, caught.value.retry_after) == ("pull", None)


WALLS = [
    Reply(403, {"Content-Type": "text/plain"}, b"error code: 1010"),
    Reply(
        403,
        {"Content-Type": "text/html; charset=UTF-8"},
        b"<!DOCTYPE html><title>Just a moment...</title>",
    ),
    Reply(200, {"Content-Type": "text/html"}, b"\n<html>Sign in to the network</html>"),
]


@pytest.mark.parametrize("reply", WALLS, ids=["1010", "challenge", "portal"])
@pytest.mark.parametrize(
    ("part", "ask"),
    [(TAGS, tags), ("/tags/list", listed), ("/manifests/sha256", configs), ("/blobs/", configs)],
    ids=["hub", "list", "manifest", "config"],
)
def test_a_wall_is_no_answer_and_not_retried(stage, reply, part, ask):
    stage.fail(part, reply)

    with pytest.raises(hubframe.BlockedError, match="not the API"):
        ask(stage.client())
    assert stage.count(part) == 1


def test_a_wall_before_the_login(stage):
    stage.fail("/v2/auth/token", WALLS[0])

    with pytest.raises(hubframe.BlockedError):
        tags(stage.client(LOGIN))
    assert stage.count(method="POST") == 1


@pytest.mark.parametrize("part", ["/manifests/sha256", "/blobs/"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_document_has_at_most_four_mebibytes(stage, part, is_packed):
    """A bomb is small on the wire: what counts is what it grows to."""
    body = b" " * (4 * MEBIBYTE + 1 if not is_packed else 400 * MEBIBYTE)
    headers = {"Content-Encoding": "gzip"} if is_packed else {}
    stage.fail(part, Reply(200, headers, gzip.compress(body) if is_packed else body))

    with pytest.raises(hubframe.PayloadError, match="more than 4 MiB"):
        configs(stage.client())
    assert stage.count(part) == 1


def test_a_document_of_four_mebibytes_is_read(stage):
    stage.fail("/blobs/", Reply(200, {}, b" " * 4 * MEBIBYTE))

    with pytest.raises(hubframe.DigestMismatchError):
        configs(stage.client())


def test_a_list_may_be_longer_but_has_an_end(stage):
    stage.fail(
        TAGS, Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * (65 * MEBIBYTE)))
    )

    with pytest.raises(hubframe.PayloadError, match="more than 64 MiB"):
        tags(stage.client())


@pytest.mark.parametrize("part", ["/manifests/sha256", "/blobs/"])
def test_bytes_that_do_not_match_are_refused_and_not_kept(stage, part):
    client = stage.client()
    stage.fail(part, lambda request: _changed(stage.real_answer(request, "docker.io")))
    with pytest.raises(hubframe.DigestMismatchError, match="nothing was kept"):
        configs(client)
    held = cache.info(client).documents

    stage.heal()
    assert len(configs(client)) == 1
    assert cache.info(client).documents == 3
    assert held == (0 if "manifests" in part else 2)


def _changed(reply):
    return Reply(reply.status, reply.headers, reply.body.replace(b"sha256", b"sha265", 1))


def test_connections_are_used_again(stage):
    """Also after HEAD, whose answers have no body to read to its end."""
    client = stage.client()
    configs(client)
    with hubframe.refresh():
        for _ in range(5):
            configs(client)
    pools = client.exchanges.network.poolmanager.pools
    (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118 - it is no dict

    assert stage.count() > 8
    assert pool.num_connections == 1
