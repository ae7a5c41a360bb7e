"""What the name of a tag says, and the one order of tags.

A name is read into its parts: prefix, numbers, stage, build, date, commit, variant. Where
`packaging.version` can read it, its order is that of `packaging.version`; this module adds what
only images have: variants (``-alpine``), builds of a distributor (``-ls300``, ``-debian-12-r9``),
dates, commits, and versions behind a word (``jdk-17.0.10``).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import lru_cache
from itertools import dropwhile
from operator import attrgetter, not_
from typing import Any, NamedTuple

from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion


class Kind(IntEnum):
    """What a name is; in one list a higher kind is newer."""

    DIGEST = 0  # a digest written as a tag, as signatures have
    NAME = 1  # a word such as latest
    COMMIT = 2  # of the source, which no name can put in order
    NUMBER = 3  # a whole number that is no version, such as that of a build
    DATE = 4  # a day, with or without the time
    NAMED_VERSION = 5  # behind a word that is more than a mark: jdk-17.0.10, alpine3.20
    VERSION = 6  # in front: 1.25.3-alpine, v2.0, release-1.9


# Before the release of the same numbers, lowest first. Words of one rank are compared by number.
_RANKS = (
    (
        "dev develop development snapshot nightly canary unstable edge next experimental "
        "test testing insider insiders"
    ),
    "alpha a m milestone ea eap",
    "beta b",
    "rc cr c pre preview prerelease",
)
_STAGES = {word: rank for rank, words in enumerate(_RANKS) for word in words.split()}
_LONG_STAGES = [word for word in _STAGES if len(word) > 1]
_DEV, _RELEASED = 0, 9
_FINISHED = (1,)
# Of what packaging reads as a pre-release, the letters.
_LETTERS = {"a": 1, "b": 2, "rc": 3}
# Names without a version that are given to what is not released; devel beside a version (cuda:
# 12.1-devel) is a variant with headers.
_UNRELEASED = frozenset(_LONG_STAGES) | {"devel", "rawhide", "sid"}
# Who is one of these is released, whatever else it is called.
_RELEASED_NAMES = frozenset({"latest", "stable", "lts"})

_LONG_STAGE = "|".join(sorted(_LONG_STAGES, key=len, reverse=True))
_NUMBERS = r"\d+(?:\.\d+)*"


def _stage(letters: str = "") -> str:
    """Return what reads a stage and its number right behind a version."""
    words = f"{_LONG_STAGE}{letters}"
    return rf"(?:[-._+]?(?P<stage>{words})(?:[-._]?(?P<stage_number>{_NUMBERS}))?)?"


_END = r"(?=$|[-_.+])"
_FLAGS = re.IGNORECASE | re.ASCII
# 8u482 is how Java 8 is numbered: 8.0.482.
_RELEASE = rf"(?P<numbers>{_NUMBERS})(?:u(?P<update>\d+))?"
_MARK = r"(?P<prefix>(?:(?:version|ver|release|rel|stable)[-_.]?)?v?)"
_VERSION = re.compile(f"{_MARK}{_RELEASE}{_stage('|[abc]|m(?=[-._]?[0-9])')}{_END}", _FLAGS)
# windowsservercore-ltsc2025 is a system to run on.
_NAMED_VERSION = re.compile(
    rf"(?<![\d.])(?<![-_]ltsc)(?:(?<![a-z])v)?{_RELEASE}{_stage()}{_END}", _FLAGS
)
_DATE = re.compile(
    r"(?<!\d)(?<!\d\.)(?P<day>(?:19|20)\d\d(?P<mark>[-_.]?)(?:0[1-9]|1[0-2])(?P=mark)(?:0[1-9]|[12]\d|3[01]))"
    r"(?:[T_.-]?(?P<time>(?:[01]\d|2[0-3])[-:]?[0-5]\d(?:[-:]?[0-5]\d)?)Z?)?(?=$|[-_.+])",
    _FLAGS,
)
# Signatures and the fallback of the referrers API: sha256-<64 hex>, with .sig, .att, .sbom or bare.
_DIGEST = re.compile(r"[a-z0-9]+-[0-9a-f]{64}(?:[0-9a-f]{32}|[0-9a-f]{64})?(?:\..+)?")
# As git describe names it, with a g before it; by itself it must hold a digit and a letter.
_COMMIT = re.compile(r"g[0-9a-f]{7,40}|(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}", _FLAGS)
_LONG_HEX = re.compile(r"(?<![^-_.+])g?[0-9a-f]{7,40}(?![^-_.+])", _FLAGS)
_PART = re.compile(r"[-_+]")
_STAGE_PART = re.compile(rf"(?:({_NUMBERS})\.)?({_LONG_STAGE})\.?({_NUMBERS})?", _FLAGS)
_BUILD_PART = re.compile(
    r"(?:r|rev|ls|k3s|k0s|rke2r|eksbuild|gke|build|b|p|pl|patch|post|u|update|hotfix|fix|sp)?"
    rf"\.?v?({_NUMBERS})(?:r(\d+))?",
    _FLAGS,
)
# A stage behind one of these is its own: 1.3-python3.15-rc is a release for a candidate of Python.
_RUNTIME = re.compile(
    r"(?:python|pypy|php|node|ruby|go|golang|java|jdk|jre|perl|erlang|otp|scala|dotnet)[\d._]*",
    _FLAGS,
)
_DIGITS = re.compile(r"\d+", re.ASCII)
# The distribution specification allows no longer ones; what is longer is not looked into.
_LONGEST_TAG = 128
# A whole number of so many digits is a build, a month or a commit, and no version.
_DIGITS_OF_NO_VERSION = 5
_SHORT_NUMBER = re.compile(r"\d{1,4}(?:\.\d+)*", re.ASCII)
# 10 beside 8.10 is the next but one; 42 beside 1.5.0 counts something else.
_LIKELY_MAJORS = 5
Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TagName:
    """A tag's name, read."""

    tag: str  # the whole name
    kind: Kind
    prefix: str = ""  # what stands before the version or date: v, jdk-
    written: str = ""  # the version as people write it, 8.0.482 of 8u482-b08-jdk, or the date
    numbers: Numbers = ()  # those of the version, or of the date as one number of 14 digits
    stage: str = ""  # the word that makes it a pre-release, in small letters
    build: Numbers = ()  # numbers of builds of the same version, in the order in which they stand
    commit: str = ""  # the one that it names
    variant: str = ""  # what else follows, without builds and commits: alpine, debian-12
    precedence: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def version(self) -> str | None:
        """The version that the name starts with, or None."""
        return self.written if self.is_version else None

    @property
    def is_prerelease(self) -> bool:
        """Whether it comes before the release of the same numbers."""
        return bool(self.stage)

    @property
    def is_version(self) -> bool:
        """Whether it starts with a version."""
        return self.kind is Kind.VERSION

    @property
    def is_ordered(self) -> bool:
        """Whether its name says where it stands among others of its line."""
        return self.kind >= Kind.NUMBER

    @property
    def order(self) -> tuple[Any, ...]:
        """What names are compared by: a higher one is newer. Builds within variants come last."""
        return (self.kind, *self.precedence)

    @property
    def shape(self) -> str:
        """The variant without its numbers: tags of one version and shape compare by `details`."""
        return _DIGITS.sub("#", self.variant.lower())

    @property
    def details(self) -> tuple[Numbers, Numbers]:
        """The numbers of the variant and of builds: 12 and 9 of ``1.2.3-debian-12-r9``."""
        digits = _DIGITS.findall(self.variant)
        return tuple(map(int, digits)), self.build

    @property
    def line(self) -> tuple[Kind, str, str]:
        """What the tags of one line have in common: kind, prefix and variant."""
        prefix = "" if self.is_version else self.prefix.lower()
        return self.kind, prefix, self.variant.lower()

    @property
    def moving(self) -> str | None:
        """The name that the newest of its line would have: without build, stage or last number."""
        if self.kind < Kind.DATE:
            return None
        if self.kind is Kind.DATE:
            words = (self.prefix.rstrip("-_."), self.variant)
            return "-".join(filter(None, words)) or None
        written = self.written
        if not (self.build or self.stage):
            written = written.rpartition(".")[0]
        return self.prefix + "-".join(filter(None, (written, self.variant))) if written else None


