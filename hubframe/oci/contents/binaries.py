"""Programs and archives of Java in layers: read as they come.

They are large: no more is kept of them than what they tell of packages, and they are held in memory
only while they are read. Those of all layers together take no more than one of them may.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import starmap
from threading import Condition, Lock
from typing import NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.archives import Read, Summarise
from hubframe.oci.contents import golang, java
from hubframe.oci.contents.databases import MOST_OF_FILE, MOST_OF_LAYER, Place, sound
from hubframe.oci.contents.packages import Package

# What is kept of a layer's binaries is kept under this number.
BINARIES_VERSION = 1
MOST_OF_BINARY = 256 * 1024**2
TYPES = frozenset({"golang", "maven"})
# With which programs begin: of ELF, of Windows, and of macOS in both orders of bytes.
_MAGICS = (
    *(b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"),
    *(b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce"),
)
# Programs of macOS for several machines in one file: no more than these, or it is a class of Java.
_SEVERAL, _MOST_MACHINES = b"\xca\xfe\xba\xbe", 20
_HEAD = 8
# Of what could not be read of a binary the first is told, in so much text. [characters]
_LONGEST = 300
_ZIP = b"PK"


class Binary(NamedTuple):
    """What a program or an archive tells, and what could not be read of it."""

    place: Place
    packages: tuple[Package, ...]
    failures: tuple[str, ...]


class Room:
    """How much of binaries is in memory; who wants more waits until others have read theirs."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._held = 0
        # Archives unpack what is within them, which is not known before.
        self._reading = Lock()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait for so many bytes, and have them inside."""
        with self._changed:
            self._changed.wait_for(lambda: self._held + size <= MOST_OF_BINARY)
            self._held += size
        try:
            yield
        finally:
            with self._changed:
                self._held -= size
                self._changed.notify_all()

    def summarising(self) -> Summarise:
        """Return what reads the binaries of one layer, of which not too much is kept."""
        left = MOST_OF_LAYER

        def summarise(path: str, size: int, read: Read) -> bytes | None:
            nonlocal left
            summary = self._summary(path, size, read)
            if summary is not None and len(summary) > min(left, MOST_OF_FILE):
                summary = _written([], ["it tells of more packages than are kept"])
            left -= len(summary or b"")
            return summary

        return summarise

    def _summary(self, path: str, size: int, read: Read) -> bytes | None:
        head = b""
        while len(head) < min(_HEAD, size):
            head += read(_HEAD - len(head))
        read_binary = _read_java if java.is_archive(path) else _read_go
        if read_binary is _read_go and not _is_program(head):
            return None
        if size > MOST_OF_BINARY:
            if read_binary is _read_go and not golang.is_of_go(_pieces(head, size, read)):
                return None
            return _written([], [f"larger than {MOST_OF_BINARY:,} bytes; not read"])
        with self.hold(size):
            # Taken out of it without a copy.
            body = BytesIO()
            for piece in _pieces(head, size, read):
                body.write(piece)
            with self._reading:
                return read_binary(path, body.getvalue())


def _pieces(head: bytes, size: int, read: Read) -> Iterator[bytes]:
    yield head
    left = size - len(head)
    while left:
        piece = read(left)
        left -= len(piece)
        yield piece


def _is_program(head: bytes) -> bool:
    if head.startswith(_SEVERAL):
        return int.from_bytes(head[4:], "big") <= _MOST_MACHINES
    return head.startswith(_MAGICS)


def _read_go(_: str, body: bytes) -> bytes | None:
    try:
        packages = sound(golang.read_go(body))
    except PayloadError as fault:
        return _written([], [str(fault)])
    return _written(packages, []) if packages else None


def _read_java(path: str, body: bytes) -> bytes | None:
    reader = java.Reader()
    try:
        packages = sound(reader.read(body, path.rpartition("/")[2]))
    except PayloadError as fault:
        # Files of other kinds may have such a name.
        return _written([], [str(fault)]) if body.startswith(_ZIP) else None
    return _written(packages, reader.failures)


def _written(packages: list[Package], failures: list[str]) -> bytes:
    told = [one[-_LONGEST:] for one in failures[:1]]
    return json.dumps([packages, told], separators=(",", ":")).encode()


def read_binary(path: str, summary: bytes) -> Binary:
    """Read what is kept of a binary."""
    packages, failures = json.loads(summary)
    return Binary(
        Place("maven" if java.is_archive(path) else "golang", path),
        tuple(one._replace(path=path + (one.path or "")) for one in starmap(Package, packages)),
        tuple(failures),
    )
