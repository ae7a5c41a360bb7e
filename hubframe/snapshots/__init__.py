"""Snapshots: what repositories and tags were, kept as Parquet, and read again.

``dataset`` is what lies at a place, ``taking`` asks and appends, ``adding`` appends frames, ``git``
and ``repo_info`` read the past of the official images.
"""
