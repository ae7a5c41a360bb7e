"""Which step of an image is which of another: the one pairing, of comparisons and of trends.

A step that is the same layer, or says the same, or the same but for versions, hashes and dates, is
known again. What stands in its place else, between steps that are known, is a guess.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

_NAMING = ("ARG", "ENV", "LABEL")
# What changes from release to release in a step that is the same: versions, hashes, dates.
_VARIABLE = re.compile(r"\b[0-9a-f]{12,}\b|v?\d+(?:[._-]\d+)*")
# Between known steps each is looked at beside each other; of more pairs than that none is guessed.
_MOST = 62_500


class Step:
    """A layer or a build step: what it is, what it says, its bytes, and whether all stand on it."""

    def __init__(
        self, value: str, instruction: str | None, size: int | None, *, is_base: bool = False
    ) -> None:
        self.value = value
        self.instruction = instruction
        self.size = size
        self.is_base = is_base

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
    """The places of a step and of its counterpart, None where there is none, and what tells so.

    `by` is ``layer``, ``instruction`` or ``pattern``, by which the step is known again; ``place``
    where it is guessed; None without a counterpart.
    """

    left: int | None
    right: int | None
    by: str | None


class _Gap(NamedTuple):
    """Places of steps that are not known again, between steps that are."""

    left: list[int]
    right: list[int]


# None is no text that steps could have in common, but what has none is as good as its neighbours.
_ALIKE: dict[str, Callable[[Step], str | None]] = {
    "layer": lambda step: step.value,
    "instruction": lambda step: step.instruction,
    "pattern": lambda step: step.pattern,
}
_LEVELS = tuple(_ALIKE)


def paired(left: Sequence[Step], right: Sequence[Step], *, moved: bool = False) -> list[Pair]:
    """Pair the steps of two images, each at most once, those without a counterpart alone.

    Parameters
    ----------
    left, right
        The steps, first step first.
    moved
        Whether steps that are known again are paired also where others changed places with them.
        Otherwise the pairs are in order, as the lines of two texts are.
    """
    parts = list(_aligned(left, right, range(len(left)), range(len(right))))
    found = list(_moved(left, right, [part for part in parts if isinstance(part, _Gap)] * moved))
    gone, come = {pair.left for pair in found}, {pair.right for pair in found}
    for part in parts:
        if isinstance(part, Pair):
            found.append(part)
        else:
            ours = [i for i in part.left if i not in gone]
            theirs = [j for j in part.right if j not in come]
            found += _replaced(left, right, ours, theirs)
    return found


def _aligned(
    left: Sequence[Step], right: Sequence[Step], ours: range, theirs: range, level: int = 0
) -> Iterator[Pair | _Gap]:
    """Pair the places of two lists: what is the same, then within the gaps what is alike."""
    if level == len(_LEVELS) or not ours or not theirs:
        if ours or theirs:
            yield _Gap(list(ours), list(theirs))
        return
    by = _LEVELS[level]
    alike = _ALIKE[by]
    keys = [alike(left[i]) for i in ours], [alike(right[j]) for j in theirs]
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if kind == "equal":
            for i, j in zip(ours[i1:i2], theirs[j1:j2], strict=True):
                yield Pair(i, j, by if alike(left[i]) else "place")
        else:
            yield from _aligned(left, right, ours[i1:i2], theirs[j1:j2], level + 1)


def _moved(left: Sequence[Step], right: Sequence[Step], gaps: list[_Gap]) -> Iterator[Pair]:
    """Pair what is known again in another place."""
    ours, theirs = ({i: None for gap in gaps for i in gap[side]} for side in (0, 1))
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
    left: Sequence[Step], right: Sequence[Step], ours: list[int], theirs: list[int]
) -> Iterator[Pair]:
    """Guess what took the place of what, in order: as many as can, and the likest of these."""
    likeness = [[0.0]]
    if len(ours) * len(theirs) <= _MOST:
        likeness = [[_likeness(left[i], right[j]) for j in theirs] for i in ours]
    best = _best(likeness)
    i = j = 0
    while i < len(ours) or j < len(theirs):
        rest = best[i][j] if i < len(best) and j < len(best[0]) else 0
        if rest and likeness[i][j] and rest == likeness[i][j] + best[i + 1][j + 1]:
            yield Pair(ours[i], theirs[j], "place")
            i, j = i + 1, j + 1
        elif i < len(ours) and (not rest or rest == best[i + 1][j]):
            yield Pair(ours[i], None, None)
            i += 1
        else:
            yield Pair(None, theirs[j], None)
            j += 1


def _best(likeness: list[list[float]]) -> list[list[float]]:
    """Sum, for each pair of places, the most likeness that can be had from there on, in order."""
    width = len(likeness[0]) if likeness else 0
    best = [[0.0] * (width + 1) for _ in range(len(likeness) + 1)]
    for i in reversed(range(len(likeness))):
        for j in reversed(range(width)):
            likely = likeness[i][j] and likeness[i][j] + best[i + 1][j + 1]
            best[i][j] = max(likely, best[i + 1][j], best[i][j + 1])
    return best


def _likeness(left: Step, right: Step) -> float:
    """Tell how like two steps are that have the same kind or bear the rest; 0 where neither is so.

    That there is a pair counts for more than all the words of a gap.
    """
    if left.kind == right.kind or (left.is_base and right.is_base):
        either = left.words | right.words
        shared = len(left.words & right.words) / len(either) if either else 0
        return _MOST + (left.kind == right.kind) + shared
    return 0
