"""Which standard labels the images of each repository carry."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import OCI_LABELS, label_coverage
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, name_rows, row_font, say_nothing
from hubframe.plots.style import ramp

MOST = 40
# From here on cells are so blue that white letters are easier to read.
_FULL = 0.85


def plot_label_coverage(
    labels: pd.DataFrame,
    images: pd.DataFrame | None = None,
    *,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Show which share of each repository's images carries each standard label.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.
    images
        The `tables.CONFIGS` or `tables.IMAGES` frame of the same images, so that images without
        any label count; see `hubframe.measure.label_coverage`.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per repository, a column per pre-defined key of OCI, and per cents in the cells.
        Of more than 40 repositories those with most images are shown, and the title says so.
    """
    coverage = label_coverage(labels, images)
    counts = coverage.groupby("repo", sort=False)["image_count"].first()
    most = counts.sort_values(ascending=False, kind="stable").index[:MOST]
    repos = [repo for repo in counts.index if repo in set(most)]
    ax = canvas(ax, len(repos))
    ax.set_title(_title(len(repos), len(counts)))
    if not repos:
        return say_nothing(ax, "no images whose labels are known")
    shares = coverage.pivot_table(index="repo", columns="key", values="share", sort=False)
    shares = shares.loc[repos, list(OCI_LABELS)].astype(float)
    look: dict[str, Any] = {"cmap": ramp(), "vmin": 0, "vmax": 1, "linewidth": 1.5}
    look["edgecolors"] = mpl.rcParams["axes.facecolor"]
    columns, rows = (np.arange(count + 1) - 0.5 for count in (len(OCI_LABELS), len(repos)))
    ax.pcolormesh(columns, rows, shares.to_numpy(), **look | artist)
    _name_cells(ax, shares, counts)
    return ax


def _title(shown: int, count: int) -> str:
    some = "" if shown == count else f", {shown:,} of {count:,} repositories"
    return f"Share of images with each standard label{some}"


def _name_cells(ax: Axes, shares: pd.DataFrame, counts: pd.Series) -> None:
    """Name rows and columns, and write the per cents."""
    size = min(row_font(ax, len(shares)), 8)
    name_rows(ax, [f"{repo} ({counts[repo]:,})" for repo in shares.index])
    names = [key.removeprefix("org.opencontainers.image.") for key in shares.columns]
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right")
    ax.set_xlabel("per cent with org.opencontainers.image.…; images in brackets")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    for row, column, share in (
        (row, column, share)
        for row, values in enumerate(shares.itertuples(index=False))
        for column, share in enumerate(values)
    ):
        ax.text(
            column,
            row,
            wording.percent(share).partition(wording.BLANK)[0],
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share > _FULL else mpl.rcParams["text.color"],
            alpha=1 if share else 0.55,
        )
