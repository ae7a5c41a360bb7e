"""Many conversations at once: readers say what they need, and go on when they have it.

A reader is a generator: it yields the needs that it cannot go on without, gets their answers, and
returns what it made of them. It does no I/O, so that the same reader serves the cache, the network
and a plan that fetches nothing.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from hubframe.errors import HubframeError
from hubframe.frames import needs as looking
from hubframe.frames.call import Call
from hubframe.frames.needs import Need
from hubframe.wire.pool import Pool

Result = TypeVar("Result")
# An answer is an error where there was none to be had; the reader decides what that costs.
Reader = Generator[Sequence[Need], list[Any], Result]

# How many conversations are open at once: it bounds what is held in memory, and lets what is
# looked up be looked up together.
MOST_OPEN = 128


@dataclass(eq=False, slots=True)
class _Talk(Generic[Result]):
    """A conversation with one reader, and how far it has come."""

    number: int
    subject: Any
    reader: Reader[Result]
    needs: Sequence[Need] = ()
    answers: dict[Need, Any] = field(default_factory=dict)
    result: Result | None = None
    is_begun: bool = False
    is_over: bool = False

    @property
    def is_ready(self) -> bool:
        # Every need has its answer; a need that comes twice has one.
        return len(self.answers) >= len(self.needs) or self.answers.keys() >= set(self.needs)

    def go_on(self) -> None:
        """Hand over the answers, and take the next needs."""
        answers = [self.answers[need] for need in self.needs]
        try:
            self.needs = self.reader.send(answers) if self.is_begun else next(self.reader)
        except StopIteration as end:
            self.result, self.needs, self.is_over = end.value, (), True
        self.is_begun = True
        self.answers = {}


class _Reading(Generic[Result]):
    """The conversations of one call that are open, and what is under way for them."""

    def __init__(self, call: Call, pool: Pool) -> None:
        self._call = call
        self._pool = pool
        self._waiting: dict[Need, list[_Talk[Result]]] = {}
        self.over: dict[int, _Talk[Result]] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether anything is under way."""
        return bool(self._waiting)

    def go_on(self, talks: Sequence[_Talk[Result]]) -> None:
        """Take conversations as far as they come without waiting."""
        while talks:
            for talk in talks:
                self._step(talk)
            talks = [talk for talk in talks if not talk.is_over]
            self._answer(talks)
            talks = [talk for talk in talks if talk.is_ready]

    def wait(self) -> None:
        """Wait for answers, and go on with whoever needs them."""
        talks: dict[_Talk[Result], None] = {}
        for need, answer, error in self._pool.take():
            if error is not None and not isinstance(error, HubframeError):
                raise error
            if error is not None:
                self._call.refused[need] = error
            for talk in self._waiting.pop(need):
                talk.answers[need] = answer if error is None else error
                talks[talk] = None
        self.go_on([talk for talk in talks if talk.is_ready])

    def _step(self, talk: _Talk[Result]) -> None:
        try:
            talk.go_on()
        except HubframeError as error:
            self._call.is_good(talk.subject, error)
            talk.is_over = True
        if talk.is_over:
            self.over[talk.number] = talk

    def _answer(self, talks: Sequence[_Talk[Result]]) -> None:
        """Answer from what is here, and have the rest fetched, each once."""
        fresh = {need: None for talk in talks for need in talk.needs if need not in self._waiting}
        held = looking.look_up(self._call.client, [n for n in fresh if n not in self._call.refused])
        held |= {need: self._call.refused[need] for need in fresh if need in self._call.refused}
        for need in fresh:
            if need not in held:
                self._send(need, held)
        for talk in talks:
            for need in dict.fromkeys(talk.needs):
                if need in held:
                    talk.answers[need] = held[need]
                else:
                    self._waiting[need].append(talk)

    def _send(self, need: Need, held: dict[Need, Any]) -> None:
        if need.is_pull and (error := self._call.spend(need.document or "")) is not None:
            self._call.refused[need] = held[need] = error
            return
        self._waiting[need] = []
        self._pool.submit(need, partial(looking.fetch, self._call.client, need))


def read(
    call: Call, tasks: Iterable[tuple[Any, Reader[Result | None]]], total: int, title: str
) -> Iterator[Result]:
    """Converse with readers, and give what they return, in their order.

    Parameters
    ----------
    call
        The call that they are read for.
    tasks
        What is read, and its reader; made as room comes for them.
    total
        How many there are, for the bar.
    title
        What the bar says.

    Yields
    ------
    Any
        What fails as a whole has no result: with ``errors="collect"`` the call records it, else
        the error is raised.
    """
    to_come = enumerate(tasks)
    begun = given = 0
    with call.pool(total, title) as (pool, bar):
        reading: _Reading[Result | None] = _Reading(call, pool)
        while True:
            room = MOST_OPEN - (begun - given)
            talks = [_Talk(number, *task) for number, task in islice(to_come, room)]
            begun += len(talks)
            if given == begun:
                return
            reading.go_on(talks)
            while given in reading.over:
                result = reading.over.pop(given).result
                given += 1
                bar.update()
                if result is not None:
                    yield result
            if given < begun and reading.is_waiting:
                reading.wait()


def first_needs(tasks: Iterable[tuple[Any, Reader[Any]]]) -> list[Need]:
    """Return what readers ask for first, in their order; they are not read any further."""
    return list(dict.fromkeys(need for _, reader in tasks for need in next(reader, ())))


def survey(call: Call, tasks: Iterable[tuple[Any, Reader[Any]]]) -> tuple[list[Need], list[Need]]:
    """Converse as far as what is here reaches.

    Returns
    -------
    tuple
        The needs that were answered, and those that would be fetched next, in the readers' order.
    """
    answered: dict[Need, None] = {}
    missing: dict[Need, None] = {}
    tasks = iter(tasks)
    while talks := [_Talk(0, *task) for task in islice(tasks, MOST_OPEN)]:
        while talks := [talk for talk in talks if _goes_on(call, talk)]:
            asked = {need for talk in talks for need in talk.needs if need not in call.refused}
            held = looking.look_up(call.client, asked)
            answered |= dict.fromkeys(held)
            held |= call.refused
            for talk in talks:
                missing |= {need: None for need in talk.needs if need not in held}
                talk.answers = {need: held[need] for need in talk.needs if need in held}
            talks = [talk for talk in talks if talk.is_ready]
    return list(answered), list(missing)


def _goes_on(call: Call, talk: _Talk[Any]) -> bool:
    try:
        talk.go_on()
    except HubframeError as error:
        call.is_good(talk.subject, error)
        return False
    return not talk.is_over
