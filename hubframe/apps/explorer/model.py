"""What is looked for, chosen and shown: the state of an explorer, without widgets or threads."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import translate
from typing import Any

import numpy as np
import pandas as pd

from hubframe.errors import NotFoundError
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, Versions, platforms, versions_in
from hubframe.oci.reference import ImageReference, parse_registry
from hubframe.tables import TAGS

# The ways in which what is typed can be meant.
NAMESPACE, REPOSITORY, REGISTRY, WORDS = "namespace", "repository", "registry", "words"
MEANINGS = (NAMESPACE, REPOSITORY, REGISTRY, WORDS)
# Where no tag is chosen, panels read so many of the newest.
FEW = 20
MOST_RECENT = 10
_MOST_SEEN = 500


@dataclass(frozen=True)
class Search:
    """What was typed, and what it may mean.

    Attributes
    ----------
    text
        A namespace, a repository or image, a registry's host, or words.
    meanings
        What to take it for, the likeliest first: it means the first that is there.
    """

    text: str
    meanings: tuple[str, ...]

    @classmethod
    def read(cls, text: str, meaning: str | None = None) -> "Search":
        """Read what was typed.

        Parameters
        ----------
        text
            As typed.
        meaning
            One of `MEANINGS` where the person says it; None finds out.

        Raises
        ------
        ValueError
            Nothing was typed.
        """
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
    def host(self) -> str:
        """The registry that is meant."""
        return parse_registry(self.text.rstrip("/"))


def _meanings(text: str) -> tuple[str, ...]:
    if any(blank.isspace() for blank in text):
        return (WORDS,)
    if text.endswith("/") or re.fullmatch(r"(localhost|[\w.-]+\.[\w-]+|[\d.]+):\d+", text):
        return (REGISTRY,)
    if any(mark in text for mark in "/:@"):
        return (REPOSITORY,)
    return (NAMESPACE, REPOSITORY, WORDS)


@dataclass(frozen=True)
class Filters:
    """Which tags of a repository are looked at.

    Attributes
    ----------
    text
        A part of the name, or a glob where it has ``*``, ``?`` or ``[``.
    versions
        Bounds, as `hubframe.versions_in` takes them; None for tags without a version too.
    newest
        How many of each repository.
    platform
        Which images of a tag the panels read.
    everything
        Whether signatures and other digests in disguise, and attestations, are looked at too.
    """

    text: str = ""
    versions: Versions | None = None
    newest: int | None = None
    platform: Platforms = USUAL_PLATFORM
    everything: bool = False

    @property
    def glob(self) -> str | None:
        """The text as a glob; None where there is none."""
        if not self.text:
            return None
        return self.text if any(mark in self.text for mark in "*?[") else f"*{self.text}*"

    def apply(self, tags: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the table `tags` that are looked at, in their order."""
        wanted = pd.Series(data=True, index=tags.index)
        if not self.everything:
            wanted &= ~tags["is_digest_tag"].astype(bool)
        if self.glob is not None:
            matches = re.compile(translate(self.glob)).match
            wanted &= np.array([matches(tag) is not None for tag in tags["tag"]], dtype=bool)
        if self.versions is not None:
            wanted &= np.array([self.versions(tag) for tag in tags["tag"]], dtype=bool)
        shown = tags[wanted]
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
    """Read filters as they were typed.

    Raises
    ------
    ValueError
        A version's bound or a platform cannot be read; the message names it.
    """
    chosen = platform.strip() or USUAL_PLATFORM
    platforms(chosen)
    bounds = None if versions is None else versions_in(versions)
    return Filters(text.strip(), bounds, newest or None, chosen, everything)


@dataclass(frozen=True)
class Asked:
    """The arguments of a call for some images.

    Attributes
    ----------
    what
        Repositories, or images.
    options
        Keywords.
    """

    what: str | Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class State:
    """What an explorer shows.

    Attributes
    ----------
    search
        What is looked for; None before anything is.
    listing
        The repositories that were found; None where a repository was named.
    repos
        The repositories that were opened.
    tags
        All their tags, the table `tags`.
    filters
        Which of the tags are looked at.
    chosen
        Repository and tag of the rows that were chosen, in the order of their choosing.
    panel
        The name of the panel that is open.
    keep, older_than
        The rule whose outcome the clean-up panel shows.
    recent
        What was looked for before, the latest first.
    seen
        The repositories that were found or opened before, the latest first.
    """

    search: Search | None = None
    listing: pd.DataFrame | None = None
    repos: tuple[str, ...] = ()
    tags: pd.DataFrame = field(default_factory=TAGS.frame)
    filters: Filters = field(default_factory=Filters)
    chosen: tuple[tuple[str, str], ...] = ()
    panel: str = "overview"
    keep: int = 10
    older_than: int = 365
    recent: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

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
    def what(self) -> str | list[str]:
        """The repositories that were opened, as calls take them."""
        return self.repos[0] if len(self.repos) == 1 else list(self.repos)

    def asked(self) -> Asked:
        """Return the arguments of a call for the images that panels read."""
        options = {} if self.filters.platform == USUAL_PLATFORM else {"platform": self.platform}
        if not self.chosen and (narrowing := self._narrowing(FEW)) is not None:
            return Asked(self.what, narrowing | options)
        return Asked([f"{repo}:{tag}" for repo, tag in self.taken], options)

    def asked_tags(self) -> Asked | None:
        """Return the arguments of a call for the tags that are visible; None for no such call."""
        narrowing = self._narrowing(None)
        return None if narrowing is None else Asked(self.what, narrowing)

    @property
    def platform(self) -> Platforms:
        """Which images of a tag the panels read."""
        return self.filters.platform

    def _narrowing(self, most: int | None) -> dict[str, Any] | None:
        """Return the keywords that choose the same tags; None where no keywords do."""
        filters = self.filters
        if filters.glob is not None and filters.versions is not None:
            return None
        tags: str | Callable[[str], bool] | None = filters.glob or filters.versions
        named = {} if tags is None else {"tags": tags}
        if tags is None and filters.everything:
            named = {"tags": "*"}
        counts = [count for count in (filters.newest, most) if count is not None]
        matching = replace(filters, newest=None).apply(self.tags)["repo"].value_counts()
        is_more = bool(counts) and min(counts) < int(matching.max() if len(matching) else 0)
        narrowing = named | ({"newest": min(counts)} if is_more else {})
        is_hidden = not filters.everything and self._has_hidden(named)
        return None if is_hidden else narrowing

    def _has_hidden(self, named: Mapping[str, Any]) -> bool:
        """Tell whether a call with these keywords would take digests in disguise."""
        disguised = self.tags.loc[self.tags["is_digest_tag"].astype(bool)]
        seen = replace(self.filters, everything=True, newest=None).apply(disguised)
        return bool(named) and not seen.empty

    # What a person does: each returns the state after it.

    def found(self, search: Search, listing: pd.DataFrame) -> "State":
        """Show the repositories that were found."""
        return replace(
            State(filters=self.filters, panel=self.panel, keep=self.keep),
            search=search,
            listing=listing,
            older_than=self.older_than,
            recent=self._remembering(search.text),
            seen=self._seeing(listing["repo"]),
        )

    def opened(
        self, repos: Sequence[str], tags: pd.DataFrame, *, tag: str | None = None
    ) -> "State":
        """Show the tags of repositories; choose the one that was named."""
        names = tuple(repos)
        chosen = ((names[0], tag),) if tag is not None else ()
        return replace(self, repos=names, tags=tags, chosen=chosen, seen=self._seeing(names))

    def named(self, search: Search, tags: pd.DataFrame) -> "State":
        """Show the tags of the repository that was looked for."""
        reference = search.reference
        state = replace(self, search=search, listing=None, recent=self._remembering(search.text))
        return state.opened([reference.repo], tags, tag=_tag_of(reference, tags))

    def chose(self, rows: Sequence[tuple[str, str]]) -> "State":
        """Choose tags."""
        return replace(self, chosen=tuple(rows))

    def _remembering(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((text, *self.recent)))[:MOST_RECENT]

    def _seeing(self, repos: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*repos, *self.seen)))[:_MOST_SEEN]


def _tag_of(reference: ImageReference, tags: pd.DataFrame) -> str | None:
    """Return the tag that a reference names, of those that are there."""
    if reference.tag is None and reference.digest is None:
        return None
    column, wanted = ("tag", reference.tag) if reference.tag else ("digest", reference.digest)
    found = tags.loc[tags[column] == wanted, "tag"]
    if found.empty:
        raise NotFoundError(
            f"{reference.repo} has no tag {reference.tag or 'for this digest'}; look for "
            f"{reference.repo} to see which it has"
        )
    return str(found.iloc[0])
