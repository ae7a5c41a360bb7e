"""The report's pictures as PNG, drawn without a window system."""

from collections.abc import Callable, Mapping
from io import BytesIO
from threading import Lock

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hubframe.measure import described_images, leading_tags
from hubframe.plots import plot_label_coverage, plot_layers, plot_pulls, plot_tags, style
from hubframe.plots.canvas import WIDTH, height

NEWEST = 12
_MOST_ROWS = 60
_DPI = 150
# `style` changes matplotlib's settings for the whole process while it lasts.
_DRAWING = Lock()


def draw(frames: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Draw the four pictures of the report, by name."""
    repos, tags, layers, labels = (frames[name] for name in ("repos", "tags", "layers", "labels"))
    images = described_images(frames)
    pulled = repos["pull_count"].count()
    tagged = tags["repo"].nunique()
    shown = len(leading_tags(layers, NEWEST)[["repo", "tag"]].drop_duplicates())
    labelled = pd.concat([labels["repo"], images["repo"]]).nunique()
    return {
        "pulls": _png(pulled, lambda ax: plot_pulls(repos, ax=ax)),
        "tags": _png(tagged, lambda ax: plot_tags(tags, ax=ax)),
        "layers": _png(shown, lambda ax: plot_layers(layers, newest=NEWEST, ax=ax)),
        "labels": _png(labelled, lambda ax: plot_label_coverage(labels, images, ax=ax)),
    }


def _png(rows: int, plot: Callable[[Axes], Axes]) -> bytes:
    """Draw on a figure of fit height; a `Figure` of its own never asks for a window."""
    image = BytesIO()
    with _DRAWING, style():
        figure = Figure(figsize=(WIDTH, height(min(rows, _MOST_ROWS))), layout="constrained")
        plot(figure.subplots())
        figure.savefig(image, format="png", dpi=_DPI)
    return image.getvalue()
