"""Fetching while the kernel is free: one piece of work at a time, told of as it comes."""

import asyncio
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from hubframe.errors import HubframeError, IncompleteWarning, StaleWarning, harmless
from hubframe.wire.watching import CancelledError, Watch

Step = TypeVar("Step")
# A bar that moves more often than this costs more than it tells. [seconds]
_OFTEN = 0.1


class Post:
    """Has functions called by the thread that shows things, when it is free.

    In a kernel that is between cells, by its own loop; without one, whoever waits calls `drain`.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def __call__(self, call: Callable[[], None]) -> None:
        """Have a function called.

        Raises
        ------
        RuntimeError
            The kernel's loop is closed.
        """
        self._calls.put(call)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.drain)

    def drain(self) -> None:
        """Call what is to be called."""
        with suppress(Empty):
            while True:
                self._calls.get_nowait()()


@dataclass
class Told(Generic[Step]):
    """Whom to tell of a piece of work: each is called by the kernel's thread.

    Attributes
    ----------
    progress
        Of how far it is: a title, how much is done, of how much, and a note.
    step
        Of each result.
    failed
        Of what went wrong, in words for people.
    ended
        That it is over, however that came.
    """

    progress: Callable[[str, int, int, str], None]
    step: Callable[[Step], None]
    failed: Callable[[str], None]
    ended: Callable[[], None]


@dataclass
class Work:
    """Work behind the kernel's back. What begins ends what was under way.

    Attributes
    ----------
    post
        Has a function called by the kernel's thread.
    """

    post: Post = field(default_factory=Post)
    _watch: Watch | None = None
    _thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that somebody waits for."""
        return self._watch is not None

    def begin(self, steps: Callable[[], Iterator[Step]], told: Told[Step]) -> None:
        """Have an iterator run through, each of whose steps is a result."""
        self.cancel()
        watch = Watch(_seldom(lambda *step: self._post_for(watch, lambda: told.progress(*step))))
        self._watch = watch
        self._thread = threading.Thread(
            target=self._run, args=(watch, steps, told), name="hubframe explorer", daemon=True
        )
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

    def _run(self, watch: Watch, steps: Callable[[], Iterator[Step]], told: Told[Step]) -> None:
        # What is not complete is said beside the frame, and no cell stands behind this thread.
        for category in (IncompleteWarning, StaleWarning):
            warnings.filterwarnings("ignore", category=category, module=r"hubframe\.explorer")
        try:
            with watch.on():
                for step in steps():
                    self._post_for(watch, _calling(told.step, step))
        except CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it is said where it happened
            self._post_for(watch, _calling(told.failed, _words(error)))
        self._post_for(watch, lambda: self._end(told))

    def _end(self, told: Told[Any]) -> None:
        self._watch = None
        told.ended()

    def _post_for(self, watch: Watch, call: Callable[[], None]) -> None:
        """Have something told, unless nobody waits for this work any more by then."""

        def told() -> None:
            if self._watch is watch:
                call()

        try:
            self.post(told)
        except RuntimeError:
            # The kernel's loop is closed: there is nobody left to tell.
            watch.cancel()


def _seldom(tell: Callable[..., object]) -> Callable[[str, int, int, str], None]:
    """Tell of the first step, of the last, and of some in between."""
    last = 0.0

    def told(title: str, done: int, total: int, note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done in (0, total) or note or now - last > _OFTEN:
            last = now
            tell(title, done, total, note)

    return told


def _calling(call: Callable[[Any], None], argument: Any) -> Callable[[], None]:
    return lambda: call(argument)


def _words(error: Exception) -> str:
    """Say an error; one that hubframe does not raise on purpose with its kind."""
    if isinstance(error, HubframeError | ValueError):
        return harmless(str(error))
    return harmless(f"{type(error).__name__}: {error}")
