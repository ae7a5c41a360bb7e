"""End of life: what images are of, by every kind of frame, against dates that are known by hand."""

import datetime as dt
import doctest
import io
import warnings
from pathlib import Path

import pandas as pd
import pytest

import hubframe
from hubframe import StaleWarning
from hubframe.measure.lifecycle import ends, eol_df
from hubframe.readers.eol import read_products
from hubframe.tables import DISTRIBUTIONS, LIFECYCLES, PACKAGES, TAGS
from hubframe.tables.lifecycle import CYCLES, EOL
from hubframe.tables.measured import BASES
from tests.documents_of_eol import full, product, release

TODAY = "2026-09-01"
DEBIAN = "registry.example/shop/app"


def tags(*names):
    """A tags frame of ``repo:tag`` or ``repo:tag aliases``."""
    rows = []
    for name in names:
        written, _, aliases = name.partition(" ")
        repo, _, tag = written.rpartition(":")
        rows.append({"repo": repo, "tag": tag, "aliases": aliases, "is_digest_tag": False})
    return TAGS.from_records(rows)


def told(frame, *columns):
    return [
        " ".join("-" if pd.isna(value) else str(value) for value in row)
        for row in frame[[*columns]].itertuples(index=False)
    ]


def products(frame, **how):
    return told(hubframe.eol_df(frame, **{"today": TODAY, **how}), "product", "cycle")


