"""What an explorer does when a person does something: no widgets, and no waiting."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import hubframe
from hubframe.apps.explorer import panels
from hubframe.apps.explorer.model import REPOSITORY, Asked, Filters, Search, State
from hubframe.apps.explorer.panels import PANELS, Panel, Result
from hubframe.apps.explorer.work import Work
from hubframe.errors import InvalidReferenceError, NotFoundError
from hubframe.frames.limits import reported_pull_limit
from hubframe.frames.plan import Plan
from hubframe.plots import wording
from hubframe.report import report
from hubframe.tables import TAGS as TAGS_TABLE
from hubframe.wire.client import Client, default_client

# Work that takes longer than this is not begun without being asked for. [seconds]
_LONG = 30.0
# The parts of the screen, in which errors are said where they happened.
LISTING, TAGS, PANEL, PROGRESS = "listing", "tags", "panel", "progress"
# Frames that a plan is made by another's name for.
_PLANNED_AS = {"compare": "configs"}
# What a person who has never seen the sample may look for in it.
_IN_SAMPLE = ("ansible", "acme", "nginx", "registry.example/")


class Session:
    """The state of an explorer, and what is under way for it.

    `changed` is called with the part of the screen that has to be drawn anew.
    """

    def __init__(self, client: Client | None = None) -> None:
        self.client = client
        self.state = State()
        self.result: Result | None = None  # what the open panel shows
        self.read: State | None = None  # the state that it was read for
        self.plan: Plan | None = None  # what has to be agreed to before it is read
        self.messages: dict[str, str] = {}  # what went wrong, by part of the screen
        # A title, how much is done, of how much, and a note, while something is under way.
        self.progress: tuple[str, int, int, str] | None = None
        self.is_dark = False
        self.changed: Callable[[str], None] = lambda _: None
        self.work = Work(self._progressed, self._ended)
        self._limit = ""
        self._agreed: Callable[[], None] = lambda: None

    # What a person does.

    def look_for(self, text: str, meaning: str | None = None) -> None:
        """Find repositories, or the tags of one."""
        try:
            search = Search.read(text, meaning)
        except ValueError as error:
            self.fail(LISTING, str(error))
            return
        self._begin(LISTING, lambda: _find(search, self._client), self._found)

    def open(self, repos: Sequence[str]) -> None:
        """Open repositories, instead of those that are open: list their tags."""
        client = self._client

        def opened(tags: pd.DataFrame) -> None:
            self.state = self.state.opened(repos, tags)
            self.changed(TAGS)
            self.read_panel()

        if repos:
            self._begin(TAGS, lambda: iter([hubframe.tags_df(repos, client=client)]), opened)
        else:
            opened(TAGS_TABLE.frame())

    def filter(self, filters: Filters) -> None:
        """Look at other tags. The panel is read anew when it is asked to."""
        self.state = replace(self.state, filters=filters)
        self.messages.pop(TAGS, None)
        self.changed(TAGS)
        self.changed(PANEL)

    def choose(self, rows: Sequence[tuple[str, str]]) -> None:
        """Choose tags, and read the panel for them, where it is of those that are chosen."""
        self.state = self.state.chose(rows)
        self.changed(TAGS)
        if self.result is None or self.is_old:
            self.read_panel()

    def show(self, panel: str) -> None:
        """Open a panel."""
        self.state = replace(self.state, panel=panel)
        self.read_panel()

    def rule(self, keep: int, older_than: int) -> None:
        """Set the rule of the clean-up panel."""
        self.state = replace(self.state, keep=keep, older_than=older_than)
        self.read_panel()

    def theme(self, *, is_dark: bool) -> None:
        """Draw pictures for a page that is dark, or is not."""
        if self.is_dark != is_dark:
            self.is_dark = is_dark
            self.changed(PANEL)

    def agree(self) -> None:
        """Fetch what the plan is of."""
        self._agreed()

    def decline(self) -> None:
        """Do not fetch what the plan is of."""
        self.plan = None
        self.changed(PANEL)

    def report(self, done: Callable[[bytes], None]) -> None:
        """Write a report about what panels read, and hand it over as a zip archive."""
        asked, client = self.state.asked(), self._client
        price = partial(_price, asked, "configs", client)
        self._fetch(price, lambda: iter([_archive(asked, client)]), done)

    def read_panel(self) -> None:
        """Read what the open panel shows; what costs pulls only if that is agreed to."""
        state, panel, client = self.state, self.panel, self._client
        self.work.cancel()
        self.result, self.read, self.plan = None, state, None
        self.messages.pop(PANEL, None)
        if panels.missing(panel, state):
            self.changed(PANEL)
            return
        name = panel.fetches[0]
        price = partial(_price, panel.asked(state), _PLANNED_AS.get(name, name), client)
        steps = partial(panel.steps, state, client)

        def got(result: Result) -> None:
            self.result = result

        self._fetch(price, steps, got)

    def cancel(self) -> None:
        """End what is under way; what was fetched is kept."""
        if not self.work.is_busy:
            return
        self.work.cancel()
        self.progress = None
        if self.is_partial or self.result is None:
            self.messages[PANEL] = "Cancelled. What was fetched is kept."
        self.changed(PANEL)
        self.changed(PROGRESS)

    # What is on screen.

    @property
    def panel(self) -> Panel:
        """The panel that is open."""
        return PANELS[self.state.panel]

    @property
    def is_partial(self) -> bool:
        """Whether what is shown is not all: more is on its way, or was not waited for."""
        return self.result is not None and self.result.is_partial

    @property
    def is_old(self) -> bool:
        """Whether other tags are looked at than the panel was read for."""
        read, state = self.read or self.state, self.state
        return read is not state and self.panel.asked(read) != self.panel.asked(state)

    @property
    def may_read_again(self) -> bool:
        """Whether asking again would show more: of other tags, or what failed or was cancelled."""
        return self.is_old or self.has_failed or PANEL in self.messages

    @property
    def has_failed(self) -> bool:
        """Whether what is shown lacks what failed."""
        return self.result is not None and not self.result.is_complete

    @property
    def code(self) -> str:
        """The lines that give the frame on screen."""
        if panels.missing(self.panel, self.state):
            return ""
        read, has_client = self.read or self.state, self.client is not None
        return self.panel.code(read, has_client=has_client, collects=self.has_failed)

    @property
    def listing_code(self) -> str:
        """The line that gives the repositories on screen."""
        if self.state.search is None or self.state.listing is None:
            return ""
        function, what = self.state.search.call
        return panels.call_of(function, Asked(what), has_client=self.client is not None)

    def figure(self) -> Figure | None:
        """Draw the panel's picture; None where it has none."""
        if self.result is None or self.panel.plot is None or self.result.drawn.empty:
            return None
        with hubframe.style(dark=self.is_dark):
            figure = Figure(figsize=(9.5, 4.6))
            self.panel.plot(self.result.drawn, ax=figure.subplots())
        return figure

    @property
    def suggestions(self) -> tuple[str, ...]:
        """What may be looked for: what was before, and what was seen on the way."""
        first = _IN_SAMPLE if self._client.settings.sample else ()
        return tuple(dict.fromkeys((*self.state.recent, *self.state.seen, *first)))

    @property
    def badges(self) -> list[str]:
        """What to know of all that is on screen."""
        notes = [] if self.result is None else self.result.notes
        notes = [self.state.tags.attrs.get("hubframe", {}), *notes]
        stale = max(int(note.get("stale") or 0) for note in notes)
        badges = {
            "Sample: made-up data": self._client.settings.sample,
            "Offline: from the cache alone": self._client.is_offline,
            f"{wording.counted(stale, 'answer')} out of date": stale,
            self._limit: self._limit,
        }
        return [badge for badge, is_so in badges.items() if is_so]

    @property
    def _client(self) -> Client:
        return self.client or default_client()

    # What comes back.

    def _begin(
        self, part: str, steps: Callable[[], Iterator[Any]], step: Callable[[Any], None]
    ) -> None:
        self.messages.pop(part, None)
        # Set first: where widgets have a thread of their own, the work may be over by then.
        self.progress = ("", 0, 0, "")
        self.work.begin(steps, step, lambda words: self.fail(part, words))
        self.changed(PROGRESS)

    def _progressed(self, title: str, done: int, total: int, note: str) -> None:
        self.progress = (title, done, total, note)
        self.changed(PROGRESS)

    def _ended(self) -> None:
        # What ended may have begun the next.
        if not self.work.is_busy:
            self.progress = None
            self.changed(PROGRESS)
            # A part that nothing is added to any more has to say so.
            self.changed(PANEL)

    def fail(self, part: str, words: str) -> None:
        """Say what went wrong, where it happened."""
        self.messages[part] = words
        self.changed(part)

    def _found(self, found: tuple[Search, pd.DataFrame]) -> None:
        search, frame = found
        if search.meanings != (REPOSITORY,):
            self.state = self.state.found(search, frame)
            self.result = self.read = None
            for part in (LISTING, TAGS, PANEL):
                self.changed(part)
            return
        try:
            self.state = self.state.named(search, frame)
        except NotFoundError as error:
            self.fail(LISTING, str(error))
            return
        for part in (LISTING, TAGS):
            self.changed(part)
        self.read_panel()

    def _fetch(
        self,
        price: Callable[[], Plan | None],
        steps: Callable[[], Iterator[Any]],
        got: Callable[[Any], None],
    ) -> None:
        """Begin to fetch; what costs pulls, or takes long, only when its plan is agreed to."""
        client = self._client

        def priced() -> Iterator[Any]:
            plan = price()
            for made in steps() if plan is None else [plan]:
                self._limit = _left(client)
                yield made

        def step(made: Any) -> None:
            if isinstance(made, Plan):
                self.plan = made
                self._agreed = partial(self._fetch, lambda: None, steps, got)
            else:
                got(made)
            self.changed(PANEL)

        self.plan = None
        self._begin(PANEL, priced, step)
        self.changed(PANEL)


