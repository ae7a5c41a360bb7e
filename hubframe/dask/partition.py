"""One partition: a few repositories, fetched on a worker, with what failed.

This runs on workers. A client is made there, once for each process, from the worker's own
environment; no login is part of a task.
"""

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

import hubframe
from hubframe.errors import IncompleteWarning, NoMatchWarning, RateLimitError, TransportError
from hubframe.frames.call import Errors
from hubframe.frames.selection import What, read_namespaces, references
from hubframe.tables import Column, Table
from hubframe.tables.schema import TEXT
from hubframe.wire.client import Client
from hubframe.wire.settings import Settings

# Before what failed is asked for again, doubled each time. [seconds]
_PAUSE = 1.0

FAILURES = Table("failures", "something that failed", ("ref", "error", "message"), (
    Column("ref", TEXT, "What was asked for."),
    Column("error", TEXT, "The name of the error."),
    Column("message", TEXT, "What the error says."),
))  # fmt: skip
_TABLES = (
    *("repos", "tags", "images", "layers", "history", "labels", "env", "configs", "referrers"),
    *("files", "packages", "distributions", "sboms", "provenance", "materials", "dockerfiles"),
    *("signatures", "lifecycles", "bases"),
)
# Of these another try may have an answer.
_PASSING = {TransportError.__name__, RateLimitError.__name__}


@dataclass(frozen=True)
class Order:
    """What a partition fetches, and how; it holds no login, and is checked before it is sent."""

    table: str  # the name of the frame
    errors: Errors
    retries: int  # how often what failed is asked for again
    settings: Settings | None  # None for those of the worker's environment
    options: Mapping[str, Any]  # the other keywords of the frame's function

    def __post_init__(self) -> None:
        if self.table not in _TABLES:
            raise ValueError(f"table must be one of {', '.join(_TABLES)}, not {self.table!r}")
        if self.errors not in ("raise", "collect"):
            raise ValueError(f'errors must be "raise" or "collect", not {self.errors!r}')
        if self.retries < 0:
            raise ValueError(f"retries must not be below 0, but is {self.retries}")
        if "client" in self.options:
            raise TypeError("workers make clients of their own: give settings=, not client=")
        if self.settings is not None and "@" in (self.settings.cache_url or ""):
            raise ValueError(
                "cache_url holds a login, which must not travel in tasks: leave settings out, and "
                "set HUBFRAME_CACHE_URL for each worker"
            )

    @property
    def keywords(self) -> dict[str, Any]:
        """What the frame's function is called with; a bar has no place in a worker's log."""
        return dict(sorted({"progress": False, **self.options}.items()))


def groups(table: str, what: What, size: int) -> list[list[str]]:
    """Split what is asked for into groups of so many repositories, in the order given.

    All that belongs to a repository is in one group.
    """
    if size < 1:
        raise ValueError(f"repos_per_partition must be above 0, but is {size}")
    asked: Any = what
    by_repo: dict[str, list[str]] = {}
    if table == "repos":
        by_repo = {name: [name] for name in read_namespaces(asked)}
    else:
        for reference in references(what):
            by_repo.setdefault(reference.repo, []).append(str(reference))
    named = list(by_repo.values())
    return [
        [name for names in named[start : start + size] for name in names]
        for start in range(0, len(named), size)
    ]


def fetch(names: Sequence[str], order: Order) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fetch a partition: its rows, and what failed for good.

    What may pass is asked for again; what was fetched before comes from the cache.
    """
    for left in range(order.retries, -1, -1):
        try:
            found = _fetch(names, order)
        except TransportError:
            if not left:
                raise
        else:
            failures: list[Mapping[str, str]] = found.attrs["hubframe"]["failures"]
            if not left or _PASSING.isdisjoint(one["error"] for one in failures):
                # Records of one partition would pass for those of all.
                found.attrs.clear()
                return found, FAILURES.from_records(failures)
        time.sleep(_PAUSE * 2 ** (order.retries - left))
    raise AssertionError


# The client of a worker's process, made once for all its partitions.
_client_of = cache(Client)


def _fetch(names: Sequence[str], order: Order) -> pd.DataFrame:
    client = None if order.settings is None else _client_of(order.settings)
    with warnings.catch_warnings():
        # Failures have a frame of their own, and what matches nothing here may in other partitions.
        for category in (IncompleteWarning, NoMatchWarning):
            warnings.simplefilter("ignore", category)
        found: pd.DataFrame = getattr(hubframe, f"{order.table}_df")(
            list(names), errors=order.errors, client=client, **order.keywords
        )
    return found
