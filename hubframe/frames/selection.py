"""What a caller asks for: references, tags and platforms, read from the forms people write."""

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

import pandas as pd

from hubframe.errors import InvalidReferenceError
from hubframe.oci.platforms import Platform, acceptable_names
from hubframe.oci.reference import ImageReference, parse_owner
from hubframe.oci.tagnames import TagName, is_digest_tag, read
from hubframe.tables.shape import Image

What = str | ImageReference | Iterable[str | ImageReference] | pd.DataFrame
TagFilter = str | Iterable[str] | re.Pattern[str] | Callable[[str], bool] | None
Platforms = str | Iterable[str]
# What takes a name or not, by how the caller wrote it.
Filters = Mapping[str, Callable[[str], Any]]

# What frames show unless told otherwise: the same on every machine.
USUAL_PLATFORM = "linux/amd64"
ALL = "all"


def references(what: What) -> list[ImageReference]:
    """Read what is asked for, each once, in the order given."""
    if isinstance(what, pd.DataFrame):
        return list(dict.fromkeys(_rows(what)))
    if not isinstance(what, ImageReference | Iterable) or isinstance(what, Mapping | bytes):
        raise TypeError(
            f"expected an image reference, a list of them, or a frame with a column repo, "
            f"not {type(what).__name__}"
        )
    asked: Iterable[Any] = [what] if isinstance(what, str | ImageReference) else what
    found = (one if isinstance(one, ImageReference) else ImageReference.parse(one) for one in asked)
    return list(dict.fromkeys(found))


def tags_of(what: What, name: str) -> list[ImageReference]:
    """Read what a frame of tags is asked for: a digest beside a tag does not count there."""
    asked = references(what)
    for one in asked:
        if one.digest and not one.tag:
            raise ValueError(f"{one} names an image, and no tag: {name} takes tags; see images_df")
    return list(dict.fromkeys(one.at(tag=one.tag) for one in asked))


def read_namespaces(what: str | Iterable[str]) -> list[str]:
    """Read namespaces, those of other registries with their host, each once, in the order given."""
    if isinstance(what, pd.DataFrame):
        if "namespace" not in what:
            raise TypeError("the frame has no column namespace: repos_df takes users' names")
        what = what.namespace if "repo" not in what else _owners(what)
    if not isinstance(what, Iterable) or isinstance(what, bytes | Mapping):
        raise TypeError(f"expected a namespace or a list of them, not {type(what).__name__}")
    found = [what] if isinstance(what, str) else what
    return list(dict.fromkeys(map(parse_owner, found)))


def _owners(frame: pd.DataFrame) -> list[str]:
    """Name whose repositories the rows of a frame are: elsewhere than on Docker Hub with a host."""
    pairs = frame[["repo", "namespace"]].itertuples(index=False, name=None)
    read = ((ImageReference.parse(repo), namespace) for repo, namespace in pairs)
    return [name if one.is_hub else f"{one.registry}/{name}" for one, name in read]


def _rows(frame: pd.DataFrame) -> list[ImageReference]:
    """A row is a tag where it has one, an image where it has a digest, else a repository.

    Of references in files it is the whole reference, and none where that is not known.
    """
    if "reference" in frame:
        return [ImageReference.parse(one) for one in frame["reference"].dropna().drop_duplicates()]
    if "repo" not in frame:
        raise TypeError(
            f"the frame has no column repo; its columns are {', '.join(map(str, frame))}"
        )
    names = [name for name in ("repo", "tag", "image_digest") if name in frame]
    rows = frame[names].drop_duplicates().itertuples(index=False, name=None)
    return [_row(dict(zip(names, row, strict=True))) for row in rows]


def _row(row: Mapping[str, Any]) -> ImageReference:
    held = {name: value for name, value in row.items() if not pd.isna(value) and value != ""}
    if "repo" not in held:
        raise InvalidReferenceError(
            "the column repo holds a null: expected a repository in each row"
        )
    for name, value in held.items():
        if not isinstance(value, str):
            # A tag that was read as a number has lost its zeros: 3.10 is 3.1 then.
            raise TypeError(f"the column {name} holds {value!r}, which is no text; read it as text")
    marks = {"tag": ":", "image_digest": "@"}
    ends = (f"{mark}{held[name]}" for name, mark in marks.items() if name in held)
    return ImageReference.parse(f"{held['repo']}{next(ends, '')}")


@dataclass(frozen=True)
class Versions:
    """Tells whether a tag's version is among some; made by `versions_in`."""

    text: str
    bounds: tuple[tuple[str, TagName], ...]
    is_stable: bool

    def __call__(self, tag: str) -> bool:
        """Tell whether a tag is wanted."""
        found = read(tag)
        if not found.is_version or (self.is_stable and found.is_prerelease):
            return False
        return all(_holds(sign, found, bound) for sign, bound in self.bounds)

    def __repr__(self) -> str:
        return f"hubframe.versions_in({json.dumps(self.text, ensure_ascii=False)})"


