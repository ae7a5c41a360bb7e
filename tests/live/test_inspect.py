"""``hubframe.inspect`` and its kin against skopeo, for every image in every format."""

import functools
import json
from typing import Any

import pytest

import hubframe

from . import images, skopeo
from .conftest import LiveRegistry

KEYS = (
    "Name", "Tag", "Digest", "RepoTags", "Created", "DockerVersion", "Labels", "Architecture",
    "Os", "Layers", "LayersData", "Env",
)  # fmt: skip


def overrides(platform: str) -> dict[str, str]:
    """Turn a platform into the keywords of ``skopeo.inspect``."""
    parts = zip(("os", "architecture", "variant"), platform.split("/"), strict=False)
    return dict(parts)


def expected(reference: str, platform: str) -> dict[str, Any]:
    """Return what skopeo prints, with the ``LayersData`` that skopeo has had since 1.10."""
    printed: dict[str, Any] = skopeo.inspect(reference, **overrides(platform))
    if "LayersData" not in printed:
        repository = reference.rpartition("@")[0] or reference.rpartition(":")[0]
        manifest = chosen_manifest(reference, repository, platform)
        printed["LayersData"] = layers_data(manifest)
    return {key: printed[key] for key in KEYS if key in printed}


@functools.cache
def raw_child(reference: str) -> dict[str, Any]:
    """Parse a manifest; tags with the same children ask skopeo once."""
    child: dict[str, Any] = json.loads(skopeo.inspect(reference, raw=True))
    return child


def chosen_manifest(reference: str, repository: str, platform: str) -> dict[str, Any]:
    """Return the manifest that skopeo chose: the one that holds the config it reads."""
    top = json.loads(skopeo.inspect(reference, raw=True))
    if "manifests" not in top:
        return top
    wanted = skopeo.inspect(reference, raw=True, config=True, **overrides(platform))
    for entry in top["manifests"]:
        child = raw_child(f"{repository}@{entry['digest']}")
        if child["config"]["digest"] == images.digest_of(wanted):
            return child
    raise AssertionError(f"no child of {reference} holds the config that skopeo read")


