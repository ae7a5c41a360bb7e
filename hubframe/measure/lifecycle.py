"""Which images are at the end of their life: what they are of, held against dates."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

import pandas as pd

from hubframe.measure.dates import moments, read_moment
from hubframe.measure.images import plain_rows
from hubframe.oci import tagnames
from hubframe.oci.contents.packages import OS_TYPES, Package, read_url
from hubframe.oci.payload import Known
from hubframe.oci.reference import ImageReference
from hubframe.oci.tagnames import Kind, Numbers
from hubframe.readers.eol import check_age, read_eol
from hubframe.tables.declarations import DISTRIBUTIONS, IMAGE_KEY, LIFECYCLES, PACKAGES, TAGS
from hubframe.tables.lifecycle import CYCLES, EOL
from hubframe.tables.measured import BASES
from hubframe.tables.references import REFERENCES
from hubframe.tables.schema import joined_attrs

OS_RELEASE, PURL, TAG, ANNOTATION = "os-release", "purl", "tag", "annotation"
# The id of all Windows; what of it is in images is this.
_WINDOWS, _IN_IMAGES = "windows", "windows-server-core"
_CENTOS, _STREAM = "centos", "centos-stream"
# What moves has the number or codename of the release that comes next: Alpine's edge in its version
# (3.21.0_alpha20240923), Fedora's rawhide and Debian's sid in the name for people (trixie/sid).
_EDGE = "_alpha"
_MOVING = re.compile(r"/sid\b|\b(?:rawhide|prerelease)\b", re.IGNORECASE)
# Products by the word that names have before a version of theirs: 3.12-alpine3.20, ubi9/nodejs-18.
_WORDS = {
    **dict.fromkeys(("alma", "almalinux"), "almalinux"),
    **dict.fromkeys(("amazoncorretto", "corretto"), "amazon-corretto"),
    **dict.fromkeys(("amazonlinux", "amzn", "al"), "amazon-linux"),
    **dict.fromkeys(("erlang", "otp"), "erlang"),
    **dict.fromkeys(("go", "golang"), "go"),
    **dict.fromkeys(("mongo", "mongodb"), "mongodb"),
    **dict.fromkeys(("node", "nodejs"), "nodejs"),
    **dict.fromkeys(("ol", "oraclelinux"), "oracle-linux"),
    **dict.fromkeys(("pg", "postgres", "postgresql"), "postgresql"),
    **dict.fromkeys(("rocky", "rockylinux"), "rocky-linux"),
    **dict.fromkeys(("rhel", "ubi"), "rhel"),
    **dict.fromkeys(("servercore", "windowsservercore"), "windows-server-core"),
    **{one: one for one in ("centos", "debian", "fedora", "photon", "ubuntu")},
    **{one: one for one in ("elixir", "perl", "php", "python", "ruby", "rust")},
    **{one: one for one in ("mariadb", "mysql", "nginx", "redis", "tomcat")},
    "alpine": "alpine-linux",
    "leap": "opensuse",
    "nanoserver": "windows-nano-server",
    "temurin": "eclipse-temurin",
}
# A word before the version of something that is no product here: tomcat:jre8 is no Tomcat 8.
_OTHERS = frozenset({"java", "jdk", "jre", "openjdk"})
_WORD = re.compile(
    rf"(?<![a-z0-9])(?P<word>{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?P<mark>[-_/])?"
    r"(?:ltsc)?(?P<numbers>\d{1,4}(?:\.\d{1,4})*)(?=$|[-_.+/])",
    re.IGNORECASE | re.ASCII,
)
_LETTERS = re.compile(r"[a-z]+")
_TOKEN = re.compile(r"[-_.+]")
# Whose codenames tags of anything may have: python:3.8-buster.
_CODENAMED = ("debian", "ubuntu")
# Words with as few letters may be of anything: go2, and Debian's first codenames, Bo and Rex.
_SHORT = 3
_MACHINES = "amd64 arm32v5 arm32v6 arm32v7 arm64v8 i386 mips64le ppc64le riscv64 s390x winamd64"
# Other paths of the same images: of one architecture, by way of GitLab, since they are no longer
# mended, and before they moved; and of hardened ones of the same products.
_COPIES = (
    (rf"(?:{'|'.join(_MACHINES.split())}|.+/dependency_proxy/containers)/([^/]+)", r"library/\1"),
    (r"bitnami(?:legacy|secure)/(.+)", r"bitnami/\1"),
    (r"k8s\.gcr\.io/(.+)", r"registry.k8s.io/\1"),
    (r"(?:dhi\.io|cgr\.dev/[^/]+)/([^/]+)", r"library/\1"),
)
# The numbers that a version of a package begins with, behind the epoch.
_LEADING = re.compile(r"(?:\d{1,9}:)?v?(\d{1,9}(?:\.\d{1,9}){0,9})", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,9}", re.ASCII)
_FROM_CYCLES = (
    *("cycle", "codename", "released_at", "support_ends_at", "eol_at", "extended_until"),
    *("latest", "latest_released_at"),
)
_LONG_AGO = pd.Timestamp("1970-01-01", tz="UTC")
_DISTRIBUTION = re.compile(r"[?&]distro=([^&#]+)")
_ADDRESS = re.compile(r"[?&]repository_url=([^&#]+)")


class Match(NamedTuple):
    """A product that something is of: which cycle, as the number of its row, and the version."""

    product: str
    row: int | None = None
    numbers: Numbers = ()


class Subject(NamedTuple):
    """A row of `eol` without the dates: its columns, and behind them what the dates are told by."""

    repo: str | None
    tag: str | None = None
    platform: str | None = None
    image_digest: str | None = None
    file: str | None = None
    line: int | None = None
    field: str | None = None
    name: str | None = None
    version: str | None = None
    matched_by: str | None = None
    match: Match | None = None
    digest: str | None = None  # that a reference is pinned to
    eol_at: pd.Timestamp | None = None  # by annotation


_SHOWN = Subject._fields[: Subject._fields.index("match")]


def eol_df(
    frame: pd.DataFrame,
    eol: pd.DataFrame | None = None,
    *,
    lifecycles: pd.DataFrame | None = None,
    today: date | str | None = None,
) -> pd.DataFrame:
    """Tell which images are at the end of their life, of what, and since when.

    Parameters
    ----------
    frame
        What may be at its end, told by its columns: the table `distributions` (the system of each
        image), `packages`, `tags` or another frame with ``repo`` and ``tag``, `references`, or
        `bases`.
    eol
        The table `cycles`, as `read_eol` reads it; None for hubframe's own.
    lifecycles
        The table `lifecycles`, as `lifecycles_df` fetches it for the same images; None to hold
        against cycles alone.
    today
        The day that counts, a date or its text; None for this one, in UTC.

    Returns
    -------
    pandas.DataFrame
        The table `eol`, in the order of the rows given, with a row for each product that is found:
        two for ``python:3.8-buster``. What nothing is known of has a row of nulls, so that no image
        goes missing; of packages only an image without any that is known has one.
        ``attrs["hubframe"]["unmatched"]`` counts the rows without a cycle.

    Warns
    -----
    StaleWarning
        The dates are more than 180 days older than `today`.

    Notes
    -----
    A tag is of the product whose image its repository is, and of the longest cycle that its version
    begins with; names of the same digest tell too, where the frame has ``aliases``. Systems, their
    codenames and runtimes are read in any tag (``-bookworm``, ``-alpine3.20``, ``-php8.2``), and
    their versions in names of repositories (``ubi9/nodejs-18``). A package of a system is held
    against its own makers' dates: those of the system may mend it for longer. The dates are those
    of https://endoflife.date.

    What the publisher says of an image itself wins: one that `lifecycles` tells of has a single
    row, by ``annotation``, in place of what else would be told of it; product, cycle and the other
    dates are null. Images are known by repository and digest, and where the frame has no digest by
    repository, tag and platform, if it has one. Of several dates of an image the earliest counts.
    """
    day = _read_day(today)
    dates = read_eol() if eol is None else eol
    CYCLES.require(dates)
    check_age(dates, day)
    dates = dates.reset_index(drop=True)
    products = own_products() if eol is None else Products(dates)
    subjects = list(_subjects(frame, products))
    if lifecycles is not None:
        LIFECYCLES.require(lifecycles)
        subjects = list(_annotated(subjects, lifecycles))
    found = _with_dates(subjects, dates, day)
    found.attrs["hubframe"] = {
        "table": EOL.name,
        **joined_attrs([frame] if lifecycles is None else [frame, lifecycles]),
        "unmatched": int((found["cycle"].isna() & found["matched_by"].ne(ANNOTATION)).sum()),
    }
    return found


def ends(names: pd.DataFrame, today: date | str | None = None) -> pd.DataFrame:
    """Tell when the first of the products that a tag names is at its end, by hubframe's own table.

    Parameters
    ----------
    names
        A frame with ``repo`` and ``tag``, both of which may be null.
    today
        As for `eol_df`.

    Returns
    -------
    pandas.DataFrame
        A row for each row of `names`, in their order: ``eol_at`` and ``is_eol``; null where no
        end is known, which does not mean that there is none.
    """
    key = ["repo", "tag"]
    asked = names[key].astype({name: EOL.dtypes[name] for name in key})
    distinct = asked.drop_duplicates().dropna(subset="repo")
    found = _with_dates(list(_of_tags(distinct, own_products())), read_eol(), _read_day(today))
    first = found.groupby(key, dropna=False).agg({"eol_at": "min", "is_eol": "max"}).reset_index()
    return asked.merge(first, on=key, how="left")[["eol_at", "is_eol"]]


def _read_day(today: date | str | None) -> pd.Timestamp:
    if today is None:
        return pd.Timestamp.now("UTC").normalize()
    if isinstance(today, date) and not isinstance(today, datetime):
        today = today.isoformat()
    if not isinstance(today, datetime | str):
        raise TypeError(f"today must be a date or its text, not {today!r}")
    return read_moment("today", today).normalize()


def _subjects(frame: pd.DataFrame, products: "Products") -> Iterator[Subject]:
    """Match a frame, as its columns tell which it is."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"a {type(frame).__name__} was given in place of a pandas.DataFrame")
    for columns, matched in _KINDS:
        if columns <= set(frame):
            return matched(frame, products)
    raise ValueError(
        "the frame must be distributions, packages, tags, references or bases, or have the columns "
        f"repo and tag; it has {', '.join(map(str, frame.columns[:10])) or 'none'}"
    )


