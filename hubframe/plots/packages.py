"""Which build steps brought packages, and which packages changed from release to release."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from hubframe.measure import (
    compare_frames,
    identity,
    leading_tags,
    of_best_evidence,
    release_pairs,
)
from hubframe.plots import canvas, wording
from hubframe.plots.style import BLUE, GREEN, GREY, VERMILION, whole_axis
from hubframe.tables import PACKAGES
from hubframe.tables.measured import COMPARISON

# How many types have a colour of their own.
_MOST_TYPES = 6
_PACKAGE = ["type", "namespace", "name", "version", "architecture", "path"]
_CHANGES = {"added": GREEN, "changed": BLUE, "removed": VERMILION}
_TAG = ["repo", "tag"]
_PAIR = ["left_name", "right_name"]


def plot_packages(
    packages: pd.DataFrame,
    layers: pd.DataFrame | None = None,
    *,
    newest: int = 12,
    ax: Axes | None = None,
    **artist: Any,
) -> Axes:
    """Show how many packages each layer brought, stacked by their type.

    A bar per layer that brought some, the newest image's on top, its base first; one that several
    images have is there once. What lower layers brought and higher ones replaced or removed is in
    no bar of that image.

    Parameters
    ----------
    packages
        The `tables.PACKAGES` frame. Of an image of which layers and documents both tell, the rows
        of layers count; documents often do not say which layer a package is in.
    layers
        The `tables.LAYERS` frame of the same images, whose build steps name the bars; without it
        they are named by their places.
    newest
        How many tags to show, one image of each; several repositories take turns.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.

    See Also
    --------
    hubframe.packages_used_df : Which images hold a package.
    plot_package_changes : What changed from release to release.
    """
    PACKAGES.require(packages)
    taken = leading_tags(of_best_evidence(packages), newest)
    image = identity(taken)
    # A layer is one bar for all its images; what no layer is told of is one for each of them.
    held = taken.assign(
        image=image,
        names=canvas.image_names(taken),
        number=pd.factorize(image)[0],
        bar=taken["layer_digest"].fillna(image),
    ).sort_values(["number", "position"], kind="stable")
    bars = held.drop_duplicates("bar").set_index("bar")
    shown = bars.head(canvas.room(ax, below=2))
    count = wording.counted(image.nunique(), "image")
    ax = canvas.axes(ax, len(shown) + 1, f"Packages in {count}, by layer")
    if shown.empty:
        return canvas.say_nothing(ax, "no packages")
    distinct = held.drop_duplicates(["bar", *_PACKAGE])
    counts = pd.crosstab(distinct["bar"], distinct["type"]).reindex(shown.index)
    types = distinct["type"].value_counts().index
    parts = [(kind, f"C{n}", counts[kind]) for n, kind in enumerate(types[:_MOST_TYPES])]
    if len(types) > _MOST_TYPES:
        parts.append(("other types", GREY, counts[types[_MOST_TYPES:]].sum(axis=1)))
    ends = canvas.stack(ax, [(name, color, part.to_numpy()) for name, color, part in parts], artist)
    whole_axis(ax.xaxis)
    holders = held.groupby("bar")["image"].nunique().reindex(shown.index)
    words = [_in_images(*row) for row in zip(ends.tolist(), holders.tolist(), strict=True)]
    canvas.name_rows(ax, _bar_names(shown, layers), words, ends)
    missing = {
        "more {layer}": len(bars) - len(shown),
        "more {tag}": len(packages[_TAG].drop_duplicates()) - len(taken[_TAG].drop_duplicates()),
    }
    return canvas.explain(ax, "packages", missing)


def _in_images(packages: float, images: int) -> str:
    words = wording.counted(int(packages), "package")
    return words if images == 1 else f"{words}, in {wording.counted(images, 'image')}"


def _bar_names(shown: pd.DataFrame, layers: pd.DataFrame | None) -> pd.Series:
    """Name layers by their step, else their place, and of several images by the first of them."""
    places = ("layer " + shown["position"].astype("str")).fillna("no layer told")
    return canvas.layer_names(shown["layer_digest"], layers, places, shown["names"])


def plot_package_changes(changes: pd.DataFrame, *, ax: Axes | None = None, **artist: Any) -> Axes:
    """Count the packages that were added, removed or changed from each release to the next.

    Parameters
    ----------
    changes
        The `tables.PACKAGES` frame of releases, of which each is compared with the one before it in
        its line, the newest on top (lines are those of `hubframe.size_trend_df`); or the table
        `comparison` of ``compare_df(..., packages=True)``, pairs as they come there. It has no row
        of images whose packages are the same, and so no bar. Of more than 40 pairs the first.
    ax, **artist
        See `hubframe.plots`; passed on to `matplotlib.axes.Axes.barh`.

    See Also
    --------
    plot_comparison : What else differs.
    """
    shown, count = _counted(changes, canvas.room(ax, below=2))
    ax = canvas.axes(ax, len(shown) + 1, "Packages that changed from one image to the next")
    if shown.empty:
        return canvas.say_nothing(ax, "no two images whose packages are compared")
    parts = [(name, color, shown[name].to_numpy()) for name, color in _CHANGES.items()]
    ends = canvas.stack(ax, parts, artist)
    whole_axis(ax.xaxis)
    words = [_changes_in_words(row) for row in shown[[*_CHANGES]].itertuples(index=False)]
    canvas.name_rows(ax, _pair_names(shown), words, ends)
    return canvas.explain(ax, "packages", {"more {pair}": count - len(shown)})


def _counted(changes: pd.DataFrame, most: int) -> tuple[pd.DataFrame, int]:
    """Count the changes of the first pairs of images, and how many pairs there are."""
    if isinstance(changes, pd.DataFrame) and "evidence" in changes:
        pairs = release_pairs(changes)
        rows = []
        for pair in pairs[:most]:
            names = ["{}:{}".format(*frame[["repo", "tag"]].iloc[0]) for frame in pair]
            found = compare_frames([{"packages": frame} for frame in pair])["change"]
            rows.append([*names, *(int((found == name).sum()) for name in _CHANGES)])
        return pd.DataFrame(rows, columns=[*_PAIR, *_CHANGES]), len(pairs)
    COMPARISON.require(changes)
    differing = changes[changes["aspect"] == "packages"]
    flags = {name: differing["change"] == name for name in _CHANGES}
    counts = differing[_PAIR].assign(**flags).groupby(_PAIR, sort=False).sum().reset_index()
    return counts.head(most), len(counts)


def _changes_in_words(counts: tuple[int, ...]) -> str:
    named = zip(counts, _CHANGES, strict=True)
    return ", ".join(f"{count:,} {name}" for count, name in named if count) or "no change"


def _pair_names(shown: pd.DataFrame) -> list[str]:
    """Name pairs by their tags, and once by their repository where there are several."""
    pairs = [[_split(name) for name in pair] for pair in shown[_PAIR].itertuples(index=False)]
    repos = {repo for pair in pairs for repo, _ in pair}
    # Without the namespace, which says least, where the rest tells them apart.
    short = {repo: repo.rpartition("/")[2] for repo in repos}
    called = short if len(set(short.values())) == len(repos) else {repo: repo for repo in repos}
    names = []
    for (left, old), (right, new) in pairs:
        before = old if len(repos) == 1 else f"{called[left]}:{old}"
        after = new if left == right else f"{called[right]}:{new}"
        names.append(f"{before} \N{RIGHTWARDS ARROW} {after}")
    return names


def _split(name: str) -> tuple[str, str]:
    """Split ``repo:tag`` or ``repo@digest``."""
    repo, _, tag = name.rpartition("@" if "@" in name else ":")
    return repo, tag
