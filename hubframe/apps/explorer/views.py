"""Frames as a person reads them: what answers first, and nothing that says the same in each row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hubframe.measure.vulnerabilities import worst_first
from hubframe.plots import wording
from hubframe.report.risks import wrong_first

if TYPE_CHECKING:
    from hubframe.apps.explorer.model import Row
    from hubframe.apps.explorer.panels import Result

_HOUR = 3600
_PARTS = ("size", "layers", "env", "labels", "config", "history")
_IMAGE = ["repo", "tag", "platform", "image_digest"]


def lean(frame: pd.DataFrame, columns: Sequence[str] = ()) -> tuple[list[str], dict[str, Any]]:
    """Return the columns that tell rows apart, and what those say that are the same in all rows.

    Columns without a value are left out too; of one row, only those.
    """
    names = [name for name in columns if name in frame] or [str(name) for name in frame.columns]
    known = [name for name in names if frame[name].notna().any()]
    same = [name for name in known if len(frame) > 1 and not _varies(frame[name])]
    kept = [name for name in known if name not in same]
    return (kept, {name: frame[name].iloc[0] for name in same}) if kept else (names, {})


def _varies(column: pd.Series) -> bool:
    return len(column.unique()) > 1


def by_image(result: "Result") -> pd.DataFrame:
    """Return keys and values as a row for each key and a column for each image.

    Tags of one image share a column, and keys whose values differ come first.
    """
    frame = result.frame
    if frame.empty:
        return frame[["key", "value"]]
    images = frame[_IMAGE].drop_duplicates()
    names = _names_of_images(images)
    by_digest = frame["image_digest"].fillna(frame["tag"]) + " " + frame["platform"].fillna("")
    index = ["key", "source"] if "source" in frame and _varies(frame["source"]) else ["key"]
    columns = by_digest.map(names)
    wide = frame.assign(column=columns).pivot_table(
        index=index, columns="column", values="value", aggfunc="first"
    )
    wide = wide[list(dict.fromkeys(columns))]
    is_same = wide.eq(wide.iloc[:, 0], axis=0).all(axis=1)
    ordered = wide.loc[is_same.sort_values(kind="stable").index]
    ordered.columns.name = None
    return ordered.reset_index()


def _names_of_images(images: pd.DataFrame) -> dict[str, str]:
    """Name images by their tags, with the repository and the platform where there are several."""
    key = images["image_digest"].fillna(images["tag"]) + " " + images["platform"].fillna("")
    names: dict[str, str] = {}
    for value, rows in images.groupby(key, sort=False):
        first = rows.iloc[0]
        tags = list(dict.fromkeys(rows["tag"].dropna()))
        # What is written most exactly names an image best: 13.4.0 before latest.
        tags.sort(key=lambda tag: not any(letter.isdigit() for letter in tag))
        others = f" = {', '.join(tags[1:])}" if len(tags) > 1 else ""
        repo = f"{first.repo}:" if _varies(images["repo"]) else ""
        platform = f" {first.platform}" if _varies(images["platform"]) else ""
        names[str(value)] = f"{repo}{tags[0] if tags else first.image_digest}{others}{platform}"
    return names


def largest_changes(result: "Result") -> pd.DataFrame:
    """Return the steps of releases, those of the release that grew most first."""
    names = ["total_change", "change"]
    return result.frame.sort_values(names, ascending=False, kind="stable", na_position="last")


def deleted_first(result: "Result") -> pd.DataFrame:
    """Return the outcome of a rule, what it would delete first."""
    return result.frame.sort_values("action", kind="stable")


def most_saved_first(result: "Result") -> pd.DataFrame:
    """Return layers, those first that save most."""
    return result.frame.sort_values("saved_size", ascending=False, kind="stable")


def layers_of_image(result: "Result") -> pd.DataFrame:
    """Return the layers of one image, with their part of it and how many others have them."""
    layers, others = result.frame, result.fetched.get("others")
    total = layers["size"].sum()
    share = [wording.percent(size / total) if total else "" for size in layers["size"].fillna(0)]
    table = layers[["position", "size"]].assign(share=share, instruction=layers["instruction"])
    if others is not None and len(layers):
        first = layers.iloc[0]
        beside = others[(others["repo"] != first.repo) | (others["tag"] != first.tag)]
        beside = beside[beside["image_digest"] != first.image_digest]
        holders = beside.groupby("layer_digest")["image_digest"].nunique()
        table["also_in"] = layers["layer_digest"].map(holders).fillna(0).astype("Int64")
    return table


def named_differences(result: "Result") -> pd.DataFrame:
    """Return differences with their step named, and sizes in place of the digests of layers."""
    frame, layers = result.frame, result.fetched.get("layers")
    steps = {} if layers is None else _steps(layers)
    rows = [_named(row, steps) for row in frame.itertuples()]
    names = ["step", "part", "what", "size_change", "old", "new"]
    table = pd.DataFrame(rows, columns=names)
    table["size_change"] = table["size_change"].astype("Int64")
    # What moved most first, and last what only repeats the rest.
    place = table["part"].map({part: at for at, part in enumerate(_PARTS)}).fillna(len(_PARTS))
    moved = -table["size_change"].abs().fillna(0)
    pair = table["step"].ne(table["step"].shift()).cumsum()
    order = pd.DataFrame({"pair": pair, "place": place, "moved": moved})
    table = table.loc[order.sort_values(["pair", "place", "moved"], kind="stable").index]
    if frame[["left_name", "right_name"]].drop_duplicates().shape[0] <= 1:
        del table["step"]
    else:
        table = table.rename(columns={"step": "from_to"})
    return table


def _steps(layers: pd.DataFrame) -> dict[tuple[str, str], tuple[str, Any]]:
    """Return the instruction and the size of each layer, by image and digest."""
    names = layers["repo"] + ":" + layers["tag"].fillna("")
    keys = zip(names, layers["layer_digest"], strict=True)
    told = zip(layers["instruction"], layers["size"], strict=True)
    return dict(zip(keys, told, strict=True))


def _named(row: Any, steps: dict[tuple[str, str], tuple[str, Any]]) -> list[Any]:
    pair = f"{row.left_name} \N{RIGHTWARDS ARROW} {row.right_name}"
    what, old, new = row.key, row.left, row.right
    if row.aspect == "size":
        old, new = (wording.size(int(size)) for size in (old, new))
    elif row.aspect == "layers":
        left, right = steps.get((row.left_name, old)), steps.get((row.right_name, new))
        told = right or left
        if told is not None and pd.notna(told[0]):
            what = told[0]
        old, new = (
            wording.size(layer[1]) if layer is not None else short
            for layer, short in ((left, old), (right, new))
        )
    if row.aspect == "history":
        what = f"step {what}"
    return [pair, row.aspect, what, row.size_change, old, new]


def packages_inside(result: "Result") -> pd.DataFrame:
    """Return the packages of the newest of a few images, by step; what changed in them first.

    That is since the oldest of them, whose packages that are gone are there too.
    """
    named = read_inside(result)
    columns = ["type", "name", "version", "instruction", "installed_size", "licence"]
    new = _by_package(result, named[-1] if named else ("", "")).reindex(columns=columns)
    if len(named) <= 1:
        return new.reset_index(drop=True)
    old = _by_package(result, named[0]).reindex(columns=columns)
    both = new.index.union(old.index, sort=False)
    table = new.reindex(both).fillna(old.drop(columns="version").reindex(both))
    table.insert(3, "before", old["version"].reindex(both))
    is_new, is_old = both.isin(new.index), both.isin(old.index)
    change = pd.Series(None, both, dtype="str")
    change[is_new & is_old & table["version"].ne(table["before"])] = "changed"
    change[~is_old], change[~is_new] = "added", "removed"
    table.insert(4, "change", change)
    order = table["change"].isna().sort_values(kind="stable").index
    return table.loc[order].reset_index(drop=True)


def read_inside(result: "Result") -> list["Row"]:
    """Return the tags whose layers could be read, the old before the new."""
    told = result.fetched.get("distributions", result.frame)
    read = set(zip(told["repo"], told["tag"], strict=True))
    return [row for row in result.state.inside if row in read]


def _by_package(result: "Result", row: "Row") -> pd.DataFrame:
    """Return the packages of an image, each once with all its versions, and the step of each."""
    frame, layers = result.frame, result.fetched.get("layers")
    own = frame[(frame["repo"] == row[0]) & (frame["tag"] == row[1])]
    steps = {} if layers is None else layers.set_index("layer_digest")["instruction"].to_dict()
    scoped = "@" + own["namespace"] + "/" + own["name"]
    own = own.assign(
        # npm's scope is part of the name; a distribution is the same for all.
        name=scoped.where(own["type"].eq("npm") & own["namespace"].notna(), own["name"]),
        instruction=own["layer_digest"].map(steps).astype("str"),
    )
    return own.groupby(["type", "name"]).agg(
        type=("type", "first"),
        name=("name", "first"),
        version=("version", lambda some: " ".join(some.dropna().unique()) or None),
        instruction=("instruction", "first"),
        installed_size=("installed_size", lambda sizes: sizes.sum(min_count=1)),
        licence=("licence", "first"),
    )


def worst_vulnerabilities(result: "Result") -> pd.DataFrame:
    """Return vulnerabilities, the worst first, with the build step that brought each."""
    return worst_first(result.frame, result.fetched.get("layers"))


def wrong_references(result: "Result") -> pd.DataFrame:
    """Return references; of those that were checked with what is wrong, the most urgent first."""
    frame = result.frame
    return wrong_first(frame).drop(columns="problem") if "exists" in frame else frame


def ended_first(result: "Result") -> pd.DataFrame:
    """Return what products tags are of, those first that ended first."""
    known = result.frame.dropna(subset="product")
    return known.sort_values("eol_at", kind="stable", na_position="last")


def windows_in_hours(result: "Result") -> pd.DataFrame:
    """Return limits with the window in words."""
    frame = result.frame
    table = frame.drop(columns="window_seconds")
    table.insert(4, "window", [window(one) for one in frame["window_seconds"]])
    return table


def window(seconds: Any) -> str | None:
    """Say how long a limit's window is, in hours, minutes or seconds."""
    if pd.isna(seconds):
        return None
    for unit, length in (("hour", _HOUR), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            return wording.counted(int(seconds) // length, unit)
    return wording.counted(int(seconds), "second")
