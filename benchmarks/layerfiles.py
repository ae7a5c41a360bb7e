"""What the list of a layer's files costs, beside ``tar -tzv`` on the same blob.

``python -m benchmarks.layerfiles`` fills a registry with a layer of about 500 MB, has hubframe list its
files over HTTP in a process of its own, and tar from the file; ``--quick`` does so little that its
times mean nothing.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks import registry

REPEATS = 3
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
print(json.dumps({"rows": len(files), "seconds": seconds, "again": again, "peak": memory("VmHWM")}))
"""


@dataclass(frozen=True)
class Scale:
    """How much there is to read."""

    files: int = 30_000
    size: int = 26_000


def write(path: Path, scale: Scale, seed: int = 1) -> str:
    """Write a layer, half of it such as does not pack; return its digest."""
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


def ours(reference: str) -> dict[str, Any]:
    """List the files with hubframe: the layer comes over HTTP, and its digest is verified."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _LIST, reference, folder],
            capture_output=True,
            text=True,
            check=True,
        )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def theirs(blob: Path) -> dict[str, Any]:
    """List them with tar, from the file."""
    began = time.perf_counter()
    done = subprocess.run(["tar", "-tzvf", blob], capture_output=True, check=True)
    return {"seconds": time.perf_counter() - began, "rows": done.stdout.count(b"\n")}


def main() -> None:
    """Write, push, time in turns, print the best."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layerfiles", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a layer of 1 MB")
    scale = Scale(200, 8_000) if parser.parse_args().quick else Scale()
    with tempfile.TemporaryDirectory() as folder:
        blob = Path(folder) / "layer.tar.gz"
        digest = write(blob, scale)
        place = Path(folder) / "registry"
        place.mkdir()
        with registry.serve(place, dict(os.environ)) as host:
            reference = push(host, blob, digest)
            runs = [(ours(reference), theirs(blob)) for _ in range(REPEATS)]
        size = blob.stat().st_size
    own, tar = (min(side, key=lambda run: run["seconds"]) for side in zip(*runs, strict=True))
    if own["rows"] != tar["rows"]:
        raise RuntimeError(f"hubframe lists {own['rows']} files, and tar {tar['rows']}")
    print(f"{size / 1e6:,.0f} MB, {own['rows']:,} files")
    print(
        f"hubframe  {own['seconds']:.2f} s, {own['peak'] / 1e6:,.0f} MB of memory at the peak, imports included"
    )
    print(f"again     {own['again']:.2f} s, from what was kept")
    print(f"tar -tzv  {tar['seconds']:.2f} s, without HTTP and without a digest")


if __name__ == "__main__":
    main()
