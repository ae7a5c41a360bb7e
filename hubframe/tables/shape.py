"""Payloads to frames: one pure function per table, column by column.

A payload that lacks a field gives a null; nothing here touches the network.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, starmap
from operator import attrgetter
from typing import Any, NamedTuple

import pandas as pd

from hubframe.oci import manifests
from hubframe.oci.manifests import (
    CONFIG_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    Content,
    Label,
    LabelSource,
    ManifestContent,
    Step,
    layer_columns,
)
from hubframe.oci.payload import as_json, items, mapping, text
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import DIGEST
from hubframe.oci.tagnames import is_digest_tag, read_all
from hubframe.tables import declarations as tables
from hubframe.tables.schema import BATCH, Table

Payload = Mapping[str, Any]
OFFICIAL = "library"
_OCI = "org.opencontainers.image."
# Where attestations and cosign say what they state, on the layers of their manifests.
_PREDICATES = ("in-toto.io/predicate-type", "predicateType")
# Types that artifacts have because they must have one; registries repeat them as the artifact's.
_DUMMIES = CONFIG_TYPES | {"application/vnd.oci.empty.v1+json"}
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"

# What Microsoft says of its images, as a type and an annotation of artifacts that refer to them.
LIFECYCLE = "application/vnd.microsoft.artifact.lifecycle"
_END_OF_LIFE = "vnd.microsoft.artifact.lifecycle.end-of-life.date"

# What a tag lists of the tags that share its digest.
_MOST_ALIASES = 1000
# How many images are read together: documents take much more room than rows.
_TOGETHER = 64


@dataclass(slots=True, eq=False)
class Image:
    """One platform's image of a tag, with as much as its source tells.

    Several images share one content where their digests are equal.
    """

    repo: str
    tag: str | None
    digest: str | None
    platform: Platform | None = None
    index_digest: str | None = None
    media_type: str | None = None
    size: int | None = None
    status: str | None = None
    pushed_at: str | None = None
    pulled_at: str | None = None
    is_attestation: bool = False
    annotations: tuple[tuple[LabelSource, Payload], ...] = ()
    content: Content | None = None

    @property
    def order(self) -> tuple[bool, str, str, str]:
        """Where the image stands among those of its tag: attestations last, then by platform."""
        version = self.platform.os_version if self.platform else None
        return (self.is_attestation, self.platform_name or "", version or "", self.digest or "")

    @property
    def labels(self) -> list[Label]:
        """What its content says of it, then what its index and its descriptor do."""
        own = self.content.labels if self.content else []
        return [*own, *chain.from_iterable(starmap(manifests.labels, self.annotations))]

    @property
    def attested(self) -> str | None:
        """The digest that it is about, where it is an attestation, and its index tells."""
        said = {label.key: label.value for label in self.labels}.get(manifests.ATTESTED, "")
        return said if DIGEST.fullmatch(said) else None

    @property
    def platform_name(self) -> str | None:
        """The platform as frames show it; null for artifacts, which have none."""
        return self.platform.name if self.platform else None

    def holding(self, content: Content | None) -> "Image":
        """Return the same image, with what was read of it."""
        return replace(self, content=content)


class Tag(NamedTuple):
    """A tag, with as much as its source tells; wrong types are left to the frame."""

    name: str | None
    digest: str | None = None
    media_type: Any = None
    content_type: Any = None
    status: Any = None
    size: Any = None
    platform_count: int | None = None
    pushed_at: Any = None
    pulled_at: Any = None
    payload: Payload | None = None  # the Hub's, where more is wanted than stands here
    is_index: bool | None = None  # where the media type is not told


def repos(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Shape what was told of repositories into `tables.REPOS`, each once."""
    return tables.REPOS.from_records(_distinct(rows, "repo"))


