"""The commands. Each parses, calls the public function of the same name, and prints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hubframe.wire.client import Client

PLANNED = ("tags", "images", "layers", "history", "labels", "env", "configs", "referrers")
FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet", "xlsx")

_Command = Callable[..., Any]


def _options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Join options into one decorator, in the order in which they are shown."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


SESSION = _options(
    click.option("--sample", is_flag=True, help="Answer from the bundled, synthetic sample."),
    click.option("--offline", is_flag=True, help="Answer from the cache alone."),
    click.option("--refresh", is_flag=True, help="Ask anew for everything that can change."),
)
OUTPUT = _options(
    click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        help="How to print; by the suffix of --output, else a table.",
    ),
    click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write a file."),
    click.option("--columns", metavar="NAME,...", help="Which columns, in which order."),
    click.option("--verbatim", is_flag=True, help="Write CSV cells as they are, formulas and all."),
)
FAILURES = _options(
    click.option(
        "--errors",
        type=click.Choice(("raise", "collect")),
        default="raise",
        show_default=True,
        help="Stop at the first failure, or go on without what fails.",
    ),
    click.option("--progress/--no-progress", default=None, help="Show a bar; else after 2 s."),
)
TAGS = _options(
    click.option("--tags", multiple=True, metavar="GLOB", help="Which tags of repositories."),
    click.option("--newest", type=click.IntRange(min=1), help="How many of the newest tags."),
    click.option(
        "--source",
        type=click.Choice(("auto", "hub", "registry")),
        default="auto",
        show_default=True,
        help="Whom to ask about images on Docker Hub.",
    ),
)
IMAGES = _options(
    click.option(
        "--platform",
        multiple=True,
        metavar="OS/ARCH[/VARIANT]",
        help="Which images of a tag; 'all' for every one.",
    ),
    click.option("--attestations", is_flag=True, help="List attestations among the images."),
)
PARTIAL = click.option(
    "--partial", is_flag=True, help="Fetch what fits where Docker Hub has too few pulls left."
)
REFERENCES = click.argument("what", nargs=-1, required=True, metavar="REF...")


@contextmanager
def _client(*, sample: bool, offline: bool, refresh: bool) -> "Iterator[Client]":
    """Open a client for one command; a setting that cannot be read is the user's to mend."""
    from hubframe.frames import cache
    from hubframe.wire.client import Client
    from hubframe.wire.settings import Settings

    if offline and refresh:
        raise click.UsageError("--offline and --refresh exclude each other")
    try:
        settings = Settings.from_environment(sample=sample or None, offline=offline or None)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with Client(settings) as client:
        if refresh:
            with cache.refresh():
                yield client
        else:
            yield client


def _print_frame(function: str, *arguments: Any, **options: Any) -> None:
    """Call a public function and print its frame."""
    import hubframe

    def make(client: "Client", **chosen: Any) -> Any:
        return getattr(hubframe, function)(*arguments, **chosen, client=client)

    print_made(function.removesuffix("_df"), make, **options)


def print_made(table: str, make: _Command, **options: Any) -> None:
    """Make a frame with a client, and with the options that are not about printing; print it."""
    from hubframe.apps.cli import output

    session = {name: options.pop(name) for name in ("sample", "offline", "refresh")}
    path, verbatim = options.pop("output"), options.pop("verbatim")
    form = output.format_of(options.pop("format_"), path)
    columns = output.columns_of(table, options.pop("columns"))
    chosen = {name: _plain(value) for name, value in options.items() if value not in (None, ())}
    with _client(**session) as client:
        try:
            frame = make(client, **chosen)
        except (TypeError, ValueError) as error:
            raise _usage(error) from error
        output.say_failures(frame)
        output.write(frame[columns], form, path, verbatim=verbatim)


def _usage(error: Exception) -> Exception:
    """A wrong argument is a usage error, unless hubframe has a better word for it."""
    from hubframe.errors import HubframeError

    return error if isinstance(error, HubframeError) else click.UsageError(str(error))


