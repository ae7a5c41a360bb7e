"""The order of packages' versions, by the rules of each ecosystem.

Those of a system, and semantic ones, are told here: hundreds of thousands are compared, for which
the library `univers` takes forty times as long. Nor does it know ``_git20240101`` and ``~commit``
of Alpine's, and it orders semantic versions by what follows a ``+``, which has no order. They are
not the versions that tags name: those are read by `oci.tagnames`.
"""

import re
from collections.abc import Callable, Iterable
from functools import cmp_to_key, lru_cache
from typing import Any

from packaging.version import Version

# No real version is longer, and some rules take long for what is.
_LONGEST = 128
_DEB = re.compile(
    r"(?:(\d+):)?([0-9A-Za-z.+~:-]+?)(?:-([0-9A-Za-z.+~]+))?",
    re.ASCII,
)
# Of dpkg: a tilde comes before the end, which comes before letters, which come before all else.
_DEB_ORDER = str.maketrans({"~": "\0", **{mark: chr(128 + ord(mark)) for mark in "+-.:"}})
_DEB_END = "\1"
_RPM = re.compile(r"(?:(\d+):)?([^\s:-]+)(?:-([^\s:-]+))?", re.ASCII)
_RPM_PART = re.compile(r"(~)|(\^)|([A-Za-z]+)|(\d+)", re.ASCII)
_APK = re.compile(
    r"(?P<first>\d+)(?P<numbers>(?:\.\d+)*)(?P<letter>[a-z]?)(?P<suffixes>(?:_[a-z]+\d*)*)"
    r"(?:~(?P<commit>[0-9a-f]+))?(?:-r(?P<revision>\d+))?",
    re.ASCII,
)
_SUFFIX = re.compile(r"_([a-z]+)(\d*)", re.ASCII)
# In their order; those before a release, and those after it.
_BEFORE, _AFTER = ("alpha", "beta", "pre", "rc"), ("cvs", "svn", "git", "hg", "p")
_SEMVER = re.compile(
    r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?", re.ASCII
)
_COMPOSER = re.compile(
    r"v?(?P<numbers>\d+(?:\.\d+)*)"
    r"(?:[._-]?(?P<stage>alpha|a|beta|b|rc|stable|patch|pl|p)(?P<counts>(?:[.-]?\d+)*))?"
    r"(?:[.-]?(?P<dev>dev))?(?:\+[0-9a-z.-]*)?",
    re.ASCII | re.IGNORECASE,
)
_STAGES = {"a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3, "p": 5, "patch": 5, "pl": 5}
_DEV, _STABLE = 0, 4
# What Maven takes for no word at all; univers knows it by another one.
_RELEASE = re.compile(r"(?i)(?<![a-z])release(?![a-z])")


def _deb(text: str) -> Any:
    """Return what orders versions of dpkg: words and numbers by turns, words with a mark of end."""
    if (found := _DEB.fullmatch(text)) is None:
        return None
    epoch, upstream, revision = found.groups("0")
    return int(epoch), _deb_parts(upstream), _deb_parts(revision)


def _deb_parts(text: str) -> list[Any]:
    parts: list[Any] = []
    for word, number in re.findall(r"([^0-9]*)([0-9]*)", text)[:-1]:
        parts += [word.translate(_DEB_ORDER) + _DEB_END, int(number or 0)]
    return [*parts, _DEB_END]


def _rpm(text: str) -> Any:
    """Return what orders versions of rpm: their parts, of which a later kind is the higher one."""
    if (found := _RPM.fullmatch(text)) is None:
        return None
    epoch, version, release = found.groups("")
    return int(epoch or 0), _rpm_parts(version), _rpm_parts(release)


def _rpm_parts(text: str) -> list[tuple[Any, ...]]:
    parts: list[tuple[Any, ...]] = []
    for tilde, caret, word, number in _RPM_PART.findall(text):
        if tilde or caret:
            parts.append((-1,) if tilde else (1,))
        else:
            parts.append((2, word) if word else (3, int(number)))
    return [*parts, (0,)]


def _apk(text: str) -> Any:
    """Return what orders versions of Alpine: its parts, of which a later kind is the lower one."""
    if (found := _APK.fullmatch(text)) is None:
        return None
    # With a zero ahead, all numbers but the first are compared as text.
    parts: list[tuple[Any, ...]] = [(-1, int(found["first"]))] + [
        (-2, 0, number) if number[0] == "0" else (-2, 1, int(number))
        for number in found["numbers"].split(".")[1:]
    ]
    parts += [(-3, found["letter"])] if found["letter"] else []
    for word, number in _SUFFIX.findall(found["suffixes"]):
        if word not in _BEFORE + _AFTER:
            return None
        parts.append((-9, _BEFORE.index(word)) if word in _BEFORE else (-4, _AFTER.index(word)))
        parts += [(-5, int(number))] if number else []
    parts += [(-6, found["commit"])] if found["commit"] else []
    parts += [(-7, int(found["revision"]))] if found["revision"] else []
    return [*parts, (-8,)]


def _semver(text: str) -> Any:
    """Return what orders semantic versions: numbers, and then what makes one a pre-release."""
    if (found := _SEMVER.fullmatch(text)) is None:
        return None
    *numbers, before = found.groups()
    words = (before or "").split(".")
    order = [(0, int(word), "") if word.isdecimal() else (1, 0, word) for word in words]
    return [int(number or 0) for number in numbers], before is None, order


def _composer(text: str) -> Any:
    """Return what orders versions of Composer: numbers, a stage such as RC, and that one's."""
    if (found := _COMPOSER.fullmatch(text)) is None:
        return None
    numbers = [int(number) for number in found["numbers"].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    stage = _STAGES.get((found["stage"] or "").lower(), _STABLE)
    if found["dev"] and stage == _STABLE:
        stage = _DEV
    counts = [int(number) for number in re.findall(r"\d+", found["counts"] or "")]
    return numbers, stage, counts, not found["dev"]


def _cran(text: str) -> Any:
    return [int(number) for number in re.split(r"[.-]", text)]


def _maven(text: str) -> Any:
    return _by_univers("MavenVersion")(_RELEASE.sub("ga", text))


def _by_univers(name: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        from univers import nuget, versions  # noqa: PLC0415 (a tenth of a second)

        try:
            return getattr(versions, name)(text)
        except nuget.InvalidNuGetVersion as error:
            raise ValueError(text) from error

    return read


# By the type of package, as its URL names it. Conda and others have no order here.
_RULES = {
    "apk": _apk,
    "cargo": _semver,
    "composer": _composer,
    "cran": _cran,
    "deb": _deb,
    "gem": _by_univers("RubygemsVersion"),
    "golang": _semver,
    "hex": _semver,
    "maven": _maven,
    "npm": _semver,
    "nuget": _by_univers("NugetVersion"),
    "pypi": Version,
    "rpm": _rpm,
}


@lru_cache(maxsize=100_000)
def _read(kind: str, text: str) -> Any:
    """Return a version that can be compared with others of its kind, or None if it is none."""
    if kind not in _RULES or len(text) > _LONGEST:
        return None
    try:
        return _RULES[kind](text)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
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
