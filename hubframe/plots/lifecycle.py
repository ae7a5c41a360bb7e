"""Until when what images are of is supported."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUES, GREY, ORANGES, date_axis, day_numbers
from hubframe.tables.lifecycle import EOL

# What the legend calls the time of a bar, and its colour, while it runs and when it is over.
_SUPPORT = ("support", BLUES[1]), ("support that is over", ORANGES[1])
_EXTENDED = ("extended support", BLUES[3]), ("extended support that is over", ORANGES[3])
# An untrusted date beyond would stretch the axis until nothing is told apart.
_YEARS = (1990, 2199)
_SUBJECT = ["repo", "tag", "platform", "image_digest", "file", "line", "field"]


def plot_eol(eol: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show until when the products that images are of are supported, the first to end on top.

    A bar per product and cycle, from its release to its end of life and through extended support,
    a line at the day that counts, and beside each bar how many images are of it.

    Parameters
    ----------
    eol
        The table `eol`. What has no date of its end is left out, and so is what is told by
        annotation, which is of no cycle; of more than 40 cycles those that end first are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    EOL.require(eol)
    dated = eol[eol["eol_at"].dt.year.between(*_YEARS)]
    cycles = dated.groupby(["product", "cycle"], sort=False)
    first = cycles[["released_at", "eol_at", "extended_until", "is_eol", "days_left"]].first()
    subjects = dated.drop_duplicates(["product", "cycle", *_SUBJECT])
    first["count"] = subjects.groupby(["product", "cycle"]).size()
    ranked = first.reset_index().sort_values(["eol_at", "product", "cycle"])
    shown = ranked.head(canvas.room(ax, below=2))
    thing = "reference" if eol["file"].notna().any() else "image"
    over, count = (
        len(some.drop_duplicates(_SUBJECT)) for some in (eol[eol["is_eol"].eq(True)], eol)
    )
    title = f"{over:,} of {wording.counted(count, thing)} at the end of life"
    ax = canvas.axes(ax, len(shown), title if eol["is_eol"].notna().any() else "End of life")
    if shown.empty:
        known = "no end of life is known" if dated.empty else "the ends of life are of no cycle"
        return canvas.say_nothing(ax, known)
    date_axis(ax.xaxis)
    day = (shown["eol_at"] - pd.to_timedelta(shown["days_left"], unit="D")).iloc[0]
    today, released, ends = (
        day_numbers(dates) for dates in (pd.Series([day]), shown["released_at"], shown["eol_at"])
    )
    until = day_numbers(shown["extended_until"].where(shown["extended_until"].dt.year <= _YEARS[1]))
    begin = np.where(np.isnan(released), ends, released)
    extended = np.where(until > ends, until, ends)
    _bars(ax, (begin, ends), ends < today, _SUPPORT, artist)
    _bars(ax, (ends, extended), extended < today, _EXTENDED, artist)
    ax.axvline(today[0], color=GREY, linewidth=1.2)
    names = shown["product"] + " " + shown["cycle"]
    words = [
        f"{wording.counted(count, thing)}, {_told(days)}"
        for count, days in zip(shown["count"], shown["days_left"], strict=True)
    ]
    canvas.name_rows(ax, names, words)
    missing = {
        f"{{{thing}}} without a date": len(eol[eol["eol_at"].isna()].drop_duplicates(_SUBJECT)),
        f"{{{thing}}} by annotation": int(dated["cycle"].isna().sum()),
        "more {cycle}": len(ranked) - len(shown),
    }
    line = Line2D([], [], color=GREY, label=f"{day:%Y-%m-%d}")
    handles = [*ax.get_legend_handles_labels()[0], line]
    return canvas.explain(ax, "UTC", missing, handles)


def _bars(ax: Axes, spans: Any, is_over: Any, looks: Any, artist: dict[str, Any]) -> None:
    """Draw the spans of time that run and those that are over, each in its colour."""
    begin, end = spans
    for chosen, (label, color) in zip((~is_over, is_over), looks, strict=True):
        rows = np.flatnonzero(chosen & (end > begin))
        if rows.size:
            look: dict[str, Any] = {"left": begin[rows], "color": color, "label": label}
            ax.barh(rows, (end - begin)[rows], **look | artist)


def _told(days: int) -> str:
    if days < 0:
        return f"over for {wording.counted(-days, 'day')}"
    return f"{wording.counted(days, 'day')} left"
