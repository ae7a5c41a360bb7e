"""Snapshots: what repositories and tags were, kept as Parquet, and read again.

``place`` is a folder or an address where files are written whole or not at all, ``dataset`` what
lies there, ``taking`` asks and appends, ``adding`` appends frames, ``git`` and ``repo_info`` read
the past of the official images.
"""
