"""``registry.example/shop``: images whose layers are there, with what tells of packages in them.

One stands on a distribution with dpkg, one on apk, one on rpm. What is attached to the first tells
its packages, how it was built, and who signed it; the others have nothing attached.
"""

import base64
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tools.sample.draft import Draft, Era, build_all
from tools.sample.image import AMD64, Image, Step, add, cmd, copy, entrypoint, env, label, run, user
from tools.sample.seeded import digest_of, moment, number, stamp
from tools.sample.store import ATTESTATION, IN_TOTO, PROVENANCE_1, SPDX, Store

HOST = "registry.example"
_ERA = Era(buildkit=True, oci=True, attestation="")
_BASE_NAME, _BASE_DIGEST = (f"org.opencontainers.image.base.{name}" for name in ("name", "digest"))
_BUILD_TYPE = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
_COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"

# Name, version, source package (where it is another) and licence.
_DEBS = (
    ("base-files", "12.4+deb12u5", "", "GPL-2+"),
    ("bash", "5.2.15-2+b7", "bash (5.2.15-2)", "GPL-3+"),
    ("coreutils", "9.1-1", "", "GPL-3+"),
    ("dpkg", "1.21.22", "", "GPL-2+"),
    ("libc6", "2.36-9+deb12u7", "glibc", "LGPL-2.1+"),
    ("libssl3", "3.0.11-1~deb12u2", "openssl", "Apache-2.0"),
    ("zlib1g", "1:1.2.13.dfsg-1", "zlib", "Zlib"),
    ("tzdata", "2024a-0+deb12u1", "", "public-domain"),
)
_ADDED = (
    ("curl", "7.88.1-10+deb12u5", "", "curl"),
    ("libcurl4", "7.88.1-10+deb12u5", "curl", "curl"),
)
_UPGRADED = {
    "libssl3": "3.0.13-1~deb12u1",
    "curl": "7.88.1-10+deb12u6",
    "libcurl4": "7.88.1-10+deb12u6",
}
_APKS = (
    ("alpine-baselayout", "3.6.5-r0", "GPL-2.0-only"), ("apk-tools", "2.14.4-r0", "GPL-2.0-only"),
    ("busybox", "1.36.1-r29", "GPL-2.0-only"), ("musl", "1.2.5-r0", "MIT"),
    ("libcrypto3", "3.3.1-r0", "Apache-2.0"), ("zlib", "1.3.1-r1", "Zlib"),
)  # fmt: skip
_RPMS = (
    ("bash", "5.1.8", "6.el9", "GPLv3+"), ("glibc", "2.34", "60.el9", "LGPLv2+"),
    ("openssl-libs", "3.0.7", "24.el9", "ASL 2.0"), ("rpm", "4.16.1.3", "22.el9", "GPLv2+"),
    ("zlib", "1.2.11", "40.el9", "zlib"),
)  # fmt: skip
_RPM_TAGS = {
    "name": 1000,
    "version": 1001,
    "release": 1002,
    "size": 1009,
    "licence": 1014,
    "arch": 1022,
    "source": 1044,
}

Files = Mapping[str, bytes | None]
Deb = tuple[str, str, str, str]


def draft(store: Store) -> list[Draft]:
    """Return the repositories."""
    base = _base(store)
    return [base, _web(store, base), _cache(store), _batch(store)]


def holding(step: Step, files: Files) -> Step:
    """Return a step whose layer holds files; None in place of a content removes the path."""
    return step.holding(_archive(files))


def _archive(files: Files) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in files.items():
            folder, _, name = path.rpartition("/")
            hidden = f"{folder}/.wh.{name}" if folder else f".wh.{name}"
            entry = tarfile.TarInfo(path if content is not None else hidden)
            entry.size, entry.mode = len(content or b""), 0o755 if "/bin/" in path else 0o644
            entry.mtime = 1_700_000_000
            tar.addfile(entry, io.BytesIO(content or b""))
    return made.getvalue()


def _release(**fields: str) -> bytes:
    return "".join(f'{key}="{value}"\n' for key, value in fields.items()).encode()