def is_digest_tag(tag: str) -> bool:
    """Tell whether a tag is a digest tag, as signatures and attestations have."""
    return _DIGEST.fullmatch(tag) is not None


@lru_cache(maxsize=16_384)
def read(tag: str) -> TagName:
    """Read a name by itself; `read_all` knows more, from the others of its repository.

    >>> read("1.25.3-alpine").version, read("1.25.3-alpine").variant
    ('1.25.3', 'alpine')
    >>> read("v2.0.0-rc1").is_prerelease
    True
    >>> read("bookworm-20240110-slim").kind.name
    'DATE'
    """
    if len(tag) > _LONGEST_TAG:
        return TagName(tag, Kind.NAME)
    if is_digest_tag(tag):
        return TagName(tag, Kind.DIGEST)
    # Most names have no part that is long enough.
    parts = _LONG_HEX.finditer(tag)
    commit = next((part for part in parts if _COMMIT.fullmatch(part[0])), None)
    date = next((found for found in _DATE.finditer(tag) if found["mark"] != "."), None)
    found = _VERSION.match(tag)
    if found is None or (date and date.start() <= found.start("numbers")):
        found = None if found else _NAMED_VERSION.search(tag)
        if date and (found is None or date.start() <= found.start("numbers")):
            return _dated(tag, date)
    if commit and (found is None or commit.start() <= found.start("numbers") < commit.end()):
        return TagName(tag, Kind.COMMIT, tag[: commit.start()], commit=commit[0].lower())
    if found is None:
        return TagName(tag, Kind.NAME)
    return _versioned(tag, found)


