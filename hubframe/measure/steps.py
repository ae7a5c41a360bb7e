"""Which step of an image is which of another: the one pairing, of comparisons and of trends.

A step that is the same layer, or says the same, or the same but for versions, hashes and dates, is
known again. What stands in its place else, between steps that are known, is a guess.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

_NAMING = ("ARG", "ENV", "LABEL")
# What changes from release to release in a step that is the same: versions, hashes, dates.
_VARIABLE = re.compile(r"\b[0-9a-f]{12,}\b|v?\d+(?:[._-]\d+)*")
# Between known steps each is looked at beside each other; of more pairs than that none is guessed.
_MOST = 62_500


@dataclass(eq=False)
class Step:
    """A layer or a build step: what it is, what it says, its bytes, and whether it is the base."""

    value: str
    instruction: str | None
    size: int | None
    is_base: bool = False

    @cached_property
    def pattern(self) -> str | None:
        """What it says but for versions, hashes and dates."""
        return self.instruction and _VARIABLE.sub("#", self.instruction)

    @cached_property
    def kind(self) -> str | None:
        """What the step does: the first word; of a variable or a label its name too."""
        if not self.instruction:
            return None
        word = self.instruction.partition(" ")[0]
        return self.instruction.partition("=")[0] if word in _NAMING else word

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the pattern."""
        return frozenset((self.pattern or "").split())


class Pair(NamedTuple):
    """The places of a step and of its counterpart, None where there is none, and what tells so."""

    left: int | None
    right: int | None
    # What the step is known again by (`_ALIKE`), "place" where it is guessed.
    by: str | None


# None is no text that steps could have in common, but what has none is as good as its neighbours.
_ALIKE: dict[str, Callable[[Step], str | None]] = {
    "layer": lambda step: step.value,
    "instruction": lambda step: step.instruction,
    "pattern": lambda step: step.pattern,
}
_Places = list[int]


def paired(left: Sequence[Step], right: Sequence[Step], *, moved: bool = False) -> list[Pair]:
    """Pair the steps of two images, each at most once, those without a counterpart alone.

    The pairs are in order, as the lines of two texts are, unless steps that are known again are to
    be paired also where they `moved`.
    """
    whole = list(range(len(left))), list(range(len(right)))
    parts = list(_aligned(left, right, *whole, [*_ALIKE]))
    gaps = [part for part in parts if not isinstance(part, Pair)]
    found = list(_moved(left, right, gaps)) if moved else []
    known = [{pair[side] for pair in found} for side in (0, 1)]
    for part in parts:
        if isinstance(part, Pair):
            found.append(part)
        else:
            ours, theirs = ([n for n in part[side] if n not in known[side]] for side in (0, 1))
            found += _replaced(left, right, ours, theirs)
    return found


def _aligned(
    left: Sequence[Step], right: Sequence[Step], ours: _Places, theirs: _Places, levels: list[str]
) -> Iterator[Pair | tuple[_Places, _Places]]:
    """Pair what is the same, then within the gaps what is alike; yield the gaps that are left."""
    if not (levels and ours and theirs):
        if ours or theirs:
            yield ours, theirs
        return
    by, *further = levels
    was, now = ([_ALIKE[by](left[i]) for i in ours], [_ALIKE[by](right[j]) for j in theirs])
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            for said, i, j in zip(was[i1:i2], ours[i1:i2], theirs[j1:j2], strict=True):
                yield Pair(i, j, by if said else "place")
        else:
            yield from _aligned(left, right, ours[i1:i2], theirs[j1:j2], further)


def _moved(
    left: Sequence[Step], right: Sequence[Step], gaps: list[tuple[_Places, _Places]]
) -> Iterator[Pair]:
    """Pair what is known again in another place."""
    ours, theirs = ({place: None for gap in gaps for place in gap[side]} for side in (0, 1))
    for by, alike in _ALIKE.items():
        waiting: dict[str, deque[int]] = defaultdict(deque)
        for i in ours:
            if key := alike(left[i]):
                waiting[key].append(i)
        for j in list(theirs):
            key = alike(right[j])
            if key and waiting[key]:
                i = waiting[key].popleft()
                del ours[i], theirs[j]
                yield Pair(i, j, by)


def _replaced(
    left: Sequence[Step], right: Sequence[Step], ours: _Places, theirs: _Places
) -> Iterator[Pair]:
    """Guess what took the place of what, in order: as many as can, and the most similar."""
    if len(ours) * len(theirs) > _MOST:
        yield from (Pair(i, None, None) for i in ours)
        yield from (Pair(None, j, None) for j in theirs)
        return
    score = [[_score(left[i], right[j]) for j in theirs] for i in ours]
    # For each pair of places, the best sum of scores that can be had from there on, in order.
    best = [[0.0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            both = score[i][j] and score[i][j] + best[i + 1][j + 1]
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(ours) or j < len(theirs):
        rest = best[i][j]
        if rest and score[i][j] and rest == score[i][j] + best[i + 1][j + 1]:
            yield Pair(ours[i], theirs[j], "place")
            i, j = i + 1, j + 1
        elif i < len(ours) and (not rest or rest == best[i + 1][j]):
            yield Pair(ours[i], None, None)
            i += 1
        else:
            yield Pair(None, theirs[j], None)
            j += 1


def _score(left: Step, right: Step) -> float:
    """Tell how alike two steps of one kind, or two bases, are; 0 where they are neither.

    That there is a pair counts for more than all the words between known steps.
    """
    if left.kind == right.kind or (left.is_base and right.is_base):
        either = left.words | right.words
        shared = len(left.words & right.words) / len(either) if either else 0
        return _MOST + (left.kind == right.kind) + shared
    return 0
