"""What the row of an image is called."""

import pandas as pd

_DIGITS = len("sha256:") + 12


def image_names(frame: pd.DataFrame, side: str = "") -> pd.Series:
    """Name the image of each row: its tag, or its digest; the repository too if there are several.

    Parameters
    ----------
    frame
        A frame with ``repo``, ``tag`` and ``image_digest``.
    side
        What stands before the names of these columns, such as ``left_``.
    """
    repo, tag, digest = (frame[side + column] for column in ("repo", "tag", "image_digest"))
    short = "@" + digest.fillna("unknown").str.slice(0, _DIGITS)
    name = (":" + tag).fillna(short)
    is_one_repo = len(repo.unique()) == 1
    return name.str.slice(1) if is_one_repo else repo + name
