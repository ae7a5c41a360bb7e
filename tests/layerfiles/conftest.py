"""A shelf of layers on a served sample."""

import pytest

from tests.wire.conftest import bundled, direct, home, sleeps, stage, stage_of  # noqa: F401

from .layers import Shelf


@pytest.fixture
def shelf(stage):  # noqa: F811 - the stage is theirs
    return Shelf(stage)