def _dated(tag: str, date: re.Match[str]) -> TagName:
    # 14 digits, so that days and moments compare.
    digits = re.sub(r"\D", "", date["day"] + (date["time"] or "")).ljust(14, "0")
    prefix, numbers, follows = tag[: date.start()], (int(digits),), _what_follows(tag[date.end() :])
    order = (numbers, (), follows.rest[0], (), ())
    return TagName(tag, Kind.DATE, prefix, date[0], numbers, "", *follows.rest, order)


def _versioned(tag: str, found: re.Match[str]) -> TagName:
    text = found["numbers"] + (f".0.{found['update']}" if found["update"] else "")
    numbers = _numbers(text)
    stage, number, start = (found["stage"] or "").lower(), found["stage_number"], found.end()
    if stage == "b" and found["update"]:
        # Of Java 8, b08 is a build and no beta.
        stage, number, start = "", None, found.start("stage")
    follows = _what_follows(tag[start:])
    is_plain = found.re is _VERSION
    prefix = tag[: found.start("numbers")]
    if not stage:
        of_prefix = [] if is_plain else re.split(r"[-_.+]", prefix.lower())
        unreleased = next((word for word in of_prefix if word in _UNRELEASED), "")
        stage, number = follows.stage or unreleased, follows.number
    kind = Kind.VERSION if is_plain else Kind.NAMED_VERSION
    is_number = text.isdigit() and len(text) >= _DIGITS_OF_NO_VERSION
    if is_plain and is_number and not prefix and not stage:
        kind = Kind.NUMBER
    # packaging takes -r for a build without a number; it is the language R.
    is_python = kind is Kind.VERSION and follows.rest[-1].lower() != "r"
    order = _python_order(tag[len(prefix) :]) if is_python else None
    return TagName(
        tag,
        kind,
        prefix,
        text,
        numbers,
        stage,
        *follows.rest,
        order or _own_order(numbers, stage, number, follows),
    )


def _numbers(text: str) -> Numbers:
    return tuple(map(int, text.split(".")))


def _without_zeros(numbers: Numbers) -> Numbers:
    """Leave out zeros at the end: 2.9 and 2.9.0 are one version."""
    return tuple(dropwhile(not_, numbers[::-1]))[::-1]


