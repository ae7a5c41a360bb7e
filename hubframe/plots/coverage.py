"""Which labels and which platforms images lack, as matrices."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex

from hubframe.measure import OCI_LABELS, label_coverage
from hubframe.plots import canvas, wording
from hubframe.plots.cells import fill, write_shares
from hubframe.plots.style import BLUE, ORANGE
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import COVERAGE, PLATFORM_COVERAGE

# More columns have no room for their names.
_MOST_PLATFORMS = 24
# Points that the slanted name of a column takes.
_SLANTED = 20.0
# How many rows the slanted names of the columns are as high as.
_NAMES = 3
_STATES = ("missing", "invalid", "present")
_PRESENT = 2
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

    A row per repository, a column per pre-defined key of OCI, and per cents in the cells. Of more
    than 40 repositories those with most images are shown.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.
    images
        The `tables.CONFIGS` or `tables.IMAGES` frame of the same images, so that images without
        any label count where `labels` does not tell them; see `hubframe.measure.label_coverage`.
        The picture says of which images its shares are.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.pcolormesh`.
    """
    coverage = label_coverage(labels, images)
    of = coverage.attrs["hubframe"]["share_of"]
    counts = coverage.groupby("repo", sort=False)["image_count"].first()
    shown = counts.iloc[_least(-counts, ax)]
    ax = canvas.axes(ax, len(shown) + _NAMES, f"Standard labels: share of {of}")
    if shown.empty:
        return canvas.say_nothing(ax, "no images whose labels are known")
    shares = coverage.pivot_table(index="repo", columns="key", values="share", sort=False)
    cells = shares.loc[shown.index, _KEYS].to_numpy(dtype=float)
    fill(ax, cells, artist)
    canvas.name_rows(ax, [f"{repo} ({count:,})" for repo, count in shown.items()])
    _name_columns(ax, _KEY_NAMES)
    write_shares(ax, cells, sign=False)
    axis = f"per cent of {of} with org.opencontainers.image.…; images in brackets"
    return canvas.explain(ax, axis, {"more {repository}": len(counts) - len(shown)})


def plot_coverage(coverage: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show which tags have which of the OCI's labels, which say nothing, and which are missing.

    A row per image and a column per label.

    Parameters
    ----------
    coverage
        The table `coverage`. Of more than 40 images those that lack most labels are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.pcolormesh`.
    """
    COVERAGE.require(coverage)
    state = coverage["state"].map({name: place for place, name in enumerate(_STATES)})
    cells = _cells(coverage, IMAGE_KEY, "key", state).reindex(columns=_KEYS)
    sound = cells.eq(_PRESENT).sum(axis=1)
    shown = cells.iloc[_least(sound, ax)]
    of = coverage.attrs.get("hubframe", {}).get("share_of", "")
    count = wording.counted(len(cells), f"{{image}}{' with labels' * of.endswith('labels')}")
    title = f"All standard labels in {sound.eq(len(_KEYS)).sum():,} of {count}"
    ax = canvas.axes(ax, len(shown) + _NAMES, title)
    if shown.empty:
        return canvas.say_nothing(ax, "no images whose labels are known")
    missing = {"more {image}": len(cells) - len(shown)}
    handles = _show(ax, shown.set_axis(_KEY_NAMES, axis=1), _STATES, artist)
    axis = "labels org.opencontainers.image.…"
    return canvas.explain(ax, axis, missing, handles, is_beside=True)


def plot_platform_coverage(
    coverage: pd.DataFrame, *, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Show which tags have images for which platforms.

    A row per tag and a column per platform, the most common first. Where the table has no row for
    a tag and a platform nothing is missing, and their cell stays empty.

    Parameters
    ----------
    coverage
        The table `platform_coverage`. Of more than 40 tags those that lack most platforms are
        shown, of more than 24 platforms those that most tags have. Platforms that none of the shown
        tags could lack are not shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.pcolormesh`.
    """
    PLATFORM_COVERAGE.require(coverage)
    state = coverage["is_present"].map({False: 0, True: _PRESENT})
    cells = _cells(coverage, ("repo", "tag"), "platform", state)
    lacking = cells.eq(0).sum(axis=1)
    shown = cells.iloc[_least(-lacking, ax)].dropna(axis=1, how="all")
    count = wording.counted(len(cells), "tag")
    title = f"Platforms that others have are missing in {lacking.gt(0).sum():,} of {count}"
    ax = canvas.axes(ax, len(shown) + _NAMES, title)
    if shown.empty:
        return canvas.say_nothing(ax, "no images with a platform")
    common = cells.eq(_PRESENT).sum().sort_values(ascending=False, kind="stable").index
    platforms = common[common.isin(shown.columns)]
    named = platforms[: canvas.columns(ax, _MOST_PLATFORMS)]
    missing = {
        "more {tag}": len(cells) - len(shown),
        "more {platform}": len(platforms) - len(named),
    }
    names = wording.distinct(named, 20)
    handles = _show(ax, shown[named].set_axis(names, axis=1), _STATES[::_PRESENT], artist)
    return canvas.explain(ax, "platforms", missing, handles, is_beside=True)


def _cells(
    coverage: pd.DataFrame, row: Sequence[str], column: str, state: pd.Series
) -> pd.DataFrame:
    """Spread the states over a matrix whose rows have the names of images."""
    number = coverage.groupby(list(row), dropna=False, sort=False).ngroup()
    states = coverage.assign(row=number, state=state.astype("float64"))
    cells = states.pivot_table(index="row", columns=column, values="state")
    names = canvas.image_names(coverage[list(row)])
    return cells.set_axis(names[~number.duplicated()].array, axis=0)


def _least(sound: pd.Series, ax: Axes | None) -> Any:
    """Choose the rows that have least, in their order."""
    return np.sort(sound.argsort(kind="stable")[: canvas.room(ax, below=_NAMES)])


def _name_columns(ax: Axes, names: Sequence[str]) -> None:
    look: dict[str, Any] = {"rotation": 90}
    if len(names) <= canvas.columns(ax, width=_SLANTED):
        look = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(names)), names, **look)


def _show(
    ax: Axes, cells: pd.DataFrame, states: Sequence[str], artist: dict[str, Any]
) -> list[Artist]:
    """Draw the cells, and return what explains the colours."""
    faint = to_hex(mpl.rcParams["grid.color"])
    colours = dict(zip(_STATES, (faint, ORANGE, BLUE), strict=True))
    look = {"cmap": ListedColormap(list(colours.values())), "vmin": -0.5, "vmax": 2.5}
    fill(ax, cells.to_numpy(dtype=float), look | artist)
    canvas.name_rows(ax, cells.index)
    _name_columns(ax, list(cells.columns))
    return canvas.patches(*((state, colours[state]) for state in states))
