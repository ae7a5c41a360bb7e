"""The order of releases, their rhythm and age, and whether ``latest`` is the last of them."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from hubframe.measure.dates import dated, days, days_between, days_until, moments, read_now
from hubframe.tables import TAGS, versions
from hubframe.tables.measured import CADENCE, LATEST_LAG, STALENESS

LATEST = "latest"
_QUANTILES = (10, 25, 50, 75, 90)
_LEAST_FOR_VARIATION = 2
Numbers = tuple[int, ...]


def sort_versions(tags: pd.DataFrame) -> pd.DataFrame:
    """Order tags by version, the newest first, pre-releases last, then days of builds.

    The version is the one that a tag starts with (`tables.versions`): ``1.25.3`` of
    ``1.25.3-alpine``; ``3.10`` is newer than ``3.9``.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame, or another with ``repo``, ``tag`` and ``pushed_at``.

    Returns
    -------
    pandas.DataFrame
        The rows, numbered anew. Repositories by name; in each the stable versions, then the
        pre-releases, then the days of builds (``20240101``, no versions), then the tags without a
        version, the last pushed first, then those that name a digest. Of equal versions
        the shortest tag comes first. The rows' order does not matter.

    Raises
    ------
    TypeError, ValueError
        `tags` is no frame, or lacks a column, which the message names.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("library/alpine")
    >>> hubframe.sort_versions(tags)["tag"].head(4).tolist()
    ['3.24.2', '3.24.0', '3.24', '3.23.0']
    """
    TAGS.require(tags, ("repo", "tag", "pushed_at"))
    keys = tags[["repo", "tag"]].reset_index(drop=True)
    keys["place"] = _places(tags["tag"])
    keys["pushed_at"] = dated(tags["pushed_at"]).array
    keys["content"] = _contents(tags)
    by = ["repo", "place", "pushed_at", "tag", "content"]
    order = keys.sort_values(by, ascending=[True, True, False, True, True], na_position="last")
    return tags.take(order.index.to_numpy()).reset_index(drop=True)


def _contents(tags: pd.DataFrame) -> pd.Series | str:
    """Write rows as text where a tag has several, so that the order of the rows decides nothing."""
    if not tags.duplicated(["repo", "tag", "pushed_at"]).any():
        return ""
    texts = tags.astype("str").fillna("").reset_index(drop=True)
    return texts[texts.columns[0]].str.cat(texts[texts.columns[1:]], sep="\0")


def _places(tags: pd.Series) -> np.ndarray[Any, Any]:
    """Number tags by their version; those with none are equal."""
    codes, distinct = pd.factorize(tags)
    keys = [_version_key(tag) for tag in distinct]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    # The last is for a null tag, which comes after all.
    return np.array([*(places[key] for key in keys), len(places)])[codes]


def _version_key(tag: str) -> tuple[Any, ...]:
    version = versions.parse(tag)
    if version is None:
        return 3 + versions.is_digest_tag(tag), ()
    rank = int(version.is_prerelease) if version.day is None else 2
    return rank, versions.newest_first(tag)[:-1], len(tag)


def newest(tags: pd.DataFrame, n: int) -> pd.DataFrame:
    """Keep the newest tags of each repository, by version, pre-releases last.

    Parameters
    ----------
    tags
        As for `sort_versions`.
    n
        How many of each repository.

    Returns
    -------
    pandas.DataFrame
        The first `n` rows of each repository in the order of `sort_versions`: days of builds
        come after versions.

    Raises
    ------
    TypeError, ValueError
        `tags` is no frame, or lacks a column, which the message names; `n` is no number from 0.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"n must be a whole number, not {n!r}")
    if n < 0:
        raise ValueError(f"n must be at least 0, not {n}")
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
        The table `latest_lag`: a row per repository, by name, also where it has no tag ``latest``.
        ``latest`` is the highest where the digest of both is the same. A version that others go on
        from (``1.25`` beside ``1.25.3``) is a moving name and not counted as a version behind.
        The rows' order in `tags` does not matter.

    Raises
    ------
    TypeError, ValueError
        `tags` is no frame, or lacks a column, which the message names.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     lag = hubframe.latest_lag_df(hubframe.tags_df("library/python"))
    >>> lag.loc[0, ["latest_version", "highest_version"]].tolist()
    ['3.15.0', '3.15.0']
    """
    TAGS.require(tags, ("repo", "tag", "digest", "pushed_at"))
    rows = _proper(tags)
    found = [_lag(str(repo), group) for repo, group in rows.groupby("repo")]
    lag = pd.DataFrame(found, columns=[*LATEST_LAG.dtypes])
    dates = {name: moments(lag[name]) for name in _LAG_DATES}
    lag_days = days_between(dates["latest_pushed_at"], dates["highest_pushed_at"])
    is_highest = lag["is_highest"].astype("boolean")
    lag_days = lag_days.mask(is_highest.fillna(value=False), 0.0)
    return LATEST_LAG.of({**lag, **dates, "is_highest": is_highest, "lag_days": lag_days})


_LAG_DATES = ("latest_pushed_at", "highest_pushed_at")


def _proper(tags: pd.DataFrame) -> pd.DataFrame:
    """Leave out tags that name digests; of a tag at several times keep the last push."""
    columns = ["repo", "tag", "digest"]
    rows = tags[columns].assign(pushed_at=dated(tags["pushed_at"]))
    rows = rows[~rows["tag"].map(versions.is_digest_tag).astype(bool)]
    rows = rows.sort_values(["pushed_at", *columns], na_position="first")
    return rows.drop_duplicates(["repo", "tag"], keep="last")


def _lag(repo: str, tags: pd.DataFrame) -> dict[str, Any]:
    """One row of the table, without the days."""
    digests = dict(zip(tags["tag"], tags["digest"], strict=True))
    pushed = dict(zip(tags["tag"], tags["pushed_at"], strict=True))
    numbers = _stable(digests)
    latest = _text(digests.get(LATEST))
    names = [tag for tag in numbers if latest is not None and digests[tag] == latest]
    of_latest = max(names, key=lambda tag: (numbers[tag], -len(tag), tag), default=None)
    highest = _highest(numbers, names)
    return {
        "repo": repo,
        "latest_digest": latest,
        "latest_version": _version_text(of_latest),
        "latest_pushed_at": pushed.get(LATEST),
        "highest_tag": highest,
        "highest_version": _version_text(highest),
        "highest_pushed_at": pushed.get(highest),
        "is_highest": _is_highest(latest, highest, names, digests),
        "versions_behind": _versions_above(numbers, of_latest),
    }


def _is_highest(
    latest: str | None, highest: str | None, names: list[str], digests: dict[str, Any]
) -> bool | None:
    if latest is None or highest is None:
        return None
    # That it has another digest is known only where it has one.
    return highest in names or (None if _text(digests[highest]) is None else False)


def _stable(tags: Iterable[str]) -> dict[str, Numbers]:
    """Read the stable versions; the days of builds only where a repository has nothing else."""
    found = {tag: version for tag in tags if (version := versions.parse(tag))}
    stable = {tag: version for tag, version in found.items() if not version.is_prerelease}
    proper = {tag: version for tag, version in stable.items() if version.day is None}
    return {tag: version.order[0] for tag, version in (proper or stable).items()}


def _highest(numbers: dict[str, Numbers], names_of_latest: list[str]) -> str | None:
    """Return the tag of the highest version; of several one that latest is, else the shortest."""
    top = max(numbers.values(), default=None)
    tags = [tag for tag, number in numbers.items() if number == top]
    return min(tags, key=lambda tag: (tag not in names_of_latest, len(tag), tag), default=None)


def _versions_above(numbers: dict[str, Numbers], tag: str | None) -> int | None:
    if tag is None:
        return None
    return sum(number > numbers[tag] for number in _releases(set(numbers.values())))


def _releases(numbers: set[Numbers]) -> set[Numbers]:
    """Leave out the versions that others go on from: 1.25 beside 1.25.3 is a moving name."""
    moving = {number[:count] for number in numbers for count in range(1, len(number))}
    return numbers - moving


def _version_text(tag: str | None) -> str | None:
    version = versions.parse(tag) if tag is not None else None
    return version.text if version else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


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
        The table `staleness`: a row per tag, the oldest push first, then those without a date, by
        name. The rows' order in `tags` does not matter. A tag that is pushed again is young again.

    Raises
    ------
    TypeError, ValueError
        `tags` is no frame, or lacks a column, which the message names; `now` is no date, or
        `stale_after` no number of days.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("library/alpine")
    >>> ages = hubframe.staleness_df(tags, "2026-11-24")
    >>> ages.loc[0, "tag"], int(ages.loc[0, "age_days"])
    ('3.9.0', 2818)
    """
    TAGS.require(tags, ("repo", "tag", "pushed_at", "pulled_at"))
    check_days("stale_after", stale_after)
    moment = read_now(now)
    pushed, pulled = dated(tags["pushed_at"]), dated(tags["pulled_at"])
    last = pulled.where(pulled.notna() & ~(pulled < pushed), pushed)
    age = days_until(pushed, moment)
    ages = STALENESS.of(
        {
            "repo": tags["repo"].array,
            "tag": tags["tag"].array,
            "pushed_at": pushed.array,
            "pulled_at": pulled.array,
            "age_days": age.round(2).array,
            "idle_days": days_until(last, moment).round(2).array,
            "is_stale": (age > stale_after).array,
        }
    )
    order = ["pushed_at", "repo", "tag", "pulled_at"]
    return ages.sort_values(order, ignore_index=True)


