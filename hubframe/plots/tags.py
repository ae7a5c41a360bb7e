"""When tags were pushed."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import pushes
from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.style import GREY, date_axis, day_numbers

# Kind of tag: what the legend calls it, colour, marker, and its lane within the repository's row.
_KINDS = {
    "version": ("versions", "C0", "o", -0.2),
    "other": ("other tags", "C1", "D", 0.1),
    "signature": ("signatures and other digests", GREY, "x", 0.3),
}
_LANE = 0.2
# Multiples of it, modulo 1, spread evenly: dots at one date stand side by side, always the same.
_GOLDEN = 0.618034


def plot_tags(tags: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show when the tags of each repository were last pushed, versions apart from others.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame. Tags without a date are left out; of more than 40 repositories
        those with most tags are shown, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.scatter`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per repository and a dot per tag. The height within a row only tells the kind.
    """
    dated = pushes(tags)
    counts = dated["repo"].value_counts(sort=True)
    shown = dated[dated["repo"].isin(counts.index[:MOST])]
    row, repos = pd.factorize(shown["repo"])
    some = "" if len(shown) == len(tags) else f"of {len(tags):,} "
    ax = canvas.axes(ax, len(repos), f"Last push of {len(shown):,} {some}tags")
    if shown.empty:
        return canvas.say_nothing(ax, "no tag tells when it was pushed")
    date_axis(ax.xaxis)
    day = day_numbers(shown["pushed_at"])
    usual: dict[str, Any] = {"s": float(np.clip(6000 / len(shown), 5, 30)), "alpha": 0.6}
    for kind, (label, color, marker, lane) in _KINDS.items():
        chosen = (shown["kind"] == kind).to_numpy()
        if chosen.any():
            spread = _LANE * (np.arange(chosen.sum()) * _GOLDEN % 1 - 0.5)
            look = {"color": color, "marker": marker, "label": label, "linewidth": 0.8}
            ax.scatter(day[chosen], row[chosen] + lane + spread, **usual | look | artist)
    missing = {
        "{tag} without a date": len(tags) - len(dated),
        "more {repository}": len(counts) - len(repos),
    }
    ax.set_xlabel(wording.left_out("UTC", missing))
    canvas.name_rows(ax, [f"{repo} ({counts[repo]:,})" for repo in repos])
    canvas.legend_below(ax)
    return ax
