"""The tables that studies of Docker Hub published, computed from frames."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from hubframe.measure.figures import MAKE_UP, SHARING, Figure
from hubframe.measure.layer_index import NEEDED, LayerIndex, distinct, first_of
from hubframe.measure.similarity import image_sizes, sequences
from hubframe.tables import IMAGES, LAYERS, REPOS
from hubframe.tables.measured import FIGURES

_DEEP = 9
_TWICE, _OFTEN = 2, 25
_MB = 10**6

Values = dict[str, float | None]


def sharing(layers: pd.DataFrame) -> pd.DataFrame:
    """Measure how far images share layers, with the figures of studies beside.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame, best of one platform: platforms share next to nothing, so all of
        them together lower the ratios.

    Returns
    -------
    pandas.DataFrame
        The table `figures`, with the same rows whatever is given; null where there is nothing to
        measure. `summary` has these and the other figures of the studies.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     layers = hubframe.layers_df(["library/debian", "library/nginx"])
    >>> figures = hubframe.sharing(layers).set_index("metric")["value"]
    >>> bool(figures["layer_sharing_ratio"] > 1)
    True
    """
    return _table(SHARING, _sharing(LayerIndex.of(layers)))


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
        The table `figures`, with the same rows whatever is given, those of `sharing` among them;
        null where no frame tells. Quantiles are interpolated, as pandas does.
    """
    LAYERS.require(layers, NEEDED)
    if images is not None:
        IMAGES.require(images, ("repo", "tag", "image_digest", "index_digest", "is_attestation"))
        attested = images.loc[images["is_attestation"], "image_digest"].dropna()
        images = images[~images["is_attestation"]]
        layers = layers[~layers["image_digest"].isin(attested)]
    if repos is not None:
        REPOS.require(repos, ("repo", "pull_count"))
    index = LayerIndex.of(layers)
    named = [frame["repo"] for frame in (layers, images, repos) if frame is not None]
    tagged = layers if images is None else images
    values = {
        "repo_count": pd.concat(named).nunique(),
        "tag_count": len(tagged[["repo", "tag"]].dropna().drop_duplicates()),
        "alias_ratio": None if images is None else _alias_ratio(images),
        **_sizes(index),
        **_popularity(repos),
    }
    return _table((*MAKE_UP, *SHARING), values | _sharing(index))


def _table(figures: Iterable[Figure], values: Values) -> pd.DataFrame:
    rows = [{**vars(figure), "value": values[figure.metric]} for figure in figures]
    return FIGURES.from_records(rows)


def _sharing(index: LayerIndex) -> Values:
    references = index.holder_counts(index.image)
    # An image under several names has one sequence, so pairs are distinct images.
    alike = pd.DataFrame({"as": sequences(index), "image": index.image}).drop_duplicates()["as"]
    alike = alike.groupby(alike).transform("size")
    layer, image = index.holders(index.image)
    size = index.sizes.astype("float64")
    is_full = ~index.is_empty
    referenced, stored = size[layer].sum(), size.sum()
    with_empty = distinct(image[index.is_empty[layer]])[0]
    return {
        "referenced_size": referenced,
        "stored_size": stored,
        "layer_sharing_ratio": _ratio(referenced, stored),
        "layer_sharing_ratio_without_empty": _ratio(
            size[layer][is_full[layer]].sum(), size[is_full].sum()
        ),
        "shared_size_share": _ratio(size[layer][references[layer] > 1].sum(), referenced),
        "single_reference_share": _share(references == 1),
        "double_reference_share": _share(references == _TWICE),
        "over_25_references_share": _share(references > _OFTEN),
        **_spread("references", references[is_full]),
        "empty_layer_image_share": _ratio(len(with_empty), len(alike)),
        "duplicate_image_share": _share(alike > 1),
    }


def _sizes(index: LayerIndex) -> Values:
    layer, image = index.holders(index.image)
    first = first_of(index.image)
    sized = index.sizes[index.is_sized]
    # Each image counts under its first name.
    name, position, held = index.rows_in_place()
    counts = np.isin(name, first)
    size = index.sizes[held[counts]].astype("float64")
    return {
        "image_count": len(first),
        "layer_count": len(index.digests),
        **_spread("image_size", image_sizes(index)),
        **_spread("layers_per_image", index.by_name[2][first]),
        **_spread("distinct_layers_per_image", np.bincount(image)),
        **_spread("layer_size", sized),
        **_spread("referenced_layer_size", index.sizes[layer[index.is_sized[layer]]]),
        "layers_below_1_mb_share": _share(sized < _MB),
        "layers_below_10_mb_share": _share(sized < 10 * _MB),
        "deep_size_share": _ratio(size[position[counts] + 1 >= _DEEP].sum(), size.sum()),
    }


def _alias_ratio(images: pd.DataFrame) -> float | None:
    """Share of tags that only repeat a digest; a tag is its index, else its one image."""
    digest = images["index_digest"].fillna(images["image_digest"])
    tags = images[["repo", "tag"]].assign(digest=digest).dropna()
    tags = tags.sort_values("digest").drop_duplicates(["repo", "tag"])
    return 1 - tags["digest"].nunique() / len(tags) if len(tags) else None


def _popularity(repos: pd.DataFrame | None) -> Values:
    counted = REPOS.frame() if repos is None else repos.drop_duplicates("repo")
    pulls = np.sort(counted["pull_count"].dropna().to_numpy("float64"))[::-1]
    count, total, drawn = len(pulls), float(pulls.sum()), pulls[pulls > 0]
    rank = np.arange(1, count + 1)
    gini = slope = None
    if total:
        gini = 2 * float((rank * pulls[::-1]).sum()) / (count * total) - (count + 1) / count
    if len(drawn) >= _TWICE:
        slope = float(np.polyfit(np.log(rank[: len(drawn)]), np.log(drawn), 1)[0])
    return {
        **_spread("pull_count", pulls),
        "pull_top_1_percent_share": _ratio(pulls[: -(-count // 100)].sum(), total),
        "pull_gini": gini,
        "pull_rank_slope": slope,
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _share(flags: Any) -> float:
    """Divide the set flags by all; not a number, which no table holds, where there are none."""
    return float(pd.Series(flags).mean())


def _spread(name: str, values: Any) -> Values:
    """Return the median, the ninth decile and the maximum, which are null where there are none."""
    numbers: Any = pd.Series(values, dtype="float64")
    return {
        f"{name}_p50": numbers.quantile(0.5),
        f"{name}_p90": numbers.quantile(0.9),
        f"{name}_max": numbers.max(),
    }
