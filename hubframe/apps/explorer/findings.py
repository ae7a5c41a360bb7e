"""What a panel's frame says, in a sentence or two: the answer before its picture."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

import hubframe
from hubframe.errors import harmless
from hubframe.grid.cells import cell, short
from hubframe.plots import wording

# Of more repositories, or pairs of images, than that nobody reads sentences.
_MOST = 5
_LONGEST = 120
_RELEASE = ["repo", "line", "platform", "release"]


def of_tags(tags: pd.DataFrame) -> list[str]:
    """Say of each repository how much there is, when it moved last, and what ``latest`` is."""
    lags = hubframe.latest_lag_df(tags)
    return [
        f"{harmless(repo)}: {'; '.join(_of_repository(tags[tags['repo'] == repo], lags))}."
        for repo in tags["repo"].unique()[:_MOST]
    ]


def _of_repository(tags: pd.DataFrame, lags: pd.DataFrame) -> Iterator[str]:
    count = wording.counted(len(tags), "tag")
    is_known = tags["digest"].notna().all()
    yield f"{count} of {wording.counted(tags['digest'].nunique(), 'image')}" if is_known else count
    sizes = tags["size"].dropna()
    if len(sizes):
        least, most = wording.size(sizes.min()), wording.size(sizes.max())
        yield least if least == most else f"{least} to {most}"
    pushed = tags["pushed_at"].max()
    if pd.notna(pushed):
        yield f"last pushed {cell('pushed_at', pushed, pd.Timestamp.now('UTC')).text}"
    known = lags[(lags["repo"] == tags["repo"].iloc[0]) & lags["latest_version"].notna()]
    for lag in known.itertuples():
        yield f"latest is {harmless(str(lag.latest_version))}, {_behind(lag)}"


def _behind(lag: Any) -> str:
    if pd.isna(lag.is_highest):
        return "which no name compares with the others"
    if lag.is_highest:
        return "the highest version"
    if not lag.versions_behind:
        return f"an older build than {harmless(lag.highest_tag)}"
    behind = wording.counted(int(lag.versions_behind), "version")
    return f"{behind} behind {harmless(lag.highest_version)}"


def of_trend(trend: pd.DataFrame) -> list[str]:
    """Say which release grew most, and by which step."""
    releases = trend.drop_duplicates(_RELEASE)
    most = releases[releases["total_change"].gt(0).fillna(value=False)].nlargest(1, "total_change")
    if most.empty:
        return ["No release is larger than the one before."] if len(releases) > 1 else []
    release = most.iloc[0]
    words = f"{harmless(release.tag)} grew most: by {wording.size(release.total_change)}"
    words += f" over {harmless(release.previous_tag)}"
    steps = trend.merge(most[_RELEASE]).dropna(subset="change")
    if steps.empty:
        return [f"{words}."]
    if gone := -steps["change"].clip(upper=0).sum():
        came = wording.size(release.total_change + gone)
        words += f" ({came} more in some steps, {wording.size(gone)} less in others)"
    step = steps.nlargest(1, "change").iloc[0]
    added = f"The step that added most, {wording.size(step.change)}:"
    sentences = [f"{words}.", f"{added} {_short(step.instruction)}"]
    if step.matched_by == "place":
        sentences.append(f"It is taken for what was: {_short(step.previous_instruction)}")
    return sentences


def _short(instruction: str | None) -> str:
    return "a step that is not told" if pd.isna(instruction) else short(str(instruction), _LONGEST)


def of_shared(shared: pd.DataFrame) -> list[str]:
    """Say what sharing saves."""
    count = int((shared["image_count"] > 1).sum())
    if not count:
        return ["No layer is in more than one image."] if len(shared) else []
    held = wording.size((shared["size"] * shared["image_count"]).sum())
    saved = wording.size(shared["saved_size"].sum())
    return [f"Sharing {wording.counted(count, 'layer')} saves {saved} of {held}."]


def of_comparison(compared: pd.DataFrame) -> list[str]:
    """Say of each pair of images by how much they differ, and in what."""
    if compared.empty:
        return ["Nothing differs: they are one image."]
    pairs = list(compared.groupby(["left_name", "right_name"], sort=False))[:_MOST]
    return [
        f"From {harmless(str(left))} to {harmless(str(right))}: {_difference(rows)}."
        for (left, right), rows in pairs
    ]


def _difference(rows: pd.DataFrame) -> str:
    is_size = rows["aspect"] == "size"
    change = int(rows.loc[is_size, "size_change"].sum())
    way = "larger" if change > 0 else "smaller"
    size = f"{wording.size(abs(change))} {way}" if change else "as large"
    others = rows.loc[~is_size, "aspect"].value_counts(sort=False)
    counts = [f"{count:,} in {aspect}" for aspect, count in others.items()]
    return f"{size}; differences: {', '.join(counts)}" if counts else size
