"""What the report says in sentences, with the figures of its frames.

Names are strangers' text: they come marked and escaped out of `hubframe.report.marks`.
"""

import pandas as pd
from markupsafe import Markup

from hubframe import measure
from hubframe.report import marks
from hubframe.report.answers import KEEP, OLDER_THAN, Facts, largest_first
from hubframe.report.pictures import NEWEST

_MOST_NAMED = 3
_LEAST_FINDINGS, _MOST_FINDINGS = 3, 7
_OCI = "org.opencontainers.image."
# What tells who made an image, out of what, and under which terms.
_WANTED = tuple(_OCI + name for name in ("source", "revision", "version", "licenses"))


_WHOLE = {
    "repository": "repo_count",
    "tag": "tag_count",
    "image": "image_count",
    "distinct layer": "layer_count",
}


def _say(text: str, *parts: object) -> Markup:
    """Fill a sentence of ours; what is no Markup is escaped."""
    return Markup(text).format(*parts)  # noqa: S704 - the text is ours, its parts are not


def _joined(*sentences: Markup | str | None) -> Markup:
    return Markup(" ").join(filter(None, sentences))


def _of(facts: Facts, part: int, figure: str, noun: str) -> Markup:
    """Count some of what there is, by the one number that the page has for all: 3 of 12 tags."""
    whole = _WHOLE[noun]
    count = int(facts.totals[whole])
    of_all = marks.count(whole, count, noun)
    if part == count:
        return _say("all {}", of_all) if count > 1 else of_all
    return _say("{} of {}", marks.count(figure, part), of_all)


def _begin(sentence: Markup) -> Markup:
    return Markup("All") + sentence[3:] if sentence.startswith("all ") else sentence


def scope(facts: Facts, name: str) -> Markup | None:
    """Say what a table covers."""
    words = facts.scopes.get(name)
    return None if words is None else _say("Covers {}.", marks.name(words, 10**6))


def reference(row: pd.Series) -> Markup:
    """Write the image of a row as ``repo:tag``, or ``repo@digest`` where it has no tag."""
    digest = row.get("image_digest")
    written = ":" + row["tag"] if pd.notna(row["tag"]) else "" if pd.isna(digest) else f"@{digest}"
    return marks.name(row["repo"] + written, 80)


def _size(row: pd.Series, table: str, column: str) -> Markup:
    """Mark bytes that stand in a file."""
    return marks.size(f"{table}.{column}", row[column], row=row.name)


def headline(facts: Facts) -> Markup:
    """Say in two sentences what the report is about."""
    totals = facts.totals
    if not totals["repo_count"]:
        return Markup("There is nothing in this report: no repository was found.")
    sentence = _say(
        "{} {} {}",
        marks.count("repo_count", totals["repo_count"], "repository"),
        "has" if totals["repo_count"] == 1 else "have",
        marks.count("tag_count", totals["tag_count"], "tag"),
    )
    if pd.notna(totals["newest_push_at"]):
        when = marks.moment("newest_push_at", totals["newest_push_at"])
        sentence = _say("{}, the newest pushed on {}", sentence, when)
    images = int(totals["layered_image_count"])
    if not images:
        return _say("{}.", sentence)
    alone = "{}. The layers of {} were read: it is {} compressed."
    several = (
        "{}. The layers of {} were read: they add up to {} compressed; storing each layer once "
        "takes {}."
    )
    return _say(
        alone if images == 1 else several,
        sentence,
        _of(facts, images, "layered_image_count", "image"),
        marks.size("size_referenced", totals["size_referenced"]),
        marks.size("size_stored", totals["size_stored"]),
    )


def findings(facts: Facts) -> list[tuple[Markup, str]]:
    """Say what to act on, the most urgent first, each with the place of its evidence.

    Where little is wrong, what is known to be right makes up for it.
    """
    urgent = {
        "complete": completeness(facts) if facts.is_complete is False else None,
        "latest_lag": _lagging(facts),
        "outdated": _outdated(facts),
        "again": again(facts),
        "cleanup": _deleted(facts),
        "labels": _unlabelled(facts),
        "platforms": _lacking(facts),
    }
    good = {
        "latest_lag": latest_lag(facts),
        "footprint": footprint(facts),
        "staleness": staleness(facts),
    }
    found = {anchor: said for anchor, said in urgent.items() if said}
    rest = {anchor: said for anchor, said in good.items() if anchor not in found}
    count = min(max(_LEAST_FINDINGS, len(found)), _MOST_FINDINGS)
    return [(said, anchor) for anchor, said in (found | rest).items()][:count]


