"""What a panel's frame says, in a sentence or two: the answer before its picture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

import hubframe
from hubframe.apps.explorer import views
from hubframe.errors import harmless
from hubframe.grid.cells import cell, short
from hubframe.plots import wording

if TYPE_CHECKING:
    from hubframe.apps.explorer.model import Row
    from hubframe.apps.explorer.panels import Result

# Of more repositories, or pairs of images, than that nobody reads sentences.
_MOST = 5
_LONGEST = 120
_RELEASE = ["repo", "line", "platform", "release"]


def of_tags(tags: pd.DataFrame) -> list[str]:
    """Say of each repository how much there is, when it moved last, and what ``latest`` is."""
    lags = hubframe.latest_lag_df(tags)
    return [
        f"{harmless(repo)}: {'; '.join(_of_repository(tags[tags['repo'] == repo], lags))}."
        for repo in tags["repo"].unique()[:_MOST]
    ]


def _of_repository(tags: pd.DataFrame, lags: pd.DataFrame) -> Iterator[str]:
    count = wording.counted(len(tags), "tag")
    is_known = tags["digest"].notna().all()
    yield f"{count} of {wording.counted(tags['digest'].nunique(), 'image')}" if is_known else count
    sizes = tags["size"].dropna()
    if len(sizes):
        least, most = wording.size(sizes.min()), wording.size(sizes.max())
        yield least if least == most else f"{least} to {most}"
    pushed = tags["pushed_at"].max()
    if pd.notna(pushed):
        yield f"last pushed {cell('pushed_at', pushed, pd.Timestamp.now('UTC')).text}"
    known = lags[(lags["repo"] == tags["repo"].iloc[0]) & lags["latest_version"].notna()]
    for lag in known.itertuples():
        yield f"latest is {harmless(str(lag.latest_version))}, {_behind(lag)}"


def _behind(lag: Any) -> str:
    if pd.isna(lag.is_highest):
        return "which no name compares with the others"
    if lag.is_highest:
        return "the highest version"
    if not lag.versions_behind:
        return f"an older build than {harmless(lag.highest_tag)}"
    behind = wording.counted(int(lag.versions_behind), "version")
    return f"{behind} behind {harmless(lag.highest_version)}"


def of_trend(trend: pd.DataFrame) -> list[str]:
    """Say which release grew most, and by which step."""
    releases = trend.drop_duplicates(_RELEASE)
    most = _grew_most(trend)
    if most.empty:
        return ["No release is larger than the one before."] if len(releases) > 1 else []
    release = most.iloc[0]
    words = f"{harmless(release.tag)} grew most: by {wording.size(release.total_change)}"
    words += f" over {harmless(release.previous_tag)}"
    steps = trend.merge(most[_RELEASE]).dropna(subset="change")
    if steps.empty:
        return [f"{words}."]
    if gone := -steps["change"].clip(upper=0).sum():
        came = wording.size(release.total_change + gone)
        words += f" ({came} more in some steps, {wording.size(gone)} less in others)"
    step = steps.nlargest(1, "change").iloc[0]
    added = f"The step that added most, {wording.size(step.change)}:"
    sentences = [f"{words}.", f"{added} {_short(step.instruction)}"]
    if step.matched_by == "place":
        sentences.append(f"It is taken for what was: {_short(step.previous_instruction)}")
    return sentences


def _grew_most(trend: pd.DataFrame) -> pd.DataFrame:
    """Return a row of the release that grew most; none where none did."""
    releases = trend.drop_duplicates(_RELEASE)
    grown = releases[releases["total_change"].gt(0).fillna(value=False)]
    return grown.nlargest(1, "total_change")


def line_of(trend: pd.DataFrame) -> pd.DataFrame:
    """Return the line of releases that `of_trend` speaks of; all where it speaks of none."""
    most = _grew_most(trend)
    return trend if most.empty else trend.merge(most[_RELEASE[:-1]])


def _short(instruction: str | None) -> str:
    return "a step that is not told" if pd.isna(instruction) else short(str(instruction), _LONGEST)


def of_shared(shared: pd.DataFrame) -> list[str]:
    """Say what sharing saves."""
    count = int((shared["image_count"] > 1).sum())
    if not count:
        return ["No layer is in more than one image."] if len(shared) else []
    held = wording.size((shared["size"] * shared["image_count"]).sum())
    saved = wording.size(shared["saved_size"].sum())
    return [f"Sharing {wording.counted(count, 'layer')} saves {saved} of {held}."]


def of_image(result: "Result") -> list[str]:
    """Say of one image how large it is, what else it is called, and which step weighs most."""
    layers, tags = result.frame, result.state.tags
    if layers.empty:
        return []
    first = layers.iloc[0]
    one = tags[(tags["repo"] == first.repo) & (tags["tag"] == first.tag)].head(1)
    said = [f"{'; '.join(_of_image(layers, one))}.", *_weight(result)]
    files = result.fetched.get("files")
    return said if files is None else [*said, *_waste(files)]


def _waste(files: pd.DataFrame) -> Iterator[str]:
    """Say how much of an image's files a later layer writes again or removes."""
    wasted = hubframe.wasted_df(files)
    image: Any
    for image in hubframe.efficiency(files).head(1).itertuples():
        if not image.surplus_size:
            yield "Its files: no layer writes again or removes what one below it has."
            continue
        size, whole = wording.size(image.surplus_size), wording.size(image.size)
        most: Any = next(wasted.itertuples())
        yield (
            f"Its files: {size} of {whole} unpacked are written again or removed by a later layer, "
            f"most of it {short(str(most.path), _LONGEST)} ({wording.size(most.surplus_size)})."
        )


