"""What befalls the files of the cache: locks that fail or are held, full disks, clocks ahead."""

import errno
import fcntl
import multiprocessing
import sqlite3
import sys
import threading
import time
import warnings
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import requests_cache

import hubframe
from hubframe import cache
from hubframe.oci.digests import Document, digest_of
from hubframe.wire.blobs import Blobs
from hubframe.wire.store import Store

from .releases import REPO

TABLES = {"http_cache": "responses", "tags": "tags", "documents": "documents"}
HOUR = 60 * 60
YEAR = 365 * 24 * HOUR
# One of the three where each of them takes seconds, and is waited for in the same way.
ONE = [pytest.param(name, marks=[] if name == "documents" else pytest.mark.slow) for name in TABLES]


@pytest.fixture
def stage(stage_of, releases):
    return stage_of(releases)


def document(number):
    body = b"%06d" % number * 500
    return Document(digest_of(body), body)


def read(stage, **settings):
    """Read in a process's stead: with a client of its own."""
    with hubframe.Client(stage.settings(**settings)) as client:
        return hubframe.labels_df(REPO, newest=3, source="registry", client=client)


def lists(client):
    """Answers, what tags point at, and documents."""
    hubframe.tags_df(REPO, client=client)
    return hubframe.labels_df(REPO, newest=3, source="registry", client=client)


# Locks that fail


def refused(number):
    def lock(*_args, **_how):
        raise OSError(number, "no locks")

    return lambda monkeypatch, _: monkeypatch.setattr(fcntl, "lockf", lock)


def mounted(kind):
    """Have the system tell that the folder is another machine's."""

    def mount(monkeypatch, folder):
        real = Path.read_text
        at = str(folder.parent).replace(" ", r"\040")
        line = f"36 35 98:0 / {at} rw - {kind} server:/home rw\n"

        def read_text(path, *args, **how):
            told = real(path, *args, **how)
            return told + line if str(path) == "/proc/self/mountinfo" else told

        monkeypatch.setattr(Path, "read_text", read_text)

    return mount


def failing(code):
    """Have SQLite fail as it does where locks, or memory that is shared, cannot be had."""

    class Failing(sqlite3.Connection):
        def execute(self, statement, *args):
            if "sqlite_master" in statement:
                error = sqlite3.OperationalError("locking protocol")
                error.sqlite_errorcode = code
                raise error
            return super().execute(statement, *args)

    real = sqlite3.connect

    def patch(monkeypatch, _):
        monkeypatch.setattr(sqlite3, "connect", lambda *a, **how: real(*a, factory=Failing, **how))

    return patch


NO_LOCKS = {
    "no locks left": refused(errno.ENOLCK),
    "no locks at all": refused(errno.ENOSYS),
    "locks that are errors": refused(errno.EIO),
    "nfs": mounted("nfs4"),
    "cifs": mounted("cifs"),
    "sshfs": mounted("fuse.sshfs"),
    "locking protocol": failing(sqlite3.SQLITE_PROTOCOL),
    "locks of SQLite": failing(sqlite3.SQLITE_IOERR_LOCK),
    "no memory to share": failing(sqlite3.SQLITE_IOERR_SHMMAP),
}


@pytest.fixture(params=NO_LOCKS)
def unlocked(request, stage, monkeypatch):
    """A cache on a file system whose locks do not work."""
    NO_LOCKS[request.param](monkeypatch, stage.folder)
    return stage


