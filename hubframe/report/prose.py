"""What the report says in sentences, with the figures of its frames.

Names are strangers' text: they come marked and escaped out of `hubframe.report.marks`.
"""

import pandas as pd
from markupsafe import Markup

from hubframe import measure
from hubframe.report import marks
from hubframe.report.answers import KEEP, OLDER_THAN, Told
from hubframe.report.pictures import NEWEST

_MOST_NAMED = 3
_MOST_FINDINGS = 7


def _say(text: str, *parts: object) -> Markup:
    """Fill a sentence of ours; what is no Markup is escaped."""
    return Markup(text).format(*parts)  # noqa: S704 - the text is ours, its parts are not


def _joined(*sentences: Markup | None) -> Markup:
    return Markup(" ").join(filter(None, sentences))


def _of(  # noqa: PLR0913
    told: Told, part: int, figure: str, whole: str, noun: str, *, begins: bool = False
) -> Markup:
    """Count some of what there is, by the one number that the page has for all: 3 of 12 tags."""
    count = int(told.totals[whole])
    of_all = marks.count(whole, count, noun)
    if part == count:
        return _say("All {}" if begins else "all {}", of_all) if count > 1 else of_all
    return _say("{} of {}", marks.count(figure, part), of_all)


def scope(told: Told, name: str) -> Markup | None:
    """Say what a table covers."""
    words = told.scopes.get(name)
    return None if words is None else _say("Covers {}.", marks.name(words, 10**6))


def headline(told: Told) -> Markup:
    """Say in two sentences what the report is about."""
    totals = told.totals
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
    return _joined(_say("{}.", sentence), _storage(told))


def _storage(told: Told) -> Markup | None:
    totals = told.totals
    images = int(totals["layered_image_count"])
    if not images:
        return None
    which = _of(told, images, "layered_image_count", "image_count", "image")
    if images == 1:
        one = marks.size("size_referenced", totals["size_referenced"])
        return _say("The layers of {} were read: it is {} compressed.", which, one)
    return _say(
        "The layers of {} were read: they add up to {} compressed; storing each layer once takes "
        "{}.",
        which,
        marks.size("size_referenced", totals["size_referenced"]),
        marks.size("size_stored", totals["size_stored"]),
    )


def findings(told: Told) -> list[tuple[Markup, str]]:
    """Say what to act on, the most urgent first, each with the place of its evidence.

    Where little is wrong, what is known to be right makes up for it.
    """
    asked = (
        (_incomplete(told), "complete"),
        (_lagging(told), "latest_lag"),
        (_outdated(told), "outdated"),
        (_again(told), "again"),
        (_goes(told), "cleanup"),
        (_unlabelled(told), "labels"),
        (_lacking(told), "platforms"),
    )
    found = [(said, anchor) for said, anchor in asked if said]
    good = (
        (latest_lag(told), "latest_lag"),
        (footprint(told), "footprint"),
        (staleness(told), "staleness"),
    )
    used = {anchor for _, anchor in found}
    found += [(said, anchor) for said, anchor in good if said and anchor not in used]
    return found[: max(_LEAST_FINDINGS, len(used))][:_MOST_FINDINGS]


_LEAST_FINDINGS = 3


def _incomplete(told: Told) -> Markup | None:
    sources = measure.provenance(told.frames)
    return completeness(told) if measure.is_complete(sources) is False else None


def _lagging(told: Told) -> Markup | None:
    lag = told.answers["latest_lag"]
    late = lag[lag["is_highest"].eq(other=False).fillna(value=False)]
    if late.empty:
        return None
    order = ["versions_behind", "lag_days"]
    worst = late.sort_values(order, ascending=False, na_position="last").iloc[0]
    row = worst.name
    sentence = _say(
        "latest is not the highest stable version in {}",
        _of(told, len(late), "late_repo_count", "repo_count", "repository"),
    )
    if pd.isna(worst["versions_behind"]):
        return _say("{}, {} among them.", sentence, marks.name(worst["repo"]))
    behind = marks.count("latest_lag.versions_behind", worst["versions_behind"], "version", row=row)
    days = worst["lag_days"]
    if pd.notna(days) and days > 0:
        behind = _say("{} and {} days", behind, marks.days("latest_lag.lag_days", days, row=row))
    return _say("{}; {} is {} behind.", sentence, marks.name(worst["repo"]), behind)