# Tags by hand, each with what it is of.
TAGGED = {
    "library/python:3.8-buster": ["python 3.8", "debian 10"],
    "library/python:3.14.0rc1-slim": ["python 3.14"],
    "library/python:3.12-windowsservercore-ltsc2022": ["python 3.12", "windows-server-core 2022"],
    "library/python:2-slim": ["python 2.7"],
    "library/python:3": ["python -"],
    "library/python:latest": ["python -"],
    "library/node:18-alpine": ["nodejs 18"],
    "library/node:iron-slim": ["nodejs 20"],
    "library/node:lts-bookworm": ["nodejs -", "debian 12"],
    "library/node:alpine3.20": ["nodejs -", "alpine-linux 3.20"],
    "library/debian:10": ["debian 10"],
    "library/debian:buster-slim": ["debian 10"],
    "library/debian:bookworm-20240110-slim": ["debian 12"],
    "library/debian:12.4": ["debian 12"],
    "library/debian:sid": ["debian -"],
    "library/ubuntu:16.04": ["ubuntu 16.04"],
    "library/ubuntu:jammy-20240111": ["ubuntu 22.04"],
    "library/ubuntu:bionic": ["ubuntu 18.04"],
    "library/alpine:3.14": ["alpine-linux 3.14"],
    "library/alpine:3.20.1": ["alpine-linux 3.20"],
    "library/alpine:edge": ["alpine-linux -"],
    "library/centos:centos7": ["centos 7"],
    "library/amazonlinux:2.0.20260817.0": ["amazon-linux 2"],
    "library/amazonlinux:2023.6.20250101.0": ["amazon-linux 2023"],
    "library/amazonlinux:2018.03": ["amazon-linux 2018.03"],
    "library/eclipse-temurin:8u482-b08-jdk": ["eclipse-temurin 8"],
    "library/eclipse-temurin:21-jre-jammy": ["eclipse-temurin 21", "ubuntu 22.04"],
    "library/tomcat:9-jdk17-temurin-jammy": ["tomcat 9.0", "ubuntu 22.04"],
    "library/tomcat:jre8": ["tomcat -"],
    "library/wordpress:6-php8.2-apache": ["wordpress -", "php 8.2"],
    "library/postgres:16beta1-alpine3.18": ["postgresql 16", "alpine-linux 3.18"],
    "library/redis:7": ["redis -"],
    "library/golang:1.21-bookworm": ["go 1.21", "debian 12"],
    "library/elasticsearch:7.17.3": ["elasticsearch 7"],
    "bitnami/python:3.12.4-debian-12-r9": ["python 3.12", "debian 12"],
    "redhat/ubi9:latest": ["rhel 9"],
    "registry.access.redhat.com/ubi8/ubi:8.9": ["rhel 8"],
    "quay.io/centos/centos:stream9": ["centos-stream 9"],
    "mcr.microsoft.com/dotnet/aspnet:8.0-jammy": ["dotnet 8", "ubuntu 22.04"],
    "mcr.microsoft.com/windows/servercore:ltsc2019": ["windows-server-core 2019"],
    "mcr.microsoft.com/windows/nanoserver:10.0.20348.2227": ["windows-nano-server 2022"],
    "mcr.microsoft.com/windows/nanoserver:20H2-amd64": ["windows-nano-server 20h2"],
    "mcr.microsoft.com/windows/nanoserver:1809": ["windows-nano-server 1809"],
    "public.ecr.aws/docker/library/python:3.9": ["python 3.9"],
    "registry.k8s.io/kube-proxy:v1.30.0": ["kubernetes 1.30"],
    "timescale/timescaledb:latest-pg13": ["postgresql 13"],
    "gcr.io/distroless/static-debian11:nonroot": ["debian 11"],
    "org/app:1.2-alpine4.0": ["alpine-linux -"],
    "org/app:1.2-go7-al-3": ["- -"],
    "nvidia/cuda:12.1-devel-ubuntu22.04": ["ubuntu 22.04"],
    "mycompany/custom-image:1.0": ["- -"],
    # Other servers that are run as images.
    "library/maven:3.9-eclipse-temurin-17-focal": [
        *("apache-maven 3.9", "ubuntu 20.04", "eclipse-temurin 17"),
    ],
    "library/docker:24-dind": ["docker-engine 24.0"],
    "grafana/grafana-oss:9.5.2": ["grafana 9.5"],
    "quay.io/keycloak/keycloak:26.0.5": ["keycloak 26.0"],
    "hashicorp/vault:1.13": ["hashicorp-vault 1.13"],
    "ghcr.io/graalvm/graalvm-ce:22.3.0": ["- -"],
    # A version behind another word may be its own.
    "zabbix/zabbix-agent:alpine-6.4-latest": ["zabbix 6.4"],
    "denoland/deno:debian-1.40.0": ["deno 1"],
    "library/influxdb:alpine3.20": ["influxdb -", "alpine-linux 3.20"],
    "org/app:alpine-4.0": ["- -"],
    # Copies.
    "arm64v8/python:3.9-buster": ["python 3.9", "debian 10"],
    "bitnamilegacy/redis:6.2": ["redis 6.2"],
    "public.ecr.aws/bitnami/postgresql:12": ["postgresql 12"],
    "mirror.gcr.io/prom/prometheus:v2.45.0": ["prometheus 2.45"],
    "harbor.example.com/proxy/library/node:14": ["nodejs 14"],
    "git.example.com/a/dependency_proxy/containers/alpine:3.12": ["alpine-linux 3.12"],
    "k8s.gcr.io/kube-proxy:v1.20.0": ["kubernetes 1.20"],
    "dhi.io/python:3.9-debian12": ["python 3.9", "debian 12"],
    "cgr.dev/acme.example/node:20": ["nodejs 20"],
    "cgr.dev/chainguard/python:latest": ["python -"],
    "lscr.io/linuxserver/mariadb:10.6.10": ["mariadb 10.6"],
    # Two products that came one after the other.
    "library/ros:humble-ros-core-jammy": ["ros-2 humble", "ubuntu 22.04"],
    "osrf/ros:noetic-desktop-full": ["ros noetic"],
    "library/ros:latest": ["ros-2 -"],
    "quay.io/centos/centos:7": ["centos 7"],
    "quay.io/centos/centos:stream8": ["centos-stream 8"],
    # Official images that the site has a product of.
    "library/azul-zulu:11-jre-debian13": ["azul-zulu 11", "debian 13"],
    "library/mageia:9": ["mageia 9"],
    "library/clearlinux:latest": ["clear-linux -"],
    "library/plone:5.2.9": ["plone 5.2"],
    "jenkins/jenkins:2.375.1-lts-jdk11": ["jenkins 2.375"],
    "jenkins/jenkins:2.289.3-lts": ["jenkins -"],
    # Versions in the name of the repository, and without dots.
    "gcr.io/distroless/nodejs18-debian12:nonroot": ["nodejs 18", "debian 12"],
    "registry.access.redhat.com/ubi8/python-39:1": ["rhel 8", "python 3.9"],
    "almalinux/8-base:latest": ["almalinux 8"],
    "centos/postgresql-96-centos7:1": ["postgresql 9.6", "centos 7"],
    "acme/app-ubuntu2204:1": ["ubuntu 22.04"],
    "acme/app:php74-alpine312": ["php 7.4", "alpine-linux 3.12"],
    "rhel8.example.com/acme/app:1": ["- -"],
}


