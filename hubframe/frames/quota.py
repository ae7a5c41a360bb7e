"""The pulls of a call: counted before the first one is spent, and held to what is left."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from itertools import accumulate

import pandas as pd

from hubframe.errors import QuotaError
from hubframe.frames import limits
from hubframe.frames.attached import KINDS, documents_of
from hubframe.frames.call import Budget, Call
from hubframe.frames.fetching import Item, Kind, Survey
from hubframe.frames.readers import read_images, resolve
from hubframe.frames.referrers import lifecycles_of, referrers_of
from hubframe.frames.scans import SCANS, scans_of
from hubframe.frames.sources import Found, Source, Wanted
from hubframe.frames.tag_history import histories_of
from hubframe.frames.tag_pulls import pulls_of
from hubframe.tables import LAYERS, LIFECYCLES, TAG_HISTORY, TAG_PULLS, shape

# Asking for the limit takes two requests: not worth it for one pull, whose refusal says as much.
_WORTH_ASKING = 2
NARROWER = (
    "Ask for less (newest=, tags=, fewer platforms), log in for a limit of your own, take what "
    'fits with partial=True, or read labels from build steps with source="hub"'
)


def guard(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source, *, partial: bool
) -> None:
    """Make sure that there are enough pulls, before the first one; `partial` takes what fits."""
    if call.client.is_offline or not any(one.reference.is_hub for one in found):
        return
    missing = _missing(call, name, found, wanted, source)
    costs = [pulls(item, then, wanted) for item, then in missing.items()]
    needed = sum(costs)
    if needed < _WORTH_ASKING:
        return
    limit = limits.pull_limit(call.client, at_least=needed)
    if limit is None:
        return
    left = limit.remaining
    if needed <= left or partial:
        # Those that do not fit: an index is of no use without its images.
        spent = zip(missing, accumulate(costs), strict=True)
        beyond = frozenset(item.document for item, sum_of in spent if sum_of > left)
        call.budget = Budget(left, beyond, is_partial=partial)
    else:
        raise QuotaError(
            f"{name}: this needs {needed} pulls from Docker Hub, and {left} of {limit.allowed} are "
            f"left; none was spent. {NARROWER}",
            needed=needed,
            remaining=left,
        )


def survey(
    call: Call,
    name: str,
    found: Sequence[Found],
    wanted: Wanted,
    source: Source,
    *,
    is_first_enough: bool = False,
) -> Survey:
    """Make the waves of a call without fetching, as far as what is here reaches.

    Digests on Docker Hub that the call will ask for are looked up: it is free, and kept. Where
    there are none, what is asked for first may be enough: then nothing is read twice.
    """
    first = _waves(call, name, found, wanted, source, Survey(is_first_only=True))
    digests = [item for item in first.missing if item.kind == "digest"]
    call.scratch().get(item for item in digests if item.reference.is_hub)
    if is_first_enough and not digests:
        return first
    return _waves(call, name, found, wanted, source, Survey())


def read_layer_lists(
    call: Call, found: Sequence[Found], wanted: Wanted, source: Source
) -> tuple[pd.DataFrame, bool]:
    """Return the layers of images, as far as no pull is spent, and whether these are all.

    What tells them is fetched where it is free, and kept: the call itself does not ask again.
    """
    while True:
        scratch = call.scratch()
        scratch.survey = Survey()
        images = read_images(scratch, LAYERS.name, found, wanted, source)
        layers = shape.layers(list(images))
        free = [item for item in scratch.survey.missing if not item.is_pull]
        if not free:
            return layers, not scratch.survey.missing
        for batch in call.batches(free, LAYERS.name):
            call.scratch().get(batch)


def _waves(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source, seen: Survey
) -> Survey:
    scratch = call.scratch()
    scratch.survey = seen
    if name == "tags":
        resolve(scratch, found)
    elif name == "referrers":
        deque(referrers_of(scratch, found), maxlen=0)
    elif name == LIFECYCLES.name:
        deque(lifecycles_of(scratch, found, wanted), maxlen=0)
    elif name == TAG_HISTORY.name:
        deque(histories_of(scratch, [one.reference for one in found]), maxlen=0)
    elif name == TAG_PULLS.name:
        pulls_of(scratch, found)
    elif name == SCANS:
        deque(scans_of(scratch, found, wanted), maxlen=0)
        # Each image that is still to be read has a scan.
        for item, then in seen.missing.items():
            seen.missing[item] = () if item.kind == "scan" else (*then, "scan")
    elif name in KINDS:
        deque(documents_of(scratch, KINDS[name], found, wanted), maxlen=0)
    else:
        deque(read_images(scratch, name, found, wanted, source), maxlen=0)
    return seen


def _missing(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> Mapping[Item, tuple[Kind, ...]]:
    """Return the pulls that are to come, as far as they are known without spending one."""
    ordered = sorted(found, key=_pushed, reverse=True)
    seen = survey(call, name, ordered, wanted, source, is_first_enough=True)
    by_digest = {
        item.document: (item, then)
        for item, then in seen.missing.items()
        if item.is_pull and item.document
    }
    missing = call.client.blobs.missing(by_digest)
    return dict(both for digest, both in by_digest.items() if digest in missing)


def _pushed(found: Found) -> str:
    """Sort newest first over all repositories; a registry's tags have no dates, and go last."""
    pushed = found.tag and found.tag.pushed_at
    return pushed if isinstance(pushed, str) else ""


def kinds(item: Item, then: tuple[Kind, ...], wanted: Wanted) -> Counter[str]:
    """Count an item, and what follows from it: of an index an image for each platform wanted.

    What a tag names is not known before: it may be no index, or the same as another's.
    """
    after = () if wanted.is_brief or item.kind == "tag" else then
    each = len(wanted.platforms or [None]) if "manifest" in after else 1
    return Counter({item.kind: 1}) + Counter(dict.fromkeys(after, each))


def pulls(item: Item, then: tuple[Kind, ...], wanted: Wanted) -> int:
    """Count the pulls of an item, and of what follows from it."""
    return kinds(item, then, wanted)["manifest"] if item.is_pull else 0
