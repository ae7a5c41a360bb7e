"""The frames that are made and not fetched: by `hubframe.measure`, and by a plan."""

from hubframe.tables.declarations import FETCHED, IMAGE_KEY, OF_IMAGE, OF_TAG, PLAN, REPO
from hubframe.tables.lifecycle import LIFECYCLE
from hubframe.tables.observed import OBSERVED
from hubframe.tables.references import OF_FILES
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC, Column, Table
from hubframe.tables.vulnerabilities import READ, VULNERABILITIES, VULNERABILITY_SUMMARY

# A column a line, so that a table reads as one.
# fmt: off

STANDARD_LABELS = Table("standard_labels", "a standard label of an image, wherever it was found", (*IMAGE_KEY, "key"), (
    *OF_IMAGE,
    Column("key", TEXT, "The OCI's key, `org.opencontainers.image.…`.", nullable=False),
    Column("value", TEXT, "Value, never blank.", nullable=False),
    Column("spelling", TEXT, "The key that it was found under.", nullable=False),
    Column("source", TEXT, "Where it stands, as in `labels`.", nullable=False),
), source="Computed of `labels`.")

SHARED_LAYERS = Table("shared_layers", "a distinct layer", ("layer_digest",), (
    Column("layer_digest", TEXT, "Digest of the compressed layer.", nullable=False),
    Column("size", COUNT, "Compressed size; null where no image tells it. [bytes]"),
    Column("image_count", COUNT, "Distinct images that hold it; tags of the same image are one.", nullable=False),
    Column("tag_count", COUNT, "Distinct tags, of all repositories, whose images hold it.", nullable=False),
    Column("repo_count", COUNT, "Distinct repositories that hold it.", nullable=False),
    Column("saved_size", COUNT, "What sharing saves: its size for each image but one. [bytes]"),
    Column("first_repo", TEXT, "Repository of the image, of those that hold it, that was built first.", nullable=False),
    Column("first_tag", TEXT, "Tag of that image; null where it was asked for by digest."),
    Column("instruction", TEXT, "The step that made it, in the first image that tells one."),
    Column("is_empty", FLAG, "Whether it is the empty layer, known by digest.", nullable=False),
), source="Computed of `layers`. Of several platforms at once, layers that platforms share count as shared.")

FOOTPRINT = Table("footprint", "a tag, image, repository or namespace", ("namespace", "repo", "tag", "platform", "image_digest"), (
    Column("namespace", TEXT, "Owner: the namespace on Docker Hub, else the host with the first part of the path.", nullable=False),
    Column("repo", TEXT, "Repository; null by namespace."),
    Column("tag", TEXT, "Tag, by image its first one; null by repository, and where the image was asked for by digest."),
    Column("platform", TEXT, "`os/architecture[/variant]`, by image and by tag; null where the tag has several images."),
    Column("image_digest", TEXT, "Digest of the image, by image and by tag; null where the tag has several images."),
    Column("tag_count", COUNT, "Distinct tags that name its images here.", nullable=False),
    Column("image_count", COUNT, "Distinct images in it.", nullable=False),
    Column("layer_count", COUNT, "Distinct layers in it.", nullable=False),
    Column("unsized_layer_count", COUNT, "Distinct layers in it whose size nobody tells; they count as 0 bytes.", nullable=False),
    Column("total_size", COUNT, "Compressed bytes of its distinct layers. [bytes]"),
    Column("shared_size", COUNT, "The part in layers that are held outside of it too: by another image, or by another repository, be it by the same image. By image, other repositories do not count. [bytes]"),
    Column("exclusive_size", COUNT, "The rest: layers that nothing but its own images holds. [bytes]"),
    Column("freed_size", COUNT, "What deleting it would free: layers that nothing else named here reaches. [bytes]"),
    Column("shared_share", FLOAT, "`shared_size / total_size`; null where that is 0."),
), source="Computed of `layers`. It knows of no image that is not in them: what is freed holds for these alone.")

