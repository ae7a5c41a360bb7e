"""Which image a tag had when, and which version tags were pushed again."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hubframe.plots import canvas, wording
from hubframe.plots.style import GREY, date_axis, day_numbers
from hubframe.tables.measured import MUTABLE_TAGS, TAG_MOVES

# How much fainter the time is in which a tag moved, nobody knows when.
_PALE = 0.3
_HEIGHT = 0.62
# A tag that was seen once has to be seen here, too: its part of the axis.
_LEAST = 0.004
_TAG = ["repo", "tag"]


def plot_tag_moves(moves: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Show which digest each tag had when, the tags that moved most on top.

    A row per tag: a bar for each digest from when it was first to when it was last seen, pale until
    it was seen to be gone. An image has one colour, whatever its tags; the images of tags that
    never moved and share none are grey.

    Parameters
    ----------
    moves
        The table `tag_moves`. Of more than 40 tags those that moved most are shown.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.
    """
    TAG_MOVES.require(moves)
    counts = moves.groupby(_TAG, sort=False).size().sort_values(ascending=False, kind="stable")
    names = counts.index[: canvas.room(ax, below=1)]
    shown = moves[pd.MultiIndex.from_frame(moves[_TAG]).isin(names)]
    moved = f"{(counts > 1).sum():,} of {wording.counted(len(counts), 'tag')} moved"
    ax = canvas.axes(ax, len(names), moved)
    if shown.empty:
        return canvas.say_nothing(ax, "no tag was seen with a digest")
    date_axis(ax.xaxis)
    row = names.get_indexer(pd.MultiIndex.from_frame(shown[_TAG]))
    first, last, gone = (
        day_numbers(shown[name]) for name in ("first_seen_at", "last_seen_at", "gone_at")
    )
    gone = np.where(np.isnan(gone), last, gone)
    look: dict[str, Any] = {"color": _colours(shown), "height": _HEIGHT}
    ax.barh(row, gone - last, left=last, **look | {"alpha": _PALE} | artist)
    least = _LEAST * max(gone.max() - first.min(), 1)
    ax.barh(row, np.maximum(last - first, least), left=first, **look | artist)
    digests = shown.groupby(_TAG)["digest"].nunique()[names]
    words = [wording.counted(count, "digest") for count in digests]
    canvas.name_rows(ax, canvas.image_names(names.to_frame()), words)
    handles = canvas.patches(("seen", GREY), ("moved or deleted meanwhile", GREY))
    handles[1].set_alpha(_PALE)
    missing = {"more {tag}": len(counts) - len(names)}
    return canvas.explain(ax, "UTC; an image has one colour", missing, handles)


def _colours(moves: pd.DataFrame) -> list[str]:
    """Give a colour to each image of a tag that moved, or of several tags."""
    cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"][:-1]
    is_told = moves.duplicated("digest", keep=False) | moves.duplicated(_TAG, keep=False)
    number, _ = pd.factorize(moves["digest"].where(is_told))
    return [GREY if n < 0 else cycle[n % len(cycle)] for n in number]


def plot_mutable_tags(mutable: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """List the version tags that were pushed again, as a table, the most often pushed on top.

    Parameters
    ----------
    mutable
        The table `mutable_tags`. Of more than 40 tags those pushed most often are shown, first
        those that are not meant to move.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.annotate`.
    """
    MUTABLE_TAGS.require(mutable)
    order = ["is_floating", "push_count"]
    shown = mutable.sort_values(order, ascending=[True, False], kind="stable")
    shown = shown.head(canvas.room(ax))
    fixed = wording.counted(int((~mutable["is_floating"]).sum()), "fixed version tag")
    ax = canvas.axes(ax, len(shown) + 1, f"{fixed} pushed again")
    if shown.empty:
        return canvas.say_nothing(ax, "no version tag was pushed again")
    kinds = {True: "floating", False: "fixed"}
    columns = {
        "tag": canvas.image_names(shown),
        "pushes seen": map(wording.large, shown["push_count"]),
        "digests": map(wording.large, shown["digest_count"]),
        "last push": shown["last_pushed_at"].dt.strftime("%Y-%m-%d").fillna("not known"),
        "kind": shown["is_floating"].map(kinds),
    }
    canvas.table(ax, columns, artist)
    about = "floating: meant to move, since a longer version goes on from it"
    axis = about if shown["is_floating"].any() else ""
    return canvas.explain(ax, axis, {"more {tag}": len(mutable) - len(shown)})
