"""The command that finds the images which files name, and tells how they stand."""

from typing import TYPE_CHECKING, Any

import click

import hubframe
from hubframe.apps.cli.groups import OWN, command
from hubframe.apps.cli.options import PROGRESS, SOURCE, Option, flag, given, many

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

_OPTIONS: tuple[Option, ...] = (
    click.argument("where", required=False, metavar="[WHERE]", type=click.Path()),
    many("--pattern patterns", "GLOB", "Which files, such as 'k8s/*.yaml'. Default: the usual."),
    flag("--follow", "Read Dockerfiles and includes that files name, whatever their name is."),
    flag("--check", "Ask registries how the images stand. On Docker Hub that costs no pull."),
    flag("--plan", "Show the requests and time that --check takes, and make none of them."),
    flag("--pins", "Print what to write, to pin images to what their tags are now, as CSV."),
    many("--platform", "OS/ARCH", "Of --check: what images should have. Default: amd64 and arm64."),
    SOURCE,
    given(
        "--errors",
        "Of --check: stop at the first failure, or go on.",
        ("raise", "collect"),
        "collect",
    ),
    PROGRESS,
)


@command(
    "references",
    "List the images that files name, and how they stand.",
    *_OPTIONS,
    more="WHERE is a folder or a file, by default this folder: Dockerfiles, compose files, "
    "manifests, charts, workflows and others are read, and none is written. No registry is asked "
    "without --check, --plan or --pins.",
    example="hubframe references --check --sample",
    job=OWN,
    table="references",
    tables={"check": "checked_references"},
    asks=("check", "plan", "pins"),
)
def _references(  # noqa: PLR0913 - a keyword for each option
    client: "Client | None",
    *,
    where: str | None = None,
    patterns: Any = "usual",
    follow: bool,
    check: bool,
    plan: bool,
    pins: bool,
    sample: bool = False,
    **options: Any,
) -> "pd.DataFrame | str":
    from hubframe.testing import sample_files

    chosen = (
        client.settings if client else hubframe.Settings.from_environment(sample=sample or None)
    )
    place = where or (sample_files() / "shop" if chosen.sample else ".")
    found = hubframe.references_df(place, patterns=patterns, follow=follow)
    if plan:
        options.pop("errors", None)
        return str(hubframe.plan(found, "checked_references", **options, client=client))
    if not (check or pins):
        return found
    checked = hubframe.checked_references_df(found, **options, client=client)
    return _pins(checked) if pins else checked


def _pins(checked: "pd.DataFrame") -> str:
    """Write what is there and what may be put in its place, one line for each reference."""
    from hubframe.apps.cli import output

    output.say_failures(checked)
    is_current = checked["is_current"].fillna(value=False)
    is_plain = ~checked["written"].str.contains(r"[${]|<<")
    rows = checked[checked["digest_now"].notna() & ~is_current & is_plain]
    name = rows["written"].str.partition("@")[0]
    has_tag = name.str.contains(r":[^/]*$")
    new = name.where(has_tag, name + ":" + rows["tag"]) + "@" + rows["digest_now"]
    shown = rows[["file", "line"]].assign(old=rows["written"], new=new)
    return str(hubframe.write_csv(shown)).removesuffix("\n")
