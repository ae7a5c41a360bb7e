"""The rows of a table in a file of SQLite, from bytes: https://sqlite.org/fileformat.html.

SQLite's own library would copy a file of 256 MiB twice, run what a stranger wrote as its schema,
and stop at the first damaged page. Each page is read once, and cells hold no more than the file.
"""

from collections.abc import Iterator
from itertools import chain
from struct import unpack_from

from hubframe.errors import PayloadError

MAGIC = b"SQLite format 3\0"
# Of pages: those that tell of pages below, and those with rows; their headers. [bytes]
_INNER, _LEAF = 5, 13
_INNER_HEADER, _LEAF_HEADER, _FILE_HEADER = 12, 8, 100
_SMALLEST, _LARGEST = 512, 65_536
# How many bytes a value of a type has; from the twelfth on the type itself tells.
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)
_SCHEMA_FIELDS = 4


def read_table(body: bytes, name: str) -> Iterator[list[bytes]]:
    """Yield the rows of a table, each value by its bytes; what is damaged is left out.

    PayloadError where there is no such table.
    """
    (size,) = unpack_from(">H", body, 16)
    size = _LARGEST if size == 1 else size
    if size < _SMALLEST:
        raise PayloadError("a file of SQLite is damaged: it does not tell the size of its pages")
    file = _File(body, size)
    for row in file.rows(1):
        if len(row) >= _SCHEMA_FIELDS and row[:2] == [b"table", name.encode()]:
            yield from file.rows(int.from_bytes(row[3], "big"))
            return
    raise PayloadError(f"a file of SQLite has no table {name}")


class _File:
    def __init__(self, body: bytes, size: int) -> None:
        self._body, self._size = body, size
        self._usable = size - body[20]
        self._taken: set[int] = set()
        self._left = 2 * len(body)

    def rows(self, root: int) -> Iterator[list[bytes]]:
        """Yield the rows of the table that begins at a page."""
        waiting = [root]
        while waiting:
            page = waiting.pop()
            start = self._take(page)
            if start is None:
                continue
            head = start + (_FILE_HEADER if page == 1 else 0)
            kind, _, count = unpack_from(">BHH", self._body, head)
            if kind == _LEAF:
                for at in unpack_from(f">{count}H", self._body, head + _LEAF_HEADER):
                    yield _values(self._record(start + at))
            elif kind == _INNER:
                places = unpack_from(f">{count}H", self._body, head + _INNER_HEADER)
                below = (start + at for at in places)
                pages = [self._page_at(at) for at in chain(below, [head + _LEAF_HEADER])]
                waiting += reversed(pages)

    def _take(self, page: int) -> int | None:
        """Return where a page begins; None where there is none, or it was read before."""
        start = (page - 1) * self._size
        if page < 1 or page in self._taken or start + self._size > len(self._body):
            return None
        self._taken.add(page)
        return start

    def _page_at(self, at: int) -> int:
        return int.from_bytes(self._body[at : at + 4], "big")

    def _record(self, at: int) -> bytes:
        """Return what a cell holds, with what of it is on pages of its own."""
        total, at = _varint(self._body, at)
        _, at = _varint(self._body, at)
        here, most = total, self._usable - 35
        if total > most:
            least = (self._usable - 12) * 32 // 255 - 23
            here = least + (total - least) % (self._usable - 4)
            here = here if here <= most else least
        parts = [self._body[at : at + here]]
        left, page = total - here, self._page_at(at + here)
        while left > 0 and (start := self._take(page)) is not None:
            parts.append(self._body[start + 4 : start + min(left + 4, self._usable)])
            left -= len(parts[-1])
            page = self._page_at(start)
        record = b"".join(parts)
        self._left -= len(record)
        if self._left < 0:
            raise PayloadError("a file of SQLite tells more than it holds")
        return record


def _values(record: bytes) -> list[bytes]:
    size, at = _varint(record, 0)
    start, values = size, []
    while at < size:
        kind, at = _varint(record, at)
        length = _SIZES[kind] if kind < len(_SIZES) else (kind - len(_SIZES)) // 2
        values.append(record[start : start + length])
        start += length
    return values


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """Return a number of one byte to nine, and where it ends."""
    number = 0
    for place in range(at, at + 8):
        number = number << 7 | body[place] & 0x7F
        if not body[place] >> 7:
            return number, place + 1
    return number << 8 | body[at + 8], at + 9
