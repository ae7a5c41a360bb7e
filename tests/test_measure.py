"""What is measured of frames; and the hand-made frames that plots and reports are tested on."""

import hashlib
import random
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import hubframe
from hubframe import measure
from hubframe.tables import TABLES

NAMES = ("repos", "tags", "images", "layers", "history", "labels", "env", "configs")
PLATFORMS = ("linux/amd64", "linux/arm64/v8", "windows/amd64")
NEVER = "0001-01-01T00:00:00Z"


def digest(*parts):
    return "sha256:" + hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def frames(**records):
    """All eight frames; those that are not given are empty."""
    return {name: TABLES[name].from_records(records.get(name, ())) for name in NAMES}


def hub(*, repos=12, tags=25, seed=1):
    """Make a small world: releases on shared bases, some labelled, some without dates."""
    chance = random.Random(seed)
    names = [
        ("library/nginx", "acme/api", "acme/web-frontend", "acme/ingest", "octo/cron")[number]
        if number < 5
        else f"team-{number % 7}/service-{number}"
        for number in range(repos)
    ]
    world = {name: [] for name in NAMES}
    for number, repo in enumerate(names):
        _add_repo(world, repo, number, tags, chance)
    return frames(**world)


def _add_repo(world, repo, number, tags, chance):
    namespace, name = repo.split("/")
    newest = datetime(2026, 11, 15, 9, 30, tzinfo=UTC) - timedelta(days=chance.randrange(200))
    world["repos"].append(
        {
            "repo": repo,
            "namespace": namespace,
            "name": name,
            "description": f"The {name} of {namespace}, built every week.",
            "is_private": number == 3,
            "is_official": namespace == "library",
            "star_count": chance.randrange(20000),
            "pull_count": int(10 ** chance.uniform(1, 9.5)),
            "storage_size": chance.randrange(10**11),
            "pushed_at": newest.isoformat(),
        }
    )
    for age in range(tags):
        pushed = newest - timedelta(
            days=age * 23 + chance.randrange(20), hours=chance.randrange(24)
        )
        _add_tag(world, repo, (number, age, tags), pushed, chance)


