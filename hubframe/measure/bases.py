"""What images are built on, as they say themselves and as their layers show."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hubframe.measure.dates import days_between
from hubframe.measure.images import plain_rows
from hubframe.measure.lifecycle import ends
from hubframe.measure.lineage import parents_df
from hubframe.oci import payload
from hubframe.oci.reference import ImageReference
from hubframe.readers.builds import Build
from hubframe.tables import IMAGES, LABELS, LAYERS, TAGS
from hubframe.tables.declarations import IMAGE_KEY
from hubframe.tables.measured import BASES

# Where an image may say it: https://github.com/opencontainers/image-spec/blob/main/annotations.md
NAME, DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
# Cloud Native Buildpacks write what they built on as JSON into a label.
_BUILDPACKS = "io.buildpacks.lifecycle.metadata"
KEYS = (NAME, DIGEST, _BUILDPACKS)
# What stands in place of a base where there is none.
_NOTHING = "scratch"
# Of the places of a label, the nearest to the image comes first.
_ANNOTATIONS = ("manifest", "descriptor", "index")
ANNOTATION, LABEL, PROVENANCE, BY_LAYERS = "annotation", "label", "provenance", "layers"
OFFICIAL = "official"
DOCKERFILE = "dockerfile"
EVIDENCE = (ANNOTATION, LABEL, PROVENANCE, DOCKERFILE, OFFICIAL, BY_LAYERS)
PROVED, TOLD, WRONG, LIKELY = "proved", "told", "told but wrong", "likely"
_KEY = [*IMAGE_KEY]


class Base(NamedTuple):
    """What is said of a base: a repository, the tag that it had, and its digest then."""

    repo: str | None
    tag: str | None
    digest: str | None

    @property
    def references(self) -> list[str]:
        """How to ask for it: as it was, and as its tag is now."""
        marks = ("@", self.digest), (":", self.tag)
        return [f"{self.repo}{mark}{end}" for mark, end in marks if self.repo and end]


def stated_bases(
    labels: pd.DataFrame,
    materials: pd.DataFrame | None = None,
    builds: Iterable[Build] = (),
    images: pd.DataFrame | None = None,
    dockerfiles: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List what images say that they are built on.

    Parameters
    ----------
    labels
        The `tables.LABELS` frame, of the registry: it has the annotations, too.
    materials
        The table `materials`, of what went into builds.
    builds, images
        The builds of official images, and a frame with the keys of the images that they are for.
    dockerfiles
        The table `dockerfiles`, of provenance.

    Returns
    -------
    pandas.DataFrame
        A row per image and evidence: the image's key, ``evidence``, ``base_repo``, ``base_tag`` and
        ``base_digest``.
    """
    LABELS.require(labels, [*_KEY, "source", "key", "value"])
    said = labels[labels["key"].isin(KEYS)]
    rows = []
    for key, group in said.groupby(_KEY, sort=False, dropna=False):
        for evidence, base in _said(group):
            rows.append((*key, evidence, *base))
    if materials is not None:
        images = materials[
            (materials["kind"] == "image") & ~materials["is_frontend"].fillna(value=False)
        ]
        for key, group in images.groupby(_KEY, sort=False, dropna=False):
            told = group[["material_repo", "material_tag", "material_digest"]]
            rows += [(*key, PROVENANCE, *one) for one in plain_rows(told)]
    if dockerfiles is not None:
        named = dockerfiles.dropna(subset="base")[[*_KEY, "base"]]
        rows += [(*key, DOCKERFILE, *_base(name, None)) for *key, name in plain_rows(named)]
    if images is not None:
        official = defaultdict(list)
        for one in builds:
            official[one.image_digest].append(_base(one.base_name, one.base_digest))
        at = _KEY.index("image_digest")
        rows += [
            (*key, OFFICIAL, *base)
            for key in plain_rows(images[_KEY].drop_duplicates())
            for base in official.get(key[at], ())
        ]
    columns = [*_KEY, "evidence", "base_repo", "base_tag", "base_digest"]
    return pd.DataFrame(rows, columns=columns, dtype="object").drop_duplicates()


