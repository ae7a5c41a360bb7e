"""Which packages have known vulnerabilities, by advisories of yours, and how many there are."""

from collections import Counter
from typing import Any, Literal

import numpy as np
import pandas as pd

from hubframe.measure.advisories import Index
from hubframe.measure.images import identity, plain_rows
from hubframe.measure.vex import with_vex
from hubframe.oci.contents.packages import whole_name
from hubframe.readers.severities import AFFECTED, FIXED, NOT_AFFECTED, SEVERITIES
from hubframe.tables import PACKAGES
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.schema import COUNT, TEXT, joined_attrs, plain_values
from hubframe.tables.vulnerabilities import (
    ADVISORIES,
    MEANING,
    VEX,
    VULNERABILITIES,
    VULNERABILITY_SUMMARY,
)

Severity = Literal["highest", "own"]
By = Literal["tag", "image", "repo", "layer"]
_KEY = [*IMAGE_KEY]
_PACKAGE = ["type", "namespace", "name", "version", "source_name", "source_version", "purl"]
_OF_PACKAGE = [*_KEY, "type", "version", "purl", "layer_digest", "position", "path"]
_OF_ADVISORY = [
    *("id", "aliases", "severity", "cvss", "cvss_vector"),
    *("published_at", "modified_at", "title", "url"),
]
_COUNTS = [f"{name}_count" for name in SEVERITIES]
_COUNTED = [
    *(*_KEY, "layer_digest", "id", "aliases", "type", "name", "version", "fixed_version", "state"),
    *("severity", "cvss", "is_exploited", "published_at"),
]
_RANK = {name: rank for rank, name in enumerate(SEVERITIES)}
# How many things are told of that could not be looked for.
_MOST_UNKNOWN = 1_000


def vulnerabilities_df(
    packages: pd.DataFrame,
    advisories: pd.DataFrame,
    *,
    vex: pd.DataFrame | None = None,
    severity: Severity = "highest",
) -> pd.DataFrame:
    """Match packages with advisories: a row for each vulnerability of each package.

    Parameters
    ----------
    packages
        The table `packages`, of `packages_df` or of a bill of materials.
    advisories
        The table `advisories`, of `read_osv`: only what is in it can be found.
    vex
        The table `vex`, of `read_openvex`: what is stated of a row's package, or of its image,
        stands in ``vex_status``, and changes ``state``.
    severity
        ``"highest"`` of what all these advisories say that name the same vulnerability; ``"own"``
        for what each says itself.

    Returns
    -------
    pandas.DataFrame
        The table `vulnerabilities`, in the order of the packages, and of each by id. Where several
        advisories tell of the same vulnerability, each has its row.

    Notes
    -----
    A row means that a version is in the range that an advisory tells, and nothing more: the
    vulnerable part need not be used, nor be there. No row means that these advisories know of
    none, not that there is none. ``frame.attrs["hubframe"]["unknown"]`` says what was not looked
    for: types of packages, releases of distributions, versions that cannot be compared.

    Versions are compared by the rules of each ecosystem. Packages of a distribution are looked for
    in advisories for its release, or for all releases, and never in ranges of semantic versions;
    those of Debian, Ubuntu and Alpine by their source package. An advisory has one row for a
    package, whatever parts of a release and names it tells of. Withdrawn advisories match nothing;
    those for extended support match what shows that it has it: ``+esm1`` in a version of Ubuntu,
    ``+eus`` in a distribution of Red Hat.

    Examples
    --------
    >>> import hubframe
    >>> from hubframe.testing import sample_files
    >>> with hubframe.sample():
    ...     packages = hubframe.packages_df("registry.example/shop/web:1.2.0", evidence="layers")
    >>> advisories = hubframe.read_osv(sample_files() / "advisories")
    >>> found = vulnerabilities_df(packages, advisories)
    >>> found[["id", "name", "fixed_version", "position"]].head(1).to_numpy().tolist()
    [['SAMPLE-2024-3', 'requests', '2.32.4', 2]]
    """
    PACKAGES.require(
        packages, [*_KEY, *_PACKAGE, "position", "layer_digest", "path", "evidence", "tool"]
    )
    ADVISORIES.require(advisories)
    if vex is not None:
        VEX.require(vex)
    if severity not in ("highest", "own"):
        raise ValueError(f'severity must be "highest" or "own", not {severity!r}')
    unknown: dict[tuple[str, str], str] = {}
    known = _latest(advisories)
    pairs = _pairs(packages, known, unknown)
    told = _with_highest(known) if severity == "highest" else known
    told = told.assign(aliases=pd.Series(_with_upstream(told), dtype=TEXT).array)
    frame = _frame(packages.iloc[pairs["row"]], told.iloc[pairs["advisory"]], pairs)
    frame.attrs["hubframe"] = _told(packages, advisories, unknown)
    return frame if vex is None else with_vex(frame, vex)