FIGURES = Table("figures", "a figure of a set of images, with a paper's beside it", ("metric",), (
    Column("metric", TEXT, "Name of the figure.", nullable=False),
    Column("value", FLOAT, "The figure of the frames that were given; null where they do not tell it."),
    Column("unit", TEXT, "`bytes`, `images`, `layers`, `repositories`, `tags`, `pulls`, `ratio` or `share`.", nullable=False),
    Column("meaning", TEXT, "How it is computed.", nullable=False),
    Column("paper", TEXT, "The study that published such a figure, `Zhao 2019`."),
    Column("paper_value", FLOAT, "The figure of that study, not of these frames; null where only `paper_note` tells."),
    Column("paper_note", TEXT, "What to know of the study's figure before comparing."),
), source="Computed of `layers`, and of `images` and `repos` where they are given; the papers' figures as printed there.")

DUPLICATES = Table("duplicates", "a name of an image whose layers another name has too", IMAGE_KEY, (
    Column("group", COUNT, "Number of the group of names with the same layers in the same order, from 0.", nullable=False),
    *OF_IMAGE,
    Column("name_count", COUNT, "Distinct names, `repo:tag` or `repo@digest`, in the group.", nullable=False),
    Column("image_count", COUNT, "Distinct images in the group; 1 where all names are tags of one image.", nullable=False),
    Column("layer_count", COUNT, "Layers of the image, repeated ones counted.", nullable=False),
    Column("total_size", COUNT, "Compressed bytes of its distinct layers. [bytes]"),
), source="Computed of `layers`.")

SIMILARITY = Table("similarity", "a pair of images", tuple(f"{side}_{name}" for side in ("left", "right") for name in IMAGE_KEY), (
    *(
        Column(f"{side}_{column.name}", TEXT, f"Of the {side} image: {column.meaning[0].lower()}{column.meaning[1:]}", nullable=column.nullable)
        for side in ("left", "right")
        for column in OF_IMAGE
    ),
    Column("left_size", COUNT, "Compressed bytes of the left image's distinct layers. [bytes]"),
    Column("right_size", COUNT, "Compressed bytes of the right image's distinct layers. [bytes]"),
    Column("shared_size", COUNT, "Bytes of the layers that both hold. [bytes]"),
    Column("similarity", FLOAT, "`shared_size` by the bytes of the layers that either holds, from 0 to 1."),
    Column("left_share", FLOAT, "`shared_size / left_size`: how much of the left image is in the right one."),
    Column("right_share", FLOAT, "`shared_size / right_size`: how much of the right image is in the left one."),
), source="Computed of `layers`.")

# What a table of lineage tells of the parent.
OF_PARENT = (
    Column("parent_repo", TEXT, "Repository of the parent; null where no image at hand is the parent."),
    Column("parent_tag", TEXT, "Tag of the parent; null too where it was asked for by digest."),
    Column("parent_platform", TEXT, "Platform of the parent."),
    Column("parent_image_digest", TEXT, "Digest of the parent's manifest."),
)

PARENTS = Table("parents", "an image, with its parent", IMAGE_KEY, (
    *OF_IMAGE,
    Column("layer_count", COUNT, "Layers, repeated ones counted.", nullable=False),
    Column("size", COUNT, "Sum of the compressed layers, repeated ones counted; null where one's size is not known. [bytes]"),
    *OF_PARENT,
    Column("parent_layer_count", COUNT, "Layers of the parent: the first of the image's own."),
    Column("parent_size", COUNT, "Sum of these. [bytes]"),
    Column("candidate_count", COUNT, "Distinct images at hand with exactly these layers, any of which may be the parent; 0 without one.", nullable=False),
    Column("growth_size", COUNT, "What the image adds to its parent: `size - parent_size`. [bytes]"),
    Column("growth_ratio", FLOAT, "`size / parent_size`; null where that is 0."),
), source="Computed of `layers`: only images that are in them can be parents.")