def _python_order(text: str) -> tuple[Any, ...] | None:
    """Return the order of what packaging reads as a version; None for all else."""
    try:
        version = PythonVersion(text)
    except InvalidVersion:
        return None
    is_only_dev = version.dev is not None and version.pre is None and version.post is None
    released = (_DEV,) if is_only_dev else (_RELEASED,)
    # Numbers of a local version are newer than text there.
    local = [
        (part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in filter(None, (version.local or "").split("."))
    ]
    return (
        _without_zeros(version.release),
        released if version.pre is None else (_LETTERS[version.pre[0]], version.pre[1]),
        () if version.post is None else (version.post,),
        _FINISHED if version.dev is None else (0, version.dev),
        tuple(local),
    )


def _own_order(
    numbers: Numbers, stage: str, number: str | None, follows: "_Follows"
) -> tuple[Any, ...]:
    """Return the same of what packaging cannot read: release, stage, builds, dev, local."""
    rank = _STAGES.get(stage, _DEV) if stage else _RELEASED
    counted = _numbers(number) if number else (0,)
    return (
        _without_zeros(numbers),
        (rank,) if rank in (_DEV, _RELEASED) else (rank, *counted),
        follows.leading,
        (0, *counted) if rank == _DEV else _FINISHED,
        (),
    )


class _Follows(NamedTuple):
    """What follows the version or the date; leading are the builds before any word."""

    stage: str
    number: str | None
    leading: Numbers
    rest: tuple[Numbers, str, str]  # builds, commit, variant


@lru_cache(maxsize=4096)
def _what_follows(text: str) -> _Follows:
    """Read the parts between the marks ``-``, ``_`` and ``+``, from left to right."""
    stage, number, commit = "", None, ""
    build: list[int] = []
    leading: Numbers = ()
    words: list[str] = []
    for part in filter(None, (part.strip(".") for part in _PART.split(text))):
        is_of_runtime = bool(words) and _RUNTIME.fullmatch(words[-1]) is not None
        # A number belongs to the word before it, as in ubuntu-24.04; a date does not.
        is_of_word = bool(words) and _SHORT_NUMBER.fullmatch(part) is not None
        if not (stage or is_of_runtime) and (found := _STAGE_PART.fullmatch(part)):
            stage = found[2].lower()
            number = ".".join(filter(None, (found[1], found[3]))) or None
        elif _COMMIT.fullmatch(part):
            commit = commit or part.lower()
        elif (found := _BUILD_PART.fullmatch(part)) and not is_of_word:
            build += _numbers(".".join(filter(None, found.groups())))
        else:
            words.append(part)
        leading = leading if words else tuple(build)
    return _Follows(stage, number, leading, (tuple(build), commit, "-".join(words)))


def read_all(tags: Iterable[str], digests: Mapping[str, Any] | None = None) -> dict[str, TagName]:
    """Read the names of one repository, each in the light of the others.

    It takes all tags that are known, and what they point at where that is known. Beside versions
    with a dot, a whole number far above them is no version (``1234`` beside ``1.5.0``); beside
    commits, one of as many digits is a commit; beside ``2025-06-03``, ``2025.06.03`` is a date. A
    name without a stage has that of a tag with the same digest that goes on from it (``6.0`` of
    ``6.0-alpha2``) or that only names a stage (``26.10`` of ``devel``), unless ``latest`` or
    ``stable`` is it too.
    """
    names = {tag: read(tag) for tag in tags}
    names |= {name.tag: name for name in _in_context(list(names.values()))}
    return names | _inherited(names, digests or {})


def _in_context(names: Sequence[TagName]) -> Iterator[TagName]:
    """Yield the names that the others of the repository show to be something else."""
    versions = [name for name in names if name.is_version]
    dotted = {name.numbers[0] for name in versions if len(name.numbers) > 1}
    commits = {len(name.commit.removeprefix("g")) for name in names if name.kind is Kind.COMMIT}
    has_dates = any(name.kind is Kind.DATE for name in names)
    for name in names:
        is_dated = has_dates and name.is_version
        date = _DATE.fullmatch(name.tag, len(name.prefix)) if is_dated else None
        digits = name.tag[len(name.prefix) :]
        is_whole = name.is_version and len(name.numbers) == 1 and not (name.prefix or name.stage)
        if date:
            yield _dated(name.tag, date)
        elif digits.isdigit() and not name.prefix and len(digits) in commits:
            yield TagName(name.tag, Kind.COMMIT, commit=digits)
        elif is_whole and dotted and name.numbers[0] > max(dotted) + _LIKELY_MAJORS:
            yield replace(name, kind=Kind.NUMBER)


def _inherited(names: Mapping[str, TagName], digests: Mapping[str, Any]) -> dict[str, TagName]:
    """Return the names that have the stage of another tag of the same digest."""
    same: dict[str, list[TagName]] = defaultdict(list)
    for tag, name in names.items():
        if isinstance(digest := digests.get(tag), str):
            same[digest].append(name)
    unstaged = [name for name in names.values() if _is_unstaged(name)]
    # The highest numbers of each line and number of numbers.
    highest: dict[tuple[Any, ...], Numbers] = defaultdict(tuple)
    for name in unstaged:
        key = (name.line, len(name.numbers))
        highest[key] = max(name.numbers, highest[key])
    has_release = not _RELEASED_NAMES.isdisjoint(names)
    stages: dict[tuple[Kind, Numbers], TagName] = {}
    for group in same.values():
        if not _RELEASED_NAMES.isdisjoint(name.tag for name in group):
            continue
        for name in filter(_is_unstaged, group):
            found = (one for one in group if _is_stage_of(name, one, has_release=has_release))
            # Where releases as long came later, it was a candidate that was released.
            is_highest = highest[name.line, len(name.numbers)] == name.numbers
            if is_highest and (other := next(found, None)):
                stages.setdefault((name.kind, name.numbers), other)
    # The variants of a version are as far as it is, whatever their digests.
    return {
        name.tag: _with_stage_of(stages[name.kind, name.numbers], name)
        for name in unstaged
        if (name.kind, name.numbers) in stages
    }


def _is_unstaged(name: TagName) -> bool:
    return name.kind >= Kind.NAMED_VERSION and not name.stage


def _is_stage_of(name: TagName, other: TagName, *, has_release: bool) -> bool:
    """Tell whether another name says that this one is not released yet."""
    if other.numbers:
        is_longer = other.numbers[: len(name.numbers)] == name.numbers
        return bool(other.stage) and name.kind is other.kind and is_longer
    return has_release and other.kind is Kind.NAME and other.tag.lower() in _UNRELEASED


def _with_stage_of(source: TagName, name: TagName) -> TagName:
    """Return a name with the stage of another, and the place that goes with it."""
    release, _, builds, _, local = name.precedence
    if source.numbers:
        return replace(name, stage=source.stage, precedence=(release, *source.precedence[1:]))
    order = (release, (_DEV,), builds, (0, 0), local)
    return replace(name, stage=source.tag.lower(), precedence=order)


def releases(names: Iterable[TagName]) -> list[TagName]:
    """Choose the released versions: those in front, else those behind words, else dates."""
    released = [name for name in names if not name.stage and name.kind >= Kind.DATE]
    kind = max((name.kind for name in released), default=Kind.VERSION)
    return [name for name in released if name.kind is kind]


def versioned(names: Iterable[TagName]) -> set[str]:
    """Find the tags that name a version or a date; behind a word only where none is in front."""
    known = [name for name in names if name.kind >= Kind.DATE]
    has_version = any(name.is_version for name in known)
    return {name.tag for name in known if not (has_version and name.kind is Kind.NAMED_VERSION)}


def moving(names: Iterable[TagName]) -> set[str]:
    """Find the tags that are meant to move: others go on from their numbers, or add a build.

    ``1.25`` and ``1.25-alpine`` beside ``1.25.3``; ``17.0.16`` beside ``17.0.16_9``.
    """
    known = [name for name in names if name.kind >= Kind.NAMED_VERSION]
    longer = {
        (name.line[:2], name.numbers[:end]) for name in known for end in range(1, len(name.numbers))
    }
    built = {(name.line, name.numbers) for name in known if name.build}
    return {
        name.tag
        for name in known
        if not name.stage
        if (name.line[:2], name.numbers) in longer
        or (not name.build and (name.line, name.numbers) in built)
    }


def newest_first(
    names: Iterable[TagName], pushed: Mapping[str, Any] | None = None
) -> list[TagName]:
    """Sort names, the newest first.

    Versions come first (`packaging.version` decides where it can read them), then versions behind
    a word, dates, whole numbers that are no versions, other names, and names of digests. Of the
    same version a later push is newer, as far as they are told, then higher numbers in the rest;
    then the exact name (``1.38.0``) comes before the moving one (``1.38``), and the shorter before
    the longer.
    """
    ordered = sorted(names, key=lambda name: (-len(name.numbers), len(name.tag), name.tag))
    ordered.sort(key=attrgetter("details"), reverse=True)
    ordered.sort(key=lambda name: (len(name.shape), name.shape))
    if pushed:
        ordered.sort(key=lambda name: (name.tag in pushed, pushed.get(name.tag, 0)), reverse=True)
    ordered.sort(key=attrgetter("order"), reverse=True)
    return ordered
