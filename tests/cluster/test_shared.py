"""What machines share: on Redis and in a folder, with leases, one rate, and no login shown."""

import hashlib
import json
import pickle
import subprocess
import sys
import threading
import time

import dask
import pandas as pd
import pytest
import redis

import hubframe
from benchmarks.crowd import repositories
from hubframe.errors import TransportError
from hubframe.testing import Application, serve
from hubframe.wire import blobs, cancellation

from .conftest import PASSWORD

LOGIN_URL = f"redis://me:{PASSWORD}@127.0.0.1:1/0"
DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture(params=["redis", "folder"])
def url(request, cache_url, tmp_path):
    return cache_url if request.param == "redis" else str(tmp_path / "shared")


def names(host, count):
    return [f"{host}/{name}:latest" for name in repositories(count)]


def test_what_one_fetched_another_has(crowd, asked, url, client_of):
    what = names(crowd, 10)
    first = hubframe.layers_df(what, client=client_of(cache_url=url))
    assert sum(asked()["asked"].values()) > 20
    second = hubframe.layers_df(what, client=client_of(cache_url=url))
    assert not asked()["asked"]
    pd.testing.assert_frame_equal(first, second)


def test_two_at_once_fetch_each_document_once(crowd, asked, client_of):
    what = names(crowd, 60)
    clients = [client_of() for _ in range(2)]
    threads = [
        threading.Thread(target=hubframe.layers_df, args=(what,), kwargs={"client": one})
        for one in clients
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    counts = [n for line, n in asked()["asked"].items() if "/sha256:" in line]
    assert len(counts) == 120
    assert set(counts) == {1}


def test_what_is_damaged_is_fetched_again(crowd, asked, connection, client_of):
    what = names(crowd, 1)
    whole = hubframe.layers_df(what, client=client_of())
    asked()
    for key in connection.keys("hubframe:*"):
        if connection.type(key) == b"string":
            connection.set(key, connection.get(key)[:-1] + b"?")
    again = hubframe.layers_df(what, client=client_of())
    pd.testing.assert_frame_equal(again, whole)
    assert sum("/sha256:" in line for line in asked()["asked"]) == 2


def test_what_is_kept_is_json_and_the_bytes_that_were_sent(crowd, connection, client_of):
    hubframe.layers_df(names(crowd, 1), client=client_of())
    (document, *_) = connection.keys("hubframe:documents:sha256:*")
    body = connection.get(document)
    assert hashlib.sha256(body).hexdigest() == document.decode().rpartition(":")[2]
    (tag, *_) = connection.keys("hubframe:tags:*")
    assert json.loads(connection.get(tag))[0].startswith("sha256:")
    assert connection.ttl(tag) > 0


def test_what_a_clock_that_was_ahead_fetched_is_not_fresh(
    crowd, asked, url, client_of, monkeypatch
):
    what, real = names(crowd, 1), time.time
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: real() + 400 * 24 * 60 * 60)
        hubframe.layers_df(what, client=client_of(cache_url=url))
    asked()
    hubframe.layers_df(what, client=client_of(cache_url=url))
    lines = [line for line in asked()["asked"] if "/manifests/" in line]
    assert [line.partition(" ")[0] for line in lines] == ["HEAD"], "the document is good"


def test_clearing_clears_for_everybody(crowd, url, client_of):
    hubframe.layers_df(names(crowd, 3), client=client_of(cache_url=url))
    other = client_of(cache_url=url)
    assert hubframe.cache.info(other).documents == 6
    assert hubframe.cache.info(other).answers > 0
    assert "shared" in str(hubframe.cache.info(other))
    hubframe.cache.clear(client=other)
    assert hubframe.cache.info(client_of(cache_url=url)).documents == 0
    assert hubframe.cache.info(client_of(cache_url=url)).answers == 0


def test_a_lease_is_one_workers_until_it_ends(client_of, connection, monkeypatch):
    monkeypatch.setattr(blobs, "LEASE", 1.5)
    one, two = (client_of().blobs for _ in range(2))
    taken = []
    with one.lease(DIGEST):
        other = threading.Thread(target=lambda: taken.append(two.lease(DIGEST).__enter__()))
        other.start()
        other.join(0.2)
        assert other.is_alive(), "the other waits"
    other.join(10)
    assert taken
    connection.flushdb()
    killed = one.lease(DIGEST)
    killed.__enter__()
    began = time.monotonic()
    with two.lease(DIGEST):
        assert time.monotonic() - began > 0.2, "who was killed blocks nobody for long"


