"""Reports of scanners and advisories about ``registry.example/shop/web``, as its owner has them.

What is in them is made up: packages, layers and digests are those of the sample, vulnerabilities
are nobody's.
"""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hubframe
from hubframe.tables.schema import plain_records

WEB = "registry.example/shop/web"
_AT = "2024-10-01T08:00:00Z"
_SCANNER = {"name": "sample-scanner", "version": "1.0"}
_HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
_CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
_MEDIUM = "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:L"
_SCORES = {_CRITICAL: 9.8, _HIGH: 7.5, _MEDIUM: 5.0}
# Vulnerability, package, word, vector, fixed version, state as trivy says it, and title.
_FOUND = (
    ("99002", "curl", "HIGH", _HIGH, "7.88.1-10+deb12u7", "fixed", "a cookie stops the client"),
    ("99002", "libcurl4", "HIGH", _HIGH, "7.88.1-10+deb12u7", "fixed", "a cookie stops the client"),
    ("99001", "zlib1g", "CRITICAL", _CRITICAL, "", "will_not_fix", "a name overflows in minizip"),
    ("99004", "libc6", "LOW", "", "", "affected", "a locale is read twice"),
    ("99003", "requests", "MEDIUM", _MEDIUM, "2.32.4", "fixed", "a login goes to another host"),
)
# Package, ecosystem, events, alias and vector, or what else there is to say.
_ADVISORIES: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
    ("curl", "Debian:12", {"introduced": "0", "fixed": "7.88.1-10+deb12u7"}, "99002", _HIGH),
    ("zlib", "Debian:12", {"introduced": "0"}, "99001", _CRITICAL),
    ("requests", "PyPI", {"introduced": "0", "fixed": "2.32.4"}, "99003", _MEDIUM),
    ("glibc", "Debian:12", {"introduced": "2.36", "last_affected": "2.36-9+deb12u7"}, "99004", ""),
    ("urllib3", "PyPI", {"introduced": "0", "fixed": "2.2.2"}, "99005", _MEDIUM),
    ("libcrypto3", "Alpine:v3.20", {"introduced": "0", "fixed": "3.3.2-r0"}, "99006", _HIGH),
    (
        "openssl-libs",
        "Rocky Linux:9",
        {"introduced": "0", "fixed": "0:3.0.7-25.el9"},
        "99006",
        _HIGH,
    ),
    ("requests", "PyPI", {"introduced": "0"}, "99007", _CRITICAL),
    ("openssl", "Debian:12", {"introduced": "0", "fixed": "3.0.13-1~deb12u1"}, "99006", _HIGH),
)
_WITHDRAWN = "99007"


def files() -> dict[str, bytes]:
    """Return the files, by their path in the folder of the sample's files."""
    with hubframe.sample():
        layers = hubframe.layers_df(f"{WEB}:1.2.0", source="registry")
        packages = hubframe.packages_df(f"{WEB}:1.2.0", evidence="layers")
        config = hubframe.configs_df(f"{WEB}:1.2.0")["config_digest"].iloc[0]
        manifest = hubframe.raw_manifest(f"{WEB}@{layers['image_digest'].iloc[0]}")
    held = [(str(row.layer_digest), str(row.diff_id)) for row in layers.itertuples()]
    known = plain_records(packages)
    image = {
        "digest": str(layers["image_digest"].iloc[0]),
        "config": str(config),
        "manifest": base64.b64encode(manifest).decode(),
    }
    scans = {
        "trivy": _trivy(image, held, known),
        "grype": _grype(image, held, known),
        "syft": _syft(image, held, known),
        "openvex": _openvex(),
    }
    advisories = {
        f"SAMPLE-2024-{number}": _advisory(number, *one)
        for number, one in enumerate(_ADVISORIES, 1)
    }
    return {f"scans/{name}.json": _written(one) for name, one in scans.items()} | {
        f"advisories/{name}.json": _written(one) for name, one in advisories.items()
    }


