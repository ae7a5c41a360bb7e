"""From references to a report: the public functions asked for every frame that it shows."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

import hubframe
from hubframe.errors import IncompleteWarning, NoMatchWarning
from hubframe.frames.selection import ALL, USUAL_PLATFORM, Platforms, TagFilter, What
from hubframe.frames.selection import references as read_references
from hubframe.measure import is_complete, provenance
from hubframe.oci.reference import ImageReference, bare_host, is_registry
from hubframe.readers.documents import Paths
from hubframe.readers.scans import Scans, read_scans, tell_apart
from hubframe.report.answers import INSIDE
from hubframe.report.risks import REFERENCES, VULNERABILITIES
from hubframe.report.write import write_report
from hubframe.tables import REPOS, TABLES
from hubframe.tables.schema import joined_attrs
from hubframe.wire.client import Client

# What a report of the sample is about: everything that the sample's Hub shows to anybody.
SAMPLE = (
    "library/alpine", "library/debian", "library/nginx", "library/python", "library/redis",
    "ansible/ansible", "ansible/ansible-runner", "ansible/awx",
    "acme/api", "acme/charts", "acme/empty", "acme/legacy", "acme/web",
)  # fmt: skip
# Of the sample, the images whose layers are there to be read.
SAMPLE_INSIDE = tuple(f"registry.example/shop/{name}" for name in ("web", "cache", "batch", "base"))
SAMPLE_NOTE = (
    "This is hubframe's bundled sample. Its repositories carry real names, but everything said of "
    "them is made up."
)
_MOST_NAMED = 3
# Of each repository on Docker Hub: an image's labels cost a pull, of which a few are free.
DESCRIBED = 20
_FREE = ("images", "layers", "history")
_LABELLED = ("labels", "env", "configs")


def report(  # noqa: PLR0913
    what: What | None,
    output: str | Path,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = ALL,
    described: int | None = DESCRIBED,
    inside: bool = False,
    references: str | Path | pd.DataFrame | None = None,
    vulnerabilities: Paths | pd.DataFrame | None = None,
    title: str | None = None,
    verbatim: bool = False,
    interactive: bool = False,
    progress: bool | None = None,
    client: Client | None = None,
) -> Path:
    """Write a report about repositories: CSV files, pictures, a summary, and a page to read.

    What cannot be read is left out and named on the page, and so is what limits the report.

    Parameters
    ----------
    what
        As for `hubframe.layers_df`; also a whole registry by its host, ``localhost:5000``, whose
        catalogue lists its repositories. None for the images that `references` name and that are
        there.
    tags, progress, client
        See `hubframe.layers_df`.
    output
        The folder, made if needed.
    newest
        How many of the newest tags of each repository have their images and layers read; None for
        all, which costs no pull. All tags are listed in any case.
    platform
        Whose images are read, ``"all"`` by default.
    described
        How many of the newest tags of each repository on Docker Hub have labels, environment and
        configuration read; None for all. There each distinct image costs a pull, once, and only
        linux/amd64 is read unless `platform` names others. Other registries are read whole.
    inside
        Read what is inside images, too, and who made them: packages, distributions, bases,
        provenance and signatures, of the `described` newest tags of each repository, and of
        linux/amd64 unless `platform` names others. This downloads the layers of these images, each
        distinct one once, which may be gigabytes; on Docker Hub layers cost no pull, while each
        distinct image, base and attached document costs one, once. Signatures are not verified.
    references
        A folder or a file whose references to images are checked, and shown; or the table
        `references` or `checked_references`. On Docker Hub that costs no pull.
    vulnerabilities
        Reports of trivy or grype in JSON, a file, several, or a folder, which are told apart by
        what is in them; or the table `vulnerabilities`.
    title
        The page's heading.
    verbatim
        Write cells of the CSV files as they are, also those that a spreadsheet would run.
    interactive
        Let the tables of the page be filtered and sorted, and have all their rows in it.

    Returns
    -------
    Path
        The page, ``report.html``.

    Raises
    ------
    NotFoundError
        The only repository asked for is not there.
    OSError, PayloadError
        `references` are not there, or `vulnerabilities` are no such reports.

    Examples
    --------
    >>> with hubframe.sample():
    ...     page = hubframe.report.report("acme/web", "report")   # doctest: +SKIP
    """
    what = what if what is None else _listed(what)
    frames = collect(
        what,
        tags=tags,
        newest=newest,
        platform=platform,
        described=described,
        inside=inside,
        references=references,
        vulnerabilities=vulnerabilities,
        progress=progress,
        client=client,
    )
    if is_complete(provenance(frames)) is False:
        lacks = "the report lacks what could not be read; its page names it"
        warnings.warn(lacks, IncompleteWarning, stacklevel=2)
    note = SAMPLE_NOTE if frames["tags"].attrs["hubframe"]["sample"] else None
    asked = frames["repos"]["repo"].tolist() if what is None else what
    title = title or _title(asked) or "No image"
    return write_report(
        frames, output, title=title, note=note, verbatim=verbatim, interactive=interactive
    )


def collect(  # noqa: PLR0913
    what: What | None,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = ALL,
    described: int | None = DESCRIBED,
    inside: bool = False,
    references: str | Path | pd.DataFrame | None = None,
    vulnerabilities: Paths | pd.DataFrame | None = None,
    progress: bool | None = None,
    client: Client | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch the frames that a report shows, by name; each says in its ``attrs`` what it covers.

    Parameters
    ----------
    what, tags, newest, platform, described, inside, references, vulnerabilities, progress, client
        See `report`.
    """
    # That a report is none is known before anything is fetched.
    scans = None if vulnerabilities is None else _scans(vulnerabilities)
    checked = None if references is None else _checked(references, platform, progress, client)
    if what is None:
        if checked is None:
            raise TypeError("what is None: name repositories, or give references=")
        what = _named(checked)
    asked = read_references(_repositories(what, client))
    whole: dict[str, Any] = {"tags": tags, "newest": newest, "platform": platform}
    # Where each image costs a pull, or its layers are downloaded.
    pulled = whole | {
        "newest": min((n for n in (newest, described) if n is not None), default=None),
        "platform": USUAL_PLATFORM if platform == ALL else platform,
    }
    common: dict[str, Any] = {"errors": "collect", "progress": progress, "client": client}
    frames = _fetched(asked, whole, pulled, common, inside=inside)
    if checked is not None:
        frames[REFERENCES] = checked
    if isinstance(scans, pd.DataFrame):
        frames[VULNERABILITIES] = _told(VULNERABILITIES, scans, "those given")
    elif scans is not None:
        found = read_scans(scans, frames["layers"])
        frames[VULNERABILITIES] = _told(VULNERABILITIES, found, "the reports given")
    return frames


