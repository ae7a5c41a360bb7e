"""Work that many threads want at once is done once, and all of them have its outcome."""

import threading
from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hubframe.wire import cancellation

Outcome = TypeVar("Outcome")


@dataclass
class Work(Generic[Outcome]):
    """A piece of it: whether this thread is to do it, and to set what came of it."""

    is_mine: bool
    outcome: Any = None


class SharedWork(Generic[Outcome]):
    """What is under way, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Outcome]] = {}

    @contextmanager
    def join(self, key: Hashable) -> Iterator[Work[Outcome]]:
        """Do the work inside, or wait for the thread that does it; a failure is shared too."""
        future, is_mine = self._begin(key)
        while not is_mine:
            try:
                outcome = future.result()
                break
            except cancellation.CancelledError:
                # Nobody wants it any more where it was begun; here somebody may.
                cancellation.check()
                future, is_mine = self._begin(key)
        if not is_mine:
            yield Work(is_mine=False, outcome=outcome)
            return
        work: Work[Outcome] = Work(is_mine=True)
        try:
            yield work
        except BaseException as error:
            self._end(key)
            future.set_exception(error)
            raise
        self._end(key)
        future.set_result(work.outcome)

    def _begin(self, key: Hashable) -> tuple[Future[Outcome], bool]:
        with self._lock:
            is_mine = key not in self._under_way
            return self._under_way.setdefault(key, Future()), is_mine

    def _end(self, key: Hashable) -> None:
        """Forget it before it is told, so that who comes later asks anew."""
        with self._lock:
            del self._under_way[key]