def _of_distributions(frame: pd.DataFrame, products: "Products") -> Iterator[Subject]:
    DISTRIBUTIONS.require(frame, [*IMAGE_KEY, "id", "version_id", "version_codename", "name"])
    columns = ["repo", "tag", "platform", "image_digest"]
    told = ["id", "version_id", "version_codename", "name"]
    system = cache(products.system)
    for *image, name, version, codename, title in plain_rows(frame[[*columns, *told]]):
        match = system(name, version, codename, title)
        subject = Subject(*image)._replace(name=name, version=version)
        yield subject._replace(matched_by=OS_RELEASE, match=match) if match else subject


def _of_packages(frame: pd.DataFrame, products: "Products") -> Iterator[Subject]:
    """Match package URLs, and the distribution that those of a system name."""
    image = ["repo", "tag", "platform", "image_digest"]
    PACKAGES.require(frame, [*image, "type", "name", "version", "purl"])
    found = ((url, products.package(url)) for url in frame["purl"].dropna().unique())
    product_of = {url: product for url, product in found if product is not None}
    known = frame[frame["purl"].isin(product_of)]
    matched: dict[tuple[Any, ...], list[Subject]] = {
        key: [] for key in plain_rows(frame[image].drop_duplicates())
    }
    of_system = frame.loc[frame["type"].isin(OS_TYPES), [*image, "purl"]]
    named = of_system.assign(purl=of_system["purl"].map(distribution_of)).drop_duplicates()
    for *key, distribution in plain_rows(named):
        if match := products.distribution(distribution):
            name, _, version = distribution.rpartition("-")
            subject = Subject(*key)._replace(name=name or match.product, version=version)
            matched[tuple(key)].append(subject._replace(matched_by=PURL, match=match))
    for *key, url, name, version in plain_rows(
        known[[*image, "purl", "name", "version"]].drop_duplicates()
    ):
        match = products.at(product_of[url], _numbers(version))
        subject = Subject(*key)._replace(name=name, version=version)
        matched[tuple(key)].append(subject._replace(matched_by=PURL, match=match))
    for image_key, subjects in matched.items():
        yield from subjects or [Subject(*image_key)]