def _scans(vulnerabilities: Paths | pd.DataFrame) -> Scans | pd.DataFrame:
    if isinstance(vulnerabilities, pd.DataFrame):
        return vulnerabilities
    return tell_apart(vulnerabilities)


def _fetched(
    asked: list[ImageReference],
    whole: dict[str, Any],
    pulled: dict[str, Any],
    common: dict[str, Any],
    *,
    inside: bool,
) -> dict[str, pd.DataFrame]:
    """Fetch the frames: all that is asked for, and less where that costs pulls or downloads."""
    with _saying_less():
        # Filters are asked for with each frame, platforms with those of images: once is enough.
        warnings.filterwarnings("ignore", r"(?!tags:|images: no tag has)", NoMatchWarning)
        repos = _repos(asked, common)
        pulls = repos.dropna(subset="pull_count").set_index("repo")["pull_count"].to_dict()
        asked.sort(key=lambda one: -pulls.get(one.repo, -1))
        on_hub = [one for one in asked if one.is_hub]
        elsewhere = [one for one in asked if not one.is_hub]
        strict = common | {"errors": "raise" if len(asked) == 1 else "collect"}
        frames = {"repos": repos, "tags": hubframe.tags_df(asked, tags=whole["tags"], **strict)}
        groups = [pair for pair in ((on_hub, pulled), (elsewhere, whole)) if pair[0]]
        for name in (*_FREE, *_LABELLED):
            read = getattr(hubframe, f"{name}_df")
            pairs = [(asked, whole)] if name in _FREE or not groups else groups
            frames[name] = _joined([read(some, **how, **common) for some, how in pairs])
        # Of one kind of evidence, so that what differs is in the images.
        more: dict[str, dict[str, Any]] = {
            "packages": {"evidence": "layers"},
            "bases": {"layers": frames["layers"]},
        }
        for name in INSIDE if inside else ():
            read = getattr(hubframe, f"{name}_df")
            frames[name] = read(asked, **pulled, **common, **more.get(name, {}))
    _say_scopes(frames, asked, whole, pulled)
    return frames


def _say_scopes(
    frames: Mapping[str, pd.DataFrame],
    asked: Sequence[ImageReference],
    whole: Mapping[str, Any],
    pulled: Mapping[str, Any],
) -> None:
    """Say in each frame what it covers."""
    on_hub = any(one.is_hub for one in asked)
    elsewhere = any(not one.is_hub for one in asked)
    scopes = {
        "repos": "the repositories asked for",
        "tags": _ALL_TAGS if whole["tags"] is None else _ASKED,
    }
    labelled = _scope(**pulled if on_hub else whole)
    if on_hub and elsewhere:
        labelled = f"on Docker Hub {labelled}; elsewhere {_scope(**whole)}"
    scopes |= dict.fromkeys(_FREE, _scope(**whole)) | dict.fromkeys(_LABELLED, labelled)
    scopes |= dict.fromkeys(INSIDE, _scope(**pulled))
    # A tag that was named is read whatever the limits; others of its repository are not.
    is_named = any(one.tag or one.digest for one in asked)
    for name, frame in frames.items():
        is_whole = name == "repos" or scopes[name] in (_ALL_TAGS, _ALL_IMAGES)
        frame.attrs["hubframe"] |= {
            "scope": scopes[name] + "; of some repositories only the tags named" * is_named,
            "limited": is_named or not is_whole,
        }