def hub_repo(payload: Payload) -> dict[str, Any]:
    """Read what the Hub tells of a repository."""
    namespace, name = text(payload.get("namespace")), text(payload.get("name"))
    # Of the numbers that stand for a status only 1 is known.
    status = "active" if payload.get("status") == 1 else None
    return {
        **payload,
        "repo": f"{namespace}/{name}" if namespace and name else None,
        "is_official": namespace == OFFICIAL,
        "status": text(payload.get("status_description")) or status,
        "categories": _joined(entry.get("slug") for entry in items(payload.get("categories"))),
        "media_types": _joined(payload.get("media_types")),
        "content_types": _joined(payload.get("content_types")),
        "registered_at": payload.get("date_registered"),
        "pushed_at": payload.get("last_updated"),
        "modified_at": payload.get("last_modified"),
    }


def search(payloads: Iterable[Payload]) -> pd.DataFrame:
    """Shape search hits of the Hub into `tables.SEARCH`, each once."""
    return tables.SEARCH.from_records(_distinct(map(_hit, payloads), "repo"))


def _hit(payload: Payload) -> dict[str, Any]:
    name = text(payload.get("repo_name"))
    return {
        **payload,
        "repo": name if name is None or "/" in name else f"{OFFICIAL}/{name}",
        "description": payload.get("short_description"),
    }


class Listing(NamedTuple):
    """Tags of a repository."""

    repo: str
    tags: Sequence[Tag]  # those that are shown
    whole: Sequence[Tag] | None  # all, which tell the aliases; None where they are not known


def tags(listings: Iterable[Listing | tuple[str, Iterable[Tag | Payload]]]) -> pd.DataFrame:
    """Shape the tags of repositories into `tables.TAGS`.

    In place of a listing may stand a repository with all its tags: what was read of them, or
    payloads as the Hub spells them.
    """
    columns: dict[str, list[Any]] = {name: [] for name in tables.TAGS.dtypes}
    for one in listings:
        if isinstance(one, Listing):
            repo, shown, whole = one
        else:
            repo = one[0]
            shown = whole = [tag if isinstance(tag, Tag) else hub_tag(tag) for tag in one[1]]
        if named := [tag for tag in shown if tag.name]:
            for name, values in _tag_columns(repo, named, whole).items():
                columns[name] += values
    return tables.TAGS.frame(columns)


def _tag_columns(
    repo: str, named: Sequence[Tag], whole: Sequence[Tag] | None
) -> dict[str, Sequence[Any]]:
    columns = dict(zip(Tag._fields, zip(*named, strict=True), strict=True))
    names, digests = columns.pop("name"), columns["digest"]
    del columns["payload"], columns["is_index"]
    # What a name says hangs on the others of the repository, as many of them as are known.
    known = {tag.name: tag.digest for tag in (*(whole or ()), *named) if tag.name}
    read = read_all(known, known)
    found = [read[name] for name in names]
    return {
        **columns,
        "repo": [repo] * len(named),
        "tag": names,
        "aliases": _aliases(names, digests, whole or ()),
        "version": [name.version for name in found],
        "is_prerelease": [name.is_prerelease if name.is_version else None for name in found],
        "is_digest_tag": list(map(is_digest_tag, names)),
    }


_OF_TAG = (
    "name", "digest", "media_type", "content_type", "tag_status", "full_size", "tag_last_pushed",
    "last_updated", "tag_last_pulled", "images",
)  # fmt: skip


def hub_tag(payload: Payload, *, is_brief: bool = False) -> Tag:
    """Read what the Hub tells of a tag; brief without the payload, which is mostly images."""
    name, digest, media_type, content_type, status, size, pushed, updated, pulled, of = map(
        payload.get, _OF_TAG
    )
    images = [
        (platform, image)
        for image in items(of)
        if (platform := Platform.read(image)) is None or not platform.is_unknown
    ]
    # Of Windows there are several versions; others are one, however they are spelled.
    platforms = {platform and (platform.name, platform.os_version) for platform, _ in images}
    return Tag(
        text(name),
        text(digest),
        media_type,
        content_type,
        status,
        size or _size_of(images),
        len(platforms) or None,
        text(pushed) or updated,
        pulled,
        None if is_brief else payload,
    )


