"""From references to a report: the public functions asked for every frame that it shows."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import hubframe
from hubframe.errors import IncompleteWarning
from hubframe.frames.selection import ALL, Platforms, TagFilter, What, references
from hubframe.oci.reference import ImageReference, bare_host, is_registry
from hubframe.report.scope import LABELLED, Limits, tell
from hubframe.report.write import write_report
from hubframe.tables import REPOS
from hubframe.wire.client import Client

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
# Of each repository on Docker Hub: an image's labels cost a pull, of which a few are free.
DESCRIBED = 20


def report(  # noqa: PLR0913
    what: What,
    output: str | Path,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = ALL,
    described: int | None = DESCRIBED,
    title: str | None = None,
    verbatim: bool = False,
    progress: bool | None = None,
    client: Client | None = None,
) -> Path:
    """Write a report about repositories: CSV files, pictures, a summary, and a page to read.

    What cannot be read is left out and named on the page, and so is whatever limits the report.

    Parameters
    ----------
    what
        As for `hubframe.layers_df`; also a whole registry by its host, ``localhost:5000``, whose
        catalogue tells its repositories.
    tags, progress, client
        See `hubframe.layers_df`.
    output
        The folder, made if needed.
    newest
        How many of the newest tags of each repository have their images and layers read; None for
        all, which costs no pull. All tags are listed in any case.
    platform
        Whose images are read, ``"all"`` unless told otherwise.
    described
        How many of the newest tags of each repository on Docker Hub have labels, environment and
        configuration read; None for all. There each distinct image costs a pull, once, and only
        linux/amd64 is read unless `platform` names others. Other registries are read whole.
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
        what,
        tags=tags,
        newest=newest,
        platform=platform,
        described=described,
        progress=progress,
        client=client,
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
    newest: int | None = None,
    platform: Platforms = ALL,
    described: int | None = DESCRIBED,
    progress: bool | None = None,
    client: Client | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch the frames that a report shows, by name; each says in its ``attrs`` what it covers.

    Parameters
    ----------
    what, tags, newest, platform, described, progress, client
        See `report`.
    """
    asked = references(_repositories(what, client))
    limits = Limits(tags, newest, platform, described)
    common: dict[str, Any] = {"progress": progress, "client": client}
    with warnings.catch_warnings():
        # Said once by the report, and in full on its page.
        warnings.simplefilter("ignore", IncompleteWarning)
        repos = _repos(asked, common)
        asked = _most_pulled_first(asked, repos)
        frames = {
            "repos": repos,
            "tags": hubframe.tags_df(
                asked, tags=tags, errors="raise" if len(asked) == 1 else "collect", **common
            ),
            **{name: _of_images(name, asked, limits, common) for name in _FREE},
            **{name: _of_labels(name, asked, limits, common) for name in LABELLED},
        }
    tell(frames, asked, limits)
    return frames


_FREE = ("images", "layers", "history")


def _repositories(what: What, client: Client | None) -> What:
    """Put the repositories of a registry in place of its name."""
    if isinstance(what, pd.DataFrame):
        return what
    named = [what] if isinstance(what, str | ImageReference) else list(what)
    found: list[str | ImageReference] = []
    for one in named:
        if isinstance(one, str) and is_registry(one):
            found += hubframe.catalog_df(bare_host(one), client=client)["repo"].tolist()
        else:
            found.append(one)
    return found


def _of_images(
    name: str, asked: Sequence[ImageReference], limits: Limits, common: Mapping[str, Any]
) -> pd.DataFrame:
    read: Callable[..., pd.DataFrame] = getattr(hubframe, f"{name}_df")
    return read(
        asked,
        tags=limits.tags,
        newest=limits.newest,
        platform=limits.platform,
        errors="collect",
        **common,
    )


def _of_labels(
    name: str, asked: Sequence[ImageReference], limits: Limits, common: Mapping[str, Any]
) -> pd.DataFrame:
    """Read what costs pulls on Docker Hub, and nothing elsewhere."""
    on_hub = [one for one in asked if one.is_hub]
    elsewhere = [one for one in asked if not one.is_hub]
    parts = [
        _of_images(name, some, limit, common)
        for some, limit in ((on_hub, limits.with_pulls), (elsewhere, limits))
        if some or not asked
    ]
    return parts[0] if len(parts) == 1 else _joined(parts)


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join frames, and what they say of where they came from."""
    told = [part.attrs["hubframe"] for part in parts]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs["hubframe"] = {
        **told[0],
        "source": "+".join(sorted({part for one in told for part in _sources(one)})) or None,
        "fetched_at": min(one["fetched_at"] for one in told),
        "complete": all(one["complete"] for one in told),
        **{
            name: sum(one[name] for one in told)
            for name in ("requests", "from_cache", "stale", "skipped")
        },
        "failures": [failure for one in told for failure in one["failures"]],
    }
    return frame


def _sources(told: Mapping[str, Any]) -> list[str]:
    return told["source"].split("+") if told["source"] else []


def _repos(asked: Sequence[ImageReference], common: Mapping[str, Any]) -> pd.DataFrame:
    """List the repositories asked for: on Docker Hub out of those of their namespaces."""
    namespaces = list(dict.fromkeys(one.namespace for one in asked if one.is_hub))
    listed = hubframe.repos_df(namespaces, errors="collect", **common)
    known = listed[listed["repo"].isin([one.repo for one in asked])]
    others = dict.fromkeys((one.repo, one.registry, one.path) for one in asked if not one.is_hub)
    named = REPOS.from_records(
        {
            "repo": repo,
            "namespace": "/".join([registry, *path.split("/")[:-1][:1]]),
            "name": path.rpartition("/")[2],
        }
        for repo, registry, path in others
    )
    repos = pd.concat([known, named], ignore_index=True) if others else known
    repos = repos.reset_index(drop=True)
    repos.attrs = listed.attrs
    return repos


def _most_pulled_first(
    asked: Sequence[ImageReference], repos: pd.DataFrame
) -> list[ImageReference]:
    pulls = repos.dropna(subset="pull_count").set_index("repo")["pull_count"].to_dict()
    return sorted(asked, key=lambda one: -pulls.get(one.repo, -1))


def _title(what: What) -> str:
    if isinstance(what, str) and is_registry(what):
        return bare_host(what)
    if isinstance(what, pd.DataFrame | str | ImageReference):
        names = list(dict.fromkeys(one.repo for one in references(what)))
    else:
        names = [
            bare_host(one) if isinstance(one, str) and is_registry(one) else references(one)[0].repo
            for one in what
        ]
    names = list(dict.fromkeys(names))
    shown = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
