"""What an image holds twice: files that a later layer writes again, or removes.

The formulas are those of dive (`efficiency.go`): a path counts with all its copies, and the
removal of a directory with what was in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hubframe.tables import FILES
from hubframe.tables.declarations import IMAGE_KEY, OF_IMAGE
from hubframe.tables.measured import EFFICIENCY, WASTED

_NEEDED = (*IMAGE_KEY, "position", "entry", "path", "type", "size", "whiteout")
_REMOVED = "removed"


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

    Raises
    ------
    TypeError, ValueError
        `files` is no frame, or lacks a column, which the message names.
    """
    FILES.require(files, _NEEDED)
    return EFFICIENCY.from_records(
        {**name, **_sizes(rows), **_scores(paths, _sizes(rows)["user_size"])}
        for name, rows, paths in _images(files)
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

    Raises
    ------
    TypeError, ValueError
        `files` is no frame, or lacks a column, which the message names.
    """
    FILES.require(files, _NEEDED)
    return WASTED.from_records(
        {**name, **one.row(path)}
        for name, _, paths in _images(files)
        for path, one in sorted(paths.items(), key=lambda item: (-item[1].total, item[0]))
        if one.count > 1
    )


@dataclass
class _Path:
    """A path in the layers of an image."""

    first: int
    last: int = 0
    count: int = 0
    removed: int = 0
    total: int = 0
    least: int | None = None

    def add(self, position: int, size: int, *, is_removal: bool) -> None:
        """Count one more copy."""
        self.last = position
        self.count += 1
        self.removed += is_removal
        self.total += size
        self.least = size if self.least is None else min(self.least, size)

    def row(self, path: str) -> dict[str, Any]:
        """Return what the table tells of it."""
        least = self.least or 0
        return {
            "path": path,
            "copy_count": self.count,
            "removed_count": self.removed,
            "min_size": least,
            "wasted_size": self.total,
            "surplus_size": self.total - least,
            "first_position": self.first,
            "last_position": self.last,
        }


@dataclass
class _Stack:
    """The layers so far, one upon the other."""

    sizes: dict[str, int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    inside: dict[str, set[str]] = field(default_factory=dict)

    def put(self, path: str, size: int, *, is_folder: bool) -> None:
        """Add a path, or put it in place of the one before."""
        self.sizes[path] = size
        if is_folder:
            self.folders.add(path)
        else:
            self.folders.discard(path)
        while "/" in path:
            parent = path.rpartition("/")[0]
            known = self.inside.setdefault(parent, set())
            if path in known:
                break
            known.add(path)
            path = parent

    def under(self, path: str) -> Iterator[str]:
        """Yield a path, and all that is in it."""
        left = [path]
        while left:
            one = left.pop()
            yield one
            left += self.inside.get(one, ())

    def size_of(self, path: str) -> int:
        """Return what removing a path takes away: dive counts directories alone."""
        if path not in self.folders:
            return 0
        return sum(self.sizes.get(one, 0) for one in self.under(path))

    def remove(self, path: str) -> None:
        """Take away a path, and all that is in it."""
        for one in list(self.under(path)):
            self.sizes.pop(one, None)
            self.folders.discard(one)
            self.inside.pop(one, None)
        parent = path.rpartition("/")[0]
        self.inside.get(parent, set()).discard(path)


def _images(
    files: pd.DataFrame,
) -> Iterator[tuple[dict[str, Any], pd.DataFrame, dict[str, _Path]]]:
    """Yield each image's name, its rows, and its paths."""
    names = [column.name for column in OF_IMAGE]
    for _, rows in files.groupby(list(IMAGE_KEY), sort=False, dropna=False):
        name = {column: _plain(rows[column].iloc[0]) for column in names}
        yield name, rows, _paths(rows)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _paths(rows: pd.DataFrame) -> dict[str, _Path]:
    """Count the paths of one image: leaves alone, each layer upon those below it."""
    paths: dict[str, _Path] = {}
    stack = _Stack()
    rows = rows.sort_values(["position", "entry"], kind="stable")
    positions = rows["position"].astype(np.int64)
    for position in np.unique(positions.to_numpy()).tolist():
        layer = rows[positions == position]
        kept, removed = _entries(layer)
        parents = _parents([*kept, *removed])
        sizes = {path: stack.size_of(path) for path in removed}
        for path, (size, _) in kept.items():
            if path not in parents:
                _at(paths, path, position).add(position, size, is_removal=False)
        for path, size in sizes.items():
            _at(paths, path, position).add(position, size, is_removal=True)
            stack.remove(path)
        for path, (size, is_folder) in kept.items():
            stack.put(path, size, is_folder=is_folder)
    return paths


def _at(paths: dict[str, _Path], path: str, position: int) -> _Path:
    return paths.setdefault(path, _Path(position))


def _entries(layer: pd.DataFrame) -> tuple[dict[str, tuple[int, bool]], list[str]]:
    """Return what a layer has (the last entry of a path counts), and what it removes."""
    is_kept = layer["whiteout"].isna() & (layer["path"] != ".")
    held = layer[is_kept]
    sizes = held["size"].fillna(0).astype(np.int64).tolist()
    is_folder = (held["type"] == "directory").tolist()
    kept = dict(zip(held["path"].tolist(), zip(sizes, is_folder, strict=True), strict=True))
    removed = layer.loc[layer["whiteout"] == _REMOVED, "path"]
    return kept, list(dict.fromkeys(removed.tolist()))


def _parents(paths: list[str]) -> set[str]:
    """Return the directories that something of the layer is in."""
    parents: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def _scores(paths: dict[str, _Path], user_size: int) -> dict[str, Any]:
    total = sum(one.total for one in paths.values())
    least = sum(one.least or 0 for one in paths.values())
    twice = [one for one in paths.values() if one.count > 1]
    wasted = sum(one.total for one in twice)
    return {
        "path_count": len(paths),
        "wasted_size": wasted,
        "surplus_size": wasted - sum(one.least or 0 for one in twice),
        "efficiency": least / total if total else 1.0,
        "wasted_share": wasted / user_size if user_size else None,
    }


def _sizes(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the sizes of the layers: of all, and of those above the lowest."""
    by_layer = rows.groupby("position")["size"].sum()
    return {
        "layer_count": len(by_layer),
        "size": int(by_layer.sum()),
        "user_size": int(by_layer[by_layer.index != by_layer.index.min()].sum()),
    }
