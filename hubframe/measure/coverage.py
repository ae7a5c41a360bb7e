"""What images and tags lack: standard labels, labels that say something, and platforms."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd

from hubframe.measure.images import identity
from hubframe.measure.layer_index import IMAGE
from hubframe.measure.standard import OCI_LABELS, PREFIX, is_address, standard_labels
from hubframe.oci.platforms import platform_name
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.tables import IMAGES, LABELS
from hubframe.tables.measured import COVERAGE, PLATFORM_COVERAGE

# What build scripts write where they know nothing, or forgot to put something in.
_PLACEHOLDER = re.compile(
    r"unknown|none|null|nil|n/?a|undefined|todo|tbd|changeme|noassertion|head|dirty|\(devel\)"
    r"|.*(?:\$\{|\$\(|\{\{|<no value>).*",
    re.IGNORECASE | re.DOTALL,
)
# https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/, without its list of names.
_LICENSE = r"\(*[A-Za-z0-9][A-Za-z0-9.:-]*\+?\)*"
_LICENSES = re.compile(rf"{_LICENSE}(?:\s+(?:AND|OR|WITH)\s+{_LICENSE})*")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def label_coverage(labels: pd.DataFrame, images: pd.DataFrame | None = None) -> pd.DataFrame:
    """Count, per repository and standard label, the images that carry it.

    An image, tags of it being one, carries a label where it has the key, from any source, with a
    value that is not blank.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.
    images
        The `tables.IMAGES` or `tables.CONFIGS` frame, so that images without any label count. Not
        needed with `labels` as `hubframe.labels_df` gave it, which tells them; of rows taken from
        it, or read from a file, nobody knows which images had none. Attestations do not count, nor
        do images of a platform that `labels` has none of, unless they are their tag's only one:
        labels are read for linux/amd64 alone unless told otherwise.

    Returns
    -------
    pandas.DataFrame
        A row per repository and key of `OCI_LABELS`, repositories in their order: ``repo``,
        ``key``; ``labelled_count``, the images that carry it; ``image_count``, those of the
        repository; and ``share``, their quotient. ``frame.attrs["hubframe"]["share_of"]`` is ``"all
        images"``, or ``"images with labels"`` where the others are not known.
    """
    LABELS.require(labels, (*IMAGE, "key", "value"))
    if images is not None:
        IMAGES.require(images, IMAGE)
    counted, share_of = _images(labels, images)
    totals = identity(counted).groupby(counted["repo"], sort=False).nunique()
    rows = pd.MultiIndex.from_product([totals.index, OCI_LABELS], names=["repo", "key"])
    carried = labels[labels["key"].isin(OCI_LABELS) & (labels["value"].str.strip() != "")]
    table = _counted(carried, rows, totals.reindex(rows.get_level_values("repo")).to_numpy())
    table.attrs["hubframe"] = {"share_of": share_of}
    return table


def key_coverage(coverage: pd.DataFrame) -> pd.DataFrame:
    """Count, per standard label, the images that carry it, in whatever repository.

    Parameters
    ----------
    coverage
        The table `coverage`.

    Returns
    -------
    pandas.DataFrame
        A row per key of `OCI_LABELS`: ``key``; ``labelled_count``, the distinct images that carry
        it, also with a value that says nothing; ``image_count``, all distinct images; and
        ``share``, their quotient, null without images.
    """
    COVERAGE.require(coverage, (*IMAGE, "key", "state"))
    carried = coverage[coverage["state"] != "missing"]
    rows = pd.Index(OCI_LABELS, name="key", dtype="str")
    return _counted(carried, rows, identity(coverage).nunique())


def _counted(carried: pd.DataFrame, rows: pd.Index, image_count: Any) -> pd.DataFrame:
    """Count the images that carry a label, by what rows are named for, beside all of them."""
    by = list(rows.names)
    labelled = carried[by].assign(image=identity(carried)).groupby(by)["image"].nunique()
    counts = {"labelled_count": labelled.reindex(rows, fill_value=0), "image_count": image_count}
    table = pd.DataFrame(counts, index=rows).astype("Int64").reset_index()
    whole = table["image_count"].mask(table["image_count"] == 0)
    return table.assign(share=table["labelled_count"] / whole)


def coverage_df(labels: pd.DataFrame, images: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell which tags lack which of the OCI's labels, and which of theirs say nothing.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.
    images
        As for `hubframe.measure.label_coverage`.

    Returns
    -------
    pandas.DataFrame
        The table `coverage`: a row per image of a tag and key of `OCI_LABELS`, by repository, tag
        (newest version first), platform, and in their order; of which images, its ``attrs`` say as
        those of `hubframe.measure.label_coverage` do. A label under another spelling
        (`standard_labels`) is ``missing``. ``invalid`` is a placeholder (``unknown``,
        ``${VCS_REF}``); an ``url``, ``documentation`` or ``source`` that is no address with http or
        https; a ``created`` that is no moment of RFC 3339; a ``base.digest`` that is no digest; and
        ``licenses`` without the form of an SPDX expression; whether SPDX knows the names is not
        looked up.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     coverage = hubframe.coverage_df(hubframe.labels_df("acme/api", newest=1))
    >>> coverage["state"].isin(["present", "missing", "invalid"]).all()
    True
    """
    LABELS.require(labels)
    if images is not None:
        IMAGES.require(images, IMAGE)
    counted, share_of = _images(labels, images)
    every = _in_order(counted.drop_duplicates())
    every = every.merge(pd.DataFrame({"key": OCI_LABELS}), how="cross")
    found = standard_labels(labels.sort_values([*IMAGE, "source", "key", "value"]))
    table = every.merge(found, on=[*IMAGE, "key"], how="left")
    is_there = table["spelling"] == table["key"]
    rows = zip(table["key"], table["value"], is_there, strict=True)
    faults = [_fault(key, value) if there else None for key, value, there in rows]
    wrong = pd.Series(faults, table.index, dtype="str")
    sound = pd.Series("present", table.index).mask(wrong.notna(), "invalid")
    table["state"] = sound.mask(~is_there, "missing")
    table["reason"] = wrong.mask(~is_there, "written as " + table["spelling"])
    coverage = COVERAGE.of(table)
    coverage.attrs["hubframe"] = {"table": COVERAGE.name, "share_of": share_of}
    return coverage


