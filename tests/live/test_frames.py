"""The frames against what skopeo says of the same images, row by row."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import hubframe

from . import images, proxy, registry, skopeo
from .conftest import LiveRegistry, TokenRegistry
from .images import Image

EMPTY_LAYERS = frozenset({
    "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    "sha256:4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1",
})  # fmt: skip
# A 401 after a token was given may mean either: registries do not tell private from missing.
REFUSED = (hubframe.UnauthorizedError, hubframe.NotFoundError)
IMAGE_FRAMES = ("images_df", "layers_df", "history_df", "labels_df", "env_df", "configs_df")


@dataclass(frozen=True)
class Truth:
    """One platform's image of a tag, as skopeo reads it."""

    image: Image
    platform: str
    digest: str
    manifest: dict[str, Any]
    raw_config: bytes

    @property
    def config(self) -> dict[str, Any]:
        """The config blob, parsed."""
        return json.loads(self.raw_config)

    @property
    def container(self) -> dict[str, Any]:
        """The part of the config that says how to run the image."""
        return self.config.get("config") or {}

    @property
    def where(self) -> tuple[str, str, str, str]:
        """The columns by which frames are joined."""
        return (self.image.repo, self.image.tag, self.platform, self.digest)

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Cut a frame down to this image's rows, in the frame's order."""
        own = pd.Series(True, index=frame.index)
        columns = ("repo", "tag", "platform", "image_digest")
        for column, cell in zip(columns, self.where, strict=True):
            own &= frame[column] == cell
        return frame[own]


@pytest.fixture(scope="session")
def truths(live_registry: LiveRegistry) -> list[Truth]:
    """Every image of every tag but schema 1's, which has no config."""
    modern = [image for image in live_registry.images if image.format != "schema1"]
    return [truth for image in modern for truth in _truths(image)]


def _truths(image: Image) -> Iterator[Truth]:
    top = json.loads(skopeo.inspect(image.reference, raw=True))
    entries = top.get("manifests", [{"digest": image.digest}])
    for entry in entries:
        if entry["digest"] in image.attestations:
            continue
        platform = _platform(entry["platform"]) if "platform" in entry else image.platforms[0]
        child = f"{image.repo}@{entry['digest']}"
        manifest = json.loads(skopeo.inspect(child, raw=True))
        config = skopeo.inspect(child, raw=True, config=True)
        yield Truth(image, platform, entry["digest"], manifest, config)


def _platform(entry: dict[str, str]) -> str:
    """Spell a platform as frames do."""
    written = "/".join(entry[key] for key in ("os", "architecture", "variant") if key in entry)
    return written.replace("arm64/v8", "arm64")


def modern(live_registry: LiveRegistry) -> list[str]:
    """Name the repositories whose images all have a config."""
    return [repo for repo in live_registry.repositories() if "legacy" not in repo]


def timestamp(text: str | None) -> pd.Timestamp | None:
    """Read a time as frames hold it: UTC, microseconds, null at the sentinels."""
    if not text or text.startswith(("0001-", "1970-01-01", "1980-01-01")):
        return None
    return pd.Timestamp(text).tz_convert("UTC").floor("us")


def cell(value: Any) -> Any:
    """Turn a null cell into None, so that cells compare with ``==``."""
    return None if pd.isna(value) else value


