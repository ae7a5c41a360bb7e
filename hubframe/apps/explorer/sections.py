"""The parts of the screen, each with its widgets: they show a session and tell it what is done."""

from dataclasses import asdict
from typing import Any

import ipywidgets as widgets

from hubframe.apps.explorer import panels, wording
from hubframe.apps.explorer.grid import Grid
from hubframe.apps.explorer.handover import CopyButton, SaveButton
from hubframe.apps.explorer.model import MEANINGS, Filters, Search, read_filters
from hubframe.apps.explorer.panels import Result
from hubframe.apps.explorer.picture import Picture, days_of, svg
from hubframe.apps.explorer.session import LISTING, PANEL, TAGS, Offer, Session
from hubframe.apps.explorer.views import lean
from hubframe.apps.share import page_of
from hubframe.plots import wording as sizes
from hubframe.tables.files import write_csv

_LISTED = ("repo", "description", "pull_count", "star_count", "pushed_at")
_TAGGED = ("repo", "tag", "size", "pushed_at", "created_at", "aliases")
_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64", "all")
_ANYTHING = "anything"
_TITLE = "hubframe explorer"
_ABOUT = (
    "Look into the images of Docker Hub and of any registry: which tags there are, how large they "
    "are, what they are made of, and what changed from one to the next."
)
# As many as a person looks through in a list of choices.
_MOST_CHOICES = 200
# How wide a picture is until the page tells how much room there is. [CSS pixels]
_USUAL_WIDTH = 760


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
    layout = widgets.Layout(width="auto")
    button = widgets.Button(description=description, button_style=style, layout=layout)
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
            "27em",
            placeholder="ansible, nginx:1.27, ghcr.io/org/app, localhost:5000/, or words",
            continuous_update=False,
        )
        self._meaning = _field(widgets.Dropdown, "as", "9em", options=[_ANYTHING, *MEANINGS])
        self._badges, self._fault = widgets.HTML(), widgets.HTML()
        self._back = _button("Back", session.back)
        look = _button("Look", self._search, "primary")
        self._examples = widgets.VBox()
        self._examples.add_class("examples")
        title = widgets.HTML(f"<h2>{_TITLE}</h2>")
        self._first = widgets.VBox([widgets.HTML(wording.paragraph(_ABOUT)), self._examples])
        fields = [title, self._text, self._meaning, look, self._back, self._badges]
        self.box = widgets.VBox([_row(*fields), self._first, self._fault])
        self._text.observe(self._typed, "value")
        self._is_drawing = False
        self._drawn: Search | None = None

    def draw(self) -> None:
        """Show what there is to know, and what went wrong."""
        session, state = self._session, self._session.state
        self._is_drawing = True
        self._text.options = session.suggestions
        # What a person types meanwhile is theirs.
        if state.search is not None and state.search is not self._drawn:
            self._text.value = state.search.text
            self._drawn = state.search
        self._is_drawing = False
        self._back.disabled = not session.may_go_back
        self._badges.value = wording.badges(session.badges)
        self._fault.value = wording.paragraph(session.messages.get(LISTING, ""), "fault")
        _reveal(self._first, is_shown=state.search is None)
        if state.search is None and not self._examples.children:
            self._examples.children = [self._example(*one) for one in session.examples.items()]

    def _example(self, text: str, about: str) -> widgets.Box:
        look = _button(text, lambda: self._session.look_for(text))
        return _row(look, widgets.HTML(wording.paragraph(about)))

    def _typed(self, _: Any) -> None:
        if not self._is_drawing:
            self._search()

    def _search(self) -> None:
        meaning = None if self._meaning.value == _ANYTHING else self._meaning.value
        self._session.look_for(self._text.value, meaning)