@contextmanager
def _saying_less() -> Iterator[None]:
    """Leave to the report what it says once, and in full on its page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IncompleteWarning)
        yield


def _checked(
    references: str | Path | pd.DataFrame,
    platform: Platforms,
    progress: bool | None,  # noqa: FBT001
    client: Client | None,
) -> pd.DataFrame:
    """Read the references of files, unless they are read, and check them, unless they are."""
    scope = "those given"
    if not isinstance(references, pd.DataFrame):
        place = Path(references).expanduser().resolve()
        scope = f"the {'files in' if place.is_dir() else 'file'} {place.name}"
        references = hubframe.references_df(references)
    if not set(TABLES[REFERENCES].dtypes) <= set(references):
        which: dict[str, Any] = {} if platform == ALL else {"platform": platform}
        with _saying_less():
            references = hubframe.checked_references_df(
                references, **which, errors="collect", progress=progress, client=client
            )
    return _told(REFERENCES, references, scope)


def _named(references: pd.DataFrame) -> list[str | ImageReference]:
    """Return the images that files name and that are there: tags, which cost no pull by name."""
    there = references[references["exists"].fillna(value=False).astype("bool")]
    tags = there["repo"] + ":" + there["tag"]
    return list(tags.fillna(there["reference"]).drop_duplicates())


def _told(name: str, frame: pd.DataFrame, scope: str) -> pd.DataFrame:
    """Say of a frame that was given which it is and what it covers, if it does not say so."""
    # A column without a value may have any dtype, where it was read from a file.
    told = TABLES[name].require(frame).astype(TABLES[name].dtypes).reset_index(drop=True)
    record = frame.attrs.get("hubframe") or {}
    told.attrs["hubframe"] = {"table": name, "scope": scope, "limited": False, **record}
    return told


_ALL_TAGS, _ASKED = "all tags", "the tags asked for"
_ALL_IMAGES = "all tags but signatures, all platforms"


def _scope(*, tags: TagFilter, newest: int | None, platform: Platforms) -> str:
    """Say in words what frames of images are limited to."""
    which = "all tags but signatures" if tags is None else _ASKED
    if newest is not None:
        some = "newest tag" if newest == 1 else f"{newest:,} newest tags"
        which = f"the {some} of each repository"
        which += "" if tags is None else " among those asked for"
    if platform == ALL:
        return f"{which}, all platforms"
    return f"{which}, {platform if isinstance(platform, str) else ', '.join(platform)}"


def _listed(what: What) -> list[str | ImageReference]:
    if isinstance(what, str | ImageReference):
        return [what]
    return [*read_references(what)] if isinstance(what, pd.DataFrame) else list(what)


def _is_host(one: str | ImageReference) -> bool:
    return isinstance(one, str) and is_registry(one)


def _repositories(what: What, client: Client | None) -> list[str | ImageReference]:
    """Put the repositories of a registry, or of an engine, in place of its name."""
    found: list[str | ImageReference] = []
    for one in _listed(what):
        if _is_host(one):
            found += hubframe.catalog_df(str(one), client=client)["repo"].tolist()
        elif (engine := read_references(one)[0]).is_in_engine and not engine.target:
            found += hubframe.tags_df(engine, client=client)["repo"].unique().tolist()
        else:
            found.append(one)
    return found


def _title(what: Sequence[str | ImageReference]) -> str:
    names = [bare_host(str(one)) if _is_host(one) else read_references(one)[0].repo for one in what]
    names = list(dict.fromkeys(names))
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join frames, and what they say of where they came from."""
    if len(parts) == 1:
        return parts[0]
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs["hubframe"] = parts[0].attrs["hubframe"] | joined_attrs(parts)
    return frame


def _namespace(one: ImageReference) -> str:
    """Return the registry with the first part of a path; on the disk the folder."""
    if one.is_in_engine:
        return one.repo.rpartition("/")[0]
    if one.is_local:
        return str(Path(one.repo).parent)
    return "/".join([one.registry, *one.path.split("/")[:-1][:1]])


def _repos(asked: Sequence[ImageReference], common: Mapping[str, Any]) -> pd.DataFrame:
    """List the repositories asked for: on Docker Hub out of those of their namespaces."""
    namespaces = list(dict.fromkeys(one.namespace for one in asked if one.is_hub))
    listed = hubframe.repos_df(namespaces, **common)
    known = listed[listed["repo"].isin([one.repo for one in asked])]
    others = {one.repo: one for one in asked if not one.is_hub}
    named = REPOS.from_records(
        {"repo": repo, "namespace": _namespace(one), "name": Path(repo).name}
        for repo, one in others.items()
    )
    repos = pd.concat([known, named], ignore_index=True)
    repos.attrs = listed.attrs
    return repos
