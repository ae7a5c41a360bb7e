"""Bills of materials on the disk, as syft, SPDX and CycloneDX write them, as packages.

What is in them is read by `oci.contents.sboms`, as of those that are attached to images.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.contents import sboms
from hubframe.oci.contents.packages import read_url, write_url
from hubframe.oci.payload import items, mapping, text, texts
from hubframe.oci.reference import DIGEST
from hubframe.readers.cyclonedx import vulnerability_rows
from hubframe.readers.documents import MOST_BYTES, Errors, Paths, Reading, other_reader
from hubframe.readers.subjects import Images, Subject, described_by_syft, subject
from hubframe.tables import PACKAGES
from hubframe.tables.vulnerabilities import MEANING, VULNERABILITIES

Payload = Mapping[str, Any]
Row = tuple[Any, ...]


def read_syft(
    paths: Paths,
    *,
    layers: pd.DataFrame | None = None,
    max_bytes: int = MOST_BYTES,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """Read the packages of syft's own documents (``syft scan --output syft-json``).

    Parameters
    ----------
    paths, max_bytes, errors
        See `read_trivy`.
    layers
        The table `layers` of the images. By it an image is found by its layers, its digest or its
        tag, and each package's layer by what it is unpacked; without it, ``position`` is null in
        what SPDX and CycloneDX tell.

    Returns
    -------
    pandas.DataFrame
        The table `packages`, in the order of the documents. A document says what its tool found:
        others find more, or less.

    Raises
    ------
    PayloadError
        A file is no such document in JSON, or too large.
    NotFoundError
        A folder holds none.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> found = read_syft(sample_files() / "scans" / "syft.json")
    >>> found[["type", "name", "version", "tool"]].head(1).to_numpy().tolist()
    [['deb', 'curl', '7.88.1-10+deb12u6', 'sample-scanner-1.0']]
    """
    return _read(paths, "syft", layers, max_bytes, errors)


def read_spdx(
    paths: Paths,
    *,
    layers: pd.DataFrame | None = None,
    max_bytes: int = MOST_BYTES,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """Read the packages of documents in SPDX 2 or 3, in JSON.

    Parameters
    ----------
    paths, layers, max_bytes, errors
        See `read_syft`.

    Returns
    -------
    pandas.DataFrame
        The table `packages`, as of `read_syft`.

    Raises
    ------
    PayloadError, NotFoundError
        See `read_syft`.
    """
    return _read(paths, "spdx", layers, max_bytes, errors)


def read_cyclonedx(
    paths: Paths,
    *,
    vulnerabilities: bool = False,
    layers: pd.DataFrame | None = None,
    max_bytes: int = MOST_BYTES,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """Read the packages of documents in CycloneDX, in JSON.

    Parameters
    ----------
    paths, layers, max_bytes, errors
        See `read_syft`.
    vulnerabilities
        Read the vulnerabilities that are listed in place of the packages, as
        ``trivy image --format cyclonedx --scanners vuln`` and ``grype --output cyclonedx-json``
        list them, a row for each component that one affects; with what a document says of them
        as VEX.

    Returns
    -------
    pandas.DataFrame
        The table `packages`, as of `read_syft`, or `vulnerabilities`.

    Raises
    ------
    PayloadError, NotFoundError
        See `read_syft`.
    """
    if not vulnerabilities:
        return _read(paths, "cyclonedx", layers, max_bytes, errors)
    reading, images = Reading(VULNERABILITIES, errors, max_bytes), Images(layers)

    def rows_of(told: Payload, sbom: sboms.Sbom, name: str) -> Iterator[Row]:
        return vulnerability_rows(told, images.find(_of_cyclonedx(told, name)), sbom.tool)

    rows = _rows(reading, paths, "cyclonedx", rows_of)
    return reading.finish(VULNERABILITIES.from_rows(rows), "sbom", MEANING)


def _read(
    paths: Paths, form: str, layers: pd.DataFrame | None, max_bytes: int, errors: Errors
) -> pd.DataFrame:
    reading, images = Reading(PACKAGES, errors, max_bytes), Images(layers)

    def rows_of(told: Payload, sbom: sboms.Sbom, name: str) -> Iterator[Row]:
        return package_rows(images.find(_ROOTS[form](told, name)), sbom)

    return reading.finish(PACKAGES.from_rows(_rows(reading, paths, form, rows_of)), "sbom")


def _rows(
    reading: Reading,
    paths: Paths,
    form: str,
    rows_of: Callable[[Payload, sboms.Sbom, str], Iterator[Row]],
) -> Iterator[Row]:
    """Yield the rows of documents, which must be in a format."""

    def read(body: bytes, name: str) -> list[Row]:
        # A file of one's own may be as long as it is.
        told = sboms.document(body, name, most=None)
        if how := other_reader(told, f"read_{form}"):
            raise PayloadError(f"{name} is not in the format of {form}: {how}")
        sbom = sboms.read(told, name)
        reading.note(format=sbom.format, tool=sbom.tool, reported_at=sbom.created_at)
        return list(rows_of(told, sbom, name))

    return (row for some in reading.bodies(paths, read) for row in some)


def package_rows(about: Subject, sbom: sboms.Sbom) -> Iterator[Row]:
    """Yield the packages of a document as rows, in the order of the table's columns."""
    for package, url, layer_digest, diff_id in sbom.packages():
        kind, name, version, namespace, architecture, source, source_version, *rest = package
        licence, size, path, is_direct = rest
        position, digest = about.place(layer_digest, diff_id)
        yield (
            *about.key, kind, namespace, name, version, architecture, source, source_version,
            url or write_url(package), licence, size, position, digest, path, "sbom",
            sbom.tool, is_direct,
        )  # fmt: skip


