"""Bills of materials, as SPDX 2 and 3, CycloneDX and syft write them in JSON."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.contents import statements
from hubframe.oci.contents.distributions import Distribution
from hubframe.oci.contents.packages import OS_TYPES, Package, qualifiers, read_url
from hubframe.oci.payload import MOST_VALUES, Known, items, mapping, parse_attached, text, texts

Payload = Mapping[str, Any]
# By the media type of a blob, and by the start of a predicate's type.
_FORMATS = {
    "application/spdx+json": "spdx",
    "text/spdx+json": "spdx",
    "text/spdx": "spdx",
    "application/vnd.cyclonedx": "cyclonedx",
    "application/vnd.cyclonedx+json": "cyclonedx",
    "application/vnd.cyclonedx+xml": "cyclonedx",
    "application/vnd.syft+json": "syft",
}
_PREDICATES = {
    "https://spdx.dev/Document": "spdx",
    "https://cyclonedx.org/bom": "cyclonedx",
    "https://syft.dev/bom": "syft",
}
# What GitHub's API, and docker buildx imagetools inspect, wrap a document in.
_WRAPPED = ("sbom", "SPDX")
# What says that nothing is known.
_NOTHING = frozenset({"NOASSERTION", "NONE", "UNKNOWN"})
# What syft calls kinds of packages.
KINDS_OF_SYFT = {
    **{kind: kind for kind in ("deb", "apk", "rpm", "npm", "conda", "gem")},
    "python": "pypi",
    "R-package": "cran",
    "go-module": "golang",
    "java-archive": "maven",
    "php-composer": "composer",
    "dotnet": "nuget",
}
_LICENCE = re.compile(r"LicenseRef-[0-9A-Za-z.-]+")
_LONGEST_LICENCE = 100
_KIBIBYTE = 1024
# As trivy tells a source package.
_BUILT_FROM = re.compile(r"built package from: (\S+)(?: (\S+))?$")
# Before the names of trivy's properties.
TRIVY = "aquasecurity:trivy:"
# What SPDX 2 and 3 call an operating system, which is no package.
_OS, _OS_OF_3 = "OPERATING-SYSTEM", "operatingSystem"
# What CycloneDX calls a package.
_PARTS = frozenset({"application", "framework", "library"})
# What trivy calls some systems, in place of what they call themselves.
_SYSTEMS = {"redhat": "rhel", "oracle": "ol", "amazon": "amzn", "alma": "almalinux"}
# Where syft tells what os-release says.
_DISTRO = {
    "id": "id",
    "version_id": "versionID",
    "version_codename": "versionCodename",
    "variant_id": "variantID",
    "name": "prettyName",
    "cpe_name": "cpeName",
}
# Whose URLs are of images.
_OF_IMAGES = frozenset({"docker", "oci"})
_URLS = Known(read_url)


class Listed(NamedTuple):
    """A package of a document, with its URL, and the layer that it is said to be in."""

    package: Package
    purl: str | None = None
    layer_digest: str | None = None
    diff_id: str | None = None


class Sbom(NamedTuple):
    """What a document says of itself, and its packages where these are asked for."""

    format: str
    format_version: str | None
    tool: str | None
    created_at: str | None
    name: str | None
    package_count: int
    packages: Callable[[], Iterator[Listed]]


def format_of(media_type: str | None) -> str | None:
    """Tell which format a blob of such a type is in; None where it is no bare document."""
    return _FORMATS.get((media_type or "").partition(";")[0])


def format_of_predicate(predicate_type: str | None) -> str | None:
    """Tell which format a predicate is in; None where it is no bill of materials."""
    found = (
        form for start, form in _PREDICATES.items() if (predicate_type or "").startswith(start)
    )
    return next(found, None)


def document(body: bytes, what: object, most: int | None = MOST_VALUES) -> Payload:
    """Return the document that a blob is, or states; `PayloadError` where it is none in JSON.

    It has so many values at `most`; None for any number.
    """
    told = _json(body, what, most)
    if not statements.is_attestation(told):
        return next((mapping(told[name]) for name in _WRAPPED if name in told), told)
    predicate = statements.read(body, what).predicate
    # cosign has wrapped what it attests, and attests text too.
    held = mapping(predicate).get("Data") or predicate
    return _json(held.encode("utf-8", "replace"), what) if isinstance(held, str) else mapping(held)


def distribution(told: Payload, packages: Iterable[Listed]) -> Distribution | None:
    """Return the distribution that a document tells: of itself, or in the URLs of packages."""
    return _system(told) or _system_of_packages(packages)


def _system(told: Payload) -> Distribution | None:
    if distro := mapping(told.get("distro")):
        like = " ".join(texts(distro.get("idLike"))) or text(distro.get("idLike"))
        found = {name: text(distro.get(field)) for name, field in _DISTRO.items()}
        return Distribution(**found, id_like=like) if found["id"] else None
    listed = (
        *(one for one in components(told) if one.get("type") == "operating-system"),
        *(one for one in items(told.get("packages")) if one.get("primaryPackagePurpose") == _OS),
        *(
            one
            for one in items(told.get("@graph"))
            if one.get("software_primaryPurpose") == _OS_OF_3
        ),
    )
    for one in listed:
        if name := _name(one):
            versions = ("version", "versionInfo", "software_packageVersion")
            version = next(filter(None, (_known(one.get(field)) for field in versions)), None)
            return Distribution(id=_SYSTEMS.get(name, name), version_id=version)
    return None


def _system_of_packages(packages: Iterable[Listed]) -> Distribution | None:
    """Read what URLs of packages tell: ``distro=debian-12``, or a codename."""
    for one in packages:
        named = qualifiers(one.purl or "").get("distro") if one.package.type in OS_TYPES else None
        if named:
            system, _, version = named.rpartition("-")
            if system and version[:1].isdigit():
                return Distribution(id=_SYSTEMS.get(system, system), version_id=version)
            return Distribution(id=one.package.namespace, version_codename=named)
    return None


def _json(body: bytes, what: object, most: int | None = MOST_VALUES) -> Payload:
    """Read JSON, and say what it is where it is another known form."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    forms = {b"<": "XML", b"SPDXVersion:": "SPDX's tag-value form", b"##": "SPDX's tag-value form"}
    for sign, form in forms.items():
        if start.startswith(sign):
            raise PayloadError(f"{what}: a bill of materials in {form}; only JSON is read")
    return parse_attached(body, what, most)