def _outdated(told: Told) -> Markup | None:
    late = told.late
    if late.empty:
        return None
    current = late[late["rank"] < 2]  # noqa: PLR2004
    top = (current if len(current) else late).sort_values(
        ["lag_days"], ascending=False, kind="stable", na_position="last"
    )
    worst = top.iloc[0]
    sentence = _say(
        "{} stand on a parent whose tag has a newer image; latest or another moving tag names {} "
        "of them",
        _of(told, len(late), "outdated_image_count", "image_count", "image", begins=True),
        marks.count("outdated_current_count", len(current)),
    )
    since = _say("by how many days is not known")
    if pd.notna(worst["lag_days"]):
        since = _say(
            "{} days behind", marks.days("outdated.lag_days", worst["lag_days"], row=worst.name)
        )
    parent = worst["parent_repo"] + (
        "" if pd.isna(worst["parent_tag"]) else f":{worst['parent_tag']}"
    )
    return _say(
        "{}. Furthest is {} on {}, {}.", sentence, reference(worst), marks.name(parent), since
    )


def _again(told: Told) -> Markup | None:
    late = told.repushed
    if late.empty:
        return None
    worst = late.iloc[0]
    of = f"{worst['repo']}:{worst['tag']}"
    return _say(
        "{} named for a version {} pushed after the next version was, so again or out of turn: {} "
        "came {} days after {}.",
        _of(told, len(late), "repushed_tag_count", "tag_count", "tag", begins=True),
        "was" if len(late) == 1 else "were",
        marks.name(of),
        marks.days("repushed.later_days", worst["later_days"], of=of),
        marks.name(worst["next_tag"]),
    )


def _goes(told: Told) -> Markup | None:
    if told.goes.empty:
        return None
    freed = told.goes["freed_size"].dropna()
    which = _of(told, len(told.goes), "deleted_tag_count", "tag_count", "tag", begins=True)
    if freed.empty:
        return _say("{} could go; what that frees is not known.", which)
    return _say(
        "{} could go by a rule that keeps the {} newest and the last {} days: that frees {} of {}.",
        which,
        marks.number("keep", KEEP, str(KEEP)),
        marks.number("older_than", OLDER_THAN, str(OLDER_THAN)),
        marks.size("freed_size", int(freed.sum())),
        marks.size("size_stored", told.totals["size_stored"]),
    )


def _unlabelled(told: Told) -> Markup | None:
    keys = told.keys
    images = int(keys["image_count"].iloc[0])
    wanted = keys[keys["key"].isin([f"{_OCI}{name}" for name in _WANTED])]
    least = wanted.sort_values("labelled_count", kind="stable").iloc[0]
    if not images or least["labelled_count"] == images:
        return None
    none = [marks.name(key) for key in _short(wanted[wanted["labelled_count"] == 0]["key"])]
    looked = _labels_read(told)
    if none:
        return _say("{} None of these carries {}.", looked, marks.listed(none))
    return _say(
        "{} Only {} of these carry {}.",
        looked,
        marks.count("labelled_image_count", least["labelled_count"], of=least["key"]),
        marks.name(_short(pd.Series([least["key"]]))[0]),
    )


_OCI = "org.opencontainers.image."
# What tells who made an image, out of what, and under which terms.
_WANTED = ("source", "revision", "version", "licenses")


def _short(keys: pd.Series) -> list[str]:
    return [str(key).removeprefix(_OCI) for key in keys]


def _labels_read(told: Told) -> Markup:
    """Say of how many images labels were read, and of which."""
    images = int(told.keys["image_count"].iloc[0])
    which = _of(told, images, "described_image_count", "image_count", "image")
    words = told.scopes.get("labels")
    where = _say(" ({})", marks.name(words, 10**6)) if words else Markup("")
    return _say("Labels were read of {}{}.", which, where)


def _lacking(told: Told) -> Markup | None:
    cells = told.answers["platform_coverage"]
    lacking = cells.loc[~cells["is_present"].astype(bool), ["repo", "tag"]].drop_duplicates()
    if lacking.empty:
        return None
    return _say(
        "{} lack a platform that another tag of their repository has, in {}.",
        _of(told, len(lacking), "lacking_tag_count", "tag_count", "tag", begins=True),
        _of(told, lacking["repo"].nunique(), "lacking_repo_count", "repo_count", "repository"),
    )


