"""SQLite and json alone: the floor of whatever reads documents from a file."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from benchmarks.collection import releases
from benchmarks.peers.reading import batches, choose, count, counted

_SCHEMA = """
    CREATE TABLE documents (digest TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
    CREATE TABLE tags (tag TEXT PRIMARY KEY, digest TEXT);
"""


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Read the images of all tags: all indexes, then all manifests, then all configs."""
    path = f"{task['cache']}/documents.sqlite"
    _fill(path, task["tags"])

    def work() -> dict[str, int]:
        with sqlite3.connect(path) as file:
            tags = [digest for (digest,) in file.execute("SELECT digest FROM tags")]
            indexes = _documents(file, tags)
            names = [choose(indexes[digest], task["platform"]) for digest in tags]
            manifests = _documents(file, names)
            parts = [manifests[name]["config"]["digest"] for name in names]
            configs = _documents(file, parts)
        return counted(
            count(manifests[name], configs[part]) for name, part in zip(names, parts, strict=True)
        )

    return work


def _fill(path: str, tags: int) -> None:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA journal_mode=WAL")
        file.executescript(_SCHEMA)
        for release in releases(tags):
            file.execute("INSERT INTO tags VALUES (?, ?)", (release.tag, release.index.digest))
            held = [release.index]
            held += [one for image in release.images for one in (image.manifest, image.config)]
            rows = [(one.digest, one.body) for one in held]
            file.executemany("INSERT INTO documents VALUES (?, ?)", rows)


def _documents(file: sqlite3.Connection, digests: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for batch in batches(digests):
        marks = ",".join("?" * len(batch))
        rows = file.execute(f"SELECT digest, body FROM documents WHERE digest IN ({marks})", batch)
        found.update((digest, json.loads(body)) for digest, body in rows)
    return found