def read(told: Payload, what: object, *, with_root: bool = False) -> Sbom:
    """Read what a document says of itself.

    What it is about, its root, is no package of it; `with_root` it is one, if it has the URL of
    one: such a document is about a package, and not about an image.
    """
    found = _read(told, with_root=with_root)
    if found is None:
        raise PayloadError(f"{what}: it is no bill of materials in SPDX, CycloneDX or syft's JSON")
    return found._replace(packages=lambda: _distinct(found.packages()))


def _read(told: Payload, *, with_root: bool) -> Sbom | None:
    if text(told.get("spdxVersion")):
        return _spdx(told, with_root=with_root)
    if isinstance(told.get("@graph"), list):
        return _spdx3(told, with_root=with_root)
    if told.get("bomFormat") == "CycloneDX":
        return _cyclonedx(told, with_root=with_root)
    return _syft(told) if isinstance(told.get("artifacts"), list) else None


def _distinct(packages: Iterator[Listed]) -> Iterator[Listed]:
    """Yield packages, each of a path once: of those in several places few documents tell where."""
    seen = set()
    for one in packages:
        same = one.package[:5], one.package.path
        if same not in seen:
            seen.add(same)
            yield one


def _is_package(url: str | None) -> bool:
    """Tell whether a URL is of a package, and of no image."""
    package = _URLS[url] if url else None
    return package is not None and package.type not in _OF_IMAGES


