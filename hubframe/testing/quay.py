"""A registry like Quay over a world: the distribution API, and beside it Quay's own.

That one keeps what tags pointed at, tells no sizes of indexes, and refuses what is not there as it
refuses what is private.
"""

from email.utils import formatdate
from typing import Any

from hubframe.testing import registry
from hubframe.testing.message import Reply, Request
from hubframe.testing.registry import Registry
from hubframe.testing.service import HttpError, Routes
from hubframe.testing.world import Payload

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
        found = self.world.repositories.get((self.host, path))
        if found is None:
            raise HttpError(
                Reply.of_json({"detail": "Requires authentication", "status": 401}, 401)
            )
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
