"""What an explorer does when a person does something: no widgets, and no waiting."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import hubframe
from hubframe.apps.explorer import panels
from hubframe.apps.explorer.listing import list_tags, look_up
from hubframe.apps.explorer.model import (
    REPOSITORY,
    Asked,
    Filters,
    Place,
    Row,
    Search,
    State,
)
from hubframe.apps.explorer.panels import PANELS, Panel, Result
from hubframe.apps.explorer.work import Work
from hubframe.errors import InvalidReferenceError, NotFoundError
from hubframe.frames.limits import reported_pull_limit
from hubframe.frames.plan import Plan
from hubframe.frames.readers import FRAMES
from hubframe.plots import wording
from hubframe.report import report
from hubframe.tables import TAGS as TAGS_TABLE
from hubframe.wire import cancellation
from hubframe.wire.client import Client, default_client
from hubframe.wire.limits import Limit

# Work that takes longer than this is not begun without being asked for. [seconds]
_LONG = 30.0
# Nobody who types waits so long between two letters. [seconds]
_TYPING = 0.35
_MOST_PAST = 99
# The keywords that say which images of a tag.
_WHICH = {"platform", "attestations"}
# How large pictures are. A narrow page shows one that is wider, and scaled. [CSS pixels]
_WIDTH, _LEAST_WIDTH = 912, 400
_DPI = 96
# In inches, as matplotlib counts.
_LEAST_HEIGHT, _MOST_HEIGHT = 2.3, 5.8
_ROOM, _ROW, _LINE = 1.4, 0.17, 0.2
# The parts of the screen, in which errors are said where they happened.
LISTING, TAGS, PANEL, PROGRESS = "listing", "tags", "panel", "progress"
# Frames that a plan is made by another's name for.
# Those that read documents beside the layers of an image.
_BESIDE = ("labels", "provenance", "signatures")
_PLANNED_AS = {"compare": "configs"}
# What a person who is new here may begin with, and what it is.
_IN_SAMPLE = {
    "ansible": "a namespace: its repositories",
    "ansible/ansible": "a repository: its releases, and how they grew",
    "nginx:latest": "one image: its layers",
    "acme": "a company whose tags are in no order",
    "registry.example/shop/web": "a repository whose layers can be read: what is inside",
    "registry.example/": "a registry: what it lists",
}
_ON_HUB = {
    "python": "an official image: its tags",
    "nginx:latest": "one image: its layers",
    "ansible": "a namespace: its repositories",
    "ghcr.io/astral-sh/uv": "a repository on another registry",
    "web server": "what a search finds",
}


@dataclass(frozen=True)
class Offer:
    """What a panel costs, to be agreed to before it is read."""

    plan: Plan
    fitting: int = 0  # where it does not fit: how many of the newest images do
    size: int = 0  # how much there is to download beside it [bytes]


class Session:
    """The state of an explorer, and what is under way for it.

    `changed` is called with the part of the screen that has to be drawn anew.
    """

    def __init__(
        self, client: Client | None = None, given: Mapping[str, pd.DataFrame] | None = None
    ) -> None:
        self.client = client
        self.state = State(given=given or {})
        self.result: Result | None = None  # what is shown, with what it was read for
        self.offer: Offer | None = None  # what has to be agreed to before the panel is read
        self.messages: dict[str, str] = {}  # what went wrong, by part of the screen
        # A title, how much is done, of how much, and a note, while something is under way.
        self.progress: tuple[str, int, int, str] | None = None
        self.is_dark = False
        self.changed: Callable[[str], None] = lambda _: None
        self.work = Work(self._progressed, self._ended)
        # What is asked for the rows in view, beside whatever else is under way.
        self.looking = Work(lambda *_: None, lambda: None)
        self._looked_up: set[Row] = set()
        self._limit: Limit | None = None
        self._agreed: Callable[[], None] = lambda: None
        self._past: list[State] = []
        self._wanted: Place | None = None  # where to go to once what is looked for is found

    # What a person does.

    def look_for(self, text: str, meaning: str | None = None) -> None:
        """Find repositories, or the tags of one."""
        self._wanted = None
        self._look_for(text, meaning)

    def go(self, place: Place) -> None:
        """Go to a place that an address or a line of code tells of."""
        if self._past and self._past[-1].place == place:
            self.back()
            return
        self._wanted = place
        self._look_for(place.what, place.meaning or None)

    def open(self, repos: Sequence[str]) -> None:
        """Open repositories, instead of those that are open: list their tags."""
        client = self._client

        def opened(tags: pd.DataFrame) -> None:
            self._move(self._arrived(self.state.opened(repos, tags)))
            self.changed(LISTING)
            self.changed(TAGS)
            self.read_panel()

        def failed(words: str) -> None:
            self.fail(TAGS, f"{words}{self._still_shown}")
            # What is chosen there is what is open.
            self.changed(LISTING)

        if repos:
            self._begin(TAGS, lambda: iter([list_tags(repos, client)]), opened, failed)
        else:
            self.messages.pop(TAGS, None)
            opened(TAGS_TABLE.frame())

    def look_up(self, rows: Sequence[Row]) -> None:
        """Look up what a registry does not list of the tags that are in view."""
        state, client = self.state, self._client
        if state.is_whole:
            return
        tags = state.tags
        known = tags[tags["digest"].notna() | tags["size"].notna()]
        here = set(zip(known["repo"], known["tag"], strict=True)) | self._looked_up
        lacking = [row for row in rows if row not in here]
        if not lacking:
            return

        def found(images: pd.DataFrame) -> None:
            self._looked_up |= set(lacking)
            if self.state.repos != state.repos:
                return
            self.state = self.state.looked_up(images)
            self.changed(TAGS)
            if self.panel.name == "overview" or self.panel.is_given:
                self.read_panel()

        def steps() -> Iterator[pd.DataFrame]:
            # Whoever turns pages fast sees few of them.
            cancellation.wait(_TYPING)
            yield look_up(lacking, state, client)

        self.looking.begin(steps, found, lambda _: self._looked_up.update(lacking))

    def filter(self, filters: Filters) -> None:
        """Look at other tags, and read the panel for them once nothing more is typed."""
        self.state = replace(self.state, filters=filters)
        self.messages.pop(TAGS, None)
        self.changed(TAGS)
        self._read_if_old(_TYPING)

    def choose(self, rows: Sequence[Row]) -> None:
        """Choose tags, and show them: where the panel is of all tags, the last one's image."""
        panel = self.state.panel
        if rows and self.panel.scope is None:
            panel = "image"
        self._move(replace(self.state.chose(rows), panel=panel))
        self.changed(TAGS)
        self._read_if_old()

    def compare(self, old: Row, new: Row) -> None:
        """Compare two tags, in this order."""
        self._move(replace(self.state, pair=(old, new), panel="compare"))
        self._read_if_old()

    def swap(self) -> None:
        """Compare the other way round."""
        self._move(replace(self.state, pair=tuple(reversed(self.state.compared))))
        self._read_if_old()

    def show(self, panel: str) -> None:
        """Open a panel."""
        self._move(replace(self.state, panel=panel))
        self.read_panel()

    def rule(self, keep: int, older_than: int) -> None:
        """Set the rule of the clean-up panel."""
        self.state = replace(self.state, keep=keep, older_than=older_than)
        self.read_panel()

    def back(self) -> None:
        """Go back to what was shown before."""
        if not self._past:
            return
        before, now = self._past.pop(), self.state
        self.work.cancel()
        self.state = replace(before, recent=now.recent, seen=now.seen)
        self.messages.clear()
        for part in (LISTING, TAGS):
            self.changed(part)
        self.read_panel()

    def theme(self, *, is_dark: bool) -> None:
        """Draw pictures for a page that is dark, or is not."""
        if self.is_dark != is_dark:
            self.is_dark = is_dark
            self.changed(PANEL)

    def agree(self) -> None:
        """Fetch what the offer is of."""
        self._agreed()

    def agree_to_fitting(self) -> None:
        """Fetch the newest images of the offer that fit: choose them."""
        if self.offer is not None and self.offer.fitting:
            self._move(self.state.chose(self.state.taken[: self.offer.fitting]))
            self.changed(TAGS)
            self.read_panel()

    def decline(self) -> None:
        """Do not fetch what the offer is of."""
        self.offer = None
        self.fail(PANEL, "Not fetched.")

    def read_files(self) -> None:
        """Download the layers of the image that is shown, and tell what of their files is waste."""
        shown, client = self.result, self._client
        if shown is None or shown.panel.scope is not panels.one_image:
            return
        asked = shown.panel.asked(shown.state)

        def steps() -> Iterator[pd.DataFrame]:
            if asked is not None:
                yield hubframe.files_df(asked.what, **asked.options, client=client)

        def got(files: pd.DataFrame) -> None:
            if self.result is shown:
                self.result = replace(shown, fetched={**shown.fetched, "files": files})

        self._fetch(lambda: None, steps, got)

    def report(self, done: Callable[[bytes], None]) -> None:
        """Write a report about what panels read, and hand it over as a zip archive."""
        asked, client = self.state.asked(), self._client
        price = partial(_price, asked, "configs", client)
        given = self.state.given
        self._fetch(price, lambda: iter([_archive(asked, given, client)]), done)

    def read_panel(self, after: float = 0.0) -> None:
        """Read what the open panel shows; what costs pulls only if that is agreed to.

        What was read for the same panel stays until there is more, with what it was read for.
        """
        state, panel, client = self.state, self.panel, self._client
        self.work.cancel()
        shown, self.offer = self.result, None
        is_of_it = shown is not None and shown.panel is panel and shown.state.repos == state.repos
        if not is_of_it or panels.missing(panel, state):
            self.result = None
        self.messages.pop(PANEL, None)
        if panels.missing(panel, state):
            self._idle()
            return
        name = panel.fetches[0]
        asked = None if panel.held else panel.asked(state)
        images = state.images if panel.asked is State.asked else ()
        price = partial(_price, asked, _PLANNED_AS.get(name, name), client, images)
        if panel.downloads:
            price = partial(_price_of_layers, state.asked_inside(), client)
        steps = partial(panel.steps, state, client)

        def got(result: Result) -> None:
            # Something else may be open by now, where clicks have a thread of their own.
            if self.panel is panel and self.state.repos == state.repos:
                self.result = result

        self._fetch(price, steps, got, after)

    def cancel(self) -> None:
        """End what is under way; what was fetched is kept."""
        if not self.work.is_busy:
            return
        self.work.cancel()
        if self.is_partial or self.is_old or self.result is None:
            self.messages[PANEL] = "Cancelled. What was fetched is kept."
        self._idle()

    # What is on screen.

    @property
    def panels(self) -> dict[str, Panel]:
        """The panels that there is something to see in, by name."""
        given = self.state.given
        return {name: one for name, one in PANELS.items() if not one.is_given or name in given}

    @property
    def panel(self) -> Panel:
        """The panel that is open."""
        return PANELS[self.state.panel]

    @property
    def shown_state(self) -> State:
        """The state that what is shown was read for."""
        return self.state if self.result is None else self.result.state

    @property
    def is_partial(self) -> bool:
        """Whether what is shown is not all: more is on its way, or was not waited for."""
        return self.result is not None and self.result.is_partial

    @property
    def is_old(self) -> bool:
        """Whether something else is asked for than what is shown."""
        if self.result is None:
            return False
        read, state = self.result.state, self.state
        if self.result.panel is not self.panel:
            return True
        return read is not state and self.panel.asked(read) != self.panel.asked(state)

    @property
    def may_read_again(self) -> bool:
        """Whether asking again would show more: of other tags, or what failed or was cancelled."""
        if self.work.is_busy or self.offer is not None:
            return False
        return self.is_old or self.is_partial or self.has_failed or PANEL in self.messages

    @property
    def may_go_back(self) -> bool:
        """Whether there is something to go back to."""
        return bool(self._past)

    @property
    def has_failed(self) -> bool:
        """Whether what is shown lacks what failed."""
        return self.result is not None and not self.result.is_complete

    @property
    def code(self) -> str:
        """The lines that give the frame on screen."""
        state, panel = self.shown_state, self.result.panel if self.result else self.panel
        if panels.missing(panel, state):
            return ""
        has_client = self.client is not None
        lines = panel.code(state, has_client=has_client, collects=self.has_failed)
        if panel.held is not None and panel.fetches == ("tags",) and not state.is_whole:
            lines = f"# This asks for the digest of each tag, too.\n{lines}"
        if panel.is_given:
            lines = f"# {panel.name} is the frame that the explorer was given.\n{lines}"
        return self._whole(lines)

    @property
    def listing_code(self) -> str:
        """The lines that give the repositories on screen."""
        if self.state.search is None or self.state.listing is None:
            return ""
        function, what = self.state.search.call
        has_client = self.client is not None
        return self._whole(panels.call_of(function, Asked(what), has_client=has_client))

    @property
    def line(self) -> str:
        """The lines that open an explorer on what is on screen; none where nothing is."""
        state = self.state
        if state.search is None:
            return ""
        # A list and what was opened of it: the repository says as much.
        what = state.repos[0] if len(state.repos) == 1 else state.search.text
        tags = [tag for repo, tag in state.chosen if (repo,) == state.repos]
        options: dict[str, Any] = {"tags": tags} if tags else {}
        if state.repos and state.panel != State.panel:
            options["panel"] = state.panel
        has_client = self.client is not None
        asked = Asked(what, options)
        call = panels.call_of("explore", asked, has_client=has_client, given=state.given)
        return self._whole(call)

    def _whole(self, lines: str) -> str:
        """Return lines of code with what has to stand before them, in a notebook that is new."""
        before = ["import hubframe"]
        is_sample = self._client.settings.sample
        if self.client is not None and is_sample:
            before.append("client = hubframe.Client(hubframe.Settings(sample=True))")
        elif self.client is not None:
            before.append("# client is the one that the explorer was given.")
        elif is_sample:
            before.append("hubframe.sample()")
        return "\n\n".join([*before, lines])

    def figure(self, width: float = _WIDTH) -> Figure | None:
        """Draw the panel's picture, so wide in CSS pixels; None where it has none."""
        result = self.result
        if result is None or result.panel.plot is None or result.frame.empty:
            return None
        inches = max(width, _LEAST_WIDTH) / _DPI
        with hubframe.style(dark=self.is_dark):
            # Pictures have as many rows as there is room for: those that fit a high one, in one
            # that is no higher than they need.
            figure = _drawn(result, inches, _MOST_HEIGHT)
            needed = _height(figure)
            lower = figure if needed >= _MOST_HEIGHT else _drawn(result, inches, needed)
            return lower if _rows(lower) == _rows(figure) else figure

    @property
    def examples(self) -> Mapping[str, str]:
        """What a person who is new here may begin with, and what it is."""
        return _IN_SAMPLE if self._client.settings.sample else _ON_HUB

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
            _left(self._limit): self._limit is not None,
        }
        return [badge for badge, is_so in badges.items() if is_so]

    @property
    def _client(self) -> Client:
        return self.client or default_client()

    @property
    def _still_shown(self) -> str:
        names = ", ".join(self.state.repos)
        return f" Still shown: {names}." if names else ""

    # What comes back.

    def _look_for(self, text: str, meaning: str | None) -> None:
        try:
            search = Search.read(text, meaning)
        except ValueError as error:
            self.fail(LISTING, str(error))
            return

        def failed(words: str) -> None:
            self.fail(LISTING, f"{words}{self._still_shown}")

        self._begin(LISTING, lambda: _find(search, self._client), self._found, failed)

    def _move(self, state: State) -> None:
        """Go on to another state, and remember this one."""
        if self.state.search is not None and self.state.place != state.place:
            self._past = [*self._past[-_MOST_PAST:], self.state]
        self.state = state

    def _arrived(self, state: State) -> State:
        """Return the state where a person wanted to go, once it is there."""
        place, self._wanted = self._wanted, None
        return state if place is None else state.arrived(place)

    def _read_if_old(self, after: float = 0.0) -> None:
        if self.result is None or self.is_old:
            self.read_panel(after)
        else:
            self.changed(PANEL)

    def _idle(self) -> None:
        self.progress = None
        self.changed(PANEL)
        self.changed(PROGRESS)

    def _begin(
        self,
        part: str,
        steps: Callable[[], Iterator[Any]],
        step: Callable[[Any], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        self.messages.pop(part, None)
        # Set first: where widgets have a thread of their own, the work may be over by then.
        self.progress = ("", 0, 0, "")
        self.work.begin(steps, step, failed or partial(self.fail, part))
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
            self._move(self.state.found(search, frame))
            self.result = self.offer = None
            self.messages.clear()
            for part in (LISTING, TAGS, PANEL):
                self.changed(part)
            if self._wanted is not None and self._wanted.repos:
                self.open(self._wanted.repos)
            return
        try:
            state = self.state.named(search, frame)
        except NotFoundError as error:
            self.fail(LISTING, f"{error}{self._still_shown}")
            return
        self._move(self._arrived(state))
        self.messages.clear()
        for part in (LISTING, TAGS):
            self.changed(part)
        self.read_panel()

    def _fetch(
        self,
        price: Callable[[], Offer | None],
        steps: Callable[[], Iterator[Any]],
        got: Callable[[Any], None],
        after: float = 0.0,
    ) -> None:
        """Begin to fetch; what costs pulls, or takes long, only when that is agreed to."""
        client = self._client

        def priced() -> Iterator[Any]:
            if after:
                cancellation.wait(after)
            offer = price()
            for made in steps() if offer is None else [offer]:
                self._limit = None if client.settings.sample else reported_pull_limit(client)
                yield made

        def step(made: Any) -> None:
            if isinstance(made, Offer):
                self.offer = made
                self._agreed = partial(self._fetch, lambda: None, steps, got)
            else:
                got(made)
            self.changed(PANEL)

        self.offer = None
        self._begin(PANEL, priced, step)
        self.changed(PANEL)


def _drawn(result: Result, width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height))
    if result.panel.plot is not None:
        result.panel.plot(result, figure.subplots())
    return figure


def _rows(figure: Figure) -> int:
    return len(figure.axes[0].get_yticklabels())


def _height(figure: Figure) -> float:
    """Return the height in inches at which the rows of a picture are easy to read."""
    axes = figure.axes[0]
    legend = axes.get_legend()
    lines = 0 if legend is None else len(legend.get_texts())
    needed = _ROOM + _ROW * _rows(figure) + _LINE * lines
    return min(max(needed, _LEAST_HEIGHT), _MOST_HEIGHT)


def _find(search: Search, client: Client) -> Iterator[tuple[Search, pd.DataFrame]]:
    """Take what was typed for what it means first of what is there."""
    missed: Exception | None = None
    for meaning in search.meanings:
        meant = replace(search, meanings=(meaning,))
        try:
            function, what = meant.call
            if meaning == REPOSITORY and not meant.reference.digest:
                frame = list_tags([what], client)
            else:
                frame = getattr(hubframe, function)(what, client=client)
        except (NotFoundError, InvalidReferenceError) as error:
            missed = missed or error
            continue
        if len(frame) or meaning == search.meanings[-1]:
            yield meant, frame
            return
    if missed is not None:
        raise missed


def _price(
    asked: Asked | None, name: str, client: Client, images: Sequence[str] = ()
) -> Offer | None:
    """Plan a call; None where it may be made at once, as on the sample, which costs nothing.

    Of `images` as many are offered as fit, where not all do.
    """
    if asked is None or name not in FRAMES or client.settings.sample:
        return None
    plan = hubframe.plan(asked.what, name, **asked.options, client=client)
    if not plan.pulls and plan.seconds <= _LONG:
        return None
    if plan.fits:
        return Offer(plan)
    which = {word: asked.options[word] for word in _WHICH & asked.options.keys()}
    fitting, most = 0, len(images)
    while fitting < most:
        half = (fitting + most + 1) // 2
        if hubframe.plan(images[:half], name, **which, client=client).fits:
            fitting = half
        else:
            most = half - 1
    return Offer(plan, fitting)


def _price_of_layers(asked: Asked, client: Client) -> Offer | None:
    """Tell how large the layers are that are not read yet; None where nothing costs anything."""
    if client.settings.sample:
        return None
    options = {**asked.options, "errors": "collect"}
    layers = hubframe.layers_df(asked.what, **options, client=client)
    layers = layers[~layers["is_empty"].fillna(value=False)].drop_duplicates("layer_digest")
    is_here = [
        client.layer_files.find(digest, with_bodies=True) is not None
        for digest in layers["layer_digest"]
    ]
    plans = [hubframe.plan(asked.what, name, **asked.options, client=client) for name in _BESIDE]
    # They share documents: it is as many as the most of them, or more.
    most = max(plans, key=lambda plan: plan.pulls)
    if all(is_here) and not most.pulls:
        return None
    size = layers.loc[[not here for here in is_here], "size"].sum()
    return Offer(replace(most, is_exact=False), size=int(size))


def _archive(asked: Asked, given: Mapping[str, Any], client: Client) -> bytes:
    """Write a report, and pack its folder."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "report"
        page = report(asked.what, place, **asked.options, **given, client=client)
        packed = shutil.make_archive(str(Path(folder) / "packed"), "zip", page.parent)
        return Path(packed).read_bytes()


def _left(limit: Limit | None) -> str:
    """Say how many pulls are left, as Docker Hub last told; nothing where it did not."""
    return "" if limit is None else f"{limit.remaining:,} of {limit.allowed:,} pulls left"
