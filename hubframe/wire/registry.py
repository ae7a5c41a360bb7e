"""The distribution protocol: tags, digests and documents of any registry."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests import Response
from requests_cache.models.response import CachedResponse

from hubframe.errors import (
    HubframeError,
    NotCachedError,
    NotFoundError,
    PayloadError,
    TransportError,
    UnauthorizedError,
)
from hubframe.oci.digests import HASHES, Document, digest_of, is_signed, is_sound, verify
from hubframe.oci.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from hubframe.oci.reference import DIGEST, DOCKER_HUB, TAG, ImageReference
from hubframe.wire import cancellation, statuses
from hubframe.wire.addresses import joined, moved, next_link, within_host
from hubframe.wire.blobs import Blobs
from hubframe.wire.limits import Limit
from hubframe.wire.network import joined_up
from hubframe.wire.responses import CachedTag, is_whole
from hubframe.wire.session import KEPT_REPOS, KEPT_TAGS, MOST_IDLE, PAUSES, Ask, Session, json_of
from hubframe.wire.shared_work import SharedWork
from hubframe.wire.statistics import count_cached, mode

Payload = Mapping[str, Any]
Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry")
# How a page of a list is got, as `Session.get` does.
Get = Callable[..., Response]

MANIFEST_TYPES = (
    OCI_INDEX,
    DOCKER_LIST,
    OCI_MANIFEST,
    DOCKER_MANIFEST,
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.oci.artifact.manifest.v1+json",
)
# In one line and without weights: some registries compare the types literally.
ACCEPT = ",".join(MANIFEST_TYPES)
# The largest page that every registry accepts.
PAGE_SIZE = 1000
_MOST_PAGES = 10_000
# Others behind the same address spend pulls too, so what was reported of a limit is soon old. [s]
_SOON_OLD = 10.0
# What registries say to a size of pages that they do not take, or do not know.
_NO_SIZE = frozenset({400, 405, 406, 413, 422, 501})
# What those say to a name to go on from that continue lists by links alone.
_NO_LAST = _NO_SIZE | {404}
# What registries say that know no HEAD.
_NO_HEAD = frozenset({405, 501})
# What some say to HEAD of a thing that they do have; a GET tells, and its answer has words.
_DOUBTFUL_HEAD = frozenset({400, 401, 403, 404, 405, 406, 500, 501, 502, 503, 504})
# Of these, what is said of a thing rather than of HEAD.
_ABOUT_THINGS = frozenset({400, 403, 404, 406})
# What registries say that know no referrers: none of it has to be the registry's own answer.
_NO_REFERRERS = frozenset({200, 301, 302, 303, 307, 308, 400, 404, 405, 406, 501})
_ARTIFACTORY = ("X-JFrog-Version", "X-Artifactory-Id")


@dataclass(frozen=True)
class Resolved:
    """What a tag points at."""

    digest: str
    media_type: str | None


class _List(NamedTuple):
    """A list that comes in pages, each fresh for `keep` seconds.

    `key` is the field of a page that holds the entries, and `asked` what is listed, in words.
    """

    key: str
    asked: str
    keep: int
    accept: str = ""


class Registry:
    """Reads one registry."""

    def __init__(self, session: Session, blobs: Blobs, host: str, url: str) -> None:
        self.session = session
        self._blobs = blobs
        self._documents: SharedWork[Document] = SharedWork()
        self.host = host
        self._is_hub = host == DOCKER_HUB
        self.url = url
        # What this registry was found not to know; asked again by the next client.
        self._unknown: set[str] = set()
        # Whether it was asked what refers to a digest, and until when it is known not to tell.
        self._is_tried = False
        self._trial = threading.Lock()
        self._untold_until = -math.inf
        self._probes: SharedWork[None] = SharedWork()
        self._probed = -_SOON_OLD

    def tags(self, path: str) -> list[str]:
        """List the tags of a repository, in the registry's order."""
        return self._names(path, self.session.get)

    def names(self, path: str) -> list[str] | None:
        """List tags as `tags` does; None where the registry refuses, which is kept like a list."""
        try:
            return self.tags(path)
        except (NotFoundError, UnauthorizedError, PayloadError):
            self.session.keep_tag(self._tags_of(path), "", "")
        except HubframeError:
            # Who can do without it goes on, and comes upon the same.
            pass
        return None

    def cached_names(self, paths: Mapping[Key, str]) -> dict[Key, list[str] | None]:
        """Return the lists of `names` that are here whole, by the keys of the repositories."""

        def here(ask: Ask, asked: str, *_: Any) -> Response:
            for _, answer in self.session.look_up([ask]):
                return answer
            raise NotCachedError(f"{asked}: not here")

        refusals = {self._tags_of(path): key for key, path in paths.items()}
        told: dict[Key, list[str] | None] = {
            refusals[ask]: None for ask in self.session.cached_tags(refusals)
        }
        for key, path in paths.items():
            with suppress(NotCachedError, PayloadError, TransportError):
                told[key] = self._names(path, here)
        return told

    def catalog(self) -> list[str]:
        """List the repositories, where the registry tells them."""
        return self._list(
            "/v2/_catalog", "repositories", f"the catalogue of {self.host}", KEPT_REPOS
        )

    def resolve(self, reference: ImageReference) -> Resolved:
        """Look up what a tag points at: by HEAD, which costs no pull."""
        if reference.digest:
            return Resolved(reference.digest, None)
        reported, status = Resolved("", None), 0
        if "HEAD" not in self._unknown:
            reported, is_enough, status = self._head(reference)
            if is_enough:
                return reported
        try:
            document = self._by_tag(reference, reported.digest)
        except TransportError as failure:
            asked = f"the manifest {reference}"
            held = self.session.old_tag(self._head_of(reference), asked, failure)
            return Resolved(held.digest, held.media_type or None)
        if status in _DOUBTFUL_HEAD - _ABOUT_THINGS:
            self._unknown.add("HEAD")
        return Resolved(document.digest, _manifest_type(document))

    def cached_tags(self, references: Mapping[Key, ImageReference]) -> dict[Key, Resolved | None]:
        """Return what is known here of tags, by the keys of the references; None: not there."""
        asks = {self._head_of(reference): key for key, reference in references.items()}
        held = self.session.cached_tags(asks)
        known = {
            asks[ask]: Resolved(one.digest, one.media_type or None) for ask, one in held.items()
        }
        return {key: at if DIGEST.fullmatch(at.digest) else None for key, at in known.items()}

    def find(self, reference: ImageReference) -> Resolved | None:
        """Look up a tag that need not be there, after `cached_tags` did not know it.

        Where HEAD is no cheaper the document is taken at once. That there is no such tag is kept
        as long as where one points.
        """
        ask = self._head_of(reference)
        try:
            if self._is_hub or self._blobs.is_shared or self.session.knows_tag(ask):
                return self.resolve(reference)
            document = self._by_tag(reference)
        except NotFoundError:
            self.session.keep_tag(ask, "", "")
            return None
        return Resolved(document.digest, _manifest_type(document))

    def probe(self, reference: ImageReference) -> None:
        """Ask for a tag by HEAD, past the cache: its headers tell the limits of the login.

        Threads that ask at once share the answer, and one of the last moments is good enough.
        """
        with self._probes.join(mode()) as work:
            if work.is_mine and time.monotonic() - self._probed >= _SOON_OLD:
                asked = f"how many pulls of {self.host} are left"
                try:
                    self.session.fetch(self._head_of(reference), asked)
                finally:
                    self._probed = time.monotonic()

    def named(self, reference: ImageReference) -> Document:
        """Get what a tag names, a manifest or an index, after `cached_tags` did not know it.

        A tag that was seen before has likely not moved: then its digest is looked up first, and
        the document may be here. On Docker Hub that is always so, since a GET is a pull.
        """
        # Where workers share documents, another may have it already, or be about to.
        is_known = self._is_hub or self._blobs.is_shared
        if is_known or self.session.knows_tag(self._head_of(reference)):
            return self.manifest(reference, self.resolve(reference).digest)
        return self._by_tag(reference)

    def manifest(self, reference: ImageReference, reported: str | None = None) -> Document:
        """Get what a digest names, a manifest or an index, once and only once.

        `reported` is the digest that its tag was said to have. Registries err there, so one that
        has no such document is asked for the tag itself.
        """
        digest = reference.digest or reported or self.resolve(reference).digest
        if not DIGEST.fullmatch(digest):
            raise PayloadError(f"an index of {reference.path} names {digest[:80]!r}, no digest")
        try:
            ask = Ask(f"{self.url}/v2/{reference.path}/manifests/{digest}", ACCEPT)
            return self._document(ask, digest, f"the manifest {reference.at(digest=digest)}")
        except NotFoundError:
            if reference.digest or self._is_hub:
                raise
            return self._by_tag(reference, digest)

    def referrers(self, subject: ImageReference) -> list[Payload] | None:
        """List the descriptors of what refers to a digest; None where the API is missing.

        The first to ask goes alone: where there is no such API, the others need not. That is
        believed of the whole registry as long as a list is.
        """
        if self._is_tried:
            return self._referrers(subject)
        with self._trial:
            try:
                return self._referrers(subject)
            finally:
                self._is_tried = True

    def _referrers(self, subject: ImageReference) -> list[Payload] | None:
        ask = self._referrers_to(subject)
        if time.monotonic() < self._untold_until:
            self.session.keep_tag(ask, "", "")
            return None
        asked = f"what refers to {subject}"
        first = self.session.get(ask, asked, KEPT_TAGS, _NO_REFERRERS)
        if not self._knows_referrers(first, asked):
            if not isinstance(first, CachedResponse):
                self.session.keep_tag(ask, "", "")
            return None
        listed = _List("manifests", asked, KEPT_TAGS, OCI_INDEX)
        pages = self._pages(first, listed, _descriptors, self.session.get)
        return list(pages.values())

    def cached_referrers(
        self, subjects: Mapping[Key, ImageReference]
    ) -> dict[Key, list[Payload] | None]:
        """Return the lists of `referrers` that are here, by the keys of the subjects."""
        asks = {self._referrers_to(subject): key for key, subject in subjects.items()}
        reported: dict[Key, list[Payload] | None] = {
            asks[ask]: None for ask in self.session.cached_tags(asks)
        }
        left = [ask for ask in asks if asks[ask] not in reported]
        for ask, answer in self.session.look_up(left):
            if "Link" not in answer.headers:
                # What cannot be read is read again, by a caller that says so.
                with suppress(PayloadError):
                    reported[asks[ask]] = list(
                        _descriptors(_entries(answer, "manifests", ask.url)).values()
                    )
        return reported

    def config(self, reference: ImageReference, digest: str) -> Document:
        """Get a config: a blob, so it costs no pull."""
        if not DIGEST.fullmatch(digest):
            raise PayloadError(
                f"the manifest {reference} names a config by {digest[:80]!r}, which is no digest"
            )
        ask = Ask(f"{self.url}/v2/{reference.path}/blobs/{digest}")
        return self._document(ask, digest, f"the config {digest} of {reference}")

    def attached(self, document: ImageReference, most: int) -> Document:
        """Get a document that is attached to an image: a blob, which may be longer than others."""
        digest, asked = document.digest or "", f"the document {document}"
        ask = Ask(f"{self.url}/v2/{document.path}/blobs/{digest}")

        def read() -> bytes:
            return joined_up(self.session.stream(ask.url, asked), most, asked)

        return self._document(ask, digest, asked, read)

    def part(self, reference: ImageReference, digest: str, start: int, count: int) -> bytes | None:
        """Get some bytes of a blob; None where the registry does not send them."""
        wanted = f"{start}-{start + count - 1}"
        ask = Ask(f"{self.url}/v2/{reference.path}/blobs/{digest}")
        asked = f"a part of the layer {digest} of {reference}"
        also = {HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}
        response = self.session.fetch(ask, asked, also, {"Range": f"bytes={wanted}"})
        # Some send another part than was asked for, and say so.
        sent = response.headers.get("Content-Range", f"bytes {wanted}/").partition("/")[0]
        is_part = response.status_code == HTTPStatus.PARTIAL_CONTENT and sent == f"bytes {wanted}"
        return response.content if is_part and len(response.content) == count else None

    def blob(self, reference: ImageReference, digest: str) -> Iterator[bytes]:
        """Yield a blob in pieces, on from where a connection broke; it is not verified here."""
        url = f"{self.url}/v2/{reference.path}/blobs/{digest}"
        return self.session.stream(url, f"the layer {digest} of {reference}")

    def url_of(self, reference: ImageReference) -> str:
        """Return the address of what a reference names."""
        return f"{self.url}/v2/{reference.path}/manifests/{reference.target}"

    def last_limit(self, reference: ImageReference, kind: str) -> Limit | None:
        """Return the last word of the registry on a limit, for a repository's login."""
        return self.session.transport.last_limit(self.url_of(reference), kind)

    def allow_pulls(self) -> None:
        """Ask for manifests again, after a refusal: there are pulls left."""
        self.session.transport.allow_pulls()

    def _head(self, reference: ImageReference) -> tuple[Resolved, bool, int]:
        """Ask for a tag by HEAD; return what is reported, whether that is enough, the status."""
        also = _NO_HEAD if self._is_hub else _DOUBTFUL_HEAD
        ask = self._head_of(reference)
        answer = self.session.head(ask, f"the manifest {reference}", also)
        if isinstance(answer, CachedTag):
            reported = Resolved(answer.digest, answer.media_type or None)
            return reported, DIGEST.fullmatch(reported.digest) is not None, 0
        if answer.status_code in also:
            return Resolved("", None), False, answer.status_code
        reported = Resolved(_reported_digest(answer), _media_type(answer))
        # The Hub counts GETs as pulls; elsewhere one that tells the type is free.
        is_enough = DIGEST.fullmatch(reported.digest) and (reported.media_type or self._is_hub)
        if is_enough:
            self.session.keep_tag(ask, reported.digest, reported.media_type or "")
        return reported, bool(is_enough), answer.status_code

    def _head_of(self, reference: ImageReference) -> Ask:
        return Ask(self.url_of(reference), ACCEPT, "HEAD")

    def _referrers_to(self, subject: ImageReference) -> Ask:
        url = f"{self.url}/v2/{subject.path}/referrers/{subject.target}"
        return Ask(url, OCI_INDEX)

    def _by_tag(self, reference: ImageReference, before: str = "") -> Document:
        """Read the document that a tag names, and keep it under the digest that it has.

        It is asked for until it is whole: it has the digest that is reported, or comes twice. The
        digest's algorithm is that of the one which the registry tells now, or reported before.
        """
        seen = set()
        for pause in (*PAUSES, None):
            ask = Ask(self.url_of(reference), ACCEPT)
            response = self.session.fetch(ask, f"the manifest {reference}")
            if statuses.names_errors(response):
                words = statuses.words_of(response)
                raise PayloadError(f"the manifest {reference}: the answer is none{words}")
            reported = _reported_digest(response) or before
            algorithm = reported.partition(":")[0]
            digest = digest_of(response.content, algorithm if algorithm in HASHES else "sha256")
            # Many registries tell wrong digests, but the same bytes each time.
            is_reported = digest == (reported or digest)
            if pause is None or ((is_reported or digest in seen) and is_whole(response)):
                break
            seen.add(digest)
            cancellation.wait(pause)
        document = Document(digest, response.content)
        # Of schema 1 documents with one digest and several signatures, the first one is kept.
        held = self._blobs.get(digest) if is_signed(document.body) else None
        if held is None:
            self._blobs.put(document)
        document = held or document
        self.session.keep_tag(self._head_of(reference), digest, _manifest_type(document) or "")
        return document

    def _document(
        self, ask: Ask, digest: str, asked: str, read: Callable[[], bytes] | None = None
    ) -> Document:
        """Return a document from here, or fetch it once, however many threads ask.

        A refusal is shared only by those who ask at the same place, in the same mode: another
        repository may show the document, and who is offline cannot speak for who is not.
        """
        with self._documents.join((digest, ask.url, mode())) as work:
            if not work.is_mine:
                return work.outcome  # type: ignore[no-any-return]
            held = self._blobs.get(digest)
            with self._blobs.lease(digest) if held is None else nullcontext():
                if held is None and self._blobs.is_shared:
                    # Meanwhile another worker may have put it there.
                    held = self._blobs.get(digest)
                if held is not None:
                    count_cached()
                    work.outcome = held
                    return held
                for pause in (*PAUSES, None):
                    body = read() if read else self.session.fetch(ask, asked).content
                    document = Document(digest, body)
                    if pause is None or is_sound(digest, document.body):
                        break
                    # What was changed on the way may come whole the next time.
                    cancellation.wait(pause)
                work.outcome = verify(document, self.host)
                self._blobs.put(document)
                return document

    def _knows_referrers(self, response: Response, asked: str) -> bool:
        """Only an index is an answer: websites, logins and old registries send all the rest."""
        code = statuses.code_of(response)
        if code == "NAME_UNKNOWN":
            self.session.check(response, asked)
        if response.status_code in statuses.OK:
            is_index = _content_type(response) == OCI_INDEX
            if not is_index and statuses.names_errors(response):
                raise PayloadError(f"{asked}: the answer is none{statuses.words_of(response)}")
            return is_index
        if not code:
            # No registry spoke, so that every other digest would fare the same.
            self._untold_until = time.monotonic() + KEPT_TAGS
        return False

    def _names(self, path: str, get: Get) -> list[str]:
        asked = f"the tags of {path} on {self.host}"
        names = self._list(f"/v2/{path}/tags/list", "tags", asked, KEPT_TAGS, get)
        return [name for name in names if TAG.fullmatch(name)]

    def _tags_of(self, path: str) -> Ask:
        return Ask(f"{self.url}/v2/{path}/tags/list")

    def _list(
        self, path: str, key: str, asked: str, keep: int, get: Get | None = None
    ) -> list[str]:
        """Read the names of all pages, each once.

        Large pages are asked for; who refuses that is asked for pages as it likes them.
        """
        get = get or self.session.get
        url, first = f"{self.url}{path}", None
        if key not in self._unknown:
            # Offline, a list may be here that was asked for without a size.
            with suppress(NotCachedError):
                first = get(Ask(f"{url}?n={PAGE_SIZE}"), asked, keep, _NO_SIZE)
        if first is None or first.status_code in _NO_SIZE:
            is_refused = first is not None
            first = get(Ask(url), asked, keep)
            if is_refused:
                self._unknown.add(key)
        return list(self._pages(first, _List(key, asked, keep), _named, get))

    def _pages(
        self,
        first: Response,
        listed: _List,
        keyed: Callable[[Sequence[Any]], dict[str, Entry]],
        get: Get,
    ) -> dict[str, Entry]:
        """Read a list to its end, each entry once, by the links of its pages.

        A page that is empty, or brings nothing new, may have a next one: some registries filter
        what stands on a page. One that is full may have a next one of which no link tells. Pages
        without end raise `TransportError`, and what is no page `PayloadError`.
        """
        found: dict[str, Entry] = {}
        seen: set[str] = set()
        response, url, idle, refusals = first, first.url, 0, frozenset[int]()
        while response.status_code not in refusals:
            try:
                entries = _entries(response, listed.key, listed.asked)
            except PayloadError:
                # It is none, and not kept.
                self.session.forget(Ask(url, listed.accept))
                raise
            held = len(found)
            found |= keyed(entries)
            is_new = len(found) > held
            seen.add(url)
            following, refusals = self._next(response, url), frozenset()
            if following is None and is_new:
                following, refusals = _past(url, entries), _NO_LAST
            if following is None:
                break
            idle = 0 if is_new else idle + 1
            if following in seen or idle > MOST_IDLE or len(seen) == _MOST_PAGES:
                raise TransportError(
                    f"{listed.asked}: the pages have no end: after {len(seen)} of them, with "
                    f"{len(found)} entries, the next one is said to be "
                    f"{'one of these' if following in seen else 'yet another'}; not read further"
                )
            url = following
            response = get(Ask(url, listed.accept), listed.asked, listed.keep, refusals)
        return found

    def _next(self, response: Response, url: str) -> str | None:
        """Return the address of the next page: where this one came from, whatever the link says.

        Registries behind proxies write links with a host, a port or a path at which nobody reaches
        them; where a list was redirected, the link is relative to where it was found.
        """
        link = next_link(response.headers.get("Link", ""))
        if link is None:
            return None
        here = response.headers.get("Content-Location", url)
        target = _on_own_path(here, joined(here, within_host(link), "the next page"))
        if any(name in response.headers for name in _ARTIFACTORY):
            target = _on_asked_path(url, target)
        return _with_entries(moved(target, here))


