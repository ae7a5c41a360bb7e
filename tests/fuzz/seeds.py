"""What the fuzzer starts from: real forms of everything, taken from the bundled sample."""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import UniformResourceIdentifier

from hubframe.testing import World, sample_files
from tests.contents import documents, rpms

REFERENCES = (
    "nginx",
    "nginx:1.25",
    "ansible/ansible@sha256:" + "0" * 64,
    "localhost:5000/a/b-c__d.e:v1",
    "[::1]:5000/app",
    "foo.io/bar",
    "docker.io/foo.io/bar",
    "index.docker.io/library/nginx:latest",
    "ghcr.io/org/app:1.2@sha512:" + "f" * 128,
    "registry.example/a@multihash+base58:" + "A" * 32,
    "https://ghcr.io/org/app",
    "UPPER/case",
    "0123456789abcdef" * 4,
    "a" * 260,
    "localhost:99999/a",
    "a..b/c",
    "a/b:",
    "a@",
    "oci:./build/app:1.4",
    "docker-archive:app.tar:docker.io/acme/app:1",
    "oci-archive:/a/b.tar@0",
    "dir:~/app@sha256:" + "0" * 64,
)
CHALLENGES = (
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a/b:pull"',
    "Basic realm=registry",
    'Basic realm="a \\"quoted\\" name", charset="UTF-8"',
    'Negotiate, Bearer realm="https://a.example/t"',
    'Negotiate YII=, Basic realm="x"',
    'Digest realm="Basic", nonce="x", Bearer realm = "y" , service = z',
    'bearer realm="https://a.example/t?x=1&y=2",error="invalid_token"',
    'Bearer realm="unclosed',
    "Bearer",
)
DPKG = b"""\
Package: passwd
Status: install ok installed
Installed-Size: 2952
Source: shadow (1:4.13+dfsg1-1)
Version: 1:4.13+dfsg1-1+b1
Description: change passwords
 more

Package: gone
Status: deinstall ok config-files
Version: 1
"""
APK = b"P:musl\nV:1.2.5-r0\nA:x86_64\nI:622592\nL:MIT\no:musl\nF:lib\nR:a\n\nP:b\nV:1\n"
RELEASE = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME=\'Debian \\"12\\"\'\n'
PACKAGE_URLS = (
    b"pkg:deb/debian/a@1:2%2B3?arch=amd64&distro=debian-12&upstream=aa%402",
    b"pkg:rpm/rhel/bash@5-1?epoch=2&upstream=bash-5-1.src.rpm",
    b"pkg:npm/%40babel/core@7.1#sub/path",
)
VERSIONS = (
    "1:2.0~rc1-1\n2.0-1+b1",
    "1.2.3_git20240101-r0\n1.2.3~0af-r1",
    "1.0^git1-1.el9\n1.0-2",
    "v1.0.0-rc.1+x\n1.0.0",
    "1!2.0.post1.dev3\n2.0a1",
)
VECTORS = (
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
    "CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
    "(AV:L/AC:H/Au:N/C:C/I:C/A:C)",
)
# Parts that chance would take long to spell.
WORDS = {
    "reference": (
        *("docker.io/", "index.docker.io/", "localhost", "library/", "https://", "[::1]", ":443"),
        *("@sha256:", "@sha512:", "0" * 64, "__", "..", "%00"),
        *("oci:", "dir:", "oci-archive:", "docker-archive:"),
    ),
    "challenge": (
        *("Bearer ", "Basic ", "Negotiate ", "realm=", "service=", "scope=", ", ", '="', '\\"'),
        *("/v2/", "/manifests/", "/blobs/", "/tags/list", "_catalog"),
    ),
    **dict.fromkeys(
        ("dpkg", "apk", "python"),
        ("Package: ", "Version: ", "Status: ", "Source: ", "License: ", "Name: ", "P:", "V:", "I:"),
    ),
    "os-release": ("ID=", "VERSION_ID=", "PRETTY_NAME="),
    "version": ("~", "^", "_git", "_alpha", "-r", ":", ".post", ".dev", "rc", "+"),
    "cvss": ("CVSS:3.1/", "/S:C", "/PR:N", "Au:N"),
    "osv-yaml": ("&a ", "*a", "affected:", "- ", "!!"),
    "package-url": ("pkg:rpm/", "pkg:npm/%40", "upstream=", "epoch=", "%2F", "%40"),
}


