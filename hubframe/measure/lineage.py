"""Which image an image was built on, found from its layers, and whether that one is outdated."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hubframe.measure.dates import dated, days_between, moments
from hubframe.measure.images import plain_rows
from hubframe.measure.layer_index import (
    IMAGE,
    NEEDED,
    LayerIndex,
    Numbers,
    first_of,
    numbered,
    paired,
)
from hubframe.measure.names import current, names_of
from hubframe.measure.similarity import sequences
from hubframe.oci.platforms import platform_name
from hubframe.oci.tagnames import Kind, TagName, is_digest_tag
from hubframe.tables import LAYERS, TAGS
from hubframe.tables.measured import OUTDATED, PARENTS

_OFFICIAL = "library/"
_ATTESTATION = "unknown/unknown"
# What builders leave out of v7, Docker's usual one, is not what tells an image from its parent.
_SPELLINGS = {"linux/arm/v7": "linux/arm"}
_NONE = -1
_LAST = np.iinfo(np.int64).max
_NEVER = pd.Timestamp.min.tz_localize("UTC")
_PARENT = ["parent_repo", "parent_tag", "parent_platform", "parent_image_digest"]


def parents_df(layers: pd.DataFrame, tags: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find the parent of each image: the image that it was built on, by its layers.

    The parent is the image of the same platform, among those at hand, whose layers are the longest
    proper prefix of the child's, as Opdebeeck and others found parents on Docker Hub (SCAM 2023).
    Of several, an official one (namespace ``library``) comes first, then the one that was pushed
    first, else built first, then the first by name.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame, with the images that may be parents in it.
    tags
        The `tables.TAGS` frame of the same repositories, for the dates of the pushes. Where it does
        not tell, the last step of the build decides, where a date is told.

    Returns
    -------
    pandas.DataFrame
        The table `parents`: a row per image, by name; the parent's columns are null where no image
        at hand is its parent. Attestations are left out. ``linux/arm64/v8`` and ``linux/arm64`` are
        one platform.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.sample():
    ...     layers = hubframe.layers_df(["library/redis:latest", "library/debian"])
    >>> parents = hubframe.parents_df(layers).set_index("repo")
    >>> parents.loc["library/redis", ["parent_repo", "parent_tag"]].tolist()
    ['library/debian', '13.3-slim']
    """
    return _parents(_images(layers, tags), tags)


def _images(layers: pd.DataFrame, tags: pd.DataFrame | None) -> LayerIndex:
    """Read the images that are no attestations."""
    LAYERS.require(layers, NEEDED)
    if tags is not None:
        TAGS.require(tags, ("repo", "tag", "pushed_at"))
    is_attestation = layers["platform"] == _ATTESTATION
    return LayerIndex.of(layers[~is_attestation] if is_attestation.any() else layers)


def _rank(names: pd.DataFrame, tags: pd.DataFrame | None) -> Numbers:
    """Order names as parents: the smallest of those with the same layers is the parent."""
    ranked = names[["repo", "tag"]].assign(is_other=~names["repo"].str.startswith(_OFFICIAL))
    if tags is not None:
        pushed = tags[["repo", "tag"]].assign(pushed_at=dated(tags["pushed_at"]))
        first = pushed.dropna().groupby(["repo", "tag"])["pushed_at"].min()
        ranked = ranked.join(first, on=["repo", "tag"])
    order = ranked.drop(columns=["repo", "tag"])
    return np.argsort(order.sort_values([*order], kind="stable").index.to_numpy())