OUTDATED = Table("outdated", "an image whose parent's tag has a newer image", IMAGE_KEY, (
    *OF_IMAGE,
    *OF_PARENT,
    Column("parent_pushed_at", UTC, "First push of the parent, under any tag that it has now."),
    Column("newer_tag", TEXT, "The tag of the parent's repository that has the newer image.", nullable=False),
    Column("newer_digest", TEXT, "What that tag points at, an index or a manifest."),
    Column("newer_pushed_at", UTC, "First push of that, under any tag that it has now."),
    Column("lag_days", FLOAT, "From the one push to the other, to the hundredth; null where a date is not known. [days]"),
), source="Computed of `layers` and `tags`: what a parent's tag is now, not what it was when the image was built.")

PACKAGES_USED = Table("packages_used", "a package, with the images that hold it", ("type", "namespace", "name"), (
    Column("type", TEXT, "Kind of package, as in `packages`.", nullable=False),
    Column("namespace", TEXT, "Id of the distribution, npm's scope, Maven's group."),
    Column("name", TEXT, "Name.", nullable=False),
    Column("version_count", COUNT, "Distinct versions.", nullable=False),
    Column("image_count", COUNT, "Distinct images that hold it.", nullable=False),
    Column("repo_count", COUNT, "Repositories of these.", nullable=False),
    Column("versions", TEXT, "The versions, by how many images hold each, joined by blanks; the first 100 of more."),
    Column("oldest", TEXT, "The oldest version, in the order of its ecosystem: dpkg's, rpm's, PyPI's …; null where one of them has no place in it."),
    Column("newest", TEXT, "The newest version, in the same way."),
    Column("first_repo", TEXT, "Repository of the first image by name.", nullable=False),
    Column("first_tag", TEXT, "Its tag."),
), source="Computed of `packages`.")

BASES = Table("bases", "an image, with a base and the evidence for it", (*IMAGE_KEY, "evidence"), (
    *OF_IMAGE,
    Column("evidence", TEXT, "`annotation` (of the manifest, else of its index), `label` (of the config), `provenance`, `dockerfile` (the last `FROM` of the file that provenance holds), `official` (Docker's builds.json), or `layers` (an image at hand whose layers are the first ones).", nullable=False),
    Column("base_repo", TEXT, "Repository of the base; null where only its digest is told."),
    Column("base_tag", TEXT, "Tag that the base had."),
    Column("base_digest", TEXT, "Digest of the base as it is told, of an index or of a manifest."),
    Column("base_platform_digest", TEXT, "Digest of the base's image for the platform, whose layers were compared."),
    Column("base_layer_count", COUNT, "Layers of the base; null where it could not be had."),
    Column("is_prefix", FLAG, "Whether the base's layers are the image's first ones; null where it could not be had."),
    Column("confidence", TEXT, "`proved`: the digest that is told, and its layers come first. `likely`: the layers of another image, or of what the tag is now, come first. `told`: nothing could be held against it. `told but wrong`: the digest that is told has other layers.", nullable=False),
    Column("base_name_now_digest", TEXT, "What the base's tag points at now."),
    Column("is_outdated", FLAG, "Whether that is another image than the one built on; null where it is not known which that was."),
    Column("outdated_at_build", FLAG, "Whether it was another image already when the image was built; null unless a history of the base's tag tells what it had then, and had the digest that is told at some time."),
    Column("lag_days", FLOAT, "From the build of the one to that of the other; null where a date is not told. [days]", may_be_negative=True),
    Column("base_eol_at", UTC, "The end of life of the product that the base's tag names, the first one of several, by hubframe's own table of dates; null where none is known."),
), source="Labels and annotations of images, and the layers of the bases that they name: on Docker Hub a pull for each distinct image, base and attestation, once.")

