"""The order of releases, their rhythm and age, and what latest is."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.tables import TAGS
from hubframe.tables.measured import CADENCE, LATEST_LAG, STALENESS

from .worlds import dtypes, shuffled

NOW = "2026-01-31T00:00:00Z"
FUNCTIONS = [
    hubframe.cadence_df,
    hubframe.latest_lag_df,
    hubframe.sort_versions,
    lambda tags: hubframe.newest(tags, 1),
    lambda tags: hubframe.staleness_df(tags, NOW),
]


def tags(*rows, repo="n/a"):
    """Tags with a digest, the day of January 2026 of their push, and that of their pull."""
    return TAGS.from_records(
        {
            "repo": repo,
            "tag": tag,
            "digest": digest,
            "pushed_at": _day(pushed),
            "pulled_at": _day(pulled[0] if pulled else None),
            "is_digest_tag": False,
        }
        for tag, digest, pushed, *pulled in rows
    )


def _day(number):
    return None if number is None else f"2026-01-{number:02}T00:00:00Z"


def named(*names):
    return tags(*((name, None, None) for name in names))


def test_versions_are_ordered_and_pre_releases_come_before_their_release():
    names = [
        "edge",
        "2.0rc1",
        "1.9",
        "1.10-alpine",
        "1.10",
        "2.0b1",
        "v1.10.1",
        "sha256-" + "0" * 64,
    ]
    ordered = hubframe.sort_versions(named(*names))["tag"].tolist()
    assert ordered[:4] == ["2.0rc1", "2.0b1", "v1.10.1", "1.10"]
    assert ordered[4:] == ["1.10-alpine", "1.9", "edge", "sha256-" + "0" * 64]


def test_tags_without_a_version_are_ordered_by_push_and_repositories_by_name():
    first = tags(("old", None, 1), ("new", None, 2), ("undated", None, None))
    both = pd.concat([first, tags(("1", None, 9), repo="m/b")])
    ordered = hubframe.sort_versions(both)
    assert ordered["tag"].tolist() == ["1", "new", "old", "undated"]
    assert ordered.index.tolist() == [0, 1, 2, 3]
    assert dtypes(ordered) == TAGS.dtypes


def test_newest_keeps_so_many_of_each_repository():
    both = pd.concat([named("1.0", "1.1", "2.0rc1"), tags(("3", None, None), repo="m/b")])
    assert hubframe.newest(both, 1)["tag"].tolist() == ["3", "2.0rc1"]
    assert hubframe.newest(both, 2)["tag"].tolist() == ["3", "2.0rc1", "1.1"]
    assert len(hubframe.newest(both, 9)) == 4
    assert hubframe.newest(both, 0).empty
    with pytest.raises(ValueError, match="n must be at least 0"):
        hubframe.newest(both, -1)
    with pytest.raises(TypeError, match="n must be a whole number"):
        hubframe.newest(both, True)


NAMES = st.sampled_from(["latest", "1", "1.0", "1.1", "1.1.0", "1.1-rc1", "v2", "2-slim", "x", "y"])
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["sha256:1", "sha256:2", None]),
        st.one_of(st.none(), st.integers(1, 28)),
        st.one_of(st.none(), st.integers(1, 28)),
    ),
    max_size=12,
)


@given(ROWS, st.integers(0, 99))
def test_the_order_of_the_rows_decides_nothing(rows, seed):
    listed = tags(*rows)
    for function in FUNCTIONS:
        assert_frame_equal(function(shuffled(listed, seed)), function(listed))
    assert sorted(hubframe.sort_versions(listed)["tag"]) == sorted(listed["tag"])


def lag(*rows):
    found = hubframe.latest_lag_df(tags(*rows))
    assert dtypes(found) == LATEST_LAG.dtypes
    (row,) = found.astype(object).where(found.notna(), None).to_dict("records")
    return row


def test_latest_that_is_the_highest_does_not_lag():
    row = lag(("latest", "sha256:2", 9), ("1.1", "sha256:2", 8), ("1.0", "sha256:1", 1))
    assert (row["latest_digest"], row["latest_version"]) == ("sha256:2", "1.1")
    assert (row["highest_tag"], row["highest_version"]) == ("1.1", "1.1")
    assert row["is_highest"] is True
    assert (row["versions_behind"], row["lag_days"]) == (0, 0)


def test_latest_that_lags_tells_by_how_much():
    row = lag(
        ("latest", "sha256:1", 1),
        ("1.0.0", "sha256:1", 1),
        ("1.1.0", "sha256:2", 5),
        ("1.1", "sha256:3", 7),
        ("1.1.1-alpine", "sha256:4", 7),
        ("1.1.1", "sha256:3", 6),
        ("1.2.0rc1", "sha256:5", 9),
    )
    assert row["latest_version"] == "1.0.0"
    assert (row["highest_tag"], row["highest_version"]) == ("1.1.1", "1.1.1")
    assert row["is_highest"] is False
    # 1.1 is 1.1.1 by another name.
    assert row["versions_behind"] == 2
    assert row["lag_days"] == 5
    assert row["highest_pushed_at"] == pd.Timestamp(_day(6))


def test_latest_may_be_a_variant_of_the_highest():
    rows = ("latest", "sha256:2", 2), ("2.0-slim", "sha256:2", 2), ("2.0", "sha256:1", 3)
    row = lag(*rows)
    assert row["highest_tag"] == "2.0-slim"
    assert row["is_highest"] is True


def test_a_latest_that_was_pushed_later_lags_less_than_nothing():
    row = lag(("latest", "sha256:9", 9), ("1.0", "sha256:1", 1))
    assert row["latest_version"] is None
    assert row["is_highest"] is False
    assert row["versions_behind"] is None
    assert row["lag_days"] == -8


def test_what_is_not_known_is_null():
    without = lag(("1.0", "sha256:1", 1))
    assert without["latest_digest"] is without["is_highest"] is without["lag_days"] is None
    unversioned = lag(("latest", "sha256:1", 1), ("edge", "sha256:2", 2))
    assert unversioned["highest_version"] is unversioned["is_highest"] is None
    undigested = lag(("latest", "sha256:1", 1), ("1.0", None, 2))
    assert undigested["is_highest"] is None
    assert undigested["lag_days"] == 1
    signatures = tags(("sha256-" + "0" * 64 + ".sig", "sha256:1", 1))
    assert hubframe.latest_lag_df(signatures).empty


def test_of_a_tag_at_several_times_the_last_push_counts():
    row = lag(("latest", "sha256:1", 1), ("latest", "sha256:2", 2), ("1", "sha256:2", 2))
    assert row["is_highest"] is True


def test_ages_are_days_since_push_and_use():
    listed = tags(
        ("used", None, 1, 30),
        ("unused", None, 11),
        ("pulled-before", None, 21, 1),
        ("undated", None, None),
    )
    found = hubframe.staleness_df(listed, NOW, stale_after=20)
    assert dtypes(found) == STALENESS.dtypes
    assert found["tag"].tolist() == ["used", "unused", "pulled-before", "undated"]
    assert found["age_days"].tolist()[:3] == [30, 20, 10]
    assert found["idle_days"].tolist()[:3] == [1, 20, 10]
    assert found["is_stale"].tolist()[:3] == [True, False, False]
    assert found.loc[3, ["age_days", "idle_days", "is_stale"]].isna().all()


def test_a_year_that_stands_for_no_date_is_none():
    listed = tags(("old", None, 1)).assign(pushed_at=pd.Timestamp("0001-01-01", tz="UTC"))
    found = hubframe.staleness_df(listed, NOW)
    assert found[["pushed_at", "age_days"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "now",
    [
        "2026-01-31",
        "2026-01-31T01:00:00+01:00",
        datetime(2026, 1, 31, tzinfo=UTC),
        pd.Timestamp(NOW),
    ],
)
def test_now_is_a_date_in_any_form(now):
    assert hubframe.staleness_df(tags(("1", None, 30)), now)["age_days"].tolist() == [1]


def test_now_is_this_moment_unless_told():
    pushed = pd.Series([pd.Timestamp.now("UTC") - pd.Timedelta(days=2)]).astype(
        TAGS.dtypes["pushed_at"]
    )
    listed = tags(("1", None, 30)).assign(pushed_at=pushed)
    assert hubframe.staleness_df(listed)["age_days"].tolist() == [2]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"now": "yesterday"}, ValueError, "'yesterday' is no date"),
        ({"now": 7}, TypeError, "now must be a date"),
        ({"stale_after": -1}, ValueError, "at least 0 days"),
        ({"stale_after": "9"}, TypeError, "a number of days"),
    ],
)
def test_a_wrong_moment_is_said(arguments, error, said):
    with pytest.raises(error, match=said):
        hubframe.staleness_df(tags(), **arguments)


def test_the_rhythm_is_that_of_stable_versions():
    found = hubframe.cadence_df(
        tags(
            ("1.0.0", None, 1),
            ("1.0", None, 20),
            ("1.1.0", None, 3),
            ("1.1.0-alpine", None, 4),
            ("1.2.0rc1", None, 5),
            ("1.2.0", None, 7),
            ("2.0.0", None, None),
            ("edge", None, 25),
        )
    )
    assert dtypes(found) == CADENCE.dtypes
    (row,) = found.to_dict("records")
    assert row["version_count"] == 3
    assert (row["first_pushed_at"], row["last_pushed_at"]) == tuple(
        map(pd.Timestamp, map(_day, (1, 7)))
    )
    quantiles = [row[f"days_p{cut}"] for cut in (10, 25, 50, 75, 90)]
    assert quantiles == [2.2, 2.5, 3, 3.5, 3.8]
    assert row["variation"] == 0.33


def test_few_releases_have_no_rhythm():
    found = hubframe.cadence_df(pd.concat([tags(("1", None, 1)), tags(("x", None, 1), repo="m/b")]))
    assert found["version_count"].tolist() == [0, 1]
    assert found.filter(like="days_").isna().all(axis=None)
    two = hubframe.cadence_df(tags(("1", None, 1), ("2", None, 3)))
    assert two.loc[0, "days_p50"] == 2
    assert two["variation"].isna().all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_gives_nothing_and_a_wrong_frame_an_error(function):
    nothing = function(tags())
    assert nothing.empty
    assert dtypes(nothing) in (
        TAGS.dtypes,
        LATEST_LAG.dtypes,
        STALENESS.dtypes,
        CADENCE.dtypes,
    )
    with pytest.raises(ValueError, match="tags frame: it lacks the column pushed_at"):
        function(tags().drop(columns="pushed_at"))
    with pytest.raises(TypeError, match="tags frame"):
        function(["1.0"])


@pytest.mark.usefixtures("sample")
def test_the_sample_has_an_order_and_a_rhythm():
    listed = hubframe.tags_df(["library/alpine", "acme/charts", "ansible/ansible-runner"])
    assert hubframe.newest(listed, 1)["tag"].tolist() == ["2.0.0", "2.4.2", "3.24.2"]
    found = hubframe.latest_lag_df(listed).set_index("repo")
    assert found.loc["library/alpine", "is_highest"]
    assert pd.isna(found.loc["acme/charts", "is_highest"])
    forgotten = found.loc["ansible/ansible-runner"]
    assert not forgotten["is_highest"]
    assert forgotten[["latest_version", "versions_behind"]].tolist() == ["2.4.0", 2]
    assert forgotten["lag_days"] == 621.92
    assert (hubframe.cadence_df(listed)["days_p50"] > 0).all()
    assert len(hubframe.staleness_df(listed)) == len(listed)


def test_the_day_of_a_build_is_no_version_where_there_are_others():
    found = hubframe.latest_lag_df(
        tags(
            ("latest", "x", 9),
            ("1.2", "x", 9),
            ("20260105", "y", 5),
            ("2026-01-04-slim", "w", 4),
            ("1.1", "z", 1),
        )
    )
    assert found.loc[0, ["highest_version", "versions_behind"]].tolist() == ["1.2", 0]
    days = hubframe.latest_lag_df(
        tags(("latest", "x", 5), ("20260105", "x", 5), ("20260104", "y", 4))
    )
    assert days.loc[0, ["highest_version", "versions_behind"]].tolist() == ["20260105", 0]
    ordered = hubframe.sort_versions(
        named("2026-01-05", "1.2", "2.0rc1", "edge", "20260106-slim", "2026.1")
    )
    expected = ["2026.1", "2.0rc1", "1.2", "20260106-slim", "2026-01-05", "edge"]
    assert ordered["tag"].tolist() == expected


def highest(**digests):
    """What is told of latest, by tags with their digests."""
    row = lag(*((tag, digest, None) for tag, digest in digests.items()))
    return row["highest_tag"], row["is_highest"], row["versions_behind"]


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        # A pre-release of a moving name is no release that latest lags behind.
        (
            {"latest": "a", "5.0.9": "a", "5.0": "a", "6.0": "b", "6.0-alpha2": "b"},
            ("5.0.9", True, 0),
        ),
        ({"latest": "a", "26.04": "a", "26.10": "b", "devel": "b"}, ("26.04", True, 0)),
        # What counts something else is no version.
        ({"latest": "a", "1.5.0": "a", "7654321": "b", "ab12cd3": "c"}, ("1.5.0", True, 0)),
        ({"latest": "a", "1.5.0": "a", "20240101": "b"}, ("1.5.0", True, 0)),
        # A later build of the same version is newer, but no version more.
        ({"latest": "a", "17.0.16_9": "a", "17.0.16_10": "b"}, ("17.0.16_10", False, 0)),
        ({"latest": "a", "1.2.3-debian-12-r9": "b", "1.2.3-debian-12-r10": "a"}, ("1.2.3-debian-12-r10", True, 0)),
        # An image that nobody calls by a version has none.
        ({"latest": "a", "trixie": "a", "26.10": "b"}, ("26.10", None, None)),
        # A variant that is numbered in its own way does not compare.
        ({"latest": "a", "26.8-community": "a", "2026.4-enterprise": "b"}, ("2026.4-enterprise", None, None)),
        ({"latest": "a", "1.0-slim": "a", "1.1": "b", "1.1-slim": "c"}, ("1.1", False, 1)),
        ({"latest": "a", "8": "a", "8u504": "a", "26.0.2": "b"}, ("26.0.2", False, 1)),
        ({"latest": "a", "temurin-25-lein": "b"}, ("temurin-25-lein", None, None)),
        ({"latest": "a", "ce-8.1": "b", "ce-8.0": "a"}, ("ce-8.1", False, 1)),
    ],
)  # fmt: skip
def test_latest_is_compared_with_what_compares(digests, expected):
    assert highest(**digests) == expected
