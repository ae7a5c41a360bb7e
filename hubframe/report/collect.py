"""From references to a report: the public functions asked for every frame that it shows."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import hubframe
from hubframe.client import Client
from hubframe.errors import IncompleteWarning
from hubframe.reference import ImageReference
from hubframe.report.write import write_report
from hubframe.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references

# What a report of the sample is about: everything that the sample's Hub shows to anybody.
SAMPLE = (
    "library/alpine",
    "library/debian",
    "library/nginx",
    "library/python",
    "library/redis",
    "ansible/ansible",
    "ansible/ansible-runner",
    "ansible/awx",
    "acme/api",
    "acme/charts",
    "acme/empty",
    "acme/legacy",
    "acme/web",
)
SAMPLE_NOTE = (
    "This is hubframe's bundled sample. Its repositories carry real names, but everything said of "
    "them is made up."
)
_MOST_NAMED = 3
_OF_IMAGES = ("layers", "history", "labels", "env", "configs")


def report(  # noqa: PLR0913
    what: What,
    output: str | Path,
    *,
    tags: TagFilter = None,
    newest: int | None = 20,
    platform: Platforms = USUAL_PLATFORM,
    title: str | None = None,
    verbatim: bool = False,
    progress: bool | None = None,
    client: Client | None = None,
) -> Path:
    """Write a report about repositories: CSV files, pictures, a summary, and a page to read.

    What cannot be read is left out and named on the page.

    Parameters
    ----------
    what, tags, platform, progress, client
        See `hubframe.layers_df`.
    output
        The folder, made if needed.
    newest
        How many of the newest tags of each repository have their images read: on Docker Hub each
        distinct one costs a pull, once. All tags are listed in any case.
    title
        The page's heading.
    verbatim
        Write cells of the CSV files as they are, also those that a spreadsheet would run.

    Returns
    -------
    Path
        The page, ``report.html``.

    Raises
    ------
    NotFoundError
        The only repository asked for is not there.

    Examples
    --------
    >>> with hubframe.sample():
    ...     page = hubframe.report.report("acme/web", "report")   # doctest: +SKIP
    """
    frames = collect(
        what, tags=tags, newest=newest, platform=platform, progress=progress, client=client
    )
    if any(not frame.attrs["hubframe"]["complete"] for frame in frames.values()):
        warnings.warn(
            "the report lacks what could not be read; its page names it",
            IncompleteWarning,
            stacklevel=2,
        )
    is_sample = frames["tags"].attrs["hubframe"]["sample"]
    return write_report(
        frames,
        output,
        title=title or _title(what),
        note=SAMPLE_NOTE if is_sample else None,
        verbatim=verbatim,
    )


def collect(  # noqa: PLR0913
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = 20,
    platform: Platforms = USUAL_PLATFORM,
    progress: bool | None = None,
    client: Client | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch the frames that a report shows, by name.

    Parameters
    ----------
    what, tags, newest, platform, progress, client
        See `report`.
    """
    asked = references(what)
    with warnings.catch_warnings():
        # Said once by the report, and in full on its page.
        warnings.simplefilter("ignore", IncompleteWarning)
        frames = {
            "tags": hubframe.tags_df(
                asked,
                tags=tags,
                errors="raise" if len(asked) == 1 else "collect",
                progress=progress,
                client=client,
            ),
            "repos": _repos([one for one in asked if one.is_hub], progress, client),
            "images": hubframe.images_df(
                asked, tags=tags, newest=newest, errors="collect", progress=progress, client=client
            ),
        }
        for name in _OF_IMAGES:
            frames[name] = getattr(hubframe, f"{name}_df")(
                asked,
                tags=tags,
                newest=newest,
                platform=platform,
                errors="collect",
                progress=progress,
                client=client,
            )
    return frames


def _repos(
    asked: Sequence[ImageReference],
    progress: bool | None,  # noqa: FBT001
    client: Client | None,
) -> pd.DataFrame:
    """List the repositories asked for, out of those of their namespaces."""
    namespaces = list(dict.fromkeys(one.namespace for one in asked))
    listed = hubframe.repos_df(namespaces, errors="collect", progress=progress, client=client)
    return listed[listed.repo.isin([one.repo for one in asked])].reset_index(drop=True)


def _title(what: What) -> str:
    names = list(dict.fromkeys(one.repo for one in references(what)))
    shown = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
