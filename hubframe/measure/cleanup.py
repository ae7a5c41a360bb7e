"""Which tags a rule would delete, why, and what that would free. Nothing here deletes."""

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hubframe.measure.dates import dated, days, last_used, read_now
from hubframe.measure.layer_index import NEEDED, LayerIndex
from hubframe.measure.names import Rank, names_of, ranks_by_name
from hubframe.measure.releases import LATEST, check_number, sort_versions
from hubframe.oci.tagnames import is_digest_tag
from hubframe.tables import LAYERS, TAGS
from hubframe.tables.measured import CLEANUP

Protected = str | Iterable[str] | re.Pattern[str] | Callable[[str], bool]
_PROTECTED = "protected"
_KEPT = -1
# A digest in a tag's name: sha256-<hex>, and what follows says what kind of signature it is.
_SIGNED = re.compile(r"(?P<algorithm>[a-z0-9]+)-(?P<hex>[0-9a-f]{64})")


def cleanup_df(  # noqa: PLR0913
    tags: pd.DataFrame,
    layers: pd.DataFrame | None = None,
    *,
    keep: int | None = None,
    older_than: float | timedelta | None = None,
    unused_for: float | timedelta | None = None,
    protect: Protected = LATEST,
    now: datetime | str | None = None,
) -> pd.DataFrame:
    """List what a rule would delete and what it would keep, and why. It deletes nothing.

    A tag goes if every condition that is given says so; at least one must be given.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame, with all tags of its repositories.
    layers
        The `tables.LAYERS` frame of the same tags, best of all platforms (``platform="all"``), to
        tell what would be freed. Tags that are in it and not in `tags` are kept.
    keep
        How many of the newest tags of each repository stay: by push, or by what the names tell in
        a repository without any dates. A tag goes only where so many are surely newer.
    older_than
        Only tags that were pushed longer ago go: days, or a `datetime.timedelta`.
    unused_for
        Only tags that were neither pulled nor pushed for so long go: days, or a timedelta.
    protect
        Tags that stay in any case: a glob, a list of them, a compiled pattern (searched for), or a
        function of the name. ``latest`` unless told otherwise; ``()`` for none.
    now
        The moment that ages count to, a date or its text; None for this moment.

    Returns
    -------
    pandas.DataFrame
        The table `cleanup`: a row per tag, repositories by name, the last pushed tag first. A tag
        stays too, and its reason says so, where a condition cannot be judged: a date is missing, or
        names do not tell which is newer (a date and a version, two commits, two variants of one
        version). Tags that name a digest, as signatures do, take no place among the newest: they go
        with the last tag of what they sign, and only then. ``freed_size`` sums to the bytes of the
        layers that no kept tag holds; it is too high where `layers` lacks tags that are kept.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("library/alpine")
    >>> plan = hubframe.cleanup_df(tags, keep=10, older_than=365, now="2026-11-24")
    >>> plan["action"].value_counts().to_dict()
    {'delete': 30, 'keep': 10}
    """
    tags = TAGS.require(tags, _NEEDED)
    if layers is not None:
        LAYERS.require(layers, NEEDED)
    if keep is not None:
        check_number("keep", keep, "tags")
    limits = _days("older_than", older_than), _days("unused_for", unused_for)
    if (keep, *limits) == (None, None, None):
        raise ValueError("no rule: give keep, older_than or unused_for, or several of them")
    protects = _protector(protect)
    rows, moment = _ordered(tags), read_now(now)
    judged = [[_beyond(rank, keep) for rank in _ranks(rows)]] if keep is not None else []
    dates = rows["pushed_at"], last_used(rows["pushed_at"], rows["pulled_at"])
    for limit, at, what in zip(limits, dates, ("pushed", "last used"), strict=True):
        if limit is not None:
            judged.append([_longer(age, limit, what) for age in days(moment - at)])
    verdicts = []
    for tag, *said in zip(rows["tag"], *judged, strict=True):
        against = [reason for goes, reason in said if not goes]
        why = _PROTECTED if protects(tag) else "; ".join(against or [word for _, word in said])
        verdicts.append((not against and why != _PROTECTED, why))
    verdicts = _with_signatures(rows, verdicts, layers)
    goes = np.array([goes for goes, _ in verdicts], dtype=bool)
    return CLEANUP.of(
        {
            **{name: rows[name] for name in _NEEDED},
            "action": np.where(goes, "delete", "keep"),
            "reason": [reason for _, reason in verdicts],
            "freed_size": _freed(rows, goes, layers),
        }
    )


_NEEDED = ("repo", "tag", "digest", "size", "pushed_at", "pulled_at")


# Whether a tag goes, and why.
_Verdict = tuple[bool, str]
# What becomes of a tag that names a digest, by whether all tags with that digest go.
_BY_SIGNED = {
    None: (False, "what it names is not among these tags"),
    True: (True, "what it names goes"),
    False: (False, "what it names is kept"),
}