def pulls(told: Told) -> Markup:
    """Say who is pulled most."""
    known = told.frames["repos"].dropna(subset="pull_count")
    if known.empty:
        return Markup(
            "No repository here tells how often it was pulled; only Docker Hub counts pulls."
        )
    top = known.sort_values("pull_count", ascending=False, kind="stable").iloc[0]
    count, total = top["pull_count"], int(known["pull_count"].sum())
    most = marks.large("repos.pull_count", count, row=top.name)
    if len(known) == 1 or not total:
        return _say("{} was pulled {} times since it exists.", marks.name(top["repo"]), most)
    return _say(
        "Together {} were pulled {} times since they exist. {} leads with {}, {} of all.",
        _of(told, len(known), "pulled_repo_count", "repo_count", "repository"),
        marks.large("pull_count", total),
        marks.name(top["repo"]),
        most,
        marks.share("pull_share", count / total, of=top["repo"]),
    )


def tags(told: Told) -> Markup:
    """Say when tags were pushed, and how many are versions."""
    dated = _pushes(told)
    if dated.empty:
        return Markup("No tag here tells when it was pushed or built.")
    by_date = dated.sort_values("pushed_at", kind="stable")
    versions = int((dated["kind"] == "version").sum())
    when = "of its last push"
    if told.is_built:
        when = "of its last push, or of its build where the registry tells no push"
    return _say(
        "Each dot is a tag at the day {}: {}, from {} to {}. {} are named for a version.",
        when,
        _of(told, len(dated), "dated_tag_count", "tag_count", "tag"),
        marks.moment("first_dated_at", by_date["pushed_at"].iloc[0]),
        marks.moment("last_dated_at", by_date["pushed_at"].iloc[-1]),
        marks.count("version_tag_count", versions),
    )


def _pushes(told: Told) -> pd.DataFrame:
    return measure.pushes(told.tags.assign(pushed_at=told.tags["dated_at"]))


def layers(told: Told) -> Markup:
    """Say which of the newest images is the largest, and what it shares with whom."""
    every = told.frames["layers"]
    shown = measure.leading_tags(every, NEWEST)
    if shown.empty:
        return Markup("No layers were read.")
    top = measure.footprint_df(shown, by="image").sort_values(
        "total_size", ascending=False, kind="stable"
    )
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


def labels(told: Told) -> Markup:
    """Say which standard label is the most common, and which are absent."""
    keys = told.keys
    if not keys["image_count"].iloc[0]:
        return Markup("No labels were read.")
    names = _short(keys["key"])
    absent = [
        marks.name(name) for name, n in zip(names, keys["labelled_count"], strict=True) if not n
    ]
    looked = _labels_read(told)
    if len(absent) == len(keys):
        return _joined(looked, Markup("None carries any of the standard labels."))
    top = int(keys["labelled_count"].astype(int).argmax())
    sentence = _say(
        "The most common standard label is {}: {} of these carry it.",
        marks.name(names[top]),
        marks.share("label_share", keys["share"].iloc[top], of=keys["key"].iloc[top]),
    )
    none = _say("None carries {}.", marks.listed(absent)) if absent else None
    return _joined(looked, sentence, none)


def layer_sizes(told: Told) -> Markup:
    """Say how large layers are."""
    sizes = told.answers["shared_layers"]["size"].dropna()
    if sizes.empty:
        return Markup("No layer here tells its size.")
    middle, most = (float(sizes.quantile(share)) for share in (0.5, 0.9))
    return _say(
        "Half of {} are not larger than {}, nine in ten not larger than {}.",
        _of(told, len(sizes), "sized_layer_count", "layer_count", "distinct layer"),
        marks.size("layer_size_p50", middle),
        marks.size("layer_size_p90", most),
    )


