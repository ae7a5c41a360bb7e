"""The commands that answer questions: they fetch what an answer takes, measure it, and print."""

from typing import TYPE_CHECKING, Any

import click

from hubframe.apps.cli import commands
from hubframe.apps.cli.commands import FAILURES, OUTPUT, REFERENCES, SESSION, TAGS, print_made
from hubframe.apps.cli.explore import explore

if TYPE_CHECKING:
    import pandas as pd

    from hubframe.wire.client import Client

_DAYS = click.FloatRange(min=0)
_TO = click.option(
    "--to",
    required=True,
    metavar="PLACE",
    help="A folder, or an address such as s3://bucket/folder.",
)


@click.command(help="List what differs between images, each compared with the next.")
@REFERENCES
@click.option("--platform", default="linux/amd64", show_default=True, metavar="OS/ARCH[/VARIANT]")
@click.option("--progress/--no-progress", default=None, help="Show a bar; else after 2 s.")
@OUTPUT
@SESSION
def compare(what: tuple[str, ...], **options: Any) -> None:
    import hubframe

    def make(client: "Client", **chosen: Any) -> "pd.DataFrame":
        return hubframe.compare_df(list(what), **chosen, client=client)

    print_made("comparison", make, **options)


@click.command(help="List which tags a rule would delete, and why. It deletes nothing.")
@REFERENCES
@click.option("--keep", type=click.IntRange(min=0), help="How many of the newest tags stay.")
@click.option("--older-than", type=_DAYS, metavar="DAYS", help="Only tags pushed longer ago go.")
@click.option("--unused-for", type=_DAYS, metavar="DAYS", help="Only tags not used for so long go.")
@click.option(
    "--protect", multiple=True, metavar="GLOB", help="Tags that stay in any case; else latest."
)
@click.option(
    "--freed", is_flag=True, help="Read the layers of all platforms, to tell what it would free."
)
@FAILURES
@OUTPUT
@SESSION
def cleanup(what: tuple[str, ...], *, freed: bool, **options: Any) -> None:
    import hubframe
    from hubframe.frames.selection import references

    rule = {name: options.pop(name) for name in ("keep", "older_than", "unused_for")}
    protected = list(options.pop("protect"))
    if protected:
        rule["protect"] = protected
    repositories = references(list(what))
    if any(one.tag or one.digest for one in repositories):
        # What else the repository holds decides what is newest, and what would be freed.
        raise click.UsageError("name repositories, without a tag or a digest")
    if rule["keep"] is rule["older_than"] is rule["unused_for"] is None:
        raise click.UsageError("no rule: give --keep, --older-than or --unused-for")

    def make(client: "Client", **chosen: Any) -> "pd.DataFrame":
        tags = hubframe.tags_df(repositories, **chosen, client=client)
        layers = (
            hubframe.layers_df(repositories, platform="all", **chosen, client=client)
            if freed
            else None
        )
        return _told("cleanup", hubframe.cleanup_df(tags, layers, **rule), tags, layers)

    print_made("cleanup", make, **options)


@click.command(help="Print the figures of repositories beside those of published studies.")
@REFERENCES
@TAGS
@click.option("--platform", default="linux/amd64", show_default=True, metavar="OS/ARCH[/VARIANT]")
@FAILURES
@OUTPUT
@SESSION
def summary(what: tuple[str, ...], **options: Any) -> None:
    import hubframe
    from hubframe.frames.selection import references

    def make(client: "Client", **chosen: Any) -> "pd.DataFrame":
        asked = references(list(what))
        common = {name: chosen[name] for name in ("errors", "progress") if name in chosen}
        layers = hubframe.layers_df(asked, **chosen, client=client)
        images = hubframe.images_df(asked, **chosen, client=client)
        namespaces = {one.namespace for one in asked if one.is_hub}
        repos = hubframe.repos_df(sorted(namespaces), **common, client=client)
        repos = repos[repos["repo"].isin([one.repo for one in asked])]
        return _told("figures", hubframe.summary(layers, images, repos), layers, images, repos)

    print_made("figures", make, **options)


@click.command(help="Append what repositories and tags are now to a Parquet dataset.")
@click.argument("what", nargs=-1, required=True, metavar="NAMESPACE|REPO...")
@_TO
@click.option("--run", metavar="NAME", help="Name the run, to go on with it if it is cut short.")
@click.option(
    "--frame",
    "frames",
    multiple=True,
    type=click.Choice(("repos", "tags")),
    help="What to look at; repos alone takes far fewer requests. Else both.",
)
@click.option(
    "--errors",
    type=click.Choice(("raise", "collect")),
    default="collect",
    show_default=True,
    help="Stop at the first failure, or write down what fails and go on.",
)
@click.option("--progress/--no-progress", default=None, help="Show a bar; else after 2 s.")
@OUTPUT
@SESSION
def snapshot(what: tuple[str, ...], *, to: str, **options: Any) -> None:
    import hubframe

    def make(client: "Client", **chosen: Any) -> "pd.DataFrame":
        return hubframe.snapshot(list(what), to=to, **chosen, client=client)

    print_made("runs", make, **options)


@click.command(
    "import-repo-info",
    help="Append the past of the official images, out of a checkout of docker-library/repo-info.",
)
@click.argument("path", metavar="CHECKOUT")
@click.argument("repos", nargs=-1, metavar="[IMAGE]...")
@_TO
@OUTPUT
def import_repo_info(path: str, repos: tuple[str, ...], *, to: str, **options: Any) -> None:
    import hubframe

    def make(client: "Client") -> "pd.DataFrame":  # noqa: ARG001 - nobody is asked
        runs = hubframe.import_repo_info(path, to=to, repos=list(repos) or None).runs
        runs.attrs["hubframe"] = {"table": "runs", "failures": []}
        return runs

    print_made("runs", make, sample=False, offline=False, refresh=False, **options)


def _told(table: str, frame: "pd.DataFrame", *sources: "pd.DataFrame | None") -> "pd.DataFrame":
    """Hand on what the frames that an answer is made of lack."""
    told = [source.attrs["hubframe"] for source in sources if source is not None]
    failures = [failure for one in told for failure in one["failures"]]
    frame.attrs["hubframe"] = {"table": table, "failures": failures}
    return frame


COMMANDS: dict[str, click.Command] = {
    **commands.COMMANDS,
    "compare": compare,
    "cleanup": cleanup,
    "summary": summary,
    "explore": explore,
    "snapshot": snapshot,
    "import-repo-info": import_repo_info,
}