def _said(group: pd.DataFrame) -> Iterator[tuple[str, Base]]:
    """Read what the labels and annotations of one image say."""
    told: dict[str, dict[str, str]] = {}
    for source, key, value in group[["source", "key", "value"]].itertuples(index=False, name=None):
        told.setdefault(source, {}).setdefault(key, value)
    annotated = next((told[one] for one in _ANNOTATIONS if one in told), {})
    for evidence, found in ((ANNOTATION, annotated), (LABEL, told.get("config", {}))):
        name, digest = found.get(NAME), found.get(DIGEST)
        if (name or digest) and name != _NOTHING:
            yield evidence, _base(name, digest)
        elif evidence == LABEL and _BUILDPACKS in found:
            yield from ((evidence, one) for one in _run_image(found[_BUILDPACKS]))


def _base(name: str | None, digest: str | None) -> Base:
    """Read a base's name, which may hold the digest."""
    with suppress(ValueError):
        reference = ImageReference.parse(name or "")
        if reference.is_local:
            # What strangers write leads to no file of this machine.
            return Base(None, None, digest)
        at = digest or reference.digest
        tag = reference.tag or (None if reference.digest else reference.target)
        return Base(reference.repo, tag, at)
    return Base(None, None, digest)


def _run_image(written: str) -> Iterator[Base]:
    """Yield the run image of a buildpack's label: as it was, and the tag that it is known by."""
    try:
        body = payload.mapping(json.loads(written))
    except (ValueError, RecursionError):
        return
    run = payload.mapping(body.get("runImage"))
    older = payload.mapping(payload.mapping(body.get("stack")).get("runImage"))
    # In an engine it is the hash of a config, which names nothing in a registry.
    was = _base(payload.text(run.get("reference")), None)
    named = _base(payload.text(run.get("image")) or payload.text(older.get("image")), None)
    if was.repo is None or (was.repo == named.repo and was.tag is None):
        was = named._replace(digest=was.digest)
    if was.repo:
        yield was


