"""The threads of one call, and what ends them."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, Self, TypeVar

from hubframe.errors import HubframeError
from hubframe.wire import cancellation
from hubframe.wire.cancellation import Cancellation

Item = TypeVar("Item")
Result = TypeVar("Result")

# How often a waiting thread looks whether the call is still wanted. [seconds]
_GLANCE = 0.1
# How long threads are waited for that are to end. [seconds]
_PATIENCE = 2.0


class Workers:
    """Threads that do work on many items at once; leaving the block cancels what is left.

    They are made as work comes, so many (`most`) at most; `whole` ends them, too.
    """

    def __init__(self, most: int, whole: Cancellation | None = None) -> None:
        self._most = most
        self._executor: ThreadPoolExecutor | None = None
        self._under_way: list[Future[None]] = []
        self.cancellation = Cancellation(cancellation.current(), whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancellation.cancel()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            # One that hangs where nothing can end it is not waited for.
            begun = [one for one in self._under_way if not one.cancelled()]
            left = wait(begun, timeout=_PATIENCE).not_done
            self._executor.shutdown(wait=not left)

    def do(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        done: Callable[[Item, Any], object] = lambda _item, _outcome: None,
    ) -> list[Result | HubframeError]:
        """Do work on many items, and return what came of it, in their order.

        For an item that fails, that is its error; errors that are not ours are raised. `done` is
        told each outcome as it comes, and what it raises ends the call.
        """
        outcomes: list[Any] = [None] * len(items)
        with cancellation.having(self.cancellation):
            if len(items) == 1:
                cancellation.check()
                try:
                    outcomes[0] = work(items[0])
                except HubframeError as failure:
                    outcomes[0] = failure
                done(items[0], outcomes[0])
                return outcomes
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._most, "hubframe")
            left = deque(enumerate(items))
            came: deque[tuple[int, Any, BaseException | None]] = deque()
            over = threading.Event()
            threads = min(self._most, len(items))
            self._under_way = [
                self._executor.submit(copy_context().run, self._go_on, work, left, came, over)
                for _ in range(threads)
            ]
            missing = len(items)
            while missing:
                # Waking up for each of them would take the others' time.
                over.wait(_GLANCE)
                over.clear()
                cancellation.check()
                while came:
                    place, outcome, error = came.popleft()
                    if error is not None:
                        raise error
                    missing -= 1
                    outcomes[place] = outcome
                    done(items[place], outcome)
        return outcomes

    def _go_on(
        self,
        work: Callable[[Item], Any],
        left: deque[tuple[int, Item]],
        came: deque[Any],
        over: threading.Event,
    ) -> None:
        """Take one item after the other, while there are some and somebody waits for them."""
        while left and not self.cancellation.is_cancelled:
            try:
                place, item = left.popleft()
            except IndexError:
                break  # another thread was faster
            try:
                came.append((place, work(item), None))
            except HubframeError as error:
                came.append((place, error, None))
            except BaseException as error:  # noqa: BLE001 - the waiting thread must hear of any
                came.append((place, None, error))
                break
        over.set()
