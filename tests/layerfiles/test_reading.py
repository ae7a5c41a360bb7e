"""The files of layers: read once, kept by digest, and told where they are not all there."""

import sqlite3
from contextlib import closing
from io import StringIO

import pandas as pd
import pytest
from click.testing import CliRunner

import hubframe
from hubframe import cache
from hubframe.apps.cli import cli
from hubframe.tables import FILES
from hubframe.testing import Reply
from hubframe.wire.progress import Bar

from .layers import TAR, archive, digest_of, entry, folder, packed

REF = "acme/tool:1"
ONE = archive(folder("etc"), ("etc/motd", b"hello"), ("./bin/../sh", b"#!"), ("/abs", b""))
TWO = archive(("etc/.wh.motd",), ("srv/.wh..wh..opq",), ("srv/a", b"123"))


def read(shelf, ref=REF, **how):
    how.setdefault("client", shelf.stage.client())
    return hubframe.files_df(ref, source="registry", **how)


def test_a_row_for_each_entry(shelf):
    digests = shelf.add("1", packed(ONE), packed(TWO))
    files = read(shelf)
    assert {name: str(dtype) for name, dtype in files.dtypes.items()} == FILES.dtypes
    assert files["path"].tolist() == [
        "etc", "etc/motd", "bin/../sh", "abs", "etc/motd", "srv", "srv/a"
    ]  # fmt: skip
    assert files["position"].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert files["entry"].tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert files["layer_digest"].tolist() == [digests[0]] * 4 + [digests[1]] * 3
    assert files["whiteout"].dropna().tolist() == ["removed", "opaque"]
    assert files["size"].tolist() == [0, 5, 2, 0, 0, 0, 3]
    assert set(files["repo"]) == {"acme/tool"}
    assert set(files["platform"]) == {"linux/amd64"}
    assert not files.duplicated(list(FILES.key)).any()
    assert files.attrs["hubframe"]["complete"]


def test_owner_mode_date_and_links(shelf):
    fields = {"mode": 0o4755, "uid": 3_000_000, "gid": 7, "uname": "me", "gname": "us"}
    link = entry("l", kind=b"2", linkname="../x", mtime=1.5)
    shelf.add("1", packed(archive(entry("a", b"1", mtime=1_700_000_000, **fields), link)))
    one, two = read(shelf).to_dict("records")
    assert (one["mode"], one["uid"], one["gid"], one["user"], one["group"]) == (
        "4755", 3_000_000, 7, "me", "us"
    )  # fmt: skip
    assert one["modified_at"] == pd.Timestamp("2023-11-14 22:13:20", tz="UTC")
    assert pd.isna(one["link_target"])
    assert (two["type"], two["link_target"]) == ("symlink", "../x")
    assert two["modified_at"] == pd.Timestamp("1970-01-01 00:00:01.5", tz="UTC")


@pytest.mark.parametrize("media_type", [f"{TAR}+zstd", f"{TAR}+gzip", TAR])
def test_the_first_bytes_say_how_it_is_packed(shelf, media_type):
    zstandard = pytest.importorskip("zstandard")
    pack = {"zstd": zstandard.compress, "gzip": packed}.get(media_type.rpartition("+")[2], bytes)
    shelf.add("1", pack(ONE), media_type=media_type)
    assert len(read(shelf)) == 4


def test_the_second_call_asks_for_no_layer_and_offline_for_nothing(shelf):
    shelf.add("1", packed(ONE), packed(TWO))
    client = shelf.stage.client()
    first = read(shelf, client=client)
    assert len(shelf.layers_asked()) == 2
    shelf.asked.clear()
    other = shelf.stage.client()
    pd.testing.assert_frame_equal(read(shelf, client=other), first)
    assert shelf.asked == []
    with hubframe.offline():
        again = read(shelf, client=other)
    pd.testing.assert_frame_equal(again, first)
    assert again.attrs["hubframe"]["requests"] == 0
    assert cache.info(other).listings == 2
    cache.clear(client=other)
    assert cache.info(other).listings == 0


def test_offline_a_layer_that_was_not_read_is_not_here(shelf):
    shelf.add("1", packed(ONE))
    client = shelf.stage.client()
    hubframe.layers_df(REF, source="registry", client=client)
    with hubframe.offline(), pytest.raises(hubframe.NotCachedError, match="the layer"):
        read(shelf, client=client)


def test_a_layer_of_two_images_is_read_once(shelf):
    shelf.add("1", packed(ONE), packed(TWO))
    shelf.add("2", packed(ONE))
    files = read(shelf, ["acme/tool:1", "acme/tool:2"])
    assert files["tag"].value_counts().to_dict() == {"1": 7, "2": 4}
    assert len(shelf.layers_asked()) == 2


def test_what_is_not_what_its_digest_says_is_not_kept(shelf):
    (digest,) = shelf.add("1", packed(ONE))
    for wrong in (packed(TWO), packed(ONE)[:-9], b"nonsense" * 200):
        shelf.blobs[digest] = wrong
        client = shelf.stage.client()
        with pytest.raises(hubframe.DigestMismatchError, match=digest_of(wrong)):
            read(shelf, client=client)
        assert cache.info(client).listings == 0
    shelf.blobs[digest] = packed(ONE)
    assert len(read(shelf)) == 4


