"""What servers tell of their limits, in the headers of every answer.

Facts: Docker's pages on the Hub's usage limits, and answers recorded from it. A pull limit comes
as ``ratelimit-limit: 100;w=21600``, the Hub API's as ``X-RateLimit-Limit: 180``.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PULL, HUB = "pull", "hub"
# The Hub API's limit is one per minute. [seconds]
HUB_WINDOW = 60
_DAY = 24 * 60 * 60
# Answers to requests that were sent together come within this. [seconds]
_ON_THE_WAY = 5.0
# Whatever a header says, no limit has more digits.
_DIGITS = 15
# A number this large is a moment (seconds since 1970), not a wait.
_MOMENT = 1e9


@dataclass(frozen=True)
class Limit:
    """A limit as a server reported it: so many (`allowed`) in a window of seconds.

    It is of the kind ``pull`` or ``hub``. When there will be as many again is None where that was
    not reported: pulls come back one by one, six hours after each. `seen` is on this machine's
    monotonic clock.
    """

    kind: str
    allowed: int
    remaining: int
    window: int | None
    resets_at: datetime | None
    seen: float

    @property
    def age(self) -> float:
        """How many seconds ago it was reported."""
        return time.monotonic() - self.seen


class Limits:
    """The last word of each server on each limit, for each login."""

    def __init__(self) -> None:
        self._reported: dict[tuple[str, str, str], Limit] = {}

    def note(self, place: str, identity: str, headers: Mapping[str, str]) -> None:
        """Remember what an answer tells; they overtake one another, so the least counts."""
        for name, read in (("RateLimit-Limit", _pull_limit), ("X-RateLimit-Limit", hub_limit)):
            if name in headers and (limit := read(headers)) is not None:
                known = self._reported.get((place, identity, limit.kind))
                if known is None or not _is_overtaken(limit, known):
                    self._reported[place, identity, limit.kind] = limit

    def last(self, place: str, identity: str, kind: str) -> Limit | None:
        """Return the last word on a limit; None where there was none."""
        return self._reported.get((place, identity, kind))


def _is_overtaken(limit: Limit, known: Limit) -> bool:
    """Tell whether an answer came after one that was sent later, and told of fewer pulls left."""
    is_of_one = limit.kind == PULL and limit.allowed == known.allowed
    return is_of_one and known.age < _ON_THE_WAY and known.remaining < limit.remaining


def _pull_limit(headers: Mapping[str, str]) -> Limit | None:
    allowed, window = _counted(headers.get("RateLimit-Limit"))
    remaining, _ = _counted(headers.get("RateLimit-Remaining"))
    if allowed is None or remaining is None:
        return None
    return Limit(PULL, allowed, remaining, window, None, time.monotonic())


def hub_limit(headers: Mapping[str, str]) -> Limit | None:
    """Read what an answer tells of the Hub API's limit."""
    allowed = whole(headers.get("X-RateLimit-Limit"))
    remaining = whole(headers.get("X-RateLimit-Remaining"))
    if allowed is None or remaining is None:
        return None
    wait = resets_in(headers)
    # No window of the Hub is longer than a day; what is, no date could hold.
    is_reported = wait is not None and wait <= _DAY
    resets_at = datetime.now(UTC) + timedelta(seconds=wait or 0) if is_reported else None
    return Limit(HUB, allowed, remaining, HUB_WINDOW, resets_at, time.monotonic())


def resets_in(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the Hub API's limit starts anew."""
    return _until(whole(headers.get("X-RateLimit-Reset")), headers)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that an answer asks for; None where it names none.

    ``Retry-After`` is a number of seconds or a date, and some write a moment since 1970 there,
    or in ``X-Retry-After``. Moments are measured by the clock of who names them, in ``Date``:
    this machine's may be wrong.
    """
    for name in ("Retry-After", "X-Retry-After"):
        value = headers.get(name, "").strip()
        number = whole(value)
        moment = _moment(value)
        if number is not None:
            return _until(number, headers)
        if moment is not None:
            return max(0.0, (moment - _now(headers)).total_seconds())
    return None


def _until(number: int | None, headers: Mapping[str, str]) -> float | None:
    if number is None:
        return None
    if number < _MOMENT:
        return float(number)
    return max(0.0, number - _now(headers).timestamp())


def _now(headers: Mapping[str, str]) -> datetime:
    """What time it is, by the other side's clock where it tells it."""
    return _moment(headers.get("Date", "")) or datetime.now(UTC)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        # The zone -0000 is UTC as well, and not this machine's.
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _counted(value: str | None) -> tuple[int | None, int | None]:
    """Read ``100;w=21600``; of several limits the first."""
    count, _, rest = (value or "").partition(",")[0].partition(";")
    return whole(count), whole(rest.strip().removeprefix("w="))


def whole(value: str | None) -> int | None:
    """Read a whole number; None where it is none."""
    digits = (value or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS else None
