"""Reports of trivy: vulnerabilities and packages, each with its layer.

https://trivy.dev, ``--format json``, schema 2: https://github.com/aquasecurity/trivy in
``pkg/types/report.go``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.contents.packages import OS_TYPES, read_url, write_url
from hubframe.oci.payload import Known, array, items, mapping, text, texts
from hubframe.readers.documents import MOST_BYTES, Errors, Paths, Reading
from hubframe.readers.severities import STATES, fixed_or, joined, severity
from hubframe.readers.subjects import Images, Subject, platform, subject
from hubframe.tables import PACKAGES
from hubframe.tables.vulnerabilities import VULNERABILITIES

Payload = Mapping[str, Any]
_URLS = Known(read_url)
# What trivy calls results about packages, by the kind that it is; where a package has no URL.
_KINDS = {
    **dict.fromkeys(("debian", "ubuntu", "echo", "minimos-deb"), "deb"),
    **dict.fromkeys(("alpine", "wolfi", "chainguard", "minimos"), "apk"),
    **dict.fromkeys(
        (
            *("redhat", "centos", "rocky", "alma", "amazon", "oracle", "photon", "fedora"),
            *("cbl-mariner", "azurelinux", "opensuse", "opensuse-leap", "opensuse-tumbleweed"),
            *("suse linux enterprise server", "slem"),
        ),
        "rpm",
    ),
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun", "node-pkg"), "npm"),
    **dict.fromkeys(("pip", "pipenv", "poetry", "uv", "pylock", "python-pkg"), "pypi"),
    **dict.fromkeys(("gobinary", "gomod"), "golang"),
    **dict.fromkeys(("jar", "pom", "gradle", "sbt"), "maven"),
    **dict.fromkeys(("bundler", "gemspec"), "gem"),
    **dict.fromkeys(("cargo", "rustbinary"), "cargo"),
    **dict.fromkeys(("composer", "composer-vendor"), "composer"),
    **dict.fromkeys(("nuget", "dotnet-core", "packages-props"), "nuget"),
    **dict.fromkeys(("conda-pkg", "conda-environment"), "conda"),
}
# The versions of CVSS, the newest first.
_SCORES = (("V40Score", "V40Vector"), ("V3Score", "V3Vector"), ("V2Score", "V2Vector"))
_IS_DIRECT = {"direct": True, "root": True, "workspace": True, "indirect": False}


def read_trivy(
    paths: Paths,
    *,
    packages: bool = False,
    layers: pd.DataFrame | None = None,
    max_bytes: int = MOST_BYTES,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """Read reports of trivy (``trivy image --format json``), a row for each vulnerability.

    Parameters
    ----------
    paths
        A file, several, or a folder, whose files that end in ``.json`` are read.
    packages
        Read the packages that are listed in place of the vulnerabilities; trivy lists all of them
        with ``--list-all-pkgs``.
    layers
        The table `layers` of the images. By it an image is found by its layers, and has the
        platform and the digest that other frames have, which reports do not tell for sure.
    max_bytes
        A larger report is refused.
    errors
        ``"raise"`` ends with the first report that cannot be read; ``"collect"`` leaves such out,
        with a warning, and ``frame.attrs["hubframe"]["failures"]`` says why.

    Returns
    -------
    pandas.DataFrame
        The table `vulnerabilities`, or `packages`. ``layer_digest`` and ``position`` tell the layer
        that a package is in: ``frame.merge(layers, on="layer_digest")`` names the build step.

    Raises
    ------
    PayloadError
        A file is no report of trivy in JSON, or too large.
    NotFoundError
        A folder holds none.

    Notes
    -----
    What trivy suppressed, by a VEX document or a file of its own, has no rows;
    ``frame.attrs["hubframe"]["skipped"]`` counts it. There, ``sources`` tells which trivy it was,
    and when. No row does not mean safe: trivy's database did not know of anything.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> found = read_trivy(sample_files() / "scans" / "trivy.json")
    >>> found[["id", "name", "severity", "position"]].head(2).to_numpy().tolist()
    [['CVE-2024-99002', 'curl', 'high', 1], ['CVE-2024-99002', 'libcurl4', 'high', 1]]
    """
    table = PACKAGES if packages else VULNERABILITIES
    reading, images = Reading(table, errors, max_bytes), Images(layers)
    rows_of = _packages if packages else _vulnerabilities

    def read(report: Payload, name: str) -> list[tuple[Any, ...]]:
        if not isinstance(report.get("SchemaVersion"), int) or "ArtifactName" not in report:
            raise PayloadError(f"{name} is no report of trivy: write one with --format json")
        version = text(mapping(report.get("Trivy")).get("Version"))
        tool = f"trivy-{version}" if version else "trivy"
        reading.note(tool=tool, reported_at=text(report.get("CreatedAt")))
        results = items(report.get("Results"))
        for result in results:
            reading.skipped += len(items(result.get("ExperimentalModifiedFindings")))
        about = images.find(_subject(report, name))
        return [row for result in results for row in rows_of(result, about, tool)]

    rows = (row for some in reading.documents(paths, read) for row in some)
    return reading.finish(table.from_rows(rows), "trivy")


def _subject(report: Payload, name: str) -> Subject:
    about = mapping(report.get("Metadata"))
    config = mapping(about.get("ImageConfig"))
    told = subject(
        text(report.get("ArtifactName")),
        tags=texts(about.get("RepoTags")),
        digests=texts(about.get("RepoDigests")),
        is_image=report.get("ArtifactType") == "container_image",
        what=name,
    )
    layers = items(about.get("Layers"))
    # Older reports have no list of layers: which is packed as which is told with each package.
    listed = array(about.get("DiffIDs")) or [one.get("DiffID") for one in layers]
    packed = {text(one.get("DiffID")): text(one.get("Digest")) for one in layers}
    if not layers:
        packed = dict(_told_layers(report))
    return replace(
        told,
        platform=platform(config.get("os"), config.get("architecture"), config.get("variant")),
        diff_ids=tuple(map(text, listed)),
        layers=tuple(packed.get(text(one)) for one in listed),
    )


def _told_layers(report: Payload) -> Iterator[tuple[str | None, str | None]]:
    for result in items(report.get("Results")):
        for one in (*items(result.get("Vulnerabilities")), *items(result.get("Packages"))):
            layer = mapping(one.get("Layer"))
            yield text(layer.get("DiffID")), text(layer.get("Digest"))


def _vulnerabilities(result: Payload, about: Subject, tool: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of the table's columns."""
    for one in items(result.get("Vulnerabilities")):
        name, found = text(one.get("PkgName")), text(one.get("VulnerabilityID"))
        if not name or not found:
            continue
        url = text(mapping(one.get("PkgIdentifier")).get("PURL")) or text(one.get("PkgRef"))
        layer = mapping(one.get("Layer"))
        position, digest = about.place(layer.get("Digest"), layer.get("DiffID"))
        fixed = text(one.get("FixedVersion"))
        score, vector = _cvss(one)
        yield (
            *about.key, found, joined(" ", *sorted(set(texts(one.get("VendorIDs"))))),
            _kind(url, result), name, text(one.get("InstalledVersion")), url,
            joined(" ", *dict.fromkeys((fixed or "").replace(",", " ").split())),
            fixed_or(fixed, STATES.get(str(one.get("Status")))),
            severity(one.get("Severity")), score, vector, None, None,
            text(one.get("PublishedDate")), text(one.get("LastModifiedDate")),
            text(mapping(one.get("DataSource")).get("ID")), digest, position,
            _path(one.get("PkgPath"), result), "trivy", tool, text(one.get("Title")),
            text(one.get("PrimaryURL")), None, None,
        )  # fmt: skip


