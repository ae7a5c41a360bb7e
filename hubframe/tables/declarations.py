"""Every frame of hubframe, declared once: columns, dtypes, keys and meanings."""

from hubframe.tables.schema import COUNT, FLAG, TEXT, UTC, Column, Table

# A column a line, so that a table reads as one.
# fmt: off

REPO = Column("repo", TEXT, "Repository: `namespace/name` on Docker Hub, else with its host.", nullable=False)
TAG = Column("tag", TEXT, "Tag; null where the image was asked for by digest.")
PLATFORM = Column("platform", TEXT, "`os/architecture[/variant]`, in one spelling: `linux/arm64` for the variant v8 too.")
IMAGE_DIGEST = Column("image_digest", TEXT, "Digest of the platform's manifest.")
OF_IMAGE = (REPO, TAG, PLATFORM, IMAGE_DIGEST)
OF_TAG = (REPO, Column("tag", TEXT, "Tag.", nullable=False))
IMAGE_KEY = ("repo", "tag", "image_digest", "platform")

REPOS = Table("repos", "a repository", ("repo",), (
    REPO,
    Column("namespace", TEXT, "User or organisation.", nullable=False),
    Column("name", TEXT, "Name within the namespace.", nullable=False),
    Column("repository_type", TEXT, "`image` or `plugin`; null on old repositories."),
    Column("description", TEXT, "The short description."),
    Column("is_private", FLAG, "Whether only its owners may read it."),
    Column("is_official", FLAG, "Whether it is a Docker Official Image (namespace `library`)."),
    Column("status", TEXT, "`active` or `inactive`."),
    Column("star_count", COUNT, "Stars."),
    Column("pull_count", COUNT, "Pulls since the repository exists, updates and robots included."),
    Column("storage_size", COUNT, "Storage that the repository takes on the Hub. [bytes]"),
    Column("categories", TEXT, "Category slugs, sorted, joined by blanks."),
    Column("media_types", TEXT, "Media types over all tags, sorted, joined by blanks."),
    Column("content_types", TEXT, "Content types over all tags, sorted, joined by blanks."),
    Column("registered_at", UTC, "When the repository was made."),
    Column("pushed_at", UTC, "Last push."),
    Column("modified_at", UTC, "Last change of its settings; many share a back-filled date of 2024-10-16."),
), source="Docker Hub's API, a request for a hundred repositories; no pull. Private ones are there for logins that may read them. Quay, Harbor and Amazon ECR tell of theirs: the page of registries tells what each fills.")

SEARCH = Table("search", "a search hit", ("repo",), (
    REPO,
    Column("description", TEXT, "The short description."),
    Column("is_official", FLAG, "Whether it is a Docker Official Image."),
    Column("is_automated", FLAG, "Whether the Hub built it (a feature of the past)."),
    Column("star_count", COUNT, "Stars."),
    Column("pull_count", COUNT, "Pulls since the repository exists."),
), source="Docker Hub's search, in the order of its ranking; no pull.")

TAGS = Table("tags", "a tag", ("repo", "tag"), (
    *OF_TAG,
    Column("digest", TEXT, "Digest of what the tag points at, an index or a manifest; null on old tags of the Hub, and where the tag is listed and what it points at is not there."),
    Column("media_type", TEXT, "Its media type; the Hub gives the config's for some single images."),
    Column("content_type", TEXT, "`image`, `helm`, `plugin` and so on, as the Hub names it."),
    Column("status", TEXT, "`active`, or `inactive` after a month without push or pull; of ECR `active` or `archived`."),
    Column("size", COUNT, "Compressed size of one image, linux/amd64 where there is one; on ECR the largest. Harbor counts manifest and config, too. [bytes]"),
    Column("platform_count", COUNT, "Platforms, attestations not counted."),
    Column("pushed_at", UTC, "Last push."),
    Column("pulled_at", UTC, "Last pull; null if never pulled."),
    Column("aliases", TEXT, 'The other tags of the repository with the same digest, shown or not, sorted, joined by blanks; the first 1,000 of more. Null too where not all tags of the repository were looked at: `attrs["hubframe"]["unknown"]` names it.'),
    Column("version", TEXT, "The version that the tag starts with, `1.25.3` of `1.25.3-alpine`."),
    Column("is_prerelease", FLAG, "Whether that version is a pre-release (`rc1`, `beta`, `dev`); null without a version."),
    Column("is_digest_tag", FLAG, "Whether the tag only names a digest, as signatures do (`sha256-….sig`).", nullable=False),
), source="Docker Hub's API, a request for a hundred tags; no pull. Other registries, and `source=\"registry\"`, tell names and digests alone: content_type, status, size, platform_count, pushed_at and pulled_at are null. quay.io, and registries whose API is named, tell some of these: the page of registries says which.")

