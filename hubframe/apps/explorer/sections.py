"""The parts of the screen, each with its widgets: they show a session and tell it what is done."""

from typing import Any

import ipywidgets as widgets

from hubframe.apps.explorer import panels, wording
from hubframe.apps.explorer.grid import Grid
from hubframe.apps.explorer.handover import CopyButton, SaveButton
from hubframe.apps.explorer.model import MEANINGS, read_filters
from hubframe.apps.explorer.panels import PANELS, Result
from hubframe.apps.explorer.session import LISTING, PANEL, TAGS, Session
from hubframe.tables.files import write_csv

_LISTED = ("repo", "description", "pull_count", "star_count", "pushed_at")
_TAGGED = PANELS["overview"].columns
_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64", "all")
_ANYTHING = "anything"


def _row(*children: widgets.Widget) -> widgets.Box:
    """Return widgets beside each other, on more lines where the window is narrow."""
    layout = widgets.Layout(display="flex", flex_flow="row wrap", align_items="center")
    return widgets.Box(children, layout=layout)


def _field(kind: Any, description: str, width: str, **options: Any) -> Any:
    layout = widgets.Layout(width=width, max_width="95%")
    style = {"description_width": "initial"}
    return kind(description=description, layout=layout, style=style, **options)


def _count(description: str, width: str, least: int, most: int, value: int) -> Any:
    limits = {"min": least, "max": most, "value": value}
    return _field(widgets.BoundedIntText, description, width, **limits)


def _button(description: str, pressed: Any, style: str = "") -> widgets.Button:
    button = widgets.Button(description=description, button_style=style)
    button.on_click(lambda _: pressed())
    return button


def _reveal(widget: widgets.Widget, *, is_shown: bool) -> None:
    widget.layout.display = None if is_shown else "none"


def _grid(session: Session, label: str, **options: Any) -> Grid:
    """Return a table that has the session know what page it is on."""
    grid = Grid(label, **options)
    grid.observe(lambda change: session.theme(is_dark=change["new"]), "is_dark")
    return grid


class SearchSection:
    """Where a person says what to look for, and sees what there is to know of it all."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._text = _field(
            widgets.Combobox,
            "Look for",
            "34em",
            placeholder="ansible, nginx:1.27, ghcr.io/org/app, localhost:5000/, or words",
            continuous_update=False,
        )
        self._meaning = _field(widgets.Dropdown, "as", "11em", options=[_ANYTHING, *MEANINGS])
        self._badges, self._fault = widgets.HTML(), widgets.HTML()
        look = _button("Look", self._search, "primary")
        self.box = widgets.VBox([_row(self._text, self._meaning, look, self._badges), self._fault])
        self._text.observe(lambda _: self._search(), "value")

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
        self.box = _row(self._bar, self._words, _button("Cancel", session.cancel))

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

    def __init__(self, session: Session) -> None:
        self._session = session
        self._grid = _grid(
            session,
            "Repositories",
            key=("repo",),
            many=True,
            chose=lambda keys: session.open([repo for (repo,) in keys]),
        )
        self._code, self._copy = widgets.HTML(), CopyButton(label="Copy as code")
        title = widgets.HTML("<h3>Repositories</h3>")
        self.box = widgets.VBox([title, self._grid, _row(self._code, self._copy)])

    def draw(self) -> None:
        """Show them; nothing where a repository was named."""
        listing = self._session.state.listing
        _reveal(self.box, is_shown=listing is not None)
        if listing is None:
            return
        self._grid.show(
            listing,
            [name for name in _LISTED if name in listing],
            chosen=[(repo,) for repo in self._session.state.repos],
            nothing="There are none, or none that you may see.",
        )
        self._copy.text = self._session.listing_code
        self._code.value = wording.code(self._copy.text, "Code of the repositories")


class TagsSection:
    """The tags of the repositories that were opened, and which of them are looked at."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._title, self._fault = widgets.HTML(), widgets.HTML()
        # By the names of what `read_filters` takes.
        self._filters = {
            "text": _field(widgets.Text, "Tag", "17em", placeholder="part of a name, or a glob"),
            "versions": _field(
                widgets.Text,
                "Versions",
                "17em",
                placeholder=">=2.9, <3, stable",
                continuous_update=False,
            ),
            "newest": _count("Newest (0: all)", "11em", 0, 1_000_000, 0),
            "platform": _field(
                widgets.Combobox,
                "Platform",
                "15em",
                value=_PLATFORMS[0],
                options=_PLATFORMS,
                continuous_update=False,
            ),
            "everything": _field(
                widgets.Checkbox, "signatures and attestations, too", "auto", indent=False
            ),
        }
        self._none = _button("Choose none", lambda: session.choose([]))
        self._grid = _grid(session, "Tags", key=("repo", "tag"), many=True, chose=session.choose)
        fields = _row(*self._filters.values(), self._none)
        self.box = widgets.VBox([self._title, fields, self._fault, self._grid])
        for widget in self._filters.values():
            widget.observe(lambda _: self._filter(), "value")

    def draw(self) -> None:
        """Show those that are looked at; nothing where no repository is open."""
        state = self._session.state
        fault = self._session.messages.get(TAGS, "")
        _reveal(self.box, is_shown=bool(state.repos or fault))
        self._fault.value = wording.paragraph(fault, "fault")
        if not state.repos:
            return
        visible = state.visible
        count = f"{len(visible):,} of {len(state.tags):,} shown"
        self._title.value = wording.heading(f"Tags of {', '.join(state.repos)}", count)
        _reveal(self._none, is_shown=bool(state.chosen))
        columns = _TAGGED if len(state.repos) > 1 else _TAGGED[1:]
        nothing = "No tag is like that: change the filters."
        self._grid.show(visible, columns, chosen=state.chosen, nothing=nothing)

    def _filter(self) -> None:
        typed = {name: widget.value for name, widget in self._filters.items()}
        typed["versions"] = typed["versions"].strip() or None
        try:
            filters = read_filters(**typed)
        except ValueError as error:
            self._session.fail(TAGS, str(error))
        else:
            self._session.filter(filters)