def _kind(url: str | None, result: Payload) -> str:
    known = _URLS[url] if url else None
    return known.type if known else _KINDS.get(str(result.get("Type")), "generic")


def _cvss(one: Payload) -> tuple[Any, str | None]:
    """Return score and vector: of who told the severity, else of NVD, else of whoever is first."""
    told = mapping(one.get("CVSS"))
    for source in dict.fromkeys((str(one.get("SeveritySource")), "nvd", *told)):
        scores = mapping(told.get(source))
        for score, vector in _SCORES:
            if scores.get(vector) or scores.get(score):
                return scores.get(score), text(scores.get(vector))
    return None, None


def _path(path: Any, result: Payload) -> str | None:
    """Return the file of a package; for lock files that is what the result is of."""
    found = text(path)
    if found is None and result.get("Class") == "lang-pkgs":
        found = text(result.get("Target"))
    return found and found.lstrip("/")


def _packages(result: Payload, about: Subject, tool: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of the table's columns."""
    for one in items(result.get("Packages")):
        name = text(one.get("Name"))
        if not name:
            continue
        url = text(mapping(one.get("Identifier")).get("PURL"))
        known = _URLS[url] if url else None
        kind, namespace = _kind(url, result), known and known.namespace
        if known and kind not in ("golang", *OS_TYPES):
            name = known.name
        namespace = None if kind == "golang" else namespace
        layer = mapping(one.get("Layer"))
        position, digest = about.place(layer.get("Digest"), layer.get("DiffID"))
        relation = _IS_DIRECT.get(str(one.get("Relationship")))
        yield (
            *about.key, kind, namespace, name, _version(one), text(one.get("Arch")),
            text(one.get("SrcName")), _version(one, "Src"),
            url or (write_url(known) if known else None),
            joined(" AND ", *texts(one.get("Licenses"))), None, position, digest,
            _path(one.get("FilePath"), result), "sbom", tool, relation,
        )  # fmt: skip


def _version(one: Payload, of: str = "") -> str | None:
    """Put a version together of its parts."""
    version, release, epoch = (one.get(f"{of}{part}") for part in ("Version", "Release", "Epoch"))
    found = joined("-", version, release)
    is_epoch = isinstance(epoch, int) and epoch > 0
    return f"{epoch}:{found}" if found and is_epoch else found