TAG_HISTORY = Table("tag_history", "what a tag pointed at for a time", ("repo", "tag", "started_at", "digest"), (
    *OF_TAG,
    Column("digest", TEXT, "Digest of what the tag pointed at, an index or a manifest."),
    Column("started_at", UTC, "When it was put there: by a push, also of the same image again, or by going back."),
    Column("ended_at", UTC, "When that ended: it moved, was deleted, or expired; null where it is still there."),
    Column("is_reversion", FLAG, "Whether somebody went back to an older image, without a push."),
    Column("is_index", FLAG, "Whether it is an index, of several platforms."),
    Column("size", COUNT, "Compressed size of its layers; null for an index. [bytes]"),
    Column("is_immutable", FLAG, "Whether the tag may not be moved; null where the registry has no such tags."),
    Column("expires_at", UTC, "When it will end by itself; null where that was not set, and where it has ended."),
), source="Quay's API, a request for a hundred rows; no pull. It forgets what has ended after the time that the owner sets, two weeks unless changed.")

TAG_PULLS = Table("tag_pulls", "how often a tag was pulled", ("repo", "tag"), (
    *OF_TAG,
    Column("digest", TEXT, "Digest of what the tag points at, an index or a manifest."),
    Column("pull_count", COUNT, "Pulls by the tag's name, whatever it pointed at, since they are counted."),
    Column("pulled_at", UTC, "The last of them; null where there was none."),
    Column("image_pull_count", COUNT, "Pulls of what the tag points at now, by whatever name: other tags and the digest, too."),
    Column("image_pulled_at", UTC, "The last of them; null where there was none."),
), source="Quay's API, a request for each tag; no pull. It counts where its administrator switched that on.")

IMAGES = Table("images", "one platform's image of a tag", IMAGE_KEY, (
    REPO,
    TAG,
    PLATFORM,
    Column("os", TEXT, "Operating system."),
    Column("architecture", TEXT, "Processor architecture, as Go names it."),
    Column("variant", TEXT, "Variant of the architecture, `v8`, as it is told."),
    Column("os_version", TEXT, "Version of the operating system; Windows only."),
    IMAGE_DIGEST,
    Column("index_digest", TEXT, "Digest of the index that lists it; null where the tag is one image."),
    Column("media_type", TEXT, "Media type of the manifest; null from the Hub, which does not tell it."),
    Column("size", COUNT, "Sum of the compressed layers, repeated ones counted. [bytes]"),
    Column("layer_count", COUNT, "Layers, repeated ones counted; null from the Hub."),
    Column("status", TEXT, "`active` or `inactive`; the Hub only."),
    Column("created_at", UTC, "When the image says it was built; null from the Hub.", no_epoch=True),
    Column("pushed_at", UTC, "Last push; the Hub only."),
    Column("pulled_at", UTC, "Last pull; the Hub only."),
    Column("is_attestation", FLAG, "Whether it is no image but an attestation about one.", nullable=False),
), source="Docker Hub's API; no pull. There media_type, layer_count and created_at are null. From registries status, pushed_at and pulled_at are, and each index and manifest on Docker Hub is a pull.")

