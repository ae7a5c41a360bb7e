"""How large layers are."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from hubframe.measure import identity
from hubframe.measure.figures import MAKE_UP
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, say_nothing
from hubframe.plots.style import GREY
from hubframe.tables import LAYERS

_ROWS = 12
# Published figures that are a point of the curve: what share of the layers is not larger.
_QUANTILES = {"layer_size_p50": 0.5, "layer_size_p90": 0.9}
_SHARES = {"layers_below_1_mb_share": 10**6, "layers_below_10_mb_share": 10**7}
_MARKS = {"Zhao 2019": ("<", "C2"), "Anwar 2018": ("s", "C3")}


def plot_layer_sizes(
    layers: pd.DataFrame,
    *,
    log: bool = True,
    papers: bool = False,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Show what share of the layers is not larger than so many bytes.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame. Layers whose size is not known are left out, and the axis says
        how many.
    log
        Whether the sizes are on a logarithmic axis.
    papers
        Whether to mark what studies published of their own images, as in `hubframe.summary`.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.step`.

    Returns
    -------
    matplotlib.axes.Axes
        With a curve over distinct layers, each counted once, and one over layers as images refer
        to them, each counted once per image.
    """
    LAYERS.require(layers, ("repo", "tag", "platform", "image_digest", "layer_digest", "size"))
    held = layers.assign(image=identity(layers)).drop_duplicates(["image", "layer_digest"])
    distinct = held.sort_values("size").drop_duplicates("layer_digest")
    ax = canvas(ax, _ROWS)
    ax.set_title(f"Size of {wording.counted(len(distinct), 'distinct layer')}")
    sizes = distinct["size"].dropna()
    if sizes.empty:
        return say_nothing(ax, "no layer tells its size")
    if log:
        ax.set_xscale("log")
    _curve(ax, sizes, ("each distinct layer once", "C0", "-"), artist)
    _curve(ax, held["size"].dropna(), ("once per image that holds it", "C1", "--"), artist)
    if papers:
        _beside(ax)
    _dress(ax, "compressed size" + " (logarithmic axis)" * log, len(distinct) - len(sizes))
    return ax


def _curve(ax: Axes, sizes: pd.Series, look: tuple[str, str, str], artist: dict[str, Any]) -> None:
    label, color, line = look
    # There is no 0 on a logarithmic axis.
    rising = np.sort(sizes.to_numpy("float64").clip(1))
    rising, count = np.unique(rising, return_counts=True)
    share = np.cumsum(count) / count.sum()
    drawn: dict[str, Any] = {"color": color, "linestyle": line, "linewidth": 1.8, "where": "post"}
    ax.step(
        np.concatenate([rising[:1], rising]),
        np.concatenate([[0], share]),
        label=f"{label}, median {wording.size(float(np.median(sizes.to_numpy('float64'))))}",
        **drawn | artist,
    )


def _beside(ax: Axes) -> None:
    """Mark what studies published, as far as it could be checked."""
    for paper, (marker, color) in _MARKS.items():
        points = [
            (figure.paper_value, _QUANTILES[figure.metric])
            if figure.metric in _QUANTILES
            else (_SHARES[figure.metric], figure.paper_value)
            for figure in MAKE_UP
            if figure.paper == paper
            and figure.paper_value is not None
            and figure.metric in (*_QUANTILES, *_SHARES)
        ]
        is_bound = marker == "<"
        label = f"{paper}: at most this" if is_bound else f"{paper}: so many below"
        x, y = zip(*points, strict=True)
        edge = mpl.rcParams["axes.facecolor"]
        ax.scatter(x, y, s=80, marker=marker, color=color, edgecolor=edge, label=label, zorder=3)


def _dress(ax: Axes, axis: str, unsized: int) -> None:
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: wording.percent(share)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda size, _: wording.size(size)))
    ax.xaxis.set_minor_formatter("")
    ax.set_ylabel("of the layers are not larger")
    ax.set_xlabel(wording.left_out(axis, {("", "layer", "without a size"): unsized}))
    ax.axhline(0.5, color=GREY, linewidth=0.7, linestyle=":")
    legend_below(ax)
