"""A shelf of layers on a served sample."""

import pytest

from tests.wire.conftest import *  # noqa: F403 - the stage is theirs

from .layers import Shelf


@pytest.fixture
def shelf(stage):
    return Shelf(stage)
