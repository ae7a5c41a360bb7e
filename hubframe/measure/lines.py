"""Lines of releases: which tag a tag's image was, and what that tag is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from hubframe.measure.dates import dated
from hubframe.measure.names import names_of
from hubframe.oci.tagnames import Kind, TagName, is_digest_tag, moving


class Move(NamedTuple):
    """What a tag became, and the first pushes of what it was and of what it is."""

    pushed_at: pd.Timestamp | None
    newer_tag: str
    newer_digest: str | None
    newer_pushed_at: pd.Timestamp | None


def current(tags: pd.DataFrame) -> pd.DataFrame:
    """Return the tags that name no digest, as they are now: of several rows the last push."""
    columns = ["repo", "tag", "digest"]
    rows = tags[columns].assign(pushed_at=dated(tags["pushed_at"])).dropna(subset="tag")
    rows = rows[~rows["tag"].map(is_digest_tag).astype(bool)]
    rows = rows.sort_values(["pushed_at", *columns], na_position="first")
    return rows.drop_duplicates(["repo", "tag"], keep="last")


def line_names(names: Mapping[str, TagName]) -> dict[str, str]:
    """Name the line of each release: ``*-alpine`` for the versions of a variant.

    Pre-releases are in none, nor are tags that are meant to move: others go on from their numbers,
    or the same image has a build besides.
    """
    moved = moving(names.values())
    lines = {}
    for tag, name in names.items():
        if not name.stage and name.kind >= Kind.DATE and tag not in moved:
            prefix = "" if name.is_version else name.prefix
            what = "<day>" if name.kind is Kind.DATE else "*"
            lines[tag] = f"{prefix}{what}{name.variant and f'-{name.variant}'}"
    return lines


@dataclass(frozen=True)
class Lines:
    """The tags of repositories, to follow them."""

    # For each repository, what its tags point at now, and what their names say.
    digests: dict[str, dict[str, str | None]]
    names: dict[str, dict[str, TagName]]
    # For repository and digest, the tags that point at it now, sorted, and the first push.
    aliases: dict[tuple[str, str], list[str]]
    pushed: dict[Any, pd.Timestamp]

    @classmethod
    def of(cls, tags: pd.DataFrame) -> "Lines":
        """Read the tags frame; of a tag at several times the one pushed last is now."""
        proper = tags[~tags["tag"].fillna("").map(is_digest_tag).astype(bool)]
        first = proper.assign(pushed_at=dated(proper["pushed_at"]))
        first = first.dropna(subset=["repo", "tag", "digest", "pushed_at"])
        now = current(tags).sort_values(["repo", "tag"])
        pushed_first = first.groupby(["repo", "digest"])["pushed_at"].min().to_dict()
        lines = cls({}, names_of(now), {}, pushed_first)
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
        tags = self.aliases[repo, digest] if digest else [tag]
        newer = self._newer(repo, max((self.names[repo][one] for one in tags), key=_exactness))
        if newer is None or newer in tags:
            return None
        newer_digest, newer_pushed = self._now(repo, newer)
        is_older = pushed is not None and newer_pushed is not None and newer_pushed <= pushed
        return None if is_older else Move(pushed, newer, newer_digest, newer_pushed)

    def _now(self, repo: str, tag: str) -> tuple[str | None, pd.Timestamp | None]:
        """Return the digest of a tag and its first push."""
        digest = self.digest(repo, tag)
        return digest, self.pushed.get((repo, digest or f":{tag}"))

    def _newer(self, repo: str, name: TagName) -> str | None:
        """Return the tag that the newest of the line has: the moving one, else the highest."""
        if _is_choice(name):
            return None
        if name.moving in self.digests[repo]:
            return name.moving
        newer = [
            other
            for other in self.names[repo].values()
            if not other.stage and _line(other) == _line(name) and other.order > name.order
        ]
        return max(newer, key=lambda other: (other.order, other.tag)).tag if newer else None


def _is_choice(name: TagName) -> bool:
    """Tell whether no tag replaces it: what 12 becomes is 13, which somebody chooses."""
    is_whole = len(name.numbers) == 1 and name.kind >= Kind.NAMED_VERSION
    return name.kind < Kind.DATE or (is_whole and not (name.build or name.stage))


def _line(name: TagName) -> tuple[Any, ...]:
    """Return what updates of a tag have in common: all numbers but the last, and the variant."""
    if name.kind is Kind.DATE:
        return (name.line,)
    return name.line, name.numbers[:-1] if len(name.numbers) > 1 else name.numbers


def _exactness(name: TagName) -> tuple[Any, ...]:
    """Rank the names of an image: the one that is moved least comes last."""
    is_dated = name.kind is Kind.DATE
    return is_dated or bool(name.build), len(name.numbers), len(name.tag), name.tag
