"""What is kept, for how long, and what is served when the other side is down."""

import base64
import json
import re
import sqlite3
import warnings
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import requests_cache
from IPython.lib.pretty import pretty

import hubframe
from hubframe import cache
from hubframe.testing import DROP, Reply
from hubframe.wire.session import KEPT_TAGS, Ask

from .conftest import LOGIN

IMAGE = "library/alpine"
TAGS = "/repositories/alpine/tags"
MINUTES = 60
HTML = Reply(200, {"Content-Type": "text/html"}, b"<html>Sign in to the network</html>")
DOWN = [
    DROP,
    Reply(500),
    Reply(502, {"Content-Type": "text/html"}, b"<html>"),
    Reply(503),
    Reply(504),
]


def repos(client):
    return hubframe.repos_df("acme", client=client)


def search(client):
    return hubframe.search_df("alpine", client=client)


def tags(client):
    return hubframe.tags_df(IMAGE, client=client)


def layers(client):
    return hubframe.layers_df(f"{IMAGE}:latest", client=client)


def registry_tags(client):
    return hubframe.tags_df(IMAGE, source="registry", client=client)


ASKED = {repos: 60, search: 60, tags: 10, layers: 10, registry_tags: 10}


@pytest.mark.parametrize(
    ("ask", "kept"), ASKED.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_an_answer_is_kept_for_its_time(stage, later, ask, kept):
    client = stage.client()
    first = ask(client)
    spent = stage.count()

    later((kept - 1) * MINUTES)
    again = ask(client)
    assert stage.count() == spent
    assert again.equals(first)
    assert again.attrs["hubframe"]["requests"] == 0
    assert again.attrs["hubframe"]["from_cache"] > 0
    told = [pd.Timestamp(frame.attrs["hubframe"]["fetched_at"]) for frame in (first, again)]
    assert told[1] - told[0] < pd.Timedelta(seconds=10)

    later((kept + 1) * MINUTES)
    ask(client)
    assert stage.count() > spent


def test_documents_are_kept_for_ever(stage, later):
    client = stage.client()
    hubframe.configs_df(f"{IMAGE}:latest", source="registry", client=client)
    spent = stage.count("sha256:")
    later(10 * 365 * 24 * 60 * MINUTES)
    with hubframe.refresh():
        hubframe.configs_df(f"{IMAGE}:latest", source="registry", client=client)

    assert spent == 3
    assert stage.count("sha256:") == spent


def test_refresh_asks_anew_and_keeps_the_answer(stage):
    client = stage.client()
    tags(client)
    with hubframe.refresh():
        tags(client)
    tags(client)

    assert stage.count(TAGS) == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(404), hubframe.NotFoundError),
        (Reply(429), hubframe.RateLimitError),
        (Reply(500), hubframe.TransportError),
        (Reply(204), hubframe.PayloadError),
        (Reply(200), hubframe.PayloadError),
        (Reply(200, {}, b'{"count": 1, "res'), hubframe.PayloadError),
        (Reply(200, {}, b"[" * 100_000), hubframe.PayloadError),
        (Reply(200, {"Content-Length": "900"}, b'{"count": 0}'), hubframe.TransportError),
        (HTML, hubframe.BlockedError),
    ],
    ids=["404", "429", "500", "204", "empty", "cut", "deep", "short", "html"],
)
def test_what_is_no_answer_is_not_kept(stage, reply, error):
    client = stage.client()
    # Also what a name that is not there is compared with.
    stage.fail("/", reply)
    with pytest.raises(error):
        tags(client)
    assert cache.info(client).answers == 0

    stage.heal()
    assert len(tags(client)) > 0


DAY = 24 * 60 * MINUTES


def test_documents_of_the_call_before_are_remembered(stage):
    client = stage.client()
    layers = hubframe.layers_df(IMAGE, source="registry", client=client)
    spent = stage.count("sha256:")
    with closing(sqlite3.connect(stage.folder / "documents.sqlite")) as file, file:
        file.execute("DELETE FROM documents")
    labels = hubframe.labels_df(IMAGE, source="registry", client=client)

    assert stage.count("sha256:") == spent > 0
    cache.clear(client=client)
    assert hubframe.labels_df(IMAGE, source="registry", client=client).equals(labels)
    assert hubframe.layers_df(IMAGE, source="registry", client=client).equals(layers)
    assert stage.count("sha256:") > spent


