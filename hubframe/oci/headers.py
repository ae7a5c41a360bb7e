"""Headers of a tar archive, read as Go's archive/tar reads them; what that refuses is a ValueError.

Container tools extract layers with it. Where two programs read an archive differently, a file
could hide: so these are its rules, and neither POSIX's nor those of `tarfile`.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

BLOCK = 512
# As Go reads at most, of a name or of a set of attributes. [bytes]
MOST_ATTRIBUTES = 1024**2
OLD, SPARSE, DIRECTORY, LINKS = b"\0", b"S", b"5", (b"1", b"2")
# What has a header alone, whatever size it tells.
HEADER_ONLY = (*LINKS, b"3", b"4", DIRECTORY, b"6")
# What tells of the entry that follows; or of all, but Go, and who uses it, pass over that.
LONG_NAME, LONG_LINK, PAX, GLOBAL = b"L", b"K", b"x", b"g"
_USTAR, _GNU, _OF_STAR = b"ustar\0", b"ustar  \0", b"tar\0"
# In a header numbers are octal digits between blanks and NULs; in attributes they are decimal.
_OCTAL = re.compile(rb"[ \0]*+([0-7]*+)(?:\0.*|[ \0]*)", re.DOTALL)
_DECIMAL = re.compile(rb"[+-]?[0-9]{1,40}")
_DATE = re.compile(rb"([+-]?)([0-9]{1,40})(?:\.([0-9]*))?")
_RECORD = re.compile(rb"(\+?[0-9]{1,40}) ([^=]+)=")
_SHORTEST = 5
_INT64 = range(-(2**63), 2**63)
_MICROSECONDS = 1_000_000
_MAJOR, _MINOR = b"GNU.sparse.major", b"GNU.sparse.minor"
_NAME, _COUNT, _MAP = b"GNU.sparse.name", b"GNU.sparse.numblocks", b"GNU.sparse.map"
_SIZE, _REAL_SIZE = b"GNU.sparse.size", b"GNU.sparse.realsize"
_OFFSET, _LENGTH = b"GNU.sparse.offset", b"GNU.sparse.numbytes"
_TEXTS = frozenset({b"path", b"linkpath", b"uname", b"gname"})
# The attributes that are of use: an archive of nothing but others must not fill the memory.
_READ = _TEXTS | {
    b"size", b"uid", b"gid", b"mtime", b"atime", b"ctime",
    _MAJOR, _MINOR, _NAME, _COUNT, _MAP, _SIZE, _REAL_SIZE,
}  # fmt: skip
_WITH_MAP, _IN_CONTENT = ((b"0", b"0"), (b"0", b"1")), (b"1", b"0")
# Where GNU's own headers tell of regions, each of two numbers, and whether a block of more follows.
_REGIONS, _MORE_REGIONS, _REGION, _NUMBER = slice(386, 482), slice(0, 504), 24, 12

Attributes = Mapping[bytes, bytes]


class Owner(NamedTuple):
    """Those fields of a header in which few of a layer differ, and which form it has."""

    form: bytes
    mode: int
    uid: int
    gid: int
    user: bytes
    group: bytes


class Header(NamedTuple):
    """What a header tells, attributes aside; times in microseconds since 1970."""

    kind: bytes
    size: int
    modified: int
    owner: Owner


class Sparse(NamedTuple):
    """A file with holes: its own name, its size, and how much of its content is left to read."""

    name: bytes
    size: int
    left: int


def is_header(block: bytes) -> bool:
    """Tell whether a block is a header: its checksum says so, of bytes or of signed ones."""
    counted = block[:148] + b" " * 8 + block[156:]
    found, total = _OCTAL.fullmatch(block[148:156]), sum(counted)
    written = int(found[1] or b"0", 8) if found else None
    return written == total or written == total - 256 * sum(byte >> 7 for byte in counted)


def read_header(block: bytes) -> Header:
    """Read a header."""
    is_star = block[508:] == _OF_STAR
    owner = _owner(block[100:124] + block[257:345], is_star=is_star)
    if owner.form == _OF_STAR:
        _number(block[476:488])
        _number(block[488:500])
    modified = _number(block[136:148]) * _MICROSECONDS
    return Header(block[156:157], _number(block[124:136], "size"), modified, owner)


def own_path(block: bytes, form: bytes) -> bytes:
    """Return the path that a header itself tells."""
    name, prefix = until_nul(block[:100]), b""
    if form == _USTAR:
        prefix = until_nul(block[345:500])
    elif form == _OF_STAR:
        prefix = until_nul(block[345:476])
    elif form == _GNU and (block[345] or block[357]):
        # Times are there, unless an old writer of Go's took it for the place of the prefix.
        try:
            _number(block[345:357])
            _number(block[357:369])
        except ValueError:
            prefix = until_nul(block[345:500])
            prefix = prefix if prefix.isascii() else b""
    return prefix + b"/" + name if prefix else name


def read_records(body: bytes) -> tuple[dict[bytes, bytes], int]:
    """Return those records of a pax header that are of use, and how many there are."""
    found: dict[bytes, bytes] = {}
    regions: list[bytes] = []
    at = count = 0
    while at < len(body):
        record = _RECORD.match(body, at)
        size = int(record[1]) if record else 0
        end = at + size
        if not record or size < _SHORTEST or record.end() >= end or body[end - 1 : end] != b"\n":
            raise ValueError("a record of a pax header is none")
        key, value = record[2], body[record.end() : end - 1]
        if b"\0" in (value if key in _TEXTS else key):
            raise ValueError("a record of a pax header holds a NUL")
        if key in (_OFFSET, _LENGTH):
            if b"," in value or (key == _LENGTH) != len(regions) % 2:
                raise ValueError("the map of a sparse file is none")
            regions.append(value)
        elif key in _READ:
            found[key] = value
        at, count = end, count + 1
    if regions:
        found[_MAP] = b",".join(regions)
    return found, count


def whole(attributes: Attributes, key: bytes, otherwise: int) -> int:
    """Return the number that an attribute tells; something else where it tells none."""
    written = attributes.get(key)
    return _integer(written, key) if written else otherwise


def moment(attributes: Attributes, key: bytes, otherwise: int) -> int:
    """Return the time that an attribute tells, in microseconds since 1970."""
    if not (written := attributes.get(key)):
        return otherwise
    found = _DATE.fullmatch(written)
    if not found or int(found[2]) not in _INT64:
        raise ValueError(f"an entry has the {key.decode()} {_shown(written)}")
    sign = -1 if found[1] == b"-" else 1
    part = (found[3] or b"")[:6].ljust(6, b"0")
    return sign * (int(found[2]) * _MICROSECONDS + int(part))


def last_written(attributes: Attributes, otherwise: int) -> int:
    """Return when an entry was last written; its other times must be times, too, as in Go."""
    for key in (b"atime", b"ctime"):
        moment(attributes, key, 0)
    return moment(attributes, b"mtime", otherwise)


def read_sparse(
    block: bytes, header: Header, attributes: Attributes, stored: int, read: Callable[[int], bytes]
) -> Sparse | None:
    """Read where a file has holes; None for a file without.

    Attributes make a file sparse, and rename it, only where they tell a version that is known.
    There are so many bytes of content (`stored`), which `read` reads from.
    """
    version = attributes.get(_MAJOR, b""), attributes.get(_MINOR, b"")
    told = attributes.get(_MAP, b"")
    name, left = attributes.get(_NAME, b""), stored
    size = whole(attributes, _SIZE if attributes.get(_SIZE) else _REAL_SIZE, stored)
    if header.kind == SPARSE:
        if header.owner.form != _GNU:
            raise ValueError("a sparse file is none of GNU's")
        name, size, regions = b"", _number(block[483:495]), _old_regions(block, read)
    elif version == _IN_CONTENT:
        regions, used = _regions_in_content(stored, read)
        left -= used
    elif version in _WITH_MAP or (told and not any(version)):
        regions = [_integer(one, _MAP) for one in told.split(b",")] if told else []
        if len(regions) != 2 * _integer(attributes.get(_COUNT, b""), _COUNT):
            raise ValueError("the map of a sparse file is none")
    else:
        return None
    end = total = 0
    for offset, length in zip(regions[::2], regions[1::2], strict=True):
        if offset < end or length < 0 or offset + length > size:
            raise ValueError("the map of a sparse file is none")
        end, total = offset + length, total + length
    # What GNU's own headers tell, Go looks at when it extracts, and no container tool does that.
    is_odd = total != left and header.kind != SPARSE
    if header.kind in HEADER_ONLY or size < 0 or is_odd:
        raise ValueError("a sparse file is not what its map tells")
    return Sparse(name, size, left)


def _old_regions(block: bytes, read: Callable[[int], bytes]) -> list[int]:
    """Read the regions of a sparse file in GNU's own headers."""
    regions: list[int] = []
    places, more = block[_REGIONS], block[482]
    while True:
        for at in range(0, len(places), _REGION):
            if not places[at]:
                break
            regions.append(_number(places[at : at + _NUMBER]))
            regions.append(_number(places[at + _NUMBER : at + _REGION]))
        if not more:
            return regions
        if len(regions) * _NUMBER > MOST_ATTRIBUTES:
            raise ValueError("the map of a sparse file is too long")
        block = read(BLOCK)
        places, more = block[_MORE_REGIONS], block[504]


