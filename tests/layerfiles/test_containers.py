"""Archives that some read otherwise than others, beside what a container tool extracts of them.

Container tools read tar as Go's archive/tar does, and so does umoci.
"""

import json
import os
import shutil
import subprocess

import pytest

import hubframe
from hubframe.oci.archives import Caps, list_files

from .layers import CONFIG, MANIFEST, TAR, digest_of

USTAR, GNU, V7, STAR = b"ustar\x0000", b"ustar  \0", bytes(8), b"ustar\x0000"
END = bytes(1024)


def header(name=b"f", size=0, **told):
    """One block. Fields that have no name here are named by where they begin: ``at_124=b"..."``."""
    made = bytearray(512)
    kind, magic = told.pop("kind", b"0"), told.pop("magic", USTAR)
    prefix, link = told.pop("prefix", b""), told.pop("link", b"")
    fields = {
        0: name, 100: b"0000644\0", 108: b"0000000\0", 116: b"0000000\0", 124: b"%011o\0" % size,
        136: b"00000000001\0", 156: kind, 157: link, 257: magic, 345: prefix,
    }  # fmt: skip
    fields |= {int(at.removeprefix("at_")): value for at, value in told.items()}
    for at, value in fields.items():
        made[at : at + len(value)] = value
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


def padded(content):
    return content + bytes(-len(content) % 512)


def file(name=b"f", content=b"", **more):
    return header(name, more.pop("size", len(content)), **more) + padded(content)


def record(key, value):
    text = b" %s=%s\n" % (key, value)
    size = len(text) + 1
    while size != len(b"%d" % size) + len(text):
        size += 1
    return b"%d%s" % (size, text)


def pax(*records, kind=b"x", **more):
    body = b"".join(one if isinstance(one, bytes) else record(*one) for one in records)
    return file(b"PaxHeaders/x", body, kind=kind, **more)


def long(name, kind=b"L", **more):
    return file(b"././@LongLink", name, kind=kind, magic=GNU, **more)


def sparse(*records):
    return pax((b"GNU.sparse.name", b"shown"), *records)


