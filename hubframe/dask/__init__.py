"""Frames of more repositories than one machine fetches: Dask DataFrames, a partition at a time.

They run on whatever cluster Dask has. What workers share stands at `Settings.cache_url`.
"""

from hubframe.dask.crawl import Crawl, crawl, frame, to_parquet
from hubframe.dask.measure import footprint_df, shared_layers_df, summary

__all__ = ["Crawl", "crawl", "footprint_df", "frame", "shared_layers_df", "summary", "to_parquet"]


def __dir__() -> list[str]:
    return __all__
