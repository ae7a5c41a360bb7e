"""The words of scanners and databases for what is bad, and what became of it, in one spelling."""

from typing import Any

from hubframe.oci.payload import text

CRITICAL, HIGH, MEDIUM, LOW, NEGLIGIBLE, UNKNOWN = SEVERITIES = (
    "critical",
    "high",
    "medium",
    "low",
    "negligible",
    "unknown",
)
FIXED, AFFECTED, WILL_NOT_FIX = "fixed", "affected", "will not fix"
NOT_AFFECTED, UNDER_INVESTIGATION = "not affected", "under investigation"
_OTHER_WORDS = {
    "important": HIGH,
    "moderate": MEDIUM,
    "minor": LOW,
    "minimal": NEGLIGIBLE,
    "unimportant": NEGLIGIBLE,
    "info": NEGLIGIBLE,
    "informational": NEGLIGIBLE,
    "none": NEGLIGIBLE,
}
_LONGEST_HEADLINE = 300
# What trivy, grype and VEX documents say.
STATES = {
    "will_not_fix": WILL_NOT_FIX,
    "wont-fix": WILL_NOT_FIX,
    "end_of_life": WILL_NOT_FIX,
    "not_affected": NOT_AFFECTED,
    "under_investigation": UNDER_INVESTIGATION,
}


def severity(word: Any) -> str:
    """Return a severity in our spelling; what is no such word is unknown."""
    # Debian marks what nobody has looked at yet with stars.
    found = (text(word) or "").lower().strip("* ")
    return found if found in SEVERITIES else _OTHER_WORDS.get(found, UNKNOWN)


def fixed_or(fixed_version: str | None, state: str | None) -> str:
    """Return the state of a vulnerability: what is told, else whether there is a fixed version."""
    return state or (FIXED if fixed_version else AFFECTED)


def headline(*words: Any) -> str | None:
    """Return the first line of the first text that is there, cut where it is long."""
    lines = next(filter(None, map(text, words)), "").strip().splitlines()
    return lines[0].strip("# ")[:_LONGEST_HEADLINE] or None if lines else None


def joined(mark: str, *words: Any) -> str | None:
    """Join the texts among some values; null where there are none."""
    return mark.join(filter(None, map(text, words))) or None
