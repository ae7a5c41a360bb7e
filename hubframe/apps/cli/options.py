"""What commands take: an option of the command line is a keyword of the same name in Python."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import click

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet", "xlsx")
OS = "OS/ARCH[/VARIANT]"
COUNT = click.IntRange(min=1)
ERRORS, SOURCES = ("raise", "collect"), ("auto", "hub", "registry")

Function = Callable[..., Any]
Option = Callable[[Function], Function]


def did_you_mean(given: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """Return a sentence that names what is closest; empty where nothing is.

    A mapping holds what is meant by how it may be spelled.
    """
    meant = known if isinstance(known, Mapping) else {one: one for one in known}
    close = get_close_matches(given.lower(), meant)
    named = list(dict.fromkeys(meant[one] for one in close))
    return f" Did you mean {' or '.join(named)}?" if named else ""


class Choice(click.Choice[str]):
    """Some values, of which the closest is named where another is given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value, if it is one of those."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            meant = did_you_mean(str(value), self.choices)
            raise click.BadParameter(error.message + meant, ctx, param) from error


# An option that may be given more than once is a list only where it was.


def one_or_many(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Any:
    """Return one value as it is, and several as a list."""
    return values[0] if len(values) == 1 else list(values) or None


def listed(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[str]:
    """Return values as a list."""
    return list(values)


def several(name: str, metavar: str) -> Option:
    """Declare an argument of one value or more."""
    return click.argument(name, nargs=-1, required=True, metavar=metavar, callback=listed)


def flag(name: str, text: str) -> Option:
    """Declare an option without a value."""
    return click.option(name, is_flag=True, help=text)


def many(name: str, metavar: str, text: str) -> Option:
    """Declare an option that may be given more than once."""
    text = f"{text} May be repeated."
    return click.option(
        *name.split(), multiple=True, metavar=metavar, callback=one_or_many, help=text
    )


def given(name: str, text: str, kind: Any = None, default: Any = None, **how: Any) -> Option:
    """Declare an option with a value of a type, or of some choices; a default is shown."""
    kind = Choice(kind) if isinstance(kind, tuple) else kind
    shown = {} if default is None else {"default": default, "show_default": True}
    return click.option(*name.split(), type=kind, help=text, **shown, **how)


def count(name: str, text: str, default: Any = None, least: int = 1) -> Option:
    """Declare an option with a whole number."""
    return given(name, text, click.IntRange(min=least), default, metavar="N")


days = partial(given, kind=click.FloatRange(min=0), metavar="DAYS")

REFERENCES = several("what", "REF...")
REFERENCE = click.argument("what", metavar="REF")
REPOSITORIES = several("what", "REPO...")
VERBATIM = flag(
    "--verbatim", "Write CSV cells as they are, also those that a spreadsheet would run."
)
SESSION = (
    flag("--sample", "Answer from the bundled, synthetic sample, without a network."),
    flag("--offline", "Answer from the cache alone."),
    flag("--refresh", "Ask again for everything that can change."),
)
FORMAT = given(
    "--format format_",
    f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}. Default: by --output's suffix, else table.",
    FORMATS,
    metavar="FORMAT",
)
OUTPUT = given(
    "--output", "Write to this file.", click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
PROGRESS = click.option(
    "--progress/--no-progress",
    default=None,
    help="Show a progress bar, or none. Default: after 2 seconds.",
)
FAILURES = (
    given("--errors", "Stop at the first failure, or go on without what fails.", ERRORS, "raise"),
    PROGRESS,
)
GLOBS = many("--tags", "GLOB", "Only tags that match, such as '3.*'.")
NEWEST = count("--newest", "Only the N newest tags of each repository.")
SOURCE = given(
    "--source", "What to ask about images on Docker Hub: its API, or the registry.", SOURCES, "auto"
)
PLATFORM = click.option(
    "--platform", default="linux/amd64", show_default=True, metavar=OS, help="Which image of a tag."
)
PLATFORMS = many(
    "--platform", OS, "Which images of a tag: linux/amd64 unless given, 'all' for every one."
)
TO = given(
    "--to", "A folder, or an address such as s3://bucket/folder.", required=True, metavar="PLACE"
)


def _versions(_: click.Context, __: click.Parameter, text: str | None) -> Any:
    from hubframe import versions_in

    try:
        return None if text is None else versions_in(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


VERSIONS = given(
    "--versions",
    "Only tags whose version is within bounds, such as '>=2.9,<3,stable'.",
    metavar="BOUNDS",
    callback=_versions,
)
TAGS = (GLOBS, VERSIONS, NEWEST, SOURCE)
PARTIAL = flag("--partial", "Fetch what fits if Docker Hub has too few pulls left.")
OF_IMAGES = (
    REFERENCES,
    PLATFORMS,
    flag("--attestations", "List attestations too."),
    *TAGS,
    PARTIAL,
    *FAILURES,
)
