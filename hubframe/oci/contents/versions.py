"""The order of packages' versions, by the rules of each ecosystem, as the library `univers` tells.

They are not the versions that tags name: those are read by `oci.tagnames`.
"""

from collections.abc import Iterable
from functools import cmp_to_key, lru_cache
from typing import Any

# By the type of package, as its URL names it. Conda, CRAN and others have no order here.
_RULES = {
    "apk": "AlpineLinuxVersion",
    "composer": "ComposerVersion",
    "deb": "DebianVersion",
    "gem": "RubygemsVersion",
    "golang": "GolangVersion",
    "maven": "MavenVersion",
    "npm": "SemverVersion",
    "nuget": "NugetVersion",
    "pypi": "PypiVersion",
    "rpm": "RpmVersion",
}
# No real version is longer, and some rules take long for what is.
_LONGEST = 256


@lru_cache(maxsize=100_000)
def _read(kind: str, text: str) -> Any:
    """Return a version that can be compared with others of its kind, or None if it is none."""
    from univers import versions  # noqa: PLC0415 (a tenth of a second)

    if kind not in _RULES or len(text) > _LONGEST:
        return None
    try:
        return getattr(versions, _RULES[kind])(text)
    except (versions.InvalidVersion, ArithmeticError, LookupError, TypeError, ValueError):
        return None


def compare(kind: str, left: str, right: str) -> int | None:
    """Tell whether a version is older (-1), equal (0) or newer (1) than another.

    Parameters
    ----------
    kind
        The type of package, as its URL names it: ``deb``, ``rpm``, ``pypi`` …
    left, right
        The versions, whole.

    Returns
    -------
    int or None
        None where there is no order: an unknown type, or a text that is no version of it.
    """
    if left == right:
        return 0
    first, second = _read(kind, left), _read(kind, right)
    if first is None or second is None:
        return None
    try:
        return 1 if first > second else -int(first < second)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None


def ordered(kind: str, texts: Iterable[str]) -> list[str] | None:
    """Return distinct versions, oldest first, or None where two of them have no order.

    Equal versions that are written in two ways stay in the order of their text.
    """
    distinct = sorted(set(texts))
    if any(_read(kind, text) is None for text in distinct) and len(distinct) > 1:
        return None
    unordered = []

    def order(left: str, right: str) -> int:
        told = compare(kind, left, right)
        unordered.extend([left] if told is None else [])
        return told or 0

    found = sorted(distinct, key=cmp_to_key(order))
    return None if unordered else found
