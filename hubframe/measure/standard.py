"""Labels under their standard keys, whatever their authors called them."""

import pandas as pd

from hubframe.measure.coverage import PREFIX
from hubframe.tables import LABELS, STANDARD_LABELS

# The standard key comes first, then label-schema.org's, then what people and vendors write.
_OTHER_SPELLINGS = {
    "created": ("org.label-schema.build-date", "build-date"),
    "authors": ("maintainer",),
    "url": ("org.label-schema.url", "url"),
    "documentation": ("org.label-schema.usage",),
    "source": ("org.label-schema.vcs-url", "vcs-url"),
    "version": ("org.label-schema.version", "version"),
    "revision": ("org.label-schema.vcs-ref", "vcs-ref"),
    "vendor": ("org.label-schema.vendor", "vendor"),
    "licenses": ("org.label-schema.license", "license", "com.redhat.license_terms"),
    "title": ("org.label-schema.name", "name"),
    "description": (
        "org.label-schema.description",
        "description",
        "summary",
        "io.k8s.description",
    ),
    "base.name": (),
    "base.digest": (),
}
_SPELLINGS = pd.DataFrame(
    [
        (PREFIX + name, spelling, rank)
        for name, others in _OTHER_SPELLINGS.items()
        for rank, spelling in enumerate((PREFIX + name, *others))
    ],
    columns=["standard", "spelling", "spelling_rank"],
)
# The image's own word before its manifest's, before what an index says of it.
_SOURCES = ("config", "manifest", "descriptor", "index", "history")
# label-schema's usage is either an address, which is a documentation, or a text, which is none.
_ADDRESSES_ONLY = "org.label-schema.usage"


def standard_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """Find the standard labels of images, also where they are written under other keys.

    The standard keys are the OCI's (``org.opencontainers.image.*``); label-schema.org's and the
    common other spellings are read in their place, and the table says which was used. Labels
    are inherited: ``version`` or ``source`` may be the base image's.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.

    Returns
    -------
    pandas.DataFrame
        The table `standard_labels`: a row per image and standard key that was found, its value,
        and the ``spelling`` and ``source`` that it was read from. Of several spellings the first
        of the list counts, of several sources the config, then the manifest, the index's
        descriptor, the index. Blank values do not count.

    Raises
    ------
    TypeError, ValueError
        `labels` is no frame, or lacks a column, which the message names.

    Examples
    --------
    >>> with hubframe.sample():
    ...     labels = hubframe.labels_df("acme/api")
    >>> set(hubframe.standard_labels(labels).columns) >= {"key", "value", "spelling"}
    True
    """
    LABELS.require(labels)
    found = labels[labels.value.str.strip() != ""].rename(columns={"key": "spelling"})
    is_text = (found.spelling == _ADDRESSES_ONLY) & ~found.value.str.match("https?://")
    found = found[~is_text].merge(_SPELLINGS, on="spelling")
    found["source_rank"] = found.source.map({name: rank for rank, name in enumerate(_SOURCES)})
    found["place"] = _place_of_image(labels, found)
    found["key_rank"] = found.standard.map(
        {name: rank for rank, name in enumerate(_SPELLINGS.standard.unique())}
    )
    found = found.sort_values(["place", "key_rank", "spelling_rank", "source_rank"], kind="stable")
    found = found.drop_duplicates(["place", "standard"]).rename(columns={"standard": "key"})
    return found[list(STANDARD_LABELS.dtypes)].astype(STANDARD_LABELS.dtypes).reset_index(drop=True)


_IMAGE = ["repo", "tag", "platform", "image_digest"]


def _place_of_image(labels: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Number the images in the order of the labels: nulls count as equal."""
    images = labels[_IMAGE].drop_duplicates().reset_index(drop=True)
    images["place"] = images.index
    return found[_IMAGE].merge(images, on=_IMAGE, how="left").place.set_axis(found.index)
