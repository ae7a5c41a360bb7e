"""Takes snapshots: appends what is asked anew, or frames that somebody has already."""

import os
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

import hubframe
from hubframe.errors import (
    HubframeError,
    IncompleteWarning,
    InvalidReferenceError,
    NotFoundError,
    TransportError,
)
from hubframe.frames.call import Errors
from hubframe.frames.selection import What, references
from hubframe.measure.dates import read_moment
from hubframe.oci.reference import ImageReference, parse_namespace
from hubframe.snapshots.dataset import (
    Failure,
    observed,
    part_name,
    read_run,
    run_row,
    seen_by,
    write_part,
)
from hubframe.snapshots.storage import Storage
from hubframe.tables import REPOS, TAGS
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS, RUNS
from hubframe.tables.schema import joined_attrs
from hubframe.wire.client import Client

FRAMES = ("repos", "tags")


def snapshot(  # noqa: PLR0913
    what: What,
    *,
    to: str | os.PathLike[str],
    run: str | None = None,
    frames: Iterable[str] = FRAMES,
    errors: Errors = "collect",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Append what repositories and their tags are now to a Parquet dataset.

    The Hub tells today's pulls and where a tag points today, never yesterday's. Taken every day,
    by cron or in a workflow, snapshots tell how they moved: `hubframe.read_snapshots` reads them.
    Everything is asked anew, past the cache; it costs no pull.

    Parameters
    ----------
    what
        Namespaces of Docker Hub (text without a slash: ``"ansible"``, ``"library"``), repositories
        (``"library/nginx"``, ``"ghcr.io/org/app"``), a list of them, or a frame with a column
        ``repo`` or ``namespace``.
    to
        A folder, or an address that fsspec knows, such as ``s3://bucket/folder``; it is made where
        it is missing. Files are written whole or not at all, and never changed.
    run
        A name for the run, such as the day. A run of that name that is there already is
        gone on with: only repositories that it lacks are asked for, so that a command may be
        repeated until it is complete. Without a name each call is a run of its own.
    frames
        ``["repos"]`` leaves tags out: pulls and stars of a namespace take a request for each
        hundred repositories, tags one for each hundred tags of each.
    errors
        ``"collect"`` records what fails and goes on, since what is not seen today is lost;
        ``"raise"`` writes nothing then.
    progress, client
        See `hubframe.layers_df`.

    Returns
    -------
    pandas.DataFrame
        The table `runs`: the row that was added; none where the run lacked nothing.

    Raises
    ------
    InvalidReferenceError
        Something is neither a namespace nor a repository, or names a tag.
    HubframeError
        Nothing at all could be seen; or pyarrow is not installed.
    TransportError
        The network is down, and the cache has only old answers: they are not written as new.

    Examples
    --------
    >>> import hubframe, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, hubframe.sample():
    ...     hubframe.snapshot("ansible", to=folder)[["repo_count", "is_complete"]].values.tolist()
    [[3, True]]
    """
    wanted = {frames} if isinstance(frames, str) else set(frames)
    if "repos" not in wanted or wanted - set(FRAMES):
        raise ValueError(f'frames must be ["repos"] or ["repos", "tags"], not {sorted(wanted)}')
    namespaces, repositories = _read_asked(what)
    if run is not None:
        read_run(run, pd.Timestamp.now("UTC"))
    storage = Storage.open(to)
    storage.prepare()
    known = set()
    if run is not None:
        seen = seen_by(storage, run=run)
        known = set(seen.loc[seen["tag_count"].notna() | ("tags" not in wanted), "repo"])
    options: dict[str, Any] = {"errors": errors, "progress": progress, "client": client}
    with hubframe.refresh():
        repos = _list(namespaces, repositories, options)
        repos = repos[~repos["repo"].isin(known)].reset_index(drop=True)
        tags = None
        if "tags" in wanted:
            tags = (
                _fresh(hubframe.tags_df(repos[["repo"]], **options)) if len(repos) else TAGS.frame()
            )
    told = joined_attrs([one for one in (repos, tags) if one is not None and one.attrs])
    told |= {"table": RUNS.name, "complete": not told["failures"]}
    if repos.empty and told["failures"]:
        first = told["failures"][0]
        raise HubframeError(
            f"nothing could be seen, and nothing was written: {first['ref']}: {first['message']}"
        )
    if repos.empty and known:
        written = RUNS.frame()
    else:
        written = add_snapshot(to=to, repos=repos, tags=tags, run=run)
    written.attrs["hubframe"] = told
    return written


def _read_asked(what: Any) -> tuple[list[str], list[ImageReference]]:
    """Read which namespaces and repositories are to be seen; a name without a slash is one."""
    if isinstance(what, pd.DataFrame) and "repo" not in what and "namespace" in what:
        return [parse_namespace(name) for name in what["namespace"].unique()], []
    spaces: list[str] = []
    if isinstance(what, pd.DataFrame):
        what = what[["repo"]] if "repo" in what else what
    elif not isinstance(what, ImageReference):
        if isinstance(what, bytes | Mapping) or not isinstance(what, Iterable):
            raise TypeError(
                f"expected namespaces, repositories or a frame, not {type(what).__name__}"
            )
        words = [what] if isinstance(what, str) else list(what)
        spaces = [word for word in words if isinstance(word, str) and "/" not in word]
        what = [word for word in words if word not in spaces]
    found = references(what)
    for one in found:
        if one.tag or one.digest:
            raise InvalidReferenceError(
                f"{one} names an image: snapshots are of whole repositories, "
                f"{one.repo} without a tag or a digest"
            )
    return list(dict.fromkeys(map(parse_namespace, spaces))), found


def _list(
    namespaces: list[str], repositories: list[ImageReference], options: Mapping[str, Any]
) -> pd.DataFrame:
    """List repositories: those of Docker Hub out of their namespaces, which tell their pulls."""
    on_hub = [one for one in repositories if one.is_hub]
    listed = _fresh(hubframe.repos_df([*namespaces, *(one.namespace for one in on_hub)], **options))
    told = listed.attrs["hubframe"]
    failed = {failure["ref"] for failure in told["failures"]}
    lost: list[Failure] = [
        {
            "ref": str(one),
            "error": NotFoundError.__name__,
            "message": f"{one.repo}: {one.namespace} lists no such repository, or it is private",
        }
        for one in on_hub
        if one.repo not in set(listed["repo"]) and one.namespace not in failed
    ]
    if lost and options["errors"] == "raise":
        raise NotFoundError(lost[0]["message"])
    for failure in lost:
        warnings.warn(failure["message"], IncompleteWarning, stacklevel=3)
    named = [one.repo for one in on_hub]
    chosen = listed[listed["namespace"].isin(namespaces) | listed["repo"].isin(named)]
    elsewhere = [{"repo": one.repo} for one in repositories if not one.is_hub]
    rows = pd.concat([chosen, REPOS.from_records(elsewhere)], ignore_index=True)
    rows.attrs["hubframe"] = {**told, "failures": [*told["failures"], *lost]}
    return rows


def _fresh(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse old answers: they would be written as if they were of today."""
    told = frame.attrs["hubframe"]
    if told["stale"]:
        raise TransportError(
            "nothing was written: the other side does not answer, and the cache holds only what "
            f"it said by {told['fetched_at']}. Try again when it does"
        )
    return frame


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
    told = joined_attrs(given)
    seen = told["fetched_at"] if observed_at is None else observed_at
    at = pd.Timestamp.now("UTC").floor("s") if seen is None else read_moment("observed_at", seen)
    name = read_run(run, at)
    rows = _rows(repos, tags)
    row = run_row(
        name,
        part_name(name),
        at,
        source=told["source"],
        repo_count=len(rows),
        tag_count=0 if tags is None else len(tags),
        failures=told["failures"],
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
    names = {
        "namespace": [one.namespace for one in read],
        "name": [one.path.partition("/")[2] or one.path for one in read],
    }
    told = pd.DataFrame(names, rows.index, dtype="str")
    return rows.assign(**{name: rows.get(name, told[name]).fillna(told[name]) for name in names})


def _failed(failure: Failure) -> Iterable[str]:
    try:
        yield ImageReference.parse(failure["ref"]).repo
    except InvalidReferenceError:
        return