def _of_references(frame: pd.DataFrame, products: "Products") -> Iterator[Subject]:
    REFERENCES.require(frame, ["repo", "tag"])
    columns = ["repo", "tag", "digest", "file", "line", "field"]
    for repo, tag, digest, *place in plain_rows(frame.reindex(columns=columns)):
        subject = Subject(repo, tag, None, None, *place)
        subject = subject._replace(name=repo, version=tag, digest=digest)
        yield from _by_tag(subject, products)


def _of_bases(frame: pd.DataFrame, products: "Products") -> Iterator[Subject]:
    BASES.require(frame, [*IMAGE_KEY, "base_repo", "base_tag"])
    columns = ["repo", "tag", "platform", "image_digest", "base_repo", "base_tag"]
    # Several things may tell of the same base.
    for *image, base, base_tag in plain_rows(frame[columns].drop_duplicates()):
        subject = Subject(*image)._replace(name=base, version=base_tag)
        yield from _by_tag(subject, products)


def _of_tags(frame: pd.DataFrame, products: "Products") -> Iterator[Subject]:
    TAGS.require(frame, ["repo", "tag"])
    names = ["repo", "tag", "platform", "image_digest", "aliases"]
    whole = frame.reindex(columns=names).drop_duplicates()
    for repo, tag, platform, digest, aliases in plain_rows(whole):
        if tag is None or not tagnames.is_digest_tag(tag):
            subject = Subject(repo, tag, platform, digest, name=repo, version=tag)
            yield from _by_tag(subject, products, (aliases or "").split())


