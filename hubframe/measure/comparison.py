"""What differs between images: layers, history, configuration, environment, labels, size."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from hubframe.measure.images import identity, plain_rows
from hubframe.measure.layer_index import IMAGE
from hubframe.measure.steps import Step, paired
from hubframe.oci.contents.packages import OS_TYPES
from hubframe.tables import CONFIGS, TABLES
from hubframe.tables.measured import COMPARISON

Frames = Mapping[str, pd.DataFrame]
FRAMES = ("layers", "history", "configs", "env", "labels")
# Those take a download of layers.
_COMPARED = (*FRAMES, "packages")
# Counts and sizes follow from the other aspects.
_FIELDS = [
    name
    for name in CONFIGS.dtypes
    if name not in (*IMAGE, "layer_count", "label_count", "env_count", "size")
]
_LEAST = 2
# Aspect, key, both values, what kind of change, by how many bytes; where they have sizes also the
# step, and both.
_Difference = tuple[Any, ...]


def compare_frames(images: Sequence[Frames]) -> pd.DataFrame:
    """List what differs between images, each compared with the next.

    Parameters
    ----------
    images
        For each image its frames by name, with no other image in them: ``layers``, ``history``,
        ``configs``, ``env``, ``labels`` and ``packages``, or some of these. An aspect is compared
        where both images have its frame.

    Returns
    -------
    pandas.DataFrame
        The table `comparison`: a row per difference, pairs as given, then by aspect, then by
        position or key. An image compared with itself gives no row. Layers and steps are aligned as
        lines of a text are; one that was replaced by another of the same instruction, else of the
        same but for versions, hashes and dates, is *changed*. So is, by a guess, one in whose place
        stands another of the same kind (``RUN``, ``COPY``), or another base. Labels from elsewhere
        than the config say so in their key.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     env = [hubframe.env_df(f"library/python:{tag}") for tag in ("3.14.0", "3.14.3")]
    >>> found = hubframe.measure.compare_frames([{"env": frame} for frame in env])
    >>> found[["key", "left", "right"]].to_numpy().tolist()
    [['PYTHON_VERSION', '3.14.0', '3.14.3']]
    """
    images = list(images)
    named = []
    for place, frames in enumerate(images, 1):
        try:
            repo, tag, platform, digest = _name(frames)
        except (TypeError, ValueError) as error:
            raise type(error)(f"image {place}: {error}") from None
        named.append((f"{repo}:{tag}" if tag else f"{repo}@{digest}", platform))
    if len(named) < _LEAST:
        raise ValueError(
            f"there is nothing to compare with: give two images or more, not {len(named)}"
        )
    # The platform is named too where two images have one name and different platforms.
    platforms = Counter(name for name, _ in set(named))
    names = [f"{name} {platform}" if platforms[name] > 1 else name for name, platform in named]
    columns = list(COMPARISON.dtypes)
    rows = [
        dict(zip(columns, (*pair, *difference), strict=False))
        for pair, (left, right) in zip(pairwise(names), pairwise(images), strict=True)
        for difference in _differences(left, right)
    ]
    return COMPARISON.of(pd.DataFrame(rows, columns=columns))


def _name(frames: Any) -> tuple[str, ...]:
    """Check the frames that were given, and return the first name of their image."""
    if not isinstance(frames, Mapping):
        raise TypeError(f"expected frames by name, not {type(frames).__name__}")
    unknown = [str(name) for name in frames if name not in _COMPARED]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: there are only {', '.join(_COMPARED)} to compare")
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


def _differences(left: Frames, right: Frames) -> Iterator[_Difference]:
    """Compare the aspects whose frames both images have."""
    for name in _COMPARED:
        if name not in left or name not in right:
            continue
        if name in ("layers", "history"):
            steps = _steps(name, left[name]), _steps(name, right[name])
            if name == "layers":
                yield from _sizes(*steps)
            yield from _of_steps(name, *steps)
        elif name == "configs":
            if not (left[name].empty or right[name].empty):
                yield from _of_values("config", _config(left[name]), _config(right[name]), _FIELDS)
        else:
            values = _values(name, left[name]), _values(name, right[name])
            yield from _of_values(name, *values, sorted({*values[0], *values[1]}))


def _rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Return rows in order, null as None; those of an image with two tags are there once."""
    listed = list(columns)
    return list(plain_rows(frame[listed].drop_duplicates().sort_values(listed)))