def check_days(name: str, given: Any) -> None:
    """Check a number of days.

    Raises
    ------
    TypeError, ValueError
        It is none, or less than 0.
    """
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{name} must be a number of days, not {given!r}")
    if not given >= 0:
        raise ValueError(f"{name} must be at least 0 days, not {given}")


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
        whatever variants (``1.25.3`` and ``1.25.3-alpine``), pushed when the first of its tags
        was; versions that others go on from (``1.25`` beside ``1.25.3``) are moving names and none.
        A tag that was pushed again shows the later date: registries keep no other. Quantiles are
        interpolated, to the hundredth, and null with fewer than two releases. The rows' order in
        `tags` does not matter.

    Raises
    ------
    TypeError, ValueError
        `tags` is no frame, or lacks a column, which the message names.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     cadence = hubframe.cadence_df(hubframe.tags_df("library/nginx"))
    >>> int(cadence.loc[0, "version_count"])
    12
    """
    TAGS.require(tags, ("repo", "tag", "pushed_at"))
    rows = tags[["repo", "tag"]].assign(pushed_at=dated(tags["pushed_at"]))
    found = [_rhythm(str(repo), group) for repo, group in rows.groupby("repo")]
    rhythm = pd.DataFrame(found, columns=[*CADENCE.dtypes])
    dates = {name: moments(rhythm[name]) for name in ("first_pushed_at", "last_pushed_at")}
    return CADENCE.of({**rhythm, **dates})


def _rhythm(repo: str, tags: pd.DataFrame) -> dict[str, Any]:
    """One row of the table."""
    pushes = _release_pushes(tags)
    row: dict[str, Any] = {"repo": repo, "version_count": len(pushes)}
    if pushes:
        row |= {"first_pushed_at": pushes[0], "last_pushed_at": pushes[-1]}
    spans = pd.Series([later - earlier for earlier, later in pairwise(pushes)])
    gaps = days(spans.astype("timedelta64[us]")).to_numpy("float64")
    if len(gaps):
        cuts = np.round(np.percentile(gaps, _QUANTILES), 2).tolist()
        row |= {f"days_p{cut}": value for cut, value in zip(_QUANTILES, cuts, strict=True)}
    if len(gaps) >= _LEAST_FOR_VARIATION and gaps.mean() > 0:
        row["variation"] = round(float(gaps.std() / gaps.mean()), 2)
    return row


def _release_pushes(tags: pd.DataFrame) -> list[pd.Timestamp]:
    """List the first pushes of the stable versions, in order."""
    pushes: dict[Numbers, pd.Timestamp] = {}
    numbers = _stable(tags["tag"])
    for tag, at in zip(tags["tag"], tags["pushed_at"], strict=True):
        if tag in numbers and not pd.isna(at):
            pushes[numbers[tag]] = min(at, pushes.get(numbers[tag], at))
    releases = _releases(set(numbers.values()))
    return sorted(at for number, at in pushes.items() if number in releases)