def _of_syft(told: Payload, what: str) -> Subject:
    return described_by_syft(mapping(told.get("source")), what)


def _of_spdx(told: Payload, what: str) -> Subject:
    """Read what a document describes: the first of its roots."""
    described = set(texts(told.get("documentDescribes")))
    for one in items(told.get("relationships")):
        if one.get("relationshipType") == "DESCRIBES":
            described.add(str(one.get("relatedSpdxElement")))
    found = items(told.get("packages")) or items(told.get("@graph"))
    roots = (
        one
        for one in found
        if text(one.get("SPDXID")) in described or one.get("software_primaryPurpose") == "container"
    )
    root = next(roots, {})
    urls = [text(root.get("software_packageUrl"))]
    urls += [text(one.get("referenceLocator")) for one in items(root.get("externalRefs"))]
    pairs = sboms.notes_of_trivy(root)
    name = text(root.get("name")) or text(told.get("name"))
    version = root.get("versionInfo") or root.get("software_packageVersion")
    kind = root.get("primaryPackagePurpose") or root.get("software_primaryPurpose")
    return _of_root(name, text(version), kind, urls, pairs, what)


def _of_cyclonedx(told: Payload, what: str) -> Subject:
    root = mapping(mapping(told.get("metadata")).get("component"))
    pairs = [
        (str(one.get("name")).removeprefix(sboms.TRIVY), str(one.get("value")))
        for one in items(root.get("properties"))
    ]
    urls = [text(root.get("purl"))]
    name, version = text(root.get("name")), text(root.get("version"))
    return _of_root(name, version, root.get("type"), urls, pairs, what)


def _of_root(  # noqa: PLR0913, PLR0917
    name: str | None,
    version: str | None,
    kind: Any,
    urls: Iterable[str | None],
    pairs: Iterable[tuple[Any, ...]],
    what: str,
) -> Subject:
    """Tell which image a document's root is: its version is a tag, or a digest."""
    pairs = list(pairs)
    found = [package.version for package in map(read_url, filter(None, urls)) if package]
    digests = [one for one in [version, *found] if one and DIGEST.fullmatch(one)]
    is_tag = name and version and version not in digests and ":" not in name.rpartition("/")[2]
    # trivy sorts them by their digests.
    diff_ids = tuple(value for key, value in pairs if key == "DiffID")
    told = subject(
        f"{name}:{version}" if is_tag else name,
        tags=[value for key, value in pairs if key == "RepoTag"],
        digests=[value for key, value in pairs if key == "RepoDigest"],
        image_digest=next(iter(digests), None),
        is_image=str(kind).lower() == "container",
        what=what,
    )
    is_ordered = len(diff_ids) == 1
    return replace(told, diff_ids=diff_ids if is_ordered else (), unordered=frozenset(diff_ids))


_ROOTS = {"syft": _of_syft, "spdx": _of_spdx, "cyclonedx": _of_cyclonedx}
