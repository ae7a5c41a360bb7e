"""Documents by digest: whole or not at all, sound or not at all, whatever befalls the folder."""

import os
import sqlite3
import stat
import subprocess
import sys
import time
import warnings
from contextlib import closing, suppress
from datetime import UTC, date, datetime

import pytest

import hubframe
from hubframe import cache
from hubframe.oci.digests import Document, digest_of
from hubframe.wire import folder as folders
from hubframe.wire.blobs import Blobs
from hubframe.wire.store import Store

LIMIT = 2_000_000
DAY = 24 * 60 * 60
IMAGE = "library/alpine"


def document(number, size=3000, algorithm="sha256"):
    body = b"%06d" % number * (size // 6)
    return Document(digest_of(body, algorithm), body)


DOCUMENTS = {each.digest: each for each in map(document, range(60))}


def opened(folder, limit=2**31):
    """Open documents as a client does."""
    return Blobs(Store(hubframe.Settings(cache_dir=folder, max_cache_bytes=limit)))


def put(folder, documents, limit=2**31):
    store = Store(hubframe.Settings(cache_dir=folder, max_cache_bytes=limit))
    blobs = Blobs(store)
    for each in documents:
        blobs.put(each)
    store.close()


def filled(folder, documents=DOCUMENTS):
    put(folder, documents.values())
    return opened(folder)


def change(folder, statement, *values):
    """Change the table of documents as another program could."""
    with closing(sqlite3.connect(folder / "documents.sqlite", isolation_level=None)) as file:
        return file.execute(statement, values).fetchall()


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_documents_are_kept_and_read_together(tmp_path):
    more = document(1000, algorithm="sha512")
    blobs = filled(tmp_path, {**DOCUMENTS, more.digest: more})
    missing = digest_of(b"never kept")

    assert blobs.get_many([missing, *DOCUMENTS, more.digest]) == {**DOCUMENTS, more.digest: more}
    assert blobs.get_many([]) == {}
    assert blobs.missing([missing, *DOCUMENTS]) == {missing}


@pytest.mark.parametrize("damage", [b"", b"{}", bytes(3000), "text", 1])
def test_a_damaged_document_costs_itself_only(tmp_path, damage):
    first, *rest = DOCUMENTS
    blobs = filled(tmp_path)
    change(tmp_path, "UPDATE documents SET value = ? WHERE key = ?", damage, first)

    assert blobs.get_many(DOCUMENTS) == {one: DOCUMENTS[one] for one in rest}
    assert not change(tmp_path, "SELECT * FROM documents WHERE key = ?", first)
    put(tmp_path, [DOCUMENTS[first]])
    assert opened(tmp_path).get_many(DOCUMENTS) == DOCUMENTS


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "sha256:../../../secret"])
def test_a_name_leads_nowhere_else(tmp_path, name):
    """Digests are checked before, and what is no digest's document is never served."""
    (tmp_path / "secret").write_bytes(b"mine")
    assert opened(tmp_path / "kept").get(name) is None


def test_what_was_not_used_for_longest_goes_when_the_folder_is_full(tmp_path, later):
    old = {each.digest: each for each in (document(n, 4096) for n in range(300))}
    # Closed, since a file that somebody has open keeps what is written beside it.
    put(tmp_path, old.values())
    used = list(old)[150:]
    later(2 * DAY)
    store = Store(hubframe.Settings(cache_dir=tmp_path, max_cache_bytes=LIMIT))
    assert len(Blobs(store).get_many(used)) == len(used)
    store.close()
    put(tmp_path, [document(number, 4096) for number in range(300, 520)], LIMIT)

    assert size_of(tmp_path) <= LIMIT * 1.05
    blobs = opened(tmp_path, LIMIT)
    assert len(blobs.get_many(used)) == len(used)
    assert len(blobs.get_many(list(old)[:150])) < 150


@pytest.mark.parametrize(("age", "is_noted"), [(60, False), (7200, True), (-7200, True)])
def test_a_use_is_noted_once_an_hour(tmp_path, age, is_noted):
    first, *_ = DOCUMENTS
    filled(tmp_path)
    before = round(time.time() - age)
    change(tmp_path, "UPDATE documents SET expires = ?", before)
    store = Store(hubframe.Settings(cache_dir=tmp_path))
    Blobs(store).get(first)
    store.close()
    ((noted,),) = change(tmp_path, "SELECT expires FROM documents WHERE key = ?", first)
    assert (noted != before) == is_noted
    assert abs(noted - time.time()) < 120 + (0 if is_noted else age)


WRITER = """
import sys, threading
from hubframe.oci.digests import Document, digest_of
from hubframe import Settings
from hubframe.wire.blobs import Blobs
from hubframe.wire.store import Store
store = Store(Settings(cache_dir=sys.argv[1], max_cache_bytes=int(sys.argv[3])))
kept, seed = Blobs(store), int(sys.argv[2])
def work(thread):
    for step in range(60):
        number = (seed * 37 + thread * 11 + step) % 200
        body = b"%06d" % number * 500
        document = Document(digest_of(body), body)
        assert kept.get(document.digest) in (None, document)
        kept.put(document)
threads = [threading.Thread(target=work, args=[thread]) for thread in range(8)]
[thread.start() for thread in threads]
print("started", flush=True)
[thread.join() for thread in threads]
store.close()
"""


