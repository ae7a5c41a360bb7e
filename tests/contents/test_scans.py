"""Files that people have: reports of scanners, bills of materials, advisories, VEX."""

import base64
import doctest
import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import hubframe
from hubframe.errors import IncompleteWarning, NotFoundError, PayloadError
from hubframe.tables import LAYERS, PACKAGES
from hubframe.tables.vulnerabilities import ADVISORIES, VULNERABILITIES
from hubframe.testing import sample_files
from tests.layerfiles.layers import archive, folder
from tools.sample import scans

from .images import write_layout
from .test_oracles import IMAGES, SYSTEMS

PAGE = Path(__file__).parents[2] / "docs" / "vulnerabilities.md"
TRIVY, GRYPE, SYFT, OPENVEX = (
    json.loads((sample_files() / "scans" / f"{name}.json").read_text())
    for name in ("trivy", "grype", "syft", "openvex")
)
WEB = "registry.example/shop/web"
KEY = ["repo", "tag", "platform", "image_digest"]
READERS = [
    hubframe.read_trivy,
    hubframe.read_grype,
    hubframe.read_syft,
    hubframe.read_spdx,
    hubframe.read_cyclonedx,
    hubframe.read_osv,
    hubframe.read_openvex,
]


@pytest.fixture
def written(tmp_path):
    """Write a document into a file, and give its path."""

    def write(document, name="report.json"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


@pytest.fixture(scope="module")
def layers():
    with hubframe.sample():
        return hubframe.layers_df(WEB, source="registry")


def test_the_page_prints_what_it_says():
    found = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 20
    assert found.failed == 0


def test_the_samples_files_are_those_that_its_maker_makes():
    for name, body in scans.files().items():
        assert (sample_files() / name).read_bytes() == body, f"{name}: run make sample"


# Trivy.


def test_trivy_names_the_build_step(written, layers):
    found = hubframe.read_trivy(written(TRIVY))
    count = sum(len(result["Vulnerabilities"]) for result in TRIVY["Results"])
    assert len(found) == count == 5
    assert dict(found.dtypes.astype(str)) == VULNERABILITIES.dtypes
    own = layers[layers["tag"] == "1.2.0"]
    steps = found.merge(own, on="layer_digest", suffixes=("", "_of_layer"))
    assert len(steps) == count
    assert (steps["position"] == steps["position_of_layer"]).all()
    assert (steps["image_digest"] == steps["image_digest_of_layer"]).all()
    by_name = dict(zip(steps["name"], steps["instruction"], strict=True))
    assert by_name["requests"] == "RUN pip install -r requirements.txt"
    first = found.iloc[2]
    assert first[["type", "severity", "state", "cvss", "advisory_source"]].tolist() == [
        "deb", "critical", "will not fix", 9.8, "debian",
    ]  # fmt: skip
    assert found.attrs["hubframe"]["sources"] == [
        {"tool": "trivy-0.59.1", "reported_at": "2024-10-01T08:00:00Z", "count": 1}
    ]


def test_trivys_packages_are_those_of_the_image(written):
    found = hubframe.read_trivy(written(TRIVY), packages=True)
    with hubframe.sample():
        real = hubframe.packages_df(f"{WEB}:1.2.0", evidence="layers")
    same = ["type", "name", "version", "purl", "position", "layer_digest", *KEY]
    order = ["type", "name"]
    pd.testing.assert_frame_equal(
        found[same].sort_values(order, ignore_index=True),
        real[same].sort_values(order, ignore_index=True),
    )


def test_trivy_itself_finds_the_same_packages(trivy_says, tmp_path):
    of_system = {
        "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
        "etc/debian_version": b"12.5\n",
        "var/lib/dpkg/status": SYSTEMS["dpkg/var/lib/dpkg/status"],
    }
    layout = write_layout(tmp_path / "layout", archive(*of_system.items()), *IMAGES["languages"])
    with hubframe.Client(hubframe.Settings(offline=True)) as client:
        layers = hubframe.layers_df(f"oci:{layout}", client=client)
        real = hubframe.packages_df(f"oci:{layout}", evidence="layers", client=client)
    (tmp_path / "trivy.json").write_bytes(trivy_says(layout, "json"))
    found = hubframe.read_trivy(tmp_path / "trivy.json", packages=True, layers=layers)
    # trivy looks for no packages of R.
    real = real[real["type"] != "cran"]
    same = [*KEY, "type", "namespace", "name", "version", "source_name", "position", "layer_digest"]
    pd.testing.assert_frame_equal(
        found[same].sort_values(["type", "name"], ignore_index=True),
        real[same].sort_values(["type", "name"], ignore_index=True),
    )
    assert set(found["type"]) == {"deb", "pypi", "npm"}


def test_by_layers_an_image_is_found_whatever_a_report_calls_it(written, layers):
    about = {**TRIVY["Metadata"], "RepoTags": ["other/name:9"], "RepoDigests": []}
    about["RepoDigests"] = ["other/name@sha256:" + "1" * 64]
    report = written({**TRIVY, "ArtifactName": "other/name:9", "Metadata": about})
    plain = hubframe.read_trivy(report)
    assert plain[KEY].iloc[0].tolist()[:2] == ["other/name", "9"]
    found = hubframe.read_trivy(report, layers=layers)
    own = layers[layers["tag"] == "1.2.0"].iloc[0]
    assert found[KEY].iloc[0].tolist() == own[KEY].tolist()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ArtifactName": "nginx", "Metadata": {}}, ["library/nginx", "latest"]),
        ({"ArtifactName": "ghcr.io/a/b@sha256:" + "0" * 64, "Metadata": {}}, ["ghcr.io/a/b", None]),
        ({"ArtifactName": "images/app.tar.gz", "Metadata": {}}, ["images/app.tar.gz", None]),
        (
            {"ArtifactName": "app.tar", "Metadata": {"RepoTags": ["org/app:1"]}},
            ["org/app", "1"],
        ),
        ({"ArtifactName": "src/app", "ArtifactType": "filesystem"}, [f"{WEB}", "1.2.0"]),
        ({"ArtifactName": ".", "ArtifactType": "repository", "Metadata": {}}, [".", None]),
    ],
)
def test_what_a_report_is_about(written, changes, expected):
    found = hubframe.read_trivy(written({**TRIVY, **changes}))
    told = found[["repo", "tag"]].iloc[0]
    assert [None if pd.isna(one) else one for one in told] == expected


