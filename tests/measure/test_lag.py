"""Lag of packages: by hand, and against counting the versions one by one."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hubframe
from hubframe.oci.contents import versions
from hubframe.tables import PACKAGES
from hubframe.tables.lifecycle import LAG


def packages(*rows):
    """A packages frame of ``tag type name version [distribution]``."""
    return PACKAGES.from_records(_package(*row.split()) for row in rows)


def _package(tag, kind, name, version, distribution=None):
    purl = f"pkg:{kind}/{name}@{version}" + (f"?distro={distribution}" if distribution else "")
    return {
        "repo": "org/app", "tag": tag, "platform": "linux/amd64", "image_digest": f"sha256:{tag}",
        "type": kind, "name": name, "version": version, "purl": purl, "evidence": "layers",
    }  # fmt: skip


def told(found):
    columns = ["tag", "name", "newest_version", "is_behind", "versions_behind"]
    return [
        " ".join("-" if pd.isna(value) else str(value) for value in row)
        for row in found[columns].itertuples(index=False)
    ]


def test_images_are_held_against_one_another():
    frame = packages(
        "1 pypi requests 2.9.0",
        "2 pypi requests 2.10.0",
        "3 pypi requests 2.31.0",
        "3 npm left-pad 1.0.0",
        "3 conda numpy 1.0",
        "2 conda numpy 1.1",
    )
    found = hubframe.lag_df(frame)
    assert told(found) == [
        "1 requests 2.31.0 True 2",
        "2 requests 2.31.0 True 1",
        "3 requests 2.31.0 False 0",
        "3 left-pad 1.0.0 False 0",
        "3 numpy - - -",
        "2 numpy - - -",
    ]
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == LAG.dtypes


def test_packages_of_a_system_compare_within_a_release_of_it():
    frame = packages(
        "1 deb bash 5.1-2 debian-11",
        "2 deb bash 5.2.15-2 debian-12",
        "2 deb bash 5.2.15-1 bookworm",
        "3 apk musl 1.2.5-r0 alpine-3.20.1",
        "4 apk musl 1.2.5-r1 alpine-3.20.3",
        "5 apk musl 1.2.6-r0 alpine-3.21.0",
    )
    found = hubframe.lag_df(frame)
    assert told(found) == [
        "1 bash 5.1-2 False 0",
        "2 bash 5.2.15-2 False 0",
        "2 bash 5.2.15-2 True 1",
        "3 musl 1.2.5-r1 True 1",
        "4 musl 1.2.5-r1 False 0",
        "5 musl 1.2.6-r0 False 0",
    ]
    assert found["distribution"].tolist() == [
        "debian-11",
        *["debian-12"] * 2,
        *["alpine-3.20"] * 2,
        "alpine-3.21",
    ]


def test_against_newer_images_and_what_they_lack():
    held = packages("1 pypi a 1.0", "1 pypi b 1.0", "1 pypi c 3.0", "2 pypi a 1.5")
    newest = packages("9 pypi a 2.0", "9 pypi c 2.0")
    assert told(hubframe.lag_df(held, newest)) == [
        "1 a 2.0 True 2",
        "1 b - - -",
        "1 c 2.0 False 0",
        "2 a 2.0 True 1",
    ]


def test_time_lag_by_a_table_of_releases():
    releases = pd.DataFrame(
        [
            ("pypi", "a", "1.0", "2024-01-01"),
            ("pypi", "a", "1.1", "2024-03-01"),
            ("pypi", "a", "2.0", "2025-01-01"),
            ("pypi", "b", "1.0", None),
            ("pypi", "b", "1.1", "2025-01-01"),
        ],
        columns=["type", "name", "version", "released_at"],
    )
    releases["released_at"] = pd.to_datetime(releases["released_at"], utc=True)
    held = packages("1 pypi a 1.0", "2 pypi a 2.0", "3 pypi b 1.0")
    found = hubframe.lag_df(held, releases)
    assert told(found) == ["1 a 2.0 True 2", "2 a 2.0 False 0", "3 b 1.1 True 1"]
    assert found["lag_days"].tolist() == [366.0, 0.0, pd.NA]


def test_versions_that_are_equal_are_one():
    found = hubframe.lag_df(packages("1 pypi a 1.0", "2 pypi a 1.0.0", "3 pypi a 1.1"))
    assert found["versions_behind"].tolist() == [1, 1, 0]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=1, max_size=12))
def test_counted_one_by_one(numbers):
    texts = [f"{major}.{minor}" for major, minor in numbers]
    found = hubframe.lag_df(packages(*(f"{at} pypi a {one}" for at, one in enumerate(texts))))
    for own, behind, count in zip(texts, found["is_behind"], found["versions_behind"], strict=True):
        newer = {one for one in texts if versions.compare("pypi", own, one) == -1}
        assert (behind, count) == (bool(newer), len(newer))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="not the packages frame"):
        hubframe.lag_df(pd.DataFrame({"name": ["a"]}))
    with pytest.raises(TypeError, match="a list was given"):
        hubframe.lag_df(packages(), [1])
    assert hubframe.lag_df(packages()).empty