@pytest.mark.parametrize("name", TAGGED)
def test_tags(name):
    assert products(tags(name)) == TAGGED[name]


def test_a_tag_of_two_products_has_two_rows():
    found = hubframe.eol_df(tags("library/python:3.8-buster"), today=TODAY)
    assert told(found, "tag", "product", "is_eol", "is_supported", "days_left", "matched_by") == [
        "3.8-buster python True False -694 tag",
        "3.8-buster debian True False -1452 tag",
    ]
    assert found["url"].tolist() == [
        "https://endoflife.date/python",
        "https://endoflife.date/debian",
    ]


def test_names_of_the_same_digest_tell():
    latest = "library/python:latest 3 3.12 3.12.4 3.12.4-bookworm bookworm"
    assert products(tags(latest)) == ["python 3.12", "debian 12"]


def test_digest_tags_are_no_images():
    assert hubframe.eol_df(tags(f"library/python:sha256-{'0' * 64}.sig"), today=TODAY).empty


def test_what_is_not_known_is_null_and_counted():
    frame = tags("mycompany/app:1", "library/python:3", "library/python:3.12")
    found = hubframe.eol_df(frame, today=TODAY)
    assert found["is_eol"].tolist() == [pd.NA, pd.NA, False]
    assert found["tag"].tolist() == ["1", "3", "3.12"]
    assert found.attrs["hubframe"]["unmatched"] == 2
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == EOL.dtypes


def distributions(*rows):
    image = {"repo": DEBIAN, "platform": "linux/amd64", "evidence": "layers"}
    names = ("id", "version_id", "version_codename", "name")
    return DISTRIBUTIONS.from_records(
        {**image, "tag": f"{place}", **dict(zip(names, row, strict=False))}
        for place, row in enumerate(rows)
    )


# os-release, and Windows: what is told, and the product.
SYSTEMS = {
    ("debian", "12"): "debian 12",
    ("debian", None, "trixie"): "debian 13",
    ("debian", None, "forky"): "debian -",
    ("debian", None, "sid"): "debian -",
    ("ubuntu", "22.04"): "ubuntu 22.04",
    ("alpine", "3.20.1"): "alpine-linux 3.20",
    # Edge has the number of what comes next.
    ("alpine", "3.21.0_alpha20240923"): "alpine-linux -",
    ("debian", None, "trixie", "Debian GNU/Linux trixie/sid"): "debian -",
    ("debian", "13", "trixie", "Debian GNU/Linux 13 (trixie)"): "debian 13",
    ("fedora", "42", "", "Fedora Linux 42 (Container Image Prerelease)"): "fedora -",
    ("fedora", "41", "rawhide", "Fedora Linux 41 (Rawhide)"): "fedora -",
    ("rhel", "9.4"): "rhel 9",
    ("rocky", "9.3"): "rocky-linux 9",
    ("almalinux", "8.10"): "almalinux 8",
    ("centos", "7", None, "CentOS Linux 7 (Core)"): "centos 7",
    ("centos", "9", None, "CentOS Stream 9"): "centos-stream 9",
    ("centos", "9"): "centos-stream 9",
    ("centos", "8"): "centos 8",
    ("fedora", "40"): "fedora 40",
    ("amzn", "2023"): "amazon-linux 2023",
    ("ol", "8.9"): "oracle-linux 8",
    ("sles", "15.5"): "sles 15.5",
    ("opensuse-leap", "15.5"): "opensuse 15.5",
    ("photon", "5.0"): "photon 5.0",
    ("windows", "10.0.20348.2227"): "windows-server-core 2022",
    ("windows", "10.0.17763.5"): "windows-server-core 2019",
    ("wolfi", "20230201"): "- -",
    (None,): "- -",
}


