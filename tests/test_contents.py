"""Files out of images: what the final file system holds, and through which links."""

import hashlib
import shutil
from pathlib import Path

import pytest

import hubframe
from hubframe.errors import NotFoundError, PayloadError
from tests.contents.images import write_layout
from tests.layerfiles.layers import archive, entry, packed

LAYERS = (
    archive(
        ("etc/os-release", b"ID=a\n"),
        ("etc/app/one.conf", b"first"),
        ("etc/app/two.conf", b"two"),
        ("etc/gone.conf", b"gone"),
        ("opt/old/a", b"a"),
        ("bin.d/tool", b"\xff\xfe"),
        ("etc/empty", b""),
    ),
    archive(
        ("etc/app/one.conf", b"second \xc3\xa9"),
        ("etc/.wh.gone.conf", b""),
        ("opt/old/.wh..wh..opq", b""),
        entry("bin", kind=b"2", linkname="bin.d"),
        entry("etc/link", kind=b"2", linkname="/etc/app/../app/two.conf"),
        entry("etc/out", kind=b"2", linkname="../../../../etc/os-release"),
        entry("etc/loop", kind=b"2", linkname="loop"),
        entry("etc/away", kind=b"2", linkname="nowhere"),
    ),
)


@pytest.fixture
def client(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache")) as made:
        yield made


@pytest.fixture
def what(tmp_path):
    return f"oci:{write_layout(tmp_path / 'image', *LAYERS)}"


def test_the_topmost_counts_and_what_is_removed_is_not_there(what, client):
    found = hubframe.contents_df(what, "etc/*.conf", hash=True, client=client)
    assert found[["path", "position", "size", "text", "is_truncated"]].to_numpy().tolist() == [
        ["etc/app/one.conf", 1, 9, "second é", False],
        ["etc/app/two.conf", 0, 3, "two", False],
    ]
    assert found["sha256"][1] == hashlib.sha256(b"two").hexdigest()
    with pytest.warns(hubframe.NoMatchWarning):
        assert hubframe.contents_df(what, "opt/*", client=client).empty
    both = hubframe.contents_df(what, ["/etc/os-release", "*/tool"], client=client)
    assert both["path"].tolist() == ["bin.d/tool", "etc/os-release"]
    assert both["text"].isna().tolist() == [True, False]
    assert hubframe.contents_df(what, "etc/empty", client=client)["size"].tolist() == [0]


def test_long_files_are_cut_and_say_so(what, client):
    found = hubframe.contents_df(what, "etc/app/one.conf", max_file_bytes=8, client=client)
    assert found[["text", "size", "is_truncated"]].to_numpy().tolist() == [["second ", 9, True]]


def test_read_file_follows_links_inside_the_image(what, client):
    def read(path):
        return hubframe.read_file(what, path, client=client)

    assert read("etc/app/one.conf") == "second é".encode()
    assert read("/bin/tool") == b"\xff\xfe"
    assert read("etc/link") == b"two"
    assert read("etc/out") == b"ID=a\n"
    for path in ("etc/gone.conf", "etc/loop", "etc/away", "opt/old/a", "nothing", "../x"):
        with pytest.raises(NotFoundError):
            read(path)
    with pytest.raises(PayloadError, match="no file but a directory"):
        hubframe.read_file(f"oci:{_with_folder(what)}", "etc", client=client)
    with pytest.raises(PayloadError, match="max_bytes"):
        hubframe.read_file(what, "etc/app/one.conf", max_bytes=3, client=client)


def _with_folder(what):
    path = what.removeprefix("oci:") + "-2"
    shutil.rmtree(path, ignore_errors=True)
    return write_layout(Path(path), archive(entry("etc", kind=b"5")))


def test_only_layers_that_hold_a_match_are_read_again(what, client, tmp_path):
    hubframe.files_df(what, client=client)
    upper = hubframe.layers_df(what, client=client)["layer_digest"][1].partition(":")[2]
    (tmp_path / "image" / "blobs" / "sha256" / upper).unlink()
    found = hubframe.contents_df(what, ["etc/os-release", "etc/app/two.conf"], client=client)
    assert found["text"].tolist() == ["two", "ID=a\n"]
    with pytest.raises(NotFoundError):
        hubframe.contents_df(what, "etc/app/one.conf", client=client)


@pytest.mark.filterwarnings("ignore::hubframe.NoMatchWarning")
def test_a_path_as_it_stands_is_followed_through_links(what, client):
    """As etc/os-release of most systems is one."""
    found = hubframe.contents_df(what, ["/etc/link", "bin/tool", "etc/o*"], client=client)
    assert found[["path", "position", "text"]].fillna("").to_numpy().tolist() == [
        ["bin/tool", 0, ""], ["etc/link", 0, "two"], ["etc/os-release", 0, "ID=a\n"],
    ]  # fmt: skip
    above = hubframe.contents_df(what, ["../etc/./link", "/"], client=client)
    assert above["path"].tolist() == ["etc/link"]
    # What several paths lead to is there under each.
    both = hubframe.contents_df(what, ["etc/link", "etc/app/two.conf"], client=client)
    assert both["path"].tolist() == ["etc/app/two.conf", "etc/link"]
    assert set(both["text"]) == {"two"}


def test_paths_that_no_image_has_are_named(what, client):
    with pytest.warns(hubframe.NoMatchWarning, match=r"no image has a file etc/gone\.conf, x/\*"):
        found = hubframe.contents_df(what, ["etc/gone.conf", "etc/empty", "x/*"], client=client)
    assert found["path"].tolist() == ["etc/empty"]


def test_of_images_that_are_not_there_no_path_is_missed(client, tmp_path):
    layout = write_layout(tmp_path / "image", archive(("a", b"")))
    layer = max((layout / "blobs" / "sha256").iterdir(), key=lambda one: one.stat().st_size)
    layer.unlink()
    with pytest.warns(hubframe.IncompleteWarning) as said:
        hubframe.contents_df(f"oci:{layout}", "a", errors="collect", client=client)
    assert [one.category for one in said] == [hubframe.IncompleteWarning]


def test_folders_in_patterns_and_names_that_are_none(client, tmp_path):
    layer = archive(("a.js", b"1"), ("pages/[id].js", b"2"), ("pages/b/c.js", b"3"))
    what = f"oci:{write_layout(tmp_path / 'image', layer)}"
    for paths, found in {
        "**/*.js": ["a.js", "pages/[id].js", "pages/b/c.js"],
        "pages/**/*.js": ["pages/[id].js", "pages/b/c.js"],
        "pages/[id].js": ["pages/[id].js"],
        "pages/[[]*": ["pages/[id].js"],
    }.items():
        assert hubframe.contents_df(what, paths, client=client)["path"].tolist() == found


def test_what_is_written_below_a_link_is_read_where_it_is_written(client, tmp_path):
    base = archive(("usr/lib/a", b"old"), entry("lib", kind=b"2", linkname="usr/lib"))
    layers = base, archive(("lib/a", b"new"))
    what = f"oci:{write_layout(tmp_path / 'image', *layers)}"
    assert hubframe.read_file(what, "lib/a", client=client) == b"new"
    assert hubframe.contents_df(what, "lib/a", client=client)["text"].tolist() == ["new"]


def test_bad_paths_are_refused(what, client):
    for bad in ("", [], [3], None, 5, Path("etc")):
        with pytest.raises(ValueError, match="paths must be"):
            hubframe.contents_df(what, bad, client=client)
    with pytest.raises(ValueError, match="paths must be"):
        hubframe.read_file(what, None, client=client)


def test_what_is_above_a_link_is_above_what_it_leads_to(client, tmp_path):
    layer = archive(
        ("a/b/c", b""), ("a/f", b"a"), ("f", b"root"),
        entry("l", kind=b"2", linkname="a/b"), entry("m", kind=b"2", linkname="l/../f"),
    )  # fmt: skip
    what = f"oci:{write_layout(tmp_path / 'image', layer)}"
    assert hubframe.read_file(what, "m", client=client) == b"a"
    assert hubframe.read_file(what, "/l/./..//../f", client=client) == b"root"


def test_a_hard_link_may_be_of_a_file_of_a_lower_layer(client, tmp_path):
    upper = archive(entry("b.conf", kind=b"1", linkname="a.conf"), (".wh.c.conf", b""))
    what = (
        f"oci:{write_layout(tmp_path / 'image', archive(('a.conf', b'a'), ('c.conf', b'')), upper)}"
    )
    found = hubframe.contents_df(what, "*.conf", hash=True, client=client)
    layers = hubframe.layers_df(what, client=client)["layer_digest"]
    assert found[["path", "position", "text", "size"]].to_numpy().tolist() == [
        ["a.conf", 0, "a", 1], ["b.conf", 1, "a", 1],
    ]  # fmt: skip
    assert found["layer_digest"].tolist() == layers.tolist()
    assert hubframe.read_file(what, "b.conf", client=client) == b"a"


def test_a_hard_link_has_the_content_of_its_file(client, tmp_path):
    layer = archive(
        ("opt/a", b"content"),
        entry("etc/a.conf", kind=b"1", linkname="opt/a"),
        entry("etc/b.conf", kind=b"1", linkname="opt/none"),
    )
    what = f"oci:{write_layout(tmp_path / 'linked', layer)}"
    with pytest.warns(hubframe.IncompleteWarning, match=r"etc/b\.conf"):
        found = hubframe.contents_df(what, "etc/*.conf", hash=True, client=client)
    assert found[["path", "size", "text"]].to_numpy().tolist() == [["etc/a.conf", 7, "content"]]
    assert hubframe.read_file(what, "etc/a.conf", client=client) == b"content"


def test_what_is_too_large_has_no_text_and_says_so(client, tmp_path):
    large = 64 * 1024**2 + 1
    layers = packed(archive(("a.log", bytes(large)))), archive(("b.log", b"b"))
    what = f"oci:{write_layout(tmp_path / 'large', *layers)}"
    with pytest.warns(hubframe.IncompleteWarning, match=r"a\.log of the layer"):
        found = hubframe.contents_df(what, "*.log", hash=True, client=client)
    assert found["size"].tolist() == [large, 1]
    assert found["text"].isna().tolist() == found["is_truncated"].tolist() == [True, False]
    assert found["sha256"].isna().tolist() == [True, False]


def test_files_that_were_read_are_kept(what, client, tmp_path):
    first = hubframe.contents_df(what, ["etc/app/*", "etc/os-release"], client=client)
    for digest in hubframe.layers_df(what, client=client)["layer_digest"]:
        (tmp_path / "image" / "blobs" / "sha256" / digest.partition(":")[2]).unlink()
    again = hubframe.contents_df(what, ["etc/app/*", "etc/os-release"], client=client)
    assert again.equals(first)
    assert hubframe.read_file(what, "etc/app/two.conf", client=client) == b"two"
