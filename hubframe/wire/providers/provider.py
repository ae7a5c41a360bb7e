"""What all providers have in common: who asks, what they may be asked, and lists in pages."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple, TypeVar
from urllib.parse import unquote

from requests import Response

from hubframe.errors import NotFoundError, PayloadError, TransportError, UnauthorizedError
from hubframe.oci.reference import DIGEST, TAG
from hubframe.wire.credentials import Credential
from hubframe.wire.session import KEPT_REPOS, KEPT_TAGS, MOST_IDLE, Ask, Session, json_of

# A row of a frame, or some of its columns, by their names.
Row = Mapping[str, Any]

# More pages than these have no end.
_MOST_PAGES = 10_000


class Page(NamedTuple):
    """A page of a list: its rows, by what tells them apart, and where the next one is."""

    rows: Mapping[Any, Row]
    following: str | None = None


# Reads the JSON of a page, given the whole answer and the page's number.
Read = Callable[[Any, Response, int], Page]
Told = TypeVar("Told")


class Scan(NamedTuple):
    """What the scanner of a registry found in an image, which may be nothing."""

    tool: str
    rows: Sequence[Row]
    reported_at: str | None = None


class Provider:
    """Reads what one registry tells beside the distribution protocol.

    Rows are named as frames name their columns. What is not there, or is not told to who asks, is a
    `NotFoundError` or an `UnauthorizedError`: then the registry itself may still be asked.
    """

    kind: ClassVar[str]  # as the settings name it
    title: ClassVar[str]  # as people name it
    tells_history: ClassVar[bool] = False  # whether there is a `history`
    tells_pulls: ClassVar[bool] = False  # whether there are `pulls` of each tag
    is_kept: ClassVar[bool] = True  # whether its answers are in the cache
    advice: ClassVar[str] = ""  # which logins its API takes
    scanner: ClassVar[str] = ""  # who says what is in images, as frames name it; empty for nobody
    # What of an address is the repository or namespace, which may have a login of its own.
    place: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")

    def __init__(self, session: Session, host: str, url: str, timeout: tuple[float, float]) -> None:
        self.session = session
        self.host = host
        self.url = url
        self.timeout = timeout

    @classmethod
    def matches(cls, _host: str) -> bool:
        """Tell whether a registry is of this kind, by its name alone."""
        return False

    @classmethod
    def authorization(cls, _credential: Credential) -> str | None:
        """Return what a login is sent as; None for one that the API does not take."""
        return None

    @classmethod
    def takes(cls, _credential: Credential, _url: str) -> bool:
        """Tell whether a login that the API takes is good at an address of it."""
        return True

    @classmethod
    def place_of(cls, url: str) -> str:
        """Return what lies at an address, as logins name it; empty where nothing tells."""
        found = cls.place.search(url)
        return unquote(unquote(next(filter(None, found.groups()), ""))) if found else ""

    def tags(self, path: str) -> Sequence[Row]:
        """List the tags of a repository."""
        raise NotImplementedError

    def tag(self, path: str, name: str) -> Row:
        """Return what is told of one tag."""
        return self.named(self.tags(path), path, name)

    def named(self, rows: Sequence[Row], path: str, name: str) -> Row:
        """Return the row of a tag."""
        found = next((row for row in rows if row["name"] == name), None)
        if found is None:
            raise self.missing(f"the tag {path}:{name}")
        return found

    def repos(self, namespace: str) -> Sequence[Row]:
        """List the repositories of a namespace."""
        raise NotImplementedError

    def history(self, path: str, tag: str | None = None) -> Sequence[Row]:
        """List what the tags of a repository pointed at, or one of them, and when."""
        raise NotImplementedError

    def pulls(self, path: str, tag: str) -> Row:
        """Return how often a tag was pulled, and what it points at."""
        raise NotImplementedError

    def scan(self, path: str, digest: str) -> Scan:
        """Return what a scanner found in an image; one that was not scanned is missing."""
        raise NotImplementedError

    def missing(self, asked: str) -> NotFoundError:
        """Return the error for what was told not to be there."""
        return NotFoundError(f"{asked} on {self.host}: {self.title} lists no such thing")

    def list_tags(self, url: str, path: str, read: Read) -> list[Row]:
        """List what tells of the tags of a repository."""
        return self._list(url, f"the tags of {path}", KEPT_TAGS, read)

    def list_repos(self, url: str, of: str, read: Read) -> list[Row]:
        """List the repositories of a namespace."""
        return self._list(url, f"the repositories of {of}", KEPT_REPOS, read)

    def _list(self, url: str, asked: str, keep: int, read: Read) -> list[Row]:
        """Read a list page by page, each row once, as it came first.

        Pushes between the pages shift them.
        """
        asked = f"{asked} on {self.host}"
        rows: dict[Any, Row] = {}
        following: str | None = url
        idle = number = 0
        while following is not None:
            number += 1
            if idle == MOST_IDLE or number > _MOST_PAGES:
                raise TransportError(
                    f"{asked}: the pages have no end: {idle} in a row, up to page {number - 1}, "
                    "brought nothing new; not read further"
                )
            page, held = self._page(following, asked, keep, read, number), len(rows)
            rows |= {key: row for key, row in page.rows.items() if key not in rows}
            idle = 0 if len(rows) > held else idle + 1
            following = page.following
        return list(rows.values())

    def told(self, url: str, asked: str, read: Callable[[Any], Told], unless: str) -> Told:
        """Read an answer that is no list; `unless` says why there may be none at all."""
        ask, asked = Ask(url), f"{asked} on {self.host}"
        try:
            answer = self._ask(ask, asked, KEPT_TAGS, unless=unless)
        except NotFoundError as error:
            raise NotFoundError(f"{error}. {self.title} says the same where {unless}") from None
        with self._reading(ask, asked):
            return read(json_of(answer, "an answer"))

    def _page(self, url: str, asked: str, keep: int, read: Read, number: int) -> Page:
        ask = Ask(url)
        # Past the end: rows went away while the pages were read.
        answer = self._ask(ask, asked, keep, (HTTPStatus.NOT_FOUND,) * (number > 1))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return Page({})
        with self._reading(ask, asked):
            return read(json_of(answer, "a page"), answer, number)

    def _ask(
        self, ask: Ask, asked: str, keep: int, also: Sequence[int] = (), unless: str = ""
    ) -> Response:
        try:
            return self.session.get(ask, asked, keep, also)
        except UnauthorizedError as error:
            other = f", and where {unless}" if unless else ""
            words = (
                f"{error}. {self.title} says the same of what is not there{other}. {self.advice}"
            )
            raise UnauthorizedError(words.rstrip(". ")) from None

    @contextmanager
    def _reading(self, ask: Ask, asked: str) -> Iterator[None]:
        """Forget an answer that tells nothing, or is none."""
        try:
            yield
        except NotFoundError:
            self.session.forget(ask)
            raise
        except PayloadError as error:
            self.session.forget(ask)
            raise PayloadError(
                f"{asked}: {error}. Is {self.host} a registry of {self.title}?"
            ) from None


def tag_of(value: Any) -> str | None:
    """Return what can be a tag."""
    return value if isinstance(value, str) and TAG.fullmatch(value) else None


def digest_of(value: Any) -> str | None:
    """Return what is a digest."""
    return value if isinstance(value, str) and DIGEST.fullmatch(value) else None


def entries_of(found: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list; what is no list is a PayloadError."""
    if not isinstance(found, list):
        raise PayloadError(f"a page without a list of {name}")
    return [entry for entry in found if isinstance(entry, dict)]
