"""pandas from column lists that are ready: the floor of whatever builds a frame."""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from benchmarks.collection import Json, copies, documents, tag_name

PER_IMAGE = 10
_OF_IMAGE = ("repo", "tag", "platform", "image_digest")
_TEXT = dict.fromkeys((*_OF_IMAGE, "layer_digest", "diff_id", "media_type", "instruction"), "str")
_LAYERS = {
    **_TEXT,
    "position": "Int64",
    "size": "Int64",
    "created_at": "datetime64[us, UTC]",
    "is_empty": "boolean",
}
_LABELS = dict.fromkeys((*_OF_IMAGE, "source", "key", "value"), "str")
Columns = dict[str, list[Any]]


def images(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Build the frames of layers and labels of all tags."""
    architecture = task["platform"].partition("/")[2]
    found = [documents(number, architecture) for number in range(task["tags"])]
    layers = _columns(_LAYERS, found, _layer_rows)
    labels = _columns(_LABELS, found, _label_rows)
    return lambda: {"layers": len(_frame(layers, _LAYERS)), "labels": len(_frame(labels, _LABELS))}


def layers(task: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Build one long frame of layers."""
    columns = _columns(_LAYERS, copies(task["rows"] // PER_IMAGE), _layer_rows)
    return lambda: {"layers": len(_frame(columns, _LAYERS))}


def _columns(
    dtypes: dict[str, str],
    found: Iterable[tuple[Json, Json]],
    rows: Callable[[Json, Json], list[tuple[Any, ...]]],
) -> Columns:
    columns: Columns = {name: [] for name in dtypes}
    own = [columns[name] for name in dtypes if name not in _OF_IMAGE]
    for number, pair in enumerate(found):
        made = rows(*pair)
        for name, value in zip(_OF_IMAGE, of_image(number), strict=True):
            columns[name] += [value] * len(made)
        for column, values in zip(own, zip(*made, strict=True), strict=True):
            column.extend(values)
    return columns


def of_image(number: int) -> tuple[str, str, str, str]:
    """Return the columns that say which image it is."""
    return ("acme/tool", tag_name(number), "linux/amd64", f"sha256:{number:064x}")


def _layer_rows(manifest: Json, config: Json) -> list[tuple[Any, ...]]:
    steps = [step for step in config["history"] if not step.get("empty_layer")]
    parts = zip(manifest["layers"], config["rootfs"]["diff_ids"], steps, strict=True)
    return [
        (
            layer["digest"],
            diff_id,
            layer["mediaType"],
            step["created_by"],
            position,
            layer["size"],
            step["created"],
            False,
        )
        for position, (layer, diff_id, step) in enumerate(parts)
    ]


def _label_rows(_: Json, config: Json) -> list[tuple[Any, ...]]:
    return [("config", key, value) for key, value in config["config"]["Labels"].items()]


def _frame(columns: Columns, dtypes: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: _series(columns[name], dtype) for name, dtype in dtypes.items()})


def _series(values: list[Any], dtype: str) -> pd.Series:
    if dtype.startswith("datetime"):
        return pd.to_datetime(pd.Series(values), format="ISO8601", utc=True).dt.as_unit("us")
    return pd.Series(values, dtype=dtype)
