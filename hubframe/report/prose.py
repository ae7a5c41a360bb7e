"""What the report says in sentences: the figures that ``sentences.jinja`` has words for.

Names are untrusted: they come marked and escaped out of `hubframe.report.marks`.
"""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2.runtime import Macro
from markupsafe import Markup

from hubframe import measure
from hubframe.readers.severities import SEVERITIES
from hubframe.report import marks
from hubframe.report.answers import CHANGES, KEEP, OLDER_THAN, Facts, largest_first
from hubframe.report.pictures import NEWEST
from hubframe.report.risks import PINS, VULNERABILITIES
from hubframe.tables import TABLES

_MOST_NAMED = 3
_LEAST_FINDINGS, _MOST_FINDINGS = 3, 7
# What tells who made an image, out of what, and under which terms.
_WANTED = [marks.OCI + name for name in ("source", "revision", "version", "licenses")]
_SEVERE = ("critical", "high")
# What may be wrong with references, in words for one and for several.
_WRONGS = {
    "missing": ("is of an image that is not there", "are of images that are not there"),
    "ended": ("is of a product at its end of life", "are of products at their end of life"),
    "left": (
        "is pinned to a digest that its tag has left",
        "are pinned to digests that their tags have left",
    ),
    "outdated": ("has a newer version", "have newer versions"),
    "lacking": ("lacks a platform", "lack platforms"),
    "single": ("is pinned to one platform", "are pinned to one platform"),
    "floating": ("is meant to move", "are meant to move"),
    "unpinned": ("is not pinned to a digest", "are not pinned to a digest"),
    "unchecked": ("could not be checked", "could not be checked"),
}
_WHOLE = {
    "repository": "repo_count",
    "tag": "tag_count",
    "image": "image_count",
    "distinct layer": "layer_count",
}


def sentences(facts: Facts) -> dict[str, Markup]:
    """Return the sentences by name, empty where there is nothing to say."""

    def of(part: int, figure: str, noun: str) -> Markup:
        """Count some of what there is, by the one number that the page has for all."""
        count = int(facts.totals[_WHOLE[noun]])
        of_all = marks.count(_WHOLE[noun], count, noun)
        if part == count:
            return Markup("all {}").format(of_all) if count > 1 else of_all
        return Markup("{} of {}").format(marks.count(figure, int(part)), of_all)

    context = {"facts": facts, "totals": facts.totals, "of": of}
    context |= _of_tags(facts) | _of_layers(facts) | _of_inside(facts) | _of_risks(facts)
    module = marks.environment().get_template("sentences.jinja").make_module(context)
    macros = {name: one for name, one in vars(module).items() if isinstance(one, Macro)}
    # Untrusted text has no line breaks.
    return {name: Markup(re.sub(" *\n *", " ", say()).strip(" ")) for name, say in macros.items()}  # noqa: S704