@pytest.mark.skipif(sys.platform != "linux", reason="others tell it in other ways")
def test_where_locks_fail_a_store_serves_that_needs_none(unlocked):
    with hubframe.Client(unlocked.settings()) as client:
        labels = lists(client)
        held = cache.info(client)
    assert held.documents >= 6
    assert held.answers > 3
    spent = unlocked.count()
    with hubframe.Client(unlocked.settings()) as client:
        assert lists(client).equals(labels)
        assert unlocked.count() == spent
        assert cache.info(client) == held
        files = [path for path in unlocked.folder.rglob("*") if path.is_file()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert cache.clear(client=client).documents == held.documents
        assert cache.info(client).documents == cache.info(client).answers == 0
        hubframe.labels_df(REPO, newest=3, source="registry", client=client)
    assert unlocked.count() > spent


@pytest.mark.skipif(sys.platform != "linux", reason="others tell it in other ways")
def test_a_home_of_another_machine_is_known_by_any_name(stage, tmp_path, monkeypatch):
    folder = tmp_path / "José's notes" / "cache"
    mounted("nfs")(monkeypatch, folder)
    read(stage, cache_dir=folder)
    assert list(folder.rglob("*"))
    assert not list(folder.glob("*.sqlite"))


def test_requests_cache_reads_the_answers_that_need_no_locks(stage, monkeypatch):
    refused(errno.ENOLCK)(monkeypatch, stage.folder)
    with hubframe.Client(stage.settings()) as client:
        hubframe.tags_df(REPO, client=client)
    kept = requests_cache.CachedSession(
        stage.folder / "http_cache", backend="filesystem", serializer="json", decode_content=False
    )
    with closing(kept.cache):
        answers = list(kept.cache.filter())
    assert answers
    assert all(answer.json()["results"] for answer in answers)


def test_what_was_not_used_for_longest_goes_where_locks_fail(tmp_path, later, monkeypatch):
    refused(errno.ENOLCK)(monkeypatch, tmp_path)
    settings = hubframe.Settings(cache_dir=tmp_path, max_cache_bytes=600_000)
    old = [document(number) for number in range(150)]
    store = Store(settings)
    for one in old:
        Blobs(store).put(one)
    store.close()
    later(2 * 24 * HOUR)
    used = [one.digest for one in old[100:]]
    assert len(Blobs(store).get_many(used)) == 50
    for number in range(150, 250):
        Blobs(store).put(document(number))
    store.close()

    assert sum(path.stat().st_size for path in tmp_path.rglob("*.json")) < 650_000
    kept = Blobs(Store(settings))
    assert len(kept.get_many(used)) == 50
    assert len(kept.get_many(one.digest for one in old[:100])) < 60


def test_machines_that_write_one_folder_at_once_read_what_is_whole(tmp_path):
    """Files are there whole or not at all."""
    stores = [Store(hubframe.Settings(cache_url=str(tmp_path))) for _ in range(3)]
    wanted = {one.digest: one for one in map(document, range(200))}

    def work(store):
        for one in wanted.values():
            assert Blobs(store).get(one.digest) in (None, one)
            Blobs(store).put(one)
        store.close()

    threads = [threading.Thread(target=work, args=[store]) for store in stores]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Blobs(Store(hubframe.Settings(cache_url=str(tmp_path)))).get_many(wanted) == wanted
    assert not list(tmp_path.rglob(".*")), "nothing half is left"


# Locks that are held


@contextmanager
def locked(path, how):
    """Lock a file as another program does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        if how == "exclusive":
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE others (one)")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("how", ["exclusive", "writing"])
@pytest.mark.parametrize("name", ONE)
def test_a_file_that_another_program_has_locked_is_said_and_replaced_by_memory(stage, name, how):
    labels = read(stage)
    with (
        locked(stage.folder / f"{name}.sqlite", how),
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        began = time.monotonic()
        with hubframe.Client(stage.settings()) as client:
            assert hubframe.labels_df(REPO, newest=9, source="registry", client=client)[
                : len(labels)
            ].equals(labels)
            hubframe.tags_df(REPO, client=client)
            spent = stage.count()
            hubframe.tags_df(REPO, client=client)
            hubframe.labels_df(REPO, newest=9, source="registry", client=client)
        assert time.monotonic() - began < 20, "a few seconds are waited"
    assert stage.count() == spent
    assert [each.category for each in said] == [hubframe.CacheWarning]
    assert "locked" in str(said[0].message)
    assert "memory" in str(said[0].message)
    assert read(stage).equals(labels)
    assert not list(stage.folder.glob("*damaged*"))


def test_what_could_not_be_written_is_written_once_it_can_be(stage, later):
    with hubframe.Client(stage.settings()) as client:
        hubframe.tags_df(REPO, newest=1, client=client)
        with locked(stage.folder / "documents.sqlite", "writing"):
            with pytest.warns(hubframe.CacheWarning, match="entries"):
                hubframe.labels_df(REPO, newest=3, source="registry", client=client)
            assert cache.info(client).unsaved == 6
        later(60)
        assert cache.info(client).documents == 6
        assert cache.info(client).unsaved == 0


@pytest.mark.parametrize("name", ONE)
def test_what_cannot_be_cleared_is_an_error(stage, name):
    with hubframe.Client(stage.settings()) as client:
        lists(client)
        held = cache.info(client)
        with locked(stage.folder / f"{name}.sqlite", "writing"):
            for how in ({}, {"older_than": timedelta(0)} if name == "documents" else {}):
                with pytest.raises(hubframe.HubframeError, match="cleared: database is locked"):
                    cache.clear(client=client, **how)
        assert cache.clear(client=client).documents == held.documents
        assert cache.info(client).documents == cache.info(client).answers == 0


@pytest.mark.parametrize("name", ONE)
def test_what_cannot_be_counted_is_an_error(stage, name):
    with hubframe.Client(stage.settings()) as client:
        lists(client)
    with hubframe.Client(stage.settings()) as client:
        client.store.close()
        with (
            locked(stage.folder / f"{name}.sqlite", "exclusive"),
            pytest.raises(hubframe.HubframeError, match="read: database is locked"),
        ):
            cache.info(client)
        assert cache.info(client).documents == 6


@pytest.mark.parametrize(
    "how", [pytest.param("locked", marks=pytest.mark.slow), "locked while it is used", *TABLES]
)
def test_what_is_in_a_file_that_cannot_be_used_is_not_said_to_be_gone(stage, how):
    with hubframe.Client(stage.settings()) as client:
        lists(client)
    name = how if how in TABLES else "documents"
    path, aside = stage.folder / f"{name}.sqlite", stage.folder / "aside"
    with ExitStack() as held, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if how in TABLES:
            path.rename(aside)
            path.mkdir()
        elif how == "locked":
            held.enter_context(locked(path, "exclusive"))
        client = held.enter_context(hubframe.Client(stage.settings()))
        if how == "locked while it is used":
            client.store.close()
            held.enter_context(locked(path, "exclusive"))
        lists(client)
        with pytest.raises(hubframe.HubframeError, match="could not be cleared"):
            cache.clear(client=client)
        with pytest.raises(hubframe.HubframeError, match="could not be cleared"):
            cache.clear(client=client, older_than=timedelta(0))
    assert [each.category for each in said] == [hubframe.CacheWarning]
    if how in TABLES:
        path.rmdir()
        aside.rename(path)
    with hubframe.Client(stage.settings()) as client:
        assert cache.clear(client=client).documents >= 6
        assert cache.info(client).documents == cache.info(client).answers == 0


def write(folder, is_over, first):
    store = Store(hubframe.Settings(cache_dir=folder))
    for number in range(first, first + 10**6):
        Blobs(store).put(document(number))
        if is_over.is_set():
            break
    store.close()


def test_clearing_while_others_write_deletes(tmp_path):
    context = multiprocessing.get_context("spawn")
    is_over = context.Event()
    # What one of them wrote, the other must not write again.
    firsts = (0, 10**6)
    writers = [context.Process(target=write, args=(tmp_path, is_over, one)) for one in firsts]
    for one in writers:
        one.start()
    store = Store(hubframe.Settings(cache_dir=tmp_path))
    try:
        with hubframe.Client(hubframe.Settings(cache_dir=tmp_path)) as client:
            while len(store.documents.entries()) < 100:
                time.sleep(0.05)
            before = {entry.key for entry in store.documents.entries()}
            told = cache.clear(client=client)
            left = {entry.key for entry in store.documents.entries()}
    finally:
        is_over.set()
        for one in writers:
            one.join()
    assert told.documents >= len(before)
    assert not before & left
    assert [one.exitcode for one in writers] == [0, 0]


# Disks that are full


def fill(client):
    for number in range(500):
        client.blobs.put(document(number))
    client.store.flush()


@pytest.mark.parametrize("free", [0, 4096, 65536])
@pytest.mark.parametrize("has_locks", [True, False])
def test_a_full_disk_is_cleared(small, free, has_locks, monkeypatch):
    if not has_locks:
        refused(errno.ENOLCK)(monkeypatch, small)
    with hubframe.Client(hubframe.Settings(cache_dir=small / "kept")) as client:
        with pytest.warns(hubframe.CacheWarning, match="kept in memory") as said:
            fill(client)
        assert len(said) == 1
        held = cache.info(client)
        assert held.documents + held.unsaved == 500
        assert f"not saved  {held.unsaved}" in str(held)
        with suppress(OSError):
            (small / "others").write_bytes(b"x" * 2**21)
        with (small / "others").open("r+b") as others:
            others.truncate(max(0, (small / "others").stat().st_size - free))
        assert cache.clear(client=client).documents == held.documents
        assert cache.info(client).documents == cache.info(client).unsaved == 0
        client.blobs.put(document(1))
        client.store.flush()
        assert cache.info(client).documents == 1


# Clocks that were ahead


@pytest.fixture
def clock(monkeypatch):
    """Set the clock that tells the date; how long things take is another one's business."""
    real, utcnow = time.time, requests_cache.models.response.utcnow

    def ahead(seconds):
        monkeypatch.setattr(time, "time", lambda: real() + seconds)
        for module in (requests_cache.models.response, requests_cache.policy.expiration):
            monkeypatch.setattr(module, "utcnow", lambda: utcnow() + timedelta(seconds=seconds))

    return ahead


@pytest.fixture
def sample(stage_of, bundled):
    return stage_of(bundled)


def tags(client):
    return hubframe.tags_df("library/alpine", client=client)


def tags_of_the_registry(client):
    return hubframe.tags_df("library/alpine", source="registry", newest=3, client=client)


def repositories(client):
    return hubframe.repos_df("acme", client=client)


@pytest.mark.parametrize("ask", [tags, tags_of_the_registry, repositories])
@pytest.mark.parametrize("ahead", [5 * 60, 3 * HOUR, 20 * YEAR])
@pytest.mark.parametrize("kind", ["file", "folder", "memory"])
def test_what_was_fetched_in_the_future_is_not_fresh(sample, clock, ask, ahead, kind):
    how = {"cache_url": str(sample.folder)} if kind == "folder" else {}
    clock(ahead)
    client = sample.client(**how)
    first = ask(client)
    spent = sample.count()
    ask(client)
    assert sample.count() == spent
    clock(0)
    client = client if kind == "memory" else sample.client(**how)
    if ahead > HOUR and kind != "memory":
        held = cache.info(client)
        assert held.expired == held.answers > 0
    assert ask(client).equals(first)
    asked = sample.count() - spent
    assert asked > 0
    assert ask(client).equals(first)
    assert sample.count() == spent + asked, "what was asked anew is fresh"


def test_what_was_fetched_in_the_future_serves_as_an_old_answer(sample, clock):
    clock(YEAR)
    first = tags(sample.client())
    clock(0)
    sample.fail("/repositories/", 503)
    with pytest.warns(hubframe.StaleWarning):
        old = tags(sample.client())
    assert old.equals(first)
    assert old.attrs["hubframe"]["stale"] > 0