def layers_data(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Write the layers of a manifest as skopeo 1.10 and later print them."""
    if manifest["schemaVersion"] == 1:
        blobs = [layer["blobSum"] for layer in reversed(manifest["fsLayers"])]
        return [{"MIMEType": "", "Digest": blob, "Size": -1, "Annotations": None} for blob in blobs]
    return [
        {
            "MIMEType": layer["mediaType"],
            "Digest": layer["digest"],
            "Size": layer["size"],
            "Annotations": layer.get("annotations"),
        }
        for layer in manifest["layers"]
    ]


def test_inspect_by_tag_equals_skopeo(live_registry: LiveRegistry, client: Any) -> None:
    for image in live_registry.images:
        for platform in image.platforms:
            seen = hubframe.inspect(image.reference, platform=platform, client=client)
            assert seen == expected(image.reference, platform), f"{image} {platform}"


def test_inspect_by_digest_equals_skopeo(live_registry: LiveRegistry, client: Any) -> None:
    for image in live_registry.images:
        for platform in image.platforms:
            seen = hubframe.inspect(image.by_digest, platform=platform, client=client)
            assert seen == expected(image.by_digest, platform), f"{image.by_digest} {platform}"


def test_inspect_by_tag_and_digest_takes_the_digest(
    live_registry: LiveRegistry, client: Any
) -> None:
    old, new = live_registry.find("team/app:1.4.1"), live_registry.find("team/app:1.4.2")
    seen = hubframe.inspect(f"{old.reference}@{new.digest}", client=client)
    assert seen == expected(new.by_digest, images.AMD64)


def test_keys_come_in_skopeos_order(live_registry: LiveRegistry, client: Any) -> None:
    for image in live_registry.images:
        seen = hubframe.inspect(image.reference, platform=image.platforms[0], client=client)
        assert list(seen) == [key for key in KEYS if key != "Tag" or image.format == "schema1"]


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("team/app:1.4.2", "linux/arm64"),
        ("team/app:1.4.2", "linux/arm"),
        ("team/app:1.4.2", "linux/arm/v8"),
        ("tool:1.0", "linux/arm64"),
        ("tool:1.0", "linux/arm64/v8"),
        ("odd/windows:ltsc", "windows/amd64"),
    ],
)
def test_a_platform_finds_the_child_that_skopeo_finds(
    live_registry: LiveRegistry, client: Any, name: str, platform: str
) -> None:
    reference = live_registry.find(name).reference
    seen = hubframe.inspect(reference, platform=platform, client=client)
    assert seen == expected(reference, platform)


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("team/app:1.4.2", "linux/s390x"),
        ("team/app:1.4.2", "linux/arm/v6"),
        ("team/app:1.4.2", "windows/amd64"),
        ("tool:1.0", "linux/arm/v7"),
        ("odd/windows:ltsc", "linux/amd64"),
    ],
)
def test_a_platform_that_skopeo_does_not_find_is_an_error(
    live_registry: LiveRegistry, client: Any, name: str, platform: str
) -> None:
    reference = live_registry.find(name).reference
    with pytest.raises(skopeo.SkopeoError, match="no image found"):
        skopeo.inspect(reference, **overrides(platform))
    with pytest.raises(hubframe.NoSuchPlatformError, match=platform):
        hubframe.inspect(reference, platform=platform, client=client)


def test_the_default_platform_is_amd64_on_every_machine(
    live_registry: LiveRegistry, client: Any
) -> None:
    reference = live_registry.find("team/app:1.4.2").reference
    assert hubframe.inspect(reference, client=client) == expected(reference, images.AMD64)


def test_a_single_image_is_shown_whatever_its_platform(
    live_registry: LiveRegistry, client: Any
) -> None:
    reference = live_registry.find("base:3.20-arm64").reference
    seen = hubframe.inspect(reference, client=client)
    assert seen["Architecture"] == "arm64"
    assert seen == expected(reference, images.AMD64)


def test_no_tag_means_latest(live_registry: LiveRegistry, client: Any) -> None:
    image = live_registry.find("base:latest")
    seen = hubframe.inspect(image.repo, client=client)
    assert seen == expected(image.reference, images.AMD64)


def test_raw_manifest_equals_skopeo_byte_for_byte(live_registry: LiveRegistry, client: Any) -> None:
    for image in live_registry.images:
        if image.format == "schema1":  # which this registry signs anew for each answer
            continue
        for reference in (image.reference, image.by_digest):
            seen = hubframe.raw_manifest(reference, client=client)
            assert isinstance(seen, bytes)
            assert seen == skopeo.inspect(reference, raw=True), reference


def test_manifest_of_a_single_image_is_its_json(live_registry: LiveRegistry, client: Any) -> None:
    for image in live_registry.images:
        if image.kind == "manifest":
            seen = hubframe.manifest(image.reference, client=client)
            printed = json.loads(skopeo.inspect(image.reference, raw=True))
            assert _unsigned(seen) == _unsigned(printed), str(image)


def _unsigned(manifest: dict[str, Any]) -> dict[str, Any]:
    """Leave out the signatures of schema 1, which differ from answer to answer."""
    return {key: part for key, part in manifest.items() if key != "signatures"}


def test_config_equals_what_skopeo_reads(live_registry: LiveRegistry, client: Any) -> None:
    for image in live_registry.images:
        if image.format == "schema1":  # which has no config blob
            continue
        for platform in image.platforms:
            raw = skopeo.inspect(image.reference, raw=True, config=True, **overrides(platform))
            seen = hubframe.config(image.reference, platform=platform, client=client)
            assert seen == json.loads(raw), f"{image} {platform}"


@pytest.mark.parametrize("what", ["inspect", "raw_manifest", "manifest", "config"])
def test_a_missing_repository_is_not_found(
    live_registry: LiveRegistry, client: Any, what: str
) -> None:
    with pytest.raises(hubframe.NotFoundError, match="team/nothing"):
        getattr(hubframe, what)(f"{live_registry.host}/team/nothing:1", client=client)


@pytest.mark.parametrize("what", ["inspect", "raw_manifest", "manifest", "config"])
def test_a_missing_digest_is_not_found(live_registry: LiveRegistry, client: Any, what: str) -> None:
    missing = f"sha256:{'0' * 64}"
    with pytest.raises(hubframe.NotFoundError, match=missing):
        getattr(hubframe, what)(f"{live_registry.host}/team/app@{missing}", client=client)


@pytest.mark.parametrize("what", ["inspect", "raw_manifest"])
@pytest.mark.parametrize(("asked", "close"), [("lates", "latest"), ("1.4.3", "1.4.2")])
def test_a_missing_tag_names_close_ones(
    live_registry: LiveRegistry, client: Any, what: str, asked: str, close: str
) -> None:
    with pytest.raises(hubframe.NotFoundError) as caught:
        getattr(hubframe, what)(f"{live_registry.host}/team/app:{asked}", client=client)
    assert asked in str(caught.value).replace(close, "")
    assert close in str(caught.value)
