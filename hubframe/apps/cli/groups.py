"""How commands are declared: each calls a function with a client, and prints what it returns."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import reduce
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

import hubframe
from hubframe.apps.cli.options import (
    FORMAT,
    OUTPUT,
    SESSION,
    VERBATIM,
    Function,
    Option,
    did_you_mean,
)
from hubframe.errors import HubframeError
from hubframe.oci.reference import DOCKER_HUB, is_registry, parse_registry
from hubframe.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

# What people want to do, in the order of the work.
FIND = "Find repositories and tags"
IMAGES = "Read images"
INSIDE = "Look inside images, and at who made them"
OWN = "Read files of your own"
ANSWER = "Answer questions about tags and images"
PAST = "Keep and compare the past"
SHOW = "Report and explore"
COST = "Costs, limits and the cache"
PROGRAM = "This program"
JOBS = (FIND, IMAGES, INSIDE, OWN, ANSWER, PAST, SHOW, COST, PROGRAM)
# Commands whose argument is a registry, or any words.
_OF_HOSTS = ("catalog", "report", "search")


class Command(click.Command):
    """A command, with the job that it is for and the table that it prints; others by flags."""

    def __init__(
        self,
        *args: Any,
        job: str = PROGRAM,
        table: str = "",
        tables: Mapping[str, str] | None = None,
        **how: Any,
    ) -> None:
        super().__init__(*args, **how)
        self.job = job
        self.table = table
        self.tables = tables or {}

    def table_of(self, given: Mapping[str, Any]) -> str:
        """Return the table that it prints with the options that are given."""
        return next((table for flag, table in self.tables.items() if given.get(flag)), self.table)


class Group(click.Group):
    """Commands by job; for a name that is none of them the closest is suggested."""

    command_class = Command

    def __init__(self, *args: Any, job: str = PROGRAM, **how: Any) -> None:
        super().__init__(*args, **how)
        self.job = job

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the commands job by job, as they are declared."""
        return sorted(self.commands, key=lambda name: JOBS.index(_job(self.commands[name])))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries, whole, below the jobs."""
        names = self.list_commands(ctx)
        widest = max(map(len, names))
        jobs = list(dict.fromkeys(_job(self.commands[name]) for name in names))
        for job in jobs:
            rows = [
                (name.ljust(widest), self.commands[name].get_short_help_str(200))
                for name in names
                if _job(self.commands[name]) == job
            ]
            with formatter.section(job if len(jobs) > 1 else "Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; where there is none, name the closest, also by the name of a frame."""
        is_named = ctx.resilient_parsing or args[0].startswith("-")
        if not is_named and self.get_command(ctx, args[0]) is None:
            tables = {_table(command): name for name, command in self.commands.items()}
            known = tables | {name: name for name in self.commands}
            ctx.fail(
                f"No such command {args[0]!r}.{did_you_mean(args[0].replace('_', '-'), known)}"
            )
        return super().resolve_command(ctx, args)


def _job(command: click.Command) -> str:
    return str(getattr(command, "job", PROGRAM))


def _table(command: click.Command) -> str:
    return str(getattr(command, "table", "")).replace("_", "-")


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nTry it without a network:\n  hubframe tags ansible/ansible --sample",
)
@click.version_option(__version__, prog_name="hubframe")
def cli() -> None:
    """Docker Hub and every OCI registry as tables.

    REF is an image as Docker names it: nginx, ansible/ansible:13.4.0, ghcr.io/org/app; or one on
    this machine: docker-archive:app.tar, oci:folder, docker-daemon:app, podman:app. In a terminal
    a table shows what fits, with sizes and dates for people; a pipe, --format and --output get
    all columns, sizes in bytes and dates as ISO 8601 has them.

    It exits with 0, with 1 after an error, 2 after a wrong argument, 130 when interrupted.
    """