def _found(index: LayerIndex, rank: Numbers) -> tuple[Numbers, Numbers]:
    """Find the parent of each name, -1 for none, and count the images that could be it.

    The tree of prefixes is walked with all names at once, one layer deeper at each step. A name
    whose prefix no other has is left alone from there on: nothing below can be its parent, so that
    what remains to be walked is soon little.
    """
    layer, begin, length = index.by_name
    platform = _platforms(index.names["platform"])
    is_first = np.zeros(len(index.names), dtype=bool)
    is_first[first_of(paired(index.image, platform))] = True
    by_rank = np.argsort(rank)
    parent = np.full(len(index.names), _NONE)
    candidates = np.zeros(len(index.names), dtype=np.int64)
    walking, node = np.arange(len(index.names)), platform
    depth = 0
    while len(walking):
        node = paired(node, layer[begin[walking] + depth])
        depth += 1
        is_shared = np.bincount(node)[node] > 1
        walking, node = walking[is_shared], node[is_shared]
        ends = length[walking] == depth
        nodes = int(node.max(initial=-1)) + 1
        best = np.full(nodes, _LAST)
        np.minimum.at(best, node[ends], rank[walking[ends]])
        ended = np.bincount(node[ends & is_first[walking]], minlength=nodes)
        walking, node = walking[~ends], node[~ends]
        is_child = best[node] != _LAST
        parent[walking[is_child]] = by_rank[best[node[is_child]]]
        candidates[walking[is_child]] = ended[node[is_child]]
    return parent, candidates


def _platforms(platforms: pd.Series) -> Numbers:
    """Number platforms, one number for the spellings of one; no platform is one too."""
    written, distinct = numbered(platforms)
    one = numbered(distinct.map(platform_name).replace(_SPELLINGS))[0]
    return np.append(one, _NONE)[written]


def _parents(index: LayerIndex, tags: pd.DataFrame | None) -> pd.DataFrame:
    """Write the table down, by name."""
    layer, _, length = index.by_name
    parents, candidates = _found(index, _rank(index.names, tags))
    order = index.names.sort_values(IMAGE, kind="stable").index.to_numpy()
    parent = parents[order]
    # Of each name the sum of its layers, null where a size is not known.
    known = pd.Series(index.sizes[layer], dtype="Int64").where(index.is_sized[layer])
    sizes = known.groupby(np.repeat(np.arange(len(length)), length)).sum(skipna=False)
    # Nothing has the number -1 of a missing parent, so that its columns are null.
    size, parent_size = (sizes.reindex(name).reset_index(drop=True) for name in (order, parent))
    names = index.names.take(order)
    return PARENTS.of(
        {
            **{name: names[name].array for name in IMAGE},
            "layer_count": length[order],
            "size": size,
            **{
                f"parent_{name}": index.names[name].array.take(parent, allow_fill=True)
                for name in IMAGE
            },
            "parent_layer_count": pd.Series(length, dtype="Int64").reindex(parent).array,
            "parent_size": parent_size,
            "candidate_count": candidates[order],
            "growth_size": size - parent_size,
            "growth_ratio": size / parent_size.mask(parent_size == 0),
        }
    )


