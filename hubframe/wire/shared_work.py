"""Work that many threads want at once is done once, and all of them have its outcome."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from hubframe.wire import cancellation

Outcome = TypeVar("Outcome")


class SharedWork(Generic[Outcome]):
    """What is under way, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Outcome]] = {}

    def join(self, key: Hashable, work: Callable[..., Outcome], *args: Any) -> Outcome:
        """Do the work, or wait for the thread that does it; a failure is shared too."""
        while True:
            with self._lock:
                is_mine = key not in self._under_way
                future = self._under_way.setdefault(key, Future())
            if is_mine:
                try:
                    outcome = work(*args)
                except BaseException as error:  # noqa: BLE001 - whoever waits must be told
                    self._end(key)
                    future.set_exception(error)
                else:
                    self._end(key)
                    future.set_result(outcome)
            try:
                return future.result()
            except cancellation.CancelledError:
                # Nobody wants it any more where it was begun; here somebody may.
                cancellation.check()

    def _end(self, key: Hashable) -> None:
        """Forget it before it is told, so that who comes later asks anew."""
        with self._lock:
            del self._under_way[key]
