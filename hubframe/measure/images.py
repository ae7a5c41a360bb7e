"""Which rows speak of the same image, and which rows of whole frames to show."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from hubframe.tables import LAYERS
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.schema import plain_values

USUAL_PLATFORM = "linux/amd64"


def identity(frame: pd.DataFrame) -> pd.Series:
    """Name the image of each row, the same for all its tags.

    Parameters
    ----------
    frame
        A frame with ``repo``, ``tag``, ``platform`` and ``image_digest``.

    Returns
    -------
    pandas.Series
        The image's digest; where that is not known, repository, tag and platform. Never null.

    Examples
    --------
    >>> rows = {"repo": "a/b", "tag": ["1", "2"], "platform": "linux/amd64"}
    >>> identity(pd.DataFrame(rows | {"image_digest": ["sha256:0f", None]})).tolist()
    ['sha256:0f', 'a/b:2 linux/amd64']
    """
    LAYERS.require(frame, IMAGE_KEY)
    spelled = frame["repo"] + ":" + frame["tag"].fillna("") + " " + frame["platform"].fillna("")
    return frame["image_digest"].fillna(spelled).rename("image")


def leading_tags(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """Keep the rows of the first tags, one image per tag.

    The order of the rows decides, as hubframe's frames have it: tags newest first. The image for
    linux/amd64 stands for its tag, else the first. Several repositories take turns, until there are
    enough; what is kept stays in order.

    Parameters
    ----------
    frame
        A frame with ``repo``, ``tag``, ``platform`` and ``image_digest``, such as the layers.
    count
        How many tags.

    Returns
    -------
    pandas.DataFrame
        Rows of `frame`, as they are. An image that was asked for by digest counts as a tag.
    """
    image = identity(frame)
    tag = frame["repo"] + ":" + frame["tag"].fillna(image)
    tags = pd.DataFrame({"repo": frame["repo"], "tag": tag}).drop_duplicates(ignore_index=True)
    turn = tags.groupby("repo", sort=False).cumcount().sort_values(kind="stable")
    is_chosen = tag.isin(tags["tag"].iloc[turn.index[:count]])
    usual = image.where(frame["platform"] == USUAL_PLATFORM)
    stands = usual.groupby(tag, sort=False).transform("first")
    stands = stands.fillna(image.groupby(tag, sort=False).transform("first"))
    return frame[is_chosen & (image == stands)]


def plain_rows(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Yield rows with None for null: of several nulls, none is a key to another."""
    rows: Iterator[tuple[Any, ...]] = plain_values(frame).itertuples(index=False, name=None)
    return rows
