"""What files an archive holds: a layer is read once, as it comes, and nothing of it is extracted.

It is not read by `tarfile`, which takes three times as long for an entry, reads names of any length
into memory, takes a damaged header for the end, and reads some archives otherwise than container
tools do.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import Any, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci import headers
from hubframe.oci.headers import BLOCK, Header
from hubframe.oci.packing import Stream, unpacked

_ZEROS = bytes(BLOCK)
# So many attributes take as long to read as an entry does.
_ATTRIBUTES_OF_ENTRY = 8
# As long as Windows takes; Linux takes less. And deeper than any tree of files is. [characters]
_LONGEST, _DEEPEST = 32_767, 2_048
# Names, links and owners are held in memory: so much for an entry, and never less in all.
_TEXT_OF_ENTRY, _LEAST_TEXT = 128, 16 * 1024**2
# How much a layer reads before it says again what it holds. [characters]
_UNSAID = 1024**2
_TYPES = {
    b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "hard link", b"2": "symlink",
    b"3": "character device", b"4": "block device", b"5": "directory", b"6": "fifo",
}  # fmt: skip
_HIDING, _OPAQUE, _KEEPING = ".wh.", ".wh..wh..opq", ".wh..wh."
REMOVED, OPAQUE, BOOKKEEPING = "removed", "opaque", "bookkeeping"
_MICROSECONDS = 1_000_000
# The years 1 and 9999, as seconds since 1970: frames hold no others.
_YEARS = range(-62_135_596_800, 253_402_300_800)
_NATURAL = range(2**63)


# Is told how many entries a layer has so far, and how many characters their names have.
Hold = Callable[[int, int], None]
# Is asked for each file, by its path and size, whether its content is to be kept.
Keep = Callable[[str, int], bool]
# Reads on in a file: so many bytes or fewer, none at its end.
Read = Callable[[int], bytes]
# Is given each file that is not kept, by its path and size, and returns what is kept in its place.
Summarise = Callable[[str, int, Read], bytes | None]


class CapError(PayloadError):
    """There is more than the caps allow."""


@dataclass(frozen=True)
class Listing:
    """The files of a layer, in the archive's order: a list for each column of the frame.

    Times are in microseconds since 1970.
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

    @property
    def text(self) -> int:
        """How many characters its names, links and owners have."""
        columns = self.paths, self.links, self.users, self.groups
        return sum(len(one) for column in columns for one in column if one)


class Archive(NamedTuple):
    """The files of a layer; and by path what is kept of contents, or summaries of these."""

    listing: Listing
    bodies: dict[str, bytes]
    summaries: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class Caps:
    """How much of a layer is read before it is given up."""

    bytes: int  # of the layer as it comes, and of the archive within
    entries: int  # of the archive, attributes and long names included