def _of_image(layers: pd.DataFrame, tags: pd.DataFrame) -> Iterator[str]:
    size = wording.size(layers["size"].sum(min_count=len(layers)))
    yield f"{size} in {wording.counted(len(layers), 'layer')}"
    tag: Any
    for tag in tags.itertuples():
        for kind in ("pushed", "created"):
            moment = getattr(tag, f"{kind}_at", None)
            if pd.notna(moment):
                yield f"{kind} {cell(kind, moment, pd.Timestamp.now('UTC')).text}"
        if pd.notna(tag.platform_count) and tag.platform_count > 1:
            yield f"for {wording.counted(int(tag.platform_count), 'platform')}"
        if pd.notna(tag.aliases):
            yield f"the same image as {harmless(', '.join(tag.aliases.split()))}"


def _weight(result: "Result") -> Iterator[str]:
    layers, others = result.frame, result.fetched.get("others")
    total = layers["size"].sum()
    if total:
        largest = layers.nlargest(1, "size").iloc[0]
        share = wording.percent(largest["size"] / total)
        yield (
            f"The largest step, {wording.size(largest['size'])} ({share}): "
            f"{_short(largest.instruction)}"
        )
    if others is not None and total:
        digest = layers["image_digest"].iloc[0]
        beside = others[others["image_digest"] != digest]
        held = layers["layer_digest"].isin(beside["layer_digest"])
        count = wording.counted(beside["image_digest"].nunique(), "other {image}")
        if beside.empty:
            return
        shared = wording.size(layers.loc[held, "size"].sum())
        yield f"{shared} of it is in one or more of the {count} in the list too."


def of_compared(result: "Result") -> list[str]:
    """Say by how much images differ, and which step made most of it."""
    said = of_comparison(result.frame)
    table = views.named_differences(result)
    steps = table[table["part"] == "layers"].dropna(subset="size_change")
    if steps.empty or "from_to" in table:
        return said
    most = steps.sort_values("size_change", key=abs).iloc[-1]
    return [
        *said,
        f"The step that changed most, {wording.more(most.size_change)}: {_short(most.what)}",
    ]


def of_inside(result: "Result") -> list[str]:
    """Say of each image what is inside it, what it is built on, and by whom it was made."""
    named = result.state.inside
    images = [f"{_image(row)}: {'; '.join(_of_inside(result, row))}." for row in named[::-1]]
    read = views.read_inside(result)
    if len(read) <= 1:
        return images[:_MOST]
    counts = views.packages_inside(result)["change"].value_counts()
    said = [f"{wording.counted(count, 'package')} {change}" for change, count in counts.items()]
    words = ", ".join(said) or "the same packages"
    return [f"From {_image(read[0])} to {_image(read[-1])}: {words}.", *images[:_MOST]]


def _image(row: "Row") -> str:
    return harmless(":".join(row))


