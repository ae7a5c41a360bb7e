"""The report's page: frames and pictures put into a template that escapes all it is given."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from hubframe import measure
from hubframe.grid.page import policy, rows_as_json, script, style
from hubframe.report import marks
from hubframe.report.answers import INSIDE, Facts, largest_first
from hubframe.report.pictures import Drawn
from hubframe.report.prose import findings
from hubframe.report.risks import GIVEN
from hubframe.tables import TABLES
from hubframe.tables.schema import plain_values
from hubframe.version import __version__

MOST_ROWS = 15


class About(NamedTuple):
    """What the caller says of the report, when it is written, and the workbook beside it."""

    title: str
    note: str | None
    verbatim: bool
    interactive: bool
    written_at: datetime
    workbook: str | None


def render(
    facts: Facts, said: Mapping[str, Markup], drawn: Mapping[str, Drawn | None], about: About
) -> str:
    """Return the page as HTML."""
    template = marks.environment().get_template("report.html.jinja")
    source = script() if about.interactive else ""
    return template.render(
        about=about,
        script=source,
        style=style() if about.interactive else "",
        policy=policy(source),
        version=__version__,
        said=said,
        findings=findings(facts, said),
        figures=_figures(facts),
        pictures=_pictures(facts, said, drawn),
        lacking=facts.is_complete is False,
        inside=[name for name in INSIDE if name in facts.frames],
        given=[name for name in GIVEN if name in facts.frames],
        files=[
            (name, TABLES[name].row, len(frame))
            for name, frame in {**facts.frames, **facts.answers}.items()
        ],
        **_tables(facts, interactive=about.interactive),
    )


def _figures(facts: Facts) -> list[tuple[str, Markup]]:
    """The key figures: what it is, and how much."""
    totals, tags = facts.totals, facts.tags
    platforms = measure.platform_counts(facts.frames["images"])
    figures = [
        ("repositories", marks.count("repo_count", totals["repo_count"])),
        ("tags", marks.count("tag_count", totals["tag_count"])),
        ("images", marks.count("image_count", totals["image_count"])),
        ("platforms", marks.count("platform_count", len(platforms))),
    ]
    if totals["layered_image_count"]:
        referenced = marks.size("size_referenced", totals["size_referenced"])
        figures += [
            ("distinct layers", marks.count("layer_count", totals["layer_count"])),
            ("compressed, image by image", referenced),
            ("each layer stored once", marks.size("size_stored", totals["size_stored"])),
            ("of the bytes in shared layers", marks.share("shared_share", totals["shared_share"])),
        ]
    if pd.notna(totals["newest_push_at"]):
        figures.append(("newest push", marks.moment("newest_push_at", totals["newest_push_at"])))
    elif tags["built_at"].notna().any():
        figures.append(("newest build", marks.moment("newest_build_at", tags["built_at"].max())))
    return figures


# Each picture's heading, the table that it and its sentence speak of, and what it leaves out that
# the sentence counts.
_PICTURES = {
    "pulls": ("Pulls", "repos", ""),
    "tags": ("Tags over time", "tags", ""),
    "layers": ("Layers of the newest tags", "layers", ""),
    "layer_sizes": ("How large layers are", "layers", ""),
    "size_trend": ("Where releases grew", "size_trend", "The picture shows this line."),
    "parents": (
        "What images are built on",
        "parents",
        "The picture shows one platform, linux/amd64 where there is one.",
    ),
    "shared_layers": (
        "Layers in several images",
        "shared_layers",
        "The picture shows some of the newest tags, each by one image.",
    ),
    "footprint": ("What each of them takes", "footprint", ""),
    "latest_lag": ("How far latest lags", "latest_lag", ""),
    "staleness": ("How old tags are", "staleness", ""),
    "eol": ("End of life", "eol", "The picture shows until when each product is supported."),
    "labels": ("Standard labels", "labels", ""),
    "platforms": ("Platforms", "platform_coverage", ""),
    "cleanup": ("What a rule would free", "cleanup", ""),
    "packages": (
        "Packages",
        "packages",
        "The picture shows which layers brought them, of some of the newest tags.",
    ),
    "package_changes": (
        "What changed from release to release",
        "comparison",
        "The picture shows the releases before them, too.",
    ),
    "vulnerability_summary": (
        "How many, and how severe",
        "vulnerability_summary",
        "The picture shows the worst images on top, or which layers of one image brought them.",
    ),
}


def _pictures(
    facts: Facts, said: Mapping[str, Markup], drawn: Mapping[str, Drawn | None]
) -> dict[str, dict[str, Any]]:
    """The pictures with what they show and cover; where there is none, the sentences alone."""
    return {
        name: {
            "name": name,
            "heading": heading,
            "caption": Markup(" ").join(filter(None, (said[name], note if drawn[name] else ""))),
            "scope": facts.scopes.get(table),
            "drawn": drawn[name],
        }
        for name, (heading, table, note) in _PICTURES.items()
    }


# The columns of each table, where a person can sort and filter it.
_COLUMNS = {
    "repos": (
        "repo", "description", "pull_count", "star_count", "tag_count", "pushed_at", "built_at",
        "source",
    ),
    "tags": (
        "repo", "tag", "pushed_at", "built_at", "size", "platform_count", "digest", "aliases",
    ),
    "images": ("repo", "tag", "platform", "size", "shared_share", "image_digest"),
    "layers": (
        "layer_digest", "size", "image_count", "repo_count", "saved_size", "instruction",
    ),
    "grown": ("repo", "tag", "platform", "previous_tag", "change", "instruction"),
    "footprint": ("repo", "tag", "image_count", "total_size", "shared_size", "freed_size"),
    "lag": ("repo", "latest_version", "highest_version", "versions_behind", "lag_days"),
    "outdated": (
        "repo", "tag", "platform", "parent_repo", "parent_tag", "newer_tag", "lag_days",
    ),
    "repushed": ("repo", "tag", "pushed_at", "next_tag", "next_pushed_at", "later_days"),
    "labels": ("key", "labelled_count", "image_count", "share"),
    "invalid": ("repo", "tag", "platform", "key", "value", "reason"),
    "cleanup": ("repo", "tag", "pushed_at", "pulled_at", "freed_size", "reason"),
    "changes": ("left_name", "right_name", "key", "left", "right", "change"),
    "distributions": ("id", "version_id", "name", "image_count", "repo", "tag"),
    "bases": (
        "repo", "tag", "platform", "base_repo", "base_tag", "evidence", "confidence",
        "is_outdated", "lag_days",
    ),
    "provenance": (
        "repo", "tag", "platform", "builder_id", "source_uri", "source_revision", "source_path",
        "finished_at", "is_signed", "subject_matches",
    ),
    "signatures": (
        "repo", "tag", "platform", "subject_kind", "kind", "identity", "issuer", "key_id",
        "signed_at", "status", "problem",
    ),
    "ended": (
        "product", "cycle", "eol_at", "extended_until", "tag_count", "reference_count", "repo",
        "tag",
    ),
    "wrong": ("file", "line", "written", "wrong", "newest_tag"),
    "vulnerable": (
        "repo", "tag", "platform", "vulnerability_count", "critical_count", "high_count",
        "medium_count", "low_count", "fixable_count", "exploited_count",
    ),
    "worst": (
        "id", "severity", "is_exploited", "repo", "tag", "platform", "name", "version",
        "fixed_version", "instruction", "title",
    ),
    "failures": ("ref", "error", "message", "frames"),
    "sources": (
        "frame", "scope", "row_count", "source", "fetched_at", "complete", "requests",
        "from_cache", "failure_count",
    ),
}  # fmt: skip


def _tables(facts: Facts, *, interactive: bool) -> dict[str, dict[str, Any]]:
    """The tables of the page, each with what it is an excerpt of, or with all its rows."""
    answers, frames = facts.answers, facts.frames
    trend, stated = answers["size_trend"], answers["coverage"]
    largest, repushed = measure.largest(frames["images"], frames["layers"]), facts.repushed
    grown = largest_first(trend[trend["change"].gt(0).fillna(value=False)], "change")
    none = TABLES["vulnerability_summary"].frame()
    summary = answers.get("vulnerability_summary", none)
    tables = {
        "repos": (measure.overview(facts.own).set_index("repo", drop=False), "tags"),
        "tags": (_newest(facts), "tags"),
        "images": (largest.set_index(measure.identity(largest)), "images"),
        "layers": (largest_first(facts.shared, "saved_size"), "shared_layers"),
        "grown": (grown, "size_trend"),
        "footprint": (answers["footprint"], "footprint"),
        "lag": (largest_first(facts.lagging, "versions_behind"), "latest_lag"),
        "outdated": (facts.outdated, "outdated"),
        "repushed": (repushed.set_index(repushed["repo"] + ":" + repushed["tag"]), "tags"),
        "labels": (facts.keys.set_index("key", drop=False), "labels"),
        "invalid": (stated[stated["state"] == "invalid"], "coverage"),
        "cleanup": (facts.deleted, "cleanup"),
        "changes": (facts.changes, "comparison"),
        "distributions": (facts.distributions, "distributions"),
        "bases": (facts.bases, "bases"),
        "provenance": (facts.distinct("provenance"), "provenance"),
        "signatures": (facts.distinct("signatures"), "signatures"),
        "ended": (facts.risks.ended, "eol"),
        "wrong": (facts.risks.wrong_references, "checked_references"),
        "vulnerable": (summary, "vulnerability_summary"),
        "worst": (facts.risks.vulnerabilities, "vulnerabilities"),
        "failures": (measure.failures(frames), ""),
        "sources": (facts.sources, ""),
    }
    return {
        name: _excerpt(frame, len(frame) if name == "sources" else MOST_ROWS)
        | {"scope": facts.scopes.get(table)}
        | {"grid": partial(_grid, frame, name, table) if interactive else None}
        for name, (frame, table) in tables.items()
    }


def _grid(frame: pd.DataFrame, name: str, table: str, label: str) -> str:
    """Return all rows of a table, to sort and to filter."""
    shown = frame[[column for column in _COLUMNS[name] if column in frame]]
    shown.attrs = {"hubframe": {"table": table}}
    return rows_as_json(label, shown)


def _excerpt(frame: pd.DataFrame, most: int) -> dict[str, Any]:
    """Return the first rows, missing values as None, and how many more there are.

    Each row knows as ``Index`` its row in the CSV, or what it is called in a table that is none.
    """
    rows = list(plain_values(frame.head(most)).itertuples())
    return {"rows": rows, "more": len(frame) - len(rows)}


def _newest(facts: Facts) -> pd.DataFrame:
    """The newest tags: of those of one image the name that most people pull, and no signatures."""
    tags = facts.tags[~facts.tags["is_digest_tag"].fillna(value=False)]
    tags = tags.assign(image=tags["repo"] + "@" + tags["digest"].fillna(tags["tag"]))

    def newest_first(tags: pd.DataFrame) -> pd.DataFrame:
        return tags.sort_values(["dated_at", "rank"], ascending=[False, True], kind="stable")

    foremost = newest_first(tags).sort_values("rank", kind="stable").drop_duplicates("image")
    newest = newest_first(foremost)
    return newest.set_index(newest["repo"] + ":" + newest["tag"])
