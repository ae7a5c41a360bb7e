"""One partition: a few repositories, fetched on a worker, with what failed.

This runs on workers. A client is made there, once for each process, from the worker's own
environment; no login is part of a task.
"""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from hubframe.errors import IncompleteWarning, TransportError
from hubframe.frames import images as frames
from hubframe.frames.call import Errors
from hubframe.frames.selection import What, read_namespaces, references
from hubframe.tables import FETCHED, Column, Table
from hubframe.tables.schema import TEXT
from hubframe.wire.client import Client, default_client
from hubframe.wire.settings import Settings

# Before what failed is asked for again, doubled each time. [seconds]
_PAUSE = 1.0

FAILURES = Table(
    name="failures",
    row="something that was asked for and failed",
    key=("ref", "error", "message"),
    columns=(
        Column("ref", TEXT, "What was asked for."),
        Column("error", TEXT, "The name of the error."),
        Column("message", TEXT, "What the error says."),
    ),
)
_FETCH: Mapping[str, Callable[..., pd.DataFrame]] = {
    "repos": frames.repos_df,
    "tags": frames.tags_df,
    "images": frames.images_df,
    "layers": frames.layers_df,
    "history": frames.history_df,
    "labels": frames.labels_df,
    "env": frames.env_df,
    "configs": frames.configs_df,
    "referrers": frames.referrers_df,
}


@dataclass(frozen=True)
class Order:
    """What a partition fetches, and how; it holds no login.

    Attributes
    ----------
    table
        The name of the frame.
    errors, retries
        What an error costs, and how often what failed is asked for again.
    options
        The other keywords of the frame's function.
    settings
        None for those of the worker's environment.
    """

    table: str
    errors: Errors
    retries: int
    options: tuple[tuple[str, Any], ...]
    settings: Settings | None

    @classmethod
    def of(
        cls,
        table: str,
        errors: Errors,
        retries: int,
        options: Mapping[str, Any],
        settings: Settings | None,
    ) -> "Order":
        """Check what was asked for before anything is sent to a worker.

        Raises
        ------
        ValueError
            There is no such frame, or the settings hold a login.
        TypeError
            A client was given.
        """
        if table not in _FETCH:
            raise ValueError(f"table must be one of {', '.join(_FETCH)}, not {table!r}")
        if errors not in ("raise", "collect"):
            raise ValueError(f'errors must be "raise" or "collect", not {errors!r}')
        if retries < 0:
            raise ValueError(f"retries must not be below 0, but is {retries}")
        if "client" in options:
            raise TypeError("workers make clients of their own: give settings=, not client=")
        if settings is not None and "@" in (settings.cache_url or ""):
            raise ValueError(
                "cache_url holds a login, which must not travel in tasks: leave settings out, and "
                "set HUBFRAME_CACHE_URL for each worker"
            )
        # A frame for each repository may be quick: no bar in a worker's log.
        told = {"progress": False, **options}
        return cls(table, errors, retries, tuple(sorted(told.items())), settings)

    @property
    def declared(self) -> Table:
        """The declaration of its frame."""
        return FETCHED[self.table]


def groups(table: str, what: What, size: int) -> list[list[str]]:
    """Split what is asked for into groups of so many repositories, in the order given.

    All that belongs to a repository is in one group.
    """
    if size < 1:
        raise ValueError(f"repos_per_partition must be above 0, but is {size}")
    by_repo: dict[str, list[str]] = {}
    for repo, name in _named(table, what):
        by_repo.setdefault(repo, []).append(name)
    repos = list(by_repo)
    return [
        [name for repo in repos[start : start + size] for name in by_repo[repo]]
        for start in range(0, len(repos), size)
    ]


def _named(table: str, what: Any) -> Iterator[tuple[str, str]]:
    if table == "repos":
        yield from ((name, name) for name in read_namespaces(what))
    else:
        yield from ((reference.repo, str(reference)) for reference in references(what))


def fetch(names: Sequence[str], order: Order) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fetch a partition: its rows, and what failed for good."""
    found, failures = _with_retries(lambda: _fetched(names, order), order.retries)
    # Records of one partition would pass for those of all.
    found.attrs.clear()
    return found, FAILURES.from_records(failures)


def rows(names: Sequence[str], order: Order) -> pd.DataFrame:
    """Fetch a partition, and return its rows."""
    return fetch(names, order)[0]


def _with_retries(
    work: Callable[[], tuple[pd.DataFrame, list[Mapping[str, str]]]], retries: int
) -> tuple[pd.DataFrame, list[Mapping[str, str]]]:
    """Ask again for what may pass; what was fetched before comes from the cache."""
    for left in range(retries, -1, -1):
        try:
            found, failures = work()
        except TransportError:
            if not left:
                raise
        else:
            if not left or not _may_pass(failures):
                return found, failures
        time.sleep(_PAUSE * 2 ** (retries - left))
    raise AssertionError


def _fetched(names: Sequence[str], order: Order) -> tuple[pd.DataFrame, list[Mapping[str, str]]]:
    with warnings.catch_warnings():
        # Failures have a frame of their own.
        warnings.simplefilter("ignore", IncompleteWarning)
        found = _FETCH[order.table](
            list(names), errors=order.errors, client=_client(order.settings), **dict(order.options)
        )
    return found, found.attrs["hubframe"]["failures"]


def _may_pass(failures: Iterable[Mapping[str, str]]) -> bool:
    return any(one["error"] in _PASSING for one in failures)


_PASSING = frozenset({TransportError.__name__, "RateLimitError"})


def _client(settings: Settings | None) -> Client:
    return default_client() if settings is None else _client_of(settings)


@cache
def _client_of(settings: Settings) -> Client:
    """Make the client of a worker's process, once for all its partitions."""
    return Client(settings)
