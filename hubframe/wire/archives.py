"""What files an archive holds: a layer is read once, as it comes, and nothing of it is extracted.

Tar headers are parsed here and not by `tarfile`, which takes three times as long for an entry,
reads names of any length into memory, and takes a damaged header for the end of the archive.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hubframe.errors import HubframeError, PayloadError

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
# A gzip file may be many small ones in a row, and what is left of a piece is copied for each.
_SLICE = 32 * 1024
# How much is unpacked at once, however well it is packed.
_UNPACKED = 512 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# How a frame goes on that is to be passed over; pzstd begins with one.
_SKIPPED = b"\x2a\x4d\x18"
# As the zstd command line unpacks at most, if not told otherwise.
_WINDOW = 128 * 1024**2
# As Go's archive/tar reads at most, of a name or of a set of attributes.
_MOST_ATTRIBUTES = 1024**2
# As long as Windows takes; Linux takes less. And deeper than any tree of files is. [characters]
_LONGEST, _DEEPEST = 32_767, 2_048
# Names, links and owners of one layer: they are held in memory. [bytes]
_MOST_TEXT = 512 * 1024**2
_MOST_OWNERS = 10_000
_TYPES = {
    b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "hard link", b"2": "symlink",
    b"3": "character device", b"4": "block device", b"5": "directory", b"6": "fifo",
}  # fmt: skip
# What has a header alone, whatever size it tells.
_HEADER_ONLY = frozenset(b"123456")
_LONG_NAME, _LONG_LINK, _ATTRIBUTES, _SHARED = b"L", b"K", (b"x", b"X"), b"g"
_SPARSE = b"S"
# The attributes that are of use: an archive of nothing but others must not fill the memory.
_READ = {
    name.encode(): name
    for name in (
        "path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime",
        "GNU.sparse.name", "GNU.sparse.realsize", "GNU.sparse.size",
    )
}  # fmt: skip
_HIDING, _OPAQUE, _KEEPING = ".wh.", ".wh..wh..opq", ".wh..wh."
REMOVED, OPAQUE, BOOKKEEPING = "removed", "opaque", "bookkeeping"
_MICROSECONDS = 1_000_000
# The years 1 and 9999, as seconds since 1970: frames hold no others.
_YEARS = range(-62_135_596_800, 253_402_300_800)
_INT64 = range(2**63)


class CapError(PayloadError):
    """There is more than the caps allow."""


@dataclass(frozen=True)
class Listing:
    """The files of a layer, in the archive's order: a list for each column of the frame.

    Attributes
    ----------
    paths, types, sizes, modes, uids, gids, users, groups, links, whiteouts
        As in the frame.
    modified
        In microseconds since 1970.
    """

    paths: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    modes: list[str | None] = field(default_factory=list)
    uids: list[int | None] = field(default_factory=list)
    gids: list[int | None] = field(default_factory=list)
    users: list[str | None] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    modified: list[int | None] = field(default_factory=list)
    links: list[str | None] = field(default_factory=list)
    whiteouts: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class Caps:
    """How much of a layer is read before it is given up.

    Attributes
    ----------
    bytes
        Of the layer as it comes, and of the archive within.
    entries
        Of the archive, attributes and long names included.
    """

    bytes: int
    entries: int


def list_files(pieces: Iterable[bytes], name: str, caps: Caps) -> Listing:
    """List the files of a layer.

    What follows the end of the archive is read and not looked at: a digest covers it, too.

    Parameters
    ----------
    pieces
        The layer as it comes: packed with gzip or zstd, or not packed.
    name
        What it is called in messages.
    caps
        How much is read at most.

    Raises
    ------
    CapError
        It holds more than the caps.
    PayloadError
        It is no archive, is damaged or cut off.
    HubframeError
        It is packed with zstd, and nothing is installed that unpacks that.
    """
    coming = iter(pieces)
    reader = _Reader(_Unpacked(_capped(unpacked(coming, name), name, caps)), name, caps)
    listing = reader.read()
    for _ in coming:
        pass
    return listing


def unpacked(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack what comes, as its first bytes say; each piece that is yielded is of bounded size.

    Raises
    ------
    PayloadError
        It cannot be unpacked.
    """
    head = b""
    while len(head) < len(_ZSTD) and (piece := next(pieces, None)) is not None:
        head += piece
    whole = _again(head, pieces)
    if head.startswith(_GZIP):
        return _gunzipped(whole, name)
    is_zstd = head.startswith(_ZSTD) or head[1:4] == _SKIPPED
    return _from_zstd(whole, name) if is_zstd else whole


