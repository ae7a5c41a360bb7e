"""Two workers on one Redis: nothing fetched twice, one rate, nothing lost when one is killed."""

import os
import signal
import threading
import time
from unittest.mock import Mock

import dask
import pandas as pd
import pytest
import redis
from distributed import Client, LocalCluster

import hubframe
from benchmarks.crowd import SHARED_BY, repositories
from hubframe.dask import partition
from hubframe.dask.partition import FAILURES
from hubframe.snapshots.storage import Storage
from hubframe.tables import TAGS

from .conftest import ALLOWED, PASSWORD, RATE, REPOSITORIES

# Longer than any of this takes, on a busy machine too. [seconds]
PATIENCE = 60


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.worker.daemon": True}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as made,
        Client(made) as client,
    ):
        yield client


def names(host, count=REPOSITORIES):
    return [f"{host}/{name}:latest" for name in repositories(count)]


def alone(cache_url, what):
    """Return the frame of a single process, with a cache of its own."""
    settings = hubframe.Settings(cache_url=cache_url[:-1] + "1", rate=f"{RATE}/second")
    with hubframe.Client(settings, False) as client:
        frame = hubframe.layers_df(what, client=client)
    frame.attrs.clear()
    return frame


def digests(told):
    """Count the GETs of each digest, wherever it lies."""
    counted = {}
    for line, number in told["asked"].items():
        if "/sha256:" in line:
            digest = line.rpartition("/")[2]
            counted[digest] = counted.get(digest, 0) + number
    return counted


# Every fifth repository still shares its image with three others.
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_many_repositories_on_two_workers(every, cluster, crowd, cache_url, asked):
    cluster.restart()  # what workers remember they do not ask for again
    settings = hubframe.Settings(cache_url=cache_url, rate=f"{RATE}/second")
    what = names(crowd)[::every]
    size = len(what) // 20
    found = hubframe.dask.crawl("layers", what, repos_per_partition=size, settings=settings)
    assert found.frame.npartitions == 20
    assert not asked()["asked"], "nothing is fetched before it is computed"
    cluster.get_task_stream()

    frame, failures = dask.compute(*found)
    told = asked()

    assert failures.empty
    counts = digests(told)
    assert len(counts) == 2 * len(what) / SHARED_BY
    assert set(counts.values()) == {1}, "no document is fetched by both"
    assert told["refused"] == 0
    assert RATE / 4 < told["most"] <= ALLOWED
    there = set(cluster.scheduler_info()["workers"])
    assert len({task["worker"] for task in cluster.get_task_stream()} & there) == 2
    assert frame.dtypes.equals(hubframe.tables.LAYERS.frame().dtypes)
    pd.testing.assert_frame_equal(frame.reset_index(drop=True), alone(cache_url, what))


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_no_row(cluster, crowd, cache_url, asked, tmp_path):
    settings = hubframe.Settings(cache_url=cache_url, rate="150/second")
    what = names(crowd, 150)
    victim = next(iter(cluster.run(os.getpid).values()))

    def kill():
        deadline, answered = time.monotonic() + PATIENCE, 0
        while answered < len(what) and time.monotonic() < deadline:
            answered += sum(asked()["asked"].values())
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    failures = hubframe.dask.to_parquet(
        "layers", what, tmp_path / "kept", repos_per_partition=10, settings=settings
    )
    killer.join()
    assert victim not in cluster.run(os.getpid).values(), "it was killed in the middle"
    assert failures.empty
    rows = pd.read_parquet(tmp_path / "kept" / "rows")
    pd.testing.assert_frame_equal(rows, alone(cache_url, what))


def test_a_crawl_that_was_stopped_goes_on(crowd, cache_url, asked, tmp_path):
    settings = hubframe.Settings(cache_url=cache_url)
    what = names(crowd, 40)
    how = {"repos_per_partition": 10, "settings": settings}
    with dask.config.set(scheduler="synchronous"):
        hubframe.dask.to_parquet("layers", what, tmp_path, **how)
        whole = pd.read_parquet(tmp_path / "rows")
        first, second, *_ = sorted((tmp_path / "rows").iterdir())
        first.unlink()
        second.rename(second.with_name(f".{second.name}.half"))
        with redis.Redis.from_url(cache_url) as kept:
            kept.flushall()
        asked()
        hubframe.dask.to_parquet("layers", what, tmp_path, **how)
    tags = {line for line in asked()["asked"] if line.startswith("HEAD")}
    assert {line.split("/manifests/")[0].removeprefix("HEAD /v2/") for line in tags} == set(
        repositories(20)
    )
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows"), whole)


def test_what_failed_is_asked_for_again(crowd, cache_url, asked, tmp_path):
    # Images that no test before has in the memory of this process.
    what = [*names(crowd)[100:103], f"{crowd}/no/such:latest"]
    settings = hubframe.Settings(cache_url=cache_url)
    with dask.config.set(scheduler="synchronous"):
        for _ in range(2):
            failures = hubframe.dask.to_parquet("layers", what, tmp_path, settings=settings)
            assert failures["error"].tolist() == ["NotFoundError"]
    assert sum(n for line, n in asked()["asked"].items() if "/sha256:" in line) == 6


@pytest.mark.usefixtures("sample")
def test_who_is_killed_while_what_failed_is_made_up_for_begins_again(tmp_path, monkeypatch):
    what = ["library/alpine", "library/no-such"]
    with dask.config.set(scheduler="synchronous"):
        assert len(hubframe.dask.to_parquet("tags", what, tmp_path)) == 1
        told = hubframe.HubframeError("killed")
        monkeypatch.setattr(partition, "fetch", lambda *_: (TAGS.frame(), FAILURES.frame()))
        with monkeypatch.context() as patch:
            patch.setattr(Storage, "write", Mock(side_effect=told))
            with pytest.raises(hubframe.HubframeError, match="killed"):
                hubframe.dask.to_parquet("tags", what, tmp_path)
        assert hubframe.dask.to_parquet("tags", what, tmp_path).empty
    assert pd.read_parquet(tmp_path / "rows").empty, "written anew, and not taken for done"


@pytest.mark.usefixtures("sample")
def test_a_crawl_goes_to_an_address():
    what = ["library/alpine", "library/no-such"]
    with dask.config.set(scheduler="synchronous"):
        for _ in range(2):
            failures = hubframe.dask.to_parquet(
                "tags", what, "memory://crawl", repos_per_partition=1
            )
            assert failures["error"].tolist() == ["NotFoundError"]
        with pytest.raises(ValueError, match="holds a login") as raised:
            hubframe.dask.to_parquet("tags", what, f"memory://me:{PASSWORD}@crawl")
    assert PASSWORD not in str(raised.value)
    expected = hubframe.tags_df("library/alpine")
    rows = pd.read_parquet("memory://crawl/rows")
    pd.testing.assert_frame_equal(rows, expected, check_flags=False)


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    "name", ["packages", "distributions", "sboms", "provenance", "signatures", "bases"]
)
def test_what_is_inside_images_on_a_cluster(name):
    what = [f"registry.example/shop/{one}" for one in ("web", "cache", "no-such")]
    with dask.config.set(scheduler="synchronous"):
        crawled = dask.compute(*hubframe.dask.crawl(name, what, repos_per_partition=1))
    frame, failures = crawled
    expected = getattr(hubframe, f"{name}_df")(what[:2])
    pd.testing.assert_frame_equal(frame.reset_index(drop=True), expected, check_flags=False)
    assert frame.dtypes.equals(hubframe.tables.TABLES[name].frame().dtypes)
    assert set(failures["error"]) == {"NotFoundError"}
