"""Until when images live, as annotations say that their publishers attach to them."""

import pandas as pd

from hubframe.frames import quota
from hubframe.frames.call import Errors, calling
from hubframe.frames.referrers import lifecycles_of
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, find_tags, read_wanted
from hubframe.tables import LIFECYCLES, shape
from hubframe.wire.client import Client

# So much of an annotation is repeated in a message.
_SHOWN = 40


def lifecycles_df(
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
    """Tell when the life of images ends, as their publishers say in lifecycle annotations.

    Microsoft attaches such an artifact to each image that is replaced or given up. What is attached
    to an index is told of each of its images. Nothing is verified here: whoever can write to the
    repository can attach one. `eol_df` takes this frame as ``lifecycles``.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know it.

    Returns
    -------
    DataFrame
        The table `lifecycles`, one row per image and artifact. A date that cannot be read is null,
        and a failure that does not end the call.

    Notes
    -----
    The artifact's type is ``application/vnd.microsoft.artifact.lifecycle``, its annotation
    ``vnd.microsoft.artifact.lifecycle.end-of-life.date``: a day, or a moment by RFC 3339.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    if source == "hub":
        raise ValueError('lifecycles_df: the Hub API does not tell this; leave out source="hub"')
    with calling(client, errors, progress) as call:
        found = find_tags(call, references(what), wanted, source)
        quota.guard(call, LIFECYCLES.name, found, wanted, source, partial=partial)
        lives = list(lifecycles_of(call, found, wanted))
        frame = shape.lifecycles(lives)
        for (image, one), is_unread in zip(lives, frame["eol_at"].isna(), strict=True):
            if is_unread:
                written = one.end_of_life
                words = "it does not tell the end of life that it is about"
                if written is not None:
                    words = f"the end of life that it tells is no date: {written[:_SHOWN]!r}"
                call.leave_out(f"{image.repo}@{one.descriptor['digest']}", words)
        return call.finish(frame, LIFECYCLES.name)
