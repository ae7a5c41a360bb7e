"""Programs of Go and archives of Java, made by hand."""

import io
import zipfile
from struct import pack

MODULES = (
    "path\texample.org/app/cmd\n"
    "mod\texample.org/app\t(devel)\t\n"
    "dep\tgithub.com/BurntSushi/toml\tv1.4.0\th1:abc=\n"
    "dep\tgithub.com/a/fork\tv1.0.0\n=>\tgithub.com/b/fork/v2\tv2.1.0\th1:x=\n"
    "dep\texample.org/local\tv0.1.0\n=>\t./local\t(devel)\t\n"
    "dep\tgolang.org/x/net\tv0.0.0-20240101000000-abcdefabcdef\th1:d=\n"
    "build\t-compiler=gc\nbuild\tGOARCH=amd64\n"
)
RELEASE = "go1.22.3"
_START, _END = bytes(range(16)), bytes(range(16, 32))
_DATA, _BASE = 0x400, 0x400000


def framed(modules):
    return _START + modules.encode() + _END


def inline(release=RELEASE, modules=MODULES):
    """Build information as it is since Go 1.18: both texts behind their lengths."""
    body = b"\xff Go buildinf:\x08\x02" + bytes(16)
    for text in (release.encode(), framed(modules)):
        size = len(text)
        while size > 0x7F:
            body += bytes([size & 0x7F | 0x80])
            size >>= 7
        body += bytes([size]) + text
    return body


def pointed(release=RELEASE, modules=MODULES, *, wide=True, big=False, base=_BASE):
    """Build information as it was before: pointers to strings, which are pointers themselves."""
    order, word, size = ">" if big else "<", "Q" if wide else "I", 8 if wide else 4
    strings = base + 32
    texts = strings + 4 * size
    both = release.encode(), framed(modules)
    head = b"\xff Go buildinf:" + bytes([size, big])
    head += pack(f"{order}2{word}", strings, strings + 2 * size).ljust(16, b"\0")
    head += pack(f"{order}4{word}", texts, len(both[0]), texts + len(both[0]), len(both[1]))
    return head + b"".join(both)


def elf(data, *, wide=True, big=False):
    """An ELF program that is loaded at one address, at 0x400000."""
    order = ">" if big else "<"
    head = b"\x7fELF" + bytes([1 + wide, 1 + big, 1]) + bytes(9)
    if wide:
        head += pack(f"{order}HHIQQQIHHHHHH", 2, 62, 1, _BASE, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        head += pack(f"{order}IIQQQQQQ", 1, 6, _DATA, _BASE, _BASE, len(data), len(data), 4096)
    else:
        head += pack(f"{order}HHIIIIIHHHHHH", 2, 3, 1, _BASE, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        head += pack(f"{order}IIIIIIII", 1, _DATA, _BASE, _BASE, len(data), len(data), 6, 4096)
    return head.ljust(_DATA, b"\0") + data


def pe(data, *, wide=True):
    """A program of Windows, whose section is loaded 0x1000 above 0x3ff000."""
    base = pack("<Q", _BASE - 4096) if wide else bytes(4) + pack("<I", _BASE - 4096)
    optional = pack("<H", 0x20B if wide else 0x10B) + bytes(22) + base
    optional = optional.ljust(240, b"\0")
    head = b"MZ".ljust(60, b"\0") + pack("<I", 64)
    head += b"PE\0\0" + pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, len(optional), 2) + optional
    head += b".data\0\0\0" + pack("<IIII", len(data), 4096, len(data), _DATA) + bytes(16)
    return head.ljust(_DATA, b"\0") + data


def mach(data, *, wide=True, big=False):
    """A program of macOS, of one segment behind another load command."""
    order = ">" if big else "<"
    head = pack(f"{order}IIIIIII", 0xFEEDFACF if wide else 0xFEEDFACE, 7, 3, 2, 2, 0, 0)
    head += bytes(4) if wide else b""
    head += pack(f"{order}II", 0x1B, 24) + bytes(16)
    form = f"{order}II16s{'4Q' if wide else '4I'}"
    head += pack(form, 0x19 if wide else 1, 72, b"__DATA", _BASE, len(data), _DATA, len(data))
    return head.ljust(_DATA, b"\0") + data


FORMS = {
    "inline": elf(inline()),
    "inline, in a program of Windows": pe(inline()),
    "inline, behind the magic as text": elf(b"a \xff Go buildinf:" + bytes(16) + inline()),
    "inline, behind damage": elf(b"\xff Go buildinf:\x08\x02" + bytes(16) + b"\xff" * 16 + inline()),
    "several machines": b"\xca\xfe\xba\xbe\0\0\0\2".ljust(4096, b"\0") + mach(inline()),
    **{
        f"pointers, ELF of {32 + 32 * wide} bits, {'big' if big else 'little'}-endian": elf(
            pointed(wide=wide, big=big), wide=wide, big=big
        )
        for wide in (False, True)
        for big in (False, True)
    },
    "pointers, PE32": pe(pointed(wide=False), wide=False),
    "pointers, PE32+": pe(pointed()),
    "pointers, Mach-O": mach(pointed()),
    "pointers, Mach-O of 32 bits": mach(pointed(wide=False), wide=False),
    "pointers, Mach-O, big-endian": mach(pointed(wide=False, big=True), wide=False, big=True),
}  # fmt: skip


def jar(*files, packing=zipfile.ZIP_DEFLATED, manifest="", **poms):
    """An archive of files, with a manifest, and ``artifact="version"`` of ``org.example``."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", packing) as written:
        if manifest is not None:
            written.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{manifest}\r\n")
        for name, version in poms.items():
            artifact = name.replace("_", "-")
            written.writestr(
                f"META-INF/maven/org.example/{artifact}/pom.properties",
                f"#Generated\ngroupId=org.example\nartifactId={artifact}\nversion={version}\n",
            )
        for name, content in files:
            written.writestr(name, content)
    return body.getvalue()