def _by_tag(
    subject: Subject, products: "Products", aliases: Sequence[str] = ()
) -> Iterator[Subject]:
    """Yield a row for each product that the names of one image tell."""
    found: dict[str, Match] = {}
    for tag in (subject.version, *aliases):
        for match in products.tag(subject.name, tag):
            told = found.get(match.product)
            # The name that tells most of the version: 3.12.4 of 3.12.
            if told is None or _told(match) > _told(told):
                found[match.product] = match
    for match in found.values():
        yield subject._replace(matched_by=TAG, match=match)
    if not found:
        yield subject


def _annotated(subjects: Iterable[Subject], lifecycles: pd.DataFrame) -> Iterator[Subject]:
    """Put what annotations say of images in place of what else is told of these."""
    ends: dict[tuple[Any, ...], pd.Timestamp] = {}
    columns = ["repo", "tag", "platform", "image_digest", "subject_digest", "eol_at"]
    dated = lifecycles.dropna(subset="eol_at").sort_values("eol_at", kind="stable")
    for repo, tag, platform, image, subject, at in plain_rows(dated[columns]):
        by_tag = [(repo, tag, platform), (repo, tag, None)] if tag else []
        for key in ((repo, image), (repo, subject), *by_tag):
            ends.setdefault(key, at)
    given = set()
    for one in subjects:
        digest = one.image_digest or one.digest
        at = ends.get((one.repo, digest) if digest else (one.repo, one.tag, one.platform))
        if at is None:
            yield one
            continue
        told = one._replace(
            name=one.repo, version=one.tag, matched_by=ANNOTATION, match=None, eol_at=at
        )
        if told not in given:
            given.add(told)
            yield told


def _told(match: Match) -> tuple[bool, int]:
    return match.row is not None, len(match.numbers)


# Which frame it is, by the columns that the others lack.
_KINDS: tuple[tuple[set[str], Callable[[pd.DataFrame, "Products"], Iterator[Subject]]], ...] = (
    ({"repo", "tag", "file", "line", "field"}, _of_references),
    ({"base_repo", "base_tag"}, _of_bases),
    ({"purl", "type"}, _of_packages),
    ({"id", "version_id"}, _of_distributions),
    ({"repo", "tag"}, _of_tags),
)