def _of_inside(result: "Result", row: "Row") -> Iterator[str]:
    def own(name: str) -> pd.DataFrame:
        frame = result.fetched[name]
        return frame[(frame["repo"] == row[0]) & (frame["tag"] == row[1])]

    if row not in views.read_inside(result):
        yield "its layers could not be read"
    else:
        told = own("distributions").iloc[0]
        names = told[["name", "id"]].dropna()
        yield harmless(str(names.iloc[0])) if len(names) else "no distribution is told"
        yield from _end(own("distributions"))
        types = own("packages")["type"].value_counts()
        by_type = ", ".join(f"{count:,} {harmless(str(kind))}" for kind, count in types.items())
        count = wording.counted(int(types.sum()), "package")
        unknown = [*_unknown(result.fetched["packages"], row)]
        if by_type or not unknown:
            yield f"{count} ({by_type})" if by_type else "no database of packages"
        yield from unknown
    yield _base(own("bases"))
    yield _made(own("provenance"))
    yield _signed(own("signatures"))


def _unknown(packages: pd.DataFrame, row: "Row") -> Iterator[str]:
    """Say which packages of an image are not told."""
    for one in (packages.attrs.get("hubframe") or {}).get("unknown", ()):
        if one["ref"].startswith(f"{':'.join(row)} "):
            yield harmless(one["message"])


def _end(distributions: pd.DataFrame) -> Iterator[str]:
    """Say until when the distribution of an image is supported, where that is known."""
    for end in hubframe.eol_df(distributions).dropna(subset="eol_at").head(1).itertuples():
        yield f"its end of life {'was' if end.is_eol else 'is'} on {end.eol_at:%Y-%m-%d}"


def _base(bases: pd.DataFrame) -> str:
    """Say what an image is built on, by the best evidence, and whether that is outdated."""
    if bases.empty:
        return "no base is told"
    rank = bases["confidence"].map({"proved": 0, "likely": 1, "told": 2, "told but wrong": 3})
    base: Any = bases.iloc[int(rank.to_numpy("float64").argmin())]
    name = ":".join(part for part in (base.base_repo, base.base_tag) if pd.notna(part))
    words = f"built on {harmless(name) or 'a base without a name'} ({base.confidence})"
    if pd.isna(base.is_outdated):
        return words
    if not base.is_outdated:
        return f"{words}, which is current"
    late = "" if pd.isna(base.lag_days) else f", by {base.lag_days:,.0f} days"
    return f"{words}, whose tag has a newer image now{late}"


def _made(provenance: pd.DataFrame) -> str:
    if provenance.empty:
        return "nothing is attached on who built it"
    made: Any = provenance.iloc[0]
    builder = "somebody" if pd.isna(made.builder_id) else short(str(made.builder_id), _LONGEST)
    of = f" of {short(str(made.source_uri), _LONGEST)}" if pd.notna(made.source_uri) else ""
    other = "" if made.subject_matches is not False else ", for another image"
    return f"built by {harmless(builder)}{harmless(of)}{other} (not checked)"


def _signed(signatures: pd.DataFrame) -> str:
    if signatures.empty:
        return "no signature is attached"
    who = signatures["identity"].fillna(signatures["key_id"]).dropna().unique()[:_MOST]
    by = f" by {', '.join(short(str(one), _LONGEST) for one in who)}" if len(who) else ""
    states = ", ".join(dict.fromkeys(signatures["status"]))
    count = wording.counted(len(signatures), "signature")
    return f"{count}{harmless(by)} ({harmless(states)})"


def of_comparison(compared: pd.DataFrame) -> list[str]:
    """Say of each pair of images by how much they differ, and in what."""
    if compared.empty:
        return ["Nothing differs: they are one image."]
    pairs = list(compared.groupby(["left_name", "right_name"], sort=False))[:_MOST]
    return [
        f"From {harmless(str(left))} to {harmless(str(right))}: {_difference(rows)}."
        for (left, right), rows in pairs
    ]


def _difference(rows: pd.DataFrame) -> str:
    is_size = rows["aspect"] == "size"
    change = int(rows.loc[is_size, "size_change"].sum())
    way = "larger" if change > 0 else "smaller"
    size = f"{wording.size(abs(change))} {way}" if change else "as large"
    others = rows.loc[~is_size, "aspect"].value_counts(sort=False)
    counts = [f"{count:,} in {aspect}" for aspect, count in others.items()]
    return f"{size}; differences: {', '.join(counts)}" if counts else size
