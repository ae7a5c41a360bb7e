"""Which standard labels images carry."""

import re
from urllib.parse import urlsplit

import pandas as pd

from hubframe.measure.holdings import IMAGE
from hubframe.measure.images import identity
from hubframe.tables import IMAGES, LABELS
from hubframe.tables.measured import COVERAGE

# The characters left out are those that no address may hold (RFC 3986).
_ADDRESS = re.compile(r"https?://[^\s\"<>\\^`{|}]+")
PREFIX = "org.opencontainers.image."
# https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
# without ref.name, which belongs to a folder of images and not to an image.
OCI_LABELS = tuple(
    PREFIX + name
    for name in (
        "created",
        "authors",
        "url",
        "documentation",
        "source",
        "version",
        "revision",
        "vendor",
        "licenses",
        "title",
        "description",
        "base.name",
        "base.digest",
    )
)


def label_coverage(labels: pd.DataFrame, images: pd.DataFrame | None = None) -> pd.DataFrame:
    """Count, per repository and standard label, the images that carry it.

    An image carries a label where it has the key, from any source, with a value that is not
    blank. Tags of the same image are one image.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.
    images
        A frame with a row per image, the `tables.IMAGES` or the `tables.CONFIGS` one, so that
        images without any label count. Attestations do not count, nor do images of a platform
        that `labels` has none of, unless they are their tag's only one: labels are read for
        linux/amd64 alone unless told otherwise, while `tables.IMAGES` shows every platform.

    Returns
    -------
    pandas.DataFrame
        A row per repository and key of `OCI_LABELS`, repositories in their order.

        - ``repo``, ``key``.
        - ``labelled_count``: images that carry the label.
        - ``image_count``: images of the repository.
        - ``share``: ``labelled_count / image_count``.

    Raises
    ------
    TypeError, ValueError
        An argument is no frame, or lacks a column, which the message names.
    """
    LABELS.require(labels, (*IMAGE, "key", "value"))
    if images is not None:
        IMAGES.require(images, IMAGE)
    counted = _counted(labels, images)
    carried = labels[labels["key"].isin(OCI_LABELS) & (labels["value"].str.strip() != "")]
    pairs = carried[["repo", "key"]].assign(image=identity(carried)).drop_duplicates()
    totals = counted.groupby("repo", sort=False).size()
    every = pd.MultiIndex.from_product([totals.index, OCI_LABELS], names=["repo", "key"])
    found = pairs.groupby(["repo", "key"]).size().reindex(every, fill_value=0)
    coverage = found.rename("labelled_count").reset_index()
    coverage["image_count"] = coverage["repo"].map(totals)
    coverage = coverage.astype({"labelled_count": "Int64", "image_count": "Int64"})
    return coverage.assign(share=coverage["labelled_count"] / coverage["image_count"])


def _counted(labels: pd.DataFrame, images: pd.DataFrame | None) -> pd.DataFrame:
    """Repository and image, each pair once."""
    frames = [labels] if images is None else [comparable(images, labels), labels]
    pairs = [frame[["repo"]].assign(image=identity(frame)) for frame in frames]
    return pd.concat(pairs).drop_duplicates()


def comparable(images: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Images whose labels were asked for."""
    if "is_attestation" in images:
        images = images[~images["is_attestation"]]
    if labels.empty:
        return images
    alone = ~images.duplicated(["repo", "tag"], keep=False)
    return images[images["platform"].isin(labels["platform"]) | alone]


def key_coverage(coverage: pd.DataFrame) -> pd.DataFrame:
    """Count, per standard label, the images that carry it, in whatever repository.

    Parameters
    ----------
    coverage
        The table `coverage`, as `hubframe.coverage_df` makes it.

    Returns
    -------
    pandas.DataFrame
        A row per key of `OCI_LABELS`: ``key``; ``labelled_count``, the distinct images that carry
        it, also with a value that says nothing; ``image_count``, all distinct images; and
        ``share``, their quotient, null without images.

    Raises
    ------
    TypeError, ValueError
        `coverage` is no frame, or lacks a column, which the message names.
    """
    COVERAGE.require(coverage, (*IMAGE, "key", "state"))
    image = identity(coverage)
    carried = image[coverage["state"] != "missing"]
    counts = carried.groupby(coverage["key"]).nunique().reindex(pd.Index(OCI_LABELS, name="key"))
    summed = counts.fillna(0).astype("Int64").rename("labelled_count").reset_index()
    images = pd.Series(image.nunique(), index=summed.index, dtype="Int64")
    share = summed["labelled_count"] / images.mask(images == 0)
    return summed.assign(image_count=images, share=share)


def source_links(labels: pd.DataFrame) -> pd.DataFrame:
    """Find the address of each repository's source code.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per repository whose images say it: ``repo`` and ``source``, the value of
        ``org.opencontainers.image.source`` that most rows have (of equals the first) among those
        that are addresses with http or https.

    Raises
    ------
    TypeError, ValueError
        `labels` is no frame, or lacks a column, which the message names.
    """
    LABELS.require(labels, ("repo", "key", "value"))
    said = labels.loc[labels["key"] == PREFIX + "source", ["repo", "value"]]
    addresses = said[said["value"].map(is_address).astype(bool)]
    ranked = addresses.groupby(["repo", "value"], sort=False).size().rename("rows").reset_index()
    best = ranked.sort_values("rows", ascending=False, kind="stable").drop_duplicates("repo")
    return best.rename(columns={"value": "source"})[["repo", "source"]].reset_index(drop=True)


def is_address(value: str) -> bool:
    """Tell whether a text is an address with http or https, and nothing else.

    Parameters
    ----------
    value
        The text.
    """
    if not (_ADDRESS.fullmatch(value) and value.isprintable()):
        return False
    try:
        return bool(urlsplit(value).hostname)
    except ValueError:
        return False
