"""Downloads of packages on GitHub's registry, which tells none itself: from files of backage.

The project ipitio/backage reads them off GitHub's pages, and publishes a file for each package,
``OWNER/REPO/PACKAGE.json``, with the day on which it looked.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from hubframe.errors import HubframeError, InvalidReferenceError, PayloadError
from hubframe.oci.payload import items, parsed, text
from hubframe.oci.reference import ImageReference
from hubframe.readers.documents import MOST_BYTES, check_cap, find, read_file
from hubframe.snapshots.dataset import observed, part_name, run_row, seen_by, select, write_part
from hubframe.snapshots.storage import Storage
from hubframe.tables import REPOS, TAGS, Snapshots
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS, RUNS

SOURCE = "backage"
_HOST = "ghcr.io"

Downloads = str | os.PathLike[str] | Mapping[str, Any]


def import_downloads(
    downloads: Downloads | Iterable[Downloads],
    *,
    to: str | os.PathLike[str] | None = None,
    max_bytes: int = MOST_BYTES,
) -> Snapshots:
    """Read how often packages on ghcr.io were pulled, from files that backage published.

    GitHub's registry tells no downloads, and its API none either. The project ipitio/backage reads
    them off the pages of packages; a file holds the count of one day. Files of several days make
    what `pulls_over_time_df` reads. backage has had wrong ones: look at what falls or leaps.

    Parameters
    ----------
    downloads
        Files ``PACKAGE.json``, folders that hold some at any depth, what such a file holds, or a
        list of these. Nothing is fetched.
    to
        A place to append the snapshots to, as for `hubframe.snapshot`; what is there already is
        skipped, so it may be repeated with newer files. Without it they are held in memory.
    max_bytes
        A larger file is refused; one of ten thousand versions has 5 MB.

    Returns
    -------
    Snapshots
        What was read, a run for each day, without what was at the place already; no tags.

    Raises
    ------
    HubframeError
        There is no such file, or no package in what was given.
    PayloadError
        A file is no JSON of backage.

    Examples
    --------
    >>> days = [("2026-11-20", 1000), ("2026-11-22", 1300)]
    >>> told = {"package_type": "container", "owner": "acme", "package": "web"}
    >>> files = [{**told, "date": day, "raw_downloads": count} for day, count in days]
    >>> snapshots = hubframe.import_downloads(files)
    >>> hubframe.pulls_over_time_df(snapshots)[["repo", "pulls_per_day"]].values.tolist()
    [['ghcr.io/acme/web', 150.0]]
    """
    given = [downloads] if isinstance(downloads, str | os.PathLike | Mapping) else downloads
    if not isinstance(given, Iterable):
        raise TypeError(f"expected files or what they hold, not {type(downloads).__name__}")
    check_cap("max_bytes", max_bytes)
    counts = dict(chain.from_iterable(_counts(one, max_bytes) for one in given))
    if not counts:
        raise HubframeError("no package of ghcr.io with a date and a count was found in these")
    storage = None if to is None else Storage.open(to)
    seen = set() if storage is None else _seen(storage)
    days: dict[str, dict[str, int]] = {}
    for (day, repo), count in sorted(counts.items()):
        if (f"{SOURCE}-{day}", repo) not in seen:
            days.setdefault(day, {})[repo] = count
    parts = [_part(day, found) for day, found in days.items()]
    if storage is None:
        joined = [
            table.joined(rows)
            for table, rows in zip(_TABLES, zip(*parts, strict=True), strict=True)
        ]
        return Snapshots(joined[0], dict(zip(_TABLES, joined, strict=True)).__getitem__)
    for part in parts:
        write_part(storage, *part)
    return select(storage, parts={name for runs, _, _ in parts for name in runs["part"]})


_TABLES = (RUNS, OBSERVED_REPOS, OBSERVED_TAGS)


def _seen(storage: Storage) -> set[tuple[str, str]]:
    seen = seen_by(storage, source=SOURCE)
    return set(zip(seen["run"], seen["repo"], strict=True))


def _counts(given: Downloads, max_bytes: int) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield the counts of a file, of a folder of files, or of what a file holds."""
    if isinstance(given, Mapping):
        yield from read_downloads(dict(given))
        return
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"expected a file or what it holds, not {type(given).__name__}")
    for file in find(Path(given).expanduser(), (".json",), is_deep=True):
        try:
            yield from read_downloads(parsed(read_file(file, max_bytes)))
        except OSError as error:
            raise HubframeError(f"{file} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise PayloadError(f"{file} is no file of backage: {error}") from None


def read_downloads(found: Any) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield the day and the repository of each package of ghcr.io, with its downloads till then.

    A file holds a package, or a list of them. Of other kinds of packages, and of such without a
    date or a whole number, nothing is told.
    """
    if not isinstance(found, dict | list):
        raise PayloadError("neither an object nor a list")
    for package in [found] if isinstance(found, dict) else items(found):
        day, count = text(package.get("date")), package.get("raw_downloads")
        repo = _repo(package) if package.get("package_type") == "container" else None
        if repo and day and _is_day(day) and type(count) is int and count >= 0:
            yield (day, repo), count


def _is_day(written: str) -> bool:
    try:
        return date.fromisoformat(written).isoformat() == written
    except ValueError:
        return False


def _repo(package: Mapping[str, Any]) -> str | None:
    """Return the repository of a package: a slash in its name is written as in an address."""
    owner, name = text(package.get("owner")), text(package.get("package"))
    try:
        found = ImageReference.parse(f"{_HOST}/{owner}/{unquote(name or '')}".lower())
    except InvalidReferenceError:
        return None
    return None if found.tag or found.digest or not owner else found.repo


def _part(day: str, counts: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make the rows of a day, which is a run that saw some packages."""
    run = f"{SOURCE}-{day}"
    at = pd.Timestamp(day, tz="UTC")
    row = run_row(run, part_name(run), at, source=SOURCE, repo_count=len(counts), tag_count=0)
    references = {repo: ImageReference.parse(repo) for repo in counts}
    repos = REPOS.from_records(
        {
            "repo": repo,
            "namespace": one.namespace,
            "name": one.path.partition("/")[2],
            "pull_count": counts[repo],
        }
        for repo, one in references.items()
    )
    return (
        RUNS.from_records([row]),
        observed(repos.assign(tag_count=None), OBSERVED_REPOS, row),
        observed(TAGS.frame(), OBSERVED_TAGS, row),
    )