def _find(search: Search, client: Client) -> Iterator[tuple[Search, pd.DataFrame]]:
    """Take what was typed for what it means first of what is there."""
    missed: Exception | None = None
    for meaning in search.meanings:
        meant = replace(search, meanings=(meaning,))
        try:
            function, what = meant.call
            frame = getattr(hubframe, function)(what, client=client)
        except (NotFoundError, InvalidReferenceError) as error:
            missed = missed or error
            continue
        if len(frame) or meaning == search.meanings[-1]:
            yield meant, frame
            return
    if missed is not None:
        raise missed


def _price(asked: Asked | None, name: str, client: Client) -> Plan | None:
    """Plan a call; None where it may be made at once, as on the sample, which costs nothing."""
    if asked is None or name == "tags" or client.settings.sample:
        return None
    plan = hubframe.plan(asked.what, name, **asked.options, client=client)
    return plan if plan.pulls or plan.seconds > _LONG else None


def _archive(asked: Asked, client: Client) -> bytes:
    """Write a report, and pack its folder."""
    with TemporaryDirectory() as folder:
        page = report(asked.what, Path(folder) / "report", **asked.options, client=client)
        packed = shutil.make_archive(str(Path(folder) / "packed"), "zip", page.parent)
        return Path(packed).read_bytes()


def _left(client: Client) -> str:
    """Say how many pulls are left, as Docker Hub last told; nothing where it did not."""
    limit = None if client.settings.sample else reported_pull_limit(client)
    return "" if limit is None else f"{limit.remaining:,} of {limit.allowed:,} pulls left"
