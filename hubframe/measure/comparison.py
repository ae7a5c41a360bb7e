"""What differs between images: layers, history, configuration, environment, labels, size."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import pandas as pd

from hubframe.measure.holdings import IMAGE
from hubframe.measure.images import identity
from hubframe.measure.steps import Step, paired
from hubframe.tables import CONFIGS, TABLES
from hubframe.tables.measured import COMPARISON

Frames = Mapping[str, pd.DataFrame]
FRAMES = ("layers", "history", "configs", "env", "labels")
# Counts and sizes follow from the other aspects.
_FIELDS = [
    name
    for name in CONFIGS.dtypes
    if name not in (*IMAGE, "layer_count", "label_count", "env_count", "size")
]
_LEAST = 2


def compare_frames(images: Sequence[Frames]) -> pd.DataFrame:
    """List what differs between images, each compared with the next.

    Parameters
    ----------
    images
        For each image its frames by name, with no other image in them: ``layers``, ``history``,
        ``configs``, ``env`` and ``labels``, or some of these. An aspect is compared where both
        images have its frame.

    Returns
    -------
    pandas.DataFrame
        The table `comparison`: a row per difference, pairs as given, then by aspect, then by
        position or key. An image compared with itself gives no row. Layers and steps are aligned
        as lines of a text are; one that was replaced by another of the same instruction, else of
        the same but for versions, hashes and dates, is *changed*. So is, by a guess, one in whose
        place stands another of the same kind (``RUN``, ``COPY``), or another base. Labels from
        elsewhere than the config say so in their key. The order of the frames' rows does not
        matter.

    Raises
    ------
    TypeError, ValueError
        There are fewer than two images; what is given is no frame, lacks a column, or holds other
        images too, which the message names.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     env = [hubframe.env_df(f"library/python:{tag}") for tag in ("3.14.0", "3.14.3")]
    >>> found = hubframe.measure.compare_frames([{"env": frame} for frame in env])
    >>> found[["key", "left", "right"]].to_numpy().tolist()
    [['PYTHON_VERSION', '3.14.0', '3.14.3']]
    """
    read = [_Image.of(frames, place) for place, frames in enumerate(images, 1)]
    if len(read) < _LEAST:
        raise ValueError(
            f"there is nothing to compare with: give two images or more, not {len(read)}"
        )
    pairs = dict.fromkeys(pairwise(_named_apart(read)))
    rows = [
        (left.name, right.name, *difference)
        for left, right in pairs
        for difference in _differences(left, right)
    ]
    return COMPARISON.of(pd.DataFrame(rows, columns=list(COMPARISON.dtypes)))


class _Difference(NamedTuple):
    """What a row of the table says of a pair."""

    aspect: str
    key: str
    left: str | None
    right: str | None
    change: str
    size_change: int | None = None


def _name(frames: Any) -> tuple[str, ...]:
    """Check that frames are there and speak of one image; name it as its first tag does."""
    if not isinstance(frames, Mapping):
        raise TypeError(f"expected frames by name, not {type(frames).__name__}")
    unknown = [str(name) for name in frames if name not in FRAMES]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: there are only {', '.join(FRAMES)} to compare")
    for name, frame in frames.items():
        TABLES[name].require(frame)
    rows = [frame[IMAGE] for frame in frames.values() if not frame.empty]
    if not rows:
        raise ValueError("no frame has a row of it")
    names = pd.concat(rows)
    count = identity(names).nunique()
    if count > 1:
        raise ValueError(f"its frames hold {count} images; choose the rows of one")
    return tuple(names.sort_values(IMAGE).fillna("").iloc[0])


@dataclass(frozen=True, eq=False)
class _Image:
    """One image's frames, and its name."""

    frames: Frames
    name: str
    platform: str

    @classmethod
    def of(cls, frames: Any, place: int) -> "_Image":
        """Read the frames of the image that was given at a place."""
        try:
            repo, tag, platform, digest = _name(frames)
        except (TypeError, ValueError) as error:
            raise type(error)(f"image {place}: {error}") from None
        return cls(frames, f"{repo}:{tag}" if tag else f"{repo}@{digest}", platform)

    def rows(self, name: str, *columns: str) -> list[dict[str, Any]]:
        """Return rows of a frame in order, null as None; an image of two tags has them once."""
        frame = self.frames[name][list(columns)].drop_duplicates().sort_values(list(columns))
        return [
            {str(key): None if pd.isna(value) else value for key, value in row.items()}
            for row in frame.to_dict("records")
        ]

    @cached_property
    def layers(self) -> list[Step]:
        """The layers, base first."""
        rows = self.rows("layers", "position", "layer_digest", "instruction", "size")
        return [
            Step(row["layer_digest"], row["instruction"], row["size"], is_base=not place)
            for place, row in enumerate(rows)
        ]

    @cached_property
    def history(self) -> list[Step]:
        """The build steps, first step first."""
        rows = self.rows("history", "step", "instruction", "created_by")
        said = [row["instruction"] or row["created_by"] for row in rows]
        return [Step(instruction or "", instruction, None) for instruction in said]

    @cached_property
    def size(self) -> int | None:
        """The bytes of all layers, None where one's are not known."""
        sizes = [layer.size for layer in self.layers]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @cached_property
    def config(self) -> dict[str, str | None]:
        """The fields of the configuration."""
        rows = self.rows("configs", *_FIELDS)
        return {name: _text(value) for name, value in rows[0].items()} if rows else {}

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment."""
        return {row["key"]: row["value"] for row in self.rows("env", "key", "value")}

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels, by key and source."""
        rows = self.rows("labels", "source", "key", "value")
        return {_label_key(row["key"], row["source"]): row["value"] for row in rows}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)


