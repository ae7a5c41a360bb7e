"""The garbage collector during calls: it looks less often, and afterwards as before."""

import gc
import threading

import pytest

import hubframe
from hubframe.frames import collector
from hubframe.frames import images as frames
from hubframe.frames.collector import held_back

USUAL = (700, 10, 10)


@pytest.fixture(autouse=True)
def usual():
    """Begin with Python's own thresholds, whatever the tests before did."""
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


def test_a_call_holds_it_back_and_lets_it_go(sample_client, monkeypatch):
    seen, shape = [], frames.shape.labels
    monkeypatch.setattr(
        frames.shape, "labels", lambda images: (seen.append(gc.get_threshold()), shape(images))[1]
    )
    hubframe.labels_df("library/alpine", client=sample_client)
    assert seen == [(collector.MORE, 10, 10)]
    assert gc.get_threshold() == USUAL


def test_a_call_that_fails_lets_it_go(sample_client):
    with pytest.raises(hubframe.NotFoundError):
        hubframe.labels_df("library/no-such-image", client=sample_client)
    assert gc.get_threshold() == USUAL


def test_it_is_held_back_until_the_last_of_several_calls_is_over():
    begun, end = threading.Event(), threading.Event()

    def call():
        with held_back():
            begun.set()
            end.wait(30)

    thread = threading.Thread(target=call)
    with held_back():
        thread.start()
        assert begun.wait(30)
    assert gc.get_threshold()[0] == collector.MORE
    end.set()
    thread.join(30)
    assert gc.get_threshold() == USUAL


@pytest.mark.parametrize("chosen", [(0, 10, 10), (200_000, 30, 30)])
def test_who_chose_for_themselves_keeps_that(chosen):
    gc.set_threshold(*chosen)
    with held_back():
        assert gc.get_threshold() == chosen
    assert gc.get_threshold() == chosen


def test_what_is_chosen_during_a_call_holds():
    with held_back():
        gc.set_threshold(1000, 5, 5)
    assert gc.get_threshold() == (1000, 5, 5)


def test_cycles_go_all_the_same():
    """A call is not only short work: what it leaves in cycles must not fill the memory."""
    looked = []
    told = lambda phase, _: looked.append(phase)  # noqa: E731
    with held_back():
        gc.callbacks.append(told)
        held = [[] for _ in range(collector.MORE + 1)]
        gc.callbacks.remove(told)
    assert looked, len(held)