def _add_tag(world, repo, place, pushed, chance):
    number, age, tags = place
    version = f"{4 - age // 12}.{12 - age % 12}.0"
    tag = "latest" if age == 0 else f"nightly-{pushed:%Y%m%d}" if age % 9 == 5 else version
    is_signature = age % 11 == 10
    if is_signature:
        tag = digest(repo, age).replace(":", "-") + ".sig"
    base = digest("base", number % 3, age // 6)
    sizes = {"base": 30_000_000 + 1_000_000 * (number % 3), "deps": chance.randrange(5, 90) * 10**6}
    sizes |= {"app": chance.randrange(2, 40) * 10**6, "conf": chance.randrange(300, 9000)}
    built = [base, digest(repo, "deps", age // 4), digest(repo, "app", age), digest(repo, age, "c")]
    manifest = digest(repo, max(age, 1), "manifest")  # the second tag is the same image as latest
    world["tags"].append(
        {
            "repo": repo,
            "tag": tag,
            "digest": digest(repo, age, "index"),
            "status": "active",
            "size": sum(sizes.values()),
            "platform_count": 2,
            "pushed_at": None if age == tags - 1 else pushed.isoformat(),
            "version": version if tag == version else None,
            "is_digest_tag": is_signature,
        }
    )
    for platform in () if is_signature else PLATFORMS[:2]:
        os, architecture, *variant = platform.split("/")
        image = {
            "repo": repo,
            "tag": tag,
            "platform": platform,
            "image_digest": manifest if platform == "linux/amd64" else digest(manifest, platform),
        }
        world["images"].append(
            image
            | {"os": os, "architecture": architecture, "size": sum(sizes.values())}
            | {"variant": "".join(variant) or None, "pushed_at": pushed.isoformat()}
            | {"is_attestation": False}
        )
        if platform == "linux/amd64":
            _add_content(world, image, dict(zip(built, sizes.values(), strict=True)))
            _add_labels(world, image, version, number, age)


def _add_content(world, image, sizes):
    steps = (
        "ADD rootfs.tar.xz /",
        "RUN apt-get install -y ca-certificates",
        "COPY . /app",
        "COPY conf /etc",
    )
    for position, ((layer, size), step) in enumerate(zip(sizes.items(), steps, strict=True)):
        entry = {"layer_digest": layer, "size": size, "instruction": step}
        world["layers"].append(image | entry | {"position": position, "is_empty": False})
        world["history"].append(image | entry | {"step": position, "is_empty_layer": False})
    world["env"].append(image | {"key": "PATH", "value": "/usr/bin:/bin"})
    totals = {"layer_count": len(sizes), "env_count": 1, "size": sum(sizes.values())}
    world["configs"].append(image | totals)


def _add_labels(world, image, version, number, age):
    prefix = "org.opencontainers.image."
    labels = {"maintainer": "acme"}
    if number % 4 != 3:
        labels |= {prefix + "title": image["repo"], prefix + "version": version}
    if number % 3 == 1 and age % 3:
        labels |= {prefix + "source": f"https://git.example.org/{image['repo']}"}
        labels |= {prefix + "licenses": "MIT", prefix + "revision": digest(age)[7:47]}
    world["labels"] += [
        image | {"source": "config", "key": key, "value": value} for key, value in labels.items()
    ]


IMAGE = {"repo": "a/b", "tag": "1", "platform": "linux/amd64", "image_digest": "sha256:1"}
OTHER = {"repo": "a/c", "tag": "2", "platform": "linux/amd64", "image_digest": "sha256:2"}
ALIAS = IMAGE | {"tag": "latest"}


def layer(image, name, position, size=100, *, is_empty=False):
    return image | {
        "layer_digest": name,
        "position": position,
        "size": size,
        "is_empty": is_empty,
        "instruction": f"RUN {name}",
    }


def small():
    """Two images, one of them with two tags; both hold the base."""
    return frames(
        layers=[
            layer(IMAGE, "base", 0, 300),
            layer(IMAGE, "app", 1, 100),
            layer(ALIAS, "base", 0, 300),
            layer(ALIAS, "app", 1, 100),
            layer(OTHER, "base", 0, 300),
            layer(OTHER, "more", 1, 700),
            layer(OTHER, "more", 2, 700),
        ]
    )


def test_an_image_is_its_digest_and_else_its_tag():
    rows = frames(layers=[layer(IMAGE, "x", 0), layer(IMAGE | {"image_digest": None}, "x", 0)])
    assert measure.identity(rows["layers"]).tolist() == ["sha256:1", "a/b:1 linux/amd64"]


def test_tags_of_the_same_image_do_not_share_with_each_other():
    others = measure.shared_with(small()["layers"], "sha256:1")
    assert others["tag"].tolist() == ["2"]
    assert others["shared_size"].tolist() == [300]


def test_largest_lists_an_image_once_and_joins_what_it_shares():
    world = small()
    assert measure.largest(world["images"], world["layers"])["size"].tolist() == [1000, 400]
    images = TABLES["images"].from_records(
        [
            IMAGE | {"size": 400, "is_attestation": False},
            ALIAS | {"size": 400, "is_attestation": False},
            OTHER | {"size": 900, "image_digest": "sha256:3", "is_attestation": False},
            OTHER | {"size": 9999, "image_digest": "sha256:4", "is_attestation": True},
        ]
    )
    listed = measure.largest(images, world["layers"])
    assert listed["size"].tolist() == [900, 400]
    assert listed["shared_share"].isna().tolist() == [True, False]


def test_newest_takes_turns_and_one_image_per_tag():
    def rows(repo, tag, *platforms):
        return [
            layer(
                IMAGE | {"repo": repo, "tag": tag, "platform": p, "image_digest": repo + tag + p},
                p,
                0,
            )
            for p in platforms
        ]

    layers = frames(
        layers=[
            *rows("a/a", "3", "linux/amd64", "linux/arm64"),
            *rows("a/a", "2", "linux/amd64"),
            *rows("a/a", "1", "linux/amd64"),
            *rows("b/b", "9", "windows/amd64"),
        ]
    )["layers"]
    assert measure.leading_tags(layers, 2)[["repo", "tag"]].to_numpy().tolist() == [
        ["a/a", "3"],
        ["b/b", "9"],
    ]
    assert measure.leading_tags(layers, 3)["tag"].tolist() == ["3", "2", "9"]
    assert measure.leading_tags(layers, 99)["tag"].tolist() == ["3", "2", "1", "9"]
    assert measure.leading_tags(layers, 0).empty


def test_newest_stands_rows_with_the_same_index_and_images_without_a_tag():
    world = small()["layers"]
    digests = frames(layers=[layer(IMAGE | {"tag": None}, "base", 0)])["layers"]
    both = pd.concat([world, digests])
    assert len(measure.leading_tags(both, 99)) == len(both)


def label(image, key, value, source="config"):
    return image | {"source": source, "key": measure.coverage.PREFIX + key, "value": value}


def described(*labels, images=()):
    return (
        TABLES["labels"].from_records(labels),
        TABLES["images"].from_records(dict(image, is_attestation=False) for image in images),
    )


def share(coverage, repo, key):
    row = coverage[(coverage["repo"] == repo) & (coverage["key"].str.endswith("." + key))].iloc[0]
    return row["labelled_count"], row["image_count"]


def test_coverage_counts_images_once_and_blank_values_not_at_all():
    labels, _ = described(
        label(IMAGE, "title", "B"),
        label(ALIAS, "title", "B"),
        label(IMAGE, "title", "B", "manifest"),
        label(IMAGE, "vendor", "  "),
    )
    coverage = measure.label_coverage(labels)
    assert share(coverage, "a/b", "title") == (1, 1)
    assert share(coverage, "a/b", "vendor") == (0, 1)
    assert len(coverage) == len(measure.OCI_LABELS)


def test_images_without_labels_count_but_not_those_of_other_platforms():
    bare = IMAGE | {"tag": "0", "image_digest": "sha256:0"}
    arm = IMAGE | {"platform": "linux/arm64/v8", "image_digest": "sha256:a"}
    windows = OTHER | {"platform": "windows/amd64"}
    labels, images = described(label(IMAGE, "title", "B"), images=(IMAGE, arm, bare, windows))
    coverage = measure.label_coverage(labels, images)
    assert share(coverage, "a/b", "title") == (1, 2)
    assert share(coverage, "a/c", "title") == (0, 1)
    keys = measure.key_coverage(hubframe.coverage_df(labels, images)).set_index("key")
    assert keys["image_count"].unique().tolist() == [3]
    assert keys["share"].max() == pytest.approx(1 / 3)


def test_sources_are_addresses_that_a_page_may_link():
    labels, _ = described(
        label(IMAGE, "source", "javascript:alert(1)"),
        label(ALIAS, "source", "https://git.example.org/a"),
        label(OTHER, "source", "https://[broken"),
        label(OTHER, "source", "http://git.example.org/\u202ec"),
    )
    assert measure.source_links(labels).to_numpy().tolist() == [
        ["a/b", "https://git.example.org/a"]
    ]


def test_pushes_leave_out_what_is_no_date_and_tell_kinds_apart():
    tags = frames(
        tags=[
            {
                "repo": "a/b",
                "tag": "1.0",
                "version": "1.0",
                "pushed_at": "2026-01-01T00:00:00Z",
                "is_digest_tag": False,
            },
            {
                "repo": "a/b",
                "tag": "edge",
                "pushed_at": "2026-01-01T00:00:00Z",
                "is_digest_tag": False,
            },
            {
                "repo": "a/b",
                "tag": "s",
                "version": "1",
                "pushed_at": "2026-01-01T00:00:00Z",
                "is_digest_tag": True,
            },
            {"repo": "a/b", "tag": "never", "pushed_at": NEVER, "is_digest_tag": False},
            {"repo": "a/b", "tag": "null", "is_digest_tag": False},
        ]
    )["tags"]
    assert measure.pushes(tags)["kind"].tolist() == ["version", "other", "signature"]


def test_totals_on_a_small_world():
    figures = measure.totals(small()).iloc[0]
    assert figures["repo_count"] == 2
    assert figures["tag_count"] == 3
    assert figures["image_count"] == figures["layered_image_count"] == 2
    assert figures["layer_count"] == 3
    assert figures["size_referenced"] == 400 + 1000
    assert figures["size_stored"] == 300 + 100 + 700
    assert figures["size_shared"] == 600
    assert figures["shared_share"] == pytest.approx(600 / 1400)


def test_completeness_is_known_only_where_all_frames_tell():
    world = small()
    assert measure.is_complete(measure.provenance(world)) is None
    for frame in world.values():
        frame.attrs["hubframe"] = {"complete": True, "failures": [], "skipped": 2}
    assert measure.is_complete(measure.provenance(world)) is True
    failure = {"ref": "a/b", "error": "NotFoundError", "message": "none"}
    for name in ("labels", "env"):
        world[name].attrs["hubframe"] = {"complete": False, "failures": [failure]}
    assert measure.is_complete(measure.provenance(world)) is False
    assert measure.failures(world).to_numpy().tolist() == [
        ["a/b", "NotFoundError", "none", "labels env"]
    ]


def test_overview_has_every_repository():
    world = hub(repos=3, tags=3)
    world["repos"] = world["repos"].head(1)
    overview = measure.overview(world)
    assert overview["tag_count"].tolist() == [3, 3, 3]
    assert overview["pull_count"].isna().tolist() == [False, True, True]
    assert str(overview["pushed_at"].dtype) == "datetime64[us, UTC]"


def test_nothing_is_measured_of_nothing():
    nothing = frames()
    for measured in (
        measure.largest(nothing["images"], nothing["layers"]),
        measure.leading_tags(nothing["layers"], 5),
        measure.label_coverage(nothing["labels"], nothing["images"]),
        measure.source_links(nothing["labels"]),
        measure.pushes(nothing["tags"]),
        measure.platform_counts(nothing["images"]),
        measure.failures(nothing),
        measure.overview(nothing),
    ):
        assert measured.empty
    assert measure.totals(nothing)["size_stored"].tolist() == [0]


def test_platforms_count_distinct_images():
    assert measure.platform_counts(hub(repos=2, tags=5)["images"]).to_numpy().tolist() == [
        ["linux/amd64", 8],
        ["linux/arm64/v8", 8],
    ]


@pytest.mark.parametrize(
    ("function", "table"),
    [
        (hubframe.standard_labels, "labels"),
        (measure.label_coverage, "labels"),
        (measure.source_links, "labels"),
        (lambda frame: measure.shared_with(frame, "sha256:1"), "layers"),
        (measure.platform_counts, "images"),
        (measure.pushes, "tags"),
        (measure.most_grown, "size_trend"),
    ],
)
def test_a_wrong_frame_is_named_with_what_it_lacks(function, table):
    with pytest.raises(ValueError, match=rf"not the {table} frame: it lacks the columns? \w+"):
        function(pd.DataFrame({"a": [1]}))
    with pytest.raises(TypeError, match=f"a list was given in place of the {table} frame"):
        function([])


def test_what_is_pushed_again_by_custom_stands_apart_from_pins():
    names = ["latest", "1.2", "1.2-alpine", "1.2.3", "20240101", "edge", "17.0.16", "17.0.16_9"]
    names.append("sha256-" + "0" * 64 + ".sig")
    rows = [{"repo": "a/b", "tag": name, "is_digest_tag": "sha256" in name} for name in names]
    kinds = measure.standing(TABLES["tags"].from_records(rows))
    expected = ["latest", "moving", "moving", "pin", "pin", "moving", "moving", "pin", "signature"]
    assert kinds.tolist() == expected
    assert measure.standing(TABLES["tags"].frame()).empty
