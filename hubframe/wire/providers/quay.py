"""Quay's API: what tags point at and pointed at, and when; their pulls; what Clair found in images.

Public repositories need no login. It takes OAuth tokens of its own, as the password of
``$oauthtoken``, which is how Quay's registry takes them, too. Robot accounts' logins are good for
what Clair found, and for nothing else of it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from requests import Response

from hubframe.errors import InvalidReferenceError, NotFoundError, PayloadError
from hubframe.oci.payload import items, mapping, text
from hubframe.readers.severities import fixed_or, severity
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
from hubframe.wire.statuses import quotable

# The largest page; of repositories there is one size.
_PAGE_SIZE = 100
_TOKEN_USER = "$oauthtoken"  # noqa: S105 - a user name
_NO_PULLS = "it counts no pulls of tags, which its administrator switches on (IMAGE_PULL_STATS)"
_SCAN = "/security"
# What Clair's updaters are about, by how their names begin.
_KINDS = {
    "alpine": "apk",
    **dict.fromkeys(("debian", "ubuntu"), "deb"),
    **dict.fromkeys(("rhel", "oracle", "aws", "photon", "suse"), "rpm"),
    **dict.fromkeys(("pyupio", "osv/pypi"), "pypi"),
    "osv/npm": "npm",
    "osv/go": "golang",
    "osv/maven": "maven",
    "osv/rubygems": "gem",
}
_STATUSES = {
    "queued": "it is still to be scanned",
    "failed": "it could not be scanned",
    "unsupported": "it is nothing that Clair scans",
    "manifest_layer_too_large": "a layer is too large",
}
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
# What names begin with: CVE-…, RHSA-…, GHSA-…, ALAS2-…, openSUSE-SU-…, pyup.io-….
_ID = re.compile(r"((?:[A-Z]{2}\w*|openSUSE|pyup\.io)-\S+?):?(?:\s+(.+))?", re.DOTALL)


class Quay(Provider):
    """Reads Quay's API."""

    kind = "quay"
    title = "Quay"
    tells_history = tells_pulls = True
    advice = (
        f'Its API takes an OAuth token, as ("{_TOKEN_USER}", "the token"), and no robot account '
        "but for scans"
    )
    scanner = "clair"
    place = re.compile(
        r"/api/v1/repository(?:\?namespace=([^&]+)"
        rf"|/([^?]+)/(?:tag/(?:[^/?]+/pull_statistics)?|manifest/[^/?]+{_SCAN})(?:\?|$))"
    )

    @classmethod
    def matches(cls, host: str) -> bool:
        """Tell whether a registry is quay.io; others are Quay where the settings say so."""
        return host == "quay.io"

    @classmethod
    def authorization(cls, credential: Credential) -> str | None:
        """Send OAuth tokens, and the logins of robot accounts as the registry takes them."""
        if not credential.is_pair:
            return None
        is_token = credential.username == _TOKEN_USER
        return f"Bearer {credential.secret}" if is_token else credential.basic

    @classmethod
    def takes(cls, credential: Credential, url: str) -> bool:
        """Tell whether a login is good: but for what Clair found, OAuth tokens alone are."""
        return credential.username == _TOKEN_USER or urlsplit(url).path.endswith(_SCAN)

    def tags(self, path: str) -> Sequence[Row]:
        """List the tags that are there; of indexes no size is told."""
        return self._alive(path)

    def tag(self, path: str, name: str) -> Row:
        """Return what is told of one tag that is there."""
        return self.named(self._alive(path, specificTag=name), path, name)

    def history(self, path: str, tag: str | None = None) -> Sequence[Row]:
        """List what tags pointed at, the last first: as long ago as Quay keeps what has ended."""
        rows = self._entries(path, **({"specificTag": tag} if tag else {}))
        found = [row for row in rows if tag in (None, row["tag"])]
        if tag and not found:
            raise self.missing(f"the tag {path}:{tag}")
        return found

    def pulls(self, path: str, tag: str) -> Row:
        """Return how often a tag was pulled, where this Quay counts that."""
        asked = f"the pulls of {path}:{tag}"
        url = f"{self._of(path)}/tag/{quote(tag)}/pull_statistics"
        return self.told(url, asked, read_pulls, _NO_PULLS)

    def scan(self, path: str, digest: str) -> Scan:
        """Return what Clair found in an image."""
        asked = f"the scan of {path}@{digest}"
        url = f"{self._of(path)}/manifest/{digest}{_SCAN}?vulnerabilities=true"
        return self.told(url, asked, read_scan, "its scanner is switched off")

    def repos(self, namespace: str) -> Sequence[Row]:
        """List the repositories of a user or organisation; one that is not there has none."""
        if not namespace:
            raise InvalidReferenceError(
                f"{self.host} is a registry: name whose repositories, such as {self.host}/org"
            )
        query = {"namespace": namespace, "public": "true", "last_modified": "true"}
        url = f"{self.url}/api/v1/repository?{urlencode(query)}"
        read = partial(read_repos, url=url, host=self.host)
        return self.list_repos(url, namespace, read)

    def _alive(self, path: str, **query: str) -> list[Row]:
        # The last ones come first; a tag that moved between two pages may be on both.
        rows = reversed(self._entries(path, onlyActiveTags="true", **query))
        return [_tag(row) for row in {row["tag"]: row for row in rows}.values()][::-1]

    def _entries(self, path: str, **query: str) -> list[Row]:
        url = f"{self._of(path)}/tag/?"
        url += urlencode({"limit": _PAGE_SIZE, **query, "page": ""})
        return self.list_tags(f"{url}1", path, partial(read_history, url=url))

    def _of(self, path: str) -> str:
        return f"{self.url}/api/v1/repository/{quote(path)}"