def start_writers(path, limit):
    command = [sys.executable, "-W", "error", "-c", WRITER, str(path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return [subprocess.Popen([*command, str(seed), str(limit)], **pipes) for seed in range(4)]


@pytest.mark.parametrize("limit", [2**31, 300_000], ids=["roomy", "full"])
def test_processes_and_threads_share_one_store(tmp_path, limit):
    writers = start_writers(tmp_path, limit)
    assert [writer.communicate(timeout=120)[1] for writer in writers] == [b""] * 4

    wanted = {each.digest: each for each in map(document, range(200))}
    found = opened(tmp_path).get_many(wanted)
    assert found.items() <= wanted.items()
    assert len(found) > 100 or limit < 10**6
    assert change(tmp_path, "PRAGMA integrity_check") == [("ok",)]


def test_writers_that_are_killed_leave_a_sound_store(tmp_path):
    writers = start_writers(tmp_path, 2**31)
    for writer in writers:
        writer.stdout.readline()
        writer.kill()
    assert [writer.communicate(timeout=60)[1] for writer in writers] == [b""] * 4

    wanted = {each.digest: each for each in map(document, range(200))}
    assert opened(tmp_path).get_many(wanted).items() <= wanted.items()
    put(tmp_path, wanted.values())
    assert opened(tmp_path).get_many(wanted) == wanted


# The folder itself


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_folder_and_files_are_private(stage, mask):
    before = os.umask(mask)
    try:
        client = stage.client()
        hubframe.labels_df(f"{IMAGE}:latest", source="registry", client=client)
        client.store.flush()
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in stage.folder.rglob("*")}

    assert stat.S_IMODE(stage.folder.stat().st_mode) == 0o700
    assert len(modes) > 5
    assert {modes[path] for path in modes if path.is_file()} == {0o600}
    assert not {modes[path] & 0o077 for path in modes if path.is_dir()} - {0}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_what_was_open_to_others_is_tightened(tmp_path):
    kept = folders.prepare(tmp_path / "kept")
    kept.chmod(0o777)
    assert folders.prepare(kept) == kept
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_a_folder_that_holds_other_things_keeps_its_rights(tmp_path):
    (tmp_path / "thesis.tex").write_text("x" * 1000)
    tmp_path.chmod(0o755)

    assert folders.prepare(tmp_path) == tmp_path
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert folders.size_of(tmp_path) < 1000, "others' files do not count"


def test_a_folder_that_cannot_be_written_is_replaced_by_memory(stage, tmp_path):
    (tmp_path / "file").touch()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        client = stage.client(cache_dir=tmp_path / "file" / "cache")
        hubframe.labels_df(f"{IMAGE}:latest", client=client)
        spent = stage.count()
        hubframe.labels_df(f"{IMAGE}:latest", client=client)

    assert stage.count() == spent
    assert cache.info(client).folder is None
    assert [each.category for each in said] == [hubframe.CacheWarning]
    assert "HUBFRAME_CACHE_DIR" in str(said[0].message)


@pytest.mark.parametrize("name", ["content.sqlite", "responses.sqlite", "blobs", "layers"])
def test_the_files_of_an_older_version_are_left_alone_and_said_once(stage, name):
    stage.folder.mkdir(mode=0o700)
    old = stage.folder / name
    if "." not in name:
        old.mkdir()
        old /= "one"
    old.write_bytes(b"SQLite format 3\0" * 10_000)

    with pytest.warns(hubframe.CacheWarning, match=f"{name} in .* older hubframe") as said:
        stage.client()
    assert len(said) == 1
    hubframe.tags_df(IMAGE, client=stage.client())
    assert old.stat().st_size == 160_000
    every = [path for path in stage.folder.rglob("*") if path.is_file()]
    assert folders.size_of(stage.folder) < sum(path.stat().st_size for path in every) - 100_000


def test_a_cache_tells_its_oldest_use(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path)) as client:
        assert cache.info(client).oldest_use is None
        begun = datetime.now(UTC).date()
        put(tmp_path, DOCUMENTS.values())
        assert begun <= cache.info(client).oldest_use <= datetime.now(UTC).date()
        change(
            tmp_path, "UPDATE documents SET expires = ? WHERE key = ?", 86_400, list(DOCUMENTS)[7]
        )
        assert cache.info(client).oldest_use == date(1970, 1, 2)


FILLER = """
import os, sys
from hubframe.oci.digests import Document, digest_of
from hubframe import Settings
from hubframe.wire.blobs import Blobs
from hubframe.wire.store import Store
store = Store(Settings(cache_dir=sys.argv[1]))
kept = Blobs(store)
for number in range(1500):
    body = b"%06d" % number * 500
    kept.put(Document(digest_of(body), body))
print(len(store.documents.entries()), store.unsaved)
"""


def fill(folder):
    command = [sys.executable, "-c", FILLER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    kept, unsaved = map(int, done.stdout.split())
    return kept, unsaved, done.stderr


def test_a_disk_that_fills_keeps_what_fits(small):
    kept, unsaved, said = fill(small / "kept")

    assert 20 < kept < 1500
    assert kept + unsaved == 1500
    assert said.count("CacheWarning") == 1
    assert change(small / "kept", "PRAGMA integrity_check") == [("ok",)]
    ((count,),) = change(small / "kept", "SELECT count(*) FROM documents")
    assert count == kept


def test_a_disk_that_is_full_already_keeps_nothing(small):
    with suppress(OSError):
        (small / "all").write_bytes(b"x" * 2**21)
    *_, said = fill(small / "kept")
    assert said.count("CacheWarning") == 1


def test_a_folder_on_a_file_system_that_turned_read_only(small):
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    kept, _, said = fill(small / "kept")

    assert kept == 1500
    assert said.count("CacheWarning") == 1
    assert "HUBFRAME_CACHE_DIR" in said


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="needs root")
def test_the_folder_of_somebody_else_is_replaced_by_memory(tmp_path):
    """Root may do anything: another user meets the rights."""
    filled(tmp_path / "kept")
    code = FILLER.replace("store = ", "os.setuid(65534)\nstore = ", 1)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "kept")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr.count("CacheWarning")) == ("1500 0\n", 1), done.stderr
