"""One call of a public function: what it may do, what it did, and what failed."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import pandas as pd

from hubframe.errors import (
    HubframeError,
    IncompleteWarning,
    QuotaError,
    UnknownOrderWarning,
)
from hubframe.frames import collector
from hubframe.wire.client import Client, default_client
from hubframe.wire.pool import Pool
from hubframe.wire.progress import Bar
from hubframe.wire.statistics import Statistics, counting

Errors = Literal["raise", "collect"]
Item = TypeVar("Item")
Result = TypeVar("Result")

_LEVEL_OF_CALLER = 3


@dataclass
class Budget:
    """The pulls that a call may spend.

    Attributes
    ----------
    left
        How many there are.
    beyond
        The digests that do not fit, since others go first.
    is_partial
        Whether the caller takes what fits; otherwise running out is an error.
    """

    left: int
    beyond: frozenset[str]
    is_partial: bool

    def take(self, digest: str) -> QuotaError | None:
        """Spend a pull; return why not."""
        if self.left > 0 and digest not in self.beyond:
            self.left -= 1
            return None
        return QuotaError(
            "no pull was left for this; ask again when there are some: what was fetched is kept",
            needed=1,
            remaining=0,
        )

    def is_quota_error(self, error: HubframeError) -> bool:
        """Tell whether an error only says that the budget of a partial fetch is spent."""
        return self.is_partial and isinstance(error, QuotaError)


@dataclass
class Call:
    """The client, the caller's wishes, and a record of what came of them.

    Attributes
    ----------
    client, errors, progress
        As the caller said.
    statistics
        Requests sent and answers from the cache.
    sources
        Who was asked: ``hub``, ``registry``.
    failures
        What failed: with ``errors="collect"``, else what no call for all tags dies of.
    unknown
        Columns that are null since they are not known, by column and repository, with the reason.
    skipped
        Tags that a call for all tags passed over: no such platform, no layers told, a digest
        in disguise.
    unordered
        Repositories whose newest tags were asked for, where neither dates nor names tell them.
    refused
        What could not be had, by what was asked for: it is not asked for again.
    budget
        The pulls that may be spent; None for as many as it takes.
    """

    client: Client
    errors: Errors
    progress: bool | None
    statistics: Statistics
    sources: set[str] = field(default_factory=set)
    failures: dict[tuple[str, str, str], None] = field(default_factory=dict)
    unknown: dict[tuple[str, str], str] = field(default_factory=dict)
    skipped: int = 0
    unordered: list[str] = field(default_factory=list)
    refused: dict[Any, HubframeError] = field(default_factory=dict)
    budget: Budget | None = None

    def pool(self, total: int, title: str) -> AbstractContextManager[tuple[Pool, Bar]]:
        """Return threads for some work, and the bar that shows how far it has come."""
        return self.client.pool(total, title, progress=self.progress)

    def spend(self, digest: str) -> QuotaError | None:
        """Take a pull out of the budget; return why not."""
        return None if self.budget is None else self.budget.take(digest)

    def scratch(self) -> "Call":
        """Return a copy whose records are thrown away, to look ahead with."""
        return replace(
            self,
            errors="collect",
            failures={},
            unknown={},
            sources=set(),
            skipped=0,
            unordered=[],
        )

    def gather(
        self, work: Callable[[Item], Result], items: Sequence[Item], title: str
    ) -> list[tuple[Item, Result]]:
        """Do work on many items at once; with ``errors="collect"`` without those that fail."""
        outcomes = self.client.gather(
            work, items, collect=self.collects, progress=self.progress, title=title
        )
        return [pair for pair in zip(items, outcomes, strict=True) if self.is_good(*pair)]  # type: ignore[misc]

    def is_good(self, item: Any, outcome: Any) -> bool:
        """Record a failure; raise it unless failures are collected."""
        if not isinstance(outcome, HubframeError):
            return True
        # What is left over of a partial fetch is no failure of it.
        if not self.collects and not (self.budget and self.budget.is_quota_error(outcome)):
            raise outcome
        self.miss(item, outcome)
        return False

    def miss(self, item: Any, error: HubframeError) -> None:
        """Record a failure that is not to be raised."""
        # Tags that are one image fail as one.
        self.failures[str(item), type(error).__name__, str(error)] = None

    @property
    def collects(self) -> bool:
        """Whether failures are collected rather than raised."""
        return self.errors == "collect"

    def finish(self, frame: pd.DataFrame, table: str) -> pd.DataFrame:
        """Write down where the rows came from, and whether they are all."""
        failures = [
            {"ref": ref, "error": error, "message": message}
            for ref, error, message in self.failures
        ]
        frame.attrs["hubframe"] = {
            "table": table,
            "source": "+".join(sorted(self.sources)) or None,
            "sample": self.client.settings.sample,
            "fetched_at": self.statistics.fetched_at.isoformat(timespec="seconds"),
            "complete": not failures,
            "requests": self.statistics.requests,
            "from_cache": self.statistics.from_cache,
            "stale": self.statistics.stale,
            "skipped": self.skipped,
            "unordered": self.unordered,
            "failures": failures,
            "unknown": [
                {"column": column, "ref": repo, "message": why}
                for (column, repo), why in self.unknown.items()
            ],
        }
        if failures:
            first = failures[0]
            warnings.warn(
                f"{table}: {len(failures)} of what was asked for failed and has no rows, or rows "
                f"without values; the first is {first['ref']} ({first['error']}). All stand in "
                'frame.attrs["hubframe"]["failures"]',
                IncompleteWarning,
                stacklevel=_LEVEL_OF_CALLER,
            )
        if self.unordered:
            warnings.warn(
                f"{table}: which tags are the newest is not known in {', '.join(self.unordered)}: "
                "the registry tells no dates, and names such as commits tell no order",
                UnknownOrderWarning,
                stacklevel=_LEVEL_OF_CALLER,
            )
        return frame


@contextmanager
def calling(
    client: Client | None,
    errors: Errors = "raise",
    progress: bool | None = None,  # noqa: FBT001
) -> Iterator[Call]:
    """Begin a call.

    Raises
    ------
    ValueError
        ``errors`` is neither "raise" nor "collect".
    """
    if errors not in ("raise", "collect"):
        raise ValueError(f'errors must be "raise" or "collect", not {errors!r}')
    client = client or default_client()
    if client.is_closed:
        raise RuntimeError("the client was closed: make another")
    try:
        with collector.held_back(), counting() as statistics:
            yield Call(client, errors, progress, statistics)
    finally:
        client.session.responses.flush()
