"""The modules that a Go program was built of, as the linker writes into it (build information).

Facts: ``src/debug/buildinfo`` and ``src/runtime/debug/mod.go`` of Go. Since Go 1.18 the text lies
behind the magic; before, pointers to it do, which the headers of the program lead to.
"""

import re
from collections.abc import Iterable, Iterator
from struct import Struct, error, unpack_from
from typing import NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.contents.packages import Package

_MAGIC = b"\xff Go buildinf:"
_ALIGNED, _HEAD = 16, 32
# Programs that read build information hold the magic as text; more than a few is no program.
_MOST_MAGICS = 1_000
# Of Kubernetes it takes 50 kB. [bytes]
_MOST_TEXT, _MOST_VERSION = 4 * 1024**2, 512
# What the text of modules lies between.
_FRAME = 16
_SEGMENTS = 256
# Of a number below 2 ** 64, in groups of seven bits. [bytes]
_LONGEST_COUNT = 10
_IS_INLINE, _IS_BIG = 2, 1
_RELEASE = re.compile(r"go\d|devel")
_UNKNOWN = "(devel)"
# How Go calls a program that was built of single files.
_FILES = "command-line-arguments"


class Segment(NamedTuple):
    """A part of a program that is loaded at an address."""

    address: int
    start: int
    size: int


def read_go(body: bytes) -> Iterator[Package]:
    """Read the modules of a program, and the standard library; none where it is not of Go."""
    found = _find(body)
    if found is None:
        return
    release, text = found
    yield Package(
        "golang", "stdlib", release.removeprefix("go").partition(" ")[0].partition("-X:")[0]
    )
    yield from read_modules(text)


def is_of_go(pieces: Iterable[bytes]) -> bool:
    """Tell whether a program seems to be of Go, as it comes."""
    left = b""
    for piece in pieces:
        whole = left + piece
        if _MAGIC in whole:
            return True
        left = whole[1 - len(_MAGIC) :]
    return False


def read_modules(text: str) -> Iterator[Package]:
    """Read the text that ``go version -m`` prints, without its first line.

    A module that another one replaces has the name and version of that one; one that a folder
    replaces keeps its name, and its version is not known.
    """
    path, modules = "", list[list[str]]()
    for line in text.split("\n"):
        word, *fields = line.split("\t")
        if word == "path" and fields:
            path = fields[0]
        elif word in ("mod", "dep") and len(fields) > 1:
            modules.append([word, *fields[:2]])
        elif word == "=>" and len(fields) > 1 and modules:
            replaced, name, version = modules[-1][1], *fields[:2]
            is_folder = name.startswith((".", "/")) or version in ("", _UNKNOWN)
            modules[-1][1:] = [replaced, ""] if is_folder else [name, version]
    if path and not any(word == "mod" for word, *_ in modules):
        modules.append(["mod", path, _UNKNOWN])
    for name, version in dict.fromkeys((name, version) for _, name, version in modules):
        if name != _FILES:
            yield Package("golang", name, None if version in ("", _UNKNOWN) else version)


def _find(body: bytes) -> tuple[str, str] | None:
    """Return the release of Go and the text of modules."""
    at = -1
    for _ in range(_MOST_MAGICS):
        at = body.find(_MAGIC, at + 1)
        if at < 0:
            return None
        if at % _ALIGNED or at + _HEAD > len(body):
            continue
        try:
            is_inline = body[at + 15] & _IS_INLINE
            version, text = _inline(body, at + _HEAD) if is_inline else _pointed(body, at)
        except (error, IndexError, OverflowError):
            continue
        release = version.decode("utf-8", "replace")
        if _RELEASE.match(release):
            is_framed = len(text) > 2 * _FRAME and text[-_FRAME - 1 : -_FRAME] == b"\n"
            return release, text[_FRAME:-_FRAME].decode("utf-8", "replace") if is_framed else ""
    raise PayloadError("build information of Go in too many places; not read")


def _inline(body: bytes, at: int) -> tuple[bytes, bytes]:
    version, at = _counted(body, at, _MOST_VERSION)
    return version, _counted(body, at, _MOST_TEXT)[0]


