"""Packages held against advisories: by hand, and all ways of counting beside plain loops."""

import json
from itertools import product

import pandas as pd
import pytest

from hubframe.measure.advisories import evaluate
from hubframe.measure.vex import with_vex
from hubframe.measure.vulnerabilities import (
    canonical_ids,
    vulnerabilities_df,
    vulnerability_summary_df,
)
from hubframe.readers.severities import NOT_AFFECTED, SEVERITIES
from hubframe.tables import PACKAGES
from hubframe.tables.vulnerabilities import (
    ADVISORIES,
    VEX,
    VULNERABILITIES,
    VULNERABILITY_SUMMARY,
)

IMAGE = {"repo": "org/app", "tag": "1", "platform": "linux/amd64", "image_digest": "sha256:aa"}


def package(url, version, **more):
    """A package by the start of its URL, the namespace in it, and its version."""
    kind, *namespace, name = url.partition("?")[0].split("/")
    distro = url.partition("?")[2]
    own = {
        **IMAGE,
        "type": kind,
        "namespace": "/".join(namespace) or None,
        "name": name,
        "version": version,
        "evidence": "layers",
        "purl": f"pkg:{kind}/x@1?arch=amd64&distro={distro}" if distro else None,
    }
    return own | more


def advisory(where, *events, kind="ECOSYSTEM", **more):
    """An advisory about ``ecosystem[:release]/name``, with events such as ``fixed=1``."""
    written, _, name = where.partition("/")
    ecosystem, _, release = written.partition(":")
    told = [dict([event.split("=")]) for event in events]
    return {
        "id": "OSV-1",
        "ecosystem": ecosystem,
        "release": release or None,
        "name": name,
        "ranges": json.dumps([{"type": kind, "events": told}]) if told else None,
        "severity": "high",
        **more,
    }


def matched(packages, advisories, **how):
    of, about = PACKAGES.from_records(packages), ADVISORIES.from_records(advisories)
    return vulnerabilities_df(of, about, **how)


