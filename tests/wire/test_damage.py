"""What befalls the file of answers: damage, other programs, a file that cannot be written."""

import random
import sqlite3
import warnings
from contextlib import closing

import pytest

import hubframe
from hubframe import cache

from .releases import REPO

# Enough for a file of several pages.
NEWEST = 60
TABLES = {
    "http_cache.sqlite": "responses",
    "tags.sqlite": "tags",
    "documents.sqlite": "documents",
}
FILES = list(TABLES)
RANDOM = random.Random(4)
DAMAGES = {
    "header": lambda sound: b"\xa5" * 100 + sound[100:],
    "cut in half": lambda sound: sound[: len(sound) // 2],
    "cut in the header": lambda sound: sound[:10],
    "empty": lambda _: b"",
    "zeros": lambda sound: bytes(len(sound)),
    "random": lambda sound: RANDOM.randbytes(len(sound)),
    "another program's": lambda _: b"PK\x03\x04" * 5000,
}


@pytest.fixture
def stage(stage_of, releases):
    return stage_of(releases)


@pytest.fixture
def filled(stage):
    """A cache that was filled and closed."""
    with hubframe.Client(stage.settings()) as client:
        labels = hubframe.labels_df(REPO, newest=NEWEST, source="registry", client=client)
    return stage, labels


def read(stage):
    with hubframe.Client(stage.settings()) as client:
        return hubframe.labels_df(REPO, newest=NEWEST, source="registry", client=client)


def check(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside_and_said_once(filled, damage, name):
    stage, labels = filled
    path = stage.folder / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    spent = stage.count("sha256:")

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert read(stage).equals(labels)
        assert read(stage).equals(labels)

    assert len(said) <= 1
    assert {each.category for each in said} <= {hubframe.CacheWarning}
    assert len(list(stage.folder.glob(f"{name}.damaged-*[0-9]"))) == len(said)
    assert check(path) == "ok"
    if name != "documents.sqlite":
        assert stage.count("sha256:") == spent, "what befalls a file costs no other"
    with hubframe.Client(stage.settings()) as client:
        cache.clear(client=client)
    assert not list(stage.folder.glob("*damaged*"))


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_page_costs_no_more_than_what_it_held(filled, name):
    stage, labels = filled
    path = stage.folder / name
    sound, page = path.read_bytes(), 4096
    for start in range(page, len(sound), max(page, len(sound) // 8 // page * page)):
        path.write_bytes(sound[:start] + b"\xa5" * page + sound[start + page :])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hubframe.CacheWarning)
            assert read(stage).equals(labels), start


@pytest.mark.parametrize("body", [b"\x00", b"[]", b"null", b'{"status_code": 200}', b"{"])
def test_a_damaged_answer_is_asked_for_again(filled, body):
    stage, labels = filled
    for name, table in TABLES.items():
        with closing(sqlite3.connect(stage.folder / name)) as file, file:
            assert file.execute(f"UPDATE {table} SET value = ?", [body]).rowcount > 0
    spent = stage.count("/tags/list")

    assert read(stage).equals(labels)
    assert stage.count("/tags/list") > spent


@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_a_file_of_another_layout_is_set_aside(stage, name, table):
    stage.folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(stage.folder / name)) as connection:
        connection.execute(f"CREATE TABLE {table} (what TEXT)")

    with pytest.warns(hubframe.CacheWarning, match="for something else") as said:
        client = stage.client()
    assert len(said) == 1
    assert len(hubframe.labels_df(REPO, newest=3, client=client)) == 6
    assert cache.info(client).answers > 0


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_opened_is_replaced_by_memory(stage, name):
    (stage.folder / name).mkdir(parents=True)

    with pytest.warns(hubframe.CacheWarning, match="kept in memory"):
        client = stage.client()
    assert len(hubframe.labels_df(REPO, newest=3, client=client)) == 6
    spent = stage.count()
    assert len(hubframe.labels_df(REPO, newest=3, client=client)) == 6
    assert stage.count() == spent


def test_a_closed_client_says_so_and_damages_nothing(stage):
    client = stage.client()
    hubframe.tags_df(REPO, client=client)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        hubframe.tags_df(REPO, client=client)
    assert check(stage.folder / FILES[0]) == "ok"
    assert not list(stage.folder.glob("*damaged*"))
