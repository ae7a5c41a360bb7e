"""A Python of its own that reads labels, and can be stopped or killed."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pandas as pd

import hubframe

SCRIPT = """
import json, sys
import hubframe

what, keywords, path = sys.argv[1:]
labels = hubframe.labels_df(what, **json.loads(keywords))
labels.to_pickle(path)
"""
_PATIENCE = 120


class Reader:
    """Reads the labels of a reference into a frame; a context manager that leaves no process.

    Parameters
    ----------
    cache
        The folder of its cache.
    what, keywords
        The arguments of `labels_df`.
    """

    def __init__(self, cache: Path, what: str, **keywords: Any) -> None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        self._path = cache.with_name(f"{cache.name}-{id(self)}.pickle")
        arguments = [what, json.dumps(keywords), str(self._path)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SCRIPT, *arguments],
            env=environment(cache),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.process.kill()
        self.process.communicate()

    def finish(self) -> pd.DataFrame:
        """Return the frame that it reads."""
        _, said = self.process.communicate(timeout=_PATIENCE)
        assert self.process.returncode == 0, said[-2000:]
        return pd.read_pickle(self._path)


def environment(cache: Path) -> dict[str, str]:
    """Return that of a process which uses this hubframe, and a cache."""
    package = Path(hubframe.__file__).parent.parent
    given = {
        "PYTHONPATH": str(package), "HUBFRAME_CACHE_DIR": str(cache), "HUBFRAME_WORKERS": "16",
    }  # fmt: skip
    # Terminals and kernels take over the settings of whoever runs the tests otherwise.
    return {**os.environ, **given, "NO_PROXY": "127.0.0.1,localhost"}


def documents_kept(cache: Path) -> int:
    """Count the documents in a cache, and check that nothing in it is damaged or held twice."""
    assert not list(cache.glob("*damaged*"))
    for path in cache.glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(sqlite3.connect(cache / "documents.sqlite")) as file:
        kept = file.execute("SELECT key, value FROM documents").fetchall()
    for digest, body in kept:
        algorithm, _, encoded = digest.partition(":")
        assert hashlib.new(algorithm, body).hexdigest() == encoded
    return len(kept)
