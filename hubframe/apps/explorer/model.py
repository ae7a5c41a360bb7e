"""What is looked for, chosen and shown: the state of an explorer, without widgets or threads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from hubframe.errors import NotFoundError
from hubframe.frames.selection import (
    USUAL_PLATFORM,
    Platforms,
    Versions,
    platforms,
    tag_filter,
    versions_in,
)
from hubframe.oci.reference import ImageReference, is_namespace_page, is_registry, parse_registry
from hubframe.tables import TAGS

# The ways in which what is typed can be meant.
NAMESPACE, REPOSITORY, REGISTRY, WORDS = "namespace", "repository", "registry", "words"
# The function of hubframe that finds what is meant.
MEANINGS = {
    NAMESPACE: "repos_df",
    REPOSITORY: "tags_df",
    REGISTRY: "catalog_df",
    WORDS: "search_df",
}
# Where no tag is chosen, panels read so many of the newest.
FEW = 20
MOST_RECENT = 10
_MOST_SEEN = 500


@dataclass(frozen=True)
class Search:
    """What was typed, and what it may mean: the first of the meanings that is there."""

    text: str
    meanings: tuple[str, ...]

    @classmethod
    def read(cls, text: str, meaning: str | None = None) -> Self:
        """Read what was typed; the person may say what is meant."""
        text = text.strip()
        if not text:
            raise ValueError(
                "type a namespace (ansible), an image (nginx:1.27, ghcr.io/org/app), a registry "
                "(localhost:5000/) or words"
            )
        return cls(text, (meaning,) if meaning else _meanings(text))

    @property
    def reference(self) -> ImageReference:
        """The image or repository that is meant."""
        return ImageReference.parse(self.text)

    @property
    def call(self) -> tuple[str, str]:
        """The function of hubframe that finds what is meant first, and what it is asked for."""
        meaning, what = self.meanings[0], self.text
        if meaning == REPOSITORY:
            what = self.reference.repo
        elif meaning == REGISTRY:
            what = parse_registry(self.text)
        return MEANINGS[meaning], what


def _meanings(text: str) -> tuple[str, ...]:
    if any(blank.isspace() for blank in text):
        return (WORDS,)
    is_plain = not any(mark in text for mark in "/:@")
    if is_registry(text) and not is_plain:
        return (REGISTRY,)
    if is_namespace_page(text):
        return (NAMESPACE,)
    return (NAMESPACE, REPOSITORY, WORDS) if is_plain else (REPOSITORY,)


@dataclass(frozen=True)
class Filters:
    """Which tags of a repository are looked at, and which images of a tag panels read."""

    text: str = ""  # a part of the name, or a glob
    versions: Versions | None = None
    newest: int | None = None  # of each repository
    platform: Platforms = USUAL_PLATFORM
    everything: bool = False  # signatures and other digests in disguise, and attestations, too

    @property
    def glob(self) -> str | None:
        """The text as a glob; None where there is none."""
        if not self.text:
            return None
        return self.text if any(mark in self.text for mark in "*?[") else f"*{self.text}*"

    def apply(self, tags: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the table `tags` that are looked at, in their order."""
        tests = [tag_filter(test) for test in (self.glob, self.versions) if test is not None]
        wanted = [all(test(tag) for test in tests) for tag in tags["tag"]]
        shown = tags[pd.Series(wanted, index=tags.index, dtype=bool)]
        if not self.everything:
            shown = shown[~shown["is_digest_tag"].astype(bool)]
        if self.newest is not None:
            shown = shown.groupby("repo", sort=False).head(self.newest)
        return shown


def read_filters(
    text: str = "",
    versions: str | None = None,
    newest: int | None = None,
    platform: str = USUAL_PLATFORM,
    *,
    everything: bool = False,
) -> Filters:
    """Read filters as they were typed; ValueError names what cannot be read."""
    chosen = platform.strip() or USUAL_PLATFORM
    platforms(chosen)
    bounds = None if versions is None else versions_in(versions)
    return Filters(text.strip(), bounds, newest or None, chosen, everything)