def _spdx(told: Payload, *, with_root: bool) -> Sbom:
    made = mapping(told.get("creationInfo"))
    creators = texts(made.get("creators"))
    tools = (one.removeprefix("Tool:").strip() for one in creators if one.startswith("Tool:"))
    described = set(texts(told.get("documentDescribes")))
    for one in items(told.get("relationships")):
        if one.get("relationshipType") == "DESCRIBES":
            described.add(str(one.get("relatedSpdxElement")))
    found = [one for one in items(told.get("packages")) if one.get("primaryPackagePurpose") != _OS]
    # The root is what the document is about; where there is nothing else, it is what was found.
    entries = [
        one
        for one in found
        if text(one.get("SPDXID")) not in described or (with_root and _is_package(_spdx_url(one)))
    ] or found
    version = (text(told["spdxVersion"]) or "").removeprefix("SPDX-")

    def packages() -> Iterator[Listed]:
        files, own = _spdx_files(told), _spdx_licences(told)
        for one in entries:
            url = _spdx_url(one)
            if package := _package(url, one.get("name"), one.get("versionInfo")):
                path, layer = files.get(str(one.get("SPDXID")), (None, None))
                licence = _known(one.get("licenseConcluded")) or _known(one.get("licenseDeclared"))
                licence = licence and _LICENCE.sub(lambda ref: own.get(ref[0], ref[0]), licence)
                source = _BUILT_FROM.match(text(one.get("sourceInfo")) or "")
                if source and not package.source_name:
                    package = package._replace(source_name=source[1], source_version=source[2])
                notes = dict(notes_of_trivy(one))
                layer = layer or notes.get("LayerDiffID")
                package = package._replace(licence=licence, path=_at(path))
                yield Listed(package, url, notes.get("LayerDigest"), layer)

    created = text(made.get("created"))
    return Sbom("spdx", version, next(tools, None), created, _name(told), len(entries), packages)


def notes_of_trivy(entry: Payload) -> list[tuple[str, str]]:
    """Return what trivy writes into annotations, as it has it in properties of CycloneDX."""
    notes = [text(one.get("comment")) for one in items(entry.get("annotations"))]
    notes += texts(entry.get("attributionTexts"))
    pairs = (note.partition(": ")[::2] for note in notes if note)
    return [(name, value) for name, value in pairs if value]


def _spdx_url(entry: Payload) -> str | None:
    urls = (
        _url(each.get("referenceLocator"))
        for each in items(entry.get("externalRefs"))
        if each.get("referenceType") == "purl"
    )
    return next(filter(None, urls), None)


def _spdx_files(told: Payload) -> dict[str, tuple[str | None, str | None]]:
    """Return path and layer of the file that syft says a package is evident by.

    Where it names several files, the path is not told, and the layer is if it is that of all.
    """
    files = {
        str(one.get("SPDXID")): (
            text(one.get("fileName")),
            (text(one.get("comment")) or "").partition("layerID: ")[2].strip() or None,
        )
        for one in items(told.get("files"))
    }
    found: dict[str, tuple[str | None, str | None]] = {}
    for one in items(told.get("relationships")):
        file = files.get(str(one.get("relatedSpdxElement")))
        if file and one.get("relationshipType") == "OTHER":
            path, layer = found.setdefault(str(one.get("spdxElementId")), file)
            if (path, layer) != file:
                found[str(one["spdxElementId"])] = None, layer if layer == file[1] else None
    return found


def _spdx_licences(told: Payload) -> dict[str, str]:
    """Return what the document's own ids of licences stand for, where that is as short."""
    found = {}
    for one in items(told.get("hasExtractedLicensingInfos")):
        name = _known(one.get("name")) or _known(one.get("extractedText"))
        if name and len(name) <= _LONGEST_LICENCE and name.isprintable():
            found[str(one.get("licenseId"))] = name
    return found