def command(  # noqa: PLR0913
    name: str,
    text: str,
    *options: Option,
    more: str = "",
    example: str = "",
    job: str = PROGRAM,
    table: str = "",
    tables: Mapping[str, str] | None = None,
    session: tuple[Option, ...] = SESSION,
    asks: tuple[str, ...] | None = None,
    group: click.Group = cli,
) -> Callable[[Function], Function]:
    """Declare a command by a function of a client and of the options that were given.

    What the function returns is printed: a frame of the table that is named, with a flag of
    `tables` that of another, or a document. `text` is its summary, `more` what else there is to
    say, and `example` one way to call it, or several. Where a command has no `session`, or none of
    the flags that `asks` names was given, no registry is asked and there is no client: to load one
    takes its time.
    """

    def declare(function: Function) -> Function:
        def run(**given: Any) -> None:
            from hubframe.apps.cli import output

            show = _printer(made_by.table_of(given), given) if table else output.echo
            is_asking = session and (asks is None or any(given[flag] for flag in asks))
            with _client(given) if is_asking else nullcontext() as client:
                with _explaining(None if name in _OF_HOSTS else given.get("what")):
                    made = function(client, **_keywords(given))
                (output.echo if isinstance(made, str) else show)(made)

        printing = (FORMAT, OUTPUT, _COLUMNS, VERBATIM) if table else ()
        parameters = (*options, *printing, *session)
        made_by: Any = group.command(
            name,
            help=f"{text}\n\n{more}".strip(),
            short_help=text,
            epilog=example and f"\b\nExample:\n  {example}",
            job=job,
            table=table,
            tables=tables,
        )(reduce(lambda made, option: option(made), reversed(parameters), run))
        return function

    return declare


def call_command(function: str, name: str, text: str, *options: Option, **how: Any) -> None:
    """Declare a command that calls a public function and no more.

    What is asked for is its first argument, and the options are its keywords of the same name.
    """

    def run(client: "Client", what: Any = None, **given: Any) -> Any:
        arguments = () if what is None else (what,)
        return attrgetter(function)(hubframe)(*arguments, **given, client=client)

    command(name, text, *options, **how)(run)


def frame_command(name: str, text: str, *options: Option, **how: Any) -> None:
    """Declare the command of a frame that is fetched."""
    table = name.replace("-", "_")
    call_command(f"{table}_df", name, text, *options, table=table, **how)


def _keywords(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, as keywords."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if versions := chosen.pop("versions", None):
        if "tags" in chosen:
            raise click.UsageError("--tags and --versions exclude each other")
        chosen["tags"] = versions
    return chosen


def _column_names(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete the last of some names of columns."""
    from hubframe.tables import TABLES

    before, comma, last = begun.rpartition(",")
    named = before.split(",")
    command: Any = ctx.command
    names = [name for name in TABLES[command.table_of(ctx.params)].dtypes if name not in named]
    return [CompletionItem(before + comma + name) for name in names if name.startswith(last)]


_COLUMNS = click.option(
    "--columns",
    metavar="NAME,...",
    shell_complete=_column_names,
    help="Which columns to print, in which order.",
)


@contextmanager
def _explaining(what: str | list[str] | None = None) -> Iterator[None]:
    """Name what lists a registry's repositories, or reads a file, that was taken for an image.

    A wrong argument is a usage error, unless hubframe has a better word for it.
    """
    try:
        yield
    except HubframeError as error:
        for one in [what] if isinstance(what, str) else what or ():
            # pathlib raises for names that are too long for a file.
            if os.path.isdir(one):  # noqa: PTH112
                error.add_note(f"If the folder {one} is meant: oci:{one} or dir:{one}")
            elif os.path.isfile(one):  # noqa: PTH113
                error.add_note(f"If the archive {one} is meant: docker-archive:{one}")
            elif is_registry(one):
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
    """Open the client that options ask for; a setting that cannot be read is a usage error."""
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
    chosen = given.pop("columns")
    columns = output.columns_of(table, chosen)

    def show(frame: "pd.DataFrame") -> None:
        output.say_failures(frame)
        output.write(frame[columns], form, path, verbatim=verbatim, is_chosen=bool(chosen))

    return show


def with_failures(table: str, frame: "pd.DataFrame", *sources: "pd.DataFrame") -> "pd.DataFrame":
    """Hand on what the frames that an answer is made of lack."""
    frame.attrs["hubframe"] = {"table": table}
    for name in ("failures", "unknown"):
        told = [one for source in sources for one in source.attrs["hubframe"].get(name, ())]
        once = [one for place, one in enumerate(told) if one not in told[:place]]
        frame.attrs["hubframe"][name] = once
    return frame