class Held:
    """What the layers of a call hold in memory together: as many entries as one of them may."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_text = max(most * _TEXT_OF_ENTRY, _LEAST_TEXT)
        self._layers: dict[str, tuple[int, int]] = {}
        self._entries = self._text = 0
        self._lock = Lock()

    def hold(self, name: str, entries: int, text: int) -> None:
        """Say how many entries a layer has so far, and how many bytes their names take."""
        with self._lock:
            before = self._layers.get(name, (0, 0))
            self._layers[name] = entries, text
            self._entries += entries - before[0]
            self._text += text - before[1]
            has_many, is_long = self._entries > self._most, self._text > self._most_text
        if entries and (has_many or is_long):
            raise CapError(
                f"{name}: the layers of this call hold more than {self._most:,} entries; "
                if has_many
                else f"{name}: the names in the layers of this call take more than "
                f"{self._most_text:,} bytes; "
                "not read further. max_entries= says how many entries there may be; "
                "or make a call for each image"
            )


def list_files(
    pieces: Iterable[bytes],
    name: str,
    caps: Caps,
    hold: Hold = lambda _entries, _text: None,
) -> Listing:
    """List the files of a layer, packed in a way that `packing` knows or not, as it comes.

    `hold` is told what is held of it in memory, and may raise. What follows the end of the archive
    is unpacked and not looked at: a cut in it is told, too.
    """
    return read_archive(pieces, name, caps, None, hold).listing


def read_archive(  # noqa: PLR0913, PLR0917 - what a layer is, and how much of it is wanted
    pieces: Iterable[bytes],
    name: str,
    caps: Caps,
    keep: Keep | None,
    hold: Hold = lambda _entries, _text: None,
    summarise: Summarise | None = None,
) -> Archive:
    """List the files of a layer as `list_files` does, and keep the content of some on the way.

    Of a path that is there twice the last entry counts. A hard link has the content of what it
    links to, where that was kept. Files with holes are not kept. `summarise` reads the files that
    are not kept, and says what is kept in their place.
    """
    coming = filter(None, pieces)
    archive = Stream(_capped(unpacked(coming, name), name, caps))
    found = _Reader(archive, name, caps, keep, hold, summarise).read()
    archive.skip(caps.bytes)
    # What gzip ignores: a digest covers it.
    deque(coming, maxlen=0)
    return found


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


class _Reader:
    """Reads the headers of an archive."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a layer is, and how much of it is wanted
        self,
        archive: Stream,
        name: str,
        caps: Caps,
        keep: Keep | None,
        hold: Hold,
        summarise: Summarise | None,
    ) -> None:
        self._archive, self._name, self._caps, self._hold = archive, name, caps, hold
        self._keep, self._summarise = keep, summarise
        self._listing, self._bodies = Listing(), dict[str, bytes]()
        self._summaries = dict[str, bytes]()
        self._columns: tuple[list[Any], ...] = tuple(vars(self._listing).values())
        self._entries = self._text = self._unsaid = 0

    def read(self) -> Archive:
        """Read the entries up to the end of the archive."""
        try:
            self._read_entries()
        except PayloadError:
            raise
        except ValueError as error:
            raise PayloadError(
                f"{self._name}: {error}, before byte {self._archive.at:,}. Container tools refuse "
                "such a layer"
            ) from None
        self._hold(len(self._listing), self._text)
        return Archive(self._listing, self._bodies, self._summaries)

    def _read_entries(self) -> None:
        attributes: dict[bytes, bytes] = {}
        name = link = b""
        while (block := self._next_block()) is not None:
            header = headers.read_header(block)
            if header.kind == headers.LONG_NAME:
                name = headers.until_nul(self._body(header))
            elif header.kind == headers.LONG_LINK:
                link = headers.until_nul(self._body(header))
            elif header.kind == headers.PAX:
                attributes = self._attributes(header)
            else:
                if header.kind == headers.GLOBAL:
                    self._attributes(header)
                else:
                    self._add(block, header, attributes, name, link)
                attributes, name, link = {}, b"", b""

    def _next_block(self) -> bytes | None:
        """Return the block of the next header; None at the end."""
        at = self._archive.at
        block = self._archive.read(BLOCK)
        if block == _ZEROS:
            if self._archive.read(BLOCK) not in (_ZEROS, b""):
                raise ValueError("a block of zeros is not the end")
            return None
        if not block:
            return None
        if len(block) < BLOCK:
            raise self._cut_off()
        if not headers.is_header(block):
            raise PayloadError(
                f"{self._name} is no tar archive: there is no header at byte {at:,} of it"
            )
        self._count(1)
        return block

    def _count(self, entries: int) -> None:
        self._entries += entries
        if self._entries > self._caps.entries:
            raise CapError(
                f"{self._name} holds more than {self._caps.entries:,} entries; not read further. "
                "max_entries= says how many it may be"
            )

    def _attributes(self, header: Header) -> dict[bytes, bytes]:
        found, count = headers.read_records(self._body(header))
        self._count(count // _ATTRIBUTES_OF_ENTRY)
        return found

    def _body(self, header: Header) -> bytes:
        """Return what stands behind a header that tells of the next one."""
        if header.size > headers.MOST_ATTRIBUTES:
            raise PayloadError(
                f"{self._name}: a name, or attributes, of {header.size:,} bytes; not read further"
            )
        body = self._read(_checked(header.size))
        self._archive.skip(-header.size % BLOCK)
        return body

    def _add(
        self, block: bytes, header: Header, attributes: dict[bytes, bytes], name: bytes, link: bytes
    ) -> None:
        """Add an entry, and pass over its content."""
        kind, stored, modified, (form, mode, uid, gid, user, group) = header
        path = name or attributes.get(b"path") or headers.own_path(block, form)
        if attributes:
            stored = headers.whole(attributes, b"size", stored)
            uid = headers.whole(attributes, b"uid", uid)
            gid = headers.whole(attributes, b"gid", gid)
            user, group = attributes.get(b"uname") or user, attributes.get(b"gname") or group
            modified = headers.last_written(attributes, modified)
        if kind == headers.OLD and path.endswith(b"/"):
            # As old programs wrote folders: whatever size it tells, nothing of it follows.
            kind = headers.DIRECTORY
            header = header._replace(kind=kind)
        named = _TYPES.get(kind, "other")
        size = left = stored = 0 if kind in headers.HEADER_ONLY else _checked(stored)
        if attributes or kind == headers.SPARSE:
            sparse = headers.read_sparse(block, header, attributes, stored, self._read)
            if sparse is not None:
                path, size, left = sparse.name or path, sparse.size, sparse.left
        target = ""
        if kind in headers.LINKS:
            target = _text(link or attributes.get(b"linkpath") or headers.until_nul(block[157:257]))
        clean, whiteout = hidden(cleaned(_text(path)))
        if max(len(clean), len(target)) > _LONGEST or clean.count("/") > _DEEPEST:
            raise PayloadError(
                f"{self._name}: a path of {len(clean):,} characters, or a link of {len(target):,}, "
                "is longer or deeper than any system takes"
            )
        self._say(len(clean) + len(target) + len(user) + len(group))
        row = (
            *(clean, named, size, f"{mode & 0o7777:04o}"),
            *(number if number in _NATURAL else None for number in (uid, gid)),
            *(_text(user) or None, _text(group) or None),
            modified if modified // _MICROSECONDS in _YEARS else None,
            *(target or None, whiteout),
        )
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        if self._keep and whiteout is None:
            is_whole = left == size and kind != headers.SPARSE
            left -= self._take(self._keep, clean, named, size if is_whole else None, target)
        if not self._archive.skip(left):
            raise self._cut_off()
        self._archive.skip(-stored % BLOCK)

    def _take(self, keep: Keep, path: str, named: str, size: int | None, target: str) -> int:
        """Keep the content of an entry, if it is to be; return how much was read of it.

        A file with holes has no size of use here.
        """
        self._bodies.pop(path, None)
        self._summaries.pop(path, None)
        if named == "hard link":
            body, summary = (kept.get(cleaned(target)) for kept in (self._bodies, self._summaries))
            if body is not None and keep(path, len(body)):
                self._bodies[path] = body
            if summary is not None:
                self._summaries[path] = summary
        elif named == "file" and size is not None and keep(path, size):
            self._bodies[path] = self._read(size)
            return size
        elif named == "file" and size is not None and self._summarise:
            return self._summarised(self._summarise, path, size)
        return 0

    def _summarised(self, summarise: Summarise, path: str, size: int) -> int:
        """Keep a summary of an entry, if there is one; return how much was read of it."""
        left = size

        def read(count: int) -> bytes:
            nonlocal left
            count = min(count, left)
            part = self._archive.take(count)
            if count and not part:
                raise self._cut_off()
            left -= len(part)
            return part

        summary = summarise(path, size, read)
        if summary is not None:
            self._summaries[path] = summary
        return size - left

    def _say(self, text: int) -> None:
        """Say what is held, now and then."""
        self._text += text
        self._unsaid += text + _TEXT_OF_ENTRY
        if self._unsaid > _UNSAID:
            self._hold(len(self._listing), self._text)
            self._unsaid = 0

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

    ``..`` stays as it is: nothing is written there, and a search for it finds it.
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


def _checked(size: int) -> int:
    if size < 0:
        raise ValueError(f"an entry has no size that can be, but has the size {size}")
    return size


def _text(written: bytes) -> str:
    """Read text; bytes that are none are spelled as Python spells them."""
    return written.decode("utf-8", "backslashreplace")
