"""Where the size of a line of releases came from: step by step, from one release to the next."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self, cast

import pandas as pd

from hubframe.measure.names import names_of
from hubframe.measure.steps import Step, paired
from hubframe.oci.tagnames import Kind, TagName, moving
from hubframe.tables import LAYERS
from hubframe.tables.measured import SIZE_TREND

_LINE = ["repo", "line", "platform"]
_IMAGE = ["repo", "tag", "platform", "image_digest"]


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
        The table `size_trend`: a row per release and layer, also for the layers that only the
        release before had. The changes of a release's steps sum up to its ``total_change``, and
        their sizes to its ``total_size``. By repository, line and platform, then by version,
        oldest first, then by step. The rows' order in `layers` does not matter.

        Each step is compared with its counterpart in the release before, of which ``matched_by``
        tells how it was found. A step is known again as the same ``layer``, by its
        ``instruction``, or by its ``pattern``: the instruction but for versions, hashes and dates.
        By ``place`` is a guess: between steps that are known again, in order, one of the same kind
        (``RUN``, ``COPY``) or another base is taken for what was there before, the likest of
        several. It may be another step altogether; where a change hangs on it, look at both
        instructions.

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
    LAYERS.require(
        layers, (*_IMAGE, "position", "layer_digest", "size", "instruction", "created_at")
    )
    releases = _releases(layers)
    told = _steps(layers, releases).merge(releases, on=["id", "release"])
    # A step that is missing has no bytes; one whose size nobody knows has no size.
    told["size"] = told["size"].mask(told["step"].isna(), 0)
    is_first = told["release"] == 0
    told["previous_size"] = told["previous_size"].mask(told["previous_step"].isna(), 0)
    told["previous_size"] = told["previous_size"].mask(is_first)
    told["change"] = told["size"] - told["previous_size"]
    told = told.join(_totals(told), on=["id", "release"])
    order = ["repo", "line", "platform", "release", "step", "previous_step"]
    return SIZE_TREND.of(told.sort_values(order, na_position="last").reset_index(drop=True))


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
    columns = trend[["release", "step", "previous_step"]].astype(object)
    columns = columns.where(columns.notna(), None)
    for _, rows in columns.groupby("release", sort=True):
        now: dict[Any, int] = {}
        for index, step, previous in zip(
            rows.index, rows["step"], rows["previous_step"], strict=True
        ):
            numbers[index] = before[previous] if previous in before else len(numbers)
            if step is not None:
                now[step] = numbers[index]
        before = now
    return pd.Series(numbers, dtype="int64").reindex(trend.index)


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
    tagged = layers.dropna(subset="tag")
    images = tagged.groupby(_IMAGE, dropna=False, sort=False)["created_at"].max().reset_index()
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


class _Row(NamedTuple):
    """A step of a release, beside its counterpart in the release before."""

    id: int
    release: int
    step: int | None
    previous_step: int | None
    instruction: str | None
    previous_instruction: str | None
    matched_by: str | None
    size: int | None
    previous_size: int | None

    @classmethod
    def of(
        cls, release: "_Built", was: "_Layer | None", its: "_Layer | None", by: str | None
    ) -> Self:
        """Put a layer and its counterpart, at least one of which is there, side by side."""
        said = was and was.step.instruction
        return cls(
            release.id,
            release.number,
            step=its and its.position,
            previous_step=was and was.position,
            instruction=its.step.instruction if its else said,
            previous_instruction=said,
            matched_by=by,
            size=its and its.step.size,
            previous_size=was and was.step.size,
        )


_ROW = {name: dtype for name, dtype in SIZE_TREND.dtypes.items() if name in _Row._fields}


class _Layer(NamedTuple):
    """A layer of a release: its position, and what it is known by."""

    position: int
    step: Step


class _Built(NamedTuple):
    """A release: the number of its line, its own, and its layers, base first."""

    id: int
    number: int
    layers: list[_Layer]


def _steps(layers: pd.DataFrame, releases: pd.DataFrame) -> pd.DataFrame:
    """Pair the layers of each release with those of the release before."""
    rows: list[_Row] = []
    before: _Built | None = None
    for now in _built(layers, releases):
        was = before.layers if before and before.id == now.id else []
        pairs = paired([one.step for one in was], [one.step for one in now.layers], moved=True)
        rows += (
            _Row.of(
                now,
                None if left is None else was[left],
                None if right is None else now.layers[right],
                by,
            )
            for left, right, by in pairs
        )
        before = now
    return pd.DataFrame(rows, columns=list(_Row._fields)).astype(_ROW)


def _built(layers: pd.DataFrame, releases: pd.DataFrame) -> Iterator[_Built]:
    """Read the layers of each release, line by line, oldest first."""
    place = ["id", "release", "position", "layer_digest"]
    held = releases[["id", "release", *_IMAGE]].merge(layers, on=_IMAGE)
    # A layer is a row once, though its image was asked for twice.
    held = held.sort_values(place).drop_duplicates(place)
    texts = held[[*place, "instruction", "size"]].astype(object)
    texts = texts.where(texts.notna(), None)
    for key, rows in texts.groupby(["id", "release"], sort=True):
        line, release = cast("tuple[int, int]", key)
        listed = zip(*(rows[name] for name in texts.columns[2:]), strict=True)
        found = [
            _Layer(position, Step(digest, instruction, size, is_base=not number))
            for number, (position, digest, instruction, size) in enumerate(listed)
        ]
        yield _Built(line, release, found)


def _totals(told: pd.DataFrame) -> pd.DataFrame:
    by = told.groupby(["id", "release"])
    return pd.DataFrame(
        {
            "total_size": by["size"].agg(lambda sizes: sizes.sum(skipna=False)),
            "total_change": by["change"].agg(lambda changes: changes.sum(skipna=False)),
        }
    )