def _latest(advisories: pd.DataFrame) -> pd.DataFrame:
    """Keep of an advisory that is there twice the one that was modified last."""
    told = advisories.reset_index(drop=True)
    by_date = told.sort_values("modified_at", kind="stable", na_position="first")
    kept = by_date.drop_duplicates(list(ADVISORIES.key), keep="last").index
    return told.iloc[np.sort(kept)].reset_index(drop=True)


def _pairs(
    packages: pd.DataFrame, advisories: pd.DataFrame, unknown: dict[tuple[str, str], str]
) -> pd.DataFrame:
    """Pair rows of packages with those of advisories that hold for them, distinct packages once."""
    index = Index(advisories)
    number = packages.groupby(_PACKAGE, dropna=False, sort=False).ngroup().to_numpy()
    distinct = packages[_PACKAGE].drop_duplicates()
    found = [
        (package, place, fixed)
        for package, told in enumerate(plain_rows(distinct))
        for place, fixed in index.matches(told, unknown)
    ]
    names = [whole_name(*one) for one in plain_rows(distinct[["type", "namespace", "name"]])]
    numbers = np.array([one[:2] for one in found], dtype=np.int64).reshape(-1, 2)
    matched = pd.DataFrame(numbers, columns=["package", "advisory"])
    matched["name"] = pd.Series([names[package] for package in numbers[:, 0]], dtype=TEXT)
    matched["fixed_version"] = pd.Series([fixed for *_, fixed in found], dtype=TEXT)
    matched["id"] = advisories["id"].array.take(numbers[:, 1])
    rows = pd.DataFrame({"row": np.arange(len(packages)), "package": number})
    # Within each package by id; the join keeps that order, and the order of the packages.
    return rows.merge(matched.sort_values(["package", "id"], kind="stable"), on="package")


