"""What files an archive holds: a layer is read once, as it comes, and nothing of it is extracted.

Tar headers are parsed here and not by `tarfile`, which takes three times as long for an entry,
reads names of any length into memory, and takes a damaged header for the end of the archive.
"""

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
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
# As the zstd command line unpacks at most, unless told otherwise.
_WINDOW = 128 * 1024**2
# As Go's archive/tar reads at most, of a name or of a set of attributes.
_MOST_ATTRIBUTES = 1024**2
# As long as Windows takes; Linux takes less. And deeper than any tree of files is. [characters]
_LONGEST, _DEEPEST = 32_767, 2_048
# Names, links and owners of one layer: they are held in memory. [bytes]
_MOST_TEXT = 512 * 1024**2
_TYPES = {
    b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "hard link", b"2": "symlink",
    b"3": "character device", b"4": "block device", b"5": "directory", b"6": "fifo",
}  # fmt: skip
_LINKS, _SPARSE = (b"1", b"2"), b"S"
# What has a header alone, whatever size it tells.
_HEADER_ONLY = (*_LINKS, b"3", b"4", b"5", b"6")
# What tells of the entry that follows, or of all.
_LONG, _PAX, _GLOBAL = {b"L": "path", b"K": "linkpath"}, (b"x", b"X"), b"g"
# The attributes that are of use: an archive of nothing but others must not fill the memory.
_READ = frozenset(
    {
        b"path", b"linkpath", b"size", b"uid", b"gid", b"uname", b"gname", b"mtime",
        b"GNU.sparse.name", b"GNU.sparse.realsize", b"GNU.sparse.size",
    }
)  # fmt: skip
_HIDING, _OPAQUE, _KEEPING = ".wh.", ".wh..wh..opq", ".wh..wh."
REMOVED, OPAQUE, BOOKKEEPING = "removed", "opaque", "bookkeeping"
_MICROSECONDS = 1_000_000
# The years 1 and 9999, as seconds since 1970: frames hold no others.
_YEARS = range(-62_135_596_800, 253_402_300_800)
_INT64 = range(2**63)
_DIGITS = re.compile("[0-9]{1,19}")


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

    ``bytes`` are of the layer as it comes, and of the archive within; ``entries`` are of the
    archive, attributes and long names included.
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
    coming = filter(None, pieces)
    archive = _Stream(_capped(_unpacked(coming, name), name, caps))
    listing = _Reader(archive, name, caps).read()
    deque(coming, maxlen=0)
    return listing


