"""Bills of materials in each format, by hand."""

import json
import time

import pytest

from hubframe.errors import PayloadError
from hubframe.oci.contents import sboms
from tests.contents import documents
from tests.contents.documents import DIFF, LAYER, SPDX, spdx
from tests.contents.images import write_layout
from tests.contents.test_layers import SITE, STATUS, debs
from tests.contents.test_oracles import IMAGES
from tests.layerfiles.layers import archive, digest_of


def read(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sboms.read(sboms.document(body, "it"), "it")


def packages(document):
    return list(read(document).packages())


def distribution(document):
    """Return what a document tells of the distribution: its id, version and codename."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    told = sboms.distribution(sboms.document(body, "it"), packages(document))
    return told and (told.id, told.version_id, told.version_codename)


def test_spdx_2():
    found = read(spdx(packages=2))
    told = ("spdx", "2.3", "syft-1.18.1", "2026-11-01T10:00:00Z", "sbom", 2)
    assert found[:6] == told
    first, second = (one.package for one in found.packages())
    assert (first.type, first.name, first.version) == ("deb", "lib0", "1:0")
    assert (first.namespace, first.architecture, first.licence) == ("debian", "amd64", "MIT")
    assert second.name == "lib1"


def test_spdx_2_of_syft_tells_the_layer_by_files():
    document = spdx(packages=1)
    document["files"] = [
        {"SPDXID": "F", "fileName": "/lib/dpkg/status", "comment": f"layerID: {DIFF}"}
    ]
    evident = {"relationshipType": "OTHER", "spdxElementId": "SPDXRef-0", "relatedSpdxElement": "F"}
    document["relationships"].append(evident)
    (one,) = packages(document)
    assert (one.package.path, one.diff_id, one.layer_digest) == ("lib/dpkg/status", DIFF, None)
    for layer in (DIFF, LAYER):
        other = {"SPDXID": layer, "fileName": "x", "comment": f"layerID: {layer}"}
        document["files"].append(other)
        document["relationships"].append({**evident, "relatedSpdxElement": layer})
        (one,) = packages(document)
        assert (one.package.path, one.diff_id) == (None, DIFF if layer == DIFF else None)


def test_a_document_about_nothing_else_keeps_its_root():
    (one,) = packages(spdx(packages=0))
    assert (one.package.type, one.package.name) == ("generic", "app")


def test_spdx_3():
    found = read(documents.SPDX_3)
    assert found[:6] == ("spdx", "3.0.1", "tool-1", "2026-11-01T10:00:00Z", "doc", 1)
    (one,) = found.packages()
    assert one.purl == documents.PURL
    assert (one.package.name, one.package.source_name) == ("curl", "curl-src")


def test_cyclonedx_of_trivy_with_components_in_components():
    found = read(documents.CYCLONEDX)
    assert found[:6] == ("cyclonedx", "1.6", "trivy-0.59.1", "2026-11-01T10:00:00Z", "app", 3)
    inner, curl, bare = found.packages()
    assert (inner.package.namespace, inner.package.name) == ("a", "inner")
    assert (bare.package.type, bare.package.name) == ("generic", "bare")
    assert (curl.layer_digest, curl.diff_id) == (LAYER, DIFF)
    package = curl.package
    assert (package.source_name, package.source_version) == ("src", "2:8-1")
    assert (package.licence, package.path) == ("MIT AND (A OR B)", "var/lib/dpkg/status")


def test_a_document_that_names_a_package_twice_without_its_places():
    parts = [
        {"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1"},
        {"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1"},
        {"type": "library", "name": "a", "version": "2", "purl": "no URL"},
        {"type": "library", "name": "core", "version": "7", "group": "org.x"},
    ]
    for properties in ([], [{"name": "syft:location:0:path", "value": "/b/package.json"}]):
        parts[1]["properties"] = properties
        found = packages({"bomFormat": "CycloneDX", "components": parts})
        assert len(found) == 3 + len(properties)
    assert [(one.package.type, one.package.namespace, one.purl) for one in found[2:]] == [
        ("generic", None, None), ("generic", "org.x", None),
    ]  # fmt: skip


@pytest.mark.parametrize("written", ["go1.22.3", "v1.22.3", "1.22.3"])
def test_the_library_of_go_has_one_version_whatever_a_tool_writes(written):
    part = {
        "type": "library", "name": "stdlib", "version": written, "purl": f"pkg:golang/stdlib@{written}",
    }  # fmt: skip
    (one,) = packages({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [part]})
    assert (one.package.name, one.package.version) == ("stdlib", "1.22.3")
    part |= {"name": "goal", "purl": f"pkg:golang/goal@{written}"}
    (one,) = packages({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [part]})
    assert one.package.version == written


@pytest.mark.parametrize("name", ["b", "github.com/A/b", None])
def test_a_module_of_go_has_its_whole_path_whatever_a_document_calls_it(name):
    part = {"type": "library", "name": name, "purl": "pkg:golang/github.com/a/b@v1.0.0"}
    (one,) = packages({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [part]})
    assert one.package.name.lower() == "github.com/a/b"
    assert one.package.namespace is None


@pytest.mark.parametrize("wrapper", ["sbom", "SPDX"])
def test_documents_in_the_answer_of_an_api_are_read(wrapper):
    told = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "versionInfo": "1"}]}
    assert sboms.document(json.dumps({wrapper: told}).encode(), "a") == told


def test_syfts_json():
    found = read(documents.SYFT)
    assert found[:6] == ("syft", "16.0.18", "syft-1.18.1", None, "app", 2)
    module, package = found.packages()
    assert (module.package.name, module.package.namespace) == ("github.com/a/b/v2", None)
    assert (module.package.path, module.diff_id, module.package.licence) == ("app", DIFF, "MIT")
    assert (package.package.version, package.package.installed_size) == ("8-1", 3072)
    (older,) = packages({"artifacts": [{"name": "a", "licenses": ["MIT", "A OR B"]}]})
    assert older.package.licence == "MIT AND (A OR B)"
    # URLs of rpm leave the epoch out.
    (epoch,) = packages({"artifacts": [{"version": "1:2-3", "purl": "pkg:rpm/a@2-3"}]})
    assert epoch.package.version == "1:2-3"
    (bare,) = packages({"artifacts": [{"name": "a", "type": "python"}]})
    assert bare.package.type == "pypi"


def test_what_syft_writes_is_the_same_in_each_format(syft_says, tmp_path):
    # Without a system, syft writes no URLs.
    system = archive(("etc/os-release", b"ID=debian\nVERSION_ID=12\n"))
    layers = system, *IMAGES["systems"], *IMAGES["languages"]
    layout = write_layout(tmp_path / "layout", *layers)
    written = [syft_says(layout, form) for form in ("syft-json", "spdx-json", "cyclonedx-json")]
    assert [*map(distribution, written)] == [("debian", "12", None)] * 3
    forms = [*map(read, written)]
    told = [{(*one.package[:5], one.diff_id) for one in form.packages()} for form in forms]
    assert [form.format for form in forms] == ["syft", "spdx", "cyclonedx"]
    assert {form.tool for form in forms} == {forms[0].tool}
    assert len(told[0]) > 10
    assert told[0] == told[1] == told[2]
    assert all(diff_id for *_, diff_id in told[0])


def test_what_trivy_writes_is_the_same_in_each_format(trivy_says, tmp_path):
    # Without a system that it knows, it writes no URLs.
    system = archive(("etc/debian_version", b"12.5\n"))
    installed = archive(
        (STATUS, debs(a="1", b="1:2")), (f"{SITE}/x-1.egg-info", b"Name: x\nVersion: 1")
    )
    layout = write_layout(tmp_path / "layout", system, installed)
    written = [trivy_says(layout, form) for form in ("cyclonedx", "spdx-json")]
    assert [*map(distribution, written)] == [("debian", "12.5", None)] * 2
    forms = [*map(read, written)]
    told = [{one.package[:5] for one in form.packages()} for form in forms]
    assert {(kind, name, version) for kind, name, version, *_ in told[0]} == {
        ("deb", "a", "1"), ("deb", "b", "1:2"), ("pypi", "x", "1"),
    }  # fmt: skip
    assert told[0] == told[1]
    # CycloneDX has the layer, too.
    digests = {one.layer_digest for one in forms[0].packages()}
    assert digests == {digest_of(installed)}
    assert {form.tool for form in forms} == {"trivy-0.59.1"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("pkg:apk/alpine/a@1?arch=x86_64&distro=alpine-3.20.1", ("alpine", "3.20.1", None)),
        ("pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5", ("opensuse-leap", "15.5", None)),
        ("pkg:rpm/redhat/a@1?distro=redhat-9.4", ("rhel", "9.4", None)),
        ("pkg:deb/debian/a@1?distro=bookworm", ("debian", None, "bookworm")),
        ("pkg:deb/debian/a@1", None),
        ("pkg:pypi/a@1?distro=debian-12", None),
    ],
)
def test_urls_of_packages_tell_the_distribution(url, told):
    assert distribution({"artifacts": [{"name": "a", "purl": url}]}) == told


def test_an_operating_system_that_spdx_3_lists_is_the_distribution():
    listed = {"type": "software_Package", "software_primaryPurpose": "operatingSystem"}
    told = {**listed, "name": "oracle", "software_packageVersion": "9"}
    assert distribution({"@graph": [*documents.SPDX_3["@graph"], told]}) == ("ol", "9", None)


def test_statements_and_what_cosign_wraps():
    stated = documents.statement(SPDX, spdx())
    assert read(stated).name == "sbom"
    assert read(documents.envelope(stated)).name == "sbom"
    for data in (spdx(), json.dumps(spdx())):
        assert read(documents.envelope(documents.statement(SPDX, {"Data": data}))).name == "sbom"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'\xef\xbb\xbf<?xml version="1.0"?>', "XML"),
        (b"SPDXVersion: SPDX-2.3\n", "tag-value"),
        (b"##SPDX\n", "tag-value"),
        (json.dumps(documents.statement(SPDX, "SPDXVersion: SPDX-2.3")).encode(), "tag-value"),
        (b"{}", "no bill of materials"),
        (b"[]", "expected a JSON object"),
        (b'{"a":' * 100_000, "not JSON"),
    ],
)
def test_what_cannot_be_read_says_why(body, words):
    with pytest.raises(PayloadError, match=words):
        read(body)


@pytest.mark.parametrize(
    "wrong", [None, 5, "x", [], {}, [None, 5, "x", [], {"a": {}}], True, 1e300]
)
@pytest.mark.parametrize(
    "document",
    [
        {
            "spdxVersion": "SPDX-2.3",
            "packages": 0,
            "relationships": 0,
            "files": 0,
            "creationInfo": 0,
        },
        {"@graph": [{"type": "software_Package", "name": 0, "externalIdentifier": 0}]},
        {
            "bomFormat": "CycloneDX",
            "metadata": {"tools": 0, "component": 0},
            "components": [
                {"type": "library", "name": 0, "purl": 0, "licenses": 0, "properties": 0}
            ],
        },
        {"artifacts": [{"name": 0, "purl": 0, "metadata": 0, "locations": 0, "licenses": 0}]},
    ],
)
def test_wrong_types_cost_themselves_alone(document, wrong):
    text = json.dumps(document).replace(" 0", f" {json.dumps(wrong)}")
    packages(text.encode())


def test_many_packages_take_time_that_grows_with_them():
    small, large = (json.dumps(spdx(packages=count)).encode() for count in (1_000, 20_000))
    assert len(packages(small)) == 1_000
    begin = time.process_time()
    assert len(packages(large)) == 20_000
    assert time.process_time() - begin < 10
    deep = {"type": "library", "name": "x"}
    for _ in range(400):
        deep = {"type": "library", "name": "x", "components": [deep]}
    nested = {"bomFormat": "CycloneDX", "components": [deep]}
    assert read(nested).package_count == 401
