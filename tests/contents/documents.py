"""Documents that are attached to images, written by hand: statements, envelopes, certificates."""

import base64
import datetime as dt
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

IN_TOTO = "application/vnd.in-toto+json"
DSSE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
V1, V02 = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"
SPDX = "https://spdx.dev/Document"
# A build argument that no column, log or file may hold.
SECRET = "hunter2-ghp_0123456789"
GO = "sha256:" + "c5" * 32
FULCIO = "1.3.6.1.4.1.57264.1."
DOCKERFILE = "ARG TOKEN\nFROM golang:1.24\nRUN make\n"
_METADATA = "https://mobyproject.org/buildkit@v1#metadata"


def b64(value: bytes) -> str:
    """Write bytes as JSON can hold them."""
    return base64.b64encode(value).decode()


def hexadecimal(digest: str) -> str:
    """Leave out a digest's algorithm."""
    return digest.partition(":")[2]


def statement(predicate_type: str, predicate: Any, *subjects: str, version: str = "v1") -> Any:
    """State something of subjects."""
    return {
        "_type": f"https://in-toto.io/Statement/{version}",
        "predicateType": predicate_type,
        "subject": [{"name": "_", "digest": {"sha256": hexadecimal(one)}} for one in subjects],
        "predicate": predicate,
    }


def envelope(
    stated: Any, key: ec.EllipticCurvePrivateKey | None = None, kind: str = IN_TOTO
) -> Any:
    """Put a statement in an envelope, signed by a key."""
    payload = json.dumps(stated).encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    value = key.sign(signed, ec.ECDSA(SHA256())) if key else b"signature"
    signatures = [{"keyid": "", "sig": b64(value)}]
    return {"payload": b64(payload), "payloadType": kind, "signatures": signatures}


def bundle(stated: Any, **material: Any) -> Any:
    """Put a statement in a bundle."""
    return {
        "mediaType": BUNDLE,
        "verificationMaterial": material,
        "dsseEnvelope": envelope(stated),
    }


def simple_signing(digest: str, reference: str = "registry.example/app:1") -> bytes:
    """Write what cosign signs."""
    critical = {
        "identity": {"docker-reference": reference},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": critical, "optional": None}).encode()


def public(key: Any) -> str:
    """Write the public key."""
    written = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written.decode()


def key_id(key: Any) -> str:
    """Hash the public key."""
    kind = PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_key().public_bytes(Encoding.DER, kind)).hexdigest()


def certificate(
    key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
    fields: dict[int, bytes] | None = None,
) -> x509.Certificate:
    """Make a certificate as Fulcio does: names, and fields of its own."""
    begin = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(minutes=10))
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for number, value in (fields or {}).items():
        oid = x509.ObjectIdentifier(f"{FULCIO}{number}")
        made = made.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return made.sign(key, SHA256())


def trusted_root(key: ec.EllipticCurvePrivateKey, issuer: bytes) -> Any:
    """Write a root of Sigstore's: one issuer, and one key for all its logs."""
    since = {"validFor": {"start": "2024-01-01T00:00:00Z"}}
    kind = PublicFormat.SubjectPublicKeyInfo
    public_key = {
        "rawBytes": b64(key.public_key().public_bytes(Encoding.DER, kind)),
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        **since,
    }
    log = {
        "baseUrl": "https://log.example",
        "hashAlgorithm": "SHA2_256",
        "publicKey": public_key,
        "logId": {"keyId": b64(bytes.fromhex(key_id(key)))},
    }
    authority = {
        "subject": {"organization": "Example", "commonName": ""},
        "uri": "https://ca.example",
        "certChain": {"certificates": [{"rawBytes": b64(issuer)}]},
        **since,
    }
    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [log],
        "ctlogs": [log],
        "certificateAuthorities": [authority],
        "timestampAuthorities": [],
    }


def der(text: str) -> bytes:
    """Write UTF-8 text in DER."""
    body = text.encode()
    length = bytes([len(body)]) if len(body) < 128 else b"\x81" + bytes([len(body)])
    return b"\x0c" + length + body


def buildkit(version: str = V1) -> Any:
    """Write BuildKit's provenance, with the mode max."""
    infos = [{"filename": "Dockerfile", "data": b64(DOCKERFILE.encode())}]
    kit = {
        "vcs": {"source": "https://user:pass@git.example/app", "revision": "ab12"},
        "source": {"infos": infos},
    }
    source = {"uri": "https://git.example/app.git#main", "digest": {"sha1": "cd34"}}
    args = {"build-arg:TOKEN": SECRET, "label:a": "b", "target": "final"}
    materials = [
        {"uri": "pkg:docker/docker/dockerfile@1", "digest": {"sha256": "aa" * 32}},
        {
            "uri": f"pkg:docker/golang@1.24?digest={GO}&platform=linux%2Famd64",
            "digest": {"sha256": hexadecimal(GO)},
        },
        {"uri": "https://git.example/app.git#main", "digest": {"sha1": "cd34"}},
        {"uri": "https://files.example/a.tgz", "digest": {"sha256": "bb" * 32}},
        {"uri": "pkg:docker/ghcr.io/org/a%2Db@2", "digest": {}},
    ]
    started, finished = "2026-11-01T10:00:00.123456789Z", "2026-11-01T10:01:00Z"
    if version == V02:
        return {
            "builder": {"id": "https://ci.example/1"},
            "buildType": "https://mobyproject.org/buildkit@v1",
            "materials": materials,
            "invocation": {
                "configSource": {**source, "entryPoint": "Dockerfile"},
                "parameters": {"frontend": "dockerfile.v0", "args": args},
            },
            "buildConfig": {"llbDefinition": [{"id": "step0", "op": SECRET}]},
            "metadata": {
                "buildInvocationID": "run-1",
                "buildStartedOn": started,
                "buildFinishedOn": finished,
                "completeness": {"materials": True},
                "reproducible": False,
                "https://mobyproject.org/buildkit@v1#hermetic": True,
                _METADATA: kit,
            },
        }
    return {
        "buildDefinition": {
            "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
            "externalParameters": {
                "configSource": {**source, "path": "Dockerfile"},
                "request": {"frontend": "dockerfile.v0", "args": args},
            },
            "internalParameters": {"buildConfig": {"llbDefinition": [{"op": SECRET}]}},
            "resolvedDependencies": materials,
        },
        "runDetails": {
            "builder": {"id": "https://ci.example/1"},
            "metadata": {
                "invocationID": "run-1",
                "startedOn": started,
                "finishedOn": finished,
                "buildkit_metadata": kit,
                "buildkit_hermetic": True,
                "buildkit_reproducible": False,
                "buildkit_completeness": {"request": True, "resolvedDependencies": True},
            },
        },
    }


