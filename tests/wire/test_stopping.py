"""Calls that end before they are done leave nothing behind them."""

import threading
import time

import pytest

import hubframe
from hubframe.testing import Reply

REPO = "ansible/ansible"


def threads():
    """Name the threads that calls made and that still run."""
    return [one.name for one in threading.enumerate() if one.name.startswith("hubframe")]


def hanging(stage, part, seconds=30):
    """Let requests wait; return what tells that one does, and what lets them go on."""
    hangs, release = threading.Event(), threading.Event()

    def answer(request):
        hangs.set()
        release.wait(seconds)
        return stage.real_answer(request)

    stage.fail(part, answer)
    return hangs, release


@pytest.mark.parametrize("part", ["/tags/", "/manifests/", "/blobs/"])
def test_a_client_that_is_closed_ends_its_calls_and_says_so(stage, part):
    hangs, release = hanging(stage, part)
    client, outcomes = stage.client(), []

    def work():
        try:
            hubframe.configs_df(REPO, newest=8, source="registry", client=client)
        except RuntimeError as error:
            outcomes.append(str(error))

    caller = threading.Thread(target=work)
    caller.start()
    assert hangs.wait(30)
    client.close()
    caller.join(10)
    alive, left = caller.is_alive(), threads()
    release.set()

    assert not alive
    assert not left
    assert len(outcomes) == 1
    assert "the client was closed" in outcomes[0]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_error_leaves_no_thread_running(stage, status, sleeps):
    """The others wait for an answer when the first one is refused."""
    refused = []
    hangs, release = threading.Event(), threading.Event()

    def answer(request):
        if not refused or request.path in refused:
            refused.append(request.path)
            hangs.wait(30)
            return Reply(status)
        hangs.set()
        release.wait(30)
        return stage.real_answer(request)

    stage.fail("/blobs/", answer)
    with pytest.raises(hubframe.HubframeError):
        hubframe.configs_df(REPO, newest=30, client=stage.client())
    left = threads()
    release.set()

    assert not left
    assert all(seconds < 60 for seconds in sleeps)


def test_a_call_that_ends_well_leaves_no_thread_running(stage):
    hubframe.configs_df(REPO, newest=30, client=stage.client())
    ends = time.monotonic() + 60
    while threads() and time.monotonic() < ends:
        time.sleep(0.01)

    assert not threads()
