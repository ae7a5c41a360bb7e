"""One call of a public function: what it may do, what it did, and what failed."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import pandas as pd

from hubframe.client import Client, default_client
from hubframe.errors import HubframeError, IncompleteWarning
from hubframe.wire.tally import Tally, counting

Errors = Literal["raise", "collect"]
Item = TypeVar("Item")
Result = TypeVar("Result")

_LEVEL_OF_CALLER = 3


@dataclass
class Call:
    """The client, the caller's wishes, and a record of what came of them.

    Attributes
    ----------
    client, errors, progress
        As the caller said.
    tally
        Requests sent and answers from the cache.
    sources
        Who was asked: ``hub``, ``registry``.
    failures
        What failed, with ``errors="collect"``.
    skipped
        Tags that a call for all tags passed over: no such platform, no layers told, a digest
        in disguise.
    """

    client: Client
    errors: Errors
    progress: bool | None
    tally: Tally
    sources: set[str] = field(default_factory=set)
    failures: list[dict[str, str]] = field(default_factory=list)
    skipped: int = 0

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
        if not self.collects:
            raise outcome
        self.failures.append(
            {"ref": str(item), "error": type(outcome).__name__, "message": str(outcome)}
        )
        return False

    @property
    def collects(self) -> bool:
        """Whether failures are collected rather than raised."""
        return self.errors == "collect"

    def finish(self, frame: pd.DataFrame, table: str) -> pd.DataFrame:
        """Write down where the rows came from, and whether they are all."""
        frame.attrs["hubframe"] = {
            "table": table,
            "source": "+".join(sorted(self.sources)) or None,
            "sample": self.client.settings.sample,
            "fetched_at": self.tally.fetched_at.isoformat(timespec="seconds"),
            "complete": not self.failures,
            "requests": self.tally.requests,
            "from_cache": self.tally.from_cache,
            "stale": self.tally.stale,
            "skipped": self.skipped,
            "failures": self.failures,
        }
        if self.failures:
            first = self.failures[0]
            warnings.warn(
                f"{table}: {len(self.failures)} of what was asked for failed and has no rows; the "
                f"first is {first['ref']} ({first['error']}). All stand in "
                'frame.attrs["hubframe"]["failures"]',
                IncompleteWarning,
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
    with counting() as tally:
        yield Call(client, errors, progress, tally)