@dataclass(frozen=True)
class Asked:
    """The arguments of a call: repositories or images, and keywords."""

    what: str | Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class State:
    """What an explorer shows."""

    search: Search | None = None  # None before anything is looked for
    listing: pd.DataFrame | None = None  # None where a repository was named
    repos: tuple[str, ...] = ()  # those that were opened, and `tags` all their tags
    tags: pd.DataFrame = field(default_factory=TAGS.frame)
    filters: Filters = field(default_factory=Filters)
    chosen: tuple[tuple[str, str], ...] = ()  # repositories and tags, in the order of choosing
    panel: str = "overview"
    keep: int = 10  # the rule whose outcome the clean-up panel shows
    older_than: int = 365
    recent: tuple[str, ...] = ()  # what was looked for before, the latest first
    seen: tuple[str, ...] = ()  # the repositories that were found or opened before, too

    @property
    def visible(self) -> pd.DataFrame:
        """The tags that are looked at."""
        return self.filters.apply(self.tags)

    @property
    def taken(self) -> list[tuple[str, str]]:
        """The tags that panels read: those that were chosen, else the newest that are visible."""
        if self.chosen:
            return list(self.chosen)
        few = self.visible.groupby("repo", sort=False).head(FEW)
        return list(zip(few["repo"], few["tag"], strict=True))

    @property
    def images(self) -> list[str]:
        """The tags that panels read, as calls take them."""
        return [f"{repo}:{tag}" for repo, tag in self.taken]

    @property
    def platform(self) -> dict[str, Platforms]:
        """Which images of a tag the panels read, as a keyword; none where it is the usual one."""
        platform = self.filters.platform
        return {} if platform == USUAL_PLATFORM else {"platform": platform}

    # What calls are asked for.

    def asked(self) -> Asked:
        """Return the arguments of a call for the images that panels read."""
        if not self.chosen and (narrowing := self._narrowing(FEW)) is not None:
            return Asked(self.opened_repos, narrowing | self.platform)
        return Asked(self.images, self.platform)

    def asked_tags(self) -> Asked:
        """Return the arguments of a call for the tags that are visible."""
        narrowing = self._narrowing(None)
        if narrowing is not None:
            return Asked(self.opened_repos, narrowing)
        visible = self.visible
        return Asked((visible["repo"] + ":" + visible["tag"]).tolist())

    def asked_platforms(self) -> Asked:
        """Return those for images of every platform, and attestations with everything else."""
        asked = self.asked()
        options = {name: value for name, value in asked.options.items() if name != "platform"}
        if self.filters.everything:
            options["attestations"] = True
        return Asked(asked.what, options)

    @property
    def opened_repos(self) -> str | list[str]:
        """The repositories that were opened, as calls take them."""
        return self.repos[0] if len(self.repos) == 1 else list(self.repos)

    def _narrowing(self, most: int | None) -> dict[str, Any] | None:
        """Return the keywords that choose the same tags; None where no keywords do."""
        filters = self.filters
        if filters.glob is not None and filters.versions is not None:
            return None
        tags = filters.glob or filters.versions or ("*" if filters.everything else None)
        narrowing: dict[str, Any] = {} if tags is None else {"tags": tags}
        everything = replace(filters, everything=True, newest=None).apply(self.tags)
        disguised = everything["is_digest_tag"].astype(bool)
        if narrowing and not filters.everything and disguised.any():
            # A call with these keywords would take digests in disguise.
            return None
        matching = everything if filters.everything else everything[~disguised]
        counts = [count for count in (filters.newest, most) if count is not None]
        if counts and min(counts) < matching["repo"].value_counts().max():
            narrowing["newest"] = min(counts)
        return narrowing

    # What a person does: each returns the state after it.

    def found(self, search: Search, listing: pd.DataFrame) -> "State":
        """Show the repositories that were found."""
        return replace(
            self,
            search=search,
            listing=listing,
            repos=(),
            tags=TAGS.frame(),
            chosen=(),
            recent=_first([search.text], self.recent, MOST_RECENT),
            seen=_first(listing["repo"], self.seen, _MOST_SEEN),
        )

    def opened(
        self, repos: Sequence[str], tags: pd.DataFrame, *, tag: str | None = None
    ) -> "State":
        """Show the tags of repositories; choose the one that was named."""
        chosen = ((repos[0], tag),) if tag is not None else ()
        seen = _first(repos, self.seen, _MOST_SEEN)
        return replace(self, repos=tuple(repos), tags=tags, chosen=chosen, seen=seen)

    def named(self, search: Search, tags: pd.DataFrame) -> "State":
        """Show the tags of the repository that was looked for."""
        reference = search.reference
        recent = _first([search.text], self.recent, MOST_RECENT)
        state = replace(self, search=search, listing=None, recent=recent)
        return state.opened([reference.repo], tags, tag=_tag_of(reference, tags))

    def chose(self, rows: Sequence[tuple[str, str]]) -> "State":
        """Choose tags."""
        return replace(self, chosen=tuple(rows))


def _first(names: Iterable[str], before: tuple[str, ...], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *before)))[:most]


def _tag_of(reference: ImageReference, tags: pd.DataFrame) -> str | None:
    """Return the tag that a reference names, of those that are there."""
    column, wanted = ("tag", reference.tag) if reference.tag else ("digest", reference.digest)
    if wanted is None:
        return None
    found = tags.loc[tags[column] == wanted, "tag"]
    if found.empty:
        raise NotFoundError(
            f"{reference.repo} has no tag {reference.tag or 'for this digest'}; look for "
            f"{reference.repo} to see which it has"
        )
    return str(found.iloc[0])
