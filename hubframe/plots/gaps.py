"""Which labels and which platforms tags lack, as matrices."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.patches import Patch

from hubframe.measure import OCI_LABELS
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, name_rows, say_nothing
from hubframe.plots.names import image_names
from hubframe.plots.style import BLUE, ORANGE
from hubframe.tables.measured import COVERAGE, PLATFORM_COVERAGE

MOST = 40
# More columns have no room for their names.
_MOST_PLATFORMS = 24
_IMAGE = ["repo", "tag", "platform", "image_digest"]
_STATES = ("missing", "invalid", "present")


def plot_coverage(coverage: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show which tags have which of the OCI's labels, which say nothing, and which are missing.

    Parameters
    ----------
    coverage
        The table `coverage`, as `hubframe.coverage_df` makes it. Of more than 40 images those that
        lack most labels are shown, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per image and a column per label.
    """
    COVERAGE.require(coverage)
    image = coverage.groupby(_IMAGE, dropna=False, sort=False).ngroup()
    sound = coverage["state"].eq("present").groupby(image).sum()
    rows = _most_wanting(sound)
    ax = canvas(ax, len(rows))
    complete = int(sound.eq(len(OCI_LABELS)).sum())
    ax.set_title(f"All standard labels in {complete:,} of {wording.counted(len(sound), 'image')}")
    if not rows:
        return say_nothing(ax, "no images whose labels are known")
    state = coverage["state"].map({name: place for place, name in enumerate(_STATES)})
    told = pd.DataFrame({"image": image, "key": coverage["key"], "state": state})
    cells = told.pivot_table(index="image", columns="key", values="state").reindex(
        index=rows, columns=list(OCI_LABELS)
    )
    names = [key.removeprefix("org.opencontainers.image.") for key in OCI_LABELS]
    colours = _matrix(ax, cells.to_numpy(dtype=float), names, artist)
    first = coverage[~image.duplicated()].set_index(image[~image.duplicated()])
    name_rows(ax, image_names(first).loc[rows].tolist())
    missing = {("more", "image", ""): len(sound) - len(rows)}
    ax.set_xlabel(wording.left_out("labels org.opencontainers.image.…", missing))
    _explain(ax, colours, _STATES)
    return ax


def plot_platform_coverage(
    coverage: pd.DataFrame, *, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Show which tags have images for which platforms.

    Parameters
    ----------
    coverage
        The table `platform_coverage`, as `hubframe.platform_coverage_df` makes it. Of more than
        40 tags those that lack most platforms are shown, of more than 24 platforms those that
        most tags have; the axis says so. Platforms that none of the shown tags could lack are not
        shown.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a row per tag and a column per platform, the most common first. A platform that no
        tag of a repository has is no gap of its tags, and their cell stays empty.
    """
    PLATFORM_COVERAGE.require(coverage)
    tag = coverage.groupby(["repo", "tag"], sort=False).ngroup()
    lacking = (~coverage["is_present"]).groupby(tag).sum()
    rows = _most_wanting(-lacking)
    ax = canvas(ax, len(rows))
    incomplete = int(lacking.gt(0).sum())
    count = wording.counted(len(lacking), "tag")
    ax.set_title(f"Platforms that others have are missing in {incomplete:,} of {count}")
    if not rows:
        return say_nothing(ax, "no images with a platform")
    common = coverage["is_present"].groupby(coverage["platform"]).sum()
    platforms = common.sort_values(ascending=False, kind="stable").index
    state = coverage["is_present"].map({False: 0, True: 2})
    told = pd.DataFrame({"tag": tag, "platform": coverage["platform"], "state": state})
    told = told[told["tag"].isin(rows)]
    platforms = platforms[platforms.isin(told["platform"])]
    cells = told.pivot_table(index="tag", columns="platform", values="state").reindex(
        index=rows, columns=platforms[:_MOST_PLATFORMS]
    )
    names = [wording.drawn(name, 20) for name in cells.columns]
    colours = _matrix(ax, cells.to_numpy(dtype=float), names, artist)
    first = coverage[~tag.duplicated()].set_index(tag[~tag.duplicated()])
    is_one_repo = len(coverage["repo"].unique()) == 1
    named = first["tag"] if is_one_repo else first["repo"] + ":" + first["tag"]
    name_rows(ax, named.loc[rows].tolist())
    missing = {
        ("more", "tag", ""): len(lacking) - len(rows),
        ("more", "platform", ""): len(platforms) - len(names),
    }
    ax.set_xlabel(wording.left_out("platforms", missing))
    _explain(ax, colours, ("missing", "present"))
    return ax


def _most_wanting(sound: pd.Series) -> list[int]:
    """Choose the rows that have least, in their order."""
    return sorted(sound.sort_values(kind="stable").index[:MOST])


def _matrix(
    ax: Axes, cells: np.ndarray[Any, Any], columns: Sequence[str], artist: dict[str, Any]
) -> dict[str, str]:
    """Draw the cells, name the columns, and return the colour of each state."""
    faint = to_hex(mpl.rcParams["grid.color"])
    colours = dict(zip(_STATES, (faint, ORANGE, BLUE), strict=True))
    look: dict[str, Any] = {
        "cmap": ListedColormap(list(colours.values())),
        "vmin": -0.5,
        "vmax": 2.5,
        "linewidth": 1.5,
        "edgecolors": mpl.rcParams["axes.facecolor"],
    }
    edges = (np.arange(count + 1) - 0.5 for count in cells.shape[::-1])
    ax.pcolormesh(*edges, np.ma.masked_invalid(cells), **look | artist)
    ax.set_xticks(range(len(columns)), columns, rotation=35, ha="right")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return colours


def _explain(ax: Axes, colours: dict[str, str], states: Sequence[str]) -> None:
    """Explain the colours at the right, since the columns' names are below."""
    handles = [Patch(color=colours[state], label=state) for state in states]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1))
