"""The report's pictures as PNG, light and dark, drawn without a window system.

They are drawn narrow, so that they can still be read where a telephone shows them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hubframe import measure, plots
from hubframe.measure import described_images, leading_tags
from hubframe.plots.canvas import height
from hubframe.plots.cells import NAMES_BELOW
from hubframe.plots.layers import MOST_LAYERS
from hubframe.report.answers import Told

NEWEST = 12
_MOST_ROWS = 60
_ROWS_OF_A_CURVE = 12
_DPI = 160
# Inches: at 480 pixels the letters are as large as those of a caption's footnote.
_WIDTH = 5.6
_SMALL = 8.5
# How many rows the legend of build steps is as high as.
_LEGEND = 6
# How many images have room for a column of their own.
_COLUMNS = 14
HEADINGS = {
    "pulls": "Pulls",
    "tags": "Tags over time",
    "layers": "Layers of the newest tags",
    "layer_sizes": "How large layers are",
    "size_trend": "Where releases grew",
    "parents": "What images are built on",
    "shared_layers": "Layers in several images",
    "footprint": "What each of them takes",
    "latest_lag": "How far latest lags",
    "staleness": "How old tags are",
    "labels": "Standard labels",
    "platforms": "Platforms",
    "cleanup": "What a rule would free",
}


@dataclass(frozen=True)
class Drawn:
    """A picture for a light page and one for a dark page, as PNG."""

    light: bytes
    dark: bytes


Drawing = tuple[int, Callable[[Axes], Axes]]


def draw(told: Told) -> dict[str, Drawn]:
    """Draw the pictures of the report that have anything to show, by name.

    Parameters
    ----------
    told
        What the report speaks of.
    """
    drawings = _of_frames(told) | _of_layers(told) | _of_answers(told)
    return {
        name: Drawn(_png(*drawings[name], dark=False), _png(*drawings[name], dark=True))
        for name in HEADINGS
        if drawings[name][0]
    }


def _of_frames(told: Told) -> dict[str, Drawing]:
    """Return how many rows each picture has, 0 for none, and what draws it."""
    repos, labels = told.frames["repos"], told.frames["labels"]
    images = described_images(told.frames)
    tags = told.tags.assign(pushed_at=told.tags["dated_at"])
    dated = tags.loc[tags["pushed_at"].notna(), "repo"].nunique()
    labelled = pd.concat([labels["repo"], images["repo"]]).nunique()
    return {
        "pulls": (repos["pull_count"].count(), lambda ax: plots.plot_pulls(repos, ax=ax)),
        "tags": (dated, lambda ax: plots.plot_tags(tags, ax=ax)),
        "labels": (labelled, lambda ax: plots.plot_label_coverage(labels, images, ax=ax)),
    }


def _of_layers(told: Told) -> dict[str, Drawing]:
    layers = told.frames["layers"]
    shown = leading_tags(layers, NEWEST)[["repo", "tag"]].drop_duplicates()
    few = leading_tags(layers, _COLUMNS)
    in_several = measure.shared_layers_df(few)["image_count"].gt(1).sum()
    sized = layers["size"].notna().any()
    return {
        "layers": (len(shown), lambda ax: plots.plot_layers(layers, newest=NEWEST, ax=ax)),
        "layer_sizes": (
            _ROWS_OF_A_CURVE if sized else 0,
            lambda ax: plots.plot_layer_sizes(layers, ax=ax),
        ),
        "shared_layers": (
            min(in_several, MOST_LAYERS) + NAMES_BELOW if in_several else 0,
            lambda ax: plots.plot_shared_layers(few, ax=ax),
        ),
    }


def _of_answers(told: Told) -> dict[str, Drawing]:
    answers = told.answers
    footprint, lag, ages, plan = (
        answers[name] for name in ("footprint", "latest_lag", "staleness", "cleanup")
    )
    parents = _one_platform(answers["parents"])
    related = int(parents["parent_repo"].notna().sum())
    trend, platforms = answers["size_trend"], answers["platform_coverage"]
    grown = measure.most_grown(trend)
    platform_rows = platforms["tag"].nunique() if len(platforms["platform"].unique()) > 1 else 0
    judged = lag[lag["is_highest"].notna()]
    dated = ages.dropna(subset="age_days")
    return {
        # The caption speaks of the line that grew most.
        "size_trend": (
            grown["release"].nunique() + _LEGEND if len(grown) else 0,
            lambda ax: plots.plot_size_trend(grown, ax=ax),
        ),
        "platforms": (
            min(platform_rows, 40),
            lambda ax: plots.plot_platform_coverage(platforms, ax=ax),
        ),
        "parents": (
            min(2 * related, 45),
            lambda ax: plots.plot_parents(parents, answers["outdated"], ax=ax),
        ),
        "footprint": (min(len(footprint), 40), lambda ax: plots.plot_footprint(footprint, ax=ax)),
        "latest_lag": (min(len(judged), 40), lambda ax: plots.plot_latest_lag(judged, ax=ax)),
        "staleness": (
            min(dated["repo"].nunique(), 40),
            lambda ax: plots.plot_staleness(dated, ax=ax),
        ),
        "cleanup": (
            min(plan["repo"].nunique(), 40) if len(told.goes) else 0,
            lambda ax: plots.plot_cleanup(plan, ax=ax),
        ),
    }


def _one_platform(images: pd.DataFrame) -> pd.DataFrame:
    """Keep one platform, the usual one where it is there: others repeat the same tree."""
    platforms = images["platform"].dropna()
    if platforms.empty:
        return images
    is_usual = (platforms == measure.USUAL_PLATFORM).any()
    chosen = measure.USUAL_PLATFORM if is_usual else platforms.mode().iloc[0]
    return images[images["platform"] == chosen].reset_index(drop=True)


def _png(rows: int, plot: Callable[[Axes], Axes], *, dark: bool) -> bytes:
    """Draw on a figure of fit height; a `Figure` of its own never asks for a window."""
    image = BytesIO()
    with plots.style(dark=dark):
        figure = Figure(figsize=(_WIDTH, height(min(rows, _MOST_ROWS))), layout="constrained")
        ax = plot(figure.subplots())
        # The page has the heading, and its caption counts: once for the whole page.
        ax.set_title("")
        # Below the names of the rows there is room for what the axis says.
        ax.set_xlabel(ax.get_xlabel(), loc="right", fontsize=_SMALL)
        figure.savefig(image, format="png", dpi=_DPI)
    return image.getvalue()


Pictures = Mapping[str, Drawn]
