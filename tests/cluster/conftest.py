"""A real Redis, a registry of many small repositories, and a cluster of two processes."""

import os
import shutil
import subprocess
import time

import pytest
import redis

import hubframe
from benchmarks.ports import free_port
from benchmarks.servers import passed, running_module

REPOSITORIES = 2_000
# What the stand-in enforces, and what workers are told to keep. [requests a second]
ALLOWED, RATE = 600, 500
PASSWORD = "s3cret-of-redis"


@pytest.fixture(scope="package")
def redis_port(tmp_path_factory):
    """Start a Redis; in CI it must be there."""
    if shutil.which("redis-server") is None and "CI" not in os.environ:
        pytest.skip("redis-server is not installed")
    assert shutil.which("redis-server"), "redis-server must be there in CI"
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    command += ["--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _await(port)
            yield port
        finally:
            process.terminate()


def _await(port):
    with redis.Redis(port=port) as asked:
        for _ in range(200):
            try:
                return asked.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
    raise AssertionError("redis-server did not start")


@pytest.fixture
def connection(redis_port):
    """Return a way to an empty Redis."""
    with redis.Redis(port=redis_port) as asked:
        asked.flushall()
        yield asked


@pytest.fixture
def cache_url(redis_port, connection):  # noqa: ARG001 - it is emptied
    """Return the address of the empty Redis."""
    return f"redis://127.0.0.1:{redis_port}/0"


@pytest.fixture(scope="package")
def crowd():
    """Start the registry, and return its host."""
    with running_module("crowd", "0", f"{REPOSITORIES}", f"{ALLOWED}") as host:
        yield host


@pytest.fixture
def asked(crowd):
    """Return what tells the requests since the last look."""
    passed(crowd)
    return lambda: passed(crowd)


@pytest.fixture
def client_of(cache_url, tmp_path):
    """Make clients that share the Redis."""
    opened = []

    def make(**how):
        settings = hubframe.Settings(**{"cache_url": cache_url, "cache_dir": tmp_path} | how)
        opened.append(hubframe.Client(settings, False))
        return opened[-1]

    yield make
    for client in opened:
        client.close()
