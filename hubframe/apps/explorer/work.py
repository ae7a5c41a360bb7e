"""Fetching while the kernel is free: one piece of work at a time, told of as it comes."""

import asyncio
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from hubframe.errors import HubframeError, IncompleteWarning, StaleWarning, harmless
from hubframe.wire.cancellation import CancelledError
from hubframe.wire.progress import Watch

# A bar that moves more often than this costs more than it tells. [seconds]
_OFTEN = 0.1


class Post:
    """Has functions called by the thread that shows things, when it is free.

    In a kernel that is between cells, by its own loop; without one, whoever waits calls `drain`.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()

    def __call__(self, call: Callable[[], None]) -> None:
        """Have a function called; a kernel whose loop is closed raises RuntimeError."""
        self._calls.put(call)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Call what is to be called."""
        with suppress(Empty):
            while True:
                self._calls.get_nowait()()


class Work:
    """Work behind the kernel's back, told of by the kernel's thread. What begins ends the former.

    `progress` is called with a title, how much is done, of how much, and a note; `ended` when it
    is over, however that came.
    """

    def __init__(
        self, progress: Callable[[str, int, int, str], None], ended: Callable[[], None]
    ) -> None:
        self.post = Post()
        self._progress, self._ended = progress, ended
        self._watch: Watch | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that somebody waits for."""
        return self._watch is not None

    def begin(
        self,
        steps: Callable[[], Iterator[Any]],
        step: Callable[[Any], None],
        failed: Callable[[str], None],
    ) -> None:
        """Run through an iterator; tell of each of its results, and in words of what went wrong."""
        self.cancel()
        last = 0.0

        def tell(title: str, done: int, total: int, note: str) -> None:
            """Tell of the first step, of the last, and of some in between."""
            nonlocal last
            now = time.monotonic()
            if done in (0, total) or note or now - last > _OFTEN:
                last = now
                self._tell(watch, partial(self._progress, title, done, total, note))

        def run() -> None:
            # What is not complete is said beside the frame, and no cell stands behind this thread.
            for category in (IncompleteWarning, StaleWarning):
                warnings.filterwarnings("ignore", category=category, module=__package__)
            try:
                with watch.on():
                    for result in steps():
                        self._tell(watch, partial(step, result))
            except CancelledError:
                pass
            except Exception as error:  # noqa: BLE001 - whatever it is, it is said where it happened
                # What hubframe does not raise on purpose is said with its kind.
                is_meant = isinstance(error, HubframeError | ValueError)
                words = str(error) if is_meant else f"{type(error).__name__}: {error}"
                self._tell(watch, partial(failed, harmless(words)))
            self._tell(watch, self._end)

        self._watch = watch = Watch(tell)
        self._thread = threading.Thread(target=run, name="hubframe explorer", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End what is under way; its results are not told any more, and what was fetched kept."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def wait(self, seconds: float) -> bool:
        """Wait for what is under way, and tell of it; return whether it is over."""
        until = time.monotonic() + seconds
        self.post.drain()
        while self._thread is not None and self._watch is not None:
            self._thread.join(max(0.0, until - time.monotonic()))
            if self._thread.is_alive():
                return False
            self.post.drain()
        return True

    def _end(self) -> None:
        self._watch = None
        self._ended()

    def _tell(self, watch: Watch, call: Callable[[], None]) -> None:
        """Have something told, unless nobody waits for this work any more by then."""
        try:
            self.post(lambda: call() if self._watch is watch else None)
        except RuntimeError:
            # The kernel's loop is closed: there is nobody left to tell.
            watch.cancel()
