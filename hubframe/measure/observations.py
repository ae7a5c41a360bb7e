"""How pulls, stars, sizes and numbers of tags moved, from one observation to the next."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hubframe.tables import Snapshots
from hubframe.tables.measured import PULLS_OVER_TIME, REPOS_OVER_TIME
from hubframe.tables.observed import OBSERVED_REPOS
from hubframe.tables.schema import COUNT

_DAY = 86_400 * 10**6
# From this part of what it was a count was set back; Hub counts that fall do so by little.
_RESET = 0.5
_GAP = 1.5
_COUNTS = {"star": "star_count", "storage": "storage_size", "tag": "tag_count"}

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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

    Raises
    ------
    TypeError, ValueError
        These are no snapshots, or a column is missing, which the message names.

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
    repos = seen(snapshots, ("repo", "observed_at", "pull_count"))
    known = in_order(repos.dropna(subset="pull_count"))
    code, at = known["code"].to_numpy(), _micros(known["observed_at"])
    pulls = known["pull_count"].to_numpy("int64")
    later = np.flatnonzero(code[1:] == code[:-1]) + 1
    days = (at[later] - at[later - 1]) / _DAY
    change = pulls[later] - pulls[later - 1]
    is_reset = pulls[later] < _RESET * pulls[later - 1]
    step = np.select([change >= 0, is_reset], ["growth", "reset"], "fall")
    ends = known.take(later).reset_index(drop=True)
    return PULLS_OVER_TIME.of(
        {
            "repo": ends["repo"],
            "from_at": known["observed_at"].take(later - 1).reset_index(drop=True),
            "observed_at": ends["observed_at"],
            "days": days,
            "pull_count": pulls[later],
            "change": change,
            "pulls_per_day": pd.Series(change / days, dtype="Float64").mask(change < 0),
            "step": step,
            "is_gap": _is_gap(days, code[later]),
        }
    )


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

    Raises
    ------
    TypeError, ValueError
        These are no snapshots, or a column is missing, which the message names.
    """
    known = in_order(seen(snapshots, ("repo", "observed_at", *_COUNTS.values())))
    told: dict[str, Any] = {name: known[name] for name in ("repo", "observed_at")}
    for name, column in _COUNTS.items():
        values: Any = known[column].astype(COUNT)
        before = values.groupby(known["code"]).ffill().groupby(known["code"]).shift()
        told |= {column: values, f"{name}_change": values - before}
    return REPOS_OVER_TIME.of({**told, "is_gap": _gaps(known)})


def seen(snapshots: Any, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the repositories of snapshots, or of their frame ``repos``."""
    repos = snapshots.repos if isinstance(snapshots, Snapshots) else snapshots
    OBSERVED_REPOS.require(repos, columns)
    return repos[list(columns)]


def in_order(repos: pd.DataFrame) -> pd.DataFrame:
    """Sort by repository and time, number the repositories, and keep the last of equal times."""
    code, _ = pd.factorize(repos["repo"], sort=True)
    at = _micros(repos["observed_at"])
    order = np.lexsort((at, code))
    code, at = code[order], at[order]
    is_last = np.ones(len(order), dtype=bool)
    is_last[:-1] = (code[1:] != code[:-1]) | (at[1:] != at[:-1])
    kept = repos.take(order[is_last]).reset_index(drop=True)
    return kept.assign(code=code[is_last])


def _micros(dates: pd.Series) -> Whole:
    moments = dates.dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.asarray(moments.view("int64"), dtype=np.int64)


def _is_gap(days: npt.NDArray[np.float64], code: Whole) -> Flags:
    usual = pd.Series(days).groupby(code).transform("median")
    return np.asarray(days > _GAP * usual.to_numpy("float64"), dtype=bool)


def _gaps(known: pd.DataFrame) -> pd.Series:
    """Mark the observations that come late; the first of a repository is neither late nor not."""
    code, at = known["code"].to_numpy(), _micros(known["observed_at"])
    later = np.flatnonzero(code[1:] == code[:-1]) + 1
    marked = pd.Series(pd.NA, known.index, dtype="boolean")
    marked.iloc[later] = _is_gap((at[later] - at[later - 1]) / _DAY, code[later])
    return marked
