"""What a rule would free."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.canvas import MOST
from hubframe.plots.style import BLUES, ORANGES, byte_axis, count_axis
from hubframe.tables.measured import CLEANUP


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
    order = ["freed", "gone"] if knows else ["gone"]
    shown = repos.sort_values(order, ascending=False, kind="stable").head(MOST)
    gone = int(repos["gone"].sum())
    title = f"The rule would delete {gone:,} of {wording.counted(len(plan), 'tag')}"
    ax = canvas.axes(ax, len(shown), title)
    if not gone:
        return canvas.say_nothing(ax, "the rule deletes no tag" if len(plan) else "no tags")
    axis, missing = "compressed bytes that would be freed", len(repos) - len(shown)
    unknown = int(repos["unknown"].sum()) if knows else 0
    if knows:
        ends = shown["freed"]
        ax.barh(range(len(shown)), ends, **{"color": ORANGES[1]} | artist)
        byte_axis(ax.xaxis)
    else:
        axis = "tags; what they would free is not known without layers"
        stays = shown["tags"] - shown["gone"]
        parts = (("would go", ORANGES[1], shown["gone"]), ("stay", BLUES[1], stays))
        ends = canvas.stack(ax, parts, artist)
        count_axis(ax.xaxis)
    left_out = {"more {repository}": missing, "deleted {tag} whose layers are not known": unknown}
    ax.set_xlabel(wording.left_out(axis, left_out))
    canvas.name_rows(ax, shown.index)
    canvas.write_beside(ax, ends, [_words(row, knows=knows) for row in shown.itertuples()])
    if not knows:
        canvas.legend_below(ax)
    return ax


def _by_repo(plan: pd.DataFrame) -> pd.DataFrame:
    goes = plan["action"] == "delete"
    columns = {
        "repo": plan["repo"],
        "tags": 1,
        "gone": goes,
        "freed": plan["freed_size"].astype("float64").where(goes),
        "unknown": plan["freed_size"].isna() & goes,
    }
    return pd.DataFrame(columns).groupby("repo", sort=False).sum()


def _words(row: Any, *, knows: bool) -> str:
    tags = wording.some(row.gone, row.tags, "tag")
    if not knows:
        return tags
    freed = "not known" if row.gone and row.unknown == row.gone else wording.size(row.freed)
    return f"{freed}, {tags}"
