"""What a tag's name says: its version, whether that is a pre-release, whether it names a digest."""

import re
from functools import lru_cache
from typing import NamedTuple

_PRERELEASE = r"(?:alpha|beta|dev|pre|preview|rc|snapshot|nightly|canary|a|b|m)"
_VERSION = re.compile(
    r"v?(?P<version>\d+(?:\.\d+)*)"
    rf"(?:[-._+]?(?P<stage>{_PRERELEASE})[-._]?(?P<number>\d+)?)?"
    r"(?=$|[-_.+])(?P<rest>.*)",
    re.IGNORECASE,
)
# Signatures and the fallback of the referrers API: sha256-<64 hex>, with .sig, .att, .sbom or bare.
_DIGEST_TAG = re.compile(r"[a-z0-9]+-[0-9a-f]{64}(?:\..+)?")


# 20240101 or 2024-01-01: as a number it would be higher than every version. 2024.01.01 is one.
_DAY = re.compile(r"((?:19|20)\d\d)([-_]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")


class Version(NamedTuple):
    """A tag's version: the text that users see, its stage (rc) with a number, and the rest."""

    text: str
    stage: str
    number: str
    rest: str

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before the release of the same numbers."""
        return bool(self.stage)

    @property
    def order(self) -> tuple[tuple[int, ...], bool, str, int]:
        """What versions are compared by; of thousands of tags few are."""
        numbers = tuple(int(part[:18]) for part in self.text.split("."))
        return (numbers, not self.stage, self.stage, int((self.number or "0")[:18]))

    @property
    def day(self) -> tuple[int, str] | None:
        """The day of a build, as a number, and what follows it; None where it is a version."""
        found = _DAY.match(f"{self.text}{self.rest}")
        if found is None:
            return None
        return int(found[1] + found[3] + found[4]), found.string[found.end() :]


@lru_cache(maxsize=16_384)
def parse(tag: str) -> Version | None:
    """Read the version that a tag starts with, or None where it starts with none.

    Examples
    --------
    >>> parse("1.25.3-alpine").text
    '1.25.3'
    >>> parse("v2.0.0-rc1").is_prerelease
    True
    >>> parse("bookworm") is None
    True
    """
    match = _VERSION.match(tag)
    if match is None:
        return None
    text, stage, number, rest = match.groups("")
    return Version(text, stage.lower(), number, rest)


def is_digest_tag(tag: str) -> bool:
    """Tell whether a tag is a digest in disguise, as signatures and attestations have."""
    return _DIGEST_TAG.fullmatch(tag) is not None


@lru_cache(maxsize=16_384)
def newest_first(tag: str) -> tuple[bool, tuple[float, ...], bool, str, int, str]:
    """Return a key that sorts tags by version, newest first; those without a version last."""
    version = parse(tag)
    if version is None:
        return (True, (), False, "", 0, tag)
    numbers, is_final, stage, number = version.order
    # The sentinel makes 1.25 sort after 1.25.3: longer versions are newer than their prefix.
    falling = (*(-part for part in numbers), float("inf"))
    return (False, falling, not is_final, _reversed(stage), -number, tag)


def _reversed(stage: str) -> str:
    """Text that sorts the other way round: rc before beta before alpha."""
    return "".join(chr(0x10FFFF - ord(letter)) for letter in stage)