def _again(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from pieces


def _gunzipped(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack gzip, also of several members in a row, as eStargz has one for each file."""
    member: Any = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            for start in range(0, len(piece), _SLICE):
                left = piece[start : start + _SLICE]
                while left:
                    if member.eof:
                        if left[:1] != _GZIP[:1]:
                            return  # gzip itself passes over what follows and is no member
                        member = zlib.decompressobj(wbits=31)
                    out = member.decompress(left, _UNPACKED)
                    left = member.unused_data if member.eof else member.unconsumed_tail
                    if out:
                        yield out
    except zlib.error as error:
        raise PayloadError(f"{name} cannot be unpacked: {error}") from None
    if not member.eof:
        raise PayloadError(f"{name} cannot be unpacked: it ends in the middle")


class _File:
    """Pieces as a file, for what reads files."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def read(self, count: int) -> bytes:
        if not self._left:
            self._left = next(self._pieces, b"")
        part, self._left = self._left[:count], self._left[count:]
        return part


def _from_zstd(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    try:
        import zstandard  # noqa: PLC0415 - an extra, and rarely wanted
    except ImportError:
        raise HubframeError(
            f"{name} is packed with zstd, and nothing here unpacks that: "
            "pip install 'hubframe[files]' (or zstandard)"
        ) from None
    source: Any = _File(pieces)
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
        source, read_across_frames=True
    )
    try:
        while piece := reader.read(_UNPACKED):
            yield piece
    except zstandard.ZstdError as error:
        raise PayloadError(f"{name} cannot be unpacked: {error}") from None


def _capped(pieces: Iterator[bytes], name: str, caps: Caps) -> Iterator[bytes]:
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > caps.bytes:
            raise CapError(
                f"{name} unpacks to more than {caps.bytes:,} bytes; not read further. "
                "max_bytes= says how many it may be"
            )
        yield piece


class _Unpacked:
    """Pieces of an archive, read by the byte."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._next = 0
        self._before = 0

    @property
    def at(self) -> int:
        """How many bytes were read."""
        return self._before + self._next

    def read(self, count: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        end = self._next + count
        if end <= len(self._piece):
            found = self._piece[self._next : end]
            self._next = end
            return found
        parts = [self._piece[self._next :]]
        left = count - len(parts[0])
        while left and self._turn():
            parts.append(self._piece[:left])
            self._next = len(parts[-1])
            left -= self._next
        return b"".join(parts)

    def skip(self, count: int) -> int:
        """Pass over so many bytes, or fewer at the end; return how many were missing."""
        left = count
        while left > (here := len(self._piece) - self._next):
            left -= here
            if not self._turn():
                return left
        self._next += left
        return 0

    def _turn(self) -> bool:
        self._before += len(self._piece)
        self._piece, self._next = next(self._pieces, b""), 0
        return bool(self._piece)


class _Reader:
    """Reads the headers of an archive."""

    def __init__(self, archive: _Unpacked, name: str, caps: Caps) -> None:
        self._archive, self._name, self._caps = archive, name, caps
        self._listing = Listing()
        self._entries = self._text = 0
        self._shared: dict[str, str] = {}
        self._owners: dict[bytes, tuple[Any, ...]] = {}

    def read(self) -> Listing:
        """List the entries up to the end of the archive."""
        told: dict[str, str] = {}
        while (header := self._header()) is not None:
            kind = header[156:157]
            if kind in (_LONG_NAME, _LONG_LINK):
                key = "path" if kind == _LONG_NAME else "linkpath"
                told.setdefault(key, _text(self._body(header).partition(b"\0")[0]))
            elif kind in _ATTRIBUTES:
                told |= _attributes(self._body(header))
            elif kind == _SHARED:
                self._shared |= _attributes(self._body(header))
            else:
                self._add(header, {**self._shared, **told} if told or self._shared else told)
                told = {}
        return self._listing

    def _header(self) -> bytes | None:
        """Return the next header; None at the end."""
        at = self._archive.at
        header = self._archive.read(_BLOCK)
        if not header or header == _ZEROS:
            return None
        if len(header) < _BLOCK:
            raise self._cut_off(at)
        if not _is_sound(header):
            raise PayloadError(
                f"{self._name} is no tar archive: there is no header at byte {at:,} of it"
            )
        self._entries += 1
        if self._entries > self._caps.entries:
            raise CapError(
                f"{self._name} holds more than {self._caps.entries:,} entries; not read further. "
                "max_entries= says how many it may be"
            )
        return header

    def _body(self, header: bytes) -> bytes:
        """Return what stands behind a header that tells of the next one."""
        size = self._size(header[124:136])
        if size > _MOST_ATTRIBUTES:
            raise PayloadError(
                f"{self._name}: a name, or attributes, of {size:,} bytes; not read further"
            )
        body = self._archive.read(size)
        self._archive.skip(-size % _BLOCK)
        if len(body) < size:
            raise self._cut_off(self._archive.at)
        return body

    def _size(self, written: bytes) -> int:
        size = _number(written)
        if size is None or size not in _INT64:
            raise PayloadError(
                f"{self._name}: an entry before byte {self._archive.at:,} has no size that can be"
            )
        return size

    def _add(self, header: bytes, told: dict[str, str]) -> None:
        """Add an entry, and pass over its content."""
        kind = header[156:157]
        path = told.get("GNU.sparse.name") or told.get("path") or _own_path(header)
        size = 0 if kind[0] in _HEADER_ONLY else self._stored(header, told)
        real = self._real(header, told, kind, size)
        named = _TYPES.get(kind, "other")
        if named == "file" and path.endswith("/"):
            named = "directory"
        link = (told.get("linkpath") or _text(_cut(header[157:257]))) if kind in b"12" else ""
        self._keep(path, named, real, link, self._owner(header, told), _modified(header, told))
        if self._archive.skip(size):
            raise self._cut_off(self._archive.at)
        self._archive.skip(-size % _BLOCK)

    def _stored(self, header: bytes, told: dict[str, str]) -> int:
        written = told.get("size")
        return self._decimal(written) if written else self._size(header[124:136])

    def _decimal(self, written: str) -> int:
        size = _whole(written)
        if size is None:
            raise PayloadError(f"{self._name}: an entry has the size {written[:40]!r}")
        return size

    def _real(self, header: bytes, told: dict[str, str], kind: bytes, size: int) -> int:
        """Return the size of the file: of one with holes more than is stored."""
        if kind == _SPARSE:
            extended = header[482]
            while extended:
                block = self._archive.read(_BLOCK)
                if len(block) < _BLOCK:
                    raise self._cut_off(self._archive.at)
                extended = block[504]
            return self._size(header[483:495])
        written = told.get("GNU.sparse.realsize") or told.get("GNU.sparse.size")
        return self._decimal(written) if written else size

    def _owner(self, header: bytes, told: dict[str, str]) -> tuple[Any, ...]:
        """Return mode, uid, gid, user and group; few differ within a layer."""
        written = header[100:124] + header[265:329]
        if written not in self._owners:
            if len(self._owners) >= _MOST_OWNERS:
                self._owners.clear()
            self._owners[written] = _owner(header)
        mode, uid, gid, user, group = self._owners[written]
        if told:
            uid, gid = _told_id(told, "uid", uid), _told_id(told, "gid", gid)
            user, group = told.get("uname") or user, told.get("gname") or group
        return mode, uid, gid, user, group

    def _keep(  # noqa: PLR0913, PLR0917
        self,
        path: str,
        kind: str,
        size: int,
        link: str,
        owner: tuple[Any, ...],
        modified: int | None,
    ) -> None:
        clean, whiteout = hidden(cleaned(path))
        if max(len(clean), len(link)) > _LONGEST or clean.count("/") > _DEEPEST:
            raise PayloadError(
                f"{self._name}: a path of {len(clean):,} characters, or a link of {len(link):,}, "
                "is longer or deeper than any system takes"
            )
        self._text += len(clean) + len(link) + len(owner[3] or "") + len(owner[4] or "")
        if self._text > _MOST_TEXT:
            raise CapError(
                f"{self._name}: the names in it take more than {_MOST_TEXT:,} bytes; "
                "not read further"
            )
        held = self._listing
        held.paths.append(clean)
        held.types.append(kind)
        held.sizes.append(size)
        held.modes.append(owner[0])
        held.uids.append(owner[1])
        held.gids.append(owner[2])
        held.users.append(owner[3])
        held.groups.append(owner[4])
        held.modified.append(modified)
        held.links.append(link or None)
        held.whiteouts.append(whiteout)

    def _cut_off(self, at: int) -> PayloadError:
        return PayloadError(f"{self._name} is cut off: it ends within an entry, at byte {at:,}")


def cleaned(path: str) -> str:
    """Return a path from the root of the image: without ``./`` and needless slashes.

    ``..`` stays as it is: nothing is written there, and whoever looks for it finds it.
    """
    path = path.strip("/") if path[:1] == "/" or path[-1:] == "/" else path
    if path.startswith("./") or "/./" in path or "//" in path or path.endswith("/."):
        path = "/".join(part for part in path.split("/") if part not in ("", "."))
    return path or "."


def hidden(path: str) -> tuple[str, str | None]:
    """Return what a path stands for: of a whiteout, the path that it hides, and in which way."""
    if _HIDING not in path:
        return path, None
    folder, slash, name = path.rpartition("/")
    if name == _OPAQUE:
        return folder or ".", OPAQUE
    if name.startswith(_KEEPING):
        return path, BOOKKEEPING
    if name.startswith(_HIDING) and len(name) > len(_HIDING):
        return f"{folder}{slash}{name.removeprefix(_HIDING)}", REMOVED
    return path, None


def _is_sound(header: bytes) -> bool:
    """Tell whether a block is a header: its checksum says so, reckoned in one of two ways."""
    written = _number(header[148:156])
    total = sum(header) - sum(header[148:156]) + 8 * 32
    if written == total:
        return True
    high = sum(byte > 127 for byte in header[:148]) + sum(byte > 127 for byte in header[156:])  # noqa: PLR2004
    return written == total - 256 * high


def _number(written: bytes) -> int | None:
    """Read a number: octal digits, or binary where it is too large; nothing is 0."""
    if written[:1] in (b"\x80", b"\xff"):
        number = int.from_bytes(written[1:], "big")
        return number - 256 ** (len(written) - 1) if written[:1] == b"\xff" else number
    digits = _cut(written).strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return None


def _whole(written: str) -> int | None:
    is_digits = written.isascii() and written.isdigit() and len(written) < 20  # noqa: PLR2004
    return int(written) if is_digits and int(written) in _INT64 else None


def _cut(written: bytes) -> bytes:
    return written.partition(b"\0")[0]


def _text(written: bytes) -> str:
    """Read text; bytes that are none are spelled as Python spells them."""
    return written.decode("utf-8", "backslashreplace")


def _own_path(header: bytes) -> str:
    name = _cut(header[:100])
    # GNU's own headers have other things at the place of the prefix.
    prefix = _cut(header[345:500]) if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _attributes(body: bytes) -> dict[str, str]:
    """Read those records of a pax header that are of use; what is none ends them."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body):
        digits, space, _ = body[at : at + 20].partition(b" ")
        if not space or not digits.isdigit() or int(digits) <= len(digits) + 1:
            break
        record = body[at + len(digits) + 1 : at + int(digits)]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not equals:
            break
        if key in _READ:
            found[_READ[key]] = _text(value)
        at += int(digits)
    return found


def _owner(header: bytes) -> tuple[Any, ...]:
    mode = _number(header[100:108])
    user, group = _text(_cut(header[265:297])), _text(_cut(header[297:329]))
    return (
        None if mode is None else f"{mode & 0o7777:04o}",
        _natural(_number(header[108:116])),
        _natural(_number(header[116:124])),
        user or None,
        group or None,
    )


def _natural(number: int | None) -> int | None:
    return number if number is not None and number in _INT64 else None


def _told_id(told: dict[str, str], name: str, own: int | None) -> int | None:
    written = told.get(name)
    return own if not written else _whole(written)


def _modified(header: bytes, told: dict[str, str]) -> int | None:
    """Return when a file was modified; null where that is no date."""
    written = told.get("mtime")
    if not written:
        number = _number(header[136:148])
        return number * _MICROSECONDS if number is not None and number in _YEARS else None
    seconds, _, fraction = written.removeprefix("-").partition(".")
    whole, part = _whole(seconds), _whole(fraction[:6].ljust(6, "0"))
    if whole is None or part is None:
        return None
    at = whole * _MICROSECONDS + part
    at = -at if written.startswith("-") else at
    return at if at // _MICROSECONDS in _YEARS else None