def _aliases(
    names: Sequence[str], digests: Sequence[str | None], whole: Sequence[Tag]
) -> list[str | None]:
    """Tell of each tag the others of the whole list with the same digest."""
    same: dict[str, set[str]] = defaultdict(set)
    for tag in whole:
        if tag.digest and tag.name:
            same[tag.digest].add(tag.name)
    # The first of them: all for each of them would fill the memory.
    shown = set(digests)
    first = {of: sorted(all_)[: _MOST_ALIASES + 1] for of, all_ in same.items() if of in shown}
    return [
        " ".join([one for one in first.get(of or "", ()) if one != name][:_MOST_ALIASES]) or None
        for name, of in zip(names, digests, strict=True)
    ]


def _size_of(images: Sequence[tuple[Platform | None, Payload]]) -> Any:
    """The size of linux/amd64, where the Hub's ``full_size`` is 0: that is "not known"."""
    usual = [image for platform, image in images if str(platform) == "linux/amd64"]
    chosen = usual or [image for _, image in images]
    return chosen[0].get("size") if usual or len(chosen) == 1 else None


def hub_images(repo: str, payload: Payload) -> list[Image]:
    """List the images that a tag of the Hub says it has, in a stable order, each once.

    A chart or another artifact has none, but is one manifest, and so one row. An index without
    images tells nothing: the Hub has lost them before.
    """
    entries = items(payload.get("images"))
    digest, media_type = text(payload.get("digest")), text(payload.get("media_type"))
    is_manifest = media_type in MANIFEST_TYPES
    if not entries and is_manifest and payload.get("digest"):
        values = {
            name: payload.get(f"tag_{name}") for name in ("status", "last_pushed", "last_pulled")
        }
        entries = [{**values, "digest": digest, "size": payload.get("full_size") or None}]
    # Where its media type does not tell, an index is what no image has the digest of.
    is_index = media_type in INDEX_TYPES or (
        digest and all(entry.get("digest") != digest for entry in entries)
    )
    images = (
        Image(
            repo,
            text(payload.get("name")),
            text(entry.get("digest")),
            platform,
            index_digest=digest if is_index else None,
            media_type=media_type if is_manifest and not is_index else None,
            size=entry.get("size"),
            status=text(entry.get("status")),
            pushed_at=text(entry.get("last_pushed")),
            pulled_at=text(entry.get("last_pulled")),
            is_attestation=platform is not None and platform.is_unknown,
        )
        for entry in entries
        for platform in [Platform.read(entry)]
    )
    distinct = {(image.digest, image.order): image for image in images}
    return sorted(distinct.values(), key=attrgetter("order"))


def images(found: Iterable[Image]) -> pd.DataFrame:
    """Shape images into `tables.IMAGES`."""
    return tables.IMAGES.from_records(map(_image, found))


# The columns that all tables of images begin with.
_NAMES = {
    "repo": attrgetter("repo"),
    "tag": attrgetter("tag"),
    "platform": attrgetter("platform_name"),
    "image_digest": attrgetter("digest"),
}
# Those that an image's platform, and the image itself, have under the same name.
_OF_PLATFORM = ("os", "architecture", "variant", "os_version")
_OWN = (
    "index_digest", "media_type", "size", "status", "pushed_at", "pulled_at", "is_attestation",
)  # fmt: skip


def _image(image: Image) -> dict[str, Any]:
    row = {name: read(image) for name, read in _NAMES.items()}
    row |= {name: getattr(image.platform, name, None) for name in _OF_PLATFORM}
    row |= {name: getattr(image, name) for name in _OWN}
    if isinstance(content := image.content, ManifestContent):
        row |= {"size": content.size, "layer_count": len(content.descriptors)}
        row["created_at"] = content.created_at
    return row


# How many rows each image has, and the columns of all of them.
_Rows = tuple[Sequence[int], Mapping[str, Sequence[Any]]]


def layers(found: Iterable[Image]) -> pd.DataFrame:
    """Shape the layers of images into `tables.LAYERS`, base first."""
    nothing = ManifestContent({}, {})
    return _long(
        tables.LAYERS,
        found,
        lambda images: layer_columns([image.content or nothing for image in images]),
        counter="position",
    )


