"""A crawl: as Dask DataFrames, or into a folder of Parquet, a file for each partition."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from hubframe.dask import partition
from hubframe.dask.partition import FAILURES, Order
from hubframe.frames.call import Errors
from hubframe.frames.selection import What
from hubframe.snapshots.storage import SUFFIX, Storage
from hubframe.tables import TABLES, Table
from hubframe.wire.settings import Settings


class Crawl(NamedTuple):
    """The rows of a crawl and what failed in it, both lazy.

    Compute both at once, ``dask.compute(*crawl)``, and nothing is asked for twice.

    Attributes
    ----------
    frame
        A Dask DataFrame, one partition for each group of repositories.
    failures
        A Dask DataFrame with as many: ``ref``, ``error``, ``message``.
    """

    frame: Any
    failures: Any


def crawl(  # noqa: PLR0913
    table: str,
    repos: What,
    *,
    repos_per_partition: int = 50,
    retries: int = 2,
    errors: Errors = "collect",
    settings: Settings | None = None,
    **options: Any,
) -> Crawl:
    """Fetch the frame of many repositories on a cluster, with what failed beside.

    Parameters
    ----------
    table
        Which frame: ``"repos"`` (of namespaces), ``"tags"``, ``"images"``, ``"layers"``,
        ``"history"``, ``"labels"``, ``"env"``, ``"configs"``, ``"referrers"``, ``"files"``,
        ``"packages"``, ``"distributions"``, ``"sboms"``, ``"provenance"``, ``"materials"``,
        ``"dockerfiles"``, ``"signatures"``, ``"lifecycles"`` or ``"bases"``.
    repos
        As the functions of these frames take it: references, or a frame with a column ``repo``.
    repos_per_partition
        How many repositories a partition holds.
    retries
        How often a partition asks again where the other side gave no usable answer.
    errors
        ``"collect"``: a failure costs its own rows, and stands in ``failures``. ``"raise"``: it
        fails the partition.
    settings
        Where workers look; None for what each worker's environment says. Logins are no part of it,
        or it is a ValueError: workers find their own, as every client does.
    **options
        The other keywords of the frame's function, such as ``newest``, ``platform``, ``source``.

    Returns
    -------
    Crawl
        The rows, with the columns and dtypes of the table, and the failures.

    Examples
    --------
    >>> import dask, hubframe
    >>> with hubframe.sample():
    ...     found = hubframe.dask.crawl("tags", ["library/nginx", "library/no-such"])
    ...     tags, failures = dask.compute(*found, scheduler="synchronous")
    >>> failures["error"].tolist()
    ['NotFoundError']
    """
    import dask  # noqa: PLC0415 - an extra

    order = Order(table, errors, retries, settings, options)
    fetched = dask.delayed(partition.fetch, pure=True, nout=2)
    # One partition without rows, since Dask knows no frame of none.
    groups = partition.groups(table, repos, repos_per_partition) or [[]]
    rows, failures = zip(*(fetched(names, order) for names in groups), strict=True)
    return Crawl(lazy_frame(rows, TABLES[table]), lazy_frame(failures, FAILURES))


def lazy_frame(parts: Sequence[Any], table: Table) -> Any:
    """Make a Dask DataFrame of its partitions, which are delayed."""
    import dask.dataframe  # noqa: PLC0415 - an extra

    # Dask would make all text nullable in another way than the tables declare.
    with dask.config.set({"dataframe.convert-string": False}):
        return dask.dataframe.from_delayed(list(parts), meta=table.frame(), verify_meta=False)


def frame(table: str, repos: What, **options: Any) -> Any:
    """Return the frame of many repositories as a Dask DataFrame; see `crawl`.

    Parameters
    ----------
    table, repos, **options
        See `crawl`, which gives what failed, too.

    Returns
    -------
    dask.dataframe.DataFrame
        A partition for each group of repositories, in the order given.
    """
    return crawl(table, repos, **options).frame


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
    done, failed = set(storage.names("rows")), storage.names("failures")
    write = dask.delayed(_write)
    left = [file for file in wanted if f"rows/{file}" not in done or f"failures/{file}" in failed]
    dask.compute(*(write(wanted[file], order, address, file) for file in left))
    failures = [
        pd.read_parquet(f"{storage.path}/{path}", filesystem=storage.filesystem)
        for path in storage.names("failures")
        if path.partition("/")[2] in wanted
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
