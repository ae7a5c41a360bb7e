"""A crawl into a folder of Parquet, a file for each partition: what is there stays."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from hubframe.call import Errors
from hubframe.dask import partition
from hubframe.dask.partition import FAILURES, Order
from hubframe.selection import What
from hubframe.settings import Settings

_FAILED = "failures"


def to_parquet(  # noqa: PLR0913
    table: str,
    repos: What,
    folder: str | Path,
    *,
    repos_per_partition: int = 50,
    retries: int = 2,
    errors: Errors = "collect",
    settings: Settings | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Fetch the frame of many repositories into Parquet, and go on where it was stopped.

    A partition's file appears once it is whole. Started again with the same arguments, only those
    that are missing, and those in which something failed, are fetched: the latter from the cache
    but for what failed. Another order, group size or keyword makes other partitions, so use a
    folder for each crawl.

    Parameters
    ----------
    table, repos, repos_per_partition, retries, errors, settings, **options
        See `crawl`.
    folder
        Where the files go; every worker must see it. Read it with ``pandas.read_parquet`` or
        ``dask.dataframe.read_parquet`` on ``folder/rows``.

    Returns
    -------
    pandas.DataFrame
        What failed and has no rows: ``ref``, ``error``, ``message``; also kept in
        ``folder/failures``.
    """
    import dask  # noqa: PLC0415 - an extra

    order = Order.of(table, errors, retries, options, settings)
    place = Path(folder).absolute()
    for name in ("rows", _FAILED):
        (place / name).mkdir(parents=True, exist_ok=True)
    named = {
        _name(names, order): names for names in partition.groups(table, repos, repos_per_partition)
    }
    numbered = {f"{number:06}-{name}": names for number, (name, names) in enumerate(named.items())}
    write = dask.delayed(_write)
    dask.compute(
        *(
            write(names, order, place, name)
            for name, names in numbered.items()
            if not _is_done(place, name)
        )
    )
    failed = [
        pd.read_parquet(file) for name in numbered if (file := _file(place, _FAILED, name)).exists()
    ]
    return FAILURES.of(pd.concat([FAILURES.frame(), *failed], ignore_index=True))


def _write(names: Sequence[str], order: Order, place: Path, name: str) -> None:
    found, failures = partition.fetch(names, order)
    # The rows come last: they say that a partition is done.
    if len(failures):
        _put(failures, _file(place, _FAILED, name))
    else:
        _file(place, _FAILED, name).unlink(missing_ok=True)
    _put(found, _file(place, "rows", name))


def _put(frame: pd.DataFrame, file: Path) -> None:
    """Write beside, and rename: a worker may be killed at any moment."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        frame.to_parquet(beside, index=False)
        beside.replace(file)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _is_done(place: Path, name: str) -> bool:
    return _file(place, "rows", name).exists() and not _file(place, _FAILED, name).exists()


def _file(place: Path, kind: str, name: str) -> Path:
    return place / kind / f"{name}.parquet"


def _name(names: Sequence[str], order: Order) -> str:
    """Name a partition by what it fetches."""
    what = json.dumps([names, order.table, [[key, repr(value)] for key, value in order.options]])
    return hashlib.sha256(what.encode()).hexdigest()[:16]
