"""How far the packages of images lag behind the versions that are known.

The three lags are those of Zerouali, Mens, Decan, Gonzalez-Barahona and Robles, "A
multi-dimensional analysis of technical lag in Debian-based Docker images" (Empirical Software
Engineering, 2021), each for one package.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from hubframe.measure.dates import days_between, moments
from hubframe.measure.images import plain_rows
from hubframe.measure.lifecycle import distribution_of, own_products
from hubframe.oci.contents import versions
from hubframe.tables.declarations import PACKAGES
from hubframe.tables.lifecycle import LAG

# What versions have in common that compare; a table of releases may lack the last two.
_PACKAGE = ("type", "name", "namespace", "distribution")


def lag_df(packages: pd.DataFrame, newest: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell how far each package of images lags behind the newest version that is known.

    Parameters
    ----------
    packages
        The table `packages`.
    newest
        Where newer versions are known from: the table `packages` of newer images, or a table of
        releases with ``type``, ``name``, ``version`` and, where they are known, ``namespace``,
        ``distribution`` and ``released_at``. None for `packages` itself: then each image is held
        against the others.

    Returns
    -------
    pandas.DataFrame
        The table `lag`, a row for each row of `packages`. ``is_behind`` is its *package lag*,
        ``versions_behind`` the *version lag* and ``lag_days`` the *time lag*; of an image they are
        the sum of the first and, as you choose, the sum or the largest of the others. Null for a
        package that is not in `newest`, and where versions have no order.

    Notes
    -----
    The lags are those of Zerouali et al., "A multi-dimensional analysis of technical lag in
    Debian-based Docker images" (2021). Versions of packages of a system compare within one release
    of it (``debian-12``). A version is counted if it is in one of the two frames: releases that
    neither has are not known.
    """
    PACKAGES.require(packages, [*PACKAGES.key, "namespace", "purl"])
    held = _with_distribution(packages)
    known = held if newest is None else _read_newest(newest)
    key = [name for name in _PACKAGE if name in known]
    wanted, told = _versions(known, key), _versions(held, key)
    order = {
        package: _ranks(package[0], [*some, *told[package]], some)
        for package, some in wanted.items()
        if package in told
    }
    at = _dates(known, key) | _dates(held, key)
    rows: list[tuple[Any, ...]] = []
    for *package, version in plain_rows(held[[*key, "version"]]):
        ranks = order.get(tuple(package))
        own = ranks and ranks.of.get(version)
        if not ranks or own is None:
            rows.append((None, None, None, None, None))
            continue
        behind = max(ranks.of[ranks.newest] - own, 0)
        dates = [at.get((*package, one)) for one in (version, ranks.newest)]
        # Equal versions may be written in two ways, with two dates.
        rows.append((ranks.newest, behind > 0, behind, *(dates if behind else dates[:1] * 2)))
    found = pd.DataFrame(
        rows, columns=["newest_version", "is_behind", "versions_behind", "from", "to"], dtype=object
    )
    days = days_between(moments(found["from"]), moments(found["to"]))
    columns: dict[str, Any] = {name: held[name].array for name in LAG.dtypes if name in held}
    measured = {name: found[name].array for name in found if name in LAG.dtypes}
    return LAG.of({**columns, **measured, "lag_days": days.array})


class _Ranks(NamedTuple):
    """The versions of a package: the newest, and the place of each."""

    newest: str
    of: dict[str, int]


def _ranks(kind: str, every: Iterable[str], some: Iterable[str]) -> _Ranks | None:
    """Put versions in order; equal ones that are written in two ways have one place."""
    order = versions.ordered(kind, every)
    if not order:
        return None
    places = {order[0]: 0}
    for left, right in pairwise(order):
        places[right] = places[left] + bool(versions.compare(kind, left, right))
    return _Ranks(max(some, key=places.__getitem__), places)


def _versions(frame: pd.DataFrame, key: list[str]) -> dict[tuple[Any, ...], list[str]]:
    found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    rows = frame[[*key, "version"]].dropna(subset="version").drop_duplicates()
    for *package, version in plain_rows(rows):
        found[tuple(package)].append(version)
    return found


def _dates(frame: pd.DataFrame, key: list[str]) -> dict[tuple[Any, ...], Any]:
    """Return when versions were released, as far as a frame tells it."""
    if "released_at" not in frame:
        return {}
    rows = frame[[*key, "version", "released_at"]].dropna(subset=["version", "released_at"])
    return {tuple(names): at for *names, at in plain_rows(rows)}


def _with_distribution(packages: pd.DataFrame) -> pd.DataFrame:
    """Add the release of the distribution that the package URLs of a system's packages name."""
    products = own_products()
    urls = packages["purl"].dropna().unique()
    release = {url: products.release(distribution_of(url)) for url in urls}
    of_rows = [release.get(url) for url in packages["purl"]]
    return packages.assign(distribution=pd.Series(of_rows, packages.index, dtype="str"))


def _read_newest(newest: pd.DataFrame) -> pd.DataFrame:
    PACKAGES.require(newest, ["type", "name", "version"])
    is_packages = "purl" in newest and "distribution" not in newest
    return _with_distribution(newest) if is_packages else newest
