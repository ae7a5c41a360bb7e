"""Frames to frames: what there is to say about them, before anything is drawn or written.

One module per question; nothing here touches the network, draws or writes. For all of them holds:

- A parameter is a frame with the columns of the table that is named, or those of them that are
  needed, and may have others. TypeError is raised where it is no frame, and ValueError where it
  lacks a column, which the message names.
- The table *x* is what ``hubframe.x_df`` makes. The order of the rows that are given matters only
  where it is told to.
"""

from hubframe.measure.cleanup import cleanup_df
from hubframe.measure.comparison import compare_frames
from hubframe.measure.coverage import (
    coverage_df,
    key_coverage,
    label_coverage,
    platform_coverage_df,
)
from hubframe.measure.efficiency import efficiency, wasted_df
from hubframe.measure.footprint import footprint_df, largest
from hubframe.measure.growth import most_grown, size_trend_df, threads
from hubframe.measure.images import USUAL_PLATFORM, identity, leading_tags
from hubframe.measure.layers import shared_layers_df, shared_with
from hubframe.measure.lineage import outdated_df, parents_df
from hubframe.measure.moves import mutable_tags_df, pushed_again, tag_moves_df
from hubframe.measure.observations import pulls_over_time_df, repos_over_time_df
from hubframe.measure.overview import (
    dated_tags,
    described_images,
    failures,
    is_complete,
    overview,
    platform_counts,
    provenance,
    standing,
    totals,
)
from hubframe.measure.papers import sharing, summary
from hubframe.measure.releases import (
    cadence_df,
    latest_lag_df,
    newest,
    pushes,
    sort_versions,
    staleness_df,
)
from hubframe.measure.similarity import duplicates_df, similarity_df
from hubframe.measure.standard import OCI_LABELS, is_address, source_links, standard_labels

__all__ = [
    "OCI_LABELS",
    "USUAL_PLATFORM",
    "cadence_df",
    "cleanup_df",
    "compare_frames",
    "coverage_df",
    "dated_tags",
    "described_images",
    "duplicates_df",
    "efficiency",
    "failures",
    "footprint_df",
    "identity",
    "is_address",
    "is_complete",
    "key_coverage",
    "label_coverage",
    "largest",
    "latest_lag_df",
    "leading_tags",
    "most_grown",
    "mutable_tags_df",
    "newest",
    "outdated_df",
    "overview",
    "parents_df",
    "platform_counts",
    "platform_coverage_df",
    "provenance",
    "pulls_over_time_df",
    "pushed_again",
    "pushes",
    "repos_over_time_df",
    "shared_layers_df",
    "shared_with",
    "sharing",
    "similarity_df",
    "size_trend_df",
    "sort_versions",
    "source_links",
    "staleness_df",
    "standard_labels",
    "standing",
    "summary",
    "tag_moves_df",
    "threads",
    "totals",
    "wasted_df",
]
