"""Base scores of the Common Vulnerability Scoring System, by its vectors: 2.0, 3.0 and 3.1.

Those of 4.0 are looked up in a table of some hundred rows, which is not here: they are null.
Formulas: https://www.first.org/cvss/v3-1/specification-document and …/v2/guide, section 3.2.1.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

_V3 = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    **{part: {"H": 0.56, "L": 0.22, "N": 0.0} for part in "CIA"},
}
# Where the scope changes, privileges that are needed matter less.
_PRIVILEGES_IF_CHANGED = {"N": 0.85, "L": 0.68, "H": 0.5}
_V2 = {
    "AV": {"L": 0.395, "A": 0.646, "N": 1.0},
    "AC": {"H": 0.35, "M": 0.61, "L": 0.71},
    "Au": {"M": 0.45, "S": 0.56, "N": 0.704},
    **{part: {"N": 0.0, "P": 0.275, "C": 0.66} for part in "CIA"},
}
# From which score on a word holds: https://www.first.org/cvss/v3-1/specification-document, 5.
_WORDS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"), (0.0, "negligible"))
_LONGEST = 500


class Cvss(NamedTuple):
    """A vector, its version, and its base score."""

    version: str
    vector: str
    score: float | None


def read(vector: str) -> Cvss | None:
    """Read a vector; None where the text is none."""
    if len(vector) > _LONGEST:
        return None
    start, _, rest = vector.partition("/")
    version = start.removeprefix("CVSS:") if start.startswith("CVSS:") else "2.0"
    told = dict(part.split(":", 1) for part in vector.strip("()").split("/") if ":" in part)
    if version == "4.0":
        return Cvss(version, vector, None) if rest else None
    try:
        score = _version_2(told) if version == "2.0" else _version_3(told, version)
    except KeyError:
        return None
    return Cvss(version, vector, score)


def word(score: float) -> str:
    """Say a score in a word; what has no impact at all is negligible."""
    return next(name for least, name in _WORDS if score >= least)


def _version_3(told: Mapping[str, str], version: str) -> float:
    numbers = {name: values[told[name]] for name, values in _V3.items()}
    is_changed = {"U": False, "C": True}[told["S"]]
    base = 1 - math.prod(1 - numbers[name] for name in "CIA")
    impact = 6.42 * base
    if is_changed:
        numbers["PR"] = _PRIVILEGES_IF_CHANGED[told["PR"]]
        impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
    if impact <= 0:
        return 0.0
    ease = 8.22 * numbers["AV"] * numbers["AC"] * numbers["PR"] * numbers["UI"]
    sum_ = min((impact + ease) * (1.08 if is_changed else 1), 10)
    if version == "3.0":
        return math.ceil(sum_ * 10) / 10
    # 3.1 rounds up what is above by more than a hundred-thousandth.
    whole = round(sum_ * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


def _version_2(told: Mapping[str, str]) -> float:
    numbers = {name: values[told[name]] for name, values in _V2.items()}
    impact = 10.41 * (1 - math.prod(1 - numbers[name] for name in "CIA"))
    ease = 20 * numbers["AV"] * numbers["AC"] * numbers["Au"]
    score = (0.6 * impact + 0.4 * ease - 1.5) * (1.176 if impact else 0)
    return max(math.floor(score * 10 + 0.5) / 10, 0.0)
