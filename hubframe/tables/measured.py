"""The frames that are made of fetched frames, by `hubframe.measure`."""

from hubframe.tables.declarations import FETCHED, IMAGE_KEY, OF_IMAGE
from hubframe.tables.schema import TEXT, Column, Table

# A column a line, so that a table reads as one.
# fmt: off

STANDARD_LABELS = Table(
    "standard_labels",
    "a standard label of an image, wherever it was found",
    (*IMAGE_KEY, "key"),
    (
        *OF_IMAGE,
        Column("key", TEXT, "The OCI's key, `org.opencontainers.image.…`.", nullable=False),
        Column("value", TEXT, "Value, never blank.", nullable=False),
        Column("spelling", TEXT, "The key that it was found under.", nullable=False),
        Column("source", TEXT, "Where it stands, as in `labels`.", nullable=False),
    ),
)

MEASURED = {table.name: table for table in (STANDARD_LABELS,)}
TABLES = FETCHED | MEASURED