def _dpkg(packages: Sequence[Deb]) -> bytes:
    """Write the status of dpkg."""
    stanzas = []
    for name, version, source, _ in packages:
        fields = {
            "Package": name,
            "Status": "install ok installed",
            "Installed-Size": str(number("size", name) % 4000),
            "Architecture": "amd64",
            "Source": source,
            "Version": version,
            "Description": f"{name} of the sample",
        }
        stanzas.append("".join(f"{key}: {value}\n" for key, value in fields.items() if value))
    return "\n".join(stanzas).encode()


def _apk(packages: Sequence[tuple[str, str, str]]) -> bytes:
    """Write the database of apk."""
    return "\n".join(
        f"P:{name}\nV:{version}\nA:x86_64\nI:{number('size', name) % 900_000}\nL:{licence}\n"
        f"o:{name}\n"
        for name, version, licence in packages
    ).encode()


def _rpm(packages: Sequence[Deb]) -> bytes:
    """Write a database of rpm's, in the form that is without an engine (NDB)."""
    slots, content = b"", b""
    for place, (name, version, release, licence) in enumerate(packages, 1):
        blob = _header(
            name=name, version=version, release=release, licence=licence, arch="x86_64",
            size=number("size", name) % 9_000_000, source=f"{name}-{version}-{release}.src.rpm",
        )  # fmt: skip
        framed = struct.pack("<4s3I", b"BlbS", place, zlib.adler32(blob), len(blob)) + blob
        framed += bytes(-len(framed) % 16)
        at = (4096 + len(content)) // 16
        slots += struct.pack("<4s3I", b"Slot", place, at, len(framed) // 16)
        content += framed
    free = struct.pack("<4s3I", b"Slot", 0, 0, 0)
    return (struct.pack("<4s3I16x", b"RpmP", 0, 1, 1) + slots + free * 256)[:4096] + content


def _header(**fields: str | int) -> bytes:
    entries, store = b"", b""
    for field, value in sorted(fields.items(), key=lambda item: _RPM_TAGS[item[0]]):
        is_text = isinstance(value, str)
        written = value.encode() + b"\0" if isinstance(value, str) else struct.pack(">I", value)
        store += b"" if is_text else bytes(-len(store) % 4)
        entries += struct.pack(">4I", _RPM_TAGS[field], 6 if is_text else 4, len(store), 1)
        store += written
    return struct.pack(">II", len(fields), len(store)) + entries + store


def _base(store: Store) -> Draft:
    repository = Draft(store, "shop/base", host=HOST)
    name = {
        "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)",
        "ID": "debian",
        "VERSION_ID": "12",
        "VERSION_CODENAME": "bookworm",
    }
    for version, day in (("12.4", "2024-02-06"), ("12.5", "2024-07-02")):
        debs = _DEBS if version == "12.4" else _upgraded(_DEBS)
        files = {
            "etc/os-release": _release(**name),
            "var/lib/dpkg/status": _dpkg(debs),
            "bin/bash": b"\x7fELF",
        }
        steps = [holding(add(f"rootfs-{version}.tar.xz /", 0.1), files), cmd("bash")]
        at = moment(day, repository.path)
        repository.release(
            [version, "12", "latest"], at, build_all({}, (AMD64,), steps, at, _ERA), _ERA
        )
    return repository


def _upgraded(packages: Sequence[Deb]) -> list[Deb]:
    return [
        (name, _UPGRADED.get(name, version), source, licence)
        for name, version, source, licence in packages
    ]


def _web(store: Store, base: Draft) -> Draft:
    repository = Draft(store, "shop/web", host=HOST)
    days = ("1.0.0", "2024-03-05"), ("1.1.0", "2024-05-14"), ("1.2.0", "2024-09-10")
    for version, day in days:
        at = moment(day, repository.path)
        below = base.at("latest", at)
        has_new = version == "1.2.0"
        debs = [*_DEBS, *_ADDED]
        debs = _upgraded(debs) if has_new else debs
        wheels = {
            f"usr/lib/python3/dist-packages/{name}-{number}.dist-info/METADATA": _wheel(
                name, number
            )
            for name, number in (
                ("requests", "2.31.0" if version == "1.0.0" else "2.32.3"),
                ("urllib3", "2.2.1"),
            )
        }
        steps = [
            holding(
                run("apt-get update && apt-get install -y curl", 0.1, content=version),
                {"var/lib/dpkg/status": _dpkg(debs), "usr/bin/curl": b"\x7fELF"},
            ),
            holding(run("pip install -r requirements.txt", 0.1, content=version), wheels),
            holding(
                copy("src /srv/shop", 0.1, version),
                {
                    "srv/shop/main.py": f"VERSION = {version!r}\n".encode(),
                    "srv/shop/package.json": b"{}",
                    "etc/shop.conf": f"version={version}\ncurrency=EUR\n".encode(),
                },
            ),
            label("org.opencontainers.image.version", version),
            env("SHOP_HOME", "/srv/shop"),
            user("shop"),
            entrypoint("python3", "/srv/shop/main.py"),
        ]
        (image,) = build_all(below, (AMD64,), steps, at, _ERA).values()
        _publish(repository, (version, at), image, base, debs)
    return repository


def _wheel(name: str, version: str) -> bytes:
    return (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: Apache-2.0\n".encode()
    )


def _publish(
    repository: Draft,
    released: tuple[str, datetime],
    image: Image,
    base: Draft,
    debs: Sequence[Deb],
) -> None:
    """Publish an image in an index, with what is attested of it; the newest is signed."""
    version, at = released
    store = repository.store
    below = base.tags["12.5" if version == "1.2.0" else "12.4"][0]
    annotations = {_BASE_NAME: f"{HOST}/shop/base:12", _BASE_DIGEST: below}
    manifest = store.manifest(image, oci=True, annotations=annotations)
    entry = {**manifest, "platform": AMD64.descriptor()}
    statements = [
        _statement(store, SPDX, manifest["digest"], _bill(version, debs, stamp(at, 0))),
        _statement(
            store, PROVENANCE_1, manifest["digest"], _provenance(version, below, stamp(at, 0))
        ),
    ]
    subject = {name: manifest[name] for name in ("mediaType", "digest", "size")}
    attested = store.artifact(statements, artifactType=ATTESTATION, subject=subject)
    reference = {
        "vnd.docker.reference.digest": manifest["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    unknown = {"architecture": "unknown", "os": "unknown"}
    attestation = {**store.descriptor(attested), "platform": unknown, "annotations": reference}
    published = store.index([entry, attestation])
    repository.push([version, version.rpartition(".")[0], "latest"], at, published, {AMD64: image})
    if version == "1.2.0":
        signature = _signature(store, manifest["digest"])
        repository.push([manifest["digest"].replace(":", "-") + ".sig"], at, signature)


def _statement(store: Store, predicate_type: str, digest: str, predicate: Any) -> dict[str, Any]:
    subject = [
        {"name": f"pkg:docker/{HOST}/shop/web", "digest": {"sha256": digest.partition(":")[2]}}
    ]
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return {
        **store.put(IN_TOTO, body),
        "annotations": {"in-toto.io/predicate-type": predicate_type},
    }


def _bill(version: str, debs: Sequence[Deb], created: str) -> dict[str, Any]:
    packages = []
    for name, written, _, licence in debs:
        url = f"pkg:deb/debian/{name}@{quote(written)}?arch=amd64&distro=debian-12"
        purl = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl"}
        package = {"SPDXID": f"SPDXRef-Package-{name}", "name": name, "versionInfo": written}
        package |= {"licenseDeclared": licence, "downloadLocation": "NOASSERTION"}
        packages.append({**package, "externalRefs": [{**purl, "referenceLocator": url}]})
    creators = ["Organization: the sample", "Tool: sample-scanner-1.0"]
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"shop/web:{version}", "documentNamespace": f"https://sample.invalid/spdx/{version}",
        "creationInfo": {"created": created, "creators": creators},
        "packages": packages,
    }  # fmt: skip


def _provenance(version: str, base: str, at: str) -> dict[str, Any]:
    source = f"https://sample.invalid/shop/web.git#refs/tags/v{version}"
    revision = digest_of("commit", "shop/web", version)[7:47]
    steps = ("apt-get update && apt-get install -y curl", "pip install -r requirements.txt")
    lines = [f"FROM {HOST}/shop/base:12", *(f"RUN {step}" for step in steps), "COPY src /srv/shop"]
    text = base64.b64encode("\n".join([*lines, ""]).encode()).decode()
    taken = f"pkg:docker/{HOST}/shop/base@12?platform=linux%2Famd64"
    git = "https://sample.invalid/shop/web.git"
    return {
        "buildDefinition": {
            "buildType": _BUILD_TYPE,
            "externalParameters": {
                "configSource": {"uri": source, "digest": {"sha1": revision}, "path": "Dockerfile"},
                "request": {
                    "frontend": "dockerfile.v0",
                    "args": {"target": "release", "build-arg:VERSION": version},
                },
            },
            "resolvedDependencies": [
                {"uri": taken, "digest": {"sha256": base.partition(":")[2]}},
                {"uri": source, "digest": {"sha1": revision}},
            ],
        },
        "runDetails": {
            "builder": {"id": "https://sample.invalid/builders/1"},
            "metadata": {
                "invocationId": digest_of("build", version)[7:31],
                "startedOn": at,
                "finishedOn": at,
                "buildkit_metadata": {
                    "vcs": {"source": git, "revision": revision},
                    "source": {"infos": [{"filename": "Dockerfile", "data": text}]},
                },
                "buildkit_completeness": {"request": True, "resolvedDependencies": True},
                "buildkit_reproducible": False,
            },
        },
    }  # fmt: skip


def _signature(store: Store, digest: str) -> Any:
    """Sign as cosign does, with a signature that is none: this is a sample."""
    payload = {
        "critical": {
            "identity": {"docker-reference": f"{HOST}/shop/web"},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    signed = base64.b64encode(b"no signature, this is a sample").decode()
    layer = {
        **store.put(_COSIGN, payload),
        "annotations": {"dev.cosignproject.cosign/signature": signed},
    }
    return store.artifact([layer])


def _cache(store: Store) -> Draft:
    repository = Draft(store, "shop/cache", host=HOST)
    name = {
        "NAME": "Alpine Linux",
        "ID": "alpine",
        "VERSION_ID": "3.20.1",
        "PRETTY_NAME": "Alpine Linux v3.20",
    }
    for version, day, added in (
        ("7.2", "2024-06-18", "7.2.5-r0"),
        ("7.4", "2024-10-22", "7.4.1-r0"),
    ):
        packages = [*_APKS, ("redis", added, "BSD-3-Clause")]
        steps = [
            holding(
                add("alpine.tar.gz /", 0.1),
                {
                    "etc/os-release": _release(**name),
                    "lib/apk/db/installed": _apk(_APKS),
                    "bin/busybox": b"\x7fELF",
                },
            ),
            holding(
                run("apk add --no-cache redis", 0.1, content=version),
                {"lib/apk/db/installed": _apk(packages), "usr/bin/redis-server": b"\x7fELF"},
            ),
            cmd("redis-server"),
        ]
        at = moment(day, repository.path)
        repository.release([version, "latest"], at, build_all({}, (AMD64,), steps, at, _ERA), _ERA)
    return repository


def _batch(store: Store) -> Draft:
    repository = Draft(store, "shop/batch", host=HOST)
    name = {
        "NAME": "Rocky Linux",
        "ID": "rocky",
        "ID_LIKE": "rhel centos fedora",
        "VERSION_ID": "9.3",
        "PRETTY_NAME": "Rocky Linux 9.3 (Blue Onyx)",
    }
    node = {
        f"opt/batch/node_modules/{package}/package.json": json.dumps(
            {"name": package, "version": written, "license": "MIT"}
        ).encode()
        for package, written in (("left-pad", "1.3.0"), ("lodash", "4.17.21"))
    }
    steps = [
        holding(
            add("rocky.tar.xz /", 0.1),
            {"etc/os-release": _release(**name), "var/lib/rpm/Packages.db": _rpm(_RPMS)},
        ),
        holding(run("npm ci", 0.1), node),
        holding(
            run("rm -r /opt/batch/node_modules/left-pad", 0.1),
            {"opt/batch/node_modules/left-pad": None},
        ),
        cmd("batch"),
    ]
    at = moment("2024-08-20", repository.path)
    repository.release(["2024.8", "latest"], at, build_all({}, (AMD64,), steps, at, _ERA), _ERA)
    return repository
