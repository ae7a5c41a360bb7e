"""Packages of many images matched with advisories, and scanners' reports read beside pandas; in seconds.

The packages are of five kinds; half of the advisories are about names that no package has. Reports are files in the
system's cache, and pandas makes a column of all that is in them, of no type. All find what was put there, or there are
no times. The best of three of each, in turns; what is matched for the first time is so once. The few reports are read so
often in a row that it takes as long as the many.
"""

import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import hubframe
from benchmarks.results import verdict
from hubframe.tables import PACKAGES

_ADVISORIES = "read_osv, an archive"
_MATCHED, _AGAIN = "vulnerabilities_df", "vulnerabilities_df, again"
_REPORTS, _PLAIN = "read_trivy", "json and pandas.json_normalize"
_MOST_SECONDS, _MOST_GROWTH = 5.0, 11.0
_VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
_SENTENCE = "A crafted input makes the parser read beyond the end of its buffer, which tells what was there. "
# Versions of each package, so far from each other; and layers of an image.
_VERSIONS, _APART, _LAYERS = 5, 10, 8


class _Kind(NamedTuple):
    """A kind of package: its type, its distribution, how OSV names that, and how versions look."""

    type: str
    namespace: str | None
    distro: str | None
    ecosystem: str
    version: str

    def url(self, name: str, version: str) -> str:
        """Write a package's URL."""
        start = "/".join(filter(None, (f"pkg:{self.type}", self.namespace, name)))
        return f"{start}@{version}{f'?distro={self.distro}' if self.distro else ''}"


_KINDS = (
    _Kind("deb", "debian", "debian-12", "Debian:12", "1:2.{}-3+deb12u1"),
    _Kind("apk", "alpine", "alpine-3.20.1", "Alpine:v3.20", "2.{}.0-r1"),
    _Kind("rpm", "rocky", "rocky-9.4", "Rocky Linux:9", "0:2.{}-7.el9_4"),
    _Kind("pypi", None, None, "PyPI", "2.{}.0"),
    _Kind("npm", None, None, "npm", "2.{}.0"),
)


@dataclass(frozen=True)
class Scale:
    """How many distinct packages, images and advisories there are, how many rows reports have, and how often."""

    packages: int = 10_000
    images: int = 1_000
    in_image: int = 100
    advisories: int = 50_000
    rows: tuple[int, int] = (100_000, 1_000_000)
    in_report: int = 200
    repeats: int = 3


FULL, QUICK = Scale(), Scale(100, 4, 50, 200, (40, 400), 20, 1)