def test_what_trivy_suppressed_is_counted(written):
    first, *rest = TRIVY["Results"]
    suppressed = {**first, "ExperimentalModifiedFindings": [{"Type": "vulnerability"}] * 3}
    found = hubframe.read_trivy(written({**TRIVY, "Results": [suppressed, *rest]}))
    assert len(found) == 5
    assert found.attrs["hubframe"]["skipped"] == 3


def test_trivys_other_forms_hold_the_same_rows(written):
    """A record for cosign, that record attested, and the mere results of old versions."""
    plain = hubframe.read_trivy(written(TRIVY))
    record = {
        "scanner": {"version": "0.59.1", "result": TRIVY},
        "metadata": {"scanFinishedOn": "2024-10-02T00:00:00Z"},
    }
    found = hubframe.read_trivy(written(record))
    pd.testing.assert_frame_equal(found, plain)
    assert found.attrs["hubframe"]["sources"][0]["reported_at"] == "2024-10-02T00:00:00Z"
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://cosign.sigstore.dev/attestation/vuln/v1",
        "subject": [{"name": "web", "digest": {"sha256": "7" * 64}}],
        "predicate": record,
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope = {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []}
    for document in (statement, envelope):
        attested = hubframe.read_trivy(written(document))
        assert set(attested["image_digest"]) == {"sha256:" + "7" * 64}
        pd.testing.assert_frame_equal(attested.drop(columns=KEY), plain.drop(columns=KEY))
    old = hubframe.read_trivy(
        written([{**one, "Target": f"{WEB}:1.2.0 (debian 12.5)"} for one in TRIVY["Results"]])
    )
    assert old[["repo", "tag"]].drop_duplicates().to_numpy().tolist() == [[WEB, "1.2.0"]]
    assert old["id"].tolist() == plain["id"].tolist()