def _of_tags(facts: Facts) -> dict[str, Any]:
    """What sentences on repositories, tags and labels speak of."""
    answers, keys, lagging = facts.answers, facts.keys, facts.lagging
    cells = answers["platform_coverage"]
    wanted = keys[keys["key"].isin(_WANTED)]
    late_names = [marks.name(repo) for repo in lagging["repo"].head(_MOST_NAMED)]
    if more := len(lagging) - len(late_names):
        late_names.append(Markup("{} more").format(marks.count("more_late_count", more)))
    sources = facts.sources.set_index("frame")
    skipped = facts.sources[facts.sources["skipped_count"].fillna(0) > 0]
    # What tools leave out is told beside what they found.
    skipped = skipped[skipped["frame"] != VULNERABILITIES]
    return {
        "keep": KEEP,
        "older_than": OLDER_THAN,
        "worst_lag": _first(lagging.sort_values(["versions_behind", "lag_days"], ascending=False)),
        "late_names": late_names,
        "latest_count": answers["latest_lag"]["is_highest"].count(),
        "freed": facts.deleted["freed_size"].dropna(),
        "least_label": _first(wanted.sort_values("labelled_count", kind="stable")),
        "absent_wanted": _labels(wanted[wanted["labelled_count"] == 0]),
        "absent": _labels(keys[keys["labelled_count"] == 0]),
        "common_label": keys.iloc[int(keys["labelled_count"].astype(int).argmax())],
        "platform_tag_count": len(cells[["repo", "tag"]].drop_duplicates()),
        "lacking_tags": cells[~cells["is_present"].astype(bool)].drop_duplicates(["repo", "tag"]),
        "pulled": largest_first(facts.frames["repos"].dropna(subset="pull_count"), "pull_count"),
        "dated": measure.pushes(facts.tags.assign(pushed_at=facts.tags["dated_at"])),
        "ages": answers["staleness"].dropna(subset="age_days"),
        "incomplete": [*map(marks.name, sources.index[~sources["complete"].fillna(True)])],
        "limited": [marks.name(name) for name in facts.frames if facts.is_limited(name)],
        "passed_over": [
            Markup("{} ({})").format(
                marks.name(frame), marks.count("sources.skipped_count", count, row=row)
            )
            for row, frame, count in skipped[["frame", "skipped_count"]].itertuples()
        ],
    }


def _of_layers(facts: Facts) -> dict[str, Any]:
    """What sentences on layers and images speak of."""
    answers, layers, late = facts.answers, facts.frames["layers"], facts.outdated
    current = late[late["rank"] < PINS]
    trend = answers["size_trend"]
    grown = measure.most_grown(trend)
    has_lines = len(trend) > 0 and trend["release"].max() > 0
    related = answers["parents"].dropna(subset="parent_repo")
    shown = measure.footprint_df(measure.leading_tags(layers, NEWEST), by="image")
    whole = measure.footprint_df(layers, by="image")
    # An image has all its layers, also those that others of its tag share.
    own = whole.set_index(measure.identity(whole))[["total_size", "shared_share"]]
    own = own.set_axis(["own_size", "own_share"], axis=1)
    shown = shown.assign(image=measure.identity(shown)).join(own, on="image")
    largest = _first(largest_first(shown, "total_size"))
    others = None if largest is None else measure.shared_with(layers, largest["image"])
    return {
        "current_count": len(current),
        "most_outdated": _first(largest_first(current if len(current) else late, "lag_days")),
        "largest": largest,
        "sharing": None if others is None else _first(others),
        "sizes": answers["shared_layers"]["size"].dropna(),
        "line_count": len(trend[["repo", "line", "platform"]].drop_duplicates()) * has_lines,
        "grown": grown,
        "grown_step": _first(grown.sort_values("change", kind="stable", na_position="first")[::-1]),
        "related_count": measure.identity(related).nunique(),
        "heaviest": _first(largest_first(answers["footprint"], "total_size")),
    }


def _of_inside(facts: Facts) -> dict[str, Any]:
    """What sentences on packages, bases and makers speak of."""
    used = facts.answers.get("packages_used", TABLES["packages_used"].frame())
    images = facts.inside("distributions")
    unknown = images[images["id"].isna()]
    versions = facts.distributions.reset_index().dropna(subset="version_id").groupby("id")
    spans = versions["version_id"].agg(["first", "last", "size"]).query("size > 1")
    statuses = facts.distinct("signatures")["status"].value_counts()
    releases = facts.releases
    moved = releases.assign(count=releases[[*CHANGES]].sum(axis=1))
    wrong = facts.bases[facts.bases["confidence"] == "told but wrong"]
    return {
        "used": used,
        "packaged_count": measure.identity(facts.inside("packages")).nunique(),
        "packages_by_type": [
            Markup("{} {}").format(
                marks.count("package_type_count", count, of=kind), marks.name(str(kind))
            )
            for kind, count in used["type"].value_counts().items()
        ],
        "distributed_count": measure.identity(images.dropna(subset="id")).nunique(),
        "undistributed_count": measure.identity(unknown).nunique(),
        "distribution_spans": [
            Markup("of {} from {} to {}").format(*map(marks.name, (name, span.last, span.first)))
            for name, span in spans.head(_MOST_NAMED).iterrows()
        ],
        "most_changed": _first(largest_first(moved, "count")),
        "based_count": len(facts.best_bases),
        "proved_count": int((facts.best_bases["confidence"] == "proved").sum()),
        "wrong_count": measure.identity(wrong).nunique(),
        "most_outdated_base": _first(facts.outdated_bases),
        "documented_count": _tags(facts.inside("provenance")),
        "builder_count": facts.inside("provenance")["builder_id"].nunique(),
        "signed_count": _tags(facts.inside("signatures")),
        "statuses": [
            Markup("{} {}").format(
                marks.count("signature_count", count, of=status), marks.name(str(status))
            )
            for status, count in statuses.items()
        ],
    }