def _images(labels: pd.DataFrame, images: pd.DataFrame | None) -> tuple[pd.DataFrame, str]:
    """Return the images that count, with labels or without, and say whether these are known."""
    if images is None:
        without = labels.attrs.get("hubframe", {}).get("unlabelled", {})
        if without.get("row_count") != len(labels):
            return labels[IMAGE], "images with labels"
        listed = pd.DataFrame(without["images"], columns=IMAGE).astype(labels[IMAGE].dtypes)
        return pd.concat([labels[IMAGE], listed], ignore_index=True), "all images"
    if "is_attestation" in images:
        images = images[~images["is_attestation"]]
    if not labels.empty:
        alone = ~images.duplicated(["repo", "tag"], keep=False)
        images = images[images["platform"].isin(labels["platform"]) | alone]
    return pd.concat([images[IMAGE], labels[IMAGE]]), "all images"


def _in_order(images: pd.DataFrame) -> pd.DataFrame:
    """Sort images by repository, tag and platform, the newest version first."""
    distinct = newest_first(read_all(images["tag"].dropna().unique()).values())
    place = images["tag"].map({name.tag: place for place, name in enumerate(distinct)})
    by = ["repo", "place", "platform", "image_digest"]
    ordered = images.assign(place=place).sort_values(by, na_position="last")
    return ordered.drop(columns="place").reset_index(drop=True)


def _fault(key: str, value: str) -> str | None:
    """Say what is wrong with a value; null where nothing is."""
    if _PLACEHOLDER.fullmatch(value.strip()):
        return "a placeholder"
    is_sound, fault = _RULES.get(key.removeprefix(PREFIX), (bool, None))
    return None if is_sound(value.strip()) else fault


def _is_moment(value: str) -> bool:
    try:
        return _MOMENT.fullmatch(value) is not None and bool(datetime.fromisoformat(value.upper()))
    except ValueError:
        return False


def _is_license(value: str) -> bool:
    return value.count("(") == value.count(")") and _LICENSES.fullmatch(value) is not None


_ADDRESS = (is_address, "no address with http or https")
_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    "url": _ADDRESS,
    "documentation": _ADDRESS,
    "source": _ADDRESS,
    "created": (_is_moment, "no moment as RFC 3339 writes them"),
    "licenses": (_is_license, "no SPDX expression"),
    "base.digest": (lambda value: _DIGEST.fullmatch(value) is not None, "no digest"),
}


def platform_coverage_df(images: pd.DataFrame) -> pd.DataFrame:
    """Tell which tags lack which platforms, of those that tags of their repository have.

    Parameters
    ----------
    images
        The `tables.IMAGES` frame, with every platform, as `images_df` gives it.

    Returns
    -------
    pandas.DataFrame
        The table `platform_coverage`: a row per tag and platform that it has, or could: a tag for
        Windows alone lacks no Linux, unless most of the repository's tags that are for Windows too
        have it. Attestations and artifacts without a platform do not count, nor do tags that have
        nothing else. By repository, tag (newest version first) and platform.
    """
    IMAGES.require(images, (*IMAGE, "size", "is_attestation"))
    proper = images[~images["is_attestation"].fillna(value=False) & images["platform"].notna()]
    # Frames of older versions told linux/arm64/v8 and linux/arm64 apart.
    proper = proper.assign(platform=proper["platform"].map(platform_name))
    proper = proper.dropna(subset="tag").sort_values([*IMAGE, "size"])
    held = proper.drop_duplicates(["repo", "tag", "platform"])[[*IMAGE, "size"]]
    platforms = held.groupby(["repo", "platform"]).size().rename("tag_count").reset_index()
    tags = held[["repo", "tag"]].drop_duplicates()
    key = ["repo", "tag", "platform"]
    table = tags.merge(platforms, on="repo").merge(held, on=key, how="left", indicator=True)
    table["is_present"] = table["_merge"] == "both"
    table["tag_share"] = table["tag_count"] / table.groupby("repo")["tag"].transform("nunique")
    return PLATFORM_COVERAGE.of(_in_order(table[_could_have(table, held)]))


def _could_have(table: pd.DataFrame, held: pd.DataFrame) -> pd.Series:
    """Tell of each tag and platform whether tags for the same systems have the platform.

    They do where the tag has images for its operating system, or where most of the tags that have
    one of the tag's systems have the platform.
    """
    tag, of_system, key = ["repo", "tag"], ["repo", "system"], ["repo", "tag", "platform"]
    systems = held[tag].assign(system=_system(held["platform"])).drop_duplicates()
    beside = systems.groupby(of_system).size().rename("beside").reset_index()
    having = held[key].merge(systems, on=tag).groupby([*of_system, "platform"]).size()
    usual = having.rename("having").reset_index().merge(beside, on=of_system)
    is_own = usual["system"] == _system(usual["platform"])
    usual = usual[is_own | (2 * usual["having"] > usual["beside"])]
    could = pd.MultiIndex.from_frame(systems.merge(usual, on=of_system)[key])
    return pd.Series(pd.MultiIndex.from_frame(table[key]).isin(could))


def _system(platforms: pd.Series) -> pd.Series:
    return platforms.str.extract("([^/]*)", expand=False)
