"""What the name of a tag says, and the order of tags."""

import random

import pytest

from hubframe.tables import versions

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("tag", "version", "is_prerelease"),
    [
        ("1.25.3", "1.25.3", False),
        ("1.25.3-alpine", "1.25.3", False),
        ("v2.0.0-rc1", "2.0.0", True),
        ("v2.0.0-rc.1", "2.0.0", True),
        ("3.13.0a1", "3.13.0", True),
        ("3.13.0b2-slim", "3.13.0", True),
        ("3.13-rc-alpine", "3.13", True),
        ("8-alpha", "8", True),
        ("8-alpine", "8", False),
        ("8-apache", "8", False),
        ("8-bookworm", "8", False),
        ("2.0-beta", "2.0", True),
        ("2.0-BETA3", "2.0", True),
        ("1.0_preview", "1.0", True),
        ("5.0-M2", "5.0", True),
        ("20240101", "20240101", False),
        ("3.10", "3.10", False),
        ("16-3.4", "16", False),
        ("1.2.3.4.5", "1.2.3.4.5", False),
        ("V1", "1", False),
        ("7.0.1-dev", "7.0.1", True),
        ("7.0.1-devel", "7.0.1", False),
        ("1.2-", "1.2", False),
        ("1+build", "1", False),
    ],
)
def test_versions(tag, version, is_prerelease):
    found = versions.parse(tag)
    assert (found.text, found.is_prerelease) == (version, is_prerelease)


@pytest.mark.parametrize(
    "tag",
    ["latest", "bookworm", "v", "vv1", "alpine-1.2", "1a2b", "5f3c9d1", "1x", "", "rc1", "-1"],
)
def test_tags_without_a_version(tag):
    assert versions.parse(tag) is None


@pytest.mark.parametrize(
    "tag", [f"sha256-{DIGEST}", f"sha256-{DIGEST}.sig", f"sha256-{DIGEST}.att", f"sha512-{DIGEST}"]
)
def test_digests_in_disguise(tag):
    assert versions.is_digest_tag(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "latest",
        f"sha256-{DIGEST[1:]}",
        f"sha256-{DIGEST}0",
        f"sha256-{DIGEST}sig",
        DIGEST,
        f"a-b-{DIGEST}",
    ],
)
def test_other_tags(tag):
    assert not versions.is_digest_tag(tag)


NEWEST_FIRST = [
    "20240101",
    "v3",
    "2.0.1",
    "2.0.0-alpine",
    "2.0",
    "2.0-rc2",
    "2.0-rc1",
    "2.0-rc",
    "2.0-beta3",
    "2.0-alpha1",
    "1.25.10",
    "1.25.9",
    "1.25",
    "1.2",
    "0",
    "bookworm",
    "latest",
]


def test_newest_first():
    chance = random.Random(3)
    for _ in range(200):
        shuffled = chance.sample(NEWEST_FIRST, len(NEWEST_FIRST))
        assert sorted(shuffled, key=versions.newest_first) == NEWEST_FIRST


def test_the_order_is_total_and_does_not_depend_on_the_start():
    chance = random.Random(11)
    letters = "0123456789.-_vabrcmx"
    tags = {"".join(chance.choices(letters, k=chance.randint(1, 9))) for _ in range(3000)}
    tags |= {"9" * 100 + ".1", "9" * 100 + ".2", "1.٣", "1-\u017fnapshot"}
    keys = {versions.newest_first(tag) for tag in tags}
    assert len(keys) == len(tags)
    expected = sorted(tags, key=versions.newest_first)
    for _ in range(5):
        assert sorted(chance.sample(expected, len(expected)), key=versions.newest_first) == expected


@pytest.mark.parametrize(
    "tag", ["1." * 50_000, "1" * 100_000 + "x", "v1-" * 30_000, "a" * 100_000 + "-" + DIGEST]
)
def test_long_tags_are_read_at_once(tag):
    versions.parse(tag)
    versions.is_digest_tag(tag)
    assert isinstance(versions.newest_first(tag), tuple)
