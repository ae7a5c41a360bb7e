"""Which images hold a package, beside a count by hand; and its oldest and newest version."""

import random

import pytest

import hubframe
from hubframe.oci.contents.versions import compare
from hubframe.tables import PACKAGES

# Some have no order: conda has none, and one is no version of PyPI's.
VERSIONS = {
    "deb": ["1.9-1", "1.10-1", "1.10~rc1-1", "1:0.1-1", None],
    "pypi": ["1.9", "1.10", "1.10rc1", "2024.1"],
    "conda": ["1.9", "1.10"],
    "npm": ["1.9.0", "1.10.0"],
}


def packages(rows):
    names = ("repo", "tag", "image_digest", "type", "namespace", "name", "version")
    records = (dict(zip(names, row, strict=True)) for row in rows)
    return PACKAGES.from_records({"path": "p", "evidence": "layers", **one} for one in records)


def some_rows(seed):
    draw = random.Random(seed)
    for _ in range(300):
        image = draw.randrange(8)
        kind = draw.choice(sorted(VERSIONS))
        yield (
            *(f"repo{image % 3}", f"tag{draw.randrange(2)}", f"sha256:{image:064}"),
            *(kind, draw.choice([None, "space"]), draw.choice("abc")),
            draw.choice(VERSIONS[kind]),
        )


def by_hand(rows):
    """Count in loops."""
    told = {}
    for package in {row[3:6] for row in rows}:
        held = [row for row in rows if row[3:6] == package]
        versions = {row[6] for row in held} - {None}
        rising = {
            (low, high): compare(package[0], low, high) for low in versions for high in versions
        }
        ends = [None, None]
        if versions and None not in rising.values():
            ends = [
                next(one for one in versions if all(rising[one, other] <= 0 for other in versions)),
                next(one for one in versions if all(rising[one, other] >= 0 for other in versions)),
            ]
        images = {row[2] for row in held}
        first = min(row[:2] for row in held)
        told[package] = [len(versions), len(images), len({row[0] for row in held}), *first, *ends]
    return told


@pytest.mark.parametrize("seed", range(5))
def test_as_counted_by_hand(seed):
    rows = list(some_rows(seed))
    used = hubframe.packages_used_df(packages(rows))
    columns = ["version_count", "image_count", "repo_count", "first_repo", "first_tag"]
    found = used[["type", "namespace", "name", *columns, "oldest", "newest"]]
    plain = found.astype("object").where(found.notna(), None).to_numpy().tolist()
    assert {tuple(row[:3]): row[3:] for row in plain} == by_hand(rows)
    assert used["image_count"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("kind", "versions", "oldest", "newest"),
    [
        ("deb", ["9-1", "10-1", "10~rc1-1"], "9-1", "10-1"),
        ("apk", ["1.2.3-r10", "1.2.3-r9"], "1.2.3-r9", "1.2.3-r10"),
        ("conda", ["1", "2"], None, None),
        ("conda", ["1"], "1", "1"),
        ("pypi", ["1.0", "no version"], None, None),
        ("deb", [None], None, None),
    ],
)
def test_the_oldest_and_the_newest_version(kind, versions, oldest, newest):
    rows = [("r", "t", f"sha256:{number:064}", kind, None, "a", version)
            for number, version in enumerate(versions)]  # fmt: skip
    used = hubframe.packages_used_df(packages(rows))[["oldest", "newest"]]
    assert used.astype("object").where(used.notna(), None).to_numpy().tolist() == [[oldest, newest]]
