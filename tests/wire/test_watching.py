"""Calls that another thread looks at, and cancels."""

import threading

import pytest

import hubframe
from hubframe.testing import Reply
from hubframe.wire.cancellation import CancelledError
from hubframe.wire.progress import Watch


def test_a_watch_is_told_each_step(stage):
    told = []
    with Watch(lambda *step: told.append(step)).on():
        hubframe.layers_df("ansible/ansible", newest=5, client=stage.client())
    layers = [(done, total) for title, done, total, _ in told if title.startswith("layers")]
    assert layers[0] == (0, 5)
    assert layers[-1] == (5, 5)


def test_nobody_is_told_once_nobody_looks(stage):
    told = []
    with Watch(lambda *step: told.append(step)).on():
        pass
    hubframe.tags_df("ansible/ansible", client=stage.client())
    assert not told


def test_a_call_that_hangs_ends_when_it_is_cancelled(stage):
    hangs, release = threading.Event(), threading.Event()

    def answer(_):
        hangs.set()
        release.wait(30)
        return Reply(500)

    stage.fail("/blobs/", answer)
    client, outcomes = stage.client(workers=2), []
    watch = Watch(lambda *_: None)

    def work():
        try:
            with watch.on():
                hubframe.configs_df("ansible/ansible", newest=8, client=client)
        except CancelledError as error:
            outcomes.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert hangs.wait(30)
    watch.cancel()
    thread.join(10)
    assert not thread.is_alive()
    asked = stage.count("/blobs/")
    release.set()
    assert watch.is_cancelled
    assert len(outcomes) == 1
    stage.heal()
    assert len(hubframe.configs_df("ansible/ansible", newest=8, client=client)) == 8
    assert asked <= 2


def test_what_was_cancelled_begins_nothing(stage):
    watch = Watch(lambda *_: None)
    watch.cancel()
    with watch.on(), pytest.raises(CancelledError):
        hubframe.tags_df("ansible/ansible", client=stage.client())
    assert stage.count() == 0
