"""The commands. Each parses, calls the public function of the same name, and prints.

Those that measure what they fetch are declared in `answers`.
"""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import hubframe
from hubframe.apps.cli import answers, inside, lifecycle, references, vulnerabilities
from hubframe.apps.cli.groups import (
    COST,
    FIND,
    IMAGES,
    PAST,
    PROGRAM,
    SHOW,
    Group,
    call_command,
    cli,
    command,
    frame_command,
    with_failures,
)
from hubframe.apps.cli.options import (
    COUNT,
    ERRORS,
    FAILURES,
    GLOBS,
    NEWEST,
    OF_IMAGES,
    OS,
    PLATFORM,
    PLATFORMS,
    PROGRESS,
    REFERENCE,
    REFERENCES,
    REPOSITORIES,
    TAGS,
    TO,
    VERBATIM,
    VERSIONS,
    Choice,
    count,
    days,
    flag,
    given,
    listed,
    many,
    one_or_many,
    several,
)

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

__all__ = ["PLANNED", "cli", "lifecycle", "references", "vulnerabilities"]

PLANNED = (
    *("tags", "images", "layers", "history", "labels", "env", "configs", "referrers"),
    *("files", "packages", "distributions", "contents"),
    *inside.DOCUMENTS,
    *("lifecycles", "scans", "tag-pulls", "tag-history"),
)
SHELLS = ("bash", "zsh", "fish")


_find = partial(frame_command, job=FIND)
_read = partial(frame_command, job=IMAGES)
_PULLS = "On Docker Hub each distinct image costs a pull, once: hubframe plan shows how many."

# A command in few lines, so that they read as a table.
# fmt: off
_find("repos", "List the repositories of users or organisations.",
      several("what", "NAMESPACE..."), *FAILURES,
      more="On Docker Hub, and on quay.io with its host before. Private repositories are listed "
      "for logins that may read them.",
      example="hubframe repos ansible --sample\n  hubframe repos quay.io/acme --sample")
_find("search", "Search the repositories of Docker Hub.",
      click.argument("what", metavar="QUERY"), count("--limit", "At most N hits.", 100),
      example="hubframe search ansible --limit 5 --sample")
_find("tags", "List the tags of repositories, newest first.", REFERENCES, *TAGS, *FAILURES,
      example="hubframe tags ansible/ansible --newest 5 --sample")
_find("catalog", "List the repositories of a registry with a catalogue.",
      click.argument("what", metavar="HOST"), example="hubframe catalog registry.example --sample")
# fmt: on


@command(
    "draw-repos",
    "Draw some repositories at random.",
    click.argument("query", required=False, metavar="[QUERY]"),
    many("--namespace namespaces", "NAME", "Draw from its repositories, instead of a search."),
    count("-n n", "How many repositories.", 100),
    count("--seed", "The same number draws the same repositories.", 0, least=0),
    count("--hits", "Draw from the first N hits of the search.", 10_000),
    more="Give a search or namespaces. It is no random choice from all of Docker Hub.",
    example="hubframe draw-repos --namespace library -n 3 --sample",
    job=FIND,
    table="search",
)
def _draw_repos(client: "Client", **options: Any) -> "pd.DataFrame":
    return with_failures("search", hubframe.sample_repos(**options, client=client))


@command(
    "draw-tags",
    "Draw some tags of each repository at random.",
    REPOSITORIES,
    count("-n n", "How many tags of each repository.", 5),
    count("--seed", "The same number draws the same tags.", 0, least=0),
    *FAILURES,
    example="hubframe draw-tags library/python library/redis -n 3 --sample",
    job=FIND,
    table="tags",
)
def _draw_tags(
    client: "Client", what: list[str], *, n: int, seed: int, **options: Any
) -> "pd.DataFrame":
    tags = hubframe.tags_df(what, **options, client=client)
    return with_failures("tags", hubframe.sample_tags(tags, n, seed), tags)


# fmt: off
_read("images", "List the images of tags, one for each platform.", *OF_IMAGES[:1],
      many("--platform", OS, "Only these images. Default: all."), *OF_IMAGES[2:],
      more="It costs no pull on Docker Hub.",
      example="hubframe images library/python:latest --sample")
_read("layers", "List the layers of images, base first.", *OF_IMAGES,
      more="It costs no pull on Docker Hub.",
      example="hubframe layers ansible/ansible:latest --sample")
