"""The database of rpm, in each of its forms."""

import random
import sqlite3
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubframe.errors import PayloadError
from hubframe.oci.contents import sqlite
from hubframe.oci.contents.packages import Package
from hubframe.oci.contents.rpm import read_header, read_rpm

from .rpms import BASH, FORMS, KEY, PAGE, SHADOW, header, in_berkeley, in_ndb, in_sqlite

FOUND = [
    Package(
        "rpm", "bash", "5.1.8-6.el9", architecture="x86_64", source_name="bash",
        source_version="5.1.8-6.el9", licence="GPLv3+", installed_size=7_738_778,
    ),
    Package(
        "rpm", "shadow-utils", "2:4.9-6.el9", architecture="x86_64", source_name="shadow-utils",
        source_version="4.9-6.el9", installed_size=5_000_000_000,
    ),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_packages_are_read_and_keys_are_none(form):
    assert list(read_rpm(FORMS[form](BASH, KEY, SHADOW))) == FOUND


@pytest.mark.parametrize("form", FORMS)
def test_a_bad_header_costs_itself_only(form):
    bad = [b"", b"\xff" * 200, struct.pack(">II", 2**32 - 1, 1) + bytes(50), BASH[:60]]
    assert list(read_rpm(FORMS[form](*bad, BASH, header(name="no version"), SHADOW))) == FOUND


@pytest.mark.parametrize("form", FORMS)
def test_many_packages_on_many_pages(form):
    blobs = [
        header(name=f"package-{number}", version="1", release="2", summary="x" * (number * 7))
        for number in range(200)
    ]
    found = [package.name for package in read_rpm(FORMS[form](*blobs))]
    assert found == [f"package-{number}" for number in range(200)]


def test_values_of_other_types_and_text_that_is_none():
    assert read_header(header(name="a\udcff", version="1")).name == "a\ufffd"
    assert read_header(header(name=1, version="1")).name == "1"
    assert read_header(header(name="a", version="1", size="large")).installed_size is None
    assert read_header(header(name="a", version="1", epoch=0)).version == "0:1"
    # A key of a header counts once, and text without an end ends with the header.
    twice = header(name="a", version="1")
    assert read_header(twice[:-1]) is None


def test_nothing_is_no_package_and_anything_else_is_refused():
    assert list(read_rpm(b"")) == []
    for body in (b"x", b"\0" * 100, b"SQLite format 3\0", b"RpmP", b"<html>" * 1000):
        with pytest.raises(PayloadError):
            list(read_rpm(body))


def test_a_database_that_is_encrypted_or_of_odd_pages_is_refused():
    whole = in_berkeley(BASH)
    for at, odd in ((24, b"\1"), (20, struct.pack("<I", 500))):
        with pytest.raises(PayloadError, match="encrypted or damaged"):
            list(read_rpm(whole[:at] + odd + whole[at + len(odd) :]))


def test_a_table_without_packages_is_refused():
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE VIEW Packages AS SELECT 1, zeroblob(1000000000)")
        body = connection.serialize()
    connection.close()
    with pytest.raises(PayloadError, match="no table Packages"):
        list(read_rpm(body))


def test_a_log_beside_the_file_does_not_hinder(tmp_path):
    with sqlite3.connect(tmp_path / "rpmdb.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        connection.execute("INSERT INTO Packages (blob) VALUES (?)", [BASH])
    connection.close()
    body = (tmp_path / "rpmdb.sqlite").read_bytes()
    assert body[18:20] == b"\2\2"
    assert list(read_rpm(body)) == FOUND[:1]


VALUES = st.one_of(st.binary(max_size=3000), st.none(), st.integers(-(2**63), 2**63 - 1), st.text())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=30), st.sampled_from([512, 4096, 65_536]))
def test_tables_are_those_that_sqlite_itself_reads(rows, page_size):
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute("CREATE TABLE other (a)")
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.execute("DELETE FROM t WHERE rowid % 5 = 0")
        connection.commit()
        told = connection.execute("SELECT a, b FROM t ORDER BY rowid").fetchall()
        body = connection.serialize()
    connection.close()
    found = list(sqlite.read_table(body, "t"))
    assert len(found) == len(told)
    for row, values in zip(found, told, strict=True):
        for raw, value in zip(row, values, strict=True):
            if isinstance(value, bytes):
                assert raw == value
            elif isinstance(value, str):
                assert raw == value.encode()
            elif value is None:
                assert raw == b""
            elif value not in (0, 1):  # which the type itself tells
                assert int.from_bytes(raw, "big", signed=True) == value


@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_damaged_is_read_or_refused(form):
    whole = FORMS[form](*[BASH, KEY, SHADOW] * 5)
    chance = random.Random(form)
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randrange(1, 9)):
            at = chance.randrange(len(body))
            body[at : at + 4] = chance.choice([b"\xff" * 4, bytes(4), chance.randbytes(4), b"\1"])
        try:
            found = list(read_rpm(bytes(body[: chance.randrange(len(body))])))
        except PayloadError:
            continue
        assert all(package.name and package.version for package in found)


def repeated_ndb():
    """Many slots that all name one blob."""
    body = bytearray(in_ndb(header(name="a", version="1", summary="x" * 100_000)))
    for slot in range(32, 4096, 16):
        body[slot : slot + 16] = struct.pack("<4s3I", b"Slot", 1, 256, 6260)
    return bytes(body)


def repeated_sqlite():
    """A page whose cells all are the same."""
    body = bytearray(in_sqlite(*[header(name="a", version="1")] * 9, page_size=65_536))
    page = body.index(b"\x0d", 65_536)
    (cell,) = struct.unpack_from(">H", body, page + 8)
    body[page + 3 : page + 5] = struct.pack(">H", 20_000)
    body[page + 8 : page + 40_008] = struct.pack(">H", cell) * 20_000
    return bytes(body)


def repeated_berkeley():
    """A page whose items all are the same."""
    body = bytearray(in_berkeley(header(name="a", version="1", summary="x" * 90), longest=400))
    key, at = struct.unpack_from("<HH", body, PAGE + 26)
    body[PAGE + 20 : PAGE + 22] = struct.pack("<H", 120)
    body[PAGE + 26 : PAGE + 266] = struct.pack("<HH", key, at) * 60
    return bytes(body)


@pytest.mark.parametrize("make", [repeated_ndb, repeated_sqlite, repeated_berkeley])
def test_what_tells_more_than_it_holds_is_refused(make):
    with pytest.raises(PayloadError, match="more than it holds"):
        list(read_rpm(make()))


def test_pages_that_lead_in_circles_end():
    body = bytearray(in_berkeley(header(name="a", version="1", summary="x" * 2000)))
    for page in range(2, len(body) // PAGE):
        body[page * PAGE + 16 : page * PAGE + 20] = struct.pack("<I", 2)
    assert list(read_rpm(bytes(body))) == []


def test_a_large_database_takes_no_more_memory_than_itself():
    body = in_sqlite(*[header(name="a", version="1", summary="x" * 100_000)] * 200, page_size=4096)
    tracemalloc.start()
    assert sum(1 for _ in read_rpm(body)) == 200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(body) / 2