def _plain(value: Any) -> Any:
    """A tuple of one is that one: a glob is no list, and 'all' no list of platforms."""
    return (value[0] if len(value) == 1 else list(value)) if isinstance(value, tuple) else value


@click.command(help="List the repositories of users or organisations on Docker Hub.")
@click.argument("namespaces", nargs=-1, required=True, metavar="NAMESPACE...")
@FAILURES
@OUTPUT
@SESSION
def repos(namespaces: tuple[str, ...], **options: Any) -> None:
    _print_frame("repos_df", list(namespaces), **options)


@click.command(help="Search the repositories of Docker Hub.")
@click.argument("query")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@OUTPUT
@SESSION
def search(query: str, **options: Any) -> None:
    _print_frame("search_df", query, **options)


@click.command(help="List the tags of repositories, newest first.")
@REFERENCES
@TAGS
@FAILURES
@OUTPUT
@SESSION
def tags(what: tuple[str, ...], **options: Any) -> None:
    # The argument is not called repos: --tags is an option of the same name as this command.
    _print_frame("tags_df", list(what), **options)


def _image_command(name: str, summary: str) -> click.Command:
    """Make the command of a frame about images; they differ in the frame only."""

    @click.command(name, help=summary)
    @REFERENCES
    @IMAGES
    @TAGS
    @PARTIAL
    @FAILURES
    @OUTPUT
    @SESSION
    def command(what: tuple[str, ...], **options: Any) -> None:
        _print_frame(f"{name}_df", list(what), **options)

    return command


@click.command(help="List the files in the layers of images. This downloads the layers.")
@REFERENCES
@click.option("--max-bytes", type=click.IntRange(min=1), help="How much one layer may be.")
@click.option("--max-entries", type=click.IntRange(min=1), help="How many entries it may have.")
@IMAGES
@TAGS
@PARTIAL
@FAILURES
@OUTPUT
@SESSION
def files(what: tuple[str, ...], **options: Any) -> None:
    _print_frame("files_df", list(what), **options)


@click.command(help="List what refers to images: signatures, attestations and the like.")
@REFERENCES
@click.option("--tags", multiple=True, metavar="GLOB", help="Which tags of repositories.")
@click.option("--newest", type=click.IntRange(min=1), help="How many of the newest tags.")
@FAILURES
@OUTPUT
@SESSION
def referrers(what: tuple[str, ...], **options: Any) -> None:
    _print_frame("referrers_df", list(what), **options)


@click.command(help="List the repositories of a registry that tells them.")
@click.argument("host")
@OUTPUT
@SESSION
def catalog(host: str, **options: Any) -> None:
    _print_frame("catalog_df", host, **options)


@click.command(help="Tell what a call would cost: requests, pulls needed and left, and time.")
@click.argument("frame", type=click.Choice(PLANNED))
@REFERENCES
@IMAGES
@TAGS
@click.option("--progress/--no-progress", default=None, help="Show a bar; else after 2 s.")
@SESSION
def plan(frame: str, what: tuple[str, ...], **options: Any) -> None:
    import hubframe

    session = {name: options.pop(name) for name in ("sample", "offline", "refresh")}
    chosen = {name: _plain(value) for name, value in options.items() if value not in (None, ())}
    with _client(**session) as client:
        try:
            click.echo(str(hubframe.plan(list(what), frame, **chosen, client=client)))
        except (TypeError, ValueError) as error:
            raise _usage(error) from error


@click.command(help="Tell the limits that apply to you, and what is left of them.")
@OUTPUT
@SESSION
def limits(**options: Any) -> None:
    _print_frame("limits_df", **options)


@click.command(help="Print what skopeo inspect prints of an image.")
@click.argument("reference", metavar="REF")
@click.option("--platform", default="linux/amd64", show_default=True, metavar="OS/ARCH[/VARIANT]")
@click.option("--no-tags", is_flag=True, help="Do not list the repository's tags.")
@SESSION
def inspect(reference: str, *, platform: str, no_tags: bool, **session: bool) -> None:
    import hubframe
    from hubframe.apps.cli import output
    from hubframe.frames.inspect import to_skopeo_json

    with _client(**session) as client:
        try:
            found = hubframe.inspect(reference, platform=platform, tags=not no_tags, client=client)
        except (TypeError, ValueError) as error:
            raise _usage(error) from error
        output.echo(to_skopeo_json(found))


