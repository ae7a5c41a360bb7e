"""When tags were pushed."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import pushes
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, name_rows, say_nothing
from hubframe.plots.style import GREY, date_axis

MOST = 40
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
    repos = list(dict.fromkeys(shown["repo"]))
    ax = canvas(ax, len(repos))
    ax.set_title(_title(len(shown), len(tags)))
    if shown.empty:
        return say_nothing(ax, "no tag tells when it was pushed")
    date_axis(ax.xaxis)
    area = float(np.clip(6000 / len(shown), 5, 30))
    for kind in _KINDS:
        _scatter(ax, kind, shown[shown["kind"] == kind], repos, {"s": area} | artist)
    missing = {
        ("", "tag", "without a date"): len(tags) - len(dated),
        ("more", "repository", ""): len(counts) - len(repos),
    }
    ax.set_xlabel(wording.left_out("UTC", missing))
    name_rows(ax, [f"{repo} ({counts[repo]:,})" for repo in repos])
    legend_below(ax)
    return ax


def _title(shown: int, tags: int) -> str:
    return f"Last push of {shown:,} {'' if shown == tags else f'of {tags:,} '}tags"


def _scatter(
    ax: Axes, kind: str, tags: pd.DataFrame, repos: list[str], artist: dict[str, Any]
) -> None:
    if tags.empty:
        return
    label, color, marker, lane = _KINDS[kind]
    row = tags["repo"].map({repo: row for row, repo in enumerate(repos)}).to_numpy(dtype=float)
    spread = _LANE * (np.arange(len(tags)) * _GOLDEN % 1 - 0.5)
    look: dict[str, Any] = {"color": color, "marker": marker, "alpha": 0.6, "linewidth": 0.8}
    dates = tags["pushed_at"].dt.tz_localize(None).to_numpy()
    ax.scatter(dates, row + lane + spread, label=label, **look | artist)
