"""A page to share: frames and pictures as one file that needs no kernel and no network."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hubframe.apps.show import provenance
from hubframe.grid.page import policy, rows_as_json, script, style
from hubframe.plots import wording
from hubframe.report import marks
from hubframe.report.pictures import as_png
from hubframe.tables.files import replacing
from hubframe.tables.schema import sound
from hubframe.version import __version__

if TYPE_CHECKING:
    from hubframe.apps.explorer.session import Session
    from hubframe.apps.explorer.view import Explorer

# What a section of the page may be made of.
Part = pd.DataFrame | Figure | Axes
# Pixels: so narrow that its letters can be read on a telephone.
_WIDTH = 600
_MOST_NAMED = 3
_MOST_FAILURES = 20


@dataclass(frozen=True, eq=False)
class _Picture:
    """A picture as PNG, and for a dark page where it was drawn for one."""

    light: str
    dark: str | None = None


@dataclass(frozen=True, eq=False)
class _Section:
    """A heading of the page, and what stands below it."""

    title: str
    frames: Sequence[pd.DataFrame] = ()
    pictures: Sequence[_Picture] = ()
    columns: Sequence[str] = ()  # those that are shown first
    sentences: Sequence[str] = ()
    code: str = ""
    # What calls wrote down of the frames that these are made of.
    notes: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        """Where the rows come from, when, and whether they are complete."""
        return [_source(note) for note in self.notes if note]

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """What could not be fetched."""
        return [failure for note in self.notes for failure in note.get("failures") or ()]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is known to be missing."""
        return all(note.get("complete", True) for note in self.notes)


def share(
    what: "pd.DataFrame | Mapping[str, Part | Sequence[Part]] | Explorer",
    path: str | Path,
    *,
    title: str | None = None,
    note: str | None = None,
) -> Path:
    """Write frames and pictures as one page that opens from disk, without Python or a network.

    Its tables can be filtered and sorted; columns and rows can be chosen, and taken as CSV, which
    `hubframe.read_csv` reads back. All rows and columns are in the page. It loads nothing, and
    untrusted text in it is plain text. It says where the rows come from, when they were fetched,
    and whether they are complete, as far as ``attrs["hubframe"]`` of the frames tells.

    Parameters
    ----------
    what
        A frame; frames and matplotlib's figures or axes by the headings that they stand under, one
        or several each; or an explorer, of which the lists and the open panel are shared.
    path
        The file, ``page.html``. It is replaced as a whole.
    title
        The page's title.
    note
        A sentence or two of your own, shown below the title.

    Returns
    -------
    pathlib.Path
        The file.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("ansible/ansible")
    ...     page = hubframe.share(tags, "tags.html")   # doctest: +SKIP
    """
    if isinstance(what, pd.DataFrame | Mapping):
        page = _page(list(_sections(what)), title, note)
    elif hasattr(what, "session"):
        page = page_of(what.session, title, note)
    else:
        raise TypeError(
            f"share takes a pandas.DataFrame, a mapping of titles to these, or an explorer, "
            f"not a {type(what).__name__}"
        )
    with replacing(path) as draft:
        draft.write_text(page, encoding="utf-8", newline="\n")
    return Path(path)


def page_of(session: "Session", title: str | None = None, note: str | None = None) -> str:
    """Return the page of what an explorer shows; see `share`."""
    named = _listed(session.state.repos) or None
    return _page(list(_of_explorer(session)), title or named, note)


def _page(sections: Sequence[_Section], title: str | None, note: str | None) -> str:
    if not sections:
        raise ValueError("there is nothing to share: give at least one frame or picture")
    source = script()
    page = marks.environment(Path(__file__).parent).get_template("share.html.jinja")
    return sound(
        page.render(
            title=title or _listed([section.title for section in sections]),
            note=note,
            sections=[(section, _tables(section, place)) for place, section in enumerate(sections)],
            said=_said([note for section in sections for note in section.notes]),
            is_sample=any(one.get("sample") for section in sections for one in section.notes),
            is_complete=all(section.is_complete for section in sections),
            most_failures=_MOST_FAILURES,
            script=source,
            style=style(),
            policy=policy(source),
            version=__version__,
            written_at=datetime.now(UTC).replace(microsecond=0),
        )
    )


def _tables(section: _Section, place: int) -> dict[str, str]:
    """Return a section's tables by the names of their elements."""
    many = len(section.frames) > 1
    return {
        f"rows-{place}-{at}": rows_as_json(
            f"{section.title} {at + 1}" if many else section.title,
            frame,
            [name for name in section.columns if name in frame],
        )
        for at, frame in enumerate(section.frames)
    }