def size_trend(told: Told) -> Markup:
    """Say which line of releases grew most, and which step added most."""
    trend = told.answers["size_trend"]
    if trend.empty or trend["release"].max() == 0:
        return Markup("No repository here has two releases whose layers were read.")
    count = len(trend[["repo", "line", "platform"]].drop_duplicates())
    lines = marks.count("line_count", count, "line")
    grown = measure.most_grown(trend)
    if grown.empty:
        return _say("None of {} of releases grew from its first to its last.", lines)
    first, last = (
        _say(
            "{} in {}",
            marks.size("size_trend.total_size", row["total_size"], row=row.name),
            marks.name(row["tag"]),
        )
        for row in (grown.iloc[0], grown.iloc[-1])
    )
    step = grown.sort_values("change", kind="stable", na_position="first").iloc[-1]
    platform = "" if pd.isna(step["platform"]) else step["platform"]
    return _say(
        "Of {} of releases, each on one platform, that of {} on {} grew most: from {} to {}. The "
        "build step that added most at once came with {}: {}.",
        lines,
        marks.name(grown["repo"].iloc[0]),
        marks.name(platform or "no platform"),
        first,
        last,
        reference(step),
        marks.size("size_trend.change", step["change"], row=step.name),
    )


def platforms(told: Told) -> Markup:
    """Say how many tags lack a platform that others of their repository have."""
    cells = told.answers["platform_coverage"]
    tags = cells[["repo", "tag"]].drop_duplicates()
    if tags.empty:
        return Markup("No tag here tells its platforms.")
    which = _of(told, len(tags), "platform_tag_count", "tag_count", "tag")
    lacking = _lacking(told)
    if lacking is None:
        return _say(
            "Platforms are known of {}; each has all that tags of its repository have.", which
        )
    return _joined(_say("Platforms are known of {}.", which), lacking)


def parents(told: Told) -> Markup:
    """Say how many images have their parent here, and how many of the parents are outdated."""
    images = told.answers["parents"]
    related = images[images["parent_repo"].notna()]
    if related.empty:
        return Markup("No image here is built on another one that is here.")
    count = measure.identity(related).nunique()
    sentence = _say(
        "{} begin with all the layers of another one here, their parent.",
        _of(told, count, "related_image_count", "image_count", "image", begins=True),
    )
    if told.late.empty:
        return _joined(sentence, Markup("No parent has a newer image."))
    return _joined(
        sentence,
        _say(
            "{} are built on a parent whose tag has a newer image by now; a new build would take "
            "that in.",
            marks.count("outdated_image_count", len(told.late)),
        ),
    )


def shared_layers(told: Told) -> Markup:
    """Say what sharing saves."""
    layers = told.answers["shared_layers"]
    shared = layers[(layers["image_count"] > 1) & ~layers["is_empty"]]
    if shared.empty:
        return Markup("No layer here is in two images.")
    return _say(
        "{} {} in two or more images. Storing each of them once saves {}.",
        _of(told, len(shared), "shared_layer_count", "layer_count", "distinct layer", begins=True),
        "is" if len(shared) == 1 else "are",
        marks.size("saved_size", int(shared["saved_size"].fillna(0).sum())),
    )


def footprint(told: Told) -> Markup:
    """Say what takes most, and what it holds alone."""
    rows = told.answers["footprint"]
    if rows.empty:
        return Markup("No layers were read.")
    top = rows.sort_values("total_size", ascending=False, kind="stable").iloc[0]
    return _say(
        "{} takes most, {}; {} of that would be freed if it were deleted, since nothing else here "
        "holds it.",
        reference(top),
        marks.size("footprint.total_size", top["total_size"], row=top.name),
        marks.size("footprint.freed_size", top["freed_size"], row=top.name),
    )


def latest_lag(told: Told) -> Markup:
    """Say where ``latest`` is not the highest version."""
    lag = told.answers["latest_lag"]
    known = lag[lag["is_highest"].notna()]
    if known.empty:
        return Markup("No repository here has both a tag latest and a stable version.")
    late = known[~known["is_highest"].astype(bool)]
    which = _of(told, len(known), "known_latest_count", "repo_count", "repository")
    if late.empty:
        return _say("Both latest and a stable version are known of {}; they are one.", which)
    names = [marks.name(repo) for repo in late["repo"].head(_MOST_NAMED)]
    if len(late) > len(names):
        more = len(late) - len(names)
        names.append(_say("{} more", marks.count("more_late_count", more)))
    return _say(
        "Both latest and a stable version are known of {}. latest is not the highest in {}: {}.",
        which,
        marks.count("late_repo_count", len(late)),
        marks.listed(names),
    )


