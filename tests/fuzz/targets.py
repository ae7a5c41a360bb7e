"""What is fuzzed, and what must hold whatever comes in."""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import hubframe
from hubframe.errors import InvalidReferenceError, NotFoundError, PayloadError, StaleWarning
from hubframe.measure import mutable_tags_df, tag_moves_df
from hubframe.measure.lifecycle import eol_df
from hubframe.measure.vex import with_vex
from hubframe.measure.vulnerabilities import vulnerabilities_df, vulnerability_summary_df
from hubframe.oci import manifests, payload, tagnames
from hubframe.oci.contents import cvss, provenance, sboms, signatures, statements
from hubframe.oci.contents.binaries import Room, read_binary
from hubframe.oci.contents.databases import read_bill, read_packages, sound
from hubframe.oci.contents.distributions import read_distribution
from hubframe.oci.contents.golang import read_modules
from hubframe.oci.contents.packages import Package, read_url, write_url
from hubframe.oci.contents.rpm import read_header
from hubframe.oci.contents.verifying import Verifier
from hubframe.oci.contents.versions import compare
from hubframe.oci.manifests import HubContent, ManifestContent
from hubframe.oci.payload import mapping, text
from hubframe.oci.platforms import Platform, best
from hubframe.oci.reference import ImageReference, is_loopback, parse_namespace, parse_registry
from hubframe.readers import builds, eol
from hubframe.readers.references import kinds
from hubframe.readers.references.dockerfiles import find_base
from hubframe.readers.references.found import columns
from hubframe.snapshots.downloads import read_downloads
from hubframe.tables import PACKAGES, TABLES, shape
from hubframe.tables.shape import Image, Referrer, Tag
from hubframe.tables.vulnerabilities import VULNERABILITIES
from hubframe.wire.challenges import parse_challenges, scope_of
from hubframe.wire.engines import read_list
from hubframe.wire.providers import harbor, quay
from tests.contents import documents

REPO, DIGEST = "org/app", "sha256:" + "0" * 64
_WANTED = Platform("linux", "arm", "v7")
# Kinds of files that name images.
OF_REFERENCES = (
    "dockerfile", "compose", "kubernetes", "helm values", "kustomize", "github actions", "gitlab",
    "circleci", "devcontainer", "bake", "buildpacks", "quadlet", "text",
)  # fmt: skip
SIGNED = (
    "application/vnd.dev.cosign.simplesigning.v1+json",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dsse.envelope.v1+json",
    "application/jose+json",
    "application/cose",
)


def reference(data: bytes) -> None:
    """References, namespaces and registries: read, or refused in one way."""
    # What is no UTF-8 becomes halves of surrogate pairs, which no text should hold.
    written = data.decode("utf-8", "surrogateescape")
    for read in (parse_namespace, parse_registry):
        try:
            assert read(written)
        except InvalidReferenceError as error:
            is_fit(str(error))
    is_loopback(written)
    try:
        read_reference(written)
    except InvalidReferenceError as error:
        is_fit(str(error))


def read_reference(written: str) -> None:
    """What was read once is read alike from all the forms that it is printed in."""
    found = ImageReference.parse(written)
    assert ImageReference.parse(str(found)) == found
    again = ImageReference.parse(found.repo)
    assert (again.registry, again.path) == (found.registry, found.path)
    assert str(found).isprintable()
    if not found.is_local:
        assert found.target
        assert 0 < len(found.path) <= 255
        assert str(found).isascii()


def engine_list(data: bytes) -> None:
    """An engine's list of images: names that lead back to it alone, and digests; or refused."""
    for engine in ("docker-daemon:", "podman:"):
        try:
            listed = read_list(data, engine)
        except PayloadError:
            continue
        for name in listed.names:
            assert name.is_in_engine
            assert name.registry == engine
            assert ImageReference.parse(str(name)) == name
            assert ImageReference.parse(name.repo) == name.at()
        assert {*listed.names.values(), *listed.digests.values()} <= {*listed.ids}


