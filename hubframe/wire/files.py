"""Files by name, in a folder, in memory or in a Redis: what never changes is kept here.

A file is written beside and renamed, so that it is there whole or not at all, whoever else reads
and writes: other threads, processes, forks, machines. What was not used for longest goes when the
folder is full; a use is noted as the file's time, once an hour.
"""

import os
import secrets
import stat
import tempfile
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubframe.errors import CacheWarning, TransportError

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
# What a cache's folder holds; its rights are tightened if there is nothing else.
# The last three are those of an older hubframe.
OURS = (
    "blobs", "layers", "index.json", "oci-layout", "http_cache",
    "content.sqlite", "responses.sqlite", "files.sqlite",
)  # fmt: skip
DAMAGED = ".damaged-"
_HOUR = 60 * 60
# The limit is looked at after this part of it, or so many bytes, was written.
_LOOK_PART, _LOOK_BYTES = 32, 64 * 1024**2
# Dropping goes on to this part of the limit, so that it is done now and then only.
_ENOUGH = 0.9
_BATCH = 500
# Files are written together: so many, or those of so long. [seconds]
_TOGETHER, _SOON = 32, 0.25


class Entry(NamedTuple):
    """A file that is kept: its name, its size in bytes, and when it was last used."""

    name: str
    size: int
    used: float


