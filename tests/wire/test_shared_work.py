"""Work that several threads want at once is done once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import hubframe
from hubframe.wire.shared_work import SharedWork


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_wait_share_what_comes_and_a_later_one_tries_again(fails):
    shared, begun, may_end = SharedWork(), [], threading.Event()

    def work():
        begun.append(threading.get_ident())
        assert may_end.wait(30)
        if fails:
            raise hubframe.TransportError("down")
        return "done"

    def join():
        arrived.release()
        return shared.join("it", work)

    arrived = threading.Semaphore(0)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(join) for _ in range(3)]
        for _ in futures:
            arrived.acquire()
        # The others are about to wait for the first one, or wait already.
        threading.Event().wait(0.2)
        may_end.set()
        outcomes = [str(each.exception(30) or each.result(30)) for each in futures]

    assert outcomes == ["down" if fails else "done"] * 3
    assert len(begun) == 1
    try:
        shared.join("it", work)
    except hubframe.TransportError:
        assert fails
    assert len(begun) == 2
