"""Takes a snapshot: asks anew, and appends what it saw."""

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from hubframe.errors import (
    HubframeError,
    IncompleteWarning,
    InvalidReferenceError,
    NotFoundError,
    TransportError,
)
from hubframe.frames import cache
from hubframe.frames import images as frames
from hubframe.frames.call import Errors
from hubframe.frames.selection import What, references
from hubframe.oci.reference import ImageReference, parse_namespace
from hubframe.snapshots.adding import add_snapshot
from hubframe.snapshots.dataset import Failure, read_run, seen_by
from hubframe.snapshots.storage import Place
from hubframe.tables import REPOS, TAGS
from hubframe.tables.observed import RUNS
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
    wanted = _read_frames(frames)
    asked = _Asked.read(what)
    if run is not None:
        read_run(run, pd.Timestamp.now("UTC"))
    place = Place.open(to)
    place.prepare()
    known = seen_by(place, run, with_tags="tags" in wanted) if run is not None else set()
    with cache.refresh():
        looked = _look(asked, known, wanted, {"errors": errors, "progress": progress}, client)
    told = looked.told
    if looked.repos.empty and told["failures"]:
        first = told["failures"][0]
        raise HubframeError(
            f"nothing could be seen, and nothing was written: {first['ref']}: {first['message']}"
        )
    if looked.repos.empty and known:
        written = RUNS.frame()
    else:
        written = add_snapshot(to=to, repos=looked.repos, tags=looked.tags, run=run)
    written.attrs["hubframe"] = told
    return written


@dataclass(frozen=True)
class _Asked:
    """Namespaces, and repositories that were named."""

    namespaces: tuple[str, ...]
    repositories: tuple[ImageReference, ...]

    @classmethod
    def read(cls, what: Any) -> Self:
        """Read what is to be seen; a name without a slash is a namespace."""
        if isinstance(what, pd.DataFrame) and "repo" not in what and "namespace" in what:
            return cls(tuple(map(parse_namespace, what["namespace"].unique())), ())
        if isinstance(what, pd.DataFrame | ImageReference):
            return cls((), _repositories(what))
        if isinstance(what, bytes | Mapping) or not isinstance(what, Iterable):
            raise TypeError(
                f"expected namespaces, repositories or a frame, not {type(what).__name__}"
            )
        words = [what] if isinstance(what, str) else list(what)
        spaces = [word for word in words if isinstance(word, str) and "/" not in word]
        named = [word for word in words if word not in spaces]
        return cls(tuple(dict.fromkeys(map(parse_namespace, spaces))), _repositories(named))

    @property
    def listed(self) -> list[str]:
        """The namespaces that have to be listed: the Hub tells pulls there."""
        owners = [one.namespace for one in self.repositories if one.is_hub]
        return list(dict.fromkeys([*self.namespaces, *owners]))


def _repositories(what: Any) -> tuple[ImageReference, ...]:
    if isinstance(what, pd.DataFrame) and "repo" in what:
        what = what[["repo"]]
    found = references(what)
    for one in found:
        if one.tag or one.digest:
            raise InvalidReferenceError(
                f"{one} names an image: snapshots are of whole repositories, "
                f"{one.repo} without a tag or a digest"
            )
    return tuple(found)


def _read_frames(names: Iterable[str]) -> frozenset[str]:
    wanted = frozenset([names] if isinstance(names, str) else names)
    if "repos" not in wanted or wanted - set(FRAMES):
        raise ValueError(f'frames must be ["repos"] or ["repos", "tags"], not {sorted(wanted)}')
    return wanted


@dataclass(frozen=True)
class _Seen:
    """What was seen."""

    repos: pd.DataFrame
    tags: pd.DataFrame | None

    @property
    def told(self) -> dict[str, Any]:
        """Say of both frames what each says of itself."""
        given = [one.attrs["hubframe"] for one in (self.repos, self.tags) if one is not None]
        failures = [failure for one in given for failure in one["failures"]]
        return {
            "table": RUNS.name,
            "source": "+".join(sorted({one["source"] for one in given if one["source"]})) or None,
            "sample": given[0]["sample"],
            "fetched_at": min(one["fetched_at"] for one in given),
            "complete": not failures,
            "requests": sum(one["requests"] for one in given),
            "failures": failures,
        }


def _look(
    asked: _Asked,
    known: set[str],
    wanted: frozenset[str],
    options: dict[str, Any],
    client: Client | None,
) -> _Seen:
    """Ask for repositories, then for the tags of those that the run has not seen yet."""
    listed = frames.repos_df(asked.listed, **options, client=client)
    told = _fresh(listed)
    named = [one.repo for one in asked.repositories if one.is_hub]
    chosen = listed[listed["namespace"].isin(asked.namespaces) | listed["repo"].isin(named)]
    lost = _lost(asked, listed)
    if lost and options["errors"] == "raise":
        raise NotFoundError(lost[0]["message"])
    for failure in lost:
        warnings.warn(failure["message"], IncompleteWarning, stacklevel=3)
    elsewhere = [_row(one) for one in asked.repositories if not one.is_hub]
    rows = pd.concat([chosen, REPOS.from_records(elsewhere)], ignore_index=True)
    rows = rows[~rows["repo"].isin(known)].reset_index(drop=True)
    rows.attrs["hubframe"] = {**told, "failures": [*told["failures"], *lost]}
    if "tags" not in wanted:
        return _Seen(rows, None)
    if rows.empty:
        return _Seen(rows, _nothing(told))
    tags = frames.tags_df(rows[["repo"]], **options, client=client)
    _fresh(tags)
    return _Seen(rows, tags)


def _nothing(told: Mapping[str, Any]) -> pd.DataFrame:
    tags = TAGS.frame()
    tags.attrs["hubframe"] = {**told, "source": None, "requests": 0, "failures": []}
    return tags


def _row(one: ImageReference) -> dict[str, str]:
    name = one.path.partition("/")[2] or one.path
    return {"repo": one.repo, "namespace": one.namespace, "name": name}


def _lost(asked: _Asked, listed: pd.DataFrame) -> list[Failure]:
    """Name the repositories that their namespaces do not list, though these could be listed."""
    failed = {failure["ref"] for failure in listed.attrs["hubframe"]["failures"]}
    there = set(listed["repo"])
    return [
        {
            "ref": str(one),
            "error": NotFoundError.__name__,
            "message": f"{one.repo}: {one.namespace} lists no such repository, or it is private",
        }
        for one in asked.repositories
        if one.is_hub and one.repo not in there and one.namespace not in failed
    ]


def _fresh(frame: pd.DataFrame) -> dict[str, Any]:
    """Refuse old answers: they would be written as if they were of today."""
    told: dict[str, Any] = frame.attrs["hubframe"]
    if told["stale"]:
        raise TransportError(
            "nothing was written: the other side does not answer, and the cache holds only what "
            f"it said by {told['fetched_at']}. Try again when it does"
        )
    return told
