"""One call of a public function: what it may do, what it did, and what failed."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from inspect import currentframe
from itertools import islice
from typing import Any, Literal, TypeVar

import pandas as pd

from hubframe.errors import (
    ALL_FAILURES,
    HubframeError,
    IncompleteWarning,
    NoMatchWarning,
    NotFoundError,
    PayloadError,
    QuotaError,
    UnknownOrderWarning,
)
from hubframe.frames import collector, suggestions
from hubframe.frames.fetching import Item, Kind, Survey, fetch, look_up
from hubframe.frames.suggestions import Matches
from hubframe.oci.reference import ImageReference
from hubframe.wire import cancellation
from hubframe.wire.cancellation import CancelledError
from hubframe.wire.client import Client, default_client
from hubframe.wire.progress import Bar, bar
from hubframe.wire.statistics import Statistics, counting
from hubframe.wire.workers import Workers

_HERE = __name__.rpartition(".")[0]
Errors = Literal["raise", "collect"]
Task = TypeVar("Task")
Result = TypeVar("Result")
# How many images are read together: it bounds what is held in memory.
_TOGETHER = 512
# And how many tags at least, so that enough is in flight.
_LEAST_TOGETHER = 64
# For how many failures of a call the closest names are looked up, where they are collected.
_MOST_SUGGESTED = 10


@dataclass
class Budget:
    """The pulls that a call may spend."""

    left: int
    beyond: frozenset[str]  # the digests that do not fit, since others go first
    is_partial: bool  # whether the caller takes what fits; otherwise running out is an error

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


@dataclass
class Call:
    """The client, the caller's wishes, and a record of what came of them."""

    client: Client
    errors: Errors
    progress: bool | None
    workers: Workers
    statistics: Statistics
    sources: set[str] = field(default_factory=set)  # who was asked: hub, registry, local
    # With errors="collect" what failed, else what no call for all tags dies of.
    failures: dict[tuple[str, str, str], None] = field(default_factory=dict)
    # Why a column is null in the rows of a repository.
    unknown: dict[tuple[str, str], str] = field(default_factory=dict)
    # Tags that a call for all tags skipped: no such platform, no layers listed, a digest tag.
    skipped: int = 0
    # Images that were read and have no label: the rows do not tell that they are there.
    unlabelled: list[list[str | None]] = field(default_factory=list)
    # Repositories whose newest tags were asked for, where neither dates nor names tell them.
    unordered: list[str] = field(default_factory=list)
    # What could not be had is not asked for again.
    refused: dict[Item, HubframeError] = field(default_factory=dict)
    budget: Budget | None = None  # None for as many pulls as it takes
    survey: Survey | None = None  # notes what would be fetched; None where it is fetched
    # Which filters of tags, which platforms, and which paths match nothing that there is.
    tags: Matches = field(default_factory=Matches)
    platforms: Matches = field(default_factory=Matches)
    files: Matches = field(default_factory=Matches)
    _suggested: int = 0
    _bar: "_Steps | None" = None

    def get(self, items: Iterable[Item], then: tuple[Kind, ...] = ()) -> dict[Item, Any]:
        """Return what is needed, each once: from here, or fetched, many at once.

        It takes the kinds of what will be needed after it, too. What could not be had is an error:
        the caller decides what that costs.
        """
        wanted = list(dict.fromkeys(items))
        if not wanted:
            return {}
        found: dict[Item, Any] = {}
        if self.survey is None or not self.survey.is_first_only:
            found = {one: self.refused[one] for one in wanted if one in self.refused}
            found |= look_up(self.client, [one for one in wanted if one not in found])
        if self.survey is not None:
            return self.survey.answer(wanted, found, then)
        missing = []
        for one in wanted:
            if one in found:
                continue
            if one.is_pull and self.budget and (error := self.budget.take(one.document)):
                self.refused[one] = found[one] = error
            else:
                missing.append(one)
        if self._bar is not None:
            self._bar.expect(len(missing), 1 + len(then))
        outcomes = self.workers.do(partial(fetch, self.client), missing, self._fetched)
        self.client.store.flush()
        return found | dict(zip(missing, outcomes, strict=True))

    def _fetched(self, item: Item, outcome: Any) -> None:
        if self._bar is not None:
            self._bar.step(item.kind)
        if isinstance(outcome, HubframeError):
            self.refused[item] = outcome
            self._go_on(outcome)

    def batches(
        self, tags: Sequence[Task], title: str, images: int = 1
    ) -> Iterator[Sequence[Task]]:
        """Yield tags of so many images each, some at a time, and show how many are done."""
        together = max(_TOGETHER // images, _LEAST_TOGETHER)
        with bar(len(tags), title, progress=self.progress) as shown:
            self.workers.cancellation.tell = shown.set_postfix_str
            left = iter(tags)
            while batch := list(islice(left, together)):
                self._bar = _Steps(shown, len(batch))
                yield batch
                self._bar.finish()
        self._bar = None

    def asks(self, references: Iterable[ImageReference]) -> None:
        """Note whether registries are asked, or this machine."""
        self.sources |= {"local" if one.is_local else "registry" for one in references}

    def scratch(self) -> "Call":
        """Return a call to look ahead with, whose records are thrown away."""
        scratch = Call(self.client, "collect", False, self.workers, self.statistics)
        scratch.refused, scratch.tags, scratch.platforms = self.refused, self.tags, self.platforms
        return scratch

    def outcomes(
        self, work: Callable[[Task], Result], tasks: Sequence[Task], title: str
    ) -> list[Result | HubframeError]:
        """Do work on many tasks at once, and return what came of each, in their order."""
        with bar(len(tasks), title, progress=self.progress) as shown:
            self.workers.cancellation.tell = shown.set_postfix_str

            def done(_: Task, outcome: Any) -> None:
                shown.update()
                self._go_on(outcome)

            found = self.workers.do(work, tasks, done)
        self.client.store.flush()
        return found

    def _go_on(self, outcome: Any) -> None:
        """End the call at a failure that it cannot do without; the caller weighs the others."""
        is_weighed = self.errors == "collect" or isinstance(outcome, NotFoundError | QuotaError)
        if isinstance(outcome, HubframeError) and not is_weighed:
            raise outcome

    def results(
        self, work: Callable[[Task], Result], tasks: Sequence[Task], title: str
    ) -> list[tuple[Task, Result]]:
        """Do work on many tasks at once, and return what came of those that did not fail."""
        return self.successes(tasks, self.outcomes(work, tasks, title))

    def successes(
        self, tasks: Iterable[Task], outcomes: Iterable[Result | HubframeError]
    ) -> list[tuple[Task, Result]]:
        """Return what came of tasks, without those that failed: these are recorded, or raised."""
        return [pair for pair in zip(tasks, outcomes, strict=True) if self.is_good(*pair)]  # type: ignore[misc]

    @contextmanager
    def sparing(self, found: Any) -> Iterator[None]:
        """Do something for a tag; one that is listed and dangles costs its own rows alone."""
        try:
            yield
        except HubframeError as error:
            if not found.is_named and isinstance(error, NotFoundError):
                words = f"{found} is listed, and what it points at is not there: {error}"
                error = NotFoundError(words)
            self.is_good(found, error, is_spared=not found.is_named)

    def is_good(self, item: Any, outcome: Any, *, is_spared: bool = False) -> bool:
        """Record a failure; raise it unless failures are collected, or it is missing and spared."""
        if not isinstance(outcome, HubframeError):
            return True
        is_spared = is_spared and isinstance(outcome, NotFoundError)
        # What is left over of a partial fetch is no failure of it.
        is_partial = self.budget is not None and self.budget.is_partial
        if isinstance(outcome, NotFoundError) and not is_spared:
            outcome = self._instead(item, outcome)
        is_left_over = is_partial and isinstance(outcome, QuotaError)
        if self.errors == "raise" and not (is_spared or is_left_over):
            raise outcome
        # Tags that are one image fail as one.
        self.failures[str(item), type(outcome).__name__, str(outcome)] = None
        return False

    def leave_out(self, item: Any, words: str) -> None:
        """Record what is left out by a rule, or is not as it should be, and ends no call."""
        self.failures[str(item), PayloadError.__name__, words] = None

    def _instead(self, item: Any, error: NotFoundError) -> NotFoundError:
        """Name what there is in place of a tag or a repository; documents have no other name."""
        reference = getattr(item, "reference", item)
        is_document = not isinstance(reference, ImageReference) or reference.digest
        if is_document or self.survey is not None or self.client.is_offline:
            return error
        self._suggested += 1
        is_too_much = self._suggested > _MOST_SUGGESTED
        return error if is_too_much else suggestions.instead(self.client, reference, error)

    def remarks(self, name: str) -> dict[type[Warning], str]:
        """Return what is to be said of the tags that were found, or were not."""
        said: dict[type[Warning], str] = {}
        if self.unordered:
            said[UnknownOrderWarning] = (
                f"{name}: which tags are the newest is not known in {', '.join(self.unordered)}: "
                "the registry tells no dates, and names such as commits tell no order"
            )
        tags, platforms = self.tags.words(suggestions.newest_names), self.platforms.words()
        found = [
            *([f"no tag matches {tags}"] if tags else []),
            *([f"no tag has an image for {platforms}"] if platforms else []),
            *([f"no image has a file {self.files.names}"] if self.files.unmatched else []),
        ]
        if found:
            said[NoMatchWarning] = f"{name}: {'. '.join(found)}"
        return said

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
                if column in frame
            ],
        }
        if table == "labels":
            # With the number of rows, so that it is seen where rows were taken out or added.
            without = {"row_count": len(frame), "images": self.unlabelled}
            frame.attrs["hubframe"]["unlabelled"] = without
        said = self.remarks(table)
        if failures:
            first = failures[0]
            said[IncompleteWarning] = (
                f"{table}: {len(failures)} of what was asked for failed and has no rows, or rows "
                f"without values; the first is {first['ref']} ({first['error']}). {ALL_FAILURES}"
            )
        for category, words in said.items():
            warnings.warn(words, category, stacklevel=_level_of_caller())
        return frame


