"""Quay's API: what tags point at and pointed at, and when. Public repositories need no login.

It takes OAuth tokens of its own, no robot account's: as the password of ``$oauthtoken``, which is
how Quay's registry takes them, too.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from requests import Response

from hubframe.errors import InvalidReferenceError, UnauthorizedError
from hubframe.oci.payload import mapping, text
from hubframe.wire.credentials import Credential
from hubframe.wire.providers.provider import (
    Page,
    Provider,
    Row,
    digest_of,
    entries_of,
    tag_of,
)

# The largest page; of repositories there is one size.
_PAGE_SIZE = 100
_TOKEN_USER = "$oauthtoken"  # noqa: S105 - a user name


class Quay(Provider):
    """Reads Quay's API."""

    kind = "quay"
    title = "Quay"
    tells_history = True
    place = re.compile(r"/api/v1/repository(?:/([^?]+)/tag/|\?namespace=([^&]+))")

    @classmethod
    def matches(cls, host: str) -> bool:
        """Tell whether a registry is quay.io; others are Quay where the settings say so."""
        return host == "quay.io"

    @classmethod
    def authorization(cls, credential: Credential) -> str | None:
        """Send OAuth tokens; a robot account's login is for the registry alone."""
        is_token = credential.username == _TOKEN_USER and credential.secret
        return f"Bearer {credential.secret}" if is_token else None

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

    def repos(self, namespace: str) -> Sequence[Row]:
        """List the repositories of a user or organisation; one that is not there has none."""
        if not namespace:
            raise InvalidReferenceError(
                f"{self.host} is a registry: name whose repositories, such as {self.host}/org"
            )
        query = {"namespace": namespace, "public": "true", "last_modified": "true"}
        url = f"{self.url}/api/v1/repository?{urlencode(query)}"
        read = partial(read_repos, url=url, host=self.host)
        return self._asked(partial(self.list_repos, url, namespace, read))

    def _alive(self, path: str, **query: str) -> list[Row]:
        # The last ones come first; a tag that moved between two pages may be on both.
        rows = reversed(self._entries(path, onlyActiveTags="true", **query))
        return [_tag(row) for row in {row["tag"]: row for row in rows}.values()][::-1]

    def _entries(self, path: str, **query: str) -> list[Row]:
        url = f"{self.url}/api/v1/repository/{quote(path)}/tag/?"
        url += urlencode({"limit": _PAGE_SIZE, **query, "page": ""})
        return self._asked(partial(self.list_tags, f"{url}1", path, partial(read_history, url=url)))

    def _asked(self, ask: Callable[[], list[Row]]) -> list[Row]:
        """Say what to do where Quay refuses, as it does of what is not there, too."""
        try:
            return ask()
        except UnauthorizedError as error:
            raise UnauthorizedError(
                f"{error}. Quay says the same of what is not there. Its API takes an OAuth token, "
                f'as ("{_TOKEN_USER}", "the token"), and no robot account'
            ) from None


def read_history(found: Any, _answer: Response | None, number: int, *, url: str = "") -> Page:
    """Read a page of a repository's tags, those that ended too.

    What can end a tag that is there is when it expires; `ends_at` is the same of both.
    """
    listed = mapping(found)
    rows = {}
    for entry in entries_of(listed.get("tags"), "tags"):
        if name := tag_of(entry.get("name")):
            begun = _moment(entry, "start_ts", "last_modified")
            digest = digest_of(entry.get("manifest_digest"))
            rows[name, begun, digest] = {
                "tag": name,
                "digest": digest,
                "started_at": begun,
                "ends_at": _moment(entry, "end_ts", "expiration"),
                "is_reversion": entry.get("reversion"),
                "is_index": entry.get("is_manifest_list"),
                "size": entry.get("size"),
                "is_immutable": entry.get("immutable"),
            }
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


def _tag(row: Row) -> Row:
    names = ("digest", "size")
    return {"name": row["tag"], "pushed_at": row["started_at"], **{n: row[n] for n in names}}


def _moment(entry: Row, seconds: str, written: str) -> str | None:
    """Read a date: seconds since 1970, else as RFC 2822 has it."""
    found = entry.get(seconds)
    try:
        if isinstance(found, int | float) and not isinstance(found, bool) and found > 0:
            return datetime.fromtimestamp(found, UTC).isoformat()
        at = parsedate_to_datetime(text(entry.get(written)) or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError, IndexError):
        return None
