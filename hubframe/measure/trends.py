"""How tags moved over time."""

import pandas as pd

from hubframe.tables import TAGS

# Years that a date of a push may have; registries write year 1 for "no date".
_YEARS = (2000, 2199)


def pushes(tags: pd.DataFrame) -> pd.DataFrame:
    """List the pushes that have a date, and what kind of tag each was.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per tag whose ``pushed_at`` is a date of this age (from 2000 on), in the order of
        `tags`: ``repo``, ``tag``, ``pushed_at`` and ``kind``, which is ``signature`` where the tag
        only names a digest, else ``version`` where it starts with a version, else ``other``.

    Raises
    ------
    TypeError, ValueError
        `tags` is no frame, or lacks a column, which the message names.
    """
    TAGS.require(tags, ("repo", "tag", "pushed_at", "version", "is_digest_tag"))
    dated: pd.DataFrame = tags[tags["pushed_at"].dt.year.between(*_YEARS)]
    kind = pd.Series("other", index=dated.index, dtype="str")
    kind = kind.mask(dated["version"].notna(), "version")
    kind = kind.mask(dated["is_digest_tag"].fillna(value=False), "signature")
    return dated[["repo", "tag", "pushed_at"]].assign(kind=kind)
