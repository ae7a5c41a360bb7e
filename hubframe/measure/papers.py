"""The tables that studies of Docker Hub published, reckoned anew from frames."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from hubframe.measure.figures import MAKE_UP, SHARING, Figure
from hubframe.measure.holdings import NEEDED, Holdings, distinct, first_of
from hubframe.measure.likeness import image_sizes, sequences
from hubframe.tables import IMAGES, LAYERS, REPOS
from hubframe.tables.measured import FIGURES

Reals = npt.NDArray[np.float64]

_DEEP = 9
_MB = 10**6

Values = dict[str, float | None]


def sharing(layers: pd.DataFrame) -> pd.DataFrame:
    """Measure how far images share layers, with the figures of studies beside.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame, best of one platform: platforms share next to nothing, so all of
        them together water the ratios down.

    Returns
    -------
    pandas.DataFrame
        The table `figures`, always with the same rows: ``metric``, its ``value`` in `layers` (null
        where there is nothing to measure), its ``unit`` and ``meaning``; and ``paper``,
        ``paper_value`` and ``paper_note``, what a study found in its own images.

    Raises
    ------
    TypeError, ValueError
        `layers` is no frame, or lacks a column, which the message names.

    See Also
    --------
    summary : These and the other figures of the studies.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     layers = hubframe.layers_df(["library/debian", "library/nginx"])
    >>> figures = hubframe.sharing(layers).set_index("metric")["value"]
    >>> bool(figures["layer_sharing_ratio"] > 1)
    True
    """
    return _table(SHARING, _sharing(Holdings.of(layers)))


def summary(
    layers: pd.DataFrame,
    images: pd.DataFrame | None = None,
    repos: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Recompute the tables of the studies of Docker Hub, with their figures beside.

    Zhao and others (CLUSTER 2019) measured all images of Docker Hub tagged ``latest``, Anwar and
    others (FAST 2018) IBM's registries, Harter and others (FAST 2016) 57 images, Ibrahim and others
    (EMSE 2020) 936. Figures of popularity compare only within a set of repositories chosen alike.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame of one platform.
    images
        The `tables.IMAGES` frame, for the tags and their aliases; attestations do not count.
    repos
        The `tables.REPOS` frame, for the pulls.

    Returns
    -------
    pandas.DataFrame
        The table `figures`, always with the same rows, those of `sharing` among them; values are
        null where no frame tells them. Quantiles are interpolated, as pandas does.

    Raises
    ------
    TypeError, ValueError
        An argument is not the frame that it should be; the message names the missing column.
    """
    LAYERS.require(layers, NEEDED)
    if images is not None:
        IMAGES.require(images, ("repo", "tag", "image_digest", "index_digest", "is_attestation"))
        attested = images.loc[images["is_attestation"], "image_digest"].dropna()
        images = images[~images["is_attestation"]]
        layers = layers[~layers["image_digest"].isin(attested)]
    if repos is not None:
        REPOS.require(repos, ("repo", "pull_count"))
    held = Holdings.of(layers)
    named = [frame["repo"] for frame in (layers, images, repos) if frame is not None]
    tagged = layers if images is None else images
    values = {
        "repo_count": float(pd.concat(named).nunique()),
        "tag_count": float(len(tagged[["repo", "tag"]].dropna().drop_duplicates())),
        "alias_ratio": None if images is None else _alias_ratio(images),
        **_sizes(held),
        **_popularity(repos),
    }
    return _table((*MAKE_UP, *SHARING), values | _sharing(held))


def _table(figures: Iterable[Figure], values: Values) -> pd.DataFrame:
    rows = [{**vars(figure), "value": values[figure.metric]} for figure in figures]
    return FIGURES.from_records(rows)