def outdated_df(layers: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """List the images whose parent's tag has a newer image, and by how much it is newer.

    A tag that is pushed again leaves no trace of the image that it had; but releases keep it under
    the longer name: ``debian:12.4`` is what ``debian:12`` was. So the *tag* of a parent is, of
    the names of the parent image, the most particular (with a date, then with most numbers in its
    version, then the longest), one number or the date shorter: ``12`` of ``12.4``, ``3.18-slim``
    of ``3.18.4-slim``, ``bookworm`` of ``bookworm-20240110``. Where that tag is missing, the
    highest release that differs in that number alone stands for it. In frames that hold a tag at
    several times, its newer image is found by the tag itself.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame, of children and parents.
    tags
        The `tables.TAGS` frame with all tags of the parents' repositories. A parent whose tag is
        not in it is not judged.

    Returns
    -------
    pandas.DataFrame
        The table `outdated`: a row per image with an outdated parent, by name. Images with the
        parent's layers are not newer, nor are those pushed earlier. It is today's lag; whether the
        parent was outdated when the child was built, no registry tells.
    """
    tags = TAGS.require(tags, ("repo", "tag", "digest", "pushed_at"))
    index = _images(layers, tags)
    children = _parents(index, tags).dropna(subset="parent_tag")
    newer = _newer(children[_PARENT].drop_duplicates(), index, layers, Lines.of(tags))
    found = children.merge(newer, on=_PARENT, how="inner")
    lag = days_between(found["parent_pushed_at"], found["newer_pushed_at"])
    return OUTDATED.of({**found, "lag_days": lag})


class Move(NamedTuple):
    """What a tag became, and the first pushes of what it was and of what it is."""

    pushed_at: pd.Timestamp | None
    newer_tag: str
    newer_digest: str | None
    newer_pushed_at: pd.Timestamp | None


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

    def follow(self, repo: str, tag: str) -> Move | None:
        """Tell what the tag became that a tag's image had, or None where it still has it."""
        if tag not in self.digests.get(repo, {}):
            return None
        digest, pushed = self.now(repo, tag)
        tags = self.aliases[repo, digest] if digest else [tag]
        newer = self._newer(repo, max((self.names[repo][one] for one in tags), key=_exactness))
        if newer is None or newer in tags:
            return None
        newer_digest, newer_pushed = self.now(repo, newer)
        is_older = pushed is not None and newer_pushed is not None and newer_pushed <= pushed
        return None if is_older else Move(pushed, newer, newer_digest, newer_pushed)

    def now(self, repo: str, tag: str) -> tuple[str | None, pd.Timestamp | None]:
        """Return the digest of a tag, where that is known, and its first push."""
        digest = self.digests.get(repo, {}).get(tag)
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


def _newer(
    parents: pd.DataFrame, index: LayerIndex, layers: pd.DataFrame, lines: Lines
) -> pd.DataFrame:
    """Find the newer image of each parent that has one."""
    # For repository, tag and platform, the images that had this name, and what each is made of.
    images: dict[tuple[Any, ...], dict[Any, int]] = {}
    contents = sequences(index).tolist()
    for (*name, digest), content in zip(plain_rows(index.names[IMAGE]), contents, strict=True):
        images.setdefault(tuple(name), {})[digest] = content
    # When images were built whose name another image has too, where their layers tell.
    twice = index.names[index.names.duplicated(IMAGE[:3], keep=False)]
    dates = layers[["created_at", *IMAGE]].merge(twice[IMAGE], on=IMAGE)
    built = dates.groupby(IMAGE)["created_at"].max().dropna().to_dict()
    rows = [
        (*parent, *move)
        for parent in plain_rows(parents)
        if (move := _move(parent, images, built, lines)) is not None
    ]
    columns = [*_PARENT, "parent_pushed_at", "newer_tag", "newer_digest", "newer_pushed_at"]
    found = pd.DataFrame(rows, columns=columns, dtype="object")
    pushes = {name: moments(found[name]) for name in ("parent_pushed_at", "newer_pushed_at")}
    return found.astype("str").assign(**pushes)


def _move(
    parent: tuple[Any, ...],
    images: dict[tuple[Any, ...], dict[Any, int]],
    built: dict[Any, pd.Timestamp],
    lines: Lines,
) -> Move | None:
    """Tell what the tag of a parent became, or None where it is what it was."""
    repo, tag, platform, digest = parent
    contents = images[repo, tag, platform]
    dates = {other: built.get((repo, tag, platform, other), _NEVER) for other in contents}
    if _has_moved(digest, lines.now(repo, tag)[0], contents, dates):
        return Move(lines.pushed.get((repo, digest)), tag, *lines.now(repo, tag))
    move = lines.follow(repo, tag)
    newer = images.get((repo, move.newer_tag, platform), {}) if move else {}
    return None if set(newer.values()) == {contents[digest]} else move


def _has_moved(
    digest: Any, now: str | None, contents: dict[Any, int], built: dict[Any, pd.Timestamp]
) -> bool:
    """Tell whether a later image has the name; the tag's digest tells, else the build."""
    if len(contents) == 1 or digest == now or len(set(contents.values())) == 1:
        return False
    if now in contents:
        return contents[now] != contents[digest]
    last = max(contents, key=lambda other: (built[other], other or ""))
    return built[last] > built[digest] and contents[last] != contents[digest]


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
