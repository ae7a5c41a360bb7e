"""The Docker Hub API: payloads as the Hub sends them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from hubframe.errors import NotFoundError, PayloadError
from hubframe.reference import DOCKER_HUB
from hubframe.wire.session import KEPT_REPOS, KEPT_TAGS, Ask, Session, json_of

Payload = Mapping[str, Any]
Shape = TypeVar("Shape")
Gather = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]

# The Hub's largest page; larger values are capped in silence.
PAGE_SIZE = 100
# Pages asked for on the word of the first one; what follows is read one by one.
_MOST_AT_ONCE = 10_000
# Pages that are looked up together.
_TOGETHER = 64


@dataclass(frozen=True)
class Listing:
    """A list of the Hub that comes in pages.

    Attributes
    ----------
    path, params
        The address below the API, and the query without page and size.
    asked
        What is listed, in words.
    keep
        How long a page is fresh. [seconds]
    most
        How many entries are wanted; None for all.
    key
        The field that tells entries apart.
    """

    path: str
    asked: str
    keep: int
    params: Mapping[str, str] = field(default_factory=dict)
    most: int | None = None
    key: str = "name"


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


def tags(repo: str, newest: int | None = None) -> Listing:
    """List the tags of a repository, newest first: the Hub's sign for that is none."""
    return Listing(
        f"{_repository(repo)}/tags",
        f"the tags of {repo}",
        KEPT_TAGS,
        {"ordering": "last_updated"},
        newest,
    )


def _repository(repo: str) -> str:
    namespace, _, name = repo.partition("/")
    return f"/v2/namespaces/{namespace}/repositories/{quote(name)}"


class Hub:
    """Reads the Docker Hub API.

    Parameters
    ----------
    session
        What sends.
    url
        Where the API is.
    """

    def __init__(self, session: Session, url: str) -> None:
        self._session = session
        self._url = url

    def probe(self) -> None:
        """Ask for next to nothing, past the cache: any answer tells the limit of whoever asks."""
        url = f"{self._url}/v2/namespaces/library/repositories?page_size=1"
        self._session.fetch(url, f"the limit of {DOCKER_HUB}'s API")

    def tag(self, repo: str, tag: str) -> Payload:
        """Get a tag."""
        url = f"{self._url}{_repository(repo)}/tags/{quote(tag)}"
        asked = f"the tag {repo}:{tag}"
        return self._json(url, asked, KEPT_TAGS, lambda found: _object(found, asked))

    def images(self, repo: str, tag: str) -> list[Payload]:
        """Get the images of a tag with their layers: all platforms, free of the pull quota."""
        asked = f"the images of {repo}:{tag}"
        url = f"{self._url}{_images_path(repo, tag)}"
        return self._json(url, asked, KEPT_TAGS, lambda found: _images(found, asked))

    def told(self, tags: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Payload]]:
        """Return what is known here of the images of tags, by repository and tag."""
        asks = {Ask("GET", f"{self._url}{_images_path(*tag)}"): tag for tag in tags}
        found = {}
        for ask, answer in self._session.look_up(asks).items():
            # What is no list is asked for again, and then is an error.
            with suppress(PayloadError):
                asked = "the images of " + ":".join(asks[ask])
                found[asks[ask]] = _images(json_of(answer, asked), asked)
        return found

    def lists(self, listings: Sequence[Listing], gather: Gather) -> list[list[Payload] | Exception]:
        """Get lists, the pages after the first of all of them together.

        Parameters
        ----------
        listings
            What to list.
        gather
            Applies a function to many items at once, and returns results or exceptions.
        """
        firsts = self._pages([(listing, 1) for listing in listings], gather)
        more = [
            (place, number)
            for place, first in enumerate(firsts)
            if not isinstance(first, Exception)
            for number in _further_pages(listings[place], first)
        ]
        pages = self._pages([(listings[place], number) for place, number in more], gather)
        lists: list[Any] = [first if isinstance(first, Exception) else [first] for first in firsts]
        for (place, _), page in zip(more, pages, strict=True):
            if isinstance(page, Exception):
                lists[place] = page
            elif not isinstance(lists[place], Exception):
                lists[place].append(page)
        whole = [place for place, pages in enumerate(lists) if not isinstance(pages, Exception)]
        joined = gather(lambda place: self._entries(listings[place], lists[place]), whole)
        for place, entries in zip(whole, joined, strict=True):
            lists[place] = entries
        return lists

    def _pages(self, wanted: Sequence[tuple[Listing, int]], gather: Gather) -> list[Any]:
        """Get pages; those that are here are looked up together."""
        asks = [Ask("GET", self._url_of(*page)) for page in wanted]
        found = self._held(asks)
        missing = {ask: page for ask, page in zip(asks, wanted, strict=True) if ask not in found}
        fetched = gather(lambda page: self._page(*page), list(missing.values()))
        found |= zip(missing, fetched, strict=True)
        return [found[ask] for ask in asks]

    def _held(self, asks: Iterable[Ask]) -> dict[Ask, Any]:
        """Look up pages, some at a time: they take more room before they are read than after."""
        left, found = iter(asks), {}
        while some := list(islice(left, _TOGETHER)):
            for ask, answer in self._session.look_up(some).items():
                # What is no page is an error for whoever asks for it alone.
                with suppress(PayloadError):
                    found[ask] = _page(json_of(answer, "a page"), "a page")
        return found

    def _entries(self, listing: Listing, pages: list[Payload]) -> list[Payload]:
        """Join pages, each entry once: pushes between the pages shift them."""
        entries = _by_key(pages, listing.key)
        number, is_new = len(pages), True
        while is_new and _has_next(pages[-1]) and not _is_enough(listing, entries):
            number += 1
            pages.append(self._page(listing, number))
            held = len(entries)
            entries |= _by_key(pages[-1:], listing.key)
            is_new = len(entries) > held
        return list(entries.values())[: listing.most]

    def _page(self, listing: Listing, number: int) -> Payload:
        url, asked = self._url_of(listing, number), listing.asked
        try:
            return self._json(url, asked, listing.keep, lambda found: _page(found, asked))
        except NotFoundError:
            if number == 1:
                raise
            # Past the end: entries went away while the pages were read.
            return {"results": []}

    def _url_of(self, listing: Listing, number: int) -> str:
        params = {**listing.params, "page": str(number), "page_size": str(_page_size(listing))}
        return f"{self._url}{listing.path}?{urlencode(params)}"

    def _json(self, url: str, asked: str, keep: int, read: Callable[[Any], Shape]) -> Shape:
        return self._session.json(url, f"{asked} on {DOCKER_HUB}", keep=keep, read=read)


