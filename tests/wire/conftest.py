"""A served sample, clients of it, and a time that tests move."""

import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier

import pytest
import requests_cache.models.response
import requests_cache.policy.actions
import requests_cache.policy.expiration

import hubframe
from hubframe.testing import Application, Fault, Reply, World, serve

from .releases import Releases

LOGIN = ("acme-bot", "sample-password")


class Stage:
    """An application on loopback sockets, and the clients that talk to it."""

    def __init__(self, stack, application, folder):
        self._stack = stack
        self.application = application
        self.served = stack.enter_context(serve(application))
        self.folder = folder

    def settings(self, **changes):
        usual = {
            "hub_url": self.served.hub_url,
            "registry_url": self.served.registry_url,
            "cache_dir": self.folder,
        }
        return hubframe.Settings(**{**usual, **changes})

    def client(self, credentials=None, **changes):
        client = hubframe.Client(self.settings(**changes), credentials)
        return self._stack.enter_context(client)

    def fail(self, part, reply, times=None, method=None):
        """Answer requests whose address holds a part; a status stands for an empty answer."""
        reply = Reply(reply) if isinstance(reply, int) else reply

        def match(request):
            return part in request.url and method in (None, request.method)

        fault = Fault(match, reply, times)
        self.application.faults.append(fault)
        return fault

    def heal(self):
        self.application.faults.clear()

    def count(self, part="", method=None):
        """Count the requests so far whose address holds a part."""
        return len(self.asked(part, method))

    def asked(self, part="", method=None):
        return [
            exchange
            for exchange in list(self.application.log)
            if part in exchange.path_and_query and method in (None, exchange.method)
        ]

    def real_answer(self, request, role="hub"):
        """Return what the service itself would answer."""
        return self.application._services[role].answer(request)


@pytest.fixture(autouse=True)
def home(monkeypatch, own):
    """A home without logins, in place of that of whoever runs the tests."""
    folder = own()
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    for name in ("DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """Reach loopback without whatever proxy the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(autouse=True)
def sleeps(sleeps):
    """Record what would be waited, and do not wait: in each of these tests."""
    return sleeps


@pytest.fixture(scope="session")
def bundled():
    return World.bundled()


@pytest.fixture(scope="session")
def releases():
    return Releases(230).world


@pytest.fixture
def stage_of(tmp_path):
    with ExitStack() as stack:
        yield lambda world, **how: Stage(stack, Application(world, **how), tmp_path / "kept")


@pytest.fixture
def stage(stage_of, bundled):
    return stage_of(bundled)


@pytest.fixture
def later(monkeypatch):
    """Move the time by which answers expire, and the one by which tokens do."""
    real = requests_cache.policy.expiration.utcnow
    wall, monotonic = time.time, time.monotonic

    def move(seconds):
        for module in (
            requests_cache.models.response,
            requests_cache.policy.actions,
            requests_cache.policy.expiration,
        ):
            monkeypatch.setattr(module, "utcnow", lambda: real() + timedelta(seconds=seconds))
        monkeypatch.setattr(time, "time", lambda: wall() + seconds)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)

    return move


@pytest.fixture
def at_once():
    """Do the same in many threads that start together."""

    def run(work, count=16):
        start = Barrier(count)

        def begin(_):
            start.wait(30)
            return work()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(begin, range(count)))

    return run


def held_by(thing):
    """All objects of ours that one of them holds, however deep."""
    found, left = {}, [thing]
    while left:
        one = left.pop()
        if id(one) in found:
            continue
        if isinstance(one, dict | list | tuple):
            left += one.values() if isinstance(one, dict) else one
        elif type(one).__module__.startswith("hubframe"):
            left += getattr(one, "__dict__", {}).values()
        found[id(one)] = one
    return [one for one in found.values() if type(one).__module__.startswith("hubframe")]


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
    subprocess.run(["umount", "-l", str(folder)], check=True)
