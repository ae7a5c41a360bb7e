"""SQLite files that survive what befalls a cache folder: damage, a full disk, no right to write.

A file that cannot be read is set aside and said once; a folder that cannot be written is
replaced by memory and said once. A cache is never worth an error.
"""

import logging
import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hubframe.errors import CacheWarning

logger = logging.getLogger(__name__)

T = TypeVar("T")
MEMORY = ":memory:"
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_PATIENCE = 30.0


def prepare(folder: Path) -> Path | None:
    """Make the folder private and writable; None where that cannot be had."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}-{threading.get_ident()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        warnings.warn(
            f"the cache folder {folder} cannot be written ({error.strerror}); "
            "answers are kept in memory until the program ends. Set HUBFRAME_CACHE_DIR to move it",
            CacheWarning,
            stacklevel=2,
        )
        return None
    return folder


def open_file(path: Path | None, schema: str) -> sqlite3.Connection:
    """Open a file, made and private if it is new; set aside and made anew if it is damaged."""
    if path is None:
        return _connect(MEMORY, schema)
    try:
        return _private(path, schema)
    except sqlite3.DatabaseError as error:
        set_aside(path, error)
        return _private(path, schema)


def set_aside(path: Path, error: sqlite3.DatabaseError) -> None:
    """Move a damaged file out of the way, and say so."""
    kept = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        damaged = Path(f"{path}{suffix}")
        if damaged.exists():
            damaged.replace(f"{kept}{suffix}")
    warnings.warn(
        f"the cache file {path} is damaged ({error}); it was set aside as {kept.name}, "
        "and what it held will be fetched again",
        CacheWarning,
        stacklevel=2,
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the file, or the disk is full: the file itself is sound."""
    return isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error)


def attempt(work: Callable[[], T], otherwise: T) -> T:
    """Do what a sound cache can put off: a full disk or a busy file costs the entry only."""
    try:
        return work()
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        logger.warning("the cache could not be used: %s", error)
        return otherwise


def _private(path: Path, schema: str) -> sqlite3.Connection:
    path.touch(mode=_PRIVATE_FILE)
    return _connect(path, schema)


def _connect(path: Path | str, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(schema)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