COMPARISON = Table("comparison", "a difference between two images", ("left_name", "right_name", "aspect", "key", "change"), (
    Column("left_name", TEXT, "The image on the left, `repo:tag` or `repo@digest`.", nullable=False),
    Column("right_name", TEXT, "The image on the right.", nullable=False),
    Column("aspect", TEXT, "`size`, `layers`, `history`, `config`, `env`, `labels` or `packages`.", nullable=False),
    Column("key", TEXT, "What differs: a figure, a position, a field, a variable, a label or a package (`deb/curl`); the position is the left image's, or the right one's of what was added.", nullable=False, may_be_empty=True),
    Column("left", TEXT, "What the left image has, for a layer its digest; null where it lacks it, and where the value is empty."),
    Column("right", TEXT, "What the right image has; null in the same way."),
    Column("change", TEXT, "`added`, `removed` or `changed`, from left to right.", nullable=False),
    Column("size_change", COUNT, "Of layers, and of the size: how many bytes more the right image has, less than 0 for fewer. [bytes]", may_be_negative=True),
    Column("instruction", TEXT, "Of a layer: the step that made it, as the right image writes it, else the left; null where no history tells it."),
    Column("left_size", COUNT, "Of layers, and of the size: compressed bytes that the left image has; null where it lacks the layer. [bytes]"),
    Column("right_size", COUNT, "The same of the right image. [bytes]"),
), source="Computed of layers, history, configurations, environment and labels of both images: on Docker Hub a pull for each, once.")

LATEST_LAG = Table("latest_lag", "a repository", ("repo",), (
    REPO,
    Column("latest_digest", TEXT, "What `latest` points at; null without such a tag, and where it is not known."),
    Column("latest_version", TEXT, "The highest version among the tags with the digest of `latest`; null where none is a version."),
    Column("latest_pushed_at", UTC, "Last push of `latest`."),
    Column("highest_tag", TEXT, "The tag of the highest stable version: one with the digest of `latest`, else the shortest."),
    Column("highest_version", TEXT, "The highest stable version."),
    Column("highest_pushed_at", UTC, "Last push of that tag."),
    Column("is_highest", FLAG, "Whether `latest` is the highest stable version: a tag of that version has its digest; null where either is not known."),
    Column("versions_behind", COUNT, "Stable versions above that of `latest`; null where that is not known."),
    Column("lag_days", FLOAT, "From the push of `latest` to that of the highest version, to the hundredth: 0 where they are one, less than 0 where `latest` was pushed later. [days]"),
), source="Computed of `tags`.")

STALENESS = Table("staleness", "a tag", ("repo", "tag"), (
    *OF_TAG,
    Column("pushed_at", UTC, "Last push."),
    Column("pulled_at", UTC, "Last pull; null if never pulled, and where a registry does not tell."),
    Column("age_days", FLOAT, "Since the last push, to the hundredth. [days]"),
    Column("idle_days", FLOAT, "Since the last pull, or the last push where that is later, to the hundredth. [days]"),
    Column("is_stale", FLAG, "Whether the last push is longer ago than asked for, a year if not told; null without a date."),
), source="Computed of `tags`: a push that moved a tag hides the one before. A report counts from the last build of a tag's images where its registry tells no push.")

CADENCE = Table("cadence", "a repository", ("repo",), (
    REPO,
    Column("version_count", COUNT, "Stable versions with a date.", nullable=False),
    Column("first_pushed_at", UTC, "When the first of them was pushed."),
    Column("last_pushed_at", UTC, "When the last of them was pushed."),
    Column("days_p10", FLOAT, "Between one push and the next, a tenth of the times are this short or shorter. [days]"),
    Column("days_p25", FLOAT, "A quarter of them. [days]"),
    Column("days_p50", FLOAT, "Half of them: the median. [days]"),
    Column("days_p75", FLOAT, "Three quarters of them. [days]"),
    Column("days_p90", FLOAT, "Nine tenths of them. [days]"),
    Column("variation", FLOAT, "Their standard deviation by their mean: 0 is a clock, 1 is chance; null with fewer than three versions."),
), source="Computed of `tags`: a push that moved a tag hides the one before.")

