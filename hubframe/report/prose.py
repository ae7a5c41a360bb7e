"""What the report says in sentences, with the figures of its frames.

Nothing here is HTML: names are strangers' text, and the page escapes them.
"""

from collections.abc import Mapping

import pandas as pd

from hubframe import measure
from hubframe.plots.wording import counted, percent, shorten, size
from hubframe.report.answers import KEEP, OLDER_THAN
from hubframe.report.pictures import NEWEST

Frames = Mapping[str, pd.DataFrame]
# More than a repository, a colon and a tag of common length; digests and pranks are longer.
_LONGEST = 80
_MOST_NAMED = 3
_MILLION, _BILLION = 10**6, 10**9


def headline(frames: Frames) -> str:
    """Say in two sentences what the report is about."""
    totals = measure.totals(frames).iloc[0]
    if not totals["repo_count"]:
        return "There is nothing in this report: no repository was found."
    count = totals["repo_count"]
    verb = "has" if count == 1 else "have"
    sentence = f"{counted(count, 'repository')} {verb} {counted(totals['tag_count'], 'tag')}"
    if pd.notna(totals["newest_push_at"]):
        sentence += f", the newest pushed on {totals['newest_push_at']:%Y-%m-%d}"
    return f"{sentence}.{_storage(totals)}"


def _storage(totals: pd.Series) -> str:
    images = totals["layered_image_count"]
    if not images:
        return ""
    referenced, stored = totals["size_referenced"], totals["size_stored"]
    if images == 1:
        return f" The one image whose layers were read is {size(referenced)} compressed."
    return (
        f" The {images:,} images whose layers were read add up to {size(referenced)} compressed;"
        f" storing each of their layers once takes {size(stored)}."
    )


def pulls(frames: Frames) -> str:
    """Say who is pulled most."""
    known = frames["repos"].dropna(subset="pull_count")
    if known.empty:
        return "No repository here tells how often it was pulled; only Docker Hub counts pulls."
    top = known.sort_values("pull_count", ascending=False, kind="stable").iloc[0]
    name, count = shorten(top["repo"], _LONGEST), top["pull_count"]
    total = int(known["pull_count"].sum())
    if len(known) == 1 or not total:
        return f"{name} was pulled {worded(count)} times since it exists."
    return (
        f"Together the {len(known):,} repositories were pulled {worded(total)} times since they "
        f"exist. {name} leads with {worded(count)}, {percent(count / total)} of all. "
        "The axis is logarithmic: a bar a little longer means many times more pulls."
    )


def tags(frames: Frames) -> str:
    """Say when tags were pushed, and how many are versions."""
    dated = measure.pushes(frames["tags"])
    if dated.empty:
        return "No tag here tells when it was pushed."
    newest = dated.sort_values("pushed_at", kind="stable").iloc[-1]
    versions = int((dated["kind"] == "version").sum())
    first, last = dated["pushed_at"].min(), dated["pushed_at"].max()
    return (
        f"Each dot is a tag at the day of its last push, from {first:%Y-%m-%d} to {last:%Y-%m-%d}. "
        f"{versions:,} of {counted(len(dated), 'tag')} with a date are named for a version; the "
        f"newest of all is {reference(newest)}."
    )


def layers(frames: Frames) -> str:
    """Say which of the newest images is the largest, and what it shares with whom."""
    shown = measure.leading_tags(frames["layers"], NEWEST)
    if shown.empty:
        return "No layers were read."
    images = measure.footprint_df(shown)
    top = images.sort_values("total_size", ascending=False, kind="stable").iloc[:1]
    share = top["shared_share"].iloc[0]
    sentence = (
        f"The largest image of {'the newest tag' if len(images) == 1 else _newest(len(images))} is "
        f"{reference(top.iloc[0])} with {size(top['total_size'].iloc[0])}"
    )
    others = measure.shared_with(shown, measure.identity(top).iloc[0])
    if others.empty or pd.isna(share):
        return f"{sentence}; no other image shown holds any of its layers."
    return (
        f"{sentence}; {percent(share)} of its bytes are in layers that other images shown hold "
        f"too, most of them shared with {reference(others.iloc[0])}."
    )


def _newest(count: int) -> str:
    return f"the {count} newest tags"


