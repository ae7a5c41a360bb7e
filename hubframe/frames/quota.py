"""The pulls of a call: counted before the first one is spent, and held to what is left."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from hubframe.errors import QuotaError
from hubframe.frames import limits
from hubframe.frames.call import Budget, Call
from hubframe.frames.needs import Need
from hubframe.frames.readers import resolve, tasks_of
from hubframe.frames.reading import first_needs, survey
from hubframe.frames.sources import Found, Source, Wanted

# Asking for the limit takes two requests: not worth it for one pull, whose refusal says as much.
_WORTH_ASKING = 2
NARROWER = (
    "Ask for less (newest=, tags=, fewer platforms), log in for a limit of your own, take what "
    'fits with partial=True, or read labels from build steps with source="hub"'
)


def guard(  # noqa: PLR0913
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source, *, partial: bool
) -> None:
    """Make sure that there are enough pulls, before the first one.

    Parameters
    ----------
    call, name, found, wanted, source
        What will be read.
    partial
        Whether the caller takes what fits, the newest tags first.

    Raises
    ------
    QuotaError
        There are not enough.
    """
    if call.client.session.is_offline or not any(one.reference.is_hub for one in found):
        return
    missing = _missing(call, name, found, wanted, source)
    needed = sum(pulls(need, wanted) for need in missing)
    if needed < _WORTH_ASKING:
        return
    limit = limits.pull_limit(call.client, at_least=needed)
    if limit is None:
        return
    left = limit.remaining
    if needed <= left or partial:
        call.budget = Budget(left, _beyond(missing, wanted, left), is_partial=partial)
    else:
        raise QuotaError(
            f"{name}: this needs {needed} pulls from Docker Hub, and {left} of {limit.allowed} are "
            f"left; none was spent. {NARROWER}",
            needed=needed,
            remaining=left,
        )


def _missing(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> list[Need]:
    """Return the pulls that are to come, as far as they are known without spending one."""
    ordered = sorted(found, key=_pushed, reverse=True)
    first = first_needs(tasks_of(call.scratch(), name, ordered, wanted, source))
    if any(need.kind == "digest" and need.reference.is_hub for need in first):
        resolve_on_hub(call, name, found, wanted, source)
        tasks = tasks_of(call.scratch(), name, ordered, wanted, source)
        first = survey(call.scratch(), tasks)[1]
    by_digest = {need.document: need for need in first if need.is_pull and need.document}
    missing = call.client.blobs.missing(by_digest)
    return [need for digest, need in by_digest.items() if digest in missing]


def _pushed(found: Found) -> str:
    """Sort newest first over all repositories; a registry's tags have no dates, and go last."""
    pushed = found.tag and found.tag.pushed_at
    return pushed if isinstance(pushed, str) else ""


def _beyond(missing: Sequence[Need], wanted: Wanted, left: int) -> frozenset[str]:
    """Choose the documents that do not fit: an index is of no use without its images."""
    sums = accumulate(pulls(need, wanted) for need in missing)
    return frozenset(
        need.document or "" for need, spent in zip(missing, sums, strict=True) if spent > left
    )


def resolve_on_hub(
    call: Call, name: str, found: Sequence[Found], wanted: Wanted, source: Source
) -> None:
    """Look up digests on Docker Hub that the readers will ask for: it is free, and kept."""
    first = first_needs(tasks_of(call.scratch(), name, found, wanted, source))
    asked = {n.reference for n in first if n.kind == "digest" and n.reference.is_hub}
    scratch = call.scratch()
    resolve(scratch, [one for one in found if one.reference in asked])


def kinds(need: Need, wanted: Wanted) -> Counter[str]:
    """Count a need, and what follows from it: of an index an image for each platform wanted."""
    then = () if wanted.is_brief else need.then
    each = len(wanted.platforms or [None]) if "manifest" in then else 1
    return Counter({need.kind: 1}) + Counter(dict.fromkeys(then, each))


def pulls(need: Need, wanted: Wanted) -> int:
    """Count the pulls of a need, and of what follows from it."""
    return kinds(need, wanted)["manifest"] if need.is_pull else 0
