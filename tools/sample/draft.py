"""A repository in the making: pushes in the order of time, and what the Hub tells of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tools.sample.image import Image, Platform, Step
from tools.sample.seeded import NOW, number, stamp, unit
from tools.sample.store import DOCKER_CONFIG, DOCKER_MANIFEST, Published, Store

Payload = dict[str, Any]
Images = Mapping[Platform, Image]

BACK_FILL = "2024-10-16T13:48:34.145251Z"
MONTH = timedelta(days=30)
SYNTHETIC = "Synthetic sample of hubframe, not a real image: "


@dataclass(frozen=True)
class Era:
    """How images were written at a time."""

    buildkit: bool
    oci: bool
    attestation: str

    @classmethod
    def official(cls, at: datetime) -> "Era":
        """Return the era of official images, which moved to BuildKit late."""
        return cls(at.year >= 2024, at.year >= 2024, _attestation(at, 2025))

    @classmethod
    def community(cls, at: datetime) -> "Era":
        """Return the era of everybody else."""
        return cls(at.year >= 2021, at.year >= 2023, _attestation(at, 2025))


def _attestation(at: datetime, since: int) -> str:
    if at.year < since:
        return ""
    return "artifact" if at >= datetime(2026, 4, 1, tzinfo=NOW.tzinfo) else "image"


@dataclass
class Draft:
    """A repository under construction; a tag that is pushed again moves."""

    store: Store
    path: str
    description: str = ""
    pull_count: int = 0
    star_count: int = 0
    registered: str = "2019-01-07"
    host: str = "docker.io"
    readers: tuple[str, ...] = ()
    categories: tuple[tuple[str, str], ...] = ()
    repository_type: str | None = "image"
    readme: bool = True
    tags: dict[str, tuple[str, Payload]] = field(default_factory=dict)
    untagged: list[str] = field(default_factory=list)
    _builds: dict[str, list[tuple[datetime, Images]]] = field(default_factory=dict)
    _last_push: datetime | None = None

    @property
    def is_private(self) -> bool:
        """Whether only its readers see it."""
        return bool(self.readers)

    def at(self, tag: str, moment: datetime) -> Images:
        """Return what a tag named at a moment."""
        return [images for at, images in self._builds[tag] if at <= moment][-1]

    def release(
        self, tags: Iterable[str], at: datetime, images: Images, era: Era, **annotations: str
    ) -> Published:
        """Publish images as an index, or alone where there is only one, and push the tags."""
        named = {f"org.opencontainers.image.{name}": text for name, text in annotations.items()}
        # Docker's own formats have no annotations.
        published = self.store.publish(
            list(images.values()),
            oci=era.oci,
            attestation=era.attestation,
            annotations=named if era.oci else {},
        )
        self.push(tags, at, published, images)
        return published

    def push(
        self,
        tags: Iterable[str],
        at: datetime,
        published: Published,
        images: Images | None = None,
        **changes: Any,
    ) -> None:
        """Point tags to what was published; ``changes`` go into the Hub's account of them."""
        for offset, tag in enumerate(tags):
            pushed = at + timedelta(seconds=11 * offset)
            payload = self._tag_payload(tag, pushed, published) if self._is_on_hub else {}
            self.tags[tag] = (published.digest, {**payload, **changes})
            self._builds.setdefault(tag, []).append((at, images or {}))
        self._last_push = max(at, self._last_push or at)

    @property
    def _is_on_hub(self) -> bool:
        return self.host == "docker.io"

    def _tag_payload(self, tag: str, pushed: datetime, published: Published) -> Payload:
        owner = self.path.partition("/")[0]
        pulled = self._pulled(tag, pushed)
        is_active = NOW - max(pulled, pushed) < MONTH
        images = [self._image_payload(tag, pushed, *below) for below in published.images]
        amd64 = [image for image in images if image["architecture"] == "amd64"] or images
        return {
            "creator": number("account", owner) % 10_000_000,
            "id": number("tag", self.path, tag) % 1_000_000_000,
            "images": images,
            "last_updated": stamp(pushed, 6),
            "last_updater": number("account", owner) % 10_000_000,
            "last_updater_username": f"{owner}-bot",
            "name": tag,
            "repository": number("repository", self.path) % 30_000_000,
            "full_size": amd64[0]["size"] if amd64 else 0,
            "v2": True,
            "tag_status": "active" if is_active else "inactive",
            "tag_last_pulled": stamp(pulled, 9),
            "tag_last_pushed": stamp(pushed, 6),
            "media_type": _told_media_type(published.media_type),
            "content_type": published.content_type,
            "digest": published.digest,
        }

    def _image_payload(
        self, tag: str, pushed: datetime, platform: Platform, digest: str, size: int
    ) -> Payload:
        pulled = self._pulled(tag, pushed, str(platform))
        return {
            "architecture": platform.architecture,
            "features": "",
            "variant": platform.variant,
            "digest": digest,
            "os": platform.os,
            "os_features": "",
            "os_version": platform.os_version,
            "size": size,
            "status": "active" if NOW - max(pulled, pushed) < MONTH else "inactive",
            "last_pulled": stamp(pulled, 9),
            "last_pushed": stamp(pushed, 6),
        }

    def _pulled(self, tag: str, pushed: datetime, platform: str = "") -> datetime:
        """Say when a tag was last pulled: most of them lately, a few not for years."""
        idle = timedelta(days=900 * unit("idle", self.path, tag, platform) ** 5, hours=1)
        return max(pushed + timedelta(minutes=20), NOW - idle)

    def entry(self) -> Payload:
        """Return the repository as the data file holds it."""
        return {
            "host": self.host,
            "path": self.path,
            "is_private": self.is_private,
            "readers": list(self.readers),
            "payload": self._payload() if self._is_on_hub else {},
            "tags": [[name, digest, payload] for name, (digest, payload) in self.tags.items()],
            "untagged": self.untagged,
        }

    def _payload(self) -> Payload:
        namespace, _, name = self.path.partition("/")
        pushed = self._last_push and stamp(self._last_push, 6)
        fields: Payload = {
            "name": name,
            "namespace": namespace,
            "repository_type": self.repository_type,
            "status": 1,
            "status_description": "active",
            "description": self.description and SYNTHETIC + self.description,
            "is_private": self.is_private,
            "star_count": self.star_count,
            "pull_count": self.pull_count,
            "last_updated": pushed,
            "last_modified": BACK_FILL if self.registered < "2023" else pushed,
            "date_registered": stamp(_day(self.registered), 6),
            "affiliation": "",
            "media_types": self._told("media_type"),
            "content_types": self._told("content_type"),
            "categories": [{"name": name, "slug": slug} for name, slug in self.categories],
            "storage_size": self._storage_size(),
        }
        if self.readme:
            text = f"# {self.path}\n\n{fields['description']}\n"
            fields["full_description"] = text
        return fields

    def _told(self, name: str) -> list[str]:
        told = {payload[name] for _, payload in self.tags.values() if payload.get(name)}
        return sorted(told)

    def _storage_size(self) -> int:
        sizes = {
            image.get("digest", tag): image["size"]
            for tag, (_, payload) in self.tags.items()
            for image in payload["images"]
        }
        return sum(sizes.values())


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NOW.tzinfo, hour=9, microsecond=145_251)


def _told_media_type(media_type: str) -> str:
    """Return the type that the Hub tells: of a single Docker image, it is its config's."""
    return DOCKER_CONFIG if media_type == DOCKER_MANIFEST else media_type


def build_all(
    base: Images,
    platforms: Sequence[Platform],
    steps: Sequence[Step],
    at: datetime,
    era: Era,
) -> dict[Platform, Image]:
    """Return what the steps make of a base on each platform."""
    return {
        platform: base.get(platform, Image(platform)).build(steps, at, buildkit=era.buildkit)
        for platform in platforms
    }
