"""Docker Hub and every OCI registry as tidy pandas frames.

>>> import hubframe
>>> with hubframe.sample():
...     tags = hubframe.tags_df("ansible/ansible", newest=3)

What fetches a frame, what measures frames and what draws them stands in `hubframe.frames`,
`hubframe.measure` and `hubframe.plots`, each alone; here are all of them but the plots.

Importing this costs next to nothing: names are loaded when they are used; ``__init__.pyi`` lists
them.
"""

# Both hold a lock of their own during a fork. Who registers last goes first: what is waited for
# below may want these locks, and must find them free.
import concurrent.futures.thread  # noqa: F401
import logging  # noqa: F401
import os
import sys
import threading
from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
# Python frees its own lock of imports in a child, but not that of each module: what another thread
# was loading during a fork would never be loaded there.
_loading = threading.RLock()


_paused: list[Any] = []


def __getattr__(name: str) -> Any:
    """Load a public name at its first use."""
    with _loading:
        return _load(name)


def _before_fork() -> None:
    """Wait until nothing is being loaded, and close the files that a child must not share."""
    _loading.acquire()
    _paused[:] = filter(None, [sys.modules.get("hubframe.wire.store")])
    for module in _paused:
        module.pause_all()


def _after_fork() -> None:
    for module in _paused:
        module.resume_all()
    _loading.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
