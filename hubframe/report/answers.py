"""What the report speaks of: the fetched frames, and the tables measured of them, each once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from hubframe import measure
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.report.risks import GIVEN, VULNERABILITIES, Risks, measure_ends
from hubframe.tables import TABLES

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
    "eol": "tags",
    "coverage": "labels",
    "platform_coverage": "images",
    "cleanup": "layers",
}
ANSWERS = tuple(MEASURED_OF)
# What is read of images themselves, and of what is attached to them, where that is asked for; and
# what is measured of that.
INSIDE = ("packages", "distributions", "bases", "provenance", "signatures")
CHANGES = ("added", "changed", "removed")
_CONFIDENCES = ("proved", "likely", "told", "told but wrong")
_MORE_OF = {
    "packages_used": "packages",
    "comparison": "packages",
    "vulnerability_summary": "vulnerabilities",
}
# What a reader wants to hear of first.
_RANKS = {"latest": 0, "moving": 1, "pin": 2, "signature": 3}
_TAG = ["repo", "tag"]


def answer(frames: Frames, now: datetime) -> dict[str, pd.DataFrame]:
    """Return the measured tables that the report shows, by name."""
    tags, layers = frames["tags"], frames["layers"]
    # One repository beside nothing says nothing.
    by: Any = "repo" if len(layers["repo"].unique()) > 1 else "tag"
    more = _of_packages(frames["packages"]) if "packages" in frames else {}
    if VULNERABILITIES in frames:
        found = frames[VULNERABILITIES]
        more["vulnerability_summary"] = measure.vulnerability_summary_df(found, by="image")
    return more | {
        "footprint": measure.footprint_df(layers, by=by),
        "shared_layers": measure.shared_layers_df(layers),
        "size_trend": measure.size_trend_df(layers),
        "parents": measure.parents_df(layers, tags),
        "outdated": measure.outdated_df(layers, tags),
        "latest_lag": measure.latest_lag_df(tags),
        "staleness": _ages(frames, now),
        "eol": measure_ends(frames, now),
        "coverage": measure.coverage_df(frames["labels"], measure.described_images(frames)),
        "platform_coverage": measure.platform_coverage_df(frames["images"]),
        "cleanup": measure.cleanup_df(tags, layers, keep=KEEP, older_than=OLDER_THAN, now=now),
    }


def _of_packages(packages: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Measure which images hold packages, and what changed from release to release."""
    pairs = measure.release_pairs(packages)
    found = [measure.compare_frames([{"packages": rows} for rows in pair]) for pair in pairs]
    changes = pd.concat([TABLES["comparison"].frame(), *found], ignore_index=True)
    return {"packages_used": measure.packages_used_df(packages), "comparison": changes}


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
        return dict(measure.totals(self.own).iloc[0])

    @cached_property
    def own(self) -> Frames:
        """The frames on what the report is about, without those that were given."""
        return {name: frame for name, frame in self.frames.items() if name not in GIVEN}

    @cached_property
    def risks(self) -> Risks:
        """What is wrong with references, what is at its end, and what is vulnerable."""
        return Risks(self.frames, self.answers, self.tags)

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

    def inside(self, name: str) -> pd.DataFrame:
        """Return a frame of what is inside images, which is empty where it was not asked for."""
        return self.frames[name] if name in self.frames else TABLES[name].frame()

    def distinct(self, name: str) -> pd.DataFrame:
        """Return such a frame with what several tags of one image have once."""
        key = [column for column in TABLES[name].key if column not in _TAG]
        return self.inside(name).drop_duplicates(key)

    @cached_property
    def is_inside(self) -> bool:
        """Whether any of these was asked for."""
        return any(name in self.frames for name in INSIDE)

    @cached_property
    def releases(self) -> pd.DataFrame:
        """The two newest releases of each repository, with how many packages changed how."""
        changes = self.answers.get("comparison", TABLES["comparison"].frame())
        found: dict[str, dict[str, Any]] = {}
        for pair in measure.release_pairs(self.inside("packages")):
            (repo, older), (_, newer) = (rows[_TAG].iloc[0] for rows in pair)
            if repo in found:
                continue
            names = {"left_name": f"{repo}:{older}", "right_name": f"{repo}:{newer}"}
            counts = changes["change"][changes["right_name"] == names["right_name"]].value_counts()
            found[repo] = names | {one: int(counts.get(one, 0)) for one in CHANGES}
        return pd.DataFrame(found.values(), columns=["left_name", "right_name", *CHANGES])

    @cached_property
    def changes(self) -> pd.DataFrame:
        """The packages that changed between these."""
        changes = self.answers.get("comparison", TABLES["comparison"].frame())
        return changes[changes["right_name"].isin(self.releases["right_name"])]

    @cached_property
    def distributions(self) -> pd.DataFrame:
        """The distributions of images, the newest version of each first, with how many images."""
        rows = self.inside("distributions").dropna(subset="id")
        rows = rows.assign(image=measure.identity(rows)).drop_duplicates("image")
        groups = rows.groupby(["id", "version_id"], sort=False, dropna=False)
        counted = groups.agg(
            name=("name", "first"),
            image_count=("image", "nunique"),
            repo=("repo", "first"),
            tag=("tag", "first"),
        ).reset_index()
        names = read_all(counted["version_id"].dropna())
        place = {one.tag: number for number, one in enumerate(newest_first(names.values()))}
        order = counted.assign(place=counted["version_id"].map(place))
        counted = order.sort_values(["id", "place"], kind="stable").drop(columns="place")
        return counted.set_index(counted["id"] + " " + counted["version_id"].fillna(""))

    @cached_property
    def bases(self) -> pd.DataFrame:
        """What images are built on, with all evidence that agrees: the outdated first, by days."""
        bases = self.distinct("bases")
        bases = bases.assign(image=measure.identity(bases))
        base = ["image", "base_repo", "base_tag", "base_digest", "confidence", "is_outdated"]
        groups = bases.groupby(base, sort=False, dropna=False)
        told = bases.assign(evidence=groups["evidence"].transform(", ".join)).drop_duplicates(base)
        late = told["is_outdated"].fillna(value=False).astype("bool")
        order = told.assign(late=late).sort_values(
            ["late", "lag_days"], ascending=False, kind="stable", na_position="last"
        )
        return order.drop(columns=["image", "late"])

    @cached_property
    def best_bases(self) -> pd.DataFrame:
        """Of each image the base of which most is known."""
        rank = self.bases["confidence"].map({one: n for n, one in enumerate(_CONFIDENCES)})
        best = self.bases.loc[rank.sort_values(kind="stable").index]
        return best[~measure.identity(best).duplicated()]

    @cached_property
    def outdated_bases(self) -> pd.DataFrame:
        """The images whose base's tag has a newer image, the furthest behind first."""
        late = self.bases[self.bases["is_outdated"].fillna(value=False).astype("bool")]
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
        of = MEASURED_OF | _MORE_OF
        # Ends of life are measured of several frames.
        frame = self.answers[name] if name == "eol" else self.frames[of.get(name, name)]
        return frame.attrs.get("hubframe") or {}

    @cached_property
    def sources(self) -> pd.DataFrame:
        """Where the rows of each frame came from, what it covers, and whether it has them all."""
        fetched = measure.provenance(self.frames)
        rows = [(name, len(frame), self.scopes.get(name)) for name, frame in self.answers.items()]
        measured = pd.DataFrame(rows, columns=["frame", "row_count", "scope"])
        both = pd.concat([fetched, measured.assign(source="measured")], ignore_index=True)
        return both.astype(fetched.dtypes)
