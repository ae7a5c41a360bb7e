"""Numbers, digests and moments that look random and depend on nothing but names."""

import hashlib
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def digest_of(*names: str) -> str:
    """Return the sha256 digest of a seeded text."""
    return "sha256:" + hashlib.sha256("\n".join(("hubframe sample", *names)).encode()).hexdigest()


def number(*names: str) -> int:
    """Return a whole number below 2**32."""
    return int(digest_of("number", *names)[-8:], 16)


def unit(*names: str) -> float:
    """Return a number from 0 to 1."""
    return number(*names) / 2**32


def moment(day: str, *names: str) -> datetime:
    """Return a time of the day that is given as ``2026-11-15``."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(
        microseconds=int(unit("moment", day, *names) * 79_200_000_000)
    )


def stamp(at: datetime, digits: int) -> str:
    """Return a moment as RFC 3339 text with so many digits after the seconds."""
    text = f"{at:%Y-%m-%dT%H:%M:%S}"
    if not digits:
        return f"{text}Z"
    nanoseconds = f"{at.microsecond:06d}{number('stamp', text) % 1000:03d}"
    return f"{text}.{nanoseconds[:digits]}Z"
