"""What a report was limited to, in words: each frame of it says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hubframe.frames.selection import ALL, USUAL_PLATFORM, Platforms, TagFilter
from hubframe.oci.reference import ImageReference

Frames = Mapping[str, pd.DataFrame]
LABELLED = ("labels", "env", "configs")
# What each answer was measured of.
_OF = {
    "footprint": "layers",
    "shared_layers": "layers",
    "size_trend": "layers",
    "parents": "layers",
    "outdated": "layers",
    "latest_lag": "tags",
    "staleness": "tags",
    "coverage": "labels",
    "platform_coverage": "images",
    "cleanup": "layers",
}


@dataclass(frozen=True)
class Limits:
    """How far a report looks.

    Attributes
    ----------
    tags
        Which tags of whole repositories.
    newest
        How many of the newest tags have their images read; None for all.
    platform
        Platforms whose images are read.
    described
        How many of the newest tags of a repository on Docker Hub have labels, environment and
        configuration read: each distinct image costs a pull, once. None for all.
    """

    tags: TagFilter = None
    newest: int | None = None
    platform: Platforms = ALL
    described: int | None = None

    @property
    def with_pulls(self) -> "Limits":
        """The limits where each image costs a pull."""
        counts = [count for count in (self.newest, self.described) if count is not None]
        platform = USUAL_PLATFORM if self.platform == ALL else self.platform
        return Limits(self.tags, min(counts, default=None), platform)

    def __str__(self) -> str:
        which = "the tags asked for" if self.tags is not None else "all tags but signatures"
        if self.newest is not None:
            newest = "newest tag" if self.newest == 1 else f"{self.newest:,} newest tags"
            which = f"the {newest} of each repository"
            which += " among those asked for" if self.tags is not None else ""
        return f"{which}, {self._platforms()}"

    def _platforms(self) -> str:
        if self.platform == ALL:
            return "all platforms"
        return self.platform if isinstance(self.platform, str) else ", ".join(self.platform)


def tell(frames: Frames, asked: Sequence[ImageReference], limits: Limits) -> None:
    """Write into each frame what it was limited to, and whether that is less than all."""
    is_named = any(one.tag or one.digest for one in asked)
    for name, frame in frames.items():
        words = _words(name, asked, limits)
        # A tag that was named is read whatever the limits; others of its repository are not.
        words += "; of some repositories only the tags named" if is_named else ""
        frame.attrs["hubframe"] |= {
            "scope": words,
            "limited": is_named or (name != "repos" and not words.startswith(_WHOLE[name])),
        }


_ALL_TAGS = "all tags"
_ALL_IMAGES = "all tags but signatures, all platforms"
_WHOLE = {
    "tags": _ALL_TAGS,
    **dict.fromkeys(("images", "layers", "history", *LABELLED), _ALL_IMAGES),
}


def _words(name: str, asked: Sequence[ImageReference], limits: Limits) -> str:
    if name == "repos":
        return "the repositories asked for"
    if name == "tags":
        return _ALL_TAGS if limits.tags is None else "the tags asked for"
    if name not in LABELLED or not any(one.is_hub for one in asked):
        return str(limits)
    if all(one.is_hub for one in asked):
        return str(limits.with_pulls)
    return f"on Docker Hub {limits.with_pulls}; elsewhere {limits}"


def scopes(frames: Frames, answers: Frames) -> dict[str, str]:
    """Return what each frame and each answer covers, in words; what nobody told is left out."""
    told = {name: frame.attrs.get("hubframe") for name, frame in frames.items()}
    known = {name: one["scope"] for name, one in told.items() if one and one.get("scope")}
    return known | {name: known[_OF[name]] for name in answers if _OF[name] in known}


def is_limited(name: str, frames: Frames) -> bool:
    """Tell whether a frame or an answer is known to cover less than all tags and platforms."""
    told = frames[_OF.get(name, name)].attrs.get("hubframe")
    return bool(told and told.get("limited"))
