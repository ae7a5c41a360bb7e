"""What differs between images, fetched and compared."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from hubframe.frames import images as frames
from hubframe.frames.packages import packages_df
from hubframe.frames.selection import USUAL_PLATFORM, references
from hubframe.measure.comparison import FRAMES, Frames, compare_frames
from hubframe.oci.reference import ImageReference
from hubframe.tables.schema import joined_attrs
from hubframe.wire.client import Client


def compare_df(
    images: Iterable[str | ImageReference | Frames] | pd.DataFrame,
    *,
    platform: str = USUAL_PLATFORM,
    packages: bool = False,
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List what differs between images: layers, history, config, environment, labels, size.

    Each image is compared with the next. On Docker Hub this costs one pull for each distinct image
    that is not in the cache yet; frames that are given cost nothing.

    Parameters
    ----------
    images
        Two references or more (without a tag ``latest``), a frame with columns ``repo`` and
        ``tag``, or for each image its frames by name, as `hubframe.measure.compare_frames` takes
        them; references and frames may be mixed.
    platform
        Which image of a tag is compared.
    packages
        Whether their packages are compared, too: this downloads layers, as `packages_df` does.
    progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `comparison`, one row per difference, none for an image compared with itself.

    Raises
    ------
    TypeError, ValueError
        There are fewer than two images, or something is neither a reference nor frames.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     found = hubframe.compare_df(["library/python:3.14.0", "library/python:3.14.3"])
    >>> found[found["aspect"] == "env"][["key", "left", "right"]].to_numpy().tolist()
    [['PYTHON_VERSION', '3.14.0', '3.14.3']]
    """
    if not isinstance(platform, str) or platform == "all":
        raise ValueError(f"platform must be one, such as linux/amd64, not {platform!r}")
    if isinstance(images, pd.DataFrame):
        images = references(images)
    if not isinstance(images, Iterable) or isinstance(images, str | bytes | Mapping):
        raise TypeError(
            f"expected a list of two references or more, or of frames by name, "
            f"not {type(images).__name__}"
        )
    how = {"platform": platform, "progress": progress, "client": client}
    # All are understood before one is fetched; an image may be named twice.
    asked = [one if isinstance(one, Mapping) else references([one])[0] for one in images]
    read = [
        one if isinstance(one, Mapping) else _fetched(one, how, packages=packages) for one in asked
    ]
    compared = compare_frames(read)
    told = joined_attrs(frame for one in read for frame in one.values())
    compared.attrs["hubframe"] = {"table": "comparison", **told}
    return compared


def _fetched(
    reference: ImageReference, how: Mapping[str, Any], *, packages: bool
) -> dict[str, pd.DataFrame]:
    """Fetch an image's frames: from its manifest and its config, and packages from its layers."""
    if not reference.tag and not reference.digest:
        reference = reference.at(tag=reference.target)
    found = {
        name: getattr(frames, f"{name}_df")(reference, source="registry", **how) for name in FRAMES
    }
    if packages:
        # Of one kind of evidence, so that what differs is in the images.
        found["packages"] = packages_df(reference, evidence="layers", **how)
    return found