LAYERS = Table("layers", "a layer of an image", (*IMAGE_KEY, "position"), (
    *OF_IMAGE,
    Column("position", COUNT, "Place in the image, counted from the base, from 0.", nullable=False),
    Column("layer_digest", TEXT, "Digest of the compressed layer.", nullable=False),
    Column("diff_id", TEXT, "Digest of the uncompressed layer; null from the Hub."),
    Column("size", COUNT, "Compressed size. [bytes]"),
    Column("media_type", TEXT, "Media type; null from the Hub."),
    Column("instruction", TEXT, "The step that made it, as a Dockerfile line; null where history and layers disagree."),
    Column("created_at", UTC, "When that step ran; null from the Hub.", no_epoch=True),
    Column("is_empty", FLAG, "Whether it is the empty layer, known by digest.", nullable=False),
), source="Docker Hub's API, a request for each distinct digest; no pull. There diff_id, media_type and created_at are null; `source=\"registry\"` tells them, for a pull an image.")

FILES = Table("files", "an entry of a layer: a file, a directory, a link, a whiteout", (*IMAGE_KEY, "position", "entry"), (
    *OF_IMAGE,
    Column("position", COUNT, "Place of the layer in the image, as in `layers`.", nullable=False),
    Column("layer_digest", TEXT, "Digest of the compressed layer.", nullable=False),
    Column("entry", COUNT, "Place in the layer's archive, from 0: a path may be there twice, and then the last counts.", nullable=False),
    Column("path", TEXT, "Path from the root of the image, without a leading slash; of a whiteout the path that it removes. `..` stays as it is written.", nullable=False),
    Column("type", TEXT, "`file`, `directory`, `symlink`, `hard link`, `character device`, `block device`, `fifo` or `other`.", nullable=False),
    Column("size", COUNT, "Uncompressed size; 0 for what is no file, and for hard links. [bytes]", nullable=False),
    Column("mode", TEXT, "Permissions as four octal digits, `0644`; the first holds setuid (4), setgid (2) and sticky (1)."),
    Column("uid", COUNT, "Number of the owner."),
    Column("gid", COUNT, "Number of the group."),
    Column("user", TEXT, "Name of the owner, where the archive tells it."),
    Column("group", TEXT, "Name of the group, where the archive tells it."),
    Column("modified_at", UTC, "When it was modified, as the archive tells: builders may write any date."),
    Column("link_target", TEXT, "Where a link leads, as it is written."),
    Column("whiteout", TEXT, "`removed`: the path of a lower layer is gone. `opaque`: all that lower layers have in this directory is gone. `bookkeeping`: a note of AUFS, which is no file. Null for what is there."),
), source="The layers themselves, downloaded once each; no pull on Docker Hub beyond those of the manifests.")

PACKAGES = Table("packages", "a package of an image", (*IMAGE_KEY, "evidence", "type", "namespace", "name", "version", "architecture", "path"), (
    *OF_IMAGE,
    Column("type", TEXT, "Kind of package, as package URLs name it: `deb`, `apk`, `rpm`, `pypi`, `npm`, `conda`, `cran`, `bitnami`, `gem`, `composer`, `nuget`, `golang`, `maven`; of documents others, too.", nullable=False),
    Column("namespace", TEXT, "Id of the distribution, npm's scope without `@`, Maven's group, Composer's vendor."),
    Column("name", TEXT, "Name, as its ecosystem writes it; of PyPI normalised; of Go the path of the module, and `stdlib` for its own library.", nullable=False),
    Column("version", TEXT, "Whole version, with epoch and release; null where none is told, as of programs of Go that were built from their source."),
    Column("architecture", TEXT, "Architecture, of gems the platform; null where it does not apply."),
    Column("source_name", TEXT, "Name of the source package, which advisories name."),
    Column("source_version", TEXT, "Version of the source package, where it is another one."),
    Column("purl", TEXT, "Package URL, with the distribution for packages of the system."),
    Column("licence", TEXT, "Licence, as it is declared."),
    Column("installed_size", COUNT, "Size when installed, as the package tells. [bytes]"),
    Column("position", COUNT, "Place of the lowest layer since which this version is there, as in `layers`; null where an SBOM does not say."),
    Column("layer_digest", TEXT, "Digest of that layer, which joins to `layers` and its `instruction`."),
    Column("path", TEXT, "The database, binary or document that tells of it; `!/` goes on within an archive of Java."),
    Column("evidence", TEXT, "`layers`: a database of packages in the image, or a binary; `sbom`: a document about the image.", nullable=False),
    Column("tool", TEXT, "What made the document; `hubframe` for layers."),
    Column("is_direct", FLAG, "Whether it was asked for itself, and is not only needed by another; null where that is not told."),
), source="The databases of packages in the layers, each downloaded once, as for `files`; no pull on Docker Hub. What was installed without a package manager is in no database.")

