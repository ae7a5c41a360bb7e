"""Which labels and which platforms images lack, as matrices."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex

from hubframe.measure import OCI_LABELS, label_coverage
from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.cells import fill_cells, slant_columns, write_shares
from hubframe.plots.style import BLUE, ORANGE
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import COVERAGE, PLATFORM_COVERAGE

# More columns have no room for their names.
_MOST_PLATFORMS = 24
_STATES = ("missing", "invalid", "present")
_KEYS = list(OCI_LABELS)
_KEY_NAMES = [key.removeprefix("org.opencontainers.image.") for key in OCI_LABELS]


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
    shown = counts[counts.index.isin(most)]
    some = ", " + wording.some(len(shown), len(counts), "repository")
    title = f"Share of images with each standard label{some if len(shown) < len(counts) else ''}"
    ax = canvas.axes(ax, len(shown), title)
    if shown.empty:
        return canvas.say_nothing(ax, "no images whose labels are known")
    shares = coverage.pivot_table(index="repo", columns="key", values="share", sort=False)
    cells = shares.loc[shown.index, _KEYS].to_numpy(dtype=float)
    fill_cells(ax, cells, artist)
    canvas.name_rows(ax, [f"{repo} ({count:,})" for repo, count in shown.items()])
    slant_columns(ax, _KEY_NAMES)
    ax.set_xlabel("per cent with org.opencontainers.image.…; images in brackets")
    write_shares(ax, cells, sign=False)
    return ax


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
    image = coverage.groupby(list(IMAGE_KEY), dropna=False, sort=False).ngroup()
    sound = coverage["state"].eq("present").groupby(image).sum()
    rows = _most_wanting(sound)
    complete = int(sound.eq(len(_KEYS)).sum())
    count = wording.counted(len(sound), "image")
    ax = canvas.axes(ax, len(rows), f"All standard labels in {complete:,} of {count}")
    if not rows:
        return canvas.say_nothing(ax, "no images whose labels are known")
    state = coverage["state"].map({name: place for place, name in enumerate(_STATES)})
    cells = _cells(image, coverage["key"], state).reindex(index=rows, columns=_KEYS)
    canvas.name_rows(ax, canvas.image_names(coverage).groupby(image).first().loc[rows])
    missing = {"more {image}": len(sound) - len(rows)}
    ax.set_xlabel(wording.left_out("labels org.opencontainers.image.…", missing))
    _show(ax, cells.set_axis(_KEY_NAMES, axis=1), _STATES, artist)
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
    incomplete, count = int(lacking.gt(0).sum()), wording.counted(len(lacking), "tag")
    title = f"Platforms that others have are missing in {incomplete:,} of {count}"
    ax = canvas.axes(ax, len(rows), title)
    if not rows:
        return canvas.say_nothing(ax, "no images with a platform")
    common = coverage["is_present"].groupby(coverage["platform"]).sum()
    platforms = common.sort_values(ascending=False, kind="stable").index
    state = coverage["is_present"].map({False: 0, True: 2})
    cells = _cells(tag, coverage["platform"], state).loc[rows].dropna(axis=1, how="all")
    cells = cells[platforms[platforms.isin(cells.columns)]]
    shown = cells.iloc[:, :_MOST_PLATFORMS]
    canvas.name_rows(ax, canvas.image_names(coverage).groupby(tag).first().loc[rows])
    missing = {
        "more {tag}": len(lacking) - len(rows),
        "more {platform}": cells.shape[1] - shown.shape[1],
    }
    ax.set_xlabel(wording.left_out("platforms", missing))
    _show(ax, shown.rename(columns=lambda name: wording.drawn(name, 20)), _STATES[::2], artist)
    return ax


def _most_wanting(sound: pd.Series) -> list[int]:
    """Choose the rows that have least, in their order."""
    return sorted(sound.sort_values(kind="stable").index[:MOST])


def _cells(row: pd.Series, column: pd.Series, state: pd.Series) -> pd.DataFrame:
    told = pd.DataFrame({"row": row, "column": column, "state": state})
    return told.pivot_table(index="row", columns="column", values="state")


def _show(ax: Axes, cells: pd.DataFrame, states: Sequence[str], artist: dict[str, Any]) -> None:
    """Draw the cells, and explain the colours at the right: the columns' names are below."""
    faint = to_hex(mpl.rcParams["grid.color"])
    colours = dict(zip(_STATES, (faint, ORANGE, BLUE), strict=True))
    look = {"cmap": ListedColormap(list(colours.values())), "vmin": -0.5, "vmax": 2.5}
    fill_cells(ax, cells.to_numpy(dtype=float), look | artist)
    slant_columns(ax, list(cells.columns))
    handles = canvas.patches(*((state, colours[state]) for state in states))
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1))