def write(folder: Path) -> None:
    """Write the files."""
    for name, body in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)


def _written(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode() + b"\n"


def _package(known: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in known if one["name"] == name)


def _trivy(image: Any, held: list[tuple[str, str]], known: list[dict[str, Any]]) -> Any:
    def layer(package: dict[str, Any]) -> dict[str, str]:
        digest, diff_id = held[package["position"]]
        return {"Digest": digest, "DiffID": diff_id}

    def vulnerability(number: str, name: str, word: str, vector: str, *rest: str) -> Any:
        fixed, status, title = rest
        package = _package(known, name)
        is_system = package["type"] == "deb"
        return {
            "VulnerabilityID": f"CVE-2024-{number}",
            "PkgName": name,
            "PkgIdentifier": {"PURL": package["purl"]},
            "InstalledVersion": package["version"],
            **({"FixedVersion": fixed} if fixed else {}),
            **({} if is_system else {"PkgPath": package["path"]}),
            "Status": status,
            "Layer": layer(package),
            "SeveritySource": "debian" if is_system else "ghsa",
            "DataSource": {"ID": "debian" if is_system else "ghsa"},
            "Title": f"{package['source_name'] if is_system else name}: {title}",
            "Severity": word,
            **(
                {"CVSS": {"nvd": {"V3Vector": vector, "V3Score": _SCORES[vector]}}}
                if vector
                else {}
            ),
            "PublishedDate": f"2024-0{int(number[-1]) + 3}-10T12:00:00Z",
        }

    def package(one: dict[str, Any]) -> Any:
        version, _, release = one["version"].partition("-")
        epoch, colon, upstream = version.rpartition(":")
        is_system = one["type"] == "deb"
        return {
            "Name": one["name"],
            "Identifier": {"PURL": one["purl"]},
            "Version": upstream,
            **({"Release": release} if release else {}),
            **({"Epoch": int(epoch)} if colon else {}),
            **({"Arch": one["architecture"], "SrcName": one["source_name"]} if is_system else {}),
            **({} if is_system else {"FilePath": one["path"]}),
            "Layer": layer(one),
        }

    def result(target: str, kind: str, type_: str) -> Any:
        own = [one for one in known if (one["type"] == "deb") == (type_ == "debian")]
        names = {one["name"] for one in own}
        return {
            "Target": target,
            "Class": kind,
            "Type": type_,
            "Packages": list(map(package, own)),
            "Vulnerabilities": [vulnerability(*one) for one in _FOUND if one[1] in names],
        }

    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": "0.59.1"},
        "CreatedAt": _AT,
        "ArtifactName": f"{WEB}:1.2.0",
        "ArtifactType": "container_image",
        "Metadata": {
            "OS": {"Family": "debian", "Name": "12"},
            "ImageID": image["config"],
            "DiffIDs": [diff_id for _, diff_id in held],
            "RepoTags": [f"{WEB}:1.2.0"],
            "RepoDigests": [f"{WEB}@{image['digest']}"],
            "ImageConfig": {"architecture": "amd64", "os": "linux"},
        },
        "Results": [
            result(f"{WEB}:1.2.0 (debian 12)", "os-pkgs", "debian"),
            result("Python", "lang-pkgs", "python-pkg"),
        ],
    }


def _source(image: Any, held: list[tuple[str, str]]) -> Any:
    return {
        "userInput": f"{WEB}:1.2.0",
        "imageID": image["config"],
        "manifestDigest": image["digest"],
        "tags": [f"{WEB}:1.2.0"],
        "layers": [{"digest": diff_id} for _, diff_id in held],
        "manifest": image["manifest"],
        "repoDigests": [f"{WEB}@{image['digest']}"],
        "architecture": "amd64",
        "os": "linux",
    }


