"""The other sides: a real registry, the same one further away, and a stand-in for the Hub."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import registry, storage
from benchmarks.scale import Scale
from tests.quirks.tls import Authority

ROOT = Path(__file__).resolve().parent.parent
_MEMORY = Path("/dev/shm")
_NEEDED_BYTES = 4 * 2**30
HUB_REPOSITORY, SMALL_HUB_REPOSITORY = "acme/tool", "acme/small"


@dataclass(frozen=True)
class Servers:
    """Where everything is, and a folder for what contenders keep.

    Attributes
    ----------
    near, far
        The registry, without and with latency.
    hub
        The stand-in Hub, with latency.
    patient_hub
        The same, so slow that everything asked at once is under way together.
    tls
        A registry that is far away and speaks TLS; ``ca.crt`` in the folder signed its certificate.
    folder
        For caches and certificates; gone after the run.
    scale
        How much there is to read.
    """

    near: str
    far: str
    hub: str
    patient_hub: str
    tls: str
    folder: Path
    scale: Scale


@contextmanager
def running(folder: Path, scale: Scale) -> Iterator[Servers]:
    """Fill a registry and start everything."""
    shelves = (
        f"{HUB_REPOSITORY}={scale.hub_tags}",
        f"{SMALL_HUB_REPOSITORY}={scale.tags}",
    )
    signed = Authority(folder)
    certificates = (str(signed.certificate), str(signed.key))
    with (
        tempfile.TemporaryDirectory(dir=_in_memory()) as files,
        _filled(Path(files), scale) as near,
        running_module("latency", near, f"{scale.latency}") as far,
        running_module("hub", f"{scale.latency}", *shelves) as stand_in,
        running_module("hub", f"{scale.patience}", *shelves) as patient,
        running_module(
            "tls_registry", f"{scale.tls_latency}", f"{scale.tags}", *certificates
        ) as tls,
    ):
        yield Servers(near, far, stand_in, patient, tls, folder, scale)


@contextmanager
def _filled(files: Path, scale: Scale) -> Iterator[str]:
    storage.write(files / "storage", {scale.tags, *scale.growth})
    with registry.serve(files, clean_environment()) as host:
        yield host


def _in_memory() -> Path | None:
    """The registry's 120,000 small files are better off in memory, where that is large enough."""
    with suppress(OSError):
        if shutil.disk_usage(_MEMORY).free > _NEEDED_BYTES:
            return _MEMORY
    return None


@contextmanager
def running_module(module: str, *words: str) -> Iterator[str]:
    """Run a server of this package in a process of its own; its first line is its address."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=clean_environment()
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def passed(host: str) -> Any:
    """Ask the proxy or the stand-in Hub what passed since it was last asked."""
    with urlopen(f"http://{host}/-/passed", timeout=30) as answer:
        return json.load(answer)


def clean_environment() -> dict[str, str]:
    """Return the environment without settings and logins of whoever runs this.

    Installed packages are compiled; a checkout must be allowed to be, too.
    """
    foreign = ("HUBFRAME_", "DOCKER_", "REGISTRY_", "PYTHONDONTWRITEBYTECODE")
    return {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
