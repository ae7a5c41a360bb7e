"""Images per second on a cluster of one worker and of two, from a registry that is 40 ms away, cold.

Workers, registry and Redis share this machine's processors. The best of three times, each with a cache of its own.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dask
import redis
from distributed import Client, LocalCluster

import hubframe
from benchmarks.crowd import repositories
from benchmarks.ports import free_port
from benchmarks.servers import running_module

_LATENCY = 0.04
_UNLIMITED = 10**9


@dataclass(frozen=True)
class Scale:
    """How much there is to fetch, on which clusters, and how often."""

    repos: int = 1_000
    workers: tuple[int, ...] = (1, 2)
    repeats: int = 3


FULL, QUICK = Scale(), Scale(50, (1,), 1)


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """Crawl with each number of workers.

    Returns
    -------
    list of dict
        A row for each: ``workers``, ``images``, ``seconds``, ``images_per_second``.
    """
    if shutil.which("redis-server") is None:
        raise ImportError("redis-server is not installed")
    with (
        _a_redis() as port,
        running_module("crowd", f"{_LATENCY}", f"{scale.repos}", f"{_UNLIMITED}") as host,
    ):
        what = [f"{host}/{name}:latest" for name in repositories(scale.repos)]
        return [
            {
                "workers": workers,
                "images": len(what),
                "seconds": (best := _on_a_cluster(workers, port, what, scale.repeats)),
                "images_per_second": round(len(what) / best),
            }
            for workers in scale.workers
        ]


@contextmanager
def _a_redis() -> Iterator[int]:
    """Run a Redis that keeps nothing on disk, and return its port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", f"{port}", "--save", ""]
        with subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL) as process:
            try:
                _wait(port)
                yield port
            finally:
                process.terminate()


def _wait(port: int) -> None:
    with redis.Redis(port=port) as asked:
        for _ in range(500):
            try:
                asked.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    raise RuntimeError("redis-server did not start")


def _on_a_cluster(workers: int, port: int, what: list[str], repeats: int) -> float:
    """Start a cluster, and return the best of several crawls."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        # What is imported at first use is no part of a crawl.
        client.run(_settle)
        return min(_seconds(client, port, database, what) for database in range(repeats))


def _settle() -> None:
    with hubframe.sample():
        hubframe.layers_df("library/alpine", newest=1)


def _seconds(client: Client, port: int, database: int, what: list[str]) -> float:
    """Crawl from an empty cache: what a process has in memory belongs to one address of a cache."""
    url = f"redis://127.0.0.1:{port}/{database}"
    with redis.Redis.from_url(url) as kept:
        kept.flushdb()
    settings = hubframe.Settings(cache_url=url)
    found = hubframe.dask.crawl("layers", what, repos_per_partition=25, settings=settings)
    began = time.perf_counter()
    frame, failures = client.compute(found, sync=True)
    taken = time.perf_counter() - began
    if len(failures) or frame["repo"].nunique() != len(what):
        raise RuntimeError(f"{frame['repo'].nunique()} of {len(what)} repositories came")
    return taken
