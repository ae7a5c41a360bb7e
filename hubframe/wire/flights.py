"""Work that many threads want at once is done once, and all of them have its outcome."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from hubframe.wire import cancellation

Outcome = TypeVar("Outcome")


class Flights(Generic[Outcome]):
    """What is under way, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Future[Outcome]] = {}

    def join(self, key: Hashable, work: Callable[[], Outcome]) -> Outcome:
        """Do the work, or wait for the thread that does it; a failure is shared too."""
        while True:
            with self._lock:
                is_mine = key not in self._flights
                flight = self._flights.setdefault(key, Future())
            if is_mine:
                self._fly(key, flight, work)
            try:
                return flight.result()
            except cancellation.CancelledError:
                # Nobody wants it any more where it was begun; here somebody may.
                cancellation.check()

    def _fly(self, key: Hashable, flight: Future[Outcome], work: Callable[[], Outcome]) -> None:
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
            self._land(key)
            flight.set_exception(error)
        else:
            self._land(key)
            flight.set_result(outcome)

    def _land(self, key: Hashable) -> None:
        """Forget it before it is told, so that who comes later asks anew."""
        with self._lock:
            del self._flights[key]