def history(found: Iterable[Image]) -> pd.DataFrame:
    """Shape the build steps of images into `tables.HISTORY`, first step first."""
    steps = _each(lambda image: image.content.steps if image.content else (), Step._fields)
    return _long(tables.HISTORY, found, steps, counter="step")


def labels(found: Iterable[Image]) -> pd.DataFrame:
    """Shape the labels and annotations of images into `tables.LABELS`."""
    return _long(tables.LABELS, found, _each(attrgetter("labels"), Label._fields))


def env(found: Iterable[Image]) -> pd.DataFrame:
    """Shape the environment variables of images into `tables.ENV`, in the image's order."""
    return _long(tables.ENV, found, _each(_env, ("key", "value")))


def _env(image: Image) -> Sequence[tuple[str, str]]:
    return list(image.content.env.items()) if isinstance(image.content, ManifestContent) else ()


def _each(
    rows_of: Callable[[Image], Sequence[tuple[Any, ...]]], names: Sequence[str]
) -> Callable[[Sequence[Image]], _Rows]:
    """Make columns of what each image has rows of."""

    def columns(images: Sequence[Image]) -> _Rows:
        rows = list(map(rows_of, images))
        columns = zip(*chain.from_iterable(rows), strict=True)
        return list(map(len, rows)), dict(zip(names, columns, strict=False))

    return columns


def _long(
    table: Table,
    found: Iterable[Image],
    rows_of: Callable[[Sequence[Image]], _Rows],
    *,
    counter: str | None = None,
) -> pd.DataFrame:
    """Build a frame with several rows per image, some images at a time."""
    left = iter(found)
    parts: list[pd.DataFrame] = []
    while True:
        counts: list[int] = []
        columns: dict[str, list[Any]] = defaultdict(list)
        while sum(counts) < BATCH and (images := list(islice(left, _TOGETHER))):
            more, told = rows_of(images)
            counts += more
            for name, read in _NAMES.items():
                columns[name] += map(read, images)
            for name, values in told.items():
                columns[name] += values
        if not counts:
            return table.joined(parts)
        parts.append(table.frame(columns, common=_NAMES, counts=counts, counter=counter))


def configs(found: Iterable[Image]) -> pd.DataFrame:
    """Shape the configurations of images into `tables.CONFIGS`."""
    return tables.CONFIGS.from_records(
        _config(image, image.content)
        for image in found
        if isinstance(image.content, ManifestContent)
    )


def _config(image: Image, content: ManifestContent) -> dict[str, Any]:
    config, runtime = content.config, content.runtime
    platform = Platform.read(config)
    return {
        **{name: read(image) for name, read in _NAMES.items()},
        "config_digest": mapping(content.manifest.get("config")).get("digest"),
        "created_at": content.created_at,
        "author": config.get("author"),
        "docker_version": config.get("docker_version"),
        "os": platform and text(config.get("os")) and platform.os,
        "architecture": platform and text(config.get("architecture")) and platform.architecture,
        "variant": config.get("variant"),
        "os_version": config.get("os.version"),
        "user": runtime.get("User"),
        "working_dir": runtime.get("WorkingDir"),
        "entrypoint": as_json(runtime.get("Entrypoint")),
        "cmd": as_json(runtime.get("Cmd")),
        "shell": as_json(runtime.get("Shell")),
        "stop_signal": runtime.get("StopSignal"),
        "exposed_ports": _joined(mapping(runtime.get("ExposedPorts"))),
        "volumes": _joined(mapping(runtime.get("Volumes"))),
        "healthcheck": as_json(runtime.get("Healthcheck")),
        "layer_count": len(content.descriptors),
        "label_count": len(mapping(runtime.get("Labels"))),
        "env_count": len(content.env),
        "size": content.size,
    }


