"""The images that 1,000 files name, read into a frame, where the files are in the system's cache; in seconds.

A quarter are Dockerfiles, the others manifests of Kubernetes. The best of five times.
"""

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hubframe
from benchmarks.results import verdict

_MOST_SECONDS = 1.0
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
        A row: ``files``, the ``references`` in them, and ``seconds``.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number in range(scale.files):
            name, text = ("Dockerfile", _DOCKERFILE) if number % 4 == 0 else ("app.yaml", _MANIFEST)
            path = Path(folder) / f"app-{number}" / name
            path.parent.mkdir()
            path.write_text(text.format(number=number))
        seconds = []
        for _ in range(scale.repeats):
            began = time.perf_counter()
            found = hubframe.references_df(folder)
            seconds.append(time.perf_counter() - began)
    return [{"files": scale.files, "references": len(found), "seconds": min(seconds)}]


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge the time."""
    return [
        verdict(
            f"the references of {row['files']:,} files",
            f"under {_MOST_SECONDS:.0f} s",
            f"{row['seconds']:.2f} s",
            reached=row["seconds"] < _MOST_SECONDS,
        )
        for row in found
    ]