CLEANUP = Table("cleanup", "a tag", ("repo", "tag"), (
    *OF_TAG,
    Column("action", TEXT, "`delete` or `keep`; nothing was done.", nullable=False),
    Column("reason", TEXT, "Why.", nullable=False),
    Column("digest", TEXT, "What the tag points at."),
    Column("pushed_at", UTC, "Last push."),
    Column("pulled_at", UTC, "Last pull."),
    Column("size", COUNT, "Compressed size of one image, as in `tags`. [bytes]"),
    Column("freed_size", COUNT, "Layers that no tag holds that is kept, each counted at the first tag here that has it; null where the tag's layers are not known. [bytes]"),
), source="Computed of `tags`, and of `layers` for what would be freed. Nothing is deleted.")

COVERAGE = Table("coverage", "a standard label of an image, there or not", (*IMAGE_KEY, "key"), (
    *OF_IMAGE,
    Column("key", TEXT, "The OCI's key, `org.opencontainers.image.…`.", nullable=False),
    Column("state", TEXT, "`present`, `missing` or `invalid`.", nullable=False),
    Column("reason", TEXT, "Why it is not present: what is wrong with its value, or the key under which it is written; null where it is present, or just missing."),
    Column("value", TEXT, "Value, also one under another key; null where there is none."),
), source="Computed of `labels`, and of `images` or `configs` for images without any.")

PLATFORM_COVERAGE = Table("platform_coverage", "a tag and a platform that tags like it have", ("repo", "tag", "platform"), (
    *OF_TAG,
    Column("platform", TEXT, "`os/architecture[/variant]`.", nullable=False),
    Column("is_present", FLAG, "Whether the tag has an image for it.", nullable=False),
    Column("image_digest", TEXT, "Digest of that image."),
    Column("size", COUNT, "Its compressed size, as in `images`. [bytes]"),
    Column("tag_count", COUNT, "Tags of the repository that have the platform.", nullable=False),
    Column("tag_share", FLOAT, "The same, as a part of its tags that have any.", nullable=False),
), source="Computed of `images`.")

SIZE_TREND = Table("size_trend", "a build step of a release, or one that the release before had", ("repo", "line", "platform", "tag", "step", "previous_step"), (
    REPO,
    Column("line", TEXT, "The line of releases: tags that differ in their version alone, `*-alpine`.", nullable=False),
    Column("platform", TEXT, "`os/architecture[/variant]`."),
    Column("release", COUNT, "Place in the line, from 0, by version.", nullable=False),
    Column("tag", TEXT, "The release's tag.", nullable=False),
    Column("previous_tag", TEXT, "The release before it; null for the first."),
    Column("image_digest", TEXT, "Digest of the image."),
    Column("created_at", UTC, "When its last layer was made.", no_epoch=True),
    Column("total_size", COUNT, "Compressed bytes of all its layers, repeated ones counted; null where a size is not known. [bytes]"),
    Column("total_change", COUNT, "The same, less that of the release before. [bytes]", may_be_negative=True),
    Column("step", COUNT, "Position of its layer; null where the release has none."),
    Column("previous_step", COUNT, "Position of its counterpart in the release before; null where that has none."),
    Column("instruction", TEXT, "The step, as this release writes it, else the one before; null where no history tells it."),
    Column("previous_instruction", TEXT, "The counterpart, as the release before writes it."),
    Column("matched_by", TEXT, "How the counterpart was found: as the same `layer`, by `instruction`, by `pattern`, which is that but for versions, hashes and dates, or by `place`, which is a guess; null without one."),
    Column("size", COUNT, "Compressed bytes of the layer in this release, 0 where it has none. [bytes]"),
    Column("previous_size", COUNT, "The counterpart's, 0 where there is none; null for the first release. [bytes]"),
    Column("change", COUNT, "The difference; null for the first. [bytes]", may_be_negative=True),
), source="Computed of `layers`: steps of two releases are paired, what was replaced with what stands in its place.")

