"""The commands that answer: each fetches the frames that its measure takes, and measures them.

A measure gets its command by an `Answer`, one of snapshots by a `Past`. Those that take more than
that are below.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import hubframe
from hubframe.apps.cli.groups import ANSWER, PAST, call_command, command, with_failures
from hubframe.apps.cli.options import (
    FAILURES,
    GLOBS,
    NEWEST,
    PARTIAL,
    PLATFORM,
    PLATFORMS,
    PROGRESS,
    REFERENCES,
    REPOSITORIES,
    TAGS,
    VERSIONS,
    Option,
    count,
    days,
    flag,
    given,
    many,
)

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

OF_FILES = (
    count("--max-bytes", "Refuse layers of more than N bytes."),
    count("--max-entries", "Refuse more than N entries."),
)
# All tags of the repositories that are named, whatever else limits the tags.
ALL_TAGS = "all tags"
# The keywords of fetching; a measure gets the others.
_FETCHED = {
    *("tags", "newest", "source", "platform", "partial"),
    *("errors", "progress", "max_bytes", "max_entries"),
}
_OF_ALL = ("errors", "progress")


class Answer(NamedTuple):
    """A measure's command."""

    name: str
    table: str
    frames: tuple[str, ...]  # what the measure takes, in this order
    text: str
    example: str
    options: tuple[Option, ...] = ()  # the measure's own keywords
    more: str = ""
    function: str = ""  # the table's name with _df, unless given


_PULLS = "On Docker Hub each distinct image costs a pull, once."
_DOWNLOADS = "This downloads the layers, once each."
_BASES = "Parents are looked for among the repositories that are named: name the bases too."

# An answer in few lines, so that they read as a table.
# fmt: off
ANSWERS = (
    Answer("lag", "latest_lag", (ALL_TAGS,), "Show how far latest is behind the highest version.",
           "hubframe lag library/redis ansible/ansible --sample"),
    Answer("cadence", "cadence", (ALL_TAGS,), "Show how often repositories release versions.",
           "hubframe cadence library/redis ansible/ansible --sample"),
    Answer("staleness", "staleness", ("tags",), "Show how long ago tags were pushed and pulled.",
           "hubframe staleness library/redis --sample",
           (days("--stale-after", "From how old on a tag is stale.", default=365.0),)),
    Answer("shared", "shared_layers", ("layers",),
           "List distinct layers, and how many images hold each.",
           "hubframe shared library/redis library/debian --sample",
           more="Name all repositories that the answer should cover."),
    Answer("footprint", "footprint", ("layers",), "Show the bytes that tags share, and hold alone.",
           "hubframe footprint ansible/ansible --sample",
           (given("--by", "What a row is.", ("tag", "image", "repo", "namespace"), "tag"),),
           "freed_size is what a deletion frees, as far as is named here: name all repositories, "
           "with --platform all, before relying on it."),
    Answer("duplicates", "duplicates", ("layers",), "List tags that have the same layers.",
           "hubframe duplicates library/redis --sample"),
    Answer("similarity", "similarity", ("layers",), "Compare every pair of images by shared bytes.",
           "hubframe similarity library/redis library/debian --at-least 0.5 --sample",
           (given("--at-least", "Leave out pairs that are less similar.",
                  click.FloatRange(0, 1), 0.0, metavar="SHARE"),
            flag("--disjoint", "List pairs that share nothing, too."),
            count("--most", "Refuse to list more than N pairs.", 1_000_000))),
    Answer("size-trend", "size_trend", ("layers",),
           "Show which build steps made releases grow.",
           "hubframe size-trend library/alpine --versions '>=3.18' --sample"),
    Answer("parents", "parents", ("layers", ALL_TAGS),
           "Find the image that each image was built on.",
           "hubframe parents library/redis:latest library/debian --sample", more=_BASES),
    Answer("outdated", "outdated", ("layers", ALL_TAGS),
           "List images whose parent's tag has a newer image.",
           "hubframe outdated library/redis library/debian --sample", more=_BASES),
    Answer("coverage", "coverage", ("labels", "configs"),
           "List which standard labels images have and lack.",
           "hubframe coverage acme/web --newest 3 --sample", more=_PULLS),
    Answer("standard-labels", "standard_labels", ("labels",),
           "Find standard labels, also under other names.",
           "hubframe standard-labels acme/web --newest 3 --sample",
           more=_PULLS, function="standard_labels"),
    Answer("platform-coverage", "platform_coverage", ("images",),
           "List which platforms tags have and lack.",
           "hubframe platform-coverage library/python --newest 5 --sample"),
    Answer("efficiency", "efficiency", ("files",), "Show how many bytes of images are wasted.",
           "hubframe efficiency registry.example/shop/web:1.2.0 --sample",
           more=_DOWNLOADS, function="efficiency"),
    Answer("wasted", "wasted", ("files",), "List files that stand in several layers of an image.",
           "hubframe wasted registry.example/shop/web:1.2.0 --sample", more=_DOWNLOADS),
)
# fmt: on


