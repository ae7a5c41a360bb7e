"""What snapshots consist of: parts of runs, each of three files of one name in three folders.

::

    runs/date=2026-11-24/<part>.parquet      who was asked, when, and what failed
    repos/date=2026-11-24/<part>.parquet     the table `observed_repos`
    tags/date=2026-11-24/<part>.parquet      the table `observed_tags`

The file of ``runs`` is written last: a part without it was never finished, and nobody reads it.
Every part has a name of its own, so two that write at once do not meet.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from hubframe.errors import InvalidReferenceError, NotFoundError, PayloadError
from hubframe.frames.selection import references
from hubframe.measure.dates import read_moment
from hubframe.snapshots.storage import SUFFIX, Storage
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS, OF_RUN, RUNS, Snapshots
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC, Table

try:
    import pyarrow as pa
    import pyarrow.dataset as ds
except ImportError:  # an extra, of which `Storage` tells
    pa = None

FORMAT = 1
# Tags first: what makes a part count is written last.
_FOLDERS = {OBSERVED_TAGS: "tags", OBSERVED_REPOS: "repos", RUNS: "runs"}
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# When a part was begun, at the end of its name. [nanoseconds]
_MADE = re.compile(r"-([0-9a-f]{16})[0-9a-f]{6}\.parquet")
# What decides which of two parts of a run counts for a repository.
_PLACED = ("run", "part", "repo")
_FIRST, _LAST = (pd.Timestamp(day, tz="UTC") for day in ("0001-01-01", "9999-12-31"))
Failure = Mapping[str, str]


def read_snapshots(
    place: str | os.PathLike[str],
    *,
    repos: Any = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    columns: Iterable[str] | None = None,
) -> Snapshots:
    """Read the snapshots that `hubframe.snapshot` appended to a place.

    Parameters
    ----------
    place
        A folder, or an address that fsspec knows.
    repos
        Which repositories, as `hubframe.tags_df` takes them; all if left out.
    since, until
        From when to when, both included; a day alone is its first moment, in UTC.
    columns
        Which columns of the frames; all if left out. A year of many repositories is read in a
        fraction of the time and the memory with the few that a question takes.

    Returns
    -------
    Snapshots
        With the frames ``runs``, ``repos`` and ``tags``; the latter two are read when they are
        first asked for. Where a run was continued, what it saw last of a repository counts.

    Raises
    ------
    NotFoundError
        There is no such place.
    PayloadError
        A file was written by a newer hubframe, or is damaged.
    ValueError
        There is no such column, or a moment is no date.

    Examples
    --------
    >>> import hubframe, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hubframe.sample():
    ...     run = hubframe.snapshot("ansible", to=folder)
    ...     len(hubframe.read_snapshots(folder).repos)
    3
    """
    storage = _open(place)
    first = _FIRST if since is None else read_moment("since", since)
    last = _LAST if until is None else read_moment("until", until)
    named = None if repos is None else [one.repo for one in references(repos)]
    known = {*OBSERVED_REPOS.dtypes, *OBSERVED_TAGS.dtypes}
    wanted = known if columns is None else {columns} if isinstance(columns, str) else {*columns}
    if unknown := wanted - known:
        raise ValueError(
            f"snapshots have no column {', '.join(sorted(map(repr, unknown)))}; "
            f"they have {', '.join(sorted(known))}"
        )
    return select(storage, between=(first, last), repos=named, columns=wanted)


def select(
    storage: Storage,
    *,
    between: tuple[pd.Timestamp, pd.Timestamp] = (_FIRST, _LAST),
    repos: list[str] | None = None,
    columns: AbstractSet[str] | None = None,
    parts: AbstractSet[str] | None = None,
) -> Snapshots:
    """Read the runs, and have the frames read when they are wanted."""
    since, until = between
    first, last = since.isoformat()[:10], until.isoformat()[:10]
    paths = {
        _part(path): path.partition("/")[2]
        for path in storage.names(_FOLDERS[RUNS])
        if first <= path.partition("date=")[2][:10] <= last
        and (parts is None or _part(path) in parts)
    }
    runs = _read(storage, RUNS, list(paths.values()), list(RUNS.dtypes))
    newest = runs["format"].max()
    if newest is not pd.NA and newest > FORMAT:
        raise PayloadError(
            f"{storage.address} holds snapshots of format {newest}, and this hubframe knows "
            f"{FORMAT}: they were written by a newer one; install it to read them"
        )
    runs = runs[runs["observed_at"].between(since, until)]
    runs = runs.sort_values(["observed_at", "part"], kind="stable").reset_index(drop=True)
    chosen = [paths[part] for part in runs["part"].drop_duplicates() if part in paths]
    # A part of an import holds many runs, of which some may lie outside of what is wanted.
    repeated = set(runs.loc[runs.duplicated("run", keep=False), "run"])

    def read(table: Table, names: AbstractSet[str]) -> pd.DataFrame:
        seen = ds.field("observed_at")
        where = (seen >= since.to_pydatetime()) & (seen <= until.to_pydatetime())
        if repos is not None:
            where &= ds.field("repo").isin(repos)
        in_order = [name for name in table.dtypes if name in names]
        return _read(storage, table, chosen, in_order, where)

    def frame(table: Table) -> pd.DataFrame:
        wanted = [name for name in table.dtypes if columns is None or name in columns]
        found = read(table, {*wanted, *(_PLACED if repeated else ())})
        if repeated:
            # Of each run and repository the last part that read its tags counts, else the last.
            seen = read(OBSERVED_REPOS, {*_PLACED, "tag_count"})
            order = seen["tag_count"].notna().sort_values(kind="stable").index
            last = seen.loc[order].drop_duplicates(["run", "repo"], keep="last")
            kept = pd.MultiIndex.from_frame(last[list(_PLACED)])
            is_last = pd.MultiIndex.from_frame(found[list(_PLACED)]).isin(kept)
            found = found[is_last | ~found["run"].isin(repeated)].reset_index(drop=True)
        return found[wanted]

    return Snapshots(runs, frame)


def _read(
    storage: Storage, table: Table, paths: Sequence[str], columns: list[str], where: Any = None
) -> pd.DataFrame:
    """Read files of a table in their order; columns that a file lacks are null.

    A file that is not what was written is a PayloadError, one that is gone a NotFoundError.
    """
    if not paths:
        return table.frame()[columns]
    full = [f"{storage.path}/{_FOLDERS[table]}/{path}" for path in paths]
    # As they are declared: numbers with nulls would pass through floats, and lose digits.
    back = {"int64": pd.Int64Dtype(), "double": pd.Float64Dtype(), "bool": pd.BooleanDtype()}
    try:
        files = ds.dataset(full, _schema(table), format="parquet", filesystem=storage.filesystem)
        read = files.to_table(columns=columns, filter=where)
        frame: pd.DataFrame = read.to_pandas(types_mapper=lambda kind: back.get(str(kind)))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"{storage.address}: a run has lost a file: {error}. Bring it back, or move the file "
            "of the same name out of the folder runs to go on without that run"
        ) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        for path in paths if len(paths) > 1 else ():
            # Names the one that it is.
            _read(storage, table, [path], columns, where)
        # What a damaged file raises depends on which byte of it is another.
        raise PayloadError(
            f"the file {_FOLDERS[table]}/{paths[0]} in {storage.address} cannot be read: {error}. "
            "Move the file of that name out of the folder runs to go on without that run"
        ) from error
    return frame.astype({name: table.dtypes[name] for name in columns})


def write_part(
    storage: Storage, runs: pd.DataFrame, repos: pd.DataFrame, tags: pd.DataFrame
) -> None:
    """Append what some runs saw, the rows that make it count last."""
    date, name = runs["observed_at"].iloc[0], runs["part"].iloc[0]
    frames = {OBSERVED_TAGS: tags, OBSERVED_REPOS: repos, RUNS: runs}
    for table, folder in _FOLDERS.items():
        made = pa.Table.from_pandas(frames[table], _schema(table), preserve_index=False)
        made = made.replace_schema_metadata({"hubframe.snapshots": str(FORMAT)})
        storage.write(f"{folder}/date={date:%Y-%m-%d}/{name}{SUFFIX}", made)


def _schema(table: Table) -> Any:
    types = {TEXT: pa.string(), COUNT: pa.int64(), FLOAT: pa.float64(), FLAG: pa.bool_()}
    types[UTC] = pa.timestamp("us", "UTC")
    return pa.schema([(name, types[dtype]) for name, dtype in table.dtypes.items()])


def clear_unfinished(
    place: str | os.PathLike[str],
    *,
    older_than: timedelta = timedelta(days=1),
    dry_run: bool = False,
) -> list[str]:
    """Delete what runs that were killed have left behind.

    `hubframe.read_snapshots` reads none of it; other readers of the folders do. It may run while
    others write: what was begun recently stays.

    Parameters
    ----------
    place
        A folder, or an address that fsspec knows.
    older_than
        How long ago the run was begun, by the clock of who wrote it.
    dry_run
        Only say what would be deleted.

    Returns
    -------
    list of str
        The files that were deleted, by their paths within the place. Files of a run whose own file
        was moved out of the folder ``runs`` are among them.

    Raises
    ------
    NotFoundError
        There is no such place.
    """
    storage = _open(place)
    left = [path for folder in _FOLDERS.values() for path in storage.drafts(folder)]
    written = [path for folder in ("repos", "tags") for path in storage.names(folder)]
    # Last: a run that ends meanwhile is seen to have ended.
    finished = {_part(path) for path in storage.names("runs")}
    left += [path for path in written if _part(path) not in finished]
    until = time.time_ns() - round(older_than.total_seconds() * 1e9)
    old = [path for path in left if (made := _MADE.search(path)) and int(made[1], 16) <= until]
    for path in old if not dry_run else ():
        storage.delete(path)
    return old


def _open(place: str | os.PathLike[str]) -> Storage:
    storage = Storage.open(place)
    if not storage.is_there():
        raise NotFoundError(
            f"there are no snapshots at {storage.address}: hubframe.snapshot(…, to=…) makes some"
        )
    return storage


def seen_by(storage: Storage, **run: str) -> pd.DataFrame:
    """Return ``run``, ``repo`` and ``tag_count`` of what runs of a name or a source have seen."""
    ((column, value),) = run.items()
    runs = select(storage).runs
    parts = set(runs.loc[runs[column] == value, "part"])
    return select(storage, parts=parts, columns={"run", "repo", "tag_count"}).repos


def read_run(run: str | None, observed_at: pd.Timestamp) -> str:
    """Read the name of a run; a run without one has the moment for a name, and is its own.

    What cannot be part of a file's name is an InvalidReferenceError.
    """
    if run is None:
        return f"{observed_at:%Y-%m-%dT%H%M%SZ}-{secrets.token_hex(4)}"
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise InvalidReferenceError(
            f"{run!r} is no name of a run: use letters, digits, dots, dashes and underscores, "
            "such as 2026-11-24"
        )
    return run


def part_name(run: str) -> str:
    """Name a part of a run, as no other is named; names sort by when they were made."""
    return f"{run}-{time.time_ns():016x}{secrets.token_hex(3)}"


def run_row(  # noqa: PLR0913
    run: str,
    part: str,
    observed_at: pd.Timestamp,
    *,
    source: str | None,
    repo_count: int,
    tag_count: int,
    failures: Sequence[Failure] = (),
) -> dict[str, Any]:
    """Say what a run saw: a row of the table `runs`."""
    return {
        "run": run,
        "part": part,
        "observed_at": observed_at.isoformat(),
        "is_complete": not failures,
        "source": source,
        "repo_count": repo_count,
        "tag_count": tag_count,
        "failure_count": len(failures),
        "failures": json.dumps(list(failures), ensure_ascii=False) if failures else None,
        "format": FORMAT,
    }


def observed(frame: pd.DataFrame, table: Table, row: Mapping[str, Any]) -> pd.DataFrame:
    """Put before rows of `repos` or `tags` which run saw them; columns that they lack are null."""
    of_run = {column.name: row[column.name] for column in OF_RUN}
    of_run["observed_at"] = pd.Timestamp(row["observed_at"])
    rows = frame.reset_index(drop=True).reindex(columns=list(table.dtypes))
    return table.of(rows.assign(**of_run))


def _part(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(SUFFIX)