def is_fit(message: str) -> None:
    """A message is short, on one line, and can be printed anywhere."""
    assert len(message) < 1000
    assert message.isprintable()


def challenge(data: bytes) -> None:
    """Challenges: read as one that can be met, or as none."""
    # Headers come in Latin-1.
    header = data.decode("latin-1")
    found = next(iter(parse_challenges(header)), None)
    if found is not None:
        assert found.scheme in ("basic", "bearer")
        for name, value in found.parameters.items():
            assert name
            assert name == name.lower()
            assert len(value) <= len(header)
    scope_of(f"https://registry.example/v2/{header}")


def read_documents(data: bytes) -> None:
    """Indexes, manifests and configs, without frames."""
    case = parsed(data)
    if case is None:
        return
    for part in case.values():
        document = mapping(part)
        for entry in manifests.entries(document):
            assert entry.digest
        platforms = [(entry.platform, entry) for entry in manifests.entries(document)]
        best(_WANTED, platforms)
        platform = Platform.read(document)
        assert platform is None or str(platform)
        name = tagnames.read(str(document.get("name")))
        tagnames.newest_first([name])
        _are_sound(HubContent(document))
    content = _content(case)
    if content is not None:
        _are_sound(content)
        assert content.size >= 0
        assert all(isinstance(value, str) for value in content.env.values())
        for name in ("Cmd", "Entrypoint", "Healthcheck", "Shell"):
            written = payload.as_json(content.runtime.get(name))
            assert written is None or json.loads(written, parse_constant=_refuse) is not None


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def _are_sound(content: manifests.Content) -> None:
    (count,), layers = manifests.layer_columns([content])
    assert {len(values) for values in layers.values()} == {count}
    assert all(layers["layer_digest"])
    for line in layers["instruction"]:
        assert line is None or line.strip()
    for step in content.steps:
        assert step.instruction is None or step.instruction.strip()
    for label in content.labels:
        assert isinstance(label.key, str)
        assert isinstance(label.value, str)


def shapes(data: bytes) -> None:
    """All frames that payloads can make."""
    case = parsed(data)
    for name, frame in frames(case) if case is not None else ():
        is_declared(frame, name)


