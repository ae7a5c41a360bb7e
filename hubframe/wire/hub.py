"""The Docker Hub API: payloads as the Hub sends them."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from hubframe.errors import NotFoundError, PayloadError, TransportError
from hubframe.oci.reference import DOCKER_HUB
from hubframe.wire.limits import HUB, Limit
from hubframe.wire.session import KEPT_REPOS, KEPT_TAGS, MOST_IDLE, Ask, Session, json_of

Payload = Mapping[str, Any]
# Makes of an entry, as its page comes, what is wanted of it: of thousands that is less.
Read = Callable[[Payload], Any]
Shape = TypeVar("Shape")
Gather = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]

# The Hub's largest page; larger values are capped in silence.
PAGE_SIZE = 100
# A tag tells one of these at least; an error sent as a good answer does not.
_OF_TAG = frozenset({"name", "digest", "images", "full_size", "last_updated"})
# Pages asked for on the word of the first one; what follows is read one by one.
_MOST_AT_ONCE = 10_000


def _as_it_is(entry: Payload) -> Payload:
    return entry


@dataclass(frozen=True)
class Listing:
    """A list of the Hub that comes in pages.

    The path is below the API, and the parameters are the query without page and size; a page is
    fresh for `keep` seconds, `most` is how many entries are wanted (None for all), `key` the field
    that tells them apart, and the list holds what `read` makes of them.
    """

    path: str
    asked: str
    keep: int
    params: Mapping[str, str] = field(default_factory=dict)
    most: int | None = None
    key: str = "name"
    read: Read = _as_it_is

    @property
    def limit(self) -> int:
        """How many entries are wanted; all of them have no such number."""
        return self.most or sys.maxsize


def repositories(namespace: str) -> Listing:
    """List the repositories of a user or organisation."""
    return Listing(
        f"/v2/namespaces/{namespace}/repositories", f"the repositories of {namespace}", KEPT_REPOS
    )


def search(query: str, most: int | None) -> Listing:
    """Search repositories."""
    return Listing(
        "/v2/search/repositories/",
        f"a search for {query!r}",
        KEPT_REPOS,
        {"query": query},
        most,
        key="repo_name",
    )


def tags(repo: str, newest: int | None = None, read: Read = _as_it_is) -> Listing:
    """List the tags of a repository, newest first: the Hub's sign for that is none."""
    return Listing(
        f"{_repository(repo)}/tags",
        f"the tags of {repo}",
        KEPT_TAGS,
        {"ordering": "last_updated"},
        newest,
        read=read,
    )


def _repository(repo: str) -> str:
    namespace, _, name = repo.partition("/")
    return f"/v2/namespaces/{namespace}/repositories/{quote(name)}"


class Entries(list[Any]):
    """What was read of a list, and whether that is the whole list."""

    is_whole = True


class _Page(NamedTuple):
    """A page of a list.

    `entries` holds what was read of them, by the field that tells them apart (what has none is no
    entry); `size` is how many stand on it, these too. `count`, how many there are on all pages, is
    not to be believed.
    """

    entries: Mapping[str, Any]
    size: int = 0
    count: Any = None
    has_next: bool = False

    @classmethod
    def of(cls, found: Any, listing: Listing) -> "_Page":
        """Read a page, or raise `PayloadError`."""
        reported = found.get("results") if isinstance(found, dict) else None
        following = found.get("next") if isinstance(found, dict) else None
        # Null is an empty page where another one follows, else it is none.
        if not isinstance(reported, list) and not (reported is None and following):
            raise PayloadError(f"{listing.asked}: a page without a list of results")
        held = [entry for entry in reported or () if isinstance(entry, dict)]
        keyed = (entry for entry in held if isinstance(entry.get(listing.key), str))
        entries = {entry[listing.key]: listing.read(entry) for entry in keyed}
        return cls(entries, len(held), found.get("count"), bool(following))