@pytest.mark.parametrize("row", SYSTEMS)
def test_distributions(row):
    found = hubframe.eol_df(distributions(row), today=TODAY)
    assert told(found, "product", "cycle") == [SYSTEMS[row]]
    assert found["matched_by"].isna().tolist() == [SYSTEMS[row] == "- -"]
    assert told(found, "repo", "platform") == [f"{DEBIAN} linux/amd64"]


def package(tag, kind, name, version, purl):
    image = {"repo": DEBIAN, "tag": tag, "platform": "linux/amd64", "image_digest": f"sha256:{tag}"}
    return {**image, "type": kind, "name": name, "version": version, "purl": purl, "evidence": "x"}


def test_packages_tell_the_distribution_and_what_the_file_knows():
    frame = PACKAGES.from_records(
        [
            package("1", "deb", "bash", "5.2", "pkg:deb/debian/bash@5.2?distro=debian-12"),
            package("1", "deb", "curl", "7.88", "pkg:deb/debian/curl@7.88?distro=debian-12"),
            package("1", "pypi", "django", "4.2.1", "pkg:pypi/django@4.2.1"),
            package("2", "pypi", "requests", "2", "pkg:pypi/requests@2"),
        ]
    )
    django = product("django", [release("4.2", eolFrom="2026-04-30")], "pkg:pypi/django")
    debian = product("debian", [release("12", eolFrom="2026-07-11")])
    found = hubframe.eol_df(frame, read_products(full(django, debian), "a file"), today=TODAY)
    assert told(found, "tag", "name", "version", "product", "cycle", "matched_by") == [
        "1 debian 12 debian 12 purl",
        "1 django 4.2.1 django 4.2 purl",
        "2 - - - - -",
    ]


@pytest.mark.parametrize(
    ("distribution", "system"),
    [
        ("debian-12", "debian 12 debian 12"),
        ("bookworm", "debian bookworm debian 12"),
        ("ubuntu-jammy", "ubuntu jammy ubuntu 22.04"),
        ("debian-sid", "debian sid debian -"),
        ("centos-9", "centos 9 centos-stream 9"),
        ("opensuse-leap-15.5", "opensuse-leap 15.5 opensuse 15.5"),
        ("opensuse-tumbleweed-20240101", "- - - -"),
        ("sid", "- - - -"),
    ],
)
def test_package_urls_name_the_distribution_in_many_ways(distribution, system):
    url = f"pkg:deb/debian/bash@5.2?distro={distribution}"
    frame = PACKAGES.from_records([package("1", "deb", "bash", "5.2", url)])
    found = hubframe.eol_df(frame, today=TODAY)
    assert told(found, "name", "version", "product", "cycle") == [system]


def test_runtimes_that_binaries_are_of_are_known():
    frame = PACKAGES.from_records(
        [
            package("1", "golang", "stdlib", "1.20.1", "pkg:golang/stdlib@1.20.1"),
            package("1", "generic", "node", "18.19.0", "pkg:generic/node@18.19.0"),
        ]
    )
    assert products(frame) == ["go 1.20", "nodejs 18"]


def test_a_product_that_was_renamed_is_the_same():
    photon = product("photon-os", [release("5.0")], aliases=["photon"])
    alpine = product("alpine", [release("3.20")])
    node = product("node", [release("18")], aliases=["nodejs"])
    dates = read_products(full(photon, alpine, node), "a file")
    assert products(distributions(("photon", "5.0")), eol=dates) == ["photon-os 5.0"]
    # Of the codename only hubframe's own table knows.
    names = tags("library/photon:5.0", "acme/app:1-alpine3.20", "library/node:hydrogen")
    assert products(names, eol=dates) == ["photon-os 5.0", "alpine 3.20", "node 18"]