def test_trivy_reads_a_cluster(written):
    """Two images with a base in common, one that trivy could not read, and one without layers."""
    about = TRIVY["Metadata"]
    base = about["DiffIDs"][0]
    other = {"RepoTags": ["org/base:2"], "DiffIDs": [base]}
    (system, *_) = TRIVY["Results"]
    of_base = {**system, "Target": "docker.io/org/base:2 (debian 12.5)", "Packages": []}
    of_base["Vulnerabilities"] = [
        one for one in system["Vulnerabilities"] if one["Layer"]["DiffID"] == base
    ]
    resources = [
        {
            "Namespace": "shop",
            "Kind": "Pod",
            "Name": "web",
            "Metadata": [about, other],
            "Results": [*TRIVY["Results"], of_base],
        },
        {"Kind": "Pod", "Name": "lost", "Metadata": [{}], "Error": "no such image"},
        {
            "Namespace": "shop",
            "Kind": "Job",
            "Name": "old",
            "Metadata": other,
            "Results": [of_base],
        },
        {
            "Kind": "Pod",
            "Name": "both",
            "Metadata": [other, other],
            "Results": [of_base | {"Target": "?"}],
        },
    ]
    for key in ("Resources", "Findings"):
        found = hubframe.read_trivy(written({"ClusterName": "kind", key: resources}))
        counts = found.groupby(["repo", "tag"], dropna=False).size().to_dict()
        assert {repo: count for (repo, _), count in counts.items()} == {
            WEB: 5, "org/base": 4, "Pod/both": 2
        }  # fmt: skip
        assert found[found["repo"] == "Pod/both"]["position"].isna().all()
        assert found.attrs["hubframe"]["unknown"] == [
            {
                "column": "image",
                "ref": "Pod/lost",
                "message": "trivy could not read it: no such image",
            }
        ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("1.2.3", "1.2.3"),
        ("2.9.1, 1.2.3,1.2.3", "2.9.1 1.2.3"),
        (">= 3.1.0, >= 2.1.3, < 3.0.0", ">=3.1.0 >=2.1.3 <3.0.0"),
        ("~> 1.5.5, ~> 1.6.8", "~>1.5.5 ~>1.6.8"),
        (" , ", None),
    ],
)
def test_fixed_versions_stay_whole(written, told, expected):
    (first, *_) = TRIVY["Results"]
    one = {**first["Vulnerabilities"][0], "FixedVersion": told}
    report = {**TRIVY, "Results": [{**first, "Vulnerabilities": [one]}]}
    (found,) = hubframe.read_trivy(written(report))["fixed_version"]
    assert (None if pd.isna(found) else found) == expected


# Grype.


def test_packages_of_maven_have_one_name(written):
    match = json.loads(json.dumps(GRYPE["matches"][0]))
    match["artifact"] |= {"name": "b", "type": "java-archive", "purl": "pkg:maven/org.a/b@1"}
    match["vulnerability"]["description"] = "What it is\nand more"
    found = hubframe.read_grype(written({**GRYPE, "matches": [match]}))
    assert found[["type", "name", "title"]].iloc[0].tolist() == ["maven", "org.a:b", "What it is"]


def test_grype_agrees_with_trivy(written):
    trivy, grype = (
        hubframe.read_trivy(written(TRIVY)),
        hubframe.read_grype(written(GRYPE, "g.json")),
    )
    same = [*KEY, "type", "name", "version", "purl", "severity", "position", "layer_digest"]
    pd.testing.assert_frame_equal(trivy[same], grype[same])
    assert grype["aliases"].iloc[-1] == "CVE-2024-99003"
    assert grype["is_exploited"].tolist() == [True, True, False, False, False]
    packages = hubframe.read_grype(written(GRYPE, "g.json"), packages=True)
    assert packages["name"].tolist() == ["curl", "libcurl4", "zlib1g", "libc6", "requests"]
    assert packages["type"].tolist() == ["deb"] * 4 + ["pypi"]


def grype_of_docker():
    """A report of an image that grype read of Docker itself, with a manifest that it made up."""
    target = GRYPE["source"]["target"]
    made_up = base64.b64encode(json.dumps({"layers": target["layers"]}).encode()).decode()
    target = {**target, "manifest": made_up, "manifestDigest": "sha256:" + "9" * 64}
    return {**GRYPE, "source": {"type": "image", "target": target}}


def test_of_docker_itself_grype_tells_no_layers_of_a_registry(written, layers):
    report = written(grype_of_docker())
    found = hubframe.read_grype(report)
    assert found["layer_digest"].isna().all()
    assert found["position"].tolist() == [1, 1, 0, 0, 2]
    assert (found["image_digest"] == layers[layers["tag"] == "1.2.0"]["image_digest"].iloc[0]).all()
    known = hubframe.read_grype(report, layers=layers)
    assert set(known["layer_digest"]) <= set(layers["layer_digest"])


def test_older_grypes_did_not_look_for_exploits(written):
    match = GRYPE["matches"][0]
    older = {name: value for name, value in match["vulnerability"].items() if name != "risk"}
    report = {**GRYPE, "matches": [{**match, "vulnerability": {**older, "knownExploited": []}}]}
    assert hubframe.read_grype(written(report))["is_exploited"].isna().all()


# Bills of materials.


