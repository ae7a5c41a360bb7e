"""Frames of more repositories than one machine fetches: Dask DataFrames, a partition at a time.

They run on whatever cluster Dask has. What workers share stands at `Settings.cache_url`.
"""

from hubframe.dask.crawl import Crawl as Crawl
from hubframe.dask.crawl import crawl as crawl
from hubframe.dask.crawl import frame as frame
from hubframe.dask.files import to_parquet as to_parquet
from hubframe.dask.measure import footprint_df as footprint_df
from hubframe.dask.measure import shared_layers_df as shared_layers_df
from hubframe.dask.measure import summary as summary

__all__ = [
    "Crawl",
    "crawl",
    "footprint_df",
    "frame",
    "shared_layers_df",
    "summary",
    "to_parquet",
]