DISTRIBUTIONS = Table("distributions", "the distribution of an image", (*IMAGE_KEY, "evidence"), (
    *OF_IMAGE,
    Column("id", TEXT, "`ID` of os-release, `debian`, or as older systems tell it; `windows` for Windows; null where the image tells none, as images from scratch do."),
    Column("id_like", TEXT, "`ID_LIKE`: the distributions that it is made of."),
    Column("version_id", TEXT, "`VERSION_ID`; of Windows the version of the config."),
    Column("version_codename", TEXT, "`VERSION_CODENAME`, `bookworm`."),
    Column("variant_id", TEXT, "`VARIANT_ID`."),
    Column("name", TEXT, "`PRETTY_NAME`, for people."),
    Column("cpe_name", TEXT, "`CPE_NAME`."),
    Column("layer_digest", TEXT, "Digest of the layer that says so."),
    Column("path", TEXT, "The file that says so."),
    Column("evidence", TEXT, "`layers`: a file of the image, `path`; `config`: the image's config; `sbom`: a bill of materials that is attached.", nullable=False),
), source="`os-release` in the layers, each downloaded once, as for `files`; no pull on Docker Hub. Or bills of materials.")

CONTENTS = Table("contents", "a file of an image, with what is in it", (*IMAGE_KEY, "path"), (
    *OF_IMAGE,
    Column("position", COUNT, "Place of the layer that it is of, as in `layers`.", nullable=False),
    Column("layer_digest", TEXT, "Digest of that layer.", nullable=False),
    Column("path", TEXT, "Path from the root of the image, without a leading slash.", nullable=False),
    Column("size", COUNT, "Size. [bytes]", nullable=False),
    Column("mode", TEXT, "Permissions as four octal digits, as in `files`."),
    Column("sha256", TEXT, "Hash of the file, where it is asked for."),
    Column("text", TEXT, "What is in it; null where that is no UTF-8, and of an empty file."),
    Column("is_truncated", FLAG, "Whether the text is cut.", nullable=False),
), source="The layers that hold the files, downloaded; no pull on Docker Hub.")

HISTORY = Table("history", "a build step", (*IMAGE_KEY, "step"), (
    *OF_IMAGE,
    Column("step", COUNT, "Place in the history, from 0.", nullable=False),
    Column("created_at", UTC, "When the step ran; null from the Hub.", no_epoch=True),
    Column("instruction", TEXT, "The step as a Dockerfile line."),
    Column("created_by", TEXT, "The step as recorded; the Hub leaves `#(nop)` prefixes out."),
    Column("comment", TEXT, "The builder's comment."),
    Column("author", TEXT, "Author."),
    Column("is_empty_layer", FLAG, "Whether the step made no layer.", nullable=False),
    Column("layer_digest", TEXT, "The layer that it made; null where history and layers disagree."),
    Column("size", COUNT, "Compressed size of that layer. [bytes]"),
), source="Docker Hub's API, with the steps alone: created_at, comment and author are null; no pull. Registries tell them, for a pull an image on Docker Hub.")