class Memory:
    """Files in memory: for the sample, and where no folder can be written."""

    folder: Path | None = None
    is_shared = False

    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, float]] = {}

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return those that are there, by name."""
        return {name: self._held[name][0] for name in names if name in self._held}

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return name in self._held

    def write(self, name: str, body: bytes) -> None:
        """Keep a file."""
        self._held[name] = (body, time.time())

    def delete(self, name: str) -> None:
        """Drop a file; one that is gone is as good."""
        self._held.pop(name, None)

    def entries(self, kind: str) -> Iterator[Entry]:
        """List the files whose names begin so."""
        for name, (body, used) in list(self._held.items()):
            if name.startswith(f"{kind}/"):
                yield Entry(name, len(body), used)

    def trim(self) -> None:
        """Do nothing: memory is given back when the program ends."""

    def flush(self) -> None:
        """Do nothing: files are kept at once."""

    def forget_parent(self) -> None:
        """Do nothing: a child has a copy."""

    def close(self) -> None:
        """Do nothing."""


class Folder:
    """Files in a folder.

    Parameters
    ----------
    folder
        Where they are.
    limit
        What the folder may hold; None for no limit. [bytes]
    is_shared
        Whether other machines read and write it, too.
    """

    def __init__(self, folder: Path, limit: int | None = None, *, is_shared: bool = False) -> None:
        self.folder = folder
        self.is_shared = is_shared
        self._limit = limit
        self._unlooked = 0
        self._unwritten: dict[str, bytes] = {}
        self._since = 0.0
        self._turn = threading.Lock()
        self._trimming = threading.Lock()
        self._has_complained = False

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return those that are there, by name."""
        found, root, now = {}, str(self.folder), time.time()
        for name in names:
            if (unwritten := self._unwritten.get(name)) is not None:
                found[name] = unwritten
                continue
            path = f"{root}/{name}"
            with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123 - twice as fast
                found[name] = file.read()
                if now - os.fstat(file.fileno()).st_mtime > _HOUR:
                    os.utime(path, (now, now))
        return found

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return name in self._unwritten or (self.folder / name).exists()

    def write(self, name: str, body: bytes) -> None:
        """Keep a file, together with others: threads that write side by side hinder one another."""
        if not self._unwritten:
            self._since = time.monotonic()
        self._unwritten[name] = body
        is_late = time.monotonic() - self._since > _SOON
        if (is_late or len(self._unwritten) >= _TOGETHER) and self._turn.acquire(blocking=False):
            try:
                self._write_all()
            finally:
                self._turn.release()

    def flush(self) -> None:
        """Write what waits to be written."""
        with self._turn:
            self._write_all()

    def forget_parent(self) -> None:
        """Begin anew in a child process: the parent writes what it has."""
        self._unwritten, self._turn, self._trimming = {}, threading.Lock(), threading.Lock()

    def _write_all(self) -> None:
        while names := list(self._unwritten):
            for name in names:
                # It may have been dropped meanwhile.
                if (body := self._unwritten.get(name)) is not None:
                    self._write(name, body)
                    self._unwritten.pop(name, None)

    def _write(self, name: str, body: bytes) -> None:
        """Write a file; where the disk is full or not to be written, that is said once."""
        path, now = self.folder / name, time.time()
        beside = f"{path.parent}/.{secrets.token_hex(8)}"
        try:
            try:
                handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
            except FileNotFoundError:
                for above in reversed(path.parents[: len(Path(name).parts)]):
                    above.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
                handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
            with os.fdopen(handle, "wb") as file:
                file.write(body)
            os.utime(beside, (now, now))
            os.replace(beside, path)  # noqa: PTH105 - as said
        except OSError as error:
            with suppress(OSError):
                os.unlink(beside)  # noqa: PTH108 - as said
            if not self._has_complained:
                self._has_complained = True
                say(
                    f"the cache folder {self.folder} cannot be written ({error.strerror}): what "
                    "was fetched is not kept"
                )
            return
        self._unlooked += len(body)
        if self._limit and self._unlooked >= min(_LOOK_BYTES, self._limit // _LOOK_PART):
            self.trim()

    def delete(self, name: str) -> None:
        """Drop a file; one that is gone is as good."""
        self._unwritten.pop(name, None)
        with suppress(OSError):
            (self.folder / name).unlink()

    def entries(self, kind: str) -> Iterator[Entry]:
        """List the files of a kind."""
        self.flush()
        return self._listed(kind)

    def _listed(self, kind: str) -> Iterator[Entry]:
        root = self.folder / kind
        with suppress(OSError):
            for below in root.iterdir():
                with os.scandir(below) as found:
                    for one in found:
                        with suppress(OSError):
                            at, name = one.stat(), f"{kind}/{below.name}/{one.name}"
                            if not one.name.startswith("."):
                                yield Entry(name, at.st_size, at.st_mtime)
                            elif time.time() - at.st_mtime > _HOUR:
                                self.delete(name)  # whoever wrote it was killed

    def trim(self) -> None:
        """Drop what was not used for longest, where the folder holds more than its limit."""
        if self._limit is None or not self._trimming.acquire(blocking=False):
            return
        try:
            self._unlooked = 0
            size = size_of(self.folder)
            if size <= self._limit:
                return
            every = [one for kind in ("layers", "blobs") for one in self._listed(kind)]
            for entry in sorted(every, key=lambda one: one.used):
                self.delete(entry.name)
                size -= entry.size
                if size <= self._limit * _ENOUGH:
                    return
        finally:
            self._trimming.release()

    def close(self) -> None:
        """Write what waits to be written."""
        self.flush()


class Redis:
    """Files in a Redis that several machines share.

    Parameters
    ----------
    connection
        The way there.
    reaching
        What turns its errors into ours.
    """

    folder: Path | None = None
    is_shared = True

    def __init__(self, connection: Any, reaching: Any) -> None:
        self.connection = connection
        self.reaching = reaching

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return those that are there, by name."""
        found: dict[str, bytes] = {}
        wanted = list(names)
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            with self.reaching():
                values = self.connection.mget([f"hubframe:{name}" for name in batch])
            found |= {name: one for name, one in zip(batch, values, strict=True) if one is not None}
        return found

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        with self.reaching():
            return bool(self.connection.exists(f"hubframe:{name}"))

    def write(self, name: str, body: bytes) -> None:
        """Keep a file."""
        with self.reaching():
            self.connection.set(f"hubframe:{name}", body)

    def delete(self, name: str) -> None:
        """Drop a file."""
        with self.reaching():
            self.connection.delete(f"hubframe:{name}")

    def entries(self, kind: str) -> Iterator[Entry]:
        """List the files of a kind; when they were used is not known."""
        with self.reaching():
            for key in self.connection.scan_iter(f"hubframe:{kind}/*", count=_BATCH):
                name = key.decode().removeprefix("hubframe:")
                yield Entry(name, int(self.connection.strlen(key)), time.time())

    def trim(self) -> None:
        """Do nothing: a Redis has limits of its own."""

    def flush(self) -> None:
        """Do nothing: files are kept at once."""

    def forget_parent(self) -> None:
        """Do nothing: connections know the process that they are of."""

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()


Files = Memory | Folder | Redis


def prepare(folder: Path) -> Path | None:
    """Make a folder private and writable; None, and a warning, where that cannot be had."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        # Whose the files are that are made here: not always the user, on what others serve.
        with tempfile.TemporaryFile(dir=folder) as probe:
            owner = os.fstat(probe.fileno()).st_uid
        found = folder.stat()
        is_wide = stat.S_IMODE(found.st_mode) & ~_PRIVATE_FOLDER
        # Somebody's home or a shared folder keeps its rights: the files are private in any case.
        is_ours = all(each.name.startswith(OURS) for each in folder.iterdir())
        if is_wide and found.st_uid == owner and is_ours:
            with suppress(OSError):  # some file systems know no rights
                folder.chmod(_PRIVATE_FOLDER)
        for name in ("blobs", "layers"):
            if (folder / name).exists() and (folder / name).stat().st_uid != owner:
                raise PermissionError(1, f"{name} belongs to somebody else")
        _lay_out(folder)
    except OSError as error:
        say(
            f"the cache folder {folder} cannot be written ({error.strerror}); "
            "answers are kept in memory until the program ends. Set HUBFRAME_CACHE_DIR to move it"
        )
        return None
    return folder


def shared_folder(url: str) -> Path:
    """Make the folder that several machines share.

    Raises
    ------
    TransportError
        It cannot be made.
    """
    parts = urlsplit(url)
    folder = Path(url2pathname(parts.path) if parts.scheme == "file" else url)
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        _lay_out(folder)
    except OSError as error:
        raise TransportError(
            f"the shared cache, the folder {folder}, could not be made: {error.strerror}"
        ) from None
    return folder


def _lay_out(folder: Path) -> None:
    """Make a new folder an OCI layout, whose ``index.json`` names nothing yet."""
    if (folder / "blobs").exists():
        return
    if (folder / "content.sqlite").is_file():
        say(
            f"the files {', '.join(OURS[-3:])} in {folder} are those of an older hubframe; they "
            "are not read any more, and left alone"
        )
    for made in (folder / "blobs", folder / "blobs" / "sha256"):
        made.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    make_private(folder / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    make_private(folder / "index.json", b'{"schemaVersion":2,"manifests":[]}')


def make_private(path: Path, body: bytes = b"") -> None:
    """Make a file where there is none, and private where it is the user's.

    Raises
    ------
    OSError
        Somebody else put it there: it may hold forged answers, or be a link to another's file.
    """
    with suppress(FileExistsError):
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
    with tempfile.TemporaryFile(dir=path.parent) as probe:
        owner = os.fstat(probe.fileno()).st_uid
    link, found = path.lstat(), path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path.name} is no file")
    if {link.st_uid, found.st_uid} != {owner}:
        raise OSError(f"{path.name} belongs to somebody else")
    if stat.S_IMODE(found.st_mode) != _PRIVATE_FILE:
        with suppress(OSError):  # some file systems know no rights
            path.chmod(_PRIVATE_FILE)


def size_of(folder: Path) -> int:
    """Add up the bytes of what a cache's folder holds; others may remove some meanwhile."""
    # The folder may hold other things, too.
    return _size(str(folder), OURS[:-3])


def _size(folder: str, names: tuple[str, ...] = ("",)) -> int:
    total = 0
    with suppress(OSError), os.scandir(folder) as found:
        for one in found:
            with suppress(OSError):
                if not one.name.startswith(names):
                    continue
                is_folder = one.is_dir(follow_symlinks=False)
                total += _size(one.path) if is_folder else one.stat(follow_symlinks=False).st_size
    return total


def discard_damaged(folder: Path) -> None:
    """Delete the files that were set aside."""
    for path in folder.glob(f"*{DAMAGED}*"):
        with suppress(OSError):
            path.unlink()


def say(message: str) -> None:
    """Warn of what befell the cache."""
    warnings.warn(message, CacheWarning, stacklevel=3)
