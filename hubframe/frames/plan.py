"""What a call will cost, before it is made: the readers of the call, read without fetching."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from math import ceil

import pandas as pd

from hubframe.frames import limits, quota, readers
from hubframe.frames.attached import KINDS
from hubframe.frames.call import Call, calling
from hubframe.frames.fetching import Survey
from hubframe.frames.selection import ALL, USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, Wanted, find_tags, read_wanted
from hubframe.tables import PLAN, REFERRERS
from hubframe.wire.client import Client
from hubframe.wire.limits import Limit
from hubframe.wire.rates import START

# How long an answer takes, as a rule of thumb: a continent away, on a good day. [seconds]
_ROUND_TRIP = 0.2
_KINDS = {
    "images": "hub",
    "digest": "head",
    "referrers": "referrers",
    "stand-in": "referrers",
    "tag": "manifest",
    "manifest": "manifest",
    "config": "config",
    "attached": "document",
}
# Each list of referrers may name others, which are asked for then.
_OF_REFERRERS = ("referrers", *KINDS)
_FRAMES = ("tags", *readers.FRAMES, *_OF_REFERRERS)
_MEANINGS = {
    "hub": "Hub API, free of pulls",
    "head": "HEAD of tags, free of pulls",
    "referrers": "lists of referrers and tags that stand in for them, free of pulls",
    "manifest": "manifests and indexes",
    "config": "configs, free of pulls",
    "document": "documents attached to images, free of pulls",
}


@dataclass(frozen=True)
class Plan:
    """What a call would ask for, and what may be asked for.

    Attributes
    ----------
    frame, tag_count
        Which frame, and of how many tags.
    requests
        How many requests, by kind: ``hub``, ``head``, ``referrers``, ``manifest``, ``config``,
        ``document``.
        Logins come on top: a token for each repository.
    pulls
        How many of them Docker Hub counts as pulls.
    limit
        The pull limit; None where nothing has to be pulled, or none is told.
    held
        How many documents and answers are here already.
    seconds
        How long it may take, with answers in a fifth of a second, and the Hub API's limit.
    is_exact
        Whether the call will make as many; otherwise indexes, or lists of referrers, have to be
        read first, and it will be more.
    """

    frame: str
    tag_count: int
    requests: Mapping[str, int] = field(default_factory=dict)
    pulls: int = 0
    limit: Limit | None = None
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
            {"kind": kind, "count": count, "meaning": _MEANINGS[kind]}
            for kind, count in self.requests.items()
            if count
        )

    def __str__(self) -> str:
        least = "" if self.is_exact else "at least "
        what, total = f"{self.frame} of {self.tag_count} tags", sum(self.requests.values())
        left = "no limit known" if self.pulls else "none counted"
        if self.limit is not None:
            left = f"{self.limit.remaining} of {self.limit.allowed} left"
        lines = [
            f"{what}: {least}{total} requests, about {self.seconds:.0f} s",
            *(f"  {count:>7}  {_MEANINGS[kind]}" for kind, count in self.requests.items() if count),
            f"  {self.held:>7}  already here",
            f"  pulls: {least}{self.pulls} needed, {left}",
        ]
        return "\n".join(lines if self.fits else [*lines, f"  {quota.NARROWER}"])

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
    source: Source = "auto",
    progress: bool | None = None,
    client: Client | None = None,
) -> Plan:
    """Tell what a call would cost, before anything is spent.

    Tags are listed, and on Docker Hub their digests looked up where the call would do so: that is
    free of pulls, and kept, so that the call itself does not ask again.

    Parameters
    ----------
    what
        What the call would be given.
    frame
        Which call: ``labels`` for `labels_df`, or ``tags``, ``images``, ``layers``, ``history``,
        ``env``, ``configs``, ``referrers``, ``sboms``, ``provenance``, ``materials``,
        ``dockerfiles``, ``signatures``.
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
    name = frame.removesuffix("_df")
    if name not in _FRAMES:
        raise ValueError(f"frame must be one of {', '.join(_FRAMES)}, not {frame!r}")
    usual = ALL if name in ("tags", "images") else USUAL_PLATFORM
    is_brief = name == REFERRERS.name
    wanted = read_wanted(
        tags, newest, platform or usual, attestations=attestations, is_brief=is_brief
    )
    with calling(client, "raise", progress) as call:
        found = find_tags(call, references(what), wanted, source)
        survey = quota.survey(call, name, found, wanted, source)
        for category, words in call.remarks("plan").items():
            warnings.warn(words, category, stacklevel=2)
        return _summed(call, name, len(found), wanted, survey)


def _summed(call: Call, name: str, tag_count: int, wanted: Wanted, survey: Survey) -> Plan:
    requests = dict.fromkeys(_MEANINGS, 0)
    for item, then in survey.missing.items():
        for kind, count in quota.kinds(item, then, wanted).items():
            requests[_KINDS[kind]] += count
    pulls = sum(quota.pulls(item, then, wanted) for item, then in survey.missing.items())
    return Plan(
        frame=name,
        tag_count=tag_count,
        requests=requests,
        pulls=pulls,
        limit=limits.pull_limit(call.client) if pulls else None,
        held=len(survey.answered),
        seconds=_seconds(call.client, requests),
        is_exact=not any("manifest" in then for then in survey.missing.values())
        and not (survey.missing and name in _OF_REFERRERS),
    )


def _seconds(client: Client, requests: Mapping[str, int]) -> float:
    """Estimate: round trips through the workers, and minutes for which the Hub makes us wait."""
    # More than these at once are found by trying.
    at_once = min(client.settings.workers, START)
    trips = ceil(sum(requests.values()) / at_once) * _ROUND_TRIP
    limit = limits.hub_limit(client) if requests["hub"] else None
    if limit is None or not limit.allowed:
        return trips
    return trips + 60.0 * ceil(max(0, requests["hub"] - limit.remaining) / limit.allowed)