LABELS = Table("labels", "a label", (*IMAGE_KEY, "source", "key"), (
    *OF_IMAGE,
    Column("source", TEXT, "Where it stands: `config`, `manifest`, `index`, `descriptor`, or `history` (read from `LABEL` steps, not complete).", nullable=False),
    Column("key", TEXT, "Key.", nullable=False, may_be_empty=True),
    Column("value", TEXT, "Value.", nullable=False, may_be_empty=True),
), source="The registry's manifests and configs: on Docker Hub a pull for each distinct image, once. `source=\"hub\"` reads the steps of the history, and is not complete.")

ENV = Table("env", "an environment variable", (*IMAGE_KEY, "key"), (
    *OF_IMAGE,
    Column("key", TEXT, "Name; of a repeated one the last counts.", nullable=False, may_be_empty=True),
    Column("value", TEXT, "Value.", nullable=False, may_be_empty=True),
), source="The registry's configs: on Docker Hub a pull for each distinct image, once.")

CONFIGS = Table("configs", "an image's configuration", IMAGE_KEY, (
    *OF_IMAGE,
    Column("config_digest", TEXT, "Digest of the config, also called the image's id."),
    Column("created_at", UTC, "When the image says it was built.", no_epoch=True),
    Column("author", TEXT, "Author."),
    Column("docker_version", TEXT, "Version of Docker that built it; null with newer builders."),
    Column("os", TEXT, "Operating system."),
    Column("architecture", TEXT, "Processor architecture, as Go names it."),
    Column("variant", TEXT, "Variant of the architecture, as it is told."),
    Column("os_version", TEXT, "Version of the operating system; Windows only."),
    Column("user", TEXT, "User that the container runs as; null means root."),
    Column("working_dir", TEXT, "Folder that it starts in."),
    Column("entrypoint", TEXT, "Entrypoint, as JSON."),
    Column("cmd", TEXT, "Command, as JSON."),
    Column("shell", TEXT, "Shell of `RUN` lines, as JSON."),
    Column("stop_signal", TEXT, "Signal that stops it."),
    Column("exposed_ports", TEXT, "Ports, sorted, joined by blanks."),
    Column("volumes", TEXT, "Volumes, sorted, joined by blanks."),
    Column("healthcheck", TEXT, "Health check, as JSON."),
    Column("layer_count", COUNT, "Layers, repeated ones counted."),
    Column("label_count", COUNT, "Labels of the config."),
    Column("env_count", COUNT, "Environment variables."),
    Column("size", COUNT, "Sum of the compressed layers. [bytes]"),
), source="The registry's configs: on Docker Hub a pull for each distinct image, once. What an image does not set is null.")

REFERRERS = Table("referrers", "an artifact that refers to an image, or to such an artifact", (*IMAGE_KEY[:3], "digest"), (
    REPO,
    TAG,
    Column("image_digest", TEXT, "Digest of the image or index that it is about, directly or through other artifacts.", nullable=False),
    Column("digest", TEXT, "Digest of the artifact's manifest.", nullable=False),
    Column("artifact_type", TEXT, "What it is, as a media type: its own, its config's, else its first layer's; types that artifacts only have because they must are passed over."),
    Column("media_type", TEXT, "Media type of its manifest."),
    Column("size", COUNT, "Size of its manifest. [bytes]"),
    Column("title", TEXT, "Its title, or what it states: the types of its predicates, joined by blanks; of a Sigstore bundle always its predicate's, where it is told."),
    Column("created_at", UTC, "When it says it was made.", no_epoch=True),
    Column("depth", COUNT, "1 where it refers to the image itself, 2 where it refers to such an artifact, and so on; 4 at most, what lies deeper is not looked for.", nullable=False),
    Column("subject_digest", TEXT, "Digest of what it refers to itself: the image, or the artifact one step nearer.", nullable=False),
), source="The registry's list of referrers, or the tag `sha256-…` where it has none; cosign's tags, and the attestations of the index. No list of tags is asked for. On Docker Hub a manifest is a pull, the lists and tags are free.")

