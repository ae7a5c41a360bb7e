"""Harbor's API: repositories of projects, when tags were pushed and pulled, what scanners found."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from requests import Response

from hubframe.errors import InvalidReferenceError, NotFoundError, PayloadError
from hubframe.oci.manifests import INDEX_TYPES
from hubframe.oci.payload import items, mapping, text, texts
from hubframe.oci.platforms import Platform
from hubframe.readers.severities import STATES, fixed_or, severity
from hubframe.wire.addresses import next_link
from hubframe.wire.credentials import Credential
from hubframe.wire.providers.provider import (
    Page,
    Provider,
    Row,
    Scan,
    digest_of,
    entries_of,
    tag_of,
)

# The largest page.
_PAGE_SIZE = 100
# What the Hub calls what Harbor has names of its own for.
_CONTENT_TYPES = {"CHART": "helm"}
# How Harbor writes that there was none.
_NEVER = "0001-01-01"


class Harbor(Provider):
    """Reads Harbor's API."""

    kind = "harbor"
    title = "Harbor"
    scanner = "harbor"
    place = re.compile(r"/projects/([^/]+/repositories/[^/]+)/artifacts|/projects/([^/]+)")

    @classmethod
    def authorization(cls, credential: Credential) -> str | None:
        """Send the login of the registry: users' and robot accounts' are good for the API, too."""
        return credential.basic if credential.is_pair else None

    @classmethod
    def place_of(cls, url: str) -> str:
        """Return the repository at an address, as the registry names it."""
        return super().place_of(url).replace("/repositories/", "/", 1)

    def tags(self, path: str) -> Sequence[Row]:
        """List tags with what they point at. A tag that moved has the date at which it did."""
        return self._tags(path, "*")

    def tag(self, path: str, name: str) -> Row:
        """Return what is told of one tag."""
        return self.named(self._tags(path, name), path, name)

    def _tags(self, path: str, which: str) -> Sequence[Row]:
        url = f"{self._artifacts(path)}?"
        query = {"q": f"tags={which}", "with_tag": "true", "page_size": _PAGE_SIZE, "page": ""}
        url += urlencode(query)
        return self.list_tags(f"{url}1", path, partial(read_artifacts, url=url))

    def repos(self, namespace: str) -> Sequence[Row]:
        """List the repositories of a project."""
        if not namespace or "/" in namespace:
            raise InvalidReferenceError(
                f"{self.host}/{namespace} is no project of Harbor: name one, such as "
                f"{self.host}/library"
            )
        url = f"{self._of(namespace)}/repositories?"
        url += urlencode({"page_size": _PAGE_SIZE, "page": ""})
        read = partial(read_repositories, url=url, host=self.host)
        return self.list_repos(f"{url}1", namespace, read)

    def scan(self, path: str, digest: str) -> Scan:
        """Return what the project's scanner found in an image."""
        url = f"{self._artifacts(path)}/{digest}/additions/vulnerabilities"
        return self.told(url, f"the scan of {path}@{digest}", read_scan, "it has no scanner")

    def _artifacts(self, path: str) -> str:
        project, _, name = path.partition("/")
        # What stands between slashes is decoded twice on its way.
        repository = quote(quote(name, safe=""), safe="")
        return f"{self._of(project)}/repositories/{repository}/artifacts"

    def _of(self, project: str) -> str:
        return f"{self.url}/api/v2.0/projects/{quote(project, safe='')}"


def read_artifacts(found: Any, answer: Response | None, number: int, *, url: str = "") -> Page:
    """Read the tags of a page of artifacts."""
    listed = entries_of(found, "artifacts")
    rows = {}
    for artifact in listed:
        told = _artifact(artifact)
        for tag in items(artifact.get("tags")):
            if name := tag_of(tag.get("name")):
                dates = {"pushed_at": tag.get("push_time"), "pulled_at": _pulled(tag)}
                rows[name] = {"name": name, **told, **dates}
    return Page(rows, _following(listed, answer, url, number))


def _artifact(artifact: Row) -> dict[str, Any]:
    media_type, kind = text(artifact.get("manifest_media_type")), text(artifact.get("type"))
    is_index = media_type in INDEX_TYPES
    platforms = [mapping(one.get("platform")) for one in items(artifact.get("references"))]
    read = map(Platform.read, platforms if is_index else [mapping(artifact.get("extra_attrs"))])
    known = {(one.name, one.os_version) for one in read if one and not one.is_unknown}
    return {
        "digest": digest_of(artifact.get("digest")),
        "media_type": media_type,
        "content_type": _CONTENT_TYPES.get(kind, kind.lower()) if kind else None,
        # Of an index it is the size of all its images together.
        "size": None if is_index else artifact.get("size"),
        "platform_count": len(known) or None,
    }


def read_scan(found: Any) -> Scan:
    """Read the report of a scanner, which stands under its media type."""
    if not isinstance(found, dict):
        raise PayloadError("no report of a scanner")
    if not found:
        raise NotFoundError("no scanner of Harbor has a report of it: it was not scanned yet")
    report = mapping(next(iter(found.values())))
    if "vulnerabilities" not in report:
        raise PayloadError("a report without vulnerabilities")
    maker = mapping(report.get("scanner"))
    name, version = text(maker.get("name")) or "harbor", text(maker.get("version"))
    tool = name.lower() + (f"-{version.removeprefix('v')}" if version else "")
    listed = items(report["vulnerabilities"])
    rows = [_finding(one) for one in listed if text(one.get("id")) and text(one.get("package"))]
    return Scan(tool, rows, text(report.get("generated_at")))


def _finding(one: Row) -> Row:
    """Read a vulnerability; of what kind the package is, and in which layer, is not told."""
    fixed, scores = text(one.get("fix_version")), mapping(one.get("preferred_cvss"))
    newest = "v2" if scores.get("score_v3") is None else "v3"
    return {
        "id": one["id"],
        "type": "generic",
        "name": one["package"],
        "version": text(one.get("version")),
        "fixed_version": fixed and " ".join(fixed.replace(",", " ").split()),
        "state": fixed_or(fixed, STATES.get(str(one.get("status")))),
        "severity": severity(one.get("severity")),
        "cvss": scores.get(f"score_{newest}"),
        "cvss_vector": text(scores.get(f"vector_{newest}")),
        "url": next(iter(texts(one.get("links"))), None),
    }


def _pulled(tag: Row) -> Any:
    at = text(tag.get("pull_time"))
    return None if at is None or at.startswith(_NEVER) else at


def read_repositories(
    found: Any, answer: Response | None, number: int, *, url: str = "", host: str = ""
) -> Page:
    """Read a page of repositories."""
    listed = entries_of(found, "repositories")
    rows = {}
    for entry in listed:
        namespace, _, name = (text(entry.get("name")) or "").partition("/")
        if namespace and name:
            rows[entry["name"]] = {
                "repo": f"{host}/{namespace}/{name}",
                "namespace": namespace,
                "name": name,
                "description": text(entry.get("description")),
                "is_official": False,
                "pull_count": entry.get("pull_count"),
                "registered_at": entry.get("creation_time"),
                "modified_at": entry.get("update_time"),
            }
    return Page(rows, _following(listed, answer, url, number))


def _following(
    listed: Sequence[Mapping[str, Any]], answer: Response | None, url: str, number: int
) -> str | None:
    """Return the next page: a link tells that there is one, or a page that is full.

    Proxies have taken links off, and written others' hosts into them.
    """
    is_full = len(listed) >= _PAGE_SIZE
    link = answer is not None and next_link(answer.headers.get("Link", ""))
    return f"{url}{number + 1}" if link or is_full else None