class Products:
    """The products of `cycles`, by all that names them."""

    def __init__(self, dates: pd.DataFrame) -> None:
        self._by_numbers: dict[str, dict[Numbers, int]] = defaultdict(dict)
        self._by_build: dict[str, dict[Numbers, int]] = defaultdict(dict)
        self._longer: dict[str, dict[Numbers, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._by_digits: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._by_word: dict[str, dict[str, int]] = defaultdict(dict)
        self._by_repo: dict[str, list[str]] = defaultdict(list)
        self._by_package: dict[tuple[str, str | None, str], str] = {}
        self._tags = Known(lambda names: list(self._read(*names)))
        self._cycles: list[str] = dates["cycle"].tolist()
        ends = dates["eol_at"].tolist()
        for row, (product, cycle, latest) in enumerate(
            plain_rows(dates[["product", "cycle", "latest"]])
        ):
            numbers = _whole(cycle)
            self._by_numbers[product].setdefault(numbers, row)
            for end in range(1, len(numbers)):
                self._longer[product][numbers[:end]].append(row)
            self._by_digits[product][cycle.replace(".", "")].append(row)
            self._by_word[product].setdefault(cycle.lower(), row)
            if latest and product.startswith("windows"):
                builds = self._by_build[product]
                # 1809 and 2019 are one build, of which the one is supported for longer.
                if ends[row] >= ends[builds.setdefault(_whole(latest), row)]:
                    builds[_whole(latest)] = row
        self._names = {product: product for product in self._by_numbers}
        # A file of endoflife.date knows few names of images, and no codenames of Node.js.
        for known in (dates, read_eol()):
            self._name(known)
        self._words = {word: self._names.get(one, one) for word, one in _WORDS.items()}
        self._codenames = {
            word: Match(product, row)
            for product in _CODENAMED
            for word, row in self._by_word.get(product, {}).items()
            if word.isalpha() and len(word) > _SHORT
        }

    def _name(self, dates: pd.DataFrame) -> None:
        """Learn what products, their cycles and their images are called."""
        firsts = dates.drop_duplicates("product")[["product", "aliases", "identifiers"]]
        for written, aliases, identifiers in plain_rows(firsts):
            # The site renames products, and a file may be older than this, or newer.
            names = [written, *(aliases or "").split()]
            product = next((self._names[one] for one in names if one in self._names), None)
            if product is not None:
                for name in names:
                    self._names.setdefault(name, product)
                for one in (identifiers or "").split():
                    self._add(product, one)
        codenames = dates[["product", "cycle", "codename"]].dropna(subset="codename")
        for written, cycle, codename in plain_rows(codenames):
            words = self._by_word[self._names.get(written, written)]
            if cycle.lower() in words:
                words.setdefault(codename.lower().split()[0], words[cycle.lower()])

    def _add(self, product: str, identifier: str) -> None:
        package = read_url(identifier)
        if package is None:
            return
        if package.type in ("docker", "oci"):
            for repo in _repos(package, identifier):
                if product not in self._by_repo[repo]:
                    self._by_repo[repo].append(product)
        else:
            self._by_package.setdefault((package.type, package.namespace, package.name), product)

    def at(self, product: str, numbers: Numbers) -> Match:
        """Return the longest cycle of a product that a version begins with.

        A version with fewer numbers is of the only one that begins with it: Tomcat 9 of 9.0.
        """
        for known in (self._by_numbers[product], self._by_build.get(product, {})):
            for end in range(len(numbers), 0, -1):
                if numbers[:end] in known:
                    return Match(product, known[numbers[:end]], numbers)
        longer = self._longer[product].get(numbers, [])
        return Match(product, longer[0] if len(longer) == 1 else None, numbers)

    def system(
        self,
        name: str | None,
        version: str | None,
        codename: str | None = None,
        title: str | None = None,
    ) -> Match | None:
        """Match what os-release says: id, version, codename, and the name for people."""
        is_stream = name == _CENTOS and "Stream" in (title or "")
        known = _STREAM if is_stream else _IN_IMAGES if name == _WINDOWS else name or ""
        product = self._names.get(known)
        if product is None:
            return None
        if _EDGE in (version or "") or _MOVING.search(title or ""):
            return Match(product)
        match = self.at(product, _numbers(version))
        if match.row is None and name == _CENTOS and title is None:
            # From 9 on there are only Streams.
            stream = self.at(_STREAM, match.numbers)
            match = match if stream.row is None else stream
        if match.row is None and codename:
            match = match._replace(row=self._by_word[product].get(codename.lower()))
        return match

    def distribution(self, written: str | None) -> Match | None:
        """Match the distribution that a package URL names: ``debian-12``, or ``bookworm``."""
        name, _, version = (written or "").rpartition("-")
        return self.system(name, version, version) if name else self._codenames.get(version)

    def release(self, distribution: str | None) -> str | None:
        """Name the release of a distribution: ``alpine-3.20`` of ``alpine-3.20.1``."""
        match = self.distribution(distribution)
        if distribution is None or match is None or match.row is None:
            return distribution
        return f"{distribution.rpartition('-')[0] or match.product}-{self._cycles[match.row]}"

    def package(self, url: str) -> str | None:
        """Return the product of a package."""
        package = read_url(url)
        return package and self._by_package.get((package.type, package.namespace, package.name))

    def tag(self, repo: str | None, tag: str | None) -> list[Match]:
        """Match the name of an image: with its own product, and with those that the name tells."""
        found: list[Match] = self._tags[repo or "", tag or ""]
        return found

    def _read(self, repo: str, tag: str) -> Iterable[Match]:
        found: dict[str, Match] = {}
        # A repository may have images of a product and of the one that came after it.
        own = [self._own(product, tag) for product in self._products_of(repo)]
        if own:
            match = next((one for one in own if one.row is not None), own[0])
            found[match.product] = match
        host, _, path = repo.partition("/")
        named = self._worded(path if {".", ":"}.intersection(host) else repo)
        for match in (*self._named(tag), *named):
            if match.product not in found or found[match.product].row is None:
                found[match.product] = match
        return found.values()

    def _products_of(self, repo: str) -> Sequence[str]:
        """Return the products whose images a repository has, or copies under the same path."""
        for pattern, place in _COPIES:
            if found := re.fullmatch(pattern, repo):
                repo = found.expand(place)
        known = self._by_repo
        return known.get(repo) or known.get("/".join(repo.split("/")[-2:])) or []

    def _own(self, product: str, tag: str) -> Match:
        """Match a tag of a product's own image."""
        name = tagnames.read(tag)
        match = Match(product)
        is_own = name.kind is Kind.NAMED_VERSION and not self._is_of_another(product, name)
        if name.kind is Kind.VERSION or is_own:
            match = self.at(product, name.numbers)
        if match.row is None:
            known = self._by_word[product]
            tokens = _TOKEN.split(tag.lower())
            row = next((known[one] for one in tokens if one in known and not one.isdigit()), None)
            match = Match(product, row) if row is not None else match
        # Before a release nothing is its newest version.
        return match._replace(numbers=()) if name.is_prerelease else match

    def _is_of_another(self, product: str, name: tagnames.TagName) -> bool:
        """Whether the version behind a word is that of what the word says."""
        words = set(_LETTERS.findall(name.prefix.lower()))
        others = {self._words.get(word, product) for word in words} - {product}
        # alpine3.20 is Alpine's; alpine-1.40 only if Alpine has such a version.
        return bool(words & _OTHERS) or any(
            not name.prefix.endswith("-") or self.at(one, name.numbers).row is not None
            for one in others
        )

    def _named(self, tag: str) -> Iterator[Match]:
        """Find the systems and runtimes that any tag may name."""
        for token in _TOKEN.split(tag.lower()):
            if token in self._codenames:
                yield self._codenames[token]
        yield from self._worded(tag)

    def _worded(self, name: str) -> Iterator[Match]:
        """Find the products that a name has with a version: alpine3.20, ubuntu2204."""
        for found in _WORD.finditer(name):
            product = self._words[found["word"].lower()]
            # With a mark in between the version may be of something else, as in deno:alpine-1.40.
            is_sure = found["mark"] is None and len(found["word"]) > _SHORT
            if product in self._by_numbers:
                match = self.at(product, _whole(found["numbers"]))
                if match.row is None:
                    rows = self._by_digits[product].get(found["numbers"], [])
                    match = match._replace(row=rows[0] if len(rows) == 1 else None)
                if match.row is not None or is_sure:
                    yield match


@cache
def own_products() -> Products:
    """Return the products of hubframe's own table."""
    return Products(read_eol())


def _repos(package: Package, identifier: str) -> Iterator[str]:
    """Yield the repositories that an identifier may mean, in the spelling of frames."""
    if package.type == "docker":
        yield f"{package.namespace or 'library'}/{package.name}"
    elif found := _ADDRESS.search(identifier):
        # By the specification the address ends in the name; most leave it out.
        place = unquote(found[1])
        for written in (place, f"{place}/{package.name}"):
            with suppress(ValueError):
                repo = ImageReference.parse(written).repo
                if repo.rpartition("/")[2] == package.name:
                    yield repo


def _numbers(version: str | None) -> Numbers:
    """Read the numbers that a version begins with."""
    found = _LEADING.match(version or "")
    return _whole(found[1]) if found else ()


@lru_cache(maxsize=16_384)
def _whole(written: str) -> Numbers:
    """Read a version of numbers alone; of others none."""
    return tuple(map(int, written.split("."))) if _WHOLE.fullmatch(written) else ()


def distribution_of(url: Any) -> str | None:
    """Return the distribution that a package URL names, ``debian-12``."""
    found = _DISTRIBUTION.search(url) if isinstance(url, str) else None
    return unquote(found[1]) if found else None


def _with_dates(
    subjects: Sequence[Subject], dates: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    """Make the table: what was matched, with the dates of its cycle, as of one day."""
    matches = [one.match for one in subjects]
    rows = [-1 if one is None or one.row is None else one.row for one in matches]
    told = dates.reindex(rows).reset_index(drop=True)
    told["eol_at"] = told["eol_at"].fillna(moments(one.eol_at for one in subjects))
    eol_at, until = told["eol_at"], told["extended_until"]
    is_eol = told["is_eol"].mask(eol_at.notna(), eol_at < day)
    is_extended = told["is_extended"].mask(until.notna(), until >= day).fillna(value=False)
    pages = dict(zip(dates["product"], dates["url"], strict=True))
    columns: Mapping[str, Any] = {
        **{name: [getattr(one, name) for one in subjects] for name in _SHOWN},
        **{name: told[name].array for name in _FROM_CYCLES},
        "product": [one and one.product for one in matches],
        "is_eol": is_eol.array,
        "is_supported": (~is_eol | is_extended).mask(is_eol.isna()).array,
        "versions_behind": _versions_behind(dates, day, rows),
        "days_left": (eol_at - day).dt.days.array,
        "is_latest": list(map(_is_latest, matches, told["latest"])),
        "url": [one and pages[one.product] for one in matches],
    }
    return EOL.of(columns)


def _is_latest(match: Match | None, latest: Any) -> bool | None:
    """Whether a version is the newest of its cycle; with fewer numbers it may be any."""
    if match is None or not isinstance(latest, str):
        return None
    newest = tagnames.read(latest).numbers
    return match.numbers == newest if newest and len(newest) == len(match.numbers) else None


def _versions_behind(
    dates: pd.DataFrame, day: pd.Timestamp, rows: Iterable[int]
) -> list[int | None]:
    """Count the newer cycles of each row's product: with higher numbers, and released since."""
    products = dates["product"].tolist()
    cycles = defaultdict(list)
    at = dates["released_at"].fillna(_LONG_AGO).tolist()
    numbers = [_whole(one) for one in dates["cycle"]]
    for row, product in enumerate(products):
        if at[row] <= day:
            cycles[product].append(row)

    @cache
    def behind(row: int) -> int | None:
        if row < 0 or not numbers[row]:
            return None
        others = cycles[products[row]]
        # Amazon Linux 2018.03 is older than 2.
        newer = (one for one in others if numbers[one] > numbers[row] and at[one] >= at[row])
        return sum(1 for _ in newer)

    return [behind(row) for row in rows]
