"""The parts of the screen, each with its widgets: they show a session and tell it what is done."""

from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as widgets

from hubframe.apps.explorer import panels, wording
from hubframe.apps.explorer.grid import Grid
from hubframe.apps.explorer.handover import CopyButton, SaveButton
from hubframe.apps.explorer.model import MEANINGS, read_filters
from hubframe.apps.explorer.panels import PANELS, Result
from hubframe.apps.explorer.session import LISTING, PANEL, TAGS, Session
from hubframe.tables.files import write_csv

_LISTED = ("repo", "description", "pull_count", "star_count", "pushed_at")
_TAGGED = ("repo", "tag", "size", "platform_count", "pushed_at", "digest")
_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64", "all")
_ANYTHING = "anything"


def row(*children: widgets.Widget) -> widgets.Box:
    """Return widgets beside each other, on more lines where the window is narrow."""
    layout = widgets.Layout(display="flex", flex_flow="row wrap", align_items="center")
    return widgets.Box(children, layout=layout)


def _described(width: str) -> dict[str, Any]:
    return {
        "style": {"description_width": "initial"},
        "layout": widgets.Layout(width=width, max_width="95%"),
    }


def _reveal(widget: widgets.Widget, *, is_shown: bool) -> None:
    widget.layout.display = None if is_shown else "none"


class Section(Protocol):
    """A part of the screen."""

    box: widgets.Box

    def draw(self) -> None:
        """Show what the session has to show of it."""


class SearchSection:
    """Where a person says what to look for, and sees what there is to know of it all."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._text = widgets.Combobox(
            description="Look for",
            placeholder="ansible, nginx:1.27, ghcr.io/org/app, localhost:5000/, or words",
            continuous_update=False,
            **_described("34em"),
        )
        self._meaning = widgets.Dropdown(
            description="as", options=[_ANYTHING, *MEANINGS], **_described("11em")
        )
        self._look = widgets.Button(description="Look", button_style="primary")
        self._badges = widgets.HTML()
        self._fault = widgets.HTML()
        self.box = widgets.VBox(
            [row(self._text, self._meaning, self._look, self._badges), self._fault]
        )
        self._text.observe(lambda _: self._search(), "value")
        self._look.on_click(lambda _: self._search())

    def show_text(self, text: str) -> None:
        """Show what is looked for, and look for it."""
        self._text.value = text

    def draw(self) -> None:
        """Show what there is to know, and what went wrong."""
        self._text.options = self._session.suggestions
        self._badges.value = wording.badges(self._session.badges)
        self._fault.value = wording.paragraph(self._session.messages.get(LISTING, ""), "fault")

    def _search(self) -> None:
        meaning = None if self._meaning.value == _ANYTHING else self._meaning.value
        self._session.look_for(self._text.value, meaning)


class ProgressSection:
    """How far the work is, and a button that ends it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bar = widgets.IntProgress(min=0, max=1, layout=widgets.Layout(width="16em"))
        self._words = widgets.HTML()
        cancel = widgets.Button(description="Cancel")
        cancel.on_click(lambda _: session.cancel())
        self.box = row(self._bar, self._words, cancel)

    def draw(self) -> None:
        """Show how far it is; nothing where nothing is under way."""
        progress = self._session.progress
        # Kept in its place, so that nothing on the page moves when work begins and ends.
        self.box.layout.visibility = "hidden" if progress is None else "visible"
        if progress is None:
            return
        title, done, total, note = progress
        self._bar.max, self._bar.value = max(total, 1), done
        count = f"{done:,} of {total:,}" if total > 1 else ""
        words = " ".join(part for part in (title, count, note) if part)
        self._words.value = wording.paragraph(words or "asking")


