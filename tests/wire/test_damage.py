"""What befalls a cache folder: damage, other processes, no right to write, a full disk."""

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import warnings
from contextlib import closing, suppress
from pathlib import Path

import pytest

import hubframe
from hubframe import cache
from hubframe.wire import disk
from hubframe.wire.client import CONTENT, RESPONSES
from hubframe.wire.content import Content, Document, digest_of

from .releases import REPO

PAGE = 16 * 1024
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hubframe.CacheWarning)
            with hubframe.Client(stage.settings()) as client:
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


def test_rows_that_come_slowly_are_written_with_the_next_one(tmp_path, later):
    path = tmp_path / "kept.sqlite"
    database = disk.Database(path, KEPT)
    for number in range(3):
        database.write_soon("INSERT INTO kept VALUES (?, ?)", (str(number), number), 1)
    at_once = on_disk(path)
    later(1)
    database.write_soon("INSERT INTO kept VALUES (?, ?)", ("3", 3), 1)

    assert (at_once, on_disk(path)) == (0, 4)
    database.close()


def on_disk(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM kept").fetchone()[0]


def document(number, size=3000):
    body = b"%06d" % number * (size // 6)
    return Document(digest_of(body), "application/json", body)


DOCUMENTS = {each.digest: each for each in map(document, range(60))}
RANDOM = random.Random(4)
DAMAGES = {
    "header": lambda sound: b"\xa5" * 100 + sound[100:],
    "middle": lambda sound: sound[: PAGE * 8] + b"\xa5" * PAGE * 3 + sound[PAGE * 11 :],
    "cut in half": lambda sound: sound[: len(sound) // 2],
    "cut in a page": lambda sound: sound[: PAGE * 6 + 77],
    "cut in the header": lambda sound: sound[:10],
    "empty": lambda _: b"",
    "zeros": lambda sound: bytes(len(sound)),
    "random": lambda sound: RANDOM.randbytes(len(sound)),
    "another program's": lambda _: b"PK\x03\x04" * 5000,
}


@pytest.fixture
def kept(tmp_path):
    """A store of documents that was filled and closed."""
    path = tmp_path / CONTENT
    content = Content(path)
    content.put_many(DOCUMENTS.values())
    content.close()
    return path


def check(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def version(path, written=None):
    with closing(sqlite3.connect(path)) as connection:
        if written is not None:
            connection.execute(f"PRAGMA user_version={written}")
        return connection.execute("PRAGMA user_version").fetchone()[0]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_serves_what_is_sound_and_goes_on(kept, damage):
    kept.write_bytes(DAMAGES[damage](kept.read_bytes()))

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        content = Content(kept)
        found = content.get_many(DOCUMENTS)
        content.put_many(DOCUMENTS.values())
        again = content.get_many(DOCUMENTS)
        content.close()

    assert len(said) <= 1
    assert found.items() <= DOCUMENTS.items()
    assert again == DOCUMENTS
    if said:
        assert check(kept) == "ok"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [*DAMAGES, "gone"])
def test_a_damaged_log_costs_no_more_than_what_it_held(tmp_path, damage):
    path = tmp_path / CONTENT
    code = (
        "import os, sys; from hubframe.wire.content import *; kept = Content(Path(sys.argv[1]))\n"
        "for number in range(60):\n"
        "    body = b'%06d' % number * 500\n"
        "    kept.put(Document(digest_of(body), 'application/json', body))\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
    log = tmp_path / f"{CONTENT}-wal"
    if damage == "gone":
        log.unlink()
    else:
        log.write_bytes(DAMAGES[damage](log.read_bytes()))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hubframe.CacheWarning)
        content = Content(path)
        assert content.get_many(DOCUMENTS).items() <= DOCUMENTS.items()
        content.put_many(DOCUMENTS.values())
        assert content.get_many(DOCUMENTS) == DOCUMENTS
        content.close()
    assert check(path) == "ok"


def test_only_the_last_damaged_file_is_kept_and_counts(kept):
    for _ in range(3):
        kept.write_bytes(b"\xa5" * 20_000)
        with pytest.warns(hubframe.CacheWarning, match="damaged"):
            Content(kept).close()

    assert len(list(kept.parent.glob("*damaged*"))) == 1
    assert disk.size_of(kept.parent) > 20_000


def test_two_programs_that_meet_damage_set_it_aside_once(kept):
    """The second must not take the new file of the first for the damaged one."""
    one, other = Content(kept), Content(kept)
    for name in (kept, Path(f"{kept}-wal")):
        name.write_bytes(b"\xa5" * name.stat().st_size)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for content in (one, other):
            content.get_many(DOCUMENTS)
            content.put_many(DOCUMENTS.values())

    assert one.get_many(DOCUMENTS) == other.get_many(DOCUMENTS) == DOCUMENTS
    assert len(said) <= 1
    assert len({path.name for path in kept.parent.glob(f"{CONTENT}.damaged-*[0-9]")}) <= 1
    one.close()
    other.close()


def test_the_file_of_a_newer_version_is_left_alone(kept):
    version(kept, 99)
    before = kept.read_bytes()

    with pytest.warns(hubframe.CacheWarning, match=r"a newer hubframe.*in memory") as said:
        content = Content(kept)
    assert len(said) == 1
    content.put_many(DOCUMENTS.values())
    assert content.get_many(DOCUMENTS) == DOCUMENTS
    assert content.path is None
    content.close()
    assert kept.read_bytes() == before


@pytest.mark.parametrize("ending", ["", " WITHOUT ROWID"])
def test_the_documents_of_an_older_version_are_kept(tmp_path, ending):
    path = tmp_path / CONTENT
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE documents (digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, "
            f"body BLOB NOT NULL){ending}"
        )
        rows = [(each.digest, each.media_type, each.body) for each in DOCUMENTS.values()]
        connection.executemany("INSERT INTO documents VALUES (?, ?, ?)", rows)
        connection.commit()

    content = Content(path)
    assert content.get_many(DOCUMENTS) == DOCUMENTS
    content.close()
    assert version(path) == 1


def test_the_answers_of_an_older_version_are_asked_for_again(stage):
    stage.folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(stage.folder / RESPONSES)) as connection:
        connection.execute(
            "CREATE TABLE answers (key TEXT PRIMARY KEY, value BLOB, checksum, expires)"
        )
        connection.execute("INSERT INTO answers VALUES ('key', x'00', x'00', 0)")
        connection.commit()

    client = stage.client()
    assert cache.info(client).answers == 0
    assert len(hubframe.labels_df(REPO, newest=3, client=client)) == 6
    assert cache.info(client).answers > 0


@pytest.mark.parametrize(("name", "written"), [(CONTENT, 0), (CONTENT, 1), (RESPONSES, 1)])
def test_a_file_of_another_layout_is_set_aside(stage, name, written):
    stage.folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(stage.folder / name)) as connection:
        connection.execute("CREATE TABLE other (what TEXT)")
    version(stage.folder / name, written)

    with pytest.warns(hubframe.CacheWarning, match="for something else") as said:
        client = stage.client()
    assert len(said) == 1
    assert len(hubframe.labels_df(REPO, newest=3, client=client)) == 6
    assert cache.info(client).folder == stage.folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_what_was_open_to_others_is_tightened(kept, mask):
    kept.parent.chmod(0o777)
    kept.chmod(0o644)
    before = os.umask(mask)
    try:
        assert disk.prepare(kept.parent) == kept.parent
        content = Content(kept)
        content.put(document(1000))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.parent.iterdir()}
        content.close()
    finally:
        os.umask(before)

    assert modes == dict.fromkeys([CONTENT, f"{CONTENT}-wal", f"{CONTENT}-shm"], 0o600)
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_a_folder_that_holds_other_things_keeps_its_rights(tmp_path):
    (tmp_path / "thesis.tex").touch()
    tmp_path.chmod(0o755)

    assert disk.prepare(tmp_path) == tmp_path
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="needs root")
@pytest.mark.parametrize("kind", ["file", "link", "link to another's"])
def test_what_somebody_else_put_there_is_not_used(tmp_path, kind):
    victim, path = tmp_path / "victim", tmp_path / CONTENT
    victim.write_text("mine")
    os.chown(victim, 65534 if kind == "link to another's" else 0, -1)
    if kind == "file":
        path.touch()
    else:
        path.symlink_to(victim)
    if kind != "link to another's":
        os.lchown(path, 65534, -1)

    with pytest.warns(hubframe.CacheWarning, match=r"somebody else.*in memory"):
        content = Content(path)
    content.put(document(1))
    assert content.get(document(1).digest) == document(1)
    content.close()
    assert victim.read_text() == "mine"