def _steps(name: str, frame: pd.DataFrame) -> list[Step]:
    """Return the layers, base first, or the build steps."""
    if name == "layers":
        rows = _rows(frame, "position", "layer_digest", "instruction", "size")
        return [
            Step(digest, said, size, is_base=not place)
            for place, (_, digest, said, size) in enumerate(rows)
        ]
    said = [row[1] or row[2] for row in _rows(frame, "step", "instruction", "created_by")]
    return [Step(instruction or "", instruction, None) for instruction in said]


def _config(frame: pd.DataFrame) -> dict[str, str]:
    """Return the fields of the configuration that say something."""
    return {
        name: value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
        for name, value in zip(_FIELDS, _rows(frame, *_FIELDS)[0], strict=True)
        if value not in (None, "")
    }


def _values(name: str, frame: pd.DataFrame) -> dict[str, str]:
    """Return environment variables, packages or labels; of labels from elsewhere, where from."""
    if name == "env":
        return dict(_rows(frame, "key", "value"))
    if name == "packages":
        versions: dict[str, dict[str, None]] = {}
        for kind, namespace, package, version in _rows(
            frame, "type", "namespace", "name", "version"
        ):
            # A scope, group or vendor is part of the name; a distribution is the same for all.
            is_scoped = namespace and kind not in OS_TYPES
            scope = f"@{namespace}" if kind == "npm" else namespace
            scoped = f"{scope}/{package}" if is_scoped else package
            versions.setdefault(f"{kind}/{scoped}", {})[version or ""] = None
        return {key: " ".join(found) for key, found in versions.items()}
    return {
        key if source == "config" else f"{key} ({source})": value
        for source, key, value in _rows(frame, "source", "key", "value")
    }


def _sizes(left: list[Step], right: list[Step]) -> Iterator[_Difference]:
    """Compare the bytes of all layers, not known where one's are not, and their number."""
    sizes = ([step.size for step in steps] for steps in (left, right))
    was, now = (None if None in one else sum(filter(None, one)) for one in sizes)
    if was != now:
        change = None if was is None or now is None else now - was
        texts = [None if size is None else str(size) for size in (was, now)]
        yield "size", "size", texts[0], texts[1], "changed", change, None, was, now
    if len(left) != len(right):
        yield "size", "layer_count", str(len(left)), str(len(right)), "changed", None


def _of_values(
    aspect: str, left: Mapping[str, str], right: Mapping[str, str], keys: Iterable[str]
) -> Iterator[_Difference]:
    """Compare values by key."""
    for key in keys:
        was, now = left.get(key), right.get(key)
        if was != now:
            yield aspect, key, was or None, now or None, _change(was, now), None


def _of_steps(aspect: str, left: list[Step], right: list[Step]) -> Iterator[_Difference]:
    """Compare layers or build steps, aligned."""
    for i, j, _ in paired(left, right):
        was, now = (None if i is None else left[i]), (None if j is None else right[j])
        if was and now and was.value == now.value:
            continue
        before, after = (step.size if step else 0 for step in (was, now))
        change = None if before is None or after is None else after - before
        left_value, right_value = (step.value or None if step else None for step in (was, now))
        place = str(j if i is None else i)
        found = aspect, place, left_value, right_value, _change(was, now), change
        sizes = (step.size if step else None for step in (was, now))
        said = now.instruction if now and now.instruction else was and was.instruction
        yield (*found, said, *sizes) if aspect == "layers" else found


def _change(was: object, now: object) -> str:
    return "added" if was is None else "removed" if now is None else "changed"