def test_one_run_of_syft_in_three_formats(syft_says, tmp_path):
    system = archive(("etc/os-release", b"ID=debian\nVERSION_ID=12\n"))
    of_system = archive(folder("distroless/var/lib/dpkg/status.d"), *SYSTEMS.items())
    layout = write_layout(tmp_path / "layout", system, of_system, *IMAGES["languages"])
    with hubframe.Client(hubframe.Settings(offline=True)) as client:
        layers = hubframe.layers_df(f"oci:{layout}", client=client)
    readers = {
        "syft-json": hubframe.read_syft,
        "spdx-json": hubframe.read_spdx,
        "cyclonedx-json": hubframe.read_cyclonedx,
    }
    frames = []
    for form, read in readers.items():
        path = tmp_path / f"{form}.json"
        path.write_bytes(syft_says(layout, form))
        found = read(path, layers=layers)
        frames.append(found.sort_values(["type", "name", "version", "purl"], ignore_index=True))
        assert found.attrs["hubframe"]["sources"][0]["tool"] == "syft-1.18.1"
    assert len(frames[0]) > 30
    assert frames[0]["position"].notna().all()
    assert frames[0]["platform"].eq("linux/amd64").all()
    syft, spdx, cyclonedx = frames
    pd.testing.assert_frame_equal(syft, cyclonedx)
    # SPDX has no place for sizes, and of several files does not say which one tells of a package.
    untold = ["path", "installed_size"]
    pd.testing.assert_frame_equal(syft.drop(columns=untold), spdx.drop(columns=untold))


@pytest.mark.parametrize(
    ("form", "read"),
    [("cyclonedx", hubframe.read_cyclonedx), ("spdx-json", hubframe.read_spdx)],
)
def test_trivys_bills_tell_what_its_report_tells(trivy_says, tmp_path, form, read):
    """Source packages and layers, and the image, whose layers bills have in no order."""
    apk = b"P:libcrypto3\nV:3.3.1-r0\nA:x86_64\no:openssl\n\n"
    of_system = {"etc/os-release": b"ID=alpine\nVERSION_ID=3.20.1\n", "lib/apk/db/installed": apk}
    layout = write_layout(tmp_path / "layout", archive(*of_system.items()), *IMAGES["languages"])
    with hubframe.Client(hubframe.Settings(offline=True)) as client:
        layers = hubframe.layers_df(f"oci:{layout}", client=client)
    (tmp_path / "report.json").write_bytes(trivy_says(layout, "json"))
    (tmp_path / "bill.json").write_bytes(trivy_says(layout, form))
    report = hubframe.read_trivy(tmp_path / "report.json", packages=True, layers=layers)
    bill = read(tmp_path / "bill.json", layers=layers)
    same = [*KEY, "type", "name", "version", "source_name", "position", "layer_digest"]
    pd.testing.assert_frame_equal(
        bill[same].sort_values(["type", "name"], ignore_index=True),
        report[same].sort_values(["type", "name"], ignore_index=True),
    )
    advisories = ADVISORIES.from_records(
        [{"id": "A", "ecosystem": "Alpine", "release": "v3.20", "name": "openssl", "severity": "low",
          "ranges": '[{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]'}]
    )  # fmt: skip
    assert hubframe.vulnerabilities_df(bill, advisories)["name"].tolist() == ["libcrypto3"]


def bill_of(tool, *vulnerabilities):
    """A bill of two packages, with vulnerabilities."""
    parts = [
        {"bom-ref": "a", "type": "library", "name": "b", "version": "1", "purl": "pkg:maven/org.a/b@1",
         "properties": [{"name": "aquasecurity:trivy:LayerDiffID", "value": "sha256:" + "1" * 64}]},
        {"bom-ref": "c", "type": "library", "name": "c", "version": "2", "purl": "pkg:npm/c@2"},
    ]  # fmt: skip
    layer = {"name": "aquasecurity:trivy:DiffID", "value": "sha256:" + "1" * 64}
    about = {"type": "container", "name": "org/app:1", "properties": [layer]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": about, "tools": {"components": [{"name": tool, "version": "1"}]}},
        "components": parts,
        "vulnerabilities": vulnerabilities,
    }


