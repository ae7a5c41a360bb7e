"""Dates of pushes and pulls, and the days between them."""

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from hubframe.tables.schema import UTC

# Before the first registry, a date stands for "no date": some write year 1.
_FIRST = pd.Timestamp("2000-01-01", tz="UTC")
_SECONDS = 86_400


def dated(dates: pd.Series) -> pd.Series:
    """Null the dates that stand for "no date"."""
    return dates.mask(dates < _FIRST)


def moments(values: Iterable[pd.Timestamp | None]) -> pd.Series:
    """Make a column of dates, also where there are none."""
    # Not by astype: a column of nulls alone has no zone, and takes none.
    return pd.Series(list(values), dtype=UTC)


def days_between(earlier: pd.Series, later: pd.Series) -> pd.Series:
    """Count days, to the hundredth; null where a date is."""
    return days(later - earlier).round(2)


def days(spans: pd.Series) -> pd.Series:
    """Read spans of time as days, with their fractions."""
    counted: pd.Series = spans.dt.total_seconds() / _SECONDS
    return counted.astype("Float64")


def last_used(pushed: pd.Series, pulled: pd.Series) -> pd.Series:
    """Return the last pull, or the push where that came later."""
    return pulled.where(pulled.notna() & ~(pulled < pushed), pushed)


def read_now(now: datetime | str | None) -> pd.Timestamp:
    """Read the moment that ages count to: None for this one; without a zone it is in UTC."""
    if now is None:
        return pd.Timestamp.now("UTC")
    if not isinstance(now, datetime | str):
        raise TypeError(f"now must be a date or its text, not {now!r}")
    return read_moment("now", now)


def read_moment(name: str, written: datetime | str) -> pd.Timestamp:
    """Read a moment that was given under some name; without a zone it is in UTC."""
    try:
        # Not by pandas, to which "now", "" and numbers are dates.
        read = datetime.fromisoformat(written) if isinstance(written, str) else written
    except ValueError:
        read = None
    if not isinstance(read, datetime) or pd.isna(read):
        raise ValueError(f"{name}={written!r} is no date: write it as 2026-11-24")
    at = pd.Timestamp(read)
    return at.tz_localize("UTC") if at.tz is None else at.tz_convert("UTC")
