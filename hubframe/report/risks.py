"""What the report tells of risks: images that files name, ends of life, and vulnerabilities."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from hubframe import measure
from hubframe.errors import StaleWarning
from hubframe.measure.vulnerabilities import worst_first
from hubframe.readers.eol import OLD_AFTER, read_eol
from hubframe.tables import TABLES

Frames = Mapping[str, pd.DataFrame]
REFERENCES, VULNERABILITIES = "checked_references", "vulnerabilities"
# What is shown where it is given: it may be about other images than the report is.
GIVEN = (REFERENCES, VULNERABILITIES)
# In the ranks of tags, latest and other moving names come before pins.
PINS = 2
_TAG, _PLACE = ["repo", "tag"], ["file", "line", "field"]
_PRODUCT = [*_TAG, "product"]
# Why a reference names no image that can be told, though it means one.
_UNTOLD = ("variable", "template", "invalid")


def measure_ends(frames: Frames, now: datetime) -> pd.DataFrame:
    """Measure what is at its end of life, of that whose product is known.

    Images tell by their os-release, where that was read, and tags by their names what that does
    not tell; and so do references.
    """
    told = [name for name in ("distributions", "tags", REFERENCES) if name in frames]
    with warnings.catch_warnings():
        # The page says of which day the dates are.
        warnings.simplefilter("ignore", StaleWarning)
        found = [measure.eol_df(frames[name], today=now) for name in told]
    rows = pd.concat(found, ignore_index=True).dropna(subset="product")
    is_tag = (rows["matched_by"] == "tag") & rows["file"].isna()
    surer = pd.MultiIndex.from_frame(rows.loc[rows["matched_by"] == "os-release", _PRODUCT])
    frame = rows[~(is_tag & pd.MultiIndex.from_frame(rows[_PRODUCT]).isin(surer))]
    frame = frame.reset_index(drop=True)
    records = {name: frames[name].attrs.get("hubframe") or {} for name in told}
    scopes = [
        f"{name.removeprefix('checked_')}: {one['scope']}"
        for name, one in records.items()
        if one.get("scope")
    ]
    dated_at = read_eol()["dated_at"].min()
    frame.attrs["hubframe"] = {
        "scope": "; ".join(scopes),
        "limited": any(one.get("limited") for one in records.values()),
        "dated_at": dated_at,
        "is_old": pd.Timestamp(now) - dated_at > OLD_AFTER,
    }
    return frame


@dataclass(frozen=True)
class Risks:
    """What is wrong with references, what is at its end, and what is vulnerable."""

    # As in `Facts`; and its tags, with their ranks.
    frames: Frames
    answers: Frames
    tags: pd.DataFrame

    def _given(self, name: str) -> pd.DataFrame:
        frame = self.frames[name] if name in self.frames else TABLES[name].frame()
        return frame.reset_index(drop=True)

    @cached_property
    def references(self) -> pd.DataFrame:
        """The references whose image can be told."""
        return self._given(REFERENCES).dropna(subset="reference")

    @cached_property
    def reference_counts(self) -> Mapping[str, int]:
        """How many references there are, and how many of them are what."""
        rows, given = self.references, self._given(REFERENCES)
        wrong = {name: int(is_so.sum()) for name, is_so, _ in _wrong(rows)}
        return {
            "reference": len(rows),
            "referring_file": rows["file"].nunique(),
            "untold": int(given["problem"].isin(_UNTOLD).sum()),
            "unchecked": int(rows["exists"].isna().sum()),
            "unpinned": int((~rows["is_pinned"].fillna(value=True)).sum()),
        } | wrong

    @cached_property
    def wrong_references(self) -> pd.DataFrame:
        """The references to act on, with ``wrong`` in words, the most urgent first."""
        return wrong_first(self.references).dropna(subset="wrong")

    @cached_property
    def ends(self) -> pd.DataFrame:
        """What is known to be at its end of life, or not."""
        return self.answers["eol"].dropna(subset="is_eol")

    @cached_property
    def end_counts(self) -> Mapping[str, int]:
        """How many tags and references are known, at their end, and what people pull."""
        is_over = self.ends["is_eol"].astype("bool")
        of_files = self.ends["file"].notna()
        tags, over = self.ends[~of_files], self.ends[~of_files & is_over]
        ranks = self.tags.drop_duplicates(_TAG).set_index(_TAG)["rank"]
        moving = over[over.join(ranks, on=_TAG)["rank"].lt(PINS)]
        return {
            **{
                name: len(rows[_TAG].dropna().drop_duplicates())
                for name, rows in (
                    ("dated_product_tag", tags), ("ended_tag", over), ("ended_current", moving)
                )
            },
            "dated_reference": len(self.ends.loc[of_files, _PLACE].drop_duplicates()),
            "ended_reference": len(self.ends.loc[of_files & is_over, _PLACE].drop_duplicates()),
        }  # fmt: skip

    @cached_property
    def ended(self) -> pd.DataFrame:
        """The products at their end, by cycle, with how many tags and references are of them."""
        over = self.ends[self.ends["is_eol"].astype("bool")]
        ranks = self.tags.drop_duplicates(_TAG).set_index(_TAG)["rank"]
        # What most people pull is the example.
        over = over.join(ranks, on=_TAG).sort_values("rank", kind="stable", na_position="last")
        name = over["repo"] + ":" + over["tag"]
        place = over["file"] + " " + over["line"].astype("str") + " " + over["field"].fillna("")
        over = over.assign(of_tag=name.where(over["file"].isna()), of_file=place)
        grouped = over.groupby(["product", "cycle"], sort=False, dropna=False)
        groups = grouped.agg(
            eol_at=("eol_at", "first"),
            extended_until=("extended_until", "first"),
            tag_count=("of_tag", "nunique"),
            reference_count=("of_file", "nunique"),
            repo=("repo", "first"),
            tag=("tag", "first"),
        ).reset_index()
        order = ["reference_count", "tag_count"]
        groups = groups.sort_values(order, ascending=False, kind="stable")
        return groups.set_index(groups["product"] + " " + groups["cycle"].fillna(""))

    @cached_property
    def dates(self) -> Mapping[str, Any]:
        """Of which day the dates of end of life are, and whether that is long ago."""
        record: Mapping[str, Any] = self.answers["eol"].attrs["hubframe"]
        return record

    @cached_property
    def vulnerabilities(self) -> pd.DataFrame:
        """What the images are not said to be safe from, the worst first, with the build step."""
        return worst_first(self._given(VULNERABILITIES), self.frames["layers"])

    @cached_property
    def summary(self) -> pd.DataFrame:
        """How many vulnerabilities each image has, or each layer where there is one image."""
        of_images = self.answers.get(
            "vulnerability_summary", TABLES["vulnerability_summary"].frame()
        )
        if len(of_images) != 1:
            return of_images
        return measure.vulnerability_summary_df(self._given(VULNERABILITIES), by="layer")

    @cached_property
    def vulnerability_counts(self) -> Mapping[str, Any]:
        """The counts of `vulnerability_summary`, of all images together; none where none is."""
        rows = self._given(VULNERABILITIES)
        found = measure.vulnerability_summary_df(rows.assign(repo="all"), by="repo")
        return {} if found.empty else dict(found.iloc[0])

    @cached_property
    def tools(self) -> pd.DataFrame:
        """The tools that told of vulnerabilities, from when to when, and how old their data are."""
        frame = self._given(VULNERABILITIES)
        noted = (frame.attrs.get("hubframe") or {}).get("sources") or ()
        told = [one for one in noted if one.get("tool")]
        # Of advisories it is known how new the newest is.
        newest = max((one.get("newest_modified_at") or "" for one in noted), default=None)
        for tool in frame["tool"].dropna().unique():
            if tool not in {one["tool"] for one in told}:
                told.append({"tool": tool, "database_built_at": newest})
        columns = ["tool", "reported_at", "database_built_at"]
        tools = pd.DataFrame(told, columns=columns)
        for name in columns[1:]:
            read = pd.to_datetime(tools[name], utc=True, format="ISO8601", errors="coerce")
            tools[name] = read.dt.strftime("%Y-%m-%d").astype("str")
        groups = tools.groupby("tool", sort=False)
        return groups.agg(
            reported_at=("reported_at", "min"),
            last_reported_at=("reported_at", "max"),
            database_built_at=("database_built_at", "min"),
        ).reset_index()


def wrong_first(references: pd.DataFrame) -> pd.DataFrame:
    """Say in words what is ``wrong`` with checked references, and put the most urgent first."""
    wrong = pd.DataFrame(
        {name: words.where(is_so) for name, is_so, words in _wrong(references)},
        index=references.index,
    )
    told = [[one for one in row if pd.notna(one)] for row in wrong.itertuples(index=False)]
    rows = references.assign(
        wrong=pd.Series(["; ".join(row) or None for row in told], wrong.index, "str")
    )
    first = wrong.notna().to_numpy().argmax(axis=1) if len(rows) else []
    order = rows.assign(first=first, behind=-rows["versions_behind"].fillna(0))
    order["first"] = order["first"].where(rows["wrong"].notna(), wrong.shape[1])
    return rows.loc[order.sort_values(["first", "behind"], kind="stable").index]


def _wrong(rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series, pd.Series]]:
    """Yield what may be wrong with references, the most urgent first: its name, of which, words."""

    def words(told: str) -> pd.Series:
        return pd.Series(told, index=rows.index, dtype="str")

    def known(flags: pd.Series, *, is_so: bool = True) -> pd.Series:
        return flags.eq(is_so).fillna(value=False).astype("bool")

    behind = rows["versions_behind"].fillna(0)
    count = behind.astype("str") + " version" + behind.ne(1).map({True: "s", False: ""})
    ended = " on " + rows["eol_at"].dt.strftime("%Y-%m-%d").astype("str")
    yield "missing", known(rows["exists"], is_so=False), words("there is no such image")
    yield "ended", known(rows["is_eol"]), "end of life" + ended.fillna("")
    yield "left", known(rows["is_current"], is_so=False), words("its tag is another image by now")
    yield "outdated", behind.gt(0).astype("bool"), count + " behind"
    yield "lacking", rows["lacks_platforms"].notna(), "no image for " + rows["lacks_platforms"]
    yield "single", rows["problem"].notna(), rows["problem"]
    yield "floating", known(rows["is_floating"]), words("meant to move")