_read("files", "List the files in the layers of images.",
      *OF_IMAGES[:1], *answers.OF_FILES, *OF_IMAGES[1:],
      more="This downloads the layers, once each.",
      example="hubframe files registry.example/shop/web:1.2.0 --sample")
_read("history", "List the build steps of images.", *OF_IMAGES,
      example="hubframe history ansible/ansible:latest --sample")
_read("labels", "List the labels and annotations of images.", *OF_IMAGES, more=_PULLS,
      example="hubframe labels acme/web --newest 3 --sample")
_read("env", "List the environment variables of images.", *OF_IMAGES, more=_PULLS,
      example="hubframe env library/python:latest --sample")
_read("configs", "List the configurations of images.", *OF_IMAGES, more=_PULLS,
      example="hubframe configs library/redis --newest 3 --sample")
_read("referrers", "List signatures and other artifacts of images.",
      REFERENCES, GLOBS, VERSIONS, NEWEST, *FAILURES,
      more="Artifacts that refer to an image: signatures, attestations, bills of materials.",
      example="hubframe referrers acme/web:4.4.1 --sample")
# fmt: on
call_command(
    "inspect",
    "inspect",
    "Print what skopeo inspect prints of an image.",
    REFERENCE,
    PLATFORM,
    click.option(
        "--no-tags",
        "tags",
        flag_value=False,
        default=True,
        help="Do not list the repository's tags.",
    ),
    example="hubframe inspect library/alpine --sample",
    job=IMAGES,
)
call_command(
    "raw_manifest",
    "manifest",
    "Print a manifest or an index, byte for byte.",
    REFERENCE,
    given("--platform", "The manifest of one image of an index.", metavar=OS),
    example="hubframe manifest library/alpine --sample",
    job=IMAGES,
)
call_command(
    "config",
    "config",
    "Print the configuration of an image, as JSON.",
    REFERENCE,
    PLATFORM,
    example="hubframe config library/alpine --sample",
    job=IMAGES,
)

call_command(
    "plan",
    "plan",
    "Show the requests, pulls and time that a call costs.",
    click.argument("frame", type=Choice(PLANNED), metavar="FRAME"),
    REFERENCES,
    PLATFORMS,
    flag("--attestations", "List attestations too."),
    inside.KINDS,
    inside.EVIDENCE,
    *TAGS,
    PROGRESS,
    more=f"FRAME is one of {', '.join(PLANNED)}. Lists of tags and of layers are fetched, as far "
    "as they cost no pull. What it costs to check references, hubframe references --plan shows.",
    example="hubframe plan labels acme/web --sample",
    job=COST,
)
frame_command(
    "limits",
    "Show your rate limits, and what is left of them.",
    example="hubframe limits --sample",
    job=COST,
)


# Reports and the cache.


@command(
    "report",
    "Write a report: CSV files, pictures, a page to read.",
    click.argument("what", nargs=-1, metavar="[REF|HOST]...", callback=listed),
    given(
        "--output",
        "The folder to write.",
        click.Path(file_okay=False, path_type=Path),
        required=True,
        metavar="FOLDER",
    ),
    GLOBS,
    given(
        "--newest",
        "Read images and layers of the N newest tags only. All tags are listed.",
        COUNT,
        metavar="N",
    ),
    given("--platform", "Whose images are read.", default="all", metavar=f"{OS}|all"),
    given(
        "--described",
        "Read labels of the N newest tags on Docker Hub, where each image is a pull.",
        COUNT,
        20,
        metavar="N",
    ),
    flag(
        "--inside",
        "Read packages, bases, provenance and signatures of the --described newest tags, too. "
        "Downloads their layers.",
    ),
    given(
        "--references",
        "Check the images that files in a folder name, too. Without REF the report is about these.",
        click.Path(exists=True, path_type=Path),
        metavar="DIR",
    ),
    many("--vulnerabilities", "FILE", "A report of trivy or grype in JSON, to be shown, too."),
    given("--title", "The page's title.", metavar="TEXT"),
    flag("--interactive", "Let the page's tables be filtered and sorted, with all their rows."),
    PROGRESS,
    VERBATIM,
    example="hubframe report ansible/ansible --output report --sample",
    job=SHOW,
)
def _report(client: "Client", what: list[str], output: Path, **options: Any) -> Path:
    asked: Any = what
    if not what and "references" in options:
        asked = None
    elif not what:
        if not client.settings.sample:
            raise click.UsageError(
                "name at least one repository, or give --references, or use --sample"
            )
        options.setdefault("title", "The bundled sample")
        inside = options.get("inside")
        asked = hubframe.report.SAMPLE_INSIDE if inside else hubframe.report.SAMPLE
    return hubframe.report.report(asked, output, **options, client=client)


