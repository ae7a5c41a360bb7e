"""Where the size of a line of releases came from: step by step, from one release to the next."""

from collections.abc import Iterator
from itertools import count, groupby, pairwise
from typing import Any

import numpy as np
import pandas as pd

from hubframe.measure.images import identity, plain_rows
from hubframe.measure.layer_index import IMAGE
from hubframe.measure.names import line_names, names_of
from hubframe.measure.steps import Step, paired
from hubframe.tables import LAYERS
from hubframe.tables.measured import SIZE_TREND

_LINE = ["repo", "line", "platform"]
_RELEASE = ["id", "release"]


def size_trend_df(layers: pd.DataFrame) -> pd.DataFrame:
    """Tell how the size of releases moved, and which build steps made the difference.

    A line of releases are the tags of a repository that differ in their version alone, on one
    platform: ``3.18``, ``3.19``; ``1.25.3-alpine`` is of another line, and so are tags that start
    with a day (``20240101``). Pre-releases, and versions that others go on from (``1.25`` beside
    ``1.25.3``), are no releases.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame of the releases.

    Returns
    -------
    pandas.DataFrame
        The table `size_trend`: a row per release and layer, also for the layers that only the
        release before had, by repository, line, platform, version and step, oldest first. The
        changes of a release's steps sum up to its ``total_change``, and their sizes to its
        ``total_size``.

        What is ``matched_by`` its ``place`` is a guess: between steps that are known again, in
        order, one of the same kind (``RUN``, ``COPY``) or another base is taken for what was there
        before, the most similar of several. Where a change hangs on it, look at both instructions.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     trend = hubframe.size_trend_df(hubframe.layers_df("library/alpine"))
    >>> grown = trend.sort_values("change").iloc[-1]
    >>> grown["tag"] in set(trend["tag"])
    True
    """
    LAYERS.require(
        layers, (*IMAGE, "position", "layer_digest", "size", "instruction", "created_at")
    )
    releases = _releases(layers)
    table = _compared(layers, releases).merge(releases, on=_RELEASE)
    # A step that is missing has no bytes; one whose size nobody knows has no size.
    table["size"] = table["size"].mask(table["step"].isna(), 0)
    table["previous_size"] = table["previous_size"].mask(table["previous_step"].isna(), 0)
    table["previous_size"] = table["previous_size"].mask(table["release"] == 0)
    table["change"] = table["size"] - table["previous_size"]
    totals = table.groupby(_RELEASE)[["size", "change"]].transform("sum", skipna=False)
    table[["total_size", "total_change"]] = totals
    order = ["repo", "line", "platform", "release", "step", "previous_step"]
    return SIZE_TREND.of(table.sort_values(order, na_position="last", ignore_index=True))


def threads(trend: pd.DataFrame) -> pd.Series:
    """Name each step of a line as the same one in all releases, by what it was paired with.

    Parameters
    ----------
    trend
        The rows of one line of the table `size_trend`.

    Returns
    -------
    pandas.Series
        A number for each row; a step that is new has one that no earlier release has.
    """
    SIZE_TREND.require(trend, ("release", "step", "previous_step"))
    numbers: dict[Any, int] = {}
    before: dict[Any, int] = {}
    rows = trend[["release", "step", "previous_step"]].sort_values("release", kind="stable")
    listed = zip(rows.index, plain_rows(rows), strict=True)
    for _, of_release in groupby(listed, key=lambda row: row[1][0]):
        now: dict[Any, int] = {}
        for index, (_, step, previous) in of_release:
            numbers[index] = before[previous] if previous in before else len(numbers)
            if step is not None:
                now[step] = numbers[index]
        before = now
    return pd.Series(numbers, dtype="int64").reindex(trend.index)


