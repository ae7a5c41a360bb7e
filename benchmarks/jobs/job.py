"""A job: who does it, and what hubframe must reach in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.contenders import Contender, Measured

Found = Mapping[str, Measured]
Verdict = tuple[str, bool]
HUBFRAME, URLLIB3 = "hubframe", "urllib3 + threads"


@dataclass(frozen=True)
class Target:
    """What must be reached: in words, and as a judgement of what was measured."""

    work: str
    must: str
    judge: Callable[[Found], Verdict]


@dataclass(frozen=True)
class Job:
    """One piece of work and its contenders.

    Attributes
    ----------
    name, title
        For the command line, and for the table.
    about
        What exactly is done and timed.
    contenders
        Who does it, in the order of the table.
    targets
        What hubframe must reach.
    repeats
        How often each contender runs.
    before
        What runs once before, such as filling a cache; it is not measured.
    """

    name: str
    title: str
    about: str
    contenders: list[Contender]
    targets: list[Target]
    repeats: int
    before: list[Contender] = field(default_factory=list)


def at_most(most: float, one: str, *others: str) -> Callable[[Found], Verdict]:
    """Judge one's time by those of the others, added up."""

    def judge(found: Found) -> Verdict:
        ratio = found[one].seconds / sum(found[other].seconds for other in others)
        return f"{ratio:.2f} ×", ratio <= most

    return judge


def at_most_processor(most: float, one: str, other: str) -> Callable[[Found], Verdict]:
    """Judge one's time on the processor by that of another."""

    def judge(found: Found) -> Verdict:
        ratio = found[one].told["processor_seconds"] / found[other].told["processor_seconds"]
        return f"{ratio:.2f} ×", ratio <= most

    return judge


def times_faster(
    least: float, one: str, other: str, *, is_program: bool = False
) -> Callable[[Found], Verdict]:
    """Judge how many times faster one is: a whole process where the other is a program."""

    def judge(found: Found) -> Verdict:
        if not found[other].is_there:
            return f"– ({found[other].note})", False
        own = found[one].whole_seconds if is_program else found[one].seconds
        ratio = found[other].seconds / own
        return f"{ratio:.1f} × faster", ratio >= least

    return judge
