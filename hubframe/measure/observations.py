"""How pulls, stars, sizes and numbers of tags moved, from one observation to the next."""

from typing import Any

import pandas as pd

from hubframe.measure.dates import days
from hubframe.tables import Snapshots
from hubframe.tables.measured import PULLS_OVER_TIME, REPOS_OVER_TIME
from hubframe.tables.observed import OBSERVED_REPOS
from hubframe.tables.schema import COUNT

# From this part of what it was a count was set back; Hub counts that fall do so by little.
_RESET = 0.5
_GAP = 1.5
_COUNTS = {"star": "star_count", "storage": "storage_size", "tag": "tag_count"}


def pulls_over_time_df(snapshots: Snapshots | pd.DataFrame) -> pd.DataFrame:
    """Tell how many pulls a day there were between observations.

    Nothing is made up: a row is the time between two observations, however long, and pulls a day
    are what came in it by its days. Where the Hub counts less than before, which it does, the row
    says so, and there are no pulls a day.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives, or its frame ``repos``, of which it takes the columns
        ``repo``, ``observed_at`` and ``pull_count``.

    Returns
    -------
    pandas.DataFrame
        The table `pulls_over_time`: by repository, then by time. Observations without a count are
        passed over: the row reaches from the one before to the one after.

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
    told = known.assign(
        from_at=before["observed_at"],
        days=span,
        change=change,
        pulls_per_day=(change / span).mask(change < 0),
        step=step.mask(is_reset.fillna(value=False), "reset"),
        is_gap=is_gap,
    )
    return PULLS_OVER_TIME.of(told[before["observed_at"].notna()].reset_index(drop=True))


def repos_over_time_df(snapshots: Snapshots | pd.DataFrame) -> pd.DataFrame:
    """Tell the stars, the storage and the number of tags of repositories, and how they changed.

    Parameters
    ----------
    snapshots
        What `hubframe.read_snapshots` gives, or its frame ``repos``, of which it takes the columns
        ``repo``, ``observed_at``, ``star_count``, ``storage_size`` and ``tag_count``.

    Returns
    -------
    pandas.DataFrame
        The table `repos_over_time`: a row per observation, by repository, then by time. A change
        is from the last observation that told the figure.
    """
    known = _observed(snapshots, list(_COUNTS.values()))
    told: dict[str, Any] = {name: known[name] for name in ("repo", "observed_at")}
    for name, column in _COUNTS.items():
        values: Any = known[column].astype(COUNT)
        before = values.groupby(known["repo"]).ffill().groupby(known["repo"]).shift()
        told |= {column: values, f"{name}_change": values - before}
    return REPOS_OVER_TIME.of({**told, "is_gap": _gaps(known)[1]})


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
