"""Appends frames as a run: what was fetched just now, or what was kept in another form."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

import pandas as pd

from hubframe.errors import InvalidReferenceError
from hubframe.measure.dates import read_moment
from hubframe.oci.reference import ImageReference
from hubframe.snapshots.dataset import Failure, observed, part_name, read_run, run_row, write_part
from hubframe.snapshots.storage import Storage
from hubframe.tables import REPOS, TAGS
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS, RUNS
from hubframe.tables.schema import joined_attrs


def add_snapshot(
    *,
    to: str | os.PathLike[str],
    repos: pd.DataFrame | None = None,
    tags: pd.DataFrame | None = None,
    observed_at: datetime | str | None = None,
    run: str | None = None,
) -> pd.DataFrame:
    """Append frames to the snapshots of a place, as one run. Nothing is fetched.

    This is for what you have already: frames that were fetched for another reason, or figures
    that you kept for years in a form of your own.

    Parameters
    ----------
    to
        A folder, or an address that fsspec knows.
    repos
        The `tables.REPOS` frame, or one with ``repo`` and some of its columns; others are null.
    tags
        In the same way `tables.TAGS`, with all the tags of its repositories; repositories that
        `repos` lists and that have none here are taken to have no tag, unless the frame's
        ``attrs`` say that they failed.
    observed_at
        When they were seen; if left out, when they were fetched by their ``attrs``, else now.
        Without a zone it is in UTC.
    run
        Name of the run, see `hubframe.snapshot`.

    Returns
    -------
    pandas.DataFrame
        The table `runs`: the row that was added.

    Raises
    ------
    InvalidReferenceError
        ``run`` is no name, or a repository none.
    TypeError, ValueError
        Both frames are missing, one is none, or ``observed_at`` is no date.
    """
    given = [frame for frame in (repos, tags) if frame is not None]
    if not given:
        raise ValueError("nothing to add: give repos=, tags= or both")
    if repos is not None:
        REPOS.require(repos, ("repo",))
    if tags is not None:
        TAGS.require(tags, ("repo", "tag"))
    record = joined_attrs(given)
    seen = record["fetched_at"] if observed_at is None else observed_at
    at = pd.Timestamp.now("UTC").floor("s") if seen is None else read_moment("observed_at", seen)
    name = read_run(run, at)
    rows = _rows(repos, tags)
    row = run_row(
        name,
        part_name(name),
        at,
        source=record["source"],
        repo_count=len(rows),
        tag_count=0 if tags is None else len(tags),
        failures=record["failures"],
    )
    runs = RUNS.from_records([row])
    write_part(
        Storage.open(to),
        runs,
        observed(rows, OBSERVED_REPOS, row),
        observed(TAGS.frame() if tags is None else tags, OBSERVED_TAGS, row),
    )
    return runs


def _rows(repos: pd.DataFrame | None, tags: pd.DataFrame | None) -> pd.DataFrame:
    """Make a row for each repository, with how many tags it has where these were read."""
    rows = REPOS.frame() if repos is None else repos.drop_duplicates("repo")
    if tags is None:
        return _named(rows).assign(tag_count=None)
    further = tags.loc[~tags["repo"].isin(rows["repo"]), ["repo"]].drop_duplicates()
    rows = _named(pd.concat([rows, further], ignore_index=True))
    counted = rows["repo"].map(tags.groupby("repo")["tag"].nunique()).fillna(0).astype("Int64")
    failures = tags.attrs.get("hubframe", {}).get("failures", ())
    unread = {repo for failure in failures for repo in _failed(failure)}
    return rows.assign(tag_count=counted.mask(rows["repo"].isin(unread)))


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Fill in the namespace and the name where they are missing: the repository tells them."""
    read = [ImageReference.parse(repo) for repo in rows["repo"]]
    told = {
        "namespace": [one.namespace for one in read],
        "name": [one.path.partition("/")[2] or one.path for one in read],
    }
    columns = {name: pd.Series(one, rows.index, dtype="str") for name, one in told.items()}
    return rows.assign(**{name: rows.get(name, one).fillna(one) for name, one in columns.items()})


def _failed(failure: Failure) -> Iterable[str]:
    with suppress(InvalidReferenceError):
        yield ImageReference.parse(failure["ref"]).repo
