"""``acme/legacy``: what old pushes left in the Hub's answers, and old builders in images."""

from dataclasses import replace
from typing import Any

from tools.sample.community import with_plain_arm
from tools.sample.draft import Draft, Era, Images, build_all
from tools.sample.image import (
    AMD64,
    ARM64_PLAIN,
    Image,
    Platform,
    Step,
    cmd,
    copy,
    env,
    expose,
    label,
    maintainer,
    run,
)
from tools.sample.seeded import moment, stamp
from tools.sample.store import SIGNED_SCHEMA_1, Store

CLASSIC = Era(buildkit=False, oci=False, attestation="")
OCI_BY_BUILDKIT = Era(buildkit=True, oci=True, attestation="")
SINCE_2020 = ("status", "last_pulled", "last_pushed")


def draft(store: Store, alpine: Draft) -> Draft:
    """Return the repository."""
    repository = Draft(
        store, "acme/legacy", "old pushes and their oddities.", 731, 1, "2015-06-09",
        repository_type=None, readme=False,
    )  # fmt: skip
    base = alpine.at("3.9.0", moment("2019-06-01"))
    _signed(repository, base)
    _old_payloads(repository, base)
    _sentinels(repository, base)
    _fractions(repository, base)
    _unlisted(repository, base)
    return repository


def _steps(version: str) -> list[Step]:
    return [
        maintainer("Old Sample <old@sample.invalid>"),
        label("Version", version),
        label("description", "an <old> program & its friends"),
        env("LEGACY_HOME", "/opt/legacy"),
        run("apk add --no-cache openjdk8-jre", 31.0),
        copy("legacy.jar /opt/legacy/", 18.4, version),
        expose(8009),
        cmd("java", "-jar", "/opt/legacy/legacy.jar"),
    ]


def _built(base: Images, version: str, day: str) -> dict[Platform, Image]:
    return build_all(base, (AMD64,), _steps(version), moment(day, "legacy"), CLASSIC)


def _signed(repository: Draft, base: Images) -> None:
    images = _built(base, "0.9", "2019-03-12")
    published = repository.store.schema_1(repository.path, "0.9", images[AMD64])
    at = moment("2019-03-12", "legacy")
    repository.push(["0.9"], at, published, images, media_type=SIGNED_SCHEMA_1)


def _old_payloads(repository: Draft, base: Images) -> None:
    """Push tags whose accounts lack what the Hub began to tell later."""
    for version, day in (("1.0", "2019-04-02"), ("1.1", "2019-05-14"), ("1.2", "2019-08-20")):
        images = _built(base, version, day)
        repository.release([version], moment(day, "legacy"), images, CLASSIC)
    for version, missing in (
        ("1.0", ("digest", "media_type", "content_type")), ("1.1", ("digest",)), ("1.2", ()),
    ):  # fmt: skip
        payload = repository.tags[version][1]
        for name in missing:
            del payload[name]
        payload["images"] = [_old_image(image) for image in payload["images"]]
        payload["tag_last_pulled"] = None
    repository.tags["1.0"][1]["full_size"] = 0
    repository.tags["1.0"][1]["images"][0].pop("digest")
    repository.tags["1.1"][1]["tag_last_pushed"] = None


def _old_image(image: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in image.items() if name not in SINCE_2020}


def _sentinels(repository: Draft, base: Images) -> None:
    """Push images whose builders set the clock to a constant."""
    for tag, created in (
        ("zero-time", "0001-01-01T00:00:00Z"),
        ("epoch-time", "1970-01-01T00:00:00Z"),
        ("buildpacks-time", "1980-01-01T00:00:01Z"),
    ):
        image = _built(base, tag, "2020-09-16")[AMD64]
        history = tuple({**record, "created": created} for record in image.history)
        timeless = {AMD64: replace(image, created=created, history=history)}
        repository.release([tag], moment("2020-09-16", tag), timeless, CLASSIC)


def _fractions(repository: Draft, base: Images) -> None:
    """Push tags whose times have 0, 5 and 9 digits after the seconds."""
    for tag, digits in (("2.0", 0), ("2.1", 5), ("2.2", 9)):
        at = moment(f"2021-09-0{digits + 1 if digits < 9 else 9}", "legacy")
        images = build_all(base, (AMD64,), _steps(tag), at, CLASSIC)
        repository.release([tag], at, images, CLASSIC)
        payload = repository.tags[tag][1]
        payload["last_updated"] = payload["tag_last_pushed"] = stamp(at, digits)
        payload["images"][0]["last_pushed"] = stamp(at, digits)


def _unlisted(repository: Draft, base: Images) -> None:
    """Push an index without history in its images, and tags of which the Hub tells too little."""
    at = moment("2022-03-08", "legacy")
    platforms = (AMD64, ARM64_PLAIN)
    images = build_all(with_plain_arm(base), platforms, _steps("3.0"), at, CLASSIC)
    bare = {platform: replace(image, history=()) for platform, image in images.items()}
    repository.release(["no-history"], at, bare, CLASSIC)
    repository.release(["3.0", "latest"], at, images, CLASSIC)
    repository.release(["images-missing"], at, images, OCI_BY_BUILDKIT)
    for tag in ("3.0", "latest"):
        repository.tags[tag][1]["full_size"] = 0
    repository.tags["images-missing"][1]["images"] = []
