"""Which images hold which packages, and which releases to compare."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pandas as pd

from hubframe.measure.images import identity, leading_tags
from hubframe.measure.names import line_names, names_of
from hubframe.oci.contents.versions import ordered
from hubframe.oci.tagnames import newest_first
from hubframe.tables import PACKAGES
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import PACKAGES_USED

_PACKAGE = ["type", "namespace", "name"]
_OF_VERSIONS = ["versions", "oldest", "newest"]
_MOST_VERSIONS = 100


def packages_used_df(
    packages: pd.DataFrame, name: str | Iterable[str] | None = None
) -> pd.DataFrame:
    """Count the images that hold each package: an index the other way round.

    Parameters
    ----------
    packages
        The `tables.PACKAGES` frame.
    name
        The name of a package, or a part of names with ``*``; or several of these. None for all.

    Returns
    -------
    pandas.DataFrame
        The table `packages_used`, a row per package, those in most images first. An image with
        several tags counts once.

    Notes
    -----
    Which version is the oldest and which the newest is told by the rules of each ecosystem, as the
    library `univers` has them, and not at all where one of the versions is none by these rules.
    """
    PACKAGES.require(packages, [*IMAGE_KEY, *_PACKAGE, "version"])
    wanted = packages
    if name is not None:
        names = [name] if isinstance(name, str) or not isinstance(name, Iterable) else [*name]
        if not all(isinstance(one, str) for one in names):
            raise TypeError(f"name must be that of a package, or a list of names, not {name!r}")
        patterns = (".*".join(map(re.escape, one.split("*"))) for one in names)
        wanted = packages[packages["name"].str.fullmatch("|".join(patterns))]
    rows = wanted.assign(image=identity(wanted)).sort_values(["repo", "tag"], kind="stable")
    groups = rows.groupby(_PACKAGE, sort=True, dropna=False)
    found = groups.agg(
        version_count=("version", "nunique"),
        image_count=("image", "nunique"),
        repo_count=("repo", "nunique"),
        first_repo=("repo", "first"),
        first_tag=("tag", "first"),
    ).reset_index()
    counted = rows.dropna(subset="version").groupby([*_PACKAGE, "version"], dropna=False)["image"]
    by_count = (
        counted.nunique()
        .reset_index()
        .sort_values(["image", "version"], ascending=[False, True], kind="stable")
    )
    versions = by_count.groupby(_PACKAGE, dropna=False)["version"].agg(list).reset_index()
    ends = lru_cache(maxsize=None)(_ends)  # Packages of one source have the same versions.
    told = [
        (" ".join(texts[:_MOST_VERSIONS]), *ends(kind, frozenset(texts)))
        for kind, texts in zip(versions["type"], versions.pop("version"), strict=True)
    ]
    versions[_OF_VERSIONS] = pd.DataFrame(told, columns=_OF_VERSIONS, dtype="str")
    found = found.merge(versions, on=_PACKAGE, how="left")
    order = found.sort_values(["image_count", *_PACKAGE], ascending=[False, True, True, True])
    return PACKAGES_USED.of(order.reset_index(drop=True))


def _ends(kind: str, versions: frozenset[str]) -> tuple[str | None, str | None]:
    """Return the oldest and the newest version; null where they have no order."""
    rising = ordered(kind, versions)
    return (rising[0], rising[-1]) if rising else (None, None)


def of_best_evidence(packages: pd.DataFrame) -> pd.DataFrame:
    """Keep what the layers of each image tell; of images that lack that, what documents tell.

    Parameters
    ----------
    packages
        The `tables.PACKAGES` frame.

    Returns
    -------
    pandas.DataFrame
        Rows of `packages`: no package is there twice because two kinds of evidence tell of it.
    """
    PACKAGES.require(packages, [*IMAGE_KEY, "evidence"])
    is_read = packages["evidence"] == "layers"
    is_of_read = is_read.groupby(identity(packages).array).transform("any")
    return packages[is_read | ~is_of_read]


def release_pairs(packages: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Pair each release with the one before it, to compare their packages.

    Lines of releases are those of `size_trend_df`. A tag stands for its image for linux/amd64, else
    its first. Two releases are a pair only where the same kind of evidence tells of both.

    Parameters
    ----------
    packages
        The `tables.PACKAGES` frame of the releases. One without packages is in no row of it.

    Returns
    -------
    list of tuple of pandas.DataFrame
        The rows of the older and of the newer release: by repository and line, the newest first.
    """
    PACKAGES.require(packages)
    rows = of_best_evidence(packages).dropna(subset="tag")
    rows = leading_tags(rows, len(rows))
    by_tag = dict(list(rows.groupby(["repo", "tag"])))
    pairs = []
    for repo, names in names_of(rows.rename(columns={"image_digest": "digest"})).items():
        line_of = line_names(names)
        lines: dict[str, dict[Any, pd.DataFrame]] = {}
        for name in newest_first(names.values()):
            if name.tag in line_of:
                # Of several names of a version the first.
                line = lines.setdefault(line_of[name.tag], {})
                line.setdefault(name.precedence, by_tag[repo, name.tag])
        for releases in lines.values():
            pairs += [(older, newer) for newer, older in pairwise(releases.values())]
    return [pair for pair in pairs if len({rows["evidence"].iloc[0] for rows in pair}) == 1]
