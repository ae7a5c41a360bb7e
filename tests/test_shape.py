"""Payloads to frames: repositories, search hits, tags, images, and their rows."""

import copy
import random

import pandas as pd
import pytest

from hubframe.oci.manifests import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, HubContent, ManifestContent
from hubframe.oci.platforms import Platform
from hubframe.tables import TABLES, shape
from hubframe.tables.shape import Image, hub_images


def repos_of(payloads):
    return shape.repos(map(shape.hub_repo, payloads))


def one(frame):
    """The only row, nulls as None."""
    assert len(frame) == 1
    return {name: None if pd.isna(value) else value for name, value in frame.iloc[0].items()}


def is_declared(frame, table):
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(TABLES[table].dtypes)
    assert not frame.duplicated(list(TABLES[table].key)).any()
    return True


# repositories and search

REPOSITORY = {
    "name": "awx",
    "namespace": "ansible",
    "repository_type": "image",
    "status": 1,
    "status_description": "active",
    "description": "",
    "is_private": False,
    "star_count": 3,
    "pull_count": 12_981_954_060,
    "last_updated": "2024-05-01T00:00:00.1Z",
    "last_modified": "2024-10-16T13:48:34.145251Z",
    "date_registered": "2016-01-01T00:00:00Z",
    "affiliation": "",
    "media_types": ["b", "a", "b"],
    "content_types": ["image"],
    "categories": [{"name": "X", "slug": "zeta"}, {"name": "Y", "slug": "alpha"}, {"name": "Z"}],
    "storage_size": 5,
}


def test_a_repository():
    row = one(repos_of([REPOSITORY]))
    assert row["repo"] == "ansible/awx"
    assert (row["namespace"], row["name"], row["repository_type"]) == ("ansible", "awx", "image")
    assert row["description"] is None
    assert (row["is_private"], row["is_official"], row["status"]) == (False, False, "active")
    assert (row["star_count"], row["pull_count"], row["storage_size"]) == (3, 12_981_954_060, 5)
    assert (row["categories"], row["media_types"], row["content_types"]) == (
        "alpha zeta",
        "a b",
        "image",
    )
    assert row["registered_at"] == pd.Timestamp("2016-01-01", tz="UTC")
    assert row["pushed_at"] == pd.Timestamp("2024-05-01T00:00:00.1", tz="UTC")
    assert row["modified_at"] == pd.Timestamp("2024-10-16T13:48:34.145251", tz="UTC")


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"namespace": "library"}, "is_official", True),
        ({"status_description": None}, "status", "active"),
        ({"status_description": None, "status": 0}, "status", None),
        ({"status_description": "inactive", "status": 0}, "status", "inactive"),
        ({"repository_type": None}, "repository_type", None),
        ({"categories": None}, "categories", None),
        ({"categories": [{}, None, 5]}, "categories", None),
        ({"media_types": 5}, "media_types", None),
        ({"media_types": "a"}, "media_types", None),
        ({"media_types": [None, "", 3, "x"]}, "media_types", "x"),
        ({"last_updated": None}, "pushed_at", None),
        ({"star_count": -1}, "star_count", None),
        ({"is_private": None}, "is_private", None),
    ],
)
def test_odd_repositories(changes, column, value):
    assert one(repos_of([{**REPOSITORY, **changes}]))[column] == value


def test_a_repository_that_comes_twice_is_one_row():
    frame = repos_of([REPOSITORY, {**REPOSITORY, "name": "b"}, {**REPOSITORY, "star_count": 9}])
    assert frame.repo.tolist() == ["ansible/awx", "ansible/b"]
    assert is_declared(frame, "repos")


@pytest.mark.parametrize("changes", [{"name": None}, {"namespace": ""}, {"name": 5}])
def test_a_repository_without_a_name_is_none(changes):
    assert repos_of([{**REPOSITORY, **changes}]).empty


def test_search_hits():
    frame = shape.search(
        [
            {"repo_name": "nginx", "short_description": "Official", "star_count": 5, "pull_count": 2**33,
             "repo_owner": "", "is_automated": False, "is_official": True},
            {"repo_name": "bitnami/nginx", "short_description": None, "is_official": False},
            {"repo_name": "nginx"},
            {"repo_name": ""},
            {},
        ]
    )  # fmt: skip
    assert frame.repo.tolist() == ["library/nginx", "bitnami/nginx"]
    assert pd.isna(frame.description[1])
    assert is_declared(frame, "search")