def test_bases_are_matched_once():
    image = {"repo": DEBIAN, "tag": "1", "platform": "linux/amd64", "image_digest": "sha256:a"}
    base = {"base_repo": "library/python", "base_tag": "3.9-bullseye", "confidence": "told"}
    frame = BASES.from_records(
        {**image, **base, "evidence": evidence} for evidence in ("label", "annotation")
    )
    found = hubframe.eol_df(frame, today=TODAY)
    assert told(found, "repo", "tag", "name", "version", "product", "cycle") == [
        f"{DEBIAN} 1 library/python 3.9-bullseye python 3.9",
        f"{DEBIAN} 1 library/python 3.9-bullseye debian 11",
    ]


def lives(*rows):
    """A lifecycles frame of ``tag image subject date`` of linux/amd64; - for null."""
    names = ("tag", "image_digest", "subject_digest", "eol_at")
    return LIFECYCLES.from_records(
        {"repo": DEBIAN, "platform": "linux/amd64", "digest": f"sha256:{place}"}
        | {name: None if one == "-" else one for name, one in zip(names, row.split(), strict=True)}
        for place, row in enumerate(rows)
    )


ANNOTATED = ("tag", "name", "product", "cycle", "eol_at", "is_eol", "is_supported", "days_left")


def test_an_annotation_wins_over_all_else_that_is_told_of_the_image():
    frame = tags(f"{DEBIAN}:3.8-buster-alpine3.14", f"{DEBIAN}:12-bookworm", "library/debian:12")
    # Of several the earliest counts, and what cannot be read does not.
    told_of = lives(
        "3.8-buster-alpine3.14 sha256:a sha256:a 2026-09-02",
        "3.8-buster-alpine3.14 sha256:a sha256:i 2026-08-31",
        "12-bookworm sha256:b sha256:b -",
    )
    found = hubframe.eol_df(frame, lifecycles=told_of, today=TODAY)
    assert told(found, *ANNOTATED) == [
        f"3.8-buster-alpine3.14 {DEBIAN} - - 2026-08-31 00:00:00+00:00 True False -1",
        f"12-bookworm {DEBIAN} debian 12 2026-07-11 00:00:00+00:00 True True -52",
        "12 library/debian debian 12 2026-07-11 00:00:00+00:00 True True -52",
    ]
    assert found["matched_by"].tolist() == ["annotation", "tag", "tag"]
    assert found[["released_at", "extended_until", "url"]][:1].isna().all(axis=None)
    assert found.attrs["hubframe"]["unmatched"] == 0
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == EOL.dtypes
    assert not found.duplicated(list(EOL.key)).any()
    again = hubframe.read_csv(io.StringIO(hubframe.write_csv(found)), "eol")
    pd.testing.assert_frame_equal(again, found)


@pytest.mark.parametrize(
    ("image", "platform", "is_annotated"),
    [
        ("sha256:a", "linux/amd64", True),
        # What is told of the index itself, as of bills of materials.
        ("sha256:i", None, True),
        # The tag has moved since.
        ("sha256:z", "linux/amd64", False),
        (None, "linux/amd64", True),
        (None, "linux/arm64", False),
        (None, None, True),
    ],
)
def test_images_are_known_by_digest_else_by_tag_and_platform(image, platform, is_annotated):
    system = {"id": "debian", "version_id": "12", "evidence": "layers"}
    row = {"repo": DEBIAN, "tag": "1", "platform": platform, "image_digest": image}
    frame = DISTRIBUTIONS.from_records([{**row, **system}])
    told_of = lives("1 sha256:a sha256:i 2020-01-01")
    (one,) = hubframe.eol_df(frame, lifecycles=told_of, today=TODAY).itertuples()
    assert one.matched_by == ("annotation" if is_annotated else "os-release")


