"""Files of images on this machine's disk: in a folder, or in an archive that is read where it is.

Nothing is unpacked or written, and no link leads out of the folder or the archive.
"""

import io
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from hubframe.errors import NotFoundError, PayloadError
from hubframe.oci.packing import unpacked
from hubframe.wire.network import MEBIBYTE

_PIECE = MEBIBYTE
# An archive that is packed as a whole is held in memory, since nobody can seek in it. [bytes]
_MOST_PACKED = 256 * MEBIBYTE
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_MOST_LINKS = 8


class Files(Protocol):
    """The files of a layout, by their paths in it."""

    def size(self, name: str) -> int:
        """Return how many bytes a file has; `NotFoundError` where there is none."""

    def pieces(self, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield a file, or so many bytes of it."""


class Folder:
    """A folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
            raise PayloadError(f"{self._path}: {name} is a link out of the folder; not followed")
        if not path.is_file():
            raise NotFoundError(f"{self._path} has no file {name}")
        return path


class Archive:
    """A tar archive: where its files are is read once, and each is read in its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        self._open: Callable[[], BinaryIO] = lambda: path.open("rb")
        with path.open("rb") as file:
            if file.read(4).startswith(_PACKED):
                held = self._unpacked()
                self._open = lambda: io.BytesIO(held)
        try:
            with self._open() as opened, tarfile.open(fileobj=opened, mode="r:") as archive:
                for member in archive:
                    self._add(member)
        except tarfile.TarError as error:
            raise PayloadError(f"{path} is no tar archive, or not all of one ({error})") from None

    def size(self, name: str) -> int:
        """Return how long a file is."""
        return self._of(name)[1]

    def pieces(self, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield a file, or so many bytes of it."""
        at, size = self._of(name)
        left = size - start if count is None else min(count, size - start)
        with self._open() as file:
            yield from _pieces(file, at + start, left)

    def _add(self, member: tarfile.TarInfo) -> None:
        name = posixpath.normpath(member.name)
        # What comes later replaces what was there.
        self._at.pop(name, None)
        self._links.pop(name, None)
        if member.isreg() and not member.issparse():
            self._at[name] = member.offset_data, member.size
        elif member.issym():
            self._links[name] = posixpath.join(posixpath.dirname(name), member.linkname)
        elif member.islnk():
            self._links[name] = member.linkname

    def _of(self, name: str) -> tuple[int, int]:
        found = posixpath.normpath(name)
        for _ in range(_MOST_LINKS):
            if found in self._at:
                return self._at[found]
            if found not in self._links:
                break
            found = posixpath.normpath(self._links[found])
        raise NotFoundError(f"{self._path} has no file {name}")

    def _unpacked(self) -> bytes:
        with self._path.open("rb") as file:
            parts, size = [], 0
            for piece in unpacked(_pieces(file), str(self._path)):
                parts.append(piece)
                size += len(piece)
                if size > _MOST_PACKED:
                    raise PayloadError(
                        f"{self._path} is packed, and unpacks to more than "
                        f"{_MOST_PACKED // MEBIBYTE} MiB: unpack it first, with gunzip or unzstd"
                    )
        return b"".join(parts)


def _pieces(file: BinaryIO, start: int = 0, count: int | None = None) -> Iterator[bytes]:
    file.seek(start)
    while count is None or count > 0:
        piece = file.read(_PIECE if count is None else min(_PIECE, count))
        if not piece:
            break
        count = None if count is None else count - len(piece)
        yield piece
