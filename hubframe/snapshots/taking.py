"""Takes a snapshot: fetches everything again, and appends what it saw."""

import os
import warnings
from collections.abc import Iterable, Mapping
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
from hubframe.oci.reference import ImageReference, is_namespace_page, parse_namespace
from hubframe.snapshots.adding import add_snapshot
from hubframe.snapshots.dataset import Failure, read_run, seen_by
from hubframe.snapshots.storage import Storage
from hubframe.tables import REPOS, TAGS
from hubframe.tables.observed import RUNS
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

    The Hub gives today's pulls and what a tag points at today, never yesterday's. Taken every day,
    snapshots show how they moved: `hubframe.read_snapshots` reads them. Everything is fetched
    again, past the cache; it costs no pull.

    Parameters
    ----------
    what
        Namespaces of Docker Hub (text without a slash: ``"ansible"``), repositories
        (``"library/nginx"``, ``"ghcr.io/org/app"``), a list of them, or a frame with a column
        ``repo`` or ``namespace``.
    to
        A folder, or an address that fsspec knows, such as ``s3://bucket/folder``; it is made where
        it is missing. Files are written whole or not at all, and never changed.
    run
        A name for the run, such as the day. A run of that name that is there already is continued:
        only repositories that it lacks are asked for, so that a command may be repeated until it is
        complete. Without a name each call is a run of its own.
    frames
        ``["repos"]`` leaves tags out: pulls and stars of a namespace take a request for each
        hundred repositories, tags one for each hundred tags of each.
    errors
        ``"collect"`` records what fails and goes on, since what is not seen today is lost;
        ``"raise"`` then writes nothing.
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
            read = len(repos) > 0
            tags = _fresh(hubframe.tags_df(repos[["repo"]], **options)) if read else TAGS.frame()
    record = joined_attrs([one for one in (repos, tags) if one is not None and one.attrs])
    record |= {"table": RUNS.name, "complete": not record["failures"]}
    if repos.empty and record["failures"]:
        first = record["failures"][0]
        raise HubframeError(
            f"nothing could be seen, and nothing was written: {first['ref']}: {first['message']}"
        )
    if repos.empty and known:
        written = RUNS.frame()
    else:
        written = add_snapshot(to=to, repos=repos, tags=tags, run=run)
    written.attrs["hubframe"] = record
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
        texts = [word for word in words if isinstance(word, str)]
        spaces = [text for text in texts if "/" not in text or is_namespace_page(text)]
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
    """List repositories: those of Docker Hub out of their namespaces, which have their pulls."""
    on_hub = [one for one in repositories if one.is_hub]
    listed = _fresh(hubframe.repos_df([*namespaces, *(one.namespace for one in on_hub)], **options))
    record = listed.attrs["hubframe"]
    failed = {failure["ref"] for failure in record["failures"]}
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
    rows.attrs["hubframe"] = {**record, "failures": [*record["failures"], *lost]}
    return rows


def _fresh(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse old answers: they would be written as if they were of today."""
    record = frame.attrs["hubframe"]
    if record["stale"]:
        raise TransportError(
            "nothing was written: the other side does not answer, and the cache holds only what "
            f"it said by {record['fetched_at']}. Try again when it does"
        )
    return frame