def _counted(body: bytes, at: int, most: int) -> tuple[bytes, int]:
    """Read text behind its length, of seven bits in each byte."""
    size = 0
    for place in range(_LONGEST_COUNT):
        size |= (body[at + place] & 0x7F) << 7 * place
        if not body[at + place] & 0x80:
            at += place + 1
            return _part(body, at, size, most), at + size
    raise IndexError


def _part(body: bytes, at: int, size: int, most: int) -> bytes:
    if size > most or at + size > len(body):
        raise IndexError
    return body[at : at + size]


def _pointed(body: bytes, at: int) -> tuple[bytes, bytes]:
    """Follow pointers to strings of Go, which are a pointer and a length themselves."""
    word = "I" if body[at + 14] == 4 else "Q"  # noqa: PLR2004 - the bytes of a pointer
    pointer = Struct((">" if body[at + 15] & _IS_BIG else "<") + word)
    pair = Struct(pointer.format + word)
    segments = list(_segments(body))
    version, text = (
        _string(body, segments, pair, address) for address in pair.unpack_from(body, at + 16)
    )
    return _part(body, *version, _MOST_VERSION), _part(body, *text, _MOST_TEXT)


def _string(body: bytes, segments: list[Segment], pair: Struct, address: int) -> tuple[int, int]:
    """Return where a string lies, and its length."""
    start, size = pair.unpack_from(body, _place(segments, address, pair.size))
    return (_place(segments, start, size) if size else 0), size


def _place(segments: list[Segment], address: int, size: int) -> int:
    """Return where in the file an address is."""
    for one in segments:
        if one.address <= address and address + size <= one.address + one.size:
            return one.start + address - one.address
    raise IndexError


def _segments(body: bytes) -> Iterator[Segment]:
    """Read where a program is loaded: of ELF, PE or Mach-O."""
    if body.startswith(b"\x7fELF"):
        return _of_elf(body)
    return _of_pe(body) if body.startswith(b"MZ") else _of_mach(body)


def _of_elf(body: bytes) -> Iterator[Segment]:
    is_wide, order = body[4] == 2, ">" if body[5] == 2 else "<"  # noqa: PLR2004 - ELF's classes
    (at,) = unpack_from(f"{order}Q", body, 32) if is_wide else unpack_from(f"{order}I", body, 28)
    size, count = unpack_from(f"{order}HH", body, 54 if is_wide else 42)
    for one in range(min(count, _SEGMENTS)):
        if is_wide:
            kind, start, address, length = unpack_from(f"{order}I4xQQ8xQ", body, at + one * size)
        else:
            kind, start, address, length = unpack_from(f"{order}III4xI", body, at + one * size)
        if kind == 1:
            yield Segment(address, start, length)


def _of_pe(body: bytes) -> Iterator[Segment]:
    (at,) = unpack_from("<I", body, 60)
    count, optional = unpack_from("<H12xH", body, at + 6)
    (kind,) = unpack_from("<H", body, at + 24)
    is_wide = kind == 0x20B  # noqa: PLR2004 - the magic of PE32+
    (base,) = unpack_from("<Q", body, at + 48) if is_wide else unpack_from("<I", body, at + 52)
    for one in range(min(count, _SEGMENTS)):
        address, size, start = unpack_from("<III", body, at + 24 + optional + 40 * one + 12)
        yield Segment(base + address, start, size)


def _of_mach(body: bytes) -> Iterator[Segment]:
    order = ">" if body.startswith(b"\xfe\xed") else "<"
    is_wide = 0xCF in (body[0], body[3])  # noqa: PLR2004 - the magic of 64 bits
    (count,) = unpack_from(f"{order}I", body, 16)
    at = 32 if is_wide else 28
    for _ in range(min(count, _SEGMENTS)):
        kind, size = unpack_from(f"{order}II", body, at)
        if kind in (0x1, 0x19):
            form = "Q8xQQ" if kind == 0x19 else "I4xII"  # noqa: PLR2004 - of 64 bits
            yield Segment(*unpack_from(order + form, body, at + 24))
        at += size