class ListingSection:
    """The repositories that were found."""

    def __init__(self, session: Session, themed: Callable[[bool], None]) -> None:
        self._session = session
        self._grid = Grid("Repositories", key=("repo",), many=True, chose=self._open, themed=themed)
        self._code = widgets.HTML()
        self._copy = CopyButton(label="Copy as code")
        self.box = widgets.VBox(
            [widgets.HTML("<h3>Repositories</h3>"), self._grid, row(self._code, self._copy)]
        )

    def draw(self) -> None:
        """Show them; nothing where a repository was named."""
        listing = self._session.state.listing
        _reveal(self.box, is_shown=listing is not None)
        if listing is None:
            return
        chosen = [(repo,) for repo in self._session.state.repos]
        columns = [name for name in _LISTED if name in listing]
        self._grid.show(
            listing, columns, chosen=chosen, nothing="There are none, or none that you may see."
        )
        lines = self._session.listing_code
        self._code.value, self._copy.text = wording.code(lines, "Code of the repositories"), lines

    def _open(self, keys: list[tuple[Any, ...]]) -> None:
        self._session.open([repo for (repo,) in keys])


class TagsSection:
    """The tags of the repositories that were opened, and which of them are looked at."""

    def __init__(self, session: Session, themed: Callable[[bool], None]) -> None:
        self._session = session
        self._title = widgets.HTML()
        self._text = widgets.Text(
            description="Tag", placeholder="part of a name, or a glob", **_described("17em")
        )
        self._versions = widgets.Text(
            description="Versions",
            placeholder=">=2.9, <3, stable",
            continuous_update=False,
            **_described("17em"),
        )
        self._newest = widgets.BoundedIntText(
            description="Newest (0: all)", min=0, max=1_000_000, **_described("11em")
        )
        self._platform = widgets.Combobox(
            description="Platform",
            value=_PLATFORMS[0],
            options=_PLATFORMS,
            continuous_update=False,
            **_described("15em"),
        )
        self._everything = widgets.Checkbox(
            description="signatures and attestations, too", indent=False, **_described("auto")
        )
        self._none = widgets.Button(description="Choose none")
        self._fault = widgets.HTML()
        self._grid = Grid("Tags", key=("repo", "tag"), many=True, chose=self._choose, themed=themed)
        self._filters = (
            self._text,
            self._versions,
            self._newest,
            self._platform,
            self._everything,
        )
        self.box = widgets.VBox(
            [self._title, row(*self._filters, self._none), self._fault, self._grid]
        )
        for widget in self._filters:
            widget.observe(lambda _: self._filter(), "value")
        self._none.on_click(lambda _: session.choose([]))

    def draw(self) -> None:
        """Show those that are looked at; nothing where no repository is open."""
        session, state = self._session, self._session.state
        fault = session.messages.get(TAGS, "")
        _reveal(self.box, is_shown=bool(state.repos) or bool(fault))
        self._fault.value = wording.paragraph(fault, "fault")
        if not state.repos:
            return
        visible = state.visible
        names = ", ".join(state.repos)
        count = f"{len(visible):,} of {len(state.tags):,}"
        self._title.value = wording.heading(f"Tags of {names}", f"{count} shown")
        _reveal(self._none, is_shown=bool(state.chosen))
        columns = _TAGGED if len(state.repos) > 1 else _TAGGED[1:]
        self._grid.show(
            visible,
            columns,
            chosen=state.chosen,
            nothing="No tag is like that: change the filters.",
        )

    def _choose(self, keys: list[tuple[Any, ...]]) -> None:
        self._session.choose([(repo, tag) for repo, tag in keys])

    def _filter(self) -> None:
        versions = self._versions.value.strip()
        try:
            filters = read_filters(
                self._text.value,
                versions or None,
                self._newest.value,
                self._platform.value,
                everything=self._everything.value,
            )
        except ValueError as error:
            self._session.fail(TAGS, str(error))
            return
        self._session.filter(filters)


