"""Frames to pictures: each function takes a frame, draws on one Axes and returns it.

Nothing here fetches, shows, saves or closes, and nothing but `style` touches rcParams.
"""

from hubframe.plots.labels import plot_label_coverage
from hubframe.plots.layers import plot_layers
from hubframe.plots.pulls import plot_pulls
from hubframe.plots.style import style
from hubframe.plots.tags import plot_tags

__all__ = ["plot_label_coverage", "plot_layers", "plot_pulls", "plot_tags", "style"]
