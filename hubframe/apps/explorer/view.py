"""The explorer as a person sees it."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any

try:
    import ipywidgets as widgets

    from hubframe.apps.explorer import sections
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f'the explorer needs {missing.name}: pip install "hubframe[notebook]"', name=missing.name
    ) from missing
import pandas as pd
from matplotlib.figure import Figure

from hubframe.apps.explorer import wording
from hubframe.apps.explorer.address import Address
from hubframe.apps.explorer.model import Place
from hubframe.apps.explorer.panels import PANELS
from hubframe.apps.explorer.session import LISTING, PANEL, PROGRESS, TAGS, Session
from hubframe.oci.reference import ImageReference
from hubframe.tables import TABLES
from hubframe.wire.client import Client

# What is in the cache is there at once, without a flicker, and in the notebook's file. [seconds]
_AT_ONCE = 1.0
_STYLE = (Path(__file__).parent / "view.css").read_text(encoding="utf-8")


class Explorer:
    """Repositories, their tags, and what is in them, to click through; `explore` makes one.

    Attributes
    ----------
    session
        What it shows, and does, without widgets.
    widget
        What is on screen.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.search = sections.SearchSection(session)
        self._sections: dict[str, Any] = {
            PROGRESS: sections.ProgressSection(session),
            LISTING: sections.ListingSection(session),
            TAGS: sections.TagsSection(session),
            PANEL: sections.PanelSection(session),
        }
        self._drawing = RLock()
        self._address = Address(self._went)
        boxes = {part: section.box for part, section in self._sections.items()}
        left = widgets.VBox([boxes[LISTING], boxes[TAGS]])
        for side, name in ((left, "list"), (boxes[PANEL], "detail")):
            side.add_class(name)
        self._body = widgets.Box([left, boxes[PANEL]])
        self._body.add_class("sides")
        style = widgets.HTML(f"<style>{_STYLE}</style>")
        parts = [style, self._address, self.search.box, boxes[PROGRESS], self._body]
        self.widget = widgets.VBox(parts)
        self.widget.add_class("hubframe-explorer")
        session.changed = self._draw
        for part in self._sections:
            self._draw(part)

    @property
    def selection(self) -> pd.DataFrame:
        """The rows of the table `tags` that panels read: those chosen, or the newest shown."""
        tags, taken = self.session.state.tags, self.session.state.taken
        rows = pd.MultiIndex.from_frame(tags[["repo", "tag"]])
        return tags[rows.isin(taken)].reset_index(drop=True)

    @property
    def frame(self) -> pd.DataFrame | None:
        """The frame of the open panel, with all its columns; None where nothing was read."""
        return None if self.session.result is None else self.session.result.frame

    @property
    def figure(self) -> Figure | None:
        """The picture of the open panel; None where it has none."""
        return self.session.figure()

    @property
    def code(self) -> str:
        """The lines that give `frame`."""
        return self.session.code

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait for what is under way, and show it; return whether it is over."""
        is_over = self.session.work.wait(seconds)
        return self.session.looking.wait(seconds) and is_over

    def close(self) -> None:
        """End what is under way, and take everything off the screen."""
        self.session.cancel()
        self.session.looking.cancel()
        self.session.changed = lambda _: None
        self.widget.close()

    def __repr__(self) -> str:
        state = self.session.state
        what = ", ".join(state.repos) or (state.search.text if state.search else "nothing yet")
        return f"<hubframe explorer: {what}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widgets, and what stands for them where there is no kernel."""
        bundle = self.widget._repr_mimebundle_(**options)
        if not isinstance(bundle, dict):
            return bundle
        return {**bundle, "text/plain": repr(self), "text/html": wording.static(self.session)}

    def _draw(self, part: str) -> None:
        # Some kernels have a thread for what comes from the page, beside the one that runs cells.
        with self._drawing:
            self._draw_part(part)

    def _draw_part(self, part: str) -> None:
        self._sections[part].draw()
        self.search.draw()
        # A list alone has all the room.
        if self.session.state.repos:
            self._body.remove_class("alone")
        else:
            self._body.add_class("alone")
        self._address.query = self.session.state.place.query()

    def _went(self, query: str) -> None:
        place = Place.read(query, self.session.panels)
        if place is not None:
            self.session.go(place)


