"""The registry itself dies in the middle of a call, and comes back at the same address."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pandas as pd
import pytest

import hubframe
from tests.live import registry

from .conftest import REPOSITORY
from .reader import documents_kept

# With the start of the registry this comes to two seconds.
SHORT = 1.5


class Harbour:
    """A registry that can be killed and started again, and a client that needs no proxy to it."""

    def __init__(self, stack, storage, folder):
        self._stack, self._storage, self._folder = stack, storage, folder
        self._running = self._start(registry.ANY_PORT)
        self._pool = stack.enter_context(ThreadPoolExecutor(1))
        settings = hubframe.Settings(cache_dir=folder / "kept")
        self.client = stack.enter_context(hubframe.Client(settings))
        self.repo = f"{self._running.host}/{REPOSITORY}"

    def kill(self):
        """End the registry as ``kill -9`` does."""
        self._running.process.kill()
        self._running.process.wait()

    def restart(self):
        self._running = self._start(self._running.host)

    def read(self, newest, **how):
        return hubframe.labels_df(
            self.repo, newest=newest, progress=False, client=self.client, **how
        )

    def begin(self, documents, newest, **how):
        """Begin to read in a thread, and come back when so many documents are here."""
        reading = self._pool.submit(self.read, newest, **how)
        while self.kept().documents < documents:
            time.sleep(0.002)
        return reading

    def kept(self):
        return hubframe.cache.info(self.client)

    def _start(self, address):
        serving = registry.serve(self._folder, storage=self._storage, address=address)
        return self._stack.enter_context(serving)


@pytest.fixture
def harbour(tools, storage, tmp_path):  # noqa: ARG001 - for what it checks
    before = sys.getswitchinterval()
    # Whoever waits for the right moment to kill must not wait for busy threads too. [seconds]
    sys.setswitchinterval(0.0002)
    with ExitStack() as stack:
        stack.callback(sys.setswitchinterval, before)
        yield Harbour(stack, storage, tmp_path / "harbour")


def expected(whole, harbour, newest):
    return whole[: 2 * newest].assign(repo=harbour.repo)


def test_a_short_outage_is_waited_out(harbour, whole):
    newest = 320
    reading = harbour.begin(newest, newest)
    harbour.kill()
    assert not reading.done()
    time.sleep(SHORT)
    harbour.restart()

    labels = reading.result(timeout=180)

    pd.testing.assert_frame_equal(labels, expected(whole, harbour, newest))
    assert labels.attrs["hubframe"]["complete"]
    assert documents_kept(harbour.kept().folder) == 3 * newest


@pytest.mark.usefixtures("sleeps")
@pytest.mark.parametrize("documents", [10, 48], ids=["manifests", "configs"])
def test_a_long_outage_costs_what_was_not_fetched(documents, harbour, whole):
    newest = 32
    whole = expected(whole, harbour, newest)
    reading = harbour.begin(documents, newest, errors="collect")
    harbour.kill()
    with pytest.warns(hubframe.IncompleteWarning):
        damaged = reading.result(timeout=180)

    is_here = whole.tag.isin(damaged.tag)
    failures = damaged.attrs["hubframe"]["failures"]
    assert (~is_here).sum() == 2 * len(failures) > 0
    assert {one["error"] for one in failures} == {"TransportError"}
    pd.testing.assert_frame_equal(damaged, whole[is_here].reset_index(drop=True))

    before = harbour.kept()
    harbour.restart()
    mended = harbour.read(newest)

    after = harbour.kept()
    fetched = after.documents - before.documents
    pd.testing.assert_frame_equal(mended, whole)
    assert mended.attrs["hubframe"]["requests"] == fetched, "only what was missing"
    assert documents_kept(after.folder) == 3 * newest
