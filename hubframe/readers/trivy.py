"""Reports of trivy: vulnerabilities and packages, each with its layer.

https://trivy.dev, ``--format json``: https://github.com/aquasecurity/trivy in
``pkg/types/report.go``, of clusters in ``pkg/k8s/report``, and ``--format cosign-vuln`` in
``pkg/report/predicate``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.contents import sboms, statements
from hubframe.oci.contents.packages import OS_TYPES, read_url, write_url
from hubframe.oci.payload import Known, an_object, array, items, mapping, parsed, text, texts
from hubframe.readers.documents import MOST_BYTES, Errors, Paths, Reading, other_reader
from hubframe.readers.severities import STATES, fixed_or, joined, severity
from hubframe.readers.subjects import Images, Subject, platform, subject
from hubframe.tables import PACKAGES
from hubframe.tables.vulnerabilities import MEANING, VULNERABILITIES

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
            *("suse linux enterprise server", "sles", "slem", "centos-stream", "coreos"),
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
# Some databases tell constraints in place of a version: ">= 2.1.3, < 3.0.0".
_OPERATOR = re.compile(r"([<>=~^!]+)\s+")
# More images are in no resource of a cluster.
_MOST_IMAGES = 100
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

    Those of ``trivy k8s --report all`` tell of all images of a cluster, and those in the format
    ``cosign-vuln`` may be attested.

    Parameters
    ----------
    paths
        A file, several, or a folder, whose files that end in ``.json`` or ``.json.gz`` are read.
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
        that a package is in: ``frame.merge(layers, on="layer_digest")`` names the build step, if
        `layers` has each layer once.

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

    def read(body: bytes, name: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for report, digest in _reports(body, name):
            version = text(mapping(report.get("Trivy")).get("Version"))
            tool = f"trivy-{version}" if version else "trivy"
            reading.note(tool=tool, reported_at=text(report.get("CreatedAt")))
            if failed := text(report.get("Error")):
                of = text(report["ArtifactName"]) or name
                reading.unknown["image", of] = f"trivy could not read it: {failed}"
            about = images.find(_subject(report, name, digest))
            for result in items(report.get("Results")):
                suppressed = items(result.get("ExperimentalModifiedFindings"))
                reading.skipped += sum(one.get("Type") == "vulnerability" for one in suppressed)
                found += rows_of(result, about, tool)
        return found

    rows = (row for some in reading.bodies(paths, read) for row in some)
    return reading.finish(table.from_rows(rows), "trivy", None if packages else MEANING)


def _reports(body: bytes, name: str) -> Iterator[tuple[Payload, str | None]]:
    """Yield the reports that a document is, or holds, and the digest of what each is attested of.

    A cluster has one for each image. Before version 0.20 a report was its results alone.
    """
    told = an_object(lambda: _named(parsed(body)), name)
    digest = None
    if statements.is_attestation(told):
        statement = statements.read(body, name)
        told, subjects = dict(mapping(statement.predicate)), statement.subjects
        digest = subjects[0] if len(subjects) == 1 else None
    scanner, about = mapping(told.get("scanner")), mapping(told.get("metadata"))
    if "result" in scanner:
        made = {
            "Trivy": {"Version": scanner.get("version")},
            "CreatedAt": about.get("scanFinishedOn"),
        }
        told = dict(mapping(scanner["result"])) | made
    if "ClusterName" in told:
        for resource in items(told.get("Resources")) or items(told.get("Findings")):
            yield from ((one, None) for one in _of_resource(resource))
    elif isinstance(told.get("SchemaVersion"), int) and "ArtifactName" in told:
        yield told, digest
    else:
        how = other_reader(told, "read_trivy") or "write one with --format json"
        raise PayloadError(f"{name} is no report of trivy: {how}")


def _named(told: Any) -> Any:
    """Name what a list of results is about: the target of the first, before its system."""
    if not isinstance(told, list) or not told or "Target" not in mapping(told[0]):
        return told
    name, _, system = str(told[0]["Target"]).partition(" (")
    kind = "container_image" if system else None
    return {"SchemaVersion": 1, "ArtifactName": name, "ArtifactType": kind, "Results": told}


def _of_resource(resource: Payload) -> Iterator[Payload]:
    """Yield what a report of a cluster tells of each image of a resource."""
    about = resource.get("Metadata")
    images = items(about if isinstance(about, list) else [about])[:_MOST_IMAGES]
    layers = [set(texts(image.get("DiffIDs"))) for image in images]
    names = filter(None, (text(resource.get(of)) for of in ("Namespace", "Kind", "Name")))
    told = {"ArtifactName": "/".join(names), "Error": resource.get("Error")}
    left: list[Payload] = []
    by_image: list[list[Payload]] = [[] for _ in images]
    for result in items(resource.get("Results")):
        held = {unpacked for unpacked, _ in _told_layers({"Results": [result]})}
        of = [one for one, own in enumerate(layers) if held <= own or len(images) == 1]
        if len(of) > 1:
            # Of a base that several have it is told by the image's name alone.
            of = [one for one in of if _is_named(result, images[one])]
        (by_image[of[0]] if len(of) == 1 else left).append(result)
    for image, results in zip(images, by_image, strict=True):
        yield told | {"Metadata": image, "Results": results}
    yield told | {"Results": left}


def _is_named(result: Payload, image: Payload) -> bool:
    """Whether a result's target is an image, ``docker.io/library/nginx:1 (debian 12.5)``."""
    target = str(result.get("Target")).partition(" (")[0]
    names = (*texts(image.get("RepoTags")), *texts(image.get("RepoDigests")))
    return target.endswith(names)


def _subject(report: Payload, name: str, digest: str | None) -> Subject:
    about = mapping(report.get("Metadata"))
    config = mapping(about.get("ImageConfig"))
    told = subject(
        text(report.get("ArtifactName")),
        tags=texts(about.get("RepoTags")),
        digests=texts(about.get("RepoDigests")),
        image_digest=digest,
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
            _fixed_versions(fixed),
            fixed_or(fixed, STATES.get(str(one.get("Status")))),
            severity(one.get("Severity")), score, vector, None, None,
            text(one.get("PublishedDate")), text(one.get("LastModifiedDate")),
            text(mapping(one.get("DataSource")).get("ID")), digest, position,
            _path(one.get("PkgPath"), result), "trivy", tool, text(one.get("Title")),
            text(one.get("PrimaryURL")), None, None,
        )  # fmt: skip


def _fixed_versions(told: str | None) -> str | None:
    """Return versions, each once, joined by blanks; a constraint is a word: ``>=2.1.3``."""
    if told is None or told.isalnum():
        return told
    words = _OPERATOR.sub(r"\1", told).replace(",", " ").split()
    return " ".join(dict.fromkeys(words)) or None


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
            sboms.all_of(texts(one.get("Licenses"))), None, position, digest,
            _path(one.get("FilePath"), result), "sbom", tool, relation,
        )  # fmt: skip


def _version(one: Payload, of: str = "") -> str | None:
    """Put a version together of its parts."""
    version, release, epoch = (one.get(f"{of}{part}") for part in ("Version", "Release", "Epoch"))
    found = joined("-", version, release)
    is_epoch = isinstance(epoch, int) and epoch > 0
    return f"{epoch}:{found}" if found and is_epoch else found
