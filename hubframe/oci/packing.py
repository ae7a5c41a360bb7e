"""Unpacking what comes: gzip, zstd, xz or bzip2, as its first bytes say.

Nothing is in memory as a whole.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from hubframe.errors import HubframeError, PayloadError

# A gzip file may be many small ones in a row, and what is left of a piece is copied for each.
_SLICE = 32 * 1024
# How much is unpacked at once, however well it is packed.
_UNPACKED = 512 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_XZ, _BZIP2 = b"\xfd7zX", b"BZh"
PACKED = _GZIP, _ZSTD, _XZ, _BZIP2
# How a frame goes on that is to be skipped; pzstd begins with one.
_SKIPPED = b"\x2a\x4d\x18"
# As the zstd command line unpacks at most, unless told otherwise.
_WINDOW = 128 * 1024**2
# A block of one byte that is repeated.
_REPEATED = 1


class Stream:
    """Pieces, read by the byte; ``at`` is how many bytes were read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
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


def unpacked(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Unpack what comes, none of it empty; each piece that is yielded is of bounded size."""
    head = b""
    while len(head) < len(_ZSTD) and (piece := next(pieces, None)) is not None:
        head += piece
    whole = chain([head] if head else [], pieces)
    if head.startswith(_GZIP):
        return _from_gzip(Stream(whole), name)
    if head.startswith(_ZSTD) or head[1:4] == _SKIPPED:
        return _from_zstd(Stream(whole), name)
    if head.startswith(_XZ):
        return _from_streams(Stream(whole), name, partial(lzma.LZMADecompressor, memlimit=_WINDOW))
    if head.startswith(_BZIP2):
        return _from_streams(Stream(whole), name, bz2.BZ2Decompressor)
    return whole


def _from_gzip(source: Stream, name: str) -> Iterator[bytes]:
    """Unpack gzip, also of several members in a row, as eStargz has one for each file."""
    left = b""
    member: Any = zlib.decompressobj(wbits=31)
    try:
        while left or (left := source.take(_SLICE)):
            if member.eof:
                if left[:1] != _GZIP[:1]:
                    return  # gzip itself ignores what follows and is no member
                member = zlib.decompressobj(wbits=31)
            if out := member.decompress(left, _UNPACKED):
                yield out
            left = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise PayloadError(f"{name} cannot be unpacked: {error}") from None
    if not member.eof:
        raise _cut_off(name)


def _from_streams(source: Stream, name: str, begin: Callable[[], Any]) -> Iterator[bytes]:
    """Unpack xz or bzip2, also of several streams in a row, as their parallel tools write."""
    stream, left = begin(), b""
    try:
        while True:
            if (stream.eof or stream.needs_input) and not (left := left or source.take(_SLICE)):
                break
            if stream.eof:
                # Streams of xz may be filled up with zeros.
                if not (left := left.lstrip(b"\0")):
                    continue
                stream = begin()
            out = stream.decompress(left, _UNPACKED)
            left = stream.unused_data if stream.eof else b""
            if out:
                yield out
    except (OSError, lzma.LZMAError) as error:
        raise PayloadError(f"{name} cannot be unpacked: {error}") from None
    if not stream.eof:
        raise _cut_off(name)


def _from_zstd(source: Stream, name: str) -> Iterator[bytes]:
    try:
        import zstandard  # noqa: PLC0415 - an extra, and rarely wanted
    except ImportError:
        raise HubframeError(
            f"{name} is packed with zstd, and nothing here unpacks that: "
            "pip install 'hubframe[files]' (or zstandard)"
        ) from None
    frames: Any = Stream(_frames(source, name))
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    reader = decompressor.stream_reader(frames, read_across_frames=True)
    try:
        while piece := reader.read(_UNPACKED):
            yield piece
    except zstandard.ZstdError as error:
        raise PayloadError(f"{name} cannot be unpacked: {error}") from None


def _frames(source: Stream, name: str) -> Iterator[bytes]:
    """Pass on frames of zstd by their parts (RFC 8878): the library does not tell a cut."""

    def read(count: int) -> bytes:
        part = source.read(count)
        if len(part) < count:
            raise _cut_off(name)
        return part

    while magic := source.read(1):
        magic += read(3)
        if magic[1:] == _SKIPPED:
            if not source.skip(int.from_bytes(read(4), "little")):
                raise _cut_off(name)
            continue
        if magic != _ZSTD:
            raise PayloadError(f"{name} cannot be unpacked: what follows a frame of zstd is none")
        head = read(1)
        is_single = head[0] >> 5 & 1
        sizes = (not is_single), (0, 1, 2, 4)[head[0] & 3], (is_single, 2, 4, 8)[head[0] >> 6]
        yield magic + head + read(sum(sizes))
        is_last = False
        while not is_last:
            block = read(3)
            told = int.from_bytes(block, "little")
            is_last, kind, size = bool(told & 1), told >> 1 & 3, told >> 3
            yield block + read(1 if kind == _REPEATED else size)
        if checksum := read(4 * (head[0] >> 2 & 1)):
            yield checksum


def _cut_off(name: str) -> PayloadError:
    return PayloadError(f"{name} cannot be unpacked: it ends in the middle")
