"""Debian's docker-registry on a free loopback port, set up as fast as its own defaults make it."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ports import free_port

_START_SECONDS = 30


@contextmanager
def serve(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a registry on the files in a folder, and give its address."""
    host = f"127.0.0.1:{free_port()}"
    config = folder / "config.yml"
    # YAML holds JSON, so no YAML library is needed.
    config.write_text(json.dumps(_configuration(folder / "storage", host)))
    with (
        (folder / "registry.log").open("wb") as log,
        subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdout=log,
            stderr=subprocess.STDOUT,
            # It reads a file through a new buffer of 4 MiB: most of its time would go into the
            # garbage, and hide what the readers cost.
            env={**environment, "GOGC": "1000"},
        ) as process,
    ):
        try:
            _wait(process, host, Path(log.name))
            yield host
        finally:
            process.terminate()


def _configuration(storage: Path, host: str) -> dict[str, Any]:
    return {
        "version": 0.1,
        # A line for each request would cost more than the request.
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "cache": {"blobdescriptor": "inmemory"},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": host, "secret": "only for benchmarks"},
    }


def _wait(process: subprocess.Popen[bytes], host: str, log: Path) -> None:
    address, _, port = host.partition(":")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((address, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"docker-registry did not start; its log says:\n{log.read_text()}")