class ProgressSection:
    """How far the work is, and a button that ends it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bar = widgets.IntProgress(min=0, max=1, layout=widgets.Layout(width="12em"))
        self._words = widgets.HTML()
        self.box = _row(self._bar, self._words, _button("Cancel", session.cancel))
        self.box.add_class("work")

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
    """The repositories that were found: folded to a line once one of them is open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folded_for: tuple[str, ...] = ()
        self._grid = _grid(
            session,
            "Repositories",
            key=("repo",),
            many=True,
            chose=lambda keys: session.open([repo for (repo,) in keys]),
        )
        self._copy = CopyButton(label="Copy as code")
        self._fold = widgets.ToggleButton(description="Repositories", value=True)
        self._fold.add_class("fold")
        self._about = widgets.HTML()
        self._shown = widgets.VBox([self._grid])
        self.box = widgets.VBox([_row(self._fold, self._about, self._copy), self._shown])
        self._fold.observe(lambda _: self._draw_fold(), "value")

    def draw(self) -> None:
        """Show them; nothing where a repository was named."""
        state = self._session.state
        listing = state.listing
        _reveal(self.box, is_shown=listing is not None)
        if listing is None:
            return
        if state.repos != self._folded_for:
            self._folded_for = state.repos
            self._fold.value = not state.repos
        names = [name for name in _LISTED if name in listing]
        shown, _ = lean(listing, names)
        self._grid.show(
            listing,
            [name for name in names if name in shown or name == "repo"],
            chosen=[(repo,) for repo in state.repos],
            nothing="There are none, or none that you may see.",
        )
        self._copy.text = self._session.listing_code
        found = "" if state.search is None else f"{len(listing):,} of {state.search.text}"
        self._about.value = wording.paragraph(found)
        self._draw_fold()

    def _draw_fold(self) -> None:
        self._fold.icon = "caret-down" if self._fold.value else "caret-right"
        _reveal(self._shown, is_shown=self._fold.value)
        _reveal(self._copy, is_shown=self._fold.value)


