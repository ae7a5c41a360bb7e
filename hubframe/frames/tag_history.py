"""What tags pointed at before: the past that a registry keeps itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pandas as pd

from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.fetching import Item
from hubframe.frames.selection import TagFilter, What, tags_of
from hubframe.frames.sources import Wanted, kept_tags, provider_that, read_wanted
from hubframe.oci.reference import ImageReference
from hubframe.tables.declarations import TAG_HISTORY
from hubframe.wire.client import Client
from hubframe.wire.providers import Provider

_WHO = (
    "only Quay keeps the history of tags: quay.io, and hosts that HUBFRAME_PROVIDERS=host=quay or "
    "Settings(providers=…) names. Elsewhere hubframe.snapshot, taken again and again, sees tags "
    "move"
)


def tag_history_df(
    repos: What,
    *,
    tags: TagFilter = None,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List what the tags of repositories pointed at, those that are gone too, and when.

    Quay alone keeps it: quay.io, and hosts that ``Settings(providers={"quay.example": "quay"})``
    names. It costs a request for a hundred rows. What has ended Quay forgets after a time that each
    owner sets, two weeks unless changed; of what a tag points at now it knows since when.

    Parameters
    ----------
    repos
        Repositories or tags: a reference, a list of them, or a frame with a column ``repo``.
    tags
        Which tags of whole repositories, as in `layers_df`; all if left out.
    errors, progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `tag_history`: a row per tag and time, by repository as given, the last first.
        `tag_moves_df` and `mutable_tags_df` take it in place of snapshots.

    Raises
    ------
    UnauthorizedError
        The repository is private, or is not there: Quay says the same of both.
    ValueError
        The registry keeps no history; the message says which do.

    Examples
    --------
    >>> with hubframe.sample():
    ...     history = hubframe.tag_history_df("quay.io/acme/agent", tags="latest")
    >>> hubframe.tag_moves_df(history).ending.tolist()
    ['moved', 'moved', None]
    """
    asked = tags_of(repos, "tag_history_df")
    wanted = read_wanted("*" if tags is None else tags, None)
    with calling(client, errors, progress) as call:
        call.sources |= {one.kind for one in providers(call.client, asked).values()}
        told = histories_of(call, asked)
        rows = chain.from_iterable(_rows(call, one, found, wanted) for one, found in told)
        # A tag may be named beside its whole repository.
        distinct = {tuple(row[name] for name in TAG_HISTORY.key): row for row in rows}
        return call.finish(TAG_HISTORY.from_records(distinct.values()), TAG_HISTORY.name)


def providers(client: Client, asked: Iterable[ImageReference]) -> dict[str, Provider]:
    """Return what tells the past of tags, by registry; a ValueError where nothing does."""
    return {one.registry: provider_that(client, one, "tells_history", _WHO) for one in asked}


def histories_of(
    call: Call, asked: Iterable[ImageReference]
) -> Iterator[tuple[ImageReference, Sequence[Mapping[str, Any]]]]:
    """Ask what tags of repositories pointed at, and tags by name."""
    for batch in call.batches(list(dict.fromkeys(asked)), TAG_HISTORY.name):
        items = [Item("history", one) for one in batch]
        answers = call.get(items)
        yield from call.successes(batch, [answers[item] for item in items])


def _rows(
    call: Call, reference: ImageReference, told: Sequence[Mapping[str, Any]], wanted: Wanted
) -> Iterator[Mapping[str, Any]]:
    """Make rows, the last first. A date of the future is not when a tag ended, but will."""
    now = datetime.now(UTC).isoformat()
    names = list(dict.fromkeys(row["tag"] for row in told))
    kept = set(names if reference.tag else kept_tags(call, names, wanted))
    for row in sorted(told, key=lambda row: row["started_at"] or "", reverse=True):
        if row["tag"] in kept:
            ends = "expires_at" if (row["ends_at"] or "") > now else "ended_at"
            yield {"repo": reference.repo, **row, ends: row["ends_at"]}