def _lagging(facts: Facts) -> Markup | None:
    if facts.lagging.empty:
        return None
    order = ["versions_behind", "lag_days"]
    worst = facts.lagging.sort_values(order, ascending=False, na_position="last").iloc[0]
    row = worst.name
    sentence = _say(
        "latest is not the highest stable version in {}",
        _of(facts, len(facts.lagging), "late_repo_count", "repository"),
    )
    if pd.isna(worst["versions_behind"]):
        return _say("{}, {} among them.", sentence, marks.name(worst["repo"]))
    behind = marks.count("latest_lag.versions_behind", worst["versions_behind"], "version", row=row)
    days = worst["lag_days"]
    if pd.notna(days) and days > 0:
        behind = _say("{} and {} days", behind, marks.days("latest_lag.lag_days", days, row=row))
    return _say("{}; {} is {} behind.", sentence, marks.name(worst["repo"]), behind)


def _outdated(facts: Facts) -> Markup | None:
    late = facts.outdated
    if late.empty:
        return None
    current = late[late["rank"] < 2]  # noqa: PLR2004
    worst = largest_first(current if len(current) else late, "lag_days").iloc[0]
    since = _say("by how many days is not known")
    if pd.notna(worst["lag_days"]):
        days = marks.days("outdated.lag_days", worst["lag_days"], row=worst.name)
        since = _say("{} days behind", days)
    tag = "" if pd.isna(worst["parent_tag"]) else f":{worst['parent_tag']}"
    return _say(
        "{} stand on a parent whose tag has a newer image; latest or another moving tag names {} "
        "of them. Furthest is {} on {}, {}.",
        _begin(_of(facts, len(late), "outdated_image_count", "image")),
        marks.count("outdated_current_count", len(current)),
        reference(worst),
        marks.name(worst["parent_repo"] + tag),
        since,
    )


def again(facts: Facts) -> Markup | None:
    """Say which version tags were pushed again, if any."""
    late = facts.repushed
    if late.empty:
        return None
    worst = late.iloc[0]
    of = f"{worst['repo']}:{worst['tag']}"
    return _say(
        "{} named for a version {} pushed after the next version was, so again or out of turn: {} "
        "came {} days after {}.",
        _begin(_of(facts, len(late), "repushed_tag_count", "tag")),
        "was" if len(late) == 1 else "were",
        marks.name(of),
        marks.days("repushed.later_days", worst["later_days"], of=of),
        marks.name(worst["next_tag"]),
    )


def _deleted(facts: Facts) -> Markup | None:
    if facts.deleted.empty:
        return None
    freed = facts.deleted["freed_size"].dropna()
    which = _begin(_of(facts, len(facts.deleted), "deleted_tag_count", "tag"))
    if freed.empty:
        return _say("{} could go; what that frees is not known.", which)
    return _say(
        "{} could go by a rule that keeps the {} newest and the last {} days: that frees {} of {}.",
        which,
        marks.count("keep", KEEP),
        marks.count("older_than", OLDER_THAN),
        marks.size("freed_size", int(freed.sum())),
        marks.size("size_stored", facts.totals["size_stored"]),
    )


def _unlabelled(facts: Facts) -> Markup | None:
    keys = facts.keys
    wanted = keys[keys["key"].isin(_WANTED)]
    least = wanted.sort_values("labelled_count", kind="stable").iloc[0]
    if not least["image_count"] or least["labelled_count"] == least["image_count"]:
        return None
    absent = _label_names(wanted[wanted["labelled_count"] == 0])
    if absent:
        return _joined(_labels_read(facts), _say("None of these carries {}.", marks.listed(absent)))
    count = marks.count("labelled_image_count", least["labelled_count"], of=least["key"])
    name = marks.name(least["key"].removeprefix(_OCI))
    return _joined(_labels_read(facts), _say("Only {} of these carry {}.", count, name))


