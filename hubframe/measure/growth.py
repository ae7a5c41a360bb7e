"""Where the size of a line of releases came from: step by step, from one release to the next."""

import re

import pandas as pd

from hubframe.measure.names import names_of
from hubframe.oci.tagnames import Kind, TagName, moving
from hubframe.tables import LAYERS
from hubframe.tables.measured import SIZE_TREND

_LINE = ["repo", "line", "platform"]
_IMAGE = ["repo", "tag", "platform", "image_digest"]
# What changes from release to release in a step that is the same: versions, hashes, dates.
_VARIABLE = re.compile(r"\b[0-9a-f]{12,}\b|v?\d+(?:[._-]\d+)*")


def size_trend_df(layers: pd.DataFrame) -> pd.DataFrame:
    """Tell how the size of releases moved, and which build steps made the difference.

    A line of releases are the tags of a repository that differ in their version alone, on one
    platform: ``3.18``, ``3.19``; ``1.25.3-alpine`` is of another line. Tags that start with a day
    (``20240101``, ``2024-01-01``) have lines of their own. Pre-releases, and versions that others
    go on from (``1.25`` beside ``1.25.3``), are no releases.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame of the releases.

    Returns
    -------
    pandas.DataFrame
        The table `size_trend`: a row per release and build step, also for the steps that only the
        release before had. Steps are matched by their instruction, whatever numbers and hashes
        stand in it; layers that share one count as one, those without by position. The changes
        of a release's steps sum up to its ``total_change``, and their sizes to its ``total_size``.
        By repository, line and platform, then by version, oldest first, then by step. The rows'
        order in `layers` does not matter.

    Raises
    ------
    TypeError, ValueError
        `layers` is no frame, or lacks a column, which the message names.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     trend = hubframe.size_trend_df(hubframe.layers_df("library/alpine"))
    >>> grown = trend.sort_values("change").iloc[-1]
    >>> grown["tag"] in set(trend["tag"])
    True
    """
    LAYERS.require(layers, (*_IMAGE, "position", "size", "instruction", "created_at"))
    releases = _releases(layers)
    steps = _steps(layers, releases)
    later = steps[["id", "release", "match", "instruction", "size"]].assign(
        release=steps["release"] + 1
    )
    told = steps.merge(
        later, on=["id", "release", "match"], how="outer", suffixes=("", "_before")
    ).merge(releases.drop(columns="image_digest"), on=["id", "release"])
    told["instruction"] = told["instruction"].fillna(told["instruction_before"])
    is_first = told["release"] == 0
    # A step that is missing has no bytes; one whose size nobody knows has no size.
    told["size"] = told["size"].mask(told["step"].isna(), 0)
    known = pd.MultiIndex.from_frame(later[["id", "release", "match"]])
    was_there = pd.MultiIndex.from_frame(told[["id", "release", "match"]]).isin(known)
    told["previous_size"] = told["size_before"].mask(~was_there, 0).mask(is_first)
    told["change"] = told["size"] - told["previous_size"]
    totals = _totals(told)
    told = told.join(totals, on=["id", "release"])
    order = ["repo", "line", "platform", "release", "step", "instruction", "match"]
    return SIZE_TREND.of(told.sort_values(order, na_position="last").reset_index(drop=True))


def most_grown(trend: pd.DataFrame) -> pd.DataFrame:
    """Choose the line of releases whose last one is larger than its first by most.

    Parameters
    ----------
    trend
        The table `size_trend`.

    Returns
    -------
    pandas.DataFrame
        Its rows; none where no line grew.

    Raises
    ------
    TypeError, ValueError
        `trend` is no frame, or lacks a column, which the message names.
    """
    SIZE_TREND.require(trend, (*_LINE, "total_size"))
    known = trend.dropna(subset="total_size")
    sizes = known.groupby(_LINE)["total_size"]
    grown = (sizes.last() - sizes.first()).sort_values(ascending=False, kind="stable")
    if grown.empty or grown.iloc[0] <= 0:
        return trend.iloc[:0]
    return trend[(trend[_LINE] == list(grown.index[0])).all(axis=1)]


def _lines(names: dict[str, TagName]) -> dict[str, str]:
    """Name the line of each release: ``*-alpine`` for the versions of a variant.

    Pre-releases are in none, nor are tags that are meant to move: others go on from their numbers,
    or the same image has a build besides.
    """
    moved = moving(names.values())
    lines = {}
    for tag, name in names.items():
        if name.stage or name.kind < Kind.DATE or tag in moved:
            continue
        prefix = "" if name.is_version else name.prefix
        what = "<day>" if name.kind is Kind.DATE else "*"
        lines[tag] = f"{prefix}{what}{name.variant and f'-{name.variant}'}"
    return lines


def _releases(layers: pd.DataFrame) -> pd.DataFrame:
    """Find the releases of each line: its number, their places, and what came before them."""
    images = layers.dropna(subset="tag")[_IMAGE].drop_duplicates()
    found = [
        (repo, tag, line, names[tag].precedence)
        for repo, names in names_of(images.rename(columns={"image_digest": "digest"})).items()
        for tag, line in _lines(names).items()
    ]
    named = pd.DataFrame(found, columns=["repo", "tag", "line", "precedence"])
    named = named.astype({"repo": "str", "tag": "str", "line": "str"})
    images = images.merge(named, on=["repo", "tag"])
    images["length"] = images["tag"].str.len()
    images = images.sort_values([*_LINE, "precedence", "length", "tag", "image_digest"])
    images = images.drop_duplicates([*_LINE, "precedence"]).reset_index(drop=True)
    lines = images.groupby(_LINE, dropna=False, sort=True)
    images["id"] = lines.ngroup()
    images["release"] = lines.cumcount()
    images["previous_tag"] = lines["tag"].shift()
    return images.drop(columns=["precedence", "length"])


def _steps(layers: pd.DataFrame, releases: pd.DataFrame) -> pd.DataFrame:
    """Sum up the layers of each step of each release."""
    held = releases[["id", "release", *_IMAGE]].merge(layers, on=_IMAGE)
    held = held.sort_values(["id", "release", "position"])
    held["match"] = matched(held["instruction"], held["position"])
    steps = held.groupby(["id", "release", "match"], sort=False)
    return steps.agg(
        image_digest=("image_digest", "first"),
        created_at=("created_at", "max"),
        step=("position", "min"),
        instruction=("instruction", "first"),
        size=("size", lambda sizes: sizes.sum(skipna=False)),
    ).reset_index()


def matched(instructions: pd.Series, positions: pd.Series) -> pd.Series:
    """Name steps alike that are the same in every release.

    Parameters
    ----------
    instructions, positions
        The steps, and where they stand; the latter counts where there is no instruction.
    """
    texts = {text: _VARIABLE.sub("#", text) for text in instructions.dropna().unique()}
    by_position = "layer " + positions.astype("str")
    return instructions.map(texts).astype("str").mask(instructions.isna(), by_position)


def _totals(told: pd.DataFrame) -> pd.DataFrame:
    by = told.groupby(["id", "release"])
    return pd.DataFrame(
        {
            "total_size": by["size"].agg(lambda sizes: sizes.sum(skipna=False)),
            "total_change": by["change"].agg(lambda changes: changes.sum(skipna=False)),
        }
    )