def _sections(what: "pd.DataFrame | Mapping[str, Any]") -> Iterator[_Section]:
    if isinstance(what, pd.DataFrame):
        yield _section(_title(what), [what])
        return
    for title, parts in what.items():
        is_list = isinstance(parts, Sequence) and not isinstance(parts, str)
        yield _section(str(title), parts if is_list else [parts])


def _section(title: str, parts: Sequence[Any]) -> _Section:
    frames, pictures = [], []
    for part in parts:
        if isinstance(part, pd.DataFrame):
            frames.append(_whole(part))
        elif isinstance(part, Figure | Axes):
            figure = part if isinstance(part, Figure) else part.get_figure(root=True)
            pictures.append(_Picture(_png(figure)))
        else:
            raise TypeError(
                f"{title!r} holds a {type(part).__name__}, and no frame, figure or axes of them"
            )
    notes = [frame.attrs.get("hubframe") for frame in frames]
    kept = [note for note in notes if isinstance(note, Mapping)]
    return _Section(title, frames, pictures, notes=kept)


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its index as columns, where that has names and so says something."""
    is_named = any(name is not None for name in frame.index.names)
    return frame.reset_index() if is_named else frame


def _title(frame: pd.DataFrame) -> str:
    """Name a frame by what it is and whose."""
    note = frame.attrs.get("hubframe")
    name = str(note.get("table") or "") if isinstance(note, Mapping) else ""
    title = name.replace("_", " ").capitalize() or "Table"
    repos = frame["repo"].dropna().unique() if "repo" in frame else ()
    return f"{title} of {_listed(list(map(str, repos)))}" if len(repos) else title


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _of_explorer(session: "Session") -> Iterator[_Section]:
    """Return the lists of an explorer that are on screen, and its open panel."""
    state, result = session.state, session.result
    if state.listing is not None:
        notes = [state.listing.attrs.get("hubframe", {})]
        yield _Section("Repositories", [state.listing], code=session.listing_code, notes=notes)
    if state.repos:
        title = f"Tags of {_listed(state.repos)}"
        yield _Section(title, [state.visible], notes=[state.tags.attrs.get("hubframe", {})])
    if result is not None:
        partial = ["This is not all of it: more was on its way."] if result.is_partial else []
        yield _Section(
            result.panel.title,
            [result.table],
            _drawn(session),
            columns=result.panel.columns,
            sentences=[*result.findings, *partial],
            code=session.code,
            notes=result.notes,
        )


def _drawn(session: "Session") -> list[_Picture]:
    """Draw the picture of an explorer's panel for a light page and for a dark one."""
    images = []
    for is_dark in (False, True):
        themed = copy(session)
        themed.is_dark = is_dark
        figure = themed.figure(_WIDTH)
        if figure is not None:
            images.append(_png(figure))
    return [_Picture(*images)] if images else []


def _png(figure: Any) -> str:
    return b64encode(as_png(figure)).decode("ascii")


def _said(notes: Sequence[Mapping[str, Any]]) -> str:
    """Say of all tables together where they come from, when, and whether they are complete."""
    if not notes:
        return "The tables do not say where they come from."
    sources = sorted({_named(note) for note in notes})
    moments = sorted(filter(None, (_moment(note) for note in notes)))
    when = " to ".join(dict.fromkeys((*moments[:1], *moments[-1:])))
    state = "Complete" if all(one.get("complete") for one in notes) else "Not complete"
    return wording.legible(f"From {', '.join(sources)}{when and f', fetched on {when}'}. {state}.")


def _named(note: Mapping[str, Any]) -> str:
    """Name a source as people do."""
    source = "the sample" if note.get("sample") else str(note.get("source") or "the cache")
    return source.replace("hub", "Docker Hub").replace("+", " and ")


def _moment(note: Mapping[str, Any]) -> str:
    """Say when rows were fetched; nothing where that is not known."""
    at = pd.to_datetime(str(note.get("fetched_at")), utc=True, errors="coerce")
    return "" if pd.isna(at) else f"{at:%Y-%m-%d at %H:%M} UTC"


def _source(note: Mapping[str, Any]) -> str:
    """Say where rows come from, whether they are complete, and when they were fetched."""
    when = _moment(note)
    said = wording.legible(f"{provenance(dict(note))}{when and f', fetched on {when}'}.")
    return said[:1].upper() + said[1:]
