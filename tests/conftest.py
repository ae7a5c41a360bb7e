"""What every test stands on: a machine of its own, and the bundled sample."""

import gc
import os
import shutil
import signal
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import hubframe
from hubframe.wire import cancellation
from hubframe.wire.client import use

# What is imported and collected stays to the end: to look through it for garbage takes a tenth of
# the time.
gc.disable()

# The same examples on every machine, and nothing written beside the code. How long one takes says
# nothing: the machine does other work beside.
settings.register_profile(
    "suite",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# `make test-all` chooses it: other examples each time, and many more.
settings.register_profile(
    "long", parent=settings.get_profile("suite"), derandomize=False, max_examples=300
)
settings.load_profile("suite")


# Files that take longest, on whatever machine.
LONGEST = (
    "tests/explorer/test_browser.py",
    "tests/test_docs.py",
    "tests/hostile/test_secrets.py",
    "tests/test_report.py",
    "tests/test_plots.py",
    "tests/hostile/test_bytes.py",
    "tests/wire/test_store.py",
    "tests/live/test_corpus.py",
    "tests/explorer/test_session.py",
    "tests/test_report_numbers.py",
    "tests/test_legible.py",
    "tests/test_cli.py",
    "tests/wire/test_fault_matrix.py",
    "tests/hostile/test_text.py",
    "tests/test_files.py",
    "tests/explorer/test_launch.py",
    "tests/test_share.py",
    "tests/chaos/test_stopped.py",
    "tests/wire/test_damage.py",
    "tests/live/test_frames.py",
    "tests/wire/test_fork.py",
    "tests/wire/test_quota.py",
    "tests/contents/test_oracles.py",
    "tests/chaos/test_breaking.py",
    "tests/hostile/test_csv.py",
    "tests/snapshots/test_dataset.py",
    "tests/live/test_local.py",
    "tests/cluster/test_cluster.py",
    "tests/live/test_inspect.py",
    "tests/test_cli_analyses.py",
    "tests/test_notebook.py",
    "tests/quirks/test_transport.py",
    "tests/wire/test_blobs.py",
    "tests/chaos/test_sharing.py",
    "tests/chaos/test_outage.py",
    "tests/live/test_report.py",
    "tests/test_shown.py",
    "tests/test_gallery.py",
    "tests/wire/test_cache.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Run one file more at once than there are processors: tests often wait for a server."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, or one would be left when all others are done."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))


def pytest_collection_finish():
    """Look for garbage among what tests make, and not among what is there before them."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def interrupts():
    """Hear interrupts, as a terminal's programs do: what runs tests side by side ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory):
    """A home without logins; one for all tests, since matplotlib keeps its fonts there."""
    return str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    """Return what names a folder for one test: not made, and cheaper than pytest's numbered ones."""
    folder, numbers = tmp_path_factory.mktemp("own"), count()
    return lambda: folder / str(next(numbers))


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, own, empty_home):
    """Hide the settings and logins of whoever runs the tests, and keep their cache out of it."""
    for name in ("HOME", "USERPROFILE", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, empty_home)
    for name in ("DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "SAMPLE",
        "OFFLINE",
        "HUB_URL",
        "REGISTRY_URL",
        "WORKERS",
        "MAX_CACHE_BYTES",
        "TIMEOUT",
        "CACHE_URL",
        "RATE",
    ):
        monkeypatch.delenv(f"HUBFRAME_{name}", raising=False)
    for name in ("DOCKER_USERNAME", "DOCKER_PASSWORD", "HUBFRAME_INSECURE_REGISTRIES"):
        monkeypatch.delenv(name, raising=False)
    # What tests start need not compile the package again.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("HUBFRAME_CACHE_DIR", str(own()))


@pytest.fixture
def sleeps(monkeypatch):
    """Record what would be waited, and do not wait."""
    waited = []
    monkeypatch.setattr(
        cancellation, "pause", lambda seconds, _: waited.append(seconds) if seconds else None
    )
    return waited


@pytest.fixture(scope="session")
def sample_client():
    """A client of the bundled sample, shared: nothing in it changes."""
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        yield client


@pytest.fixture
def sample(sample_client):
    """Make the sample's client the default one."""
    before = use(sample_client)
    yield sample_client
    use(before)


@pytest.fixture(scope="module")
def browser():
    """Start the browser; in CI it must be there."""
    chromium = shutil.which("chromium")
    if chromium is None and "CI" not in os.environ:
        pytest.skip("chromium is not installed")
    assert chromium, "chromium must be there in CI"
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def pictures():
    """Return the folder in which screenshots are kept, for people to look at."""
    folder = Path(__file__).parent.parent / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