def cells(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows of some columns, null as None."""
    return [tuple(cell(value) for value in row) for row in frame[list(columns)].to_numpy(object)]


# -- tags ------------------------------------------------------------------------------------------


def test_tags_are_those_of_skopeo(live_registry: LiveRegistry, client: Any) -> None:
    for repo in live_registry.repositories():
        tags = hubframe.tags_df([repo], client=client)
        assert set(tags["tag"]) == set(skopeo.list_tags(repo)["Tags"])
        assert set(tags["repo"]) == {repo}
        assert tags["tag"].is_unique


def test_tags_have_skopeos_digest_and_the_registrys_media_type(
    live_registry: LiveRegistry, client: Any
) -> None:
    tags = hubframe.tags_df(live_registry.repositories(), client=client)
    rows = cells(tags, "repo", "tag", "digest", "media_type")
    # The images' digests were compared with skopeo's in test_registry.py.
    expected = [(one.repo, one.tag, one.digest, one.media_type) for one in live_registry.images]
    assert sorted(rows) == sorted(expected)
    some = live_registry.find("tool:1.0")
    assert skopeo.inspect(some.reference, os="linux", architecture="amd64")["Digest"] == some.digest


def test_aliases_are_the_other_tags_with_the_same_digest(
    live_registry: LiveRegistry, client: Any
) -> None:
    tags = hubframe.tags_df(live_registry.repositories(), client=client)
    for repo, tag, aliases in cells(tags, "repo", "tag", "aliases"):
        own = next(one for one in live_registry.images if (one.repo, one.tag) == (repo, tag))
        others = sorted(
            one.tag
            for one in live_registry.images
            if one.repo == repo and one.digest == own.digest and one.tag != tag
        )
        assert aliases == (" ".join(others) or None), own.reference


def test_versions_are_read_from_tag_names(live_registry: LiveRegistry, client: Any) -> None:
    tags = hubframe.tags_df([f"{live_registry.host}/team/app"], client=client)
    versions = dict(cells(tags, "tag", "version"))
    assert versions == {"1.4.2": "1.4.2", "1.4.1": "1.4.1", "1.4": "1.4", "latest": None}


def test_a_repository_without_tags_gives_a_typed_frame_without_rows(
    live_registry: LiveRegistry, client: Any
) -> None:
    none = hubframe.tags_df([f"{live_registry.host}/empty/untagged"], client=client)
    some = hubframe.tags_df([f"{live_registry.host}/base"], client=client)
    assert len(none) == 0
    assert len(some) == 3
    assert dict(none.dtypes) == dict(some.dtypes)
    assert list(none.columns) == list(some.columns)


# -- images ----------------------------------------------------------------------------------------


def test_images_are_the_platforms_that_skopeo_sees(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.images_df(modern(live_registry), client=client)
    columns = ("repo", "tag", "platform", "image_digest")
    assert sorted(cells(frame, *columns)) == sorted(truth.where for truth in truths)
    assert not frame["is_attestation"].any()


def test_images_say_the_same_as_manifest_and_config(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.images_df(modern(live_registry), client=client)
    for truth in truths:
        row = truth.rows(frame)
        assert len(row) == 1, truth.where
        config, layers = truth.config, truth.manifest["layers"]
        index = truth.image.digest if truth.image.kind == "index" else None
        # An image pushed without a mediaType of its own has that of its descriptor.
        media_type = images.DOCKER_MANIFEST if _is_docker(truth) else images.OCI_MANIFEST
        assert cells(
            row, "os", "architecture", "variant", "os_version", "index_digest", "media_type",
            "size", "layer_count",
        ) == [(
            config["os"], config["architecture"], config.get("variant"), config.get("os.version"),
            index, media_type, sum(layer["size"] for layer in layers), len(layers),
        )], truth.where  # fmt: skip


def _is_docker(truth: Truth) -> bool:
    return truth.manifest["config"]["mediaType"] == images.DOCKER_CONFIG


def test_attestations_come_when_asked_for(live_registry: LiveRegistry, client: Any) -> None:
    repo = f"{live_registry.host}/team/app"
    without = hubframe.images_df(repo, client=client)
    frame = hubframe.images_df(repo, attestations=True, client=client)
    attached = frame[frame["is_attestation"]]
    expected = [
        (image.tag, "unknown/unknown", digest)
        for image in live_registry.tagged("team/app")
        for digest in image.attestations
    ]
    assert len(expected) == 4
    assert sorted(cells(attached, "tag", "platform", "image_digest")) == sorted(expected)
    assert len(frame) == len(without) + len(expected)


# -- layers and history ----------------------------------------------------------------------------


def test_layers_say_the_same_as_the_manifest(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.layers_df(modern(live_registry), platform="all", client=client)
    for truth in truths:
        seen = cells(
            truth.rows(frame), "position", "layer_digest", "diff_id", "size", "media_type",
            "is_empty",
        )  # fmt: skip
        layers, diff_ids = truth.manifest["layers"], truth.config["rootfs"]["diff_ids"]
        assert seen == [
            (position, layer["digest"], diff_ids[position], layer["size"], layer["mediaType"],
             layer["digest"] in EMPTY_LAYERS)
            for position, layer in enumerate(layers)
        ], truth.where  # fmt: skip
    assert len(frame) == sum(len(truth.manifest["layers"]) for truth in truths)


def test_layers_have_their_steps_where_the_counts_agree(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.layers_df(modern(live_registry), platform="all", client=client)
    joined = 0
    for truth in truths:
        history = truth.config.get("history") or []
        steps = [step for step in history if not step.get("empty_layer")]
        rows = truth.rows(frame)
        if len(steps) != len(rows):
            assert rows["instruction"].isna().all(), truth.where
            assert rows["created_at"].isna().all(), truth.where
            continue
        joined += 1
        assert rows["instruction"].notna().all(), truth.where
        expected = [(timestamp(step["created"]),) for step in steps]
        assert cells(rows, "created_at") == expected
    assert 0 < joined < len(truths)


def test_instructions_read_like_a_dockerfile(live_registry: LiveRegistry, client: Any) -> None:
    reference = f"{live_registry.host}/team/app/worker:2.0"
    layers = hubframe.layers_df(reference, client=client)
    begins = ("ADD file:0123abcd in /", "RUN apk add --no-cache python3", "COPY src /srv/app",
              "COPY worker /srv/worker")  # fmt: skip
    assert len(layers) == len(begins)
    for instruction, begin in zip(layers["instruction"], begins, strict=True):
        assert instruction.startswith(begin)
    history = hubframe.history_df(reference, client=client)
    assert 'CMD ["/bin/sh"]' in list(history["instruction"])
    assert "LABEL com.example.role=worker" in list(history["instruction"])


def test_history_says_the_same_as_the_config(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.history_df(modern(live_registry), platform="all", client=client)
    for truth in truths:
        history = truth.config.get("history") or []
        expected = [
            (number, timestamp(step.get("created")), step.get("created_by"),
             step.get("comment") or None, step.get("author") or None,
             bool(step.get("empty_layer")))
            for number, step in enumerate(history)
        ]  # fmt: skip
        rows = truth.rows(frame)
        seen = cells(rows, "step", "created_at", "created_by", "comment", "author",
                     "is_empty_layer")  # fmt: skip
        assert [(row[0] - rows["step"].min(), *row[1:]) for row in seen] == expected, truth.where
        assert cells(rows, "layer_digest", "size") == _layers_of_steps(truth, history)


def _layers_of_steps(truth: Truth, history: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    filled = [step for step in history if not step.get("empty_layer")]
    if len(filled) != len(truth.manifest["layers"]):
        return [(None, None)] * len(history)
    layers = iter((layer["digest"], layer["size"]) for layer in truth.manifest["layers"])
    return [(None, None) if step.get("empty_layer") else next(layers) for step in history]


# -- labels, environment, configuration ------------------------------------------------------------


def test_labels_of_the_config_are_skopeos(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.labels_df(modern(live_registry), platform="all", client=client)
    own = frame[frame["source"] == "config"]
    for truth in truths:
        labels = truth.container.get("Labels") or {}
        assert cells(truth.rows(own), "key", "value") == sorted(labels.items()), truth.where
    assert len(own) == sum(len(truth.container.get("Labels") or {}) for truth in truths)
    assert (own["value"] == "").any()


def test_annotations_are_labels_with_their_own_source(
    live_registry: LiveRegistry, client: Any
) -> None:
    frame = hubframe.labels_df(f"{live_registry.host}/team/app:1.4.2", client=client)
    level = frame[frame["key"] == "com.example.level"]
    assert sorted(cells(level, "source", "value")) == [
        ("descriptor", "descriptor"), ("index", "index"), ("manifest", "manifest"),
    ]  # fmt: skip


def test_environment_is_skopeos(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.env_df(modern(live_registry), platform="all", client=client)
    for truth in truths:
        # Split at the first "="; of two with one name the last wins, as in a container.
        expected = dict(line.partition("=")[::2] for line in truth.container.get("Env") or [])
        assert dict(cells(truth.rows(frame), "key", "value")) == expected, truth.where
        assert len(truth.rows(frame)) == len(expected)
    values = set(frame["value"])
    assert {"", images.ENVIRONMENT["JAVA_OPTS"], "second"} <= values
    assert "first" not in values


def test_configs_say_the_same_as_the_config_blob(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.configs_df(modern(live_registry), platform="all", client=client)
    assert len(frame) == len(truths)
    for truth in truths:
        row = truth.rows(frame)
        assert len(row) == 1, truth.where
        config, run = truth.config, truth.container
        assert cells(
            row, "config_digest", "created_at", "author", "docker_version", "os", "architecture",
            "variant", "os_version", "user", "working_dir", "stop_signal", "exposed_ports",
            "volumes", "layer_count",
        ) == [(
            images.digest_of(truth.raw_config), timestamp(config.get("created")),
            config.get("author"), config.get("docker_version"), config["os"],
            config["architecture"], config.get("variant"), config.get("os.version"),
            run.get("User") or None, run.get("WorkingDir") or None, run.get("StopSignal"),
            " ".join(sorted(run.get("ExposedPorts") or {})) or None,
            " ".join(sorted(run.get("Volumes") or {})) or None,
            len(truth.manifest["layers"]),
        )], truth.where  # fmt: skip


def test_commands_in_configs_are_json_text(
    live_registry: LiveRegistry, client: Any, truths: list[Truth]
) -> None:
    frame = hubframe.configs_df(modern(live_registry), platform="all", client=client)
    names = {
        "Entrypoint": "entrypoint",
        "Cmd": "cmd",
        "Shell": "shell",
        "Healthcheck": "healthcheck",
    }
    for truth in truths:
        row = truth.rows(frame).iloc[0]
        for key, column in names.items():
            text = cell(row[column])
            seen = None if text is None else json.loads(text)
            assert seen == truth.container.get(key), (truth.where, column)


def test_counts_in_configs(live_registry: LiveRegistry, client: Any, truths: list[Truth]) -> None:
    frame = hubframe.configs_df(modern(live_registry), platform="all", client=client)
    for truth in truths:
        labels, env = truth.container.get("Labels") or {}, truth.container.get("Env") or []
        names = {line.partition("=")[0] for line in env}
        counts = truth.rows(frame)[["label_count", "env_count"]].fillna(0)
        assert cells(counts, "label_count", "env_count") == [(len(labels), len(names))]


# -- schema 1 --------------------------------------------------------------------------------------


def test_schema_1_has_the_layers_that_skopeo_lists(
    live_registry: LiveRegistry, client: Any
) -> None:
    image = live_registry.find("legacy/app:schema1")
    frame = hubframe.layers_df(image.reference, client=client)
    assert list(frame["layer_digest"]) == skopeo.inspect(image.reference)["Layers"]
    assert set(frame["image_digest"]) == {image.digest}
    empty = [digest in EMPTY_LAYERS for digest in frame["layer_digest"]]
    assert list(frame["is_empty"]) == empty
    assert any(empty)


# -- platforms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGE_FRAMES)
def test_all_platforms_when_asked_for(live_registry: LiveRegistry, client: Any, name: str) -> None:
    image = live_registry.find("team/app:1.4.2")
    frame = getattr(hubframe, name)(image.reference, platform="all", client=client)
    assert set(frame["platform"]) == set(image.platforms)


@pytest.mark.parametrize("name", IMAGE_FRAMES[1:])
def test_amd64_unless_told_otherwise(live_registry: LiveRegistry, client: Any, name: str) -> None:
    frame = getattr(hubframe, name)(f"{live_registry.host}/team/app:1.4.2", client=client)
    assert set(frame["platform"]) == {images.AMD64}


@pytest.mark.parametrize("name", IMAGE_FRAMES)
def test_a_list_of_platforms(live_registry: LiveRegistry, client: Any, name: str) -> None:
    wanted = [images.AMD64, images.ARM]
    reference = f"{live_registry.host}/team/app:1.4.2"
    frame = getattr(hubframe, name)(reference, platform=wanted, client=client)
    assert set(frame["platform"]) == set(wanted)


@pytest.mark.parametrize("name", IMAGE_FRAMES)
def test_a_named_tag_that_lacks_the_platform_is_an_error(
    live_registry: LiveRegistry, client: Any, name: str
) -> None:
    reference = f"{live_registry.host}/tool:1.0"
    with pytest.raises(hubframe.NoSuchPlatformError, match=images.ARM):
        getattr(hubframe, name)(reference, platform=images.ARM, client=client)


def test_a_call_for_all_tags_counts_those_that_lack_the_platform(
    live_registry: LiveRegistry, client: Any
) -> None:
    repo = f"{live_registry.host}/team/app"
    frame = hubframe.layers_df(repo, platform=images.ARM, client=client)
    assert set(frame["tag"]) == {"1.4.2", "1.4", "latest"}
    assert frame.attrs["hubframe"]["skipped"] == 1


def test_a_single_image_is_returned_whatever_its_platform(
    live_registry: LiveRegistry, client: Any
) -> None:
    frame = hubframe.configs_df(f"{live_registry.host}/base:3.20-arm64", client=client)
    assert cells(frame, "tag", "platform") == [("3.20-arm64", images.ARM64)]


# -- the argument ``what`` -------------------------------------------------------------------------


def test_references_lists_and_frames_say_the_same(live_registry: LiveRegistry, client: Any) -> None:
    repo = f"{live_registry.host}/team/app"
    by_name = hubframe.labels_df([f"{repo}:1.4.1", f"{repo}:1.4.2"], client=client)
    tags = hubframe.tags_df(repo, client=client)
    chosen = tags[tags["tag"].isin(["1.4.1", "1.4.2"])].sort_values("tag")
    by_frame = hubframe.labels_df(chosen, client=client)
    by_glob = hubframe.labels_df(repo, tags="1.4.*", client=client)
    assert set(by_name["tag"]) == {"1.4.1", "1.4.2"}
    rows = sorted(cells(by_name, *by_name.columns))
    assert sorted(cells(by_frame, *by_name.columns)) == rows
    assert sorted(cells(by_glob, *by_name.columns)) == rows


def test_a_reference_by_digest_is_that_image(live_registry: LiveRegistry, client: Any) -> None:
    image = live_registry.find("tool:1.0-amd64")
    frame = hubframe.layers_df(image.by_digest, client=client)
    assert list(frame["layer_digest"]) == skopeo.inspect(image.by_digest)["Layers"]
    assert set(frame["image_digest"]) == {image.digest}


def test_frames_tell_where_they_came_from(live_registry: LiveRegistry, client: Any) -> None:
    frame = hubframe.labels_df(f"{live_registry.host}/team/app:1.4.2", client=client)
    told = frame.attrs["hubframe"]
    assert told["table"] == "labels"
    assert told["source"] == "registry"
    assert told["complete"] is True
    assert told["failures"] == []
    assert told["requests"] > 0


# -- what is missing -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tags_df", *IMAGE_FRAMES])
def test_a_missing_repository_is_not_found(
    live_registry: LiveRegistry, client: Any, name: str
) -> None:
    with pytest.raises(hubframe.NotFoundError, match="team/nothing"):
        getattr(hubframe, name)(f"{live_registry.host}/team/nothing", client=client)


@pytest.mark.parametrize("name", IMAGE_FRAMES)
def test_a_missing_tag_names_close_ones(
    live_registry: LiveRegistry, client: Any, name: str
) -> None:
    with pytest.raises(hubframe.NotFoundError) as caught:
        getattr(hubframe, name)(f"{live_registry.host}/team/app:lates", client=client)
    assert "team/app" in str(caught.value)
    assert "latest" in str(caught.value)


def test_collected_errors_cost_only_their_own_rows(
    live_registry: LiveRegistry, client: Any
) -> None:
    gone, there = f"{live_registry.host}/team/app:gone", f"{live_registry.host}/team/app:1.4.2"
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.layers_df([gone, there], errors="collect", client=client)
    assert set(frame["tag"]) == {"1.4.2"}
    told = frame.attrs["hubframe"]
    assert told["complete"] is False
    assert [(one["ref"], one["error"]) for one in told["failures"]] == [(gone, "NotFoundError")]


# -- the catalogue ---------------------------------------------------------------------------------


def test_the_catalogue_is_the_registrys(live_registry: LiveRegistry, client: Any) -> None:
    frame = hubframe.catalog_df(live_registry.host, client=client)
    untagged = f"{live_registry.host}/empty/untagged"
    assert sorted(frame["repo"]) == sorted([*live_registry.repositories(), untagged])


@pytest.mark.usefixtures("tools")
def test_a_catalogue_of_many_pages_is_whole(client: Any, tmp_path: Path) -> None:
    paths = [f"many/{number:04}" for number in range(1100)]  # the registry's largest page is 1000
    for path in paths:  # the folder by which this registry knows a repository
        layers = tmp_path / "storage/docker/registry/v2/repositories" / path / "_layers"
        layers.mkdir(parents=True)
    with registry.serve(tmp_path / "registry", storage=tmp_path / "storage") as crowded:
        frame = hubframe.catalog_df(crowded.host, client=client)
        assert sorted(frame["repo"]) == [f"{crowded.host}/{path}" for path in paths]


# -- how often it asks -----------------------------------------------------------------------------


def opened(folder: Path, **more: Any) -> Any:
    """Return a new client on a cache folder."""
    return hubframe.Client(settings=hubframe.Settings(cache_dir=folder, **more))


def test_a_document_is_fetched_once_however_many_tags_point_at_it(
    live_registry: LiveRegistry, client: Any
) -> None:
    with proxy.recording(live_registry.host) as recorded:
        repo = f"{recorded.host}/team/app"
        for name in IMAGE_FRAMES:
            getattr(hubframe, name)(repo, platform="all", client=client)
        hubframe.inspect(f"{repo}:latest", client=client)
        hubframe.raw_manifest(f"{repo}:1.4", client=client)
    counts = recorded.documents()
    needed = _documents(live_registry, "team/app")
    assert needed <= set(counts)
    # What a tag names comes by the tag: one request, where looking up its digest would be another.
    named = Counter(image.digest for image in live_registry.tagged("team/app"))
    assert {digest: count for digest, count in counts.items() if count > named.get(digest, 1)} == {}


def _documents(live_registry: LiveRegistry, repository: str) -> set[str]:
    """Return the digests of the indexes, manifests and configs of a repository's images."""
    found = set()
    for image in live_registry.tagged(repository):
        found.add(image.digest)
        for truth in _truths(image):
            found |= {truth.digest, images.digest_of(truth.raw_config)}
    return found


def test_tags_cost_no_documents(live_registry: LiveRegistry, client: Any) -> None:
    with proxy.recording(live_registry.host) as recorded:
        tags = hubframe.tags_df(f"{recorded.host}/team/app", client=client)
        assert len(tags) == 4
    assert recorded.documents() == {}


def test_layers_are_never_downloaded(live_registry: LiveRegistry, client: Any) -> None:
    with proxy.recording(live_registry.host) as recorded:
        frame = hubframe.layers_df(f"{recorded.host}/tool", platform="all", client=client)
    assert len(frame) > 0
    assert set(recorded.documents()).isdisjoint(frame["layer_digest"])


@pytest.mark.usefixtures("plain_machine")
def test_a_new_client_on_the_same_cache_asks_for_nothing_again(
    live_registry: LiveRegistry, tmp_path: Path
) -> None:
    with proxy.recording(live_registry.host) as recorded:
        repo = f"{recorded.host}/team/app"
        with opened(tmp_path / "cache") as first:
            before = hubframe.configs_df(repo, platform="all", client=first)
        assert recorded.documents()
        recorded.passed.clear()
        with opened(tmp_path / "cache") as second:
            after = hubframe.configs_df(repo, platform="all", client=second)
        assert recorded.passed == []  # tags are kept for ten minutes, documents for ever
    pd.testing.assert_frame_equal(before, after)


@pytest.mark.usefixtures("plain_machine")
def test_documents_outlive_the_registry(live_registry: LiveRegistry, tmp_path: Path) -> None:
    with proxy.recording(live_registry.host) as recorded:
        reference = f"{recorded.host}/team/app:1.4.2"
        with opened(tmp_path / "cache") as online:
            before = hubframe.labels_df(reference, client=online)
    with opened(tmp_path / "cache", offline=True) as offline:
        after = hubframe.labels_df(reference, client=offline)
        with pytest.raises(hubframe.NotCachedError):
            hubframe.labels_df(f"{recorded.host}/team/app:1.4.1", client=offline)
    pd.testing.assert_frame_equal(before, after)


# -- behind a login --------------------------------------------------------------------------------


def login(registry: TokenRegistry, folder: Path, password: str | None = None) -> Any:
    """Return a client that knows the reader, with the right password or another."""
    given = {registry.host: (registry.username, password or registry.password)}
    return hubframe.Client(settings=hubframe.Settings(cache_dir=folder), credentials=given)


def test_anonymous_reads_what_is_public(token_registry: TokenRegistry, client: Any) -> None:
    image = token_registry.find("public/base:3.20")
    tags = hubframe.tags_df(image.repo, client=client)
    assert cells(tags, "tag", "digest") == [("3.20", image.digest)]
    layers = hubframe.layers_df(image.reference, client=client)
    assert list(layers["layer_digest"]) == skopeo.inspect(image.reference)["Layers"]
    asked = token_registry.token_server.requests
    assert asked
    assert not any(request.has_authorization for request in asked)


@pytest.mark.parametrize("name", ["tags_df", *IMAGE_FRAMES])
def test_anonymous_is_refused_what_is_private(
    token_registry: TokenRegistry, client: Any, name: str
) -> None:
    # The token server answers 200 with a token that grants nothing; the registry then says 401.
    repo = f"{token_registry.host}/private/app"
    with pytest.raises(REFUSED, match=f"(?s)(?=.*{token_registry.host})(?=.*private/app)"):
        getattr(hubframe, name)(repo, client=client)


@pytest.mark.usefixtures("plain_machine")
def test_a_login_reads_what_is_private(token_registry: TokenRegistry, tmp_path: Path) -> None:
    reader = (token_registry.username, token_registry.password)
    with login(token_registry, tmp_path / "cache") as client:
        for image in token_registry.images:
            seen = hubframe.inspect(image.reference, client=client)
            printed = skopeo.inspect(
                image.reference, os="linux", architecture="amd64", credentials=reader
            )
            assert {key: seen[key] for key in printed} == printed
        tags = hubframe.tags_df(f"{token_registry.host}/private/app", client=client)
    assert set(tags["tag"]) == {"1.4", "worker"}


@pytest.mark.usefixtures("plain_machine")
def test_a_login_reads_the_catalogue(token_registry: TokenRegistry, tmp_path: Path) -> None:
    with login(token_registry, tmp_path / "cache") as client:
        frame = hubframe.catalog_df(token_registry.host, client=client)
    assert set(frame["repo"]) == {image.repo for image in token_registry.images}


@pytest.mark.parametrize("name", ["tags_df", *IMAGE_FRAMES])
@pytest.mark.usefixtures("plain_machine")
def test_a_wrong_password_is_refused_and_not_repeated(
    token_registry: TokenRegistry, tmp_path: Path, name: str
) -> None:
    wrong = "not-the-password-7f3a"
    with (
        login(token_registry, tmp_path / "cache", wrong) as client,
        pytest.raises(hubframe.UnauthorizedError) as caught,
    ):
        getattr(hubframe, name)(f"{token_registry.host}/private/app", client=client)
    assert token_registry.host in str(caught.value)
    assert wrong not in "".join(_texts(caught.value))
    assert token_registry.token_server.issued == []
    assert len(token_registry.token_server.requests) == 1  # each one more brings a lockout nearer


def _texts(error: BaseException | None) -> Iterator[str]:
    """Yield what a traceback shows of an error and of those behind it."""
    while error is not None:
        yield f"{error} {error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.usefixtures("plain_machine")
def test_a_token_is_fetched_once_per_scope(token_registry: TokenRegistry, tmp_path: Path) -> None:
    repos = [f"{token_registry.host}/{path}" for path in ("private/app", "private/worker")]
    with login(token_registry, tmp_path / "cache") as client:
        for name in ("tags_df", *IMAGE_FRAMES):
            assert len(getattr(hubframe, name)(repos, client=client)) > 0
    scopes = [request.scopes for request in token_registry.token_server.requests]
    pulls = [scope for scope in scopes if scope]
    assert sorted(pulls) == [
        ("repository:private/app:pull",), ("repository:private/worker:pull",),
    ]  # fmt: skip


@pytest.mark.usefixtures("plain_machine")
def test_no_secret_is_written_to_the_cache(token_registry: TokenRegistry, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with login(token_registry, cache) as client:
        for name in ("tags_df", *IMAGE_FRAMES):
            getattr(hubframe, name)(f"{token_registry.host}/private/app", client=client)
        _assert_no_secret_below(cache, token_registry)  # write-ahead logs too
    _assert_no_secret_below(cache, token_registry)


def _assert_no_secret_below(cache: Path, registry: TokenRegistry) -> None:
    login = f"{registry.username}:{registry.password}".encode()
    signatures = [token.rpartition(".")[2] for token in registry.token_server.issued]
    assert signatures
    secrets = [registry.password.encode(), base64.b64encode(login)]
    secrets += [signature.encode() for signature in signatures]
    contents = {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}
    assert contents
    for path, content in contents.items():
        assert not any(secret in content for secret in secrets), path


@pytest.mark.usefixtures("plain_machine")
def test_one_logins_answers_never_serve_another(
    token_registry: TokenRegistry, tmp_path: Path
) -> None:
    repo = f"{token_registry.host}/private/app"
    with login(token_registry, tmp_path / "cache") as reader:
        assert len(hubframe.tags_df(repo, client=reader)) == 2
        assert len(hubframe.layers_df(repo, client=reader)) > 0
    with opened(tmp_path / "cache") as anonymous:
        for name in ("tags_df", *IMAGE_FRAMES):
            with pytest.raises(REFUSED):
                getattr(hubframe, name)(repo, client=anonymous)