def _unpacked(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack what comes, as its first bytes say; each piece that is yielded is of bounded size."""
    head = b""
    while len(head) < len(_ZSTD) and (piece := next(pieces, None)) is not None:
        head += piece
    whole = chain([head] if head else [], pieces)
    if head.startswith(_GZIP):
        return _from_gzip(whole, name)
    is_zstd = head.startswith(_ZSTD) or head[1:4] == _SKIPPED
    return _from_zstd(whole, name) if is_zstd else whole


def _from_gzip(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack gzip, also of several members in a row, as eStargz has one for each file."""
    source, left = _Stream(pieces), b""
    member: Any = zlib.decompressobj(wbits=31)
    try:
        while left or (left := source.take(_SLICE)):
            if member.eof:
                if left[:1] != _GZIP[:1]:
                    return  # gzip itself passes over what follows and is no member
                member = zlib.decompressobj(wbits=31)
            if out := member.decompress(left, _UNPACKED):
                yield out
            left = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise PayloadError(f"{name} cannot be unpacked: {error}") from None
    if not member.eof:
        raise PayloadError(f"{name} cannot be unpacked: it ends in the middle")


def _from_zstd(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    try:
        import zstandard  # noqa: PLC0415 - an extra, and rarely wanted
    except ImportError:
        raise HubframeError(
            f"{name} is packed with zstd, and nothing here unpacks that: "
            "pip install 'hubframe[files]' (or zstandard)"
        ) from None
    source: Any = _Stream(pieces)
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    reader = decompressor.stream_reader(source, read_across_frames=True)
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


class _Stream:
    """Pieces, read by the byte; ``at`` is how many bytes were read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._next = self.at = 0

    def read(self, count: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        parts = []
        while count and (part := self.take(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def skip(self, count: int) -> bool:
        """Pass over so many bytes, or fewer at the end; tell whether all were there."""
        while count and (part := self.take(count)):
            count -= len(part)
        return not count

    def take(self, most: int) -> bytes:
        """Return what is left of a piece, at most so many bytes; none at the end."""
        if self._next == len(self._piece):
            self._piece, self._next = next(self._pieces, b""), 0
        part = self._piece[self._next : self._next + most]
        self._next += len(part)
        self.at += len(part)
        return part


class _Reader:
    """Reads the headers of an archive."""

    def __init__(self, archive: _Stream, name: str, caps: Caps) -> None:
        self._archive, self._name, self._caps = archive, name, caps
        self._listing = Listing()
        self._columns: tuple[list[Any], ...] = tuple(vars(self._listing).values())
        self._entries = self._text = 0

    def read(self) -> Listing:
        """List the entries up to the end of the archive."""
        common: dict[str, str] = {}
        attributes: dict[str, str] = {}
        while (header := self._header()) is not None:
            kind = header[156:157]
            if kind in _LONG:
                attributes.setdefault(_LONG[kind], _text(self._body(header)))
            elif kind in _PAX:
                attributes |= _attributes(self._body(header))
            elif kind == _GLOBAL:
                common |= _attributes(self._body(header))
            else:
                self._add(header, kind, common | attributes)
                attributes = {}
        return self._listing

    def _header(self) -> bytes | None:
        """Return the next header; None at the end."""
        at = self._archive.at
        header = self._archive.read(_BLOCK)
        if not header or header == _ZEROS:
            return None
        if len(header) < _BLOCK:
            raise self._cut_off()
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
        body = self._read(size)
        self._archive.skip(-size % _BLOCK)
        return body

    def _add(self, header: bytes, kind: bytes, attributes: dict[str, str]) -> None:
        """Add an entry, and pass over its content."""
        path = attributes.get("GNU.sparse.name") or attributes.get("path") or _own_path(header)
        named = _TYPES.get(kind, "other")
        if named == "file" and path.endswith("/"):
            named = "directory"
        stored = 0 if kind in _HEADER_ONLY else self._size(header[124:136], attributes.get("size"))
        size = stored
        if kind == _SPARSE:
            size, is_more = self._size(header[483:495]), header[482]
            while is_more:  # blocks that tell where the file has holes
                is_more = self._read(_BLOCK)[504]
        elif sparse := attributes.get("GNU.sparse.realsize") or attributes.get("GNU.sparse.size"):
            size = self._size(b"", sparse)
        link = (attributes.get("linkpath") or _text(header[157:257])) if kind in _LINKS else ""
        clean, whiteout = hidden(cleaned(path))
        if max(len(clean), len(link)) > _LONGEST or clean.count("/") > _DEEPEST:
            raise PayloadError(
                f"{self._name}: a path of {len(clean):,} characters, or a link of {len(link):,}, "
                "is longer or deeper than any system takes"
            )
        mode, uid, gid, user, group = _owner(header[100:124] + header[265:329])
        if attributes:
            uid = _whole(attributes["uid"]) if attributes.get("uid") else uid
            gid = _whole(attributes["gid"]) if attributes.get("gid") else gid
            user, group = attributes.get("uname") or user, attributes.get("gname") or group
        self._text += len(clean) + len(link) + len(user or "") + len(group or "")
        if self._text > _MOST_TEXT:
            raise CapError(
                f"{self._name}: the names in it take more than {_MOST_TEXT:,} bytes; "
                "not read further"
            )
        modified = _modified(header, attributes.get("mtime"))
        row = clean, named, size, mode, uid, gid, user, group, modified, link or None, whiteout
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        if not self._archive.skip(stored):
            raise self._cut_off()
        self._archive.skip(-stored % _BLOCK)

    def _size(self, written: bytes, attribute: str | None = None) -> int:
        """Return the size that a header has, or that attributes tell."""
        if attribute:
            size = _whole(attribute)
            if size is None:
                raise PayloadError(f"{self._name}: an entry has the size {attribute[:40]!r}")
            return size
        size = _natural(written)
        if size is None:
            raise PayloadError(
                f"{self._name}: an entry before byte {self._archive.at:,} has no size that can be"
            )
        return size

    def _read(self, count: int) -> bytes:
        found = self._archive.read(count)
        if len(found) < count:
            raise self._cut_off()
        return found

    def _cut_off(self) -> PayloadError:
        at = self._archive.at
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
    """Tell whether a block is a header: its checksum says so, of bytes or of signed ones."""
    counted = header[:148] + b" " * 8 + header[156:]
    written, total = _number(header[148:156]), sum(counted)
    return written == total or written == total - 256 * sum(byte >> 7 for byte in counted)


def _number(written: bytes) -> int | None:
    """Read a number: octal digits, or binary where it is too large; nothing is 0."""
    if written[:1] in (b"\x80", b"\xff"):
        number = int.from_bytes(written[1:], "big")
        return number - 256 ** (len(written) - 1) if written[:1] == b"\xff" else number
    try:
        return int(written.partition(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        return None


def _natural(written: bytes) -> int | None:
    number = _number(written)
    return number if number is not None and number in _INT64 else None


def _whole(written: str) -> int | None:
    return int(written) if _DIGITS.fullmatch(written) and int(written) in _INT64 else None


def _text(written: bytes) -> str:
    """Read text up to a NUL; bytes that are none are spelled as Python spells them."""
    return written.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _own_path(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    # GNU's own headers have other things at the place of the prefix.
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
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
            found[key.decode()] = value.decode("utf-8", "backslashreplace")
        at += int(digits)
    return found


@lru_cache(maxsize=1024)
def _owner(
    written: bytes,
) -> tuple[str | None, int | None, int | None, str | None, str | None]:
    """Return mode, uid, gid, user and group; few differ within a layer."""
    mode = _number(written[:8])
    shown = None if mode is None else f"{mode & 0o7777:04o}"
    user, group = _text(written[24:56]) or None, _text(written[56:]) or None
    return shown, _natural(written[8:16]), _natural(written[16:24]), user, group


def _modified(header: bytes, written: str | None) -> int | None:
    """Return when a file was modified; null where that is no date."""
    if not written:
        number = _number(header[136:148])
        at = None if number is None else number * _MICROSECONDS
    else:
        seconds, _, fraction = written.removeprefix("-").partition(".")
        whole, part = _whole(seconds), _whole(fraction[:6].ljust(6, "0"))
        at = None if whole is None or part is None else whole * _MICROSECONDS + part
        at = -at if at and written.startswith("-") else at
    return at if at is not None and at // _MICROSECONDS in _YEARS else None
