"""A registry like Quay over a world: the distribution API, and beside it Quay's own.

That one keeps what tags pointed at, counts their pulls, tells what a scanner found, and no sizes of
indexes, and refuses what is not there as it refuses what is private.
"""

from email.utils import formatdate
from typing import Any

from hubframe.testing import registry
from hubframe.testing.message import Reply, Request
from hubframe.testing.registry import Registry
from hubframe.testing.service import HttpError, Routes
from hubframe.testing.world import Payload, Repository

LARGEST_PAGE = 100
ROUTES = Routes(registry.ROUTES)


class Quay(Registry):
    """Answers for one host, by the protocol and by Quay's API."""

    routes = ROUTES

    @ROUTES.add(r"/api/v1/repository")
    def _repositories(self, request: Request) -> Reply:
        wanted = request.parameter("namespace")
        listed = [each for each in self.world.of_host(self.host) if each.namespace == wanted]
        return Reply.of_json(
            {
                "repositories": [
                    {
                        "namespace": each.namespace,
                        "name": each.path.partition("/")[2],
                        "description": each.payload["description"],
                        "is_public": True,
                        "kind": "image",
                        "state": "NORMAL",
                        "last_modified": max(entry["start"] for entry in each.history),
                    }
                    for each in listed
                ]
            }
        )

    @ROUTES.add(r"/api/v1/repository/(?P<path>[^/]+/.+)/tag/")
    def _history(self, request: Request, path: str) -> Reply:
        """Answer what tags pointed at, the last first; those that are there alone on request."""
        found = self._of(path)
        only, now = request.parameter("specificTag"), self.clock()
        is_alive = request.parameter("onlyActiveTags") == "true"
        entries = [
            entry
            for entry in found.history
            if only in {"", entry["name"]}
            if not is_alive or entry["end"] is None or entry["end"] > now
        ]
        page = int(request.parameter("page", "1"))
        size = min(LARGEST_PAGE, int(request.parameter("limit", "50")))
        shown = entries[(page - 1) * size : page * size]
        told = {"page": page, "has_additional": len(entries) > page * size}
        return Reply.of_json({"tags": list(map(_entry, shown)), **told})

    @ROUTES.add(r"/api/v1/repository/(?P<path>[^/]+/.+)/tag/(?P<tag>[^/]+)/pull_statistics")
    def _tag_pulls(self, _request: Request, path: str, tag: str) -> Reply:
        """Count pulls: made up, by the digest of what the tag points at."""
        found = self._of(path).tags.get(tag)
        if found is None:
            raise _missing()
        count = int(found.digest[-4:], 16)
        date = formatdate(self.clock() - count)
        return Reply.of_json(
            {
                "tag_name": tag,
                "tag_pull_count": count,
                "last_tag_pull_date": date,
                "current_manifest_digest": found.digest,
                "manifest_pull_count": 2 * count,
                "last_manifest_pull_date": date,
            }
        )

    @ROUTES.add(r"/api/v1/repository/(?P<path>[^/]+/.+)/manifest/(?P<digest>[^/]+)/security")
    def _scan(self, _request: Request, path: str, digest: str) -> Reply:
        """Tell what was found: always the same, in the first layer and in the last."""
        document = self.world.held(self._of(path)).get(digest)
        if document is None or not document.is_manifest:
            raise _missing()
        layers = [one["digest"] for one in document.parsed().get("layers", ())]
        if not layers:
            return Reply.of_json({"status": "unsupported", "data": None})
        packages = zip(_FOUND, (layers[0], layers[-1]), strict=True)
        features = [{**package, "AddedBy": layer} for package, layer in packages]
        layer = {"Name": digest, "IndexedByVersion": 4, "Features": features}
        return Reply.of_json({"status": "scanned", "data": {"Layer": layer}})

    def _of(self, path: str) -> Repository:
        found = self.world.repositories.get((self.host, path))
        if found is None:
            raise HttpError(
                Reply.of_json({"detail": "Requires authentication", "status": 401}, 401)
            )
        return found


def _missing() -> HttpError:
    return HttpError(Reply.of_json({"detail": "Not Found", "status": 404}, 404))


def _vulnerability(name: str, updater: str, severity: str, **told: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Severity": severity,
        "NamespaceName": updater,
        "Link": told.get("link", ""),
        "FixedBy": told.get("fixed", ""),
        "Description": "Made up for the sample.",
        "Metadata": {
            "UpdatedBy": updater,
            "NVD": {"CVSSv3": {"Vectors": "", "Score": told.get("score", "")}},
        },
    }


# What the scanner finds, package by package.
_FOUND = (
    {
        "Name": "openssl",
        "Version": "3.0.13-1~deb12u1",
        "Vulnerabilities": [
            _vulnerability(
                "CVE-2024-99001",
                "debian/updater",
                "High",
                fixed="3.0.14-1~deb12u2",
                link="https://cve.example/CVE-2024-99001",
                score=7.5,
            ),
            _vulnerability("CVE-2024-99004", "debian/updater", "Low"),
        ],
    },
    {
        "Name": "requests",
        "Version": "2.31.0",
        "Vulnerabilities": [
            _vulnerability(
                "GHSA-sample-1",
                "osv/pypi",
                "Medium",
                fixed="2.32.0",
                link="https://cve.example/CVE-2024-99003",
            )
        ],
    },
)


def _entry(entry: Payload) -> dict[str, Any]:
    told = {
        "name": entry["name"],
        "reversion": entry["is_reversion"],
        "immutable": False,
        "start_ts": entry["start"],
        "manifest_digest": entry["digest"],
        "is_manifest_list": entry["size"] is None,
        "size": entry["size"],
        "last_modified": formatdate(entry["start"]),
    }
    if entry["end"] is not None:
        told |= {"end_ts": entry["end"], "expiration": formatdate(entry["end"])}
    return told
