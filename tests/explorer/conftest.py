"""The sample, and sessions that look at it."""

import ast
import threading

import pytest

import hubframe
from hubframe.apps.explorer.session import Session
from hubframe.testing import Fault, Reply

# Nothing is waited for so long but on a machine that does much else. [seconds]
PATIENCE = 180


@pytest.fixture
def sample():
    """Answer from the sample."""
    with hubframe.sample():
        yield


@pytest.fixture
def session(sample):  # noqa: ARG001 - it is there while the session is
    """Begin a session on the sample, and end it."""
    begun = Session()
    yield begun
    begun.cancel()


def run(code, **names):
    """Run code as a cell does, and return the value of its last expression."""
    # The sample is on already, for as long as the test takes.
    *lines, last = ast.parse(code.replace("hubframe.sample()", "")).body
    names = {"hubframe": hubframe, **names}
    exec(compile(ast.Module(lines, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def hold(application, part):
    """Keep answers back whose address holds a part, until told; say when the first is."""
    held, release = threading.Event(), threading.Event()

    def answer(_):
        held.set()
        release.wait(PATIENCE)
        return Reply(503)

    application.faults.append(Fault(lambda request: part in request.url, answer, None))
    return held, release