def _on_own_path(here: str, link: str) -> str:
    """Return a link on the path that the same list was found at, without what stands before it.

    Nexus writes its inner ``/repository/NAME/v2/…``, and others leave out a path of a proxy.
    """
    parts, path = urlsplit(link), urlsplit(here).path
    is_same = parts.path.rpartition("/v2/")[2] == path.rpartition("/v2/")[2]
    return urlunsplit(parts._replace(path=path)) if is_same else link


def _on_asked_path(url: str, link: str) -> str:
    """Artifactory's links forget the path that it is reached by; what they continue at is right."""
    here = urlsplit(url)
    query = dict(parse_qsl(here.query))
    query |= {name: v for name, v in parse_qsl(urlsplit(link).query) if name in ("last", "n")}
    return urlunsplit(here._replace(query=urlencode(query)))


def _with_entries(link: str) -> str:
    """GHCR's links may ask for pages of no entries; without a size they have the usual one."""
    parts = urlsplit(link)
    query = "&".join(part for part in parts.query.split("&") if part != "n=0")
    return urlunsplit(parts._replace(query=query))


def _past(url: str, entries: Sequence[Any]) -> str | None:
    """Return where a list goes on after a page that holds as many entries as were asked for.

    By the specification the last page holds fewer; that a fuller one has a link is only advised.
    """
    parts, last = urlsplit(url), entries[-1] if entries else None
    if not isinstance(last, str) or dict(parse_qsl(parts.query)).get("n") != str(len(entries)):
        return None
    return urlunsplit(parts._replace(query=urlencode({"n": len(entries), "last": last})))


