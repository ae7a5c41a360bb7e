"""A few in place of all: repositories and tags drawn at random, with the bias written down."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from hubframe.frames import images as frames
from hubframe.frames.sources import check_count
from hubframe.tables import SEARCH, TAGS
from hubframe.wire.client import Client

# How many hits of a search are drawn from; the Hub orders them by relevance. [hits]
_HITS = 10_000


def sample_repos(
    query: str | None = None,
    *,
    namespaces: str | Iterable[str] | None = None,
    n: int = 100,
    seed: int = 0,
    hits: int = _HITS,
    client: Client | None = None,
) -> pd.DataFrame:
    """Draw repositories at random from the hits of a search, or from namespaces.

    They do not stand for all of Docker Hub, which has no list of its repositories, so say in what
    you publish where they were drawn from. A search finds only what matches the words in name or
    description, and of popular words the first `hits` in the Hub's order, which favours what is
    much pulled and starred; never what is private, unnamed or deleted. Of namespaces each
    repository is as likely as any other, so that owners of many weigh more.

    Parameters
    ----------
    query
        Words to search for.
    namespaces
        One name or several, in place of a search.
    n
        How many repositories; fewer where there are no more.
    seed
        The same one draws the same from the same hits. The Hub's answers change from day to day.
    hits
        How many hits of the search are listed, a hundred with a request.
    client
        See `layers_df`.

    Returns
    -------
    pandas.DataFrame
        The table `search` in the order of the hits; ``is_automated`` is null for namespaces.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     drawn = hubframe.sample_repos(namespaces="library", n=3, seed=1)
    >>> len(drawn)
    3
    """
    check_count("n", n)
    if (query is None) == (namespaces is None):
        raise ValueError("give a query or namespaces: one of the two")
    if query is not None:
        found = frames.search_df(query, limit=hits, client=client)
    else:
        listed = frames.repos_df(namespaces or [], client=client)
        found = SEARCH.of(listed.reindex(columns=list(SEARCH.dtypes)))
    return found.take(_drawn(np.arange(len(found)), n, seed)).reset_index(drop=True)


def sample_tags(tags: pd.DataFrame, n: int = 5, seed: int = 0) -> pd.DataFrame:
    """Draw some tags of each repository at random.

    A repository of a thousand tags then weighs as much as one of five: weigh by tags before
    speaking of all. Tags that are one image are drawn apart, so an image of many aliases is drawn
    more often; a nightly build's crowd out releases. ``newest=`` of the frames takes the latest
    instead, which is younger than the whole.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame.
    n
        How many tags of each repository; all where there are no more.
    seed
        The same one draws the same, whatever other repositories are in the frame.

    Returns
    -------
    pandas.DataFrame
        The rows that were drawn, in their order.
    """
    TAGS.require(tags, ("repo", "tag"))
    check_count("n", n)
    places = pd.Series(np.arange(len(tags)))
    drawn = [
        _drawn(group.to_numpy(), n, [seed, *str(repo).encode()])
        for repo, group in places.groupby(tags["repo"].to_numpy(), sort=False)
    ]
    rows = np.sort(np.concatenate(drawn)) if drawn else np.array([], dtype=np.int64)
    return tags.take(rows).reset_index(drop=True)


def _drawn(rows: Any, n: int, seed: int | list[int]) -> Any:
    """Draw some of the places of rows, in their order."""
    return np.sort(np.random.default_rng(seed).choice(rows, min(n, len(rows)), replace=False))