class PanelSection:
    """The open panel: what it is of, what it costs, its picture, its frame, its code."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drawn: tuple[Result, bool] | None = None
        titles = [(panel.title, panel.name) for panel in PANELS.values()]
        self._panels = widgets.ToggleButtons(options=titles, value=session.state.panel)
        keep = _count("Keep the newest", "13em", 1, 1_000_000, session.state.keep)
        older = _count("Older than (days)", "14em", 0, 100_000, session.state.older_than)
        self._rule = _row(keep, older)
        self._title, self._message, self._price = (widgets.HTML() for _ in range(3))
        self._read = _button("Read again", session.read_panel)
        self._agree = _button("Fetch", session.agree, "primary")
        self._ask = _row(self._price, self._agree, _button("Not now", session.decline))
        self._findings, self._picture, self._text = (widgets.HTML() for _ in range(3))
        self._grid = _grid(session, "Frame of the panel")
        self._note, self._code = widgets.HTML(), widgets.HTML()
        self._copy = CopyButton(label="Copy as code")
        self._csv = SaveButton("Save as CSV", self._save_frame)
        self._report = SaveButton("Save a report", self._save_report)
        buttons = _row(self._copy, self._csv, self._report)
        shown = [self._findings, self._picture, self._text, self._grid, self._note, self._code]
        self._shown = widgets.VBox([*shown, buttons])
        heading = _row(self._title, self._read)
        asked = [self._panels, heading, self._rule, self._message, self._ask]
        self.box = widgets.VBox([*asked, self._shown])
        self._panels.observe(lambda change: session.show(change["new"]), "value")
        for widget in (keep, older):
            widget.observe(lambda _: session.rule(keep.value, older.value), "value")

    def draw(self) -> None:
        """Show it; nothing where no repository is open."""
        session, state, panel = self._session, self._session.state, self._session.panel
        _reveal(self.box, is_shown=bool(state.repos))
        self._panels.value = state.panel
        about = panel.about if panel.is_of_all else f"{panel.about} Of {panels.scope(state)}."
        self._title.value = wording.heading(panel.title, about)
        _reveal(self._read, is_shown=session.may_read_again)
        _reveal(self._rule, is_shown=bool(panel.rule))
        fault = wording.paragraph(session.messages.get(PANEL, ""), "fault")
        self._message.value = fault or wording.paragraph(panels.missing(panel, state))
        _reveal(self._ask, is_shown=session.plan is not None)
        if session.plan is not None:
            self._price.value = wording.paragraph(wording.price(session.plan))
            self._agree.disabled = not session.plan.fits
        _reveal(self._shown, is_shown=session.result is not None)
        if session.result is not None:
            self._draw_result(session.result)

    def _draw_result(self, result: Result) -> None:
        session, panel, frame = self._session, self._session.panel, result.frame
        words = wording.state_of(result, is_busy=session.work.is_busy)
        is_whole = result.is_complete and not result.is_partial
        self._note.value = wording.paragraph(words, "about" if is_whole else "fault")
        # A picture takes longer than all the rest, and what was drawn stays.
        if self._drawn == (result, session.is_dark):
            return
        self._drawn = (result, session.is_dark)
        self._findings.value = wording.sentences(panel, frame)
        self._picture.value = wording.picture(session.figure(), panel.title)
        self._text.value = wording.code(panel.text(frame), "Dockerfile") if panel.text else ""
        self._grid.show(frame, [name for name in panel.columns if name in frame])
        self._code.value, self._copy.text = wording.code(session.code), session.code

    def _save_frame(self) -> None:
        if self._session.result is not None:
            content = write_csv(self._session.result.frame) or ""
            self._csv.give(f"{self._session.panel.name}.csv", content.encode())

    def _save_report(self) -> None:
        self._session.report(lambda packed: self._report.give("report.zip", packed))