def _reported_digest(answer: Response) -> str:
    found: str = answer.headers.get("Docker-Content-Digest", "")
    return found.lower()


def _named(entries: Sequence[Any]) -> dict[str, None]:
    """Key names by themselves; some registries list nulls and empty ones."""
    return {name: None for name in entries if isinstance(name, str) and name}


def _descriptors(entries: Sequence[Any]) -> dict[str, Payload]:
    """Key descriptors by digest; what has none is no descriptor."""
    reported = [entry for entry in entries if isinstance(entry, dict)]
    keyed = ((entry.get("digest"), entry) for entry in reported)
    return {at: entry for at, entry in keyed if isinstance(at, str) and DIGEST.fullmatch(at)}


def _entries(response: Response, key: str, asked: str) -> list[Any]:
    """Read the list of a page; old registries say null for none."""
    body = json_of(response, asked)
    found = body.get(key, 0) if isinstance(body, Mapping) else 0
    # Gateways and old registries send errors as good answers.
    if not isinstance(found, list | None) or body.get("errors"):
        raise PayloadError(f"{asked}: the answer has no list of {key}{statuses.words_of(response)}")
    return found or []


def _media_type(response: Response) -> str | None:
    """Return the type of a manifest; others (``text/plain``) come from storage in between."""
    found = _content_type(response)
    return found if found in MANIFEST_TYPES else None


def _content_type(response: Response) -> str:
    found: str = response.headers.get("Content-Type", "")
    return found.partition(";")[0].strip().lower()


def _manifest_type(document: Document) -> str | None:
    """Return the type that a document has, where it is one of manifests and indexes."""
    return document.media_type if document.media_type in MANIFEST_TYPES else None
