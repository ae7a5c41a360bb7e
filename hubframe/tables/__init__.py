"""What each frame is, and how payloads become one. Nothing here touches the network.

``schema`` is the mechanism, ``declarations`` the fetched frames, ``observed`` those of snapshots,
``measured`` those made of them, ``shape`` turns payloads into frames, ``files`` writes and reads
CSV, ``excel`` writes workbooks.
"""

from hubframe.tables.declarations import (
    CATALOG,
    CONFIGS,
    ENV,
    FETCHED,
    FILES,
    HISTORY,
    IMAGES,
    LABELS,
    LAYERS,
    LIMITS,
    PLAN,
    REFERRERS,
    REPOS,
    SEARCH,
    TAGS,
)
from hubframe.tables.measured import MEASURED, STANDARD_LABELS, TABLES
from hubframe.tables.observed import OBSERVED, Snapshots
from hubframe.tables.schema import Column, Table

__all__ = [
    "CATALOG",
    "CONFIGS",
    "ENV",
    "FETCHED",
    "FILES",
    "HISTORY",
    "IMAGES",
    "LABELS",
    "LAYERS",
    "LIMITS",
    "MEASURED",
    "OBSERVED",
    "PLAN",
    "REFERRERS",
    "REPOS",
    "SEARCH",
    "STANDARD_LABELS",
    "TABLES",
    "TAGS",
    "Column",
    "Snapshots",
    "Table",
]