def test_vulnerabilities_of_cyclonedx(written):
    rated = [
        {"source": {"name": "other"}, "severity": "low"},
        {"source": {"name": "nvd"}, "severity": "critical", "score": 9.8, "method": "CVSSv31", "vector": "V3"},
        {"source": {"name": "nvd"}, "severity": "medium", "score": 5.0, "method": "CVSSv2", "vector": "V2"},
        {"source": {"name": "FIRST"}, "score": 0.5, "method": "other"},
    ]  # fmt: skip
    told = {
        "id": "CVE-1", "source": {"name": "ghsa"}, "references": [{"id": "GHSA-1"}, {"id": "CVE-1"}],
        "ratings": rated, "description": "What it is\nand more", "published": "2024-01-02T00:00:00Z",
        "recommendation": "Upgrade org.a:b to version 3, 2.5; Upgrade d to version 9",
        "affects": [{"ref": "a"}, {"ref": "c"}, {"ref": "urn:cdx:x/1#pkg:pypi/d@4"}, {"ref": "a"}],
        "advisories": [{"url": "https://a.example"}],
    }  # fmt: skip
    path = written(bill_of("trivy", told, {"id": None, "affects": [{"ref": "a"}]}))
    found = hubframe.read_cyclonedx(path, vulnerabilities=True)
    assert dict(found.dtypes.astype(str)) == VULNERABILITIES.dtypes
    plain = found.astype(object).where(found.notna(), None)
    columns = ["repo", "tag", "type", "name", "version", "fixed_version", "state", "position"]
    assert plain[columns].to_numpy().tolist() == [
        ["org/app", "1", "maven", "org.a:b", "1", "3 2.5", "fixed", 0],
        ["org/app", "1", "npm", "c", "2", None, "affected", None],
        ["org/app", "1", "pypi", "d", "4", "9", "fixed", None],
    ]
    first = plain.iloc[0]
    assert first[["severity", "cvss", "cvss_vector", "epss"]].tolist() == [
        "critical",
        9.8,
        "V3",
        0.5,
    ]
    assert first[["aliases", "title", "url", "evidence", "tool"]].tolist() == [
        "GHSA-1", "What it is", "https://a.example", "trivy", "trivy-1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        ("not_affected", "not_affected", "not affected"),
        ("false_positive", "not_affected", "not affected"),
        ("resolved", "fixed", "not affected"),
        ("in_triage", "under_investigation", "under investigation"),
        ("exploitable", "affected", "affected"),
        ("?", None, "affected"),
    ],
)
def test_analyses_of_cyclonedx_are_vex(written, state, status, expected):
    told = {"id": "CVE-1", "affects": [{"ref": "c"}], "recommendation": "Upgrade c to version 3"}
    told["analysis"] = {"state": state, "justification": "code_not_reachable"}
    found = hubframe.read_cyclonedx(written(bill_of("else", told)), vulnerabilities=True)
    (row,) = found.astype(object).where(found.notna(), None).to_dict("records")
    assert (row["vex_status"], row["state"], row["evidence"]) == (status, expected, "cyclonedx")
    assert (row["vex_justification"], row["fixed_version"]) == ("code_not_reachable", None)


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ({"score": 9.8, "method": "CVSSv31"}, ("critical", 9.8)),
        ({"vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "method": "CVSSv31"}, ("high", 7.5)),
        ({"score": 9.8, "method": "CVSSv31", "severity": "low"}, ("low", 9.8)),
        ({"severity": "info"}, ("negligible", None)),
        ({"score": "?", "method": "CVSSv31"}, ("unknown", None)),
        ({"score": -1, "method": "CVSSv31"}, ("unknown", -1)),
        ({"score": float("nan"), "method": "CVSSv31"}, ("unknown", None)),
        ({"score": 9, "method": "other"}, ("unknown", None)),
    ],
)  # fmt: skip
def test_a_score_tells_the_severity_where_no_word_does(written, rating, expected):
    told = {"id": "CVE-1", "affects": [{"ref": "c"}], "ratings": [rating]}
    (row,) = hubframe.read_cyclonedx(written(bill_of("else", told)), vulnerabilities=True).to_dict(
        "records"
    )
    assert (row["severity"], None if pd.isna(row["cvss"]) else row["cvss"]) == expected


def test_a_bill_may_tell_of_its_root_and_of_versions_that_are_not_affected(written):
    """As Dependency-Track's VEX, which has no components, names what it is about."""
    bill = bill_of(
        "else",
        {"id": "CVE-1", "affects": [{"ref": "root"}]},
        {"id": "CVE-2", "affects": [{"ref": "c", "versions": [{"version": "2", "status": "unaffected"}]}]},
        {"id": "CVE-3", "affects": [{"ref": "c", "versions": [{"version": "2", "status": "affected"}]}]},
        {"id": "CVE-4", "affects": [{"ref": "pkg:npm/c", "versions": [{"range": "vers:npm/>=3", "status": "unaffected"}]}]},
    )  # fmt: skip
    bill["metadata"]["component"] |= {"bom-ref": "root", "name": "org/app", "version": "1"}
    found = hubframe.read_cyclonedx(written(bill), vulnerabilities=True)
    assert found[["id", "name", "version"]].fillna("?").to_numpy().tolist() == [
        ["CVE-1", "org/app", "1"], ["CVE-3", "c", "2"], ["CVE-4", "c", "?"],
    ]  # fmt: skip


