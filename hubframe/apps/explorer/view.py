"""The explorer as a person sees it."""

from pathlib import Path
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
from hubframe.apps.explorer.session import LISTING, PANEL, PROGRESS, TAGS, Session
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
        boxes = [section.box for section in (self.search, *self._sections.values())]
        self.widget = widgets.VBox([widgets.HTML(f"<style>{_STYLE}</style>"), *boxes])
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