@click.command(help="Print the manifest or index of a reference, byte for byte.")
@click.argument("reference", metavar="REF")
@click.option("--platform", metavar="OS/ARCH[/VARIANT]", help="One image's manifest of an index.")
@SESSION
def manifest(reference: str, *, platform: str | None, **session: bool) -> None:
    import hubframe
    from hubframe.apps.cli import output

    with _client(**session) as client:
        try:
            output.echo_bytes(hubframe.raw_manifest(reference, platform=platform, client=client))
        except (TypeError, ValueError) as error:
            raise _usage(error) from error


@click.command(help="Write a report: CSV files, pictures, and a page to read.")
@click.argument("what", nargs=-1, metavar="REF|HOST...")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write.",
)
@click.option("--tags", multiple=True, metavar="GLOB", help="Which tags of repositories.")
@click.option(
    "--newest",
    type=click.IntRange(min=1),
    help="How many of the newest tags have their images and layers read; else all.",
)
@click.option(
    "--platform",
    default="all",
    show_default=True,
    metavar="OS/ARCH[/VARIANT]|all",
    help="Whose images are read.",
)
@click.option(
    "--described",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Of how many of the newest tags on Docker Hub labels are read, for a pull an image.",
)
@click.option("--title", help="The page's title.")
@click.option("--progress/--no-progress", default=None, help="Show a bar; else after 2 s.")
@click.option("--verbatim", is_flag=True, help="Write CSV cells as they are, formulas and all.")
@SESSION
def report(what: tuple[str, ...], *, output: Path, **options: Any) -> None:
    from hubframe import report as reporting

    session = {name: options.pop(name) for name in ("sample", "offline", "refresh")}
    with _client(**session) as client:
        if not what and not client.settings.sample:
            raise click.UsageError("name at least one repository, or use --sample")
        try:
            options["title"] = options["title"] or (None if what else "The bundled sample")
            page = reporting.report(
                list(what) or reporting.SAMPLE,
                output,
                **{**options, "tags": _plain(options["tags"]) if options["tags"] else None},
                client=client,
            )
        except (TypeError, ValueError) as error:
            raise _usage(error) from error
    click.echo(str(page))


@click.group(help="Tell what the cache holds, or empty it.")
def cache() -> None:
    pass


@cache.command("info", help="Tell where the cache is and what it holds.")
@SESSION
def cache_info(**session: bool) -> None:
    from hubframe.frames import cache as caching

    with _client(**session) as client:
        click.echo(str(caching.info(client)))


@cache.command("clear", help="Empty the cache, or drop what is old.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Drop only what was not used, or is no longer fresh, for so long.",
)
@SESSION
def cache_clear(*, dry_run: bool, older_than: float | None, **session: bool) -> None:
    from datetime import timedelta

    from hubframe.frames import cache as caching

    try:
        age = None if older_than is None else timedelta(days=older_than)
    except OverflowError as error:
        raise click.UsageError("--older-than: that is too many days") from error
    with _client(**session) as client:
        click.echo(str(caching.clear(dry_run=dry_run, older_than=age, client=client)))
    click.echo("nothing was removed (--dry-run)" if dry_run else "removed", err=True)


COMMANDS: dict[str, click.Command] = {
    "repos": repos,
    "search": search,
    "tags": tags,
    "images": _image_command("images", "List the images of tags, one for each platform."),
    "layers": _image_command("layers", "List the layers of images, base first."),
    "files": files,
    "history": _image_command("history", "List the build steps of images."),
    "labels": _image_command("labels", "List the labels and annotations of images."),
    "env": _image_command("env", "List the environment variables of images."),
    "configs": _image_command("configs", "List the configurations of images."),
    "referrers": referrers,
    "catalog": catalog,
    "plan": plan,
    "limits": limits,
    "inspect": inspect,
    "manifest": manifest,
    "report": report,
    "cache": cache,
}
