"""Registries with quirks, and a client with an empty cache."""

from contextlib import ExitStack

import pytest

import hubframe
from hubframe.testing import Application, World
from tests.wire.conftest import Stage, home, sleeps  # noqa: F401 - two fixtures

from . import proxy, registry, tls


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """Reach loopback without whatever proxy and certificates the machine has."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def running():
    """Run registries with quirks until the test is over."""
    with ExitStack() as stack:
        yield lambda quirks=None: stack.enter_context(registry.serve(quirks or registry.Quirks()))


@pytest.fixture
def client(tmp_path):
    """Ask as nobody in particular."""
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "kept")) as opened:
        yield opened


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """An authority of our own, and a certificate that it signed."""
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def encrypted(authority):
    """A registry behind TLS, by the names that its certificate holds."""
    one = registry.Registry(registry.Quirks())
    with registry.listening(one.answer, authority.server_context()) as host:
        one.host = host
        yield one


@pytest.fixture
def proxied(monkeypatch):
    """Run a proxy that all requests go through; it knows where names lead."""
    with ExitStack() as stack:

        def start(routes, login=None):
            one = stack.enter_context(proxy.serve(routes, login))
            for name in ("HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(name, f"http://{f'{login}@' if login else ''}{one.host}")
            monkeypatch.delenv("NO_PROXY")
            return one

        yield start


@pytest.fixture(scope="session")
def bundled():
    return World.bundled()


@pytest.fixture
def stage(bundled, tmp_path):
    """The sample, served, with faults."""
    with ExitStack() as stack:
        yield Stage(stack, Application(bundled), tmp_path / "kept")
