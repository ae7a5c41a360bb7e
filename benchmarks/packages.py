"""Packages of a layer over HTTP beside syft, and of many images as a frame beside pandas; in seconds and bytes.

The layer comes from a registry, to a process that starts anew with an empty cache; what it takes from start to exit,
imports included, stands beside the time of the call. The best of three times of each, in turns. Shaping begins with what
was read of layers, and pandas with a list for each column.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import hubframe
from benchmarks import layerfiles, registry
from benchmarks.results import verdict
from benchmarks.servers import ROOT, clean_environment
from hubframe.frames.call import calling
from hubframe.frames.packages import package_groups, read_kinds
from hubframe.oci.contents.layers import Contents, Found
from hubframe.oci.contents.packages import Package
from hubframe.tables import PACKAGES

_OURS, _SYFT = "packages_df", "syft"
_SHAPED, _READY = "packages of images shaped", "pandas from ready columns"
_USED = "packages_used_df of these"
_MOST_OF_SYFT, _MOST_OF_READY, _MOST_MEMORY = 0.5, 2.0, 250_000_000
_LIST = """
import json, sys, time
import hubframe
from benchmarks.child import memory
hubframe.packages_df
began = time.perf_counter()
with hubframe.Client(hubframe.Settings(cache_dir=sys.argv[2])) as client:
    found = hubframe.packages_df(sys.argv[1], evidence="layers", client=client)
    seconds = time.perf_counter() - began
print(json.dumps({"packages": len(found), "seconds": seconds, "peak_bytes": memory("VmHWM")}))
"""
_STANZA = """\
Package: package-{number}
Status: install ok installed
Installed-Size: {number}
Architecture: amd64
Source: source-{source}
Version: 1:{number}.4-{source}+deb12u1
Description: what it is for
 In many words, that go on for more than a line, as they do.

"""


@dataclass(frozen=True)
class Scale:
    """How many files a layer has and how large, how many packages and images, and how often it is measured."""

    files: int = 6_600
    size: int = 12_000
    packages: int = 400
    images: int = 1_000
    repeats: int = 3


FULL, QUICK = Scale(), Scale(200, 8_000, 40, 10, 1)


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """Measure.

    Returns
    -------
    list of dict
        A row for each ``side``: the ``bytes`` of the layer, how many ``packages`` were found or shaped, ``seconds``;
        and ``process_seconds`` and ``peak_bytes`` where it is a process that was watched.
    """
    return [*_of_layer(scale), *_of_images(scale)]


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge time and memory."""
    by_side = {row["side"]: row for row in found}
    own, shaped = by_side[_OURS], by_side[_SHAPED]
    call, process = (own[key] / by_side[_SYFT][key] for key in ("seconds", "process_seconds"))
    of_ready = shaped["seconds"] / by_side[_READY]["seconds"]
    work = f"the packages of a layer of {own['bytes'] / 1e6:.0f} MB, over HTTP"
    return [
        *(
            verdict(
                work,
                f"at most {_MOST_OF_SYFT} × syft's time, {which}",
                f"{ratio:.2f} ×",
                reached=ratio <= _MOST_OF_SYFT,
            )
            for which, ratio in (("the call", call), ("from start to exit", process))
        ),
        verdict(
            work,
            f"under {_MOST_MEMORY / 1e6:.0f} MB of memory, imports included",
            f"{own['peak_bytes'] / 1e6:.0f} MB",
            reached=own["peak_bytes"] < _MOST_MEMORY,
        ),
        verdict(
            f"{shaped['packages']:,} packages of images shaped",
            f"at most {_MOST_OF_READY:.0f} × pandas from ready columns",
            f"{of_ready:.2f} ×",
            reached=of_ready <= _MOST_OF_READY,
        ),
    ]