class Hub:
    """Reads the Docker Hub API."""

    def __init__(self, session: Session, url: str) -> None:
        self.session = session
        self._url = url

    def probe(self) -> None:
        """Ask for next to nothing, past the cache: any answer tells the login's limit."""
        url = f"{self._url}/v2/namespaces/library/repositories?page_size=1"
        self.session.fetch(Ask(url), f"the limit of {DOCKER_HUB}'s API")

    def last_limit(self) -> Limit | None:
        """Return the last word of the API on its limit, for the login that asks."""
        return self.session.transport.last_limit(self._url, HUB)

    def tag(self, repo: str, tag: str) -> Payload:
        """Get a tag."""
        asked = f"the tag {repo}:{tag}"
        return self._json(
            self._tag_url(repo, tag), asked, KEPT_TAGS, lambda found: _object(found, asked)
        )

    def cached_pages(self, tags: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Payload]:
        """Return what is known here of tags, by repository and tag."""
        return self._known(tags, self._tag_url, _object)

    def images(self, repo: str, tag: str) -> list[Payload]:
        """Get the images of a tag with their layers: all platforms, free of the pull quota."""
        asked = f"the images of {repo}:{tag}"
        return self._json(
            self._images_url(repo, tag), asked, KEPT_TAGS, lambda found: _images(found, asked)
        )

    def cached_images(
        self, tags: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], list[Payload]]:
        """Return what is known here of the images of tags, by repository and tag."""
        return self._known(tags, self._images_url, _images)

    def _known(
        self,
        tags: Iterable[tuple[str, str]],
        url_of: Callable[[str, str], str],
        read: Callable[[Any, str], Shape],
    ) -> dict[tuple[str, str], Shape]:
        asks = {Ask(url_of(*tag)): tag for tag in tags}
        found = {}
        for ask, answer in self.session.look_up(asks):
            # What cannot be read is asked for again, and then is an error.
            with suppress(PayloadError):
                asked = ":".join(asks[ask])
                found[asks[ask]] = read(json_of(answer, asked), asked)
        return found

    def _tag_url(self, repo: str, tag: str) -> str:
        return f"{self._url}{_repository(repo)}/tags/{quote(tag)}"

    def _images_url(self, repo: str, tag: str) -> str:
        namespace, _, name = repo.partition("/")
        path = f"/v2/repositories/{namespace}/{quote(name)}/tags/{quote(tag)}/images"
        return f"{self._url}{path}"

    def lists(self, listings: Sequence[Listing], gather: Gather) -> list[Entries | Exception]:
        """Get lists, the pages after the first of all of them together.

        `gather` applies a function to many items at once, and returns results or exceptions.
        """
        firsts = self._pages([(listing, 1) for listing in listings], gather)
        lists = [[first] for first in firsts]
        more = [
            (place, number)
            for place, first in enumerate(firsts)
            for number in _further_pages(listings[place], first)
        ]
        pages = self._pages([(listings[place], number) for place, number in more], gather)
        for (place, _), page in zip(more, pages, strict=True):
            lists[place].append(page)
        return gather(lambda at: self._entries(listings[at], lists[at]), range(len(lists)))

    def _pages(self, wanted: Sequence[tuple[Listing, int]], gather: Gather) -> list[Any]:
        """Get pages; those that are here are looked up together."""
        asks = [Ask(self._url_of(*page)) for page in wanted]
        pages = dict(zip(asks, wanted, strict=True))
        found: dict[Ask, Any] = {}
        # One at a time: they take more room before they are read than after.
        for ask, answer in self.session.look_up(pages):
            # What is no page is an error for that caller alone.
            with suppress(PayloadError):
                found[ask] = _Page.of(json_of(answer, "a page"), pages[ask][0])
        missing = {ask: page for ask, page in pages.items() if ask not in found}
        fetched = gather(lambda page: self._page(*page), list(missing.values()))
        found |= zip(missing, fetched, strict=True)
        return [found[ask] for ask in asks]

    def _entries(self, listing: Listing, pages: Sequence[Any]) -> Entries:
        """Join pages, each entry once: pushes between the pages shift them."""
        entries: dict[str, Any] = {}
        for page in pages:
            if isinstance(page, Exception):
                raise page
            entries |= page.entries
        number, last, idle = len(pages), pages[-1], 0
        while last.has_next and len(entries) < listing.limit:
            if idle == MOST_IDLE:
                raise TransportError(
                    f"{listing.asked} on {DOCKER_HUB}: the pages have no end: {idle} in a row, up "
                    f"to page {number}, brought nothing new; not read further"
                )
            number += 1
            last, held = self._page(listing, number), len(entries)
            entries |= last.entries
            idle = 0 if len(entries) > held else idle + 1
        found = Entries(list(entries.values())[: listing.most])
        found.is_whole = not last.has_next and len(found) == len(entries)
        return found

    def _page(self, listing: Listing, number: int) -> _Page:
        url = self._url_of(listing, number)
        try:
            return self._json(url, listing.asked, listing.keep, lambda it: _Page.of(it, listing))
        except NotFoundError:
            if number == 1:
                raise
            # Past the end: entries went away while the pages were read.
            return _Page({})

    def _url_of(self, listing: Listing, number: int) -> str:
        params = {
            **listing.params,
            "page": str(number),
            "page_size": str(min(PAGE_SIZE, listing.limit)),
        }
        return f"{self._url}{listing.path}?{urlencode(params)}"

    def _json(self, url: str, asked: str, keep: int, read: Callable[[Any], Shape]) -> Shape:
        """Get JSON of a certain shape; what `read` raises `PayloadError` for is not kept."""
        asked = f"{asked} on {DOCKER_HUB}"
        answer = self.session.get(Ask(url), asked, keep)
        try:
            return read(json_of(answer, asked))
        except PayloadError:
            self.session.forget(Ask(url))
            raise


def _images(found: Any, asked: str) -> list[Payload]:
    if found is not None and not isinstance(found, list):
        raise PayloadError(f"{asked}: expected a list, got a {type(found).__name__}")
    return [image for image in found or () if isinstance(image, dict)]


def _further_pages(listing: Listing, first: Any) -> Iterable[int]:
    """Number the pages after the first. The Hub may ignore the size, so its own page tells it."""
    is_page = isinstance(first, _Page) and first.has_next and first.size
    if not is_page or not isinstance(first.count, int):
        return ()
    wanted = min(first.count, listing.limit)
    return range(2, min(-(-wanted // first.size), _MOST_AT_ONCE) + 1)


def _object(found: Any, asked: str) -> Payload:
    if not isinstance(found, dict):
        raise PayloadError(f"{asked}: expected an object, got a {type(found).__name__}")
    if _OF_TAG.isdisjoint(found):
        raise PayloadError(f"{asked}: the answer tells nothing of a tag")
    return found