def _label_names(keys: pd.DataFrame) -> list[Markup]:
    return [marks.name(key.removeprefix(_OCI)) for key in keys["key"]]


def _labels_read(facts: Facts) -> Markup:
    """Say of how many images labels were read, and of which."""
    images = int(facts.keys["image_count"].iloc[0])
    which = _of(facts, images, "described_image_count", "image")
    words = facts.scopes.get("labels")
    where = _say(" ({})", marks.name(words, 10**6)) if words else ""
    return _say("Labels were read of {}{}.", which, where)


def _lacking(facts: Facts) -> Markup | None:
    cells = facts.answers["platform_coverage"]
    lacking = cells.loc[~cells["is_present"].astype(bool), ["repo", "tag"]].drop_duplicates()
    if lacking.empty:
        return None
    repos = lacking["repo"].nunique()
    return _say(
        "{} lack a platform that another tag of their repository has, in {}.",
        _begin(_of(facts, len(lacking), "lacking_tag_count", "tag")),
        _of(facts, repos, "lacking_repo_count", "repository"),
    )


def pulls(facts: Facts) -> Markup:
    """Say who is pulled most."""
    known = facts.frames["repos"].dropna(subset="pull_count")
    if known.empty:
        return Markup(
            "No repository here tells how often it was pulled; only Docker Hub counts pulls."
        )
    top = largest_first(known, "pull_count").iloc[0]
    count, total = top["pull_count"], int(known["pull_count"].sum())
    most = marks.large("repos.pull_count", count, row=top.name)
    if len(known) == 1 or not total:
        return _say("{} was pulled {} times since it exists.", marks.name(top["repo"]), most)
    return _say(
        "Together {} were pulled {} times since they exist. {} leads with {}, {} of all.",
        _of(facts, len(known), "pulled_repo_count", "repository"),
        marks.large("pull_count", total),
        marks.name(top["repo"]),
        most,
        marks.share("pull_share", count / total, of=top["repo"]),
    )


def tags(facts: Facts) -> Markup:
    """Say when tags were pushed, and how many are versions."""
    dated = measure.pushes(facts.tags.assign(pushed_at=facts.tags["dated_at"]))
    if dated.empty:
        return Markup("No tag here tells when it was pushed or built.")
    when = "of its last push"
    if facts.is_built:
        when = "of its last push, or of its build where the registry tells no push"
    return _say(
        "Each dot is a tag at the day {}: {}, from {} to {}. {} are named for a version.",
        when,
        _of(facts, len(dated), "dated_tag_count", "tag"),
        marks.moment("first_dated_at", dated["pushed_at"].min()),
        marks.moment("last_dated_at", dated["pushed_at"].max()),
        marks.count("version_tag_count", int((dated["kind"] == "version").sum())),
    )


def layers(facts: Facts) -> Markup:
    """Say which of the newest images is the largest, and what it shares with whom."""
    every = facts.frames["layers"]
    shown = measure.leading_tags(every, NEWEST)
    if shown.empty:
        return Markup("No layers were read.")
    top = largest_first(measure.footprint_df(shown, by="image"), "total_size").head(1)
    image = measure.identity(top).iloc[0]
    whole = measure.footprint_df(every, by="image")
    own = whole[measure.identity(whole) == image].iloc[0]
    sentence = _say(
        "The newest tags of each repository in turn, each by its image for linux/amd64 where it "
        "has one. The largest shown is {} with {}",
        reference(top.iloc[0]),
        marks.size("image_size", own["total_size"], of=image),
    )
    others = measure.shared_with(every, image)
    if others.empty or pd.isna(own["shared_share"]):
        return _say("{}; no other image here holds any of its layers.", sentence)
    return _say(
        "{}; {} of its bytes are in layers that other images here hold too, most of them shared "
        "with {}.",
        sentence,
        marks.share("image_shared_share", own["shared_share"], of=image),
        reference(others.iloc[0]),
    )