def _of_layer(scale: Scale) -> list[dict[str, Any]]:
    beside = Path(sys.executable).with_name("syft")
    syft = shutil.which("syft") or (str(beside) if beside.exists() else None)
    if shutil.which("docker-registry") is None or syft is None:
        raise ImportError("docker-registry or syft is not installed")
    status = "".join(
        _STANZA.format(number=number, source=number // 3) for number in range(scale.packages)
    )
    with tempfile.TemporaryDirectory() as folder:
        blob, place = Path(folder) / "layer.tar.gz", Path(folder) / "registry"
        files = layerfiles.Scale(scale.files, scale.size)
        digest = layerfiles.write(blob, files, {"var/lib/dpkg/status": status.encode()})
        place.mkdir()
        with registry.serve(place, clean_environment()) as host:
            reference = layerfiles.push(host, blob, digest)
            runs = [(_ours(reference), _theirs(syft, reference)) for _ in range(scale.repeats)]
        size = blob.stat().st_size
    own, other = (min(side, key=lambda run: run["seconds"]) for side in zip(*runs, strict=True))
    if own["packages"] != other["packages"]:
        raise RuntimeError(
            f"hubframe finds {own['packages']} packages, and syft {other['packages']}"
        )
    return [{"side": side, "bytes": size, **told} for side, told in ((_OURS, own), (_SYFT, other))]


def _ours(reference: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        seconds, written = _timed(
            [sys.executable, "-c", _LIST, reference, folder], clean_environment()
        )
    told: dict[str, Any] = json.loads(written)
    return {**told, "process_seconds": seconds}


def _theirs(syft: str, reference: str) -> dict[str, Any]:
    told = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_REGISTRY_INSECURE_USE_HTTP": "true"}
    command = [syft, "scan", f"registry:{reference}", "--output", "syft-json", "--quiet"]
    seconds, written = _timed(command, {**os.environ, **told})
    count = len(json.loads(written)["artifacts"])
    return {"packages": count, "seconds": seconds, "process_seconds": seconds}


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, bytes]:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
    return time.perf_counter() - began, done.stdout


def _of_images(scale: Scale) -> list[dict[str, Any]]:
    """Shape what was read of images, most of whose packages are those of the others."""
    shared = [_package(number, 0) for number in range(scale.packages)]
    images = [
        (
            (f"acme/app-{number % 50}", f"1.{number}", "linux/amd64", f"sha256:{number:064x}"),
            [f"sha256:{layer:064x}" for layer in range(8)],
            Contents(
                [
                    Found(_package(place, number) if place % 20 == 0 else one, place % 8)
                    for place, one in enumerate(shared)
                ],
                distribution=None,
                distribution_position=None,
                documents=[],
                unread=[],
                failures=[],
                left_out=[],
            ),
        )
        for number in range(scale.images)
    ]

    client = hubframe.Client(hubframe.Settings(sample=True))

    def shape() -> pd.DataFrame:
        with calling(client) as call:
            return PACKAGES.from_groups(package_groups(call, images, read_kinds("usual")))

    frame = shape()
    columns = {
        name: column.astype("object").where(column.notna(), None).tolist()
        for name, column in frame.items()
    }
    dtypes = {name: str(dtype) for name, dtype in PACKAGES.dtypes.items()}

    def build() -> pd.DataFrame:
        return pd.DataFrame(
            {name: pd.Series(values, dtype=dtypes[name]) for name, values in columns.items()}
        )

    sides: dict[str, Callable[[], pd.DataFrame]] = {
        _SHAPED: shape,
        _READY: build,
        _USED: lambda: hubframe.packages_used_df(frame),
    }
    runs = [{side: _seconds(work) for side, work in sides.items()} for _ in range(scale.repeats)]
    return [
        {
            "side": side,
            "bytes": None,
            "packages": len(frame),
            "seconds": min(run[side] for run in runs),
        }
        for side in sides
    ]


def _package(number: int, build: int) -> Package:
    version = f"1:{number}.{build}-3+deb12u1"
    source = f"source-{number // 3}"
    return Package(
        *("deb", f"package-{number}", version, "debian", "amd64", source, version, None),
        *(1024 * number, "var/lib/dpkg/status"),
    )


def _seconds(work: Callable[[], pd.DataFrame]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
