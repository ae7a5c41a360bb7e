"""Version tags that were pushed later than the version after them."""

import pandas as pd

from hubframe.measure.dates import dated, days_between
from hubframe.tables import TAGS
from hubframe.tables.measured import SIZE_TREND


def pushed_again(trend: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """List the version tags whose last push came after that of the next version of their line.

    A registry keeps the last push of a tag alone. But versions that differ in their last number
    are pushed one after the other, so that an earlier one with the later push was pushed again,
    or out of turn; who pins it does not expect either. Snapshots tell more (`mutable_tags_df`).

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

    Raises
    ------
    TypeError, ValueError
        An argument is no frame, or lacks a column, which the message names.
    """
    SIZE_TREND.require(trend, ("repo", "tag", "previous_tag"))
    TAGS.require(tags, ("repo", "tag", "version", "pushed_at"))
    pairs = trend[["repo", "previous_tag", "tag"]].dropna().drop_duplicates()
    pairs = pairs.set_axis(["repo", "tag", "next_tag"], axis=1)
    told = tags[["repo", "tag", "version"]].assign(pushed_at=dated(tags["pushed_at"]))
    told = told.dropna().drop_duplicates(["repo", "tag"])
    after = told.set_axis(["repo", *(f"next_{name}" for name in told.columns[1:])], axis=1)
    both = pairs.merge(told, on=["repo", "tag"]).merge(after, on=["repo", "next_tag"])
    is_next = both["version"].map(_line).eq(both["next_version"].map(_line))
    late = both[is_next & (both["pushed_at"] > both["next_pushed_at"])]
    late = late.assign(later_days=days_between(late["next_pushed_at"], late["pushed_at"]))
    order = ["later_days", "repo", "tag"]
    columns = ["repo", "tag", "pushed_at", "next_tag", "next_pushed_at", "later_days"]
    return late[columns].sort_values(order, ascending=[False, True, True], ignore_index=True)


def _line(version: str) -> str:
    """Return a version without its last number."""
    return version.rpartition(".")[0]