def labels(facts: Facts) -> Markup:
    """Say which standard label is the most common, and which are absent."""
    keys = facts.keys
    if not keys["image_count"].iloc[0]:
        return Markup("No labels were read.")
    absent = _label_names(keys[keys["labelled_count"] == 0])
    if len(absent) == len(keys):
        return _joined(_labels_read(facts), "None carries any of the standard labels.")
    top = keys.iloc[int(keys["labelled_count"].astype(int).argmax())]
    sentence = _say(
        "The most common standard label is {}: {} of these carry it.",
        marks.name(top["key"].removeprefix(_OCI)),
        marks.share("label_share", top["share"], of=top["key"]),
    )
    none = _say("None carries {}.", marks.listed(absent)) if absent else None
    return _joined(_labels_read(facts), sentence, none)


def layer_sizes(facts: Facts) -> Markup:
    """Say how large layers are."""
    sizes = facts.answers["shared_layers"]["size"].dropna()
    if sizes.empty:
        return Markup("No layer here tells its size.")
    return _say(
        "Half of {} are not larger than {}, nine in ten not larger than {}.",
        _of(facts, len(sizes), "sized_layer_count", "distinct layer"),
        marks.size("layer_size_p50", float(sizes.quantile(0.5))),
        marks.size("layer_size_p90", float(sizes.quantile(0.9))),
    )


def size_trend(facts: Facts) -> Markup:
    """Say which line of releases grew most, and which step added most."""
    trend = facts.answers["size_trend"]
    if trend.empty or trend["release"].max() == 0:
        return Markup("No repository here has two releases whose layers were read.")
    count = len(trend[["repo", "line", "platform"]].drop_duplicates())
    lines = marks.count("line_count", count, "line")
    grown = measure.most_grown(trend)
    if grown.empty:
        return _say("None of {} of releases grew from its first to its last.", lines)
    first, last = grown.iloc[0], grown.iloc[-1]
    step = grown.sort_values("change", kind="stable", na_position="first").iloc[-1]
    return _say(
        "Of {} of releases, each on one platform, that of {} on {} grew most: from {} in {} to {} "
        "in {}. The build step that added most at once came with {}: {}.",
        lines,
        marks.name(first["repo"]),
        marks.name("no platform" if pd.isna(step["platform"]) else step["platform"]),
        _size(first, "size_trend", "total_size"),
        marks.name(first["tag"]),
        _size(last, "size_trend", "total_size"),
        marks.name(last["tag"]),
        reference(step),
        _size(step, "size_trend", "change"),
    )


def platforms(facts: Facts) -> Markup:
    """Say how many tags lack a platform that others of their repository have."""
    count = len(facts.answers["platform_coverage"][["repo", "tag"]].drop_duplicates())
    if not count:
        return Markup("No tag here tells its platforms.")
    which = _of(facts, count, "platform_tag_count", "tag")
    if lacking := _lacking(facts):
        return _joined(_say("Platforms are known of {}.", which), lacking)
    return _say("Platforms are known of {}; each has all that tags of its repository have.", which)


def parents(facts: Facts) -> Markup:
    """Say how many images have their parent here, and how many of the parents are outdated."""
    related = facts.answers["parents"].dropna(subset="parent_repo")
    if related.empty:
        return Markup("No image here is built on another one that is here.")
    count = measure.identity(related).nunique()
    which = _begin(_of(facts, count, "related_image_count", "image"))
    sentence = _say("{} begin with all the layers of another one here, their parent.", which)
    if facts.outdated.empty:
        return _joined(sentence, "No parent has a newer image.")
    return _say(
        "{} {} are built on a parent whose tag has a newer image by now; a new build would take "
        "that in.",
        sentence,
        marks.count("outdated_image_count", len(facts.outdated)),
    )


def shared_layers(facts: Facts) -> Markup:
    """Say what sharing saves."""
    count = len(facts.shared)
    if not count:
        return Markup("No layer here is in two images.")
    return _say(
        "{} {} in two or more images. Storing each of them once saves {}.",
        _begin(_of(facts, count, "shared_layer_count", "distinct layer")),
        "is" if count == 1 else "are",
        marks.size("saved_size", int(facts.shared["saved_size"].sum())),
    )


def footprint(facts: Facts) -> Markup:
    """Say what takes most, and what it holds alone."""
    rows = facts.answers["footprint"]
    if rows.empty:
        return Markup("No layers were read.")
    top = largest_first(rows, "total_size").iloc[0]
    return _say(
        "{} takes most, {}; {} of that would be freed if it were deleted, since nothing else here "
        "holds it.",
        reference(top),
        _size(top, "footprint", "total_size"),
        _size(top, "footprint", "freed_size"),
    )


