"""The OCI's standard labels: their keys, and where they are written under others."""

import re
from urllib.parse import urlsplit

import pandas as pd

from hubframe.measure.layer_index import IMAGE
from hubframe.tables import LABELS, STANDARD_LABELS

PREFIX = "org.opencontainers.image."
# https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
# without ref.name, which belongs to a folder of images and not to an image.
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
    "description": ("org.label-schema.description", "description", "summary", "io.k8s.description"),
    "base.name": (),
    "base.digest": (),
}
OCI_LABELS = tuple(PREFIX + name for name in _OTHER_SPELLINGS)
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
# The characters left out are those that no address may hold (RFC 3986).
_ADDRESS = re.compile(r"https?://[^\s\"<>\\^`{|}]+")
# label-schema's usage is either an address, which is a documentation, or a text, which is none.
_ADDRESSES_ONLY = "org.label-schema.usage"


def standard_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """Find the standard labels of images, also where they are written under other keys.

    The standard keys are the OCI's (``org.opencontainers.image.*``); label-schema.org's and the
    common other spellings are read in their place, and the table says which was used. Labels are
    inherited: ``version`` or ``source`` may be the base image's.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.

    Returns
    -------
    pandas.DataFrame
        The table `standard_labels`: a row per image and standard key that was found. Of several
        spellings the first of the list counts, of several sources the config, then the manifest,
        the index's descriptor, the index. Blank values do not count.

    Examples
    --------
    >>> with hubframe.sample():
    ...     labels = hubframe.labels_df("acme/api")
    >>> set(hubframe.standard_labels(labels).columns) >= {"key", "value", "spelling"}
    True
    """
    LABELS.require(labels)
    # Images are numbered in the order of the labels.
    found = labels.assign(place=labels.groupby(IMAGE, sort=False, dropna=False).ngroup())
    found = found[found.value.str.strip() != ""].rename(columns={"key": "spelling"})
    is_text = (found.spelling == _ADDRESSES_ONLY) & ~found.value.str.match("https?://")
    found = found[~is_text].merge(_SPELLINGS, on="spelling")
    found["source_rank"] = found.source.map({name: rank for rank, name in enumerate(_SOURCES)})
    found["key_rank"] = found.standard.map({name: rank for rank, name in enumerate(OCI_LABELS)})
    found = found.sort_values(["place", "key_rank", "spelling_rank", "source_rank"], kind="stable")
    found = found.drop_duplicates(["place", "standard"]).rename(columns={"standard": "key"})
    return STANDARD_LABELS.of(found.reset_index(drop=True))


def source_links(labels: pd.DataFrame) -> pd.DataFrame:
    """Find the address of each repository's source code.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per repository whose images say it: ``repo`` and ``source``, of the values of
        ``org.opencontainers.image.source`` that are addresses the one that most rows have, else the
        first.
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
