"""Pictures as SVG, whose marks tell what they are of, and can be clicked where they name a tag."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import anywidget
import matplotlib as mpl
import traitlets
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_HERE = Path(__file__).parent
_SVG = "http://www.w3.org/2000/svg"
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


def svg(figure: Figure, names: Iterable[str] = ()) -> str:
    """Return a figure as SVG on a transparent ground.

    Bars tell their row, what their colour means and how long they are, when pointed at. What
    stands in the row of one of the `names` (of tags) has it as ``data-name``.
    """
    known = set(names)
    titles: dict[str, tuple[str, str]] = {}
    for at, (artist, title, name) in enumerate(_marks(figure, known)):
        artist.set_gid(f"mark-{at}")
        titles[f"mark-{at}"] = title, name
    written = BytesIO()
    with mpl.rc_context(_WRITTEN):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(written.getvalue())  # noqa: S314 - our own, and not a stranger's
    for element in root.iter(f"{{{_SVG}}}g"):
        title, name = titles.get(element.get("id", ""), ("", ""))
        if title:
            told = ET.Element(f"{{{_SVG}}}title")
            told.text = title
            element.insert(0, told)
        if name:
            element.set("data-name", name)
    return ET.tostring(root, encoding="unicode")


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