# What is attached to images begins with these.
OF_DOCUMENT = (
    REPO,
    TAG,
    Column("platform", TEXT, "Platform of the image, as in `images`; null where the document is attached to the index."),
    Column("image_digest", TEXT, "Digest of the image, or of the index, that it is attached to, directly or through other artifacts.", nullable=False),
    Column("digest", TEXT, "Digest of the document.", nullable=False),
)
_ATTACHED = "Documents that are attached to images, wherever `referrers` finds them. On Docker Hub the manifest of each artifact is a pull, once; lists, tags and documents are free."

SBOMS = Table("sboms", "a bill of materials of an image", (*IMAGE_KEY, "digest", "path"), (
    *OF_DOCUMENT,
    Column("referrer_digest", TEXT, "Digest of the artifact's manifest that holds it; null of a file in the image."),
    Column("format", TEXT, "`spdx`, `cyclonedx` or `syft`."),
    Column("format_version", TEXT, "Version of the format, `2.3`; null where it is not in JSON, which is not read."),
    Column("predicate_type", TEXT, "Type of the predicate, where it is an attestation."),
    Column("media_type", TEXT, "Media type."),
    Column("size", COUNT, "Size as it is kept. [bytes]"),
    Column("package_count", COUNT, "Packages, the root of the document not counted; null where it is not read."),
    Column("tool", TEXT, "What made it, with its version: `syft-1.18.1`."),
    Column("created_at", UTC, "When it says it was made.", no_epoch=True),
    Column("name", TEXT, "What it calls itself, or what it is about."),
    Column("is_signed", FLAG, "Whether it came in a signed envelope, which nobody checked here; see `signatures`."),
    Column("where", TEXT, "Where it was found: `index`, `referrers`, `referrers tag` (which stands in for the API), `cosign tag`, or `in the image`, as a file of it.", nullable=False),
    Column("path", TEXT, "Path of the file in the image; null of what is attached to it."),
), source=f'{_ATTACHED} With evidence="layers", files in the layers, each of which is downloaded once.')

PROVENANCE = Table("provenance", "a document on how an image was built", (*IMAGE_KEY, "digest"), (
    *OF_DOCUMENT,
    Column("predicate_type", TEXT, "Version of the format, `https://slsa.dev/provenance/v1`."),
    Column("build_type", TEXT, "What kind of build it was, as an address."),
    Column("builder_id", TEXT, "Who built: of GitHub the workflow, of BuildKit what it was told."),
    Column("invocation_id", TEXT, "The run of the builder."),
    Column("started_at", UTC, "When the build began.", no_epoch=True),
    Column("finished_at", UTC, "When it ended.", no_epoch=True),
    Column("source_uri", TEXT, "Where the source came from, as the builder saw; where the document has no place for it, the only repository of git that went in. Null for a local folder. Logins in addresses are left out."),
    Column("source_revision", TEXT, "Its commit."),
    Column("source_path", TEXT, "The file that told how to build: the Dockerfile, the workflow."),
    Column("vcs_source", TEXT, "Where the source is kept, as the user's own machine said: the builder did not verify it."),
    Column("vcs_revision", TEXT, "Its commit, by the same word."),
    Column("frontend", TEXT, "BuildKit's frontend, `dockerfile.v0`."),
    Column("target", TEXT, "The stage that was asked for."),
    Column("build_arg_count", COUNT, "Build arguments, which are shown with `build_args=True` alone, since they may be secrets; null where the document leaves them out (mode `min`)."),
    Column("is_reproducible", FLAG, "Whether the builder says that the same comes of it again."),
    Column("is_hermetic", FLAG, "Whether it says that the build had no network."),
    Column("is_complete_materials", FLAG, "Whether it says that the materials are all."),
    Column("material_count", COUNT, "Materials that it names."),
    Column("mode", TEXT, "`max` or `min`, of BuildKit: how much it tells."),
    Column("is_signed", FLAG, "Whether it came in a signed envelope, which nobody checked here; see `signatures`."),
    Column("subject_matches", FLAG, "Whether it says that it is about this image (or index)."),
), source=_ATTACHED)