@cli.group("cache", cls=Group, help="Show what the cache holds, or empty it.", job=COST)
def _cache() -> None:
    pass


call_command(
    "cache.info",
    "info",
    "Show where the cache is and what it holds.",
    example="hubframe cache info",
    group=_cache,
)


@command(
    "clear",
    "Empty the cache, or remove what is old.",
    flag("--dry-run", "Only say what would be removed."),
    days("--older-than", "Remove only what was not used, or is out of date, for so long."),
    example="hubframe cache clear --older-than 30 --dry-run",
    group=_cache,
)
def _cache_clear(client: "Client", *, dry_run: bool, older_than: float | None = None) -> Any:
    age = None if older_than is None else _span(older_than)
    cleared = hubframe.cache.clear(dry_run=dry_run, older_than=age, client=client)
    click.echo("nothing was removed (--dry-run)" if dry_run else "removed", err=True)
    return cleared


def _span(days: float) -> timedelta:
    try:
        return timedelta(days=days)
    except OverflowError as error:
        raise click.UsageError("--older-than: that is too many days") from error


@cli.command(
    "explore",
    short_help="Open the explorer in JupyterLab, or as a page.",
    help="Click through repositories, tags and images in JupyterLab, or in a page. What is no "
    "option of hubframe's goes to JupyterLab or Voila: --ip=0.0.0.0.",
    epilog="\b\nExample:\n  hubframe explore ansible/ansible --sample",
    context_settings={"ignore_unknown_options": True},
    job=SHOW,
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[WHAT] [JUPYTER_OPTION...]")
@many("--vulnerabilities", "FILE", "Show a report of trivy or grype in JSON in a panel.")
@given(
    "--references",
    "Check the images that files in a folder name, and show these files in a panel.",
    click.Path(exists=True, path_type=Path),
    metavar="DIR",
)
@flag("--voila", "Serve it as a page, by Voila.")
@given("--port", "Where to listen.", click.IntRange(1, 65535))
@flag("--no-browser", "Open no browser; print the address.")
@flag("--sample", "Show the bundled sample: no network.")
@flag("--offline", "Show what is in the cache: no network.")
def _explore(words: tuple[str, ...], *, port: int | None, no_browser: bool, **options: Any) -> int:
    from hubframe.apps.explorer import launch

    arguments = ["--no-browser"] if no_browser else []
    arguments += [] if port is None else [f"--port={port}"]
    what, jupyter = _apart(words)
    try:
        return launch.explore(what, [*arguments, *jupyter], **options)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name}: {error}") from error