def _of_risks(facts: Facts) -> dict[str, Any]:
    """What sentences on references, ends of life and vulnerabilities speak of."""
    risks, found = facts.risks, facts.risks.vulnerability_counts
    severe = sum(int(found.get(f"{name}_count", 0)) for name in _SEVERE)
    worst = _first(risks.vulnerabilities)
    is_urgent = worst is not None and (severe or worst["exploited"])
    return {
        "references": risks.reference_counts,
        "wrongs": [
            Markup("{} {}").format(
                marks.count(f"{name}_reference_count", count), one if count == 1 else several
            )
            for name, (one, several) in _WRONGS.items()
            if (count := risks.reference_counts[name])
        ],
        "first_wrong": _first(risks.wrong_references),
        "ends": risks.end_counts,
        "dates": risks.dates,
        "vulnerable": found,
        "vulnerable_count": len(facts.answers.get("vulnerability_summary", ())),
        "severities": [
            Markup("{} {}").format(marks.count("severity_count", count, of=name), name)
            for name in SEVERITIES
            if (count := found.get(f"{name}_count", 0))
        ],
        "severe": severe,
        "worst_vulnerability": worst if is_urgent else None,
        "tools": [
            marks.name(f"{tool} ({told})" if told else tool)
            for tool, first, last, built in risks.tools.fillna("").itertuples(index=False)
            for reported in [first if first == last else f"{first} to {last}"]
            for told in [", ".join(filter(None, (reported, built and f"database of {built}")))]
        ],
        "suppressed": facts.sources.set_index("frame")["skipped_count"].get(VULNERABILITIES, 0),
    }


def _tags(frame: pd.DataFrame) -> int:
    return len(frame[["repo", "tag"]].drop_duplicates())


def _first(frame: pd.DataFrame) -> pd.Series | None:
    return None if frame.empty else frame.iloc[0]


def _labels(keys: pd.DataFrame) -> list[Markup]:
    return [marks.label(key) for key in keys["key"]]


def findings(facts: Facts, said: Mapping[str, Markup]) -> list[tuple[Markup, str]]:
    """Choose what to act on, the most urgent first, each with the place of its evidence.

    Where little is wrong, what is known to be right makes up for it.
    """
    urgent = {
        "complete": said["completeness"] if facts.is_complete is False else None,
        "vulnerabilities": said["severe_vulnerabilities"],
        "references": said["broken_references"],
        "latest_lag": said["lagging"],
        "eol": said["current_ends"],
        "outdated": said["outdated"],
        "bases": said["outdated_bases"],
        "again": said["again"],
        "cleanup": said["deletions"],
        "labels": said["unlabelled"],
        "platforms": said["lacking"],
    }
    found = {anchor: words for anchor, words in urgent.items() if words}
    good = ("latest_lag", "footprint", "staleness")
    rest = {anchor: said[anchor] for anchor in good if anchor not in found}
    count = min(max(_LEAST_FINDINGS, len(found)), _MOST_FINDINGS)
    return [(words, anchor) for anchor, words in (found | rest).items()][:count]
