"""The frames of vulnerabilities: what scanners report, what advisories say, and what follows."""

from hubframe.tables.declarations import IMAGE_DIGEST, IMAGE_KEY, PLATFORM, TAG
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC, Column, Table

# What frames of vulnerabilities say of themselves, in their attrs and on their page.
MEANING = (
    "A row means that a version is in a range that a source tells of: the vulnerable part need not "
    "be used. No row does not mean safe: it means that these sources told nothing. Bills of "
    "materials and databases in layers list other packages."
)

# A column a line, so that a table reads as one.
# fmt: off

_REPO = Column("repo", TEXT, "Repository, as in `tags`; of a report about something else, such as a folder, what the report calls it.", nullable=False)
_ID = Column("id", TEXT, "Name of the vulnerability: `CVE-2024-0727`, or that of an advisory, `GHSA-…`, `DSA-…`.", nullable=False)
_ALIASES = Column("aliases", TEXT, "Its other names, sorted, joined by blanks.")
_SEVERITY = Column("severity", TEXT, "`critical`, `high`, `medium`, `low`, `negligible` or `unknown`.", nullable=False)
_CVSS = Column("cvss", FLOAT, "Base score of CVSS, from 0 to 10, of the newest version that is told; null where none is.")
_VECTOR = Column("cvss_vector", TEXT, "The vector of that score.")
_PUBLISHED = Column("published_at", UTC, "When it was published.")
_MODIFIED = Column("modified_at", UTC, "When what is known of it was last changed.")
_TITLE = Column("title", TEXT, "What it is, in a line.")
_URL = Column("url", TEXT, "Where to read on, as it is told; it is not visited.")

VULNERABILITIES = Table("vulnerabilities", "a vulnerability of a package of an image", (*IMAGE_KEY, "evidence", "id", "type", "name", "version", "path"), (
    _REPO,
    TAG,
    PLATFORM,
    Column("image_digest", TEXT, "Digest of the image, as the report tells it: some tools name the index. With `layers=` it is the platform's manifest."),
    _ID,
    Column("aliases", TEXT, "Its other names, sorted, joined by blanks; and those of the vulnerabilities that it bundles, where it is an advisory about several."),
    Column("type", TEXT, "Kind of package, as in `packages`; `generic` where it is not told.", nullable=False),
    Column("name", TEXT, "Name of the package, whole: `@babel/core`, `org.slf4j:slf4j-api`.", nullable=False),
    Column("version", TEXT, "Version that is installed."),
    Column("purl", TEXT, "Package URL, as it is told."),
    Column("fixed_version", TEXT, "First version above that is without it; of several, joined by blanks. Null where none is told."),
    Column("state", TEXT, "`fixed`: there is a version without it. `affected`: none is told. `will not fix`: there will be none. `not affected` and `under investigation`: somebody says so.", nullable=False),
    _SEVERITY,
    _CVSS,
    _VECTOR,
    Column("epss", FLOAT, "Probability that it is exploited within 30 days, by EPSS, from 0 to 1."),
    Column("is_exploited", FLAG, "Whether it is in the catalogue of known exploited vulnerabilities (KEV); null where that was not looked at."),
    _PUBLISHED,
    _MODIFIED,
    Column("advisory_source", TEXT, "Whose advisory it is, as the report names it, or the first part of the advisory's id: `debian`, `PYSEC`."),
    Column("layer_digest", TEXT, "Digest of the layer that holds the package, which joins to `layers` and its `instruction`; null where it is not told."),
    Column("position", COUNT, "Place of that layer, as in `layers`."),
    Column("path", TEXT, "File that the package was found in; null for packages of the system where the report names none."),
    Column("evidence", TEXT, "Who says so: `trivy`, `grype`; `osv` where hubframe matched packages with advisories; `cyclonedx` of a document that another tool made; or a registry's scanner: `clair` of Quay, `harbor`, `ecr`.", nullable=False),
    Column("tool", TEXT, "The tool, with its version where it is told: `grype-0.90.0`."),
    _TITLE,
    _URL,
    Column("vex_status", TEXT, "What a VEX document says of it: `not_affected`, `affected`, `fixed` or `under_investigation`; null where none does."),
    Column("vex_justification", TEXT, "Why, in the words of VEX."),
), source="Reports of scanners that you made, or your packages and advisories: nothing is asked for. Or, by `scans_df`, what scanners of registries found; no pull. " + MEANING)

