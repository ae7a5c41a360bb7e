"""Work on many items at once, by threads that can be left behind.

`concurrent.futures` waits for its threads when a program ends, also for one that still hangs on an
answer after an interrupt. These do not keep a program from ending.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, Self

from hubframe.wire.cancellation import Cancellation, having

Outcome = tuple[Any, Any, BaseException | None]


class Pool:
    """Threads that do jobs, the first in order first; leaving the block calls the rest off.

    Parameters
    ----------
    most
        How many threads at most; they are made as jobs come.
    """

    def __init__(self, most: int) -> None:
        self.cancellation = Cancellation()
        self._most = most
        self._jobs: deque[tuple[Any, Callable[[], Any]]] = deque()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()
        self.cancellation.cancelled.set()

    def submit(self, key: Any, job: Callable[[], Any]) -> None:
        """Have a job done; those that were submitted first are begun first."""
        with self._changed:
            self._jobs.append((key, job))
            if self._idle:
                self._changed.notify()
            elif self._threads < self._most:
                self._threads += 1
                self._start()

    def take(self) -> list[Outcome]:
        """Wait until a job is done, and return all that are.

        Returns
        -------
        list
            For each the job's key, what it returned, and the error that it raised instead.
        """
        done = [self._outcomes.get()]
        with suppress(Empty):
            while True:
                done.append(self._outcomes.get_nowait())
        return done

    def interrupt(self, error: BaseException) -> None:
        """Wake whoever waits in `take`, with an error that belongs to no job."""
        self._outcomes.put((None, None, error))

    def _start(self) -> None:
        context = copy_context()
        threading.Thread(
            target=context.run, args=(self._work,), name="hubframe", daemon=True
        ).start()

    def _work(self) -> None:
        with having(self.cancellation):
            while (taken := self._take()) is not None:
                key, job = taken
                self._outcomes.put(_outcome(key, job))

    def _take(self) -> tuple[Any, Callable[[], Any]] | None:
        with self._changed:
            self._idle += 1
            while not self._jobs and not self._is_closed:
                self._changed.wait()
            self._idle -= 1
            if self._is_closed:
                return None
            return self._jobs.popleft()


def _outcome(key: Any, job: Callable[[], Any]) -> Outcome:
    try:
        return key, job(), None
    except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
        return key, None, error