@pytest.mark.parametrize("read", READERS)
def test_a_document_of_another_kind_says_what_reads_it(read, written):
    documents = {
        "trivy": TRIVY, "grype": GRYPE, "syft": SYFT, "openvex": OPENVEX, "osv": OSV,
        "spdx": {"spdxVersion": "SPDX-2.3", "packages": []}, "cyclonedx": bill_of("trivy"),
    }  # fmt: skip
    for kind, document in documents.items():
        path = written(document)
        if read.__name__ == f"read_{kind}":
            assert read(path) is not None
        else:
            with pytest.raises((PayloadError, NotFoundError), match=f"use read_{kind}"):
                read(path)


def test_packages_of_a_bill_can_be_matched(written):
    packages = hubframe.read_syft(written(SYFT))
    assert dict(packages.dtypes.astype(str)) == PACKAGES.dtypes
    advisories = hubframe.read_osv(sample_files() / "advisories")
    found = hubframe.vulnerabilities_df(packages, advisories)
    # Without source packages, those of Debian are looked for by their own name.
    assert found["name"].tolist() == ["curl", "requests", "urllib3"]


def test_ids_that_are_none_name_no_root(written):
    packages = [{"SPDXID": [], "name": "a", "versionInfo": "1"}]
    found = hubframe.read_spdx(written({"spdxVersion": "SPDX-2.3", "packages": packages}))
    assert found["name"].tolist() == ["a"]


# Advisories.

OSV = {
    "id": "PYSEC-1",
    "modified": "2024-01-02T00:00:00Z",
    "aliases": ["GHSA-2", "CVE-1", "CVE-1", 7],
    "details": "# What is wrong\nand more",
    "affected": [
        {"package": {"ecosystem": "PyPI", "name": "A_b.C"}, "versions": ["1.0", "1.1", None]},
        {
            "package": {"ecosystem": "PyPI", "name": "a-b-c", "purl": "pkg:pypi/a-b-c"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}, {"odd": 1}]},
            ],
            "versions": ["1.1", "1.2"],
        },
        {
            "package": {"ecosystem": "Debian:12", "name": "a"},
            "ecosystem_specific": {"urgency": "low**"},
        },
        {"package": {"ecosystem": "Debian:11", "name": "a"}},
        {"package": {"name": "nobody's"}},
    ],
    "severity": [
        {"type": "CVSS_V2", "score": "AV:N/AC:L/Au:N/C:C/I:C/A:C"},
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},
    ],
    "references": [
        {"type": "WEB", "url": "https://a.example"},
        {"type": "ADVISORY", "url": "https://b.example"},
    ],
}


def test_an_advisory_has_a_row_for_each_package(written):
    found = hubframe.read_osv(written(OSV, "a.json"))
    assert dict(found.dtypes.astype(str)) == ADVISORIES.dtypes
    keys = found[["ecosystem", "release", "name"]].astype(object).where(found.notna(), None)
    assert keys.to_numpy().tolist() == [
        ["PyPI", None, "a-b-c"],
        ["Debian", "12", "a"],
        ["Debian", "11", "a"],
    ]
    row = found.iloc[0]
    assert row[["aliases", "versions", "purl", "title", "url"]].tolist() == [
        "CVE-1 GHSA-2", "1.0 1.1 1.2", "pkg:pypi/a-b-c", "What is wrong", "https://b.example",
    ]  # fmt: skip
    assert json.loads(row["ranges"]) == [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}
    ]
    assert (row["severity"], row["cvss"]) == ("high", 7.5)


@pytest.mark.parametrize(
    ("upstream", "aliases"),
    [(["CVE-7"], "CVE-1 CVE-7 GHSA-2"), (["CVE-7", "CVE-8"], "CVE-1 GHSA-2")],
)
def test_what_a_distribution_bundles_is_no_other_name(written, upstream, aliases):
    row = hubframe.read_osv(written({**OSV, "upstream": upstream}, "a.json")).iloc[0]
    assert row["upstream"] == " ".join(upstream)
    assert row["aliases"] == aliases


def test_ecosystems_are_chosen(written):
    path = written(OSV, "a.json")
    count = {
        ("Debian",): 2, ("Debian:12",): 1, ("PyPI", "Debian:11"): 2, ("npm",): 0
    }  # fmt: skip
    assert {of: len(hubframe.read_osv(path, ecosystems=of)) for of in count} == count
    assert len(hubframe.read_osv(path, ecosystems="PyPI")) == 1
    ubuntu = {"package": {"ecosystem": "Ubuntu:22.04:LTS", "name": "a"}}
    path = written({**OSV, "affected": [ubuntu]}, "b.json")
    assert [
        len(hubframe.read_osv(path, ecosystems=of))
        for of in ("Ubuntu", "Ubuntu:22.04", "Ubuntu:22.04:LTS", "Ubuntu:22", "Ubun")
    ] == [1, 1, 1, 0, 0]


