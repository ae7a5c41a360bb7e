"""The public frames: each function says what it returns, chooses the source, fetches, shapes.

They share their keywords, which `layers_df` describes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.frames import limits, quota, readers, referrers, sources
from hubframe.frames.attached import KINDS, Attached, documents_of
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.selection import (
    ALL,
    USUAL_PLATFORM,
    Platforms,
    TagFilter,
    What,
    read_namespaces,
    references,
    tags_of,
)
from hubframe.frames.sources import Found, Source, Wanted, check_count, read_wanted
from hubframe.oci.reference import DOCKER_HUB, parse_registry
from hubframe.tables import shape
from hubframe.tables.schema import Table
from hubframe.wire import hub
from hubframe.wire.client import Client

_NOT_WHOLE = (
    "the digests of the repository's other tags are not all known here; a call for all its tags "
    "asks for them"
)


def repos_df(
    namespaces: str | Iterable[str],
    *,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the repositories of users or organisations, on Docker Hub and where else that is told.

    With a login the private ones that it may see are there too.

    Parameters
    ----------
    namespaces
        One name or several; ``library`` holds the official images. With its host one on quay.io, or
        on another registry that ``Settings(providers=…)`` names: ``quay.io/org``,
        ``harbor.example/project``, and for all of a registry of ECR its host with a slash behind.
    errors, progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `repos`, one row per repository.

    Raises
    ------
    NotFoundError
        There is no such user or organisation. Quay does not tell that: there it has no rows.
    ValueError
        The registry has no API that lists repositories by their owner, or none that was told.

    Examples
    --------
    >>> with hubframe.sample():
    ...     repos = hubframe.repos_df("ansible")
    >>> repos.repo.tolist()
    ['ansible/ansible', 'ansible/ansible-runner', 'ansible/awx']
    """
    with calling(client, errors, progress) as call:
        names = read_namespaces(namespaces)
        rows = sources.repos(call, names)
        return call.finish(shape.repos(chain.from_iterable(rows)), "repos")


