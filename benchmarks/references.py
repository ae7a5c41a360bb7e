"""The images that 1,000 files name, read into a frame, beside grep, which finds lines; in seconds.

A quarter are Dockerfiles, the others manifests of Kubernetes, all in the system's cache. grep prints the lines that begin
with ``FROM`` or hold ``image:``, here as many as there are references: it reads neither YAML nor arguments of builds, takes
comments and values of charts for what they are not, and misses what is written otherwise. The command's time is from
start to exit, as grep's is. The best of five times of each, in turns.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hubframe
from benchmarks.results import verdict
from benchmarks.servers import ROOT, clean_environment

_OURS, _COMMAND, _GREP = "references_df", "hubframe references --format csv", "grep -rn"
_MOST_SECONDS = 1.0
_LINES = r"image:\|^FROM"
_DOCKERFILE = """\
ARG VERSION=3.{number}
FROM python:${{VERSION}}-slim AS build
RUN pip install \\
    app=={number}
FROM debian:12
COPY --from=build /app /app
"""
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, labels: {{app: shop, part: web}}}}
spec:
  template:
    spec:
      containers:
      - name: web
        image: org/web-{number}:1.{number}
        env:
        - {{name: LEVEL, value: info}}
        resources: {{limits: {{cpu: 1, memory: 1Gi}}}}
      - name: sidecar
        image: quay.io/org/sidecar:v{number}
---
apiVersion: v1
kind: Service
metadata: {{name: app-{number}}}
spec: {{ports: [{{port: 80, targetPort: http}}]}}
"""


@dataclass(frozen=True)
class Scale:
    """How much there is to read, and how often."""

    files: int = 1000
    repeats: int = 5


FULL, QUICK = Scale(), Scale(40, 1)


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """Write the files, and time the reading.

    Returns
    -------
    list of dict
        A row for each ``side``: ``files``, the ``references`` in them, or lines, and ``seconds``.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number in range(scale.files):
            name, text = ("Dockerfile", _DOCKERFILE) if number % 4 == 0 else ("app.yaml", _MANIFEST)
            path = Path(folder) / f"app-{number}" / name
            path.parent.mkdir()
            path.write_text(text.format(number=number))
        own = [sys.executable, "-m", "hubframe", "references", folder, "--format", "csv"]
        sides: dict[str, Callable[[], int]] = {
            _OURS: lambda: len(hubframe.references_df(folder)),
            # The first line is the head.
            _COMMAND: lambda: _lines(own) - 1,
            _GREP: lambda: _lines(["grep", "-rn", _LINES, folder]),
        }
        runs = [{side: _timed(work) for side, work in sides.items()} for _ in range(scale.repeats)]
    best = {side: min(run[side] for run in runs) for side in sides}
    if len({count for _, count in best.values()}) > 1:
        raise RuntimeError(f"the sides find different numbers of references: {best}")
    return [
        {"side": side, "files": scale.files, "references": count, "seconds": seconds}
        for side, (seconds, count) in best.items()
    ]


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge the time, as a call and as a command."""
    by_side = {row["side"]: row for row in found}
    return [
        verdict(
            f"the references of {row['files']:,} files, {what}",
            f"under {_MOST_SECONDS:.0f} s",
            f"{row['seconds']:.2f} s",
            reached=row["seconds"] < _MOST_SECONDS,
        )
        for what, row in (
            ("`references_df`", by_side[_OURS]),
            (f"`{_COMMAND}` from start to exit", by_side[_COMMAND]),
        )
    ]


def _lines(command: list[str]) -> int:
    done = subprocess.run(
        command, capture_output=True, check=True, cwd=ROOT, env=clean_environment()
    )
    return done.stdout.count(b"\n")


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    count = work()
    return time.perf_counter() - began, count
