"""What the fuzzer starts from: real forms of everything, taken from the bundled sample."""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any
from zipfile import ZIP_STORED

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import UniformResourceIdentifier

from hubframe.testing import World, sample_files
from tests import documents_of_eol
from tests.contents import documents, programs, rpms

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
    "docker-daemon:ghcr.io/org/app:1.4",
    "podman:sha256:" + 64 * "a",
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
GEM = b"""\
# stub: nokogiri 1.16.0 java lib
Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.16.0"
  s.licenses = ["MIT".freeze, %q<BSD>]
end
"""
COMPOSER = b'[{"name": "a/b", "version": "1", "license": ["MIT", "GPL-2.0-only"]}]'
DOTNET = (
    b'{"runtimeTarget": {"name": "x"}, "targets": {"x": {"A/1": {"runtime": {"A.dll": {}}}}},'
    b'"libraries": {"A/1": {"type": "package"}, "runtimepack.B/2": {"type": "runtimepack"}}}'
)
NAMING = {
    "dockerfile": (
        (
            b"# syntax=docker/dockerfile:1\n# escape=`\nARG V=3.12 B\nFROM --platform=$P a/b:${V:-1}-x AS "
            b"c `\n# no\n\nRUN --mount=type=bind,from=d:1 <<E\nFROM no\nE\nCOPY --from=c / /\nFROM C\n"
        ),
        (
            b"FROM {{ .Base }}:'1'\nCOPY --from=e@sha256:" + b"0" * 64 + b" a b\nFROM scratch\n"
            b"ONBUILD COPY --from=f / /\n"
        ),
    ),
    "compose": (
        (
            b"x-a: &a\n  image: a:${V:-1${W+2}}\nservices:\n  b: {<<: *a, platform: linux/arm64}\n"
            b"  c:\n    build:\n      dockerfile_inline: |\n        FROM d:$$V\n      "
            b"additional_contexts: {e: 'docker-image://f:1'}\n  d: {<<: [*a], volumes: [{type: image, "
            b"source: g}], extends: {file: h.yml}}\ninclude: [{path: i.yml}]\n"
        ),
    ),
    "kubernetes": (
        (
            b"apiVersion: v1\nkind: Pod\nspec:\n  initContainers: [{image: a}]\n  containers:\n"
            b"  - image: '{{ .Values.b }}:1'\n  volumes:\n  - image: {reference: c@d}\n---\n"
            b"apiVersion: v1\nkind: X\nspec: {image: {repository: e, tag: !t 1}}\n  bad: : :\nimage: f\n"
        ),
        (
            b"apiVersion: v1\nkind: X\nspec:\n  params: [{name: a, default: 'b:1'}]\n  x: {image: "
            b"$(params.a)}\n  values: {global: {imageRegistry: c.d}, image: {registry: e, name: f, tag: 1}}"
            b"\n  kustomize: {images: [g=h:1, {name: i, newName: j}]}\n  imageName: k:1\n"
        ),
    ),
    "helm values": (
        b"image: {registry: a.b, repository: c, tag: ~}\nxImage: d:1\ne: {image: f, tag: 2}\n",
        b"global: {imageRegistry: a.b}\ng: {imageName: h, imageTag: 1}\nimages: {i: 'j:1'}\n",
    ),
    "kustomize": (
        b"images:\n- {name: a, newTag: '1'}\n- {name: b, newName: c, digest: 'sha256:d'}\n",
    ),
    "github actions": (
        (
            b"jobs:\n  a:\n    container: {image: 'b:${{ matrix.v }}'}\n    services: {c: {image: d}}\n"
            b"    steps: [{uses: 'docker://e:1'}]\nruns: {image: 'docker://f'}\n"
        ),
    ),
    "gitlab": (
        (
            b"variables: {V: '1', W: {value: $V}}\nimage: {name: a:$W}\nb:\n  image: $[[ inputs.c ]]\n"
            b"  services: [d, {name: '${CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX}/e'}]\ninclude: /f.yml\n"
        ),
    ),
    "circleci": (
        (
            b"executors: {a: {docker: [{image: 'b:<< parameters.c >>'}], machine: {image: d}, parameters: "
            b"{c: {default: '1'}}}}\n"
        ),
    ),
    "devcontainer": (
        b'{ // a\n"image": "b\\ud83d\\ude00", /* c */ "features": {"d/e:1": {},},\n}',
        b'{"image": "a:${localEnv:B:c}-${localEnv:D}"}',
    ),
    "bake": (
        (
            b'{"target":{"a":{"contexts":{"b":"docker-image://c:${V}"},"dockerfile-inline":"FROM d"}},'
            b'"variable":{"V":{"default":"1"}}}'
        ),
    ),
    "buildpacks": (
        b'[io.buildpacks]\nbuilder = "a:1"\n[[io.buildpacks.group]]\nuri = "docker://b"\n',
    ),
    "quadlet": (b"[Container]\nImage=docker://a:%i\n[Volume]\nImage=b.image\n",),
    "text": (b"a:1 # b\n\nc@sha256:d\nno image\n",),
}
_AT = {"start_ts": 1_790_000_000, "last_modified": "Thu, 02 Jan 2025 03:04:05 -0000"}
_PLATFORM = {"os": "linux", "architecture": "amd64"}
BESIDE = (
    {
        "tags": [
            {"name": "1.0", "reversion": False, "manifest_digest": "sha256:" + "a" * 64, **_AT},
            {"name": "1.0", "end_ts": 1_790_000_000, "is_manifest_list": True, "size": 7},
            {
                "name": "a",
                **_AT,
                "expiration": "Thu, 02 Jan 2099 03:04:05 -0000",
                "immutable": True,
            },
        ],
        "page": 1,
        "has_additional": True,
    },
    {
        "repositories": [
            {"namespace": "org", "name": "app", "is_public": True, "kind": "image", **_AT},
            {"namespace": "org", "name": "b", "description": "text", "last_modified": 1},
        ],
        "next_page": "gAAA+/=",
    },
    [
        {
            "digest": "sha256:" + "a" * 64,
            "type": "CHART",
            "manifest_media_type": "application/vnd.oci.image.index.v1+json",
            "size": 7,
            "references": [{"platform": _PLATFORM}],
            "extra_attrs": _PLATFORM,
            "tags": [{"name": "1.0", "push_time": "2026-01-02T03:04:05.678Z", "pull_time": ""}],
        }
    ],
    [{"name": "org/app", "pull_count": 3, "creation_time": "2026-01-02T03:04:05.678Z"}],
    {
        "tag_name": "1.0",
        "tag_pull_count": 3,
        "last_tag_pull_date": "Thu, 02 Jan 2025 03:04:05 -0000",
        "current_manifest_digest": "sha256:" + "a" * 64,
        "manifest_pull_count": 4,
        "last_manifest_pull_date": None,
    },
    {
        "status": "scanned",
        "data": {
            "Layer": {
                "Features": [
                    {
                        "Name": "a",
                        "Version": "1",
                        "AddedBy": "sha256:" + "a" * 64,
                        "Vulnerabilities": [
                            {
                                "Name": "RHSA-2026:1: a (Low)",
                                "Severity": "Low",
                                "Link": "https://x.example/CVE-2026-0001",
                                "FixedBy": "fixed=2&introduced=1",
                                "Metadata": {
                                    "UpdatedBy": "osv/pypi",
                                    "NVD": {"CVSSv3": {"Vectors": "", "Score": 7.5}},
                                },
                            }
                        ],
                    }
                ]
            }
        },
    },
    {
        "application/vnd.security.vulnerability.report; version=1.1": {
            "generated_at": "2026-01-02T03:04:05.678Z",
            "scanner": {"name": "Trivy", "version": "v0.59.1"},
            "vulnerabilities": [
                {
                    "id": "CVE-2026-0001",
                    "package": "a",
                    "version": "1",
                    "fix_version": "2, 3",
                    "severity": "Low",
                    "status": "will_not_fix",
                    "links": ["https://x.example"],
                    "preferred_cvss": {"score_v3": 7.5, "vector_v3": "CVSS:3.1/AV:N"},
                }
            ],
        }
    },
)
DOWNLOADS = {
    "package_type": "container",
    "owner": "Acme",
    "package": "web%2Fapp",
    "date": "2026-11-20",
    "raw_downloads": 1000,
}
PACKAGE_URLS = (
    b"pkg:deb/debian/a@1:2%2B3?arch=amd64&distro=debian-12&upstream=aa%402",
    b"pkg:rpm/rhel/bash@5-1?epoch=2&upstream=bash-5-1.src.rpm",
    b"pkg:npm/%40babel/core@7.1#sub/path",
)
ENGINE_LIST = [
    {
        "Id": f"sha256:{64 * letter}",
        "RepoTags": names,
        "RepoDigests": [f"acme/app@sha256:{64 * '9'}"],
        "Created": 1_700_000_000,
    }
    for letter, names in (
        ("a", ["acme/app:1.0", "localhost:5000/app:latest", "2048/app:1"]),
        ("b", ["<none>:<none>"]),
    )
]
_BUILT = {"manifests": [{"digest": "sha256:" + "1" * 64, "platform": {"os": "linux"}}]}
BUILDS = json.dumps(
    {
        "1": {
            "build": {"arch": "amd64", "resolved": _BUILT, "resolvedParents": {"a:1": _BUILT}},
            "source": {"arches": {"amd64": {"lastStageFrom": "a:1"}}},
        }
    }
).encode()
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
        *("oci:", "dir:", "oci-archive:", "docker-archive:", "docker-daemon:", "podman:"),
    ),
    "challenge": (
        *("Bearer ", "Basic ", "Negotiate ", "realm=", "service=", "scope=", ", ", '="', '\\"'),
        *("/v2/", "/manifests/", "/blobs/", "/tags/list", "_catalog"),
    ),
    **dict.fromkeys(
        ("dpkg", "apk", "python"),
        ("Package: ", "Version: ", "Status: ", "Source: ", "License: ", "Name: ", "P:", "V:", "I:"),
    ),
    "gem": (".name = ", ".version = ", "# stub: ", "%q<", ".freeze", "\\u00E9", "#{"),
    "go-modules": ("mod\t", "dep\t", "=>\t", "path\t", "(devel)", "\n"),
    "go-program": ("\xff Go buildinf:", "\x08\x02"),
    "java-archive": (
        "PK\x05\x06",
        "PK\x01\x02",
        "PK\x03\x04",
        "PK\x06\x06",
        ".jar",
        "pom.properties",
    ),
    "os-release": ("ID=", "VERSION_ID=", "PRETTY_NAME="),
    "eol": ("result", "releases", "name", "codename", "isEol", "eolFrom", "isEoes", "latest"),
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
        "engine-list": [json.dumps(ENGINE_LIST).encode()],
        "documents": payloads,
        "shape": payloads,
        "dpkg": [DPKG],
        "apk": [APK],
        "rpm-list": [b"a\t1-2\t1\t1\tX\t(none)\t9\tnoarch\t0\ta-1-2.src.rpm\n"],
        "python": [b"Name: a\nVersion: 1\nLicense: MIT\n\ntext\n"],
        "npm": [b'{"name": "@a/b", "version": "1", "license": {"type": "MIT"}}'],
        "gem": [GEM],
        "composer": [COMPOSER, b'{"packages": %s}' % COMPOSER],
        "dotnet": [DOTNET],
        "go-modules": [programs.MODULES.encode()],
        "go-program": [programs.FORMS[form] for form in sorted(programs.FORMS)],
        "java-archive": [
            programs.jar(a="1"),
            programs.jar(("b-2.jar", programs.jar(b="2")), manifest="Bundle-Version: 3\n"),
            programs.jar(("b-2.war", programs.jar(b="2")), packing=ZIP_STORED),
        ],
        "rpm-header": [rpms.BASH, rpms.SHADOW, rpms.KEY],
        **{
            f"rpm-{form}": [make(), make(rpms.BASH), make(rpms.BASH, rpms.SHADOW, rpms.KEY)]
            for form, make in (
                ("sqlite", rpms.in_sqlite),
                ("ndb", rpms.in_ndb),
                ("berkeley", rpms.in_berkeley),
            )
        },
        **{f"references-{kind}": list(texts) for kind, texts in NAMING.items()},
        "os-release": [RELEASE],
        "package-url": list(PACKAGE_URLS),
        "builds": [BUILDS],
        "eol": [
            documents_of_eol.full(
                documents_of_eol.product(
                    "python",
                    [documents_of_eol.release("3.8", codename="Buster", eolFrom="2024-10-07")],
                    "pkg:docker/library/python",
                    "pkg:oci/b?repository_url=a",
                )
            )
        ],
        "beside": [json.dumps(one).encode() for one in BESIDE],
        "downloads": [json.dumps(one).encode() for one in (DOWNLOADS, [DOWNLOADS, {}])],
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
    report = json.loads(scans["trivy"])
    resource = {"Kind": "Pod", "Name": "a", "Metadata": [report["Metadata"]] * 2, "Error": "none"}
    cluster = {"ClusterName": "a", "Resources": [resource | {"Results": report["Results"]}]}
    record = {"scanner": {"version": "1", "result": report}, "metadata": {}}
    others = cluster, report["Results"], documents.statement("a", record, "sha256:" + "1" * 64)
    found = {
        "id": "CVE-1",
        "ratings": [
            {"severity": "low", "method": "CVSSv31", "score": 1, "source": {"name": "nvd"}}
        ],
        "affects": [{"ref": "a"}, {"ref": "urn:cdx:a/1#pkg:npm/a@1"}],
        "recommendation": "Upgrade a to version 2",
        "analysis": {"state": "resolved"},
    }
    of_cyclonedx = documents.CYCLONEDX | {"vulnerabilities": [found]}
    bills = documents.spdx(), of_cyclonedx, documents.SYFT, documents.SPDX_3
    return {
        "trivy": [scans["trivy"], *(json.dumps(one).encode() for one in others)],
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
        "sbom": [
            *(json.dumps(one).encode() for one in (*boms, documents.envelope(boms[0]))),
            documents.spdx_of("pkg:bitnami/a@1", "pkg:npm/%40a/b@2"),
        ],
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
