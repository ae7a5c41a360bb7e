"""Frames to pictures: each function takes a frame, draws on one Axes and returns it.

Nothing here fetches, shows, saves or closes, and nothing but `style` touches rcParams. For all of
them holds:

- The table *x* is what ``hubframe.x_df`` makes. TypeError is raised where what is given is no
  frame, and ValueError where it lacks a column, which the message names.
- `ax` are the Axes to draw on; by default those of a new figure of pyplot, as high as its rows
  ask for. Axes that are given show as many rows as they have room for in letters of 8 points.
  Further keywords, ``**artist``, go to the method that draws what matters most.
- The Axes are returned. Where not all is drawn, their axis or their title says what is left out.
- Names that are too long are cut in their middle, and no two become equal; a ``$`` in them begins
  no formula.
"""

from hubframe.plots.coverage import plot_coverage, plot_label_coverage, plot_platform_coverage
from hubframe.plots.figures import plot_figures
from hubframe.plots.footprint import plot_cleanup, plot_footprint
from hubframe.plots.growth import plot_comparison, plot_size_trend
from hubframe.plots.layers import plot_layer_sizes, plot_layers, plot_shared_layers
from hubframe.plots.lifecycle import plot_eol
from hubframe.plots.lineage import plot_parents
from hubframe.plots.moves import plot_mutable_tags, plot_tag_moves
from hubframe.plots.packages import plot_package_changes, plot_packages
from hubframe.plots.releases import plot_cadence, plot_latest_lag, plot_staleness, plot_tags
from hubframe.plots.repos import plot_pulls, plot_pulls_over_time, plot_repos_over_time
from hubframe.plots.similarity import plot_duplicates, plot_similarity
from hubframe.plots.style import byte_axis, count_axis, date_axis, style
from hubframe.plots.vulnerabilities import plot_vulnerability_summary

__all__ = [
    "byte_axis",
    "count_axis",
    "date_axis",
    "plot_cadence",
    "plot_cleanup",
    "plot_comparison",
    "plot_coverage",
    "plot_duplicates",
    "plot_eol",
    "plot_figures",
    "plot_footprint",
    "plot_label_coverage",
    "plot_latest_lag",
    "plot_layer_sizes",
    "plot_layers",
    "plot_mutable_tags",
    "plot_package_changes",
    "plot_packages",
    "plot_parents",
    "plot_platform_coverage",
    "plot_pulls",
    "plot_pulls_over_time",
    "plot_repos_over_time",
    "plot_shared_layers",
    "plot_similarity",
    "plot_size_trend",
    "plot_staleness",
    "plot_tag_moves",
    "plot_tags",
    "plot_vulnerability_summary",
    "style",
]


def __dir__() -> list[str]:
    return __all__