def labels(frames: Frames) -> str:
    """Say which standard label is the most common, and which are absent."""
    coverage = measure.label_coverage(frames["labels"], measure.described_images(frames))
    keys = measure.key_coverage(coverage)
    images = keys["image_count"].iloc[0]
    if not images:
        return "No labels were read."
    names = keys["key"].str.removeprefix("org.opencontainers.image.")
    absent = names[keys["labelled_count"] == 0].tolist()
    if len(absent) == len(keys):
        return f"None of {counted(images, 'image')} carries any of the standard labels."
    top = int(keys["labelled_count"].astype(int).argmax())
    sentence = (
        f"The most common standard label is {names.iloc[top]}: "
        f"{percent(keys['share'].iloc[top])} of {counted(images, 'image')} carry it."
    )
    return f"{sentence} No image carries {listed(absent)}." if absent else sentence


def layer_sizes(answers: Frames) -> str:
    """Say how large layers are, and what the marks are."""
    sizes = answers["shared_layers"]["size"].dropna()
    if sizes.empty:
        return "No layer here tells its size."
    middle, most = (size(float(sizes.quantile(share))) for share in (0.5, 0.9))
    return (
        f"Half of {counted(len(sizes), 'distinct layer')} are not larger than {middle}, nine in "
        f"ten not larger than {most}. The marks are what studies found in their own images, years "
        "ago."
    )


def size_trend(answers: Frames) -> str:
    """Say which line of releases grew most, and which step added most."""
    trend = answers["size_trend"]
    if trend.empty or trend["release"].max() == 0:
        return "No repository here has two releases whose layers were read."
    lines = counted(len(trend[["repo", "line", "platform"]].drop_duplicates()), "line")
    grown = measure.most_grown(trend)
    if grown.empty:
        return f"None of {lines} of releases grew from its first to its last."
    first, last = (
        f"{size(grown['total_size'].iloc[end])} in {shorten(grown['tag'].iloc[end], _LONGEST)}"
        for end in (0, -1)
    )
    repo = shorten(grown["repo"].iloc[0], _LONGEST)
    step = grown.sort_values("change", kind="stable", na_position="first").iloc[-1]
    return (
        f"Of {lines} of releases that of {repo} grew most: from {first} to {last}. The build step "
        f"that added most at once came with {reference(step)}: {size(step['change'])}."
    )


def platforms(answers: Frames) -> str:
    """Say how many tags lack a platform that others of their repository have."""
    cells = answers["platform_coverage"]
    tags = cells[["repo", "tag"]].drop_duplicates()
    if tags.empty:
        return "No tag here tells its platforms."
    lacking = cells.loc[~cells["is_present"].astype(bool), ["repo", "tag"]].drop_duplicates()
    if lacking.empty:
        return "Every tag here has all the platforms that tags of its repository have."
    return (
        f"{len(lacking):,} of {counted(len(tags), 'tag')} lack a platform that another tag of "
        f"their repository has, in {counted(lacking['repo'].nunique(), 'repository')}."
    )


def parents(answers: Frames) -> str:
    """Say how many images have their parent here, and how many of the parents are outdated."""
    images = answers["parents"]
    related = images[images["parent_repo"].notna()]
    if related.empty:
        return "No image here is built on another one that is here."
    count = measure.identity(related).nunique()
    sentence = (
        f"{counted(count, 'image')} of {measure.identity(images).nunique():,} begin with all the "
        "layers of another one here, their parent."
    )
    late = answers["outdated"]
    if late.empty:
        return f"{sentence} No parent has a newer image."
    return (
        f"{sentence} {measure.identity(late).nunique():,} are built on a parent whose tag has a "
        "newer image by now; a new build would take that in."
    )


def shared_layers(answers: Frames) -> str:
    """Say what sharing saves."""
    layers = answers["shared_layers"]
    shared = layers[(layers["image_count"] > 1) & ~layers["is_empty"]]
    if shared.empty:
        return "No layer here is in two images."
    saved = int(shared["saved_size"].fillna(0).sum())
    verb = "is" if len(shared) == 1 else "are"
    return (
        f"{len(shared):,} of {counted(len(layers), 'distinct layer')} {verb} in two or more "
        f"images. Storing each of them once saves {size(saved)}. Images that share most stand side "
        "by side."
    )


def footprint(answers: Frames) -> str:
    """Say what takes most, and what it holds alone."""
    rows = answers["footprint"]
    if rows.empty:
        return "No layers were read."
    top = rows.sort_values("total_size", ascending=False, kind="stable").iloc[0]
    return (
        f"Of what was read, {reference(top)} takes most, {size(top['total_size'])}; "
        f"{size(top['freed_size'])} of that would be freed if it were deleted, since nothing else "
        "here holds it."
    )