def staleness(told: Told) -> Markup:
    """Say how many tags are stale, and which is the oldest."""
    ages = told.answers["staleness"].dropna(subset="age_days")
    if ages.empty:
        return Markup("No tag here tells when it was pushed or built.")
    oldest = ages.iloc[0]
    share = float(ages["is_stale"].sum()) / len(ages)
    what = (
        "last pushed, or built where the registry tells no push,"
        if told.is_built
        else "last pushed"
    )
    return _say(
        "{} have a date; {} of these were {} more than a year ago. The oldest is {}, of {} days.",
        _of(told, len(ages), "aged_tag_count", "tag_count", "tag", begins=True),
        marks.share("stale_share", share),
        what,
        reference(oldest),
        marks.days("staleness.age_days", oldest["age_days"], row=oldest.name),
    )


def again(told: Told) -> Markup:
    """Say which version tags were pushed again."""
    return _again(told) or Markup(
        "No tag named for a version was pushed after the next version of its line was."
    )


def cleanup(told: Told) -> Markup:
    """Say what the rule is, and what it would free."""
    rule = _say(
        "The rule: keep latest, the {} newest tags of each repository, and what was pushed in the "
        "last {} days.",
        marks.number("keep", KEEP, str(KEEP)),
        marks.number("older_than", OLDER_THAN, str(OLDER_THAN)),
    )
    goes = told.goes
    if goes.empty:
        return _joined(rule, Markup("By it every tag stays."))
    which = _of(told, len(goes), "deleted_tag_count", "tag_count", "tag")
    sentence = _say("By it {} could go.", which)
    known = goes["freed_size"].dropna()
    if known.empty:
        unknown = Markup("What that would free is not known, since their layers were not read.")
        return _joined(rule, sentence, unknown)
    unread = len(goes) - len(known)
    rest = Markup("")
    if unread:
        rest = _say(
            ", without {} whose layers were not read",
            marks.count("unread_tag_count", unread, "tag"),
        )
    return _joined(
        rule,
        sentence,
        _say("That would free {}{}.", marks.size("freed_size", int(known.sum())), rest),
        Markup("This is a proposal; nothing was deleted."),
    )


def completeness(told: Told) -> Markup:
    """Say whether anything is missing."""
    sources = measure.provenance(told.frames)
    complete = measure.is_complete(sources)
    if complete:
        limited = [name for name in told.frames if _is_limited(told, name)]
        if limited:
            return _say(
                "Nothing that was asked for is missing; not all was asked for of {}.",
                marks.listed([marks.name(name) for name in limited]),
            )
        return Markup("This report is complete: nothing is missing.")
    if complete is None:
        return Markup("It is not known whether anything is missing: not all of the data tell.")
    lacking = sources.loc[sources["complete"].eq(other=False), "frame"]
    return _say(
        "This report is incomplete: rows are missing from {}.",
        marks.listed([marks.name(name) for name in lacking]),
    )


def _is_limited(told: Told, name: str) -> bool:
    return bool((told.frames[name].attrs.get("hubframe") or {}).get("limited"))


def skipped(told: Told) -> Markup | None:
    """Say what was left out on purpose, if anything."""
    sources = told.sources
    left_out = sources[sources["skipped_count"].fillna(0) > 0]
    if left_out.empty:
        return None
    counts = [
        _say(
            "{} ({})",
            marks.name(row["frame"]),
            marks.count("sources.skipped_count", row["skipped_count"], row=number),
        )
        for number, row in left_out.iterrows()
    ]
    return _say(
        "Passed over were tags without an image for the platform asked for, tags that are only "
        "signatures, and images whose layers their source does not tell: {}.",
        marks.listed(counts),
    )


def reference(row: pd.Series) -> Markup:
    """Write the image of a row as ``repo:tag``, or ``repo@digest`` where it has no tag."""
    digest = row.get("image_digest")
    written = ":" + row["tag"] if pd.notna(row["tag"]) else "" if pd.isna(digest) else f"@{digest}"
    return marks.name(row["repo"] + written, 80)
