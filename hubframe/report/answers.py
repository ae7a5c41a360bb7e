"""What the report measures of its frames, each table once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from hubframe import measure
from hubframe.report.scope import scopes
from hubframe.tables import TABLES

Frames = Mapping[str, pd.DataFrame]
# The rule whose outcome the report shows; it deletes nothing.
KEEP = 10
OLDER_THAN = 365

ANSWERS = (
    "footprint",
    "shared_layers",
    "size_trend",
    "parents",
    "outdated",
    "latest_lag",
    "staleness",
    "coverage",
    "platform_coverage",
    "cleanup",
)
# What a reader wants to hear of first.
_FOREMOST = {"latest": 0, "moving": 1, "pin": 2, "signature": 3}
_TAG = ["repo", "tag"]


def answer(frames: Frames, now: datetime) -> dict[str, pd.DataFrame]:
    """Return the measured tables that the report shows, by name."""
    tags, layers = frames["tags"], frames["layers"]
    repos = layers["repo"].unique()
    tables = {
        # One repository beside nothing says nothing.
        "footprint": measure.footprint_df(layers, by="repo" if len(repos) > 1 else "tag"),
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
    return {name: tables[name] for name in ANSWERS}


def _ages(frames: Frames, now: datetime) -> pd.DataFrame:
    """Measure how old tags are: since their last push, or their build where no push is told."""
    tags = measure.dated_tags(frames)
    ages = measure.staleness_df(tags.assign(pushed_at=tags["dated_at"]), now)
    is_told = tags.loc[tags["pushed_at"].notna(), _TAG]
    told = pd.MultiIndex.from_frame(ages[_TAG]).isin(pd.MultiIndex.from_frame(is_told))
    return ages.assign(pushed_at=ages["pushed_at"].where(told))


@dataclass(frozen=True)
class Told:
    """All that the page, its sentences and its pictures speak of.

    Attributes
    ----------
    frames, answers
        The fetched and the measured tables, by name.
    """

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
        return tags.assign(rank=measure.standing(tags).map(_FOREMOST).astype("int64"))

    @cached_property
    def is_built(self) -> bool:
        """Whether dates are those of builds, at least some, since no push is told."""
        return bool((self.tags["dated_at"].notna() & self.tags["pushed_at"].isna()).any())

    @cached_property
    def overview(self) -> pd.DataFrame:
        """The repositories."""
        return measure.overview(self.frames)

    @cached_property
    def keys(self) -> pd.DataFrame:
        """The standard labels, and how many images carry them."""
        return measure.key_coverage(self.answers["coverage"])

    @cached_property
    def repushed(self) -> pd.DataFrame:
        """Version tags that were pushed later than the next version."""
        return measure.pushed_again(self.answers["size_trend"], self.frames["tags"])

    @cached_property
    def goes(self) -> pd.DataFrame:
        """The tags that the rule would delete, those that free most first."""
        plan = self.answers["cleanup"]
        return _most(plan[plan["action"] == "delete"], "freed_size")

    @cached_property
    def late(self) -> pd.DataFrame:
        """The images on outdated parents, what most people pull first, then the most days."""
        late = self._ranked(self.answers["outdated"])
        order = ["rank", "lag_days"]
        late = late.sort_values(order, ascending=[True, False], kind="stable", na_position="last")
        return late[~measure.identity(late).duplicated()]

    @cached_property
    def scopes(self) -> Mapping[str, str]:
        """What each table covers, in words."""
        return scopes(self.frames, self.answers)

    @cached_property
    def sources(self) -> pd.DataFrame:
        """Where the rows of each frame came from, what it covers, and whether it has them all."""
        fetched = measure.provenance(self.frames)
        measured = pd.DataFrame(
            {
                "frame": list(self.answers),
                "row_count": [len(frame) for frame in self.answers.values()],
                "source": "measured",
                "scope": [self.scopes.get(name) for name in self.answers],
            }
        )
        return pd.concat([fetched, measured], ignore_index=True).astype(fetched.dtypes)

    def rows(self, name: str) -> str:
        """What a row of a table is, in words."""
        return TABLES[name].row

    def _ranked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Add ``rank``, and keep the numbers of the rows."""
        ranks = self.tags[[*_TAG, "rank"]].drop_duplicates(_TAG).set_index(_TAG)["rank"]
        found = ranks.reindex(pd.MultiIndex.from_frame(frame[_TAG])).to_numpy()
        return frame.assign(rank=found)


def _most(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.sort_values(column, ascending=False, kind="stable", na_position="last")