class PanelSection:
    """The open panel: what it is of, what it costs, its picture, its frame, its code."""

    def __init__(self, session: Session, themed: Callable[[bool], None]) -> None:
        self._session = session
        self._drawn: tuple[Result, bool] | None = None
        self._panels = widgets.ToggleButtons(
            options=[(panel.title, panel.name) for panel in PANELS.values()],
            value=session.state.panel,
        )
        self._keep = widgets.BoundedIntText(
            description="Keep the newest", min=1, max=1_000_000, value=10, **_described("13em")
        )
        self._older = widgets.BoundedIntText(
            description="Older than (days)", min=0, max=100_000, value=365, **_described("14em")
        )
        self._rule = row(self._keep, self._older)
        self._title, self._message = widgets.HTML(), widgets.HTML()
        self._read = widgets.Button(description="Read again")
        self._price = widgets.HTML()
        self._agree = widgets.Button(description="Fetch", button_style="primary")
        self._decline = widgets.Button(description="Not now")
        self._ask = row(self._price, self._agree, self._decline)
        self._findings, self._picture = widgets.HTML(), widgets.HTML()
        self._text = widgets.HTML()
        self._grid = Grid("Frame of the panel", themed=themed)
        self._note, self._code = widgets.HTML(), widgets.HTML()
        self._copy = CopyButton(label="Copy as code")
        self._csv = SaveButton("Save as CSV", self._save_frame)
        self._report = SaveButton("Save a report", self._save_report)
        self._shown = widgets.VBox(
            [
                self._findings,
                self._picture,
                self._text,
                self._grid,
                self._note,
                self._code,
                row(self._copy, self._csv, self._report),
            ]
        )
        self.box = widgets.VBox(
            [
                self._panels,
                row(self._title, self._read),
                self._rule,
                self._message,
                self._ask,
                self._shown,
            ]
        )
        self._panels.observe(lambda change: session.show(change["new"]), "value")
        for widget in (self._keep, self._older):
            widget.observe(lambda _: session.rule(self._keep.value, self._older.value), "value")
        self._read.on_click(lambda _: session.read_panel())
        self._agree.on_click(lambda _: session.agree())
        self._decline.on_click(lambda _: session.decline())

    def draw(self) -> None:
        """Show it; nothing where no repository is open."""
        session, state = self._session, self._session.state
        _reveal(self.box, is_shown=bool(state.repos))
        self._panels.value = state.panel
        panel = session.panel
        is_of_all = panel.name in ("overview", "cleanup", "limits")
        of = "" if is_of_all else f" Of {panels.scope(state)}."
        self._title.value = wording.heading(panel.title, f"{panel.about}{of}")
        _reveal(self._read, is_shown=session.may_read_again)
        _reveal(self._rule, is_shown=panel.name == "cleanup")
        self._draw_fault()
        self._draw_price()
        self._draw_result()

    def _draw_fault(self) -> None:
        session = self._session
        needed = panels.missing(session.panel, session.state)
        fault = session.messages.get(PANEL, "")
        self._message.value = wording.paragraph(fault, "fault") or wording.paragraph(needed)

    def _draw_price(self) -> None:
        plan = self._session.plan
        _reveal(self._ask, is_shown=plan is not None)
        if plan is not None:
            self._price.value = wording.paragraph(wording.price(plan))
            self._agree.disabled = not plan.fits

    def _draw_result(self) -> None:
        session = self._session
        result = session.result
        _reveal(self._shown, is_shown=result is not None)
        # A picture takes longer than all the rest, and what was drawn stays.
        if result is None:
            return
        told = wording.state_of(result, is_busy=session.work.is_busy)
        is_whole = result.is_complete and not result.is_partial
        self._note.value = wording.paragraph(told, "about" if is_whole else "fault")
        if self._drawn == (result, session.is_dark):
            return
        self._drawn = (result, session.is_dark)
        panel, frame = session.panel, result.frame
        self._findings.value = wording.sentences(panel, frame)
        self._picture.value = wording.picture(session.figure(), panel.title)
        self._text.value = wording.code(panel.text(frame), "Dockerfile") if panel.text else ""
        self._grid.show(frame, [name for name in panel.columns if name in frame])
        self._code.value, self._copy.text = wording.code(session.code), session.code

    def _save_frame(self) -> None:
        result = self._session.result
        if result is not None:
            content = write_csv(result.frame) or ""
            self._csv.give(f"{self._session.panel.name}.csv", content.encode())

    def _save_report(self) -> None:
        self._session.report(lambda packed: self._report.give("report.zip", packed))
