"""The frames of snapshots: what repositories and tags were at each look.

They hold the columns of `declarations`, and before them which run it was and when.
"""

from collections.abc import Callable
from functools import cached_property

import pandas as pd

from hubframe.tables.declarations import REPOS, TAGS
from hubframe.tables.schema import COUNT, FLAG, TEXT, UTC, Column, Table

# A column a line, so that a table reads as one.
# fmt: off

RUN = Column("run", TEXT, "Name of the run that saw it.", nullable=False)
PART = Column("part", TEXT, "The part of the run: a run that was begun again has several.", nullable=False)
OBSERVED_AT = Column("observed_at", UTC, "When it was seen.", nullable=False)
IS_COMPLETE = Column("is_complete", FLAG, "Whether that part of the run lacks nothing that it asked for.", nullable=False)
OF_RUN = (RUN, PART, OBSERVED_AT, IS_COMPLETE)

RUNS = Table("runs", "a part of a run that took a snapshot", ("run", "part"), (
    *OF_RUN,
    Column("source", TEXT, "Who was asked: `hub`, `registry`, `quay`, `hub+registry` and so on, `repo-info`, `backage`; null where frames were given."),
    Column("repo_count", COUNT, "Repositories seen.", nullable=False),
    Column("tag_count", COUNT, "Tags seen.", nullable=False),
    Column("failure_count", COUNT, "Repositories, namespaces and tags that could not be seen.", nullable=False),
    Column("failures", TEXT, "What failed and why, as JSON; null where nothing did."),
    Column("format", COUNT, "Version of the form in which it was written.", nullable=False),
), source="Written by `snapshot`, by `add_snapshot`, by `import_repo_info` for the past of official images, and by `import_downloads` for pulls of GitHub's.")

OBSERVED_REPOS = Table("observed_repos", "a repository as a run saw it", ("run", "repo"), (
    *OF_RUN,
    *REPOS.columns,
    Column("tag_count", COUNT, "Tags that it had; null where not all were read."),
), source="`repos`, as the runs of `snapshot` kept it.")

OBSERVED_TAGS = Table("observed_tags", "a tag as a run saw it", ("run", "repo", "tag"), (*OF_RUN, *TAGS.columns), source="`tags`, as the runs of `snapshot` kept it.")
# fmt: on

OBSERVED = {table.name: table for table in (RUNS, OBSERVED_REPOS, OBSERVED_TAGS)}


class Snapshots:
    """Repositories and tags as runs saw them, one after the other; read when first asked for.

    Parameters
    ----------
    runs
        The table `runs`.
    read
        Gives the frame of `OBSERVED_REPOS` or `OBSERVED_TAGS`.

    Attributes
    ----------
    runs, repos, tags
        The tables `runs`, `observed_repos` and `observed_tags`, the oldest first.
    """

    def __init__(self, runs: pd.DataFrame, read: Callable[[Table], pd.DataFrame]) -> None:
        self.runs = runs
        self._read = read

    @cached_property
    def repos(self) -> pd.DataFrame:
        """The table `observed_repos`."""
        return self._read(OBSERVED_REPOS)

    @cached_property
    def tags(self) -> pd.DataFrame:
        """The table `observed_tags`."""
        return self._read(OBSERVED_TAGS)

    def __repr__(self) -> str:
        if self.runs.empty:
            return "<hubframe.Snapshots: none>"
        first, last = (f"{at:%Y-%m-%d}" for at in self.runs["observed_at"].agg(["min", "max"]))
        return f"<hubframe.Snapshots: {self.runs['run'].nunique():,} runs, {first} to {last}>"