VULNERABILITY_SUMMARY = Table("vulnerability_summary", "a tag, image, repository or layer with vulnerabilities", (*IMAGE_KEY, "layer_digest"), (
    _REPO,
    Column("tag", TEXT, "Tag, by image its first one; null by repository."),
    Column("platform", TEXT, "`os/architecture[/variant]`; null by repository."),
    IMAGE_DIGEST,
    Column("layer_digest", TEXT, "Digest of the layer; null but by layer, and there for what is in no known layer."),
    Column("vulnerability_count", COUNT, "Distinct vulnerabilities: what has several names, or is in several packages, is one, and an advisory about several counts as these.", nullable=False),
    Column("critical_count", COUNT, "Of these, critical ones, by the highest severity that is told.", nullable=False),
    Column("high_count", COUNT, "High ones.", nullable=False),
    Column("medium_count", COUNT, "Medium ones.", nullable=False),
    Column("low_count", COUNT, "Low ones.", nullable=False),
    Column("negligible_count", COUNT, "Negligible ones.", nullable=False),
    Column("unknown_count", COUNT, "Those whose severity nobody tells.", nullable=False),
    Column("fixable_count", COUNT, "Those with a fixed version for each package that has them.", nullable=False),
    Column("exploited_count", COUNT, "Those in the catalogue of known exploited ones; null where no row tells."),
    Column("not_affected_count", COUNT, "Vulnerabilities that are not counted, since somebody says that the image is not affected.", nullable=False),
    Column("package_count", COUNT, "Packages with vulnerabilities: distinct type, name and version.", nullable=False),
    Column("highest_cvss", FLOAT, "The highest score; null where none is told."),
    Column("oldest_published_at", UTC, "When the first of them was published; null where no date is told."),
    Column("first_fixable_published_at", UTC, "When the first of those with a fixed version was published."),
), source="Computed of `vulnerabilities`: what has none has no row, but where the packages that were looked at are given.")

ADVISORIES = Table("advisories", "an advisory about a package", ("id", "ecosystem", "release", "name"), (
    Column("id", TEXT, "Id of the advisory: `PYSEC-2024-60`, `DSA-5764-1`, `GHSA-…`.", nullable=False),
    Column("aliases", TEXT, "Its other names, sorted, joined by blanks; and that of the vulnerability that it is made of, where it is one."),
    Column("upstream", TEXT, "The vulnerabilities that it is made of, sorted, joined by blanks, as distributions bundle them."),
    Column("ecosystem", TEXT, "Whose package it is, as OSV names it, without what follows a colon: `PyPI`, `Debian`, `Rocky Linux`.", nullable=False),
    Column("release", TEXT, "The release of a distribution, `12`, `v3.20`, or another repository than the usual one, as it is written; null where it holds for all."),
    Column("name", TEXT, "Name of the package; of Debian and Alpine the source package, of PyPI normalised.", nullable=False),
    Column("purl", TEXT, "Package URL, without a version."),
    Column("ranges", TEXT, "Which versions have it, as JSON: OSV's ranges with their events, in order."),
    Column("versions", TEXT, "Versions that have it and are listed one by one, joined by blanks."),
    _SEVERITY,
    _CVSS,
    _VECTOR,
    _PUBLISHED,
    _MODIFIED,
    Column("withdrawn_at", UTC, "When it was withdrawn; such advisories match nothing."),
    _TITLE,
    _URL,
), source="Advisories in the format of OSV, in a folder or an archive of yours; nothing is asked for.")

VEX = Table("vex", "a statement whether a vulnerability affects a product", ("document", "number"), (
    Column("document", TEXT, "Id of the document, or the name of its file.", nullable=False),
    Column("number", COUNT, "Number of the row in its document, from 0.", nullable=False),
    _ID,
    _ALIASES,
    Column("product", TEXT, "What it is about: a package URL of an image or of a package, or the name of an image; null where it is about all that the reader has in hand."),
    Column("component", TEXT, "The part of the product that has, or has not, the vulnerability; null for the whole."),
    Column("status", TEXT, "`not_affected`, `affected`, `fixed` or `under_investigation`.", nullable=False),
    Column("justification", TEXT, "Why it is not affected: `vulnerable_code_not_present`."),
    Column("statement", TEXT, "That in words, or what to do."),
    Column("author", TEXT, "Who says so: it is not verified."),
    Column("stated_at", UTC, "When it was said; of several statements the last holds."),
), source="OpenVEX documents of yours; nothing is asked for.")
# fmt: on

READ = {table.name: table for table in (ADVISORIES, VEX)}
