"""The explorer as a person sees it."""

from typing import Any

try:
    import anywidget  # noqa: F401 - to say at once what is missing
    import ipywidgets as widgets
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f'the explorer needs {missing.name}: pip install "hubframe[notebook]"', name=missing.name
    ) from missing
import pandas as pd
from matplotlib.figure import Figure

from hubframe.apps.explorer import wording
from hubframe.apps.explorer.sections import (
    ListingSection,
    PanelSection,
    ProgressSection,
    SearchSection,
    Section,
    TagsSection,
)
from hubframe.apps.explorer.session import LISTING, PANEL, PROGRESS, TAGS, Session
from hubframe.wire.client import Client

# What is in the cache is there at once, without a flicker, and in the notebook's file. [seconds]
_AT_ONCE = 1.0
_STYLE = """<style>
.hubframe-explorer { --faint: var(--jp-ui-font-color2, #666); max-width: 1400px; }
.hubframe-explorer h3 { margin: 0.6em 0 0.2em; font-size: 1.1em; }
.hubframe-explorer h3 small { font-weight: normal; color: var(--faint); margin-left: 0.6em; }
.hubframe-explorer p { margin: 0.2em 0.4em 0.2em 0; line-height: 1.4; }
.hubframe-explorer .finding { max-width: 100ch; overflow-wrap: anywhere; }
.hubframe-explorer .about { color: var(--faint); }
.hubframe-explorer .fault { color: var(--jp-error-color0, #b71c1c); white-space: pre-wrap; }
.hubframe-explorer .badge { border: 1px solid color-mix(in srgb, currentcolor 30%, transparent);
  border-radius: 1em;
  padding: 0.1em 0.8em; margin: 0 0.4em; white-space: nowrap; }
.hubframe-explorer pre { margin: 0.2em 0.4em 0.2em 0; padding: 0.5em 0.8em; overflow: auto;
  line-height: 1.4; max-height: 22em; background: var(--jp-layout-color2, #f3f3f3);
  color: var(--jp-ui-font-color1, #222); font-family: var(--jp-code-font-family, monospace); }
.hubframe-explorer img { max-width: 100%; height: auto; }
.hubframe-explorer .widget-toggle-buttons button { width: auto; }
</style>"""


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
        self.search = SearchSection(session)
        progress = ProgressSection(session)
        listing = ListingSection(session, self._themed)
        tags = TagsSection(session, self._themed)
        panel = PanelSection(session, self._themed)
        self._sections: dict[str, Section] = {
            LISTING: listing,
            TAGS: tags,
            PANEL: panel,
            PROGRESS: progress,
        }
        boxes = [section.box for section in (self.search, progress, listing, tags, panel)]
        self.widget = widgets.VBox([widgets.HTML(_STYLE), *boxes])
        self.widget.add_class("hubframe-explorer")
        session.changed = self._draw
        for part in self._sections:
            self._draw(part)

    @property
    def selection(self) -> pd.DataFrame:
        """The rows of the table `tags` that panels read: those chosen, or the newest shown."""
        tags = self.session.state.tags
        taken = set(self.session.state.taken)
        rows = zip(tags["repo"], tags["tag"], strict=True)
        return tags[[row in taken for row in rows]].reset_index(drop=True)

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
        """Wait for what is under way, and show it.

        Returns
        -------
        bool
            Whether it is over.
        """
        return self.session.work.wait(seconds)

    def close(self) -> None:
        """End what is under way, and take everything off the screen."""
        self.session.cancel()
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
        self._sections[part].draw()
        self.search.draw()

    def _themed(self, is_dark: bool) -> None:  # noqa: FBT001 - the only thing that it is told
        if self.session.is_dark != is_dark:
            self.session.is_dark = is_dark
            self._draw(PANEL)


def explore(what: str | None = None, *, client: Client | None = None) -> Explorer:
    """Open an explorer: look for repositories, choose tags, see what is in them, take it away.

    It runs in JupyterLab, Notebook 7 and Voila, and needs the extra ``notebook``. Fetching leaves
    the kernel free; what costs pulls is asked for first.

    Parameters
    ----------
    what
        What to look for at first: a namespace, a repository or image on any registry, a registry's
        host, or words.
    client
        What to ask with; None for the default one. In copied code it is called ``client``.

    Returns
    -------
    Explorer
        Its ``selection``, ``frame``, ``figure`` and ``code`` are what is on screen.

    Examples
    --------
    >>> with hubframe.sample():
    ...     explorer = hubframe.explore("ansible/ansible")
    ...     done = explorer.wait()
    >>> explorer.code
    'hubframe.tags_df("ansible/ansible")'
    """
    explorer = Explorer(Session(client=client))
    if what is not None:
        explorer.search.show_text(what)
        explorer.wait(_AT_ONCE)
    return explorer