def _spdx3(told: Payload, *, with_root: bool) -> Sbom:
    by_type: dict[str, list[Payload]] = {}
    for one in items(told["@graph"]):
        by_type.setdefault(str(one.get("type")), []).append(one)
    roots = {
        root
        for kind in ("SpdxDocument", "software_Sbom")
        for one in by_type.get(kind, ())
        for root in texts(one.get("rootElement"))
    }
    listed = by_type.get("software_Package", [])
    found = [one for one in listed if one.get("software_primaryPurpose") != _OS_OF_3]
    entries = [
        one
        for one in found
        if text(one.get("spdxId")) not in roots or (with_root and _is_package(_spdx3_url(one)))
    ] or found
    made = next(iter(by_type.get("CreationInfo", ())), {})
    tool = next((_name(one) for one in by_type.get("Tool", ())), None)
    name = next((_name(one) for one in by_type.get("SpdxDocument", ())), None)

    def packages() -> Iterator[Listed]:
        for one in entries:
            url = _spdx3_url(one)
            if package := _package(url, one.get("name"), one.get("software_packageVersion")):
                yield Listed(package, url)

    version, created = text(made.get("specVersion")), text(made.get("created"))
    return Sbom("spdx", version, tool, created, name, len(entries), packages)


def _spdx3_url(entry: Payload) -> str | None:
    urls = (
        _url(each.get("identifier"))
        for each in items(entry.get("externalIdentifier"))
        if each.get("externalIdentifierType") == "packageUrl"
    )
    return _url(entry.get("software_packageUrl")) or next(filter(None, urls), None)


def _cyclonedx(told: Payload, *, with_root: bool) -> Sbom:
    about = mapping(told.get("metadata"))
    tools = about.get("tools")
    tool = next(iter(items(tools) or items(mapping(tools).get("components"))), {})
    entries = [
        one
        for one in components(told)
        # An operating system, a file or an application without a URL is no package.
        if text(one.get("purl")) or one.get("type") in ("library", "framework")
    ]
    root = mapping(about.get("component"))
    if with_root and root.get("type") in _PARTS and _is_package(text(root.get("purl"))):
        entries.insert(0, root)

    def packages() -> Iterator[Listed]:
        yield from filter(None, map(component, entries))

    return Sbom(
        "cyclonedx",
        text(told.get("specVersion")),
        _with_version(tool),
        text(about.get("timestamp")),
        _name(root),
        len(entries),
        packages,
    )


def component(one: Payload) -> Listed | None:
    """Read a component of CycloneDX; None where it has no name."""
    url = _url(one.get("purl"))
    told = {
        str(each.get("name")).removeprefix(TRIVY): text(each.get("value"))
        for each in items(one.get("properties"))
    }
    kind = told.get("syft:package:type")
    package = _package(url, one.get("name"), one.get("version"), kind)
    if package is None:
        return None
    if url is None:
        package = package._replace(namespace=text(one.get("group")))
    size = told.get("syft:metadata:installedSize") or told.get("syft:metadata:size")
    package = _with_source(package, told)._replace(
        licence=_cyclonedx_licence(one.get("licenses")),
        path=_at(told.get("FilePath") or told.get("syft:location:0:path")),
        installed_size=_size(package.type, size),
    )
    layer = told.get("LayerDiffID") or told.get("syft:location:0:layerID")
    return Listed(package, url, told.get("LayerDigest"), layer)


def components(told: Payload) -> Iterator[Payload]:
    """Yield components, and those within them, in the document's order."""
    left = items(told.get("components"))[::-1]
    while left:
        one = left.pop()
        yield one
        left += items(one.get("components"))[::-1]


def _cyclonedx_licence(told: Any) -> str | None:
    found = []
    for one in items(told):
        licence = mapping(one.get("license"))
        words = (one.get("expression"), licence.get("id"), licence.get("name"))
        found += list(filter(None, map(_known, words)))[:1]
    return all_of(found)