MATERIALS = Table("materials", "something that a build took", (*IMAGE_KEY, "digest", "position"), (
    *OF_DOCUMENT,
    Column("position", COUNT, "Place in the document, from 0.", nullable=False),
    Column("uri", TEXT, "As it is written; logins in addresses are left out."),
    Column("kind", TEXT, "`image`, `git`, `http`, `oci layout` or `other`.", nullable=False),
    Column("material_repo", TEXT, "Repository of the image, in the spelling of `repo`."),
    Column("material_tag", TEXT, "Its tag."),
    Column("material_digest", TEXT, "Its digest, of the index or of the platform's image, as it was pinned; of a download that of its bytes."),
    Column("material_platform", TEXT, "Its platform."),
    Column("git_url", TEXT, "Address of a repository of git."),
    Column("git_ref", TEXT, "Branch or tag."),
    Column("git_revision", TEXT, "Commit."),
    Column("is_base", FLAG, "Whether it is the image that the build goes on from, where the document holds the Dockerfile; null where another image may be."),
    Column("is_frontend", FLAG, "Whether it is a tool of the builder: Docker's frontend, BuildKit's scanner, or what a step of Tekton or Google Cloud Build ran in.", nullable=False),
), source=_ATTACHED)

DOCKERFILES = Table("dockerfiles", "a file that a build was told by", (*IMAGE_KEY, "digest", "position"), (
    REPO,
    TAG,
    PLATFORM,
    IMAGE_DIGEST,
    Column("digest", TEXT, "Digest of the document that holds it; null where it is made of the history."),
    Column("position", COUNT, "Place in the document, from 0.", nullable=False),
    Column("name", TEXT, "Name of the file."),
    Column("text", TEXT, "The file. Of the history: its steps, one a line, which is no Dockerfile that builds.", nullable=False, may_be_empty=True),
    Column("sha256", TEXT, "Hash of the file.", nullable=False),
    Column("line_count", COUNT, "Lines.", nullable=False),
    Column("source", TEXT, "`provenance` or `history`.", nullable=False),
    Column("base", TEXT, "The image that the build goes on from: of the last `FROM`, or of that of the stage that was built, through the stages in between, with its digest where the document tells it. Null for `scratch`, and where a build argument decides."),
), source=f"{_ATTACHED} BuildKit writes Dockerfiles with the mode `max` alone.")

SIGNATURES = Table("signatures", "a signature of an image, or of what is attached to it", (*IMAGE_KEY, "digest", "position", "number"), (
    *OF_DOCUMENT[:-1],
    Column("subject_digest", TEXT, "Digest of what it is attached to itself.", nullable=False),
    Column("subject_kind", TEXT, "What that is: `image`, `index`, `attestation` or `artifact`. A signature of an index covers its images.", nullable=False),
    Column("digest", TEXT, "Digest of the artifact's manifest.", nullable=False),
    Column("position", COUNT, "Place of the layer in the artifact, from 0.", nullable=False),
    Column("layer_digest", TEXT, "Digest of the signature, or of the payload that it is beside.", nullable=False),
    Column("number", COUNT, "Place in its envelope, from 0.", nullable=False),
    Column("kind", TEXT, "`cosign simple signing`, `sigstore bundle`, `dsse`, `notation jws` or `notation cose`.", nullable=False),
    Column("media_type", TEXT, "Media type of the layer."),
    Column("identity", TEXT, "Who signed, as the certificate says: an address, else an e-mail's; of Notation the subject."),
    Column("issuer", TEXT, "Who vouched for that; of Notation the certificate's issuer."),
    Column("source_repository", TEXT, "Repository of the workflow that signed."),
    Column("source_ref", TEXT, "Its branch or tag."),
    Column("source_revision", TEXT, "Its commit."),
    Column("runner", TEXT, "`github-hosted` or `self-hosted`."),
    Column("build_signer", TEXT, "The workflow that was given the certificate."),
    Column("certificate_not_before", UTC, "From when the certificate holds."),
    Column("certificate_not_after", UTC, "Until when."),
    Column("key_id", TEXT, "SHA-256 of the public key, as hexadecimal digits; without a certificate what the signature calls its key."),
    Column("signed_at", UTC, "When it was signed: as the log or a time stamp says, which holds only where a root verified it."),
    Column("log_index", COUNT, "Its entry in the transparency log."),
    Column("claimed_reference", TEXT, "What cosign was told to sign."),
    Column("predicate_type", TEXT, "Type of the predicate, where a statement is signed."),
    Column("status", TEXT, "`not checked`, `verified`, `bad`, `key needed`, `unsupported`, or `subject differs`: it is of something else than what it is attached to.", nullable=False),
    Column("problem", TEXT, "Why, or what cannot be read of it, or which other repository it was made for."),
), source=_ATTACHED)

