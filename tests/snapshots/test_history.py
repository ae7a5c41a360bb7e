"""Forty planted days, seen through the real Hub client and the real files, come out as planted."""

import pandas as pd
import pytest

import hubframe

from . import days


def plain(frame, *columns):
    """Rows as tuples, with None for what is missing."""
    return [
        tuple(None if pd.isna(value) else value for value in row)
        for row in frame[list(columns)].itertuples(index=False, name=None)
    ]


def test_forty_days_give_the_planted_history(forty_days):
    snapshots = hubframe.read_snapshots(forty_days)
    assert snapshots.runs["observed_at"].tolist() == [days.at(day) for day in days.LOOKED]
    failed = snapshots.runs[~snapshots.runs["is_complete"]]
    assert failed["observed_at"].tolist() == sorted(days.at(day) for _, day in days.UNREAD)
    assert failed["failures"].str.contains("NotFoundError").all()
    pulls = hubframe.pulls_over_time_df(snapshots)
    columns = ("from_at", "observed_at", "days", "change", "pulls_per_day", "step", "is_gap")
    for repo in days.PULLS_A_DAY:
        assert plain(pulls[pulls["repo"] == repo], *columns) == days.expected_pulls(repo)
    assert set(pulls["step"]) == {"growth", "fall", "reset"}
    moves = hubframe.tag_moves_df(snapshots)
    columns = (
        "digest",
        "first_seen_at",
        "last_seen_at",
        "gone_at",
        "ending",
        "pushed_at",
        "not_yet_at",
        "observation_count",
    )
    for (repo, name), rows in moves.groupby(["repo", "tag"]):
        assert plain(rows, *columns) == days.expected_moves(repo, name), (repo, name)
        assert rows["move"].tolist() == list(range(len(rows)))
    assert {*zip(moves["repo"], moves["tag"], strict=True)} == set(days.MOVES)
    letters = {days.digest(letter): size for letter, size in days.SIZES.items()}
    assert moves["size"].tolist() == moves["digest"].map(letters).tolist()


def test_version_tags_that_were_pushed_again_are_found(forty_days):
    again = hubframe.mutable_tags_df(hubframe.read_snapshots(forty_days))
    assert plain(again, "repo", "tag", "is_floating", "push_count", "digest_count") == [
        (days.API, "2.0", True, 3, 3),
        (days.WEB, "1.0.0", False, 2, 2),
    ]
    web = again.iloc[1]
    assert (web["first_digest"], web["last_digest"]) == (days.digest("a"), days.digest("b"))


def test_stars_and_tag_counts_are_as_planted(forty_days):
    told = hubframe.repos_over_time_df(hubframe.read_snapshots(forty_days))
    web = told[told["repo"] == days.WEB]
    assert web["star_count"].tolist() == [days.stars(days.WEB, day) for day in days.LOOKED]
    assert web["tag_count"].tolist() == [len(days.tags(days.WEB, day)) for day in days.LOOKED]
    assert web["star_change"].sum() == days.stars(days.WEB, 39) - days.stars(days.WEB, 0)
    api = told[told["repo"] == days.API]
    unread = api[api["tag_count"].isna()]
    assert unread["observed_at"].tolist() == sorted(days.at(day) for _, day in days.UNREAD)
    assert api["tag_change"].sum() == -1


def test_a_part_of_the_time_of_one_repository(forty_days):
    since, until = days.at(11), days.at(20)
    some = hubframe.read_snapshots(forty_days, repos=days.WEB, since=since, until=until)
    assert set(some.repos["repo"]) == set(some.tags["repo"]) == {days.WEB}
    expected = [days.at(day) for day in days.LOOKED if 11 <= day <= 20]
    assert some.repos["observed_at"].tolist() == some.runs["observed_at"].tolist() == expected
    few = hubframe.read_snapshots(forty_days, columns=["repo", "observed_at", "pull_count"])
    assert list(few.repos) == ["observed_at", "repo", "pull_count"]
    whole = hubframe.pulls_over_time_df(hubframe.read_snapshots(forty_days))
    pd.testing.assert_frame_equal(hubframe.pulls_over_time_df(few), whole)


@pytest.mark.parametrize("column", ["pull_count", "observed_at"])
def test_what_a_measure_lacks_is_named(forty_days, column):
    repos = hubframe.read_snapshots(forty_days).repos.drop(columns=column)
    with pytest.raises(ValueError, match=column):
        hubframe.pulls_over_time_df(repos)