ALL = "introduced=0"
WITHDRAWN = {"withdrawn_at": "2024-01-01T00:00:00Z"}
SOURCE = {"source_name": "curl", "source_version": "7.88.1-10"}
# A package, an advisory, and whether they match: with which fixed version, or not (False).
PAIRS = [
    # Debian: by the source package and its version; epochs and tildes as dpkg has them.
    (package("deb/debian/curl?debian-12", "7.88.1-9"), advisory("Debian:12/curl", ALL, "fixed=7.88.1-10"), "7.88.1-10"),
    (package("deb/debian/curl?debian-12", "7.88.1-10"), advisory("Debian:12/curl", ALL, "fixed=7.88.1-10"), False),
    (package("deb/debian/curl?debian-12", "1:1.0-1"), advisory("Debian:12/curl", ALL, "fixed=7.88.1-10"), False),
    (package("deb/debian/curl?debian-12", "7.0-1"), advisory("Debian:12/curl", ALL, "fixed=1:1.0-1"), "1:1.0-1"),
    (package("deb/debian/curl?debian-12", "8.0~rc1-1"), advisory("Debian:12/curl", ALL, "fixed=8.0-1"), "8.0-1"),
    (package("deb/debian/curl?debian-12", "8.0-1"), advisory("Debian:12/curl", ALL, "fixed=8.0~rc1-1"), False),
    (package("deb/debian/libcurl4?debian-12", "7.88.1-10+b1", **SOURCE), advisory("Debian:12/curl", ALL, "last_affected=7.88.1-10"), None),
    (package("deb/debian/libcurl4?debian-12", "7.88.1-10", **SOURCE), advisory("Debian:12/libcurl4", ALL), False),
    # Releases: that of the image, or all of them; the URL tells the image's.
    (package("deb/debian/curl?debian-11", "1-1"), advisory("Debian:12/curl", ALL), False),
    (package("deb/debian/curl?debian-12.5", "1-1"), advisory("Debian:12/curl", ALL), None),
    (package("deb/debian/curl?debian-12", "1-1"), advisory("Debian/curl", ALL), None),
    (package("deb/debian/curl", "1-1"), advisory("Debian:12/curl", ALL), False),
    (package("deb/ubuntu/curl?ubuntu-22.04", "1-1"), advisory("Ubuntu:22.04:LTS/curl", ALL), None),
    (package("deb/ubuntu/curl?ubuntu-22.04", "1-1"), advisory("Ubuntu:Pro:22.04:LTS/curl", ALL), False),
    (package("apk/alpine/musl?alpine-3.20.1", "1.2.4-r0"), advisory("Alpine:v3.20/musl", ALL, "fixed=1.2.5-r1"), "1.2.5-r1"),
    (package("apk/alpine/musl?alpine-3.19.0", "1.2.4-r0"), advisory("Alpine:v3.20/musl", ALL), False),
    (package("apk/alpine/git?alpine-3.20.1", "2.0_git20240101-r0"), advisory("Alpine:v3.20/git", ALL, "fixed=2.0-r1"), False),
    (package("apk/wolfi/bash?wolfi-20230201", "5.2-r1", source_name="shells"), advisory("Wolfi/bash", ALL, "fixed=5.2-r3"), "5.2-r3"),
    (package("rpm/rocky/zlib?rocky-9.3", "1.2.11-40.el9"), advisory("Rocky Linux:9/zlib", ALL, "fixed=0:1.2.11-41.el9"), "0:1.2.11-41.el9"),
    (package("rpm/rocky/zlib?rocky-9.3", "1:1.0-1.el9"), advisory("Rocky Linux:9/zlib", ALL, "fixed=0:1.2.11-41.el9"), False),
    (package("rpm/almalinux/zlib?almalinux-8.9", "1.2.11-25.el8~1"), advisory("AlmaLinux:8/zlib", ALL, "fixed=1.2.11-25.el8"), "1.2.11-25.el8"),
    (package("rpm/redhat/zlib?rhel-9.2", "1-1"), advisory("Red Hat:enterprise_linux:9::baseos/zlib", ALL), None),
    (package("rpm/redhat/zlib?rhel-9.2", "1-1"), advisory("Red Hat:rhel_eus:9.2::baseos/zlib", ALL), False),
    # As tools tell distributions: by their own ids, in parts, or by a codename.
    (package("apk/alpine/musl", "1-r0", purl="pkg:apk/alpine/musl@1-r0?arch=x86_64&distro=3.20.2"), advisory("Alpine:v3.20/musl", ALL), None),
    (package("apk/alpine/musl", "1-r0", purl="pkg:apk/alpine/musl@1-r0?os_name=alpine&os_version=3.20"), advisory("Alpine:v3.20/musl", ALL), None),
    (package("deb/debian/curl", "1-1", purl="pkg:deb/debian/curl@1-1?os_distro=bookworm&os_name=debian&os_version=12"), advisory("Debian:12/curl", ALL), None),
    (package("deb/debian/curl?bookworm", "1-1"), advisory("Debian:12/curl", ALL), None),
    (package("deb/debian/curl?debian-jessie", "1-1"), advisory("Debian:12/curl", ALL), False),
    (package("deb/ubuntu/curl?jammy", "1-1"), advisory("Ubuntu:22.04:LTS/curl", ALL), None),
    (package("rpm/alma/zlib?alma-8.5", "1-1"), advisory("AlmaLinux:8/zlib", ALL), None),
    (package("rpm/cbl-mariner/vim?mariner-2.0", "1-1"), advisory("Azure Linux:2/vim", ALL), None),
    (package("apk/minimos/bash?minimos-20250101", "1-r0"), advisory("MinimOS/bash", ALL), None),
    (package("rpm/opensuse/zlib?opensuse-leap-15.6", "1-1"), advisory("openSUSE:Leap 15.6/zlib", ALL), None),
    (package("rpm/opensuse/zlib?opensuse-leap-15.6", "1-1"), advisory("openSUSE:Leap Micro 5.2/zlib", ALL), False),
    (package("rpm/opensuse/zlib?opensuse-tumbleweed-20240607", "1-1"), advisory("openSUSE:Tumbleweed/zlib", ALL), None),
    # SUSE's products of a service pack, and none of another one.
    (package("rpm/suse/zlib?sles-15.5", "1-1"), advisory("SUSE:Linux Enterprise Module for Basesystem 15 SP5/zlib", ALL), None),
    (package("rpm/suse/zlib?sles-15.5", "1-1"), advisory("SUSE:Linux Enterprise Module for Python 3 15 SP5/zlib", ALL), None),
    (package("rpm/suse/zlib?sles-15.5", "1-1"), advisory("SUSE:Linux Enterprise Server 15 SP5/zlib", ALL), None),
    (package("rpm/suse/zlib?sles-15.5", "1-1"), advisory("SUSE:Linux Enterprise Server 15 SP4/zlib", ALL), False),
    (package("rpm/suse/zlib?sles-15.5", "1-1"), advisory("SUSE:Linux Enterprise Server 15 SP5-LTSS/zlib", ALL), False),
    (package("rpm/suse/zlib?sles-15.5", "1-1"), advisory("SUSE:Linux Enterprise Micro 5.5/zlib", ALL), False),
    # Epochs that a distribution's advisories leave out, and those that they write.
    (package("rpm/suse/bash?sles-15.5", "1:5.1-6"), advisory("SUSE:15.5/bash", ALL, "fixed=5.1-7"), "5.1-7"),
    (package("rpm/suse/bash?sles-15.5", "1:5.1-6"), advisory("SUSE:15.5/bash", ALL, "fixed=1:5.1-6"), False),
    # Extended support, where a package shows that it has it.
    (package("deb/ubuntu/curl?ubuntu-18.04", "1-1+esm1"), advisory("Ubuntu:Pro:18.04:LTS/curl", ALL, "fixed=1-1+esm2"), "1-1+esm2"),
    (package("rpm/redhat/zlib?rhel-9.2%2Beus", "1-1"), advisory("Red Hat:rhel_eus:9.2::baseos/zlib", ALL), None),
    (package("rpm/redhat/zlib?rhel-9.4%2Beus", "1-1"), advisory("Red Hat:rhel_eus:9.2::baseos/zlib", ALL), False),
    (package("rpm/redhat/zlib?rhel-9.2", "1-1"), advisory("Red Hat:openshift:4.12::el9/zlib", ALL), False),
    # What never had it, and what nobody mends.
    (package("apk/alpine/musl?alpine-3.20.1", "1.2.4-r0"), advisory("Alpine:v3.20/musl", ALL, "fixed=0"), False),
    # Semantic versions are for no package of a system; withdrawn advisories for none at all.
    (package("deb/debian/curl?debian-12", "1-1"), advisory("Debian:12/curl", ALL, kind="SEMVER"), False),
    (package("pypi/requests", "2.31.0"), advisory("PyPI/requests", ALL, **WITHDRAWN), False),
    # PyPI, npm, Go, Maven.
    (package("pypi/requests", "2.32.0rc1"), advisory("PyPI/requests", ALL, "fixed=2.32.0"), "2.32.0"),
    (package("pypi/requests", "2.0.0"), advisory("PyPI/requests", versions="1.0 2.0"), None),
    (package("npm/babel/core", "7.0.0-beta.2"), advisory("npm/@babel/core", "introduced=7.0.0", "fixed=7.1.0", kind="SEMVER"), False),
    (package("npm/babel/core", "7.0.9"), advisory("npm/@babel/core", "introduced=7.0.0", "fixed=7.0.10", kind="SEMVER"), "7.0.10"),
    (package("golang/stdlib", "go1.21.5"), advisory("Go/stdlib", ALL, "fixed=1.20.12", "introduced=1.21.0-0", "fixed=1.21.6", kind="SEMVER"), "1.21.6"),
    (package("golang/example.com/a", "v1.3.0"), advisory("Go/a", ALL, "fixed=1.2.0", "introduced=1.4.0", kind="SEMVER"), False),
    (package("maven/org.slf4j/slf4j-api", "1.0-beta-1"), advisory("Maven/org.slf4j:slf4j-api", ALL, "fixed=1.0"), "1.0"),
    (package("golang/example.com/a", "v0.0.0-20220101000000-abcdefabcdef", namespace=None, name="example.com/a"), advisory("Go/example.com/a", ALL, "fixed=0.0.0-20220601000000-abcdefabcdef", kind="SEMVER"), "0.0.0-20220601000000-abcdefabcdef"),
    (package("maven/org.spring/core", "5.2.0.RELEASE"), advisory("Maven/org.spring:core", ALL, "last_affected=5.2.0"), None),
    (package("composer/acme/app", "6.3.0-RC1"), advisory("Packagist/Acme/app", "introduced=6.2.0.1", "fixed=6.3.0"), "6.3.0"),
    (package("nuget/newtonsoft.json", "12.0.1"), advisory("NuGet/Newtonsoft.Json", ALL, "fixed=13.0.1"), "13.0.1"),
    (package("pypi/Zope.Interface", "1.0", name="Zope.Interface"), advisory("PyPI/zope-interface", ALL), None),
    (package("cran/a", "0.9"), advisory("CRAN/a", ALL, "fixed=0.75"), "0.75"),
    # Of what is no distribution, a suffix names a repository.
    (package("maven/org.slf4j/slf4j-api", "1.0"), advisory("Maven/org.slf4j:slf4j-api", ALL, release="https://maven.example"), None),
    (package("dhi/redis", "6.0.5"), advisory("DHI/redis", "introduced=6.0.0", "fixed=6.0.11", kind="SEMVER"), "6.0.11"),
    # Limits, events out of order, a last one, and what is nobody's version.
    (package("pypi/a", "3.0"), advisory("PyPI/a", "introduced=1", "limit=2"), False),
    (package("pypi/a", "1.5"), advisory("PyPI/a", "introduced=1", "limit=2"), None),
    (package("pypi/a", "1.5"), advisory("PyPI/a", "introduced=1", "limit=*"), None),
    (package("pypi/a", "2.5"), advisory("PyPI/a", "fixed=3", "introduced=2", "fixed=1", "introduced=0"), "3"),
    (package("pypi/a", "1.5"), advisory("PyPI/a", "fixed=3", "introduced=2", "fixed=1", "introduced=0"), False),
    (package("pypi/a", "2.0"), advisory("PyPI/a", ALL, "last_affected=2"), None),
    (package("pypi/a", "2.0.post1"), advisory("PyPI/a", ALL, "last_affected=2"), False),
    (package("pypi/a", "odd one"), advisory("PyPI/a", ALL, "fixed=1"), False),
    (package("deb/debian/curl?debian-12", "0~"), advisory("Debian:12/curl", ALL), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("of", "about", "expected"),
    PAIRS,
    ids=[f"{of['name']} {of['version']}, {about['ranges']}" for of, about, _ in PAIRS],
)
def test_pairs_by_hand(of, about, expected):
    found = matched([of], [about])
    assert len(found) == (expected is not False)
    for row in found.to_dict("records"):
        told = None if pd.isna(row["fixed_version"]) else row["fixed_version"]
        assert told == expected
        assert row["state"] == ("fixed" if expected else "affected")
        assert row["id"] == "OSV-1"


def test_a_release_that_no_advisory_is_about_is_told():
    of = package("apk/alpine/musl?alpine-3.19.1", "1-r0")
    about = advisory("Alpine:v3.20/musl", ALL)
    found = matched([of], [about])
    assert found.attrs["hubframe"]["unknown"] == [
        {"column": "release", "ref": "Alpine:3.19", "message": "no advisory is about it"}
    ]
    known = [about, advisory("Alpine:v3.19/other", ALL)]
    assert matched([of], known).attrs["hubframe"]["unknown"] == []


def test_an_advisory_holds_once():
    """For parts of a release, and by the names of a package and of its source."""
    zlib = package("rpm/redhat/zlib-devel?rhel-9.2", "1-3", source_name="zlib")
    parts = [
        advisory(f"Red Hat:enterprise_linux:9::{part}/{name}", ALL, f"fixed={fixed}")
        for part, name, fixed in (
            ("baseos", "zlib", "1-9"),
            ("appstream", "zlib-devel", "1-4"),
            ("crb", "zlib-devel", "1-4"),
        )
    ]
    found = matched([zlib], parts)
    assert found[["id", "name", "fixed_version"]].to_numpy().tolist() == [
        ["OSV-1", "zlib-devel", "1-4"]
    ]
    # What is said of the package itself goes before what is said of its source.
    assert matched([zlib | {"version": "1-4"}], parts).empty


def test_extended_support_goes_first():
    package_of = package("deb/ubuntu/curl?ubuntu-18.04", "1-1+esm1")
    told = [
        advisory("Ubuntu:18.04:LTS/curl", ALL),
        advisory("Ubuntu:Pro:18.04:LTS/curl", ALL, "fixed=1-1+esm1"),
    ]
    assert matched([package_of], told).empty
    (plain,) = matched([package_of | {"version": "1-1"}], told).to_dict("records")
    assert pd.isna(plain["fixed_version"])
    (unknown,) = matched([package_of | {"version": "1-1"}], told[1:]).attrs["hubframe"]["unknown"]
    assert (unknown["column"], unknown["ref"]) == ("release", "Ubuntu:18.04")


@pytest.mark.parametrize(
    ("url", "version", "events", "affected"),
    [
        # A local version is a build of the public one.
        ("pypi/torch", "2.0.1+cpu", ["last_affected=2.0.1"], True),
        ("pypi/torch", "2.0.1+cpu", ["fixed=2.0.1"], False),
        ("golang/stdlib", "go1.23rc1", ["fixed=1.23.0"], True),
        ("golang/stdlib", "go1.23.0-rc.1", ["fixed=1.23.0"], True),
        ("golang/stdlib", "1.23rc2", ["fixed=1.23.0-rc.2"], False),
        ("golang/stdlib", "go1.22.1 X:boringcrypto", ["fixed=1.22.3"], True),
        ("golang/stdlib", "go1.22", ["fixed=1.22.0"], False),
    ],
)
def test_versions_of_builds_are_those_that_advisories_name(url, version, events, affected):
    ecosystem = {"pypi": "PyPI", "golang": "Go"}[url.partition("/")[0]]
    about = advisory(f"{ecosystem}/{url.partition('/')[2]}", ALL, *events)
    found = matched([package(url, version)], [about])
    assert found["version"].tolist() == [version] * affected
    assert found.attrs["hubframe"]["unknown"] == []


def test_what_could_not_be_looked_for_is_told():
    packages = [
        package("conda/numpy", "1"),
        package("rpm/amzn/zlib?amzn-2023", "1-1"),
        package("npm/a", "1.0.0"),
        package("pypi/a", "odd one"),
        package("pypi/a", None),
        package("deb/debian/curl", "1-1"),
    ]
    about = [advisory("PyPI/a", ALL, "fixed=1"), advisory("Debian:12/curl", ALL)]
    found = matched(packages, about)
    assert found.empty
    told = found.attrs["hubframe"]
    assert "does not mean safe" in told["meaning"]
    assert told["inventories"] == [{"evidence": "layers", "tool": None, "count": 6}]
    unknown = {(one["column"], one["ref"]) for one in found.attrs["hubframe"]["unknown"]}
    assert unknown == {
        ("type", "conda"),
        ("distribution", "amzn"),
        ("ecosystem", "npm"),
        ("version", "a odd one"),
        ("version", "a"),
        ("release", "curl"),
    }


def test_an_advisory_that_tells_no_versions_is_told():
    """As some name commits alone, and some nothing."""
    about = [advisory("PyPI/a"), advisory("Debian:12/b", ALL, kind="SEMVER")]
    packages = [package("pypi/a", "1"), package("deb/debian/b?debian-12", "1")]
    found = matched(packages, about)
    assert found.empty
    assert [(one["ref"], one["message"]) for one in found.attrs["hubframe"]["unknown"]] == [
        ("a 1", "OSV-1: it tells no versions"),
        ("b 1", "OSV-1: it cannot be compared"),
    ]


def test_ranges_of_one_advisory_are_looked_at_one_by_one():
    """Beside a plain reading of the specification, for all versions of a small world."""
    versions = [f"{major}.{minor}" for major, minor in product(range(4), range(3))]
    ranges = [
        [("introduced", "0"), ("fixed", "1.1")],
        [("introduced", "1.2"), ("last_affected", "2.1")],
        [("introduced", "3.0")],
    ]
    written = json.dumps(
        [{"type": "ECOSYSTEM", "events": [{what: at} for what, at in one]} for one in ranges]
    )
    affected = [one for one in versions if evaluate("deb", one, written).is_affected]
    plain = [
        one
        for one in versions
        if one < "1.1" or "1.2" <= one <= "2.1" or one >= "3.0"  # digits alone: as text
    ]
    assert affected == plain
    assert evaluate("deb", "0.5", written).fixed_version == "1.1"
    assert evaluate("deb", "1.2", written).fixed_version is None


@pytest.mark.parametrize("ranges", ["", "{", "[1]", '[{"type": 1, "events": 7}]', "[" * 10_000])
def test_ranges_that_are_none_match_nothing(ranges):
    found = evaluate("pypi", "1.0", ranges)
    assert found is None or not found.is_affected


def test_severities_are_the_highest_of_one_vulnerability():
    about = [
        advisory("PyPI/a", ALL, id="PYSEC-1", aliases="CVE-1 GHSA-1", severity="unknown"),
        advisory("PyPI/a", ALL, id="GHSA-1", aliases="CVE-1", severity="critical", cvss=9.1),
        advisory("PyPI/a", ALL, id="GHSA-2", aliases="CVE-2", severity="low", cvss=2.0),
        advisory("PyPI/b", ALL, id="X", aliases="CVE-2", severity="high", cvss=8.0, **WITHDRAWN),
    ]
    highest = matched([package("pypi/a", "1")], about)
    assert highest[["id", "severity", "cvss"]].to_numpy().tolist() == [
        ["GHSA-1", "critical", 9.1],
        ["GHSA-2", "low", 2.0],
        ["PYSEC-1", "critical", 9.1],
    ]
    own = matched([package("pypi/a", "1")], about, severity="own")
    assert own["severity"].tolist() == ["critical", "low", "unknown"]
    assert pd.isna(own["cvss"][2])


PRODUCTS = [
    ("pkg:pypi/a", None, True),
    ("pkg:pypi/A@1", None, True),
    ("pkg:pypi/a@2", None, False),
    ("pkg:npm/a", None, False),
    (None, None, True),
    (None, "pkg:pypi/b", False),
    ("pkg:oci/app?repository_url=docker.io%2Forg%2Fapp", None, True),
    ("pkg:oci/app@sha256:aa?repository_url=org/app", "pkg:pypi/a", True),
    ("pkg:oci/app@sha256:bb?repository_url=org/app", "pkg:pypi/a", False),
    ("pkg:oci/app@sha256:aa?tag=2", None, True),
    ("pkg:oci/app?tag=1&arch=amd64", None, True),
    ("pkg:oci/app?tag=2", None, False),
    ("pkg:oci/app?arch=arm64", None, False),
    ("pkg:oci/app", None, True),
    ("pkg:oci/org%2Fapp", None, True),
    ("pkg:oci/other%2Fapp", None, False),
    ("pkg:oci/other", None, False),
    ("pkg:docker/org/app@1", None, True),
    ("pkg:docker/org/app@2", None, False),
    ("pkg:docker/other/app", None, False),
    ("docker.io/org/app:1", "pkg:pypi/a@1", True),
    ("docker.io/org/app:2", None, False),
    ("not a reference", None, False),
]


@pytest.mark.parametrize(("of", "component", "covers"), PRODUCTS)
def test_vex_is_about_images_and_packages(of, component, covers):
    said = {
        "document": "d", "number": 0, "id": "CVE-1", "product": of, "component": component,
        "status": "not_affected", "justification": "component_not_present",
    }  # fmt: skip
    found = matched(
        [package("pypi/a", "1")],
        [advisory("PyPI/a", ALL, id="PYSEC-1", aliases="CVE-1")],
        vex=VEX.from_records([said]),
    )
    assert found["state"].tolist() == ["not affected" if covers else "affected"]
    assert found["vex_justification"].notna().tolist() == [covers]


@pytest.mark.parametrize(
    ("stated", "covers"),
    [
        ("debian/curl", True),
        ("debian/curl?distro=debian-12&arch=amd64", True),
        ("debian/curl?os_name=debian&os_version=12", True),
        ("debian/curl@1?distro=bookworm", True),
        ("debian/curl?distro=debian-11", False),
        ("debian/curl@1?os_name=debian&os_version=13", False),
        ("debian/curl?arch=arm64", False),
        ("ubuntu/curl", False),
    ],
)
def test_a_package_of_another_distribution_is_another(stated, covers):
    """And so is one of another release, or architecture."""
    said = {"document": "d", "number": 0, "id": "OSV-1", "status": "not_affected"}
    of = {
        **package("deb/debian/curl?debian-12", "1"),
        "purl": "pkg:deb/debian/curl@1?arch=amd64&distro=debian-12.5",
    }
    vex = VEX.from_records([{**said, "product": f"pkg:deb/{stated}"}])
    found = matched([of], [advisory("Debian:12/curl", ALL)], vex=vex)
    assert found["state"].tolist() == ["not affected" if covers else "affected"]


def test_releases_that_no_advisories_are_for_are_told_apart():
    rows = VULNERABILITIES.from_records(
        {**IMAGE, "id": "CVE-1", "type": "rpm", "name": "a", "version": "1-1", "evidence": "trivy",
         "purl": f"pkg:rpm/amzn/a@1-1?distro=amzn-{release}", "state": "fixed", "severity": "low"}
        for release in ("2", "2023")
    )  # fmt: skip
    said = {"document": "d", "number": 0, "id": "CVE-1", "status": "not_affected"}
    vex = VEX.from_records([{**said, "product": "pkg:rpm/amzn/a?distro=amzn-2"}])
    assert with_vex(rows, vex)["state"].tolist() == ["not affected", "fixed"]


def test_packages_are_named_by_their_urls():
    """As each tool writes names and versions: PyPI's as they are written, Go's with a letter."""
    said = {"document": "d", "number": 0, "id": "CVE-1", "status": "not_affected"}
    rows = VULNERABILITIES.from_records(
        {**IMAGE, "id": "CVE-1", "type": kind, "name": name, "version": version, "purl": url,
         "state": "affected", "severity": "low", "evidence": "trivy"}
        for kind, name, version, url in (
            ("pypi", "Zope.Interface", "1", "pkg:pypi/zope-interface@1"),
            ("golang", "example.com/a", "v1.2.0", "pkg:golang/example.com/a@v1.2.0"),
        )
    )  # fmt: skip
    for stated in ("pkg:pypi/Zope_Interface@1", "pkg:golang/example.com/a@1.2.0"):
        found = with_vex(rows, VEX.from_records([{**said, "product": stated}]))
        assert found["vex_status"].notna().sum() == 1, stated


@pytest.mark.parametrize(
    ("cleared", "state"),
    [(["CVE-1"], "affected"), (["CVE-1", "CVE-2"], "not affected"), (["DSA-1"], "not affected")],
)
def test_what_bundles_several_is_cleared_with_all_of_them(cleared, state):
    vex = VEX.from_records(
        {"document": "d", "number": number, "id": name, "status": "not_affected"}
        for number, name in enumerate(cleared)
    )
    bundle = advisory("Debian/a", ALL, id="DSA-1", upstream="CVE-1 CVE-2")
    found = matched([package("deb/debian/a?debian-12", "1")], [bundle], vex=vex)
    assert found["aliases"].tolist() == ["CVE-1 CVE-2"]
    assert found["state"].tolist() == [state]


def test_nothing_is_counted_twice():
    """One vulnerability as four databases name it, and a bundle of it and of another."""
    about = [
        advisory(
            "Debian/a", ALL, id="DEBIAN-CVE-1", upstream="CVE-1", aliases="CVE-1", severity="low"
        ),
        advisory("Debian/a", ALL, "fixed=2", id="DSA-1", upstream="CVE-1 CVE-2", severity="high"),
        advisory("Debian/a", ALL, id="GHSA-1", aliases="CVE-1", severity="unknown"),
        advisory("Debian/a", ALL, id="OTHER-1", aliases="GHSA-1", severity="unknown"),
    ]
    found = matched([package("deb/debian/a?debian-12", "1")], about, severity="own")
    assert len(found) == 4
    (row,) = vulnerability_summary_df(found).to_dict("records")
    counts = {
        name: row[f"{name}_count"]
        for name in ("vulnerability", "high", "low", "fixable", "package")
    }
    # CVE-1 by its own rows, CVE-2 by the bundle alone.
    assert counts == {"vulnerability": 2, "high": 1, "low": 1, "fixable": 1, "package": 1}


def test_of_several_statements_the_last_holds():
    stated = [
        (None, "affected"),
        ("2024-02-01T00:00:00Z", "affected"),
        ("2024-03-01T00:00:00Z", "under_investigation"),
        ("2024-01-01T00:00:00Z", "not_affected"),
    ]
    vex = VEX.from_records(
        {"document": "d", "number": number, "id": "OSV-1", "status": status, "stated_at": at}
        for number, (at, status) in enumerate(stated)
    )
    (row,) = matched([package("pypi/a", "1")], [advisory("PyPI/a", ALL)], vex=vex).to_dict(
        "records"
    )
    assert (row["state"], row["vex_status"]) == ("under investigation", "under_investigation")
    assert pd.isna(row["vex_justification"])


def test_the_last_statement_holds_whatever_name_it_uses():
    vex = VEX.from_records(
        {"document": "d", "number": number, "id": id_, "status": status, "stated_at": at}
        for number, (id_, status, at) in enumerate(
            [("CVE-1", "not_affected", "2024-02-01"), ("GHSA-1", "affected", "2024-01-01")]
        )
    )
    about = [advisory("PyPI/a", ALL, id="GHSA-1", aliases="CVE-1")]
    assert matched([package("pypi/a", "1")], about, vex=vex)["state"].tolist() == ["not affected"]


@pytest.mark.parametrize(
    ("before", "fixed_version", "after"),
    [
        ("not affected", None, "affected"),
        ("under investigation", "2", "fixed"),
        ("will not fix", None, "will not fix"),
    ],
)
def test_what_was_cleared_may_turn_out_to_be_affected(before, fixed_version, after):
    row = {**IMAGE, "id": "CVE-1", "type": "pypi", "name": "a", "severity": "low",
           "evidence": "cyclonedx", "state": before, "fixed_version": fixed_version}  # fmt: skip
    vex = VEX.from_records([{"document": "d", "number": 0, "id": "CVE-1", "status": "affected"}])
    found = with_vex(VULNERABILITIES.from_records([row]), vex)
    assert found["state"].tolist() == [after]


def test_of_an_advisory_that_is_there_twice_the_later_one_holds():
    twice = [
        advisory("PyPI/a", ALL, modified_at="2024-02-01T00:00:00Z", severity="low"),
        advisory("PyPI/a", ALL, "fixed=2", modified_at="2024-01-01T00:00:00Z"),
    ]
    for about in (twice, twice[::-1]):
        found = matched([package("pypi/a", "1")], about)
        assert found["severity"].tolist() == ["low"]
        assert found["fixed_version"].isna().all()


def test_each_image_has_its_rows_in_order():
    packages = [
        package(f"pypi/{name}", "1", tag=tag, image_digest=f"sha256:{tag}")
        for tag in ("2", "1")
        for name in ("b", "a")
    ]
    about = [advisory(f"PyPI/{name}", ALL, id=id_) for name in "ab" for id_ in ("Y", "X")]
    found = matched(packages, about)
    told = found[["tag", "name", "id"]].to_numpy().tolist()
    assert told == [[tag, name, id_] for tag in "21" for name in "ba" for id_ in "XY"]
    assert dict(found.dtypes.astype(str)) == VULNERABILITIES.dtypes
    empty = matched([], [])
    assert dict(empty.dtypes.astype(str)) == VULNERABILITIES.dtypes


def counted(frame, keys):
    """Count as `vulnerability_summary_df` does, one row after the other."""
    groups = {}
    for row, name in zip(frame.to_dict("records"), canonical_ids(frame), strict=True):
        key = tuple(None if pd.isna(row[one]) else row[one] for one in keys)
        groups.setdefault(key, {}).setdefault(name, []).append(row)
    for key, by_name in groups.items():
        real = {
            name: [row for row in rows if row["state"] != NOT_AFFECTED]
            for name, rows in by_name.items()
        }
        kept = [rows for rows in real.values() if rows]
        worst = [min((row["severity"] for row in rows), key=SEVERITIES.index) for rows in kept]
        yield (
            key,
            {
                "vulnerability_count": len(kept),
                **{f"{word}_count": worst.count(word) for word in SEVERITIES},
                "fixable_count": sum(
                    all(pd.notna(row["fixed_version"]) for row in rows) for rows in kept
                ),
                "not_affected_count": len(by_name) - len(kept),
                "package_count": len(
                    {(row["type"], row["name"], row["version"]) for rows in kept for row in rows}
                ),
            },
        )


WORLD = VULNERABILITIES.from_records(
    {
        **IMAGE,
        "repo": f"org/{number % 2}",
        "tag": f"{number % 3}",
        "image_digest": None if number % 7 == 0 else f"sha256:{number % 4}",
        "layer_digest": [None, "l1", "l2"][number % 3],
        "id": f"GHSA-{number % 11}",
        "aliases": f"CVE-{number % 5}" if number % 2 else None,
        "type": "pypi",
        "name": f"p{number % 6}",
        "version": "1",
        "fixed_version": "2" if number % 4 else None,
        "state": NOT_AFFECTED if number % 9 == 0 else "affected",
        "severity": SEVERITIES[number * 7 % 6],
        "cvss": number % 10,
        "evidence": "osv",
    }
    for number in range(200)
)
IMAGES = ["repo", "tag", "platform", "image_digest"]


@pytest.mark.parametrize(
    ("by", "keys"),
    [("tag", IMAGES), ("repo", ["repo"]), ("layer", [*IMAGES, "layer_digest"])],
)
def test_the_summary_counts_as_a_plain_loop_does(by, keys):
    found = vulnerability_summary_df(WORLD, by)
    assert dict(found.dtypes.astype(str)) == VULNERABILITY_SUMMARY.dtypes
    expected = dict(counted(WORLD, keys))
    assert len(found) == len(expected)
    for row in found.to_dict("records"):
        told = expected[tuple(None if pd.isna(row[one]) else row[one] for one in keys)]
        assert {name: row[name] for name in told} == told
    assert found["exploited_count"].isna().all()
    worst = found[["critical_count", "high_count"]].to_numpy().tolist()
    assert worst == sorted(worst, reverse=True)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("tag", [("1", 1), ("2", 0), ("3", 0)]),
        ("image", [("1", 1), ("3", 0)]),
        ("repo", [(None, 1)]),
        ("layer", [("1", 1), ("1", 0), ("2", 0), ("3", 0)]),
    ],
)
def test_what_was_looked_at_and_has_none_has_a_row_of_zeros(by, expected):
    """Tags 1 and 2 are one image; each has a package in two layers."""
    looked_at = [
        package("pypi/a", "1", layer_digest="l1"),
        package("pypi/b", "1", layer_digest="l2"),
        package("pypi/b", "1", layer_digest="l1", tag="2"),
        package("pypi/b", "1", layer_digest="l1", tag="3", image_digest="sha256:bb"),
    ]
    packages = PACKAGES.from_records(looked_at)
    found = matched(looked_at[:1], [advisory("PyPI/a", ALL)])
    summary = vulnerability_summary_df(found, by, packages=packages)
    told = summary[["tag", "vulnerability_count"]].astype(object).where(summary.notna(), None)
    assert [tuple(row) for row in told.to_numpy()] == expected
    assert summary["package_count"].sum() == 1
    assert dict(summary.dtypes.astype(str)) == VULNERABILITY_SUMMARY.dtypes
    none = vulnerability_summary_df(found[:0], by, packages=packages)
    assert len(none) == len(expected)
    assert not none["vulnerability_count"].any()


