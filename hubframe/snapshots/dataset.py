"""What lies at a place: parts of runs, each of three files of one name in three folders.

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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from hubframe.errors import InvalidReferenceError, NotFoundError, PayloadError
from hubframe.frames.selection import references
from hubframe.snapshots.storage import SUFFIX, Place
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS, OF_RUN, RUNS, Snapshots
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC, Table

FORMAT = 1
_FOLDERS = {RUNS: "runs", OBSERVED_REPOS: "repos", OBSERVED_TAGS: "tags"}
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# When a part was begun, at the end of its name. [nanoseconds]
_MADE = re.compile(r"-([0-9a-f]{16})[0-9a-f]{6}\.parquet")
# What tells which of two parts of a run has the last word on a repository.
_PLACED = ("run", "part", "repo")
Failure = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """What is written at once: the rows of `runs`, and what these runs saw."""

    name: str
    runs: pd.DataFrame
    repos: pd.DataFrame
    tags: pd.DataFrame

    def write(self, place: Place) -> None:
        """Append it, the row that makes it count last."""
        date = self.runs["observed_at"].iloc[0]
        for table, frame in (
            (OBSERVED_TAGS, self.tags),
            (OBSERVED_REPOS, self.repos),
            (RUNS, self.runs),
        ):
            path = f"{_FOLDERS[table]}/date={date:%Y-%m-%d}/{self.name}{SUFFIX}"
            place.write(path, _arrow_table(frame, table))


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
        first asked for. Where a run was begun again its last word on a repository counts.

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
    at = _open(place)
    chosen = _Chosen(
        None if since is None else read_moment("since", since),
        None if until is None else read_moment("until", until),
        None if repos is None else tuple(one.repo for one in references(repos)),
        None if columns is None else _known_columns(columns),
    )
    return chosen.read(at)


def read_parts(place: Place, names: Iterable[str]) -> Snapshots:
    """Read some parts alone."""
    return _Chosen(parts=frozenset(names)).read(place)


@dataclass(frozen=True)
class _Chosen:
    """What of a place is read."""

    since: pd.Timestamp | None = None
    until: pd.Timestamp | None = None
    repos: tuple[str, ...] | None = None
    columns: frozenset[str] | None = None
    parts: frozenset[str] | None = None

    def read(self, place: Place) -> Snapshots:
        """Read the runs, and have the frames read when they are wanted."""
        runs, paths = self._runs(place)
        return Snapshots(runs, lambda table: self._frame(place, table, runs, paths))

    def _runs(self, place: Place) -> tuple[pd.DataFrame, list[str]]:
        paths = [path for path in place.names(_FOLDERS[RUNS]) if self._may_hold(path)]
        if not paths:
            return RUNS.frame(), []
        runs = _frame(_read(place, paths, RUNS, list(RUNS.dtypes)), RUNS)
        _check_format(runs, place)
        if self.since is not None:
            runs = runs[runs["observed_at"] >= self.since]
        if self.until is not None:
            runs = runs[runs["observed_at"] <= self.until]
        runs = runs.sort_values(["observed_at", "part"], kind="stable").reset_index(drop=True)
        rank = {part: place for place, part in enumerate(runs["part"].drop_duplicates())}
        kept = sorted((path for path in paths if _part(path) in rank), key=lambda p: rank[_part(p)])
        return runs, [path.partition("/")[2] for path in kept]

    def _may_hold(self, path: str) -> bool:
        """Tell by its name alone whether a file may hold what is wanted."""
        if self.parts is not None and _part(path) not in self.parts:
            return False
        day = path.partition("date=")[2][: len("2026-11-24")]
        is_early = self.since is not None and day < f"{self.since:%Y-%m-%d}"
        return not is_early and (self.until is None or day <= f"{self.until:%Y-%m-%d}")

    def _frame(
        self, place: Place, table: Table, runs: pd.DataFrame, paths: Sequence[str]
    ) -> pd.DataFrame:
        wanted = self._wanted(table)
        # A part of an import holds many runs, of which some may lie outside of what is wanted.
        again = runs.loc[runs.duplicated("run", keep=False), "run"].unique()
        needed = [*wanted, *(_PLACED if len(again) else ())]
        needed = [name for name in table.dtypes if name in needed]
        if not paths:
            return table.frame()[wanted]
        inside = [f"{_FOLDERS[table]}/{path}" for path in paths]
        read = _read(place, inside, table, needed, self._filter())
        frame = _frame(read, table)
        if len(again):
            frame = self._last_words(place, frame, paths, set(again))
        return frame[wanted]

    def _wanted(self, table: Table) -> list[str]:
        return [name for name in table.dtypes if self.columns is None or name in self.columns]

    def _filter(self) -> Any:
        import pyarrow.dataset as ds  # noqa: PLC0415 - loaded when used

        filters = []
        if self.repos is not None:
            filters.append(ds.field("repo").isin(list(self.repos)))
        if self.since is not None:
            filters.append(ds.field("observed_at") >= self.since.to_pydatetime())
        if self.until is not None:
            filters.append(ds.field("observed_at") <= self.until.to_pydatetime())
        return _all_of(filters)

    def _last_words(
        self, place: Place, frame: pd.DataFrame, paths: Sequence[str], again: set[str]
    ) -> pd.DataFrame:
        """Keep of each run and repository the last part that read its tags, else the last."""
        names = [*_PLACED, "tag_count"]
        inside = [f"{_FOLDERS[OBSERVED_REPOS]}/{path}" for path in paths]
        read = _read(place, inside, OBSERVED_REPOS, names, self._filter())
        seen = _frame(read, OBSERVED_REPOS)
        seen = seen[seen["run"].isin(again)]
        order = seen["tag_count"].notna().sort_values(kind="stable").index
        last = seen.loc[order].drop_duplicates(["run", "repo"], keep="last")
        kept = pd.MultiIndex.from_frame(last[list(_PLACED)])
        is_last = pd.MultiIndex.from_frame(frame[list(_PLACED)]).isin(kept)
        return frame[is_last | ~frame["run"].isin(again)].reset_index(drop=True)


def _read(
    place: Place, paths: Sequence[str], table: Table, columns: Sequence[str], where: Any = None
) -> Any:
    """Read files into one table of pyarrow, in their order; columns that a file lacks are null.

    Raises
    ------
    PayloadError
        A file is not what was written.
    NotFoundError
        One is gone.
    """
    import pyarrow as pa  # noqa: PLC0415 - loaded when used
    import pyarrow.dataset as ds  # noqa: PLC0415

    full = [f"{place.root}/{path}" for path in paths]
    try:
        files = ds.dataset(full, _arrow_schema(table), format="parquet", filesystem=place.files)
        return files.to_table(columns=list(columns), filter=where)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise PayloadError(
            f"a snapshot in {place.shown} cannot be read: {error}. Move the file that it names "
            "out of the folder runs to go on without that run"
        ) from error
    except FileNotFoundError as error:
        raise NotFoundError(
            f"{place.shown}: a run has lost a file: {error}. Bring it back, or move the file of "
            "the same name out of the folder runs to go on without that run"
        ) from error


def _all_of(filters: Sequence[Any]) -> Any:
    whole = None
    for one in filters:
        whole = one if whole is None else whole & one
    return whole


def clear_unfinished(
    place: str | os.PathLike[str],
    *,
    older_than: timedelta = timedelta(days=1),
    dry_run: bool = False,
) -> list[str]:
    """Delete what runs that were killed have left behind.

    `hubframe.read_snapshots` reads none of it; other readers of the folders do. It may run while
    others write: what was begun of late stays.

    Parameters
    ----------
    place
        A folder, or an address that fsspec knows.
    older_than
        How long ago the run was begun, by the clock of who wrote it.
    dry_run
        Only tell what would go.

    Returns
    -------
    list of str
        The files that went, by their paths within the place. Files of a run whose own file was
        moved out of the folder ``runs`` are among them.

    Raises
    ------
    NotFoundError
        There is no such place.
    """
    at = _open(place)
    # The runs last: one that ends meanwhile is seen to have ended.
    drafts = [path for folder in _FOLDERS.values() for path in at.drafts(folder)]
    written = [
        path for table in (OBSERVED_REPOS, OBSERVED_TAGS) for path in at.names(_FOLDERS[table])
    ]
    finished = {_part(path) for path in at.names(_FOLDERS[RUNS])}
    left = [*drafts, *(path for path in written if _part(path) not in finished)]
    until = time.time_ns() - round(older_than.total_seconds() * 1e9)
    old = [path for path in left if (made := _MADE.search(path)) and int(made[1], 16) <= until]
    for path in old if not dry_run else ():
        at.delete(path)
    return old


def _open(place: str | os.PathLike[str]) -> Place:
    at = Place.open(place)
    if not at.is_there():
        raise NotFoundError(
            f"there are no snapshots at {at.shown}: hubframe.snapshot(…, to=…) makes some"
        )
    return at


def seen_from(place: Place, source: str) -> set[tuple[str, str]]:
    """Return which repositories the runs of a source have seen: pairs of run and repository."""
    runs = _Chosen().read(place).runs
    parts = frozenset(runs.loc[runs["source"] == source, "part"])
    repos = _Chosen(parts=parts, columns=frozenset({"run", "repo"})).read(place).repos
    return set(zip(repos["run"], repos["repo"], strict=True))


def seen_by(place: Place, run: str, *, with_tags: bool) -> set[str]:
    """Return the repositories that a run has seen, with all their tags where these are wanted."""
    snapshots = _Chosen().read(place)
    parts = frozenset(snapshots.runs.loc[snapshots.runs["run"] == run, "part"])
    columns = frozenset({"repo", "tag_count"})
    repos = replace(_Chosen(parts=parts), columns=columns).read(place).repos
    return set(repos.loc[repos["tag_count"].notna() | (not with_tags), "repo"])


def read_moment(name: str, written: datetime | str) -> pd.Timestamp:
    """Read a moment that was given under some name; without a zone it is in UTC.

    Raises
    ------
    ValueError
        It is no date.
    """
    try:
        # Not by pandas, to which "now" and numbers are dates.
        read = datetime.fromisoformat(written) if isinstance(written, str) else written
        if pd.isna(read) or not isinstance(read, datetime):
            raise TypeError  # noqa: TRY301 - as a text that cannot be read
        at = pd.Timestamp(read)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={written!r} is no date: write it as 2026-11-24") from None
    return at.tz_localize("UTC") if at.tz is None else at.tz_convert("UTC")


def read_run(run: str | None, observed_at: pd.Timestamp) -> str:
    """Read the name of a run; a run without one has the moment for a name, and is its own.

    Raises
    ------
    InvalidReferenceError
        It cannot be part of a file's name.
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
    missing = {name: None for name in table.dtypes if name not in frame}
    at = pd.Timestamp(row["observed_at"])
    of_run = {column.name: row[column.name] for column in OF_RUN} | {"observed_at": at}
    return table.of(frame.reset_index(drop=True).assign(**missing | of_run))


