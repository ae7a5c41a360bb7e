"""What befalls a cache folder: damage, other processes, no right to write, a full disk."""

import os
import sqlite3
import stat
import sys
import warnings

import pytest

import hubframe
from hubframe import cache
from hubframe.client import CONTENT, RESPONSES
from hubframe.wire import disk

from .releases import REPO

PAGE = 4096
KEPT = disk.Layout(
    1, ("CREATE TABLE kept (key TEXT PRIMARY KEY, value)",), "SELECT key, value FROM kept LIMIT 0"
)


@pytest.fixture
def stage(stage_of, releases):
    return stage_of(releases)


@pytest.fixture
def filled(stage):
    """A cache that was filled and closed: all of it is in the two main files."""
    with hubframe.Client(stage.settings()) as client:
        labels = hubframe.labels_df(REPO, client=client)
    return stage, labels


def spoil(path, start, length=None):
    """Overwrite a part of a file with what is no page of SQLite's."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * (length or size - start))


@pytest.mark.parametrize("name", [RESPONSES, CONTENT])
@pytest.mark.parametrize("start", [0, PAGE], ids=["all", "all but the first page"])
def test_a_damaged_file_is_set_aside_and_said_once(filled, name, start):
    stage, labels = filled
    spoil(stage.folder / name, start)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        client = stage.client()
        again = hubframe.labels_df(REPO, client=client)
        hubframe.labels_df(REPO, client=client)

    assert again.equals(labels)
    assert [each.category for each in said] == [hubframe.CacheWarning]
    assert name in str(said[0].message)
    assert len(list(stage.folder.glob(f"{name}.damaged-*"))) == 1

    spent = stage.count()
    assert hubframe.labels_df(REPO, client=stage.client()).equals(labels)
    assert stage.count() == spent, "rebuilt"

    cache.clear(client=client)
    assert not list(stage.folder.glob("*damaged*"))


@pytest.mark.parametrize("name", [RESPONSES, CONTENT])
def test_any_flipped_page_costs_no_more_than_what_it_held(filled, name):
    stage, labels = filled
    path = stage.folder / name
    sound = path.read_bytes()
    for page in range(1, len(sound) // PAGE, max(1, len(sound) // PAGE // 12)):
        path.write_bytes(sound)
        spoil(path, page * PAGE, PAGE)
        with warnings.catch_warnings(), hubframe.Client(stage.settings()) as client:
            warnings.simplefilter("ignore", hubframe.CacheWarning)
            assert hubframe.labels_df(REPO, client=client).equals(labels), page


def test_a_damaged_document_is_fetched_again(filled):
    stage, labels = filled
    with sqlite3.connect(stage.folder / CONTENT) as connection:
        changed = connection.execute(
            "UPDATE documents "
            "SET body = CAST(replace(CAST(body AS TEXT), 'version', 'verzion') AS BLOB) "
            "WHERE digest IN (SELECT digest FROM documents WHERE CAST(body AS TEXT) LIKE '%Labels%' LIMIT 1)"
        )
        assert changed.rowcount == 1
    connection.close()
    spent = stage.count("/blobs/")

    client = stage.client()
    assert hubframe.labels_df(REPO, client=client).equals(labels)
    assert stage.count("/blobs/") == spent + 1
    assert hubframe.labels_df(REPO, client=client).equals(labels)
    assert stage.count("/blobs/") == spent + 1


def test_a_damaged_answer_is_asked_for_again(filled):
    stage, labels = filled
    with sqlite3.connect(stage.folder / RESPONSES) as connection:
        connection.execute(
            "UPDATE answers SET body = CAST(replace(CAST(body AS TEXT), 'count', 'coumt') AS BLOB)"
        )
    connection.close()
    spent = stage.count("/tags")

    assert hubframe.labels_df(REPO, client=stage.client()).equals(labels)
    assert stage.count("/tags") == spent + 3


def test_a_folder_that_cannot_be_written_is_replaced_by_memory(stage, tmp_path):
    (tmp_path / "file").touch()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        client = stage.client(cache_dir=tmp_path / "file" / "cache")
        hubframe.labels_df(REPO, newest=3, client=client)
        spent = stage.count()
        hubframe.labels_df(REPO, newest=3, client=client)

    assert stage.count() == spent
    assert [each.category for each in said] == [hubframe.CacheWarning]
    assert "HUBFRAME_CACHE_DIR" in str(said[0].message)


def test_a_file_that_cannot_be_opened_is_replaced_by_memory(stage):
    (stage.folder / CONTENT).mkdir(parents=True)

    with pytest.warns(hubframe.CacheWarning, match="kept in memory"):
        client = stage.client()

    assert len(hubframe.labels_df(REPO, newest=3, client=client)) == 6
    assert cache.info(client).documents > 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_folder_and_files_are_private(stage):
    before = os.umask(0)
    try:
        client = stage.client()
        hubframe.labels_df(REPO, newest=3, client=client)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in stage.folder.iterdir()}

    assert stat.S_IMODE(stage.folder.stat().st_mode) == 0o700
    assert {f"{RESPONSES}-wal", f"{CONTENT}-shm"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_busy_file_costs_the_entry_only(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(disk, "_PATIENCE", 0.0)
    path = tmp_path / "kept.sqlite"
    database = disk.Database(path, KEPT)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    for key in "ab":
        assert database.run("INSERT INTO kept VALUES (?, 1)", [key]) == []
    other.execute("COMMIT")
    other.close()
    database.run("INSERT INTO kept VALUES ('c', 1)")

    assert database.run("SELECT key FROM kept") == [("c",)]
    assert database.path == path
    assert [record.message for record in caplog.records] == [
        f"the cache {path} could not be used: database is locked"
    ]
    database.close()


def test_a_full_disk_costs_the_entry_only(tmp_path):
    database = disk.Database(tmp_path / "kept.sqlite", KEPT)
    database.run("INSERT INTO kept VALUES ('small', 1)")
    database.run("PRAGMA max_page_count = 4")

    database.run("INSERT INTO kept VALUES ('large', ?)", [b"x" * 100_000])

    assert database.run("SELECT key FROM kept") == [("small",)]
    assert not list(tmp_path.glob("*damaged*"))
    database.close()


def test_a_wrong_statement_is_no_damage(tmp_path):
    database = disk.Database(tmp_path / "kept.sqlite", KEPT)

    with pytest.raises(sqlite3.ProgrammingError):
        database.run("SELECT ?", [])
    assert not list(tmp_path.glob("*damaged*"))
    database.close()


def test_a_closed_database_holds_nothing_and_is_not_damaged(tmp_path):
    database = disk.Database(tmp_path / "kept.sqlite", KEPT)
    database.run("INSERT INTO kept VALUES ('a', 1)")
    database.close()

    assert database.run("SELECT * FROM kept") == []
    assert [path.name for path in tmp_path.iterdir()] == ["kept.sqlite"]