UNPACKED_SIZES = Table("unpacked_sizes", "a distinct layer", ("layer_digest",), (
    REPO,
    Column("layer_digest", TEXT, "Digest of the compressed layer.", nullable=False),
    Column("media_type", TEXT, "Media type; null where it is not told."),
    Column("size", COUNT, "Compressed size. [bytes]"),
    Column("unpacked_size", COUNT, "Size of the archive within; null where `reason` says why. [bytes]"),
    Column("method", TEXT, "How it was found: `gzip trailer`, or `not packed`."),
    Column("reason", TEXT, "Why it cannot be told; null where it is."),
), source="The last four bytes of each layer, asked of the registry; what they do not tell, as of layers that are not gzip, is null, with a reason.")

EFFICIENCY = Table("efficiency", "an image", IMAGE_KEY, (
    *OF_IMAGE,
    Column("layer_count", COUNT, "Layers with files.", nullable=False),
    Column("path_count", COUNT, "Distinct paths of files, links and empty directories, in any layer.", nullable=False),
    Column("size", COUNT, "Uncompressed bytes of all files of all layers. [bytes]", nullable=False),
    Column("user_size", COUNT, "The part above the lowest layer. [bytes]", nullable=False),
    Column("wasted_size", COUNT, "Bytes of all copies of the paths that stand in two layers or more, as dive counts. [bytes]", nullable=False),
    Column("surplus_size", COUNT, "The part of it that would not be there if each path stood once, in its smallest form. [bytes]", nullable=False),
    Column("wasted_share", FLOAT, "`wasted_size / user_size`, dive's `wastedUserPercent`; null where that is 0."),
    Column("efficiency", FLOAT, "dive's score: the smallest form of each path, by all copies of all paths; 1 for nothing wasted.", nullable=False),
), source="Computed of `files`.")

WASTED = Table("wasted", "a path that stands in two layers of an image or more", (*IMAGE_KEY, "path"), (
    *OF_IMAGE,
    Column("path", TEXT, "Path, as in `files`.", nullable=False),
    Column("copy_count", COUNT, "How often it stands in the layers, removals counted.", nullable=False),
    Column("removed_count", COUNT, "How many of these remove it.", nullable=False),
    Column("min_size", COUNT, "Size of the smallest copy; 0 where a file was removed. [bytes]", nullable=False),
    Column("wasted_size", COUNT, "Bytes of all copies; the removal of a directory counts what was in it. [bytes]", nullable=False),
    Column("surplus_size", COUNT, "`wasted_size - min_size`. [bytes]", nullable=False),
    Column("first_position", COUNT, "The lowest layer that has it.", nullable=False),
    Column("last_position", COUNT, "The highest layer that has or removes it.", nullable=False),
), source="Computed of `files`.")

PULLS_OVER_TIME = Table("pulls_over_time", "the time between two observations of a repository", ("repo", "observed_at"), (
    REPO,
    Column("from_at", UTC, "When the observation before was made.", nullable=False),
    Column("observed_at", UTC, "When this one was.", nullable=False),
    Column("days", FLOAT, "Between them. [days]", nullable=False),
    Column("pull_count", COUNT, "Pulls since the repository exists, as this observation tells.", nullable=False),
    Column("change", COUNT, "The same, less that of the observation before.", nullable=False, may_be_negative=True),
    Column("pulls_per_day", FLOAT, "`change / days`; null where `step` is not `growth`: how many pulls there were is not known."),
    Column("step", TEXT, "`growth`; `fall` where the count is less than before, `reset` where it is less than half.", nullable=False),
    Column("is_gap", FLAG, "Whether it is longer than one and a half times what is usual for the repository: observations are missing.", nullable=False),
), source="Computed of snapshots, or of frames that were kept.")

