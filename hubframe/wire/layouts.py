"""Files of images on this machine: in a folder, or in an archive that is read where it is.

Nothing is unpacked, and no link leads out of the folder or the archive. Nothing is written but what
an engine exports: into a temporary file.
"""

import io
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import RLock
from typing import BinaryIO, Protocol

from hubframe.errors import NotFoundError, PayloadError
from hubframe.oci.packing import PACKED, unpacked
from hubframe.wire.network import MEBIBYTE

_PIECE = MEBIBYTE
# An archive that is packed as a whole is held in memory, since nobody can seek in it. [bytes]
_MOST_PACKED = 256 * MEBIBYTE
_MOST_LINKS = 8
# What is held in memory of an export: its documents, and of other files how they begin. [bytes]
_MOST_DOCUMENT, _MOST_DOCUMENTS, _BEGINNING = 4 * MEBIBYTE, 32 * MEBIBYTE, 4


class Files(Protocol):
    """The files of a layout, by their paths in it."""

    name: str  # where they are, for messages

    def size(self, name: str) -> int:
        """Return how many bytes a file has; `NotFoundError` where there is none."""

    def pieces(self, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield a file, or so many bytes of it."""


class Folder:
    """A folder."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._root = path.resolve()

    def size(self, name: str) -> int:
        """Return how long a file is."""
        return self._of(name).stat().st_size

    def pieces(self, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield a file, or so many bytes of it."""
        with self._of(name).open("rb") as file:
            yield from _pieces(file, start, count)

    def _of(self, name: str) -> Path:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise PayloadError(f"{self.name}: {name} is a link out of the folder; not followed")
        if not path.is_file():
            raise NotFoundError(f"{self.name} has no file {name}")
        return path


class _Tar:
    """Where the files of a tar archive are: looked up once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._at: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}

    def size(self, name: str) -> int:
        """Return how long a file is."""
        return self._at[self._followed(name)][1]

    def _look_through(self, opened: BinaryIO) -> None:
        at: dict[str, tuple[int, int]] = {}
        links: dict[str, str] = {}
        try:
            with tarfile.open(fileobj=opened, mode="r:") as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    # What comes later replaces what was there.
                    at.pop(name, None)
                    links.pop(name, None)
                    if member.isreg() and not member.issparse():
                        at[name] = member.offset_data, member.size
                    elif member.issym():
                        links[name] = posixpath.join(posixpath.dirname(name), member.linkname)
                    elif member.islnk():
                        links[name] = member.linkname
        except (tarfile.TarError, ValueError, OverflowError) as error:
            raise PayloadError(
                f"{self.name} is no tar archive, or not all of one ({error})"
            ) from None
        self._at, self._links = at, links

    def _followed(self, name: str) -> str:
        """Return the name of a file, where that of a link to it is given."""
        found = posixpath.normpath(name)
        for _ in range(_MOST_LINKS):
            if found in self._at:
                return found
            if found not in self._links:
                break
            found = posixpath.normpath(self._links[found])
        raise NotFoundError(f"{self.name} has no file {name}")


class Archive(_Tar):
    """A tar archive on the disk: each file is read in its place."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._open: Callable[[], BinaryIO] = lambda: path.open("rb")
        with path.open("rb") as file:
            if file.read(4).startswith(PACKED):
                held = self._unpacked()
                self._open = lambda: io.BytesIO(held)
        with self._open() as opened:
            self._look_through(opened)

    def pieces(self, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield a file, or so many bytes of it."""
        at, size = self._at[self._followed(name)]
        left = size - start if count is None else min(count, size - start)
        with self._open() as file:
            yield from _pieces(file, at + start, left)

    def _unpacked(self) -> bytes:
        with self._path.open("rb") as file:
            parts, size = [], 0
            for piece in unpacked(_pieces(file), str(self._path)):
                parts.append(piece)
                size += len(piece)
                if size > _MOST_PACKED:
                    raise PayloadError(
                        f"{self._path} is packed, and unpacks to more than "
                        f"{_MOST_PACKED // MEBIBYTE} MiB: unpack it first, with gunzip or its like"
                    )
        return b"".join(parts)


class Export(_Tar):
    """A tar archive that is written on demand: into a temporary file, for as long as it is wanted.

    The documents in it are held in memory, and stay when the file is dropped; what else is asked
    for then has it written anew. `write` returns a new file; one thread at a time has the `lock`,
    which several archives may share.
    """

    def __init__(self, name: str, write: Callable[[], BinaryIO], lock: RLock) -> None:
        super().__init__(name)
        self._write, self._lock = write, lock
        self._held: dict[str, bytes] = {}
        self._file: BinaryIO | None = None
        # Whether more was asked for than its documents.
        self.is_read = False
        self._filled()

    def pieces(self, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield a file, or so many bytes of it."""
        found = self._followed(name)
        size, held = self._at[found][1], self._held[found]
        end = size if count is None else min(start + count, size)
        if end <= len(held):
            yield held[start:end]
            return
        for place in range(start, end, _PIECE):
            with self._lock:
                self.is_read = True
                file = self._file or self._filled()
                file.seek(self._at[self._followed(found)][0] + place)
                piece = file.read(min(_PIECE, end - place))
            yield piece

    def drop(self) -> None:
        """Let the file go; who reads on has it written anew."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file, self.is_read = None, False

    def _filled(self) -> BinaryIO:
        with ExitStack() as unless_it_is_good:
            file = unless_it_is_good.enter_context(self._write())
            self._look_through(file)
            held, left = {}, _MOST_DOCUMENTS
            for name, (at, size) in self._at.items():
                file.seek(at)
                held[name] = file.read(min(size, _BEGINNING))
                if held[name][:1] in (b"{", b"[") and size <= min(_MOST_DOCUMENT, left):
                    held[name] += file.read(size - len(held[name]))
                left -= len(held[name])
            self._held, self._file = held, file
            unless_it_is_good.pop_all()
        return file


def _pieces(file: BinaryIO, start: int = 0, count: int | None = None) -> Iterator[bytes]:
    file.seek(start)
    while count is None or count > 0:
        piece = file.read(_PIECE if count is None else min(_PIECE, count))
        if not piece:
            break
        count = None if count is None else count - len(piece)
        yield piece