def test_what_fails_costs_its_own_rows(shelf):
    good, bad = shelf.add("1", packed(ONE), packed(TWO))
    del shelf.blobs[bad]
    with pytest.raises(hubframe.NotFoundError):
        read(shelf)
    with pytest.warns(hubframe.IncompleteWarning):
        files = read(shelf, errors="collect")
    assert set(files["layer_digest"]) == {good}
    said = files.attrs["hubframe"]
    assert not said["complete"]
    assert [failure["ref"] for failure in said["failures"]] == [f"acme/tool@{bad}"]


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        ({"max_bytes": 5000}, "unpacks to more than 5,000 bytes.*max_bytes"),
        ({"max_bytes": 50}, "takes more than 50 bytes"),
        ({"max_entries": 3}, "more than 3 entries.*max_entries"),
    ],
)
def test_caps_are_kept_and_said(shelf, caps, words):
    shelf.add("1", packed(ONE))
    client = shelf.stage.client()
    with pytest.raises(hubframe.PayloadError, match=words):
        read(shelf, client=client, **caps)
    with pytest.warns(hubframe.IncompleteWarning):
        assert read(shelf, client=client, errors="collect", **caps).empty
    assert cache.info(client).listings == 0


@pytest.mark.parametrize("caps", [{"max_bytes": 0}, {"max_entries": -1}])
def test_caps_are_counts(caps):
    with pytest.raises(ValueError, match="max_"):
        hubframe.files_df(REF, **caps)


@pytest.mark.parametrize(
    ("media_type", "words"),
    [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "lies elsewhere"),
        (f"{TAR}+gzip+encrypted", "encrypted"),
        ("application/spdx+json", "no layer of files"),
    ],
)
def test_some_layers_cannot_be_read(shelf, media_type, words):
    shelf.add("1", packed(ONE), media_type=media_type)
    with pytest.raises(hubframe.PayloadError, match=words):
        read(shelf)
    assert shelf.layers_asked() == []


def test_a_page_for_people_is_no_layer(shelf):
    (digest,) = shelf.add("1", packed(ONE))
    page = Reply(200, {"Content-Type": "text/html"}, b"<html>log in</html>")
    shelf.stage.application.faults.insert(0, shelf.stage.fail(digest, page))
    with pytest.raises(hubframe.BlockedError):
        read(shelf)


def test_the_sample_says_which_layers_it_holds(sample):
    assert len(hubframe.files_df("registry.example/shop/web:1.2.0", client=sample)) > 5
    with pytest.raises(hubframe.NotFoundError, match="sample holds the layers of"):
        hubframe.files_df("library/alpine:latest", client=sample)


def test_a_damaged_listing_is_read_anew(shelf):
    shelf.add("1", packed(ONE))
    client = shelf.stage.client()
    first = read(shelf, client=client)
    with closing(sqlite3.connect(shelf.stage.folder / "documents.sqlite")) as file, file:
        cut = "UPDATE documents SET value = substr(value, 1, length(value) - 9)"
        assert file.execute(f"{cut} WHERE key LIKE 'files:%'").rowcount == 1
    pd.testing.assert_frame_equal(read(shelf, client=client), first)
    assert len(shelf.layers_asked()) == 2


def test_a_full_cache_drops_the_oldest_listings(shelf):
    client = shelf.stage.client(max_cache_bytes=400_000)
    for number in range(30):
        names = [(digest_of(f"{number} {n}".encode()), b"") for n in range(200)]
        shelf.add(f"t{number}", packed(archive(*names)))
        assert len(read(shelf, f"acme/tool:t{number}", client=client)) == 200
    assert 0 < cache.info(client).listings < 30


def command(shelf, monkeypatch, *arguments, name="files"):
    settings = {"HUB_URL": shelf.stage.served.hub_url, "CACHE_DIR": str(shelf.stage.folder)}
    settings["REGISTRY_URL"] = shelf.stage.served.registry_url
    for setting, value in settings.items():
        monkeypatch.setenv(f"HUBFRAME_{setting}", value)
    return CliRunner().invoke(cli, [name, REF, "--source", "registry", *arguments])


def test_the_command_prints_the_frame(shelf, monkeypatch):
    shelf.add("1", packed(ONE))
    done = command(shelf, monkeypatch, "--columns", "path,size", "--format", "csv")
    assert done.output.splitlines() == [
        '"path","size"', '"etc",0', '"etc/motd",5', '"bin/../sh",2', '"abs",0'
    ]  # fmt: skip


def test_commands_measure_what_is_wasted(shelf, monkeypatch):
    shelf.add("1", packed(archive(("a", b"12345"))), packed(archive(("a", b"123"))))
    wanted = ["--columns", "wasted_size", "--format", "csv"]
    for name in ("efficiency", "wasted"):
        done = command(shelf, monkeypatch, *wanted, name=name)
        assert done.output.splitlines() == ['"wasted_size"', "8"]


def test_the_command_takes_the_caps(shelf, monkeypatch):
    shelf.add("1", packed(ONE))
    done = command(shelf, monkeypatch, "--max-entries", "1")
    assert isinstance(done.exception, hubframe.PayloadError)


def test_rows_come_back_from_csv(shelf):
    shelf.add("1", packed(ONE), packed(TWO))
    files = read(shelf)
    again = hubframe.read_csv(StringIO(hubframe.write_csv(files)), "files")
    pd.testing.assert_frame_equal(again, files)


def test_the_bar_says_how_much_has_come(shelf, monkeypatch):
    said = []

    class Watched(Bar):
        def set_postfix_str(self, text, *_):
            said.extend(filter(None, [text]))

    monkeypatch.setattr("hubframe.frames.files.bar", lambda *_, **__: Watched(1, "layers"))
    monkeypatch.setattr("hubframe.frames.files._SAID_EVERY", 0)
    shelf.add("1", packed(ONE))
    read(shelf)
    assert said == ["0 MB"]
