"""The order of releases, their rhythm and age, and whether ``latest`` is the last of them."""

from datetime import datetime
from typing import Any

import pandas as pd

from hubframe.measure.dates import dated, days, days_between, last_used, moments, read_now
from hubframe.measure.images import plain_rows
from hubframe.measure.names import current, names_of, places
from hubframe.oci.tagnames import TagName, moving, newest_first, read_all, releases
from hubframe.tables import TAGS
from hubframe.tables.measured import CADENCE, LATEST_LAG, STALENESS

LATEST = "latest"
_QUANTILES = (10, 25, 50, 75, 90)
_LEAST_FOR_VARIATION = 2
# Years that a date of a push may have; registries write year 1 for "no date".
_YEARS = (2000, 2199)


def sort_versions(tags: pd.DataFrame) -> pd.DataFrame:
    """Order tags by version, the newest first.

    The version is the one that a tag's name says (`oci.tagnames`): ``1.25.3`` of ``1.25.3-alpine``;
    ``3.10`` is newer than ``3.9``, and ``2.0-rc1`` than ``1.9``, but not than ``2.0``. Where
    `packaging.version` can read two tags, the order is its own.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame, or another with ``repo``, ``tag`` and ``pushed_at``.

    Returns
    -------
    pandas.DataFrame
        The rows, numbered anew. Repositories by name; in each the versions, those behind a word
        (``jdk-17.0.10``), dates (``20240101``), whole numbers that are no versions, the other tags,
        the last pushed first, and those that name a digest. Of equal versions the last pushed comes
        first, then the exact name (``3.9.0`` before ``3.9``), then the shortest.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("library/alpine")
    >>> hubframe.sort_versions(tags)["tag"].head(4).tolist()
    ['3.24.2', '3.24.0', '3.24', '3.23.0']
    """
    tags = TAGS.require(tags, ("repo", "tag", "pushed_at"))
    keys = tags[["repo", "tag"]].reset_index(drop=True)
    keys["place"] = places(tags.reset_index(drop=True))
    keys["pushed_at"] = dated(tags["pushed_at"]).array
    keys["content"] = ""
    if tags.duplicated(["repo", "tag", "pushed_at"]).any():
        # As text, so that the order of the rows decides nothing.
        texts = tags.astype("str").fillna("").reset_index(drop=True)
        keys["content"] = texts[texts.columns[0]].str.cat(texts[texts.columns[1:]], sep="\0")
    by = ["repo", "place", "pushed_at", "tag", "content"]
    order = keys.sort_values(by, ascending=[True, True, False, True, True], na_position="last")
    return tags.take(order.index.to_numpy()).reset_index(drop=True)


def newest(tags: pd.DataFrame, n: int) -> pd.DataFrame:
    """Keep the newest tags of each repository, by version; pre-releases count, too.

    Parameters
    ----------
    tags
        As for `sort_versions`.
    n
        How many of each repository.

    Returns
    -------
    pandas.DataFrame
        The first `n` rows of each repository in the order of `sort_versions`. For releases alone
        leave the rows with ``is_prerelease`` out before.
    """
    check_number("n", n)
    ordered = sort_versions(tags)
    return ordered.groupby("repo", sort=False).head(n).reset_index(drop=True)


def latest_lag_df(tags: pd.DataFrame) -> pd.DataFrame:
    """Tell, for each repository, whether ``latest`` is its highest stable version, and how far off.

    That ``latest`` lags behind was found to be common by Lin, Nadi and Khazaei (ICSME 2020).

    Parameters
    ----------
    tags
        The `tables.TAGS` frame, with all tags of its repositories.

    Returns
    -------
    pandas.DataFrame
        The table `latest_lag`: a row per repository, by name, also where it has no tag ``latest``,
        which is the highest where the digest of both is the same. A version that others go on from
        (``1.25`` beside ``1.25.3``) and another build of the same version are no versions behind.
        Null where no name tells: where what ``latest`` points at has other names and no version
        among them, or has versions of a variant that is numbered in its own way.
    """
    tags = TAGS.require(tags, ("repo", "tag", "digest", "pushed_at"))
    found = [_lag(str(repo), group) for repo, group in current(tags).groupby("repo")]
    lag = pd.DataFrame(found, columns=[*LATEST_LAG.dtypes])
    dates = {name: moments(lag[name]) for name in ("latest_pushed_at", "highest_pushed_at")}
    lag_days = days_between(dates["latest_pushed_at"], dates["highest_pushed_at"])
    is_highest = lag["is_highest"].astype("boolean")
    lag_days = lag_days.mask(is_highest.fillna(value=False), 0.0)
    return LATEST_LAG.of({**lag, **dates, "is_highest": is_highest, "lag_days": lag_days})


