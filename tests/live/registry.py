"""Debian's docker-registry on a free loopback port; nothing here knows what is pushed into it."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 30
# The kernel picks one, so that two test runs never race for it.
ANY_PORT = "127.0.0.1:0"
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class TokenAuth:
    """What a registry must know of the token server that it trusts."""

    realm: str
    service: str
    issuer: str
    certificate: Path


@dataclass(frozen=True)
class Registry:
    """A running registry."""

    host: str
    storage: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The address of its API, without the trailing slash."""
        return f"http://{self.host}"


@contextmanager
def serve(
    folder: Path,
    *,
    auth: TokenAuth | None = None,
    storage: Path | None = None,
    address: str = ANY_PORT,
) -> Iterator[Registry]:
    """Run a registry whose config, log and (unless given) storage live in a folder."""
    storage = storage or folder / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "config.yml", folder / "registry.log"
    # YAML holds JSON, so no YAML library is needed.
    configuration = _configuration(storage, auth)
    configuration["http"]["addr"] = address
    config.write_text(json.dumps(configuration, indent=2))
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
        ) as process,
    ):
        try:
            yield Registry(_wait_for_host(process, log), storage, log, process)
        finally:
            _stop(process)


def _configuration(storage: Path, auth: TokenAuth | None) -> dict[str, Any]:
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            # A repository without tags is one whose only manifest was deleted.
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": ANY_PORT, "secret": "only for tests"},
        "compatibility": {"schema1": {"enabled": True}},
    }
    if auth:
        config["auth"] = {
            "token": {
                "realm": auth.realm,
                "service": auth.service,
                "issuer": auth.issuer,
                "rootcertbundle": str(auth.certificate),
            }
        }
    return config


def _environment() -> dict[str, str]:
    # REGISTRY_* variables would override the config file.
    return {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}


def _wait_for_host(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address from the log; the listener accepts before it writes that line."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := _LISTENING.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.02)
    raise RuntimeError(f"docker-registry did not start; its log says:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