def _label_key(key: str, source: str) -> str:
    return key if source == "config" else f"{key} ({source})"


def _named_apart(images: list[_Image]) -> list[_Image]:
    """Name the platform too where two images have one name and different platforms."""
    platforms: dict[str, set[str]] = {}
    for image in images:
        platforms.setdefault(image.name, set()).add(image.platform)
    return [
        _Image(image.frames, f"{image.name} {image.platform}", image.platform)
        if len(platforms[image.name]) > 1
        else image
        for image in images
    ]


def _differences(left: _Image, right: _Image) -> Iterator[_Difference]:
    """Compare the aspects whose frames both images have."""
    common = [name for name in FRAMES if name in left.frames and name in right.frames]
    for name in common:
        yield from _COMPARE[name](left, right)


def _of_layers(left: _Image, right: _Image) -> Iterator[_Difference]:
    if left.size != right.size:
        change = None if left.size is None or right.size is None else right.size - left.size
        yield _changed("size", "size", _text(left.size), _text(right.size), change)
    counts = len(left.layers), len(right.layers)
    if counts[0] != counts[1]:
        yield _changed("size", "layer_count", str(counts[0]), str(counts[1]))
    yield from _steps("layers", left.layers, right.layers)


def _of_history(left: _Image, right: _Image) -> Iterator[_Difference]:
    return _steps("history", left.history, right.history)


def _of_config(left: _Image, right: _Image) -> Iterator[_Difference]:
    if left.config and right.config:
        was, now = (
            {name: text for name, text in one.config.items() if text} for one in (left, right)
        )
        yield from _values("config", was, now, order=_FIELDS)


def _of_env(left: _Image, right: _Image) -> Iterator[_Difference]:
    return _values("env", left.env, right.env)


def _of_labels(left: _Image, right: _Image) -> Iterator[_Difference]:
    return _values("labels", left.labels, right.labels)


_COMPARE: dict[str, Callable[[_Image, _Image], Iterator[_Difference]]] = {
    "layers": _of_layers,
    "history": _of_history,
    "configs": _of_config,
    "env": _of_env,
    "labels": _of_labels,
}


def _values(
    aspect: str,
    left: Mapping[str, str | None],
    right: Mapping[str, str | None],
    order: Iterable[str] | None = None,
) -> Iterator[_Difference]:
    """Compare values by key."""
    for key in order or sorted({*left, *right}):
        was, now = left.get(key), right.get(key)
        if key not in left and key in right:
            yield _Difference(aspect, key, None, now or None, "added")
        elif key in left and key not in right:
            yield _Difference(aspect, key, was or None, None, "removed")
        elif was != now:
            yield _changed(aspect, key, was, now)


def _changed(
    aspect: str, key: str, left: str | None, right: str | None, size: int | None = None
) -> _Difference:
    return _Difference(aspect, key, left or None, right or None, "changed", size)


def _steps(aspect: str, left: list[Step], right: list[Step]) -> Iterator[_Difference]:
    """Compare layers or build steps, aligned."""
    for i, j, _ in paired(left, right):
        was, now = (None if i is None else left[i]), (None if j is None else right[j])
        if was is None and now is not None:
            yield _Difference(aspect, str(j), None, now.value or None, "added", now.size)
        elif now is None and was is not None:
            less = None if was.size is None else -was.size
            yield _Difference(aspect, str(i), was.value or None, None, "removed", less)
        elif was is not None and now is not None and was.value != now.value:
            known = None not in (was.size, now.size)
            more = (now.size or 0) - (was.size or 0) if known else None
            yield _changed(aspect, str(i), was.value, now.value, more)
