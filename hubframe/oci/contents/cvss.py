"""Base scores of the Common Vulnerability Scoring System, by its vectors: 2.0, 3.0, 3.1 and 4.0."""

from functools import lru_cache
from typing import NamedTuple

# From which score on a word holds: https://www.first.org/cvss/v3-1/specification-document, 5.
_WORDS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"), (0.0, "negligible"))
_LONGEST = 500


class Cvss(NamedTuple):
    """A vector, its version, and its base score."""

    version: str
    vector: str
    score: float


@lru_cache(maxsize=10_000)
def read(vector: str) -> Cvss | None:
    """Read a vector; None where the text is none."""
    from cvss import CVSS2, CVSS3, CVSS4, CVSSError  # noqa: PLC0415 (its tables take a moment)

    if len(vector) > _LONGEST:
        return None
    start = vector.partition("/")[0]
    version = start.removeprefix("CVSS:") if start.startswith("CVSS:") else "2.0"
    kinds = {"2.0": CVSS2, "3.0": CVSS3, "3.1": CVSS3, "4.0": CVSS4}
    try:
        return Cvss(version, vector, float(kinds[version](vector.strip("()")).base_score))
    except (CVSSError, LookupError):
        return None


def word(score: float) -> str:
    """Say a score in a word; what has no impact at all is negligible."""
    return next(name for least, name in _WORDS if score >= least)