LIFECYCLES = Table("lifecycles", "a lifecycle artifact of an image", (*IMAGE_KEY, "digest"), (
    *OF_IMAGE,
    Column("digest", TEXT, "Digest of the artifact's manifest.", nullable=False),
    Column("subject_digest", TEXT, "Digest of what it is attached to: the image, or the index that the image is of.", nullable=False),
    Column("eol_at", UTC, "The end of life of the image, as its annotation says; null where that cannot be read."),
), source="Artifacts of the type `application/vnd.microsoft.artifact.lifecycle`, and their annotation `vnd.microsoft.artifact.lifecycle.end-of-life.date`, which the list of referrers tells; where it does not, the artifact's manifest, on Docker Hub a pull, once. Microsoft marks its images so.")

LIMITS = Table("limits", "a limit that applies to you", ("host", "limit"), (
    Column("host", TEXT, "Who sets it.", nullable=False),
    Column("limit", TEXT, "What it limits: `pull` (manifests of Docker Hub), `hub` (requests to its API).", nullable=False),
    Column("allowed", COUNT, "How many in the window; null where there is no limit, or none is told."),
    Column("remaining", COUNT, "How many are left."),
    Column("window_seconds", COUNT, "How long the window is. [seconds]"),
    Column("resets_at", UTC, "When there will be as many as allowed; null where that is not told: pulls come back one by one."),
), source="Headers of the answers: of a HEAD of a manifest, which is no pull, and of the Hub's API. Null where a host names no limit.")

PLAN = Table("plan", "a kind of request that a call would make", ("kind",), (
    Column("kind", TEXT, "`hub`, `head`, `list`, `referrers`, `manifest`, `config`, `document`, `layer` or `provider`.", nullable=False),
    Column("count", COUNT, "How many.", nullable=False),
    Column("size", COUNT, "Of layers, how much they are to download, as far as it is known; of other kinds null. [bytes]"),
    Column("meaning", TEXT, "What they are.", nullable=False),
), source="Computed of what is in the cache and of the lists of tags; no pull.")

CATALOG = Table("catalog", "a repository of a registry", ("repo",), (REPO,), source="The registry's `_catalog`, which many public ones do not offer.")

# What functions fetch; each function's name is that of its frame, and ends in _df.
_FETCHED = (
    REPOS, SEARCH, TAGS, TAG_HISTORY, TAG_PULLS, IMAGES, LAYERS, FILES, PACKAGES, DISTRIBUTIONS, CONTENTS, HISTORY, LABELS,
    ENV, CONFIGS, REFERRERS, SBOMS, PROVENANCE, MATERIALS, DOCKERFILES, SIGNATURES, LIFECYCLES,
    CATALOG, LIMITS,
)
FETCHED = {table.name: table for table in _FETCHED}