def _beyond(rank: Rank | None, keep: int) -> _Verdict:
    if rank is None or rank.least < keep <= rank.most:
        return False, "its place among the newest is not known"
    is_beyond = rank.least >= keep
    return is_beyond, f"{'not ' * is_beyond}among the {keep} newest"


def _longer(age: Any, limit: float, what: str) -> _Verdict:
    if age is pd.NA:
        return False, "the date of its last push is not known"
    return bool(age > limit), f"{what} {math.floor(age)} days ago"


def _days(name: str, given: Any) -> float | None:
    days = given / timedelta(days=1) if isinstance(given, timedelta) else given
    if days is not None:
        check_number(name, days, "days", int | float)
    return days


def _protector(protect: Protected) -> Callable[[str], bool]:
    """Return what tells whether a tag is protected."""
    if isinstance(protect, re.Pattern):
        return lambda tag: protect.search(tag) is not None
    if callable(protect):
        return lambda tag: bool(protect(tag))
    listed = isinstance(protect, Iterable) and not isinstance(protect, str)
    globs: list[Any] = [*protect] if listed else [protect]
    if not all(isinstance(glob, str) for glob in globs):
        raise TypeError(
            f"protect must be a glob, a list of them, a pattern or a function, not {protect!r}"
        )
    return lambda tag: any(fnmatchcase(tag, glob) for glob in globs)


def _ordered(tags: pd.DataFrame) -> pd.DataFrame:
    """Bring tags in the table's order; of a tag at several times the last push counts."""
    rows = tags[list(_NEEDED)].assign(pushed_at=dated(tags["pushed_at"]))
    rows = sort_versions(rows.assign(pulled_at=dated(tags["pulled_at"])))
    rows = rows.drop_duplicates(["repo", "tag"])
    return rows.sort_values(["repo", "pushed_at"], ascending=[True, False], ignore_index=True)


def _ranks(rows: pd.DataFrame) -> list[Rank | None]:
    """Tell how many tags of its repository are newer than each; None where that is not known."""
    is_proper = ~rows["tag"].map(is_digest_tag).astype(bool)
    has_date = rows["pushed_at"].notna()
    any_dates = has_date.groupby(rows["repo"]).transform("any").astype(bool)
    counts = rows[is_proper & has_date].groupby("repo").cumcount()
    ranks = {row: Rank(int(count), int(count)) for row, count in counts.items()}
    undated = rows[is_proper & ~any_dates]
    for repo, names in names_of(undated).items():
        found = ranks_by_name(names.values())
        tags = undated.loc[undated["repo"] == repo, "tag"]
        ranks |= {row: found[tag] for row, tag in tags.items()}
    return [ranks.get(row) for row in rows.index]


def _with_signatures(
    rows: pd.DataFrame, verdicts: list[_Verdict], layers: pd.DataFrame | None
) -> list[_Verdict]:
    """Let tags that name a digest go with the tags that have it, as an index, manifest or image."""
    signed = [_signed(tag) for tag in rows["tag"]]
    held = rows[["repo", "tag", "digest"]].assign(goes=[goes for goes, _ in verdicts])
    held = held[np.array([of is None for of in signed], dtype=bool)]
    if layers is not None:
        images = layers[["repo", "tag", "image_digest"]].drop_duplicates()
        images = images.set_axis(["repo", "tag", "digest"], axis=1)
        images = held.drop(columns="digest").merge(images, on=["repo", "tag"])
        held = pd.concat([held, images])
    goes = held.groupby(["repo", "digest"])["goes"].all().to_dict()
    return [
        verdict if of is None or verdict[1] == _PROTECTED else _BY_SIGNED[goes.get((repo, of))]
        for repo, verdict, of in zip(rows["repo"], verdicts, signed, strict=True)
    ]


def _signed(tag: str) -> str | None:
    """Return the digest that a tag names, or None for a tag like any other."""
    match = _SIGNED.match(tag) if is_digest_tag(tag) else None
    return f"{match['algorithm']}:{match['hex']}" if match else None


def _freed(
    rows: pd.DataFrame, goes: npt.NDArray[np.bool_], layers: pd.DataFrame | None
) -> pd.Series:
    """Sum, for each tag that goes, its layers that no kept tag holds, each layer once."""
    if layers is None:
        return pd.Series(None, rows.index, dtype="Int64")
    index = LayerIndex.of(layers)
    numbered = rows[["repo", "tag"]].assign(row=rows.index)
    row = index.names[["repo", "tag"]].merge(numbered, on=["repo", "tag"], how="left")["row"]
    known = row.fillna(_KEPT).to_numpy("int64")
    # A kept holder stands before all others, so that the first holder of a layer decides.
    known = np.where(np.append(goes, False)[known], known, _KEPT)
    first = np.full(len(index.digests), len(rows))
    np.minimum.at(first, index.layer, known[index.name])
    is_freed = first != _KEPT
    sums = np.bincount(first[is_freed], weights=index.sizes[is_freed], minlength=len(rows))
    has_layers = np.isin(rows.index, row.dropna())
    return pd.Series(sums.astype("int64"), dtype="Int64").mask(goes & ~has_layers)
