"""What the name of a tag says, and the one order of tags."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from hubframe.oci.tagnames import (
    Kind,
    is_digest_tag,
    moving,
    newest_first,
    read,
    read_all,
    releases,
    versioned,
)

DIGEST = "0123456789abcdef" * 4
steady = settings(deadline=None, derandomize=True, database=None, max_examples=200)


def order(*tags, pushed=None, digests=None):
    return [name.tag for name in newest_first(read_all(tags, digests).values(), pushed)]


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
        ("3.10", "3.10", False),
        ("16-3.4", "16", False),
        ("1.2.3.4.5", "1.2.3.4.5", False),
        ("V1", "1", False),
        ("7.0.1-dev", "7.0.1", True),
        ("7.0.1-devel", "7.0.1", False),
        ("1.2-", "1.2", False),
        ("1+build", "1", False),
        ("release-1.9.0", "1.9.0", False),
        ("version-v1.10.0", "1.10.0", False),
        ("2025.06.03", "2025.06.03", False),
        # Java 8 counts its updates behind a u, and its builds behind a b.
        ("8u482-b08-jdk", "8.0.482", False),
        ("7u111", "7.0.111", False),
        # The words that projects have for what is not released yet.
        ("28-ea-12-jdk", "28", True),
        ("3.0.0.CR2", "3.0.0", True),
        ("14.0-95.2.beta", "14.0", True),
        ("18.0.0-ce-rc1", "18.0.0", True),
        ("13.0.1-ubi10-rc", "13.0.1", True),
        ("1.4-ea.1", "1.4", True),
        ("5.0.0-next.3", "5.0.0", True),
        ("2.0.0-unstable", "2.0.0", True),
        ("1.9-develop", "1.9", True),
        ("1.9-test", "1.9", True),
        ("1.9-insiders", "1.9", True),
        ("1.0.0-experimental.1", "1.0.0", True),
        ("1.2.0-SNAPSHOT", "1.2.0", True),
        ("1.3.1-python3.12-alpine", "1.3.1", False),
        ("1.3.1-python3.15-rc-alpine", "1.3.1", False),
    ],
)
def test_versions(tag, version, is_prerelease):
    found = read(tag)
    assert (found.version, found.is_prerelease) == (version, is_prerelease)


@pytest.mark.parametrize(
    "tag",
    [
        "latest",
        "bookworm",
        "v",
        "vv1",
        "alpine-1.2",
        "1a2b",
        "5f3c9d1",
        "1x",
        "",
        "rc1",
        "-1",
        "20240101",
        "2024-01-01",
        "2025-06-03T10-11-12Z",
        "20190331160914",
        "7654321",
        "12a3456",
        "0f3a21c",
        "jdk-17.0.10",
        "9" * 129,
    ],
)
def test_tags_without_a_version(tag):
    assert read(tag).version is None


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("12a3456", Kind.COMMIT),
        ("0f3a21c", Kind.COMMIT),
        ("sha-0f3a21c", Kind.COMMIT),
        ("main-12a3456", Kind.COMMIT),
        ("deadbeef", Kind.NAME),
        ("7654321", Kind.NUMBER),
        ("20240813", Kind.DATE),
        ("RELEASE.2021-01-05T05-22-38Z", Kind.DATE),
        ("bookworm-20240110-slim", Kind.DATE),
        ("10-kitten-20260602", Kind.VERSION),
        ("8.9.20231119", Kind.VERSION),
        ("pg16.1-ts2.13.0", Kind.NAMED_VERSION),
        ("controller-v0.34", Kind.NAMED_VERSION),
        ("log4j-2.17", Kind.NAMED_VERSION),
        ("ltsc2025", Kind.NAMED_VERSION),
        ("nanoserver-ltsc2025", Kind.NAME),
        ("1.0-12a3456", Kind.VERSION),
        (f"sha256-{DIGEST}.sig", Kind.DIGEST),
    ],
)
def test_kinds(tag, kind):
    assert read(tag).kind is kind


@pytest.mark.parametrize(
    ("tag", "parts"),
    [
        ("1.2.3-debian-12-r9", ("", (1, 2, 3), "", (9,), "", "debian-12")),
        ("v2.8.1-9-gfafafaf", ("v", (2, 8, 1), "", (9,), "gfafafaf", "")),
        ("jdk-17.0.10_7-slim", ("jdk-", (17, 0, 10), "", (7,), "", "slim")),
        ("28-ea-12-jdk", ("", (28,), "ea", (), "", "jdk")),
        ("26.0.2-ubuntu-24.04", ("", (26, 0, 2), "", (), "", "ubuntu-24.04")),
        ("2024-01-31-slim", ("", (20240131000000,), "", (), "", "slim")),
    ],
)
def test_parts(tag, parts):
    name = read(tag)
    found = (name.prefix, name.numbers, name.stage, name.build, name.commit, name.variant)
    assert found == parts


@pytest.mark.parametrize(
    "tags",
    [
        # What follows the numbers, compared as numbers.
        ["1.2.3-debian-12-r10", "1.2.3-debian-12-r9", "1.2.3-debian-12-r2"],
        ["1.2.3-debian-12-r0", "1.2.3-debian-11-r99"],
        ["4.0.16.2944-ls300", "4.0.16.2944-ls298", "4.0.9.2244-ls257"],
        ["v1.30.5-k3s10", "v1.30.5-k3s2"],
        ["17.0.16_10", "17.0.16_9", "17.0.16"],
        ["1.2.3-10", "1.2.3-9", "1.2.3"],
        ["v2.8.1-11-g0badcafe", "v2.8.1-9-gfafafaf", "v2.8.1"],
        ["3.15.0-202510071201", "3.15.0-202509170943"],
        ["1.2.3+build.10", "1.2.3+build.9"],
        # Versions that do not stand in front.
        ["RELEASE.2024-02-17T01-15-57Z", "RELEASE.2023-05-04T21-44-30Z"],
        ["release-1.27.10", "release-1.9.0"],
        ["pg16.1-ts2.13.0", "pg15.4-ts2.12.0", "pg9.6-ts1.7.5"],
        ["jdk-17.0.10", "jdk-17.0.9", "jdk-11.0.2"],
        ["controller-v0.41", "controller-v0.34"],
        ["bookworm-20240211-slim", "bookworm-20240110-slim"],
        # A variant for the language R is no later build.
        ["4.1.2", "4.1.2-r", "4.1.2-scala", "4.1.1-r5", "4.1.1"],
        # Dates are below versions, and in order among themselves.
        ["v5", "20190331160914"],
        ["3.24.1", "20260805"],
        ["2025-08-05", "2025.06.03", "2025-06-02"],
        ["20250603T101112Z", "20250603T091112Z", "20250603"],
        # What counts something else is no version where others have dots.
        ["1.5.0", "7654321"],
        ["1.5.0", "1.4.0", "1234"],
        ["1.5.0", "42"],
        ["10", "9", "8.10"],
        ["8u482-jdk", "8u92-jdk", "7u111-jdk"],
        # Pre-releases come before their release, and after what is older.
        ["2.0", "2.0-rc2", "2.0-rc1", "2.0-beta3", "2.0-alpha1", "2.0-dev", "1.9"],
        ["28-ea-12", "28-ea-9", "27.0.1"],
        ["2.0.0", "2.0", "2.0.0-alpine", "2.0-alpine", "1.25.10", "1.25.9", "1.25", "1.2", "0"],
    ],
)
def test_the_newest_come_first(tags):
    chance = random.Random(3)
    for _ in range(20):
        assert order(*chance.sample(tags, len(tags))) == tags


def test_a_later_push_of_the_same_version_is_newer():
    tags = ["1.2.3", "1.2.3-slim", "1.2.3-alpine", "1.2.2", "latest", "edge"]
    pushed = {"1.2.3": 1, "1.2.3-slim": 3, "1.2.3-alpine": 2, "1.2.2": 9, "edge": 4, "latest": 3}
    expected = ["1.2.3-slim", "1.2.3-alpine", "1.2.3", "1.2.2", "edge", "latest"]
    assert order(*tags, pushed=pushed) == expected
    # A build has a number of its own.
    assert order("1.0-9", "1.0-10", pushed={"1.0-9": 9, "1.0-10": 1}) == ["1.0-10", "1.0-9"]


def test_digits_beside_commits_are_a_commit():
    names = read_all(["7654321", "ab12cd3", "0f3a21c"])
    assert {name.kind for name in names.values()} == {Kind.COMMIT}
    assert not any(name.is_ordered for name in names.values())


def stages(digests):
    return {tag for tag, name in read_all(digests, digests).items() if name.is_prerelease}


def test_a_moving_name_has_the_stage_of_what_it_points_at():
    cassandra = {"6.0": 1, "6.0-alpha2": 1, "6.0-alpha2-slim": 2, "6.0-slim": 2, "5.0.9": 3}
    as_text = {tag: str(digest) for tag, digest in cassandra.items()}
    assert stages(as_text) == {"6.0", "6.0-alpha2", "6.0-alpha2-slim", "6.0-slim"}
    assert stages({"26.10": "a", "devel": "a", "26.04": "b", "latest": "b"}) == {"26.10"}
    # The variants of a version are as far as it is.
    perl = {"5.45.2": "a", "devel": "a", "5.45.2-slim": "b", "5.44.0": "c", "latest": "c"}
    assert stages(perl) == {"5.45.2", "5.45.2-slim"}


def test_a_candidate_that_was_released_is_a_release():
    assert stages({"2.0.1": "a", "2.0.1-rc3": "a", "latest": "a"}) == {"2.0.1-rc3"}
    assert stages({"2.0.1": "a", "2.0.1-rc3": "a", "2.0.2": "b"}) == {"2.0.1-rc3"}
    # Nothing else says what edge is.
    assert stages({"2.0": "a", "edge": "a", "1.9": "b"}) == set()


def test_releases_are_the_versions_in_front_where_there_are_any():
    def chosen(*tags):
        return {name.tag for name in releases(read_all(tags).values())}

    assert chosen("1.2", "1.3-rc1", "jdk-17", "20240101", "edge") == {"1.2"}
    assert chosen("jdk-17", "20240101", "edge") == {"jdk-17"}
    assert chosen("20240101", "edge") == {"20240101"}
    assert chosen("edge") == set()


def test_tags_that_name_a_version_or_a_date():
    def chosen(*tags):
        return versioned(read_all(tags).values())

    assert chosen("1.2", "jdk-17", "20240101", "edge", "0f3a21c") == {"1.2", "20240101"}
    assert chosen("jdk-17", "20240101", "edge") == {"jdk-17", "20240101"}


def test_tags_that_others_go_on_from_are_meant_to_move():
    tags = [
        "1.25",
        "1.25-alpine",
        "1.25.3",
        "1.26-rc1",
        "17.0.16",
        "17.0.16_9",
        "jdk-17",
        "jdk-17.1",
    ]
    assert moving(read_all(tags).values()) == {"1.25", "1.25-alpine", "17.0.16", "jdk-17"}


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1.25.3-alpine", "1.25-alpine"),
        ("17.0.16_9", "17.0.16"),
        ("2.0-rc1-slim", "2.0-slim"),
        ("bookworm-20240110-slim", "bookworm-slim"),
        ("10.2-20260602", "10.2"),
        ("12", None),
        ("20240110", None),
        ("latest", None),
    ],
)
def test_the_name_that_the_newest_of_a_line_has(tag, expected):
    assert read(tag).moving == expected


@pytest.mark.parametrize(
    "tag", [f"sha256-{DIGEST}", f"sha256-{DIGEST}.sig", f"sha256-{DIGEST}.att", f"sha512-{DIGEST}"]
)
def test_digests_in_disguise(tag):
    assert is_digest_tag(tag)


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
    assert not is_digest_tag(tag)


PARTS = [
    "1",
    "2",
    "10",
    "0",
    "1.2",
    "1.10.0",
    "2.0",
    "v1.2",
    "16",
    "2024.1",
    "8u92",
    "jdk-17",
    "pg9.6",
]
ENDS = ["", "", "", "-rc1", "rc2", "a1", ".dev3", ".post1", "-1", "-10", "-alpine", "-alpine3.19"]
ENDS += ["-r2", "+local.2", "+local.10", "-debian-12-r9", "_9", "-ea-4", "-9-gfafafaf", "-beta.2"]
ENDS += ["-20240101", "-0f3a21c", "-slim"]
OTHERS = ["latest", "edge", "20240101", "2024-01-02", "0f3a21c", "12a3456", "7654321", "bookworm"]
TAGS = st.one_of(
    st.tuples(st.sampled_from(PARTS), st.sampled_from(ENDS)).map("".join), st.sampled_from(OTHERS)
)
PUSHED = st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=30, max_size=30))


def as_python(tag):
    try:
        return Version(tag)
    except InvalidVersion:
        return None


@steady
@given(st.lists(TAGS, unique=True, max_size=30), PUSHED, st.integers(0, 99))
def test_the_order_is_total_stable_and_that_of_packaging(tags, pushes, seed):
    pushed = dict(zip(tags, pushes, strict=False)) if pushes else None
    ordered = order(*tags, pushed=pushed)
    assert sorted(ordered) == sorted(tags)
    shuffled = random.Random(seed).sample(tags, len(tags))
    assert order(*shuffled, pushed=pushed) == ordered
    names = read_all(tags)
    both = [as_python(tag) for tag in ordered if names[tag].is_version and as_python(tag)]
    assert all(newer >= older for newer, older in pairwise(both))


@steady
@given(st.lists(TAGS, unique=True, max_size=12), st.data())
def test_a_part_of_a_list_has_the_order_of_the_whole(tags, data):
    # What a name is may hang on others; the order of names that are the same does not.
    names = read_all(tags)
    part = data.draw(st.lists(st.sampled_from(tags), unique=True)) if tags else []
    ordered = [name.tag for name in newest_first(names.values()) if name.tag in part]
    assert [name.tag for name in newest_first(names[tag] for tag in part)] == ordered


@pytest.mark.parametrize(
    "tag", ["1." * 50_000, "1" * 100_000 + "x", "v1-" * 30_000, "a" * 100_000 + "-" + DIGEST]
)
def test_long_tags_are_read_at_once(tag):
    is_digest_tag(tag)
    assert newest_first([read(tag)])


def test_any_text_is_read_and_has_its_place():
    chance = random.Random(11)
    letters = "0123456789.-_+vabrcmxT"
    tags = {"".join(chance.choices(letters, k=chance.randint(1, 9))) for _ in range(3000)}
    tags |= {"9" * 100 + ".1", "9" * 100 + ".2", "1.٣", "1-\u017fnapshot"}
    expected = order(*tags)
    for _ in range(3):
        assert order(*chance.sample(expected, len(expected))) == expected
