"""The list of a layer's files over HTTP, verified, beside ``tar -tzv`` on the file; in seconds and bytes.

hubframe reads from a registry in a process of its own, whose peak memory counts imports, too; tar verifies nothing.
The best of three times of each, in turns.
"""

import gzip
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks import registry
from benchmarks.results import verdict
from benchmarks.servers import ROOT, clean_environment

_OURS, _AGAIN, _TAR = "files_df", "the same again, from what was kept", "tar -tzv"
_MOST_RATIO, _MOST_MEMORY = 2.0, 200_000_000
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_WORDS = b"the quick brown fox jumps over a lazy dog while layers are read once and kept "
_LIST = """
import json, sys, time
import hubframe
from benchmarks.child import memory
began = time.perf_counter()
with hubframe.Client(hubframe.Settings(cache_dir=sys.argv[2])) as client:
    files = hubframe.files_df(sys.argv[1], client=client)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    hubframe.files_df(sys.argv[1], client=client)
    again = time.perf_counter() - began
told = {"files": len(files), "seconds": seconds, "again": again, "peak_bytes": memory("VmHWM")}
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Scale:
    """How many files there are, how large, and how often they are listed."""

    files: int = 30_000
    size: int = 26_000
    repeats: int = 3


FULL, QUICK = Scale(), Scale(200, 8_000, 1)


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """List the files of a layer in a registry, and those of the file with tar.

    Returns
    -------
    list of dict
        A row for each ``side``: the ``bytes`` of the layer, how many ``files`` were listed, ``seconds``, and
        ``peak_bytes`` where it is a process that was watched.
    """
    if shutil.which("docker-registry") is None:
        raise ImportError("docker-registry is not installed")
    with tempfile.TemporaryDirectory() as folder:
        blob, place = Path(folder) / "layer.tar.gz", Path(folder) / "registry"
        digest = write(blob, scale)
        place.mkdir()
        with registry.serve(place, clean_environment()) as host:
            reference = push(host, blob, digest)
            runs = [(_ours(reference), _theirs(blob)) for _ in range(scale.repeats)]
        size = blob.stat().st_size
    own, tar = (min(side, key=lambda run: run["seconds"]) for side in zip(*runs, strict=True))
    if own["files"] != tar["files"]:
        raise RuntimeError(f"hubframe lists {own['files']} files, and tar {tar['files']}")
    again = {"files": own["files"], "seconds": own.pop("again")}
    sides = {_OURS: own, _AGAIN: again, _TAR: tar}
    return [{"side": side, "bytes": size, **told} for side, told in sides.items()]


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge time and memory."""
    by_side = {row["side"]: row for row in found}
    own = by_side[_OURS]
    ratio = own["seconds"] / by_side[_TAR]["seconds"]
    return [
        verdict(
            f"the files of a layer of {own['bytes'] / 1e6:.0f} MB, over HTTP, verified",
            f"at most {_MOST_RATIO:.0f} × `{_TAR}` on the file",
            f"{ratio:.2f} ×",
            reached=ratio <= _MOST_RATIO,
        ),
        verdict(
            "the same",
            f"under {_MOST_MEMORY / 1e6:.0f} MB of memory, imports included",
            f"{own['peak_bytes'] / 1e6:.0f} MB",
            reached=own["peak_bytes"] < _MOST_MEMORY,
        ),
    ]


def write(
    path: Path, scale: Scale, others: Mapping[str, bytes] | None = None, seed: int = 1
) -> str:
    """Write a layer, half of it such as does not pack, and other files; return its digest."""
    chance = random.Random(seed)
    pool = chance.randbytes(4 * 1024**2)
    with (
        gzip.open(path, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for number in range(scale.files):
            info = tarfile.TarInfo(f"usr/lib/part-{number % 991}/module-{number}.bin")
            half = chance.randrange(scale.size // 2, scale.size)
            at = chance.randrange(len(pool) - half)
            content = pool[at : at + half] + _WORDS * (half // len(_WORDS))
            info.size, info.mtime = len(content), 1_700_000_000 + number
            tar.addfile(info, io.BytesIO(content))
        for name, content in (others or {}).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def push(host: str, blob: Path, digest: str) -> str:
    """Push an image of one layer, and return its reference."""
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest]},
        }
    ).encode()
    named = f"sha256:{hashlib.sha256(config).hexdigest()}"
    _upload(host, config, named)
    with blob.open("rb") as file:
        _upload(host, file, digest)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "digest": named, "size": len(config)},
        "layers": [{"mediaType": _LAYER, "digest": digest, "size": blob.stat().st_size}],
    }
    requests.put(
        f"http://{host}/v2/bench/files/manifests/1",
        json.dumps(manifest),
        headers={"Content-Type": _MANIFEST},
        timeout=60,
    ).raise_for_status()
    return f"{host}/bench/files:1"


def _upload(host: str, body: Any, digest: str) -> None:
    begun = requests.post(f"http://{host}/v2/bench/files/blobs/uploads/", timeout=60)
    begun.raise_for_status()
    mark = "&" if "?" in begun.headers["Location"] else "?"
    requests.put(
        f"{begun.headers['Location']}{mark}digest={digest}",
        data=body,
        headers={"Content-Type": "application/octet-stream"},
        timeout=600,
    ).raise_for_status()


def _ours(reference: str) -> dict[str, Any]:
    """List the files with hubframe: the layer comes over HTTP, and its digest is verified."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _LIST, reference, folder],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env=clean_environment(),
        )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _theirs(blob: Path) -> dict[str, Any]:
    """List them with tar, from the file."""
    began = time.perf_counter()
    done = subprocess.run(["tar", "-tzvf", blob], capture_output=True, check=True)
    return {"seconds": time.perf_counter() - began, "files": done.stdout.count(b"\n")}
