"""The report's pictures as PNG, light and dark, drawn without a window system.

They are drawn narrow, so that they can still be read where a telephone shows them.
"""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from hubframe import measure, plots
from hubframe.plots.canvas import LEGEND, height
from hubframe.plots.cells import NAMES_BELOW
from hubframe.plots.layers import MOST_LAYERS
from hubframe.report.answers import Facts

NEWEST = 12
_MOST_ROWS, _MOST_BARS = 60, 40
_ROWS_OF_A_CURVE = 12
_DPI = 160
# Inches: at 480 pixels the letters are as large as those of a caption's footnote.
_WIDTH = 5.6
_SMALL = 8.5
# How many images have room for a column of their own.
_COLUMNS = 14


class Drawn(NamedTuple):
    """A picture for a light page and one for a dark page, as PNG."""

    light: bytes
    dark: bytes


# How many rows high a picture is, none where it has nothing to show; and what draws it.
Drawing = tuple[int, Callable[..., Axes]]


def draw(facts: Facts) -> dict[str, Drawn | None]:
    """Draw the pictures of the report by name; None for those with nothing to show."""
    return {
        name: Drawn(_png(rows, plot, dark=False), _png(rows, plot, dark=True)) if rows else None
        for name, (rows, plot) in (
            _of_frames(facts) | _of_answers(facts) | _of_packages(facts) | _of_risks(facts)
        ).items()
    }


def _of_frames(facts: Facts) -> dict[str, Drawing]:
    repos, labels, layers = (facts.frames[name] for name in ("repos", "labels", "layers"))
    images = measure.described_images(facts.frames)
    tags = facts.tags.assign(pushed_at=facts.tags["dated_at"])
    labelled = pd.concat([labels["repo"], images["repo"]]).nunique()
    shown = measure.identity(measure.leading_tags(layers, NEWEST)).nunique()
    few = measure.leading_tags(layers, _COLUMNS)
    shared = int(measure.shared_layers_df(few)["image_count"].gt(1).sum())
    matrix = min(shared, MOST_LAYERS) + NAMES_BELOW if shared else 0
    curve = _ROWS_OF_A_CURVE * bool(layers["size"].notna().any())
    return {
        "pulls": (repos["pull_count"].count(), partial(plots.plot_pulls, repos)),
        "tags": (tags.dropna(subset="pushed_at")["repo"].nunique(), partial(plots.plot_tags, tags)),
        "labels": (labelled, partial(plots.plot_label_coverage, labels, images)),
        "layers": (shown and shown + LEGEND, partial(plots.plot_layers, layers, newest=NEWEST)),
        "layer_sizes": (curve, partial(plots.plot_layer_sizes, layers)),
        "shared_layers": (matrix, partial(plots.plot_shared_layers, few)),
    }


def _of_answers(facts: Facts) -> dict[str, Drawing]:
    answers = facts.answers
    footprint, outdated, plan = (answers[one] for one in ("footprint", "outdated", "cleanup"))
    parents, platforms = _one_platform(answers["parents"]), answers["platform_coverage"]
    lag = answers["latest_lag"].dropna(subset="is_highest")
    dated = answers["staleness"].dropna(subset="age_days")
    # The caption speaks of the line that grew most.
    grown = measure.most_grown(answers["size_trend"])
    tags = platforms["tag"].nunique() if len(platforms["platform"].unique()) > 1 else 0
    related = min(2 * int(parents["parent_repo"].count()), 45)
    releases = grown["release"].nunique() + LEGEND if len(grown) else 0
    planned = plan["repo"].nunique() if len(facts.deleted) else 0

    def bars(count: int) -> int:
        return min(count, _MOST_BARS)

    return {
        "size_trend": (releases, partial(plots.plot_size_trend, grown)),
        "platforms": (bars(tags), partial(plots.plot_platform_coverage, platforms)),
        "parents": (related, partial(plots.plot_parents, parents, outdated)),
        "footprint": (bars(len(footprint)), partial(plots.plot_footprint, footprint)),
        "latest_lag": (bars(len(lag)), partial(plots.plot_latest_lag, lag)),
        "staleness": (bars(dated["repo"].nunique()), partial(plots.plot_staleness, dated)),
        "cleanup": (bars(planned), partial(plots.plot_cleanup, plan)),
    }


def _of_packages(facts: Facts) -> dict[str, Drawing]:
    packages, layers = facts.inside("packages"), facts.frames["layers"]
    shown = measure.leading_tags(packages, NEWEST)["layer_digest"].nunique()
    pairs = len(measure.release_pairs(packages))
    return {
        "packages": (
            shown and min(shown, _MOST_BARS) + 2,
            partial(plots.plot_packages, packages, layers, newest=NEWEST),
        ),
        "package_changes": (
            pairs and min(pairs, _MOST_BARS) + 2,
            partial(plots.plot_package_changes, packages),
        ),
    }


def _of_risks(facts: Facts) -> dict[str, Drawing]:
    found, layers = facts.risks.summary, facts.frames["layers"]
    ends = facts.risks.ends
    # Images, else what files refer to.
    ends = ends[ends["file"].isna()] if ends["file"].isna().any() else ends
    cycles = len(ends.dropna(subset=["eol_at", "cycle"])[["product", "cycle"]].drop_duplicates())
    return {
        "eol": (cycles and min(cycles, _MOST_BARS) + 2, partial(plots.plot_eol, ends)),
        "vulnerability_summary": (
            min(len(found), _MOST_BARS),
            partial(plots.plot_vulnerability_summary, found, layers),
        ),
    }


def _one_platform(images: pd.DataFrame) -> pd.DataFrame:
    """Keep one platform, the usual one where it is there: others repeat the same tree."""
    platforms = images["platform"].dropna()
    if platforms.empty:
        return images
    is_usual = measure.USUAL_PLATFORM in set(platforms)
    chosen = measure.USUAL_PLATFORM if is_usual else platforms.mode().iloc[0]
    return images[images["platform"] == chosen].reset_index(drop=True)


def _png(rows: int, plot: Callable[..., Axes], *, dark: bool) -> bytes:
    """Draw on a figure of fit height; a `Figure` of its own never asks for a window."""
    with plots.style(dark=dark):
        figure = Figure(figsize=(_WIDTH, height(min(rows, _MOST_ROWS))), layout="constrained")
        ax = plot(ax=figure.subplots())
        # The page has the heading, and its caption counts: once for the whole page.
        ax.set_title("")
        # Below the names of the rows there is room for what the axis says.
        ax.set_xlabel(ax.get_xlabel(), loc="right", fontsize=_SMALL)
        return as_png(figure)


def as_png(figure: Figure) -> bytes:
    """Return a figure as a small PNG: few of its colours differ to the eye."""
    drawn, small = BytesIO(), BytesIO()
    # What is packed is the picture with few colours.
    figure.savefig(drawn, format="png", dpi=_DPI, pil_kwargs={"compress_level": 0})
    few = Image.open(drawn).quantize(method=Image.Quantize.FASTOCTREE)
    few.save(small, format="png", optimize=True)
    return small.getvalue()
