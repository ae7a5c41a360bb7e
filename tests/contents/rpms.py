"""Databases of rpm in its three forms, written by hand."""

import sqlite3
import struct
import zlib

PAGE = 512
STRING, INT32, INT64, BINARY = 6, 4, 5, 7
REGION = 63
TAGS = {
    "name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "size": 1009, "licence": 1014,
    "architecture": 1022, "source": 1044, "long_size": 5009, "summary": 1004,
}  # fmt: skip


def header(**fields):
    """Write the header of a package."""
    entries, store = b"", b""
    for field, value in sorted(fields.items(), key=lambda item: TAGS[item[0]]):
        if isinstance(value, str):
            kind, written = STRING, value.encode(errors="surrogateescape") + b"\0"
        else:
            kind = INT64 if field == "long_size" else INT32
            written = struct.pack(">Q" if kind == INT64 else ">I", value)
            store += bytes(-len(store) % len(written))
        entries += struct.pack(">4I", TAGS[field], kind, len(store), 1)
        store += written
    # What is signed: the first entry, and what it points to at the end.
    count = len(fields) + 1
    region = struct.pack(">4I", REGION, BINARY, len(store), 16)
    store += struct.pack(">IIiI", REGION, BINARY, -16 * count, 16)
    return struct.pack(">II", count, len(store)) + region + entries + store


def in_sqlite(*blobs, page_size=PAGE):
    """Write them as rpm does since 4.16."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute(
            "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
        )
        connection.execute("CREATE TABLE 'Name' (key TEXT NOT NULL, hnum INTEGER NOT NULL)")
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(one,) for one in blobs])
        connection.commit()
        written = connection.serialize()
    connection.close()
    return written


def in_ndb(*blobs):
    """Write them as SUSE's rpm does."""
    slots, content = b"", b""
    for index, blob in enumerate(blobs, 1):
        framed = struct.pack("<4s3I", b"BlbS", index, zlib.adler32(blob), len(blob)) + blob
        framed += bytes(-len(framed) % 16)
        slots += struct.pack(
            "<4s3I", b"Slot", index, (4096 + len(content)) // 16, len(framed) // 16
        )
        content += framed
    free = struct.pack("<4s3I", b"Slot", 0, 0, 0)
    head = struct.pack("<4s3I16x", b"RpmP", 0, 1, 1)
    return (head + slots + free * 256)[:4096] + content


def in_berkeley(*blobs, order="<", kind=13, longest=100):
    """Write them as rpm did before: what is longer than so many bytes on pages of its own."""
    pages = []

    def page(content, *fields):
        head = struct.pack(f"{order}8xIIIHHBB", *fields)
        return (head + content).ljust(PAGE, b"\0")

    first, long_pages = 1 + len(blobs), []
    for number, blob in enumerate(blobs, 1):
        item = b"\1" + blob
        if len(blob) > longest:
            parts = [blob[at : at + PAGE - 26] for at in range(0, len(blob), PAGE - 26)]
            start = first + len(long_pages)
            for place, part in enumerate(parts, 1):
                following = start + place if place < len(parts) else 0
                long_pages.append(page(part, start + place - 1, 0, following, 1, len(part), 0, 7))
            item = struct.pack(f"{order}BxxxII", 3, start, len(blob))
        key = b"\1" + struct.pack(f"{order}I", number)
        places = PAGE - len(key), PAGE - len(key) - len(item)
        body = struct.pack(f"{order}2H", *places).ljust(places[1] - 26, b"\0") + item + key
        pages.append(page(body, number, 0, 0, 2, places[1], 0, kind))
    last = len(pages) + len(long_pages)
    meta = struct.pack(f"{order}8xIIIIBBBxIII", 0, 0x061561, 9, PAGE, 0, 8, 0, 0, last, 0)
    return b"".join([meta.ljust(PAGE, b"\0"), *pages, *long_pages])


BASH = header(
    name="bash", version="5.1.8", release="6.el9", size=7_738_778, licence="GPLv3+",
    architecture="x86_64", source="bash-5.1.8-6.el9.src.rpm", summary="The shell " * 90,
)  # fmt: skip
# With an epoch, and larger than 4 GB.
SHADOW = header(
    name="shadow-utils", epoch=2, version="4.9", release="6.el9", long_size=5_000_000_000,
    architecture="x86_64", source="shadow-utils-4.9-6.el9.src.rpm",
)  # fmt: skip
KEY = header(name="gpg-pubkey", version="fd431d51", release="4ae0493b")
FORMS = {
    "sqlite": in_sqlite,
    "ndb": in_ndb,
    "berkeley": in_berkeley,
    "berkeley, big-endian": lambda *blobs: in_berkeley(*blobs, order=">"),
    "berkeley, unsorted": lambda *blobs: in_berkeley(*blobs, kind=2),
}