def explore(  # noqa: PLR0913
    what: str | None = None,
    *,
    tags: Sequence[str] = (),
    panel: str | None = None,
    vulnerabilities: pd.DataFrame | None = None,
    references: pd.DataFrame | None = None,
    client: Client | None = None,
) -> Explorer:
    """Open an explorer: look for repositories, choose tags, see what is in them, take it away.

    It runs in JupyterLab, Notebook 7 and Voila, and needs the extra ``notebook``. Fetching leaves
    the kernel free; what costs pulls is asked for first. On a page of Voila's the address says what
    is on screen, and opens it again.

    Parameters
    ----------
    what
        What to look for at first: a namespace, a repository or image on any registry, a registry's
        host, or words.
    tags
        Which tags of that repository to choose.
    panel
        What to see of them: ``overview``, ``image``, ``growth``, ``compare``, ``inside``,
        ``vulnerabilities``, ``references``, ``eol``, ``layers``, ``shared``, ``images``,
        ``labels``, ``coverage``, ``history``, ``env``, ``cleanup``, ``limits``.
    vulnerabilities
        The table `vulnerabilities`, as of `read_trivy`: the panel ``vulnerabilities`` shows what it
        tells of the images that are open.
    references
        The table `references` or `checked_references`: the panel ``references`` shows which files
        name the images that are open.
    client
        What to ask with; None for the default one. In copied code it is called ``client``.

    Returns
    -------
    Explorer
        Its ``selection``, ``frame``, ``figure`` and ``code`` are what is on screen.

    Raises
    ------
    TypeError, ValueError
        There is no such panel, or nothing to show in it; tags are named and nothing that they are
        of; or a frame is none, or lacks columns.

    Examples
    --------
    >>> with hubframe.sample():
    ...     explorer = hubframe.explore("ansible/ansible", tags=["13.4.0"], panel="layers")
    ...     done = explorer.wait()
    ...     print(explorer.code)
    import hubframe
    <BLANKLINE>
    hubframe.sample()
    <BLANKLINE>
    hubframe.layers_df(["ansible/ansible:13.4.0"])
    """
    chosen = [tags] if isinstance(tags, str) else list(tags)
    if panel is not None and panel not in PANELS:
        raise ValueError(f"panel must be one of {', '.join(PANELS)}, not {panel!r}")
    given = {
        name: _given(name, frame)
        for name, frame in (("vulnerabilities", vulnerabilities), ("references", references))
        if frame is not None
    }
    session = Session(client=client, given=given)
    if panel is not None and panel not in session.panels:
        raise ValueError(f"the panel {panel} needs the frame: {panel}=")
    if chosen and what is None:
        raise ValueError("tags are of a repository: name it as what")
    explorer = Explorer(session)
    # Voila tells its kernels the query of the address.
    place = Place.read(os.environ.get("QUERY_STRING", ""), session.panels)
    if place is None and what is not None and (chosen or panel):
        repo = ImageReference.parse(what).repo if chosen else ""
        rows = tuple((repo, tag) for tag in chosen)
        place = Place(what, rows=rows, panel=panel or "image")
    if place is not None:
        explorer.session.go(place)
    elif what is not None:
        explorer.session.look_for(what)
    explorer.wait(_AT_ONCE)
    return explorer


def _given(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that a person gave, which says which table it is of."""
    checked = f"checked_{name}"
    table = checked if checked in TABLES and set(TABLES[checked].dtypes) <= {*frame} else name
    # A column without a value may have any dtype, where somebody made it.
    told = TABLES[table].require(frame).astype(TABLES[table].dtypes).reset_index(drop=True)
    record = {"source": "the frame given", "complete": None, **(frame.attrs.get("hubframe") or {})}
    told.attrs["hubframe"] = {**record, "table": table}
    return told
