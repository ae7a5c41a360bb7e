"""Vulnerabilities in documents of CycloneDX, as trivy, grype and others write them, and VEX there.

https://cyclonedx.org/docs/1.6/json/, ``vulnerabilities``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from hubframe.oci.contents import cvss, sboms
from hubframe.oci.contents.packages import Package, read_url, whole_name
from hubframe.oci.payload import items, mapping, text
from hubframe.readers.severities import (
    AFFECTED,
    NOT_AFFECTED,
    UNDER_INVESTIGATION,
    UNKNOWN,
    fixed_or,
    headline,
    joined,
    severity,
)
from hubframe.readers.subjects import Subject

Payload = Mapping[str, Any]
# What somebody says of it after a look, as VEX says it, and what became of it.
_ANALYSES = {
    "exploitable": ("affected", AFFECTED),
    "false_positive": ("not_affected", NOT_AFFECTED),
    "in_triage": ("under_investigation", UNDER_INVESTIGATION),
    "not_affected": ("not_affected", NOT_AFFECTED),
    "resolved": ("fixed", NOT_AFFECTED),
    "resolved_with_pedigree": ("fixed", NOT_AFFECTED),
}
# The versions of CVSS, the newest first.
_METHODS = ("CVSSv4", "CVSSv31", "CVSSv3", "CVSSv2")
_EPSS = "FIRST"
_HIGHEST = 10
# As trivy writes which version mends which package.
_UPGRADE = re.compile(r"Upgrade (\S+) to version ([^;]+)")
# Whose words a row has where the document was made by a scanner.
_SCANNERS = ("grype", "trivy")


def vulnerability_rows(
    told: Payload, about: Subject, tool: str | None
) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each vulnerability and component, in the order of the table's columns."""
    root = mapping(mapping(told.get("metadata")).get("component"))
    parts = {str(one.get("bom-ref")): one for one in (root, *sboms.components(told))}
    made_by = next((one for one in _SCANNERS if (tool or "").startswith(one)), "cyclonedx")
    for one in items(told.get("vulnerabilities")):
        found = text(one.get("id"))
        if not found:
            continue
        others = {text(each.get("id")) for each in items(one.get("references"))} - {None, found}
        aliases = joined(" ", *sorted(filter(None, others)))
        source, analysis = mapping(one.get("source")), mapping(one.get("analysis"))
        status, state = _ANALYSES.get(str(analysis.get("state")), (None, None))
        # Others recommend in words of their own.
        advice = text(one.get("recommendation")) if made_by == "trivy" else None
        fixed_versions = dict(_UPGRADE.findall(advice or ""))
        links = (text(each.get("url")) for each in (*items(one.get("advisories")), source))
        url = next(filter(None, links), None)
        rated = _rated(one, text(source.get("name")))
        affects = {
            str(each.get("ref")): items(each.get("versions")) for each in items(one.get("affects"))
        }
        for ref, versions in affects.items():
            listed = _listed(ref, parts)
            if listed is None or _is_unaffected(listed.package.version, versions):
                continue
            package = listed.package
            name = whole_name(package.type, package.namespace, package.name)
            fixed = joined(" ", *fixed_versions.get(name, "").replace(",", " ").split())
            position, digest = about.place(listed.layer_digest, listed.diff_id)
            yield (
                *about.key, found, aliases, package.type, name, package.version, listed.purl,
                fixed, fixed_or(fixed, state), *rated, None, text(one.get("published")),
                text(one.get("updated")), text(source.get("name")), digest, position, package.path,
                made_by, tool or made_by, headline(one.get("description")), url, status,
                text(analysis.get("justification")),
            )  # fmt: skip


def _listed(ref: str, parts: Mapping[str, Payload]) -> sboms.Listed | None:
    """Return what a reference means: a component of this document or its root, else by its URL."""
    own = unquote(ref.partition("#")[2]) if ref.startswith("urn:cdx:") else ref
    if own in parts:
        return sboms.component(parts[own])
    package = read_url(own)
    return sboms.Listed(package or Package("generic", own), own if package else None)


def _is_unaffected(version: str | None, told: Iterable[Payload]) -> bool:
    """Whether a version is listed as one that is not affected."""
    listed = (one for one in told if version and one.get("version") == version)
    return any(one.get("status") == "unaffected" for one in listed)


def _rated(one: Payload, source: str | None) -> tuple[str, Any, str | None, Any]:
    """Return severity, score and vector of whose vulnerability it is, else NVD's; and EPSS."""
    whose = [name for name in (source, "nvd", "NVD") if name]

    def order(rating: Payload) -> tuple[int, int]:
        by, method = _source(rating), str(rating.get("method"))
        return (
            whose.index(by) if by in whose else len(whose),
            _METHODS.index(method) if method in _METHODS else len(_METHODS),
        )

    ratings = sorted(items(one.get("ratings")), key=order)
    words = (severity(each.get("severity")) for each in ratings)
    scored = next((each for each in ratings if each.get("method") in _METHODS), {})
    epss = next((each.get("score") for each in ratings if _source(each) == _EPSS), None)
    word = next((word for word in words if word != UNKNOWN), UNKNOWN)
    score: Any = scored.get("score")
    vector = text(scored.get("vector"))
    if score is None and (known := cvss.read(vector or "")):
        score = known.score
    if word == UNKNOWN and type(score) in (int, float) and 0 <= score <= _HIGHEST:
        word = cvss.word(score)
    return word, score, vector, epss


def _source(rating: Payload) -> str:
    return str(mapping(rating.get("source")).get("name"))
