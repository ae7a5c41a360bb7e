"""Programs of Go and archives of Java: what they tell, and what reading them takes."""

import io
import threading
import tracemalloc
import zipfile
from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubframe.errors import PayloadError
from hubframe.oci.archives import read_archive
from hubframe.oci.contents import binaries, java
from hubframe.oci.contents.binaries import Room
from hubframe.oci.contents.golang import read_go, read_modules
from hubframe.oci.contents.java import read_manifest, read_name
from hubframe.oci.contents.layers import merge, read_layer
from hubframe.oci.contents.packages import Package
from hubframe.oci.contents.zips import Zip
from tests.layerfiles.layers import archive, entry, folder, packed

from .images import CAPS
from .programs import FORMS, elf, inline, jar, mach, pointed

READ = [
    ("stdlib", "1.22.3"),
    ("example.org/app", None),
    ("github.com/BurntSushi/toml", "v1.4.0"),
    ("github.com/b/fork/v2", "v2.1.0"),
    ("example.org/local", None),
    ("golang.org/x/net", "v0.0.0-20240101000000-abcdefabcdef"),
]


def told(packages):
    return [(one.name, one.version) for one in packages]


@pytest.mark.parametrize("form", FORMS)
def test_modules_of_a_program(form):
    assert told(read_go(FORMS[form])) == READ
    assert {one.type for one in read_go(FORMS[form])} == {"golang"}


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("go1.22.3 X:nocoverageredesign", "1.22.3"),
        ("go1.26.1-X:jsonv2", "1.26.1"),
        ("devel go1.23-abcdef Mon", "devel"),
        ("go1.19rc1", "1.19rc1"),
    ],
)
def test_the_release_of_go_is_the_version_of_its_library(release, version):
    assert told(read_go(elf(inline(release, "")))) == [("stdlib", version)]


def test_a_program_without_modules_is_told_by_its_path():
    assert told(read_modules("path\tcmd/go\nbuild\t-compiler=gc\n")) == [("cmd/go", None)]
    assert told(read_modules("path\tcommand-line-arguments\ndep\ta.b/c\tv1\t\n")) == [
        ("a.b/c", "v1")
    ]
    assert told(read_modules("mod\ta\tv1\t\ndep\ta\tv1\t\ndep\t\t(devel)\t\n")) == [
        ("a", "v1"), ("", None),
    ]  # fmt: skip
    assert told(read_modules("=>\ta\tv1\t\ndep\nmod\nnonsense")) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\x7fELF", elf(b""), elf(b"\xff Go buildinf:"), elf(inline()[:40]), elf(inline()[:60]),
        elf(b"x" + inline()), elf(inline("perl5")), elf(pointed(base=0x500000)),
        elf(pointed())[:64] + bytes(500) + pointed(), mach(pointed())[:60],
        elf(b"\xff Go buildinf:\x08\x00" + b"\xff" * 16 + bytes(64)),
    ],
)  # fmt: skip
def test_what_is_no_program_of_go_has_no_modules(body):
    assert list(read_go(body)) == []


def test_the_magic_everywhere_is_given_up():
    with pytest.raises(PayloadError, match="too many places"):
        list(read_go(b"\xff Go buildinf:" * 20_000))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 1500), st.binary(min_size=1, max_size=16))
def test_a_damaged_program_is_read_or_is_none(form, at, damage):
    body = bytearray(FORMS[form])
    body[at : at + len(damage)] = damage
    list(read_go(bytes(body)))