def test_what_github_knows_of_the_last_version(written):
    entry = {
        "package": {"ecosystem": "npm", "name": "a"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        "database_specific": {"last_known_affected_version_range": "<= 1.2.3"},
    }
    (row,) = hubframe.read_osv(written({**OSV, "affected": [entry]}, "a.json")).to_dict("records")
    assert json.loads(row["ranges"])[0]["events"][-1] == {"last_affected": "1.2.3"}


def zipped(**entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name, body in entries.items():
            out.writestr(name.replace("__", "."), body)
    return made.getvalue()


def test_a_folder_an_archive_and_yaml_are_alike(tmp_path):
    yaml = "id: PYSEC-2\nmodified: 2024-01-02\naffected:\n- package: {ecosystem: PyPI, name: b}\n  versions: ['1.10']\n"
    folder = tmp_path / "all"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(OSV))
    (folder / "deep" / "b.yaml").write_text(yaml)
    (folder / "notes.json").write_text('{"no": "advisory"}')
    (folder / "README.md").write_text("text")
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps({**OSV, "id": "PYSEC-3"}))
    (folder / "link.json").symlink_to(outside)
    (tmp_path / "all.zip").write_bytes(
        zipped(a__json=json.dumps(OSV), notes__json="{}", **{"deep/b__yaml": yaml}, readme="x")
    )
    found, archived = hubframe.read_osv(folder), hubframe.read_osv(tmp_path / "all.zip")
    assert set(found["id"]) == {"PYSEC-1", "PYSEC-2"}
    assert found["versions"].iloc[-1] == "1.10"
    assert found.attrs["hubframe"]["skipped"] == 1
    order = ["id", "ecosystem", "release"]
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True), archived.sort_values(order, ignore_index=True)
    )
    assert archived.attrs["hubframe"]["sources"][0]["newest_modified_at"].startswith("2024-01-02")


def broken():
    """Archives that are none, or more than they seem; each is made where it is looked at."""
    whole = zipped(a__json=json.dumps(OSV))
    yield "cut", lambda: whole[:40], "no archive"
    yield "no archive", lambda: b"PK\x03\x04" + b"\0" * 40, "no archive"
    yield "a bomb", lambda: zipped(a__json=b" " * (2**25 + 1)), "more than 33,554,432 bytes"
    damaged = bytearray(whole)
    damaged[45:60] = bytes(15)
    yield "damaged", lambda: damaged, "cannot be unpacked|not JSON"
    secret = bytearray(whole)
    # The flag of encryption, in the entry and in the directory.
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        secret[whole.index(mark) + at] |= 1
    yield "encrypted", lambda: secret, "cannot be unpacked"


@pytest.mark.parametrize(
    ("body", "words"), [row[1:] for row in broken()], ids=[row[0] for row in broken()]
)
def test_broken_archives_are_refused_in_one_way(tmp_path, body, words):
    (tmp_path / "a.zip").write_bytes(body())
    with pytest.raises(PayloadError, match=words):
        hubframe.read_osv(tmp_path / "a.zip")


def test_caps_hold_for_all_entries_together(tmp_path):
    (tmp_path / "a.zip").write_bytes(
        zipped(**{f"{number}__json": json.dumps(OSV) for number in range(5)})
    )
    for cap in ({"max_bytes": 3 * len(json.dumps(OSV))}, {"max_entries": 3}):
        for errors in ("raise", "collect"):
            with pytest.raises(PayloadError, match=f"raise {next(iter(cap))}="):
                hubframe.read_osv(tmp_path / "a.zip", **cap, errors=errors)


@pytest.mark.parametrize(
    "text",
    [
        "id: &a X\naffected: [*a, *a]\n",
        "- id\n",
        "id: [\n",
        "{" * 5000,
        "id: \x00",
        "!!python/object/apply:os.system [echo]\n",
    ],
)
def test_yaml_that_is_no_advisory_is_refused_or_passed_over(written, text):
    with pytest.raises((PayloadError, NotFoundError)):
        hubframe.read_osv(written(text, "a.yaml"))


# VEX.