def search_df(
    query: str,
    *,
    limit: int = 100,
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Search the repositories of Docker Hub.

    Parameters
    ----------
    query
        Words.
    limit
        How many hits at most, in the Hub's order; popular words have hundreds of thousands.
    progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `search`, one row per hit.
    """
    check_count("limit", limit)
    if not isinstance(query, str):
        raise TypeError(f"query must be text, not {type(query).__name__}")
    with calling(client, "raise", progress) as call:
        call.sources.add("hub")
        lists = sources.hub_lists(call, {query: hub.search(query, limit)})
        return call.finish(shape.search(chain.from_iterable(lists.values())), "search")


def tags_df(
    repos: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    source: Source = "auto",
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the tags of repositories, newest first.

    Docker Hub tells sizes and dates too; quay.io, and registries that ``Settings(providers=…)``
    names, tell some of these. Of another registry's tags the digest and the media type are looked
    up, by HEAD, which costs no pull. A tag that is listed and dangles has no digest, and is a
    failure that does not end the call. Aliases are those of the repository's whole list; where that
    was not read whole, or not all digests were asked for, they are null, and
    ``frame.attrs["hubframe"]["unknown"]`` says so.

    Parameters
    ----------
    repos
        Repositories or tags: a reference, a list of them, or a frame with a column ``repo``; of
        one with a column ``reference`` each that is known.
    tags, newest, source, errors, progress, client
        See `layers_df`. Without ``tags``, digest tags such as signatures are listed too, and
        marked by ``is_digest_tag``.

    Returns
    -------
    DataFrame
        The table `tags`, one row per tag.

    Examples
    --------
    >>> with hubframe.sample():
    ...     tags = hubframe.tags_df("ansible/ansible", newest=2)
    >>> len(tags)
    2
    """
    every = "*" if tags is None and newest is None else tags
    wanted = read_wanted(every, newest, is_brief=True)
    asked = tags_of(repos, "tags_df")
    with calling(client, errors, progress) as call:
        found = sources.find_tags(call, asked, wanted, source)
        return call.finish(shape.tags(list(_listings(call, found))), "tags")


def _listings(call: Call, tags: Sequence[Found]) -> Iterator[shape.Listing]:
    """Group tags by repository; those of a registry are looked up."""
    resolved = readers.resolve(call, tags)
    by_repo: dict[str, list[Found]] = {}
    for one in tags:
        by_repo.setdefault(one.reference.repo, []).append(one)
    for repo, found in by_repo.items():
        known = [tag for one in found if (tag := one.tag or resolved.get(one)) is not None]
        whole = next((one.listed for one in found if one.listed is not None), None)
        if whole is not None and not any(one.tag for one in found):
            # A registry lists names alone: their digests are known if all were asked for.
            names = {tag.name for tag in known}
            whole = known if all(tag.name in names for tag in whole) else None
        if whole is None:
            call.unknown["aliases", repo] = _NOT_WHOLE
        yield shape.Listing(repo, known, whole)


def images_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = ALL,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the images of tags, one for each platform.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. All platforms are listed unless told otherwise.

    Returns
    -------
    DataFrame
        The table `images`, one row per platform of a tag.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        frame = frame_of_images(call, "images", what, wanted, source, partial=partial)
        return call.finish(frame, "images")


def layers_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the layers of images, base first.

    Parameters
    ----------
    what
        A reference (``nginx:1.27``, ``ghcr.io/org/app``), a list of them, or a frame with
        columns ``repo`` and perhaps ``tag``. A repository without a tag means all its tags.
    tags
        Which tags of whole repositories: a glob, a list of names or globs, a compiled pattern
        (searched for), or a function of the name. Digest tags (``sha256-….sig``) are skipped
        unless this is given.
    newest
        How many of the newest tags of each repository: by push, or by version where a registry
        tells no dates.
    platform
        ``os/architecture[/variant]``, a list of them, or ``"all"``. A tag that is one image and
        no index gives it whatever its platform.
    attestations
        Whether attestations are listed among the images.
    source
        ``"auto"`` asks the Docker Hub API where it knows the answer, which costs no pull, and about
        tags also the API of quay.io and of registries that ``Settings(providers=…)`` names;
        ``"registry"`` always asks the registry, ``"hub"`` never does.
    partial
        Where Docker Hub has fewer pulls left than this needs: whether to fetch what fits, the
        newest tags first, and to mark the rest as failures. Otherwise nothing is spent, and
        `QuotaError` says how to narrow it. `plan` tells before.
    errors
        ``"raise"``, or ``"collect"``: then what fails costs its own rows only, an
        `IncompleteWarning`, and an entry in ``frame.attrs["hubframe"]["failures"]``. Always so
        is what a registry lists and does not have: a tag that nobody named, an image of an index.
    progress
        Whether to show a bar; None shows one on work longer than two seconds, to a person.
    client
        What to ask with; None for the default one.

    Returns
    -------
    DataFrame
        The table `layers`, one row per layer. Sizes are compressed bytes.

    Raises
    ------
    NotFoundError
        There is no such repository or tag, or it is private to you.
    NoSuchPlatformError
        A tag that was named has no image for the platform.
    QuotaError
        Fewer pulls are left on Docker Hub than this needs.
    HubframeError
        Something else went wrong; see `hubframe.errors`.

    Examples
    --------
    >>> with hubframe.sample():
    ...     layers = hubframe.layers_df("library/alpine:latest")
    >>> int(layers.position.iloc[0])
    0
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        frame = frame_of_images(call, "layers", what, wanted, source, partial=partial)
        return call.finish(frame, "layers")


def history_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the build steps of images, first step first.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. Docker Hub tells no dates; ``source="registry"`` does.

    Returns
    -------
    DataFrame
        The table `history`, one row per build step.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        frame = frame_of_images(call, "history", what, wanted, source, partial=partial)
        return call.finish(frame, "history")


def labels_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the labels and annotations of images.

    On Docker Hub this costs one pull for each distinct image that is not in the cache yet.

    Parameters
    ----------
    what, tags, newest, platform, attestations, partial, errors, progress, client
        See `layers_df`.
    source
        ``"auto"`` reads configs and manifests; ``"registry"`` the annotations of indexes too;
        ``"hub"`` reads ``LABEL`` steps, which costs no pull and is not complete.

    Returns
    -------
    DataFrame
        The table `labels`, one row per label, with the place where it stands as ``source``. Images
        without any are listed in ``frame.attrs["hubframe"]["unlabelled"]``, so that shares can be
        told of all images.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        frame = frame_of_images(call, "labels", what, wanted, source, partial=partial)
        return call.finish(frame, "labels")


def env_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the environment variables of images, in the image's order.

    On Docker Hub this costs one pull for each distinct image that is not in the cache yet.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know them.

    Returns
    -------
    DataFrame
        The table `env`, one row per variable.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        frame = frame_of_images(call, "env", what, wanted, source, partial=partial)
        return call.finish(frame, "env")


def configs_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the configurations of images: user, entrypoint, command, ports and so on.

    On Docker Hub this costs one pull for each distinct image that is not in the cache yet.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know them.

    Returns
    -------
    DataFrame
        The table `configs`, one row per image.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        frame = frame_of_images(call, "configs", what, wanted, source, partial=partial)
        return call.finish(frame, "configs")


def referrers_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List what refers to images: signatures, attestations, bills of materials.

    They are looked for by the registry's referrers API, by the tag that stands in for it where
    the API is missing, by cosign's tags, and among the attestations of the image's index; for
    the index and for each of its images, and for what is found, at most four steps away. No list
    of tags is asked for where tags are named. On Docker Hub a tag's manifest costs a pull, and so
    does each artifact whose descriptor does not say what it is, once: the first are counted
    before any is spent, the others are not known before.

    Parameters
    ----------
    what, tags, newest, errors, progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `referrers`, one row per artifact and image that it is about.
    """
    wanted = read_wanted(tags, newest, is_brief=True)
    with calling(client, errors, progress) as call:
        found = sources.find_tags(call, references(what), wanted, "auto")
        quota.guard(call, "referrers", found, wanted, "auto", partial=False)
        artifacts = referrers.referrers_of(call, found)
        return call.finish(shape.referrers(artifacts), "referrers")


def limits_df(*, client: Client | None = None) -> pd.DataFrame:
    """Tell which limits apply to you, and what is left of them.

    It costs no pull: Docker Hub tells by HEAD of an image that is there for that.

    Parameters
    ----------
    client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `limits`, one row per host and limit. Numbers are null where the host tells no
        limit: there is none for you, or it is not told.
    """
    with calling(client) as call:
        return call.finish(shape.limits(limits.known_limits(call.client)), "limits")


def catalog_df(registry: str, *, client: Client | None = None) -> pd.DataFrame:
    """List the repositories of a registry, where it tells them; Docker Hub does not.

    Parameters
    ----------
    registry
        The host, ``localhost:5000``.
    client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `catalog`, one row per repository.
    """
    with calling(client) as call:
        host = parse_registry(registry)
        if host == DOCKER_HUB:
            raise ValueError(
                "Docker Hub has no catalogue; repos_df and search_df find repositories"
            )
        call.sources.add("registry")
        paths = call.client.registry(host).catalog()
        return call.finish(shape.catalog(f"{host}/{path}" for path in paths), "catalog")


def frame_of_images(
    call: Call, name: str, what: What, wanted: Wanted, source: Source, *, partial: bool
) -> pd.DataFrame:
    """Find tags, make sure that there are enough pulls, and read and shape their images."""
    if source == "hub" and name in ("env", "configs"):
        raise ValueError(f'{name}_df: the Hub API does not tell this; leave out source="hub"')
    found = sources.find_tags(call, references(what), wanted, source)
    quota.guard(call, name, found, wanted, source, partial=partial)
    images = readers.read_images(call, name, found, wanted, source)
    if name == "labels":
        images = _noting_unlabelled(call, images)
    frame: pd.DataFrame = getattr(shape, name)(images)
    return frame


def frame_of_documents(
    call: Call,
    table: Table,
    what: What,
    wanted: Wanted,
    source: Source,
    rows_of: Callable[[Attached], Iterable[Mapping[str, Any]]],
    *,
    partial: bool,
) -> pd.DataFrame:
    """Make the rows of a table of each document that is attached to images."""
    rows = rows_of_documents(call, table, what, wanted, source, rows_of, partial=partial)
    return call.finish(table.from_records(rows), table.name)


def rows_of_documents(
    call: Call,
    table: Table,
    what: What,
    wanted: Wanted,
    source: Source,
    rows_of: Callable[[Attached], Iterable[Mapping[str, Any]]],
    *,
    partial: bool,
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of each document that is attached to images."""
    if source == "hub":
        raise ValueError(f'{table.name}_df: the Hub API does not tell this; leave out source="hub"')
    found = sources.find_tags(call, references(what), wanted, source)
    quota.guard(call, table.name, found, wanted, source, partial=partial)
    for document in documents_of(call, KINDS[table.name], found, wanted):
        try:
            yield from ({**document.key, **row} for row in rows_of(document))
        except PayloadError as error:
            call.is_good(document, error)


def _noting_unlabelled(call: Call, images: Iterable[shape.Image]) -> Iterator[shape.Image]:
    """Note which of the images that were read have no label."""
    for image in images:
        if image.content and not (image.labels or image.is_attestation):
            call.unlabelled.append([image.repo, image.tag, image.platform_name, image.digest])
        yield image
