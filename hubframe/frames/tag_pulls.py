"""How often each tag was pulled, where the registry counts that."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from hubframe.errors import HubframeError, NotFoundError, UnauthorizedError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.fetching import Item
from hubframe.frames.selection import TagFilter, What, tags_of
from hubframe.frames.sources import Found, find_tags, provider_that, read_wanted
from hubframe.oci.reference import ImageReference
from hubframe.tables.declarations import TAG_PULLS
from hubframe.wire.client import Client
from hubframe.wire.providers import Provider

_WHO = (
    "only Quay counts the pulls of each tag, where that is switched on: quay.io, and hosts that "
    "HUBFRAME_PROVIDERS=host=quay or Settings(providers=…) names. Elsewhere hubframe.repos_df has "
    "those of whole repositories"
)


def tag_pulls_df(
    repos: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Tell how often each tag was pulled, and when last.

    Quay alone tells it, and only where its administrator switched that on: quay.io, and hosts that
    ``Settings(providers={"quay.example": "quay"})`` names. It costs a request for each tag. Docker
    Hub counts the pulls of whole repositories, which `repos_df` has.

    Parameters
    ----------
    repos
        Repositories or tags: a reference, a list of them, or a frame with a column ``repo``.
    tags, newest, errors, progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `tag_pulls`, a row per tag, newest first. A tag that was never pulled has 0.

    Raises
    ------
    NotFoundError, UnauthorizedError
        There is no such tag, or this Quay counts no pulls of tags: it says either then.
    ValueError
        The registry does not tell it; the message says which do.

    Examples
    --------
    >>> with hubframe.sample():
    ...     pulls = hubframe.tag_pulls_df("quay.io/acme/agent", newest=2)
    >>> pulls[["tag", "pull_count"]].to_numpy().tolist()
    [['preview', 65397], ['1.2', 54223]]
    """
    asked = tags_of(repos, "tag_pulls_df")
    wanted = read_wanted(tags, newest, is_brief=True)
    with calling(client, errors, progress) as call:
        call.sources |= {one.kind for one in providers(call.client, asked).values()}
        found = find_tags(call, asked, wanted, "auto")
        rows = _rows(call, found, pulls_of(call, found))
        return call.finish(TAG_PULLS.from_records(rows), TAG_PULLS.name)


def providers(client: Client, asked: Iterable[ImageReference]) -> dict[str, Provider]:
    """Return what counts the pulls of tags, by registry; a ValueError where nothing does."""
    return {one.registry: provider_that(client, one, "tells_pulls", _WHO) for one in asked}


def _rows(
    call: Call, found: Sequence[Found], told: Mapping[Found, Mapping[str, Any] | HubframeError]
) -> Iterator[Mapping[str, Any]]:
    for one in found:
        pulls = told.get(one, {})
        if isinstance(pulls, HubframeError):
            call.is_good(one, pulls, is_spared=not one.is_named)
        elif pulls:
            yield {"repo": one.reference.repo, "tag": one.reference.tag, **pulls}


def pulls_of(call: Call, found: Sequence[Found]) -> dict[Found, Mapping[str, Any] | HubframeError]:
    """Ask for the pulls of each tag; where one has none, of no other of its repository.

    A Quay that counts none takes the address for that of a repository, which is not there or is
    private.
    """
    listed = [one for one in reversed(found) if not one.is_named]
    first = list({one.reference.repo: one for one in listed}.values())
    told = _ask(call, first)
    silent = [one for one in first if isinstance(told[one], NotFoundError | UnauthorizedError)]
    for one in silent:
        call.is_good(one, told.pop(one))
    passed = {one.reference.repo for one in silent}
    rest = [
        one
        for one in found
        if one not in told and (one.is_named or one.reference.repo not in passed)
    ]
    return told | _ask(call, rest)


def _ask(call: Call, found: Sequence[Found]) -> dict[Found, Mapping[str, Any] | HubframeError]:
    told: dict[Found, Mapping[str, Any] | HubframeError] = {}
    for batch in call.batches(found, TAG_PULLS.name):
        items = {one: Item("pulls", one.reference) for one in batch}
        answers = call.get(items.values())
        told |= {one: answers[item] for one, item in items.items()}
    return told