def test_vex_has_a_row_for_each_product_and_component(written):
    statement = OPENVEX["statements"][0]
    more = {**statement, "vulnerability": "CVE-9", "products": ["pkg:npm/a", {"@id": "pkg:npm/b"}]}
    odd = [{**statement, "status": "maybe"}, {**statement, "vulnerability": None}, 7]
    found = hubframe.read_openvex(written({**OPENVEX, "statements": [statement, more, *odd]}))
    assert found[["number", "id", "product"]].to_numpy().tolist() == [
        [0, "CVE-2024-99003", f"pkg:oci/web?repository_url={WEB}"],
        [1, "CVE-9", "pkg:npm/a"],
        [2, "CVE-9", "pkg:npm/b"],
    ]
    assert found.attrs["hubframe"]["skipped"] == 2


def test_vex_may_be_attested(written):
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://openvex.dev/ns/v0.2.0",
        "subject": [],
        "predicate": OPENVEX,
    }
    plain = hubframe.read_openvex(written(OPENVEX))
    pd.testing.assert_frame_equal(hubframe.read_openvex(written(statement)), plain)


# All of them.


def test_packed_reports_are_read_up_to_the_cap(written, tmp_path):
    plain = hubframe.read_trivy(written(TRIVY))
    (tmp_path / "report.json").unlink()
    whole = json.dumps(TRIVY).encode()
    (tmp_path / "report.json.gz").write_bytes(gzip.compress(whole))
    pd.testing.assert_frame_equal(hubframe.read_trivy(tmp_path), plain)
    with pytest.raises(PayloadError, match="raise max_bytes="):
        hubframe.read_trivy(tmp_path, max_bytes=len(whole) - 1)
    (tmp_path / "report.json.gz").write_bytes(gzip.compress(whole)[:-20])
    with pytest.raises(PayloadError):
        hubframe.read_trivy(tmp_path)


@pytest.mark.parametrize("read", READERS)
def test_what_is_open_or_read_already_is_no_name_of_a_file(read):
    for given in (io.BytesIO(b"{}"), {"a": 1}, b"{}", None, 7):
        with pytest.raises(TypeError):
            read(given)


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_such_document_is_refused(read, written):
    for text in ("{}", "[]", "", "{" * 50_000, '{"matches": 1, "SchemaVersion": "2"}', "\ud800"):
        path = written(text.encode("utf-8", "replace").decode(), "a.json")
        with pytest.raises((PayloadError, NotFoundError)):
            read(path)


@pytest.mark.parametrize("read", READERS)
def test_places_are_read_as_they_are(read, tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing.json")
    with pytest.raises(NotFoundError, match=r"holds no file that ends in \.json"):
        read(tmp_path)
    os.mkfifo(tmp_path / "fifo.json")
    with pytest.raises(PayloadError, match="is no file"):
        read(tmp_path / "fifo.json")
    with pytest.raises(ValueError, match='"raise" or "collect"'):
        read(tmp_path, errors="ignore")
    with pytest.raises(ValueError, match="max_bytes must be a whole number"):
        read(tmp_path, max_bytes=0)


def test_a_folder_of_reports_goes_on_without_what_fails(written, tmp_path):
    for number in range(3):
        written(TRIVY, f"{number}.json")
    written("{", "bad.json")
    written("{", "notes.txt")
    with pytest.warns(IncompleteWarning, match="1 of the documents could not be read"):
        found = hubframe.read_trivy(tmp_path, errors="collect")
    assert len(found) == 15
    record = found.attrs["hubframe"]
    assert not record["complete"]
    assert [one["error"] for one in record["failures"]] == ["PayloadError"]
    with pytest.raises(PayloadError):
        hubframe.read_trivy(tmp_path)
    with pytest.raises(PayloadError, match="raise max_bytes="):
        hubframe.read_trivy(tmp_path / "0.json", max_bytes=100)
    assert len(hubframe.read_trivy([tmp_path / "0.json", str(tmp_path / "1.json")])) == 10


def test_grype_names_layers_of_docker_hub_which_does_not_tell_them_unpacked(written, layers):
    path = written(GRYPE)
    packed = layers.assign(diff_id=pd.Series(None, index=layers.index, dtype="str"))
    known, told = hubframe.read_grype(path, layers=layers), hubframe.read_grype(path, layers=packed)
    assert told["position"].notna().all()
    pd.testing.assert_frame_equal(told, known)


def test_layers_must_be_a_frame_of_layers(written):
    with pytest.raises(ValueError, match="layers frame"):
        hubframe.read_trivy(written(TRIVY), layers=VULNERABILITIES.frame())
    assert len(hubframe.read_trivy(written(TRIVY), layers=LAYERS.frame())) == 5
