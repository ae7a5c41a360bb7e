"""Frames to frames: what there is to say about them, before anything is drawn or written.

One module per question; nothing here touches the network, draws or writes. For all of them holds:

- A parameter is a frame with the columns of the table that is named, or those of them that are
  needed, and may have others. TypeError is raised where it is no frame, or another argument is not
  of its kind; ValueError where it lacks a column, or another argument is out of range. The message
  says which.
- The table *x* is what ``hubframe.x_df`` makes. The order of the rows that are given matters only
  where it is told to.
"""

from hubframe.measure.bases import outdated_bases_df as outdated_bases_df
from hubframe.measure.cleanup import cleanup_df as cleanup_df
from hubframe.measure.comparison import compare_frames as compare_frames
from hubframe.measure.coverage import coverage_df as coverage_df
from hubframe.measure.coverage import key_coverage as key_coverage
from hubframe.measure.coverage import label_coverage as label_coverage
from hubframe.measure.coverage import platform_coverage_df as platform_coverage_df
from hubframe.measure.efficiency import efficiency as efficiency
from hubframe.measure.efficiency import wasted_df as wasted_df
from hubframe.measure.footprint import footprint_df as footprint_df
from hubframe.measure.footprint import largest as largest
from hubframe.measure.footprint import shared_layers_df as shared_layers_df
from hubframe.measure.footprint import shared_with as shared_with
from hubframe.measure.growth import most_grown as most_grown
from hubframe.measure.growth import size_trend_df as size_trend_df
from hubframe.measure.growth import step_numbers as step_numbers
from hubframe.measure.growth import threads as threads
from hubframe.measure.images import USUAL_PLATFORM as USUAL_PLATFORM
from hubframe.measure.images import identity as identity
from hubframe.measure.images import leading_tags as leading_tags
from hubframe.measure.lag import lag_df as lag_df
from hubframe.measure.lifecycle import eol_df as eol_df
from hubframe.measure.lineage import outdated_df as outdated_df
from hubframe.measure.lineage import parents_df as parents_df
from hubframe.measure.moves import mutable_tags_df as mutable_tags_df
from hubframe.measure.moves import pulls_over_time_df as pulls_over_time_df
from hubframe.measure.moves import pushed_again as pushed_again
from hubframe.measure.moves import repos_over_time_df as repos_over_time_df
from hubframe.measure.moves import tag_moves_df as tag_moves_df
from hubframe.measure.overview import dated_tags as dated_tags
from hubframe.measure.overview import described_images as described_images
from hubframe.measure.overview import failures as failures
from hubframe.measure.overview import is_complete as is_complete
from hubframe.measure.overview import overview as overview
from hubframe.measure.overview import platform_counts as platform_counts
from hubframe.measure.overview import provenance as provenance
from hubframe.measure.overview import standing as standing
from hubframe.measure.overview import totals as totals
from hubframe.measure.packages import of_best_evidence as of_best_evidence
from hubframe.measure.packages import packages_used_df as packages_used_df
from hubframe.measure.packages import release_pairs as release_pairs
from hubframe.measure.papers import sharing as sharing
from hubframe.measure.papers import summary as summary
from hubframe.measure.releases import cadence_df as cadence_df
from hubframe.measure.releases import latest_lag_df as latest_lag_df
from hubframe.measure.releases import newest as newest
from hubframe.measure.releases import pushes as pushes
from hubframe.measure.releases import sort_versions as sort_versions
from hubframe.measure.releases import staleness_df as staleness_df
from hubframe.measure.similarity import duplicates_df as duplicates_df
from hubframe.measure.similarity import similarity_df as similarity_df
from hubframe.measure.standard import OCI_LABELS as OCI_LABELS
from hubframe.measure.standard import is_address as is_address
from hubframe.measure.standard import source_links as source_links
from hubframe.measure.standard import standard_labels as standard_labels
from hubframe.measure.vex import with_vex as with_vex
from hubframe.measure.vulnerabilities import vulnerabilities_df as vulnerabilities_df
from hubframe.measure.vulnerabilities import vulnerability_summary_df as vulnerability_summary_df

# What people look for. The others say which rows to take of frames: reports and pictures need them.
__all__ = [
    "cadence_df",
    "cleanup_df",
    "compare_frames",
    "coverage_df",
    "dated_tags",
    "duplicates_df",
    "efficiency",
    "eol_df",
    "failures",
    "footprint_df",
    "key_coverage",
    "label_coverage",
    "lag_df",
    "largest",
    "latest_lag_df",
    "most_grown",
    "mutable_tags_df",
    "newest",
    "outdated_bases_df",
    "outdated_df",
    "overview",
    "packages_used_df",
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
    "summary",
    "tag_moves_df",
    "totals",
    "vulnerabilities_df",
    "vulnerability_summary_df",
    "wasted_df",
    "with_vex",
]


def __dir__() -> list[str]:
    return __all__
