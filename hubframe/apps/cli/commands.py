"""The commands. Each parses, calls the public function of the same name, and prints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial, reduce
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import hubframe
from hubframe.errors import HubframeError
from hubframe.oci.reference import DOCKER_HUB, is_registry, parse_registry
from hubframe.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

PLANNED = ("tags", "images", "layers", "history", "labels", "env", "configs", "referrers")
# Commands whose argument is a registry, or any words.
_OF_HOSTS = ("catalog", "report", "search")
FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet", "xlsx")

_Function = Callable[..., Any]
_Option = Callable[[_Function], _Function]


class _InOrder(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the commands in the order of the work: find, read, report, keep."""
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubframe")
def cli() -> None:
    """Docker Hub and every OCI registry as tables.

    Try it without a network: hubframe tags ansible/ansible --sample
    """


# What commands take. An option that may be given more than once is a list only where it was.


def _one_or_many(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values) or None


def _listed(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[str]:
    return list(values)


def _several(name: str, metavar: str) -> _Option:
    return click.argument(name, nargs=-1, required=True, metavar=metavar, callback=_listed)


def _flag(name: str, text: str) -> _Option:
    return click.option(name, is_flag=True, help=text)


def _many(name: str, metavar: str, text: str) -> _Option:
    return click.option(name, multiple=True, metavar=metavar, callback=_one_or_many, help=text)


def _given(name: str, text: str, kind: Any = None, default: Any = None, **how: Any) -> _Option:
    """Declare an option with a value of a type, or of some choices; a default is shown."""
    kind = click.Choice(kind) if isinstance(kind, tuple) else kind
    shown = {} if default is None else {"default": default, "show_default": True}
    return click.option(*name.split(), type=kind, help=text, **shown, **how)


_OS = "OS/ARCH[/VARIANT]"
_COUNT = click.IntRange(min=1)
_ERRORS, _SOURCES = ("raise", "collect"), ("auto", "hub", "registry")
_days = partial(_given, kind=click.FloatRange(min=0), metavar="DAYS")
_REFERENCES = _several("what", "REF...")
_REFERENCE = click.argument("what", metavar="REF")
_VERBATIM = _flag("--verbatim", "Write CSV cells as they are, formulas and all.")
_SESSION = (
    _flag("--sample", "Answer from the bundled, synthetic sample."),
    _flag("--offline", "Answer from the cache alone."),
    _flag("--refresh", "Ask anew for everything that can change."),
)
_OUTPUT = (
    _given("--format format_", "How to print; by the suffix of --output, else a table.", FORMATS),
    _given("--output", "Write a file.", click.Path(dir_okay=False, path_type=Path)),
    _given("--columns", "Which columns, in which order.", metavar="NAME,..."),
    _VERBATIM,
)
_PROGRESS = click.option(
    "--progress/--no-progress", default=None, help="Show a bar; else after 2 s."
)
_FAILURES = (
    _given("--errors", "Stop at the first failure, or go on without what fails.", _ERRORS, "raise"),
    _PROGRESS,
)
_GLOBS = _many("--tags", "GLOB", "Which tags of repositories.")
_NEWEST = _given("--newest", "How many of the newest tags.", _COUNT)
_TAGS = (
    _GLOBS,
    _NEWEST,
    _given("--source", "Whom to ask about images on Docker Hub.", _SOURCES, "auto"),
)
_PLATFORM = click.option("--platform", default="linux/amd64", show_default=True, metavar=_OS)
_IMAGES = (
    _many("--platform", _OS, "Which images of a tag; 'all' for every one."),
    _flag("--attestations", "List attestations among the images."),
)
_OF_IMAGES = (
    _REFERENCES,
    *_IMAGES,
    *_TAGS,
    _flag("--partial", "Fetch what fits where Docker Hub has too few pulls left."),
    *_FAILURES,
)
_TO = _given(
    "--to", "A folder, or an address such as s3://bucket/folder.", required=True, metavar="PLACE"
)


# How commands are declared.


def _command(
    name: str,
    text: str,
    *options: _Option,
    table: str = "",
    session: tuple[_Option, ...] = _SESSION,
    group: click.Group = cli,
) -> Callable[[_Function], _Function]:
    """Declare a command by a function of a client and of the options that were given.

    What the function returns is printed: a frame of the table that is named, or a document.
    """

    def declare(function: _Function) -> _Function:
        def command(**given: Any) -> None:
            from hubframe.apps.cli import output

            show = _printer(table, given) if table else output.echo
            with _client(given) as client:
                with _explaining(None if name in _OF_HOSTS else given.get("what")):
                    chosen = {name: value for name, value in given.items() if value is not None}
                    made = function(client, **chosen)
                show(made)

        parameters = (*options, *(_OUTPUT if table else ()), *session)
        decorated = reduce(lambda made, option: option(made), reversed(parameters), command)
        group.command(name, help=text)(decorated)
        return function

    return declare


@contextmanager
def _explaining(what: str | list[str] | None = None) -> Iterator[None]:
    """Tell what lists a registry's repositories, where its name was read as a repository's.

    A wrong argument is a usage error, unless hubframe has a better word for it.
    """
    try:
        yield
    except HubframeError as error:
        for one in [what] if isinstance(what, str) else what or ():
            if is_registry(one):
                host = parse_registry(one)
                calls = "repos NAMESPACE" if host == DOCKER_HUB else f"catalog {host}"
                error.add_note(
                    f"If the registry {host} is meant: hubframe {calls} lists repositories"
                )
        raise
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _client(given: dict[str, Any]) -> "Iterator[Client]":
    """Open the client that options ask for; a setting that cannot be read is the user's to mend."""
    sample, offline, refresh = (given.pop(name, False) for name in ("sample", "offline", "refresh"))
    if offline and refresh:
        raise click.UsageError("--offline and --refresh exclude each other")
    chosen = {"sample": sample or None, "offline": offline or None}
    with _explaining():
        settings = hubframe.Settings.from_environment(**chosen)
    with hubframe.Client(settings) as client, hubframe.refresh() if refresh else nullcontext():
        yield client


def _printer(table: str, given: dict[str, Any]) -> "Callable[[pd.DataFrame], None]":
    """Take the options that say how a frame is printed, and return what prints it."""
    from hubframe.apps.cli import output

    path, verbatim = given.pop("output"), given.pop("verbatim")
    form = output.format_of(given.pop("format_"), path)
    columns = output.columns_of(table, given.pop("columns"))

    def show(frame: "pd.DataFrame") -> None:
        output.say_failures(frame)
        output.write(frame[columns], form, path, verbatim=verbatim)

    return show


# Calls: what is asked for is the first argument, and the options are keywords of the same name.


def _call(function: str, client: "Client", what: Any = None, **options: Any) -> Any:
    arguments = () if what is None else (what,)
    return attrgetter(function)(hubframe)(*arguments, **options, client=client)


def _call_command(function: str, name: str, text: str, *options: _Option, **how: Any) -> None:
    _command(name, text, *options, **how)(partial(_call, function))


def _frame_command(name: str, text: str, *options: _Option) -> None:
    _call_command(f"{name}_df", name, text, *options, table=name)


_frame_command(
    "repos",
    "List the repositories of users or organisations on Docker Hub.",
    _several("what", "NAMESPACE..."),
    *_FAILURES,
)
_frame_command(
    "search",
    "Search the repositories of Docker Hub.",
    click.argument("what", metavar="QUERY"),
    click.option("--limit", type=_COUNT, default=100, show_default=True),
)
_frame_command(
    "tags", "List the tags of repositories, newest first.", _REFERENCES, *_TAGS, *_FAILURES
)
_frame_command("images", "List the images of tags, one for each platform.", *_OF_IMAGES)
_frame_command("layers", "List the layers of images, base first.", *_OF_IMAGES)
_frame_command(
    "files",
    "List the files in the layers of images. This downloads the layers.",
    *_OF_IMAGES[:1],
    _given("--max-bytes", "How much one layer may be.", _COUNT),
    _given("--max-entries", "How many entries it may have.", _COUNT),
    *_OF_IMAGES[1:],
)
_frame_command("history", "List the build steps of images.", *_OF_IMAGES)
_frame_command("labels", "List the labels and annotations of images.", *_OF_IMAGES)
_frame_command("env", "List the environment variables of images.", *_OF_IMAGES)
_frame_command("configs", "List the configurations of images.", *_OF_IMAGES)
_frame_command(
    "referrers",
    "List what refers to images: signatures, attestations and the like.",
    _REFERENCES,
    _GLOBS,
    _NEWEST,
    *_FAILURES,
)
_frame_command(
    "catalog",
    "List the repositories of a registry that tells them.",
    click.argument("what", metavar="HOST"),
)


_call_command(
    "plan",
    "plan",
    "Tell what a call would cost: requests, pulls needed and left, and time.",
    click.argument("frame", type=click.Choice(PLANNED)),
    _REFERENCES,
    *_IMAGES,
    *_TAGS,
    _PROGRESS,
)
_frame_command("limits", "Tell the limits that apply to you, and what is left of them.")


# Documents, reports and the cache.


_call_command(
    "inspect",
    "inspect",
    "Print what skopeo inspect prints of an image.",
    _REFERENCE,
    _PLATFORM,
    click.option(
        "--no-tags",
        "tags",
        flag_value=False,
        default=True,
        help="Do not list the repository's tags.",
    ),
)
_call_command(
    "raw_manifest",
    "manifest",
    "Print the manifest or index of a reference, byte for byte.",
    _REFERENCE,
    _given("--platform", "One image's manifest of an index.", metavar=_OS),
)


@_command(
    "report",
    "Write a report: CSV files, pictures, and a page to read.",
    click.argument("what", nargs=-1, metavar="REF|HOST...", callback=_listed),
    _given(
        "--output",
        "The folder to write.",
        click.Path(file_okay=False, path_type=Path),
        required=True,
    ),
    _GLOBS,
    _given(
        "--newest",
        "How many of the newest tags have their images and layers read; else all.",
        _COUNT,
    ),
    _given("--platform", "Whose images are read.", default="all", metavar=f"{_OS}|all"),
    _given(
        "--described",
        "Of how many of the newest tags on Docker Hub labels are read, for a pull an image.",
        _COUNT,
        20,
    ),
    _given("--title", "The page's title."),
    _flag("--interactive", "Let the page's tables be filtered and sorted, with all their rows."),
    _PROGRESS,
    _VERBATIM,
)
def _report(client: "Client", what: list[str], output: Path, **options: Any) -> Path:
    if not what and not client.settings.sample:
        raise click.UsageError("name at least one repository, or use --sample")
    if not what:
        options.setdefault("title", "The bundled sample")
    return hubframe.report.report(what or hubframe.report.SAMPLE, output, **options, client=client)


@cli.group("cache", help="Tell what the cache holds, or empty it.")
def _cache() -> None:
    pass


_call_command("cache.info", "info", "Tell where the cache is and what it holds.", group=_cache)


@_command(
    "clear",
    "Empty the cache, or drop what is old.",
    _flag("--dry-run", "Only tell what would go."),
    _days("--older-than", "Drop only what was not used, or is no longer fresh, for so long."),
    group=_cache,
)
def _cache_clear(client: "Client", *, dry_run: bool, older_than: float | None = None) -> Any:
    try:
        age = None if older_than is None else timedelta(days=older_than)
    except OverflowError as error:
        raise click.UsageError("--older-than: that is too many days") from error
    cleared = hubframe.cache.clear(dry_run=dry_run, older_than=age, client=client)
    click.echo("nothing was removed (--dry-run)" if dry_run else "removed", err=True)
    return cleared


# Answers: they fetch what an answer takes, and measure it.

_call_command(
    "compare_df",
    "compare",
    "List what differs between images, each compared with the next.",
    _REFERENCES,
    _PLATFORM,
    _PROGRESS,
    table="comparison",
)


@_command(
    "cleanup",
    "List which tags a rule would delete, and why. It deletes nothing.",
    _REFERENCES,
    _given("--keep", "How many of the newest tags stay.", click.IntRange(min=0)),
    _days("--older-than", "Only tags pushed longer ago go."),
    _days("--unused-for", "Only tags not used for so long go."),
    _many("--protect", "GLOB", "Tags that stay in any case; else latest."),
    _flag("--freed", "Read the layers of all platforms, to tell what it would free."),
    *_FAILURES,
    table="cleanup",
)
def _cleanup(client: "Client", what: list[str], *, freed: bool, **options: Any) -> "pd.DataFrame":
    from hubframe.frames.selection import references

    chosen = {name: options.pop(name) for name in ("errors", "progress") if name in options}
    repositories = references(what)
    if any(one.tag or one.digest for one in repositories):
        # What else the repository holds decides what is newest, and what would be freed.
        raise click.UsageError("name repositories, without a tag or a digest")
    if not options.keys() - {"protect"}:
        raise click.UsageError("no rule: give --keep, --older-than or --unused-for")
    fetched = [hubframe.tags_df(repositories, **chosen, client=client)]
    if freed:
        fetched.append(hubframe.layers_df(repositories, platform="all", **chosen, client=client))
    return _with_failures("cleanup", hubframe.cleanup_df(*fetched, **options), *fetched)


@_command(
    "summary",
    "Print the figures of repositories beside those of published studies.",
    _REFERENCES,
    *_TAGS,
    _PLATFORM,
    *_FAILURES,
    table="figures",
)
def _summary(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
    from hubframe.frames.selection import references

    asked = references(what)
    shared = {name: options[name] for name in ("errors", "progress") if name in options}
    layers = hubframe.layers_df(asked, **options, client=client)
    images = hubframe.images_df(asked, **options, client=client)
    namespaces = {one.namespace for one in asked if one.is_hub}
    repos = hubframe.repos_df(sorted(namespaces), **shared, client=client)
    repos = repos[repos["repo"].isin([one.repo for one in asked])]
    return _with_failures("figures", hubframe.summary(layers, images, repos), layers, images, repos)


def _with_failures(table: str, frame: "pd.DataFrame", *sources: "pd.DataFrame") -> "pd.DataFrame":
    """Hand on what the frames that an answer is made of lack."""
    failures = [one for source in sources for one in source.attrs["hubframe"]["failures"]]
    frame.attrs["hubframe"] = {"table": table, "failures": failures}
    return frame


@cli.command(
    "explore",
    help="Click through repositories, tags and images in JupyterLab, or in a page. What is no "
    "option of hubframe's goes to JupyterLab or Voila: --ip=0.0.0.0.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[WHAT] [JUPYTER_OPTION...]")
@_flag("--voila", "Serve it as a page, by Voila.")
@_given("--port", "Where to listen.", click.IntRange(1, 65535))
@_flag("--no-browser", "Open no browser; print the address.")
@_flag("--sample", "Show the bundled sample: no network.")
@_flag("--offline", "Show what is in the cache: no network.")
def _explore(words: tuple[str, ...], *, port: int | None, no_browser: bool, **options: bool) -> int:
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


_call_command(
    "snapshot",
    "snapshot",
    "Append what repositories and tags are now to a Parquet dataset.",
    _several("what", "NAMESPACE|REPO..."),
    _TO,
    _given("--run", "Name the run, to go on with it if it is cut short.", metavar="NAME"),
    _given(
        "--frame frames",
        "What to look at; repos alone takes far fewer requests. Else both.",
        ("repos", "tags"),
        multiple=True,
        callback=_one_or_many,
    ),
    _given(
        "--errors",
        "Stop at the first failure, or write down what fails and go on.",
        _ERRORS,
        "collect",
    ),
    _PROGRESS,
    table="runs",
)


@_command(
    "import-repo-info",
    "Append the past of the official images, out of a checkout of docker-library/repo-info.",
    click.argument("path", metavar="CHECKOUT"),
    click.argument("repos", nargs=-1, metavar="[IMAGE]...", callback=_one_or_many),
    _TO,
    table="runs",
    session=(),
)
def _import_repo_info(_: "Client", path: str, **options: Any) -> "pd.DataFrame":
    return _with_failures("runs", hubframe.import_repo_info(path, **options).runs)