# tags


def image(platform="linux/amd64", digest="sha256:i", size=10, **more):
    os, architecture, *variant = platform.split("/")
    return {"os": os, "architecture": architecture, "variant": variant[0] if variant else None,
            "digest": digest, "size": size, "status": "active", "last_pushed": None, "last_pulled": None, **more}  # fmt: skip


def tag(name="1.0", **more):
    return {
        "name": name,
        "full_size": 10,
        "tag_status": "active",
        "tag_last_pushed": "2024-05-01T00:00:00Z",
        "tag_last_pulled": None,
        "last_updated": "2020-01-01T00:00:00Z",
        "media_type": OCI_INDEX,
        "content_type": "image",
        "digest": "sha256:t",
        "images": [image()],
        **more,
    }


def tags_of(*payloads):
    return shape.tags([("a/b", payloads)])


def test_a_tag():
    row = one(tags_of(tag("1.25.3-rc1")))
    assert row == {
        "repo": "a/b", "tag": "1.25.3-rc1", "digest": "sha256:t", "media_type": OCI_INDEX,
        "content_type": "image", "status": "active", "size": 10, "platform_count": 1,
        "pushed_at": pd.Timestamp("2024-05-01", tz="UTC"), "pulled_at": None, "aliases": None,
        "version": "1.25.3", "is_prerelease": True, "is_digest_tag": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("full_size", "images", "size"),
    [
        (10, [image(size=99)], 10),
        (10, [], 10),
        # 0 means "not known": old manifest lists have it, though their images have sizes.
        (0, [image("linux/arm64", size=5), image(size=7)], 7),
        (0, [image("linux/arm64", size=5)], 5),
        (0, [image("linux/arm64", size=5), image("linux/arm", size=6)], None),
        (0, [image("unknown/unknown", size=5), image("linux/arm64", size=6)], 6),
        (0, [], None),
        (0, None, None),
        (None, [image(size=7)], 7),
        (None, [], None),
        ("x", [], None),
        (-1, [], None),
        (True, [], None),
    ],
)
def test_the_size_of_a_tag(full_size, images, size):
    assert one(tags_of(tag(full_size=full_size, images=images)))["size"] == size


@pytest.mark.parametrize(
    ("images", "count"),
    [
        ([image(), image("linux/arm64")], 2),
        ([image(), image("unknown/unknown")], 1),
        ([image("unknown/unknown")], None),
        ([], None),
        (None, None),
        ({}, None),
        ([None, 5, image()], 1),
    ],
)
def test_attestations_are_no_platforms(images, count):
    assert one(tags_of(tag(images=images)))["platform_count"] == count


def test_a_tag_that_is_read_beforehand_gives_the_same_row_without_its_images():
    payloads = [tag("1.0"), tag("0.9", full_size=0), {"name": "old"}]
    read = [shape.hub_tag(payload, is_brief=True) for payload in payloads]

    assert [each.payload for each in read] == [None, None, None]
    pd.testing.assert_frame_equal(tags_of(*read), tags_of(*payloads))


def test_aliases_are_the_other_tags_with_the_same_digest():
    frame = tags_of(
        tag("1.10"),
        tag("1"),
        tag("latest"),
        tag("2", digest="sha256:u"),
        tag("old", digest=None),
        tag("older", digest=None),
    )
    assert [None if pd.isna(names) else names for names in frame.aliases] == [
        "1 latest", "1.10 latest", "1 1.10", None, None, None,
    ]  # fmt: skip


def test_aliases_stay_within_their_repository():
    frame = shape.tags([("a/b", [tag("1")]), ("a/c", [tag("2")])])
    assert frame.repo.tolist() == ["a/b", "a/c"]
    assert frame.aliases.isna().all()


def test_tags_of_a_registry():
    row = one(tags_of({"name": "latest", "digest": "sha256:t", "media_type": OCI_MANIFEST}))
    known = {name for name, value in row.items() if value is not None}
    assert known == {"repo", "tag", "digest", "media_type", "is_digest_tag"}


def test_what_a_name_says():
    frame = tags_of(tag("v2.0"), tag("latest"), tag(f"sha256-{'a' * 64}.sig"))
    assert frame.version.tolist()[0] == "2.0"
    assert (
        frame.version.isna().tolist() == frame.is_prerelease.isna().tolist() == [False, True, True]
    )
    assert frame.is_digest_tag.tolist() == [False, False, True]