def _regions_in_content(stored: int, read: Callable[[int], bytes]) -> tuple[list[int], int]:
    """Read the regions that stand before the content of a sparse file, and how much they take."""
    parts: list[bytes] = []
    lines, wanted = 0, 1
    while lines < wanted:
        used = (len(parts) + 1) * BLOCK
        if used > min(stored, MOST_ATTRIBUTES):
            raise ValueError("the map of a sparse file is cut off, or too long")
        parts.append(read(BLOCK))
        lines += parts[-1].count(b"\n")
        if wanted == 1 and lines:
            count = _integer(b"".join(parts).partition(b"\n")[0], _COUNT)
            if count < 0:
                raise ValueError("the map of a sparse file is none")
            wanted += 2 * count
    numbers = b"".join(parts).split(b"\n")[1:wanted]
    return [_integer(one, _MAP) for one in numbers], len(parts) * BLOCK


@lru_cache(maxsize=1024)
def _owner(written: bytes, *, is_star: bool) -> Owner:
    mode, uid, gid = (_number(written[at : at + 8]) for at in (0, 8, 16))
    magic, form, user, group = written[24:32], b"", b"", b""
    if magic.startswith(_USTAR):
        form = _OF_STAR if is_star else _USTAR
    elif magic == _GNU:
        form = _GNU
    if form:
        user, group = until_nul(written[32:64]), until_nul(written[64:96])
        for at in (96, 104):  # a device that nobody asks for, but Go reads it
            _number(written[at : at + 8])
    return Owner(form, mode, uid, gid, user, group)


def _number(written: bytes, what: str = "number") -> int:
    """Read a number of a header: octal digits, or binary where it is too large."""
    if written[0] & 0x80:
        bits = 8 * len(written) - 1
        number = int.from_bytes(written, "big") & ((1 << bits) - 1)
        number -= (number >> (bits - 1)) << bits
        if number in _INT64:
            return number
    elif found := _OCTAL.fullmatch(written):
        return int(found[1] or b"0", 8)
    raise ValueError(f"an entry has no {what} that can be, but {_shown(written)}")


def _integer(written: bytes, key: bytes) -> int:
    """Read a number of an attribute."""
    if _DECIMAL.fullmatch(written) and int(written) in _INT64:
        return int(written)
    raise ValueError(f"an entry has the {key.decode()} {_shown(written)}")


def _shown(written: bytes) -> str:
    return repr(written[:40].decode("utf-8", "backslashreplace"))


def until_nul(written: bytes) -> bytes:
    """Return text up to a NUL."""
    return written.partition(b"\0")[0]
