"""The commands that look inside images: packages, files, and what is attached to images."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import hubframe
from hubframe.apps.cli.answers import OF_FILES
from hubframe.apps.cli.groups import (
    ANSWER,
    INSIDE,
    call_command,
    command,
    frame_command,
    with_failures,
)
from hubframe.apps.cli.options import (
    FAILURES,
    OF_IMAGES,
    PARTIAL,
    PLATFORM,
    PLATFORMS,
    REFERENCE,
    REFERENCES,
    TAGS,
    count,
    flag,
    given,
    many,
)

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

# Frames of documents that are attached to images.
DOCUMENTS = ("sboms", "provenance", "materials", "dockerfiles", "signatures")
_WEB = "registry.example/shop/web"
_DOWNLOADS = "This downloads layers, once each, which costs no pull on Docker Hub."
_ATTACHED = "On Docker Hub the manifests of what is attached are pulls."
_OF_LAYERS = (REFERENCES, PLATFORMS, *TAGS, PARTIAL, *FAILURES)
KINDS = many("--kind kinds", "KIND", "usual, os, all, or a type of packages such as deb or golang.")
EVIDENCE = given(
    "--evidence",
    "What tells of packages: databases in the layers, or attached documents.",
    ("auto", "layers", "sbom", "both"),
    "auto",
)
_KEYS = click.option(
    "--keys",
    multiple=True,
    type=click.File("rb"),
    metavar="FILE",
    callback=lambda _, __, files: [file.read() for file in files] or None,
    help="Verify signatures by public keys, in PEM. May be repeated.",
)


_read = partial(frame_command, job=INSIDE)

_read(
    "packages",
    "List the packages that are installed in images.",
    *_OF_LAYERS,
    KINDS,
    EVIDENCE,
    *OF_FILES,
    example=f"hubframe packages {_WEB}:1.2.0 --evidence layers --sample",
    more=_DOWNLOADS,
)
_read(
    "distributions",
    "Tell which distribution images are of.",
    *_OF_LAYERS,
    EVIDENCE,
    *OF_FILES,
    example=f"hubframe distributions {_WEB}:latest --sample",
    more=_DOWNLOADS,
)


@command(
    "contents",
    "Print files of images, in all tags.",
    *_OF_LAYERS,
    many("--path paths", "PATH", "Which files: etc/os-release, 'etc/*.conf'."),
    count("--max-file-bytes", "Cut the text of larger files.", 1_048_576),
    flag("--hash", "Print their sha256, too."),
    more=_DOWNLOADS,
    example=f"hubframe contents {_WEB} --path 'etc/*.conf' --sample",
    job=INSIDE,
    table="contents",
)
def _contents(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
    if not options.get("paths"):
        raise click.UsageError("name files with --path")
    return hubframe.contents_df(what, **options, client=client)


call_command(
    "read_file",
    "read-file",
    "Print a file of an image, byte for byte.",
    REFERENCE,
    click.argument("path", metavar="PATH"),
    PLATFORM,
    more=_DOWNLOADS,
    example=f"hubframe read-file {_WEB}:1.2.0 etc/os-release --sample",
    job=INSIDE,
)
_read(
    "sboms",
    "List the bills of materials of images.",
    *OF_IMAGES,
    given(
        "--evidence",
        "Which documents: those that are attached, or those in the layers, which are downloaded.",
        ("sbom", "layers", "both"),
        "sbom",
    ),
    *OF_FILES,
    example=f"hubframe sboms {_WEB}:1.2.0 --sample",
    more=_ATTACHED,
)
for _name, _text in (
    ("provenance", "Tell how images were built, as is attested."),
    ("materials", "List what builds took, as is attested."),
):
    _example = f"hubframe {_name} {_WEB}:1.2.0 --sample"
    _read(_name, _text, *OF_IMAGES, example=_example, more=_ATTACHED)
call_command(
    "sbom",
    "sbom",
    "Print the bill of materials of an image.",
    REFERENCE,
    PLATFORM,
    more=_ATTACHED,
    example=f"hubframe sbom {_WEB}:1.2.0 --sample",
    job=INSIDE,
)
_read(
    "dockerfiles",
    "Print the Dockerfiles that images were built by.",
    *(option for option in OF_IMAGES if option not in TAGS),
    *TAGS[:-1],
    given(
        "--source",
        "The file itself, which few images tell, or the build steps.",
        ("provenance", "history"),
        "provenance",
    ),
    example=f"hubframe dockerfiles {_WEB}:1.2.0 --sample",
    more=_ATTACHED,
)


@command(
    "signatures",
    "List the signatures of images.",
    *OF_IMAGES,
    flag("--verify", "Verify Sigstore's bundles, offline, by the root that its library brings."),
    many("--identity identities", "GLOB", "With --verify, who may have signed."),
    given("--issuer", "With --identity, who vouches for that.", metavar="URL"),
    given(
        "--trusted-root",
        "With --verify, the root of an instance of Sigstore of your own.",
        click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
    ),
    _KEYS,
    example=f"hubframe signatures {_WEB}:1.2.0 --sample",
    more=_ATTACHED,
    job=INSIDE,
    table="signatures",
)
def _signatures(
    client: "Client",
    what: list[str],
    *,
    identities: str | list[str] | None = None,
    issuer: str | None = None,
    **options: Any,
) -> "pd.DataFrame":
    if issuer and not identities:
        raise click.UsageError("--issuer is for --identity")
    if identities:
        globs = [identities] if isinstance(identities, str) else identities
        options["identities"] = [(one, issuer) for one in globs]
    return hubframe.signatures_df(what, **options, client=client)


@command(
    "bases",
    "Tell what images are built on, and its age.",
    REFERENCES,
    PLATFORMS,
    *TAGS[:-1],
    PARTIAL,
    *FAILURES,
    many(
        "--evidence",
        "KIND",
        "annotation, label, provenance, dockerfile or official; all unless given.",
    ),
    given(
        "--official",
        "Docker's builds.json, for what official images were built on.",
        click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
    ),
    given(
        "--history",
        "A CSV file of tag-moves, for bases that were outdated at the build.",
        click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
    ),
    flag("--outdated", "Only images whose base's tag has a newer image, the best proof of each."),
    more="On Docker Hub each distinct image, base and attestation costs a pull, once.",
    example=f"hubframe bases {_WEB} --sample",
    job=INSIDE,
    table="bases",
)
def _bases(
    client: "Client",
    what: list[str],
    *,
    outdated: bool = False,
    history: Path | None = None,
    **options: Any,
) -> "pd.DataFrame":
    moves = hubframe.read_csv(history, "tag_moves") if history else None
    found = hubframe.bases_df(what, history=moves, **options, client=client)
    chosen = hubframe.outdated_bases_df(found) if outdated else found
    return with_failures("bases", chosen, found)


@command(
    "packages-used",
    "Count the images that hold each package.",
    *_OF_LAYERS,
    many("--name names", "NAME", "Only this package; * stands for any part."),
    more=_DOWNLOADS,
    example=f"hubframe packages-used {_WEB} --name '*ssl*' --sample",
    job=ANSWER,
    table="packages_used",
)
def _packages_used(
    client: "Client", what: list[str], *, names: Any = None, **options: Any
) -> "pd.DataFrame":
    packages = hubframe.packages_df(what, **options, client=client)
    used = hubframe.packages_used_df(packages, names)
    return with_failures("packages_used", used, packages)