def latest_lag(facts: Facts) -> Markup:
    """Say where ``latest`` is not the highest version."""
    known, late = facts.answers["latest_lag"]["is_highest"].count(), facts.lagging
    if not known:
        return Markup("No repository here has both a tag latest and a stable version.")
    which = _of(facts, known, "known_latest_count", "repository")
    if late.empty:
        return _say("Both latest and a stable version are known of {}; they are one.", which)
    names = [marks.name(repo) for repo in late["repo"].head(_MOST_NAMED)]
    if more := len(late) - len(names):
        names.append(_say("{} more", marks.count("more_late_count", more)))
    return _say(
        "Both latest and a stable version are known of {}. latest is not the highest in {}: {}.",
        which,
        marks.count("late_repo_count", len(late)),
        marks.listed(names),
    )


def staleness(facts: Facts) -> Markup:
    """Say how many tags are stale, and which is the oldest."""
    ages = facts.answers["staleness"].dropna(subset="age_days")
    if ages.empty:
        return Markup("No tag here tells when it was pushed or built.")
    oldest = ages.iloc[0]
    built = ", or built where the registry tells no push," if facts.is_built else ""
    return _say(
        "{} have a date; {} of these were last pushed{} more than a year ago. The oldest is {}, "
        "of {} days.",
        _begin(_of(facts, len(ages), "aged_tag_count", "tag")),
        marks.share("stale_share", float(ages["is_stale"].sum()) / len(ages)),
        built,
        reference(oldest),
        marks.days("staleness.age_days", oldest["age_days"], row=oldest.name),
    )


def cleanup(facts: Facts) -> Markup:
    """Say what the rule is, and what it would free."""
    rule = _say(
        "The rule: keep latest, the {} newest tags of each repository, and what was pushed in the "
        "last {} days.",
        marks.count("keep", KEEP),
        marks.count("older_than", OLDER_THAN),
    )
    if facts.deleted.empty:
        return _joined(rule, "By it every tag stays.")
    which = _of(facts, len(facts.deleted), "deleted_tag_count", "tag")
    sentence = _say("By it {} could go.", which)
    known = facts.deleted["freed_size"].dropna()
    if known.empty:
        unknown = "What that would free is not known, since their layers were not read."
        return _joined(rule, sentence, unknown)
    freed = marks.size("freed_size", int(known.sum()))
    if unread := len(facts.deleted) - len(known):
        without = marks.count("unread_tag_count", unread, "tag")
        freed = _say("{}, without {} whose layers were not read", freed, without)
    freed = _say("That would free {}.", freed)
    return _joined(rule, sentence, freed, "This is a proposal; nothing was deleted.")


def completeness(facts: Facts) -> Markup:
    """Say whether anything is missing."""
    if facts.is_complete is None:
        return Markup("It is not known whether anything is missing: not all of the data tell.")
    if not facts.is_complete:
        sources = measure.provenance(facts.frames)
        lacking = sources.loc[~sources["complete"].fillna(value=True), "frame"]
        names = marks.listed([marks.name(name) for name in lacking])
        return _say("This report is incomplete: rows are missing from {}.", names)
    limited = [marks.name(name) for name in facts.frames if facts.is_limited(name)]
    if not limited:
        return Markup("This report is complete: nothing is missing.")
    return _say(
        "Nothing that was asked for is missing; not all was asked for of {}.", marks.listed(limited)
    )


def skipped(facts: Facts) -> Markup | None:
    """Say what was left out on purpose, if anything."""
    left_out = facts.sources[facts.sources["skipped_count"].fillna(0) > 0]
    if left_out.empty:
        return None
    counts = [
        _say("{} ({})", marks.name(frame), marks.count("sources.skipped_count", count, row=row))
        for row, frame, count in zip(
            left_out.index, left_out["frame"], left_out["skipped_count"], strict=True
        )
    ]
    return _say(
        "Passed over were tags without an image for the platform asked for, tags that are only "
        "signatures, and images whose layers their source does not tell: {}.",
        marks.listed(counts),
    )
