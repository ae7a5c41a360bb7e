"""The database of rpm, in its three forms: SQLite, NDB and Berkeley DB.

What a log beside the file (``-wal``) holds is not read: rpm writes it back when it closes the
database. Pages and blobs are read once, and blobs take no more than the file, so that no file takes
long.
"""

from collections.abc import Iterator
from struct import Struct, error, iter_unpack, unpack_from

from hubframe.errors import PayloadError
from hubframe.oci.contents import sqlite
from hubframe.oci.contents.packages import Package, source_package

_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE = 1000, 1001, 1002, 1003, 1009
_LICENCE, _ARCHITECTURE, _SOURCE, _LONG_SIZE = 1014, 1022, 1044, 5009
_WANTED = frozenset(
    {_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE, _LICENCE, _ARCHITECTURE, _SOURCE, _LONG_SIZE}
)
# Types of values: numbers of 4 and 8 bytes, and texts, of which the first counts.
_NUMBERS, _TEXTS = {4: Struct(">I"), 5: Struct(">Q")}, frozenset({6, 8, 9})
_HEAD, _ENTRY = Struct(">II"), Struct(">4I")
# As rpm reads at most.
_MOST_ENTRIES = 0xFFFF
_KEY = "gpg-pubkey"
# NDB: the file, a slot and a blob by their first bytes; all is in units of 16 bytes.
_NDB, _SLOT, _BLOB, _UNIT, _NDB_PAGE = b"RpmP", b"Slot", b"BlbS", 16, 4096
# Berkeley DB: the file by a number; pages of a hash, sorted or as before 4.6, and those of a long
# value; an item that is here, and one that is on such pages.
_HASH, _HASH_PAGES, _LONG_PAGE, _HERE, _ELSEWHERE = 0x061561, (2, 13), 7, 1, 3
_PAGE_SIZES, _PAGE_HEADER, _ITEM = frozenset(2**power for power in range(9, 17)), 26, 12


def read_rpm(body: bytes) -> Iterator[Package]:
    """Read the packages of a database; PayloadError where it is none."""
    left = len(body)
    try:
        for blob in _blobs(body) if body else ():
            left -= len(blob)
            if left < 0:
                raise PayloadError("a database of rpm tells more than it holds")
            package = read_header(blob)
            if package is not None:
                yield package
    except (error, IndexError) as found:
        raise PayloadError(f"a database of rpm is damaged: {found}") from None


def read_header(blob: bytes) -> Package | None:
    """Read the header of a package; None where it is none, or that of a key."""
    if len(blob) < _HEAD.size:
        return None
    count, size = _HEAD.unpack_from(blob)
    start = _HEAD.size + count * _ENTRY.size
    if count > _MOST_ENTRIES or start + size > len(blob):
        return None
    found: dict[int, str | int] = {}
    for tag, kind, offset, _ in _ENTRY.iter_unpack(blob[_HEAD.size : start]):
        if tag in _WANTED and tag not in found and offset < size:
            at = start + offset
            if kind in _TEXTS:
                found[tag] = blob[at : blob.find(b"\0", at)].decode("utf-8", "replace")
            elif kind in _NUMBERS and at + _NUMBERS[kind].size <= len(blob):
                (found[tag],) = _NUMBERS[kind].unpack_from(blob, at)
    name, version, release, licence, architecture, source = (
        str(found.get(tag, ""))
        for tag in (_NAME, _VERSION, _RELEASE, _LICENCE, _ARCHITECTURE, _SOURCE)
    )
    if not name or not version or name == _KEY:
        return None
    epoch = f"{found[_EPOCH]}:" if _EPOCH in found else ""
    source_name, source_version = source_package(source)
    whole = found.get(_LONG_SIZE, found.get(_SIZE))
    return Package(
        "rpm",
        name,
        f"{epoch}{version}-{release}" if release else f"{epoch}{version}",
        architecture=architecture or None,
        source_name=source_name or None,
        source_version=source_version or None,
        licence=licence or None,
        installed_size=whole if isinstance(whole, int) else None,
    )


def _blobs(body: bytes) -> Iterator[bytes]:
    if body.startswith(sqlite.MAGIC):
        return (row[1] for row in sqlite.read_table(body, "Packages") if len(row) > 1)
    return _ndb(body) if body.startswith(_NDB) else _berkeley(body)


def _ndb(body: bytes) -> Iterator[bytes]:
    """Yield the blobs of SUSE's form: slots, each of which tells where a blob is."""
    (pages,) = unpack_from("<I", body, 12)
    end = min(pages * _NDB_PAGE, len(body) // _UNIT * _UNIT)
    for magic, index, block, _ in iter_unpack("<4s3I", body[2 * _UNIT : end]):
        start = (block + 1) * _UNIT
        if magic == _SLOT and index and start <= len(body):
            found, same, _, size = unpack_from("<4s3I", body, start - _UNIT)
            if found == _BLOB and same == index:
                yield body[start : start + size]


def _berkeley(body: bytes) -> Iterator[bytes]:
    """Yield the values of a hash table, in either order of bytes."""
    order = next((one for one in "<>" if unpack_from(f"{one}I", body, 12)[0] == _HASH), None)
    if order is None:
        raise PayloadError("no database of rpm: neither SQLite nor NDB nor a hash of Berkeley DB")
    (size,) = unpack_from(f"{order}I", body, 20)
    if body[24] or size not in _PAGE_SIZES:
        raise PayloadError("a database of rpm (Berkeley DB) is encrypted or damaged")
    taken: set[int] = set()
    for start in range(0, len(body) - size + 1, size):
        (count,) = unpack_from(f"{order}H", body, start + 20)
        if body[start + 25] not in _HASH_PAGES or _PAGE_HEADER + 2 * count > size:
            continue
        places = unpack_from(f"{order}{count}H", body, start + _PAGE_HEADER)
        # Keys and values take turns, from the end of the page.
        for end, at in zip(places[::2], places[1::2], strict=False):
            kind = body[start + at] if at + _ITEM <= size else None
            if kind == _HERE:
                yield body[start + at + 1 : start + end]
            elif kind == _ELSEWHERE:
                page, length = unpack_from(f"{order}II", body, start + at + 4)
                yield b"".join(_long_value(body, order, size, page, taken))[:length]


def _long_value(body: bytes, order: str, size: int, page: int, taken: set[int]) -> Iterator[bytes]:
    """Yield the parts of a value that is on pages of its own, none of which was `taken`."""
    while page and page not in taken and (page + 1) * size <= len(body):
        taken.add(page)
        start = page * size
        page, _, held, _, kind = unpack_from(f"{order}IHHBB", body, start + 16)
        if kind != _LONG_PAGE:
            return
        yield body[start + _PAGE_HEADER : start + min(_PAGE_HEADER + held, size)]
