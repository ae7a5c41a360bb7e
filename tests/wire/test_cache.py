"""What is kept, for how long, and what is served when the other side is down."""

import warnings
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import hubframe
from hubframe import cache
from hubframe.sample import DROP, Reply
from hubframe.wire.content import Content, Document, digest_of
from hubframe.wire.session import KEPT_TAGS

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
    stage.fail(TAGS, reply)
    with pytest.raises(error):
        tags(client)
    assert cache.info(client).answers == 0

    stage.heal()
    assert len(tags(client)) > 0


def document(number, size=40):
    body = b"%06d" % number * (size // 6)
    return Document(digest_of(body), "application/json", body)


def test_many_documents_are_kept_and_read_together(tmp_path):
    documents = {each.digest: each for each in map(document, range(2500))}
    content = Content(tmp_path / "content.sqlite")
    content.put_many(documents.values())
    content.put_many([])

    missing = digest_of(b"never kept")
    assert content.get_many([missing, *documents, *documents]) == documents
    assert content.get_many([]) == {}
    content.close()


def test_one_bad_document_of_many_costs_itself_only(tmp_path):
    sound, other = document(1), document(2)
    content = Content(tmp_path / "content.sqlite")
    content.put_many([sound, Document(other.digest, "application/json", b"{}")])

    assert content.get_many([sound.digest, other.digest]) == {sound.digest: sound}
    assert content.info()[0] == 1, "the bad one is gone"
    content.put(other)
    assert content.get(other.digest) == other
    content.close()


def test_an_answer_is_read_without_requests_cache(stage, later):
    client = stage.client()
    url = f"{stage.served.hub_url}/v2/categories"
    response = client.session.get(url, "it", keep=KEPT_TAGS)
    (key,) = client.session.cache.responses
    answer = client.session.cache.read(key)
    kept = client.session.cache.responses[key]

    for name in ("status_code", "url", "content"):
        assert getattr(answer, name) == getattr(response, name) == getattr(kept, name)
    for name, value in response.headers.items():
        assert answer.headers[name] == answer.headers[name.upper()] == kept.headers[name] == value
    assert (answer.fetched_at, answer.expires) == (kept.created_at, kept.expires)
    assert answer.expires - answer.fetched_at == pytest.approx(
        timedelta(seconds=KEPT_TAGS), rel=0.01
    )
    assert answer.is_fresh
    later(KEPT_TAGS + 1)
    assert not answer.is_fresh

    assert client.session.cache.read("no such key") is None
    assert client.session.cache.read_many([key, "no such key"]) == {key: answer}


@pytest.mark.parametrize("column", ["key", "about", "body", "checksum"])
def test_a_damaged_answer_is_as_good_as_none(stage, column):
    client = stage.client()
    tags(client)
    answers = client.session.cache
    (key,) = answers.responses
    answers.responses._database.run(
        f"UPDATE answers SET {column} = CAST({column} || x'FF' AS TEXT)"
    )
    (found,) = answers.responses

    assert answers.read(key) is None
    assert answers.read_many([key, found]) == {}
    assert answers.responses.get(key) is None


def test_an_answer_without_a_body_or_headers_is_read(stage):
    stage.fail("/categories", Reply(200, {}, b"0"))
    client = stage.client()
    url = f"{stage.served.hub_url}/v2/categories"
    client.session.get(url, "it", keep=KEPT_TAGS, method="HEAD")
    (key,) = client.session.cache.responses

    answer = client.session.cache.read(key)
    assert answer.content == b""
    assert "ETag" not in answer.headers
    with pytest.raises(KeyError):
        answer.headers["ETag"]


def test_accept_is_part_of_the_key(stage):
    """An index is not served where a manifest was asked for."""
    session = stage.client().session
    url = f"{stage.served.hub_url}/v2/categories"
    for accept in ("application/json", "text/plain", "application/json"):
        session.get(url, "it", keep=KEPT_TAGS, headers={"Accept": accept})

    assert stage.count("/categories") == 2


@pytest.mark.parametrize("vary", ["*", "Cookie", "Accept-Encoding, Origin", "Authorization"])
def test_what_answers_vary_by_does_not_spoil_the_cache(stage, vary):
    stage.fail(TAGS, lambda request: stage.real_answer(request).with_headers({"Vary": vary}))
    client = stage.client()
    tags(client)
    tags(client)

    assert stage.count(TAGS) == 1


def test_an_expired_answer_that_is_confirmed_is_fresh_again(stage, later):
    client = stage.client()
    session, url = client.session, f"{stage.served.hub_url}/v2/categories"

    def answer(request):
        if request.headers.value("If-None-Match") == '"1"':
            return Reply(304, {"ETag": '"1"'})
        return stage.real_answer(request).with_headers({"ETag": '"1"'})

    stage.fail("/categories", answer)
    first = session.json(url, "it", keep=KEPT_TAGS)
    later(11 * MINUTES)
    assert session.json(url, "it", keep=KEPT_TAGS) == first
    later(20 * MINUTES)
    assert session.json(url, "it", keep=KEPT_TAGS) == first

    assert [each.status for each in stage.asked("/categories")] == [200, 304]


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
    assert cache.info(client) == cache.CacheInfo(stage.folder, 0, 0, 0, cache.info(client).size)
    hubframe.labels_df(f"{IMAGE}:latest", client=client)
    repos(client)
    later(30 * MINUTES)

    held = cache.info(client)
    told = cache.clear(dry_run=True, client=client)
    assert (held.documents, held.answers, held.expired) == (2, 2, 1)
    assert told == held == cache.info(client)
    assert held.size == sum(path.stat().st_size for path in stage.folder.iterdir())

    emptied = cache.clear(client=client)
    assert (emptied.documents, emptied.answers) == (2, 2)
    after = cache.info(client)
    assert (after.documents, after.answers, after.expired) == (0, 0, 0)
    assert after.size < held.size

    spent = stage.count()
    hubframe.labels_df(f"{IMAGE}:latest", client=client)
    assert stage.count() > spent


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