def latest_lag(answers: Frames) -> str:
    """Say where ``latest`` is not the highest version."""
    lag = answers["latest_lag"]
    known = lag[lag["is_highest"].notna()]
    if known.empty:
        return "No repository here has both a tag latest and a stable version."
    late = known[~known["is_highest"].astype(bool)]
    if late.empty:
        return (
            f"latest is the highest stable version wherever both are known, in "
            f"{counted(len(known), 'repository')}."
        )
    names = [shorten(repo, _LONGEST) for repo in late["repo"].head(_MOST_NAMED)]
    more = len(late) - len(names)
    named = listed([*names, *([f"{more:,} more"] if more else [])])
    return f"latest is not the highest stable version in {len(late):,} of {len(known):,}: {named}."


def staleness(answers: Frames) -> str:
    """Say how many tags are stale, and which is the oldest."""
    ages = answers["staleness"].dropna(subset="age_days")
    if ages.empty:
        return "No tag here tells when it was pushed."
    oldest = ages.iloc[0]
    share = float(ages["is_stale"].sum()) / len(ages)
    return (
        f"{percent(share)} of {counted(len(ages), 'tag')} with a date were last pushed more than a "
        f"year ago; the oldest is {reference(oldest)}, of {oldest['pushed_at']:%Y-%m-%d}."
    )


def cleanup(answers: Frames) -> str:
    """Say what the rule is, and what it would free."""
    plan = answers["cleanup"]
    goes = plan[plan["action"] == "delete"]
    rule = (
        f"The rule: keep latest, the {KEEP} newest tags of each repository, and what was pushed in "
        f"the last {OLDER_THAN} days."
    )
    if goes.empty:
        return f"{rule} By it every tag stays."
    known = goes["freed_size"].dropna()
    sentence = f"{rule} By it {len(goes):,} of {counted(len(plan), 'tag')} could go."
    if known.empty:
        return f"{sentence} What that would free is not known, since their layers were not read."
    unread = len(goes) - len(known)
    rest = f"; the layers of {counted(unread, 'tag')} were not read" if unread else ""
    return (
        f"{sentence} As far as layers were read that would free {size(int(known.sum()))}{rest}. "
        "This is a proposal; nothing was deleted."
    )


def completeness(frames: Frames) -> str:
    """Say whether anything is missing."""
    sources = measure.provenance(frames)
    complete = measure.is_complete(sources)
    if complete:
        return "This report is complete: nothing that was asked for is missing."
    if complete is None:
        return "It is not known whether anything is missing: not all of the data tell."
    lacking = sources.loc[sources["complete"].eq(other=False), "frame"].tolist()
    return f"This report is incomplete: rows are missing from {listed(lacking)}."


def skipped(frames: Frames) -> str | None:
    """Say what was left out on purpose, if anything."""
    sources = measure.provenance(frames)
    left_out = sources[sources["skipped_count"].fillna(0) > 0]
    if left_out.empty:
        return None
    counts = [f"{row.frame} ({row.skipped_count:,})" for row in left_out.itertuples()]
    return (
        "Passed over were tags without an image for the platform asked for, tags that are only "
        "signatures, and images whose layers their source does not tell: "
        f"{listed(counts)}."
    )


def reference(row: pd.Series) -> str:
    """Write the image of a row as ``repo:tag``, or ``repo@digest`` where it has no tag."""
    digest = row.get("image_digest")
    written = ":" + row["tag"] if pd.notna(row["tag"]) else "" if pd.isna(digest) else f"@{digest}"
    return shorten(row["repo"] + written, _LONGEST)


def listed(names: list[str]) -> str:
    """Join names as a sentence does.

    Examples
    --------
    >>> listed(["tags", "labels", "env"])
    'tags, labels and env'
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def worded(count: int) -> str:
    """Write a count as people say it.

    Examples
    --------
    >>> worded(3_214_000_000), worded(12_345)
    ('3.21 billion', '12,345')
    """
    for unit, word in ((_BILLION, "billion"), (_MILLION, "million")):
        if count >= unit:
            value = count / unit
            return f"{value:.3g} {word}" if value < 999.5 else f"{value:,.0f} {word}"  # noqa: PLR2004
    return f"{count:,}"