class TagsSection:
    """The tags of the repositories that were opened, and which of them are looked at."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_drawing = False
        self._title, self._fault = widgets.HTML(), widgets.HTML()
        # By the names of what `read_filters` takes.
        self._filters = {
            "text": _field(widgets.Text, "Tag", "15em", placeholder="part of a name, or a glob"),
            "versions": _field(
                widgets.Text,
                "Versions",
                "15em",
                placeholder=">=2.9, <3, stable",
                continuous_update=False,
            ),
            "platform": _field(
                widgets.Combobox,
                "Platform",
                "15em",
                value=_PLATFORMS[0],
                options=_PLATFORMS,
                continuous_update=False,
            ),
            "newest": _count("Newest (0: all)", "11em", 0, 1_000_000, 0),
            "everything": _field(
                widgets.Checkbox, "signatures and attestations, too", "auto", indent=False
            ),
        }
        self._none = _button("Choose none", lambda: session.choose([]))
        self._grid = _grid(session, "Tags", key=("repo", "tag"), many=True, chose=session.choose)
        self._grid.observe(lambda _: self._seen(), "page")
        fields = _row(*self._filters.values(), self._none)
        fields.add_class("filters")
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
        if not fault:
            self._draw_filters(state.filters)
        visible = state.visible
        count = f"{len(visible):,} of {len(state.tags):,} shown"
        self._title.value = wording.heading(f"Tags of {', '.join(state.repos)}", count)
        self._none.layout.visibility = "visible" if state.chosen else "hidden"
        shown, _ = lean(visible, _TAGGED)
        always = {"tag"} if state.is_whole else {"tag", "size", "created_at"}
        columns = [name for name in _TAGGED if name in shown or name in always]
        nothing = "No tag is like that: change the filters."
        at, before = self._grid.page.get("page", 0), self._grid.frame
        self._grid.show(visible, columns, chosen=state.chosen, nothing=nothing)
        if at and len(before) == len(visible):
            # The same rows, of which more is known now: the page stays.
            self._grid.turn(at)

    def _seen(self) -> None:
        """Have looked up what is in view."""
        page = self._grid.page
        rows = self._grid.frame.iloc[page["start"] : page["start"] + len(page["rows"])]
        if "repo" in rows:
            self._session.look_up(list(zip(rows["repo"], rows["tag"], strict=True)))

    def _draw_filters(self, filters: Filters) -> None:
        """Show what tags are looked at, where something else than these fields said so."""
        versions = "" if filters.versions is None else filters.versions.text
        said = {**asdict(filters), "versions": versions, "newest": filters.newest or 0}
        self._is_drawing = True
        for name, widget in self._filters.items():
            # What is being typed stays as it is typed.
            if isinstance(widget.value, str) and widget.value.strip() == said[name]:
                continue
            widget.value = said[name]
        self._is_drawing = False

    def _filter(self) -> None:
        if self._is_drawing:
            return
        typed = {name: widget.value for name, widget in self._filters.items()}
        typed["versions"] = typed["versions"].strip() or None
        try:
            filters = read_filters(**typed)
        except ValueError as error:
            self._session.fail(TAGS, str(error))
        else:
            self._session.filter(filters)


class ImageSection:
    """One image: its layers in proportion, how to pull it, and a step as a whole."""

    def __init__(self, session: Session) -> None:
        self._bar, self._step = widgets.HTML(), widgets.HTML()
        self._files = _button("Read its files", session.read_files)
        self._files.tooltip = "Downloads the layers, and tells what is in two of them or more"
        self._result: Result | None = None
        self._copies = {
            name: (widgets.HTML(), CopyButton(label="Copy", about=f"Copy {name}"))
            for name in ("the digest", "the command", "the step")
        }
        rows = [_row(*pair) for pair in self._copies.values()]
        for row in rows:
            row.add_class("copied")
        self._step_row = rows.pop()
        self.box = widgets.VBox([self._bar, *rows, self._files])
        self.step = widgets.VBox([self._step, self._step_row])

    def draw(self, result: Result) -> None:
        """Show the image that a result is of."""
        self._result = result
        self._bar.value = wording.proportions(result.table)
        size = result.frame["size"].sum()
        self._files.description = f"Read its files: {sizes.size(size)} to download"
        _reveal(self._files, is_shown="files" not in result.fetched)
        self._copy("the digest", wording.digest_of(result))
        self._copy("the command", wording.pull_command(result))
        self.show_step(0)

    def show_step(self, position: int) -> None:
        """Show the whole build step of a layer."""
        layers = None if self._result is None else self._result.frame
        found = None if layers is None else layers[layers["position"] == position]
        is_told = found is not None and bool(found["instruction"].notna().any())
        _reveal(self.step, is_shown=is_told)
        if found is None or not is_told:
            return
        step = str(found["instruction"].iloc[0])
        digest = found["layer_digest"].iloc[0]
        self._step.value = wording.heading(f"Build step of layer {position}", str(digest))
        self._copy("the step", step)

    def _copy(self, name: str, text: str) -> None:
        shown, button = self._copies[name]
        shown.value, button.text = wording.code(text, name.removeprefix("the ").title()), text


class CompareSection:
    """Which two tags are compared, and which way round."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_drawing = False
        self._old, self._new = (
            _field(widgets.Dropdown, name, "17em", options=[]) for name in ("Old", "New")
        )
        swap = _button("Swap", session.swap)
        self.box = _row(self._old, self._new, swap)
        for widget in (self._old, self._new):
            widget.observe(self._picked, "value")

    def draw(self, *, is_shown: bool) -> None:
        """Show the two tags that are compared, and those that may be."""
        state = self._session.state
        compared = state.compared if is_shown else []
        is_pair = len(compared) == len((self._old, self._new))
        _reveal(self.box, is_shown=is_pair)
        if not is_pair:
            return
        few = state.visible.head(_MOST_CHOICES)
        rows = dict.fromkeys([*compared, *zip(few["repo"], few["tag"], strict=True)])
        several = len(state.repos) > 1
        choices = [(f"{repo}:{tag}" if several else tag, (repo, tag)) for repo, tag in rows]
        self._is_drawing = True
        for widget, row in ((self._old, compared[0]), (self._new, compared[-1])):
            widget.options = choices
            widget.value = row
        self._is_drawing = False

    def _picked(self, _: Any) -> None:
        if not self._is_drawing:
            self._session.compare(self._old.value, self._new.value)