def _artifact(one: dict[str, Any], held: list[tuple[str, str]]) -> Any:
    place = {"path": f"/{one['path']}", "layerID": held[one["position"]][1]}
    kind = {"pypi": "python"}.get(one["type"], one["type"])
    return {
        "id": f"{one['type']}-{one['name']}",
        "name": one["name"],
        "version": one["version"],
        "type": kind,
        "locations": [place],
        "purl": one["purl"],
    }


def _grype(image: Any, held: list[tuple[str, str]], known: list[dict[str, Any]]) -> Any:
    def match(number: str, name: str, word: str, vector: str, fixed: str, *_: str) -> Any:
        is_github = name == "requests"
        cve = f"CVE-2024-{number}"
        return {
            "vulnerability": {
                "id": "GHSA-sample-1" if is_github else cve,
                "dataSource": f"https://advisories.invalid/{cve}",
                "namespace": "github:language:python" if is_github else "debian:distro:debian:12",
                "severity": word.capitalize(),
                "cvss": [
                    {"version": "3.1", "vector": vector, "metrics": {"baseScore": _SCORES[vector]}}
                ]
                if vector
                else [],
                "epss": [{"cve": cve, "epss": 0.12, "percentile": 0.93, "date": "2024-10-01"}],
                **({"knownExploited": [{"cve": cve}]} if number == "99002" else {}),
                "fix": {
                    "versions": [fixed] if fixed else [],
                    "state": "fixed" if fixed else "not-fixed",
                },
                "risk": 1.0,
            },
            "relatedVulnerabilities": [{"id": cve}] if is_github else [],
            "artifact": _artifact(_package(known, name), held),
        }

    return {
        "matches": [match(*one) for one in _FOUND],
        "source": {"type": "image", "target": _source(image, held)},
        "distro": {"name": "debian", "version": "12", "idLike": []},
        "descriptor": {
            "name": "grype",
            "version": "0.90.0",
            "timestamp": _AT,
            "db": {"status": {"schemaVersion": "v6.0.2", "built": "2024-09-30T01:30:00Z"}},
        },
    }


def _syft(image: Any, held: list[tuple[str, str]], known: list[dict[str, Any]]) -> Any:
    return {
        "artifacts": [_artifact(one, held) for one in sorted(known, key=_by_layer)],
        "source": {"type": "image", "name": WEB, "metadata": _source(image, held)},
        "distro": {"id": "debian", "versionID": "12"},
        "descriptor": _SCANNER,
        "schema": {"version": "16.0.24"},
    }


def _by_layer(one: dict[str, Any]) -> Any:
    return one["type"], -one["position"], one["name"]


def _openvex() -> Any:
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.invalid/shop/1",
        "author": "The shop",
        "timestamp": _AT,
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "CVE-2024-99003"},
                "products": [
                    {
                        "@id": f"pkg:oci/web?repository_url={WEB}",
                        "subcomponents": [{"@id": "pkg:pypi/requests"}],
                    }
                ],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
                "impact_statement": "The shop logs in nowhere.",
            }
        ],
    }


def _advisory(  # noqa: PLR0913, PLR0917
    number: int, name: str, ecosystem: str, events: dict[str, str], alias: str, vector: str
) -> Any:
    package = {"ecosystem": ecosystem, "name": name}
    ranges = [{"type": "ECOSYSTEM", "events": [{key: at} for key, at in events.items()]}]
    return {
        "schema_version": "1.6.0",
        "id": f"SAMPLE-2024-{number}",
        "aliases": [f"CVE-2024-{alias}"],
        "published": f"2024-0{number}-10T12:00:00Z",
        "modified": "2024-09-20T12:00:00Z",
        **({"withdrawn": "2024-09-15T12:00:00Z"} if alias == _WITHDRAWN else {}),
        "summary": f"Something is wrong in {name}",
        **({"severity": [{"type": "CVSS_V3", "score": vector}]} if vector else {}),
        "affected": [{"package": package, "ranges": ranges}],
        "references": [{"type": "ADVISORY", "url": f"https://advisories.invalid/{number}"}],
    }
