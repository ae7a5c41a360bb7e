"""A crawl as Dask DataFrames: nothing is fetched before it is computed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hubframe.dask import partition
from hubframe.dask.partition import FAILURES, Order
from hubframe.frames.call import Errors
from hubframe.frames.selection import What
from hubframe.tables import FETCHED, Table
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
        ``"history"``, ``"labels"``, ``"env"``, ``"configs"`` or ``"referrers"``.
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
        Where workers look; None for what each worker's environment says. Logins are never part
        of it: workers find their own, as every client does.
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
    return Crawl(lazy_frame(rows, FETCHED[table]), lazy_frame(failures, FAILURES))


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

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     layers = hubframe.dask.frame("layers", ["library/debian", "library/nginx"])
    ...     rows = layers.compute(scheduler="synchronous")
    >>> rows.dtypes.equals(hubframe.tables.LAYERS.frame().dtypes)
    True
    """
    return crawl(table, repos, **options).frame