def test_tags_of_one_image_are_one_by_image():
    rows = [
        {**IMAGE, "tag": tag, "id": "CVE-1", "type": "pypi", "name": "a", "state": "fixed",
         "severity": "high", "evidence": "osv", "fixed_version": "1", "is_exploited": True,
         "published_at": f"2024-0{tag}-01T00:00:00Z"}
        for tag in ("2", "1")
    ]  # fmt: skip
    frame = VULNERABILITIES.from_records(rows)
    (row,) = vulnerability_summary_df(frame, "image").to_dict("records")
    assert (row["tag"], row["vulnerability_count"], row["exploited_count"]) == ("2", 1, 1)
    assert row["oldest_published_at"] == row["first_fixable_published_at"]
    assert row["oldest_published_at"] == pd.Timestamp("2024-01-01T00:00:00Z")
    assert len(vulnerability_summary_df(frame)) == 2
    assert vulnerability_summary_df(frame[:0]).empty


def test_wrong_arguments_say_what_is_right():
    of, about = PACKAGES.frame(), ADVISORIES.frame()
    with pytest.raises(ValueError, match='"highest" or "own"'):
        vulnerabilities_df(of, about, severity="low")
    with pytest.raises(ValueError, match="advisories frame: it lacks"):
        vulnerabilities_df(of, of)
    with pytest.raises(ValueError, match="tag, image, repo, layer"):
        vulnerability_summary_df(VULNERABILITIES.frame(), "day")
    with pytest.raises(ValueError, match="tag, image, repo, layer"):
        vulnerability_summary_df(VULNERABILITIES.frame(), ["tag"])
    with pytest.raises(ValueError, match="packages frame"):
        vulnerability_summary_df(VULNERABILITIES.frame(), packages=about)
    with pytest.raises(TypeError, match="vex frame"):
        vulnerabilities_df(of, about, vex=[])
