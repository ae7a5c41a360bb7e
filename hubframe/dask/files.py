"""A crawl into a folder of Parquet, a file for each partition: what is there stays."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from hubframe.dask import partition
from hubframe.dask.partition import FAILURES, Order
from hubframe.frames.call import Errors
from hubframe.frames.selection import What
from hubframe.snapshots.storage import SUFFIX, Place
from hubframe.wire.settings import Settings

_ROWS, _FAILED = "rows", "failures"


def to_parquet(  # noqa: PLR0913
    table: str,
    repos: What,
    folder: str | os.PathLike[str],
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
        Where the files go: a folder that every worker sees, or an address that fsspec knows, such
        as ``s3://bucket/folder``. Read it with ``pandas.read_parquet`` or
        ``dask.dataframe.read_parquet`` on ``folder/rows``.

    Returns
    -------
    pandas.DataFrame
        What failed and has no rows: ``ref``, ``error``, ``message``; also kept in
        ``folder/failures``.

    Raises
    ------
    ValueError
        There is no such table, or ``folder`` or ``settings.cache_url`` holds a login.
    HubframeError
        What the address needs is not installed.
    """
    import dask  # noqa: PLC0415 - an extra

    order = Order.of(table, errors, retries, options, settings)
    named = _address(folder)
    place = Place.open(named)
    place.prepare()
    groups = {
        _name(names, order): names for names in partition.groups(table, repos, repos_per_partition)
    }
    wanted = {f"{number:06}-{name}": names for number, (name, names) in enumerate(groups.items())}
    failed = set(place.names(_FAILED))
    done = set(place.names(_ROWS))
    write = dask.delayed(_write)
    dask.compute(
        *(
            write(names, order, named, name)
            for name, names in wanted.items()
            if _file(_ROWS, name) not in done or _file(_FAILED, name) in failed
        )
    )
    there = set(place.names(_FAILED))
    told = [_failures(place, name) for name in wanted if _file(_FAILED, name) in there]
    return FAILURES.of(pd.concat([FAILURES.frame(), *told], ignore_index=True))


def _address(folder: str | os.PathLike[str]) -> str:
    """Name the place as it is named on every worker."""
    named = os.fspath(folder)
    if "://" not in named:
        return str(Path(named).expanduser().absolute())
    if urlsplit(named).password:
        raise ValueError(
            "the folder's address holds a login, which must not travel in tasks: give the workers "
            "theirs, as the address's package reads it"
        )
    return named


def _write(names: Sequence[str], order: Order, folder: str, name: str) -> None:
    """Fetch a partition and write it, so that it counts as done only once all of it is there."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    found, failures = partition.fetch(names, order)
    place = Place.open(folder)
    if len(failures):
        place.write(_file(_FAILED, name), pa.Table.from_pandas(failures, preserve_index=False))
    place.write(_file(_ROWS, name), pa.Table.from_pandas(found, preserve_index=False))
    if not len(failures):
        # Those of an earlier time; while they are there the rows may be of that time, too.
        place.delete(_file(_FAILED, name))


def _failures(place: Place, name: str) -> pd.DataFrame:
    import pyarrow.parquet as pq  # noqa: PLC0415 - an extra

    path = f"{place.root}/{_file(_FAILED, name)}"
    frame: pd.DataFrame = pq.read_table(path, filesystem=place.files).to_pandas()
    return frame


def _file(kind: str, name: str) -> str:
    return f"{kind}/{name}{SUFFIX}"


def _name(names: Sequence[str], order: Order) -> str:
    """Name a partition by what it fetches."""
    what = json.dumps([names, order.table, [[key, repr(value)] for key, value in order.options]])
    return hashlib.sha256(what.encode()).hexdigest()[:16]