def _level_of_caller() -> int:
    """Return the level, for who warns, of the first frame of the stack that is none of these.

    Some frames are made of others, by the functions that people call.
    """
    frame, level = currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_HERE):
        frame, level = frame.f_back, level + 1
    # This function itself is on the stack too.
    return level


@contextmanager
def calling(
    client: Client | None,
    errors: Errors = "raise",
    progress: bool | None = None,  # noqa: FBT001
) -> Iterator[Call]:
    """Begin a call."""
    if errors not in ("raise", "collect"):
        raise ValueError(f'errors must be "raise" or "collect", not {errors!r}')
    client = client or default_client()
    if client.is_closed:
        raise RuntimeError("the client was closed: make another")
    try:
        with (
            collector.held_back(),
            counting() as statistics,
            Workers(client.settings.workers, client.cancellation) as workers,
            cancellation.having(workers.cancellation),
        ):
            yield Call(client, errors, progress, workers, statistics)
    except CancelledError:
        if client.is_closed:
            words = "the client was closed during the call; what was fetched by then is kept"
            raise RuntimeError(words) from None
        raise
    finally:
        client.end_call()
        client.store.flush()


class _Steps:
    """How far a batch of tags has come, in fetched items of those that are expected."""

    def __init__(self, shown: Bar, size: int) -> None:
        self._shown, self._size = shown, size
        self._at, self._done, self._expected = 0, 0, 0

    def expect(self, count: int, waves: int) -> None:
        """Count a wave, and as many of the same size after it as are known of."""
        self._expected = max(self._expected, self._done + count * waves)

    def step(self, kind: str) -> None:
        """Count an item."""
        self._done += 1
        at = min(self._size * self._done // (self._expected or 1), self._size - 1)
        if at > self._at:
            self._shown.update(at - self._at)
            self._at = at
        else:
            self._shown.set_postfix_str(f"{kind} {self._done}", refresh=False)

    def finish(self) -> None:
        """Count the whole batch."""
        self._shown.update(self._size - self._at)