def _check_format(runs: pd.DataFrame, place: Place) -> None:
    newest = runs["format"].max()
    if newest is not pd.NA and newest > FORMAT:
        raise PayloadError(
            f"{place.shown} holds snapshots of format {newest}, and this hubframe knows {FORMAT}: "
            "they were written by a newer one; install it to read them"
        )


def _known_columns(columns: Iterable[str]) -> frozenset[str]:
    wanted = frozenset([columns] if isinstance(columns, str) else columns)
    known = {*OBSERVED_REPOS.dtypes, *OBSERVED_TAGS.dtypes}
    if unknown := wanted - known:
        raise ValueError(
            f"snapshots have no column {', '.join(sorted(map(repr, unknown)))}; "
            f"they have {', '.join(sorted(known))}"
        )
    return wanted


def _part(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(SUFFIX)


def _arrow_types() -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415 - loaded when used

    return {
        TEXT: pa.string(),
        COUNT: pa.int64(),
        FLOAT: pa.float64(),
        FLAG: pa.bool_(),
        UTC: pa.timestamp("us", "UTC"),
    }


def _arrow_schema(table: Table) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - loaded when used

    types = _arrow_types()
    return pa.schema([(name, types[dtype]) for name, dtype in table.dtypes.items()])


def _arrow_table(frame: pd.DataFrame, table: Table) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - loaded when used

    made = pa.Table.from_pandas(frame, _arrow_schema(table), preserve_index=False)
    return made.replace_schema_metadata({"hubframe.snapshots": str(FORMAT)})


def _frame(read: Any, table: Table) -> pd.DataFrame:
    """Build a frame of what pyarrow read, with the dtypes of its table."""
    types = _arrow_types()
    back = {
        types[TEXT]: pd.StringDtype(na_value=float("nan")),
        types[COUNT]: pd.Int64Dtype(),
        types[FLOAT]: pd.Float64Dtype(),
        types[FLAG]: pd.BooleanDtype(),
    }
    frame: pd.DataFrame = read.to_pandas(types_mapper=back.get)
    return frame.astype({name: dtype for name, dtype in table.dtypes.items() if name in frame})