def test_the_last_change_stands_in_for_a_missing_push():
    row = one(tags_of(tag(tag_last_pushed=None)))
    assert row["pushed_at"] == pd.Timestamp("2020-01-01", tz="UTC")


def test_a_tag_without_a_name_is_none():
    assert tags_of(tag(None), tag(""), tag(5), {}).empty


# images


def test_images_of_an_index_come_in_order_each_once():
    payload = tag(
        images=[
            image("unknown/unknown", "sha256:att"),
            image("linux/arm64/v8", "sha256:arm"),
            image("linux/amd64", "sha256:amd"),
            image("linux/amd64", "sha256:amd"),
            image("windows/amd64", "sha256:w2", os_version="10.0.2"),
            image("windows/amd64", "sha256:w1", os_version="10.0.1"),
        ]
    )
    frame = shape.images(hub_images("a/b", payload))
    assert frame.image_digest.tolist() == [
        f"sha256:{name}" for name in ("amd", "arm", "w1", "w2", "att")
    ]
    assert frame.is_attestation.tolist() == [False] * 4 + [True]
    assert set(frame.index_digest) == {"sha256:t"}
    assert frame.media_type.isna().all()
    assert is_declared(frame, "images")
    chance = random.Random(2)
    for _ in range(20):
        shuffled = {**payload, "images": chance.sample(payload["images"], len(payload["images"]))}
        pd.testing.assert_frame_equal(shape.images(hub_images("a/b", shuffled)), frame)


@pytest.mark.parametrize(
    ("payload", "index_digest", "media_type"),
    [
        (tag(media_type=DOCKER_LIST), "sha256:t", None),
        (tag(media_type=None), "sha256:t", None),
        (tag(media_type=OCI_MANIFEST, digest="sha256:i"), None, OCI_MANIFEST),
        # For single images the Hub gives the config's type.
        (
            tag(media_type="application/vnd.docker.container.image.v1+json", digest="sha256:i"),
            None,
            None,
        ),
        (tag(media_type=None, digest=None), None, None),
    ],
)
def test_a_tag_is_an_index_or_one_image(payload, index_digest, media_type):
    row = one(shape.images(hub_images("a/b", payload)))
    assert (row["index_digest"], row["media_type"]) == (index_digest, media_type)


@pytest.mark.parametrize("images", [None, [], {}, [None]])
def test_a_tag_without_images(images):
    assert hub_images("a/b", tag(images=images)) == []


def manifest(*sizes):
    return {
        "layers": [
            {"digest": f"sha256:{number}", "size": size} for number, size in enumerate(sizes)
        ]
    }


def test_an_image_that_was_read_has_size_and_count_of_its_layers():
    read = ManifestContent(manifest(1, 2, 2), {"created": "0001-01-01T00:00:00Z"})
    row = one(
        shape.images(
            [Image("a/b", "1", "d", Platform.parse("linux/arm/v7"), size=99, content=read)]
        )
    )
    assert (row["size"], row["layer_count"], row["created_at"]) == (5, 3, None)
    assert (row["platform"], row["os"], row["architecture"], row["variant"]) == (
        "linux/arm/v7", "linux", "arm", "v7",
    )  # fmt: skip


def test_an_artifact_has_no_platform():
    row = one(shape.images([Image("a/b", None, "d")]))
    assert {row[name] for name in ("tag", "platform", "os", "architecture", "layer_count")} == {
        None
    }


# rows of images

CONFIG = {
    "config": {
        "User": "",
        "Entrypoint": ["/é", "a b"],
        "Cmd": [],
        "Shell": None,
        "Healthcheck": {"Test": ["NONE"]},
        "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
        "Volumes": None,
        "Labels": {"b": "", "a": "1"},
        "Env": ["B=1", "A=2", "B=3"],
    },
    "history": [
        {"created_by": "x", "created": "1970-01-01T00:00:00Z"},
        {"created_by": "y", "empty_layer": True},
    ],
}


def images_read():
    read = ManifestContent({**manifest(7), "config": {"digest": "sha256:c"}}, CONFIG)
    amd, arm = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
    return [
        Image("a/b", "1", "sha256:x", amd, content=read),
        Image("a/b", "1", "sha256:y", arm),
        Image("a/b", None, "sha256:x", amd, content=read),
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [("images", 3), ("layers", 2), ("history", 4), ("labels", 4), ("env", 4), ("configs", 2)],
)
def test_rows_of_images_are_as_declared(name, rows):
    function = getattr(shape, name)
    frame = function(images_read())
    assert len(frame) == rows
    assert is_declared(frame, name)
    assert is_declared(function([]), name)
    assert is_declared(function(iter(images_read()[1:2])), name)