def bases(  # noqa: PLR0913 - frames of images, of bases, and of the past
    stated: pd.DataFrame,
    layers: pd.DataFrame,
    base_images: pd.DataFrame,
    base_layers: pd.DataFrame,
    others: pd.DataFrame | None = None,
    *,
    images: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Hold what images say of their bases against layers.

    Parameters
    ----------
    stated
        What `stated_bases` returns.
    layers
        The `tables.LAYERS` frame of the images.
    base_images, base_layers
        The frames `images` and `layers` of the bases, by digest and by tag.
    others
        The `tables.LAYERS` frame of images that may be bases though nothing says so; None leaves
        them out.
    images
        The `tables.IMAGES` frame of the images, which tells when they were built.
    history
        What tags had, and when: see `bases_df`; None where nothing tells.

    Returns
    -------
    pandas.DataFrame
        The table `bases`.
    """
    IMAGES.require(base_images, [*_KEY, "index_digest", "created_at"])
    contents, of_bases = _contents(layers), _contents(base_layers)
    known, past = _Known(base_images), _past(history)
    built = _built(images)
    rows: list[Mapping[str, Any]] = []
    for row in plain_rows(stated):
        record: dict[str, Any] = dict(zip(map(str, stated), row, strict=True))
        base = Base(record["base_repo"], record["base_tag"], record["base_digest"])
        key = tuple(record[name] for name in _KEY)
        own = contents.get(key, [])
        then = _compare(known.images(base.repo, base.digest, record["platform"]), own, of_bases)
        named = known.named(base.repo, base.tag, record["platform"])
        # A tag that the image itself has now says nothing of what it had.
        others_now = [at for at in named if at.digest != record["image_digest"]]
        now = _compare(others_now, own, of_bases)
        is_had = then.at is not None
        # What a tag is now stands for what it was where nothing else is told, or where it fits.
        is_now = not is_had and (base.digest is None or now.is_prefix)
        held = now if is_now else then
        rows.append(
            {
                **record,
                "base_platform_digest": held.at.digest if held.at else None,
                "base_layer_count": held.layer_count,
                "is_prefix": held.is_prefix,
                "is_other": is_had and held.is_prefix is False,
                "confidence": _confidence(held, is_had=is_had),
                "base_name_now_digest": named[0].top if named else None,
                "is_outdated": _is_outdated(base, then.at, now),
                "outdated_at_build": _was_outdated(base, then.at, past, built.get(key)),
                "lag_days": _lag(then.at, now.at),
            }
        )
    found = BASES.from_records(_one_each(rows))
    if others is not None:
        found = pd.concat([found, _by_layers(layers, others)], ignore_index=True)
    # What there is of an image stands together, and images as in the other frames.
    order = {key: place for place, key in enumerate(plain_rows(layers[_KEY]))}
    places = [order.get(key, len(order)) for key in plain_rows(found[_KEY])]
    found = found.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)
    tags = found[["base_repo", "base_tag"]].set_axis(["repo", "tag"], axis="columns")
    return found.assign(base_eol_at=ends(tags)["eol_at"])


class _At(NamedTuple):
    """An image of a base: its digest, that of the tag or index it was asked by, and its date."""

    digest: Any
    top: Any
    created_at: Any


class _Known:
    """The images of bases, by what they are asked for by."""

    def __init__(self, images: pd.DataFrame) -> None:
        self._by_digest: dict[tuple[Any, ...], list[_At]] = defaultdict(list)
        self._by_tag: dict[tuple[Any, ...], list[_At]] = defaultdict(list)
        columns = ["repo", "tag", "platform", "image_digest", "index_digest", "created_at"]
        for repo, tag, platform, digest, index, created in plain_rows(images[columns]):
            at = _At(digest, index or digest, created)
            for each in {platform, None}:
                for asked in {index, digest} - {None}:
                    self._by_digest[repo, asked, each].append(at)
                if tag is not None:
                    self._by_tag[repo, tag, each].append(at)

    def images(self, repo: Any, digest: Any, platform: Any) -> Sequence[_At]:
        """Return the images of a digest: of an index those of the platform."""
        return self._by_digest.get((repo, digest, platform), ())

    def named(self, repo: Any, tag: Any, platform: Any) -> Sequence[_At]:
        """Return the images that a tag has now."""
        return self._by_tag.get((repo, tag, platform), ())


class _Compared(NamedTuple):
    """An image of a base, held against the layers of an image."""

    at: _At | None = None
    layer_count: int | None = None
    is_prefix: bool | None = None
    is_contrary: bool = False  # whether its layers being others tells that it is no base


def _compare(images: Sequence[_At], own: Sequence[Any], of_bases: Mapping[Any, Any]) -> _Compared:
    """Return, of several images for one platform, as Windows has, that whose layers come first."""
    found = []
    for at in images:
        held = of_bases.get(at.digest)
        is_prefix = _begins_with(own, held) if own and held else None
        # One layer may be all that there were, put together.
        is_contrary = is_prefix is False and len(own) > 1
        found.append(_Compared(at, len(held) if held else None, is_prefix, is_contrary))
    return max(found, key=lambda one: bool(one.is_prefix), default=_Compared())


def _contents(layers: pd.DataFrame) -> dict[Any, list[tuple[Any, Any]]]:
    """List the layers of images, base first: each as it comes, and unpacked.

    An image is found by its key, and by its digest alone.
    """
    LAYERS.require(layers, [*_KEY, "position", "layer_digest", "diff_id"])
    columns = [*_KEY, "layer_digest", "diff_id"]
    found: dict[Any, list[tuple[Any, Any]]] = defaultdict(list)
    # One that was asked for by its digest and by its index's is there twice.
    once = layers.drop_duplicates([*_KEY, "position"]).sort_values("position", kind="stable")
    for *key, digest, diff_id in plain_rows(once[columns]):
        found[tuple(key)].append((digest, diff_id))
    by_digest = {key[_KEY.index("image_digest")]: held for key, held in found.items()}
    return by_digest | found


def _begins_with(own: Sequence[tuple[Any, Any]], base: Sequence[tuple[Any, Any]]) -> bool:
    """Whether the layers of a base are the first of an image's: packed, or what is in them."""
    if len(base) > len(own):
        return False
    pairs = zip(own, base, strict=False)
    return all(a[0] == b[0] or (a[1] is not None and a[1] == b[1]) for a, b in pairs)


def _confidence(held: _Compared, *, is_had: bool) -> str:
    if held.is_prefix:
        return PROVED if is_had else LIKELY
    # What a tag is now says nothing against what it was.
    return WRONG if is_had and held.is_contrary else TOLD


def _is_outdated(base: Base, then: _At | None, now: _Compared) -> bool | None:
    """Whether the base's tag has another image now; null where that cannot be known."""
    if now.at is None:
        return None
    if base.digest in (now.at.top, now.at.digest) or (then is None and now.is_prefix):
        return False
    if then is not None:
        return bool(then.digest != now.at.digest)
    return True if base.digest and now.is_contrary else None


# What a tag had, from when to when; without an end it has it still.
_Past = Mapping[tuple[Any, Any], Sequence[tuple[Any, Any, Any]]]


def check_history(history: pd.DataFrame) -> None:
    """Refuse what does not tell what tags had, and when: a ValueError."""
    columns = set(history) if isinstance(history, pd.DataFrame) else set()
    is_told = "started_at" in columns or {"first_seen_at", "last_seen_at"} <= columns
    if not is_told or not {"repo", "tag", "digest"} <= columns:
        raise ValueError(
            "history must be a frame with repo, tag, digest and either started_at or "
            "first_seen_at and last_seen_at, such as tag_moves_df makes"
        )


def _past(history: pd.DataFrame | None) -> _Past:
    """Read what tags had: all the time from a start on, or between two observations for certain."""
    if history is None:
        return {}
    check_history(history)
    if "started_at" in history:
        since = history["started_at"]
        until = history["ended_at"] if "ended_at" in history else _next(history)
    else:
        pushed = history.get("pushed_at", pd.Series(pd.NaT, history.index))
        since = pushed.where(pushed.notna(), history["first_seen_at"])
        until = history["last_seen_at"]
    told: dict[tuple[Any, Any], list[tuple[Any, Any, Any]]] = defaultdict(list)
    rows = history[["repo", "tag", "digest"]].assign(since=since, until=until)
    for repo, tag, *rest in plain_rows(rows):
        told[repo, tag].append(tuple(rest))
    return told


def _next(history: pd.DataFrame) -> pd.Series:
    """Return when a tag got something else."""
    by_tag = history.sort_values("started_at", kind="stable").groupby(["repo", "tag"])
    return by_tag["started_at"].shift(-1).reindex(history.index)


def _built(images: pd.DataFrame | None) -> dict[tuple[Any, ...], Any]:
    """Tell when images were built."""
    if images is None:
        return {}
    IMAGES.require(images, [*_KEY, "created_at"])
    return {tuple(key): at for *key, at in plain_rows(images[[*_KEY, "created_at"]])}


def _was_outdated(base: Base, then: _At | None, past: _Past, built: Any) -> bool | None:
    """Whether the base's tag had another image when the image was built; null if nothing tells.

    What never had the digest that is told may name the same image by another one, as an index
    and a manifest do.
    """
    held = past.get((base.repo, base.tag), ())
    own = {base.digest, then.top if then else None} - {None}
    if built is None or own.isdisjoint(digest for digest, *_ in held):
        return None
    for digest, since, until in held:
        if since is not None and since <= built and (until is None or built < until):
            return digest not in own
    return None


def _lag(then: _At | None, now: _At | None) -> float | None:
    """Return the days from the one build to the other."""
    if then is None or now is None or then.created_at is None or now.created_at is None:
        return None
    lag = days_between(pd.Series([then.created_at]), pd.Series([now.created_at]))[0]
    return None if pd.isna(lag) else float(lag)


def _one_each(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Keep one base for each image and evidence: of several, that whose layers come first.

    A build copies from other images too. Of those whose layers are its first ones the longest is
    the base; where none is, and several are named, none is known to be. What went into a build and
    has other layers is no base.
    """
    by_image: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_image.setdefault(tuple(row[name] for name in (*_KEY, "evidence")), []).append(row)
    for some in by_image.values():
        proved = [row for row in some if row["is_prefix"]]
        if proved:
            yield max(proved, key=lambda row: row["base_layer_count"] or 0)
        elif len(some) == 1 and not (some[0]["evidence"] == PROVENANCE and some[0]["is_other"]):
            yield some[0]


def _by_layers(layers: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Find bases by layers alone, among other images."""
    both = pd.concat([layers, others], ignore_index=True).drop_duplicates([*_KEY, "position"])
    parents = parents_df(both).dropna(subset="parent_repo")
    wanted = layers[_KEY].drop_duplicates()
    found = wanted.merge(parents, on=_KEY, how="inner")
    return BASES.of(
        {
            **{name: found[name].array for name in _KEY},
            "evidence": [BY_LAYERS] * len(found),
            "base_repo": found["parent_repo"].array,
            "base_tag": found["parent_tag"].array,
            "base_digest": [None] * len(found),
            "base_platform_digest": found["parent_image_digest"].array,
            "base_layer_count": found["parent_layer_count"].array,
            "is_prefix": [True] * len(found),
            "confidence": [LIKELY] * len(found),
            "base_name_now_digest": [None] * len(found),
            "is_outdated": [None] * len(found),
            "outdated_at_build": [None] * len(found),
            "lag_days": np.full(len(found), np.nan),
            "base_eol_at": [None] * len(found),  # told of all bases together
        }
    )


def outdated_bases_df(bases: pd.DataFrame, tags: pd.DataFrame | None = None) -> pd.DataFrame:
    """List the images whose base's tag has a newer image now, the longest lag first.

    Parameters
    ----------
    bases
        The table `bases`.
    tags
        The table `tags` of the bases' repositories, of a later day: what their tags point at since
        then, in place of what `bases_df` was told. How long the lag is then, it does not say.

    Returns
    -------
    pandas.DataFrame
        Rows of `bases`, one for each image: the best proof that there is. What is proved to be of
        today is not listed for what another evidence says.
    """
    BASES.require(bases, [*_KEY, "evidence", "confidence", "is_outdated", "lag_days"])
    if tags is not None:
        bases = _since(bases, tags)
    known = bases.dropna(subset="is_outdated")
    rank = known["confidence"].map({PROVED: 0, LIKELY: 1, TOLD: 2, WRONG: 3})
    ranked = known.assign(rank=rank).sort_values(
        ["rank", "is_outdated"], ascending=[True, False], kind="stable"
    )
    best = ranked.drop_duplicates(_KEY)
    outdated = best[best["is_outdated"].astype(bool)]
    outdated = outdated.sort_values("lag_days", ascending=False, na_position="last", kind="stable")
    return outdated.drop(columns="rank").reset_index(drop=True)


def _since(bases: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """Tell of bases whose tags have moved whether they are outdated now."""
    digests = ["base_digest", "base_platform_digest", "base_name_now_digest"]
    BASES.require(bases, ["base_repo", "base_tag", *digests])
    TAGS.require(tags, ["repo", "tag", "digest"])
    known = tags.dropna(subset="digest").drop_duplicates(["repo", "tag"])
    named = bases[["base_repo", "base_tag"]].set_axis(["repo", "tag"], axis="columns")
    now = named.merge(known[["repo", "tag", "digest"]], how="left")["digest"].set_axis(bases.index)
    own, of_platform, before = (bases[name] for name in digests)
    has_moved = now.notna() & (now != before).fillna(value=True)
    is_back = ((now == own) | (now == of_platform)).fillna(value=False)
    # Without a digest of its own, a base was what its tag pointed at, or was behind that already.
    is_told = own.notna() | (before.notna() & bases["is_outdated"].notna())
    is_outdated = (~is_back).astype("boolean").where(is_told)
    return bases.assign(
        base_name_now_digest=before.mask(has_moved, now),
        is_outdated=bases["is_outdated"].mask(has_moved, is_outdated),
        lag_days=bases["lag_days"].mask(has_moved),
    )