def _options(answer: Answer) -> tuple[Option, ...]:
    """Return what a command takes: for the first of its frames, and for its measure."""
    first = answer.frames[0]
    if first == ALL_TAGS:
        return (REPOSITORIES, *answer.options, *FAILURES)
    if first == "tags":
        return (REFERENCES, *answer.options, *TAGS, *FAILURES)
    of_tags = (GLOBS, VERSIONS, NEWEST) if first == "labels" else TAGS
    of_files = OF_FILES if first == "files" else ()
    platforms = () if first == "images" else (PLATFORMS,)
    return (REFERENCES, *answer.options, *of_files, *platforms, *of_tags, PARTIAL, *FAILURES)


def _answering(answer: Answer) -> Any:
    def run(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
        own = {name: value for name, value in options.items() if name not in _FETCHED}
        how = {name: value for name, value in options.items() if name in _FETCHED}
        repositories = _repositories(what, must=answer.frames[0] == ALL_TAGS)
        frames = [_fetched(name, what, repositories, client, how) for name in answer.frames]
        measure = getattr(hubframe, answer.function or f"{answer.table}_df")
        return with_failures(answer.table, measure(*frames, **own), *frames)

    return run


def _fetched(
    name: str, what: list[str], repositories: list[str], client: "Client", how: dict[str, Any]
) -> "pd.DataFrame":
    if name == ALL_TAGS:
        name, what = "tags", repositories
        how = {keyword: how[keyword] for keyword in _OF_ALL if keyword in how}
    frame: pd.DataFrame = getattr(hubframe, f"{name}_df")(what, **how, client=client)
    return frame


def _repositories(what: Sequence[str], *, must: bool) -> list[str]:
    """Return the repositories of references; none may be a tag's where all tags are needed."""
    from hubframe.frames.selection import references

    asked = references(what)
    if must and any(one.tag or one.digest for one in asked):
        raise click.UsageError("name repositories, without a tag or a digest")
    return list(dict.fromkeys(one.repo for one in asked))


call_command(
    "compare_df",
    "compare",
    "List what differs between images.",
    REFERENCES,
    PLATFORM,
    PROGRESS,
    flag("--packages", "Compare their packages too, which downloads layers."),
    more="Each image is compared with the next: size, layers, steps, configuration, environment "
    f"and labels. {_PULLS}",
    example="hubframe compare library/python:3.14.0 library/python:3.14.3 --sample",
    job=ANSWER,
    table="comparison",
)

for _answer in ANSWERS:
    command(
        _answer.name,
        _answer.text,
        *_options(_answer),
        more=_answer.more,
        example=_answer.example,
        job=ANSWER,
        table=_answer.table,
    )(_answering(_answer))


@command(
    "cleanup",
    "List tags a rule would delete; it deletes nothing.",
    REPOSITORIES,
    count("--keep", "Keep the N newest tags.", least=0),
    days("--older-than", "Only tags that were pushed longer ago."),
    days("--unused-for", "Only tags that were not used for so long."),
    many("--protect", "GLOB", "Tags that stay in any case. Default: latest."),
    flag("--freed", "Read the layers of all platforms, to show what it would free."),
    *FAILURES,
    more="Give --keep, --older-than or --unused-for; with several, a tag must meet all of them.",
    example="hubframe cleanup acme/api --keep 3 --older-than 365 --sample",
    job=ANSWER,
    table="cleanup",
)
def _cleanup(client: "Client", what: list[str], *, freed: bool, **options: Any) -> "pd.DataFrame":
    chosen = {name: options.pop(name) for name in _OF_ALL if name in options}
    # What else a repository holds decides what is newest, and what would be freed.
    repositories = _repositories(what, must=True)
    if not options.keys() - {"protect"}:
        raise click.UsageError("no rule: give --keep, --older-than or --unused-for")
    fetched = [hubframe.tags_df(repositories, **chosen, client=client)]
    if freed:
        fetched.append(hubframe.layers_df(repositories, platform="all", **chosen, client=client))
    return with_failures("cleanup", hubframe.cleanup_df(*fetched, **options), *fetched)


@command(
    "unpacked-sizes",
    "Show the size of layers when they are unpacked.",
    REFERENCES,
    PLATFORMS,
    *TAGS,
    PARTIAL,
    *FAILURES,
    more="This asks the registry for four bytes of each layer, and downloads none.",
    example="hubframe unpacked-sizes registry.example/shop/web:1.2.0 --sample",
    job=ANSWER,
    table="unpacked_sizes",
)
def _unpacked_sizes(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
    chosen = {name: options[name] for name in _OF_ALL if name in options}
    layers = hubframe.layers_df(what, **options, client=client)
    sizes = hubframe.unpacked_sizes_df(layers, **chosen, client=client)
    return with_failures("unpacked_sizes", sizes, layers, sizes)


@command(
    "summary",
    "Print figures beside those of published studies.",
    REFERENCES,
    *TAGS,
    PLATFORM,
    *FAILURES,
    more="How far images share layers, how large they are, how often they are pulled.",
    example="hubframe summary library/alpine acme/api --newest 2 --sample",
    job=ANSWER,
    table="figures",
)
def _summary(client: "Client", what: list[str], **options: Any) -> "pd.DataFrame":
    from hubframe.frames.selection import references

    asked = references(what)
    shared = {name: options[name] for name in _OF_ALL if name in options}
    layers = hubframe.layers_df(asked, **options, client=client)
    images = hubframe.images_df(asked, **options, client=client)
    namespaces = {one.namespace for one in asked if one.is_hub}
    repos = hubframe.repos_df(sorted(namespaces), **shared, client=client)
    repos = repos[repos["repo"].isin([one.repo for one in asked])]
    return with_failures("figures", hubframe.summary(layers, images, repos), layers, images, repos)


class Past(NamedTuple):
    """The command of a measure of snapshots, or of what they hold."""

    table: str
    text: str
    measure: str = ""  # the public function; what is read is printed where there is none


PASTS = (
    Past("runs", "List the runs that took snapshots."),
    Past("observed_repos", "List repositories as they were seen, run by run."),
    Past("observed_tags", "List tags as they were seen, run by run."),
    Past("pulls_over_time", "Show the pulls a day between snapshots.", "pulls_over_time_df"),
    Past("repos_over_time", "Show how stars, storage and tags changed.", "repos_over_time_df"),
    Past("tag_moves", "Show which digest a tag had, and when.", "tag_moves_df"),
    Past("mutable_tags", "List version tags that were pushed again.", "mutable_tags_df"),
)


def declare_past() -> None:
    """Declare the commands of `PASTS`."""
    for one in PASTS:
        name = one.table.replace("_", "-")
        # A run is one of all the repositories that it saw.
        of_repos = (many("--repo repos", "REPO", "Only this repository."),) * (name != "runs")
        command(
            name,
            one.text,
            click.argument("place", metavar="PLACE"),
            *of_repos,
            given("--since", "From this day or moment on, in UTC.", metavar="DATE"),
            given("--until", "Up to this moment; a day alone is its beginning.", metavar="DATE"),
            more="PLACE is where hubframe snapshot --to appends what it sees.",
            example=f"hubframe {name} snapshots",
            job=PAST,
            table=one.table,
            session=(),
        )(_looking_back(one))


def _looking_back(past: Past) -> Any:
    def run(_: "Client", place: str, **options: Any) -> "pd.DataFrame":
        snapshots = hubframe.read_snapshots(place, **options)
        if past.measure:
            frame = getattr(hubframe, past.measure)(snapshots)
        else:
            frame = getattr(snapshots, past.table.removeprefix("observed_"))
        return with_failures(past.table, frame)

    return run