def _apart(words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """Tell what is looked for from Jupyter's options: it is first, or behind one with its value."""
    if words and not words[0].startswith("-"):
        return words[0], words[1:]
    if len(words) > 1 and "=" in words[-2] and not words[-1].startswith("-"):
        return words[-1], words[:-1]
    return None, words


# The past: what repositories and tags were, run by run.


call_command(
    "snapshot",
    "snapshot",
    "Append what repositories and tags are to a dataset.",
    several("what", "NAMESPACE|REPO..."),
    TO,
    given("--run", "Name the run, so that it can be continued if it is cut short.", metavar="NAME"),
    given(
        "--frame frames",
        "What to look at: repos alone takes far fewer requests. Default: both.",
        ("repos", "tags"),
        multiple=True,
        callback=one_or_many,
    ),
    given(
        "--errors",
        "Stop at the first failure, or write down what fails and go on.",
        ERRORS,
        "collect",
    ),
    PROGRESS,
    more="The dataset is a folder of Parquet files. Run it daily, and the commands below it in "
    "hubframe --help show what changed.",
    example="hubframe snapshot ansible --to snapshots --sample",
    job=PAST,
    table="runs",
)


@command(
    "add-snapshot",
    "Append CSV files to a dataset of snapshots as a run.",
    TO,
    given("--repos", "A CSV file of hubframe repos.", click.Path(), metavar="FILE"),
    given("--tags", "A CSV file of hubframe tags, with all tags.", click.Path(), metavar="FILE"),
    given("--observed-at", "When they were fetched. Default: now.", metavar="DATE"),
    given("--run", "Name the run.", metavar="NAME"),
    example="hubframe add-snapshot --to snapshots --repos repos.csv",
    job=PAST,
    table="runs",
    session=(),
)
def _add_snapshot(_: "Client", **options: Any) -> "pd.DataFrame":
    for name in ("repos", "tags"):
        if name in options:
            options[name] = hubframe.read_csv(options[name], name)
    return with_failures("runs", hubframe.add_snapshot(**options))


@command(
    "import-repo-info",
    "Append the past of the official images to a dataset.",
    click.argument("path", metavar="CHECKOUT"),
    click.argument("repos", nargs=-1, metavar="[IMAGE]...", callback=one_or_many),
    TO,
    more="CHECKOUT is a clone of docker-library/repo-info, whose commits hold it.",
    example="hubframe import-repo-info repo-info redis --to snapshots",
    job=PAST,
    table="runs",
    session=(),
)
def _import_repo_info(_: "Client", path: str, **options: Any) -> "pd.DataFrame":
    return with_failures("runs", hubframe.import_repo_info(path, **options).runs)


@command(
    "import-downloads",
    "Append pulls of packages on ghcr.io to a dataset.",
    several("downloads", "FILE|FOLDER..."),
    TO,
    more="A FILE is what ipitio/backage publishes of a package: OWNER/REPO/PACKAGE.json. Files of "
    "several days show pulls over time.",
    example="hubframe import-downloads backage/acme --to snapshots",
    job=PAST,
    table="runs",
    session=(),
)
def _import_downloads(_: "Client", downloads: list[str], **options: Any) -> "pd.DataFrame":
    return with_failures("runs", hubframe.import_downloads(downloads, **options).runs)


frame_command(
    "tag-history",
    "List what tags pointed at before, on Quay.",
    REFERENCES,
    GLOBS,
    VERSIONS,
    *FAILURES,
    more="Quay keeps it, also of tags that are gone: for two weeks unless the owner changed that.",
    example="hubframe tag-history quay.io/acme/agent --tags latest --sample",
    job=PAST,
)

call_command(
    "tag_pulls_df",
    "tag-pulls",
    "Tell how often each tag was pulled, on Quay.",
    REFERENCES,
    GLOBS,
    VERSIONS,
    NEWEST,
    *FAILURES,
    more="Quay tells it where that is switched on, a request for each tag. Of whole repositories "
    "hubframe repos has the pulls.",
    example="hubframe tag-pulls quay.io/acme/agent --newest 5 --sample",
    job=PAST,
    table="tag_pulls",
)

answers.declare_past()


@command(
    "clear-unfinished",
    "Delete files that interrupted snapshots left behind.",
    click.argument("place", metavar="PLACE"),
    days("--older-than", "Only what was begun so long ago.", default=1.0),
    flag("--dry-run", "Only say what would be deleted."),
    example="hubframe clear-unfinished snapshots --dry-run",
    job=PAST,
    session=(),
)
def _clear_unfinished(_: "Client", place: str, *, older_than: float, dry_run: bool) -> str:
    found = hubframe.clear_unfinished(place, older_than=_span(older_than), dry_run=dry_run)
    click.echo("nothing was deleted (--dry-run)" if dry_run else f"{len(found)} deleted", err=True)
    return "\n".join(found)


@cli.command(
    "completion",
    short_help="Print what completes hubframe's commands in a shell.",
    help="Print what completes commands, options and their values in a shell: SHELL is one of "
    f"{', '.join(SHELLS)}.",
    epilog="\b\nOnce for all:\n"
    """  bash: echo 'eval "$(hubframe completion bash)"' >> ~/.bashrc\n"""
    """  zsh:  echo 'eval "$(hubframe completion zsh)"' >> ~/.zshrc\n"""
    "  fish: hubframe completion fish > ~/.config/fish/completions/hubframe.fish\n\n"
    "\b\nExample:\n  hubframe completion bash",
    job=PROGRAM,
)
@click.argument("shell", type=Choice(SHELLS), metavar="SHELL")
def _completion(shell: str) -> None:
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made:
        click.echo(made(cli, {}, "hubframe", "_HUBFRAME_COMPLETE").source())
