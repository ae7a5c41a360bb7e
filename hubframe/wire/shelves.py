"""Where several machines keep what they share: a Redis, or a folder that all of them see.

A shelf holds bytes by kind and name, and claims: whoever is about to fetch a document claims its
digest, and the others wait for it. Claims end by themselves, so that a worker that is killed
blocks nobody. Nothing here is pickled, and no address is shown with its login.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubframe.errors import TransportError
from hubframe.wire.settings import Settings

# How long a claim holds that is not renewed, and how often it is. [seconds]
CLAIM = 10.0
_RENEWED = 2.0
_REDIS = ("redis", "rediss")
# Digests and keys; a name that a stranger wrote must not lead out of the folder.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,40}(?::[0-9a-fA-F]{32,128})?|[0-9a-f]{64}")
_PREFIX = "hubframe"
_BATCH = 500
# Deletes or renews a claim only if it is still one's own.
_IF_OWN = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call({}) else return 0 end"
_RELEASE = _IF_OWN.format("'del', KEYS[1]")
_RENEW = _IF_OWN.format("'pexpire', KEYS[1], ARGV[2]")


class Shelf(Protocol):
    """Bytes by kind and name, for several machines."""

    def get_many(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """Return those that are there, by name."""

    def put(self, kind: str, name: str, value: bytes, seconds: float | None = None) -> None:
        """Put one there; it may be dropped after so many seconds."""

    def delete(self, kind: str, names: Iterable[str]) -> None:
        """Take some away."""

    def names(self, kind: str) -> Iterator[str]:
        """List what is there."""

    def claim(self, name: str, token: str) -> bool:
        """Claim a name; tell whether it was free."""

    def renew(self, name: str, token: str) -> None:
        """Hold a claim for longer."""

    def release(self, name: str, token: str) -> None:
        """Give a claim up."""

    def close(self) -> None:
        """Close the connections."""


# Settings are handed on in place of an address: it may hold a login, and some tracebacks show
# variables.
def is_redis(settings: Settings) -> bool:
    """Tell whether what is shared is a Redis; it may be a folder, or nothing."""
    return urlsplit(settings.cache_url or "").scheme in _REDIS


def open_shelf(settings: Settings) -> Shelf:
    """Open what the settings' `cache_url` names.

    Raises
    ------
    TransportError
        It cannot be reached.
    """
    if is_redis(settings):
        return RedisShelf(settings)
    parts = urlsplit(settings.cache_url or "")
    is_address = parts.scheme == "file"
    return FolderShelf(Path(url2pathname(parts.path) if is_address else settings.cache_url or ""))


class RedisShelf:
    """A shelf in a Redis, version 6 or later.

    Parameters
    ----------
    settings
        They hold its address.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            import redis  # noqa: PLC0415 - an extra
        except ImportError:
            raise ImportError(
                "a cache on Redis needs redis: pip install 'hubframe[dask]'"
            ) from None
        from redis.backoff import ExponentialBackoff  # noqa: PLC0415 - an extra
        from redis.retry import Retry  # noqa: PLC0415 - an extra

        self._place = _place(settings)
        self._error = redis.RedisError
        self.connection = redis.Redis.from_url(
            settings.cache_url or "", retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), 4)
        )
        with self.reaching():
            self.connection.ping()

    def __repr__(self) -> str:
        return f"<RedisShelf {self._place}>"

    def get_many(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """Return those that are there, by name."""
        found: dict[str, bytes] = {}
        wanted = list(names)
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            with self.reaching():
                values: Any = self.connection.mget([_key(kind, name) for name in batch])
            found |= {n: v for n, v in zip(batch, values, strict=True) if v is not None}
        return found

    def put(self, kind: str, name: str, value: bytes, seconds: float | None = None) -> None:
        """Put one there; Redis drops it after so many seconds."""
        with self.reaching():
            self.connection.set(
                _key(kind, name), value, ex=None if seconds is None else _up(seconds)
            )

    def delete(self, kind: str, names: Iterable[str]) -> None:
        """Take some away."""
        keys = [_key(kind, name) for name in names]
        with self.reaching():
            for start in range(0, len(keys), _BATCH):
                self.connection.delete(*keys[start : start + _BATCH])

    def names(self, kind: str) -> Iterator[str]:
        """List what is there."""
        start = _key(kind, "")
        with self.reaching():
            for key in self.connection.scan_iter(f"{start}*", count=_BATCH):
                yield key.decode().removeprefix(start)

    def claim(self, name: str, token: str) -> bool:
        """Claim a name; tell whether it was free."""
        with self.reaching():
            key = _key("claim", name)
            return bool(self.connection.set(key, token, nx=True, px=_milliseconds(CLAIM)))

    def renew(self, name: str, token: str) -> None:
        """Hold a claim for longer, unless it is another's by now."""
        with self.reaching():
            self.connection.eval(_RENEW, 1, _key("claim", name), token, _milliseconds(CLAIM))

    def release(self, name: str, token: str) -> None:
        """Give a claim up, unless it is another's by now."""
        with self.reaching():
            self.connection.eval(_RELEASE, 1, _key("claim", name), token)

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """Without the cache that they share, workers would ask for everything each: an error."""
        try:
            yield
        except self._error as error:
            # Not its words: they may repeat an address.
            raise TransportError(
                f"the shared cache, a Redis at {self._place}, could not be used "
                f"({type(error).__name__}). Check cache_url and whether it runs"
            ) from None


class FolderShelf:
    """A shelf in a folder, a file for each entry: whole files appear at once, by renaming.

    Parameters
    ----------
    root
        The folder, on a file system that all machines see.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise TransportError(
                f"the shared cache, the folder {root}, could not be made: {error.strerror}"
            ) from None

    def get_many(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """Return those that are there, by name."""
        found: dict[str, bytes] = {}
        for name in names:
            with suppress(OSError):
                if file := self._file(kind, name):
                    found[name] = file.read_bytes()
        return found

    def put(self, kind: str, name: str, value: bytes, seconds: float | None = None) -> None:  # noqa: ARG002
        """Put one there; it stays until it is deleted."""
        if (file := self._file(kind, name)) is None:
            return
        beside = file.with_name(f".{secrets.token_hex(8)}")
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.write_bytes(value)
            beside.replace(file)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise TransportError(
                f"the shared cache, the folder {self._root}, could not be written: {error.strerror}"
            ) from None

    def delete(self, kind: str, names: Iterable[str]) -> None:
        """Take some away."""
        for name in names:
            if file := self._file(kind, name):
                file.unlink(missing_ok=True)

    def names(self, kind: str) -> Iterator[str]:
        """List what is there."""
        for file in (self._root / kind).glob("*/[!.]*"):
            yield file.name.replace("=", ":")

    def claim(self, name: str, token: str) -> bool:
        """Claim a name; one that was not renewed for long is up for anybody."""
        if (file := self._file("claim", name)) is None:
            return True
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > CLAIM:
                file.unlink()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with file.open("x", encoding="ascii") as written:
                written.write(token)
        except FileExistsError:
            return False
        return True

    def renew(self, name: str, token: str) -> None:
        """Hold a claim for longer, unless it is another's by now."""
        with suppress(OSError):
            if (file := self._file("claim", name)) and file.read_text("ascii") == token:
                os.utime(file)

    def release(self, name: str, token: str) -> None:
        """Give a claim up, unless it is another's by now."""
        with suppress(OSError):
            if (file := self._file("claim", name)) and file.read_text("ascii") == token:
                file.unlink()

    def close(self) -> None:
        """Do nothing: no file is left open."""

    def _file(self, kind: str, name: str) -> Path | None:
        if not _NAME.fullmatch(name):
            return None
        # Some file systems know no colons.
        return self._root / kind / name[-2:] / name.replace(":", "=")


class Claims:
    """The claims of this process: renewed while they are held.

    Parameters
    ----------
    shelf
        Where they lie.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._token = secrets.token_hex(16)
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._renewer: threading.Thread | None = None

    def take(self, name: str) -> bool:
        """Claim a name; tell whether it was free."""
        if not self._shelf.claim(name, self._token):
            return False
        with self._lock:
            self._held.add(name)
            if self._renewer is None:
                self._renewer = threading.Thread(
                    target=self._renew, name="hubframe-claims", daemon=True
                )
                self._renewer.start()
        return True

    def release(self, name: str) -> None:
        """Give a claim up; where that fails it ends by itself."""
        with self._lock:
            self._held.discard(name)
        with suppress(TransportError):
            self._shelf.release(name, self._token)

    def _renew(self) -> None:
        while True:
            time.sleep(_RENEWED)
            with self._lock:
                held = list(self._held)
                if not held:
                    self._renewer = None
                    return
            for name in held:
                with suppress(TransportError):
                    self._shelf.renew(name, self._token)


def _place(settings: Settings) -> str:
    """Say where a Redis is, without a login."""
    parts = urlsplit(settings.cache_url or "")
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


def _key(kind: str, name: str) -> str:
    return f"{_PREFIX}:{kind}:{name}"


def _up(seconds: float) -> int:
    return max(1, -int(-seconds // 1))


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
