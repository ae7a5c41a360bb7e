"""One filled registry, one proxy before it whose plan tests change, and readers of them."""

from contextlib import ExitStack

import pytest

import hubframe
from tests.live import registry
from tests.live.conftest import tools  # noqa: F401 - asked for by name

from . import fleet, proxy, reader

REPOSITORY = "fleet"
# All of them are read by the slow tests, and no test reads more than some of the others.
SHIPS, SOME, FEW = 2000, 400, 200
SQUADS = 40


@pytest.fixture(scope="session")
def ships(request):
    """Images of one repository: two thousand where a slow test asks for them."""
    is_long = any("slow" in item.keywords for item in request.session.items)
    return [fleet.Ship.build(REPOSITORY, number) for number in range(SHIPS if is_long else SOME)]


@pytest.fixture(scope="session")
def squads():
    """Repositories of one image each."""
    return [fleet.Ship.build(f"squad/{number}", number) for number in range(SQUADS)]


@pytest.fixture(scope="session")
def storage(ships, squads, tmp_path_factory):
    """All of them on a disk."""
    folder = tmp_path_factory.mktemp("storage")
    fleet.store(folder, [*ships, *squads])
    return folder


@pytest.fixture(scope="session")
def shared_proxy(tools, storage, tmp_path_factory):  # noqa: ARG001, F811 - for what it checks
    """The proxy: one for all tests, so that all frames name the same host; use ``proxy``."""
    with (
        registry.serve(tmp_path_factory.mktemp("registry"), storage=storage) as running,
        proxy.serve(running.host) as serving,
    ):
        yield serving


@pytest.fixture(name="proxy")
def fresh_proxy(shared_proxy):
    """The proxy with an empty log, which passes everything on until told otherwise."""
    shared_proxy.begin()
    yield shared_proxy
    shared_proxy.begin()


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """Reach loopback without whatever proxy the machine has."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def cache(tmp_path):
    """The folder of a cold cache."""
    return tmp_path / "kept"


@pytest.fixture
def reading():
    """Begin to read labels in processes of their own, which end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **how: stack.enter_context(reader.Reader(*given, **how))


@pytest.fixture
def client(cache):
    """A client with a cold cache."""
    with hubframe.Client(hubframe.Settings(cache_dir=cache)) as opened:
        yield opened


@pytest.fixture(scope="session")
def whole(shared_proxy, ships):
    """The labels of all images, from the newest tag on, as they were pushed."""
    return fleet.frame(shared_proxy.host, reversed(ships))