@dataclass(frozen=True, slots=True)
class Referrer:
    """An artifact that refers to an image: its descriptor, and its manifest where that was read."""

    repo: str
    tag: str | None
    image: str  # the digest of the image or index that it is about in the end
    descriptor: Payload
    manifest: Payload
    depth: int = 1  # how many steps that is away
    subject: str | None = None  # the digest that it refers to itself; None for the image's
    # Where it was found: in the index, by the API (referrers), by the tag that stands in for that
    # (referrers tag), or by a tag of cosign's (.sig, .att, .sbom).
    where: str = "referrers"

    @property
    def needs_reading(self) -> bool:
        """Whether its descriptor does not say what it is."""
        is_bundle = "sigstore.bundle" in (self.artifact_type or "")
        return not self.artifact_type or (is_bundle and not self._bundled)

    @property
    def layers(self) -> list[Payload]:
        """The layers of its manifest: what it states."""
        # The former artifact manifests of the OCI call them blobs.
        return items(self.manifest.get("layers") or self.manifest.get("blobs"))

    @property
    def artifact_type(self) -> str | None:
        """Its own type, else its config's, else its first layer's; dummies say nothing."""
        config = mapping(self.manifest.get("config")).get("mediaType")
        types = (
            self.descriptor.get("artifactType"),
            self.manifest.get("artifactType"),
            config,
            *(layer.get("mediaType") for layer in self.layers),
            _BUNDLE if self._bundled else None,
        )
        proper = (found for found in map(text, types) if found and found not in _DUMMIES)
        return next(proper, text(config))

    @property
    def annotations(self) -> Payload:
        """What its manifest and its descriptor say of it."""
        return {
            **mapping(self.manifest.get("annotations")),
            **mapping(self.descriptor.get("annotations")),
        }

    @property
    def end_of_life(self) -> str | None:
        """The date on which the life of its subject ends, as it is written."""
        return text(self.annotations.get(_END_OF_LIFE))

    @property
    def title(self) -> str | None:
        """What a bundle states, else its title, else the types of its predicates."""
        predicates = {
            text(mapping(layer.get("annotations")).get(key))
            for layer in self.layers
            for key in _PREDICATES
        }
        return self._bundled or text(self.annotations.get(f"{_OCI}title")) or _joined(predicates)

    @property
    def _bundled(self) -> str | None:
        """The type of a bundle's predicate: all else of bundles is alike."""
        return text(self.annotations.get("dev.sigstore.bundle.predicateType"))


def referrers(found: Iterable[Referrer]) -> pd.DataFrame:
    """Shape artifacts that refer to images into `tables.REFERRERS`; one without digest is none."""
    return tables.REFERRERS.from_records(
        {
            "repo": one.repo,
            "tag": one.tag,
            "image_digest": one.image,
            "digest": one.descriptor.get("digest"),
            "artifact_type": one.artifact_type,
            "media_type": one.descriptor.get("mediaType") or one.manifest.get("mediaType"),
            "size": one.descriptor.get("size"),
            "title": one.title,
            "created_at": one.annotations.get(f"{_OCI}created"),
            "depth": one.depth,
            "subject_digest": one.subject or one.image,
        }
        for one in found
        if text(one.descriptor.get("digest"))
    )


def lifecycles(found: Iterable[tuple[Image, Referrer]]) -> pd.DataFrame:
    """Shape lifecycle artifacts into `tables.LIFECYCLES`; one without digest is none."""
    return tables.LIFECYCLES.from_records(
        {
            **{name: read(image) for name, read in _NAMES.items()},
            "digest": one.descriptor.get("digest"),
            "subject_digest": one.image,
            "eol_at": one.end_of_life,
        }
        for image, one in found
        if text(one.descriptor.get("digest"))
    )


def limits(payloads: Iterable[Payload]) -> pd.DataFrame:
    """Shape limits into `tables.LIMITS`; they come in its own words."""
    return tables.LIMITS.from_records(payloads)


def catalog(found: Iterable[str]) -> pd.DataFrame:
    """Shape repository names into `tables.CATALOG`, each once."""
    return tables.CATALOG.frame({"repo": list(dict.fromkeys(found))})


def _joined(values: Any) -> str | None:
    """Texts sorted and joined by blanks; null where there are none."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return None
    return " ".join(sorted({value for value in values if text(value)})) or None


def _distinct(records: Iterable[Mapping[str, Any]], key: str) -> Iterable[Mapping[str, Any]]:
    """Each record once, since pages shift while they are read; those without a name are none."""
    return {record[key]: record for record in records if record[key]}.values()
