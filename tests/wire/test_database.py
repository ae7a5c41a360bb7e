"""Who reads a file does not wait for who writes it, and sees all that was said to be there."""

import threading
from contextlib import contextmanager

import pytest

from hubframe.wire import disk

KEPT = disk.Layout(
    1, ("CREATE TABLE kept (key TEXT PRIMARY KEY, value)",), "SELECT key, value FROM kept LIMIT 0"
)
PUT = "INSERT INTO kept VALUES (?, ?)"
GET = "SELECT key, value FROM kept WHERE key IN ({})"
SLOW = "CREATE TEMP TRIGGER slow AFTER INSERT ON kept BEGIN SELECT hold(); END"
MANY = 32
PATIENCE = 10


class Writer:
    """A thread that writes rows, and is kept at it."""

    def __init__(self, database):
        self.is_writing, self._is_over = threading.Event(), threading.Event()
        database._connection.create_function("hold", 0, self._hold)
        database.run(SLOW)
        self._thread = started(lambda: put(database, range(MANY)))
        assert self.is_writing.wait(PATIENCE)

    def _hold(self):
        self.is_writing.set()
        if not self._is_over.wait(PATIENCE):
            raise TimeoutError("somebody waited for the writer")

    @property
    def is_at_it(self):
        return self._thread.is_alive()

    def end(self):
        self._is_over.set()
        self._thread.join(PATIENCE)


def started(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def put(database, numbers):
    for number in numbers:
        database.write_soon(PUT, (str(number), number), 1)


def get(database, *keys):
    return sorted(database.select(GET, keys))


@contextmanager
def writing(path):
    database = disk.Database(path, KEPT)
    database.run(PUT, ("old", 0))
    writer = Writer(database)
    try:
        yield database, writer
    finally:
        writer.end()
        database.close()


def test_what_is_in_the_file_is_read_while_other_rows_are_written(tmp_path):
    with writing(tmp_path / "kept.sqlite") as (database, writer):
        assert get(database, "old", "none") == [("old", 0)]
        assert writer.is_at_it


def test_rows_come_on_while_others_are_written(tmp_path):
    with writing(tmp_path / "kept.sqlite") as (database, writer):
        put(database, range(MANY, 3 * MANY))
        assert writer.is_at_it

        writer.end()
        assert get(database, str(MANY), str(3 * MANY - 1)) == [("32", 32), ("95", 95)]


def test_who_asks_for_a_row_that_is_being_written_waits_for_it(tmp_path):
    with writing(tmp_path / "kept.sqlite") as (database, writer):
        seen = []
        asking = started(lambda: seen.append(get(database, "0", "old")))
        asking.join(0.2)
        before = list(seen)
        writer.end()
        asking.join(PATIENCE)

    assert (before, seen) == ([], [[("0", 0), ("old", 0)]])


def test_rows_wait_where_more_come_than_are_written(tmp_path):
    """Or they would fill the memory."""
    with writing(tmp_path / "kept.sqlite") as (database, writer):
        done = []
        coming = started(lambda: (put(database, range(MANY, 10 * MANY)), done.append(True)))
        coming.join(0.2)
        before = list(done)
        writer.end()
        coming.join(PATIENCE)

        assert (before, done) == ([], [True])
        assert get(database, str(10 * MANY - 1)) == [(str(10 * MANY - 1), 10 * MANY - 1)]


def test_a_file_in_memory_is_read_after_it_is_written():
    with writing(None) as (database, writer):
        threading.Timer(0.1, writer.end).start()

        assert get(database, "old") == [("old", 0)]


@pytest.mark.parametrize("damage", ["spoiled", "gone"])
def test_what_cannot_be_read_beside_is_read_by_who_writes(tmp_path, damage):
    path = tmp_path / "kept.sqlite"
    with writing(path) as (database, writer):
        if damage == "gone":
            path.rename(tmp_path / "elsewhere")
        else:
            with path.open("r+b") as file:
                file.write(b"\xa5" * 4096)
        threading.Timer(0.1, writer.end).start()

        assert get(database, "old") in ([("old", 0)], [])
        assert path.exists() == (damage == "spoiled"), "nobody makes a file by reading it"


def test_nothing_is_read_beside_a_file_that_was_closed(tmp_path):
    with writing(tmp_path / "kept.sqlite") as (database, writer):
        get(database, "old")
        writer.end()
        database.close()

        assert get(database, "old") == []
        assert [each.name for each in tmp_path.iterdir()] == ["kept.sqlite"]