def _page(found: Any, asked: str) -> Payload:
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise PayloadError(f"{asked}: a page without a list of results")
    return found


def _images_path(repo: str, tag: str) -> str:
    namespace, _, name = repo.partition("/")
    return f"/v2/repositories/{namespace}/{quote(name)}/tags/{quote(tag)}/images"


def _images(found: Any, asked: str) -> list[Payload]:
    if found is not None and not isinstance(found, list):
        raise PayloadError(f"{asked}: expected a list, got a {type(found).__name__}")
    return [image for image in found or () if isinstance(image, dict)]


def _page_size(listing: Listing) -> int:
    return min(PAGE_SIZE, listing.most or PAGE_SIZE)


def _further_pages(listing: Listing, first: Payload) -> Iterable[int]:
    """Number the pages after the first. The Hub may ignore the size, so its own page tells it."""
    size, count = len(_results(first)), first.get("count")
    if not _has_next(first) or not size or not isinstance(count, int):
        return ()
    wanted = count if listing.most is None else min(count, listing.most)
    return range(2, min(-(-wanted // size), _MOST_AT_ONCE) + 1)


def _has_next(page: Payload) -> bool:
    return bool(page.get("next")) and bool(_results(page))


def _is_enough(listing: Listing, entries: Mapping[str, Payload]) -> bool:
    return listing.most is not None and len(entries) >= listing.most


def _results(page: Payload) -> list[Payload]:
    return [entry for entry in page["results"] if isinstance(entry, dict)]


def _by_key(pages: Iterable[Payload], key: str) -> dict[str, Payload]:
    """Key entries by their name; what has none is no entry."""
    entries = (entry for page in pages for entry in _results(page))
    return {entry[key]: entry for entry in entries if isinstance(entry.get(key), str)}


def _object(found: Any, asked: str) -> Payload:
    if not isinstance(found, dict):
        raise PayloadError(f"{asked}: expected an object, got a {type(found).__name__}")
    return found
