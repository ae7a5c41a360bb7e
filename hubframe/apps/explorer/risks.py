"""What frames of vulnerabilities, of references and of ends of life say, in a sentence or two."""

from typing import TYPE_CHECKING, Any

import pandas as pd

import hubframe
from hubframe.errors import harmless
from hubframe.grid.cells import short
from hubframe.plots import wording
from hubframe.readers.severities import SEVERITIES

if TYPE_CHECKING:
    from hubframe.apps.explorer.panels import Result

# Of more images, or products, than that nobody reads sentences.
_MOST = 5
_LONGEST = 120
_TAG = ["repo", "tag"]


def of_vulnerabilities(result: "Result") -> list[str]:
    """Say of each image how many vulnerabilities are told, and which build step brought most."""
    frame = result.frame
    if frame.empty:
        said = "No vulnerability is told of these, which does not mean that they are safe"
        return [f"{said}. Told of: {_subjects(result)}."]
    images = result.vulnerabilities("image")
    sentences = [_counts(image) for image in images.head(_MOST).itertuples()]
    if more := len(images) - len(sentences):
        sentences.append(f"{wording.counted(more, 'more {image}')}.")
    steps = result.table.drop_duplicates(["vulnerability", "instruction"])[
        "instruction"
    ].value_counts()
    if len(steps):
        most = wording.counted(int(steps.iloc[0]), "vulnerability")
        step = short(str(steps.index[0]), _LONGEST)
        sentences.append(f"The step that brought most, {most}: {step}")
    return sentences


def _counts(image: Any) -> str:
    counts = {name: getattr(image, f"{name}_count") for name in SEVERITIES}
    by_severity = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    words = wording.counted(int(image.vulnerability_count), "vulnerability")
    if by_severity:
        words += f" ({by_severity}), {image.fixable_count:,} with a fixed version"
    if pd.notna(image.exploited_count) and image.exploited_count:
        words += f", {image.exploited_count:,} known to be exploited"
    if image.not_affected_count:
        words += f"; {image.not_affected_count:,} more that somebody says not to affect it"
    name = image.repo if pd.isna(image.tag) else f"{image.repo}:{image.tag}"
    return f"{harmless(name)}: {words}."


def of_references(result: "Result") -> list[str]:
    """Say in how many files references stand, and what is wrong with how many of them."""
    frame = result.frame
    if frame.empty:
        return [f"No file names these. Files name: {_subjects(result)}."]
    unpinned, behind = ~frame["is_pinned"].fillna(value=True), frame.get("versions_behind")
    wrong = {"not pinned to a digest": unpinned}
    if behind is not None:
        wrong |= {
            "of an image that is not there": frame["exists"].eq(False),
            "pinned to a digest that the tag has left": frame["is_current"].eq(False),
            "behind a newer version": behind.gt(0),
            "at the end of life": frame["is_eol"].eq(True),
        }
    counts = {words: int(is_so.sum()) for words, is_so in wrong.items()}
    said = [wording.counted(len(frame), "reference")]
    said[0] += f" in {wording.counted(frame['file'].nunique(), 'file')}"
    return ["; ".join([*said, *(f"{n:,} {words}" for words, n in counts.items() if n)]) + "."]


def _subjects(result: "Result") -> str:
    """Name what a given frame is about, where it is not about what is shown."""
    given = result.state.given[result.panel.name]
    names = (given["repo"] + ":" + given["tag"]).fillna(given["repo"]).dropna().unique()
    return harmless(wording.listed(names, _LONGEST)) or "nothing"


def of_ends(ends: pd.DataFrame) -> list[str]:
    """Say how many tags are of a product at its end of life, and of which."""
    known = ends.dropna(subset="is_eol")
    over = known[known["is_eol"].astype(bool)]
    count, told, ended = (len(rows[_TAG].drop_duplicates()) for rows in (ends, known, over))
    dated = f"The dates are of {hubframe.read_eol()['dated_at'].min():%Y-%m-%d}."
    if not told:
        said = "The names of these tags do not tell until when they are supported"
        return [f"{said}; Inside reads what the images say themselves. {dated}"]
    verb = "is" if ended <= 1 else "are"
    said = (
        f"The end of life is known of {wording.some(told, count, 'tag')}; "
        f"{f'{ended:,}' if ended else 'none'} {verb} past it"
    )
    cycles = (over["product"] + " " + over["cycle"]).value_counts()
    names = [f"{cycle} ({number:,})" for cycle, number in cycles.head(_MOST).items()]
    more = ", and more" if len(cycles) > _MOST else ""
    listed = f": {', '.join(names)}{more}" if names else ""
    return [f"{said}{harmless(listed)}. {dated}"]