def rows(scale: Scale = FULL) -> list[dict[str, Any]]:
    """Match, and read.

    Returns
    -------
    list of dict
        A row for each ``side``: of how many ``images``, ``distinct_packages`` and ``advisories``, the ``rows`` that
        came of them, and ``seconds``.
    """
    with tempfile.TemporaryDirectory() as folder:
        return [*_matched(Path(folder), scale), *_read(Path(folder), scale)]


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge the time of matching, and how that of reading grows."""
    table = list(found)
    matched = next(row for row in table if row["side"] == _MATCHED)
    few, many = (row for row in table if row["side"] == _REPORTS)
    growth = many["seconds"] / few["seconds"]
    most = _MOST_GROWTH * many["rows"] / few["rows"] / 10
    return [
        verdict(
            f"{matched['distinct_packages']:,} distinct packages of {matched['images']:,} images matched with "
            f"{matched['advisories']:,} advisories",
            f"at most {_MOST_SECONDS:.0f} s",
            f"{matched['seconds']:.2f} s",
            reached=matched["seconds"] <= _MOST_SECONDS,
        ),
        verdict(
            f"{many['rows']:,} vulnerabilities read from reports of trivy",
            f"time grows at most {most:.0f} × from {few['rows']:,}",
            f"{growth:.1f} ×",
            reached=growth <= most,
        ),
    ]


def _matched(folder: Path, scale: Scale) -> Iterator[dict[str, Any]]:
    archive = folder / "all.zip"
    names = scale.packages // _VERSIONS
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for number in range(scale.advisories):
            file.writestr(f"SAMPLE-{number}.json", json.dumps(_advisory(number, 2 * names)))
    packages = _packages(scale)
    advisories = hubframe.read_osv(archive)

    def match() -> pd.DataFrame:
        return hubframe.vulnerabilities_df(packages, advisories)

    # At first no version is known, and later all are.
    best = {_MATCHED: _timed(match)}
    best |= _best({_ADVISORIES: lambda: hubframe.read_osv(archive), _AGAIN: match}, scale.repeats)
    matched = sum(_holding(scale, place) for place in _places(scale))
    for side, (seconds, count) in best.items():
        expected = scale.advisories if side == _ADVISORIES else matched
        if count != expected:
            raise RuntimeError(f"{side} finds {count} rows, and {expected} are to be found")
        yield {
            "side": side,
            "images": None if side == _ADVISORIES else scale.images,
            "distinct_packages": None if side == _ADVISORIES else scale.packages,
            "advisories": scale.advisories,
            "rows": count,
            "seconds": seconds,
        }


def _places(scale: Scale) -> list[int]:
    """Number the packages of all images; each image has other ones than the one before."""
    return [place % scale.packages for place in range(scale.images * scale.in_image)]


def _packages(scale: Scale) -> pd.DataFrame:
    told: dict[str, list[Any]] = {name: [] for name in PACKAGES.dtypes}
    for row, place in enumerate(_places(scale)):
        image, (number, version) = row // scale.in_image, divmod(place, _VERSIONS)
        kind, name = _KINDS[number % len(_KINDS)], f"package-{number}"
        written = kind.version.format(version * _APART)
        values = {
            "repo": f"acme/app-{image % 50}",
            "tag": f"1.{image}",
            "platform": "linux/amd64",
            "image_digest": f"sha256:{image:064x}",
            "position": place % _LAYERS,
            "type": kind.type,
            "namespace": kind.namespace,
            "name": name,
            "version": written,
            "source_name": name,
            "source_version": written,
            "purl": kind.url(name, written),
            "evidence": "layers",
            "tool": "hubframe",
        }
        for column, kept in told.items():
            kept.append(values.get(column))
    return PACKAGES.frame(told)


def _advisory(number: int, names: int) -> dict[str, Any]:
    """Make an advisory: each round of them mends every name in a version one higher."""
    of, fixed = number % names, number // names
    kind = _KINDS[of % len(_KINDS)]
    events = [{"introduced": "0"}, {"fixed": kind.version.format(fixed)}]
    about = {"ecosystem": kind.ecosystem, "name": f"package-{of}"}
    return {
        "id": f"SAMPLE-2026-{number}",
        "aliases": [f"CVE-2026-{number}"],
        "published": "2026-01-02T03:04:05Z",
        "modified": "2026-02-03T04:05:06Z",
        "summary": "Reads beyond the end of a buffer",
        "details": _SENTENCE * 5,
        "severity": [{"type": "CVSS_V3", "score": _VECTOR}],
        "affected": [{"package": about, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
    }


def _holding(scale: Scale, place: int) -> int:
    """Count by hand the advisories that hold for a package: those of its name with a later version."""
    number, version = divmod(place, _VERSIONS)
    names = 2 * (scale.packages // _VERSIONS)
    rounds = (scale.advisories - number - 1) // names + 1
    return max(rounds - version * _APART - 1, 0)


def _read(folder: Path, scale: Scale) -> Iterator[dict[str, Any]]:
    few, many = scale.rows
    of = {count: _reports(folder / f"{count}", count, scale) for count in scale.rows}
    turns = many // few

    def read_few() -> pd.DataFrame:
        for _ in range(turns):
            frame = hubframe.read_trivy(of[few])
        return frame

    # Both take as long, and take turns: a short run meets less of what else the machine does.
    best = _best({"few": read_few, "many": lambda: hubframe.read_trivy(of[many])}, scale.repeats)
    plain = _best({_PLAIN: lambda: _plain(of[few])}, scale.repeats)[_PLAIN]
    of_few = best["few"][0] / turns, best["few"][1]
    for side, there, (seconds, count) in (
        (_REPORTS, few, of_few),
        (_PLAIN, few, plain),
        (_REPORTS, many, best["many"]),
    ):
        if count != there:
            raise RuntimeError(f"{side} finds {count} vulnerabilities, and {there} are there")
        images = count // scale.in_report
        yield {"side": side, "images": images, "rows": count, "seconds": seconds}


def _plain(folder: Path) -> pd.DataFrame:
    """Read reports as somebody would who has pandas alone: no types, nothing checked."""
    reports = (json.loads(path.read_bytes()) for path in sorted(folder.iterdir()))
    return pd.concat(
        [
            pd.json_normalize(report, ["Results", "Vulnerabilities"], "ArtifactName")
            for report in reports
        ],
        ignore_index=True,
    )


def _reports(folder: Path, count: int, scale: Scale) -> Path:
    """Write reports of so many vulnerabilities together; images share most of theirs."""
    folder.mkdir()
    kept = [json.dumps(_vulnerability(number)) for number in range(20 * scale.in_report)]
    for image in range(count // scale.in_report):
        first = 7 * image % (len(kept) - scale.in_report)
        report = json.dumps(_report(image))
        own = ", ".join(kept[first : first + scale.in_report])
        path = folder / f"report-{image}.json"
        path.write_text(report.replace('"Vulnerabilities": []', f'"Vulnerabilities": [{own}]'))
    return folder


def _report(image: int) -> dict[str, Any]:
    name = f"registry.example/acme/app-{image % 50}"
    result = {"Target": f"{name} (debian 12.5)", "Class": "os-pkgs", "Type": "debian"}
    layers = [_layer(number) for number in range(_LAYERS)]
    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": "0.59.1"},
        "ArtifactName": f"{name}:1.{image}",
        "ArtifactType": "container_image",
        "Metadata": {
            "RepoTags": [f"{name}:1.{image}"],
            "RepoDigests": [f"{name}@sha256:{image:064x}"],
            "DiffIDs": [one["DiffID"] for one in layers],
            "Layers": layers,
            "ImageConfig": {"architecture": "amd64", "os": "linux"},
        },
        "Results": [{**result, "Vulnerabilities": []}],
    }


def _layer(number: int) -> dict[str, str]:
    return {"Digest": f"sha256:{number + 1:064x}", "DiffID": f"sha256:{number + 1001:064x}"}


def _vulnerability(number: int) -> dict[str, Any]:
    kind, name = _KINDS[0], f"package-{number // 3}"
    version, fixed = kind.version.format(number % 7), kind.version.format(9)
    score = {"V3Vector": _VECTOR, "V3Score": 7.5}
    return {
        "VulnerabilityID": f"CVE-2026-{number}",
        "VendorIDs": [f"DSA-{number}-1"],
        "PkgID": f"{name}@{version}",
        "PkgName": name,
        "PkgIdentifier": {"PURL": kind.url(name, version), "UID": f"{number:016x}"},
        "InstalledVersion": version,
        "FixedVersion": fixed,
        "Status": "fixed",
        "Layer": _layer(number % _LAYERS),
        "SeveritySource": "debian",
        "Severity": "HIGH",
        "PrimaryURL": f"https://example.org/vulnerabilities/{number}",
        "DataSource": {"ID": "debian", "Name": "Debian Security Tracker"},
        "Title": f"{name}: reads beyond a buffer",
        "Description": _SENTENCE * 4,
        "CweIDs": ["CWE-125"],
        "CVSS": {"nvd": score, "redhat": score},
        "References": [f"https://example.org/{word}/{number}" for word in ("list", "mend", "note")],
        "PublishedDate": "2026-01-02T03:04:05.678Z",
        "LastModifiedDate": "2026-02-03T04:05:06.789Z",
    }


def _best(
    sides: dict[str, Callable[[], pd.DataFrame]], repeats: int
) -> dict[str, tuple[float, int]]:
    """Return the best time of each side, which take turns, and how many rows it found."""
    runs = [{side: _timed(work) for side, work in sides.items()} for _ in range(repeats)]
    return {side: min(run[side] for run in runs) for side in sides}


def _timed(work: Callable[[], pd.DataFrame]) -> tuple[float, int]:
    began = time.perf_counter()
    frame = work()
    return time.perf_counter() - began, len(frame)
