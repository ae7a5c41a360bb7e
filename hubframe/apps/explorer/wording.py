"""Untrusted text and faults as HTML, and a frame where widgets cannot run."""

from base64 import b64encode
from html import escape
from io import BytesIO

import pandas as pd
from matplotlib.figure import Figure

from hubframe.apps.explorer.panels import Panel, Result
from hubframe.apps.explorer.session import Session
from hubframe.apps.show import provenance, show
from hubframe.errors import harmless
from hubframe.frames.plan import Plan
from hubframe.plots import wording

_STATIC_ROWS = 25


def paragraph(text: str, kind: str = "about") -> str:
    """Return text as a paragraph; none as nothing."""
    role = ' role="alert"' if kind == "fault" else ""
    return f'<p class="{kind}"{role}>{escape(text)}</p>' if text else ""


def sentences(panel: Panel, frame: pd.DataFrame) -> str:
    """Return what a panel's frame tells as paragraphs; nothing where it tells nothing."""
    said = panel.findings(frame) if panel.findings else []
    return "".join(paragraph(sentence, "finding") for sentence in said)


def heading(title: str, note: str) -> str:
    """Return a heading with a note beside it."""
    return f"<h3>{escape(harmless(title))} <small>{escape(note)}</small></h3>"


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


def price(plan: Plan) -> str:
    """Say what reading a panel costs, and what is left."""
    least = "" if plan.is_exact else "at least "
    pulls = wording.counted(plan.pulls, "pull")
    words = f"This needs {least}{pulls} from Docker Hub"
    if plan.limit is not None:
        words += f"; {plan.limit.remaining:,} of {plan.limit.allowed:,} are left"
    words += f". It takes about {plan.seconds:.0f} s."
    if not plan.fits:
        words += " Choose fewer tags, or log in for a limit of your own."
    return words


def state_of(result: Result, *, is_busy: bool) -> str:
    """Say where it comes from, and whether it is all."""
    words = "; ".join(provenance(note) for note in result.notes if note)
    words = f"{words[:1].upper()}{words[1:]}."
    if result.is_partial:
        words += " More is on its way." if is_busy else " This is not all of it."
    return words


def static(session: Session) -> str:
    """Return what is on screen as HTML that needs no kernel: the frame, its picture, the code."""
    parts = [paragraph("An explorer of hubframe's, as it was; run the cell to click through it.")]
    if session.result is not None:
        panel = session.panel
        shown = [name for name in panel.columns if name in session.result.frame]
        frame = session.result.frame[shown] if shown else session.result.frame
        parts += [
            f"<h3>{escape(panel.title)}: {escape(', '.join(session.state.repos))}</h3>",
            sentences(panel, session.result.frame),
            picture(session.figure(), panel.title),
            show(frame, _STATIC_ROWS)._repr_html_(),
            paragraph("This is not all of it." if session.is_partial else "", "fault"),
            code(session.code),
        ]
    elif session.state.listing is not None:
        listing = show(session.state.listing, _STATIC_ROWS)._repr_html_()
        parts += [listing, code(session.listing_code)]
    return f'<div class="mathjax_ignore tex2jax_ignore">{"".join(parts)}</div>'