def frames(case: Mapping[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Shape a payload, under the key that tells how, into every frame that it can make."""
    if isinstance(case.get("repo"), dict):
        yield "repos", shape.repos(map(shape.hub_repo, [case["repo"], case["repo"]]))
        yield "search", shape.search([{**case["repo"], "repo_name": case["repo"].get("name")}])
    if isinstance(case.get("tag"), dict):
        tag = case["tag"]
        yield "tags", shape.tags([(REPO, [tag, {**tag, "name": "other"}])])
        yield "images", shape.images(shape.hub_images(REPO, tag))
    if isinstance(case.get("image"), dict):
        found = [Image(REPO, "tag", DIGEST, content=HubContent(case["image"]))]
        for name in ("layers", "history", "labels"):
            yield name, getattr(shape, name)(found)
    if isinstance(case.get("descriptor"), dict):
        refers = Referrer(REPO, "tag", DIGEST, case["descriptor"], mapping(case.get("manifest")))
        yield "referrers", shape.referrers([refers])
        if "digest" in refers.descriptor:
            yield "lifecycles", shape.lifecycles([(Image(REPO, "tag", DIGEST), refers)])
    content = _content(case)
    if content is not None:
        found = list(_images(case, content))
        for name in ("images", "layers", "history", "labels", "env", "configs"):
            yield name, getattr(shape, name)(found)


def contents(case: Any) -> Iterator[manifests.Content]:
    """Read a payload as what an image holds, in every way that it can be read."""
    if not isinstance(case, dict):
        return
    if isinstance(case.get("image"), dict):
        yield HubContent(case["image"])
    content = _content(case)
    if content is not None:
        yield content


def _content(case: Mapping[str, Any]) -> ManifestContent | None:
    if not isinstance(case.get("manifest"), dict):
        return None
    sent_as = text(case.get("sent_as")) or ""
    try:
        return manifests.content(case["manifest"], mapping(case.get("config")), sent_as)
    except PayloadError as error:
        is_fit(str(error))
        return None


def _images(case: Mapping[str, Any], content: ManifestContent) -> Iterator[Image]:
    """Yield the image, and what its document would list were it an index."""
    shared = mapping(case["manifest"].get("annotations"))
    yield Image(REPO, None, DIGEST, Platform.read(content.config), content=content)
    for entry in manifests.entries(case["manifest"]):
        yield Image(
            REPO,
            "tag",
            entry.digest,
            entry.platform,
            media_type=entry.media_type,
            is_attestation=entry.is_attestation,
            annotations=(("index", shared), ("descriptor", entry.annotations)),
        )


def packages(path: str, data: bytes) -> None:
    """A database of packages, by its path: read, or refused in one way."""
    try:
        found = read_packages(path, data)
    except PayloadError as error:
        is_fit(str(error))
        return
    for package in found:
        is_package(package)


def binary(path: str, data: bytes) -> None:
    """A program or an archive of Java: summarised as it comes, or none."""
    summary = Room().summarising()(path, len(data), BytesIO(data).read)
    if summary is not None:
        found = read_binary(path, summary)
        for failure in found.failures:
            assert len(failure) < 1000
        for package in found.packages:
            is_package(package)
            assert (package.path or "").startswith(path)


def modules(data: bytes) -> None:
    """What Go writes of modules: read, or nothing of it."""
    for package in sound(read_modules(data.decode("utf-8", "replace"))):
        is_package(package)


def is_package(package: Package) -> None:
    """A package has a name, and a version or none, and all of its text can be written."""
    assert package.name
    assert package.version != ""
    assert package.installed_size is None or package.installed_size >= 0
    "".join(value for value in package if isinstance(value, str)).encode()
    assert write_url(package, "debian-12").isascii()


def header(data: bytes) -> None:
    """The header of a package of rpm: read, or none."""
    package = read_header(data)
    if package is not None:
        is_package(package)


def release(data: bytes) -> None:
    """os-release: read, or none."""
    for name in ("redhat-release", "lsb-release", "debian_version"):
        read_distribution(f"etc/{name}", data)
    found = read_distribution("etc/os-release", data)
    "".join(filter(None, found or ())).encode()


def package_url(data: bytes) -> None:
    """Package URLs: what is read is written as text that is read again."""
    package = read_url(data.decode("utf-8", "replace"))
    if package is not None:
        assert read_url(write_url(package))


def official(data: bytes) -> None:
    """Builds of official images: read, or refused in one way."""
    try:
        found = list(builds.builds(data, "builds.json"))
    except PayloadError as error:
        is_fit(str(error))
        return
    for one in found:
        assert one.base_name
        assert one.image_digest.isascii()


def beside(data: bytes) -> None:
    """What registries tell beside the protocol: pages of rows, or refused in one way."""
    try:
        found = payload.parsed(data)
    except (ValueError, RecursionError):
        return
    readers: dict[Callable[..., Any], Callable[[Sequence[Mapping[str, Any]]], pd.DataFrame]] = {
        quay.read_history: lambda rows: TABLES["tag_history"].from_records(
            {"repo": REPO, **row} for row in rows
        ),
        harbor.read_artifacts: lambda rows: shape.tags([(REPO, [Tag(**row) for row in rows])]),
        quay.read_repos: shape.repos,
        harbor.read_repositories: shape.repos,
    }
    for read, make in readers.items():
        try:
            page = read(found, None, 1, url="https://registry.example/?page=")
        except PayloadError as error:
            is_fit(str(error))
            continue
        frame = make(list(page.rows.values()))
        is_declared(frame, "tags" if "aliases" in frame else _table_of(frame))
        assert (page.following or "https://").startswith("https://")
        if read is quay.read_history:
            is_declared(tag_moves_df(frame), "tag_moves")
            is_declared(mutable_tags_df(frame), "mutable_tags")
    _of_one(found)


def _of_one(found: Any) -> None:
    """What registries tell of one tag, and of one image."""
    key = {"repo": REPO, "tag": "tag"}
    try:
        pulls = TABLES["tag_pulls"].from_records([{**key, **quay.read_pulls(found)}])
        is_declared(pulls, "tag_pulls")
    except PayloadError as error:
        is_fit(str(error))
    for read in (quay.read_scan, harbor.read_scan):
        try:
            rows = read(found).rows
        except (PayloadError, NotFoundError) as error:
            is_fit(str(error))
            continue
        frame = VULNERABILITIES.from_records({**row, **key, "evidence": "clair"} for row in rows)
        is_declared(frame, "vulnerabilities")


def _table_of(frame: pd.DataFrame) -> str:
    return next(name for name, table in TABLES.items() if list(frame) == [*table.dtypes])


def downloads(data: bytes) -> None:
    """Files of backage: counts of days, or refused in one way."""
    try:
        found = list(read_downloads(payload.parsed(data)))
    except (ValueError, RecursionError):
        return
    for (day, repo), count in found:
        assert str(date.fromisoformat(day)) == day
        assert ImageReference.parse(repo).repo == repo
        assert count >= 0


# What all documents that are attached to an image have.
OF_DOCUMENT = {"repo": REPO, "image_digest": DIGEST, "digest": DIGEST}


def attested(data: bytes) -> None:
    """Statements about builds: read as rows of three tables, or refused in one way."""
    try:
        stated = statements.read(data, "the document")
        files = list(provenance.dockerfiles(stated.predicate, "the document"))
    except PayloadError as error:
        is_fit(str(error))
        return
    row = {**provenance.read(stated.predicate), "predicate_type": stated.predicate_type}
    for file in files:
        is_fit(find_base(file.text, *provenance.choices(stated.predicate)) or "none")
    payload.as_json(provenance.build_args(stated.predicate))
    rows = {
        "provenance": [row],
        "materials": map(provenance.Material._asdict, provenance.materials(stated.predicate)),
        "dockerfiles": ({**file._asdict(), "source": "provenance"} for file in files),
    }
    for name, found in rows.items():
        are_declared(name, found)


def bill(data: bytes) -> None:
    """Bills of materials: read, or refused in one way."""
    try:
        found = sboms.read(sboms.document(data, "the document"), "the document")
    except PayloadError as error:
        is_fit(str(error))
        return
    are_declared("sboms", [{**found._asdict(), "referrer_digest": DIGEST, "where": "index"}])
    # As it is attached, and as it would be in an image.
    for bill in (found, read_bill(data)):
        listed = list(bill.packages())
        assert len(listed) <= bill.package_count
        for one in listed:
            assert one.package.type
            assert one.package.name
            write_url(one.package)
    packages("srv/a.spdx.json", data)


def signed(data: bytes) -> None:
    """Signatures of each kind: read, or refused in one way; by a stranger's key none is good."""
    beside = {"dev.cosignproject.cosign/signature": "AAAA"}
    for media_type in SIGNED:
        try:
            found = list(signatures.read(data, media_type, beside, "the document"))
        except PayloadError as error:
            is_fit(str(error))
            continue
        assert not any(_verifier().verify(one, DIGEST)[0] == "verified" for one in found)
        of_image = {"subject_digest": DIGEST, "subject_kind": "image", "layer_digest": DIGEST}
        more = {**of_image, "position": 0, "number": 0, "status": "not checked"}
        are_declared("signatures", ({**vars(one), **one.told, **more} for one in found))


@cache
def _verifier() -> Verifier:
    """Know keys that made nothing."""
    made = (
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    )
    return Verifier(map(documents.public, made), None, by_roots=False)


def certificate(data: bytes) -> None:
    """Certificates: read, or a ValueError."""
    try:
        told = signatures.certificate(data, is_named=True)
    except ValueError:
        return
    assert len(told["key_id"]) == 64


def dates_of_end(data: bytes) -> None:
    """Dates of end of life: read as cycles that tags are held against, or refused in one way."""
    try:
        found = eol.read_products(data, "the file")
    except PayloadError as error:
        is_fit(str(error))
        return
    is_declared(found, "cycles")
    names = pd.DataFrame({"repo": ["library/python", "a/b"], "tag": ["3.8-buster", "1"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StaleWarning)
        held = eol_df(names, found, today="2026-09-01")
    assert {name: str(dtype) for name, dtype in held.dtypes.items()} == TABLES["eol"].dtypes


def references(kind: str, data: bytes) -> None:
    """Files that name images: read, or refused in one way."""
    text, rows = data.decode("utf-8", "replace"), []
    try:
        for one in kinds.references(kind, text, is_json=kind in ("devcontainer", "bake")):
            rows.append({"file": "a", **columns(one)})  # noqa: PERF401 - what came before an error
    except PayloadError as error:
        is_fit(str(error))
    is_declared(TABLES["references"].from_records(rows), "references")
    for row in rows:
        assert 1 <= row["line"] <= len(data) + 1
        if row.get("reference"):
            again = ImageReference.parse(row["reference"])
            assert (str(again), again.repo) == (row["reference"], row["repo"])
            assert not again.is_local
    if kind == "dockerfile":
        last = [row for row in rows if row["is_last_stage"]]
        assert len(last) == any(row["field"] == "FROM" for row in rows)


def scan(reader: str, suffix: str, data: bytes, **how: Any) -> pd.DataFrame | None:
    """A file of a scanner's, of advisories or of VEX: read, or refused in one way."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"a.{suffix}")
        path.write_bytes(data)
        try:
            frame: pd.DataFrame = getattr(hubframe, reader)(path, **how)
        except (NotFoundError, PayloadError) as error:
            is_fit(str(error))
            return None
    is_declared(frame, frame.attrs["hubframe"]["table"])
    return frame


def report(reader: str, data: bytes) -> None:
    """A report of a scanner: what is found in it can be counted, and its packages be listed."""
    found = scan(reader, "json", data)
    scan(reader, "json", data, packages=True)
    if found is not None:
        for by in ("tag", "image", "repo", "layer"):
            is_declared(vulnerability_summary_df(found, by), "vulnerability_summary")


def bill_in_file(data: bytes) -> None:
    """A bill of materials in a file: packages of one of its formats."""
    for form in ("syft", "spdx", "cyclonedx"):
        scan(f"read_{form}", "json", data)
    scan("read_cyclonedx", "json", data, vulnerabilities=True)


def advisories(suffix: str, data: bytes) -> None:
    """Advisories: packages of each of their ecosystems can be held against them."""
    found = scan("read_osv", suffix, data)
    if found is not None:
        matched = vulnerabilities_df(PACKAGES.from_records(_SOME_PACKAGES), found)
        is_declared(matched, "vulnerabilities")


def vex(data: bytes) -> None:
    """VEX: what is stated can be held against vulnerabilities."""
    found = scan("read_openvex", "json", data)
    if found is not None:
        rows = [{**OF_DOCUMENT, "id": "CVE-1", "type": "pypi", "name": "a", "state": "fixed",
                 "severity": "low", "evidence": "osv"}]  # fmt: skip
        is_declared(with_vex(VULNERABILITIES.from_records(rows), found), "vulnerabilities")


_SOME_PACKAGES = [
    {**OF_DOCUMENT, "evidence": "layers", "type": kind, "namespace": namespace, "name": "a",
     "version": version, "purl": f"pkg:{kind}/a?distro={namespace}-3.20"}
    for kind, namespace in (
        ("deb", "debian"), ("apk", "alpine"), ("rpm", "rocky"), ("pypi", None), ("npm", None),
        ("golang", None), ("maven", None),
    )
    for version in ("1", "1.0~rc1-1", "\ud800")
]  # fmt: skip


def version(data: bytes) -> None:
    """Versions: two of them are in one order, from either side."""
    left, _, right = data.decode("utf-8", "replace").partition("\n")
    for kind in ("apk", "composer", "deb", "gem", "golang", "maven", "npm", "nuget", "pypi", "rpm"):
        order = compare(kind, left, right)
        # Those of univers are not sound for all that they take for versions.
        if kind in ("apk", "deb", "golang", "npm", "pypi", "rpm") and order is not None:
            assert compare(kind, right, left) == -order


def vector(data: bytes) -> None:
    """Vectors of CVSS: a score, or none."""
    found = cvss.read(data.decode("utf-8", "replace"))
    if found is not None:
        assert 0 <= found.score <= 10
        assert cvss.word(found.score)


def are_declared(name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows make a frame as its table declares it."""
    numbered = ({"position": number, **OF_DOCUMENT, **row} for number, row in enumerate(rows))
    is_declared(TABLES[name].from_records(numbered), name)


def is_declared(frame: pd.DataFrame, name: str) -> None:
    """A frame has the columns, dtypes and kinds of missing values that its table declares."""
    table = TABLES[name]
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == table.dtypes
    assert isinstance(frame.index, pd.RangeIndex)
    for column in table.columns:
        # Plain values: a check of each by pandas would take longer than the frame.
        held = [value for value in frame[column.name].tolist() if not _is_missing(value)]
        assert column.nullable or len(held) == len(frame), column.name
        if column.dtype == "str":
            "".join(held).encode()
            assert column.may_be_empty or "" not in held, column.name
        if column.dtype == "Int64":
            assert min(held, default=0) >= 0, column.name


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value  # noqa: PLR0124


def parsed(data: bytes) -> dict[str, Any] | None:
    """Read JSON; None where it was refused as it should be."""
    try:
        return payload.parse(data, "the document")
    except PayloadError as error:
        is_fit(str(error))
        return None


TARGETS: dict[str, Callable[[bytes], None]] = {
    "reference": reference,
    "challenge": challenge,
    "engine-list": engine_list,
    "documents": read_documents,
    "shape": shapes,
    "dpkg": partial(packages, "var/lib/dpkg/status"),
    "apk": partial(packages, "lib/apk/db/installed"),
    "rpm-list": partial(packages, "var/lib/rpmmanifest/container-manifest-2"),
    "python": partial(packages, "a.dist-info/METADATA"),
    "npm": partial(packages, "node_modules/a/package.json"),
    "gem": partial(packages, "specifications/a.gemspec"),
    "composer": partial(packages, "composer/installed.json"),
    "dotnet": partial(packages, "a.deps.json"),
    "go-modules": modules,
    "go-program": partial(binary, "bin/a"),
    "java-archive": partial(binary, "a-1.jar"),
    "rpm-header": header,
    **dict.fromkeys(
        ("rpm-sqlite", "rpm-ndb", "rpm-berkeley"), partial(packages, "var/lib/rpm/Packages")
    ),
    "os-release": release,
    "package-url": package_url,
    "provenance": attested,
    "sbom": bill,
    "signature": signed,
    "certificate": certificate,
    "builds": official,
    "eol": dates_of_end,
    **{f"references-{kind}": partial(references, kind) for kind in OF_REFERENCES},
    "beside": beside,
    "downloads": downloads,
    "trivy": partial(report, "read_trivy"),
    "grype": partial(report, "read_grype"),
    "bill-in-file": bill_in_file,
    "osv": partial(advisories, "json"),
    "osv-yaml": partial(advisories, "yaml"),
    "osv-zip": partial(advisories, "zip"),
    "openvex": vex,
    "version": version,
    "cvss": vector,
}
