"""What is looked for, chosen and shown: the state of an explorer, without widgets or threads."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

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
from hubframe.oci.tagnames import newest_first, read_all
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
# A repository and a tag.
Row = tuple[str, str]
# Frames that a person may give, and the column that names an image by its digest in each.
GIVEN = {"vulnerabilities": "image_digest", "references": "digest"}
MOST_RECENT = 10
_MOST_SEEN = 500
_CREATED = "created_at"


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
    everything: bool = False  # tags that name digests, such as signatures, and attestations, too

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


@dataclass(frozen=True)
class Place:
    """Where a person is in an explorer, as text: what an address or a line of code holds of it."""

    what: str = ""
    meaning: str = ""  # empty where it is what is there first
    repos: tuple[str, ...] = ()  # those that were opened in a list
    rows: tuple[Row, ...] = ()  # the tags that were chosen
    pair: tuple[Row, ...] = ()
    panel: str = "overview"
    filters: Filters = field(default_factory=Filters)
    keep: int = 10
    older_than: int = 365

    def query(self) -> str:
        """Return it as the query of an address; nothing where nothing is looked for."""
        filters, usual = self.filters, Filters()
        fields = {
            "what": [self.what],
            "as": [self.meaning],
            "repo": self.repos,
            "tag": references(self.rows),
            "compare": references(self.pair),
            "panel": [self.panel if self.panel != State.panel else ""],
            "like": [filters.text],
            "versions": [] if filters.versions is None else [filters.versions.text or "*"],
            "newest": [str(filters.newest or "")],
            "platform": [filters.platform if filters.platform != usual.platform else ""],
            "everything": ["yes" if filters.everything else ""],
            "keep": [str(self.keep) if self.keep != Place.keep else ""],
            "older": [str(self.older_than) if self.older_than != Place.older_than else ""],
        }
        told = [(name, value) for name, values in fields.items() for value in values if value]
        return urlencode(told, safe="/:") if self.what else ""

    @classmethod
    def read(cls, query: str, panels: Container[str]) -> Self | None:
        """Read the query of an address; None where it holds no place, or nonsense."""
        told = parse_qs(query, max_num_fields=_MOST_SEEN)

        def first(name: str) -> str:
            return told.get(name, [""])[0]

        def rows(name: str) -> tuple[Row, ...]:
            pairs = (one.rpartition(":") for one in told.get(name, ()))
            return tuple((repo, tag) for repo, _, tag in pairs if repo and tag)

        def count(name: str, usual: int) -> int:
            return int(first(name)) if first(name).isdecimal() else usual

        meaning, panel = first("as"), first("panel")
        versions = {"": None, "*": ""}.get(first("versions"), first("versions"))
        try:
            filters = read_filters(
                first("like"),
                versions,
                count("newest", 0),
                first("platform"),
                everything=bool(first("everything")),
            )
        except ValueError:
            filters = Filters()
        return (
            None
            if not first("what")
            else cls(
                first("what"),
                meaning if meaning in MEANINGS else "",
                tuple(told.get("repo", ())),
                rows("tag"),
                rows("compare"),
                panel if panel in panels else State.panel,
                filters,
                max(count("keep", cls.keep), 1),
                count("older", cls.older_than),
            )
        )


@dataclass(frozen=True, eq=False)
class State:
    """What an explorer shows."""

    search: Search | None = None  # None before anything is looked for
    listing: pd.DataFrame | None = None  # None where a repository was named
    repos: tuple[str, ...] = ()  # those that were opened, and `tags` all their tags
    tags: pd.DataFrame = field(default_factory=TAGS.frame)
    filters: Filters = field(default_factory=Filters)
    chosen: tuple[Row, ...] = ()  # in the order of choosing
    pair: tuple[Row, ...] = ()  # what is compared, in this order, where a person said so
    panel: str = "overview"
    keep: int = 10  # the rule whose outcome the clean-up panel shows
    older_than: int = 365
    recent: tuple[str, ...] = ()  # what was looked for before, the latest first
    seen: tuple[str, ...] = ()  # the repositories that were found or opened before, too
    given: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # by the names of GIVEN

    @cached_property
    def visible(self) -> pd.DataFrame:
        """The tags that are looked at."""
        return self.filters.apply(self.tags)

    @property
    def taken(self) -> list[Row]:
        """The tags that panels read: those that were chosen, else the newest that are visible."""
        if self.chosen:
            return list(self.chosen)
        return _rows(self.visible.groupby("repo", sort=False).head(self.most))

    @property
    def shown(self) -> pd.DataFrame:
        """The tags that were chosen, as they are listed; else all that are visible."""
        return self.tags[self._is_in(self.chosen)] if self.chosen else self.visible

    @property
    def most(self) -> int:
        """How many tags of each repository panels read where none is chosen."""
        return self.filters.newest or FEW

    @property
    def image(self) -> Row | None:
        """The one tag that is looked at: the last that was chosen, else the newest visible."""
        if self.chosen:
            return self.chosen[-1]
        return next(iter(_rows(self.visible.head(1))), None)

    @cached_property
    def compared(self) -> list[Row]:
        """The tags that are compared, the old before the new.

        Those that were chosen; of one alone, or of none, also the one before it that is another
        image.
        """
        if self.pair:
            return list(self.pair)
        if len(self.chosen) > 1:
            return _oldest_first(self.tags, self.chosen)
        if self.image is None:
            return []
        before = self._before(self.image)
        return [self.image] if before is None else _oldest_first(self.tags, [before, self.image])

    @property
    def inside(self) -> list[Row]:
        """The tags that are looked into: of several that were chosen the old before the new."""
        if self.pair or len(self.chosen) > 1:
            return self.compared
        return [] if self.image is None else [self.image]

    def _before(self, row: Row) -> Row | None:
        """Return the next older tag of another image, or where there is none the next newer."""
        repo, tag = row
        visible = self.visible
        own = visible[visible["repo"] == repo].reset_index(drop=True)
        at = own.index[own["tag"] == tag]
        if at.empty:
            return None
        other = own["digest"].isna() | own["digest"].ne(own["digest"][at[0]])
        others = own[other.fillna(value=True) & (own["tag"] != tag)]
        is_versioned = bool(own["version"].notna()[at[0]])
        if is_versioned and others["version"].notna().any():
            others = others[others["version"].notna()]
        older = others[others.index > at[0]]
        newer = others[others.index < at[0]]
        return next(iter(_rows(older.head(1)) or _rows(newer.tail(1))), None)

    @property
    def images(self) -> list[str]:
        """The tags that panels read, as calls take them."""
        return references(self.taken)

    @property
    def platform(self) -> dict[str, Platforms]:
        """Which images of a tag the panels read, as a keyword; none where it is the usual one."""
        platform = self.filters.platform
        return {} if platform == USUAL_PLATFORM else {"platform": platform}

    # What calls are asked for.

    def asked(self) -> Asked:
        """Return the arguments of a call for the images that panels read."""
        if not self.chosen and (narrowing := self._narrowing(self.most)) is not None:
            return Asked(self.opened_repos, narrowing | self.platform)
        return Asked(self.images, self.platform)

    def asked_image(self) -> Asked:
        """Return the arguments of a call for the one image that is looked at."""
        return Asked(references([self.image] if self.image else []), self.platform)

    def asked_compared(self) -> Asked:
        """Return those for the images that are compared: of one platform, since more cannot be."""
        return Asked(references(self.compared), self.platform if self.is_one_platform else {})

    def asked_inside(self) -> Asked:
        """Return those for the images that are looked into, the newest first: of one platform."""
        rows = references(reversed(self.inside))
        return Asked(rows, self.platform if self.is_one_platform else {})

    def asked_packages(self) -> Asked:
        """Return those for their packages, of one kind of evidence, so that they compare."""
        asked = self.asked_inside()
        return Asked(asked.what, {**asked.options, "evidence": "layers"})

    @property
    def is_one_platform(self) -> bool:
        """Whether panels read one image of a tag."""
        found = platforms(self.filters.platform)
        return found is not None and len(found) == 1

    def asked_tags(self) -> Asked:
        """Return the arguments of a call for the tags that are visible."""
        if (narrowing := self._narrowing(None)) is not None:
            return Asked(self.opened_repos, narrowing)
        return self._by_name(self.visible)

    def asked_shown(self) -> Asked:
        """Return those for the tags that were chosen, else for all that are visible."""
        return self._by_name(self.shown) if self.chosen else self.asked_tags()

    def _by_name(self, tags: pd.DataFrame) -> Asked:
        if len(self.repos) == 1:
            # By name, and of the whole list, which tells the aliases.
            return Asked(self.opened_repos, {"tags": tags["tag"].tolist()})
        return Asked(references(_rows(tags)))

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

    def told_by(self, name: str) -> tuple[pd.DataFrame, str]:
        """Return the rows of a given frame about what is shown, and the code that takes them.

        They are about the repositories that are open; of chosen tags about their images, whatever
        else these are called.
        """
        frame, digest = self.given[name], GIVEN[name]
        if not self.chosen:
            taken = frame[frame["repo"].isin(self.repos)]
            return taken, f'{name}[{name}["repo"].isin({json.dumps(self.repos)})]'
        digests = self.shown["digest"].dropna().unique().tolist()
        of_image = self._is_in(self.chosen) | self.tags["digest"].isin(digests)
        names = references(_rows(self.tags[of_image]))
        is_named = (frame["repo"] + ":" + frame["tag"]).isin(names)
        code = (
            f'named = {name}["repo"] + ":" + {name}["tag"]\n'
            f"{name}[\n"
            f"    named.isin({json.dumps(names)})\n"
            f'    | {name}["{digest}"].isin({json.dumps(digests)})\n'
            "]"
        )
        return frame[is_named | frame[digest].isin(digests)], code

    def asked_told(self) -> Asked:
        """Return what asks for the layers of images that a given frame tells of, the newest few."""
        told, _ = self.told_by("vulnerabilities")
        rows = list(zip(told["repo"], told["tag"], strict=True))
        tags = self.tags[self._is_in(rows)].drop_duplicates("digest")
        kinds = told["platform"].dropna().unique().tolist()
        which: dict[str, Any] = {"platform": kinds} if {*kinds} - {USUAL_PLATFORM} else {}
        return Asked(references(_rows(tags.head(FEW))), which)

    def _is_in(self, rows: Iterable[Row]) -> pd.Series:
        pairs = pd.MultiIndex.from_frame(self.tags[["repo", "tag"]])
        return pd.Series(pairs.isin(list(rows)), index=self.tags.index)

    def _narrowing(self, most: int | None) -> dict[str, Any] | None:
        """Return the keywords that choose the same tags; None where no keywords do."""
        filters = self.filters
        if filters.glob is not None and filters.versions is not None:
            return None
        tags = filters.glob or filters.versions or ("*" if filters.everything else None)
        narrowing: dict[str, Any] = {} if tags is None else {"tags": tags}
        everything = replace(filters, everything=True, newest=None).apply(self.tags)
        named_digests = everything["is_digest_tag"].astype(bool)
        if narrowing and not filters.everything and named_digests.any():
            # A call with these keywords would take tags that name digests.
            return None
        matching = everything if filters.everything else everything[~named_digests]
        counts = [count for count in (filters.newest, most) if count is not None]
        if counts and min(counts) < matching["repo"].value_counts().max():
            narrowing["newest"] = min(counts)
        return narrowing

    @property
    def place(self) -> Place:
        """Where this is, as text."""
        if self.search is None:
            return Place()
        is_listed = self.listing is not None
        return Place(
            self.search.text,
            "" if self.search.meanings == _meanings(self.search.text) else self.search.meanings[0],
            self.repos if is_listed else (),
            self.chosen,
            self.pair,
            self.panel,
            self.filters,
            self.keep,
            self.older_than,
        )

    @property
    def is_whole(self) -> bool:
        """Whether the tags are as `hubframe.tags_df` gives them, and no names alone."""
        return _CREATED not in self.tags

    # What a person does: each returns the state after it.

    def looked_up(self, images: pd.DataFrame) -> "State":
        """Fill in what was asked for some tags of a registry, which lists names alone."""
        found = images.drop_duplicates(["repo", "tag"]).set_index(["repo", "tag"])
        rows = pd.MultiIndex.from_frame(self.tags[["repo", "tag"]])
        places = rows.get_indexer(found.index)
        found, places = found[places >= 0], places[places >= 0]
        tags = self.tags.copy()
        digests = found["index_digest"].fillna(found["image_digest"])
        known = {"size": found["size"], "digest": digests, _CREATED: found[_CREATED]}
        for name, values in known.items():
            column = tags[name].copy()
            column.iloc[places] = values.array
            tags[name] = column
        return replace(self, tags=tags)

    def arrived(self, place: Place) -> "State":
        """Return it as a place has it; tags that are not there are not chosen."""
        known = set(_rows(self.tags))
        chosen = tuple(row for row in place.rows if row in known) or self.chosen
        pair = place.pair if set(place.pair) <= known else ()
        return replace(
            self,
            chosen=chosen,
            pair=pair,
            panel=place.panel,
            filters=place.filters,
            keep=place.keep,
            older_than=place.older_than,
        )

    def found(self, search: Search, listing: pd.DataFrame) -> "State":
        """Show the repositories that were found."""
        return replace(
            self,
            search=search,
            listing=listing,
            repos=(),
            tags=TAGS.frame(),
            chosen=(),
            pair=(),
            recent=_first([search.text], self.recent, MOST_RECENT),
            seen=_first(listing["repo"], self.seen, _MOST_SEEN),
        )

    def opened(
        self, repos: Sequence[str], tags: pd.DataFrame, *, tag: str | None = None
    ) -> "State":
        """Show the tags of repositories; choose the one that was named."""
        chosen = ((repos[0], tag),) if tag is not None else ()
        state = replace(
            self,
            repos=tuple(repos),
            tags=tags,
            chosen=chosen,
            pair=(),
            seen=_first(repos, self.seen, _MOST_SEEN),
        )
        if set(repos) <= set(self.repos):
            return state
        # What was typed to find tags of another repository hides these.
        filters = Filters(platform=self.filters.platform, everything=self.filters.everything)
        return replace(state, filters=filters, panel="image" if chosen else self.panel)

    def named(self, search: Search, tags: pd.DataFrame) -> "State":
        """Show the tags of the repository that was looked for."""
        reference = search.reference
        recent = _first([search.text], self.recent, MOST_RECENT)
        state = replace(self, search=search, listing=None, recent=recent)
        return state.opened([reference.repo], tags, tag=_tag_of(reference, tags))

    def chose(self, rows: Sequence[Row]) -> "State":
        """Choose tags."""
        return replace(self, chosen=tuple(rows), pair=())


def references(rows: Iterable[Row]) -> list[str]:
    """Return tags as calls take them."""
    return [f"{repo}:{tag}" for repo, tag in rows]


def _rows(tags: pd.DataFrame) -> list[Row]:
    return list(zip(tags["repo"], tags["tag"], strict=True))


def _oldest_first(tags: pd.DataFrame, rows: Sequence[Row]) -> list[Row]:
    """Put tags in order: by version where all have one, else by date, else as they are listed."""
    tags = tags[tags["tag"].isin([tag for _, tag in rows])]
    found = tags.set_index(["repo", "tag"]).reindex(pd.MultiIndex.from_tuples(rows))
    if found["version"].notna().all():
        newest = newest_first(read_all([tag for _, tag in rows]).values())
        place = {name.tag: -at for at, name in enumerate(newest)}
        return sorted(rows, key=lambda row: place[row[1]])
    if found["pushed_at"].notna().all():
        return sorted(rows, key=lambda row: found["pushed_at"][row])
    listed = {row: -at for at, row in enumerate(_rows(tags))}
    return sorted(rows, key=lambda row: listed.get(row, 0))


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
