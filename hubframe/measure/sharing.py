"""Which images hold a layer, and how much of an image others hold too.

Images are told apart by `hubframe.measure.identity`: tags of the same image are one image, so
they share nothing with each other.
"""

import pandas as pd

from hubframe.measure.images import identity

IMAGE = ["repo", "tag", "platform", "image_digest"]


def layer_use(layers: pd.DataFrame) -> pd.DataFrame:
    """Count the images and repositories that hold each layer.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per layer, most images first, then largest first.

        - ``layer_digest``, ``size``, ``instruction``, ``is_empty``: as in `layers`; of differing
          instructions the first.
        - ``image_count``, ``repo_count``: distinct images and repositories that hold it.
        - ``saved_size``: bytes that sharing saves, ``size * (image_count - 1)``.
    """
    use = (
        layers.assign(image=identity(layers))
        .groupby("layer_digest", sort=False)
        .agg(
            size=("size", "max"),
            instruction=("instruction", "first"),
            is_empty=("is_empty", "any"),
            image_count=("image", "nunique"),
            repo_count=("repo", "nunique"),
        )
        .astype({"image_count": "Int64", "repo_count": "Int64", "is_empty": "boolean"})
        .reset_index()
    )
    use["saved_size"] = use["size"] * (use["image_count"] - 1)
    return use.sort_values(
        ["image_count", "size"], ascending=False, kind="stable", ignore_index=True
    )


def image_sharing(layers: pd.DataFrame) -> pd.DataFrame:
    """Split the size of each image into what other images hold too and what it alone holds.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame; only images in it count as others.

    Returns
    -------
    pandas.DataFrame
        A row per tag and platform, in the order of `layers`.

        - ``repo``, ``tag``, ``platform``, ``image_digest``: as in `layers`.
        - ``size``: compressed bytes of all its layers, repeated ones counted.
        - ``shared_size``: bytes of its layers that another image holds too.
        - ``exclusive_size``: the rest.
        - ``shared_share``: ``shared_size / size``; null where the size is 0.
    """
    size = layers["size"].fillna(0)
    split = (
        layers[IMAGE]
        .assign(size=size, shared_size=size.where(is_shared(layers), 0))
        .groupby(IMAGE, sort=False, dropna=False)[["size", "shared_size"]]
        .sum()
        .reset_index()
    )
    split["exclusive_size"] = split["size"] - split["shared_size"]
    split["shared_share"] = split["shared_size"] / split["size"].mask(split["size"] == 0)
    return split


def is_shared(layers: pd.DataFrame) -> pd.Series:
    """Tell, for each row of the layers, whether two or more images hold its layer."""
    return identity(layers).groupby(layers["layer_digest"]).transform("nunique") > 1


def shared_with(layers: pd.DataFrame, image: str) -> pd.DataFrame:
    """List the other images that hold layers of an image, those with most bytes first.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame.
    image
        The image, as `hubframe.measure.identity` names it.

    Returns
    -------
    pandas.DataFrame
        A row per tag and platform of another image: ``repo``, ``tag``, ``platform``,
        ``image_digest`` and ``shared_size``, the bytes of the distinct layers that both hold.
    """
    names = identity(layers)
    own = layers.loc[names == image, "layer_digest"]
    common = layers[(names != image) & layers["layer_digest"].isin(own)]
    return (
        common.drop_duplicates([*IMAGE, "layer_digest"])
        .groupby(IMAGE, sort=False, dropna=False)["size"]
        .sum()
        .rename("shared_size")
        .reset_index()
        .sort_values("shared_size", ascending=False, kind="stable", ignore_index=True)
    )


def largest(images: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Order images by size, each once, with what they share.

    Parameters
    ----------
    images
        The `tables.IMAGES` frame; attestations are left out. Where it is empty, the images of
        `layers` take its place.
    layers
        The `tables.LAYERS` frame.

    Returns
    -------
    pandas.DataFrame
        A row per distinct image under the first of its tags, largest first: ``repo``, ``tag``,
        ``platform``, ``image_digest``, ``size``, and ``shared_size`` and ``shared_share`` as in
        `image_sharing`, null where the image's layers are not in `layers`.
    """
    sharing = _each_once(image_sharing(layers))
    if images.empty:
        listed = sharing
    else:
        split = sharing[["image", "shared_size", "shared_share"]]
        listed = _each_once(images[~images["is_attestation"]]).merge(split, how="left", on="image")
    columns = [*IMAGE, "size", "shared_size", "shared_share"]
    return listed[columns].sort_values(
        "size", ascending=False, kind="stable", na_position="last", ignore_index=True
    )


def _each_once(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(image=identity(frame)).drop_duplicates("image")
