"""Which digest a tag had, from when to when, and which version tags were pushed again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hubframe.measure.names import names_of
from hubframe.oci.tagnames import moving, versioned
from hubframe.tables import Snapshots
from hubframe.tables.measured import MUTABLE_TAGS, TAG_MOVES
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS

MOVED, DELETED = "moved", "deleted"
_NAME = ["repo", "tag"]
_SEEN = (*_NAME, "observed_at", "digest", "pushed_at", "size")

Places = npt.NDArray[np.int64]


def tag_moves_df(snapshots: Snapshots) -> pd.DataFrame:
    """Tell which digest a tag had, from when to when, as far as snapshots saw it.

    A tag that moved twice between two observations is seen to have moved once. Where the registry
    tells the date of the push, as Docker Hub does, that of each digest stands beside.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives. Observations in which not all tags of a repository
        were read do not count against the tags that they lack.

    Returns
    -------
    pandas.DataFrame
        The table `tag_moves`: a row per tag and digest in a row of observations, by repository and
        tag, then by time. A tag that was deleted and came back has a row for each time.
        Observations in which the digest is not known are passed over.

    Raises
    ------
    TypeError, ValueError
        These are no snapshots, or a column is missing, which the message names.
    """
    tags, repos = _frames(snapshots, _SEEN)
    moments = _Moments.of(repos, tags)
    rows = _present(tags, moments)
    known = rows[rows["digest"].notna()].reset_index(drop=True)
    place, presence = known["place"].to_numpy(), known["presence"].to_numpy()
    is_same = _repeats(known, [*_NAME, "digest", "presence"])
    starts = np.flatnonzero(~is_same)
    ends = np.append(starts[1:], len(known))[: len(starts)] - 1
    first, last = known.take(starts).reset_index(drop=True), known.take(ends)
    has_more = _repeats(first, _NAME)
    previous = first["digest"].shift().where(has_more)
    # Not seen before: under another digest, or in an observation that would have shown it.
    before = pd.Series(last["observed_at"].array).shift().where(has_more)
    not_yet = pd.concat([before, moments.before(place[starts])], axis=1).max(axis=1)
    is_moved = np.append(_repeats(first, [*_NAME, "presence"])[1:], [False])[: len(first)]
    gone = moments.after(_last_places(rows)[presence[starts]])
    gone = gone.mask(is_moved, first["observed_at"].shift(-1))
    ending = pd.Series(np.where(is_moved, MOVED, DELETED), dtype="str").where(gone.notna())
    return TAG_MOVES.of(
        {
            **first[[*_NAME, "digest", "pushed_at", "size"]],
            "move": first.groupby(_NAME, sort=False).cumcount(),
            "previous_digest": previous,
            "not_yet_at": not_yet,
            "first_seen_at": first["observed_at"],
            "last_seen_at": last["observed_at"].array,
            "gone_at": gone,
            "ending": ending,
            "observation_count": ends - starts + 1,
        }
    )


def mutable_tags_df(snapshots: Snapshots) -> pd.DataFrame:
    """List the version tags that were pushed again, which who pins them does not expect.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives.

    Returns
    -------
    pandas.DataFrame
        The table `mutable_tags`: a row per tag that is named for a version or a date and was
        seen with another digest than before, or with a later date of its push, most pushes first.
        Tags that are meant to move, ``1.25`` beside ``1.25.3``, are marked ``is_floating``.

    Raises
    ------
    TypeError, ValueError
        These are no snapshots, or a column is missing, which the message names.
    """
    tags, _ = _frames(snapshots, (*_SEEN, "version"))
    names = {repo: found.values() for repo, found in names_of(tags).items()}
    floating = {(repo, tag) for repo, found in names.items() for tag in moving(found)}
    pinned = {(repo, tag) for repo, found in names.items() for tag in versioned(found)}
    is_pinned = [name in pinned for name in zip(tags["repo"], tags["tag"], strict=True)]
    rows = _sorted(tags[np.array(is_pinned, dtype=bool)])
    rows["is_push"] = _is_push(rows)
    pushed = rows[rows["is_push"]]
    counts = pushed.groupby(_NAME, sort=False).agg(
        version=("version", "first"),
        push_count=("is_push", "size"),
        first_seen_at=("observed_at", "first"),
    )
    last = pushed.drop_duplicates(_NAME, keep="last").set_index(_NAME)
    digests = rows.groupby(_NAME, sort=False)["digest"].agg(["nunique", "first", "last"])
    told = counts.join(digests).reset_index()
    told["last_pushed_at"] = last["pushed_at"].fillna(last["observed_at"]).array
    told["is_floating"] = [name in floating for name in zip(told.repo, told.tag, strict=True)]
    told = told.rename(
        columns={"nunique": "digest_count", "first": "first_digest", "last": "last_digest"}
    )
    again = told[told["push_count"] > 1]
    order = ["push_count", "repo", "tag"]
    ranked = again.sort_values(order, ascending=[False, True, True]).reset_index(drop=True)
    return MUTABLE_TAGS.of(ranked)


def _frames(snapshots: Any, columns: Iterable[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not isinstance(snapshots, Snapshots):
        raise TypeError(
            f"expected what hubframe.read_snapshots gives, not {type(snapshots).__name__}"
        )
    OBSERVED_TAGS.require(snapshots.tags, columns)
    OBSERVED_REPOS.require(snapshots.repos, ("repo", "observed_at", "tag_count"))
    return snapshots.tags[list(columns)], snapshots.repos[["repo", "observed_at", "tag_count"]]


@dataclass(frozen=True)
class _Moments:
    """When repositories were observed, by repository and time; a place is a number of a row.

    Attributes
    ----------
    rows
        ``repo``, ``observed_at``, and ``is_whole``: whether all tags were read.
    whole
        The places of those where they were.
    upto
        How many of these there are up to each place.
    """

    rows: pd.DataFrame
    whole: Places
    upto: Places

    @classmethod
    def of(cls, repos: pd.DataFrame, tags: pd.DataFrame) -> "_Moments":
        """Gather them from both frames: tags may have been read, though not all of them."""
        key = ["repo", "observed_at"]
        listed = repos[key].assign(is_whole=repos["tag_count"].notna())
        both = pd.concat([listed, tags[key].drop_duplicates().assign(is_whole=False)])
        rows = both.groupby(key, sort=True)["is_whole"].any().reset_index()
        is_whole = rows["is_whole"].to_numpy("bool")
        return cls(rows, np.flatnonzero(is_whole), np.cumsum(is_whole))

    def before(self, places: Places) -> pd.Series:
        """Return the last whole observation before each place; null where there is none."""
        return self._at(places, self.upto[places] - self._is_whole(places) - 1)

    def after(self, places: Places) -> pd.Series:
        """Return the first whole observation after each place; null where there is none."""
        return self._at(places, self.upto[places])

    def between(self, earlier: Places, later: Places) -> Places:
        """Count the whole observations between places, both excluded."""
        counted: Places = self.upto[later] - self._is_whole(later) - self.upto[earlier]
        return counted

    def _is_whole(self, places: Places) -> Places:
        return self.rows["is_whole"].to_numpy("int64")[places]

    def _at(self, places: Places, numbers: Places) -> pd.Series:
        if not len(self.whole):
            return pd.Series(pd.NaT, range(len(places)), dtype=self.rows["observed_at"].dtype)
        found = self.whole[np.clip(numbers, 0, len(self.whole) - 1)]
        repo, _ = pd.factorize(self.rows["repo"])
        is_there = (numbers >= 0) & (numbers < len(self.whole)) & (repo[found] == repo[places])
        moments = self.rows["observed_at"].take(found).reset_index(drop=True)
        return moments.where(is_there)


def _sorted(tags: pd.DataFrame) -> pd.DataFrame:
    """Sort by tag and time, and keep the last of what was seen at one moment."""
    ordered = tags.sort_values([*_NAME, "observed_at"], kind="stable")
    return ordered.drop_duplicates([*_NAME, "observed_at"], keep="last").reset_index(drop=True)


def _present(tags: pd.DataFrame, moments: _Moments) -> pd.DataFrame:
    """Number the times that each tag was there without a break."""
    rows = _sorted(tags)
    places = moments.rows[["repo", "observed_at"]].assign(place=np.arange(len(moments.rows)))
    rows = rows.merge(places, on=["repo", "observed_at"], how="left")
    is_same = _repeats(rows, _NAME)
    place = rows["place"].to_numpy("int64")
    is_same[1:] &= moments.between(place[:-1], place[1:]) <= 0
    return rows.assign(presence=np.cumsum(~is_same) - 1)


def _last_places(rows: pd.DataFrame) -> Places:
    """Return the last place of each time that a tag was there."""
    last = rows.drop_duplicates("presence", keep="last")["place"]
    return last.to_numpy("int64")


def _repeats(rows: pd.DataFrame, columns: list[str]) -> npt.NDArray[np.bool_]:
    """Tell of each row whether it equals the one before it in some columns."""
    is_same = np.ones(len(rows), dtype=bool)
    for column in columns:
        codes, _ = pd.factorize(rows[column])
        is_same[1:] &= codes[1:] == codes[:-1]
    is_same[:1] = False
    return is_same


def _is_push(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell where a tag shows another digest than was known, or another date of its push."""
    is_same = _repeats(rows, _NAME)
    is_push = ~is_same
    names = np.cumsum(is_push)
    for column in ("digest", "pushed_at"):
        known = rows[column].groupby(names).ffill()
        before = known.groupby(names).shift()
        is_push |= (rows[column].notna() & before.notna() & (rows[column] != before)).to_numpy()
    return is_push