def versions_in(text: str = "") -> Versions:
    """Return what decides whether a tag's version is wanted, for the keyword ``tags=``.

    Parameters
    ----------
    text
        Bounds with commas between, all of which must hold: ``>=2.9,<3``; a version alone stands
        for itself and what is below it (``2.9`` for 2.9.1 too); ``stable`` leaves out
        pre-releases. Without any, every tag with a version is wanted; days of builds have none.

    Raises
    ------
    ValueError
        A part is no bound.

    Examples
    --------
    >>> [tag for tag in ("2.8.1", "2.9", "2.9.1-slim", "3.0", "latest") if versions_in("2.9")(tag)]
    ['2.9', '2.9.1-slim']
    >>> versions_in(">=2.9, <3, stable")("2.10.0-rc1")
    False
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    bounds = [_bound(part) for part in parts if part != _STABLE]
    return Versions(", ".join(parts), tuple(bounds), _STABLE in parts)


def _bound(part: str) -> tuple[str, TagName]:
    found = re.fullmatch(r"(>=|<=|>|<|==|!=|)\s*(\S+)", part)
    version = read(found[2]) if found else None
    if found is None or version is None or not version.is_version or version.variant:
        raise ValueError(
            f"{part!r} is no bound of a version: expected such as >=2.9, <3, 2.9 or {_STABLE}"
        )
    return found[1], version


def _holds(sign: str, version: TagName, bound: TagName) -> bool:
    if not sign:
        return version.numbers[: len(bound.numbers)] == bound.numbers
    precedences = [version.precedence, bound.precedence]
    if not bound.build:
        # Builds count only against a bound that names one: 17.0.16_9 is within <=17.0.16.
        precedences = [(*one[:2], one[3]) for one in precedences]
    return _SIGNS[sign](*precedences)


_STABLE = "stable"
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def filters(tags: TagFilter) -> Filters:
    """Read a filter of tags: what decides, each entry of a list alone, by how it is written."""
    if tags is None:
        return {}
    if isinstance(tags, str):
        return {tags: tags.__eq__ if _is_name(tags) else re.compile(translate(tags)).match}
    if isinstance(tags, re.Pattern):
        return {tags.pattern: tags.search}
    if callable(tags):
        return {str(tags) if isinstance(tags, Versions) else "the function given": tags}
    if not isinstance(tags, Iterable):
        raise TypeError(
            f"tags: expected a glob, a list, a pattern or a function, not {type(tags).__name__}"
        )
    globs = list(tags)
    if not all(isinstance(glob, str) for glob in globs):
        raise TypeError("tags: the list holds something that is no text")
    return {glob: filters(glob)[glob] for glob in globs} or {"an empty list": lambda _: False}


def _is_name(glob: str) -> bool:
    return not any(mark in glob for mark in "*?[")


def tag_filter(tags: TagFilter) -> Callable[[str], bool]:
    """Return what decides whether a tag is wanted; see `filters`."""
    return any_of(filters(tags))


def any_of(given: Filters) -> Callable[[str], bool]:
    """Return what takes a tag that any of some filters does; without any, no digest tag."""
    if not given:
        return lambda tag: not is_digest_tag(tag)
    if len(given) == 1:
        matches = next(iter(given.values()))
        return lambda tag: bool(matches(tag))
    names = {glob for glob in given if _is_name(glob)}
    others = [matches for glob, matches in given.items() if glob not in names]
    return lambda tag: tag in names or any(matches(tag) for matches in others)


def platforms(platform: Platforms) -> list[Platform] | None:
    """Read the platforms wanted; None for all."""
    if not isinstance(platform, str | Iterable):
        raise TypeError(f"platform: expected text or a list, not {type(platform).__name__}")
    wanted = [platform] if isinstance(platform, str) else list(platform)
    if not wanted:
        raise ValueError('platform: the list is empty; expected such as linux/amd64, or "all"')
    if ALL in wanted:
        return None
    # Each once, however it is spelled.
    return list({one.name: one for one in map(Platform.parse, wanted)}.values())


def suiting(wanted: Iterable[Platform]) -> Filters:
    """Return what decides of a platform that there is whether it suits, by each one wanted."""
    return {one.name: frozenset(acceptable_names(one)).__contains__ for one in wanted}


def choose(
    images: list[Image],
    wanted: list[Platform] | None,
    *,
    attestations: bool,
    is_single: bool,
    untold: Sequence[Image] = (),
) -> list[Image]:
    """Choose the images of a tag for the platforms wanted; None for all.

    They come in the order of the tag's index: of equals the first is chosen, but for those whose
    platform the index does not tell (`untold`). A tag that is one image and no index
    (`is_single`) gives it whatever its platform.
    """
    proper = [image for image in images if not image.is_attestation]
    others = [image for image in images if image.is_attestation] if attestations else []
    if wanted is None or is_single:
        chosen = set(proper)
    else:
        by_name = {image.platform_name: image for image in reversed(proper)}
        chosen = set()
        for one in wanted:
            # One that tells no platform is the last resort.
            suited = [*acceptable_names(one), None]
            chosen.update([by_name[name] for name in suited if name in by_name][:1])
        names = {image.platform_name for image in chosen}
        chosen.update(image for image in untold if image.platform_name in names)
    if wanted is not None and not chosen:
        return []
    return sorted([*chosen, *others], key=lambda image: image.order)
