"""What the newest tags are made of, and what they share."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from hubframe.measure import leading_tags, shared_layers_df
from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, name_rows, row_font, say_nothing
from hubframe.plots.names import image_names
from hubframe.plots.style import BLUES, ORANGES, byte_axis
from hubframe.tables import LAYERS


def plot_layers(
    layers: pd.DataFrame, *, newest: int = 12, ax: Axes | None = None, **artist: Any
) -> Axes:
    """Stack the layers of the newest tags, shared layers in blue and others in orange.

    A layer has the same colour wherever it appears. Layers that two or more of the shown images
    hold are blue; tags of the same image are one image.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.
    newest
        How many tags to show, one image of each; several repositories take turns.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per tag, the newest on top, its base layer at the left.
    """
    LAYERS.require(layers)
    shown = leading_tags(layers, newest)
    row, names = pd.factorize(image_names(shown))
    ax = canvas(ax, len(names))
    ax.set_title("Compressed size of the newest tags, by layer")
    if shown.empty:
        return say_nothing(ax, "no layers")
    use = shared_layers_df(shown).set_index("layer_digest")
    width = shown["size"].fillna(0).astype(float)
    left = width.groupby(row).cumsum() - width
    look: dict[str, Any] = {
        "color": shown["layer_digest"].map(_colours(shown, use)).tolist(),
        "edgecolor": mpl.rcParams["axes.facecolor"],
        "linewidth": 0.6,
        "left": left.to_numpy(),
    }
    ax.barh(row, width.to_numpy(), **look | artist)
    byte_axis(ax.xaxis)
    name_rows(ax, list(names))
    _write_totals(ax, width.groupby(row).sum().tolist())
    _explain(ax, use)
    return ax


def _colours(layers: pd.DataFrame, use: pd.DataFrame) -> dict[str, str]:
    """Give each layer a shade, blue where it is shared, in the order in which they appear."""
    appearing = use.loc[layers["layer_digest"].drop_duplicates()]
    is_shared = appearing["image_count"] > 1
    return {
        digest: shades[number % len(shades)]
        for family, shades in ((is_shared, BLUES), (~is_shared, ORANGES))
        for number, digest in enumerate(appearing.index[family])
    }


def _write_totals(ax: Axes, totals: list[float]) -> None:
    ax.set_xlim(0, 1.14 * max(totals) or 1)
    for row, total in enumerate(totals):
        ax.annotate(
            wording.size(total),
            (total, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=0.9 * row_font(ax, len(totals)),
        )


def _explain(ax: Axes, use: pd.DataFrame) -> None:
    """Say in the legend what the colours mean, and sum up distinct layers."""
    is_shared = use["image_count"] > 1
    handles = [
        Patch(color=BLUES[1], label=_sum("in two or more images", use[is_shared])),
        Patch(color=ORANGES[1], label=_sum("in one image alone", use[~is_shared])),
    ]
    legend_below(ax, handles)


def _sum(meaning: str, use: pd.DataFrame) -> str:
    noun = "layer" if len(use) == 1 else "layers"
    return f"{meaning}: {len(use)} {noun}, {wording.size(use['size'].sum())}"