def ask_in_turns(clients, names):
    for number in range(24):
        with hubframe.cache.refresh():
            hubframe.tags_df(names[number % 4], newest=1, client=clients[number % 2])


class WaitedError(Exception):
    """Somebody would wait."""


def test_workers_share_the_limit_that_the_hub_tells(client_of, monkeypatch):
    application = Application(hub_limit=12, enforce_hub_limit=True)

    def pause(seconds, _):
        raise WaitedError(f"{seconds}")

    with serve(application) as served:
        clients = [client_of(hub_url=served.hub_url, workers=1) for _ in range(2)]
        names = ["library/nginx", "library/debian", "library/python", "ansible/ansible"]
        monkeypatch.setattr(cancellation, "pause", pause)
        with pytest.raises(WaitedError):
            ask_in_turns(clients, names)
        statuses = [exchange.status for exchange in application.log]
    assert 6 <= len(statuses) <= 12
    assert 429 not in statuses


def test_without_redis_nothing_is_sent(crowd, asked, client_of, monkeypatch):
    client = client_of()

    def lost(*_args, **_how):
        raise redis.ConnectionError(f"Error connecting to {LOGIN_URL}")

    monkeypatch.setattr(redis.Redis, "execute_command", lost)
    with pytest.raises(TransportError, match="shared cache") as raised:
        hubframe.layers_df(names(crowd, 1), client=client)
    assert PASSWORD not in str(raised.value)
    assert not asked()["asked"]
    monkeypatch.undo()


def test_a_redis_that_is_not_there_is_named_without_its_login():
    settings = hubframe.Settings(cache_url=LOGIN_URL)
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:1,") as raised:
        hubframe.Client(settings, False)
    assert PASSWORD not in str(raised.value)
    assert raised.value.__cause__ is None
    # Some tracebacks show variables.
    shown = [repr(one) for entry in raised.traceback for one in entry.frame.f_locals.values()]
    assert len(shown) > 3
    assert not [text for text in shown if PASSWORD in text]


def test_no_login_is_shown_or_travels():
    settings = hubframe.Settings(cache_url=LOGIN_URL)
    assert PASSWORD not in repr(settings)
    with pytest.raises(ValueError, match="HUBFRAME_CACHE_URL") as raised:
        hubframe.dask.frame("layers", ["nginx"], settings=settings)
    assert PASSWORD not in str(raised.value)
    with pytest.raises(TypeError, match="client"):
        hubframe.dask.frame("layers", ["nginx"], client=None)


def test_tasks_hold_no_login(monkeypatch):
    monkeypatch.setenv("DOCKER_PASSWORD", PASSWORD)
    monkeypatch.setenv("HUBFRAME_CACHE_URL", LOGIN_URL)
    found = hubframe.dask.crawl("labels", ["nginx", "me/private"], repos_per_partition=1)
    for frame in found:
        graph = frame.dask
        written = pickle.dumps(dict(graph)) + repr(graph).encode() + repr(frame).encode()
        assert b"me/private" in written
        assert PASSWORD.encode() not in written
        assert PASSWORD not in " ".join(map(str, graph))


@pytest.mark.parametrize(
    "url", [f"http://me:{PASSWORD}@host/0", f"redis://me:{PASSWORD}@host:port", "redis://"]
)
def test_an_address_that_is_none_is_refused_without_its_login(url):
    with pytest.raises(ValueError, match="cache_url") as raised:
        hubframe.Settings(cache_url=url)
    assert PASSWORD not in str(raised.value)
    with pytest.raises(ValueError, match="HUBFRAME_CACHE_URL") as raised:
        hubframe.Settings.from_environment({"HUBFRAME_CACHE_URL": url})
    assert PASSWORD not in str(raised.value)


def test_a_rate_needs_a_redis(tmp_path):
    with pytest.raises(ValueError, match="rate must be"):
        hubframe.Settings(rate="fast")
    for url in (None, str(tmp_path)):
        with pytest.raises(ValueError, match="rate needs"):
            hubframe.Client(hubframe.Settings(rate="5/second", cache_url=url))


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("function", ["shared_layers_df", "footprint_df", "summary"])
def test_answers_are_those_of_pandas(function):
    what = ["library/debian", "library/nginx", "library/python", "ansible/ansible"]
    layers = hubframe.layers_df(what)
    found = hubframe.dask.frame("layers", what, repos_per_partition=1)
    with dask.config.set(scheduler="synchronous"):
        lazy = getattr(hubframe.dask, function)(found)
        pd.testing.assert_frame_equal(lazy.compute(), getattr(hubframe, function)(layers))
        assert lazy.dtypes.equals(lazy.compute().dtypes)
        assert found.npartitions == 4
        if function == "footprint_df":
            for by in ("repo", "image", "namespace"):
                answer = hubframe.dask.footprint_df(found, by).compute()
                pd.testing.assert_frame_equal(answer, hubframe.footprint_df(layers, by))


