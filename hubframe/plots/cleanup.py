"""What a rule would free."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import wording
from hubframe.plots.canvas import canvas, legend_below, name_rows, say_nothing, write_beside
from hubframe.plots.style import BLUES, ORANGES, byte_axis, count_axis
from hubframe.tables.measured import CLEANUP

MOST = 40


def plot_cleanup(plan: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show what a rule would free in each repository, or how many tags would go.

    Parameters
    ----------
    plan
        The table `cleanup`, as `hubframe.cleanup_df` makes it; where it was made without layers,
        nobody knows what is freed, and tags are counted instead. Of more than 40 repositories
        those that free most are shown, and the axis says so.
    ax
        Axes to draw on; pyplot's current ones by default.
    **artist
        Passed on to `matplotlib.axes.Axes.barh`.

    Returns
    -------
    matplotlib.axes.Axes
        With a bar per repository, the one that frees most on top.
    """
    CLEANUP.require(plan, ("repo", "tag", "action", "freed_size"))
    repos = _by_repo(plan)
    knows = bool((repos["unknown"] < repos["gone"]).any())
    ranked = repos.sort_values(
        ["freed" if knows else "gone", "gone"], ascending=False, kind="stable"
    )
    shown = ranked.head(MOST)
    ax = canvas(ax, len(shown))
    gone = int(repos["gone"].sum())
    ax.set_title(f"The rule would delete {gone:,} of {wording.counted(len(plan), 'tag')}")
    if not gone:
        return say_nothing(ax, "the rule deletes no tag" if len(plan) else "no tags")
    missing = {("more", "repository", ""): len(repos) - len(shown)}
    if knows:
        ends = _bytes(ax, shown, artist)
        missing[("deleted", "tag", "whose layers are not known")] = int(repos["unknown"].sum())
        axis = "compressed bytes that would be freed"
    else:
        ends = _tags(ax, shown, artist)
        axis = "tags; what they would free is not known without layers"
    ax.set_xlabel(wording.left_out(axis, missing))
    name_rows(ax, shown.index.tolist())
    write_beside(ax, ends, [_words(row, knows=knows) for row in shown.itertuples()])
    if not knows:
        legend_below(ax)
    return ax


def _by_repo(plan: pd.DataFrame) -> pd.DataFrame:
    goes = (plan["action"] == "delete").astype("int64")
    columns = {
        "repo": plan["repo"],
        "tags": 1,
        "gone": goes,
        "freed": plan["freed_size"].fillna(0).astype("float64") * goes,
        "unknown": plan["freed_size"].isna().astype("int64") * goes,
    }
    return pd.DataFrame(columns).groupby("repo", sort=False).sum()


def _bytes(ax: Axes, shown: pd.DataFrame, artist: dict[str, Any]) -> list[float]:
    ax.barh(range(len(shown)), shown["freed"], **{"color": ORANGES[1]} | artist)
    byte_axis(ax.xaxis)
    return list(shown["freed"])


def _tags(ax: Axes, shown: pd.DataFrame, artist: dict[str, Any]) -> list[float]:
    rows, gone = np.arange(len(shown)), shown["gone"].to_numpy()
    kept = shown["tags"].to_numpy() - gone
    edge: dict[str, Any] = {"edgecolor": mpl.rcParams["axes.facecolor"], "linewidth": 0.6}
    ax.barh(rows, gone, label="would go", **edge | {"color": ORANGES[1]} | artist)
    ax.barh(rows, kept, label="stay", **edge | {"color": BLUES[1], "left": gone} | artist)
    count_axis(ax.xaxis)
    return [float(count) for count in shown["tags"]]


def _words(row: Any, *, knows: bool) -> str:
    tags = wording.some(row.gone, row.tags, "tag")
    if not knows:
        return tags
    freed = "not known" if row.gone and row.unknown == row.gone else wording.size(row.freed)
    return f"{freed}, {tags}"