def spdx(name: str = "sbom", packages: int = 2) -> Any:
    """Write a bill of materials of so many packages, and of the image that they are in."""
    root = {"name": "app", "SPDXID": "SPDXRef-root", "primaryPackagePurpose": "CONTAINER"}
    found = [
        {
            "name": f"lib{number}",
            "SPDXID": f"SPDXRef-{number}",
            "versionInfo": f"1:{number}",
            "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "MIT",
            "externalRefs": [
                {
                    "referenceType": "purl",
                    "referenceLocator": f"pkg:deb/debian/lib{number}@1%3A{number}?arch=amd64",
                }
            ],
        }
        for number in range(packages)
    ]
    about = {"relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-root"}
    creators = ["Organization: Example", "Tool: syft-1.18.1", "Tool: buildkit-1"]
    return {
        "spdxVersion": "SPDX-2.3",
        "name": name,
        "creationInfo": {"created": "2026-11-01T10:00:00Z", "creators": creators},
        "packages": [root, *found],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", **about}],
    }


def spdx_of(root: str, *others: str, **of_root: str) -> bytes:
    """Write a bill of materials of a package, as it lies in an image: by the URLs of what it lists."""
    described: list[dict[str, Any]] = [
        {
            "SPDXID": f"SPDXRef-{place}",
            "name": url.partition("@")[0].rpartition("/")[2],
            "versionInfo": url.partition("@")[2].partition("?")[0],
            "licenseConcluded": "MIT",
            "downloadLocation": "NOASSERTION",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": url,
                }
            ],
        }
        for place, url in enumerate([root, *others])
    ]
    described[0].update(of_root)
    pairs = [
        ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-0"),
        *(("SPDXRef-0", "CONTAINS", one["SPDXID"]) for one in described[1:]),
    ]
    names = "spdxElementId", "relationshipType", "relatedSpdxElement"
    whole = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "documentNamespace": "https://documents.example/part",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "part",
        "creationInfo": {"created": "2026-11-01T10:00:00Z", "creators": ["Organization: Example"]},
        "packages": described,
        "relationships": [dict(zip(names, pair, strict=True)) for pair in pairs],
    }
    return json.dumps(whole).encode()


PURL = "pkg:deb/debian/curl@8-1?arch=amd64&upstream=curl-src"
LAYER, DIFF = "sha256:" + "a" * 64, "sha256:" + "b" * 64
SPDX_3 = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
        {"type": "CreationInfo", "specVersion": "3.0.1", "created": "2026-11-01T10:00:00Z"},
        {"type": "Tool", "name": "tool-1"},
        {"type": "SpdxDocument", "name": "doc", "rootElement": ["root"]},
        {"type": "software_Package", "spdxId": "root", "name": "app"},
        {
            "type": "software_Package",
            "spdxId": "a",
            "name": "curl",
            "software_packageVersion": "8-1",
            "software_packageUrl": PURL,
        },
    ],
}
_OF_TRIVY = {
    "LayerDigest": LAYER,
    "LayerDiffID": DIFF,
    "SrcName": "src",
    "SrcVersion": "8",
    "SrcRelease": "1",
    "SrcEpoch": "2",
    "FilePath": "var/lib/dpkg/status",
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {
        "timestamp": "2026-11-01T10:00:00Z",
        "component": {"name": "app"},
        "tools": {"components": [{"name": "trivy", "version": "0.59.1"}]},
    },
    "components": [
        {"type": "operating-system", "name": "debian", "version": "12"},
        {
            "type": "application",
            "name": "package-lock.json",
            "components": [
                {"type": "library", "name": "inner", "purl": "pkg:npm/%40a/inner@2"},
                {"type": "file", "name": "x"},
            ],
        },
        {
            "type": "library",
            "name": "curl",
            "version": "8-1",
            "purl": PURL,
            "licenses": [{"license": {"id": "MIT"}}, {"expression": "A OR B"}],
            "properties": [
                {"name": f"aquasecurity:trivy:{name}", "value": value}
                for name, value in _OF_TRIVY.items()
            ],
        },
        {"type": "library", "name": "bare"},
    ],
}
SYFT = {
    "artifacts": [
        {
            "name": "github.com/a/b/v2",
            "version": "v2.0.0",
            "purl": "pkg:golang/github.com/a/b@v2.0.0#v2",
            "locations": [{"path": "/app", "layerID": DIFF}],
            "licenses": [{"value": "x", "spdxExpression": "MIT"}],
        },
        {"name": "curl", "purl": PURL, "metadata": {"installedSize": 3}},
    ],
    "schema": {"version": "16.0.18"},
    "descriptor": {"name": "syft", "version": "1.18.1"},
    "source": {"name": "app"},
}
