"""What the report speaks of: the fetched frames, and the tables measured of them, each once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from hubframe import measure

Frames = Mapping[str, pd.DataFrame]
# The rule whose outcome the report shows; it deletes nothing.
KEEP = 10
OLDER_THAN = 365
# The measured tables, and the frame whose scope each has.
MEASURED_OF = {
    "footprint": "layers",
    "shared_layers": "layers",
    "size_trend": "layers",
    "parents": "layers",
    "outdated": "layers",
    "latest_lag": "tags",
    "staleness": "tags",
    "coverage": "labels",
    "platform_coverage": "images",
    "cleanup": "layers",
}
ANSWERS = tuple(MEASURED_OF)
# What a reader wants to hear of first.
_RANKS = {"latest": 0, "moving": 1, "pin": 2, "signature": 3}
_TAG = ["repo", "tag"]


def answer(frames: Frames, now: datetime) -> dict[str, pd.DataFrame]:
    """Return the measured tables that the report shows, by name."""
    tags, layers = frames["tags"], frames["layers"]
    # One repository beside nothing says nothing.
    by: Any = "repo" if len(layers["repo"].unique()) > 1 else "tag"
    return {
        "footprint": measure.footprint_df(layers, by=by),
        "shared_layers": measure.shared_layers_df(layers),
        "size_trend": measure.size_trend_df(layers),
        "parents": measure.parents_df(layers, tags),
        "outdated": measure.outdated_df(layers, tags),
        "latest_lag": measure.latest_lag_df(tags),
        "staleness": _ages(frames, now),
        "coverage": measure.coverage_df(frames["labels"], measure.described_images(frames)),
        "platform_coverage": measure.platform_coverage_df(frames["images"]),
        "cleanup": measure.cleanup_df(tags, layers, keep=KEEP, older_than=OLDER_THAN, now=now),
    }


def _ages(frames: Frames, now: datetime) -> pd.DataFrame:
    """Measure how old tags are: since their last push, or their build where no push is known."""
    tags = measure.dated_tags(frames)
    ages = measure.staleness_df(tags.assign(pushed_at=tags["dated_at"]), now)
    pushed = pd.MultiIndex.from_frame(tags.loc[tags["pushed_at"].notna(), _TAG])
    is_pushed = pd.MultiIndex.from_frame(ages[_TAG]).isin(pushed)
    return ages.assign(pushed_at=ages["pushed_at"].where(is_pushed))


def largest_first(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sort rows by a column, those that lack it last; equal ones stay in order."""
    return frame.sort_values(column, ascending=False, kind="stable", na_position="last")


@dataclass(frozen=True)
class Facts:
    """All that the page, its sentences and its pictures speak of."""

    # The fetched and the measured tables, by name.
    frames: Frames
    answers: Frames

    @cached_property
    def totals(self) -> Mapping[str, Any]:
        """The sums, of which there is one each on the whole page."""
        return dict(measure.totals(self.frames).iloc[0])

    @cached_property
    def tags(self) -> pd.DataFrame:
        """The tags, dated, with ``rank``: 0 for latest, then moving names, pins, signatures."""
        tags = measure.dated_tags(self.frames)
        return tags.assign(rank=measure.standing(tags).map(_RANKS).astype("int64"))

    @cached_property
    def is_built(self) -> bool:
        """Whether dates are those of builds, at least some, since no push dates are known."""
        return bool((self.tags["dated_at"].notna() & self.tags["pushed_at"].isna()).any())

    @cached_property
    def keys(self) -> pd.DataFrame:
        """The standard labels, and how many images carry them."""
        return measure.key_coverage(self.answers["coverage"])

    @cached_property
    def repushed(self) -> pd.DataFrame:
        """Version tags that were pushed later than the next version."""
        return measure.pushed_again(self.answers["size_trend"], self.frames["tags"])

    @cached_property
    def shared(self) -> pd.DataFrame:
        """The layers in several images."""
        layers = self.answers["shared_layers"]
        return layers[(layers["image_count"] > 1) & ~layers["is_empty"]]

    @cached_property
    def lagging(self) -> pd.DataFrame:
        """The repositories whose latest is known not to be the highest version."""
        lag = self.answers["latest_lag"]
        return lag[~lag["is_highest"].fillna(value=True)]

    @cached_property
    def deleted(self) -> pd.DataFrame:
        """The tags that the rule would delete, those that free most first."""
        plan = self.answers["cleanup"]
        return largest_first(plan[plan["action"] == "delete"], "freed_size")

    @cached_property
    def outdated(self) -> pd.DataFrame:
        """The images on outdated parents, what most people pull first, then the most days."""
        images = self.answers["outdated"]
        ranks = self.tags.drop_duplicates(_TAG).set_index(_TAG)["rank"]
        order = ["rank", "lag_days"]
        late = images.join(ranks, on=_TAG).sort_values(order, ascending=[True, False])
        return late[~measure.identity(late).duplicated()]

    @cached_property
    def is_complete(self) -> bool | None:
        """Whether no row is missing; None where that is not known."""
        return measure.is_complete(measure.provenance(self.frames))

    @cached_property
    def scopes(self) -> Mapping[str, str]:
        """What each table covers, in words; what does not say is left out."""
        scopes = {name: self._record(name).get("scope") for name in (*self.frames, *self.answers)}
        return {name: words for name, words in scopes.items() if words}

    def is_limited(self, name: str) -> bool:
        """Tell whether a table is known to cover less than all tags and platforms."""
        return bool(self._record(name).get("limited"))

    def _record(self, name: str) -> Mapping[str, Any]:
        return self.frames[MEASURED_OF.get(name, name)].attrs.get("hubframe") or {}

    @cached_property
    def sources(self) -> pd.DataFrame:
        """Where the rows of each frame came from, what it covers, and whether it has them all."""
        fetched = measure.provenance(self.frames)
        rows = [(name, len(frame), self.scopes.get(name)) for name, frame in self.answers.items()]
        measured = pd.DataFrame(rows, columns=["frame", "row_count", "scope"])
        both = pd.concat([fetched, measured.assign(source="measured")], ignore_index=True)
        return both.astype(fetched.dtypes)