def test_requests_cache_alone_reads_the_file(stage):
    client = stage.client()
    found = tags(client)
    client.close()

    with requests_cache.CachedSession(stage.folder / "http_cache", serializer="orjson") as session:
        kept = list(session.cache.filter())
    assert len(kept) == 1
    assert kept[0].url.partition("?")[0].endswith(TAGS)
    assert {each["name"] for each in kept[0].json()["results"]} == set(found.tag)
    assert not kept[0].is_expired
    assert "Authorization" not in kept[0].request.headers


def test_answers_leave_most_of_the_cache_to_documents(stage, later):
    limit = 2_000_000
    client = stage.client(max_cache_bytes=limit)
    body = json.dumps({"count": 1, "results": [{"name": "x" * 20_000}]}).encode()
    stage.fail("/repositories?", Reply(200, {"Content-Type": "application/json"}, body))
    for number in range(60):
        hubframe.repos_df(f"name{number}", client=client)
    client.close()
    file = stage.folder / "http_cache.sqlite"
    assert file.stat().st_size > limit / 4
    later(61 * MINUTES)
    stage.client(max_cache_bytes=limit)
    assert file.stat().st_size <= limit / 4


def test_an_answer_is_held_for_a_month_after_it_was_fresh(stage, later):
    tags(stage.client())
    later(29 * DAY)
    assert cache.info(stage.client()).answers == 1
    later(31 * DAY)
    assert cache.info(stage.client()).answers == 0


def test_only_what_is_old_is_cleared(stage, later):
    client = stage.client()
    hubframe.labels_df(f"{IMAGE}:latest", client=client)
    later(9 * DAY)
    hubframe.labels_df("library/python:latest", client=client)
    held = cache.info(client)

    old = timedelta(days=7)
    told = cache.clear(dry_run=True, older_than=old, client=client)
    assert (told.documents, told.answers) == (2, 1)
    assert cache.info(client) == held
    assert cache.clear(older_than=old, client=client) == told
    left = cache.info(client)
    assert left.documents == held.documents - told.documents
    assert left.answers == held.answers - told.answers
    assert left.oldest_use > held.oldest_use
    with pytest.raises(ValueError, match="older_than"):
        cache.clear(older_than=-old, client=client)


def test_the_tests_that_the_page_names_are_there():
    root = Path(__file__).parents[2]
    page = (root / "docs" / "cache.md").read_text(encoding="utf-8")
    tests = "".join(each.read_text(encoding="utf-8") for each in root.glob("tests/**/test_*.py"))

    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 25
    assert not {name for name in named if f"def {name}(" not in tests}


def test_info_is_printed_in_words():
    info = cache.CacheInfo(None, 1234, 56, 7, 89_000_000, 2 * 1024**3, date(2026, 1, 2))

    assert str(info).splitlines() == [
        "folder     memory",
        "documents  1,234",
        "answers    56 (7 no longer fresh)",
        "size       84.9 MiB of at most 2.0 GiB",
        "oldest use 2026-01-02",
    ]
    assert pretty(info) == str(info)
    sizes = [0, 1023, 1024, 1024**2 - 1, 5 * 1024**5]
    written = [cache._size(each) for each in sizes]
    assert written == ["0 bytes", "1023 bytes", "1.0 KiB", "1024.0 KiB", "5120.0 TiB"]


def test_accept_is_part_of_the_key(stage):
    """An index is not served where a manifest was asked for."""
    session = stage.client().hub.session
    url = f"{stage.served.hub_url}/v2/namespaces/library{TAGS}"
    for accept in ("application/json", "text/plain", "application/json"):
        session.get(Ask(url, accept), "it", KEPT_TAGS)

    assert stage.count(TAGS) == 2


@pytest.mark.parametrize("vary", ["*", "Cookie", "Accept-Encoding, Origin", "Authorization"])
def test_what_answers_vary_by_does_not_spoil_the_cache(stage, vary):
    stage.fail(TAGS, lambda request: stage.real_answer(request).with_headers({"Vary": vary}))
    client = stage.client()
    tags(client)
    tags(client)

    assert stage.count(TAGS) == 1


