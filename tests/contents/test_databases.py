"""Databases of packages as text and JSON, and the table of their paths."""

import json
from contextlib import suppress

import pytest

from hubframe.errors import PayloadError
from hubframe.oci.contents import databases
from hubframe.oci.contents.databases import (
    MOST_OF_FILE,
    MOST_OF_LAYER,
    MOST_OF_RPM,
    find_place,
    is_kept,
    keeping,
    read_packages,
)
from hubframe.oci.contents.distributions import read_distribution
from hubframe.oci.contents.packages import Package
from tests.contents import documents
from tests.contents.documents import spdx_of

SITE = "usr/lib/python3/site-packages"
KINDS = {
    "var/lib/dpkg/status": "deb",
    "chroot/var/lib/dpkg/status": "deb",
    "var/lib/dpkg/status.d/base": "deb",
    "lib/dpkg/status.d/base": "deb",
    "usr/lib/opkg/status": "opkg",
    "lib/apk/db/installed": "apk",
    "usr/lib/apk/db/installed": "apk",
    "var/lib/rpm/Packages": "rpm",
    "usr/share/rpm/rpmdb.sqlite": "rpm",
    "usr/lib/sysimage/rpm/Packages.db": "rpm",
    "var/lib/rpmmanifest/container-manifest-2": "rpm list",
    f"{SITE}/a-1.dist-info/METADATA": "pypi",
    f"{SITE}/a-1.dist-info/REQUESTED": "requested",
    f"{SITE}/a-1.egg-info/PKG-INFO": "pypi",
    f"{SITE}/a-1.egg-info": "pypi",
    f"{SITE}/a-1-py3.8.egg/EGG-INFO/PKG-INFO": "pypi",
    "app/node_modules/a/package.json": "npm",
    "node_modules/@a/b/package.json": "npm",
    "app/package.json": "application",
    "opt/conda/conda-meta/a-1-0.json": "conda",
    "usr/lib/R/library/base/DESCRIPTION": "cran",
    "usr/share/rubygems/specifications/rake-13.gemspec": "gem",
    "gems/specifications/default/json-2.gemspec": "gem",
    "srv/vendor/composer/installed.json": "composer",
    "app/app.deps.json": "nuget",
    "etc/os-release": "release",
    "usr/lib/os.release.d/os-release-fedora": "release",
    **dict.fromkeys(("etc/centos-release", "etc/debian_version", "etc/lsb-release"), "release"),
    "opt/bitnami/a/.spdx-a.spdx": "sbom",
    "usr/share/sbom/a.cdx.json": "sbom",
    "var/lib/db/sbom/zlib-1.3-r0.spdx.json": "sbom",
    **dict.fromkeys(("a.cdx", "srv/a.sbom", "a.sbom.json", "srv/.syft.json"), "sbom"),
    **dict.fromkeys(
        [
            "var/lib/rpmmanifest/container-manifest-1", "var/lib/dpkg/status-old", "var/lib/dpkg/status.d/base.md5sums", "home/xlib/dpkg/status",
            "var/lib/dpkg", "opt/rpm/Packages", "app/package.json.old", "var/lib/rpm/rpmdb.sqlite-wal",
            "app/rake.gemspec", "app/installed.json", "app/deps.json", "app/app.jar", "bin/app",
            "srv/sbom", "srv/bom.xml", "srv/a.cdx.xml", "srv/a.spdx.rdf", "a.spdx/b",
            f"{SITE}/a/METADATA", "opt/conda-meta.json", "../var/lib/dpkg/status", "", ".",
            "a/" * 5000 + "lib/dpkg/status", "a/" * 200 + "node_modules/b/package.json",
        ],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", KINDS)
def test_each_path_is_of_a_kind_or_is_not_kept(path):
    place = find_place(path)
    assert (place and place.kind) == KINDS[path]
    assert is_kept(path, 10) == (KINDS[path] is not None)


def test_files_and_layers_are_kept_up_to_their_caps():
    status, rpm = "var/lib/dpkg/status", "var/lib/rpm/Packages"
    assert [is_kept(status, MOST_OF_FILE + more) for more in (0, 1)] == [True, False]
    assert [is_kept(rpm, MOST_OF_RPM + more) for more in (0, 1)] == [True, False]
    keep, package = keeping(), "node_modules/a/package.json"
    count = MOST_OF_LAYER // MOST_OF_FILE
    assert [keep(f"{place}/{package}", MOST_OF_FILE) for place in range(count + 1)] == [
        *[True] * count,
        False,
    ]
    # The databases of systems have a share of their own, but only once.
    assert keep(status, MOST_OF_FILE)
    assert [keep(rpm, MOST_OF_RPM - MOST_OF_FILE), keep(status, 1)] == [True, False]
    assert not keep("etc/passwd", 1)


STATUS = b"""\
Package: passwd
Status: install ok installed
Installed-Size: 2952
Architecture: amd64
Source: shadow (1:4.13+dfsg1-1)
Version: 1:4.13+dfsg1-1+b1
Description: change passwords
 Package: not-this
 .
Conffiles:
 /etc/x 123

Package: gone
Status: deinstall ok config-files
Version: 1

Package: waits
Status: install ok triggers-pending
Version: 2
Architecture: all

Package: held
Status: hold ok installed
Version: 3
Installed-Size: many
Source: other

Package: never
Status: install ok not-installed
Version: 4
"""


def test_status_of_dpkg():
    path = "var/lib/dpkg/status"
    assert read_packages(path, STATUS) == [
        Package(
            "deb", "passwd", "1:4.13+dfsg1-1+b1", architecture="amd64", source_name="shadow",
            source_version="1:4.13+dfsg1-1", installed_size=2952 * 1024, path=path,
        ),
        Package("deb", "waits", "2", None, "all", "waits", "2", path=path),
        Package("deb", "held", "3", None, None, "other", "3", path=path),
    ]  # fmt: skip
    assert read_packages(path, STATUS.replace(b"\n", b"\r\n")) == read_packages(path, STATUS)


def test_no_database_has_more_packages_than_the_cap(monkeypatch):
    assert databases.MOST_PACKAGES == 200_000
    monkeypatch.setattr(databases, "MOST_PACKAGES", 2_000)
    path = "var/lib/dpkg/status"
    stanzas = [b"Package: a%d\nVersion: 1\n\n" % number for number in range(2_001)]
    assert len(read_packages(path, b"".join(stanzas[1:]))) == 2_000
    with pytest.raises(PayloadError, match="more than 2,000 packages"):
        read_packages(path, b"".join(stanzas))


def test_what_a_database_names_twice_is_there_once():
    stanza = b"Package: a\nVersion: 1\nArchitecture: %s\n\n"
    found = read_packages("var/lib/dpkg/status", stanza % b"amd64" * 2 + stanza % b"i386")
    assert [one.architecture for one in found] == ["amd64", "i386"]


def test_status_d_of_distroless_has_no_status():
    path = "var/lib/dpkg/status.d/base-files"
    body = b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\nMaintainer: X\n"
    (found,) = read_packages(path, body)
    assert (found.name, found.version, found.path) == ("base-files", "12.4", path)


def test_status_of_opkg_tells_bytes_and_licences():
    body = b"Package: busybox\nVersion: 1.36.1-r1\nStatus: install user installed\n"
    body += b"License: GPL-2.0\nInstalled-Size: 266240\nArchitecture: x86_64\n\n"
    (found,) = read_packages("usr/lib/opkg/status", body)
    assert (found.installed_size, found.licence) == (266_240, "GPL-2.0")


def test_installed_of_apk():
    body = b"""\
C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:libcrypto3
V:3.3.2-r0
A:x86_64
S:1
I:4665344
T:Crypto library from openssl
L:Apache-2.0
o:openssl
t:1
F:etc
F:lib
R:P:odd
a:0:0:755
Z:Q1x

P:plain
V:1-r0

P:no version
"""
    path = "lib/apk/db/installed"
    assert read_packages(path, body) == [
        Package(
            "apk", "libcrypto3", "3.3.2-r0", architecture="x86_64", source_name="openssl",
            source_version="3.3.2-r0", licence="Apache-2.0", installed_size=4_665_344, path=path,
        ),
        Package("apk", "plain", "1-r0", source_name="plain", source_version="1-r0", path=path),
    ]  # fmt: skip


# As rpm's query writes it into images of Azure Linux that have no database.
RPM_LIST = b"""\
azurelinux-release\t3.0-22.azl3\t1731000000\t1730000000\tX Corporation\t(none)\t9061\tnoarch\t0\tazurelinux-release-3.0-22.azl3.src.rpm
dnf\t4.0-1\t1\t1\tX\t2\t10\tx86_64\t2\t(none)
odd\tline
"""


def test_the_list_of_an_image_without_a_database_of_rpm():
    path = "var/lib/rpmmanifest/container-manifest-2"
    assert read_packages(path, RPM_LIST) == [
        Package(
            "rpm", "azurelinux-release", "3.0-22.azl3", architecture="noarch",
            source_name="azurelinux-release", source_version="3.0-22.azl3", installed_size=9061, path=path,
        ),
        Package("rpm", "dnf", "2:4.0-1", architecture="x86_64", installed_size=10, path=path),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", [f"{SITE}/x.dist-info/METADATA", f"{SITE}/x.egg-info/PKG-INFO", f"{SITE}/x.egg-info"]
)
def test_metadata_of_python(path):
    body = b"Metadata-Version: 2.1\nName: Ruamel.YAML_x\nVersion: 0.18\nLicense: UNKNOWN\n"
    found = Package("pypi", "ruamel-yaml-x", "0.18", path=path)
    assert read_packages(path, body + b"\nName: description\n") == [found]
    body += b"License-Expression: MIT OR Apache-2.0\n"
    assert read_packages(path, body) == [found._replace(licence="MIT OR Apache-2.0")]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"name": "@babel/core", "version": "7.1"}, Package("npm", "core", "7.1", "babel")),
        ({"name": "a", "version": "1", "license": {"type": "MIT"}}, Package("npm", "a", "1", licence="MIT")),
        ({"name": "a", "version": "1", "license": ["MIT"]}, Package("npm", "a", "1")),
        ({"name": "a\ud800", "version": "1"}, Package("npm", "a?", "1")),
        ({"name": "a"}, None), ({"version": "1"}, None), ({"name": 1, "version": 2}, None),
        ({"name": "a" * 1000, "version": "1"}, None), ({}, None),
    ],
)  # fmt: skip
def test_packages_of_npm(document, found):
    path = "app/node_modules/a/package.json"
    told = read_packages(path, json.dumps(document).encode())
    assert told == ([found._replace(path=path)] if found else [])


