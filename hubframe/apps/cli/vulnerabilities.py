"""The commands about vulnerabilities: of images and advisories, and of files that you have."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

import hubframe
from hubframe.apps.cli.groups import ANSWER, INSIDE, command, with_failures
from hubframe.apps.cli.options import (
    ERRORS,
    FAILURES,
    GLOBS,
    NEWEST,
    PARTIAL,
    PLATFORMS,
    REFERENCES,
    TAGS,
    VERSIONS,
    given,
    listed,
    many,
)

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

_IMAGES = click.argument("what", nargs=-1, metavar="[REF]...", callback=listed)
_ADVISORIES = given(
    "--advisories", "A folder or a .zip of advisories in the format of OSV.", metavar="PLACE"
)
_VEX = many("--vex", "FILE", "An OpenVEX document that says what does not affect images.")
_REPORTS = (
    many("--trivy", "FILE", "A report of trivy, or a folder of such; no image is asked for."),
    many("--grype", "FILE", "A report of grype, or a folder of such."),
    many("--cyclonedx", "FILE", "A document in CycloneDX that lists vulnerabilities."),
)
_EVIDENCE = given(
    "--evidence",
    "What tells of packages: databases in the layers, or attached documents, which often leave "
    "out the source packages that advisories name.",
    ("layers", "sbom", "auto"),
    "layers",
)
_FOUND = (
    _IMAGES,
    _ADVISORIES,
    _VEX,
    *_REPORTS,
    _EVIDENCE,
    PLATFORMS,
    *TAGS,
    PARTIAL,
    *FAILURES,
)
_ALIKE = (
    "Name images and --advisories, or reports of a scanner; the sample has both. No row does not "
    "mean safe."
)


def _read(  # noqa: PLR0913
    client: "Client",
    what: list[str],
    *,
    advisories: str | None = None,
    vex: Any = None,
    trivy: Any = None,
    grype: Any = None,
    cyclonedx: Any = None,
    **options: Any,
) -> "tuple[pd.DataFrame, pd.DataFrame | None]":
    """Read reports, or match packages of images with advisories; and return those packages."""
    import pandas as pd

    from hubframe.testing import sample_files

    packages = None
    if client.settings.sample and not (advisories or trivy or grype or cyclonedx):
        files = sample_files()
        advisories = str(files / "advisories") if what else None
        trivy = None if what else [files / "scans" / "trivy.json"]
    errors, is_reported = options["errors"], bool(trivy or grype or cyclonedx)
    if is_reported and not (what or advisories):
        of_bills = partial(hubframe.read_cyclonedx, vulnerabilities=True)
        read = (
            (hubframe.read_trivy, trivy),
            (hubframe.read_grype, grype),
            (of_bills, cyclonedx),
        )
        frames = [reader(paths, errors=errors) for reader, paths in read if paths]
        found = pd.concat(frames, ignore_index=True)
    elif what and advisories and not is_reported:
        packages = hubframe.packages_df(what, **options, client=client)
        frames = [packages, hubframe.read_osv(advisories, errors=errors)]
        found = hubframe.vulnerabilities_df(*frames)
    else:
        raise click.UsageError("give REF and --advisories, or --trivy or --grype or --cyclonedx")
    if vex:
        stated = hubframe.read_openvex(vex, errors=errors)
        found, frames = hubframe.with_vex(found, stated), [*frames, stated]
    return with_failures("vulnerabilities", found, *frames), packages


def _found(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
    return _read(client, what, **options)[0]


command(
    "vulnerabilities",
    "List known vulnerabilities of images, or of reports.",
    *_FOUND,
    more=f"{_ALIKE} Layers are downloaded once each, which costs no pull on Docker Hub.",
    example="hubframe vulnerabilities registry.example/shop/web:1.2.0 --sample",
    job=INSIDE,
    table="vulnerabilities",
)(_found)


@command(
    "scans",
    "List what scanners of registries found in images.",
    REFERENCES,
    PLATFORMS,
    GLOBS,
    VERSIONS,
    NEWEST,
    *FAILURES,
    more="On quay.io, and on the Quay, Harbor and Amazon ECR that HUBFRAME_PROVIDERS names. No row "
    "does not mean safe.",
    example="hubframe scans quay.io/acme/agent:latest --sample",
    job=INSIDE,
    table="vulnerabilities",
)
def _scans(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
    return hubframe.scans_df(what, **options, client=client)


@command(
    "vulnerability-summary",
    "Count vulnerabilities by severity.",
    *_FOUND,
    given("--by", "What a row is.", ("tag", "image", "repo", "layer"), "tag"),
    more=_ALIKE,
    example="hubframe vulnerability-summary --by layer --sample",
    job=ANSWER,
    table="vulnerability_summary",
)
def _summary(client: "Client", what: list[str], *, by: Any, **options: Any) -> "pd.DataFrame":
    found, packages = _read(client, what, **options)
    counted = hubframe.vulnerability_summary_df(found, by, packages=packages)
    return with_failures("vulnerability_summary", counted, found)


@command(
    "advisories",
    "List advisories in the format of OSV.",
    click.argument("place", metavar="PLACE"),
    many("--ecosystem ecosystems", "NAME", "Only this one: PyPI, Debian, Debian:12."),
    given("--errors", "Stop at the first failure, or go on without what fails.", ERRORS, "raise"),
    more="PLACE is a folder, a .zip, or a file; osv.dev has one for each ecosystem.",
    example="hubframe advisories all.zip --ecosystem Debian:12",
    job=INSIDE,
    table="advisories",
    session=(),
)
def _advisories(_: "Client", place: str, **options: Any) -> "pd.DataFrame":
    return hubframe.read_osv(place, **options)


@command(
    "vex",
    "List what OpenVEX documents state.",
    click.argument("paths", nargs=-1, required=True, metavar="FILE...", callback=listed),
    given("--errors", "Stop at the first failure, or go on without what fails.", ERRORS, "raise"),
    example="hubframe vex openvex.json",
    job=INSIDE,
    table="vex",
    session=(),
)
def _vex(_: "Client", paths: list[str], **options: Any) -> "pd.DataFrame":
    return hubframe.read_openvex(paths, **options)
