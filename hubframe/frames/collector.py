"""Python's garbage collector, held back while documents come by the thousand.

It looks for cycles whenever some hundred objects more are alive than before, and every so often
among all that the program holds, which is much where pandas is loaded: a fifth of the time of a
warm call. Documents hold no cycles, and go with the last who reads them.
"""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# How many objects more it takes, in place of Python's 700: what does hold a cycle goes then.
MORE = 50_000


class _Calls:
    """The calls that are under way, in all threads: the collector is the same for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._usual = gc.get_threshold()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Let it look less often until the last call is over, unless it is off, or does already.

        What is said meanwhile holds.
        """
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._usual = gc.get_threshold()
                if 0 < self._usual[0] < MORE:
                    gc.set_threshold(MORE, *self._usual[1:])
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                self._restore()

    def _restore(self) -> None:
        if self._count == 0 and gc.get_threshold()[0] == MORE:
            gc.set_threshold(*self._usual)

    def forget_parents(self) -> None:
        """Begin anew in a child process: another thread's call goes on in the parent alone."""
        was_held_back, self._count, self._lock = self._count > 0, 0, threading.Lock()
        if was_held_back:
            self._restore()


_calls = _Calls()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_calls.forget_parents)
held_back = _calls.held_back
