"""How many vulnerabilities are known, how severe they are, and how many a new version mends."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import identity
from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUES, GREY, ORANGES, whole_axis
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.vulnerabilities import VULNERABILITY_SUMMARY

_SEVERITIES = {
    **dict(zip(("critical", "high", "medium", "low"), ORANGES, strict=True)),
    "negligible": BLUES[3],
    "unknown": GREY,
}
_TOLD = ["vulnerability_count", "fixable_count", "exploited_count", "images"]
_DIGITS = len("sha256:") + 12


def plot_vulnerability_summary(
    summary: pd.DataFrame,
    layers: pd.DataFrame | None = None,
    *,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Count the known vulnerabilities of each row, stacked by their severity.

    A bar per row of the frame, in its order, the worst on top; a layer that several images have is
    there once. Beside it stands how many there are, how many of them have a fixed version, and how
    many are known to be exploited.

    Parameters
    ----------
    summary
        The table `vulnerability_summary`, by tag, image, repository or layer. The first 40 rows are
        shown. What has no bar has no vulnerability that is known, which does not mean that it is
        safe.
    layers
        The table `layers` of the same images, whose build steps name the rows of a summary by
        layer; without it they are named by the digests of layers.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    VULNERABILITY_SUMMARY.require(summary)
    thing, names = _named(summary, layers)
    image = identity(summary)
    bar = summary["layer_digest"].fillna(summary["repo"] + " " + image)
    bars = summary.assign(name=names, images=image.groupby(bar).transform("nunique"))
    bars = bars[~bar.duplicated()] if thing == "layer" else bars.assign(images=1)
    shown = bars.head(canvas.room(ax, below=2))
    count = wording.some(len(shown), len(bars), thing)
    ax = canvas.axes(ax, len(shown) + 1, f"Known vulnerabilities of {count}")
    if shown.empty:
        return canvas.say_nothing(ax, "no vulnerability is known, which does not mean safe")
    parts = [
        (name, colour, shown[f"{name}_count"].to_numpy("float64"))
        for name, colour in _SEVERITIES.items()
        if shown[f"{name}_count"].any()
    ]
    canvas.stack(ax, parts, artist)
    whole_axis(ax.xaxis)
    words = [_told(*row) for row in shown[_TOLD].fillna(0).itertuples(index=False, name=None)]
    canvas.name_rows(ax, shown["name"], words, shown["vulnerability_count"].to_numpy("float64"))
    missing = {f"more {{{thing}}}": len(bars) - len(shown)}
    return canvas.explain(ax, "vulnerabilities", missing)


def _named(summary: pd.DataFrame, layers: pd.DataFrame | None) -> tuple[str, pd.Series]:
    """Tell from its columns what a row is, and name the rows."""
    if summary[["tag", "platform", "image_digest"]].isna().all(axis=None):
        return "repository", summary["repo"]
    images = canvas.image_names(summary)
    if summary["layer_digest"].isna().all() and not summary.duplicated([*IMAGE_KEY]).any():
        return "image", images
    digests = summary["layer_digest"]
    untold = digests.str.slice(0, _DIGITS).fillna("no layer told")
    return "layer", canvas.layer_names(digests, layers, untold, images)


def _told(count: int, fixable: int, exploited: int, images: int) -> str:
    if not count:
        return "none"
    words = [f"{count:,}", f"{f'{fixable:,}' if fixable else 'none'} with a fix"]
    words += [f"{exploited:,} exploited"] if exploited else []
    words += [f"in {images:,} images"] if images > 1 else []
    return ", ".join(words)