def test_an_expired_answer_that_is_confirmed_is_fresh_again(stage, later):
    client = stage.client()
    session, url = client.hub.session, f"{stage.served.hub_url}/v2/namespaces/library{TAGS}"

    def answer(request):
        if request.headers.value("If-None-Match") == '"1"':
            return Reply(304, {"ETag": '"1"'})
        return stage.real_answer(request).with_headers({"ETag": '"1"'})

    stage.fail(TAGS, answer)
    first = session.get(Ask(url), "it", KEPT_TAGS).json()
    later(11 * MINUTES)
    assert session.get(Ask(url), "it", KEPT_TAGS).json() == first
    later(20 * MINUTES)
    assert session.get(Ask(url), "it", KEPT_TAGS).json() == first

    assert [each.status for each in stage.asked(TAGS)] == [200, 304]


def test_a_confirmed_answer_is_of_now(stage, later):
    def answer(request):
        if request.headers.value("If-None-Match"):
            return Reply(304, {"ETag": '"1"'})
        return stage.real_answer(request).with_headers({"ETag": '"1"'})

    stage.fail(TAGS, answer)
    client = stage.client()
    later(-60 * MINUTES)
    tags(client)
    later(0)
    confirmed = tags(client).attrs["hubframe"]

    assert (confirmed["requests"], confirmed["from_cache"]) == (1, 1)
    age = datetime.now(UTC) - datetime.fromisoformat(confirmed["fetched_at"])
    assert age < timedelta(minutes=30)


@pytest.mark.parametrize("reply", DOWN, ids=["drop", "500", "502", "503", "504"])
def test_an_old_answer_serves_while_the_other_side_is_down(stage, later, reply):
    client = stage.client()
    first = tags(client)
    later(11 * MINUTES)
    stage.fail(TAGS, reply)

    for _ in range(2):
        with pytest.warns(hubframe.StaleWarning, match="from the cache, since"):
            old = tags(client)
        assert old.equals(first)
        assert old.attrs["hubframe"]["stale"] == 1

    stage.heal()
    assert tags(client).attrs["hubframe"]["stale"] == 0


def test_an_old_answer_serves_while_the_login_is_down(stage, later):
    client = stage.client(LOGIN)
    first = repos(client)
    later(61 * MINUTES)
    stage.fail("/v2/auth/token", 503)

    with pytest.warns(hubframe.StaleWarning):
        assert repos(client).equals(first)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, hubframe.NotFoundError),
        (401, hubframe.UnauthorizedError),
        (403, hubframe.UnauthorizedError),
        (429, hubframe.RateLimitError),
    ],
)
@pytest.mark.parametrize("part", ["/repositories?", "/v2/auth/token"])
def test_an_old_answer_does_not_serve_against_a_refusal(stage, later, part, status, error):
    client = stage.client(LOGIN)
    repos(client)
    later(61 * MINUTES)
    stage.fail(part, status)
    stage.fail("/v2/users/login", status)

    with pytest.raises(error):
        repos(client)


def test_threads_that_share_an_old_answer_all_say_so(stage, later, at_once):
    client = stage.client()
    tags(client)
    later(11 * MINUTES)
    stage.fail(TAGS, DROP)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hubframe.StaleWarning)
        frames = at_once(lambda: tags(client))

    assert {frame.attrs["hubframe"]["stale"] for frame in frames} == {1}


def test_offline_answers_from_what_is_held_however_old(stage, later):
    labels = hubframe.labels_df(f"{IMAGE}:latest", client=stage.client())
    later(100 * MINUTES)
    spent = stage.count()
    with hubframe.offline():
        inside = hubframe.labels_df(f"{IMAGE}:latest", client=stage.client())
    always = hubframe.labels_df(f"{IMAGE}:latest", client=stage.client(offline=True))

    assert stage.count() == spent
    assert inside.equals(labels)
    assert always.equals(labels)
    assert inside.attrs["hubframe"]["stale"] > 0


