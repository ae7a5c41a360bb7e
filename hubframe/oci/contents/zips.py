"""The directory of a ZIP archive, read entry by entry (PKWARE's APPNOTE, 4.3).

`zipfile` makes an object of each entry before it tells how many there are, and needs an archive in
a file of its own; here an archive may lie within another one.
"""

import zlib
from collections.abc import Iterator
from struct import Struct, error
from typing import NamedTuple

from hubframe.errors import PayloadError

_END, _LONGEST_COMMENT = Struct("<4s6xHIIH"), 2**16
# Of archives with more than 65,535 files; between the two lies what says where it is. [bytes]
_END_64, _LOCATOR = Struct("<4s28xQQQ"), 20
_ENTRY, _LOCAL = Struct("<4s4xHH8xIIHHH8xI"), Struct("<4s22xHH")
_FULL_16, _FULL_32 = 2**16 - 1, 2**32 - 1
_ENCRYPTED = 1
_STORED, _DEFLATED = 0, 8


class Entry(NamedTuple):
    """A file of an archive."""

    name: str
    is_packed: bool
    packed_size: int  # [bytes]
    size: int  # as the archive tells. [bytes]
    at: int  # where its own header lies


class Zip(NamedTuple):
    """An archive, which may be a part of something larger."""

    body: bytes
    start: int
    end: int

    def entries(self) -> Iterator[Entry]:
        """Yield the files that can be read, in the directory's order."""
        try:
            yield from self._entries()
        except error:
            raise PayloadError("no ZIP archive: its directory is cut off") from None

    def _entries(self) -> Iterator[Entry]:
        at, base, last = self._directory()
        while at < last:
            magic, flags, method, packed, size, *lengths, offset = _ENTRY.unpack_from(self.body, at)
            if magic != b"PK\1\2":
                raise PayloadError("no ZIP archive: its directory is damaged")
            named = at + _ENTRY.size
            at = named + sum(lengths)
            is_readable = method in (_STORED, _DEFLATED) and not flags & _ENCRYPTED
            if is_readable and _FULL_32 not in (packed, size, offset):
                name = self.body[named : named + lengths[0]].decode("utf-8", "replace")
                yield Entry(name, method == _DEFLATED, packed, size, base + offset)

    def _directory(self) -> tuple[int, int, int]:
        """Return where the directory begins, what its offsets count from, and where it ends."""
        end = self.body.rfind(b"PK\5\6", max(self.start, self.end - _LONGEST_COMMENT), self.end)
        if end < 0:
            raise PayloadError("no ZIP archive: it has no directory")
        _, count, size, offset, _ = _END.unpack_from(self.body, end)
        if count == _FULL_16 or _FULL_32 in (size, offset):
            large = end - _LOCATOR - _END_64.size
            if large >= self.start and self.body.startswith(b"PK\6\6", large):
                end = large
                *_, size, offset = _END_64.unpack_from(self.body, end)
        # What lies before the archive, as a script that starts it, is not counted in its offsets.
        begin = end - size
        if begin - offset < self.start:
            raise PayloadError("no ZIP archive: its directory lies outside of it")
        return begin, begin - offset, end

    def span(self, entry: Entry) -> tuple[int, int]:
        """Return where the content of an entry begins and ends, as it is stored."""
        try:
            magic, *lengths = _LOCAL.unpack_from(self.body, entry.at)
        except error:
            magic, lengths = b"", []
        start = entry.at + _LOCAL.size + sum(lengths)
        if magic != b"PK\3\4" or start + entry.packed_size > self.end:
            raise PayloadError("a ZIP archive with an entry outside of it")
        return start, start + entry.packed_size

    def read(self, entry: Entry, most: int) -> bytes:
        """Return the beginning of an entry's content, of so many bytes at most."""
        start, end = self.span(entry)
        stored = memoryview(self.body)[start:end]
        if not entry.is_packed:
            return bytes(stored[:most])
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, most)
        except zlib.error:
            raise PayloadError("a ZIP archive with a damaged entry") from None