class PanelSection:
    """The open panel: what it is of, what it costs, its picture, its frame, its code."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drawn: Any = None  # what the picture is of, and how it was drawn
        self._made = ""
        self._is_drawing = False
        self._told: Result | None = None
        titles = [(panel.title, panel.name) for panel in session.panels.values()]
        self._panels = widgets.ToggleButtons(options=titles, value=session.state.panel)
        self._panels.add_class("panels")
        self._keep = _count("Keep the newest", "13em", 1, 1_000_000, session.state.keep)
        self._older = _count("Older than (days)", "14em", 0, 100_000, session.state.older_than)
        self._rule = _row(self._keep, self._older)
        self._compare, self._image = CompareSection(session), ImageSection(session)
        self._title, self._message, self._price = (widgets.HTML() for _ in range(3))
        self._read = _button("Read again", session.read_panel)
        self._agree = _button("Fetch", session.agree, "primary")
        self._some = _button("", session.agree_to_fitting, "primary")
        decline = _button("Not now", session.decline)
        self._ask = _row(self._price, self._agree, self._some, decline)
        self._findings, self._text = widgets.HTML(), widgets.HTML()
        self._picture = Picture(self._chose_mark)
        self._picture.observe(lambda _: session.changed(PANEL), "width")
        self._grid = _grid(session, "Frame of the panel")
        self._found = _grid(session, "Frame of the panel, with a filter", can_filter=True)
        self._layers = _grid(
            session,
            "Layers of the image",
            key=("position",),
            chose=lambda keys: self._image.show_step(keys[-1][0] if keys else 0),
        )
        self._note, self._code = widgets.HTML(), widgets.HTML()
        self._copy = CopyButton(label="Copy as code", about="Copy the code of what is shown")
        self._csv = SaveButton("CSV", self._save_frame, about="Save as CSV")
        self._report = SaveButton("Report", self._save_report, about="Save a report")
        about = "Save a page to share, which needs no Python"
        self._page = SaveButton("Page", self._save_page, about=about)
        self._link = CopyButton(label="Copy this view", about="Copy the code that opens this view")
        self._buttons = _row(self._copy, self._csv, self._page, self._report, self._link)
        tables = [self._image.box, self._picture, self._grid, self._found, self._layers]
        tables.append(self._image.step)
        shown = [self._findings, *tables, self._text, self._note, self._code]
        self._shown = widgets.VBox(shown)
        heading = _row(self._title, self._read, self._buttons)
        heading.add_class("heading")
        asked = [self._panels, heading, self._compare.box, self._rule, self._message, self._ask]
        self.box = widgets.VBox([*asked, self._shown])
        self._panels.observe(lambda change: self._opened(change["new"]), "value")
        for widget in (self._keep, self._older):
            widget.observe(lambda _: self._ruled(), "value")

    def draw(self) -> None:
        """Show it; nothing where no repository is open."""
        session = self._session
        # A picture takes longer than all the rest: nothing is changed before it is there, and then
        # what is shown is what there is by then.
        result, picture = session.result, ""
        while result is not None:
            picture = self._picture_of(result)
            if session.result is result:
                break
            result = session.result
        state, panel = session.state, session.panel
        _reveal(self.box, is_shown=bool(state.repos))
        self._panels.value = state.panel
        # What is said of a result is said of what it was read for.
        told = state if result is None else result.state
        scope = panel.scope(told) if panel.scope and not panels.missing(panel, told) else ""
        self._title.value = wording.heading(panel.title, scope, panel.about)
        _reveal(self._read, is_shown=session.may_read_again)
        _reveal(self._rule, is_shown=bool(panel.rule))
        self._is_drawing = True
        self._keep.value, self._older.value = state.keep, state.older_than
        self._is_drawing = False
        self._compare.draw(is_shown=panel.name == "compare")
        fault = wording.paragraph(session.messages.get(PANEL, ""), "fault")
        self._message.value = fault or wording.paragraph(panels.missing(panel, state))
        self._draw_offer(session.offer)
        self._link.text = session.line
        if result is not None:
            self._draw_result(result, picture)
        for one in (self._shown, self._buttons):
            _reveal(one, is_shown=result is not None)

    def _draw_offer(self, offer: Offer | None) -> None:
        _reveal(self._ask, is_shown=offer is not None)
        if offer is None:
            return
        self._price.value = wording.paragraph(wording.price(offer))
        _reveal(self._agree, is_shown=offer.plan.fits)
        size = f": {sizes.size(offer.size)} to download" if offer.size else ""
        self._agree.description = f"Fetch{size}"
        self._some.description = f"Fetch the newest {offer.fitting} that fit"
        _reveal(self._some, is_shown=bool(offer.fitting))

    def _draw_result(self, result: Result, picture: str) -> None:
        session, panel, frame = self._session, result.panel, result.frame
        words = wording.state_of(result, is_busy=session.work.is_busy)
        is_whole = result.is_complete and not result.is_partial
        self._note.value = wording.paragraph(words, "about" if is_whole else "fault")
        self._picture.label = panel.title
        self._picture.svg = picture
        _reveal(self._picture, is_shown=bool(picture))
        if self._told is result:
            return
        self._told = result
        table, is_image = result.table, panel.scope is panels.one_image
        self._findings.value = wording.sentences(result)
        self._text.value = wording.code(panel.text(frame), "Dockerfile") if panel.text else ""
        names = [name for name in panel.columns if name in table]
        for one in (self._image.box, self._image.step, self._layers):
            _reveal(one, is_shown=is_image)
        _reveal(self._grid, is_shown=not (is_image or panel.can_filter))
        _reveal(self._found, is_shown=panel.can_filter)
        if is_image:
            self._layers.show(table, names)
            self._image.draw(result)
        else:
            (self._found if panel.can_filter else self._grid).show(table, names)
        self._code.value, self._copy.text = wording.code(session.code), session.code

    def _picture_of(self, result: Result) -> str:
        """Return the picture of a result; what was drawn stays."""
        now = (result, self._session.is_dark, self._picture.width)
        if self._drawn != now:
            self._drawn = now
            figure = self._session.figure(self._picture.width or _USUAL_WIDTH)
            tags = self._session.state.tags
            self._made = "" if figure is None else svg(figure, tags["tag"], days_of(tags))
        return self._made

    def _ruled(self) -> None:
        if not self._is_drawing:
            self._session.rule(self._keep.value, self._older.value)

    def _opened(self, panel: str) -> None:
        if panel != self._session.state.panel:
            self._session.show(panel)

    def _chose_mark(self, tag: str) -> None:
        tags = self._session.state.tags
        found = tags[tags["tag"] == tag].head(1)
        self._session.choose(list(zip(found["repo"], found["tag"], strict=True)))

    def _save_frame(self) -> None:
        result = self._session.result
        if result is not None:
            content = write_csv(result.frame) or ""
            part = "-part" if result.is_partial else ""
            self._csv.give(f"{result.panel.name}{part}.csv", content.encode())

    def _save_page(self) -> None:
        self._page.give("page.html", page_of(self._session).encode())

    def _save_report(self) -> None:
        self._session.report(lambda packed: self._report.give("report.zip", packed))