def test_offline_names_what_is_missing(stage):
    client = stage.client()
    found = hubframe.images_df(f"{IMAGE}:latest", platform="linux/amd64", client=client)
    with hubframe.offline():
        with pytest.raises(hubframe.NotCachedError, match=r"the tags of library/python.*offline"):
            hubframe.tags_df("library/python", client=client)
        with pytest.raises(hubframe.NotCachedError, match=found.image_digest[0]):
            hubframe.labels_df(f"{IMAGE}:latest", client=client)


def test_info_and_clear(stage, later):
    client = stage.client()
    empty = cache.info(client)
    assert empty == cache.CacheInfo(stage.folder, 0, 0, 0, empty.size, 2 * 1024**3, None)
    hubframe.labels_df(f"{IMAGE}:latest", client=client)
    repos(client)
    later(30 * MINUTES)

    held = cache.info(client)
    told = cache.clear(dry_run=True, client=client)
    assert (held.documents, held.answers, held.expired) == (2, 2, 1)
    assert told == held == cache.info(client)
    assert held.size == sum(
        path.stat().st_size for path in stage.folder.rglob("*") if path.is_file()
    )

    emptied = cache.clear(client=client)
    assert (emptied.documents, emptied.answers) == (2, 2)
    after = cache.info(client)
    assert (after.documents, after.answers, after.expired) == (0, 0, 0)
    assert after.size < held.size

    spent = stage.count()
    hubframe.labels_df(f"{IMAGE}:latest", client=client)
    assert stage.count() > spent


# Whoever asks, and which of the two private repositories the answers may show.
ASKERS = {
    "anonymous": (False, set()),
    "acme": (LOGIN, {"acme/billing"}),
    "ansible": (("ansible-bot", LOGIN[1]), {"ansible/vault-tools"}),
    "by namespace": (
        {"docker.io/acme": LOGIN, "docker.io/ansible": ("ansible-bot", LOGIN[1])},
        {"acme/billing", "ansible/vault-tools"},
    ),
}


def readable(client):
    """Return the private repositories whose tags the registry shows."""
    seen = set()
    for repo in ("acme/billing", "ansible/vault-tools"):
        with suppress(hubframe.NotFoundError, hubframe.UnauthorizedError):
            hubframe.tags_df(repo, source="registry", client=client)
            seen.add(repo)
    return seen


@pytest.mark.parametrize("turn", range(len(ASKERS)))
def test_entries_of_one_identity_never_serve_another(stage, turn):
    """Whoever comes first, all see their own; offline too, where only what is held can answer."""
    order = [*list(ASKERS)[turn:], *list(ASKERS)[:turn]]
    for name in order:
        credentials, may = ASKERS[name]
        assert readable(stage.client(credentials)) == may, name
    for name in order:
        credentials, may = ASKERS[name]
        client = stage.client(credentials)
        with hubframe.offline(), suppress(hubframe.NotCachedError):
            assert readable(client) <= may, name


def test_after_a_logout_what_the_login_saw_is_not_served(stage, home):
    config = home / ".docker" / "config.json"
    config.parent.mkdir()
    auth = base64.b64encode(":".join(LOGIN).encode()).decode()
    config.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}}))
    assert "acme/billing" in set(repos(stage.client()).repo)
    assert readable(stage.client()) == {"acme/billing"}

    config.unlink()
    assert "acme/billing" not in set(repos(stage.client()).repo)
    assert readable(stage.client()) == set()


def test_a_cache_in_memory_is_its_clients_own(stage, tmp_path):
    """Two clients of one process must not answer for each other: one may be the sample's."""
    (tmp_path / "file").touch()
    with pytest.warns(hubframe.CacheWarning):
        one = stage.client(cache_dir=tmp_path / "file" / "below")
    with pytest.warns(hubframe.CacheWarning):
        other = stage.client(cache_dir=tmp_path / "file" / "below")
    tags(one)
    tags(other)
    tags(one)

    assert stage.count(TAGS) == 2
    assert cache.info(one).folder is None


def test_a_closed_client_says_so_and_spends_nothing(stage):
    client = stage.client()
    tags(client)
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        tags(client)
    assert stage.count(TAGS) == 1
    assert not list(stage.folder.glob("*damaged*"))
