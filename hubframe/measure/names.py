"""The names of a frame's tags, read as those of one repository: their order, and their lines."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from hubframe.measure.dates import dated
from hubframe.oci.tagnames import Kind, TagName, is_digest_tag, moving, newest_first, read_all


def names_of(tags: pd.DataFrame) -> dict[str, dict[str, TagName]]:
    """Read the names of each repository's tags, with their digests where the frame has them.

    Of a tag at several times, the digest of the last row counts.
    """
    columns = tags.columns.intersection(["repo", "tag", "digest"])
    known = tags[columns].dropna(subset=["repo", "tag"])
    known = known.drop_duplicates(["repo", "tag"], keep="last").set_index("tag")
    by_repo: Any = known.groupby("repo")
    return {
        repo: read_all(group.index, group["digest"].to_dict() if "digest" in group else {})
        for repo, group in by_repo
    }


def current(tags: pd.DataFrame) -> pd.DataFrame:
    """Return the tags that name no digest, as they are now: of several rows the last push."""
    columns = ["repo", "tag", "digest"]
    rows = tags[columns].assign(pushed_at=dated(tags["pushed_at"])).dropna(subset="tag")
    rows = rows[~rows["tag"].map(is_digest_tag).astype(bool)]
    rows = rows.sort_values(["pushed_at", *columns], na_position="first")
    return rows.drop_duplicates(["repo", "tag"], keep="last")


def line_names(names: Mapping[str, TagName]) -> dict[str, str]:
    """Name the line of each release: ``*-alpine`` for the versions of a variant.

    Pre-releases are in none, nor are tags that are meant to move: others go on from their numbers,
    or the same image has a build besides.
    """
    moved = moving(names.values())
    lines = {}
    for tag, name in names.items():
        if not name.stage and name.kind >= Kind.DATE and tag not in moved:
            prefix = "" if name.is_version else name.prefix
            what = "<day>" if name.kind is Kind.DATE else "*"
            lines[tag] = f"{prefix}{what}{name.variant and f'-{name.variant}'}"
    return lines


def among(
    tags: pd.DataFrame,
    names: Mapping[str, Mapping[str, TagName]],
    choose: Callable[[Iterable[TagName]], set[str]],
) -> pd.Series:
    """Tell of each row whether its tag is chosen among the names of its repository."""
    chosen = {(repo, tag) for repo, of_repo in names.items() for tag in choose(of_repo.values())}
    keys = zip(tags["repo"], tags["tag"], strict=True)
    return pd.Series([key in chosen for key in keys], tags.index, dtype="bool")


def places(tags: pd.DataFrame) -> pd.Series:
    """Number the tags of each repository, the newest 0 (`oci.tagnames.newest_first`).

    A null tag comes last. Rows of one tag at several times have one number.
    """
    moments = dated(tags["pushed_at"])
    order = moments.sort_values(na_position="first").index
    rows = tags.loc[order].assign(pushed_at=moments[order])
    pushed = rows.dropna(subset="pushed_at").groupby(["repo", "tag"])["pushed_at"].max()
    found = {
        (repo, name.tag): place
        for repo, names in names_of(rows).items()
        for place, name in enumerate(
            newest_first(names.values(), pushed[repo].to_dict() if repo in pushed else None)
        )
    }
    keys = zip(tags["repo"], tags["tag"], strict=True)
    return pd.Series([found.get(key, len(found)) for key in keys], tags.index, dtype="int64")


class Rank(NamedTuple):
    """How many tags are newer than one: surely, and at most."""

    least: int
    most: int


def ranks_by_name(names: Iterable[TagName]) -> dict[str, Rank]:
    """Tell how many of the same repository are newer, as far as names alone tell.

    Versions compare with versions, behind a word with those behind the same word, and dates with
    dates; within the same version, builds and numbers of variants of the same words. Nothing else
    does: a version and a date, ``latest`` and a version, two commits.
    """
    given = list(names)
    comparable: dict[Any, list[TagName]] = {}
    for name in given:
        if name.is_ordered:
            kind = name.line[:2] if name.kind is Kind.NAMED_VERSION else (name.kind,)
            comparable.setdefault(kind, []).append(name)
    found = {name.tag: Rank(0, len(given) - 1) for name in given}
    for group in comparable.values():
        levels = sorted(map(_level, group))
        details: dict[Any, list[Any]] = {}
        for name in group:
            details.setdefault((_level(name), name.shape), []).append(_details(name))
        for listed in details.values():
            listed.sort()
        for name in group:
            alike = details[_level(name), name.shape]
            newer, older = _around(levels, _level(name))
            newer_builds, older_builds = _around(alike, _details(name))
            least = newer + newer_builds
            found[name.tag] = Rank(least, len(given) - 1 - older - older_builds)
    return found


def _level(name: TagName) -> tuple[Any, ...]:
    """Return what versions are compared by, without their builds."""
    release, stage, _, unfinished, _ = name.precedence
    return release, stage, unfinished


def _details(name: TagName) -> tuple[Any, ...]:
    _, _, builds, _, local = name.precedence
    return builds, local, name.details


def _around(ordered: list[Any], item: Any) -> tuple[int, int]:
    """Count what is greater than an item, and what is smaller."""
    return len(ordered) - bisect_right(ordered, item), bisect_left(ordered, item)
