"""The frames of lifecycles: until when products are supported, and how far packages lag behind."""

from hubframe.tables.declarations import IMAGE_DIGEST, OF_IMAGE, PLATFORM, TAG
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC, Column, Table

# A column a line, so that a table reads as one.
# fmt: off

# What a product's cycle is, in both tables.
_DATES = (
    Column("codename", TEXT, "Its codename, `Bookworm`."),
    Column("released_at", UTC, "When the first version of it was released."),
    Column("support_ends_at", UTC, "The last day of active support, after which only faults that matter for security are mended; null where none is told."),
    Column("eol_at", UTC, "Its end of life: the last day on which its makers mend faults for everybody; null where none is told."),
    Column("extended_until", UTC, "The last day of extended support, which others may give, and which may cost; null where none is told."),
)
_LATEST = (
    Column("latest", TEXT, "Its newest version; null where that is not told, as in hubframe's own table."),
    Column("latest_released_at", UTC, "When that was released."),
)
_URL = Column("url", TEXT, "A page on the product.")

CYCLES = Table("cycles", "a release cycle of a product", ("product", "cycle"), (
    Column("product", TEXT, "The product, as endoflife.date names it: `debian`, `nodejs`.", nullable=False),
    Column("cycle", TEXT, "The cycle: `12`, `3.20`.", nullable=False),
    *_DATES,
    Column("is_eol", FLAG, "Whether its end of life was over at `dated_at`, also where no date is told."),
    Column("is_extended", FLAG, "Whether there was extended support at `dated_at`; null where there is no such thing."),
    *_LATEST,
    Column("aliases", TEXT, "Other names of the product: those that it had, and the id of a system in `os-release`; sorted, joined by blanks."),
    Column("identifiers", TEXT, "Package URLs of the product, without versions, sorted, joined by blanks."),
    _URL,
    Column("dated_at", UTC, "The day that this is of."),
), source="A file of endoflife.date; or hubframe's own table of the products that base images and common images are of. Nobody is asked.")

EOL = Table("eol", "an image, tag, package, reference or base, and a product that it is of", ("repo", "tag", "platform", "image_digest", "file", "line", "field", "name", "version", "product"), (
    Column("repo", TEXT, "Repository; null where a reference does not tell it."),
    TAG,
    PLATFORM,
    IMAGE_DIGEST,
    Column("file", TEXT, "Of a reference: the file that it stands in."),
    Column("line", COUNT, "Of a reference: its line."),
    Column("field", TEXT, "Of a reference: where it stands in the file."),
    Column("name", TEXT, "What was matched: the id of a distribution, the name of a package, or a repository, of `bases` the base's; by annotation the image's own."),
    Column("version", TEXT, "The same: version of the distribution or package, or tag."),
    Column("product", TEXT, "The product, as `cycles` names it; null where none is known, and by annotation."),
    Column("cycle", TEXT, "The cycle that it is of; null where that cannot be told, as of `latest` alone."),
    *_DATES,
    Column("is_eol", FLAG, "Whether its end of life is over; null where that is not known, which does not mean that it is not."),
    Column("is_supported", FLAG, "Whether somebody still mends faults: it is not at its end, or extended support runs."),
    Column("days_left", COUNT, "Days to its end of life, less than 0 where it is over. [days]", may_be_negative=True),
    *_LATEST,
    Column("is_latest", FLAG, "Whether this is that version; null where either is not told, and of tags that name less than a whole version."),
    Column("versions_behind", COUNT, "Cycles of the product with a higher version that are released."),
    Column("matched_by", TEXT, "What told: `os-release`, `purl` (package URL), `tag` (of the same digest, too) or `annotation` (of the image itself, by its publisher)."),
    _URL,
), source="Computed of `distributions`, `packages`, `tags` (or another frame with tags), `references` or `bases`, and of `cycles`; of `lifecycles` where that is given.")

LAG = Table("lag", "a package of an image, and how far it is behind", ("repo", "tag", "platform", "image_digest", "type", "namespace", "name", "version", "architecture", "path"), (
    *OF_IMAGE,
    Column("type", TEXT, "Kind of package, as in `packages`.", nullable=False),
    Column("namespace", TEXT, "As in `packages`."),
    Column("name", TEXT, "Name of the package.", nullable=False),
    Column("version", TEXT, "Version in the image."),
    Column("architecture", TEXT, "As in `packages`."),
    Column("path", TEXT, "As in `packages`."),
    Column("distribution", TEXT, "Of packages of a system, the distribution as package URLs name it, `debian-12`: only versions of the same one compare."),
    Column("newest_version", TEXT, "The newest version that is known; null where versions have no order."),
    Column("is_behind", FLAG, "Package lag: whether that is newer."),
    Column("versions_behind", COUNT, "Version lag: the known versions that are newer."),
    Column("lag_days", FLOAT, "Time lag: from the release of this version to that of the newest; null where a date is not told. [days]", may_be_negative=True),
), source="Computed of `packages`, and of the versions that are known. The lags are those of Zerouali et al.")
# fmt: on

LIFECYCLE = (CYCLES, EOL, LAG)