def _lag(repo: str, tags: pd.DataFrame) -> dict[str, Any]:
    """One row of the table, without the days."""
    digests: dict[str, Any] = dict(plain_rows(tags[["tag", "digest"]]))
    pushed = dict(zip(tags["tag"], tags["pushed_at"], strict=True))
    released = releases(read_all(digests, digests).values())
    latest = digests.get(LATEST)
    same = [name for name in released if latest is not None and digests[name.tag] == latest]
    others = [tag for tag in digests if tag != LATEST and digests[tag] == latest]
    compared = _compared(released, same, is_named=bool(others))
    highest = _highest(compared or released, same)
    of_latest = _highest(same, same)
    behind = None
    if compared and of_latest:
        versions = set(_exact(compared).values())
        behind = sum(numbers > _release(of_latest) for numbers in versions)
    return {
        "repo": repo,
        "latest_digest": latest,
        "latest_version": of_latest and of_latest.written,
        "latest_pushed_at": pushed.get(LATEST),
        "highest_tag": highest and highest.tag,
        "highest_version": highest and highest.written,
        "highest_pushed_at": highest and pushed.get(highest.tag),
        "is_highest": _is_highest(digests, compared, same),
        "versions_behind": behind,
    }


def _compared(released: list[TagName], same: list[TagName], *, is_named: bool) -> list[TagName]:
    """Choose what ``latest`` is compared with of the releases, some of which may be the same image.

    None where no name tells: where ``latest`` has other names alone, which are no versions.
    """
    if not same:
        is_plain = all(name.is_version for name in released)
        return [] if is_named or not is_plain else released
    top = max(map(_release, released))
    if any(not name.variant or _release(name) == top for name in same):
        return released
    # Where latest is a variant, others may be numbered in another way: 26.8-community beside
    # 2026.4-enterprise. Its own variant compares, and what has none.
    variants = {name.variant for name in same} | {""}
    beside = [name for name in released if name.variant in variants]
    return beside if max(map(_release, beside)) > max(map(_release, same)) else []


def _is_highest(
    digests: dict[str, Any], compared: list[TagName], same: list[TagName]
) -> bool | None:
    if not compared or digests.get(LATEST) is None:
        return None
    top = max(map(_release, compared))
    tops = [name for name in compared if _release(name) == top]
    if any(name in tops for name in same):
        # Builds of one variant compare: 1.2.3-r10 is newer than 1.2.3-r9.
        others = [name for name in tops if name not in same]
        return not any(_is_newer_build(other, name) for name in same for other in others)
    # That all of them have another digest is known only where they have one.
    return False if all(digests[name.tag] for name in tops) else None


def _is_newer_build(other: TagName, name: TagName) -> bool:
    is_same_version = _release(other) == _release(name) and other.line == name.line
    return is_same_version and other.build > name.build


def _release(name: TagName) -> tuple[int, ...]:
    """Return the numbers of a version, without zeros at the end."""
    numbers: tuple[int, ...] = name.precedence[0]
    return numbers


def _highest(names: list[TagName], preferred: list[TagName]) -> TagName | None:
    """Return the highest version; of several names one that is preferred, then the exact one."""
    top = max(map(_release, names), default=())
    tops = newest_first(name for name in names if _release(name) == top)
    newest = [name for name in tops if not any(_is_newer_build(other, name) for other in tops)]
    return min(newest, key=lambda name: (name not in preferred, len(name.variant)), default=None)


