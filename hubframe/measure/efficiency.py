"""What an image holds twice: files that a later layer writes again, or removes.

The formulas are those of dive (`efficiency.go`): a path counts with all its copies, and the
removal of a directory with what was in it.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from hubframe.measure.images import plain_rows
from hubframe.tables import FILES
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import EFFICIENCY, WASTED

_NEEDED = (*IMAGE_KEY, "position", "entry", "path", "type", "size", "whiteout")
_ABSENT = (0, False)


def efficiency(files: pd.DataFrame) -> pd.DataFrame:
    """Tell how much of each image is wasted, by dive's formulas.

    Parameters
    ----------
    files
        The `tables.FILES` frame, with all layers of the images: see ``complete`` in its attrs.

    Returns
    -------
    pandas.DataFrame
        The table `efficiency`: a row per image, in the order of `files`. Removals count under the
        path that they remove; opaque directories count for nothing, as with dive.
    """
    return EFFICIENCY.from_records(
        {**name, **_scores(_paths(rows), rows)} for name, rows in _images(files)
    )


def wasted_df(files: pd.DataFrame) -> pd.DataFrame:
    """List the paths that stand in two layers of an image or more, by dive's formulas.

    Parameters
    ----------
    files
        See `efficiency`.

    Returns
    -------
    pandas.DataFrame
        The table `wasted`: a row per image and path, for each image what wastes most first.
    """
    return WASTED.from_records(
        {**name, **row} for name, rows in _images(files) for row in _wasted(_paths(rows))
    )


def _images(files: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yield each image's name, and its rows in order."""
    FILES.require(files, _NEEDED)
    for _, rows in files.groupby(list(IMAGE_KEY), sort=False, dropna=False):
        named = next(plain_rows(rows[list(IMAGE_KEY)]))
        yield (
            dict(zip(IMAGE_KEY, named, strict=True)),
            rows.sort_values(["position", "entry"], kind="stable"),
        )


def _paths(rows: pd.DataFrame) -> pd.DataFrame:
    """Count the paths of one image, by path: leaves alone, each layer upon those below it."""
    below: dict[str, tuple[int, bool]] = {}
    copies: list[tuple[str, Any, int, bool]] = []
    for position, layer in rows.groupby("position"):
        kept, removed = _entries(layer)
        parents = _parents([*kept, *removed])
        copies += [
            (path, position, size, False) for path, (size, _) in kept.items() if path not in parents
        ]
        names = sorted(below) if removed else []
        # Of sorted paths what is in a directory: ``0`` is the character after ``/``.
        gone = {
            path: [path, *names[bisect_left(names, f"{path}/") : bisect_left(names, f"{path}0")]]
            for path in removed
        }
        for path, inside in gone.items():
            # dive counts the removal of directories alone.
            is_folder = below.get(path, _ABSENT)[1]
            size = sum(below.get(one, _ABSENT)[0] for one in inside) if is_folder else 0
            copies.append((path, position, size, True))
        for inside in gone.values():
            for one in inside:
                below.pop(one, None)
        below |= kept
    table = pd.DataFrame(copies, columns=["path", "position", "size", "is_removal"])
    return table.groupby("path").agg(
        copy_count=("size", "size"),
        removed_count=("is_removal", "sum"),
        min_size=("size", "min"),
        wasted_size=("size", "sum"),
        first_position=("position", "min"),
        last_position=("position", "max"),
    )


def _entries(layer: pd.DataFrame) -> tuple[dict[str, tuple[int, bool]], list[str]]:
    """Return what a layer has (the last entry of a path counts), and what it removes."""
    held = layer[layer["whiteout"].isna() & (layer["path"] != ".")]
    sizes = held["size"].fillna(0).astype(np.int64).tolist()
    is_folder = (held["type"] == "directory").tolist()
    kept = dict(zip(held["path"].tolist(), zip(sizes, is_folder, strict=True), strict=True))
    return kept, layer.loc[layer["whiteout"] == "removed", "path"].unique().tolist()


def _parents(paths: list[str]) -> set[str]:
    """Return the directories that something of the layer is in."""
    parents: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def _wasted(paths: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of the paths that stand in several layers."""
    twice = paths[paths["copy_count"] > 1]
    twice = twice.assign(surplus_size=twice["wasted_size"] - twice["min_size"])
    twice = twice.sort_values("wasted_size", ascending=False, kind="stable")
    return twice.reset_index().to_dict("records")


def _scores(paths: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Any]:
    """Sum up the paths, and the layers: all of them, and those above the lowest."""
    layers = rows.groupby("position")["size"].sum()
    user_size = int(layers.iloc[1:].sum())
    twice = paths[paths["copy_count"] > 1]
    total, wasted = int(paths["wasted_size"].sum()), int(twice["wasted_size"].sum())
    return {
        "layer_count": len(layers),
        "size": int(layers.sum()),
        "user_size": user_size,
        "path_count": len(paths),
        "wasted_size": wasted,
        "surplus_size": wasted - int(twice["min_size"].sum()),
        "efficiency": int(paths["min_size"].sum()) / total if total else 1.0,
        "wasted_share": wasted / user_size if user_size else None,
    }
