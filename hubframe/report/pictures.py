"""The report's pictures as PNG, drawn without a window system."""

from collections.abc import Callable, Mapping
from io import BytesIO

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hubframe import measure, plots
from hubframe.measure import described_images, leading_tags
from hubframe.plots.canvas import WIDTH, height
from hubframe.plots.sharing import MOST_LAYERS, NAMES_BELOW

NEWEST = 12
_MOST_ROWS = 60
_ROWS_OF_A_CURVE = 12
_DPI = 120

Frames = Mapping[str, pd.DataFrame]
Drawing = tuple[int, Callable[[Axes], Axes]]


def draw(frames: Frames, answers: Frames) -> dict[str, bytes]:
    """Draw the pictures of the report, by name.

    Parameters
    ----------
    frames
        The report's frames.
    answers
        The tables measured of them.
    """
    drawings = _of_frames(frames) | _of_answers(frames["layers"], answers)
    return {name: _png(rows, plot) for name, (rows, plot) in drawings.items()}


def _of_frames(frames: Frames) -> dict[str, Drawing]:
    """Return how many rows each picture has, and what draws it."""
    repos, tags, layers, labels = (frames[name] for name in ("repos", "tags", "layers", "labels"))
    images = described_images(frames)
    shown = len(leading_tags(layers, NEWEST)[["repo", "tag"]].drop_duplicates())
    labelled = pd.concat([labels["repo"], images["repo"]]).nunique()
    return {
        "pulls": (repos["pull_count"].count(), lambda ax: plots.plot_pulls(repos, ax=ax)),
        "tags": (tags["repo"].nunique(), lambda ax: plots.plot_tags(tags, ax=ax)),
        "layers": (shown, lambda ax: plots.plot_layers(layers, newest=NEWEST, ax=ax)),
        "layer_sizes": (
            _ROWS_OF_A_CURVE if len(layers) else 0,
            lambda ax: plots.plot_layer_sizes(layers, ax=ax),
        ),
        "labels": (labelled, lambda ax: plots.plot_label_coverage(labels, images, ax=ax)),
    }


def _of_answers(layers: pd.DataFrame, answers: Frames) -> dict[str, Drawing]:
    footprint, lag, ages, plan = (
        answers[name] for name in ("footprint", "latest_lag", "staleness", "cleanup")
    )
    parents, outdated = answers["parents"], answers["outdated"]
    related = int(parents["parent_repo"].notna().sum())
    shared = int((answers["shared_layers"]["image_count"] > 1).sum())
    goes = plan.loc[plan["action"] == "delete", "repo"]
    trend, platforms = answers["size_trend"], answers["platform_coverage"]
    grown = measure.most_grown(trend)
    return {
        "size_trend": (
            min(len(trend), _ROWS_OF_A_CURVE),
            # The caption speaks of the line that grew most.
            lambda ax: plots.plot_size_trend(grown if len(grown) else trend, ax=ax),
        ),
        "platforms": (
            min(platforms["tag"].nunique(), 40),
            lambda ax: plots.plot_platform_coverage(platforms, ax=ax),
        ),
        "parents": (
            min(2 * related, 45),
            lambda ax: plots.plot_parents(parents, outdated, ax=ax),
        ),
        "shared_layers": (
            min(shared, MOST_LAYERS) + NAMES_BELOW if shared else 0,
            lambda ax: plots.plot_shared_layers(layers, ax=ax),
        ),
        "footprint": (min(len(footprint), 40), lambda ax: plots.plot_footprint(footprint, ax=ax)),
        "latest_lag": (min(len(lag), 40), lambda ax: plots.plot_latest_lag(lag, ax=ax)),
        "staleness": (
            min(ages["repo"].nunique(), 40),
            lambda ax: plots.plot_staleness(ages, ax=ax),
        ),
        "cleanup": (
            min(plan["repo"].nunique(), 40) if len(goes) else 0,
            lambda ax: plots.plot_cleanup(plan, ax=ax),
        ),
    }


def _png(rows: int, plot: Callable[[Axes], Axes]) -> bytes:
    """Draw on a figure of fit height; a `Figure` of its own never asks for a window."""
    image = BytesIO()
    with plots.style():
        figure = Figure(figsize=(WIDTH, height(min(rows, _MOST_ROWS))), layout="constrained")
        plot(figure.subplots())
        figure.savefig(image, format="png", dpi=_DPI)
    return image.getvalue()