REPOS_OVER_TIME = Table("repos_over_time", "a repository as it was observed", ("repo", "observed_at"), (
    REPO,
    Column("observed_at", UTC, "When.", nullable=False),
    Column("star_count", COUNT, "Stars."),
    Column("star_change", COUNT, "The same, less those of the last observation that told them; null for the first.", may_be_negative=True),
    Column("storage_size", COUNT, "Storage that the repository takes on the Hub. [bytes]"),
    Column("storage_change", COUNT, "The same, less that of the last observation that told it. [bytes]", may_be_negative=True),
    Column("tag_count", COUNT, "Tags; null where not all were read."),
    Column("tag_change", COUNT, "The same, less those of the last observation that told them.", may_be_negative=True),
    Column("is_gap", FLAG, "Whether the time since the observation before is longer than one and a half times what is usual; null for the first."),
), source="Computed of snapshots, or of frames that were kept.")

TAG_MOVES = Table("tag_moves", "a digest that a tag had for a time", ("repo", "tag", "first_seen_at"), (
    *OF_TAG,
    Column("move", COUNT, "Place among those of the tag, from 0.", nullable=False),
    Column("digest", TEXT, "What the tag pointed at.", nullable=False),
    Column("previous_digest", TEXT, "What it pointed at before; null for the first."),
    Column("pushed_at", UTC, "The push that put it there, as the registry told when it was first seen."),
    Column("not_yet_at", UTC, "The last observation without it; null where it was there from the first one on."),
    Column("first_seen_at", UTC, "The first observation with it: it came after `not_yet_at` and no later.", nullable=False),
    Column("last_seen_at", UTC, "The last observation with it.", nullable=False),
    Column("gone_at", UTC, "The first observation without it; null where it is still there."),
    Column("ending", TEXT, "`moved` to another digest, or `deleted`; null where it is still there."),
    Column("observation_count", COUNT, "Observations with it.", nullable=False),
    Column("size", COUNT, "Compressed size, as in `tags`, when it was first seen. [bytes]"),
), source="Computed of snapshots: what moved twice between two runs was seen once. Or of `tag_history`, which tells each move.")

MUTABLE_TAGS = Table("mutable_tags", "a version tag that was pushed again", ("repo", "tag"), (
    *OF_TAG,
    Column("version", TEXT, "The version that it starts with.", nullable=False),
    Column("is_floating", FLAG, "Whether a longer version goes on from it, as `1.25.3` from `1.25`: such a tag is meant to move.", nullable=False),
    Column("push_count", COUNT, "Pushes that were seen, the first included: of another digest, or at another date.", nullable=False),
    Column("digest_count", COUNT, "Distinct digests that it had.", nullable=False),
    Column("first_digest", TEXT, "The first of them."),
    Column("last_digest", TEXT, "The last of them."),
    Column("first_seen_at", UTC, "When it was first seen.", nullable=False),
    Column("last_pushed_at", UTC, "When the last push that was seen was made; if the registry does not tell, when it was first seen.", nullable=False),
), source="Computed of snapshots: what moved twice between two runs was seen once. Or of `tag_history`, which tells each push.")

_MEASURED = (
    PLAN, STANDARD_LABELS, SHARED_LAYERS, FOOTPRINT, FIGURES, DUPLICATES, SIMILARITY, PARENTS, PACKAGES_USED, BASES,
    OUTDATED, COMPARISON, LATEST_LAG, STALENESS, CADENCE, CLEANUP, COVERAGE, PLATFORM_COVERAGE,
    SIZE_TREND, UNPACKED_SIZES, EFFICIENCY, WASTED, PULLS_OVER_TIME, REPOS_OVER_TIME,
    TAG_MOVES, MUTABLE_TAGS, VULNERABILITIES, VULNERABILITY_SUMMARY, *LIFECYCLE,
)
MEASURED = {table.name: table for table in _MEASURED}
TABLES = FETCHED | OBSERVED | MEASURED | OF_FILES | READ