def staleness_df(
    tags: pd.DataFrame, now: datetime | str | None = None, *, stale_after: float = 365
) -> pd.DataFrame:
    """Tell how long ago each tag was pushed and pulled.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame.
    now
        The moment that ages count to, a date or its text; None for this moment.
    stale_after
        From how many days since the push on a tag is stale.

    Returns
    -------
    pandas.DataFrame
        The table `staleness`: a row per tag, the oldest push first, then those without a date.
    """
    tags = TAGS.require(tags, ("repo", "tag", "pushed_at", "pulled_at"))
    check_number("stale_after", stale_after, "days", int | float)
    moment = read_now(now)
    pushed, pulled = dated(tags["pushed_at"]), dated(tags["pulled_at"])
    age = days(moment - pushed)
    ages = tags[["repo", "tag"]].assign(
        pushed_at=pushed,
        pulled_at=pulled,
        age_days=age.round(2),
        idle_days=days(moment - last_used(pushed, pulled)).round(2),
        is_stale=age > stale_after,
    )
    order = ["pushed_at", "repo", "tag", "pulled_at"]
    return STALENESS.of(ages.sort_values(order, ignore_index=True))


def check_number(name: str, given: Any, unit: str = "", kind: Any = int) -> None:
    """Check that a number of what is counted is one, a whole one unless told otherwise."""
    if isinstance(given, bool) or not isinstance(given, kind):
        what = f"a {'whole ' * (kind is int)}number{unit and f' of {unit}'}"
        raise TypeError(f"{name} must be {what}, not {given!r}")
    if not given >= 0:
        raise ValueError(f"{name} must be at least 0{unit and f' {unit}'}, not {given}")


def cadence_df(tags: pd.DataFrame) -> pd.DataFrame:
    """Measure the rhythm of releases: the days between the pushes of stable versions.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame, with all tags of its repositories.

    Returns
    -------
    pandas.DataFrame
        The table `cadence`: a row per repository, by name. A release is a stable version, of
        whatever variants (``1.25.3`` and ``1.25.3-alpine``), pushed when the first of its tags was;
        versions that others go on from (``1.25`` beside ``1.25.3``) are none. A tag that was pushed
        again shows the later date: registries keep no other. Quantiles are interpolated, and null
        with fewer than two releases.
    """
    tags = TAGS.require(tags, ("repo", "tag", "pushed_at"))
    rows = tags.assign(pushed_at=dated(tags["pushed_at"])).dropna(subset=["repo", "tag"])
    releases_of = {repo: _exact(releases(names.values())) for repo, names in names_of(rows).items()}
    keys = zip(rows["repo"], rows["tag"], strict=True)
    rows["release"] = pd.Series([releases_of[repo].get(tag) for repo, tag in keys], rows.index)
    known = rows.dropna(subset=["release", "pushed_at"])
    first = known.groupby(["repo", "release"])["pushed_at"].min().reset_index()
    first = first.sort_values(["repo", "pushed_at"])
    pushes = first.groupby("repo")["pushed_at"]
    gaps = days(pushes.diff()).astype("float64").groupby(first["repo"])
    columns = {f"days_p{cut}": gaps.quantile(cut / 100).round(2) for cut in _QUANTILES}
    varies = (gaps.count() >= _LEAST_FOR_VARIATION) & (gaps.mean() > 0)
    columns["variation"] = (gaps.std(ddof=0) / gaps.mean()).where(varies).round(2)
    columns |= {"first_pushed_at": pushes.min(), "last_pushed_at": pushes.max()}
    rhythm = pd.DataFrame(columns).reindex(pd.Index(sorted(releases_of), name="repo", dtype="str"))
    rhythm["version_count"] = pushes.size().reindex(rhythm.index, fill_value=0)
    return CADENCE.of(rhythm.reset_index())


def _exact(released: list[TagName]) -> dict[str, tuple[int, ...]]:
    """Return the numbers of the releases by tag, without those of moving names."""
    moved = moving(released)
    return {name.tag: _release(name) for name in released if name.tag not in moved}


def pushes(tags: pd.DataFrame) -> pd.DataFrame:
    """List the pushes that have a date, and what kind of tag each was.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per tag whose ``pushed_at`` is a date from 2000 on, in the order of `tags`: ``repo``,
        ``tag``, ``pushed_at`` and ``kind``: ``signature`` where the tag only names a digest,
        ``version`` where it starts with a version, else ``other``.
    """
    tags = TAGS.require(tags, ("repo", "tag", "pushed_at", "version", "is_digest_tag"))
    rows: pd.DataFrame = tags[tags["pushed_at"].dt.year.between(*_YEARS)]
    kind = rows["version"].notna().map({True: "version", False: "other"}).astype("str")
    kind = kind.mask(rows["is_digest_tag"].fillna(value=False), "signature")
    return rows[["repo", "tag", "pushed_at"]].assign(kind=kind)
