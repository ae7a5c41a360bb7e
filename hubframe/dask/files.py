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
from hubframe.snapshots.storage import SUFFIX, Storage
from hubframe.wire.settings import Settings


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

    order = Order(table, errors, retries, settings, options)
    address = _address(folder)
    storage = Storage.open(address)
    storage.prepare()
    groups = partition.groups(table, repos, repos_per_partition)
    by_name = {_name(names, order): names for names in groups}
    wanted = {
        f"{number:06}-{name}{SUFFIX}": names for number, (name, names) in enumerate(by_name.items())
    }
    done, failed = set(storage.names("rows")), set(storage.names("failures"))
    write = dask.delayed(_write)
    dask.compute(
        *(
            write(names, order, address, file)
            for file, names in wanted.items()
            if f"rows/{file}" not in done or f"failures/{file}" in failed
        )
    )
    failed = set(storage.names("failures"))
    failures = [
        pd.read_parquet(f"{storage.path}/failures/{file}", filesystem=storage.filesystem)
        for file in wanted
        if f"failures/{file}" in failed
    ]
    return FAILURES.of(FAILURES.joined(failures))


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


def _write(names: Sequence[str], order: Order, address: str, file: str) -> None:
    """Fetch a partition and write it, so that it counts as done only once all of it is there."""
    rows, failures = partition.fetch(names, order)
    storage = Storage.open(address)
    if len(failures):
        storage.write(f"failures/{file}", failures)
    storage.write(f"rows/{file}", rows)
    if not len(failures):
        # Those of an earlier time; while they are there the rows may be of that time, too.
        storage.delete(f"failures/{file}")


def _name(names: Sequence[str], order: Order) -> str:
    """Name a partition by what it fetches."""
    keywords = [[key, repr(value)] for key, value in order.keywords.items()]
    what = json.dumps([names, order.table, keywords])
    return hashlib.sha256(what.encode()).hexdigest()[:16]