VERSION_1 = ((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"))
VERSION_0_1 = ((b"GNU.sparse.major", b"0"), (b"GNU.sparse.minor", b"1"))
REAL = (b"GNU.sparse.realsize", b"2000")
HOLES_1 = padded(b"1\n1000\n5\n") + b"12345"
OLD_HOLES = b"%011o\0%011o\0" % (1000, 5)
INNER = file(b"inner", b"hidden")
SIZE = (b"size", b"1024")


ARCHIVES = {
    "plain": file(b"a", b"1") + file(b"b/c", b"22") + header(b"d/", kind=b"5"),
    "two pax headers, a path in each": pax((b"path", b"one")) + pax((b"path", b"two")) + file(),
    "two pax headers, a path in the first": pax((b"path", b"one")) + pax((b"mtime", b"5")) + file(),
    "two pax headers, a size in the first": pax(SIZE) + pax((b"mtime", b"5")) + file() + INNER + file(b"z"),
    "two pax headers, a size in the second": pax((b"mtime", b"5")) + pax(SIZE) + file() + padded(INNER[:1024]) + file(b"z"),
    "a size in a pax header hides": pax(SIZE) + file() + INNER + file(b"z"),
    "a size of a directory": pax(SIZE) + header(b"d/", kind=b"5") + INNER,
    "a size of a link": pax(SIZE) + header(b"l", kind=b"2", link=b"x") + INNER,
    "an empty path": pax((b"path", b"")) + file(),
    "a path, then an empty one": pax((b"path", b"one"), (b"path", b"")) + file(),
    "an empty size": pax((b"size", b"")) + file(b"f", b"1"),
    "a long name after pax": pax((b"path", b"one")) + long(b"two\0") + file(),
    "a long name before pax": long(b"two\0") + pax((b"path", b"one")) + file(),
    "two long names": long(b"one\0") + long(b"two\0") + file(),
    "a long name, then an empty one": long(b"one\0") + long(b"") + file(),
    "a long name with a NUL in it": long(b"one\0two") + file(),
    "a long name and a long link": long(b"one") + long(b"to", b"K") + header(kind=b"2", link=b"x"),
    "a long link after pax": pax((b"linkpath", b"one")) + long(b"two", b"K") + header(kind=b"2", link=b"x"),
    "a long link of no link": long(b"two", b"K") + file(),
    "pax with a size, then a long name": pax(SIZE) + long(b"two") + file() + INNER + file(b"z"),
    "a sparse name without a version": sparse(REAL) + file(b"f", b"12345"),
    "a sparse name with a version unknown": sparse((b"GNU.sparse.major", b"2"), (b"GNU.sparse.minor", b"0")) + file(b"f", b"12345"),
    "a sparse name with a minor version alone": sparse((b"GNU.sparse.minor", b"0")) + file(b"f", b"12345"),
    "sparse 1.0": sparse(*VERSION_1, REAL) + file(b"f", HOLES_1),
    "sparse 1.0 after a long name": long(b"two") + sparse(*VERSION_1, REAL) + file(b"f", HOLES_1),
    "sparse 1.0 with too little in it": sparse(*VERSION_1, REAL) + file(b"f", HOLES_1[:-1]),
    "sparse 1.0 with too much in it": sparse(*VERSION_1, REAL) + file(b"f", HOLES_1 + b"6"),
    "sparse 1.0 beyond its size": sparse(*VERSION_1, (b"GNU.sparse.realsize", b"1")) + file(b"f", HOLES_1),
    "sparse 1.0 without a map": sparse(*VERSION_1, REAL) + file(b"f", b"12345"),
    "sparse 1.0 of a directory": sparse(*VERSION_1, REAL) + header(b"d", kind=b"5"),
    "sparse 0.1": sparse(*VERSION_0_1, REAL, (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.map", b"1000,5")) + file(b"f", b"12345"),
    "sparse 0.1 of two sizes": sparse(*VERSION_0_1, REAL, (b"GNU.sparse.size", b"3000"), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.map", b"1000,5")) + file(b"f", b"12345"),
    "sparse 0.1 that counts wrongly": sparse(*VERSION_0_1, REAL, (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.map", b"1000,5")) + file(b"f", b"12345"),
    "sparse 0.0": pax((b"GNU.sparse.size", b"2000"), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.offset", b"1000"), (b"GNU.sparse.numbytes", b"5")) + file(b"f", b"12345"),
    "sparse 0.0 in the wrong order": pax((b"GNU.sparse.size", b"2000"), (b"GNU.sparse.numblocks", b"1"), (b"GNU.sparse.numbytes", b"5"), (b"GNU.sparse.offset", b"1000")) + file(b"f", b"12345"),
    "old sparse": file(b"f", b"12345", kind=b"S", magic=GNU, at_386=OLD_HOLES, at_483=b"%011o\0" % 2000),
    "old sparse without GNU's magic": file(b"f", b"12345", kind=b"S", at_386=OLD_HOLES, at_483=b"%011o\0" % 2000),
    "old sparse that goes on": header(b"f", 10, kind=b"S", magic=GNU, at_386=OLD_HOLES, at_482=b"\1", at_483=b"%011o\0" % 2000) + (b"%011o\0%011o\0" % (1500, 5)).ljust(512, b"\0") + padded(b"1234567890") + file(b"z"),
    "a global path": pax((b"path", b"one"), kind=b"g") + file(),
    "a global size": pax(SIZE, kind=b"g") + file() + INNER,
    "pax, then global": pax((b"path", b"one")) + pax((b"comment", b"x"), kind=b"g") + file(),
    "a long name, then global": long(b"one") + pax((b"comment", b"x"), kind=b"g") + file(),
    "GNU's magic with a prefix": file(magic=GNU, prefix=b"dir"),
    "GNU's magic with times at the prefix": file(magic=GNU, prefix=b"00000000001\x0000000000001\0"),
    "GNU's magic with a prefix that is no text": file(magic=GNU, prefix=b"d\xc3\xa9"),
    "GNU's magic with a prefix behind a time": file(magic=GNU, prefix=b"00000000001\0dir"),
    "ustar with a prefix": file(prefix=b"dir"),
    "ustar of another version": file(magic=b"ustar\0  ", prefix=b"dir"),
    "half of GNU's magic": file(magic=b"ustar 00", prefix=b"dir"),
    "no magic, with a prefix": file(magic=V7, prefix=b"dir"),
    "star with a prefix": file(prefix=b"d" * 131 + b"not", at_508=b"tar\0"),
    "a file that ends with a slash": file(b"d/"),
    "an old file that ends with a slash": file(b"d/", kind=b"\0"),
    "an old file": file(b"f", b"1", kind=b"\0"),
    "an old folder with a size": header(b"d/", 1024, kind=b"\0") + INNER + file(b"z"),
    "an old folder by a pax path, with a size": pax((b"path", b"d/")) + header(b"f", 1024, kind=b"\0") + INNER,
    "an old folder by a long name, with a size": long(b"d/") + header(b"f", 1024, kind=b"\0") + INNER,
    "an old folder with content": file(b"d/", b"no header", kind=b"\0"),
    "an old folder that is sparse": sparse(*VERSION_1, REAL) + file(b"d/", HOLES_1, kind=b"\0"),
    "a pax path that ends with a slash": pax((b"path", b"d/")) + file(b"f", b"1"),
    "a size after NULs": file(b"f", b"1" * 8, at_124=b"\0\0\0\x0000000010"),
    "a size with a blank in it": file(b"f", b"", at_124=b"1 0\0\0\0\0\0\0\0\0\0"),
    "a size with a sign": file(b"f", b"1" * 8, at_124=b"+0000000010\0"),
    "a size as Python writes it": file(b"f", b"1" * 8, at_124=b"0o000000010\0"),
    "a size with an underscore": file(b"f", b"1" * 8, at_124=b"0000000_010\0"),
    "a size in binary": file(b"f", b"1" * 8, at_124=b"\x80" + bytes(10) + b"\x08"),
    "a size in binary of another first byte": file(b"f", b"1" * 8, at_124=b"\xbf" + bytes(10) + b"\x08"),
    "a small size in binary": file(b"f", b"1" * 8, at_124=b"\x80\0\0\0\0\0\0\0\0\0\0\x08"),
    "a negative size": file(b"f", b"", at_124=b"\xff" * 12),
    "a pax size with a sign": pax((b"size", b"+8")) + file(b"f", b"1" * 8),
    "a pax size with a blank": pax((b"size", b" 8")) + file(b"f", b"1" * 8),
    "a pax size in other digits": pax((b"size", "\u0668".encode())) + file(b"f", b"1" * 8),
    "a negative pax size": pax((b"size", b"-1")) + file(b"f", b"1" * 8),
    "a mode that is none": file(b"f", b"1", at_100=b"rwxr-xr\0"),
    "an owner that is none": file(b"f", b"1", at_108=b"root\0\0\0\0"),
    "a date that is none": file(b"f", b"1", at_136=b"now\0\0\0\0\0\0\0\0\0"),
    "a device that is none": file(b"f", b"1", at_329=b"none\0\0\0\0"),
    "a pax date that is none": pax((b"mtime", b"now")) + file(b"f", b"1"),
    "a pax date of access that is none": pax((b"atime", b"now")) + file(b"f", b"1"),
    "a pax owner that is none": pax((b"uid", b"root")) + file(b"f", b"1"),
    "a pax path with a NUL": pax((b"path", b"one\0two")) + file(),
    "a pax key with a NUL": pax((b"o\0ne", b"x")) + file(),
    "a pax record without a key": pax(b"5 =x\n") + file(),
    "a pax record without its end": pax(b"12 path=one ") + file(),
    "a pax record that is too long": pax(b"99 path=one\n") + file(),
    "a pax record that is none": pax((b"path", b"one"), b"nonsense") + file(),
    "a pax record with a sign": pax(b"+13 path=one\n") + file(),
    "NULs after pax records": pax((b"path", b"one"), b"\0\0\0") + file(),
    "a pax header of Solaris": pax((b"path", b"one"), kind=b"X") + file(),
    "a block of zeros, then more": file(b"a") + bytes(512) + file(b"b"),
    "pax at the end": file(b"a") + pax((b"path", b"one")),
    "a wrong checksum": file(b"a") + header(b"b")[:-1] + b"x",
    "a link with a size": header(b"l", 1024, kind=b"2", link=b"x") + INNER,
    "a fifo with a size": header(b"l", 1024, kind=b"6") + INNER,
    "a hard link with a size": file(b"a") + header(b"l", 1024, kind=b"1", link=b"a") + INNER,
    "a name that is written twice": file(b"a", b"1") + file(b"a", b"22"),
    "a name as long as its field": file(b"n" * 100),
    "a name that is no text": file(b"caf\xe9"),
    "a checksum of signed bytes": file(b"caf\xe9"),
}  # fmt: skip

# What umoci has no use for, and other tools pass over or make; what Go reads of it.
OF_OTHER_TOOLS = {
    "old sparse": {"f": ("file", 2000)},
    "old sparse that goes on": {"f": ("file", 2000), "z": ("file", 0)},
    "a global path": {"f": ("file", 0)},
    "a global size": {"f": ("file", 0), "inner": ("file", 6)},
    "pax, then global": {"f": ("file", 0)},
    "a long name, then global": {"f": ("file", 0)},
    "a pax header of Solaris": {"PaxHeaders/x": ("other", 12), "f": ("file", 0)},
}


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """Give what umoci extracts of each archive; None where it refuses it."""
    if shutil.which("umoci") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("umoci is not installed")
    layout = tmp_path_factory.mktemp("layout")
    (layout / "blobs" / "sha256").mkdir(parents=True)

    def kept(content):
        digest = digest_of(content)
        (layout / "blobs" / digest.replace(":", "/")).write_bytes(content)
        return {"digest": digest, "size": len(content)}

    def image(archive):
        layer = kept(archive + END)
        platform = {"architecture": "amd64", "os": "linux", "config": {}}
        config = {**platform, "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
        made = {"config": {"mediaType": CONFIG, **kept(json.dumps(config).encode())}}
        made |= {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [{"mediaType": TAR, **layer}]}
        return {"mediaType": MANIFEST, **kept(json.dumps(made).encode())}

    named = "org.opencontainers.image.ref.name"
    manifests = [
        {**image(archive), "annotations": {named: f"t{number}"}}
        for number, archive in enumerate(ARCHIVES.values())
    ]
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))

    def extract(case):
        tag, root = f"{layout}:t{list(ARCHIVES).index(case)}", tmp_path_factory.mktemp("root") / "x"
        rights = [] if os.geteuid() == 0 else ["--rootless"]
        command = ["umoci", "raw", "unpack", *rights, "--image", tag, root]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            assert ("unknown typeflag" in done.stderr) == (case in OF_OTHER_TOOLS), done.stderr
            return OF_OTHER_TOOLS.get(case)
        return {os.fsencode(path.relative_to(root)): found(path) for path in root.rglob("*")}

    return extract


def found(path):
    """What a file is: its type, and its size or where it leads."""
    if path.is_symlink():
        return "symlink", str(path.readlink())
    if path.is_dir():
        return "directory", 0
    return ("file", path.stat().st_size) if path.is_file() else ("fifo", 0)


def listed(archive):
    """What we say there is once all of it is extracted; None where it is refused."""
    try:
        listing = list_files([archive + END], "the layer x", Caps(2**20, 1000))
    except hubframe.PayloadError:
        return None
    files = {}
    for path, kind, size, link in zip(
        listing.paths, listing.types, listing.sizes, listing.links, strict=True
    ):
        files[path] = files[link] if kind == "hard link" else (kind, link or size)
    return files


@pytest.mark.parametrize("case", ARCHIVES)
def test_an_archive_is_listed_as_it_is_extracted(case, extracted):
    expected = extracted(case)
    if expected is not None and case not in OF_OTHER_TOOLS:
        expected = {
            path.decode("utf-8", "backslashreplace"): file for path, file in expected.items()
        }
        # Folders that no entry tells are made.
        told = listed(ARCHIVES[case])
        made = {path for path, (kind, _) in expected.items() if kind == "directory"} - {*told}
        expected = {path: file for path, file in expected.items() if path not in made}
        assert all(any(path.startswith(f"{folder}/") for path in told) for folder in made)
    assert listed(ARCHIVES[case]) == expected


def test_there_are_enough_archives_of_each_kind():
    refused = [case for case, archive in ARCHIVES.items() if listed(archive) is None]
    assert len(ARCHIVES) - len(refused) > 40
    assert len(refused) > 30
