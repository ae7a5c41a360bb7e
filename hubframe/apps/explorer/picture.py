"""Pictures as SVG, whose marks tell what they are of, and can be clicked where they name a tag."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.dom.minidom import Element, parseString

import anywidget
import matplotlib as mpl
import pandas as pd
import traitlets
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hubframe.plots.style import day_numbers

_HERE = Path(__file__).parent
# Days are compared to a tenth of a second or so.
_DIGITS = 6
# Text stays text: small, and as sharp as all the rest of the page.
_WRITTEN: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "hubframe"}
# More marks than that are too small to point at, and too many to send.
_MOST = 3000


class Picture(anywidget.AnyWidget):
    """A picture as wide as there is room: it tells its `width`, and which mark was clicked."""

    _esm = _HERE / "picture.js"
    _css = _HERE / "picture.css"
    svg = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)  # [CSS pixels], 0 until the browser told it

    def __init__(self, chose: Callable[[str], None]) -> None:
        super().__init__()
        self._chose = chose
        self.on_msg(self._heard)

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        match message:
            case {"kind": "choose", "name": str(name)}:
                self._chose(name)


def svg(figure: Figure, names: Iterable[str] = (), days: Mapping[float, str] | None = None) -> str:
    """Return a figure as SVG on a transparent ground.

    Bars tell their row, what their colour means and how long they are, when pointed at. What
    stands in the row of one of the `names` (of tags) has it as ``data-name``, and so have dots at
    one of the `days` of tags.
    """
    known = set(names)
    dots = _number_dots(figure, days or {})
    titles: dict[str, tuple[str, str]] = {}
    for at, (artist, title, name) in enumerate(_marks(figure, known)):
        artist.set_gid(f"mark-{at}")
        titles[f"mark-{at}"] = title, name
    written = BytesIO()
    with mpl.rc_context(_WRITTEN):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    page = parseString(written.getvalue())  # noqa: S318 - our own, and not a stranger's
    for element in page.getElementsByTagName("g"):
        _mark(element, *titles.get(element.getAttribute("id"), ("", "")))
    for link in list(page.getElementsByTagName("a")):
        name = dots.get(link.getAttribute("xlink:href"), "")
        # No link, but a mark.
        link.tagName = link.nodeName = "g"
        link.removeAttribute("xlink:href")
        _mark(link, name, name)
    root: Any = page.documentElement
    return str(root.toxml())


def _mark(element: Element, title: str, name: str) -> None:
    """Have an element of a picture tell what it is, and which tag it stands for."""
    if title:
        document: Any = element.ownerDocument
        told = document.createElement("title")
        told.appendChild(document.createTextNode(title))
        element.insertBefore(told, element.firstChild)
    if name:
        element.setAttribute("data-name", name)


def _number_dots(figure: Figure, days: Mapping[float, str]) -> dict[str, str]:
    """Give each dot that stands at the day of a tag an address of its own; return tags by these."""
    named: dict[str, str] = {}
    for collection in (one for axes in figure.axes for one in axes.collections):
        if not isinstance(collection, PathCollection):
            continue
        offsets: Any = collection.get_offsets()
        found = [days.get(round(float(day), _DIGITS)) for day, _ in offsets]
        if len(found) > _MOST or not any(found):
            continue
        addresses = [f"#dot-{len(named) + at}" for at in range(len(found))]
        collection.set_urls(addresses)
        named |= {
            address: name
            for address, name in zip(addresses, found, strict=True)
            if name is not None
        }
    return named


def days_of(tags: pd.DataFrame) -> dict[float, str]:
    """Return tags by the day of their push, as axes of dates count."""
    dated = tags.dropna(subset="pushed_at")
    numbers = (round(float(day), _DIGITS) for day in day_numbers(dated["pushed_at"]))
    return dict(zip(numbers, dated["tag"], strict=True))


def _marks(figure: Figure, known: set[str]) -> Iterator[tuple[Any, str, str]]:
    """Yield what can be pointed at, what that tells, and the name that it stands for."""
    for axes in figure.axes:
        rows = {round(place): text for place, text in _labels(axes)}
        meanings = _meanings(axes)
        lengths = axes.xaxis.get_major_formatter()
        for label in axes.get_yticklabels():
            text = _plain(label.get_text())
            yield label, text, _named(text, known)
        for patch in axes.patches[:_MOST]:
            if not isinstance(patch, Rectangle) or not patch.get_width():
                continue
            row = rows.get(round(patch.get_y() + patch.get_height() / 2), "")
            meaning = meanings.get(to_hex(patch.get_facecolor()), "")
            said = ", ".join(part for part in (meaning, lengths(patch.get_width(), None)) if part)
            yield patch, f"{row}: {said}" if row else said, _named(row, known)


def _labels(axes: Axes) -> Iterator[tuple[float, str]]:
    labels = [_plain(label.get_text()) for label in axes.get_yticklabels()]
    return zip(axes.get_yticks(), labels, strict=False)


def _meanings(axes: Axes) -> dict[str, str]:
    """Return what the legend says of colours."""
    legend = axes.get_legend()
    if legend is None:
        return {}
    pairs = zip(legend.legend_handles, legend.get_texts(), strict=False)
    return {
        to_hex(handle.get_facecolor()): _plain(text.get_text())
        for handle, text in pairs
        if isinstance(handle, Rectangle)
    }


def _named(text: str, known: set[str]) -> str:
    """Return the tag that a label names, alone or before its other names."""
    first = text.split(" ", maxsplit=1)[0].rstrip(",")
    return next((name for name in (text, first) if name in known), "")


def _plain(text: str) -> str:
    return text.replace(r"\$", "$")