GEM = b"""\
# -*- encoding: utf-8 -*-
# stub: nokogiri 1.16.0 x86_64-linux lib
# stub: ext/extconf.rb

Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.16.0"
  s.platform = "x86_64-linux".freeze
  s.required_ruby_version = ">= 3.0"
  s.authors = ["A".freeze]
  s.licenses = ["MIT".freeze, "BSD-2\\u002DClause".freeze]
  s.specification_version = 4
  s.add_runtime_dependency(%q<racc>.freeze, ["~> 1.4"])
  s.version = "9"
end
"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (GEM, Package("gem", "nokogiri", "1.16.0", None, "x86_64-linux", licence="MIT, BSD-2-Clause")),
        (GEM.replace(b"\n", b"\r\n"), Package("gem", "nokogiri", "1.16.0", None, "x86_64-linux", licence="MIT, BSD-2-Clause")),
        (b"# stub: rake 13.0.6 ruby lib\n", Package("gem", "rake", "13.0.6")),
        (b"  spec.name = 'rake'\n  spec.version = %q{13}\n  spec.license = 'MIT'\n", Package("gem", "rake", "13", licence="MIT")),
        # What the program works out is not known, but the line for readers may tell.
        (b's.name = "rake"\ns.version = Rake::VERSION\n', None),
        (b's.name = "rake"\ns.version = File.read("VERSION")\n', None),
        (b's.name = "rake-#{x}"\ns.version = "1"\n', None),
        (b'# stub: rake 13 ruby lib\ns.name = NAME\ns.version = "#{x}"\n', Package("gem", "rake", "13")),
        (b's.name = "' + b"a" * 9000 + b'"\ns.version = "1"', None),
    ],
)  # fmt: skip
def test_specifications_of_gems(body, found):
    path = "usr/lib/ruby/gems/3.2.0/specifications/a.gemspec"
    assert read_packages(path, body) == ([found._replace(path=path)] if found else [])


def test_packages_of_composer_in_both_forms():
    packages = [
        {"name": "monolog/monolog", "version": "3.5.0", "license": ["MIT"]},
        {"name": "Acme/Log", "version": "v1", "license": ["MIT", "GPL-2.0-only", 7]},
        {"name": "plain", "version": "dev-main", "license": "proprietary"},
        {"name": "without/version"}, "nonsense", {"version": "1"},
    ]  # fmt: skip
    path = "srv/app/vendor/composer/installed.json"
    for form in (packages, {"packages": packages, "dev": True}):
        assert read_packages(path, json.dumps(form).encode()) == [
            Package("composer", "monolog", "3.5.0", "monolog", licence="MIT", path=path),
            Package("composer", "Log", "v1", "Acme", licence="MIT OR GPL-2.0-only", path=path),
            Package("composer", "plain", "dev-main", licence="proprietary", path=path),
        ]


DEPS = {
    "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64"},
    "targets": {
        ".NETCoreApp,Version=v8.0": {},
        ".NETCoreApp,Version=v8.0/linux-x64": {
            "app/1.0.0": {"dependencies": {"A": "1"}, "runtime": {"app.dll": {}}},
            "A/1.2.3": {"runtime": {"lib/net6.0/A.dll": {}}},
            "Compile.Only/2.0.0": {"compile": {"x.dll": {}}},
            "Native/3.0.0": {"native": {"x.so": {}}},
            "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"runtime": {"x.dll": {}}},
        },
    },
    "libraries": {
        "app/1.0.0": {"type": "project"},
        "A/1.2.3": {"type": "package", "sha512": "x"},
        "Compile.Only/2.0.0": {"type": "package"},
        "Native/3.0.0": {"type": "Package"},
        "Elsewhere/4.0.0": {"type": "package"},
        "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack"},
        "System/5.0.0": {"type": "referenceassembly"},
    },
}


def test_packages_of_dotnet_are_those_of_which_files_are_there():
    path = "app/app.deps.json"
    assert [(one.type, one.name, one.version) for one in read_packages(path, json.dumps(DEPS).encode())] == [
        ("nuget", "app", "1.0.0"), ("nuget", "A", "1.2.3"), ("nuget", "Native", "3.0.0"),
        ("nuget", "Elsewhere", "4.0.0"),
        ("nuget", "Microsoft.NETCore.App.Runtime.linux-x64", "8.0.1"),
    ]  # fmt: skip
    libraries = DEPS["libraries"] | {
        "Odd/6": 7,
        "/": {"type": "package"},
        "none": {"type": "package"},
    }
    unknown = DEPS | {"runtimeTarget": {"name": ["odd"]}, "libraries": libraries}
    assert len(read_packages(path, json.dumps(unknown).encode())) == 6


@pytest.mark.parametrize("body", [b"", b"1", b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("path", ["a/composer/installed.json", "a.deps.json"])
def test_what_is_no_json_of_other_kinds_is_refused(path, body):
    with pytest.raises(PayloadError):
        read_packages(path, body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
@pytest.mark.parametrize("path", ["node_modules/a/package.json", "c/conda-meta/a.json"])
def test_what_is_no_json_is_refused(path, body):
    with pytest.raises(PayloadError):
        read_packages(path, body)


def test_a_package_of_conda_and_one_of_r():
    path = "opt/conda/conda-meta/numpy-1.26.4-py312_0.json"
    body = {"name": "numpy", "version": "1.26.4", "build": "py312_0", "subdir": "linux-64", "license": "BSD-3-Clause", "size": 7484}  # fmt: skip
    assert read_packages(path, json.dumps(body).encode()) == [
        Package("conda", "numpy", "1.26.4", None, "linux-64", licence="BSD-3-Clause", path=path)
    ]
    path = "usr/lib/R/library/R6/DESCRIPTION"
    body = b"Package: R6\nVersion: 2.5.1\nLicense: MIT + file LICENSE\nAuthor: A,\n  B\n"
    assert read_packages(path, body) == []
    assert read_packages(path, body + b"Built: R 4.2.2; ; 2022; unix\n") == [
        Package("cran", "R6", "2.5.1", licence="MIT + file LICENSE", path=path)
    ]
    # Of R itself: what holds no programs is not built.
    body = b"Package: translations\nVersion: 4.2.2\nPriority: base\n"
    assert [one.name for one in read_packages(path, body)] == ["translations"]


IN_IMAGE = {
    "spdx": spdx_of("pkg:bitnami/pg@17.2.0-8?arch=amd64", "pkg:bitnami/geos@3", "pkg:npm/a@1"),
    "spdx of an image": spdx_of("pkg:oci/app@1", "pkg:npm/a@1", "pkg:npm/a@1"),
    "spdx of a folder": json.dumps(documents.spdx(packages=1)).encode(),
    "spdx 3": json.dumps(documents.SPDX_3).replace(
        '"spdxId": "root", ', '"spdxId": "root", "software_packageUrl": "pkg:npm/app@1", '
    ).encode(),
    "cyclonedx": json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {"component": {"type": "application", "name": "app", "version": "1", "purl": "pkg:npm/app@1"}},
            "components": [{"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1"}],
        }
    ).encode(),
    "cyclonedx of an image": json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {"component": {"type": "container", "name": "app", "purl": "pkg:oci/app@1"}},
            "components": [{"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1"}],
        }
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("spdx", ["pg", "geos", "a"]),
        ("spdx of an image", ["a"]),
        ("spdx of a folder", ["lib0"]),
        ("spdx 3", ["app", "curl"]),
        ("cyclonedx", ["app", "a"]),
        ("cyclonedx of an image", ["a"]),
    ],
)
def test_a_document_in_an_image_lists_the_package_that_it_is_about(form, names):
    found = read_packages("opt/bitnami/pg/.spdx-pg.spdx", IN_IMAGE[form])
    assert [one.name for one in found] == names
    assert {one.path for one in found} == {"opt/bitnami/pg/.spdx-pg.spdx"}
    if form == "spdx":
        assert found[0][:5] == ("bitnami", "pg", "17.2.0-8", None, "amd64")
        assert found[0].licence == "MIT"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"SPDXVersion: SPDX-2.3\n", "tag-value"),
        (b"<bom/>", "XML"),
        (b"{}", "no bill of materials"),
    ],
)
def test_a_document_in_an_image_that_cannot_be_read_says_why(body, words):
    with pytest.raises(PayloadError, match=words):
        read_packages("srv/a.spdx", body)


@pytest.mark.parametrize("path", [path for path, kind in KINDS.items() if kind])
@pytest.mark.parametrize(
    "body",
    [b"\0" * 5000, b"\xff\xfe" * 2000, b":" * 9000, b"\n" * 9000, b"P" * 9000, b"Package: \n"],
)
def test_what_is_no_database_gives_no_package(path, body):
    with suppress(PayloadError):
        assert read_packages(path, body) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n# ID=x\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
            ("debian", None, "12", "bookworm", None, "Debian GNU/Linux 12 (bookworm)", None),
        ),
        (
            b"ID='rocky'\r\nID_LIKE=\"rhel centos fedora\"\r\nVERSION_ID=9.3\r\nVARIANT_ID=x\r\nCPE_NAME=cpe:/o:rocky\r\n",
            ("rocky", "rhel centos fedora", "9.3", None, "x", None, "cpe:/o:rocky"),
        ),
        (b'ID=a\nID=b\nPRETTY_NAME="a \\"b\\" \\$c"\n', ("b", *[None] * 4, 'a "b" $c', None)),
    ],
)
def test_releases_are_read_as_a_shell_reads_them(body, found):
    assert read_distribution("etc/os-release", body) == (*found, "etc/os-release")


@pytest.mark.parametrize(
    ("name", "body", "found"),
    [
        ("centos-release", b"CentOS release 6.10 (Final)\n", ("centos", "6.10", None, "CentOS release 6.10 (Final)")),
        ("redhat-release", b"Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n", ("rhel", "5.11", None, "Red Hat Enterprise Linux Server release 5.11 (Tikanga)")),
        ("oracle-release", b"Oracle Linux Server release 6.9", ("ol", "6.9", None, "Oracle Linux Server release 6.9")),
        ("redhat-release", b"Fedora release 14 (Laughlin)", ("fedora", "14", None, "Fedora release 14 (Laughlin)")),
        ("lsb-release", b'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\nDISTRIB_DESCRIPTION="Ubuntu 10.04.4 LTS"\n', ("ubuntu", "10.04", "lucid", "Ubuntu 10.04.4 LTS")),
        ("debian_version", b"6.0.10\n", ("debian", "6.0.10", None, None)),
        ("alpine-release", b"2.6.6\n", ("alpine", "2.6.6", None, None)),
        # Of Ubuntu, of which it tells nothing; and of what has no number yet.
        ("debian_version", b"jessie/sid\n", None), ("alpine-release", b"", None), ("lsb-release", b"LSB_VERSION=1\n", None),
        ("redhat-release", b"release " * 99, None), ("centos-release", b"\xff\n", None),
    ],
)  # fmt: skip
def test_older_systems_say_what_they_are_in_files_of_their_own(name, body, found):
    told = read_distribution(f"etc/{name}", body)
    assert (told and (told.id, told.version_id, told.version_codename, told.name)) == found


@pytest.mark.parametrize("body", [b"", b"\xff\0" * 500, b"ID", b"ID=\n", b"NAME=x\n", b'ID=""'])
def test_a_release_that_tells_nothing_is_none(body):
    assert read_distribution("etc/os-release", body) is None
