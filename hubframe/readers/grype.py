"""Reports of grype: vulnerabilities, and the packages that have them, each with its layer.

https://github.com/anchore/grype, ``--output json``: ``grype/presenter/models``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.contents.packages import read_url, whole_name
from hubframe.oci.contents.sboms import KINDS_OF_SYFT, read
from hubframe.oci.payload import Known, items, mapping, text, texts
from hubframe.readers.boms import package_rows
from hubframe.readers.documents import MOST_BYTES, Errors, Paths, Reading, other_reader
from hubframe.readers.severities import STATES, fixed_or, headline, joined, severity
from hubframe.readers.subjects import Images, Subject, described_by_syft
from hubframe.tables import PACKAGES
from hubframe.tables.vulnerabilities import MEANING, VULNERABILITIES

Payload = Mapping[str, Any]
_URLS = Known(read_url)


def read_grype(
    paths: Paths,
    *,
    packages: bool = False,
    layers: pd.DataFrame | None = None,
    max_bytes: int = MOST_BYTES,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """Read reports of grype (``grype --output json``), a row for each match.

    Parameters
    ----------
    paths, layers, max_bytes, errors
        See `read_trivy`.
    packages
        Read the packages that have vulnerabilities, once each, in place of these; grype lists no
        others. All of them are in the document of syft that it reads: `read_syft`.

    Returns
    -------
    pandas.DataFrame
        The table `vulnerabilities`, or `packages`. Grype names layers by what they are unpacked:
        ``layer_digest`` is known where the report has the image's manifest, as it has of a
        registry's, or by ``layers``.

    Raises
    ------
    PayloadError, NotFoundError
        See `read_trivy`.

    Notes
    -----
    What grype ignored has no rows; ``frame.attrs["hubframe"]["skipped"]`` counts it. There,
    ``sources`` tells which grype it was, when, and when its database was built. ``is_exploited`` is
    null for versions before 0.88, which did not look.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> found = read_grype(sample_files() / "scans" / "grype.json")
    >>> found[["id", "name", "severity", "epss", "is_exploited"]].head(1).to_numpy().tolist()
    [['CVE-2024-99002', 'curl', 'high', 0.12, True]]
    """
    table = PACKAGES if packages else VULNERABILITIES
    reading, images = Reading(table, errors, max_bytes), Images(layers)
    rows_of = _packages if packages else _vulnerabilities

    def read_report(report: Payload, name: str) -> list[tuple[Any, ...]]:
        maker = mapping(report.get("descriptor"))
        if "matches" not in report or maker.get("name") != "grype":
            how = other_reader(report, "read_grype") or "write one with --output json"
            raise PayloadError(f"{name} is no report of grype: {how}")
        tool = joined("-", "grype", maker.get("version")) or ""
        database = mapping(maker.get("db"))
        built = mapping(database.get("status")).get("built") or database.get("built")
        reported = text(maker.get("timestamp"))
        reading.note(tool=tool, reported_at=reported, database_built_at=text(built))
        reading.skipped += len(items(report.get("ignoredMatches")))
        about = images.find(described_by_syft(mapping(report.get("source")), name))
        return list(rows_of(items(report.get("matches")), about, tool))

    rows = (row for some in reading.documents(paths, read_report) for row in some)
    return reading.finish(table.from_rows(rows), "grype", None if packages else MEANING)


def _vulnerabilities(
    matches: list[Payload], about: Subject, tool: str
) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of the table's columns."""
    for match in matches:
        one, package = mapping(match.get("vulnerability")), mapping(match.get("artifact"))
        name, found = text(package.get("name")), text(one.get("id"))
        if not name or not found:
            continue
        place = next(iter(items(package.get("locations"))), {})
        position, digest = about.place(None, place.get("layerID"))
        fix = mapping(one.get("fix"))
        fixed = joined(" ", *texts(fix.get("versions")))
        related = items(match.get("relatedVulnerabilities"))
        others = {text(each.get("id")) for each in related}
        score, vector = _cvss(one, *related)
        epss = next((each.get("epss") for each in items(one.get("epss"))), None)
        # Newer versions always tell the risk, and name what is exploited, and nothing else.
        is_exploited = bool(one.get("knownExploited")) if "risk" in one else None
        path = text(place.get("path"))
        yield (
            *about.key, found, " ".join(sorted(filter(None, others - {found}))) or None,
            *_identity(package, name), text(package.get("version")), text(package.get("purl")),
            fixed, fixed_or(fixed, STATES.get(str(fix.get("state")))),
            severity(one.get("severity")), score, vector, epss, is_exploited, None, None,
            text(one.get("namespace")), digest, position, path and path.lstrip("/"),
            "grype", tool, headline(*(each.get("description") for each in (one, *related))),
            text(one.get("dataSource")), None, None,
        )  # fmt: skip


def _identity(package: Payload, name: str) -> tuple[str, str]:
    """Return a package's type, and its name, whole: syft calls Maven's by the last part alone."""
    url = text(package.get("purl"))
    known = _URLS[url] if url else None
    if known is None:
        return KINDS_OF_SYFT.get(str(package.get("type")), "generic"), name
    is_whole = known.type != "maven" or ":" in name
    return known.type, name if is_whole else whole_name(known.type, known.namespace, name)


def _cvss(*vulnerabilities: Payload) -> tuple[Any, str | None]:
    """Return score and vector of the newest version, of the first that has any."""
    for told in vulnerabilities:
        scores = items(told.get("cvss"))
        if scores:
            newest = max(scores, key=lambda score: str(score.get("version")))
            return mapping(newest.get("metrics")).get("baseScore"), text(newest.get("vector"))
    return None, None


def _packages(matches: list[Payload], about: Subject, tool: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of the table's columns, as syft describes packages."""
    artifacts = {
        str(package.get("id") or number): package
        for number, package in enumerate(mapping(match.get("artifact")) for match in matches)
    }
    sbom = read({"artifacts": list(artifacts.values())}, "the report")
    return package_rows(about, sbom._replace(tool=tool))
