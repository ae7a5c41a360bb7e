"""Untrusted text and faults as HTML, and a frame where widgets cannot run."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from io import BytesIO
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from hubframe.apps.explorer import views
from hubframe.apps.explorer.panels import Result
from hubframe.apps.explorer.session import Offer, Session
from hubframe.apps.show import provenance, show
from hubframe.errors import harmless
from hubframe.grid.cells import Said, cell, declared, short
from hubframe.plots import wording
from hubframe.plots.style import BLUES, ORANGES

_STATIC_ROWS = 25
_LONGEST = 200
# Those of the pictures, which the colour-blind tell apart.
_COLOURS = (*BLUES, *ORANGES)


def paragraph(text: str, kind: str = "about") -> str:
    """Return text as a paragraph; none as nothing."""
    role = ' role="alert"' if kind == "fault" else ""
    return f'<p class="{kind}"{role}>{escape(text)}</p>' if text else ""


def sentences(result: Result) -> str:
    """Return what a panel's frame tells as paragraphs; nothing where it tells nothing."""
    return "".join(paragraph(sentence, "finding") for sentence in result.findings)


def heading(title: str, note: str, about: str = "") -> str:
    """Return a heading with a note beside it, and what it is about when pointed at."""
    told = f' title="{escape(about)}"' if about else ""
    return f"<h3{told}>{escape(harmless(title))} <small>{escape(harmless(note))}</small></h3>"


def code(lines: str, label: str = "Code") -> str:
    """Return lines as a block of code."""
    return f'<pre tabindex="0" aria-label="{escape(label)}">{escape(lines)}</pre>' if lines else ""


def badges(texts: list[str]) -> str:
    """Return what there is to know of all that is on screen."""
    return "".join(f'<span class="badge">{escape(text)}</span>' for text in texts)


def picture(figure: Figure | None, title: str) -> str:
    """Return a figure as an image; none as nothing."""
    if figure is None:
        return ""
    written = BytesIO()
    figure.savefig(written, format="png", dpi=110)
    data = b64encode(written.getvalue()).decode()
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{data}">'


def proportions(layers: pd.DataFrame) -> str:
    """Return the layers of an image as a bar, each as wide as it is large."""
    total = layers["size"].sum()
    if not total:
        return ""
    parts = [_part(layer, total) for layer in layers.itertuples()]
    label = f"{len(layers)} layers in proportion to their size"
    return f'<div class="proportions" role="img" aria-label="{label}">{"".join(parts)}</div>'


def _part(layer: Any, total: float) -> str:
    if pd.isna(layer.size) or not layer.size:
        return ""
    instruction = "" if pd.isna(layer.instruction) else short(str(layer.instruction), _LONGEST)
    told = f"layer {layer.position}, {wording.size(layer.size)}, {layer.share}: {instruction}"
    look = (
        f"flex-grow:{layer.size / total:.6f};background:{_COLOURS[layer.position % len(_COLOURS)]}"
    )
    return f'<span style="{look}" title="{escape(told)}"></span>'


def digest_of(result: Result) -> str:
    """Return the digest that names an image for good: its tag's, else its own."""
    if result.frame.empty:
        return ""
    first, tags = result.frame.iloc[0], result.state.tags
    digests = tags.loc[(tags["repo"] == first.repo) & (tags["tag"] == first.tag), "digest"]
    known = digests.dropna()
    return str(known.iloc[0]) if len(known) else str(first.image_digest)


def pull_command(result: Result) -> str:
    """Return the command that pulls exactly this image."""
    if result.frame.empty:
        return ""
    return f"docker pull {harmless(result.frame['repo'].iloc[0])}@{digest_of(result)}"


def price(offer: Offer) -> str:
    """Say what reading a panel costs, and what is left."""
    plan = offer.plan
    least = "" if plan.is_exact else "at least "
    words = f"This downloads {wording.size(offer.size)} of layers, once." if offer.size else ""
    if offer.size and not plan.pulls:
        return words
    pulls = wording.counted(plan.pulls, "pull")
    words = f"{words} This needs {least}{pulls} from Docker Hub".lstrip()
    if plan.limit is not None:
        window = f" in {views.window(plan.limit.window)}" if plan.limit.window else ""
        words += f"; of {plan.limit.allowed:,}{window}, {plan.limit.remaining:,} are left"
    # How long layers take depends on the line alone.
    words += "." if offer.size else f". It takes about {max(plan.seconds, 1):.0f} s."
    if not plan.fits:
        words += " Choose fewer tags, or log in for a limit of your own."
    return words


def scope(result: Result) -> str:
    """Say of which tags of which repositories a result is."""
    of = result.panel.scope
    repos = ", ".join(result.state.repos)
    return f"{repos}: {of(result.state)}" if of else repos


def in_all_rows(table: pd.DataFrame, same: Mapping[str, Any]) -> str:
    """Say what columns of a table say that are not shown, since they say the same in each row."""
    now, told = pd.Timestamp.now("UTC"), declared(table)
    said = [
        f"{name.replace('_', ' ')} {cell(name, value, now, told.get(name, Said()).unit).text}"
        for name, value in same.items()
    ]
    return f"The same in all rows: {', '.join(said)}." if said else ""


def state_of(result: Result, *, is_busy: bool) -> str:
    """Say where it comes from, and whether it is all."""
    notes = [note for note in result.notes if note]
    if result.is_partial:
        words = f"{result.done:,} of {result.count:,} tags so far"
        words += "; more is on its way." if is_busy else ". This is not all of it."
        return words
    words = "; ".join(dict.fromkeys(provenance(note) for note in notes))
    return f"{words[:1].upper()}{words[1:]}."


def static(session: Session) -> str:
    """Return what is on screen as HTML that needs no kernel: the frame, its picture, the code."""
    parts = [paragraph("An explorer of hubframe's, as it was; run the cell to click through it.")]
    result = session.result
    if result is not None:
        table = result.table
        names, same = views.lean(table, result.panel.columns)
        parts += [
            heading(result.panel.title, scope(result)),
            sentences(result),
            picture(session.figure(), result.panel.title),
            show(table[names], _STATIC_ROWS)._repr_html_(),
            paragraph(in_all_rows(table, same)),
            paragraph("This is not all of it." if result.is_partial else "", "fault"),
            code(session.code),
        ]
    elif session.state.listing is not None:
        listing = show(session.state.listing, _STATIC_ROWS)._repr_html_()
        parts += [listing, code(session.listing_code)]
    return f'<div class="mathjax_ignore tex2jax_ignore">{"".join(parts)}</div>'
