"""Archives as tools and strangers write them, beside what the standard library reads."""

import io
import tarfile
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hubframe
from hubframe.oci.archives import Caps, cleaned, hidden, list_files, read_archive

from .layers import archive, entry, folder, packed

CAPS = Caps(bytes=2**30, entries=10_000)
TYPES = {
    b"0": "file", b"1": "hard link", b"2": "symlink", b"3": "character device",
    b"4": "block device", b"5": "directory", b"6": "fifo",
}  # fmt: skip


def listed(content, caps=CAPS, size=1000):
    pieces = (content[at : at + size] for at in range(0, len(content), size))
    return list_files(pieces, "the layer x", caps)


def rows(listing):
    return list(zip(*vars(listing).values(), strict=True))


def spelled(name):
    """Owners are cut at 32 bytes, and may be cut within a character."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace") or None


def expected(content):
    """The rows that the standard library tells."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return [
            (
                *hidden(cleaned(spelled(member.name)))[:1],
                TYPES[member.type],
                member.size if member.isreg() else 0,
                f"{member.mode & 0o7777:04o}",
                member.uid,
                member.gid,
                spelled(member.uname),
                spelled(member.gname),
                int(member.mtime * 1_000_000),
                spelled(member.linkname) if member.type in b"12" else None,
                hidden(cleaned(spelled(member.name)))[1],
            )
            for member in tar
        ]


def sparse(name, content=b"", real=10_000_000):
    """An entry with holes, as GNU tar writes it."""
    made = bytearray(archive((name, content)))
    made[156:157] = b"S"
    made[257:265] = b"ustar  \0"
    made[345:500] = bytes(155)
    made[483:495] = b"%011o\0" % real
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made[:512])
    return bytes(made)


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=300).filter(
    lambda name: name.strip("/. ")
)
ENTRIES = st.builds(
    lambda name, content, kind, link, number, owner, mtime: entry(
        name if kind != b"5" else name.rstrip("/"),
        content if kind == b"0" else b"",
        kind,
        linkname=link if kind in b"12" else "",
        uid=number,
        gid=number // 3,
        mode=number % 0o10000,
        uname=owner,
        gname=owner,
        mtime=mtime,
    ),
    NAMES.filter(lambda name: not name.endswith("/")),
    st.binary(max_size=1500),
    st.sampled_from(sorted(TYPES)),
    NAMES,
    st.integers(0, 2**40),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    st.integers(0, 2**33),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(ENTRIES, max_size=6),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    st.integers(1, 5000),
)
def test_entries_are_those_that_the_standard_library_reads(entries, form, size):
    content = archive(*entries, form=form)
    assert rows(listed(content, size=size)) == expected(content)
    assert rows(listed(packed(content), size=size)) == expected(content)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 2560), st.booleans())
def test_whatever_comes_is_listed_or_refused(noise, at, is_packed):
    content = bytearray(archive(("a", b"1" * 700), folder("b"), ("c" * 200, b"")))
    content[at : at + len(noise)] = noise
    try:
        listing = listed(packed(bytes(content)) if is_packed else bytes(content))
    except hubframe.PayloadError as error:
        told = str(error)
    else:
        told = "the layer x" * (len({len(column) for column in vars(listing).values()}) == 1)
    assert "the layer x" in told


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_that_are_no_text_are_spelled(form):
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert listed(archive((name, b""), form=form)).paths == ["caf\\xe9"]


def test_a_file_with_holes_has_its_real_size():
    assert listed(sparse("holes", b"1" * 512)).sizes == [10_000_000]
    records = {"name": "holes", "realsize": "12345", "major": "1", "minor": "0"}
    records = {f"GNU.sparse.{key}": value for key, value in records.items()}
    content = b"1\n100\n3\n".ljust(512, b"\0") + b"123"
    told = listed(archive(entry("GNUSparseFile.0/holes", content, pax_headers=records)))
    assert (told.paths, told.sizes) == (["holes"], [12_345])


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("./", "."), ("./a/", "a"), ("/etc/passwd", "etc/passwd"), ("../../etc", "../../etc"),
        ("a//b/./c", "a/b/c"), ("///", "."), ("a/.", "a"), ("..", ".."), (".hidden", ".hidden"),
    ],
)  # fmt: skip
def test_paths_count_from_the_root(path, clean):
    assert cleaned(path) == clean


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a/.wh.b", ("a/b", "removed")), (".wh.b", ("b", "removed")),
        ("a/.wh..wh..opq", ("a", "opaque")), (".wh..wh..opq", (".", "opaque")),
        (".wh..wh.plnk", (".wh..wh.plnk", "bookkeeping")), ("a/.wh.", ("a/.wh.", None)),
        ("a.wh.b", ("a.wh.b", None)), (".wh.d/x", (".wh.d/x", None)),
    ],
)  # fmt: skip
def test_whiteouts_name_what_they_hide(path, found):
    assert hidden(path) == found