@pytest.mark.usefixtures("sample")
def test_a_summary_of_three_frames_is_that_of_pandas():
    what = ["library/debian", "library/nginx"]
    frames = [hubframe.layers_df(what), hubframe.images_df(what), hubframe.repos_df("library")]
    lazy = [
        hubframe.dask.frame(name, of, repos_per_partition=1)
        for name, of in (("layers", what), ("images", what), ("repos", ["library"]))
    ]
    with dask.config.set(scheduler="synchronous"):
        answer = hubframe.dask.summary(*lazy).compute()
    pd.testing.assert_frame_equal(answer, hubframe.summary(*frames))


@pytest.mark.usefixtures("sample")
def test_every_frame_has_its_declared_dtypes():
    with dask.config.set(scheduler="synchronous"):
        for name in ("tags", "images", "layers", "history", "labels", "env", "configs"):
            found = hubframe.dask.frame(name, ["library/nginx"], newest=1)
            declared = hubframe.tables.FETCHED[name].frame().dtypes
            assert found.dtypes.equals(declared)
            assert found.compute().dtypes.equals(declared)
            assert hubframe.dask.frame(name, []).compute().dtypes.equals(declared)


@pytest.mark.usefixtures("sample")
def test_failures_have_a_frame_and_may_be_raised():
    what = ["library/nginx", "library/no-such"]
    with dask.config.set(scheduler="synchronous"):
        tags, failures = dask.compute(*hubframe.dask.crawl("tags", what, repos_per_partition=1))
        assert set(tags["repo"]) == {"library/nginx"}
        assert failures["error"].tolist() == ["NotFoundError"]
        with pytest.raises(hubframe.NotFoundError):
            hubframe.dask.frame("tags", what, errors="raise").compute()


@pytest.mark.usefixtures("sample")
def test_what_passes_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    real, calls = hubframe.tags_df, []

    def flaky(*args, **how):
        calls.append(args)
        if len(calls) < 3:
            raise TransportError("not now")
        return real(*args, **how)

    monkeypatch.setattr(hubframe, "tags_df", flaky)
    with dask.config.set(scheduler="synchronous"):
        crawled = hubframe.dask.crawl("tags", ["library/nginx"], retries=2)
        found, failures = dask.compute(*crawled)
        assert len(found)
        assert failures.empty
        calls.clear()
        with pytest.raises(TransportError):
            hubframe.dask.frame("tags", ["library/nginx"], retries=1).compute()


@pytest.mark.usefixtures("sample")
def test_a_sample_is_the_same_for_a_seed():
    drawn = hubframe.sample_repos(namespaces="library", n=3, seed=1)
    pd.testing.assert_frame_equal(drawn, hubframe.sample_repos(namespaces="library", n=3, seed=1))
    assert drawn["repo"].nunique() == 3
    assert drawn.dtypes.equals(hubframe.tables.SEARCH.frame().dtypes)
    seeds = {
        tuple(hubframe.sample_repos(namespaces="library", n=2, seed=n).repo) for n in range(20)
    }
    assert len(seeds) > 1
    assert len(hubframe.sample_repos("ansible", n=1)) == 1
    with pytest.raises(ValueError, match="one of the two"):
        hubframe.sample_repos()


@pytest.mark.usefixtures("sample")
def test_tags_are_drawn_for_each_repository():
    tags = hubframe.tags_df(["library/debian", "library/nginx"])
    drawn = hubframe.sample_tags(tags, n=3, seed=4)
    assert drawn.groupby("repo").size().to_dict() == {"library/debian": 3, "library/nginx": 3}
    of_one = hubframe.sample_tags(tags[tags["repo"] == "library/nginx"], n=3, seed=4)
    assert of_one["tag"].tolist() == drawn.loc[drawn["repo"] == "library/nginx", "tag"].tolist()
    assert hubframe.sample_tags(tags[:0]).empty
    assert len(hubframe.sample_tags(tags, n=10**6)) == len(tags)


def test_the_package_names_its_extra_without_loading_it():
    code = "import hubframe, sys; hubframe.dask.frame; print('distributed' in sys.modules, 'dask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
