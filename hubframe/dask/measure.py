"""`hubframe.measure` on Dask DataFrames, equal to the answers for the same rows in pandas.

A layer may be shared with any other partition, so that the last step sees all of them; each
partition first lets go of the columns and the repeated rows that the answer does not need.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd

from hubframe import measure
from hubframe.dask.crawl import lazy_frame
from hubframe.measure.footprint import By
from hubframe.measure.layer_index import NEEDED
from hubframe.tables import IMAGES, LAYERS, REPOS
from hubframe.tables.measured import FIGURES, FOOTPRINT, SHARED_LAYERS
from hubframe.tables.schema import Table

_IMAGES = ["repo", "tag", "image_digest", "index_digest", "is_attestation"]
_REPOS = ["repo", "pull_count"]


def shared_layers_df(layers: Any) -> Any:
    """List each layer once, with how many images, tags and repositories hold it.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame as a Dask DataFrame.

    Returns
    -------
    dask.dataframe.DataFrame
        The table `shared_layers` in one partition; see `hubframe.shared_layers_df`.
    """
    slim = _slim(layers, LAYERS, [*NEEDED, "instruction"])
    return _joined(measure.shared_layers_df, SHARED_LAYERS, slim)


def footprint_df(layers: Any, by: By = "tag") -> Any:
    """Split bytes into what is shared with others, what is not, and what deleting would free.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame as a Dask DataFrame.
    by
        What a row is; see `hubframe.footprint_df`.

    Returns
    -------
    dask.dataframe.DataFrame
        The table `footprint` in one partition.
    """
    return _joined(measure.footprint_df, FOOTPRINT, _slim(layers, LAYERS, list(NEEDED)), by=by)


def summary(layers: Any, images: Any = None, repos: Any = None) -> Any:
    """Recompute the tables of the studies of Docker Hub, with their figures beside.

    Parameters
    ----------
    layers, images, repos
        The frames as Dask DataFrames; see `hubframe.summary`.

    Returns
    -------
    dask.dataframe.DataFrame
        The table `figures` in one partition.
    """
    return _joined(
        measure.summary,
        FIGURES,
        _slim(layers, LAYERS, list(NEEDED)),
        None if images is None else _slim(images, IMAGES, _IMAGES),
        None if repos is None else _slim(repos, REPOS, _REPOS),
    )


def _slim(frame: Any, table: Table, columns: list[str]) -> list[Any]:
    """Keep of each partition what is needed; each then is a task of its own."""
    table.require(pd.DataFrame(columns=frame.columns), columns)
    return list(frame[columns].map_partitions(pd.DataFrame.drop_duplicates).to_delayed())


def _joined(
    answer: Callable[..., pd.DataFrame], table: Table, *frames: list[Any] | None, **how: Any
) -> Any:
    import dask  # noqa: PLC0415 - an extra

    return lazy_frame([dask.delayed(_answer)(answer, frames, how)], table)


def _answer(
    answer: Callable[..., pd.DataFrame],
    frames: list[list[pd.DataFrame] | None],
    how: dict[str, Any],
) -> pd.DataFrame:
    joined = (None if parts is None else pd.concat(parts, ignore_index=True) for parts in frames)
    return answer(*joined, **how)
