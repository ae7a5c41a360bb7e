"""The frames of references: the images that files name, and how they stand."""

from hubframe.tables.schema import COUNT, FLAG, TEXT, UTC, Column, Table

# A column a line, so that a table reads as one.
# fmt: off

REFERENCES = Table("references", "a reference to an image in a file", ("file", "line", "field"), (
    Column("file", TEXT, "File, relative to the folder that was read, with `/`.", nullable=False),
    Column("line", COUNT, "Line, from 1; of an instruction its first one.", nullable=False),
    Column("kind", TEXT, "What the file is: `dockerfile`, `compose`, `kubernetes`, `helm values`, `kustomize`, `github actions`, `gitlab`, `circleci`, `devcontainer`, `bake`, `buildpacks`, `quadlet` or `text`.", nullable=False),
    Column("field", TEXT, "Where it stands in the file: `FROM`, `COPY --from`, `services.web.image`.", nullable=False),
    Column("role", TEXT, "What the image is for: `base` (built on), `stage copy` (files are copied from it), `syntax` (reads the Dockerfile), `build` (builds run in it), `run`, or `init` (runs before others); null in plain text."),
    Column("is_last_stage", FLAG, "Whether it is the `FROM` that the image of a Dockerfile is built on; null where it is no `FROM`."),
    Column("written", TEXT, "The reference as it stands in the file; of fields that belong together, joined.", nullable=False),
    Column("repo", TEXT, "Repository, in the spelling of all frames; null where it cannot be told."),
    Column("tag", TEXT, "Tag; `latest` where neither tag nor digest is written, null with a digest alone, and where it cannot be told."),
    Column("digest", TEXT, "Digest that it is pinned to."),
    Column("reference", TEXT, "The whole reference as Docker reads it, `docker.io/library/nginx:latest`; null where it cannot be told."),
    Column("platform", TEXT, "`os/architecture[/variant]` that is asked for beside it; null where none is, or a variable."),
    Column("is_pinned", FLAG, "Whether it has a digest; null where the reference cannot be told."),
    Column("is_floating", FLAG, "Whether it is meant to move: no digest, and no tag, a word such as `latest` or `bookworm`, or a major version alone; null where the reference cannot be told."),
    Column("variable", TEXT, "Names of variables that are not resolved, sorted, joined by blanks."),
    Column("problem", TEXT, "Why there is no reference: `variable`, `template`, `invalid`, `stage` (an earlier stage of the same file) or `scratch`; null where there is one."),
), source="Read from files, without a network. Nothing in them is run, and no link is followed.")

CHECKED_REFERENCES = Table("checked_references", "a reference to an image in a file, and how it stands", REFERENCES.key, (
    *REFERENCES.columns[:-1],
    Column("problem", TEXT, "As in `references`; or `pinned to linux/arm64 only`, where the digest is that of one of several platforms of the tag."),
    Column("exists", FLAG, "Whether there is such an image, of one that is pinned its digest; null where that is not known, as of private repositories without a login."),
    Column("digest_now", TEXT, "What the tag points at now."),
    Column("is_current", FLAG, "Whether the digest that it is pinned to is what the tag points at now, or an image of that; null where either is missing, or the images are not known."),
    Column("tag_pushed_at", UTC, "When the tag was last pushed; null where the registry does not tell."),
    Column("age_days", COUNT, "Whole days since then. [days]"),
    Column("newest_tag", TEXT, "The newest tag of the same line of releases: as `3.12-slim` goes, `3.15-slim`. It is the tag itself where none is newer; null where its name is no version, and where it is not there and none is newer."),
    Column("versions_behind", COUNT, "Versions of the line between the two, the newest counted, told apart as finely as the tag is written."),
    Column("behind", TEXT, "The first part of the version that differs: `major`, `minor` or `patch`; null where none does, and of dates."),
    Column("platforms", TEXT, "Platforms that the tag has images for, sorted, joined by blanks."),
    Column("lacks_platforms", TEXT, "Those of the platforms that were asked for which it has no image for; null where it has all, or `platforms` is null."),
    Column("size", COUNT, "Compressed size of the tag's image, as in `tags`; null where the registry does not tell. [bytes]"),
    Column("eol_at", UTC, "The end of life of the product that it is of, the first one of several (`python:3.8-buster`), by hubframe's own table of dates; null where none is known."),
    Column("is_eol", FLAG, "Whether one of them is over; null where none is known."),
    Column("is_official", FLAG, "Whether it is a Docker Official Image (namespace `library`)."),
), source="Each distinct tag is asked for once, and the list of tags of each repository: of Docker Hub's API and registry, which costs no pull; elsewhere a manifest for each tag. By HEAD whether a digest is there that its tag no longer points at.")
# fmt: on

OF_FILES = {table.name: table for table in (REFERENCES, CHECKED_REFERENCES)}