def step_numbers(layers: pd.DataFrame) -> pd.Series:
    """Number the steps that made layers, the same step of several images alike.

    A layer that another image has too is one step; so is what took its place from one image of a
    repository to the next, and what is written alike but for versions, hashes and dates.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame of a few images, each once, in the order in which to compare them.

    Returns
    -------
    pandas.Series
        A number for each row.
    """
    LAYERS.require(layers, (*IMAGE, "position", "layer_digest", "size", "instruction"))
    texts = layers[["layer_digest", "instruction", "size"]].assign(is_base=layers["position"] == 0)
    steps = [Step(*row) for row in plain_rows(texts)]
    numbers, fresh = [0] * len(steps), count()
    known: dict[str | None, int] = {}
    last: dict[str, list[int]] = {}
    for places in layers.groupby(identity(layers).array, sort=False).indices.values():
        repo, now = layers["repo"].iloc[places[0]], [int(place) for place in places]
        before, used = last.get(repo, []), set[int]()
        for i, j, _ in paired([steps[n] for n in before], [steps[n] for n in now], moved=True):
            if j is None:
                continue
            step = steps[now[j]]
            follows = None if i is None else numbers[before[i]]
            found = (known.get(step.value), follows, known.get(step.pattern))
            unused = (number for number in found if number is not None and number not in used)
            number = next(unused, None)
            numbers[now[j]] = number = next(fresh) if number is None else number
            used.add(number)
            for key in filter(None, (step.value, step.pattern)):
                known.setdefault(key, number)
        last[repo] = now
    return pd.Series(numbers, layers.index, dtype="int64")


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
    """
    SIZE_TREND.require(trend, (*_LINE, "total_size"))
    known = trend.dropna(subset="total_size")
    sizes = known.groupby(_LINE)["total_size"]
    grown = (sizes.last() - sizes.first()).sort_values(ascending=False, kind="stable")
    if grown.empty or grown.iloc[0] <= 0:
        return trend.iloc[:0]
    return trend[(trend[_LINE] == list(grown.index[0])).all(axis=1)]


def _releases(layers: pd.DataFrame) -> pd.DataFrame:
    """Find the releases of each line: its number, their places, and what came before them."""
    tagged = layers.dropna(subset="tag")
    images = tagged.groupby(IMAGE, dropna=False, sort=False)["created_at"].max().reset_index()
    found = [
        (repo, tag, line, names[tag].precedence)
        for repo, names in names_of(images.rename(columns={"image_digest": "digest"})).items()
        for tag, line in line_names(names).items()
    ]
    named = pd.DataFrame(found, columns=["repo", "tag", "line", "precedence"])
    named = named.astype({"repo": "str", "tag": "str", "line": "str"})
    images = images.merge(named, on=["repo", "tag"])
    images["length"] = images["tag"].str.len()
    images = images.sort_values([*_LINE, "precedence", "length", "tag", "image_digest"])
    images = images.drop_duplicates([*_LINE, "precedence"], ignore_index=True)
    lines = images.groupby(_LINE, dropna=False, sort=True)
    numbered = images.assign(
        id=lines.ngroup(), release=lines.cumcount(), previous_tag=lines["tag"].shift()
    )
    return numbered.drop(columns=["precedence", "length"])


def _compared(layers: pd.DataFrame, releases: pd.DataFrame) -> pd.DataFrame:
    """Put the layers of each release beside those of the release before."""
    place = [*_RELEASE, "position", "layer_digest"]
    held = releases[[*_RELEASE, *IMAGE]].merge(layers, on=IMAGE)
    # A layer is a row once, though its image was asked for twice.
    held = held.sort_values(place).drop_duplicates(place, ignore_index=True)
    held = held.rename(columns={"position": "step"})
    columns = ["release", "left", "right", "matched_by"]
    pairs = pd.DataFrame(list(_pairs(held)), columns=columns).astype({"matched_by": "str"})
    of_step = ["step", "instruction", "size"]
    now = held[of_step].reindex(pairs["right"]).reset_index(drop=True)
    was = held[of_step].reindex(pairs["left"]).reset_index(drop=True).add_prefix("previous_")
    now["instruction"] = now["instruction"].where(pairs["right"] >= 0, was["previous_instruction"])
    release = held[_RELEASE].reindex(pairs["release"]).reset_index(drop=True)
    return pd.concat([release, now, was, pairs[["matched_by"]]], axis=1)


def _pairs(held: pd.DataFrame) -> Iterator[tuple[int, int, int, str | None]]:
    """Pair steps: the first row of the release, that of the left step, of the right, by what.

    A row that is not there is -1.
    """
    is_base = ~held.duplicated(_RELEASE)
    texts = held[["layer_digest", "instruction", "size"]].assign(is_base=is_base)
    steps = [Step(*row) for row in plain_rows(texts)]
    starts = np.flatnonzero(is_base).tolist()
    lines = held["id"].to_numpy()[starts].tolist()
    previous, first = None, 0
    for line, (start, end) in zip(lines, pairwise([*starts, len(held)]), strict=True):
        first = first if previous == line else start
        for left, right, by in paired(steps[first:start], steps[start:end], moved=True):
            was = -1 if left is None else first + left
            yield start, was, -1 if right is None else start + right, by
        previous, first = line, start