def test_positions_and_steps_start_anew_in_each_image():
    read = ManifestContent(manifest(1, 2), {})
    found = [Image("a/b", str(number), f"sha256:{number}", content=read) for number in range(2)]
    assert shape.layers(found).position.tolist() == [0, 1, 0, 1]
    steps = HubContent({"layers": [{"instruction": "x"}, {"instruction": "y"}]})
    frame = shape.history([Image("a/b", "1", "d", content=steps)] * 2)
    assert frame.step.tolist() == [0, 1, 0, 1]


def test_columns_of_a_configuration():
    row = one(shape.configs(images_read()[:1]))
    assert row["config_digest"] == "sha256:c"
    assert row["user"] is None
    assert row["entrypoint"] == '["/é", "a b"]'
    assert (row["cmd"], row["shell"], row["healthcheck"]) == ("[]", None, '{"Test": ["NONE"]}')
    assert (row["exposed_ports"], row["volumes"]) == ("443/tcp 80/tcp", None)
    assert (row["layer_count"], row["label_count"], row["env_count"], row["size"]) == (1, 2, 2, 7)


def test_environment_keeps_the_order_of_the_image():
    frame = shape.env(images_read()[:1])
    assert list(zip(frame.key, frame.value, strict=True)) == [("B", "3"), ("A", "2")]


def test_labels_of_every_place_stand_side_by_side():
    annotations = (("index", {"a": "2"}), ("descriptor", {"a": "3"}))
    read = images_read()[0].content
    frame = shape.labels([Image("a/b", "1", "d", annotations=annotations, content=read)])
    assert list(zip(frame.source, frame.key, frame.value, strict=True)) == [
        ("config", "a", "1"), ("config", "b", ""), ("index", "a", "2"), ("descriptor", "a", "3"),
    ]  # fmt: skip


def test_dates_of_steps_at_the_sentinels_are_null():
    assert shape.history(images_read()[:1]).created_at.isna().all()


def test_the_hub_tells_no_environment_and_no_configuration():
    found = [Image("a/b", "1", "d", content=HubContent({"layers": []}))]
    assert shape.env(found).empty
    assert shape.configs(found).empty


def test_a_catalog_names_each_repository_once():
    frame = shape.catalog(iter(["a.io/x", "a.io/y", "a.io/x"]))
    assert frame.repo.tolist() == ["a.io/x", "a.io/y"]
    assert is_declared(shape.catalog([]), "catalog")


# strangers

REPLACEMENTS = [
    None,
    0,
    -1,
    2**70,
    1.5,
    True,
    "",
    "x",
    "\ud800",
    [],
    [None],
    ["x"],
    [[]],
    {},
    {"x": None},
]


def mutants(payload, seed):
    """The payload with any field, also of the objects inside, replaced by anything."""
    for key in payload:
        for value in REPLACEMENTS:
            yield {**payload, key: value}
    chance = random.Random(seed)
    for _ in range(500):
        mutant = copy.deepcopy(payload)
        inner = [entry for value in payload.values() if isinstance(value, list) for entry in value]
        keys = {key for entry in inner if isinstance(entry, dict) for key in entry}
        for value in mutant.values():
            for entry in value if isinstance(value, list) else ():
                if isinstance(entry, dict):
                    entry[chance.choice(sorted(keys))] = chance.choice(REPLACEMENTS)
        mutant[chance.choice(sorted(payload))] = chance.choice(REPLACEMENTS)
        yield mutant


def test_whatever_stands_in_a_payload_the_frame_is_as_declared():
    for payload in (REPOSITORY, {"repo_name": "x", "star_count": 1, "short_description": "y"}):
        for function, table in ((repos_of, "repos"), (shape.search, "search")):
            assert is_declared(function(mutants(payload, seed=1)), table)
    payload = tag(images=[image(), image("linux/arm64/v8", "sha256:j")])
    found = list(mutants(payload, seed=2))
    frame = tags_of(*found)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(TABLES["tags"].dtypes)
    assert frame.tag.notna().all()
    named = [mutant for mutant in found if isinstance(mutant["name"], str)]
    frame = shape.images(entry for mutant in named for entry in hub_images("a/b", mutant))
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(
        TABLES["images"].dtypes
    )
    assert not (frame.image_digest == "").any()
