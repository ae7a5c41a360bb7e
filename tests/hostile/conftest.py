"""A served sample with accounts of the test's own, and a machine without logins."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from hubframe.testing import World
from tests.quirks.conftest import authority, direct  # noqa: F401 - two fixtures
from tests.wire.conftest import Stage, home, sleeps  # noqa: F401 - two fixtures
from tests.wire.test_helpers import programs  # noqa: F401 - a fixture

from .seen import PASSWORD, USER, Recorder


@pytest.fixture(scope="session")
def world():
    """The bundled sample, where acme's account has the password that is looked for."""
    bundled = World.bundled()
    bundled.accounts[USER] = replace(bundled.accounts[USER], password=PASSWORD)
    return bundled


@pytest.fixture
def stage(world, tmp_path):
    with ExitStack() as stack:
        yield Stage(stack, Recorder(world), tmp_path / "kept")


@pytest.fixture(scope="session")
def private(world):
    """The name of a repository that only acme's account sees."""
    return next(
        each.path
        for each in world.of_host("docker.io")
        if each.is_private and each.readable_by(USER)
    )
