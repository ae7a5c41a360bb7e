"""The distribution protocol: tags, digests and documents of any registry."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from requests import Response

from hubframe.errors import PayloadError, TransportError
from hubframe.reference import DIGEST, TAG, ImageReference
from hubframe.wire.addresses import joined, origin
from hubframe.wire.content import Content, Document, digest_of, verify
from hubframe.wire.session import KEPT_REPOS, KEPT_TAGS, Session, json_of

# In one line and without weights: some registries compare the types literally.
ACCEPT = ",".join(  # noqa: FLY002 - one type a line
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.oci.artifact.manifest.v1+json",
    )
)
# The largest page that every registry accepts.
PAGE_SIZE = 1000
_MOST_PAGES = 10_000
# What registries say that know no HEAD.
_NO_HEAD = frozenset({405, 501})
_NEXT = re.compile(r'<([^>]+)>\s*;[^,]*\brel\s*=\s*"?next\b', re.IGNORECASE)


@dataclass(frozen=True)
class Resolved:
    """What a tag points at."""

    digest: str
    media_type: str | None


class Registry:
    """Reads one registry.

    Parameters
    ----------
    session
        What sends.
    content
        Where documents are kept.
    host
        The registry's name, for messages.
    url
        Its endpoint.
    """

    def __init__(self, session: Session, content: Content, host: str, url: str) -> None:
        self._session = session
        self._content = content
        self.host = host
        self.url = url

    def tags(self, path: str) -> list[str]:
        """List the tags of a repository, in the registry's order."""
        names = self._list(
            f"/v2/{path}/tags/list", "tags", f"the tags of {path} on {self.host}", KEPT_TAGS
        )
        return [name for name in names if TAG.fullmatch(name)]

    def catalog(self) -> list[str]:
        """List the repositories, where the registry tells them."""
        return self._list(
            "/v2/_catalog", "repositories", f"the catalogue of {self.host}", KEPT_REPOS
        )

    def resolve(self, reference: ImageReference) -> Resolved:
        """Look up what a tag points at: by HEAD, which costs no pull."""
        if reference.digest:
            return Resolved(reference.digest, None)
        url = f"{self.url}/v2/{reference.path}/manifests/{reference.target}"
        response = self._session.get(
            url,
            f"the manifest {reference}",
            keep=KEPT_TAGS,
            method="HEAD",
            headers={"Accept": ACCEPT},
            also=_NO_HEAD,
        )
        digest = response.headers.get("Docker-Content-Digest", "")
        if DIGEST.fullmatch(digest):
            return Resolved(digest, _media_type(response))
        return self._resolve_by_get(url, reference)

    def manifest(self, reference: ImageReference) -> Document:
        """Get what a digest names, a manifest or an index, once and for ever."""
        digest = reference.digest or self.resolve(reference).digest
        url = f"{self.url}/v2/{reference.path}/manifests/{digest}"
        return self._document(url, digest, f"the manifest {reference.at(digest=digest)}", ACCEPT)

    def config(self, reference: ImageReference, digest: str) -> Document:
        """Get a config: a blob, so it costs no pull."""
        if not DIGEST.fullmatch(digest):
            raise PayloadError(
                f"the manifest {reference} names a config by {digest[:80]!r}, which is no digest"
            )
        url = f"{self.url}/v2/{reference.path}/blobs/{digest}"
        return self._document(url, digest, f"the config {digest} of {reference}", None)

    def _document(self, url: str, digest: str, asked: str, accept: str | None) -> Document:
        def fetch() -> Document:
            headers = {"Accept": accept} if accept else None
            response = self._session.fetch(url, asked, headers=headers)
            document = Document(digest, _media_type(response) or "", response.content)
            return verify(document, self.host)

        return self._content.fetch(digest, fetch)

    def _resolve_by_get(self, url: str, reference: ImageReference) -> Resolved:
        """Some registries answer HEAD without a digest; then the document itself tells it."""
        response = self._session.get(
            url, f"the manifest {reference}", keep=KEPT_TAGS, headers={"Accept": ACCEPT}
        )
        digest = digest_of(response.content)
        self._content.put(Document(digest, _media_type(response) or "", response.content))
        return Resolved(digest, _media_type(response))

    def _list(self, path: str, key: str, asked: str, keep: int) -> list[str]:
        """Follow the pages of a list: links, relative or absolute, on this host only."""
        url: str | None = f"{self.url}{path}?n={PAGE_SIZE}"
        names: dict[str, None] = {}
        seen: set[str] = set()
        while url and url not in seen and len(seen) < _MOST_PAGES:
            seen.add(url)
            response = self._session.get(url, asked, keep=keep)
            before = len(names)
            names.update(dict.fromkeys(_texts(response, key, asked)))
            url = self._next(response, url, asked) if len(names) > before else None
        return list(names)

    def _next(self, response: Response, url: str, asked: str) -> str | None:
        match = _NEXT.search(response.headers.get("Link", ""))
        if match is None:
            return None
        target = joined(url, match[1].strip(), "the next page")
        if origin(target) != origin(self.url):
            raise TransportError(
                f"{asked}: the next page is said to be on {urlsplit(target).netloc}; not followed"
            )
        return target


def _texts(response: Response, key: str, asked: str) -> list[str]:
    """Read a list of names; old registries say null for none."""
    body = json_of(response, asked)
    found = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(found, list | None) or not isinstance(body, Mapping):
        raise PayloadError(f"{asked}: the answer has no list of {key}")
    return [name for name in found or () if isinstance(name, str) and name]


def _media_type(response: Response) -> str | None:
    media_type: str = response.headers.get("Content-Type", "")
    return media_type.partition(";")[0].strip() or None