def test_a_reference_that_is_pinned_is_not_what_its_tag_is_now():
    rows = [("a", 1, "1", None), ("a", 2, "1", "sha256:z"), ("b", 1, None, "sha256:i"),
            ("b", 2, None, None)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["file", "line", "tag", "digest"])
    frame = frame.assign(repo=DEBIAN, field="FROM")
    told_of = lives("1 sha256:a sha256:i 2020-01-01", "- sha256:q sha256:q 2020-01-01")
    found = hubframe.eol_df(frame, lifecycles=told_of, today=TODAY)
    assert told(found, "file", "line", "matched_by") == [
        "a 1 annotation",
        "a 2 -",
        "b 1 annotation",
        "b 2 -",
    ]
    assert found["image_digest"].isna().all()


def test_packages_of_an_image_that_is_annotated_have_one_row():
    frame = PACKAGES.from_records(
        package("1", "deb", name, "1", f"pkg:deb/debian/{name}@1?distro=debian-12")
        for name in ("bash", "curl")
    )
    found = hubframe.eol_df(frame, lifecycles=lives("9 sha256:1 sha256:1 2030-01-01"), today=TODAY)
    assert told(found, "tag", "name", "version", "matched_by", "is_eol", "days_left") == [
        f"1 {DEBIAN} 1 annotation False 1218"
    ]


def test_references():
    rows = [
        ("Dockerfile", 1, "FROM", "library/node", "14"),
        ("Dockerfile", 9, "FROM", "library/debian", None),
        ("compose.yaml", 3, "services.web.image", None, None),
    ]
    frame = pd.DataFrame(rows, columns=["file", "line", "field", "repo", "tag"])
    found = hubframe.eol_df(frame, today=TODAY)
    assert told(found, "file", "line", "product", "cycle", "is_eol") == [
        "Dockerfile 1 nodejs 14 True",
        "Dockerfile 9 debian - -",
        "compose.yaml 3 - - -",
    ]


def test_the_day_decides():
    frame = tags("library/alpine:3.20")
    days = ("2026-03-31", "2026-04-01", "2026-04-02")
    found = [hubframe.eol_df(frame, today=day) for day in days]
    # The last day is one with support.
    assert [one["is_eol"][0] for one in found] == [False, False, True]
    assert [one["days_left"][0] for one in found] == [1, 0, -1]
    for day in (dt.date(2026, 4, 2), dt.datetime(2026, 4, 1, 23, tzinfo=_west())):
        pd.testing.assert_frame_equal(hubframe.eol_df(frame, today=day), found[-1])


def _west():
    return dt.timezone(dt.timedelta(hours=-5))


def test_a_fixed_day_gives_the_same_csv_on_any_day(monkeypatch):
    frame, written = tags(*TAGGED), []
    for day in ("2026-11-29", "2031-01-01"):
        monkeypatch.setattr(pd.Timestamp, "now", lambda _zone, day=day: pytest.fail(day))
        written.append(hubframe.write_csv(hubframe.eol_df(frame, today=TODAY)))
    assert written[0] == written[1]
    found = hubframe.read_csv(io.StringIO(written[0]), "eol")
    pd.testing.assert_frame_equal(found, hubframe.eol_df(frame, today=TODAY), check_like=False)


def test_today_is_this_day_in_utc(monkeypatch):
    monkeypatch.setattr(pd.Timestamp, "now", lambda zone: pd.Timestamp("2026-09-01 23:59", tz=zone))
    frame = tags("library/alpine:3.20")
    pd.testing.assert_frame_equal(hubframe.eol_df(frame), hubframe.eol_df(frame, today=TODAY))


def test_extended_support_and_flags_without_dates():
    cycles = [
        release("1", eolFrom="2020-01-01", isEoes=False, eoesFrom="2030-01-01"),
        release("2", eolFrom="2020-01-01", isEoes=True, eoesFrom="2021-01-01"),
        release("3", eolFrom="2020-01-01", isEoes=False),
        release("4", isEol=True),
        release("5", isEol=False),
        release("6", isEol=None),
    ]
    dates = read_products(full(product("python", cycles)), "a file")
    frame = tags(*(f"library/python:{number}.1" for number in range(1, 7)))
    found = hubframe.eol_df(frame, dates, today=TODAY)
    assert told(found, "cycle", "is_eol", "is_supported", "days_left") == [
        "1 True True -2435",
        "2 True False -2435",
        "3 True True -2435",
        "4 True False -",
        "5 False True -",
        "6 - - -",
    ]


