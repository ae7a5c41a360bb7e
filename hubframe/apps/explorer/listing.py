"""The tags of repositories, as fast as they can be listed.

Docker Hub tells sizes and dates with the names. Of another registry the names come alone, and the
rest is asked for the tags that a person sees.
"""

from collections.abc import Sequence

import pandas as pd

import hubframe
from hubframe.apps.explorer.model import Row, State, references
from hubframe.frames.selection import USUAL_PLATFORM
from hubframe.oci.reference import ImageReference
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.tables import shape
from hubframe.wire.client import Client


def list_tags(repos: Sequence[str], client: Client) -> pd.DataFrame:
    """List the tags of repositories, newest first: the table `tags`.

    Where a repository is not on Docker Hub it has one column more, `created_at`, and what only a
    request for each tag would tell is null.
    """
    asked = [ImageReference.parse(repo) for repo in repos]
    if all(one.is_hub for one in asked):
        return hubframe.tags_df(list(repos), client=client)
    parts = [
        hubframe.tags_df(one.repo, client=client) if one.is_hub else _names(one, client)
        for one in asked
    ]
    tags = pd.concat(parts, ignore_index=True)
    tags["created_at"] = pd.Series(pd.NaT, tags.index, dtype=tags["pushed_at"].dtype)
    note = {"table": "tags", "sample": client.settings.sample, "source": "registry"}
    tags.attrs["hubframe"] = {**note, "complete": True, "failures": []}
    return tags


def _names(repository: ImageReference, client: Client) -> pd.DataFrame:
    """List the names of a registry's tags."""
    found = client.registry(repository.registry).tags(repository.path)
    ordered = newest_first(read_all(found).values())
    return shape.tags([(repository.repo, [shape.Tag(name.tag) for name in ordered])])


def look_up(rows: Sequence[Row], state: State, client: Client) -> pd.DataFrame:
    """Look up the images of some tags: the table `images`, one platform of each."""
    platform = state.filters.platform if state.is_one_platform else USUAL_PLATFORM
    return hubframe.images_df(references(rows), platform=platform, errors="collect", client=client)