NAMES = {
    "commons-io-2.11.0.jar": ("commons-io", "2.11.0"),
    "log4j-1.2-api-2.17.jar": ("log4j", "1.2-api-2.17"),
    "my-http2-server-5.war": ("my-http2-server", "5"),
    "org.osgi.core-6.0.0.jar": ("org.osgi.core", "6.0.0"),
    "org.eclipse.osgi_3.18.0.v2022.jar": ("org.eclipse.osgi", "3.18.0.v2022"),
    "tool.1.2.jar": ("tool", "1.2"),
    "ironman-r4-2009.jar": ("ironman", "r4-2009"),
    "app.jar": ("app", None),
    "a-SNAPSHOT.jar": ("a-SNAPSHOT", None),
    ".jar": ("", None),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_archives(name):
    assert read_name(name) == NAMES[name]


def libraries(body, name):
    reader = java.Reader()
    found = [(one.namespace, one.name, one.version, one.path) for one in reader.read(body, name)]
    assert reader.failures == []
    return found


POM = "!/META-INF/maven/org.example"


@pytest.mark.parametrize(
    ("name", "body", "found"),
    [
        ("a-1.jar", jar(a="1"), [("org.example", "a", "1", "")]),
        # The file's own word counts, and not its name.
        ("a-2.jar", jar(a="1"), [("org.example", "a", "1", "")]),
        ("app.jar", jar(app_core="1"), [("org.example", "app-core", "1", "")]),
        (
            "fat-1.jar",
            jar(fat="1", b="2", c="3"),
            [
                ("org.example", "b", "2", f"{POM}/b/pom.properties"),
                ("org.example", "c", "3", f"{POM}/c/pom.properties"),
                ("org.example", "fat", "1", ""),
            ],
        ),
        (
            "service-1.jar",
            jar(b="2"),
            [(None, "service", "1", ""), ("org.example", "b", "2", f"{POM}/b/pom.properties")],
        ),
        (
            "x.jar",
            jar(manifest="Implementation-Version: 3\r\nBundle-Version: 4\r\n"),
            [(None, "x", "3", "")],
        ),
        (
            "x.jar",
            jar(manifest="Implementation-Vendor-Id: org.x\nBundle-Version: 4.5\n .6"),
            [("org.x", "x", "4.5.6", "")],
        ),
        ("x-7.jar", jar(manifest=None), [(None, "x", "7", "")]),
        ("x.jar", jar(manifest="Implementation-Version: ${version}\n"), []),
        ("x.jar", jar(), []),
        ("x.jar", jar(("a/pom.properties", "version=1\nnonsense")), []),
        (
            "app.war",
            jar(("WEB-INF/lib/b-2.jar", jar(b="2")), ("WEB-INF/lib/c-3.JAR", jar())),
            [
                ("org.example", "b", "2", "!/WEB-INF/lib/b-2.jar"),
                (None, "c", "3", "!/WEB-INF/lib/c-3.JAR"),
            ],
        ),
    ],
)
def test_libraries_of_an_archive(name, body, found):
    assert libraries(body, name) == found
    # Behind a script that starts it, and with comments, it is the same.
    assert libraries(b"#!/bin/sh\nexec java -jar $0\n" + body, name) == found


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_within_archives_are_read_to_a_depth(packing):
    body = jar(core="1")
    for depth in range(4):
        body = jar((f"in/core-{depth}.jar", body), packing=packing)
    reader = java.Reader()
    assert told(reader.read(body, "app.ear")) == [("core", "3"), ("core", "2"), ("core", "1")]
    (failure,) = reader.failures
    assert failure.endswith("core-0.jar: an archive more than 3 deep in others; not read")


def test_a_damaged_archive_within_costs_itself_only():
    reader = java.Reader()
    body = jar(("a-1.jar", b"PK nothing"), ("b-2.jar", jar()), ("c-3.jar", jar()[:50]))
    assert told(reader.read(body, "x.war")) == [("b", "2")]
    assert [one.partition(":")[0] for one in reader.failures] == ["a-1.jar", "c-3.jar"]


def test_a_manifest_goes_on_in_other_lines_and_ends_at_an_empty_one():
    text = "A: 1\r\n 2\r\nB : x\r\nno colon\r\n\r\nName: a\r\nC: 3\r\n"
    assert read_manifest(text) == {"A": "12", "B": "x"}


def many(count):
    """An archive of many entries, as zipfile writes more than 65,535 of them."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as written:
        for number in range(count):
            written.writestr(f"{number}.class", b"")
        written.writestr("META-INF/MANIFEST.MF", "Implementation-Version: 8\n")
    return body.getvalue()


@pytest.mark.slow
def test_an_archive_of_more_than_65535_entries():
    assert libraries(many(65_540), "x.jar") == [(None, "x", "8", "")]


FILES = st.dictionaries(
    st.text("ab/é.", min_size=1, max_size=6), st.binary(max_size=99), max_size=9
)


# A mark of the archive's end in the comment is taken for that end by the library, too.
COMMENTS = st.binary(max_size=40).filter(lambda told: b"PK" not in told)


@settings(max_examples=100, deadline=None)
@given(FILES, st.binary(max_size=40), COMMENTS, st.sampled_from([0, 8]))
def test_zips_are_read_as_the_standard_library_reads_them(files, before, comment, packing):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", packing) as made:
        for name, content in files.items():
            made.writestr(name, content)
        made.comment = comment
    body = before + written.getvalue()
    read = Zip(body, 0, len(body))
    with zipfile.ZipFile(io.BytesIO(body)) as beside:
        assert [(one.name, read.read(one, 10**6)) for one in read.entries()] == [
            (one.filename, beside.read(one)) for one in beside.infolist()
        ]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
def test_a_damaged_archive_is_read_or_refused_in_one_way(at, damage):
    body = bytearray(jar(("lib/b-1.jar", jar(b="1")), a="1", packing=zipfile.ZIP_STORED))
    at %= len(body)
    body[at : at + len(damage)] = damage
    with suppress(PayloadError):
        list(java.Reader().read(bytes(body), "a.jar"))


def bomb(count=400, size=30 * 2**20):
    """An archive of archives that lie over each other, and unpack to much more than they take."""
    one = io.BytesIO()
    with zipfile.ZipFile(one, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("000.jar", bytes(size))
    body = one.getvalue()
    at = body.index(b"PK\1\2")
    one_entry = body[at : body.index(b"PK\5\6")]
    directory = b"".join(one_entry.replace(b"000", b"%03d" % number) for number in range(count))
    return body[:at] + directory + b"PK\5\6" + bytes(4) + pack(
        "<HHIIH", count, count, len(directory), at, 0
    )  # fmt: skip


def test_a_bomb_is_given_up_and_takes_little_memory(monkeypatch):
    monkeypatch.setattr(java, "_MOST_UNPACKED", 100 * 2**20)
    body = bomb()
    assert len(body) < 100_000
    tracemalloc.start()
    reader = java.Reader()
    assert list(reader.read(body, "a.jar")) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.failures[-1].startswith("more than 104,857,600 bytes in an archive of Java")
    assert peak < 3 * 30 * 2**20


def test_entries_are_counted_over_all_archives(monkeypatch):
    monkeypatch.setattr(java, "_MOST_ENTRIES", 10)
    body = jar(*[(f"{number}.class", b"") for number in range(6)])
    reader = java.Reader()
    assert told(reader.read(jar(("a-1.jar", body), ("b-2.jar", body)), "x.war")) == [("a", "1")]
    assert reader.failures == ["more than 10 entries in an archive of Java; not read further"]


def layer(*entries, room=None, size=1000, form=bytes):
    content = form(archive(*entries))
    pieces = (content[at : at + size] for at in range(0, len(content), size))
    room = room or Room()
    return read_archive(pieces, "the layer", CAPS, lambda *_: False, summarise=room.summarising())


@pytest.mark.parametrize("form", [bytes, packed])
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_binaries_are_read_in_the_same_pass_and_are_not_kept(size, form):
    found = layer(
        ("bin/app", FORMS["inline"]), ("bin/sh", elf(bytes(99))), ("x.py", b"\xff Go buildinf:"),
        entry("bin/link", kind=b"1", linkname="bin/app"), ("lib/a-1.jar", jar(a="1")),
        ("lib/none.jar", b""), ("lib/text.jar", b"version https://git-lfs"),
        ("A.class", b"\xca\xfe\xba\xbe\0\0\0\x34" + FORMS["inline"]), size=size, form=form,
    )  # fmt: skip
    assert set(found.summaries) == {"bin/app", "bin/link", "lib/a-1.jar"}
    assert sum(map(len, found.summaries.values())) < 2000
    assert found.bodies == {}
    assert found.listing.paths[-1] == "A.class"
    contents = merge([read_layer(*found)])
    assert [(one.name, one.path) for one, _ in contents.packages if one.path == "bin/link"] == [
        (name, "bin/link") for name, _ in READ
    ]
    assert (contents.failures, contents.left_out) == ([], [])
    assert (
        Package("maven", "a", "1", "org.example", path="lib/a-1.jar")
        in [one for one, _ in contents.packages]
    )  # fmt: skip


def test_what_later_layers_do_to_binaries():
    upper = archive(("bin/.wh.a", b""), ("bin/b", b"#!/bin/sh"), ("c-1.jar", jar(c="1", d="2")))
    layers = [
        layer(("bin/a", FORMS["inline"]), ("bin/b", FORMS["inline"]), ("c-1.jar", jar(c="1"))),
        read_archive([upper], "upper", CAPS, None, summarise=Room().summarising()),
    ]
    # Without a `keep` nothing is looked at.
    assert layers[1].summaries == {}
    layers[1] = layer(("bin/.wh.a", b""), ("bin/b", b"#!/bin/sh"), ("c-1.jar", jar(c="1", d="2")))
    contents = merge([read_layer(*one) for one in layers])
    assert [(one.name, position) for one, position in contents.packages] == [("c", 0), ("d", 1)]
    # An archive that is unpacked in its place, as servers of Java do.
    exploded = layer(folder("c-1.jar"), ("c-1.jar/META-INF/MANIFEST.MF", b""))
    left = merge([read_layer(*one) for one in (layers[0], exploded)]).packages
    assert {one.path for one, _ in left} == {"bin/a", "bin/b"}


def test_the_last_entry_of_a_path_counts():
    for last in (("a", b"#!/bin/sh"), entry("a", kind=b"2", linkname="b"), folder("a")):
        assert layer(("a", FORMS["inline"]), last).summaries == {}
    assert set(layer(("a", b"#!/bin/sh"), ("a", FORMS["inline"])).summaries) == {"a"}


def test_binaries_that_cannot_be_read_are_told_and_hide_nothing(monkeypatch):
    monkeypatch.setattr(binaries, "MOST_OF_BINARY", 10_000)
    found = layer(
        ("large", elf(inline() + bytes(20_000))), ("other", elf(bytes(20_000))),
        ("a.jar", bytes(20_000)), ("bad.jar", b"PK\3\4" + bytes(99)), ("app", FORMS["inline"]),
    )  # fmt: skip
    contents = merge([read_layer(*found)])
    assert [(path, why) for _, path, why in contents.left_out] == [
        ("large", "larger than 10,000 bytes; not read"),
        ("a.jar", "larger than 10,000 bytes; not read"),
        ("bad.jar", "no ZIP archive: it has no directory"),
    ]
    assert contents.failures == []
    assert [one.name for one, _ in contents.packages] == [name for name, _ in READ]


def test_no_more_of_a_layer_is_kept_than_the_cap(monkeypatch):
    monkeypatch.setattr(binaries, "MOST_OF_LAYER", 1200)
    found = layer(*[(f"bin/{number}", FORMS["inline"]) for number in range(4)])
    contents = merge([read_layer(*found)])
    assert [path for _, path, _ in contents.left_out] == ["bin/2", "bin/3"]


def test_what_is_cut_off_within_a_binary_is_told():
    content = archive(("app", FORMS["inline"]))[:1500]
    with pytest.raises(PayloadError, match="cut off"):
        read_archive([content], "x", CAPS, lambda *_: False, summarise=Room().summarising())


def test_a_binary_is_in_memory_once():
    size = 32 * 2**20
    content = archive(("app", elf(inline() + bytes(size))))
    tracemalloc.start()
    pieces = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
    summarise = Room().summarising()
    found = read_archive(pieces, "x", CAPS, lambda *_: False, summarise=summarise)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "app" in found.summaries
    # Memory that grows is taken a little ahead.
    assert peak < 1.3 * size


def test_all_layers_together_hold_no_more_than_one_may(monkeypatch):
    monkeypatch.setattr(binaries, "MOST_OF_BINARY", 100)
    room, order = Room(), []
    began, may_end = threading.Event(), threading.Event()

    def first():
        with room.hold(60):
            began.set()
            may_end.wait(10)
            order.append("first")

    def second():
        with room.hold(60):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    began.wait(10)
    threads[1].start()
    with room.hold(40):
        order.append("small")
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert order == ["small", "first", "second"]