def test_the_probe_of_a_folder_follows_no_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    probe = tmp_path / f".probe-{os.getpid()}-{threading.get_ident()}"
    probe.symlink_to(victim)

    assert disk.prepare(tmp_path) == tmp_path
    assert victim.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"victim", probe.name}


WRITER = """
import sys, threading
from hubframe.wire.content import *
kept, seed, limit = Content(Path(sys.argv[1]), int(sys.argv[3])), int(sys.argv[2]), int(sys.argv[3])
def work(thread):
    for step in range(60):
        number = (seed * 37 + thread * 11 + step) % 200
        body = b"%06d" % number * 500
        document = Document(digest_of(body), "application/json", body)
        assert kept.get(document.digest) in (None, document)
        kept.put(document)
        assert limit < 10**6 or kept.get(document.digest) == document
threads = [threading.Thread(target=work, args=[thread]) for thread in range(8)]
[thread.start() for thread in threads]
print("started", flush=True)
[thread.join() for thread in threads]
kept.close()
"""


def start_writers(path, limit):
    command = [sys.executable, "-W", "error", "-c", WRITER, str(path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return [subprocess.Popen([*command, str(seed), str(limit)], **pipes) for seed in range(4)]


@pytest.mark.parametrize("limit", [2**31, 300_000], ids=["roomy", "full"])
def test_processes_and_threads_share_one_store(tmp_path, limit):
    path = tmp_path / CONTENT
    writers = start_writers(path, limit)
    said = [writer.communicate(timeout=120)[1] for writer in writers]

    assert said == [b""] * 4
    assert check(path) == "ok"
    content = Content(path, limit)
    wanted = {each.digest: each for each in map(document, range(200))}
    found = content.get_many(wanted)
    assert found.items() <= wanted.items()
    assert len(found) > 100 or limit < 10**6
    assert not list(tmp_path.glob("*damaged*"))
    content.close()


def test_writers_that_are_killed_leave_a_sound_store(tmp_path):
    path = tmp_path / CONTENT
    writers = start_writers(path, 2**31)
    for writer in writers:
        writer.stdout.readline()
        writer.kill()
    said = [writer.communicate(timeout=60)[1] for writer in writers]

    assert said == [b""] * 4
    wanted = {each.digest: each for each in map(document, range(200))}
    content = Content(path)
    assert content.get_many(wanted).items() <= wanted.items()
    content.put_many(wanted.values())
    assert content.get_many(wanted) == wanted
    content.close()
    assert check(path) == "ok"
    assert not list(tmp_path.glob("*damaged*"))


FILLER = """
import logging, os, sys, warnings
from hubframe.wire.content import *
from hubframe.wire import disk
from hubframe.wire.content import Content, Document, digest_of
logging.basicConfig(format="%(message)s")
folder = disk.prepare(Path(sys.argv[1]))
kept = Content(folder and folder / "content.sqlite")
first = None
for number in range(1500):
    body = b"%06d" % number * 500
    document = Document(digest_of(body), "application/json", body)
    first = first or document
    kept.put(document)
assert kept.get(first.digest) == first
count = kept.info()[0]
kept.put(document)
kept.close()
print(count)
"""


@pytest.fixture
def small(tmp_path):
    """A file system of 1 MB, where that may be had."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder, **how):
    command = [sys.executable, "-c", FILLER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, **how)
    return int(done.stdout), done.stderr


def test_a_disk_that_fills_keeps_what_fits(small):
    count, said = fill(small / "kept")

    assert 20 < count < 1500
    assert said.count("could not be used") == 1
    assert check(small / "kept" / CONTENT) == "ok"


def test_a_disk_that_is_full_already_is_replaced_by_memory(small):
    with suppress(OSError):
        (small / "all").write_bytes(b"x" * 2**21)
    count, said = fill(small / "kept")

    assert count == 1500
    assert said.count("CacheWarning") == 1


def test_a_folder_on_a_file_system_that_turned_read_only(small):
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    count, said = fill(small / "kept")

    assert count == 1500
    assert said.count("CacheWarning") == 1
    assert "HUBFRAME_CACHE_DIR" in said


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="needs root")
def test_the_folder_of_somebody_else_is_replaced_by_memory(kept):
    """Root may do anything: another user meets the rights."""
    before = kept.read_bytes()
    code = FILLER.replace("logging.basic", "os.setuid(65534)\nlogging.basic", 1)
    done = subprocess.run(
        [sys.executable, "-c", code, str(kept.parent)], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr.count("CacheWarning")) == ("1500\n", 1), done.stderr
    assert kept.read_bytes() == before