def _frame(of: pd.DataFrame, about: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Put packages, their advisories, and what follows side by side."""
    none = VULNERABILITIES.frame({"id": [None]})
    nothing = np.zeros(len(pairs), dtype=np.int64)
    return VULNERABILITIES.of(
        {
            **{str(name): none[name].array.take(nothing) for name in none},
            **{name: of[name].array for name in _OF_PACKAGE},
            **{name: about[name].array for name in _OF_ADVISORY},
            **{name: pairs[name].array for name in ("name", "fixed_version")},
            "state": np.where(pairs["fixed_version"].notna(), FIXED, AFFECTED),
            "advisory_source": about["id"].str.replace("-.*", "", regex=True).array,
            "evidence": ["osv"] * len(pairs),
            "tool": ["hubframe"] * len(pairs),
        }
    )


def _with_upstream(about: pd.DataFrame) -> list[str | None]:
    """Return the names of advisories, and of the vulnerabilities that they bundle."""
    written = (" ".join(filter(None, some)) for some in plain_rows(about[["aliases", "upstream"]]))
    return [" ".join(sorted({*one.split()})) or None for one in written]


def canonical_ids(frame: pd.DataFrame) -> list[str]:
    """Return one name for each vulnerability: its CVE where it has one, else its first name.

    Parameters
    ----------
    frame
        A frame with ``id`` and ``aliases``.

    Examples
    --------
    >>> rows = {"id": ["GHSA-9", "CVE-1", "PYSEC-2"], "aliases": ["CVE-1", None, "GHSA-9"]}
    >>> canonical_ids(pd.DataFrame(rows, dtype="str"))
    ['CVE-1', 'CVE-1', 'CVE-1']
    """
    return [names[0] for names in _known_as(frame)]


def _known_as(frame: pd.DataFrame) -> list[list[str]]:
    """Return the CVEs of each row, or else one name that other rows may tell the CVE of."""
    written = frame[["id", "aliases"]]
    # The same stands in many rows: of each package, and of each image that has it.
    which = written.groupby([*written], dropna=False, sort=False).ngroup()
    rows = [
        (sorted(one for one in names if one.startswith("CVE-")), names)
        for names in (
            [id_, *(aliases or "").split()]
            for id_, aliases in plain_rows(written[~which.duplicated()])
        )
    ]
    # What is told first of a name holds, however often the rest is told.
    by_name = {name: cves for cves, names in reversed(rows) if len(cves) == 1 for name in names}
    known = [
        cves or next((by_name[name] for name in names if name in by_name), [min(names)])
        for cves, names in rows
    ]
    return [known[at] for at in which]


def worst_first(vulnerabilities: pd.DataFrame, layers: pd.DataFrame | None) -> pd.DataFrame:
    """Sort vulnerabilities by how urgent they are, without those that do not affect the image.

    First are those that are known to be exploited, then the most severe, then those with a fixed
    version. What several sources tell of a package of an image is there once. ``instruction`` is
    the build step, of `layers`, and ``exploited`` is never null.
    """
    rows = vulnerabilities[vulnerabilities["state"] != NOT_AFFECTED]
    steps = pd.Series(dtype=TEXT)
    if layers is not None:
        told = layers.dropna(subset=["layer_digest", "instruction"])
        steps = told.drop_duplicates("layer_digest").set_index("layer_digest")["instruction"]
    rows = rows.assign(
        image=identity(rows),
        vulnerability=canonical_ids(rows),
        instruction=rows["layer_digest"].map(steps).astype(TEXT),
        exploited=rows["is_exploited"].fillna(value=False),
        rank=rows["severity"].map(_RANK),
        is_fixable=rows["fixed_version"].notna(),
    )
    order = {"exploited": False, "rank": True, "is_fixable": False, "cvss": False}
    worst = rows.sort_values([*order], ascending=[*order.values()], kind="stable")
    return worst.drop_duplicates(["image", "vulnerability", "type", "name", "version"])


def _with_highest(advisories: pd.DataFrame) -> pd.DataFrame:
    """Let each advisory say the worst that one says which names the same vulnerability."""
    holds = advisories["withdrawn_at"].isna()
    rank = advisories["severity"].map(_RANK).astype("float64")
    group = pd.factorize(np.array(canonical_ids(advisories), dtype=object))[0]
    worst = _first_of_each(group, rank.where(holds, np.inf).argsort(kind="stable"))
    score = advisories["cvss"].astype("float64").where(holds, -np.inf).fillna(-np.inf)
    best_scored = _first_of_each(group, (-score).argsort(kind="stable"))
    return advisories.assign(
        severity=advisories["severity"].array.take(worst),
        **{name: advisories[name].array.take(best_scored) for name in ("cvss", "cvss_vector")},
    )


def _first_of_each(group: np.ndarray, order: pd.Series) -> np.ndarray:
    """Return for each row the place of the first of its group, in some order."""
    places = order.to_numpy()
    of, at = np.unique(group[places], return_index=True)
    first = np.zeros(len(of), dtype=np.int64)
    first[of] = places[at]
    found: np.ndarray = first[group]
    return found


def _told(
    packages: pd.DataFrame, advisories: pd.DataFrame, unknown: dict[tuple[str, str], str]
) -> dict[str, Any]:
    """Say what went into the frame, and what was not looked for."""
    of = packages.attrs.get("hubframe") or {}
    about = advisories.attrs.get("hubframe") or {}
    told = [
        {"column": column, "ref": ref, "message": why}
        for (column, ref), why in list(unknown.items())[:_MOST_UNKNOWN]
    ]
    found_by = Counter(plain_rows(packages[["evidence", "tool"]]))
    inventories = [
        {"evidence": evidence, "tool": tool, "count": count}
        for (evidence, tool), count in found_by.items()
    ]
    joined = joined_attrs([packages, advisories])
    return joined | {
        "table": VULNERABILITIES.name,
        "meaning": MEANING,
        "sources": [*(about.get("sources") or ()), *(of.get("sources") or ())],
        "inventories": inventories,
        "unknown": [*joined["unknown"], *told],
        "unknown_count": len(unknown),
    }


_BY: dict[str, list[str]] = {
    "tag": _KEY,
    "image": _KEY,
    "repo": ["repo"],
    "layer": [*_KEY, "layer_digest"],
}


def vulnerability_summary_df(
    vulnerabilities: pd.DataFrame, by: By = "tag", *, packages: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count vulnerabilities by how bad they are, the worst rows first.

    What has several names is counted once, by its CVE; so is what is in several packages. What
    somebody says that the image is not affected by is counted apart.

    Parameters
    ----------
    vulnerabilities
        The table `vulnerabilities`.
    by
        What a row is: ``"tag"``; ``"image"``, where tags of the same image are one; ``"repo"``;
        ``"layer"`` of each image, which joins to `layers` by ``image_digest`` and
        ``layer_digest``.
    packages
        The table `packages` that was looked at: the one given to `vulnerabilities_df`, or that of
        the same reports. What of it has no vulnerability gets a row, too, of zeros.

    Returns
    -------
    pandas.DataFrame
        The table `vulnerability_summary`. Without `packages`, what has no vulnerability has no row:
        nothing tells whether it was looked at.

    Examples
    --------
    >>> from hubframe.readers.trivy import read_trivy
    >>> from hubframe.testing import sample_files
    >>> found = read_trivy(sample_files() / "scans" / "trivy.json")
    >>> vulnerability_summary_df(found)[["tag", "vulnerability_count", "high_count"]]
         tag  vulnerability_count  high_count
    0  1.2.0                    4           1
    """
    VULNERABILITIES.require(vulnerabilities)
    if by not in [*_BY]:
        raise ValueError(f"by must be one of {', '.join(_BY)}, not {by!r}")
    # The other columns, which are many, are not copied with each step.
    rows = vulnerabilities[_COUNTED]
    if packages is not None:
        keys = [*dict.fromkeys([*_KEY, *_BY[by]])]
        PACKAGES.require(packages, keys)
        looked_at = plain_values(packages[keys].drop_duplicates()).to_dict("list")
        rows = pd.concat([rows, VULNERABILITIES.frame(looked_at)[_COUNTED]], ignore_index=True)
    if by == "image":
        first = rows.assign(image=identity(rows)).groupby("image", sort=False)[_KEY]
        rows = rows.assign(**{name: first.transform("first")[name] for name in _KEY})
    keys = _BY[by]
    rows = rows.assign(
        group=rows.groupby(keys, dropna=False, sort=False).ngroup(),
        rank=rows["severity"].map(_RANK),
        is_fixable=rows["fixed_version"].notna(),
    )
    made = rows.drop_duplicates("group")[[*dict.fromkeys(["repo", *keys])]]
    rows = rows[rows["id"].notna()]
    affected = rows[rows["state"] != NOT_AFFECTED].drop_duplicates(
        ["group", "type", "name", "version"]
    )
    rows = _by_vulnerability(rows)
    is_counted = rows["state"] != NOT_AFFECTED
    distinct = rows[is_counted].groupby(["group", "vulnerability"], sort=False)
    each = distinct.agg(
        rank=("rank", "min"),
        is_fixable=("is_fixable", "all"),
        is_exploited=("is_exploited", "max"),
        cvss=("cvss", "max"),
        published_at=("published_at", "min"),
    ).reset_index()
    cleared = rows[~is_counted].drop_duplicates(["group", "vulnerability"])
    kept = pd.MultiIndex.from_frame(each[["group", "vulnerability"]])
    cleared = cleared[~pd.MultiIndex.from_frame(cleared[["group", "vulnerability"]]).isin(kept)]
    places = range(len(made))
    counts = {
        name: each["group"][each["rank"] == rank]
        for name, rank in zip(_COUNTS, _RANK.values(), strict=True)
    }
    counts |= {
        "vulnerability_count": each["group"],
        "fixable_count": each["group"][each["is_fixable"]],
        "exploited_count": each["group"][each["is_exploited"].fillna(value=False)],
        "not_affected_count": cleared["group"],
        "package_count": affected["group"],
    }
    groups, fixable = each.groupby("group"), each[each["is_fixable"]].groupby("group")
    none = VULNERABILITY_SUMMARY.frame({"repo": made["repo"].tolist()})
    values: dict[str, Any] = {str(name): none[name].array for name in none}
    values |= {str(name): made[name].array for name in made}
    for name, numbers in counts.items():
        values[name] = numbers.value_counts().reindex(places, fill_value=0).astype(COUNT).array
    is_told = groups["is_exploited"].count().reindex(places, fill_value=0).to_numpy() > 0
    values["exploited_count"] = pd.Series(values["exploited_count"]).where(is_told).array
    for name, found in (
        ("highest_cvss", groups["cvss"].max()),
        ("oldest_published_at", groups["published_at"].min()),
        ("first_fixable_published_at", fixable["published_at"].min()),
    ):
        values[name] = found.reindex(places).array
    frame = VULNERABILITY_SUMMARY.of(values)
    worst = [*_COUNTS[:-1], "vulnerability_count"]
    return frame.sort_values(worst, ascending=False, kind="stable", ignore_index=True)


def _by_vulnerability(rows: pd.DataFrame) -> pd.DataFrame:
    """Let each row be of one vulnerability: what bundles several is of each that has no own row."""
    names = _known_as(rows)
    counts = np.array([len(one) for one in names], dtype=np.int64)
    each = rows.iloc[np.repeat(np.arange(len(rows)), counts)].assign(
        vulnerability=[name for some in names for name in some]
    )
    is_bundled = np.repeat(counts > 1, counts)
    if not is_bundled.any():
        return each
    known = pd.MultiIndex.from_frame(each[["group", "vulnerability"]])
    return each[~(is_bundled & known.isin(known[~is_bundled]))]