def test_an_archive_without_its_end_is_whole_at_a_header():
    content = archive(("a", b"1"))
    assert listed(content[:1024]).paths == ["a"]
    assert listed(b"").paths == listed(packed(b"")).paths == []


def test_several_members_are_one_archive_and_what_follows_is_passed_over():
    content = archive(("a", b"1" * 3000), ("b", b""))
    parts = b"".join(packed(content[at : at + 700]) for at in range(0, len(content), 700))
    assert listed(parts).paths == ["a", "b"]
    assert listed(packed(content) + bytes(512)).paths == ["a", "b"]
    frames = pytest.importorskip("zstandard").compress
    assert listed(frames(content) + frames(b"")).paths == ["a", "b"]
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    for size in (1, 7, 1000):
        whole = skipped + frames(content[:900]) + skipped + frames(content[900:])
        assert listed(whole, size=size).paths == ["a", "b"]


@pytest.mark.parametrize("at", [100, 600, 1100, 1500])
def test_what_is_cut_off_is_told(at):
    content = archive(("a", b"1" * 300), ("b", b"1" * 900))
    with pytest.raises(hubframe.PayloadError, match="cut off"):
        listed(content[:at])
    with pytest.raises(hubframe.PayloadError, match=r"ends in the middle|cut off"):
        listed(packed(content)[: at // 30])


@pytest.mark.parametrize("size", [1, 1000])
def test_gzip_that_is_cut_off_is_told_wherever_it_is_cut(size):
    whole = packed(archive(("a", bytes(range(256)) * 700), ("b", b"1" * 300_000)))
    for at in range(2, len(whole)):
        with pytest.raises(hubframe.PayloadError, match="ends in the middle"):
            listed(whole[:at], size=size)


@pytest.mark.parametrize("options", [{}, {"write_checksum": True}, {"write_content_size": False}])
@pytest.mark.parametrize("size", [1, 1000, 10**6])
def test_zstd_that_is_cut_off_is_told_wherever_it_is_cut(options, size):
    zstandard = pytest.importorskip("zstandard")
    content = archive(("a", bytes(range(256)) * 700), ("b", b"1" * 300_000))
    compressor = zstandard.ZstdCompressor(**options)
    frames = [
        compressor.compress(content[at : at + 150_000]) for at in range(0, len(content), 150_000)
    ]
    whole = b"".join(frames)
    assert listed(whole, size=size).paths == ["a", "b"]
    ends = {sum(map(len, frames[:count])) for count in range(len(frames) + 1)}
    for at in range(4, len(whole)):
        if at not in ends:
            with pytest.raises(hubframe.PayloadError, match="ends in the middle"):
                listed(whole[:at], size=size)
    for more in (b"x", b"nonsense", b"\x50\x2a\x4d\x18\x05\0\0\0123"):
        with pytest.raises(hubframe.PayloadError, match="cannot be unpacked"):
            listed(whole + more, size=size)


def with_size(written):
    content = bytearray(archive(("a", b"")))
    content[124:136] = written
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    return bytes(content)


@pytest.mark.parametrize(
    "written", [b"77777777777\0", b"\x80" + b"\x7f" * 11, b"\xff" * 12, b"nonsense\0\0\0\0"]
)
def test_sizes_that_lie_are_told(written):
    with pytest.raises(hubframe.PayloadError, match=r"cut off|no size that can be"):
        listed(with_size(written))


@pytest.mark.parametrize("size", ["-5", "1e9", "9" * 30, "99999999"])
def test_sizes_that_attributes_lie_about_are_told(size):
    with pytest.raises(hubframe.PayloadError, match=r"has the size|cut off"):
        listed(archive(entry("a", b"", pax_headers={"size": size})))


def test_a_header_that_is_none_is_told():
    with pytest.raises(hubframe.PayloadError, match="no tar archive"):
        listed(b"<html>" * 200)
    content = bytearray(archive(("a", b"1"), ("b", b"2")))
    content[1024] ^= 1
    with pytest.raises(hubframe.PayloadError, match="no header at byte 1,024"):
        listed(bytes(content))


@pytest.mark.parametrize(
    "content",
    [
        archive(("a" * 40_000, b"")),
        archive(("a/" * 3000 + "b", b"")),
        archive(entry("a", kind=b"2", linkname="b" * 40_000)),
        archive(("a" * 2_000_000, b"")),
    ],
)
def test_no_name_is_longer_than_systems_take(content):
    with pytest.raises(hubframe.PayloadError, match=r"any system takes|not read further"):
        listed(content)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_is_given_up_and_takes_no_memory(kind):
    zeros = bytes(2**20)
    packer = zlib.compressobj(9, wbits=31)
    if kind == "zstd":
        packer = pytest.importorskip("zstandard").ZstdCompressor().compressobj()
    start = archive(("bomb", b""))[:512]
    huge = bytearray(start)
    huge[124:136] = b"%011o\0" % (2**33 - 1)
    huge[148:156] = b" " * 8
    huge[148:156] = b"%06o\0 " % sum(huge)
    content = packer.compress(bytes(huge))
    content += b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()
    assert len(content) < 300_000
    tracemalloc.start()
    with pytest.raises(hubframe.PayloadError, match="unpacks to more than"):
        listed(content, Caps(bytes=150 * 2**20, entries=10), size=len(content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20


@pytest.mark.parametrize("kind", [b"x", b"g"])
def test_attributes_that_nobody_reads_take_no_memory(kind):
    def pieces():
        for number in range(40):
            record = f"{number:07}=".encode() + b"1" * 900_000 + b"\n"
            body = b"%d %s" % (len(record) + 7, record)
            whole = archive(entry("attributes", body, kind), form=tarfile.USTAR_FORMAT)
            yield whole[: 512 + len(body) + -len(body) % 512]

    tracemalloc.start()
    listing = list_files(pieces(), "the layer x", CAPS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(listing) == 0
    assert peak < 10 * 2**20


def test_without_the_extra_zstd_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(hubframe.HubframeError, match=r"pip install 'hubframe\[files\]'"):
        listed(b"\x28\xb5\x2f\xfd" + bytes(100))


def kept(content, keep=lambda path, _size: path != "unwanted", size=1000):
    pieces = (content[at : at + size] for at in range(0, len(content), size))
    return read_archive(pieces, "the layer x", CAPS, keep)


@pytest.mark.parametrize("size", [1, 7, 512, 10**6])
def test_what_is_asked_for_is_kept_in_the_same_pass(size):
    content = archive(
        folder("a"), ("./a/b", b"1" * 700), ("unwanted", b"2" * 900), ("/empty", b""), ("c", b"3")
    )
    for form in (content, packed(content)):
        listing, bodies, _ = kept(form, size=size)
        assert bodies == {"a/b": b"1" * 700, "empty": b"", "c": b"3"}
        assert rows(listing) == rows(listed(form))


def test_who_keeps_is_asked_with_path_and_size_of_each_file():
    asked = []
    content = archive(
        ("a", b"12"), folder("b"), entry("c", kind=b"2", linkname="a"), ("d/.wh.e", b""),
        entry("f", kind=b"1", linkname="a"),
    )  # fmt: skip
    kept(content, lambda *told: asked.append(told) or True)
    assert asked == [("a", 2), ("f", 2)]


def test_a_hard_link_has_the_content_of_what_was_kept():
    links = [entry(name, kind=b"1", linkname=target) for name, target in (
        ("a", "./first"), ("b", "a"), ("c", "unwanted"), ("d", "nothing"),
    )]  # fmt: skip
    content = archive(("first", b"1"), ("unwanted", b"2"), *links)
    assert kept(content).bodies == {"first": b"1", "a": b"1", "b": b"1"}


@pytest.mark.parametrize(
    ("last", "body"),
    [
        (("a", b"new"), b"new"),
        (entry("a", kind=b"2", linkname="b"), None),
        (folder("a"), None),
        (entry("a", kind=b"1", linkname="unwanted"), None),
        ((".wh.a", b""), b"old"),
    ],
)
def test_the_last_entry_of_a_path_counts(last, body):
    assert kept(archive(("a", b"old"), last)).bodies.get("a") == body


def test_files_with_holes_are_not_kept():
    listing, bodies, _ = kept(sparse("a")[:512] + archive(("b", b"1")))
    assert (listing.paths, bodies) == (["a", "b"], {"b": b"1"})
    records = {"name": "holes", "realsize": "12345", "major": "1", "minor": "0"}
    records = {f"GNU.sparse.{key}": value for key, value in records.items()}
    content = b"1\n100\n3\n".ljust(512, b"\0") + b"123"
    told = kept(archive(entry("GNUSparseFile.0/holes", content, pax_headers=records)))
    assert (told.listing.sizes, told.bodies) == ([12_345], {})


def test_what_is_cut_off_within_a_file_that_is_kept_is_told():
    with pytest.raises(hubframe.PayloadError, match="cut off"):
        kept(archive(("a", b"1" * 900))[:1000])