def _with_source(package: Package, told: Mapping[str, str | None]) -> Package:
    """Add the source package as trivy tells it, in parts."""
    if not told.get("SrcName"):
        return package
    version = told.get("SrcVersion")
    if version and told.get("SrcEpoch") not in (None, "0"):
        version = f"{told['SrcEpoch']}:{version}"
    if version and told.get("SrcRelease"):
        version = f"{version}-{told['SrcRelease']}"
    return package._replace(source_name=told["SrcName"], source_version=version)


def _syft(told: Payload) -> Sbom:
    entries = items(told["artifacts"])

    def packages() -> Iterator[Listed]:
        for one in entries:
            url = _url(one.get("purl"))
            kind = text(one.get("type"))
            package = _package(url, one.get("name"), one.get("version"), kind)
            if package is None:
                continue
            place = next(iter(items(one.get("locations"))), {})
            # Before version 8 of its schema licences were mere texts.
            licences = [_known(each) for each in texts(one.get("licenses"))] + [
                _known(each.get("spdxExpression")) or _known(each.get("value"))
                for each in items(one.get("licenses"))
            ]
            about = mapping(one.get("metadata"))
            package = package._replace(
                licence=all_of(licences),
                path=_at(text(place.get("path"))),
                installed_size=_size(package.type, about.get("installedSize") or about.get("size")),
            )
            yield Listed(package, url, None, text(place.get("layerID")))

    version = text(mapping(told.get("schema")).get("version"))
    name, tool = _name(mapping(told.get("source"))), _with_version(mapping(told.get("descriptor")))
    return Sbom("syft", version, tool, None, name, len(entries), packages)


def all_of(licences: Iterable[str | None]) -> str | None:
    """Join licences that hold together; of alternatives it stays clear where they end."""
    found = list(filter(None, licences))
    if len(found) > 1:
        found = [f"({one})" if " OR " in one else one for one in found]
    return " AND ".join(found) or None


def _package(url: str | None, name: Any, version: Any, kind: str | None = None) -> Package | None:
    """Make a package of its URL and of what a document says beside it; None without a name.

    syft writes no URL for packages of a system that it does not know, but their kind.
    """
    package = _URLS[url] if url else None
    name = text(name)
    if package is None and name:
        package = Package(KINDS_OF_SYFT.get(kind or "", "generic"), name)
    elif package is not None and package.type == "golang":
        # A module's name is its whole path, of which the URL has a part elsewhere, and in another
        # case; some documents tell its last part alone.
        whole = "/".join(filter(None, (package.namespace, package.name)))
        is_whole = name is not None and name.lower().startswith(whole.lower())
        package = package._replace(name=name if is_whole else whole, namespace=None)
    # URLs leave out epochs.
    told = _known(version)
    if told and package and package[:2] == ("golang", "stdlib"):
        # syft writes the release, go1.22.3, and trivy v1.22.3; advisories know neither.
        told = told.removeprefix("go").removeprefix("v")
    return package and package._replace(version=told or package.version)


def _url(written: Any) -> str | None:
    """Return a package URL; None for what is none."""
    found = text(written)
    return found if found and _URLS[found] else None


def _at(path: str | None) -> str | None:
    return path and path.lstrip("/")


def _size(kind: str, told: Any) -> int | None:
    """Return bytes: Debian's databases tell KiB, and syft writes 0 where none is told."""
    try:
        return int(told) * (_KIBIBYTE if kind == "deb" else 1) or None
    except (TypeError, ValueError, OverflowError):
        return None


def _known(value: Any) -> str | None:
    found = text(value)
    return None if found in _NOTHING else found


def _name(told: Payload) -> str | None:
    return _known(told.get("name"))


def _with_version(tool: Payload) -> str | None:
    parts = filter(None, [text(tool.get("name")), text(tool.get("version"))])
    return "-".join(parts) or None