def read_history(found: Any, _answer: Response | None, number: int, *, url: str = "") -> Page:
    """Read a page of a repository's tags, those that ended too.

    What can end a tag that is there is when it expires; `ends_at` is the same of both.
    """
    listed = mapping(found)
    rows: dict[Any, Row] = {}
    for entry in entries_of(listed.get("tags"), "tags"):
        if name := tag_of(entry.get("name")):
            begun = _moment(entry, "start_ts", "last_modified")
            digest = digest_of(entry.get("manifest_digest"))
            row = {
                "tag": name,
                "digest": digest,
                "started_at": begun,
                "ends_at": _moment(entry, "end_ts", "expiration"),
                "is_reversion": entry.get("reversion"),
                "is_index": entry.get("is_manifest_list"),
                "size": entry.get("size"),
                "is_immutable": entry.get("immutable"),
            }
            # Of what came back within a second the last counts, which is told first.
            rows.setdefault((name, begun, digest), row)
    return Page(rows, f"{url}{number + 1}" if listed.get("has_additional") is True else None)


def read_repos(
    found: Any, _answer: Response | None, _number: int, *, url: str = "", host: str = "quay.io"
) -> Page:
    """Read a page of repositories."""
    listed = mapping(found)
    rows = {}
    for entry in entries_of(listed.get("repositories"), "repositories"):
        namespace, name = text(entry.get("namespace")), text(entry.get("name"))
        is_public = entry.get("is_public")
        if namespace and name:
            rows[namespace, name] = {
                "repo": f"{host}/{namespace}/{name}",
                "namespace": namespace,
                "name": name,
                "repository_type": text(entry.get("kind")),
                "description": text(entry.get("description")),
                "is_private": not is_public if isinstance(is_public, bool) else None,
                "is_official": False,
                "pushed_at": _moment(entry, "last_modified", "last_modified"),
            }
    token = text(listed.get("next_page"))
    following = token and f"{url}&{urlencode({'next_page': token}, errors='replace')}"
    return Page(rows, following)


def read_pulls(found: Any) -> Row:
    """Read how often a tag was pulled, and the image that it points at, by whatever name."""
    told = mapping(found)
    if "tag_pull_count" not in told:
        raise PayloadError("no pulls of a tag")
    return {
        "digest": digest_of(told.get("current_manifest_digest")),
        "pull_count": told["tag_pull_count"],
        "pulled_at": _written(told.get("last_tag_pull_date")),
        "image_pull_count": told.get("manifest_pull_count"),
        "image_pulled_at": _written(told.get("last_manifest_pull_date")),
    }


def read_scan(found: Any) -> Scan:
    """Read what Clair found, package by package."""
    told = mapping(found)
    status = text(told.get("status"))
    if status is None:
        raise PayloadError("no scan")
    if status != "scanned":
        why = _STATUSES.get(status) or f"its status is {quotable(status)!r}"
        raise NotFoundError(f"Clair tells nothing of this image: {why}")
    layer = mapping(told.get("data")).get("Layer")
    if not isinstance(layer, dict):
        raise PayloadError("a scan without what was found")
    rows = (
        {"name": name, "version": text(package.get("Version")), **_finding(one)}
        | {"layer_digest": digest_of(package.get("AddedBy"))}
        for package in items(layer.get("Features"))
        if (name := text(package.get("Name")))
        for one in items(package.get("Vulnerabilities"))
        if text(one.get("Name"))
    )
    return Scan("clair", list(rows))


def _finding(one: Row) -> Row:
    """Read a vulnerability, whose name may be an id, a title, or both."""
    about = mapping(one.get("Metadata"))
    cvss = mapping(mapping(about.get("NVD")).get("CVSSv3"))
    source = text(about.get("UpdatedBy")) or text(one.get("NamespaceName"))
    name, url = one["Name"].strip(), text(one.get("Link")) or ""
    cves = sorted({*_CVE.findall(name), *_CVE.findall(url)})
    known = _ID.fullmatch(name)
    found, title = known.groups() if known else (next(iter(cves), name), name)
    fixed = text(one.get("FixedBy"))
    if fixed and "=" in fixed:
        # Of some ecosystems it is the whole range: fixed=2.0&introduced=1.0
        fixed = next(iter(parse_qs(fixed).get("fixed", ())), None)
    kind = re.match(r"osv/[a-z]+|[a-z]+|", (source or "").lower())
    return {
        "id": found,
        "aliases": " ".join(cve for cve in cves if cve != found) or None,
        "type": _KINDS.get(kind[0] if kind else "", "generic"),
        "fixed_version": fixed,
        "state": fixed_or(fixed, None),
        "severity": severity(one.get("Severity")),
        "cvss": cvss.get("Score"),
        "cvss_vector": text(cvss.get("Vectors")),
        "advisory_source": source,
        "title": None if not title or title.startswith("(") else title,
        "url": next(iter(url.split()), None),
    }


def _tag(row: Row) -> Row:
    names = ("digest", "size", "is_index")
    return {"name": row["tag"], "pushed_at": row["started_at"], **{n: row[n] for n in names}}


def _moment(entry: Row, seconds: str, written: str) -> str | None:
    """Read a date: seconds since 1970, else as RFC 2822 has it."""
    found = entry.get(seconds)
    try:
        if isinstance(found, int | float) and not isinstance(found, bool) and found > 0:
            return datetime.fromtimestamp(found, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
    return _written(entry.get(written))


def _written(date: Any) -> str | None:
    """Read a date as RFC 2822 has it."""
    try:
        at = parsedate_to_datetime(text(date) or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError, IndexError):
        return None