def _sharing(held: Holdings) -> Values:
    references = held.holder_counts(held.image)
    sequence = sequences(held)
    # An image under several names has one sequence, so pairs are distinct images.
    width = int(held.image.max(initial=0)) + 1
    of_image = distinct(sequence * width + held.image)[0] // width
    alike = np.bincount(of_image)[of_image] if len(of_image) else of_image
    layer, image = held.holders(held.image)
    size = held.sizes.astype("float64")
    is_full = ~held.is_empty
    referenced, stored = float(size[layer].sum()), float(size.sum())
    full = float(size[layer][is_full[layer]].sum())
    with_empty = distinct(image[held.is_empty[layer]])[0]
    return {
        "referenced_size": referenced,
        "stored_size": stored,
        "layer_sharing_ratio": _ratio(referenced, stored),
        "layer_sharing_ratio_without_empty": _ratio(full, float(size[is_full].sum())),
        "shared_size_share": _ratio(float(size[layer][references[layer] > 1].sum()), referenced),
        "single_reference_share": _share(references == 1),
        "double_reference_share": _share(references == 2),  # noqa: PLR2004
        "over_25_references_share": _share(references > 25),  # noqa: PLR2004
        "references_max": _largest(references[is_full]),
        "empty_layer_image_share": _ratio(float(len(with_empty)), float(len(of_image))),
        "duplicate_image_share": _share(alike > 1),
    }


def _sizes(held: Holdings) -> Values:
    layer, image = held.holders(held.image)
    first = first_of(held.image)
    counts = held.layer_counts()[first]
    image_size = image_sizes(held)
    sized = held.sizes[held.is_sized]
    referenced = held.sizes[layer[held.is_sized[layer]]]
    return {
        "image_count": float(len(image_size)),
        "layer_count": float(len(held.digests)),
        "image_size_p50": _quantile(image_size, 0.5),
        "image_size_p90": _quantile(image_size, 0.9),
        "image_size_max": _largest(image_size),
        "layers_per_image_p50": _quantile(counts, 0.5),
        "layers_per_image_p90": _quantile(counts, 0.9),
        "layers_per_image_max": _largest(counts),
        "distinct_layers_per_image_p50": _quantile(np.bincount(image), 0.5),
        "layer_size_p50": _quantile(sized, 0.5),
        "layer_size_p90": _quantile(sized, 0.9),
        "referenced_layer_size_p50": _quantile(referenced, 0.5),
        "referenced_layer_size_p90": _quantile(referenced, 0.9),
        "layers_below_1_mb_share": _share(sized < _MB),
        "layers_below_10_mb_share": _share(sized < 10 * _MB),
        "deep_size_share": _deep_share(held),
    }


def _deep_share(held: Holdings) -> float | None:
    """Share of bytes in the ninth layer and above, each image counted under its first name."""
    name, position, layer = held.rows_in_place()
    first = first_of(held.image)
    counts = np.isin(name, first)
    size = held.sizes[layer[counts]].astype("float64")
    return _ratio(float(size[position[counts] + 1 >= _DEEP].sum()), float(size.sum()))


def _alias_ratio(images: pd.DataFrame) -> float | None:
    """Share of tags that only repeat a digest; a tag is its index, else its one image."""
    digest = images["index_digest"].fillna(images["image_digest"])
    tags = images[["repo", "tag"]].assign(digest=digest).dropna()
    tags = tags.sort_values("digest").drop_duplicates(["repo", "tag"])
    return 1 - tags["digest"].nunique() / len(tags) if len(tags) else None


def _popularity(repos: pd.DataFrame | None) -> Values:
    counted = REPOS.frame() if repos is None else repos.drop_duplicates("repo")
    pulls = np.sort(counted["pull_count"].dropna().to_numpy("float64"))[::-1]
    total = float(pulls.sum())
    first = pulls[: -(-len(pulls) // 100)]
    return {
        "pull_count_p50": _quantile(pulls, 0.5),
        "pull_count_p90": _quantile(pulls, 0.9),
        "pull_count_max": _largest(pulls),
        "pull_top_1_percent_share": _ratio(float(first.sum()), total),
        "pull_gini": _gini(pulls[::-1]),
        "pull_rank_slope": _rank_slope(pulls[pulls > 0]),
    }


def _gini(rising: Reals) -> float | None:
    count, total = len(rising), float(rising.sum())
    if not total:
        return None
    weighted = float((np.arange(1, count + 1) * rising).sum())
    return 2 * weighted / (count * total) - (count + 1) / count


def _rank_slope(falling: Reals) -> float | None:
    if len(falling) < 2:  # noqa: PLR2004
        return None
    rank = np.log(np.arange(1, len(falling) + 1))
    steps, heights = rank - rank.mean(), np.log(falling) - np.log(falling).mean()
    return float((steps * heights).sum() / (steps**2).sum())


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _share(flags: npt.NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _quantile(values: npt.NDArray[np.int64] | Reals, share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None


def _largest(values: npt.NDArray[np.int64] | Reals) -> float | None:
    return float(values.max()) if len(values) else None
