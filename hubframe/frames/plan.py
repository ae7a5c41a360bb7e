"""What a call will cost, before it is made: the readers of the call, read without fetching."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from math import ceil
from typing import Literal, NamedTuple

import pandas as pd

from hubframe.errors import TransportError
from hubframe.frames import checked, limits, quota, readers, scans, tag_history, tag_pulls
from hubframe.frames.attached import KINDS
from hubframe.frames.call import Call, calling
from hubframe.frames.fetching import Survey
from hubframe.frames.files import Layer, missing_layers
from hubframe.frames.packages import (
    Evidence,
    asks_for_documents,
    check_evidence,
    has_binaries,
    read_kinds,
    with_databases,
)
from hubframe.frames.scans import SCANS
from hubframe.frames.selection import (
    ALL,
    USUAL_PLATFORM,
    Platforms,
    TagFilter,
    What,
    references,
    tags_of,
)
from hubframe.frames.sources import Found, Source, Wanted, find_tags, read_wanted
from hubframe.oci.reference import ImageReference
from hubframe.tables import (
    CONTENTS,
    DISTRIBUTIONS,
    LAYERS,
    PACKAGES,
    PLAN,
    REFERRERS,
    SBOMS,
    TAG_HISTORY,
    TAG_PULLS,
    amounts,
)
from hubframe.tables.references import CHECKED_REFERENCES
from hubframe.wire.client import Client
from hubframe.wire.limits import Limit
from hubframe.wire.rates import START

# How long an answer takes, as a rule of thumb: a continent away, on a good day. [seconds]
_ROUND_TRIP = 0.2
_KINDS = {
    "images": "hub",
    "page": "hub",
    "digest": "head",
    "list": "list",
    "referrers": "referrers",
    "stand-in": "referrers",
    "names": "referrers",
    "tag": "manifest",
    "manifest": "manifest",
    "config": "config",
    "attached": "document",
    **dict.fromkeys(("history", "pulls", "scan"), "provider"),
}
# Frames of what is in layers, and whether they take the contents of files, too.
OF_LAYERS = {"files": False, "packages": True, "distributions": True, "contents": False}
# Whose evidence is of one kind unless another is asked for.
_USUAL_EVIDENCE: Mapping[str, Evidence] = {SBOMS.name: "sbom", DISTRIBUTIONS.name: "layers"}
# Each list of referrers may name others, which are asked for then.
_OF_REFERRERS = ("referrers", *KINDS, "lifecycles")
# Frames of what providers tell, and what says whose references these can be.
_BESIDE = {
    SCANS: scans.providers,
    TAG_HISTORY.name: tag_history.providers,
    TAG_PULLS.name: tag_pulls.providers,
}
_FRAMES = ("tags", *readers.FRAMES, *OF_LAYERS, *_OF_REFERRERS, *_BESIDE, CHECKED_REFERENCES.name)
Bound = Literal["exactly", "at least", "at most", "about"]
_MEANINGS = {
    "hub": "Hub API, free of pulls",
    "head": "HEAD of tags, free of pulls",
    "list": "lists of tags, free of pulls",
    "referrers": "lists of referrers and tags that stand in for them, free of pulls",
    "manifest": "manifests and indexes",
    "config": "configs, free of pulls",
    "document": "documents attached to images, free of pulls",
    "layer": "layers, free of pulls",
    "provider": "APIs of registries beside the protocol, free of pulls",
}


@dataclass(frozen=True)
class Plan:
    """What a call would ask for, and what may be asked for.

    Attributes
    ----------
    frame, tag_count
        Which frame, and of how many tags; of ``tag_history`` how many repositories and tags were
        named.
    requests
        How many requests, by kind: ``hub``, ``head``, ``list``, ``referrers``, ``manifest``,
        ``config``, ``document``, ``layer``, ``provider``.
        Logins come on top: a token for each repository.
    pulls
        How many of them Docker Hub counts as pulls.
    limit
        The pull limit; None where nothing has to be pulled, or none is told.
    size
        How many bytes the layers have that it will download; None for frames that download none,
        and where no layer is known yet.
    bound
        How to take that: ``exactly``, ``at least``, where images have to be read first or files are
        asked for, ``at most``, where documents may tell of packages, or ``about``, for both.
    held
        How many documents and answers are here already.
    seconds
        How long it may take, with answers in a fifth of a second, and the Hub API's limit. What
        the bytes of layers take comes on top.
    is_exact
        Whether the call will make as many; otherwise indexes, lists, or pages of what tags pointed
        at have to be read first, or answers are not kept, and it may be more.
    """

    frame: str
    tag_count: int
    requests: Mapping[str, int] = field(default_factory=dict)
    pulls: int = 0
    limit: Limit | None = None
    size: int | None = None
    bound: Bound = "exactly"
    held: int = 0
    seconds: float = 0.0
    is_exact: bool = True

    @property
    def pulls_left(self) -> int | None:
        """How many pulls are left; None for no limit, or one that is not known."""
        return None if self.limit is None else self.limit.remaining

    @property
    def fits(self) -> bool:
        """Whether enough pulls are left."""
        return self.pulls_left is None or self.pulls <= self.pulls_left

    def to_frame(self) -> pd.DataFrame:
        """Return the table `plan`, one row per kind of request."""
        return PLAN.from_records(
            {
                "kind": kind,
                "count": count,
                "size": self.size if kind == "layer" else None,
                "meaning": _MEANINGS[kind],
            }
            for kind, count in self.requests.items()
            if count
        )

    def __str__(self) -> str:
        least = "" if self.is_exact else "at least "
        of = "repositories" if self.frame == TAG_HISTORY.name else "tags"
        what, total = f"{self.frame} of {self.tag_count} {of}", sum(self.requests.values())
        left = "no limit known" if self.pulls else "none counted"
        if self.limit is not None:
            left = f"{self.limit.remaining} of {self.limit.allowed} left"
        size = "" if self.bound == "exactly" else f"{self.bound} "
        size = "" if self.size is None else f"{size}{amounts.size(self.size)}"
        lines = [
            f"{what}: {least}{total} requests, about {self.seconds:.0f} s"
            + (" and the download" if self.size else ""),
            *(f"  {count:>7}  {_MEANINGS[kind]}" for kind, count in self.requests.items() if count),
            f"  {self.held:>7}  already here",
            *self._of_layers(size),
            f"  pulls: {self._least_pulls}{self.pulls} needed, {left}",
        ]
        return "\n".join(lines if self.fits else [*lines, f"  {quota.NARROWER}"])

    @property
    def _least_pulls(self) -> str:
        # To check references costs none in any case.
        return "" if self.is_exact or self.frame == CHECKED_REFERENCES.name else "at least "

    def _of_layers(self, size: str) -> list[str]:
        """Say how much is to be downloaded."""
        if self.frame not in OF_LAYERS and self.size is None:
            return []
        return [f"  download: {size or 'not known before manifests are read'}"]

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def plan(
    what: What,
    frame: str = "labels",
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms | None = None,
    attestations: bool = False,
    kinds: str | Iterable[str] = "usual",
    evidence: Evidence = "auto",
    source: Source = "auto",
    progress: bool | None = None,
    client: Client | None = None,
) -> Plan:
    """Tell what a call would cost, before anything is spent.

    Tags are listed, and on Docker Hub their digests looked up where the call would do so: that is
    free of pulls, and kept, so that the call itself does not ask again. So is what tells which
    layers images have, for frames that download layers: Docker Hub's API, and manifests of other
    registries.

    Parameters
    ----------
    what
        What the call would be given: of ``checked_references`` a frame of references, each of whose
        tags and lists counts once.
    frame
        Which call: ``labels`` for `labels_df`, or ``tags``, ``images``, ``layers``, ``history``,
        ``env``, ``configs``, ``referrers``, ``sboms``, ``provenance``, ``materials``,
        ``dockerfiles``, ``signatures``, ``lifecycles``, ``scans``, ``tag_pulls``,
        ``tag_history``, ``checked_references``; or ``files``, ``packages``, ``distributions``,
        ``contents``, whose plan tells the bytes of the layers that are not kept yet.
    kinds, evidence
        Of packages, see `packages_df`, and evidence of sboms, see `sboms_df`. With ``"auto"``
        evidence the layers of all images are counted, also of those that turn out to have a
        document; of sboms it is ``"sbom"``, and of distributions ``"layers"``.
    tags, newest, platform, attestations, source, progress, client
        See `layers_df`.

    Returns
    -------
    Plan
        Requests by kind, pulls needed and left, what is here already, and how long it may take.

    Examples
    --------
    >>> with hubframe.sample():
    ...     hubframe.plan("ansible/ansible", "labels", newest=3).pulls
    3
    """
    # Commands are written with dashes.
    name = frame.removesuffix("_df").replace("-", "_")
    if name not in _FRAMES:
        raise ValueError(f"frame must be one of {', '.join(_FRAMES)}, not {frame!r}")
    check_evidence(evidence)
    with_binaries = name == PACKAGES.name and has_binaries(read_kinds(kinds))
    if evidence == "auto":
        evidence = _USUAL_EVIDENCE.get(name, evidence)
    if name not in (PACKAGES.name, *_USUAL_EVIDENCE):
        evidence = "layers"
    reads_layers = name in OF_LAYERS or (name == SBOMS.name and evidence != "sbom")
    usual = ALL if name in ("tags", "images") else USUAL_PLATFORM
    is_brief = name in (REFERRERS.name, TAG_PULLS.name)
    wanted = read_wanted(
        tags, newest, platform or usual, attestations=attestations, is_brief=is_brief
    )
    source = "auto" if name in _BESIDE else source
    with calling(client, "raise", progress) as call:
        if name == CHECKED_REFERENCES.name:
            if wanted.filters or newest:
                raise ValueError(f"{name} takes a frame of references, and no tags or newest")
            return _of_references(call, what, wanted, source)
        asked, found = _find(call, name, what, wanted, source)
        documented = [one for one in found if asks_for_documents(one.reference, evidence, source)]
        downloads = _Downloads(0)
        if reads_layers:
            layers, is_all = quota.read_layer_lists(call, found, wanted, source)
            if evidence == "sbom":
                layers, is_all = layers[:0], True
            is_most = bool(documented) and evidence == "auto"
            has_databases = OF_LAYERS.get(name, True)
            missing = missing_layers(
                call.client,
                with_databases(layers) if has_databases else layers,
                with_bodies=has_databases,
                with_binaries=with_binaries,
            )
            is_known = is_all or not layers.empty
            # Of files that are asked for, layers are read again where they were listed before.
            is_all &= name != CONTENTS.name
            downloads = _downloads(missing, is_known=is_known, is_all=is_all, is_most=is_most)
        of_images = LAYERS.name if reads_layers else name
        survey = quota.survey(call, of_images, found, wanted, source)
        is_of_referrers = bool(documented) or of_images in _OF_REFERRERS
        if documented and of_images != SBOMS.name:
            survey |= quota.survey(call, SBOMS.name, documented, wanted, source)
        for category, words in call.remarks("plan").items():
            warnings.warn(words, category, stacklevel=2)
        hosts = {one.registry for one in asked} if source == "auto" else ()
        requests = _counted(survey, wanted)
        requests["layer"] = downloads.layer_count
        pulls = sum(quota.pulls(item, then, wanted) for item, then in survey.missing.items())
        return Plan(
            frame=name,
            tag_count=len(found),
            requests=requests,
            pulls=pulls,
            limit=limits.pull_limit(call.client) if pulls else None,
            size=downloads.size,
            bound=downloads.bound,
            held=len(survey.answered),
            seconds=_seconds(call.client, requests),
            is_exact=not any("manifest" in then for then in survey.missing.values())
            and not (survey.missing and (is_of_referrers or name == TAG_HISTORY.name))
            and downloads.bound == "exactly"
            and all(one.is_kept for one in map(call.client.provider, hosts) if one),
        )


def _find(
    call: Call, name: str, what: What, wanted: Wanted, source: Source
) -> tuple[Sequence[ImageReference], Sequence[Found]]:
    """Return what is asked for, and the tags that this is of."""
    of_tags = name in (TAG_HISTORY.name, TAG_PULLS.name)
    asked = tags_of(what, f"{name}_df") if of_tags else references(what)
    if name in _BESIDE:
        _BESIDE[name](call.client, asked)
    if name == TAG_HISTORY.name:
        # What tags pointed at is no list of those that there are.
        return asked, [Found(one, is_named=True) for one in asked]
    return asked, find_tags(call, asked, wanted, source)


def _of_references(call: Call, references: What, wanted: Wanted, source: Source) -> Plan:
    tag_count, survey = checked.survey(call, references, source)
    requests = _counted(survey, wanted)
    return Plan(
        frame=CHECKED_REFERENCES.name,
        tag_count=tag_count,
        requests=requests,
        held=len(survey.answered),
        seconds=_seconds(call.client, requests),
        is_exact=not survey.missing,
    )


def _counted(survey: Survey, wanted: Wanted) -> dict[str, int]:
    requests = dict.fromkeys(_MEANINGS, 0)
    for item, then in survey.missing.items():
        for kind, count in quota.kinds(item, then, wanted).items():
            requests[_KINDS[kind]] += count
    return requests


class _Downloads(NamedTuple):
    """The layers that a call will download, as far as they are known."""

    layer_count: int
    size: int | None = None
    bound: Bound = "exactly"


def _downloads(
    missing: Sequence[Layer], *, is_known: bool, is_all: bool, is_most: bool
) -> _Downloads:
    sizes = [one.size for one in missing if one.size is not None]
    is_least = not is_all or len(sizes) < len(missing)
    bound: Bound = "about" if is_least and is_most else "at least" if is_least else "at most"
    return _Downloads(
        len(missing),
        sum(sizes) if is_known else None,
        bound if is_least or is_most else "exactly",
    )


def _seconds(client: Client, requests: Mapping[str, int]) -> float:
    """Estimate: round trips through the workers, and minutes for which the Hub makes us wait."""
    # More than these at once are found by trying.
    at_once = min(client.settings.workers, START)
    trips = ceil(sum(requests.values()) / at_once) * _ROUND_TRIP
    limit = client.hub.last_limit()
    if requests["hub"]:
        # Who does not answer, or is not to be asked, does not tell it.
        with suppress(TransportError):
            limit = limits.hub_limit(client)
    if limit is None or not limit.allowed:
        return trips
    return trips + 60.0 * ceil(max(0, requests["hub"] - limit.remaining) / limit.allowed)
