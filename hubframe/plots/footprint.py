"""How many bytes things share, hold alone, and would free, and what a rule would free."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUES, ORANGES, byte_axis, count_axis
from hubframe.tables.measured import CLEANUP, FOOTPRINT


def plot_footprint(footprint: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Split the bytes of each row into what is shared, what is not, and what deleting would free.

    A bar per row of the frame, in its order.

    Parameters
    ----------
    footprint
        The table `footprint`, by tag, image, repository or namespace. The first 40 rows are shown,
        which free most.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    FOOTPRINT.require(footprint)
    shown = footprint.head(canvas.room(ax, below=1))
    thing, names = _named(footprint)
    count = wording.some(len(shown), len(footprint), thing)
    ax = canvas.axes(ax, len(shown), f"What is shared, and what is freed: {count}")
    if shown.empty:
        return canvas.say_nothing(ax, "no layers")
    columns = ["shared_size", "exclusive_size", "freed_size"]
    shared, exclusive, freed = shown[columns].fillna(0).to_numpy("float64").T
    parts = (
        ("held elsewhere too", BLUES[1], shared),
        ("kept by other tags", ORANGES[3], (exclusive - freed).clip(0)),
        ("freed with it", ORANGES[0], freed),
    )
    ends = canvas.stack(ax, parts, artist)
    byte_axis(ax.xaxis)
    # Layers without a size count as 0 bytes in the table.
    least = shown["unsized_layer_count"].gt(0).map({True: "at least ", False: ""})
    sizes = zip(least, map(wording.size, ends), map(wording.size, freed), strict=True)
    words = [f"{at}{end}, frees {at}{free}" for at, end, free in sizes]
    canvas.name_rows(ax, names.head(len(shown)), words, ends)
    missing = {f"more {{{thing}}}": len(footprint) - len(shown)}
    return canvas.explain(ax, "compressed bytes of distinct layers", missing)


def _named(footprint: pd.DataFrame) -> tuple[str, pd.Series]:
    """Tell from its columns what a row is, and name the rows."""
    if footprint["repo"].isna().any():
        return "namespace", footprint["namespace"]
    if (footprint["tag"].notna() | footprint["image_digest"].notna()).any():
        return "tag", canvas.image_names(footprint)
    return "repository", footprint["repo"]


def plot_cleanup(plan: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show what a rule would free in each repository, or how many tags would go.

    A bar per repository, the one that frees most on top.

    Parameters
    ----------
    plan
        The table `cleanup`; where it was made without layers, nobody knows what is freed, and tags
        are counted instead. Of more than 40 repositories those that free most are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    CLEANUP.require(plan, ("repo", "tag", "action", "freed_size"))
    goes = plan["action"] == "delete"
    freed = plan["freed_size"].astype("float64").where(goes)
    columns = {"tags": 1, "gone": goes, "freed": freed, "unknown": freed.isna() & goes}
    repos = pd.DataFrame(columns).groupby(plan["repo"], sort=False).sum()
    knows = bool((repos["unknown"] < repos["gone"]).any())
    order = ["freed", "gone"] if knows else ["gone"]
    shown = repos.sort_values(order, ascending=False, kind="stable")
    shown = shown.head(canvas.room(ax))
    gone = int(repos["gone"].sum())
    title = f"The rule would delete {gone:,} of {wording.counted(len(plan), 'tag')}"
    ax = canvas.axes(ax, len(shown), title)
    if not gone:
        return canvas.say_nothing(ax, "the rule deletes no tag" if len(plan) else "no tags")
    axis, missing = "compressed bytes that would be freed", len(repos) - len(shown)
    unknown = int(repos["unknown"].sum()) if knows else 0
    counts = zip(shown["gone"].tolist(), shown["tags"].tolist(), strict=True)
    words = [wording.some(*count, "tag") for count in counts]
    if knows:
        ends = shown["freed"]
        is_unknown = (shown["gone"] > 0) & (shown["unknown"] == shown["gone"])
        sizes = shown["freed"].mask(is_unknown).map(wording.size)
        words = [f"{size}, {tags}" for size, tags in zip(sizes, words, strict=True)]
        ax.barh(range(len(shown)), ends, **{"color": ORANGES[1]} | artist)
        byte_axis(ax.xaxis)
    else:
        axis = "tags; what they would free is not known without layers"
        stays = shown["tags"] - shown["gone"]
        parts = (("would go", ORANGES[1], shown["gone"]), ("stay", BLUES[1], stays))
        ends = canvas.stack(ax, parts, artist)
        count_axis(ax.xaxis)
    left_out = {"more {repository}": missing, "deleted {tag} whose layers are not known": unknown}
    canvas.name_rows(ax, shown.index, words, ends)
    return canvas.explain(ax, axis, left_out)
