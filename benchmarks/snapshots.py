"""A year of daily snapshots, read and turned into pulls per day, beside DuckDB on the same files; in seconds.

hubframe's own writer writes them. The best of three times of each side, in turns; both must find the same.
"""

import gc
import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hubframe
from hubframe.tables import REPOS

_FIRST = pd.Timestamp("2025-01-01T06:00Z")
_COLUMNS = ("repo", "observed_at", "pull_count")
# One day in fifty nobody looked, and one count in ten thousand was set back.
_MISSED, _RESET = 50, 1e-4
_DUCKDB = """
    WITH steps AS (
        SELECT repo, observed_at, pull_count - lag(pull_count) OVER days AS change,
            epoch_us(observed_at) - epoch_us(lag(observed_at) OVER days) AS micros
        FROM read_parquet('{place}/repos/*/*.parquet')
        WHERE pull_count IS NOT NULL
        WINDOW days AS (PARTITION BY repo ORDER BY observed_at)
    )
    SELECT repo, observed_at, change,
        CASE WHEN change >= 0 THEN change / (micros / 86400e6) END AS pulls_per_day
    FROM steps WHERE change IS NOT NULL ORDER BY repo, observed_at
"""


@dataclass(frozen=True)
class Scale:
    """How much there is to read, and how often."""

    repos: int = 10_000
    days: int = 365
    repeats: int = 3


FULL, QUICK = Scale(), Scale(200, 30, 1)


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """Write the snapshots, and time all sides.

    Returns
    -------
    list of dict
        A row: ``repos``, ``days``, the ``rows`` of the answer, and the seconds of each side that is installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), scale)
        return [{"repos": scale.repos, "days": scale.days, **_seconds(Path(folder), scale.repeats)}]


def _write(place: Path, scale: Scale, seed: int = 1) -> None:
    """Write a run a day."""
    chance = np.random.default_rng(seed)
    names = [f"team-{n % 997}/service-{n}" for n in range(scale.repos)]
    repos = REPOS.from_records(
        {"repo": name, "description": f"What {name} is for.", "star_count": 3} for name in names
    )
    pulls = (10 ** chance.uniform(1, 9, scale.repos)).astype("int64")
    rate = pulls * 0.002 + 1
    for day in range(scale.days):
        pulls += chance.poisson(rate)
        pulls[chance.random(scale.repos) < _RESET] = 0
        if day % _MISSED != _MISSED - 1:
            at = _FIRST + pd.Timedelta(days=day)
            hubframe.add_snapshot(to=place, repos=repos.assign(pull_count=pulls), observed_at=at)


def _ours(place: Path) -> pd.DataFrame:
    """Read the columns that it takes, and turn them into pulls per day."""
    return hubframe.pulls_over_time_df(hubframe.read_snapshots(place, columns=_COLUMNS))


def _theirs(place: Path) -> pd.DataFrame:
    """Do the same in SQL."""
    import duckdb  # noqa: PLC0415 - whoever has none of it measures hubframe alone

    with duckdb.connect() as connection:
        return connection.sql(_DUCKDB.format(place=place)).df()


def _seconds(place: Path, repeats: int) -> dict[str, Any]:
    """Time all sides, and check that they agree."""
    sides: dict[str, Callable[[Path], pd.DataFrame]] = {"hubframe": _ours}
    if importlib.util.find_spec("duckdb"):
        sides["duckdb"] = _theirs
    answers = [run(place)[["change", "pulls_per_day"]] for run in sides.values()]
    first, *others = (frame.to_numpy("float64", na_value=np.nan) for frame in answers)
    for other in others:
        np.testing.assert_allclose(first, other)
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(repeats):
        for side, run in sides.items():
            gc.collect()
            began = time.perf_counter()
            run(place)
            best[side] = min(best[side], time.perf_counter() - began)
    return {"rows": len(first), **best}