@cache
def seeds() -> dict[str, list[bytes]]:
    """Return the seeds of each target."""
    payloads = [json.dumps(case).encode() for case in sample_cases()]
    return {
        "reference": [text.encode() for text in REFERENCES],
        "challenge": [text.encode() for text in CHALLENGES],
        "documents": payloads,
        "shape": payloads,
        "dpkg": [DPKG],
        "apk": [APK],
        "python": [b"Name: a\nVersion: 1\nLicense: MIT\n\ntext\n"],
        "npm": [b'{"name": "@a/b", "version": "1", "license": {"type": "MIT"}}'],
        "rpm-header": [rpms.BASH, rpms.SHADOW, rpms.KEY],
        **{
            f"rpm-{form}": [make(), make(rpms.BASH), make(rpms.BASH, rpms.SHADOW, rpms.KEY)]
            for form, make in (
                ("sqlite", rpms.in_sqlite),
                ("ndb", rpms.in_ndb),
                ("berkeley", rpms.in_berkeley),
            )
        },
        "os-release": [RELEASE],
        "package-url": list(PACKAGE_URLS),
        **attached(),
        **in_files(),
    }


def in_files() -> dict[str, list[bytes]]:
    """Return reports of scanners, advisories and what else people have in files."""
    scans = {
        name: (sample_files() / "scans" / f"{name}.json").read_bytes()
        for name in ("trivy", "grype", "syft", "openvex")
    }
    advisories = [path.read_bytes() for path in sorted((sample_files() / "advisories").iterdir())]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for number, body in enumerate(advisories[:2]):
            out.writestr(f"{number}.json", body)
    bills = documents.spdx(), documents.CYCLONEDX, documents.SYFT, documents.SPDX_3
    return {
        "trivy": [scans["trivy"]],
        "grype": [scans["grype"]],
        "bill-in-file": [scans["syft"], *(json.dumps(one).encode() for one in bills)],
        "osv": advisories,
        "osv-yaml": advisories[:1],
        "osv-zip": [archive.getvalue()],
        "openvex": [scans["openvex"]],
        "version": [pair.encode() for pair in VERSIONS],
        "cvss": [vector.encode() for vector in VECTORS],
    }


def attached() -> dict[str, list[bytes]]:
    """Return documents that are attached to images."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    names = [UniformResourceIdentifier("https://ci.example/workflow")]
    certificate = documents.certificate(key, names, {8: documents.der("https://token.example")})
    der = certificate.public_bytes(Encoding.DER)
    image = "sha256:" + "1" * 64
    built = [
        documents.statement(kind, documents.buildkit(kind), image)
        for kind in (documents.V1, documents.V02)
    ]
    boms = [documents.spdx(), documents.CYCLONEDX, documents.SYFT, documents.SPDX_3]
    material = {"certificate": {"rawBytes": documents.b64(der)}, "tlogEntries": [{"logIndex": "1"}]}
    signed = [documents.bundle(built[0], **material), documents.envelope(built[0])]
    return {
        "provenance": [json.dumps(one).encode() for one in (*built, *signed)],
        "sbom": [json.dumps(one).encode() for one in (*boms, documents.envelope(boms[0]))],
        "signature": [
            *(json.dumps(one).encode() for one in signed),
            documents.simple_signing(image),
        ],
        "certificate": [der],
    }


@cache
def sample_cases() -> list[dict[str, Any]]:
    """Return the sample's payloads, each of another form, under how they are to be read."""
    forms: dict[str, dict[str, Any]] = {}
    for case in _sample_cases():
        forms.setdefault(repr(form(case)), case)
    return list(forms.values())


def _sample_cases() -> Iterator[dict[str, Any]]:
    world = World.bundled()
    for repository in world.repositories.values():
        if repository.payload:
            yield {"repo": repository.payload}
        for tag in repository.tags.values():
            if tag.payload:
                yield {"tag": tag.payload}
                yield from ({"image": image} for image in tag.payload.get("images") or ())
    for document in world.documents.values():
        if not document.is_manifest:
            continue
        manifest = document.parsed()
        named = (manifest.get("config") or {}).get("digest")
        blob = world.documents.get(named)
        config = blob.parsed() if blob and blob.body[:1] == b"{" else {}
        yield {"manifest": manifest, "config": config, "sent_as": document.media_type}
        yield {"descriptor": (manifest.get("layers") or [{}])[0], "manifest": manifest}


def form(value: Any) -> Any:
    """Return a payload's form: its keys and types, without what they hold."""
    if isinstance(value, dict):
        return sorted((key, form(held)) for key, held in value.items())
    if isinstance(value, list):
        return sorted({repr(form(held)) for held in value})
    return type(value).__name__
