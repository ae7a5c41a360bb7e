"""What the report measures of its frames, each table once."""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from hubframe import measure

# The rule whose outcome the report shows; it deletes nothing.
KEEP = 10
OLDER_THAN = 365

ANSWERS = (
    "footprint",
    "shared_layers",
    "size_trend",
    "parents",
    "outdated",
    "latest_lag",
    "staleness",
    "coverage",
    "platform_coverage",
    "cleanup",
)


def answer(frames: Mapping[str, pd.DataFrame], now: datetime) -> dict[str, pd.DataFrame]:
    """Return the measured tables that the report shows, by name."""
    tags, layers = frames["tags"], frames["layers"]
    repos = layers["repo"].unique()
    tables = {
        # One repository beside nothing says nothing.
        "footprint": measure.footprint_df(layers, by="repo" if len(repos) > 1 else "tag"),
        "shared_layers": measure.shared_layers_df(layers),
        "size_trend": measure.size_trend_df(layers),
        "parents": measure.parents_df(layers, tags),
        "outdated": measure.outdated_df(layers, tags),
        "latest_lag": measure.latest_lag_df(tags),
        "staleness": measure.staleness_df(tags, now),
        "coverage": measure.coverage_df(frames["labels"], measure.described_images(frames)),
        "platform_coverage": measure.platform_coverage_df(frames["images"]),
        "cleanup": measure.cleanup_df(tags, layers, keep=KEEP, older_than=OLDER_THAN, now=now),
    }
    return {name: tables[name] for name in ANSWERS}
