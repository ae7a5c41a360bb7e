"""Images per second on a cluster of one worker and of two, from a registry that is 40 ms away.

``python -m benchmarks.cluster`` needs redis-server; ``--quick`` does so little that its times mean
nothing. Workers, registry and Redis share this machine's processors.
"""

import argparse
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dask
import redis
from distributed import Client, LocalCluster

import hubframe
from benchmarks.crowd import repositories
from benchmarks.servers import running_module

_LATENCY = 0.04
_UNLIMITED = 10**9
REPEATS = 3


@contextmanager
def a_redis() -> Iterator[str]:
    """Run a Redis that keeps nothing on disk, and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", f"{port}", "--save", ""]
        with subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL) as process:
            try:
                time.sleep(0.5)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()


def seconds(client: Client, url: str, what: list[str]) -> float:
    """Crawl from an empty cache, and return the best of several times."""
    best = float("inf")
    for database in range(REPEATS):
        # Another database each time: what a process has in memory belongs to its client.
        settings = hubframe.Settings(cache_url=f"{url[:-1]}{database}")
        with redis.Redis.from_url(f"{url[:-1]}{database}") as kept:
            kept.flushdb()
        found = hubframe.dask.crawl("layers", what, repos_per_partition=25, settings=settings)
        began = time.perf_counter()
        frame, failures = client.compute(found, sync=True)
        best = min(best, time.perf_counter() - began)
        assert failures.empty
        assert frame["repo"].nunique() == len(what)
        client.restart()
    return best


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 repositories")
    count = 50 if parser.parse_args().quick else 1_000
    print(f"{'workers':>8}{'seconds':>10}{'images/s':>10}")
    with (
        a_redis() as url,
        running_module("crowd", f"{_LATENCY}", f"{count}", f"{_UNLIMITED}") as host,
    ):
        what = [f"{host}/{name}:latest" for name in repositories(count)]
        for workers in (1, 2):
            with (
                dask.config.set({"distributed.scheduler.allowed-failures": 0}),
                LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None
                ) as cluster,
                Client(cluster) as client,
            ):
                best = seconds(client, url, what)
            print(f"{workers:>8}{best:>9.2f}s{count / best:>10.0f}")


if __name__ == "__main__":
    main()