def test_the_latest_version_and_the_cycles_that_came_since():
    cycles = [
        release("2018.03", releaseDate="2018-04-25"),
        release("2", releaseDate="2018-06-26", latest={"name": "2.0.1", "date": "2026-01-01"}),
        release("2023", releaseDate="2023-03-01"),
        release("2027", releaseDate="2027-01-01"),
    ]
    dates = read_products(full(product("python", cycles)), "a file")
    frame = tags(
        *(f"library/python:{tag}" for tag in ("2.0.1", "2.0.0", "2.0", "2.0.1rc1", "2023"))
    )
    found = hubframe.eol_df(frame, dates, today=TODAY)
    assert told(found, "cycle", "is_latest", "versions_behind") == [
        "2 True 1",
        "2 False 1",
        "2 - 1",
        "2 - 1",
        "2023 - 0",
    ]


def test_old_dates_are_said():
    frame = tags("library/alpine:3.20")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hubframe.eol_df(frame, today="2027-02-18")
    with pytest.warns(StaleWarning, match="are of 2026-08-22, 181 days before 2027-02-19"):
        hubframe.eol_df(frame, today="2027-02-19")


def test_the_first_end_of_what_tags_name():
    names = pd.DataFrame(
        {
            "repo": ["library/python", None, "library/python", "a/b", "library/python"],
            "tag": ["3.12-bookworm", "1", "3.8-buster", "1", None],
        }
    )
    found = ends(names, "2026-09-01")
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        name: EOL.dtypes[name] for name in ("eol_at", "is_eol")
    }
    held = eol_df(names.dropna(), today="2026-09-01")
    for row, (repo, tag) in enumerate(zip(names["repo"], names["tag"], strict=True)):
        mine = held[(held["repo"] == repo) & (held["tag"] == tag)]["eol_at"].dropna()
        assert found["eol_at"].isna()[row] == mine.empty
        assert mine.empty or found["eol_at"][row] == mine.min()
    assert found["is_eol"].tolist() == [True, pd.NA, True, pd.NA, pd.NA]
    assert ends(names[:0]).empty


@pytest.mark.parametrize(
    ("frame", "how", "error", "said"),
    [
        ([1], {}, TypeError, "a list was given"),
        (pd.DataFrame({"a": [1]}), {}, ValueError, "distributions, packages, tags, references"),
        (tags(), {"today": 5}, TypeError, "today must be a date"),
        (tags(), {"today": "soon"}, ValueError, "write it as 2026-11-24"),
        (tags(), {"eol": tags()}, ValueError, "not the cycles frame"),
        (tags(), {"lifecycles": tags()}, ValueError, "not the lifecycles frame"),
    ],
)
def test_wrong_arguments(frame, how, error, said):
    with pytest.raises(error, match=said):
        hubframe.eol_df(frame, **how)


def test_dates_of_the_own_table_are_sound():
    dates = hubframe.read_eol()
    assert not dates.duplicated([*CYCLES.key]).any()
    for one in ("support_ends_at", "eol_at", "extended_until"):
        assert not (dates[one] < dates["released_at"]).any()
    assert not (dates["extended_until"] < dates["eol_at"]).any()
    assert dates[["released_at", "is_eol", "url", "dated_at"]].notna().to_numpy().all()
    # What one caller changes, no other sees.
    dates["eol_at"] = pd.NaT
    assert hubframe.read_eol()["eol_at"].notna().any()


@pytest.mark.parametrize("kind", [tags, distributions, PACKAGES.frame])
def test_nothing_in_nothing_out(kind):
    found = hubframe.eol_df(kind(), today=TODAY)
    assert found.empty
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == EOL.dtypes


def test_the_page_prints_what_it_says():
    page = Path(__file__).parents[2] / "docs" / "lifecycle.md"
    found = doctest.testfile(
        str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 15
    assert found.failed == 0
