"""Lines of releases: which tag a tag's image was, and what that tag is now."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from hubframe.measure.dates import dated
from hubframe.tables import versions

# A day within a tag, as in bookworm-20240110-slim.
_STAMP = re.compile(r"[-_.](?P<day>(?:19|20)\d{6}(?:\.\d+)?)(?=$|[-_.])")
_FIGURES_OF_A_DAY = 8


class Move(NamedTuple):
    """What a tag became, and the first pushes of what it was and of what it is."""

    pushed_at: pd.Timestamp | None
    newer_tag: str
    newer_digest: str | None
    newer_pushed_at: pd.Timestamp | None


class _Place(NamedTuple):
    """Where a tag stands: its line, its place in it, and the name that the line's newest has."""

    line: tuple[Any, ...]
    order: tuple[Any, ...]
    is_final: bool
    shorter: str | None


@dataclass(frozen=True)
class Lines:
    """The tags of repositories, to follow them.

    Attributes
    ----------
    digests
        For each repository, what its tags point at now.
    aliases
        For repository and digest, the tags that point at it now, sorted.
    pushed
        For repository and digest, the first push.
    """

    digests: dict[str, dict[str, str | None]]
    aliases: dict[tuple[str, str], list[str]]
    pushed: dict[tuple[str, str | None], pd.Timestamp]

    @classmethod
    def of(cls, tags: pd.DataFrame) -> "Lines":
        """Read the tags frame; of a tag at several times the one pushed last is now."""
        columns = ["repo", "tag", "digest"]
        listed = tags[columns].assign(pushed_at=dated(tags["pushed_at"])).dropna(subset="tag")
        listed = listed[~listed["tag"].map(versions.is_digest_tag).astype(bool)]
        listed = listed.sort_values(["pushed_at", *columns], na_position="first")
        first = listed.dropna().drop_duplicates(["repo", "digest"])
        pairs = zip(first["repo"], first["digest"], strict=True)
        lines = cls({}, {}, dict(zip(pairs, first["pushed_at"], strict=True)))
        now = listed.drop_duplicates(["repo", "tag"], keep="last").sort_values(["repo", "tag"])
        for repo, tag, digest, pushed in now.itertuples(index=False, name=None):
            known = digest if isinstance(digest, str) else None
            lines.digests.setdefault(repo, {})[tag] = known
            if known is not None:
                lines.aliases.setdefault((repo, known), []).append(tag)
            elif not pd.isna(pushed):
                lines.pushed[repo, f":{tag}"] = pushed
        return lines

    def digest(self, repo: str, tag: str) -> str | None:
        """Tell what a tag points at now, where that is known."""
        return self.digests.get(repo, {}).get(tag)

    def moved(self, repo: str, tag: str, before: str | None) -> Move:
        """Tell what a tag became that had another digest before."""
        return Move(self.pushed.get((repo, before)), tag, *self._now(repo, tag))

    def follow(self, repo: str, tag: str) -> Move | None:
        """Tell what the tag became that a tag's image had, or None where it still has it."""
        if tag not in self.digests.get(repo, {}):
            return None
        digest, pushed = self._now(repo, tag)
        names = self.aliases[repo, digest] if digest else [tag]
        newer = self._newer(repo, max(names, key=_particularity))
        if newer is None or newer in names:
            return None
        newer_digest, newer_pushed = self._now(repo, newer)
        is_older = pushed is not None and newer_pushed is not None and newer_pushed <= pushed
        return None if is_older else Move(pushed, newer, newer_digest, newer_pushed)

    def _now(self, repo: str, tag: str) -> tuple[str | None, pd.Timestamp | None]:
        """Return the digest of a tag and its first push."""
        digest = self.digest(repo, tag)
        return digest, self.pushed.get((repo, digest or f":{tag}"))

    def _newer(self, repo: str, tag: str) -> str | None:
        """Return the tag that the newest of the line has: the shorter one, else the highest."""
        tags, place = self.digests[repo], _place(tag)
        if place is None:
            return None
        if place.shorter in tags:
            return place.shorter
        line = [
            (other.order, name)
            for name in tags
            if (other := _place(name)) and _follows(other, place)
        ]
        return max(line)[1] if line else None


def _follows(other: _Place, place: _Place) -> bool:
    return other.is_final and other.line == place.line and other.order > place.order


def _particularity(tag: str) -> tuple[Any, ...]:
    """Rank the names of an image: the one that is moved least comes last."""
    version = versions.parse(tag)
    count = len(version.order[0]) if version else 0
    return _STAMP.search(tag) is not None, count, len(tag), tag


def _place(tag: str) -> _Place | None:
    """Tell where a tag stands in a line, or None where it names no release."""
    stamp = _STAMP.search(tag)
    if stamp is not None:
        stem = tag[: stamp.start()] + tag[stamp.end() :]
        return _Place((stem,), (stamp["day"],), True, stem)
    version = versions.parse(tag)
    return None if version is None else _place_of_version(tag, version)


def _place_of_version(tag: str, version: versions.Version) -> _Place | None:
    numbers, *stage = version.order
    mark = tag[: tag.index(version.text)]
    is_whole = len(numbers) == 1 and len(version.text) < _FIGURES_OF_A_DAY
    if is_whole and not version.is_prerelease:
        # What 12 becomes is 13, a choice and no update; it is its own line's newest.
        return None
    kept = version.text if version.is_prerelease else version.text.rpartition(".")[0]
    return _Place(
        line=(mark, numbers if is_whole else numbers[:-1], version.rest),
        order=(numbers[-1], *stage),
        is_final=not version.is_prerelease,
        shorter=f"{mark}{kept}{version.rest}" if kept else None,
    )
