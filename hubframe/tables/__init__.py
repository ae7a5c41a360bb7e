"""What each frame is, and how payloads become one. Nothing here touches the network.

``schema`` is the mechanism, ``declarations`` the fetched frames, ``observed`` those of snapshots,
``measured`` those made of them, ``shape`` turns payloads into frames, ``files`` writes and reads
CSV, ``excel`` writes workbooks, ``amounts`` writes numbers for people.
"""

from hubframe.tables.declarations import CATALOG as CATALOG
from hubframe.tables.declarations import CONFIGS as CONFIGS
from hubframe.tables.declarations import CONTENTS as CONTENTS
from hubframe.tables.declarations import DISTRIBUTIONS as DISTRIBUTIONS
from hubframe.tables.declarations import DOCKERFILES as DOCKERFILES
from hubframe.tables.declarations import ENV as ENV
from hubframe.tables.declarations import FETCHED as FETCHED
from hubframe.tables.declarations import FILES as FILES
from hubframe.tables.declarations import HISTORY as HISTORY
from hubframe.tables.declarations import IMAGES as IMAGES
from hubframe.tables.declarations import LABELS as LABELS
from hubframe.tables.declarations import LAYERS as LAYERS
from hubframe.tables.declarations import LIFECYCLES as LIFECYCLES
from hubframe.tables.declarations import LIMITS as LIMITS
from hubframe.tables.declarations import MATERIALS as MATERIALS
from hubframe.tables.declarations import PACKAGES as PACKAGES
from hubframe.tables.declarations import PLAN as PLAN
from hubframe.tables.declarations import PROVENANCE as PROVENANCE
from hubframe.tables.declarations import REFERRERS as REFERRERS
from hubframe.tables.declarations import REPOS as REPOS
from hubframe.tables.declarations import SBOMS as SBOMS
from hubframe.tables.declarations import SEARCH as SEARCH
from hubframe.tables.declarations import SIGNATURES as SIGNATURES
from hubframe.tables.declarations import TAG_HISTORY as TAG_HISTORY
from hubframe.tables.declarations import TAG_PULLS as TAG_PULLS
from hubframe.tables.declarations import TAGS as TAGS
from hubframe.tables.measured import MEASURED as MEASURED
from hubframe.tables.measured import STANDARD_LABELS as STANDARD_LABELS
from hubframe.tables.measured import TABLES as TABLES
from hubframe.tables.observed import OBSERVED as OBSERVED
from hubframe.tables.observed import Snapshots as Snapshots
from hubframe.tables.schema import Column as Column
from hubframe.tables.schema import Table as Table

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


def __dir__() -> list[str]:
    return __all__
