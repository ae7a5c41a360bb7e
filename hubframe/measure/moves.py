"""How tags, pulls, stars and sizes moved, from one observation to the next.

Of tags a registry may keep the history itself, which tells when they moved.
"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd

from hubframe.measure.dates import dated, days, days_between
from hubframe.measure.names import among, names_of
from hubframe.oci.tagnames import moving, versioned
from hubframe.tables import TAG_HISTORY, TAGS, Snapshots
from hubframe.tables.measured import (
    MUTABLE_TAGS,
    PULLS_OVER_TIME,
    REPOS_OVER_TIME,
    SIZE_TREND,
    TAG_MOVES,
)
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS
from hubframe.tables.schema import COUNT

MOVED, DELETED = "moved", "deleted"
_NAME = ["repo", "tag"]
_SIDES: dict[str, Literal["backward", "forward"]] = {
    "whole_before": "backward",
    "whole_after": "forward",
}
_SEEN = (*_NAME, "observed_at", "digest", "pushed_at", "size")
# From this part of what it was a count was set back; Hub counts that fall do so by little.
_RESET = 0.5
_GAP = 1.5
_COUNTS = {"star": "star_count", "storage": "storage_size", "tag": "tag_count"}


def tag_moves_df(snapshots: Snapshots | pd.DataFrame) -> pd.DataFrame:
    """Tell which digest a tag had, from when to when, as far as snapshots or a registry tell.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives. Observations in which not all tags of a repository
        were read do not count against the tags that they lack. Or the frame of
        `hubframe.tag_history_df`, which tells the moments themselves.

    Returns
    -------
    pandas.DataFrame
        The table `tag_moves`: a row per tag and digest in a row of observations, by repository and
        tag, then by time. A tag that was deleted and came back has a row for each time.
        Observations in which the digest is not known are skipped.

        Of a history, `first_seen_at` and `gone_at` are when it was put there and taken away, and
        `observation_count` is how often it was pushed. What is still there was last seen at the
        last date of the repository that the history tells. The history may have forgotten what was
        before the first row of a tag: there `not_yet_at` is null.
    """
    if isinstance(snapshots, pd.DataFrame):
        return _moves_of(snapshots)
    tags, repos = _frames(snapshots, _SEEN)
    rows = _present(tags, repos)
    known = rows[rows["digest"].notna()]
    is_new = known["digest"].ne(known["digest"].shift()) | known["presence"].diff().ne(0)
    run = is_new.cumsum()
    first = known[is_new].reset_index(drop=True)
    last = known[~run.duplicated(keep="last")].reset_index(drop=True)
    # Not seen before: under another digest, or in an observation that would have shown it.
    before = last.groupby(_NAME, sort=False)["observed_at"].shift()
    not_yet = pd.concat([before, first["whole_before"]], axis=1).max(axis=1)
    is_moved = first["presence"].eq(first["presence"].shift(-1))
    ends = rows.drop_duplicates("presence", keep="last").set_index("presence")["whole_after"]
    gone = ends.reindex(first["presence"]).reset_index(drop=True)
    gone = gone.mask(is_moved, first["observed_at"].shift(-1))
    return _moves(first, run, is_moved, gone, not_yet_at=not_yet, last_seen_at=last["observed_at"])


def _moves(
    first: pd.DataFrame, run: pd.Series, is_moved: Any, gone: pd.Series, **dates: pd.Series
) -> pd.DataFrame:
    """Write the table down: what the first row of each run of rows says, and how it ended."""
    by_tag = first.groupby(_NAME, sort=False)
    ending = pd.Series(np.where(is_moved, MOVED, DELETED), dtype="str")
    return TAG_MOVES.of(
        {
            **first[[*_NAME, "digest", "pushed_at", "size"]],
            "move": by_tag.cumcount(),
            "previous_digest": by_tag["digest"].shift(),
            "first_seen_at": first["observed_at"],
            "gone_at": gone,
            "ending": ending.where(gone.notna()),
            "observation_count": run.value_counts(sort=False).array,
            **dates,
        }
    )


def mutable_tags_df(snapshots: Snapshots | pd.DataFrame) -> pd.DataFrame:
    """List the version tags that were pushed again, which who pins them does not expect.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives, or the frame of `hubframe.tag_history_df`.

    Returns
    -------
    pandas.DataFrame
        The table `mutable_tags`: a row per tag that is named for a version or a date and was
        seen with another digest than before, or with a later date of its push, most pushes first.
    """
    if isinstance(snapshots, pd.DataFrame):
        tags = _pushes(snapshots)
    else:
        tags, _ = _frames(snapshots, (*_SEEN, "version"))
    names = names_of(tags)
    tags = tags.assign(is_floating=among(tags, names, moving))
    rows = _sorted(tags[among(tags, names, versioned)])
    by_tag = rows.groupby(_NAME, sort=False)
    pushed = rows[_is_push(rows)].groupby(_NAME, sort=False)
    last = pushed.tail(1).set_index(_NAME)
    table = by_tag.agg(
        digest_count=("digest", "nunique"),
        first_digest=("digest", "first"),
        last_digest=("digest", "last"),
        is_floating=("is_floating", "first"),
    ).join(
        pushed.agg(
            version=("version", "first"),
            push_count=("observed_at", "size"),
            first_seen_at=("observed_at", "first"),
        )
    )
    table["last_pushed_at"] = last["pushed_at"].fillna(last["observed_at"])
    table = table.reset_index()
    again = table[table["push_count"] > 1]
    order = ["push_count", "repo", "tag"]
    ranked = again.sort_values(order, ascending=[False, True, True]).reset_index(drop=True)
    return MUTABLE_TAGS.of(ranked)


def _frames(snapshots: Any, columns: Iterable[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not isinstance(snapshots, Snapshots):
        raise TypeError(
            "expected what hubframe.read_snapshots or hubframe.tag_history_df gives, not "
            f"{type(snapshots).__name__}"
        )
    OBSERVED_TAGS.require(snapshots.tags, columns)
    OBSERVED_REPOS.require(snapshots.repos, ("repo", "observed_at", "tag_count"))
    return snapshots.tags[list(columns)], snapshots.repos[["repo", "observed_at", "tag_count"]]


def _pushes(history: pd.DataFrame) -> pd.DataFrame:
    """Make what snapshots would have seen of a history, taken at the moment of each push."""
    TAG_HISTORY.require(history, (*_NAME, "digest", "started_at", "ended_at", "size"))
    # Of two pushes in a second that which lasted is the later one.
    rows = history[history["started_at"].notna()].sort_values("ended_at", kind="stable")
    names, at = names_of(rows), rows["started_at"]
    versions = [
        names[repo][tag].version for repo, tag in zip(rows["repo"], rows["tag"], strict=True)
    ]
    version = pd.Series(versions, rows.index, dtype="str")
    return rows.assign(observed_at=at, pushed_at=at, version=version)


def _moves_of(history: pd.DataFrame) -> pd.DataFrame:
    """Join what was pushed again without a break, and tell how the time of each digest ended."""
    pushes = _pushes(history)
    last = pushes.groupby("repo")[["started_at", "ended_at"]].max().max(axis=1)
    rows = _sorted(pushes[pushes["digest"].notna()])
    before = rows.groupby(_NAME, sort=False)[["digest", "ended_at"]].shift()
    is_new = rows["digest"].ne(before["digest"]) | (rows["started_at"] > before["ended_at"])
    run = is_new.cumsum()
    first = rows[is_new].reset_index(drop=True)
    final = rows[~run.duplicated(keep="last")].reset_index(drop=True)
    by_tag = first.groupby(_NAME, sort=False)
    following = by_tag["started_at"].shift(-1)
    gone = final["ended_at"].fillna(following)
    # Also to a digest that is not told.
    starts = pd.MultiIndex.from_frame(pushes[[*_NAME, "started_at"]])
    is_moved = pd.MultiIndex.from_frame(final[_NAME].assign(at=gone)).isin(starts)
    is_moved |= following <= gone
    return _moves(
        first,
        run,
        is_moved,
        gone,
        not_yet_at=first["started_at"].where(by_tag.cumcount() > 0),
        last_seen_at=gone.fillna(pd.Series(last.reindex(first["repo"]).array)),
    )


def _sorted(tags: pd.DataFrame) -> pd.DataFrame:
    """Sort by tag and time, and keep the last of what was seen at one moment."""
    ordered = tags.sort_values([*_NAME, "observed_at"], kind="stable")
    return ordered.drop_duplicates([*_NAME, "observed_at"], keep="last", ignore_index=True)


def _present(tags: pd.DataFrame, repos: pd.DataFrame) -> pd.DataFrame:
    """Number the times that each tag was there without a break.

    Beside each row stand the observations before and after it that saw all tags of the repository.
    """
    rows = _sorted(tags)
    at = "observed_at"
    whole = repos.loc[repos["tag_count"].notna(), ["repo", at]].sort_values(at)
    by_time = rows[["repo", at]].sort_values(at)
    for name, direction in _SIDES.items():
        found = pd.merge_asof(
            by_time,
            whole.assign(**{name: whole[at]}),
            on=at,
            by="repo",
            direction=direction,
            allow_exact_matches=False,
        )
        rows[name] = found[name].set_axis(by_time.index)
    is_back = rows.groupby(_NAME)["whole_after"].shift() < rows[at]
    return rows.assign(presence=(~rows.duplicated(_NAME) | is_back).cumsum())


def _is_push(rows: pd.DataFrame) -> pd.Series:
    """Tell where a tag shows another digest than was known, or another date of its push."""
    is_push = ~rows.duplicated(_NAME)
    for column in ("digest", "pushed_at"):
        known = rows.groupby(_NAME)[column].ffill()
        before = known.groupby([rows[name] for name in _NAME]).shift()
        is_push |= rows[column].notna() & before.notna() & (rows[column] != before)
    return is_push


def pushed_again(trend: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """List the version tags whose last push came after that of the next version of their line.

    A registry keeps the last push of a tag alone. But versions that differ in their last number are
    pushed one after the other, so that an earlier one with the later push was pushed again, or out
    of turn. Snapshots tell more (`mutable_tags_df`).

    Parameters
    ----------
    trend
        The table `size_trend`, which knows what follows what.
    tags
        The `tables.TAGS` frame of the same repositories.

    Returns
    -------
    pandas.DataFrame
        A row per tag, the longest after first: ``repo``, ``tag``, ``pushed_at``, ``next_tag``,
        ``next_pushed_at``, and ``later_days``, from the one push to the other.
    """
    SIZE_TREND.require(trend, ("repo", "tag", "previous_tag"))
    tags = TAGS.require(tags, ("repo", "tag", "version", "pushed_at"))
    pairs = trend[["repo", "previous_tag", "tag"]].dropna().drop_duplicates()
    pairs = pairs.set_axis(["repo", "tag", "next_tag"], axis=1)
    known = tags[["repo", "tag", "version"]].assign(pushed_at=dated(tags["pushed_at"]))
    known = known.dropna().drop_duplicates(["repo", "tag"])
    after = known.set_axis(["repo", *(f"next_{name}" for name in known.columns[1:])], axis=1)
    both = pairs.merge(known, on=["repo", "tag"]).merge(after, on=["repo", "next_tag"])
    # All numbers but the last.
    line, next_line = (
        both[name].map(lambda version: version.rpartition(".")[0])
        for name in ("version", "next_version")
    )
    late = both[(line == next_line) & (both["pushed_at"] > both["next_pushed_at"])]
    late = late.assign(later_days=days_between(late["next_pushed_at"], late["pushed_at"]))
    order = ["later_days", "repo", "tag"]
    columns = ["repo", "tag", "pushed_at", "next_tag", "next_pushed_at", "later_days"]
    return late[columns].sort_values(order, ascending=[False, True, True], ignore_index=True)


def pulls_over_time_df(snapshots: Snapshots | pd.DataFrame) -> pd.DataFrame:
    """Tell how many pulls a day there were between observations.

    A row is the time between two observations, however long. Where the Hub counts less than before,
    which it does, there are no pulls a day.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives, or its frame ``repos``, of which it takes ``repo``,
        ``observed_at`` and ``pull_count``.

    Returns
    -------
    pandas.DataFrame
        The table `pulls_over_time`: by repository, then by time. Observations without a count are
        skipped: the row reaches from the one before to the one after.

    Examples
    --------
    >>> import hubframe, pandas as pd
    >>> repos = pd.DataFrame({"repo": "acme/web", "pull_count": [100, 160, 20]})
    >>> days = pd.to_datetime(["2026-11-01", "2026-11-03", "2026-11-04"], utc=True)
    >>> hubframe.pulls_over_time_df(repos.assign(observed_at=days))[["pulls_per_day", "step"]]
       pulls_per_day    step
    0           30.0  growth
    1           <NA>   reset
    """
    known = _observed(snapshots, ["pull_count"]).dropna(subset="pull_count")
    known = known.astype({"pull_count": COUNT})
    before = known.groupby("repo")[["observed_at", "pull_count"]].shift()
    change = known["pull_count"] - before["pull_count"]
    span, is_gap = _gaps(known)
    is_reset = known["pull_count"] < _RESET * before["pull_count"]
    step = change.ge(0).map({True: "growth", False: "fall"})
    table = known.assign(
        from_at=before["observed_at"],
        days=span,
        change=change,
        pulls_per_day=(change / span).mask(change < 0),
        step=step.mask(is_reset.fillna(value=False), "reset"),
        is_gap=is_gap,
    )
    return PULLS_OVER_TIME.of(table[before["observed_at"].notna()].reset_index(drop=True))


def repos_over_time_df(snapshots: Snapshots | pd.DataFrame) -> pd.DataFrame:
    """Tell the stars, the storage and the number of tags of repositories, and how they changed.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives, or its frame ``repos``, of which it takes ``repo``,
        ``observed_at``, ``star_count``, ``storage_size`` and ``tag_count``.

    Returns
    -------
    pandas.DataFrame
        The table `repos_over_time`: a row per observation, by repository, then by time.
    """
    known = _observed(snapshots, list(_COUNTS.values()))
    columns: dict[str, Any] = {name: known[name] for name in ("repo", "observed_at")}
    for name, column in _COUNTS.items():
        values: Any = known[column].astype(COUNT)
        before = values.groupby(known["repo"]).ffill().groupby(known["repo"]).shift()
        columns |= {column: values, f"{name}_change": values - before}
    return REPOS_OVER_TIME.of({**columns, "is_gap": _gaps(known)[1]})


def _observed(snapshots: Any, columns: list[str]) -> pd.DataFrame:
    """Return the repositories of snapshots by repository and time; of equal times the last."""
    repos = snapshots.repos if isinstance(snapshots, Snapshots) else snapshots
    key = ["repo", "observed_at"]
    OBSERVED_REPOS.require(repos, [*key, *columns])
    ordered = repos[[*key, *columns]].sort_values(key, kind="stable")
    return ordered.drop_duplicates(key, keep="last", ignore_index=True)


def _gaps(known: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Count the days since the observation before, and mark those that come late."""
    span = days(known.groupby("repo")["observed_at"].diff())
    return span, span > _GAP * span.groupby(known["repo"]).transform("median")
